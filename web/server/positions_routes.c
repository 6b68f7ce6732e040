/* positions_routes.c - POST /positions: fixes come in; GET: who is connected.
 *
 * Fixes are a line each and stand for themselves: good ones are taken whatever
 * the others are. They are acknowledged when they are in memory; a second later
 * they are in the tracks, too, and survive the end of the process. A device
 * sends another one anyway, so that nothing waits for the disk.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "web/server/bounds.h"
#include "web/server/handlers.h"
#include "web/server/names.h"
#include "web/server/params.h"
#include "web/server/positions.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/stats_rates.h"
#include "web/server/writes.h"
#include "web/small.h"

/* Bodies above this are read by a worker: a millisecond's work. */
#define LIGHT_BYTES ((size_t)64 << 10)
#define FAULTS 100
#define LINE_BYTES ((size_t)4096)

static const struct om__head HEAD = {.type = "application/json",
                                     .cache = "no-store"};

/* A body on its way: request->upload. */
struct fixes {
    struct om_buf body;
    uint64_t held;
    bool bounded;
    struct om_box extent;
    int64_t now_s, oldest_s;
    int32_t zone_s;
    uint64_t line, taken, older, off_duty, refused;
    struct om_buf faults;
    struct om_err first;  // fault, with its line
};

/* One line of it. */
struct line {
    const char *worker;
    double lon, lat;
    int64_t at_s;
    bool on_duty;
    const char *field;  // that is wrong
};

om_status om__begin_positions(struct om__request *r)
{
    struct om__positions_about about;
    OM_TRY(om__write_allowed(r));
    struct om__positions *positions = atomic_load(&r->server->positions);
    if (!positions || !om__positions_follow(positions) ||
        !om__positions_about(r->whole, &about))
        return om_fail(&r->err, OM_E_NOTFOUND, 0,
                       "this city follows nobody: its city.json has no "
                       "positions");
    OM_TRY(om__write_role(r, about.layer));
    // Who is followed goes from area to area.
    if (r->who->token.level[0])
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is nothing here");
    const char *type = r->content_type;
    if (type && !strstr(type, "json")) {
        r->error_status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
        return om_fail(&r->err, OM_E_FORMAT, 0,
                       "positions come as application/x-ndjson");
    }
    struct fixes *f = om_calloc(1, sizeof *f);
    if (!f) return OM_E_MEMORY;
    r->upload = f;
    om_buf_init(&f->body, OM__FIXES_BYTES + 1);
    f->bounded = om_body_extent(r->whole, &f->extent);
    f->zone_s = r->snapshot->manifest->zone_s;
    f->now_s = om_snapshot_now(r->snapshot);
    f->oldest_s = f->now_s - about.kept_s;
    return OM_OK;
}

om_status om__take_positions(struct om__request *r, const void *bytes,
                             size_t len)
{
    struct fixes *f = r->upload;
    struct om__writes *writes = r->server->writes;
    const uint64_t all = atomic_fetch_add(&writes->body_bytes, len) + len;
    f->held += len;
    if (all > OM__BODIES_BYTES) {
        r->retry_after_s = 2;
        return om_fail(&r->err, OM_E_BUSY, 0,
                       "too many bytes of other writes are waiting");
    }
    return om_buf_add(&f->body, bytes, len);
}

void om__drop_positions(struct om__request *r)
{
    struct fixes *f = r->upload;
    if (!f) return;
    atomic_fetch_sub(&r->server->writes->body_bytes, f->held);
    om_buf_deinit(&f->body);
    om_buf_deinit(&f->faults);
    om_free(f);
    r->upload = NULL;
}

/* ---- one line */

static om_status bad(struct line *line, struct om_err *err, const char *field,
                     om_status st, const char *reason)
{
    line->field = field;
    return om_fail(err, st, 0, "%s", reason);
}

