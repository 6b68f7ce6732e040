/* api_routes.c - what is conformed to, and the API as OpenAPI 3.0.
 *
 * The document is made of the table of routes, so that it cannot forget one.
 * What a parameter means is said once here, by its name; `f` and the media
 * types come from the route. Items are listed once more for each layer with
 * its columns, because GDAL and others learn from there which columns may be
 * asked for by equality.
 */
#include <stdio.h>
#include <string.h>

#include "web/coverage.h"
#include "web/server/api.h"
#include "web/server/asked.h"
#include "web/server/documents.h"
#include "web/server/handlers.h"
#include "web/server/media.h"
#include "web/server/needs.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/route.h"

#define SPEC "http://www.opengis.net/spec/"
static const char *const CONFORMS[] = {
    SPEC "ogcapi-common-1/1.0/conf/core",
    SPEC "ogcapi-common-2/1.0/conf/collections",
    SPEC "ogcapi-features-1/1.0/conf/core",
    SPEC "ogcapi-features-1/1.0/conf/oas30",
    SPEC "ogcapi-features-1/1.0/conf/geojson",
    SPEC "ogcapi-features-2/1.0/conf/crs",
    SPEC "ogcapi-features-3/1.0/conf/queryables",
    SPEC "ogcapi-features-3/1.0/conf/queryables-query-parameters",
    SPEC "ogcapi-features-3/1.0/conf/filter",
    SPEC "ogcapi-features-3/1.0/conf/features-filter",
    SPEC "ogcapi-tiles-1/1.0/conf/core",
    SPEC "ogcapi-tiles-1/1.0/conf/tileset",
    SPEC "ogcapi-tiles-1/1.0/conf/tilesets-list",
    SPEC "ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    SPEC "ogcapi-tiles-1/1.0/conf/mvt",
    SPEC "ogcapi-tiles-1/1.0/conf/png",
    SPEC "ogcapi-tiles-1/1.0/conf/oas30",
    SPEC "tms/2.0/conf/tilematrixset",
    SPEC "tms/2.0/conf/json-tilematrixset",
    SPEC "cql2/1.0/conf/cql2-text",
    SPEC "cql2/1.0/conf/basic-cql2",
    SPEC "cql2/1.0/conf/advanced-comparison-operators",
    SPEC "cql2/1.0/conf/case-insensitive-comparison",
    SPEC "cql2/1.0/conf/basic-spatial-functions",
    SPEC "cql2/1.0/conf/temporal-functions",
    SPEC "cql2/1.0/conf/property-property",
};

om_status om__get_conformance(struct om__request *r)
{
    struct om_buf out = {0};
    om_buf_add_text(&out, "{\"conformsTo\":[");
    for (size_t i = 0; i < sizeof CONFORMS / sizeof *CONFORMS; i++)
        om_buf_addf(&out, "%s\n\"%s\"", i ? "," : "", CONFORMS[i]);
    om_buf_add_text(&out, "]}\n");
    om__needs_nothing(r);
    return om__reply_kept(r, &out, &om__head_json, NULL, 0);
}

static void add_text(struct om_buf *out, const char *text, size_t len)
{
    om_buf_add_json_text(out, text, len);
}

/* A parameter where it is used: path parameters are always needed. */
static void add_param(struct om_buf *out, const char *name, size_t len,
                      const char *in)
{
    const struct om__api_param *p = om__api_param(name, len);
    om_buf_add_text(out, "{\"name\":");
    add_text(out, name, len);
    om_buf_addf(out, ",\"in\":\"%s\",\"required\":%s,\"schema\":{%s}", in,
                !strcmp(in, "path") ? "true" : "false",
                p ? p->schema : "\"type\":\"string\"");
    if (p) {
        om_buf_add_text(out, ",\"description\":");
        add_text(out, p->about, strlen(p->about));
    }
    // A list is written with commas, not as a parameter for each.
    if (p && strstr(p->schema, "\"array\""))
        om_buf_add_text(out, ",\"style\":\"form\",\"explode\":false");
    om_buf_add_byte(out, '}');
}

/* f with the forms of the route. */
static void add_forms(struct om_buf *out, const char *forms)
{
    om_buf_add_text(out,
                    "{\"name\":\"f\",\"in\":\"query\",\"required\":false,"
                    "\"description\":\"Form of the answer; without it Accept "
                    "decides.\",\"schema\":{\"type\":\"string\",\"enum\":[");
    for (const char *at = forms; *at; at += strspn(at, " ")) {
        const size_t len = strcspn(at, " ");
        if (at > forms) om_buf_add_byte(out, ',');
        add_text(out, at, len);
        at += len;
    }
    om_buf_add_text(out, "]}}");
}

