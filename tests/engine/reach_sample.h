// reach_sample.h - lines, waters and people sketched in metres, as layers of a
// city_sample.
#ifndef OM_TESTS_ENGINE_REACH_SAMPLE_H
#define OM_TESTS_ENGINE_REACH_SAMPLE_H

#include <math.h>

#include "engine/query/ground.h"
#include "engine/reach/service.h"
#include "tests/engine/city_sample.h"

/* Where sketches begin; metres east and south of it (by the sphere of the
 * map: geodesics differ by some permille, so tests measure, not assume). */
#define SKETCH_X 3500000000.0
#define SKETCH_Y 1860000000.0

static inline struct om_pos sketch_pos(double east_m, double south_m)
{
    const double m = om_world_ground_m(SKETCH_Y);
    return (struct om_pos){(uint32_t)(SKETCH_X + east_m / m),
                           (uint32_t)(SKETCH_Y + south_m / m)};
}

/* Lines or polygons with a kind, in the making. */
struct sketch {
    struct om_pos vertex[20000];
    uint32_t first[4000];
    int64_t kind[4000];
    size_t shapes, vertices;
};
static inline void sketch_begin(struct sketch *s, int64_t kind)
{
    assert_true(s->shapes + 1 < sizeof s->kind / sizeof *s->kind);
    s->first[s->shapes] = (uint32_t)s->vertices;
    s->kind[s->shapes++] = kind;
    s->first[s->shapes] = (uint32_t)s->vertices;
}
static inline void sketch_put(struct sketch *s, struct om_pos pos)
{
    assert_true(s->vertices < sizeof s->vertex / sizeof *s->vertex);
    s->vertex[s->vertices++] = pos;
    s->first[s->shapes] = (uint32_t)s->vertices;
}
static inline void sketch_to(struct sketch *s, double east_m, double south_m)
{
    sketch_put(s, sketch_pos(east_m, south_m));
}
static inline void sketch_line(struct sketch *s, int64_t kind, double x0,
                               double y0, double x1, double y1)
{
    sketch_begin(s, kind);
    sketch_to(s, x0, y0);
    sketch_to(s, x1, y1);
}
static inline void sketch_box(struct sketch *s, double x0, double y0, double x1,
                              double y1)
{
    sketch_begin(s, 0);
    sketch_to(s, x0, y0);
    sketch_to(s, x1, y0);
    sketch_to(s, x1, y1);
    sketch_to(s, x0, y1);
}

/* Columns id ("s00000") and kind (integer) for n rows. */
struct sketch_columns {
    uint64_t *row;
    uint32_t *offset;
    char *bytes;
    struct om_batch_column column[2];
};
static inline void sketch_columns_make(struct sketch_columns *c, size_t n,
                                       const int64_t *kind)
{
    c->row = calloc(n + 1, sizeof *c->row);
    c->offset = calloc(n + 1, sizeof *c->offset);
    c->bytes = calloc(n + 1, 16);
    for (size_t i = 0; i < n; i++) {
        c->row[i] = i + 1;
        c->offset[i + 1] =
            c->offset[i] +
            (uint32_t)sprintf(c->bytes + c->offset[i], "s%05zu", i);
    }
    c->column[0] =
        (struct om_batch_column){.offset = c->offset, .bytes = c->bytes};
    c->column[1] = (struct om_batch_column){.integer = kind};
}
static inline void sketch_columns_free(struct sketch_columns *c)
{
    free(c->row);
    free(c->offset);
    free(c->bytes);
}

static inline struct om_schema sketch_schema(enum om_geometry geometry)
{
    return (struct om_schema){
        .geometry = geometry,
        .count = 2,
        .field = {{"id", OM_TYPE_TEXT}, {"kind", OM_TYPE_INTEGER}},
        .time_field = OM_NO_FIELD};
}

