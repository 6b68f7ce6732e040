// Plan
//   round_*   what was written is found sound
//   fault_*   a byte, a file less, a file more, a link: each is told by name
//   whole_*   a folder appears whole, is swapped whole, and never half
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// cmocka wants the headers above first
#include <cmocka.h>

#include "data/base/file.h"
#include "data/city/sums.h"
#include "data/city/whole.h"
#include "tests/folder.h"

struct place {
    char dir[64], folder[96];
};

static void put(const char *folder, const char *name, const char *text)
{
    char path[4096];
    assert_int_equal(om_path_join(path, sizeof path, folder, name), OM_OK);
    assert_int_equal(om_file_write_whole(path, text, strlen(text), NULL),
                     OM_OK);
}

static int begin(void **state)
{
    static struct place p;
    char path[4096];
    if (!test_folder("onemap-sums", p.dir, sizeof p.dir)) return -1;
    snprintf(p.folder, sizeof p.folder, "%s/city", p.dir);
    snprintf(path, sizeof path, "%s/layers", p.folder);
    if (om_folder_make(path, NULL)) return -1;
    put(p.folder, "city.json", "{}");
    put(p.folder, "layers/b.seg", "bytes");
    put(p.folder, "layers/a.seg", "");
    *state = &p;
    return 0;
}

static int end(void **state)
{
    const struct place *p = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    return system(command);
}

static void sound(const struct place *p)
{
    bool there;
    struct om_err err = {0};
    assert_int_equal(om_sums_check(p->folder, &there, &err), OM_OK);
    assert_true(there);
}

static void damaged(const struct place *p, const char *name, const char *why)
{
    bool there;
    struct om_err err = {0};
    assert_int_equal(om_sums_check(p->folder, &there, &err), OM_E_DAMAGED);
    assert_non_null(strstr(err.text, name));
    assert_non_null(strstr(err.text, why));
}

static void round_what_was_written_is_sound(void **state)
{
    const struct place *p = *state;
    bool there = true;
    uint64_t first, second;
    char command[200];
    assert_int_equal(om_sums_check(p->folder, &there, NULL), OM_OK);
    assert_false(there);
    assert_int_equal(om_sums_write(p->folder, &first, NULL), OM_OK);
    sound(p);
    // The program that everybody has agrees.
    snprintf(command, sizeof command,
             "cd %s && sha256sum --quiet --strict -c checksums.txt", p->folder);
    assert_int_equal(system(command), 0);
    put(p->folder, ".lock", "");  // of a process, not of the city
    sound(p);
    assert_int_equal(om_sums_write(p->folder, &second, NULL), OM_OK);
    assert_true(first == second);
    put(p->folder, "city.json", "[]");
    assert_int_equal(om_sums_write(p->folder, &second, NULL), OM_OK);
    assert_true(first != second);
}

static void fault_every_change_is_told_by_name(void **state)
{
    const struct place *p = *state;
    char path[4096];
    assert_int_equal(om_sums_write(p->folder, NULL, NULL), OM_OK);
    put(p->folder, "layers/b.seg", "bytez");
    damaged(p, "layers/b.seg", "not what was written");
    snprintf(path, sizeof path, "%s/layers/b.seg", p->folder);
    assert_int_equal(unlink(path), 0);
    damaged(p, "layers/b.seg", "missing");
    put(p->folder, "layers/b.seg", "bytes");
    sound(p);
    put(p->folder, "layers/aa.seg", "more");
    damaged(p, "layers/aa.seg", "not named");
    put(p->folder, "zz", "more");
    damaged(p, "layers/aa.seg", "not named");
    snprintf(path, sizeof path, "%s/layers/aa.seg", p->folder);
    assert_int_equal(unlink(path), 0);
    damaged(p, "zz", "not named");
    snprintf(path, sizeof path, "%s/city.json", p->folder);
    assert_int_equal(unlink(path), 0);
    damaged(p, "city.json", "missing");
}

static void fault_a_link_is_refused(void **state)
{
    const struct place *p = *state;
    char path[4096];
    snprintf(path, sizeof path, "%s/layers/link", p->folder);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_int_equal(om_sums_write(p->folder, NULL, NULL), OM_E_FORMAT);
}

static bool has(const char *folder, const char *name)
{
    char path[4096];
    return !om_path_join(path, sizeof path, folder, name) &&
           om_file_exists(path);
}

static void whole_appears_and_is_swapped(void **state)
{
    const struct place *p = *state;
    struct om_whole w;
    char out[128];
    snprintf(out, sizeof out, "%s/out", p->dir);
    assert_int_equal(om_whole_begin(out, "new", &w, NULL), OM_OK);
    put(w.folder, "one", "1");
    assert_false(om_file_exists(out));
    // Nobody else works there meanwhile.
    struct om_whole other;
    assert_int_equal(om_whole_begin(out, "new", &other, NULL), OM_E_BUSY);
    om_whole_end(&other);
    assert_true(has(w.folder, "one"));
    assert_int_equal(om_whole_commit(&w, false, NULL), OM_OK);
    om_whole_end(&w);
    assert_true(has(out, "one"));

    assert_int_equal(om_whole_begin(out, "new", &w, NULL), OM_OK);
    put(w.folder, "two", "2");
    assert_int_equal(om_whole_commit(&w, false, NULL), OM_E_EXISTS);
    assert_true(has(out, "one"));
    assert_int_equal(om_whole_commit(&w, true, NULL), OM_OK);
    om_whole_end(&w);
    assert_true(has(out, "two"));
    assert_false(has(out, "one"));
    assert_false(om_file_exists(w.folder));
}

static void whole_given_up_leaves_nothing(void **state)
{
    const struct place *p = *state;
    struct om_whole w;
    char out[128];
    snprintf(out, sizeof out, "%s/out", p->dir);
    assert_int_equal(om_whole_begin(out, "new", &w, NULL), OM_OK);
    put(w.folder, "one", "1");
    om_whole_end(&w);
    assert_false(om_file_exists(w.folder));
    assert_false(om_file_exists(out));
    // What a process that died has left does not get into the next one.
    assert_int_equal(om_folder_make(w.folder, NULL), OM_OK);
    put(w.folder, "left", "x");
    assert_int_equal(om_whole_begin(out, "new", &w, NULL), OM_OK);
    assert_false(has(w.folder, "left"));
    om_whole_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_what_was_written_is_sound, begin,
                                        end),
        cmocka_unit_test_setup_teardown(fault_every_change_is_told_by_name,
                                        begin, end),
        cmocka_unit_test_setup_teardown(fault_a_link_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(whole_appears_and_is_swapped, begin,
                                        end),
        cmocka_unit_test_setup_teardown(whole_given_up_leaves_nothing, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
