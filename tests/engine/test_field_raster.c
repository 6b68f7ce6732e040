/* Fields over the cells of a raster.
 *
 * Plan
 *   mass_*     values times the cells' area are the weight: to the city's
 *              edge, for one point and for all rows in one place
 *   value_*    cells hold the exact sum at their middles; strips are the whole;
 *              threads do not show
 *   box_*      the box holds the selected rows and no more
 *   fault_*    rows beyond the frame, no memory
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/thread.h"
#include "engine/field/raster.h"
#include "tests/engine/field_sample.h"
#include "tests/rounds.h"

#define CRS "EPSG:4547"

static struct om_fields *fields;

static int set_up(void **state)
{
    (void)state;
    return (int)om_fields_new((size_t)1 << 30, &fields);
}
static int tear_down(void **state)
{
    (void)state;
    om_fields_free(fields);
    return 0;
}

/* Clusters in the city's box, some on its very edge. */
static struct field_row *make_rows(size_t n, uint64_t seed)
{
    struct om_pos a, b;
    assert_int_equal(om_pos_from_lonlat(113.6, 23.0, &a), OM_OK);
    assert_int_equal(om_pos_from_lonlat(114.0, 22.8, &b), OM_OK);
    struct field_row *row = calloc(n, sizeof *row);
    for (size_t i = 0; i < n; i++) {
        const uint64_t cluster = field_random(&seed) % 20;
        uint64_t place = cluster * 31 + 1;
        const double u = field_uniform(&place), v = field_uniform(&place);
        double gx = 0.0, gy = 0.0;
        for (int k = 0; k < 4; k++) {
            gx += 0.03 * (field_uniform(&seed) - 0.5);
            gy += 0.03 * (field_uniform(&seed) - 0.5);
        }
        const double x = fmin(fmax(u + gx, 0.0), 1.0);
        const double y = fmin(fmax(v + gy, 0.0), 1.0);
        row[i] =
            (struct field_row){.pos = {(uint32_t)(a.x + x * (b.x - a.x)),
                                       (uint32_t)(a.y + y * (b.y - a.y))},
                               .people = (int64_t)(field_random(&seed) % 5),
                               .kind = (int)(field_random(&seed) % 10)};
    }
    return row;
}

static struct om_field_spec spec_of(const struct om_layer *layer,
                                    const struct om_selection *selection,
                                    double bandwidth_m, enum om_kernel kernel)
{
    return (struct om_field_spec){.layer = layer,
                                  .selection = selection,
                                  .kernel = kernel,
                                  .bandwidth_m = bandwidth_m,
                                  .weight = OM_WEIGHT_ONE};
}

/* The raster of a spec; its values are the caller's to free. */
static float *raster_of(const struct om_field_spec *spec, double cell_m,
                        struct om_frame *frame)
{
    struct om_box box;
    struct om_err err = {0};
    assert_int_equal(om_field_box(spec, &box), OM_OK);
    assert_int_equal(
        om_frame_init(CRS, box, spec->bandwidth_m, cell_m, frame, &err), OM_OK);
    float *value = malloc(frame->columns * frame->rows * sizeof *value);
    assert_int_equal(
        om_field_raster(fields, spec, frame, 0, frame->rows, value), OM_OK);
    return value;
}

static void mass_is_the_weight(void **state)
{
    (void)state;
    const size_t n = test_rounds(12000);
    for (int round = 0; round < 3; round++) {
        struct field_row *row = make_rows(n, 4);
        for (size_t i = 0; round == 2 && i < n; i++) row[i].pos = row[0].pos;
        struct field_layer l = {0};
        assert_int_equal(field_layer_add(&l, row, round == 1 ? 1 : n), OM_OK);
        const struct om_selection all = field_all(&l.layer);
        static const double WIDE[][2] = {
            {800.0, 100.0}, {800.0, 160.0}, {300.0, 301.0}, {150.0, 5000.0}};
        for (int k = 0; k < OM_KERNELS; k++)
            for (size_t i = 0; i < 4; i++) {
                struct om_field_spec spec =
                    spec_of(&l.layer, &all, WIDE[i][0], (enum om_kernel)k);
                if (round != 1) spec.weight.column = FIELD_PEOPLE;
                struct om_frame f;
                float *value = raster_of(&spec, WIDE[i][1], &f);
                double sum = 0.0, weight;
                for (size_t c = 0; c < f.columns * f.rows; c++)
                    sum += (double)value[c];
                sum *= f.cell_m * f.cell_m / 1e6;
                assert_int_equal(om_field_weight(fields, &spec, &weight),
                                 OM_OK);
                if (fabs(sum / weight - 1.0) > 0.005)
                    print_message("round %d kernel %d cell %g: %g\n", round, k,
                                  WIDE[i][1], sum / weight);
                assert_true(fabs(sum / weight - 1.0) <= 0.005);
                free(value);
                om_frame_deinit(&f);
            }
        field_layer_free(&l);
        free(row);
    }
}

