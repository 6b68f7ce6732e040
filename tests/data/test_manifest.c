/* city.json.
 *
 * Plan
 *   round_*    what is written is read again, and what this version does not
 *              know survives
 *   name_*     which names may become files and addresses
 *   error_*    every way a document can be wrong has its sentence
 *   happened_* which times must not be after the clock
 *   lock_*     one writer at a time
 *   fault_*    an allocation fails: a status comes back, nothing leaks
 */
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
#include "data/city/manifest.h"
#include "tests/folder.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    return test_folder("onemap-manifest", folder, sizeof folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[256];
    for (const char *const *name =
             (const char *const[]){"city.json", ".lock", NULL};
         *name; name++) {
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        unlink(path);
    }
    return rmdir(folder);
}

static void put(const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/city.json", folder);
    assert_int_equal(om_file_write_whole(path, text, strlen(text), NULL),
                     OM_OK);
}

static const char FULL[] =
    "{\"onemap\":1,\"name\":\"东莞(合成)\",\"synthetic\":true,\"zone\":\"+08:"
    "00\","
    "\"clock\":\"2023-06-26T24:00:00+08:00\",\"sequence\":4,"
    "\"levels\":[\"grid\",\"town\"],\"duty\":{\"strict\":3},"
    "\"layers\":[{\"name\":\"address\",\"title\":\"标准地址\",\"geometry\":"
    "\"point\","
    "\"id\":\"id\",\"time\":\"at\",\"note\":\"kept\",\"columns\":["
    "{\"name\":\"id\",\"type\":\"text\"},{\"name\":\"at\",\"type\":\"time\"}],"
    "\"parts\":[{\"file\":\"layers/address-4.seg\",\"units\":\"layers/"
    "a.units\",\"rows\":12}]}]}";

static void assert_is_full(const struct om_manifest *m)
{
    assert_string_equal(m->name, "东莞(合成)");
    assert_true(m->synthetic);
    assert_int_equal(m->zone_s, 8 * 3600);
    assert_int_equal(m->clock_s, 1687795200);  // 2023-06-26T16:00:00Z
    assert_int_equal(m->sequence, 4);
    assert_int_equal(m->levels, 2);
    assert_string_equal(m->level[1], "town");
    assert_int_equal(m->layers, 1);
    const struct om_manifest_layer *layer = om_manifest_find(m, "address");
    assert_non_null(layer);
    assert_string_equal(layer->title, "标准地址");
    assert_int_equal(layer->schema.count, 2);
    assert_int_equal(layer->schema.id_field, 0);
    assert_int_equal(layer->schema.time_field, 1);
    assert_int_equal(layer->schema.field[1].type, OM_TYPE_TIME);
    assert_int_equal(layer->parts, 1);
    assert_string_equal(layer->part[0].file, "layers/address-4.seg");
    assert_string_equal(layer->part[0].units_file, "layers/a.units");
    assert_int_equal(layer->part[0].rows, 12);
}

static void round_trip_keeps_all(void **state)
{
    (void)state;
    struct om_manifest m;
    struct om_err err = {0};
    put(FULL);
    assert_int_equal(om_manifest_read(folder, &m, &err), OM_OK);
    assert_is_full(&m);
    assert_int_equal(om_manifest_write(folder, &m, &err), OM_OK);
    om_manifest_deinit(&m);
    assert_int_equal(om_manifest_read(folder, &m, &err), OM_OK);
    assert_is_full(&m);
    om_manifest_deinit(&m);
}

static void round_trip_keeps_what_it_does_not_know(void **state)
{
    (void)state;
    struct om_manifest m;
    put(FULL);
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    assert_non_null(om_manifest_add(&m, "tip"));
    assert_int_equal(om_manifest_write(folder, &m, NULL), OM_OK);
    om_manifest_deinit(&m);
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    assert_int_equal(
        om_json_integer(om_json_get(om_json_get(m.document, "duty"), "strict"),
                        0),
        3);
    const struct om_json *layer =
        om_json_at(om_json_get(m.document, "layers"), 0);
    assert_string_equal(om_json_text(om_json_get(layer, "note"), ""), "kept");
    assert_non_null(om_manifest_find(&m, "tip"));
    om_manifest_deinit(&m);
}

/* A city of before journals: nothing of it is refused, and it stays as it was
 * until there is something that an older program would pass over. */
static void older_city_reads_and_writes_as_it_was(void **state)
{
    (void)state;
    struct om_manifest m;
    put(FULL);
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    assert_int_equal(m.layer[0].applied, 0);
    assert_int_equal(m.layer[0].base_commit, 4);  // the newest there can be
    assert_string_equal(m.layer[0].part[0].dead_file, "");
    assert_int_equal(m.layer[0].part[0].dead, 0);
    assert_int_equal(om_manifest_write(folder, &m, NULL), OM_OK);
    om_manifest_deinit(&m);
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    assert_int_equal(om_json_integer(om_json_get(m.document, "onemap"), 0), 1);
    om_manifest_deinit(&m);
}

