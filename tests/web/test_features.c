/* Rows on their way out, read back by others.
 *
 * Plan
 *   geojson_*  parsed by jansson: every row, every value, right-handed rings
 *   csv_*      parsed by a reader of the test's own: quotes, line ends, NULL
 *   file_*     FlatGeobuf and GeoPackage read back by GDAL; whole or not at all
 *   groups_*   tables of grouped counts
 *   fault_*    the n-th allocation fails
 */
#include "tests/engine/query_sample.h"

#include <gdal.h>
#include <jansson.h>
#include <math.h>
#include <ogr_api.h>
#include <sys/stat.h>
#include <time.h>

#include "data/base/file.h"
#include "web/features.h"

#define ZONE_S (8 * 3600)

static struct sample sample;

static om_status gather(void *ctx, const void *bytes, size_t len)
{
    return om_buf_add(ctx, bytes, len);
}

static void write_text(const struct om_query *q,
                       const struct om_features_options *options,
                       struct om_buf *out, uint64_t *written)
{
    assert_int_equal(om_features_write(q, options, gather, out, written, NULL),
                     OM_OK);
    om_buf_add_byte(out, 0);
    assert_int_equal(out->status, OM_OK);
}

static const struct truth *truth_of(const char *id)
{
    for (size_t p = 0; p < sample.parts; p++)
        for (size_t r = 0; r < om_segment_rows(sample.part[p].segment); r++)
            if (!strcmp(sample.truth[p][r].id, id)) return &sample.truth[p][r];
    fail_msg("no row %s", id);
    return NULL;
}

static void iso(int64_t at, char out[40])
{
    const time_t local = (time_t)(at + ZONE_S);
    struct tm tm;
    gmtime_r(&local, &tm);
    strftime(out, 40, "%Y-%m-%dT%H:%M:%S+08:00", &tm);
}

static void check_at(const struct truth *t, double lon, double lat)
{
    double lon0, lat0;
    om_pos_to_lonlat(t->pos, &lon0, &lat0);
    assert_true(fabs(lon - lon0) <= 0.51e-7);
    assert_true(fabs(lat - lat0) <= 0.51e-7);
}

static void check_feature(json_t *f)
{
    const struct truth *t =
        truth_of(json_string_value(json_object_get(f, "id")));
    json_t *at = json_object_get(json_object_get(f, "geometry"), "coordinates");
    check_at(t, json_number_value(json_array_get(at, 0)),
             json_number_value(json_array_get(at, 1)));
    json_t *p = json_object_get(f, "properties");
    char text[220];
    assert_int_equal(json_object_size(p), COLS);
    assert_string_equal(json_string_value(json_object_get(p, "id")), t->id);
    json_t *kind = json_object_get(p, "kind");
    if (t->kind < 0)
        assert_true(json_is_null(kind));
    else
        assert_string_equal(json_string_value(kind), KIND[t->kind]);
    json_t *residents = json_object_get(p, "residents");
    if (t->residents_null)
        assert_true(json_is_null(residents));
    else
        assert_int_equal(json_integer_value(residents), t->residents);
    assert_true(json_number_value(json_object_get(p, "weight")) == t->weight);
    iso(t->at, text);
    assert_string_equal(json_string_value(json_object_get(p, "at")), text);
    assert_int_equal(json_is_true(json_object_get(p, "flag")), t->flag);
    sample_text(t, text);
    assert_string_equal(json_string_value(json_object_get(p, "text")), text);
    json_t *grid = json_object_get(p, "grid");
    if (t->grid == OM_NO_UNIT) {
        assert_true(json_is_null(grid));
    } else {
        sprintf(text, "g%02u", t->grid);
        assert_string_equal(json_string_value(grid), text);
    }
}

