/* Files of GDAL as sources.
 *
 * Plan
 *   same_*      what comes through Arrow is what OGR_L_GetNextFeature gives,
 *               in every format
 *   shapes_*    rings, parts, holes, Z and M, and what is no shape
 *   encoding_*  Shapefiles that do not say theirs
 *   times_*     zones are kept
 *   columns_*   ids and types
 *   layers_*    one of several
 *   crs_*       the file's own, another, and none
 *   error_*     files that cannot be read
 *   fault_*     no allocation of ours that fails leaves anything behind
 */
#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>

#include "data/base/thread.h"
#include "data/source/gdal.h"
#include "tests/data/source_sample.h"

/* A layer of our own in a new file. */
struct made {
    GDALDatasetH dataset;
    OGRLayerH layer;
};

static struct made make_file(const char *driver, const char *path,
                             OGRwkbGeometryType type, const char *crs,
                             char **options)
{
    struct made m = {0};
    om__gdal_init();
    GDALDriverH d = GDALGetDriverByName(driver);
    assert_non_null(d);
    m.dataset = GDALCreate(d, path, 0, 0, 0, GDT_Unknown, NULL);
    assert_non_null(m.dataset);
    OGRSpatialReferenceH srs = NULL;
    if (crs) {
        srs = OSRNewSpatialReference(NULL);
        OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
        assert_int_equal(OSRSetFromUserInput(srs, crs), OGRERR_NONE);
    }
    m.layer = GDALDatasetCreateLayer(m.dataset, "made", srs, type, options);
    assert_non_null(m.layer);
    if (srs) OSRRelease(srs);
    return m;
}

static void add_field(struct made *m, const char *name, OGRFieldType type)
{
    OGRFieldDefnH field = OGR_Fld_Create(name, type);
    OGR_Fld_SetWidth(field, type == OFTString ? 60 : 0);
    assert_int_equal(OGR_L_CreateField(m->layer, field, TRUE), OGRERR_NONE);
    OGR_Fld_Destroy(field);
}

static OGRFeatureH new_feature(struct made *m, const char *wkt)
{
    OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(m->layer));
    if (!wkt) return feature;
    OGRGeometryH geometry = NULL;
    char *text = (char *)wkt;
    assert_int_equal(OGR_G_CreateFromWkt(&text, NULL, &geometry), OGRERR_NONE);
    OGR_F_SetGeometryDirectly(feature, geometry);
    return feature;
}

static void add_feature(struct made *m, OGRFeatureH feature)
{
    assert_int_equal(OGR_L_CreateFeature(m->layer, feature), OGRERR_NONE);
    OGR_F_Destroy(feature);
}

/* What the plain way through GDAL gives, as read_all prints it. Columns: id,
 * name, n, r. */
static void print_plainly(const char *path, struct om_buf *out)
{
    GDALDatasetH dataset = GDALOpenEx(path, GDAL_OF_VECTOR, NULL, NULL, NULL);
    assert_non_null(dataset);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    OGRFeatureDefnH definition = OGR_L_GetLayerDefn(layer);
    const int id = OGR_FD_GetFieldIndex(definition, "id");
    const int name = OGR_FD_GetFieldIndex(definition, "name");
    const int n = OGR_FD_GetFieldIndex(definition, "n");
    const int r = OGR_FD_GetFieldIndex(definition, "r");
    OGRFeatureH f;
    int row = 0;
    while ((f = OGR_L_GetNextFeature(layer)) != NULL) {
        OGRGeometryH g = OGR_F_GetGeometryRef(f);
        om_buf_addf(out, "%d|%.6f %.6f|%s|", ++row, OGR_G_GetX(g, 0),
                    OGR_G_GetY(g, 0), OGR_F_GetFieldAsString(f, id));
        const bool has = OGR_F_IsFieldSetAndNotNull(f, name) &&
                         *OGR_F_GetFieldAsString(f, name);
        om_buf_addf(out, "%s|", has ? OGR_F_GetFieldAsString(f, name) : "NULL");
        if (OGR_F_IsFieldSetAndNotNull(f, n))
            om_buf_add_i64(out, OGR_F_GetFieldAsInteger64(f, n));
        else
            om_buf_add_text(out, "NULL");
        om_buf_add_byte(out, '|');
        if (OGR_F_IsFieldSetAndNotNull(f, r))
            om_buf_add_json_real(out, OGR_F_GetFieldAsDouble(f, r));
        else
            om_buf_add_text(out, "NULL");
        om_buf_add_byte(out, '\n');
        OGR_F_Destroy(f);
    }
    om_buf_add_byte(out, '\0');
    GDALClose(dataset);
}

