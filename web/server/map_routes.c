/* map_routes.c - /map.png: one large picture of several maps over each other.
 *
 * DESIGN
 * The maps named are made as their tiles are, and then painted together. The
 * parameters that say what a map shows go to the maps that know them; one that
 * no map knows is an error, so that a misspelt question is not half answered.
 * All of it runs on the worker of heavy work: large pictures are made one at a
 * time, whoever asks.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/log.h"
#include "data/model/time.h"
#include "tiles/picture/wall.h"
#include "web/server/handlers.h"
#include "web/server/heat_ask.h"
#include "web/server/jobs.h"
#include "web/server/map_caption.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/pictures.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/tile_maker.h"
#include "web/server/views.h"

/* Without a token: what a 4K screen has; and so many a second, of one address
 * and of all. */
#define PUBLIC_PIXELS_MAX (UINT64_C(4096) * 2160)
/* Pixels that are as much work as a common heavy question. */
#define WEIGHT_PIXELS 1e6

#define SIDE_LEAST 64
#define WIDTH_DEFAULT 1024
#define HEIGHT_DEFAULT 768
#define SCALE_MOST 4
#define HEAT_OPTIONS "at kernel bandwidth halflife weight form"
#define OTHER_OPTIONS "with_filter with_datetime "

/* One of the maps. */
struct sheet {
    char name[OM_LIMIT_NAME_BYTES * 2];
    bool heat;
    unsigned opacity;                  // per cent
    struct om_picture_bound bound;     // unless it is heat
    struct om_risk_bound *heat_bound;  // until its view is made
    struct om_picture *picture;        // held
    struct om__view *view;             // held; of heat
    struct om_legend legend;
    struct om_picture heat_picture;
};

/* What is asked for. */
struct map_ask {
    size_t sheets;
    struct sheet sheet[OM_WALL_PICTURES];
    struct om_wall wall;
    enum om_palette palette;
    enum om_language language;
    bool legend;
    struct om_key_note note;
    int64_t as_of_s;                           // the oldest of what is shown
    const char *department[OM_WALL_PICTURES];  // whose data it is, each once
    size_t departments;
};

/* ---- size and place ---- */

static bool is_public(const struct om__request *r)
{
    return r->server->release && !r->who->asked;
}

/* Pictures that are not kept yet cost whoever wants them, a release's public
 * too, which has no other rate. */
static om_status spend_pixels(struct om__request *r)
{
    if (!is_public(r)) return OM_OK;
    const double wait_s =
        om_rates_spend(r->server->public_pixels, om__client_of(r),
                       r->weight * WEIGHT_PIXELS, om_seconds());
    if (wait_s <= 0) return OM_OK;
    r->retry_after_s = (unsigned)fmin(ceil(wait_s), 3600);
    return om_fail(&r->err, OM_E_RATE, 0,
                   "too many pixels of maps; the next is made in %u s, sooner "
                   "if it was asked for before",
                   r->retry_after_s);
}

static om_status read_size(struct om__request *r, struct map_ask *ask)
{
    uint64_t width = WIDTH_DEFAULT, height = HEIGHT_DEFAULT, scale = 1;
    OM_TRY(om__param_count(r, "width", SIDE_LEAST, OM_WALL_SIDE_MAX, &width));
    OM_TRY(om__param_count(r, "height", SIDE_LEAST, OM_WALL_SIDE_MAX, &height));
    OM_TRY(om__param_count(r, "scale", 1, SCALE_MOST, &scale));
    const uint64_t most = is_public(r) ? PUBLIC_PIXELS_MAX : OM_WALL_PIXELS_MAX;
    if (width * height > most)
        return om__param_bad(
            r, "width", OM_E_COST,
            "width x height is %llu pixels; the largest picture has %llu",
            (unsigned long long)(width * height), (unsigned long long)most);
    r->weight = (double)(width * height) / WEIGHT_PIXELS;
    ask->wall.width = (unsigned)width;
    ask->wall.height = (unsigned)height;
    ask->wall.style.ratio = (unsigned)scale;
    return OM_OK;
}

