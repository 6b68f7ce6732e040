// roads_graph.c - pieces of line into nodes, edges, arcs; the net's figures.
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"
#include "engine/query/ground.h"
#include "engine/reach/roads_internal.h"

#define GRAIN 4096

/* Arrays while the graph is made; sorted: numbers of the ends of pieces (2 i
 * and 2 i + 1) by Morton code. */
struct making {
    size_t pieces, nodes;
    uint64_t *key, *scratch_key;
    uint32_t *slot, *scratch_slot;
    uint32_t *end;   // [2 * pieces] node of each end
    uint32_t *tree;  // [nodes] union-find
    double *km;      // [nodes] of the piece a root stands for
};

static void making_deinit(struct making *m)
{
    om_free(m->key);
    om_free(m->scratch_key);
    om_free(m->slot);
    om_free(m->scratch_slot);
    om_free(m->end);
    om_free(m->tree);
    om_free(m->km);
}

static om_status making_init(struct making *m, size_t pieces)
{
    const size_t n = 2 * pieces + 1;
    if (n > UINT32_MAX) return OM_E_LIMIT;
    m->pieces = pieces;
    m->key = om_alloc_array(n, sizeof *m->key);
    m->scratch_key = om_alloc_array(n, sizeof *m->scratch_key);
    m->slot = om_alloc_array(n, sizeof *m->slot);
    m->scratch_slot = om_alloc_array(n, sizeof *m->scratch_slot);
    m->end = om_alloc_array(n, sizeof *m->end);
    return m->key && m->scratch_key && m->slot && m->scratch_slot && m->end
               ? OM_OK
               : OM_E_MEMORY;
}

/* Number the places where pieces end, in Morton order. */
static om_status number_nodes(struct making *m, const struct om__noded *noded,
                              struct om_roads *roads)
{
    for (size_t i = 0; i < m->pieces; i++) {
        m->key[2 * i] = om_morton(noded->piece[i].a);
        m->key[2 * i + 1] = om_morton(noded->piece[i].b);
        m->slot[2 * i] = (uint32_t)(2 * i);
        m->slot[2 * i + 1] = (uint32_t)(2 * i + 1);
    }
    OM_TRY(om_sort_keys(m->key, m->slot, m->scratch_key, m->scratch_slot,
                        2 * m->pieces));
    size_t nodes = 0;
    for (size_t i = 0; i < 2 * m->pieces; i++) {
        if (i && m->key[i] == m->key[i - 1]) {
            m->end[m->slot[i]] = (uint32_t)nodes - 1;
            continue;
        }
        m->scratch_key[nodes] = m->key[i];
        m->end[m->slot[i]] = (uint32_t)nodes++;
    }
    m->nodes = nodes;
    roads->node = om_alloc_array(nodes + 1, sizeof *roads->node);
    m->tree = om_alloc_array(nodes + 1, sizeof *m->tree);
    m->km = om_calloc(nodes + 1, sizeof *m->km);
    if (!roads->node || !m->tree || !m->km) return OM_E_MEMORY;
    for (size_t i = 0; i < nodes; i++)
        roads->node[i] = om_morton_pos(m->scratch_key[i]);
    return OM_OK;
}

/* Edges by their nodes, each once. */
static om_status number_edges(struct making *m, struct om_roads *roads)
{
    for (size_t i = 0; i < m->pieces; i++) {
        const uint32_t a = m->end[2 * i], b = m->end[2 * i + 1];
        m->key[i] = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
        m->slot[i] = (uint32_t)i;
    }
    OM_TRY(om_sort_keys(m->key, m->slot, m->scratch_key, m->scratch_slot,
                        m->pieces));
    roads->edge = om_alloc_array(m->pieces + 1, sizeof *roads->edge);
    if (!roads->edge) return OM_E_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < m->pieces; i++)
        if (!i || m->key[i] != m->key[i - 1])
            roads->edge[n++] = (struct om_edge){(uint32_t)(m->key[i] >> 32),
                                                (uint32_t)m->key[i], 0};
    roads->edges = n;
    return OM_OK;
}