static void geojson_parses_and_holds_every_value_of_every_row(void **state)
{
    (void)state;
    struct om_buf out = {0};
    uint64_t written;
    struct om_query q = sample_query(&sample);
    const struct om_features_options options = {.zone_s = ZONE_S};
    write_text(&q, &options, &out, &written);
    assert_int_equal(written, sample.layer.rows);
    json_error_t error;
    json_t *root =
        json_loads((char *)out.bytes, JSON_REJECT_DUPLICATES, &error);
    if (!root) fail_msg("%s at %d", error.text, error.position);
    assert_string_equal(json_string_value(json_object_get(root, "type")),
                        "FeatureCollection");
    json_t *features = json_object_get(root, "features");
    assert_int_equal(json_array_size(features), sample.layer.rows);
    size_t i;
    json_t *f;
    json_array_foreach(features, i, f) check_feature(f);
    json_decref(root);
    om_buf_deinit(&out);
}

static void geojson_takes_columns_distances_and_members(void **state)
{
    (void)state;
    const size_t column[] = {COL_FLAG};
    const struct om_features_options options = {
        .zone_s = ZONE_S, .column = column, .columns = 1, .distance = true};
    struct om_buf out = {0};
    struct om_features *f;
    assert_int_equal(
        om_features_begin(&sample.layer, &options, gather, &out, &f), OM_OK);
    const struct om_hit hit = {0, 100, 12.3456};
    assert_int_equal(om_features_add(f, &hit), OM_OK);
    assert_int_equal(om_features_end(f, "\"numberMatched\":7"), OM_OK);
    assert_int_equal(om_features_count(f), 1);
    om_features_free(f);
    om_buf_add_byte(&out, 0);
    json_t *root = json_loads((char *)out.bytes, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "numberMatched")),
                     7);
    json_t *p = json_object_get(
        json_array_get(json_object_get(root, "features"), 0), "properties");
    assert_int_equal(json_object_size(p), 2);
    assert_true(fabs(json_number_value(json_object_get(p, "distance_m")) -
                     12.346) < 1e-9);
    json_decref(root);
    om_buf_deinit(&out);
}

/* The next field of a CSV row; *more: a comma came behind it. false where it
 * was nothing at all (NULL), not even quotes. */
static bool next_field(const char **at, char out[300], bool *more)
{
    size_t n = 0;
    const char *s = *at;
    const bool quoted = *s == '"';
    if (quoted) {
        for (s++; *s; s++) {
            if (*s == '"' && s[1] != '"') break;
            if (*s == '"') s++;
            out[n++] = *s;
        }
        assert_int_equal(*s, '"');
        s++;
    } else {
        while (*s && *s != ',' && *s != '\r') out[n++] = *s++;
    }
    out[n] = '\0';
    *more = *s == ',';
    if (*more) {
        s++;
    } else {
        assert_memory_equal(s, "\r\n", 2);
        s += 2;
    }
    *at = s;
    return quoted || n;
}

static void check_row(const char **at)
{
    char field[2 + COLS][300], text[220];
    bool has[2 + COLS], more = true;
    for (size_t i = 0; i < 2 + COLS; i++) {
        assert_true(more);
        has[i] = next_field(at, field[i], &more);
    }
    assert_false(more);
    const struct truth *t = truth_of(field[2 + COL_ID]);
    check_at(t, atof(field[0]), atof(field[1]));
    assert_int_equal(has[2 + COL_KIND], t->kind >= 0);
    if (t->kind >= 0) assert_string_equal(field[2 + COL_KIND], KIND[t->kind]);
    assert_int_equal(has[2 + COL_RESIDENTS], !t->residents_null);
    if (!t->residents_null)
        assert_int_equal(atoll(field[2 + COL_RESIDENTS]), t->residents);
    assert_true(strtod(field[2 + COL_WEIGHT], NULL) == t->weight);
    iso(t->at, text);
    assert_string_equal(field[2 + COL_AT], text);
    assert_string_equal(field[2 + COL_FLAG], t->flag ? "true" : "false");
    sample_text(t, text);
    assert_string_equal(field[2 + COL_TEXT], text);
    assert_int_equal(has[2 + COL_TOWN], t->grid != OM_NO_UNIT);
}

