// live_sample.h - a small city in a folder, made to be written to.
#ifndef LIVE_SAMPLE_H
#define LIVE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/file.h"
#include "data/city/manifest.h"
#include "engine/layer/build.h"
#include "engine/live/live.h"
#include "engine/snapshot.h"

/* Layers "spot" and "other" of points: id, n (integer), word (text); "area" of
 * polygons: id, n; "grid", level of units, two halves of the square. All of
 * them lie in a square of SPAN cells from WEST, NORTH. */
#define LIVE_WEST 3503000000u
#define LIVE_NORTH 1861000000u
#define LIVE_SPAN 40000000u

static inline struct om_schema live_schema(void)
{
    return (struct om_schema){.geometry = OM_GEOMETRY_POINT,
                              .count = 3,
                              .field = {{"id", OM_TYPE_TEXT},
                                        {"n", OM_TYPE_INTEGER},
                                        {"word", OM_TYPE_TEXT}},
                              .time_field = OM_NO_FIELD};
}

/* A batch that grows row by row; made anew for each write. */
struct live_batch {
    size_t rows, room, id_len, word_len;
    uint64_t *source_row;
    struct om_pos *pos;
    int64_t *n;
    uint32_t *id_offset, *word_offset;
    char *ids, *words;
    struct om_batch_column column[3];
    struct om_batch batch;
};

static inline void live_batch_free(struct live_batch *b)
{
    free(b->source_row);
    free(b->pos);
    free(b->n);
    free(b->id_offset);
    free(b->word_offset);
    free(b->ids);
    free(b->words);
    *b = (struct live_batch){0};
}

static inline void live_batch_clear(struct live_batch *b)
{
    b->rows = b->id_len = b->word_len = 0;
}

/* Row "ID" at x, y of the square with a number; the word follows from it. */
static inline void live_row(struct live_batch *b, const char *id, uint32_t x,
                            uint32_t y, int64_t n)
{
    if (b->rows == b->room) {
        b->room = b->room ? 2 * b->room : 16;
        b->source_row = realloc(b->source_row, b->room * 8);
        b->pos = realloc(b->pos, b->room * sizeof *b->pos);
        b->n = realloc(b->n, b->room * 8);
        b->id_offset = realloc(b->id_offset, (b->room + 1) * 4);
        b->word_offset = realloc(b->word_offset, (b->room + 1) * 4);
        b->ids = realloc(b->ids, b->room * 64);
        b->words = realloc(b->words, b->room * 64);
        b->id_offset[0] = b->word_offset[0] = 0;
    }
    const size_t i = b->rows++;
    b->source_row[i] = i + 1;
    b->pos[i] = (struct om_pos){LIVE_WEST + x, LIVE_NORTH + y};
    b->n[i] = n;
    b->id_len += (size_t)snprintf(b->ids + b->id_len, 64, "%s", id);
    b->word_len +=
        (size_t)snprintf(b->words + b->word_len, 64, "w%lld", (long long)n);
    b->id_offset[i + 1] = (uint32_t)b->id_len;
    b->word_offset[i + 1] = (uint32_t)b->word_len;
}

static inline const struct om_batch *live_batch(struct live_batch *b)
{
    b->column[0] =
        (struct om_batch_column){.offset = b->id_offset, .bytes = b->ids};
    b->column[1] = (struct om_batch_column){.integer = b->n};
    b->column[2] =
        (struct om_batch_column){.offset = b->word_offset, .bytes = b->words};
    b->batch = (struct om_batch){.rows = b->rows,
                                 .source_row = b->source_row,
                                 .pos = b->pos,
                                 .column = b->column};
    return &b->batch;
}

static inline void live_segment(const char *folder, const char *file,
                                const struct om_batch *batch)
{
    const struct om_schema schema = live_schema();
    struct om_builder *builder = NULL;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_int_equal(om_builder_new(&schema, &builder), OM_OK);
    assert_int_equal(om_builder_add(builder, batch), OM_OK);
    assert_int_equal(om_builder_write(builder, path, NULL, NULL), OM_OK);
    om_builder_free(builder);
}

