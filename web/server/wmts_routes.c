/* wmts_routes.c - WMTS 1.0.0 by keys and values and by resources.
 *
 * Both ways end in the same few texts (struct ask), which become a tile like
 * those of /tiles, the number under a pixel, or the rows near it. What goes
 * wrong is told as an ExceptionReport (OGC 06-121r3, clause 8).
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "web/server/handlers.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/route.h"
#include "web/server/wmts.h"

/* Pixels around a place within which rows are near it, and rows told. */
#define NEAR_PX 5
#define NEAR_ROWS "10"
/* Parameters of tiles that are handed on; others are ignored, as OGC wants
 * (clients add keys of their own). */
#define HANDED_ON                                                             \
    "filter filter-lang datetime at kernel bandwidth weight halflife per by " \
    "stat column labels with_filter with_datetime form ramp v"
#define PARAMS_MAX 20

/* A request as read; texts as they came, NULL: not given. */
struct ask {
    const char *layer, *style, *time, *set, *matrix, *row, *col, *i, *j;
    bool resource;  // by its path: what is not there is 404
};

/* What is wrong, and with what. */
struct fault {
    const char *code, *locator;
    unsigned status;
};

static om_status report(struct om__request *r, const struct fault *fault,
                        const char *text)
{
    struct om_buf out = {0};
    const struct om__head head = {.type = "application/xml",
                                  .cache = "no-store",
                                  .status = fault->status};
    om_buf_addf(&out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<ows:ExceptionReport xmlns:ows=\"http://www.opengis.net/ows/"
                "1.1\" version=\"1.1.0\" xml:lang=\"en\"><ows:Exception "
                "exceptionCode=\"%s\"",
                fault->code);
    if (fault->locator) {
        om_buf_add_text(&out, " locator=\"");
        om__xml_add(&out, fault->locator);
        om_buf_add_text(&out, "\"");
    }
    om_buf_add_text(&out, "><ows:ExceptionText>");
    om__xml_add(&out, text);
    om_buf_add_text(&out,
                    "</ows:ExceptionText></ows:Exception>"
                    "</ows:ExceptionReport>\n");
    return om__reply(r, &out, &head);
}

static om_status invalid(struct om__request *r, const struct ask *ask,
                         const char *locator, const char *text)
{
    const struct fault fault = {
        "InvalidParameterValue", locator,
        ask->resource ? MHD_HTTP_NOT_FOUND : MHD_HTTP_BAD_REQUEST};
    return report(r, &fault, text);
}

static om_status missing(struct om__request *r, const char *locator)
{
    const struct fault fault = {"MissingParameterValue", locator,
                                MHD_HTTP_BAD_REQUEST};
    return report(r, &fault, "this parameter is missing");
}

/* An error of ours in the words of OWS. */
static om_status report_status(struct om__request *r, om_status status)
{
    const unsigned http =
        r->error_status ? r->error_status : om__http_of(status);
    const bool theirs = http >= 400 && http < 500;
    const char *locator = r->parameter && !strcmp(r->parameter, "datetime")
                              ? "Time"
                              : r->parameter;
    const struct fault fault = {
        theirs && r->parameter ? "InvalidParameterValue" : "NoApplicableCode",
        theirs ? locator : NULL, http};
    char text[OM_ERR_TEXT_BYTES];
    snprintf(text, sizeof text, "%s",
             theirs && r->err.text[0] ? r->err.text : om_status_text(status));
    r->error_status = 0;
    return report(r, &fault, text);
}

/* ---- what is asked */

/* Everything that the tile needs, checked. *done: there is an answer. */
struct tile_ask {
    struct om__map map;
    const struct om__matrix_set *set;
    struct om_tile_address tile;
    struct om_param param[PARAMS_MAX];
    size_t params;
};

