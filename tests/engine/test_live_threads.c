/* Threads that write, read and copy a city.
 *
 * Plan
 *   many_*      threads write and read: every snapshot is consistent
 *   copy_*      a copy made under load is a city, and whole
 */
#include "tests/engine/live_writer.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- threads ---- */

#define WRITERS 8
#define PER_WRITER 60

struct party {
    struct fixture f;
    atomic_bool end;
    atomic_size_t wrong, looked;
    int number;
};

static struct party party;

/* Moves a hundred between two rows in one batch, again and again: the sum of
 * all is always the same. */
static void *move_on(void *arg)
{
    const int me = *(const int *)arg;
    char a[32], b[32];
    for (int i = 0; i < PER_WRITER; i++) {
        struct live_batch rows = {0};
        snprintf(a, sizeof a, "m%d-%d", me, i % 5);
        snprintf(b, sizeof b, "m%d-%d", me, 5 + i % 5);
        live_row(&rows, a, (uint32_t)(i * 1000), (uint32_t)me, 1000 + i);
        live_row(&rows, b, (uint32_t)(i * 1000), (uint32_t)me, 1000 - i);
        struct om_write w = {
            .layer = "other", .kind = OM_WRITE_PUT, .batch = live_batch(&rows)};
        if (om_live_write_wait(party.f.live, &w))
            atomic_fetch_add(&party.wrong, 1);
        // What was acknowledged is there.
        if (live_n(party.f.city, "other", a) != 1000 + i)
            atomic_fetch_add(&party.wrong, 1);
        live_batch_free(&rows);
    }
    return NULL;
}

static void *look_on(void *arg)
{
    (void)arg;
    uint64_t before = 0;
    while (!atomic_load(&party.end)) {
        struct om_snapshot *s = om_city_snapshot(party.f.city);
        uint64_t rows;
        int64_t sum;
        live_sum(s, "other", &rows, &sum);
        if (sum != (int64_t)rows * 1000 || rows % 2 || s->sequence < before)
            atomic_fetch_add(&party.wrong, 1);
        before = s->sequence;
        const struct om_box all = {LIVE_WEST, LIVE_NORTH, UINT32_MAX,
                                   UINT32_MAX};
        if (om_city_changed(party.f.city, "other", all) <
            om_snapshot_layer(s, "other")->changed)
            atomic_fetch_add(&party.wrong, 1);
        om_snapshot_unref(s);
        atomic_fetch_add(&party.looked, 1);
    }
    return NULL;
}

static atomic_uint_fast64_t told_last;
static atomic_size_t told_rows, told_wrong;

static void hear(void *ctx, const struct om_live_news *news)
{
    (void)ctx;
    if (news->first <= atomic_load(&told_last) || news->last < news->first)
        atomic_fetch_add(&told_wrong, 1);
    atomic_store(&told_last, news->last);
    atomic_fetch_add(&told_rows, news->count);
}

static void many_threads_see_whole_groups(void **state)
{
    (void)state;
    live_city(folder, 100);
    party = (struct party){.f = begin(NULL)};
    om_live_listen(party.f.live, hear, NULL);
    pthread_t writer[WRITERS], reader[2];
    int number[WRITERS];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&reader[i], NULL, look_on, NULL), 0);
    for (int i = 0; i < WRITERS; i++) {
        number[i] = i;
        assert_int_equal(pthread_create(&writer[i], NULL, move_on, &number[i]),
                         0);
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(writer[i], NULL);
    atomic_store(&party.end, true);
    for (int i = 0; i < 2; i++) pthread_join(reader[i], NULL);
    assert_int_equal(atomic_load(&party.wrong), 0);
    assert_true(atomic_load(&party.looked) > 0);
    assert_int_equal(atomic_load(&told_wrong), 0);
    assert_int_equal(atomic_load(&told_rows), WRITERS * PER_WRITER * 2);
    const struct om_live_stats stats = om_live_stats(party.f.live);
    assert_int_equal(stats.written, WRITERS * PER_WRITER * 2);
    assert_true(stats.groups <= WRITERS * PER_WRITER);
    end(&party.f);
}

