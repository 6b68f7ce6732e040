// heat_routes.c - heat tiles, their TileJSON, legend, and value at a place.
#include <math.h>
#include <string.h>

#include "engine/layer/build.h"
#include "engine/shape/shape.h"
#include "web/server/server_internal.h"

/* Bandwidth where none is asked for: some city blocks. Ground metres. */
#define BANDWIDTH_DEFAULT_M 800.0
/* Zoom of the pixel that /value speaks of when none is named: 0.6 m wide. */
#define VALUE_ZOOM_DEFAULT 18

static om_status read_layer(struct om__request *r, const char *name, size_t len)
{
    char layer[OM_LIMIT_NAME_BYTES];
    const size_t prefix = sizeof OM__HEAT - 1;
    if (len <= prefix || strncmp(name, OM__HEAT, prefix) != 0 ||
        len - prefix >= sizeof layer)
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "there is no such map; heat:LAYER is one");
    memcpy(layer, name + prefix, len - prefix);
    layer[len - prefix] = '\0';
    OM_TRY(om__request_layer(r, layer));
    if (r->layer->schema.geometry != OM_GEOMETRY_POINT)
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "heat is of points, and that layer has none");
    return OM_OK;
}

/* A bandwidth whose legend can be made; it is told what would be. */
static om_status read_bandwidth(struct om__request *r, double *out)
{
    const double least = om__bandwidth_least_m(r->layer);
    *out = fmax(BANDWIDTH_DEFAULT_M, least);
    OM_TRY(om__param_real(r, "bandwidth", OM_BANDWIDTH_MIN_M,
                          OM_BANDWIDTH_MAX_M, out));
    if (*out >= least) return OM_OK;
    return om__param_bad(r, "bandwidth", OM_E_COST,
                         "a bandwidth of %g m over the %llu rows of %s would "
                         "cost too much; the smallest that is served is %g m",
                         *out, (unsigned long long)r->layer->rows,
                         r->layer->name, least);
}

/* The parameters of a field. owns: ask->filter. */
static om_status read_ask(struct om__request *r, struct om__view_ask *ask)
{
    const char *kernel;
    *ask = (struct om__view_ask){.weight_column = OM_NO_FIELD};
    OM_TRY(om__param_word(r, "kernel", "quartic gaussian", "quartic", &kernel));
    if (!strcmp(kernel, "gaussian")) ask->kernel = OM_KERNEL_GAUSSIAN;
    OM_TRY(read_bandwidth(r, &ask->bandwidth_m));
    OM_TRY(om__param_column(r, "weight", &ask->weight_column));
    if (ask->weight_column != OM_NO_FIELD) {
        const enum om_type type =
            r->layer->schema.field[ask->weight_column].type;
        if (type != OM_TYPE_INTEGER && type != OM_TYPE_REAL)
            return om__param_bad(r, "weight", OM_E_TYPE,
                                 "the column is not a number");
    }
    OM_TRY(om__param_datetime(r, &ask->window));
    return om__param_filter(r, &ask->filter);
}

static om_status read_palette(struct om__request *r, enum om_palette *out)
{
    const char *name;
    OM_TRY(om__param_word(r, "palette", "dark light", "dark", &name));
    *out = !strcmp(name, "light") ? OM_PALETTE_LIGHT : OM_PALETTE_DARK;
    return OM_OK;
}

/* What a heat tile shows. */
struct heat_ask {
    struct om__view_ask view;
    enum om_palette palette;
};

static om_status read_heat(struct om__request *r, const char *name,
                           const struct om_tile_address *tile, void *ask)
{
    struct heat_ask *heat = ask;
    (void)tile;
    OM_TRY(read_layer(r, name, strlen(name)));
    OM_TRY(read_palette(r, &heat->palette));
    return read_ask(r, &heat->view);
}

static om_status add_heat_key(struct om__request *r, const void *ask,
                              struct om_buf *key)
{
    const struct heat_ask *heat = ask;
    om_buf_add_byte(key, (uint8_t)heat->palette);
    return om__view_key(r, &heat->view, key);
}

