// tile_picture.c - pictures of layers, units and the base map, on the command
// line.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "web/cli/question.h"
#include "web/cli/tile.h"
#include "web/picture.h"

/* Pixels of a side of one of design. */
#define SIDE_PX 256

struct pictures {
    struct om__question q;
    unsigned side_px;
    struct om_font *font;  // NULL: a map without labels
    struct om_base *base;
    struct om_picture_bound bound;
    struct om_picture *picture;
    char title[OM_LIMIT_NAME_BYTES * 2];
};

/* The options of heat maps and vector tiles. */
static int refuse_others(const struct om__tile_words *w)
{
    const struct {
        const char *option, *value;
    } other[] = {{"--kernel", w->ask.kernel}, {"--half-life", w->ask.halflife},
                 {"--at", w->ask.at},         {"--bandwidth", w->ask.bandwidth},
                 {"--weight", w->ask.weight}, {"--properties", w->properties}};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (other[i].value)
            return om__verb_usage(w->verb, "%s is not for pictures of %s",
                                  other[i].option, w->name);
    return OM_EXIT_DONE;
}

static int bind(struct pictures *p, const struct om__tile_words *w)
{
    const char *option = NULL;
    const struct om_picture_ask ask = {.name = w->name,
                                       .palette = w->palette,
                                       .labels = w->labels,
                                       .lang = w->lang,
                                       .filter = w->ask.filter,
                                       .datetime = w->ask.datetime,
                                       .by = w->by,
                                       .stat = w->stat,
                                       .layer = w->layer,
                                       .column = w->column,
                                       .per = w->ask.per};
    const om_status st =
        om_picture_bind(p->q.snapshot, &ask, &p->bound, &option, &p->q.err);
    if (!st && w->lang && p->bound.kind != OM_PICTURE_BASE)
        return om__verb_usage(w->verb, "--lang is not for pictures of %s",
                              w->name);
    if (!st) return OM_EXIT_DONE;
    if (!option) return om__question_fail(&p->q, st);
    // What addresses call otherwise.
    if (!strcmp(option, "filter")) option = "where";
    if (!strcmp(option, "datetime")) option = "time";
    return om__verb_usage(w->verb, "--%s: %s", option, p->q.err.text);
}

static om_status make_ready(struct pictures *p)
{
    struct om_err no_font = {0};
    const om_status st = om_font_open(NULL, &p->font, &no_font);
    if (st == OM_E_MEMORY) return st;
    if (st)
        om_log(OM_LOG_WARN, "picture", "maps have no labels: %s", no_font.text);
    OM_TRY(om_base_new(p->q.snapshot, p->font, p->bound.language, &p->base,
                       &p->q.err));
    return om_picture_make(&p->bound, p->q.snapshot, p->base, NULL, &p->picture,
                           &p->q.err);
}

static int pictures_open(const struct om__tile_words *w, void **self)
{
    struct pictures *p = om_calloc(1, sizeof *p);
    *self = p;
    if (!p)
        return om__verb_fail(w->verb, &(struct om_err){.code = OM_E_MEMORY});
    p->q = (struct om__question){.verb = w->verb, .city_path = w->city};
    snprintf(p->title, sizeof p->title, "%s", w->name);
    p->side_px = om__tile_side(w);
    int status = p->side_px ? refuse_others(w) : OM_EXIT_USAGE;
    if (!status) status = om__question_open(&p->q);
    if (!status) status = bind(p, w);
    if (status) return status;
    const om_status st = make_ready(p);
    return st ? om__question_fail(&p->q, st) : OM_EXIT_DONE;
}

/* The layer whose rows lie wherever there is something to see: its own, or
 * for maps of the city its coarsest units. */
static const struct om_layer *extent_of(const struct pictures *p)
{
    const struct om_manifest *city = p->q.snapshot->manifest;
    if (p->bound.kind == OM_PICTURE_ROWS) return p->bound.layer;
    if (p->bound.kind == OM_PICTURE_UNITS)
        return om_snapshot_units(p->q.snapshot, p->bound.level);
    return city->levels
               ? om_snapshot_units(p->q.snapshot, city->level[city->levels - 1])
               : NULL;
}

static bool pictures_may_hold(void *self, unsigned z, uint32_t x, uint32_t y)
{
    const struct pictures *p = self;
    const struct om_layer *layer = extent_of(p);
    return !layer || om__tile_has_rows(p->q.snapshot, layer, z, x, y, 0.0);
}

static om_status pictures_draw(void *self, unsigned z, uint32_t x, uint32_t y,
                               struct om_arena *arena, struct om_buf *out)
{
    const struct pictures *p = self;
    const struct om_view view =
        om_view_tile(z, x, y, p->side_px, p->side_px / SIDE_PX);
    return om_picture_png(p->picture, &view, arena, out);
}

static void pictures_about(void *self, struct om__tile_about *out)
{
    struct pictures *p = self;
    const struct om_layer *layer = extent_of(p);
    if (layer) om_layer_bounds(layer, out->bounds);
    out->title = p->title;
    out->layers = "";
}

static int pictures_fail(void *self, om_status status)
{
    struct pictures *p = self;
    return om__question_fail(&p->q, status);
}

static void pictures_close(void *self)
{
    struct pictures *p = self;
    if (!p) return;
    om_picture_unref(p->picture);
    om_picture_bound_deinit(&p->bound);
    om_base_unref(p->base);
    om_font_close(p->font);
    om__question_close(&p->q);
    om_free(p);
}

const struct om__tile_kind om__tile_picture = {
    .format = "png",
    .open = pictures_open,
    .may_hold = pictures_may_hold,
    .draw = pictures_draw,
    .about = pictures_about,
    .fail = pictures_fail,
    .close = pictures_close,
};
