// picture_routes.c - pictures of layers, units and the base map as tiles.
#include <string.h>

#include "data/base/hash.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/pictures.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/stats_rates.h"
#include "web/server/tile_maker.h"
#include "web/small.h"

/* Rows above which a tile is drawn by a worker: some 5 ms of looking. */
#define ROWS_HERE 300000

/* What a tile shows. */
struct picture_ask {
    struct om_picture_bound bound;
    unsigned side_px;  // of a tile that is not @2x
};

/* Units that are smaller than persons may be counted by. */
static om_status check_level(struct om__request *r,
                             const struct om_layer *layer,
                             const struct om_picture_bound *bound)
{
    if (bound->kind != OM_PICTURE_UNITS || bound->outline ||
        !om__crowd_too_fine(r, layer, bound->level))
        return OM_OK;
    return om__rows_refused(r, "counts by so small a unit");
}

static om_status check_crowds(struct om__request *r,
                              const struct om_layer *layer,
                              const struct om_picture_bound *bound)
{
    return om__crowds_only(r, layer) ? check_level(r, layer, bound) : OM_OK;
}

/* What a rate is per has rows of its own; where they are about persons they are
 * counted by whole months (web/crowds.h), and not added up. */
static om_status check_per(struct om__request *r,
                           const struct om_picture_bound *bound)
{
    struct om_exposures named = {0};
    const struct om_exposure *per = bound->per;
    if (bound->per_text) {
        OM_TRY(om_exposures_read(r->snapshot->manifest, &named, &r->err));
        per = om_exposures_find(&named, bound->per_text);
    }
    const struct om_layer *layer =
        per ? om_snapshot_layer(r->snapshot, per->layer) : NULL;
    bool veiled = false;
    const bool summed = per && per->weight;
    if (layer && summed) (void)om_small_weight(layer, per->weight, &veiled);
    om_exposures_deinit(&named);
    if (!layer) return OM_OK;
    if (summed) OM_TRY(om__rows_allowed(r, layer));
    return veiled ? check_level(r, layer, bound)
                  : check_crowds(r, layer, bound);
}

om_status om__picture_allowed(struct om__request *r,
                              const struct om_picture_bound *bound)
{
    // Anyone may see how many there are by unit.
    const bool counts = bound->kind == OM_PICTURE_UNITS && !bound->filter &&
                        !bound->window.set && !bound->outline &&
                        !bound->compared && bound->stat == OM_STAT_COUNT;
    if (!counts && bound->layer) OM_TRY(om__rows_allowed(r, bound->layer));
    if (bound->layer) OM_TRY(check_crowds(r, bound->layer, bound));
    return check_per(r, bound);
}

om_status om__picture_bind(struct om__request *r, const char *name,
                           struct om_picture_bound *out)
{
    const char *lang, *option = NULL;
    OM_TRY(om__param_word(r, "filter-lang", "cql2-text cql-text", "cql2-text",
                          &lang));
    struct om_picture_ask ask = {
        .name = name,
        .palette = om__param_text(r, "palette"),
        .labels = om__param_text(r, "labels"),
        .lang = om__param_text(r, "lang"),
        .filter = om__param_text(r, "filter"),
        .datetime = om__param_text(r, "datetime"),
        .by = om__param_text(r, "by"),
        .stat = om__param_text(r, "stat"),
        .layer = om__param_text(r, "layer"),
        .column = om__param_text(r, "column"),
        .per = om__param_text(r, "per"),
        .with_filter = om__param_text(r, "with_filter"),
        .with_datetime = om__param_text(r, "with_datetime"),
        .ramp = om__param_text(r, "ramp"),
        .now_s = r->now_s};
    const om_status st =
        om_picture_bind(r->snapshot, &ask, out, &option, &r->err);
    if (st && option) {
        r->parameter = option;
        if (st == OM_E_NOTFOUND || st == OM_E_TYPE)
            r->error_status = MHD_HTTP_BAD_REQUEST;
    }
    r->layer = out->layer;
    return st ? st : om__picture_allowed(r, out);
}

