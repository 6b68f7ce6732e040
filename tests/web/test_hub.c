/* Who listens to changes, and what they are told.
 *
 * Plan
 *   told_*    a telling covers every changed cell, with few cells, at a level
 *             that depends on the set and not on the order
 *   hub_*     nothing is told twice or never, whenever a listener joins; each
 *             hears what it asked for; who is slow or leaves harms nobody
 *   fault_*   whichever allocation fails: a status or a listener that is let
 *             go, and nothing is left behind
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "engine/live/changes.h"
#include "web/server/hub.h"

static uint64_t dice(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void rest(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static struct om_live_change change(uint64_t sequence, const char *layer,
                                    uint64_t cell)
{
    return (struct om_live_change){.sequence = sequence,
                                   .layer = layer,
                                   .cell = cell,
                                   .other_cell = OM_NO_CELL,
                                   .kind = OM_ENTRY_INSERT};
}

/* ---- told */

static size_t distinct(const uint64_t *code, size_t n, unsigned level)
{
    uint64_t *lifted = malloc(n * sizeof *lifted);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t c = code[i] >> 2 * (OM_CHANGE_LEVEL - level);
        size_t k = 0;
        while (k < count && lifted[k] != c) k++;
        if (k == count) lifted[count++] = c;
    }
    free(lifted);
    return count;
}

/* Level and cells of the first layer of a written telling. */
static size_t read_cells(const char *text, unsigned *level, uint64_t *code)
{
    const char *at = strstr(text, "\"level\":");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"level\":%u", level), 1);
    at = strstr(at, "\"cells\":[");
    assert_non_null(at);
    size_t n = 0;
    for (at += 9; *at == '[' || *at == ','; n++) {
        at += *at == ',';
        struct om_pos pos;
        int taken = 0;
        assert_int_equal(sscanf(at, "[%u,%u]%n", &pos.x, &pos.y, &taken), 2);
        at += taken;
        code[n] = om_morton(pos);
    }
    return n;
}

static void told_covers_what_changed_at_the_level_of_the_set(void **state)
{
    (void)state;
    static uint64_t cell[3000], got[OM__TOLD_CELLS];
    uint64_t seed = 7;
    for (int round = 0; round < 60; round++) {
        const size_t n = 1 + dice(&seed) % (sizeof cell / sizeof *cell);
        const uint64_t spread = UINT64_C(1) << (4 + dice(&seed) % 33);
        struct om__told there = {0}, back = {0};
        struct om_buf a = {0}, b = {0};
        for (size_t i = 0; i < n; i++) cell[i] = dice(&seed) % spread;
        for (size_t i = 0; i < n; i++) {
            const struct om_live_change c = change(i + 1, "p", cell[i]);
            om__told_add(&there, &c);
        }
        for (size_t i = n; i-- > 0;) {
            const struct om_live_change c = change(i + 1, "p", cell[i]);
            om__told_add(&back, &c);
        }
        assert_int_equal(there.first, 1);
        assert_int_equal(there.last, n);
        assert_true(om__told_write(&there, "", NULL, NULL, &a));
        assert_true(om__told_write(&back, "q,p", NULL, NULL, &b));
        om_buf_add_byte(&a, 0);
        om_buf_add_byte(&b, 0);
        assert_string_equal((char *)a.bytes, (char *)b.bytes);
        unsigned level = 99, expected = OM_CHANGE_LEVEL;
        while (distinct(cell, n, expected) > OM__TOLD_CELLS) expected--;
        const size_t cells = read_cells((char *)a.bytes, &level, got);
        assert_int_equal(level, expected);
        assert_int_equal(cells, distinct(cell, n, level));
        for (size_t i = 0; i < n; i++) {
            const uint64_t c = cell[i] >> 2 * (OM_CHANGE_LEVEL - level);
            size_t k = 0;
            while (k < cells && got[k] != c) k++;
            assert_true(k < cells);
        }
        om_buf_deinit(&a);
        om_buf_deinit(&b);
        om__told_deinit(&there);
        om__told_deinit(&back);
    }
}

