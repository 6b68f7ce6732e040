/* choropleth.c - units by class.
 *
 * DESIGN
 * All units of a class are one shape in the raster, where what they share
 * cancels; classes are then added up and not painted over each other, so that
 * a pixel on a border is exactly what its parts make together. Painting unit
 * by unit leaves a pale seam along every border.
 */
#include "tiles/picture/choropleth.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"

/* Fills let the map below be seen. */
#define FILL 205
#define FILL_ZERO 160

void om_unit_classes_deinit(struct om_unit_classes *classes)
{
    om_free(classes->of);
    *classes = (struct om_unit_classes){0};
}

struct om_colour om_choropleth_fill(const struct om_unit_classes *classes,
                                    size_t i, enum om_palette palette)
{
    if (i < classes->classes)
        return om_colour_fade(classes->class[i].colour[palette], FILL);
    if (classes->zero_clear) return (struct om_colour){0};
    return om_colour_fade(palette == OM_PALETTE_DARK ? om_colour_of(0x1F2C3D)
                                                     : om_colour_of(0xE7E5E0),
                          FILL_ZERO);
}

struct om_colour om_choropleth_edge(const struct om_unit_classes *classes,
                                    enum om_palette palette)
{
    if (classes->outline)
        return om_colour_fade(palette == OM_PALETTE_DARK
                                  ? om_colour_of(0x93A4BA)
                                  : om_colour_of(0x5A6878),
                              170);
    return om_colour_fade(palette == OM_PALETTE_DARK ? om_colour_of(0x0B111B)
                                                     : om_colour_of(0xFFFFFF),
                          200);
}

struct om_colour om_unit_hatch_colour(enum om_palette palette)
{
    return om_colour_fade(palette == OM_PALETTE_DARK ? om_colour_of(0x93A4BA)
                                                     : om_colour_of(0x5A6878),
                          100);
}

static om_status breaks_of(const struct om_unit_numbers *scale, double share,
                           double from[OM_CLASSES_STEPS], size_t *steps)
{
    double *value = om_alloc_array(scale->count + 1, sizeof *value);
    size_t n = 0;
    if (!value) return OM_E_MEMORY;
    for (size_t i = 0; i < scale->count; i++) {
        const double v = scale->value[i] * share;
        if (isfinite(v) && v > 0.0)
            value[n++] = scale->whole ? fmax(1.0, round(v)) : v;
    }
    *steps = om_class_breaks(value, n, OM_CLASSES_STEPS, scale->whole, from);
    om_free(value);
    return OM_OK;
}

static uint8_t class_of(const struct om_unit_classes *out, double value,
                        const double *from, size_t steps)
{
    (void)out;
    if (isnan(value)) return OM_UNIT_UNKNOWN;
    if (value <= 0.0 || !steps) return OM_UNIT_ZERO;
    uint8_t i = 0;
    while (i + 1u < steps && value >= from[i + 1]) i++;
    return i;
}

/* The lowest class holds what is below the scale's lowest too, and says so:
 * counts from one on, so that what a legend says does not move with a filter;
 * others from the smallest. */
static void reach_down(const struct om_unit_numbers *numbers, double *lowest)
{
    for (size_t i = 0; i < numbers->count; i++) {
        const double v = numbers->value[i];
        if (v > 0.0 && v < *lowest) *lowest = numbers->whole ? 1.0 : v;
    }
}

/* One class of one value: it is not "that and more". */
static void say_equal(const struct om_unit_numbers *numbers,
                      const struct om_unit_numbers *scale, double value,
                      struct om_class *class)
{
    const struct om_unit_numbers *both[2] = {numbers, scale};
    char text[OM_LIMIT_NAME_BYTES];
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->count; i++)
            if (both[k]->value[i] > 0.0 && both[k]->value[i] != value) return;
    snprintf(text, sizeof text, "%.10g", value);
    snprintf(class->text, sizeof class->text, "均为 %s", text);
    snprintf(class->text_en, sizeof class->text_en, "all %.40s", text);
}

