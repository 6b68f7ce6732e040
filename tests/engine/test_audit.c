// test_audit.c - rows in none and in two units, workers, parents.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "engine/coverage/audit.h"
#include "tests/engine/duty_sample.h"

/* Plan
 *   rows_*      brute force: every row against every unit, dead rows left out
 *   workers_*   who is in charge of what
 *   parents_*   where units lie and what they say
 *   fault_*     failing allocations
 */

#define X 3.4e9
#define Y 1.8e9

static void unit_box(struct mesh *m, double x0, double y0, double x1, double y1)
{
    const double ring[] = {X + x0, Y + y0, X + x1, Y + y0,
                           X + x1, Y + y1, X + x0, Y + y1};
    mesh_polygon(m, 4, ring);
}

/* Units with a gap between the second and third, and a nested one; 2,000
 * places around them. */
static void faulty_city(struct city_sample *c)
{
    struct mesh mesh;
    uint64_t seed = 4;
    static struct om_pos pos[2000];
    city_begin(c);
    mesh_init(&mesh, 100);
    unit_box(&mesh, 0, 0, 10000, 20000);
    unit_box(&mesh, 9000, 0, 20000, 20000);  // 1000 over the first
    unit_box(&mesh, 22000, 0, 30000, 20000);
    unit_box(&mesh, 20000, 0, 22000, 5000);
    unit_box(&mesh, 20000, 15000, 22000, 20000);
    unit_box(&mesh, 2000, 2000, 12000, 6000);  // nested, over two
    city_add_units(c, "grid", &mesh, "g");
    mesh_deinit(&mesh);
    for (size_t i = 0; i < 2000; i++)
        pos[i] = (struct om_pos){
            (uint32_t)(X + (double)(mesh_random(&seed) % 33000) - 1000),
            (uint32_t)(Y + (double)(mesh_random(&seed) % 22000) - 1000)};
    city_add_places(c, "place", pos, 2000);
}

struct oracle {
    uint64_t none, two;
};

static struct oracle count_by_hand(const struct city_sample *c,
                                   const struct om_units *units)
{
    struct oracle o = {0};
    const struct om_part *part = &c->part[1];
    const size_t rows = om_segment_rows(part->segment);
    const uint64_t *key;
    assert_int_equal(om_segment_keys(part->segment, 0, rows, &key), OM_OK);
    for (size_t row = 0; row < rows; row++) {
        size_t in = 0;
        bool dead = false;
        for (size_t d = 0; d < part->dead_count; d++)
            dead = dead || part->dead[d] == row;
        if (dead) continue;
        for (size_t u = 0; u < units->count; u++)
            in += om_rings_contain(&units->rings, units->unit[u].row,
                                   om_morton_pos(key[row]));
        o.none += in == 0;
        o.two += in > 1;
    }
    return o;
}

static void rows_in_none_and_in_two(void **state)
{
    (void)state;
    struct city_sample c;
    struct om_units units;
    struct om_faults faults;
    faulty_city(&c);
    assert_int_equal(om_units_read(&c.snapshot, "grid", &units, NULL), OM_OK);
    assert_int_equal(om_audit_level(&units, &faults), OM_OK);
    static uint32_t dead[100];
    for (int round = 0; round < 2; round++) {
        struct om_arena arena = {0};
        struct om_placing all, few;
        const struct oracle o = count_by_hand(&c, &units);
        assert_true(o.none > 50 && o.two > 50);
        assert_int_equal(om_audit_layer(&c.snapshot, &units, &c.layer[1],
                                        &faults, SIZE_MAX, &arena, &all),
                         OM_OK);
        assert_int_equal(all.in_none, o.none);
        assert_int_equal(all.in_two, o.two);
        assert_int_equal(all.nones, o.none);
        assert_int_equal(all.twos, o.two);
        for (size_t i = 0; i < all.twos; i++)
            for (int k = 0; k < 2; k++)
                assert_true(om_rings_contain(&units.rings,
                                             units.unit[all.two[i].unit[k]].row,
                                             all.two[i].pos));
        assert_int_equal(om_audit_layer(&c.snapshot, &units, &c.layer[1],
                                        &faults, 3, &arena, &few),
                         OM_OK);
        assert_int_equal(few.in_none, o.none);
        assert_int_equal(few.nones, 3);
        assert_int_equal(few.twos, 3);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(few.none[i].row, all.none[i].row);
        // Once more with dead rows, of which some lie in none and in two.
        for (uint32_t i = 0; i < 100; i++) dead[i] = 13 * i;
        c.part[1].dead = dead;
        c.part[1].dead_count = 100;
        c.layer[1].rows = 1900;
        c.layer[1].serial++;
        om_arena_deinit(&arena);
    }
    om_faults_deinit(&faults);
    om_units_deinit(&units);
    city_end(&c);
}

