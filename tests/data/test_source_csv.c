/* Delimited text as a source.
 *
 * Plan
 *   types_*     what the values of a column make of it
 *   columns_*   names, ids, maps, and a schema that is given
 *   reads_*     encodings, delimiters, compressed files, dates
 *   rejects_*   rows that cannot be taken, with row, column, reason, value
 *   crs_*       positions in other systems, and those that cannot be meant
 *   large_*     many stretches give what one would, whatever the threads
 *   error_*     files that cannot be read
 *   fault_*     no allocation that fails leaves anything behind
 */
#include <proj.h>

#include "data/base/thread.h"
#include "tests/data/source_sample.h"

static struct reading read_text(const char *text)
{
    return read_all(
        (struct om_source_options){.path = write_text("a.csv", text)});
}

static void assert_read(const char *text, const char *columns, const char *rows)
{
    struct reading r = read_text(text);
    if (r.status) print_error("%s\n", r.err.text);
    assert_int_equal(r.status, OM_OK);
    assert_string_equal(columns_of(&r), columns);
    assert_string_equal(rows_of(&r), rows);
    reading_end(&r);
}

static void types_follow_from_the_values(void **state)
{
    (void)state;
    assert_read(
        "lon,lat,n,r,b,t,s\n113,23,1,1.5,true,2023-01-02,x\n"
        "114,23,-20,2,FALSE,2023/1/3 8:05,\n",
        "id:text n:integer r:real b:boolean t:time s:text",
        "1|113.000000 23.000000|1|1|1.5|1|1672588800|x\n"
        "2|114.000000 23.000000|2|-20|2|0|1672704300|NULL\n");
}

static void types_of_codes_are_texts(void **state)
{
    (void)state;
    assert_read(
        "lon,lat,a,b,c,d,e\n113,23,0769,1234567890123456,+86,7,12\n"
        "114,23,1,1,1,x,12345678901234.5\n",
        "id:text a:text b:text c:text d:text e:real",
        "1|113.000000 23.000000|1|0769|1234567890123456|+86|7|12\n"
        "2|114.000000 23.000000|2|1|1|1|x|12345678901234.5\n");
}

static void types_of_dates_keep_day_and_month_apart(void **state)
{
    (void)state;
    // 13 can only be a day; so in the other column.
    assert_read(
        "lon,lat,dmy,mdy,cn\n"
        "113,23,05/06/2023 01:30,06/05/2023,2023年6月5日\n"
        "113,23,13/06/2023,06/13/2023,2023年6月13日 9:30\n",
        "id:text dmy:time mdy:time cn:time",
        "1|113.000000 23.000000|1|1685899800|1685894400|1685894400\n"
        "2|113.000000 23.000000|2|1686585600|1686585600|1686619800\n");
}

static void types_of_repeated_texts_are_categories(void **state)
{
    (void)state;
    struct om_buf text = {0};
    om_buf_add_text(&text, "x,y,kind,name\n");
    for (int i = 0; i < 1000; i++)
        om_buf_addf(&text, "113,23,k%d,n%d\n", i % 40, i);
    struct reading r = read_all((struct om_source_options){
        .path = write_bytes("a.csv", text.bytes, text.len)});
    assert_string_equal(columns_of(&r), "id:text kind:category name:text");
    assert_int_equal(r.taken, 1000);
    reading_end(&r);
    om_buf_deinit(&text);
}

static void columns_call_the_key_id(void **state)
{
    (void)state;
    assert_read("OBJECTID,lng,lat\n7,113,23\n", "id:text",
                "1|113.000000 23.000000|7\n");
    struct reading r = read_all((struct om_source_options){
        .path = write_text("a.csv", "id,code,lng,lat\n1,007,113,23\n"),
        .id = "code"});
    assert_string_equal(columns_of(&r), "id:integer code:text");
    assert_int_equal(r.schema.id_field, 1);
    reading_end(&r);
}

static void columns_are_renamed_by_maps(void **state)
{
    (void)state;
    const struct om_source_map map[] = {{"level", "grade", OM_TYPE_CATEGORY},
                                        {"lon", "X", OM_TYPE_TEXT}};
    struct reading r = read_all((struct om_source_options){
        .path = write_text("a.csv", "id,grade,X,Y,t\n1,3,113,23,20230102\n"),
        .map = map,
        .maps = 2,
        .time = "t"});
    assert_string_equal(columns_of(&r),
                        "id:text level:category lon:text t:time");
    assert_int_equal(r.schema.time_field, 3);
    assert_string_equal(rows_of(&r),
                        "1|113.000000 23.000000|1|3|113|1672588800\n");
    reading_end(&r);
}

