/* Bodies of writes, read strictly.
 *
 * Plan
 *   wrong_*   every reason, with its row, id and field
 *   shape_*   lines and polygons
 *   tangle_*  shapes that take long to check
 *   patch_*   which columns a patch names
 *   limit_*   rows, documents and lines that are too long
 *   extent_*  the box of the units
 *   fault_*   the n-th allocation fails
 */
#include "tests/web/write_body.h"

#include <math.h>

#include "data/base/limits.h"
#include "data/model/time.h"
#include "engine/shape/shape.h"

/* ---- what is wrong */

#define POINT "\"geometry\":{\"type\":\"Point\",\"coordinates\":[113.7,23]}"
#define FEATURE(more) "{\"type\":\"Feature\",\"id\":\"a\"," POINT more "}"
#define WITH(properties) FEATURE(",\"properties\":{" properties "}")

static void wrong_features_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field, *reason;
    } CASE[] = {
        {WITH("\"residents\":1.5"), "residents", "not a whole number"},
        {WITH("\"residents\":\"1\""), "residents", "not a text"},
        {WITH("\"residents\":1e300"), "residents", "not a whole number"},
        {WITH("\"weight\":true"), "weight", "not true or false"},
        {WITH("\"at\":1672502400"), "at", "not a number"},
        {WITH("\"at\":\"2023-02-30\""), "at", "not a time"},
        {WITH("\"flag\":1"), "flag", "not a number"},
        {WITH("\"text\":[1]"), "text", "not a list"},
        {WITH("\"kind\":7"), "kind", "not a number"},
        {WITH("\"colour\":\"red\""), "colour", "no such column"},
        {WITH("\"id\":\"b\""), "id", "differ"},
        {WITH("\"id\":5"), "id", "text is expected"},
        {FEATURE(",\"colour\":1"), "colour", "no such member"},
        {FEATURE(",\"properties\":[]"), "properties", "not an object"},
        {"{\"type\":\"Feature\"," POINT "}", "id", "has no id"},
        {"{\"type\":\"Feature\",\"id\":\"\"," POINT "}", "id", "empty"},
        {"{\"type\":\"Feature\",\"id\":\"a/b\"," POINT "}", "id", "slash"},
        {"{\"type\":\"Feature\",\"id\":\"..\"," POINT "}", "id", "slash"},
        {"{\"type\":\"Feature\",\"id\":1.5," POINT "}", "id", "a text"},
        {"{\"type\":\"Feature\",\"id\":\"a\"}", "geometry", "no geometry"},
        {"{\"type\":\"Feature\",\"id\":\"a\",\"geometry\":null}", "geometry",
         "no geometry"},
        {"{\"type\":\"Feature\",\"id\":\"a\",\"geometry\":{\"type\":\"Line"
         "String\",\"coordinates\":[[1,2],[3,4]]}}",
         "geometry", "has points"},
        {"{\"type\":\"Feature\",\"id\":\"a\",\"geometry\":{\"type\":\"Point\","
         "\"coordinates\":[23,113.7]}}",
         "geometry", "on the map"},
        {"{\"type\":\"Feature\",\"id\":\"a\",\"geometry\":{\"type\":\"Point\","
         "\"coordinates\":[113.7]}}",
         "geometry", "two numbers"},
        {"{\"type\":\"Feature\",\"id\":\"a\",\"geometry\":{\"type\":\"Point\","
         "\"coordinates\":[113.7,\"23\"]}}",
         "geometry", "two numbers"},
        {"{\"type\":\"Point\",\"coordinates\":[113.7,23]}", "type",
         "not a GeoJSON Feature"},
        {"[]", "type", "not a GeoJSON Feature"},
        {"{\"type\":\"Feature\",", "", "not JSON"},
        {"\xFF", "", "not JSON"},
    };
    const struct om_body_rules rules = plain_rules();
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        // Between two good rows: those are taken, and it has number 2.
        char text[1200];
        snprintf(text, sizeof text,
                 "%s\n\n%s\r\n{\"type\":\"Feature\","
                 "\"properties\":{\"id\":\"c\",\"grid\":\"g1\"}," POINT "}",
                 WITH("\"residents\":null"), CASE[i].text);
        struct om_body *body = read_good(&rules, OM_BODY_LINES, text);
        const struct om_body_fault *fault;
        assert_int_equal(om_body_faults(body, &fault), 1);
        if (fault->row != 2 || strcmp(fault->field, CASE[i].field) != 0 ||
            !strstr(fault->reason, CASE[i].reason))
            fail_msg("case %zu: row %d, '%s': %s", i, (int)fault->row,
                     fault->field, fault->reason);
        assert_int_equal(om_body_rows(body), 3);
        assert_int_equal(om_body_refused(body), 1);
        assert_int_equal(om_body_batch(body)->rows, 2);
        assert_int_equal(om_body_batch(body)->source_row[1], 3);
        om_body_free(body);
    }
}

