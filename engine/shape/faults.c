/* faults.c - what is wrong between units, as polygons with areas.
 *
 * DESIGN
 * chain.c says where the cover of a level is not one: those faces are the gaps
 * and tell which units can overlap at all. Overlaps are then taken pair by
 * pair from the units themselves, because who is at fault is what a reader
 * wants to know, and a face of two overlapping tilings would name them all.
 *
 * Between two levels the same is done for each larger unit with the border of
 * it walked backwards: where its children cover the plane once too often they
 * are outside of it, once too seldom it is not covered by them.
 */
#include "engine/shape/faults.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/query/ground.h"
#include "engine/shape/area.h"
#include "engine/shape/chain.h"
#include "engine/shape/geos.h"

/* A hundredth of a cell at the equator: less is the rounding of a crossing. */
#define NOISE_M2 (0.01 * OM_POS_CELL_M * OM_POS_CELL_M)

/* Faults while they are being found. */
struct finding {
    const struct om_rings *rings;  // that geometries are made of
    struct om__geos geos;
    struct om__xy origin;
    struct om__chain chain;
    struct om__faces faces;
    struct om__ringset set;    // scratch
    struct om__ringset found;  // part i belongs to fault i
    struct om_tree *tree;
    double slack_m;
    struct om_fault *fault;
    size_t count, room;
    struct om_arena *arena;  // of the result
};

static void finding_deinit(struct finding *f)
{
    om__geos_close(&f->geos);
    om__chain_deinit(&f->chain);
    om__faces_deinit(&f->faces);
    om__ringset_deinit(&f->set);
    om__ringset_deinit(&f->found);
    om_tree_free(f->tree);
    om_free(f->fault);
}

/* --- geometries -------------------------------------------------------- */

/* GEOS says nothing when it is our own memory that is missing. */
static om_status geos_failed(const struct finding *f)
{
    return f->geos.message[0] ? OM_E_INTERNAL : OM_E_MEMORY;
}

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

static om_status shape_geometry(struct finding *f, size_t shape,
                                GEOSGeometry **out)
{
    OM_TRY(om__geos_open(&f->geos));
    OM_TRY(copy_shape(f->rings, shape, &f->set));
    f->geos.message[0] = '\0';
    *out = om__geos_polygon(&f->geos, &f->set, 0, f->set.parts, f->origin);
    return *out ? OM_OK : geos_failed(f);
}

static om_status face_geometry(struct finding *f, size_t face,
                               GEOSGeometry **out)
{
    f->geos.message[0] = '\0';
    *out = om__geos_polygon(&f->geos, &f->faces.set, face, face + 1, f->origin);
    return *out ? OM_OK : geos_failed(f);
}

static struct om_box part_box(const struct om__ringset *set, size_t part)
{
    struct om_box box = OM_BOX_NONE;
    const size_t ring = om__part_first(set, part);
    for (size_t i = om__ring_first(set, ring); i < set->ring_end[ring]; i++) {
        const struct om__xy v = set->vertex[i];
        om_box_widen(&box,
                     (struct om_box){(uint32_t)fmax(floor(v.x), 0),
                                     (uint32_t)fmax(floor(v.y), 0),
                                     (uint32_t)fmin(ceil(v.x), UINT32_MAX),
                                     (uint32_t)fmin(ceil(v.y), UINT32_MAX)});
    }
    return box;
}

/* --- measures ---------------------------------------------------------- */

static double ring_length_m(const struct om__xy *vertex, size_t n)
{
    double sum = 0, lon, lat, lon_before, lat_before;
    if (!n) return 0;
    om_world_to_lonlat(vertex[n - 1].x, vertex[n - 1].y, &lon_before,
                       &lat_before);
    for (size_t i = 0; i < n; i++) {
        om_world_to_lonlat(vertex[i].x, vertex[i].y, &lon, &lat);
        sum += om_ground_lonlat_m(lon_before, lat_before, lon, lat);
        lon_before = lon;
        lat_before = lat;
    }
    return sum;
}