static void told_both_places_of_a_row_that_moved(void **state)
{
    (void)state;
    struct om__told told = {0};
    struct om_buf out = {0};
    uint64_t got[OM__TOLD_CELLS];
    unsigned level;
    struct om_live_change c = change(5, "p", 3);
    c.other_cell = 77;
    om__told_add(&told, &c);
    assert_true(om__told_write(&told, NULL, NULL, NULL, &out));
    om_buf_add_byte(&out, 0);
    assert_int_equal(read_cells((char *)out.bytes, &level, got), 2);
    assert_int_equal(got[0], 3);
    assert_int_equal(got[1], 77);
    om_buf_deinit(&out);
    om__told_deinit(&told);
}

/* At the level at which all of them together are few enough, as if every cell
 * had been told one by one. */
static void told_all_cells_of_the_boxes_of_shapes(void **state)
{
    (void)state;
    static uint64_t cell[40000], got[OM__TOLD_CELLS];
    uint64_t seed = 11;
    for (int round = 0; round < 60; round++) {
        const uint32_t spread = 1u << (3 + dice(&seed) % 6);
        struct om__told told = {0};
        struct om_buf out = {0};
        size_t n = 0;
        for (int i = 0; i < 3; i++) {
            const uint32_t x = 1000 + (uint32_t)(dice(&seed) % spread);
            const uint32_t y = 2000 + (uint32_t)(dice(&seed) % spread);
            struct om_live_change c = change((uint64_t)i + 1, "p", 0);
            c.box = (struct om_box){x, y, x + (uint32_t)(dice(&seed) % 90),
                                    y + (uint32_t)(dice(&seed) % 90)};
            c.cell = om_morton((struct om_pos){x, y});
            om__told_add(&told, &c);
            for (uint32_t v = y; v <= c.box.y1; v++)
                for (uint32_t u = x; u <= c.box.x1; u++)
                    cell[n++] = om_morton((struct om_pos){u, v});
        }
        assert_true(om__told_write(&told, NULL, NULL, NULL, &out));
        om_buf_add_byte(&out, 0);
        unsigned level = 99, expected = OM_CHANGE_LEVEL;
        while (distinct(cell, n, expected) > OM__TOLD_CELLS) expected--;
        const size_t cells = read_cells((char *)out.bytes, &level, got);
        assert_int_equal(level, expected);
        assert_int_equal(cells, distinct(cell, n, level));
        om_buf_deinit(&out);
        om__told_deinit(&told);
    }
}

static void told_a_commit_is_the_world(void **state)
{
    (void)state;
    struct om__told told = {0};
    struct om_buf out = {0};
    struct om_live_change c = change(5, "p", 3);
    om__told_add(&told, &c);
    c.kind = OM_ENTRY_COMMIT;
    c.cell = OM_NO_CELL;
    om__told_add(&told, &c);
    c = change(6, "p", 9);
    om__told_add(&told, &c);
    assert_true(om__told_write(&told, NULL, NULL, NULL, &out));
    om_buf_add_byte(&out, 0);
    assert_string_equal((char *)out.bytes,
                        "\"p\":{\"rows\":2,\"level\":0,\"cells\":[[0,0]]}");
    om_buf_clear(&out);
    assert_false(om__told_write(&told, "q,pp", NULL, NULL, &out));
    assert_int_equal(out.len, 0);
    om_buf_deinit(&out);
    om__told_deinit(&told);
}

static void told_more_layers_than_there_is_room_for(void **state)
{
    (void)state;
    struct om__told told = {0};
    for (int i = 0; i <= OM__TOLD_LAYERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "l%d", i);
        assert_false(told.everything);
        const struct om_live_change c = change(1, name, 0);
        om__told_add(&told, &c);
    }
    assert_true(told.everything);
    om__told_deinit(&told);
}

/* ---- hub */

