// live_answers_stat.h - hotspots, duties, risks, crowds and ways of two cities.
#ifndef OM_TESTS_TILES_LIVE_ANSWERS_STAT_H
#define OM_TESTS_TILES_LIVE_ANSWERS_STAT_H

#include "engine/reach/ways.h"
#include "tests/tiles/live_asked.h"

/* ---- hotspots and duties ---- */

static inline bool answers_near(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b ||
           fabs(a - b) <= 1e-9 * (1 + fabs(a));
}

static inline void answers_same_hotspots(const struct asked_city city[2],
                                         enum om_hotspot_stat stat,
                                         const char *areas_of, size_t kinds)
{
    struct om_hotspots found[2];
    struct om_zones areas[2];
    struct om_graph graph[2];
    struct om_near_spec near;
    assert_int_equal(om_near_spec_read("contiguity", &near, NULL), OM_OK);
    for (int k = 0; k < 2; k++) {
        const struct om_layer *layer = answers_layer(&city[k], MODEL_CASE);
        assert_int_equal(
            om_zones_read(city[k].snapshot, areas_of, layer, &areas[k], NULL),
            OM_OK);
        assert_int_equal(om_zones_graph(&areas[k], &near, &graph[k]), OM_OK);
        const struct om_hotspots_ask ask = {
            .snapshot = city[k].snapshot,
            .layer = layer,
            .cache = city[k].caches->selections,
            .stat = stat,
            .areas = &areas[k],
            .graph = &graph[k],
            .weight_column = OM_NO_FIELD,
            .kind_column = kinds,
            .least = 1,
            .exposure = {.weight_column = OM_NO_FIELD}};
        struct om_err err = {0};
        if (om_hotspots_find(&ask, &found[k], &err)) fail_msg("%s", err.text);
    }
    assert_true(found[0].rows == found[1].rows);
    assert_true(found[0].outside == found[1].outside);
    // A kind that nobody has is no kind in a city built anew.
    size_t j = 0;
    for (size_t i = 0; i < found[0].count; i++) {
        const struct om_hotspot *a = &found[0].row[i];
        while (
            kinds != OM_NO_FIELD && j < found[1].count &&
            strcmp(found[1].kind[found[1].row[j].kind], found[0].kind[a->kind]))
            j++;
        assert_true(j < found[1].count);
        const struct om_hotspot *b = &found[1].row[j++];
        assert_int_equal(a->area, b->area);
        assert_true(a->count == b->count);
        assert_true(answers_near(a->z, b->z) && answers_near(a->p, b->p) &&
                    answers_near(a->q, b->q));
        assert_int_equal(a->bin, b->bin);
        assert_int_equal(a->since_s, b->since_s);
    }
    for (int k = 0; k < 2; k++) {
        om_hotspots_deinit(&found[k]);
        om_graph_deinit(&graph[k]);
        om_zones_deinit(&areas[k]);
    }
}

static inline void answers_id(const struct om_layer *layer, size_t part,
                              size_t row, char out[MODEL_TEXT])
{
    struct om_text_reader reader = {0};
    const char *text;
    size_t len;
    assert_int_equal(
        om_segment_text(layer->part[part].segment, layer->schema.id_field, row,
                        &reader, &text, &len),
        OM_OK);
    snprintf(out, MODEL_TEXT, "%.*s", (int)len, text);
    om_text_reader_deinit(&reader);
}

struct answers_judged {
    char id[MODEL_TEXT];
    struct om_patrol_row row;
};

