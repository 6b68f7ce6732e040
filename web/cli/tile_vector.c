// tile_vector.c - onemap tile: a vector tile of a layer to a file.
#include <string.h>

#include "data/base/file.h"
#include "web/cli/question.h"
#include "web/cli/tile.h"
#include "web/vector.h"

/* Simplified borders and the like, for one tile: all that it needs. */
#define VECTORS_BYTES ((size_t)1 << 30)

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
            return om__verb_usage("tile", "%s is not for vector tiles",
                                  other[i].option);
    return OM_EXIT_DONE;
}

static om_status make(const struct om__question *q,
                      const struct om_vector_ask *ask,
                      const struct om__tile_words *words, struct om_buf *tile)
{
    struct om_vectors *vectors = NULL;
    struct om_selection *selection = NULL;
    struct om_arena arena = {0};
    om_status st = om_vectors_new(VECTORS_BYTES, &vectors);
    if (!st)
        st = om_select(NULL, q->layer, &OM_POLICY_ALL, q->filter, q->window,
                       &selection);
    if (!st) {
        const struct om_vector_spec spec = om_vector_ask_spec(
            ask, q->snapshot, q->layer, selection, words->name);
        st = om_vector_tile(vectors, &spec, words->z, words->x, words->y,
                            &arena, tile);
    }
    om_arena_deinit(&arena);
    om_selection_unref(selection);
    om_vectors_free(vectors);
    return st;
}

static int answer(struct om__question *q, const struct om__tile_words *words)
{
    struct om_vector_ask ask;
    struct om_buf tile = {0};
    om_vector_ask_begin(&ask, q->layer);
    if (words->properties &&
        om_vector_ask_properties(&ask, q->layer, words->properties, &q->err))
        return om__verb_usage("tile", "--%s", q->err.text);
    if (words->by && om_vector_ask_by(&ask, q->layer, words->by, &q->err))
        return om__verb_usage("tile", "--%s", q->err.text);
    om_status st = make(q, &ask, words, &tile);
    if (!st)
        st = om_file_write_whole(words->out, tile.bytes, tile.len, &q->err);
    om_buf_deinit(&tile);
    return st ? om__question_fail(q, st) : OM_EXIT_DONE;
}

int om__tile_vector(const struct om__tile_words *words)
{
    struct om__question q = {.verb = "tile",
                             .city_path = words->city,
                             .where = words->ask.filter,
                             .time = words->ask.datetime};
    int status = refuse_others(words);
    if (status) return status;
    status = om__question_open(&q);
    if (!status) {
        // A level's name stands for the layer of its units.
        const struct om_layer *units =
            om_snapshot_layer(q.snapshot, words->name)
                ? NULL
                : om_snapshot_units(q.snapshot, words->name);
        status =
            om__question_layer(&q, units ? units->name : words->name, false);
    }
    if (!status) status = answer(&q, words);
    om__question_close(&q);
    return status;
}
