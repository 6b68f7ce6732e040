// vector_internal.h - what the files of vector tiles share.
#ifndef OM_TILES_VECTOR_VECTOR_INTERNAL_H
#define OM_TILES_VECTOR_VECTOR_INTERNAL_H

#include "data/base/arena.h"
#include "engine/policy/still.h"
#include "engine/query/curve.h"
#include "tiles/vector/vector.h"

/** Deepest zoom of tiles. */
#define OM__ZOOM_MAX 22
/** Zoom whose units are the cells of the grid of positions. */
#define OM__ZOOM_EXACT 20
/** A level of cells never has more of them in a tile. */
#define OM__CELLS (1u << (2 * OM_VECTOR_CELL_ZOOMS))

/* ---- places on the grid of a zoom (place.c) ----
 *
 * Units from the corner of the world or, in a tile, from the tile's. Points go
 * to the unit that holds them, so that none lies on a tile's far edge;
 * vertices to the nearest corner of units. */
struct om__xy {
    int64_t x, y;
};
struct om__place {
    unsigned z;
    uint32_t x, y;
    int64_t west, north;      // of the tile, in units of its zoom
    uint64_t code, code_end;  // Morton codes of positions in it; end 0: none
};
/** returns OM_E_RANGE */
om_status om__place_init(struct om__place *place, unsigned z, uint32_t x,
                         uint32_t y) OM_MUST_USE;
static inline int64_t om__unit_of(uint32_t at, unsigned z)
{
    if (z <= OM__ZOOM_EXACT) return at >> (OM__ZOOM_EXACT - z);
    const unsigned up = z - OM__ZOOM_EXACT;
    return ((int64_t)at << up) + (INT64_C(1) << (up - 1));
}
static inline int64_t om__corner_of(uint32_t at, unsigned z)
{
    if (z >= OM__ZOOM_EXACT) return om__unit_of(at, z);
    const unsigned down = OM__ZOOM_EXACT - z;
    return ((int64_t)at + (INT64_C(1) << (down - 1))) >> down;
}
/** Positions that may reach into the tile with its buffer. */
struct om_box om__place_reach(const struct om__place *place);

/* ---- shapes on the grid of a zoom (shape.c, snap.c, trace.c, clip.c) ---- */

/* Rings (or lines), one behind the other: ring i is [end[i - 1], end[i]). Of
 * polygons: each outer ring, clockwise as seen, is followed by its holes. Lies
 * in an arena. */
struct om__rings {
    struct om__xy *at;
    uint32_t *end;
    size_t rings, places;
};
/** Twice the area of a ring, positive if clockwise as seen on the map. */
__extension__ typedef __int128 om__wide;
om__wide om__ring_area2(const struct om__xy *at, size_t n);

/* A directed edge of a polygon, its inside on the right as seen on the map. */
struct om__edge {
    struct om__xy from, to;
};
/**
 * Polygons of edges that end in common places or not at all: edges that come
 * in both directions cancel, the rest is put together to simple rings that
 * meet in single places at most, outer ones with their holes.
 * shapes   edge [n], content lost
 * owns     out lies in `arena`
 */
om_status om__edges_trace(struct om__edge *edge, size_t n,
                          struct om_arena *arena,
                          struct om__rings *out) OM_MUST_USE;
/** The same for rings in whatever order, closed, clockwise outer ones; a short
 *  way if no place comes twice. */
om_status om__rings_trace(const struct om__rings *rings, struct om_arena *arena,
                          struct om__rings *out) OM_MUST_USE;

/** Does the edge come into the half-open square [low, low + side)? Exact. */
bool om__edge_passes(struct om__xy a, struct om__xy b, struct om__xy low,
                     int64_t side);
/** Sort places whose units an edge from a to b passes through, from `first` on
 *  in `way` (of struct om__xy), each once: it passes one after the other, so
 *  that their middles rise in its direction. */
void om__way_sort(struct om_buf *way, size_t first, struct om__xy a,
                  struct om__xy b);
/* Places that edges must go through if they come into their unit ("hot
 * pixels" of snap rounding). */
struct om__hot;
/**
 * Vertices of `pos` on the grid of zoom z (below OM__ZOOM_EXACT).
 * owns     *out lies in `arena`
 */
om_status om__hot_new(const struct om_pos *pos, size_t n, unsigned z,
                      struct om_arena *arena, struct om__hot **out) OM_MUST_USE;
/** Append the places that the edge from a to b goes through, without those of
 *  its ends, in order, to `out` (of struct om__xy). The other direction gives
 *  the same places. */
