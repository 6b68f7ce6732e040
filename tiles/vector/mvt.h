// mvt.h - writes the layers of a vector tile (Mapbox Vector Tile 2.1).
#ifndef OM_TILES_VECTOR_MVT_H
#define OM_TILES_VECTOR_MVT_H

#include <stdbool.h>

#include "data/base/buf.h"

/** Units across a tile. */
#define OM_MVT_EXTENT 4096

enum om_mvt_type { OM_MVT_POINT = 1, OM_MVT_LINE = 2, OM_MVT_POLYGON = 3 };

/* A place in a tile: units from its north-west corner, y southward. */
struct om_mvt_xy {
    int32_t x, y;
};

/* One layer being written. Zero is a valid empty one. What fails sticks and is
 * told by om_mvt_write. */
struct om_mvt {
    struct om_buf keys, values, features;  // encoded
    struct om_buf tags, words;  // uint32: of the feature under construction
    struct om_buf starts;       // uint32: where each value begins in `values`
    struct om_buf slots;        // uint64: hash table of values
    size_t slot_count;
    struct om_buf small;  // uint32: value of each small whole number, less one
    uint32_t key_count, value_count;
    uint64_t feature_count;
    struct om_mvt_xy cursor;
};
void om_mvt_deinit(struct om_mvt *layer);

/** Number of a new key. Keys are not compared: each name once. */
uint32_t om_mvt_key(struct om_mvt *layer, const char *name, size_t len);
/** Number of a value; equal ones of the same type share it. */
uint32_t om_mvt_text(struct om_mvt *layer, const char *text, size_t len);
uint32_t om_mvt_integer(struct om_mvt *layer, int64_t value);
uint32_t om_mvt_real(struct om_mvt *layer, double value);
uint32_t om_mvt_boolean(struct om_mvt *layer, bool value);
/** The same for a text that comes once: not looked up, not shared. */
uint32_t om_mvt_text_once(struct om_mvt *layer, const char *text, size_t len);

/* A feature: tags and geometry in any order, then om_mvt_feature. */
static inline void om_mvt_tag(struct om_mvt *layer, uint32_t key,
                              uint32_t value)
{
    if (om_buf_reserve(&layer->tags, 2 * sizeof(uint32_t))) return;
    uint32_t *at = (uint32_t *)(void *)(layer->tags.bytes + layer->tags.len);
    at[0] = key;
    at[1] = value;
    layer->tags.len += 2 * sizeof(uint32_t);
}
void om_mvt_point(struct om_mvt *layer, struct om_mvt_xy at);
/** At least 2 places, neighbours distinct. */
void om_mvt_line(struct om_mvt *layer, const struct om_mvt_xy *at, size_t n);
/** At least 3 places, the first not repeated. Outer rings clockwise as seen
 *  on the map, each followed by its holes, which go the other way. */
void om_mvt_ring(struct om_mvt *layer, const struct om_mvt_xy *at, size_t n);
/** Has the feature under construction geometry? */
static inline bool om_mvt_drawn(const struct om_mvt *layer)
{
    return layer->words.len > 0;
}
/** Finish it; the id is left out if `id` is OM_MVT_NO_ID. */
#define OM_MVT_NO_ID UINT64_MAX
void om_mvt_feature(struct om_mvt *layer, enum om_mvt_type type, uint64_t id);
/** Forget it. */
void om_mvt_abandon(struct om_mvt *layer);

/** Bytes that om_mvt_write will append, but for some ten and the name. */
size_t om_mvt_bytes(const struct om_mvt *layer);
/**
 * Append the layer to a tile; without features nothing is. A tile has no two
 * layers of one name.
 * returns  OM_E_MEMORY, also if anything before failed
 * source   github.com/mapbox/vector-tile-spec, 2.1
 * test     tests/tiles/test_mvt.c
 */
om_status om_mvt_write(const struct om_mvt *layer, const char *name,
                       struct om_buf *tile) OM_MUST_USE;

#endif
