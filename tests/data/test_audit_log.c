// test_audit_log.c - what was cut off the audit is noticed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/file.h"
#include "data/city/audit.h"
#include "tests/folder.h"

/* Plan
 *   whole_*   nothing is said of what servers have written, two at a time,
 *             killed between a line and the head, and while one writes
 *   cut_*     last lines, a whole file, the newest, the oldest, the head, the
 *             key, all files; a line put in at the end, a file from elsewhere
 *   old_*     files go after their days, and nothing is said; files older than
 *             the head are told of and break nothing
 */

#define DAY_S 86400
#define FIRST_S INT64_C(1687000000)
#define FILES 3
#define LINES 5

static char folder[64], logs[FILES][160];

static void add(struct om_audit *audit, int64_t at_s)
{
    const struct om_audit_entry entry = {.at_ms = at_s * 1000,
                                         .token = "00112233",
                                         .role = "officer",
                                         .area = "town:1",
                                         .method = "GET",
                                         .route = "items",
                                         .target = "/collections/x/items",
                                         .status = 200};
    assert_int_equal(om_audit_add(audit, &entry, NULL), OM_OK);
}

static bool count_line(void *ctx, const char *line, size_t len)
{
    (void)line;
    (void)len;
    ++*(size_t *)ctx;
    return true;
}

static char said[4096];

static void note(void *ctx, const char *file, const char *what)
{
    (void)ctx;
    const size_t len = strlen(said);
    snprintf(said + len, sizeof said - len, "%s: %s\n", file, what);
}

/* How often something is broken. */
static size_t look(size_t *lines)
{
    struct om_err err;
    size_t broken = 0;
    *lines = 0;
    said[0] = '\0';
    assert_int_equal(
        om_audit_read(folder, count_line, note, lines, &broken, &err), OM_OK);
    return broken;
}

static int begin(void **state)
{
    struct om_audit *audit;
    (void)state;
    if (!test_folder("onemap-audit", folder, sizeof folder)) return -1;
    if (om_audit_open(folder, &audit)) return -1;
    for (size_t i = 0; i < FILES; i++)
        for (size_t k = 0; k < LINES; k++)
            add(audit, FIRST_S + (int64_t)i * DAY_S);
    om_audit_close(audit);
    static const char *const day[FILES] = {"20230617", "20230618", "20230619"};
    for (size_t i = 0; i < FILES; i++)
        snprintf(logs[i], sizeof logs[i], "%s/audit/%s-%07ld-%04zu.log", folder,
                 day[i], (long)getpid(), i);
    return 0;
}

static int end(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static struct om_buf whole(const char *path)
{
    struct om_buf text = {0};
    assert_int_equal(om_file_read(path, 1 << 20, &text, NULL), OM_OK);
    return text;
}

static void put(const char *path, const void *bytes, size_t len)
{
    assert_int_equal(om_file_write_whole(path, bytes, len, NULL), OM_OK);
}

/* The length of a text without its last line. */
static size_t without_last(const struct om_buf *text)
{
    size_t len = text->len - 1;
    while (len && text->bytes[len - 1] != '\n') len--;
    return len;
}

static void whole_says_nothing(void **state)
{
    struct om_audit *one, *two;
    size_t lines;
    (void)state;
    assert_int_equal(look(&lines), 0);
    assert_string_equal(said, "");
    assert_int_equal(lines, FILES * LINES);
    assert_int_equal(om_audit_open(folder, &one), OM_OK);
    assert_int_equal(om_audit_open(folder, &two), OM_OK);
    for (int i = 0; i < 20; i++) {
        add(i % 2 ? one : two, FIRST_S + 3 * DAY_S);
        assert_int_equal(look(&lines), 0);
        assert_string_equal(said, "");
    }
    assert_int_equal(lines, FILES * LINES + 20);
    om_audit_close(one);
    om_audit_close(two);
}

static void cut_is_noticed(void **state)
{
    size_t lines;
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        struct om_buf text = whole(logs[i]);
        put(logs[i], text.bytes, without_last(&text));
        assert_int_equal(look(&lines), 1);
        assert_non_null(strstr(said, "4 of 5 are there"));
        put(logs[i], text.bytes, 0);
        assert_int_equal(look(&lines), 1);
        assert_non_null(strstr(said, "0 of 5 are there"));
        unlink(logs[i]);
        assert_int_equal(look(&lines), 1);
        assert_non_null(strstr(said, "gone before its time"));
        assert_int_equal(lines, (FILES - 1) * LINES);
        put(logs[i], text.bytes, text.len);
        assert_int_equal(look(&lines), 0);
        om_buf_deinit(&text);
    }
}

