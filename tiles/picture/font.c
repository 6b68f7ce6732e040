/* font.c - fonts found, texts laid out, glyphs drawn and kept.
 *
 * DESIGN
 * A glyph is drawn once for each size, turn and halo, and then only copied:
 * texts stand on whole pixels. A halo is the glyph's own picture spread by a
 * soft disc, which costs less than stroking its outline and has no corners.
 * FreeType is used under a lock; HarfBuzz's face and font are immutable.
 */
#include "tiles/picture/font.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_MODULE_H
#include FT_OUTLINE_H
#include <hb-ot.h>
#include <hb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/model/earth.h"

#define PATH_BYTES 512
/* Bytes of glyphs kept; a city's names at all zooms need some 10 MB. */
#define KEPT_BYTES ((size_t)32 << 20)
#define SLOTS_FIRST 1024
/* Longest text: names, not documents. */
#define TEXT_BYTES 1024

/* Regular and bold, in the order they are tried. */
static const char *const PLACES[][2] = {
    {"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
     "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"},
    {"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
     "/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc"},
    {"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
     "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc"},
    {"/usr/share/fonts/adobe-source-han-sans/SourceHanSansSC-Regular.otf",
     "/usr/share/fonts/adobe-source-han-sans/SourceHanSansSC-Bold.otf"},
    {"/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", ""},
    {"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", ""},
};

struct weight {
    FT_Face face;
    hb_font_t *shaper;
    unsigned upem;
};

/* A glyph as it was asked for: hashed and compared as bytes. */
struct glyph_key {
    uint32_t glyph;
    uint16_t size_px, turn, halo, bold;
};

struct slot {
    struct glyph_key key;
    struct om_mask mask;  // cover NULL: the slot is free
};

struct om_font {
    struct FT_MemoryRec_ memory;
    FT_Library library;
    // Looked up once, before threads draw: HarfBuzz keeps a list of its own.
    hb_language_t language;
    struct weight weight[2];  // regular, bold; without bold the same face
    bool own_bold;
    pthread_mutex_t lock;
    struct slot *slot;  // [slots], a power of two
    size_t slots, used, bytes;
    struct om_arena masks;
};

static om_status status_of(FT_Error bad)
{
    if (!bad) return OM_OK;
    return bad == FT_Err_Out_Of_Memory ? OM_E_MEMORY : OM_E_FORMAT;
}

static void *take_memory(FT_Memory memory, long size)
{
    (void)memory;
    return om_alloc((size_t)size);
}

static void give_memory(FT_Memory memory, void *block)
{
    (void)memory;
    om_free(block);
}

static void *grow_memory(FT_Memory memory, long now, long size, void *block)
{
    (void)memory, (void)now;
    return om_realloc(block, (size_t)size);
}

/* The face of a collection that is for simplified Chinese, else the first. */
static om_status open_face(struct om_font *font, const char *path,
                           struct weight *out, long *index, struct om_err *err)
{
    FT_Face face;
    long faces = 1;
    *index = 0;
    for (long i = 0; i < faces; i++) {
        const om_status st =
            status_of(FT_New_Face(font->library, path, i, &face));
        if (st) return om_fail(err, st, 0, "%s cannot be read as a font", path);
        faces = face->num_faces;
        const char *family = face->family_name ? face->family_name : "";
        const size_t len = strlen(family);
        const bool chinese = len > 3 && !strcmp(family + len - 3, " SC");
        if (chinese) *index = i;
        FT_Done_Face(face);
        if (chinese) break;
    }
    OM_TRY(status_of(FT_New_Face(font->library, path, *index, &out->face)));
    return FT_IS_SCALABLE(out->face)
               ? OM_OK
               : om_fail(err, OM_E_FORMAT, 0, "%s has no outlines", path);
}

static om_status open_weight(struct om_font *font, const char *path,
                             struct weight *out, struct om_err *err)
{
    long index;
    OM_TRY(open_face(font, path, out, &index, err));
    hb_blob_t *blob = hb_blob_create_from_file_or_fail(path);
    if (!blob) return OM_E_MEMORY;
    hb_face_t *face = hb_face_create(blob, (unsigned)index);
    hb_blob_destroy(blob);
    out->shaper = hb_font_create(face);
    out->upem = hb_face_get_upem(face);
    hb_face_destroy(face);
    if (out->shaper == hb_font_get_empty() || !out->upem) return OM_E_MEMORY;
    hb_font_set_scale(out->shaper, (int)out->upem, (int)out->upem);
    hb_font_make_immutable(out->shaper);
    return OM_OK;
}

