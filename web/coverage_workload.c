/* coverage_workload.c - is the work spread evenly?
 *
 * DESIGN
 * A subject is a unit with its workers, or one worker. Work that lies in a unit
 * (addresses, houses, visits owed) is shared by the workers in charge of it;
 * what a worker did (reports, checks) is known of each. Balance is measured
 * over what falls to one worker: a unit with twice the houses and twice the
 * workers is not worse off.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "engine/coverage/months.h"
#include "web/coverage_workload.h"

/* So many of the most and of the least loaded are marked. */
#define MARKED_DEFAULT 10
#define MEASURE_DEFAULT "owed"
#define HEAD 4
#define TAIL 7
#define COLUMNS_MOST (OM_WORKLOAD_COLUMNS_MOST + HEAD + TAIL + 1)

/* --- figures ----------------------------------------------------------- */

/* What a column has of a unit. Where it follows from what is hidden of each:
 * in tens, of units that have many. NAN: it is not told. */
static double unit_figure(const struct om__workload *w, size_t column,
                          size_t unit)
{
    const struct om__veil *veil = &w->patrol.veil;
    const double figure = w->work.column[column].value[unit];
    if (w->few_did[column] && w->few_did[column][unit]) return NAN;
    if (!w->few[column]) return figure;
    if (w->few[column][unit] || om__veil_few(veil, figure)) return NAN;
    if (w->of_houses[column] && w->houses[unit] && !(figure > 0)) return NAN;
    return figure > 0 ? (double)om__veil_round(veil, (uint64_t)figure) : figure;
}

/* What a column has of a subject: all of a unit's, or a worker's own. */
static double figure_of(const struct om__workload *w, size_t column,
                        const struct om__subject *s)
{
    const char *name = w->work.column[column].name;
    const struct om_worker_figures *f = &w->figures;
    if (!f->rows) return unit_figure(w, column, s->in);
    if (f->reports && !strcmp(name, "reports")) return f->reports[s->worker];
    if (f->checks && !strcmp(name, "checks")) return f->checks[s->worker];
    return s->in == OM_NO_UNIT || !s->workers
               ? 0
               : unit_figure(w, column, s->in) / (double)s->workers;
}

/* What falls to one worker. */
static double load_of(const struct om__workload *w, size_t column,
                      const struct om__subject *s)
{
    const double figure = figure_of(w, column, s);
    if (w->figures.rows) return figure;
    return s->workers && !s->few ? figure / (double)s->workers : NAN;
}

om_status om__workload_balance(struct om__workload *w, size_t column,
                               const uint32_t *in, uint32_t group,
                               struct om__spread *out)
{
    double *value = om_arena_calloc(&w->arena, w->subjects + 1, sizeof *value);
    size_t *who = om_arena_calloc(&w->arena, w->subjects + 1, sizeof *who);
    if (!value || !who) return OM_E_MEMORY;
    size_t n = 0;
    double sum = 0, workers = 0;
    for (size_t i = 0; i < w->subjects; i++) {
        const struct om__subject *s = &w->subject[i];
        if (!s->workers || !isfinite(load_of(w, column, s))) continue;
        if (in && (s->in == OM_NO_UNIT || in[s->in] != group)) continue;
        sum += figure_of(w, column, s);
        workers += w->figures.rows ? 1 : (double)s->workers;
        value[n] = load_of(w, column, s);
        who[n++] = i;
    }
    struct om_balance *b = &out->balance;
    out->per_worker = workers > 0 ? sum / workers : NAN;
    const om_status st = om_balance_of(value, n, b);
    if (st == OM_E_RANGE)
        return om_fail(&w->question->err, st, 0,
                       "%s has negative values; a burden has none",
                       w->work.column[column].name);
    OM_TRY(st);
    b->most = n ? who[b->most] : SIZE_MAX;
    b->least = n ? who[b->least] : SIZE_MAX;
    return OM_OK;
}

/* --- subjects ---------------------------------------------------------- */

static om_status list_units(struct om__workload *w)
{
    w->subjects = w->units.count;
    w->subject =
        om_arena_calloc(&w->arena, w->subjects + 1, sizeof *w->subject);
    if (!w->subject) return OM_E_MEMORY;
    for (size_t i = 0; i < w->subjects; i++) {
        const struct om_unit *u = &w->units.unit[i];
        w->subject[i] = (struct om__subject){.id = u->id,
                                             .name = u->name,
                                             .workers = w->work.workers[i],
                                             .in = (uint32_t)i,
                                             .few = w->few_workers[i]};
    }
    return OM_OK;
}