static om_status read_time(const struct fixes *f, const struct om_json *value,
                           struct line *line, struct om_err *err)
{
    const char *text = om_json_text(value, NULL);
    const bool number = om_json_kind(value) == OM_JSON_NUMBER;
    if (number)
        line->at_s = om_json_integer(value, INT64_MIN);
    else if (!text || om_time_parse(text, strlen(text), f->zone_s, &line->at_s))
        line->at_s = INT64_MIN;
    if (line->at_s == INT64_MIN)
        return bad(line, err, "at", OM_E_FORMAT,
                   "not a moment (ISO 8601, or seconds since 1970)");
    // It would hold its place against the true ones until its time has come.
    if (line->at_s > f->now_s + OM_LIMIT_AHEAD_S) {
        char at[OM_TIME_TEXT_BYTES], clock[OM_TIME_TEXT_BYTES];
        om_time_format(line->at_s, f->zone_s, at);
        om_time_format(f->now_s, f->zone_s, clock);
        line->field = "at";
        return om_fail(err, OM_E_RANGE, 0,
                       "%s is later than the city's clock, %s", at, clock);
    }
    if (line->at_s < f->oldest_s)
        return bad(line, err, "at", OM_E_RANGE,
                   "older than positions are kept");
    return OM_OK;
}

static om_status read_place(const struct fixes *f, struct line *line,
                            struct om_pos *pos, struct om_err *err)
{
    if (!isfinite(line->lon) || fabs(line->lon) > 180)
        return bad(line, err, "lon", OM_E_COORD, "not a longitude in degrees");
    if (!isfinite(line->lat) || om_pos_from_lonlat(line->lon, line->lat, pos))
        return bad(line, err, "lat", OM_E_COORD, "not a latitude in degrees");
    if (f->bounded && (pos->x < f->extent.x0 || pos->x > f->extent.x1 ||
                       pos->y < f->extent.y0 || pos->y > f->extent.y1))
        return bad(line, err, "lon", OM_E_COORD, "outside the city");
    return OM_OK;
}

static om_status read_members(const struct fixes *f,
                              const struct om_json *object, struct line *line,
                              struct om_err *err)
{
    static const char *const KNOWN[] = {"worker", "lon", "lat", "at",
                                        "on_duty"};
    if (om_json_kind(object) != OM_JSON_OBJECT)
        return bad(line, err, "", OM_E_FORMAT, "not a JSON object");
    for (size_t i = 0; i < om_json_count(object); i++) {
        const char *key = "";
        size_t k = 0;
        om_json_member(object, i, &key);
        while (k < 5 && strcmp(KNOWN[k], key) != 0) k++;
        if (k == 5)
            return bad(line, err, "", OM_E_FORMAT,
                       "only worker, lon, lat, at and on_duty are members");
    }
    line->worker = om_json_text(om_json_get(object, "worker"), NULL);
    line->lon = om_json_real(om_json_get(object, "lon"), NAN);
    line->lat = om_json_real(om_json_get(object, "lat"), NAN);
    const struct om_json *duty = om_json_get(object, "on_duty");
    line->on_duty = om_json_true(duty, false);
    if (!line->worker)
        return bad(line, err, "worker", OM_E_FORMAT, "missing, or not a text");
    if (om_json_kind(duty) != OM_JSON_BOOLEAN)
        return bad(line, err, "on_duty", OM_E_FORMAT,
                   "missing, or neither true nor false");
    return read_time(f, om_json_get(object, "at"), line, err);
}

