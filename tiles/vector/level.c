// level.c - all polygons of a layer at one zoom: thinned, snapped, valid.
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/vector/vector_internal.h"

/* Seconds a vertex takes, roughly. */
#define VERTEX_S 5e-7

struct ask {
    struct om_vectors *vectors;
    const struct om_layer *layer;
    unsigned z;
};

/* A level under construction. */
struct work {
    const struct ask *ask;
    const struct om__borders *borders;
    struct om__ranks ranks;  // of the borders alone
    const struct om__hot *hot;
    struct om__level *level;
    struct om_arena arena;       // of one shape
    struct om_buf ends, places;  // of the level: uint32, struct om_pos
    struct om_buf pos, end;      // of one shape, thinned
};

/* The nodes that the zoom shows are where edges must not pass by. */
static om_status make_hot(struct work *w, struct om_arena *arena)
{
    const struct om__borders *b = w->borders;
    struct om_pos *pos = om_arena_alloc(arena, (b->nodes + 1) * sizeof *pos);
    struct om__hot *hot;
    size_t n = 0;
    if (!pos) return OM_E_MEMORY;
    for (size_t i = 0; i < b->nodes; i++)
        if (b->zoom[i] <= w->ask->z) pos[n++] = b->pos[i];
    OM_TRY(om__hot_new(pos, n, w->ask->z, arena, &hot));
    w->hot = hot;
    return OM_OK;
}

om_status om__ring_thin(struct om__ranks *ranks, const struct om_rings *rings,
                        const uint32_t *node, size_t ring, unsigned z,
                        struct om_buf *pos, struct om_buf *end)
{
    const size_t from = pos->len;
    for (size_t v = rings->ring_vertex[ring]; v < rings->ring_vertex[ring + 1];
         v++) {
        uint8_t zoom;
        OM_TRY(
            om__rank(ranks, node ? &node[v] : NULL, rings->vertex[v], &zoom));
        if (zoom <= z)
            om_buf_add(pos, &rings->vertex[v], sizeof *rings->vertex);
    }
    if (pos->len - from < 3 * sizeof *rings->vertex) pos->len = from;
    const uint32_t at = (uint32_t)(pos->len / sizeof *rings->vertex);
    om_buf_add(end, &at, sizeof at);
    return pos->status ? pos->status : end->status;
}

static om_status add_shape(struct work *w, const struct om_rings *rings,
                           const uint32_t *node, size_t row)
{
    struct om__rings snapped;
    om_arena_reset(&w->arena);
    om_buf_clear(&w->pos);
    om_buf_clear(&w->end);
    for (size_t r = rings->part_ring[rings->shape_part[row]];
         r < rings->part_ring[rings->shape_part[row + 1]]; r++)
        OM_TRY(om__ring_thin(&w->ranks, rings, node, r, w->ask->z, &w->pos,
                             &w->end));
    OM_TRY(om__polygon_snap(
        (const void *)w->pos.bytes, (const void *)w->end.bytes,
        w->end.len / sizeof(uint32_t), w->ask->z, w->hot, &w->arena, &snapped));
    const size_t base = w->places.len / sizeof(struct om_pos);
    for (size_t r = 0; r < snapped.rings; r++) {
        const uint32_t end = (uint32_t)(base + snapped.end[r]);
        om_buf_add(&w->ends, &end, sizeof end);
    }
    for (size_t i = 0; i < snapped.places; i++) {
        const struct om_pos at = {(uint32_t)snapped.at[i].x,
                                  (uint32_t)snapped.at[i].y};
        om_buf_add(&w->places, &at, sizeof at);
    }
    return w->ends.status ? w->ends.status : w->places.status;
}

