// canvas.c - painting covers and masks onto premultiplied pixels.
#include "tiles/picture/canvas.h"

#include <string.h>

#include "data/base/clones.h"

/* x / 255 rounded, for x up to 65535. */
static inline unsigned over_255(unsigned x)
{
    x += 128;
    return (x + (x >> 8)) >> 8;
}

struct ink {
    uint8_t at[4];  // premultiplied
};

static struct ink ink_of(struct om_colour c)
{
    return (struct ink){{(uint8_t)over_255((unsigned)c.r * c.a),
                         (uint8_t)over_255((unsigned)c.g * c.a),
                         (uint8_t)over_255((unsigned)c.b * c.a), c.a}};
}

static uint8_t mixed(uint8_t top, unsigned by, uint8_t below, unsigned rest)
{
    return (uint8_t)((top * by + below * rest + (by + rest) / 2) / (by + rest));
}

struct om_colour om_colour_over(struct om_colour top, struct om_colour below)
{
    const unsigned by = top.a, rest = over_255((255u - top.a) * below.a);
    if (!by && !rest) return (struct om_colour){0};
    return (struct om_colour){
        mixed(top.r, by, below.r, rest), mixed(top.g, by, below.g, rest),
        mixed(top.b, by, below.b, rest), (uint8_t)(by + rest)};
}

om_status om_canvas_init(struct om_canvas *canvas, const struct om_view *view,
                         struct om_arena *arena)
{
    *canvas = (struct om_canvas){.view = *view};
    canvas->pixel =
        om_arena_calloc(arena, (size_t)view->width * view->height, 4);
    if (!canvas->pixel) return OM_E_MEMORY;
    return om_raster_init(&canvas->raster, view->width, view->height, arena);
}

static void set_run(uint8_t (*pixel)[4], size_t n, struct ink ink)
{
    uint32_t four, *out = (uint32_t *)(void *)pixel;
    memcpy(&four, ink.at, 4);
    for (size_t i = 0; i < n; i++) out[i] = four;
}

void om_canvas_flood(struct om_canvas *canvas, struct om_colour colour)
{
    set_run(canvas->pixel, (size_t)canvas->view.width * canvas->view.height,
            ink_of(colour));
}

/* Four channels at once, two to a word of 16 bits each: every one of them is
 * over_255 of itself. */
static inline uint32_t scale_four(uint32_t four, uint32_t by)
{
    uint32_t even = (four & 0xFF00FF) * by + 0x800080;
    uint32_t odd = (four >> 8 & 0xFF00FF) * by + 0x800080;
    even = (even + (even >> 8 & 0xFF00FF)) >> 8 & 0xFF00FF;
    odd = (odd + (odd >> 8 & 0xFF00FF)) & 0xFF00FF00;
    return even | odd;
}

static void blend_run(uint8_t (*pixel)[4], unsigned n, const uint8_t *cover,
                      struct ink ink)
{
    uint32_t four, now;
    memcpy(&four, ink.at, 4);
    for (unsigned i = 0; i < n; i++) {
        const uint32_t over = scale_four(four, cover[i]);
        uint8_t a[4];
        memcpy(a, &over, 4);
        memcpy(&now, pixel[i], 4);
        now = over + scale_four(now, 255u - a[3]);
        memcpy(pixel[i], &now, 4);
    }
}

/* Covers as they come: full ones need no blending. */
static void paint_run(uint8_t (*pixel)[4], unsigned n, const uint8_t *cover,
                      struct ink ink)
{
    unsigned i = 0;
    while (i < n) {
        unsigned from = i;
        while (i < n && cover[i] == 0) i++;
        from = i;
        if (ink.at[3] == 255) {
            while (i < n && cover[i] == 255) i++;
            set_run(pixel + from, i - from, ink);
            from = i;
        }
        while (i < n && cover[i] != 0 && (cover[i] != 255 || ink.at[3] != 255))
            i++;
        blend_run(pixel + from, i - from, cover + from, ink);
    }
}

struct paint {
    struct om_canvas *canvas;
    struct ink ink;
};

static void take_fill(void *ctx, unsigned y, unsigned x, unsigned n,
                      const uint8_t *cover)
{
    const struct paint *p = ctx;
    paint_run(p->canvas->pixel + (size_t)y * p->canvas->view.width + x, n,
              cover, p->ink);
}

void om_canvas_fill(struct om_canvas *canvas, struct om_colour colour)
{
    struct paint p = {canvas, ink_of(colour)};
    om_raster_sweep(&canvas->raster, take_fill, &p);
}

