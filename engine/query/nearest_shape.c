/* nearest_shape.c - the K nearest lines or polygons: circles that grow.
 *
 * Each circle is searched through the tree; once it holds K shapes that count
 * they are the nearest ones of the part, because whatever lies outside is
 * farther than the circle's radius.
 */
#include <math.h>

#include "data/base/alloc.h"
#include "engine/query/nearest_internal.h"
#include "engine/query/trees.h"

/* Radius of the first circle; each next one is twice as wide in places, so at
 * most 20 rounds reach round the earth. */
#define FIRST_M 64.0
#define GROWTH 4.0
#define EARTH_M 3e7

struct round {
    const struct om__chosen *chosen;
    const struct om_rings *rings;
    enum om_geometry geometry;
    struct om_circle circle;
    struct om__best *best;
    size_t part, within;
};

static bool visit(void *ctx, uint32_t shape)
{
    struct round *r = ctx;
    if (!om__chosen_has(r->chosen, shape)) return true;
    if (r->rings->shape_part[shape] == r->rings->shape_part[shape + 1])
        return true;  // refused: it lies nowhere
    const double limit_m = fmin(om__best_limit_m(r->best), r->circle.radius_m);
    if (om_circle_near_m(&r->circle, r->rings->box[shape]) > limit_m)
        return true;
    const double m =
        om_circle_shape_m(&r->circle, r->rings, shape, r->geometry, limit_m);
    if (m <= limit_m)
        om__best_offer(r->best, (struct om_hit){r->part, shape, m});
    return r->best->status == OM_OK;
}

/* Shapes in boxes are met once; a circle across the date line is two boxes,
 * and a shape that lies in both would be met twice, so the second asks only
 * for what the first has not seen. */
static bool visit_east(void *ctx, uint32_t shape)
{
    struct round *r = ctx;
    const struct om_box *box = &r->rings->box[shape];
    return box->x0 <= r->circle.box.x1 ? true : visit(ctx, shape);
}

static void search_round(struct round *r, const struct om_tree *tree)
{
    const struct om_box box = r->circle.box;
    if (box.x0 <= box.x1) {
        om_tree_search(tree, box, visit, r);
        return;
    }
    om_tree_search(tree, (struct om_box){0, box.y0, box.x1, box.y1}, visit, r);
    om_tree_search(tree, (struct om_box){box.x0, box.y0, UINT32_MAX, box.y1},
                   visit_east, r);
}

om_status om__nearest_shapes(const struct om_place *place,
                             const struct om__chosen *chosen,
                             const struct om_segment *segment, size_t part,
                             struct om__best *best)
{
    const size_t rows = om_segment_rows(segment);
    if (!rows) return OM_OK;
    struct om__kept_tree *tree = NULL;
    struct om_rings rings;
    OM_TRY(om__tree_get(segment, &tree));  // has checked all shapes
    OM_TRY(om_segment_rings(segment, 0, 0, &rings));
    struct round r = {.chosen = chosen,
                      .rings = &rings,
                      .geometry = om_segment_schema(segment)->geometry,
                      .best = best,
                      .part = part};
    // What other parts have found so far is offered again in every round.
    const size_t before = best->count;
    struct om_hit *others = om_alloc_array(before + 1, sizeof *others);
    om_status st = others ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < before && !st; i++) others[i] = best->hit[i];
    for (double radius_m = FIRST_M; !st; radius_m *= GROWTH) {
        const bool last = radius_m >= EARTH_M;
        st = om_circle_init(&r.circle, place->pos, last ? EARTH_M : radius_m);
        if (st) break;
        best->count = 0;
        for (size_t i = 0; i < before; i++) om__best_offer(best, others[i]);
        search_round(&r, om__tree_of(tree));
        st = best->status;
        // Enough, and none of them farther than what has been searched.
        if (last || om__best_limit_m(best) <= radius_m) break;
    }
    om_free(others);
    om__tree_release(tree);
    return st;
}
