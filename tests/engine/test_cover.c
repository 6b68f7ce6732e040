/* Which places reach whom, and the K that together reach most.
 *
 * Plan
 *   cover_*    lists against trips to each site alone, by road and straight
 *   choose_*   brute force over all choices; HiGHS's optimum
 *              (tests/golden/reach_cover.txt); bounds; ties; K too large
 *   find_*     measuring few of the sites against measuring all
 *   places_*   candidates against a plain loop
 *   access_*   two-step floating catchments by hand and as a sum
 *   error_*    limits, speeds, weights
 *   fault_*    the n-th allocation fails
 */
#include "tests/engine/reach_sample.h"

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/reach/areas.h"
#include "engine/reach/cover.h"
#include "tests/rounds.h"

/* ---- lists ---- */

static struct city_sample city;

static struct om_roads *streets(void)
{
    static struct sketch s;
    s.shapes = s.vertices = 0;
    uint64_t seed = 8;
    for (int i = 0; i < 12; i++) {
        sketch_line(&s, 1, 0, 100 * i, 1100, 100 * i + 20);
        if (mesh_unit(&seed) < 0.6)
            sketch_line(&s, 1, 100 * i, 0, 100 * i + 15, 1100);
    }
    return sketch_roads(sketch_add(&city, "road", OM_GEOMETRY_LINE, &s), true,
                        0.5, NULL);
}

#define DEMANDS 1500
#define SITES 40
static uint64_t demand[DEMANDS];
static struct om_pos site[SITES];

static void scatter(uint64_t seed)
{
    for (int i = 0; i < DEMANDS; i++)
        demand[i] = om_morton(sketch_pos(mesh_between(&seed, -400, 1300),
                                         mesh_between(&seed, -400, 1300)));
    for (int i = 0; i < SITES; i++)
        site[i] = sketch_pos(mesh_between(&seed, -400, 1300),
                             mesh_between(&seed, -400, 1300));
}

static void compare_cover(const struct om_travel *travel,
                          struct om_nearness near, size_t demands)
{
    struct om_snap *snap = NULL;
    if (travel->roads) {
        snap = calloc(demands, sizeof *snap);
        assert_int_equal(om_roads_snap(travel->roads, demand, demands,
                                       travel->reach_m, snap),
                         OM_OK);
    }
    struct om_cover cover;
    assert_int_equal(
        om_cover_make(travel, site, SITES, demand, snap, demands, near, &cover),
        OM_OK);
    uint64_t pairs = 0;
    for (int s = 0; s < SITES; s++) {
        struct om_trips trips;
        assert_int_equal(
            om_trips_make(travel, demand, demands, snap, &site[s], 1, &trips),
            OM_OK);
        uint32_t at = 0;
        for (uint32_t d = 0; d < demands; d++) {
            const bool in = at < cover.n[s] && cover.list[s][at] == d;
            assert_int_equal(in, om_is_near(&trips, d, near));
            at += in;
        }
        assert_int_equal(at, cover.n[s]);
        pairs += at;
        om_trips_deinit(&trips);
    }
    assert_int_equal(pairs, cover.pairs);
    assert_true(pairs > 0 || near.at_most < 10 || demands < SITES);
    om_cover_deinit(&cover);
    free(snap);
}

static void cover_lists_whose_trip_is_near(void **state)
{
    (void)state;
    city_begin(&city);
    struct om_roads *roads = streets();
    for (size_t round = 0; round < test_rounds(6); round++) {
        scatter(round + 1);
        const struct om_travel straight = {.factor = 1 + 0.1 * (double)round,
                                           .m_per_min = 80};
        const struct om_travel walk = {.roads = roads,
                                       .m_per_min = 80,
                                       .foot_m_per_min = 80,
                                       .reach_m = 250};
        struct om_travel ride = walk;
        ride.m_per_min = 250;
        const double m = 100 + 120 * (double)round;
        om_threads_set(1 + round % 3);
        // Few demands are measured from their side.
        const size_t n = round % 2 ? DEMANDS : SITES - 10;
        compare_cover(&straight, (struct om_nearness){false, m}, n);
        compare_cover(&straight, (struct om_nearness){true, m / 80}, n);
        compare_cover(&walk, (struct om_nearness){false, m}, n);
        compare_cover(&walk, (struct om_nearness){true, m / 80}, n);
        compare_cover(&ride, (struct om_nearness){false, m}, n);
        compare_cover(&ride, (struct om_nearness){true, m / 250}, n);
        compare_cover(&walk, (struct om_nearness){false, 0}, n);
        om_threads_set(0);
    }
    om_roads_free(roads);
    city_end(&city);
}

