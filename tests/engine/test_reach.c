/* People by position, the nearest centre straight, sums by unit, areas.
 *
 * Plan
 *   crowd_*     positions against counting rows one by one
 *   near_*      the nearest of many against measuring all, round the world
 *   straight_*  trips against PROJ's geodesic
 *   road_*      off and cut off; the snaps of an earlier call
 *   trips_*     one more centre makes no way longer; threads
 *   tally_*     sums, means and medians by unit against a plain loop
 *   areas_*     squares, pieces and rings against flooding a raster
 *   error_*     speeds, factors, weights
 *   fault_*     the n-th allocation fails
 */
#include "tests/engine/query_sample.h"

#include <geodesic.h>
#include <math.h>

#include "data/base/thread.h"
#include "engine/reach/areas.h"
#include "engine/reach/near.h"
#include "tests/engine/reach_sample.h"
#include "tests/rounds.h"

/* ---- crowd ---- */

static struct om_selection *rows_of(const struct om_layer *layer,
                                    const char *where)
{
    return select_where(layer, where);
}

/* A row that counts, of any part. */
struct counted {
    uint64_t key;
    const char *id;
    size_t part, row;
};

static int by_place(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void compare_crowd(const struct sample *s, const char *where, int flag)
{
    struct om_selection *rows = rows_of(&s->layer, where);
    struct om_crowd crowd;
    struct counted *all;
    size_t n = 0, room = 0, i = 0;
    assert_int_equal(om_crowd_read(&s->layer, rows, OM_NO_FIELD, &crowd),
                     OM_OK);
    for (size_t p = 0; p < s->parts; p++)
        room += om_segment_rows(s->part[p].segment);
    all = calloc(room + 1, sizeof *all);
    for (size_t p = 0; p < s->parts; p++)
        for (size_t row = 0; row < om_segment_rows(s->part[p].segment); row++) {
            const struct truth *t = &s->truth[p][row];
            if (t->dead || (flag >= 0 && t->flag != (flag > 0))) continue;
            all[n++] = (struct counted){om_morton(t->pos), t->id, p, row};
        }
    qsort(all, n, sizeof *all, by_place);
    for (size_t from = 0, to; from < n; from = to, i++) {
        for (to = from; to < n && all[to].key == all[from].key;) to++;
        assert_true(i < crowd.count && crowd.key[i] == all[from].key);
        assert_int_equal(crowd.rows[i], to - from);
        assert_int_equal(crowd.weight[i], to - from);
        assert_int_equal(crowd.first[i], all[from].row);
        assert_int_equal(crowd.part[i], all[from].part);
    }
    assert_int_equal(i, crowd.count);
    assert_int_equal(n, crowd.total_rows);
    om_crowd_deinit(&crowd);
    om_selection_unref(rows);
    free(all);
}

static void crowd_has_each_position_once(void **state)
{
    (void)state;
    // More rows than one stretch of the work, with stacks across its end.
    const size_t rows[2][2] = {{2000, 900}, {300000, 70}};
    for (int k = 0; k < 2; k++) {
        struct sample s;
        seed_now = 5;
        sample_make(&s, 2, rows[k], k ? 0 : 9);
        compare_crowd(&s, NULL, -1);
        compare_crowd(&s, "flag = true", 1);
        om_threads_set(3);
        compare_crowd(&s, "flag = false", 0);
        om_threads_set(0);
        sample_free(&s);
    }
}

static void crowd_weighs_by_a_column(void **state)
{
    (void)state;
    struct city_sample city;
    city_begin(&city);
    const struct om_pos a = sketch_pos(0, 0), b = sketch_pos(50, 0);
    const struct om_pos pos[] = {a, b, a, a, b};
    int64_t weight[] = {3, 0, 5, 7, 11};
    const struct om_layer *layer = sketch_people(&city, "p", pos, weight, 5);
    struct om_selection *all = rows_of(layer, NULL);
    struct om_crowd crowd;
    assert_int_equal(om_crowd_read(layer, all, 1, &crowd), OM_OK);
    assert_int_equal(crowd.count, 2);
    assert_int_equal(crowd.total_weight, 26);
    const size_t at_a = crowd.key[0] == om_morton(a) ? 0 : 1;
    assert_int_equal(crowd.weight[at_a], 15);
    assert_int_equal(crowd.weight[1 - at_a], 11);
    om_crowd_deinit(&crowd);
    assert_int_equal(om_crowd_read(layer, all, 0, &crowd), OM_E_TYPE);
    om_selection_unref(all);
    weight[2] = -1;
    layer = sketch_people(&city, "q", pos, weight, 5);
    all = rows_of(layer, NULL);
    assert_int_equal(om_crowd_read(layer, all, 1, &crowd), OM_E_RANGE);
    assert_null(crowd.key);
    om_selection_unref(all);
    city_end(&city);
}

/* ---- near ---- */

static void compare_near(const struct om_pos *place, size_t places,
                         const uint64_t *key, size_t n)
{
    static uint32_t got[4000];
    static double m[4000];
    struct om_near *near;
    assert_int_equal(om_near_new(place, places, &near), OM_OK);
    assert_int_equal(om_near_join(near, key, n, got, m), OM_OK);
    for (size_t i = 0; i < n; i++) {
        double best = INFINITY;
        uint32_t who = OM_NO_PLACE;
        for (size_t k = 0; k < places; k++) {
            const double d = om_ground_m(om_morton_pos(key[i]), place[k]);
            if (d < best) {
                best = d;
                who = (uint32_t)k;
            }
        }
        assert_int_equal(got[i], who);
        assert_true(m[i] == best);
    }
    om_near_free(near);
}

static void near_is_the_nearest_of_all(void **state)
{
    (void)state;
    static struct om_pos place[800];
    static uint64_t key[4000];
    uint64_t seed = 77;
    for (size_t round = 0; round < test_rounds(12); round++) {
        const size_t places = (size_t[]){1, 2, 9, 40, 300, 799}[round % 6];
        const double reach = round < 6 ? 40000 : 900000;
        for (size_t i = 0; i < places; i++) {
            place[i] = sketch_pos(mesh_between(&seed, 0, reach),
                                  mesh_between(&seed, 0, reach));
            // Equal places, and places in a line.
            if (i && mesh_unit(&seed) < 0.1) place[i] = place[i / 2];
            if (i && mesh_unit(&seed) < 0.1) place[i].y = place[i - 1].y;
        }
        for (size_t i = 0; i < 400; i++)
            key[i] = om_morton(
                i % 7 ? sketch_pos(mesh_between(&seed, -reach / 2, reach),
                                   mesh_between(&seed, -reach / 2, reach))
                      : place[i % places]);
        compare_near(place, places, key, 400);
    }
}

static void near_works_round_the_world(void **state)
{
    (void)state;
    static struct om_pos place[120];
    static uint64_t key[300];
    uint64_t seed = 4;
    for (int i = 0; i < 120; i++) place[i] = om_morton_pos(mesh_random(&seed));
    for (int i = 0; i < 300; i++) key[i] = mesh_random(&seed);
    place[3] = (struct om_pos){0, 0};
    place[4] = (struct om_pos){UINT32_MAX, 0};
    place[5] = (struct om_pos){UINT32_MAX, UINT32_C(1) << 31};
    key[0] = om_morton((struct om_pos){3, (UINT32_C(1) << 31) + 5});
    key[1] = om_morton((struct om_pos){7, 7});
    compare_near(place, 120, key, 300);
}

static void near_nothing_is_nowhere(void **state)
{
    (void)state;
    struct om_near *near;
    const uint64_t key = 12345;
    uint32_t who = 0;
    double m = 0;
    assert_int_equal(om_near_new(NULL, 0, &near), OM_OK);
    assert_int_equal(om_near_join(near, &key, 1, &who, &m), OM_OK);
    assert_true(who == OM_NO_PLACE && isinf(m));
    om_near_free(near);
}

/* ---- trips ---- */

#define PEOPLE 3000
static uint64_t people[PEOPLE];
static struct om_pos centre[40];

static void scatter(uint64_t seed, double reach_m)
{
    for (int i = 0; i < PEOPLE; i++)
        people[i] = om_morton(sketch_pos(mesh_between(&seed, 0, reach_m),
                                         mesh_between(&seed, 0, reach_m)));
    for (int i = 0; i < 40; i++)
        centre[i] = sketch_pos(mesh_between(&seed, 0, reach_m),
                               mesh_between(&seed, 0, reach_m));
}

static const struct om_travel STRAIGHT = {.factor = 1.3, .m_per_min = 80};

static void straight_is_the_geodesic_times_the_factor(void **state)
{
    (void)state;
    struct geod_geodesic wgs84;
    geod_init(&wgs84, OM_WGS84_A_M, OM_WGS84_F);
    scatter(1, 20000);
    struct om_trips trips;
    assert_int_equal(
        om_trips_make(&STRAIGHT, people, PEOPLE, NULL, centre, 40, &trips),
        OM_OK);
    for (size_t i = 0; i < PEOPLE; i++) {
        double lon, lat, best = INFINITY;
        om_pos_to_lonlat(om_morton_pos(people[i]), &lon, &lat);
        for (int c = 0; c < 40; c++) {
            double lon_c, lat_c, m;
            om_pos_to_lonlat(centre[c], &lon_c, &lat_c);
            geod_inverse(&wgs84, lat, lon, lat_c, lon_c, &m, NULL, NULL);
            best = fmin(best, m);
        }
        assert_true(fabs(trips.m[i] - 1.3 * best) < 1e-3);
        assert_true(fabs(trips.minutes[i] - 1.3 * best / 80) < 1e-4);
    }
    om_trips_deinit(&trips);
}

static void straight_without_centres_goes_nowhere(void **state)
{
    (void)state;
    struct om_trips trips;
    scatter(2, 1000);
    assert_int_equal(
        om_trips_make(&STRAIGHT, people, PEOPLE, NULL, NULL, 0, &trips), OM_OK);
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_int_equal(trips.centre[i], OM_TRIP_CUT);
        assert_true(isinf(trips.m[i]) && isinf(trips.minutes[i]));
        assert_false(om_is_near(&trips, i, (struct om_nearness){true, 1e9}));
    }
    om_trips_deinit(&trips);
}

