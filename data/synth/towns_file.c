// towns_file.c - town outlines from a file that GDAL can read.
#include <cpl_error.h>
#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/synth/city_internal.h"

#define LEFT_MOST 512  // crossings of one outline with one row of cells

static struct om__xy point_of(OGRGeometryH ring, int i)
{
    return om__plane_from_deg(OGR_G_GetX(ring, i), OGR_G_GetY(ring, i));
}

/* Which town is meant: the name begins as on record (松山湖管委会 is 松山湖),
 * else the centre that lies in the outline's box nearest to its middle. */
static uint32_t town_of_name(const char *name)
{
    const size_t two_characters = 6;
    for (uint32_t t = 0; t < OM__TOWNS; t++)
        if (name && !strncmp(name, OM__TOWN_FACT[t].name, two_characters))
            return t;
    return OM__NONE;
}

static uint32_t town_of_place(OGRGeometryH geometry, const bool *taken)
{
    OGREnvelope box;
    OGR_G_GetEnvelope(geometry, &box);
    const struct om__xy middle = om__plane_from_deg((box.MinX + box.MaxX) / 2,
                                                    (box.MinY + box.MaxY) / 2);
    uint32_t best = OM__NONE;
    double least = 1e300;
    for (uint32_t t = 0; t < OM__TOWNS; t++) {
        const struct om__town_fact *fact = &OM__TOWN_FACT[t];
        const double d = om__distance(
            middle, om__plane_from_deg(fact->lon_deg, fact->lat_deg));
        if (taken[t] || d >= least) continue;
        least = d;
        best = t;
    }
    return best;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All rings of a geometry, whatever its nesting. */
static size_t crossings(OGRGeometryH geometry, double y, double *x, size_t n)
{
    const int parts = OGR_G_GetGeometryCount(geometry);
    for (int i = 0; i < parts; i++)
        n = crossings(OGR_G_GetGeometryRef(geometry, i), y, x, n);
    const int points = parts ? 0 : OGR_G_GetPointCount(geometry);
    for (int i = 0; i + 1 < points; i++) {
        const struct om__xy a = point_of(geometry, i);
        const struct om__xy b = point_of(geometry, i + 1);
        if ((a.y > y) == (b.y > y) || n == LEFT_MOST) continue;
        x[n++] = a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x);
    }
    return n;
}

/* Cells whose middle lies in the outline; the first outline keeps a cell. */
static void fill(struct om__city *city, OGRGeometryH geometry, uint32_t town)
{
    const struct om__mesh *mesh = &city->mesh;
    for (uint32_t row = 0; row < mesh->rows; row++) {
        double x[LEFT_MOST];
        const uint32_t base = row * mesh->columns;
        const double y = om__mesh_middle(mesh, base).y;
        const size_t n = crossings(geometry, y, x, 0);
        qsort(x, n, sizeof *x, by_value);
        size_t passed = 0;
        for (uint32_t c = 0; c < mesh->columns && n; c++) {
            const double here = om__mesh_middle(mesh, base + c).x;
            while (passed < n && x[passed] < here) passed++;
            if (passed % 2 && city->town_of[base + c] == OM__NONE &&
                !om__mesh_rim(mesh, base + c))
                city->town_of[base + c] = town;
        }
    }
}

static om_status read_features(struct om__city *city, OGRLayerH layer,
                               struct om_err *err)
{
    bool taken[OM__TOWNS] = {false};
    const int name = OGR_FD_GetFieldIndex(OGR_L_GetLayerDefn(layer), "name");
    om_status st = OM_OK;
    OGR_L_ResetReading(layer);
    for (OGRFeatureH f; !st && (f = OGR_L_GetNextFeature(layer));) {
        OGRGeometryH geometry = OGR_F_GetGeometryRef(f);
        uint32_t town = OM__NONE;
        if (name >= 0) town = town_of_name(OGR_F_GetFieldAsString(f, name));
        if (geometry && town == OM__NONE) town = town_of_place(geometry, taken);
        if (geometry && town != OM__NONE) {
            taken[town] = true;
            fill(city, geometry, town);
        }
        OGR_F_Destroy(f);
    }
    for (size_t t = 0; t < OM__TOWNS && !st; t++)
        if (!taken[t])
            st = om_fail(err, OM_E_FORMAT, t, "%s has no outline for town %s",
                         city->towns_file, OM__TOWN_FACT[t].name);
    return st;
}

om_status om__towns_read(struct om__city *city, struct om_err *err)
{
    GDALAllRegister();
    CPLErrorReset();
    CPLPushErrorHandler(CPLQuietErrorHandler);
    GDALDatasetH data =
        GDALOpenEx(city->towns_file, GDAL_OF_VECTOR, NULL, NULL, NULL);
    CPLPopErrorHandler();
    if (!data)
        return om_fail(err, OM_E_FORMAT, 0, "cannot read %s as outlines: %s",
                       city->towns_file, CPLGetLastErrorMsg());
    OGRLayerH layer = GDALDatasetGetLayer(data, 0);
    om_status st = layer ? read_features(city, layer, err)
                         : om_fail(err, OM_E_FORMAT, 0, "%s has no layer",
                                   city->towns_file);
    GDALClose(data);
    return st;
}