static void hand_on(const struct om__request *r, const struct ask *ask,
                    struct tile_ask *out)
{
    for (size_t i = 0; i < r->address.params; i++) {
        const struct om_param *p = &r->address.param[i];
        if (!om__listed(HANDED_ON, p->name) || out->params + 2 >= PARAMS_MAX)
            continue;
        if (ask->time && !strcmp(p->name, "datetime")) continue;
        out->param[out->params++] = *p;
    }
    const char *style =
        ask->style && *ask->style && strcmp(ask->style, "default")
            ? ask->style
            : om__wmts_style[0];
    out->param[out->params++] = (struct om_param){
        .name = "palette", .value = style, .len = strlen(style)};
    if (ask->time && strcmp(ask->time, OM__WMTS_ALL) != 0)
        out->param[out->params++] = (struct om_param){
            .name = "datetime", .value = ask->time, .len = strlen(ask->time)};
}

static bool is_style(const char *style)
{
    if (!style || !*style || !strcmp(style, "default")) return true;
    for (int i = 0; i < OM__WMTS_STYLES; i++)
        if (!strcmp(om__wmts_style[i], style)) return true;
    return false;
}

static om_status out_of_range(struct om__request *r, const struct ask *ask,
                              const struct om__matrix_set *set)
{
    uint64_t z = 0, col = 0;
    if (!om_digits_read(ask->matrix, strlen(ask->matrix), set->last, &z) ||
        z < set->first)
        return invalid(r, ask, "TileMatrix",
                       "there is no tile matrix of that name in the set");
    const bool wide = !om_digits_read(ask->col, strlen(ask->col),
                                      om__matrix_width((unsigned)z) - 1, &col);
    const struct fault fault = {"TileOutOfRange", wide ? "TileCol" : "TileRow",
                                MHD_HTTP_BAD_REQUEST};
    return report(r, &fault, "the tile lies beyond the tile matrix");
}

/* *good false: the answer, a report, is there. */
static om_status read_tile(struct om__request *r, const struct ask *ask,
                           struct tile_ask *out, bool *good)
{
    *good = false;
    const om_status found = om__map_find(r, ask->layer, &out->map);
    if (found == OM_E_WITHHELD) return found;
    if (found)
        return invalid(r, ask, "Layer", "there is no layer of that name");
    if (!is_style(ask->style))
        return invalid(r, ask, "Style", "styles are light and dark");
    out->set = om__wmts_set_find(ask->set);
    if (!out->set)
        return invalid(r, ask, "TileMatrixSet",
                       "there is no tile matrix set of that name");
    const om_status st = om__matrix_tile_read(out->set, ask->matrix, ask->row,
                                              ask->col, &out->tile);
    if (st == OM_E_RANGE) return out_of_range(r, ask, out->set);
    if (st)
        return invalid(r, ask, "TileMatrix",
                       "TileMatrix, TileRow and TileCol are whole numbers");
    hand_on(r, ask, out);
    *good = true;
    return OM_OK;
}

static om_status get_tile(struct om__request *r, const struct ask *ask)
{
    struct tile_ask t = {0};
    bool good;
    const om_status st = read_tile(r, ask, &t, &good);
    if (st || !good) return st;
    return t.set->degrees
               ? om__plate_answer(r, t.map.name, &t.tile, t.param, t.params)
               : om__tile_with(r, t.map.name, &t.tile, t.param, t.params);
}

/* ---- what is under a pixel */

/* Longitude and latitude of a place of a tile, in pixels from its corner. */
static void place_of(const struct tile_ask *t, double i, double j,
                     double *lon_deg, double *lat_deg)
{
    const double side = ldexp(OM_TILE_SIDE_PX, (int)t->tile.z);
    const double x = (t->tile.x * (double)OM_TILE_SIDE_PX + i) / side;
    const double y = (t->tile.y * (double)OM_TILE_SIDE_PX + j) / side;
    *lon_deg = x * 360 - 180;
    *lat_deg = t->set->degrees
                   ? 90 - y * 360
                   : atan(sinh(OM_PI * (1 - 2 * y))) * OM_DEG_PER_RAD;
}

/* Answer as another route would. */
static om_status answer_as(struct om__request *r,
                           const struct om_address *address)
{
    const struct om_address saved = r->address;
    const struct om__route *route = r->route;
    r->address = *address;
    r->route = om__route_find(r->server, address, NULL);
    r->form = r->route && r->route->forms ? r->route->forms : NULL;
    r->form_len = r->form ? strcspn(r->form, " ") : 0;
    r->part = true;
    om_status st = r->route ? r->route->answer(r) : OM_E_INTERNAL;
    r->part = false;
    // Whatever it is a part of, its rows are told.
    if (!st) st = om__answer_spend(r);
    r->form = NULL;
    r->address = saved;
    r->route = route;
    return st;
}

