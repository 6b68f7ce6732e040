// font.h - letters: shaping by HarfBuzz, pictures of glyphs by FreeType.
#ifndef OM_TILES_PICTURE_FONT_H
#define OM_TILES_PICTURE_FONT_H

#include <stdbool.h>

#include "data/base/arena.h"
#include "data/base/status.h"

/* A sans for Chinese and Latin in two weights, and the glyphs drawn so far.
 * threads: any. */
struct om_font;

/** Environment variable with font files that are tried before those below:
 *  regular, then (if it is there) bold, separated by a colon. */
#define OM_FONT_VARIABLE "ONEMAP_FONTS"

/**
 * Open the fonts.
 *
 * paths    "regular[:bold]"; NULL: what OM_FONT_VARIABLE says, else where
 *          distributions put Noto Sans CJK, Source Han Sans or WenQuanYi.
 *          Of a collection the simplified Chinese face is taken.
 * returns  OM_E_NOTFOUND (err says where it was looked for), OM_E_FORMAT (a
 *          file is no font), OM_E_MEMORY
 * owns     *out: om_font_close
 */
om_status om_font_open(const char *paths, struct om_font **out,
                       struct om_err *err) OM_MUST_USE;
void om_font_close(struct om_font *font);

/** Smallest and largest size of letters. */
#define OM_FONT_SIZE_MIN 6
#define OM_FONT_SIZE_MAX 160

struct om_face {
    bool bold;
    unsigned size_px;  // of the em square
};

/* One glyph of a text: where it stands on the line, and how far the next is.
 * Whole pixels, so that every glyph is drawn crisp and only once. */
struct om_text_glyph {
    uint32_t glyph;
    int x, advance;
    size_t at;  // byte of the text that it came from
};
struct om_text {
    size_t glyphs;
    struct om_text_glyph *glyph;
    int width;
    int ascent, descent;  // of the em square around the base line
};
/** Lay a text out on one line. What the font has no glyph for is left out.
 *  returns OM_E_RANGE (size), OM_E_MEMORY. owns: memory of the arena */
om_status om_text_shape(struct om_font *font, struct om_face face,
                        const char *text, size_t len, struct om_arena *arena,
                        struct om_text *out) OM_MUST_USE;

/* The picture of a glyph: covers [height * width], its corner at (left, top)
 * from the pen, top growing downward. */
struct om_mask {
    unsigned width, height;
    int left, top;
    const uint8_t *cover;
};
/**
 * Draw a glyph, or take it from those drawn.
 *
 * turn     clockwise, in 1/256 of a full turn; upright glyphs are hinted
 * halo     1/16 pixel around it that are covered too
 * returns  OM_E_RANGE (size, halo), OM_E_MEMORY; a glyph that the font cannot
 *          draw is empty
 * owns     *out is the font's, or the arena's once it keeps enough of them
 */
om_status om_font_glyph(struct om_font *font, struct om_face face,
                        uint32_t glyph, unsigned turn, unsigned halo,
                        struct om_arena *arena,
                        struct om_mask *out) OM_MUST_USE;

#endif
