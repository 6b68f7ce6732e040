/* patrol.c - each house against the duty of its level.
 *
 * DESIGN
 * rounds.c gathers the days on which each row was visited; here every selected
 * row is judged on its own, so rows are cut into stretches for threads and
 * each writes its own place of the result. The rules stand in patrol.h.
 */
#include "engine/coverage/patrol.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/coverage/patrol_internal.h"

#define DAY_S 86400
#define GRAIN 8192
#define LEVEL_UNKNOWN UINT8_MAX

const char *om_patrol_state_name(enum om_patrol_state state)
{
    static const char *const NAME[] = {"overdue", "missed", "unjudged",
                                       "not_due", "done",   "no_duty"};
    return state < OM_PATROL_STATES ? NAME[state] : "";
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return -floor_div(-a, b);
}

int64_t om_patrol_due(int64_t start, int64_t end, int n, int64_t lo, int64_t hi,
                      int64_t *first)
{
    *first = 0;
    if (n <= 0 || lo >= hi) return 0;
    *first = ceil_div((lo - start) * n, end - start);
    const int64_t due = floor_div((hi - start) * n, end - start) - *first;
    return due > 0 ? due : 0;
}

/* --- one row ----------------------------------------------------------- */

/* The rows of one part of a target while they are judged. */
struct judging {
    const struct om_patrol_spec *spec;
    const struct om__rounds *rounds;
    const struct om_duty_target *target;
    const struct om_selection *selection;
    const struct om_part *live;
    size_t number, part;  // of the target; of the part
    size_t base;          // number of its row 0 in the rounds
    const struct om_column *level, *since;
    uint8_t *level_of;  // [level->words]; NULL: not a dictionary
    // Visits a month of each level, [months * levels].
    const int *visits;
    struct om_patrol_row *row;  // where the part's first goes
    struct om_text_reader reader[OM_LIMIT_THREADS];
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Days of a month from that of `from_s` on, as bits. */
static uint32_t days_from(const struct om_month *month, int64_t from_s)
{
    const int64_t day = floor_div(from_s - month->start_s, DAY_S);
    return day <= 0 ? ~UINT32_C(0) : day > 31 ? 0 : ~UINT32_C(0) << day;
}

/* What one month says of a row. */
static void judge_month(const struct judging *j, size_t m, size_t target, int n,
                        int64_t since_s, struct om_patrol_row *row)
{
    const struct om_month *month = &j->rounds->month[m];
    const size_t cell = target * j->rounds->months + m;
    const int64_t lo = most(month->lo_s, since_s);
    const int64_t hi = least(month->hi_s, j->spec->at_s);
    int64_t first;
    const int64_t owed =
        om_patrol_due(month->start_s, month->end_s, n, lo, month->hi_s, &first);
    const int64_t due =
        om_patrol_due(month->start_s, month->end_s, n, lo, hi, &first);
    const uint32_t mask = days_from(month, lo);
    const uint32_t seen = (uint32_t)j->rounds->seen[cell] & mask;
    const uint32_t doubted =
        j->rounds->doubted ? (uint32_t)j->rounds->doubted[cell] & mask & ~seen
                           : 0;
    const int64_t days = __builtin_popcount(seen);
    const int64_t done = least(days, due), paid = least(days, owed);
    const int64_t doubtful = least(due - done, __builtin_popcount(doubted));
    row->judged = true;
    row->owed = (uint16_t)(row->owed + owed);
    row->due = (uint16_t)(row->due + due);
    row->done = (uint16_t)(row->done + done);
    row->ahead = (uint16_t)(row->ahead + paid - done);
    row->extra = (uint16_t)(row->extra + days - paid);
    row->doubtful = (uint16_t)(row->doubtful + doubtful);
    if (done + doubtful < due && row->last_s < month->hi_s &&
        row->overdue_s == OM_NEVER)
        row->overdue_s =
            month->start_s + ceil_div((first + done + doubtful + 1) *
                                          (month->end_s - month->start_s),
                                      n);
}

static enum om_patrol_state state_of(const struct om_patrol_row *row)
{
    if (!row->judged) return OM_PATROL_UNJUDGED;
    if (row->overdue_s != OM_NEVER) return OM_PATROL_OVERDUE;
    if (row->done + row->doubtful < row->due) return OM_PATROL_MISSED;
    if (row->doubtful) return OM_PATROL_UNJUDGED;
    if (!row->owed) return OM_PATROL_NO_DUTY;
    return row->done + row->ahead < row->owed ? OM_PATROL_NOT_DUE
                                              : OM_PATROL_DONE;
}

static void judge_row(const struct judging *j, size_t row_number, uint8_t level,
                      struct om_patrol_row *out)
{
    const struct om__rounds *rounds = j->rounds;
    const size_t target = j->base + row_number;
    const size_t levels = j->target->levels;
    const int64_t since_s = j->since && om_column_valid(j->since, row_number)
                                ? om_column_integer(j->since, row_number)
                                : INT64_MIN;
    *out = (struct om_patrol_row){
        .row = (uint32_t)row_number,
        .part = (uint16_t)j->part,
        .target = (uint8_t)j->number,
        .level = level == LEVEL_UNKNOWN ? (uint8_t)levels : level,
        .last_s = rounds->last[target],
        .overdue_s = OM_NEVER};
    for (size_t m = 0; m < rounds->months; m++) {
        const struct om_month *month = &rounds->month[m];
        const size_t cell = target * rounds->months + m;
        uint32_t days = (uint32_t)rounds->seen[cell];
        if (rounds->doubted) days |= (uint32_t)rounds->doubted[cell];
        out->visits = (uint16_t)(out->visits + __builtin_popcount(days));
        if (level == LEVEL_UNKNOWN) continue;
        const int n = j->visits[m * levels + level];
        // Before it began, the level was another that is not known.
        if (n < 0 || since_s >= month->hi_s || since_s > j->spec->at_s)
            continue;
        judge_month(j, m, target, n, since_s, out);
    }
    out->state = (uint8_t)state_of(out);
}

/* --- parts and targets ------------------------------------------------- */

static uint8_t level_named(const struct om_duty_target *target,
                           const char *name, size_t len)
{
    for (size_t l = 0; l < target->levels; l++)
        if (strlen(target->level_name[l]) == len &&
            !memcmp(target->level_name[l], name, len))
            return (uint8_t)l;
    return LEVEL_UNKNOWN;
}

static om_status level_of_row(struct judging *j, size_t row, size_t lane,
                              uint8_t *out)
{
    *out = LEVEL_UNKNOWN;
    if (!om_column_valid(j->level, row)) return OM_OK;
    if (j->level_of) {
        *out = j->level_of[om_column_stored(j->level, row)];
        return OM_OK;
    }
    const char *text;
    size_t len;
    OM_TRY(om_segment_text(j->live->segment, j->target->level, row,
                           &j->reader[lane], &text, &len));
    *out = level_named(j->target, text, len);
    return OM_OK;
}

static om_status judge_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    struct judging *j = ctx;
    struct om_patrol_row *out =
        j->row + om_selection_count(j->selection, j->part, 0, first);
    for (size_t row = first; row < end; row++) {
        uint8_t level;
        if (!om_selection_has(j->selection, j->part, row)) continue;
        OM_TRY(level_of_row(j, row, lane, &level));
        judge_row(j, row, level, out++);
    }
    return OM_OK;
}

