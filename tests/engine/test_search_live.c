/* Search of a city that is written to.
 *
 * Plan
 *   live_*     what is acknowledged is found, what is dead is not, in memory
 * and after it was written to files threads_*  some write and some search: each
 * finds what it wrote files_*    indexes follow their segments; a folder that
 * cannot be ask_*      limits, encodings, who may see what fault_*    every
 * allocation of a question fails once
 */
#include "tests/engine/live_sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "data/base/alloc.h"
#include "engine/search/search.h"
#include "tests/folder.h"
#include "tests/rounds.h"

#define SEARCHED                                           \
    "{\"onemap\":1,\"sequence\":1,\"search\":[{\"layer\":" \
    "\"spot\",\"column\":\"word\",\"kind\":\"place\"}],"
#define ROWS 400

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    return test_memory_folder("onemap-search", folder, sizeof folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

struct fixture {
    struct om_city *city;
    struct om_live *live;
    struct om_search *search;
};

/* The sample's city, with its words to be searched. */
static void make_city(void)
{
    char path[128], text[4096];
    struct om_buf file = {0};
    live_city(folder, ROWS);
    snprintf(path, sizeof path, "%s/city.json", folder);
    assert_int_equal(om_file_read(path, sizeof text, &file, NULL), OM_OK);
    om_buf_add_byte(&file, 0);
    const char *rest = strstr((const char *)file.bytes, "\"layers\"");
    assert_non_null(rest);
    snprintf(text, sizeof text, "%s%s", SEARCHED, rest);
    live_commit(folder, text);
    om_buf_deinit(&file);
}

static struct fixture begin(bool writable)
{
    struct fixture f = {0};
    struct om_err err = {0};
    if (om_city_open(folder, &f.city, &err)) fail_msg("%s", err.text);
    if (om_live_open(f.city, NULL, &f.live, &err)) fail_msg("%s", err.text);
    assert_int_equal(om_search_new(folder, writable, &f.search), OM_OK);
    return f;
}

static void end(struct fixture *f)
{
    om_search_free(f->search);
    om_live_close(f->live);
    om_city_close(f->city);
    *f = (struct fixture){0};
}

static om_status write_one(struct om_live *live, enum om_write_kind kind,
                           const char *id, int64_t n)
{
    struct live_batch b = {0};
    live_row(&b, id, (uint32_t)(n * 1237 % LIVE_SPAN), (uint32_t)(n % 9973), n);
    struct om_write w = {
        .layer = "spot", .kind = kind, .batch = live_batch(&b)};
    const bool given[] = {true, true, true};
    w.given = given;
    w.geometry_given = true;
    const om_status st = om_live_write_wait(live, &w);
    live_batch_free(&b);
    return st;
}

/* Id of the first answer that is the whole text, "" for none. */
static void find(const struct fixture *f, const char *text, char id[64])
{
    struct om_snapshot *snapshot = om_city_snapshot(f->city);
    struct om_arena arena = {0};
    struct om_search_answer answer;
    struct om_err err = {0};
    const struct om_search_ask ask = {
        .text = text, .len = strlen(text), .limit = 5};
    if (om_search_run(f->search, snapshot, &ask, &arena, &answer, &err))
        fail_msg("%s", err.text);
    assert_true(answer.complete);
    id[0] = '\0';
    for (size_t i = 0; i < answer.count && !id[0]; i++) {
        assert_string_equal(answer.hit[i].kind, "place");
        if (answer.hit[i].match == OM_MATCH_EXACT &&
            !strcmp(answer.hit[i].text, text))
            snprintf(id, 64, "%s", answer.hit[i].id);
    }
    om_arena_deinit(&arena);
    om_snapshot_unref(snapshot);
}

static void expect(const struct fixture *f, const char *text, const char *want)
{
    char id[64];
    find(f, text, id);
    assert_string_equal(id, want);
}

static void live_rows_are_found_until_they_die(void **state)
{
    (void)state;
    make_city();
    struct fixture f = begin(true);
    expect(&f, "w17", "b17");
    expect(&f, "w4000", "");
    assert_int_equal(write_one(f.live, OM_WRITE_INSERT, "new", 4000), OM_OK);
    expect(&f, "w4000", "new");
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "b17", 5000), OM_OK);
    expect(&f, "w17", "");
    expect(&f, "w5000", "b17");
    assert_int_equal(om_live_compact(f.live, NULL), OM_OK);
    expect(&f, "w4000", "new");
    expect(&f, "w5000", "b17");
    expect(&f, "w17", "");
    assert_int_equal(write_one(f.live, OM_WRITE_DELETE, "new", 0), OM_OK);
    expect(&f, "w4000", "");
    end(&f);
    f = begin(true);
    expect(&f, "w4000", "");
    expect(&f, "w5000", "b17");
    end(&f);
}