/* One listener of a test: the other end of its socket, and what came. */
struct ear {
    int ours, theirs;
    atomic_int gone;
    uint64_t joined_at;
    char *text;
    size_t len, room;
};

static void gone(void *ctx)
{
    struct ear *ear = ctx;
    atomic_fetch_add(&ear->gone, 1);
}

static void ear_open(struct ear *ear)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd),
                     0);
    *ear = (struct ear){.ours = fd[0], .theirs = fd[1]};
}

static om_status ear_join(struct om__hub *hub, struct ear *ear,
                          const char *layers)
{
    struct om__listener *l;
    struct om_buf first = {0};
    const om_status st = om__hub_join(hub, layers, 0, &l, &ear->joined_at);
    if (st) return st;
    om_buf_add_text(&first, "HEAD\n\n");
    om__listener_start(l, ear->ours, &first, gone, ear);
    return OM_OK;
}

static void ear_read(struct ear *ear)
{
    for (;;) {
        if (ear->room - ear->len < 65536) {
            ear->room = 2 * ear->room + 131072;
            ear->text = realloc(ear->text, ear->room);
            assert_non_null(ear->text);
        }
        const ssize_t n = recv(ear->theirs, ear->text + ear->len,
                               ear->room - ear->len - 1, MSG_DONTWAIT);
        if (n <= 0) break;
        ear->len += (size_t)n;
    }
    if (ear->text) ear->text[ear->len] = '\0';
}

static void ear_close(struct ear *ear)
{
    if (ear->theirs >= 0) close(ear->theirs);
    close(ear->ours);
    free(ear->text);
}

/* Sum of "rows" of all change events, and whether ids only rise. */
static uint64_t rows_heard(const struct ear *ear, uint64_t *last)
{
    uint64_t rows = 0;
    *last = 0;
    assert_non_null(ear->text);
    assert_int_equal(strncmp(ear->text, "HEAD\n\n", 6), 0);
    for (const char *at = ear->text; (at = strstr(at, "id: ")); at++) {
        const uint64_t id = strtoull(at + 4, NULL, 10);
        assert_true(id >= *last);
        *last = id;
    }
    for (const char *at = ear->text; (at = strstr(at, "\"rows\":")); at++)
        rows += strtoull(at + 7, NULL, 10);
    return rows;
}

static struct om__hub *hub_of(unsigned tick_ms, unsigned beat_ms,
                              size_t listeners)
{
    const struct om__hub_options o = {.listeners = listeners,
                                      .per_client = 2,
                                      .buffer_bytes = 256 << 10,
                                      .tick_ms = tick_ms,
                                      .beat_ms = beat_ms,
                                      .slow_ms = 30000,
                                      .sequence = 100};
    struct om__hub *hub;
    assert_int_equal(om__hub_new(&o, &hub), OM_OK);
    return hub;
}

static void publish(struct om__hub *hub, uint64_t sequence, const char *layer,
                    uint64_t cell)
{
    const struct om_live_change c = change(sequence, layer, cell);
    const struct om_live_news news = {sequence, sequence, 1, &c};
    om__hub_news(hub, &news);
}

