// layer_read.h - read everything that a segment can say, into one hash.
#ifndef OM_TESTS_ENGINE_LAYER_READ_H
#define OM_TESTS_ENGINE_LAYER_READ_H

#include "data/base/hash.h"
#include "tests/engine/layer_sample.h"

static inline void layer_mix(uint64_t *hash, const void *bytes, size_t len)
{
    *hash = om_hash64(bytes, len, *hash);
}

static inline om_status layer_read_texts(const struct om_segment *s,
                                         size_t column, uint64_t *hash)
{
    struct om_text_reader reader = {0}, second = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < om_segment_rows(s) && !st; i++) {
        const char *text;
        size_t len, row = 0;
        st = om_segment_text(s, column, i, &reader, &text, &len);
        if (st) break;
        layer_mix(hash, text ? text : "", text ? len : 0);
        if (column != om_segment_schema(s)->id_field || !text) continue;
        st = om_segment_find(s, text, len, &second, &row);
        layer_mix(hash, &row, sizeof row);
        if (st == OM_E_NOTFOUND) st = OM_OK;
    }
    om_text_reader_deinit(&reader);
    om_text_reader_deinit(&second);
    return st;
}

/* Every figure that is an index is used as one, as a reader would. */
static inline om_status layer_read_column(const struct om_segment *s,
                                          size_t column, uint64_t *hash)
{
    const struct om_column *c;
    const size_t rows = om_segment_rows(s);
    OM_TRY(om_segment_column(s, column, 0, rows, &c));
    layer_mix(hash, &c->nulls, sizeof c->nulls);
    layer_mix(hash, &c->field.type, sizeof c->field.type);
    layer_mix(hash, c->field.name, strlen(c->field.name));
    if (c->valid) layer_mix(hash, c->valid, (rows + 63) / 64 * 8);
    const size_t blocks = (rows + OM_BLOCK_ROWS - 1) / OM_BLOCK_ROWS;
    if (c->block_min) {
        layer_mix(hash, c->block_min, blocks * 8);
        layer_mix(hash, c->block_max, blocks * 8);
    }
    if (c->real_min) {
        layer_mix(hash, c->real_min, blocks * 8);
        layer_mix(hash, c->real_max, blocks * 8);
    }
    if (c->sum) layer_mix(hash, c->sum, (rows / OM_SUM_ROWS + 2) * 8);
    for (size_t i = 0; i < rows && c->width; i++) {
        const int64_t value =
            (int64_t)((uint64_t)c->base + om_column_stored(c, i));
        layer_mix(hash, &value, sizeof value);
        if (c->coding != OM_CODING_DICTIONARY || !om_column_valid(c, i))
            continue;
        const uint64_t code = om_column_stored(c, i);
        layer_mix(hash, c->word_bytes + c->word_offset[code],
                  c->word_offset[code + 1] - c->word_offset[code]);
    }
    if (c->coding == OM_CODING_INTEGER || c->coding == OM_CODING_REAL)
        return OM_OK;
    return layer_read_texts(s, column, hash);
}

static inline om_status layer_read_rings(const struct om_segment *s,
                                         uint64_t *hash)
{
    struct om_rings r;
    if (om_segment_schema(s)->geometry == OM_GEOMETRY_POINT) return OM_OK;
    OM_TRY(om_segment_rings(s, 0, om_segment_rows(s), &r));
    for (size_t i = 0; i < r.count; i++) {
        layer_mix(hash, &r.box[i], sizeof r.box[i]);
        for (size_t p = r.shape_part[i]; p < r.shape_part[i + 1]; p++)
            for (size_t g = r.part_ring[p]; g < r.part_ring[p + 1]; g++)
                layer_mix(hash, r.vertex + r.ring_vertex[g],
                          (r.ring_vertex[g + 1] - r.ring_vertex[g]) *
                              sizeof *r.vertex);
    }
    return OM_OK;
}

static inline om_status layer_read_ranges(const struct om_segment *s,
                                          uint64_t *hash)
{
    const uint64_t *key;
    const size_t rows = om_segment_rows(s);
    OM_TRY(om_segment_keys(s, 0, rows, &key));
    layer_mix(hash, key, rows * 8);
    for (size_t i = 0; i < rows; i++) {
        size_t from, to;
        const uint64_t code = key[i] >> 20 << 20;
        OM_TRY(om_segment_range(s, code, code + (1 << 20), &from, &to));
        if (from > to || to > rows) return OM_E_INTERNAL;
        layer_mix(hash, &from, sizeof from);
        layer_mix(hash, &to, sizeof to);
    }
    return OM_OK;
}

static inline om_status layer_read(const struct om_segment *s, uint64_t *answer)
{
    uint64_t hash = om_segment_rows(s);
    const struct om_box box = om_segment_box(s);
    layer_mix(&hash, &box, sizeof box);
    OM_TRY(layer_read_ranges(s, &hash));
    // The unit columns too, but not their number: a file without them says
    // nothing about them.
    for (size_t i = 0; i < om_segment_schema(s)->count; i++)
        OM_TRY(layer_read_column(s, i, &hash));
    for (size_t i = 0; i < om_segment_cell_levels(s); i++) {
        struct om_cells c;
        OM_TRY(om_segment_cells(s, i, &c));
        layer_mix(&hash, c.code, c.count * 8);
        layer_mix(&hash, c.mean_x, c.count * 2);
        layer_mix(&hash, c.mean_y, c.count * 2);
        layer_mix(&hash, &c.level, sizeof c.level);
        for (size_t k = 0; k < c.count; k++) {
            if (c.start[k] >= c.start[k + 1]) return OM_E_INTERNAL;
            layer_mix(&hash, &c.start[k], sizeof c.start[k]);
        }
    }
    OM_TRY(layer_read_rings(s, &hash));
    *answer = hash;
    return OM_OK;
}

/* Open, read, close; then verify, whose word is only that it returns. */
static inline om_status layer_read_files(const char *path, const char *units,
                                         uint64_t *answer)
{
    struct om_segment *s;
    struct om_verify verify;
    OM_TRY(om_segment_open(path, units, &s, NULL));
    const om_status st = layer_read(s, answer);
    const om_status verified = om_segment_verify(s, &verify, NULL);
    om_segment_unref(s);
    return verified == OM_E_MEMORY ? OM_E_MEMORY : st;
}

#endif
