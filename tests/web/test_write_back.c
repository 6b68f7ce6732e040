/* Bodies of writes that are what was written.
 *
 * Plan
 *   back_*    what we write, in each form, is read back to the last value
 *   cut_*     however the bytes come
 *   line_*    a Feature on a line is what it is in a collection, odd or not
 */
#include "tests/web/write_body.h"

#include <math.h>

#include "web/features.h"

/* ---- what goes out comes in */

static const struct truth *truth_of(const char *id, size_t len)
{
    for (size_t p = 0; p < sample.parts; p++)
        for (size_t r = 0; r < om_segment_rows(sample.part[p].segment); r++)
            if (strlen(sample.truth[p][r].id) == len &&
                !memcmp(sample.truth[p][r].id, id, len))
                return &sample.truth[p][r];
    fail_msg("no row %.*s", (int)len, id);
    return NULL;
}

static void check_batch(const struct om_body *body, bool empty_is_none)
{
    const struct om_batch *b = om_body_batch(body);
    char text[220];
    assert_int_equal(om_body_schema(body)->count, COLS - 2);
    for (size_t i = 0; i < b->rows; i++) {
        size_t len;
        const char *id = om_body_id(body, i, &len);
        const struct truth *t = truth_of(id, len);
        double lon, lat, lon0, lat0;
        om_pos_to_lonlat(b->pos[i], &lon, &lat);
        om_pos_to_lonlat(t->pos, &lon0, &lat0);
        assert_true(fabs(lon - lon0) <= 2e-7 && fabs(lat - lat0) <= 2e-7);
        const struct om_batch_column *kind = &b->column[COL_KIND];
        const bool some = t->kind >= 0 && !(empty_is_none && !KIND[t->kind][0]);
        assert_int_equal(has_value(kind, i), some);
        check_text(kind, i, some ? KIND[t->kind] : "");
        assert_int_equal(has_value(&b->column[COL_RESIDENTS], i),
                         !t->residents_null);
        assert_int_equal(b->column[COL_RESIDENTS].integer[i], t->residents);
        assert_true(b->column[COL_WEIGHT].real[i] == t->weight);
        assert_int_equal(b->column[COL_AT].integer[i], t->at);
        assert_int_equal(b->column[COL_FLAG].integer[i], t->flag);
        sample_text(t, text);
        check_text(&b->column[COL_TEXT], i, text);
    }
}

/* Rows on the very edge of the world are rounded off it on their way out. */
static uint64_t write_all(enum om_features_format format, struct om_buf *out)
{
    const struct om_query q = {
        .layer = &sample.layer,
        .place = {.kind = OM_PLACE_BOX,
                  .box = {1000, 1000, UINT32_MAX - 1000, UINT32_MAX - 1000}}};
    const struct om_features_options options = {.zone_s = ZONE_S,
                                                .format = format};
    uint64_t written;
    assert_int_equal(
        om_features_write(&q, &options, gather, out, &written, NULL), OM_OK);
    assert_in_range(written, sample.layer.rows - 4, sample.layer.rows);
    return written;
}

static void back_and_cut(enum om_features_format format, enum om_body_form form,
                         bool empty_is_none)
{
    const struct om_body_rules rules = plain_rules();
    const size_t steps[] = {1, 0, SIZE_MAX / 2};
    struct om_buf out = {0};
    const uint64_t rows = write_all(format, &out);
    if (form == OM_BODY_LINES) {
        // A collection of ours has one Feature a line, between commas.
        char *text = (char *)out.bytes, *at = strchr(text, '[') + 1;
        out.bytes[out.len - 1] = '\0';
        *strstr(at, "\n]") = '\0';
        for (char *line = at; (line = strstr(line, "},\n")); line += 3)
            line[1] = ' ';
        out.len = strlen(at);
        memmove(out.bytes, at, out.len);
    }
    for (size_t i = 0; i < 3; i++) {
        struct om_body *body = NULL;
        struct om_err err = {0};
        if (read_body(&rules, form, (char *)out.bytes, out.len, steps[i], &body,
                      &err))
            fail_msg("%s", err.text);
        const struct om_body_fault *fault;
        if (om_body_faults(body, &fault))
            fail_msg("row %d, %s: %s", (int)fault->row, fault->field,
                     fault->reason);
        assert_int_equal(om_body_rows(body), rows);
        assert_int_equal(om_body_batch(body)->rows, rows);
        check_batch(body, empty_is_none);
        om_body_free(body);
    }
    om_buf_deinit(&out);
}

