// picture.c - pictures made ready: their parts, and the colours they need.
#include "tiles/picture/picture.h"

#include <stdatomic.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "tiles/picture/base_internal.h"
#include "tiles/picture/heatmap.h"

/* The deepest zoom of tiles; those of 512 pixels are of the next. */
#define LOOK_ZOOM 23

struct counted {
    struct om_picture picture;  // first: what callers hold
    atomic_size_t refs;
};

static om_status new_picture(enum om_picture_kind kind, enum om_palette palette,
                             struct om_picture **out)
{
    *out = NULL;
    struct counted *c = om_calloc(1, sizeof *c);
    if (!c) return OM_E_MEMORY;
    atomic_init(&c->refs, 1);
    c->picture.kind = kind;
    c->picture.palette = palette;
    const om_status st = om_quant_new(&c->picture.quant);
    if (st) {
        om_free(c);
        return st;
    }
    *out = &c->picture;
    return OM_OK;
}

struct om_picture *om_picture_ref(struct om_picture *picture)
{
    atomic_fetch_add(&((struct counted *)picture)->refs, 1);
    return picture;
}

void om_picture_unref(struct om_picture *picture)
{
    struct counted *c = (struct counted *)picture;
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1) return;
    om_unit_classes_deinit(&picture->units);
    om_classes_deinit(&picture->classes);
    om_level_unref(picture->level);
    om_selection_unref(picture->selection);
    om_snapshot_unref(picture->snapshot);
    om_base_unref(picture->base);
    om_quant_free(picture->quant);
    om_free(c);
}

/* ---- colours ---- */

static const struct om_colour CLEAR = {0, 0, 0, 0};

/* First the colours themselves, then what edges and letters mix of them. */
static void add_base_colours(struct om_quant *q, const struct om__base_style *s)
{
    const struct om_colour plain[] = {
        s->ground,    s->land,      s->water,     s->building,
        s->road[0],   s->road[1],   s->road[2],   s->road[3],
        s->road[4],   s->casing[0], s->casing[1], s->casing[2],
        s->casing[3], s->casing[4], s->shore,     s->building_edge,
        s->border[0], s->border[1]};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        om_quant_add(q, plain[i]);
    for (size_t i = 0; i < OM__INKS; i++) {
        om_quant_add(q, s->ink[i].text);
        om_quant_add(q, s->ink[i].halo);
    }
    for (size_t i = 0; i < OM__INKS; i++)
        om_quant_ramp(q, s->ink[i].halo, s->ink[i].text, 8);
    for (size_t i = 0; i < OM_BASE_CLASSES; i++) {
        om_quant_ramp(q, s->casing[i], s->road[i], 4);
        om_quant_ramp(q, s->land, s->casing[i], 4);
    }
    om_quant_ramp(q, s->ground, s->land, 4);
    om_quant_ramp(q, s->land, s->water, 5);
    om_quant_ramp(q, s->ground, s->water, 4);
    om_quant_ramp(q, s->water, s->shore, 3);
    om_quant_ramp(q, s->land, s->building, 4);
    om_quant_ramp(q, s->building, s->building_edge, 3);
    om_quant_ramp(q, s->land, s->building_edge, 3);
    for (size_t i = 0; i < OM__BASE_LEVELS; i++) {
        om_quant_ramp(q, s->land, s->border[i], 6);
        om_quant_ramp(q, s->road[2], s->border[i], 4);
        om_quant_ramp(q, s->water, s->border[i], 4);
        om_quant_ramp(q, s->ground, s->border[i], 4);
    }
    om_quant_ramp(q, s->building, s->road[4], 3);
    om_quant_ramp(q, s->water, s->road[2], 4);
    for (size_t i = 0; i < OM__INKS; i++) {
        om_quant_ramp(q, s->land, s->ink[i].text, 6);
        om_quant_ramp(q, s->water, s->ink[i].halo, 3);
        om_quant_ramp(q, s->building, s->ink[i].halo, 3);
        om_quant_ramp(q, s->water, s->ink[i].text, 4);
        om_quant_ramp(q, s->road[2], s->ink[i].text, 4);
    }
}

static void add_label_colours(struct om_quant *q,
                              const struct om__base_style *s)
{
    om_quant_add(q, CLEAR);
    for (size_t i = 0; i < OM__INKS; i++) {
        om_quant_ramp(q, CLEAR, s->ink[i].halo, 10);
        om_quant_ramp(q, s->ink[i].halo, s->ink[i].text, 12);
        om_quant_ramp(q, CLEAR, s->ink[i].text, 8);
    }
}

