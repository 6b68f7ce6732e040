// verb_explain.c - onemap explain: the value at a place and what makes it.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/cli/heat.h"
#include "web/explain.h"

#define ZOOM_DEFAULT 18
#define ZOOM_MOST 22

struct task {
    struct om__heat heat;
    struct om_risk_ask ask;
    const char *place, *zoom_text, *format;
    double lon_deg, lat_deg;
    unsigned zoom;
    struct om_heat_view view;
    struct om_arena arena;
    struct om_buf out;
};

static int read_place(struct task *t)
{
    char *end;
    t->lon_deg = strtod(t->place, &end);
    const bool lon = end != t->place && *end == ',';
    const char *lat = lon ? end + 1 : "";
    t->lat_deg = strtod(lat, &end);
    if (!lon || end == lat || *end || !(fabs(t->lon_deg) <= 180) ||
        !(fabs(t->lat_deg) <= 85))
        return om__verb_usage("explain", "'%s' is not LON,LAT in degrees",
                              t->place);
    t->zoom = ZOOM_DEFAULT;
    if (t->zoom_text) {
        const long z = strtol(t->zoom_text, &end, 10);
        if (end == t->zoom_text || *end || z < 0 || z > ZOOM_MOST)
            return om__verb_usage("explain", "--zoom: '%s' is not 0 to %d",
                                  t->zoom_text, ZOOM_MOST);
        t->zoom = (unsigned)z;
    }
    if (t->format && strcmp(t->format, "text") != 0 &&
        strcmp(t->format, "json") != 0)
        return om__verb_usage("explain", "--format: '%s' is not text or json",
                              t->format);
    return OM_EXIT_DONE;
}

static om_status answer(struct task *t)
{
    struct om_heat_world *world = &t->heat.world;
    struct om_explanation e;
    const om_status st = om_heat_view_spread(world, &t->view, &t->view.spread);
    // Too wide a city for the bandwidth has no percentiles.
    if (st && st != OM_E_COST) return st;
    OM_TRY(om_explain(world, &t->view, t->lon_deg, t->lat_deg, t->zoom,
                      &t->arena, &e));
    if (!t->format || !strcmp(t->format, "text"))
        return om_explain_text(&e, world->snapshot->manifest->zone_s, &t->out);
    om_buf_add_text(&t->out, "{\"name\":");
    om_buf_add_json_text(&t->out, t->view.bound->name,
                         strlen(t->view.bound->name));
    om_buf_add_text(&t->out, ",");
    OM_TRY(om_explain_json(&e, &t->out));
    return om_buf_add_text(&t->out, "}\n");
}

static int run(struct task *t)
{
    struct om_risk_bound *bound = NULL;
    int status = read_place(t);
    if (!status) status = om__heat_open(&t->heat);
    if (!status) status = om__heat_bind(&t->heat, &t->ask, &bound);
    if (status) return status;
    om_status st =
        om_heat_view_init(&t->heat.world, bound, NULL, &t->view, &t->heat.err);
    if (!st) st = answer(t);
    if (st) return om__heat_fail(&t->heat, st);
    fwrite(t->out.bytes, 1, t->out.len, stdout);
    return OM_EXIT_DONE;
}

int om__verb_explain(int argc, char **argv)
{
    struct task t = {0};
    const struct om_option option[] = {
        OM__HEAT_OPTIONS(t.ask),
        {"--zoom", &t.zoom_text, NULL},
        {"--format", &t.format, NULL},
    };
    const char *operand[3];
    size_t operands;
    bool help;
    const int bad = om__options_read("explain", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 3,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 3)
        return om__verb_usage("explain", "needs CITY, MODEL or LAYER, LON,LAT");
    t.heat = (struct om__heat){.verb = "explain", .city_path = operand[0]};
    t.ask.name = operand[1];
    t.place = operand[2];
    const int status = run(&t);
    om_buf_deinit(&t.out);
    om_arena_deinit(&t.arena);
    om_heat_view_deinit(&t.view);
    om__heat_close(&t.heat);
    return status;
}