/* Everybody in one place, which is a centre. */
static void straight_to_where_one_is_takes_no_time(void **state)
{
    (void)state;
    struct om_trips trips;
    scatter(2, 1000);
    for (int i = 0; i < PEOPLE; i++) people[i] = om_morton(centre[7]);
    assert_int_equal(
        om_trips_make(&STRAIGHT, people, PEOPLE, NULL, centre, 40, &trips),
        OM_OK);
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_int_equal(trips.centre[i], 7);
        assert_true(trips.m[i] == 0);
        assert_true(om_is_near(&trips, i, (struct om_nearness){false, 0}));
    }
    om_trips_deinit(&trips);
}

/* A lattice of roads with a piece apart. */
static struct om_roads *lattice(struct city_sample *city, double step_m, int n)
{
    static struct sketch s;
    s.shapes = s.vertices = 0;
    for (int i = 0; i <= n; i++) {
        sketch_line(&s, 1, 0, step_m * i, step_m * n, step_m * i);
        sketch_line(&s, 1, step_m * i, 0, step_m * i, step_m * n);
    }
    sketch_line(&s, 1, -5000, 0, -5000, 1000);
    return sketch_roads(sketch_add(city, "road", OM_GEOMETRY_LINE, &s), true,
                        0.5, NULL);
}