/* A list being written. */
static void separate(struct om_buf *out, bool *first)
{
    if (!*first) om_buf_add_byte(out, ',');
    *first = false;
}

/* Does the word stand in the list before this place? */
static bool is_before(const char *list, const char *word, size_t len)
{
    for (const char *at = list; at < word; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (n == len && !memcmp(at, word, n)) return true;
        at += n;
    }
    return false;
}

static void add_query_params(const struct om__route *route, struct om_buf *out,
                             bool *first)
{
    for (const char *at = route->params; *at; at += strspn(at, " ")) {
        const size_t len = strcspn(at, " ");
        const char *name = at;
        at += len;
        // Lists of parameters are put together; one may be in two of them.
        if (is_before(route->params, name, len)) continue;
        separate(out, first);
        if (len == 1 && *name == 'f' && route->forms)
            add_forms(out, route->forms);
        else if (om__api_param(name, len))
            om_buf_addf(out, "{\"$ref\":\"#/components/parameters/%.*s\"}",
                        (int)len, name);
        else
            add_param(out, name, len, "query");
    }
    if (route->data && !strstr(route->params, " v")) {
        separate(out, first);
        om_buf_add_text(out, "{\"$ref\":\"#/components/parameters/v\"}");
    }
}

static void add_path_params(const struct om__route *route, struct om_buf *out,
                            bool *first)
{
    int unnamed = 0;
    for (const char *at = route->path; *at;) {
        char name[16];
        if (*at == '*') {
            snprintf(name, sizeof name, "p%d", ++unnamed);
            separate(out, first);
            add_param(out, name, strlen(name), "path");
        } else if (*at == '{') {
            const size_t len = strcspn(at, "}");
            separate(out, first);
            add_param(out, at + 1, len - 1, "path");
            at += len;
        }
        at++;
    }
}

/* "/collections/{layer}/items"; stars get the names they have as parameters,
 * and {layer} the layer's, if there is one. */
static void add_path(const struct om__route *route,
                     const struct om_layer *layer, struct om_buf *out)
{
    struct om_buf path = {0};
    int unnamed = 0;
    om_buf_add_byte(&path, '/');
    for (const char *at = route->path; *at; at++) {
        if (layer && !strncmp(at, "{layer}", 7)) {
            om_buf_add_text(&path, layer->name);
            at += 6;
        } else if (*at == '*') {
            om_buf_addf(&path, "{p%d}", ++unnamed);
        } else {
            om_buf_add_byte(&path, (uint8_t)*at);
        }
    }
    add_text(out, (const char *)path.bytes, path.len);
    if (path.status) out->status = path.status;
    om_buf_deinit(&path);
}

static void add_columns(const struct om__route *route,
                        const struct om_layer *layer, struct om_buf *out,
                        bool *first)
{
    for (size_t i = 0; i < layer->schema.count; i++) {
        const struct om_field *field = &layer->schema.field[i];
        if (layer->schema.hidden[i]) continue;
        // A column that is called like a parameter is asked for by filter.
        const size_t len = strlen(field->name);
        const char *own = strstr(route->params, field->name);
        if (own && (own == route->params || own[-1] == ' ') &&
            (!own[len] || own[len] == ' '))
            continue;
        if (!strcmp(field->name, "v")) continue;
        separate(out, first);
        om_buf_add_text(out, "{\"name\":");
        add_text(out, field->name, len);
        om_buf_addf(out,
                    ",\"in\":\"query\",\"required\":false,\"description\":"
                    "\"Rows with this value.\",\"schema\":{%s}}",
                    om__type_schema(field->type));
    }
}

static const char *schema_of(const char *type, const char *name)
{
    if (!strncmp(type, "application/geo+json", 20))
        return !strcmp(name, "item")
                   ? "{\"$ref\":\"#/components/schemas/feature\"}"
                   : "{\"$ref\":\"#/components/schemas/features\"}";
    if (strstr(type, "json")) return "{\"type\":\"object\"}";
    return !strncmp(type, "text/", 5)
               ? "{\"type\":\"string\"}"
               : "{\"type\":\"string\",\"format\":\"binary\"}";
}

