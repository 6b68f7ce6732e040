// group.c - the last state of every id that a group writes, and its run.
#include "engine/live/group_internal.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/city/record.h"

/* DESIGN
 * Within a group a later row of an id replaces an earlier one, so the run that
 * is made of it has each id once. Runs of few rows are not worth a part of
 * their own: they are made again together with the rows of the group, until
 * they have OM__FRESH_ROWS; merging larger ones is nobody's who waits
 * (engine/live/tiers.c). */

#define FRESH_RUNS 8

void om__group_clear(struct om__group *group)
{
    om_buf_clear(&group->bytes);
    group->slots = 0;
    if (group->heads)
        memset(group->head, 0, group->heads * sizeof *group->head);
}

void om__group_deinit(struct om__group *group)
{
    om_buf_deinit(&group->bytes);
    om_free(group->slot);
    om_free(group->head);
    *group = (struct om__group){0};
}

static om_status make_room(struct om__group *group)
{
    if (group->slots < group->room) return OM_OK;
    const size_t room = group->room ? 2 * group->room : 64;
    struct om__slot *slot = om_realloc(group->slot, room * sizeof *group->slot);
    if (!slot) return OM_E_MEMORY;
    group->slot = slot;
    uint32_t *head = om_calloc(2 * room, sizeof *head);
    if (!head) return OM_E_MEMORY;
    om_free(group->head);
    group->head = head;
    group->heads = 2 * room;
    group->room = room;
    for (size_t i = 0; i < group->slots; i++) {
        uint32_t *at = &head[slot[i].hash & (group->heads - 1)];
        slot[i].next = *at;
        *at = (uint32_t)i + 1;
    }
    return OM_OK;
}

om_status om__group_slot(struct om__group *group, uint32_t layer,
                         const char *id, size_t len, size_t *out)
{
    const uint64_t hash = om_hash64(id, len, layer);
    if (group->heads) {
        uint32_t i = group->head[hash & (group->heads - 1)];
        for (; i; i = group->slot[i - 1].next) {
            const struct om__slot *s = &group->slot[i - 1];
            if (s->hash == hash && s->layer == layer && s->id_len == len &&
                !memcmp(group->bytes.bytes + s->id, id, len)) {
                *out = i - 1;
                return OM_OK;
            }
        }
    }
    OM_TRY(make_room(group));
    const size_t at = group->bytes.len;
    OM_TRY(om_buf_add(&group->bytes, id, len));
    uint32_t *head = &group->head[hash & (group->heads - 1)];
    *out = group->slots;
    group->slot[group->slots++] = (struct om__slot){
        .hash = hash, .layer = layer, .next = *head, .id = at, .id_len = len};
    *head = (uint32_t)group->slots;
    return OM_OK;
}

om_status om__group_locate(struct om__slot *slot, const char *id,
                           const struct om__stack *stack,
                           struct om__finder *finder)
{
    if (slot->located) return OM_OK;
    const om_status st =
        om__stack_find(stack, id, slot->id_len, finder, &slot->place);
    if (st && st != OM_E_NOTFOUND) return st;
    slot->in_base = !st;
    slot->located = true;
    return OM_OK;
}

/* Small runs at the end of a stack, taken back as batches. */
struct fresh {
    size_t from;
    size_t batches;
    struct om_batch batch[FRESH_RUNS];
};

static om_status take_fresh(const struct om__stack *stack,
                            const struct om_schema *own, size_t rows,
                            struct fresh *out)
{
    out->from = stack->parts;
    while (out->from > stack->files && out->batches < FRESH_RUNS) {
        const struct om_part *part = &stack->part[out->from - 1];
        rows += om__part_rows(part);
        if (rows > OM__FRESH_ROWS) break;
        OM_TRY(om_segment_extract(
            part->segment, own, 0, om_segment_rows(part->segment), NULL,
            part->dead, part->dead_count, &out->batch[out->batches]));
        out->batches++;
        out->from--;
    }
    return OM_OK;
}

/* Records of a group as batches: a reader has room for OM_LIMIT_BATCH_ROWS. */
struct records {
    size_t readers, rows;
    struct om_record_reader **reader;
};