static void columns_of_a_schema_are_exactly_those(void **state)
{
    (void)state;
    struct om_schema schema = {.count = 3, .id_field = 1, .time_field = 2};
    schema.field[0] = (struct om_field){"floors", OM_TYPE_REAL};
    schema.field[1] = (struct om_field){"key", OM_TYPE_TEXT};
    schema.field[2] = (struct om_field){"at", OM_TYPE_TIME};
    struct om_source_options options = {
        .path =
            write_text("a.csv", "lon,lat,KEY,floors,more,at\n113,23,a,2,z,\n"),
        .schema = &schema};
    struct reading r = read_all(options);
    assert_int_equal(r.status, OM_OK);
    assert_string_equal(columns_of(&r), "floors:real key:text at:time");
    assert_string_equal(rows_of(&r), "1|113.000000 23.000000|2|a|NULL\n");
    reading_end(&r);
    options.path = write_text("b.csv", "lon,lat,key,at\n113,23,a,\n");
    r = read_all(options);
    assert_int_equal(r.status, OM_E_NOTFOUND);
    assert_non_null(strstr(r.err.text, "floors"));
    reading_end(&r);
}

static void columns_have_names_of_their_own(void **state)
{
    (void)state;
    assert_read("id,a,a,,lon,lat\n1,2,3,4,113,23\n",
                "id:text a:integer a_2:integer column_4:integer",
                "1|113.000000 23.000000|1|2|3|4\n");
}

static void reads_what_spreadsheets_write(void **state)
{
    (void)state;
    assert_read("\xEF\xBB\xBFid;经度;纬度;name\r\n1;113;23;\"a;\"\"b\"\"\"\r\n",
                "id:text name:text", "1|113.000000 23.000000|1|a;\"b\"\n");
    assert_read("id\tlon\tlat\n1\t113\t23\n", "id:text",
                "1|113.000000 23.000000|1\n");
}

static void reads_gb18030_without_being_told(void **state)
{
    (void)state;
    // 东莞,莞城 and a character of four bytes (U+3400).
    static const char TEXT[] =
        "id,\xB5\xD8\xD6\xB7,lon,lat\n1,\xB6\xAB\xDD\xB8,113,23\n"
        "2,\xDD\xB8\xB3\xC7,113,23\n3,\x81\x39\xEE\x39\xB3\xC7,113,23\n";
    assert_read(TEXT, "id:text 地址:text",
                "1|113.000000 23.000000|1|东莞\n"
                "2|113.000000 23.000000|2|莞城\n"
                "3|113.000000 23.000000|3|㐀城\n");
    struct reading r = read_all((struct om_source_options){
        .path = write_text("a.csv", "id,n,lon,lat\n1,\xB6\xAB,113,23\n"),
        .encoding = "GBK"});
    assert_string_equal(rows_of(&r), "1|113.000000 23.000000|1|东\n");
    reading_end(&r);
}

static void reads_utf16_and_latin(void **state)
{
    (void)state;
    static const char ASCII[] = "id\tlon\tlat\n9\t113\t23\n";
    char wide[2 * sizeof ASCII] = "\xFF\xFE";
    for (size_t i = 0; i + 1 < sizeof ASCII; i++) {
        wide[2 + 2 * i] = ASCII[i];
        wide[3 + 2 * i] = 0;
    }
    struct reading r = read_all((struct om_source_options){
        .path = write_bytes("a.csv", wide, 2 * sizeof ASCII)});
    assert_int_equal(r.status, OM_OK);
    assert_string_equal(rows_of(&r), "1|113.000000 23.000000|9\n");
    reading_end(&r);
    assert_read("id,n,lon,lat\n1,Malm\xF6,13,55\n2,Sm\xF6rg\xE5s,13,55\n",
                "id:text n:text",
                "1|13.000000 55.000000|1|Malmö\n"
                "2|13.000000 55.000000|2|Smörgås\n");
}

