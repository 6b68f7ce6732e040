// filter_sample.h - a layer with every coding and NULLs, and its rows in
// memory.
#ifndef OM_TESTS_ENGINE_FILTER_SAMPLE_H
#define OM_TESTS_ENGINE_FILTER_SAMPLE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "engine/layer/build.h"
#include "engine/snapshot.h"
#include "tests/folder.h"

enum sample_column {
    ID,        // text, numbered: R0000123
    CODE,      // text, numbered, not the id
    KIND,      // category, few words
    STREET,    // category, hundreds of words
    NOTE,      // text in compressed blocks
    SEVERITY,  // integer of one byte
    LEVEL,     // integer of two bytes, negative too
    BIG,       // integer of eight bytes
    DEPTH,     // real
    WIDTH,     // real
    REPORTED,  // time
    DUE,       // time
    MODEL,     // boolean
    GRID,      // unit column
    COLUMNS,
};

static const struct om_field SAMPLE_FIELD[COLUMNS] = {
    {"id", OM_TYPE_TEXT},       {"code", OM_TYPE_TEXT},
    {"kind", OM_TYPE_CATEGORY}, {"street", OM_TYPE_CATEGORY},
    {"note", OM_TYPE_TEXT},     {"severity", OM_TYPE_INTEGER},
    {"level", OM_TYPE_INTEGER}, {"big", OM_TYPE_INTEGER},
    {"depth", OM_TYPE_REAL},    {"width", OM_TYPE_REAL},
    {"reported", OM_TYPE_TIME}, {"due", OM_TYPE_TIME},
    {"model", OM_TYPE_BOOLEAN}, {"grid", OM_TYPE_CATEGORY},
};

/* One row as it was made: what the tests believe. */
struct sample_row {
    bool null[COLUMNS];
    int64_t integer[COLUMNS];  // INTEGER, TIME, BOOLEAN
    double real[COLUMNS];
    char text[COLUMNS][96];
    struct om_pos pos;
};

struct sample {
    size_t rows;
    struct sample_row *row;  // in the order of the segment
    struct om_segment *segment;
    struct om_part part;
    struct om_layer layer;
    char folder[64];
};

static uint64_t sample_seed = 1;

static inline unsigned sample_dice(unsigned sides)
{
    sample_seed = sample_seed * UINT64_C(6364136223846793005) +
                  UINT64_C(1442695040888963407);
    return (unsigned)(sample_seed >> 33) % sides;
}

static inline const char *sample_kind(unsigned i)
{
    static const char *const KINDS[] = {
        "fire", "Fire", "straße", "STRASSE", "消防隐患", "a_b%c", "zz"};
    return KINDS[i % 7];
}

static inline void sample_make_row(struct sample_row *r, size_t i)
{
    memset(r, 0, sizeof *r);
    for (int c = CODE; c < COLUMNS; c++) r->null[c] = sample_dice(8) == 0;
    r->null[CODE] = false;
    // Long stretches of one severity, and one without any: blocks that their
    // minima and maxima decide.
    r->null[LEVEL] = i % 20000 < 9000 && i > 20000;
    snprintf(r->text[ID], 96, "R%07zu", i);
    snprintf(r->text[CODE], 96, "P-%05zu", (i * 7919) % 100000);
    snprintf(r->text[KIND], 96, "%s", sample_kind(sample_dice(7)));
    snprintf(r->text[STREET], 96, "street %u", sample_dice(300));
    snprintf(r->text[NOTE], 96, "note %u of row %zu, %s", sample_dice(50), i,
             sample_kind(sample_dice(7)));
    snprintf(r->text[GRID], 96, "G%03u", sample_dice(40));
    r->integer[SEVERITY] = 1 + sample_dice(9);
    r->integer[LEVEL] = (int)sample_dice(2000) - 1000;
    r->integer[BIG] =
        ((int64_t)sample_dice(1u << 31) << 31) * (sample_dice(2) ? 1 : -1);
    r->real[DEPTH] = sample_dice(5) ? (double)((int)sample_dice(400) - 200) / 8
                     : sample_dice(2) ? -0.0
                                      : 0.0;
    r->real[WIDTH] = (double)sample_dice(1000) / 10;
    r->integer[REPORTED] = 1672502400 + (int64_t)sample_dice(15552000);
    r->integer[DUE] = r->integer[REPORTED] + (int)sample_dice(2000) - 1000;
    r->integer[MODEL] = sample_dice(2);
    r->pos = (struct om_pos){3500000000u + sample_dice(1u << 20),
                             1860000000u + sample_dice(1u << 20)};
    for (int c = 0; c < COLUMNS; c++) {
        if (!r->null[c]) continue;
        r->integer[c] = 0;
        r->real[c] = 0;
        r->text[c][0] = '\0';
    }
}

struct sample_arrays {
    uint64_t *valid;
    int64_t *integer;
    double *real;
    uint32_t *offset;
    char *bytes;
};

static inline void sample_fill(struct sample_arrays *a,
                               const struct sample_row *row, size_t rows,
                               int column)
{
    memset(a->valid, 0, (rows / 64 + 1) * 8);
    uint32_t at = 0;
    for (size_t i = 0; i < rows; i++) {
        const struct sample_row *r = &row[i];
        if (!r->null[column]) om_bit_set(a->valid, i);
        a->integer[i] = r->integer[column];
        a->real[i] = r->real[column];
        a->offset[i] = at;
        const size_t n = strlen(r->text[column]);
        memcpy(a->bytes + at, r->text[column], n);
        at += (uint32_t)n;
    }
    a->offset[rows] = at;
}

