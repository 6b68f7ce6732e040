/* rounds.c - visits, joined to the rows they were paid to.
 *
 * DESIGN
 * Visits are read once, in the order they lie in. What a judgement needs of
 * them is little: on which days of each month a target was seen, and when
 * last. A bit a day makes visits of one day one, and setting bits does not
 * mind the order, so threads share one table. Visits lie near their targets in
 * Morton order, so the table is walked nearly in order too.
 */
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/coverage/patrol_internal.h"
#include "engine/query/curve.h"

#define DAY_S 86400
/* Visits that one thread reads in one go: whole blocks of text. */
#define GRAIN 16384
/* The layer named is owed no visits. */
#define ELSEWHERE UINT8_MAX

/* One part of the layer of visits while it is read. */
struct reading {
    const struct om_patrol_spec *spec;
    struct om__rounds *rounds;
    const struct om_part *part;
    size_t number;  // of the part
    const struct om_column *at, *layer, *verified;
    uint8_t *target_of;  // [layer->words], NULL: not a dictionary
    struct lane {
        struct om_text_reader id, layer;
        struct om_patrol_visits visits;
        size_t losts;  // the first lost that it met in this part
        struct om_row_at lost[OM_PATROL_LOST_LISTED];
    } * lane;
    size_t losts;  // the first of each part so far
    struct om_row_at *lost;
};

void om__rounds_deinit(struct om__rounds *rounds)
{
    for (size_t t = 0; t < OM_DUTY_TARGETS_MOST; t++)
        om_idmap_deinit(&rounds->map[t]);
    om_free((void *)rounds->seen);
    om_free((void *)rounds->doubted);
    om_free((void *)rounds->last);
    *rounds = (struct om__rounds){0};
}

static uint8_t target_named(const struct om_duty *duty, const char *name,
                            size_t len)
{
    for (size_t t = 0; t < duty->targets; t++) {
        const char *is = duty->target[t].layer->name;
        if (strlen(is) == len && !memcmp(is, name, len)) return (uint8_t)t;
    }
    return ELSEWHERE;
}

static om_status target_of_row(const struct reading *r, size_t row,
                               struct lane *lane, uint8_t *out)
{
    *out = ELSEWHERE;
    if (!om_column_valid(r->layer, row)) return OM_OK;
    if (r->target_of) {
        *out = r->target_of[om_column_stored(r->layer, row)];
        return OM_OK;
    }
    const char *text;
    size_t len;
    OM_TRY(om_segment_text(r->part->segment, r->spec->duty->visits.target_layer,
                           row, &lane->layer, &text, &len));
    *out = target_named(r->spec->duty, text, len);
    return OM_OK;
}

