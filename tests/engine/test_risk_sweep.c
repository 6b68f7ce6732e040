/* Ratios of fields over a whole city.
 *
 * Plan
 *   sweep_*  means, masses, units, threads, cost
 */
#include "data/base/thread.h"
#include "tests/engine/risk_town.h"

static void sweep_adds_up_to_the_weights(void **state)
{
    (void)state;
    struct town t;
    town_init(&t, 3000, 15);
    const struct om_risk_part p = part_of(&t, 700.0, 2.0);
    const struct om_risk risk = {.terms = 1, .term = &p, .scale = 1.0};
    const unsigned zoom = om_risk_zoom(&risk, 0.0);
    const double px = om_world_ground_m(CITY_Y) * ldexp(1.0, 24 - (int)zoom);
    assert_true(px <= 700.0 / 8.0 && px > 700.0 / 16.0);
    struct sum s = {0};
    assert_int_equal(om_risk_sweep(fields, &risk, NULL, zoom, add_tile, &s),
                     OM_OK);
    assert_true(fabs(s.mass - 6000.0) < 0.005 * 6000.0);
    double most, sum;
    assert_int_equal(om_field_scale(fields, &p.spec, &most, &sum), OM_OK);
    assert_true(fabs((double)s.most - 2.0 * most) < 0.02 * most);
    // Coarser and finer places add up to the same.
    for (int dz = -2; dz <= 1; dz++) {
        struct sum c = {0};
        assert_int_equal(
            om_risk_sweep(fields, &risk, NULL, (unsigned)((int)zoom + dz),
                          add_tile, &c),
            OM_OK);
        assert_true(fabs(c.mass - 6000.0) < 0.005 * 6000.0);
    }
    town_deinit(&t);
}

/* The mean of the ratio, each place weighed by what is exposed there, is the
 * city's: where nothing is below the floor. */
static void sweep_mean_by_exposure_is_the_citys(void **state)
{
    (void)state;
    struct town t, u;
    town_init(&t, 2000, 16);
    town_init(&u, 8000, 17);
    const struct om_risk_part term = part_of(&t, 600.0, 1.0);
    const struct om_risk_part exposed = part_of(&u, 900.0, 1.0);
    const struct om_risk risk = {.terms = 1,
                                 .term = &term,
                                 .exposures = 1,
                                 .exposure = &exposed,
                                 .scale = 1000.0};
    struct om_risk_totals totals;
    assert_int_equal(om_risk_totals(fields, &risk, &totals), OM_OK);
    assert_true(fabs(totals.mean - 250.0) < 1e-9);
    struct sum s = {0};
    assert_int_equal(om_risk_sweep(fields, &risk, NULL,
                                   om_risk_zoom(&risk, 0.0), add_tile, &s),
                     OM_OK);
    assert_true(fabs(s.product / s.exposed - 250.0) < 0.01 * 250.0);
    town_deinit(&t);
    town_deinit(&u);
}

static void sweep_counts_places_of_the_units(void **state)
{
    (void)state;
    struct town t;
    town_init(&t, 2000, 18);
    const struct om_risk_part p = part_of(&t, 800.0, 1.0);
    const struct om_risk risk = {.terms = 1, .term = &p, .scale = 1.0};
    double west, south, east, north;
    om_world_to_lonlat(CITY_X - 3e5, CITY_Y + 2e5, &west, &south);
    om_world_to_lonlat(CITY_X + 4e5, CITY_Y - 3e5, &east, &north);
    char wkt[256];
    snprintf(wkt, sizeof wkt,
             "POLYGON((%.7f %.7f,%.7f %.7f,%.7f %.7f,%.7f "
             "%.7f))",
             west, south, east, south, east, north, west, south);
    struct om_arena arena = {0};
    struct om_rings rings;
    struct om_partition *units = NULL;
    assert_int_equal(om_rings_parse(wkt, strlen(wkt), &arena, &rings, NULL),
                     OM_OK);
    assert_int_equal(om_partition_new(&rings, &units), OM_OK);
    struct sum s = {.rings = &rings};
    const unsigned zoom = om_risk_zoom(&risk, 50.0);
    assert_int_equal(om_risk_sweep(fields, &risk, units, zoom, add_tile, &s),
                     OM_OK);
    // The area of a triangle within reach of what is there.
    assert_true(fabs(s.area_km2 - om_rings_area_km2(&rings, 0)) <
                0.02 * s.area_km2);
    om_partition_free(units);
    om_arena_deinit(&arena);
    town_deinit(&t);
}