static om_status read_levels(struct judging *j, struct om_arena *arena)
{
    j->level_of = NULL;
    if (j->level->coding != OM_CODING_DICTIONARY) return OM_OK;
    j->level_of =
        om_arena_calloc(arena, j->level->words + 1, sizeof *j->level_of);
    if (!j->level_of) return OM_E_MEMORY;
    for (size_t w = 0; w < j->level->words; w++) {
        const uint32_t from = j->level->word_offset[w];
        j->level_of[w] = level_named(j->target, j->level->word_bytes + from,
                                     j->level->word_offset[w + 1] - from);
    }
    return OM_OK;
}

static om_status judge_part(struct judging *j, struct om_arena *arena)
{
    const struct om_segment *s = j->live->segment;
    const size_t rows = om_segment_rows(s);
    OM_TRY(om_segment_column(s, j->target->level, 0, rows, &j->level));
    j->since = NULL;
    if (j->target->since != OM_NO_FIELD)
        OM_TRY(om_segment_column(s, j->target->since, 0, rows, &j->since));
    OM_TRY(read_levels(j, arena));
    return om_parallel(rows, GRAIN, judge_stretch, j);
}

static om_status read_visits(struct judging *j, struct om_arena *arena)
{
    const size_t levels = j->target->levels;
    int *visits =
        om_arena_calloc(arena, j->rounds->months * levels + 1, sizeof *visits);
    if (!visits) return OM_E_MEMORY;
    for (size_t m = 0; m < j->rounds->months; m++)
        for (size_t l = 0; l < levels; l++)
            visits[m * levels + l] =
                om_duty_visits(j->target, l, j->rounds->month[m].start_s);
    j->visits = visits;
    return OM_OK;
}

