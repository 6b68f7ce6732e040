/* Tracks: fixes in files by hour.
 *
 * Plan
 *   keeps_*    what was written is there after a start, with a note or without,
 *              and whatever was cut off behind it
 *   forgets_*  hours older than the retention are gone, at once and whole;
 *              a retention of nothing keeps nothing
 *   fault_*    an allocation that fails loses nothing that was written
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "tests/folder.h"
#include "web/server/tracks.h"

#define NOW_S INT64_C(1687795200)  // 2023-06-26T16:00:00Z
#define DAY_S INT64_C(86400)
#define PEOPLE 50

static char city[512];

static int make_folder(void **state)
{
    (void)state;
    return test_folder("onemap-tracks", city, sizeof city) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", city);
    return system(command);
}

/* The newest fix of everybody as tracks hand them over. */
struct found {
    struct om__track_fix last[PEOPLE];
    size_t fixes;
};

static void see(void *ctx, const struct om__track_fix *fix)
{
    struct found *found = ctx;
    assert_in_range(fix->who, 1, PEOPLE - 1);
    struct om__track_fix *last = &found->last[fix->who];
    found->fixes++;
    if (fix->at_s >= last->at_s) *last = *fix;
}

static struct om__tracks *open_at(int64_t now_s, struct found *found)
{
    struct om__tracks *t = NULL;
    struct om_err err = {0};
    memset(found, 0, sizeof *found);
    if (om__tracks_open(city, 2 * DAY_S, now_s, see, found, &t, &err))
        fail_msg("%s", err.text);
    return t;
}

static uint64_t dice(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static struct om__track_fix fix_of(uint64_t *seed, int64_t from_s, int64_t to_s)
{
    return (struct om__track_fix){
        1 + dice(seed) % (PEOPLE - 1),
        from_s + (int64_t)(dice(seed) % (uint64_t)(to_s - from_s)),
        (uint32_t)dice(seed), (uint32_t)dice(seed)};
}

/* Files of tracks, and their bytes. */
static size_t files(uint64_t *bytes)
{
    char path[600];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/tracks", city);
    DIR *dir = opendir(path);
    *bytes = 0;
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        struct stat s;
        if (!strstr(e->d_name, ".fixes")) continue;
        assert_int_equal(fstatat(dirfd(dir), e->d_name, &s, 0), 0);
        *bytes += (uint64_t)s.st_size;
        n++;
    }
    if (dir) closedir(dir);
    return n;
}

static void keeps_the_newest_of_everybody(void **state)
{
    (void)state;
    struct found found, expected = {0};
    uint64_t seed = 3, bytes;
    size_t written = 0;
    for (int life = 0; life < 8; life++) {
        struct om__tracks *t = open_at(NOW_S, &found);
        assert_memory_equal(found.last, expected.last, sizeof found.last);
        for (int i = 0; i < 300; i++, written++) {
            const struct om__track_fix fix =
                fix_of(&seed, NOW_S - DAY_S, NOW_S);
            assert_int_equal(om__tracks_add(t, &fix), OM_OK);
            see(&expected, &fix);
            if (i % 50) continue;
            assert_int_equal(om__tracks_write(t, NOW_S, NULL, 0, NULL), OM_OK);
        }
        assert_int_equal(om__tracks_write(t, NOW_S, NULL, 0, NULL), OM_OK);
        om__tracks_close(t);
        files(&bytes);
        assert_int_equal(bytes, written * sizeof(struct om__track_fix));
    }
}

static void keeps_what_is_before_what_was_cut_off(void **state)
{
    (void)state;
    struct found found, again;
    struct om__track_fix fix = {7, NOW_S - 10, 1, 2};
    struct om__tracks *t = open_at(NOW_S, &found);
    assert_int_equal(om__tracks_add(t, &fix), OM_OK);
    assert_int_equal(om__tracks_write(t, NOW_S, NULL, 0, NULL), OM_OK);
    om__tracks_close(t);
    char path[600];
    snprintf(path, sizeof path, "%s/tracks/2023062615.fixes", city);
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    for (off_t cut = 1; cut < 24; cut += 7) {
        assert_int_equal(truncate(path, s.st_size + cut), 0);
        t = open_at(NOW_S, &again);
        assert_int_equal(again.last[7].at_s, NOW_S - 10);
        assert_int_equal(again.last[7].x, 1);
        // The next one is whole again.
        fix.at_s = NOW_S - 9;
        fix.x = (uint32_t)cut;
        assert_int_equal(om__tracks_add(t, &fix), OM_OK);
        assert_int_equal(om__tracks_write(t, NOW_S, NULL, 0, NULL), OM_OK);
        om__tracks_close(t);
        om__tracks_close(open_at(NOW_S, &again));
        assert_int_equal(again.last[7].x, cut);
        assert_int_equal(stat(path, &s), 0);
        assert_int_equal(s.st_size % 24, 0);
        fix.at_s = NOW_S - 10;
        fix.x = 1;
        again.last[7].at_s = 0;
        assert_int_equal(truncate(path, s.st_size - 24), 0);
        assert_int_equal(stat(path, &s), 0);
    }
}

