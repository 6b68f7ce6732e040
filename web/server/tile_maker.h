// tile_maker.h - tiles of any name: what makes them, and what answers.
#ifndef OM_WEB_SERVER_TILE_MAKER_H
#define OM_WEB_SERVER_TILE_MAKER_H

#include "web/server/reply.h"
#include "web/server/server_internal.h"
#include "web/vector.h"

/** What names of heat maps begin with. */
#define OM__HEAT "heat:"
/** What their addresses may ask. */
#define OM__HEAT_PARAMS                                         \
    "filter filter-lang datetime at kernel bandwidth halflife " \
    "weight per palette with_filter with_datetime form"
/* What a tile is made from, beside what is asked for. */
struct om__tile_roots {
    bool local;      // of the rows in and around it (request->needs) and of
                     // `look` alone: its ETag is known before it is drawn
    bool whole;      // of `look` alone: so is its ETag
    uint64_t look;   // hash of figures, classes and sizes that it shares with
                     // all tiles of the map; whole: of all that it shows
    const char *by;  // layer of which any row that changes may make another
                     // look, if that is not told (looks.c); or NULL
};
/* One way of making tiles. `read` takes the parameters (and request->layer);
 * `key` adds whatever else is asked for, in one writing for all that mean the
 * same, to a key that has place, scale, policy, kind and name; `roots` notes
 * what the tile depends on, or sets request->later; `draw` appends the tile's
 * bytes, or sets request->later. They get the same `ask_bytes` of zeroed
 * memory; what `forget` frees is valid zeroed. */
struct om__tile_maker {
    const char *kind;
    const char *params;  // names it knows, blank-separated
    const struct om__head *head;
    size_t ask_bytes;
    om_status (*read)(struct om__request *request, const char *name,
                      const struct om_tile_address *tile, void *ask);
    om_status (*key)(struct om__request *request, const void *ask,
                     struct om_buf *key);
    om_status (*roots)(struct om__request *request, const void *ask,
                       const struct om_tile_address *tile,
                       struct om__tile_roots *out);
    om_status (*draw)(struct om__request *request, void *ask,
                      const struct om_tile_address *tile, struct om_buf *out);
    void (*forget)(void *ask);
};
extern const struct om__tile_maker om__heat_maker, om__vector_maker,
    om__picture_maker, om__days_maker, om__dots_maker, om__cover_maker;
/** Answer with the tile of a name; extension and scale are in `tile`. What
 *  other spellings of addresses of tiles end in. */
om_status om__tile_answer(struct om__request *request, const char *name,
                          const struct om_tile_address *tile) OM_MUST_USE;
// days_routes.c: what all tiles of days share
extern const struct om__head om__head_days;
/** The layer has no time: OM_E_UNSUPPORTED, said. */
om_status om__days_none(struct om__request *request,
                        const struct om_layer *layer) OM_MUST_USE;
/** More days, or cells and days, than a tile holds: OM_E_COST, said. */
om_status om__days_too_many(struct om__request *request) OM_MUST_USE;
/** Does the tile of the rows in a box have to wait for a worker? Then
 *  request->later. Large ones are made one at a time, so that their memory is
 *  that of one, too. */
om_status om__days_wait(struct om__request *request,
                        const struct om_layer *layer, struct om_box box,
                        bool *wait) OM_MUST_USE;
/** Have rows on vector tiles of the request's layer no ids? So where
 *  `properties` does not ask for it, for whoever is told of so many rows and no
 *  more: with an id each row that is shown is one of them. */
bool om__vector_nameless(const struct om__request *request,
                         const struct om_vector_ask *ask);
/** Where a tile lies, all of it. */
struct om_box om__tile_box(const struct om_tile_address *tile);
/** Would there be a tile of that name and kind, for these parameters? */
om_status om__tile_check(struct om__request *request, const char *name,
                         const char *extension) OM_MUST_USE;
/** The layer called so, or that of the units of a level called so, into
 *  request->layer; 404 if there is neither. */
om_status om__request_tile_layer(struct om__request *request,
                                 const char *name) OM_MUST_USE;

#endif
