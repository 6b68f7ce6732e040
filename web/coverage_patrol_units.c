/* coverage_patrol_units.c - sums of patrols as a table.
 *
 * DESIGN
 * One line a unit, one a level of the register (by=level), or a unit's levels
 * apart (levels). From whom levels are hidden (struct om__veil) are also kept
 * the lines of units with few to patrol, and those that would tell them by
 * subtraction; of the others figures are in tens, and shares those of the
 * figures as they are told, where all of these are: what is weighed by levels
 * (weighted, risk, rank) follows from levels of which all figures are told.
 * So are lines of units in which few workers made the visits.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/coverage_patrol.h"
#include "web/small.h"

#define DAY_S 86400

static const struct om_table_column COLUMN[] = {{"id", OM_TYPE_TEXT},
                                                {"name", OM_TYPE_TEXT},
                                                {"layer", OM_TYPE_TEXT},
                                                {"level", OM_TYPE_TEXT},
                                                {"count", OM_TYPE_INTEGER},
                                                {"owed", OM_TYPE_INTEGER},
                                                {"due", OM_TYPE_INTEGER},
                                                {"done", OM_TYPE_INTEGER},
                                                {"missed", OM_TYPE_INTEGER},
                                                {"doubtful", OM_TYPE_INTEGER},
                                                {"ahead", OM_TYPE_INTEGER},
                                                {"extra", OM_TYPE_INTEGER},
                                                {"visits", OM_TYPE_INTEGER},
                                                {"overdue", OM_TYPE_INTEGER},
                                                {"never", OM_TYPE_INTEGER},
                                                {"unjudged", OM_TYPE_INTEGER},
                                                {"value", OM_TYPE_REAL},
                                                {"weighted", OM_TYPE_REAL},
                                                {"risk", OM_TYPE_REAL},
                                                {"rank", OM_TYPE_INTEGER},
                                                {"text", OM_TYPE_TEXT},
                                                {"text_en", OM_TYPE_TEXT},
                                                // Only where something is.
                                                {"hidden", OM_TYPE_BOOLEAN}};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)
/* Counts of a line. */
#define COUNTS 12

struct writing {
    struct om__patrol_question *patrol;
    struct om_table *table;
    const struct om_patrol_sums *sums;
    const struct om__veil *veil;
    bool *hidden;  // [sums->units + 1]
    struct om_buf text, text_en;
};

/* A line of the table: the sums of `slots` from `slot` on. */
struct line {
    const char *id, *name, *layer, *level;
    const struct om_patrol_sum *sum;  // of a unit, [sums->slots]
    size_t slot, slots;
    uint32_t rank;  // 0: none
    bool hidden;
};

/* --- what is told ------------------------------------------------------- */

/* In tens, so that no part is more than its whole. */
static void round_sum(const struct om__veil *veil, struct om_patrol_sum *s)
{
    const uint64_t overdue = s->state[OM_PATROL_OVERDUE];
    const int64_t each_days =
        overdue ? s->overdue_s / (int64_t)(overdue * (uint64_t)DAY_S) : 0;
    uint64_t *const figure[] = {&s->rows,  &s->never,    &s->owed,
                                &s->due,   &s->done,     &s->ahead,
                                &s->extra, &s->doubtful, &s->visits};
    if (!veil->least) return;
    for (size_t i = 0; i < sizeof figure / sizeof *figure; i++)
        *figure[i] = om__veil_round(veil, *figure[i]);
    for (size_t i = 0; i < OM_PATROL_STATES; i++)
        s->state[i] = om__veil_round(veil, s->state[i]);
    if (s->doubtful > s->due - s->done) s->doubtful = s->due - s->done;
    s->overdue_s =
        (int64_t)s->state[OM_PATROL_OVERDUE] * each_days * (int64_t)DAY_S;
}

/* A level's sums as what is weighed by levels has them: in tens, and nothing of
 * a level of which some figure is not told itself. */
static void weigh_told(const struct om__veil *veil, struct om_patrol_sum *s)
{
    const uint64_t told[] = {s->rows, s->due, s->done, om_patrol_missed(s)};
    bool few = false;
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        few = few || om__veil_few(veil, (double)told[i]);
    if (few || om__veil_few(veil, (double)s->state[OM_PATROL_OVERDUE]))
        s->state[OM_PATROL_OVERDUE] = 0;
    if (few)
        *s = (struct om_patrol_sum){0};
    else
        round_sum(veil, s);
    if (!s->state[OM_PATROL_OVERDUE]) s->overdue_s = 0;
}

static void add_count(struct om_buf *out, const struct om__veil *veil,
                      uint64_t n)
{
    if (om__veil_few(veil, (double)n))
        om_buf_addf(out, "<%llu", (unsigned long long)veil->least);
    else
        om_buf_addf(out, "%llu", (unsigned long long)om__veil_round(veil, n));
}