static void csv_gives_back_what_went_in(void **state)
{
    (void)state;
    struct om_buf out = {0};
    uint64_t written;
    struct om_query q = sample_query(&sample);
    const struct om_features_options options = {.format = OM_FEATURES_CSV,
                                                .zone_s = ZONE_S};
    write_text(&q, &options, &out, &written);
    static const char HEAD[] =
        "\xEF\xBB\xBFlon,lat,id,kind,residents,weight,at,flag,text,grid,town"
        "\r\n";
    assert_memory_equal(out.bytes, HEAD, sizeof HEAD - 1);
    const char *at = (const char *)out.bytes + sizeof HEAD - 1;
    uint64_t rows = 0;
    for (; *at; rows++) check_row(&at);
    assert_int_equal(rows, sample.layer.rows);
    assert_int_equal(rows, written);
    om_buf_deinit(&out);
}

static void read_with_gdal(const char *path)
{
    GDALDatasetH set =
        GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_READONLY, NULL, NULL, NULL);
    assert_non_null(set);
    OGRLayerH layer = GDALDatasetGetLayer(set, 0);
    assert_int_equal(OGR_L_GetFeatureCount(layer, 1), sample.layer.rows);
    OGRFeatureDefnH defn = OGR_L_GetLayerDefn(layer);
    const int id = OGR_FD_GetFieldIndex(defn, "id");
    const int kind = OGR_FD_GetFieldIndex(defn, "kind");
    const int residents = OGR_FD_GetFieldIndex(defn, "residents");
    const int weight = OGR_FD_GetFieldIndex(defn, "weight");
    OGRFeatureH f;
    uint64_t rows = 0;
    while ((f = OGR_L_GetNextFeature(layer))) {
        const struct truth *t = truth_of(OGR_F_GetFieldAsString(f, id));
        OGRGeometryH g = OGR_F_GetGeometryRef(f);
        check_at(t, OGR_G_GetX(g, 0), OGR_G_GetY(g, 0));
        assert_int_equal(OGR_F_IsFieldSetAndNotNull(f, kind), t->kind >= 0);
        if (t->kind >= 0)
            assert_string_equal(OGR_F_GetFieldAsString(f, kind), KIND[t->kind]);
        assert_int_equal(OGR_F_IsFieldSetAndNotNull(f, residents),
                         !t->residents_null);
        if (!t->residents_null)
            assert_int_equal(OGR_F_GetFieldAsInteger64(f, residents),
                             t->residents);
        assert_true(OGR_F_GetFieldAsDouble(f, weight) == t->weight);
        OGR_F_Destroy(f);
        rows++;
    }
    assert_int_equal(rows, sample.layer.rows);
    GDALClose(set);
}

static void file_of_fgb_and_gpkg_is_read_back_by_gdal(void **state)
{
    (void)state;
    GDALAllRegister();
    static const char *const NAME[] = {"fgb", "gpkg"};
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        struct om_features_options options = {.zone_s = ZONE_S};
        assert_true(om_features_format_from_name(NAME[i], &options.format));
        snprintf(path, sizeof path, "%.60s/out.%s", sample.folder, NAME[i]);
        const struct om_query q = sample_query(&sample);
        uint64_t written;
        struct om_err err;
        if (om_features_save(&q, &options, path, &written, &err))
            fail_msg("%s", err.text);
        assert_int_equal(written, sample.layer.rows);
        read_with_gdal(path);
        unlink(path);
    }
}

