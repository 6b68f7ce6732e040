// tile_vector.c - vector tiles of a layer, on the command line.
#include <string.h>

#include "data/base/alloc.h"
#include "web/cli/question.h"
#include "web/cli/tile.h"
#include "web/vector.h"

/* Simplified borders and the like: all that tiles need. */
#define VECTORS_BYTES ((size_t)1 << 30)

struct vector {
    struct om__question q;
    struct om_vector_ask ask;
    struct om_vector_spec spec;
    struct om_vectors *vectors;
    struct om_selection *selection;
    struct om_buf layers;  // JSON
};

/* The options of other kinds of tiles. */
static int refuse_others(const struct om__tile_words *w)
{
    const struct {
        const char *option, *value;
    } other[] = {{"--kernel", w->ask.kernel},
                 {"--half-life", w->ask.halflife},
                 {"--at", w->ask.at},
                 {"--per", w->ask.per},
                 {"--bandwidth", w->ask.bandwidth},
                 {"--weight", w->ask.weight},
                 {"--palette", w->palette},
                 {"--scale", w->scale}};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (other[i].value)
            return om__verb_usage(w->verb, "%s is not for vector tiles",
                                  other[i].option);
    return OM_EXIT_DONE;
}

static int read_ask(struct vector *v, const struct om__tile_words *w)
{
    struct om__question *q = &v->q;
    om_vector_ask_begin(&v->ask, q->layer);
    if (w->properties &&
        om_vector_ask_properties(&v->ask, q->layer, w->properties, &q->err))
        return om__verb_usage(w->verb, "--%s", q->err.text);
    if (w->by && om_vector_ask_by(&v->ask, q->layer, w->by, &q->err))
        return om__verb_usage(w->verb, "--%s", q->err.text);
    return OM_EXIT_DONE;
}

static om_status make_ready(struct vector *v, const struct om__tile_words *w)
{
    OM_TRY(om_vectors_new(VECTORS_BYTES, &v->vectors));
    OM_TRY(
        om_select(NULL, v->q.layer, v->q.filter, v->q.window, &v->selection));
    v->spec = om_vector_ask_spec(&v->ask, v->q.snapshot, v->q.layer,
                                 v->selection, w->name);
    v->spec.apart = w->apart;
    return OM_OK;
}

static int vector_open(const struct om__tile_words *w, void **self)
{
    struct vector *v = om_calloc(1, sizeof *v);
    *self = v;
    if (!v)
        return om__verb_fail(w->verb, &(struct om_err){.code = OM_E_MEMORY});
    v->q = (struct om__question){.verb = w->verb,
                                 .city_path = w->city,
                                 .where = w->ask.filter,
                                 .time = w->ask.datetime};
    int status = refuse_others(w);
    if (!status) status = om__question_open(&v->q);
    if (status) return status;
    // A level's name stands for the layer of its units.
    const struct om_layer *units =
        om_snapshot_layer(v->q.snapshot, w->name)
            ? NULL
            : om_snapshot_units(v->q.snapshot, w->name);
    status = om__question_layer(&v->q, units ? units->name : w->name, false);
    if (!status) status = read_ask(v, w);
    if (status) return status;
    const om_status st = make_ready(v, w);
    return st ? om__question_fail(&v->q, st) : OM_EXIT_DONE;
}

static bool vector_may_hold(void *self, unsigned z, uint32_t x, uint32_t y)
{
    const struct vector *v = self;
    return om__tile_has_rows(v->q.snapshot, v->q.layer, z, x, y, 0.0);
}

static om_status vector_draw(void *self, unsigned z, uint32_t x, uint32_t y,
                             struct om_arena *arena, struct om_buf *out)
{
    struct vector *v = self;
    return om_vector_tile(v->vectors, &v->spec, z, x, y, arena, out);
}

static void vector_about(void *self, struct om__tile_about *out)
{
    struct vector *v = self;
    const struct om_manifest_layer *meta = v->q.layer->meta;
    om_layer_bounds(v->q.layer, out->bounds);
    out->title = meta && meta->title[0] ? meta->title : v->spec.name;
    om_buf_clear(&v->layers);
    om_vector_layers_write(&v->spec, out->title, out->zoom_max, &v->layers);
    om_buf_add_byte(&v->layers, 0);
    out->layers = v->layers.status ? "" : (const char *)v->layers.bytes;
}

static int vector_fail(void *self, om_status status)
{
    struct vector *v = self;
    return om__question_fail(&v->q, status);
}

static void vector_close(void *self)
{
    struct vector *v = self;
    if (!v) return;
    om_buf_deinit(&v->layers);
    om_selection_unref(v->selection);
    om_vectors_free(v->vectors);
    om__question_close(&v->q);
    om_free(v);
}

const struct om__tile_kind om__tile_vector = {
    .format = "mvt",
    .open = vector_open,
    .may_hold = vector_may_hold,
    .draw = vector_draw,
    .about = vector_about,
    .fail = vector_fail,
    .close = vector_close,
};