om_status om_unit_classes_of(const struct om_unit_numbers *numbers,
                             const struct om_unit_numbers *scale, double share,
                             struct om_unit_classes *out)
{
    const size_t units = numbers->count;
    double from[OM_CLASSES_STEPS] = {0};
    *out = (struct om_unit_classes){.units = units};
    OM_TRY(breaks_of(scale, share, from, &out->classes));
    if (out->classes) reach_down(numbers, &from[0]);
    out->of = om_alloc(units + 1);
    if (!out->of) return OM_E_MEMORY;
    for (size_t i = 0; i < units; i++) {
        out->of[i] = class_of(out, numbers->value[i], from, out->classes);
        out->zero |= out->of[i] == OM_UNIT_ZERO;
        out->unknown |= out->of[i] == OM_UNIT_UNKNOWN;
    }
    // A legend of both sides has what either of them has.
    for (size_t i = 0; scale->count > units && i < scale->count; i++) {
        const uint8_t c = class_of(out, scale->value[i], from, out->classes);
        out->zero |= c == OM_UNIT_ZERO;
        out->unknown |= c == OM_UNIT_UNKNOWN;
    }
    for (size_t i = 0; i < out->classes; i++) {
        struct om_class *class = &out->class[i];
        om_class_range(from, i, out->classes, scale->whole, class->text,
                       sizeof class->text);
        for (int p = 0; p < 2; p++)
            class->colour[p] = om_class_step(i, out->classes, OM_RAMP_WARM,
                                             (enum om_palette)p);
    }
    if (out->classes == 1) say_equal(numbers, scale, from[0], &out->class[0]);
    return OM_OK;
}

void om_unit_classes_cool(struct om_unit_classes *classes)
{
    for (size_t i = 0; i < classes->classes; i++)
        for (int p = 0; p < 2; p++)
            classes->class[i].colour[p] = om_class_step(
                i, classes->classes, OM_RAMP_COOL, (enum om_palette)p);
}

/* ---- drawing ---- */

struct drawing {
    const struct om_level *level;
    const struct om_unit_classes *classes;
    struct om_canvas *canvas;
    uint8_t wanted;
    bool seen[256];  // which classes the window has
};

static void note(void *ctx, size_t unit)
{
    struct drawing *d = ctx;
    d->seen[d->classes->of[unit]] = true;
}

static void add(void *ctx, size_t unit)
{
    const struct drawing *d = ctx;
    if (d->classes->of[unit] == d->wanted)
        om_canvas_polygon(d->canvas, &d->level->units.rings,
                          d->level->units.unit[unit].row);
}

bool om_choropleth_borders(const struct om_level *level,
                           struct om_canvas *canvas)
{
    const double side = om_level_side_px(level, &canvas->view);
    const double ratio = canvas->view.ratio;
    // Where units are a few pixels wide their borders would be all there is.
    if (side < 14.0 * ratio) return false;
    const double width = side < 60.0 * ratio  ? 0.5
                         : side < 300 * ratio ? 0.8
                                              : 1.2;
    const struct om_stroke stroke = {.width = (int)(width * ratio * 256.0)};
    om_borders_draw(&level->borders, canvas, &stroke);
    return true;
}

/* All classes into an empty canvas. */
static void draw_classes(struct drawing *d, struct om_box box,
                         enum om_palette palette)
{
    const struct om_unit_classes *classes = d->classes;
    om_level_each(d->level, box, note, d);
    for (int c = 0; c < OM_UNIT_ABSENT; c++) {
        if (!d->seen[c] || (c == OM_UNIT_ZERO && classes->zero_clear)) continue;
        const size_t fill = c == OM_UNIT_ZERO ? classes->classes : (size_t)c;
        d->wanted = (uint8_t)c;
        om_level_each(d->level, box, add, d);
        if (c < OM_UNIT_CLASSES_MOST || c == OM_UNIT_ZERO)
            om_canvas_add(d->canvas,
                          om_choropleth_fill(classes, fill, palette));
        else
            om_canvas_hatch(d->canvas, om_unit_hatch_colour(palette));
    }
}

om_status om_choropleth_draw(const struct om_level *level,
                             const struct om_unit_classes *classes,
                             enum om_palette palette, struct om_canvas *canvas,
                             struct om_arena *arena)
{
    const struct om_view *view = &canvas->view;
    struct om_canvas sheet = *canvas;
    struct drawing d = {.level = level, .classes = classes, .canvas = &sheet};
    if (!classes->outline) {
        // What is there already must not be added to.
        sheet.pixel =
            om_arena_calloc(arena, (size_t)view->width * view->height, 4);
        if (!sheet.pixel) return OM_E_MEMORY;
        draw_classes(&d, om_view_box(view, OM_CHOROPLETH_PX), palette);
        om_canvas_over(canvas, (const uint8_t(*)[4])sheet.pixel);
        canvas->raster = sheet.raster;
    }
    if (om_choropleth_borders(level, canvas))
        om_canvas_fill(canvas, om_choropleth_edge(classes, palette));
    return OM_OK;
}
