// hotspot_sample.h - a city of a few hundred units with visits, houses and
// cases, made so that the test knows where they are unusual.
#ifndef OM_TESTS_ENGINE_HOTSPOT_SAMPLE_H
#define OM_TESTS_ENGINE_HOTSPOT_SAMPLE_H

#include <math.h>

#include "engine/stat/hotspots.h"
#include "tests/engine/city_sample.h"
#include "tests/engine/stat_sample.h"

#define SIDE 16u  // units along one side
#define UNITS (SIDE * SIDE)
#define STEP 3e5  // grid cells: some 2.6 km
#define WEST 3.49e9
#define NORTH 1.86e9
#define BEGIN_S INT64_C(1672502400)  // 2023-01-01T00:00+08:00
#define DAY_S 86400
#define DAYS 140

enum { CASE_ID, CASE_KIND, CASE_WEIGHT, CASE_REAL, CASE_AT, CASE_COLUMNS };
static const char *const CASE_KINDS[] = {"fire", "gas", "road"};

struct event {
    struct om_pos pos;
    int kind;            // -1: none
    int64_t weight, at;  // at -1: no time
};
struct events {
    struct event *event;
    size_t count, room;
};

static inline void add_event(struct events *e, struct event event)
{
    if (e->count == e->room) {
        e->room = e->room ? 2 * e->room : 1024;
        e->event = realloc(e->event, e->room * sizeof *e->event);
        assert_non_null(e->event);
    }
    e->event[e->count++] = event;
}

/* A place in the square of unit (col, row), away from its bent sides. */
static inline struct om_pos place_in(size_t col, size_t row, uint64_t *seed)
{
    const double x = (double)col + mesh_between(seed, 0.25, 0.75);
    const double y = (double)row + mesh_between(seed, 0.25, 0.75);
    return (struct om_pos){(uint32_t)(WEST + x * STEP),
                           (uint32_t)(NORTH + y * STEP)};
}
static inline int64_t time_in(int from_day, int to_day, uint64_t *seed)
{
    return BEGIN_S + (int64_t)mesh_between(seed, from_day * (double)DAY_S,
                                           to_day * (double)DAY_S);
}

static inline void add_units(struct city_sample *c)
{
    struct mesh fine, coarse;
    const struct mesh_plan plan = {.cols = SIDE,
                                   .rows = SIDE,
                                   .bends = 3,
                                   .x = WEST,
                                   .y = NORTH,
                                   .step = STEP,
                                   .seed = 3};
    const struct mesh_plan large = {.cols = 2,
                                    .rows = 2,
                                    .x = WEST,
                                    .y = NORTH,
                                    .step = STEP * SIDE / 2,
                                    .seed = 4};
    mesh_init(&fine, 60000);
    mesh_init(&coarse, 200);
    mesh_partition(&fine, &plan);
    mesh_partition(&coarse, &large);
    city_add_units(c, "grid", &fine, "G");
    city_add_units(c, "town", &coarse, "T");
    mesh_deinit(&fine);
    mesh_deinit(&coarse);
}

/* A layer of events; two of one schema can be parts of one layer. */
static inline struct om_layer *add_events(struct city_sample *c,
                                          const char *name,
                                          const struct events *e)
{
    const size_t n = e->count;
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POINT,
                                     .count = CASE_COLUMNS,
                                     .field = {{"id", OM_TYPE_TEXT},
                                               {"kind", OM_TYPE_CATEGORY},
                                               {"weight", OM_TYPE_INTEGER},
                                               {"share", OM_TYPE_REAL},
                                               {"at", OM_TYPE_TIME}},
                                     .id_field = CASE_ID,
                                     .time_field = CASE_AT};
    struct om_pos *pos = calloc(n + 1, sizeof *pos);
    uint64_t *source = calloc(n + 1, 8), *timed = calloc(n / 64 + 1, 8);
    uint64_t *kinded = calloc(n / 64 + 1, 8);
    int64_t *weight = calloc(n + 1, 8), *at = calloc(n + 1, 8);
    double *share = calloc(n + 1, sizeof *share);
    uint32_t *id_end = calloc(n + 1, 4), *kind_end = calloc(n + 1, 4);
    char *ids = calloc(n + 1, 32), *kinds = calloc(n + 1, 8);
    for (size_t i = 0; i < n; i++) {
        const struct event *v = &e->event[i];
        pos[i] = v->pos;
        source[i] = i + 1;
        weight[i] = v->weight;
        share[i] = (double)v->weight / 3;
        at[i] = v->at < 0 ? 0 : v->at;
        if (v->at >= 0) om_bit_set(timed, i);
        if (v->kind >= 0) om_bit_set(kinded, i);
        id_end[i + 1] = id_end[i] + (uint32_t)sprintf(ids + id_end[i],
                                                      "%.12s-%zu", name, i);
        kind_end[i + 1] =
            kind_end[i] +
            (uint32_t)sprintf(kinds + kind_end[i], "%s",
                              v->kind < 0 ? "" : CASE_KINDS[v->kind]);
    }
    const struct om_batch_column column[] = {
        {.offset = id_end, .bytes = ids},
        {.valid = kinded, .offset = kind_end, .bytes = kinds},
        {.integer = weight},
        {.real = share},
        {.valid = timed, .integer = at}};
    const struct om_batch batch = {
        .rows = n, .source_row = source, .pos = pos, .column = column};
    struct om_layer *layer = city_add_points(c, name, &schema, &batch);
    free(pos);
    free(source);
    free(timed);
    free(kinded);
    free(weight);
    free(at);
    free(share);
    free(id_end);
    free(kind_end);
    free(ids);
    free(kinds);
    return layer;
}

/* Zones and graph of a question, and the question. */
struct asked {
    struct om_zones zones;
    struct om_graph graph;
    struct om_hotspots_ask ask;
};
static inline void ask_begin(struct asked *a, const struct city_sample *c,
                             const struct om_layer *layer, const char *units)
{
    const struct om_near_spec near = {0};
    *a = (struct asked){0};
    assert_int_equal(om_zones_read(&c->snapshot, units, layer, &a->zones, NULL),
                     OM_OK);
    assert_int_equal(om_zones_graph(&a->zones, &near, &a->graph), OM_OK);
    a->ask = (struct om_hotspots_ask){
        .snapshot = &c->snapshot,
        .layer = layer,
        .areas = &a->zones,
        .graph = &a->graph,
        .weight_column = OM_NO_FIELD,
        .kind_column = OM_NO_FIELD,
        .exposure = {.weight_column = OM_NO_FIELD, .floor = 10},
        .least = 2};
}
static inline void ask_end(struct asked *a)
{
    om_graph_deinit(&a->graph);
    om_zones_deinit(&a->zones);
}

#endif
