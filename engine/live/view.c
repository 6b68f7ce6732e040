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

static om_status carry_row(struct om__carry *c,
                           const struct om_segment *segment, size_t row)
{
    const char *id;
    size_t len, at;
    OM_TRY(om_segment_text(segment, c->id_field, row, &c->reader, &id, &len));
    OM_TRY(om_segment_find(c->merged, id, len, &c->finder, &at));
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

static om_status carry_part(struct om__carry *c, const struct om_part *then,
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
static om_status carry_all(struct om__carry *c, const struct om_part *then)
{
    const size_t rows = om_segment_rows(then->segment);
    for (size_t row = 0; row < rows; row++)
        if (!om__part_is_dead(then, row))
            OM_TRY(carry_row(c, then->segment, row));
    return OM_OK;
}

static const struct om_part *part_of(const struct om__stack *stack,
                                     const struct om_segment *segment)
{
    for (size_t i = 0; i < stack->parts; i++)
        if (stack->part[i].segment == segment) return &stack->part[i];
    return NULL;
}

om_status om__carry_on(struct om__carry *c, const struct om__stack *now)
{
    if (c->merged)
        for (size_t i = c->from; i < c->to; i++) {
            const struct om_segment *segment = c->then->part[i].segment;
            const struct om_part *was = part_of(c->seen, segment);
            const struct om_part *is = part_of(now, segment);
            if (!was) continue;  // carried when it went
            OM_TRY(is ? carry_part(c, was, is) : carry_all(c, was));
        }
    om__stack_unref(c->seen);
    c->seen = om__stack_ref((struct om__stack *)(uintptr_t)now);
    return OM_OK;
}

void om__carry_begin(struct om__carry *c, struct om__stack *then, size_t from,
                     size_t to, struct om_segment *merged, bool file,
                     size_t id_field)
{
    *c = (struct om__carry){.then = om__stack_ref(then),
                            .seen = om__stack_ref(then),
                            .from = from,
                            .to = to,
                            .merged = merged,
                            .file = file,
                            .id_field = id_field};
}

void om__carry_deinit(struct om__carry *c)
{
    om__stack_unref(c->then);
    om__stack_unref(c->seen);
    om_free(c->row);
    om_text_reader_deinit(&c->reader);
    om_text_reader_deinit(&c->finder);
    *c = (struct om__carry){0};
}

/* Those of the parts that the stack still has lie together; where, and how
 * many. */
static size_t find_parts(const struct om__carry *c, const struct om__stack *now,
                         size_t *count)
{
    size_t at = now->files < c->from ? now->files : c->from;
    *count = 0;
    for (size_t i = c->from; i < c->to; i++) {
        const struct om_part *is = part_of(now, c->then->part[i].segment);
        if (is && ++*count == 1) at = (size_t)(is - now->part);
    }
    return at;
}

om_status om__carry_end(struct om__carry *c, const struct om__stack *now,
                        struct om__stack **out)
{
    size_t count;
    const size_t at = find_parts(c, now, &count);
    if (count == 0 && !c->file) return OM_E_NOTFOUND;
    OM_TRY(om__carry_on(c, now));
    struct om__dead *dead = NULL;
    if (c->count) {
        qsort(c->row, c->count, sizeof *c->row, by_row);
        OM_TRY(om__dead_new(c->row, c->count, &dead));
    }
    const om_status st =
        om__stack_splice(now, at, at + count, c->merged, dead, c->file, out);
    om__dead_unref(dead);
    return st;
}

struct catching_up {
    struct om__carry *carry;
    const char *layer;
    struct om__stack *now;
};

static om_status take_stack(struct om_live *live, void *ctx, struct om_err *err)
{
    struct catching_up *u = ctx;
    const size_t i = om__live_layer(live->base, u->layer);
    if (i == OM_NO_FIELD)
        return om_fail(err, OM_E_NOTFOUND, 0, "no layer %s", u->layer);
    u->now = om__stack_ref(live->state[i].stack);
    return OM_OK;
}

om_status om__carry_catch_up(struct om_live *live, struct om__carry *c,
                             const char *layer, struct om_err *err)
{
    // What dies while the first lot is carried is the second, and small.
    for (int round = 0; round < 2; round++) {
        struct catching_up u = {c, layer, NULL};
        OM_TRY(om__live_run(live, take_stack, &u, err));
        const om_status st = om__carry_on(c, u.now);
        om__stack_unref(u.now);
        if (st) return om_fail(err, st, 0, "%s: %s", layer, om_status_text(st));
    }
    return OM_OK;
}