static void make_points(const char *driver, const char *path)
{
    struct made m = make_file(driver, path, wkbPoint, "OGC:CRS84", NULL);
    add_field(&m, "id", OFTString);
    add_field(&m, "name", OFTString);
    add_field(&m, "n", OFTInteger);
    add_field(&m, "r", OFTReal);
    for (int i = 0; i < 5000; i++) {
        char text[100];
        // Cells are finer than the digits printed: no doubt in the last one.
        snprintf(text, sizeof text, "POINT (%.6f %.6f)", 113 + i * 1e-5,
                 23 - i * 2e-5);
        OGRFeatureH f = new_feature(&m, text);
        snprintf(text, sizeof text, "K%05d", i);
        OGR_F_SetFieldString(f, 0, text);
        snprintf(text, sizeof text, "名称%d", i);
        if (i % 7) OGR_F_SetFieldString(f, 1, text);
        if (i % 5) OGR_F_SetFieldInteger(f, 2, i * i - 1000);
        if (i % 3) OGR_F_SetFieldDouble(f, 3, i / 8.0);
        add_feature(&m, f);
    }
    GDALClose(m.dataset);
}

/* Positions come back as centres of cells: compare them apart. */
static void assert_same_rows(const char *a, const char *b)
{
    while (*a && *b) {
        double ax, ay, bx, by;
        long an, bn;
        int at = 0, bt = 0;
        assert_int_equal(sscanf(a, "%ld|%lf %lf%n", &an, &ax, &ay, &at), 3);
        assert_int_equal(sscanf(b, "%ld|%lf %lf%n", &bn, &bx, &by, &bt), 3);
        assert_int_equal(an, bn);
        assert_true(ax - bx < 2e-6 && bx - ax < 2e-6);
        assert_true(ay - by < 2e-6 && by - ay < 2e-6);
        const size_t an_len = strcspn(a + at, "\n");
        const size_t bn_len = strcspn(b + bt, "\n");
        if (an_len != bn_len || memcmp(a + at, b + bt, an_len) != 0)
            fail_msg("row %ld: %.*s and %.*s", an, (int)an_len, a + at,
                     (int)bn_len, b + bt);
        a += (size_t)at + an_len + 1;
        b += (size_t)bt + bn_len + 1;
    }
    assert_int_equal(*a, *b);
}

static void same_rows_as_the_plain_way_in_every_format(void **state)
{
    (void)state;
    static const char *const FORMAT[][2] = {{"ESRI Shapefile", "p.shp"},
                                            {"GPKG", "p.gpkg"},
                                            {"FlatGeobuf", "p.fgb"},
                                            {"GeoJSON", "p.geojson"},
                                            {"GeoJSONSeq", "p.geojsonl"}};
    for (size_t i = 0; i < sizeof FORMAT / sizeof *FORMAT; i++) {
        const char *path = path_of(FORMAT[i][1]);
        make_points(FORMAT[i][0], path);
        struct reading r = read_all((struct om_source_options){.path = path});
        if (r.status) fail_msg("%s", r.err.text);
        assert_int_equal(r.taken, 5000);
        assert_string_equal(columns_of(&r),
                            "id:text name:text n:integer r:real");
        struct om_buf want = {0};
        print_plainly(path, &want);
        assert_same_rows(rows_of(&r), (const char *)want.bytes);
        om_buf_deinit(&want);
        reading_end(&r);
    }
}