static om_status add_worker(struct om__workload *w, size_t part, size_t row,
                            size_t number, struct om_text_reader *reader)
{
    const struct om_layer *layer = w->patrol.duty.workers.layer;
    const char *id;
    size_t len;
    OM_TRY(om_segment_text(layer->part[part].segment, layer->schema.id_field,
                           row, reader, &id, &len));
    char *copy = om_arena_text(&w->arena, id ? id : "", id ? len : 0);
    if (!copy) return OM_E_MEMORY;
    struct om__subject *s = &w->subject[w->subjects++];
    const uint32_t unit = w->figures.unit[number];
    const bool known = unit != OM_NO_UNIT;
    *s = (struct om__subject){.id = copy,
                              .name = known ? w->units.unit[unit].name : NULL,
                              .unit = known ? w->units.unit[unit].id : NULL,
                              .workers = known ? w->work.workers[unit] : 1,
                              .in = unit,
                              .worker = (uint32_t)number};
    return OM_OK;
}

static int by_id(const void *one, const void *two)
{
    return strcmp(((const struct om__subject *)one)->id,
                  ((const struct om__subject *)two)->id);
}

static om_status list_workers(struct om__workload *w)
{
    const struct om_layer *layer = w->patrol.duty.workers.layer;
    OM_TRY(om__coverage_allowed(w->question, layer));
    OM_TRY(om_workload_workers(&w->spec, &w->figures, &w->question->err));
    w->subject =
        om_arena_calloc(&w->arena, layer->rows + 1, sizeof *w->subject);
    if (!w->subject) return OM_E_MEMORY;
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    size_t base = 0;
    for (size_t p = 0; p < layer->parts && !st; p++) {
        const struct om_part *part = &layer->part[p];
        const size_t rows = om_segment_rows(part->segment);
        for (size_t row = 0, dead = 0; row < rows && !st; row++) {
            if (dead < part->dead_count && part->dead[dead] == row)
                dead++;
            else
                st = add_worker(w, p, row, base + row, &reader);
        }
        base += rows;
    }
    om_text_reader_deinit(&reader);
    if (w->subjects > 1)
        qsort(w->subject, w->subjects, sizeof *w->subject, by_id);
    return st;
}

static int by_load(const void *one, const void *two)
{
    const struct om__subject *p = *(const struct om__subject *const *)one;
    const struct om__subject *q = *(const struct om__subject *const *)two;
    if (p->load != q->load) return p->load > q->load ? -1 : 1;
    return strcmp(p->id, q->id);
}

/* Rank the subjects; *order (all of them, the most loaded first and those
 * without a load last) lies in the arena. */
static om_status rank_subjects(struct om__workload *w,
                               const struct om__subject ***order)
{
    struct om__subject **list =
        om_arena_calloc(&w->arena, w->subjects + 1, sizeof *list);
    if (!list) return OM_E_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < w->subjects; i++) {
        struct om__subject *s = &w->subject[i];
        s->load = load_of(w, w->measure, s);
        if (isfinite(s->load)) list[n++] = s;
    }
    if (n > 1) qsort(list, n, sizeof *list, by_load);
    for (size_t i = 0; i < n; i++) list[i]->rank = (uint32_t)i + 1;
    for (size_t i = 0; i < w->subjects; i++)
        if (!w->subject[i].rank) list[n++] = &w->subject[i];
    *order = (const struct om__subject **)list;
    return om__workload_balance(w, w->measure, NULL, 0, &w->balance);
}

/* --- the table of subjects --------------------------------------------- */

/* Is it known who is in charge of what? Where it is not nobody is missing. */
static bool is_manned(const struct om__workload *w)
{
    return w->patrol.duty.workers.layer != NULL;
}

static const char *class_of(const struct om__workload *w,
                            const struct om__subject *s)
{
    if (s->few || !is_manned(w)) return NULL;
    if (!s->workers) return "unmanned";
    if (!s->rank) return NULL;
    if (s->rank <= w->marked) return "most";
    return s->rank + w->marked > w->balance.balance.n ? "least" : NULL;
}

/* Is something of it not told? */
static bool is_hidden(const struct om__workload *w, const struct om__subject *s)
{
    return s->few || !is_manned(w) || (s->workers && !isfinite(s->load));
}

