/* Files written whole, on a disk that is full, fails, or writes a part.
 *
 * Plan
 *   whole_*   old or new, never half, whatever call fails; nothing beside it
 *   pwrite_*  short writes are gone on with
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/file.h"
#include "tests/data/journal_sample.h"

static void is(const char *path, const char *text)
{
    struct om_buf buf = {0};
    assert_int_equal(om_file_read(path, 1000, &buf, NULL), OM_OK);
    assert_int_equal(buf.len, strlen(text));
    assert_memory_equal(buf.bytes, text, buf.len);
    om_buf_deinit(&buf);
}

static const struct {
    enum om_file_call call;
    int error;
    const char *word;
} FAULT[] = {{OM_FILE_WRITE, ENOSPC, "No space left"},
             {OM_FILE_WRITE, EROFS, "Read-only"},
             {OM_FILE_WRITE, EIO, "Input/output"},
             {OM_FILE_SYNC, EIO, "Input/output"},
             {OM_FILE_RENAME, EROFS, "Read-only"}};

static void whole_is_old_or_new(void **state)
{
    (void)state;
    char *folder = folder_make(), path[256], temporary[300];
    snprintf(path, sizeof path, "%s/city.json", folder);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    for (size_t f = 0; f < sizeof FAULT / sizeof *FAULT; f++) {
        om_status st = OM_E_IO;
        for (size_t n = 1; st; n++) {
            struct om_err err = {0};
            assert_int_equal(om_file_write_whole(path, "old", 3, NULL), OM_OK);
            om_file_fail_after(FAULT[f].call, n, FAULT[f].error, true);
            st = om_file_write_whole(path, "what is new", 11, &err);
            om_file_fail_after(FAULT[f].call, 0, 0, false);
            if (n == 1) assert_int_equal(st, OM_E_IO);
            if (st) {
                assert_non_null(strstr(err.text, FAULT[f].word));
                assert_non_null(strstr(err.text, folder));
            }
            // Only the last sync, that of the folder, comes after the name.
            const bool named = st && FAULT[f].call == OM_FILE_SYNC && n == 2;
            is(path, !st || named ? "what is new" : "old");
            assert_false(om_file_exists(temporary));
        }
    }
    folder_remove(folder);
}

static void whole_and_pwrite_go_on_after_short_writes(void **state)
{
    (void)state;
    char *folder = folder_make(), path[256];
    snprintf(path, sizeof path, "%s/file", folder);
    om_file_fail_after(OM_FILE_WRITE, 1, 0, true);
    const size_t calls = om_file_calls(OM_FILE_WRITE);
    assert_int_equal(om_file_write_whole(path, "what is new", 11, NULL), OM_OK);
    assert_true(om_file_calls(OM_FILE_WRITE) > calls + 2);
    is(path, "what is new");
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(om_fd_pwrite(fd, "was once", 8, 5, path, NULL), OM_OK);
    om_file_fail_after(OM_FILE_WRITE, 0, 0, false);
    close(fd);
    is(path, "what was once");
    folder_remove(folder);
}

static void pwrite_says_what_and_why(void **state)
{
    (void)state;
    char *folder = folder_make(), path[256];
    struct om_err err = {0};
    snprintf(path, sizeof path, "%s/file", folder);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    om_file_fail_after(OM_FILE_WRITE, 1, ENOSPC, false);
    assert_int_equal(om_fd_pwrite(fd, "x", 1, 0, path, &err), OM_E_IO);
    assert_int_equal(errno, ENOSPC);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(om_fd_pwrite(fd, "x", 1, 0, path, &err), OM_OK);
    close(fd);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_is_old_or_new),
        cmocka_unit_test(whole_and_pwrite_go_on_after_short_writes),
        cmocka_unit_test(pwrite_says_what_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
