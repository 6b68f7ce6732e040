// pictures.h - pictures of every kind of a small city, for tests to look at.
#ifndef OM_TESTS_TILES_PICTURES_H
#define OM_TESTS_TILES_PICTURES_H

#include "tests/tiles/picture_city.h"
#include "tests/tiles/read_png.h"
#include "tiles/picture/heatmap.h"
#include "tiles/picture/picture.h"

static struct pic_city city;
static struct om_font *font;
static struct om_base *base;

enum {
    BASE,
    DARK,
    LABELS,
    TOWNS,
    VILLAGES,
    GRADES,
    KINDS,
    PLAIN,
    HOUSES,
    PICTURES
};
static struct om_picture *picture[PICTURES];

static inline const struct om_layer *layer_of(const char *name)
{
    return om_snapshot_layer(city.snapshot, name);
}

static inline struct om_selection *all_rows(const char *layer)
{
    struct om_selection *selection;
    assert_int_equal(om_select(NULL, layer_of(layer), NULL,
                               (struct om_window){0}, &selection),
                     OM_OK);
    return selection;
}

static inline struct om_picture *rows_of(const char *layer, const char *by,
                                         enum om_palette palette)
{
    struct om_classes classes;
    struct om_picture *out;
    struct om_selection *selection = all_rows(layer);
    const size_t column =
        by ? om_schema_find(&layer_of(layer)->schema, by) : OM_NO_FIELD;
    assert_int_equal(
        om_classes_of(city.snapshot, layer_of(layer), column, &classes, NULL),
        OM_OK);
    assert_int_equal(om_picture_rows_take(city.snapshot, layer_of(layer),
                                          selection, &classes, palette, &out),
                     OM_OK);
    om_selection_unref(selection);
    return out;
}

/* Units by the numbers 0, 1, 2 ...; some unknown. */
static inline struct om_picture *units_of(const char *name,
                                          enum om_palette palette)
{
    struct om_level *level;
    struct om_unit_classes classes;
    struct om_picture *out;
    assert_int_equal(om_base_level(base, name, &level, NULL), OM_OK);
    const size_t n = level->units.count;
    double *value = calloc(n, sizeof *value);
    for (size_t i = 0; i < n; i++)
        value[i] = i % 11 == 7 ? (double)NAN : (double)(i % 40);
    const struct om_unit_numbers numbers = {value, n, true};
    assert_int_equal(om_unit_classes_of(&numbers, &numbers, 1.0, &classes),
                     OM_OK);
    assert_int_equal(
        om_picture_units_take(base, level, &classes, palette, &out), OM_OK);
    om_level_unref(level);
    free(value);
    return out;
}

static inline int pictures_set_up(void **state)
{
    (void)state;
    struct om_err err = {0};
    pic_city_init(&city);
    if (om_font_open(NULL, &font, &err)) fail_msg("%s", err.text);
    if (om_base_new(city.snapshot, font, OM_LANGUAGE_ZH, &base, &err))
        fail_msg("%s", err.text);
    assert_int_equal(
        om_picture_base(base, OM_PALETTE_LIGHT, true, true, &picture[BASE]),
        OM_OK);
    assert_int_equal(
        om_picture_base(base, OM_PALETTE_DARK, true, true, &picture[DARK]),
        OM_OK);
    assert_int_equal(
        om_picture_base(base, OM_PALETTE_DARK, false, true, &picture[LABELS]),
        OM_OK);
    picture[TOWNS] = units_of("town", OM_PALETTE_LIGHT);
    picture[VILLAGES] = units_of("village", OM_PALETTE_DARK);
    picture[GRADES] = rows_of("report", NULL, OM_PALETTE_DARK);
    picture[KINDS] = rows_of("report", "kind", OM_PALETTE_LIGHT);
    picture[PLAIN] = rows_of("report", "size", OM_PALETTE_DARK);
    picture[HOUSES] = rows_of("building", NULL, OM_PALETTE_LIGHT);
    return 0;
}