static void add_param(struct om_address *a, const char *name, const char *value)
{
    a->param[a->params++] =
        (struct om_param){.name = name, .value = value, .len = strlen(value)};
}

static om_status value_at(struct om__request *r, const struct tile_ask *t,
                          double i, double j)
{
    struct om_address a = {.segments = 1, .segment = {"value"}};
    char lon[32], lat[32], z[8];
    double lon_deg, lat_deg;
    place_of(t, i + 0.5, j + 0.5, &lon_deg, &lat_deg);
    snprintf(lon, sizeof lon, "%.9f", lon_deg);
    snprintf(lat, sizeof lat, "%.9f", fmin(fmax(lat_deg, -85), 85));
    snprintf(z, sizeof z, "%u", t->tile.z);
    for (size_t k = 0; k < t->params; k++)
        if (strcmp(t->param[k].name, "palette") != 0)
            a.param[a.params++] = t->param[k];
    add_param(&a, "name", t->map.name);
    add_param(&a, "lon", lon);
    add_param(&a, "lat", lat);
    add_param(&a, "z", z);
    return answer_as(r, &a);
}

static om_status rows_near(struct om__request *r, const struct tile_ask *t,
                           double i, double j)
{
    struct om_address a = {
        .segments = 3, .segment = {"collections", t->map.layer->name, "items"}};
    char bbox[160];
    double west, north, east, south;
    // A shape is under the pixel or not; a point has no width.
    const bool point = t->map.layer->schema.geometry == OM_GEOMETRY_POINT;
    const double reach = point ? NEAR_PX : 0.5;
    place_of(t, i + 0.5 - reach, j + 0.5 - reach, &west, &north);
    place_of(t, i + 0.5 + reach, j + 0.5 + reach, &east, &south);
    snprintf(bbox, sizeof bbox, "%.9f,%.9f,%.9f,%.9f", fmax(west, -180),
             fmax(south, -90), fmin(east, 180), fmin(north, 90));
    for (size_t k = 0; k < t->params; k++)
        if (om__listed("filter filter-lang datetime", t->param[k].name))
            a.param[a.params++] = t->param[k];
    add_param(&a, "bbox", bbox);
    add_param(&a, "limit", NEAR_ROWS);
    return answer_as(r, &a);
}

static om_status get_info(struct om__request *r, const struct ask *ask)
{
    struct tile_ask t = {0};
    uint64_t i, j;
    bool good;
    const om_status st = read_tile(r, ask, &t, &good);
    if (st || !good) return st;
    if (!t.map.layer)
        return invalid(r, ask, "Layer", "nothing can be asked of this layer");
    const struct fault fault = {
        "PointIJOutOfRange",
        om_digits_read(ask->i, strlen(ask->i), OM_TILE_SIDE_PX - 1, &i) ? "J"
                                                                        : "I",
        MHD_HTTP_BAD_REQUEST};
    if (!om_digits_read(ask->i, strlen(ask->i), OM_TILE_SIDE_PX - 1, &i) ||
        !om_digits_read(ask->j, strlen(ask->j), OM_TILE_SIDE_PX - 1, &j))
        return report(r, &fault, "I and J are pixels of the tile, 0 to 255");
    if (!r->on_worker) {
        r->later = true;
        return OM_OK;
    }
    return t.map.heat ? value_at(r, &t, (double)i, (double)j)
                      : rows_near(r, &t, (double)i, (double)j);
}

/* ---- keys and values */

/* Keys in any case; NULL: not given. */
static const char *key_of(const struct om__request *r, const char *key)
{
    for (size_t i = 0; i < r->address.params; i++)
        if (!strcasecmp(r->address.param[i].name, key))
            return r->address.param[i].value;
    return NULL;
}