struct thread {
    const struct fixture *f;
    unsigned number;
    size_t rounds;
};

static atomic_uint wrong;

/* Writes rows of its own and looks for each. */
static void *write_and_find(void *ctx)
{
    const struct thread *t = ctx;
    for (size_t i = 0; i < t->rounds; i++) {
        char id[32], text[32], found[64];
        const int n = (int)(10000 * (t->number + 1) + i);
        snprintf(id, sizeof id, "t%u-%zu", t->number, i);
        snprintf(text, sizeof text, "w%d", n);
        if (write_one(t->f->live, OM_WRITE_INSERT, id, n)) {
            wrong++;
            continue;
        }
        find(t->f, text, found);
        if (strcmp(found, id) != 0) wrong++;
    }
    return NULL;
}

static void threads_find_what_they_wrote(void **state)
{
    (void)state;
    make_city();
    struct fixture f = begin(true);
    pthread_t thread[4];
    struct thread about[4];
    wrong = 0;
    for (unsigned i = 0; i < 4; i++) {
        about[i] = (struct thread){&f, i, test_rounds(50)};
        assert_int_equal(
            pthread_create(&thread[i], NULL, write_and_find, &about[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    assert_int_equal(wrong, 0);
    end(&f);
}

static size_t files_in(const char *name)
{
    char command[256];
    snprintf(command, sizeof command, "ls '%s/%s' 2>/dev/null | wc -l", folder,
             name);
    FILE *out = popen(command, "r");
    unsigned n = 0;
    assert_non_null(out);
    assert_int_equal(fscanf(out, "%u", &n), 1);
    pclose(out);
    return n;
}

static void files_follow_their_segments(void **state)
{
    (void)state;
    make_city();
    struct fixture f = begin(true);
    struct om_snapshot *snapshot = om_city_snapshot(f.city);
    size_t made;
    assert_int_equal(om_search_prepare(f.search, snapshot, &made, NULL), OM_OK);
    assert_int_equal(made, 1);
    assert_int_equal(files_in("search"), 1);
    assert_int_equal(om_search_prepare(f.search, snapshot, &made, NULL), OM_OK);
    assert_int_equal(made, 0);
    assert_true(om_search_bytes(f.search) > 0);
    om_snapshot_unref(snapshot);
    for (int n = 0; n < ROWS; n++) {
        char id[32];
        snprintf(id, sizeof id, "b%d", n);
        assert_int_equal(write_one(f.live, OM_WRITE_PUT, id, 7000 + n), OM_OK);
    }
    // Every row is another: one new file, and the old index has to go.
    assert_int_equal(om_live_compact(f.live, NULL), OM_OK);
    snapshot = om_city_snapshot(f.city);
    assert_int_equal(om_search_prepare(f.search, snapshot, &made, NULL), OM_OK);
    assert_int_equal(made, 1);
    assert_int_equal(files_in("search"), 1);
    om_snapshot_unref(snapshot);
    expect(&f, "w7003", "b3");
    end(&f);
}

static void files_stay_away_where_nobody_may_write(void **state)
{
    (void)state;
    make_city();
    struct fixture f = begin(false);
    expect(&f, "w17", "b17");
    assert_int_equal(files_in("search"), 0);
    end(&f);
    // Something else is in the place of the folder.
    char path[128];
    snprintf(path, sizeof path, "%s/search", folder);
    assert_int_equal(om_file_write_whole(path, "x", 1, NULL), OM_OK);
    f = begin(true);
    expect(&f, "w17", "b17");
    end(&f);
}

static bool may_not(void *ctx, const struct om_layer *layer)
{
    (void)ctx;
    return strcmp(layer->name, "spot") != 0;
}

static void ask_within_its_limits(void **state)
{
    (void)state;
    make_city();
    struct fixture f = begin(true);
    struct om_snapshot *snapshot = om_city_snapshot(f.city);
    struct om_arena arena = {0};
    struct om_search_answer answer;
    struct om_err err;
    char longest[OM_SEARCH_BYTES + 2];
    memset(longest, 'w', sizeof longest);
    struct om_search_ask ask = {.text = longest, .limit = 1};
    ask.len = OM_SEARCH_BYTES + 1;
    assert_int_equal(
        om_search_run(f.search, snapshot, &ask, &arena, &answer, &err),
        OM_E_LIMIT);
    ask.len = OM_SEARCH_BYTES;
    assert_int_equal(
        om_search_run(f.search, snapshot, &ask, &arena, &answer, &err), OM_OK);
    ask = (struct om_search_ask){.text = "w17\xff", .len = 4, .limit = 1};
    assert_int_equal(
        om_search_run(f.search, snapshot, &ask, &arena, &answer, &err),
        OM_E_FORMAT);
    ask = (struct om_search_ask){.text = "w17", .len = 3, .limit = 0};
    assert_int_equal(
        om_search_run(f.search, snapshot, &ask, &arena, &answer, &err),
        OM_E_RANGE);
    ask.limit = OM_SEARCH_LIMIT + 1;
    assert_int_equal(
        om_search_run(f.search, snapshot, &ask, &arena, &answer, &err),
        OM_E_RANGE);
    ask.limit = 1;
    assert_int_equal(
        om_search_run(f.search, snapshot, &ask, &arena, &answer, &err), OM_OK);
    assert_int_equal(answer.count, 1);
    ask.may = may_not;
    assert_int_equal(
        om_search_run(f.search, snapshot, &ask, &arena, &answer, &err), OM_OK);
    assert_int_equal(answer.count, 0);
    om_arena_deinit(&arena);
    om_snapshot_unref(snapshot);
    end(&f);
}

static void fault_every_allocation_of_a_question(void **state)
{
    (void)state;
    make_city();
    struct fixture f = begin(true);
    expect(&f, "w17", "b17");
    assert_int_equal(write_one(f.live, OM_WRITE_INSERT, "new", 4000), OM_OK);
    struct om_snapshot *snapshot = om_city_snapshot(f.city);
    const struct om_search_ask ask = {.text = "w4000", .len = 5, .limit = 5};
    om_status st = OM_E_MEMORY;
    om_search_free(f.search);
    const size_t live = om_alloc_live();
    for (size_t k = 1; st; k++) {
        struct om_arena arena = {0};
        struct om_search_answer answer;
        struct om_err err = {0};
        // The index of the new row is made by the question, each time anew.
        assert_int_equal(om_search_new(folder, true, &f.search), OM_OK);
        om_alloc_fail_after(k, false);
        st = om_search_run(f.search, snapshot, &ask, &arena, &answer, &err);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        if (!st) assert_string_equal(answer.hit[0].id, "new");
        om_arena_deinit(&arena);
        om_search_free(f.search);
        assert_int_equal(om_alloc_live(), live);
    }
    f.search = NULL;
    om_snapshot_unref(snapshot);
    end(&f);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(live_rows_are_found_until_they_die),
        TEST(threads_find_what_they_wrote),
        TEST(files_follow_their_segments),
        TEST(files_stay_away_where_nobody_may_write),
        TEST(ask_within_its_limits),
        TEST(fault_every_allocation_of_a_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
