// heatmap.c - windows of a field laid over a canvas.
#include "tiles/picture/heatmap.h"

#include <string.h>

/* Deepest zoom that windows are asked for. */
#define ZOOM_MAX 22
#define SIDE OM_TILE_SIDE_PX

/* The zoom that a scale is painted from: the next one that is as fine. */
struct finer {
    unsigned z;
    uint64_t world;  // width of the world at that zoom, 1/256 pixel
    uint64_t from;   // of the scale
};

static struct finer finer_of(const struct om_view *view)
{
    struct finer f = {.world = (uint64_t)SIDE << 8, .from = view->world};
    while (f.world < view->world && f.z < ZOOM_MAX) {
        f.world *= 2;
        f.z++;
    }
    return f;
}

/* The pixel of the finer world that the middle of a canvas' pixel lies in. */
static int64_t source_of(const struct finer *f, int64_t px)
{
    __extension__ typedef __int128 wide;
    if (f->from == f->world) return px;
    // (px + 1/2) / from = source / world
    const wide twice = ((wide)px * 2 + 1) * f->world;
    return (int64_t)(twice / (wide)(2 * f->from));
}

int64_t om_heatmap_next(const struct om_view *view, int64_t px)
{
    const struct finer f = finer_of(view);
    const int64_t tile = source_of(&f, px) / SIDE;
    int64_t low = px, high = px + 2 * SIDE;  // in this tile; beyond it
    while (high - low > 1) {
        const int64_t mid = low + (high - low) / 2;
        if (source_of(&f, mid) / SIDE == tile)
            low = mid;
        else
            high = mid;
    }
    return high;
}

/* A canvas and a window that is laid over it. */
struct laying {
    struct om_canvas *canvas;
    struct finer finer;
    float *value;
    uint8_t (*rgba)[4];
};

/* Pixels [*first, *end) of `count` from `start` on whose source is in tile t.
 */
static void span_of(const struct laying *l, int64_t start, unsigned count,
                    int64_t tile, unsigned *first, unsigned *end)
{
    unsigned i = 0;
    while (i < count && source_of(&l->finer, start + i) < tile * SIDE) i++;
    *first = i;
    while (i < count && source_of(&l->finer, start + i) < (tile + 1) * SIDE)
        i++;
    *end = i;
}

static void lay_tile(const struct laying *l, int64_t tile_x, int64_t tile_y,
                     uint8_t (*over)[4])
{
    const struct om_view *v = &l->canvas->view;
    unsigned x0, x1, y0, y1;
    span_of(l, v->x, v->width, tile_x, &x0, &x1);
    span_of(l, v->y, v->height, tile_y, &y0, &y1);
    for (unsigned y = y0; y < y1; y++) {
        const int64_t row = source_of(&l->finer, v->y + y) - tile_y * SIDE;
        for (unsigned x = x0; x < x1; x++) {
            const int64_t col = source_of(&l->finer, v->x + x) - tile_x * SIDE;
            memcpy(over[(size_t)y * v->width + x], l->rgba[row * SIDE + col],
                   4);
        }
    }
}

/* Straight to premultiplied. */
static void multiply(uint8_t (*pixel)[4], size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++)
            pixel[i][k] = (uint8_t)((pixel[i][k] * pixel[i][3] + 127) / 255);
}

om_status om_heatmap_draw(struct om_fields *fields, const struct om_risk *risk,
                          const struct om_legend *legend,
                          struct om_canvas *canvas, struct om_arena *arena)
{
    const struct om_view *v = &canvas->view;
    struct laying l = {.canvas = canvas, .finer = finer_of(v)};
    const size_t pixels = (size_t)v->width * v->height;
    uint8_t(*over)[4] = om_arena_calloc(arena, pixels, 4);
    l.value = om_arena_alloc(arena, (size_t)SIDE * SIDE * sizeof *l.value);
    l.rgba = om_arena_alloc(arena, (size_t)SIDE * SIDE * 4);
    if (!over || !l.value || !l.rgba) return OM_E_MEMORY;
    const int64_t tiles = (int64_t)1 << l.finer.z;
    struct om_arena scratch = {0};
    om_status st = OM_OK;
    const int64_t x1 = source_of(&l.finer, v->x + v->width - 1) / SIDE;
    const int64_t y1 = source_of(&l.finer, v->y + v->height - 1) / SIDE;
    for (int64_t y = source_of(&l.finer, v->y) / SIDE; y <= y1 && !st; y++)
        for (int64_t x = source_of(&l.finer, v->x) / SIDE; x <= x1 && !st;
             x++) {
            if (x < 0 || y < 0 || x >= tiles || y >= tiles) continue;
            const struct om_field_window window = {.z = l.finer.z,
                                                   .x = (uint32_t)x,
                                                   .y = (uint32_t)y,
                                                   .side_px = SIDE};
            st = om_risk_shown(fields, risk, &window, legend, &scratch,
                               l.value);
            if (!st)
                st = om_legend_colours(legend, l.value, SIDE, &scratch, l.rgba);
            if (!st) lay_tile(&l, x, y, over);
            om_arena_reset(&scratch);
        }
    om_arena_deinit(&scratch);
    if (st) return st;
    multiply(over, pixels);
    om_canvas_over(canvas, (const uint8_t(*)[4])over);
    return OM_OK;
}
