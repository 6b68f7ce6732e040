// partition.c - cells that lie in one unit, and cells that edges divide.
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"
#include "engine/shape/descent.h"
#include "engine/shape/exact.h"
#include "engine/shape/shape.h"

/* DESIGN
 * The quadtree over all units is kept as its leaves alone, sorted by their
 * first Morton code. A leaf without edges carries its unit. A leaf that edges
 * divide carries those edges, the up to 64 units they bound or that hold its
 * first position, and one bit for each unit that does. A position asks: which
 * edges lie between me and the first position? Each flips the bits of the
 * units it bounds, and the lowest bit left is the answer. All signs are exact
 * (exact.h), so this *is* point in polygon, for a handful of edges.
 *
 * How fine? Leaves are halved until an edge is cut into about CUTS pieces:
 * boundary leaves then hold few rows, and there are only a few times as many
 * of them as edges. Where edges crowd, leaves are halved further, but not for
 * ever: the number of edges they may have doubles with every level. */

#define CUTS 4
#define FEW_EDGES 6
/* A unit is a bit of a word. */
#define MAX_LOCAL_UNITS 64
/* Rows that one thread joins at a time. */
#define JOIN_GRAIN ((size_t)1 << 18)
/* Leaves to a slot of the table that says where to look for a code; slots. */
#define SLOT_LEAVES 4
#define SLOTS_MOST ((size_t)1 << 20)
/* Leaves that are looked at before the table is. */
#define NEAR_LEAVES 16

struct local_edge {
    struct om_pos a, b;
    uint64_t flips;  // units it bounds
};

struct boundary {
    uint64_t in;  // units that hold `at`
    struct om_pos at;
    uint32_t edge_first, edge_end, unit_first;
};

struct om_partition {
    uint64_t *first;  // [leaves] first code
    uint32_t *what;   // [leaves] unit, OM_NO_UNIT, or units + boundary
    struct boundary *boundary;
    struct local_edge *edge;
    uint32_t *unit;  // of the boundaries, ascending in each
    size_t leaves, boundaries, edges, local_units;
    size_t leaf_room, what_room, boundary_room, edge_room, unit_room;
    uint32_t units;  // shapes
    // Where to look for a code: slot i is about codes from base + (i << shift)
    // on, and has the leaf that holds this one. Without a table, no slots.
    uint64_t base;
    unsigned shift;
    size_t slots;
    uint32_t *slot;  // [slots + 1]
};

struct building {
    struct om_partition *partition;
    struct om__edges edges;
    unsigned usual_level;
    uint32_t found[MAX_LOCAL_UNITS];  // units of the cell at hand, ascending
    size_t found_count;
};

static om_status grow(void *array, size_t each, size_t count, size_t *room)
{
    if (count < *room) return OM_OK;
    const size_t wanted = *room ? *room * 2 : 256;
    void **block = array;
    void *grown = om_realloc(*block, wanted * each);
    if (!grown) return OM_E_MEMORY;
    *block = grown;
    *room = wanted;
    return OM_OK;
}

/* Put a unit into the sorted list; false if it is full. */
static bool find_place(struct building *b, uint32_t unit)
{
    size_t at = b->found_count;
    while (at > 0 && b->found[at - 1] > unit) at--;
    if (at > 0 && b->found[at - 1] == unit) return true;
    if (b->found_count == MAX_LOCAL_UNITS) return false;
    memmove(b->found + at + 1, b->found + at,
            (b->found_count - at) * sizeof *b->found);
    b->found[at] = unit;
    b->found_count++;
    return true;
}

static bool find_units(struct building *b, const struct om__known *known)
{
    b->found_count = 0;
    for (size_t i = 0; i < known->ins; i++)
        if (!find_place(b, known->in[i])) return false;
    for (size_t i = 0; i < known->edges; i++) {
        const struct om__edge *e = &b->edges.edge[known->edge[i]];
        for (uint32_t u = e->unit_first; u < e->unit_end; u++)
            if (!find_place(b, b->edges.unit[u])) return false;
    }
    return true;
}

static bool enough(void *ctx, const struct om__known *known)
{
    struct building *b = ctx;
    if (known->cell.level < b->usual_level) return false;
    const unsigned deeper = known->cell.level - b->usual_level;
    if (known->edges > (size_t)FEW_EDGES << deeper) return false;
    return find_units(b, known);
}

static uint64_t bit_of(const struct building *b, uint32_t unit)
{
    size_t i = 0;
    while (b->found[i] != unit) i++;
    return UINT64_C(1) << i;
}

