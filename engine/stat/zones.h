// zones.h - what is counted by: units of a level, or cells of a tiling.
#ifndef OM_ENGINE_STAT_ZONES_H
#define OM_ENGINE_STAT_ZONES_H

#include "engine/filter/filter.h"
#include "engine/stat/tiling.h"

/* Areas in the order of their index: units by id, cells in rows from the
 * north. Zero is a valid empty one. */
struct om_zones {
    bool tiled;
    size_t count;
    struct om_units units;    // of the level; of the finest where tiled, to
                              // say where a cell lies; count 0: none
    struct om_tiling tiling;  // where tiled
    double *x, *y;            // [count] middles, in grid cells
    double *km2;              // [count] on the ground
};

/**
 * Areas by what users type: a level of the city ("grid"), "square:M" or
 * "hex:M", M ground metres.
 *
 * Cells cover the city's units of the coarsest level (so that those where
 * nothing happens count), or without units the box of `layer`.
 *
 * returns  OM_E_NOTFOUND (no such level; err lists them), OM_E_RANGE,
 *          OM_E_FORMAT, OM_E_COST, OM_E_MEMORY; err says what
 * owns     om_zones_deinit; the snapshot must stay held
 */
om_status om_zones_read(const struct om_snapshot *snapshot, const char *text,
                        const struct om_layer *layer, struct om_zones *out,
                        struct om_err *err) OM_MUST_USE;
void om_zones_deinit(struct om_zones *areas);

/* Which area each row of a part lies in. */
struct om_zone_rows {
    const struct om_zones *areas;
    struct om_unit_rows unit;  // of units
    const uint64_t *key;       // of cells
};
/** Prepare a part of a layer of points. OM_E_NOTFOUND: the layer has no column
 *  of the level. owns: what it needs lies in `arena` */
om_status om_zones_rows(const struct om_zones *areas,
                        const struct om_layer *layer, size_t part,
                        struct om_arena *arena,
                        struct om_zone_rows *out) OM_MUST_USE;
/** Index of the area a row lies in, OM_NO_UNIT if in none. */
static inline uint32_t om_zone_of_row(const struct om_zone_rows *rows,
                                      size_t row)
{
    if (!rows->key) return om_unit_of_row(&rows->unit, row);
    const struct om_pos pos = om_morton_pos(rows->key[row]);
    int64_t col, at;
    // The middle of the position: borders of cells are no positions.
    om_tiling_cell(&rows->areas->tiling, pos.x + 0.5, pos.y + 0.5, &col, &at);
    return om_tiling_at(&rows->areas->tiling, col, at);
}

/* Who counts as a neighbour. */
enum om_near_kind { OM_NEAR_TOUCHING, OM_NEAR_BAND, OM_NEAR_NEAREST };
struct om_near_spec {
    enum om_near_kind kind;
    enum om_touch touch;
    double radius_m;
    size_t k;
};
/** "contiguity" (or queen), "rook", "band:M", "nearest:K". OM_E_FORMAT,
 *  OM_E_RANGE; err says what. */
om_status om_near_spec_read(const char *text, struct om_near_spec *out,
                            struct om_err *err) OM_MUST_USE;
om_status om_zones_graph(const struct om_zones *areas,
                         const struct om_near_spec *spec,
                         struct om_graph *out) OM_MUST_USE;

#endif
