// verb_tile.c - onemap tile: one heat tile to a file.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/file.h"
#include "data/model/time.h"
#include "tiles/heat.h"
#include "web/cli/verb.h"

#define HEAT "heat:"

/* The command line as it was typed. */
struct words {
    const char *format, *scale, *where, *time, *kernel, *bandwidth, *weight,
        *palette, *out;
};

/* The tile it asks for, and what must be given back. */
struct task {
    const struct words *words;
    const char *city_path, *name, *tile;
    struct om_city *city;
    struct om_snapshot *snapshot;
    struct om_filter *filter;
    struct om_window window;
    struct om_selection *selection;
    struct om_fields *fields;
    struct om_field_spec spec;
    struct om_field_window place;
    enum om_palette palette;
    struct om_arena arena;
    struct om_buf png;
    struct om_err err;
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
    t->spec.bandwidth_m = OM_BANDWIDTH_DEFAULT_M;
    if (w->format && strcmp(w->format, "png") != 0)
        return usage("--format", w->format, "png");
    if (w->palette && !om_palette_from_name(w->palette, &t->palette))
        return usage("--palette", w->palette, "dark or light");
    if (w->kernel && !strcmp(w->kernel, "gaussian"))
        t->spec.kernel = OM_KERNEL_GAUSSIAN;
    else if (w->kernel && strcmp(w->kernel, "quartic") != 0)
        return usage("--kernel", w->kernel, "quartic or gaussian");
    if (w->bandwidth) {
        char *end;
        const double m = strtod(w->bandwidth, &end);
        if (end == w->bandwidth || *end || !(m >= OM_BANDWIDTH_MIN_M) ||
            !(m <= OM_BANDWIDTH_MAX_M))
            return usage("--bandwidth", w->bandwidth, "metres, 10 to 20000");
        t->spec.bandwidth_m = m;
    }
    return OM_EXIT_DONE;
}

static int read_weight(struct task *t)
{
    const struct om_layer *layer = t->spec.layer;
    const char *name = t->words->weight;
    t->spec.weight = OM_WEIGHT_ONE;
    if (!name) return OM_EXIT_DONE;
    const size_t column = om_schema_find(&layer->schema, name);
    if (column == OM_NO_FIELD)
        return om__verb_usage("tile", "--weight: %s has no column '%s'",
                              layer->name, name);
    const enum om_type type = layer->schema.field[column].type;
    if (type != OM_TYPE_INTEGER && type != OM_TYPE_REAL &&
        type != OM_TYPE_BOOLEAN)
        return om__verb_usage("tile",
                              "--weight: column '%s' is %s, not a number", name,
                              om_type_name(type));
    t->spec.weight.column = column;
    return OM_EXIT_DONE;
}

static int read_condition(struct task *t)
{
    const struct words *w = t->words;
    const int32_t zone_s = t->snapshot->manifest->zone_s;
    if (w->where && om_filter_parse(w->where, strlen(w->where), t->spec.layer,
                                    zone_s, &t->filter, &t->err))
        return om__verb_usage("tile", "--where: %s", t->err.text);
    if (!w->time) return OM_EXIT_DONE;
    if (om_time_parse_interval(w->time, strlen(w->time), zone_s,
                               &t->window.from_s, &t->window.to_s))
        return usage("--time", w->time,
                     "FROM/TO, each a date or time (2023-01-01/2023-06-30)");
    if (t->spec.layer->schema.time_field == OM_NO_FIELD)
        return om__verb_usage("tile", "--time: %s has no time column",
                              t->spec.layer->name);
    t->window.set = true;
    return OM_EXIT_DONE;
}

static om_status find_layer(struct task *t)
{
    OM_TRY(om_city_open(t->city_path, &t->city, &t->err));
    t->snapshot = om_city_snapshot(t->city);
    const char *name = t->name + strlen(HEAT);
    t->spec.layer = om_snapshot_layer(t->snapshot, name);
    if (!t->spec.layer)
        return om_fail(&t->err, OM_E_NOTFOUND, 0,
                       "no layer '%s' (onemap info %s lists them)", name,
                       t->city_path);
    if (t->spec.layer->schema.geometry != OM_GEOMETRY_POINT)
        return om_fail(&t->err, OM_E_TYPE, 0,
                       "%s has no points (heat is of points)", name);
    return OM_OK;
}

static om_status render(struct task *t)
{
    struct om_legend legend;
    OM_TRY(om_fields_new((size_t)1 << 30, &t->fields));
    OM_TRY(om_select(NULL, t->spec.layer, &OM_POLICY_ALL, t->filter, t->window,
                     &t->selection));
    t->spec.selection = t->selection;
    OM_TRY(om_heat_legend(t->fields, &t->spec, NULL, t->palette, &legend));
    OM_TRY(om_heat_tile(t->fields, &t->spec, &t->place, &legend, &t->arena,
                        &t->png));
    return om_file_write_whole(t->words->out, t->png.bytes, t->png.len,
                               &t->err);
}

static int run(struct task *t)
{
    int status = read_tile(t);
    if (!status) status = read_look(t);
    if (status) return status;
    om_status st = find_layer(t);
    if (!st) {
        status = read_weight(t);
        if (!status) status = read_condition(t);
        if (status) return status;
        st = render(t);
    }
    if (!st) return OM_EXIT_DONE;
    if (!t->err.code) om_fail(&t->err, st, 0, "%s", om_status_text(st));
    return om__verb_fail("tile", &t->err);
}

int om__verb_tile(int argc, char **argv)
{
    struct words w = {0};
    const struct om_option option[] = {
        {"--format", &w.format, NULL}, {"--scale", &w.scale, NULL},
        {"--where", &w.where, NULL},   {"--time", &w.time, NULL},
        {"--kernel", &w.kernel, NULL}, {"--bandwidth", &w.bandwidth, NULL},
        {"--weight", &w.weight, NULL}, {"--palette", &w.palette, NULL},
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
        return usage("NAME", operand[1], "heat:LAYER");
    struct task t = {.words = &w,
                     .city_path = operand[0],
                     .name = operand[1],
                     .tile = operand[2]};
    const int status = run(&t);
    om_buf_deinit(&t.png);
    om_arena_deinit(&t.arena);
    om_fields_free(t.fields);
    om_selection_unref(t.selection);
    om_filter_free(t.filter);
    om_snapshot_unref(t.snapshot);
    om_city_close(t.city);
    return status;
}