static void file_stays_as_it_was_when_writing_fails(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%.60s/old.csv", sample.folder);
    struct om_err err;
    assert_int_equal(om_file_write_whole(path, "old", 3, &err), OM_OK);
    const struct om_query q = sample_query(&sample);
    const size_t column[] = {COLS};
    struct om_features_options options = {
        .format = OM_FEATURES_CSV, .column = column, .columns = 1};
    assert_int_equal(om_features_save(&q, &options, path, NULL, &err),
                     OM_E_NOTFOUND);
    struct om_buf text = {0};
    assert_int_equal(om_file_read(path, 100, &text, &err), OM_OK);
    assert_int_equal(text.len, 3);
    om_buf_deinit(&text);
    options.column = NULL;
    assert_int_equal(om_features_save(&q, &options, path, NULL, &err), OM_OK);
    assert_int_equal(om_file_read(path, 1 << 30, &text, &err), OM_OK);
    assert_true(text.len > 1000);
    om_buf_deinit(&text);
    unlink(path);
    // In a folder that is not there.
    assert_int_equal(
        om_features_save(&q, &options, "/nowhere/x.csv", NULL, &err), OM_E_IO);
    assert_true(err.text[0]);
}

static void groups_become_a_table(void **state)
{
    (void)state;
    const struct om_group group[] = {
        {.id = "a,b", .len = 3, .count = 7, .sum = -9},
        {.id = "c", .len = 1, .count = 1, .sum = 2},
        {.null = true, .id = "", .count = 3}};
    const struct om_groups groups = {.count = 3, .group = group};
    struct om_groups_options o = {.format = OM_FEATURES_CSV, .sum = true};
    struct om_buf out = {0};
    assert_int_equal(om_groups_write(&groups, &o, &out), OM_OK);
    om_buf_add_byte(&out, 0);
    assert_string_equal((char *)out.bytes,
                        "\xEF\xBB\xBFid,count,sum\r\n\"a,b\",7,-9\r\nc,1,2\r\n"
                        ",3,0\r\n");
    om_buf_clear(&out);
    o.format = OM_FEATURES_GEOJSON;
    assert_int_equal(om_groups_write(&groups, &o, &out), OM_OK);
    om_buf_add_byte(&out, 0);
    json_t *root = json_loads((char *)out.bytes, 0, NULL);
    assert_int_equal(json_array_size(root), 3);
    assert_true(json_is_null(json_object_get(json_array_get(root, 2), "id")));
    json_decref(root);
    om_buf_deinit(&out);
}

/* Twice the area of a ring of GeoJSON, positive when counter-clockwise. */
static double turn(json_t *ring)
{
    double twice = 0;
    for (size_t i = 0; i + 1 < json_array_size(ring); i++) {
        json_t *a = json_array_get(ring, i), *b = json_array_get(ring, i + 1);
        twice += json_number_value(json_array_get(a, 0)) *
                     json_number_value(json_array_get(b, 1)) -
                 json_number_value(json_array_get(b, 0)) *
                     json_number_value(json_array_get(a, 1));
    }
    return twice;
}

