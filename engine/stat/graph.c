/* graph.c - graphs from touching borders, from pairs, and parts of graphs.
 *
 * DESIGN
 * Units that touch have vertices in common, to the last bit, because import
 * nodes them. So all vertices are sorted by their code with the unit beside
 * each, and every run of one code is a clique. Sides are found the same way by
 * a hash of both ends. We rejected testing polygons against polygons (GEOS'
 * touches) because it asks with a tolerance what is known exactly.
 */
#include "engine/stat/graph.h"

#include <string.h>

#include "data/base/alloc.h"
#include "engine/layer/build.h"

/* Pairs while they are found. */
struct pairs {
    uint64_t *pair;
    size_t count, room;
};

void om_graph_deinit(struct om_graph *graph)
{
    om_free(graph->first);
    om_free(graph->to);
    *graph = (struct om_graph){0};
}

static om_status add_pair(struct pairs *p, uint32_t from, uint32_t to)
{
    if (p->count == p->room) {
        if (p->room >= OM_GRAPH_LINKS_MOST) return OM_E_COST;
        const size_t room = p->room ? 2 * p->room : 1024;
        uint64_t *more = om_realloc(p->pair, room * sizeof *more);
        if (!more) return OM_E_MEMORY;
        p->pair = more;
        p->room = room;
    }
    p->pair[p->count++] = (uint64_t)from << 32 | to;
    return OM_OK;
}

om_status om__graph_from_pairs(size_t count, uint64_t *pair, size_t n,
                               struct om_graph *out)
{
    *out = (struct om_graph){0};
    uint64_t *scratch = om_alloc_array(n + 1, sizeof *scratch);
    uint32_t *row = om_alloc_array(2 * n + 1, sizeof *row);
    struct om_graph g = {.count = count};
    g.first = om_calloc(count + 1, sizeof *g.first);
    om_status st = scratch && row && g.first ? OM_OK : OM_E_MEMORY;
    if (!st) {
        memset(row, 0, (2 * n + 1) * sizeof *row);
        st = om_sort_keys(pair, row, scratch, row + n, n);
    }
    size_t links = 0;
    for (size_t i = 0; i < n && !st; i++)
        if (!i || pair[i] != pair[i - 1]) pair[links++] = pair[i];
    if (!st) g.to = om_alloc_array(links + 1, sizeof *g.to);
    if (!st && !g.to) st = OM_E_MEMORY;
    if (!st) {
        for (size_t i = 0; i < links; i++) {
            g.first[(pair[i] >> 32) + 1]++;
            g.to[i] = (uint32_t)pair[i];
        }
        for (size_t i = 0; i < count; i++) g.first[i + 1] += g.first[i];
        *out = g;
    }
    om_free(scratch);
    om_free(row);
    if (st) om_graph_deinit(&g);
    return st;
}

/* Things that touch: corners or sides, each with its unit. */
struct ends {
    size_t count;
    uint64_t *key, *scratch;
    uint32_t *row, *row_scratch;  // entry numbers
    uint32_t *unit;               // [count] of each entry
    uint64_t *side;               // [2 * count] both ends of a side, or NULL
};

static om_status make_ends(size_t n, bool sides, struct ends *e)
{
    e->key = om_alloc_array(n + 1, sizeof *e->key);
    e->scratch = om_alloc_array(n + 1, sizeof *e->scratch);
    e->row = om_alloc_array(n + 1, sizeof *e->row);
    e->row_scratch = om_alloc_array(n + 1, sizeof *e->row_scratch);
    e->unit = om_alloc_array(n + 1, sizeof *e->unit);
    if (sides) e->side = om_alloc_array(2 * n + 1, sizeof *e->side);
    return e->key && e->scratch && e->row && e->row_scratch && e->unit &&
                   (!sides || e->side)
               ? OM_OK
               : OM_E_MEMORY;
}

static void free_ends(struct ends *e)
{
    om_free(e->key);
    om_free(e->scratch);
    om_free(e->row);
    om_free(e->row_scratch);
    om_free(e->unit);
    om_free(e->side);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = a * UINT64_C(0x9E3779B97F4A7C15) ^ b;
    h = (h ^ h >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return h ^ h >> 32;
}

/* The corners of a ring, or its sides. */
static void add_ring(const struct om_pos *vertex, size_t n, uint32_t unit,
                     struct ends *e)
{
    uint64_t last = n ? om_morton(vertex[n - 1]) : 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t here = om_morton(vertex[i]);
        const size_t at = e->count++;
        e->row[at] = (uint32_t)at;
        e->unit[at] = unit;
        e->key[at] = here;
        if (e->side) {
            const uint64_t low = here < last ? here : last;
            const uint64_t high = here < last ? last : here;
            e->side[2 * at] = low;
            e->side[2 * at + 1] = high;
            e->key[at] = mix(low, high);
        }
        last = here;
    }
}

