/* Back-tests of a field.
 *
 * Plan
 *   known_*   a surface and events whose scores follow by hand
 *   brute_*   against sorting the cells here
 *   chance_*  events that know nothing of the field: PAI about 1; events drawn
 *             from the field itself: above
 *   fault_*   nothing to rank, nothing to count, too many cells, no memory
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/risk/backtest.h"
#include "engine/shape/shape.h"
#include "tests/engine/field_sample.h"

#define CITY_X 3500000000.0
#define CITY_Y 1863000000.0
#define CELLS_PER_M 107.2
#define PIXELS ((size_t)256 * 256)
#define ZOOM 12

static struct om_fields *fields;

static int set_up(void **state)
{
    (void)state;
    return (int)om_fields_new((size_t)1 << 28, &fields);
}

static int tear_down(void **state)
{
    (void)state;
    om_fields_free(fields);
    return 0;
}

struct rows {
    struct field_row *row;
    size_t n;
    struct field_layer l;
    struct om_selection all;
};

static void rows_done(struct rows *r)
{
    assert_int_equal(field_layer_add(&r->l, r->row, r->n), OM_OK);
    r->all = field_all(&r->l.layer);
}

static void rows_free(struct rows *r)
{
    field_layer_free(&r->l);
    free(r->row);
}

static struct om_pos place(double east_m, double south_m)
{
    return (struct om_pos){(uint32_t)(CITY_X + east_m * CELLS_PER_M),
                           (uint32_t)(CITY_Y + south_m * CELLS_PER_M)};
}

/* n rows around places that are drawn, within `spread_m`. */
static void rows_init(struct rows *r, size_t n, size_t clusters,
                      double spread_m, uint64_t seed)
{
    *r = (struct rows){.row = calloc(n, sizeof *r->row), .n = n};
    assert_non_null(r->row);
    double at[16][2];
    for (size_t i = 0; i < clusters; i++) {
        at[i][0] = (field_uniform(&seed) - 0.5) * 8000.0;
        at[i][1] = (field_uniform(&seed) - 0.5) * 8000.0;
    }
    for (size_t i = 0; i < n; i++) {
        const double *c = at[field_random(&seed) % clusters];
        r->row[i].pos = place(c[0] + (field_uniform(&seed) - 0.5) * spread_m,
                              c[1] + (field_uniform(&seed) - 0.5) * spread_m);
    }
    rows_done(r);
}

static struct om_risk_part part_of(const struct rows *r, double bandwidth_m)
{
    return (struct om_risk_part){.spec = {.layer = &r->l.layer,
                                          .selection = &r->all,
                                          .bandwidth_m = bandwidth_m,
                                          .weight = OM_WEIGHT_ONE},
                                 .factor = 1.0};
}

static struct om_backtest run(const struct om_risk *risk, unsigned zoom,
                              const struct rows *events)
{
    const struct om_backtest_events event = {&events->l.layer, &events->all};
    struct om_backtest b;
    assert_int_equal(om_backtest_run(fields, risk, NULL, zoom, &event, 1, &b),
                     OM_OK);
    return b;
}

/* ---- known ---- */

/* One kernel: the reddest share s of its disc is the disc of radius
 * sqrt(s) * h. Events lie on a line from its middle outward, so that those
 * within r are known. */
static void known_disc_has_known_hits(void **state)
{
    (void)state;
    const double h = 2000.0;
    struct rows one = {.row = calloc(1, sizeof *one.row), .n = 1};
    one.row[0].pos = place(0, 0);
    rows_done(&one);
    enum { N = 1000 };
    struct rows events = {.row = calloc(N, sizeof *events.row), .n = N};
    double lon, lat;
    om_world_to_lonlat(CITY_X, CITY_Y, &lon, &lat);
    const double m_per_cell = cos(lat * OM_PI / 180) * 40075016.7 / 4294967296.;
    for (size_t i = 0; i < N; i++)
        events.row[i].pos = (struct om_pos){
            (uint32_t)(CITY_X + ((double)i + 0.5) / N * 0.98 * h / m_per_cell),
            (uint32_t)CITY_Y};
    rows_done(&events);
    const struct om_risk_part term = part_of(&one, h);
    const struct om_risk risk = {.terms = 1, .term = &term, .scale = 1.0};
    const struct om_backtest b = run(&risk, 15, &events);
    assert_int_equal(b.events + b.outside, N);
    assert_int_equal(b.outside, 0);
    // The lattice blurs a little beyond the disc.
    assert_true(b.area_km2 > OM_PI * 4.0 && b.area_km2 < OM_PI * 8.0);
    for (size_t k = 0; k < OM_BACKTEST_SHARES; k++) {
        const struct om_backtest_red *red = &b.red[k];
        assert_true(fabs(red->area_km2 - red->share * b.area_km2) < 1e-9);
        const double r = sqrt(red->area_km2 / OM_PI) * 1000.0;
        assert_true(fabs(red->hit_rate - r / (0.98 * h)) < 0.015);
        assert_true(fabs(red->pai - red->hit_rate / red->share) < 1e-9);
        assert_true(isnan(red->exposure_share));
        assert_true(red->pei > 0.0 && red->pei <= 1.0);
    }
    rows_free(&one);
    rows_free(&events);
}

