/* The journal on a disk that is full, fails, loses its power, or changes what
 * is on it (fault_vfs.h).
 *
 * Plan
 *   full_*    a full disk refuses, forgets nothing, and goes on with room
 *   disk_*    after a failing write or sync nothing is taken until opened anew
 *   open_*    the same while it is opened and made
 *   power_*   what was acknowledged is there after a power cut at any call
 *   only_*    a disk that is only read
 *   cut_*     log and file cut off anywhere
 *   flip_*    one bit of log or file is another
 *
 * Everywhere: groups of GROUP entries whose content follows from their number,
 * every third of them packed and written ahead, so a half group, a wrong entry
 * or a lost one cannot be missed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define IDS 40
#define GROUP 10
#define FIRST 1
#define SAMPLE_PACK GROUP

#include "data/base/file.h"
#include "tests/data/fault_vfs.h"
#include "tests/data/journal_sample.h"
#include "tests/rounds.h"

static struct om_journal *open_it(const char *folder, enum om_journal_mode mode)
{
    struct om_journal *j = NULL;
    struct om_err err = {0};
    if (om_journal_open(folder, mode, FIRST, &j, &err))
        fail_msg("%s", err.text);
    return j;
}

/* Whole groups, every entry as written, all counted by its own checks. */
static void check_all(struct om_journal *j, uint64_t last)
{
    struct om_err err = {0};
    struct sample_count c = {.ids = IDS, .rows = true};
    const uint64_t floor = om_journal_floor(j);
    assert_int_equal(om_journal_last(j), last);
    assert_int_equal(last % GROUP, 0);
    if (om_journal_each(j, 0, 0, true, sample_check, &c, &err))
        fail_msg("%s", err.text);
    assert_int_equal(c.wrong, 0);
    assert_int_equal(c.seen, last - floor);
}

static void check_anew(const char *folder, uint64_t last)
{
    struct om_err err = {0};
    for (int mode = OM_JOURNAL_READ; mode <= OM_JOURNAL_WRITE; mode++) {
        struct om_journal *j = open_it(folder, (enum om_journal_mode)mode);
        check_all(j, last);
        assert_int_equal(om_journal_missing(j), 0);
        if (om_journal_verify(j, &err)) fail_msg("%s", err.text);
        om_journal_close(j);
    }
}

/* Step number `i` of a life with groups, checkpoints and trims. */
static om_status step(struct om_journal *j, unsigned i, struct om_err *err)
{
    bool more;
    if (i % 5 == 3) return om_journal_checkpoint(j, err);
    if (i % 11 == 9) {
        const uint64_t last = om_journal_last(j);
        return om_journal_trim(j, last > 30 ? last - 30 : 0, 0, &more, err);
    }
    return sample_group(j, GROUP, IDS, err);
}
#define STEPS 24

static void full_disk_at_every_write(void **state)
{
    (void)state;
    unsigned failed = 1;
    for (unsigned n = 1; failed > 0; n++) {
        char *folder = folder_make();
        fault_begin();
        struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
        failed = 0;
        fault_set(FAULT_WRITE, n, SQLITE_FULL, false, n % 2);
        for (unsigned i = 0; i < STEPS; i++) {
            struct om_err err = {0};
            const uint64_t last = om_journal_last(j);
            const om_status st = step(j, i, &err);
            if (!st) continue;
            failed++;
            assert_int_equal(st, OM_E_IO);
            if (!strstr(err.text, "disk is full")) fail_msg("%s", err.text);
            assert_int_equal(om_journal_last(j), last);
            assert_false(om_journal_failed(j));
            check_all(j, last);
            if (step(j, i, &err)) fail_msg("again: %s", err.text);
        }
        assert_in_range(failed, 0, 1);
        const uint64_t last = om_journal_last(j);
        om_journal_close(j);
        fault_end();
        check_anew(folder, last);
        folder_remove(folder);
    }
}

static void full_disk_for_long_still_reads(void **state)
{
    (void)state;
    char *folder = folder_make();
    fault_begin();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_OK);
    fault_set(FAULT_WRITE, 1, SQLITE_FULL, true, true);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_E_IO);
        check_all(j, 5 * GROUP);
    }
    // A group too large for the cache is written before its end, and fails
    // there: what follows in it must not slip in on its own.
    assert_int_equal(sample_group(j, 200000, IDS, NULL), OM_E_IO);
    check_all(j, 5 * GROUP);
    fault_set(FAULT_WRITE, 0, 0, false, false);
    assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_OK);
    om_journal_close(j);
    fault_end();
    check_anew(folder, 6 * GROUP);
    folder_remove(folder);
}

