// still_import.h - rows that come into files of a city that nobody serves.
#ifndef OM_ENGINE_POLICY_STILL_IMPORT_H
#define OM_ENGINE_POLICY_STILL_IMPORT_H

#include "engine/snapshot.h"

/* DESIGN
 * A server that writes the city holds back what an import changes as it holds
 * back what is written. Where none runs the import does, as nobody knows later
 * how the rows were that it replaces: it opens what was told last before its
 * commit, and writes the next still after it. A crash between the two is said
 * at the next start, which tells rows of the layer as they are. */
struct om_still_hold;

/**
 * Before a commit of the city that puts other rows into layers. *out is NULL
 * where there is nothing to be done: nothing was told yet, none of the layers
 * is about persons, or a server writes the city. Until om_still_hold_end none
 * can begin to.
 *
 * cost     that of om_still_open
 * owns     *out: om_still_hold_end
 */
om_status om_still_hold(const char *city, const char *const *layer,
                        size_t layers, struct om_still_hold **out,
                        struct om_err *err) OM_MUST_USE;
/** After it (done), or without it. NULL is fine. cost: om_still_next's */
om_status om_still_hold_end(struct om_still_hold *hold, bool done,
                            struct om_err *err) OM_MUST_USE;

#endif
