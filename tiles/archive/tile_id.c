// tile_id.c - along the Hilbert curve and back.
#include "tiles/archive/tile_id.h"

/* Turn the quadrant of side `side` so that the curve begins at its corner. */
static void turn(uint32_t side, uint32_t *x, uint32_t *y, uint32_t right,
                 uint32_t low)
{
    if (low) return;
    if (right) {
        *x = side - 1 - *x;
        *y = side - 1 - *y;
    }
    const uint32_t swap = *x;
    *x = *y;
    *y = swap;
}

uint64_t om_tile_id(unsigned z, uint32_t x, uint32_t y)
{
    uint64_t d = 0;
    for (unsigned level = z; level-- > 0;) {
        const uint32_t side = UINT32_C(1) << level;
        const uint32_t right = x >> level & 1, low = y >> level & 1;
        d = d << 2 | ((3 * right) ^ low);
        x &= side - 1;
        y &= side - 1;
        turn(side, &x, &y, right, low);
    }
    return om_tile_id_first(z) + d;
}

void om_tile_of_id(uint64_t id, unsigned *z, uint32_t *x, uint32_t *y)
{
    *z = 0;
    while (om_tile_id_first(*z + 1) <= id) ++*z;
    const uint64_t d = id - om_tile_id_first(*z);
    *x = *y = 0;
    for (unsigned level = 0; level < *z; level++) {
        const uint32_t quadrant = (uint32_t)(d >> 2 * level & 3);
        const uint32_t right = quadrant >> 1;
        const uint32_t low = (quadrant ^ right) & 1;
        const uint32_t side = UINT32_C(1) << level;
        turn(side, x, y, right, low);
        *x += right * side;
        *y += low * side;
    }
}