static void same_rows_from_a_compressed_file(void **state)
{
    (void)state;
    static const char LINES[] =
        "{\"type\":\"Feature\",\"properties\":{\"k\":\"007\"},\"geometry\":"
        "{\"type\":\"Point\",\"coordinates\":[113,23]}}\n";
    struct om_buf text = {0};
    for (int i = 0; i < 10; i++) om_buf_add_text(&text, LINES);
    char to[500];
    snprintf(to, sizeof to, "/vsigzip/%s", path_of("l.geojsonl.gz"));
    om__gdal_init();
    VSILFILE *file = VSIFOpenL(to, "wb");
    assert_non_null(file);
    assert_int_equal(VSIFWriteL(text.bytes, 1, text.len, file), text.len);
    VSIFCloseL(file);
    struct reading r =
        read_all((struct om_source_options){.path = path_of("l.geojsonl.gz")});
    assert_int_equal(r.status, OM_OK);
    assert_int_equal(r.taken, 10);
    assert_string_equal(columns_of(&r), "id:text k:text");
    reading_end(&r);
    om_buf_deinit(&text);
}

static const char *write_features(const char *name, const char *const *wkt,
                                  size_t n, const char *driver,
                                  OGRwkbGeometryType type)
{
    const char *path = path_of(name);
    struct made m = make_file(driver, path, type, "OGC:CRS84", NULL);
    add_field(&m, "k", OFTInteger);
    for (size_t i = 0; i < n; i++) {
        OGRFeatureH f = new_feature(&m, wkt[i]);
        OGR_F_SetFieldInteger(f, 0, (int)i);
        add_feature(&m, f);
    }
    GDALClose(m.dataset);
    return path;
}

static void shapes_keep_parts_rings_and_vertices(void **state)
{
    (void)state;
    static const char *const WKT[] = {
        "POLYGON ((0 0,4 0,4 4,0 4,0 0),(1 1,1 2,2 2,1 1))",
        "MULTIPOLYGON Z (((0 0 9,4 0 9,4 4 9,0 0 9)),((5 5 1,6 5 1,6 6 1,5 5 "
        "1)))",
        "POLYGON M ((0 0 9,4 0 9,4 4 9,0 0 9))",
        NULL,
        "POLYGON EMPTY",
        "POLYGON ((0 0,1 1,0 0))",
        "POINT (1 1)",
        "GEOMETRYCOLLECTION (POINT (1 1))",
        "POLYGON ((0 0,4 0,4 4,0 0),(1 1,1 1,1 1,1 1))"};
    const char *path = write_features("s.gpkg", WKT, sizeof WKT / sizeof *WKT,
                                      "GPKG", wkbUnknown);
    struct reading r =
        read_all((struct om_source_options){.path = path, .id = "k"});
    assert_int_equal(r.status, OM_OK);
    assert_string_equal(
        rows_of(&r),
        "1|((0.000000 0.000000,4.000000 0.000000,4.000000 4.000000,0.000000 "
        "4.000000)(1.000000 1.000000,1.000000 2.000000,2.000000 2.000000))|0\n"
        "2|((0.000000 0.000000,4.000000 0.000000,4.000000 "
        "4.000000))((5.000000 5.000000,6.000000 5.000000,6.000000 "
        "6.000000))|1\n"
        "3|((0.000000 0.000000,4.000000 0.000000,4.000000 4.000000))|2\n"
        "9|((0.000000 0.000000,4.000000 0.000000,4.000000 "
        "4.000000)(1.000000 1.000000,1.000000 1.000000,1.000000 "
        "1.000000))|8\n");
    assert_int_equal(r.rejected, 5);
    assert_non_null(strstr(r.reasons, "no geometry: 1 (4)"));
    assert_non_null(strstr(r.reasons, "empty geometry: 1 (5)"));
    assert_non_null(
        strstr(r.reasons, "fewer vertices than a shape needs: 1 (6)"));
    assert_non_null(strstr(r.reasons, "geometry of another kind: 1 (7)"));
    assert_non_null(strstr(r.reasons, "geometry collection: 1 (8)"));
    reading_end(&r);
}

