// patrol_sum.c - what was judged, added up by units and levels.
#include <string.h>

#include "engine/coverage/patrol.h"

void om_patrol_sum_add(struct om_patrol_sum *to,
                       const struct om_patrol_sum *more)
{
    to->rows += more->rows;
    for (size_t s = 0; s < OM_PATROL_STATES; s++)
        to->state[s] += more->state[s];
    to->never += more->never;
    to->owed += more->owed;
    to->due += more->due;
    to->done += more->done;
    to->ahead += more->ahead;
    to->extra += more->extra;
    to->doubtful += more->doubtful;
    to->visits += more->visits;
    to->overdue_s += more->overdue_s;
}

static void add_row(struct om_patrol_sum *to, const struct om_patrol_row *row,
                    int64_t at_s)
{
    to->rows++;
    to->state[row->state]++;
    to->never += row->last_s == OM_NEVER;
    to->owed += row->owed;
    to->due += row->due;
    to->done += row->done;
    to->ahead += row->ahead;
    to->extra += row->extra;
    to->doubtful += row->doubtful;
    to->visits += row->visits;
    if (row->overdue_s != OM_NEVER) to->overdue_s += at_s - row->overdue_s;
}

/* Unit columns of the part that rows come from, looked up when it changes. */
struct units_at {
    const struct om_patrol_spec *spec;
    const struct om_units *units;
    struct om_arena arena;
    struct om_unit_rows rows;
    size_t target, part;
};

static om_status unit_of(struct units_at *u, const struct om_patrol_row *row,
                         uint32_t *out)
{
    if (u->target != row->target || u->part != row->part) {
        OM_TRY(om_units_rows(u->units, u->spec->duty->target[row->target].layer,
                             row->part, &u->arena, &u->rows));
        u->target = row->target;
        u->part = row->part;
    }
    *out = om_unit_of_row(&u->rows, row->row);
    return OM_OK;
}

om_status om_patrol_add_up(const struct om_patrol_spec *spec,
                           const struct om_patrol *patrol,
                           const struct om_units *units,
                           struct om_patrol_sums *out)
{
    *out = (struct om_patrol_sums){.units = units->count};
    for (size_t t = 0; t < spec->duty->targets; t++) {
        out->slot_of[t] = out->slots;
        out->slots += spec->duty->target[t].levels + 1;
    }
    out->sum = om_arena_calloc(&out->arena, (units->count + 1) * out->slots + 1,
                               sizeof *out->sum);
    if (!out->sum) return OM_E_MEMORY;
    struct units_at at = {
        .spec = spec, .units = units, .target = SIZE_MAX, .part = SIZE_MAX};
    om_status st = OM_OK;
    for (size_t i = 0; i < patrol->count && !st; i++) {
        const struct om_patrol_row *row = &patrol->row[i];
        uint32_t unit = OM_NO_UNIT;
        st = unit_of(&at, row, &unit);
        const size_t u = unit == OM_NO_UNIT ? units->count : unit;
        add_row(
            &out->sum[u * out->slots + out->slot_of[row->target] + row->level],
            row, spec->at_s);
    }
    om_arena_deinit(&at.arena);
    if (st) om_patrol_sums_deinit(out);
    return st;
}

void om_patrol_sums_deinit(struct om_patrol_sums *sums)
{
    om_arena_deinit(&sums->arena);
    *sums = (struct om_patrol_sums){0};
}
