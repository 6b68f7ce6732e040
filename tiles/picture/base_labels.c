/* base_labels.c - which names a square of the base map wishes for.
 *
 * DESIGN
 * Units have one name each, at a place that belongs to them. A name of water
 * stands in the widest place that the square has of it, found on a coarse
 * picture of the square: rivers and lakes reach over many squares and are
 * named in each. Roads are named along their course. Where names are wanted in
 * English, too, both stand one below the other, and along a road one behind the
 * other: that of the column NAME_en, or without one, where city.json has terms
 * for it ("english": {"镇": "Town", ...}), as engine/search/roman.h spells it.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/picture/base_internal.h"

/* Order of importance. */
enum { RANK_TOWN, RANK_WATER, RANK_ROAD, RANK_PLACE = RANK_ROAD + 3 };

struct planner {
    const struct om_base *base;
    const struct om__base_source *source;
    struct om_label_plan *plan;
    const struct om_view *view;
    double zoom;
    unsigned size_px;
    size_t rank;  // of roads
    struct om_text_reader reader, english;
    struct om_arena *arena;
    struct om_canvas coarse;  // of the square, for water
    unsigned step;            // its pixels, in pixels of the square
};

om_status om__base_terms(struct om_base *base, struct om_err *err)
{
    if (base->language != OM_LANGUAGE_EN) return OM_OK;
    OM_TRY(om_terms_read(base->snapshot->manifest->document, &base->term,
                         &base->terms, err));
    base->spells = base->term != NULL;
    return OM_OK;
}

/* What a name is in English; len 0: nothing that is not in the name. */
static om_status english_of(struct planner *p, const struct om_segment *segment,
                            size_t column, size_t row, const char *name,
                            size_t name_len, struct om_buf *spelled,
                            const char **english, size_t *len)
{
    *len = 0;
    *english = "";
    if (column != OM_NO_FIELD)
        return om_segment_text(segment, column, row, &p->english, english, len);
    if (!p->base->spells || !name_len) return OM_OK;
    const om_status st = om_romanise(name, name_len, p->base->term,
                                     p->base->terms, spelled, NULL);
    // Without ICU's data names are as they are.
    if (st == OM_E_UNSUPPORTED) return OM_OK;
    *english = (const char *)spelled->bytes;
    *len = spelled->len;
    return st;
}

/* Put the name in English before a name, if there is one. */
static om_status add_english(struct planner *p,
                             const struct om_segment *segment, size_t column,
                             size_t row, char between, const char **text,
                             size_t *len)
{
    const char *english;
    size_t n;
    struct om_buf spelled = {0};
    char *both = NULL;
    om_status st = english_of(p, segment, column, row, *text, *len, &spelled,
                              &english, &n);
    if (st || !english || !n || (n == *len && !memcmp(english, *text, n)))
        goto done;
    both = om_arena_alloc(p->arena, n + 1 + *len);
    if (!both) st = OM_E_MEMORY;
    if (st) goto done;
    memcpy(both, english, n);
    both[n] = between;
    if (*len) memcpy(both + n + 1, *text, *len);
    *text = both;
    *len += *len ? n + 1 : n;
done:
    om_buf_deinit(&spelled);
    return st;
}

static om_status name_of(struct planner *p, const struct om_shape_hit *hit,
                         const char **text, size_t *len)
{
    const struct om__base_source *s = p->source;
    const struct om_segment *segment = s->layer->part[hit->part].segment;
    *text = NULL;
    *len = 0;
    if (s->label == OM_NO_FIELD) return OM_OK;
    OM_TRY(om_segment_text(segment, s->label, hit->row, &p->reader, text, len));
    if (!*text) *len = 0;
    return add_english(p, segment, s->english, hit->row,
                       s->kind == OM__BASE_ROAD ? ' ' : '\n', text, len);
}

/* ---- units ---- */