static inline struct om_layer *sketch_add(struct city_sample *c,
                                          const char *name,
                                          enum om_geometry geometry,
                                          const struct sketch *s)
{
    const struct om_schema schema = sketch_schema(geometry);
    uint32_t *one = calloc(s->shapes + 2, sizeof *one);
    double *x = calloc(s->vertices + 1, sizeof *x);
    double *y = calloc(s->vertices + 1, sizeof *y);
    for (size_t i = 0; i <= s->shapes; i++) one[i] = (uint32_t)i;
    for (size_t i = 0; i < s->vertices; i++) {
        x[i] = s->vertex[i].x + 0.5;
        y[i] = s->vertex[i].y + 0.5;
    }
    struct sketch_columns columns;
    sketch_columns_make(&columns, s->shapes, s->kind);
    const struct om_batch batch = {.rows = s->shapes,
                                   .source_row = columns.row,
                                   .shapes = {.count = s->shapes,
                                              .shape_part = one,
                                              .part_ring = one,
                                              .ring_vertex = s->first,
                                              .x = x,
                                              .y = y},
                                   .column = columns.column};
    char path[128];
    struct om_builder *b = NULL;
    city_path(c, name, "seg", path);
    assert_int_equal(om_builder_new(&schema, &b), OM_OK);
    if (s->shapes) assert_int_equal(om_builder_add(b, &batch), OM_OK);
    assert_int_equal(om_builder_write(b, path, NULL, NULL), OM_OK);
    om_builder_free(b);
    sketch_columns_free(&columns);
    free(one);
    free(x);
    free(y);
    return city_add(c, name, "", NULL);
}

/* People: points with "kind" as their weight. */
static inline struct om_layer *sketch_people(struct city_sample *c,
                                             const char *name,
                                             const struct om_pos *pos,
                                             const int64_t *weight, size_t n)
{
    const struct om_schema schema = sketch_schema(OM_GEOMETRY_POINT);
    struct sketch_columns columns;
    sketch_columns_make(&columns, n, weight);
    const struct om_batch batch = {.rows = n,
                                   .source_row = columns.row,
                                   .pos = pos,
                                   .column = columns.column};
    struct om_layer *layer = city_add_points(c, name, &schema, &batch);
    sketch_columns_free(&columns);
    return layer;
}

static inline struct om_selection *select_where(const struct om_layer *layer,
                                                const char *where)
{
    struct om_filter *filter = NULL;
    struct om_selection *out = NULL;
    if (where)
        assert_int_equal(
            om_filter_parse(where, strlen(where), layer, 0, &filter, NULL),
            OM_OK);
    assert_int_equal(
        om_select(NULL, layer, filter, (struct om_window){0}, &out), OM_OK);
    om_filter_free(filter);
    return out;
}

/* The network of a layer of a sketch: kind 9 is not usable, kind 8 apart. */
static inline struct om_roads *sketch_roads(const struct om_layer *layer,
                                            bool cross, double join_m,
                                            const struct om_layer *water)
{
    struct om_selection *usable = select_where(layer, "kind <> 9");
    struct om_selection *apart = select_where(layer, "kind = 8");
    const struct om_road_rules rules = {.usable = usable,
                                        .apart = apart,
                                        .cross = cross,
                                        .join_m = join_m,
                                        .water = water};
    struct om_roads *roads = NULL;
    assert_int_equal(om_roads_new(layer, &rules, &roads), OM_OK);
    om_selection_unref(usable);
    om_selection_unref(apart);
    return roads;
}

static inline struct om_snap snap_at(const struct om_roads *roads,
                                     struct om_pos pos, double reach_m)
{
    const uint64_t key = om_morton(pos);
    struct om_snap snap;
    assert_int_equal(om_roads_snap(roads, &key, 1, reach_m, &snap), OM_OK);
    return snap;
}

/* Metres of the way between two places on foot; -1: none. */
static inline double way_m(const struct om_roads *roads, struct om_pos from,
                           struct om_pos to, double reach_m)
{
    const struct om_snap a = snap_at(roads, from, reach_m);
    const struct om_snap b = snap_at(roads, to, reach_m);
    struct om_reach reach;
    assert_int_equal(om_reach_make(roads, &b, 1, 1, &reach), OM_OK);
    const struct om_way way = om_reach_way(&reach, a);
    om_reach_deinit(&reach);
    return way.centre == UINT32_MAX ? -1 : (double)way.ticks / OM_TICKS_PER_M;
}

#endif
