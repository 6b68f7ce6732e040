// days_routes.c - tiles of days: a heat map's rows by cell and day.
#include "tiles/days.h"

#include "web/server/bounds.h"
#include "web/server/handlers.h"
#include "web/server/heat_ask.h"
#include "web/server/jobs.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/tile_maker.h"
#include "web/server/views.h"

/* A row that is added up, written and packed. */
#define ROW_S 60e-9

const struct om__head om__head_days = {.type = "application/vnd.onemap.days",
                                       .cache = OM__CACHE_DATA,
                                       .compress = true,
                                       .none_204 = true};

struct days_ask {
    struct om_risk_bound *bound;
};

om_status om__days_none(struct om__request *r, const struct om_layer *layer)
{
    return om_fail(&r->err, OM_E_UNSUPPORTED, 0,
                   "the layer %s has no time, and so no days", layer->name);
}

om_status om__days_too_many(struct om__request *r)
{
    return om__param_bad(r, "datetime", OM_E_COST,
                         "a tile of days holds %d days and %zu cells and days "
                         "at most: a shorter datetime, or a deeper zoom, is "
                         "less",
                         OM_DAYS_MOST, OM_DAY_SUMS_MOST);
}

/* What is no sum over rows cannot be put together from their days. */
static om_status check_kind(struct om__request *r,
                            const struct om_risk_bound *bound)
{
    if (bound->model)
        return om_fail(&r->err, OM_E_UNSUPPORTED, 0,
                       "a model's map has no tiles of days: %s is not the "
                       "density of one layer",
                       bound->name);
    if (bound->layer->schema.time_field == OM_NO_FIELD)
        return om__days_none(r, bound->layer);
    // Of persons not even those who may see a map of them are told by day.
    if (om__heat_personal(bound))
        return om__rows_refused(r, "what the map weighs");
    return OM_OK;
}

static om_status read_days(struct om__request *r, const char *name,
                           const struct om_tile_address *tile, void *memory)
{
    struct days_ask *ask = memory;
    (void)tile;
    OM_TRY(om__request_heat(r, name, &ask->bound));
    return check_kind(r, ask->bound);
}

static om_status add_key(struct om__request *r, const void *memory,
                         struct om_buf *key)
{
    const struct days_ask *ask = memory;
    return om__view_key(r, ask->bound, key);
}

static om_status find_roots(struct om__request *r, const void *memory,
                            const struct om_tile_address *tile,
                            struct om__tile_roots *out)
{
    const struct days_ask *ask = memory;
    struct om_days_tile days;
    OM_TRY(om_days_tile_init(&ask->bound->risk.term[0].spec, tile->z, tile->x,
                             tile->y, &days));
    out->local = true;
    om__needs_layer(r, ask->bound->layer->name, days.box);
    return OM_OK;
}

static om_status count_days(struct om__request *r,
                            const struct om_risk_bound *bound,
                            const struct om_days_tile *tile,
                            struct om_days *out)
{
    const struct om_query query = {
        .snapshot = r->snapshot,
        .layer = bound->layer,
        .cache = r->server->selections,
        .place = {.kind = OM_PLACE_BOX, .box = tile->box},
        .filter = bound->term[0].filter,
        .window = bound->term[0].window};
    const om_status st =
        om_query_days(&query, &tile->net, r->snapshot->manifest->zone_s,
                      bound->risk.term[0].spec.weight.column, out);
    return st == OM_E_COST ? om__days_too_many(r) : st;
}

om_status om__days_wait(struct om__request *r, const struct om_layer *layer,
                        struct om_box box, bool *wait)
{
    uint64_t rows;
    const struct om_query all = {.snapshot = r->snapshot,
                                 .layer = layer,
                                 .cache = r->server->selections,
                                 .place = {.kind = OM_PLACE_BOX, .box = box}};
    OM_TRY(om_query_count(&all, &rows));
    *wait =
        (double)rows * ROW_S > OM__HEAVY_S ? om__wait_heavy(r) : !r->on_worker;
    if (*wait) r->later = true;
    return OM_OK;
}

static om_status draw(struct om__request *r, void *memory,
                      const struct om_tile_address *address, struct om_buf *out)
{
    const struct days_ask *ask = memory;
    const struct om_risk_bound *bound = ask->bound;
    struct om_days_tile tile;
    struct om_days days;
    bool wait;
    OM_TRY(om_days_tile_init(&bound->risk.term[0].spec, address->z, address->x,
                             address->y, &tile));
    OM_TRY(om__days_wait(r, bound->layer, tile.box, &wait));
    if (wait) return OM_OK;
    OM_TRY(count_days(r, bound, &tile, &days));
    const om_status st = om_days_write(&tile, &days, out);
    om_days_deinit(&days);
    return st;
}

static void forget(void *memory)
{
    struct days_ask *ask = memory;
    om_risk_bound_free(ask->bound);
}

const struct om__tile_maker om__days_maker = {
    .kind = "days",
    .params = "filter filter-lang datetime kernel bandwidth weight",
    .head = &om__head_days,
    .ask_bytes = sizeof(struct days_ask),
    .read = read_days,
    .key = add_key,
    .roots = find_roots,
    .draw = draw,
    .forget = forget,
};
