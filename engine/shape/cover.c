// cover.c - runs of Morton codes that lie inside a polygon or on its edge.
#include "data/base/alloc.h"
#include "engine/shape/descent.h"
#include "engine/shape/shape.h"

struct cover {
    struct om_interval *run;
    size_t count, room;
    unsigned finest_level;
};

static bool enough(void *ctx, const struct om__known *known)
{
    const struct cover *cover = ctx;
    return known->cell.level >= cover->finest_level;
}

static om_status add_run(void *ctx, const struct om__known *known)
{
    struct cover *cover = ctx;
    const bool inside = known->edges == 0;
    if (inside && known->ins == 0) return OM_OK;
    const uint64_t end = om__cell_end(known->cell);
    if (cover->count > 0) {
        struct om_interval *last = &cover->run[cover->count - 1];
        if (last->end == known->cell.code && last->inside == inside) {
            last->end = end;
            return OM_OK;
        }
    }
    if (cover->count == cover->room) {
        const size_t room = cover->room ? cover->room * 2 : 64;
        void *grown = om_realloc(cover->run, room * sizeof *cover->run);
        if (!grown) return OM_E_MEMORY;
        cover->run = grown;
        cover->room = room;
    }
    cover->run[cover->count++] =
        (struct om_interval){known->cell.code, end, inside};
    return OM_OK;
}

om_status om_rings_cover(const struct om_rings *rings, size_t shape,
                         unsigned finest_level, struct om_arena *arena,
                         struct om_interval **out, size_t *count)
{
    *out = NULL;
    *count = 0;
    struct cover cover = {.finest_level = finest_level};
    struct om__edges edges = {0};
    om_status st = om__edges_gather(rings, shape, shape + 1, &edges);
    if (st) return st;
    if (edges.count == 0) goto done;
    const struct om__cell root = om__cell_around(rings->box[shape]);
    const uint32_t self = 0;
    const bool in = om_rings_contain(rings, shape, om_morton_pos(root.code));
    const struct om__visitor visitor = {enough, add_run, &cover};
    st = om__descend(&edges, 1, root, &self, in, &visitor);
    if (st) goto done;
    *out = om_arena_alloc(arena, cover.count * sizeof **out);
    if (!*out) st = OM_E_MEMORY;
    if (st) goto done;
    for (size_t i = 0; i < cover.count; i++) (*out)[i] = cover.run[i];
    *count = cover.count;
done:
    om_free(cover.run);
    om__edges_deinit(&edges);
    return st;
}
