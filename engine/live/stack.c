// stack.c - counted lists of parts and of dead rows.
#include "engine/live/stack_internal.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"

/* DESIGN
 * A publication changes one or two layers and in them a few rows: what stays
 * is shared by reference, down to the list of dead rows of each part. A list
 * is copied when a row is added to it; compaction keeps the lists of runs
 * short, and of a base it makes a new one before a quarter is dead. */

static _Atomic uint64_t last_serial;

om_status om__dead_new(const uint32_t *row, size_t count, struct om__dead **out)
{
    *out = NULL;
    if (count == 0) return OM_OK;
    struct om__dead *dead = om_alloc(sizeof *dead + count * sizeof *dead->row);
    if (!dead) return OM_E_MEMORY;
    atomic_init(&dead->refs, 1);
    dead->serial = atomic_fetch_add(&last_serial, 1) + 1;
    dead->count = count;
    if (row) memcpy(dead->row, row, count * sizeof *row);
    *out = dead;
    return OM_OK;
}

static struct om__dead *dead_ref(struct om__dead *dead)
{
    if (dead) atomic_fetch_add_explicit(&dead->refs, 1, memory_order_relaxed);
    return dead;
}

void om__dead_unref(struct om__dead *dead)
{
    if (dead &&
        atomic_fetch_sub_explicit(&dead->refs, 1, memory_order_acq_rel) == 1)
        om_free(dead);
}

bool om__part_is_dead(const struct om_part *part, size_t row)
{
    const size_t at = om_part_dead_from(part, row);
    return at < part->dead_count && part->dead[at] == row;
}

size_t om__part_rows(const struct om_part *part)
{
    return om_segment_rows(part->segment) - part->dead_count;
}

static om_status stack_room(size_t parts, struct om__stack **out)
{
    struct om__stack *stack = om_calloc(1, sizeof *stack);
    if (!stack) return OM_E_MEMORY;
    atomic_init(&stack->refs, 1);
    stack->part = om_calloc(parts + 1, sizeof *stack->part);
    stack->dead = om_calloc(parts + 1, sizeof(struct om__dead *));
    if (!stack->part || !stack->dead) {
        om__stack_unref(stack);
        return OM_E_MEMORY;
    }
    *out = stack;
    return OM_OK;
}

/* Both get a reference more. */
static void stack_add(struct om__stack *stack, struct om_segment *segment,
                      struct om__dead *dead, bool file)
{
    struct om_part *part = &stack->part[stack->parts];
    part->segment = om_segment_ref(segment);
    stack->dead[stack->parts] = dead_ref(dead);
    part->dead = dead ? dead->row : NULL;
    part->dead_count = dead ? dead->count : 0;
    stack->parts++;
    stack->files += file;
    stack->rows += om__part_rows(part);
    const uint64_t pair[2] = {om_segment_serial(segment),
                              dead ? dead->serial : 0};
    stack->serial = om_hash64(pair, sizeof pair, stack->serial);
}

om_status om__stack_new(struct om_segment *const *segment,
                        struct om__dead *const *dead, size_t parts,
                        size_t files, struct om__stack **out)
{
    OM_TRY(stack_room(parts, out));
    for (size_t i = 0; i < parts; i++)
        stack_add(*out, segment[i], dead ? dead[i] : NULL, i < files);
    return OM_OK;
}

om_status om__stack_withheld(const char *why, struct om__stack **out)
{
    OM_TRY(stack_room(0, out));
    (*out)->fault = om_strdup(why);
    if ((*out)->fault) return OM_OK;
    om__stack_unref(*out);
    *out = NULL;
    return OM_E_MEMORY;
}

struct om__stack *om__stack_ref(struct om__stack *stack)
{
    atomic_fetch_add_explicit(&stack->refs, 1, memory_order_relaxed);
    return stack;
}