/* --- workers ----------------------------------------------------------- */

static void workers_by_the_unit_in_charge(void **state)
{
    (void)state;
    struct city_sample c;
    struct om_units units;
    struct om_manning m;
    struct om_arena arena = {0};
    struct duty_rows rows = duty_rows(8);
    city_begin(&c);
    duty_units(&c, "grid", 4, "g");
    duty_column(&rows, "unit", OM_TYPE_CATEGORY);
    duty_column(&rows, "age", OM_TYPE_INTEGER);
    static const char *const IN[] = {"g000", "g000", "g002", NULL, "g009", ""};
    for (size_t i = 0; i < 6; i++) {
        char id[8];
        snprintf(id, sizeof id, "w%zu", i);
        // All stand in the last unit: that is not what counts.
        duty_add(&rows, (struct om_pos){3400039000u, 1800000100u}, id);
        duty_text(&rows, 1, IN[i]);
    }
    duty_layer(&c, "worker", &rows);
    assert_int_equal(om_units_read(&c.snapshot, "grid", &units, NULL), OM_OK);
    assert_int_equal(om_audit_workers(&units, &c.layer[1], 1, &arena, &m),
                     OM_OK);
    assert_int_equal(m.workers[0], 2);
    assert_int_equal(m.workers[1], 0);
    assert_int_equal(m.workers[2], 1);
    assert_int_equal(m.workers[3], 0);
    assert_int_equal(m.without, 2);
    assert_int_equal(m.lost, 1);
    assert_int_equal(om_audit_workers(&units, &c.layer[1], 2, &arena, &m),
                     OM_E_TYPE);
    om_arena_deinit(&arena);
    om_units_deinit(&units);
    duty_rows_free(&rows);
    city_end(&c);
}

/* --- parents ----------------------------------------------------------- */

static void parents_where_units_lie(void **state)
{
    (void)state;
    struct city_sample c;
    struct om_units grid, town;
    struct om_parenting p;
    struct om_arena arena = {0};
    struct mesh mesh;
    city_begin(&c);
    duty_units(&c, "grid", 4, "g");
    mesh_init(&mesh, 100);
    unit_box(&mesh, 0, 0, 20000, 10000);
    unit_box(&mesh, 20000, 0, 30000, 10000);
    city_add_units(&c, "town", &mesh, "t");
    mesh_deinit(&mesh);
    assert_int_equal(om_units_read(&c.snapshot, "grid", &grid, NULL), OM_OK);
    assert_int_equal(om_units_read(&c.snapshot, "town", &town, NULL), OM_OK);
    assert_int_equal(om_audit_parents(&grid, &town, OM_NO_FIELD, &arena, &p),
                     OM_OK);
    assert_int_equal(p.lies[0], 0);
    assert_int_equal(p.lies[1], 0);
    assert_int_equal(p.lies[2], 1);
    assert_int_equal(p.lies[3], OM_NO_UNIT);
    assert_int_equal(p.orphans, 1);
    // Their names ("Unit 0") are no ids of towns: every one contradicts.
    assert_int_equal(om_audit_parents(&grid, &town, 1, &arena, &p), OM_OK);
    assert_int_equal(p.contradictions, 4);
    assert_string_equal(p.says[2], "Unit 2");
    struct om_faults f;
    assert_int_equal(om_audit_levels(&grid, &town, p.lies, 0.02, &f), OM_OK);
    assert_int_equal(f.count, 0);
    om_faults_deinit(&f);
    om_arena_deinit(&arena);
    om_units_deinit(&grid);
    om_units_deinit(&town);
    city_end(&c);
}

/* --- faults ------------------------------------------------------------ */

static void fault_every_allocation_may_fail(void **state)
{
    (void)state;
    struct city_sample c;
    struct om_units units;
    faulty_city(&c);
    assert_int_equal(om_units_read(&c.snapshot, "grid", &units, NULL), OM_OK);
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_arena arena = {0};
        struct om_faults faults = {0};
        struct om_placing placing;
        const size_t live = om_alloc_live();
        om_alloc_fail_after(n, false);
        st = om_audit_level(&units, &faults);
        if (!st)
            st = om_audit_layer(&c.snapshot, &units, &c.layer[1], &faults,
                                SIZE_MAX, &arena, &placing);
        om_alloc_fail_after(0, false);
        assert_true(!st || st == OM_E_MEMORY);
        om_arena_deinit(&arena);
        om_faults_deinit(&faults);
        assert_int_equal(om_alloc_live(), live);
    }
    om_units_deinit(&units);
    city_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_in_none_and_in_two),
        cmocka_unit_test(workers_by_the_unit_in_charge),
        cmocka_unit_test(parents_where_units_lie),
        cmocka_unit_test(fault_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