/* Until it is so; a test that would never end fails instead. */
#define UNTIL(what)                              \
    do {                                         \
        int left = 120000;                       \
        while (!(what) && --left) rest(1);       \
        if (!left) fail_msg("never: %s", #what); \
    } while (0)

static bool heard(struct ear *ear, const char *text)
{
    ear_read(ear);
    return ear->text && strstr(ear->text, text);
}

static void hub_tells_each_what_it_asked_for(void **state)
{
    (void)state;
    struct om__hub *hub = hub_of(1, 600000, 10);
    struct ear all, some;
    ear_open(&all), ear_open(&some);
    assert_int_equal(ear_join(hub, &all, ""), OM_OK);
    assert_int_equal(ear_join(hub, &some, "b,c"), OM_OK);
    assert_int_equal(all.joined_at, 100);
    publish(hub, 101, "a", 5);
    UNTIL(heard(&all,
                "id: 101\nevent: change\ndata: {\"sequence\":101,"
                "\"layers\":{\"a\":{\"rows\":1,\"level\":18,\"cells\":"
                "[[3,0]]}}}\n\n"));
    publish(hub, 102, "b", 5);
    UNTIL(heard(&some, "\"b\":"));
    UNTIL(heard(&all, "id: 102\n"));
    assert_false(heard(&some, "\"a\":"));
    om__hub_free(hub);
    assert_int_equal(all.gone, 1);
    assert_int_equal(some.gone, 1);
    ear_close(&all), ear_close(&some);
}

static void hub_gives_a_sign_of_life(void **state)
{
    (void)state;
    struct om__hub *hub = hub_of(1, 10, 10);
    struct ear ear;
    ear_open(&ear);
    assert_int_equal(ear_join(hub, &ear, "b"), OM_OK);
    UNTIL(heard(&ear,
                ": beat\nid: 100\nevent: beat\n"
                "data: {\"sequence\":100}\n\n"));
    // What it did not ask for moves the id on all the same.
    publish(hub, 140, "a", 5);
    UNTIL(heard(&ear, ": beat\nid: 140\n"));
    om__hub_free(hub);
    ear_close(&ear);
}

static void hub_notices_who_left_in_silence(void **state)
{
    (void)state;
    struct om__hub *hub = hub_of(1, 600000, 10);
    struct ear ear, other;
    ear_open(&ear), ear_open(&other);
    assert_int_equal(ear_join(hub, &ear, ""), OM_OK);
    assert_int_equal(ear_join(hub, &other, ""), OM_OK);
    close(ear.theirs);
    ear.theirs = -1;
    UNTIL(atomic_load(&ear.gone) == 1);
    assert_int_equal(om__hub_stats(hub).listening, 1);
    publish(hub, 101, "a", 5);
    UNTIL(heard(&other, "id: 101\n"));
    assert_int_equal(atomic_load(&other.gone), 0);
    om__hub_free(hub);
    assert_int_equal(ear.gone, 1);
    ear_close(&ear), ear_close(&other);
}

static void hub_takes_who_sends_no_more_for_gone(void **state)
{
    (void)state;
    struct om__hub *hub = hub_of(1, 600000, 10);
    struct ear ear;
    ear_open(&ear);
    assert_int_equal(ear_join(hub, &ear, ""), OM_OK);
    assert_int_equal(shutdown(ear.theirs, SHUT_WR), 0);
    UNTIL(atomic_load(&ear.gone) == 1);
    om__hub_free(hub);
    ear_close(&ear);
}

static void hub_keeps_for_a_listener_what_is_told_before_it_starts(void **state)
{
    (void)state;
    struct om__hub *hub = hub_of(1, 600000, 10);
    struct om__listener *l;
    struct om_buf first = {0};
    struct ear ear;
    uint64_t told, last;
    ear_open(&ear);
    assert_int_equal(om__hub_join(hub, "", 0, &l, &told), OM_OK);
    for (uint64_t s = 101; s <= 103; s++) {
        publish(hub, s, "a", s);
        UNTIL(om__hub_stats(hub).told == s);
    }
    // What was missed, which it looked up meanwhile, comes first.
    om_buf_add_text(&first, "HEAD\n\n");
    om__listener_start(l, ear.ours, &first, gone, &ear);
    UNTIL(heard(&ear, "id: 103\n"));
    assert_int_equal(rows_heard(&ear, &last), 3);
    om__hub_free(hub);
    ear_close(&ear);
}

static void hub_lets_the_slow_go_and_tells_the_others(void **state)
{
    (void)state;
    struct om__hub *hub = hub_of(1, 600000, 10);
    struct ear slow, quick;
    ear_open(&slow), ear_open(&quick);
    assert_int_equal(ear_join(hub, &slow, ""), OM_OK);
    assert_int_equal(ear_join(hub, &quick, ""), OM_OK);
    uint64_t sequence = 100, seed = 3, last;
    for (int i = 0; i < 5000 && !atomic_load(&slow.gone); i++) {
        // Many cells, so that an event has some kilobytes.
        for (int k = 0; k < 400; k++)
            publish(hub, ++sequence, "a", dice(&seed) >> 28);
        ear_read(&quick);
        rest(1);
    }
    assert_int_equal(atomic_load(&slow.gone), 1);
    assert_int_equal(om__hub_stats(hub).slow, 1);
    char end[40];
    snprintf(end, sizeof end, "id: %llu\n", (unsigned long long)sequence);
    UNTIL(heard(&quick, end));
    assert_int_equal(rows_heard(&quick, &last), sequence - 100);
    om__hub_free(hub);
    ear_close(&slow), ear_close(&quick);
}

static void hub_has_limits(void **state)
{
    (void)state;
    struct om__hub *hub = hub_of(1, 600000, 3);
    struct om__listener *l[4];
    uint64_t told;
    assert_int_equal(om__hub_join(hub, "", 9, &l[0], &told), OM_OK);
    assert_int_equal(om__hub_join(hub, "", 9, &l[1], &told), OM_OK);
    assert_int_equal(om__hub_join(hub, "", 9, &l[2], &told), OM_E_RATE);
    assert_int_equal(om__hub_join(hub, "", 8, &l[2], &told), OM_OK);
    assert_int_equal(om__hub_join(hub, "", 7, &l[3], &told), OM_E_BUSY);
    om__listener_drop(l[1]);
    assert_int_equal(om__hub_join(hub, "", 9, &l[1], &told), OM_OK);
    // Who has joined when it stops ends when it starts.
    om__hub_stop(hub);
    assert_int_equal(om__hub_join(hub, "", 7, &l[3], &told), OM_E_BUSY);
    struct ear ear;
    ear_open(&ear);
    struct om_buf first = {0};
    om__listener_start(l[0], ear.ours, &first, gone, &ear);
    assert_int_equal(ear.gone, 1);
    om__listener_drop(l[1]);
    om__listener_drop(l[2]);
    om__hub_free(hub);
    ear_close(&ear);
}

static void hub_recalls_what_it_told_or_says_that_it_cannot(void **state)
{
    (void)state;
    enum { N = 150000 };
    struct om__hub *hub = hub_of(1, 600000, 3);
    static uint8_t layer[N];
    uint64_t seed = 11;
    // Several changes may have one sequence's neighbours; layers by turns.
    for (int i = 0; i < N; i++) {
        char name[2] = {(char)('a' + dice(&seed) % 3), 0};
        layer[i] = (uint8_t)name[0];
        publish(hub, 101 + (uint64_t)i, name, (uint64_t)i % 1000);
    }
    const uint64_t floor = om__hub_floor(hub);
    assert_int_equal(floor, 100 + N - 65536);
    for (int round = 0; round < 40; round++) {
        const uint64_t after = 100 + dice(&seed) % N;
        const uint64_t upto = after + dice(&seed) % (100 + N - after + 1);
        struct om__told told = {0};
        const om_status st = om__hub_recall(hub, after, upto, &told);
        assert_int_equal(st, after < floor ? OM_E_NOTFOUND : OM_OK);
        for (char l = 'a'; l <= 'c' && !st; l++) {
            uint64_t rows = 0, got = 0;
            for (uint64_t s = after + 1; s <= upto; s++)
                rows += layer[s - 101] == (uint8_t)l;
            for (size_t i = 0; i < told.layers; i++)
                if (told.layer[i].name[0] == l) got = told.layer[i].rows;
            assert_int_equal(got, rows);
        }
        om__told_deinit(&told);
    }
    om__hub_free(hub);
}

static bool hides(void *ctx, const char *layer)
{
    (void)ctx;
    return layer[0] == 's';
}

static void hub_does_not_tell_where_in_a_hidden_layer(void **state)
{
    (void)state;
    const struct om__hub_options o = {.listeners = 4,
                                      .per_client = 4,
                                      .buffer_bytes = 1 << 16,
                                      .tick_ms = 1,
                                      .beat_ms = 600000,
                                      .slow_ms = 30000,
                                      .hidden = hides};
    struct om__hub *hub;
    struct om__told told = {0};
    assert_int_equal(om__hub_new(&o, &hub), OM_OK);
    const struct om_live_change c[] = {change(1, "a", 5), change(2, "s", 5),
                                       change(3, "a", 6)};
    const struct om_live_news news = {1, 3, 3, c};
    om__hub_news(hub, &news);
    assert_int_equal(om__hub_recall(hub, 0, 3, &told), OM_OK);
    assert_int_equal(told.layers, 2);
    assert_int_equal(told.layer[0].level, OM_CHANGE_LEVEL);
    assert_int_equal(told.layer[0].count, 2);
    assert_string_equal(told.layer[1].name, "s");
    assert_int_equal(told.layer[1].kind, OM__TOLD_PERSON);
    // Whoever asks, it is written without a place.
    static const char *const asks[] = {NULL, "s", "~s", "~a,s"};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        struct om_buf out = {0};
        assert_true(om__told_write(&told, asks[i], NULL, NULL, &out));
        om_buf_add_byte(&out, 0);
        assert_non_null(strstr((const char *)out.bytes,
                               "\"s\":{\"rows\":0,\"level\":0,"
                               "\"cells\":[[0,0]]}"));
        om_buf_deinit(&out);
    }
    om__told_deinit(&told);
    om__hub_free(hub);
}

