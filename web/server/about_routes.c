// about_routes.c - the start of everything, and how the server is.
#include <string.h>

#include "data/json.h"
#include "data/model/time.h"
#include "web/matters.h"
#include "web/server/documents.h"
#include "web/server/handlers.h"
#include "web/server/media.h"
#include "web/server/metrics.h"
#include "web/server/pictures.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/worlds.h"
#include "web/server/writes.h"

/* What is about this process, not about the city: never kept by anyone. */
static const struct om__head HEAD_NOW = {.type = "application/json",
                                         .cache = "no-store"};
static const struct om__head HEAD_METRICS = {
    .type = "text/plain; version=0.0.4; charset=utf-8", .cache = "no-store"};
static const struct om__head HEAD_START = {
    .type = "application/json", .cache = "no-cache", .compress = true};

om_status om__get_health(struct om__request *r)
{
    struct om_buf out = {0};
    const char *no_font = om__pictures_no_font(r->server->pictures);
    om_buf_add_text(&out, "{\"status\":\"ok\",\"labels\":");
    om_buf_add_text(&out, no_font ? "false" : "true");
    if (no_font) {
        om_buf_add_text(&out, ",\"labels_missing\":");
        om_buf_add_json_text(&out, no_font, strlen(no_font));
    }
    om_buf_add_text(&out, "}\n");
    return om__reply(r, &out, &HEAD_NOW);
}

/* Layers of which something could not be read since they were opened: what
 * needs that is answered with 500, all else is served. */
static void add_damaged(const struct om_snapshot *snapshot, struct om_buf *out)
{
    size_t layers = 0;
    for (size_t i = 0; i < snapshot->layers; i++) {
        const struct om_layer *layer = &snapshot->layer[i];
        bool damaged = false;
        for (size_t p = 0; p < layer->parts && !damaged; p++)
            damaged = om_segment_damage(layer->part[p].segment) != NULL;
        if (!damaged) continue;
        om_buf_add_text(out, layers++ ? "," : ",\"damaged\":[");
        om_buf_add_json_text(out, layer->name, strlen(layer->name));
    }
    for (size_t i = 0; i < snapshot->withheld; i++) {
        const char *name = snapshot->held_back[i].meta->name;
        om_buf_add_text(out, layers++ ? "," : ",\"damaged\":[");
        om_buf_add_json_text(out, name, strlen(name));
    }
    if (layers) om_buf_add_text(out, "]");
}

/* Layers that are not served at all, and why: 503. */
static void add_withheld(const struct om_snapshot *snapshot, struct om_buf *out)
{
    for (size_t i = 0; i < snapshot->withheld; i++) {
        const struct om_withheld *w = &snapshot->held_back[i];
        om_buf_add_text(out, i ? "," : ",\"not_served\":{");
        om_buf_add_json_text(out, w->meta->name, strlen(w->meta->name));
        om_buf_add_text(out, ":");
        om_buf_add_json_text(out, w->why, strlen(w->why));
    }
    if (snapshot->withheld) om_buf_add_text(out, "}");
}

/* Models whose file cannot be used, and why: 404, or what they were before. */
static void add_models(struct om_server *server, struct om_buf *out)
{
    struct om_models *models = om__worlds_models(server->worlds);
    size_t faults = 0;
    for (size_t i = 0; models && i < models->count; i++) {
        const struct om_model_entry *e = &models->entry[i];
        if (!e->err.code) continue;
        om_buf_add_text(out, faults++ ? "," : ",\"models\":{");
        om_buf_add_json_text(out, e->name, strlen(e->name));
        om_buf_addf(out, ":{\"served\":%s,\"why\":",
                    e->model ? "\"as before\"" : "false");
        om_buf_add_json_text(out, e->err.text, strlen(e->err.text));
        om_buf_add_text(out, "}");
    }
    if (faults) om_buf_add_text(out, "}");
    if (models && models->exposures_err.code) {
        const char *why = models->exposures_err.text;
        om_buf_add_text(out, ",\"exposures\":");
        om_buf_add_json_text(out, why, strlen(why));
    }
    om_models_unref(models);
}

/* Is this the server to ask? Not while it stops, nor while the disk refuses
 * what is written, nor where its list of tokens is gone; a server that is for
 * reading is ready when it reads. */
