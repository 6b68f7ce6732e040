/* A city against a plain array, and after its writer has died.
 *
 * Plan
 *   model_*     random writes, compactions and reopenings against an array
 *   crash_*     dying at any step of a compaction or of a group, and killed at
 *               any moment (1,000 times in make test-long)
 */
#include "tests/engine/live_writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "engine/live/live_internal.h"
#include "engine/live/replay_internal.h"
#include "tests/rounds.h"

/* ---- a plain array ---- */

#define IDS 300

static uint64_t seed;

static uint32_t dice(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

/* value[i] is n of row "bI", or -1; it lies at pos[i]. */
struct model {
    int64_t value[IDS];
    struct om_pos pos[IDS];
};

/* Every place that a write has changed, in order. */
static struct {
    const char *layer;
    struct om_pos cell;  // of level 18
    uint64_t sequence;
} changed_at[20000];
static size_t changes_made;

static void note_change(const char *layer, struct om_pos pos, uint64_t sequence)
{
    assert_true(changes_made < sizeof changed_at / sizeof *changed_at);
    changed_at[changes_made].layer = layer;
    changed_at[changes_made].cell = (struct om_pos){pos.x >> 14, pos.y >> 14};
    changed_at[changes_made++].sequence = sequence;
}

/* The map of changes against the list, for some boxes and tiles. */
static void compare_changes(struct om_city *city)
{
    for (int i = 0; i < 30; i++) {
        const char *layer = dice(2) ? "spot" : "other";
        const unsigned shift = 10 + dice(17);
        struct om_box box = {LIVE_WEST + dice(LIVE_SPAN),
                             LIVE_NORTH + dice(LIVE_SPAN), 0, 0};
        if (dice(2)) {
            box.x0 = box.x0 >> shift << shift;
            box.y0 = box.y0 >> shift << shift;
        }
        box.x1 = box.x0 + (1u << shift) - 1;
        box.y1 = box.y0 + (1u << shift) - 1;
        uint64_t newest = 1;
        for (size_t k = 0; k < changes_made; k++) {
            const struct om_pos c = changed_at[k].cell;
            if (!strcmp(changed_at[k].layer, layer) && c.x >= box.x0 >> 14 &&
                c.x <= box.x1 >> 14 && c.y >= box.y0 >> 14 &&
                c.y <= box.y1 >> 14 && changed_at[k].sequence > newest)
                newest = changed_at[k].sequence;
        }
        assert_int_equal(om_city_changed(city, layer, box), newest);
    }
}

static void compare(struct om_city *city, const char *layer,
                    const struct model *m)
{
    uint64_t rows = 0, have_rows;
    int64_t sum = 0, have_sum;
    char id[32];
    struct om_snapshot *s = om_city_snapshot(city);
    for (int i = 0; i < IDS; i++) {
        if (m->value[i] < 0) continue;
        rows++;
        sum += m->value[i];
    }
    live_sum(s, layer, &have_rows, &have_sum);
    om_snapshot_unref(s);
    assert_int_equal(have_rows, rows);
    assert_int_equal(have_sum, sum);
    for (int i = 0; i < IDS; i += 7) {
        snprintf(id, sizeof id, "b%d", i);
        assert_int_equal(live_n(city, layer, id),
                         m->value[i] < 0 ? INT64_MIN : m->value[i]);
    }
}

static size_t made_ready;  // writes

/* Random rows to write. Half of the writes are looked up before others of the
 * same rows come in between, and compactions. */
static void write_some(struct om_live *live, const char *layer, struct model *m,
                       uint32_t most)
{
    struct live_batch b = {0};
    struct om_pos moved[2 * 200], place[200];
    uint32_t which[200];
    int64_t n[200];
    size_t moves = 0;
    char id[32];
    const enum om_write_kind kind = dice(3) ? OM_WRITE_PUT : OM_WRITE_DELETE;
    const uint32_t rows = 1 + dice(most);
    for (uint32_t i = 0; i < rows; i++) {
        const uint32_t x = dice(LIVE_SPAN), y = dice(LIVE_SPAN);
        place[i] = (struct om_pos){LIVE_WEST + x, LIVE_NORTH + y};
        which[i] = dice(IDS);
        n[i] = dice(1000000);
        snprintf(id, sizeof id, "b%u", which[i]);
        live_row(&b, id, x, y, n[i]);
    }
    struct om_write w = {
        .layer = layer, .kind = kind, .batch = live_batch(&b), .partial = true};
    if (dice(2)) {
        struct om_err err = {0};
        om_live_look(live, &w);
        assert_non_null(w.look);
        made_ready += w.bulk != NULL;
        if (dice(2)) write_some(live, layer, m, most);
        if (dice(20) == 0 && om_live_compact(live, &err))
            fail_msg("%s", err.text);
    }
    struct model after = *m;
    size_t taken = 0;
    for (uint32_t i = 0; i < rows; i++) {
        const bool there = after.value[which[i]] >= 0;
        if (kind == OM_WRITE_PUT || there) {
            taken++;
            struct om_pos *at = &after.pos[which[i]];
            moved[moves++] = there ? *at : place[i];
            moved[moves++] = kind == OM_WRITE_PUT ? place[i] : *at;
            *at = place[i];
        }
        after.value[which[i]] = kind == OM_WRITE_PUT ? n[i] : -1;
    }
    assert_int_equal(om_live_write_wait(live, &w), OM_OK);
    assert_null(w.look);
    assert_null(w.bulk);
    assert_int_equal(w.taken, taken);
    assert_int_equal(w.refused, rows - taken);
    for (size_t i = 0; i < moves; i++)
        note_change(layer, moved[i], w.first + i / 2);
    *m = after;
    live_batch_free(&b);
}

static void begin_model(struct model *spot, struct model *other)
{
    for (int i = 0; i < IDS; i++) {
        spot->value[i] = i < 100 ? i : -1;
        spot->pos[i] =
            (struct om_pos){LIVE_WEST + (uint32_t)i * 7919 % LIVE_SPAN,
                            LIVE_NORTH + (uint32_t)i * 104729 % LIVE_SPAN};
        other->value[i] = -1;
    }
}

static void model_agrees_whatever_happens(void **state)
{
    (void)state;
    struct model spot, other;
    const struct om_live_options options = {.compact_rows = 150,
                                            .no_compaction = true,
                                            .keep_entries = 500,
                                            .bulk_rows = 3};
    const size_t whole_round = om__replay_round_rows;
    live_city(folder, 100);
    begin_model(&spot, &other);
    made_ready = 0;
    struct fixture f = begin(&options);
    struct om_city *reader = NULL;
    assert_int_equal(om_city_open(folder, &reader, NULL), OM_OK);
    seed = 7;
    for (int round = 0; round < 250; round++) {
        const bool first = dice(2);
        write_some(f.live, first ? "spot" : "other", first ? &spot : &other,
                   dice(8) ? 12 : 150);
        struct om_err err = {0};
        if (dice(12) == 0 && om_live_compact(f.live, &err))
            fail_msg("%s", err.text);
        if (dice(25) == 0) {
            // Sometimes looked through before more comes, or files change.
            struct om_live_ahead *ahead =
                dice(2) ? om_live_ahead(folder) : NULL;
            if (ahead && dice(2)) write_some(f.live, "spot", &spot, 12);
            if (ahead && dice(3) == 0 && om_live_compact(f.live, &err))
                fail_msg("%s", err.text);
            end(&f);
            // What is replayed comes in many rounds, or in one.
            om__replay_round_rows =
                round % 3 ? 1 + (size_t)round % 37 : whole_round;
            if (!ahead && dice(2)) ahead = om_live_ahead(folder);
            f = begin_ahead(options, ahead);
        }
        if (dice(6) == 0) {
            if (om_city_refresh(reader, NULL, &err)) fail_msg("%s", err.text);
            compare(reader, "spot", &spot);
            compare(reader, "other", &other);
        }
        compare(f.city, "spot", &spot);
        compare(f.city, "other", &other);
        compare_changes(f.city);
    }
    assert_true(made_ready > 20);
    om__replay_round_rows = whole_round;
    om_city_close(reader);
    end(&f);
}

/* ---- dying ---- */

/* What the child was told, in memory that both have. */
struct shared {
    struct model spot;
    int64_t doing[IDS];  // what is under way; -2: nothing
    int compactions, bulks;
};

static const char *die_at;
static int die_after;

static void maybe_die(const char *step)
{
    if (!strcmp(step, die_at) && die_after-- == 0) _exit(9);
}

/* Many rows at once, made ready and written ahead. */
#define AT_ONCE 40
static void write_at_once(struct om_live *live, struct shared *shared)
{
    struct live_batch b = {0};
    char id[32];
    const uint32_t from = dice(IDS - AT_ONCE);
    const int64_t n = dice(1000000);
    for (uint32_t i = from; i < from + AT_ONCE; i++) {
        snprintf(id, sizeof id, "b%u", i);
        live_row(&b, id, dice(LIVE_SPAN), dice(LIVE_SPAN), n);
        shared->doing[i] = n;
    }
    struct om_write w = {
        .layer = "spot", .kind = OM_WRITE_PUT, .batch = live_batch(&b)};
    om_live_look(live, &w);
    if (!w.bulk) _exit(4);
    if (om_live_write_wait(live, &w)) _exit(5);
    for (uint32_t i = from; i < from + AT_ONCE; i++) {
        shared->spot.value[i] = n;
        shared->doing[i] = -2;
    }
    shared->bulks++;
    live_batch_free(&b);
}

static void live_until_death(struct shared *shared)
{
    const struct om_live_options options = {.no_compaction = true,
                                            .bulk_rows = AT_ONCE};
    struct fixture f = {0};
    if (om_city_open(folder, &f.city, NULL) ||
        om_live_open(f.city, &options, &f.live, NULL))
        _exit(1);
    char id[32];
    for (int i = 0; i < 400; i++) {
        struct live_batch b = {0};
        const uint32_t which = dice(IDS);
        const int64_t n = dice(1000000);
        snprintf(id, sizeof id, "b%u", which);
        live_row(&b, id, dice(LIVE_SPAN), dice(LIVE_SPAN), n);
        const bool put = dice(3);
        struct om_write w = {.layer = "spot",
                             .kind = put ? OM_WRITE_PUT : OM_WRITE_DELETE,
                             .batch = live_batch(&b),
                             .partial = true};
        shared->doing[which] = put ? n : -1;
        if (om_live_write_wait(f.live, &w)) _exit(2);
        shared->spot.value[which] = put ? n : -1;
        shared->doing[which] = -2;
        live_batch_free(&b);
        if (i % 4 == 3) write_at_once(f.live, shared);
        if (i % 30 == 29) {
            if (om_live_compact(f.live, NULL)) _exit(3);
            shared->compactions++;
        }
    }
    _exit(0);
}

static void crash_at_any_step_loses_nothing(void **state)
{
    (void)state;
    const char *step[] = {"begin", "part",    "dead",    "commit", "in",
                          "end",   "durable", "visible", "staged", "ahead"};
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    struct model other;
    live_city(folder, 100);
    begin_model(&shared->spot, &other);
    for (size_t round = 0; round < 30; round++) {
        for (int i = 0; i < IDS; i++) shared->doing[i] = -2;
        die_at = step[round % 10];
        die_after = (int)(round / 10) * (round % 10 < 6   ? 2
                                         : round % 10 < 9 ? 60
                                                          : 15) +
                    1;
        seed = 1000 + round;
        const pid_t pid = fork();
        if (pid == 0) {
            om__live_die = maybe_die;
            live_until_death(shared);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 9);
        struct om_city *city = NULL;
        struct om_err err = {0};
        if (om_city_open(folder, &city, &err))
            fail_msg("%s: %s", die_at, err.text);
        // The one write that was not answered may be there or not, as a whole.
        char id[32];
        int asked = 0, done = 0;
        for (int i = 0; i < IDS; i++) {
            if (shared->doing[i] == -2) continue;
            snprintf(id, sizeof id, "b%d", i);
            const int64_t n = live_n(city, "spot", id);
            const int64_t have = n == INT64_MIN ? -1 : n;
            assert_true(have == shared->spot.value[i] ||
                        have == shared->doing[i]);
            if (shared->doing[i] != shared->spot.value[i]) {
                asked++;
                done += have == shared->doing[i];
            }
            shared->spot.value[i] = have;
        }
        assert_true(done == 0 || done == asked);
        compare(city, "spot", &shared->spot);
        struct om_snapshot *s = om_city_snapshot(city);
        assert_int_equal(om_snapshot_verify(s, live_no_fault, NULL), OM_OK);
        om_snapshot_unref(s);
        om_city_close(city);
    }
    assert_true(shared->compactions > 0);
    assert_true(shared->bulks > 0);
    // What the dead have left goes with the next compaction.
    struct fixture f = begin(NULL);
    assert_int_equal(om_live_compact(f.live, NULL), OM_OK);
    compare(f.city, "spot", &shared->spot);
    end(&f);
    char command[256];
    snprintf(command, sizeof command, "test $(ls '%s/layers' | wc -l) -le 3",
             folder);
    assert_int_equal(system(command), 0);
    munmap(shared, sizeof *shared);
}

/* Killed at any moment, with several writers and a compaction under way. */
#define DOOMED 4
#define DOOMED_IDS 64

/* n of row "d-T-I" as it was acknowledged, and as it was asked for; -1: gone.
 */
struct doom {
    _Atomic int64_t have[DOOMED][DOOMED_IDS], asked[DOOMED][DOOMED_IDS];
    atomic_uint_fast64_t seed;
    atomic_size_t acknowledged;
};

static struct doom *doom;
static struct fixture doomed;

static void *doomed_writes(void *arg)
{
    const int me = *(const int *)arg;
    uint64_t mine = atomic_load(&doom->seed) * 31 + (uint64_t)me;
    for (;;) {
        struct live_batch b = {0};
        char id[32];
        const bool put = mine % 4 != 0;
        const int rows = 1 + (int)((mine >> 20) % 5);
        int which[5];
        for (int i = 0; i < rows; i++) {
            mine = mine * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
            which[i] = (int)((mine >> 33) % (DOOMED_IDS / 5)) * 5 + i;
            if (which[i] >= DOOMED_IDS) which[i] = i;
            const int64_t n = (int64_t)(mine >> 40);
            snprintf(id, sizeof id, "d-%d-%d", me, which[i]);
            live_row(&b, id, (uint32_t)((mine >> 20) % LIVE_SPAN),
                     (uint32_t)((mine >> 30) % LIVE_SPAN), n);
            atomic_store(&doom->asked[me][which[i]], put ? n : -1);
        }
        struct om_write w = {.layer = "spot",
                             .kind = put ? OM_WRITE_PUT : OM_WRITE_DELETE,
                             .batch = live_batch(&b),
                             .partial = true};
        if (mine >> 12 & 1) om_live_look(doomed.live, &w);
        if (om_live_write_wait(doomed.live, &w)) _exit(2);
        for (int i = 0; i < rows; i++)
            atomic_store(&doom->have[me][which[i]],
                         atomic_load(&doom->asked[me][which[i]]));
        atomic_fetch_add(&doom->acknowledged, 1);
        live_batch_free(&b);
    }
    return NULL;
}

static void live_until_killed(void)
{
    pthread_t thread;
    static int number[DOOMED];
    struct om_err err = {0};
    const struct om_live_options options = {.bulk_rows = 2};
    if (om_city_open(folder, &doomed.city, NULL) ||
        om_live_open(doomed.city, &options, &doomed.live, NULL))
        _exit(1);
    for (int i = 0; i < DOOMED; i++) {
        number[i] = i;
        if (pthread_create(&thread, NULL, doomed_writes, &number[i])) _exit(3);
    }
    for (;;)
        if (om_live_compact(doomed.live, &err)) _exit(4);
}

static void crash_at_any_moment_loses_nothing(void **state)
{
    (void)state;
    doom = mmap(NULL, sizeof *doom, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(doom, MAP_FAILED);
    live_city(folder, 100);
    for (int t = 0; t < DOOMED; t++)
        for (int i = 0; i < DOOMED_IDS; i++) doom->have[t][i] = -1;
    seed = 4711;
    const size_t rounds = test_rounds(test_long() ? 1000 : 30);
    for (size_t round = 0; round < rounds; round++) {
        for (int t = 0; t < DOOMED; t++)
            for (int i = 0; i < DOOMED_IDS; i++)
                doom->asked[t][i] = atomic_load(&doom->have[t][i]);
        atomic_store(&doom->seed, round);
        const size_t before = atomic_load(&doom->acknowledged);
        const pid_t pid = fork();
        if (pid == 0) live_until_killed();
        while (atomic_load(&doom->acknowledged) < before + 1) usleep(200);
        usleep(dice(30000));
        kill(pid, SIGKILL);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        struct om_city *city = NULL;
        struct om_err err = {0};
        if (om_city_open(folder, &city, &err))
            fail_msg("round %zu: %s", round, err.text);
        uint64_t rows = 0, have_rows;
        int64_t sum;
        for (int t = 0; t < DOOMED; t++)
            for (int i = 0; i < DOOMED_IDS; i++) {
                char id[32];
                snprintf(id, sizeof id, "d-%d-%d", t, i);
                const int64_t found = live_n(city, "spot", id);
                const int64_t n = found == INT64_MIN ? -1 : found;
                if (n != atomic_load(&doom->have[t][i]) &&
                    n != atomic_load(&doom->asked[t][i]))
                    fail_msg("round %zu: %s is %lld", round, id, (long long)n);
                atomic_store(&doom->have[t][i], n);
                rows += n >= 0;
            }
        struct om_snapshot *s = om_city_snapshot(city);
        live_sum(s, "spot", &have_rows, &sum);
        assert_int_equal(have_rows, rows + 100);
        if (round % 8 == 0)
            assert_int_equal(om_snapshot_verify(s, live_no_fault, NULL), OM_OK);
        om_snapshot_unref(s);
        om_city_close(city);
    }
    munmap(doom, sizeof *doom);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(model_agrees_whatever_happens),
        LIVE_TEST(crash_at_any_step_loses_nothing),
        LIVE_TEST(crash_at_any_moment_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