static void measure_part(const struct om__ringset *set, size_t part,
                         struct om_fault *out)
{
    const size_t outer = om__part_first(set, part);
    for (size_t r = outer; r < set->part_end[part]; r++) {
        const struct om__xy *v = set->vertex + om__ring_first(set, r);
        const size_t n = set->ring_end[r] - om__ring_first(set, r);
        const double m2 = om__ring_area_km2(v, n) * 1e6;
        out->area_m2 += r == outer ? m2 : -m2;
        out->perimeter_m += ring_length_m(v, n);
    }
    const struct om_box box = part_box(set, part);
    out->place = (struct om_pos){box.x0 + (box.x1 - box.x0) / 2,
                                 box.y0 + (box.y1 - box.y0) / 2};
    out->width_m =
        out->perimeter_m > 0 ? 2 * out->area_m2 / out->perimeter_m : 0;
}

static om_status copy_part(const struct om__ringset *from, size_t part,
                           struct om__ringset *to)
{
    for (size_t r = om__part_first(from, part); r < from->part_end[part]; r++) {
        for (size_t i = om__ring_first(from, r); i < from->ring_end[r]; i++)
            OM_TRY(om__ringset_add(to, from->vertex[i]));
        OM_TRY(om__ringset_end_ring(to));
    }
    return om__ringset_end_part(to);
}

