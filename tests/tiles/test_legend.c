/* Legends as data of the city.
 *
 * Plan
 *   paint_*   breaks and colours of densities and of risks; unknown is grey
 *   stay_*    what is stored stays, whatever the data do; a new model is a new
 *             version; ad-hoc maps are not stored
 *   spoilt_*  files that are damaged, of another map, or cannot be written
 *   test_*    back-tests are kept beside it
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/file.h"
#include "tests/engine/field_sample.h"
#include "tests/folder.h"
#include "tests/tiles/read_png.h"
#include "tiles/legend.h"

#define CITY_X 3500000000.0
#define CITY_Y 1863000000.0

static struct om_fields *fields;
static char folder[64];

static int set_up(void **state)
{
    (void)state;
    return !test_folder("onemap-legend", folder, sizeof folder) ||
           om_fields_new((size_t)1 << 26, &fields);
}

static int tear_down(void **state)
{
    (void)state;
    char command[96];
    om_fields_free(fields);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* A map of a few rows over others, as binding makes one. */
struct map {
    struct field_layer cases, houses;
    struct om_selection all_cases, all_houses;
    struct om_risk_part term, exposure;
    struct om_model model;
    struct om_manifest manifest;
    struct om_snapshot snapshot;
    struct om_risk_bound bound;
};

static void add_rows(struct field_layer *l, size_t n, uint64_t seed)
{
    struct field_row *row = calloc(n, sizeof *row);
    for (size_t i = 0; i < n; i++)
        row[i].pos = (struct om_pos){
            (uint32_t)(CITY_X + field_uniform(&seed) * 200000.0),
            (uint32_t)(CITY_Y + field_uniform(&seed) * 200000.0)};
    assert_int_equal(field_layer_add(l, row, n), OM_OK);
    free(row);
}

static void map_init(struct map *m, size_t cases, bool exposed)
{
    *m = (struct map){.manifest = {.zone_s = 8 * 3600, .clock_s = 1687795200},
                      .model = {.hash = 7}};
    add_rows(&m->cases, cases, 1);
    add_rows(&m->houses, 100, 2);
    m->all_cases = field_all(&m->cases.layer);
    m->all_houses = field_all(&m->houses.layer);
    m->term = (struct om_risk_part){.spec = {.layer = &m->cases.layer,
                                             .selection = &m->all_cases,
                                             .bandwidth_m = 500.0,
                                             .weight = OM_WEIGHT_ONE},
                                    .factor = 1.0};
    m->exposure = m->term;
    m->exposure.spec.layer = &m->houses.layer;
    m->exposure.spec.selection = &m->all_houses;
    m->snapshot =
        (struct om_snapshot){.manifest = &m->manifest,
                             .sequence = cases,
                             .clock_s = m->manifest.clock_s};
    m->bound = (struct om_risk_bound){
        .risk = {.terms = 1,
                 .term = &m->term,
                 .exposures = exposed,
                 .exposure = &m->exposure,
                 .scale = 1000.0},
        .name = "fire",
        .model = &m->model,
        .unit = "每千栋",
        .unit_en = "per 1,000 houses",
        .standard = true,
        .period = "now",
        .field = exposed ? "cases over houses" : "cases"};
}

static void map_deinit(struct map *m)
{
    field_layer_free(&m->cases);
    field_layer_free(&m->houses);
}

static struct om_legend_data get(struct om_legends *l, const struct map *m)
{
    struct om_legend_data data;
    assert_int_equal(
        om_legends_get(l, &m->snapshot, fields, NULL, &m->bound, 0, &data), OM_OK);
    return data;
}

static struct om_legends *legends_of(const char *city)
{
    struct om_legends *l = NULL;
    assert_int_equal(om_legends_new(city, &l), OM_OK);
    return l;
}

static void file_of(const char *name, char out[128])
{
    snprintf(out, 128, "%s/legends/%s.json", folder, name);
}

static bool there(const char *name)
{
    char path[128];
    file_of(name, path);
    return om_file_exists(path);
}

