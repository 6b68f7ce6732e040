/* coverage_patrol.c - are the visits made that are owed?
 *
 * DESIGN
 * engine/coverage/patrol.h holds the rules; here options become a window, a
 * moment and selections. What is made of it is in coverage_patrol_units.c
 * (sums) and coverage_patrol_rows.c (the list).
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
        if (layer->rights.veils && (single || om__coverage_flag(q, "levels") ||
                                    om__coverage_text(q, "raster"))) {
            q->refused = layer;
            return OM_E_NOTFOUND;
        }
        OM_TRY(om__coverage_where(q, layer, &p->filter[t]));
        OM_TRY(om_select(q->selections, layer, p->filter[t],
                         (struct om_window){0}, &p->selection[t]));
    }
    return OM_OK;
}

om_status om__patrol_open_any(struct om_coverage *q, bool workers,
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
    out->veil = om__veil_of(&out->duty);
    if (!workers && !out->veil.levels) out->veil = (struct om__veil){0};
    OM_TRY(
        om__veil_window(q, &out->veil, spec->from_s, spec->to_s, spec->at_s));
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
    OM_TRY(om__patrol_open_any(q, false, out));
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

om_status om__patrol_members(struct om__patrol_question *p,
                             const struct om_patrol_sum *listed,
                             struct om_buf *out)
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
        p->patrol.months, listed ? (size_t)listed->rows : p->patrol.count,
        (unsigned long long)v->rows, (unsigned long long)v->in_window,
        (unsigned long long)v->repeated, (unsigned long long)v->doubtful,
        (unsigned long long)v->refused, (unsigned long long)v->later,
        (unsigned long long)v->elsewhere, (unsigned long long)v->lost);
    OM_TRY(add_lost(p, out));
    om_buf_add_byte(out, '}');
    if (listed)
        om_buf_addf(out,
                    ",\"sums\":{\"owed\":%llu,\"due\":%llu,\"done\":%llu,"
                    "\"missed\":%llu,\"visits\":%llu}",
                    (unsigned long long)listed->owed,
                    (unsigned long long)listed->due,
                    (unsigned long long)listed->done,
                    (unsigned long long)om_patrol_missed(listed),
                    (unsigned long long)listed->visits);
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
    if (!st && !by_level) st = om__veil_level(q, &p.veil, &level);
    if (!st) look(&p);
    if (!st) warn_lost(&p);
    if (!st) st = om__patrol_field(&p);
    if (!st)
        st = om__coverage_flag(q, "rows")
                 ? om__patrol_list(&p)
                 : om__patrol_table(&p, level, by_level);
    om__patrol_close(&p);
    return st;
}