static inline struct sample_arrays sample_arrays_new(size_t rows)
{
    return (struct sample_arrays){malloc((rows / 64 + 1) * 8), malloc(rows * 8),
                                  malloc(rows * 8), malloc((rows + 1) * 4),
                                  malloc(rows * 96)};
}

static inline void sample_arrays_free(struct sample_arrays *a)
{
    free(a->valid);
    free(a->integer);
    free(a->real);
    free(a->offset);
    free(a->bytes);
}

static inline om_status sample_add(struct om_builder *builder,
                                   const struct sample_row *row, size_t rows)
{
    struct sample_arrays a[COLUMNS];
    struct om_batch_column column[COLUMNS];
    uint64_t *source = malloc(rows * sizeof *source);
    struct om_pos *pos = malloc(rows * sizeof *pos);
    for (size_t i = 0; i < rows; i++) {
        source[i] = i + 1;
        pos[i] = row[i].pos;
    }
    for (int c = 0; c < GRID; c++) {
        a[c] = sample_arrays_new(rows);
        sample_fill(&a[c], row, rows, c);
        const enum om_type type = SAMPLE_FIELD[c].type;
        const bool text = type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
        column[c] = (struct om_batch_column){
            .valid = c == ID ? NULL : a[c].valid,
            .integer = text || type == OM_TYPE_REAL ? NULL : a[c].integer,
            .real = type == OM_TYPE_REAL ? a[c].real : NULL,
            .offset = text ? a[c].offset : NULL,
            .bytes = text ? a[c].bytes : NULL};
    }
    const struct om_batch batch = {
        .rows = rows, .source_row = source, .pos = pos, .column = column};
    const om_status st = om_builder_add(builder, &batch);
    for (int c = 0; c < GRID; c++) sample_arrays_free(&a[c]);
    free(source);
    free(pos);
    return st;
}

/* Rows into the order of the segment, by their ids R0000123. */
static inline om_status sample_reorder(struct sample *s)
{
    struct sample_row *row = malloc(s->rows * sizeof *row);
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < s->rows && !st; i++) {
        const char *text;
        size_t len;
        st = om_segment_text(s->segment, ID, i, &reader, &text, &len);
        if (!st) row[i] = s->row[strtoull(text + 1, NULL, 10)];
    }
    om_text_reader_deinit(&reader);
    free(s->row);
    s->row = row;
    return st;
}

/* The unit column: G000 to G039, and rows in none. */
static inline om_status sample_units(const struct sample *s, const char *path,
                                     struct om_err *err)
{
    uint32_t *unit = malloc(s->rows * sizeof *unit);
    uint32_t offset[41];
    char ids[40 * 4 + 1];
    for (uint32_t i = 0; i <= 40; i++) offset[i] = 4 * i;
    for (uint32_t i = 0; i < 40; i++) snprintf(ids + 4 * i, 5, "G%03u", i);
    for (size_t i = 0; i < s->rows; i++)
        unit[i] = s->row[i].null[GRID]
                      ? OM_NO_UNIT
                      : (uint32_t)strtoul(s->row[i].text[GRID] + 1, NULL, 10);
    const struct om_unit_column column = {.name = "grid",
                                          .unit = unit,
                                          .ids = 40,
                                          .id_offset = offset,
                                          .id_bytes = ids};
    const om_status st = om_units_write(path, s->segment, &column, 1, err);
    free(unit);
    return st;
}

static inline om_status sample_open(struct sample *s, size_t rows)
{
    struct om_err err = {0};
    struct om_builder *builder = NULL;
    char path[128], units[128];
    memset(s, 0, sizeof *s);
    s->rows = rows;
    s->row = malloc(rows * sizeof *s->row);
    for (size_t i = 0; i < rows; i++) sample_make_row(&s->row[i], i);
    if (!test_folder("filter", s->folder, sizeof s->folder)) return OM_E_IO;
    snprintf(path, sizeof path, "%s/points", s->folder);
    snprintf(units, sizeof units, "%s/units", s->folder);

    struct om_schema schema = {.geometry = OM_GEOMETRY_POINT,
                               .count = GRID,
                               .id_field = ID,
                               .time_field = REPORTED};
    memcpy(schema.field, SAMPLE_FIELD, GRID * sizeof *SAMPLE_FIELD);
    om_status st = om_builder_new(&schema, &builder);
    for (size_t at = 0; at < rows && !st; at += 60000)
        st = sample_add(builder, s->row + at,
                        rows - at < 60000 ? rows - at : 60000);
    if (!st) st = om_builder_write(builder, path, NULL, &err);
    om_builder_free(builder);
    if (!st) st = om_segment_open(path, NULL, &s->segment, &err);
    if (!st) st = sample_reorder(s);
    if (!st) st = sample_units(s, units, &err);
    om_segment_unref(s->segment);
    if (!st) st = om_segment_open(path, units, &s->segment, &err);
    if (st) {
        fprintf(stderr, "%d %s\n", st, err.text);
        return st;
    }
    s->part.segment = s->segment;
    s->layer = (struct om_layer){.name = "sample",
                                 .unit_columns = 1,
                                 .parts = 1,
                                 .part = &s->part,
                                 .rows = rows,
                                 .serial = om_segment_serial(s->segment)};
    s->layer.schema = *om_segment_schema(s->segment);
    return OM_OK;
}

static inline void sample_close(struct sample *s)
{
    char path[128];
    om_segment_unref(s->segment);
    free(s->row);
    snprintf(path, sizeof path, "%s/points", s->folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/units", s->folder);
    unlink(path);
    rmdir(s->folder);
}

#endif
