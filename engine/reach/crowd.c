// crowd.c - rows to positions: a pass that counts, a pass that fills.
#include "engine/reach/crowd.h"

#include <stdlib.h>
#include <string.h>

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
        if (w < 0) return OM_E_RANGE;
        sum += w < OM_CROWD_ROW_MOST ? w : OM_CROWD_ROW_MOST;
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
        out->part[at] = (uint32_t)g->part;
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
    void *part = om_realloc(out->part, (count + 1) * sizeof *out->part);
    if (part) out->part = part;
    return key && rows && weight && first && part ? OM_OK : OM_E_MEMORY;
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

/* ---- rows of several parts ---- */

/* A row and its id; owns the text. */
struct named {
    size_t part, row, len;
    char *id;
};

static int by_id(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    const size_t common = x->len < y->len ? x->len : y->len;
    const int order = common ? memcmp(x->id, y->id, common) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static om_status name_row(const struct om_layer *layer, size_t part, size_t row,
                          struct om_text_reader *reader, struct named *out)
{
    const char *text;
    *out = (struct named){.part = part, .row = row};
    OM_TRY(om_segment_text(layer->part[part].segment, layer->schema.id_field,
                           row, reader, &text, &out->len));
    out->id = om_alloc(out->len + 1);
    if (!out->id) return OM_E_MEMORY;
    if (out->len) memcpy(out->id, text, out->len);
    return OM_OK;
}

/* Add position i to the one at `to`, which is the same place. */
static om_status join(struct om_crowd *c, size_t to, size_t i,
                      const struct om_layer *layer,
                      struct om_text_reader *reader)
{
    struct named a = {0}, b = {0};
    c->rows[to] += c->rows[i];
    c->weight[to] += c->weight[i];
    om_status st = name_row(layer, c->part[to], c->first[to], reader, &a);
    if (!st) st = name_row(layer, c->part[i], c->first[i], reader, &b);
    if (!st && by_id(&b, &a) < 0) {
        c->part[to] = c->part[i];
        c->first[to] = c->first[i];
    }
    om_free(a.id);
    om_free(b.id);
    return st;
}

/* The order of all positions: those of the parts, of which later ones are
 * small, merged from the last to the first. */
static om_status sort_parts(const struct om_crowd *c, const size_t *end,
                            size_t parts, uint32_t *order)
{
    uint32_t *merged = om_alloc_array(c->count + 1, sizeof *merged);
    if (!merged) return OM_E_MEMORY;
    size_t n = 0;
    for (size_t p = parts; p-- > 0;) {
        size_t i = p ? end[p - 1] : 0, k = 0, m = 0;
        while (i < end[p] || k < n)
            merged[m++] =
                k == n || (i < end[p] && c->key[i] <= c->key[order[k]])
                    ? (uint32_t)i++
                    : order[k++];
        memcpy(order, merged, m * sizeof *order);
        n = m;
    }
    om_free(merged);
    return OM_OK;
}

/* Positions of all parts in one order, each once. */
static om_status merge_parts(struct om_crowd *c, const size_t *end,
                             const struct om_layer *layer)
{
    uint32_t *order = om_alloc_array(c->count + 1, sizeof *order);
    struct om_text_reader reader = {0};
    struct om_crowd to = {0};
    om_status st = order ? grow(&to, c->count) : OM_E_MEMORY;
    if (!st) st = sort_parts(c, end, layer->parts, order);
    for (size_t i = 0; i < c->count && !st; i++) {
        const uint32_t from = order[i];
        const size_t at = to.count++;
        to.key[at] = c->key[from];
        to.rows[at] = c->rows[from];
        to.weight[at] = c->weight[from];
        to.first[at] = c->first[from];
        to.part[at] = c->part[from];
        if (at == 0 || to.key[at] != to.key[at - 1]) continue;
        st = join(&to, at - 1, at, layer, &reader);
        to.count--;
    }
    om_text_reader_deinit(&reader);
    om_free(order);
    om_crowd_deinit(c);
    *c = to;
    return st;
}

om_status om_crowd_read(const struct om_layer *layer,
                        const struct om_selection *selection, size_t weight,
                        struct om_crowd *out)
{
    *out = (struct om_crowd){0};
    OM_TRY(check(layer, weight));
    size_t *end = om_calloc(layer->parts + 1, sizeof *end), filled = 0;
    om_status st = end ? grow(out, 0) : OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts && !st; p++) {
        struct gather g = {.segment = layer->part[p].segment,
                           .selection = selection,
                           .part = p,
                           .rows = om_segment_rows(layer->part[p].segment),
                           .out = out};
        const size_t before = out->count;
        if (g.rows) st = read_part(&g, weight);
        filled += out->count > before;
        end[p] = out->count;
    }
    if (!st && out->count >= UINT32_MAX) st = OM_E_LIMIT;
    if (!st && filled > 1) st = merge_parts(out, end, layer);
    om_free(end);
    for (size_t i = 0; i < out->count && !st; i++) {
        out->total_rows += out->rows[i];
        out->total_weight += out->weight[i];
    }
    if (st) om_crowd_deinit(out);
    return st;
}

om_status om_crowd_rows(const struct om_crowd *crowd, size_t i,
                        const struct om_layer *layer,
                        const struct om_selection *among,
                        om_status (*each)(void *ctx, size_t part, size_t row),
                        void *ctx)
{
    const uint64_t key = crowd->key[i];
    struct named *list = om_alloc_array(crowd->rows[i] + 1u, sizeof *list);
    struct om_text_reader reader = {0};
    size_t n = 0;
    om_status st = list ? OM_OK : OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts && !st; p++) {
        size_t from, to;
        st = om_segment_range(layer->part[p].segment, key, key + 1, &from, &to);
        for (size_t row = from; !st && row < to && n < crowd->rows[i]; row++)
            if (om_selection_has(among, p, row))
                st = name_row(layer, p, row, &reader, &list[n++]);
    }
    if (n > 1 && !st) qsort(list, n, sizeof *list, by_id);
    for (size_t k = 0; k < n && !st; k++)
        st = each(ctx, list[k].part, list[k].row);
    for (size_t k = 0; k < n; k++) om_free(list[k].id);
    om_text_reader_deinit(&reader);
    om_free(list);
    return st;
}

void om_crowd_deinit(struct om_crowd *crowd)
{
    om_free(crowd->key);
    om_free(crowd->rows);
    om_free(crowd->weight);
    om_free(crowd->first);
    om_free(crowd->part);
    *crowd = (struct om_crowd){0};
}
