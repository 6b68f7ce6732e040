/* Tokens of a city.
 *
 * Plan
 *   made_*     what is given away is found again, and nothing else is
 *   kept_*     the file has hashes only, is for its owner only, survives
 *   ended_*    expired and revoked ones are not alive
 *   error_*    files that are no such files
 *   fault_*    a disk that fails leaves no mark
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/file.h"
#include "data/city/tokens.h"
#include "tests/folder.h"

#define NOW_S 1700000000
#define DAY_S 86400

struct folder {
    char path[64], file[96];
};

static int setup(void **state)
{
    static struct folder f;
    if (!test_folder("onemap-tokens", f.path, sizeof f.path)) return -1;
    snprintf(f.file, sizeof f.file, "%s/tokens.json", f.path);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct folder *f = *state;
    char lock[96];
    snprintf(lock, sizeof lock, "%s/tokens.lock", f->path);
    unlink(f->file);
    unlink(lock);
    return rmdir(f->path);
}

static void add(const struct folder *f, const char *role, unsigned days,
                struct om_token *token, char text[OM_TOKEN_TEXT_BYTES])
{
    struct om_err err = {0};
    *token = (struct om_token){0};
    strcpy(token->role, role);
    assert_int_equal(om_tokens_add(f->path, token, NOW_S, days, text, &err),
                     OM_OK);
}

static void made_ones_are_found_and_others_are_not(void **state)
{
    const struct folder *f = *state;
    struct om_token made[20];
    char text[20][OM_TOKEN_TEXT_BYTES];
    struct om_tokens tokens;
    for (int i = 0; i < 20; i++)
        add(f, i % 2 ? "wall" : "analyst", 1, &made[i], text[i]);
    assert_int_equal(om_tokens_read(f->path, &tokens, NULL), OM_OK);
    assert_int_equal(tokens.count, 20);
    for (int i = 0; i < 20; i++) {
        const size_t len = strlen(text[i]);
        const struct om_token *found = om_tokens_find(&tokens, text[i], len);
        assert_non_null(found);
        assert_string_equal(found->id, made[i].id);
        assert_string_equal(found->role, made[i].role);
        for (size_t at = 0; at < len; at++) {
            char other[OM_TOKEN_TEXT_BYTES];
            memcpy(other, text[i], sizeof other);
            other[at] = other[at] == 'a' ? 'b' : 'a';
            assert_null(om_tokens_find(&tokens, other, len));
        }
        assert_null(om_tokens_find(&tokens, text[i], len - 1));
        // The id of one with the secret of another.
        char mixed[OM_TOKEN_TEXT_BYTES];
        strcpy(mixed, text[i]);
        memcpy(mixed + 4, made[(i + 1) % 20].id, 8);
        assert_null(om_tokens_find(&tokens, mixed, len));
    }
    assert_null(om_tokens_find(&tokens, "", 0));
    assert_null(om_tokens_find(&tokens, "om1.", 4));
    om_tokens_deinit(&tokens);
}

static void kept_as_hashes_for_the_owner(void **state)
{
    const struct folder *f = *state;
    struct om_token token;
    char text[OM_TOKEN_TEXT_BYTES];
    struct om_buf bytes = {0};
    struct stat s;
    add(f, "admin", 1, &token, text);
    assert_int_equal(om_file_read(f->file, 1 << 20, &bytes, NULL), OM_OK);
    om_buf_add(&bytes, "", 1);
    assert_null(strstr((char *)bytes.bytes, strrchr(text, '.') + 1));
    assert_non_null(strstr((char *)bytes.bytes, token.id));
    om_buf_deinit(&bytes);
    assert_int_equal(stat(f->file, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
}

static void ended_ones_are_not_alive(void **state)
{
    const struct folder *f = *state;
    struct om_token token, other;
    char text[OM_TOKEN_TEXT_BYTES], more[OM_TOKEN_TEXT_BYTES];
    struct om_tokens tokens;
    add(f, "wall", 2, &token, text);
    add(f, "wall", 2, &other, more);
    assert_true(om_token_alive(&token, NOW_S + 2 * DAY_S - 1));
    assert_false(om_token_alive(&token, NOW_S + 2 * DAY_S));
    assert_int_equal(om_tokens_revoke(f->path, token.id, NOW_S + 5, NULL),
                     OM_OK);
    assert_int_equal(om_tokens_revoke(f->path, token.id, NOW_S + 9, NULL),
                     OM_OK);
    assert_int_equal(om_tokens_revoke(f->path, "00000000", NOW_S, NULL),
                     OM_E_NOTFOUND);
    assert_int_equal(om_tokens_read(f->path, &tokens, NULL), OM_OK);
    const struct om_token *dead = om_tokens_find(&tokens, text, strlen(text));
    assert_non_null(dead);
    assert_int_equal(dead->revoked_s, NOW_S + 5);
    assert_false(om_token_alive(dead, NOW_S + 6));
    assert_true(
        om_token_alive(om_tokens_find(&tokens, more, strlen(more)), NOW_S + 6));
    om_tokens_deinit(&tokens);
}

static void error_files(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"tokens\": 1}",
        "{\"tokens\": [{}]}",
        "{\"tokens\": [{\"id\": \"12345678\", \"role\": \"wall\", \"made\": "
        "\"2023-01-01T00:00:00Z\", \"expires\": \"2024-01-01T00:00:00Z\", "
        "\"hash\": \"00\"}]}"};
    const struct folder *f = *state;
    struct om_tokens tokens;
    struct om_err err;
    assert_int_equal(om_tokens_read(f->path, &tokens, &err), OM_OK);
    assert_int_equal(tokens.count, 0);
    assert_false(tokens.there);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            om_file_write_whole(f->file, bad[i], strlen(bad[i]), NULL), OM_OK);
        assert_int_not_equal(om_tokens_read(f->path, &tokens, &err), OM_OK);
        assert_int_equal(tokens.count, 0);
        assert_false(tokens.there);
        om_tokens_deinit(&tokens);
    }
    static const char nobody[] = "{\"tokens\": []}";
    assert_int_equal(
        om_file_write_whole(f->file, nobody, sizeof nobody - 1, NULL), OM_OK);
    assert_int_equal(om_tokens_read(f->path, &tokens, &err), OM_OK);
    assert_true(tokens.there);
    assert_int_equal(tokens.count, 0);
    om_tokens_deinit(&tokens);
}

static void a_list_that_is_gone_is_lost_and_not_absent(void **state)
{
    struct om_tokens tokens;
    struct om_token token;
    char text[OM_TOKEN_TEXT_BYTES];
    struct om_err err = {0};
    const struct folder *f = *state;
    assert_int_equal(om_tokens_revoke(f->path, "12345678", NOW_S, &err),
                     OM_E_NOTFOUND);
    assert_int_equal(om_tokens_read(f->path, &tokens, &err), OM_OK);
    assert_false(tokens.there || tokens.lost);
    add(f, "wall", 1, &token, text);
    assert_int_equal(om_tokens_read(f->path, &tokens, &err), OM_OK);
    assert_true(tokens.there && !tokens.lost);
    om_tokens_deinit(&tokens);
    assert_int_equal(unlink(f->file), 0);
    assert_int_equal(om_tokens_read(f->path, &tokens, &err), OM_OK);
    assert_true(tokens.there && tokens.lost);
    assert_int_equal(tokens.count, 0);
    add(f, "wall", 1, &token, text);
    assert_int_equal(om_tokens_read(f->path, &tokens, &err), OM_OK);
    assert_true(tokens.there && !tokens.lost && tokens.count == 1);
    om_tokens_deinit(&tokens);
}

/* Writing, syncing or renaming goes wrong, and an hour later somebody starts a
 * server. */
