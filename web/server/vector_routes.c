// vector_routes.c - vector tiles of layers and units.
#include <string.h>

#include "web/server/bounds.h"
#include "web/server/jobs.h"
#include "web/server/looks.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/tile_maker.h"

/* Seconds that may be spent on what tiles share before one goes to a worker. */
#define HERE_S 0.005

/* What a vector tile shows. */
struct vector_ask {
    struct om_vector_ask ask;
    const char *name;
    uint64_t crowd;
};

bool om__vector_nameless(const struct om__request *r,
                         const struct om_vector_ask *ask)
{
    return r->who->rows && ask->some &&
           !ask->column[r->layer->schema.id_field] && !om__rows_open(r->layer);
}

static om_status read_columns(struct om__request *r, struct om_vector_ask *ask)
{
    const char *properties = om__param_text(r, "properties");
    const char *by = om__param_text(r, "by");
    if (properties) {
        r->parameter = "properties";
        OM_TRY(om_vector_ask_properties(ask, r->layer, properties, &r->err));
        ask->nameless = om__vector_nameless(r, ask);
    }
    if (by) {
        r->parameter = "by";
        OM_TRY(om_vector_ask_by(ask, r->layer, by, &r->err));
    }
    r->parameter = NULL;
    return OM_OK;
}

static om_status read_ask(struct om__request *r, const char *name,
                          const struct om_tile_address *tile, void *memory)
{
    struct vector_ask *vector = memory;
    (void)tile;
    if (!strncmp(name, OM__HEAT, strlen(OM__HEAT)))
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "a heat map is a picture: its tiles end in .png");
    OM_TRY(om__request_tile_layer(r, name));
    vector->name = name;
    om_vector_ask_begin(&vector->ask, r->layer);
    if (om__crowds_only(r, r->layer)) {
        // Nothing by which somebody could be singled out.
        static const char *const singling[] = {"filter", "datetime",
                                               "properties", "by"};
        for (size_t i = 0; i < sizeof singling / sizeof *singling; i++)
            if (om__param_text(r, singling[i]))
                return om__rows_allowed(r, r->layer);
        vector->ask.by = OM_NO_FIELD;
        vector->ask.some = true;
        const uint64_t least = r->layer->rights.smallest_count;
        vector->crowd = least > OM__CROWD ? least : OM__CROWD;
    }
    OM_TRY(read_columns(r, &vector->ask));
    OM_TRY(om__param_datetime(r, &vector->ask.window));
    return om__param_filter(r, &vector->ask.filter);
}

static om_status add_key(struct om__request *r, const void *memory,
                         struct om_buf *key)
{
    const struct vector_ask *vector = memory;
    const struct om_vector_ask *ask = &vector->ask;
    const char *filter = ask->filter ? om_filter_canonical(ask->filter) : "";
    const struct {
        uint64_t set, by, some, nameless, crowd;
        int64_t from_s, to_s;
    } numbers = {ask->window.set, ask->by,       ask->some,
                 ask->nameless,   vector->crowd, ask->window.from_s,
                 ask->window.to_s};
    om_buf_add(key, &numbers, sizeof numbers);
    om_buf_add(key, ask->column, r->layer->schema.count);
    return om_buf_add(key, filter, strlen(filter));
}

/* A point is in the tile that holds it, and there as it is or counted. How
 * shapes are drawn depends on their neighbours' borders, and which of them on
 * the fullest tile: when that changes, all of the layer is told to have changed
 * (looks.c), if nothing of it is hidden from who asks. */
static om_status find_roots(struct om__request *r, const void *memory,
                            const struct om_tile_address *tile,
                            struct om__tile_roots *out)
{
    const struct vector_ask *vector = memory;
    const struct om_vector_spec spec = om_vector_ask_spec(
        &vector->ask, r->snapshot, r->layer, NULL, vector->name);
    struct om_box box = om__tile_box(tile);
    out->local = r->layer->schema.geometry == OM_GEOMETRY_POINT;
    if (out->local)
        out->look = om_vector_points_most(&spec);
    else if (r->layer->rights.hash)
        box = OM__EVERYWHERE;
    else
        OM_TRY(om_vector_reach(r->server->vectors, &spec, tile->z, tile->x,
                               tile->y, &box));
    om__needs_layer(r, r->layer->name, box);
    return OM_OK;
}