static void add_content(const struct om__route *route, struct om_buf *out)
{
    const char *list = route->forms   ? route->forms
                       : route->media ? route->media
                                      : "application/json";
    const char *last = "";
    bool first = true;
    om_buf_add_text(out, "\"content\":{");
    for (const char *at = list; *at; at += strspn(at, " ")) {
        const size_t len = strcspn(at, " ");
        char media[96];
        snprintf(media, sizeof media, "%.*s", (int)len, at);
        const char *type = route->forms ? om__media_type(at, len) : media;
        at += len;
        // json is another name for geojson where there are rows.
        if (!strcmp(type, last) || (!strncmp(last, "application/geo", 15) &&
                                    !strcmp(type, "application/json")))
            continue;
        separate(out, &first);
        add_text(out, type, strlen(type));
        om_buf_addf(out, ":{\"schema\":%s}", schema_of(type, route->name));
        if (route->forms) last = type;
    }
    om_buf_add_byte(out, '}');
}

static const char *tag_of(const char *path)
{
    static const char *const TAG[][2] = {
        {"collections", "Layers"}, {"tiles", "Tiles"},
        {"styles", "Tiles"},       {"tileMatrixSets", "Tiles"},
        {"wmts", "Tiles"},         {"legend", "Tiles"},
        {"map", "Tiles"},          {"density", "Tiles"},
        {"stats", "Analysis"},     {"value", "Analysis"},
        {"hotspots", "Analysis"},  {"coverage", "Analysis"},
        {"explain", "Analysis"},   {"backtest", "Analysis"},
        {"nearest", "Analysis"},   {"reach", "Analysis"},
        {"search", "Analysis"},    {"reverse", "Analysis"},
        {"analyst", "Pages"},      {"pages", "Pages"},
        {"community", "Pages"},    {"embed", "Pages"},
        {"sheet", "Pages"},        {"wall", "Pages"},
        {"walls", "Live"},         {"changes", "Live"},
        {"positions", "Live"},
    };
    const size_t len = strcspn(path, "/.");
    for (size_t i = 0; i < sizeof TAG / sizeof *TAG; i++)
        if (strlen(TAG[i][0]) == len && !strncmp(TAG[i][0], path, len))
            return TAG[i][1];
    return "Service";
}

static void add_responses(const struct om__route *route, struct om_buf *out)
{
    om_buf_add_text(out, "],\"responses\":{\"200\":{\"description\":\"");
    om_buf_addf(out, "%s\",",
                route->data ? "The answer; Data-Sequence and "
                              "Data-As-Of say of which data."
                            : "The answer.");
    add_content(route, out);
    om_buf_add_text(out,
                    "},\"4XX\":{\"$ref\":\"#/components/responses/problem\"},"
                    "\"default\":{\"$ref\":\"#/components/responses/problem\"}"
                    "}}");
}

/* operationId of route i; several lines of one name are numbered. */
static void add_operation_id(size_t i, const struct om_layer *layer,
                             struct om_buf *out)
{
    size_t same = 1;
    for (size_t k = 0; k < i; k++)
        same += !strcmp(om__routes[k].name, om__routes[i].name);
    om_buf_addf(out, "\"operationId\":\"%s", om__routes[i].name);
    if (same > 1) om_buf_addf(out, "%zu", same);
    om_buf_addf(out, "%s%s\"", layer ? "." : "", layer ? layer->name : "");
}

/* Parameters that are the members of a form. */
static void add_form(const struct om__route *route, struct om_buf *out)
{
    bool first = true;
    om_buf_add_text(out,
                    "\"requestBody\":{\"required\":true,\"content\":{"
                    "\"" OM__ASKED_TYPE
                    "\":{\"schema\":{\"type\":\"object\",\"properties\":{");
    for (const char *at = route->params; *at; at += strspn(at, " ")) {
        const size_t len = strcspn(at, " ");
        const struct om__api_param *p = om__api_param(at, len);
        separate(out, &first);
        add_text(out, at, len);
        om_buf_addf(out, ":{%s", p ? p->schema : "\"type\":\"string\"");
        if (p) {
            om_buf_add_text(out, ",\"description\":");
            add_text(out, p->about, strlen(p->about));
        }
        om_buf_add_byte(out, '}');
        at += len;
    }
    om_buf_add_text(out, "}}}}},");
}

static void add_request_body(const struct om__route *route, struct om_buf *out)
{
    bool first = true;
    if (!route->bodies) return;
    if (route->asks) {
        add_form(route, out);
        return;
    }
    om_buf_add_text(out, "\"requestBody\":{\"required\":true,\"content\":{");
    for (const char *at = route->bodies; *at; at += strspn(at, " ")) {
        char type[96];
        const size_t len = strcspn(at, " ");
        snprintf(type, sizeof type, "%.*s", (int)len, at);
        separate(out, &first);
        add_text(out, at, len);
        om_buf_addf(out, ":{\"schema\":%s}", schema_of(type, "item"));
        at += len;
    }
    om_buf_add_text(out, "}},");
}