static void put_percent(struct om_buf *out, double share)
{
    if (isfinite(share)) om_buf_addf(out, " (%.1f %%)", 100 * share);
}

static void put_words(struct writing *w, const struct line *line,
                      const struct om_patrol_sum *s, double share)
{
    char name[OM_LIMIT_NAME_BYTES * 3];
    const char *unit = line->name && *line->name ? line->name : line->id;
    snprintf(name, sizeof name, "%.63s%s%.63s%s%.63s", unit ? unit : "",
             unit && line->layer ? " " : "", line->layer ? line->layer : "",
             line->level ? " " : "", line->level ? line->level : "");
    om_buf_clear(&w->text_en);
    om_buf_clear(&w->text);
    const struct om__veil *v = w->veil;
    struct om_buf *en = &w->text_en, *zh = &w->text;
    om_buf_addf(en, "%s: ", name);
    add_count(en, v, s->done);
    om_buf_add_text(en, " of ");
    add_count(en, v, s->due);
    om_buf_addf(en, " visit%s due %s made", om__plural(s->due),
                s->due == 1 ? "is" : "are");
    put_percent(en, share);
    om_buf_add_text(en, ", ");
    add_count(en, v, s->state[OM_PATROL_OVERDUE]);
    om_buf_add_text(en, " of ");
    add_count(en, v, s->rows);
    om_buf_add_text(en, " overdue, ");
    add_count(en, v, s->never);
    om_buf_add_text(en, " never visited, ");
    add_count(en, v, s->state[OM_PATROL_UNJUDGED]);
    om_buf_add_text(en, " unjudged");
    om_buf_addf(zh, "%s:应巡 ", name);
    add_count(zh, v, s->due);
    om_buf_add_text(zh, " 次,已巡 ");
    add_count(zh, v, s->done);
    om_buf_add_text(zh, " 次");
    put_percent(zh, share);
    om_buf_add_text(zh, ";共 ");
    add_count(zh, v, s->rows);
    om_buf_add_text(zh, " 处,逾期 ");
    add_count(zh, v, s->state[OM_PATROL_OVERDUE]);
    om_buf_add_text(zh, " 处,从未巡查 ");
    add_count(zh, v, s->never);
    om_buf_add_text(zh, " 处,无法判定 ");
    add_count(zh, v, s->state[OM_PATROL_UNJUDGED]);
    om_buf_add_text(zh, " 处");
}

static void put_end(struct writing *w, uint32_t rank, bool hidden)
{
    struct om_table *t = w->table;
    if (rank)
        om_table_integer(t, rank);
    else
        om_table_null(t);
    om_table_text(t, (const char *)w->text.bytes, w->text.len);
    om_table_text(t, (const char *)w->text_en.bytes, w->text_en.len);
    if (w->veil->least) om_table_truth(t, hidden);
}

/* Nothing but that there is something. */
static void put_hidden(struct writing *w, const struct line *line)
{
    const char *unit = line->name && *line->name ? line->name : line->id;
    const char *what = unit ? unit : line->level ? line->level : "";
    om_buf_clear(&w->text_en);
    om_buf_clear(&w->text);
    om_buf_addf(&w->text_en, "%s: too few to be told", what);
    om_buf_addf(&w->text, "%s:数量过少,不予显示", what);
    for (size_t i = 0; i < COUNTS + 3; i++) om_table_null(w->table);
    put_end(w, 0, true);
}

static void put_counts(struct writing *w, const struct om_patrol_sum *s)
{
    const uint64_t n[COUNTS] = {s->rows,
                                s->owed,
                                s->due,
                                s->done,
                                om_patrol_missed(s),
                                s->doubtful,
                                s->ahead,
                                s->extra,
                                s->visits,
                                s->state[OM_PATROL_OVERDUE],
                                s->never,
                                s->state[OM_PATROL_UNJUDGED]};
    for (size_t i = 0; i < COUNTS; i++)
        if (om__veil_few(w->veil, (double)n[i]))
            om_table_null(w->table);
        else
            om_table_integer(w->table, (int64_t)om__veil_round(w->veil, n[i]));
}

/* Done of done and missed, as they are told: with one of them the share tells
 * the other. */
static double share_told(const struct writing *w, struct om_patrol_sum s)
{
    if (om__veil_few(w->veil, (double)s.due) ||
        om__veil_few(w->veil, (double)s.done) ||
        om__veil_few(w->veil, (double)om_patrol_missed(&s)))
        return NAN;
    round_sum(w->veil, &s);
    const double judged = (double)(s.done + om_patrol_missed(&s));
    return judged > 0 ? (double)s.done / judged : NAN;
}