static void add_unit_colours(struct om_quant *q,
                             const struct om_unit_classes *c,
                             enum om_palette palette)
{
    const struct om_colour edge = om_choropleth_edge(c, palette);
    om_quant_add(q, CLEAR);
    for (size_t i = 0; i <= c->classes; i++) {
        const struct om_colour fill = om_choropleth_fill(c, i, palette);
        om_quant_ramp(q, CLEAR, fill, 6);
        om_quant_ramp(q, fill, om_colour_over(edge, fill), 6);
        for (size_t k = 1; k <= 2 && i + k < c->classes; k++)
            om_quant_ramp(q, fill, om_choropleth_fill(c, i + k, palette), 3);
    }
    om_quant_ramp(q, CLEAR, edge, 8);
    om_quant_ramp(q, CLEAR, om_unit_hatch_colour(palette), 6);
}

static void add_row_colours(struct om_quant *q, const struct om_picture *p)
{
    om_quant_add(q, CLEAR);
    for (size_t i = 0; i < p->classes.count; i++) {
        const struct om_colour c = p->classes.class[i].colour[p->palette];
        om_quant_add(q, c);
        if (p->layer->schema.geometry == OM_GEOMETRY_POLYGON) {
            const struct om_colour fill = om_colour_fade(c, OM_ROWS_FILL);
            om_quant_ramp(q, CLEAR, fill, 6);
            om_quant_ramp(q, fill, c, 3);
        }
        for (unsigned k = 0; k < OM_ROWS_WEIGHTS; k++)
            om_quant_add(q, om_colour_fade(c, om_rows_weight(k)));
    }
    for (size_t i = 0; i < p->classes.count; i++) {
        const struct om_colour c = p->classes.class[i].colour[p->palette];
        om_quant_ramp(q, CLEAR, c, 6);
        om_quant_ramp(q, om_rows_edge(p->palette), c, 5);
    }
    om_quant_ramp(q, CLEAR, om_rows_edge(p->palette), 6);
}

/* ---- kinds ---- */

om_status om_picture_base(struct om_base *base, enum om_palette palette,
                          bool map, bool labels, struct om_picture **out)
{
    OM_TRY(new_picture(OM_PICTURE_BASE, palette, out));
    (*out)->base = om_base_ref(base);
    (*out)->map = map;
    (*out)->labels = labels;
    if (map)
        add_base_colours((*out)->quant, &om__base_styles[palette]);
    else
        add_label_colours((*out)->quant, &om__base_styles[palette]);
    return OM_OK;
}

om_status om_picture_units_take(struct om_base *base, struct om_level *level,
                                struct om_unit_classes *classes,
                                enum om_palette palette,
                                struct om_picture **out)
{
    const om_status st = new_picture(OM_PICTURE_UNITS, palette, out);
    if (st) {
        om_unit_classes_deinit(classes);
        return st;
    }
    (*out)->base = om_base_ref(base);
    (*out)->level = om_level_ref(level);
    (*out)->units = *classes;
    *classes = (struct om_unit_classes){0};
    add_unit_colours((*out)->quant, &(*out)->units, palette);
    return OM_OK;
}

om_status om_picture_rows_take(struct om_snapshot *snapshot,
                               const struct om_layer *layer,
                               struct om_selection *selection,
                               struct om_classes *classes,
                               enum om_palette palette, struct om_picture **out)
{
    const om_status st = new_picture(OM_PICTURE_ROWS, palette, out);
    if (st) {
        om_classes_deinit(classes);
        return st;
    }
    (*out)->snapshot = om_snapshot_ref(snapshot);
    (*out)->layer = layer;
    (*out)->selection = om_selection_ref(selection);
    (*out)->classes = *classes;
    *classes = (struct om_classes){.column = OM_NO_FIELD};
    add_row_colours((*out)->quant, *out);
    return OM_OK;
}

struct om_picture om_picture_heat(struct om_fields *fields,
                                  const struct om_risk *risk,
                                  const struct om_legend *legend)
{
    return (struct om_picture){.kind = OM_PICTURE_HEAT,
                               .fields = fields,
                               .risk = risk,
                               .legend = legend,
                               .title = "",
                               .title_en = "",
                               .unit = "",
                               .unit_en = ""};
}

struct om_rows_spec om_picture_rows(const struct om_picture *p)
{
    return (struct om_rows_spec){p->layer, p->selection, &p->classes,
                                 p->palette};
}

/* Which rows are told apart, and how. */
static uint64_t hash_classes(const struct om_classes *c)
{
    const uint64_t numbers[] = {c->column, c->count, c->steps};
    uint64_t hash = om_hash64(numbers, sizeof numbers, 0);
    hash = om_hash64(c->from, c->steps * sizeof *c->from, hash);
    for (size_t i = 0; i < c->count; i++) {
        const struct om_class *class = &c->class[i];
        hash = om_hash64(class->text, strlen(class->text), hash + class->other);
        hash = om_hash64(class->colour, sizeof class->colour, hash);
    }
    return hash;
}

