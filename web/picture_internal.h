// picture_internal.h - what the files of picture.h share.
#ifndef OM_WEB_PICTURE_INTERNAL_H
#define OM_WEB_PICTURE_INTERNAL_H

#include "web/picture.h"

/** The classes of a choropleth: one number for each unit of `level`. */
om_status om__picture_units(const struct om_picture_bound *bound,
                            const struct om_snapshot *snapshot,
                            const struct om_level *level,
                            struct om_selections *cache,
                            struct om_unit_classes *out,
                            struct om_err *err) OM_MUST_USE;

/** The classes of a choropleth of an analysis' answer. */
om_status om__picture_answer(const struct om_picture_bound *bound,
                             const struct om_snapshot *snapshot,
                             const struct om_level *level,
                             struct om_selections *cache,
                             struct om_unit_classes *out,
                             struct om_err *err) OM_MUST_USE;
/** Is it a statistic of hotspots; a kind of coverage that has units? */
bool om__picture_is_hotspots(const char *stat);
bool om__picture_is_coverage(const char *stat);
/** A kind of coverage that may be asked of a period? */
bool om__picture_is_dated(const char *stat);

#endif