static om_status take_line(struct om__request *r, struct fixes *f,
                           const struct om_json *object, struct line *line,
                           struct om_err *err)
{
    struct om_pos pos;
    OM_TRY(read_members(f, object, line, err));
    OM_TRY(read_place(f, line, &pos, err));
    // Where somebody is off duty is nobody's business.
    if (!line->on_duty) {
        f->off_duty++;
        return OM_OK;
    }
    const om_status st =
        om__positions_take(atomic_load(&r->server->positions), line->worker,
                           strlen(line->worker), pos, line->at_s);
    if (st == OM_E_NOTFOUND)
        return bad(line, err, "worker", st, "there is no such row");
    if (st == OM_E_EXISTS) {
        f->older++;
        return OM_OK;
    }
    if (st) return om_fail(err, st, 0, "%s", om_status_text(st));
    f->taken++;
    // Who, not where: tracks are kept for hours, the audit for a year.
    om__given_row(&r->given, line->worker, strlen(line->worker), NULL);
    return OM_OK;
}

static void add_fault(struct fixes *f, const struct line *line,
                      const struct om_err *err)
{
    if (!f->refused++) {
        om_fail(&f->first, err->code, (size_t)f->line,
                "no row can be taken; row %llu%s%s: %s",
                (unsigned long long)f->line,
                line->field && *line->field ? ", " : "",
                line->field ? line->field : "", err->text);
    }
    if (f->refused > FAULTS) return;
    om_buf_addf(&f->faults, "%s\n{\"row\":%llu", f->refused > 1 ? "," : "",
                (unsigned long long)f->line);
    if (line->worker) {
        om_buf_add_text(&f->faults, ",\"worker\":");
        om_buf_add_json_text(&f->faults, line->worker,
                             strnlen(line->worker, 64));
    }
    if (line->field && *line->field)
        om_buf_addf(&f->faults, ",\"field\":\"%s\"", line->field);
    om_buf_add_text(&f->faults, ",\"reason\":");
    om_buf_add_json_text(&f->faults, err->text, strlen(err->text));
    om_buf_add_byte(&f->faults, '}');
}

static om_status read_line(struct om__request *r, struct fixes *f,
                           const char *text, size_t len)
{
    struct om_json *object = NULL;
    struct line line = {0};
    struct om_err err = {0};
    om_status st = len > LINE_BYTES
                       ? om_fail(&err, OM_E_LIMIT, 0, "a line is too long")
                       : om_json_parse(text, len, &object, &err);
    if (!st) st = take_line(r, f, object, &line, &err);
    const bool ours = st == OM_E_BUSY || st == OM_E_MEMORY;
    if (st && !ours) add_fault(f, &line, &err);
    om_json_free(object);
    return ours ? st : OM_OK;
}

/* ---- the body */

static om_status read_lines(struct om__request *r, struct fixes *f)
{
    const char *at = (const char *)f->body.bytes, *end = at + f->body.len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        const char *line = at;
        at += len + 1;
        f->line++;
        while (len && strchr(" \t\r", line[len - 1])) len--;
        if (len) OM_TRY(read_line(r, f, line, len));
    }
    return OM_OK;
}

static void add_counts(const struct fixes *f, struct om_buf *out)
{
    om_buf_addf(out,
                "\"taken\":%llu,\"older\":%llu,\"off_duty\":%llu,"
                "\"refused\":%llu,\"errors\":[",
                (unsigned long long)f->taken, (unsigned long long)f->older,
                (unsigned long long)f->off_duty,
                (unsigned long long)f->refused);
    if (f->faults.len) om_buf_add(out, f->faults.bytes, f->faults.len);
    om_buf_add_byte(out, ']');
}

om_status om__post_positions(struct om__request *r)
{
    struct fixes *f = r->upload;
    struct om_buf out = {0};
    if (f->body.len > LIGHT_BYTES && !r->on_worker) {
        r->later = true;
        return OM_OK;
    }
    OM_TRY(read_lines(r, f));
    if (!f->line)
        return om_fail(&r->err, OM_E_FORMAT, 0,
                       "the body is empty: a position is a line such as "
                       "{\"worker\":\"G00001\",\"lon\":113.7,\"lat\":23,"
                       "\"at\":\"2023-06-26T14:05:00+08:00\","
                       "\"on_duty\":true}");
    if (f->refused && !f->taken && !f->older && !f->off_duty) {
        add_counts(f, &r->problem_more);
        r->error_status = MHD_HTTP_BAD_REQUEST;
        r->err = f->first;
        return f->first.code;
    }
    om_buf_add_byte(&out, '{');
    add_counts(f, &out);
    om_buf_add_text(&out, "}\n");
    const om_status st = om__reply(r, &out, &HEAD);
    om_buf_deinit(&out);
    return st;
}