static void shapes_may_be_lines(void **state)
{
    (void)state;
    static const char *const WKT[] = {"LINESTRING (0 0,1 1,0 0)",
                                      "MULTILINESTRING ((0 0,1 1),(2 2,3 3))",
                                      "LINESTRING (1 1)"};
    struct reading r = read_all((struct om_source_options){
        .path = write_features("l.gpkg", WKT, 3, "GPKG", wkbUnknown),
        .id = "k"});
    assert_string_equal(
        rows_of(&r),
        "1|((0.000000 0.000000,1.000000 1.000000,0.000000 0.000000))|0\n"
        "2|((0.000000 0.000000,1.000000 1.000000))((2.000000 "
        "2.000000,3.000000 3.000000))|1\n");
    assert_int_equal(r.rejected, 1);
    reading_end(&r);
}

static void shapes_of_one_point_are_points(void **state)
{
    (void)state;
    static const char *const WKT[] = {"POINT Z (1 2 3)", "MULTIPOINT ((3 4))",
                                      "MULTIPOINT ((3 4),(5 6))",
                                      "POINT EMPTY"};
    struct reading r = read_all((struct om_source_options){
        .path = write_features("p2.gpkg", WKT, 4, "GPKG", wkbUnknown),
        .id = "k"});
    assert_string_equal(rows_of(&r),
                        "1|1.000000 2.000000|0\n2|3.000000 4.000000|1\n");
    assert_non_null(strstr(r.reasons, "several points: 1 (3)"));
    assert_non_null(strstr(r.reasons, "empty geometry: 1 (4)"));
    reading_end(&r);
}

static const char *make_shapefile(const char *name, const char *text,
                                  const char *cpg)
{
    static const char *const RAW[] = {"ENCODING=", NULL};
    char path[300];
    snprintf(path, sizeof path, "%s", path_of(name));
    struct made m =
        make_file("ESRI Shapefile", path, wkbPoint, NULL, (char **)RAW);
    add_field(&m, "name", OFTString);
    OGRFeatureH f = new_feature(&m, "POINT (113 23)");
    OGR_F_SetFieldString(f, 0, text);
    add_feature(&m, f);
    GDALClose(m.dataset);
    char other[300];
    snprintf(other, sizeof other, "%.*s.cpg", (int)strlen(path) - 4, path);
    unlink(other);
    if (cpg) {
        FILE *file = fopen(other, "w");
        fputs(cpg, file);
        fclose(file);
    }
    // The language driver of dBASE, byte 29: none.
    snprintf(other, sizeof other, "%.*s.dbf", (int)strlen(path) - 4, path);
    FILE *file = fopen(other, "r+b");
    fseek(file, 29, SEEK_SET);
    fputc(0, file);
    fclose(file);
    return path_of(name);
}

static void encoding_of_a_shapefile_is_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *cpg, *encoding, *want;
    } CASE[] = {
        {"e1.shp", "\xB6\xAB\xDD\xB8\xCA\xD0", NULL, NULL, "东莞市"},
        {"e2.shp", "\xB6\xAB\xDD\xB8\xCA\xD0", "GBK", NULL, "东莞市"},
        {"e3.shp", "\xB6\xAB\xDD\xB8\xCA\xD0", "936", NULL, "东莞市"},
        {"e4.shp", "东莞市", NULL, NULL, "东莞市"},
        {"e5.shp", "东莞市", "UTF-8", NULL, "东莞市"},
        {"e6.shp", "Malm\xF6", NULL, NULL, "Malmö"},
        {"e7.shp", "\xA4\xA4\xA4\xE5", NULL, "BIG5", "中文"},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        struct reading r = read_all((struct om_source_options){
            .path = make_shapefile(CASE[i].name, CASE[i].text, CASE[i].cpg),
            .encoding = CASE[i].encoding});
        assert_int_equal(r.status, OM_OK);
        char want[100];
        snprintf(want, sizeof want, "1|113.000000 23.000000|1|%s\n",
                 CASE[i].want);
        assert_string_equal(rows_of(&r), want);
        reading_end(&r);
    }
}

static void encoding_that_does_not_fit_rejects_the_row(void **state)
{
    (void)state;
    struct reading r = read_all((struct om_source_options){
        .path = make_shapefile("bad.shp", "\xB6\xAB\xFF", "GBK")});
    assert_int_equal(r.status, OM_OK);
    assert_string_equal(r.reasons, "text is not of the encoding: 1 (1)\n");
    reading_end(&r);
}

