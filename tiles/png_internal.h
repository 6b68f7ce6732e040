// png_internal.h - what the files that know libpng share.
#ifndef OM_TILES_PNG_INTERNAL_H
#define OM_TILES_PNG_INTERNAL_H

#include <png.h>

#include "tiles/png.h"

/* libpng's two halves, for writing or reading, with our memory and without its
 * messages. It leaves by longjmp: whoever calls into it after init has a setjmp
 * (png_jmpbuf(png)), and what changes after that lies on the heap or is the
 * caller's. Zero is a valid empty one. */
struct om__png {
    png_structp png;
    png_infop info;
    bool reads;
    struct om_buf *out;  // of a writer: where all bytes go
};
/** Make a writer into `out`. OM_E_MEMORY; deinit is needed all the same. */
om_status om__png_init_write(struct om__png *png,
                             struct om_buf *out) OM_MUST_USE;
/** Make a reader; the caller sets where bytes come from. The same. */
om_status om__png_init_read(struct om__png *png) OM_MUST_USE;
void om__png_deinit(struct om__png *png);
/** Why a writer has left. */
om_status om__png_why(const struct om__png *png);

#endif
