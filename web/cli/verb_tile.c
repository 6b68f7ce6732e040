// verb_tile.c - onemap tile: one heat tile to a file.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/file.h"
#include "web/cli/heat.h"

#define HEAT "heat:"

/* The command line as it was typed. */
struct words {
    const char *format, *scale, *palette, *out;
};

/* The tile it asks for, and what must be given back. */
struct task {
    const struct words *words;
    const char *tile;
    struct om__heat heat;
    struct om_risk_ask ask;
    struct om_heat_view view;
    struct om_field_window place;
    enum om_palette palette;
    struct om_arena arena;
    struct om_buf png;
};

static int usage(const char *option, const char *value, const char *want)
{
    return om__verb_usage("tile", "%s: '%s' is not %s", option, value, want);
}

/* Decimal digits and nothing else, up to `most`. */
static bool read_digits(const char **text, char end, uint32_t most,
                        uint32_t *out)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9' && value <= most; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    if (at == *text || *at != end || value > most) return false;
    *text = end ? at + 1 : at;
    *out = (uint32_t)value;
    return true;
}

static int read_tile(struct task *t)
{
    const char *at = t->tile;
    uint32_t z, x, y;
    const bool good = read_digits(&at, '/', 22, &z) &&
                      read_digits(&at, '/', (UINT32_C(1) << z) - 1, &x) &&
                      read_digits(&at, '\0', (UINT32_C(1) << z) - 1, &y);
    if (!good)
        return om__verb_usage(
            "tile", "'%s' is not Z/X/Y of a tile, zoom 0 to 22", t->tile);
    unsigned scale = 1;
    if (t->words->scale) {
        if (strcmp(t->words->scale, "1") != 0 &&
            strcmp(t->words->scale, "2") != 0)
            return usage("--scale", t->words->scale, "1 or 2");
        scale = (unsigned)(t->words->scale[0] - '0');
    }
    t->place = (struct om_field_window){
        .z = z, .x = x, .y = y, .side_px = scale * OM_TILE_SIDE_PX};
    return OM_EXIT_DONE;
}

static int read_look(struct task *t)
{
    const struct words *w = t->words;
    if (w->format && strcmp(w->format, "png") != 0)
        return usage("--format", w->format, "png");
    if (w->palette && !om_palette_from_name(w->palette, &t->palette))
        return usage("--palette", w->palette, "dark or light");
    return OM_EXIT_DONE;
}

static om_status render(struct task *t)
{
    OM_TRY(om_risk_png(t->heat.fields, &t->view.bound->risk, &t->place,
                       &t->view.painted[t->palette], &t->arena, &t->png));
    return om_file_write_whole(t->words->out, t->png.bytes, t->png.len,
                               &t->heat.err);
}

static int run(struct task *t)
{
    struct om_risk_bound *bound = NULL;
    int status = read_tile(t);
    if (!status) status = read_look(t);
    if (!status) status = om__heat_open(&t->heat);
    if (!status) status = om__heat_bind(&t->heat, &t->ask, &bound);
    if (status) return status;
    om_status st =
        om_heat_view_init(&t->heat.world, bound, &t->view, &t->heat.err);
    if (!st) st = render(t);
    return st ? om__heat_fail(&t->heat, st) : OM_EXIT_DONE;
}

int om__verb_tile(int argc, char **argv)
{
    struct words w = {0};
    struct task t = {.words = &w};
    const struct om_option option[] = {
        OM__HEAT_OPTIONS(t.ask),     {"--format", &w.format, NULL},
        {"--scale", &w.scale, NULL}, {"--palette", &w.palette, NULL},
        {"--out", &w.out, NULL},
    };
    const char *operand[3];
    size_t operands;
    bool help;
    const int bad = om__options_read("tile", argc, argv, option,
                                     sizeof option / sizeof *option, operand, 3,
                                     &operands, &help);
    if (bad || help) return bad;
    if (operands < 3 || !w.out)
        return om__verb_usage("tile", "needs CITY, NAME, Z/X/Y and --out FILE");
    if (strncmp(operand[1], HEAT, strlen(HEAT)) != 0)
        return usage("NAME", operand[1], "heat:MODEL or heat:LAYER");
    t.heat = (struct om__heat){.verb = "tile", .city_path = operand[0]};
    t.ask.name = operand[1] + strlen(HEAT);
    t.tile = operand[2];
    const int status = run(&t);
    om_buf_deinit(&t.png);
    om_arena_deinit(&t.arena);
    om_heat_view_deinit(&t.view);
    om__heat_close(&t.heat);
    return status;
}
