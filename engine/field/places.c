/* places.c - a field at places that are no tile's pixels.
 *
 * DESIGN
 * Values come from the spline through the lattice that tiles of fine pixels
 * use; a block that spans many nodes is halved until its nodes fit in the
 * cache. Means over cells, and the kernel that no lattice follows, are made
 * mass by mass in the block's own measure (block.c); so are those few places
 * that span no mesh.
 */
#include <math.h>
#include <string.h>

#include "data/base/clones.h"
#include "engine/field/field_internal.h"

/* Nodes that are computed at once. */
#define NODES_MOST (320 * 320)

/* Part of a block: some of its rows and columns. */
struct patch {
    size_t column0, row0, columns, rows;
};

/* The smallest and largest x and y of a patch. */
static void extent(const struct om_places *p, struct patch a, double box[4])
{
    box[0] = box[1] = INFINITY;
    box[2] = box[3] = -INFINITY;
    for (size_t r = a.row0; r < a.row0 + a.rows; r++)
        for (size_t c = a.column0; c < a.column0 + a.columns; c++) {
            const size_t at = r * p->columns + c;
            if (p->x[at] < box[0]) box[0] = p->x[at];
            if (p->y[at] < box[1]) box[1] = p->y[at];
            if (p->x[at] > box[2]) box[2] = p->x[at];
            if (p->y[at] > box[3]) box[3] = p->y[at];
        }
}

/* ---- between nodes ----------------------------------------------------- */

/* The spline at a row of places; node (0, 0) of `node` is at (x0, y0), whose
 * squares are `side` wide. */
OM_CLONES
static void spline_row(const float *node, size_t stride, double x0, double y0,
                       double side, const double *px, const double *py,
                       size_t n, float *out)
{
    const double per = 1.0 / side;
    for (size_t i = 0; i < n; i++) {
        const double u = (px[i] - x0) * per, v = (py[i] - y0) * per;
        const int32_t c = (int32_t)u, r = (int32_t)v;
        const float s = (float)(u - c), t = (float)(v - r);
        const float s0 = 0.5f * (1.0f - s) * (1.0f - s), s2 = 0.5f * s * s;
        const float t0 = 0.5f * (1.0f - t) * (1.0f - t), t2 = 0.5f * t * t;
        const float s1 = 0.75f - (s - 0.5f) * (s - 0.5f);
        const float t1 = 0.75f - (t - 0.5f) * (t - 0.5f);
        const float *a = node + (size_t)(r - 1) * stride + (size_t)(c - 1);
        const float *b = a + stride, *d = b + stride;
        out[i] = (t0 * ((s0 * a[0] + s1 * a[1]) + s2 * a[2]) +
                  t1 * ((s0 * b[0] + s1 * b[1]) + s2 * b[2])) +
                 t2 * ((s0 * d[0] + s1 * d[1]) + s2 * d[2]);
    }
}

/* A patch whose nodes fit. */
static om_status patch_values(const struct om__field *f, unsigned level,
                              const struct om_places *p, struct patch a,
                              const struct om__nodes *nodes, float *value)
{
    const unsigned exponent = om__lattice_exponent(f->spec->bandwidth_m);
    const double side = ldexp(1.0, (int)exponent);
    float *node =
        om_arena_alloc(f->arena, nodes->columns * nodes->rows * sizeof *node);
    if (!node) return OM_E_MEMORY;
    OM_TRY(om__lattice_values(f, exponent, 0, true, level, nodes, node));
    for (size_t r = a.row0; r < a.row0 + a.rows; r++) {
        const size_t at = r * p->columns + a.column0;
        spline_row(node, nodes->columns, (double)nodes->column0 * side,
                   (double)nodes->row0 * side, side, p->x + at, p->y + at,
                   a.columns, value + at);
    }
    return OM_OK;
}

static om_status lattice_patch(const struct om__field *f, unsigned level,
                               const struct om_places *p, struct patch a,
                               float *value)
{
    const unsigned exponent = om__lattice_exponent(f->spec->bandwidth_m);
    double box[4];
    extent(p, a, box);
    for (unsigned i = 0; i < 4; i++)
        box[i] = floor(ldexp(box[i], -(int)exponent));
    const struct om__nodes nodes = {
        .column0 = (int64_t)box[0] - 1,
        .row0 = (int64_t)box[1] - 1,
        .columns = (size_t)(box[2] - box[0]) + 3,
        .rows = (size_t)(box[3] - box[1]) + 3,
    };
    const bool one = a.columns == 1 && a.rows == 1;
    if (one || nodes.columns * nodes.rows <= NODES_MOST) {
        om_arena_reset(f->arena);
        return patch_values(f, level, p, a, &nodes, value);
    }
    struct patch b = a;
    if (a.columns >= a.rows) {
        a.columns /= 2;
        b.column0 += a.columns;
        b.columns -= a.columns;
    } else {
        a.rows /= 2;
        b.row0 += a.rows;
        b.rows -= a.rows;
    }
    OM_TRY(lattice_patch(f, level, p, a, value));
    return lattice_patch(f, level, p, b, value);
}

/* ---- mass by mass ------------------------------------------------------ */

/* A few places, each with every mass. */
struct direct {
    const struct om__field *field;
    const struct om_places *places;
    int64_t column0, row0;
    double *sum;
};

