// level.c - a level of units, read once for all pictures of a snapshot.
#include "tiles/picture/level.h"

#include <math.h>
#include <stdatomic.h>

#include "data/base/alloc.h"

struct counted {
    struct om_level level;  // first: what callers hold
    atomic_size_t refs;
    struct om_snapshot *held;  // of the layer alone
};

static double area_cells(const struct om_rings *rings, size_t shape)
{
    double twice = 0.0;
    const size_t end = rings->part_ring[rings->shape_part[shape + 1]];
    for (size_t r = rings->part_ring[rings->shape_part[shape]]; r < end; r++) {
        const size_t first = rings->ring_vertex[r];
        const size_t stop = rings->ring_vertex[r + 1];
        const double x0 = rings->vertex[first].x, y0 = rings->vertex[first].y;
        for (size_t i = first + 1; i + 1 < stop; i++)
            twice += (rings->vertex[i].x - x0) * (rings->vertex[i + 1].y - y0) -
                     (rings->vertex[i + 1].x - x0) * (rings->vertex[i].y - y0);
    }
    return fabs(twice) / 2.0;
}

static om_status fill(struct om_level *level)
{
    const struct om_units *units = &level->units;
    const struct om_rings *rings = &units->rings;
    level->unit_of_row =
        om_calloc(rings->count + 1, sizeof *level->unit_of_row);
    if (!level->unit_of_row) return OM_E_MEMORY;
    double area = 0.0;
    for (size_t i = 0; i < rings->count; i++)
        level->unit_of_row[i] = OM_NO_UNIT;
    for (size_t i = 0; i < units->count; i++) {
        level->unit_of_row[units->unit[i].row] = (uint32_t)i;
        area += area_cells(rings, units->unit[i].row);
    }
    level->side_cells = units->count ? sqrt(area / (double)units->count) : 0.0;
    OM_TRY(om_tree_new(rings->box, rings->count, &level->tree));
    return om_borders_init(&level->borders, rings, level->unit_of_row);
}

om_status om_level_new(const struct om_snapshot *snapshot, const char *name,
                       struct om_level **out, struct om_err *err)
{
    *out = NULL;
    struct counted *c = om_calloc(1, sizeof *c);
    if (!c) return OM_E_MEMORY;
    atomic_init(&c->refs, 1);
    const struct om_layer *layer = om_snapshot_units(snapshot, name);
    const char *layer_name = layer ? layer->name : "";
    om_status st =
        layer ? om_snapshot_some(snapshot, &layer_name, 1, &c->held) : OM_OK;
    if (!st)
        st = om_units_read(layer ? c->held : snapshot, name, &c->level.units,
                           err);
    if (st) {
        om_snapshot_unref(c->held);
        om_free(c);
        return st;
    }
    c->level.serial = layer ? layer->serial : 0;
    st = fill(&c->level);
    if (st) {
        om_level_unref(&c->level);
        return st;
    }
    *out = &c->level;
    return OM_OK;
}

struct om_level *om_level_ref(struct om_level *level)
{
    atomic_fetch_add(&((struct counted *)level)->refs, 1);
    return level;
}

void om_level_unref(struct om_level *level)
{
    struct counted *c = (struct counted *)level;
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1) return;
    om_borders_deinit(&level->borders);
    om_tree_free(level->tree);
    om_free(level->unit_of_row);
    om_units_deinit(&level->units);
    om_snapshot_unref(c->held);
    om_free(c);
}

double om_level_side_px(const struct om_level *level,
                        const struct om_view *view)
{
    return level->side_cells * (double)view->world / (OM_POS_SIDE * 256.0);
}

struct visit {
    const struct om_level *level;
    void (*each)(void *ctx, size_t unit);
    void *ctx;
};

static bool take(void *ctx, uint32_t row)
{
    const struct visit *v = ctx;
    if (v->level->unit_of_row[row] != OM_NO_UNIT)
        v->each(v->ctx, v->level->unit_of_row[row]);
    return true;
}

void om_level_each(const struct om_level *level, struct om_box box,
                   void (*each)(void *ctx, size_t unit), void *ctx)
{
    struct visit v = {level, each, ctx};
    if (box.x0 <= box.x1) om_tree_search(level->tree, box, take, &v);
}