static om_status add_part(struct work *w, size_t p)
{
    const size_t number = om__lasting(w->ask->layer, p);
    if (number == OM__PASSING) return OM_OK;
    const struct om_segment *segment = w->ask->layer->part[p].segment;
    const size_t rows = om_segment_rows(segment);
    struct om_rings rings;
    OM_TRY(om_segment_rings(segment, 0, rows, &rings));
    uint32_t *shape_ring =
        om_arena_alloc(&w->level->arena, (rows + 1) * sizeof *shape_ring);
    if (!shape_ring) return OM_E_MEMORY;
    for (size_t row = 0; row < rows; row++) {
        shape_ring[row] = (uint32_t)(w->ends.len / sizeof(uint32_t));
        OM_TRY(add_shape(w, &rings, om__borders_of(w->borders, number), row));
    }
    shape_ring[rows] = (uint32_t)(w->ends.len / sizeof(uint32_t));
    w->level->shape_ring[number] = shape_ring;
    return OM_OK;
}

/* One place more than there are: their memory is never none. */
static void *copy(struct om_arena *arena, const struct om_buf *from)
{
    void *to = om_arena_alloc(arena, from->len + sizeof(struct om_pos));
    if (to && from->len) memcpy(to, from->bytes, from->len);
    return to;
}

static om_status build(struct work *w)
{
    struct om__level *level = w->level;
    struct om_arena hot = {0};
    level->parts = w->borders->parts;
    level->shape_ring = om_arena_calloc(&level->arena, level->parts + 1,
                                        sizeof *level->shape_ring);
    om_status st = level->shape_ring ? make_hot(w, &hot) : OM_E_MEMORY;
    for (size_t p = 0; p < w->ask->layer->parts && !st; p++)
        st = add_part(w, p);
    om_arena_deinit(&hot);
    if (st) return st;
    level->ring_end = copy(&level->arena, &w->ends);
    level->place = copy(&level->arena, &w->places);
    return level->ring_end && level->place ? OM_OK : OM_E_MEMORY;
}

static void free_level(void *value)
{
    struct om__level *level = value;
    om_arena_deinit(&level->arena);
    om_free(level);
}

static om_status make_level(void *ctx, void **value, size_t *bytes)
{
    const struct ask *ask = ctx;
    struct om__kept borders = {0};
    struct om__level *level = om_calloc(1, sizeof *level);
    if (!level) return OM_E_MEMORY;
    struct work w = {.ask = ask, .level = level};
    om_status st = om__borders_get(ask->vectors, ask->layer, &borders);
    w.borders = w.ranks.lasting = borders.value;
    if (!st) st = build(&w);
    om__keep_release(ask->vectors, &borders);
    om_arena_deinit(&w.arena);
    *bytes = sizeof *level + w.ends.len + w.places.len;
    om_buf_deinit(&w.ends);
    om_buf_deinit(&w.places);
    om_buf_deinit(&w.pos);
    om_buf_deinit(&w.end);
    if (st) {
        free_level(level);
        return st;
    }
    *value = level;
    return OM_OK;
}

static const struct om__keep_kind KIND = {"level", make_level, free_level};

static void make_key(struct om__layer_key *key, const struct om_layer *layer,
                     unsigned z)
{
    om__layer_key(key, layer, NULL);
    key->number = z;
}

double om__level_cost_s(struct om_vectors *vectors,
                        const struct om_layer *layer, unsigned z)
{
    struct om__layer_key key;
    size_t vertices = 0;
    make_key(&key, layer, z);
    if (om__keep_has(vectors, &KIND, &key, sizeof key) ||
        om__vertices(layer, &vertices))
        return 0.0;
    return om__borders_cost_s(vectors, layer) + VERTEX_S * (double)vertices;
}

om_status om__level_get(struct om_vectors *vectors,
                        const struct om_layer *layer, unsigned z,
                        struct om__kept *out)
{
    struct om__layer_key key;
    struct ask ask = {vectors, layer, z};
    make_key(&key, layer, z);
    return om__keep_get(vectors, &KIND, &key, sizeof key, &ask, out);
}