static bool same(const struct ends *e, size_t a, size_t b)
{
    return !e->side || (e->side[2 * a] == e->side[2 * b] &&
                        e->side[2 * a + 1] == e->side[2 * b + 1]);
}

/* Everybody in a run of equal keys is everybody's neighbour. */
static om_status add_run(const struct ends *e, size_t first, size_t end,
                         struct pairs *pairs)
{
    for (size_t i = first; i < end; i++)
        for (size_t j = i + 1; j < end; j++) {
            const uint32_t a = e->row[i], b = e->row[j];
            if (e->unit[a] == e->unit[b] || !same(e, a, b)) continue;
            OM_TRY(add_pair(pairs, e->unit[a], e->unit[b]));
            OM_TRY(add_pair(pairs, e->unit[b], e->unit[a]));
        }
    return OM_OK;
}

static size_t count_vertices(const struct om_units *units)
{
    const struct om_rings *r = &units->rings;
    size_t n = 0;
    for (size_t i = 0; i < units->count; i++) {
        const size_t row = units->unit[i].row;
        n += r->ring_vertex[r->part_ring[r->shape_part[row + 1]]] -
             r->ring_vertex[r->part_ring[r->shape_part[row]]];
    }
    return n;
}

static void add_units(const struct om_units *units, struct ends *e)
{
    const struct om_rings *r = &units->rings;
    for (size_t i = 0; i < units->count; i++) {
        const size_t row = units->unit[i].row;
        const uint32_t end = r->part_ring[r->shape_part[row + 1]];
        for (uint32_t ring = r->part_ring[r->shape_part[row]]; ring < end;
             ring++)
            add_ring(r->vertex + r->ring_vertex[ring],
                     r->ring_vertex[ring + 1] - r->ring_vertex[ring],
                     (uint32_t)i, e);
    }
}

om_status om_graph_touching(const struct om_units *units, enum om_touch touch,
                            struct om_graph *out)
{
    struct ends ends = {0};
    struct pairs pairs = {0};
    *out = (struct om_graph){0};
    om_status st =
        make_ends(count_vertices(units), touch == OM_TOUCH_SIDE, &ends);
    if (st) goto done;
    add_units(units, &ends);
    st = om_sort_keys(ends.key, ends.row, ends.scratch, ends.row_scratch,
                      ends.count);
    for (size_t first = 0, end; first < ends.count && !st; first = end) {
        end = first + 1;
        while (end < ends.count && ends.key[end] == ends.key[first]) end++;
        if (end - first > 1) st = add_run(&ends, first, end, &pairs);
    }
    if (!st)
        st = om__graph_from_pairs(units->count, pairs.pair, pairs.count, out);
done:
    free_ends(&ends);
    om_free(pairs.pair);
    return st;
}

om_status om_graph_subset(const struct om_graph *graph, const bool *keep,
                          struct om_graph *out)
{
    struct om_graph g = {0};
    *out = g;
    uint32_t *number = om_alloc_array(graph->count + 1, sizeof *number);
    if (!number) return OM_E_MEMORY;
    for (size_t i = 0; i < graph->count; i++) {
        number[i] = (uint32_t)g.count;
        g.count += keep[i];
    }
    const size_t links = graph->count ? graph->first[graph->count] : 0;
    g.first = om_calloc(g.count + 1, sizeof *g.first);
    g.to = om_alloc_array(links + 1, sizeof *g.to);
    if (!g.first || !g.to) {
        om_free(number);
        om_graph_deinit(&g);
        return OM_E_MEMORY;
    }
    size_t at = 0;
    for (size_t i = 0; i < graph->count; i++) {
        if (!keep[i]) continue;
        for (size_t k = graph->first[i]; k < graph->first[i + 1]; k++)
            if (keep[graph->to[k]]) g.to[at++] = number[graph->to[k]];
        g.first[number[i] + 1] = at;
    }
    om_free(number);
    *out = g;
    return OM_OK;
}
