/* reach.c - what a tile of lines or polygons depends on.
 *
 * DESIGN
 * A shape is in a tile or not by its box. How it is simplified follows from
 * what has vertices in the same cells of ranks (border.c). A line that comes
 * from other cells than the tile's has a vertex on both sides of the border,
 * whatever lies there: a tile of lines depends on what lies in its own cells.
 * How a ring that is cut begins may follow from all of it: a tile of polygons
 * depends on what lies in their boxes, too. Where very many would have to be
 * looked at, it is said to depend on all.
 */
#include "data/base/hash.h"
#include "engine/query/shapes.h"
#include "tiles/vector/vector_internal.h"

/* Rows of a tile whose boxes are looked at. */
#define ROWS_MOST 5000

static om_status widen(void *ctx, const struct om_shape_hit *hit)
{
    om_box_widen(ctx, hit->rings->box[hit->row]);
    return OM_OK;
}

static om_status count_rows(const struct om_layer *layer,
                            const struct om__place *place, size_t *rows)
{
    *rows = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        size_t from, to;
        OM_TRY(om_segment_range(layer->part[p].segment, place->code,
                                place->code_end, &from, &to));
        *rows += to - from;
    }
    return OM_OK;
}

static struct om_box grown(struct om_box box, uint32_t by)
{
    return (struct om_box){box.x0 > by ? box.x0 - by : 0,
                           box.y0 > by ? box.y0 - by : 0,
                           box.x1 < UINT32_MAX - by ? box.x1 + by : UINT32_MAX,
                           box.y1 < UINT32_MAX - by ? box.y1 + by : UINT32_MAX};
}

/* The cells of ranks that it meets. */
static struct om_box cells_of(struct om_box box)
{
    const uint32_t cell = UINT32_MAX >> OM__RANK_LEVEL;
    return (struct om_box){box.x0 & ~cell, box.y0 & ~cell, box.x1 | cell,
                           box.y1 | cell};
}

/* Out to the borders of cells, from a unit of the zoom beyond the box. */
static struct om_box to_cells(struct om_box box, unsigned z)
{
    return cells_of(grown(box, (UINT32_C(1) << (OM__ZOOM_EXACT - z)) + 1));
}

om_status om_vector_reach(struct om_vectors *vectors,
                          const struct om_vector_spec *spec, unsigned z,
                          uint32_t x, uint32_t y, struct om_box *out)
{
    const struct om_layer *layer = spec->layer;
    struct om__place place;
    size_t rows;
    OM_TRY(om__place_init(&place, z, x, y));
    *out = om__place_reach(&place);
    if (z >= OM__ZOOM_EXACT || !om__borders_wanted(vectors, layer))
        return OM_OK;
    if (layer->schema.geometry == OM_GEOMETRY_LINE) {
        *out = to_cells(*out, z);
        return OM_OK;
    }
    OM_TRY(count_rows(layer, &place, &rows));
    if (rows > ROWS_MOST) {
        *out = (struct om_box){0, 0, UINT32_MAX, UINT32_MAX};
        return OM_OK;
    }
    struct om_box box = *out;
    OM_TRY(om_shapes_each(layer, NULL, *out, widen, &box));
    *out = to_cells(box, z);
    return OM_OK;
}

/* Polygons that come nearer to a cell than this have vertices of it to go
 * through: a unit of zoom 4. Of smaller zooms cities are a few tiles. */
#define NEAR (UINT32_C(1) << (OM__ZOOM_EXACT - 4))

struct touching {
    size_t *most;
    om_status (*each)(void *ctx, struct om_box box);
    void *ctx;
};

static om_status touch(void *ctx, const struct om_shape_hit *hit)
{
    struct touching *t = ctx;
    if (*t->most == 0) return OM_E_LIMIT;
    --*t->most;
    return t->each(t->ctx, hit->rings->box[hit->row]);
}

om_status om_vector_touched(struct om_vectors *vectors,
                            const struct om_layer *layer, struct om_box box,
                            size_t *most,
                            om_status (*each)(void *ctx, struct om_box box),
                            void *ctx)
{
    const struct om_box cells = cells_of(box);
    struct touching t = {most, each, ctx};
    if (!om__rank_level(layer) || !om__borders_wanted(vectors, layer))
        return OM_OK;
    OM_TRY(each(ctx, cells));
    if (layer->schema.geometry == OM_GEOMETRY_LINE) return OM_OK;
    return om_shapes_each(layer, NULL, grown(cells, NEAR), touch, &t);
}

om_status om_vector_look(struct om_vectors *vectors,
                         const struct om_vector_spec *spec, uint64_t *out)
{
    struct om__kept kept;
    OM_TRY(om__drawing_get(vectors, spec, true, &kept));
    const struct om__drawing *d = kept.value;
    const uint64_t whole[] = {om__all_zoom(d),
                              om__borders_wanted(vectors, spec->layer)};
    *out = om_hash64(whole, sizeof whole, 0);
    *out = om_hash64(d->least, sizeof d->least, *out);
    *out = om_hash64(d->lean, sizeof d->lean, *out);
    om__keep_release(vectors, &kept);
    return OM_OK;
}