static void put_line(struct writing *w, const struct line *line)
{
    struct om_table *t = w->table;
    struct om_patrol_sum s = {0};
    // Slots that the line is not about count as empty.
    struct om_patrol_sum *only =
        om_arena_calloc(&w->patrol->arena, w->sums->slots, sizeof *only);
    if (!only) w->text_en.status = OM_E_MEMORY;
    if (!only) return;
    for (size_t i = line->slot; i < line->slot + line->slots; i++) {
        only[i] = line->sum[i];
        om_patrol_sum_add(&s, &line->sum[i]);
        weigh_told(w->veil, &only[i]);
    }
    om_table_word(t, line->id);
    om_table_word(t, line->name);
    om_table_word(t, line->layer);
    om_table_word(t, line->level);
    if (line->hidden || om__veil_few(w->veil, (double)s.rows)) {
        put_hidden(w, line);
        return;
    }
    const double share = share_told(w, s);
    put_words(w, line, &s, share);
    put_counts(w, &s);
    om_table_real(t, share);
    om_table_real(t, om__patrol_share(w->patrol, w->sums, only, true));
    om_table_real(t, om__patrol_risk(w->patrol, w->sums, only));
    put_end(w, line->rank, false);
}

/* Name of the level in a slot of a target; NULL: not known. */
static const char *level_in(const struct om_duty_target *target, size_t level)
{
    return level < target->levels ? target->level_name[level] : NULL;
}

/* A line for each level of each target. */
static void put_levels(struct writing *w, const struct line *of, bool empty)
{
    const struct om_duty *duty = &w->patrol->duty;
    for (size_t t = 0; t < duty->targets; t++) {
        if (!w->patrol->selection[t]) continue;
        for (size_t l = 0; l <= duty->target[t].levels; l++) {
            struct line line = *of;
            line.layer = duty->target[t].layer->name;
            line.level = level_in(&duty->target[t], l);
            line.slot = w->sums->slot_of[t] + l;
            line.slots = 1;
            if (line.sum[line.slot].rows || (empty && line.level))
                put_line(w, &line);
        }
    }
}

/* --- ranks ------------------------------------------------------------- */

struct ranked {
    double share;
    uint32_t unit;
};

static int by_share(const void *one, const void *two)
{
    const struct ranked *p = one, *q = two;
    if (p->share != q->share) return p->share < q->share ? -1 : 1;
    return (p->unit > q->unit) - (p->unit < q->unit);
}

/* rank[unit]: 1 is the least covered, weighted by risk; 0: nothing due. */
static om_status rank_units(struct writing *w, uint32_t *rank)
{
    const struct om_patrol_sums *sums = w->sums;
    struct om_arena *arena = &w->patrol->arena;
    struct ranked *order =
        om_arena_calloc(arena, sums->units + 1, sizeof *order);
    struct om_patrol_sum *told =
        om_arena_calloc(arena, sums->slots + 1, sizeof *told);
    if (!order || !told) return OM_E_MEMORY;
    size_t n = 0;
    for (size_t u = 0; u < sums->units; u++) {
        if (w->hidden[u]) continue;
        for (size_t s = 0; s < sums->slots; s++) {
            told[s] = sums->sum[u * sums->slots + s];
            weigh_told(w->veil, &told[s]);
        }
        const double share = om__patrol_share(w->patrol, sums, told, true);
        if (isfinite(share)) order[n++] = (struct ranked){share, (uint32_t)u};
    }
    if (n > 1) qsort(order, n, sizeof *order, by_share);
    for (size_t i = 0; i < n; i++) rank[order[i].unit] = (uint32_t)i + 1;
    return OM_OK;
}

static uint64_t rows_in(const struct om_patrol_sums *sums, size_t unit)
{
    uint64_t rows = 0;
    for (size_t s = 0; s < sums->slots; s++)
        rows += sums->sum[unit * sums->slots + s].rows;
    return rows;
}

static om_status hide_units(struct writing *w, const struct om_units *units)
{
    uint64_t *count =
        om_arena_calloc(&w->patrol->arena, units->count + 1, sizeof *count);
    w->hidden =
        om_arena_calloc(&w->patrol->arena, units->count + 1, sizeof *w->hidden);
    if (!count || !w->hidden) return OM_E_MEMORY;
    for (size_t u = 0; u <= units->count; u++) count[u] = rows_in(w->sums, u);
    return om__veil_units(w->patrol->question, w->veil, units, count,
                          w->hidden);
}

static struct om_window period_of(const struct om__patrol_question *p)
{
    const struct om_layer *visits = p->duty.visits.layer;
    return (struct om_window){
        .set = visits && visits->schema.time_field != OM_NO_FIELD,
        .from_s = p->spec.from_s,
        .to_s = p->spec.to_s};
}