static inline void answers_same_patrols(const struct asked_city city[2])
{
    struct answers_judged *judged[2] = {0};
    size_t count[2];
    struct om_patrol_visits visits[2];
    char lost[2][OM_PATROL_LOST_LISTED][MODEL_TEXT] = {0};
    struct om_patrol_sums sums[2];
    for (int k = 0; k < 2; k++) {
        struct om_duty duty;
        struct om_selection *selection;
        struct om_patrol patrol;
        struct om_units units;
        const struct om_layer *house = answers_layer(&city[k], MODEL_HOUSE);
        assert_int_equal(om_duty_read(city[k].snapshot, &duty, NULL), OM_OK);
        assert_int_equal(duty.targets, 1);
        assert_int_equal(om_select(city[k].caches->selections, house, NULL,
                                   (struct om_window){0}, &selection),
                         OM_OK);
        const struct om_patrol_spec spec = {.snapshot = city[k].snapshot,
                                            .duty = &duty,
                                            .selection = &selection,
                                            .from_s = MODEL_BEGIN_S,
                                            .to_s = MODEL_BEGIN_S + 90 * 86400,
                                            .at_s = MODEL_BEGIN_S + 85 * 86400};
        assert_int_equal(om_patrol_judge(&spec, &patrol, NULL), OM_OK);
        assert_int_equal(om_units_read(city[k].snapshot, "grid", &units, NULL),
                         OM_OK);
        assert_int_equal(om_patrol_add_up(&spec, &patrol, &units, &sums[k]),
                         OM_OK);
        visits[k] = patrol.visits;
        for (size_t i = 0; i < patrol.visits.losts; i++)
            answers_id(duty.visits.layer, patrol.visits.lost_row[i].part,
                       patrol.visits.lost_row[i].row, lost[k][i]);
        count[k] = patrol.count;
        judged[k] = calloc(patrol.count + 1, sizeof *judged[k]);
        for (size_t i = 0; i < patrol.count; i++) {
            const struct om_patrol_row *r = &patrol.row[i];
            answers_id(house, r->part, r->row, judged[k][i].id);
            judged[k][i].row = *r;
        }
        if (count[k])
            qsort(judged[k], count[k], sizeof *judged[k], answers_by_id);
        om_units_deinit(&units);
        om_patrol_deinit(&patrol);
        om_selection_unref(selection);
        om_duty_deinit(&duty);
    }
    assert_int_equal(count[0], count[1]);
    for (size_t i = 0; i < count[0]; i++) {
        const struct om_patrol_row *a = &judged[0][i].row;
        const struct om_patrol_row *b = &judged[1][i].row;
        assert_string_equal(judged[0][i].id, judged[1][i].id);
        assert_true(a->level == b->level && a->state == b->state &&
                    a->judged == b->judged && a->owed == b->owed &&
                    a->due == b->due && a->done == b->done &&
                    a->ahead == b->ahead && a->extra == b->extra &&
                    a->doubtful == b->doubtful && a->visits == b->visits &&
                    a->last_s == b->last_s && a->overdue_s == b->overdue_s);
    }
    assert_memory_equal(&visits[0], &visits[1],
                        offsetof(struct om_patrol_visits, lost_row));
    for (size_t i = 0; i < visits[0].losts; i++)
        assert_string_equal(lost[0][i], lost[1][i]);
    assert_int_equal(sums[0].units, sums[1].units);
    assert_int_equal(sums[0].slots, sums[1].slots);
    assert_memory_equal(
        sums[0].sum, sums[1].sum,
        (sums[0].units + 1) * sums[0].slots * sizeof *sums[0].sum);
    for (int k = 0; k < 2; k++) {
        om_patrol_sums_deinit(&sums[k]);
        free(judged[k]);
    }
}

/* ---- risk models ---- */

/* What a model says of one of the two. */
struct answers_risk {
    struct om_risk_totals totals;
    struct om_risk_value value;
    struct om_backtest test;
    double amount[20];  // of the rows that make most of the value
    char id[20][MODEL_TEXT];
    size_t rows;
    float window[256 * 256], exposure[256 * 256];
};

