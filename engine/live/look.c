// look.c - where the rows of a write are, found out before its turn.
#include "data/base/alloc.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * Looking up ten thousand ids takes tens of milliseconds, for which all others
 * would wait. So whoever has many looks them up in his own time, in the newest
 * snapshot, and the committer only looks at what has come since: a row that was
 * alive in a segment and has not died is where it was, since segments do not
 * change, the dead stay dead and an id lives once; an id that was nowhere can
 * only be in segments that were not there. For everything else (its segment was
 * merged, its row died) the id is looked up again, first in those: there it
 * mostly is, and they are small. */

struct om__look {
    struct om__stack *stack;
    size_t rows;
    struct om__kill place[];  // [rows]; part OM__NOWHERE: there is none
};

static om_status look_up(struct om__look *look, const struct om_batch *batch,
                         size_t id_field)
{
    const struct om_batch_column *c = &batch->column[id_field];
    struct om__finder finder = {0};
    om_status st = OM_OK;
    for (size_t row = 0; row < look->rows && !st; row++) {
        struct om__kill *place = &look->place[row];
        place->part = OM__NOWHERE;
        if (c->valid && !om_bit(c->valid, row)) continue;
        st =
            om__stack_find(look->stack, c->bytes + c->offset[row],
                           c->offset[row + 1] - c->offset[row], &finder, place);
        if (st == OM_E_NOTFOUND) st = OM_OK;
    }
    om__finder_deinit(&finder);
    return st;
}

void om_live_look(struct om_live *live, struct om_write *write)
{
    const size_t rows = write->batch->rows;
    struct om_snapshot *snapshot = om_city_snapshot(live->city);
    const struct om_layer *layer = om_snapshot_layer(snapshot, write->layer);
    om_live_look_end(write);
    if (layer && layer->schema.count) {
        struct om__look *look =
            om_alloc(sizeof *look + rows * sizeof *look->place);
        if (look) {
            const size_t i = (size_t)(layer->meta - snapshot->manifest->layer);
            look->stack =
                om__stack_ref(om__snapshot_of(snapshot)->state[i].stack);
            look->rows = rows;
            write->look = look;
        }
        // What cannot be read is told by whoever takes the write.
        if (look && look_up(look, write->batch, layer->schema.id_field))
            om_live_look_end(write);
    }
    om_snapshot_unref(snapshot);
    if (write->look) om__bulk_make(live, write);
}

void om_live_look_end(struct om_write *write)
{
    om__bulk_free(write->bulk);
    write->bulk = NULL;
    if (!write->look) return;
    om__stack_unref(write->look->stack);
    om_free(write->look);
    write->look = NULL;
}

bool om__look_found(const struct om__look *look)
{
    for (size_t i = 0; i < look->rows; i++)
        if (look->place[i].part != OM__NOWHERE) return true;
    return false;
}

static uint32_t part_with(const struct om__stack *stack,
                          const struct om_segment *segment)
{
    for (size_t i = 0; i < stack->parts; i++)
        if (stack->part[i].segment == segment) return (uint32_t)i;
    return OM__NOWHERE;
}

om_status om__looked_init(struct om__looked *looked,
                          const struct om__look *look,
                          const struct om__stack *now)
{
    *looked = (struct om__looked){.look = look, .now = now};
    looked->became = om_alloc_array(look->stack->parts + 1, sizeof(uint32_t));
    looked->only = om_alloc_array(now->parts + 1, sizeof *looked->only);
    if (!looked->became || !looked->only) return OM_E_MEMORY;
    for (size_t i = 0; i < now->parts; i++)
        looked->only[i] =
            part_with(look->stack, now->part[i].segment) == OM__NOWHERE;
    for (size_t i = 0; i < look->stack->parts; i++)
        looked->became[i] = part_with(now, look->stack->part[i].segment);
    return OM_OK;
}

void om__looked_deinit(struct om__looked *looked)
{
    om_free(looked->became);
    om_free(looked->only);
    *looked = (struct om__looked){0};
}

om_status om__looked_find(const struct om__looked *looked, size_t row,
                          const char *id, size_t len, struct om__finder *finder,
                          struct om__kill *out)
{
    const struct om__kill was = looked->look->place[row];
    if (was.part == OM__NOWHERE)
        return om__stack_find_in(looked->now, looked->only, id, len, finder,
                                 out);
    const uint32_t part = looked->became[was.part];
    if (part == OM__NOWHERE ||
        om__part_is_dead(&looked->now->part[part], was.row)) {
        const om_status st =
            om__stack_find_in(looked->now, looked->only, id, len, finder, out);
        return st == OM_E_NOTFOUND
                   ? om__stack_find(looked->now, id, len, finder, out)
                   : st;
    }
    *out = (struct om__kill){part, was.row};
    return OM_OK;
}