static void put_words(struct om__workload *w, const struct om__subject *s)
{
    char title[4 * OM_LIMIT_NAME_BYTES];
    const char *measure = w->work.column[w->measure].name;
    om__workload_title(w, w->measure, title, sizeof title);
    const double ratio = s->load / w->balance.per_worker;
    om_buf_clear(&w->text_en);
    om_buf_clear(&w->text);
    if (!is_manned(w)) {
        om_buf_addf(&w->text_en, "%s: workers are not known",
                    om__subject_called(s));
        om_buf_addf(&w->text, "%s:网格管理员情况未知", om__subject_called(s));
        return;
    }
    if (is_hidden(w, s)) {
        om_buf_addf(&w->text_en, "%s: too few %sto be told",
                    om__subject_called(s), s->few ? "workers " : "");
        om_buf_addf(&w->text, "%s:%s过少,不予显示", om__subject_called(s),
                    s->few ? "网格管理员人数" : "数量");
        return;
    }
    if (!s->workers) {
        om_buf_addf(&w->text_en, "%s has no worker", om__subject_called(s));
        om_buf_addf(&w->text, "%s 没有网格管理员", om__subject_called(s));
        return;
    }
    om_buf_addf(&w->text_en, "%s: %.1f %s a worker", om__subject_called(s),
                s->load, measure);
    om_buf_addf(&w->text, "%s:人均%s %.1f", om__subject_called(s), title,
                s->load);
    if (!isfinite(ratio)) return;
    om_buf_addf(&w->text_en, ", %.2f times the city's %.1f", ratio,
                w->balance.per_worker);
    om_buf_addf(&w->text, ",为全市人均 %.1f 的 %.2f 倍", w->balance.per_worker,
                ratio);
}

static void put_figure(struct om_table *t, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        om_table_integer(t, (int64_t)value);
    else
        om_table_real(t, value);
}

static void put_subject(struct om__workload *w, struct om_table *t,
                        const struct om__subject *s)
{
    if (!s->unit && !w->figures.rows)
        om_table_shape(t, &w->units.rings, w->units.unit[s->in].row);
    put_words(w, s);
    om_table_word(t, s->id);
    om_table_word(t, s->name);
    om_table_word(t, s->unit);
    if (s->few || !is_manned(w))
        om_table_null(t);
    else
        om_table_integer(t, (int64_t)s->workers);
    for (size_t c = 0; c < w->work.columns; c++)
        put_figure(t, figure_of(w, c, s));
    om_table_real(t, s->few || !is_manned(w) ? NAN
                     : w->figures.rows       ? w->norm
                                             : w->norm * (double)s->workers);
    om_table_real(t, s->load);
    om_table_real(t, s->load / w->balance.per_worker);
    if (s->rank)
        om_table_integer(t, s->rank);
    else
        om_table_null(t);
    om_table_word(t, class_of(w, s));
    om_table_text(t, (const char *)w->text.bytes, w->text.len);
    om_table_text(t, (const char *)w->text_en.bytes, w->text_en.len);
    if (w->patrol.veil.least) om_table_truth(t, is_hidden(w, s));
}

static size_t list_columns(const struct om__workload *w,
                           struct om_table_column *out)
{
    static const struct om_table_column head[HEAD] = {
        {"id", OM_TYPE_TEXT},
        {"name", OM_TYPE_TEXT},
        {"unit", OM_TYPE_TEXT},
        {"workers", OM_TYPE_INTEGER}};
    static const struct om_table_column tail[TAIL] = {
        {"checks_norm", OM_TYPE_REAL}, {"value", OM_TYPE_REAL},
        {"ratio", OM_TYPE_REAL},       {"rank", OM_TYPE_INTEGER},
        {"class", OM_TYPE_TEXT},       {"text", OM_TYPE_TEXT},
        {"text_en", OM_TYPE_TEXT}};
    size_t n = HEAD;
    memcpy(out, head, sizeof head);
    for (size_t c = 0; c < w->work.columns; c++)
        out[n++] =
            (struct om_table_column){w->work.column[c].name, OM_TYPE_REAL};
    memcpy(out + n, tail, sizeof tail);
    n += TAIL;
    if (w->patrol.veil.least)
        out[n++] = (struct om_table_column){"hidden", OM_TYPE_BOOLEAN};
    return n;
}

