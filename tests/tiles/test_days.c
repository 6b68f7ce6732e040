/* Tiles of days.
 *
 * Plan
 *   bytes_*   what is read back is what was counted: counts, whole weights,
 *             reals to a step; nothing is no bytes
 *   net_*     a tile's cells hold every row that its field reaches, once, and
 *             are never more than so many; neighbours agree
 *   field_*   the kernel over the sums of any window is the field of the
 *             window's rows
 *   error_*   no tile, no bandwidth, too many days
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "tests/engine/field_sample.h"
#include "tiles/days.h"

#define ROWS 20000
#define DAYS 180
#define DAY0_S 1672531200  // 2023-01-01 UTC
#define CITY_X 3466000000.0
#define CITY_Y 1863000000.0

static struct field_layer city;
static struct om_fields *fields;
static struct field_row row[ROWS];

static int set_up(void **state)
{
    (void)state;
    uint64_t seed = 9;
    for (size_t i = 0; i < ROWS; i++) {
        const double r = field_uniform(&seed) * field_uniform(&seed);
        row[i].pos.x = (uint32_t)(CITY_X + 2.5e6 * r);
        row[i].pos.y = (uint32_t)(CITY_Y + 2.5e6 * field_uniform(&seed));
        row[i].people = (int64_t)(i % 4) - 1;
        row[i].score = field_uniform(&seed) * 12.5;
        row[i].kind = (int)(i % 10);
        row[i].at_s = DAY0_S + (int64_t)(field_uniform(&seed) * DAYS * 86400.0);
    }
    int st = (int)field_layer_add(&city, row, ROWS / 2);
    if (!st) st = (int)field_layer_add(&city, row + ROWS / 2, ROWS / 2);
    if (!st) st = (int)om_fields_new((size_t)1 << 28, &fields);
    return st;
}

static int tear_down(void **state)
{
    (void)state;
    om_fields_free(fields);
    field_layer_free(&city);
    return 0;
}

static struct om_field_spec spec_of(const struct om_selection *selection,
                                    double bandwidth_m, enum om_kernel kernel)
{
    return (struct om_field_spec){.layer = &city.layer,
                                  .selection = selection,
                                  .kernel = kernel,
                                  .bandwidth_m = bandwidth_m,
                                  .weight = OM_WEIGHT_ONE};
}

/* The tile that holds a place of the city. */
static void tile_at(const struct om_field_spec *spec, unsigned z,
                    struct om_days_tile *out)
{
    const uint32_t x = (uint32_t)ldexp(CITY_X + 3e5, (int)z - 32);
    const uint32_t y = (uint32_t)ldexp(CITY_Y + 1e6, (int)z - 32);
    assert_int_equal(om_days_tile_init(spec, z, x, y, out), OM_OK);
}

static void count(const struct om_days_tile *tile, size_t column,
                  struct om_days *out)
{
    const struct om_query q = {
        .layer = &city.layer,
        .place = {.kind = OM_PLACE_BOX, .box = tile->box}};
    assert_int_equal(om_query_days(&q, &tile->net, 0, column, out), OM_OK);
}

/* ---- reading ------------------------------------------------------------ */

struct reader {
    const uint8_t *at, *end;
};

