// dots.c - points by pixel, class and day.
#include "tiles/picture/dots.h"

#include "data/base/hash.h"
#include "data/model/pos.h"
#include "tiles/days.h"
#include "tiles/varint.h"

_Static_assert(OM_CLASSES_MOST <= OM_DAY_KINDS_MOST, "a kind for each class");

om_status om_dots_tile_init(const struct om_picture *picture,
                            const struct om_view *view,
                            struct om_dots_tile *out)
{
    if (picture->kind != OM_PICTURE_ROWS ||
        picture->layer->schema.geometry != OM_GEOMETRY_POINT)
        return OM_E_TYPE;
    const unsigned log = (unsigned)__builtin_ctzll(view->world);
    if (view->world >> log != 1 || log < 9 || log > 40) return OM_E_RANGE;
    const struct om_rows_spec spec = om_picture_rows(picture);
    const unsigned margin =
        om_rows_dot_reach_px(om_rows_room(&spec, view).dot_most, view->ratio);
    const struct om_box box = om_view_box(view, margin);
    const unsigned e = 40 - log;
    *out = (struct om_dots_tile){
        .picture = picture,
        .view = *view,
        .net = {.exponent = e,
                .column0 = box.x0 >> e,
                .row0 = box.y0 >> e,
                .columns = (box.x1 >> e) - (box.x0 >> e) + 1,
                .rows = (box.y1 >> e) - (box.y0 >> e) + 1},
        .box = box};
    return OM_OK;
}

uint64_t om_dots_tile_look(const struct om_dots_tile *tile)
{
    const struct om_rows_spec spec = om_picture_rows(tile->picture);
    const double area = om_rows_room(&spec, &tile->view).area_px;
    return om_hash64(&area, sizeof area, om_picture_classes(tile->picture));
}

/* ---- counting ---------------------------------------------------------- */

struct telling {
    const struct om_picture *picture;
    struct om_class_rows rows;
    struct om_arena *arena;
};

static om_status begin_part(void *ctx, size_t part)
{
    struct telling *t = ctx;
    return om_class_rows_init(&t->picture->classes,
                              &t->picture->layer->part[part], t->arena,
                              &t->rows);
}

static size_t class_of(const void *ctx, size_t row)
{
    return om_class_of_row(&((const struct telling *)ctx)->rows, row);
}

om_status om_dots_tile_count(const struct om_dots_tile *tile,
                             const struct om_query *query, int32_t zone_s,
                             struct om_arena *arena, struct om_days *out)
{
    struct om_query here = *query;
    struct telling telling = {.picture = tile->picture, .arena = arena};
    const struct om_day_kinds kinds = {.count = tile->picture->classes.count,
                                       .begin = begin_part,
                                       .of = class_of,
                                       .ctx = &telling};
    here.place = (struct om_place){.kind = OM_PLACE_BOX, .box = tile->box};
    *out = (struct om_days){0};
    if (!kinds.count) return OM_OK;
    return om_query_days_of_kinds(&here, &tile->net, zone_s, &kinds, out);
}

/* ---- bytes ------------------------------------------------------------- */

static void add_colour(struct om_buf *out, struct om_colour c, uint8_t last)
{
    const uint8_t four[] = {c.r, c.g, c.b, last};
    om_buf_add(out, four, sizeof four);
}

om_status om_dots_tile_write(const struct om_dots_tile *tile,
                             const struct om_days *days, struct om_buf *out)
{
    const struct om_picture *p = tile->picture;
    const struct om_rows_spec spec = om_picture_rows(p);
    const struct om_rows_room room = om_rows_room(&spec, &tile->view);
    const struct om_colour edge = om_rows_edge(p->palette);
    if (!days->count) return out->status;
    const uint64_t numbers[] = {tile->view.width,
                                tile->view.ratio,
                                (uint64_t)tile->view.x - tile->net.column0,
                                (uint64_t)tile->view.y - tile->net.row0,
                                tile->net.columns,
                                tile->net.rows,
                                room.dot_most,
                                p->classes.count};
    om_buf_add(out, "OMP1", 4);
    om_real_add(out, room.area_px);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        om_varint_add(out, numbers[i]);
    add_colour(out, edge, edge.a);
    for (size_t i = 0; i < p->classes.count; i++) {
        const struct om_class *class = &p->classes.class[i];
        add_colour(out, class->colour[p->palette], (uint8_t) class->mark);
    }
    return om_days_write_cells(days, 1.0, out);
}