static void wrong_rows_tell_all_that_is_wrong_and_are_one_row(void **state)
{
    (void)state;
    const struct om_body_rules rules = plain_rules();
    struct om_body *body =
        read_good(&rules, OM_BODY_GEOJSON,
                  WITH("\"residents\":\"x\",\"weight\":\"y\",\"z\":1"));
    const struct om_body_fault *fault;
    assert_true(om_body_is_feature(body));
    assert_int_equal(om_body_faults(body, &fault), 3);
    for (int i = 0; i < 3; i++) assert_string_equal(fault[i].id, "a");
    assert_int_equal(om_body_refused(body), 1);
    assert_int_equal(om_body_batch(body)->rows, 0);
    om_body_free(body);
}

static void wrong_tables_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *row, *field, *reason;
    } CASE[] = {
        {"113.7,23,b,x", "residents", "'x' is not an integer"},
        {"113.7,23,b,1.5", "residents", "not an integer"},
        {"113.7,23,b", "", "3 fields, the head has 4"},
        {"113.7,23,b,1,2,3", "", "6 fields"},
        {",,b,1", "geometry", "no geometry"},
        {"113.7,,b,1", "geometry", "two numbers"},
        {"113.7,north,b,1", "geometry", "two numbers"},
        {"23,113.7,b,1", "geometry", "on the map"},
        {"113.7,23,,1", "id", "no id"},
        {"113.7,23,a/b,1", "id", "slash"},
    };
    const struct om_body_rules rules = plain_rules();
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "X,Y,id,residents\n113.7,23,a,1\n%s\n\n113.7,23,c,",
                 CASE[i].row);
        struct om_body *body = read_good(&rules, OM_BODY_CSV, text);
        const struct om_body_fault *fault;
        assert_int_equal(om_body_faults(body, &fault), 1);
        if (fault->row != 2 || strcmp(fault->field, CASE[i].field) != 0 ||
            !strstr(fault->reason, CASE[i].reason))
            fail_msg("case %zu: row %d, '%s': %s", i, (int)fault->row,
                     fault->field, fault->reason);
        assert_int_equal(om_body_batch(body)->rows, 2);
        om_body_free(body);
    }
}

/* Whatever the form: the row and the column are named, the second that is just
 * allowed is taken, and so is a row without a time. */
