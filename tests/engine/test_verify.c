/* Checking a city of several parts.
 *
 * Plan
 *   twins_*   an id may live in one part only
 *   units_*   the dead count nowhere; a unit is torn once, whichever part its
 *             rows are in
 */
#include "tests/engine/city_sample.h"

#include "data/base/alloc.h"
#include "engine/verify.h"

/* Two fine units side by side, G000 west and G001 east, and two coarse ones,
 * of which the border runs through G001. */
#define X 3400000000u
#define Y 1800000000u
#define SIDE 10000u

static struct city_sample city;
static struct om_layer layers[3];
static struct om_part parts[2];

static void add_squares(const char *level, const double *x, size_t n,
                        const char *prefix)
{
    struct mesh m;
    mesh_init(&m, 100);
    for (size_t i = 0; i + 1 < n; i++) {
        const double ring[] = {x[i],     Y, x[i + 1], Y,
                               x[i + 1], (double)Y + SIDE,
                               x[i],     (double)Y + SIDE};
        mesh_polygon(&m, 4, ring);
    }
    city_add_units(&city, level, &m, prefix);
    mesh_deinit(&m);
}

static int make_city(void **state)
{
    (void)state;
    const double fine[] = {X, X + 2.0 * SIDE, X + 4.0 * SIDE};
    const double coarse[] = {X, X + 3.0 * SIDE, X + 4.0 * SIDE};
    city_begin(&city);
    add_squares("grid", fine, 3, "G");
    add_squares("town", coarse, 3, "T");
    // Rows place-0 and place-1 lie in G001 on both sides of the border,
    // place-2 in no unit; place-3 in G000.
    const struct om_pos pos[] = {{X + 5 * SIDE / 2, Y + 10},
                                 {X + 7 * SIDE / 2, Y + 10},
                                 {X + 9 * SIDE, Y + 10},
                                 {X + 10, Y + 10}};
    city_add_places(&city, "place", pos, 4);
    char path[128], more[128];
    city_path(&city, "place", "seg", path);
    city_path(&city, "first", "seg", more);
    assert_int_equal(rename(path, more), 0);
    // The same ids again, in a segment of its own.
    city_add_places(&city, "place", pos, 4);
    return 0;
}

static int drop_city(void **state)
{
    (void)state;
    city_end(&city);
    return 0;
}

struct found {
    struct om_layer_verify layer;
    om_status status;
};

static void see(void *ctx, const struct om_layer_verify *found)
{
    struct found *out = ctx;
    if (!strcmp(found->layer, "place")) out->layer = *found;
}

/* The layer of both segments with these rows of each dead. */
static struct found verify(const uint32_t *dead_a, size_t a,
                           const uint32_t *dead_b, size_t b)
{
    struct found found = {0};
    struct om_snapshot s = city.snapshot;
    parts[0] = (struct om_part){city.part[2].segment, dead_a, a};
    parts[1] = (struct om_part){city.part[3].segment, dead_b, b};
    memcpy(layers, city.layer, sizeof layers);
    layers[2].parts = 2;
    layers[2].part = parts;
    layers[2].rows = 8 - a - b;
    s.layer = layers;
    s.layers = 3;
    found.status = om_snapshot_verify(&s, see, &found);
    return found;
}

/* Row of an id in both segments, which have the same order. */
static uint32_t row_of(const char *id)
{
    struct om_text_reader reader = {0};
    size_t row;
    assert_int_equal(om_segment_find(city.part[2].segment, id, strlen(id),
                                     &reader, &row),
                     OM_OK);
    om_text_reader_deinit(&reader);
    return (uint32_t)row;
}

static int rising(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void twins_are_a_fault(void **state)
{
    (void)state;
    const uint32_t all[] = {0, 1, 2, 3};
    struct found f = verify(NULL, 0, NULL, 0);
    assert_int_equal(f.status, OM_E_DAMAGED);
    assert_int_equal(f.layer.files.bad_ids, 4);
    assert_non_null(strstr(f.layer.first_fault, "more than one part"));
    f = verify(all, 4, NULL, 0);
    assert_int_equal(f.status, OM_OK);
    assert_int_equal(f.layer.files.bad_ids, 0);
    const uint32_t some[] = {1, 2}, others[] = {0, 3};
    assert_int_equal(verify(some, 2, others, 2).status, OM_OK);
    assert_int_equal(verify(some, 2, others, 1).layer.files.bad_ids, 1);
}

static void units_count_the_living(void **state)
{
    (void)state;
    const uint32_t all[] = {0, 1, 2, 3};
    struct found f = verify(NULL, 0, all, 4);
    assert_int_equal(f.layer.outside, 1);
    assert_int_equal(f.layer.straddling, 1);
    // The two rows on both sides of the border, one in each part.
    uint32_t a[] = {row_of("place-1"), row_of("place-2")};
    uint32_t b[] = {row_of("place-0"), row_of("place-3")};
    qsort(a, 2, sizeof *a, rising);
    qsort(b, 2, sizeof *b, rising);
    f = verify(a, 2, b, 2);
    assert_int_equal(f.status, OM_OK);
    assert_int_equal(f.layer.straddling, 1);
    assert_int_equal(f.layer.outside, 1);
    // One of them dies: nothing is torn. All of them live: torn once.
    uint32_t c[] = {row_of("place-0"), row_of("place-1")};
    qsort(c, 2, sizeof *c, rising);
    f = verify(all, 4, c, 1);
    assert_int_equal(f.layer.straddling, 0);
    f = verify(NULL, 0, NULL, 0);
    assert_int_equal(f.layer.straddling, 1);
    assert_int_equal(f.layer.outside, 2);
    // The one outside dies.
    const uint32_t out[] = {row_of("place-2")};
    f = verify(out, 1, all, 4);
    assert_int_equal(f.layer.outside, 0);
}

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    const uint32_t all[] = {0, 1, 2, 3};
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        om_alloc_fail_after(n, false);
        st = verify(all, 4, NULL, 0).status;
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twins_are_a_fault),
        cmocka_unit_test(units_count_the_living),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_city, drop_city);
}
