// live_answers.h - every kind of answer of two cities that must be the same.
#ifndef OM_TESTS_TILES_LIVE_ANSWERS_H
#define OM_TESTS_TILES_LIVE_ANSWERS_H

#include "engine/reach/ways.h"
#include "tests/tiles/live_model.h"
#include "tiles/picture/rows.h"

/* What is kept between questions: caches outlive the cities, as in a server. */
struct answers_caches {
    struct om_selections *selections;
    struct om_fields *fields;
    struct om_vectors *vectors;
};

static inline void answers_begin(struct answers_caches *c)
{
    assert_int_equal(om_selections_new((size_t)8 << 20, &c->selections), OM_OK);
    assert_int_equal(om_fields_new((size_t)32 << 20, &c->fields), OM_OK);
    assert_int_equal(om_vectors_new((size_t)64 << 20, &c->vectors), OM_OK);
}
static inline void answers_end(struct answers_caches *c)
{
    om_selections_free(c->selections);
    om_fields_free(c->fields);
    om_vectors_free(c->vectors);
}

/* One of the two, and a question to it. */
struct asked_city {
    const struct om_snapshot *snapshot;
    struct answers_caches *caches;
};

static inline const struct om_layer *answers_layer(const struct asked_city *c,
                                                   int l)
{
    const struct om_layer *layer =
        om_snapshot_layer(c->snapshot, MODEL_NAME[l]);
    assert_non_null(layer);
    return layer;
}

static inline struct om_query answers_query(const struct asked_city *c, int l,
                                            const struct om_filter *filter)
{
    return (struct om_query){.snapshot = c->snapshot,
                             .layer = answers_layer(c, l),
                             .cache = c->caches->selections,
                             .filter = filter};
}

static inline struct om_filter *answers_filter(const struct asked_city *c,
                                               int l, const char *text)
{
    struct om_filter *filter = NULL;
    struct om_err err = {0};
    if (!text) return NULL;
    if (om_filter_parse(text, strlen(text), answers_layer(c, l), 8 * 3600,
                        &filter, &err))
        fail_msg("%s: %s", text, err.text);
    return filter;
}

/* ---- lists of rows ---- */

struct answers_list {
    const struct om_layer *layer;
    size_t count, room;
    char (*id)[MODEL_TEXT];
    double *distance;
};

static inline bool answers_add(void *ctx, const struct om_hit *hit)
{
    struct answers_list *l = ctx;
    struct om_text_reader reader = {0};
    const char *text;
    size_t len;
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : 256;
        l->id = realloc(l->id, l->room * sizeof *l->id);
        l->distance = realloc(l->distance, l->room * sizeof *l->distance);
        assert_non_null(l->distance);
    }
    assert_int_equal(om_segment_text(l->layer->part[hit->part].segment, 0,
                                     hit->row, &reader, &text, &len),
                     OM_OK);
    snprintf(l->id[l->count], MODEL_TEXT, "%.*s", (int)len, text);
    l->distance[l->count++] = hit->distance_m;
    om_text_reader_deinit(&reader);
    return true;
}

static inline om_status answers_add_row(void *ctx, size_t part, size_t row)
{
    const struct om_hit hit = {.part = part, .row = row};
    return answers_add(ctx, &hit) ? OM_OK : OM_E_STOPPED;
}

static inline int answers_by_id(const void *a, const void *b)
{
    return strcmp(a, b);
}

static inline void answers_drop_lists(struct answers_list list[2])
{
    for (int k = 0; k < 2; k++) {
        free(list[k].id);
        free(list[k].distance);
    }
}

static inline void answers_same_lists(struct answers_list list[2], bool sorted)
{
    assert_int_equal(list[0].count, list[1].count);
    for (int k = 0; k < 2 && !sorted; k++)
        if (list[k].count)
            qsort(list[k].id, list[k].count, sizeof *list[k].id, answers_by_id);
    for (size_t i = 0; i < list[0].count; i++) {
        assert_string_equal(list[0].id[i], list[1].id[i]);
        // What distances belong to was sorted away otherwise.
        if (sorted) assert_true(list[0].distance[i] == list[1].distance[i]);
    }
    answers_drop_lists(list);
}

