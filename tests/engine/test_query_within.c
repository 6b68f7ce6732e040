/* Polygons as places, and layers of polygons and lines.
 *
 * Plan
 *   within_*   points in polygons with and without holes, of few and many
 *              vertices, against a crossing test of the test's own
 *   shapes_*   polygons and lines that meet boxes and polygons, against GEOS;
 *              within a radius and nearest, against measuring each
 *   error_*    places that cannot be
 *   fault_*    the n-th allocation fails
 */
#include "tests/engine/query_sample.h"

#include <geos_c.h>
#include <math.h>
#include <pthread.h>

#include "data/model/earth.h"
#include "engine/query/ground.h"

__extension__ typedef __int128 wide;

static struct sample sample[2];

/* A star about a place: `n` vertices, `reach` cells wide, perhaps a hole. */
struct star {
    struct om_pos vertex[4096];
    uint32_t shape_part[2], part_ring[2], ring_vertex[3];
    struct om_box box;
    struct om_rings rings;
};
static struct star star;

static void make_ring(struct om_pos at, size_t first, size_t n, double low,
                      double high)
{
    for (size_t i = 0; i < n; i++) {
        const double angle =
            2 * OM_PI * ((double)i + 0.8 * dice_real()) / (double)n;
        const double r = low + (high - low) * dice_real();
        star.vertex[first + i] =
            (struct om_pos){(uint32_t)((double)at.x + r * cos(angle)),
                            (uint32_t)((double)at.y + r * sin(angle))};
    }
}

static void make_star(struct om_pos at, size_t n, double reach, bool hole)
{
    memset(&star, 0, sizeof star);
    make_ring(at, 0, n, 0.5 * reach, reach);
    if (hole) make_ring(at, n, n, 0.1 * reach, 0.3 * reach);
    star.shape_part[1] = 1;
    star.part_ring[1] = hole ? 2 : 1;
    star.ring_vertex[1] = (uint32_t)n;
    star.ring_vertex[2] = (uint32_t)(2 * n);
    star.box = (struct om_box){UINT32_MAX, UINT32_MAX, 0, 0};
    for (size_t i = 0; i < n; i++) {
        const struct om_pos v = star.vertex[i];
        if (v.x < star.box.x0) star.box.x0 = v.x;
        if (v.x > star.box.x1) star.box.x1 = v.x;
        if (v.y < star.box.y0) star.box.y0 = v.y;
        if (v.y > star.box.y1) star.box.y1 = v.y;
    }
    star.rings = (struct om_rings){
        1,           star.shape_part, star.part_ring, star.ring_vertex,
        star.vertex, &star.box};
}

static wide side(struct om_pos a, struct om_pos b, struct om_pos p)
{
    return ((wide)b.x - a.x) * ((wide)p.y - a.y) -
           ((wide)b.y - a.y) * ((wide)p.x - a.x);
}

/* 1 inside, 0 outside, -1 on an edge, by counting crossings. */
static int crossing(const struct om_rings *r, struct om_pos p)
{
    int in = 0;
    for (uint32_t k = 0; k < r->part_ring[1]; k++) {
        const uint32_t from = r->ring_vertex[k], end = r->ring_vertex[k + 1];
        for (uint32_t i = from, j = end - 1; i < end; j = i++) {
            const struct om_pos a = r->vertex[j], b = r->vertex[i];
            const wide s = side(a, b, p);
            const bool within = (a.x < b.x ? p.x >= a.x && p.x <= b.x
                                           : p.x >= b.x && p.x <= a.x) &&
                                (a.y < b.y ? p.y >= a.y && p.y <= b.y
                                           : p.y >= b.y && p.y <= a.y);
            if (s == 0 && within) return -1;
            if ((a.y > p.y) != (b.y > p.y)) in ^= (s > 0) == (b.y > a.y);
        }
    }
    return in;
}

struct tally {
    const struct sample *s;
    uint64_t count;
};
static bool check_inside(void *ctx, const struct om_hit *hit)
{
    struct tally *t = ctx;
    const struct truth *row = &t->s->truth[hit->part][hit->row];
    assert_false(row->dead);
    assert_int_not_equal(crossing(&star.rings, row->pos), 0);
    t->count++;
    return true;
}

