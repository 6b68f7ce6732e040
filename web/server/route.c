// route.c - the table of addresses: what is known, and who answers it.
#include <string.h>

#include "data/base/log.h"
#include "web/server/server_internal.h"

#define FIELD_PARAMS "filter filter-lang datetime kernel bandwidth weight "

const struct om__route om__routes[] = {
    {.name = "start",
     .path = "",
     .params = "f",
     .answer = om__get_start,
     .data = true},
    {.name = "analyst",
     .path = "analyst",
     .params = "",
     .answer = om__get_page},
    {.name = "pages", .path = "pages/*", .params = "v", .answer = om__get_file},
    {.name = "pages",
     .path = "pages/*/*",
     .params = "v",
     .answer = om__get_file},
    {.name = "health",
     .path = "health",
     .params = "",
     .answer = om__get_health},
    {.name = "metrics",
     .path = "metrics",
     .params = "",
     .answer = om__get_metrics},
    {.name = "tile",
     .path = "tiles/*/*/*/*",
     .answer = om__get_tile,
     .params = FIELD_PARAMS "palette properties by",
     .data = true,
     .keep = true},
    {.name = "tilejson",
     .path = "tiles/*",
     .answer = om__get_tilejson,
     .params = FIELD_PARAMS "palette",
     .data = true,
     .keep = true},
    {.name = "legend",
     .path = "legend/*",
     .answer = om__get_legend,
     .params = FIELD_PARAMS "palette",
     .data = true,
     .keep = true},
    {.name = "value",
     .path = "value",
     .answer = om__get_value,
     .params = FIELD_PARAMS "name lon lat z",
     .queued = true,
     .data = true,
     .keep = true},
    {.name = "stats",
     .path = "stats/*",
     .answer = om__get_stats,
     .params = "by filter filter-lang datetime bbox sum",
     .queued = true,
     .data = true,
     .keep = true},
    // Each kind knows its own parameters, and waits for the heavy worker.
    {.name = "coverage",
     .path = "coverage/*",
     .params = "f filter filter-lang datetime",
     .answer = om__get_coverage,
     .queued = true,
     .data = true,
     .keep = true,
     .columns = true},
    {.name = "collections",
     .path = "collections",
     .params = "f",
     .answer = om__get_collections,
     .data = true,
     .keep = true},
    {.name = "collection",
     .path = "collections/*",
     .params = "f",
     .answer = om__get_collection,
     .data = true,
     .keep = true},
    {.name = "items",
     .path = "collections/*/items",
     .answer = om__get_items,
     .params = "bbox limit filter filter-lang datetime f next",
     .queued = true,
     .data = true,
     .keep = true,
     .columns = true},
    {.name = "item",
     .path = "collections/*/items/*",
     .params = "f",
     .answer = om__get_item,
     .queued = true,
     .data = true,
     .keep = true},
};
const size_t om__routes_count = sizeof om__routes / sizeof *om__routes;

static bool matches(const char *path, const struct om_address *address)
{
    for (size_t i = 0; i < address->segments; i++) {
        const size_t len = strcspn(path, "/");
        if (!len) return false;
        const bool any = len == 1 && *path == '*';
        if (!any && (strncmp(path, address->segment[i], len) != 0 ||
                     address->segment[i][len]))
            return false;
        path += len;
        if (*path == '/') path++;
    }
    return !*path;
}

const struct om__route *om__route_find(const struct om_address *address)
{
    if (address->slash) return NULL;
    for (size_t i = 0; i < om__routes_count; i++)
        if (matches(om__routes[i].path, address)) return &om__routes[i];
    return NULL;
}

/* Is `word` one of the blank-separated words? */
static bool listed(const char *words, const char *word)
{
    const size_t len = strlen(word);
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (n == len && !strncmp(at, word, n)) return true;
        at += n;
    }
    return false;
}

om_status om__params_check(struct om__request *r, const char *names)
{
    for (size_t i = 0; i < r->address.params; i++) {
        const char *name = r->address.param[i].name;
        if (listed(names, name)) continue;
        return om__param_bad(r, name, OM_E_FORMAT,
                             "there is no parameter %.64s here%s%s", name,
                             *names ? "; known are " : "", names);
    }
    return OM_OK;
}

static om_status answer(struct om__request *r)
{
    if (!r->route)
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is nothing here");
    // Which columns there are is known when the layer is.
    if (!r->route->columns) OM_TRY(om__params_check(r, r->route->params));
    if (r->route->data && !r->snapshot) {
        r->snapshot = om_city_snapshot(r->server->city);
        if (!r->snapshot) return OM_E_MEMORY;
    }
    return r->route->answer(r);
}

void om__request_answer(struct om__request *r)
{
    r->later = false;
    struct om__lane *lane = om__lane(r->server);
    const om_status st = lane ? answer(r) : OM_E_MEMORY;
    if (lane) om_arena_reset(&lane->arena);
    if (st) {
        r->later = false;
        om__reply_problem(r, st);
        if (r->status == MHD_HTTP_INTERNAL_SERVER_ERROR)
            om_log(OM_LOG_ERROR, "http", "%s: %s",
                   r->route ? r->route->name : "none",
                   r->err.text[0] ? r->err.text : om_status_text(st));
    }
}

om_status om__request_key(const struct om__request *r, uint64_t sequence,
                          struct om_buf *key)
{
    const char *host = r->host ? r->host : "";
    om_buf_add(key, &sequence, sizeof sequence);
    om_buf_add_byte(key, r->gzip);
    om_buf_add(key, host, strlen(host) + 1);
    return om_buf_add(key, r->target, r->target_len);
}
