// publish.h - a release: what of a city may be public, as a city of its own.
#ifndef OM_WEB_PUBLISH_H
#define OM_WEB_PUBLISH_H

#include <stdbool.h>

#include "data/base/buf.h"
#include "data/base/status.h"

/* Strings are borrowed. */
struct om_publish_options {
    const char *city;
    const char *out;   // folder of the release
    const char *plan;  // what is to be published; NULL: CITY/publish.json
    bool replace;      // a release that is there
    bool withdraw;     // figures that it tells and the plan lists no more
};

/**
 * Write a release of a city: rows of the layers and columns that publish.json
 * lists, statistics that it lists one by one, outlines of units; and nothing
 * else. Whatever it does not name stays out, and what the city marks as not
 * public stays out though it is named.
 *
 * The release appears whole or not at all. The same city and plan make the same
 * bytes; in the place of a release that says the same nothing is changed.
 *
 * shapes   *words gets what was published, what was held back and why, as lines
 * returns  OM_E_NOTFOUND  no city, no plan
 *          OM_E_FORMAT    the plan cannot be read or asks for what is never
 *                         public, or (withdraw not set) no more for what is
 *                         out already; err names the member
 *          OM_E_EXISTS    `out` is there (and replace is not set, or it is no
 *                         release)
 *          OM_E_BUSY, OM_E_IO, OM_E_MEMORY, OM_E_DAMAGED
 *          `out` is as it was then
 * threads  any number on different folders
 * test     tests/web/publish.test.mjs
 */
om_status om_publish_run(const struct om_publish_options *options,
                         struct om_buf *words, struct om_err *err) OM_MUST_USE;

/** Is text a plan that can be read? Layers are not looked at.
 *  returns  OM_E_FORMAT, err naming the member */
om_status om_publish_check(const char *text, size_t len,
                           struct om_err *err) OM_MUST_USE;

#endif
