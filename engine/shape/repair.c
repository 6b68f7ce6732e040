// repair.c - what GEOS does best, one context per thread.
#include "engine/shape/repair.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/pos.h"
#include "engine/shape/geos.h"

static void keep_message(const char *message, void *ctx)
{
    struct om__geos *geos = ctx;
    snprintf(geos->message, sizeof geos->message, "%s", message);
}

om_status om__geos_open(struct om__geos *geos)
{
    if (geos->context) return OM_OK;
    geos->context = GEOS_init_r();
    if (!geos->context) return OM_E_MEMORY;
    GEOSContext_setErrorMessageHandler_r(geos->context, keep_message, geos);
    return OM_OK;
}

void om__geos_close(struct om__geos *geos)
{
    if (geos->context) GEOS_finish_r(geos->context);
    *geos = (struct om__geos){0};
}

static GEOSGeometry *ring_geometry(struct om__geos *geos,
                                   const struct om__ringset *set, size_t ring,
                                   struct om__xy origin)
{
    GEOSContextHandle_t h = geos->context;
    const size_t first = om__ring_first(set, ring);
    const size_t n = set->ring_end[ring] - first;
    GEOSCoordSequence *seq = GEOSCoordSeq_create_r(h, (unsigned)n + 1, 2);
    if (!seq) return NULL;
    for (size_t i = 0; i <= n; i++) {
        const struct om__xy v = set->vertex[first + (i < n ? i : 0)];
        if (!GEOSCoordSeq_setXY_r(h, seq, (unsigned)i, v.x - origin.x,
                                  v.y - origin.y)) {
            GEOSCoordSeq_destroy_r(h, seq);
            return NULL;
        }
    }
    return GEOSGeom_createLinearRing_r(h, seq);
}

static GEOSGeometry *part_geometry(struct om__geos *geos,
                                   const struct om__ringset *set, size_t part,
                                   struct om__xy origin)
{
    GEOSContextHandle_t h = geos->context;
    const size_t outer = om__part_first(set, part);
    const size_t holes = set->part_end[part] - outer - 1;
    GEOSGeometry **hole = om_alloc_array(holes, sizeof(GEOSGeometry *));
    if (!hole) return NULL;
    size_t made = 0;
    GEOSGeometry *out = NULL;
    GEOSGeometry *shell = ring_geometry(geos, set, outer, origin);
    for (; shell && made < holes; made++) {
        hole[made] = ring_geometry(geos, set, outer + 1 + made, origin);
        if (!hole[made]) break;
    }
    if (shell && made == holes) {
        out = GEOSGeom_createPolygon_r(h, shell, hole, (unsigned)holes);
    } else {
        if (shell) GEOSGeom_destroy_r(h, shell);
        while (made > 0) GEOSGeom_destroy_r(h, hole[--made]);
    }
    om_free(hole);
    return out;
}

GEOSGeometry *om__geos_polygon(struct om__geos *geos,
                               const struct om__ringset *set, size_t first,
                               size_t end, struct om__xy origin)
{
    GEOSContextHandle_t h = geos->context;
    if (end - first == 1) return part_geometry(geos, set, first, origin);
    GEOSGeometry **part = om_alloc_array(end - first, sizeof(GEOSGeometry *));
    if (!part) return NULL;
    size_t made = 0;
    GEOSGeometry *out = NULL;
    for (; made < end - first; made++) {
        part[made] = part_geometry(geos, set, first + made, origin);
        if (!part[made]) break;
    }
    if (made == end - first)
        out = GEOSGeom_createCollection_r(h, GEOS_MULTIPOLYGON, part,
                                          (unsigned)made);
    else
        while (made > 0) GEOSGeom_destroy_r(h, part[--made]);
    om_free(part);
    return out;
}

static om_status take_ring(struct om__geos *geos, const GEOSGeometry *ring,
                           struct om__xy origin, struct om__ringset *set)
{
    GEOSContextHandle_t h = geos->context;
    const GEOSCoordSequence *seq = GEOSGeom_getCoordSeq_r(h, ring);
    unsigned n = 0;
    if (!seq || !GEOSCoordSeq_getSize_r(h, seq, &n)) return OM_E_INTERNAL;
    for (unsigned i = 0; i + 1 < n; i++) {  // GEOS repeats the first
        struct om__xy v;
        if (!GEOSCoordSeq_getXY_r(h, seq, i, &v.x, &v.y)) return OM_E_INTERNAL;
        v = (struct om__xy){v.x + origin.x, v.y + origin.y};
        OM_TRY(om__ringset_add(set, v));
    }
    return om__ringset_end_ring(set);
}