/* COLUMNSxROWS,GAP or COLUMNSxROWS,GAPX,GAPY. */
static om_status read_bezel(struct om__request *r, struct map_ask *ask)
{
    const char *text = om__param_text(r, "bezel");
    struct om_wall *w = &ask->wall;
    unsigned v[4] = {1, 1, 0, 0};
    int end = 0;
    w->columns = w->rows = 1;
    if (!text) return OM_OK;
    const int n = sscanf(text, "%4ux%4u%n,%4u%n,%4u%n", &v[0], &v[1], &end,
                         &v[2], &end, &v[3], &end);
    if (n == 3) v[3] = v[2];
    if (n < 2 || text[end] || !v[0] || !v[1] || v[0] > OM_WALL_SCREENS ||
        v[1] > OM_WALL_SCREENS || v[2] > OM_WALL_GAP_MAX ||
        v[3] > OM_WALL_GAP_MAX || strpbrk(text, " +-"))
        return om__param_bad(
            r, "bezel", OM_E_FORMAT,
            "bezel is screens and pixels between them: COLUMNSxROWS,GAP or "
            "COLUMNSxROWS,GAPX,GAPY; at most %dx%d,%d",
            OM_WALL_SCREENS, OM_WALL_SCREENS, OM_WALL_GAP_MAX);
    if (w->width % v[0] || w->height % v[1])
        return om__param_bad(r, "bezel", OM_E_RANGE,
                             "%u x %u screens do not divide %u x %u pixels",
                             v[0], v[1], w->width, w->height);
    w->columns = v[0];
    w->rows = v[1];
    w->gap_x = v[2];
    w->gap_y = v[3];
    return OM_OK;
}

/* Everything that the city has and who asks may see. */
static struct om_box city_box(const struct om__request *r)
{
    const struct om_snapshot *snapshot = r->snapshot;
    struct om_box all = OM_BOX_NONE, units = OM_BOX_NONE;
    for (size_t i = 0; i < snapshot->layers; i++) {
        const struct om_layer *layer = &snapshot->layer[i];
        const bool unit = layer->meta && layer->meta->unit_level[0];
        if (om__crowds_only(r, layer) || (layer->rights.area && !unit))
            continue;
        const struct om_box box = om_layer_box(layer);
        if (box.x0 <= box.x1) om_box_widen(unit ? &units : &all, box);
    }
    return units.x0 <= units.x1 ? units : all;
}

static om_status read_centre(struct om__request *r, struct map_ask *ask,
                             const char *text)
{
    double lon, lat, zoom = NAN, x, y;
    int end = 0;
    if (sscanf(text, "%lf,%lf%n", &lon, &lat, &end) != 2 || text[end] ||
        om_pos_world(lon, lat, &x, &y))
        return om__param_bad(r, "center", OM_E_FORMAT,
                             "center is LON,LAT in degrees");
    OM_TRY(om__param_real(r, "zoom", 0, OM_TILE_ZOOM_MAX, &zoom));
    if (isnan(zoom))
        return om__param_bad(r, "zoom", OM_E_FORMAT, "a center needs a zoom");
    return om_wall_centre(&ask->wall, x, y, zoom, ask->wall.style.ratio);
}

static om_status read_place(struct om__request *r, struct map_ask *ask)
{
    const char *centre = om__param_text(r, "center");
    struct om_place place = {.kind = OM_PLACE_ALL};
    if (centre && om__param_text(r, "bbox"))
        return om__param_bad(r, "center", OM_E_FORMAT,
                             "either bbox, or center and zoom");
    if (centre) return read_centre(r, ask, centre);
    if (om__param_text(r, "zoom"))
        return om__param_bad(r, "zoom", OM_E_FORMAT,
                             "zoom goes with center=LON,LAT");
    OM_TRY(om__param_bbox(r, &place));
    if (place.kind == OM_PLACE_WITHIN)
        return om__param_bad(r, "bbox", OM_E_RANGE,
                             "a picture has its west in the west: bbox is "
                             "W,S,E,N with W <= E and S <= N");
    const struct om_box box =
        place.kind == OM_PLACE_BOX ? place.box : city_box(r);
    const om_status st = om_wall_fit(&ask->wall, box, ask->wall.style.ratio);
    if (st == OM_E_RANGE)
        return om__param_bad(r, "bbox", st,
                             "the box is too small or too large to be drawn");
    return st;
}

