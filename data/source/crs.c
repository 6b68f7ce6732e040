/* crs.c - one PROJ context and one transformation a thread.
 *
 * DESIGN
 * A PJ must not be shared between threads and costs milliseconds to make, so
 * each lane makes its own at its first batch and keeps it. That WGS 84 and
 * what equals it (CGCS2000 geographic: EPSG has no shift between the two) is a
 * "noop" in PROJ is found out once, and skips the call for every batch.
 */
#include "data/source/crs.h"

#include <math.h>
#include <proj.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/base/limits.h"
#include "data/source/datum.h"

#define TARGET "OGC:CRS84"
#define LANES (OM_LIMIT_THREADS + 1)
#define NAME_BYTES 96

enum kind { KIND_SAME, KIND_GCJ02, KIND_BD09, KIND_PROJ };

struct lane {
    PJ_CONTEXT *context;
    PJ *pj;
};

struct om__crs {
    enum kind kind;
    bool degrees, metres;
    bool has_area;
    double west, south, east, north;
    char *definition;
    char name[NAME_BYTES];
    struct lane lane[LANES];
};

static om_status open_lane(const char *definition, struct lane *lane)
{
    lane->context = proj_context_create();
    if (!lane->context) return OM_E_MEMORY;
    proj_context_set_enable_network(lane->context, 0);
    proj_log_level(lane->context, PJ_LOG_NONE);
    PJ *pj = proj_create_crs_to_crs(lane->context, definition, TARGET, NULL);
    if (pj) lane->pj = proj_normalize_for_visualization(lane->context, pj);
    proj_destroy(pj);
    return lane->pj ? OM_OK : OM_E_CRS;
}

static void close_lane(struct lane *lane)
{
    proj_destroy(lane->pj);
    proj_context_destroy(lane->context);
    *lane = (struct lane){0};
}

/* What kind of system is it, under the shells of bound and compound ones? */
static bool is_geographic(PJ_CONTEXT *context, const PJ *crs)
{
    const PJ_TYPE type = proj_get_type(crs);
    if (type == PJ_TYPE_GEOGRAPHIC_2D_CRS || type == PJ_TYPE_GEOGRAPHIC_3D_CRS)
        return true;
    PJ *inner = NULL;
    if (type == PJ_TYPE_BOUND_CRS) inner = proj_get_source_crs(context, crs);
    if (type == PJ_TYPE_COMPOUND_CRS)
        inner = proj_crs_get_sub_crs(context, crs, 0);
    const bool found = inner && is_geographic(context, inner);
    proj_destroy(inner);
    return found;
}

/* Is it projected, and is the unit of both axes the metre? */
static bool is_metres(PJ_CONTEXT *context, const PJ *crs)
{
    const PJ_TYPE type = proj_get_type(crs);
    PJ *inner = NULL;
    if (type == PJ_TYPE_BOUND_CRS) inner = proj_get_source_crs(context, crs);
    if (type == PJ_TYPE_COMPOUND_CRS)
        inner = proj_crs_get_sub_crs(context, crs, 0);
    bool metres = inner && is_metres(context, inner);
    proj_destroy(inner);
    if (type != PJ_TYPE_PROJECTED_CRS) return metres;
    PJ *axes = proj_crs_get_coordinate_system(context, crs);
    metres = axes != NULL;
    for (int i = 0; metres && i < 2; i++) {
        double factor = 0.0;
        metres = proj_cs_get_axis_info(context, axes, i, NULL, NULL, NULL,
                                       &factor, NULL, NULL, NULL) &&
                 factor == 1.0;
    }
    proj_destroy(axes);
    return metres;
}

