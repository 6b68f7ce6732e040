/* bandwidth.c - Silverman's rule on the ground.
 *
 * DESIGN
 * Four passes over the selected rows, in parallel, none of which keeps them:
 * the mean of the grid positions; from there the mean on the ground; the
 * squared distances and a histogram of the distances; and the distances of the
 * one bin that holds the median. Rows on one spot are taken together. Sums of
 * a stretch are added up in the order of the stretches, the histogram counts
 * in integers, so that threads do not show.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/field/field_internal.h"

#define STRETCH 65536
/* Places of y at which the size of a grid cell is computed. */
#define KNOTS 4096
#define BINS 65536
/* Weights are counted in 2^-k; the sum of all stays below this many bits. */
#define COUNT_BITS 61

/* Ground size of a grid cell and distance along the meridian, over the layer's
 * rows. */
struct ruler {
    double y0, step, per;  // per: 1 / step
    struct om__ground cell[KNOTS + 2];
    double north_m[KNOTS + 2];  // southward from y0
};

struct distance {
    double m;
    uint64_t weight;
};

/* What one thread found in the median's bin. */
struct found {
    struct distance *list;
    size_t count, room;
    double next_m;  // least distance beyond the bin
    bool failed;
};

struct rule;
typedef void spot_fn(struct rule *rule, size_t lane, double *sum, double x,
                     double y, double weight);

struct rule {
    const struct om_field_spec *spec;
    struct om_box box;  // of all the layer's rows
    struct ruler *ruler;
    size_t lanes;
    // The pass: what to do with each spot; sums of a stretch.
    spot_fn *spot;
    size_t part;
    const uint64_t *key;
    bool weighted;
    struct om__weigher weigher;
    double (*sum)[4];  // [stretches]
    // What is known so far.
    double bend;  // tangent of the latitude over the earth's diameter
    double x0, y0, south0_m;  // the centre, and its distance down
    double scale;             // of weights to counts
    double bin_m;
    uint64_t *bins;       // [lanes][BINS]
    size_t bin;           // the median's
    struct found *found;  // [lanes]
};

/* ---- the ground -------------------------------------------------------- */

static void ruler_init(struct ruler *r, double y0, double y1)
{
    r->y0 = y0;
    r->step = fmax((y1 - y0) / KNOTS, 1.0);
    r->per = 1.0 / r->step;
    for (size_t i = 0; i < KNOTS + 2; i++) {
        r->cell[i] = om__ground(y0 + (double)i * r->step);
        r->north_m[i] =
            i ? r->north_m[i - 1] +
                    r->step * (r->cell[i - 1].y_m + r->cell[i].y_m) / 2.0
              : 0.0;
    }
}

static inline double lerp(double a, double b, double part)
{
    return a + (b - a) * part;
}

/* Knot before y and how far behind it. */
static inline size_t knot(const struct ruler *r, double y, double *part)
{
    double at = (y - r->y0) * r->per;
    at = at > 0.0 ? at : 0.0;
    at = at < KNOTS + 0.5 ? at : KNOTS + 0.5;
    const size_t i = (size_t)at;
    *part = at - (double)i;
    return i;
}

static inline double east_m(const struct ruler *r, double y)
{
    double part;
    const size_t i = knot(r, y, &part);
    return lerp(r->cell[i].x_m, r->cell[i + 1].x_m, part);
}

static inline double south_m(const struct ruler *r, double y)
{
    double part;
    const size_t i = knot(r, y, &part);
    return lerp(r->north_m[i], r->north_m[i + 1], part);
}

/* From the centre; eastward at the latitude between. */
static double distance_m(const struct rule *r, double x, double y)
{
    const double east = (x - r->x0) * east_m(r->ruler, (y + r->y0) / 2.0);
    const double south = south_m(r->ruler, y) - r->south0_m;
    return sqrt(east * east + south * south);
}

/* ---- the passes -------------------------------------------------------- */

static void spot_grid(struct rule *r, size_t lane, double *sum, double x,
                      double y, double weight)
{
    (void)r;
    (void)lane;
    sum[0] += weight;
    sum[1] += weight * x;
    sum[2] += weight * y;
    if (weight < 0.0) sum[3] = 1.0;
}

static void spot_ground(struct rule *r, size_t lane, double *sum, double x,
                        double y, double weight)
{
    (void)lane;
    // A parallel bends poleward of the plane that touches at the centre.
    const double east = (x - r->x0) * east_m(r->ruler, y);
    sum[1] += weight * east;
    sum[2] += weight * (south_m(r->ruler, y) - east * east * r->bend);
}

static uint64_t count_of(const struct rule *r, double weight)
{
    return (uint64_t)llrint(weight * r->scale);
}

static size_t bin_of(const struct rule *r, double m)
{
    const double bin = m / r->bin_m;
    return bin < BINS - 1 ? (size_t)bin : BINS - 1;
}