/* ---- maps ---- */

static void note_as_of(struct om__request *r, struct map_ask *ask,
                       const struct om_layer *layer)
{
    const int64_t as_of = om_snapshot_as_of(r->snapshot, layer);
    if (as_of && (!ask->as_of_s || as_of < ask->as_of_s)) ask->as_of_s = as_of;
    const char *from = layer && layer->meta ? layer->meta->department : "";
    for (size_t i = 0; i < ask->departments; i++)
        if (!strcmp(ask->department[i], from)) return;
    if (*from && ask->departments < OM_WALL_PICTURES)
        ask->department[ask->departments++] = from;
}

/* Parameters that a picture of this name knows, of those that were given. */
static const char *known_to(struct om__request *r, const struct sheet *s)
{
    const struct om_layer *layer = om_snapshot_layer(r->snapshot, s->name);
    if (s->heat) return OTHER_OPTIONS "filter datetime per " HEAT_OPTIONS;
    if (!strncmp(s->name, "base", 4)) return "labels lang";
    if (!strncmp(s->name, "labels", 6)) return "lang";
    if (!strncmp(s->name, "choropleth:", 11))
        return OTHER_OPTIONS "filter datetime stat layer column per ramp";
    // Units beside other maps are borders, whatever is asked about those.
    if (layer && layer->meta && layer->meta->unit_level[0]) return "";
    return "filter datetime by";
}

static bool lists(const char *words, const char *word)
{
    const size_t len = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += len)
        if ((at == words || at[-1] == ' ') && (!at[len] || at[len] == ' '))
            return true;
    return false;
}

static om_status bind_picture(struct om__request *r, const char *known,
                              const char *palette, struct sheet *s)
{
#define GIVEN(name) (lists(known, name) ? om__param_text(r, name) : NULL)
    const struct om_picture_ask ask = {.name = s->name,
                                       .palette = palette,
                                       .labels = GIVEN("labels"),
                                       .lang = GIVEN("lang"),
                                       .filter = GIVEN("filter"),
                                       .datetime = GIVEN("datetime"),
                                       .by = GIVEN("by"),
                                       .stat = GIVEN("stat"),
                                       .layer = GIVEN("layer"),
                                       .column = GIVEN("column"),
                                       .per = GIVEN("per"),
                                       .with_filter = GIVEN("with_filter"),
                                       .with_datetime = GIVEN("with_datetime"),
                                       .ramp = GIVEN("ramp"),
                                       .now_s = r->now_s};
#undef GIVEN
    const char *option = NULL;
    const om_status st =
        om_picture_bind(r->snapshot, &ask, &s->bound, &option, &r->err);
    if (!st) return om__picture_allowed(r, &s->bound);
    r->parameter = option ? option : "layers";
    r->error_status = MHD_HTTP_BAD_REQUEST;
    return st;
}

static om_status bind_sheet(struct om__request *r, struct map_ask *ask,
                            const char *palette, struct sheet *s)
{
    const char *known = known_to(r, s);
    s->heat = !strncmp(s->name, OM__HEAT, strlen(OM__HEAT));
    if (s->heat) {
        const om_status st = om__request_heat(r, s->name, &s->heat_bound);
        if (st == OM_E_NOTFOUND && !r->error_status)
            r->error_status = MHD_HTTP_BAD_REQUEST;
        if (st && !r->parameter) r->parameter = "layers";
        if (!st) note_as_of(r, ask, s->heat_bound->layer);
        if (!st) om__view_needs(r, s->heat_bound, NULL);
        return st;
    }
    OM_TRY(bind_picture(r, known, palette, s));
    note_as_of(r, ask, s->bound.layer);
    if (s->bound.layer) r->layer = s->bound.layer;
    om__picture_needs(r, &s->bound);
    return OM_OK;
}

