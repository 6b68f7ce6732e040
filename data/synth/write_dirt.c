// write_dirt.c - small spoilt files, what real life sends to an import.
#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/file.h"
#include "data/synth/table.h"
#include "data/synth/write_internal.h"

#define PATH_BYTES 4096
#define POINTS 24

static const char README[] =
    "Spoilt files: each is wrong in one way that real files are wrong in.\n"
    "None of them belongs to the clean city; `import --all` leaves them out.\n"
    "\n"
    "file                     what is wrong; what import must do\n"
    "no_crs.geojson           metres of EPSG:4547 (CGCS2000 / 3-degree zone\n"
    "                         38) in a file that says nothing and so means\n"
    "                         degrees: refused, asking for --crs; with\n"
    "                         --crs EPSG:4547 all are taken\n"
    "no_prj.shp               the same metres in a shapefile without .prj:\n"
    "                         refused, asking for --crs\n"
    "swapped_axes.csv         columns lon and lat hold latitude and "
    "longitude:\n"
    "                         refused, telling so; --x lat --y lon takes all\n"
    "gbk_without_cpg.shp      Chinese text in GBK, no .cpg beside it, label\n"
    "                         byte of the .dbf empty: recognised as GBK\n"
    "duplicate_ids.csv        4 of 24 ids come twice: the second is rejected\n"
    "empty_geometry.geojson   one null geometry, one empty polygon: rejected\n"
    "bowtie_grid.geojson      a grid that crosses itself: repaired, reported\n"
    "gap_overlap.geojson      three grids, one overlaps its neighbour by 20 "
    "m,\n"
    "                         one leaves a gap of 20 m: taken, the overlap\n"
    "                         reported when imported as units\n"
    "three_dates.csv          dates as 2023-03-05, 2023/3/5 and 20230305, and\n"
    "                         one that is no date: with --time it is rejected\n"
    "null_island.csv          one of 24 points lies at 0,0: taken or "
    "rejected,\n"
    "                         but it must not blow up the layer's extent\n";

static om_status put_file(const char *folder, const char *name,
                          const struct om_buf *text, struct om_err *err)
{
    char path[PATH_BYTES];
    OM_TRY(text->status);
    OM_TRY(om_path_join(path, sizeof path, folder, name));
    return om_file_write_whole(path, text->bytes, text->len, err);
}

/* A few points around the middle of the first grid. */
static struct om__xy spot(const struct om__city *city, int i)
{
    struct om__dice dice = om__dice(city->seed, OM__FOR_DIRT, (uint64_t)i);
    const struct om__xy middle = city->grid[0].middle;
    return (struct om__xy){middle.x + om__dice_between(&dice, -400, 400),
                           middle.y + om__dice_between(&dice, -400, 400)};
}

static void lon_lat(struct om__xy p, double *lon, double *lat)
{
    const struct om__corner c = om__plane_corner(p);
    *lon = c.lon_e7 / 1e7;
    *lat = c.lat_e7 / 1e7;
}

static om_status tables(const struct om__city *city, const char *folder,
                        struct om_err *err)
{
    struct om_buf swapped = {0}, twice = {0}, dates = {0}, island = {0};
    om_buf_add_text(&swapped, "lon,lat,id,name\n");
    om_buf_add_text(&twice, "lon,lat,id,name\n");
    om_buf_add_text(&dates, "lon,lat,id,opened\n");
    om_buf_add_text(&island, "lon,lat,id,name\n");
    static const char *const DATE[] = {"2023-03-%02d", "2023/3/%d",
                                       "202303%02d"};
    for (int i = 0; i < POINTS; i++) {
        double lon, lat;
        char day[32];
        lon_lat(spot(city, i), &lon, &lat);
        om_buf_addf(&swapped, "%.7f,%.7f,D%03d,点%d\n", lat, lon, i + 1, i + 1);
        om_buf_addf(&twice, "%.7f,%.7f,D%03d,点%d\n", lon, lat,
                    i % 6 == 5 ? i : i + 1, i + 1);
        snprintf(day, sizeof day, DATE[i % 3], 1 + i);
        om_buf_addf(&dates, "%.7f,%.7f,D%03d,%s\n", lon, lat, i + 1,
                    i == 10 ? "三月五日" : day);
        if (i == 12) lon = lat = 0;
        om_buf_addf(&island, "%.7f,%.7f,D%03d,点%d\n", lon, lat, i + 1, i + 1);
    }
    om_status st = put_file(folder, "swapped_axes.csv", &swapped, err);
    if (!st) st = put_file(folder, "duplicate_ids.csv", &twice, err);
    if (!st) st = put_file(folder, "three_dates.csv", &dates, err);
    if (!st) st = put_file(folder, "null_island.csv", &island, err);
    om_buf_deinit(&swapped);
    om_buf_deinit(&twice);
    om_buf_deinit(&dates);
    om_buf_deinit(&island);
    return st;
}

