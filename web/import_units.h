// import_units.h - fill in the unit columns of a city that is being written.
#ifndef OM_WEB_IMPORT_UNITS_H
#define OM_WEB_IMPORT_UNITS_H

#include "data/city/manifest.h"

typedef bool om_import_wanted_fn(void *ctx, const char *layer,
                                 const char *level);
/**
 * Join every part that has no unit columns yet, or whose levels have changed,
 * with the city's units, and note the new files in `m`. `sequence` names the
 * files; parts of that sequence are the new ones. Levels are ordered finest
 * first by their number of units. wanted (NULL: all) says which levels a layer
 * gets.
 *
 * returns  OM_E_EXISTS if a layer has a column of its own called like a level
 */
om_status om_import_units(const char *city, struct om_manifest *m,
                          uint64_t sequence, om_import_wanted_fn *wanted,
                          void *ctx, struct om_err *err) OM_MUST_USE;

#endif