/* ---- who is connected */

/* Of those who are told of in steps (engine/policy/steps.h) who is connected
 * has a time, and no other. */
static struct om_window since(const struct om__request *r, int64_t from_s)
{
    const bool set = from_s != INT64_MIN;
    if (r->layer->rights.by_level) from_s = INT64_MIN + 1;
    return (struct om_window){.set = set, .from_s = from_s, .to_s = INT64_MAX};
}

/* Those seen since `from_s`, by a unit's column. */
static om_status group_seen(struct om__request *r, size_t by, int64_t from_s,
                            struct om_groups *out)
{
    const struct om_query query = {.snapshot = r->snapshot,
                                   .layer = r->layer,
                                   .cache = NULL,
                                   .window = since(r, from_s)};
    return om_query_group(&query, by, OM_STEP_NONE, 0, OM_NO_FIELD, out);
}

/* Which units have too few that were seen since `from_s` to be told. */
static om_status find_few(struct om__request *r, size_t by, int64_t from_s,
                          struct om_small_units *out)
{
    const struct om_query query = {
        .snapshot = r->snapshot, .layer = r->layer, .window = since(r, from_s)};
    return om_small_units_make(&query, r->layer->schema.field[by].name,
                               r->layer->rights.smallest_count, out, &r->err);
}

static uint64_t count_of(const struct om_groups *groups,
                         const struct om_group *like)
{
    for (size_t i = 0; i < groups->count; i++) {
        const struct om_group *g = &groups->group[i];
        if (g->null == like->null && g->len == like->len &&
            !memcmp(g->id, like->id, like->len))
            return g->count;
    }
    return 0;
}

/* Those of a unit nobody of which has been seen for as long as positions are
 * kept are not connected: that is not nobody. */
static void add_group(const struct om_group *g, const struct om_groups *kept,
                      const struct om_groups *seen,
                      const struct om__unit_name *unit, const bool hide[2],
                      struct om_buf *out)
{
    om_buf_add_text(out, "{\"id\":");
    if (g->null)
        om_buf_add_text(out, "null");
    else
        om_buf_add_json_text(out, g->id, g->len);
    if (unit && unit->name) {
        om_buf_add_text(out, ",\"name\":");
        om_buf_add_json_text(out, unit->name, unit->name_len);
    }
    if (hide[0])
        om_buf_add_text(out, ",\"count\":null,\"hidden\":true,\"connected\":");
    else
        om_buf_addf(out, ",\"count\":%llu,\"connected\":",
                    (unsigned long long)g->count);
    if (hide[0] || hide[1])
        om_buf_add_text(out, hide[0] ? "null}" : "null,\"hidden\":true}");
    else if (g->count && count_of(kept, g))
        om_buf_addf(out, "%llu}", (unsigned long long)count_of(seen, g));
    else
        om_buf_add_text(out, "null}");
}

static void add_total(struct om_buf *out, const char *key, uint64_t n,
                      bool crowds, bool steps, uint64_t least)
{
    if (crowds && (n || steps) && n < least)
        om_buf_addf(out, ",\"%s\":null", key);
    else
        om_buf_addf(out, ",\"%s\":%llu", key, (unsigned long long)n);
}

