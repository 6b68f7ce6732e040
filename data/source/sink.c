/* sink.c - rows into a file of GDAL.
 *
 * DESIGN
 * One feature object is filled again and again; a point's geometry is changed
 * in place, a shape's is built anew. The file is written under a name of its
 * own beside the wanted one and renamed when complete. FlatGeobuf is written
 * without its index: with it GDAL sorts all features again (12 M points took
 * minutes), and every reader reads a file without.
 */
#include "data/source/sink.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/model/time.h"
#include "data/source/gdal.h"

/* Rows of one transaction of a GeoPackage: few enough to stay in its cache. */
#define TRANSACTION_ROWS 100000
/* OGR counts time zones in quarters of an hour, UTC being this. */
#define ZONE_UTC 100
#define ZONE_STEP_S 900

struct om_sink {
    GDALDatasetH dataset;
    OGRLayerH layer;
    OGRFeatureH feature;
    struct om_schema schema;
    int field[OM_LIMIT_COLUMNS];  // of the layer; -1: not written
    int32_t zone_s;
    bool transactions;
    uint64_t rows;
    char *path, *temporary;
    struct om_buf text;      // one value with its NUL
    struct om_buf lon, lat;  // one ring with its closing vertex
};

static om_status gdal_fail(const struct om_sink *sink, struct om_err *err)
{
    return om_fail(err, OM_E_IO, 0, "%s: cannot be written: %s", sink->path,
                   om__gdal_message());
}

static void free_sink(struct om_sink *sink)
{
    om_free(sink->path);
    om_free(sink->temporary);
    om_buf_deinit(&sink->text);
    om_buf_deinit(&sink->lon);
    om_buf_deinit(&sink->lat);
    om_free(sink);
}

/* Remove what was written, and the sink. */
static void discard(struct om_sink *sink)
{
    if (sink->dataset) {
        om__gdal_catch();
        if (sink->feature) OGR_F_Destroy(sink->feature);
        sink->feature = NULL;
        GDALClose(sink->dataset);
        sink->dataset = NULL;
        om__gdal_release();
    }
    if (sink->temporary) (void)unlink(sink->temporary);
    free_sink(sink);
}

static om_status add_fields(struct om_sink *sink, struct om_err *err)
{
    for (size_t c = 0; c < sink->schema.count; c++) {
        const struct om_field *from = &sink->schema.field[c];
        OGRFieldType type = OFTString;
        if (from->type == OM_TYPE_INTEGER) type = OFTInteger64;
        if (from->type == OM_TYPE_BOOLEAN) type = OFTInteger;
        if (from->type == OM_TYPE_REAL) type = OFTReal;
        if (from->type == OM_TYPE_TIME) type = OFTDateTime;
        OGRFieldDefnH field = OGR_Fld_Create(from->name, type);
        if (!field) return OM_E_MEMORY;
        if (from->type == OM_TYPE_BOOLEAN)
            OGR_Fld_SetSubType(field, OFSTBoolean);
        const OGRErr failed = OGR_L_CreateField(sink->layer, field, FALSE);
        OGR_Fld_Destroy(field);
        if (failed != OGRERR_NONE) return gdal_fail(sink, err);
        sink->field[c] =
            OGR_FD_GetFieldCount(OGR_L_GetLayerDefn(sink->layer)) - 1;
    }
    return OM_OK;
}

/* Shapes are written as multi geometries: a layer may hold both kinds. */
static OGRwkbGeometryType layer_type(enum om_geometry geometry)
{
    if (geometry == OM_GEOMETRY_POINT) return wkbPoint;
    return geometry == OM_GEOMETRY_LINE ? wkbMultiLineString : wkbMultiPolygon;
}

static om_status create(struct om_sink *sink, const char *format,
                        const char *layer, const char *crs, struct om_err *err)
{
    const bool gpkg = strcmp(format, "gpkg") == 0;
    // The column of row numbers gets a name that no column of ours has.
    static const char *const GPKG[] = {"FID=_row", NULL};
    static const char *const FGB[] = {"SPATIAL_INDEX=NO", NULL};
    GDALDriverH driver = GDALGetDriverByName(gpkg ? "GPKG" : "FlatGeobuf");
    if (!driver)
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "this GDAL cannot write %s files", format);
    sink->dataset =
        GDALCreate(driver, sink->temporary, 0, 0, 0, GDT_Unknown, NULL);
    if (!sink->dataset) return gdal_fail(sink, err);
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    if (!srs) return OM_E_MEMORY;
    // A GeoPackage's own WGS 84 is x, y = longitude, latitude as well.
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    if (!crs || !strcmp(crs, "OGC:CRS84"))
        crs = gpkg ? "EPSG:4326" : "OGC:CRS84";
    OSRSetFromUserInput(srs, crs);
    sink->layer = GDALDatasetCreateLayer(sink->dataset, layer, srs,
                                         layer_type(sink->schema.geometry),
                                         (char **)(gpkg ? GPKG : FGB));
    OSRRelease(srs);
    if (!sink->layer) return gdal_fail(sink, err);
    sink->transactions =
        GDALDatasetTestCapability(sink->dataset, ODsCTransactions);
    OM_TRY(add_fields(sink, err));
    sink->feature = OGR_F_Create(OGR_L_GetLayerDefn(sink->layer));
    if (!sink->feature) return OM_E_MEMORY;
    if (sink->transactions &&
        GDALDatasetStartTransaction(sink->dataset, FALSE) != OGRERR_NONE)
        return gdal_fail(sink, err);
    return OM_OK;
}

