// coverage_site.c - where should the next K centres stand?
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/reach/areas.h"
#include "web/service_say.h"

#define SITES_MOST 1000
#define SPACING_M 200.0

static const struct om_table_column COLUMN[] = {
    {"id", OM_TYPE_INTEGER},     {"name", OM_TYPE_TEXT},
    {"place", OM_TYPE_TEXT},     {"over", OM_TYPE_TEXT},
    {"lon", OM_TYPE_REAL},       {"lat", OM_TYPE_REAL},
    {"count", OM_TYPE_INTEGER},  {"gain", OM_TYPE_INTEGER},
    {"sum", OM_TYPE_INTEGER},    {"sum_share", OM_TYPE_REAL},
    {"nearest_m", OM_TYPE_REAL}, {"text", OM_TYPE_TEXT},
    {"text_en", OM_TYPE_TEXT}};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)

/* One answer in the making. */
struct plan {
    struct om_coverage *q;
    struct om__service s;
    struct om_nearness near;
    uint64_t k;
    double spacing_m;
    struct om_trips trips;  // to the centres there are
    int64_t before;         // weight near one of them
    // Demands: positions that are not near, and candidates.
    uint32_t *demand;  // [demands] positions
    size_t demands;
    uint64_t *demand_key;
    struct om_snap *demand_snap;
    int64_t *demand_weight;
    uint32_t *place;  // [places] positions, or OM_NO_UNIT (of a layer)
    struct om_pos *site;
    size_t places;
    struct om_choice choice;
    struct om_units units;
    struct om__upper upper;
    uint32_t *unit;
};

static om_status read_near(struct plan *p)
{
    double limit_m = 0;
    const bool minutes = om__coverage_text(p->q, "minutes") != NULL;
    OM_TRY(om__coverage_real(p->q, "within", 1, 1e6, &limit_m));
    p->near = p->s.near[p->s.nears - 1];
    if (limit_m == 0) return OM_OK;
    if (minutes)
        return om__coverage_bad(p->q, "within", OM_E_FORMAT,
                                "metres and minutes both: one of them says "
                                "what near is");
    p->near = (struct om_nearness){false, limit_m};
    return OM_OK;
}

static om_status read_plan(struct plan *p)
{
    p->k = 10;
    p->spacing_m = SPACING_M;
    OM_TRY(om__service_read(p->q, &p->s));
    OM_TRY(om__coverage_whole(p->q, "k", 1, SITES_MOST, &p->k));
    OM_TRY(om__coverage_real(p->q, "spacing", 20, 100000, &p->spacing_m));
    return read_near(p);
}

static om_status find_demands(struct plan *p)
{
    const struct om_crowd *crowd = &p->s.crowd;
    const size_t n = crowd->count;
    p->demand = om_alloc_array(n + 1, sizeof *p->demand);
    p->demand_key = om_alloc_array(n + 1, sizeof *p->demand_key);
    p->demand_weight = om_alloc_array(n + 1, sizeof *p->demand_weight);
    if (p->trips.snap)
        p->demand_snap = om_alloc_array(n + 1, sizeof *p->demand_snap);
    if (!p->demand || !p->demand_key || !p->demand_weight ||
        (p->trips.snap && !p->demand_snap))
        return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (om_is_near(&p->trips, i, p->near)) {
            p->before += crowd->weight[i];
            continue;
        }
        if (crowd->weight[i] == 0) continue;
        p->demand[p->demands] = (uint32_t)i;
        p->demand_key[p->demands] = crowd->key[i];
        p->demand_weight[p->demands] = crowd->weight[i];
        if (p->trips.snap) p->demand_snap[p->demands] = p->trips.snap[i];
        p->demands++;
    }
    return OM_OK;
}

static om_status places_of_people(struct plan *p)
{
    const struct om_crowd *crowd = &p->s.crowd;
    p->place = om_alloc_array(crowd->count + 1, sizeof *p->place);
    if (!p->place) return OM_E_MEMORY;
    if (crowd->count == 0) return OM_OK;
    const struct om_pos middle = om_morton_pos(crowd->key[crowd->count / 2]);
    OM_TRY(om_cover_places(crowd, om_areas_side(p->spacing_m, middle.y),
                           p->place, &p->places));
    p->site = om_alloc_array(p->places + 1, sizeof *p->site);
    if (!p->site) return OM_E_MEMORY;
    for (size_t i = 0; i < p->places; i++)
        p->site[i] = om_morton_pos(crowd->key[p->place[i]]);
    return OM_OK;
}

static om_status choose(struct plan *p)
{
    const om_status st = om_cover_find(
        &p->s.travel, p->site, p->places, p->demand_key, p->demand_snap,
        p->demand_weight, p->demands, p->near, (size_t)p->k, &p->choice);
    if (st != OM_E_COST) return st;
    if (p->choice.tired)
        return om__coverage_bad(
            p->q, "k", st,
            "%llu sites of %zu candidates, the last of them hardly better than "
            "any other, take too long to choose: fewer of them, more metres "
            "between candidates (spacing) or a wider limit (within, minutes)",
            (unsigned long long)p->k, p->places);
    return om__coverage_bad(
        p->q, "spacing", st,
        "%zu candidates, too many people within reach of each: more than %g "
        "metres between candidates, or a nearer limit",
        p->places, p->spacing_m);
}