om_status om__hot_route(const struct om__hot *hot, struct om_pos a,
                        struct om_pos b, struct om_buf *out) OM_MUST_USE;

/**
 * A valid polygon on the grid of zoom z from a valid one of positions.
 * shapes   ring i is pos[end[i - 1], end[i]); hot NULL: only its own vertices
 * owns     out lies in `arena`
 */
om_status om__polygon_snap(const struct om_pos *pos, const uint32_t *end,
                           size_t rings, unsigned z, const struct om__hot *hot,
                           struct om_arena *arena,
                           struct om__rings *out) OM_MUST_USE;

/* Sides of a tile with its buffer, or any box; ends belong to it. */
struct om__frame {
    int64_t west, north, east, south;
};
/** The part of a valid polygon in the frame, valid again. `out` may be what is
 *  in `rings` if nothing had to be cut. */
om_status om__polygon_clip(const struct om__rings *rings,
                           const struct om__frame *frame,
                           struct om_arena *arena,
                           struct om__rings *out) OM_MUST_USE;
/** The parts of lines in the frame. */
om_status om__lines_clip(const struct om__rings *lines,
                         const struct om__frame *frame, struct om_arena *arena,
                         struct om__rings *out) OM_MUST_USE;

/* ---- what is kept (keep.c) ---- */

struct om__keep;
struct om_vectors {
    struct om__keep *keep;
    size_t border_vertices;  // see om__borders_limit
};

/* What a key begins with: what a layer consists of, and more that depends on
 * the kind. */
struct om__layer_key {
    char name[OM_LIMIT_NAME_BYTES];
    uint64_t serial, number, other;
};
/* What takes long to make of all shapes of a layer together is made of its
 * lasting parts: those in files, or all if there are none. Dead rows count,
 * since what is kept outlives them. What rows that were written since change
 * in it is found on top (mend.c, draw.c): a tile is that of a layer built anew.
 */

/** Number of a part among the lasting ones, OM__PASSING if it is not. */
size_t om__lasting(const struct om_layer *layer, size_t part);
#define OM__PASSING SIZE_MAX
/** The key of a layer's lasting parts and what `selection` took of them before
 *  rows died (NULL: all). */
void om__layer_key(struct om__layer_key *key, const struct om_layer *layer,
                   const struct om_selection *selection);
/** The same of all that lives now, which a written row changes. */
void om__layer_key_now(struct om__layer_key *key, const struct om_layer *layer,
                       const struct om_selection *selection);
/** Do other rows live than those of the lasting parts? */
bool om__written(const struct om_layer *layer);
/** About how many were written or are gone. */
size_t om__written_rows(const struct om_layer *layer);
/** The largest part: how it codes a column is how the layer does. NULL: there
 *  is none. */
const struct om_segment *om__largest(const struct om_layer *layer);

/* Kinds of what tiles share; each has a maker and a way to free. */
struct om__kept {
    void *value;  // for the caller to read
    void *slot;
};
struct om__keep_kind {
    const char *name;  // part of the key
    /** Make the value that the key asks for. *bytes: about what it takes. */
    om_status (*make)(void *ask, void **value, size_t *bytes);
    void (*free)(void *value);
};
/**
 * The value of a key, made once however many ask.
 * owns     *out: om__keep_release
 */
om_status om__keep_get(struct om_vectors *vectors,
                       const struct om__keep_kind *kind, const void *key,
                       size_t key_len, void *ask,
                       struct om__kept *out) OM_MUST_USE;
/** Is it there? */
bool om__keep_has(struct om_vectors *vectors, const struct om__keep_kind *kind,
                  const void *key, size_t key_len);
void om__keep_release(struct om_vectors *vectors, struct om__kept *kept);

/* ---- borders (border.c) ----
 *
 * All shapes of a layer of modest size as one network: places that shapes
 * share are one node, and each node knows the first zoom that shows it. */
struct om__borders {
    size_t parts;          // lasting ones
    size_t *first;         // [parts] into node
    const uint32_t *node;  // [vertices] of all parts
    size_t nodes;
    struct om_pos *pos;  // [nodes] along the curve
    uint8_t *zoom;       // [nodes]
    struct om_arena arena;
};
/** Nodes of the vertices of a lasting part. */
static inline const uint32_t *om__borders_of(const struct om__borders *b,
                                             size_t lasting)
{
    return b->node + b->first[lasting];
}
/** Ranks are found cell by cell of this level, 2.2 km wide in Dongguan: shapes
 *  keep a vertex where they enter one. Not those of units, which are of one
 *  cell, the world, and change as a whole set. */
