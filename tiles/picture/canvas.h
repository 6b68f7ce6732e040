// canvas.h - pixels to paint on: colours, shapes, masks.
#ifndef OM_TILES_PICTURE_CANVAS_H
#define OM_TILES_PICTURE_CANVAS_H

#include "engine/layer/segment.h"
#include "tiles/picture/raster.h"

/* Red, green, blue and opacity, not multiplied. */
struct om_colour {
    uint8_t r, g, b, a;
};
/* 0xRRGGBB as an initialiser, and as a value; opaque. */
#define OM_COLOUR(hex)                                        \
    {                                                         \
        (uint8_t)((hex) >> 16), (uint8_t)((hex) >> 8 & 0xFF), \
            (uint8_t)((hex)&0xFF), 255                        \
    }
static inline struct om_colour om_colour_of(uint32_t hex)
{
    return (struct om_colour)OM_COLOUR(hex);
}
static inline struct om_colour om_colour_fade(struct om_colour c, uint8_t a)
{
    c.a = a;
    return c;
}

/** What one colour over another looks like. */
struct om_colour om_colour_over(struct om_colour top, struct om_colour below);

/* A view being painted; pixels are premultiplied. Begins transparent. Borrows
 * the memory of an arena. Nothing painted depends on the window. */
struct om_canvas {
    struct om_view view;
    uint8_t (*pixel)[4];  // [height * width]
    struct om_raster raster;
};

om_status om_canvas_init(struct om_canvas *canvas, const struct om_view *view,
                         struct om_arena *arena) OM_MUST_USE;
/** Cover everything with one colour, whatever was there. */
void om_canvas_flood(struct om_canvas *canvas, struct om_colour colour);
/** Paint over what the raster covers, and empty the raster. */
void om_canvas_fill(struct om_canvas *canvas, struct om_colour colour);
/** Add light instead of painting over: shapes that share borders exactly fill
 *  their pixels together, without a seam. */
void om_canvas_add(struct om_canvas *canvas, struct om_colour colour);
/** Paint every eighth diagonal, two pixels of design wide. */
void om_canvas_hatch(struct om_canvas *canvas, struct om_colour colour);
/** Paint a mask of covers, its corner at pixel x, y of the world. */
void om_canvas_mask(struct om_canvas *canvas, int64_t x, int64_t y,
                    unsigned width, unsigned height, const uint8_t *cover,
                    struct om_colour colour);
/** Fill a rectangle of whole pixels of the world. */
void om_canvas_box(struct om_canvas *canvas, int64_t x, int64_t y,
                   unsigned width, unsigned height, struct om_colour colour);
/** Paint one pixel of the view. */
void om_canvas_dot(struct om_canvas *canvas, unsigned x, unsigned y,
                   struct om_colour colour);
/** Put a picture of the same size on top; premultiplied, as `pixel` is. */
void om_canvas_over(struct om_canvas *canvas, const uint8_t (*pixel)[4]);

/* ---- outlines into the raster ---- */

/** All rings of a polygon, or of every part of it. */
void om_canvas_polygon(struct om_canvas *canvas, const struct om_rings *rings,
                       size_t shape);

enum om_cap { OM_CAP_BUTT, OM_CAP_ROUND };
/* How a line is drawn. Dashes begin at the line's first vertex. */
struct om_stroke {
    int width;        // 1/256 pixel
    enum om_cap cap;  // joins are round
    int dash, gap;    // 1/256 pixel; dash 0: none
};
/** Pixels beyond those that a line lies on that a stroke of this width reaches:
 *  half of it from their far side, ends being off by 1/256 pixel at most. */
static inline unsigned om_stroke_reach_px(int width)
{
    return ((unsigned)width / 2 + 255) / 256;
}
/** A line along vertices; `closed`: back to the first. Vertices that change it
 *  by less than a sixth of a pixel are passed over. */
void om_canvas_stroke(struct om_canvas *canvas, const struct om_pos *vertex,
                      size_t count, bool closed,
                      const struct om_stroke *stroke);
/** All rings, or all lines, of a shape. closed: of polygons. */
void om_canvas_outline(struct om_canvas *canvas, const struct om_rings *rings,
                       size_t shape, bool closed,
                       const struct om_stroke *stroke);
/** A disc around a place of the view. */
void om_canvas_disc(struct om_canvas *canvas, struct om_spot at, int radius);
/* What stands for a row: classified risk has a shape besides its colour. */
enum om_mark {
    OM_MARK_DISC,
    OM_MARK_SQUARE,
    OM_MARK_DIAMOND,
    OM_MARK_TRIANGLE
};
/** A mark around a place, within the square that a disc of that radius has. */
void om_canvas_mark(struct om_canvas *canvas, enum om_mark mark,
                    struct om_spot at, int radius);

#endif