/* A ring of corners given as offsets in metres from a place. */
static void add_ring(struct om_buf *out, struct om__xy at,
                     const double (*offset)[2], size_t n)
{
    for (size_t i = 0; i <= n; i++) {
        double lon, lat;
        lon_lat(
            (struct om__xy){at.x + offset[i % n][0], at.y + offset[i % n][1]},
            &lon, &lat);
        om_buf_addf(out, "%s[%.7f, %.7f]", i ? ", " : "", lon, lat);
    }
}

static void add_polygon(struct om_buf *out, const char *id, struct om__xy at,
                        const double (*offset)[2], size_t n)
{
    const bool first = out->len && out->bytes[out->len - 1] == '[';
    om_buf_addf(out,
                "%s\n{\"type\": \"Feature\", \"properties\": {\"id\": \"%s\", "
                "\"name\": \"网格%s\"}, \"geometry\": {\"type\": \"Polygon\", "
                "\"coordinates\": [[",
                first ? "" : ",", id, id);
    add_ring(out, at, offset, n);
    om_buf_add_text(out, "]]}}");
}

#define COLLECTION "{\"type\": \"FeatureCollection\", \"features\": ["

static om_status grids(const struct om__city *city, const char *folder,
                       struct om_err *err)
{
    static const double SQUARE[][2] = {{0, 0}, {300, 0}, {300, 300}, {0, 300}};
    static const double BOW[][2] = {{0, 0}, {300, 300}, {300, 0}, {0, 300}};
    const struct om__xy at = city->grid[0].middle;
    const struct om__xy overlap = {at.x + 280, at.y};
    const struct om__xy gap = {at.x + 600, at.y};
    struct om_buf bow = {0}, loose = {0}, empty = {0};
    om_buf_add_text(&bow, COLLECTION);
    add_polygon(&bow, "X1", at, BOW, 4);
    add_polygon(&bow, "X2", overlap, SQUARE, 4);
    om_buf_add_text(&bow, "\n]}\n");
    om_buf_add_text(&loose, COLLECTION);
    add_polygon(&loose, "X1", at, SQUARE, 4);
    add_polygon(&loose, "X2", overlap, SQUARE, 4);
    add_polygon(&loose, "X3", gap, SQUARE, 4);
    om_buf_add_text(&loose, "\n]}\n");
    om_buf_add_text(&empty, COLLECTION);
    add_polygon(&empty, "X1", at, SQUARE, 4);
    om_buf_add_text(
        &empty,
        ",\n{\"type\": \"Feature\", \"properties\": {\"id\": \"X2\", \"name\": "
        "\"网格X2\"}, \"geometry\": null},\n{\"type\": \"Feature\", "
        "\"properties\": {\"id\": \"X3\", \"name\": \"网格X3\"}, \"geometry\": "
        "{\"type\": \"Polygon\", \"coordinates\": []}}\n]}\n");
    om_status st = put_file(folder, "bowtie_grid.geojson", &bow, err);
    if (!st) st = put_file(folder, "gap_overlap.geojson", &loose, err);
    if (!st) st = put_file(folder, "empty_geometry.geojson", &empty, err);
    om_buf_deinit(&bow);
    om_buf_deinit(&loose);
    om_buf_deinit(&empty);
    return st;
}