/* The two paths to use. returns OM_E_NOTFOUND if there is no font. */
static om_status find_paths(const char *paths, char regular[PATH_BYTES],
                            char bold[PATH_BYTES], struct om_err *err)
{
    if (!paths) paths = getenv(OM_FONT_VARIABLE);
    bold[0] = '\0';
    if (paths && *paths) {
        const size_t len = strcspn(paths, ":");
        const char *rest = paths[len] ? paths + len + 1 : "";
        const size_t more = strcspn(rest, ":");
        if (len >= PATH_BYTES || more >= PATH_BYTES)
            return om_fail(err, OM_E_LIMIT, 0, "a font's path is too long");
        memcpy(regular, paths, len);
        regular[len] = '\0';
        memcpy(bold, rest, more);
        bold[more] = '\0';
        if (om_file_exists(regular)) return OM_OK;
        return om_fail(err, OM_E_NOTFOUND, 0, "there is no font %s", regular);
    }
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        if (!om_file_exists(PLACES[i][0])) continue;
        memcpy(regular, PLACES[i][0], strlen(PLACES[i][0]) + 1);
        memcpy(bold, PLACES[i][1], strlen(PLACES[i][1]) + 1);
        return OM_OK;
    }
    return om_fail(err, OM_E_NOTFOUND, 0,
                   "no font with Chinese letters was found (install "
                   "fonts-noto-cjk, or name files in " OM_FONT_VARIABLE ")");
}

om_status om_font_open(const char *paths, struct om_font **out,
                       struct om_err *err)
{
    char regular[PATH_BYTES], bold[PATH_BYTES];
    *out = NULL;
    OM_TRY(find_paths(paths, regular, bold, err));
    struct om_font *font = om_calloc(1, sizeof *font);
    if (!font) return OM_E_MEMORY;
    pthread_mutex_init(&font->lock, NULL);
    font->language = hb_language_from_string("zh-Hans", -1);
    font->memory = (struct FT_MemoryRec_){
        .alloc = take_memory, .free = give_memory, .realloc = grow_memory};
    om_status st =
        FT_New_Library(&font->memory, &font->library) ? OM_E_MEMORY : OM_OK;
    if (!st) {
        FT_Add_Default_Modules(font->library);
        st = open_weight(font, regular, &font->weight[0], err);
    }
    font->own_bold = !st && bold[0] && om_file_exists(bold);
    if (font->own_bold) st = open_weight(font, bold, &font->weight[1], err);
    if (!st && !font->own_bold) font->weight[1] = font->weight[0];
    font->slots = SLOTS_FIRST;
    font->slot = om_calloc(font->slots, sizeof *font->slot);
    if (!st && !font->slot) st = OM_E_MEMORY;
    if (!st) {
        *out = font;
        return OM_OK;
    }
    om_font_close(font);
    return st;
}

void om_font_close(struct om_font *font)
{
    if (!font) return;
    for (int i = font->own_bold ? 1 : 0; i >= 0; i--) {
        if (font->weight[i].shaper) hb_font_destroy(font->weight[i].shaper);
        if (font->weight[i].face) FT_Done_Face(font->weight[i].face);
    }
    if (font->library) FT_Done_Library(font->library);
    om_arena_deinit(&font->masks);
    om_free(font->slot);
    pthread_mutex_destroy(&font->lock);
    om_free(font);
}

/* ---- texts ---- */

static int scaled(int64_t units, const struct weight *w, unsigned size_px)
{
    const int64_t twice = 2 * units * size_px + w->upem;
    const int64_t per = 2 * (int64_t)w->upem;
    return (int)(twice >= 0 ? twice / per : -((-twice + per - 1) / per));
}