static om_status measure_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct om_roads *roads = ctx;
    for (size_t i = first; i < end; i++) {
        struct om_edge *e = &roads->edge[i];
        const double m = om_ground_m(roads->node[e->from], roads->node[e->to]);
        e->ticks = (uint64_t)llround(m * OM_TICKS_PER_M);
    }
    return OM_OK;
}

static uint32_t root_of(struct making *m, uint32_t node)
{
    while (m->tree[node] != node) {
        m->tree[node] = m->tree[m->tree[node]];
        node = m->tree[node];
    }
    return node;
}

static void find_pieces(struct making *m, const struct om_roads *roads)
{
    for (size_t i = 0; i < m->nodes; i++) m->tree[i] = (uint32_t)i;
    for (size_t i = 0; i < roads->edges; i++) {
        const uint32_t a = root_of(m, roads->edge[i].from);
        const uint32_t b = root_of(m, roads->edge[i].to);
        if (a < b)
            m->tree[b] = a;
        else
            m->tree[a] = b;
    }
    for (size_t i = 0; i < roads->edges; i++)
        m->km[root_of(m, roads->edge[i].from)] +=
            (double)roads->edge[i].ticks / OM_TICKS_PER_M / 1000;
}

/* Drop pieces that are too short, their edges and nodes, and say what was
 * kept. Roots have the lowest number of their piece. */
static void keep_pieces(struct making *m, double least_m,
                        struct om_roads *roads)
{
    struct om_road_figures *f = &roads->figures;
    uint32_t *number = m->slot;
    size_t nodes = 0, edges = 0;
    for (size_t i = 0; i < m->nodes; i++) {
        const uint32_t root = root_of(m, (uint32_t)i);
        const bool keep = m->km[root] * 1000 >= least_m;
        if (root == i) {
            f->pieces += keep;
            f->left_out += !keep;
            *(keep ? &f->km : &f->left_out_km) += m->km[i];
            if (keep && m->km[i] > f->largest_km) f->largest_km = m->km[i];
        }
        number[i] = keep ? (uint32_t)nodes : UINT32_MAX;
        if (keep) roads->node[nodes++] = roads->node[i];
    }
    for (size_t i = 0; i < roads->edges; i++) {
        struct om_edge e = roads->edge[i];
        if (number[e.from] == UINT32_MAX) continue;
        e.from = number[e.from];
        e.to = number[e.to];
        roads->edge[edges++] = e;
    }
    roads->nodes = f->nodes = nodes;
    roads->edges = f->edges = edges;
}

static om_status make_arcs(struct om_roads *roads)
{
    const size_t n = roads->nodes;
    roads->arc_start = om_calloc(n + 2, sizeof *roads->arc_start);
    roads->arc = om_alloc_array(2 * roads->edges + 1, sizeof *roads->arc);
    roads->line = om_alloc_array(roads->edges + 1, sizeof *roads->line);
    if (!roads->arc_start || !roads->arc || !roads->line) return OM_E_MEMORY;
    // Counted one further on, so that filling leaves the starts behind.
    uint32_t *start = roads->arc_start;
    for (size_t i = 0; i < roads->edges; i++) {
        start[roads->edge[i].from + 2]++;
        start[roads->edge[i].to + 2]++;
    }
    for (size_t i = 2; i < n + 2; i++) start[i] += start[i - 1];
    for (size_t i = 0; i < roads->edges; i++) {
        const struct om_edge e = roads->edge[i];
        roads->arc[start[e.from + 1]++] = (struct om__arc){e.to, (uint32_t)i};
        roads->arc[start[e.to + 1]++] = (struct om__arc){e.from, (uint32_t)i};
        roads->line[i] =
            (struct om__stretch){roads->node[e.from], roads->node[e.to]};
    }
    return OM_OK;
}

om_status om__graph_make(const struct om__noded *noded, double least_m,
                         struct om_roads *roads)
{
    struct making m = {0};
    om_status st = making_init(&m, noded->count);
    if (!st) st = number_nodes(&m, noded, roads);
    if (!st) st = number_edges(&m, roads);
    if (!st) st = om_parallel(roads->edges, GRAIN, measure_range, roads);
    if (!st) {
        find_pieces(&m, roads);
        keep_pieces(&m, least_m, roads);
        st = make_arcs(roads);
    }
    making_deinit(&m);
    return st;
}
