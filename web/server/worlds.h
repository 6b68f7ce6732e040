// worlds.h - models and the city's area, of one commit.
#ifndef OM_WEB_SERVER_WORLDS_H
#define OM_WEB_SERVER_WORLDS_H

#include "web/server/server_internal.h"

struct om__world {
    struct om_models *models;
    uint64_t version;  // hash of what the models say
};
/** Changes when a layer of units does. */
uint64_t om__units_serial(const struct om_snapshot *snapshot);
struct om__worlds;
/** Reads the models once, so that it is known which are good. */
om_status om__worlds_new(const char *city, const struct om_snapshot *snapshot,
                         struct om__worlds **out) OM_MUST_USE;
void om__worlds_free(struct om__worlds *worlds);
/** Read models and exposures again; any that is wrong leaves all as it was, and
 *  err says which. */
om_status om__worlds_reload(struct om__worlds *worlds,
                            const struct om_snapshot *snapshot,
                            struct om_err *err) OM_MUST_USE;
/** What was read last; NULL: nothing was. owns: om_models_unref */
struct om_models *om__worlds_models(struct om__worlds *worlds);
/** The world of the request's snapshot, into request->world; kept until the
 *  request ends. */
om_status om__request_world(struct om__request *request) OM_MUST_USE;
struct om__world *om__world_ref(struct om__world *world);
void om__world_unref(struct om__world *world);
/** What heat maps are made with; the city's area is made by who comes first. */
om_status om__world_heat(struct om__world *world, struct om__request *request,
                         struct om_heat_world *out) OM_MUST_USE;

#endif
