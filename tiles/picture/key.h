// key.h - what explains a picture: legend, scale bar, lines of words.
#ifndef OM_TILES_PICTURE_KEY_H
#define OM_TILES_PICTURE_KEY_H

#include "tiles/picture/picture.h"

enum om_key_form {
    OM_KEY_AREA,
    OM_KEY_DOT,
    OM_KEY_LINE,
    OM_KEY_HATCH,
    OM_KEY_OUTLINE
};
struct om_key_item {
    char text[OM_LIMIT_NAME_BYTES * 4];
    enum om_key_form form;
    struct om_colour colour;
    enum om_mark mark;  // of dots
};
/* The legend of one picture: items one below the other, or (a ramp) a bar with
 * texts at its ends. */
#define OM_KEY_ITEMS 22
/* Lines below the title: period, filter, method. */
#define OM_KEY_ABOUTS 14
#define OM_KEY_ABOUT_BYTES 160
struct om_key {
    char title[OM_LIMIT_NAME_BYTES * 4];
    char unit[OM_LIMIT_NAME_BYTES * 2];
    size_t abouts;
    char about[OM_KEY_ABOUTS][OM_KEY_ABOUT_BYTES];
    bool ramp;
    size_t items;
    struct om_key_item item[OM_KEY_ITEMS];
};
/** The legend of a picture; no items where it needs none. seen: of who asks: a
 *  value that names a layer which is not there for them has no title; NULL: all
 *  is there. */
void om_key_of(const struct om_picture *picture, enum om_language language,
               const struct om_snapshot *seen, struct om_key *out);
/** The legend of a heat map. */
void om_key_of_heat(const struct om_legend *legend, const char *title,
                    const char *unit, enum om_language language,
                    struct om_key *out);

/* How legends are drawn. */
struct om_key_style {
    struct om_font *font;
    enum om_palette palette;
    unsigned ratio;
};
/** Size of a panel of legends, in pixels. */
om_status om_keys_size(const struct om_key_style *style,
                       const struct om_key *key, size_t keys,
                       struct om_arena *arena, unsigned *width,
                       unsigned *height) OM_MUST_USE;
/** Draw the panel with its corner at a pixel of the world. */
om_status om_keys_draw(const struct om_key_style *style,
                       const struct om_key *key, size_t keys,
                       struct om_canvas *canvas, int64_t x, int64_t y,
                       struct om_arena *arena) OM_MUST_USE;

/** Draw one line of text, its left end at x, its base line at y, pixels of the
 *  world; *width (may be NULL) is how long it is. font NULL: nothing. */
om_status om_key_text(const struct om_key_style *style, const char *text,
                      unsigned size_px, bool bold, struct om_colour colour,
                      struct om_canvas *canvas, int64_t x, int64_t y,
                      struct om_arena *arena, int *width) OM_MUST_USE;

/* A scale bar: a round length on the ground. */
struct om_key_scale {
    double length_m;
    unsigned length_px;
    char text[32];  // "2 km", "500 m"
};
void om_key_scale_of(double px_per_m, unsigned ratio, enum om_language language,
                     struct om_key_scale *out);
/* What stands in the corner beside the legend: scale bar, and lines of words,
 * of which the last may be marked (made-up data says so). */
struct om_key_note {
    struct om_key_scale scale;
    char as_of[64];    // 数据截至 ...; empty: none
    char source[160];  // 来源 ...: who the data comes from; empty: none
    char mark[64];     // 合成数据; empty: none
};
om_status om_key_note_size(const struct om_key_style *style,
                           const struct om_key_note *note,
                           struct om_arena *arena, unsigned *width,
                           unsigned *height) OM_MUST_USE;
om_status om_key_note_draw(const struct om_key_style *style,
                           const struct om_key_note *note,
                           struct om_canvas *canvas, int64_t x, int64_t y,
                           struct om_arena *arena) OM_MUST_USE;

#endif
