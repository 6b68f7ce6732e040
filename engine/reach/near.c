/* near.c - a k-d tree over places, judged by bounds of the geodesic.
 *
 * DESIGN
 * On the grid a step (dx, dy) is sqrt((kx dx)^2 + (ky dy)^2) metres long with
 * kx, ky of its latitude; the smallest ones of a band of latitudes bound the
 * geodesic from below, the largest from above, and within a city the two
 * differ by less than a permille. A branch or a place whose lower bound is
 * above the smallest upper bound is left out; the one or two places that are
 * left are measured exactly. The answer is that of measuring all.
 *
 * The way to a place that is nearer than the best one stays within the best
 * distance, so a band reaches that far beyond its rows, poleward and back.
 *
 * Positions come in Morton order: the last answer is the first guess, and the
 * search often has nothing left to do but prove it.
 */
#include "engine/reach/near.h"

#include <math.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/query/ground.h"
#include "engine/query/ground_internal.h"

#define LEAF 8
#define GRAIN 4096
/* Bounds leave room for rounding. */
#define SLACK (1.0 - 1e-9)
/* Beyond it the plane of the map says nothing: all places are measured. */
#define PLANE_MAX_M 200000.0
/* The scale is looked up again after so many rows of the grid (about 600 m):
 * it is taken poleward of all of them. */
#define BAND_SHIFT 16

/* Places in the order of the tree: node [from, to) is split at its middle,
 * along the longer side of its box. */
struct om_near {
    size_t count;
    struct om_pos *pos;
    uint32_t *number;
    uint8_t *along_y;  // [count] of the node whose middle this is
};

static uint32_t coordinate(struct om_pos p, bool y)
{
    return y ? p.y : p.x;
}

static void swap(struct om_near *t, size_t i, size_t j)
{
    const struct om_pos p = t->pos[i];
    const uint32_t n = t->number[i];
    t->pos[i] = t->pos[j];
    t->number[i] = t->number[j];
    t->pos[j] = p;
    t->number[j] = n;
}

/* Hoare's quickselect: [from, to) with everything before k not above it. */
static void select_middle(struct om_near *t, size_t from, size_t to, size_t k,
                          bool y)
{
    while (to - from > 1) {
        const uint32_t pivot = coordinate(t->pos[from + (to - from) / 2], y);
        size_t i = from, j = to - 1;
        for (;;) {
            while (coordinate(t->pos[i], y) < pivot) i++;
            while (coordinate(t->pos[j], y) > pivot) j--;
            if (i >= j) break;
            swap(t, i++, j--);
        }
        const size_t cut = j + 1;  // [from, cut) <= pivot <= [cut, to)
        if (cut == to) return;     // all equal to the pivot
        if (k < cut)
            to = cut;
        else
            from = cut;
    }
}

static void build(struct om_near *t, size_t from, size_t to)
{
    while (to - from > LEAF) {
        struct om_box box = OM_BOX_NONE;
        for (size_t i = from; i < to; i++) {
            const struct om_pos p = t->pos[i];
            om_box_widen(&box, (struct om_box){p.x, p.y, p.x, p.y});
        }
        const size_t middle = from + (to - from) / 2;
        const bool y = box.y1 - box.y0 > box.x1 - box.x0;
        select_middle(t, from, to, middle, y);
        t->along_y[middle] = y;
        build(t, from, middle);
        from = middle + 1;
    }
}

om_status om_near_new(const struct om_pos *pos, size_t count,
                      struct om_near **out)
{
    if (count >= OM_NO_PLACE) return OM_E_LIMIT;
    struct om_near *t = om_calloc(1, sizeof *t);
    if (!t) return OM_E_MEMORY;
    t->count = count;
    t->pos = om_alloc_array(count + 1, sizeof *t->pos);
    t->number = om_alloc_array(count + 1, sizeof *t->number);
    t->along_y = om_calloc(count + 1, 1);
    if (!t->pos || !t->number || !t->along_y) {
        om_near_free(t);
        return OM_E_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        t->pos[i] = pos[i];
        t->number[i] = (uint32_t)i;
    }
    build(t, 0, count);
    *out = t;
    return OM_OK;
}