static inline int pictures_tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < PICTURES; i++) om_picture_unref(picture[i]);
    om_base_unref(base);
    om_font_close(font);
    pic_city_deinit(&city);
    return 0;
}

static inline uint8_t *pixels_of(const struct om_picture *p,
                                 const struct om_view *view)
{
    struct om_arena arena = {0};
    struct om_buf png = {0};
    unsigned width, height;
    assert_int_equal(om_picture_png(p, view, &arena, &png), OM_OK);
    uint8_t *pixels = read_png(&png, &width, &height);
    assert_non_null(pixels);
    assert_int_equal(width, view->width);
    assert_int_equal(height, view->height);
    om_buf_deinit(&png);
    om_arena_deinit(&arena);
    return pixels;
}

/* A risk of reports: how dense they are (`rate` false), or those of fires for
 * each report around. Borrows `r`. */
struct pic_risk {
    struct om_selection *some, *all;
    struct om_risk_part term, exposure;
    struct om_risk risk;
    struct om_legend legend;
};
static inline struct om_field_spec pic_field(const struct om_selection *rows)
{
    return (struct om_field_spec){.layer = layer_of("report"),
                                  .selection = rows,
                                  .bandwidth_m = 900.0,
                                  .weight = OM_WEIGHT_ONE};
}
static inline void pic_risk_init(struct pic_risk *r, struct om_fields *fields,
                                 bool rate, enum om_palette palette)
{
    const char *const text = "kind = 'fire'";
    const struct om_layer *layer = layer_of("report");
    struct om_filter *filter = NULL;
    *r = (struct pic_risk){.all = all_rows("report")};
    assert_int_equal(
        om_filter_parse(text, strlen(text), layer, 0, &filter, NULL), OM_OK);
    assert_int_equal(
        om_select(NULL, layer, filter, (struct om_window){0}, &r->some), OM_OK);
    om_filter_free(filter);
    r->term = (struct om_risk_part){pic_field(rate ? r->some : r->all), 1.0};
    r->exposure = (struct om_risk_part){pic_field(r->all), 1.0};
    r->risk = (struct om_risk){.terms = 1, .term = &r->term, .scale = 1.0};
    if (!rate) {
        assert_int_equal(
            om_heat_legend(fields, &r->term.spec, NULL, palette, &r->legend),
            OM_OK);
        return;
    }
    struct om_risk_totals totals;
    r->risk.exposures = 1;
    r->risk.exposure = &r->exposure;
    r->risk.scale = 1000.0;
    r->risk.floor = 10.0;
    assert_int_equal(om_risk_totals(fields, &r->risk, &totals), OM_OK);
    om_legend_relative(totals.mean, palette, &r->legend);
}
static inline void pic_risk_deinit(struct pic_risk *r)
{
    om_selection_unref(r->some);
    om_selection_unref(r->all);
}
/* A heat tile as it is served. */
static inline uint8_t *pixels_of_heat(struct om_fields *fields,
                                      const struct pic_risk *r, unsigned z,
                                      uint32_t x, uint32_t y, unsigned side)
{
    const struct om_field_window window = {z, x, y, side};
    struct om_arena arena = {0};
    struct om_buf png = {0};
    unsigned width, height;
    assert_int_equal(
        om_risk_png(fields, &r->risk, &window, &r->legend, &arena, &png),
        OM_OK);
    uint8_t *pixels = read_png(&png, &width, &height);
    assert_non_null(pixels);
    assert_int_equal(width, side);
    om_buf_deinit(&png);
    om_arena_deinit(&arena);
    return pixels;
}

/* The tile that holds a place, as a fraction of the city's side. */
static inline struct om_view tile_at(double fx, double fy, unsigned z,
                                     unsigned side, unsigned ratio)
{
    return om_view_tile(z, (uint32_t)(PIC_X + fx * PIC_SIDE) >> (32 - z),
                        (uint32_t)(PIC_Y + fy * PIC_SIDE) >> (32 - z), side,
                        ratio);
}

#endif
