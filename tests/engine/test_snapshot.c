/* A city as its readers see it.
 *
 * Plan
 *   open_*      what is refused, with which word
 *   lacks_*     a layer that cannot be opened is withheld beside others
 *   refresh_*   a commit is seen; those who hold the old snapshot keep it
 *   some_*      a snapshot of some layers holds these and no others open
 *   fault_*     an allocation fails: a status comes back, nothing leaks
 */
#include "engine/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "engine/layer/build.h"
#include "tests/folder.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    return test_folder("onemap-snapshot", folder, sizeof folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static struct om_schema id_only(void)
{
    struct om_schema schema = {
        .geometry = OM_GEOMETRY_POINT, .count = 1, .time_field = OM_NO_FIELD};
    snprintf(schema.field[0].name, sizeof schema.field[0].name, "id");
    return schema;
}

/* A segment of `rows` points called 0, 1, 2 ... */
static void write_segment(const char *file, size_t rows)
{
    struct om_schema schema = id_only();
    struct om_builder *builder = NULL;
    char path[256], bytes[4096];
    struct om_pos pos[512];
    uint64_t source_row[512];
    uint32_t offset[513] = {0};
    for (size_t i = 0; i < rows; i++) {
        pos[i] = (struct om_pos){(uint32_t)(i * 7919), (uint32_t)(i * 104729)};
        source_row[i] = i + 1;
        offset[i + 1] =
            offset[i] + (uint32_t)sprintf(bytes + offset[i], "%zu", i);
    }
    struct om_batch_column column = {.offset = offset, .bytes = bytes};
    struct om_batch batch = {
        .rows = rows, .source_row = source_row, .pos = pos, .column = &column};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_int_equal(om_builder_new(&schema, &builder), OM_OK);
    assert_int_equal(om_builder_add(builder, &batch), OM_OK);
    assert_int_equal(om_builder_write(builder, path, NULL, NULL), OM_OK);
    om_builder_free(builder);
}

static void commit(uint64_t sequence, const char *file, size_t rows,
                   const char *column)
{
    char text[1024], path[256];
    snprintf(path, sizeof path, "%s/city.json", folder);
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":%llu,\"layers\":[{\"name\":\"point\","
             "\"columns\":[{\"name\":\"%s\",\"type\":\"text\"}],\"id\":\"%s\","
             "\"parts\":[{\"file\":\"%s\",\"rows\":%zu}]}]}",
             (unsigned long long)sequence, column, column, file, rows);
    assert_int_equal(om_file_write_whole(path, text, strlen(text), NULL),
                     OM_OK);
}

static void open_refuses_what_does_not_agree(void **state)
{
    (void)state;
    struct om_city *city = NULL;
    struct om_err err = {0};
    assert_int_equal(om_city_open("/nowhere", &city, &err), OM_E_NOTFOUND);
    write_segment("a.seg", 10);
    commit(1, "a.seg", 11, "id");
    assert_int_equal(om_city_open(folder, &city, &err), OM_E_DAMAGED);
    assert_non_null(strstr(err.text, "a.seg has 10 rows"));
    commit(1, "a.seg", 10, "name");
    assert_int_equal(om_city_open(folder, &city, &err), OM_E_DAMAGED);
    commit(1, "b.seg", 10, "id");
    assert_int_equal(om_city_open(folder, &city, &err), OM_E_NOTFOUND);
}