static void spot_distance(struct rule *r, size_t lane, double *sum, double x,
                          double y, double weight)
{
    const double m = distance_m(r, x, y);
    sum[0] += weight * m * m;
    r->bins[lane * BINS + bin_of(r, m)] += count_of(r, weight);
}

static void spot_median(struct rule *r, size_t lane, double *sum, double x,
                        double y, double weight)
{
    (void)sum;
    struct found *f = &r->found[lane];
    const double m = distance_m(r, x, y);
    const size_t bin = bin_of(r, m);
    if (bin < r->bin || weight == 0.0 || f->failed) return;
    if (bin > r->bin) {
        f->next_m = fmin(f->next_m, m);
        return;
    }
    if (f->count == f->room) {
        const size_t room = f->room ? 2 * f->room : 4096;
        struct distance *list = om_realloc(f->list, room * sizeof *list);
        f->failed = !list;
        if (!list) return;
        f->list = list;
        f->room = room;
    }
    f->list[f->count++] = (struct distance){m, count_of(r, weight)};
}

static om_status visit_rows(void *ctx, size_t first, size_t end, size_t lane)
{
    struct rule *r = ctx;
    const struct om_selection *s = r->spec->selection;
    double *sum = r->sum[first / STRETCH];
    struct om__weigher weigher = om__weigher_share(&r->weigher);
    uint64_t key = 0;
    double weight = 0.0;
    bool any = false;
    for (size_t row = first; row <= end; row++) {
        const bool last = row == end;
        if (!last && !om_selection_has(s, r->part, row)) continue;
        if (any && (last || r->key[row] != key)) {
            r->spot(r, lane, sum, om_morton_squeeze(key) + 0.5,
                    om_morton_squeeze(key >> 1) + 0.5, weight);
            weight = 0.0;
        }
        if (last) break;
        any = true;
        key = r->key[row];
        const double one = r->weighted ? om__weigh(&weigher, row) : 1.0;
        // Below zero here is below zero, whatever else stands on the spot.
        if (one < 0.0) sum[3] = 1.0;
        weight += one;
    }
    const om_status st = weigher.status;
    om__weigher_deinit(&weigher);
    return st;
}

/* One pass over one part. */
static om_status visit_part(struct rule *r, size_t part, double total[4])
{
    const struct om_segment *s = r->spec->layer->part[part].segment;
    const size_t rows = om_segment_rows(s), stretches = rows / STRETCH + 1;
    r->part = part;
    r->sum = om_calloc(stretches, sizeof *r->sum);
    om_status st = r->sum ? om_segment_keys(s, 0, rows, &r->key) : OM_E_MEMORY;
    if (!st && r->weighted)
        st = om__weigher_init(r->spec, r->spec->weight.at_s, part, &r->weigher);
    if (!st && r->weighted) st = om__weigher_touch(&r->weigher, 0, rows);
    if (!st) st = om_parallel(rows, STRETCH, visit_rows, r);
    for (size_t i = 0; !st && i < stretches; i++)
        for (size_t k = 0; k < 4; k++) total[k] += r->sum[i][k];
    om__weigher_deinit(&r->weigher);
    om_free(r->sum);
    r->sum = NULL;
    return st;
}

static om_status visit(struct rule *r, spot_fn *spot, double total[4])
{
    memset(total, 0, 4 * sizeof *total);
    r->spot = spot;
    for (size_t p = 0; p < r->spec->layer->parts; p++)
        OM_TRY(visit_part(r, p, total));
    return OM_OK;
}

/* ---- the rule ---------------------------------------------------------- */

/* The mean centre and the sum of the weights. */
static om_status find_centre(struct rule *r, double *weight)
{
    double sum[4];
    OM_TRY(visit(r, spot_grid, sum));
    if (sum[3] > 0.0) return OM_E_RANGE;
    if (!(sum[0] > 0.0)) return OM_E_NOTFOUND;
    if (!isfinite(sum[0])) return OM_E_RANGE;
    *weight = sum[0];
    r->x0 = sum[1] / sum[0];
    r->y0 = sum[2] / sum[0];
    r->bend =
        sinh((1.0 - 2.0 * r->y0 / OM_POS_SIDE) * OM_PI) / (2.0 * OM_WGS84_A_M);
    OM_TRY(visit(r, spot_ground, sum));
    // The row whose distance along the meridian is the mean one.
    const double mean = sum[2] / *weight;
    for (unsigned k = 0; k < 4; k++)
        r->y0 += (mean - south_m(r->ruler, r->y0)) / om__ground(r->y0).y_m;
    r->x0 += sum[1] / *weight / east_m(r->ruler, r->y0);
    r->south0_m = south_m(r->ruler, r->y0);
    return OM_OK;
}

static int by_distance(const void *a, const void *b)
{
    const struct distance *x = a, *y = b;
    return x->m < y->m ? -1 : x->m > y->m;
}

