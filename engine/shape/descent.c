// descent.c - cells with the edges that meet them and the units at a corner.
#include "engine/shape/descent.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/shape/exact.h"

/* DESIGN
 * The units that hold a cell's first position follow from those of the cell
 * above: walk from corner to corner and change sides at every edge between
 * (om__parts). The walk stays inside the upper cell, so only its edges count.
 * At level 32 a cell is one position and its corner is the whole answer, so
 * the descent always ends. */

/* --- edges ------------------------------------------------------------- */

struct owned {
    struct om_pos a, b;  // a before b
    uint32_t unit;
};

static uint64_t order_of(struct om_pos p)
{
    return (uint64_t)p.y << 32 | p.x;
}

static int by_edge(const void *one, const void *two)
{
    const struct owned *p = one, *q = two;
    const uint64_t pa = order_of(p->a), qa = order_of(q->a);
    if (pa != qa) return pa < qa ? -1 : 1;
    const uint64_t pb = order_of(p->b), qb = order_of(q->b);
    if (pb != qb) return pb < qb ? -1 : 1;
    return (p->unit > q->unit) - (p->unit < q->unit);
}

static size_t list_edges(const struct om_rings *rings, size_t first, size_t end,
                         struct owned *out)
{
    size_t made = 0;
    for (size_t s = first; s < end; s++) {
        const uint32_t stop = rings->part_ring[rings->shape_part[s + 1]];
        for (uint32_t r = rings->part_ring[rings->shape_part[s]]; r < stop;
             r++) {
            const uint32_t from = rings->ring_vertex[r];
            const uint32_t last = rings->ring_vertex[r + 1];
            for (uint32_t i = from; i < last; i++) {
                const struct om_pos a = rings->vertex[i];
                const struct om_pos b =
                    rings->vertex[i + 1 < last ? i + 1 : from];
                const bool turned = order_of(a) > order_of(b);
                out[made++] = (struct owned){turned ? b : a, turned ? a : b,
                                             (uint32_t)(s - first)};
            }
        }
    }
    return made;
}

static bool same_edge(const struct owned *p, const struct owned *q)
{
    return order_of(p->a) == order_of(q->a) && order_of(p->b) == order_of(q->b);
}

static void group_edges(const struct owned *list, size_t n,
                        struct om__edges *out)
{
    uint32_t units = 0;
    for (size_t i = 0; i < n;) {
        struct om__edge edge = {list[i].a, list[i].b, units, units};
        size_t j = i;
        while (j < n && same_edge(&list[j], &list[i])) {
            size_t k = j;
            while (k < n && same_edge(&list[k], &list[i]) &&
                   list[k].unit == list[j].unit)
                k++;
            if ((k - j) % 2) out->unit[units++] = list[j].unit;
            j = k;
        }
        edge.unit_end = units;
        if (units > edge.unit_first) out->edge[out->count++] = edge;
        i = j;
    }
}

om_status om__edges_gather(const struct om_rings *rings, size_t first,
                           size_t end, struct om__edges *out)
{
    const size_t total =
        rings->ring_vertex[rings->part_ring[rings->shape_part[end]]] -
        rings->ring_vertex[rings->part_ring[rings->shape_part[first]]];
    *out = (struct om__edges){0};
    struct owned *list = om_alloc_array(total, sizeof *list);
    out->edge = om_alloc_array(total, sizeof *out->edge);
    out->unit = om_alloc_array(total, sizeof *out->unit);
    if (!list || !out->edge || !out->unit) {
        om_free(list);
        om__edges_deinit(out);
        return OM_E_MEMORY;
    }
    const size_t n = list_edges(rings, first, end, list);
    if (n > 1) qsort(list, n, sizeof *list, by_edge);
    group_edges(list, n, out);
    om_free(list);
    return OM_OK;
}

void om__edges_deinit(struct om__edges *edges)
{
    om_free(edges->edge);
    om_free(edges->unit);
    *edges = (struct om__edges){0};
}

/* --- cells ------------------------------------------------------------- */

struct om__cell om__cell_around(struct om_box box)
{
    const uint64_t low = om_morton((struct om_pos){box.x0, box.y0});
    const uint64_t high = om_morton((struct om_pos){box.x1, box.y1});
    const uint64_t differ = low ^ high;
    if (differ == 0) return (struct om__cell){low, 32};
    const unsigned level = (unsigned)__builtin_clzll(differ) / 2;
    if (level == 0) return (struct om__cell){0, 0};
    return (struct om__cell){low >> (64 - 2 * level) << (64 - 2 * level),
                             level};
}

/* Growing stack of numbers; lists of the cells above lie below in it. */
struct stack {
    uint32_t *item;
    size_t count, room;
};

struct descent {
    const struct om__edges *edges;
    const struct om__visitor *visitor;
    struct stack edge, in;
    uint8_t *odd;  // [units] scratch, all zero between uses
};

