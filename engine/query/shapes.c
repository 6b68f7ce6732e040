// shapes.c - shapes of a layer by their boxes.
#include "engine/query/shapes.h"

#include "engine/query/spans.h"
#include "engine/query/trees.h"

struct visit {
    const struct om_segment *segment;
    struct om__chosen chosen;
    struct om_shape_hit hit;
    om_status (*each)(void *ctx, const struct om_shape_hit *hit);
    void *ctx;
    om_status status;
};

static bool take(void *ctx, uint32_t shape)
{
    struct visit *v = ctx;
    if (!om__chosen_all(&v->chosen) && !om__chosen_has(&v->chosen, shape))
        return true;
    struct om_rings rings;
    v->status = om_segment_rings(v->segment, shape, (size_t)shape + 1, &rings);
    if (v->status) return false;
    v->hit.row = shape;
    v->hit.rings = &rings;
    v->status = v->each(v->ctx, &v->hit);
    return !v->status;
}

om_status om_shapes_each_of(
    const struct om_layer *layer, size_t part,
    const struct om_selection *selection, struct om_box box,
    om_status (*each)(void *ctx, const struct om_shape_hit *hit), void *ctx)
{
    if (layer->schema.geometry == OM_GEOMETRY_POINT) return OM_E_TYPE;
    if (box.x0 > box.x1 || box.y0 > box.y1) return OM_OK;
    struct visit v = {.segment = layer->part[part].segment,
                      .hit = {.part = part},
                      .each = each,
                      .ctx = ctx};
    struct om__kept_tree *tree = NULL;
    om__chosen_init(&v.chosen, selection, layer, part);
    OM_TRY(om__tree_get(v.segment, &tree));
    om_tree_search(om__tree_of(tree), box, take, &v);
    om__tree_release(tree);
    return v.status;
}

om_status om_shapes_each(
    const struct om_layer *layer, const struct om_selection *selection,
    struct om_box box,
    om_status (*each)(void *ctx, const struct om_shape_hit *hit), void *ctx)
{
    if (layer->schema.geometry == OM_GEOMETRY_POINT) return OM_E_TYPE;
    for (size_t i = 0; i < layer->parts; i++)
        OM_TRY(om_shapes_each_of(layer, i, selection, box, each, ctx));
    return OM_OK;
}
