/* coverage_patrol.c - are the visits made that are owed?
 *
 * DESIGN
 * engine/coverage/patrol.h holds the rules; here options become a window, a
 * moment and selections, and sums become a table: one row a unit, or one a
 * level of the register (by=level), or a unit's levels apart (levels).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/model/time.h"
#include "engine/coverage/months.h"
#include "web/coverage_patrol.h"

#define DAY_S 86400.0

/* --- options ----------------------------------------------------------- */

static om_status read_month(struct om_coverage *q, const char *text,
                            int64_t *from_s, int64_t *to_s)
{
    const int32_t zone_s = q->snapshot->manifest->zone_s;
    const bool month = strlen(text) == strlen("2023-05") && text[4] == '-';
    if (!month ||
        om_time_parse_interval(text, strlen(text), zone_s, from_s, to_s))
        return om__coverage_bad(q, "month", OM_E_FORMAT,
                                "'%.40s' is not a month (2023-05)", text);
    return OM_OK;
}

/* Where a side is open: from the first table, to the end of the month. */
static void close_window(const struct om_duty *duty, int64_t at_s,
                         int32_t zone_s, int64_t *from_s, int64_t *to_s)
{
    if (*to_s == INT64_MAX) *to_s = om_month_of(at_s - 1, zone_s).end_s;
    if (*from_s != INT64_MIN) return;
    int64_t first = om_month_of(at_s - 1, zone_s).start_s;
    for (size_t t = 0; t < duty->targets; t++)
        if (duty->target[t].table[0].from_s < first)
            first = duty->target[t].table[0].from_s;
    *from_s = first;
}

om_status om__patrol_window(struct om_coverage *q, const struct om_duty *duty,
                            int64_t *from_s, int64_t *to_s, int64_t *at_s)
{
    const struct om_manifest *m = q->snapshot->manifest;
    const char *month = om__coverage_text(q, "month");
    const char *window = om__coverage_text(q, "time");
    *at_s = q->now_s ? q->now_s : om_snapshot_now(q->snapshot);
    OM_TRY(om__coverage_moment(q, "at", at_s));
    if (month && window)
        return om__coverage_bad(q, "time", OM_E_FORMAT,
                                "month and time cannot both be given");
    if (month) return read_month(q, month, from_s, to_s);
    if (window) {
        const om_status st = om_time_parse_interval(window, strlen(window),
                                                    m->zone_s, from_s, to_s);
        if (st)
            return om__coverage_bad(q, "time", st,
                                    "'%.60s' is not FROM/TO, each a date, "
                                    "month or time",
                                    window);
        close_window(duty, *at_s, m->zone_s, from_s, to_s);
        if (*from_s >= *to_s)
            return om__coverage_bad(q, "time", OM_E_RANGE,
                                    "from is not before to");
        return OM_OK;
    }
    const struct om_month running = om_month_of(*at_s, m->zone_s);
    *from_s = om_month_of(running.start_s - 1, m->zone_s).start_s;
    *to_s = running.start_s;
    return OM_OK;
}

static om_status find_target(struct om_coverage *q, const struct om_duty *duty,
                             size_t *out)
{
    const char *name = om__coverage_text(q, "layer");
    *out = SIZE_MAX;
    if (!name) return OM_OK;
    char known[OM_ERR_TEXT_BYTES / 2] = "";
    for (size_t t = 0; t < duty->targets; t++) {
        const char *is = duty->target[t].layer->name;
        if (!strcmp(is, name)) *out = t;
        const size_t len = strlen(known);
        snprintf(known + len, sizeof known - len, "%s%s", t ? ", " : "", is);
    }
    if (*out != SIZE_MAX) return OM_OK;
    return om__coverage_bad(q, "layer", OM_E_FORMAT,
                            "'%.40s' is owed no visits; city.json names %s",
                            name, known);
}

static om_status select_targets(struct om__patrol_question *p, size_t only)
{
    struct om_coverage *q = p->question;
    // Counts by unit are for all.
    const bool single = only != SIZE_MAX || om__coverage_text(q, "where") ||
                        om__coverage_flag(q, "rows");
    for (size_t t = 0; t < p->duty.targets; t++) {
        const struct om_layer *layer = p->duty.target[t].layer;
        if (only != SIZE_MAX && t != only) continue;
        if (single) OM_TRY(om__coverage_allowed(q, layer));
        // What each is owed tells its level, where levels are hidden.
        if (layer->rights.open &&
            (single || om__coverage_flag(q, "levels") ||
             om__coverage_text(q, "raster"))) {
            q->refused = layer;
            return OM_E_NOTFOUND;
        }
        OM_TRY(om__coverage_where(q, layer, &p->filter[t]));
        OM_TRY(om_select(q->selections, layer, &OM_POLICY_ALL, p->filter[t],
                         (struct om_window){0}, &p->selection[t]));
    }
    return OM_OK;
}

