/* merge.c - stage by stage: cells within units, units within larger ones.
 *
 * DESIGN
 * Two forests over the cells. `region` joins what is one region for good. A
 * stage works on nodes, which in the first are the regions and later whole
 * units of the level below, each with the regions in it; only when two nodes
 * merge do the regions of both become one. So a village that is large enough
 * keeps its grids unless another needs it.
 *
 * A node whose cells lie in several units of the stage's level (they were kept
 * together) has no unit and waits for a later stage; the last has one unit for
 * all. Numbers of nodes are those of their first cells, so nothing depends on
 * the order of merging but by the rules that are written down.
 */
#include "engine/stat/merge.h"

#include <math.h>
#include <string.h>

#include "data/base/alloc.h"

#define NONE UINT32_MAX

/* Of the cells whose root it is: sums, and which unit they are in. */
struct node {
    uint32_t unit;     // of the stage; NONE: several
    uint32_t regions;  // in it
    uint32_t cells;
    double x, y;  // sums of places
};

struct merging {
    const struct om_merge *m;
    uint32_t *region;   // forest of regions: parent of each cell
    uint32_t *node_of;  // forest of the stage's nodes
    uint32_t *next;     // cells of a node: a ring
    bool *grew;         // [cells] by root: the node is to be one region
    bool *poor;         // [cells] by root: the region lacks something
    struct node *node;  // [cells] by root
    uint64_t *sum;      // [cells * demands] by root
};

static uint32_t root(uint32_t *forest, uint32_t i)
{
    while (forest[i] != i) i = forest[i] = forest[forest[i]];
    return i;
}

/* The smaller number stays. */
static void join(uint32_t *forest, uint32_t a, uint32_t b)
{
    a = root(forest, a);
    b = root(forest, b);
    if (a < b) forest[b] = a;
    if (b < a) forest[a] = b;
}

static uint64_t lack(const struct merging *g, uint32_t node)
{
    uint64_t sum = 0;
    for (size_t d = 0; d < g->m->demands; d++) {
        const uint64_t has = g->sum[node * g->m->demands + d];
        if (has < g->m->least[d]) sum += g->m->least[d] - has;
    }
    return sum;
}

/* ---- nodes ---- */

static void join_first(uint32_t *forest, uint32_t *first, const uint32_t *of,
                       size_t cells)
{
    for (size_t i = 0; i < cells; i++) first[i] = NONE;
    for (uint32_t i = 0; i < cells; i++) {
        if (of[i] >= cells) continue;
        if (first[of[i]] == NONE)
            first[of[i]] = i;
        else
            join(forest, first[of[i]], i);
    }
}

/* The unit of a cell in a stage; the last one has one for all. */
static uint32_t unit_of(const struct om_merge *m, size_t stage, uint32_t cell)
{
    if (stage == m->levels) return 0;
    return m->parent[stage][cell];
}

/* Nodes are regions, or with `whole` all regions of a unit of the level below
 * the stage's. */
static void begin_nodes(struct merging *g, size_t stage, bool whole)
{
    const struct om_merge *m = g->m;
    const uint32_t n = (uint32_t)m->cells;
    memcpy(g->node_of, g->region, n * sizeof *g->node_of);
    // `next` is free until the nodes are known.
    if (whole) join_first(g->node_of, g->next, m->parent[stage - 1], n);
    memset(g->sum, 0, m->demands * n * sizeof *g->sum);
    for (uint32_t i = 0; i < n; i++) {
        g->node[i] = (struct node){.unit = unit_of(m, stage, i)};
        g->next[i] = i;
        g->grew[i] = false;
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t to = root(g->node_of, i);
        struct node *node = &g->node[to];
        if (unit_of(m, stage, i) != node->unit) node->unit = NONE;
        node->regions += root(g->region, i) == i;
        node->cells++;
        node->x += m->x[i];
        node->y += m->y[i];
        for (size_t d = 0; d < m->demands; d++)
            g->sum[to * m->demands + d] += m->count[d * n + i];
        if (to == i) continue;
        const uint32_t after = g->next[to];
        g->next[to] = i;
        g->next[i] = after;
    }
}

static void merge_nodes(struct merging *g, uint32_t a, uint32_t b)
{
    const uint32_t keep = a < b ? a : b, gone = a < b ? b : a;
    struct node *to = &g->node[keep];
    const struct node *from = &g->node[gone];
    join(g->node_of, a, b);
    to->regions = 1;  // they become one
    to->cells += from->cells;
    to->x += from->x;
    to->y += from->y;
    for (size_t d = 0; d < g->m->demands; d++)
        g->sum[keep * g->m->demands + d] += g->sum[gone * g->m->demands + d];
    const uint32_t after = g->next[keep];
    g->next[keep] = g->next[gone];
    g->next[gone] = after;
    g->grew[keep] = true;
}

/* ---- choosing ---- */

/* The node of a unit that lacks most, NONE if none lacks anything. */
static uint32_t worst_of(struct merging *g, uint32_t unit)
{
    uint32_t worst = NONE;
    uint64_t most = 0;
    for (uint32_t i = 0; i < g->m->cells; i++) {
        if (g->node_of[i] != i || g->node[i].unit != unit) continue;
        const uint64_t lacks = lack(g, i);
        if (lacks > most) {
            most = lacks;
            worst = i;
        }
    }
    return worst;
}

