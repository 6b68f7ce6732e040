/* bench_live_mvt.c - the first vector tile after rows were written.
 *
 * Layers of the full city (BENCH_CITY). A write is a row that dies in the base
 * and comes again in a run (live_rows.h). Tiles are asked cold: their layer has
 * just been written to, and nothing but what belongs to the base is there.
 */
#include <string.h>

#include "benchmarks/live_rows.h"
#include "data/base/hash.h"
#include "tiles/vector/vector.h"

struct question {
    const char *name, *layer, *filter;
    unsigned z;
};
static const struct question QUESTION[] = {
    {"building, z10", "building", NULL, 10},
    {"building, z13", "building", NULL, 13},
    {"building, z15", "building", NULL, 15},
    {"building, filter, z13", "building", "floors > 5", 13},
    {"road, z11", "road", NULL, 11},
    {"address, z10", "address", NULL, 10},
    {"address, z15", "address", NULL, 15},
    {"address, filter, z10", "address", "residents > 2", 10},
    {"hazard, z12", "hazard", NULL, 12}};

struct caches {
    struct om_selections *selections;
    struct om_vectors *vectors;
};

static double ask(const struct om_layer *layer, const struct question *q,
                  struct caches *c, uint64_t *bytes)
{
    struct om_filter *filter = NULL;
    struct om_selection *selection;
    struct om_arena arena = {0};
    struct om_buf tile = {0};
    struct om_pos at;
    if (om_pos_from_lonlat(113.75, 23.02, &at)) stop("position", NULL);
    if (q->filter && om_filter_parse(q->filter, strlen(q->filter), layer,
                                     8 * 3600, &filter, NULL))
        stop(q->filter, NULL);
    const double start = bench_now();
    if (om_select(c->selections, layer, filter, (struct om_window){0},
                  &selection))
        stop("select", NULL);
    const struct om_vector_spec spec = {.layer = layer,
                                        .selection = selection,
                                        .name = layer->name,
                                        .by = om_vector_by(layer),
                                        .zone_s = 8 * 3600};
    if (om_vector_tile(c->vectors, &spec, q->z, at.x >> (32 - q->z),
                       at.y >> (32 - q->z), &arena, &tile))
        stop(q->name, NULL);
    const double took_s = bench_now() - start;
    *bytes = tile.len;
    om_buf_deinit(&tile);
    om_arena_deinit(&arena);
    om_selection_unref(selection);
    om_filter_free(filter);
    return took_s;
}

int main(void)
{
    static uint32_t dead[10000];
    const char *path = getenv("BENCH_CITY");
    struct om_city *city;
    struct om_joiner *joiner;
    struct om_err err;
    struct caches c;
    bench_head("vector tiles after rows were written");
    if (!path) {
        puts("needs a full city in BENCH_CITY (make city)");
        return 0;
    }
    if (om_city_open(path, &city, &err)) stop(path, &err);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    if (om_joiner_new(snapshot, &joiner, &err)) stop("joiner", &err);
    if (om_selections_new((size_t)1 << 30, &c.selections) ||
        om_vectors_new((size_t)1 << 30, &c.vectors))
        stop("caches", NULL);
    for (size_t q = 0; q < sizeof QUESTION / sizeof *QUESTION; q++) {
        const struct om_layer *base =
            om_snapshot_layer(snapshot, QUESTION[q].layer);
        const size_t writes[] = {0, 1, 10000};
        if (!base) stop(QUESTION[q].layer, NULL);
        for (size_t k = 0; k < 3; k++) {
            struct bench_samples s = {0};
            char name[80];
            uint64_t bytes;
            ask(base, &QUESTION[q], &c, &bytes);
            for (size_t i = 0; i < 20; i++) {
                struct om_part part[2] = {{0}};
                struct om_layer layer = *base;
                if (writes[k])
                    write_rows(base, joiner, writes[k], dead, part, &layer);
                bench_add(&s, ask(&layer, &QUESTION[q], &c, &bytes));
                om_segment_unref(part[1].segment);
            }
            snprintf(name, sizeof name, "%s, %zu writes", QUESTION[q].name,
                     writes[k]);
            bench_row_samples(name, &s, base->rows, bytes, 0, 0);
            bench_free(&s);
        }
    }
    om_vectors_free(c.vectors);
    om_selections_free(c.selections);
    om_joiner_unref(joiner);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return 0;
}
