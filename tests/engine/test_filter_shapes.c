/* Filters over polygons and lines.
 *
 * Plan
 *   shapes_*  those that meet a place are taken, and no others: boxes by plain
 *             comparison, polygons and points by asking of every row
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/filter/filter.h"
#include "engine/layer/build.h"
#include "engine/shape/shape.h"
#include "tests/folder.h"

#define ROWS 3000
#define WEST 3500000000.0
#define NORTH 1860000000.0
#define SIDE 100000.0

static uint64_t seed = 5;

static double unit(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(seed >> 33) / 2147483648.0;
}

struct layer {
    struct om_segment *segment;
    struct om_part part;
    struct om_layer layer;
    struct om_rings rings;
};

/* Boxes (corners 4, sides along the axes) or bent lines of four vertices. */
static void fill_shapes(enum om_geometry geometry, double *x, double *y)
{
    for (size_t i = 0; i < ROWS; i++) {
        const double w = 10 + unit() * 3000, h = 10 + unit() * 3000;
        const double x0 = WEST + (double)(int)(unit() * SIDE);
        const double y0 = NORTH + (double)(int)(unit() * SIDE);
        const double bend = geometry == OM_GEOMETRY_LINE ? h / 2 : 0;
        const double at[4][2] = {{x0, y0},
                                 {x0, y0 + (int)h},
                                 {x0 + (int)w, y0 + (int)(h - bend)},
                                 {x0 + (int)w, y0}};
        for (int k = 0; k < 4; k++) {
            x[4 * i + (size_t)k] = at[k][0];
            y[4 * i + (size_t)k] = at[k][1];
        }
    }
}

static void open_layer(struct layer *l, enum om_geometry geometry)
{
    static double x[4 * ROWS], y[4 * ROWS];
    static uint32_t one[ROWS + 1], four[ROWS + 1], offset[ROWS + 1];
    static uint64_t source[ROWS];
    static char bytes[ROWS * 8];
    char folder[64], path[80];
    struct om_err err = {0};
    fill_shapes(geometry, x, y);
    for (uint32_t i = 0; i <= ROWS; i++) {
        one[i] = i;
        four[i] = 4 * i;
        offset[i] = 6 * i;
        if (i == ROWS) break;
        source[i] = i + 1;
        snprintf(bytes + 6 * i, 7, "S%05u", i);
    }
    const struct om_batch_column id = {.offset = offset, .bytes = bytes};
    const struct om_batch batch = {.rows = ROWS,
                                   .source_row = source,
                                   .shapes = {.count = ROWS,
                                              .shape_part = one,
                                              .part_ring = one,
                                              .ring_vertex = four,
                                              .x = x,
                                              .y = y},
                                   .column = &id};
    const struct om_schema schema = {.geometry = geometry,
                                     .count = 1,
                                     .field = {{"id", OM_TYPE_TEXT}},
                                     .id_field = 0,
                                     .time_field = OM_NO_FIELD};
    struct om_builder *builder;
    assert_true(test_folder("filter-shapes", folder, sizeof folder));
    snprintf(path, sizeof path, "%s/shapes", folder);
    assert_int_equal(om_builder_new(&schema, &builder), OM_OK);
    assert_int_equal(om_builder_add(builder, &batch), OM_OK);
    if (om_builder_write(builder, path, NULL, &err)) fail_msg("%s", err.text);
    om_builder_free(builder);
    if (om_segment_open(path, NULL, &l->segment, &err))
        fail_msg("%s", err.text);
    unlink(path);
    rmdir(folder);
    l->part = (struct om_part){.segment = l->segment};
    l->layer = (struct om_layer){.name = "shapes",
                                 .parts = 1,
                                 .part = &l->part,
                                 .rows = ROWS,
                                 .schema = *om_segment_schema(l->segment)};
    assert_int_equal(om_segment_rings(l->segment, 0, ROWS, &l->rings), OM_OK);
}

static struct om_selection *select_text(const struct layer *l, const char *text)
{
    struct om_filter *filter;
    struct om_selection *s;
    struct om_err err = {0};
    if (om_filter_parse(text, strlen(text), &l->layer, 0, &filter, &err))
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(
        om_select(NULL, &l->layer, filter, (struct om_window){0}, &s), OM_OK);
    om_filter_free(filter);
    return s;
}

static struct om_pos corner(double *lon, double *lat)
{
    const struct om_pos pos = {(uint32_t)(WEST + unit() * SIDE),
                               (uint32_t)(NORTH + unit() * SIDE)};
    om_pos_to_lonlat(pos, lon, lat);
    return pos;
}