static om_status by_keys(struct om__request *r, bool info)
{
    struct ask ask = {0};
    const struct {
        const char *key, **out;
    } KEY[] = {{"Layer", &ask.layer},
               {"TileMatrixSet", &ask.set},
               {"TileMatrix", &ask.matrix},
               {"TileRow", &ask.row},
               {"TileCol", &ask.col},
               {"J", &ask.j},
               {"I", &ask.i}};
    const size_t keys = info ? 7 : 5;
    for (size_t k = 0; k < keys; k++) {
        *KEY[k].out = key_of(r, KEY[k].key);
        if (!*KEY[k].out || !**KEY[k].out) return missing(r, KEY[k].key);
    }
    ask.style = key_of(r, "Style");
    ask.time = key_of(r, "Time");
    if (ask.time && !*ask.time) ask.time = NULL;
    const char *format = key_of(r, info ? "InfoFormat" : "Format");
    const char *only = info ? "application/json" : "image/png";
    if (format && strcasecmp(format, only) != 0)
        return invalid(r, &ask, info ? "InfoFormat" : "Format",
                       info ? "the format is application/json"
                            : "the format is image/png");
    return info ? get_info(r, &ask) : get_tile(r, &ask);
}

static om_status dispatch(struct om__request *r)
{
    static const struct ask NONE = {0};
    const char *service = key_of(r, "Service"), *what = key_of(r, "Request");
    const char *version = key_of(r, "Version");
    const char *accept = key_of(r, "AcceptVersions");
    if (!service) return missing(r, "Service");
    if (strcasecmp(service, "WMTS") != 0)
        return invalid(r, &NONE, "Service", "the service is WMTS");
    if (!what) return missing(r, "Request");
    if (!strcasecmp(what, "GetCapabilities")) {
        const struct fault fault = {"VersionNegotiationFailed",
                                    "AcceptVersions", MHD_HTTP_BAD_REQUEST};
        if (accept && !strstr(accept, "1.0.0"))
            return report(r, &fault, "the version is 1.0.0");
        return om__wmts_capabilities(r);
    }
    if (version && *version && strcmp(version, "1.0.0") != 0)
        return invalid(r, &NONE, "Version", "the version is 1.0.0");
    if (!strcasecmp(what, "GetTile")) return by_keys(r, false);
    if (!strcasecmp(what, "GetFeatureInfo")) return by_keys(r, true);
    const struct fault fault = {"OperationNotSupported", "Request",
                                MHD_HTTP_NOT_IMPLEMENTED};
    return report(r, &fault,
                  "operations are GetCapabilities, GetTile and GetFeatureInfo");
}

om_status om__get_wmts(struct om__request *r)
{
    const om_status st = dispatch(r);
    return st ? report_status(r, st) : OM_OK;
}

/* ---- resources */

/* A segment less its ending, in the lane's arena; NULL: no memory. */
static const char *cut(struct om__request *r, const char *segment,
                       const char *ending)
{
    return om_arena_text(&om__lane(r->server)->arena, segment,
                         strlen(segment) - strlen(ending));
}

static om_status by_path(struct om__request *r, bool info)
{
    const char *const *at = r->address.segment + 2;
    const bool time = r->address.segments == (info ? 11 : 9);
    struct ask ask = {.resource = true};
    ask.layer = *at++;
    ask.style = *at++;
    if (time) ask.time = *at++;
    ask.set = *at++;
    ask.matrix = *at++;
    ask.row = *at++;
    ask.col = info ? *at++ : cut(r, *at, ".png");
    if (info) {
        ask.j = *at++;
        ask.i = cut(r, *at, ".json");
    }
    if (!ask.col || (info && !ask.i)) return OM_E_MEMORY;
    return info ? get_info(r, &ask) : get_tile(r, &ask);
}

om_status om__get_wmts_capabilities(struct om__request *r)
{
    const om_status st = om__wmts_capabilities(r);
    return st ? report_status(r, st) : OM_OK;
}

om_status om__get_wmts_tile(struct om__request *r)
{
    const om_status st = by_path(r, false);
    return st ? report_status(r, st) : OM_OK;
}

om_status om__get_wmts_info(struct om__request *r)
{
    const om_status st = by_path(r, true);
    return st ? report_status(r, st) : OM_OK;
}