void om_near_free(struct om_near *near)
{
    if (!near) return;
    om_free(near->pos);
    om_free(near->number);
    om_free(near->along_y);
    om_free(near);
}

/* Places that may be the nearest, to be measured. */
#define MAYBE 32
struct maybe {
    double least_m2;
    size_t slot;
};

/* A search under way: bounds, who may be nearest, the nearest measured. */
struct search {
    const struct om_near *tree;
    struct om_pos at;
    double bound_m2;  // squared: the nearest is not farther
    struct maybe maybe[MAYBE];
    size_t maybes;
    double best_m;
    uint32_t best;
    // Scales of a band of rows and of what is within band_far_m of it.
    uint32_t band;
    double band_far_m, band_rows;
    double x_least_m, y_least_m, x_most_m, y_most_m;  // per cell
};

static double squared(const struct search *s, struct om_pos p, double x_m,
                      double y_m)
{
    const double x = ((double)p.x - s->at.x) * x_m;
    const double y = ((double)p.y - s->at.y) * y_m;
    return x * x + y * y;
}

/* Is the way to p within the rows that the band's scales hold for? */
static bool in_band(const struct search *s, struct om_pos p)
{
    return fabs((double)p.y - s->at.y) <= s->band_rows;
}

static double most_m2(const struct search *s, struct om_pos p)
{
    return squared(s, p, s->x_most_m, s->y_most_m) / SLACK;
}

static void measure(struct search *s)
{
    for (size_t k = 0; k < s->maybes; k++) {
        if (s->maybe[k].least_m2 > s->bound_m2) continue;
        const size_t slot = s->maybe[k].slot;
        const double m = om_ground_m(s->at, s->tree->pos[slot]);
        const uint32_t number = s->tree->number[slot];
        if (m > s->best_m || (m == s->best_m && number >= s->best)) continue;
        s->best = number;
        s->best_m = m;
        // Equal ones are still to be looked at.
        s->bound_m2 = fmin(s->bound_m2, m * m / SLACK);
    }
    s->maybes = 0;
}

static void look(struct search *s, size_t slot)
{
    const struct om_pos p = s->tree->pos[slot];
    const double least = squared(s, p, s->x_least_m, s->y_least_m) * SLACK;
    if (least > s->bound_m2) return;
    if (in_band(s, p)) s->bound_m2 = fmin(s->bound_m2, most_m2(s, p));
    if (s->maybes == MAYBE) measure(s);
    s->maybe[s->maybes++] = (struct maybe){least, slot};
}