static om_status add_boundary(struct building *b, const struct om__known *known)
{
    struct om_partition *p = b->partition;
    struct boundary leaf = {.at = om_morton_pos(known->cell.code),
                            .edge_first = (uint32_t)p->edges,
                            .unit_first = (uint32_t)p->local_units};
    OM_TRY(grow(&p->boundary, sizeof *p->boundary, p->boundaries,
                &p->boundary_room));
    for (size_t i = 0; i < known->ins; i++) leaf.in |= bit_of(b, known->in[i]);
    for (size_t i = 0; i < known->edges; i++) {
        const struct om__edge *e = &b->edges.edge[known->edge[i]];
        struct local_edge local = {.a = e->a, .b = e->b};
        for (uint32_t u = e->unit_first; u < e->unit_end; u++)
            local.flips |= bit_of(b, b->edges.unit[u]);
        OM_TRY(grow(&p->edge, sizeof *p->edge, p->edges, &p->edge_room));
        p->edge[p->edges++] = local;
    }
    leaf.edge_end = (uint32_t)p->edges;
    for (size_t i = 0; i < b->found_count; i++) {
        OM_TRY(grow(&p->unit, sizeof *p->unit, p->local_units, &p->unit_room));
        p->unit[p->local_units++] = b->found[i];
    }
    if (p->edges >= UINT32_MAX || p->local_units >= UINT32_MAX ||
        p->boundaries >= UINT32_MAX - 1 - p->units)
        return OM_E_LIMIT;
    p->boundary[p->boundaries++] = leaf;
    return OM_OK;
}

static om_status add_leaf(struct om_partition *p, uint64_t first, uint32_t what)
{
    const bool whole = what < p->units || what == OM_NO_UNIT;
    if (whole && p->leaves > 0 && p->what[p->leaves - 1] == what) return OM_OK;
    OM_TRY(grow(&p->first, sizeof *p->first, p->leaves, &p->leaf_room));
    OM_TRY(grow(&p->what, sizeof *p->what, p->leaves, &p->what_room));
    p->first[p->leaves] = first;
    p->what[p->leaves++] = what;
    return OM_OK;
}

static om_status take_leaf(void *ctx, const struct om__known *known)
{
    struct building *b = ctx;
    struct om_partition *p = b->partition;
    if (known->edges == 0)
        return add_leaf(p, known->cell.code,
                        known->ins ? known->in[0] : OM_NO_UNIT);
    OM_TRY(add_boundary(b, known));
    return add_leaf(p, known->cell.code,
                    p->units + (uint32_t)p->boundaries - 1);
}

/* Level at which an edge of usual length is cut CUTS times. */
static unsigned usual_level(const struct om__edges *edges)
{
    double length = 0;
    for (size_t i = 0; i < edges->count; i++) {
        const struct om__edge *e = &edges->edge[i];
        length += hypot((double)e->b.x - e->a.x, (double)e->b.y - e->a.y);
    }
    const double side = length / (double)edges->count / CUTS;
    const int level = 32 - (int)floor(log2(side < 1 ? 1 : side));
    return (unsigned)(level < 0 ? 0 : level > 32 ? 32 : level);
}

static struct om_box box_of_all(const struct om_rings *rings)
{
    struct om_box all = OM_BOX_NONE;
    for (size_t i = 0; i < rings->count; i++)
        if (rings->box[i].x0 <= rings->box[i].x1)
            om_box_widen(&all, rings->box[i]);
    return all;
}

static om_status divide(struct building *b, const struct om_rings *rings)
{
    struct om_partition *p = b->partition;
    OM_TRY(add_leaf(p, 0, OM_NO_UNIT));  // before the first cell
    if (b->edges.count == 0) return OM_OK;
    const struct om__cell root = om__cell_around(box_of_all(rings));
    const struct om_pos corner = om_morton_pos(root.code);
    uint32_t *in = om_alloc_array(rings->count, sizeof *in);
    if (!in) return OM_E_MEMORY;
    size_t ins = 0;
    for (size_t i = 0; i < rings->count; i++)
        if (om_rings_contain(rings, i, corner)) in[ins++] = (uint32_t)i;
    if (root.code == 0) p->leaves = 0;
    const struct om__visitor visitor = {enough, take_leaf, b};
    om_status st =
        om__descend(&b->edges, rings->count, root, in, ins, &visitor);
    om_free(in);
    const uint64_t end = om__cell_end(root);
    if (!st && end != 0) st = add_leaf(p, end, OM_NO_UNIT);
    return st;
}

/* A few rows that lie far apart would else search all leaves, each. */
static om_status make_slots(struct om_partition *p)
{
    if (p->leaves < 3) return OM_OK;
    const uint64_t base = p->first[1], last = p->first[p->leaves - 1];
    size_t most = p->leaves / SLOT_LEAVES + 1;
    if (most > SLOTS_MOST) most = SLOTS_MOST;
    while ((last - base) >> p->shift >= most) p->shift++;
    p->base = base;
    p->slots = (size_t)((last - base) >> p->shift) + 1;
    p->slot = om_alloc_array(p->slots + 1, sizeof *p->slot);
    if (!p->slot) return OM_E_MEMORY;
    size_t leaf = 1;
    for (size_t i = 0; i < p->slots; i++) {
        const uint64_t code = base + ((uint64_t)i << p->shift);
        while (leaf + 1 < p->leaves && p->first[leaf + 1] <= code) leaf++;
        p->slot[i] = (uint32_t)leaf;
    }
    p->slot[p->slots] = (uint32_t)(p->leaves - 1);
    return OM_OK;
}