/* A square with a hole, both given one way round, and a second square. */
static void geojson_and_wkt_of_polygons_are_right_handed(void **state)
{
    (void)state;
    static const double X[] = {0,   0,   9e5, 9e5, 3e5, 3e5,
                               6e5, 6e5, 2e6, 2e6, 3e6, 3e6};
    static const double Y[] = {0,   9e5, 9e5, 0,   3e5, 6e5,
                               6e5, 3e5, 0,   9e5, 9e5, 0};
    const struct om_pos at = at_degrees(113.7, 23.0);
    double x[12], y[12];
    for (int i = 0; i < 12; i++) x[i] = at.x + X[i], y[i] = at.y + Y[i];
    const uint32_t shape_part[] = {0, 2}, part_ring[] = {0, 2, 3};
    const uint32_t ring_vertex[] = {0, 4, 8, 12}, offset[] = {0, 1};
    const uint64_t source[] = {1};
    struct om_schema *schema = calloc(1, sizeof *schema);
    schema->geometry = OM_GEOMETRY_POLYGON;
    schema->count = 1;
    strcpy(schema->field[0].name, "id");
    schema->time_field = OM_NO_FIELD;
    const struct om_batch_column column = {.offset = offset, .bytes = "p"};
    const struct om_batch batch = {
        .rows = 1,
        .source_row = source,
        .shapes = {1, shape_part, part_ring, ring_vertex, x, y},
        .column = &column};
    char path[128];
    struct om_builder *builder;
    struct om_err err = {0};
    struct om_part part = {0};
    snprintf(path, sizeof path, "%.60s/p.seg", sample.folder);
    assert_int_equal(om_builder_new(schema, &builder), OM_OK);
    assert_int_equal(om_builder_add(builder, &batch), OM_OK);
    if (om_builder_write(builder, path, NULL, &err) ||
        om_segment_open(path, NULL, &part.segment, &err))
        fail_msg("%s", err.text);
    om_builder_free(builder);
    struct om_layer *layer = calloc(1, sizeof *layer);
    layer->schema = *schema;
    layer->parts = 1;
    layer->part = &part;
    const struct om_query q = {.layer = layer};
    struct om_features_options options = {0};
    struct om_buf out = {0};
    write_text(&q, &options, &out, NULL);
    json_t *root = json_loads((char *)out.bytes, 0, NULL);
    assert_non_null(root);
    json_t *g = json_object_get(
        json_array_get(json_object_get(root, "features"), 0), "geometry");
    assert_string_equal(json_string_value(json_object_get(g, "type")),
                        "MultiPolygon");
    json_t *parts = json_object_get(g, "coordinates");
    assert_int_equal(json_array_size(parts), 2);
    size_t rings = 0;
    for (size_t p = 0; p < 2; p++)
        for (size_t r = 0; r < json_array_size(json_array_get(parts, p)); r++) {
            json_t *ring = json_array_get(json_array_get(parts, p), r);
            assert_int_equal(json_array_size(ring), 5);
            assert_true(
                json_equal(json_array_get(ring, 0), json_array_get(ring, 4)));
            assert_true(r ? turn(ring) < 0 : turn(ring) > 0);
            rings++;
        }
    assert_int_equal(rings, 3);
    json_decref(root);
    om_buf_clear(&out);

    options.format = OM_FEATURES_CSV;
    write_text(&q, &options, &out, NULL);
    const char *wkt = strstr((char *)out.bytes, "MULTIPOLYGON");
    assert_non_null(wkt);
    char *text = strndup(wkt, strcspn(wkt, "\"")), *read = text;
    OGRGeometryH geometry = NULL;
    assert_int_equal(OGR_G_CreateFromWkt(&read, NULL, &geometry), OGRERR_NONE);
    assert_int_equal(OGR_G_GetGeometryCount(geometry), 2);
    assert_true(OGR_G_IsValid(geometry));
    OGR_G_DestroyGeometry(geometry);
    free(text);
    om_buf_deinit(&out);
    om_segment_unref(part.segment);
    unlink(path);
    free(layer);
    free(schema);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample);
    q.limit = 300;
    const size_t live = om_alloc_live();
    for (size_t n = 1; n < 3000; n++) {
        struct om_buf out = {0};
        const struct om_features_options json = {0};
        const struct om_features_options csv = {.format = OM_FEATURES_CSV};
        om_alloc_fail_after(n, false);
        om_status st = om_features_write(&q, &json, gather, &out, NULL, NULL);
        if (!st) st = om_features_write(&q, &csv, gather, &out, NULL, NULL);
        om_alloc_fail_after(0, false);
        om_buf_deinit(&out);
        assert_int_equal(om_alloc_live(), live);
        if (!st) return;
        assert_int_equal(st, OM_E_MEMORY);
    }
    fail();
}

static int setup(void **state)
{
    (void)state;
    const size_t rows[] = {1500, 300};
    sample_make(&sample, 2, rows, 6);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    sample_free(&sample);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geojson_parses_and_holds_every_value_of_every_row),
        cmocka_unit_test(geojson_takes_columns_distances_and_members),
        cmocka_unit_test(geojson_and_wkt_of_polygons_are_right_handed),
        cmocka_unit_test(csv_gives_back_what_went_in),
        cmocka_unit_test(file_of_fgb_and_gpkg_is_read_back_by_gdal),
        cmocka_unit_test(file_stays_as_it_was_when_writing_fails),
        cmocka_unit_test(groups_become_a_table),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
