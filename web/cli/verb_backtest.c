// verb_backtest.c - onemap backtest: was the map right?
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/log.h"
#include "web/backtest.h"
#include "web/cli/heat.h"
#include "web/table.h"

struct task {
    struct om__heat heat;
    struct om_risk_ask ask;
    struct om_backtest_ask how;
    const char *format_text, *out;
    enum om_table_format format;
    struct om_table_file *file;
    struct om_table *table;
};

static const struct om_table_column COLUMN[] = {
    {"id", OM_TYPE_TEXT},
    {"name", OM_TYPE_TEXT},
    {"share", OM_TYPE_REAL},
    {"area_km2", OM_TYPE_REAL},
    {"count", OM_TYPE_REAL},
    {"hit_rate", OM_TYPE_REAL},
    {"pai", OM_TYPE_REAL},
    {"pei", OM_TYPE_REAL},
    {"exposure_share", OM_TYPE_REAL},
    {"from", OM_TYPE_REAL},
    {"events", OM_TYPE_INTEGER},
    {"outside", OM_TYPE_INTEGER},
    {"of_km2", OM_TYPE_REAL},
    {"unknown_km2", OM_TYPE_REAL},
    {"cell_m", OM_TYPE_REAL},
};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)

static void put_rows(struct task *t, const struct om_risk_bound *bound,
                     const struct om_backtest *b)
{
    const struct om_model *m = bound->model;
    for (size_t i = 0; i < OM_BACKTEST_SHARES; i++) {
        const struct om_backtest_red *red = &b->red[i];
        om_table_word(t->table, bound->name);
        om_table_word(t->table, m && m->title ? m->title : bound->name);
        om_table_real(t->table, red->share);
        om_table_real(t->table, red->area_km2);
        om_table_real(t->table, red->events);
        om_table_real(t->table, red->hit_rate);
        om_table_real(t->table, red->pai);
        om_table_real(t->table, red->pei);
        om_table_real(t->table, red->exposure_share);
        om_table_real(t->table, red->from);
        om_table_integer(t->table, (int64_t)b->events);
        om_table_integer(t->table, (int64_t)b->outside);
        om_table_real(t->table, b->area_km2);
        om_table_real(t->table, b->unknown_km2);
        om_table_real(t->table, b->cell_m);
    }
}

static int wrong(struct task *t, const char *option, om_status st)
{
    if (!option) return om__heat_fail(&t->heat, st);
    return om__verb_usage("backtest", "--%s: %s", option, t->heat.err.text);
}

/* Test one model, print it, and keep the result beside its legend. */
static int test_one(struct task *t, const char *name)
{
    struct om__heat *h = &t->heat;
    struct om_legend_test test;
    struct om_risk_bound *bound = NULL;
    const char *option;
    t->ask.name = name;
    const double start = om_seconds();
    int status = om__heat_bind(h, &t->ask, &bound);
    if (status) return status;
    const om_status st = om_backtest_model(&h->world, h->models, &t->ask,
                                           &t->how, &test, &option, &h->err);
    if (st) {
        status = wrong(t, option, st);
    } else {
        put_rows(t, bound, &test.result);
        om_progress_done(name, test.result.events, om_seconds() - start);
        // Of events of one's own choice nothing is kept: it would not be the
        // model's.
        const bool keep = bound->model && bound->standard && !t->how.layer;
        if (keep && om_legends_test_put(h->legends, bound,
                                        h->world.snapshot->manifest->zone_s,
                                        &test, &h->err))
            om_log(OM_LOG_WARN, "backtest", "the result is not kept: %s",
                   h->err.text);
        h->err = (struct om_err){0};
    }
    om_risk_bound_free(bound);
    return status;
}

static int test_all(struct task *t, const char *name)
{
    const struct om_models *models = t->heat.models;
    if (strcmp(name, "all") != 0 || om_models_find(models, name))
        return test_one(t, name);
    int worst = OM_EXIT_DONE;
    if (models->count == 0) {
        om_fail(&t->heat.err, OM_E_NOTFOUND, 0, "the city has no models");
        return om__verb_fail("backtest", &t->heat.err);
    }
    // One that cannot be tested does not keep the others from it.
    for (size_t i = 0; i < models->count; i++) {
        const int status = test_one(t, models->entry[i].name);
        if (status == OM_EXIT_USAGE) return status;
        if (status) worst = status;
        t->heat.err = (struct om_err){0};
    }
    return worst;
}

static int run(struct task *t, const char *name)
{
    struct om__heat *h = &t->heat;
    int status = om__heat_open(h);
    if (status) return status;
    om_status st = om_table_file_new(t->out, &t->file, &h->err);
    if (!st)
        st = om_table_begin(t->format, COLUMN, COLUMNS,
                            h->world.snapshot->manifest->zone_s, NULL,
                            om_table_file_take, t->file, &t->table);
    if (st) return om__heat_fail(h, st);
    status = test_all(t, name);
    if (status == OM_EXIT_USAGE || om_table_rows(t->table) == 0) return status;
    st = om_table_end(t->table, NULL);
    if (!st) st = om_table_file_commit(t->file, &h->err);
    return st ? om__heat_fail(h, st) : status;
}

int om__verb_backtest(int argc, char **argv)
{
    struct task t = {0};
    const struct om_option option[] = {
        {"--train", &t.how.train, NULL},
        {"--test", &t.how.test, NULL},
        {"--cell", &t.how.cell, NULL},
        {"--layer", &t.how.layer, NULL},
        {"--where", &t.how.where, NULL},
        {"--kernel", &t.ask.kernel, NULL},
        {"--bandwidth", &t.ask.bandwidth, NULL},
        {"--half-life", &t.ask.halflife, NULL},
        {"--weight", &t.ask.weight, NULL},
        {"--per", &t.ask.per, NULL},
        {"--format", &t.format_text, NULL},
        {"--out", &t.out, NULL},
    };
    const char *operand[2];
    size_t operands;
    bool help;
    const int bad = om__options_read("backtest", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 2 || !t.how.train || !t.how.test)
        return om__verb_usage("backtest",
                              "needs CITY, MODEL (or all), --train FROM/TO "
                              "and --test FROM/TO");
    if (t.format_text && !om_table_format_from_name(t.format_text, &t.format))
        return om__verb_usage("backtest", "--format: '%s' is not csv or json",
                              t.format_text);
    t.heat = (struct om__heat){.verb = "backtest", .city_path = operand[0]};
    const int status = run(&t, operand[1]);
    om_table_free(t.table);
    om_table_file_free(t.file);
    om__heat_close(&t.heat);
    return status;
}