static void add_balance(struct om_buf *out, const char *name,
                        const struct om__spread *spread, bool first)
{
    const struct om_balance *b = &spread->balance;
    om_buf_add_text(out, first ? "" : ",");
    om_buf_add_json_text(out, name, strlen(name));
    om_buf_addf(out, ":{\"count\":%zu,\"per_worker\":", b->n);
    om_buf_add_json_real(out, spread->per_worker);
    om_buf_add_text(out, ",\"mean\":");
    om_buf_add_json_real(out, b->mean);
    om_buf_add_text(out, ",\"gini\":");
    om_buf_add_json_real(out, b->gini);
    om_buf_add_text(out, ",\"max_over_mean\":");
    om_buf_add_json_real(out, b->max_over_mean);
    om_buf_add_byte(out, '}');
}

static void add_persons(const struct om__workload *w, const char *name,
                        uint64_t n, struct om_buf *out)
{
    if (!is_manned(w) ||
        (w->patrol.veil.persons && om__veil_few(&w->patrol.veil, (double)n)))
        om_buf_addf(out, ",\"%s\":null", name);
    else
        om_buf_addf(out, ",\"%s\":%llu", name, (unsigned long long)n);
}

static om_status put_members(struct om__workload *w, struct om_buf *out)
{
    char from[OM_TIME_TEXT_BYTES], to[OM_TIME_TEXT_BYTES];
    const int32_t zone_s = w->question->snapshot->manifest->zone_s;
    om_time_format(w->spec.from_s, zone_s, from);
    om_time_format(w->spec.to_s, zone_s, to);
    uint64_t unmanned = 0;
    for (size_t i = 0; i < w->subjects; i++)
        unmanned += !w->subject[i].workers && !w->subject[i].few;
    om_buf_addf(out,
                "\"from\":\"%s\",\"to\":\"%s\",\"measure\":\"%s\","
                "\"unmanned\":",
                from, to, w->work.column[w->measure].name);
    if (is_manned(w))
        om_buf_addf(out, "%llu", (unsigned long long)unmanned);
    else
        om_buf_add_text(out, "null");
    add_persons(w, "workers_without_unit", w->work.without, out);
    add_persons(w, "workers_of_no_such_unit", w->work.lost, out);
    om_buf_add_text(out, ",\"balance\":{");
    bool first = true;
    for (size_t c = 0; c < w->work.columns; c++) {
        struct om__spread b;
        if (!w->work.column[c].burden) continue;
        OM_TRY(om__workload_balance(w, c, NULL, 0, &b));
        add_balance(out, w->work.column[c].name, &b, first);
        first = false;
    }
    om_buf_add_byte(out, '}');
    return om_buf_add_byte(out, 0);
}

static om_status write_subjects(struct om__workload *w)
{
    struct om_table_column column[COLUMNS_MOST];
    const struct om__subject **order;
    struct om_table *table = NULL;
    struct om_buf members = {0};
    const bool sorted = om__coverage_flag(w->question, "sorted");
    om_status st = rank_subjects(w, &order);
    if (!st) st = put_members(w, &members);
    if (!st)
        st = om__coverage_table(w->question, column, list_columns(w, column),
                                (const char *)members.bytes, &table);
    for (size_t i = 0; i < w->subjects && !st; i++) {
        if (w->figures.rows && !om__coverage_tell(w->question)) break;
        put_subject(w, table, sorted ? order[i] : &w->subject[i]);
    }
    if (!st) st = w->text_en.status ? w->text_en.status : w->text.status;
    if (!st) st = om_table_end(table, NULL);
    om_table_free(table);
    om_buf_deinit(&members);
    return st;
}

/* --- the question ------------------------------------------------------ */

static om_status find_measure(struct om__workload *w)
{
    const char *name = om__coverage_text(w->question, "measure");
    const struct om_workload_column *c =
        om_workload_find(&w->work, name ? name : MEASURE_DEFAULT);
    if (!c && !name && w->work.columns) c = &w->work.column[0];
    if (c) {
        w->measure = (size_t)(c - w->work.column);
        return OM_OK;
    }
    if (!name)
        return om_duty_lacks("loads", "what work there is in a unit",
                             &w->question->err);
    char known[OM_ERR_TEXT_BYTES / 2] = "";
    for (size_t i = 0; i < w->work.columns; i++) {
        const size_t len = strlen(known);
        if (!w->work.column[i].burden) continue;
        snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "",
                 w->work.column[i].name);
    }
    return om__coverage_bad(w->question, "measure", OM_E_FORMAT,
                            "'%.40s' is none of %s", name, known);
}