void om__stack_unref(struct om__stack *stack)
{
    if (!stack ||
        atomic_fetch_sub_explicit(&stack->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < stack->parts; i++) {
        om_segment_unref(stack->part[i].segment);
        om__dead_unref(stack->dead[i]);
    }
    om_free(stack->part);
    om_free(stack->dead);
    om_free(stack->fault);
    om_free(stack);
}

om_status om__stack_find(const struct om__stack *stack, const char *id,
                         size_t len, struct om__finder *finder,
                         struct om__kill *out)
{
    return om__stack_find_in(stack, NULL, id, len, finder, out);
}

om_status om__stack_find_in(const struct om__stack *stack, const bool *only,
                            const char *id, size_t len,
                            struct om__finder *finder, struct om__kill *out)
{
    for (size_t i = stack->parts; i-- > 0;) {
        if (only && !only[i]) continue;
        size_t row;
        const om_status st =
            om_segment_find(stack->part[i].segment, id, len,
                            &finder->reader[i % OM__FINDERS], &row);
        if (st == OM_E_NOTFOUND) continue;
        if (st) return st;
        if (om__part_is_dead(&stack->part[i], row)) continue;
        *out = (struct om__kill){(uint32_t)i, (uint32_t)row};
        return OM_OK;
    }
    return OM_E_NOTFOUND;
}

void om__finder_deinit(struct om__finder *finder)
{
    for (size_t i = 0; i < OM__FINDERS; i++)
        om_text_reader_deinit(&finder->reader[i]);
    *finder = (struct om__finder){0};
}

static int by_place(const void *a, const void *b)
{
    const struct om__kill *ka = a, *kb = b;
    if (ka->part != kb->part) return ka->part < kb->part ? -1 : 1;
    return (ka->row > kb->row) - (ka->row < kb->row);
}

/* Old dead rows and those killed (sorted), each once. */
static om_status merge_dead(const struct om__dead *old,
                            const struct om__kill *kill, size_t kills,
                            struct om__dead **out)
{
    const size_t old_count = old ? old->count : 0;
    OM_TRY(om__dead_new(NULL, old_count + kills, out));
    uint32_t *row = (*out)->row;
    size_t n = 0, i = 0;
    for (size_t k = 0; k < kills; k++) {
        // Whole stretches at a time: the old list can be long.
        const struct om_part view = {.dead = old ? old->row : NULL,
                                     .dead_count = old_count};
        const size_t to = om_part_dead_from(&view, kill[k].row);
        if (to > i) {
            memcpy(row + n, old->row + i, (to - i) * sizeof *row);
            n += to - i;
            i = to;
        }
        if (i < old_count && old->row[i] == kill[k].row) continue;
        if (n == 0 || row[n - 1] != kill[k].row) row[n++] = kill[k].row;
    }
    if (i < old_count) {
        memcpy(row + n, old->row + i, (old_count - i) * sizeof *row);
        n += old_count - i;
    }
    (*out)->count = n;
    return OM_OK;
}

om_status om__stack_kill(const struct om__stack *old, struct om__kill *kill,
                         size_t kills, struct om__stack **out)
{
    struct om__stack *fresh = NULL;
    OM_TRY(stack_room(old->parts, &fresh));
    if (kills) qsort(kill, kills, sizeof *kill, by_place);
    om_status st = OM_OK;
    size_t from = 0;
    for (size_t i = 0; i < old->parts && !st; i++) {
        size_t to = from;
        while (to < kills && kill[to].part == i) to++;
        struct om__dead *dead = NULL;
        if (to > from)
            st = merge_dead(old->dead[i], kill + from, to - from, &dead);
        if (st) break;
        struct om__dead *shown = dead ? dead : old->dead[i];
        const bool file = i < old->files;
        if (file ||
            (shown ? shown->count : 0) < om_segment_rows(old->part[i].segment))
            stack_add(fresh, old->part[i].segment, shown, file);
        om__dead_unref(dead);
        from = to;
    }
    if (st)
        om__stack_unref(fresh);
    else
        *out = fresh;
    return st;
}

om_status om__stack_splice(const struct om__stack *old, size_t from, size_t to,
                           struct om_segment *segment, struct om__dead *dead,
                           bool file, struct om__stack **out)
{
    OM_TRY(stack_room(old->parts + 1, out));
    struct om__stack *fresh = *out;
    for (size_t i = 0; i < from; i++)
        stack_add(fresh, old->part[i].segment, old->dead[i], i < old->files);
    if (segment) stack_add(fresh, segment, dead, file);
    for (size_t i = to; i < old->parts; i++)
        stack_add(fresh, old->part[i].segment, old->dead[i], i < old->files);
    return OM_OK;
}
