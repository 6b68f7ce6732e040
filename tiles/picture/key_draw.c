/* key_draw.c - panels with legends and notes.
 *
 * DESIGN
 * One pass lays out and draws: without a canvas it only measures, so that what
 * is measured is what is drawn.
 */
#include <string.h>

#include "tiles/picture/key.h"

/* Pixels of design. */
#define PAD 12
#define TEXT 13
#define TITLE 14
#define LINE 21
#define SWATCH_W 20
#define SWATCH_H 13
#define GAP 9
#define RAMP_STEP 12
#define BLOCK_GAP 12

/* Where a panel is being laid out: pixels from its corner. */
struct layout {
    const struct om_key_style *style;
    struct om_canvas *canvas;  // NULL: measure only
    int64_t x, y;              // of the panel's corner in the world
    struct om_arena *arena;
    int width, height;  // so far
};

static struct om_colour text_colour(enum om_palette palette)
{
    return palette == OM_PALETTE_DARK ? om_colour_of(0xE7EDF5)
                                      : om_colour_of(0x17202C);
}

static struct om_colour quiet_colour(enum om_palette palette)
{
    return palette == OM_PALETTE_DARK ? om_colour_of(0x93A4BA)
                                      : om_colour_of(0x5A6878);
}

static struct om_colour panel_colour(enum om_palette palette)
{
    return om_colour_fade(palette == OM_PALETTE_DARK ? om_colour_of(0x111A28)
                                                     : om_colour_of(0xFFFFFF),
                          228);
}

static int px(const struct layout *l, int design)
{
    return design * (int)l->style->ratio;
}

om_status om_key_text(const struct om_key_style *style, const char *text,
                      unsigned size_px, bool bold, struct om_colour colour,
                      struct om_canvas *canvas, int64_t x, int64_t y,
                      struct om_arena *arena, int *width)
{
    const struct om_face face = {.bold = bold, .size_px = size_px};
    struct om_text line;
    if (width) *width = 0;
    if (!style->font || !*text) return OM_OK;
    OM_TRY(om_text_shape(style->font, face, text, strlen(text), arena, &line));
    for (size_t i = 0; canvas && i < line.glyphs; i++) {
        struct om_mask mask;
        OM_TRY(om_font_glyph(style->font, face, line.glyph[i].glyph, 0, 0,
                             arena, &mask));
        om_canvas_mask(canvas, x + line.glyph[i].x + mask.left, y + mask.top,
                       mask.width, mask.height, mask.cover, colour);
    }
    if (width) *width = line.width;
    return OM_OK;
}

static void reach(struct layout *l, int right, int bottom)
{
    if (right > l->width) l->width = right;
    if (bottom > l->height) l->height = bottom;
}

/* A text whose line begins at (x, y) of the panel. */
static om_status add_text(struct layout *l, const char *text, int size,
                          bool bold, struct om_colour colour, int x, int y)
{
    int width;
    const int size_px = px(l, size);
    OM_TRY(om_key_text(l->style, text, (unsigned)size_px, bold, colour,
                       l->canvas, l->x + x, l->y + y + size_px, l->arena,
                       &width));
    reach(l, x + width, y + size_px * 5 / 4);
    return OM_OK;
}

static void add_box(struct layout *l, int x, int y, int width, int height,
                    struct om_colour colour)
{
    if (l->canvas)
        om_canvas_box(l->canvas, l->x + x, l->y + y, (unsigned)width,
                      (unsigned)height, colour);
    reach(l, x + width, y + height);
}

/* Something drawn by the raster, from corners in pixels of the panel. */
static void add_outline(struct layout *l, const int (*corner)[2], size_t n)
{
    const int64_t x0 = (l->x - l->canvas->view.x) * 256;
    const int64_t y0 = (l->y - l->canvas->view.y) * 256;
    for (size_t i = 0; i < n; i++) {
        const int *a = corner[i], *b = corner[(i + 1) % n];
        om_raster_line(&l->canvas->raster,
                       (struct om_spot){x0 + a[0] * 256, y0 + a[1] * 256},
                       (struct om_spot){x0 + b[0] * 256, y0 + b[1] * 256});
    }
}