static void times_keep_their_zones(void **state)
{
    (void)state;
    static const char JSON[] =
        "{\"type\":\"FeatureCollection\",\"features\":["
        "{\"type\":\"Feature\",\"properties\":{\"id\":1,"
        "\"t\":\"2023-06-26T14:05:31+08:00\",\"d\":\"2023-06-26\"},"
        "\"geometry\":{\"type\":\"Point\",\"coordinates\":[113,23]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":2,"
        "\"t\":\"2023-06-26T14:05:31Z\"},"
        "\"geometry\":{\"type\":\"Point\",\"coordinates\":[113,23]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":3,"
        "\"t\":\"2023-06-26T14:05:31\"},"
        "\"geometry\":{\"type\":\"Point\",\"coordinates\":[113,23]}}]}";
    // 06:05:31Z is 1687759531; the third is of the city's own zone.
    struct reading r = read_all(
        (struct om_source_options){.path = write_text("t.geojson", JSON)});
    assert_string_equal(columns_of(&r), "id:text t:time d:time");
    assert_int_equal(r.schema.time_field, 1);
    assert_string_equal(rows_of(&r),
                        "1|113.000000 23.000000|1|1687759531|1687708800\n"
                        "2|113.000000 23.000000|2|1687788331|NULL\n"
                        "3|113.000000 23.000000|3|1687759531|NULL\n");
    reading_end(&r);
}

static void times_may_be_numbers_of_milliseconds(void **state)
{
    (void)state;
    static const char JSON[] =
        "{\"type\":\"Feature\",\"properties\":{\"t\":1687759531000},"
        "\"geometry\":{\"type\":\"Point\",\"coordinates\":[113,23]}}";
    struct reading r = read_all((struct om_source_options){
        .path = write_text("ms.geojson", JSON), .time = "t"});
    assert_string_equal(rows_of(&r), "1|113.000000 23.000000|1|1687759531\n");
    reading_end(&r);
}

static void columns_take_the_feature_number_where_it_is_a_key(void **state)
{
    (void)state;
    static const char *const WKT[] = {"POINT (1 2)", "POINT (3 4)"};
    struct reading r = read_all((struct om_source_options){
        .path = write_features("fid.gpkg", WKT, 2, "GPKG", wkbPoint)});
    assert_string_equal(columns_of(&r), "k:integer id:text");
    assert_string_equal(rows_of(&r),
                        "1|1.000000 2.000000|0|1\n"
                        "2|3.000000 4.000000|1|2\n");
    reading_end(&r);
    static const char JSON[] =
        "{\"type\":\"FeatureCollection\",\"features\":["
        "{\"type\":\"Feature\",\"id\":70,\"properties\":{},\"geometry\":"
        "{\"type\":\"Point\",\"coordinates\":[113,23]}},"
        "{\"type\":\"Feature\",\"id\":8,\"properties\":{},\"geometry\":"
        "{\"type\":\"Point\",\"coordinates\":[113,23]}}]}";
    r = read_all(
        (struct om_source_options){.path = write_text("n.geojson", JSON)});
    assert_string_equal(rows_of(&r),
                        "1|113.000000 23.000000|70\n"
                        "2|113.000000 23.000000|8\n");
    reading_end(&r);
}