/* Months that [from, to) touches. Checks are totals of months, so the norm
 * that they are held against is of whole months too, also of the running one.
 */
static double months_begun(int64_t from_s, int64_t to_s, int32_t zone_s)
{
    double months = 0;
    for (int64_t at = from_s; at < to_s; at = om_month_of(at, zone_s).end_s)
        months++;
    return months;
}

/* Workers are in charge of units of one level: the level asked for, or one
 * that lies in it. */
static om_status read_levels(struct om__workload *w, const char *level,
                             bool by_worker)
{
    struct om_coverage *q = w->question;
    const struct om_manifest *m = q->snapshot->manifest;
    const struct om_duty_workers *workers = &w->patrol.duty.workers;
    const char *theirs = workers->layer ? workers->level : level;
    size_t asked = 0, charge = 0;
    if (by_worker) level = theirs;
    for (size_t i = 0; i < m->levels; i++) {
        if (!strcmp(m->level[i], level)) asked = i;
        if (!strcmp(m->level[i], theirs)) charge = i;
    }
    if (charge > asked)
        return om__coverage_bad(q, "by", OM_E_FORMAT,
                                "workers are in charge of units of level %s; "
                                "%s is a finer one",
                                theirs, level);
    OM_TRY(om_units_read(q->snapshot, level, &w->units, &q->err));
    return om_units_read(q->snapshot, theirs, &w->worker_units, &q->err);
}

static om_status gather(struct om__workload *w, bool by_worker)
{
    struct om_coverage *q = w->question;
    const struct om_patrol_spec *patrol = &w->patrol.spec;
    const struct om_duty *duty = &w->patrol.duty;
    const bool visits = duty->targets && duty->visits.layer;
    uint64_t marked = MARKED_DEFAULT;
    OM_TRY(om__coverage_whole(q, "mark", 0, UINT32_MAX, &marked));
    w->marked = (size_t)marked;
    if (visits)
        OM_TRY(
            om_patrol_add_up(patrol, &w->patrol.patrol, &w->units, &w->sums));
    w->spec = (struct om_workload_spec){.snapshot = q->snapshot,
                                        .cache = q->selections,
                                        .duty = duty,
                                        .units = &w->units,
                                        .worker_units = &w->worker_units,
                                        .sums = visits ? &w->sums : NULL,
                                        .from_s = patrol->from_s,
                                        .to_s = patrol->to_s};
    if (patrol->at_s < w->spec.to_s) w->spec.to_s = patrol->at_s;
    if (w->spec.to_s < w->spec.from_s) w->spec.to_s = w->spec.from_s;
    w->norm = duty->checks.norm * months_begun(w->spec.from_s, w->spec.to_s,
                                               q->snapshot->manifest->zone_s);
    OM_TRY(om_workload_count(&w->spec, &w->work, &q->err));
    OM_TRY(find_measure(w));
    OM_TRY(om__workload_hide(w));
    return by_worker ? list_workers(w) : list_units(w);
}

om_status om__coverage_workload(struct om_coverage *q)
{
    const char *level, *by = om__coverage_text(q, "by");
    const bool by_worker = by && !strcmp(by, "worker");
    if (by_worker)
        level = q->snapshot->manifest->levels ? q->snapshot->manifest->level[0]
                                              : "";
    else
        OM_TRY(om__coverage_level(q, &level));
    struct om__workload *w = om_calloc(1, sizeof *w);
    if (!w) return OM_E_MEMORY;
    w->question = q;
    om_status st = om__patrol_open_any(q, true, &w->patrol);
    if (!st && !by_worker) st = om__veil_level(q, &w->patrol.veil, &level);
    if (!st) st = read_levels(w, level, by_worker);
    if (!st) st = gather(w, by_worker);
    if (!st)
        st = om__coverage_flag(q, "balance") ? om__workload_write_balances(w)
                                             : write_subjects(w);
    om_worker_figures_deinit(&w->figures);
    om_workload_deinit(&w->work);
    om_patrol_sums_deinit(&w->sums);
    om_units_deinit(&w->units);
    om_units_deinit(&w->worker_units);
    om__patrol_close(&w->patrol);
    om_arena_deinit(&w->arena);
    om_buf_deinit(&w->text_en);
    om_buf_deinit(&w->text);
    om_free(w);
    return st;
}
