/* Units that share borders become one shape.
 *
 * Plan
 *   area_*      the area of a group is that of its members, to the last vertex
 *   inside_*    a place lies in a group just when it lies in a member
 *   border_*    what is left of the vertices is the group's outline
 *   hole_*      what a group surrounds is a hole of it
 *   odd_*       none in a group, one alone, left out
 *   fault_*     an allocation fails
 */
#include "engine/shape/dissolve.h"
#include "tests/engine/city_sample.h"
#include "tests/engine/stat_sample.h"

#define COLS 9
#define ROWS 7
#define UNITS (COLS * ROWS)

static struct city_sample city;
static struct mesh mesh;
static struct om_units units;

static int make_city(void **state)
{
    (void)state;
    const struct mesh_plan plan = {.cols = COLS,
                                   .rows = ROWS,
                                   .bends = 6,
                                   .x = 3.4e9,
                                   .y = 1.8e9,
                                   .step = 1e6,
                                   .t_junctions = true,
                                   .seed = 8};
    mesh_init(&mesh, 20000);
    mesh_partition(&mesh, &plan);
    city_begin(&city);
    city_add_units(&city, "grid", &mesh, "G");
    return om_units_read(&city.snapshot, "grid", &units, NULL);
}

static int drop_city(void **state)
{
    (void)state;
    om_units_deinit(&units);
    city_end(&city);
    mesh_deinit(&mesh);
    return 0;
}

/* Twice the area, with its sign, in whole cells: exact in a double's digits
 * once the corner is taken off. */
static double area2_of(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0, j = n - 1; i < n; j = i++)
        sum +=
            (x[j] - 3.4e9) * (y[i] - 1.8e9) - (x[i] - 3.4e9) * (y[j] - 1.8e9);
    return sum;
}

static double area2_of_row(const struct om_rings *r, size_t row)
{
    double sum = 0;
    for (uint32_t p = r->shape_part[row]; p < r->shape_part[row + 1]; p++)
        for (uint32_t g = r->part_ring[p]; g < r->part_ring[p + 1]; g++) {
            double x[4000], y[4000];
            const uint32_t from = r->ring_vertex[g];
            const uint32_t n = r->ring_vertex[g + 1] - from;
            assert_true(n < 4000);
            for (uint32_t i = 0; i < n; i++) {
                x[i] = r->vertex[from + i].x;
                y[i] = r->vertex[from + i].y;
            }
            const double one = fabs(area2_of(x, y, n));
            sum += g == r->part_ring[p] ? one : -one;
        }
    return sum;
}

static double area2_of_shape(const struct om_shapes *s, size_t shape)
{
    double sum = 0;
    for (uint32_t p = s->shape_part[shape]; p < s->shape_part[shape + 1]; p++)
        for (uint32_t g = s->part_ring[p]; g < s->part_ring[p + 1]; g++) {
            const uint32_t from = s->ring_vertex[g];
            const double one = fabs(area2_of(s->x + from, s->y + from,
                                             s->ring_vertex[g + 1] - from));
            sum += g == s->part_ring[p] ? one : -one;
        }
    return sum;
}

/* Even-odd over all rings of a shape. */
static bool shape_holds(const struct om_shapes *s, size_t shape, double x,
                        double y)
{
    bool in = false;
    for (uint32_t g = s->part_ring[s->shape_part[shape]];
         g < s->part_ring[s->shape_part[shape + 1]]; g++)
        for (uint32_t i = s->ring_vertex[g]; i < s->ring_vertex[g + 1]; i++) {
            const uint32_t j =
                i + 1 < s->ring_vertex[g + 1] ? i + 1 : s->ring_vertex[g];
            if ((s->y[i] <= y) == (s->y[j] <= y)) continue;
            if (x < s->x[i] + (s->x[j] - s->x[i]) * (y - s->y[i]) /
                                  (s->y[j] - s->y[i]))
                in = !in;
        }
    return in;
}