om_status om_sink_open(const char *path, const char *format, const char *layer,
                       const struct om_schema *schema, int32_t zone_s,
                       const char *crs, struct om_sink **out,
                       struct om_err *err)
{
    if (strcmp(format, "fgb") != 0 && strcmp(format, "gpkg") != 0)
        return om_fail(err, OM_E_UNSUPPORTED, 0, "%s: no format '%s'", path,
                       format);
    om__gdal_init();
    struct om_sink *sink = om_calloc(1, sizeof *sink);
    if (!sink) return om_fail(err, OM_E_MEMORY, 0, "%s: out of memory", path);
    sink->schema = *schema;
    // GeoPackage knows UTC only (OGC 12-128r18, table 1).
    sink->zone_s = strcmp(format, "gpkg") == 0 ? 0 : zone_s;
    const size_t room = strlen(path) + strlen(format) + 32;
    sink->path = om_strdup(path);
    sink->temporary = om_alloc(room);
    om_status st = OM_OK;
    om__gdal_catch();
    if (!sink->path || !sink->temporary) {
        st = OM_E_MEMORY;
    } else {
        // GDAL wants to see the ending.
        snprintf(sink->temporary, room, "%s.%ld.new.%s", path, (long)getpid(),
                 format);
        st = create(sink, format, layer, crs, err);
        if (st == OM_E_MEMORY) om_fail(err, st, 0, "%s: out of memory", path);
    }
    om__gdal_release();
    if (st) {
        discard(sink);
        return st;
    }
    *out = sink;
    return OM_OK;
}

static void set_time(struct om_sink *sink, int field, int64_t utc_s)
{
    // A zone that OGR cannot write is written as UTC.
    const int32_t zone_s = sink->zone_s % ZONE_STEP_S == 0 ? sink->zone_s : 0;
    const int64_t local = utc_s + zone_s;
    int64_t days = local / 86400, rest = local % 86400, year;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    unsigned month, day;
    om_time_date(days, &year, &month, &day);
    OGR_F_SetFieldDateTimeEx(sink->feature, field, (int)year, (int)month,
                             (int)day, (int)(rest / 3600),
                             (int)(rest / 60 % 60), (float)(rest % 60),
                             ZONE_UTC + zone_s / ZONE_STEP_S);
}

static om_status set_value(struct om_sink *sink, size_t c,
                           const struct om_value *value)
{
    const int field = sink->field[c];
    OGRFeatureH feature = sink->feature;
    if (value->null) {
        OGR_F_SetFieldNull(feature, field);
        return OM_OK;
    }
    switch (sink->schema.field[c].type) {
        case OM_TYPE_INTEGER:
            OGR_F_SetFieldInteger64(feature, field, value->integer);
            return OM_OK;
        case OM_TYPE_BOOLEAN:
            OGR_F_SetFieldInteger(feature, field, value->integer != 0);
            return OM_OK;
        case OM_TYPE_REAL:
            OGR_F_SetFieldDouble(feature, field, value->real);
            return OM_OK;
        case OM_TYPE_TIME:
            set_time(sink, field, value->integer);
            return OM_OK;
        case OM_TYPE_TEXT:
        case OM_TYPE_CATEGORY:
            break;
    }
    om_buf_clear(&sink->text);
    om_buf_add(&sink->text, value->text, value->len);
    OM_TRY(om_buf_add_byte(&sink->text, '\0'));
    OGR_F_SetFieldString(feature, field, (const char *)sink->text.bytes);
    return OM_OK;
}

/* A line or ring of the vertices [first, end), a ring closed. */
static om_status make_curve(struct om_sink *sink,
                            const struct om_sink_geometry *g, uint32_t first,
                            uint32_t end, bool ring, OGRGeometryH *out)
{
    const size_t n = end - first;
    const double *lon = g->lon_deg + first, *lat = g->lat_deg + first;
    om_buf_clear(&sink->lon);
    om_buf_clear(&sink->lat);
    om_buf_add(&sink->lon, lon, n * sizeof *lon);
    om_buf_add(&sink->lat, lat, n * sizeof *lat);
    if (ring && n) {
        om_buf_add(&sink->lon, lon, sizeof *lon);
        om_buf_add(&sink->lat, lat, sizeof *lat);
    }
    if (sink->lon.status || sink->lat.status) return OM_E_MEMORY;
    *out = OGR_G_CreateGeometry(ring ? wkbLinearRing : wkbLineString);
    if (!*out) return OM_E_MEMORY;
    OGR_G_SetPoints(*out, (int)(sink->lon.len / sizeof *lon), sink->lon.bytes,
                    sizeof *lon, sink->lat.bytes, sizeof *lat, NULL, 0);
    return OM_OK;
}

