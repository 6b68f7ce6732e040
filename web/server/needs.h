// needs.h - what an answer depends on, and whether that has changed.
#ifndef OM_WEB_SERVER_NEEDS_H
#define OM_WEB_SERVER_NEEDS_H

#include "web/server/server_internal.h"

/** The answer depends on a layer, where it lies in `box` (OM__EVERYWHERE: as a
 *  whole). Boxes of several are united. */
void om__needs_layer(struct om__request *request, const char *layer,
                     struct om_box box);
/** On the layers of units, and so on what they are called. */
void om__needs_units(struct om__request *request);
/** On the moment: it is another answer from beat to beat. */
void om__needs_beat(struct om__request *request);
/** On everything, whatever else was said. */
void om__needs_city(struct om__request *request);
/** On nothing that changes. */
void om__needs_nothing(struct om__request *request);
/** On everything that the other answer depends on. */
void om__needs_answer(struct om__request *request,
                      const struct om__answer *answer);
/** Nothing of what was said before counts. */
void om__needs_forget(struct om__request *request);
/** Newest sequence of a change in what is needed, at least 1; UINT64_MAX where
 *  a layer is gone. */
uint64_t om__needs_changed(struct om_server *server,
                           const struct om__needs *needs);
/** Would the answer be the same now? cost: a look-up a layer */
bool om__answer_current(struct om_server *server,
                        const struct om__answer *answer);
/** What is kept under a key and current (counted), or NULL. */
struct om__answer *om__answer_find(struct om_server *server, const void *key,
                                   size_t len);
/** A moment down to the beat, and the city's now so. */
int64_t om__beat(const struct om_server *server, int64_t moment_s);
#define OM__EVERYWHERE ((struct om_box){0, 0, UINT32_MAX, UINT32_MAX})

#endif