/* Note one part as a fault, unless it is noise or within the slack. */
static om_status add_fault(struct finding *f, enum om_fault_kind kind,
                           const struct om__ringset *set, size_t part,
                           const uint32_t *unit, size_t units)
{
    struct om_fault fault = {.kind = kind, .units = units};
    measure_part(set, part, &fault);
    if (fault.area_m2 <= NOISE_M2 || fault.width_m < f->slack_m) return OM_OK;
    if (f->count == f->room) {
        const size_t room = f->room ? 2 * f->room : 64;
        struct om_fault *grown = om_realloc(f->fault, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        f->fault = grown;
        f->room = room;
    }
    uint32_t *copy = om_arena_calloc(f->arena, units + 1, sizeof *copy);
    if (!copy) return OM_E_MEMORY;
    if (units) memcpy(copy, unit, units * sizeof *copy);
    fault.unit = copy;
    OM_TRY(copy_part(set, part, &f->found));
    f->fault[f->count++] = fault;
    return OM_OK;
}

/* Note each part of a geometry; frees it. */
static om_status add_geometry_take(struct finding *f, enum om_fault_kind kind,
                                   GEOSGeometry *geometry, const uint32_t *unit,
                                   size_t units)
{
    if (!geometry) return geos_failed(f);
    om__ringset_clear(&f->set);
    om_status st = om__geos_take(&f->geos, geometry, f->origin, &f->set);
    GEOSGeom_destroy_r(f->geos.context, geometry);
    for (size_t p = 0; p < f->set.parts && !st; p++)
        st = add_fault(f, kind, &f->set, p, unit, units);
    return st;
}

/* --- gaps -------------------------------------------------------------- */

/* Units around one face, by the boxes first. */
struct touching {
    struct finding *finding;
    const GEOSPreparedGeometry *face;
    uint32_t *unit;
    size_t count, room;
    om_status status;
};

static bool touch(void *ctx, uint32_t shape)
{
    struct touching *t = ctx;
    GEOSGeometry *there = NULL;
    t->status = shape_geometry(t->finding, shape, &there);
    if (t->status) return false;
    GEOSContextHandle_t h = t->finding->geos.context;
    const bool meets = GEOSPreparedIntersects_r(h, t->face, there) == 1;
    GEOSGeom_destroy_r(h, there);
    if (!meets) return true;
    if (t->count == t->room) {
        const size_t room = t->room ? 2 * t->room : 16;
        uint32_t *grown = om_realloc(t->unit, room * sizeof *grown);
        if (!grown) t->status = OM_E_MEMORY;
        if (!grown) return false;
        t->unit = grown;
        t->room = room;
    }
    t->unit[t->count++] = shape;
    return true;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static om_status add_gap(struct finding *f, size_t face)
{
    struct touching t = {.finding = f};
    GEOSGeometry *here = NULL;
    OM_TRY(face_geometry(f, face, &here));
    GEOSContextHandle_t h = f->geos.context;
    t.face = GEOSPrepare_r(h, here);
    t.status = t.face ? OM_OK : geos_failed(f);
    if (!t.status)
        om_tree_search(f->tree, part_box(&f->faces.set, face), touch, &t);
    if (t.count > 1) qsort(t.unit, t.count, sizeof *t.unit, by_number);
    if (!t.status)
        t.status =
            add_fault(f, OM_FAULT_GAP, &f->faces.set, face, t.unit, t.count);
    if (t.face) GEOSPreparedGeom_destroy_r(h, t.face);
    GEOSGeom_destroy_r(h, here);
    om_free(t.unit);
    return t.status;
}

static om_status find_gaps(struct finding *f)
{
    for (size_t i = 0; i < f->faces.count; i++)
        if (f->faces.cover[i] == 0) OM_TRY(add_gap(f, i));
    return OM_OK;
}

/* --- overlaps ---------------------------------------------------------- */

/* The pairs of one shape. */
struct pairing {
    struct finding *finding;
    const bool *suspect;
    uint32_t shape;
    GEOSGeometry *geometry;
    const GEOSPreparedGeometry *prepared;
    om_status status;
};

static bool note_suspect(void *ctx, uint32_t shape)
{
    ((bool *)ctx)[shape] = true;
    return true;
}

static om_status measure_pair(struct pairing *p, uint32_t other)
{
    struct finding *f = p->finding;
    GEOSContextHandle_t h = f->geos.context;
    GEOSGeometry *there = NULL;
    OM_TRY(shape_geometry(f, other, &there));
    om_status st = OM_OK;
    if (GEOSPreparedTouches_r(h, p->prepared, there) == 0 &&
        GEOSPreparedIntersects_r(h, p->prepared, there) == 1) {
        const uint32_t pair[] = {p->shape, other};
        st = add_geometry_take(f, OM_FAULT_OVERLAP,
                               GEOSIntersection_r(h, p->geometry, there), pair,
                               2);
    }
    GEOSGeom_destroy_r(h, there);
    return st;
}

static bool pair_with(void *ctx, uint32_t other)
{
    struct pairing *p = ctx;
    if (other <= p->shape || !p->suspect[other]) return true;
    p->status = measure_pair(p, other);
    return !p->status;
}

static om_status find_pairs(struct finding *f, const bool *suspect,
                            uint32_t shape)
{
    struct pairing p = {.finding = f, .suspect = suspect, .shape = shape};
    OM_TRY(shape_geometry(f, shape, &p.geometry));
    GEOSContextHandle_t h = f->geos.context;
    p.prepared = GEOSPrepare_r(h, p.geometry);
    p.status = p.prepared ? OM_OK : geos_failed(f);
    if (!p.status) om_tree_search(f->tree, f->rings->box[shape], pair_with, &p);
    if (p.prepared) GEOSPreparedGeom_destroy_r(h, p.prepared);
    GEOSGeom_destroy_r(h, p.geometry);
    return p.status;
}

static om_status find_overlaps(struct finding *f)
{
    bool *suspect = om_calloc(f->rings->count + 1, sizeof *suspect);
    if (!suspect) return OM_E_MEMORY;
    for (size_t i = 0; i < f->faces.count; i++)
        if (f->faces.cover[i] > 1)
            om_tree_search(f->tree, part_box(&f->faces.set, i), note_suspect,
                           suspect);
    om_status st = OM_OK;
    for (uint32_t s = 0; s < f->rings->count && !st; s++)
        if (suspect[s]) st = find_pairs(f, suspect, s);
    om_free(suspect);
    return st;
}

/* --- the result -------------------------------------------------------- */

struct ranked {
    const struct om_fault *fault;
    size_t part;
};

/* Kinds in their order, the largest first; equal ones as they were found. */
static int by_rank(const void *one, const void *two)
{
    const struct ranked *p = one, *q = two;
    if (p->fault->kind != q->fault->kind)
        return p->fault->kind < q->fault->kind ? -1 : 1;
    if (p->fault->area_m2 != q->fault->area_m2)
        return p->fault->area_m2 > q->fault->area_m2 ? -1 : 1;
    return (p->part > q->part) - (p->part < q->part);
}

/* Polygons of the ringset in the order of `rank`, as shapes in the arena. */
static om_status put_shapes(const struct om__ringset *set,
                            const struct ranked *rank, size_t n,
                            struct om_arena *arena, struct om_shapes *out)
{
    uint32_t *shape = om_arena_calloc(arena, n + 1, sizeof *shape);
    uint32_t *part = om_arena_calloc(arena, n + 1, sizeof *part);
    uint32_t *ring = om_arena_calloc(arena, set->rings + 1, sizeof *ring);
    double *x = om_arena_calloc(arena, set->vertices + 1, sizeof *x);
    double *y = om_arena_calloc(arena, set->vertices + 1, sizeof *y);
    if (!shape || !part || !ring || !x || !y) return OM_E_MEMORY;
    uint32_t rings = 0, vertices = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t r = om__part_first(set, rank[i].part);
             r < set->part_end[rank[i].part]; r++) {
            for (size_t v = om__ring_first(set, r); v < set->ring_end[r]; v++) {
                x[vertices] = set->vertex[v].x;
                y[vertices++] = set->vertex[v].y;
            }
            ring[++rings] = vertices;
        }
        shape[i + 1] = (uint32_t)i + 1;
        part[i + 1] = rings;
    }
    *out = (struct om_shapes){n, shape, part, ring, x, y};
    return OM_OK;
}

