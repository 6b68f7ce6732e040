// view.c - work on what is newest, away from the committer, and bring it back.
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/live/live_internal.h"

static om_status take_view(struct om_live *live, void *ctx, struct om_err *err)
{
    struct om__view_of_layer *view = ctx;
    view->state = om__states_copy(live->state, live->base->manifest.layers);
    if (!view->state) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    view->base = om__base_ref(live->base);
    view->joiner = om_joiner_ref(live->joiner);
    view->sequence = live->sequence;
    return OM_OK;
}

om_status om__live_view(struct om_live *live, struct om__view_of_layer *out,
                        struct om_err *err)
{
    *out = (struct om__view_of_layer){0};
    return om__live_run(live, take_view, out, err);
}

void om__live_view_end(struct om__view_of_layer *view)
{
    if (view->base) om__states_free(view->state, view->base->manifest.layers);
    om__base_unref(view->base);
    om_joiner_unref(view->joiner);
    *view = (struct om__view_of_layer){0};
}

static int by_row(const void *a, const void *b)
{
    const uint32_t ra = *(const uint32_t *)a, rb = *(const uint32_t *)b;
    return (ra > rb) - (ra < rb);
}

/* Rows of `merged` whose ids have died in `now` since `then`. */
struct carrying {
    struct om_segment *merged;
    size_t id_field;
    struct om_text_reader from, to;
    uint32_t *row;
    size_t count, room;
};

static om_status carry_row(struct carrying *c, const struct om_segment *segment,
                           size_t row)
{
    const char *id;
    size_t len, at;
    OM_TRY(om_segment_text(segment, c->id_field, row, &c->from, &id, &len));
    OM_TRY(om_segment_find(c->merged, id, len, &c->to, &at));
    if (c->count == c->room) {
        const size_t room = c->room ? 2 * c->room : 64;
        uint32_t *grown = om_realloc(c->row, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        c->row = grown;
        c->room = room;
    }
    c->row[c->count++] = (uint32_t)at;
    return OM_OK;
}

static om_status carry_part(struct carrying *c, const struct om_part *then,
                            const struct om_part *now)
{
    if (then->dead == now->dead) return OM_OK;
    size_t i = 0;
    for (size_t k = 0; k < now->dead_count; k++) {
        while (i < then->dead_count && then->dead[i] < now->dead[k]) i++;
        if (i < then->dead_count && then->dead[i] == now->dead[k]) continue;
        OM_TRY(carry_row(c, now->segment, now->dead[k]));
    }
    return OM_OK;
}

/* All that was alive: the run is not in the stack any more. */
static om_status carry_all(struct carrying *c, const struct om_part *then)
{
    const size_t rows = om_segment_rows(then->segment);
    for (size_t row = 0; row < rows; row++)
        if (!om__part_is_dead(then, row))
            OM_TRY(carry_row(c, then->segment, row));
    return OM_OK;
}

/* Those of the parts [from, to) that the stack still has lie together; where,
 * and how many. */
static size_t find_parts(const struct om__stack *then, size_t from, size_t to,
                         const struct om__stack *now, size_t *count)
{
    size_t at = now->files < from ? now->files : from;
    *count = 0;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < now->parts; k++)
            if (now->part[k].segment == then->part[i].segment) {
                if (++*count == 1) at = k;
                break;
            }
    return at;
}

om_status om__live_carry(const struct om__stack *then, size_t from, size_t to,
                         struct om_segment *merged, bool file, size_t id_field,
                         const struct om__stack *now, struct om__stack **out)
{
    struct carrying c = {.merged = merged, .id_field = id_field};
    struct om__dead *dead = NULL;
    size_t count;
    const size_t at = find_parts(then, from, to, now, &count);
    if (count == 0 && !file) return OM_E_NOTFOUND;
    om_status st = OM_OK;
    size_t k = at;
    for (size_t i = from; i < to && !st && merged; i++) {
        const struct om_part *was = &then->part[i];
        if (k < now->parts && now->part[k].segment == was->segment)
            st = carry_part(&c, was, &now->part[k++]);
        else  // made again by a later group, or all of it has died
            st = carry_all(&c, was);
    }
    if (!st && c.count) {
        qsort(c.row, c.count, sizeof *c.row, by_row);
        st = om__dead_new(c.row, c.count, &dead);
    }
    if (!st)
        st = om__stack_splice(now, at, at + count, merged, dead, file, out);
    om__dead_unref(dead);
    om_free(c.row);
    om_text_reader_deinit(&c.from);
    om_text_reader_deinit(&c.to);
    return st;
}