static void within_is_what_a_crossing_test_finds(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int n = 0; n < 120; n++) {
            const struct sample *s = &sample[i];
            const struct om_pos at =
                s->truth[0][10 + dice(om_segment_rows(s->part[0].segment) - 10)]
                    .pos;
            if (at.x < 100000000 || at.x > 4194967295u) continue;
            make_star(at, n % 5 ? 3 + dice(40) : 70 + dice(1500),
                      pow(10, 1 + 6 * dice_real()), n % 3 == 0);
            uint64_t sure = 0, perhaps = 0, count = 0;
            for (size_t p = 0; p < s->parts; p++)
                for (size_t r = 0; r < om_segment_rows(s->part[p].segment);
                     r++) {
                    if (s->truth[p][r].dead) continue;
                    const int in = crossing(&star.rings, s->truth[p][r].pos);
                    sure += in == 1;
                    perhaps += in == -1;
                }
            struct om_query q = sample_query(s);
            q.place = (struct om_place){.kind = OM_PLACE_WITHIN,
                                        .rings = &star.rings};
            assert_int_equal(om_query_count(&q, &count), OM_OK);
            assert_true(count >= sure && count <= sure + perhaps);
            struct tally t = {.s = s};
            assert_int_equal(om_query_each(&q, check_inside, &t), OM_OK);
            assert_int_equal(t.count, count);
        }
}

/* Buildings and roads: built, then read back, since building may mend them. */
struct town {
    char path[2][128];
    struct om_part part[2];
    struct om_rings rings[2];
    struct om_layer layer;
    GEOSGeometry **shape[2];
    size_t rows[2];
    bool dead[2][4000];
    uint32_t dead_row[4000];
};
static struct town houses, roads;
static GEOSContextHandle_t geos;

static GEOSGeometry *geos_of(const struct om_rings *r, size_t shape,
                             bool closed)
{
    GEOSGeometry *part[64];
    unsigned parts = 0;
    for (uint32_t p = r->shape_part[shape]; p < r->shape_part[shape + 1]; p++) {
        GEOSGeometry *ring[64] = {0};
        unsigned rings = 0;
        for (uint32_t k = r->part_ring[p]; k < r->part_ring[p + 1]; k++) {
            const uint32_t from = r->ring_vertex[k];
            const uint32_t n = r->ring_vertex[k + 1] - from;
            GEOSCoordSequence *seq = GEOSCoordSeq_create_r(geos, n + closed, 2);
            for (uint32_t i = 0; i < n + closed; i++)
                GEOSCoordSeq_setXY_r(geos, seq, i, r->vertex[from + i % n].x,
                                     r->vertex[from + i % n].y);
            ring[rings++] = closed ? GEOSGeom_createLinearRing_r(geos, seq)
                                   : GEOSGeom_createLineString_r(geos, seq);
        }
        part[parts++] = closed ? GEOSGeom_createPolygon_r(geos, ring[0],
                                                          ring + 1, rings - 1)
                               : ring[0];
    }
    return GEOSGeom_createCollection_r(
        geos, closed ? GEOS_MULTIPOLYGON : GEOS_MULTILINESTRING, part, parts);
}