static om_status lay_out(const struct weight *w, hb_buffer_t *buffer,
                         unsigned size_px, struct om_arena *arena,
                         struct om_text *out)
{
    unsigned n = 0;
    const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(buffer, &n);
    const hb_glyph_position_t *pos = hb_buffer_get_glyph_positions(buffer, &n);
    out->glyph = om_arena_calloc(arena, (size_t)n + 1, sizeof *out->glyph);
    if (!out->glyph) return OM_E_MEMORY;
    int64_t pen = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!info[i].codepoint) continue;
        const int x = scaled(pen, w, size_px);
        pen += pos[i].x_advance;
        out->glyph[out->glyphs++] =
            (struct om_text_glyph){.glyph = info[i].codepoint,
                                   .x = x + scaled(pos[i].x_offset, w, size_px),
                                   .advance = scaled(pen, w, size_px) - x,
                                   .at = info[i].cluster};
    }
    out->width = scaled(pen, w, size_px);
    return OM_OK;
}

om_status om_text_shape(struct om_font *font, struct om_face face,
                        const char *text, size_t len, struct om_arena *arena,
                        struct om_text *out)
{
    *out = (struct om_text){
        .ascent = (int)(face.size_px * 88 + 50) / 100,
        .descent = (int)(face.size_px * 12 + 50) / 100,
    };
    if (face.size_px < OM_FONT_SIZE_MIN || face.size_px > OM_FONT_SIZE_MAX)
        return OM_E_RANGE;
    if (len > TEXT_BYTES) len = TEXT_BYTES;
    hb_buffer_t *buffer = hb_buffer_create();
    hb_buffer_add_utf8(buffer, text, (int)len, 0, (int)len);
    hb_buffer_set_direction(buffer, HB_DIRECTION_LTR);
    hb_buffer_set_script(buffer, HB_SCRIPT_HAN);
    hb_buffer_set_language(buffer, font->language);
    const struct weight *w = &font->weight[face.bold];
    hb_shape(w->shaper, buffer, NULL, 0);
    const om_status st = hb_buffer_allocation_successful(buffer)
                             ? lay_out(w, buffer, face.size_px, arena, out)
                             : OM_E_MEMORY;
    hb_buffer_destroy(buffer);
    return st;
}

/* ---- glyphs ---- */

/* Spread a picture by a disc of halo / 16 pixels, soft at its rim. */
static void spread(const struct om_mask *from, unsigned halo, int margin,
                   uint8_t *out)
{
    const int width = (int)from->width + 2 * margin;
    for (int dy = -margin; dy <= margin; dy++)
        for (int dx = -margin; dx <= margin; dx++) {
            // Distances in 1/16 pixel; half a pixel of it is soft.
            int far = 0;
            while (far * far < (dx * dx + dy * dy) * 256) far++;
            const int weight = ((int)halo + 8 - far) * 16;
            if (weight <= 0) continue;
            const unsigned by = weight > 255 ? 255 : (unsigned)weight;
            for (unsigned y = 0; y < from->height; y++) {
                uint8_t *row =
                    out + ((int)y + margin + dy) * width + margin + dx;
                const uint8_t *in = from->cover + (size_t)y * from->width;
                for (unsigned x = 0; x < from->width; x++) {
                    const unsigned c = in[x] * by / 255;
                    if (c > row[x]) row[x] = (uint8_t)c;
                }
            }
        }
}

/* The glyph's own picture into the arena. Under the lock. */
static om_status render(struct om_font *font, const struct glyph_key *key,
                        struct om_arena *arena, struct om_mask *out)
{
    FT_Face face = font->weight[key->bold].face;
    const bool upright = key->turn == 0;
    const FT_Int32 how = FT_LOAD_NO_BITMAP |
                         (upright ? FT_LOAD_TARGET_LIGHT : FT_LOAD_NO_HINTING);
    OM_TRY(status_of(FT_Set_Pixel_Sizes(face, 0, key->size_px)));
    OM_TRY(status_of(FT_Load_Glyph(face, key->glyph, how)));
    if (!upright) {
        const double angle = key->turn * (2.0 * OM_PI / 256.0);
        const FT_Fixed c = (FT_Fixed)(__builtin_cos(angle) * 65536.0);
        const FT_Fixed s = (FT_Fixed)(__builtin_sin(angle) * 65536.0);
        // FreeType's y grows upward: clockwise is the negative turn.
        FT_Matrix matrix = {c, s, -s, c};
        FT_Outline_Transform(&face->glyph->outline, &matrix);
    }
    OM_TRY(status_of(FT_Render_Glyph(face->glyph, FT_RENDER_MODE_NORMAL)));
    const FT_Bitmap *bitmap = &face->glyph->bitmap;
    *out = (struct om_mask){.width = bitmap->width,
                            .height = bitmap->rows,
                            .left = face->glyph->bitmap_left,
                            .top = -face->glyph->bitmap_top};
    uint8_t *cover =
        om_arena_alloc(arena, (size_t)bitmap->width * bitmap->rows + 1);
    if (!cover) return OM_E_MEMORY;
    for (unsigned y = 0; y < bitmap->rows; y++)
        memcpy(cover + (size_t)y * bitmap->width,
               bitmap->buffer + (ptrdiff_t)y * bitmap->pitch, bitmap->width);
    out->cover = cover;
    return OM_OK;
}