/* The visits of the period, as who did them is asked about; false: nobody is
 * hidden by how few did. */
static bool visits_of(const struct writing *w, struct om_query *out)
{
    const struct om__patrol_question *p = w->patrol;
    const struct om_layer *visits = p->duty.visits.layer;
    *out = (struct om_query){.snapshot = p->question->snapshot,
                             .layer = visits,
                             .cache = p->question->selections,
                             .window = period_of(p)};
    return w->veil->least && visits && visits->rights.crowds;
}

/* Units in which few made the visits of the period, and those that would tell
 * of them: as /stats has it. */
static om_status hide_done_by_few(struct writing *w,
                                  const struct om_units *units)
{
    struct om_query query;
    struct om_small_units small;
    if (!visits_of(w, &query)) return OM_OK;
    OM_TRY(om_small_units_make(&query, units->level, w->veil->least, &small,
                               &w->patrol->question->err));
    for (size_t u = 0; u < units->count; u++)
        w->hidden[u] =
            w->hidden[u] || om_small_units_hide(&small, units->unit[u].id,
                                                strlen(units->unit[u].id));
    w->hidden[units->count] = w->hidden[units->count] || small.nowhere_hidden;
    om_small_units_deinit(&small);
    return OM_OK;
}

static om_status put_units(struct writing *w, const struct om_units *units)
{
    const struct om_patrol_sums *sums = w->sums;
    const bool levels = om__coverage_flag(w->patrol->question, "levels");
    uint32_t *rank =
        om_arena_calloc(&w->patrol->arena, sums->units + 1, sizeof *rank);
    if (!rank) return OM_E_MEMORY;
    OM_TRY(hide_units(w, units));
    OM_TRY(hide_done_by_few(w, units));
    OM_TRY(rank_units(w, rank));
    for (size_t u = 0; u <= sums->units; u++) {
        const struct om_unit *unit = u < units->count ? &units->unit[u] : NULL;
        const struct line line = {.id = unit ? unit->id : NULL,
                                  .name = unit ? unit->name : NULL,
                                  .sum = &sums->sum[u * sums->slots],
                                  .slots = sums->slots,
                                  .rank = rank[u],
                                  .hidden = w->hidden[u]};
        if (!unit && !rows_in(sums, u)) continue;
        if (levels) {
            put_levels(w, &line, false);
            continue;
        }
        if (unit) om_table_shape(w->table, &units->rings, unit->row);
        put_line(w, &line);
    }
    return w->text_en.status;
}

static om_status is_city_of_few(const struct writing *w, bool *few)
{
    struct om_query query;
    uint64_t count, persons;
    if (!visits_of(w, &query)) return OM_OK;
    OM_TRY(om_query_count(&query, &count));
    OM_TRY(om_small_doers(&query, count, &persons));
    *few = om__veil_few(w->veil, (double)persons);
    return OM_OK;
}

/* Sums of the whole register. */
static om_status put_register(struct writing *w)
{
    const struct om_patrol_sums *sums = w->sums;
    struct om_patrol_sum *all =
        om_arena_calloc(&w->patrol->arena, sums->slots + 1, sizeof *all);
    if (!all) return OM_E_MEMORY;
    for (size_t u = 0; u <= sums->units; u++)
        for (size_t s = 0; s < sums->slots; s++)
            om_patrol_sum_add(&all[s], &sums->sum[u * sums->slots + s]);
    bool few = false;
    OM_TRY(is_city_of_few(w, &few));
    put_levels(w, &(struct line){.sum = all, .hidden = few}, true);
    return w->text_en.status;
}

om_status om__patrol_table(struct om__patrol_question *p, const char *level,
                           bool by_level)
{
    struct om_coverage *q = p->question;
    struct om_units units = {0};
    struct om_patrol_sums sums = {0};
    struct om_buf members = {0};
    struct writing w = {.patrol = p, .sums = &sums, .veil = &p->veil};
    const size_t columns = p->veil.least ? COLUMNS : COLUMNS - 1;
    om_status st = om_units_read(q->snapshot, level, &units, &q->err);
    if (!st) st = om_patrol_add_up(&p->spec, &p->patrol, &units, &sums);
    if (!st) st = om__patrol_members(p, NULL, &members);
    if (!st)
        st = om__coverage_table(q, COLUMN, columns, (const char *)members.bytes,
                                &w.table);
    if (!st) st = by_level ? put_register(&w) : put_units(&w, &units);
    if (!st) st = om_table_end(w.table, NULL);
    om_table_free(w.table);
    om_buf_deinit(&members);
    om_buf_deinit(&w.text_en);
    om_buf_deinit(&w.text);
    om_patrol_sums_deinit(&sums);
    om_units_deinit(&units);
    return st;
}