static void hub_remembers_what_was_before_it(void **state)
{
    (void)state;
    struct om__hub *hub = hub_of(1, 600000, 3);
    struct om__told told = {0};
    const struct om_live_change before[] = {change(98, "a", 1),
                                            change(100, "b", 2)};
    assert_int_equal(om__hub_recall(hub, 97, 100, &told), OM_E_NOTFOUND);
    om__hub_remember(hub, 97, before, 2);
    assert_int_equal(om__hub_recall(hub, 96, 100, &told), OM_E_NOTFOUND);
    assert_int_equal(om__hub_recall(hub, 97, 99, &told), OM_OK);
    assert_int_equal(told.layers, 1);
    assert_int_equal(told.last, 98);
    assert_int_equal(om__hub_recall(hub, 98, 100, &told), OM_OK);
    assert_int_equal(told.layers, 2);
    om__told_deinit(&told);
    om__hub_free(hub);
}

#define JOINERS 3
#define EARS 40
struct crowd {
    struct om__hub *hub;
    struct ear ear[EARS];
};

static void *come_and_go(void *ctx)
{
    struct crowd *crowd = ctx;
    for (int i = 0; i < EARS; i++) {
        ear_open(&crowd->ear[i]);
        assert_int_equal(ear_join(crowd->hub, &crowd->ear[i], ""), OM_OK);
        rest(1);
        if (i % 4 == 3) {  // some leave again
            close(crowd->ear[i].theirs);
            crowd->ear[i].theirs = -1;
        }
        for (int k = 0; k <= i; k++)
            if (crowd->ear[k].theirs >= 0) ear_read(&crowd->ear[k]);
    }
    return NULL;
}

