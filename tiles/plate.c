// plate.c - rows of mercator pictures in the order of latitudes.
#include "tiles/plate.h"

#include <math.h>
#include <string.h>

#include "data/model/earth.h"
#include "tiles/png.h"

void om_plate_rows(unsigned z, uint32_t row, unsigned side_px, uint32_t *out)
{
    const double side_deg = ldexp(360.0, -(int)z);
    const double rows = ldexp(side_px, (int)z);
    for (unsigned i = 0; i < side_px; i++) {
        const double lat_deg = 90.0 - (row + (i + 0.5) / side_px) * side_deg;
        const double north =
            0.5 - asinh(tan(lat_deg * OM_RAD_PER_DEG)) / (2 * OM_PI);
        const double at = floor(north * rows);
        out[i] = at >= 0 && at < rows ? (uint32_t)at : OM_PLATE_NONE;
    }
}

/* Colours in use, by open addressing: at most 256. */
struct colours {
    uint8_t rgba[256][4];
    unsigned count;
    uint16_t slot[1024];  // number + 1; 0: empty
};

/* Number of a colour; -1: there are too many. */
static int number_of(struct colours *c, uint32_t rgba)
{
    unsigned at = rgba * UINT32_C(2654435761) >> 22;
    for (; c->slot[at]; at = (at + 1) % 1024)
        if (!memcmp(c->rgba[c->slot[at] - 1], &rgba, 4)) return c->slot[at] - 1;
    if (c->count == 256) return -1;
    memcpy(c->rgba[c->count], &rgba, 4);
    c->slot[at] = (uint16_t)++c->count;
    return (int)c->count - 1;
}

static om_status write_picture(const uint32_t *pixel, unsigned side_px,
                               struct om_arena *arena, struct om_buf *png)
{
    const size_t n = (size_t)side_px * side_px;
    struct colours *c = om_arena_calloc(arena, 1, sizeof *c);
    uint8_t *index = om_arena_alloc(arena, n);
    if (!c || !index) return OM_E_MEMORY;
    int last = -1;
    for (size_t i = 0; i < n; i++) {
        if (!i || pixel[i] != pixel[i - 1]) last = number_of(c, pixel[i]);
        if (last < 0)
            return om_png_rgba((const uint8_t *)pixel, side_px, side_px, png);
        index[i] = (uint8_t)last;
    }
    return om_png_palette(index, side_px, side_px, (const uint8_t(*)[4])c->rgba,
                          c->count, png);
}

static om_status read_parts(unsigned side_px, const struct om_plate_part *part,
                            size_t parts, struct om_arena *arena,
                            const uint32_t **pixel)
{
    for (size_t i = 0; i < parts; i++) {
        uint32_t *p = om_arena_calloc(arena, (size_t)side_px * side_px, 4);
        if (!p) return OM_E_MEMORY;
        OM_TRY(om_png_read(part[i].png, part[i].len, side_px, side_px,
                           (uint8_t *)p));
        pixel[i] = p;
    }
    return OM_OK;
}

om_status om_plate_tile(unsigned z, uint32_t row, unsigned side_px,
                        const struct om_plate_part *part, size_t parts,
                        struct om_arena *arena, struct om_buf *png)
{
    const size_t n = (size_t)side_px * side_px;
    uint32_t *from = om_arena_calloc(arena, side_px, sizeof *from);
    uint32_t *out = om_arena_calloc(arena, n, sizeof *out);
    const uint32_t **pixel = om_arena_calloc(arena, parts + 1, sizeof *pixel);
    if (!from || !out || !pixel) return OM_E_MEMORY;
    OM_TRY(read_parts(side_px, part, parts, arena, pixel));
    om_plate_rows(z, row, side_px, from);
    for (unsigned y = 0; y < side_px; y++) {
        if (from[y] == OM_PLATE_NONE) continue;
        size_t i = 0;
        while (i < parts && part[i].row != from[y] / side_px) i++;
        if (i == parts) return OM_E_NOTFOUND;
        memcpy(out + (size_t)y * side_px,
               pixel[i] + (size_t)(from[y] % side_px) * side_px, side_px * 4);
    }
    return write_picture(out, side_px, arena, png);
}
