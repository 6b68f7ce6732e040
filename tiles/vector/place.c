// place.c - where a tile lies.
#include "tiles/vector/vector_internal.h"

om_status om__place_init(struct om__place *place, unsigned z, uint32_t x,
                         uint32_t y)
{
    if (z > OM__ZOOM_MAX || x >> z || y >> z) return OM_E_RANGE;
    const uint64_t cell = om_morton((struct om_pos){x, y});
    *place = (struct om__place){
        .z = z,
        .x = x,
        .y = y,
        .west = (int64_t)x * OM_MVT_EXTENT,
        .north = (int64_t)y * OM_MVT_EXTENT,
        // A shift of 64 bits is none.
        .code = z ? cell << (64 - 2 * z) : 0,
        .code_end = z ? (cell + 1) << (64 - 2 * z) : 0,
    };
    return OM_OK;
}

static uint32_t clamp(int64_t at)
{
    return at < 0 ? 0 : at > UINT32_MAX ? UINT32_MAX : (uint32_t)at;
}

/* First and last position of one axis. One unit more than the buffer, since
 * vertices go to the nearest corner. */
static void reach(uint32_t tile, unsigned z, uint32_t *first, uint32_t *last)
{
    const int64_t side = INT64_C(1) << (32 - z);
    const int64_t more =
        (side * (OM_VECTOR_BUFFER + 1) + OM_MVT_EXTENT - 1) / OM_MVT_EXTENT;
    *first = clamp((int64_t)tile * side - more);
    *last = clamp((int64_t)tile * side + side - 1 + more);
}

struct om_box om__place_reach(const struct om__place *place)
{
    struct om_box box;
    reach(place->x, place->z, &box.x0, &box.x1);
    reach(place->y, place->z, &box.y0, &box.y1);
    return box;
}
