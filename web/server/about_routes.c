// about_routes.c - the start of everything, and how the server is.
#include <string.h>
#include <strings.h>

#include "data/model/time.h"
#include "web/server/server_internal.h"

/* What is about this process, not about the city: never kept by anyone. */
static const struct om__head HEAD_NOW = {.type = "application/json",
                                         .cache = "no-store"};
static const struct om__head HEAD_METRICS = {
    .type = "text/plain; version=0.0.4; charset=utf-8", .cache = "no-store"};
static const struct om__head HEAD_START = {.type = "application/json",
                                           .cache = "no-cache",
                                           .vary_accept = true,
                                           .compress = true};

om_status om__add_base_url(const struct om__request *r, struct om_buf *out)
{
    if (r->server->url) return om_buf_add_text(out, r->server->url);
    if (!r->host)
        return om_buf_add(out, r->server->address,
                          strlen(r->server->address) - 1);
    om_buf_add_text(out, "http://");
    return om_buf_add_text(out, r->host);
}

om_status om__get_health(struct om__request *r)
{
    struct om_buf out = {0};
    om_buf_add_text(&out, "{\"status\":\"ok\"}\n");
    return om__reply(r, &out, &HEAD_NOW);
}

om_status om__get_metrics(struct om__request *r)
{
    struct om_buf out = {0};
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

static void add_link(const struct om__request *r, struct om_buf *out,
                     const char *rel, const char *type, const char *title,
                     const char *path, bool last)
{
    struct om_buf url = {0};
    om__add_base_url(r, &url);
    om_buf_add_text(&url, path);
    om_buf_addf(out,
                "{\"rel\":\"%s\",\"type\":\"%s\",\"title\":\"%s\","
                "\"href\":",
                rel, type, title);
    om_buf_add_json_text(out, (const char *)url.bytes, url.len);
    om_buf_add_text(out, last ? "}" : "},");
    if (url.status) out->status = url.status;
    om_buf_deinit(&url);
}

/* The landing page of OGC API: what there is, as links; and the members of
 * ours that pages need before they can ask for anything. */
static om_status landing(struct om__request *r)
{
    const struct om_manifest *city = r->snapshot->manifest;
    struct om_buf out = {0};
    om_buf_add_text(&out, "{\"title\":");
    add_text(&out, city->name[0] ? city->name : "onemap");
    om_buf_add_text(&out, ",\"description\":\"One city, one map.\"");
    om_buf_addf(&out, ",\"synthetic\":%s,\"sequence\":%llu",
                city->synthetic ? "true" : "false",
                (unsigned long long)r->snapshot->sequence);
    add_time(&out, "clock", city->clock_s, city->zone_s);
    om_buf_addf(&out, ",\"zone_s\":%d,\"levels\":[", (int)city->zone_s);
    for (size_t i = 0; i < city->levels; i++) {
        if (i) om_buf_add_text(&out, ",");
        add_text(&out, city->level[i]);
    }
    om_buf_add_text(&out, "],\"links\":[");
    add_link(r, &out, "self", "application/json", "this document", "/?f=json",
             false);
    add_link(r, &out, "alternate", "text/html", "a page for people", "/?f=html",
             false);
    add_link(r, &out, "data", "application/json", "the layers", "/collections",
             false);
    add_link(r, &out, "service-meta", "text/html", "the analyst's page",
             "/analyst", true);
    om_buf_add_text(&out, "]}\n");
    return om__reply(r, &out, &HEAD_START);
}

/* People send "text/html,...", programs JSON or anything. */
static bool wants_html(const char *accept)
{
    if (!accept) return false;
    const char *html = strcasestr(accept, "text/html");
    const char *json = strcasestr(accept, "application/json");
    return html && (!json || html < json);
}

om_status om__get_start(struct om__request *r)
{
    const char *format;
    OM_TRY(om__param_word(r, "f", "json html",
                          wants_html(r->accept) ? "html" : "json", &format));
    return strcmp(format, "html") ? landing(r) : om__get_page(r);
}
