// vector.h - a vector tile of a layer: shapes and points, or honest counts.
#ifndef OM_TILES_VECTOR_VECTOR_H
#define OM_TILES_VECTOR_VECTOR_H

#include "engine/query/query.h"
#include "tiles/vector/mvt.h"

/** A tile never has more bytes, before gzip. */
#define OM_VECTOR_BYTES 500000
/** Bytes above which tiles of units are lean; by an estimate that may be off
 *  by a fifth. */
#define OM_VECTOR_LEAN 120000
/** Units around a tile that lines and polygons reach into. Points have none:
 *  each belongs to the one tile that holds it. */
#define OM_VECTOR_BUFFER 64
/** Cells of an aggregated tile are of this many zooms deeper. */
#define OM_VECTOR_CELL_ZOOMS 5
/** Values of a column that cells can be counted by. */
#define OM_VECTOR_WORDS 64

/* What tiles share: simplified borders, which shapes are drawn at which zoom,
 * counts of categories. Made when first needed, least recently used out.
 * threads: any. */
struct om_vectors;
om_status om_vectors_new(size_t max_bytes, struct om_vectors **out) OM_MUST_USE;
void om_vectors_free(struct om_vectors *vectors);
/** Forget everything that is not in use (benchmarks). */
void om_vectors_clear(struct om_vectors *vectors);
struct om_cache_stats om_vectors_stats(const struct om_vectors *vectors);

/* What a tile shows. */
struct om_vector_spec {
    const struct om_layer *layer;
    const struct om_selection *selection;  // of the layer
    const char *name;                      // of the tile's layer
    const bool *column;  // [fields] which become properties; NULL: all. The
                         // id always does ...
    bool nameless;       // ... or not, and features have none either
    size_t by;           // column that cells are counted by, or OM_NO_FIELD
    int32_t zone_s;      // of the city's clock, for times
    int64_t as_of_s;     // UTC; 0: unknown
    uint64_t crowd;  // 0; or rows of points are not shown, and cells only from
                     // so many rows on, without a box: what is about persons
    bool apart;  // several layers share a tile: `cells` and `meta` are called
                 // NAME:cells and NAME:meta
    uint64_t *shown;  // becomes how many rows it shows as themselves; or NULL
};

/** Bytes of a name of a tile's layer, with its NUL. */
#define OM_VECTOR_NAME_BYTES (OM_LIMIT_NAME_BYTES * 2)
/** What the tile's layer of `cells` or `meta` is called. */
void om_vector_name(const struct om_vector_spec *spec, const char *what,
                    char out[OM_VECTOR_NAME_BYTES]);
/** Of a layer of points: rows of a tile up to which they are shown as
 *  themselves. What tiles share beside the rows that lie in them. */
uint64_t om_vector_points_most(const struct om_vector_spec *spec);
/** The column that cells are counted by where nobody said: the first category
 *  of the layer's own columns with few values, or OM_NO_FIELD. */
size_t om_vector_by(const struct om_layer *layer);
/** Can cells be counted by the column? OM_E_TYPE (no categories), OM_E_COST
 *  (more than OM_VECTOR_WORDS values), OM_E_DAMAGED, OM_E_MEMORY. */
om_status om_vector_by_check(const struct om_layer *layer,
                             size_t column) OM_MUST_USE;
/**
 * Of a layer of lines or polygons: where rows lie that a tile depends on. While
 * none is written there, and om_vector_look is as it was, so is the tile.
 * returns  OM_E_RANGE, OM_E_DAMAGED, OM_E_MEMORY
 * cost     a look at the boxes of some thousand shapes; of more it says that
 *          the tile depends on all
 */
om_status om_vector_reach(struct om_vectors *vectors,
                          const struct om_vector_spec *spec, unsigned z,
                          uint32_t x, uint32_t y,
                          struct om_box *out) OM_MUST_USE;
