// picture_legend.c - the legend of a picture of a layer or of units: as data,
// and drawn.
#include <string.h>

#include "tiles/picture/key.h"
#include "tiles/png.h"
#include "web/server/params.h"
#include "web/server/pictures.h"
#include "web/server/reply.h"
#include "web/server/route.h"
#include "web/server/server_internal.h"

static om_status read_style(struct om__request *r, enum om_palette palette,
                            struct om_key_style *style,
                            enum om_language *language)
{
    const char *lang;
    uint64_t scale = 1;
    OM_TRY(om__param_word(r, "lang", "zh en", "zh", &lang));
    OM_TRY(om__param_count(r, "scale", 1, 4, &scale));
    *language = !strcmp(lang, "en") ? OM_LANGUAGE_EN : OM_LANGUAGE_ZH;
    *style =
        (struct om_key_style){.font = om__pictures_font(r->server->pictures),
                              .palette = palette,
                              .ratio = (unsigned)scale};
    return OM_OK;
}

static om_status draw_key(const struct om_key_style *style,
                          const struct om_key *key, struct om_arena *arena,
                          struct om_buf *out)
{
    unsigned width, height;
    struct om_canvas canvas;
    struct om_png_rows *rows = NULL;
    OM_TRY(om_keys_size(style, key, 1, arena, &width, &height));
    const struct om_view view = {.world = 65536,
                                 .width = width ? width : 1,
                                 .height = height ? height : 1,
                                 .ratio = style->ratio};
    OM_TRY(om_canvas_init(&canvas, &view, arena));
    OM_TRY(om_keys_draw(style, key, 1, &canvas, 0, 0, arena));
    om_status st =
        om_png_rows_begin(view.width, view.height, false, out, &rows);
    if (!st) st = om_png_rows_add(rows, canvas.pixel, view.height);
    if (!st) st = om_png_rows_end(rows);
    om_png_rows_free(rows);
    return st;
}

static void add_text(struct om_buf *out, const char *name, const char *text)
{
    om_buf_addf(out, "\"%s\":", name);
    om_buf_add_json_text(out, text, strlen(text));
}

static om_status write_key(const char *name, const struct om_key *key,
                           struct om_buf *out)
{
    static const char *const form[] = {"area", "dot", "line", "hatch",
                                       "outline"};
    static const char *const mark[] = {"disc", "square", "diamond", "triangle"};
    om_buf_add_text(out, "{");
    add_text(out, "name", name);
    om_buf_add_text(out, ",");
    add_text(out, "title", key->title);
    om_buf_add_text(out, ",");
    add_text(out, "unit", key->unit);
    om_buf_add_text(out, ",\"items\":[");
    for (size_t i = 0; i < key->items; i++) {
        const struct om_key_item *item = &key->item[i];
        const struct om_colour c = item->colour;
        om_buf_add_text(out, i ? ",{" : "{");
        add_text(out, "text", item->text);
        om_buf_addf(out, ",\"form\":\"%s\",\"color\":\"#%02x%02x%02x\",",
                    form[item->form], c.r, c.g, c.b);
        om_buf_add_text(out, "\"opacity\":");
        om_buf_add_fixed(out, c.a / 255.0, 3);
        if (item->form == OM_KEY_DOT && item->mark != OM_MARK_DISC)
            om_buf_addf(out, ",\"mark\":\"%s\"", mark[item->mark]);
        om_buf_add_text(out, "}");
    }
    return om_buf_add_text(out, "]}\n");
}

om_status om__picture_legend(struct om__request *r, bool png)
{
    const char *name = r->address.segment[1];
    char stem[OM_LIMIT_NAME_BYTES * 2];
    const size_t len = strlen(name) - strlen(png ? ".png" : ".json");
    struct om_picture_bound bound = {0};
    struct om_picture *picture = NULL;
    struct om_key_style style;
    enum om_language language;
    struct om_buf out = {0};
    if (len >= sizeof stem)
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is no such map");
    memcpy(stem, name, len);
    stem[len] = '\0';
    om_status st = om__params_check(r, "filter-lang scale " OM_PICTURE_OPTIONS);
    if (!st) st = om__picture_bind(r, stem, &bound);
    if (!st) st = read_style(r, bound.palette, &style, &language);
    if (!st) om__picture_needs(r, &bound);
    if (!st) st = om__picture_get(r, &bound, &picture);
    if (!st && picture) {
        struct om_key key;
        om_key_of(picture, language, r->snapshot, &key);
        st = png ? draw_key(&style, &key, &om__lane(r->server)->arena, &out)
                 : write_key(stem, &key, &out);
        if (!st)
            st = om__reply_kept(r, &out, png ? &om__head_png : &om__head_json,
                                NULL, 0);
    }
    om_buf_deinit(&out);
    om_picture_unref(picture);
    om_picture_bound_deinit(&bound);
    return st;
}
