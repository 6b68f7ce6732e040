// mesh.h - the planar mesh whose cells make up all units of the city.
#ifndef OM_DATA_SYNTH_MESH_H
#define OM_DATA_SYNTH_MESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"
#include "data/synth/plane.h"

/* Six-sided cells in rows, every second row shifted by half a cell. Three
 * cells meet at a corner, so a union of cells never touches itself in a single
 * point and its rings are always simple. Corners of borders are moved later;
 * a cell stays star-shaped around its middle, which keeps the mesh planar.
 *
 * Edge k of a cell goes from its corner k to corner k+1, counter-clockwise,
 * and faces its neighbour k: east, north-east, north-west, west, south-west,
 * south-east. */
struct om__mesh {
    double columns_per_m, rows_per_m;
    double step_m;  // between middles of neighbours
    uint32_t columns, rows;
    uint32_t cells;             // columns * rows
    struct om__xy origin;       // middle of cell 0
    struct om__corner *corner;  // [2 * cells]: top and bottom of each cell
    uint8_t *moved;  // [cells] a corner is not where the lattice has it
};

#define OM__SIDES 6
#define OM__NO_CELL UINT32_MAX

/** Cover the box from (west, south) to (east, north). owns: om__mesh_deinit */
om_status om__mesh_init(struct om__mesh *mesh, struct om__xy south_west,
                        struct om__xy north_east, double step_m) OM_MUST_USE;
void om__mesh_deinit(struct om__mesh *mesh);

struct om__xy om__mesh_middle(const struct om__mesh *mesh, uint32_t cell);
double om__mesh_cell_m2(const struct om__mesh *mesh);
/** Neighbours in the order of the sides; OM__NO_CELL beyond the mesh. */
void om__mesh_neighbours(const struct om__mesh *mesh, uint32_t cell,
                         uint32_t out[OM__SIDES]);
/** Corners of a cell that is not at the rim, counter-clockwise. */
void om__mesh_corners(const struct om__mesh *mesh, uint32_t cell,
                      uint32_t out[OM__SIDES]);
/** Is the cell in the outermost two rows or columns? They hold no unit. */
bool om__mesh_rim(const struct om__mesh *mesh, uint32_t cell);
/** The cell of the unmoved lattice at p, or OM__NO_CELL. */
uint32_t om__mesh_raw(const struct om__mesh *mesh, struct om__xy p);
/** The cell at p with its corners as they lie now. */
uint32_t om__mesh_find(const struct om__mesh *mesh, struct om__xy p);

/**
 * Smooth the borders between cells and round off the steps of the lattice.
 *
 * shapes   label [cells]; border(ctx, a, b) is 0 for cells on the same side,
 *          else a rank: higher borders pull lower ones along
 */
typedef unsigned om__border_fn(const void *ctx, uint32_t a, uint32_t b);
om_status om__mesh_smooth(struct om__mesh *mesh, om__border_fn *border,
                          const void *ctx, uint64_t seed) OM_MUST_USE;

#endif