/**
 * Where vector tiles of a layer of lines or polygons may be others once shapes
 * in `box` were written: beside the box itself the cells in which
 * simplification looks at it, and of polygons the boxes of those that lie
 * there. Tells `each` of boxes that hold all of that; of a layer that is not
 * simplified of none.
 *
 * most     shapes that are looked at, at most; counts down
 * returns  OM_E_LIMIT (more than `most`: anywhere), what `each` returned,
 *          OM_E_DAMAGED, OM_E_MEMORY
 */
om_status om_vector_touched(struct om_vectors *vectors,
                            const struct om_layer *layer, struct om_box box,
                            size_t *most,
                            om_status (*each)(void *ctx, struct om_box box),
                            void *ctx) OM_MUST_USE;
/** Level of the cells in which simplification looks at shapes. */
#define OM_VECTOR_CELL_LEVEL 14
/** How all tiles are drawn: a hash of the sizes that each zoom draws. Few rows
 *  change it. cost: of the first tile after a write */
om_status om_vector_look(struct om_vectors *vectors,
                         const struct om_vector_spec *spec,
                         uint64_t *out) OM_MUST_USE;
/** Seconds of one core that have to be spent before the tile can be made: 0
 *  once they have been. Costs microseconds. */
double om_vector_cost_s(struct om_vectors *vectors,
                        const struct om_vector_spec *spec, unsigned z,
                        uint32_t x, uint32_t y);

/**
 * Append the tile z/x/y. Nothing is appended where nothing is: an empty tile.
 *
 * Layers of the tile, each left out if it has no features:
 *   NAME   rows as themselves, with their columns as properties (NULL: none)
 *          and the text id; feature ids are the id if it is a decimal number
 *          below 2^53, else 53 bits of its hash. Times are ISO 8601 texts.
 *          Units, which are drawn all or not at all, are lean at zooms whose
 *          fullest tile would pass OM_VECTOR_LEAN with all columns: texts of
 *          which every row has its own come only if `column` asks for them
 *   cells  where rows are too many (points) or too small (lines, polygons) to
 *          be drawn: points at the mean of the rows of a 32nd of the tile (of
 *          many rows to a 16th of a cell's side), with `count`; `COLUMN:VALUE` counts by the `by` column, those that
 *          are not 0 (NULL rows: "COLUMN:"); `sum:COLUMN` of integer
 *          properties (sums of reals would not be exact) but none of a column
 *          that is hidden from who asks, whatever the count; `bbox`,
 *          "west,south,east,north" in degrees, which holds all rows of the
 *          cell and is at most a seventh of a cell larger; `expansion_zoom`,
 *          the first zoom that shows the rows in more than one feature (absent:
 *          none does)
 *   meta   in tiles with cells: one polygon, the tile, with `total` rows that
 *          lie here, of which `shown` as themselves and `suppressed` only
 *          counted in cells; `by`; `as_of`
 * (A layer of data called cells or meta makes ours cells_ and meta_.)
 *
 * A row is counted in the tile that holds its position (the middle of a
 * shape's box), never twice: over all tiles of a zoom, distinct ids in NAME
 * plus the sum of `count` are the rows selected, whatever the zoom. Shapes
 * reach OM_VECTOR_BUFFER units beyond the tile and come in each tile that
 * they touch, at a zoom either in all or in none. Which are drawn is the
 * same for all tiles of a zoom (unless a single tile would break its limit of
 * bytes): those not below a pixel, and the largest that the fullest tile
 * has room for.
 *
 * Polygons are valid, outer rings clockwise on the map; lines and polygons
 * that share a border keep the same vertices on it at every zoom.
 *
 * returns  OM_E_RANGE (z above 22, x or y not below 2^z), OM_E_TYPE, OM_E_COST
 *          (by), OM_E_DAMAGED, OM_E_MEMORY; `tile` is as it was
 * cost     1,000 buildings under 0.5 ms; bench benchmarks/tiles/bench_mvt.c
 * test     tests/tiles/test_vector.c, test_vector_shapes.c, test_vector_sums.c
 */
om_status om_vector_tile(struct om_vectors *vectors,
                         const struct om_vector_spec *spec, unsigned z,
                         uint32_t x, uint32_t y, struct om_arena *arena,
                         struct om_buf *tile) OM_MUST_USE;

#endif