/* ---- choosing ---- */

/* A cover of its own. */
struct instance {
    struct om_cover cover;
    int64_t weight[400];
};

static void instance_begin(struct instance *in, size_t sites, size_t demands)
{
    assert_true(demands <= 400);
    in->cover = (struct om_cover){.sites = sites, .demands = demands};
    in->cover.list = om_calloc(sites + 1, sizeof *in->cover.list);
    in->cover.n = om_calloc(sites + 1, sizeof *in->cover.n);
    for (size_t s = 0; s < sites; s++)
        in->cover.list[s] = om_calloc(demands + 1, sizeof(uint32_t));
}

static void instance_random(struct instance *in, uint64_t *seed, size_t sites,
                            size_t demands, double density)
{
    instance_begin(in, sites, demands);
    for (size_t d = 0; d < demands; d++)
        in->weight[d] = (int64_t)(mesh_random(seed) % 50);
    for (size_t s = 0; s < sites; s++)
        for (size_t d = 0; d < demands; d++)
            if (mesh_unit(seed) < density)
                in->cover.list[s][in->cover.n[s]++] = (uint32_t)d;
}

static int64_t covered_by(const struct instance *in, const uint32_t *site_at,
                          size_t k)
{
    bool has[400] = {false};
    int64_t sum = 0;
    for (size_t j = 0; j < k; j++)
        for (uint32_t i = 0; i < in->cover.n[site_at[j]]; i++) {
            const uint32_t d = in->cover.list[site_at[j]][i];
            if (!has[d]) sum += in->weight[d];
            has[d] = true;
        }
    return sum;
}

/* All choices of k of the sites. */
static int64_t best_of_all(const struct instance *in, size_t k)
{
    uint32_t pick[8];
    int64_t best = 0;
    for (size_t i = 0; i < k; i++) pick[i] = (uint32_t)i;
    for (;;) {
        const int64_t now = covered_by(in, pick, k);
        if (now > best) best = now;
        size_t i = k;
        while (i > 0 && pick[i - 1] == in->cover.sites - k + i - 1) i--;
        if (i == 0) return best;
        pick[i - 1]++;
        for (size_t j = i; j < k; j++) pick[j] = pick[j - 1] + 1;
    }
}

/* What a choice says of itself is true. */
static void check_choice(const struct instance *in,
                         const struct om_choice *choice)
{
    int64_t total = 0;
    for (size_t i = 0; i < choice->count; i++) {
        total += choice->gain[i];
        assert_true(choice->gain[i] > 0);
        assert_true(covered_by(in, choice->site, i + 1) == total);
        // Each in turn is the best of the chosen ones that are left.
        for (size_t j = i + 1; j < choice->count; j++) {
            uint32_t other[16];
            memcpy(other, choice->site, i * sizeof *other);
            other[i] = choice->site[j];
            assert_true(covered_by(in, other, i + 1) <= total);
        }
    }
    assert_true(choice->total == total && choice->bound >= total);
}

static void choose_comes_near_the_best_of_all(void **state)
{
    (void)state;
    uint64_t seed = 5;
    double sum = 0, worst = 1;
    size_t optimal = 0;
    const size_t rounds = test_rounds(200);
    for (size_t round = 0; round < rounds; round++) {
        static struct instance in;
        const size_t sites = 8 + round % 7, k = 2 + round % 4;
        instance_random(&in, &seed, sites, 30 + round % 40,
                        0.1 + 0.15 * mesh_unit(&seed));
        struct om_choice choice;
        assert_int_equal(om_cover_choose(&in.cover, in.weight, k, &choice),
                         OM_OK);
        check_choice(&in, &choice);
        const int64_t best = best_of_all(&in, k);
        assert_true(choice.total <= best && best <= choice.bound);
        const double share = (double)choice.total / (double)best;
        assert_true(share >= 1 - 1 / 2.718281828);
        optimal += choice.total == best;
        sum += share;
        worst = fmin(worst, share);
        om_choice_deinit(&choice);
        om_cover_deinit(&in.cover);
    }
    assert_true(sum / (double)rounds > 0.99);
    assert_true(worst > 0.9);
    assert_true((double)optimal > 0.8 * (double)rounds);
}