#define OM__RANK_LEVEL OM_VECTOR_CELL_LEVEL
unsigned om__rank_level(const struct om_layer *layer);
static inline uint64_t om__rank_cell(struct om_pos at, unsigned level)
{
    return level ? om_morton(at) >> (64 - 2 * level) : 0;
}
struct om_box om__rank_box(uint64_t cell, unsigned level);
/** The network of what lives in a cell, the same as all shapes together have
 *  there; ranks of nodes outside mean nothing. `state`: of om__mend. */
om_status om__borders_of_cell(struct om_vectors *vectors,
                              const struct om_layer *layer, uint64_t cell,
                              uint64_t state, struct om__kept *out) OM_MUST_USE;
bool om__borders_know_cell(struct om_vectors *vectors,
                           const struct om_layer *layer, uint64_t cell,
                           uint64_t state);
/** Vertices of all shapes of a layer's lasting parts. */
om_status om__vertices(const struct om_layer *layer, size_t *out) OM_MUST_USE;
/** Layers of more vertices are drawn vertex by vertex: ranking takes a
 *  microsecond and some 60 bytes of each, which somebody waits for. It is the
 *  buildings that are more (8 million in a full city), and rectangles have
 *  nothing to lose; what is below a pixel is not drawn anyway. */
#define OM__BORDER_VERTICES 2000000
/** Another limit for what is made with `vectors` (tests). */
void om__borders_limit(struct om_vectors *vectors, size_t vertices);
/** Are the shapes of the layer simplified (are they few enough)? */
bool om__borders_wanted(struct om_vectors *vectors,
                        const struct om_layer *layer);
double om__borders_cost_s(struct om_vectors *vectors,
                          const struct om_layer *layer);
om_status om__borders_get(struct om_vectors *vectors,
                          const struct om_layer *layer,
                          struct om__kept *out) OM_MUST_USE;

/* All polygons of a layer on the grid of a zoom, simplified, valid. */
struct om__level {
    size_t parts;           // lasting ones
    uint32_t **shape_ring;  // [parts][rows + 1] into ring_end
    uint32_t *ring_end;     // [rings], into place
    struct om_pos *place;
    struct om_arena arena;
};
double om__level_cost_s(struct om_vectors *vectors,
                        const struct om_layer *layer, unsigned z);
om_status om__level_get(struct om_vectors *vectors,
                        const struct om_layer *layer, unsigned z,
                        struct om__kept *out) OM_MUST_USE;

/* ---- ranks of what lives (mend.c) ---- */

/* Cells in which shapes were written since the lasting parts were. */
struct om__mend {
    size_t cells;
    uint64_t *cell;   // rising
    uint64_t *state;  // of each: a hash of the shapes
    struct om_arena arena;
};
/* Who reads ranks; of one thread. */
struct om__ranks {
    struct om_vectors *vectors;
    const struct om_layer *layer;
    unsigned level;
    const struct om__borders *lasting;
    const struct om__mend *mend;  // NULL: nothing was written
    struct om__kept kept_lasting, kept_mend;
    struct om__kept *patch;  // [mend->cells] those that were needed
    // The cell that was asked for last.
    uint64_t cell;
    const struct om__borders *now;  // who knows it; NULL: none was
    bool patched;
};
/** owns: om__ranks_close, also after an error; scratch in `arena` until then */
om_status om__ranks_open(struct om__ranks *ranks, struct om_vectors *vectors,
                         const struct om_layer *layer,
                         struct om_arena *arena) OM_MUST_USE;
void om__ranks_close(struct om__ranks *ranks);
/** Seconds that have to be spent before ranks around a tile can be read. */
double om__ranks_cost_s(struct om_vectors *vectors,
                        const struct om_layer *layer,
                        const struct om__place *place);
/** The first zoom that shows a vertex of the layer.
 *  node: its own among those of the lasting parts; NULL: it is of none
 *  cost: a look-up; ranking the cell anew, once, where rows were written */
om_status om__rank(struct om__ranks *ranks, const uint32_t *node,
                   struct om_pos at, uint8_t *zoom) OM_MUST_USE;
/** Append the vertices of a ring that the zoom shows to `pos` and where they
 *  end to `end`: none where fewer than three are left.
 *  node: of the part's vertices, or NULL */
om_status om__ring_thin(struct om__ranks *ranks, const struct om_rings *rings,
                        const uint32_t *node, size_t ring, unsigned z,
                        struct om_buf *pos, struct om_buf *end) OM_MUST_USE;
/** Is a polygon of the lasting parts possibly another one than their level has,
 *  since rows were written around it? */