static void build_part(struct town *t, size_t part, size_t rows,
                       enum om_geometry geometry, const char *folder)
{
    struct om_schema *schema = calloc(1, sizeof *schema);
    schema->geometry = geometry;
    schema->count = 1;
    strcpy(schema->field[0].name, "id");
    schema->time_field = OM_NO_FIELD;
    const uint32_t per = geometry == OM_GEOMETRY_POLYGON ? 4 : 3;
    uint32_t *one = calloc(rows + 1, 4), *ring = calloc(rows + 1, 4);
    uint32_t *offset = calloc(rows + 1, 4);
    uint64_t *source = calloc(rows, 8);
    double *x = calloc(rows * per, 8), *y = calloc(rows * per, 8);
    char *bytes = calloc(rows, 16);
    const struct om_pos at = at_degrees(113.75, 23.02);
    for (size_t i = 0; i < rows; i++) {
        const double cx = at.x + 400000 * dice_real();
        const double cy = at.y + 400000 * dice_real();
        const double w = 300 + 2500 * dice_real(), h = 300 + 900 * dice_real();
        const double c = cos(7 * dice_real()), s = sqrt(1 - c * c);
        for (uint32_t k = 0; k < per; k++) {
            const double u = k == 1 || k == 2 ? w : 0;
            const double v = k >= 2 ? h : 0;
            x[i * per + k] = cx + u * c - v * s;
            y[i * per + k] = cy + u * s + v * c;
        }
        one[i + 1] = (uint32_t)i + 1;
        ring[i + 1] = (uint32_t)(i + 1) * per;
        source[i] = i + 1;
        sprintf(bytes + offset[i], "%c%zu-%zu", per == 4 ? 'h' : 'r', part, i);
        offset[i + 1] = (uint32_t)strlen(bytes);
    }
    const struct om_batch_column column = {.offset = offset, .bytes = bytes};
    const struct om_batch batch = {
        .rows = rows,
        .source_row = source,
        .shapes = {rows, one, one, ring, x, y},
        .column = &column,
    };
    struct om_builder *builder;
    struct om_err err = {0};
    snprintf(t->path[part], sizeof t->path[part], "%.60s/%c%zu.seg", folder,
             per == 4 ? 'h' : 'r', part);
    assert_int_equal(om_builder_new(schema, &builder), OM_OK);
    assert_int_equal(om_builder_add(builder, &batch), OM_OK);
    if (om_builder_write(builder, t->path[part], NULL, &err) ||
        om_segment_open(t->path[part], NULL, &t->part[part].segment, &err))
        fail_msg("%s", err.text);
    om_builder_free(builder);
    free(one);
    free(ring);
    free(offset);
    free(source);
    free(x);
    free(y);
    free(bytes);
    free(schema);
}

static void build_town(struct town *t, enum om_geometry geometry,
                       const char *folder)
{
    const size_t rows[2] = {3000, 700};
    memset(t, 0, sizeof *t);
    for (size_t p = 0; p < 2; p++) {
        build_part(t, p, rows[p], geometry, folder);
        struct om_segment *s = t->part[p].segment;
        t->rows[p] = om_segment_rows(s);
        assert_int_equal(om_segment_rings(s, 0, t->rows[p], &t->rings[p]),
                         OM_OK);
        t->shape[p] = calloc(t->rows[p], sizeof(GEOSGeometry *));
        for (size_t i = 0; i < t->rows[p]; i++)
            t->shape[p][i] =
                geos_of(&t->rings[p], i, geometry == OM_GEOMETRY_POLYGON);
    }
    size_t n = 0;
    for (uint32_t i = 0; i < t->rows[1]; i++)
        if (dice(5) == 0) {
            t->dead_row[n++] = i;
            t->dead[1][i] = true;
        }
    t->part[1].dead = t->dead_row;
    t->part[1].dead_count = n;
    t->layer.schema = *om_segment_schema(t->part[0].segment);
    t->layer.parts = 2;
    t->layer.part = t->part;
    t->layer.rows = t->rows[0] + t->rows[1] - n;
}

static void free_town(struct town *t)
{
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < t->rows[p]; i++)
            GEOSGeom_destroy_r(geos, t->shape[p][i]);
        free(t->shape[p]);
        om_segment_unref(t->part[p].segment);
        unlink(t->path[p]);
    }
}

static uint64_t geos_count(const struct town *t, const GEOSGeometry *place)
{
    uint64_t n = 0;
    const GEOSPreparedGeometry *quick = GEOSPrepare_r(geos, place);
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i < t->rows[p]; i++)
            n += !t->dead[p][i] &&
                 GEOSPreparedIntersects_r(geos, quick, t->shape[p][i]) == 1;
    GEOSPreparedGeom_destroy_r(geos, quick);
    return n;
}

static uint64_t count_in(const struct town *t, struct om_place place)
{
    const struct om_query q = {.layer = &t->layer, .place = place};
    uint64_t count = 0;
    assert_int_equal(om_query_count(&q, &count), OM_OK);
    return count;
}