/* The border of a box, `thick` pixels within it. */
static void add_frame(struct layout *l, int x, int y, int width, int height,
                      int thick, struct om_colour colour)
{
    const int inner = height - 2 * thick;
    add_box(l, x, y, width, thick, colour);
    add_box(l, x, y + height - thick, width, thick, colour);
    add_box(l, x, y + thick, thick, inner, colour);
    add_box(l, x + width - thick, y + thick, thick, inner, colour);
}

static void add_swatch(struct layout *l, const struct om_key_item *item, int x,
                       int y)
{
    const int w = px(l, SWATCH_W), h = px(l, SWATCH_H);
    const int corner[4][2] = {{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}};
    reach(l, x + w, y + h);
    if (item->form == OM_KEY_AREA) add_box(l, x, y, w, h, item->colour);
    if (item->form == OM_KEY_OUTLINE)
        add_frame(l, x, y, w, h, px(l, 1), item->colour);
    if (item->form == OM_KEY_LINE)
        add_box(l, x, y + h / 2 - px(l, 1), w, px(l, 2), item->colour);
    if (!l->canvas) return;
    if (item->form == OM_KEY_HATCH) {
        add_outline(l, corner, 4);
        om_canvas_hatch(l->canvas, item->colour);
    }
    if (item->form == OM_KEY_DOT) {
        const struct om_spot at = {
            (l->x - l->canvas->view.x) * 256 + (x + w / 2) * 256,
            (l->y - l->canvas->view.y) * 256 + (y + h / 2) * 256 + 128};
        om_canvas_mark(l->canvas, item->mark, at, px(l, 5) * 256);
        om_canvas_fill(l->canvas, item->colour);
    }
}

static om_status add_ramp(struct layout *l, const struct om_key *key, int *y)
{
    const int step = px(l, RAMP_STEP), h = px(l, SWATCH_H);
    const int x = px(l, PAD);
    const struct om_colour quiet = quiet_colour(l->style->palette);
    for (size_t i = 0; i < key->items; i++)
        add_box(l, x + (int)i * step, *y, step, h, key->item[i].colour);
    *y += h + px(l, 3);
    // Low and middle: where the steps begin; high: where the last one ends.
    const size_t last = key->items - 1;
    const size_t at[2] = {0, last / 2};
    for (int i = 0; i < 2; i++)
        OM_TRY(add_text(l, key->item[at[i]].text, TEXT - 2, false, quiet,
                        x + (int)at[i] * step, *y));
    int width;
    OM_TRY(om_key_text(l->style, key->item[last].text,
                       (unsigned)px(l, TEXT - 2), false, quiet, NULL, 0, 0,
                       l->arena, &width));
    OM_TRY(add_text(l, key->item[last].text, TEXT - 2, false, quiet,
                    x + (int)key->items * step - width, *y));
    *y += px(l, LINE - 4);
    return OM_OK;
}

static om_status add_key(struct layout *l, const struct om_key *key, int *y)
{
    const enum om_palette palette = l->style->palette;
    const int x = px(l, PAD);
    if (key->title[0]) {
        OM_TRY(
            add_text(l, key->title, TITLE, true, text_colour(palette), x, *y));
        *y += px(l, LINE);
    }
    if (key->unit[0]) {
        OM_TRY(add_text(l, key->unit, TEXT - 1, false, quiet_colour(palette), x,
                        *y));
        *y += px(l, LINE - 1);
    }
    for (size_t i = 0; i < key->abouts; i++) {
        OM_TRY(add_text(l, key->about[i], TEXT - 2, false,
                        quiet_colour(palette), x, *y));
        *y += px(l, LINE - 4);
    }
    if (key->title[0] || key->unit[0] || key->abouts) *y += px(l, 4);
    if (key->ramp) return add_ramp(l, key, y);
    for (size_t i = 0; i < key->items; i++) {
        add_swatch(l, &key->item[i], x, *y + px(l, 2));
        OM_TRY(add_text(l, key->item[i].text, TEXT, false, text_colour(palette),
                        x + px(l, SWATCH_W + GAP), *y));
        *y += px(l, LINE);
    }
    return OM_OK;
}