static struct om_travel by_road(const struct om_roads *roads)
{
    return (struct om_travel){.roads = roads,
                              .factor = 1.3,
                              .m_per_min = 80,
                              .foot_m_per_min = 80,
                              .reach_m = 300};
}

static void road_tells_off_from_cut_off(void **state)
{
    (void)state;
    struct city_sample city;
    city_begin(&city);
    struct om_roads *roads = lattice(&city, 250, 4);
    const struct om_travel travel = by_road(roads);
    const uint64_t key[] = {om_morton(sketch_pos(10, 10)),
                            om_morton(sketch_pos(-4990, 500)),
                            om_morton(sketch_pos(-3000, 500))};
    const struct om_pos here[] = {sketch_pos(900, 900), sketch_pos(-2500, 0)};
    struct om_trips trips;
    assert_int_equal(om_trips_make(&travel, key, 3, NULL, here, 2, &trips),
                     OM_OK);
    assert_int_equal(trips.centre[0], 0);
    assert_int_equal(trips.centre[1], OM_TRIP_CUT);
    assert_int_equal(trips.centre[2], OM_TRIP_OFF);
    assert_int_equal(trips.centres_off, 1);
    assert_true(isinf(trips.m[1]) && isinf(trips.minutes[2]));
    // A lattice: what it is along its sides, within its permille.
    assert_true(fabs(trips.m[0] - (10 + 990 + 900 + 100)) < 12);
    om_trips_deinit(&trips);
    om_roads_free(roads);
    city_end(&city);
}

