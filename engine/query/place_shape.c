// place_shape.c - the lines and polygons of a part that meet a place.
#include <stdlib.h>

#include "data/base/alloc.h"
#include "engine/query/place.h"
#include "engine/query/trees.h"

/* Shapes that matched, in the order of the tree. */
struct found {
    const struct om__area *area;
    const struct om_rings *rings;
    uint32_t *shape;  // owned
    size_t count, room;
    om_status status;
};

static bool keep(struct found *f, uint32_t shape)
{
    if (f->count == f->room) {
        const size_t room = f->room ? f->room * 2 : 256;
        uint32_t *more = om_realloc(f->shape, room * sizeof *more);
        if (!more) {
            f->status = OM_E_MEMORY;
            return false;
        }
        f->shape = more;
        f->room = room;
    }
    f->shape[f->count++] = shape;
    return true;
}

static bool box_inside(struct om_box inner, struct om_box outer)
{
    return inner.x0 >= outer.x0 && inner.x1 <= outer.x1 &&
           inner.y0 >= outer.y0 && inner.y1 <= outer.y1;
}

/* Does the whole box lie in one interval that is inside the polygon? Codes of
 * a box lie between those of its corners. */
static bool box_in_cover(const struct om__area *area, struct om_box box)
{
    const uint64_t first = om_morton((struct om_pos){box.x0, box.y0});
    const uint64_t last = om_morton((struct om_pos){box.x1, box.y1});
    size_t low = 0, high = area->intervals;
    while (low < high) {  // the last interval that begins at or before first
        const size_t mid = low + (high - low) / 2;
        if (area->interval[mid].first <= first)
            low = mid + 1;
        else
            high = mid;
    }
    if (!low) return false;
    const struct om_interval *run = &area->interval[low - 1];
    return run->inside && (!run->end || last < run->end);
}

static bool matches(const struct om__area *area, const struct om_rings *rings,
                    uint32_t shape)
{
    const struct om_box box = rings->box[shape];
    switch (area->kind) {
        case OM_PLACE_BOX:
            return box_inside(box, area->box) ||
                   om_rings_intersect(rings, shape, area->geometry, area->rings,
                                      0);
        case OM_PLACE_WITHIN:
            return box_in_cover(area, box) ||
                   om_rings_intersect(rings, shape, area->geometry, area->rings,
                                      0);
        default:
            break;
    }
    const enum om_side side = om_circle_side(&area->circle, box);
    if (side != OM_SIDE_MIXED) return side == OM_SIDE_IN;
    return om_circle_shape_m(&area->circle, rings, shape, area->geometry,
                             area->circle.radius_m) <= area->circle.radius_m;
}

static bool visit(void *ctx, uint32_t shape)
{
    struct found *f = ctx;
    // A refused shape is empty: it lies nowhere.
    if (f->rings->shape_part[shape] == f->rings->shape_part[shape + 1])
        return true;
    return matches(f->area, f->rings, shape) ? keep(f, shape) : true;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Rising order: a few by comparing, many by marking them in a bitmap. */
static om_status take_sorted(struct found *f, size_t rows,
                             struct om__take *take)
{
    if (f->count < rows / 256) {
        if (f->count) qsort(f->shape, f->count, sizeof *f->shape, by_number);
        for (size_t i = 0; i < f->count; i++) {
            if (i && f->shape[i] == f->shape[i - 1]) continue;
            OM_TRY(om__take_run(take, f->shape[i], f->shape[i] + 1));
        }
        return OM_OK;
    }
    const size_t words = (rows + 63) / 64;
    uint64_t *mark = om_calloc(words, sizeof *mark);
    if (!mark) return OM_E_MEMORY;
    for (size_t i = 0; i < f->count; i++) om_bit_set(mark, f->shape[i]);
    om_status st = OM_OK;
    for (size_t w = 0; w < words && !st; w++)
        if (mark[w]) st = om__take_bits(take, w, mark[w]);
    om_free(mark);
    return st;
}

om_status om__area_find_shapes(const struct om__area *area,
                               const struct om_segment *segment,
                               struct om__take *take)
{
    const size_t rows = om_segment_rows(segment);
    struct om__kept_tree *tree = NULL;
    struct om_rings rings;
    OM_TRY(om__tree_get(segment, &tree));  // has checked all shapes
    OM_TRY(om_segment_rings(segment, 0, 0, &rings));
    struct found f = {.area = area, .rings = &rings};
    const struct om_box box = area->box;
    if (box.x0 <= box.x1) {
        om_tree_search(om__tree_of(tree), box, visit, &f);
    } else {  // across the date line
        const struct om_box west = {0, box.y0, box.x1, box.y1};
        const struct om_box east = {box.x0, box.y0, UINT32_MAX, box.y1};
        om_tree_search(om__tree_of(tree), west, visit, &f);
        if (!f.status) om_tree_search(om__tree_of(tree), east, visit, &f);
    }
    om_status st = f.status;
    if (!st) st = take_sorted(&f, rows, take);
    om_free(f.shape);
    om__tree_release(tree);
    return st;
}
