// backtest.c - one model's back-test, from its options.
#include "web/backtest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"

/* What an officer can walk in an hour: finer cells would let the best possible
 * map catch every event, and PEI would be the hit rate. */
#define CELL_DEFAULT_M 500.0
#define CELL_LEAST_M 1.0
#define CELL_MOST_M 20000.0
/* Terms of a model, or one layer. */
#define EVENTS_MOST OM_MODEL_TERMS_MOST

struct run {
    const struct om_heat_world *world;
    struct om_models *models;
    const struct om_risk_ask *ask;
    const struct om_backtest_ask *how;
    const char **option;
    struct om_err *err;
    struct om_window train, test;
    double cell_m;
};

static om_status bad(struct run *r, const char *option, om_status st,
                     const char *text)
{
    if (r->option) *r->option = option;
    return om_fail(r->err, st, 0, "%s", text);
}

static om_status read_period(struct run *r, const char *option,
                             const char *text, struct om_window *out)
{
    const int32_t zone_s = r->world->snapshot->manifest->zone_s;
    if (!text || om_time_parse_interval(text, strlen(text), zone_s,
                                        &out->from_s, &out->to_s))
        return bad(r, option, OM_E_FORMAT,
                   "is not FROM/TO, each a date or time "
                   "(2023-01-01/2023-05-31), or a month");
    if (out->to_s == INT64_MAX) return bad(r, option, OM_E_RANGE, "has no end");
    out->set = true;
    return OM_OK;
}

static om_status read_how(struct run *r)
{
    OM_TRY(read_period(r, "train", r->how->train, &r->train));
    OM_TRY(read_period(r, "test", r->how->test, &r->test));
    if (r->test.from_s < r->train.to_s)
        return bad(r, "test", OM_E_RANGE,
                   "begins before the end of --train: the model would know "
                   "what it is to foresee");
    if (r->how->where && !r->how->layer)
        return bad(r, "where", OM_E_FORMAT, "needs --layer: of what?");
    r->cell_m = CELL_DEFAULT_M;
    if (!r->how->cell) return OM_OK;
    char *end;
    r->cell_m = strtod(r->how->cell, &end);
    if (end == r->how->cell || *end || !(r->cell_m >= CELL_LEAST_M) ||
        !(r->cell_m <= CELL_MOST_M))
        return bad(r, "cell", OM_E_RANGE, "is not metres, 1 to 20000");
    return OM_OK;
}

/* An ask with a period put in; the texts live as long as `text`. */
static struct om_risk_ask ask_in(const struct run *r,
                                 const struct om_window *window,
                                 char text[2 * OM_TIME_TEXT_BYTES])
{
    struct om_risk_ask ask = *r->ask;
    char from[OM_TIME_TEXT_BYTES], to[OM_TIME_TEXT_BYTES];
    om_time_format(window->to_s, 0, to);
    if (window->from_s == INT64_MIN)
        snprintf(from, sizeof from, "..");
    else
        om_time_format(window->from_s, 0, from);
    snprintf(text, 2 * OM_TIME_TEXT_BYTES, "%s/%s", from, to);
    ask.datetime = text;
    return ask;
}

/* The map as it was at the end of the training period. */
static om_status bind_train(struct run *r, struct om_risk_bound **out)
{
    char text[2 * OM_TIME_TEXT_BYTES], at[OM_TIME_TEXT_BYTES];
    struct om_risk_ask ask = ask_in(r, &r->train, text);
    om_time_format(r->train.to_s, 0, at);
    ask.at = at;
    OM_TRY(om_risk_bind(r->world->snapshot, r->models, &ask, out, r->option,
                        r->err));
    return om_risk_ready(*out, r->world->selections, r->world->fields);
}

/* The rows of the test period. Those of a model are its terms', whatever has
 * become of them since: a case that is closed by now was an event. */
