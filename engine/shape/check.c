// check.c - is a level of units a partition? Edges, overlaps, gaps.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/shape/area.h"
#include "engine/shape/exact.h"
#include "engine/shape/geos.h"
#include "engine/shape/shape.h"

/* DESIGN
 * Edges are counted exactly: in a clean partition every inner directed edge
 * has its reverse. Overlaps come from GEOS, pair by pair of shapes whose boxes
 * meet (a union would hide which); gaps are the holes of the union of all.
 * Areas are taken on the ground, and what is smaller than NOISE_KM2 is a
 * rounding of GEOS' crossings, not a fault. */

/* A hundredth of a cell at the equator, in km2. */
#define NOISE_KM2 (0.01 * OM_POS_CELL_M * OM_POS_CELL_M * 1e-6)
/* Shapes whose neighbours one thread looks at in one go. */
#define GRAIN 16

/* --- edges ------------------------------------------------------------- */

struct directed {
    struct om_pos a, b;
};

static int by_ends(const void *one, const void *two)
{
    const struct directed *p = one, *q = two;
    const uint32_t pv[] = {p->a.x, p->a.y, p->b.x, p->b.y};
    const uint32_t qv[] = {q->a.x, q->a.y, q->b.x, q->b.y};
    for (int i = 0; i < 4; i++)
        if (pv[i] != qv[i]) return pv[i] < qv[i] ? -1 : 1;
    return 0;
}

static om_status count_edges(const struct om_rings *rings,
                             struct om_partition_report *out)
{
    const uint32_t ring_count =
        rings->part_ring[rings->shape_part[rings->count]];
    const size_t n = rings->ring_vertex[ring_count];
    struct directed *edge = om_alloc_array(n, sizeof *edge);
    if (!edge) return OM_E_MEMORY;
    for (uint32_t r = 0; r < ring_count; r++) {
        const uint32_t from = rings->ring_vertex[r];
        const uint32_t end = rings->ring_vertex[r + 1];
        for (uint32_t i = from; i < end; i++)
            edge[i] = (struct directed){
                rings->vertex[i], rings->vertex[i + 1 < end ? i + 1 : from]};
    }
    if (n > 1) qsort(edge, n, sizeof *edge, by_ends);
    out->edges = n;
    for (size_t i = 0; i < n; i++) {
        const struct directed back = {edge[i].b, edge[i].a};
        out->shared_edges +=
            bsearch(&back, edge, n, sizeof *edge, by_ends) != NULL;
    }
    om_free(edge);
    return OM_OK;
}

/* --- geometries -------------------------------------------------------- */

struct checking {
    const struct om_rings *rings;
    struct om_tree *tree;
    struct om__xy origin;
    struct lane {
        struct om__geos geos;
        struct om__ringset set;
    } lane[OM_LIMIT_THREADS];
    // Of the pairs of each GRAIN shapes: summed in their order afterwards, so
    // that the figure does not depend on the number of threads.
    struct overlaps {
        uint64_t count;
        double km2;
    } * found;
};

/* The pairs of one shape. */
struct pairing {
    struct checking *check;
    struct lane *lane;
    struct overlaps *found;
    uint32_t shape;
    GEOSGeometry *geometry;  // of `shape`, made when first needed
    const GEOSPreparedGeometry *prepared;
    om_status status;
};

static om_status copy_shape(const struct om_rings *rings, size_t shape,
                            struct om__ringset *out)
{
    om__ringset_clear(out);
    for (uint32_t p = rings->shape_part[shape];
         p < rings->shape_part[shape + 1]; p++) {
        for (uint32_t r = rings->part_ring[p]; r < rings->part_ring[p + 1];
             r++) {
            for (uint32_t i = rings->ring_vertex[r];
                 i < rings->ring_vertex[r + 1]; i++)
                OM_TRY(om__ringset_add(
                    out,
                    (struct om__xy){rings->vertex[i].x, rings->vertex[i].y}));
            OM_TRY(om__ringset_end_ring(out));
        }
        OM_TRY(om__ringset_end_part(out));
    }
    return OM_OK;
}

