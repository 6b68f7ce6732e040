// valid.c - a strict, cheap check that most polygons of a city pass.
#include "engine/shape/valid.h"

#include <stdlib.h>

#include "data/base/alloc.h"
#include "data/base/limits.h"
#include "engine/shape/exact.h"

/* DESIGN
 * A polygon whose rings do not touch at all, with holes inside and parts
 * outside each other, is valid whatever one's school. That is proved here by
 * a sweep over the edges sorted by their left end. Everything else (rings
 * that touch at a point may still be valid) is left to GEOS, so this check
 * never has to be subtle.
 *
 * What GEOS costs depends on three counts: sides whose boxes meet, which it
 * compares; crossings, of each of which it makes a vertex and builds rings
 * anew (a polygon of n sides can have n * n / 2); and vertices of rings that
 * lie within each other. They are counted here first, each up to a limit. We
 * rejected a clock, by which the same shape would be taken on one day and not
 * on another, and interrupting GEOS, whose flag is one for all threads. */

/* Above this many rings the pairwise nesting test is left to GEOS. */
#define MAX_RINGS 48
/* Pairs of edges whose x ranges overlap, per edge, before we give up. */
#define MAX_PAIRS_PER_EDGE 64

/* Comparisons of the closer look: sides above each other; of these, sides whose
 * boxes meet, as far as they need only be compared here, and as far as GEOS
 * compares them, too. Of each a share for every vertex, so that no polygon is
 * refused for being long. */
#define MAX_SCANNED(n) (UINT64_C(200000000) + (n)*3000)
#define MAX_NEAR(n) (UINT64_C(30000000) + (n)*64)
#define MAX_NEAR_GEOS(n) (UINT64_C(5000000) + (n)*64)
/* Vertices of rings that GEOS asks whether another lies within them: a lake of
 * 200,000 has room for some 6,000 islands. */
#define MAX_NESTED(n) (UINT64_C(300000000) + (n)*5000)
/* Sides that touch: where parts adjoin, three a vertex. */
#define MAX_TOUCHES(n) (UINT64_C(100000) + (n)*16)
/* What they take, roughly, measured with GEOS 3.11. */
#define SCANNED_NS 1
#define NESTED_NS 3
#define NEAR_NS 8
#define NEAR_GEOS_NS 50
#define TOUCH_GEOS_NS 500
#define CROSSING_GEOS_NS 20000
#define VERTEX_GEOS_NS 1000
#define SHAPE_GEOS_NS 100000