om_status om__get_ready(struct om__request *r)
{
    struct om_buf out = {0};
    char why[OM_ERR_TEXT_BYTES];
    struct om__writes *writes = r->server->writes;
    const bool writable = om__writes_ready(writes, why);
    const bool lost = om__guard_lost(r->server->guard);
    const bool ready = !lost && !atomic_load(&r->server->draining) &&
                       (writable || om__writes_reads_only(writes));
    struct om__head head = HEAD_NOW;
    om_buf_addf(&out, "{\"ready\":%s,\"writable\":%s,\"sequence\":%llu",
                ready ? "true" : "false", writable ? "true" : "false",
                (unsigned long long)atomic_load(&r->server->sequence));
    if (!writable) {
        om_buf_add_text(&out, ",\"reason\":");
        om_buf_add_json_text(&out, why, strlen(why));
    }
    if (lost) om_buf_add_text(&out, ",\"tokens\":\"" OM__TOKENS_LOST "\"");
    struct om_snapshot *snapshot = om_city_snapshot(r->server->city);
    // Which layers there are is not for everybody.
    if (snapshot && r->who->role->operate) {
        add_damaged(snapshot, &out);
        add_withheld(snapshot, &out);
    }
    if (r->who->role->operate) add_models(r->server, &out);
    if (r->who->role->operate && om__writes_untaken(writes, why)) {
        om_buf_add_text(&out, ",\"city\":");
        om_buf_add_json_text(&out, why, strlen(why));
    }
    om_snapshot_unref(snapshot);
    if (om_city_journal_fault(r->server->city, why)) {
        om_buf_add_text(&out, ",\"journal\":");
        om_buf_add_json_text(&out, why, strlen(why));
    }
    om_buf_add_text(&out, "}\n");
    if (!ready) head.status = MHD_HTTP_SERVICE_UNAVAILABLE;
    return om__reply(r, &out, &head);
}

om_status om__get_metrics(struct om__request *r)
{
    struct om_buf out = {0};
    if (!r->who->role->operate)
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is nothing here");
    const om_status st = om__metrics_write(r->server, &out);
    if (!st) return om__reply(r, &out, &HEAD_METRICS);
    om_buf_deinit(&out);
    return st;
}

static void add_text(struct om_buf *out, const char *text)
{
    om_buf_add_json_text(out, text, strlen(text));
}

static void add_time(struct om_buf *out, const char *key, int64_t utc_s,
                     int32_t zone_s)
{
    char text[OM_TIME_TEXT_BYTES];
    om_buf_addf(out, ",\"%s\":", key);
    if (utc_s) {
        om_time_format(utc_s, zone_s, text);
        add_text(out, text);
    } else {
        om_buf_add_text(out, "null");
    }
}

#define REL "http://www.opengis.net/def/rel/ogc/1.0/"
static const struct om__link LANDING[] = {
    {"self", "application/json", "this document", "/?f=json", false},
    {"alternate", "text/html", "a page for people", "/?f=html", false},
    {"service-desc", "application/vnd.oai.openapi+json;version=3.0",
     "the API, as OpenAPI 3.0", "/api", false},
    {"service-doc", "text/html", "a page for people", "/?f=html", false},
    {"conformance", "application/json", "conformance classes", "/conformance",
     false},
    {REL "conformance", "application/json", "conformance classes",
     "/conformance", false},
    {"data", "application/json", "the layers", "/collections", false},
    {REL "data", "application/json", "the layers", "/collections", false},
    {REL "tiling-schemes", "application/json", "tile matrix sets",
     "/tileMatrixSets", false},
    {"alternate", "application/xml", "WMTS 1.0.0 capabilities",
     "/wmts/1.0.0/WMTSCapabilities.xml", false},
    {"catalog", "application/json", "layers, maps and where they come from",
     "/catalog", false},
    {"service-meta", "text/html", "the analyst's page", "/analyst", false},
};

/* city.json's "community", without layers that whoever asks does not see; how
 * its matters sound is added where it does not say so itself, as a release
 * does.
 */
