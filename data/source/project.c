/* project.c - a short list of systems, and what transforms to and from them.
 *
 * EPSG has no shift between CGCS2000 and WGS 84 (PROJ: a null transformation),
 * so both are degrees as they are. Web mercator is a closed form; only Gauss-
 * Kruger goes through PROJ.
 */
#include "data/source/project.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/model/earth.h"
#include "data/source/crs.h"

#define OGC "http://www.opengis.net/def/crs/"

static const struct om_system SYSTEM[] = {
    {"OGC:CRS84", OGC "OGC/1.3/CRS84", "WGS 84 longitude-latitude", false, true,
     7},
    {"EPSG:4326", OGC "EPSG/0/4326", "WGS 84", true, true, 7},
    {"EPSG:4490", OGC "EPSG/0/4490", "China Geodetic Coordinate System 2000",
     true, true, 7},
    {"EPSG:4547", OGC "EPSG/0/4547", "CGCS2000 / 3-degree Gauss-Kruger CM 114E",
     true, false, 3},
    {"EPSG:3857", OGC "EPSG/0/3857", "WGS 84 / Pseudo-Mercator", false, false,
     3},
};
#define SYSTEMS (sizeof SYSTEM / sizeof *SYSTEM)

/* Edges of a side of a box. */
#define SIDE_EDGES 32

enum kind { KIND_DEGREES, KIND_MERCATOR, KIND_PROJ };

struct om_project {
    const struct om_system *system;
    enum kind kind;
    struct om__crs *crs;  // KIND_PROJ
};

const struct om_system *om_system_at(size_t i)
{
    return i < SYSTEMS ? &SYSTEM[i] : NULL;
}

static bool is_code(const struct om_system *s, const char *text, size_t len)
{
    return strlen(s->code) == len && !strncasecmp(s->code, text, len);
}

/* urn:ogc:def:crs:EPSG::4547, urn:ogc:def:crs:OGC:1.3:CRS84 */
static bool is_urn(const struct om_system *s, const char *text)
{
    static const char PREFIX[] = "urn:ogc:def:crs:";
    if (strncasecmp(text, PREFIX, sizeof PREFIX - 1) != 0) return false;
    text += sizeof PREFIX - 1;
    const size_t authority = strcspn(text, ":");
    if (!text[authority] || strncasecmp(s->code, text, authority + 1) != 0)
        return false;
    const char *number = strchr(text + authority + 1, ':');
    return number && !strcasecmp(s->code + authority + 1, number + 1);
}

const struct om_system *om_system_find(const char *text)
{
    const size_t len = strlen(text);
    const bool https = !strncmp(text, "https://", 8);
    for (size_t i = 0; i < SYSTEMS; i++) {
        const struct om_system *s = &SYSTEM[i];
        if (is_code(s, text, len) || is_urn(s, text)) return s;
        if (len > 2 && text[0] == '[' && text[len - 1] == ']' &&
            is_code(s, text + 1, len - 2))
            return s;
        if (!strcmp(s->uri, text)) return s;
        if (https && !strcmp(s->uri + strlen("http"), text + strlen("https")))
            return s;
    }
    return NULL;
}

om_status om_project_open(const struct om_system *system,
                          struct om_project **out)
{
    struct om_project *p = om_calloc(1, sizeof *p);
    if (!p) return OM_E_MEMORY;
    p->system = system;
    p->kind = system->degrees                      ? KIND_DEGREES
              : !strcmp(system->code, "EPSG:3857") ? KIND_MERCATOR
                                                   : KIND_PROJ;
    om_status st = OM_OK;
    if (p->kind == KIND_PROJ) st = om__crs_open(system->code, &p->crs, NULL);
    if (st)
        om_project_close(p);
    else
        *out = p;
    return st;
}

void om_project_close(struct om_project *project)
{
    if (!project) return;
    om__crs_close(project->crs);
    om_free(project);
}

const struct om_system *om_project_system(const struct om_project *project)
{
    return project->system;
}

/* Spherical mercator, EPSG guidance note 7-2, method 1024. */
om_status om_project_from_lonlat(struct om_project *project, double *x,
                                 double *y, size_t n)
{
    if (project->kind == KIND_PROJ)
        return om__crs_from_lonlat(project->crs, 0, x, y, n);
    if (project->kind == KIND_DEGREES) return OM_OK;
    for (size_t i = 0; i < n; i++) {
        x[i] *= OM_WGS84_A_M * OM_RAD_PER_DEG;
        y[i] = OM_WGS84_A_M * asinh(tan(y[i] * OM_RAD_PER_DEG));
    }
    return OM_OK;
}

om_status om_project_to_lonlat(struct om_project *project, double *x, double *y,
                               size_t n)
{
    if (project->kind == KIND_PROJ)
        return om__crs_to_lonlat(project->crs, 0, x, y, n);
    if (project->kind == KIND_DEGREES) return OM_OK;
    for (size_t i = 0; i < n; i++) {
        x[i] /= OM_WGS84_A_M * OM_RAD_PER_DEG;
        y[i] = atan(sinh(y[i] / OM_WGS84_A_M)) * OM_DEG_PER_RAD;
    }
    return OM_OK;
}

om_status om_project_box_wkt(struct om_project *project, const double box[4],
                             struct om_buf *out)
{
    static const int X_OF[] = {0, 2, 2, 0, 0}, Y_OF[] = {1, 1, 3, 3, 1};
    if (!(box[0] < box[2] && box[1] < box[3])) return OM_E_RANGE;
    om_buf_add_text(out, "POLYGON((");
    for (int i = 0; i <= 4 * SIDE_EDGES; i++) {
        const int side = i / SIDE_EDGES % 4;
        const double t = i % SIDE_EDGES / (double)SIDE_EDGES;
        double x = box[X_OF[side]] * (1 - t) + box[X_OF[side + 1]] * t;
        double y = box[Y_OF[side]] * (1 - t) + box[Y_OF[side + 1]] * t;
        OM_TRY(om_project_to_lonlat(project, &x, &y, 1));
        if (!isfinite(x) || !isfinite(y)) return OM_E_COORD;
        if (i) om_buf_add_byte(out, ',');
        om_buf_add_fixed(out, x, 10);
        om_buf_add_byte(out, ' ');
        om_buf_add_fixed(out, y, 10);
    }
    return om_buf_add_text(out, "))");
}