/* Greedy alone takes the large one in the middle; an exchange mends it. */
static void choose_mends_what_greed_spoils(void **state)
{
    (void)state;
    static struct instance in;
    instance_begin(&in, 3, 8);
    for (int d = 0; d < 8; d++) in.weight[d] = 10;
    const uint32_t list[3][5] = {{1, 2, 3, 4, 5}, {0, 1, 2, 3}, {4, 5, 6, 7}};
    const uint32_t n[3] = {5, 4, 4};
    for (int s = 0; s < 3; s++) {
        in.cover.n[s] = n[s];
        memcpy(in.cover.list[s], list[s], n[s] * sizeof(uint32_t));
    }
    struct om_choice choice;
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 2, &choice), OM_OK);
    assert_int_equal(choice.total, 80);
    assert_int_equal(choice.swaps, 1);
    assert_int_equal(choice.site[0], 1);
    assert_int_equal(choice.site[1], 2);
    om_choice_deinit(&choice);
    om_cover_deinit(&in.cover);
}

static void choose_takes_the_first_of_equals(void **state)
{
    (void)state;
    static struct instance in;
    instance_begin(&in, 600, 3);
    in.weight[0] = in.weight[1] = in.weight[2] = 1;
    for (int s = 0; s < 600; s++) {
        in.cover.n[s] = 1;
        in.cover.list[s][0] = (uint32_t)(s % 2);
    }
    struct om_choice choice;
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 2, &choice), OM_OK);
    assert_int_equal(choice.count, 2);
    assert_int_equal(choice.site[0], 0);
    assert_int_equal(choice.site[1], 1);
    om_choice_deinit(&choice);
    om_cover_deinit(&in.cover);
}

static void choose_stops_when_nothing_is_gained(void **state)
{
    (void)state;
    static struct instance in;
    struct om_choice choice;
    uint64_t seed = 2;
    instance_random(&in, &seed, 5, 20, 0.5);
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 100, &choice),
                     OM_OK);
    assert_true(choice.count <= 5);
    assert_true(choice.total == choice.bound);
    const uint32_t every[] = {0, 1, 2, 3, 4};
    assert_true(choice.total == covered_by(&in, every, 5));
    om_choice_deinit(&choice);
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 0, &choice), OM_OK);
    assert_true(choice.count == 0 && choice.total == 0 && choice.bound == 0);
    om_choice_deinit(&choice);
    memset(in.weight, 0, sizeof in.weight);
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 3, &choice), OM_OK);
    assert_int_equal(choice.count, 0);
    om_choice_deinit(&choice);
    om_cover_deinit(&in.cover);
    instance_begin(&in, 0, 0);
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 3, &choice), OM_OK);
    assert_int_equal(choice.count, 0);
    om_choice_deinit(&choice);
    om_cover_deinit(&in.cover);
}

static void choose_is_the_same_with_any_number_of_threads(void **state)
{
    (void)state;
    static struct instance in;
    struct om_choice one, many;
    uint64_t seed = 3;
    instance_random(&in, &seed, 1500, 300, 0.02);
    om_threads_set(1);
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 12, &one), OM_OK);
    om_threads_set(4);
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 12, &many), OM_OK);
    om_threads_set(0);
    assert_int_equal(one.count, many.count);
    assert_memory_equal(one.site, many.site, one.count * sizeof *one.site);
    assert_true(one.total == many.total && one.bound == many.bound &&
                one.swaps == many.swaps);
    om_choice_deinit(&one);
    om_choice_deinit(&many);
    om_cover_deinit(&in.cover);
}

/* ---- golden ---- */

static FILE *open_golden(const char *name)
{
    FILE *file = fopen(name, "r");
    if (file) return file;
    char path[600];
    const char *slash = strstr(__FILE__, "tests/engine/");
    snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - __FILE__) : 0,
             __FILE__, name);
    return fopen(path, "r");
}

static void compare_with_optimum(struct instance *in, size_t k, int64_t best)
{
    struct om_choice choice;
    assert_int_equal(om_cover_choose(&in->cover, in->weight, k, &choice),
                     OM_OK);
    check_choice(in, &choice);
    assert_true(choice.total <= best && choice.bound >= best);
    if ((double)choice.total < 0.99 * (double)best)
        fail_msg("%lld of %lld", (long long)choice.total, (long long)best);
    om_choice_deinit(&choice);
    om_cover_deinit(&in->cover);
}