static void reads_numbers_as_the_c_library_does(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct om_buf text = {0}, want = {0};
    om_buf_add_text(&text, "lon,lat,r\n");
    for (int i = 0; i < 3000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        char number[64];
        const double v = (double)(int64_t)seed / (double)(1 + (seed >> 40));
        snprintf(number, sizeof number, i % 3 ? "%.*g" : "%.*e",
                 1 + (int)(seed >> 60), v);
        om_buf_addf(&text, "113,23,%s\n", number);
        om_buf_addf(&want, "%d|113.000000 23.000000|%d|", i + 1, i + 1);
        om_buf_add_json_real(&want, strtod(number, NULL));
        om_buf_add_byte(&want, '\n');
    }
    om_buf_add_text(&text, "113,23,0.1\n");
    om_buf_addf(&want, "3001|113.000000 23.000000|3001|0.1\n");
    om_buf_add_byte(&want, '\0');
    struct reading r = read_all((struct om_source_options){
        .path = write_bytes("a.csv", text.bytes, text.len),
        .map = &(struct om_source_map){"r", "r", OM_TYPE_REAL},
        .maps = 1});
    assert_int_equal(r.status, OM_OK);
    assert_string_equal(rows_of(&r), (const char *)want.bytes);
    reading_end(&r);
    om_buf_deinit(&text);
    om_buf_deinit(&want);
}

static void rejects_say_row_column_reason_and_value(void **state)
{
    (void)state;
    static const char TEXT[] =
        "id,n,name,lon,lat\n"
        "a,1,x,113,23\n"
        "b,2,x,,23\n"         // row 2
        "c,3,x,113\n"         // row 3
        "\n"                  // no row
        ",4,x,113,23\n"       // row 4
        "e,x5,x,113,23\n"     // row 5
        "f,6,x,0,0\n"         // row 6
        "g,7,x,113,223\n"     // row 7
        "h,8,x,113,abc\n"     // row 8
        "i,9,\xC3,113,23\n"   // row 9
        "j,10,x,nan,23\n"     // row 10
        "k,11,x,113,23,\n"    // a delimiter too many is fine
        "l,12,x,113,23,9\n";  // row 12
    const struct om_source_map map = {"n", "n", OM_TYPE_INTEGER};
    struct reading r =
        read_all((struct om_source_options){.path = write_text("a.csv", TEXT),
                                            .encoding = "UTF-8",
                                            .map = &map,
                                            .maps = 1});
    assert_int_equal(r.status, OM_OK);
    assert_string_equal(rows_of(&r),
                        "1|113.000000 23.000000|a|1|x\n"
                        "11|113.000000 23.000000|k|11|x\n");
    struct om_buf file = {0};
    assert_int_equal(om_file_read(path_of("rejects.csv"), 10000, &file, NULL),
                     OM_OK);
    om_buf_add_byte(&file, '\0');
    static const char *const LINE[] = {
        "row,id,column,reason,value\n",
        "\n2,\"b\",\"lon\",\"no position\",\n",
        "\n3,,,\"wrong number of fields\",\"c,3,x,113\"\n",
        "\n4,,\"id\",\"no id\",\n",
        "\n5,\"e\",\"n\",\"not an integer\",\"x5\"\n",
        "\n6,\"f\",\"geometry\",\"position 0,0\",\"0 0\"\n",
        "\n7,\"g\",\"geometry\",\"position is not on the map\",\"113 223\"\n",
        "\n8,\"h\",\"lat\",\"position is not a number\",\"abc\"\n",
        "\n9,\"i\",\"name\",\"text is not valid UTF-8\",\"\xC3\"\n",
        "\n10,\"j\",\"lon\",\"position is not a number\",\"nan\"\n",
        "\n12,,,\"wrong number of fields\",\"l,12,x,113,23,9\"\n"};
    for (size_t i = 0; i < sizeof LINE / sizeof *LINE; i++)
        if (!strstr((const char *)file.bytes, LINE[i]))
            fail_msg("not in the rejects: %s", LINE[i]);
    assert_int_equal(r.rejected, sizeof LINE / sizeof *LINE - 1);
    om_buf_deinit(&file);
    reading_end(&r);
}

static void rejects_no_zero_where_the_layer_spans_it(void **state)
{
    (void)state;
    assert_read("id,x,y\n1,-1,-1\n2,0,0\n3,1,1\n", "id:text",
                "1|-1.000000 -1.000000|1\n2|0.000000 -0.000000|2\n"
                "3|1.000000 1.000000|3\n");
}

