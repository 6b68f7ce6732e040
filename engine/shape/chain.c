/* chain.c - what is left of borders that agree.
 *
 * DESIGN
 * How many shapes cover a place changes only where borders do not cancel. So
 * the edges of all shapes are summed with their directions first, which is
 * exact and quick: of a sound partition nothing but its outline is left. Only
 * that rest is given to GEOS, which cuts the plane along it; a face's cover is
 * the winding number of the rest around a place inside. A union of all shapes
 * would ask GEOS about every border to learn the same.
 */
#include "engine/shape/chain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/shape/geos.h"

/* Heights at which the edges of a chain are looked up. */
#define SLABS_MAX 4096

void om__chain_deinit(struct om__chain *chain)
{
    om_free(chain->edge);
    *chain = (struct om__chain){0};
}

static om_status add_edge(struct om__chain *chain, struct om_pos a,
                          struct om_pos b, int32_t times)
{
    if (a.x == b.x && a.y == b.y) return OM_OK;
    if (chain->count == chain->room) {
        const size_t room = chain->room ? 2 * chain->room : 1024;
        size_t bytes;
        if (!om_mul_size(room, sizeof *chain->edge, &bytes)) return OM_E_MEMORY;
        struct om__chain_edge *grown = om_realloc(chain->edge, bytes);
        if (!grown) return OM_E_MEMORY;
        chain->edge = grown;
        chain->room = room;
    }
    const bool swap = a.x > b.x || (a.x == b.x && a.y > b.y);
    chain->edge[chain->count++] = swap ? (struct om__chain_edge){b, a, -times}
                                       : (struct om__chain_edge){a, b, times};
    return OM_OK;
}

om_status om__chain_add(struct om__chain *chain, const struct om_rings *rings,
                        size_t shape, int32_t times)
{
    const uint32_t first = rings->part_ring[rings->shape_part[shape]];
    const uint32_t last = rings->part_ring[rings->shape_part[shape + 1]];
    for (uint32_t r = first; r < last; r++) {
        const uint32_t from = rings->ring_vertex[r];
        const uint32_t end = rings->ring_vertex[r + 1];
        for (uint32_t i = from; i < end; i++)
            OM_TRY(add_edge(chain, rings->vertex[i],
                            rings->vertex[i + 1 < end ? i + 1 : from], times));
    }
    return OM_OK;
}

static int by_ends(const void *one, const void *two)
{
    const struct om__chain_edge *p = one, *q = two;
    const uint32_t pv[] = {p->a.x, p->a.y, p->b.x, p->b.y};
    const uint32_t qv[] = {q->a.x, q->a.y, q->b.x, q->b.y};
    for (int i = 0; i < 4; i++)
        if (pv[i] != qv[i]) return pv[i] < qv[i] ? -1 : 1;
    return 0;
}

void om__chain_cancel(struct om__chain *chain)
{
    struct om__chain_edge *edge = chain->edge;
    size_t kept = 0;
    if (chain->count > 1) qsort(edge, chain->count, sizeof *edge, by_ends);
    for (size_t i = 0, end; i < chain->count; i = end) {
        int32_t net = 0;
        for (end = i; end < chain->count && !by_ends(&edge[i], &edge[end]);
             end++)
            net += edge[end].net;
        if (!net) continue;
        edge[kept] = edge[i];
        edge[kept++].net = net;
    }
    chain->count = kept;
}

/* --- faces ------------------------------------------------------------- */

void om__faces_deinit(struct om__faces *faces)
{
    om__ringset_deinit(&faces->set);
    om_free(faces->cover);
    *faces = (struct om__faces){0};
}

/* The edges of a chain by height: slab s lists those that reach into it. */
struct slabs {
    const struct om__chain *chain;
    struct om__xy origin;
    double y0, height;  // of a slab
    size_t count;
    uint32_t *start, *edge;  // [count + 1], [start[count]]
};

static size_t slab_of(const struct slabs *s, double y)
{
    const double at = floor((y - s->y0) / s->height);
    return at <= 0 ? 0 : at >= (double)s->count ? s->count - 1 : (size_t)at;
}

static void slab_range(const struct slabs *s, const struct om__chain_edge *e,
                       size_t *from, size_t *to)
{
    *from = slab_of(s, fmin(e->a.y, e->b.y));
    *to = slab_of(s, fmax(e->a.y, e->b.y));
}

static om_status slabs_make(const struct om__chain *chain, struct om__xy origin,
                            struct slabs *out)
{
    double y0 = INFINITY, y1 = -INFINITY;
    for (size_t i = 0; i < chain->count; i++) {
        y0 = fmin(y0, fmin(chain->edge[i].a.y, chain->edge[i].b.y));
        y1 = fmax(y1, fmax(chain->edge[i].a.y, chain->edge[i].b.y));
    }
    *out = (struct slabs){.chain = chain, .origin = origin, .y0 = y0};
    // However long the edges are, their entries are countable in 32 bits.
    const size_t most = ((size_t)1 << 31) / chain->count;
    out->count = chain->count < SLABS_MAX ? chain->count : SLABS_MAX;
    if (out->count > most) out->count = most ? most : 1;
    out->height = (y1 - y0 + 1) / (double)out->count;
    out->start = om_calloc(out->count + 2, sizeof *out->start);
    if (!out->start) return OM_E_MEMORY;
    size_t from, to;
    for (size_t i = 0; i < chain->count; i++) {
        slab_range(out, &chain->edge[i], &from, &to);
        for (size_t s = from; s <= to; s++) out->start[s + 2]++;
    }
    for (size_t s = 2; s < out->count + 2; s++)
        out->start[s] += out->start[s - 1];
    out->edge = om_alloc_array(out->start[out->count + 1], sizeof *out->edge);
    if (!out->edge) return OM_E_MEMORY;
    for (size_t i = 0; i < chain->count; i++) {
        slab_range(out, &chain->edge[i], &from, &to);
        for (size_t s = from; s <= to; s++)
            out->edge[out->start[s + 1]++] = (uint32_t)i;
    }
    return OM_OK;
}