/* One call fails; from then on nothing may be called durable. */
static void disk_fails(enum fault_kind kind, int code, bool sticky)
{
    bool reached = true;
    for (unsigned n = 1; reached; n++) {
        char *folder = folder_make();
        struct om_err err = {0};
        uint64_t last = 0;
        fault_begin();
        struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
        fault_set(kind, n, code, sticky, n % 2);
        om_status st = OM_OK;
        bool group = false;
        for (unsigned i = 0; i < STEPS && !st; i++) {
            last = om_journal_last(j);
            group = i % 5 != 3 && i % 11 != 9;
            st = step(j, i, &err);
        }
        reached = st != OM_OK;
        if (reached) {
            assert_int_equal(st, OM_E_IO);
            assert_non_null(strstr(err.text, "journal.db"));
            assert_true(om_journal_failed(j));
            // What can be served is served, and only what was acknowledged.
            check_all(j, last);
            for (int again = 0; again < 3; again++) {
                assert_int_equal(sample_group(j, GROUP, IDS, &err), OM_E_IO);
                assert_non_null(strstr(err.text, "disk failed"));
                assert_int_equal(om_journal_checkpoint(j, &err), OM_E_IO);
                assert_int_equal(om_journal_last(j), last);
            }
        } else {
            last = om_journal_last(j);
        }
        om_journal_close(j);
        fault_end();
        // The group that failed is there as a whole or not at all.
        j = open_it(folder, OM_JOURNAL_WRITE);
        const uint64_t now = om_journal_last(j);
        if (now != last) {
            assert_true(reached && group);
            assert_int_equal(now, last + GROUP);
        }
        om_journal_close(j);
        check_anew(folder, now);
        folder_remove(folder);
    }
}

static void disk_fails_at_any_write(void **state)
{
    (void)state;
    disk_fails(FAULT_WRITE, SQLITE_IOERR_WRITE, false);
    disk_fails(FAULT_WRITE, SQLITE_IOERR_WRITE, true);
}

static void disk_fails_at_any_sync(void **state)
{
    (void)state;
    disk_fails(FAULT_SYNC, SQLITE_IOERR_FSYNC, false);
    disk_fails(FAULT_SYNC, SQLITE_IOERR_FSYNC, true);
}

static void disk_takes_no_mark(void **state)
{
    (void)state;
    char *folder = folder_make();
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_OK);
    om_file_fail_after(OM_FILE_WRITE, 1, ENOSPC, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_OK);
    om_file_fail_after(OM_FILE_WRITE, 0, 0, false);
    om_journal_close(j);
    check_anew(folder, 4 * GROUP);
    folder_remove(folder);
}

static void open_on_a_failing_disk(void **state)
{
    (void)state;
    static const int CODE[FAULT_KINDS][2] = {
        {SQLITE_FULL, SQLITE_IOERR_WRITE},
        {SQLITE_IOERR_FSYNC, SQLITE_IOERR_FSYNC}};
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        bool reached = true;
        for (unsigned n = 1; reached; n++) {
            char *folder = folder_make();
            struct om_journal *j = NULL;
            struct om_err err = {0};
            fault_begin();
            fault_set((enum fault_kind)kind, n, CODE[kind][n % 2], true, false);
            const om_status st =
                om_journal_open(folder, OM_JOURNAL_WRITE, FIRST, &j, &err);
            reached = st != OM_OK;
            if (reached) {
                assert_int_equal(st, OM_E_IO);
                assert_non_null(strstr(err.text, "journal.db"));
            }
            om_journal_close(j);
            fault_end();
            // What is there is a journal: whoever looks need not guess.
            if (om_journal_exists(folder))
                om_journal_close(open_it(folder, OM_JOURNAL_READ));
            j = open_it(folder, OM_JOURNAL_WRITE);
            assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_OK);
            om_journal_close(j);
            check_anew(folder, GROUP);
            folder_remove(folder);
        }
    }
}

// ---- power ----

/* A life that ends at the n-th call; each acknowledgement goes to `told`. */
static void live_until(const char *folder, enum fault_kind kind, unsigned n,
                       unsigned from, int told)
{
    struct om_journal *j = NULL;
    fault_begin();
    fault.crash = true;
    fault.dice = n * 77777u + from + 1;
    fault_set(kind, n, SQLITE_IOERR, false, n % 3 == 0);
    if (om_journal_open(folder, OM_JOURNAL_WRITE, FIRST, &j, NULL)) _exit(1);
    for (unsigned i = from; i < from + STEPS; i++) {
        if (step(j, i, NULL)) _exit(2);
        const uint64_t last = om_journal_last(j);
        if (write(told, &last, sizeof last) != sizeof last) _exit(3);
    }
    _exit(0);  // not reached: everything was
}

