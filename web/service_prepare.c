// service_prepare.c - people, centres and roads gathered for a plan.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/service_plan.h"

/* A filter that an option or city.json holds. */
static om_status parse(struct om_coverage *q, const struct om_layer *layer,
                       const char *text, const char *option, const char *member,
                       struct om_filter **out)
{
    *out = NULL;
    if (!text) return OM_OK;
    struct om_err err = {0};
    const om_status st = om_filter_parse(
        text, strlen(text), layer, q->snapshot->manifest->zone_s, out, &err);
    if (!st || st == OM_E_MEMORY) return st;
    if (option) return om__coverage_bad(q, option, OM_E_FORMAT, "%s", err.text);
    return om_fail(&q->err, OM_E_FORMAT, 0, "city.json: service.%s: %.200s",
                   member, err.text);
}

static om_status select_rows(struct om_coverage *q,
                             const struct om_layer *layer, const char *text,
                             const char *option, const char *member,
                             struct om_selection **out)
{
    struct om_filter *filter;
    OM_TRY(parse(q, layer, text, option, member, &filter));
    const om_status st =
        om_select(q->selections, layer, filter, (struct om_window){0}, out);
    om_filter_free(filter);
    return st;
}

om_status om__service_people(struct om_coverage *q, struct om__service *s)
{
    struct om_selection *rows = NULL;
    OM_TRY(select_rows(q, s->people, om__coverage_text(q, "among"), "among", "",
                       &rows));
    const om_status st = om_crowd_read(s->people, rows, s->weight, &s->crowd);
    om_selection_unref(rows);
    if (st == OM_E_RANGE)
        return om_fail(&q->err, st, 0, "layer %s: a weight below 0",
                       s->people->name);
    return st;
}

static om_status list_centres(struct om__service *s,
                              const struct om_selection *rows)
{
    const size_t n = rows->all ? s->centres->rows : rows->count;
    s->centre = om_alloc_array(n + 1, sizeof *s->centre);
    s->centre_row = om_alloc_array(n + 1, sizeof *s->centre_row);
    s->centre_part = om_alloc_array(n + 1, sizeof *s->centre_part);
    if (!s->centre || !s->centre_row || !s->centre_part) return OM_E_MEMORY;
    for (size_t p = 0; p < s->centres->parts; p++) {
        const struct om_segment *segment = s->centres->part[p].segment;
        const size_t all = om_segment_rows(segment);
        const uint64_t *key;
        OM_TRY(om_segment_keys(segment, 0, all, &key));
        for (size_t row = 0; row < all; row++) {
            if (!om_selection_has(rows, p, row)) continue;
            s->centre[s->centre_count] = om_morton_pos(key[row]);
            s->centre_row[s->centre_count] = (uint32_t)row;
            s->centre_part[s->centre_count++] = p;
        }
    }
    return OM_OK;
}

static om_status gather_centres(struct om_coverage *q, struct om__service *s)
{
    struct om_selection *rows = NULL;
    OM_TRY(select_rows(q, s->centres, om__coverage_text(q, "where"), "where",
                       "", &rows));
    const om_status st = list_centres(s, rows);
    om_selection_unref(rows);
    return st;
}

om_status om__service_net(struct om_coverage *q, const struct om__service *s,
                          struct om_roads **out)
{
    struct om_selection *usable = NULL, *apart = NULL, *wet = NULL;
    char member[80];
    *out = NULL;
    snprintf(member, sizeof member, "modes.%.40s.roads", s->mode);
    om_status st = select_rows(q, s->roads, s->usable, NULL, member, &usable);
    if (!st && s->apart)
        st = select_rows(q, s->roads, s->apart, NULL, "roads.apart", &apart);
    if (!st && s->water) st = select_rows(q, s->water, NULL, NULL, "", &wet);
    const struct om_road_rules rules = {.usable = usable,
                                        .apart = apart,
                                        .cross = s->cross,
                                        .join_m = s->join_m,
                                        .least_m = s->least_m,
                                        .water = s->water,
                                        .wet = wet};
    if (!st) st = om_roads_new(s->roads, &rules, out);
    om_selection_unref(usable);
    om_selection_unref(apart);
    om_selection_unref(wet);
    if (st || om_roads_figures(*out).edges) return st;
    om_roads_free(*out);
    *out = NULL;
    return OM_OK;
}

