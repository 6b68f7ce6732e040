// shapes.c - well-known binary built by hand, features written by GDAL.
#include "data/synth/shapes.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/file.h"
#include "data/base/log.h"

#define PATH_BYTES 4096
#define WKB_LITTLE 1
#define PROGRESS_ROWS 16384
enum { WKB_LINE = 2, WKB_POLYGON = 3, WKB_MULTI = 6 };

static om_status gdal_failed(const struct om__shapes *s, struct om_err *err)
{
    const char *why = CPLGetLastErrorMsg();
    return om_fail(err, OM_E_IO, s->rows, "writing %s: %s", s->name,
                   *why ? why : "GDAL failed");
}

static om_status add_columns(OGRLayerH layer, const char *columns)
{
    for (const char *at = columns; *at;) {
        const size_t len = strcspn(at, ",");
        const bool integer = *at == '#';
        char name[OM__NAME_BYTES];
        snprintf(name, sizeof name, "%.*s", (int)(len - integer), at + integer);
        OGRFieldDefnH field =
            OGR_Fld_Create(name, integer ? OFTInteger : OFTString);
        const OGRErr failed = OGR_L_CreateField(layer, field, 0);
        OGR_Fld_Destroy(field);
        if (failed != OGRERR_NONE) return OM_E_IO;
        at += len + (at[len] == ',');
    }
    return OM_OK;
}

om_status om__shapes_open(struct om__shapes *shapes,
                          const struct om__city *city, const char *name,
                          enum om__shapes_kind kind, const char *columns,
                          uint64_t total, struct om_err *err)
{
    *shapes = (struct om__shapes){
        .kind = kind, .name = name, .total = total, .begun_s = om_seconds()};
    char path[PATH_BYTES], file[OM__NAME_BYTES + 8];
    snprintf(file, sizeof file, "%s.fgb", name);
    OM_TRY(om_path_join(path, sizeof path, city->out, file));
    unlink(path);
    GDALAllRegister();
    CPLErrorReset();
    GDALDriverH driver = GDALGetDriverByName("FlatGeobuf");
    if (!driver)
        return om_fail(err, OM_E_UNSUPPORTED, 0, "GDAL has no FlatGeobuf");
    shapes->dataset = GDALCreate(driver, path, 0, 0, 0, GDT_Unknown, NULL);
    if (!shapes->dataset) return gdal_failed(shapes, err);
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(srs, 4326);
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    char **options = CSLSetNameValue(NULL, "SPATIAL_INDEX", "NO");
    const OGRwkbGeometryType type = kind == OM__SHAPES_LINE    ? wkbLineString
                                    : kind == OM__SHAPES_MULTI ? wkbMultiPolygon
                                                               : wkbPolygon;
    shapes->layer =
        GDALDatasetCreateLayer(shapes->dataset, name, srs, type, options);
    CSLDestroy(options);
    OSRRelease(srs);
    if (!shapes->layer || add_columns(shapes->layer, columns))
        return gdal_failed(shapes, err);
    shapes->feature = OGR_F_Create(OGR_L_GetLayerDefn(shapes->layer));
    return shapes->feature ? OM_OK : OM_E_MEMORY;
}

void om__shapes_text(struct om__shapes *shapes, int column, const char *text)
{
    OGR_F_SetFieldString(shapes->feature, column, text);
}

void om__shapes_integer(struct om__shapes *shapes, int column, int64_t value)
{
    OGR_F_SetFieldInteger64(shapes->feature, column, value);
}