static void descend(struct search *s, size_t from, size_t to)
{
    while (to - from > LEAF) {
        const size_t middle = from + (to - from) / 2;
        const bool y = s->tree->along_y[middle];
        const double side =
            (double)coordinate(s->at, y) - coordinate(s->tree->pos[middle], y);
        const double away_m = side * (y ? s->y_least_m : s->x_least_m);
        look(s, middle);
        // The nearer half first, then the other if it can hold any better.
        if (side < 0)
            descend(s, from, middle);
        else
            descend(s, middle + 1, to);
        if (away_m * away_m * SLACK > s->bound_m2) return;
        if (side < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (size_t i = from; i < to; i++) look(s, i);
}

/* Scales that hold for ways of up to far_m from the rows of a band. */
static void take_band(struct search *s, uint32_t band, double far_m)
{
    const uint32_t first = band << BAND_SHIFT;
    const uint32_t last = first + ((UINT32_C(1) << BAND_SHIFT) - 1);
    const bool north = first < UINT32_C(1) << 31;
    const struct om_circle pole = {.pos = {0, north ? first : last}};
    const struct om_circle equator = {.pos = {0, north ? last : first}};
    double x_m, y_m;
    om__circle_scale(&pole, 0, &x_m, &y_m);
    // Rows shrink poleward, by less than half within the plane's limit.
    const double rows = 2.0 * far_m / y_m + 1.0;
    om__circle_scale(&pole, north ? -rows : rows, &s->x_least_m, &s->y_least_m);
    // Not beyond the equator, where rows are longest.
    const double middle = OM_POS_SIDE / 2.0;
    const double row = equator.pos.y + 0.5;
    const double back = fmin(rows, fabs(middle - row));
    om__circle_scale(&equator, north ? back : -back, &s->x_most_m,
                     &s->y_most_m);
    s->band = band;
    s->band_far_m = far_m;
    s->band_rows = rows;
}

static void measure_all(struct search *s)
{
    for (size_t i = 0; i < s->tree->count; i++) {
        const double m = om_ground_m(s->at, s->tree->pos[i]);
        const uint32_t number = s->tree->number[i];
        if (m > s->best_m || (m == s->best_m && number >= s->best)) continue;
        s->best = number;
        s->best_m = m;
    }
}

/* Far from a pole and the date line, and is the guess near enough? */
static bool plane(const struct om_pos at, double guess_m)
{
    const struct om_circle circle = {.pos = at};
    double x_m, y_m;
    om__circle_scale(&circle, 0, &x_m, &y_m);
    const double edge = fmin(at.x, UINT32_MAX - at.x) * x_m;
    const double pole = fmin(at.y, UINT32_MAX - at.y) * y_m;
    return guess_m < PLANE_MAX_M && edge > PLANE_MAX_M &&
           pole > 4 * PLANE_MAX_M;
}

/* Begin at the last answer: bounds by the scales at hand where they hold for
 * it, else it is measured and scales are taken anew. false: not on a plane. */
static bool begin(struct search *s, struct om_pos guess)
{
    const uint32_t band = s->at.y >> BAND_SHIFT;
    if (band == s->band && in_band(s, guess)) {
        s->bound_m2 = most_m2(s, guess);
        const double far2 = s->band_far_m * s->band_far_m;
        if (s->bound_m2 <= far2 && s->bound_m2 * 64 >= far2) return true;
    }
    const double m = om_ground_m(s->at, guess);
    if (!plane(s->at, m)) return false;
    // Room for guesses that are worse, and for a city's first one.
    take_band(s, band, 2 * m + 1);
    s->bound_m2 = m * m / SLACK;
    return true;
}

static void find(struct search *s, const uint32_t *slot_of)
{
    const size_t guess = slot_of[s->best == OM_NO_PLACE ? 0 : s->best];
    s->best = OM_NO_PLACE;
    s->best_m = INFINITY;
    s->maybes = 0;
    if (!begin(s, s->tree->pos[guess])) {
        measure_all(s);
        return;
    }
    descend(s, 0, s->tree->count);
    measure(s);
}

struct joining {
    const struct om_near *tree;
    const uint32_t *slot_of;
    const uint64_t *key;
    uint32_t *place;
    double *m;
};

static om_status join_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct joining *j = ctx;
    struct search s = {
        .tree = j->tree, .best = OM_NO_PLACE, .band = UINT32_MAX};
    for (size_t i = first; i < end; i++) {
        s.at = om_morton_pos(j->key[i]);
        find(&s, j->slot_of);
        j->place[i] = s.best;
        j->m[i] = s.best_m;
    }
    return OM_OK;
}

om_status om_near_join(const struct om_near *near, const uint64_t *key,
                       size_t count, uint32_t *place, double *m)
{
    if (near->count == 0) {
        for (size_t i = 0; i < count; i++) {
            place[i] = OM_NO_PLACE;
            m[i] = INFINITY;
        }
        return OM_OK;
    }
    uint32_t *slot_of = om_alloc_array(near->count, sizeof *slot_of);
    if (!slot_of) return OM_E_MEMORY;
    for (size_t i = 0; i < near->count; i++)
        slot_of[near->number[i]] = (uint32_t)i;
    struct joining j = {near, slot_of, key, place, m};
    const om_status st = om_parallel(count, GRAIN, join_range, &j);
    om_free(slot_of);
    return st;
}