/* ---- paint ---- */

static void paint_relative_steps_are_alike_around_the_mean(void **state)
{
    (void)state;
    for (int p = OM_PALETTE_DARK; p <= OM_PALETTE_LIGHT; p++) {
        struct om_legend l;
        om_legend_relative(250.0, (enum om_palette)p, &l);
        assert_true(l.from[0] == 0.0f && l.from[8] == 250.0f);
        for (unsigned i = 1; i < OM_LEGEND_STEPS; i++) {
            assert_true(l.from[i] > l.from[i - 1]);
            // As far below as above: the product is the mean squared.
            assert_true(
                fabs((double)l.from[i] * (double)l.from[16 - i] / 62500.0 -
                     1.0) < 1e-6);
        }
        for (size_t g = 0; g < OM_LEGEND_GRADES; g++) {
            const struct om_legend_grade *grade = &om_legend_grade[g];
            assert_true(om_legend_relative_from(grade->step) ==
                        grade->relative);
        }
        for (unsigned i = 1; i <= OM_LEGEND_STEPS; i++)
            for (unsigned k = 0; k < i; k++)
                assert_memory_not_equal(l.rgba[i], l.rgba[k], 4);
        for (unsigned i = 0; i <= OM_LEGEND_STEPS; i++)
            assert_memory_not_equal(l.rgba[i], l.unknown, 4);
        // Grey: no hue of its own.
        assert_true(l.unknown[3] > 0 && l.unknown[2] - l.unknown[0] < 20);
    }
    struct om_legend none;
    om_legend_relative(NAN, OM_PALETTE_DARK, &none);
    for (unsigned i = 0; i < OM_LEGEND_STEPS; i++)
        assert_true(isfinite(none.from[i]));
}

static void paint_unknown_is_grey_and_nothing_is_transparent(void **state)
{
    (void)state;
    static float value[256 * 256];
    struct om_legend l;
    om_legend_relative(1.0, OM_PALETTE_DARK, &l);
    for (size_t i = 0; i < 65536; i++)
        value[i] = i % 4 == 0   ? NAN
                   : i % 4 == 1 ? -INFINITY
                   : i % 4 == 2 ? 0.0f
                                : 5.0f;
    struct om_arena arena = {0};
    struct om_buf png = {0};
    assert_int_equal(om_heat_png(value, 256, &l, &arena, &png), OM_OK);
    unsigned width = 0, height = 0;
    uint8_t *rgba = read_png(&png, &width, &height);
    assert_true(rgba && width == 256 && height == 256);
    assert_memory_equal(rgba, l.unknown, 4);
    assert_int_equal(rgba[4 + 3], 0);
    assert_memory_equal(rgba + 8, l.rgba[1], 4);
    assert_memory_equal(rgba + 12, l.rgba[13], 4);
    free(rgba);
    om_buf_deinit(&png);
    om_arena_deinit(&arena);
}

static void paint_swatches_are_the_colours(void **state)
{
    (void)state;
    struct om_legend l;
    struct om_buf png = {0};
    om_legend_relative(1.0, OM_PALETTE_LIGHT, &l);
    assert_int_equal(om_legend_png(&l, &png), OM_OK);
    unsigned width = 0, height = 0;
    uint8_t *rgba = read_png(&png, &width, &height);
    assert_true(rgba && height % 17 == 0);
    const size_t swatch = 4 * (size_t)width * (height / 17);
    for (size_t i = 0; i < 16; i++)
        assert_memory_equal(rgba + swatch * i, l.rgba[16 - i], 4);
    assert_memory_equal(rgba + swatch * 16, l.unknown, 4);
    free(rgba);
    om_buf_deinit(&png);
}

/* ---- stay ---- */

