/* Tiles as they were when somebody looked at them.
 *
 * Plan
 *   golden_*  one tile of every kind of picture, against tests/golden/
 *
 * `make golden` writes them anew; whoever commits that says what changed in
 * the picture. All are without labels, since fonts change from one
 * distribution to the next: test_picture.c looks at letters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tiles/golden_png.h"
#include "tests/tiles/pictures.h"

/* A different rounding of an edge is no other picture. */
#define STEP 24
#define MOST 64

static void check(const char *name, const struct om_picture *p,
                  const struct om_view *view)
{
    uint8_t *pixels = pixels_of(p, view);
    golden_check(name, pixels, view->width, view->height, STEP, MOST);
    free(pixels);
}

static void check_base(const char *name, enum om_palette palette,
                       const struct om_view *view)
{
    struct om_picture *p;
    assert_int_equal(om_picture_base(base, palette, true, false, &p), OM_OK);
    check(name, p, view);
    om_picture_unref(p);
}

static void golden_base_map(void **state)
{
    (void)state;
    const struct om_view light = tile_at(0.5, 0.49, 14, 256, 1);
    const struct om_view dark = tile_at(0.46, 0.45, 12, 256, 1);
    const struct om_view dense = tile_at(0.5, 0.49, 15, 512, 2);
    check_base("base_light", OM_PALETTE_LIGHT, &light);
    check_base("base_dark", OM_PALETTE_DARK, &dark);
    check_base("base_dense", OM_PALETTE_DARK, &dense);
}

static void golden_units(void **state)
{
    (void)state;
    const struct om_view towns = tile_at(0.5, 0.5, 11, 256, 1);
    const struct om_view villages = tile_at(0.3, 0.6, 12, 256, 1);
    check("units_light", picture[TOWNS], &towns);
    check("units_dark", picture[VILLAGES], &villages);
}

static void golden_rows(void **state)
{
    (void)state;
    const struct om_view far = tile_at(0.5, 0.49, 11, 256, 1);
    const struct om_view near = tile_at(0.51, 0.5, 14, 256, 1);
    const struct om_view houses = tile_at(0.5, 0.49, 15, 256, 1);
    check("rows_grades", picture[GRADES], &far);
    check("rows_kinds", picture[KINDS], &near);
    check("rows_houses", picture[HOUSES], &houses);
}

static void golden_heat(void **state)
{
    (void)state;
    static const char *const name[] = {"heat_layer", "heat_model"};
    struct om_fields *fields;
    const struct om_view v = tile_at(0.45, 0.49, 11, 256, 1);
    assert_int_equal(om_fields_new((size_t)1 << 28, &fields), OM_OK);
    for (int rate = 0; rate < 2; rate++) {
        struct pic_risk r;
        pic_risk_init(&r, fields, rate,
                      rate ? OM_PALETTE_LIGHT : OM_PALETTE_DARK);
        uint8_t *pixels = pixels_of_heat(fields, &r, 11, (uint32_t)(v.x / 256),
                                         (uint32_t)(v.y / 256), 256);
        golden_check(name[rate], pixels, 256, 256, STEP, MOST);
        free(pixels);
        pic_risk_deinit(&r);
    }
    om_fields_free(fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_base_map),
        cmocka_unit_test(golden_units),
        cmocka_unit_test(golden_rows),
        cmocka_unit_test(golden_heat),
    };
    return cmocka_run_group_tests(tests, pictures_set_up, pictures_tear_down);
}