static inline void answers_same_rows(const struct asked_city city[2], int l,
                                     struct om_place place, const char *text,
                                     struct om_window window)
{
    struct answers_list list[2] = {{0}};
    uint64_t count[2];
    for (int k = 0; k < 2; k++) {
        struct om_filter *filter = answers_filter(&city[k], l, text);
        struct om_query query = answers_query(&city[k], l, filter);
        query.place = place;
        query.window = window;
        list[k].layer = query.layer;
        assert_int_equal(om_query_each(&query, answers_add, &list[k]), OM_OK);
        assert_int_equal(om_query_count(&query, &count[k]), OM_OK);
        assert_int_equal(count[k], list[k].count);
        om_filter_free(filter);
    }
    assert_int_equal(count[0], count[1]);
    answers_same_lists(list, true);
}

static inline void answers_same_sorted(const struct asked_city city[2], int l,
                                       size_t column, bool descending,
                                       size_t limit)
{
    // The id settles ties: two cities list them in their own order.
    const struct om_sort_key key[] = {{column, descending}, {0, false}};
    struct answers_list list[2] = {{0}};
    for (int k = 0; k < 2; k++) {
        struct om_query query = answers_query(&city[k], l, NULL);
        query.limit = limit;
        list[k].layer = query.layer;
        assert_int_equal(om_query_sorted(&query, key, 2, answers_add, &list[k]),
                         OM_OK);
    }
    answers_same_lists(list, true);
}

/* Pages of a few rows, each behind the last of the one before. */
static inline bool answers_add_page(void *ctx, const struct om_hit *hit)
{
    struct {
        struct answers_list *list;
        struct om_hit *last;
    } *page = ctx;
    *page->last = *hit;
    return answers_add(page->list, hit);
}

static inline void answers_same_pages(const struct asked_city city[2], int l,
                                      size_t limit)
{
    struct answers_list list[2] = {{0}};
    for (int k = 0; k < 2; k++) {
        struct om_query query = answers_query(&city[k], l, NULL);
        struct om_hit last;
        struct {
            struct answers_list *list;
            struct om_hit *last;
        } page = {&list[k], &last};
        query.limit = limit;
        list[k].layer = query.layer;
        for (;;) {
            const size_t before = list[k].count;
            const struct om_hit from = last;
            query.after = before ? &from : NULL;
            assert_int_equal(om_query_each(&query, answers_add_page, &page),
                             OM_OK);
            if (list[k].count < before + limit) break;
        }
        assert_int_equal(list[k].count, query.layer->rows);
    }
    answers_same_lists(list, false);
}

/* ---- groups and sums ---- */

static inline void answers_same_groups(const struct asked_city city[2], int l,
                                       size_t by, enum om_step step, size_t sum,
                                       const char *text)
{
    struct om_groups groups[2];
    for (int k = 0; k < 2; k++) {
        struct om_filter *filter = answers_filter(&city[k], l, text);
        const struct om_query query = answers_query(&city[k], l, filter);
        assert_int_equal(
            om_query_group(&query, by, step, 8 * 3600, sum, &groups[k]), OM_OK);
        om_filter_free(filter);
    }
    // Values that nobody has any more, or nobody among the selected, may be
    // listed with 0 by one and not by the other; units always are.
    const struct om_layer *layer = answers_layer(&city[0], l);
    const bool units = by >= layer->schema.count - layer->unit_columns;
    size_t i = 0, j = 0;
    for (;;) {
        if (!units) {
            while (i < groups[0].count && !groups[0].group[i].count) i++;
            while (j < groups[1].count && !groups[1].group[j].count) j++;
        }
        if (i == groups[0].count || j == groups[1].count) break;
        const struct om_group *a = &groups[0].group[i++];
        const struct om_group *b = &groups[1].group[j++];
        assert_true(a->null == b->null && a->len == b->len);
        assert_memory_equal(a->id, b->id, a->len);
        assert_int_equal(a->count, b->count);
        assert_int_equal(a->sum, b->sum);
        assert_true(fabs(a->real_sum - b->real_sum) <=
                    1e-12 * (1 + fabs(a->real_sum)));
    }
    assert_true(i == groups[0].count && j == groups[1].count);
    om_groups_deinit(&groups[0]);
    om_groups_deinit(&groups[1]);
}