/* Parameters that were given and that no map knows. */
static om_status refuse_unknown(struct om__request *r,
                                const struct map_ask *ask)
{
    static const char all[] = OTHER_OPTIONS
        "labels filter datetime by stat layer column per ramp " HEAT_OPTIONS;
    for (size_t i = 0; i < r->address.params; i++) {
        const char *name = r->address.param[i].name;
        bool known = !lists(all, name);
        for (size_t k = 0; k < ask->sheets && !known; k++)
            known = lists(known_to(r, &ask->sheet[k]), name);
        if (!known)
            return om__param_bad(r, name, OM_E_FORMAT,
                                 "none of the layers has a %s", name);
    }
    return OM_OK;
}

/* A number for each of the maps, or one for all. */
static om_status read_opacity(struct om__request *r, struct map_ask *ask)
{
    const char *at = om__param_text(r, "opacity");
    size_t n = 0;
    for (size_t i = 0; i < ask->sheets; i++) ask->sheet[i].opacity = 100;
    if (!at) return OM_OK;
    for (int end = 0; *at && n < ask->sheets; n++, at += end) {
        const bool digit = *at >= '0' && *at <= '9';
        if (!digit || sscanf(at, "%3u%n", &ask->sheet[n].opacity, &end) != 1 ||
            ask->sheet[n].opacity > 100)
            break;
        if (at[end] == ',' && at[end + 1]) end++;
    }
    for (size_t i = 1; n == 1 && i < ask->sheets; i++)
        ask->sheet[i].opacity = ask->sheet[0].opacity;
    if (*at || (n != 1 && n != ask->sheets))
        return om__param_bad(r, "opacity", OM_E_FORMAT,
                             "opacity is per cent, 0 to 100, of each of the "
                             "%zu layers, with commas between, or one of all",
                             ask->sheets);
    return OM_OK;
}

static om_status read_layers(struct om__request *r, struct map_ask *ask)
{
    const char *text = om__param_text(r, "layers");
    const char *palette = ask->palette == OM_PALETTE_LIGHT ? "light" : "dark";
    if (!text || !*text)
        return om__param_bad(r, "layers", OM_E_FORMAT,
                             "layers is missing: names of maps, lowest first, "
                             "with commas between");
    for (const char *at = text; *at;) {
        const size_t len = strcspn(at, ",");
        struct sheet *s = &ask->sheet[ask->sheets];
        if (ask->sheets == OM_WALL_PICTURES)
            return om__param_bad(r, "layers", OM_E_COST,
                                 "at most %d maps over each other",
                                 OM_WALL_PICTURES);
        if (!len || len >= sizeof s->name)
            return om__param_bad(r, "layers", OM_E_FORMAT,
                                 "layers holds an empty or too long name");
        memcpy(s->name, at, len);
        s->heat = !strncmp(s->name, OM__HEAT, strlen(OM__HEAT));
        ask->sheets++;
        OM_TRY(bind_sheet(r, ask, palette, s));
        at += len + (at[len] == ',');
    }
    OM_TRY(read_opacity(r, ask));
    return refuse_unknown(r, ask);
}

/* ---- words ---- */

static om_status read_words(struct om__request *r, struct map_ask *ask)
{
    const char *lang, *legend, *filter_lang;
    OM_TRY(om__param_palette(r, &ask->palette));
    OM_TRY(om__param_word(r, "lang", "zh en", "zh", &lang));
    OM_TRY(om__param_word(r, "legend", "yes no", "yes", &legend));
    OM_TRY(om__param_word(r, "filter-lang", "cql2-text cql-text", "cql2-text",
                          &filter_lang));
    ask->language = !strcmp(lang, "en") ? OM_LANGUAGE_EN : OM_LANGUAGE_ZH;
    ask->legend = !strcmp(legend, "yes");
    ask->wall.style.palette = ask->palette;
    ask->wall.style.font = om__pictures_font(r->server->pictures);
    return OM_OK;
}