static void back_from_a_collection(void **state)
{
    (void)state;
    back_and_cut(OM_FEATURES_GEOJSON, OM_BODY_GEOJSON, false);
}
static void back_from_lines(void **state)
{
    (void)state;
    back_and_cut(OM_FEATURES_GEOJSON, OM_BODY_LINES, false);
}
static void back_from_a_table(void **state)
{
    (void)state;
    back_and_cut(OM_FEATURES_CSV, OM_BODY_CSV, true);
}

/* ---- lines and collections ---- */

#define LINE_HEAD "{\"type\":\"Feature\",\"id\":\"a\","
#define LINE_PLACE \
    "\"geometry\":{\"type\":\"Point\",\"coordinates\":[113.5,23]}"

/* What a program may write, as text that JSON allows. */
static const char *const LINES[] = {
    LINE_HEAD LINE_PLACE ",\"properties\":{}}",
    LINE_HEAD LINE_PLACE "}",
    LINE_HEAD LINE_PLACE ",\"properties\":null}",
    LINE_HEAD LINE_PLACE ",\"properties\":{\"id\":\"a\"}}",
    LINE_HEAD LINE_PLACE ",\"properties\":{\"id\":\"b\"}}",
    LINE_HEAD LINE_PLACE ",\"properties\":{\"id\":null}}",
    LINE_HEAD LINE_PLACE ",\"properties\":{\"id\":7}}",
    LINE_HEAD LINE_PLACE ",\"properties\":{\"stranger\":1}}",
    LINE_HEAD LINE_PLACE ",\"properties\":[]}",
    LINE_HEAD LINE_PLACE ",\"bbox\":[1,2,3,4],\"properties\":{}}",
    LINE_HEAD LINE_PLACE ",\"more\":1}",
    LINE_HEAD "\"geometry\":null}",
    LINE_HEAD "\"geometry\":{\"type\":\"Point\",\"coordinates\":[113.5]}}",
    LINE_HEAD "\"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2,3]}}",
    LINE_HEAD "\"geometry\":{\"type\":\"Point\",\"coordinates\":[\"1\",2]}}",
    LINE_HEAD "\"geometry\":{\"type\":\"Point\",\"coordinates\":[1e3,2]}}",
    LINE_HEAD "\"geometry\":{\"type\":\"Point\",\"coordinates\":[-0,-0.0]}}",
    LINE_HEAD "\"geometry\":{\"coordinates\":[1.5e1,2E+0],\"type\":\"Point\"}}",
    LINE_HEAD "\"geometry\":{\"type\":\"MultiPoint\",\"coordinates\":[[1,2]]}}",
    LINE_HEAD "\"geometry\":{\"type\":\"LineString\",\"coordinates\":[]}}",
    LINE_HEAD "\"geometry\":{\"type\":\"Point\"}}",
    LINE_HEAD "\"geometry\":{}}",
    "{\"type\":\"Feature\"," LINE_PLACE "}",
    "{\"type\":\"Feature\",\"id\":7," LINE_PLACE "}",
    "{\"type\":\"Feature\",\"id\":\"\"," LINE_PLACE "}",
    "{\"type\":\"Feature\",\"id\":\"a/b\"," LINE_PLACE "}",
    "{\"type\":\"Feature\",\"id\":\"a\\u0041\"," LINE_PLACE "}",
    "{\"type\":\"Feature\",\"id\":\"\xe5\xb7\xb2\"," LINE_PLACE "}",
    "{\"type\":\"Point\",\"id\":\"a\"," LINE_PLACE "}",
    "{\"id\":\"a\"," LINE_PLACE "}",
    " {\t\"type\" : \"Feature\" , \"id\" : \"a\" , " LINE_PLACE " } \r",
    "{}",
    "[]",
    "7",
    "\"Feature\"",
    "null",
};

