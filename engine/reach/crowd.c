// crowd.c - rows to positions: a pass that counts, a pass that fills.
#include "engine/reach/crowd.h"

#include "data/base/alloc.h"
#include "data/base/thread.h"

#define GRAIN (1u << 18)

/* One part in stretches of GRAIN rows. A stretch takes the positions that
 * begin in it: a run of equal keys that began before it is not its own. */
struct gather {
    const struct om_segment *segment;
    const struct om_selection *selection;
    const struct om_column *weight;
    const uint64_t *key;
    size_t part, rows;
    size_t *begin;  // [stretches + 1] positions, then where each writes
    struct om_crowd *out;
};

/* Rows [from, to) share a key: how many are selected, which is first. */
static uint32_t selected(const struct gather *g, size_t from, size_t to,
                         uint32_t *first)
{
    if (g->selection->all) {
        *first = (uint32_t)from;
        return (uint32_t)(to - from);
    }
    uint32_t n = 0;
    for (size_t row = from; row < to; row++)
        if (om_selection_has(g->selection, g->part, row) && n++ == 0)
            *first = (uint32_t)row;
    return n;
}

static size_t run_end(const struct gather *g, size_t from)
{
    size_t to = from + 1;
    while (to < g->rows && g->key[to] == g->key[from]) to++;
    return to;
}

static size_t first_own(const struct gather *g, size_t from, size_t end)
{
    if (from == 0) return 0;
    while (from < end && g->key[from] == g->key[from - 1]) from++;
    return from;
}

static om_status count_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct gather *g = ctx;
    size_t n = 0;
    for (size_t from = first_own(g, first, end), to; from < end; from = to) {
        uint32_t row;
        to = run_end(g, from);
        n += selected(g, from, to, &row) > 0;
    }
    g->begin[first / GRAIN + 1] = n;
    return OM_OK;
}

static om_status weigh(const struct gather *g, size_t from, size_t to,
                       uint32_t rows, int64_t *out)
{
    if (!g->weight) {
        *out = rows;
        return OM_OK;
    }
    int64_t sum = 0;
    for (size_t row = from; row < to; row++) {
        if (!om_selection_has(g->selection, g->part, row) ||
            !om_column_valid(g->weight, row))
            continue;
        const int64_t w = om_column_integer(g->weight, row);
        if (w < 0 || __builtin_add_overflow(sum, w, &sum)) return OM_E_RANGE;
    }
    *out = sum;
    return OM_OK;
}

static om_status fill_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct gather *g = ctx;
    struct om_crowd *out = g->out;
    size_t at = g->begin[first / GRAIN];
    for (size_t from = first_own(g, first, end), to; from < end; from = to) {
        uint32_t row = 0;
        to = run_end(g, from);
        const uint32_t n = selected(g, from, to, &row);
        if (!n) continue;
        out->key[at] = g->key[from];
        out->rows[at] = n;
        out->first[at] = row;
        OM_TRY(weigh(g, from, to, n, &out->weight[at]));
        at++;
    }
    return OM_OK;
}

static om_status grow(struct om_crowd *out, size_t count)
{
    void *key = om_realloc(out->key, (count + 1) * sizeof *out->key);
    if (key) out->key = key;
    void *rows = om_realloc(out->rows, (count + 1) * sizeof *out->rows);
    if (rows) out->rows = rows;
    void *weight = om_realloc(out->weight, (count + 1) * sizeof *out->weight);
    if (weight) out->weight = weight;
    void *first = om_realloc(out->first, (count + 1) * sizeof *out->first);
    if (first) out->first = first;
    return key && rows && weight && first ? OM_OK : OM_E_MEMORY;
}

static om_status read_part(struct gather *g, size_t column)
{
    struct om_crowd *out = g->out;
    OM_TRY(om_segment_keys(g->segment, 0, g->rows, &g->key));
    if (column != OM_NO_FIELD)
        OM_TRY(om_segment_column(g->segment, column, 0, g->rows, &g->weight));
    const size_t stretches = (g->rows + GRAIN - 1) / GRAIN;
    g->begin = om_calloc(stretches + 1, sizeof *g->begin);
    if (!g->begin) return OM_E_MEMORY;
    om_status st = om_parallel(g->rows, GRAIN, count_range, g);
    g->begin[0] = out->count;
    for (size_t i = 0; i < stretches; i++) g->begin[i + 1] += g->begin[i];
    if (!st) st = grow(out, g->begin[stretches]);
    if (!st) st = om_parallel(g->rows, GRAIN, fill_range, g);
    if (!st) out->count = g->begin[stretches];
    om_free(g->begin);
    return st;
}

static om_status check(const struct om_layer *layer, size_t column)
{
    if (layer->schema.geometry != OM_GEOMETRY_POINT) return OM_E_TYPE;
    if (column == OM_NO_FIELD) return OM_OK;
    return column < layer->schema.count &&
                   layer->schema.field[column].type == OM_TYPE_INTEGER
               ? OM_OK
               : OM_E_TYPE;
}

om_status om_crowd_read(const struct om_layer *layer,
                        const struct om_selection *selection, size_t weight,
                        struct om_crowd *out)
{
    *out = (struct om_crowd){0};
    OM_TRY(check(layer, weight));
    out->part_end = om_calloc(layer->parts + 1, sizeof *out->part_end);
    om_status st = out->part_end ? grow(out, 0) : OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts && !st; p++) {
        struct gather g = {.segment = layer->part[p].segment,
                           .selection = selection,
                           .part = p,
                           .rows = om_segment_rows(layer->part[p].segment),
                           .out = out};
        if (g.rows) st = read_part(&g, weight);
        out->part_end[out->parts++] = out->count;
    }
    for (size_t i = 0; i < out->count && !st; i++) {
        out->total_rows += out->rows[i];
        if (__builtin_add_overflow(out->total_weight, out->weight[i],
                                   &out->total_weight))
            st = OM_E_RANGE;
    }
    if (st) om_crowd_deinit(out);
    return st;
}

void om_crowd_deinit(struct om_crowd *crowd)
{
    om_free(crowd->key);
    om_free(crowd->rows);
    om_free(crowd->weight);
    om_free(crowd->first);
    om_free(crowd->part_end);
    *crowd = (struct om_crowd){0};
}

size_t om_crowd_part(const struct om_crowd *crowd, size_t i)
{
    size_t p = 0;
    while (p + 1 < crowd->parts && i >= crowd->part_end[p]) p++;
    return p;
}