static inline void answers_read_risk(const struct asked_city *c,
                                     struct answers_risk *out)
{
    struct om_fields *fields = c->caches->fields;
    const double at = MODEL_SIDE * MODEL_STEP * 0.4;
    const double x = MODEL_WEST + at, y = MODEL_NORTH + at;
    const struct om_field_window window = {.z = 12,
                                           .x = (uint32_t)x >> 20,
                                           .y = (uint32_t)y >> 20,
                                           .side_px = 256};
    const int of[] = {MODEL_CASE, MODEL_CASE, MODEL_HOUSE, MODEL_VISIT};
    const char *text[] = {"kind IN ('fire', '煤气')", NULL, NULL, NULL};
    struct om_selection *selection[4];
    struct om_risk_part part[3] = {
        {.factor = 3}, {.factor = 0.5}, {.factor = 1}};
    struct om_risk_row row[20];
    struct om_arena arena = {0};
    for (int i = 0; i < 4; i++) {
        struct om_filter *filter = answers_filter(c, of[i], text[i]);
        const struct om_layer *layer = answers_layer(c, of[i]);
        assert_int_equal(om_select(c->caches->selections, layer, filter,
                                   (struct om_window){0}, &selection[i]),
                         OM_OK);
        om_filter_free(filter);
        if (i < 3)
            part[i].spec = (struct om_field_spec){.layer = layer,
                                                  .selection = selection[i],
                                                  .kernel = OM_KERNEL_QUARTIC,
                                                  .bandwidth_m = 800,
                                                  .weight = OM_WEIGHT_ONE};
    }
    part[1].spec.weight = om_weight_by(2);
    part[1].spec.weight.half_life_s = 30 * 86400;
    part[1].spec.weight.at_s = MODEL_BEGIN_S + MODEL_DAYS * 86400;
    const struct om_risk risk = {.terms = 2,
                                 .term = part,
                                 .exposures = 1,
                                 .exposure = &part[2],
                                 .scale = 1000,
                                 .floor = 2};
    const struct om_backtest_events event = {answers_layer(c, MODEL_VISIT),
                                             selection[3]};
    memset(out, 0, sizeof *out);
    assert_int_equal(om_risk_totals(fields, &risk, &out->totals), OM_OK);
    assert_int_equal(om_risk_exact(&risk, x, y, &out->value, NULL), OM_OK);
    assert_int_equal(om_risk_window(fields, &risk, &window, &arena, out->window,
                                    out->exposure),
                     OM_OK);
    assert_int_equal(
        om_backtest_run(fields, &risk, NULL, om_risk_zoom(&risk, 0), &event, 1,
                        &out->test),
        OM_OK);
    assert_int_equal(om_risk_strongest(&risk, x, y, 20, row, &out->rows, NULL),
                     OM_OK);
    struct om_text_reader reader = {0};
    for (size_t i = 0; i < out->rows; i++) {
        const struct om_layer *layer = part[row[i].term].spec.layer;
        const char *id;
        size_t len;
        assert_int_equal(om_segment_text(layer->part[row[i].part].segment, 0,
                                         row[i].row, &reader, &id, &len),
                         OM_OK);
        snprintf(out->id[i], MODEL_TEXT, "%.*s", (int)len, id);
        out->amount[i] = row[i].amount;
    }
    om_text_reader_deinit(&reader);
    for (int i = 0; i < 4; i++) om_selection_unref(selection[i]);
    om_arena_deinit(&arena);
}

static inline void answers_same_risks(const struct asked_city city[2])
{
    static struct answers_risk said[2];
    for (int k = 0; k < 2; k++) answers_read_risk(&city[k], &said[k]);
    assert_memory_equal(&said[0], &said[1], sizeof said[0]);
}

/* Rows in no unit that are listed. */
#define ANSWERS_STRAYS 20

