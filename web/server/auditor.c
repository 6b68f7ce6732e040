/* auditor.c - which answers are noted, and for whom.
 *
 * DESIGN
 * Noted is who has shown a token and asked for rows, or, if the role sees rows
 * about single persons, for anything of the city. Others' tiles, and what is
 * written, are noted a minute at a time (tallies.c), and who is not let in
 * (refusals.c). What is kept of the target
 * says which rows: layer, id, place, numbers, times, names of columns. What
 * somebody typed (a search, texts of filters and of columns) may name a person
 * or an address and is kept as a mark: a hash under a key of the city's own
 * (data/city/audit.h), so that whoever looks for one text finds who asked for
 * it, and nobody reads texts off the file. A link's token is never in a target
 * that is answered. The files are the city's own and for their owner only;
 * nothing of this is in the log or in metrics.
 */
#include <stdio.h>
#include <string.h>

#include "data/base/log.h"
#include "data/city/audit.h"
#include "engine/policy/unsaid.h"
#include "web/coverage.h"
#include "web/server/connection.h"
#include "web/server/rights.h"
#include "web/server/route.h"
#include "web/server/server_internal.h"
#include "web/server/tallies.h"

#define DAY_MS INT64_C(86400000)

/* Is it WMTS by keys, of what is under a pixel? Keys are in any case. */
static bool asks_info(const struct om__request *r)
{
    if (strcmp(r->route->name, "wmts") != 0) return false;
    for (size_t i = 0; i < r->address.params; i++)
        if (!strcasecmp(r->address.param[i].name, "Request") &&
            !strcasecmp(r->address.param[i].value, "GetFeatureInfo"))
            return true;
    return false;
}

/* Of those that mostly count. */
static bool lists_rows(const struct om__request *r)
{
    if (!strcmp(r->route->name, "map") || asks_info(r)) return true;
    if (!strcmp(r->route->name, "stats") || !strcmp(r->route->name, "hotspots"))
        return r->told_rows > 0;
    if (strcmp(r->route->name, "coverage") != 0) return false;
    if (r->told_rows) return true;
    const struct om_param *rows = om_address_param(&r->address, "rows");
    return rows && strcmp(rows->value, "false") != 0;
}

/* Expressions of the filter language. */
static const char *const EXPRESSIONS[] = {"filter", "share",       "exposure",
                                          "among",  "with_filter", NULL};

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(*names, name)) return true;
    return false;
}

/* Is it of rows by their ids, whatever is told of them? */
static bool names_ids(struct om__request *r)
{
    bool any = false;
    for (size_t i = 0; i < r->address.params && !any; i++)
        any = is_one_of(r->address.param[i].name, EXPRESSIONS);
    // What was kept is answered without.
    if (!any ||
        (!r->snapshot && om__rights_take(r, om_city_snapshot(r->server->city))))
        return false;
    for (size_t i = 0; i < r->address.params; i++) {
        const struct om_param *p = &r->address.param[i];
        if (!is_one_of(p->name, EXPRESSIONS)) continue;
        for (size_t l = 0; l < r->snapshot->layers; l++) {
            const struct om_schema *s = &r->snapshot->layer[l].schema;
            if (om_text_names(p->value, s->field[s->id_field].name))
                return true;
        }
    }
    return false;
}

static bool is_noted(struct om__request *r)
{
    if (r->route->rows || lists_rows(r)) return true;
    if (r->route->data && r->status < 400 && names_ids(r)) return true;
    return r->who->role->personal == OM_PERSONAL_ROWS && r->route->data;
}

static void add_mark(struct om_audit *audit, const char *text, size_t len,
                     struct om_buf *out)
{
    char mark[OM_AUDIT_MARK_BYTES];
    if (om_audit_mark(audit, text, len, mark)) mark[0] = '\0';
    om_buf_addf(out, "~%s", mark);
}

/* Expressions of the filter language: their texts as marks. */
static void add_expression(struct om_audit *audit, const char *at,
                           struct om_buf *out)
{
    struct om_buf text = {0};
    while (*at) {
        const size_t plain = strcspn(at, "'");
        om__query_text(at, plain, out);
        at += plain;
        if (!*at) break;
        text.len = 0;
        for (at++; *at && (*at != '\'' || at[1] == '\''); at++) {
            om_buf_add_byte(&text, (uint8_t)*at);
            at += *at == '\'';
        }
        om_buf_add_byte(out, '\'');
        add_mark(audit, (const char *)text.bytes, text.len, out);
        om_buf_add_byte(out, '\'');
        at += *at == '\'';
    }
    om_buf_deinit(&text);
}

/* Numbers, times, boxes, true and false; and, of parameters that are known,
 * words. */
static bool is_plain(const char *value, bool known)
{
    static const char NUMBERS[] = "0123456789.,:+-/TZ ";
    static const char WORDS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_@*";
    if (!strcmp(value, "true") || !strcmp(value, "false")) return true;
    for (const char *c = value; *c; c++)
        if (!strchr(NUMBERS, *c) && !(known && strchr(WORDS, *c))) return false;
    return true;
}

/* A parameter of the route; of coverage, of its kind, which knows them. */
static bool is_known(const struct om__request *r, const char *name)
{
    if (om__param_known(r, name)) return true;
    if (strcmp(r->route->name, "coverage") != 0) return false;
    const struct om_coverage_kind *kind =
        om_coverage_find(r->address.segment[1]);
    return kind && om_coverage_knows(kind, name);
}