/* Shapes of the whole layer that are drawn otherwise concern all its tiles. */
static om_status note_look(struct om__request *r,
                           const struct om_vector_ask *ask,
                           const struct om_vector_spec *spec)
{
    uint64_t look;
    if (r->layer->schema.geometry == OM_GEOMETRY_POINT || r->layer->rights.hash)
        return OM_OK;
    OM_TRY(om_vector_look(r->server->vectors, spec, &look));
    om__looks_note_vector(r->server->looks, ask, r->layer,
                          r->snapshot->sequence, look);
    return OM_OK;
}

/* Does the tile have to wait for a worker? */
static bool must_wait(struct om__request *r, const struct om_vector_spec *spec,
                      const struct om_tile_address *tile)
{
    const double cost_s =
        om_vector_cost_s(r->server->vectors, spec, tile->z, tile->x, tile->y);
    if (cost_s > OM__HEAVY_S) return om__wait_heavy(r);
    if (cost_s <= HERE_S || r->on_worker) return false;
    r->later = true;
    return true;
}

/* Are rows told one by one: by their ids, or by texts that are many rows' own
 * (names, addresses)? Kinds and numbers are what a picture is drawn from. */
static bool tells_rows(const struct om_layer *layer,
                       const struct om_vector_spec *spec)
{
    const struct om_schema *s = &layer->schema;
    if (om__rows_open(layer)) return false;
    if (!spec->nameless) return true;
    for (size_t f = 0; f + layer->unit_columns < s->count; f++) {
        const enum om_type type = s->field[f].type;
        if (f == s->id_field || s->hidden[f]) continue;
        if (spec->column && !spec->column[f]) continue;
        if (type == OM_TYPE_TEXT) return true;
        if (type == OM_TYPE_CATEGORY && om_vector_by_check(layer, f))
            return true;
    }
    return false;
}

static om_status draw(struct om__request *r, void *memory,
                      const struct om_tile_address *tile, struct om_buf *out)
{
    const struct vector_ask *vector = memory;
    const struct om_vector_ask *ask = &vector->ask;
    struct om_selection *selection = NULL;
    // A filter may have to pass over columns first.
    if ((ask->filter || ask->window.set) && !r->on_worker) {
        r->later = true;
        return OM_OK;
    }
    OM_TRY(om_select(r->server->selections, r->layer, ask->filter, ask->window,
                     &selection));
    struct om_vector_spec spec =
        om_vector_ask_spec(ask, r->snapshot, r->layer, selection, vector->name);
    spec.crowd = vector->crowd;
    r->told_rows = 0;
    if (tells_rows(r->layer, &spec)) spec.shown = &r->told_rows;
    // As of the newest change in the tile: it is the same tile until then.
    int64_t at_s = 0;
    const uint64_t changed =
        om__rights_changed(r, r->layer, om__tile_box(tile), &at_s);
    if (changed && changed <= r->snapshot->sequence && at_s)
        spec.as_of_s = at_s;
    om_status st = OM_OK;
    if (!must_wait(r, &spec, tile)) {
        st = note_look(r, ask, &spec);
        if (!st)
            st = om_vector_tile(r->server->vectors, &spec, tile->z, tile->x,
                                tile->y, &om__lane(r->server)->arena, out);
    }
    om_selection_unref(selection);
    return st;
}

static void forget(void *memory)
{
    struct vector_ask *vector = memory;
    om_filter_free(vector->ask.filter);
}

const struct om__tile_maker om__vector_maker = {
    .kind = "vector",
    .params = "filter filter-lang datetime properties by",
    .head = &om__head_mvt,
    .ask_bytes = sizeof(struct vector_ask),
    .read = read_ask,
    .key = add_key,
    .roots = find_roots,
    .draw = draw,
    .forget = forget,
};