static void road_takes_snaps_of_an_earlier_call(void **state)
{
    (void)state;
    struct city_sample city;
    city_begin(&city);
    struct om_roads *roads = lattice(&city, 250, 8);
    const struct om_travel travel = by_road(roads);
    scatter(3, 2000);
    struct om_trips once, again;
    assert_int_equal(
        om_trips_make(&travel, people, PEOPLE, NULL, centre, 9, &once), OM_OK);
    assert_int_equal(
        om_trips_make(&travel, people, PEOPLE, once.snap, centre, 9, &again),
        OM_OK);
    assert_memory_equal(once.m, again.m, PEOPLE * sizeof *once.m);
    assert_memory_equal(once.centre, again.centre,
                        PEOPLE * sizeof *once.centre);
    om_trips_deinit(&once);
    om_trips_deinit(&again);
    om_roads_free(roads);
    city_end(&city);
}

/* By road and straight, walking and riding: with one more centre no trip
 * takes longer, and ways along roads are no shorter than straight ones. */
static void trips_never_get_longer_by_a_centre(void **state)
{
    (void)state;
    struct city_sample city;
    city_begin(&city);
    struct om_roads *roads = lattice(&city, 170, 12);
    for (int mode = 0; mode < 3; mode++) {
        struct om_travel travel = mode ? by_road(roads) : STRAIGHT;
        if (mode == 2) travel.m_per_min = 250;
        scatter(5 + (uint64_t)mode, 2040);
        struct om_trips fewer, more;
        assert_int_equal(
            om_trips_make(&travel, people, PEOPLE, NULL, centre, 5, &fewer),
            OM_OK);
        for (size_t n = 6; n < 12; n++) {
            assert_int_equal(
                om_trips_make(&travel, people, PEOPLE, NULL, centre, n, &more),
                OM_OK);
            size_t faster = 0;
            for (size_t i = 0; i < PEOPLE; i++) {
                assert_true(more.minutes[i] <= fewer.minutes[i]);
                faster += more.minutes[i] < fewer.minutes[i];
                if (mode < 2) assert_true(more.m[i] <= fewer.m[i]);
                const double straight_m = om_ground_m(om_morton_pos(people[i]),
                                                      centre[more.centre[i]]);
                assert_true(more.m[i] >= straight_m - 0.05);
            }
            assert_true(faster > 0);
            om_trips_deinit(&fewer);
            fewer = more;
        }
        om_trips_deinit(&fewer);
    }
    om_roads_free(roads);
    city_end(&city);
}

static void trips_are_the_same_with_any_number_of_threads(void **state)
{
    (void)state;
    struct city_sample city;
    city_begin(&city);
    struct om_roads *roads = lattice(&city, 170, 12);
    scatter(8, 2040);
    for (int mode = 0; mode < 2; mode++) {
        const struct om_travel travel = mode ? by_road(roads) : STRAIGHT;
        struct om_trips one, many;
        om_threads_set(1);
        assert_int_equal(
            om_trips_make(&travel, people, PEOPLE, NULL, centre, 40, &one),
            OM_OK);
        om_threads_set(4);
        assert_int_equal(
            om_trips_make(&travel, people, PEOPLE, NULL, centre, 40, &many),
            OM_OK);
        om_threads_set(0);
        assert_memory_equal(one.m, many.m, PEOPLE * sizeof *one.m);
        assert_memory_equal(one.minutes, many.minutes,
                            PEOPLE * sizeof *one.minutes);
        assert_memory_equal(one.centre, many.centre,
                            PEOPLE * sizeof *one.centre);
        om_trips_deinit(&one);
        om_trips_deinit(&many);
    }
    om_roads_free(roads);
    city_end(&city);
}

/* ---- tally ---- */

/* A crowd of its own, no layer behind it. */
struct mob {
    struct om_crowd crowd;
    uint32_t rows[PEOPLE], unit[PEOPLE];
    int64_t weight[PEOPLE];
};