static void wrong_times_are_after_the_clock(void **state)
{
    (void)state;
    static const struct {
        enum om_body_form form;
        const char *head, *row, *end;
    } CASE[] = {
        {OM_BODY_CSV, "lon,lat,id,at\n", "113.7,23,%c,%s\n", ""},
        {OM_BODY_LINES, "",
         "{\"type\":\"Feature\",\"id\":\"%c\"," POINT
         ",\"properties\":{\"at\":\"%s\"}}\n",
         ""},
        // An escape is for the other reader of lines.
        {OM_BODY_LINES, "",
         "{\"type\":\"Feature\",\"id\":\"%c\"," POINT
         ",\"properties\":{\"\\u0061t\":\"%s\"}}\n",
         ""},
    };
    struct om_body_rules rules = plain_rules();
    rules.happened[rules.layer->schema.time_field] = true;
    assert_int_equal(
        om_time_parse("2023-06-27T00:00:00+08:00", 25, 0, &rules.clock_s),
        OM_OK);
    rules.latest_s = rules.clock_s + OM_LIMIT_AHEAD_S;
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        struct om_buf text = {0};
        om_buf_add_text(&text, CASE[i].head);
        const char *const at[] = {"2023-06-26T23:00:00+08:00",
                                  "2023-06-27T00:05:00+08:00",
                                  "2023-06-27T00:05:01+08:00", "2033-01-01"};
        for (size_t k = 0; k < 4; k++)
            om_buf_addf(&text, CASE[i].row, (int)('a' + k), at[k]);
        om_buf_add(&text, "", 1);
        struct om_body *body =
            read_good(&rules, CASE[i].form, (const char *)text.bytes);
        const struct om_body_fault *fault;
        assert_int_equal(om_body_faults(body, &fault), 2);
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(fault[k].row, 3 + k);
            assert_int_equal(fault[k].status, OM_E_RANGE);
            assert_string_equal(fault[k].field, "at");
            assert_string_equal(fault[k].id, k ? "d" : "c");
        }
        assert_string_equal(fault->reason,
                            "2023-06-27T00:05:01+08:00 is later than the "
                            "city's clock, 2023-06-27T00:00:00+08:00");
        assert_int_equal(om_body_batch(body)->rows, 2);
        om_body_free(body);
        // A layer of what is to come, and rows without a time.
        struct om_body_rules any = rules;
        any.latest_s = INT64_MAX;
        body = read_good(&any, CASE[i].form, (const char *)text.bytes);
        assert_int_equal(om_body_batch(body)->rows, 4);
        om_body_free(body);
        om_buf_deinit(&text);
    }
    struct om_body *body =
        read_good(&rules, OM_BODY_CSV, "lon,lat,id,at\n113.7,23,a,\n");
    assert_int_equal(om_body_batch(body)->rows, 1);
    om_body_free(body);
}

/* A body that was cut inside of a quoted field: nothing closes its quote. */
static void wrong_open_quotes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *row, *id, *reason;
    } CASE[] = {
        {"\"C-7,113.76,23.04,1", "\"C-7", "field 1 begins"},
        {"c,113.76,23.04,\"1", "c", "field 4 begins"},
        {"c,113.76,23.04,\"", "c", "field 4 begins"},
        {"c,113.76,23.04,\"1\"\"", "c", "field 4 begins"},
        {"c,\"113.76,23.04,1\r\n", "c", "field 2 begins"},
        {"c,113.76,23.04,\"1\n", "c", "field 4 begins"},
    };
    const struct om_body_rules rules = plain_rules();
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "id,lon,lat,residents\n\"a\",113.7,23,1\n%s", CASE[i].row);
        struct om_body *body = read_good(&rules, OM_BODY_CSV, text);
        const struct om_body_fault *fault;
        assert_int_equal(om_body_faults(body, &fault), 1);
        if (fault->row != 2 || strcmp(fault->id, CASE[i].id) != 0 ||
            !strstr(fault->reason, CASE[i].reason))
            fail_msg("case %zu: row %d, '%s': %s", i, (int)fault->row,
                     fault->id, fault->reason);
        assert_int_equal(om_body_batch(body)->rows, 1);
        om_body_free(body);
    }
}