/* Every event in the one reddest cell: the field could not be better. */
static void known_perfect_field_has_a_pei_of_one(void **state)
{
    (void)state;
    struct rows one = {.row = calloc(1, sizeof *one.row), .n = 1};
    one.row[0].pos = place(0, 0);
    rows_done(&one);
    const struct om_risk_part term = part_of(&one, 3000.0);
    const struct om_risk risk = {.terms = 1, .term = &term, .scale = 1.0};
    const struct om_backtest b = run(&risk, ZOOM, &one);
    for (size_t k = 0; k < OM_BACKTEST_SHARES; k++) {
        assert_true(b.red[k].hit_rate == 1.0);
        assert_true(fabs(b.red[k].pai - 1.0 / b.red[k].share) < 1e-9);
        assert_true(b.red[k].pei == 1.0);
    }
    rows_free(&one);
}

/* A ratio of a field with itself is 1 everywhere: all cells alike, so that
 * the red part holds its share of everything. */
static void known_flat_field_does_what_chance_does(void **state)
{
    (void)state;
    struct rows houses, events;
    rows_init(&houses, 3000, 6, 3000.0, 1);
    rows_init(&events, 500, 6, 3000.0, 1);
    const struct om_risk_part p = part_of(&houses, 1000.0);
    const struct om_risk risk = {.terms = 1,
                                 .term = &p,
                                 .exposures = 1,
                                 .exposure = &p,
                                 .scale = 1.0,
                                 .floor = 10.0};
    const struct om_backtest b = run(&risk, ZOOM, &events);
    assert_true(b.unknown_km2 > 0.0);
    for (size_t k = 0; k < OM_BACKTEST_SHARES; k++) {
        assert_true(fabs(b.red[k].pai - 1.0) < 1e-5);
        assert_true(fabs(b.red[k].exposure_share - b.red[k].share) < 1e-5);
        assert_true(fabs(b.red[k].from - 1.0) < 1e-6);
    }
    rows_free(&houses);
    rows_free(&events);
}

/* ---- brute force ---- */

struct cell {
    uint32_t x, y;
    double value, km2, exposure;
    size_t events;
};
struct cells {
    struct cell *cell;
    size_t count;
    double unknown_km2;
};

static om_status take_cells(void *ctx, const struct om_risk_tile *tile)
{
    struct cells *c = ctx;
    c->cell = realloc(c->cell, (c->count + PIXELS) * sizeof *c->cell);
    for (size_t i = 0; i < PIXELS; i++) {
        if (isnan(tile->value[i])) c->unknown_km2 += tile->km2[i / 256];
        if (!(tile->place[i / 64] >> (i % 64) & 1)) continue;
        c->cell[c->count++] =
            (struct cell){.x = tile->window.x * 256 + (uint32_t)(i % 256),
                          .y = tile->window.y * 256 + (uint32_t)(i / 256),
                          .value = (double)tile->value[i],
                          .km2 = tile->km2[i / 256],
                          .exposure = (double)tile->exposure[i]};
    }
    return OM_OK;
}

static int reddest_first(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    return x->value < y->value ? 1 : x->value > y->value ? -1 : 0;
}