/* The place in metres of EPSG:4547, x easting and y northing. */
static om_status to_4547(double *x, double *y)
{
    OGRSpatialReferenceH from = OSRNewSpatialReference(NULL);
    OGRSpatialReferenceH to = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(from, 4326);
    OSRImportFromEPSG(to, 4547);
    OSRSetAxisMappingStrategy(from, OAMS_TRADITIONAL_GIS_ORDER);
    OSRSetAxisMappingStrategy(to, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH t = OCTNewCoordinateTransformation(from, to);
    const int done = t ? OCTTransform(t, 1, x, y, NULL) : 0;
    if (t) OCTDestroyCoordinateTransformation(t);
    OSRRelease(from);
    OSRRelease(to);
    return done ? OM_OK : OM_E_CRS;
}

static om_status unlabelled(const struct om__city *city, const char *folder,
                            struct om_err *err)
{
    struct om_buf out = {0};
    om_status st = OM_OK;
    om_buf_add_text(&out, COLLECTION);
    for (int i = 0; i < POINTS && !st; i++) {
        double x, y;
        lon_lat(spot(city, i), &x, &y);
        st = to_4547(&x, &y);
        om_buf_addf(&out,
                    "%s\n{\"type\": \"Feature\", \"properties\": {\"id\": "
                    "\"D%03d\"}, \"geometry\": {\"type\": \"Point\", "
                    "\"coordinates\": [%.3f, %.3f]}}",
                    i ? "," : "", i + 1, x, y);
    }
    om_buf_add_text(&out, "\n]}\n");
    if (!st) st = put_file(folder, "no_crs.geojson", &out, err);
    om_buf_deinit(&out);
    return st;
}

/* A shapefile with no .prj (metres) or no .cpg (GBK text); GDAL writes the
 * companions and they are taken away, as careless people do. */
static om_status shapefile(const struct om__city *city, const char *folder,
                           const char *name, bool metres, struct om_err *err)
{
    char path[PATH_BYTES], file[OM__NAME_BYTES];
    snprintf(file, sizeof file, "%s.shp", name);
    OM_TRY(om_path_join(path, sizeof path, folder, file));
    GDALAllRegister();
    GDALDriverH driver = GDALGetDriverByName("ESRI Shapefile");
    GDALDatasetH data =
        driver ? GDALCreate(driver, path, 0, 0, 0, GDT_Unknown, NULL) : NULL;
    if (!data) return om_fail(err, OM_E_IO, 0, "cannot write %s", path);
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(srs, 4490);
    char **options =
        CSLSetNameValue(NULL, "ENCODING", metres ? "UTF-8" : "CP936");
    OGRLayerH layer = GDALDatasetCreateLayer(data, name, metres ? NULL : srs,
                                             wkbPoint, options);
    CSLDestroy(options);
    OSRRelease(srs);
    om_status st = layer ? OM_OK : OM_E_IO;
    static const char *const FIELD[] = {"id", "name"};
    for (int k = 0; k < 2 && !st; k++) {
        OGRFieldDefnH field = OGR_Fld_Create(FIELD[k], OFTString);
        OGR_Fld_SetWidth(field, 60);
        if (OGR_L_CreateField(layer, field, 0) != OGRERR_NONE) st = OM_E_IO;
        OGR_Fld_Destroy(field);
    }
    for (int i = 0; i < POINTS && !st; i++) {
        double x, y;
        char id[16], text[4 * OM__NAME_BYTES];
        lon_lat(spot(city, i), &x, &y);
        if (metres) st = to_4547(&x, &y);
        snprintf(id, sizeof id, "D%03d", i + 1);
        snprintf(text, sizeof text, "%s%d号", city->village[0].text, i + 1);
        OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
        OGRGeometryH point = OGR_G_CreateGeometry(wkbPoint);
        OGR_G_SetPoint_2D(point, 0, x, y);
        OGR_F_SetFieldString(feature, 0, id);
        OGR_F_SetFieldString(feature, 1, text);
        OGR_F_SetGeometryDirectly(feature, point);
        if (OGR_L_CreateFeature(layer, feature) != OGRERR_NONE) st = OM_E_IO;
        OGR_F_Destroy(feature);
    }
    GDALClose(data);
    return st ? om_fail(err, st, 0, "cannot write %s", path) : OM_OK;
}

/* Byte 29 of a .dbf names its code page: 0 says nothing. Bytes 1 to 3 are the
 * day of writing, which would make every day's file another. */
static om_status forget(const char *folder, const char *name, bool code_page,
                        struct om_err *err)
{
    char path[PATH_BYTES], file[OM__NAME_BYTES];
    snprintf(file, sizeof file, "%s.cpg", name);
    OM_TRY(om_path_join(path, sizeof path, folder, file));
    unlink(path);
    snprintf(file, sizeof file, "%s.dbf", name);
    OM_TRY(om_path_join(path, sizeof path, folder, file));
    struct om_buf dbf = {0};
    om_status st = om_file_read(path, 1 << 20, &dbf, err);
    if (!st && dbf.len > 32) {
        static const uint8_t DAY[3] = {123, 6, 26};
        memcpy(dbf.bytes + 1, DAY, sizeof DAY);
        if (code_page) dbf.bytes[29] = 0;
        st = om_file_write_whole(path, dbf.bytes, dbf.len, err);
    }
    om_buf_deinit(&dbf);
    return st;
}

om_status om__write_dirt(const struct om__city *city, struct om_err *err)
{
    char folder[PATH_BYTES];
    OM_TRY(om_path_join(folder, sizeof folder, city->out, "dirt"));
    OM_TRY(om_folder_make(folder, err));
    struct om_buf readme = {0};
    om_buf_add_text(&readme, README);
    om_status st = put_file(folder, "README.txt", &readme, err);
    om_buf_deinit(&readme);
    if (!st) st = tables(city, folder, err);
    if (!st) st = grids(city, folder, err);
    if (!st) st = unlabelled(city, folder, err);
    if (!st) st = shapefile(city, folder, "no_prj", true, err);
    if (!st) st = forget(folder, "no_prj", false, err);
    if (!st) st = shapefile(city, folder, "gbk_without_cpg", false, err);
    if (!st) st = forget(folder, "gbk_without_cpg", true, err);
    return st;
}
