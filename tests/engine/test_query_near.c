/* Distances, circles and the nearest rows.
 *
 * Plan
 *   ground_*   geodesics against PROJ's, at city distances and round the world
 *   circle_*   bounds are bounds: no box is judged wrongly
 *   radius_*   rows within a circle against measuring every row
 *   nearest_*  the K nearest against sorting every row
 *   shape_*    distances to polygons and lines against walking their edges
 *   fault_*    the n-th allocation fails
 */
#include "tests/engine/query_sample.h"

#include <geodesic.h>
#include <math.h>

#include "engine/query/ground.h"

static struct sample sample[2];
static struct geod_geodesic wgs84;

static double proj_m(double lon_a, double lat_a, double lon_b, double lat_b)
{
    double m;
    geod_inverse(&wgs84, lat_a, lon_a, lat_b, lon_b, &m, NULL, NULL);
    return m;
}

static double proj_pos_m(struct om_pos a, struct om_pos b)
{
    double lon_a, lat_a, lon_b, lat_b;
    om_pos_to_lonlat(a, &lon_a, &lat_a);
    om_pos_to_lonlat(b, &lon_b, &lat_b);
    return proj_m(lon_a, lat_a, lon_b, lat_b);
}

static void ground_agrees_with_proj_to_a_tenth_of_a_millimetre(void **state)
{
    (void)state;
    double worst_m = 0;
    for (int n = 0; n < 200000; n++) {
        const double lat = -84 + 168 * dice_real();
        const double lon = -180 + 360 * dice_real();
        // From a centimetre to 100 km, every scale as often.
        const double reach = pow(10, -7 + 7 * dice_real());
        const double lat_b = lat + reach * (2 * dice_real() - 1);
        const double lon_b =
            lon + reach * (2 * dice_real() - 1) / cos(lat * OM_RAD_PER_DEG);
        if (fabs(lat_b) > 85) continue;
        const double error_m = fabs(om_ground_lonlat_m(lon, lat, lon_b, lat_b) -
                                    proj_m(lon, lat, lon_b, lat_b));
        if (error_m > worst_m) worst_m = error_m;
    }
    if (worst_m >= 1e-4) fail_msg("%.3g m", worst_m);
}

static void ground_agrees_with_proj_round_the_world(void **state)
{
    (void)state;
    double worst_m = 0;
    for (int n = 0; n < 100000; n++) {
        const double lat = -85 + 170 * dice_real(),
                     lat_b = -85 + 170 * dice_real();
        const double lon = -180 + 360 * dice_real(),
                     lon_b = -180 + 360 * dice_real();
        const double error_m = fabs(om_ground_lonlat_m(lon, lat, lon_b, lat_b) -
                                    proj_m(lon, lat, lon_b, lat_b));
        if (error_m > worst_m) worst_m = error_m;
        // Nearly antipodal, where Vincenty does not converge.
        const double far_lon = lon + 180 + (dice_real() - 0.5);
        const double far_lat = -lat + (dice_real() - 0.5);
        if (fabs(far_lat) > 85) continue;
        const double far_m =
            fabs(om_ground_lonlat_m(lon, lat, far_lon, far_lat) -
                 proj_m(lon, lat, far_lon, far_lat));
        if (far_m > worst_m) worst_m = far_m;
    }
    if (worst_m >= 1e-3) fail_msg("%.3g m", worst_m);
}

static struct om_pos anywhere(void)
{
    return (struct om_pos){(uint32_t)dice(UINT64_C(1) << 32),
                           (uint32_t)dice(UINT64_C(1) << 32)};
}

static void ground_of_cells_is_ground_of_their_centres(void **state)
{
    (void)state;
    for (int n = 0; n < 20000; n++) {
        const struct om_pos a = anywhere();
        struct om_pos b = anywhere();
        if (n % 2)
            b = (struct om_pos){a.x + (uint32_t)dice(100000),
                                a.y ^ (uint32_t)dice(100000)};
        assert_true(fabs(om_ground_m(a, b) - proj_pos_m(a, b)) < 1e-3);
        assert_true(fabs(om_ground_m(a, b) - om_ground_m(b, a)) < 1e-6);
    }
    const struct om_pos a = anywhere();
    assert_true(om_ground_m(a, a) == 0.0);
}

