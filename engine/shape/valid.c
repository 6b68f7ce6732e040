// valid.c - a strict, cheap check that most polygons of a city pass.
#include "engine/shape/valid.h"

#include <stdlib.h>

#include "data/base/alloc.h"
#include "engine/shape/exact.h"

/* DESIGN
 * A polygon whose rings do not touch at all, with holes inside and parts
 * outside each other, is valid whatever one's school. That is proved here by
 * a sweep over the edges sorted by their left end. Everything else (rings
 * that touch at a point may still be valid) is left to GEOS, so this check
 * never has to be subtle. */

/* Above this many rings the pairwise nesting test is left to GEOS. */
#define MAX_RINGS 48
/* Pairs of edges whose x ranges overlap, per edge, before we give up. */
#define MAX_PAIRS_PER_EDGE 64

struct om__span {
    struct om_pos a, b;
    uint32_t left, right;       // x range
    uint32_t ring, at, length;  // place of the edge in its ring
};

void om__checker_deinit(struct om__checker *checker)
{
    om_free(checker->span);
    *checker = (struct om__checker){0};
}

static struct om_pos pos_of(struct om__xy v)
{
    return (struct om_pos){(uint32_t)v.x, (uint32_t)v.y};
}

static int by_left(const void *one, const void *two)
{
    const struct om__span *a = one, *b = two;
    if (a->left != b->left) return a->left < b->left ? -1 : 1;
    if (a->ring != b->ring) return a->ring < b->ring ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

/* Insertion sort for the usual handful, which qsort is slow at. */
static void sort_spans(struct om__span *span, size_t n)
{
    if (n > 24) {
        qsort(span, n, sizeof *span, by_left);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const struct om__span moved = span[i];
        size_t j = i;
        for (; j > 0 && span[j - 1].left > moved.left; j--)
            span[j] = span[j - 1];
        span[j] = moved;
    }
}

static bool folds_back(struct om_pos a, struct om_pos b, struct om_pos c)
{
    if (om__turn(a, b, c) != 0) return false;
    const om__wide dot = (om__wide)((int64_t)a.x - b.x) * ((int64_t)c.x - b.x) +
                         (om__wide)((int64_t)a.y - b.y) * ((int64_t)c.y - b.y);
    return dot > 0;
}

/* Do the two edges share more than the vertex that neighbours have? */
static bool tangle(const struct om__span *p, const struct om__span *q)
{
    if (p->ring == q->ring) {
        if ((p->at + 1) % p->length == q->at)
            return folds_back(p->a, p->b, q->b);
        if ((q->at + 1) % q->length == p->at)
            return folds_back(q->a, q->b, p->b);
    }
    return om__edges_meet(p->a, p->b, q->a, q->b);
}

static bool sweep(const struct om__span *span, size_t n)
{
    size_t pairs = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n && span[j].left <= span[i].right; j++) {
            if (++pairs > n * MAX_PAIRS_PER_EDGE) return false;
            if (tangle(&span[i], &span[j])) return false;
        }
    return true;
}

bool om__ring_contains(const struct om__ringset *set, size_t ring,
                       struct om__xy at)
{
    const size_t first = om__ring_first(set, ring), end = set->ring_end[ring];
    const struct om_pos pos = pos_of(at);
    bool inside = false;
    for (size_t i = first, last = end - 1; i < end; last = i++)
        inside ^= om__crosses_right(pos_of(set->vertex[last]),
                                    pos_of(set->vertex[i]), pos);
    return inside;
}

/* Rings touch nowhere, so one vertex of a ring speaks for all of it. */
static bool nested_well(const struct om__ringset *set, struct om__mark from)
{
    const size_t end = set->part_end[set->parts - 1];
    if (end - from.rings > MAX_RINGS) return false;
    for (size_t p = from.parts; p < set->parts; p++) {
        const size_t outer = om__part_first(set, p);
        for (size_t r = from.rings; r < end; r++) {
            const bool own_hole = r > outer && r < set->part_end[p];
            if (r == outer) continue;
            const struct om__xy at = set->vertex[om__ring_first(set, r)];
            if (om__ring_contains(set, outer, at) != own_hole) return false;
        }
        for (size_t h = outer + 1; h < set->part_end[p]; h++)
            for (size_t r = outer + 1; r < set->part_end[p]; r++)
                if (r != h && om__ring_contains(
                                  set, h, set->vertex[om__ring_first(set, r)]))
                    return false;
    }
    return true;
}

om_status om__polygon_plain(struct om__checker *checker,
                            const struct om__ringset *set, struct om__mark from,
                            bool *plain)
{
    const size_t n = set->vertices - from.vertices;
    if (n > checker->room) {
        om_free(checker->span);
        checker->room = 0;
        checker->span = om_alloc_array(n, 2 * sizeof *checker->span);
        if (!checker->span) return OM_E_MEMORY;
        checker->room = 2 * n;
    }
    size_t made = 0;
    for (size_t r = from.rings; r < set->rings; r++) {
        const size_t first = om__ring_first(set, r), end = set->ring_end[r];
        for (size_t i = first; i < end; i++) {
            const struct om_pos a = pos_of(set->vertex[i]);
            const struct om_pos b =
                pos_of(set->vertex[i + 1 < end ? i + 1 : first]);
            checker->span[made++] = (struct om__span){
                .a = a,
                .b = b,
                .left = a.x < b.x ? a.x : b.x,
                .right = a.x < b.x ? b.x : a.x,
                .ring = (uint32_t)r,
                .at = (uint32_t)(i - first),
                .length = (uint32_t)(end - first),
            };
        }
    }
    sort_spans(checker->span, made);
    *plain = sweep(checker->span, made) && nested_well(set, from);
    return OM_OK;
}

/* Twice the area, positive if the ring runs clockwise on the map. Relative to
 * its first vertex, so that 33-bit differences are multiplied. */
static om__wide ring_area(const struct om__xy *v, size_t n)
{
    const int64_t x = (int64_t)v[0].x, y = (int64_t)v[0].y;
    om__wide sum = 0;
    for (size_t i = 0, last = n - 1; i < n; last = i++)
        sum += (om__wide)((int64_t)v[last].x - x) * ((int64_t)v[i].y - y) -
               (om__wide)((int64_t)v[i].x - x) * ((int64_t)v[last].y - y);
    return sum;
}

void om__polygon_orient(struct om__ringset *set, struct om__mark from)
{
    for (size_t p = from.parts; p < set->parts; p++) {
        const size_t outer = om__part_first(set, p);
        for (size_t r = outer; r < set->part_end[p]; r++) {
            const size_t first = om__ring_first(set, r);
            const size_t end = set->ring_end[r];
            const bool clockwise =
                ring_area(set->vertex + first, end - first) > 0;
            if (clockwise == (r == outer)) continue;
            for (size_t i = first, j = end - 1; i < j; i++, j--) {
                const struct om__xy kept = set->vertex[i];
                set->vertex[i] = set->vertex[j];
                set->vertex[j] = kept;
            }
        }
    }
}