static void journal_members_come_back(void **state)
{
    (void)state;
    struct om_manifest m;
    put(FULL);
    for (int dead = 0; dead < 2; dead++) {
        assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
        m.sequence = 9;
        m.layer[0].applied = 4711;
        m.layer[0].base_commit = 3;
        snprintf(m.layer[0].part[0].dead_file,
                 sizeof m.layer[0].part[0].dead_file, "%s",
                 dead ? "layers/address-9-0.dead" : "");
        m.layer[0].part[0].dead = dead ? 5 : 0;
        assert_int_equal(om_manifest_write(folder, &m, NULL), OM_OK);
        om_manifest_deinit(&m);
        assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
        assert_int_equal(om_json_integer(om_json_get(m.document, "onemap"), 0),
                         2);
        assert_int_equal(m.layer[0].applied, 4711);
        assert_int_equal(m.layer[0].base_commit, 3);
        assert_string_equal(m.layer[0].part[0].dead_file,
                            dead ? "layers/address-9-0.dead" : "");
        assert_int_equal(m.layer[0].part[0].dead, dead ? 5 : 0);
        om_manifest_deinit(&m);
    }
    // The dead were buried by a compaction, and nothing is ahead of a journal.
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    m.layer[0].part[0].dead_file[0] = '\0';
    m.layer[0].applied = 0;
    assert_int_equal(om_manifest_write(folder, &m, NULL), OM_OK);
    om_manifest_deinit(&m);
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    assert_int_equal(om_json_integer(om_json_get(m.document, "onemap"), 0), 1);
    assert_int_equal(m.layer[0].applied, 0);
    assert_string_equal(m.layer[0].part[0].dead_file, "");
    om_manifest_deinit(&m);
}

static void name_becomes_a_file(void **state)
{
    (void)state;
    assert_true(om_manifest_name_ok("service_centre-2"));
    for (const char *const *bad =
             (const char *const[]){"", "a/b", "..", "a.b", "a b", "é", NULL};
         *bad; bad++)
        assert_false(om_manifest_name_ok(*bad));
    char longest[OM_LIMIT_NAME_BYTES + 1];
    memset(longest, 'a', sizeof longest);
    longest[OM_LIMIT_NAME_BYTES] = '\0';
    assert_false(om_manifest_name_ok(longest));
    longest[OM_LIMIT_NAME_BYTES - 1] = '\0';
    assert_true(om_manifest_name_ok(longest));
}

static void error_says_what_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        om_status status;
        const char *says;
    } CASE[] = {
        {"{\"onemap\":1", OM_E_FORMAT, "line 1"},
        {"[]", OM_E_FORMAT, "not an object"},
        {"{}", OM_E_VERSION, "version 0"},
        {"{\"onemap\":3}", OM_E_VERSION, "version 3"},
        {"{\"onemap\":1,\"zone\":\"east\"}", OM_E_FORMAT, "zone"},
        {"{\"onemap\":1,\"clock\":\"soon\"}", OM_E_FORMAT, "clock"},
        {"{\"onemap\":1,\"layers\":[{\"name\":\"../x\"}]}", OM_E_FORMAT,
         "../x"},
        {"{\"onemap\":1,\"layers\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
         OM_E_FORMAT, "two layers"},
        {"{\"onemap\":1,\"layers\":[{\"name\":\"a\",\"geometry\":\"blob\"}]}",
         OM_E_FORMAT, "blob"},
        {"{\"onemap\":1,\"layers\":[{\"name\":\"a\",\"columns\":[{\"name\":"
         "\"id\",\"type\":\"int\"}]}]}",
         OM_E_FORMAT, "int"},
        {"{\"onemap\":1,\"layers\":[{\"name\":\"a\",\"columns\":[{\"name\":"
         "\"b\",\"type\":\"text\"}]}]}",
         OM_E_FORMAT, "id"},
        {"{\"onemap\":1,\"layers\":[{\"name\":\"a\",\"parts\":[{\"file\":\"../"
         "../etc/passwd\",\"rows\":1}]}]}",
         OM_E_FORMAT, "bad file"},
        {"{\"onemap\":2,\"layers\":[{\"name\":\"a\",\"parts\":[{\"file\":\"a\","
         "\"rows\":3,\"dead\":\"b\",\"dead_rows\":4}]}]}",
         OM_E_FORMAT, "bad file or rows"},
        {"{\"onemap\":2,\"layers\":[{\"name\":\"a\",\"parts\":[{\"file\":\"a\","
         "\"rows\":3,\"dead\":\"b\"}]}]}",
         OM_E_FORMAT, "bad file or rows"},
        {"{\"onemap\":2,\"layers\":[{\"name\":\"a\",\"parts\":[{\"file\":\"a\","
         "\"rows\":3,\"dead\":\"/b\",\"dead_rows\":1}]}]}",
         OM_E_FORMAT, "bad file or rows"},
        {"{\"onemap\":2,\"layers\":[{\"name\":\"a\",\"applied\":-1}]}",
         OM_E_FORMAT, "applied"},
        {"{\"onemap\":2,\"layers\":[{\"name\":\"a\",\"base_commit\":\"x\"}]}",
         OM_E_FORMAT, "base_commit"},
        {"{\"onemap\":1,\"name\":\"a\",\"name\":\"b\"}", OM_E_FORMAT,
         "duplicate"},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        struct om_manifest m;
        struct om_err err = {0};
        put(CASE[i].text);
        assert_int_equal(om_manifest_read(folder, &m, &err), CASE[i].status);
        assert_non_null(strstr(err.text, CASE[i].says));
    }
    struct om_manifest m;
    assert_int_equal(om_manifest_read("/nowhere", &m, NULL), OM_E_NOTFOUND);
}

