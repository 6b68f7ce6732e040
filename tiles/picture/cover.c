// cover.c - the covers of units, pixel by pixel, as runs.
#include "tiles/picture/cover.h"

#include <string.h>

#include "tiles/picture/choropleth.h"
#include "tiles/varint.h"

/* What a run of pixels is: the two low bits of its first number. */
enum { NOTHING, ONE_UNIT, PARTS };
#define FULL 255

/* So much of a pixel lies in a unit. */
struct part {
    uint32_t pixel;
    uint16_t unit;  // of the tile, from 0
    uint8_t cover;
};

struct covering {
    const struct om_level *level;
    struct om_canvas canvas;
    struct om_arena *arena;
    size_t pixels;
    // units of the tile, in the order in which they are met
    uint32_t *unit;
    size_t units;
    // parts as they are found, then by pixel: those of one from first[pixel] on
    struct part *part;
    size_t parts, room;
    uint32_t *first;
    bool found;  // does the unit at hand cover anything?
    om_status status;
};

static om_status grow(struct covering *c)
{
    const size_t room = c->room ? 2 * c->room : c->pixels + 1024;
    struct part *more = om_arena_alloc(c->arena, room * sizeof *more);
    if (!more) return OM_E_MEMORY;
    if (c->parts) memcpy(more, c->part, c->parts * sizeof *more);
    c->part = more;
    c->room = room;
    return OM_OK;
}

static void take_unit(void *ctx, unsigned y, unsigned x, unsigned n,
                      const uint8_t *cover)
{
    struct covering *c = ctx;
    for (unsigned i = 0; i < n && !c->status; i++) {
        if (!cover[i]) continue;
        if (c->parts == c->room) c->status = grow(c);
        if (c->status) return;
        c->part[c->parts++] =
            (struct part){.pixel = y * c->canvas.view.width + x + i,
                          .unit = (uint16_t)c->units,
                          .cover = cover[i]};
        c->found = true;
    }
}

static void add_unit(void *ctx, size_t unit)
{
    struct covering *c = ctx;
    const struct om_units *units = &c->level->units;
    if (c->status || c->units == UINT16_MAX) return;
    c->found = false;
    om_canvas_polygon(&c->canvas, &units->rings, units->unit[unit].row);
    om_raster_sweep(&c->canvas.raster, take_unit, c);
    if (c->found) c->unit[c->units++] = (uint32_t)unit;
}

/* By pixel, those of one in the order of units. */
static om_status put_in_order(struct covering *c)
{
    struct part *sorted =
        om_arena_alloc(c->arena, (c->parts + 1) * sizeof *sorted);
    c->first = om_arena_calloc(c->arena, c->pixels + 2, sizeof *c->first);
    if (!sorted || !c->first) return OM_E_MEMORY;
    for (size_t i = 0; i < c->parts; i++) c->first[c->part[i].pixel + 2]++;
    for (size_t p = 2; p < c->pixels + 2; p++) c->first[p] += c->first[p - 1];
    for (size_t i = 0; i < c->parts; i++)
        sorted[c->first[c->part[i].pixel + 1]++] = c->part[i];
    c->part = sorted;
    return OM_OK;
}

/* The unit that a pixel lies in whole; SIZE_MAX: in none or several, *n. */
static size_t whole_of(const struct covering *c, size_t pixel, uint32_t *n)
{
    const uint32_t from = c->first[pixel];
    *n = c->first[pixel + 1] - from;
    return *n == 1 && c->part[from].cover == FULL ? c->part[from].unit
                                                  : SIZE_MAX;
}

static void write_parts(const struct covering *c, size_t pixel, uint32_t n,
                        struct om_buf *out)
{
    const struct part *part = c->part + c->first[pixel];
    om_varint_add(out, (uint64_t)n << 2 | PARTS);
    for (uint32_t i = 0; i < n; i++) {
        om_varint_add(out, part[i].unit);
        om_buf_add_byte(out, part[i].cover);
    }
}

static void write_pixels(const struct covering *c, struct om_buf *out)
{
    for (size_t p = 0; p < c->pixels;) {
        uint32_t n, next;
        const size_t unit = whole_of(c, p, &n);
        if (unit == SIZE_MAX && n) {
            write_parts(c, p++, n, out);
            continue;
        }
        size_t end = p + 1;
        while (end < c->pixels && whole_of(c, end, &next) == unit &&
               (unit != SIZE_MAX || !next))
            end++;
        om_varint_add(out, (uint64_t)(end - p) << 2 | (n ? ONE_UNIT : NOTHING));
        if (n) om_varint_add(out, unit);
        p = end;
    }
}

/* ---- borders ---- */

struct mask {
    uint8_t *cover;
    unsigned width;
};

static void take_border(void *ctx, unsigned y, unsigned x, unsigned n,
                        const uint8_t *cover)
{
    const struct mask *m = ctx;
    memcpy(m->cover + (size_t)y * m->width + x, cover, n);
}

/* Runs without a border and with one, in turn. */
static om_status write_borders(struct covering *c, struct om_buf *out)
{
    struct mask mask = {.width = c->canvas.view.width};
    mask.cover = om_arena_calloc(c->arena, c->pixels + 1, 1);
    if (!mask.cover) return OM_E_MEMORY;
    if (om_choropleth_borders(c->level, &c->canvas))
        om_raster_sweep(&c->canvas.raster, take_border, &mask);
    for (size_t p = 0; p < c->pixels;) {
        size_t end = p;
        while (end < c->pixels && !mask.cover[end]) end++;
        om_varint_add(out, end - p);
        for (p = end; end < c->pixels && mask.cover[end];) end++;
        if (p == c->pixels) break;
        om_varint_add(out, end - p);
        om_buf_add(out, mask.cover + p, end - p);
        p = end;
    }
    return OM_OK;
}

static void write_head(const struct covering *c, struct om_buf *out)
{
    om_buf_add(out, "OMU1", 4);
    om_varint_add(out, c->canvas.view.width);
    om_varint_add(out, c->units);
    for (size_t i = 0; i < c->units; i++) {
        const char *id = c->level->units.unit[c->unit[i]].id;
        om_varint_add(out, strlen(id));
        om_buf_add(out, id, strlen(id));
    }
}

om_status om_cover_write(const struct om_level *level,
                         const struct om_view *view, struct om_arena *arena,
                         struct om_buf *out)
{
    struct covering c = {.level = level,
                         .arena = arena,
                         .pixels = (size_t)view->width * view->height};
    OM_TRY(om_canvas_init(&c.canvas, view, arena));
    c.unit = om_arena_calloc(arena, level->units.count + 1, sizeof *c.unit);
    if (!c.unit) return OM_E_MEMORY;
    om_level_each(level, om_view_box(view, OM_CHOROPLETH_PX), add_unit, &c);
    if (c.status || !c.parts) return c.status;
    OM_TRY(put_in_order(&c));
    write_head(&c, out);
    write_pixels(&c, out);
    OM_TRY(write_borders(&c, out));
    return out->status;
}