om_status om__geos_take(struct om__geos *geos, const GEOSGeometry *geometry,
                        struct om__xy origin, struct om__ringset *set)
{
    GEOSContextHandle_t h = geos->context;
    const int type = GEOSGeomTypeId_r(h, geometry);
    if (type == GEOS_MULTIPOLYGON || type == GEOS_GEOMETRYCOLLECTION) {
        const int n = GEOSGetNumGeometries_r(h, geometry);
        for (int i = 0; i < n; i++)
            OM_TRY(om__geos_take(geos, GEOSGetGeometryN_r(h, geometry, i),
                                 origin, set));
        return OM_OK;
    }
    // Lines and points are what collapsed; a polygon has no room for them.
    if (type != GEOS_POLYGON || GEOSisEmpty_r(h, geometry) != 0) return OM_OK;
    OM_TRY(take_ring(geos, GEOSGetExteriorRing_r(h, geometry), origin, set));
    const int holes = GEOSGetNumInteriorRings_r(h, geometry);
    for (int i = 0; i < holes; i++)
        OM_TRY(take_ring(geos, GEOSGetInteriorRingN_r(h, geometry, i), origin,
                         set));
    return om__ringset_end_part(set);
}

/* "self-intersection at 113.7000000,23.0000000" */
static void describe(struct om__geos *geos, const char *reason,
                     const GEOSGeometry *where, struct om__xy origin,
                     struct om_shape_note *note)
{
    struct om__xy at = {0, 0};
    GEOSContextHandle_t h = geos->context;
    const bool placed = where && GEOSisEmpty_r(h, where) == 0 &&
                        GEOSGeomGetX_r(h, where, &at.x) == 1 &&
                        GEOSGeomGetY_r(h, where, &at.y) == 1;
    char text[64];
    snprintf(text, sizeof text, "%s", reason ? reason : "not valid");
    if (text[0] >= 'A' && text[0] <= 'Z') text[0] = (char)(text[0] - 'A' + 'a');
    if (placed && isfinite(at.x) && isfinite(at.y)) {
        double lon, lat;
        om_world_to_lonlat(at.x + origin.x + 0.5, at.y + origin.y + 0.5, &lon,
                           &lat);
        snprintf(note->text, sizeof note->text, "%s at %.7f,%.7f", text, lon,
                 lat);
    } else {
        snprintf(note->text, sizeof note->text, "%s", text);
    }
}

static GEOSGeometry *make_valid(struct om__geos *geos,
                                const GEOSGeometry *broken, bool snap)
{
    GEOSContextHandle_t h = geos->context;
    GEOSMakeValidParams *how = GEOSMakeValidParams_create_r(h);
    if (!how) return NULL;
    GEOSMakeValidParams_setMethod_r(h, how, GEOS_MAKE_VALID_STRUCTURE);
    GEOSMakeValidParams_setKeepCollapsed_r(h, how, 0);
    GEOSGeometry *valid = GEOSMakeValidWithParams_r(h, broken, how);
    GEOSMakeValidParams_destroy_r(h, how);
    if (!valid || !snap) return valid;
    GEOSGeometry *snapped = GEOSGeom_setPrecision_r(h, valid, 1.0, 0);
    GEOSGeom_destroy_r(h, valid);
    return snapped;
}

static void refuse(struct om__ringset *set, struct om__mark from,
                   struct om_shape_note *note, const char *why)
{
    om__ringset_cut(set, from);
    note->fate = OM_SHAPE_REFUSED;
    snprintf(note->text, sizeof note->text, "%s", why);
}

om_status om__geos_repair(struct om__geos *geos, struct om__ringset *set,
                          struct om__mark from, bool snap,
                          struct om_shape_note *note, bool *changed)
{
    *changed = false;
    OM_TRY(om__geos_open(geos));
    GEOSContextHandle_t h = geos->context;
    const struct om__xy first = set->vertex[from.vertices];
    const struct om__xy origin = {floor(first.x), floor(first.y)};
    GEOSGeometry *given = NULL, *valid = NULL, *where = NULL;
    char *reason = NULL;
    om_status st = OM_OK;

    geos->message[0] = '\0';
    given = om__geos_polygon(geos, set, from.parts, set->parts, origin);
    if (!given && !geos->message[0]) st = OM_E_MEMORY;
    if (st) goto done;
    const char verdict =
        given ? GEOSisValidDetail_r(h, given, 0, &reason, &where) : 2;
    if (verdict == 1) goto done;
    *changed = true;
    if (verdict == 0 && note->fate == OM_SHAPE_FINE) {
        describe(geos, reason, where, origin, note);
        note->fate = OM_SHAPE_REPAIRED;
    }
    if (given) valid = make_valid(geos, given, snap);
    if (!valid) {
        refuse(set, from, note,
               geos->message[0] ? geos->message : "cannot be repaired");
        goto done;
    }
    om__ringset_cut(set, from);
    st = om__geos_take(geos, valid, origin, set);
    if (st) goto done;
    if (set->parts == from.parts)
        refuse(set, from, note, "nothing is left of it after repair");
done:
    if (reason) GEOSFree_r(h, reason);
    if (where) GEOSGeom_destroy_r(h, where);
    if (given) GEOSGeom_destroy_r(h, given);
    if (valid) GEOSGeom_destroy_r(h, valid);
    return st;
}