static void wrong_bodies_end_the_reading(void **state)
{
    (void)state;
    static const struct {
        enum om_body_form form;
        const char *text, *reason;
    } CASE[] = {
        {OM_BODY_GEOJSON, "", "empty"},
        {OM_BODY_GEOJSON, "{", "not JSON"},
        {OM_BODY_GEOJSON, "{\"a\":1,\"a\":2}", "not JSON"},
        {OM_BODY_GEOJSON, "{\"type\":\"FeatureCollection\"}", "a list"},
        {OM_BODY_GEOJSON, "{\"type\":\"FeatureCollection\",\"features\":[]}",
         "no row"},
        {OM_BODY_GEOJSON,
         "{\"type\":\"FeatureCollection\",\"features\":[],\"oops\":1}",
         "'oops'"},
        {OM_BODY_GEOJSON,
         "{\"type\":\"FeatureCollection\",\"features\":[],\"crs\":{\"type\":"
         "\"name\",\"properties\":{\"name\":\"urn:ogc:def:crs:EPSG::4547\"}}}",
         "CRS84"},
        {OM_BODY_GEOJSON, "{\"type\":\"Topology\"}", "neither"},
        {OM_BODY_GEOJSON, "[1]", "neither"},
        {OM_BODY_LINES, "\n \r\n", "no row"},
        {OM_BODY_CSV, "", "no row"},
        {OM_BODY_CSV, "lon,lat,id\n", "no row"},
        {OM_BODY_CSV, "id,residents\n", "no position"},
        {OM_BODY_CSV, "lon,lat,residents\n", "the id, 'id'"},
        {OM_BODY_CSV, "lon,lat,id,colour\n", "'colour'"},
        {OM_BODY_CSV, "lon,lat,id,id\n", "twice"},
    };
    const struct om_body_rules rules = plain_rules();
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        struct om_body *body = NULL;
        struct om_err err = {0};
        assert_int_not_equal(read_body(&rules, CASE[i].form, CASE[i].text,
                                       strlen(CASE[i].text), 3, &body, &err),
                             OM_OK);
        if (!strstr(err.text, CASE[i].reason))
            fail_msg("case %zu: %s", i, err.text);
        om_body_free(body);
    }
}

static void wrong_faults_are_counted_beyond_those_told(void **state)
{
    (void)state;
    const struct om_body_rules rules = plain_rules();
    struct om_buf text = {0};
    for (int i = 0; i < 1000; i++) om_buf_add_text(&text, "{}\n");
    om_buf_add_byte(&text, 0);
    struct om_body *body = read_good(&rules, OM_BODY_LINES, (char *)text.bytes);
    const struct om_body_fault *fault;
    assert_int_equal(om_body_faults(body, &fault), OM_BODY_FAULTS);
    assert_int_equal(om_body_refused(body), 1000);
    om_body_free(body);
    om_buf_deinit(&text);
}

/* ---- lines and polygons */

static struct om_layer shape_layer(enum om_geometry geometry)
{
    struct om_layer layer = {.name = "shape"};
    layer.schema.geometry = geometry;
    layer.schema.count = 1;
    layer.schema.field[0] = (struct om_field){"id", OM_TYPE_TEXT};
    return layer;
}

static struct om_body *read_shape(enum om_geometry geometry, const char *type,
                                  const char *coordinates)
{
    static struct om_layer layer;
    static struct om_body_rules rules;
    char text[2000];
    layer = shape_layer(geometry);
    rules = (struct om_body_rules){.layer = &layer, .zone_s = ZONE_S};
    snprintf(text, sizeof text,
             "{\"type\":\"Feature\",\"id\":\"s\",\"geometry\":{\"type\":\"%s\","
             "\"coordinates\":%s}}",
             type, coordinates);
    return read_good(&rules, OM_BODY_GEOJSON, text);
}