static void columns_of_a_schema_change_types(void **state)
{
    (void)state;
    const char *path = path_of("types.fgb");
    struct made m = make_file("FlatGeobuf", path, wkbPoint, "OGC:CRS84", NULL);
    add_field(&m, "code", OFTInteger64);
    add_field(&m, "n", OFTReal);
    add_field(&m, "s", OFTString);
    static const double N[] = {17, 17.5};
    for (int i = 0; i < 2; i++) {
        OGRFeatureH f = new_feature(&m, "POINT (113 23)");
        OGR_F_SetFieldInteger64(f, 0, 441900000000 + i);
        OGR_F_SetFieldDouble(f, 1, N[i]);
        OGR_F_SetFieldString(f, 2, i ? "x" : "2.5");
        add_feature(&m, f);
    }
    GDALClose(m.dataset);
    struct om_schema schema = {
        .count = 3, .id_field = 0, .time_field = OM_NO_FIELD};
    schema.field[0] = (struct om_field){"code", OM_TYPE_TEXT};
    schema.field[1] = (struct om_field){"n", OM_TYPE_TEXT};
    schema.field[2] = (struct om_field){"s", OM_TYPE_REAL};
    struct om_source_options options = {.path = path, .schema = &schema};
    struct reading r = read_all(options);
    assert_string_equal(rows_of(&r),
                        "1|113.000000 23.000000|441900000000|17|2.5\n");
    assert_string_equal(r.reasons, "not a number: 1 (2)\n");
    reading_end(&r);
    schema.field[1].type = OM_TYPE_INTEGER;
    schema.field[2].type = OM_TYPE_CATEGORY;
    r = read_all(options);
    assert_string_equal(rows_of(&r),
                        "1|113.000000 23.000000|441900000000|17|2.5\n");
    assert_string_equal(r.reasons, "not an integer: 1 (2)\n");
    reading_end(&r);
}

static void columns_of_wkt_tables_are_guessed(void **state)
{
    (void)state;
    struct reading r = read_all((struct om_source_options){
        .path = write_text("w.csv",
                           "id,code,n,when,WKT\n1,007,5,2023-01-02,\"POLYGON "
                           "((113 23,114 23,114 24,113 23))\"\n")});
    assert_int_equal(r.status, OM_OK);
    assert_string_equal(columns_of(&r),
                        "id:text code:text n:integer when:time");
    assert_string_equal(
        rows_of(&r),
        "1|((113.000000 23.000000,114.000000 "
        "23.000000,114.000000 24.000000))|1|007|5|1672588800\n");
    reading_end(&r);
}

static void layers_are_chosen_by_name_or_number(void **state)
{
    (void)state;
    const char *path = path_of("two.gpkg");
    struct made m = make_file("GPKG", path, wkbPoint, "OGC:CRS84", NULL);
    add_feature(&m, new_feature(&m, "POINT (1 2)"));
    m.layer = GDALDatasetCreateLayer(m.dataset, "second", NULL, wkbPoint, NULL);
    add_feature(&m, new_feature(&m, "POINT (3 4)"));
    GDALClose(m.dataset);
    struct reading r = read_all((struct om_source_options){.path = path});
    assert_int_equal(r.status, OM_E_NOTFOUND);
    assert_non_null(strstr(r.err.text, "made, second"));
    reading_end(&r);
    static const char *const NAME[] = {"second", "1"};
    for (size_t i = 0; i < 2; i++) {
        r = read_all(
            (struct om_source_options){.path = path, .source_layer = NAME[i]});
        assert_string_equal(rows_of(&r), "1|3.000000 4.000000|1\n");
        reading_end(&r);
    }
    r = read_all(
        (struct om_source_options){.path = path, .source_layer = "third"});
    assert_int_equal(r.status, OM_E_NOTFOUND);
    reading_end(&r);
}

static void layers_of_openstreetmap_are_read_alone(void **state)
{
    (void)state;
    static const char OSM[] =
        "<osm version='0.6'>"
        "<node id='1' lat='23' lon='113' version='1'>"
        "<tag k='name' v='here'/></node>"
        "<node id='2' lat='23.1' lon='113' version='1'/>"
        "<node id='3' lat='23.1' lon='113.1' version='1'/>"
        "<way id='5' version='1'><nd ref='1'/><nd ref='2'/><nd ref='3'/>"
        "<nd ref='1'/><tag k='building' v='yes'/></way></osm>";
    const char *path = write_text("m.osm", OSM);
    struct reading r = read_all((struct om_source_options){
        .path = path, .source_layer = "multipolygons"});
    assert_int_equal(r.status, OM_OK);
    assert_int_equal(r.taken, 1);
    assert_non_null(strstr(rows_of(&r), "|way/5|"));
    reading_end(&r);
    r = read_all(
        (struct om_source_options){.path = path, .source_layer = "points"});
    assert_int_equal(r.taken, 1);
    assert_non_null(strstr(rows_of(&r), "1|113.000000 23.000000|1|here|"));
    reading_end(&r);
}