static om_status open_proj(struct om__crs *crs, const char *given,
                           struct om_err *err)
{
    struct lane *lane = &crs->lane[0];
    om_status st = open_lane(crs->definition, lane);
    PJ *pj = st ? NULL : proj_create(lane->context, crs->definition);
    if (!st && (!pj || !proj_is_crs(pj))) st = OM_E_CRS;
    if (st) {
        proj_destroy(pj);
        return om_fail(err, st, 0,
                       "'%.60s' is no coordinate system that can be used "
                       "(give e.g. EPSG:4547, GCJ02 or BD09)",
                       given);
    }
    crs->degrees = is_geographic(lane->context, pj);
    crs->metres = is_metres(lane->context, pj);
    const char *name = proj_get_name(pj);
    snprintf(crs->name, sizeof crs->name, "%s", name ? name : given);
    crs->has_area =
        proj_get_area_of_use(lane->context, pj, &crs->west, &crs->south,
                             &crs->east, &crs->north, NULL) &&
        crs->west >= -180.0 && crs->west < crs->east;
    proj_destroy(pj);
    const PJ_PROJ_INFO info = proj_pj_info(lane->pj);
    const bool noop = info.id && strcmp(info.id, "noop") == 0;
    crs->kind = noop ? KIND_SAME : KIND_PROJ;
    return OM_OK;
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool is_one_of(const char *text, const char *a, const char *b)
{
    return strcasecmp(text, a) == 0 || strcasecmp(text, b) == 0;
}

om_status om__crs_open(const char *definition, struct om__crs **out,
                       struct om_err *err)
{
    om_status st = OM_OK;
    struct om__crs *crs = om_calloc(1, sizeof *crs);
    if (!crs) return om_fail(err, OM_E_MEMORY, 0, "crs: out of memory");
    crs->degrees = true;
    const char *given = definition ? definition : "WGS 84";
    snprintf(crs->name, sizeof crs->name, "%s", given);
    if (!definition) {
        crs->kind = KIND_SAME;
    } else if (is_one_of(given, "GCJ02", "GCJ-02")) {
        crs->kind = KIND_GCJ02;
    } else if (is_one_of(given, "BD09", "BD-09")) {
        crs->kind = KIND_BD09;
    } else {
        const char *prefix = is_number(given) ? "EPSG:" : "";
        const size_t bytes = strlen(given) + strlen(prefix) + 1;
        crs->definition = om_alloc(bytes);
        if (crs->definition) {
            snprintf(crs->definition, bytes, "%s%s", prefix, given);
            st = open_proj(crs, given, err);
        } else {
            st = om_fail(err, OM_E_MEMORY, 0, "crs: out of memory");
        }
    }
    if (st) {
        om__crs_close(crs);
        return st;
    }
    *out = crs;
    return OM_OK;
}

void om__crs_close(struct om__crs *crs)
{
    if (!crs) return;
    for (size_t i = 0; i < LANES; i++) close_lane(&crs->lane[i]);
    om_free(crs->definition);
    om_free(crs);
}

/* Opened before on lane 0, so here only memory can be short. */
static om_status transform(struct om__crs *crs, size_t lane, PJ_DIRECTION way,
                           double *x, double *y, size_t n)
{
    struct lane *own = &crs->lane[lane];
    if (!own->pj && open_lane(crs->definition, own)) {
        close_lane(own);
        return OM_E_MEMORY;
    }
    proj_errno_reset(own->pj);
    (void)proj_trans_generic(own->pj, way, x, sizeof *x, n, y, sizeof *y, n,
                             NULL, 0, 0, NULL, 0, 0);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]) || !isfinite(y[i])) x[i] = y[i] = NAN;
    return OM_OK;
}

om_status om__crs_to_lonlat(struct om__crs *crs, size_t lane, double *x,
                            double *y, size_t n)
{
    if (crs->kind == KIND_GCJ02) om_datum_from_gcj02(x, y, n);
    if (crs->kind == KIND_BD09) om_datum_from_bd09(x, y, n);
    if (crs->kind != KIND_PROJ || n == 0) return OM_OK;
    return transform(crs, lane, PJ_FWD, x, y, n);
}

om_status om__crs_from_lonlat(struct om__crs *crs, size_t lane, double *x,
                              double *y, size_t n)
{
    if (crs->kind == KIND_GCJ02 || crs->kind == KIND_BD09)
        return OM_E_UNSUPPORTED;
    if (crs->kind != KIND_PROJ || n == 0) return OM_OK;
    return transform(crs, lane, PJ_INV, x, y, n);
}

bool om__crs_is_degrees(const struct om__crs *crs)
{
    return crs->degrees;
}

bool om__crs_is_metres(const struct om__crs *crs)
{
    return crs->metres;
}

const char *om__crs_name(const struct om__crs *crs)
{
    return crs->name;
}

bool om__crs_area(const struct om__crs *crs, double *west, double *south,
                  double *east, double *north)
{
    *west = crs->west;
    *south = crs->south;
    *east = crs->east;
    *north = crs->north;
    return crs->has_area;
}
