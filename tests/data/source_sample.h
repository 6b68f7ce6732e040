// source_sample.h - files made for one test, and all of a source read at once.
#ifndef OM_TESTS_DATA_SOURCE_SAMPLE_H
#define OM_TESTS_DATA_SOURCE_SAMPLE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/source/source.h"
#include "tests/folder.h"

#define ZONE_S (8 * 3600)

static char folder[256];

static int make_folder(void **state)
{
    (void)state;
    om_log_set_level(OM_LOG_ERROR);
    return test_folder("onemap-source", folder, sizeof folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.') unlink(path);
    }
    if (dir) closedir(dir);
    return rmdir(folder);
}

/* A path in the folder; 64 of them live at a time. */
static const char *path_of(const char *name)
{
    static char path[64][400];
    static unsigned turn;
    char *out = path[turn++ % 64];
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

static inline const char *write_bytes(const char *name, const void *bytes, size_t len)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

/* All rows of a source as one text, a line a row: number, position or size of
 * the shape, and the values; and its rejects. */
struct reading {
    om_status status;
    struct om_err err;
    struct om_schema schema;
    struct om_buf rows;
    uint64_t taken, read, rejected;
    char reasons[1000];  // "reason: count (first row)\n" for each
};

static void add_reason(void *ctx, const char *reason, uint64_t count,
                       uint64_t first_row)
{
    char *out = ctx;
    const size_t at = strlen(out);
    snprintf(out + at, 1000 - at, "%s: %d (%d)\n", reason, (int)count,
             (int)first_row);
}

static void print_value(struct om_buf *out, const struct om_schema *schema,
                        const struct om_batch *batch, size_t c, size_t i)
{
    const struct om_batch_column *column = &batch->column[c];
    om_buf_add_byte(out, '|');
    if (column->valid && !om_bit(column->valid, i)) {
        om_buf_add_text(out, "NULL");
        // What has no value holds nothing.
        if (column->integer) assert_int_equal(column->integer[i], 0);
        if (column->offset)
            assert_int_equal(column->offset[i], column->offset[i + 1]);
        return;
    }
    switch (schema->field[c].type) {
        case OM_TYPE_TEXT:
        case OM_TYPE_CATEGORY:
            om_buf_add(out, column->bytes + column->offset[i],
                       column->offset[i + 1] - column->offset[i]);
            break;
        case OM_TYPE_REAL:
            om_buf_add_json_real(out, column->real[i]);
            break;
        default:
            om_buf_add_i64(out, column->integer[i]);
    }
}

static void print_place(struct om_buf *out, const struct om_batch *batch,
                        size_t i)
{
    double lon, lat;
    if (batch->pos) {
        om_pos_to_lonlat(batch->pos[i], &lon, &lat);
        om_buf_addf(out, "%.6f %.6f", lon, lat);
        return;
    }
    const struct om_shapes *s = &batch->shapes;
    for (uint32_t p = s->shape_part[i]; p < s->shape_part[i + 1]; p++) {
        om_buf_add_text(out, "(");
        for (uint32_t r = s->part_ring[p]; r < s->part_ring[p + 1]; r++) {
            om_buf_add_text(out, "(");
            for (uint32_t v = s->ring_vertex[r]; v < s->ring_vertex[r + 1];
                 v++) {
                om_world_to_lonlat(s->x[v], s->y[v], &lon, &lat);
                om_buf_addf(out, "%s%.6f %.6f",
                            v > s->ring_vertex[r] ? "," : "", lon, lat);
            }
            om_buf_add_text(out, ")");
        }
        om_buf_add_text(out, ")");
    }
}

/* One source_row may follow another only upwards. */
static void print_batch(struct reading *out, const struct om_batch *batch)
{
    for (size_t i = 0; i < batch->rows; i++) {
        if (i) assert_true(batch->source_row[i] > batch->source_row[i - 1]);
        om_buf_add_i64(&out->rows, (int64_t)batch->source_row[i]);
        om_buf_add_byte(&out->rows, '|');
        print_place(&out->rows, batch, i);
        for (size_t c = 0; c < out->schema.count; c++)
            print_value(&out->rows, &out->schema, batch, c, i);
        om_buf_add_byte(&out->rows, '\n');
    }
    out->taken += batch->rows;
}

/* Read it all; the caller says reading_end. */
static inline struct reading read_all(struct om_source_options options)
{
    struct reading out = {0};
    struct om_source *source = NULL;
    struct om_batch batch = {0};
    struct om_rejects *rejects = NULL;
    options.zone_s = ZONE_S;
    if (om_rejects_new(path_of("rejects.csv"), &rejects, &out.err)) fail();
    options.rejects = rejects;
    out.status = om_source_open(&options, &source, &out.err);
    if (!out.status) {
        out.schema = *om_source_schema(source);
        while (!(out.status = om_source_next(source, &batch, &out.err)) &&
               batch.rows)
            print_batch(&out, &batch);
        out.read = om_source_read(source);
    }
    om_source_close(source);
    om_batch_deinit(&batch);
    out.rejected = om_rejects_count(rejects);
    om_rejects_each(rejects, add_reason, out.reasons);
    assert_int_equal(om_rejects_close(rejects, NULL), OM_OK);
    om_buf_add_byte(&out.rows, '\0');
    if (out.status) assert_int_equal(out.err.code, out.status);
    if (!out.status) assert_int_equal(out.taken + out.rejected, out.read);
    return out;
}

static inline void reading_end(struct reading *reading)
{
    om_buf_deinit(&reading->rows);
}

static inline const char *rows_of(const struct reading *reading)
{
    return (const char *)reading->rows.bytes;
}

/* "id:text name:category ..." */
static inline const char *columns_of(const struct reading *reading)
{
    static char out[2000];
    out[0] = '\0';
    for (size_t c = 0; c < reading->schema.count; c++)
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s:%s",
                 c ? " " : "", reading->schema.field[c].name,
                 om_type_name(reading->schema.field[c].type));
    return out;
}

#endif
