// tile_shapes.h - shapes of tiles for GEOS, and what their edges add up to.
#ifndef OM_TESTS_TILES_TILE_SHAPES_H
#define OM_TESTS_TILES_TILE_SHAPES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <geos_c.h>

#include "tiles/vector/vector_internal.h"

static inline GEOSGeometry *shape_ring(GEOSContextHandle_t geos,
                                       const struct om__xy *at, size_t n)
{
    GEOSCoordSequence *s = GEOSCoordSeq_create_r(geos, (unsigned)n + 1, 2);
    for (size_t i = 0; i <= n; i++)
        GEOSCoordSeq_setXY_r(geos, s, (unsigned)i, (double)at[i % n].x,
                             (double)at[i % n].y);
    return GEOSGeom_createLinearRing_r(geos, s);
}

/* Rings as a multipolygon: each clockwise one begins a polygon. */
static inline GEOSGeometry *shape_polygon(GEOSContextHandle_t geos,
                                          const struct om__rings *rings)
{
    GEOSGeometry **part = calloc(rings->rings + 1, sizeof *part);
    GEOSGeometry **hole = calloc(rings->rings + 1, sizeof *hole);
    size_t parts = 0;
    for (size_t r = 0; r < rings->rings;) {
        size_t from = r ? rings->end[r - 1] : 0;
        assert_true(om__ring_area2(rings->at + from, rings->end[r] - from) > 0);
        GEOSGeometry *outer =
            shape_ring(geos, rings->at + from, rings->end[r] - from);
        unsigned holes = 0;
        for (r++; r < rings->rings; r++) {
            from = rings->end[r - 1];
            const size_t n = rings->end[r] - from;
            if (om__ring_area2(rings->at + from, n) > 0) break;
            hole[holes++] = shape_ring(geos, rings->at + from, n);
        }
        part[parts++] = GEOSGeom_createPolygon_r(geos, outer, hole, holes);
    }
    GEOSGeometry *all = GEOSGeom_createCollection_r(geos, GEOS_MULTIPOLYGON,
                                                    part, (unsigned)parts);
    free(part);
    free(hole);
    return all;
}

static inline void shape_must_be_valid(GEOSContextHandle_t geos,
                                       const struct om__rings *rings)
{
    GEOSGeometry *g = shape_polygon(geos, rings);
    if (GEOSisValid_r(geos, g) != 1) {
        char *reason = GEOSisValidReason_r(geos, g);
        char *text = GEOSGeomToWKT_r(geos, g);
        print_message("%s: %s\n", reason, text);
        GEOSFree_r(geos, reason);
        GEOSFree_r(geos, text);
        fail();
    }
    GEOSGeom_destroy_r(geos, g);
}

static inline double shape_area(GEOSContextHandle_t geos, const GEOSGeometry *g)
{
    double area = 0;
    assert_int_equal(GEOSArea_r(geos, g, &area), 1);
    return area;
}

/* Directed edges of many shapes; those that come both ways cancel. */
struct edge_sum {
    struct om__edge *edge;
    size_t count, room;
};
static inline void edges_add(struct edge_sum *s, struct om__xy from,
                             struct om__xy to)
{
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        s->edge = realloc(s->edge, s->room * sizeof *s->edge);
    }
    s->edge[s->count++] = (struct om__edge){from, to};
}
static inline void edges_add_rings(struct edge_sum *s,
                                   const struct om__rings *rings)
{
    for (size_t r = 0, from = 0; r < rings->rings; from = rings->end[r++])
        for (size_t i = from; i < rings->end[r]; i++)
            edges_add(s, rings->at[i],
                      rings->at[i + 1 < rings->end[r] ? i + 1 : from]);
}
static inline int edge_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct om__edge));
}
/* Take away what comes both ways; what is left is the border of the union. */
static inline void edges_cancel(struct edge_sum *s)
{
    qsort(s->edge, s->count, sizeof *s->edge, edge_order);
    bool *gone = calloc(s->count + 1, sizeof *gone);
    for (size_t i = 0; i < s->count; i++) {
        const struct om__edge back = {s->edge[i].to, s->edge[i].from};
        const struct om__edge *found =
            bsearch(&back, s->edge, s->count, sizeof back, edge_order);
        if (found) gone[i] = true;
    }
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!gone[i]) s->edge[kept++] = s->edge[i];
    free(gone);
    s->count = kept;
}

#endif