static void shape_keeps_parts_rings_and_vertices(void **state)
{
    (void)state;
    struct om_body *body =
        read_shape(OM_GEOMETRY_POLYGON, "MultiPolygon",
                   "[[[[113,23],[114,23],[114,24],[113,24],[113,23]],"
                   "[[113.2,23.2],[113.4,23.2],[113.4,23.4],[113.2,23.2]]],"
                   "[[[115,23,9],[116,23,9],[116,24,9],[115,23,9]]]]");
    const struct om_batch *b = om_body_batch(body);
    assert_int_equal(b->rows, 1);
    assert_int_equal(b->shapes.count, 1);
    assert_int_equal(b->shapes.shape_part[1], 2);
    assert_int_equal(b->shapes.part_ring[1], 2);
    assert_int_equal(b->shapes.part_ring[2], 3);
    assert_int_equal(b->shapes.ring_vertex[1], 4);
    assert_int_equal(b->shapes.ring_vertex[2], 7);
    assert_int_equal(b->shapes.ring_vertex[3], 10);
    double x, y;
    assert_int_equal(om_pos_world(114, 24, &x, &y), OM_OK);
    assert_true(b->shapes.x[2] == x && b->shapes.y[2] == y);
    om_body_free(body);

    body = read_shape(OM_GEOMETRY_LINE, "LineString", "[[113,23],[114,23]]");
    assert_int_equal(om_body_batch(body)->shapes.ring_vertex[1], 2);
    om_body_free(body);
    body = read_shape(OM_GEOMETRY_LINE, "MultiLineString",
                      "[[[113,23],[114,23]],[[1,1],[2,2],[3,3]]]");
    assert_int_equal(om_body_batch(body)->shapes.shape_part[1], 2);
    om_body_free(body);
}

static void shape_faults_are_named(void **state)
{
    (void)state;
    static const struct {
        enum om_geometry geometry;
        const char *type, *at, *reason;
    } CASE[] = {
        {OM_GEOMETRY_POLYGON, "Polygon", "[[[1,1],[2,1],[2,2]]]", "four"},
        {OM_GEOMETRY_POLYGON, "Polygon", "[[[1,1],[2,1],[2,2],[1,2]]]",
         "where it begins"},
        {OM_GEOMETRY_POLYGON, "Polygon", "[]", "list of rings"},
        {OM_GEOMETRY_POLYGON, "Polygon", "[[[1,1],[1,1],[1,1],[1,1]]]",
         "cannot be used"},
        {OM_GEOMETRY_POLYGON, "MultiPolygon", "[]", "empty list"},
        {OM_GEOMETRY_POLYGON, "Polygon", "[[[1,1],[2,1],[2,91],[1,1]]]",
         "on the map"},
        {OM_GEOMETRY_LINE, "LineString", "[[1,1]]", "two positions"},
        {OM_GEOMETRY_LINE, "LineString", "7", "two positions"},
        {OM_GEOMETRY_LINE, "Polygon", "[]", "has lines"},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        struct om_body *body =
            read_shape(CASE[i].geometry, CASE[i].type, CASE[i].at);
        const struct om_body_fault *fault;
        assert_int_equal(om_body_faults(body, &fault), 1);
        assert_string_equal(fault->field, "geometry");
        if (!strstr(fault->reason, CASE[i].reason))
            fail_msg("case %zu: %s", i, fault->reason);
        assert_int_equal(om_body_batch(body)->rows, 0);
        om_body_free(body);
    }
}

/* A star whose sides cross each other often, as a line of a body. */
static void add_tangle(struct om_buf *text, int row, int corners)
{
    om_buf_addf(text,
                "{\"type\":\"Feature\",\"id\":\"t%d\",\"geometry\":{"
                "\"type\":\"Polygon\",\"coordinates\":[[",
                row);
    for (int i = 0; i <= corners; i++) {
        const double turn = acos(-1) * (corners - 1) * (i % corners) / corners;
        om_buf_addf(text, "%s[%.6f,%.6f]", i ? "," : "",
                    113.7 + 0.1 * cos(turn), 22.9 + 0.1 * sin(turn));
    }
    om_buf_addf(text, "]]},\"properties\":{}}\n");
}