static void golden_optima_are_nearly_reached(void **state)
{
    (void)state;
    static struct instance in;
    static char line[8000];
    size_t sites = 0, demands = 0, k = 0, s = 0, instances = 0;
    long long best = 0;
    FILE *file = open_golden("tests/golden/reach_cover.txt");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        int used, value;
        char *at = line;
        if (!strncmp(line, "instance", 8)) {
            if (instances++) compare_with_optimum(&in, k, best);
            assert_int_equal(sscanf(line, "instance %zu %zu %zu %lld", &sites,
                                    &demands, &k, &best),
                             4);
            instance_begin(&in, sites, demands);
            s = 0;
        } else if (!strncmp(line, "weight", 6)) {
            size_t d = 0;
            for (at += 6; sscanf(at, "%d%n", &value, &used) == 1; at += used)
                in.weight[d++] = value;
            assert_int_equal(d, demands);
        } else if (!strncmp(line, "cover", 5)) {
            for (at += 5; sscanf(at, "%d%n", &value, &used) == 1; at += used)
                in.cover.list[s][in.cover.n[s]++] = (uint32_t)value;
            s++;
        }
    }
    fclose(file);
    compare_with_optimum(&in, k, best);
    assert_int_equal(instances, 6);
}

/* ---- find ---- */

#define MANY 1500
static struct om_pos many[MANY];

/* What a choice would cover with `in` instead of site `out` of it. */
static int64_t exchanged(const struct om_cover *cover, const int64_t *weight,
                         const struct om_choice *choice, size_t out,
                         uint32_t in)
{
    static bool has[DEMANDS];
    int64_t sum = 0;
    memset(has, 0, sizeof has);
    for (size_t j = 0; j < choice->count; j++) {
        const uint32_t s = j == out ? in : choice->site[j];
        for (uint32_t i = 0; i < cover->n[s]; i++) {
            const uint32_t d = cover->list[s][i];
            if (!has[d]) sum += weight[d];
            has[d] = true;
        }
    }
    return sum;
}

static size_t compare_find(const struct om_travel *travel,
                           struct om_nearness near, size_t demands, size_t k)
{
    static int64_t weight[DEMANDS];
    static struct om_snap snap[DEMANDS];
    uint64_t seed = 40;
    for (size_t i = 0; i < demands; i++)
        weight[i] = (int64_t)(mesh_random(&seed) % 100);
    if (travel->roads)
        assert_int_equal(om_roads_snap(travel->roads, demand, demands,
                                       travel->reach_m, snap),
                         OM_OK);
    const struct om_snap *at = travel->roads ? snap : NULL;
    struct om_cover cover;
    struct om_choice all, few;
    assert_int_equal(
        om_cover_make(travel, many, MANY, demand, at, demands, near, &cover),
        OM_OK);
    assert_int_equal(om_cover_choose(&cover, weight, k, &all), OM_OK);
    assert_int_equal(om_cover_find(travel, many, MANY, demand, at, weight,
                                   demands, near, k, &few),
                     OM_OK);
    assert_true((double)few.total >= 0.98 * (double)all.total);
    assert_true(few.bound >= all.total && all.bound >= few.total);
    assert_true(exchanged(&cover, weight, &few, SIZE_MAX, 0) == few.total);
    if (few.count == k)
        for (size_t j = 0; j < k; j++)
            for (uint32_t s = 0; s < MANY; s += 7)
                assert_true(exchanged(&cover, weight, &few, j, s) <= few.total);
    else
        assert_true(few.total == all.total);
    const size_t measured = few.measured;
    om_choice_deinit(&all);
    om_choice_deinit(&few);
    om_cover_deinit(&cover);
    return measured;
}

static void find_is_as_good_as_measuring_all(void **state)
{
    (void)state;
    city_begin(&city);
    struct om_roads *roads = streets();
    const struct om_travel straight = {.factor = 1.3, .m_per_min = 80};
    const struct om_travel walk = {
        .roads = roads, .m_per_min = 80, .foot_m_per_min = 80, .reach_m = 250};
    struct om_travel ride = walk, roll = walk;
    ride.m_per_min = 250;
    roll.m_per_min = 50;
    uint64_t seed = 15;
    scatter(2);
    for (int i = 0; i < MANY; i++)
        many[i] = sketch_pos(mesh_between(&seed, -400, 1300),
                             mesh_between(&seed, -400, 1300));
    size_t least = MANY;
    const double m[] = {40, 90, 250};
    for (int i = 0; i < 3; i++) {
        const struct om_nearness metres = {false, m[i]};
        const struct om_nearness walked = {true, m[i] / 80};
        const struct om_nearness ridden = {true, m[i] / 250};
        const struct om_nearness rolled = {true, m[i] / 50};
        const size_t n[] = {compare_find(&straight, metres, DEMANDS, 5),
                            compare_find(&walk, metres, DEMANDS, 3),
                            compare_find(&walk, walked, DEMANDS, 4),
                            compare_find(&ride, metres, DEMANDS, 6),
                            compare_find(&ride, ridden, DEMANDS, 2),
                            compare_find(&roll, rolled, DEMANDS, 2),
                            compare_find(&walk, metres, 60, 4),
                            compare_find(&straight, metres, 60, 200)};
        for (int j = 0; j < 8; j++)
            if (n[j] < least) least = n[j];
    }
    assert_true(least < MANY / 2);
    om_roads_free(roads);
    city_end(&city);
}

