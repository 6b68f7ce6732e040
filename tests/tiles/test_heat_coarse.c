/* Maps of what is about single persons.
 *
 * Plan
 *   oracle_*  every pixel follows from steps of the legend at nodes of the
 * world, found one by one in double; whatever the zoom and side attack_*  a
 * change of a thousandth, such as one house of a thousand makes, moves lines of
 * a plain map at deep zooms; of a coarse one only around a node that it takes
 * from one step to the next
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "tests/tiles/pictures.h"

#define COARSE_M 450.0

static double middle_of(const struct om_legend *legend, double value)
{
    unsigned step = 0;
    while (step < OM_LEGEND_STEPS && value >= (double)legend->from[step])
        step++;
    const double low = step ? (double)legend->from[step - 1] : 0;
    const double high =
        step < OM_LEGEND_STEPS ? (double)legend->from[step] : low * 1.4;
    return (low + high) / 2;
}

/* The cubic B-spline, from its knots. */
static double bump(double d)
{
    d = fabs(d);
    if (d >= 2) return 0;
    return d >= 1 ? (2 - d) * (2 - d) * (2 - d) / 6
                  : (4 - 6 * d * d + 3 * d * d * d) / 6;
}

/* What a place of the world is painted by; *sure: no node is near the border of
 * a step, so that it does not hang on the last bits. */
static double oracle(const struct pic_risk *r, unsigned zoom, double x,
                     double y, bool *sure)
{
    const double cell = OM_POS_SIDE / ldexp(256, (int)zoom);
    const double u = x / cell - 0.5, v = y / cell - 0.5;
    double sum = 0;
    for (int j = -1; j <= 2; j++)
        for (int i = -1; i <= 2; i++) {
            struct om_risk_value node;
            const double a = floor(u) + i, b = floor(v) + j;
            assert_int_equal(om_risk_exact(&r->risk, (a + 0.5) * cell,
                                           (b + 0.5) * cell, &node, NULL),
                             OM_OK);
            for (unsigned k = 0; k < OM_LEGEND_STEPS; k++) {
                const double from = (double)r->legend.from[k];
                if (fabs(node.value - from) < 0.02 * from) *sure = false;
            }
            sum +=
                middle_of(&r->legend, node.value) * bump(u - a) * bump(v - b);
        }
    return sum;
}

static void values(struct om_fields *fields, const struct om_risk *risk,
                   const struct om_legend *legend, unsigned z, uint32_t x,
                   uint32_t y, unsigned side, float *out)
{
    const struct om_field_window window = {z, x, y, side};
    struct om_arena arena = {0};
    assert_int_equal(om_risk_shown(fields, risk, &window, legend, &arena, out),
                     OM_OK);
    om_arena_deinit(&arena);
}

static void oracle_pixels_follow_from_steps_of_nodes(void **state)
{
    (void)state;
    struct om_fields *fields;
    struct pic_risk r;
    assert_int_equal(om_fields_new((size_t)1 << 28, &fields), OM_OK);
    pic_risk_init(&r, fields, false, OM_PALETTE_DARK);
    r.risk.coarse_m = COARSE_M;
    const unsigned zoom = om_risk_zoom(&r.risk, COARSE_M);
    size_t checked = 0;
    for (unsigned z = zoom + 1; z <= 20; z++)
        for (unsigned side = 256; side <= 512; side *= 2) {
            const struct om_view tile = tile_at(0.5, 0.49, z, 256, 1);
            const uint32_t tx = (uint32_t)(tile.x / 256),
                           ty = (uint32_t)(tile.y / 256);
            float *value = malloc((size_t)side * side * sizeof *value);
            values(fields, &r.risk, &r.legend, z, tx, ty, side, value);
            const double cell = OM_POS_SIDE / ldexp(side, (int)z);
            for (unsigned i = 0; i < 40; i++) {
                const unsigned col = i * 97 % side, row = i * 61 % side;
                bool sure = true;
                const double want =
                    oracle(&r, zoom, ((double)tx * side + col + 0.5) * cell,
                           ((double)ty * side + row + 0.5) * cell, &sure);
                if (!sure) continue;
                checked++;
                assert_true(fabs((double)value[row * side + col] - want) <=
                            1e-4 * want + 1e-9);
            }
            free(value);
        }
    assert_true(checked > 100);
    pic_risk_deinit(&r);
    om_fields_free(fields);
}