/* Rows in no unit, and what there is to do in each. */
static inline void answers_same_audits(const struct asked_city city[2])
{
    struct om_placing placing[2];
    char first[2][ANSWERS_STRAYS][MODEL_TEXT] = {0};
    struct om_workload work[2];
    for (int k = 0; k < 2; k++) {
        const struct om_faults none = {0};
        struct om_arena arena = {0};
        struct om_units units;
        struct om_duty duty;
        assert_int_equal(om_units_read(city[k].snapshot, "grid", &units, NULL),
                         OM_OK);
        assert_int_equal(om_duty_read(city[k].snapshot, &duty, NULL), OM_OK);
        assert_int_equal(
            om_audit_layer(city[k].snapshot, &units,
                           answers_layer(&city[k], MODEL_CASE), &none,
                           ANSWERS_STRAYS, &arena, &placing[k]),
            OM_OK);
        for (size_t i = 0; i < placing[k].nones; i++)
            answers_id(answers_layer(&city[k], MODEL_CASE),
                       placing[k].none[i].part, placing[k].none[i].row,
                       first[k][i]);
        const struct om_workload_spec spec = {
            .snapshot = city[k].snapshot,
            .cache = city[k].caches->selections,
            .duty = &duty,
            .units = &units,
            .worker_units = &units,
            .from_s = MODEL_BEGIN_S,
            .to_s = MODEL_BEGIN_S + 90 * 86400};
        struct om_err err = {0};
        if (om_workload_count(&spec, &work[k], &err)) fail_msg("%s", err.text);
        om_duty_deinit(&duty);
        om_units_deinit(&units);
        om_arena_deinit(&arena);
    }
    assert_int_equal(placing[0].rows, placing[1].rows);
    assert_int_equal(placing[0].in_none, placing[1].in_none);
    assert_int_equal(placing[0].in_two, placing[1].in_two);
    assert_int_equal(placing[0].nones, placing[1].nones);
    for (size_t i = 0; i < placing[0].nones; i++)
        assert_string_equal(first[0][i], first[1][i]);
    assert_int_equal(work[0].columns, work[1].columns);
    for (size_t i = 0; i < work[0].columns; i++) {
        assert_string_equal(work[0].column[i].name, work[1].column[i].name);
        assert_memory_equal(work[0].column[i].value, work[1].column[i].value,
                            (work[0].units + 1) * sizeof(double));
    }
    for (int k = 0; k < 2; k++) om_workload_deinit(&work[k]);
}

/* ---- where people are ---- */

static inline void answers_same_crowds(const struct asked_city city[2],
                                       const char *text)
{
    struct om_crowd crowd[2];
    struct answers_list list[2] = {{0}}, first[2] = {{0}};
    for (int k = 0; k < 2; k++) {
        struct om_filter *filter = answers_filter(&city[k], MODEL_CASE, text);
        struct om_selection *selection;
        const struct om_layer *layer = answers_layer(&city[k], MODEL_CASE);
        assert_int_equal(om_select(city[k].caches->selections, layer, filter,
                                   (struct om_window){0}, &selection),
                         OM_OK);
        assert_int_equal(om_crowd_read(layer, selection, 2, &crowd[k]), OM_OK);
        list[k].layer = first[k].layer = layer;
        for (size_t i = 0; i < crowd[k].count; i++) {
            const struct om_hit hit = {.part = crowd[k].part[i],
                                       .row = crowd[k].first[i]};
            answers_add(&first[k], &hit);
            assert_int_equal(om_crowd_rows(&crowd[k], i, layer, selection,
                                           answers_add_row, &list[k]),
                             OM_OK);
        }
        assert_int_equal(list[k].count, selection->count);
        om_selection_unref(selection);
        om_filter_free(filter);
    }
    assert_int_equal(crowd[0].count, crowd[1].count);
    const size_t n = crowd[0].count;
    assert_memory_equal(crowd[0].key, crowd[1].key, n * sizeof(uint64_t));
    assert_memory_equal(crowd[0].rows, crowd[1].rows, n * sizeof(uint32_t));
    assert_memory_equal(crowd[0].weight, crowd[1].weight, n * sizeof(int64_t));
    answers_same_lists(first, true);
    answers_same_lists(list, true);
    for (int k = 0; k < 2; k++) om_crowd_deinit(&crowd[k]);
}

/* ---- ways ---- */

struct answers_roads {
    struct om_roads *roads;
    struct om_travel travel;
    struct om_within within;
    struct om_snap snap[200];
};