static om_status put_result(struct finding *f, struct om_faults *out)
{
    struct ranked *rank = om_alloc_array(f->count, sizeof *rank);
    if (!rank) return OM_E_MEMORY;
    for (size_t i = 0; i < f->count; i++)
        rank[i] = (struct ranked){&f->fault[i], i};
    if (f->count > 1) qsort(rank, f->count, sizeof *rank, by_rank);
    out->count = f->count;
    out->fault = om_arena_calloc(&out->arena, f->count + 1, sizeof *out->fault);
    om_status st = out->fault ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < f->count && !st; i++) out->fault[i] = *rank[i].fault;
    if (!st)
        st = put_shapes(&f->found, rank, f->count, &out->arena, &out->shapes);
    om_free(rank);
    return st;
}

void om_faults_deinit(struct om_faults *faults)
{
    om_arena_deinit(&faults->arena);
    *faults = (struct om_faults){0};
}

/* Cut the plane along what is left of the chain. */
static om_status cut_faces(struct finding *f)
{
    om__chain_cancel(&f->chain);
    om__ringset_clear(&f->faces.set);
    f->faces.count = 0;
    if (f->chain.count)
        f->origin = (struct om__xy){f->chain.edge[0].a.x, f->chain.edge[0].a.y};
    return om__chain_faces(&f->chain, &f->geos, &f->faces);
}

om_status om_faults_find(const struct om_rings *rings, struct om_faults *out)
{
    *out = (struct om_faults){0};
    struct finding f = {.rings = rings, .arena = &out->arena};
    om_status st = OM_OK;
    for (size_t s = 0; s < rings->count && !st; s++)
        st = om__chain_add(&f.chain, rings, s, 1);
    if (!st) st = cut_faces(&f);
    if (!st) st = om_tree_new(rings->box, rings->count, &f.tree);
    if (!st) st = find_gaps(&f);
    if (!st) st = find_overlaps(&f);
    if (!st) st = put_result(&f, out);
    finding_deinit(&f);
    if (st) om_faults_deinit(out);
    return st;
}

/* --- two levels -------------------------------------------------------- */

/* Lower units by their parent: those of parent p are child[start[p]] up to
 * child[start[p + 1]]. */
struct families {
    uint32_t *start, *child;
    const uint32_t *parent;
};