static void value_is_the_exact_sum_at_the_middle(void **state)
{
    (void)state;
    const size_t n = 60000;  // more than is read row by row
    struct field_row *row = make_rows(n, 8);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, n), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    uint64_t seed = 5;
    for (int k = 0; k < OM_KERNELS; k++) {
        const struct om_field_spec spec =
            spec_of(&l.layer, &all, 900.0, (enum om_kernel)k);
        struct om_frame f;
        float *value = raster_of(&spec, 110.0, &f);
        double most, sum;
        assert_int_equal(om_field_scale(fields, &spec, &most, &sum), OM_OK);
        for (int i = 0; i < 200; i++) {
            const size_t c = field_random(&seed) % f.columns;
            const size_t r = field_random(&seed) % f.rows;
            double x, y, exact;
            om_frame_places(&f, (double)c + 0.5, (double)r + 0.5, 1, 1, &x, &y);
            assert_int_equal(om_field_exact(&spec, x, y, &exact), OM_OK);
            assert_true(fabs((double)value[r * f.columns + c] - exact) <=
                        0.005 * most);
        }
        // Strips, and any number of threads, are the same bits.
        float *strip = malloc(f.columns * f.rows * sizeof *strip);
        for (size_t threads = 1; threads < 4; threads += 2) {
            om_threads_set(threads);
            for (size_t r = 0; r < f.rows; r += 2 * OM_RASTER_BLOCK) {
                const size_t left = f.rows - r;
                const size_t rows =
                    left < 2 * OM_RASTER_BLOCK ? left : 2 * OM_RASTER_BLOCK;
                assert_int_equal(om_field_raster(fields, &spec, &f, r, rows,
                                                 strip + r * f.columns),
                                 OM_OK);
            }
            assert_memory_equal(strip, value,
                                f.columns * f.rows * sizeof *strip);
        }
        om_threads_set(0);
        free(strip);
        free(value);
        om_frame_deinit(&f);
    }
    field_layer_free(&l);
    free(row);
}

static bool is_one(const struct om_segment *s, size_t row)
{
    const struct om_column *c;
    assert_int_equal(om_segment_column(s, FIELD_KIND, row, row + 1, &c), OM_OK);
    return om_column_stored(c, row) == 3;
}

static void box_holds_the_selected_rows(void **state)
{
    (void)state;
    const size_t n = 200;
    struct field_row *row = make_rows(n, 12);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 60), OM_OK);
    assert_int_equal(field_layer_add(&l, row + 60, n - 60), OM_OK);
    struct om_selection all = field_all(&l.layer);
    struct om_selection *some = field_select(&l.layer, is_one);
    struct om_box whole = OM_BOX_NONE, part = OM_BOX_NONE, got;
    for (size_t i = 0; i < n; i++) {
        const struct om_pos p = row[i].pos;
        const struct om_box at = {p.x, p.y, p.x, p.y};
        om_box_widen(&whole, at);
        if (row[i].kind == 3) om_box_widen(&part, at);
    }
    struct om_field_spec spec =
        spec_of(&l.layer, &all, 300.0, OM_KERNEL_QUARTIC);
    assert_int_equal(om_field_box(&spec, &got), OM_OK);
    assert_memory_equal(&got, &whole, sizeof got);
    spec.selection = some;
    assert_int_equal(om_field_box(&spec, &got), OM_OK);
    assert_memory_equal(&got, &part, sizeof got);
    all.count = 0;
    spec.selection = &all;
    assert_int_equal(om_field_box(&spec, &got), OM_E_NOTFOUND);
    field_select_free(some);
    field_layer_free(&l);
    free(row);
}

static void fault_of_rows_and_memory_is_said(void **state)
{
    (void)state;
    struct field_row *row = make_rows(100, 12);
    struct field_layer l = {0};
    assert_int_equal(field_layer_add(&l, row, 100), OM_OK);
    const struct om_selection all = field_all(&l.layer);
    const struct om_field_spec spec =
        spec_of(&l.layer, &all, 3000.0, OM_KERNEL_QUARTIC);
    struct om_frame f;
    float *value = raster_of(&spec, 2000.0, &f);
    assert_int_equal(om_field_raster(fields, &spec, &f, 1, f.rows, value),
                     OM_E_RANGE);
    assert_int_equal(om_field_raster(fields, &spec, &f, f.rows + 1, 0, value),
                     OM_E_RANGE);
    assert_int_equal(om_field_raster(fields, &spec, &f, f.rows, 0, value),
                     OM_OK);
    om_threads_set(1);
    om_status st = OM_E_MEMORY;
    const size_t live = om_alloc_live();
    for (size_t k = 1; st; k++) {
        om_alloc_fail_after(k, false);
        st = om_field_raster(fields, &spec, &f, 0, f.rows, value);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), live);
        assert_true(k < 200);
    }
    om_threads_set(0);
    free(value);
    om_frame_deinit(&f);
    field_layer_free(&l);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mass_is_the_weight),
        cmocka_unit_test(value_is_the_exact_sum_at_the_middle),
        cmocka_unit_test(box_holds_the_selected_rows),
        cmocka_unit_test(fault_of_rows_and_memory_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