static inline void answers_read_roads(const struct asked_city *c,
                                      const char *text, const uint64_t *key,
                                      size_t keys, struct answers_roads *out)
{
    struct om_filter *filter = answers_filter(c, MODEL_ROAD, text);
    struct om_selection *usable;
    const struct om_layer *layer = answers_layer(c, MODEL_ROAD);
    assert_int_equal(om_select(c->caches->selections, layer, filter,
                               (struct om_window){0}, &usable),
                     OM_OK);
    const struct om_road_rules rules = {
        .usable = usable, .cross = true, .join_m = 2, .least_m = 500};
    *out = (struct answers_roads){0};
    assert_int_equal(om_roads_new(layer, &rules, &out->roads), OM_OK);
    assert_int_equal(om_roads_snap(out->roads, key, keys, 900, out->snap),
                     OM_OK);
    out->travel = (struct om_travel){.roads = out->roads,
                                     .factor = 1,
                                     .m_per_min = 70,
                                     .foot_m_per_min = 70,
                                     .reach_m = 900};
    om_selection_unref(usable);
    om_filter_free(filter);
}

/* From one place: the nearest rows along the roads, and what lies within. */
static inline void answers_same_way(const struct asked_city city[2],
                                    struct answers_roads roads[2],
                                    struct om_pos at)
{
    struct om_ways ways[2];
    struct om_isochrone iso[2];
    struct answers_list list[2] = {{0}};
    for (int k = 0; k < 2; k++) {
        struct om_query query = answers_query(&city[k], MODEL_CASE, NULL);
        query.place = (struct om_place){
            .kind = OM_PLACE_NEAREST, .pos = at, .nearest = 12};
        list[k].layer = query.layer;
        assert_int_equal(om_ways_nearest(&roads[k].travel, &query, 30,
                                         &roads[k].within, &ways[k]),
                         OM_OK);
        for (size_t i = 0; i < ways[k].count; i++)
            answers_add(&list[k], &ways[k].hit[i].hit);
        assert_int_equal(om_isochrone_make(&roads[k].travel, at, 15,
                                           &roads[k].within, &iso[k]),
                         OM_OK);
    }
    assert_int_equal(ways[0].count, ways[1].count);
    assert_true(ways[0].off == ways[1].off && iso[0].off == iso[1].off);
    for (size_t i = 0; i < ways[0].count; i++) {
        const struct om_way_hit *a = &ways[0].hit[i], *b = &ways[1].hit[i];
        assert_true((isnan(a->minutes) && isnan(b->minutes)) ||
                    (a->minutes == b->minutes && a->m == b->m));
    }
    answers_same_lists(list, true);
    assert_true(iso[0].area_km2 == iso[1].area_km2);
    for (int k = 0; k < 2; k++) {
        om_ways_deinit(&ways[k]);
        om_isochrone_deinit(&iso[k]);
    }
}

static inline void answers_same_roads(struct model *m,
                                      const struct asked_city city[2],
                                      const char *text)
{
    static struct answers_roads roads[2];
    struct om_pos at[200];
    uint64_t key[200];
    for (size_t i = 0; i < 200; i++) {
        at[i] = model_pos(m);
        key[i] = om_morton(at[i]);
    }
    for (int k = 0; k < 2; k++)
        answers_read_roads(&city[k], text, key, 200, &roads[k]);
    const struct om_road_figures a = om_roads_figures(roads[0].roads);
    const struct om_road_figures b = om_roads_figures(roads[1].roads);
    assert_true(a.lines == b.lines && a.nodes == b.nodes &&
                a.edges == b.edges && a.crossings == b.crossings &&
                a.joined == b.joined && a.pieces == b.pieces &&
                a.left_out == b.left_out);
    assert_true(fabs(a.km - b.km) < 1e-6 && a.edges > 100);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(roads[0].snap[i].edge == OM_NO_EDGE,
                         roads[1].snap[i].edge == OM_NO_EDGE);
        if (roads[0].snap[i].edge != OM_NO_EDGE)
            assert_int_equal(roads[0].snap[i].access, roads[1].snap[i].access);
    }
    for (size_t i = 0; i < 6; i++) answers_same_way(city, roads, at[i]);
    for (int k = 0; k < 2; k++) {
        om_within_deinit(&roads[k].within);
        om_roads_free(roads[k].roads);
    }
}

#endif