static const char *method_of(const struct om__route *route)
{
    static const char *const NAME[][2] = {{"POST", "post"},
                                          {"PUT", "put"},
                                          {"PATCH", "patch"},
                                          {"DELETE", "delete"}};
    for (size_t i = 0; route->method && i < sizeof NAME / sizeof *NAME; i++)
        if (!strcmp(route->method, NAME[i][0])) return NAME[i][1];
    return "get";
}

static void add_operation(size_t i, const struct om_layer *layer,
                          struct om_buf *out)
{
    const struct om__route *route = &om__routes[i];
    bool first = true;
    om_buf_addf(out, "\"%s\":{", method_of(route));
    add_operation_id(i, layer, out);
    om_buf_addf(out, ",\"tags\":[\"%s\"],\"summary\":", tag_of(route->path));
    const char *summary = route->summary ? route->summary : route->name;
    add_text(out, summary, strlen(summary));
    om_buf_add_byte(out, ',');
    add_request_body(route, out);
    om_buf_add_text(out, "\"parameters\":[");
    if (!layer) add_path_params(route, out, &first);
    if (!route->asks) add_query_params(route, out, &first);
    if (layer) add_columns(route, layer, out, &first);
    add_responses(route, out);
}

/* Is line k another one of this path that is answered here? */
static bool same_path(const struct om_server *server, size_t k,
                      const char *path)
{
    return om__route_there(server, &om__routes[k]) &&
           !strcmp(om__routes[k].path, path);
}

/* A path with all its methods; nothing where an earlier line has the path. */
static void add_path_item(const struct om_server *server, size_t i,
                          struct om_buf *out, bool *first)
{
    const char *path = om__routes[i].path;
    bool more = false;
    if (!om__route_there(server, &om__routes[i])) return;
    for (size_t k = 0; k < i; k++)
        if (same_path(server, k, path)) return;
    separate(out, first);
    om_buf_add_byte(out, '\n');
    add_path(&om__routes[i], NULL, out);
    om_buf_add_text(out, ":{");
    for (size_t k = i; k < om__routes_count; k++) {
        if (!same_path(server, k, path)) continue;
        if (more) om_buf_add_byte(out, ',');
        more = true;
        add_operation(k, NULL, out);
    }
    om_buf_add_byte(out, '}');
}

/* Each kind of coverage has options of its own, and addresses call two of
 * them otherwise than the command line. */
static void add_coverage(const struct om_coverage_kind *kind,
                         struct om_buf *out)
{
    struct om_buf params = {0};
    char path[64];
    om_buf_add_text(&params, "f");
    for (const char *at = kind->options; *at; at += strspn(at, " ")) {
        const size_t len = strcspn(at, " ");
        const char *name = at;
        at += len;
        if (len == 5 && !memcmp(name, "where", len))
            om_buf_add_text(&params, " filter filter-lang");
        else if (len == 4 && !memcmp(name, "time", len))
            om_buf_add_text(&params, " datetime");
        else if (len == 6 && !memcmp(name, "raster", len))
            continue;  // a file: for the command line alone
        else {
            om_buf_add_byte(&params, ' ');
            om_buf_add(&params, name, len);
        }
    }
    om_buf_addf(&params, " %s", kind->flags);
    om_buf_add_byte(&params, '\0');
    if (params.status) out->status = params.status;
    snprintf(path, sizeof path, "coverage/%s", kind->name);
    const struct om__route route = {.name = kind->name,
                                    .path = path,
                                    .params = (const char *)params.bytes,
                                    .data = true};
    bool first = true;
    if (params.status) return;
    om_buf_addf(out, ",\n\"/%s\":{\"get\":{\"operationId\":\"coverage.%s\"",
                path, kind->name);
    om_buf_addf(out,
                ",\"tags\":[\"Analysis\"],\"summary\":\"Coverage: %s\","
                "\"parameters\":[",
                kind->name);
    add_query_params(&route, out, &first);
    add_responses(&route, out);
    om_buf_add_byte(out, '}');
    om_buf_deinit(&params);
}

/* Does what was written so far point at the parameter? */
static bool is_used(const struct om_buf *out, const char *name)
{
    char text[96];
    const int len =
        snprintf(text, sizeof text, "\"#/components/parameters/%s\"", name);
    return out->len && memmem(out->bytes, out->len, text, (size_t)len);
}