static void sweep_is_the_same_on_any_number_of_threads(void **state)
{
    (void)state;
    struct town t;
    town_init(&t, 1500, 19);
    const struct om_risk_part p = part_of(&t, 400.0, 1.0);
    const struct om_risk risk = {.terms = 1,
                                 .term = &p,
                                 .exposures = 1,
                                 .exposure = &p,
                                 .scale = 1.0,
                                 .floor = 3.0};
    struct sum first = {0};
    for (size_t threads = 1; threads <= 3; threads++) {
        om_threads_set(threads);
        om_fields_clear(fields);
        struct sum s = {0};
        assert_int_equal(om_risk_sweep(fields, &risk, NULL, 13, add_tile, &s),
                         OM_OK);
        if (threads == 1) first = s;
        assert_memory_equal(&s, &first, sizeof s);
    }
    om_threads_set(0);
    assert_true(first.places > 1000);
    town_deinit(&t);
}

static void sweep_says_when_it_would_cost_too_much(void **state)
{
    (void)state;
    struct field_row *row = calloc(9000, sizeof *row);
    uint64_t seed = 20;
    for (size_t i = 0; i < 9000; i++)
        row[i].pos = (struct om_pos){
            (uint32_t)field_random(&seed),
            UINT32_C(1) << 30 | (uint32_t)(field_random(&seed) >> 33)};
    struct town t;
    town_of_rows(&t, row, 9000);
    const struct om_risk_part p = part_of(&t, 100.0, 1.0);
    const struct om_risk risk = {.terms = 1, .term = &p, .scale = 1.0};
    struct sum s = {0};
    assert_int_equal(om_risk_sweep(fields, &risk, NULL,
                                   om_risk_zoom(&risk, 0.0), add_tile, &s),
                     OM_E_COST);
    assert_int_equal(s.tiles, 0);
    // A kernel over half the world, of a zoom that is too fine for it.
    const struct om_risk_part wide = part_of(&t, 20000.0, 1.0);
    const struct om_risk far = {.terms = 1, .term = &wide, .scale = 1.0};
    assert_int_equal(om_risk_sweep(fields, &far, NULL, 22, add_tile, &s),
                     OM_E_COST);
    town_deinit(&t);
}

static bool take_none(const struct om_segment *segment, size_t row)
{
    (void)segment;
    (void)row;
    return false;
}

static om_status stop_at_second(void *ctx, const struct om_risk_tile *tile)
{
    (void)tile;
    return ++*(int *)ctx == 2 ? OM_E_STOPPED : OM_OK;
}

static void sweep_stops_when_told_and_does_nothing_of_nothing(void **state)
{
    (void)state;
    struct town t;
    town_init(&t, 500, 21);
    struct om_risk_part p = part_of(&t, 400.0, 1.0);
    const struct om_risk risk = {.terms = 1, .term = &p, .scale = 1.0};
    int calls = 0;
    assert_int_equal(
        om_risk_sweep(fields, &risk, NULL, 13, stop_at_second, &calls),
        OM_E_STOPPED);
    assert_int_equal(calls, 2);
    struct om_selection *none = field_select(&t.l.layer, take_none);
    p.spec.selection = none;
    struct sum s = {0};
    assert_int_equal(om_risk_sweep(fields, &risk, NULL, 13, add_tile, &s),
                     OM_OK);
    assert_int_equal(s.tiles, 0);
    field_select_free(none);
    town_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweep_adds_up_to_the_weights),
        cmocka_unit_test(sweep_mean_by_exposure_is_the_citys),
        cmocka_unit_test(sweep_counts_places_of_the_units),
        cmocka_unit_test(sweep_is_the_same_on_any_number_of_threads),
        cmocka_unit_test(sweep_says_when_it_would_cost_too_much),
        cmocka_unit_test(sweep_stops_when_told_and_does_nothing_of_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