/* The bin in which half of the weight is reached, and what lies before it. */
static void find_bin(struct rule *r, uint64_t *total, uint64_t *before)
{
    *total = *before = 0;
    for (size_t i = 0; i < r->lanes * BINS; i++) *total += r->bins[i];
    for (r->bin = 0; r->bin < BINS; r->bin++) {
        uint64_t here = 0;
        for (size_t lane = 0; lane < r->lanes; lane++)
            here += r->bins[lane * BINS + r->bin];
        if (2 * (*before + here) >= *total) return;
        *before += here;
    }
}

/* All that was found in that bin, by distance, in the first lane. */
static om_status join_found(struct rule *r)
{
    struct found *all = &r->found[0];
    for (size_t lane = 0; lane < r->lanes; lane++) {
        const struct found *f = &r->found[lane];
        if (f->failed) return OM_E_MEMORY;
        all->next_m = fmin(all->next_m, f->next_m);
        if (lane == 0 || f->count == 0) continue;
        struct distance *list =
            om_realloc(all->list, (all->count + f->count) * sizeof *list);
        if (!list) return OM_E_MEMORY;
        all->list = list;
        memcpy(list + all->count, f->list, f->count * sizeof *list);
        all->count += f->count;
    }
    if (all->count)
        qsort(all->list, all->count, sizeof *all->list, by_distance);
    return OM_OK;
}

/* The distance up to which half of the weight lies; between two if it is
 * exactly half there. */
static om_status find_median(struct rule *r, double *out)
{
    uint64_t total, before;
    find_bin(r, &total, &before);
    r->found = om_calloc(r->lanes, sizeof *r->found);
    if (!r->found) return OM_E_MEMORY;
    for (size_t i = 0; i < r->lanes; i++) r->found[i].next_m = INFINITY;
    double sum[4];
    OM_TRY(visit(r, spot_median, sum));
    OM_TRY(join_found(r));
    const struct found *f = &r->found[0];
    size_t i = 0;
    for (; i < f->count; i++) {
        before += f->list[i].weight;
        if (2 * before >= total) break;
    }
    if (i == f->count) return OM_E_RANGE;
    *out = f->list[i].m;
    if (2 * before == total) {
        const double next = i + 1 < f->count ? f->list[i + 1].m : f->next_m;
        if (isfinite(next)) *out = (*out + next) / 2.0;
    }
    return OM_OK;
}

/* Standard and median distance from the centre, both weighted. */
static om_status find_spread(struct rule *r, double weight, double *sd_m,
                             double *median_m)
{
    const struct ruler *k = r->ruler;
    const struct om_box b = r->box;
    const double dx = fmax(fabs(b.x0 - r->x0), fabs(b.x1 + 1.0 - r->x0));
    const double far = hypot(dx * OM_POS_CELL_M, k->north_m[KNOTS + 1]);
    double sum[4];
    r->bin_m = fmax(far, 1e-3) / BINS;
    r->scale = ldexp(1.0, COUNT_BITS - 1 - ilogb(weight));
    r->bins = om_calloc(r->lanes * BINS, sizeof *r->bins);
    if (!r->bins) return OM_E_MEMORY;
    OM_TRY(visit(r, spot_distance, sum));
    *sd_m = sqrt(sum[0] / weight);
    return find_median(r, median_m);
}

static om_status rule_run(struct rule *r, double *bandwidth_m)
{
    double weight, sd_m, median_m;
    OM_TRY(find_centre(r, &weight));
    OM_TRY(find_spread(r, weight, &sd_m, &median_m));
    // Half a position: what rounding leaves of one place.
    if (!(sd_m > 0.5 * OM_POS_CELL_M)) return OM_E_RANGE;
    double spread_m = sd_m;
    if (median_m > 0.5 * OM_POS_CELL_M)
        spread_m = fmin(sd_m, sqrt(1.0 / log(2.0)) * median_m);
    *bandwidth_m = 0.9 * spread_m * pow(weight, -0.2);
    return OM_OK;
}

om_status om_field_bandwidth(const struct om_field_spec *spec,
                             double *bandwidth_m)
{
    if (spec->layer->schema.geometry != OM_GEOMETRY_POINT) return OM_E_TYPE;
    OM_TRY(om_weighting_check(spec->layer, &spec->weight));
    if (spec->selection->count == 0) return OM_E_NOTFOUND;
    const struct om_box box = om_layer_box(spec->layer);
    struct rule r = {.spec = spec,
                     .box = box,
                     .lanes = om_threads(),
                     .weighted = !om__weight_is_one(&spec->weight),
                     .ruler = om_alloc(sizeof *r.ruler)};
    if (!r.ruler) return OM_E_MEMORY;
    ruler_init(r.ruler, box.y0, box.y1 + 1.0);
    const om_status st = rule_run(&r, bandwidth_m);
    for (size_t i = 0; r.found && i < r.lanes; i++) om_free(r.found[i].list);
    om_free(r.found);
    om_free(r.ruler);
    om_free(r.bins);
    return st;
}