static om_status plan_level(struct planner *p, size_t level)
{
    const enum om__base_ink ink = level ? OM__INK_PLACE : OM__INK_TOWN;
    const struct om_units *units = &p->base->level[level]->units;
    p->size_px = om__base_text_px(ink, 0, p->zoom) * p->view->ratio;
    if (!p->size_px) return OM_OK;
    const struct om_box box = om_view_box(om_label_plan_home(p->plan), 0);
    const struct om_schema *schema = &units->layer->schema;
    const size_t english =
        om__base_english(p->base, schema, om_schema_find(schema, "name"));
    for (size_t i = 0; i < units->count; i++) {
        const struct om_unit *u = &units->unit[i];
        if (!u->name[0] || u->inside.x < box.x0 || u->inside.x > box.x1 ||
            u->inside.y < box.y0 || u->inside.y > box.y1)
            continue;
        const char *text = u->name;
        size_t len = strlen(text);
        OM_TRY(add_english(p, units->layer->part[0].segment, english, u->row,
                           '\n', &text, &len));
        const struct om_label_wish wish = {
            .rank = level ? RANK_PLACE : RANK_TOWN,
            .weight = u->area_km2,
            .face = {.bold = level == 0, .size_px = p->size_px},
            .ink = ink,
            .text = text,
            .len = len};
        OM_TRY(om_label_plan_point(p->plan, &wish,
                                   om_view_spot(p->view, u->inside),
                                   (int)p->size_px * 4, 8));
    }
    return OM_OK;
}

/* ---- water ---- */

/* Pixels of the coarse picture along its longer side, each a few of the
 * square's; one more where it does not begin with a whole one. */
#define COARSE_SIDE 128
#define COARSE_PIXELS ((COARSE_SIDE + 1) * (COARSE_SIDE + 1))

/* How far each pixel is from what is not covered, in pixels: city blocks. */
static void depths(const struct om_canvas *c, uint8_t *depth)
{
    const int w = (int)c->view.width, h = (int)c->view.height;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t d = 0;
            if (c->pixel[y * w + x][3] > 250) {
                const int up = y ? depth[(y - 1) * w + x] : 255;
                const int left = x ? depth[y * w + x - 1] : 255;
                const int least = (up < left ? up : left) + 1;
                d = (uint8_t)(least > 255 ? 255 : least);
            }
            depth[y * w + x] = d;
        }
    for (int y = h - 1; y >= 0; y--)
        for (int x = w - 1; x >= 0; x--) {
            const int down = y + 1 < h ? depth[(y + 1) * w + x] : 255;
            const int right = x + 1 < w ? depth[y * w + x + 1] : 255;
            const int least = (down < right ? down : right) + 1;
            if (least < depth[y * w + x]) depth[y * w + x] = (uint8_t)least;
        }
}

/* The deepest place of a quarter, nearest to its middle. */
static unsigned deepest(const struct om_canvas *c, const uint8_t *depth,
                        int column, int row, struct om_spot *at)
{
    const int w = (int)c->view.width, h = (int)c->view.height;
    const int x0 = column * (w / 2), x1 = column ? w : w / 2;
    const int y0 = row * (h / 2), y1 = row ? h : h / 2;
    unsigned most = 0;
    int nearest = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            const unsigned d = depth[y * w + x];
            const int dx = x - (x0 + x1) / 2, dy = y - (y0 + y1) / 2;
            if (d < most || (d == most && dx * dx + dy * dy >= nearest))
                continue;
            most = d;
            nearest = dx * dx + dy * dy;
            *at = (struct om_spot){x, y};
        }
    return most;
}

static om_status plan_quarter(struct planner *p, const uint8_t *depth,
                              int quarter, const char *text, size_t len)
{
    struct om_spot at = {0, 0};
    const struct om_view *coarse = &p->coarse.view;
    const unsigned deep =
        deepest(&p->coarse, depth, quarter & 1, quarter >> 1, &at);
    if (!deep) return OM_OK;
    const int64_t per = (int64_t)p->step * 256;
    const struct om_label_wish wish = {.rank = RANK_WATER,
                                       .weight = deep,
                                       .face = {.size_px = p->size_px},
                                       .ink = OM__INK_WATER,
                                       .near_px = 500 * (int)p->view->ratio,
                                       .text = text,
                                       .len = len};
    return om_label_plan_point(
        p->plan, &wish,
        (struct om_spot){(coarse->x + at.x) * per + per / 2 - p->view->x * 256,
                         (coarse->y + at.y) * per + per / 2 - p->view->y * 256},
        (int)(deep * p->step), 10);
}