static void circle_judges_no_box_wrongly(void **state)
{
    (void)state;
    for (int n = 0; n < 20000; n++) {
        struct om_circle circle;
        const struct om_pos pos = anywhere();
        assert_int_equal(
            om_circle_init(&circle, pos, pow(10, 7.2 * dice_real())), OM_OK);
        // A box somewhere near the rim, and places inside it.
        const uint64_t reach =
            1 +
            (uint64_t)fmin(circle.radius_m / 0.004 / (0.1 + dice_real()), 4e9);
        struct om_box box = {pos.x + (uint32_t)dice(reach), 0, 0, 0};
        if (n % 2) box.x0 = pos.x - (uint32_t)dice(reach);
        const int64_t y =
            (int64_t)pos.y + (int64_t)dice(2 * reach) - (int64_t)reach;
        box.y0 = y < 0 ? 0 : y > UINT32_MAX ? UINT32_MAX : (uint32_t)y;
        const uint64_t size = dice(reach) + 1;
        box.x1 =
            UINT32_MAX - box.x0 < size ? UINT32_MAX : box.x0 + (uint32_t)size;
        box.y1 =
            UINT32_MAX - box.y0 < size ? UINT32_MAX : box.y0 + (uint32_t)size;
        const enum om_side side = om_circle_side(&circle, box);
        const double near_m = om_circle_near_m(&circle, box);
        for (int k = 0; k < 8; k++) {
            const struct om_pos at = {
                k & 1 ? box.x0
                      : box.x0 + (uint32_t)dice((uint64_t)box.x1 - box.x0 + 1),
                k & 2 ? box.y1
                      : box.y0 + (uint32_t)dice((uint64_t)box.y1 - box.y0 + 1)};
            const double m = proj_pos_m(pos, at);
            if (side == OM_SIDE_IN) assert_true(m <= circle.radius_m + 1e-3);
            if (side == OM_SIDE_OUT) assert_true(m >= circle.radius_m - 1e-3);
            if (m <= circle.radius_m) {
                assert_true(near_m <= m + 1e-3);
                const struct om_box b = circle.box;
                assert_true(at.y >= b.y0 && at.y <= b.y1);
                assert_true(at.x - b.x0 <= b.x1 - b.x0);
            }
            assert_int_equal(om_circle_holds(&circle, at),
                             om_circle_m(&circle, at) <= circle.radius_m);
        }
    }
}

struct round {
    struct om_pos pos;
    double radius_m;
};
static bool in_round(const struct truth *t, const void *ctx)
{
    const struct round *r = ctx;
    return proj_pos_m(r->pos, t->pos) <= r->radius_m;
}

static struct om_pos near_a_row(const struct sample *s)
{
    const size_t rows = om_segment_rows(s->part[0].segment);
    const struct om_pos pos = s->truth[0][dice(rows)].pos;
    if (dice(3) == 0) return pos;
    const uint32_t reach = UINT32_C(1) << dice(24);
    return (struct om_pos){pos.x + (uint32_t)dice(reach),
                           pos.y - (uint32_t)dice(reach)};
}

struct ring {
    const struct sample *s;
    const struct round *round;
    size_t count;
};
static bool check_hit(void *ctx, const struct om_hit *hit)
{
    struct ring *r = ctx;
    const struct om_pos at = r->s->truth[hit->part][hit->row].pos;
    assert_true(fabs(hit->distance_m - proj_pos_m(r->round->pos, at)) < 1e-3);
    r->count++;
    return true;
}