om_status om_partition_new(const struct om_rings *rings,
                           struct om_partition **out)
{
    *out = NULL;
    if (rings->count >= UINT32_MAX / 2) return OM_E_LIMIT;
    struct building *b = om_calloc(1, sizeof *b);
    om_status st = OM_E_MEMORY;
    if (!b) return st;
    b->partition = om_calloc(1, sizeof *b->partition);
    if (!b->partition) goto done;
    b->partition->units = (uint32_t)rings->count;
    st = om__edges_gather(rings, 0, rings->count, &b->edges);
    if (st) goto done;
    if (b->edges.count) b->usual_level = usual_level(&b->edges);
    st = divide(b, rings);
    if (!st) st = make_slots(b->partition);
    if (st) goto done;
    *out = b->partition;
    b->partition = NULL;
done:
    om_partition_free(b->partition);
    om__edges_deinit(&b->edges);
    om_free(b);
    return st;
}

void om_partition_free(struct om_partition *partition)
{
    if (!partition) return;
    om_free(partition->first);
    om_free(partition->what);
    om_free(partition->boundary);
    om_free(partition->edge);
    om_free(partition->unit);
    om_free(partition->slot);
    om_free(partition);
}

static uint32_t decide(const struct om_partition *p, uint32_t index,
                       struct om_pos pos)
{
    const struct boundary *leaf = &p->boundary[index];
    uint64_t in = leaf->in;
    for (uint32_t e = leaf->edge_first; e < leaf->edge_end; e++) {
        const struct local_edge *edge = &p->edge[e];
        if (om__parts(edge->a, edge->b, leaf->at, pos)) in ^= edge->flips;
    }
    if (in == 0) return OM_NO_UNIT;
    return p->unit[leaf->unit_first + (uint32_t)__builtin_ctzll(in)];
}

/* Leaf that holds the code; the first leaf begins at 0. */
static size_t leaf_of(const struct om_partition *p, uint64_t code)
{
    size_t low = 0, high = p->leaves;
    if (p->slots && code >= p->base) {
        const uint64_t i = (code - p->base) >> p->shift;
        low = p->slot[i < p->slots ? i : p->slots];
        if (i < p->slots) high = (size_t)p->slot[i + 1] + 1;
    }
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (p->first[middle] <= code)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint32_t om_partition_find(const struct om_partition *partition,
                           struct om_pos pos)
{
    const uint32_t what = partition->what[leaf_of(partition, om_morton(pos))];
    if (what < partition->units || what == OM_NO_UNIT) return what;
    return decide(partition, what - partition->units, pos);
}

/* First row from `from` on whose key is not below `code`: steps that double,
 * then a search between the last two. */
static size_t gallop(const uint64_t *key, size_t from, size_t end,
                     uint64_t code)
{
    size_t step = 1, low = from;
    while (low + step < end && key[low + step] < code) {
        low += step;
        step *= 2;
    }
    size_t high = low + step < end ? low + step : end;
    if (low < end && key[low] >= code) return low;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (key[middle] < code)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static void join_boundary(const struct om_partition *p, uint32_t index,
                          const uint64_t *key, size_t n, uint32_t *unit)
{
    for (size_t i = 0; i < n; i++)
        // Addresses of one building share a position.
        unit[i] = i > 0 && key[i] == key[i - 1]
                      ? unit[i - 1]
                      : decide(p, index, om_morton_pos(key[i]));
}

/* The leaf from `from` on that holds the code. Rows that are far apart leap
 * over the leaves that hold none. */
static size_t next_leaf(const struct om_partition *p, size_t from,
                        uint64_t code)
{
    if (from + NEAR_LEAVES < p->leaves && p->first[from + NEAR_LEAVES] <= code)
        return leaf_of(p, code);
    const size_t leaf = gallop(p->first, from, p->leaves, code);
    return leaf == p->leaves || p->first[leaf] > code ? leaf - 1 : leaf;
}

struct joining {
    const struct om_partition *partition;
    const uint64_t *key;
    uint32_t *unit;
};

static om_status join_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct joining *join = ctx;
    const struct om_partition *p = join->partition;
    const uint64_t *key = join->key;
    size_t leaf = leaf_of(p, key[first]);
    for (size_t row = first; row < end;) {
        if (leaf + 1 < p->leaves && key[row] >= p->first[leaf + 1])
            leaf = next_leaf(p, leaf + 1, key[row]);
        const size_t stop = leaf + 1 < p->leaves
                                ? gallop(key, row, end, p->first[leaf + 1])
                                : end;
        const uint32_t what = p->what[leaf];
        if (what < p->units || what == OM_NO_UNIT)
            for (size_t i = row; i < stop; i++) join->unit[i] = what;
        else
            join_boundary(p, what - p->units, key + row, stop - row,
                          join->unit + row);
        row = stop;
    }
    return OM_OK;
}

om_status om_partition_join(const struct om_partition *partition,
                            const uint64_t *key, size_t n, uint32_t *unit)
{
    struct joining join = {partition, key, unit};
    return om_parallel(n, JOIN_GRAIN, join_range, &join);
}
