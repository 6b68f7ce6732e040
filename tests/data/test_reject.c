/* Rejected rows, and the buffers and text checks under them.
 *
 * Plan
 *   rejects_*  the file, the counts, many threads, no file
 *   utf8_*     Unicode's table 3-7 against a decoder of its own
 *   buf_*      JSON text and numbers, limits
 */
#include <math.h>

#include "data/base/thread.h"
#include "data/base/utf8.h"
#include "tests/data/source_sample.h"

static void rejects_write_csv_and_count_reasons(void **state)
{
    (void)state;
    struct om_rejects *r;
    const char *path = path_of("r.csv");
    assert_int_equal(om_rejects_new(path, &r, NULL), OM_OK);
    assert_int_equal(
        om_rejects_add(r, 7, "a\"b", "n", "not a number", "x,y", 3), OM_OK);
    assert_int_equal(om_rejects_add(r, 3, NULL, NULL, "no id", NULL, 0), OM_OK);
    assert_int_equal(om_rejects_add(r, 5, "c", "n", "not a number", "z", 1),
                     OM_OK);
    assert_int_equal(om_rejects_count(r), 3);
    char reasons[1000] = "";
    om_rejects_each(r, add_reason, reasons);
    assert_string_equal(reasons, "not a number: 2 (5)\nno id: 1 (3)\n");
    assert_int_equal(om_rejects_close(r, NULL), OM_OK);
    struct om_buf bytes = {0};
    assert_int_equal(om_file_read(path, 1000, &bytes, NULL), OM_OK);
    om_buf_add_byte(&bytes, '\0');
    assert_string_equal((const char *)bytes.bytes,
                        "row,id,column,reason,value\n"
                        "7,\"a\"\"b\",\"n\",\"not a number\",\"x,y\"\n"
                        "3,,,\"no id\",\n"
                        "5,\"c\",\"n\",\"not a number\",\"z\"\n");
    om_buf_deinit(&bytes);
}

static om_status reject_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    for (size_t i = first; i < end; i++)
        OM_TRY(om_rejects_add(ctx, i + 1, "id", "c", i % 2 ? "odd" : "even",
                              "value", 5));
    return OM_OK;
}

static void rejects_may_come_from_many_threads(void **state)
{
    (void)state;
    struct om_rejects *r;
    assert_int_equal(om_rejects_new(path_of("t.csv"), &r, NULL), OM_OK);
    om_threads_set(4);
    assert_int_equal(om_parallel(10000, 10, reject_range, r), OM_OK);
    om_threads_set(0);
    assert_int_equal(om_rejects_count(r), 10000);
    assert_int_equal(om_rejects_close(r, NULL), OM_OK);
    struct om_buf bytes = {0};
    assert_int_equal(om_file_read(path_of("t.csv"), 1 << 20, &bytes, NULL),
                     OM_OK);
    size_t lines = 0;
    for (size_t i = 0; i < bytes.len; i++) lines += bytes.bytes[i] == '\n';
    assert_int_equal(lines, 10001);
    om_buf_deinit(&bytes);
}

static void rejects_need_no_file(void **state)
{
    (void)state;
    struct om_rejects *r;
    struct om_err err = {0};
    assert_int_equal(om_rejects_new(NULL, &r, NULL), OM_OK);
    assert_int_equal(om_rejects_add(r, 1, "a", "b", "c", "d", 1), OM_OK);
    assert_int_equal(om_rejects_count(r), 1);
    assert_int_equal(om_rejects_close(r, NULL), OM_OK);
    assert_int_equal(om_rejects_close(NULL, NULL), OM_OK);
    assert_int_equal(om_rejects_new("/nowhere/r.csv", &r, &err), OM_E_IO);
}

/* By decoding: the code point must need exactly that many bytes. */
static size_t decoded_width(const unsigned char *s, size_t len)
{
    const size_t n = s[0] < 0x80   ? 1
                     : s[0] < 0xC0 ? 0
                     : s[0] < 0xE0 ? 2
                     : s[0] < 0xF0 ? 3
                     : s[0] < 0xF8 ? 4
                                   : 0;
    if (n == 0 || n > len) return 0;
    uint32_t code = n == 1 ? s[0] : s[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3Fu);
    }
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < LEAST[n] || code > 0x10FFFF || surrogate ? 0 : n;
}

static void utf8_is_what_decodes(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 2000000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        unsigned char s[4] = {
            (unsigned char)(seed >> 56), (unsigned char)(seed >> 48),
            (unsigned char)(seed >> 40), (unsigned char)(seed >> 32)};
        for (size_t k = 1; k < 4; k++)  // mostly tails
            if (seed >> k & 1) s[k] = (unsigned char)(0x80 | (s[k] & 0x3F));
        const size_t len = 1 + (seed >> 20 & 3);
        assert_int_equal(om_utf8_next((const char *)s, len),
                         decoded_width(s, len));
    }
    assert_true(om_utf8_valid("", 0));
    assert_true(om_utf8_valid("plain text and 中文 and 𠀀", 30));
    assert_false(om_utf8_valid("plain text and \xE4\xB8", 17));
    assert_false(om_utf8_valid("12345678\xFF", 9));
}

static void buf_writes_json_that_reads_back(void **state)
{
    (void)state;
    struct om_buf buf = {0};
    om_buf_add_json_text(&buf, "a\"\\\n\x01\xFF中", 9);
    om_buf_add_byte(&buf, '\0');
    assert_string_equal((const char *)buf.bytes,
                        "\"a\\\"\\\\\\n\\u0001\xEF\xBF\xBD中\"");
    static const double VALUE[] = {0.1,           1e300, -5e-324,
                                   113.123456789, 3,     1.0 / 3};
    for (size_t i = 0; i < sizeof VALUE / sizeof *VALUE; i++) {
        om_buf_clear(&buf);
        om_buf_add_json_real(&buf, VALUE[i]);
        om_buf_add_byte(&buf, '\0');
        assert_true(strtod((const char *)buf.bytes, NULL) == VALUE[i]);
    }
    om_buf_clear(&buf);
    om_buf_add_json_real(&buf, NAN);
    om_buf_add_i64(&buf, INT64_MIN);
    om_buf_add_fixed(&buf, 1.5, 3);
    om_buf_add_byte(&buf, '\0');
    assert_string_equal((const char *)buf.bytes, "null-92233720368547758081.5");
    om_buf_deinit(&buf);
}

static void buf_knows_its_limit(void **state)
{
    (void)state;
    struct om_buf buf;
    om_buf_init(&buf, 4);
    assert_int_equal(om_buf_add(&buf, "abcd", 4), OM_OK);
    assert_int_equal(om_buf_add_byte(&buf, 'e'), OM_E_LIMIT);
    assert_int_equal(om_buf_add(&buf, "", 0), OM_E_LIMIT);  // it sticks
    assert_int_equal(buf.len, 4);
    om_buf_clear(&buf);
    assert_int_equal(om_buf_add_byte(&buf, 'e'), OM_OK);
    om_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejects_write_csv_and_count_reasons),
        cmocka_unit_test(rejects_may_come_from_many_threads),
        cmocka_unit_test(rejects_need_no_file),
        cmocka_unit_test(utf8_is_what_decodes),
        cmocka_unit_test(buf_writes_json_that_reads_back),
        cmocka_unit_test(buf_knows_its_limit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