static struct om_pos in_town(void)
{
    const struct om_pos at = at_degrees(113.75, 23.02);
    return (struct om_pos){at.x - 20000 + (uint32_t)dice(440000),
                           at.y - 20000 + (uint32_t)dice(440000)};
}

static void shapes_meet_boxes_and_polygons_as_geos_says(void **state)
{
    (void)state;
    const struct town *const town[] = {&houses, &roads};
    for (size_t k = 0; k < 2; k++)
        for (int n = 0; n < 100; n++) {
            const struct om_pos at = in_town();
            const uint32_t w = 1 + (uint32_t)dice(UINT64_C(1) << (n % 20));
            const struct om_box box = {at.x, at.y, at.x + w, at.y + 1 + w / 2};
            GEOSGeometry *g = GEOSGeom_createRectangle_r(geos, box.x0, box.y0,
                                                         box.x1, box.y1);
            assert_int_equal(
                count_in(town[k],
                         (struct om_place){.kind = OM_PLACE_BOX, .box = box}),
                geos_count(town[k], g));
            GEOSGeom_destroy_r(geos, g);

            make_star(at, n % 4 ? 3 + dice(30) : 100 + dice(400),
                      pow(10, 2 + 4 * dice_real()), n % 3 == 0);
            g = geos_of(&star.rings, 0, true);
            if (GEOSisValid_r(geos, g) == 1)
                assert_int_equal(
                    count_in(town[k], (struct om_place){.kind = OM_PLACE_WITHIN,
                                                        .rings = &star.rings}),
                    geos_count(town[k], g));
            GEOSGeom_destroy_r(geos, g);
        }
}

/* All live shapes by distance. */
struct far {
    double m;
    size_t part, row;
    const struct town *t;
    char id[24];
};
static struct far far_row[8000];
static size_t far_count;

static int by_distance(const void *a, const void *b)
{
    const struct far *p = a, *q = b;
    if (p->m != q->m) return p->m < q->m ? -1 : 1;
    return strcmp(p->id, q->id);
}

static void measure_all(const struct town *t, struct om_pos pos)
{
    struct om_text_reader reader = {0};
    struct om_circle circle;
    // The largest circle judges no edge by a bound.
    assert_int_equal(om_circle_init(&circle, pos, 3e7), OM_OK);
    far_count = 0;
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i < t->rows[p]; i++) {
            if (t->dead[p][i]) continue;
            struct far *f = &far_row[far_count++];
            const char *id;
            size_t len;
            *f = (struct far){.part = p, .row = i, .t = t};
            f->m = om_circle_shape_m(&circle, &t->rings[p], i,
                                     t->layer.schema.geometry, 3e7);
            assert_int_equal(
                om_segment_text(t->part[p].segment, 0, i, &reader, &id, &len),
                OM_OK);
            memcpy(f->id, id, len);
        }
    qsort(far_row, far_count, sizeof *far_row, by_distance);
    om_text_reader_deinit(&reader);
}

struct next {
    size_t at;
};
static bool check_next(void *ctx, const struct om_hit *hit)
{
    struct next *n = ctx;
    assert_int_equal(hit->part, far_row[n->at].part);
    assert_int_equal(hit->row, far_row[n->at].row);
    assert_true(fabs(hit->distance_m - far_row[n->at].m) < 1e-6);
    n->at++;
    return true;
}

static bool check_reach(void *ctx, const struct om_hit *hit)
{
    struct next *n = ctx;
    for (size_t i = 0; i < far_count; i++)
        if (far_row[i].part == hit->part && far_row[i].row == hit->row)
            assert_true(fabs(hit->distance_m - far_row[i].m) < 1e-6);
    n->at++;
    return true;
}