static void brute_force_agrees(void **state)
{
    (void)state;
    struct rows cases, houses, events;
    rows_init(&cases, 400, 5, 2500.0, 2);
    rows_init(&houses, 4000, 8, 4000.0, 3);
    rows_init(&events, 600, 9, 4000.0, 4);
    const struct om_risk_part term = part_of(&cases, 900.0);
    const struct om_risk_part exposed = part_of(&houses, 900.0);
    const struct om_risk risk = {.terms = 1,
                                 .term = &term,
                                 .exposures = 1,
                                 .exposure = &exposed,
                                 .scale = 1000.0,
                                 .floor = 10.0};
    const struct om_backtest b = run(&risk, ZOOM, &events);
    struct cells c = {0};
    assert_int_equal(om_risk_sweep(fields, &risk, NULL, ZOOM, take_cells, &c),
                     OM_OK);
    size_t inside = 0;
    for (size_t k = 0; k < events.n; k++)
        for (size_t i = 0; i < c.count; i++)
            if (c.cell[i].x == events.row[k].pos.x >> 12 &&
                c.cell[i].y == events.row[k].pos.y >> 12) {
                c.cell[i].events++;
                inside++;
            }
    double area = 0.0, exposure = 0.0;
    for (size_t i = 0; i < c.count; i++) {
        area += c.cell[i].km2;
        exposure += c.cell[i].km2 * c.cell[i].exposure;
    }
    qsort(c.cell, c.count, sizeof *c.cell, reddest_first);
    assert_int_equal(b.events, inside);
    assert_int_equal(b.outside, events.n - inside);
    assert_int_equal(b.cells, c.count);
    assert_true(fabs(b.area_km2 - area) < 1e-9 * area);
    assert_true(fabs(b.unknown_km2 - c.unknown_km2) < 1e-9 * area);
    for (size_t k = 0; k < OM_BACKTEST_SHARES; k++) {
        const double want = om_backtest_share[k] * area;
        double km2 = 0.0, hits = 0.0, held = 0.0;
        for (size_t i = 0; i < c.count && km2 < want; i++) {
            const double part = fmin((want - km2) / c.cell[i].km2, 1.0);
            hits += part * (double)c.cell[i].events;
            held += part * c.cell[i].exposure * c.cell[i].km2;
            km2 += c.cell[i].km2;
        }
        // Cells of equal value may have come in another order.
        assert_true(fabs(b.red[k].events - hits) <= 1.5);
        assert_true(fabs(b.red[k].exposure_share - held / exposure) < 1e-3);
    }
    free(c.cell);
    rows_free(&cases);
    rows_free(&houses);
    rows_free(&events);
}

/* Terms that select the same rows of a layer do not count them twice. */
static void brute_events_count_once(void **state)
{
    (void)state;
    struct rows cases;
    rows_init(&cases, 300, 5, 2500.0, 5);
    const struct om_risk_part term = part_of(&cases, 900.0);
    const struct om_risk risk = {.terms = 1, .term = &term, .scale = 1.0};
    const struct om_backtest_events twice[2] = {{&cases.l.layer, &cases.all},
                                                {&cases.l.layer, &cases.all}};
    struct om_backtest b;
    assert_int_equal(om_backtest_run(fields, &risk, NULL, ZOOM, twice, 2, &b),
                     OM_OK);
    assert_int_equal(b.events + b.outside, 300);
    rows_free(&cases);
}

/* ---- chance ---- */

/* A city of 7 km square. */
static struct om_partition *square(void)
{
    double west, south, east, north;
    char wkt[256];
    struct om_arena arena = {0};
    struct om_rings rings;
    struct om_partition *units = NULL;
    const double half = 3500.0 * CELLS_PER_M;
    om_world_to_lonlat(CITY_X - half, CITY_Y + half, &west, &south);
    om_world_to_lonlat(CITY_X + half, CITY_Y - half, &east, &north);
    snprintf(wkt, sizeof wkt,
             "POLYGON((%.7f %.7f,%.7f %.7f,%.7f %.7f,%.7f %.7f,%.7f %.7f))",
             west, south, east, south, east, north, west, north, west, south);
    assert_int_equal(om_rings_parse(wkt, strlen(wkt), &arena, &rings, NULL),
                     OM_OK);
    assert_int_equal(om_partition_new(&rings, &units), OM_OK);
    om_arena_deinit(&arena);
    return units;
}

/* Over a fixed area, events that know nothing of the field do as chance does;
 * a field of no events at all has places, too. */