static om_status draw_heat(struct om__request *r, void *ask,
                           const struct om_tile_address *tile,
                           struct om_buf *out)
{
    const struct heat_ask *heat = ask;
    struct om__view *view = NULL;
    om_status st = om__view_get(r, &heat->view, &view);
    if (st || !view) return st;
    const struct om_field_window window = {
        .z = tile->z,
        .x = tile->x,
        .y = tile->y,
        .side_px = OM_TILE_SIDE_PX * tile->scale};
    st = om_heat_tile(r->server->fields, &view->spec, &window,
                      &view->legend[heat->palette], &om__lane(r->server)->arena,
                      out);
    om__view_unref(view);
    return st;
}

static void forget_heat(void *ask)
{
    struct heat_ask *heat = ask;
    om_filter_free(heat->view.filter);
}

const struct om__tile_maker om__heat_maker = {
    .kind = "heat",
    .params = "filter filter-lang datetime kernel bandwidth weight palette",
    .head = &om__head_png,
    .ask_bytes = sizeof(struct heat_ask),
    .read = read_heat,
    .key = add_heat_key,
    .draw = draw_heat,
    .forget = forget_heat,
};

/* "name.json" -> length of the name, 0 if it ends otherwise. */
static size_t json_stem(const char *name)
{
    const size_t len = strlen(name);
    return len > 5 && !strcmp(name + len - 5, ".json") ? len - 5 : 0;
}

static void add_text(struct om_buf *out, const char *text)
{
    om_buf_add_json_text(out, text, strlen(text));
}

static void add_colour(struct om_buf *out, const uint8_t rgba[4])
{
    om_buf_addf(out, "\"#%02x%02x%02x\",\"opacity\":", rgba[0], rgba[1],
                rgba[2]);
    om_buf_add_fixed(out, rgba[3] / 255.0, 3);
}

static void add_field(const struct om__request *r,
                      const struct om__view_ask *ask, struct om_buf *out)
{
    om_buf_add_text(out, "{\"name\":\"heat:");
    om_buf_add_text(out, r->layer->name);
    om_buf_addf(out, "\",\"kernel\":\"%s\",\"bandwidth_m\":",
                ask->kernel == OM_KERNEL_GAUSSIAN ? "gaussian" : "quartic");
    om_buf_add_json_real(out, ask->bandwidth_m);
    om_buf_add_text(out, ",\"weight\":");
    if (ask->weight_column == OM_NO_FIELD)
        om_buf_add_text(out, "null");
    else
        add_text(out, r->layer->schema.field[ask->weight_column].name);
}

om_status om__get_legend(struct om__request *r)
{
    const char *name = r->address.segment[1];
    struct om__view_ask ask = {0};
    struct om__view *view = NULL;
    struct om_buf out = {0};
    enum om_palette palette;
    OM_TRY(read_layer(r, name, json_stem(name)));
    OM_TRY(read_palette(r, &palette));
    om_status st = read_ask(r, &ask);
    if (st) goto done;
    st = om__view_get(r, &ask, &view);
    if (st || !view) goto done;

    const struct om_legend *legend = &view->legend[palette];
    add_field(r, &ask, &out);
    om_buf_add_text(&out, ",\"unit\":");
    add_text(&out, legend->unit ? legend->unit : "per km2");
    om_buf_addf(&out, ",\"palette\":\"%s\",\"rows\":%llu,\"total\":",
                palette == OM_PALETTE_LIGHT ? "light" : "dark",
                (unsigned long long)view->spec.selection->count);
    om_buf_add_json_real(&out, view->weight_sum);
    om_buf_add_text(&out, ",\"steps\":[");
    for (size_t i = 0; i < OM_LEGEND_STEPS; i++) {
        om_buf_add_text(&out, i ? ",{\"from\":" : "{\"from\":");
        om_buf_add_json_real(&out, (double)legend->from[i]);
        om_buf_add_text(&out, ",\"color\":");
        add_colour(&out, legend->rgba[i + 1]);
        om_buf_add_text(&out, "}");
    }
    om_buf_add_text(&out, "]}\n");
    st = om__reply_kept(r, &out, &om__head_json, NULL, 0);
done:
    om__view_unref(view);
    om_filter_free(ask.filter);
    return st;
}