/* After all paths: those that only stand in paths are written there. */
static void add_components(struct om_buf *out)
{
    om_buf_add_text(out, "\"components\":{\"parameters\":{");
    bool first = true;
    for (size_t i = 0; om__api_param_at(i); i++) {
        const char *name = om__api_param_at(i)->name;
        if (!is_used(out, name)) continue;
        separate(out, &first);
        om_buf_addf(out, "\n\"%s\":", name);
        add_param(out, name, strlen(name), "query");
    }
    om_buf_add_text(
        out,
        "},\n\"responses\":{\"problem\":{\"description\":\"What is wrong, as "
        "RFC 9457 says it; `parameter` names the parameter.\",\"content\":{"
        "\"application/problem+json\":{\"schema\":{\"type\":\"object\","
        "\"required\":[\"title\",\"status\",\"detail\"],\"properties\":{"
        "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
        "\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"},"
        "\"parameter\":{\"type\":\"string\"}}}}}}},\n"
        "\"schemas\":{\"feature\":{\"type\":\"object\",\"required\":[\"type\","
        "\"geometry\",\"properties\"],\"properties\":{\"type\":{\"type\":"
        "\"string\",\"enum\":[\"Feature\"]},\"id\":{\"type\":\"string\"},"
        "\"geometry\":{\"type\":\"object\",\"nullable\":true},\"properties\":{"
        "\"type\":\"object\"}}},\n\"features\":{\"type\":\"object\","
        "\"required\":[\"type\",\"features\"],\"properties\":{\"type\":{"
        "\"type\":\"string\",\"enum\":[\"FeatureCollection\"]},\"features\":{"
        "\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/"
        "feature\"}},\"numberMatched\":{\"type\":\"integer\"},"
        "\"numberReturned\":{\"type\":\"integer\"},\"timeStamp\":{\"type\":"
        "\"string\",\"format\":\"date-time\"},\"links\":{\"type\":\"array\","
        "\"items\":{\"type\":\"object\"}}}}}}");
}

static void add_info(const struct om__request *r, struct om_buf *out)
{
    const char *name = r->snapshot->manifest->name;
    struct om_buf url = {0};
    om_buf_add_text(out, "{\"openapi\":\"3.0.3\",\"info\":{\"title\":");
    if (!name[0]) name = "onemap";
    add_text(out, name, strlen(name));
    om_buf_add_text(out,
                    ",\"version\":\"1.0.0\",\"description\":\"One city, one "
                    "map: layers, tiles and answers.\",\"license\":{\"name\":"
                    "\"MIT\",\"url\":\"https://opensource.org/license/mit\"}},"
                    "\"servers\":[{\"url\":");
    om__add_base_url(r, &url);
    add_text(out, (const char *)url.bytes, url.len);
    if (url.status) out->status = url.status;
    om_buf_deinit(&url);
    om_buf_add_text(out,
                    "}],\"security\":[],\"tags\":["
                    "{\"name\":\"Service\",\"description\":\"What there is\"},"
                    "{\"name\":\"Layers\",\"description\":\"Rows\"},"
                    "{\"name\":\"Tiles\",\"description\":\"Maps\"},"
                    "{\"name\":\"Analysis\",\"description\":\"Answers\"},"
                    "{\"name\":\"Live\",\"description\":\"What happens "
                    "now\"},"
                    "{\"name\":\"Pages\",\"description\":\"For people\"}],");
}

om_status om__get_api(struct om__request *r)
{
    static const struct om__head HEAD = {
        .type = "application/vnd.oai.openapi+json;version=3.0",
        .cache = OM__CACHE_DATA,
        .compress = true};
    struct om_buf out = {0};
    bool first = true;
    add_info(r, &out);
    om_buf_add_text(&out, "\n\"paths\":{");
    for (size_t i = 0; i < om__routes_count; i++)
        add_path_item(r->server, i, &out, &first);
    for (size_t i = 0; i < om__routes_count; i++)
        for (size_t k = 0; om__routes[i].columns && k < r->snapshot->layers &&
                           !strncmp(om__routes[i].name, "items", 6);
             k++) {
            if (om__crowds_only(r, &r->snapshot->layer[k])) continue;
            om_buf_add_text(&out, ",\n");
            add_path(&om__routes[i], &r->snapshot->layer[k], &out);
            om_buf_add_text(&out, ":{");
            add_operation(i, &r->snapshot->layer[k], &out);
            om_buf_add_byte(&out, '}');
        }
    for (size_t i = 0; om_coverage_kind(i); i++)
        add_coverage(om_coverage_kind(i), &out);
    om_buf_add_text(&out, "},\n");
    add_components(&out);
    om_buf_add_text(&out, "}\n");
    return om__reply_kept(
        r, &out, om__form_is(r, "json") ? &om__head_json : &HEAD, NULL, 0);
}
