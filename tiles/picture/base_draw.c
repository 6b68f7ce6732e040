// base_draw.c - painting the base map: land, water, buildings, roads, borders.
#include <math.h>
#include <string.h>

#include "tiles/picture/base_internal.h"

/* Half of the widest road, with its casing and soft edges. */
#define ROAD_PX 48

/* A pass over shapes. */
struct pass {
    struct om_canvas *canvas;
    struct om_stroke stroke;
    bool closed;
};

static om_status add_polygon(void *ctx, const struct om_shape_hit *hit)
{
    const struct pass *p = ctx;
    om_canvas_polygon(p->canvas, hit->rings, hit->row);
    return OM_OK;
}

static om_status add_outline(void *ctx, const struct om_shape_hit *hit)
{
    const struct pass *p = ctx;
    om_canvas_outline(p->canvas, hit->rings, hit->row, p->closed, &p->stroke);
    return OM_OK;
}

struct land {
    struct om_canvas *canvas;
    const struct om_level *level;
};

static void add_unit(void *ctx, size_t unit)
{
    const struct land *l = ctx;
    om_canvas_polygon(l->canvas, &l->level->units.rings,
                      l->level->units.unit[unit].row);
}

static void draw_land(const struct om_base *base, struct om_colour colour,
                      struct om_canvas *canvas)
{
    if (!base->levels) {
        om_canvas_flood(canvas, colour);
        return;
    }
    struct land land = {canvas, base->level[0]};
    om_level_each(base->level[0], om_view_box(&canvas->view, 1), add_unit,
                  &land);
    om_canvas_fill(canvas, colour);
}

static om_status draw_polygons(const struct om_base *base,
                               enum om__base_kind kind, struct om_colour fill,
                               struct om_colour edge, int edge_width,
                               struct om_canvas *canvas)
{
    struct pass pass = {
        .canvas = canvas, .stroke = {.width = edge_width}, .closed = true};
    const struct om_box box = om_view_box(&canvas->view, 2);
    for (size_t i = 0; i < base->sources; i++) {
        const struct om__base_source *s = &base->source[i];
        if (s->kind != kind) continue;
        OM_TRY(om_shapes_each(s->layer, NULL, box, add_polygon, &pass));
        om_canvas_fill(canvas, fill);
        if (edge_width < 2) continue;
        OM_TRY(om_shapes_each(s->layer, NULL, box, add_outline, &pass));
        om_canvas_fill(canvas, edge);
    }
    return OM_OK;
}

/* One class of roads, `extra` wider than they are. */
static om_status draw_class(const struct om__base_source *s, size_t class,
                            int width, struct om_colour colour,
                            struct om_canvas *canvas)
{
    struct pass pass = {.canvas = canvas,
                        .stroke = {.width = width, .cap = OM_CAP_ROUND}};
    const struct om_box box =
        om_view_box(&canvas->view, (unsigned)width / 512 + 2);
    OM_TRY(om__base_roads_each(s, class, box, add_outline, &pass));
    om_canvas_fill(canvas, colour);
    return OM_OK;
}

/* Casings of all classes first, so that roads flow into each other; then the
 * roads, the most important on top. */
static om_status draw_roads(const struct om_base *base,
                            const struct om__base_style *style,
                            struct om_canvas *canvas)
{
    const double zoom = om_view_zoom(&canvas->view);
    const int ratio = (int)canvas->view.ratio;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < base->sources; i++) {
            const struct om__base_source *s = &base->source[i];
            if (s->kind != OM__BASE_ROAD) continue;
            for (size_t c = s->classes; c-- > 0;) {
                const size_t rank = s->classes == 1 ? 3 : c;
                const int width = om__base_road_width(rank, zoom) * ratio;
                if (!width) continue;
                // A hairline on both sides, growing slowly.
                const int edge = (width > 640 * ratio ? 2 * 256 : 256) * ratio;
                const int casing =
                    width + (width < 256 * ratio ? edge / 2 : edge);
                OM_TRY(draw_class(
                    s, c, pass ? width : casing,
                    pass ? style->road[rank] : style->casing[rank], canvas));
            }
        }
    return OM_OK;
}

static void draw_borders(const struct om_base *base,
                         const struct om__base_style *style, size_t level,
                         struct om_canvas *canvas)
{
    static const struct om__stop width[OM__BASE_LEVELS][3] = {
        {{7, 0.6}, {11, 1.0}, {15, 1.6}},
        {{11.5, 0.5}, {13, 0.8}, {16, 1.2}},
    };
    if (base->levels <= level) return;
    const unsigned ratio = canvas->view.ratio;
    const double px =
        om__stops_at(width[level], 3, om_view_zoom(&canvas->view));
    const struct om_stroke stroke = {
        .width = (int)(px * 256.0 * ratio + 0.5),
        .dash = (int)(level ? 3 : 7) * 256 * (int)ratio,
        .gap = (int)(level ? 3 : 3) * 256 * (int)ratio};
    if (stroke.width < 2) return;
    om_borders_draw(&base->level[level]->borders, canvas, &stroke);
    om_canvas_fill(canvas, style->border[level]);
}