/* GEOS says nothing when it is our own memory that is missing. */
static om_status geos_failed(const struct om__geos *geos)
{
    return geos->message[0] ? OM_E_INTERNAL : OM_E_MEMORY;
}

static om_status shape_geometry(struct checking *check, struct lane *lane,
                                size_t shape, GEOSGeometry **out)
{
    OM_TRY(copy_shape(check->rings, shape, &lane->set));
    lane->geos.message[0] = '\0';
    *out = om__geos_polygon(&lane->geos, &lane->set, 0, lane->set.parts,
                            check->origin);
    return *out ? OM_OK : geos_failed(&lane->geos);
}

/* Ground area of rings in `set`: outer ones less their holes. */
static double area_of(const struct om__ringset *set)
{
    double sum = 0;
    for (size_t p = 0; p < set->parts; p++) {
        const size_t outer = om__part_first(set, p);
        for (size_t r = outer; r < set->part_end[p]; r++) {
            const size_t first = om__ring_first(set, r);
            const double area = om__ring_area_km2(set->vertex + first,
                                                  set->ring_end[r] - first);
            sum += r == outer ? area : -area;
        }
    }
    return sum;
}

/* --- overlaps ---------------------------------------------------------- */

static om_status measure_overlap(struct pairing *p, uint32_t other)
{
    GEOSContextHandle_t h = p->lane->geos.context;
    GEOSGeometry *there = NULL, *both = NULL;
    om_status st = shape_geometry(p->check, p->lane, other, &there);
    if (st) return st;
    if (GEOSPreparedTouches_r(h, p->prepared, there) == 1 ||
        GEOSPreparedIntersects_r(h, p->prepared, there) == 0)
        goto done;
    both = GEOSIntersection_r(h, p->geometry, there);
    if (!both) st = geos_failed(&p->lane->geos);
    if (st) goto done;
    om__ringset_clear(&p->lane->set);
    st = om__geos_take(&p->lane->geos, both, p->check->origin, &p->lane->set);
    if (st) goto done;
    const double area = area_of(&p->lane->set);
    if (area > NOISE_KM2) {
        p->found->count++;
        p->found->km2 += area;
    }
done:
    GEOSGeom_destroy_r(h, there);
    if (both) GEOSGeom_destroy_r(h, both);
    return st;
}

static bool pair_with(void *ctx, uint32_t other)
{
    struct pairing *p = ctx;
    if (other <= p->shape) return true;
    if (!p->geometry) {
        p->status = shape_geometry(p->check, p->lane, p->shape, &p->geometry);
        if (p->status) return false;
        p->prepared = GEOSPrepare_r(p->lane->geos.context, p->geometry);
        if (!p->prepared) p->status = geos_failed(&p->lane->geos);
    }
    if (!p->status) p->status = measure_overlap(p, other);
    return !p->status;
}

static om_status find_overlaps(void *ctx, size_t first, size_t end, size_t lane)
{
    struct checking *check = ctx;
    OM_TRY(om__geos_open(&check->lane[lane].geos));
    for (size_t s = first; s < end; s++) {
        struct pairing p = {.check = check,
                            .lane = &check->lane[lane],
                            .found = &check->found[first / GRAIN],
                            .shape = (uint32_t)s};
        om_tree_search(check->tree, check->rings->box[s], pair_with, &p);
        GEOSContextHandle_t h = p.lane->geos.context;
        if (p.prepared) GEOSPreparedGeom_destroy_r(h, p.prepared);
        if (p.geometry) GEOSGeom_destroy_r(h, p.geometry);
        if (p.status) return p.status;
    }
    return OM_OK;
}

/* --- gaps -------------------------------------------------------------- */