bool om__mend_touches(const struct om__ranks *ranks,
                      const struct om_rings *rings, size_t row, unsigned z);
/** A polygon at a zoom, as a level of all that lives would have it.
 *  cost: of its vertices and of those in the cells along it */
om_status om__mend_polygon(struct om__ranks *ranks,
                           const struct om_rings *rings, const uint32_t *node,
                           size_t row, unsigned z, struct om_arena *arena,
                           struct om__rings *out) OM_MUST_USE;

/* ---- which shapes are drawn (draw.c) ---- */

/** A class of sizes: four to an octave of the longer side of a box. */
static inline unsigned om__size_class(struct om_box box)
{
    if (box.x0 > box.x1) return 0;
    const uint32_t w = box.x1 - box.x0, h = box.y1 - box.y0;
    const uint64_t side = (uint64_t)(w > h ? w : h) + 1;
    const unsigned top = 63 - (unsigned)__builtin_clzll(side);
    return 1 + (top << 2 | (unsigned)(top >= 2 ? side >> (top - 2) & 3
                                               : side << (2 - top) & 3));
}
#define OM__SIZE_CLASSES 140

/* Of a selection: the least class drawn at each zoom, and where few of many
 * shapes are drawn, which (of one lasting part, and not of what was written).
 */
struct om__drawing {
    struct om__leaves *leaves;  // what of each size there is where (draw.c)
    unsigned least[OM__ZOOM_MAX + 1];
    bool lean[OM__ZOOM_MAX + 1];
    unsigned smallest;  // class there is
    struct om__few {
        size_t count;
        uint32_t *row;         // of the one lasting part, dead ones too, rising
        struct om_tree *tree;  // over their boxes; NULL: look at all rows
    } few[OM__ZOOM_MAX + 1];
};
double om__drawing_cost_s(struct om_vectors *vectors,
                          const struct om_vector_spec *spec);
/** living: of what lives now; else of the lasting parts, the dead among them */
om_status om__drawing_get(struct om_vectors *vectors,
                          const struct om_vector_spec *spec, bool living,
                          struct om__kept *out) OM_MUST_USE;
/** The first zoom that draws every row. */
unsigned om__all_zoom(const struct om__drawing *drawing);
/** About how many bytes the properties of a row take in a tile. */
size_t om__row_bytes(const struct om_vector_spec *spec, bool lean);

/* ---- rows as features (rows.c) ---- */

struct om__rows;
/** Is the column a property of rows? lean: not if every row has its own text
 *  and nobody asked for it. */
bool om__rows_want(const struct om_vector_spec *spec, size_t field, bool lean);
om_status om__rows_new(const struct om_vector_spec *spec, bool lean,
                       struct om_mvt *mvt, struct om_arena *arena,
                       struct om__rows **out) OM_MUST_USE;
void om__rows_free(struct om__rows *rows);
/** Rows [from, to) of a part are going to be asked for. */
om_status om__rows_touch(struct om__rows *rows, size_t part, size_t from,
                         size_t to) OM_MUST_USE;
/** Finish the feature under construction with the properties of a row. */
om_status om__rows_feature(struct om__rows *rows, enum om_mvt_type type,
                           size_t part, size_t row) OM_MUST_USE;

/* ---- rows in cells (cells.c, tally.c, words.c) ---- */

/** Selected rows 64 * w ... of a part as bits; `rows` of the part. */
static inline uint64_t om__selected(const struct om_selection *s, size_t part,
                                    size_t rows, size_t w)
{
    if (!s->all) return s->part[part].word[w];
    return rows - w * 64 >= 64 ? ~UINT64_C(0)
                               : (UINT64_C(1) << (rows - w * 64)) - 1;
}
static inline uint64_t om__selected_in(const struct om_selection *s,
                                       size_t part, size_t rows, size_t w,
                                       size_t from, size_t to)
{
    uint64_t bits = om__selected(s, part, rows, w);
    if (w * 64 < from) bits &= ~UINT64_C(0) << (from - w * 64);
    if (to < w * 64 + 64) bits &= (UINT64_C(1) << (to - w * 64)) - 1;
    return bits;
}
static inline size_t om__selected_count(const struct om_selection *s,
                                        size_t part, size_t from, size_t to)
{
    return s->all ? to - from : om_selection_count(s, part, from, to);
}

/** Rows [from, to) of a part that lie in the tile. */
struct om__stretch {
    size_t from, to;
};

/* Values of the `by` column of all parts, joined: the number of each code of a
 * part. The last number, `count`, is that of rows without a value. */
