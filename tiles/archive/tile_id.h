// tile_id.h - the number of a tile in an archive: zooms one after the other,
// each along a Hilbert curve.
#ifndef OM_TILES_ARCHIVE_TILE_ID_H
#define OM_TILES_ARCHIVE_TILE_ID_H

#include <stdint.h>

/** Deepest zoom whose ids fit into 64 bits with room to spare. */
#define OM_TILE_ID_ZOOM_MAX 26

/** Id of a tile; x, y < 2^z, z <= OM_TILE_ID_ZOOM_MAX.
 *  source: PMTiles specification, version 3, section 4.1 */
uint64_t om_tile_id(unsigned z, uint32_t x, uint32_t y);
/** The tile of an id. */
void om_tile_of_id(uint64_t id, unsigned *z, uint32_t *x, uint32_t *y);
/** Id of the first tile of a zoom: how many tiles the zooms before it have. */
static inline uint64_t om_tile_id_first(unsigned z)
{
    return ((UINT64_C(1) << 2 * z) - 1) / 3;
}

#endif