/* Values that a column may meet. */
static const char *const VALUES[] = {"null",
                                     "true",
                                     "false",
                                     "0",
                                     "-0",
                                     "-1",
                                     "12",
                                     "9223372036854775807",
                                     "123456789012345678",
                                     "-999999999999999999",
                                     "1.0",
                                     "4.5",
                                     "1e2",
                                     "1e-400",
                                     "0.1",
                                     "-2.5E-3",
                                     "1.7976931348623157e308",
                                     "\"\"",
                                     "\"x\"",
                                     "\"a\\\"b\"",
                                     "\"\xe5\x85\xac\xe5\xae\x89\"",
                                     "\"2023-06-26T14:05:31+08:00\"",
                                     "\"2023-06-26\"",
                                     "\"2023-13-26\"",
                                     "\"tomorrow\"",
                                     "[]",
                                     "{}",
                                     "[1]"};

static void same_cells(const struct om_body *one, const struct om_body *other)
{
    const struct om_batch *a = om_body_batch(one), *b = om_body_batch(other);
    assert_int_equal(a->rows, b->rows);
    for (size_t c = 0; a->rows && c < om_body_schema(one)->count; c++) {
        const struct om_batch_column *x = &a->column[c], *y = &b->column[c];
        assert_int_equal(has_value(x, 0), has_value(y, 0));
        if (!has_value(x, 0)) continue;
        if (x->integer) assert_int_equal(x->integer[0], y->integer[0]);
        if (x->real)
            assert_memory_equal(&x->real[0], &y->real[0], sizeof(double));
        if (!x->offset) continue;
        const size_t len = x->offset[1] - x->offset[0];
        assert_int_equal(len, y->offset[1] - y->offset[0]);
        assert_memory_equal(x->bytes + x->offset[0], y->bytes + y->offset[0],
                            len);
    }
    if (a->rows) assert_memory_equal(a->pos, b->pos, sizeof *a->pos);
}

static void check_line(const char *line)
{
    char text[2000];
    const struct om_body_rules rules = plain_rules();
    struct om_body *lines = NULL, *collection = NULL;
    struct om_err err = {0};
    const struct om_body_fault *a, *b;
    snprintf(text, sizeof text,
             "{\"type\":\"FeatureCollection\",\"features\":[%s]}", line);
    assert_int_equal(
        read_body(&rules, OM_BODY_LINES, line, strlen(line), 0, &lines, &err),
        OM_OK);
    assert_int_equal(read_body(&rules, OM_BODY_GEOJSON, text, strlen(text), 0,
                               &collection, &err),
                     OM_OK);
    const size_t faults = om_body_faults(lines, &a);
    if (faults != om_body_faults(collection, &b))
        fail_msg("%s: %zu faults in a line, %zu in a collection", line, faults,
                 om_body_faults(collection, &b));
    assert_memory_equal(a, b, faults * sizeof *a);
    assert_int_equal(om_body_refused(lines), om_body_refused(collection));
    same_cells(lines, collection);
    om_body_free(lines);
    om_body_free(collection);
}

static void line_is_what_it_is_in_a_collection(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++)
        check_line(LINES[i]);
}

static void line_has_each_value_in_each_column(void **state)
{
    (void)state;
    char line[1000];
    const struct om_schema *all = &sample.layer.schema;
    for (size_t c = 0; c < all->count; c++)
        for (size_t v = 0; v < sizeof VALUES / sizeof *VALUES; v++) {
            snprintf(line, sizeof line,
                     LINE_HEAD LINE_PLACE ",\"properties\":{\"%s\":%s}}",
                     all->field[c].name, VALUES[v]);
            check_line(line);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(back_from_a_collection),
        cmocka_unit_test(back_from_lines),
        cmocka_unit_test(back_from_a_table),
        cmocka_unit_test(line_is_what_it_is_in_a_collection),
        cmocka_unit_test(line_has_each_value_in_each_column),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