static void note_last(atomic_int_least64_t *last, int64_t at_s)
{
    int_least64_t was = atomic_load_explicit(last, memory_order_relaxed);
    while (was < at_s &&
           !atomic_compare_exchange_weak_explicit(
               last, &was, at_s, memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* Set the bit of the day, if the moment is in the window. */
static bool note_day(const struct om__rounds *rounds,
                     atomic_uint_least32_t *days, size_t target, int64_t at_s)
{
    for (size_t m = 0; m < rounds->months; m++) {
        const struct om_month *month = &rounds->month[m];
        if (at_s < month->lo_s || at_s >= month->hi_s) continue;
        atomic_fetch_or_explicit(&days[target * rounds->months + m],
                                 UINT32_C(1)
                                     << ((at_s - month->start_s) / DAY_S),
                                 memory_order_relaxed);
        return true;
    }
    return false;
}

static bool in_window(const struct om__rounds *rounds, int64_t at_s)
{
    return at_s >= rounds->month[0].lo_s &&
           at_s < rounds->month[rounds->months - 1].hi_s;
}

static void note_visit(const struct reading *r, size_t row, size_t target,
                       struct om_patrol_visits *v)
{
    struct om__rounds *rounds = r->rounds;
    const int64_t at_s = om_column_integer(r->at, row);
    if (r->verified && om_column_valid(r->verified, row) &&
        !om_column_integer(r->verified, row)) {
        v->refused += in_window(rounds, at_s);
        return;
    }
    const bool doubted = r->verified && !om_column_valid(r->verified, row);
    if (!doubted) note_last(&rounds->last[target], at_s);
    if (!note_day(rounds, doubted ? rounds->doubted : rounds->seen, target,
                  at_s))
        return;
    v->in_window++;
    v->doubtful += doubted;
}

static om_status read_visit(const struct reading *r, size_t row,
                            struct lane *lane)
{
    struct om_patrol_visits *v = &lane->visits;
    uint8_t target;
    const char *id;
    size_t len;
    v->rows++;
    if (!om_column_valid(r->at, row) ||
        om_column_integer(r->at, row) >= r->spec->at_s) {
        v->later++;
        return OM_OK;
    }
    OM_TRY(target_of_row(r, row, lane, &target));
    if (target == ELSEWHERE) {
        v->elsewhere++;
        return OM_OK;
    }
    OM_TRY(om_segment_text(r->part->segment, r->spec->duty->visits.target, row,
                           &lane->id, &id, &len));
    const uint32_t found =
        id ? om_idmap_find(&r->rounds->map[target], id, len) : OM_NO_ROW;
    if (found != OM_NO_ROW) {
        note_visit(r, row, r->rounds->base[target] + found, v);
        return OM_OK;
    }
    v->lost++;
    if (lane->losts < OM_PATROL_LOST_LISTED)
        lane->lost[lane->losts++] =
            (struct om_row_at){(uint32_t)r->number, (uint32_t)row};
    return OM_OK;
}

static om_status read_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    const struct reading *r = ctx;
    size_t dead = om_part_dead_from(r->part, first);
    for (size_t row = first; row < end; row++) {
        if (dead < r->part->dead_count && r->part->dead[dead] == row)
            dead++;
        else
            OM_TRY(read_visit(r, row, &r->lane[lane]));
    }
    return OM_OK;
}

/* Which target each word of the column names. */
static om_status read_words(struct reading *r, struct om_arena *arena)
{
    r->target_of = NULL;
    if (r->layer->coding != OM_CODING_DICTIONARY) return OM_OK;
    r->target_of =
        om_arena_calloc(arena, r->layer->words + 1, sizeof *r->target_of);
    if (!r->target_of) return OM_E_MEMORY;
    for (size_t w = 0; w < r->layer->words; w++) {
        const uint32_t from = r->layer->word_offset[w];
        r->target_of[w] =
            target_named(r->spec->duty, r->layer->word_bytes + from,
                         r->layer->word_offset[w + 1] - from);
    }
    return OM_OK;
}

static om_status read_part(struct reading *r, struct om_arena *arena)
{
    const struct om_duty_visits *v = &r->spec->duty->visits;
    const struct om_segment *s = r->part->segment;
    const size_t rows = om_segment_rows(s);
    OM_TRY(om_segment_column(s, v->at, 0, rows, &r->at));
    OM_TRY(om_segment_column(s, v->target_layer, 0, rows, &r->layer));
    r->verified = NULL;
    if (v->verified != OM_NO_FIELD)
        OM_TRY(om_segment_column(s, v->verified, 0, rows, &r->verified));
    OM_TRY(read_words(r, arena));
    return om_parallel(rows, GRAIN, read_stretch, r);
}

/* --- together ---------------------------------------------------------- */

/* Every lane meets the rows of a part in their order, so the first of the part
 * are among the first of each. */
static void take_lost(struct reading *r)
{
    struct om_row_at lost[OM_LIMIT_THREADS * OM_PATROL_LOST_LISTED];
    size_t n = 0;
    for (size_t l = 0; l < OM_LIMIT_THREADS; l++) {
        struct lane *lane = &r->lane[l];
        for (size_t i = 0; i < lane->losts; i++) lost[n++] = lane->lost[i];
        lane->losts = 0;
    }
    qsort(lost, n, sizeof *lost, om_row_at_compare);
    for (size_t i = 0; i < n && i < OM_PATROL_LOST_LISTED; i++)
        r->lost[r->losts++] = lost[i];
}

/* The first of all parts, as if they were one. */
static om_status list_lost(const struct reading *r,
                           struct om_patrol_visits *out)
{
    OM_TRY(om_curve_order(r->spec->duty->visits.layer, r->lost, r->losts));
    for (size_t i = 0; i < r->losts && i < OM_PATROL_LOST_LISTED; i++)
        out->lost_row[out->losts++] =
            (struct om_patrol_lost){r->lost[i].part, r->lost[i].row};
    return OM_OK;
}

static void add_up_lanes(const struct lane *lane, struct om_patrol_visits *out)
{
    for (size_t l = 0; l < OM_LIMIT_THREADS; l++) {
        const struct om_patrol_visits *v = &lane[l].visits;
        out->rows += v->rows;
        out->later += v->later;
        out->elsewhere += v->elsewhere;
        out->lost += v->lost;
        out->refused += v->refused;
        out->in_window += v->in_window;
        out->doubtful += v->doubtful;
    }
}

static om_status count_days(void *ctx, size_t first, size_t end, size_t lane)
{
    struct reading *r = ctx;
    uint64_t days = 0;
    const struct om__rounds *rounds = r->rounds;
    for (size_t i = first * rounds->months; i < end * rounds->months; i++) {
        uint32_t bits = (uint32_t)rounds->seen[i];
        if (rounds->doubted) bits |= (uint32_t)rounds->doubted[i];
        days += (uint64_t)__builtin_popcount(bits);
    }
    r->lane[lane].visits.repeated += days;  // turned round when all are known
    return OM_OK;
}

static om_status make_tables(const struct om_patrol_spec *spec,
                             struct om__rounds *out)
{
    const struct om_duty *duty = spec->duty;
    OM_TRY(om_months_cut(spec->from_s, spec->to_s,
                         spec->snapshot->manifest->zone_s,
                         OM_PATROL_MONTHS_MOST, out->month, &out->months));
    for (size_t t = 0; t < duty->targets; t++) {
        OM_TRY(om_idmap_make(duty->target[t].layer, &out->map[t]));
        out->base[t + 1] = out->base[t] + out->map[t].rows;
    }
    out->targets = out->base[duty->targets];
    size_t cells;
    if (!om_mul_size(out->targets + 1, out->months, &cells)) return OM_E_MEMORY;
    out->seen = om_calloc(cells, sizeof *out->seen);
    if (duty->visits.verified != OM_NO_FIELD) {
        out->doubted = om_calloc(cells, sizeof *out->doubted);
        if (!out->doubted) return OM_E_MEMORY;
    }
    out->last = om_alloc_array(out->targets + 1, sizeof *out->last);
    if (!out->seen || !out->last) return OM_E_MEMORY;
    for (size_t i = 0; i < out->targets; i++)
        atomic_init(&out->last[i], OM_NEVER);
    return OM_OK;
}

static om_status read_parts(struct reading *r, struct om_patrol_visits *visits)
{
    const struct om_layer *layer = r->spec->duty->visits.layer;
    struct om_arena arena = {0};
    r->lost = om_arena_alloc(
        &arena, (layer->parts + 1) * OM_PATROL_LOST_LISTED * sizeof *r->lost);
    om_status st = r->lost ? OM_OK : OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts && !st; p++) {
        r->part = &layer->part[p];
        r->number = p;
        st = read_part(r, &arena);
        take_lost(r);
    }
    add_up_lanes(r->lane, visits);
    if (!st) st = list_lost(r, visits);
    if (!st) st = om_parallel(r->rounds->targets, GRAIN, count_days, r);
    visits->repeated = visits->in_window;
    for (size_t l = 0; l < OM_LIMIT_THREADS; l++)
        visits->repeated -= r->lane[l].visits.repeated;
    om_arena_deinit(&arena);
    return st;
}

om_status om__rounds_read(const struct om_patrol_spec *spec,
                          struct om__rounds *out,
                          struct om_patrol_visits *visits)
{
    *out = (struct om__rounds){0};
    OM_TRY(make_tables(spec, out));
    struct reading r = {.spec = spec, .rounds = out};
    r.lane = om_calloc(OM_LIMIT_THREADS, sizeof *r.lane);
    if (!r.lane) return OM_E_MEMORY;
    const om_status st = read_parts(&r, visits);
    for (size_t l = 0; l < OM_LIMIT_THREADS; l++) {
        om_text_reader_deinit(&r.lane[l].id);
        om_text_reader_deinit(&r.lane[l].layer);
    }
    om_free(r.lane);
    return st;
}
