// heat.h - a heat tile: a window of a field, coloured and written as PNG.
#ifndef OM_TILES_HEAT_H
#define OM_TILES_HEAT_H

#include "data/base/buf.h"
#include "engine/field/field.h"

#define OM_TILE_SIDE_PX 256
#define OM_LEGEND_STEPS 16

/* Breaks of a legend: step i colours values in [from[i], from[i + 1]), the
 * last one everything from from[15] on; below from[0] is transparent. One
 * legend for all zooms. */
struct om_legend {
    float from[OM_LEGEND_STEPS];
    uint8_t rgba[OM_LEGEND_STEPS + 1][4]; // [0] transparent
    const char *unit;                     // "per km2"
};

enum om_palette { OM_PALETTE_DARK, OM_PALETTE_LIGHT };
bool om_palette_from_name(const char *name, enum om_palette *out);

/**
 * The legend of a layer's field: from the unfiltered field; a filter takes it
 * scaled by its share of the weight. All zooms and places the same.
 */
om_status om_heat_legend(struct om_fields *fields,
                         const struct om_field_spec *spec,
                         struct om_selections *cache, enum om_palette palette,
                         struct om_legend *out) OM_MUST_USE;
/** Colour `value` [side * side] by the legend and write a palette PNG. Tiles
 *  of a single colour take a short way. */
om_status om_heat_png(const float *value, unsigned side_px,
                      const struct om_legend *legend, struct om_arena *arena,
                      struct om_buf *png) OM_MUST_USE;
/** Both together: what a request for one tile does. */
om_status om_heat_tile(struct om_fields *fields,
                       const struct om_field_spec *spec,
                       const struct om_field_window *window,
                       const struct om_legend *legend,
                       struct om_arena *arena, struct om_buf *png)
    OM_MUST_USE;

#endif