static struct om_body *read_tangles(int rows, int corners)
{
    static struct om_layer layer;
    static struct om_body_rules rules;
    layer = shape_layer(OM_GEOMETRY_POLYGON);
    rules = (struct om_body_rules){.layer = &layer, .zone_s = ZONE_S};
    struct om_buf text;
    om_buf_init(&text, 0);
    for (int i = 0; i < rows; i++) add_tangle(&text, i, corners);
    assert_int_equal(om_buf_add_byte(&text, 0), OM_OK);
    struct om_body *body =
        read_good(&rules, OM_BODY_LINES, (const char *)text.bytes);
    om_buf_deinit(&text);
    return body;
}

/* What goes on is valid, so that nobody has to mend it again. */
static void tangle_is_mended_once(void **state)
{
    (void)state;
    struct om_body *body = read_tangles(1, 9);
    const struct om_batch *b = om_body_batch(body);
    assert_int_equal(b->rows, 1);
    struct om_arena arena = {0};
    struct om_rings rings;
    struct om_shape_note note = {0};
    assert_int_equal(om_shapes_settle(&b->shapes, OM_GEOMETRY_POLYGON, false,
                                      &arena, &rings, &note),
                     OM_OK);
    assert_int_equal(note.fate, OM_SHAPE_FINE);
    om_arena_deinit(&arena);
    om_body_free(body);
}

static void tangle_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct om_body *body = read_tangles(2, 901);
    const struct om_body_fault *fault;
    assert_int_equal(om_body_faults(body, &fault), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fault[i].status, OM_E_COST);
        assert_string_equal(fault[i].field, "geometry");
        assert_non_null(strstr(fault[i].reason, "more than 1000 times"));
    }
    om_body_free(body);
}

/* Each may pass, not thousands of them in one request: as many as are told to
 * cost a second, whatever the machine takes. */
static void tangle_of_many_rows_is_bounded(void **state)
{
    (void)state;
    enum { ROWS = 200, CORNERS = 45 };
    struct om_body *body = read_tangles(ROWS, CORNERS);
    const struct om_body_fault *fault;
    const uint64_t refused = om_body_refused(body);
    assert_int_equal(om_body_batch(body)->rows + refused, ROWS);
    assert_in_range(refused, 1, ROWS - 20);
    assert_true(om_body_faults(body, &fault) > 0);
    assert_int_equal(fault->status, OM_E_COST);
    assert_int_equal(fault->row, ROWS - refused + 1);
    assert_non_null(strstr(fault->reason, "send fewer at once"));
    om_body_free(body);
}

/* ---- patches */

static void patch_names_what_it_changes(void **state)
{
    (void)state;
    struct om_body_rules rules = plain_rules();
    rules.id = "r0-000001";
    rules.patch = true;
    struct om_body *body = read_good(
        &rules, OM_BODY_GEOJSON,
        "{\"properties\":{\"residents\":null,\"kind\":\"x\",\"town\":\"t\"}}");
    bool geometry;
    const bool *given = om_body_given(body, &geometry);
    assert_int_equal(om_body_refused(body), 0);
    assert_false(geometry);
    for (size_t c = 0; c < COLS - 2; c++)
        assert_int_equal(given[c], c == COL_RESIDENTS || c == COL_KIND);
    const struct om_batch *b = om_body_batch(body);
    assert_int_equal(b->rows, 1);
    check_text(&b->column[COL_ID], 0, rules.id);
    check_text(&b->column[COL_KIND], 0, "x");
    assert_false(has_value(&b->column[COL_RESIDENTS], 0));
    om_body_free(body);

    body = read_good(&rules, OM_BODY_GEOJSON, "{" POINT "}");
    om_body_given(body, &geometry);
    assert_true(geometry);
    om_body_free(body);
    const char *const wrong[] = {
        "{\"geometry\":null}",
        "{\"id\":\"other\"}",
        "{\"id\":null}",
        "{\"properties\":{\"id\":null}}",
        "{\"properties\":{\"nothing\":1}}",
        "{\"nothing\":1}",
        "{\"geometry\":{\"type\":\"Polygon\"}}",
        "{\"geometry\":{\"type\":\"MultiPoint\"}}",
        "{\"geometry\":{\"type\":null,\"coordinates\":[113.7,23]}}",
        "{\"geometry\":{\"coordinates\":null}}",
        "{\"geometry\":{\"coordinates\":[]}}",
        "{\"geometry\":{\"coordinates\":[[113.7,23],[113.8,23]]}}",
        "{\"geometry\":[113.7,23]}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        body = read_good(&rules, OM_BODY_GEOJSON, wrong[i]);
        if (om_body_refused(body) != 1) fail_msg("taken: %s", wrong[i]);
        om_body_free(body);
    }
}