/* ---- copies ---- */

static void *write_on(void *arg)
{
    (void)arg;
    struct om_write w;
    for (int64_t i = 0; !atomic_load(&party.end); i++) {
        char id[32];
        snprintf(id, sizeof id, "c%lld", (long long)i);
        if (write_one(party.f.live, OM_WRITE_INSERT, id, i, &w))
            atomic_fetch_add(&party.wrong, 1);
        atomic_store(&party.looked, (size_t)i + 1);
    }
    return NULL;
}

static void copy_under_load_is_whole(void **state)
{
    (void)state;
    live_city(folder, 500);
    const struct om_live_options options = {.compact_rows = 100};
    party = (struct party){.f = begin(&options)};
    pthread_t writer;
    struct om_err err = {0};
    char path[128], id[32];
    assert_int_equal(pthread_create(&writer, NULL, write_on, NULL), 0);
    for (int round = 0; round < 3; round++) {
        while (atomic_load(&party.looked) < (size_t)(round + 1) * 150)
            usleep(1000);
        const size_t before = atomic_load(&party.looked);
        snprintf(path, sizeof path, "%s/copy-%d", folder, round);
        om_status st;
        while ((st = om_live_copy(party.f.live, path, &err)) == OM_E_BUSY)
            usleep(1000);
        if (st) fail_msg("%s", err.text);
        assert_int_equal(om_live_copy(party.f.live, path, &err), OM_E_EXISTS);
        struct om_city *copy = NULL;
        if (om_city_open(path, &copy, &err)) fail_msg("%s", err.text);
        snprintf(id, sizeof id, "c%zu", before - 1);
        assert_int_equal(live_n(copy, "spot", id), (int64_t)before - 1);
        struct om_snapshot *s = om_city_snapshot(copy);
        const uint64_t rows = om_snapshot_layer(s, "spot")->rows;
        assert_true(rows >= 500 + before);
        // A prefix of what was written: nothing is missing in between.
        snprintf(id, sizeof id, "c%zu", (size_t)(rows - 501));
        assert_int_equal(live_n(copy, "spot", id), (int64_t)rows - 501);
        om_snapshot_unref(s);
        om_city_close(copy);
    }
    atomic_store(&party.end, true);
    pthread_join(writer, NULL);
    assert_int_equal(atomic_load(&party.wrong), 0);
    end(&party.f);
}

/* ---- everything at once ---- */

#define CROWD 3
#define CROWD_IDS 4000

static int64_t crowd[CROWD][CROWD_IDS];  // n of row "t-i"; -1: none

static void *crowd_writes(void *arg)
{
    const int me = *(const int *)arg;
    uint64_t mine = (uint64_t)me + 99;
    for (int round = 0; round < 60; round++) {
        struct live_batch b = {0};
        char id[32];
        const bool put = round % 4 != 3;
        const int rows = round % 2 ? 1200 : 20;
        for (int i = 0; i < rows; i++) {
            mine = mine * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
            const int which = (int)((mine >> 33) % CROWD_IDS);
            const int64_t n = (int64_t)(mine >> 40);
            snprintf(id, sizeof id, "%d-%d", me, which);
            live_row(&b, id, (uint32_t)((mine >> 20) % LIVE_SPAN),
                     (uint32_t)((mine >> 30) % LIVE_SPAN), n);
            crowd[me][which] = put ? n : -1;
        }
        struct om_write w = {.layer = "spot",
                             .kind = put ? OM_WRITE_PUT : OM_WRITE_DELETE,
                             .batch = live_batch(&b),
                             .partial = true};
        if (om_live_write_wait(party.f.live, &w))
            atomic_fetch_add(&party.wrong, 1);
        live_batch_free(&b);
    }
    return NULL;
}