static void crs_of_the_file_is_used_in_the_order_it_is_stored(void **state)
{
    (void)state;
    static const char *const FORMAT[][2] = {{"ESRI Shapefile", "c.shp"},
                                            {"GPKG", "c.gpkg"},
                                            {"FlatGeobuf", "c.fgb"}};
    // EPSG:4547 has the northing first; files have the easting first.
    for (size_t i = 0; i < 3; i++) {
        struct made m = make_file(FORMAT[i][0], path_of(FORMAT[i][1]), wkbPoint,
                                  "EPSG:4547", NULL);
        add_field(&m, "k", OFTString);
        add_feature(&m, new_feature(&m, "POINT (477409.4159 2546319.7153)"));
        GDALClose(m.dataset);
        struct reading r =
            read_all((struct om_source_options){.path = path_of(FORMAT[i][1])});
        assert_int_equal(r.status, OM_OK);
        assert_non_null(strstr(rows_of(&r), "1|113.779627 23.015939|"));
        reading_end(&r);
        r = read_all((struct om_source_options){.path = path_of(FORMAT[i][1]),
                                                .crs = "EPSG:4490"});
        assert_int_equal(r.status, OM_E_CRS);
        reading_end(&r);
    }
}

static void error_files_that_cannot_be_read(void **state)
{
    (void)state;
    struct reading r =
        read_all((struct om_source_options){.path = path_of("none.fgb")});
    assert_int_equal(r.status, OM_E_NOTFOUND);
    reading_end(&r);
    r = read_all(
        (struct om_source_options){.path = write_text("x.geojson", "{\"a\":")});
    assert_int_equal(r.status, OM_E_FORMAT);
    reading_end(&r);
    // A FlatGeobuf that was cut says so, at the latest when it is read.
    make_points("FlatGeobuf", path_of("cut.fgb"));
    assert_int_equal(truncate(path_of("cut.fgb"), 300000), 0);
    r = read_all((struct om_source_options){.path = path_of("cut.fgb")});
    assert_int_equal(r.status, OM_E_FORMAT);
    reading_end(&r);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const WKT[] = {"POLYGON ((0 0,4 0,4 4,0 0))",
                                      "POLYGON EMPTY"};
    const char *path = write_features("f.gpkg", WKT, 2, "GPKG", wkbPolygon);
    const size_t before = om_alloc_live();
    om_threads_set(1);
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_source_options options = {.path = path};
        struct om_source *source = NULL;
        struct om_batch batch = {0};
        struct om_err err = {0};
        om_alloc_fail_after(n, false);
        st = om_source_open(&options, &source, &err);
        if (!st) st = om_source_next(source, &batch, &err);
        om_source_close(source);
        om_batch_deinit(&batch);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), before);
        assert_true(n < 10000);
    }
    om_threads_set(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_rows_as_the_plain_way_in_every_format),
        cmocka_unit_test(same_rows_from_a_compressed_file),
        cmocka_unit_test(shapes_keep_parts_rings_and_vertices),
        cmocka_unit_test(shapes_may_be_lines),
        cmocka_unit_test(shapes_of_one_point_are_points),
        cmocka_unit_test(encoding_of_a_shapefile_is_recognised),
        cmocka_unit_test(encoding_that_does_not_fit_rejects_the_row),
        cmocka_unit_test(times_keep_their_zones),
        cmocka_unit_test(times_may_be_numbers_of_milliseconds),
        cmocka_unit_test(columns_take_the_feature_number_where_it_is_a_key),
        cmocka_unit_test(columns_of_a_schema_change_types),
        cmocka_unit_test(columns_of_wkt_tables_are_guessed),
        cmocka_unit_test(layers_are_chosen_by_name_or_number),
        cmocka_unit_test(layers_of_openstreetmap_are_read_alone),
        cmocka_unit_test(crs_of_the_file_is_used_in_the_order_it_is_stored),
        cmocka_unit_test(error_files_that_cannot_be_read),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