static inline void live_commit(const char *folder, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/city.json", folder);
    assert_int_equal(om_file_write_whole(path, text, strlen(text), NULL),
                     OM_OK);
}

#define LIVE_COLUMNS                                    \
    "\"columns\":[{\"name\":\"id\",\"type\":\"text\"}," \
    "{\"name\":\"n\",\"type\":\"integer\"},"            \
    "{\"name\":\"word\",\"type\":\"text\"}],\"id\":\"id\""

/* A city with `rows` rows b0, b1 ... in "spot" (n = their number) and none in
 * "other". */
static inline void live_city(const char *folder, size_t rows)
{
    char text[2048], path[512], id[32];
    struct live_batch b = {0};
    snprintf(path, sizeof path, "%s/layers", folder);
    assert_int_equal(om_folder_make(path, NULL), OM_OK);
    for (size_t i = 0; i < rows; i++) {
        snprintf(id, sizeof id, "b%zu", i);
        live_row(&b, id, (uint32_t)(i * 7919 % LIVE_SPAN),
                 (uint32_t)(i * 104729 % LIVE_SPAN), (int64_t)i);
    }
    live_segment(folder, "layers/spot-1.seg", live_batch(&b));
    live_batch_free(&b);
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":1,\"layers\":["
             "{\"name\":\"spot\"," LIVE_COLUMNS
             ",\"base_commit\":1,\"parts\":[{\"file\":"
             "\"layers/spot-1.seg\",\"rows\":%zu}]},"
             "{\"name\":\"other\"," LIVE_COLUMNS ",\"base_commit\":1}]}",
             rows);
    live_commit(folder, text);
}

/* ---- looking ---- */

/* Living rows of a layer and the sum of n over them, counted by hand. */
static inline void live_sum(const struct om_snapshot *snapshot,
                            const char *layer, uint64_t *rows, int64_t *sum)
{
    const struct om_layer *l = om_snapshot_layer(snapshot, layer);
    assert_non_null(l);
    *rows = 0;
    *sum = 0;
    for (size_t p = 0; p < l->parts; p++) {
        const struct om_part *part = &l->part[p];
        const struct om_column *c;
        const size_t n = om_segment_rows(part->segment);
        assert_int_equal(om_segment_column(part->segment, 1, 0, n, &c), OM_OK);
        for (size_t r = 0; r < n; r++) {
            const size_t at = om_part_dead_from(part, r);
            if (at < part->dead_count && part->dead[at] == r) continue;
            ++*rows;
            *sum += om_column_integer(c, r);
        }
    }
    assert_int_equal(l->rows, *rows);
}

/* n of a row, or INT64_MIN if there is none with this id. */
static inline int64_t live_n(struct om_city *city, const char *layer,
                             const char *id)
{
    struct om_snapshot *snapshot = om_city_snapshot(city);
    const struct om_layer *l = om_snapshot_layer(snapshot, layer);
    struct om_text_reader reader = {0};
    int64_t n = INT64_MIN;
    size_t found = 0;
    for (size_t p = 0; p < l->parts; p++) {
        const struct om_part *part = &l->part[p];
        size_t row;
        if (om_segment_find(part->segment, id, strlen(id), &reader, &row))
            continue;
        const size_t at = om_part_dead_from(part, row);
        if (at < part->dead_count && part->dead[at] == row) continue;
        const struct om_column *c;
        assert_int_equal(om_segment_column(part->segment, 1, row, row + 1, &c),
                         OM_OK);
        n = om_column_integer(c, row);
        const char *text;
        size_t len;
        char word[32];
        assert_int_equal(
            om_segment_text(part->segment, 2, row, &reader, &text, &len),
            OM_OK);
        snprintf(word, sizeof word, "w%lld", (long long)n);
        assert_int_equal(len, strlen(word));
        assert_memory_equal(text, word, len);
        found++;
    }
    assert_true(found <= 1);
    om_text_reader_deinit(&reader);
    om_snapshot_unref(snapshot);
    return n;
}

#endif