static void cut_head_is_noticed(void **state)
{
    char head[128], key[128];
    size_t lines;
    (void)state;
    snprintf(head, sizeof head, "%s/audit/head", folder);
    snprintf(key, sizeof key, "%s/audit/key", folder);
    struct om_buf text = whole(head), secret = whole(key);
    for (size_t at = 0; at < text.len; at += 37) {
        text.bytes[at] ^= 1;
        put(head, text.bytes, text.len);
        assert_int_equal(look(&lines), 1);
        assert_non_null(strstr(said, "head: it was changed"));
        text.bytes[at] ^= 1;
    }
    put(head, text.bytes, without_last(&text));
    assert_int_equal(look(&lines), 1);
    unlink(head);
    assert_int_equal(look(&lines), 1);
    assert_int_equal(lines, FILES * LINES);
    put(head, text.bytes, text.len);
    secret.bytes[3] ^= 1;
    put(key, secret.bytes, secret.len);
    assert_int_equal(look(&lines), 1);
    unlink(key);
    assert_int_equal(look(&lines), 1);
    secret.bytes[3] ^= 1;
    put(key, secret.bytes, secret.len);
    assert_int_equal(look(&lines), 0);
    for (size_t i = 0; i < FILES; i++) unlink(logs[i]);
    assert_int_equal(look(&lines), FILES);
    om_buf_deinit(&text);
    om_buf_deinit(&secret);
}

static void cut_and_grown(void **state)
{
    char strange[160];
    size_t lines;
    (void)state;
    struct om_buf text = whole(logs[0]);
    snprintf(strange, sizeof strange, "%s/audit/20230618-0000001-0000.log",
             folder);
    put(strange, text.bytes, text.len);
    assert_int_equal(look(&lines), 1);
    assert_non_null(strstr(said, "no server has begun this file"));
    unlink(strange);
    // A file of other lines in its place follows from itself alone.
    struct om_buf other = whole(logs[1]);
    put(logs[0], other.bytes, other.len);
    assert_int_equal(look(&lines), 1);
    om_buf_deinit(&text);
    om_buf_deinit(&other);
}

static void old_files_go(void **state)
{
    char head[128];
    struct om_audit *audit;
    size_t lines;
    (void)state;
    assert_int_equal(om_audit_open(folder, &audit), OM_OK);
    add(audit, FIRST_S + (OM_AUDIT_DAYS + 2) * (int64_t)DAY_S);
    om_audit_close(audit);
    assert_false(om_file_exists(logs[0]));
    assert_false(om_file_exists(logs[1]));
    assert_true(om_file_exists(logs[2]));
    assert_int_equal(look(&lines), 0);
    assert_string_equal(said, "");
    assert_int_equal(lines, LINES + 1);
    // Without its head what is there already is told of, and guarded from then.
    snprintf(head, sizeof head, "%s/audit/head", folder);
    unlink(head);
    assert_int_equal(om_audit_open(folder, &audit), OM_OK);
    add(audit, FIRST_S + (OM_AUDIT_DAYS + 2) * (int64_t)DAY_S);
    om_audit_close(audit);
    assert_int_equal(look(&lines), 0);
    assert_int_equal(lines, LINES + 2);
    assert_non_null(strstr(said, "some files are older than it"));
    unlink(logs[2]);
    assert_int_equal(look(&lines), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_says_nothing, begin, end),
        cmocka_unit_test_setup_teardown(cut_is_noticed, begin, end),
        cmocka_unit_test_setup_teardown(cut_head_is_noticed, begin, end),
        cmocka_unit_test_setup_teardown(cut_and_grown, begin, end),
        cmocka_unit_test_setup_teardown(old_files_go, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
