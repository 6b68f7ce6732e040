/* Files that are written.
 *
 * Plan
 *   round_*   GDAL and om_source read what was written
 *   close_*   a file is there when closed well, else what was there stays
 *   error_*   what cannot be written
 *   fault_*   no allocation of ours that fails leaves anything behind
 */
#include <cpl_vsi.h>
#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>

#include "data/source/sink.h"
#include "tests/data/source_sample.h"

static struct om_schema schema_of(enum om_geometry geometry)
{
    static const struct om_field FIELD[] = {
        {"id", OM_TYPE_TEXT},   {"kind", OM_TYPE_CATEGORY},
        {"n", OM_TYPE_INTEGER}, {"r", OM_TYPE_REAL},
        {"at", OM_TYPE_TIME},   {"open", OM_TYPE_BOOLEAN}};
    struct om_schema schema = {.geometry = geometry,
                               .count = sizeof FIELD / sizeof *FIELD,
                               .id_field = 0,
                               .time_field = 4};
    memcpy(schema.field, FIELD, sizeof FIELD);
    return schema;
}

static struct om_value text_value(const char *text)
{
    return (struct om_value){
        .text = text, .len = text ? strlen(text) : 0, .null = !text};
}

static void add_row(struct om_sink *sink, int i,
                    const struct om_sink_geometry *geometry)
{
    char id[20];
    snprintf(id, sizeof id, "K%d", i);
    const bool none = i % 3 == 2;
    struct om_value value[6] = {
        text_value(id),
        text_value(none ? NULL : "门禁"),
        {.integer = INT64_C(9007199254740991) - i, .null = none},
        {.real = i / 8.0 + 0.1, .null = none},
        {.integer = 1687759531 + i, .null = none},
        {.integer = i % 2, .null = none}};
    struct om_err err = {0};
    if (om_sink_add(sink, value, geometry, &err)) fail_msg("%s", err.text);
}

static const uint32_t PART_RING[] = {0, 2, 3};
static const uint32_t RING_VERTEX[] = {0, 4, 7, 10};
static const double LON[] = {113,   114,   114, 113, 113.2,
                             113.2, 113.4, 115, 116, 116};
static const double LAT[] = {22, 22, 23, 23, 22.2, 22.4, 22.4, 22, 22, 23};

static struct om_sink_geometry geometry_of(enum om_geometry kind)
{
    if (kind == OM_GEOMETRY_POINT)
        return (struct om_sink_geometry){.lon_deg = LON, .lat_deg = LAT};
    return (struct om_sink_geometry){.parts = 2,
                                     .part_ring = PART_RING,
                                     .ring_vertex = RING_VERTEX,
                                     .lon_deg = LON,
                                     .lat_deg = LAT};
}

static const char *write_rows(const char *format, enum om_geometry kind,
                              int rows)
{
    char name[40];
    snprintf(name, sizeof name, "w%d.%s", (int)kind, format);
    const char *path = path_of(name);
    const struct om_schema schema = schema_of(kind);
    const struct om_sink_geometry geometry = geometry_of(kind);
    struct om_sink *sink;
    struct om_err err = {0};
    if (om_sink_open(path, format, "layer", &schema, ZONE_S, NULL, &sink, &err))
        fail_msg("%s", err.text);
    for (int i = 0; i < rows; i++) add_row(sink, i, &geometry);
    if (om_sink_close(sink, true, &err)) fail_msg("%s", err.text);
    return path;
}

static void check_with_gdal(const char *path, enum om_geometry kind, int rows)
{
    GDALDatasetH dataset = GDALOpenEx(path, GDAL_OF_VECTOR, NULL, NULL, NULL);
    assert_non_null(dataset);
    OGRLayerH layer = GDALDatasetGetLayer(dataset, 0);
    assert_string_equal(OGR_L_GetName(layer), "layer");
    assert_true(OSRIsGeographic(OGR_L_GetSpatialRef(layer)));
    assert_int_equal(OGR_L_GetFeatureCount(layer, TRUE), rows);
    static const char *const WKT[] = {
        "POINT (113 22)",
        "MULTILINESTRING ((113 22,114 22,114 23,113 23),(113.2 22.2,113.2 "
        "22.4,113.4 22.4),(115 22,116 22,116 23))",
        "MULTIPOLYGON (((113 22,114 22,114 23,113 23,113 22),(113.2 "
        "22.2,113.2 22.4,113.4 22.4,113.2 22.2)),((115 22,116 22,116 23,115 "
        "22)))"};
    OGRFeatureH f = OGR_L_GetNextFeature(layer);
    char *wkt;
    OGR_G_ExportToWkt(OGR_F_GetGeometryRef(f), &wkt);
    assert_string_equal(wkt, WKT[kind]);
    VSIFree(wkt);
    assert_int_equal(OGR_F_GetFieldCount(f), 6);
    assert_string_equal(OGR_F_GetFieldAsString(f, 0), "K0");
    assert_string_equal(OGR_F_GetFieldAsString(f, 1), "门禁");
    assert_true(OGR_F_GetFieldAsInteger64(f, 2) == INT64_C(9007199254740991));
    assert_true(OGR_F_GetFieldAsDouble(f, 3) == 0.1);
    int y, mo, d, h, mi, s, zone;
    assert_true(
        OGR_F_GetFieldAsDateTime(f, 4, &y, &mo, &d, &h, &mi, &s, &zone));
    const int utc_h = h - (zone - 100) / 4;
    assert_true(zone >= 100 && y == 2023 && mo == 6 && d == 26 && utc_h == 6);
    assert_true(mi == 5 && s == 31);
    assert_int_equal(OGR_F_GetFieldAsInteger(f, 5), 0);
    OGR_F_Destroy(f);
    f = OGR_L_GetNextFeature(layer);
    OGR_F_Destroy(f);
    f = OGR_L_GetNextFeature(layer);
    for (int c = 1; c < 6; c++) assert_false(OGR_F_IsFieldSetAndNotNull(f, c));
    OGR_F_Destroy(f);
    GDALClose(dataset);
}