/* ---- places ---- */

static void places_are_the_heaviest_of_their_squares(void **state)
{
    (void)state;
    static int64_t weight[DEMANDS];
    static uint32_t rows[DEMANDS], place[DEMANDS];
    uint64_t seed = 4;
    const uint32_t side = 30000;
    scatter(6);
    for (int i = 0; i < DEMANDS; i++) {
        weight[i] = (int64_t)(mesh_random(&seed) % 9);
        rows[i] = (uint32_t)(mesh_random(&seed) % 3);
    }
    const struct om_crowd crowd = {
        .count = DEMANDS, .key = demand, .rows = rows, .weight = weight};
    size_t count = 0, want = 0;
    assert_int_equal(om_cover_places(&crowd, side, place, &count), OM_OK);
    for (uint32_t i = 0; i < DEMANDS; i++) {
        const struct om_pos p = om_morton_pos(demand[i]);
        bool heaviest = true;
        for (uint32_t j = 0; j < DEMANDS && heaviest; j++) {
            const struct om_pos q = om_morton_pos(demand[j]);
            if (p.x / side != q.x / side || p.y / side != q.y / side) continue;
            if (weight[j] != weight[i])
                heaviest = weight[j] < weight[i];
            else if (rows[j] != rows[i])
                heaviest = rows[j] < rows[i];
            else
                heaviest = j >= i;
        }
        if (!heaviest) continue;
        assert_true(want < count && place[want] == i);
        want++;
    }
    assert_int_equal(count, want);
    assert_int_equal(om_cover_places(&crowd, 0, place, &count), OM_E_RANGE);
}

/* ---- access ---- */

static void access_by_hand(void **state)
{
    (void)state;
    // Centre 0 with 10 places reaches 20 and 30 people, centre 1 with 6
    // reaches the 30 and another 30; the last 5 are reached by none.
    static struct instance in;
    instance_begin(&in, 3, 4);
    const int64_t weight[] = {20, 30, 30, 5};
    const double capacity[] = {10, 6, 4};
    in.cover.n[0] = in.cover.n[1] = 2;
    in.cover.list[0][0] = 0;
    in.cover.list[0][1] = in.cover.list[1][0] = 1;
    in.cover.list[1][1] = 2;
    double ratio[3], access[4];
    om_cover_access(&in.cover, capacity, weight, ratio, access);
    assert_true(fabs(ratio[0] - 0.2) < 1e-12 && fabs(ratio[1] - 0.1) < 1e-12);
    assert_true(ratio[2] == 0);
    assert_true(fabs(access[0] - 0.2) < 1e-12);
    assert_true(fabs(access[1] - 0.3) < 1e-12);
    assert_true(fabs(access[2] - 0.1) < 1e-12 && access[3] == 0);
    om_cover_deinit(&in.cover);
}

/* What all people have together is what all centres that reach anybody give. */
static void access_adds_up_to_the_capacity(void **state)
{
    (void)state;
    static struct instance in;
    uint64_t seed = 12;
    for (int round = 0; round < 20; round++) {
        instance_random(&in, &seed, 30, 200, 0.05);
        double capacity[30], ratio[30], access[200], given = 0, had = 0;
        for (int s = 0; s < 30; s++) {
            capacity[s] = mesh_between(&seed, 0, 50);
            int64_t people = 0;
            for (uint32_t i = 0; i < in.cover.n[s]; i++)
                people += in.weight[in.cover.list[s][i]];
            if (people > 0) given += capacity[s];
        }
        om_cover_access(&in.cover, capacity, in.weight, ratio, access);
        for (int d = 0; d < 200; d++) had += access[d] * (double)in.weight[d];
        assert_true(fabs(had - given) < 1e-9 * given);
        om_cover_deinit(&in.cover);
    }
}