static void slabs_free(struct slabs *s)
{
    om_free(s->start);
    om_free(s->edge);
}

/* Winding number around a place that lies on no edge, in cells from origin.
 * Outer rings run clockwise as seen on the map: down on their right side. */
static int32_t winding_at(const struct slabs *s, struct om__xy at)
{
    int32_t winding = 0;
    const size_t slab = slab_of(s, at.y + s->origin.y);
    for (uint32_t i = s->start[slab]; i < s->start[slab + 1]; i++) {
        const struct om__chain_edge *e = &s->chain->edge[s->edge[i]];
        const double ax = (double)e->a.x - s->origin.x;
        const double ay = (double)e->a.y - s->origin.y;
        const double bx = (double)e->b.x - s->origin.x;
        const double by = (double)e->b.y - s->origin.y;
        if ((ay <= at.y) == (by <= at.y)) continue;
        const long double turn =
            (long double)(bx - ax) * ((long double)at.y - ay) -
            (long double)(by - ay) * ((long double)at.x - ax);
        // It passes east of the place, which a walker southward has on the
        // right.
        const bool down = by > ay;
        if (down ? turn > 0 : turn < 0) winding += down ? e->net : -e->net;
    }
    return winding;
}

/* All edges as lines, moved by -origin. */
static GEOSGeometry *lines_of(const struct om__chain *chain,
                              struct om__geos *geos, struct om__xy origin)
{
    GEOSContextHandle_t h = geos->context;
    GEOSGeometry **line = om_alloc_array(chain->count, sizeof(GEOSGeometry *));
    if (!line) return NULL;
    size_t made = 0;
    for (; made < chain->count; made++) {
        const struct om__chain_edge *e = &chain->edge[made];
        const double xy[] = {e->a.x - origin.x, e->a.y - origin.y,
                             e->b.x - origin.x, e->b.y - origin.y};
        GEOSCoordSequence *seq = GEOSCoordSeq_copyFromBuffer_r(h, xy, 2, 0, 0);
        line[made] = seq ? GEOSGeom_createLineString_r(h, seq) : NULL;
        if (!line[made]) break;
    }
    GEOSGeometry *out = NULL;
    if (made == chain->count)
        out = GEOSGeom_createCollection_r(h, GEOS_MULTILINESTRING, line,
                                          (unsigned)made);
    else
        while (made > 0) GEOSGeom_destroy_r(h, line[--made]);
    om_free(line);
    return out;
}

static om_status add_face(struct om__faces *faces, struct om__geos *geos,
                          const struct slabs *slabs, const GEOSGeometry *face)
{
    GEOSContextHandle_t h = geos->context;
    struct om__xy at;
    GEOSGeometry *inside = GEOSPointOnSurface_r(h, face);
    if (!inside) return OM_E_INTERNAL;
    const bool read = GEOSisEmpty_r(h, inside) == 0 &&
                      GEOSGeomGetX_r(h, inside, &at.x) == 1 &&
                      GEOSGeomGetY_r(h, inside, &at.y) == 1;
    GEOSGeom_destroy_r(h, inside);
    if (!read) return OM_OK;  // so thin that doubles find no place in it
    if (faces->count == faces->room) {
        const size_t room = faces->room ? 2 * faces->room : 64;
        int32_t *grown = om_realloc(faces->cover, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        faces->cover = grown;
        faces->room = room;
    }
    OM_TRY(om__geos_take(geos, face, slabs->origin, &faces->set));
    faces->cover[faces->count++] = winding_at(slabs, at);
    return OM_OK;
}

om_status om__chain_faces(const struct om__chain *chain, struct om__geos *geos,
                          struct om__faces *out)
{
    GEOSGeometry *lines = NULL, *noded = NULL, *faces = NULL;
    struct slabs slabs = {0};
    if (!chain->count) return OM_OK;
    OM_TRY(om__geos_open(geos));
    GEOSContextHandle_t h = geos->context;
    geos->message[0] = '\0';
    const struct om__xy origin = {chain->edge[0].a.x, chain->edge[0].a.y};
    om_status st = slabs_make(chain, origin, &slabs);
    if (st) goto done;
    st = OM_E_MEMORY;
    lines = lines_of(chain, geos, origin);
    if (lines) noded = GEOSUnaryUnion_r(h, lines);
    if (noded)
        faces = GEOSPolygonize_r(h, (const GEOSGeometry *const *)&noded, 1);
    // GEOS says nothing when it is our own memory that is missing.
    if (!faces && geos->message[0]) st = OM_E_INTERNAL;
    if (!faces) goto done;
    st = OM_OK;
    const int n = GEOSGetNumGeometries_r(h, faces);
    for (int i = 0; i < n && !st; i++)
        st = add_face(out, geos, &slabs, GEOSGetGeometryN_r(h, faces, i));
done:
    if (lines) GEOSGeom_destroy_r(h, lines);
    if (noded) GEOSGeom_destroy_r(h, noded);
    if (faces) GEOSGeom_destroy_r(h, faces);
    slabs_free(&slabs);
    return st;
}
