// matters.h - what can be done at a service centre: a made-up list in the
// manner of the public ones.
#ifndef OM_DATA_SYNTH_MATTERS_H
#define OM_DATA_SYNTH_MATTERS_H

#include "data/base/buf.h"
#include "data/synth/city_internal.h"

/* Fewest and most that one centre has; 94 on average. */
#define OM__MATTERS_LEAST 80u
#define OM__MATTERS_MOST 108u
/** Bytes of the longest list. */
#define OM__MATTERS_BYTES 5120

/** Append `count` names, separated by ";": those that every centre has, and of
 *  the others as many as the dice of centre `i` choose. In the order of the
 *  list. */
char *om__put_matters(char *at, const struct om__city *city, uint64_t i,
                      uint32_t count);
/** The member "community" of city.json: layers, the list of matters by group,
 *  public holidays. */
void om__add_community(struct om_buf *out);

#endif