static void refresh_swaps_and_keeps_what_is_held(void **state)
{
    (void)state;
    struct om_city *city = NULL;
    bool changed;
    write_segment("a.seg", 10);
    write_segment("b.seg", 300);
    commit(1, "a.seg", 10, "id");
    assert_int_equal(om_city_open(folder, &city, NULL), OM_OK);
    struct om_snapshot *held = om_city_snapshot(city);
    assert_int_equal(om_city_refresh(city, &changed, NULL), OM_OK);
    assert_false(changed);

    commit(2, "b.seg", 300, "id");
    char path[256];
    snprintf(path, sizeof path, "%s/a.seg", folder);
    unlink(path);  // as the next writer would
    assert_int_equal(om_city_refresh(city, &changed, NULL), OM_OK);
    assert_true(changed);
    struct om_snapshot *fresh = om_city_snapshot(city);
    const struct om_layer *old_layer = om_snapshot_layer(held, "point");
    const struct om_layer *new_layer = om_snapshot_layer(fresh, "point");
    assert_int_equal(old_layer->rows, 10);
    assert_int_equal(new_layer->rows, 300);
    assert_int_not_equal(old_layer->serial, new_layer->serial);
    const uint64_t *key;
    assert_int_equal(om_segment_keys(old_layer->part[0].segment, 0, 10, &key),
                     OM_OK);

    // Another commit that keeps the file keeps the segment and its serial.
    commit(3, "b.seg", 300, "id");
    assert_int_equal(om_city_refresh(city, &changed, NULL), OM_OK);
    assert_true(changed);
    struct om_snapshot *same = om_city_snapshot(city);
    assert_int_equal(om_snapshot_layer(same, "point")->serial,
                     new_layer->serial);
    assert_ptr_equal(om_snapshot_layer(same, "point")->part[0].segment,
                     new_layer->part[0].segment);
    om_snapshot_unref(same);
    om_snapshot_unref(fresh);
    om_snapshot_unref(held);
    om_city_close(city);
}

static void some_layers_are_held_without_the_others(void **state)
{
    (void)state;
    static const char *const point[] = {"nowhere", "point"};
    struct om_city *city = NULL;
    struct om_snapshot *some = NULL, *none = NULL;
    write_segment("a.seg", 10);
    write_segment("b.seg", 300);
    commit(1, "a.seg", 10, "id");
    const size_t before = om_alloc_live();
    assert_int_equal(om_city_open(folder, &city, NULL), OM_OK);
    struct om_snapshot *whole = om_city_snapshot(city);
    struct om_segment *segment =
        om_snapshot_layer(whole, "point")->part[0].segment;
    assert_int_equal(om_snapshot_some(whole, point, 2, &some), OM_OK);
    assert_int_equal(om_snapshot_some(whole, NULL, 0, &none), OM_OK);
    assert_true(some->layers == 1 && none->layers == 0);
    assert_int_equal(some->sequence, whole->sequence);
    assert_ptr_equal(some->manifest, whole->manifest);
    const struct om_layer *layer = om_snapshot_layer(some, "point");
    assert_ptr_equal(layer->part[0].segment, segment);
    assert_int_equal(layer->serial, om_snapshot_layer(whole, "point")->serial);
    // Some of some, and of those that are none of them.
    struct om_snapshot *of_some, *of_none;
    assert_int_equal(om_snapshot_some(some, point, 2, &of_some), OM_OK);
    assert_int_equal(om_snapshot_some(none, point, 2, &of_none), OM_OK);
    assert_int_equal(of_some->layers, 1);
    assert_int_equal(of_none->layers, 0);
    om_snapshot_unref(of_some);
    om_snapshot_unref(of_none);
    // The file is open as long as one who has the layer holds it, and no
    // longer: whoever has others does not count.
    om_snapshot_unref(whole);
    commit(2, "b.seg", 300, "id");
    assert_int_equal(om_city_refresh(city, NULL, NULL), OM_OK);
    const uint64_t *key;
    assert_int_equal(om_segment_keys(segment, 0, 10, &key), OM_OK);
    const size_t held = om_alloc_live();
    om_snapshot_unref(some);
    assert_true(om_alloc_live() < held);
    om_snapshot_unref(none);
    om_city_close(city);
    assert_int_equal(om_alloc_live(), before);
}

static void refresh_keeps_the_old_city_when_the_new_one_is_bad(void **state)
{
    (void)state;
    struct om_city *city = NULL;
    bool changed;
    write_segment("a.seg", 10);
    commit(1, "a.seg", 10, "id");
    assert_int_equal(om_city_open(folder, &city, NULL), OM_OK);
    commit(2, "missing.seg", 10, "id");
    assert_int_equal(om_city_refresh(city, &changed, NULL), OM_E_NOTFOUND);
    assert_false(changed);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    assert_int_equal(snapshot->sequence, 1);
    om_snapshot_unref(snapshot);
    om_city_close(city);
}

