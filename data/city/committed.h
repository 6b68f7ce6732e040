// committed.h - a second city.json, by which an older one is known and mended.
#ifndef OM_DATA_CITY_COMMITTED_H
#define OM_DATA_CITY_COMMITTED_H

#include <stdbool.h>

#include "data/city/manifest.h"

/* DESIGN in committed.c. */
#define OM_COMMITTED_FILE "city.committed.json"
/** How the text of om_committed_check begins. */
#define OM_COMMITTED_OLDER "city.json is an older copy"

/** Keep what was just written as city.json, as CITY/city.committed.json, with
 *  the city's lock. Not being able to is told in the log only: what is kept is
 *  an older one then, which proves nothing. cost: a file and its sync */
void om_committed_keep(const char *city, const struct om_manifest *m);
/**
 * Is city.json, as it was read, the one that was committed last?
 *
 * returns  OM_OK  also where that is not known: nothing is kept, or of another
 *                 city, or files that it names are gone, or city.json is not
 *                 that one any more
 *          OM_E_DAMAGED  an older one stands in its place; err says which, and
 *                 what to do
 */
om_status om_committed_check(const char *city, const struct om_manifest *m,
                             struct om_err *err) OM_MUST_USE;
/** Is one kept? Then the folder is a city, whatever has become of city.json. */
bool om_committed_exists(const char *city);
/** Is `m` an older one of the same city? */
bool om_committed_is_older(const struct om_manifest *m,
                           const struct om_manifest *newest);
/**
 * Let an older city.json name what the newest commit did: which files and
 * journal there are is of the newest, all that people write into it as it is.
 *
 * returns  OM_E_FORMAT  not only rows were written to files in between: layers
 *                       were imported, or are described otherwise. err says
 *                       what; `older` is as it was
 * owns     lists of parts stay `newest`'s, which must outlive `older`
 */
om_status om_committed_merge(struct om_manifest *older,
                             const struct om_manifest *newest,
                             struct om_err *err) OM_MUST_USE;

struct om_committed_taken {
    uint64_t older, newest;  // sequences; equal: nothing was to be done
    bool merged;             // what was edited is kept
    char aside[OM_LIMIT_NAME_BYTES];  // the older one, in the city's folder;
                                      // "": there was none
};
/**
 * Put the newest commit in the place of a city.json that is gone, is none, or
 * is an older one (om_committed_check says so), with what is edited in that
 * where it can be merged.
 *
 * returns  OM_E_BUSY (somebody writes the city), OM_E_IO, OM_E_FORMAT;
 * city.json is as it was then
 */
om_status om_committed_take(const char *city, struct om_committed_taken *out,
                            struct om_err *err) OM_MUST_USE;

#endif