static om_status write_groups(struct om__request *r, size_t by, int64_t kept_s,
                              int64_t seen_s, struct om_buf *out)
{
    struct om_groups all = {0}, kept = {0}, seen = {0};
    struct om__level_names *names = NULL;
    struct om_small_units few = {0}, few_seen = {0};
    const bool crowds = r->layer->rights.crowds;
    om_status st = group_seen(r, by, INT64_MIN, &all);
    if (!st) st = group_seen(r, by, kept_s, &kept);
    if (!st) st = group_seen(r, by, seen_s, &seen);
    if (!st) st = om__names_get(r, r->layer->schema.field[by].name, &names);
    if (crowds && !st) st = find_few(r, by, INT64_MIN, &few);
    if (crowds && !st) st = find_few(r, by, seen_s, &few_seen);
    uint64_t count = 0, connected = 0;
    for (size_t i = 0; i < all.count && !st; i++) count += all.group[i].count;
    for (size_t i = 0; i < seen.count && !st; i++)
        connected += seen.group[i].count;
    const struct om_layer_rights *rights = &r->layer->rights;
    const bool steps = rights->by_level != NULL;
    if (steps && !rights->area) {
        count = rights->told[0];
        connected = rights->told[1];
    }
    add_total(out, "count", count, crowds, steps, rights->smallest_count);
    add_total(out, "connected", connected, crowds, steps,
              rights->smallest_count);
    om_buf_addf(out, ",\"seen_within_s\":%d,\"groups\":[", OM__SEEN_S);
    bool first = true;
    for (size_t i = 0; i < all.count && !st; i++) {
        const struct om_group *g = &all.group[i];
        // Units outside the area are not named.
        if (r->layer->rights.area && !g->count) continue;
        om_buf_add_text(out, first ? "\n" : ",\n");
        first = false;
        const char *id = g->null ? NULL : g->id;
        const bool hide[2] = {
            crowds && om_small_units_hide(&few, id, g->len),
            crowds && om_small_units_hide(&few_seen, id, g->len)};
        add_group(g, &kept, &seen,
                  g->null ? NULL : om__level_names_find(names, g->id, g->len),
                  hide, out);
    }
    om_buf_add_text(out, "]}\n");
    om_small_units_deinit(&few);
    om_small_units_deinit(&few_seen);
    om__level_names_unref(names);
    om_groups_deinit(&all);
    om_groups_deinit(&kept);
    om_groups_deinit(&seen);
    return st ? st : out->status;
}

om_status om__get_positions(struct om__request *r)
{
    struct om__positions_about about;
    struct om_buf out = {0};
    const struct om_manifest *city = r->snapshot->manifest;
    if (!om__positions_about(r->snapshot, &about) || !city->levels)
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "this city follows nobody");
    r->layer = om_snapshot_layer(r->snapshot, about.layer);
    if (!r->layer) return om_snapshot_lacks(r->snapshot, about.layer, &r->err);
    const char *by = om__param_text(r, "by");
    size_t coarsest = city->levels - 1;
    while (coarsest &&
           !om_snapshot_has_level(r->snapshot, city->level[coarsest]))
        coarsest--;
    if (!by) by = city->level[coarsest];
    const size_t column = om_layer_unit_field(r->layer, by);
    if (column == OM_NO_FIELD || !om_snapshot_has_level(r->snapshot, by))
        return om__param_bad(r, "by", OM_E_FORMAT, "by is a level of units");
    if (r->layer->rights.crowds && om__crowd_too_fine(r, r->layer, by))
        return om__rows_refused(r, "counts by so small a unit");
    const int64_t now_s = om_snapshot_now(r->snapshot);
    r->layer = om_layer_by(r->snapshot, r->layer, by);
    om_buf_add_text(&out, "{\"layer\":");
    om_buf_add_json_text(&out, r->layer->name, strlen(r->layer->name));
    om_buf_add_text(&out, ",\"by\":");
    const char *name = r->layer->schema.field[column].name;
    om_buf_add_json_text(&out, name, strlen(name));
    om_status st =
        write_groups(r, column, now_s - about.kept_s, now_s - OM__SEEN_S, &out);
    if (!st) st = om__reply(r, &out, &HEAD);
    om_buf_deinit(&out);
    return st;
}
