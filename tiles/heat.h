// heat.h - a heat tile: a window of a field, coloured and written as PNG.
#ifndef OM_TILES_HEAT_H
#define OM_TILES_HEAT_H

#include "data/base/buf.h"
#include "engine/risk/risk.h"

#define OM_TILE_SIDE_PX 256
#define OM_LEGEND_STEPS 16
/** Of these so many apart begin at a line: more could not be told apart. That
 *  of a risk's mean is one of them. */
#define OM_LEGEND_LINE_EVERY 3

/* Breaks of a legend: step i colours values in [from[i], from[i + 1]), the
 * last one everything from from[15] on; below from[0] is transparent. What is
 * not a number is unknown and has a colour of its own: neither low nor high.
 * One legend for all zooms. */
struct om_legend {
    float from[OM_LEGEND_STEPS];
    uint8_t rgba[OM_LEGEND_STEPS + 1][4];  // [0] transparent
    uint8_t unknown[4];
    const char *unit;  // "per km2"
    bool lines;        // where steps begin, some of them, instead of areas
};

enum om_palette { OM_PALETTE_DARK, OM_PALETTE_LIGHT };
bool om_palette_from_name(const char *name, enum om_palette *out);

/** The legend of densities up to `most`: 16 steps at (k / 17)^2 of it. */
void om_legend_density(double most, enum om_palette palette,
                       struct om_legend *out);

/* The four grades of risk, lowest first, as they are called everywhere: 蓝,
 * 黄, 橙, 红. A grade reaches from `relative` times the mean to the next. */
#define OM_LEGEND_GRADES 4
struct om_legend_grade {
    const char *name, *title, *colour;  // low, 低, 蓝
    double relative;                    // 0, 1, 2, 4
    unsigned step;                      // first of its steps
};
extern const struct om_legend_grade om_legend_grade[OM_LEGEND_GRADES];
/** Relative risk where step i begins: 0 for the first, then powers of the
 *  square root of 2, alike below and above 1. */
double om_legend_relative_from(unsigned step);
/** The legend of risks whose mean is `mean`: steps are ratios to it, coloured
 *  by grade. A risk of 0 is known, and low: it has the first colour. */
void om_legend_relative(double mean, enum om_palette palette,
                        struct om_legend *out);
/** The same legend for lines of equal value: seen on any ground, opaque. */
void om_legend_lines(const struct om_legend *from, enum om_palette palette,
                     struct om_legend *out);
/** One swatch a step, lowest below, unknown at the bottom: a palette PNG. */
om_status om_legend_png(const struct om_legend *legend,
                        struct om_buf *png) OM_MUST_USE;

/**
 * The legend of a layer's field: from the unfiltered field; a filter takes it
 * scaled by its share of the weight. All zooms and places the same.
 */
om_status om_heat_legend(struct om_fields *fields,
                         const struct om_field_spec *spec,
                         struct om_selections *cache, enum om_palette palette,
                         struct om_legend *out) OM_MUST_USE;
/** Colour `value` [side * side] by the legend and write a palette PNG: NaN is
 *  unknown, -INFINITY nothing at all. Transparent tiles take a short way. */
om_status om_heat_png(const float *value, unsigned side_px,
                      const struct om_legend *legend, struct om_arena *arena,
                      struct om_buf *png) OM_MUST_USE;
/** Both together: what a request for one tile does. */
om_status om_heat_tile(struct om_fields *fields,
                       const struct om_field_spec *spec,
                       const struct om_field_window *window,
                       const struct om_legend *legend, struct om_arena *arena,
                       struct om_buf *png) OM_MUST_USE;
/** What a map of a risk shows: its values, [side * side], with -INFINITY where
 *  nothing is exposed within reach: there is nothing to know. Of a coarse risk
 *  (coarse_m) it is smooth between steps of the legend. */
om_status om_risk_shown(struct om_fields *fields, const struct om_risk *risk,
                        const struct om_field_window *window,
                        const struct om_legend *legend,
                        struct om_arena *arena, float *value) OM_MUST_USE;
/** The colour of each value of a square, [side * side]: red, green, blue,
 * alpha. returns OM_E_MEMORY */
om_status om_legend_colours(const struct om_legend *legend, const float *value,
                            unsigned side_px, struct om_arena *arena,
                            uint8_t (*rgba)[4]) OM_MUST_USE;
/** The same of a risk. Where less than one unit is exposed within reach there
 *  is nothing to know: such pixels are transparent, not unknown. */
om_status om_risk_png(struct om_fields *fields, const struct om_risk *risk,
                      const struct om_field_window *window,
                      const struct om_legend *legend, struct om_arena *arena,
                      struct om_buf *png) OM_MUST_USE;

#endif