static om_status push(struct stack *stack, uint32_t item)
{
    if (stack->count == stack->room) {
        const size_t room = stack->room ? stack->room * 2 : 256;
        void *grown = om_realloc(stack->item, room * sizeof *stack->item);
        if (!grown) return OM_E_MEMORY;
        stack->item = grown;
        stack->room = room;
    }
    stack->item[stack->count++] = item;
    return OM_OK;
}

/* Offsets, since the stacks may move while they grow. */
struct level {
    struct om__cell cell;
    size_t edge_at, edges, in_at, ins;
};

static struct om__known known_of(const struct descent *d,
                                 const struct level *level)
{
    return (struct om__known){level->cell, d->edge.item + level->edge_at,
                              level->edges, d->in.item + level->in_at,
                              level->ins};
}

static void sort_few(uint32_t *item, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const uint32_t moved = item[i];
        size_t j = i;
        for (; j > 0 && item[j - 1] > moved; j--) item[j] = item[j - 1];
        item[j] = moved;
    }
}

/* Push the units that hold `to`, knowing those that hold `from`. */
static om_status walk(struct descent *d, const struct level *level,
                      struct om_pos from, struct om_pos to, size_t *ins)
{
    const size_t at = d->in.count;
    for (size_t i = 0; i < level->ins; i++)
        OM_TRY(push(&d->in, d->in.item[level->in_at + i]));
    for (size_t i = 0; i < level->ins; i++) d->odd[d->in.item[at + i]] = 1;
    om_status st = OM_OK;
    for (size_t i = 0; i < level->edges && !st; i++) {
        const struct om__edge *e =
            &d->edges->edge[d->edge.item[level->edge_at + i]];
        if (!om__parts(e->a, e->b, from, to)) continue;
        for (uint32_t u = e->unit_first; u < e->unit_end && !st; u++) {
            d->odd[d->edges->unit[u]] ^= 1;
            st = push(&d->in, d->edges->unit[u]);
        }
    }
    size_t kept = at;
    for (size_t i = at; i < d->in.count; i++) {
        const uint32_t unit = d->in.item[i];
        if (d->odd[unit]) d->in.item[kept++] = unit;
        d->odd[unit] = 0;  // a unit may be listed twice, but is kept once
    }
    d->in.count = kept;
    *ins = kept - at;
    sort_few(d->in.item + at, *ins);
    return st;
}

static om_status visit(struct descent *d, const struct level *level);

static om_status visit_child(struct descent *d, const struct level *level,
                             unsigned quarter)
{
    struct level child = {
        .cell = {.level = level->cell.level + 1},
        .edge_at = d->edge.count,
        .in_at = d->in.count,
    };
    child.cell.code = level->cell.code | (uint64_t)quarter
                                             << (64 - 2 * child.cell.level);
    const struct om_box box = om__cell_box(child.cell);
    for (size_t i = 0; i < level->edges; i++) {
        const uint32_t e = d->edge.item[level->edge_at + i];
        const struct om__edge *edge = &d->edges->edge[e];
        if (om__edge_meets_box(edge->a, edge->b, box))
            OM_TRY(push(&d->edge, e));
    }
    child.edges = d->edge.count - child.edge_at;
    OM_TRY(walk(d, level, om_morton_pos(level->cell.code),
                om_morton_pos(child.cell.code), &child.ins));
    OM_TRY(visit(d, &child));
    d->edge.count = child.edge_at;
    d->in.count = child.in_at;
    return OM_OK;
}

static om_status visit(struct descent *d, const struct level *level)
{
    struct om__known known = known_of(d, level);
    if (level->cell.level == 32) known.edges = 0;  // one position: decided
    if (known.edges == 0 || d->visitor->enough(d->visitor->ctx, &known))
        return d->visitor->leaf(d->visitor->ctx, &known);
    for (unsigned quarter = 0; quarter < 4; quarter++)
        OM_TRY(visit_child(d, level, quarter));
    return OM_OK;
}

om_status om__descend(const struct om__edges *edges, size_t units,
                      struct om__cell root, const uint32_t *in, size_t ins,
                      const struct om__visitor *visitor)
{
    struct descent d = {.edges = edges, .visitor = visitor};
    struct level level = {.cell = root, .edges = edges->count, .ins = ins};
    om_status st = OM_E_MEMORY;
    d.odd = om_calloc(units, 1);
    if (!d.odd) goto done;
    st = OM_OK;
    for (size_t i = 0; i < edges->count && !st; i++)
        st = push(&d.edge, (uint32_t)i);
    for (size_t i = 0; i < ins && !st; i++) st = push(&d.in, in[i]);
    if (st) goto done;
    st = visit(&d, &level);
done:
    om_free(d.edge.item);
    om_free(d.in.item);
    om_free(d.odd);
    return st;
}
