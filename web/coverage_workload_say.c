// coverage_workload_say.c - balances as a table, and what columns are called.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "web/coverage_workload.h"

const char *om__subject_called(const struct om__subject *s)
{
    if (s->unit) return s->id;
    return s->name && *s->name ? s->name : s->id;
}

void om__workload_title(const struct om__workload *w, size_t column, char *out,
                        size_t room)
{
    static const char *const OURS[][2] = {{"owed", "应巡"},
                                          {"due", "到期应巡"},
                                          {"done", "已巡"},
                                          {"reports", "上报"},
                                          {"checks", "核查"}};
    const char *name = w->work.column[column].name;
    const struct om_duty *duty = &w->patrol.duty;
    snprintf(out, room, "%s", name);
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (!strcmp(OURS[i][0], name)) snprintf(out, room, "%s", OURS[i][1]);
    for (size_t i = 0; i < duty->loads; i++)
        if (duty->load[i].title && !strcmp(duty->load[i].name, name))
            snprintf(out, room, "%s", duty->load[i].title);
    for (size_t t = 0; t < duty->targets; t++) {
        const struct om_layer *layer = duty->target[t].layer;
        const size_t len = strlen(layer->name);
        if (!layer->meta->title[0] || strncmp(layer->name, name, len) != 0 ||
            (name[len] && name[len] != '_'))
            continue;
        snprintf(out, room, "%s%s%s", layer->meta->title, name[len] ? " " : "",
                 name[len] ? name + len + 1 : "");
    }
}

/* --- the table of balances --------------------------------------------- */

static const struct om_table_column BALANCE[] = {
    {"id", OM_TYPE_TEXT},       {"name", OM_TYPE_TEXT},
    {"level", OM_TYPE_TEXT},    {"measure", OM_TYPE_TEXT},
    {"count", OM_TYPE_INTEGER}, {"sum", OM_TYPE_REAL},
    {"value", OM_TYPE_REAL},    {"per_worker", OM_TYPE_REAL},
    {"gini", OM_TYPE_REAL},     {"max_over_mean", OM_TYPE_REAL},
    {"most", OM_TYPE_TEXT},     {"least", OM_TYPE_TEXT},
    {"text", OM_TYPE_TEXT},     {"text_en", OM_TYPE_TEXT}};

static void put_balance(struct om__workload *w, struct om_table *t,
                        const struct om_unit *unit, const char *level,
                        size_t column, const struct om__spread *spread)
{
    const struct om_balance *b = &spread->balance;
    char title[4 * OM_LIMIT_NAME_BYTES];
    om__workload_title(w, column, title, sizeof title);
    const char *measure = w->work.column[column].name;
    const char *name =
        unit ? unit->name : w->question->snapshot->manifest->name;
    const struct om__subject *most = b->n ? &w->subject[b->most] : NULL;
    const struct om__subject *least = b->n ? &w->subject[b->least] : NULL;
    om_buf_clear(&w->text_en);
    om_buf_clear(&w->text);
    const char *kind = w->figures.rows ? "worker" : "unit";
    const double mean = spread->per_worker;
    const double times = b->max_over_mean * b->mean / mean;
    if (isfinite(b->gini)) {
        om_buf_addf(&w->text_en,
                    "%s, %s a worker: Gini %.3f over %zu %s%s, each counted "
                    "once; the most loaded (%s) bears %.2f times the mean of "
                    "all workers, %.1f",
                    name, measure, b->gini, b->n, kind, om__plural(b->n),
                    om__subject_called(most), times, mean);
        om_buf_addf(&w->text,
                    "%s 人均%s:基尼系数 %.3f(%zu %s,不加权),最重(%s)为全员人均 "
                    "%.1f 的 %.2f 倍",
                    name, title, b->gini, b->n,
                    w->figures.rows ? "人" : "个单元", om__subject_called(most),
                    mean, times);
    }
    om_table_word(t, unit ? unit->id : NULL);
    om_table_word(t, name);
    om_table_word(t, level);
    om_table_word(t, measure);
    om_table_integer(t, (int64_t)b->n);
    om_table_real(t, b->sum);
    om_table_real(t, b->mean);
    om_table_real(t, spread->per_worker);
    om_table_real(t, b->gini);
    om_table_real(t, b->max_over_mean);
    om_table_word(t, most ? most->id : NULL);
    om_table_word(t, least ? least->id : NULL);
    om_table_text(t, (const char *)w->text.bytes, w->text.len);
    om_table_text(t, (const char *)w->text_en.bytes, w->text_en.len);
}

static om_status put_balances(struct om__workload *w, struct om_table *t,
                              const struct om_units *upper, const uint32_t *in)
{
    for (size_t g = 0; g < (upper ? upper->count : 1); g++)
        for (size_t c = 0; c < w->work.columns; c++) {
            struct om__spread b;
            if (!w->work.column[c].burden) continue;
            OM_TRY(
                om__workload_balance(w, c, upper ? in : NULL, (uint32_t)g, &b));
            if (upper) om_table_shape(t, &upper->rings, upper->unit[g].row);
            put_balance(w, t, upper ? &upper->unit[g] : NULL,
                        upper ? upper->level : "city", c, &b);
        }
    return OM_OK;
}

om_status om__workload_write_balances(struct om__workload *w)
{
    const struct om_manifest *m = w->question->snapshot->manifest;
    struct om_units upper = {0};
    struct om_table *table = NULL;
    uint32_t *in = om_arena_calloc(&w->arena, w->units.count + 1, sizeof *in);
    if (!in) return OM_E_MEMORY;
    const char *top = m->level[m->levels - 1];
    const bool larger = strcmp(top, w->units.level) != 0;
    om_status st = OM_OK;
    if (larger)
        st = om_units_read(w->spec.snapshot, top, &upper, &w->question->err);
    if (!st && larger) st = om_units_parents(&w->units, &upper, in);
    if (!st)
        st = om__coverage_table(w->question, BALANCE,
                                sizeof BALANCE / sizeof *BALANCE, NULL, &table);
    if (!st) st = put_balances(w, table, NULL, NULL);
    if (!st && larger) st = put_balances(w, table, &upper, in);
    if (!st) st = w->text_en.status ? w->text_en.status : w->text.status;
    if (!st) st = om_table_end(table, NULL);
    om_table_free(table);
    om_units_deinit(&upper);
    return st;
}