/* 来源 公安、消防 · 东莞: the first so many departments, and the city. */
static void write_source(const struct om__request *r, struct map_ask *ask,
                         size_t departments)
{
    const struct om_manifest *city = r->snapshot->manifest;
    const bool zh = ask->language == OM_LANGUAGE_ZH;
    const size_t room = sizeof ask->note.source;
    struct om_buf text = {
        .bytes = (uint8_t *)ask->note.source, .room = room, .max = room};
    om_buf_add_text(&text, zh ? "来源 " : "Source ");
    for (size_t i = 0; i < departments; i++) {
        if (i) om_buf_add_text(&text, zh ? "、" : ", ");
        om_buf_add_text(&text, ask->department[i]);
    }
    if (departments < ask->departments)
        om_buf_add_text(&text, zh ? "等" : " and others");
    if (departments && city->name[0]) om_buf_add_text(&text, " · ");
    om_buf_add_text(&text, city->name);
    om_buf_add_byte(&text, '\0');
    if (text.status || (!ask->departments && !city->name[0]))
        ask->note.source[0] = '\0';
}

/* As much of it as leaves the map to be seen. */
static om_status fit_source(struct om__request *r, struct map_ask *ask)
{
    const struct om_wall *w = &ask->wall;
    struct om_arena *arena = &om__lane(r->server)->arena;
    unsigned width, height;
    for (size_t n = ask->departments + 1; n-- > 0;) {
        write_source(r, ask, n);
        OM_TRY(om_key_note_size(&w->style, &ask->note, arena, &width, &height));
        if (ask->note.source[0] && width <= w->width / w->columns / 5 * 2)
            return OM_OK;
    }
    ask->note.source[0] = '\0';
    return OM_OK;
}

static om_status write_note(struct om__request *r, struct map_ask *ask)
{
    const struct om_manifest *city = r->snapshot->manifest;
    const bool zh = ask->language == OM_LANGUAGE_ZH;
    char text[OM_TIME_TEXT_BYTES] = "";
    om_key_scale_of(om_view_px_per_m(&ask->wall.view), ask->wall.style.ratio,
                    ask->language, &ask->note.scale);
    if (ask->as_of_s) om_time_format(ask->as_of_s, city->zone_s, text);
    text[16] = '\0';  // to the minute
    if (text[0]) text[10] = ' ';
    if (text[0])
        snprintf(ask->note.as_of, sizeof ask->note.as_of, "%s %s",
                 zh ? "数据截至" : "Data as of", text);
    if (city->synthetic)
        snprintf(ask->note.mark, sizeof ask->note.mark, "%s",
                 zh ? "合成数据" : "Synthetic data");
    return fit_source(r, ask);
}

/* ---- making ---- */

static om_status make_heat(struct om__request *r, struct map_ask *ask,
                           struct sheet *s)
{
    OM_TRY(om__view_get(r, s->heat_bound, &s->view));
    if (!s->view) return OM_OK;  // later
    const struct om_risk_bound *bound = s->view->heat.bound;
    const struct om_manifest_layer *meta =
        bound->layer ? bound->layer->meta : NULL;
    const struct om_model *model = bound->model;
    bool lines;
    OM_TRY(om__param_lines(r, &lines));
    s->legend = s->view->heat.painted[ask->palette];
    if (lines) om_legend_lines(&s->legend, ask->palette, &s->legend);
    s->heat_picture =
        om_picture_heat(r->server->fields, &bound->risk, &s->legend);
    const char *title = model ? model->title : meta ? meta->title : NULL;
    const char *title_en = model  ? model->title_en
                           : meta ? meta->title_en
                                  : NULL;
    s->heat_picture.title = title && *title ? title : bound->name;
    s->heat_picture.title_en = title_en && *title_en ? title_en : bound->name;
    if (bound->unit) s->heat_picture.unit = bound->unit;
    if (bound->unit_en) s->heat_picture.unit_en = bound->unit_en;
    return OM_OK;
}

/* Letters of a filter's line: a small screen has room for fewer. */
#define CAPTION_COLUMNS 46
#define CAPTION_COLUMNS_SMALL 30
#define CAPTION_SMALL_PX 900