static void gather_mob(struct mob *mob, uint64_t seed, uint32_t units)
{
    mob->crowd = (struct om_crowd){.count = PEOPLE,
                                   .key = people,
                                   .rows = mob->rows,
                                   .weight = mob->weight};
    for (int i = 0; i < PEOPLE; i++) {
        mob->rows[i] = 1 + (uint32_t)(mesh_random(&seed) % 30);
        mob->weight[i] = (int64_t)(mesh_random(&seed) % 100);
        const uint32_t u = (uint32_t)(mesh_random(&seed) % (units + 1));
        mob->unit[i] = u == units ? OM_NO_UNIT : u;
        mob->crowd.total_rows += mob->rows[i];
        mob->crowd.total_weight += mob->weight[i];
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void compare_tally(const struct mob *mob, const struct om_trips *trips,
                          uint32_t unit, const struct om_nearness *near,
                          size_t nears, const struct om_tally *got)
{
    static double all[PEOPLE * 30];
    uint64_t rows = 0, off = 0, in[4] = {0}, n = 0;
    int64_t weight = 0, cut = 0, weight_in[4] = {0};
    double sum = 0, most = -1;
    for (size_t i = 0; i < PEOPLE; i++) {
        if (unit != UINT32_MAX - 7 && mob->unit[i] != unit) continue;
        rows += mob->rows[i];
        weight += mob->weight[i];
        if (trips->centre[i] == OM_TRIP_OFF) off += mob->rows[i];
        if (trips->centre[i] == OM_TRIP_CUT) cut += mob->weight[i];
        for (size_t k = 0; k < nears; k++) {
            const double x = near[k].minutes ? trips->minutes[i] : trips->m[i];
            if (!(x <= near[k].at_most)) continue;
            in[k] += mob->rows[i];
            weight_in[k] += mob->weight[i];
        }
        if (isinf(trips->m[i])) continue;
        most = fmax(most, trips->m[i]);
        for (uint32_t r = 0; r < mob->rows[i]; r++) all[n++] = trips->m[i];
    }
    qsort(all, n, sizeof *all, by_value);
    for (uint64_t i = 0; i < n; i++) sum += all[i];
    assert_true(got->rows == rows && got->weight == weight);
    assert_true(got->rows_off == off && got->weight_cut == cut);
    for (size_t k = 0; k < nears; k++) {
        assert_true(got->rows_near[k] == in[k]);
        assert_true(got->weight_near[k] == weight_in[k]);
        // Monotone: what is near within less is near within more.
        if (k && !near[k].minutes) {
            assert_true(got->rows_near[k - 1] <= got->rows_near[k]);
            assert_true(got->weight_near[k - 1] <= got->weight_near[k]);
        }
    }
    if (n == 0) {
        assert_true(isnan(got->mean_m) && isnan(got->median_m));
        assert_true(isnan(got->max_m) && got->farthest == SIZE_MAX);
        return;
    }
    assert_true(fabs(got->mean_m - sum / (double)n) < 1e-6 * sum / (double)n);
    assert_true(got->median_m == all[(n - 1) / 2]);
    assert_true(got->max_m == most);
    assert_true(trips->m[got->farthest] == most);
}

static void tally_is_that_of_a_plain_loop(void **state)
{
    (void)state;
    struct city_sample city;
    city_begin(&city);
    struct om_roads *roads = lattice(&city, 300, 5);
    static struct mob mob;
    scatter(11, 2400);  // beyond the roads: some are off
    people[9] = om_morton(sketch_pos(-5010, 500));  // cut off
    gather_mob(&mob, 12, 37);
    for (int i = 0; i < PEOPLE; i++)
        if (mob.unit[i] == 5) mob.unit[i] = 6;  // one stays empty
    const struct om_nearness near[] = {{false, 200}, {false, 500}, {true, 7}};
    const struct om_travel travel = by_road(roads);
    struct om_trips trips;
    assert_int_equal(
        om_trips_make(&travel, people, PEOPLE, NULL, centre, 6, &trips), OM_OK);
    struct om_tally tally[38];
    assert_int_equal(
        om_trips_tally(&mob.crowd, &trips, mob.unit, 37, near, 3, tally),
        OM_OK);
    for (uint32_t u = 0; u < 37; u++)
        compare_tally(&mob, &trips, u, near, 3, &tally[u]);
    compare_tally(&mob, &trips, UINT32_MAX - 7, near, 3, &tally[37]);
    assert_int_equal(tally[5].rows, 0);
    assert_true(tally[37].rows_off > 0 && tally[37].rows_cut > 0);
    assert_int_equal(om_trips_tally(&mob.crowd, &trips, mob.unit, 37, near,
                                    OM_TALLY_LIMITS + 1, tally),
                     OM_E_LIMIT);
    om_trips_deinit(&trips);
    om_roads_free(roads);
    city_end(&city);
}

/* So many that all together are sorted otherwise; an even number, so that the
 * median is the lower of the two in the middle. */
static void tally_of_many_is_that_of_a_plain_loop(void **state)
{
    (void)state;
    enum { MANY = 70000 };
    uint64_t seed = 21;
    double *m = calloc(MANY, sizeof *m), *sorted = calloc(MANY, sizeof *m);
    uint32_t *rows = calloc(MANY, sizeof *rows);
    uint32_t *unit = calloc(MANY, sizeof *unit);
    uint32_t *who = calloc(MANY, sizeof *who);
    int64_t *weight = calloc(MANY, sizeof *weight);
    double sum = 0;
    for (int i = 0; i < MANY; i++) {
        m[i] = sorted[i] = mesh_between(&seed, 0, 5000);
        rows[i] = 1;
        sum += m[i];
    }
    qsort(sorted, MANY, sizeof *sorted, by_value);
    const struct om_crowd crowd = {
        .count = MANY, .rows = rows, .weight = weight};
    const struct om_trips trips = {
        .count = MANY, .centre = who, .m = m, .minutes = m};
    struct om_tally tally[2];
    assert_int_equal(om_trips_tally(&crowd, &trips, unit, 1, NULL, 0, tally),
                     OM_OK);
    for (int u = 0; u < 2; u++) {
        assert_true(tally[u].median_m == sorted[(MANY - 1) / 2]);
        assert_true(tally[u].max_m == sorted[MANY - 1]);
        assert_true(fabs(tally[u].mean_m - sum / MANY) < 1e-9);
    }
    free(m);
    free(sorted);
    free(rows);
    free(unit);
    free(who);
    free(weight);
}

/* ---- areas ---- */

#define RASTER 24
static void compare_areas(uint64_t seed, double share)
{
    static struct mob mob;
    static bool chosen[PEOPLE];
    static int piece[RASTER + 2][RASTER + 2];
    const uint32_t side = 10000;
    const uint32_t x0 = (uint32_t)SKETCH_X / side,
                   y0 = (uint32_t)SKETCH_Y / side;
    memset(piece, 0, sizeof piece);
    for (int i = 0; i < PEOPLE; i++) {
        const uint32_t col = (uint32_t)(mesh_random(&seed) % RASTER);
        const uint32_t row = (uint32_t)(mesh_random(&seed) % RASTER);
        people[i] = om_morton((struct om_pos){
            (x0 + col) * side + (uint32_t)(mesh_random(&seed) % side),
            (y0 + row) * side + (uint32_t)(mesh_random(&seed) % side)});
    }
    gather_mob(&mob, seed, 3);
    int64_t weight = 0;
    size_t squares = 0;
    for (int i = 0; i < PEOPLE; i++) {
        const struct om_pos p = om_morton_pos(people[i]);
        chosen[i] = mesh_unit(&seed) < share;
        if (!chosen[i]) continue;
        weight += mob.weight[i];
        squares += !piece[p.y / side - y0 + 1][p.x / side - x0 + 1];
        piece[p.y / side - y0 + 1][p.x / side - x0 + 1] = -1;
    }
    int pieces = 0;
    for (bool again = true; again;) {  // slow, and plainly right
        again = false;
        for (int r = 1; r <= RASTER; r++)
            for (int c = 1; c <= RASTER; c++) {
                if (piece[r][c] != -1) continue;
                const int beside[] = {piece[r - 1][c], piece[r + 1][c],
                                      piece[r][c - 1], piece[r][c + 1]};
                for (int k = 0; k < 4 && piece[r][c] == -1; k++)
                    if (beside[k] > 0) piece[r][c] = beside[k];
                again = again || piece[r][c] > 0;
            }
        for (int r = 1; r <= RASTER && !again; r++)
            for (int c = 1; c <= RASTER && !again; c++)
                if (piece[r][c] == -1) {
                    piece[r][c] = ++pieces;
                    again = true;
                }
    }
    struct om_areas areas;
    assert_int_equal(om_areas_make(&mob.crowd, chosen, side, &areas), OM_OK);
    assert_int_equal(areas.count, pieces);
    assert_int_equal(areas.rings.count, pieces);
    // Every square's middle is in exactly the area of its piece.
    static int shape_of[RASTER * RASTER + 1];
    memset(shape_of, -1, sizeof shape_of);
    for (int r = 1; r <= RASTER; r++)
        for (int c = 1; c <= RASTER; c++) {
            const struct om_pos middle = {
                (x0 + (uint32_t)c - 1) * side + side / 2,
                (y0 + (uint32_t)r - 1) * side + side / 2};
            int in = -1;
            for (size_t k = 0; k < areas.rings.count; k++)
                if (om_rings_contain(&areas.rings, k, middle)) {
                    assert_int_equal(in, -1);
                    in = (int)k;
                }
            assert_int_equal(in >= 0, piece[r][c] > 0);
            if (in < 0) continue;
            if (shape_of[piece[r][c]] < 0) shape_of[piece[r][c]] = in;
            assert_int_equal(shape_of[piece[r][c]], in);
        }
    int64_t got_weight = 0;
    size_t got_squares = 0;
    for (size_t k = 0; k < areas.count; k++) {
        got_weight += areas.area[k].weight;
        got_squares += areas.area[k].squares;
        assert_true(k == 0 || areas.area[k].weight <= areas.area[k - 1].weight);
        assert_int_equal(areas.area_of[areas.area[k].heaviest], k);
    }
    assert_true(got_weight == weight && got_squares == squares);
    for (size_t i = 0; i < PEOPLE; i++)
        assert_int_equal(areas.area_of[i] != OM_NO_UNIT, chosen[i]);
    om_areas_deinit(&areas);
}

static void areas_are_the_pieces_of_a_raster(void **state)
{
    (void)state;
    for (size_t round = 0; round < test_rounds(40); round++)
        compare_areas(round + 1, 0.01 + 0.012 * (double)(round % 20));
}

/* Valid polygons: settling changes nothing of them. */
static void areas_are_valid_polygons(void **state)
{
    (void)state;
    static struct mob mob;
    static bool chosen[PEOPLE];
    uint64_t seed = 99;
    size_t holes = 0;
    for (size_t round = 0; round < test_rounds(10); round++) {
        scatter(round + 50, 3000);
        gather_mob(&mob, 1, 1);
        for (int i = 0; i < PEOPLE; i++) chosen[i] = mesh_unit(&seed) < 0.12;
        struct om_areas areas;
        struct om_partition_report report;
        assert_int_equal(om_areas_make(&mob.crowd, chosen, 12000, &areas),
                         OM_OK);
        const struct om_rings *r = &areas.rings;
        for (size_t k = 0; k < r->count; k++)
            holes += r->part_ring[k + 1] - r->part_ring[k] - 1;
        assert_int_equal(om_partition_check(r, &report), OM_OK);
        assert_int_equal(report.overlaps, 0);
        const size_t n = r->part_ring[r->count];
        double *x = calloc(r->ring_vertex[n] + 1, sizeof *x);
        double *y = calloc(r->ring_vertex[n] + 1, sizeof *y);
        for (uint32_t v = 0; v < r->ring_vertex[n]; v++) {
            x[v] = r->vertex[v].x + 0.5;
            y[v] = r->vertex[v].y + 0.5;
        }
        const struct om_shapes shapes = {
            r->count, r->shape_part, r->part_ring, r->ring_vertex, x, y};
        struct om_shape_note *note = calloc(r->count + 1, sizeof *note);
        struct om_arena arena = {0};
        struct om_rings settled;
        assert_int_equal(om_shapes_settle(&shapes, OM_GEOMETRY_POLYGON, false,
                                          &arena, &settled, note),
                         OM_OK);
        for (size_t k = 0; k < r->count; k++) {
            if (note[k].fate != OM_SHAPE_FINE) fail_msg("%s", note[k].text);
            assert_true(fabs(om_rings_area_km2(&settled, k) -
                             om_rings_area_km2(r, k)) < 1e-9);
        }
        om_arena_deinit(&arena);
        om_areas_deinit(&areas);
        free(note);
        free(x);
        free(y);
    }
    assert_true(holes > 0);
}

static void areas_of_nobody_are_none(void **state)
{
    (void)state;
    static struct mob mob;
    static const bool nobody[PEOPLE];
    struct om_areas areas;
    scatter(1, 100);
    gather_mob(&mob, 1, 1);
    assert_int_equal(om_areas_make(&mob.crowd, nobody, 1000, &areas), OM_OK);
    assert_int_equal(areas.count, 0);
    om_areas_deinit(&areas);
    assert_int_equal(om_areas_make(&mob.crowd, nobody, 0, &areas), OM_E_RANGE);
    assert_true(fabs(om_areas_side(100, people[0] ? 1860000000u : 0) *
                         om_world_ground_m(1860000000.5) -
                     100) < 0.01);
}

/* ---- error ---- */

static void error_for_speeds_and_factors(void **state)
{
    (void)state;
    struct city_sample city;
    city_begin(&city);
    struct om_roads *roads = lattice(&city, 250, 2);
    const double bad[] = {0, -1, NAN, INFINITY};
    scatter(1, 1000);
    struct om_trips trips;
    for (int i = 0; i < 4; i++) {
        struct om_travel t[] = {STRAIGHT, STRAIGHT, by_road(roads),
                                by_road(roads), by_road(roads)};
        t[0].factor = t[1].m_per_min = t[2].m_per_min = bad[i];
        t[3].foot_m_per_min = t[4].reach_m = bad[i];
        for (int k = 0; k < 5; k++)
            assert_int_equal(
                om_trips_make(&t[k], people, 5, NULL, centre, 2, &trips),
                OM_E_RANGE);
    }
    om_roads_free(roads);
    city_end(&city);
}

/* ---- fault ---- */

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    struct city_sample city;
    city_begin(&city);
    struct om_roads *roads = lattice(&city, 250, 3);
    static struct om_pos pos[60];
    static int64_t weight[60];
    static bool chosen[60];
    uint64_t seed = 6;
    for (int i = 0; i < 60; i++) {
        pos[i] = sketch_pos(mesh_between(&seed, 0, 700),
                            mesh_between(&seed, 0, 700));
        weight[i] = i;
        chosen[i] = i % 3 > 0;
    }
    const struct om_layer *layer = sketch_people(&city, "p", pos, weight, 60);
    struct om_selection *all = rows_of(layer, NULL);
    const uint32_t unit[60] = {0};
    const struct om_nearness near = {true, 10};
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_crowd crowd = {0};
        struct om_trips trips = {0}, straight = {0};
        struct om_areas areas = {0};
        struct om_tally tally[2];
        const struct om_travel travel = by_road(roads);
        om_alloc_fail_after(n, false);
        om_status st = om_crowd_read(layer, all, 1, &crowd);
        if (!st)
            st = om_trips_make(&travel, crowd.key, crowd.count, NULL, pos, 4,
                               &trips);
        if (!st)
            st = om_trips_make(&STRAIGHT, crowd.key, crowd.count, NULL, pos, 4,
                               &straight);
        if (!st) st = om_trips_tally(&crowd, &trips, unit, 1, &near, 1, tally);
        if (!st) st = om_areas_make(&crowd, chosen, 9000, &areas);
        om_alloc_fail_after(0, false);
        om_areas_deinit(&areas);
        om_trips_deinit(&trips);
        om_trips_deinit(&straight);
        om_crowd_deinit(&crowd);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 1000);
    }
    om_selection_unref(all);
    om_roads_free(roads);
    city_end(&city);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crowd_has_each_position_once),
        cmocka_unit_test(crowd_weighs_by_a_column),
        cmocka_unit_test(near_is_the_nearest_of_all),
        cmocka_unit_test(near_works_round_the_world),
        cmocka_unit_test(near_nothing_is_nowhere),
        cmocka_unit_test(straight_is_the_geodesic_times_the_factor),
        cmocka_unit_test(straight_without_centres_goes_nowhere),
        cmocka_unit_test(straight_to_where_one_is_takes_no_time),
        cmocka_unit_test(road_tells_off_from_cut_off),
        cmocka_unit_test(road_takes_snaps_of_an_earlier_call),
        cmocka_unit_test(trips_never_get_longer_by_a_centre),
        cmocka_unit_test(trips_are_the_same_with_any_number_of_threads),
        cmocka_unit_test(tally_is_that_of_a_plain_loop),
        cmocka_unit_test(tally_of_many_is_that_of_a_plain_loop),
        cmocka_unit_test(areas_are_the_pieces_of_a_raster),
        cmocka_unit_test(areas_are_valid_polygons),
        cmocka_unit_test(areas_of_nobody_are_none),
        cmocka_unit_test(error_for_speeds_and_factors),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("reach", tests, NULL, NULL);
}
