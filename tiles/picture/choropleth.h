// choropleth.h - units coloured by a number or a word that each of them has.
#ifndef OM_TILES_PICTURE_CHOROPLETH_H
#define OM_TILES_PICTURE_CHOROPLETH_H

#include "tiles/picture/classes.h"
#include "tiles/picture/level.h"

/** Classes that units may have: analyses have more kinds than rows. */
#define OM_UNIT_CLASSES_MOST 18

/* What a unit may be instead of having a class; each looks different. */
#define OM_UNIT_ZERO 251
#define OM_UNIT_HIDDEN 252   // may not be told
#define OM_UNIT_UNKNOWN 253  // cannot be told
#define OM_UNIT_ABSENT 254   // nobody said: not connected, not drawn

/* One class for each unit of a level, whoever made it: a count, a rate, a
 * hotspot, a coverage. */
struct om_unit_classes {
    size_t units, classes;
    struct om_class class[OM_UNIT_CLASSES_MOST];
    uint8_t *of;  // [units], by id as in om_units; owned
    char title[OM_LIMIT_NAME_BYTES * 3], title_en[OM_LIMIT_NAME_BYTES * 3];
    char unit[OM_LIMIT_NAME_BYTES], unit_en[OM_LIMIT_NAME_BYTES];
    bool zero, hidden, unknown;           // there are such units
    char zero_text[OM_LIMIT_NAME_BYTES];  // of zero; empty: "0"
    char zero_text_en[OM_LIMIT_NAME_BYTES];
    bool zero_clear;  // zero has its borders alone: what lies below is seen
    bool outline;     // borders only, to be seen on the base map
};
void om_unit_classes_deinit(struct om_unit_classes *classes);

/* Numbers of units and what they are. NaN: unknown. */
struct om_unit_numbers {
    const double *value;  // [count]
    size_t count;
    bool whole;  // counts
};
/**
 * Classes of numbers, one a unit, by breaks made from `scale`: the same
 * question without filter and time, so that months and filters share a legend,
 * or both sides of a comparison; `share` is what the breaks are multiplied
 * with.
 * owns     out->of
 */
om_status om_unit_classes_of(const struct om_unit_numbers *numbers,
                             const struct om_unit_numbers *scale, double share,
                             struct om_unit_classes *out) OM_MUST_USE;
/** Give steps of numbers the other ramp, which a heat map above is told from.
 */
void om_unit_classes_cool(struct om_unit_classes *classes);

/** What class i is filled with; `classes` itself stands for zero. */
struct om_colour om_choropleth_fill(const struct om_unit_classes *classes,
                                    size_t i, enum om_palette palette);
/** What units that are unknown or hidden are hatched with, and borders. */
struct om_colour om_unit_hatch_colour(enum om_palette palette);
struct om_colour om_choropleth_edge(const struct om_unit_classes *classes,
                                    enum om_palette palette);

/** Add the borders of a level to the canvas' raster, as they are drawn over
 *  units; false: at this scale they are not. */
bool om_choropleth_borders(const struct om_level *level,
                           struct om_canvas *canvas);
/** Pixels around a window whose units it may show a part of. */
#define OM_CHOROPLETH_PX 2
/** Draw the units of a level. Classes share pixels exactly: no seams.
 *  returns OM_E_MEMORY */
om_status om_choropleth_draw(const struct om_level *level,
                             const struct om_unit_classes *classes,
                             enum om_palette palette, struct om_canvas *canvas,
                             struct om_arena *arena) OM_MUST_USE;

#endif