/* Whoever does not read for long is let go. */
static bool all_read(struct crowd *crowd)
{
    for (int i = 0; i < JOINERS; i++)
        for (int k = 0; k < EARS; k++)
            if (crowd[i].ear[k].theirs >= 0) ear_read(&crowd[i].ear[k]);
    return true;
}

static void hub_tells_nothing_twice_and_nothing_never(void **state)
{
    (void)state;
    static struct crowd crowd[JOINERS];
    struct om__hub *hub = hub_of(2, 7, JOINERS * EARS);
    pthread_t thread[JOINERS];
    for (int i = 0; i < JOINERS; i++) {
        crowd[i].hub = hub;
        assert_int_equal(
            pthread_create(&thread[i], NULL, come_and_go, &crowd[i]), 0);
    }
    uint64_t sequence = 100, seed = 5;
    for (int i = 0; i < 400; i++) {
        for (int k = 0; k < 5; k++)
            publish(hub, ++sequence, "a", dice(&seed) % 64);
        rest(dice(&seed) % 2);
    }
    for (int i = 0; i < JOINERS; i++) pthread_join(thread[i], NULL);
    publish(hub, ++sequence, "a", 1);
    char end[40];
    snprintf(end, sizeof end, "id: %llu\n", (unsigned long long)sequence);
    for (int i = 0; i < JOINERS; i++)
        for (int k = 0; k < EARS; k++) {
            struct ear *ear = &crowd[i].ear[k];
            uint64_t last;
            if (ear->theirs >= 0) {
                UNTIL(all_read(crowd) && heard(ear, end));
                assert_int_equal(rows_heard(ear, &last),
                                 sequence - ear->joined_at);
                assert_int_equal(last, sequence);
            } else {
                UNTIL(atomic_load(&ear->gone) == 1);
            }
        }
    om__hub_free(hub);
    for (int i = 0; i < JOINERS; i++)
        for (int k = 0; k < EARS; k++) {
            assert_int_equal(crowd[i].ear[k].gone, 1);
            ear_close(&crowd[i].ear[k]);
        }
}