static om_status families_make(const uint32_t *parent, size_t lower,
                               size_t upper, struct families *out)
{
    out->parent = parent;
    out->start = om_calloc(upper + 2, sizeof *out->start);
    out->child = om_alloc_array(lower, sizeof *out->child);
    if (!out->start || !out->child) return OM_E_MEMORY;
    for (size_t i = 0; i < lower; i++)
        if (parent[i] != OM_NO_UNIT) out->start[parent[i] + 2]++;
    for (size_t p = 2; p < upper + 2; p++) out->start[p] += out->start[p - 1];
    for (size_t i = 0; i < lower; i++)
        if (parent[i] != OM_NO_UNIT)
            out->child[out->start[parent[i] + 1]++] = (uint32_t)i;
    return OM_OK;
}

/* What of the faces of a parent lies in which lower unit. */
struct leaving {
    struct finding *finding;
    const struct families *families;
    uint32_t parent;
    GEOSGeometry *face;  // for the uncovered: what is left of it
    bool outside;
    om_status status;
};

static bool leave(void *ctx, uint32_t shape)
{
    struct leaving *l = ctx;
    struct finding *f = l->finding;
    const bool child = l->families->parent[shape] == l->parent;
    // What a child of its own covers is not in an uncovered face.
    if (child != l->outside) return true;
    GEOSGeometry *unit = NULL;
    l->status = shape_geometry(f, shape, &unit);
    if (l->status) return false;
    GEOSContextHandle_t h = f->geos.context;
    if (l->outside) {
        const uint32_t pair[] = {shape, l->parent};
        l->status = add_geometry_take(
            f, OM_FAULT_OUTSIDE, GEOSIntersection_r(h, l->face, unit), pair, 2);
    } else {
        GEOSGeometry *rest = GEOSDifference_r(h, l->face, unit);
        if (!rest) l->status = geos_failed(f);
        if (rest) {
            GEOSGeom_destroy_r(h, l->face);
            l->face = rest;
        }
    }
    GEOSGeom_destroy_r(h, unit);
    return !l->status;
}

static om_status judge_face(struct finding *f, const struct families *families,
                            uint32_t parent, size_t face)
{
    struct om_fault thin = {0};
    measure_part(&f->faces.set, face, &thin);
    if (thin.width_m < f->slack_m) return OM_OK;
    struct leaving l = {.finding = f,
                        .families = families,
                        .parent = parent,
                        .outside = f->faces.cover[face] > 0};
    OM_TRY(face_geometry(f, face, &l.face));
    om_tree_search(f->tree, part_box(&f->faces.set, face), leave, &l);
    if (!l.status && !l.outside)
        return add_geometry_take(f, OM_FAULT_UNCOVERED, l.face, &parent, 1);
    GEOSGeom_destroy_r(f->geos.context, l.face);
    return l.status;
}

static om_status judge_parent(struct finding *f,
                              const struct families *families,
                              const struct om_rings *upper, uint32_t parent)
{
    f->chain.count = 0;
    for (uint32_t i = families->start[parent]; i < families->start[parent + 1];
         i++)
        OM_TRY(om__chain_add(&f->chain, f->rings, families->child[i], 1));
    OM_TRY(om__chain_add(&f->chain, upper, parent, -1));
    OM_TRY(cut_faces(f));
    for (size_t i = 0; i < f->faces.count; i++)
        if (f->faces.cover[i] != 0) OM_TRY(judge_face(f, families, parent, i));
    return OM_OK;
}

om_status om_faults_between(const struct om_rings *lower,
                            const struct om_rings *upper,
                            const uint32_t *parent, double slack_m,
                            struct om_faults *out)
{
    *out = (struct om_faults){0};
    struct finding f = {
        .rings = lower, .arena = &out->arena, .slack_m = slack_m};
    struct families families = {0};
    om_status st = families_make(parent, lower->count, upper->count, &families);
    if (!st) st = om_tree_new(lower->box, lower->count, &f.tree);
    for (uint32_t p = 0; p < upper->count && !st; p++)
        st = judge_parent(&f, &families, upper, p);
    if (!st) st = put_result(&f, out);
    om_free(families.start);
    om_free(families.child);
    finding_deinit(&f);
    if (st) om_faults_deinit(out);
    return st;
}