static om_status add_part(struct om_sink *sink,
                          const struct om_sink_geometry *g, size_t part,
                          OGRGeometryH whole)
{
    const bool polygon = sink->schema.geometry == OM_GEOMETRY_POLYGON;
    OGRGeometryH of = whole, curve;
    if (polygon) {
        of = OGR_G_CreateGeometry(wkbPolygon);
        if (!of) return OM_E_MEMORY;
    }
    om_status st = OM_OK;
    for (uint32_t r = g->part_ring[part]; r < g->part_ring[part + 1]; r++) {
        st = make_curve(sink, g, g->ring_vertex[r], g->ring_vertex[r + 1],
                        polygon, &curve);
        if (st) break;
        OGR_G_AddGeometryDirectly(of, curve);
    }
    if (polygon && st) OGR_G_DestroyGeometry(of);
    if (polygon && !st) OGR_G_AddGeometryDirectly(whole, of);
    return st;
}

static om_status set_geometry(struct om_sink *sink,
                              const struct om_sink_geometry *g)
{
    if (!g->lon_deg) {
        OGR_F_SetGeometryDirectly(sink->feature, NULL);
        return OM_OK;
    }
    if (sink->schema.geometry == OM_GEOMETRY_POINT) {
        OGRGeometryH point = OGR_F_GetGeometryRef(sink->feature);
        if (!point) {
            point = OGR_G_CreateGeometry(wkbPoint);
            if (!point) return OM_E_MEMORY;
            OGR_F_SetGeometryDirectly(sink->feature, point);
        }
        OGR_G_SetPoint_2D(point, 0, g->lon_deg[0], g->lat_deg[0]);
        return OM_OK;
    }
    OGRGeometryH whole =
        OGR_G_CreateGeometry(layer_type(sink->schema.geometry));
    if (!whole) return OM_E_MEMORY;
    for (size_t part = 0; part < g->parts; part++) {
        const om_status st = add_part(sink, g, part, whole);
        if (!st) continue;
        OGR_G_DestroyGeometry(whole);
        return st;
    }
    OGR_F_SetGeometryDirectly(sink->feature, whole);
    return OM_OK;
}

om_status om_sink_add(struct om_sink *sink, const struct om_value *value,
                      const struct om_sink_geometry *geometry,
                      struct om_err *err)
{
    OGR_F_SetFID(sink->feature, OGRNullFID);
    for (size_t c = 0; c < sink->schema.count; c++)
        if (set_value(sink, c, &value[c]))
            return om_fail(err, OM_E_MEMORY, 0, "%s: out of memory",
                           sink->path);
    if (set_geometry(sink, geometry))
        return om_fail(err, OM_E_MEMORY, 0, "%s: out of memory", sink->path);
    om_status st = OM_OK;
    om__gdal_catch();
    if (OGR_L_CreateFeature(sink->layer, sink->feature) != OGRERR_NONE)
        st = gdal_fail(sink, err);
    if (!st && ++sink->rows % TRANSACTION_ROWS == 0 && sink->transactions &&
        (GDALDatasetCommitTransaction(sink->dataset) != OGRERR_NONE ||
         GDALDatasetStartTransaction(sink->dataset, FALSE) != OGRERR_NONE))
        st = gdal_fail(sink, err);
    om__gdal_release();
    return st;
}

om_status om_sink_close(struct om_sink *sink, bool commit, struct om_err *err)
{
    if (!sink) return OM_OK;
    om_status st = OM_OK;
    if (commit) {
        om__gdal_catch();
        if (sink->transactions &&
            GDALDatasetCommitTransaction(sink->dataset) != OGRERR_NONE)
            st = gdal_fail(sink, err);
        OGR_F_Destroy(sink->feature);
        sink->feature = NULL;
        GDALClose(sink->dataset);  // FlatGeobuf is written here
        sink->dataset = NULL;
        if (!st && om__gdal_failed()) st = gdal_fail(sink, err);
        om__gdal_release();
        if (!st && rename(sink->temporary, sink->path) == 0) {
            free_sink(sink);
            return OM_OK;
        }
        if (!st)
            st = om_fail(err, OM_E_IO, 0, "%s: cannot be renamed to %s",
                         sink->temporary, sink->path);
    }
    discard(sink);
    return st;
}