/* Looking for the unit that holds a position. */
struct holder {
    struct om__request *request;
    const struct om_layer *layer;
    struct om_pos pos;
    struct om_hit hit;
    bool found;
    om_status status;
};

static bool test_unit(void *ctx, const struct om_hit *hit)
{
    struct holder *h = ctx;
    struct om_rings rings;
    h->status = om_segment_rings(h->layer->part[hit->part].segment, hit->row,
                                 hit->row + 1, &rings);
    if (h->status) return false;
    if (!om_rings_contain(&rings, hit->row, h->pos)) return true;
    h->found = true;
    h->hit = *hit;
    return false;
}

static om_status add_unit(struct holder *h, struct om_buf *out)
{
    struct om_text_reader reader = {0};
    const size_t name = om_schema_find(&h->layer->schema, "name");
    const size_t column[] = {h->layer->schema.id_field, name};
    static const char *const label[] = {"{\"id\":", ",\"name\":"};
    om_status st = OM_OK;
    for (int i = 0; i < 2 && !st; i++) {
        const char *text = NULL;
        size_t len = 0;
        om_buf_add_text(out, label[i]);
        if (column[i] != OM_NO_FIELD)
            st = om_segment_text(h->layer->part[h->hit.part].segment, column[i],
                                 h->hit.row, &reader, &text, &len);
        if (text)
            om_buf_add_json_text(out, text, len);
        else
            om_buf_add_text(out, "null");
    }
    om_buf_add_text(out, "}");
    om_text_reader_deinit(&reader);
    return st;
}

/* The unit of each level at a position; null where there is none. */
static om_status add_units(struct om__request *r, struct om_pos pos,
                           struct om_buf *out)
{
    bool first = true;
    om_buf_add_text(out, ",\"units\":{");
    for (size_t i = 0; i < r->snapshot->layers; i++) {
        const struct om_layer *layer = &r->snapshot->layer[i];
        if (!layer->meta || !layer->meta->unit_level[0] ||
            layer->schema.geometry != OM_GEOMETRY_POLYGON)
            continue;
        struct holder h = {.request = r, .layer = layer, .pos = pos};
        const struct om_query query = {
            .snapshot = r->snapshot,
            .layer = layer,
            .policy = &OM_POLICY_ALL,
            .place = {.kind = OM_PLACE_BOX,
                      .box = {pos.x, pos.y, pos.x, pos.y}}};
        OM_TRY(om_query_each(&query, test_unit, &h));
        OM_TRY(h.status);
        if (!first) om_buf_add_text(out, ",");
        first = false;
        add_text(out, layer->meta->unit_level);
        om_buf_add_text(out, ":");
        if (h.found)
            OM_TRY(add_unit(&h, out));
        else
            om_buf_add_text(out, "null");
    }
    return om_buf_add_text(out, "}");
}

/* The pixel that shows the place at a zoom: its tile's window is evaluated as
 * for a picture, so that the number is the one that was painted. */
static om_status add_pixel(struct om__request *r, const struct om__view *view,
                           double x, double y, unsigned z, struct om_buf *out)
{
    const double per_px = OM_POS_SIDE / ldexp(OM_TILE_SIDE_PX, (int)z);
    const uint32_t col = (uint32_t)(x / per_px), row = (uint32_t)(y / per_px);
    const struct om_field_window window = {.z = z,
                                           .x = col / OM_TILE_SIDE_PX,
                                           .y = row / OM_TILE_SIDE_PX,
                                           .side_px = OM_TILE_SIDE_PX};
    struct om_arena *arena = &om__lane(r->server)->arena;
    float *value = om_arena_calloc(arena, OM_TILE_SIDE_PX * OM_TILE_SIDE_PX,
                                   sizeof *value);
    if (!value) return OM_E_MEMORY;
    OM_TRY(
        om_field_window(r->server->fields, &view->spec, &window, arena, value));
    const float v =
        value[row % OM_TILE_SIDE_PX * OM_TILE_SIDE_PX + col % OM_TILE_SIDE_PX];
    const struct om_legend *legend = &view->legend[OM_PALETTE_DARK];
    int step = -1;
    while (step + 1 < OM_LEGEND_STEPS && v >= legend->from[step + 1]) step++;
    om_buf_addf(out,
                ",\"pixel\":{\"z\":%u,\"x\":%u,\"y\":%u,\"col\":%u,"
                "\"row\":%u,\"value\":",
                z, window.x, window.y, col % OM_TILE_SIDE_PX,
                row % OM_TILE_SIDE_PX);
    om_buf_add_json_real(out, (double)v);
    return om_buf_addf(out, ",\"step\":%d}", step);
}