static void chance_gives_one_and_knowledge_more(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct rows cases, alike;
    rows_init(&cases, 3000, 8, 2000.0, 6);
    rows_init(&alike, 3000, 8, 2000.0, 6);  // the same clusters, other rows
    struct rows even = {.row = calloc(N, sizeof *even.row), .n = N};
    uint64_t seed = 7;
    for (size_t i = 0; i < N; i++)
        even.row[i].pos = place((field_uniform(&seed) - 0.5) * 8000.0,
                                (field_uniform(&seed) - 0.5) * 8000.0);
    rows_done(&even);
    struct om_partition *units = square();
    const struct om_risk_part term = part_of(&cases, 700.0);
    const struct om_risk risk = {.terms = 1, .term = &term, .scale = 1.0};
    const struct om_backtest_events chance = {&even.l.layer, &even.all};
    const struct om_backtest_events knows = {&alike.l.layer, &alike.all};
    struct om_backtest a, b;
    assert_int_equal(
        om_backtest_run(fields, &risk, units, ZOOM, &chance, 1, &a), OM_OK);
    assert_int_equal(om_backtest_run(fields, &risk, units, ZOOM, &knows, 1, &b),
                     OM_OK);
    assert_true(a.outside > 0);
    for (size_t k = OM_BACKTEST_RED; k < OM_BACKTEST_SHARES; k++)
        assert_true(fabs(a.red[k].pai - 1.0) < 0.12);
    assert_true(b.red[OM_BACKTEST_RED].pai > 2.0);
    assert_true(b.red[0].pai >= b.red[4].pai);
    om_partition_free(units);
    rows_free(&cases);
    rows_free(&alike);
    rows_free(&even);
}

/* ---- faults ---- */

static bool take_none(const struct om_segment *segment, size_t row)
{
    (void)segment;
    (void)row;
    return false;
}

static void fault_of_nothing_is_told(void **state)
{
    (void)state;
    struct rows cases;
    rows_init(&cases, 100, 3, 1000.0, 8);
    struct om_selection *none = field_select(&cases.l.layer, take_none);
    struct om_risk_part term = part_of(&cases, 500.0);
    const struct om_risk risk = {.terms = 1, .term = &term, .scale = 1.0};
    const struct om_backtest_events no_event = {&cases.l.layer, none};
    const struct om_backtest_events event = {&cases.l.layer, &cases.all};
    struct om_backtest b;
    assert_int_equal(
        om_backtest_run(fields, &risk, NULL, ZOOM, &no_event, 1, &b),
        OM_E_NOTFOUND);
    assert_int_equal(om_backtest_run(fields, &risk, NULL, ZOOM, NULL, 0, &b),
                     OM_E_NOTFOUND);
    assert_int_equal(om_backtest_run(fields, &risk, NULL, 24, &event, 1, &b),
                     OM_E_RANGE);
    term.spec.selection = none;
    assert_int_equal(om_backtest_run(fields, &risk, NULL, ZOOM, &event, 1, &b),
                     OM_E_NOTFOUND);
    term.spec.selection = &cases.all;
    term.spec.bandwidth_m = 20000.0;
    assert_int_equal(om_backtest_run(fields, &risk, NULL, 19, &event, 1, &b),
                     OM_E_COST);
    field_select_free(none);
    rows_free(&cases);
}

static void fault_any_allocation_may_fail(void **state)
{
    (void)state;
    struct rows cases;
    rows_init(&cases, 100, 3, 1000.0, 9);
    const struct om_risk_part term = part_of(&cases, 500.0);
    const struct om_risk risk = {.terms = 1, .term = &term, .scale = 1.0};
    const struct om_backtest_events event = {&cases.l.layer, &cases.all};
    for (size_t n = 1;; n++) {
        struct om_backtest b;
        om_fields_clear(fields);
        const size_t live = om_alloc_live();
        om_alloc_fail_after(n, true);
        const om_status st =
            om_backtest_run(fields, &risk, NULL, 10, &event, 1, &b);
        om_alloc_fail_after(0, false);
        om_fields_clear(fields);
        assert_int_equal(om_alloc_live(), live);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 10000);
        if (n > 60) n += n / 4;
    }
    rows_free(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_disc_has_known_hits),
        cmocka_unit_test(known_perfect_field_has_a_pei_of_one),
        cmocka_unit_test(known_flat_field_does_what_chance_does),
        cmocka_unit_test(brute_force_agrees),
        cmocka_unit_test(brute_events_count_once),
        cmocka_unit_test(chance_gives_one_and_knowledge_more),
        cmocka_unit_test(fault_of_nothing_is_told),
        cmocka_unit_test(fault_any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