static void crs_of_china_are_what_proj_makes_of_them(void **state)
{
    (void)state;
    static const char *const CRS[] = {"EPSG:4547", "4526", "EPSG:4490"};
    static const char *const FROM[] = {"EPSG:4547", "EPSG:4526", "EPSG:4490"};
    for (size_t k = 0; k < 3; k++) {
        PJ_CONTEXT *context = proj_context_create();
        PJ *raw = proj_create_crs_to_crs(context, FROM[k], "EPSG:4326", NULL);
        PJ *pj = proj_normalize_for_visualization(context, raw);
        struct om_buf text = {0}, want = {0};
        om_buf_add_text(&text, "x,y\n");
        for (int i = 0; i < 50; i++) {
            const PJ_COORD at = {.xy = {113.5 + i * 0.015, 22.7 + i * 0.009}};
            const PJ_COORD plane = proj_trans(pj, PJ_INV, at);
            om_buf_addf(&text, "%.10f,%.10f\n", plane.xy.x, plane.xy.y);
            om_buf_addf(&want, "%d|%.6f %.6f|%d\n", i + 1, at.xy.x, at.xy.y,
                        i + 1);
        }
        om_buf_add_byte(&want, '\0');
        struct reading r = read_all((struct om_source_options){
            .path = write_bytes("a.csv", text.bytes, text.len), .crs = CRS[k]});
        assert_int_equal(r.status, OM_OK);
        // Cells are under 1 cm: six decimals may differ in the last.
        const char *a = rows_of(&r), *b = (const char *)want.bytes;
        for (int i = 0; i < 50; i++) {
            double ax, ay, bx, by;
            assert_int_equal(sscanf(strchr(a, '|') + 1, "%lf %lf", &ax, &ay),
                             2);
            assert_int_equal(sscanf(strchr(b, '|') + 1, "%lf %lf", &bx, &by),
                             2);
            assert_true(ax - bx < 2e-6 && bx - ax < 2e-6);
            assert_true(ay - by < 2e-6 && by - ay < 2e-6);
            a = strchr(a, '\n') + 1;
            b = strchr(b, '\n') + 1;
        }
        reading_end(&r);
        om_buf_deinit(&text);
        om_buf_deinit(&want);
        proj_destroy(pj);
        proj_destroy(raw);
        proj_context_destroy(context);
    }
}

static void crs_of_web_maps_are_taken_out(void **state)
{
    (void)state;
    // shanghai of the published test values.
    struct reading r = read_all((struct om_source_options){
        .path = write_text("a.csv",
                           "lng,lat\n121.531541859215,31.17530398364597\n"),
        .crs = "gcj02"});
    assert_string_equal(rows_of(&r), "1|121.527211 31.177428|1\n");
    reading_end(&r);
}

static void assert_crs_error(const char *text, const char *crs,
                             const char *says)
{
    struct reading r = read_all((struct om_source_options){
        .path = write_text("a.csv", text), .crs = crs});
    assert_int_equal(r.status, OM_E_CRS);
    if (!strstr(r.err.text, says)) fail_msg("%s", r.err.text);
    reading_end(&r);
}

static void crs_that_cannot_be_meant_is_refused(void **state)
{
    (void)state;
    assert_crs_error("x,y\n477409.4,2546319.7\n", NULL, "give --crs");
    assert_crs_error("x,y\n477409.4,2546319.7\n", "EPSG:4526", "no place of");
    assert_crs_error("x,y\n113.7,22.9\n", "EPSG:4547", "are degrees");
    assert_crs_error("x,y\n22.9,113.7\n", NULL, "swapped");
    assert_crs_error("x,y\n113.7,22.9\n", "EPSG:99999", "EPSG:99999");
    assert_crs_error("x,y\n113.7,22.9\n", "+proj=merc +step", "+proj=merc");
}