/* Runs it; returns the exit status, *acknowledged is the last that was told. */
static int crash(const char *folder, enum fault_kind kind, unsigned n,
                 unsigned from, uint64_t *acknowledged)
{
    int told[2], status = 0;
    assert_int_equal(pipe(told), 0);
    const pid_t child = fork();
    if (child == 0) live_until(folder, kind, n, from, told[1]);
    close(told[1]);
    for (uint64_t last; read(told[0], &last, sizeof last) == sizeof last;)
        *acknowledged = last;
    close(told[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* After a power cut: what was acknowledged, and at most the group at hand. */
static uint64_t check_after(const char *folder, uint64_t acknowledged)
{
    char path[512];
    snprintf(path, sizeof path, "%s/journal.db-shm", folder);
    unlink(path);  // was in memory
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    const uint64_t last = om_journal_last(j);
    assert_true(last == acknowledged || last == acknowledged + GROUP);
    check_all(j, last);
    om_journal_close(j);
    check_anew(folder, last);
    return last;
}

static void power_is_cut_at_any_call(void **state)
{
    (void)state;
    const unsigned stride = test_long()                      ? 1
                            : (unsigned)test_rounds(20) > 10 ? 2
                                                             : 9;
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        for (unsigned n = 1;; n += stride) {
            char *folder = folder_make();
            uint64_t acknowledged = 0;
            const int status =
                crash(folder, (enum fault_kind)kind, n, 0, &acknowledged);
            if (status != FAULT_CRASHED) assert_int_equal(status, 0);
            check_after(folder, acknowledged);
            folder_remove(folder);
            if (status == 0) break;
        }
    }
}

/* One city whose power is cut again and again. */
static void power_is_cut_again_and_again(void **state)
{
    (void)state;
    const unsigned rounds = test_long() ? 3000 : (unsigned)test_rounds(150);
    char *folder = folder_make(), path[512];
    uint64_t last = 0;
    unsigned random = 1;
    snprintf(path, sizeof path, "%s/journal.mark", folder);
    for (unsigned i = 0; i < rounds; i++) {
        random = random * 1103515245 + 12345;
        const unsigned roll = random >> 16;
        const int status = crash(folder, roll % 4 ? FAULT_WRITE : FAULT_SYNC,
                                 1 + roll / 4 % 60, i, &last);
        if (status != FAULT_CRASHED) assert_int_equal(status, 0);
        if (roll % 5 == 0) unlink(path);  // it was not on the disk yet
        last = check_after(folder, last);
    }
    assert_true(last > rounds * GROUP);
    folder_remove(folder);
}

// ---- a disk that is only read ----

static void only_read(const char *folder, uint64_t last)
{
    struct om_err err = {0};
    struct om_journal *j = NULL;
    int fd;
    if (geteuid() == 0 && setuid(65534)) _exit(1);
    if (om_journal_open(folder, OM_JOURNAL_READ, 0, &j, &err)) _exit(2);
    struct sample_count c = {.ids = IDS, .rows = true};
    if (om_journal_each(j, 0, 0, true, sample_check, &c, &err)) _exit(3);
    if (c.wrong || c.last != last || om_journal_last(j) != last) _exit(4);
    om_journal_close(j);
    j = NULL;
    if (om_journal_lock(folder, &fd, &err) != OM_E_IO) _exit(5);
    if (om_journal_open(folder, OM_JOURNAL_WRITE, FIRST, &j, &err) != OM_E_IO)
        _exit(6);
    if (!strstr(err.text, "journal.db") || !strstr(err.text, "read")) _exit(7);
    _exit(0);
}

static void only_reading_needs_no_writing(void **state)
{
    (void)state;
    for (int closed = 0; closed < 2; closed++) {
        char *folder = folder_make(), path[512];
        static const char *const NAME[] = {"journal.db", "journal.db-wal",
                                           "journal.db-shm", "journal.mark"};
        struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
        for (int i = 0; i < 5; i++)
            assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_OK);
        if (closed) om_journal_close(j);  // else there is a log to be read
        for (int i = 0; i < 4; i++) {
            snprintf(path, sizeof path, "%s/%s", folder, NAME[i]);
            if (access(path, F_OK) == 0)
                assert_int_equal(chmod(path, 0444), 0);
            else
                assert_true(closed);
        }
        assert_int_equal(chmod(folder, 0555), 0);
        int status = 0;
        const pid_t child = fork();
        if (child == 0) only_read(folder, 5 * GROUP);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(chmod(folder, 0755), 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        if (!closed) om_journal_close(j);
        folder_remove(folder);
    }
}

// ---- cut off, and flipped ----

#define GROUPS 12
#define TRIMMED (3 * GROUP)

/* The files of a city's journal as bytes. */
struct image {
    size_t len[3];
    uint8_t *bytes[3];
};
static const char *const IMAGE[3] = {"journal.db", "journal.db-wal",
                                     "journal.mark"};

static void image_path(char out[512], const char *folder, int file)
{
    snprintf(out, 512, "%s/%s", folder, IMAGE[file]);
}

/* A journal as a killed server leaves it: a part in the file, a part in the
 * log (or, `closed`, all in the file). */
static struct image image_make(bool closed)
{
    struct image image = {0};
    char *folder = folder_make(), path[512];
    struct om_journal *j = open_it(folder, OM_JOURNAL_WRITE);
    bool more;
    for (int i = 0; i < GROUPS; i++) {
        assert_int_equal(sample_group(j, GROUP, IDS, NULL), OM_OK);
        if (i != GROUPS / 2) continue;
        assert_int_equal(om_journal_trim(j, TRIMMED, 0, &more, NULL), OM_OK);
        assert_int_equal(om_journal_checkpoint(j, NULL), OM_OK);
    }
    if (closed) om_journal_close(j);
    for (int i = 0; i < 3; i++) {
        struct om_buf buf = {0};
        image_path(path, folder, i);
        if (om_file_exists(path))
            assert_int_equal(om_file_read(path, 1 << 24, &buf, NULL), OM_OK);
        image.len[i] = buf.len;
        image.bytes[i] = malloc(buf.len + 1);
        memcpy(image.bytes[i], buf.bytes ? buf.bytes : (uint8_t *)"", buf.len);
        om_buf_deinit(&buf);
    }
    if (!closed) om_journal_close(j);
    folder_remove(folder);
    return image;
}

static void image_free(struct image *image)
{
    for (int i = 0; i < 3; i++) free(image->bytes[i]);
}

static void image_put(const struct image *image, const char *folder, bool mark)
{
    char path[512];
    snprintf(path, sizeof path, "%s/journal.db-shm", folder);
    unlink(path);
    for (int i = 0; i < 3; i++) {
        image_path(path, folder, i);
        unlink(path);
        if (image->len[i] == 0 || (i == 2 && !mark)) continue;
        const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, image->bytes[i], image->len[i]),
                         (ssize_t)image->len[i]);
        close(fd);
    }
}