static inline void answers_same_sums(const struct asked_city city[2], int l,
                                     size_t column)
{
    int64_t integer[2] = {0};
    double real[2] = {0};
    for (int k = 0; k < 2; k++) {
        const struct om_query query = answers_query(&city[k], l, NULL);
        assert_int_equal(om_query_sum(&query, column, &integer[k], &real[k]),
                         OM_OK);
    }
    assert_int_equal(integer[0], integer[1]);
    assert_true(fabs(real[0] - real[1]) <= 1e-12 * (1 + fabs(real[0])));
}

/* ---- fields ---- */

/* To the last bit, whatever parts the rows lie in. */
static inline void answers_same_windows(const struct asked_city city[2],
                                        struct om_field_spec spec,
                                        const char *text, unsigned z)
{
    static float value[2][256 * 256];
    const double middle = MODEL_SIDE * MODEL_STEP / 2;
    const struct om_field_window window = {
        .z = z,
        .x = (uint32_t)(MODEL_WEST + middle) >> (32 - z),
        .y = (uint32_t)(MODEL_NORTH + middle) >> (32 - z),
        .side_px = 256};
    double weight[2], scale[2], sums[2], exact[2];
    for (int k = 0; k < 2; k++) {
        struct om_filter *filter = answers_filter(&city[k], MODEL_CASE, text);
        struct om_selection *selection;
        struct om_arena arena = {0};
        spec.layer = answers_layer(&city[k], MODEL_CASE);
        assert_int_equal(om_select(city[k].caches->selections, spec.layer,
                                   filter, (struct om_window){0}, &selection),
                         OM_OK);
        spec.selection = selection;
        assert_int_equal(om_field_window(city[k].caches->fields, &spec, &window,
                                         &arena, value[k]),
                         OM_OK);
        assert_int_equal(
            om_field_weight(city[k].caches->fields, &spec, &weight[k]), OM_OK);
        assert_int_equal(
            om_field_scale(city[k].caches->fields, &spec, &scale[k], &sums[k]),
            OM_OK);
        om_arena_deinit(&arena);
        om_selection_unref(selection);
        om_filter_free(filter);
    }
    for (size_t i = 0; i < 256 * 256; i++)
        if (value[0][i] != value[1][i])
            fail_msg("field at zoom %u: %.9g and %.9g", z, (double)value[0][i],
                     (double)value[1][i]);
    assert_true(weight[0] == weight[1] && sums[0] == sums[1]);
    assert_true(scale[0] == scale[1]);
    // What a click says, where there is something.
    for (int k = 0; k < 2; k++) {
        spec.layer = answers_layer(&city[k], MODEL_CASE);
        struct om_filter *filter = answers_filter(&city[k], MODEL_CASE, text);
        struct om_selection *selection;
        assert_int_equal(om_select(city[k].caches->selections, spec.layer,
                                   filter, (struct om_window){0}, &selection),
                         OM_OK);
        spec.selection = selection;
        assert_int_equal(om_field_exact(&spec, MODEL_WEST + middle,
                                        MODEL_NORTH + middle, &exact[k]),
                         OM_OK);
        om_selection_unref(selection);
        om_filter_free(filter);
    }
    assert_true(exact[0] == exact[1]);
}

static inline void answers_same_fields(const struct asked_city city[2])
{
    static const struct om_weight_value VALUE[] = {
        {.text = "fire", .weight = 3}, {.text = "煤气", .weight = 5}};
    const struct om_weight_table table = {
        .column = 1, .count = 2, .value = VALUE, .otherwise = 1};
    struct om_field_spec spec = {.kernel = OM_KERNEL_QUARTIC,
                                 .bandwidth_m = 800,
                                 .weight = OM_WEIGHT_ONE};
    answers_same_windows(city, spec, NULL, 10);
    answers_same_windows(city, spec, NULL, 13);
    answers_same_windows(city, spec, "kind = 'fire'", 12);
    spec.kernel = OM_KERNEL_EPANECHNIKOV;
    answers_same_windows(city, spec, "kind = 'gas'", 13);
    answers_same_windows(city, spec, NULL, 13);
    spec.kernel = OM_KERNEL_GAUSSIAN;
    spec.weight = om_weight_by(2);
    answers_same_windows(city, spec, NULL, 12);
    spec.weight.table = &table;
    spec.weight.half_life_s = 20 * 86400;
    spec.weight.at_s = MODEL_BEGIN_S + MODEL_DAYS * 86400;
    answers_same_windows(city, spec, "weight > 2", 11);
    spec.weight.at_s = MODEL_BEGIN_S + 60 * 86400;
    answers_same_windows(city, spec, NULL, 14);
}

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

