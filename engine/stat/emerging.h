// emerging.h - what kind of hotspot an area is becoming.
#ifndef OM_ENGINE_STAT_EMERGING_H
#define OM_ENGINE_STAT_EMERGING_H

#include "data/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* The seventeen classes; a cold one is the hot one's negative. */
enum om_emerging {
    OM_EMERGING_NONE,
    OM_EMERGING_NEW,
    OM_EMERGING_CONSECUTIVE,
    OM_EMERGING_INTENSIFYING,
    OM_EMERGING_PERSISTENT,
    OM_EMERGING_DIMINISHING,
    OM_EMERGING_SPORADIC,
    OM_EMERGING_OSCILLATING,
    OM_EMERGING_HISTORICAL,
    OM_EMERGING_CLASSES,
};

/**
 * Class of an area from the bins of its slices (fdr.h) and the trend of its z.
 * Hot is a bin of `least` or more, cold one of -least or less. The first that
 * holds, of those that are hot in the last slice:
 *
 *   90 % of the slices hot:  intensifying (z rises significantly),
 *                            diminishing (falls), persistent (neither)
 *   new           hot in the last slice and never before
 *   consecutive   hot in two or more last slices and never before them
 *   oscillating   cold in some slice before
 *   sporadic      all others
 * and of those that are not: historical (90 % of the slices hot). Cold ones
 * likewise, with the signs turned.
 *
 * shapes   bin [slices], `stride` elements apart
 * trend    -1 z falls, 1 z rises, 0 neither
 * returns  a class, negative if cold
 * source   Esri, ArcGIS Pro, How Emerging Hot Spot Analysis works; where two
 *          of its definitions hold (a new hotspot that was cold before) the
 *          one that it lists first
 * test     tests/engine/test_emerging.c (all sequences of up to 8 slices)
 */
int om_emerging_class(const int8_t *bin, size_t slices, size_t stride,
                      int least, int trend);
/** "new", "consecutive" ...; "none". Of the class without its sign. */
const char *om_emerging_name(int emerging);
/** First slice of the run of significant ones, of the last one's sign, that
 *  ends with the last; `slices` if that is not significant. */
size_t om_emerging_since(const int8_t *bin, size_t slices, size_t stride,
                         int least);

#endif