enum found { ALL, FEWER, SAID };

/* Opens what is there and goes through it. Whatever was done to the bytes: an
 * entry that is given is what was written, and with the mark nothing is missing
 * without a word. */
static enum found look(const char *folder, bool mark)
{
    struct om_journal *j = NULL;
    struct om_err err = {0};
    struct sample_count c = {.ids = IDS, .rows = true};
    om_status st = om_journal_open(folder, OM_JOURNAL_READ, 0, &j, &err);
    uint64_t last = 0, floor = 0;
    bool missing = false;
    if (!st) {
        last = om_journal_last(j);
        floor = om_journal_floor(j);
        missing = om_journal_missing(j) > 0;
        st = om_journal_each(j, 0, 0, true, sample_check, &c, &err);
    }
    om_journal_close(j);
    assert_int_equal(c.wrong, 0);
    if (st && st != OM_E_NOTFOUND) {
        if (st != OM_E_DAMAGED && st != OM_E_VERSION && st != OM_E_IO)
            fail_msg("%d: %s", st, err.text);
        if (!strstr(err.text, "journal.db")) fail_msg("%s", err.text);
    } else if (!st) {
        assert_int_equal(last % GROUP, 0);  // whole groups
        assert_int_equal(c.seen, last - floor);
    }
    // The same for who wants to write.
    j = NULL;
    const om_status writer =
        om_journal_open(folder, OM_JOURNAL_WRITE, FIRST, &j, &err);
    if (!writer) {
        // The newest it knows is the newest there was, or the log had none.
        assert_true(!mark || om_journal_last(j) == GROUPS * GROUP);
    } else if (writer != OM_E_DAMAGED && writer != OM_E_VERSION &&
               writer != OM_E_IO) {
        fail_msg("%d: %s", writer, err.text);
    }
    om_journal_close(j);
    if (st || missing) return SAID;
    return last == GROUPS * GROUP ? ALL : FEWER;
}