void om__service_travel(struct om__service *s)
{
    s->travel = (struct om_travel){.roads = s->net,
                                   .factor = s->factor,
                                   .m_per_min = s->m_per_min,
                                   .foot_m_per_min = s->foot_m_per_min,
                                   .reach_m = s->reach_m};
    if (s->net)
        snprintf(s->over, sizeof s->over, "road");
    else
        snprintf(s->over, sizeof s->over, "straight x %g", s->factor);
}

static om_status take_net(struct om_coverage *q, struct om__service *s)
{
    if (!q->lender) return om__service_net(q, s, &s->net);
    s->lent = true;
    return q->lender->net(q->lender->ctx, q, s, &s->net);
}

om_status om__service_prepare(struct om_coverage *q, struct om__service *s)
{
    OM_TRY(om__service_people(q, s));
    OM_TRY(gather_centres(q, s));
    if (s->roads) OM_TRY(take_net(q, s));
    if (s->roads && !s->net && om__coverage_text(q, "over"))
        return om__coverage_bad(q, "over", OM_E_NOTFOUND,
                                "layer %s has no usable road", s->roads->name);
    om__service_travel(s);
    return s->net && q->lender
               ? q->lender->snaps(q->lender->ctx, q, s, &s->snap)
               : OM_OK;
}

void om__service_deinit(struct om__service *s)
{
    om_crowd_deinit(&s->crowd);
    om_free(s->centre);
    om_free(s->centre_row);
    om_free(s->centre_part);
    if (!s->lent) om_roads_free(s->net);
    *s = (struct om__service){0};
}

om_status om__service_units(const struct om__service *s,
                            const struct om_units *units, uint32_t *unit)
{
    const struct om_crowd *crowd = &s->crowd;
    const size_t parts = s->people->parts;
    struct om_arena arena = {0};
    struct om_unit_rows *rows =
        om_arena_calloc(&arena, parts + 1, sizeof *rows);
    om_status st = rows ? OM_OK : OM_E_MEMORY;
    for (size_t p = 0; p < parts && !st; p++)
        st = om_units_rows(units, s->people, p, &arena, &rows[p]);
    for (size_t i = 0; i < crowd->count && !st; i++)
        unit[i] = om_unit_of_row(&rows[crowd->part[i]], crowd->first[i]);
    om_arena_deinit(&arena);
    return st;
}

void om__service_members(const struct om__service *s, struct om_buf *out)
{
    om_buf_addf(out, "\"over\":\"%s\",\"mode\":", s->over);
    om_buf_add_json_text(out, s->mode, strlen(s->mode));
    om_buf_addf(out, ",\"m_per_min\":%g,\"near\":[", s->m_per_min);
    for (size_t k = 0; k < s->nears; k++) {
        char name[24];
        om__service_near_name(s->near[k], name);
        om_buf_addf(out, "%s\"%s\"", k ? "," : "", name);
    }
    om_buf_addf(out, "],\"centres\":%zu", s->centre_count);
    if (!s->net) return;
    const struct om_road_figures f = om_roads_figures(s->net);
    om_buf_addf(out,
                ",\"reach_m\":%g,\"roads\":{\"km\":%.1f,\"lines\":%zu,"
                "\"crossings\":\"%s\",\"pieces\":%zu,\"largest_km\":%.1f,"
                "\"left_out_km\":%.1f}",
                s->reach_m, f.km, f.lines, s->cross ? "join" : "vertices",
                f.pieces, f.largest_km, f.left_out_km);
}