static void fault_hub(void **state)
{
    (void)state;
    const size_t live = om_alloc_live();
    for (size_t n = 1; n < 40; n++) {
        const struct om__hub_options o = {.listeners = 4,
                                          .per_client = 4,
                                          .buffer_bytes = 1 << 16,
                                          .tick_ms = 1,
                                          .beat_ms = 600000,
                                          .slow_ms = 30000};
        struct om__hub *hub = NULL;
        struct ear ear;
        ear_open(&ear);
        om_alloc_fail_after(n, false);
        om_status st = om__hub_new(&o, &hub);
        if (!st) st = ear_join(hub, &ear, "");
        if (!st) {
            publish(hub, 1, "a", 5);
            for (int i = 0; i < 20 && !heard(&ear, "id: 1\n"); i++) rest(1);
        }
        om_alloc_fail_after(0, false);
        // Let go, or told; and if it is told, it is told all.
        if (!st && !atomic_load(&ear.gone)) {
            publish(hub, 2, "a", 6);
            UNTIL(heard(&ear, "id: 2\n") || atomic_load(&ear.gone));
        }
        om__hub_free(hub);
        assert_int_equal(om_alloc_live(), live);
        ear_close(&ear);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_covers_what_changed_at_the_level_of_the_set),
        cmocka_unit_test(told_both_places_of_a_row_that_moved),
        cmocka_unit_test(told_all_cells_of_the_boxes_of_shapes),
        cmocka_unit_test(told_a_commit_is_the_world),
        cmocka_unit_test(told_more_layers_than_there_is_room_for),
        cmocka_unit_test(hub_tells_each_what_it_asked_for),
        cmocka_unit_test(hub_gives_a_sign_of_life),
        cmocka_unit_test(hub_notices_who_left_in_silence),
        cmocka_unit_test(hub_takes_who_sends_no_more_for_gone),
        cmocka_unit_test(
            hub_keeps_for_a_listener_what_is_told_before_it_starts),
        cmocka_unit_test(hub_lets_the_slow_go_and_tells_the_others),
        cmocka_unit_test(hub_has_limits),
        cmocka_unit_test(hub_recalls_what_it_told_or_says_that_it_cannot),
        cmocka_unit_test(hub_does_not_tell_where_in_a_hidden_layer),
        cmocka_unit_test(hub_remembers_what_was_before_it),
        cmocka_unit_test(hub_tells_nothing_twice_and_nothing_never),
        cmocka_unit_test(fault_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