static uint64_t varint(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(r->at < r->end && shift < 64);
        v |= (uint64_t)(*r->at & 0x7f) << shift;
        if (!(*r->at++ & 0x80)) return v;
    }
}
static int64_t signed_varint(struct reader *r)
{
    const uint64_t v = varint(r);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
static double real(struct reader *r)
{
    uint64_t bits = 0;
    double v;
    assert_true(r->end - r->at >= 8);
    for (unsigned i = 0; i < 8; i++) bits |= (uint64_t)r->at[i] << (8 * i);
    r->at += 8;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Read bytes against the sums they were written from. */
static void check_bytes(const struct om_days_tile *t, const struct om_days *d,
                        const struct om_buf *buf, double error)
{
    struct reader r = {buf->bytes, buf->bytes + buf->len};
    assert_memory_equal(r.at, "OMD1", 4);
    r.at += 4;
    assert_true(real(&r) == t->bandwidth_m);
    const double unit = real(&r);
    assert_int_equal(varint(&r), t->kernel);
    assert_int_equal(varint(&r), t->z);
    assert_int_equal(varint(&r), t->x);
    assert_int_equal(varint(&r), t->y);
    assert_int_equal(varint(&r), t->net.exponent);
    assert_int_equal(varint(&r), t->net.column0);
    assert_int_equal(varint(&r), t->net.row0);
    assert_int_equal(varint(&r), t->net.columns);
    assert_int_equal(varint(&r), t->net.rows);
    assert_int_equal(signed_varint(&r), d->first);
    assert_int_equal(varint(&r), d->days);
    const uint64_t cells = varint(&r);
    assert_int_equal(varint(&r), d->count);
    size_t at = 0;
    uint64_t cell = 0;
    for (uint64_t c = 0; c < cells; c++, cell++) {
        cell += varint(&r);
        uint64_t day = 0;
        for (uint64_t n = varint(&r); n; n--, day++) {
            const uint64_t v = varint(&r);
            day += v >> 1;
            const double sum = unit * (v & 1 ? (double)signed_varint(&r) : 1.0);
            assert_int_equal(d->sum[at].cell, cell);
            assert_int_equal(d->sum[at].day, day);
            assert_true(fabs(d->sum[at].sum - sum) <= error);
            at++;
        }
    }
    assert_int_equal(at, d->count);
    assert_ptr_equal(r.at, r.end);
}

static void bytes_read_back_what_was_counted(void **state)
{
    (void)state;
    const struct om_selection all = field_all(&city.layer);
    const struct om_field_spec spec = spec_of(&all, 400.0, OM_KERNEL_QUARTIC);
    const struct {
        size_t column;
        double error;
    } WEIGHT[] = {{OM_NO_FIELD, 0.0}, {FIELD_PEOPLE, 0.0}, {FIELD_SCORE, 1e-3}};
    for (unsigned z = 8; z <= 15; z++)
        for (size_t w = 0; w < 3; w++) {
            struct om_days_tile tile;
            struct om_days days;
            struct om_buf buf = {0};
            tile_at(&spec, z, &tile);
            count(&tile, WEIGHT[w].column, &days);
            assert_true(days.count > 0);
            assert_int_equal(om_days_write(&tile, &days, &buf), OM_OK);
            check_bytes(&tile, &days, &buf, WEIGHT[w].error);
            om_buf_deinit(&buf);
            om_days_deinit(&days);
        }
}

static void bytes_of_nothing_are_none(void **state)
{
    (void)state;
    const struct om_selection all = field_all(&city.layer);
    const struct om_field_spec spec = spec_of(&all, 400.0, OM_KERNEL_QUARTIC);
    struct om_days_tile tile;
    struct om_days days;
    struct om_buf buf = {0};
    assert_int_equal(om_days_tile_init(&spec, 12, 0, 0, &tile), OM_OK);
    count(&tile, OM_NO_FIELD, &days);
    assert_int_equal(om_days_write(&tile, &days, &buf), OM_OK);
    assert_int_equal(buf.len, 0);
    om_buf_deinit(&buf);
    om_days_deinit(&days);
}

/* ---- cells -------------------------------------------------------------- */

static void net_holds_each_row_within_reach_once(void **state)
{
    (void)state;
    static const double BANDWIDTH_M[] = {10.0, 90.0, 800.0, 20000.0};
    const struct om_selection all = field_all(&city.layer);
    for (unsigned z = 0; z <= 22; z++)
        for (size_t b = 0; b < 4; b++) {
            const struct om_field_spec spec =
                spec_of(&all, BANDWIDTH_M[b], OM_KERNEL_GAUSSIAN);
            struct om_days_tile tile;
            struct om_days days;
            double sum = 0.0, mine = 0.0;
            tile_at(&spec, z, &tile);
            assert_true(tile.net.columns <= 400 && tile.net.rows <= 400);
            count(&tile, OM_NO_FIELD, &days);
            for (size_t i = 0; i < days.count; i++) sum += days.sum[i].sum;
            const struct om_box box = tile.box;
            for (size_t i = 0; i < ROWS; i++)
                mine += row[i].pos.x >= box.x0 && row[i].pos.x <= box.x1 &&
                        row[i].pos.y >= box.y0 && row[i].pos.y <= box.y1;
            assert_true(sum == mine);
            om_days_deinit(&days);
        }
}

/* ---- the field ---------------------------------------------------------- */

static int64_t from_s, to_s;
static bool in_window(const struct om_segment *segment, size_t at)
{
    const struct om_column *c;
    assert_int_equal(om_segment_column(segment, FIELD_AT, at, at + 1, &c),
                     OM_OK);
    const int64_t time_s = om_column_integer(c, at);
    return time_s >= from_s && time_s < to_s;
}

/* The kernel over cells, as a page draws it: each counts at its middle. */
static double field_of(const struct om_days_tile *t, const struct om_days *d,
                       uint32_t from, uint32_t to, double x, double y)
{
    const double psi = (1.0 - 2.0 * y / OM_POS_SIDE) * OM_PI;
    const double cosine = 1.0 / cosh(psi), sine = tanh(psi);
    const double w2 = 1.0 - OM_WGS84_E2 * sine * sine;
    const double east_m = OM_POS_CELL_M * cosine / sqrt(w2);
    const double north_m = east_m * (1.0 - OM_WGS84_E2) / w2;
    const double h = t->bandwidth_m, km = h / 1000.0;
    double sum = 0.0;
    for (size_t i = 0; i < d->count; i++) {
        const struct om_day_sum *s = &d->sum[i];
        if (s->day < from || s->day >= to) continue;
        const double cx = ldexp(t->net.column0 + s->cell % t->net.columns + 0.5,
                                (int)t->net.exponent);
        const double cy = ldexp(t->net.row0 + s->cell / t->net.columns + 0.5,
                                (int)t->net.exponent);
        const double dx = (cx - x) * east_m / h, dy = (cy - y) * north_m / h;
        const double r2 = dx * dx + dy * dy;
        if (r2 < 1.0) sum += s->sum * (1.0 - r2) * (1.0 - r2);
    }
    return sum * 3.0 / (OM_PI * km * km);
}

static void field_of_any_window_is_that_of_its_rows(void **state)
{
    (void)state;
    static const struct {
        uint32_t from, to;
    } WINDOW[] = {{0, 180}, {20, 50}, {100, 101}, {150, 157}};
    uint64_t seed = 3;
    for (size_t w = 0; w < 4; w++) {
        from_s = DAY0_S + (int64_t)WINDOW[w].from * 86400;
        to_s = DAY0_S + (int64_t)WINDOW[w].to * 86400;
        struct om_selection *taken = field_select(&city.layer, in_window);
        const struct om_field_spec spec =
            spec_of(taken, 800.0, OM_KERNEL_QUARTIC);
        const double peak = 3.0 / (OM_PI * 0.64);  // of a lone row
        double most, total;
        assert_int_equal(om_field_scale(fields, &spec, &most, &total), OM_OK);
        for (unsigned z = 12; z <= 16; z += 2) {
            struct om_days_tile tile;
            struct om_days days;
            tile_at(&spec, z, &tile);
            count(&tile, OM_NO_FIELD, &days);
            const double side = ldexp(1.0, 32 - (int)z);
            // Days are counted from the layer's first.
            const int64_t shift = DAY0_S / 86400 - days.first;
            for (int i = 0; i < 40; i++) {
                const double x = (tile.x + field_uniform(&seed)) * side;
                const double y = (tile.y + field_uniform(&seed)) * side;
                double exact;
                assert_int_equal(om_field_exact(&spec, x, y, &exact), OM_OK);
                const double mine = field_of(
                    &tile, &days, (uint32_t)((int64_t)WINDOW[w].from + shift),
                    (uint32_t)((int64_t)WINDOW[w].to + shift), x, y);
                assert_true(fabs(mine - exact) <= 0.01 * most + 0.06 * peak);
            }
            om_days_deinit(&days);
        }
        field_select_free(taken);
    }
}

/* ---- errors ------------------------------------------------------------- */

static void error_of_no_tile_and_no_bandwidth(void **state)
{
    (void)state;
    const struct om_selection all = field_all(&city.layer);
    struct om_field_spec spec = spec_of(&all, 400.0, OM_KERNEL_QUARTIC);
    struct om_days_tile tile;
    assert_int_equal(om_days_tile_init(&spec, 23, 0, 0, &tile), OM_E_RANGE);
    assert_int_equal(om_days_tile_init(&spec, 3, 8, 0, &tile), OM_E_RANGE);
    assert_int_equal(om_days_tile_init(&spec, 3, 0, 8, &tile), OM_E_RANGE);
    spec.bandwidth_m = NAN;
    assert_int_equal(om_days_tile_init(&spec, 3, 0, 0, &tile), OM_E_RANGE);
    spec.bandwidth_m = 1e9;
    assert_int_equal(om_days_tile_init(&spec, 3, 0, 0, &tile), OM_E_RANGE);
}

static void error_of_too_many_days(void **state)
{
    (void)state;
    struct field_row two[] = {row[0], row[1]};
    struct field_layer ages = {0};
    two[1].at_s = two[0].at_s + (int64_t)86400 * (OM_DAYS_MOST + 1);
    assert_int_equal(field_layer_add(&ages, two, 2), OM_OK);
    struct om_query q = {.layer = &ages.layer};
    const struct om_day_net net = {.exponent = 32, .columns = 1, .rows = 1};
    struct om_days days;
    // Of all times: the newest, and not what is older in the first of them.
    assert_int_equal(om_query_days(&q, &net, 0, OM_NO_FIELD, &days), OM_OK);
    assert_int_equal(days.days, OM_DAYS_MOST);
    assert_int_equal(days.count, 1);
    assert_int_equal(days.sum[0].day, OM_DAYS_MOST - 1);
    om_days_deinit(&days);
    q.window = (struct om_window){true, two[0].at_s, INT64_MAX};
    assert_int_equal(om_query_days(&q, &net, 0, OM_NO_FIELD, &days), OM_E_COST);
    q.window.to_s = two[0].at_s + 86400;
    assert_int_equal(om_query_days(&q, &net, 0, OM_NO_FIELD, &days), OM_OK);
    assert_int_equal(days.count, 1);
    om_days_deinit(&days);
    field_layer_free(&ages);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_read_back_what_was_counted),
        cmocka_unit_test(bytes_of_nothing_are_none),
        cmocka_unit_test(net_holds_each_row_within_reach_once),
        cmocka_unit_test(field_of_any_window_is_that_of_its_rows),
        cmocka_unit_test(error_of_no_tile_and_no_bandwidth),
        cmocka_unit_test(error_of_too_many_days),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