static void take_add(void *ctx, unsigned y, unsigned x, unsigned n,
                     const uint8_t *cover)
{
    const struct paint *p = ctx;
    uint8_t(*pixel)[4] =
        p->canvas->pixel + (size_t)y * p->canvas->view.width + x;
    for (unsigned i = 0; i < n; i++) {
        if (!cover[i]) continue;
        // No light exceeds the opacity: three roundings may meet.
        unsigned a = pixel[i][3] + over_255(p->ink.at[3] * (unsigned)cover[i]);
        if (a > 255) a = 255;
        for (unsigned k = 0; k < 3; k++) {
            const unsigned c =
                pixel[i][k] + over_255(p->ink.at[k] * (unsigned)cover[i]);
            pixel[i][k] = (uint8_t)(c < a ? c : a);
        }
        pixel[i][3] = (uint8_t)a;
    }
}

void om_canvas_add(struct om_canvas *canvas, struct om_colour colour)
{
    struct paint p = {canvas, ink_of(colour)};
    om_raster_sweep(&canvas->raster, take_add, &p);
}

static void take_hatch(void *ctx, unsigned y, unsigned x, unsigned n,
                       const uint8_t *cover)
{
    const struct paint *p = ctx;
    const struct om_view *view = &p->canvas->view;
    const int64_t period = 8 * (int64_t)view->ratio;
    for (unsigned i = 0; i < n; i++) {
        const int64_t diagonal = view->x + x + i + view->y + y;
        if (((diagonal % period) + period) % period < 2 * (int64_t)view->ratio)
            blend_run(p->canvas->pixel + (size_t)y * view->width + x + i, 1,
                      cover + i, p->ink);
    }
}

void om_canvas_hatch(struct om_canvas *canvas, struct om_colour colour)
{
    struct paint p = {canvas, ink_of(colour)};
    om_raster_sweep(&canvas->raster, take_hatch, &p);
}

/* The part [*from, *end) of [at, at + n) that lies in [0, side). */
static bool within(int64_t at, unsigned n, unsigned side, unsigned *from,
                   unsigned *end)
{
    if (at >= side || at + n <= 0) return false;
    *from = at < 0 ? (unsigned)-at : 0;
    *end = at + n > side ? (unsigned)(side - at) : n;
    return true;
}

void om_canvas_mask(struct om_canvas *canvas, int64_t x, int64_t y,
                    unsigned width, unsigned height, const uint8_t *cover,
                    struct om_colour colour)
{
    const struct om_view *v = &canvas->view;
    const int64_t left = x - v->x, top = y - v->y;
    unsigned x0, x1, y0, y1;
    if (!within(left, width, v->width, &x0, &x1) ||
        !within(top, height, v->height, &y0, &y1))
        return;
    const struct ink ink = ink_of(colour);
    for (unsigned row = y0; row < y1; row++)
        paint_run(canvas->pixel + (size_t)(top + row) * v->width +
                      (size_t)(left + x0),
                  x1 - x0, cover + (size_t)row * width + x0, ink);
}

void om_canvas_box(struct om_canvas *canvas, int64_t x, int64_t y,
                   unsigned width, unsigned height, struct om_colour colour)
{
    static const uint8_t full[64] = {
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    const struct om_view *v = &canvas->view;
    const int64_t left = x - v->x, top = y - v->y;
    unsigned x0, x1, y0, y1;
    if (!within(left, width, v->width, &x0, &x1) ||
        !within(top, height, v->height, &y0, &y1))
        return;
    const struct ink ink = ink_of(colour);
    for (unsigned row = y0; row < y1; row++)
        for (unsigned at = x0; at < x1; at += 64)
            paint_run(canvas->pixel + (size_t)(top + row) * v->width +
                          (size_t)(left + at),
                      x1 - at < 64 ? x1 - at : 64, full, ink);
}

void om_canvas_dot(struct om_canvas *canvas, unsigned x, unsigned y,
                   struct om_colour colour)
{
    static const uint8_t full = 255;
    paint_run(canvas->pixel + (size_t)y * canvas->view.width + x, 1, &full,
              ink_of(colour));
}

OM_CLONES
void om_canvas_over(struct om_canvas *canvas, const uint8_t (*pixel)[4])
{
    const size_t n = (size_t)canvas->view.width * canvas->view.height;
    for (size_t i = 0; i < n; i++) {
        const unsigned a = 255u - pixel[i][3];
        for (unsigned k = 0; k < 4; k++)
            canvas->pixel[i][k] =
                (uint8_t)(pixel[i][k] + over_255(canvas->pixel[i][k] * a));
    }
}