static void area_and_inside_are_those_of_the_members(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t round = 0; round < test_rounds(40); round++) {
        struct om_arena arena = {0};
        struct om_shapes shapes;
        uint32_t group[UNITS];
        const uint32_t groups = 1 + (uint32_t)(mesh_random(&seed) % 8);
        double want[8] = {0};
        for (size_t i = 0; i < UNITS; i++) {
            group[i] = (uint32_t)(mesh_random(&seed) % (groups + 1));
            if (group[i] == groups)
                group[i] = OM_NO_UNIT;  // left out
            else
                want[group[i]] += area2_of_row(&units.rings, i);
        }
        assert_int_equal(
            om_rings_dissolve(&units.rings, group, groups, &arena, &shapes),
            OM_OK);
        assert_int_equal(shapes.count, groups);
        for (uint32_t g = 0; g < groups; g++)
            assert_true(fabs(area2_of_shape(&shapes, g) - want[g]) <= 0.5);
        for (size_t i = 0; i < UNITS; i++) {
            const struct om_unit *unit = &units.unit[i];
            for (uint32_t g = 0; g < groups; g++)
                assert_int_equal(shape_holds(&shapes, g, unit->inside.x + 0.25,
                                             unit->inside.y + 0.25),
                                 group[unit->row] == g);
        }
        om_arena_deinit(&arena);
    }
}

static void border_inside_a_group_is_gone(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    struct om_shapes shapes;
    uint32_t group[UNITS] = {0};
    assert_int_equal(om_rings_dissolve(&units.rings, group, 1, &arena, &shapes),
                     OM_OK);
    // All of it: one ring, whose vertices are on the rim.
    assert_int_equal(shapes.part_ring[shapes.shape_part[1]], 1);
    assert_true(
        shapes.ring_vertex[1] <
        units.rings.ring_vertex[units.rings
                                    .part_ring[units.rings.shape_part[UNITS]]] /
            2);
    om_arena_deinit(&arena);
}

static void hole_is_what_a_group_surrounds(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    struct om_shapes shapes;
    uint32_t group[UNITS];
    // The unit whose place is nearest to the middle is left out.
    size_t middle = 0;
    for (size_t i = 0; i < UNITS; i++) {
        const double x = 3.4e9 + COLS * 0.5e6, y = 1.8e9 + ROWS * 0.5e6;
        const struct om_unit *a = &units.unit[i], *b = &units.unit[middle];
        if (hypot(a->x - x, a->y - y) < hypot(b->x - x, b->y - y)) middle = i;
    }
    for (size_t i = 0; i < UNITS; i++) group[i] = 0;
    group[units.unit[middle].row] = OM_NO_UNIT;
    assert_int_equal(om_rings_dissolve(&units.rings, group, 1, &arena, &shapes),
                     OM_OK);
    assert_int_equal(shapes.shape_part[1], 1);
    assert_int_equal(shapes.part_ring[1], 2);
    assert_false(shape_holds(&shapes, 0, units.unit[middle].inside.x + 0.25,
                             units.unit[middle].inside.y + 0.25));
    om_arena_deinit(&arena);
}

static void odd_groups(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    struct om_shapes shapes;
    uint32_t group[UNITS];
    for (size_t i = 0; i < UNITS; i++) group[i] = OM_NO_UNIT;
    group[3] = 1;  // alone; 0 and 2 have nobody
    assert_int_equal(om_rings_dissolve(&units.rings, group, 3, &arena, &shapes),
                     OM_OK);
    assert_int_equal(shapes.count, 3);
    assert_int_equal(shapes.shape_part[1], 0);
    assert_int_equal(shapes.shape_part[3], shapes.shape_part[2]);
    assert_true(fabs(area2_of_shape(&shapes, 1) -
                     area2_of_row(&units.rings, 3)) <= 0.5);
    om_arena_deinit(&arena);
}

static void fault_of_memory_is_told(void **state)
{
    (void)state;
    uint32_t group[UNITS] = {0};
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_arena arena = {0};
        struct om_shapes shapes;
        om_alloc_fail_after(n, false);
        st = om_rings_dissolve(&units.rings, group, 1, &arena, &shapes);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        om_arena_deinit(&arena);
        assert_int_equal(om_alloc_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(area_and_inside_are_those_of_the_members),
        cmocka_unit_test(border_inside_a_group_is_gone),
        cmocka_unit_test(hole_is_what_a_group_surrounds),
        cmocka_unit_test(odd_groups),
        cmocka_unit_test(fault_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, make_city, drop_city);
}
