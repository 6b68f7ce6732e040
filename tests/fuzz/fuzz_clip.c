// fuzz_clip.c - any polygon that the engine takes, snapped and cut, is valid.
#include <geos_c.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/shape/shape.h"
#include "tiles/vector/vector_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define VERTICES 200

static void must(int truth)
{
    if (!truth) abort();
}

static void quiet(const char *format, ...)
{
    (void)format;
}

static GEOSGeometry *ring_of(GEOSContextHandle_t geos, const struct om__xy *at,
                             size_t n)
{
    GEOSCoordSequence *s = GEOSCoordSeq_create_r(geos, (unsigned)n + 1, 2);
    for (size_t i = 0; i <= n; i++)
        GEOSCoordSeq_setXY_r(geos, s, (unsigned)i, (double)at[i % n].x,
                             (double)at[i % n].y);
    return GEOSGeom_createLinearRing_r(geos, s);
}

/* Outer rings clockwise, each followed by its holes; all valid together. */
static void must_be_valid(const struct om__rings *rings)
{
    static GEOSContextHandle_t geos;
    if (!geos) {
        geos = GEOS_init_r();
        GEOSContext_setNoticeHandler_r(geos, quiet);
        GEOSContext_setErrorHandler_r(geos, quiet);
    }
    GEOSGeometry *part[2 * VERTICES], *hole[2 * VERTICES];
    unsigned parts = 0;
    must(rings->rings < 2 * VERTICES);
    for (size_t r = 0; r < rings->rings;) {
        size_t from = r ? rings->end[r - 1] : 0;
        must(om__ring_area2(rings->at + from, rings->end[r] - from) > 0);
        GEOSGeometry *outer =
            ring_of(geos, rings->at + from, rings->end[r] - from);
        unsigned holes = 0;
        for (r++; r < rings->rings; r++) {
            from = rings->end[r - 1];
            const size_t n = rings->end[r] - from;
            if (om__ring_area2(rings->at + from, n) > 0) break;
            hole[holes++] = ring_of(geos, rings->at + from, n);
        }
        part[parts++] = GEOSGeom_createPolygon_r(geos, outer, hole, holes);
    }
    GEOSGeometry *all =
        GEOSGeom_createCollection_r(geos, GEOS_MULTIPOLYGON, part, parts);
    must(GEOSisValid_r(geos, all) == 1);
    GEOSGeom_destroy_r(geos, all);
}

/* Two bytes a vertex, an axis in steps of 64 positions; 0xff ends a ring. */
static om_status settle(const uint8_t *bytes, size_t len,
                        struct om_arena *arena, struct om_rings *out)
{
    double x[VERTICES], y[VERTICES];
    uint32_t ring_vertex[VERTICES + 1] = {0}, part_ring[2],
                                    shape_part[2] = {0, 1};
    size_t n = 0, rings = 0;
    for (size_t i = 0; i + 1 < len && n < VERTICES; i += 2) {
        if (bytes[i] == 0xff) {
            if (n > ring_vertex[rings]) ring_vertex[++rings] = (uint32_t)n;
            continue;
        }
        x[n] = 1e9 + 64.0 * bytes[i] + bytes[i + 1] % 7;
        y[n++] = 1e9 + 64.0 * bytes[i + 1];
    }
    if (n > ring_vertex[rings]) ring_vertex[++rings] = (uint32_t)n;
    part_ring[0] = 0;
    part_ring[1] = (uint32_t)rings;
    const struct om_shapes shapes = {1,           shape_part, part_ring,
                                     ring_vertex, x,          y};
    struct om_shape_note note;
    if (!rings) return OM_E_GEOMETRY;
    return om_shapes_settle(&shapes, OM_GEOMETRY_POLYGON, false, arena, out,
                            &note);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct om_arena arena = {0};
    struct om_rings settled;
    if (len < 5) return 0;
    if (!settle(bytes + 5, len - 5, &arena, &settled) &&
        settled.shape_part[1] > settled.shape_part[0]) {
        // Zooms at which a step is one thirty-second of a unit to four units.
        const unsigned z = 9 + bytes[0] % 8;
        const size_t from = settled.part_ring[settled.shape_part[0]];
        const size_t rings = settled.part_ring[settled.shape_part[1]] - from;
        struct om__rings snapped, cut;
        must(om__polygon_snap(settled.vertex, settled.ring_vertex + from + 1,
                              rings, z, NULL, &arena, &snapped) == OM_OK);
        must_be_valid(&snapped);
        const int64_t unit = INT64_C(1) << (20 - z);
        const struct om__frame f = {
            (1000000000 + 64 * bytes[1]) / unit,
            (1000000000 + 64 * bytes[2]) / unit,
            (1000000000 + 64 * (bytes[1] + bytes[3])) / unit,
            (1000000000 + 64 * (bytes[2] + bytes[4])) / unit};
        must(om__polygon_clip(&snapped, &f, &arena, &cut) == OM_OK);
        must_be_valid(&cut);
        for (size_t i = 0; i < cut.places; i++)
            must(cut.at[i].x >= f.west && cut.at[i].x <= f.east &&
                 cut.at[i].y >= f.north && cut.at[i].y <= f.south);
    }
    om_arena_deinit(&arena);
    return 0;
}
