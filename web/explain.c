// explain.c - what makes the value at a place.
#include "web/explain.h"

#include <math.h>
#include <string.h>

#include "engine/shape/shape.h"

static void find_step(const struct om_legend *legend,
                      struct om_explain_pixel *pixel)
{
    pixel->step = -1;
    while (pixel->step + 1 < OM_LEGEND_STEPS &&
           pixel->value >= (double)legend->from[pixel->step + 1])
        pixel->step++;
}

/* The pixel's tile is evaluated as for a picture, so that the number is the
 * one that was painted. */
static om_status find_pixel(const struct om_heat_world *world,
                            const struct om_heat_view *view, double x, double y,
                            unsigned zoom, struct om_arena *arena,
                            struct om_explain_pixel *out)
{
    const double per_px = OM_POS_SIDE / ldexp(OM_TILE_SIDE_PX, (int)zoom);
    const uint32_t col = (uint32_t)(x / per_px), row = (uint32_t)(y / per_px);
    *out = (struct om_explain_pixel){.z = zoom,
                                     .col = col % OM_TILE_SIDE_PX,
                                     .row = row % OM_TILE_SIDE_PX,
                                     .x = col / OM_TILE_SIDE_PX,
                                     .y = row / OM_TILE_SIDE_PX};
    const struct om_field_window window = {
        .z = zoom, .x = out->x, .y = out->y, .side_px = OM_TILE_SIDE_PX};
    float *value = om_arena_calloc(arena, OM_TILE_SIDE_PX * OM_TILE_SIDE_PX,
                                   sizeof *value);
    if (!value) return OM_E_MEMORY;
    const struct om_risk *risk = &view->bound->risk;
    const struct om_legend *legend = &view->painted[OM_PALETTE_DARK];
    if (risk->coarse_m > 0)
        OM_TRY(om_risk_shown(world->fields, risk, &window, legend, arena,
                             value));
    else
        OM_TRY(om_risk_window(world->fields, risk, &window, arena, value,
                              NULL));
    out->value = (double)value[out->row * OM_TILE_SIDE_PX + out->col];
    if (isinf(out->value)) out->value = NAN;
    find_step(legend, out);
    return OM_OK;
}

om_status om_explain(const struct om_heat_world *world,
                     const struct om_heat_view *view, double lon_deg,
                     double lat_deg, unsigned zoom, struct om_arena *arena,
                     struct om_explanation *out)
{
    const struct om_risk *risk = &view->bound->risk;
    double x, y;
    *out = (struct om_explanation){.view = view,
                                   .lon_deg = lon_deg,
                                   .lat_deg = lat_deg,
                                   .mean = NAN,
                                   .relative = NAN,
                                   .percentile = NAN};
    OM_TRY(om_pos_world(lon_deg, lat_deg, &x, &y));
    // The eastern edge of the world is its last column.
    x = fmin(x, OM_POS_SIDE - 1);
    y = fmin(y, OM_POS_SIDE - 1);
    OM_TRY(om_risk_exact(risk, x, y, &out->value, out->part));
    OM_TRY(om_risk_strongest(risk, x, y, OM_EXPLAIN_ROWS, out->row, &out->rows,
                             out->reached));
    OM_TRY(find_pixel(world, view, x, y, zoom, arena, &out->pixel));
    const struct om_risk_spread *spread = view->spread;
    const struct om_pos pos = {(uint32_t)x, (uint32_t)y};
    out->outside =
        world->region && om_partition_find(world->region, pos) == OM_NO_UNIT;
    if (risk->exposures)
        out->mean = view->totals.mean;
    else if (spread && spread->area_km2 > 0.0)
        out->mean = view->totals.numerator / spread->area_km2;
    if (out->mean > 0.0) out->relative = out->value.value / out->mean;
    if (spread && !out->outside)
        out->percentile =
            100.0 * om_risk_spread_below(spread, out->value.value);
    return OM_OK;
}

const struct om_legend_grade *om_explain_grade(double relative)
{
    const struct om_legend_grade *grade = NULL;
    for (size_t i = 0; i < OM_LEGEND_GRADES; i++)
        if (relative >= om_legend_grade[i].relative)
            grade = &om_legend_grade[i];
    return grade;
}
