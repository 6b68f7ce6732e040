// verb_density.c - onemap density: a field over the whole city as a GeoTIFF.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/log.h"
#include "engine/query/query.h"
#include "web/cli/heat.h"
#include "web/density.h"

#define VERB "density"
/* A finger's width to a continent. */
#define CELL_MIN_M 0.01
#define CELL_MAX_M 1e6

struct task {
    struct om_risk_ask ask;
    struct om__heat heat;
    struct om_risk_bound *bound;
    struct om_density_shape shape;
    const char *cell, *bbox, *out;
};

static int bind(struct task *t)
{
    om_risk_bound_free(t->bound);
    t->bound = NULL;
    const int status = om__heat_bind(&t->heat, &t->ask, &t->bound);
    if (status) return status;
    const om_status st = om_risk_ready(t->bound, t->heat.cache, t->heat.fields);
    return st ? om__heat_fail(&t->heat, st) : OM_EXIT_DONE;
}

static int no_rule(const char *why)
{
    return om__verb_usage(VERB, "--bandwidth: silverman %s (give metres)", why);
}

/* What Silverman's rule says of the layer that is bound. */
static int find_bandwidth(struct task *t, char *text, size_t room)
{
    char why[120];
    double m = 0.0;
    if (t->bound->risk.terms > 1) {
        snprintf(why, sizeof why, "is for one layer, and %s has %zu terms",
                 t->ask.name, t->bound->risk.terms);
        return no_rule(why);
    }
    const om_status st = om_field_bandwidth(&t->bound->risk.term[0].spec, &m);
    if (st == OM_E_NOTFOUND) return no_rule("says nothing: no row weighs");
    if (st == OM_E_RANGE)
        return no_rule(
            "says nothing: all rows are in one place, or a weight is below 0");
    if (st) return om__heat_fail(&t->heat, st);
    snprintf(text, room, "%.3f", m);
    om_log(OM_LOG_INFO, VERB, "bandwidth by Silverman's rule: %s m", text);
    if (m >= OM_BANDWIDTH_MIN_M && m <= OM_BANDWIDTH_MAX_M) return OM_EXIT_DONE;
    snprintf(why, sizeof why, "says %s m, which is not in [%g, %g]", text,
             OM_BANDWIDTH_MIN_M, OM_BANDWIDTH_MAX_M);
    return no_rule(why);
}

/* --bandwidth silverman: the rule's own number, and bound again with it. */
static int bind_by_rule(struct task *t)
{
    char text[40];
    t->ask.bandwidth = NULL;
    int status = bind(t);
    if (!status) status = find_bandwidth(t, text, sizeof text);
    if (status) return status;
    t->ask.bandwidth = text;
    status = bind(t);
    t->ask.bandwidth = NULL;
    return status;
}

static int read_box(struct task *t)
{
    const char *at = t->bbox;
    double d[4];
    for (int i = 0; i < 4; i++) {
        char *end;
        d[i] = strtod(at, &end);
        if (end == at || *end != (i < 3 ? ',' : '\0'))
            return om__verb_usage(VERB, "--bbox: '%s' is not W,S,E,N", t->bbox);
        at = end + 1;
    }
    struct om_place place;
    if (om_place_box(d[0], d[1], d[2], d[3], &place))
        return om__verb_usage(
            VERB, "--bbox: '%s' is not a box west,south,east,north", t->bbox);
    t->shape.boxed = true;
    t->shape.box = place.box;
    return OM_EXIT_DONE;
}

static int read_shape(struct task *t)
{
    t->shape.where = t->ask.filter;
    if (t->cell) {
        char *end;
        t->shape.cell_m = strtod(t->cell, &end);
        if (end == t->cell || *end || !(t->shape.cell_m >= CELL_MIN_M) ||
            !(t->shape.cell_m <= CELL_MAX_M))
            return om__verb_usage(VERB,
                                  "--cell: '%s' is not metres, %g to %.0f",
                                  t->cell, CELL_MIN_M, CELL_MAX_M);
    }
    return t->bbox ? read_box(t) : OM_EXIT_DONE;
}

static int run(struct task *t)
{
    int status = read_shape(t);
    if (!status) status = om__heat_open(&t->heat);
    if (status) return status;
    const char *bandwidth = t->ask.bandwidth;
    const bool rule = bandwidth && !strcmp(bandwidth, "silverman");
    status = rule ? bind_by_rule(t) : bind(t);
    if (status) return status;
    const om_status st =
        om_density_write(t->heat.fields, t->heat.world.snapshot, t->bound,
                         &t->shape, t->out, &t->heat.err);
    if (!st) return OM_EXIT_DONE;
    // What the user can change is on the command line.
    if (t->heat.err.text[0] == '-')
        return om__verb_usage(VERB, "%s", t->heat.err.text);
    return om__heat_fail(&t->heat, st);
}

int om__verb_density(int argc, char **argv)
{
    struct task t = {.heat.verb = VERB};
    const struct om_option option[] = {
        OM__HEAT_OPTIONS(t.ask),       {"--cell", &t.cell, NULL},
        {"--crs", &t.shape.crs, NULL}, {"--bbox", &t.bbox, NULL},
        {"--out", &t.out, NULL},
    };
    const char *operand[2];
    size_t operands;
    bool help;
    const int bad = om__options_read(VERB, argc, argv, option,
                                     sizeof option / sizeof *option, operand, 2,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 2 || !t.out)
        return om__verb_usage(VERB,
                              "needs CITY, MODEL or LAYER, and --out FILE.tif");
    t.heat.city_path = operand[0];
    t.ask.name = operand[1];
    const int status = run(&t);
    om_risk_bound_free(t.bound);
    om__heat_close(&t.heat);
    return status;
}
