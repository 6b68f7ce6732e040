// quant.h - the fixed colours of a style, and the nearest of them.
#ifndef OM_TILES_PICTURE_QUANT_H
#define OM_TILES_PICTURE_QUANT_H

#include "data/base/buf.h"
#include "tiles/picture/canvas.h"

/* At most 256 colours, chosen for a style and not for a picture: every tile
 * rounds the same colour to the same, so neighbours continue each other.
 * threads: any, once built. */
struct om_quant;

om_status om_quant_new(struct om_quant **out) OM_MUST_USE;
void om_quant_free(struct om_quant *quant);
/** Add a colour, unless it is there or all 256 are taken. The first is what
 *  `transparent` becomes if it is not added itself. */
void om_quant_add(struct om_quant *quant, struct om_colour colour);
/** Add what lies between two colours, in `steps` steps. */
void om_quant_ramp(struct om_quant *quant, struct om_colour from,
                   struct om_colour to, unsigned steps);
size_t om_quant_count(const struct om_quant *quant);
/** Number of the colour nearest to a premultiplied one. */
uint8_t om_quant_nearest(struct om_quant *quant, const uint8_t pixel[4]);
/** That colour, not premultiplied. */
struct om_colour om_quant_colour(const struct om_quant *quant, uint8_t i);

/**
 * Write a canvas as palette PNG with the colours it has.
 * returns  OM_E_MEMORY
 * cost     256 x 256: some 0.1 ms and the PNG's (tiles/png.h)
 */
om_status om_quant_png(struct om_quant *quant, const struct om_canvas *canvas,
                       struct om_arena *arena, struct om_buf *png) OM_MUST_USE;

#endif