static om_status lay_out(struct layout *l, const struct om_key *key,
                         size_t keys)
{
    int y = px(l, PAD - 2);
    bool first = true;
    for (size_t i = 0; i < keys; i++) {
        if (!key[i].items) continue;
        if (!first) y += px(l, BLOCK_GAP);
        first = false;
        OM_TRY(add_key(l, &key[i], &y));
    }
    if (first) return OM_OK;  // nothing to explain
    l->width += px(l, PAD);
    l->height = y + px(l, PAD - 4);
    return OM_OK;
}

om_status om_keys_size(const struct om_key_style *style,
                       const struct om_key *key, size_t keys,
                       struct om_arena *arena, unsigned *width,
                       unsigned *height)
{
    struct layout l = {.style = style, .arena = arena};
    OM_TRY(lay_out(&l, key, keys));
    *width = (unsigned)l.width;
    *height = (unsigned)l.height;
    return OM_OK;
}

om_status om_keys_draw(const struct om_key_style *style,
                       const struct om_key *key, size_t keys,
                       struct om_canvas *canvas, int64_t x, int64_t y,
                       struct om_arena *arena)
{
    unsigned width, height;
    OM_TRY(om_keys_size(style, key, keys, arena, &width, &height));
    if (!width || !height) return OM_OK;
    om_canvas_box(canvas, x, y, width, height, panel_colour(style->palette));
    struct layout l = {
        .style = style, .canvas = canvas, .x = x, .y = y, .arena = arena};
    return lay_out(&l, key, keys);
}

static om_status note_lay_out(struct layout *l, const struct om_key_note *note)
{
    const enum om_palette palette = l->style->palette;
    const int x = px(l, PAD), bar = (int)note->scale.length_px;
    int y = px(l, PAD - 4);
    OM_TRY(add_text(l, note->scale.text, TEXT - 1, false, text_colour(palette),
                    x, y));
    y += px(l, LINE - 1);
    // A bar with ticks at both ends.
    const int thick = px(l, 2), tick = px(l, 6);
    const struct om_colour ink = text_colour(palette);
    add_box(l, x, y, bar, thick, ink);
    add_box(l, x, y - tick + thick, thick, tick - thick, ink);
    add_box(l, x + bar - thick, y - tick + thick, thick, tick - thick, ink);
    y += px(l, 8);
    if (note->as_of[0]) {
        OM_TRY(add_text(l, note->as_of, TEXT - 1, false, quiet_colour(palette),
                        x, y));
        y += px(l, LINE - 2);
    }
    if (note->source[0]) {
        OM_TRY(add_text(l, note->source, TEXT - 1, false, quiet_colour(palette),
                        x, y));
        y += px(l, LINE - 2);
    }
    if (note->mark[0]) {
        OM_TRY(add_text(l, note->mark, TEXT, true,
                        palette == OM_PALETTE_DARK ? om_colour_of(0xF0C24B)
                                                   : om_colour_of(0x9A6A00),
                        x, y));
        y += px(l, LINE - 1);
    }
    l->width += px(l, PAD);
    l->height = y + px(l, PAD - 4);
    return OM_OK;
}

om_status om_key_note_size(const struct om_key_style *style,
                           const struct om_key_note *note,
                           struct om_arena *arena, unsigned *width,
                           unsigned *height)
{
    struct layout l = {.style = style, .arena = arena};
    OM_TRY(note_lay_out(&l, note));
    *width = (unsigned)l.width;
    *height = (unsigned)l.height;
    return OM_OK;
}

om_status om_key_note_draw(const struct om_key_style *style,
                           const struct om_key_note *note,
                           struct om_canvas *canvas, int64_t x, int64_t y,
                           struct om_arena *arena)
{
    unsigned width, height;
    OM_TRY(om_key_note_size(style, note, arena, &width, &height));
    om_canvas_box(canvas, x, y, width, height, panel_colour(style->palette));
    struct layout l = {
        .style = style, .canvas = canvas, .x = x, .y = y, .arena = arena};
    return note_lay_out(&l, note);
}
