// wmts.h - WMTS 1.0.0: what its two files share.
#ifndef OM_WEB_SERVER_WMTS_H
#define OM_WEB_SERVER_WMTS_H

#include "web/server/maps.h"

/** Months of a layer's time that are listed as values, at most. */
#define OM__WMTS_MONTHS 240
/** Which of the time's values means all of it. */
#define OM__WMTS_ALL "all"
#define OM__WMTS_STYLES 2
/** The styles; the first is the default. */
extern const char *const om__wmts_style[OM__WMTS_STYLES];

/* One of the tile matrix sets by a name that WMTS clients use. Corners are
 * written in the order of axes that the spelling of the CRS implies: with a
 * URN the authority's, with the plain code x before y. */
struct om__wmts_set {
    const char *id, *crs, *corner, *scales;
    const struct om__matrix_set *set;  // by om__wmts_set_at
};
/** The sets of the capabilities; false past the end. */
bool om__wmts_set_at(size_t i, struct om__wmts_set *out);
/** By name, GoogleMapsCompatible too. NULL: there is none. */
const struct om__matrix_set *om__wmts_set_find(const char *id);

/** Answer with the capabilities. */
om_status om__wmts_capabilities(struct om__request *request) OM_MUST_USE;
/** Append text as XML: what it means in markup escaped, what XML 1.0 cannot
 *  hold left out. */
void om__xml_add(struct om_buf *out, const char *text);

#endif