static void radius_holds_what_measuring_every_row_finds(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int n = 0; n < 250; n++) {
            const struct sample *s = &sample[i];
            const struct round r = {
                near_a_row(s),
                n % 25 ? pow(10, 5 * dice_real()) : 2e7 * dice_real()};
            struct om_query q = sample_query(s);
            q.place = (struct om_place){
                .kind = OM_PLACE_RADIUS, .pos = r.pos, .radius_m = r.radius_m};
            uint64_t count;
            assert_int_equal(om_query_count(&q, &count), OM_OK);
            assert_int_equal(count, sample_count(s, in_round, &r));
            if (n % 10) continue;
            struct ring ring = {.s = s, .round = &r};
            assert_int_equal(om_query_each(&q, check_hit, &ring), OM_OK);
            assert_int_equal(ring.count, count);
        }
}

static void radius_of_the_world_holds_all(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[1]);
    q.place = (struct om_place){
        .kind = OM_PLACE_RADIUS, .pos = {7, 1u << 31}, .radius_m = 2.1e7};
    uint64_t count;
    assert_int_equal(om_query_count(&q, &count), OM_OK);
    assert_int_equal(count, sample[1].layer.rows);
    q.place.radius_m = NAN;
    assert_int_equal(om_query_count(&q, &count), OM_E_RANGE);
    q.place.radius_m = -1;
    assert_int_equal(om_query_count(&q, &count), OM_E_RANGE);
}

/* Every live row with its distance, sorted: the oracle of nearest. */
struct far {
    double m;
    const char *id;
};
static struct far far_row[20000];
static size_t far_count;

static int by_distance(const void *a, const void *b)
{
    const struct far *p = a, *q = b;
    if (p->m != q->m) return p->m < q->m ? -1 : 1;
    return strcmp(p->id, q->id);
}

static void sort_all(const struct sample *s, struct om_pos pos)
{
    far_count = 0;
    for (size_t p = 0; p < s->parts; p++)
        for (size_t r = 0; r < om_segment_rows(s->part[p].segment); r++)
            if (!s->truth[p][r].dead)
                far_row[far_count++] = (struct far){
                    om_ground_m(pos, s->truth[p][r].pos), s->truth[p][r].id};
    qsort(far_row, far_count, sizeof *far_row, by_distance);
}

struct next {
    const struct sample *s;
    size_t at;
};
static bool check_next(void *ctx, const struct om_hit *hit)
{
    struct next *n = ctx;
    const struct truth *t = &n->s->truth[hit->part][hit->row];
    assert_true(n->at < far_count);
    assert_string_equal(t->id, far_row[n->at].id);
    assert_true(fabs(hit->distance_m - far_row[n->at].m) < 1e-6);
    n->at++;
    return true;
}

static void nearest_are_the_first_of_all_rows_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int n = 0; n < 200; n++) {
            const struct sample *s = &sample[i];
            struct om_query q = sample_query(s);
            const struct om_pos pos = n % 10 ? near_a_row(s) : anywhere();
            const size_t k = n % 20 ? 1 + dice(30) : 1 + dice(far_count + 1);
            q.place = (struct om_place){
                .kind = OM_PLACE_NEAREST, .pos = pos, .nearest = k};
            sort_all(s, pos);
            struct next next = {.s = s};
            assert_int_equal(om_query_each(&q, check_next, &next), OM_OK);
            assert_int_equal(next.at, k < far_count ? k : far_count);
            uint64_t count;
            assert_int_equal(om_query_count(&q, &count), OM_OK);
            assert_int_equal(count, next.at);
        }
}

static void nearest_of_none_and_of_too_many_are_refused(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[0]);
    uint64_t count;
    q.place = (struct om_place){.kind = OM_PLACE_NEAREST};
    assert_int_equal(om_query_count(&q, &count), OM_E_RANGE);
    q.place.nearest = SIZE_MAX;  // more than rows: all of them
    assert_int_equal(om_query_count(&q, &count), OM_OK);
    assert_int_equal(count, sample[0].layer.rows);
}