struct om__span {
    struct om_pos a, b;
    uint32_t left, right;       // x range
    uint32_t top, bottom;       // y range
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

enum meeting { APART, TOUCH, CROSS };

/* Do the two edges share more than the vertex that neighbours have? */
static enum meeting meet(const struct om__span *p, const struct om__span *q)
{
    if (p->top > q->bottom || q->top > p->bottom) return APART;
    if (p->ring == q->ring) {
        if ((p->at + 1) % p->length == q->at)
            return folds_back(p->a, p->b, q->b) ? TOUCH : APART;
        if ((q->at + 1) % q->length == p->at)
            return folds_back(q->a, q->b, p->b) ? TOUCH : APART;
    }
    const int one = om__turn(p->a, p->b, q->a) * om__turn(p->a, p->b, q->b);
    if (one > 0) return APART;
    const int two = om__turn(q->a, q->b, p->a) * om__turn(q->a, q->b, p->b);
    if (two > 0) return APART;
    return one < 0 && two < 0 ? CROSS : TOUCH;
}

static bool sweep(const struct om__span *span, size_t n)
{
    size_t pairs = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n && span[j].left <= span[i].right; j++) {
            if (++pairs > n * MAX_PAIRS_PER_EDGE) return false;
            if (meet(&span[i], &span[j]) != APART) return false;
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
                .top = a.y < b.y ? a.y : b.y,
                .bottom = a.y < b.y ? b.y : a.y,
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

struct counts {
    uint64_t scanned, near, touches, crossings, nested;
    const char *why;
};

#define TEXT_OF(n) #n
#define DIGITS_OF(n) TEXT_OF(n)
static const char CROSSES[] = "its sides cross each other more than " DIGITS_OF(
    OM_LIMIT_SHAPE_CROSSINGS) " times";
static const char TOUCHES[] =
    "its sides touch each other too often to be checked";
static const char CLOSE[] =
    "too many of its sides lie close to each other to be checked";
static const char NESTED[] =
    "too many of its rings lie within each other to be checked";

/* Compare all spans, sorted by their left end; false: too many lie above each
 * other. */
static bool count_meetings(const struct om__span *span, size_t n,
                           struct counts *c)
{
    *c = (struct counts){0};
    for (size_t i = 0; i < n && !c->why; i++) {
        const struct om__span *p = &span[i];
        size_t j = i + 1;
        for (; j < n && span[j].left <= p->right && !c->why; j++) {
            const struct om__span *q = &span[j];
            if (p->top > q->bottom || q->top > p->bottom) continue;
            c->near++;
            const enum meeting how = meet(p, q);
            c->touches += how == TOUCH;
            c->crossings += how == CROSS;
            if (c->crossings > OM_LIMIT_SHAPE_CROSSINGS)
                c->why = CROSSES;
            else if (c->touches > MAX_TOUCHES(n))
                c->why = TOUCHES;
            else if (c->near > MAX_NEAR(n))
                c->why = CLOSE;
        }
        c->scanned += j - i;
        if (c->scanned > MAX_SCANNED(n)) return false;
    }
    return true;
}

/* North becomes west, and the sweep runs the other way. */
static void transpose(struct om__span *span, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct om__span s = span[i];
        span[i].a = (struct om_pos){s.a.y, s.a.x};
        span[i].b = (struct om_pos){s.b.y, s.b.x};
        span[i].left = s.top;
        span[i].right = s.bottom;
        span[i].top = s.left;
        span[i].bottom = s.right;
    }
    sort_spans(span, n);
}

static bool lies_in(const struct om__span *p, const struct om__span *q)
{
    return p->left >= q->left && p->right <= q->right && p->top >= q->top &&
           p->bottom <= q->bottom;
}

/* Boxes of rings as spans, in the place of those of edges. */
static size_t ring_spans(struct om__span *span, const struct om__ringset *set,
                         struct om__mark from)
{
    size_t made = 0;
    for (size_t r = from.rings; r < set->rings; r++) {
        const size_t first = om__ring_first(set, r), end = set->ring_end[r];
        const struct om_pos v = pos_of(set->vertex[first]);
        struct om__span box = {.left = v.x,
                               .right = v.x,
                               .top = v.y,
                               .bottom = v.y,
                               .ring = (uint32_t)r,
                               .length = (uint32_t)(end - first)};
        for (size_t i = first + 1; i < end; i++) {
            const struct om_pos p = pos_of(set->vertex[i]);
            if (p.x < box.left) box.left = p.x;
            if (p.x > box.right) box.right = p.x;
            if (p.y < box.top) box.top = p.y;
            if (p.y > box.bottom) box.bottom = p.y;
        }
        span[made++] = box;
    }
    sort_spans(span, made);
    return made;
}

/* Vertices of rings whose boxes hold those of others, once for each. */
static void count_nesting(const struct om__span *box, size_t rings, size_t n,
                          struct counts *c)
{
    uint64_t looked = 0;
    for (size_t i = 0; i < rings && !c->why; i++)
        for (size_t j = i + 1; j < rings && box[j].left <= box[i].right; j++) {
            looked++;
            if (lies_in(&box[j], &box[i])) c->nested += box[i].length;
            if (lies_in(&box[i], &box[j])) c->nested += box[j].length;
            if (c->nested <= MAX_NESTED(n) && looked <= MAX_SCANNED(n))
                continue;
            c->why = NESTED;
            break;
        }
}

void om__polygon_tangle(struct om__checker *checker,
                        const struct om__ringset *set, struct om__mark from,
                        struct om__tangle *out)
{
    const size_t n = set->vertices - from.vertices;
    struct counts c;
    *out = (struct om__tangle){0};
    if (!count_meetings(checker->span, n, &c)) {
        out->cost_ns = c.scanned * SCANNED_NS;
        transpose(checker->span, n);
        if (!count_meetings(checker->span, n, &c)) c.why = CLOSE;
    }
    const bool apart = !c.why && c.touches + c.crossings == 0;
    out->cost_ns += c.scanned * SCANNED_NS + c.near * NEAR_NS;
    out->plain = apart && nested_well(set, from);
    if (!out->plain && !c.why) {
        if (c.near > MAX_NEAR_GEOS(n))
            c.why = CLOSE;
        else
            count_nesting(checker->span, ring_spans(checker->span, set, from),
                          n, &c);
    }
    out->why = c.why;
    if (!out->plain && !c.why)
        out->cost_ns += SHAPE_GEOS_NS + n * VERTEX_GEOS_NS +
                        c.near * NEAR_GEOS_NS + c.nested * NESTED_NS +
                        c.touches * TOUCH_GEOS_NS +
                        c.crossings * CROSSING_GEOS_NS;
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