static void add_param(struct om_audit *audit, const struct om__request *r,
                      const struct om_param *p, struct om_buf *out)
{
    static const char *const TYPED[] = {"q", "next", NULL};
    const bool typed =
        is_one_of(p->name, TYPED) || is_one_of(p->name, EXPRESSIONS);
    const bool known = is_known(r, p->name);
    // A column's name, or what is none.
    if (known || r->status < 400)
        om__query_text(p->name, strlen(p->name), out);
    else
        add_mark(audit, p->name, strlen(p->name), out);
    om_buf_add_byte(out, '=');
    // One that cannot be read has names of columns that nobody knows, too.
    if (known && r->status < 400 && is_one_of(p->name, EXPRESSIONS))
        add_expression(audit, p->value, out);
    else if (is_plain(p->value, known) && !typed)
        om__query_text(p->value, p->len, out);
    else
        add_mark(audit, p->value, p->len, out);
}

/* The path. What names nothing that was told, in the place of a name or an id,
 * is something that somebody typed. */
static void add_path(struct om_audit *audit, const struct om__request *r,
                     struct om_buf *out)
{
    const char *of = r->route->path;
    if (r->status < 400) {
        om_buf_add(out, r->target, strcspn(r->target, "?"));
        return;
    }
    for (size_t i = 0; i < r->address.segments; i++) {
        const char *text = r->address.segment[i];
        const size_t len = strlen(text);
        const size_t open = strcspn(of, "{/");
        om_buf_add_byte(out, '/');
        if (of[open] == '{' &&
            !(r->snapshot && om_snapshot_has_layer(r->snapshot, text)))
            add_mark(audit, text, len, out);
        else
            om__query_text(text, len, out);
        of += strcspn(of, "/");
        of += *of == '/';
    }
}

/* What is kept of the target. */
static om_status write_target(struct om_audit *audit,
                              const struct om__request *r, struct om_buf *out)
{
    static const char *const PLACE[] = {"lon", "lat", NULL};
    add_path(audit, r, out);
    char before = '?';
    for (size_t i = 0; r->address_read && i < r->address.params; i++) {
        // Where somebody stands is not in the address, and not here.
        if (r->route->asks && is_one_of(r->address.param[i].name, PLACE))
            continue;
        om_buf_add_byte(out, (uint8_t)before);
        add_param(audit, r, &r->address.param[i], out);
        before = '&';
    }
    // ... but what was told there is.
    const size_t at = out->len;
    if (r->given.rows) om__given_write(&r->given, out);
    if (out->len > at) out->bytes[at] = (uint8_t)before;
    return om_buf_add(out, "", 1);
}

static const char *method_of(const struct om__request *r)
{
    if (r->route->asks) return r->route->method;
    return r->head ? "HEAD" : "GET";
}

/* By the minute: whoever feeds a city writes all the time. */
static void note_write(struct om__request *r)
{
    const bool fixes = !strcmp(r->route->name, "fixes");
    if (!r->given.rows || r->status >= 300) return;
    om__tally_add(r, r->layer ? r->layer->name : "",
                  fixes ? OM__TALLY_POSITIONS : OM__TALLY_ITEMS, &r->given, 0);
}

/* A stream that outlived its day is told at its end: files are of a day. */
static int64_t noted_ms(const struct om__request *r)
{
    const int64_t now_ms = om_now_ms();
    return r->asked_ms / DAY_MS == now_ms / DAY_MS ? r->asked_ms : now_ms;
}

void om__audit_note(struct om__request *r)
{
    char area[2 * OM_LIMIT_NAME_BYTES + 2] = "";
    struct om_err err = {0};
    struct om_buf target = {0};
    struct om_audit *audit = r->server->audit;
    if (!r->who || !r->who->asked || !r->route) return;
    if (r->route->method && !r->route->asks) {
        note_write(r);
        return;
    }
    if (om__request_address(r)) return;
    // A kept answer may have been made for another address.
    const struct om__route *route = om__route_find(
        r->server, &r->address, r->route->asks ? r->route->method : NULL);
    if (!route) return;
    r->route = route;
    if (!is_noted(r)) {
        om__tallies_add(r);
        return;
    }
    const struct om_token *token = &r->who->token;
    if (token->level[0])
        snprintf(area, sizeof area, "%s:%s", token->level, token->unit);
    // Which layers there are says which words are none's.
    om_status st = r->snapshot
                       ? OM_OK
                       : om__rights_take(r, om_city_snapshot(r->server->city));
    if (!st) st = write_target(audit, r, &target);
    const struct om_audit_entry entry = {.at_ms = noted_ms(r),
                                         .token = token->id,
                                         .role = r->who->role->name,
                                         .area = area,
                                         .method = method_of(r),
                                         .route = r->route->name,
                                         .target = (const char *)target.bytes,
                                         .status = r->status};
    if (!st) st = om_audit_add(audit, &entry, &err);
    if (st)
        om_log(OM_LOG_ERROR, "audit", "nothing is noted: %s",
               err.text[0] ? err.text : om_status_text(st));
    om_buf_deinit(&target);
}