static unsigned step_of(const struct om_legend *legend, float value)
{
    unsigned step = 0;
    while (step < OM_LEGEND_STEPS && value >= legend->from[step]) step++;
    return step;
}

/* Is one of the nodes around a place of another step in the other risk? */
static bool is_taken(const struct pic_risk *r, const struct om_risk *other,
                     double x, double y)
{
    const double cell =
        OM_POS_SIDE / ldexp(256, (int)om_risk_zoom(&r->risk, COARSE_M));
    for (int j = -1; j <= 2; j++)
        for (int i = -1; i <= 2; i++) {
            struct om_risk_value a, b;
            const double u = (floor(x / cell - 0.5) + i + 0.5) * cell;
            const double v = (floor(y / cell - 0.5) + j + 0.5) * cell;
            assert_int_equal(om_risk_exact(&r->risk, u, v, &a, NULL), OM_OK);
            assert_int_equal(om_risk_exact(other, u, v, &b, NULL), OM_OK);
            // Within what the lattice of a field may differ by.
            for (unsigned k = 0; k < OM_LEGEND_STEPS; k++) {
                const double from = (double)r->legend.from[k];
                if (a.value < from * 1.002 && b.value > from * 0.998)
                    return true;
            }
        }
    return false;
}

/* Pixels that are of another step where all that is added up is a thousandth
 * more, in a row of tiles across the city. */
static size_t moved(struct om_fields *fields, const struct pic_risk *r,
                    double coarse_m, unsigned z)
{
    const size_t n = (size_t)256 * 256;
    struct om_risk one = r->risk, other = r->risk;
    struct om_risk_part more = r->term;
    float *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
    size_t count = 0;
    more.factor *= 1.001;
    other.term = &more;
    one.coarse_m = other.coarse_m = coarse_m;
    const struct om_view first = tile_at(0.35, 0.49, z, 256, 1);
    const struct om_view last = tile_at(0.65, 0.49, z, 256, 1);
    const uint32_t stride = (uint32_t)((last.x - first.x) / 256 / 24) + 1;
    for (uint32_t x = (uint32_t)(first.x / 256); x <= last.x / 256;
         x += stride) {
        const uint32_t y = (uint32_t)(first.y / 256);
        values(fields, &one, &r->legend, z, x, y, 256, a);
        values(fields, &other, &r->legend, z, x, y, 256, b);
        const double cell = OM_POS_SIDE / ldexp(256, (int)z);
        for (size_t i = 0; i < n; i++) {
            if (step_of(&r->legend, a[i]) == step_of(&r->legend, b[i]))
                continue;
            count++;
            if (coarse_m > 0)
                assert_true(is_taken(
                    r, &other, (x * 256.0 + (double)(i % 256) + 0.5) * cell,
                    (y * 256.0 + (double)(i / 256) + 0.5) * cell));
        }
    }
    free(a);
    free(b);
    return count;
}

static void attack_one_of_a_thousand_moves_hardly_a_line(void **state)
{
    (void)state;
    struct om_fields *fields;
    struct pic_risk r;
    assert_int_equal(om_fields_new((size_t)1 << 28, &fields), OM_OK);
    pic_risk_init(&r, fields, false, OM_PALETTE_DARK);
    size_t plain = 0, coarse = 0;
    for (unsigned z = 13; z <= 17; z++) {
        plain += moved(fields, &r, 0, z);
        coarse += moved(fields, &r, COARSE_M, z);
    }
    assert_true(plain > 500);
    assert_true(coarse < plain / 10);
    pic_risk_deinit(&r);
    om_fields_free(fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oracle_pixels_follow_from_steps_of_nodes),
        cmocka_unit_test(attack_one_of_a_thousand_moves_hardly_a_line),
    };
    return cmocka_run_group_tests(tests, pictures_set_up, pictures_tear_down);
}