static void *compact_on(void *arg)
{
    (void)arg;
    struct om_err err = {0};
    while (!atomic_load(&party.end)) {
        const om_status st = om_live_compact(party.f.live, &err);
        if (st && st != OM_E_BUSY) atomic_fetch_add(&party.wrong, 1);
        // Of a layer that is not changed nothing is written.
        if (om_live_refresh(party.f.live, NULL, &err))
            atomic_fetch_add(&party.wrong, 1);
    }
    return NULL;
}

/* As another process would: opens, looks again, and closes, whatever files
 * come and go meanwhile. */
static void *open_on(void *arg)
{
    (void)arg;
    while (!atomic_load(&party.end)) {
        struct om_city *city = NULL;
        struct om_err err = {0};
        om_status st = om_city_open(folder, &city, &err);
        uint64_t before = 0;
        for (int i = 0; i < 5 && !st; i++) {
            st = om_city_refresh(city, NULL, &err);
            struct om_snapshot *s = om_city_snapshot(city);
            uint64_t rows;
            int64_t sum;
            live_sum(s, "spot", &rows, &sum);
            if (s->sequence < before) atomic_fetch_add(&party.wrong, 1);
            before = s->sequence;
            om_snapshot_unref(s);
        }
        if (st) {
            print_message("%s\n", err.text);
            atomic_fetch_add(&party.wrong, 1);
        }
        om_city_close(city);
        atomic_fetch_add(&party.looked, 1);
    }
    return NULL;
}

static void compare_crowd(struct om_city *city)
{
    char id[32];
    uint64_t rows, have = 100;
    int64_t sum, have_sum = 99 * 100 / 2;
    for (int t = 0; t < CROWD; t++)
        for (int i = 0; i < CROWD_IDS; i++) {
            if (crowd[t][i] < 0) continue;
            have++;
            have_sum += crowd[t][i];
            if (i % 50) continue;
            snprintf(id, sizeof id, "%d-%d", t, i);
            assert_int_equal(live_n(city, "spot", id), crowd[t][i]);
        }
    struct om_snapshot *s = om_city_snapshot(city);
    live_sum(s, "spot", &rows, &sum);
    assert_int_equal(om_snapshot_verify(s, live_no_fault, NULL), OM_OK);
    om_snapshot_unref(s);
    assert_int_equal(rows, have);
    assert_int_equal(sum, have_sum);
}

static void many_write_while_files_are_written(void **state)
{
    (void)state;
    live_city(folder, 100);
    for (int t = 0; t < CROWD; t++)
        for (int i = 0; i < CROWD_IDS; i++) crowd[t][i] = -1;
    party = (struct party){.f = begin(NULL)};
    pthread_t writer[CROWD], keeper, reader;
    int number[CROWD];
    assert_int_equal(pthread_create(&reader, NULL, open_on, NULL), 0);
    assert_int_equal(pthread_create(&keeper, NULL, compact_on, NULL), 0);
    for (int i = 0; i < CROWD; i++) {
        number[i] = i;
        assert_int_equal(
            pthread_create(&writer[i], NULL, crowd_writes, &number[i]), 0);
    }
    for (int i = 0; i < CROWD; i++) pthread_join(writer[i], NULL);
    atomic_store(&party.end, true);
    pthread_join(keeper, NULL);
    pthread_join(reader, NULL);
    assert_int_equal(atomic_load(&party.wrong), 0);
    assert_true(atomic_load(&party.looked) > 0);
    assert_true(om_live_stats(party.f.live).compactions > 0);
    compare_crowd(party.f.city);
    end(&party.f);
    party.f = begin(NULL);
    compare_crowd(party.f.city);
    end(&party.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(copy_under_load_is_whole),
        LIVE_TEST(many_threads_see_whole_groups),
        LIVE_TEST(many_write_while_files_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
