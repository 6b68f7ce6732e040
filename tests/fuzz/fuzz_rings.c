// fuzz_rings.c - polygons as text: what is taken is a polygon one can use.
#include <stdint.h>
#include <stdlib.h>

#include "engine/shape/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int truth)
{
    if (!truth) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct om_arena arena = {0};
    struct om_rings rings;
    struct om_err err;
    const om_status st =
        om_rings_parse((const char *)bytes, len, &arena, &rings, &err);
    if (!st) {
        must(rings.count == 1 && rings.shape_part[1] > 0);
        must(rings.box[0].x0 < rings.box[0].x1 &&
             rings.box[0].y0 < rings.box[0].y1);
        must(om_rings_area_km2(&rings, 0) > 0);
        must(om_rings_intersect(&rings, 0, OM_GEOMETRY_POLYGON, &rings, 0));
        const struct om_pos out = {rings.box[0].x1, rings.box[0].y1};
        must(!om_rings_contain(&rings, 0, out));
    } else {
        must(rings.count == 0 && err.code == st);
    }
    om_arena_deinit(&arena);
    return 0;
}
