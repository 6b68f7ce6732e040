/* The splitter of delimited text.
 *
 * Plan
 *   same_*       rows and fields are those of a reader of one character at a
 *                time, whatever the text and wherever stretches end
 *   splits_*     examples of the rules in csv.h
 *   delimiter_*  the likeliest one is found
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fuzz/csv_check.h"

/* xorshift64: the same texts everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void same_rows_for_random_texts(void **state)
{
    (void)state;
    static const char LETTER[] = "aaab,,;\"\"\"\n\n\r\t7 ";
    uint64_t seed = 42;
    char text[400];
    for (int round = 0; round < 20000; round++) {
        const size_t len = next_random(&seed) % sizeof text;
        for (size_t i = 0; i < len; i++)
            text[i] = LETTER[next_random(&seed) % (sizeof LETTER - 1)];
        const size_t bytes = 1 + next_random(&seed) % 60;
        const size_t rows = 1 + next_random(&seed) % 9;
        const char delimiter = ",;\t"[round % 3];
        const char *why = csv_differs(text, len, delimiter, bytes, rows);
        if (why)
            print_error("round %d: %s in [%.*s]\n", round, why, (int)len, text);
        assert_null(why);
    }
}

static void same_rows_where_a_quote_never_closes(void **state)
{
    (void)state;
    const size_t len = (size_t)OM_LIMIT_TEXT_BYTES + 100;
    char *text = malloc(len);
    for (size_t i = 0; i < len; i++) text[i] = i % 50 == 49 ? '\n' : 'x';
    memcpy(text, "a,b\n1,\"", 7);
    assert_null(csv_differs(text, len, ',', 1000, 100));
    text[len - 3] = '"';  // just beyond what a field may hold
    assert_null(csv_differs(text, len, ',', 1000, 100));
    text[OM_LIMIT_TEXT_BYTES - 10] = '"';  // just within
    assert_null(csv_differs(text, len, ',', 1000, 100));
    free(text);
}

struct expectation {
    const char *text;
    size_t fields;
    const char *joined;  // fields with | between
};

static void splits_as_the_rules_say(void **state)
{
    (void)state;
    static const struct expectation CASE[] = {
        {"a,b,c\n", 3, "a|b|c"},
        {"a,b,c", 3, "a|b|c"},
        {"a,b,c\r\n", 3, "a|b|c"},
        {"\"a,b\",c\n", 2, "a,b|c"},
        {"\"say \"\"hi\"\"\",2\n", 2, "say \"hi\"|2"},
        {"\"two\nlines\",2\n", 2, "two\nlines|2"},
        {"5\" pipe,2\n", 2, "5\" pipe|2"},
        {"\"open,2\n", 2, "\"open|2"},
        {"\"a\"b,2\n", 2, "ab|2"},
        {"\"\",\n", 2, "|"},
        {",,\n", 3, "||"},
        {"\n", 0, ""},
        {"\r\n", 0, ""},
        {"\"\"\n", 1, ""},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        const char *text = CASE[i].text;
        struct om_csv_field field[8];
        char joined[64] = "", piece[64];
        size_t fields, at = 0;
        om_csv_row(text, text + strlen(text), ',', field, 8, &fields);
        assert_int_equal(fields, CASE[i].fields);
        for (size_t f = 0; f < fields; f++) {
            size_t n = field[f].len;
            if (field[f].quoted == OM_CSV_ESCAPED)
                n = om_csv_unquote(&field[f], piece);
            else
                memcpy(piece, field[f].at, n);
            at += (size_t)snprintf(joined + at, sizeof joined - at, "%s%.*s",
                                   f ? "|" : "", (int)n, piece);
        }
        assert_string_equal(joined, CASE[i].joined);
    }
}

static void splits_more_fields_than_there_is_room_for(void **state)
{
    (void)state;
    struct om_csv_field field[3] = {{0}};
    size_t fields;
    const char text[] = "1,2,3,4\n5";
    const char *next =
        om_csv_row(text, text + sizeof text - 1, ',', field, 2, &fields);
    assert_int_equal(fields, 4);
    assert_ptr_equal(next, text + 8);
    assert_null(field[2].at);
}

static char delimiter_of(const char *text)
{
    return om_csv_delimiter(text, strlen(text));
}

static void delimiter_is_what_splits_the_header_most(void **state)
{
    (void)state;
    assert_int_equal(delimiter_of("a,b,c\n1;2;3;4;5\n"), ',');
    assert_int_equal(delimiter_of("a;b;c\n"), ';');
    assert_int_equal(delimiter_of("a\tb\n"), '\t');
    assert_int_equal(delimiter_of("\"a;b;c\",d\n"), ',');
    assert_int_equal(delimiter_of("alone\n"), ',');
    assert_int_equal(delimiter_of(""), ',');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_rows_for_random_texts),
        cmocka_unit_test(same_rows_where_a_quote_never_closes),
        cmocka_unit_test(splits_as_the_rules_say),
        cmocka_unit_test(splits_more_fields_than_there_is_room_for),
        cmocka_unit_test(delimiter_is_what_splits_the_header_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
