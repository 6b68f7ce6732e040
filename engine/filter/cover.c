// cover.c - the rows of a place on a point segment, as runs of rows.
#include <stdlib.h>
#include <string.h>

#include "engine/filter/eval_internal.h"
#include "engine/shape/shape.h"

/* Cells across the longer side of a place at the finest level of its cover:
 * the more, the fewer rows at its edge must be tested one by one. */
#define CELLS_ACROSS_BITS 9

/* Level whose cells divide a box into some 2^CELLS_ACROSS_BITS each way. */
static unsigned finest_level(struct om_box box)
{
    const uint32_t dx = box.x1 - box.x0, dy = box.y1 - box.y0;
    unsigned level = CELLS_ACROSS_BITS;
    for (uint32_t side = dx > dy ? dx : dy; level < 32 && !(side >> 31);
         side = side << 1 | 1)
        level++;
    return level;
}

struct list {
    struct om_arena *arena;
    struct om_interval *interval;
    size_t count, room;
};

static om_status add(struct list *list, uint64_t first, uint64_t end,
                     bool inside)
{
    if (list->count) {
        struct om_interval *last = &list->interval[list->count - 1];
        if (last->inside == inside && last->end == first) {
            last->end = end;
            return OM_OK;
        }
    }
    if (list->count == list->room) {
        const size_t room = list->room ? list->room * 2 : 256;
        struct om_interval *grown =
            om_arena_calloc(list->arena, room, sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        if (list->count)
            memcpy(grown, list->interval, list->count * sizeof *grown);
        list->interval = grown;
        list->room = room;
    }
    list->interval[list->count++] = (struct om_interval){first, end, inside};
    return OM_OK;
}

/* Cell x, y of `level` and what is below it; 32 levels at most. */
static om_status cover_box(struct list *list, struct om_box box, uint32_t x,
                           uint32_t y, unsigned level, unsigned finest)
{
    const unsigned shift = 32 - level;
    const uint64_t side = (UINT64_C(1) << shift) - 1;
    const uint64_t x0 = (uint64_t)x << shift, y0 = (uint64_t)y << shift;
    const uint64_t x1 = x0 + side, y1 = y0 + side;
    if (x1 < box.x0 || x0 > box.x1 || y1 < box.y0 || y0 > box.y1) return OM_OK;
    const bool inside =
        x0 >= box.x0 && x1 <= box.x1 && y0 >= box.y0 && y1 <= box.y1;
    if (inside || level == finest) {
        const struct om_pos corner = {(uint32_t)x0, (uint32_t)y0};
        const struct om_pos last = {(uint32_t)x1, (uint32_t)y1};
        return add(list, om_morton(corner), om_morton(last) + 1, inside);
    }
    for (uint32_t i = 0; i < 4; i++)
        OM_TRY(cover_box(list, box, 2 * x + (i & 1), 2 * y + (i >> 1),
                         level + 1, finest));
    return OM_OK;
}

static int by_first(const void *a, const void *b)
{
    const struct om__run *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* Intervals of codes become runs of rows; empty ones go. */
static om_status add_runs(struct om__plan *plan, struct om__pass *pass,
                          const struct om_interval *interval, size_t count)
{
    struct om__run *run =
        om_arena_calloc(&plan->arena, pass->runs + count + 1, sizeof *run);
    if (!run) return OM_E_MEMORY;
    size_t n = pass->runs;
    if (n) memcpy(run, pass->run, n * sizeof *run);
    for (size_t i = 0; i < count; i++) {
        size_t from, to;
        OM_TRY(om_segment_range(plan->segment, interval[i].first,
                                interval[i].end, &from, &to));
        if (from < to)
            run[n++] = (struct om__run){from, to, interval[i].inside};
    }
    qsort(run, n, sizeof *run, by_first);
    pass->run = run;
    pass->runs = n;
    return OM_OK;
}

om_status om__plan_runs(struct om__plan *plan, struct om__pass *pass)
{
    const struct om__place *place = pass->node->place;
    if (place->kind == OM__PLACE_POINT) {
        const uint64_t code = om_morton(place->point);
        const struct om_interval one = {code, code + 1, true};
        return add_runs(plan, pass, &one, 1);
    }
    if (place->kind == OM__PLACE_POLYGON) {
        struct om_interval *interval;
        size_t count;
        OM_TRY(om_rings_cover(&place->rings, 0,
                              finest_level(place->rings.box[0]), &plan->arena,
                              &interval, &count));
        return add_runs(plan, pass, interval, count);
    }
    for (size_t i = 0; i < place->boxes; i++) {
        struct list list = {.arena = &plan->arena};
        OM_TRY(cover_box(&list, place->box[i], 0, 0, 0,
                         finest_level(place->box[i])));
        OM_TRY(add_runs(plan, pass, list.interval, list.count));
    }
    return OM_OK;
}