om_status om__patrol_open_any(struct om_coverage *q,
                              struct om__patrol_question *out)
{
    size_t only;
    *out = (struct om__patrol_question){.question = q};
    OM_TRY(om_duty_read(q->snapshot, &out->duty, &q->err));
    om__coverage_missing(&out->duty);
    struct om_patrol_spec *spec = &out->spec;
    *spec = (struct om_patrol_spec){.snapshot = q->snapshot,
                                    .duty = &out->duty,
                                    .selection = out->selection};
    OM_TRY(om__patrol_window(q, &out->duty, &spec->from_s, &spec->to_s,
                             &spec->at_s));
    if (!out->duty.targets || !out->duty.visits.layer) return OM_OK;
    OM_TRY(find_target(q, &out->duty, &only));
    OM_TRY(select_targets(out, only));
    const om_status st = om_patrol_judge(spec, &out->patrol, &q->err);
    if (st == OM_E_COST) q->wrong = "time";
    return st;
}

om_status om__patrol_open(struct om_coverage *q,
                          struct om__patrol_question *out)
{
    OM_TRY(om__patrol_open_any(q, out));
    if (!out->duty.targets)
        return om_duty_lacks("targets", "which layers are owed visits",
                             &q->err);
    return out->duty.visits.layer
               ? OM_OK
               : om_duty_lacks("visits", "which layer holds the visits",
                               &q->err);
}

void om__patrol_close(struct om__patrol_question *p)
{
    for (size_t t = 0; t < OM_DUTY_TARGETS_MOST; t++) {
        om_selection_unref(p->selection[t]);
        om_filter_free(p->filter[t]);
    }
    om_patrol_deinit(&p->patrol);
    om_duty_deinit(&p->duty);
    om_arena_deinit(&p->arena);
}

/* --- figures ----------------------------------------------------------- */

/* Slot of the sums -> weight of its level; 0 where the level is not known. */
static double risk_of(const struct om__patrol_question *p,
                      const struct om_patrol_sums *sums, size_t slot)
{
    size_t t = p->duty.targets - 1;
    while (t && sums->slot_of[t] > slot) t--;
    const size_t level = slot - sums->slot_of[t];
    const struct om_duty_target *target = &p->duty.target[t];
    return level < target->levels ? target->risk[level] : 0;
}

double om__patrol_share(const struct om__patrol_question *p,
                        const struct om_patrol_sums *sums,
                        const struct om_patrol_sum *sum, bool weighted)
{
    double done = 0, judged = 0;
    for (size_t s = 0; s < sums->slots; s++) {
        const double weight = weighted ? risk_of(p, sums, s) : 1;
        done += weight * (double)sum[s].done;
        judged += weight * (double)(sum[s].done + om_patrol_missed(&sum[s]));
    }
    return judged > 0 ? done / judged : NAN;
}

double om__patrol_risk(const struct om__patrol_question *p,
                       const struct om_patrol_sums *sums,
                       const struct om_patrol_sum *sum)
{
    double risk = 0;
    for (size_t s = 0; s < sums->slots; s++)
        risk += risk_of(p, sums, s) * (double)sum[s].overdue_s / DAY_S;
    return risk;
}

/* --- what is known of the whole ---------------------------------------- */

static void add_moment(struct om_buf *out, const char *name, int64_t at_s,
                       int32_t zone_s)
{
    char text[OM_TIME_TEXT_BYTES];
    om_time_format(at_s, zone_s, text);
    om_buf_addf(out, "\"%s\":\"%s\",", name, text);
}

static om_status add_lost(struct om__patrol_question *p, struct om_buf *out)
{
    const struct om_patrol_visits *v = &p->patrol.visits;
    const struct om_layer *layer = p->duty.visits.layer;
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    om_buf_add_text(out, ",\"lost_ids\":[");
    const bool hidden = om__coverage_hides(p->question, layer);
    for (size_t i = 0; !hidden && i < v->losts && !st; i++) {
        const char *id;
        size_t len;
        st = om_segment_text(layer->part[v->lost_row[i].part].segment,
                             layer->schema.id_field, v->lost_row[i].row,
                             &reader, &id, &len);
        if (st) break;
        if (i) om_buf_add_byte(out, ',');
        om_buf_add_json_text(out, id ? id : "", len);
    }
    om_buf_add_byte(out, ']');
    om_text_reader_deinit(&reader);
    return st ? st : out->status;
}

