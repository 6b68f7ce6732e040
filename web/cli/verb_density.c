// verb_density.c - onemap density: a field over the whole city as a GeoTIFF.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/log.h"
#include "engine/query/query.h"
#include "web/cli/question.h"
#include "web/density.h"

#define VERB "density"
/* Of what fields keep while one raster is made. */
#define CACHE_BYTES ((size_t)1 << 30)

/* The command line as it was typed. */
struct words {
    const char *where, *time, *at, *kernel, *bandwidth, *half_life, *weight,
        *per, *cell, *crs, *bbox, *out;
};

struct task {
    const struct words *words;
    struct om__question ask;  // city and snapshot
    struct om_models *models;
    struct om_risk_bound *bound;
    struct om_fields *fields;
    struct om_density_shape shape;
};

/* Options of an ask and those that say the same here. */
static const char *flag_of(const char *option)
{
    if (!strcmp(option, "filter")) return "where";
    if (!strcmp(option, "datetime")) return "time";
    if (!strcmp(option, "halflife")) return "half-life";
    return option;
}

/* A message of an option, which mostly begins with its name. */
static int wrong(const char *option, const struct om_err *err)
{
    const size_t n = strlen(option);
    const char *text = err->text;
    if (!strncmp(text, option, n) && (text[n] == ':' || text[n] == ' '))
        return om__verb_usage(VERB, "--%s%s", flag_of(option), text + n);
    return om__verb_usage(VERB, "--%s: %s", flag_of(option), text);
}

static int bind(struct task *t, const char *name, const char *bandwidth)
{
    const struct words *w = t->words;
    const char *option = NULL;
    const struct om_risk_ask ask = {.name = name,
                                    .filter = w->where,
                                    .datetime = w->time,
                                    .at = w->at,
                                    .kernel = w->kernel,
                                    .bandwidth = bandwidth,
                                    .halflife = w->half_life,
                                    .weight = w->weight,
                                    .per = w->per};
    om_risk_bound_free(t->bound);
    t->bound = NULL;
    om_status st = om_risk_bind(t->ask.snapshot, t->models, &ask, &t->bound,
                                &option, &t->ask.err);
    if (st && option) return wrong(option, &t->ask.err);
    if (!st) st = om_risk_ready(t->bound, NULL, t->fields);
    return st ? om__question_fail(&t->ask, st) : OM_EXIT_DONE;
}

/* --bandwidth silverman: the rule's own number, and bound again with it. */
static int bind_by_rule(struct task *t, const char *name)
{
    const int status = bind(t, name, NULL);
    if (status) return status;
    if (t->bound->risk.terms > 1)
        return om__verb_usage(VERB,
                              "--bandwidth: silverman is for one layer, and %s "
                              "has %zu terms (give metres)",
                              name, t->bound->risk.terms);
    double m = 0.0;
    const om_status st = om_field_bandwidth(&t->bound->risk.term[0].spec, &m);
    const char *why = st == OM_E_NOTFOUND ? "no row weighs anything"
                      : st == OM_E_RANGE
                          ? "all rows are in one place, or a weight is below 0"
                          : NULL;
    if (why)
        return om__verb_usage(
            VERB,
            "--bandwidth: silverman's rule says nothing: %s (give metres)",
            why);
    if (st) return om__question_fail(&t->ask, st);
    char text[40];
    snprintf(text, sizeof text, "%.3f", m);
    om_log(OM_LOG_INFO, VERB, "bandwidth by Silverman's rule: %s m", text);
    if (!(m >= OM_BANDWIDTH_MIN_M && m <= OM_BANDWIDTH_MAX_M))
        return om__verb_usage(VERB,
                              "--bandwidth: silverman's rule says %s m, which "
                              "is not in [%g, %g] (give metres)",
                              text, OM_BANDWIDTH_MIN_M, OM_BANDWIDTH_MAX_M);
    return bind(t, name, text);
}

static int read_box(struct task *t)
{
    const char *at = t->words->bbox;
    double d[4];
    for (int i = 0; i < 4; i++) {
        char *end;
        d[i] = strtod(at, &end);
        if (end == at || *end != (i < 3 ? ',' : '\0'))
            return om__verb_usage(VERB, "--bbox: '%s' is not W,S,E,N",
                                  t->words->bbox);
        at = end + 1;
    }
    struct om_place place;
    if (om_place_box(d[0], d[1], d[2], d[3], &place))
        return om__verb_usage(VERB,
                              "--bbox: '%s' is not a box west,south,east,north",
                              t->words->bbox);
    t->shape.boxed = true;
    t->shape.box = place.box;
    return OM_EXIT_DONE;
}

static int read_shape(struct task *t)
{
    const struct words *w = t->words;
    t->shape.crs = w->crs;
    t->shape.where = w->where;
    if (w->cell) {
        const int status =
            om__question_real(&t->ask, "--cell", w->cell, 0.01, 1e6,
                              "metres, 0.01 to 1000000", &t->shape.cell_m);
        if (status) return status;
    }
    return w->bbox ? read_box(t) : OM_EXIT_DONE;
}

static int run(struct task *t, const char *name)
{
    int status = read_shape(t);
    if (!status) status = om__question_open(&t->ask);
    if (status) return status;
    om_status st = om_models_read(t->ask.city_path, t->ask.snapshot, &t->models,
                                  &t->ask.err);
    if (!st) st = om_fields_new(CACHE_BYTES, &t->fields);
    if (st) return om__question_fail(&t->ask, st);
    const char *bandwidth = t->words->bandwidth;
    status = bandwidth && !strcmp(bandwidth, "silverman")
                 ? bind_by_rule(t, name)
                 : bind(t, name, bandwidth);
    if (status) return status;
    st = om_density_write(t->fields, t->ask.snapshot, t->bound, &t->shape,
                          t->words->out, &t->ask.err);
    if (!st) return OM_EXIT_DONE;
    // What the user can change is on the command line.
    if (t->ask.err.text[0] == '-')
        return om__verb_usage(VERB, "%s", t->ask.err.text);
    return om__question_fail(&t->ask, st);
}

int om__verb_density(int argc, char **argv)
{
    struct words w = {0};
    const struct om_option option[] = {
        {"--where", &w.where, NULL},
        {"--time", &w.time, NULL},
        {"--at", &w.at, NULL},
        {"--kernel", &w.kernel, NULL},
        {"--bandwidth", &w.bandwidth, NULL},
        {"--half-life", &w.half_life, NULL},
        {"--weight", &w.weight, NULL},
        {"--per", &w.per, NULL},
        {"--cell", &w.cell, NULL},
        {"--crs", &w.crs, NULL},
        {"--bbox", &w.bbox, NULL},
        {"--out", &w.out, NULL},
    };
    const char *operand[2];
    size_t operands;
    bool help;
    const int bad = om__options_read(VERB, argc, argv, option,
                                     sizeof option / sizeof *option, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 2 || !w.out)
        return om__verb_usage(VERB,
                              "needs CITY, MODEL or LAYER, and --out FILE.tif");
    struct task t = {.words = &w,
                     .ask = {.verb = VERB, .city_path = operand[0]}};
    const int status = run(&t, operand[1]);
    om_risk_bound_free(t.bound);
    om_models_unref(t.models);
    om_fields_free(t.fields);
    om__question_close(&t.ask);
    return status;
}