static void shapes_near_a_place_are_those_that_measuring_finds(void **state)
{
    (void)state;
    const struct town *const town[] = {&houses, &roads};
    for (size_t k = 0; k < 2; k++)
        for (int n = 0; n < 25; n++) {
            const struct om_pos pos =
                n % 10 ? in_town() : at_degrees(100 + dice_real() * 30, 20);
            measure_all(town[k], pos);
            const size_t want = 1 + dice(n % 7 ? 20 : 3500);
            struct om_query q = {.layer = &town[k]->layer};
            q.place = (struct om_place){
                .kind = OM_PLACE_NEAREST, .pos = pos, .nearest = want};
            struct next next = {0};
            assert_int_equal(om_query_each(&q, check_next, &next), OM_OK);
            assert_int_equal(next.at, want < far_count ? want : far_count);

            const double radius_m = pow(10, 3.5 * dice_real());
            uint64_t mine = 0;
            for (size_t i = 0; i < far_count; i++)
                mine += far_row[i].m <= radius_m;
            q.place = (struct om_place){
                .kind = OM_PLACE_RADIUS, .pos = pos, .radius_m = radius_m};
            assert_int_equal(count_in(town[k], q.place), mine);
            next.at = 0;
            assert_int_equal(om_query_each(&q, check_reach, &next), OM_OK);
            assert_int_equal(next.at, mine);
        }
}

/* All threads ask for the tree before anybody has built it. */
static void *ask_often(void *arg)
{
    const struct om_place *place = arg;
    const struct om_query q = {.layer = &houses.layer, .place = *place};
    uint64_t count = 0, first = 0;
    for (int i = 0; i < 50; i++) {
        if (i % 10 == 9) om_query_forget();
        if (om_query_count(&q, &count)) return NULL;
        if (i && count != first) return NULL;
        first = count;
    }
    return arg;
}

static void shapes_may_be_asked_for_by_several_threads(void **state)
{
    (void)state;
    om_query_forget();
    struct om_place place = {
        .kind = OM_PLACE_RADIUS, .pos = in_town(), .radius_m = 700};
    pthread_t thread[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask_often, &place),
                         0);
    for (size_t i = 0; i < 4; i++) {
        void *done = NULL;
        pthread_join(thread[i], &done);
        assert_ptr_equal(done, &place);
    }
}

static void error_of_rings_that_are_no_place(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[0]);
    uint64_t count;
    q.place = (struct om_place){.kind = OM_PLACE_WITHIN};
    assert_int_equal(om_query_count(&q, &count), OM_E_RANGE);
}

static bool nothing(void *ctx, const struct om_hit *hit)
{
    (void)ctx;
    (void)hit;
    return true;
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    make_star(in_town(), 200, 100000, true);
    struct om_query points = sample_query(&sample[1]);
    struct om_query shapes = {.layer = &houses.layer};
    points.place = shapes.place =
        (struct om_place){.kind = OM_PLACE_WITHIN, .rings = &star.rings};
    om_query_forget();
    const size_t live = om_alloc_live();
    for (size_t n = 1; n < 5000; n++) {
        om_alloc_fail_after(n, false);
        om_status st = om_query_each(&points, nothing, NULL);
        if (!st) st = om_query_each(&shapes, nothing, NULL);
        om_alloc_fail_after(0, false);
        om_query_forget();
        assert_int_equal(om_alloc_live(), live);
        if (!st) return;
        assert_int_equal(st, OM_E_MEMORY);
    }
    fail();
}

static int setup(void **state)
{
    (void)state;
    const size_t one[] = {8000}, three[] = {4000, 1, 2000};
    geos = GEOS_init_r();
    sample_make(&sample[0], 1, one, 0);
    sample_make(&sample[1], 3, three, 4);
    build_town(&houses, OM_GEOMETRY_POLYGON, sample[0].folder);
    build_town(&roads, OM_GEOMETRY_LINE, sample[0].folder);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    free_town(&houses);
    free_town(&roads);
    for (size_t i = 0; i < 2; i++) sample_free(&sample[i]);
    GEOS_finish_r(geos);
    om_query_forget();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_is_what_a_crossing_test_finds),
        cmocka_unit_test(shapes_meet_boxes_and_polygons_as_geos_says),
        cmocka_unit_test(shapes_near_a_place_are_those_that_measuring_finds),
        cmocka_unit_test(shapes_may_be_asked_for_by_several_threads),
        cmocka_unit_test(error_of_rings_that_are_no_place),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