static void shapes_that_meet_a_box_are_taken(void **state)
{
    (void)state;
    struct layer l;
    open_layer(&l, OM_GEOMETRY_POLYGON);
    for (int i = 0; i < 50; i++) {
        char text[300];
        double w, n, e, s;
        const struct om_pos a = corner(&w, &n);
        struct om_pos b = {a.x + (uint32_t)(unit() * 20000),
                           a.y + (uint32_t)(unit() * 20000)};
        om_pos_to_lonlat(b, &e, &s);
        snprintf(text, sizeof text, "S_%s(geom,BBOX(%.17g,%.17g,%.17g,%.17g))",
                 i % 2 ? "DISJOINT" : "INTERSECTS", w, s, e, n);
        struct om_selection *taken = select_text(&l, text);
        for (size_t k = 0; k < ROWS; k++) {
            const struct om_box box = l.rings.box[k];
            const bool meets = box.x0 <= b.x && a.x <= box.x1 &&
                               box.y0 <= b.y && a.y <= box.y1;
            if (om_selection_has(taken, 0, k) != (meets == (i % 2 == 0)))
                fail_msg("%s: row %zu", text, k);
        }
        om_selection_unref(taken);
    }
    om_segment_unref(l.segment);
}

static void shapes_that_meet_a_polygon_are_taken(void **state)
{
    (void)state;
    static const enum om_geometry GEOMETRY[] = {OM_GEOMETRY_POLYGON,
                                                OM_GEOMETRY_LINE};
    for (int g = 0; g < 2; g++) {
        struct layer l;
        open_layer(&l, GEOMETRY[g]);
        size_t all = 0;
        for (int i = 0; i < 30; i++) {
            char wkt[300], text[400];
            double x[3], y[3];
            for (int k = 0; k < 3; k++) corner(&x[k], &y[k]);
            snprintf(wkt, sizeof wkt,
                     "POLYGON((%.17g %.17g,%.17g %.17g,%.17g %.17g,%.17g "
                     "%.17g))",
                     x[0], y[0], x[1], y[1], x[2], y[2], x[0], y[0]);
            snprintf(text, sizeof text, "S_INTERSECTS(geom,%s)", wkt);
            struct om_arena arena = {0};
            struct om_rings place;
            assert_int_equal(
                om_rings_parse(wkt, strlen(wkt), &arena, &place, NULL), OM_OK);
            struct om_selection *taken = select_text(&l, text);
            for (size_t k = 0; k < ROWS; k++)
                if (om_selection_has(taken, 0, k) !=
                    om_rings_intersect(&l.rings, k, GEOMETRY[g], &place, 0))
                    fail_msg("%s: row %zu", text, k);
            all += taken->count;
            om_selection_unref(taken);
            om_arena_deinit(&arena);
        }
        assert_true(all > 100);
        om_segment_unref(l.segment);
    }
}

static void shapes_that_hold_a_point_are_taken(void **state)
{
    (void)state;
    struct layer l;
    open_layer(&l, OM_GEOMETRY_POLYGON);
    size_t all = 0;
    for (int i = 0; i < 100; i++) {
        char text[100];
        double x, y;
        const struct om_pos pos = corner(&x, &y);
        snprintf(text, sizeof text, "S_INTERSECTS(geom,POINT(%.17g %.17g))", x,
                 y);
        struct om_selection *taken = select_text(&l, text);
        for (size_t k = 0; k < ROWS; k++)
            assert_int_equal(om_selection_has(taken, 0, k),
                             om_rings_contain(&l.rings, k, pos));
        all += taken->count;
        om_selection_unref(taken);
    }
    assert_true(all > 10);
    om_segment_unref(l.segment);
}

static void shapes_without_inside_hold_no_point(void **state)
{
    (void)state;
    struct layer l;
    open_layer(&l, OM_GEOMETRY_LINE);
    struct om_filter *filter;
    const char *text = "S_INTERSECTS(geom,POINT(113 23))";
    assert_int_equal(
        om_filter_parse(text, strlen(text), &l.layer, 0, &filter, NULL),
        OM_E_UNSUPPORTED);
    om_segment_unref(l.segment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_that_meet_a_box_are_taken),
        cmocka_unit_test(shapes_that_meet_a_polygon_are_taken),
        cmocka_unit_test(shapes_that_hold_a_point_are_taken),
        cmocka_unit_test(shapes_without_inside_hold_no_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