static void large_files_are_the_same_with_any_threads(void **state)
{
    (void)state;
    enum { ROWS = 120000 };
    struct om_buf text = {0};
    om_buf_add_text(&text, "id,note,n,lon,lat\n");
    for (int i = 0; i < ROWS; i++)
        om_buf_addf(&text, "R%07d,\"line %d\nand %s\",%s,%.7f,%.7f\n", i, i,
                    i % 7 ? "more" : "a \"\"quote\"\"",
                    i % 1000 == 999 ? "odd" : "12", 113.0 + i * 1e-6,
                    23.0 - i * 1e-6);
    const char *path = write_bytes("large.csv", text.bytes, text.len);
    const struct om_source_map map = {"n", "n", OM_TYPE_INTEGER};
    struct reading first = {0};
    for (size_t threads = 1; threads <= 5; threads += 2) {
        om_threads_set(threads);
        struct reading r = read_all(
            (struct om_source_options){.path = path, .map = &map, .maps = 1});
        assert_int_equal(r.status, OM_OK);
        assert_int_equal(r.read, ROWS);
        assert_int_equal(r.rejected, ROWS / 1000);
        assert_string_equal(r.reasons, "not an integer: 120 (1000)\n");
        if (threads == 1) {
            first = r;
            continue;
        }
        assert_int_equal(r.rows.len, first.rows.len);
        assert_memory_equal(r.rows.bytes, first.rows.bytes, r.rows.len);
        reading_end(&r);
    }
    om_threads_set(0);
    assert_non_null(strstr(rows_of(&first),
                           "\n119999|113.119998 22.880002|"
                           "R0119998|line 119998\nand more|"));
    reading_end(&first);
    om_buf_deinit(&text);
}

static void error_files_that_cannot_be_read(void **state)
{
    (void)state;
    struct reading r =
        read_all((struct om_source_options){.path = path_of("none.csv")});
    assert_int_equal(r.status, OM_E_NOTFOUND);
    reading_end(&r);
    r = read_text("");
    assert_int_equal(r.status, OM_E_FORMAT);
    reading_end(&r);
    r = read_text("a,b\n1,2\n");
    assert_int_equal(r.status, OM_E_FORMAT);
    assert_non_null(strstr(r.err.text, "--x"));
    reading_end(&r);
    r = read_all((struct om_source_options){
        .path = write_text("a.csv", "a,b\n1,2\n"), .x = "a", .y = "z"});
    assert_int_equal(r.status, OM_E_NOTFOUND);
    reading_end(&r);
    r = read_all((struct om_source_options){
        .path = write_text("a.csv", "x,y\n1,2\n"), .encoding = "KLINGON"});
    assert_int_equal(r.status, OM_E_UNSUPPORTED);
    reading_end(&r);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char TEXT[] =
        "id,n,s,lon,lat\na,1,\"q\"\"\",113,23\nb,x,,113,23\nc,3,z,0,0\n";
    const char *path = write_text("fault.csv", TEXT);
    const size_t before = om_alloc_live();
    om_threads_set(1);
    om_status st = OM_E_MEMORY;
    for (size_t n = 1; st; n++) {
        struct om_source_options options = {.path = path, .crs = "EPSG:4490"};
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
        if (st) assert_int_equal(err.code, st);
        assert_int_equal(om_alloc_live(), before);
        assert_true(n < 10000);
    }
    om_threads_set(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_follow_from_the_values),
        cmocka_unit_test(types_of_codes_are_texts),
        cmocka_unit_test(types_of_dates_keep_day_and_month_apart),
        cmocka_unit_test(types_of_repeated_texts_are_categories),
        cmocka_unit_test(columns_call_the_key_id),
        cmocka_unit_test(columns_are_renamed_by_maps),
        cmocka_unit_test(columns_of_a_schema_are_exactly_those),
        cmocka_unit_test(columns_have_names_of_their_own),
        cmocka_unit_test(reads_what_spreadsheets_write),
        cmocka_unit_test(reads_gb18030_without_being_told),
        cmocka_unit_test(reads_utf16_and_latin),
        cmocka_unit_test(reads_numbers_as_the_c_library_does),
        cmocka_unit_test(rejects_say_row_column_reason_and_value),
        cmocka_unit_test(rejects_no_zero_where_the_layer_spans_it),
        cmocka_unit_test(crs_of_china_are_what_proj_makes_of_them),
        cmocka_unit_test(crs_of_web_maps_are_taken_out),
        cmocka_unit_test(crs_that_cannot_be_meant_is_refused),
        cmocka_unit_test(large_files_are_the_same_with_any_threads),
        cmocka_unit_test(error_files_that_cannot_be_read),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