om_status om_base_draw(struct om_base *base, enum om_palette palette,
                       struct om_canvas *canvas, struct om_arena *arena)
{
    const struct om__base_style *style = &om__base_styles[palette];
    const double zoom = om_view_zoom(&canvas->view);
    const int ratio = (int)canvas->view.ratio;
    (void)arena;
    om_canvas_flood(canvas, style->ground);
    draw_land(base, style->land, canvas);
    OM_TRY(draw_polygons(base, OM__BASE_WATER, style->water, style->shore,
                         zoom >= 11 ? 192 * ratio : 0, canvas));
    if (zoom >= OM__BASE_BUILDING_ZOOM)
        OM_TRY(draw_polygons(base, OM__BASE_BUILDING, style->building,
                             style->building_edge,
                             zoom >= 15.5 ? 208 * ratio : 0, canvas));
    draw_borders(base, style, 1, canvas);
    OM_TRY(draw_roads(base, style, canvas));
    draw_borders(base, style, 0, canvas);
    return OM_OK;
}

static int64_t square_of(int64_t px, int64_t side)
{
    return px >= 0 ? px / side : -((-px + side - 1) / side);
}

om_status om_base_square_draw(const struct om_base *base,
                              enum om_palette palette,
                              const struct om_base_square *square,
                              struct om_canvas *canvas, struct om_arena *arena)
{
    return base->font
               ? om_labels_draw(base->font, &square->labels,
                                om__base_styles[palette].ink, canvas, arena)
               : OM_OK;
}

/* Over an answer lanes are named only where they are far apart: by hundreds
 * they would hide it. */
#define LANES_OVER_ZOOM 17.5

/* What labels are drawn with that lie over something else. */
static void over_inks(enum om_palette palette, double zoom,
                      struct om_label_ink ink[OM__INKS])
{
    memcpy(ink, om__base_styles[palette].ink, OM__INKS * sizeof *ink);
    if (zoom < LANES_OVER_ZOOM) ink[OM__INK_LANE] = (struct om_label_ink){0};
}

/* Squares whose labels a view shows a part of. */
struct squares {
    int64_t x0, y0, x1, y1;
};

static struct squares squares_of(const struct om_view *v)
{
    const int64_t side = OM_LABEL_SQUARE_PX * (int64_t)v->ratio;
    // Halos may reach over the border of a square.
    const int64_t room = 8 * (int64_t)v->ratio;
    return (struct squares){square_of(v->x - room, side),
                            square_of(v->y - room, side),
                            square_of(v->x + v->width - 1 + room, side),
                            square_of(v->y + v->height - 1 + room, side)};
}

struct om_box om_base_reach(const struct om_view *view, bool labels)
{
    // Half of the widest road, casing included, and what edges soften.
    struct om_box box = om_view_box(view, ROAD_PX * view->ratio);
    if (!labels) return box;
    const struct squares s = squares_of(view);
    const unsigned side = OM_LABEL_SQUARE_PX * view->ratio;
    for (int64_t y = s.y0; y <= s.y1; y++)
        for (int64_t x = s.x0; x <= s.x1; x++) {
            struct om_view square = *view;
            square.x = x * side;
            square.y = y * side;
            square.width = square.height = side;
            // Pixels of water are taken by the coarse picture's.
            const struct om_box more = om_view_box(&square, 32 * view->ratio);
            if (more.x0 <= more.x1) om_box_widen(&box, more);
        }
    return box;
}

om_status om_base_labels_draw(struct om_base *base, enum om_palette palette,
                              bool over, struct om_canvas *canvas,
                              struct om_arena *arena)
{
    const struct om_view *v = &canvas->view;
    const struct squares s = squares_of(v);
    if (!base->font) return OM_OK;
    struct om_label_ink ink[OM__INKS];
    over_inks(palette, over ? om_view_zoom(v) : INFINITY, ink);
    for (int64_t y = s.y0; y <= s.y1; y++)
        for (int64_t x = s.x0; x <= s.x1; x++) {
            struct om_base_square *square;
            OM_TRY(om_base_square(base, v->world, v->ratio, x, y, &square));
            const om_status st =
                om_labels_draw(base->font, &square->labels, ink, canvas, arena);
            om_base_square_unref(square);
            if (st) return st;
        }
    return OM_OK;
}
