// tile_heat.c - onemap tile: a heat tile to a file.
#include <string.h>

#include "data/base/file.h"
#include "web/cli/tile.h"

/* The tile it asks for, and what must be given back. */
struct task {
    const struct om__tile_words *words;
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

static int read_place(struct task *t)
{
    const struct om__tile_words *w = t->words;
    unsigned scale = 1;
    if (w->properties || w->by)
        return om__verb_usage("tile", "--%s is not for heat tiles",
                              w->by ? "by" : "properties");
    if (w->scale) {
        if (strcmp(w->scale, "1") != 0 && strcmp(w->scale, "2") != 0)
            return usage("--scale", w->scale, "1 or 2");
        scale = (unsigned)(w->scale[0] - '0');
    }
    t->place = (struct om_field_window){
        .z = w->z, .x = w->x, .y = w->y, .side_px = scale * OM_TILE_SIDE_PX};
    return OM_EXIT_DONE;
}

static int read_look(struct task *t)
{
    const struct om__tile_words *w = t->words;
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
    int status = read_place(t);
    if (!status) status = read_look(t);
    if (!status) status = om__heat_open(&t->heat);
    if (!status) status = om__heat_bind(&t->heat, &t->ask, &bound);
    if (status) return status;
    om_status st =
        om_heat_view_init(&t->heat.world, bound, &t->view, &t->heat.err);
    if (!st) st = render(t);
    return st ? om__heat_fail(&t->heat, st) : OM_EXIT_DONE;
}

int om__tile_heat(const struct om__tile_words *words)
{
    struct task t = {
        .words = words,
        .heat = {.verb = "tile", .city_path = words->city},
        .ask = words->ask,
    };
    t.ask.name = words->name + strlen(OM__TILE_HEAT);
    const int status = run(&t);
    om_buf_deinit(&t.png);
    om_arena_deinit(&t.arena);
    om_heat_view_deinit(&t.view);
    om__heat_close(&t.heat);
    return status;
}
