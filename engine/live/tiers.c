// tiers.c - runs in memory are merged, so that a layer has few.
#include <sys/resource.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "data/base/log.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * Each group leaves a run; small ones are made again by the next group
 * (group.c). The others are merged here, off the path of those who wait: the
 * newest runs, as far back as each has not more than RATIO times the rows of
 * all that are newer. So there are about log RATIO (rows) of them, and a row is
 * merged a few times. Rows that die while a merge runs are found again by
 * their ids. Processes that only read do the same when they put entries on top:
 * nobody waits for them. */

#define RATIO 3
#define IDLE_MS 1000

/* End of the runs that are not made again by the next group anyway. */
static size_t settled_end(const struct om__stack *stack, size_t first)
{
    size_t end = stack->parts, rows = 0;
    while (end > first) {
        rows += om__part_rows(&stack->part[end - 1]);
        if (rows > OM__FRESH_ROWS) break;
        end--;
    }
    return end;
}

bool om__live_many_runs(const struct om__stack *stack)
{
    return settled_end(stack, stack->files) - stack->files > OM__FEW_RUNS;
}

/* Runs [from, to) of a stack that are to become one; false: none. */
static bool choose(const struct om__stack *stack, size_t first, size_t *from,
                   size_t *to)
{
    const size_t end = settled_end(stack, first);
    if (end - first <= OM__FEW_RUNS) return false;
    size_t at = end - 1, rows = om__part_rows(&stack->part[at]);
    while (at > first) {
        const size_t more = om__part_rows(&stack->part[at - 1]);
        if (more > RATIO * rows) break;
        rows += more;
        at--;
    }
    // Each is far larger than the next and yet they are many: the last two.
    if (at == end - 1) at--;
    *from = at;
    *to = end;
    return true;
}

om_status om__stack_settle(struct om__stack **stack,
                           const struct om_schema *own,
                           const struct om_joiner *joiner, struct om_err *err)
{
    size_t from, to;
    while (choose(*stack, (*stack)->files, &from, &to)) {
        struct om_segment *merged = NULL;
        struct om__stack *fresh = NULL;
        om_status st = om_run_merge(own, (*stack)->part + from, to - from,
                                    joiner, NULL, NULL, &merged, err);
        if (!st)
            st =
                om__stack_splice(*stack, from, to, merged, NULL, false, &fresh);
        om_segment_unref(merged);
        if (st) return st;
        om__stack_unref(*stack);
        *stack = fresh;
    }
    return OM_OK;
}

/* The first run of a layer that compaction does not have. With `lock`. */
static size_t first_free(const struct om_live *live, size_t layer,
                         const struct om__stack *stack)
{
    size_t first = stack->files;
    if (live->busy_layer == layer && live->busy_all) return stack->parts;
    if (live->busy_layer == layer)
        for (size_t i = 0; i < stack->parts; i++)
            if (stack->part[i].segment == live->busy_last) first = i + 1;
    return first;
}

struct merging {
    const char *name;
    size_t from, to;
    struct om_segment *merged;
    struct om__carry carry;
};

static om_status put_merged(struct om_live *live, void *ctx, struct om_err *err)
{
    struct merging *m = ctx;
    const size_t i = om__live_layer(live->base, m->name);
    if (i == OM_NO_FIELD) return OM_E_NOTFOUND;
    struct om__stack *fresh = NULL;
    OM_TRY(om__carry_end(&m->carry, live->state[i].stack, &fresh));
    struct om__stack *old = live->state[i].stack;
    live->state[i].stack = fresh;
    const om_status st = om__live_publish(live, NULL, NULL, NULL, err);
    if (st) {
        live->state[i].stack = old;
        old = fresh;
    }
    om__stack_unref(old);
    return st;
}

/* Merge what there is to merge in one layer; true if there was something. */
static bool merge_layer(struct om_live *live,
                        const struct om__view_of_layer *view, size_t layer)
{
    struct om__stack *stack = view->state[layer].stack;
    const struct om_schema *own = &view->base->manifest.layer[layer].schema;
    struct merging m = {.name = view->base->manifest.layer[layer].name};
    pthread_mutex_lock(&live->lock);
    const size_t first = first_free(live, layer, stack);
    const bool any = choose(stack, first, &m.from, &m.to);
    if (any) live->merging_layer = layer;
    pthread_mutex_unlock(&live->lock);
    if (!any) return false;
    struct om_err err = {0};
    om_status st = om_run_merge(own, stack->part + m.from, m.to - m.from,
                                view->joiner, NULL, NULL, &m.merged, &err);
    om__carry_begin(&m.carry, stack, m.from, m.to, m.merged, false,
                    own->id_field);
    if (!st) st = om__carry_catch_up(live, &m.carry, m.name, &err);
    if (!st) st = om__live_run(live, put_merged, &m, &err);
    if (st && st != OM_E_NOTFOUND && st != OM_E_STOPPED)
        om_log(OM_LOG_WARN, "live", "merging runs of %s: %s", m.name,
               err.text[0] ? err.text : om_status_text(st));
    om__carry_deinit(&m.carry);
    om_segment_unref(m.merged);
    pthread_mutex_lock(&live->lock);
    live->merging_layer = OM_NO_FIELD;
    pthread_cond_broadcast(&live->work);
    pthread_mutex_unlock(&live->lock);
    return !st;
}

/* Has any layer many runs? A look at the newest snapshot, nobody is asked. */
static bool anything_to_merge(struct om_live *live)
{
    struct om_snapshot *snapshot = om_city_snapshot(live->city);
    bool any = false;
    for (size_t i = 0; i < snapshot->manifest->layers && !any; i++) {
        any = om__live_many_runs(om__snapshot_of(snapshot)->state[i].stack);
    }
    om_snapshot_unref(snapshot);
    return any;
}

void *om__live_merge_thread(void *arg)
{
    struct om_live *live = arg;
    struct om_cancel cancel = {.given_up = om__live_given_up, .ctx = live};
    om_cancel_swap(&cancel);
    for (bool again = false;;) {
        pthread_mutex_lock(&live->lock);
        if (!live->stopping && !again) {
            struct timespec at;
            clock_gettime(CLOCK_MONOTONIC, &at);
            at.tv_sec += IDLE_MS / 1000;
            pthread_cond_timedwait(&live->work, &live->lock, &at);
        }
        const bool stop = live->stopping;
        pthread_mutex_unlock(&live->lock);
        if (stop) return NULL;
        again = false;
        if (!anything_to_merge(live)) continue;
        struct om__view_of_layer view;
        if (om__live_view(live, &view, NULL)) continue;
        for (size_t i = 0; i < view.base->manifest.layers; i++)
            again |= merge_layer(live, &view, i);
        om__live_view_end(&view);
    }
}
