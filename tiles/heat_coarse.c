/* heat_coarse.c - maps of what is about single persons, for who only counts.
 *
 * DESIGN
 * Where a step of the legend begins is a line, and on it the field is known as
 * exactly as the line is drawn: with deep zooms to a ten-thousandth. Whoever
 * knows where the houses stand has as many equations as he looks at pixels, and
 * solves them for what each house weighs. So the field is looked at only in the
 * nodes of a lattice that lies still in the world, half a bandwidth apart, and
 * of each node only the step is taken; between nodes it is smooth. Whatever
 * zoom, place or form is asked for, no more is told than one step for each
 * node: a few numbers of four bits for as many houses as a kernel holds.
 *
 * Coarser zooms, whose pixels are no smaller than the lattice, are drawn as
 * they are.
 */
#include <math.h>

#include "tiles/heat_internal.h"

/* Nodes that each value is smooth between, along either side. */
#define NEAR 4

/* Along one side: for each pixel the first of its nodes, and their weights. */
struct axis {
    int64_t first;  // node
    size_t nodes;
    size_t *at;  // [pixels] from `first`
    double (*weight)[NEAR];
};

static unsigned zoom_of(const struct om_field_window *window)
{
    return window->z + (window->side_px > OM_TILE_SIDE_PX);
}

bool om__risk_is_coarse(const struct om_risk *risk,
                        const struct om_field_window *window)
{
    return risk->coarse_m > 0 &&
           zoom_of(window) > om_risk_zoom(risk, risk->coarse_m);
}

/* Cubic B-spline: smooth, and never beyond the values it lies between. */
static void spline(double t, double weight[NEAR])
{
    const double s = 1 - t;
    weight[0] = s * s * s / 6;
    weight[1] = (3 * t * t * t - 6 * t * t + 4) / 6;
    weight[2] = (3 * s * s * s - 6 * s * s + 4) / 6;
    weight[3] = t * t * t / 6;
}

/* `tile`: x or y of the window; nodes are pixels' centres of `zoom`. */
static om_status axis_init(const struct om_field_window *window, uint32_t tile,
                           unsigned zoom, struct om_arena *arena,
                           struct axis *out)
{
    const size_t n = window->side_px;
    const double finer =
        ldexp((double)n / OM_TILE_SIDE_PX, (int)window->z - (int)zoom);
    out->at = om_arena_alloc(arena, n * sizeof *out->at);
    out->weight = om_arena_alloc(arena, n * sizeof *out->weight);
    if (!out->at || !out->weight) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const double u = ((double)tile * (double)n + (double)i + 0.5) / finer;
        const double base = floor(u - 0.5);
        if (!i) out->first = (int64_t)base - 1;
        out->at[i] = (size_t)((int64_t)base - 1 - out->first);
        spline(u - 0.5 - base, out->weight[i]);
    }
    out->nodes = out->at[n - 1] + NEAR;
    return OM_OK;
}

/* Middle of a node, grid cells; the world ends at its edges. */
static double node_at(int64_t node, unsigned zoom)
{
    const double side = ldexp(OM_POS_SIDE / OM_TILE_SIDE_PX, -(int)zoom);
    return fmin(fmax(((double)node + 0.5) * side, 0), OM_POS_SIDE - 1);
}

/* The middle of the value's step. */
static float middle_of(const struct om_legend *legend, float value)
{
    unsigned step = 0;
    if (!isfinite(value)) return value;
    while (step < OM_LEGEND_STEPS && value >= legend->from[step]) step++;
    const float low = step ? legend->from[step - 1] : 0;
    const float high = step < OM_LEGEND_STEPS ? legend->from[step] : low * 1.4f;
    return (low + high) / 2;
}

/* Steps of all nodes, [rows * columns]. */
static om_status look(struct om_fields *fields, const struct om_risk *risk,
                      unsigned zoom, const struct axis *x, const struct axis *y,
                      const struct om_legend *legend, float nothing,
                      struct om_arena *arena, float **out)
{
    const size_t n = x->nodes * y->nodes;
    double *at_x = om_arena_alloc(arena, n * sizeof *at_x);
    double *at_y = om_arena_alloc(arena, n * sizeof *at_y);
    float *value = om_arena_alloc(arena, n * sizeof *value);
    float *exposure =
        risk->exposures ? om_arena_alloc(arena, n * sizeof *exposure) : NULL;
    if (!at_x || !at_y || !value || (risk->exposures && !exposure))
        return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        at_x[i] = node_at(x->first + (int64_t)(i % x->nodes), zoom);
        at_y[i] = node_at(y->first + (int64_t)(i / x->nodes), zoom);
    }
    const struct om_places places = {
        .columns = x->nodes, .rows = y->nodes, .x = at_x, .y = at_y};
    OM_TRY(om_risk_places(fields, risk, &places, arena, value, exposure));
    for (size_t i = 0; i < n; i++)
        value[i] = exposure && exposure[i] < nothing
                       ? -INFINITY
                       : middle_of(legend, value[i]);
    *out = value;
    return OM_OK;
}

/* Between 4 x 4 nodes: unknown, or nothing, where most of them are. */
static float between(const float *node, size_t columns, const double *wx,
                     const double *wy)
{
    double sum = 0, known = 0, nothing = 0;
    for (size_t j = 0; j < NEAR; j++)
        for (size_t i = 0; i < NEAR; i++) {
            const float v = node[j * columns + i];
            const double w = wx[i] * wy[j];
            if (isfinite(v)) {
                sum += w * (double)v;
                known += w;
            } else if (!isnan(v)) {
                nothing += w;
            }
        }
    const double unknown = 1 - known - nothing;
    if (known >= nothing && known >= unknown && known > 0)
        return (float)(sum / known);
    return nothing >= unknown ? -INFINITY : NAN;
}

om_status om__risk_coarse(struct om_fields *fields, const struct om_risk *risk,
                          const struct om_field_window *window,
                          const struct om_legend *legend, float nothing,
                          struct om_arena *arena, float *value)
{
    const unsigned zoom = om_risk_zoom(risk, risk->coarse_m);
    const size_t side = window->side_px;
    struct axis x, y;
    float *node;
    OM_TRY(axis_init(window, window->x, zoom, arena, &x));
    OM_TRY(axis_init(window, window->y, zoom, arena, &y));
    OM_TRY(look(fields, risk, zoom, &x, &y, legend, nothing, arena, &node));
    for (size_t row = 0; row < side; row++)
        for (size_t col = 0; col < side; col++)
            value[row * side + col] =
                between(node + y.at[row] * x.nodes + x.at[col], x.nodes,
                        x.weight[col], y.weight[row]);
    return OM_OK;
}