static om_status judge_target(struct judging *j, struct om_arena *arena)
{
    const struct om_layer *layer = j->target->layer;
    OM_TRY(read_visits(j, arena));
    for (size_t p = 0; p < layer->parts; p++) {
        j->part = p;
        j->live = &layer->part[p];
        j->base =
            j->rounds->base[j->number] + j->rounds->map[j->number].base[p];
        OM_TRY(judge_part(j, arena));
        j->row += om_selection_count(j->selection, p, 0,
                                     om_segment_rows(j->live->segment));
    }
    return OM_OK;
}

static om_status judge_targets(const struct om_patrol_spec *spec,
                               const struct om__rounds *rounds,
                               struct om_patrol *out)
{
    struct judging *j = om_calloc(1, sizeof *j);
    struct om_arena arena = {0};
    if (!j) return OM_E_MEMORY;
    om_status st = OM_OK;
    struct om_patrol_row *row = out->row;
    for (size_t t = 0; t < spec->duty->targets && !st; t++) {
        if (!spec->selection[t]) continue;
        j->spec = spec;
        j->rounds = rounds;
        j->target = &spec->duty->target[t];
        j->selection = spec->selection[t];
        j->number = t;
        j->row = row;
        st = judge_target(j, &arena);
        row += spec->selection[t]->count;
    }
    for (size_t l = 0; l < OM_LIMIT_THREADS; l++)
        om_text_reader_deinit(&j->reader[l]);
    om_arena_deinit(&arena);
    om_free(j);
    return st;
}

static om_status check_spec(const struct om_patrol_spec *spec,
                            struct om_err *err)
{
    if (!spec->duty->targets)
        return om_duty_lacks("targets", "which layers are owed visits", err);
    if (!spec->duty->visits.layer)
        return om_duty_lacks("visits", "which layer holds the visits", err);
    if (spec->from_s >= spec->to_s)
        return om_fail(err, OM_E_RANGE, 0, "the window is empty");
    return OM_OK;
}

om_status om_patrol_judge(const struct om_patrol_spec *spec,
                          struct om_patrol *out, struct om_err *err)
{
    struct om__rounds rounds = {0};
    *out = (struct om_patrol){0};
    OM_TRY(check_spec(spec, err));
    for (size_t t = 0; t < spec->duty->targets; t++)
        if (spec->selection[t]) out->count += spec->selection[t]->count;
    om_status st = om__rounds_read(spec, &rounds, &out->visits);
    if (st == OM_E_COST)
        om_fail(err, st, 0, "the window has more than %d months",
                OM_PATROL_MONTHS_MOST);
    if (st) goto done;
    out->months = rounds.months;
    out->row = om_arena_alloc(&out->arena, (out->count + 1) * sizeof *out->row);
    if (!out->row) st = OM_E_MEMORY;
    if (!st) st = judge_targets(spec, &rounds, out);
done:
    om__rounds_deinit(&rounds);
    if (st) om_patrol_deinit(out);
    return st;
}

void om_patrol_deinit(struct om_patrol *patrol)
{
    om_arena_deinit(&patrol->arena);
    *patrol = (struct om_patrol){0};
}