uint64_t om_picture_classes(const struct om_picture *picture)
{
    return hash_classes(&picture->classes);
}

/* Of shapes: by how large they are it is decided how they are drawn. */
static uint64_t hash_size(const struct om_classes *c)
{
    return om_hash64(&c->shape_cells, sizeof c->shape_cells, 0);
}

bool om_picture_local(const struct om_picture *picture,
                      const struct om_view *view, struct om_box *box,
                      uint64_t *look)
{
    if (picture->kind != OM_PICTURE_ROWS) return false;
    const struct om_rows_spec spec = om_picture_rows(picture);
    const uint64_t parts[] = {hash_classes(&picture->classes),
                              hash_size(&picture->classes),
                              om_rows_look(&spec, view)};
    *look = om_hash64(parts, sizeof parts, 0);
    *box = om_view_box(view, om_rows_reach_px(&spec, view));
    return box->x0 <= box->x1;
}

struct units_look {
    const struct om_unit_classes *classes;
    uint64_t hash;
};

static void add_unit(void *ctx, size_t unit)
{
    struct units_look *l = ctx;
    const uint64_t of[] = {unit, l->classes->of[unit]};
    l->hash = om_hash64(of, sizeof of, l->hash);
}

bool om_picture_units_look(const struct om_picture *picture,
                           const struct om_view *view, uint64_t *look)
{
    const struct om_unit_classes *c = &picture->units;
    if (picture->kind != OM_PICTURE_UNITS) return false;
    const uint64_t numbers[] = {c->classes, c->outline, c->zero_clear};
    struct units_look l = {c, om_hash64(numbers, sizeof numbers, 0)};
    for (size_t i = 0; i < c->classes; i++)
        l.hash =
            om_hash64(c->class[i].colour, sizeof c->class[i].colour, l.hash);
    if (!c->outline)
        om_level_each(picture->level, om_view_box(view, OM_CHOROPLETH_PX),
                      add_unit, &l);
    *look = l.hash;
    return true;
}

uint64_t om_picture_look(const struct om_picture *picture)
{
    if (picture->kind != OM_PICTURE_ROWS) return 0;
    const struct om_rows_spec spec = om_picture_rows(picture);
    const uint64_t parts[] = {hash_classes(&picture->classes),
                              hash_size(&picture->classes)};
    uint64_t look = om_hash64(parts, sizeof parts, 0);
    for (unsigned z = 0; z <= LOOK_ZOOM; z++) {
        const struct om_view view = om_view_tile(z, 0, 0, 256, 1);
        const uint64_t sizes = om_rows_look(&spec, &view);
        look = om_hash64(&sizes, sizeof sizes, look);
    }
    return look;
}

om_status om_picture_draw(const struct om_picture *picture, bool map,
                          bool labels, struct om_canvas *canvas,
                          struct om_arena *arena)
{
    const struct om_rows_spec spec = om_picture_rows(picture);
    switch (picture->kind) {
        case OM_PICTURE_BASE:
            if (map && picture->map)
                OM_TRY(om_base_draw(picture->base, picture->palette, canvas,
                                    arena));
            return labels && picture->labels
                       ? om_base_labels_draw(picture->base, picture->palette,
                                             !picture->map, canvas, arena)
                       : OM_OK;
        case OM_PICTURE_UNITS:
            return map ? om_choropleth_draw(picture->level, &picture->units,
                                            picture->palette, canvas, arena)
                       : OM_OK;
        case OM_PICTURE_ROWS:
            return map ? om_rows_draw(&spec, canvas, arena) : OM_OK;
        case OM_PICTURE_HEAT:
            return map ? om_heatmap_draw(picture->fields, picture->risk,
                                         picture->legend, canvas, arena)
                       : OM_OK;
    }
    return OM_E_INTERNAL;
}

om_status om_picture_png(const struct om_picture *picture,
                         const struct om_view *view, struct om_arena *arena,
                         struct om_buf *png)
{
    struct om_canvas canvas;
    OM_TRY(om_canvas_init(&canvas, view, arena));
    OM_TRY(om_picture_draw(picture, true, true, &canvas, arena));
    return om_quant_png(picture->quant, &canvas, arena, png);
}

uint64_t om_picture_rows_in(const struct om_picture *picture,
                            const struct om_view *view)
{
    const struct om_rows_spec spec = om_picture_rows(picture);
    return picture->kind == OM_PICTURE_ROWS ? om_rows_cost(&spec, view) : 0;
}