/* A log that is not sound is left as it is by whoever looks. */
static void cut_log_is_left_alone(void **state)
{
    (void)state;
    struct image image = image_make(false);
    char *folder = folder_make(), path[512];
    struct om_buf after = {0};
    image.bytes[1][image.len[1] / 2] ^= 1;
    image_put(&image, folder, true);
    assert_int_equal(look(folder, true), SAID);
    image_path(path, folder, 1);
    assert_int_equal(om_file_read(path, 1 << 24, &after, NULL), OM_OK);
    assert_int_equal(after.len, image.len[1]);
    assert_memory_equal(after.bytes, image.bytes[1], after.len);
    om_buf_deinit(&after);
    image_free(&image);
    folder_remove(folder);
}

/* Every length of the file, or some; more densely where frames begin. */
static void cut(bool closed, int file)
{
    struct image image = image_make(closed);
    const size_t len = image.len[file];
    char *folder = folder_make();
    size_t said = 0, all = 0;
    assert_true(len > 4096);
    for (size_t to = 0; to < len;) {
        for (int mark = 0; mark < 2; mark++) {
            image.len[file] = to;
            image_put(&image, folder, mark);
            const enum found found = look(folder, mark);
            if (mark) {
                assert_int_not_equal(found, FEWER);
                said += found == SAID;
                all += found == ALL;
            }
        }
        const size_t in_page = to % 4096;
        to += test_long()                               ? 1
              : in_page < 128 && file == 1 && to < 9000 ? 3
                                                        : 331;
        if (to > len) to = len;
    }
    image.len[file] = len;
    image_put(&image, folder, true);
    assert_int_equal(look(folder, true), ALL);
    assert_true(said > 0);
    // Of a log, the end of the last frame is the end of what is needed; of a
    // file there is little behind it.
    assert_true(all < len / 2);
    image_free(&image);
    folder_remove(folder);
}

static void cut_log_anywhere(void **state)
{
    (void)state;
    cut(false, 1);
}

static void cut_file_anywhere(void **state)
{
    (void)state;
    cut(false, 0);
    cut(true, 0);
}

static void flip(bool closed, int file, size_t rounds)
{
    struct image image = image_make(closed);
    char *folder = folder_make();
    uint64_t dice = 88172645463325252u;
    size_t said = 0, all = 0;
    const size_t bits = image.len[file] * 8;
    if (test_long()) rounds = bits / 3;
    for (size_t i = 0; i < rounds; i++) {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        // All of the first page's head, then anywhere.
        const size_t bit = test_long() ? i * 3 % bits
                           : i < 200   ? i * 4
                                       : dice % bits;
        image.bytes[file][bit / 8] ^= (uint8_t)(1 << bit % 8);
        image_put(&image, folder, true);
        const enum found found = look(folder, true);
        if (found == FEWER) fail_msg("bit %zu: lost without a word", bit);
        said += found == SAID;
        all += found == ALL;
        image.bytes[file][bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    // Some bits mean nothing; most do.
    assert_true(said > 0);
    assert_true(file == 2 || all > 0);
    image_free(&image);
    folder_remove(folder);
}

static void flip_a_bit_of_the_log(void **state)
{
    (void)state;
    flip(false, 1, test_rounds(1500));
}

static void flip_a_bit_of_the_file(void **state)
{
    (void)state;
    flip(false, 0, test_rounds(1500));
    flip(true, 0, test_rounds(1500));
}

/* A mark that is not whole is none: the journal is what it says itself. */
static void flip_a_bit_of_the_mark(void **state)
{
    (void)state;
    struct image image = image_make(false);
    char *folder = folder_make();
    for (size_t bit = 0; bit < image.len[2] * 8; bit++) {
        image.bytes[2][bit / 8] ^= (uint8_t)(1 << bit % 8);
        image_put(&image, folder, true);
        assert_int_equal(look(folder, true), ALL);
        image.bytes[2][bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    image_free(&image);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_disk_at_every_write),
        cmocka_unit_test(full_disk_for_long_still_reads),
        cmocka_unit_test(disk_fails_at_any_write),
        cmocka_unit_test(disk_fails_at_any_sync),
        cmocka_unit_test(disk_takes_no_mark),
        cmocka_unit_test(open_on_a_failing_disk),
        cmocka_unit_test(power_is_cut_at_any_call),
        cmocka_unit_test(power_is_cut_again_and_again),
        cmocka_unit_test(only_reading_needs_no_writing),
        cmocka_unit_test(cut_log_is_left_alone),
        cmocka_unit_test(cut_log_anywhere),
        cmocka_unit_test(cut_file_anywhere),
        cmocka_unit_test(flip_a_bit_of_the_log),
        cmocka_unit_test(flip_a_bit_of_the_file),
        cmocka_unit_test(flip_a_bit_of_the_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