/* A triangle and a line about 0 to 3 km away from the position. */
static void shape_distance_is_the_least_along_its_edges(void **state)
{
    (void)state;
    static const uint32_t one[] = {0, 1};
    for (int n = 0; n < 12; n++) {
        const struct om_pos pos =
            at_degrees(113.75 + 0.1 * dice_real(), 20 + 40 * dice_real());
        struct om_pos v[3];
        for (int k = 0; k < 3; k++)
            v[k] = (struct om_pos){pos.x + (uint32_t)dice(400000) - 100000,
                                   pos.y + (uint32_t)dice(400000) - 300000};
        const uint32_t ring[] = {0, 3};
        struct om_box box = {UINT32_MAX, UINT32_MAX, 0, 0};
        for (int k = 0; k < 3; k++) {
            if (v[k].x < box.x0) box.x0 = v[k].x;
            if (v[k].x > box.x1) box.x1 = v[k].x;
            if (v[k].y < box.y0) box.y0 = v[k].y;
            if (v[k].y > box.y1) box.y1 = v[k].y;
        }
        const struct om_rings rings = {1, one, one, ring, v, &box};
        struct om_circle circle;
        assert_int_equal(om_circle_init(&circle, pos, 20000), OM_OK);
        for (int closed = 0; closed < 2; closed++) {
            double least_m = INFINITY;
            for (int e = 0; e < 2 + closed; e++)
                for (int k = 0; k <= 20000; k++) {
                    double lon, lat, lon0, lat0;
                    const double t = k / 20000.0;
                    const struct om_pos a = v[e], b = v[(e + 1) % 3];
                    om_world_to_lonlat(a.x + 0.5 + t * ((double)b.x - a.x),
                                       a.y + 0.5 + t * ((double)b.y - a.y),
                                       &lon, &lat);
                    om_pos_to_lonlat(pos, &lon0, &lat0);
                    least_m = fmin(least_m, proj_m(lon0, lat0, lon, lat));
                }
            if (closed && om_rings_contain(&rings, 0, pos)) least_m = 0;
            const double m = om_circle_shape_m(
                &circle, &rings, 0,
                closed ? OM_GEOMETRY_POLYGON : OM_GEOMETRY_LINE, 20000);
            // Samples are up to 0.2 m apart, so that a near miss of 10 m errs
            // by half a millimetre; the function is never farther.
            assert_true(m <= least_m + 1e-4);
            assert_true(m >= least_m - 0.01);
        }
    }
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
    struct om_query q = sample_query(&sample[1]);
    q.place = (struct om_place){
        .kind = OM_PLACE_NEAREST, .pos = near_a_row(&sample[1]), .nearest = 50};
    const size_t live = om_alloc_live();
    for (size_t n = 1; n < 1000; n++) {
        om_wide sum;
        om_alloc_fail_after(n, false);
        om_status st = om_query_each(&q, nothing, NULL);
        if (!st) st = om_query_sum(&q, COL_RESIDENTS, &sum, NULL);
        om_alloc_fail_after(0, false);
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
    geod_init(&wgs84, OM_WGS84_A_M, OM_WGS84_F);
    sample_make(&sample[0], 1, one, 0);
    sample_make(&sample[1], 3, three, 4);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) sample_free(&sample[i]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ground_agrees_with_proj_to_a_tenth_of_a_millimetre),
        cmocka_unit_test(ground_agrees_with_proj_round_the_world),
        cmocka_unit_test(ground_of_cells_is_ground_of_their_centres),
        cmocka_unit_test(circle_judges_no_box_wrongly),
        cmocka_unit_test(radius_holds_what_measuring_every_row_finds),
        cmocka_unit_test(radius_of_the_world_holds_all),
        cmocka_unit_test(nearest_are_the_first_of_all_rows_sorted),
        cmocka_unit_test(nearest_of_none_and_of_too_many_are_refused),
        cmocka_unit_test(shape_distance_is_the_least_along_its_edges),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