static void happened_are_the_time_and_the_steps(void **state)
{
    (void)state;
    static const char TEXT[] =
        "{\"onemap\":1,\"name\":\"a\",\"wall\":{\"loop\":{\"layer\":\"r\","
        "\"due\":\"due\",\"steps\":[{\"time\":\"at\"},{\"time\":\"done\"},"
        "{\"time\":\"state\"},{\"time\":\"none\"},{\"time\":7},{},4]}},"
        "\"layers\":[%s,%s,%s]}";
#define COLUMNS                                                                \
    "\"geometry\":\"point\",\"id\":\"id\",\"time\":\"at\",\"columns\":["       \
    "{\"name\":\"id\",\"type\":\"text\"},{\"name\":\"at\",\"type\":\"time\"}," \
    "{\"name\":\"due\",\"type\":\"time\"},{\"name\":\"done\",\"type\":"        \
    "\"time\"},"                                                               \
    "{\"name\":\"state\",\"type\":\"text\"}]}"
    char text[4096];
    snprintf(text, sizeof text, TEXT, "{\"name\":\"r\"," COLUMNS,
             "{\"name\":\"other\"," COLUMNS,
             "{\"name\":\"plan\",\"planned\":true," COLUMNS);
    static const bool WANT[3][5] = {
        {0, 1, 0, 1, 0}, {0, 1, 0, 0, 0}, {0, 0, 0, 0, 0}};
    put(text);
    struct om_manifest m;
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    for (size_t i = 0; i < 3; i++) {
        bool out[5] = {1, 1, 1, 1, 1};
        assert_int_equal(m.layer[i].schema.count, 5);
        om_manifest_happened(&m, &m.layer[i], out);
        assert_memory_equal(out, WANT[i], sizeof out);
    }
    om_manifest_deinit(&m);
    // A city that says nothing of a wall.
    put("{\"onemap\":1,\"name\":\"a\",\"layers\":[{\"name\":\"r\"," COLUMNS
        "]}");
    assert_int_equal(om_manifest_read(folder, &m, NULL), OM_OK);
    bool out[5];
    om_manifest_happened(&m, &m.layer[0], out);
    assert_memory_equal(out, WANT[1], sizeof out);
    om_manifest_deinit(&m);
#undef COLUMNS
}

static void lock_admits_one_writer(void **state)
{
    (void)state;
    int first, second;
    assert_int_equal(om_city_lock(folder, &first, NULL), OM_OK);
    assert_int_equal(om_city_lock(folder, &second, NULL), OM_E_BUSY);
    close(first);
    assert_int_equal(om_city_lock(folder, &second, NULL), OM_OK);
    close(second);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    put(FULL);
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_manifest m;
        om_alloc_fail_after(n, false);
        const om_status st = om_manifest_read(folder, &m, NULL);
        om_alloc_fail_after(0, false);
        if (!st) om_manifest_deinit(&m);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_keeps_all),
        cmocka_unit_test(round_trip_keeps_what_it_does_not_know),
        cmocka_unit_test(older_city_reads_and_writes_as_it_was),
        cmocka_unit_test(journal_members_come_back),
        cmocka_unit_test(name_becomes_a_file),
        cmocka_unit_test(error_says_what_and_where),
        cmocka_unit_test(happened_are_the_time_and_the_steps),
        cmocka_unit_test(lock_admits_one_writer),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