/* Layers "point" of a.seg and "other" of a file that need not be there. */
static void commit_two(uint64_t sequence, const char *other)
{
    char text[1024], path[256];
    snprintf(path, sizeof path, "%s/city.json", folder);
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":%llu,\"layers\":["
             "{\"name\":\"other\",\"columns\":[{\"name\":\"id\","
             "\"type\":\"text\"}],"
             "\"parts\":[{\"file\":\"%s\",\"rows\":20}]},"
             "{\"name\":\"point\",\"columns\":[{\"name\":\"id\","
             "\"type\":\"text\"}],"
             "\"parts\":[{\"file\":\"a.seg\",\"rows\":10}]}]}",
             (unsigned long long)sequence, other);
    assert_int_equal(om_file_write_whole(path, text, strlen(text), NULL),
                     OM_OK);
}

static void lacks_one_layer_and_serves_the_other(void **state)
{
    (void)state;
    struct om_city *city = NULL;
    struct om_err err = {0};
    bool changed;
    const size_t before = om_alloc_live();
    write_segment("a.seg", 10);
    write_segment("c.seg", 20);
    commit_two(1, "missing.seg");
    assert_int_equal(om_city_open(folder, &city, &err), OM_OK);
    struct om_snapshot *s = om_city_snapshot(city);
    assert_int_equal(s->layers, 1);
    assert_int_equal(s->withheld, 1);
    assert_string_equal(s->held_back[0].meta->name, "other");
    assert_null(om_snapshot_layer(s, "other"));
    assert_int_equal(om_snapshot_layer(s, "point")->rows, 10);
    assert_int_equal(om_snapshot_lacks(s, "other", &err), OM_E_WITHHELD);
    // Where it is for whoever keeps the city, and nothing of the machine.
    assert_non_null(strstr(err.text, "missing.seg"));
    assert_null(strstr(err.text, folder));
    assert_int_equal(om_snapshot_lacks(s, "none", &err), OM_E_NOTFOUND);
    // A part of it has the layer that is there.
    const char *names[] = {"point", "other"};
    struct om_snapshot *some = NULL;
    assert_int_equal(om_snapshot_some(s, names, 2, &some), OM_OK);
    assert_int_equal(some->layers, 1);
    assert_int_equal(some->layer[0].rows, 10);
    om_snapshot_unref(some);

    commit_two(2, "c.seg");
    assert_int_equal(om_city_refresh(city, &changed, &err), OM_OK);
    assert_true(changed);
    struct om_snapshot *mended = om_city_snapshot(city);
    assert_int_equal(mended->withheld, 0);
    assert_int_equal(om_snapshot_layer(mended, "other")->rows, 20);
    // What was had once is not given up for what cannot be opened.
    commit_two(3, "missing.seg");
    assert_int_equal(om_city_refresh(city, &changed, &err), OM_E_NOTFOUND);
    om_snapshot_unref(mended);
    mended = om_city_snapshot(city);
    assert_int_equal(om_snapshot_layer(mended, "other")->rows, 20);
    om_snapshot_unref(mended);
    assert_int_equal(s->withheld, 1);
    om_snapshot_unref(s);
    om_city_close(city);
    assert_int_equal(om_alloc_live(), before);
}

static void lacks_without_memory(void **state)
{
    (void)state;
    write_segment("a.seg", 10);
    commit_two(1, "missing.seg");
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_city *city = NULL;
        om_alloc_fail_after(n, false);
        const om_status st = om_city_open(folder, &city, NULL);
        om_alloc_fail_after(0, false);
        if (!st) om_city_close(city);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
    }
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    write_segment("a.seg", 10);
    commit(1, "a.seg", 10, "id");
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_city *city = NULL;
        om_alloc_fail_after(n, false);
        const om_status st = om_city_open(folder, &city, NULL);
        om_alloc_fail_after(0, false);
        if (!st) om_city_close(city);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_refuses_what_does_not_agree),
        cmocka_unit_test(refresh_swaps_and_keeps_what_is_held),
        cmocka_unit_test(some_layers_are_held_without_the_others),
        cmocka_unit_test(refresh_keeps_the_old_city_when_the_new_one_is_bad),
        cmocka_unit_test(lacks_one_layer_and_serves_the_other),
        cmocka_unit_test(lacks_without_memory),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