static void round_trip_through_gdal(void **state)
{
    (void)state;
    static const char *const FORMAT[] = {"fgb", "gpkg"};
    for (size_t i = 0; i < 2; i++)
        for (int kind = 0; kind < 3; kind++) {
            const char *path = write_rows(FORMAT[i], (enum om_geometry)kind, 7);
            check_with_gdal(path, (enum om_geometry)kind, 7);
        }
}

static void round_trip_through_our_own_source(void **state)
{
    (void)state;
    static const char *const FORMAT[] = {"fgb", "gpkg"};
    for (size_t i = 0; i < 2; i++) {
        struct reading r = read_all((struct om_source_options){
            .path = write_rows(FORMAT[i], OM_GEOMETRY_POLYGON, 3)});
        assert_int_equal(r.status, OM_OK);
        assert_string_equal(columns_of(&r),
                            "id:text kind:text n:integer "
                            "r:real at:time open:boolean");
        assert_non_null(strstr(rows_of(&r),
                               "1|((113.000000 22.000000,114.000000 22.000000,"
                               "114.000000 23.000000,113.000000 23.000000)"
                               "(113.200000 22.200000,113.200000 22.400000,"
                               "113.400000 22.400000))((115.000000 22.000000,"
                               "116.000000 22.000000,116.000000 23.000000))"
                               "|K0|门禁|9007199254740991|0.1|1687759531|0\n"));
        assert_non_null(strstr(rows_of(&r), "|K2|NULL|NULL|NULL|NULL|NULL\n"));
        reading_end(&r);
    }
}

static void round_trip_of_more_than_one_transaction(void **state)
{
    (void)state;
    enum { ROWS = 100001 };
    struct reading r = read_all((struct om_source_options){
        .path = write_rows("gpkg", OM_GEOMETRY_POINT, ROWS)});
    assert_int_equal(r.status, OM_OK);
    assert_int_equal(r.taken, ROWS);
    reading_end(&r);
}

/* Files in the folder that have to do with a name. */
static int files_of(const char *name)
{
    int n = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += strncmp(e->d_name, name, strlen(name)) == 0;
    closedir(dir);
    return n;
}

static void close_without_commit_leaves_the_old_file(void **state)
{
    (void)state;
    static const char *const FORMAT[] = {"fgb", "gpkg"};
    const struct om_schema schema = schema_of(OM_GEOMETRY_POINT);
    const struct om_sink_geometry point = geometry_of(OM_GEOMETRY_POINT);
    for (size_t i = 0; i < 2; i++) {
        const char *path = write_text("old.file", "old");
        struct om_sink *sink;
        assert_int_equal(
            om_sink_open(path, FORMAT[i], "l", &schema, ZONE_S, NULL, &sink, NULL),
            OM_OK);
        add_row(sink, 1, &point);
        assert_int_equal(om_sink_close(sink, false, NULL), OM_OK);
        struct om_buf bytes = {0};
        assert_int_equal(om_file_read(path, 100, &bytes, NULL), OM_OK);
        assert_int_equal(bytes.len, 3);
        om_buf_deinit(&bytes);
        assert_int_equal(files_of("old.file"), 1);
    }
    assert_int_equal(om_sink_close(NULL, true, NULL), OM_OK);
}

static void error_says_what_cannot_be_written(void **state)
{
    (void)state;
    const struct om_schema schema = schema_of(OM_GEOMETRY_POINT);
    struct om_sink *sink = NULL;
    struct om_err err = {0};
    assert_int_equal(om_sink_open(path_of("a.kml"), "kml", "l", &schema, ZONE_S, NULL,
                                  &sink, &err),
                     OM_E_UNSUPPORTED);
    assert_int_equal(om_sink_open("/nowhere/at/all.gpkg", "gpkg", "l", &schema,
                                  ZONE_S, NULL, &sink, &err),
                     OM_E_IO);
    assert_non_null(strstr(err.text, "/nowhere/at/all.gpkg"));
    assert_null(sink);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    const struct om_schema schema = schema_of(OM_GEOMETRY_POLYGON);
    const struct om_sink_geometry g = geometry_of(OM_GEOMETRY_POLYGON);
    const char *path = path_of("fault.fgb");
    const size_t before = om_alloc_live();
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_sink *sink = NULL;
        struct om_value value[6] = {text_value("a"), text_value("b")};
        om_alloc_fail_after(n, false);
        st = om_sink_open(path, "fgb", "l", &schema, ZONE_S, NULL, &sink, NULL);
        if (!st) st = om_sink_add(sink, value, &g, NULL);
        const om_status closed = om_sink_close(sink, !st, NULL);
        if (!st) st = closed;
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), before);
        assert_int_equal(files_of("fault.fgb"), st ? 0 : 1);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_through_gdal),
        cmocka_unit_test(round_trip_through_our_own_source),
        cmocka_unit_test(round_trip_of_more_than_one_transaction),
        cmocka_unit_test(close_without_commit_leaves_the_old_file),
        cmocka_unit_test(error_says_what_cannot_be_written),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