om_status om__patrol_members(struct om__patrol_question *p, struct om_buf *out)
{
    const int32_t zone_s = p->question->snapshot->manifest->zone_s;
    const struct om_patrol_visits *v = &p->patrol.visits;
    add_moment(out, "from", p->spec.from_s, zone_s);
    add_moment(out, "to", p->spec.to_s, zone_s);
    add_moment(out, "at", p->spec.at_s, zone_s);
    om_buf_addf(
        out,
        "\"months\":%zu,\"numberMatched\":%zu,\"visits\":{\"rows\":%llu,"
        "\"in_window\":%llu,\"repeated\":%llu,\"doubtful\":%llu,"
        "\"refused\":%llu,\"later\":%llu,\"elsewhere\":%llu,"
        "\"lost\":%llu",
        p->patrol.months, p->patrol.count, (unsigned long long)v->rows,
        (unsigned long long)v->in_window, (unsigned long long)v->repeated,
        (unsigned long long)v->doubtful, (unsigned long long)v->refused,
        (unsigned long long)v->later, (unsigned long long)v->elsewhere,
        (unsigned long long)v->lost);
    OM_TRY(add_lost(p, out));
    om_buf_add_byte(out, '}');
    return om_buf_add_byte(out, 0);
}

/* Visits that were paid to nobody are said where no member says it. */
static void warn_lost(const struct om__patrol_question *p)
{
    const uint64_t lost = p->patrol.visits.lost;
    if (lost && p->question->format == OM_TABLE_CSV)
        om_log(OM_LOG_WARN, "coverage",
               "%llu visits are of targets that do not exist (--format json "
               "lists the first)",
               (unsigned long long)lost);
}

/* --- the table of units ------------------------------------------------ */

static const struct om_table_column COLUMN[] = {
    {"id", OM_TYPE_TEXT},        {"name", OM_TYPE_TEXT},
    {"layer", OM_TYPE_TEXT},     {"level", OM_TYPE_TEXT},
    {"count", OM_TYPE_INTEGER},  {"owed", OM_TYPE_INTEGER},
    {"due", OM_TYPE_INTEGER},    {"done", OM_TYPE_INTEGER},
    {"missed", OM_TYPE_INTEGER}, {"doubtful", OM_TYPE_INTEGER},
    {"ahead", OM_TYPE_INTEGER},  {"extra", OM_TYPE_INTEGER},
    {"visits", OM_TYPE_INTEGER}, {"overdue", OM_TYPE_INTEGER},
    {"never", OM_TYPE_INTEGER},  {"unjudged", OM_TYPE_INTEGER},
    {"value", OM_TYPE_REAL},     {"weighted", OM_TYPE_REAL},
    {"risk", OM_TYPE_REAL},      {"rank", OM_TYPE_INTEGER},
    {"text", OM_TYPE_TEXT},      {"text_en", OM_TYPE_TEXT}};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)

struct writing {
    struct om__patrol_question *patrol;
    struct om_table *table;
    const struct om_patrol_sums *sums;
    struct om_buf text, text_en;
};

/* A line of the table: the sums of `slots` from `slot` on. */
struct line {
    const char *id, *name, *layer, *level;
    const struct om_patrol_sum *sum;  // of a unit, [sums->slots]
    size_t slot, slots;
    uint32_t rank;  // 0: none
};

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
    om_buf_addf(&w->text_en, "%s: %llu of %llu visit%s due %s made", name,
                (unsigned long long)s->done, (unsigned long long)s->due,
                om__plural(s->due), s->due == 1 ? "is" : "are");
    put_percent(&w->text_en, share);
    om_buf_addf(&w->text_en,
                ", %llu of %llu overdue, %llu never visited, %llu unjudged",
                (unsigned long long)s->state[OM_PATROL_OVERDUE],
                (unsigned long long)s->rows, (unsigned long long)s->never,
                (unsigned long long)s->state[OM_PATROL_UNJUDGED]);
    om_buf_addf(&w->text, "%s:应巡 %llu 次,已巡 %llu 次", name,
                (unsigned long long)s->due, (unsigned long long)s->done);
    put_percent(&w->text, share);
    om_buf_addf(&w->text,
                ";共 %llu 处,逾期 %llu 处,从未巡查 %llu 处,无法判定 %llu 处",
                (unsigned long long)s->rows,
                (unsigned long long)s->state[OM_PATROL_OVERDUE],
                (unsigned long long)s->never,
                (unsigned long long)s->state[OM_PATROL_UNJUDGED]);
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
    }
    const double share = om__patrol_share(w->patrol, w->sums, only, false);
    const double weighted = om__patrol_share(w->patrol, w->sums, only, true);
    put_words(w, line, &s, share);
    om_table_word(t, line->id);
    om_table_word(t, line->name);
    om_table_word(t, line->layer);
    om_table_word(t, line->level);
    const uint64_t n[] = {s.rows,
                          s.owed,
                          s.due,
                          s.done,
                          om_patrol_missed(&s),
                          s.doubtful,
                          s.ahead,
                          s.extra,
                          s.visits,
                          s.state[OM_PATROL_OVERDUE],
                          s.never,
                          s.state[OM_PATROL_UNJUDGED]};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        om_table_integer(t, (int64_t)n[i]);
    om_table_real(t, share);
    om_table_real(t, weighted);
    om_table_real(t, om__patrol_risk(w->patrol, w->sums, only));
    if (line->rank)
        om_table_integer(t, line->rank);
    else
        om_table_null(t);
    om_table_text(t, (const char *)w->text.bytes, w->text.len);
    om_table_text(t, (const char *)w->text_en.bytes, w->text_en.len);
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
static om_status rank_units(struct om__patrol_question *p,
                            const struct om_patrol_sums *sums, uint32_t *rank)
{
    struct ranked *order =
        om_arena_calloc(&p->arena, sums->units + 1, sizeof *order);
    if (!order) return OM_E_MEMORY;
    size_t n = 0;
    for (size_t u = 0; u < sums->units; u++) {
        const double share =
            om__patrol_share(p, sums, &sums->sum[u * sums->slots], true);
        if (isfinite(share)) order[n++] = (struct ranked){share, (uint32_t)u};
    }
    if (n > 1) qsort(order, n, sizeof *order, by_share);
    for (size_t i = 0; i < n; i++) rank[order[i].unit] = (uint32_t)i + 1;
    return OM_OK;
}