struct answers_judged {
    char id[MODEL_TEXT];
    struct om_patrol_row row;
};

static inline void answers_same_patrols(const struct asked_city city[2])
{
    struct answers_judged *judged[2] = {0};
    size_t count[2];
    struct om_patrol_visits visits[2];
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
        count[k] = patrol.count;
        judged[k] = calloc(patrol.count + 1, sizeof *judged[k]);
        struct om_text_reader reader = {0};
        for (size_t i = 0; i < patrol.count; i++) {
            const struct om_patrol_row *r = &patrol.row[i];
            const char *text;
            size_t len;
            assert_int_equal(om_segment_text(house->part[r->part].segment, 0,
                                             r->row, &reader, &text, &len),
                             OM_OK);
            snprintf(judged[k][i].id, MODEL_TEXT, "%.*s", (int)len, text);
            judged[k][i].row = *r;
        }
        if (count[k])
            qsort(judged[k], count[k], sizeof *judged[k], answers_by_id);
        om_text_reader_deinit(&reader);
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

/* ---- vector tiles ---- */

static inline struct om_buf answers_tile(const struct asked_city *city, int l,
                                         const char *text, unsigned z,
                                         uint32_t x, uint32_t y)
{
    struct om_filter *filter = answers_filter(city, l, text);
    struct om_selection *selection;
    struct om_arena arena = {0};
    struct om_buf bytes = {0};
    const struct om_layer *layer = answers_layer(city, l);
    assert_int_equal(om_select(city->caches->selections, layer, filter,
                               (struct om_window){0}, &selection),
                     OM_OK);
    const struct om_vector_spec spec = {.layer = layer,
                                        .selection = selection,
                                        .name = MODEL_NAME[l],
                                        .by = om_vector_by(layer),
                                        .zone_s = 8 * 3600};
    assert_int_equal(
        om_vector_tile(city->caches->vectors, &spec, z, x, y, &arena, &bytes),
        OM_OK);
    om_arena_deinit(&arena);
    om_selection_unref(selection);
    om_filter_free(filter);
    return bytes;
}

static inline void answers_tell_value(const char *whose, size_t i,
                                      const struct mvt_layer *l, size_t tag)
{
    const struct mvt_feature *f = &l->feature[i];
    if (2 * tag >= f->tags) return;
    const struct mvt_key key = l->key[f->tag[2 * tag]];
    const struct mvt_value v = l->value[f->tag[2 * tag + 1]];
    print_message("%s, cell %zu at %d %d: %.*s %.*s %lld\n", whose, i,
                  f->at[0][0], f->at[0][1], (int)key.len, key.text, (int)v.len,
                  v.text, (long long)v.integer);
}

static inline void answers_tell_cells(const struct mvt_layer *a,
                                      const struct mvt_layer *b)
{
    for (size_t i = 0; a && b && i < a->features && i < b->features; i++) {
        const struct mvt_feature *p = &a->feature[i], *q = &b->feature[i];
        const size_t tags = p->tags > q->tags ? p->tags : q->tags;
        if (p->tags == q->tags && !memcmp(p->at, q->at, sizeof *p->at) &&
            !memcmp(p->tag, q->tag, tags * sizeof *p->tag))
            continue;
        for (size_t t = 0; 2 * t < tags; t++) {
            answers_tell_value("live", i, a, t);
            answers_tell_value("anew", i, b, t);
        }
        break;
    }
}

/* What differs, in words. */
static inline void answers_tell_tiles(const struct om_buf tile[2], int l)
{
    struct mvt_tile read[2];
    for (int k = 0; k < 2; k++) {
        read[k] = mvt_read(tile[k].bytes, tile[k].len);
        const char *const of[] = {MODEL_NAME[l], "cells", "meta"};
        for (int i = 0; i < 3; i++) {
            const struct mvt_layer *layer = mvt_layer(&read[k], of[i]);
            print_message("%s: %zu of %s\n", k ? "anew" : "live",
                          layer ? layer->features : 0, of[i]);
        }
    }
    const struct mvt_layer *a = mvt_layer(&read[0], MODEL_NAME[l]);
    const struct mvt_layer *b = mvt_layer(&read[1], MODEL_NAME[l]);
    for (size_t i = 0; a && b && i < a->features && i < b->features; i++) {
        const struct mvt_value p = mvt_get(a, &a->feature[i], "id");
        const struct mvt_value q = mvt_get(b, &b->feature[i], "id");
        if (p.len == q.len && !memcmp(p.text, q.text, p.len) &&
            a->feature[i].places == b->feature[i].places &&
            !memcmp(a->feature[i].at, b->feature[i].at,
                    a->feature[i].places * sizeof *a->feature[i].at))
            continue;
        print_message("feature %zu: %.*s of %zu places and %.*s of %zu\n", i,
                      (int)p.len, p.text, a->feature[i].places, (int)q.len,
                      q.text, b->feature[i].places);
        break;
    }
    for (int i = 1; i < 3; i++)
        answers_tell_cells(mvt_layer(&read[0], i > 1 ? "meta" : "cells"),
                           mvt_layer(&read[1], i > 1 ? "meta" : "cells"));
    for (int k = 0; k < 2; k++) mvt_free(&read[k]);
}

/* To the last byte. */
static inline void answers_same_tile(const struct asked_city city[2], int l,
                                     const char *text, unsigned z, uint32_t x,
                                     uint32_t y)
{
    struct om_buf tile[2];
    for (int k = 0; k < 2; k++)
        tile[k] = answers_tile(&city[k], l, text, z, x, y);
    if (tile[0].len != tile[1].len ||
        (tile[0].len && memcmp(tile[0].bytes, tile[1].bytes, tile[0].len))) {
        answers_tell_tiles(tile, l);
        fail_msg("%s%s%s %u/%u/%u: %zu and %zu bytes", MODEL_NAME[l],
                 text ? " " : "", text ? text : "", z, x, y, tile[0].len,
                 tile[1].len);
    }
    for (int k = 0; k < 2; k++) om_buf_deinit(&tile[k]);
}

static inline void answers_same_tiles(const struct asked_city city[2], int l,
                                      const char *text, unsigned z)
{
    const uint32_t side = (uint32_t)(MODEL_SIDE * MODEL_STEP);
    const uint32_t x0 = (uint32_t)MODEL_WEST, y0 = (uint32_t)MODEL_NORTH;
    for (uint32_t x = x0 >> (32 - z); x <= (x0 + side) >> (32 - z); x++)
        for (uint32_t y = y0 >> (32 - z); y <= (y0 + side) >> (32 - z); y++)
            answers_same_tile(city, l, text, z, x, y);
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

/* Rows in no unit, and what there is to do in each. */
static inline void answers_same_audits(const struct asked_city city[2])
{
    struct om_placing placing[2];
    struct om_workload work[2];
    for (int k = 0; k < 2; k++) {
        const struct om_faults none = {0};
        struct om_arena arena = {0};
        struct om_units units;
        struct om_duty duty;
        assert_int_equal(om_units_read(city[k].snapshot, "grid", &units, NULL),
                         OM_OK);
        assert_int_equal(om_duty_read(city[k].snapshot, &duty, NULL), OM_OK);
        assert_int_equal(om_audit_layer(city[k].snapshot, &units,
                                        answers_layer(&city[k], MODEL_CASE),
                                        &none, 0, &arena, &placing[k]),
                         OM_OK);
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

/* ---- pictures ---- */

static inline void answers_draw(const struct asked_city *city, int l,
                                const char *text, size_t by,
                                const struct om_view *view,
                                struct om_arena *arena,
                                struct om_canvas *canvas)
{
    struct om_classes classes;
    struct om_selection *selection;
    struct om_filter *filter = answers_filter(city, l, text);
    const struct om_layer *layer = answers_layer(city, l);
    assert_int_equal(om_classes_of(city->snapshot, layer, by, &classes, NULL),
                     OM_OK);
    assert_int_equal(om_select(city->caches->selections, layer, filter,
                               (struct om_window){0}, &selection),
                     OM_OK);
    const struct om_rows_spec spec = {layer, selection, &classes,
                                      OM_PALETTE_DARK};
    assert_int_equal(om_canvas_init(canvas, view, arena), OM_OK);
    assert_int_equal(om_rows_draw(&spec, canvas, arena), OM_OK);
    om_classes_deinit(&classes);
    om_selection_unref(selection);
    om_filter_free(filter);
}

/* The tile of the zoom that holds a place in the middle of the city. */
static inline void answers_same_picture(const struct asked_city city[2], int l,
                                        const char *text, size_t by, unsigned z)
{
    const double middle = MODEL_SIDE * MODEL_STEP * 0.4;
    const struct om_view view =
        om_view_tile(z, (uint32_t)(MODEL_WEST + middle) >> (32 - z),
                     (uint32_t)(MODEL_NORTH + middle) >> (32 - z), 256, 1);
    struct om_arena arena = {0};
    struct om_canvas canvas[2];
    for (int k = 0; k < 2; k++)
        answers_draw(&city[k], l, text, by, &view, &arena, &canvas[k]);
    for (size_t i = 0; i < 256 * 256; i++)
        if (memcmp(canvas[0].pixel[i], canvas[1].pixel[i], 4))
            fail_msg("%s by %zd at zoom %u: pixel %zu, %zu", MODEL_NAME[l],
                     (ssize_t)by, z, i % 256, i / 256);
    om_arena_deinit(&arena);
}

static inline void answers_same_pictures(const struct asked_city city[2])
{
    for (unsigned z = 6; z <= 15; z++) {
        answers_same_picture(city, MODEL_CASE, NULL, OM_NO_FIELD, z);
        answers_same_picture(city, MODEL_CASE, "weight > 4", 1, z);
        answers_same_picture(city, MODEL_CASE, NULL, 2, z);
        answers_same_picture(city, MODEL_CASE, NULL, 3, z);
        answers_same_picture(city, MODEL_LOT, NULL, 1, z);
        answers_same_picture(city, MODEL_ROAD, NULL, 1, z);
    }
    for (int l = 0; l < MODEL_LAYERS; l++) {
        double bounds[2][4];
        for (int k = 0; k < 2; k++)
            assert_true(om_layer_bounds(answers_layer(&city[k], l), bounds[k]));
        assert_memory_equal(bounds[0], bounds[1], sizeof bounds[0]);
    }
}

/* ---- all of them ---- */

static inline void answers_same_city(struct model *m,
                                     const struct asked_city city[2])
{
    static const char *const FILTER[] = {
        NULL,
        "kind = 'fire'",
        "weight > 3 AND NOT kind IN ('gas', '煤气')",
        "share < 60 OR at >= TIMESTAMP('2023-03-01T00:00:00Z')",
        "note LIKE 'note 1%'",
        "grid = 'G009' OR town = 'T003'",
        "kind IS NULL"};
    const struct om_window none = {0};
    const struct om_window month = {true, MODEL_BEGIN_S + 31 * 86400,
                                    MODEL_BEGIN_S + 59 * 86400};
    for (int l = 0; l < MODEL_LAYERS; l++)
        assert_int_equal(answers_layer(&city[0], l)->rows,
                         answers_layer(&city[1], l)->rows);
    for (size_t f = 0; f < sizeof FILTER / sizeof *FILTER; f++) {
        struct om_place box = {.kind = OM_PLACE_BOX};
        const struct om_pos a = model_pos(m), b = model_pos(m);
        box.box = (struct om_box){a.x < b.x ? a.x : b.x, a.y < b.y ? a.y : b.y,
                                  a.x < b.x ? b.x : a.x, a.y < b.y ? b.y : a.y};
        answers_same_rows(city, MODEL_CASE, (struct om_place){0}, FILTER[f],
                          none);
        answers_same_rows(city, MODEL_CASE, box, FILTER[f], none);
        answers_same_rows(city, MODEL_CASE, box, FILTER[f], month);
        answers_same_rows(
            city, MODEL_CASE,
            (struct om_place){
                .kind = OM_PLACE_RADIUS, .pos = model_pos(m), .radius_m = 900},
            FILTER[f], none);
        answers_same_rows(
            city, MODEL_CASE,
            (struct om_place){
                .kind = OM_PLACE_NEAREST, .pos = model_pos(m), .nearest = 25},
            FILTER[f], none);
        answers_same_groups(city, MODEL_CASE, 6, OM_STEP_NONE, 2, FILTER[f]);
        box.kind = OM_PLACE_BOX;
        answers_same_rows(city, MODEL_LOT, box, NULL, none);
    }
    struct om_units units;
    assert_int_equal(om_units_read(city[1].snapshot, "grid", &units, NULL),
                     OM_OK);
    struct om_rings one = units.rings;  // shape 0 of it
    one.count = 1;
    for (int l = 0; l < MODEL_LAYERS; l++) {
        answers_same_rows(
            city, l, (struct om_place){.kind = OM_PLACE_WITHIN, .rings = &one},
            NULL, none);
        answers_same_rows(
            city, l,
            (struct om_place){
                .kind = OM_PLACE_NEAREST, .pos = model_pos(m), .nearest = 40},
            NULL, none);
        char id[MODEL_TEXT];
        for (int i = 0; i < 10; i++) {
            const int len =
                snprintf(id, sizeof id, "%c%06zu", m->layer[l].letter,
                         (size_t)(model_random(m) % (m->layer[l].room + 1)));
            answers_same_rows(
                city, l,
                (struct om_place){
                    .kind = OM_PLACE_ID, .id = id, .id_len = (size_t)len},
                NULL, none);
        }
        answers_same_pages(city, l, 37);
        const size_t fields = m->layer[l].schema.count;
        answers_same_groups(city, l, 1, OM_STEP_NONE, OM_NO_FIELD, NULL);
        answers_same_groups(city, l, fields, OM_STEP_NONE, OM_NO_FIELD, NULL);
        answers_same_groups(city, l, fields + 1, OM_STEP_NONE, OM_NO_FIELD,
                            NULL);
    }
    om_units_deinit(&units);
    answers_same_groups(city, MODEL_CASE, 4, OM_STEP_HOUR, 2, NULL);
    answers_same_groups(city, MODEL_CASE, 4, OM_STEP_DAY, 3, NULL);
    answers_same_groups(city, MODEL_CASE, 4, OM_STEP_MONTH, 2, NULL);
    answers_same_groups(city, MODEL_CASE, 2, OM_STEP_NONE, 3, NULL);
    answers_same_groups(city, MODEL_CASE, 6, OM_STEP_NONE, 2, NULL);
    answers_same_sums(city, MODEL_CASE, 2);
    answers_same_sums(city, MODEL_CASE, 3);
    answers_same_sorted(city, MODEL_CASE, 2, true, 60);
    answers_same_sorted(city, MODEL_CASE, 1, false, 60);
    answers_same_sorted(city, MODEL_CASE, 5, true, 60);
    answers_same_sorted(city, MODEL_CASE, 6, true, 60);
    answers_same_sorted(city, MODEL_LOT, 2, false, 60);
    answers_same_fields(city);
    answers_same_hotspots(city, OM_STAT_GISTAR, "grid", OM_NO_FIELD);
    answers_same_hotspots(city, OM_STAT_GISTAR, "grid", 1);
    answers_same_hotspots(city, OM_STAT_MORAN, "square:500", OM_NO_FIELD);
    answers_same_patrols(city);
    answers_same_pictures(city);
    answers_same_risks(city);
    answers_same_audits(city);
    answers_same_crowds(city, NULL);
    answers_same_crowds(city, "kind = 'fire'");
    answers_same_roads(m, city, NULL);
    answers_same_roads(m, city, "rank <> 'lane'");
    for (unsigned z = 6; z <= 14; z += 2) {
        answers_same_tiles(city, MODEL_CASE, NULL, z);
        answers_same_tiles(city, MODEL_CASE, "weight > 4", z);
        answers_same_tiles(city, MODEL_LOT, NULL, z);
        answers_same_tiles(city, MODEL_LOT, "floors < 4", z);
        answers_same_tiles(city, MODEL_ROAD, NULL, z);
    }
    for (int i = 0; i < 60; i++) {
        const unsigned z = 15 + (unsigned)i % 6;
        const struct om_pos at = model_pos(m);
        const uint32_t x = at.x >> (32 - z), y = at.y >> (32 - z);
        answers_same_tile(city, MODEL_LOT, NULL, z, x, y);
        answers_same_tile(city, MODEL_LOT, "use = 'shop'", z, x, y);
        answers_same_tile(city, MODEL_ROAD, NULL, z, x, y);
    }
}

#endif