static void keeps_on_from_a_note_and_without_one(void **state)
{
    (void)state;
    struct found found, with, without;
    uint64_t seed = 17;
    struct om__tracks *t = open_at(NOW_S, &found);
    char path[600];
    snprintf(path, sizeof path, "%s/tracks/last", city);
    for (int i = 0; i < 200; i++) {
        const struct om__track_fix fix = fix_of(&seed, NOW_S - DAY_S, NOW_S);
        assert_int_equal(om__tracks_add(t, &fix), OM_OK);
        see(&found, &fix);
    }
    size_t people = 0;
    for (int i = 1; i < PEOPLE; i++) people += found.last[i].at_s != 0;
    om__tracks_due(t);
    assert_int_equal(om__tracks_write(t, NOW_S, found.last + 1, PEOPLE - 1,
                                      NULL),
                     OM_OK);
    for (int i = 0; i < 20; i++) {
        const struct om__track_fix fix = fix_of(&seed, NOW_S - DAY_S, NOW_S);
        assert_int_equal(om__tracks_add(t, &fix), OM_OK);
        see(&found, &fix);
    }
    assert_int_equal(om__tracks_write(t, NOW_S, NULL, 0, NULL), OM_OK);
    om__tracks_close(t);
    om__tracks_close(open_at(NOW_S, &with));
    assert_memory_equal(with.last, found.last, sizeof found.last);
    // Only what came after the note was read again.
    assert_int_equal(with.fixes, people + 20);
    // A note that was damaged is as good as none.
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    fseek(f, 60, SEEK_SET);
    fputc(99, f);
    fclose(f);
    om__tracks_close(open_at(NOW_S, &without));
    assert_memory_equal(without.last, found.last, sizeof found.last);
    assert_true(without.fixes > with.fixes);
}

static void forgets_hours_that_are_too_old(void **state)
{
    (void)state;
    struct found found;
    uint64_t bytes, seed = 5;
    struct om__tracks *t = open_at(NOW_S, &found);
    for (int64_t h = 0; h < 60; h++) {
        const struct om__track_fix fix =
            fix_of(&seed, NOW_S + h * 3600, NOW_S + h * 3600 + 3600);
        assert_int_equal(om__tracks_add(t, &fix), OM_OK);
    }
    assert_int_equal(om__tracks_write(t, NOW_S, NULL, 0, NULL), OM_OK);
    const int64_t later_s = NOW_S + 60 * 3600;
    om__tracks_due(t);
    assert_int_equal(om__tracks_write(t, later_s, NULL, 0, NULL), OM_OK);
    assert_int_equal(files(&bytes), 48);
    om__tracks_close(t);
    // At a start, too, and nothing older is handed over.
    t = open_at(later_s + 30 * 3600 + 1800, &found);
    assert_int_equal(files(&bytes), 18);
    for (int i = 1; i < PEOPLE; i++)
        assert_true(!found.last[i].at_s ||
                    found.last[i].at_s >
                        later_s + 30 * 3600 + 1800 - 2 * DAY_S);
    // What comes too late is not written at all.
    const struct om__track_fix old = {1, NOW_S, 1, 1};
    assert_int_equal(om__tracks_add(t, &old), OM_OK);
    assert_int_equal(om__tracks_write(t, later_s + 30 * 3600, NULL, 0, NULL),
                     OM_OK);
    assert_int_equal(files(&bytes), 18);
    om__tracks_close(t);
    struct om_err err = {0};
    assert_int_equal(om__tracks_open(city, 0, later_s, see, &found, &t, &err),
                     OM_OK);
    assert_int_equal(files(&bytes), 0);
    assert_int_equal(om__tracks_add(t, &old), OM_OK);
    assert_int_equal(om__tracks_write(t, later_s, NULL, 0, NULL), OM_OK);
    assert_int_equal(files(&bytes), 0);
    om__tracks_close(t);
}

static void fault_tracks(void **state)
{
    (void)state;
    struct found found;
    uint64_t seed = 23;
    const size_t live = om_alloc_live();
    for (size_t n = 1; n < 30; n++) {
        struct om__tracks *t = NULL;
        struct om_err err = {0};
        size_t kept = 0;
        const struct om__track_fix fix = fix_of(&seed, NOW_S - 3600, NOW_S);
        memset(&found, 0, sizeof found);
        om_alloc_fail_after(n, false);
        om_status st =
            om__tracks_open(city, 2 * DAY_S, NOW_S, see, &found, &t, &err);
        if (!st) st = om__tracks_add(t, &fix);
        if (!st) {
            kept = 1;
            st = om__tracks_write(t, NOW_S, NULL, 0, &err);
        }
        om_alloc_fail_after(0, false);
        // What could not be written goes out with the next.
        if (kept)
            assert_int_equal(om__tracks_write(t, NOW_S, NULL, 0, &err), OM_OK);
        om__tracks_close(t);
        assert_int_equal(om_alloc_live(), live);
        om__tracks_close(open_at(NOW_S, &found));
        if (kept) assert_true(found.last[fix.who].at_s >= fix.at_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_the_newest_of_everybody,
                                        make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(keeps_what_is_before_what_was_cut_off,
                                        make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(keeps_on_from_a_note_and_without_one,
                                        make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(forgets_hours_that_are_too_old,
                                        make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(fault_tracks, make_folder, drop_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