/* What makes the value: the rows that reach the place. */
static om_status add_reach(struct om__request *r,
                           const struct om__view_ask *ask, struct om_pos pos,
                           struct om_buf *out)
{
    uint64_t count;
    const struct om_query query = {.snapshot = r->snapshot,
                                   .layer = r->layer,
                                   .policy = &OM_POLICY_ALL,
                                   .cache = r->server->selections,
                                   .place = {.kind = OM_PLACE_RADIUS,
                                             .pos = pos,
                                             .radius_m = ask->bandwidth_m},
                                   .filter = ask->filter,
                                   .window = ask->window};
    OM_TRY(om_query_count(&query, &count));
    return om_buf_addf(out, ",\"within\":{\"radius_m\":%.17g,\"count\":%llu}",
                       ask->bandwidth_m, (unsigned long long)count);
}

static om_status write_value(struct om__request *r,
                             const struct om__view_ask *ask,
                             const struct om__view *view, double lon_deg,
                             double lat_deg, unsigned z, struct om_buf *out)
{
    struct om_pos pos;
    double x, y, value;
    OM_TRY(om_pos_from_lonlat(lon_deg, lat_deg, &pos));
    OM_TRY(om_pos_world(lon_deg, lat_deg, &x, &y));
    // The eastern edge of the world is its last column.
    x = fmin(x, OM_POS_SIDE - 1);
    y = fmin(y, OM_POS_SIDE - 1);
    OM_TRY(om_field_exact(&view->spec, x, y, &value));
    add_field(r, ask, out);
    om_buf_add_text(out, ",\"lon\":");
    om_buf_add_json_real(out, lon_deg);
    om_buf_add_text(out, ",\"lat\":");
    om_buf_add_json_real(out, lat_deg);
    om_buf_add_text(out, ",\"value\":");
    om_buf_add_json_real(out, value);
    om_buf_add_text(out, ",\"unit\":\"per km2\"");
    OM_TRY(add_pixel(r, view, x, y, z, out));
    OM_TRY(add_reach(r, ask, pos, out));
    OM_TRY(add_units(r, pos, out));
    return om_buf_add_text(out, "}\n");
}

om_status om__get_value(struct om__request *r)
{
    const char *name = om__param_text(r, "name");
    double lon_deg = NAN, lat_deg = NAN;
    uint64_t z = VALUE_ZOOM_DEFAULT;
    struct om__view_ask ask = {0};
    struct om__view *view = NULL;
    struct om_buf out = {0};
    if (!name) return om__param_bad(r, "name", OM_E_FORMAT, "name is missing");
    OM_TRY(om__param_real(r, "lon", -180, 180, &lon_deg));
    OM_TRY(om__param_real(r, "lat", -85, 85, &lat_deg));
    OM_TRY(om__param_count(r, "z", 0, OM_TILE_ZOOM_MAX, &z));
    if (isnan(lon_deg))
        return om__param_bad(r, "lon", OM_E_FORMAT, "lon is missing");
    if (isnan(lat_deg))
        return om__param_bad(r, "lat", OM_E_FORMAT, "lat is missing");
    OM_TRY(read_layer(r, name, strlen(name)));
    om_status st = read_ask(r, &ask);
    if (st) goto done;
    st = om__view_get(r, &ask, &view);
    if (st || !view) goto done;
    st = write_value(r, &ask, view, lon_deg, lat_deg, (unsigned)z, &out);
    if (!st) st = om__reply_kept(r, &out, &om__head_json, NULL, 0);
done:
    om_buf_deinit(&out);  // empty once it was sent
    om__view_unref(view);
    om_filter_free(ask.filter);
    return st;
}