static om_status draw(struct om_font *font, const struct glyph_key *key,
                      struct om_arena *arena, struct om_mask *out)
{
    OM_TRY(render(font, key, arena, out));
    if (!key->halo || !out->width || !out->height) return OM_OK;
    const int margin = (key->halo + 8 + 15) / 16;
    const struct om_mask plain = *out;
    out->width += 2 * (unsigned)margin;
    out->height += 2 * (unsigned)margin;
    out->left -= margin;
    out->top -= margin;
    uint8_t *cover =
        om_arena_calloc(arena, (size_t)out->width * out->height, 1);
    if (!cover) return OM_E_MEMORY;
    spread(&plain, key->halo, margin, cover);
    out->cover = cover;
    return OM_OK;
}

static struct slot *find_slot(struct slot *slot, size_t slots,
                              const struct glyph_key *key)
{
    size_t i = (size_t)om_hash64(key, sizeof *key, 0) & (slots - 1);
    while (slot[i].mask.cover && memcmp(&slot[i].key, key, sizeof *key) != 0)
        i = (i + 1) & (slots - 1);
    return &slot[i];
}

static om_status grow(struct om_font *font)
{
    const size_t slots = font->slots * 2;
    struct slot *slot = om_calloc(slots, sizeof *slot);
    if (!slot) return OM_E_MEMORY;
    for (size_t i = 0; i < font->slots; i++)
        if (font->slot[i].mask.cover)
            *find_slot(slot, slots, &font->slot[i].key) = font->slot[i];
    om_free(font->slot);
    font->slot = slot;
    font->slots = slots;
    return OM_OK;
}

/* Under the lock: find a glyph, or draw and keep it while there is room. */
static om_status get(struct om_font *font, const struct glyph_key *key,
                     struct om_arena *arena, struct om_mask *out)
{
    struct slot *slot = find_slot(font->slot, font->slots, key);
    if (slot->mask.cover) {
        *out = slot->mask;
        return OM_OK;
    }
    const om_status st = draw(font, key, arena, out);
    if (st == OM_E_FORMAT) {
        // A glyph that cannot be drawn is left out, and tried again next time.
        *out = (struct om_mask){.width = 0};
        return OM_OK;
    }
    if (st) return st;
    const size_t bytes = (size_t)out->width * out->height + 1;
    if (font->bytes + bytes > KEPT_BYTES) return OM_OK;
    uint8_t *copy = om_arena_alloc(&font->masks, bytes);
    if (!copy) return OM_E_MEMORY;
    memcpy(copy, out->cover, bytes - 1);
    out->cover = copy;
    if (4 * (font->used + 1) > 3 * font->slots) {
        OM_TRY(grow(font));
        slot = find_slot(font->slot, font->slots, key);
    }
    *slot = (struct slot){*key, *out};
    font->used++;
    font->bytes += bytes;
    return OM_OK;
}

om_status om_font_glyph(struct om_font *font, struct om_face face,
                        uint32_t glyph, unsigned turn, unsigned halo,
                        struct om_arena *arena, struct om_mask *out)
{
    const struct glyph_key key = {.glyph = glyph,
                                  .size_px = (uint16_t)face.size_px,
                                  .turn = (uint16_t)(turn & 255),
                                  .halo = (uint16_t)halo,
                                  .bold = face.bold};
    if (face.size_px < OM_FONT_SIZE_MIN || face.size_px > OM_FONT_SIZE_MAX ||
        halo > 256)
        return OM_E_RANGE;
    pthread_mutex_lock(&font->lock);
    const om_status st = get(font, &key, arena, out);
    pthread_mutex_unlock(&font->lock);
    return st;
}