static void take_direct(void *ctx, const struct om__batch *b)
{
    const struct direct *d = ctx;
    const double h = d->field->spec->bandwidth_m;
    const enum om_kernel kind = d->field->spec->kernel;
    for (size_t i = 0; i < b->count; i++) {
        const double x = (double)(d->column0 + b->column[i]) + (double)b->tx[i];
        const double y = (double)(d->row0 + b->row[i]) + (double)b->ty[i];
        const struct om__ground g = om__ground(y);
        for (size_t k = 0; k < d->places->columns * d->places->rows; k++) {
            const double u = (d->places->x[k] - x) * g.x_m / h;
            const double v = (d->places->y[k] - y) * g.y_m / h;
            const double q = u * u + v * v;
            if (q < 1.0)
                d->sum[k] += (double)b->weight[i] * om__kernel_shape(kind, q);
        }
    }
}

static om_status direct_values(const struct om__field *f,
                               const struct om_places *p, float *value)
{
    const size_t n = p->columns * p->rows;
    const double h = f->spec->bandwidth_m, last = OM_POS_SIDE - 1.0;
    double box[4];
    extent(p, (struct patch){0, 0, p->columns, p->rows}, box);
    const struct om__ground g = om__ground(box[1]), s = om__ground(box[3]);
    const double reach =
        OM_FIELD_REACH * h / fmin(fmin(g.x_m, g.y_m), fmin(s.x_m, s.y_m)) + 2.0;
    struct direct d = {
        .field = f,
        .places = p,
        .column0 = (int64_t)box[0],
        .row0 = (int64_t)box[1],
        .sum = om_arena_calloc(f->arena, n, sizeof *d.sum),
    };
    if (!d.sum) return OM_E_MEMORY;
    OM_TRY(om__gather_run(&(struct om__gather){
        .spec = f->spec,
        .prepared = f->prepared,
        .reference_s = f->reference_s,
        .box = {(uint32_t)fmax(box[0] - reach, 0.0),
                (uint32_t)fmax(box[1] - reach, 0.0),
                (uint32_t)fmin(box[2] + reach, last),
                (uint32_t)fmin(box[3] + reach, last)},
        .level = om__scan_level(f),
        .column0 = d.column0,
        .row0 = d.row0,
        .take = take_direct,
        .ctx = &d,
    }));
    const double peak = f->kernel->peak * 1e6 / (h * h);
    for (size_t i = 0; i < n; i++) value[i] = (float)(d.sum[i] * peak);
    return OM_OK;
}

static om_status scan_values(const struct om__field *f,
                             const struct om_places *p, float *value)
{
    if (p->columns < 2 || p->rows < 2) return direct_values(f, p, value);
    // Places are the corners of this mesh, and the middles of our cells.
    const struct om__mesh mesh = {p->columns - 1, p->rows - 1, p->x, p->y};
    if (!om__mesh_is_sound(&mesh)) return OM_E_COORD;
    return om__scan_values(f,
                           &(struct om__block){.columns = p->columns,
                                               .rows = p->rows,
                                               .mesh = &mesh,
                                               .u0 = -0.5,
                                               .v0 = -0.5},
                           om__scan_level(f), value);
}

static om_status mean_values(const struct om__field *f,
                             const struct om_places *p, float *value)
{
    if (!p->corner_x || !p->corner_y) return OM_E_RANGE;
    const struct om__mesh mesh = {p->columns, p->rows, p->corner_x,
                                  p->corner_y};
    if (!om__mesh_is_sound(&mesh)) return OM_E_COORD;
    const struct om__block block = {
        .columns = p->columns, .rows = p->rows, .mesh = &mesh};
    const double side =
        p->cell_m / om__ground_m(p->y[p->rows / 2 * p->columns]);
    return om__splat_values(f, &block, true, om__mean_level(f, side, p->cell_m),
                            value);
}

/* ---- all of it --------------------------------------------------------- */

static om_status check_places(const struct om_places *p)
{
    if (!(p->cell_m >= 0.0) || !isfinite(p->cell_m)) return OM_E_RANGE;
    for (size_t i = 0; i < p->rows * p->columns; i++)
        if (!(p->x[i] >= 0.0 && p->x[i] <= OM_POS_SIDE && p->y[i] >= 0.0 &&
              p->y[i] <= OM_POS_SIDE))
            return OM_E_COORD;
    return OM_OK;
}

om_status om_field_places(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          const struct om_places *places,
                          struct om_arena *arena, float *value)
{
    OM_TRY(check_places(places));
    const size_t n = places->rows * places->columns;
    if (n == 0) return OM_OK;
    struct om__field field;
    struct om__held *held;
    OM_TRY(om__fields_hold(fields, spec, &field, &held));
    struct om_arena scratch = {0};
    om_status st = OM_OK;
    if (field.rows == 0) {
        memset(value, 0, n * sizeof *value);
    } else if (places->cell_m > spec->bandwidth_m) {
        field.arena = arena;
        st = mean_values(&field, places, value);
    } else if (spec->kernel == OM_KERNEL_EPANECHNIKOV) {
        field.arena = arena;
        st = scan_values(&field, places, value);
    } else {
        field.arena = &scratch;  // is reset for every patch
        st = lattice_patch(
            &field, om__place_level(&field, places->cell_m), places,
            (struct patch){0, 0, places->columns, places->rows}, value);
    }
    if (!st) om__values_finish(&field, value, n);
    om_arena_deinit(&scratch);
    om__fields_release(fields, held);
    return st;
}
