// pictures.h - the base map and pictures made ready.
#ifndef OM_WEB_SERVER_PICTURES_H
#define OM_WEB_SERVER_PICTURES_H

#include "web/server/server_internal.h"

/** fonts: as om_font_open. Without a font maps have no labels; that is logged.
 */
om_status om__pictures_new(const char *fonts,
                           struct om__pictures **out) OM_MUST_USE;
void om__pictures_free(struct om__pictures *pictures);
/** Forget what was made (another process has changed city.json). */
void om__pictures_clear(struct om__pictures *pictures);
/** As om__views_sweep. */
void om__pictures_sweep(struct om__pictures *pictures);
/** The table of pictures, for /metrics. */
struct om__made *om__pictures_table(struct om__pictures *pictures);
/** Note what a view of the base map depends on. */
void om__base_needs(struct om__request *request,
                    const struct om_picture_bound *bound,
                    const struct om_view *view);
/** Note what a picture as a whole depends on. */
void om__picture_needs(struct om__request *request,
                       const struct om_picture_bound *bound);
/** Why maps have no labels; NULL if they have. */
const char *om__pictures_no_font(const struct om__pictures *pictures);
/** The font, or NULL. Borrowed. */
struct om_font *om__pictures_font(const struct om__pictures *pictures);
/** A picture that was asked for. Not ready and not on a worker: sets
 *  request->later and gives NULL. owns: *out with om_picture_unref */
om_status om__picture_get(struct om__request *request,
                          const struct om_picture_bound *bound,
                          struct om_picture **out) OM_MUST_USE;
// picture_routes.c
/** The request's parameters as an ask about the picture `name`.
 *  owns: *out with om_picture_bound_deinit, also on failure */
om_status om__picture_bind(struct om__request *request, const char *name,
                           struct om_picture_bound *out) OM_MUST_USE;
/** May whoever asks see the picture? 401 if not. */
om_status om__picture_allowed(struct om__request *request,
                              const struct om_picture_bound *bound) OM_MUST_USE;

// picture_legend.c
/** The legend of a picture that is no heat map; the name is in the address. */
om_status om__picture_legend(struct om__request *request, bool png);

#endif