static om_status bind_test(struct run *r, struct om_risk_bound **out)
{
    char text[2 * OM_TIME_TEXT_BYTES], at[OM_TIME_TEXT_BYTES];
    struct om_risk_ask ask = ask_in(r, &r->test, text);
    ask.per = "area";
    om_time_format(r->test.to_s, 0, at);
    ask.at = at;
    if (r->how->layer)
        ask = (struct om_risk_ask){
            .name = r->how->layer, .filter = r->how->where, .datetime = text};
    if (r->how->layer &&
        !om_snapshot_layer(r->world->snapshot, r->how->layer)) {
        if (om_snapshot_lacks(r->world->snapshot, r->how->layer, r->err) ==
            OM_E_WITHHELD)
            return OM_E_WITHHELD;
        return bad(r, "layer", OM_E_NOTFOUND, "there is no such layer");
    }
    const char *option = NULL;
    const om_status st =
        om_risk_bind(r->world->snapshot, r->models, &ask, out, &option, r->err);
    if (st && r->option)
        *r->option = option && !strcmp(option, "filter") ? "where" : option;
    if (st) return st;
    return om_risk_ready(*out, r->world->selections, r->world->fields);
}

static size_t list_events(const struct om_risk_bound *bound,
                          struct om_backtest_events event[EVENTS_MOST])
{
    size_t n = 0;
    for (size_t i = 0; i < bound->risk.terms; i++) {
        const struct om_field_spec *spec = &bound->risk.term[i].spec;
        if (spec->layer->schema.time_field == OM_NO_FIELD) continue;
        event[n++] = (struct om_backtest_events){spec->layer, spec->selection};
    }
    return n;
}

/* Does any dated term hold a row of the training period? What has no time is
 * not trained on. */
static om_status check_trained(struct run *r, const struct om_risk_bound *train)
{
    bool dated = false;
    for (size_t i = 0; i < train->risk.terms; i++) {
        const struct om_field_spec *spec = &train->risk.term[i].spec;
        if (spec->layer->schema.time_field == OM_NO_FIELD) continue;
        dated = true;
        if (spec->selection->count) return OM_OK;
    }
    return dated ? bad(r, "train", OM_E_NOTFOUND,
                       "holds no row of any term: there is nothing to learn "
                       "from")
                 : OM_OK;
}

static om_status score(struct run *r, struct om_legend_test *out)
{
    struct om_risk_bound *train = NULL, *test = NULL;
    om_status st = bind_train(r, &train);
    if (!st) st = check_trained(r, train);
    if (!st) st = bind_test(r, &test);
    if (!st) {
        struct om_backtest_events event[EVENTS_MOST];
        const size_t events = list_events(test, event);
        const unsigned zoom = om_risk_zoom(&train->risk, r->cell_m);
        st = om_backtest_run(r->world->fields, &train->risk, r->world->region,
                             zoom, event, events, &out->result);
    }
    om_risk_bound_free(test);
    om_risk_bound_free(train);
    if (st == OM_E_NOTFOUND && !(r->err && r->err->text[0]))
        om_fail(r->err, st, 0,
                "nothing to score: no event of the test period lies where "
                "the model says anything");
    if (st == OM_E_COST && !(r->err && r->err->text[0]))
        om_fail(r->err, st, 0, "too many cells to rank (give a larger --cell)");
    return st;
}

om_status om_backtest_model(const struct om_heat_world *world,
                            struct om_models *models,
                            const struct om_risk_ask *ask,
                            const struct om_backtest_ask *how,
                            struct om_legend_test *out, const char **option,
                            struct om_err *err)
{
    struct run r = {.world = world,
                    .models = models,
                    .ask = ask,
                    .how = how,
                    .option = option,
                    .err = err};
    if (option) *option = NULL;
    OM_TRY(read_how(&r));
    *out = (struct om_legend_test){.train = r.train, .test = r.test};
    return score(&r, out);
}
