// vector_routes.c - vector tiles of layers and units.
#include "web/server/server_internal.h"

static om_status read_ask(struct om__request *r, const char *name,
                          const struct om_tile_address *tile, void *ask)
{
    (void)tile, (void)ask;
    OM_TRY(om__request_tile_layer(r, name));
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "there are no vector tiles; heat:LAYER is a picture");
}

static om_status add_key(struct om__request *r, const void *ask,
                         struct om_buf *key)
{
    (void)r, (void)ask;
    return key->status;
}

static om_status draw(struct om__request *r, void *ask,
                      const struct om_tile_address *tile, struct om_buf *out)
{
    (void)r, (void)ask, (void)tile;
    return out->status;
}

static void forget(void *ask)
{
    (void)ask;
}

const struct om__tile_maker om__vector_maker = {
    .kind = "vector",
    .params = "",
    .head = &om__head_mvt,
    .ask_bytes = 1,
    .read = read_ask,
    .key = add_key,
    .draw = draw,
    .forget = forget,
};