static void stay_as_they_were_first_made(void **state)
{
    (void)state;
    for (int exposed = 0; exposed < 2; exposed++) {
        struct map today, tomorrow;
        map_init(&today, 50, exposed);
        map_init(&tomorrow, 80, exposed);  // as many again have come
        struct om_legends *l = legends_of(folder);
        const struct om_legend_data first = get(l, &today);
        assert_true(first.stored && first.version == 1 + exposed);
        assert_true(first.relative == exposed);
        assert_true(exposed ? fabs(first.mean - 500.0) < 1e-9
                            : first.most > 0.0);
        assert_int_equal(first.sequence, 50);
        // The same process, and another one.
        const struct om_legend_data same = get(l, &tomorrow);
        om_legends_free(l);
        l = legends_of(folder);
        const struct om_legend_data again = get(l, &tomorrow);
        om_legends_free(l);
        struct om_legend a, b, c;
        om_legend_paint(&first, 1.0, OM_PALETTE_DARK, &a);
        om_legend_paint(&same, 1.0, OM_PALETTE_DARK, &b);
        om_legend_paint(&again, 1.0, OM_PALETTE_DARK, &c);
        assert_memory_equal(a.from, b.from, sizeof a.from);
        assert_memory_equal(a.from, c.from, sizeof a.from);
        assert_int_equal(again.sequence, 50);
        assert_int_equal(again.as_of_s, 1687795200);
        map_deinit(&today);
        map_deinit(&tomorrow);
    }
    assert_true(there("fire@now"));
}

static void stay_until_the_model_changes(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, 60, true);
    struct om_legends *l = legends_of(folder);
    const struct om_legend_data old = get(l, &m);
    m.model.hash++;
    const struct om_legend_data new = get(l, &m);
    assert_int_equal(new.version, old.version + 1);
    assert_true(new.of != old.of &&fabs(new.mean - 600.0) < 1e-9);
    assert_int_equal(get(l, &m).version, new.version);
    // Each period has its own.
    snprintf(m.bound.period, sizeof m.bound.period, "2023-05");
    assert_int_equal(get(l, &m).version, 1);
    assert_true(there("fire@2023-05"));
    om_legends_free(l);
    map_deinit(&m);
}

static void stay_only_if_nothing_was_asked_for(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, 60, true);
    snprintf(m.bound.name, sizeof m.bound.name, "adhoc");
    struct om_legends *l = legends_of(folder);
    m.bound.standard = false;
    assert_false(get(l, &m).stored);
    m.bound.standard = true;
    m.bound.filtered = true;
    m.model.hash = 9;
    assert_false(get(l, &m).stored);
    assert_false(there("adhoc@now"));
    // Of nothing there is no legend to keep.
    struct map none;
    map_init(&none, 60, true);
    snprintf(none.bound.name, sizeof none.bound.name, "empty");
    none.all_cases.count = 0;
    none.all_cases.all = true;
    assert_false(get(l, &none).stored);
    assert_false(there("empty@now"));
    om_legends_free(l);
    map_deinit(&m);
    map_deinit(&none);
}

/* ---- spoilt ---- */

static void spoil(const char *name, const char *text)
{
    char path[128];
    file_of(name, path);
    assert_int_equal(om_file_write_whole(path, text, strlen(text), NULL),
                     OM_OK);
}

static void spoilt_files_are_made_again(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "{",
        "[]",
        "{\"onemap_legend\": 1}",
        "{\"onemap_legend\": 1, \"version\": 4, \"of\": \"0\", \"mean\": 3}",
        "{\"onemap_legend\": 1, \"version\": \"x\", \"of\": 3, \"mean\": {}}",
    };
    struct map m;
    map_init(&m, 70, true);
    snprintf(m.bound.name, sizeof m.bound.name, "spoilt");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct om_legends *l = legends_of(folder);
        if (i == 0) get(l, &m);  // makes the folder
        spoil("spoilt@now", BAD[i]);
        om_legends_free(l);
        l = legends_of(folder);
        const struct om_legend_data data = get(l, &m);
        assert_true(data.stored && fabs(data.mean - 700.0) < 1e-9);
        // A version that can be read is counted on from.
        assert_int_equal(data.version, i == 4 ? 5 : 1);
        om_legends_free(l);
    }
    map_deinit(&m);
}