struct om__words {
    size_t count;
    const char **text;
    size_t *len;
    const uint8_t **of_code;  // [parts][words of the part]
};
om_status om__words_read(const struct om_layer *layer, size_t column,
                         struct om_arena *arena,
                         struct om__words *out) OM_MUST_USE;

/* Counts by word (or sums of numbers) before every so many rows of a part, of
 * what a selection took of it before rows died. */
#define OM__TALLY_ROWS 256
struct om__tally {
    size_t width;     // counters of a block: codes and one for NULL; sums 1
    uint32_t *count;  // [blocks + 1][width]
    int64_t *sum;     // [blocks + 1]
};
/** Rows of a tile from which on tallies pay. */
#define OM__TALLY_PAYS 100000
om_status om__tally_get(struct om_vectors *vectors,
                        const struct om_vector_spec *spec, size_t part,
                        size_t column, struct om__kept *out) OM_MUST_USE;
double om__tally_cost_s(struct om_vectors *vectors,
                        const struct om_vector_spec *spec, size_t part,
                        size_t column);

/* Cells of a part at least as fine as `level`: stored ones, or made once and
 * kept; count 0 if the rows are better read. */
om_status om__subcells_get(struct om_vectors *vectors,
                           const struct om_segment *segment, unsigned level,
                           struct om__kept *kept,
                           struct om_cells *out) OM_MUST_USE;
double om__subcells_cost_s(struct om_vectors *vectors,
                           const struct om_segment *segment, unsigned level);

/* One cell of a tile. */
struct om__cell {
    uint64_t count;
    uint64_t placed;       // rows that x and y are of, drawn ones too
    uint64_t first, last;  // Morton codes of its first and last row
    uint64_t x, y;         // sums of positions
    struct om_box box;
    struct om_row_at row;  // if count is 1
    om_wide *sum;          // [sums]
    uint64_t *word;        // [words + 1]
};
struct om__cells {
    unsigned zooms;  // of cells below the tile's: 1 << zooms a side
    size_t count;
    struct om__cell *cell;  // in Morton order, empty ones too
    struct om__words words;
    size_t sums;
    size_t *sum_column;  // [sums]
    uint64_t total;
};
/** The rows of the tile in cells; rows listed in `drawn` (rising by part and
 *  row, all in the tile) are left out. owns: out lies in arena. */
om_status om__cells_gather(struct om_vectors *vectors,
                           const struct om_vector_spec *spec,
                           const struct om__place *place,
                           const struct om__stretch *stretch, unsigned zooms,
                           const struct om_row_at *drawn, size_t drawn_count,
                           struct om_arena *arena,
                           struct om__cells *out) OM_MUST_USE;
double om__cells_cost_s(struct om_vectors *vectors,
                        const struct om_vector_spec *spec,
                        const struct om__place *place,
                        const struct om__stretch *stretch);
/** Features of the cells that hold more than `alone` rows.
 *  `whole_rows`: a tile of at most so many rows shows them all; `whole_zoom`:
 *  so do all tiles from this zoom on. */
om_status om__cells_write(const struct om__cells *cells,
                          const struct om_vector_spec *spec,
                          const struct om__place *place, uint64_t alone,
                          uint64_t whole_rows, unsigned whole_zoom,
                          struct om_arena *arena,
                          struct om_mvt *mvt) OM_MUST_USE;

/* ---- the tile (vector.c, points.c, shapes.c) ---- */

/* What a tile is made with. */
struct om__making {
    struct om_vectors *vectors;
    const struct om_vector_spec *spec;
    struct om__place place;
    struct om__stretch *stretch;  // [parts]
    uint64_t total;               // rows selected in it
    struct om_arena *arena;
    struct om_mvt rows, cells;
    uint64_t shown;  // rows of the tile as themselves
};
/** Begin again: nothing shown, nothing counted. */
void om__making_clear(struct om__making *m);
/** Of persons (spec->crowd): counts of the cells that may be told, in the place
 *  of those that were gathered, and m->total. Cells are at most as fine as
 *  OM_CROWD_LEVEL. test: tests/web/rights.test.mjs */
om_status om__crowd_count(struct om__making *m,
                          struct om__cells *cells) OM_MUST_USE;
/** Will it be a tile of at most OM_VECTOR_BYTES? */
bool om__making_fits(const struct om__making *m);
om_status om__points_make(struct om__making *m) OM_MUST_USE;
om_status om__shapes_make(struct om__making *m) OM_MUST_USE;
/** Rows of a point tile up to which all are shown. */
uint64_t om__points_whole(const struct om_vector_spec *spec);

#endif