static om_status read_records(const struct om__group *group, uint32_t layer,
                              const struct om_schema *own, struct records *out)
{
    const size_t most = group->slots / OM_LIMIT_BATCH_ROWS + 1;
    out->reader = om_calloc(most, sizeof(struct om_record_reader *));
    if (!out->reader) return OM_E_MEMORY;
    for (size_t i = 0; i < group->slots; i++) {
        const struct om__slot *s = &group->slot[i];
        if (s->layer != layer || !s->touched || !s->alive) continue;
        if (out->rows % OM_LIMIT_BATCH_ROWS == 0) {
            OM_TRY(om_record_reader_new(own, &out->reader[out->readers]));
            out->readers++;
        }
        const om_status st =
            om_record_read(out->reader[out->readers - 1],
                           group->bytes.bytes + s->record, s->record_len);
        if (st == OM_E_FORMAT) {
            // Of a layer that has had other columns: a row that was written
            // while it was being replaced.
            om_log(OM_LOG_ERROR, "live",
                   "a row of %zu bytes does not fit its layer any more",
                   s->record_len);
            continue;
        }
        OM_TRY(st);
        out->rows++;
    }
    return OM_OK;
}

static void records_deinit(struct records *r)
{
    for (size_t i = 0; i < r->readers; i++) om_record_reader_free(r->reader[i]);
    om_free(r->reader);
}

/* The run of the living rows of a group, with the fresh ones of the stack. */
static om_status make_run(const struct records *records,
                          const struct fresh *fresh,
                          const struct om_schema *own,
                          const struct om_joiner *joiner,
                          struct om_segment **out, struct om_err *err)
{
    size_t batches = 0;
    const struct om_batch **batch = om_calloc(
        records->readers + fresh->batches + 1, sizeof(struct om_batch *));
    om_status st = batch ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; !st && i < fresh->batches; i++)
        if (fresh->batch[i].rows) batch[batches++] = &fresh->batch[i];
    for (size_t i = 0; !st && i < records->readers; i++)
        if (om_record_rows(records->reader[i]))
            st = om_record_batch(records->reader[i], &batch[batches++]);
    if (!st && batches) st = om_run_new(own, batch, batches, joiner, out, err);
    om_free(batch);
    return st;
}

static om_status add_run(const struct om__group *group, uint32_t layer,
                         const struct om_schema *own,
                         const struct om__stack *stack,
                         const struct om_joiner *joiner, struct om__stack **out,
                         struct om_err *err)
{
    struct records records = {0};
    struct om_segment *run = NULL;
    struct fresh *fresh = om_calloc(1, sizeof *fresh);
    om_status st = fresh ? OM_OK : OM_E_MEMORY;
    if (!st) st = read_records(group, layer, own, &records);
    if (!st) st = take_fresh(stack, own, records.rows, fresh);
    if (!st) st = make_run(&records, fresh, own, joiner, &run, err);
    if (!st)
        st = om__stack_splice(stack, fresh->from, stack->parts, run, NULL,
                              false, out);
    om_segment_unref(run);
    for (size_t i = 0; fresh && i < fresh->batches; i++)
        om_arena_deinit(&fresh->batch[i].arena);
    om_free(fresh);
    records_deinit(&records);
    return st;
}

om_status om__group_apply(struct om__group *group, uint32_t layer,
                          const struct om_schema *own,
                          const struct om__stack *old,
                          const struct om_joiner *joiner,
                          struct om__finder *finder, struct om__stack **out,
                          struct om_err *err)
{
    struct om__kill *kill = NULL;
    struct om__stack *killed = NULL;
    size_t kills = 0, alive = 0;
    om_status st = OM_OK;
    for (size_t i = 0; i < group->slots; i++)
        kills += group->slot[i].layer == layer && group->slot[i].touched;
    if (kills == 0) {
        *out = om__stack_ref((struct om__stack *)(uintptr_t)old);
        return OM_OK;
    }
    kill = om_alloc_array(kills, sizeof *kill);
    if (!kill) st = OM_E_MEMORY;
    kills = 0;
    for (size_t i = 0; i < group->slots && !st; i++) {
        struct om__slot *s = &group->slot[i];
        if (s->layer != layer || !s->touched) continue;
        st = om__group_locate(s, (const char *)group->bytes.bytes + s->id, old,
                              finder);
        if (!st && s->in_base) kill[kills++] = s->place;
        alive += s->alive;
    }
    // Then nobody knows which rows these are the newer ones of.
    if (st == OM_E_DAMAGED)
        st = om_fail(err, OM_E_WITHHELD, 0,
                     "ids in its files cannot be looked up (onemap verify says "
                     "what is damaged)");
    if (!st) st = om__stack_kill(old, kill, kills, &killed);
    if (!st && alive)
        st = add_run(group, layer, own, killed, joiner, out, err);
    else if (!st)
        *out = om__stack_ref(killed);
    om__stack_unref(killed);
    om_free(kill);
    if (st && err && err->code != st)
        om_fail(err, st, 0, "putting rows into a layer: %s",
                om_status_text(st));
    return st;
}