static void fault_a_token_that_fails_leaves_the_city_as_it_was(void **state)
{
    static const enum om_file_call call[] = {OM_FILE_WRITE, OM_FILE_SYNC,
                                             OM_FILE_RENAME};
    const struct folder *f = *state;
    struct om_tokens tokens;
    struct om_token token, kept;
    struct om_err err = {0};
    char text[OM_TOKEN_TEXT_BYTES], lock[96];
    size_t failed = 0;
    snprintf(lock, sizeof lock, "%s/tokens.lock", f->path);
    // 0: it never had a list; 1: it lost one; 2: it has one.
    for (int had = 0; had < 3; had++) {
        if (had == 1) add(f, "wall", 1, &kept, text);
        if (had == 1) assert_int_equal(unlink(f->file), 0);
        if (had == 2) add(f, "wall", 1, &kept, text);
        for (size_t c = 0; c < sizeof call / sizeof *call; c++)
            for (size_t n = 1;; n++) {
                token = (struct om_token){.role = "admin"};
                om_file_fail_after(call[c], n, ENOSPC, true);
                const om_status st =
                    om_tokens_add(f->path, &token, NOW_S, 1, text, &err);
                om_file_fail_after(call[c], 0, 0, false);
                if (!st) {
                    // n was more than there is to go wrong.
                    assert_true(n > 1);
                    assert_int_equal(unlink(f->file), 0);
                    if (had == 0) assert_int_equal(unlink(lock), 0);
                    if (had == 2) add(f, "wall", 1, &kept, text);
                    break;
                }
                failed++;
                assert_int_equal(om_tokens_read(f->path, &tokens, &err), OM_OK);
                assert_int_equal(tokens.there, had > 0);
                assert_int_equal(tokens.lost, had == 1);
                assert_int_equal(access(lock, F_OK), had ? 0 : -1);
                om_tokens_deinit(&tokens);
            }
    }
    assert_true(failed >= 9);
}

static void basic_shows_its_password_or_its_name(void **state)
{
    (void)state;
    static const struct {
        const char *coded, *want;
    } is[] = {
        {"dG9rZW46b20xLmFiYy5kZWY=", "om1.abc.def"},  // token:om1.abc.def
        {"b20xLmFiYy5kZWY6", "om1.abc.def"},          // om1.abc.def:
        {"Om9tMS5hYmMuZGVm", "om1.abc.def"},          // :om1.abc.def
        {"YTpiOmM=", "b:c"},                          // a:b:c
        {" YTpi", "b"},
        {"Og==", ""},
        {"", ""},
        {"YWJj", ""},
        {"YTpi!", ""},
        {"====", ""},

        {"YQA6Yg==", ""},
    };
    char out[OM_TOKEN_BASIC_BYTES];
    for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
        om_token_of_basic(is[i].coded, out);
        assert_string_equal(out, is[i].want);
    }
    // Longer than any token: nothing, and nothing is written beyond.
    static char coded[4096];
    for (size_t n = 4; n < sizeof coded - 4; n += 4) {
        memset(coded, 'Y', n);
        coded[n] = '\0';
        om_token_of_basic(coded, out);
        assert_true(strlen(out) < sizeof out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(made_ones_are_found_and_others_are_not,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(kept_as_hashes_for_the_owner, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(ended_ones_are_not_alive, setup,
                                        teardown),
        cmocka_unit_test(basic_shows_its_password_or_its_name),
        cmocka_unit_test_setup_teardown(error_files, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_list_that_is_gone_is_lost_and_not_absent, setup, teardown),
        cmocka_unit_test_setup_teardown(
            fault_a_token_that_fails_leaves_the_city_as_it_was, setup,
            teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