static om_status add_said(const struct om__request *r,
                          const struct om_json *community, struct om_buf *out)
{
    struct om_json *seen = om_json_object();
    om_status st = seen ? OM_OK : OM_E_MEMORY;
    const bool centres = !om__names_unseen(
        r, om_json_text(om_json_get(community, "centres"), ""));
    for (size_t i = 0; i < om_json_count(community) && !st; i++) {
        const char *key;
        const struct om_json *one = om_json_member(community, i, &key);
        // What can be done is a column of the centres.
        if (om__names_unseen(r, om_json_text(one, "")) ||
            (!centres && !strcmp(key, "matters")))
            continue;
        st = om_json_set_take(seen, key, om_json_copy(one));
    }
    const struct om_json *matters = om_json_get(seen, "matters");
    const bool told =
        om_json_kind(om_json_get(matters, "variants")) == OM_JSON_TEXT;
    // Without ICU's data they are found as they are written.
    if (!st && !told && om_json_kind(matters) == OM_JSON_OBJECT)
        st = om_matters_sound(seen, NULL);
    if (!st || st == OM_E_UNSUPPORTED) st = om_json_write(seen, false, out);
    om_json_free(seen);
    return st;
}

/* What a page for the public needs to know: city.json's "community",
 * and the ways of going ("service": minutes, modes with names and speeds). */
static om_status add_community(const struct om__request *r, struct om_buf *out)
{
    const struct om_manifest *city = r->snapshot->manifest;
    const struct om_json *community = om_json_get(city->document, "community");
    const struct om_json *service = om_json_get(city->document, "service");
    const struct om_json *modes = om_json_get(service, "modes");
    if (om_json_kind(community) == OM_JSON_OBJECT) {
        om_buf_add_text(out, ",\"community\":");
        OM_TRY(add_said(r, community, out));
    }
    const char *layer = om_json_text(om_json_get(service, "layer"), "");
    if (om_json_kind(service) != OM_JSON_OBJECT || om__names_unseen(r, layer))
        return out->status;
    om_buf_add_text(out, ",\"service\":{\"layer\":");
    add_text(out, layer);
    om_buf_add_text(out, ",\"minutes\":");
    om_buf_add_json_real(out,
                         om_json_real(om_json_get(service, "minutes"), 10));
    om_buf_add_text(out, ",\"modes\":[");
    for (size_t i = 0; i < om_json_count(modes); i++) {
        const char *key = "";
        const struct om_json *mode = om_json_member(modes, i, &key);
        om_buf_add_text(out, i ? ",{\"id\":" : "{\"id\":");
        add_text(out, key);
        om_buf_add_text(out, ",\"name\":");
        add_text(out, om_json_text(om_json_get(mode, "name"), key));
        om_buf_add_text(out, ",\"name_zh\":");
        add_text(out, om_json_text(om_json_get(mode, "name_zh"), key));
        om_buf_add_text(out, "}");
    }
    return om_buf_add_text(out, "]}");
}

/* The landing page of OGC API: what there is, as links; and the members of
 * ours that pages need before they can ask for anything. */
static om_status landing(struct om__request *r)
{
    const struct om_manifest *city = r->snapshot->manifest;
    struct om_buf out = {0};
    om_buf_add_text(&out, "{\"title\":");
    add_text(&out, city->name[0] ? city->name : "onemap");
    const char *english =
        om_json_text(om_json_get(city->document, "name_en"), NULL);
    if (english) {
        om_buf_add_text(&out, ",\"title_en\":");
        add_text(&out, english);
    }
    om_buf_add_text(&out, ",\"description\":\"One city, one map.\"");
    om_buf_addf(&out, ",\"synthetic\":%s,\"sequence\":%llu",
                city->synthetic ? "true" : "false",
                (unsigned long long)r->snapshot->sequence);
    add_time(&out, "clock", city->clock_s ? om_snapshot_now(r->snapshot) : 0,
             city->zone_s);
    om_buf_addf(&out, ",\"zone_s\":%d,\"levels\":[", (int)city->zone_s);
    for (size_t i = 0; i < city->levels; i++) {
        if (i) om_buf_add_text(&out, ",");
        add_text(&out, city->level[i]);
    }
    om_buf_add_text(&out, "]");
    om_status st = OM_OK;
    if (city->release) {
        // What figures there are, and where: pages ask for them by that.
        om_buf_add_text(&out, ",\"release\":");
        st = om_json_write(om_json_get(city->document, "release"), false, &out);
    }
    if (!st) st = add_community(r, &out);
    om__links_add(r, LANDING, sizeof LANDING / sizeof *LANDING, &out);
    om_buf_add_text(&out, "}\n");
    if (!st) return om__reply(r, &out, &HEAD_START);
    om_buf_deinit(&out);
    return st;
}

om_status om__get_start(struct om__request *r)
{
    return om__form_is(r, "html") ? om__get_page(r) : landing(r);
}