/* ---- error, fault ---- */

static void error_for_limits_speeds_and_weights(void **state)
{
    (void)state;
    const struct om_travel good = {.factor = 1.3, .m_per_min = 80};
    const double bad[] = {-1, NAN, INFINITY};
    struct om_cover cover;
    scatter(1);
    for (int i = 0; i < 3; i++) {
        struct om_travel t = good;
        assert_int_equal(
            om_cover_make(&good, site, 3, demand, NULL, 9,
                          (struct om_nearness){false, bad[i]}, &cover),
            OM_E_RANGE);
        t.factor = bad[i];
        assert_int_equal(om_cover_make(&t, site, 3, demand, NULL, 9,
                                       (struct om_nearness){false, 1}, &cover),
                         OM_E_RANGE);
        t = good;
        t.m_per_min = bad[i];
        assert_int_equal(om_cover_make(&t, site, 3, demand, NULL, 9,
                                       (struct om_nearness){false, 1}, &cover),
                         OM_E_RANGE);
    }
    static struct instance in;
    struct om_choice choice;
    uint64_t seed = 1;
    instance_random(&in, &seed, 4, 9, 0.5);
    in.weight[3] = -1;
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 2, &choice),
                     OM_E_RANGE);
    in.weight[3] = in.weight[4] = INT64_MAX;
    assert_int_equal(om_cover_choose(&in.cover, in.weight, 2, &choice),
                     OM_E_RANGE);
    om_cover_deinit(&in.cover);
    // No sites, no demands: nothing, and no complaint.
    assert_int_equal(om_cover_make(&good, NULL, 0, NULL, NULL, 0,
                                   (struct om_nearness){false, 1}, &cover),
                     OM_OK);
    assert_true(cover.pairs == 0);
    om_cover_deinit(&cover);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    city_begin(&city);
    struct om_roads *roads = streets();
    const struct om_travel walk = {
        .roads = roads, .m_per_min = 80, .foot_m_per_min = 80, .reach_m = 250};
    const struct om_travel straight = {.factor = 1.3, .m_per_min = 80};
    static int64_t weight[DEMANDS];
    static struct om_snap snap[DEMANDS];
    static uint32_t rows[DEMANDS], place[DEMANDS];
    scatter(3);
    for (int i = 0; i < DEMANDS; i++) weight[i] = i % 7;
    assert_int_equal(om_roads_snap(roads, demand, 100, 250, snap), OM_OK);
    const struct om_crowd crowd = {
        .count = 100, .key = demand, .rows = rows, .weight = weight};
    const struct om_nearness near = {false, 400};
    const size_t before = om_alloc_live();
    om_threads_set(1);
    for (size_t n = 1;; n++) {
        struct om_cover by_road = {0}, by_air = {0};
        struct om_choice choice = {0}, found = {0};
        size_t places;
        om_alloc_fail_after(n, false);
        om_status st =
            om_cover_make(&walk, site, 6, demand, snap, 100, near, &by_road);
        if (!st)
            st = om_cover_make(&straight, site, 6, demand, NULL, 100, near,
                               &by_air);
        if (!st) st = om_cover_choose(&by_road, weight, 3, &choice);
        if (!st) st = om_cover_places(&crowd, 20000, place, &places);
        if (!st)
            st = om_cover_find(&walk, site, 6, demand, snap, weight, 4, near, 2,
                               &found);
        om_alloc_fail_after(0, false);
        om_cover_deinit(&by_road);
        om_cover_deinit(&by_air);
        om_choice_deinit(&choice);
        om_choice_deinit(&found);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 1000);
    }
    om_threads_set(0);
    om_roads_free(roads);
    city_end(&city);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cover_lists_whose_trip_is_near),
        cmocka_unit_test(choose_comes_near_the_best_of_all),
        cmocka_unit_test(choose_mends_what_greed_spoils),
        cmocka_unit_test(choose_takes_the_first_of_equals),
        cmocka_unit_test(choose_stops_when_nothing_is_gained),
        cmocka_unit_test(choose_is_the_same_with_any_number_of_threads),
        cmocka_unit_test(golden_optima_are_nearly_reached),
        cmocka_unit_test(find_is_as_good_as_measuring_all),
        cmocka_unit_test(places_are_the_heaviest_of_their_squares),
        cmocka_unit_test(access_by_hand),
        cmocka_unit_test(access_adds_up_to_the_capacity),
        cmocka_unit_test(error_for_limits_speeds_and_weights),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("cover", tests, NULL, NULL);
}