/* RFC 7396: null takes away, what is left out stays, lists are replaced. */
static void patch_merges(void **state)
{
    (void)state;
    struct om_body_rules rules = plain_rules();
    rules.id = "r0-000001";
    rules.patch = true;
    static const struct {
        const char *text;
        bool geometry, all;
    } CASE[] = {
        {"{}", false, false},
        {"{\"properties\":null}", false, true},
        {"{\"properties\":{\"nothing\":null},\"bbox\":null}", false, false},
        {"{\"nothing\":null}", false, false},
        {"{\"geometry\":{}}", false, false},
        {"{\"geometry\":{\"type\":\"Point\"}}", false, false},
        {"{\"geometry\":{\"coordinates\":[113.7,23]}}", true, false},
        {"{\"geometry\":{\"coordinates\":[[113.7,23]]}}", true, false},
        {"{\"geometry\":{\"type\":\"Point\",\"coordinates\":[113.7,23]},"
         "\"properties\":null}",
         true, true},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        struct om_body *body = read_good(&rules, OM_BODY_GEOJSON, CASE[i].text);
        bool geometry;
        const bool *given = om_body_given(body, &geometry);
        if (om_body_refused(body)) fail_msg("refused: %s", CASE[i].text);
        assert_int_equal(geometry, CASE[i].geometry);
        for (size_t c = 0; c < COLS - 2; c++) {
            assert_int_equal(given[c], CASE[i].all && c != COL_ID);
            const struct om_batch *b = om_body_batch(body);
            assert_int_equal(has_value(&b->column[c], 0), c == COL_ID);
        }
        om_body_free(body);
    }
}

/* ---- limits */

static void limit_of_rows_documents_and_lines(void **state)
{
    (void)state;
    const struct om_body_rules rules = plain_rules();
    struct om_body *body = NULL;
    struct om_err err = {0};
    struct om_buf text = {0};
    om_buf_add_text(&text, "lon,lat,id\n");
    for (int i = 0; i < OM_BODY_ROWS; i++)
        om_buf_addf(&text, "113.7,23,%d\n", i);
    assert_int_equal(read_body(&rules, OM_BODY_CSV, (char *)text.bytes,
                               text.len, 30000, &body, &err),
                     OM_OK);
    assert_int_equal(om_body_batch(body)->rows, OM_BODY_ROWS);
    om_body_free(body);
    om_buf_add_text(&text, "113.7,23,more\n");
    assert_int_equal(read_body(&rules, OM_BODY_CSV, (char *)text.bytes,
                               text.len, 30000, &body, &err),
                     OM_E_LIMIT);
    assert_non_null(strstr(err.text, "65536 rows"));
    om_body_free(body);

    om_buf_clear(&text);
    for (size_t i = 0; i <= OM_BODY_DOCUMENT_BYTES; i++)
        om_buf_add_byte(&text, ' ');
    const enum om_body_form forms[] = {OM_BODY_GEOJSON, OM_BODY_LINES,
                                       OM_BODY_CSV};
    for (size_t i = 0; i < 3; i++) {
        err = (struct om_err){0};
        if (forms[i] == OM_BODY_CSV) memcpy(text.bytes, "lon,lat,id\n1,2,", 15);
        assert_int_equal(read_body(&rules, forms[i], (char *)text.bytes,
                                   text.len, 30000, &body, &err),
                         OM_E_LIMIT);
        om_body_free(body);
    }
    om_buf_deinit(&text);
}