static om_status collect_all(struct checking *check, GEOSGeometry **out)
{
    struct lane *lane = &check->lane[0];
    GEOSContextHandle_t h = lane->geos.context;
    const size_t n = check->rings->count;
    GEOSGeometry **all = om_alloc_array(n, sizeof(GEOSGeometry *));
    if (!all) return OM_E_MEMORY;
    size_t made = 0;
    om_status st = OM_OK;
    for (size_t s = 0; s < n && !st; s++) {
        if (check->rings->box[s].x0 > check->rings->box[s].x1) continue;
        st = shape_geometry(check, lane, s, &all[made]);
        made += !st;
    }
    if (!st) {
        *out = GEOSGeom_createCollection_r(h, GEOS_GEOMETRYCOLLECTION, all,
                                           (unsigned)made);
        if (!*out) st = geos_failed(&lane->geos);
    } else {
        while (made > 0) GEOSGeom_destroy_r(h, all[--made]);
    }
    om_free(all);
    return st;
}

static om_status find_gaps(struct checking *check,
                           struct om_partition_report *out)
{
    struct lane *lane = &check->lane[0];
    GEOSGeometry *all = NULL, *whole = NULL;
    OM_TRY(om__geos_open(&lane->geos));
    GEOSContextHandle_t h = lane->geos.context;
    om_status st = collect_all(check, &all);
    if (st) return st;
    whole = GEOSUnaryUnion_r(h, all);
    // On a grid it cannot fail; only slivers below a cell are lost there.
    if (!whole) whole = GEOSUnaryUnionPrec_r(h, all, 1.0);
    if (!whole) st = geos_failed(&lane->geos);
    if (st) goto done;
    om__ringset_clear(&lane->set);
    st = om__geos_take(&lane->geos, whole, check->origin, &lane->set);
    if (st) goto done;
    const struct om__ringset *set = &lane->set;
    for (size_t p = 0; p < set->parts; p++)
        for (size_t r = om__part_first(set, p) + 1; r < set->part_end[p]; r++) {
            const size_t first = om__ring_first(set, r);
            const double area = om__ring_area_km2(set->vertex + first,
                                                  set->ring_end[r] - first);
            if (area <= NOISE_KM2) continue;
            out->gaps++;
            out->gap_km2 += area;
        }
done:
    GEOSGeom_destroy_r(h, all);
    if (whole) GEOSGeom_destroy_r(h, whole);
    return st;
}

om_status om_partition_check(const struct om_rings *rings,
                             struct om_partition_report *out)
{
    *out = (struct om_partition_report){0};
    if (rings->count == 0) return OM_OK;
    struct checking *check = om_calloc(1, sizeof *check);
    if (!check) return OM_E_MEMORY;
    const size_t stretches = (rings->count + GRAIN - 1) / GRAIN;
    om_status st = OM_E_MEMORY;
    check->rings = rings;
    check->found = om_calloc(stretches, sizeof *check->found);
    if (!check->found) goto done;
    for (size_t s = 0; s < rings->count; s++)
        if (rings->box[s].x0 <= rings->box[s].x1)
            check->origin = (struct om__xy){rings->box[s].x0, rings->box[s].y0};
    st = count_edges(rings, out);
    if (st) goto done;
    st = om_tree_new(rings->box, rings->count, &check->tree);
    if (st) goto done;
    st = om_parallel(rings->count, GRAIN, find_overlaps, check);
    if (st) goto done;
    for (size_t i = 0; i < stretches; i++) {
        out->overlaps += check->found[i].count;
        out->overlap_km2 += check->found[i].km2;
    }
    st = find_gaps(check, out);
done:
    for (size_t i = 0; i < OM_LIMIT_THREADS; i++) {
        om__geos_close(&check->lane[i].geos);
        om__ringset_deinit(&check->lane[i].set);
    }
    om_tree_free(check->tree);
    om_free(check->found);
    om_free(check);
    if (st) *out = (struct om_partition_report){0};
    return st;
}