static void put_u32(struct om_buf *buf, uint32_t value)
{
    const uint8_t byte[4] = {(uint8_t)value, (uint8_t)(value >> 8),
                             (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    om_buf_add(buf, byte, sizeof byte);
}

static void put_head(struct om_buf *buf, uint32_t type)
{
    om_buf_add_byte(buf, WKB_LITTLE);
    put_u32(buf, type);
}

static void fill_u32(struct om_buf *buf, size_t at, uint32_t value)
{
    if (buf->status) return;
    for (int i = 0; i < 4; i++)
        buf->bytes[at + (size_t)i] = (uint8_t)(value >> 8 * i);
}

void om__shapes_begin(struct om__shapes *shapes)
{
    om_buf_clear(&shapes->wkb);
    shapes->parts = shapes->rings = shapes->points = 0;
    if (shapes->kind != OM__SHAPES_MULTI) return;
    put_head(&shapes->wkb, WKB_MULTI);
    shapes->parts_at = shapes->wkb.len;
    put_u32(&shapes->wkb, 0);
}

/* Rings are closed when the next one begins, or the geometry ends. */
static void end_ring(struct om__shapes *s)
{
    if (s->points == 0) return;
    if (s->kind != OM__SHAPES_LINE && !s->wkb.status &&
        !om_buf_reserve(&s->wkb, 16)) {
        om_buf_add(&s->wkb, s->wkb.bytes + s->points_at + 4, 16);
        s->points++;
    }
    fill_u32(&s->wkb, s->points_at, s->points);
    s->points = 0;
}

static void end_part(struct om__shapes *s)
{
    end_ring(s);
    if (s->rings && s->kind != OM__SHAPES_LINE)
        fill_u32(&s->wkb, s->rings_at, s->rings);
    s->rings = 0;
}

void om__shapes_part(struct om__shapes *shapes)
{
    end_part(shapes);
    shapes->parts++;
    put_head(&shapes->wkb,
             shapes->kind == OM__SHAPES_LINE ? WKB_LINE : WKB_POLYGON);
    if (shapes->kind == OM__SHAPES_LINE) return;
    shapes->rings_at = shapes->wkb.len;
    put_u32(&shapes->wkb, 0);
}

void om__shapes_ring(struct om__shapes *shapes)
{
    end_ring(shapes);
    shapes->rings++;
    shapes->points_at = shapes->wkb.len;
    put_u32(&shapes->wkb, 0);
}

void om__shapes_point(struct om__shapes *shapes, struct om__corner corner)
{
    // Divided, not multiplied: the nearest double to the decimal degrees.
    const double xy[2] = {corner.lon_e7 / 1e7, corner.lat_e7 / 1e7};
    uint8_t byte[16];
    for (int i = 0; i < 2; i++) {
        uint64_t bits;
        memcpy(&bits, &xy[i], sizeof bits);
        for (int b = 0; b < 8; b++) byte[8 * i + b] = (uint8_t)(bits >> 8 * b);
    }
    om_buf_add(&shapes->wkb, byte, sizeof byte);
    shapes->points++;
}

om_status om__shapes_add(struct om__shapes *shapes, struct om_err *err)
{
    end_part(shapes);
    if (shapes->kind == OM__SHAPES_MULTI)
        fill_u32(&shapes->wkb, shapes->parts_at, shapes->parts);
    OM_TRY(shapes->wkb.status);
    OGRGeometryH geometry = NULL;
    if (OGR_G_CreateFromWkb(shapes->wkb.bytes, NULL, &geometry,
                            (int)shapes->wkb.len) != OGRERR_NONE ||
        OGR_F_SetGeometryDirectly(shapes->feature, geometry) != OGRERR_NONE)
        return gdal_failed(shapes, err);
    OGR_F_SetFID(shapes->feature, OGRNullFID);
    if (OGR_L_CreateFeature(shapes->layer, shapes->feature) != OGRERR_NONE)
        return gdal_failed(shapes, err);
    if (++shapes->rows % PROGRESS_ROWS == 0)
        om_progress(shapes->name, shapes->rows, shapes->total);
    return OM_OK;
}

om_status om__shapes_close(struct om__shapes *shapes, om_status status,
                           struct om_err *err)
{
    if (shapes->feature) OGR_F_Destroy(shapes->feature);
    CPLErrorReset();
    if (shapes->dataset) GDALClose(shapes->dataset);
    if (!status && CPLGetLastErrorType() >= CE_Failure)
        status = gdal_failed(shapes, err);
    om_buf_deinit(&shapes->wkb);
    if (!status)
        om_progress_done(shapes->name, shapes->rows,
                         om_seconds() - shapes->begun_s);
    shapes->dataset = shapes->layer = shapes->feature = NULL;
    return status;
}
