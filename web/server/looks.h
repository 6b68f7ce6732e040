// looks.h - by what classes and sizes layers are drawn, and whether they still
// are.
#ifndef OM_WEB_SERVER_LOOKS_H
#define OM_WEB_SERVER_LOOKS_H

#include "web/picture.h"
#include "web/vector.h"

/* DESIGN in looks.c. threads: any. */
struct om_server;
struct om__looks;
om_status om__looks_new(struct om__looks **out) OM_MUST_USE;
void om__looks_free(struct om__looks *looks);

/** A picture of rows was made of the snapshot of this sequence. Copies. Nothing
 *  of who has an area, or only counts rows. */
void om__looks_note(struct om__looks *looks,
                    const struct om_picture_bound *bound, uint64_t sequence,
                    uint64_t look);
/** The same of vector tiles of lines or polygons of a layer (om_vector_look).
 */
void om__looks_note_vector(struct om__looks *looks,
                           const struct om_vector_ask *ask,
                           const struct om_layer *layer, uint64_t sequence,
                           uint64_t look);
/** Look again at the layers that were written to, and say which are drawn
 *  otherwise now. Once a second. */
void om__looks_tell(struct om__looks *looks, struct om_server *server);

#endif