/* Too few to be told of, where their levels are hidden? */
static bool is_few(const struct om__patrol_question *p, uint64_t rows)
{
    for (size_t t = 0; t < p->duty.targets; t++) {
        const struct om_layer *layer = p->duty.target[t].layer;
        if (layer->rights.open && rows && rows < layer->rights.smallest_count)
            return true;
    }
    return false;
}

static om_status put_units(struct writing *w, const struct om_units *units)
{
    const struct om_patrol_sums *sums = w->sums;
    const bool levels = om__coverage_flag(w->patrol->question, "levels");
    uint32_t *rank =
        om_arena_calloc(&w->patrol->arena, sums->units + 1, sizeof *rank);
    if (!rank) return OM_E_MEMORY;
    OM_TRY(rank_units(w->patrol, sums, rank));
    for (size_t u = 0; u <= sums->units; u++) {
        const struct om_unit *unit = u < units->count ? &units->unit[u] : NULL;
        struct line line = {.id = unit ? unit->id : NULL,
                            .name = unit ? unit->name : NULL,
                            .sum = &sums->sum[u * sums->slots],
                            .slots = sums->slots,
                            .rank = rank[u]};
        uint64_t rows = 0;
        for (size_t s = 0; s < sums->slots; s++) rows += line.sum[s].rows;
        if (!unit && !rows) continue;
        if (is_few(w->patrol, rows)) continue;
        if (levels) {
            put_levels(w, &line, false);
            continue;
        }
        if (unit) om_table_shape(w->table, &units->rings, unit->row);
        put_line(w, &line);
    }
    return w->text_en.status;
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
    put_levels(w, &(struct line){.sum = all}, true);
    return w->text_en.status;
}

static om_status write_sums(struct om__patrol_question *p, const char *level,
                            bool by_level)
{
    struct om_coverage *q = p->question;
    struct om_units units = {0};
    struct om_patrol_sums sums = {0};
    struct om_buf members = {0};
    struct writing w = {.patrol = p, .sums = &sums};
    om_status st = om_units_read(q->snapshot, level, &units, &q->err);
    if (!st) st = om_patrol_add_up(&p->spec, &p->patrol, &units, &sums);
    if (!st) st = om__patrol_members(p, &members);
    if (!st)
        st = om__coverage_table(q, COLUMN, COLUMNS, (const char *)members.bytes,
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

static void look(const struct om__patrol_question *p)
{
    struct om_coverage *q = p->question;
    // A list has texts of other layers beside it.
    if (om__coverage_flag(q, "rows")) return;
    for (size_t t = 0; t < p->duty.targets; t++)
        om__coverage_look(q, p->duty.target[t].layer);
    om__coverage_look(q, p->duty.visits.layer);
}

om_status om__coverage_patrol(struct om_coverage *q)
{
    struct om__patrol_question p;
    const char *level, *by = om__coverage_text(q, "by");
    const bool by_level = by && !strcmp(by, "level");
    if (by_level)
        level = q->snapshot->manifest->levels ? q->snapshot->manifest->level[0]
                                              : "";
    else
        OM_TRY(om__coverage_level(q, &level));
    om_status st = om__patrol_open(q, &p);
    if (!st) look(&p);
    if (!st) warn_lost(&p);
    if (!st) st = om__patrol_field(&p);
    if (!st)
        st = om__coverage_flag(q, "rows") ? om__patrol_list(&p)
                                          : write_sums(&p, level, by_level);
    om__patrol_close(&p);
    return st;
}
