// map_caption.h - what a legend of /map.png says of the question.
#ifndef OM_WEB_SERVER_MAP_CAPTION_H
#define OM_WEB_SERVER_MAP_CAPTION_H

#include "engine/risk/bind.h"
#include "tiles/picture/key.h"

/* What one map of several was asked for. Texts are those of the address, NULL
 * where it says nothing or the map does not know them. */
struct om__map_caption {
    const char *filter, *datetime;            // CQL2; FROM/TO
    const char *with_filter, *with_datetime;  // the other side of a comparison
    const char *halflife;                     // days
    const struct om_risk_bound *heat;         // NULL: it is none
    bool timed;                               // rows of it have times
    unsigned opacity;                         // per cent
};

/**
 * Write it below a legend's title, line by line: period, filter, the other
 * side, kernel, bandwidth, weight, half-life, opacity. A filter is broken into
 * lines of `columns` letters (of Chinese half as many), and where it is longer
 * than those that there are it ends with "…".
 * test     tests/web/test_caption.c
 */
void om__map_caption(const struct om__map_caption *asked,
                     enum om_language language, size_t columns,
                     struct om_key *key);

#endif