static void extent_is_kept_and_told(void **state)
{
    (void)state;
    struct om_body_rules rules = plain_rules();
    rules.bounded = true;
    const struct om_pos nw = at_degrees(113, 24), se = at_degrees(114, 22);
    rules.extent = (struct om_box){nw.x, nw.y, se.x, se.y};
    struct om_body *body =
        read_good(&rules, OM_BODY_CSV,
                  "lon,lat,id\n113,24,in\n114,22,corner\n112.9,23,out\n");
    const struct om_body_fault *fault;
    assert_int_equal(om_body_faults(body, &fault), 1);
    assert_string_equal(fault->id, "out");
    assert_non_null(strstr(fault->reason, "outside of the city (113.000,"));
    om_body_free(body);

    // Of a city: the box of its units, a tenth wider.
    struct om_manifest_layer meta = {.unit_level = "grid"};
    struct om_layer units = sample.layer;
    struct om_snapshot snapshot = {.layers = 1, .layer = &units};
    struct om_box box;
    assert_false(om_body_extent(&snapshot, &box));
    units.meta = &meta;
    assert_true(om_body_extent(&snapshot, &box));
    assert_int_equal(box.x0, 0);
    assert_int_equal(box.y1, UINT32_MAX);
}

static void fault_of_memory_leaks_nothing(void **state)
{
    (void)state;
    const struct om_body_rules rules = plain_rules();
    static const char *const TEXT[] = {
        WITH("\"residents\":1,\"kind\":\"k\""),
        "{\"type\":\"Feature\"}\n" WITH("\"text\":\"t\"") "\n",
        "lon,lat,id,text\n1,2,\"a\"\"b\",t\n3,4,c,\n"};
    for (int form = 0; form < 3; form++) {
        om_status st = OM_E_MEMORY;
        const size_t live = om_alloc_live();
        for (size_t n = 1; st && n < 200; n++) {
            struct om_body *body = NULL;
            struct om_err err = {0};
            om_alloc_fail_after(n, false);
            st = read_body(&rules, (enum om_body_form)form, TEXT[form],
                           strlen(TEXT[form]), 7, &body, &err);
            om_alloc_fail_after(0, false);
            assert_true(!st || st == OM_E_MEMORY);
            om_body_free(body);
            assert_int_equal(om_alloc_live(), live);
        }
        assert_int_equal(st, OM_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_features_are_named),
        cmocka_unit_test(wrong_rows_tell_all_that_is_wrong_and_are_one_row),
        cmocka_unit_test(wrong_tables_are_named),
        cmocka_unit_test(wrong_times_are_after_the_clock),
        cmocka_unit_test(wrong_open_quotes_are_named),
        cmocka_unit_test(wrong_bodies_end_the_reading),
        cmocka_unit_test(wrong_faults_are_counted_beyond_those_told),
        cmocka_unit_test(shape_keeps_parts_rings_and_vertices),
        cmocka_unit_test(shape_faults_are_named),
        cmocka_unit_test(tangle_is_mended_once),
        cmocka_unit_test(tangle_beyond_the_limit_is_refused),
        cmocka_unit_test(tangle_of_many_rows_is_bounded),
        cmocka_unit_test(patch_names_what_it_changes),
        cmocka_unit_test(patch_merges),
        cmocka_unit_test(limit_of_rows_documents_and_lines),
        cmocka_unit_test(extent_is_kept_and_told),
        cmocka_unit_test(fault_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