static om_status read_units(struct plan *p)
{
    const char *level;
    const struct om_manifest *m = p->q->snapshot->manifest;
    if (!m->levels && !om__coverage_text(p->q, "by")) return OM_OK;
    OM_TRY(om__coverage_level(p->q, &level));
    // Places are called by village rather than by grid where both are there.
    if (!om__coverage_text(p->q, "by") && m->levels > 1) level = m->level[1];
    OM_TRY(om_units_read(p->q->snapshot, level, &p->units, &p->q->err));
    OM_TRY(om__upper_read(p->q, &p->units, &p->upper));
    p->unit = om_alloc_array(p->s.crowd.count + 1, sizeof *p->unit);
    if (!p->unit) return OM_E_MEMORY;
    return om__service_units(&p->s, &p->units, p->unit);
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static om_status put_site(struct plan *p, size_t rank, int64_t before,
                          struct om_table *table)
{
    const uint32_t c = p->choice.site[rank], at = p->place[c];
    const int64_t gain = p->choice.gain[rank], all = p->s.crowd.total_weight;
    const uint32_t u = p->unit ? p->unit[at] : OM_NO_UNIT;
    const bool in = u < p->units.count;
    struct om_buf id = {0}, en = {0}, zh = {0};
    struct om_text_reader reader = {0};
    double lon, lat;
    om_pos_to_lonlat(p->site[c], &lon, &lat);
    om_status st =
        om__service_text(p->s.people, p->s.crowd.part[at], p->s.crowd.first[at],
                         p->s.people->schema.id_field, &reader, &id);
    om__say_site(&p->s, in ? &p->upper : NULL, u, rank + 1, gain, before, all,
                 p->near, &en, &zh);
    if (!st) st = en.status ? en.status : zh.status;
    if (!st) {
        om_table_at(table, p->site[c].x + 0.5, p->site[c].y + 0.5);
        om_table_integer(table, (int64_t)rank + 1);
        om_table_word(table, in ? p->units.unit[u].name : "");
        om_table_word(table, (const char *)id.bytes);
        om_table_word(table, p->s.over);
        om_table_real(table, lon);
        om_table_real(table, lat);
        om_table_integer(table, (int64_t)p->s.crowd.rows[at]);
        om_table_integer(table, gain);
        om_table_integer(table, before + gain);
        om_table_real(table, share((double)(before + gain), (double)all));
        om_table_real(table, isfinite(p->trips.m[at])
                                 ? round(p->trips.m[at] * 1000) / 1000
                                 : NAN);
        om_table_text(table, (const char *)zh.bytes, zh.len);
        om_table_text(table, (const char *)en.bytes, en.len);
    }
    om_text_reader_deinit(&reader);
    om_buf_deinit(&id);
    om_buf_deinit(&en);
    om_buf_deinit(&zh);
    return st;
}

static void members_of(const struct plan *p, struct om_buf *out)
{
    char near[24];
    const int64_t all = p->s.crowd.total_weight;
    const int64_t after = p->before + p->choice.total;
    om__service_near_name(p->near, near);
    om__service_members(&p->s, out);
    om_buf_addf(out,
                ",\"within\":\"%s\",\"sum\":%lld,\"before\":%lld,"
                "\"after\":%lld,\"before_share\":",
                near, (long long)all, (long long)p->before, (long long)after);
    om_buf_add_json_real(out, share((double)p->before, (double)all));
    om_buf_add_text(out, ",\"after_share\":");
    om_buf_add_json_real(out, share((double)after, (double)all));
    om_buf_addf(out,
                ",\"asked\":%llu,\"chosen\":%zu,\"candidates\":%zu,"
                "\"measured\":%zu,\"spacing_m\":%g,\"swaps\":%zu,\"gain\":%lld,"
                "\"gain_at_most\":%lld,\"of_best_at_least\":",
                (unsigned long long)p->k, p->choice.count, p->places,
                p->choice.measured, p->spacing_m, p->choice.swaps,
                (long long)p->choice.total, (long long)p->choice.bound);
    om_buf_add_json_real(out, p->choice.bound > 0 ? (double)p->choice.total /
                                                        (double)p->choice.bound
                                                  : 1);
    om_buf_add_byte(out, 0);
}

static om_status give(struct plan *p)
{
    struct om_buf members = {0};
    struct om_table *table = NULL;
    members_of(p, &members);
    om_status st = members.status;
    if (!st)
        st = om__coverage_table(p->q, COLUMN, COLUMNS,
                                (const char *)members.bytes, &table);
    int64_t before = p->before;
    for (size_t i = 0; i < p->choice.count && !st && om__coverage_tell(p->q);
         i++) {
        st = put_site(p, i, before, table);
        before += p->choice.gain[i];
    }
    if (!st) st = om_table_end(table, NULL);
    om_table_free(table);
    om_buf_deinit(&members);
    return st;
}

static void plan_deinit(struct plan *p)
{
    om_choice_deinit(&p->choice);
    om_free(p->demand);
    om_free(p->demand_key);
    om_free(p->demand_snap);
    om_free(p->demand_weight);
    om_free(p->place);
    om_free(p->site);
    om_free(p->unit);
    om_trips_deinit(&p->trips);
    om__upper_deinit(&p->upper);
    om_units_deinit(&p->units);
    om__service_deinit(&p->s);
}

om_status om__coverage_site(struct om_coverage *q)
{
    struct plan p = {.q = q};
    OM_TRY(read_plan(&p));
    struct om__service *s = &p.s;
    om_status st = om__service_prepare(q, s);
    if (!st) st = read_units(&p);
    if (!st)
        st = om_trips_make(&s->travel, s->crowd.key, s->crowd.count, s->snap,
                           s->centre, s->centre_count, &p.trips);
    if (!st) st = find_demands(&p);
    if (!st) st = places_of_people(&p);
    if (!st) st = choose(&p);
    if (!st) st = give(&p);
    plan_deinit(&p);
    return st;
}