static om_status read_ask(struct om__request *r, const char *name,
                          const struct om_tile_address *tile, void *ask)
{
    struct picture_ask *p = ask;
    const char *size;
    (void)tile;
    OM_TRY(om__picture_bind(r, name, &p->bound));
    if (p->bound.kind != OM_PICTURE_BASE && om__param_text(r, "lang"))
        return om__param_bad(r, "lang", OM_E_FORMAT,
                             "only the base map has names to be written");
    OM_TRY(om__param_word(r, "size", "256 512", "256", &size));
    p->side_px = !strcmp(size, "512") ? 512 : 256;
    return OM_OK;
}

static om_status add_key(struct om__request *r, const void *ask,
                         struct om_buf *key)
{
    const struct picture_ask *p = ask;
    (void)r;
    om_buf_add(key, &p->side_px, sizeof p->side_px);
    return om_buf_add(key, p->bound.canonical.bytes, p->bound.canonical.len);
}

static struct om_view view_of(const struct picture_ask *p,
                              const struct om_tile_address *tile)
{
    return om_view_tile(tile->z, tile->x, tile->y, p->side_px * tile->scale,
                        tile->scale);
}

/* Shapes are drawn to find out: a box that meets the tile says little. */
static void find_rows_roots(struct om__request *r, const struct picture_ask *p,
                            const struct om_picture *picture,
                            const struct om_view *view,
                            struct om__tile_roots *out)
{
    const struct om_layer *layer = p->bound.layer;
    struct om_box box;
    if (!om_picture_local(picture, view, &box, &out->look)) {
        om__picture_needs(r, &p->bound);
        return;
    }
    out->local = layer->schema.geometry == OM_GEOMETRY_POINT;
    if (layer->rights.area || layer->rights.crowds) out->by = layer->name;
    om__needs_layer(r, layer->name, box);
}

/* Units change as a whole set. */
static void find_units_roots(struct om__request *r, const struct picture_ask *p,
                             const struct om_picture *picture,
                             const struct om_view *view,
                             struct om__tile_roots *out)
{
    const struct om_layer *units =
        om_snapshot_units(r->snapshot, p->bound.level);
    om__picture_needs(r, &p->bound);
    out->whole = units && om_picture_units_look(picture, view, &out->look);
    if (!out->whole) return;
    const uint64_t changed =
        om_city_changed(r->server->city, units->name, OM__EVERYWHERE);
    out->look = om_hash64(&changed, sizeof changed, out->look);
}

/* Only of a picture that is ready it is known what its tiles have in common. */
static om_status find_roots(struct om__request *r, const void *ask,
                            const struct om_tile_address *tile,
                            struct om__tile_roots *out)
{
    const struct picture_ask *p = ask;
    const struct om_view view = view_of(p, tile);
    struct om_picture *picture;
    if (p->bound.kind == OM_PICTURE_BASE) {
        om__base_needs(r, &p->bound, &view);
        return OM_OK;
    }
    OM_TRY(om__picture_get(r, &p->bound, &picture));
    if (!picture) return OM_OK;  // later
    if (p->bound.kind == OM_PICTURE_ROWS)
        find_rows_roots(r, p, picture, &view, out);
    else
        find_units_roots(r, p, picture, &view, out);
    om_picture_unref(picture);
    return OM_OK;
}

static om_status draw(struct om__request *r, void *ask,
                      const struct om_tile_address *tile, struct om_buf *out)
{
    const struct picture_ask *p = ask;
    struct om_picture *picture;
    OM_TRY(om__picture_get(r, &p->bound, &picture));
    if (!picture) return OM_OK;
    const struct om_view view = view_of(p, tile);
    om_status st = OM_OK;
    if (!r->on_worker && om_picture_rows_in(picture, &view) > ROWS_HERE)
        r->later = true;
    else
        st = om_picture_png(picture, &view, &om__lane(r->server)->arena, out);
    om_picture_unref(picture);
    return st;
}

static void forget(void *ask)
{
    struct picture_ask *p = ask;
    om_picture_bound_deinit(&p->bound);
}

const struct om__tile_maker om__picture_maker = {
    .kind = "picture",
    .params = "filter-lang size " OM_PICTURE_OPTIONS,
    .head = &om__head_png,
    .ask_bytes = sizeof(struct picture_ask),
    .read = read_ask,
    .key = add_key,
    .roots = find_roots,
    .draw = draw,
    .forget = forget,
};