static void spoilt_folders_are_no_error(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, 60, true);
    // A file where the folder should be: nothing can be stored there, not even
    // by root.
    char city[128], path[160];
    snprintf(city, sizeof city, "%s/city", folder);
    assert_int_equal(om_folder_make(city, NULL), OM_OK);
    snprintf(path, sizeof path, "%s/legends", city);
    assert_int_equal(om_file_write_whole(path, "x", 1, NULL), OM_OK);
    struct om_legends *l = legends_of(city);
    const struct om_legend_data data = get(l, &m);
    assert_false(data.stored);
    assert_true(fabs(data.mean - 600.0) < 1e-9);
    // In this process it stays all the same.
    struct map more;
    map_init(&more, 90, true);
    assert_true(get(l, &more).mean == data.mean);
    const struct om_legend_test test = {.result = {.events = 1}};
    struct om_err err = {0};
    assert_int_not_equal(om_legends_test_put(l, &m.bound, 0, &test, &err),
                         OM_OK);
    assert_true(err.text[0]);
    om_legends_free(l);
    // Nor is no folder at all.
    l = legends_of(NULL);
    assert_false(get(l, &m).stored);
    om_legends_free(l);
    map_deinit(&m);
    map_deinit(&more);
}

/* ---- test ---- */

static void test_is_kept_and_read_again(void **state)
{
    (void)state;
    struct map m;
    map_init(&m, 60, true);
    struct om_legends *l = legends_of(folder);
    struct om_legend_test test = {.train = {true, INT64_MIN, 1685548800},
                                  .test = {true, 1685548800, 1687795200},
                                  .result = {.area_km2 = 12.5,
                                             .unknown_km2 = 2.25,
                                             .events = 80,
                                             .outside = 3,
                                             .cells = 1000,
                                             .cell_m = 70.25}};
    for (size_t i = 0; i < OM_BACKTEST_SHARES; i++)
        test.result.red[i] =
            (struct om_backtest_red){.share = om_backtest_share[i],
                                     .area_km2 = 12.5 * om_backtest_share[i],
                                     .events = 7.5,
                                     .hit_rate = 0.125,
                                     .pai = 2.5,
                                     .pei = 0.5,
                                     .exposure_share = 0.0625,
                                     .from = 3.5};
    struct om_legend_test got;
    assert_false(om_legends_test_get(l, &m.bound, &got));
    assert_int_equal(om_legends_test_put(l, &m.bound, 8 * 3600, &test, NULL),
                     OM_OK);
    assert_true(om_legends_test_get(l, &m.bound, &got));
    assert_int_equal(got.train.from_s, INT64_MIN);
    assert_int_equal(got.train.to_s, test.train.to_s);
    assert_int_equal(got.test.from_s, test.test.from_s);
    assert_memory_equal(&got.result, &test.result, sizeof got.result);
    // Of another model, or a map that was changed, it says nothing.
    m.model.hash++;
    assert_false(om_legends_test_get(l, &m.bound, &got));
    m.model.hash--;
    m.bound.standard = false;
    assert_false(om_legends_test_get(l, &m.bound, &got));
    m.bound.standard = true;
    spoil("fire.backtest", "{\"of\": 3, \"result\": []}");
    assert_false(om_legends_test_get(l, &m.bound, &got));
    om_legends_free(l);
    map_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paint_relative_steps_are_alike_around_the_mean),
        cmocka_unit_test(paint_unknown_is_grey_and_nothing_is_transparent),
        cmocka_unit_test(paint_swatches_are_the_colours),
        cmocka_unit_test(stay_as_they_were_first_made),
        cmocka_unit_test(stay_until_the_model_changes),
        cmocka_unit_test(stay_only_if_nothing_was_asked_for),
        cmocka_unit_test(spoilt_files_are_made_again),
        cmocka_unit_test(spoilt_folders_are_no_error),
        cmocka_unit_test(test_is_kept_and_read_again),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