static om_status plan_water(void *ctx, const struct om_shape_hit *hit)
{
    struct planner *p = ctx;
    uint8_t depth[COARSE_PIXELS];
    const char *text;
    size_t len;
    OM_TRY(name_of(p, hit, &text, &len));
    if (!len) return OM_OK;
    memset(p->coarse.pixel, 0,
           (size_t)p->coarse.view.width * p->coarse.view.height * 4);
    om_canvas_polygon(&p->coarse, hit->rings, hit->row);
    om_canvas_fill(&p->coarse, om_colour_of(0xFFFFFF));
    depths(&p->coarse, depth);
    for (int quarter = 0; quarter < 4; quarter++)
        OM_TRY(plan_quarter(p, depth, quarter, text, len));
    return OM_OK;
}

static int64_t floor_by(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

static om_status plan_waters(struct planner *p)
{
    p->size_px = om__base_text_px(OM__INK_WATER, 0, p->zoom) * p->view->ratio;
    if (!p->size_px) return OM_OK;
    // The same in fewer pixels, which begin at whole ones.
    const struct om_view *v = p->view;
    const unsigned side = v->width > v->height ? v->width : v->height;
    const int64_t step = (side + COARSE_SIDE - 1) / COARSE_SIDE;
    struct om_view coarse = {.world = v->world / (uint64_t)step,
                             .x = floor_by(v->x, step),
                             .y = floor_by(v->y, step),
                             .ratio = 1};
    coarse.width =
        (unsigned)(floor_by(v->x + v->width - 1, step) - coarse.x + 1);
    coarse.height =
        (unsigned)(floor_by(v->y + v->height - 1, step) - coarse.y + 1);
    p->step = (unsigned)step;
    OM_TRY(om_canvas_init(&p->coarse, &coarse, p->arena));
    return om_shapes_each(p->source->layer, NULL, om_view_box(p->view, 0),
                          plan_water, p);
}

/* ---- roads ---- */

static om_status plan_road(void *ctx, const struct om_shape_hit *hit)
{
    struct planner *p = ctx;
    const struct om_rings *r = hit->rings;
    const char *text;
    size_t len;
    OM_TRY(name_of(p, hit, &text, &len));
    if (!len) return OM_OK;
    const struct om_box b = r->box[hit->row];
    const struct om_label_wish wish = {
        .rank = RANK_ROAD +
                (p->rank < 3 ? (unsigned)p->rank : (unsigned)p->rank + 1),
        .weight = (double)(b.x1 - b.x0) + (double)(b.y1 - b.y0),
        .face = {.size_px = p->size_px},
        .ink = p->rank < OM_BASE_CLASSES - 1 ? OM__INK_ROAD : OM__INK_LANE,
        .near_px = 260 * (int)p->view->ratio,
        .text = text,
        .len = len};
    const size_t end = r->part_ring[r->shape_part[hit->row + 1]];
    for (size_t line = r->part_ring[r->shape_part[hit->row]]; line < end;
         line++)
        OM_TRY(
            om_label_plan_line(p->plan, &wish, r->vertex + r->ring_vertex[line],
                               r->ring_vertex[line + 1] - r->ring_vertex[line],
                               440 * (int)p->view->ratio));
    return OM_OK;
}

static om_status plan_roads(struct planner *p)
{
    for (size_t c = 0; c < p->source->classes; c++) {
        p->rank = p->source->classes == 1 ? 3 : c;
        p->size_px =
            om__base_text_px(OM__INK_ROAD, p->rank, p->zoom) * p->view->ratio;
        if (p->size_px)
            OM_TRY(om__base_roads_each(p->source, c, om_view_box(p->view, 0),
                                       plan_road, p));
    }
    return OM_OK;
}

om_status om__base_plan(const struct om_base *base, struct om_label_plan *plan,
                        struct om_arena *arena)
{
    const struct om_view *view = om_label_plan_view(plan);
    struct planner p = {.base = base,
                        .plan = plan,
                        .view = view,
                        .zoom = om_view_zoom(view),
                        .arena = arena};
    om_status st = OM_OK;
    for (size_t i = 0; i < base->levels && !st; i++) st = plan_level(&p, i);
    for (size_t i = 0; i < base->sources && !st; i++) {
        p.source = &base->source[i];
        if (p.source->kind == OM__BASE_WATER) st = plan_waters(&p);
        if (p.source->kind == OM__BASE_ROAD) st = plan_roads(&p);
    }
    om_text_reader_deinit(&p.reader);
    om_text_reader_deinit(&p.english);
    return st;
}