static void add_key(struct om__request *r, struct map_ask *ask,
                    const struct sheet *s, const struct om_picture *p)
{
#define GIVEN(name) (lists(known, name) ? om__param_text(r, name) : NULL)
    struct om_wall *w = &ask->wall;
    struct om_key *key = &w->key[w->keys];
    const char *known = known_to(r, s);
    const struct om_layer *layer =
        s->heat ? s->heat_bound->layer : s->bound.layer;
    const bool model = s->heat && s->heat_bound->model;
    const bool coverage = !s->heat && s->bound.stat == OM_STAT_COVERAGE;
    const struct om__map_caption asked = {
        .filter = coverage ? NULL : GIVEN("filter"),
        .datetime = GIVEN("datetime"),
        .with_filter = coverage ? NULL : GIVEN("with_filter"),
        .with_datetime = GIVEN("with_datetime"),
        .halflife = GIVEN("halflife"),
        .heat = s->heat ? s->heat_bound : NULL,
        .timed =
            !model && !coverage && layer && layer->meta && layer->meta->time[0],
        .opacity = s->opacity,
    };
#undef GIVEN
    om_key_of(p, ask->language, r->snapshot, key);
    if (!key->items) return;
    const bool small =
        w->width / w->columns / w->style.ratio < CAPTION_SMALL_PX;
    om__map_caption(&asked, ask->language,
                    small ? CAPTION_COLUMNS_SMALL : CAPTION_COLUMNS, key);
    for (size_t i = 0; i < key->items; i++)
        key->item[i].colour.a =
            (uint8_t)(key->item[i].colour.a * s->opacity / 100);
    w->keys++;
}

static om_status make_all(struct om__request *r, struct map_ask *ask)
{
    struct om_wall *w = &ask->wall;
    for (size_t i = 0; i < ask->sheets && !r->later; i++) {
        struct sheet *s = &ask->sheet[i];
        if (s->heat)
            OM_TRY(make_heat(r, ask, s));
        else
            OM_TRY(om__picture_get(r, &s->bound, &s->picture));
        const struct om_picture *p = s->heat ? &s->heat_picture : s->picture;
        if (r->later) break;
        w->clear[w->pictures] = (uint8_t)(100 - s->opacity);
        w->picture[w->pictures++] = p;
        if (p->kind == OM_PICTURE_BASE && p->map && s->opacity == 100)
            w->ground = om_colour_of(0xFFFFFF);  // all of it is covered
        if (ask->legend) add_key(r, ask, s, p);
    }
    return OM_OK;
}

static bool is_gone(void *ctx)
{
    return om__client_gone(ctx);
}

static om_status answer(struct om__request *r, struct map_ask *ask)
{
    struct om_buf out = {0};
    OM_TRY(read_words(r, ask));
    OM_TRY(read_size(r, ask));
    OM_TRY(read_bezel(r, ask));
    OM_TRY(read_place(r, ask));
    OM_TRY(read_layers(r, ask));
    // Where the city lies, and as of when it is.
    if (!om__param_text(r, "bbox") && !om__param_text(r, "center"))
        om__needs_city(r);
    if (!r->layer) om__needs_city(r);
    if (!r->paid) OM_TRY(spend_pixels(r));
    r->paid = true;
    if (om__wait_heavy(r)) return OM_OK;
    OM_TRY(make_all(r, ask));
    if (r->later) return OM_OK;
    r->layer = NULL;  // it is about the city
    if (ask->legend) {
        OM_TRY(write_note(r, ask));
        ask->wall.note = &ask->note;
    }
    om_status st = om_wall_png(&ask->wall, is_gone, r, &out);
    if (st == OM_E_LIMIT)
        st = om__param_bad(r, "bezel", OM_E_RANGE,
                           "the legend is larger than a screen of %u x %u "
                           "pixels: larger screens, scale=1 or legend=no",
                           ask->wall.width / ask->wall.columns,
                           ask->wall.height / ask->wall.rows);
    if (!st) st = om__reply_kept(r, &out, &om__head_png, NULL, 0);
    om_buf_deinit(&out);
    return st;
}

om_status om__get_map(struct om__request *r)
{
    struct map_ask *ask =
        om_arena_calloc(&om__lane(r->server)->arena, 1, sizeof *ask);
    if (!ask) return OM_E_MEMORY;
    const om_status st = answer(r, ask);
    for (size_t i = 0; i < ask->sheets; i++) {
        struct sheet *s = &ask->sheet[i];
        om_picture_bound_deinit(&s->bound);
        om_risk_bound_free(s->heat_bound);
        om_picture_unref(s->picture);
        om__view_unref(s->view);
    }
    return st;
}