struct choice {
    uint32_t node;
    bool lacks;
    uint32_t regions;
    double far;
};

static void consider(const struct merging *g, uint32_t from, uint32_t to,
                     struct choice *best)
{
    const struct node *a = &g->node[from], *b = &g->node[to];
    const double dx = a->x / a->cells - b->x / b->cells;
    const double dy = a->y / a->cells - b->y / b->cells;
    const struct choice one = {to, lack(g, to) > 0, b->regions,
                               dx * dx + dy * dy};
    bool better = best->node == NONE;
    if (!better && one.lacks != best->lacks)
        better = one.lacks;
    else if (!better && one.regions != best->regions)
        better = one.regions < best->regions;
    else if (!better && one.far != best->far)
        better = one.far < best->far;
    else if (!better)
        better = to < best->node;
    if (better) *best = one;
}

/* Whom a node merges with: one it touches, else any of its unit. */
static uint32_t partner_of(struct merging *g, uint32_t from)
{
    const struct om_graph *graph = g->m->touching;
    struct choice best = {.node = NONE};
    uint32_t cell = from;
    do {
        for (size_t k = graph->first[cell]; k < graph->first[cell + 1]; k++) {
            const uint32_t to = root(g->node_of, graph->to[k]);
            if (to != from && g->node[to].unit == g->node[from].unit)
                consider(g, from, to, &best);
        }
        cell = g->next[cell];
    } while (cell != from);
    if (best.node != NONE) return best.node;
    for (uint32_t i = 0; i < g->m->cells; i++)
        if (g->node_of[i] == i && i != from &&
            g->node[i].unit == g->node[from].unit)
            consider(g, from, i, &best);
    return best.node;
}

/* ---- stages ---- */

static void run_unit(struct merging *g, uint32_t unit)
{
    for (;;) {
        const uint32_t worst = worst_of(g, unit);
        const uint32_t with = worst == NONE ? NONE : partner_of(g, worst);
        if (with == NONE) return;
        merge_nodes(g, worst, with);
    }
}

static void run_stage(struct merging *g, size_t stage)
{
    const uint32_t n = (uint32_t)g->m->cells;
    begin_nodes(g, stage, false);
    for (uint32_t i = 0; i < n; i++)
        g->poor[i] = g->node_of[i] == i && lack(g, i);
    if (stage > 0) begin_nodes(g, stage, true);
    // A region across units, which no stage before could help, takes what is
    // around it.
    for (uint32_t i = 0; i < n && stage > 0; i++)
        if (g->poor[i] && g->node[root(g->node_of, i)].regions > 1)
            g->grew[root(g->node_of, i)] = true;
    for (uint32_t i = 0; i < n; i++)
        // Whoever lacks something sees to its unit; then none of it does, or
        // the unit is one node.
        if (g->node_of[i] == i && g->node[i].unit != NONE && lack(g, i))
            run_unit(g, g->node[i].unit);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t node = root(g->node_of, i);
        if (g->grew[node]) join(g->region, node, i);
    }
}

static void number(struct merging *g, uint32_t *region, size_t *regions)
{
    *regions = 0;
    for (uint32_t i = 0; i < g->m->cells; i++) {
        const uint32_t first = root(g->region, i);
        region[i] = first == i ? (uint32_t)(*regions)++ : region[first];
    }
}

/* Is all of it enough? */
static bool is_enough(const struct om_merge *m)
{
    for (size_t d = 0; d < m->demands; d++) {
        uint64_t sum = 0;
        for (size_t i = 0; i < m->cells; i++) sum += m->count[d * m->cells + i];
        if (sum < m->least[d]) return false;
    }
    return m->cells > 0;
}

om_status om_merge_regions(const struct om_merge *merge, uint32_t *region,
                           size_t *regions)
{
    const size_t n = merge->cells;
    struct merging g = {.m = merge};
    om_status st = OM_E_MEMORY;
    *regions = 0;
    if (!is_enough(merge)) return OM_E_RANGE;
    g.region = om_alloc_array(n, sizeof *g.region);
    g.node_of = om_alloc_array(n, sizeof *g.node_of);
    g.next = om_alloc_array(n, sizeof *g.next);
    g.grew = om_alloc_array(n, sizeof *g.grew);
    g.poor = om_alloc_array(n, sizeof *g.poor);
    g.node = om_alloc_array(n, sizeof *g.node);
    g.sum = om_alloc_array(n * merge->demands + 1, sizeof *g.sum);
    if (!g.region || !g.node_of || !g.next || !g.grew || !g.poor || !g.node ||
        !g.sum)
        goto done;
    for (uint32_t i = 0; i < n; i++) g.region[i] = i;
    if (merge->together) join_first(g.region, g.next, merge->together, n);
    for (size_t stage = 0; stage <= merge->levels; stage++)
        run_stage(&g, stage);
    number(&g, region, regions);
    st = OM_OK;
done:
    om_free(g.region);
    om_free(g.node_of);
    om_free(g.next);
    om_free(g.grew);
    om_free(g.poor);
    om_free(g.node);
    om_free(g.sum);
    return st;
}
