/* What answers depend on, and when they are not current any more.
 *
 * Plan
 *   needs_*    what is said adds up: boxes of a layer are united, layers named
 *              once, too many are the whole city; an answer has all of it
 *   model_*    answers of random layers and boxes, the city written to at
 * random: one is current exactly as long as nothing was written in its cells;
 * what its box holds is then what it held beat_*     with a clock that is
 * moved: what depends on the moment is another on the beat, and exactly then;
 * for clocks before 1970, too threads_*  writers and readers at once: who has
 * been told of a write finds no answer from before it
 */
#include "tests/engine/live_sample.h"
#include "tests/folder.h"
#include "web/server/needs.h"
#include "web/server/reply.h"
#include "web/server/server_internal.h"

static char folder[256];
static struct om_city *city;
static struct om_live *live;
static struct om_server server;

static void command(const char *format)
{
    char text[600];
    snprintf(text, sizeof text, format, folder);
    assert_int_equal(system(text), 0);
}

static uint64_t random_state = 1;
static uint64_t dice(uint64_t n)
{
    uint64_t z = (random_state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % n;
}

/* The city gets a clock of its own. */
static void give_clock(void)
{
    char path[400], text[4096];
    struct om_buf old = {0};
    snprintf(path, sizeof path, "%s/city.json", folder);
    assert_int_equal(om_file_read(path, 4000, &old, NULL), OM_OK);
    snprintf(text, sizeof text, "{\"clock\":\"2023-06-26T00:00:00+08:00\",%.*s",
             (int)old.len - 1, (const char *)old.bytes + 1);
    live_commit(folder, text);
    om_buf_deinit(&old);
}

static int begin(void **state)
{
    (void)state;
    if (!test_folder("onemap-needs", folder, sizeof folder)) return -1;
    live_city(folder, 2000);
    give_clock();
    const struct om_live_options options = {.group_ms = 1};
    struct om_err err = {0};
    server = (struct om_server){.beat_s = 60};
    if (om_city_open(folder, &city, &err) ||
        om_live_open(city, &options, &live, &err) ||
        om__cache_new(4 << 20, &server.cache)) {
        printf("# %s\n", err.text);
        return -1;
    }
    server.city = city;
    return 0;
}

static int end(void **state)
{
    (void)state;
    om_live_close(live);
    om_city_close(city);
    om__cache_free(server.cache);
    command("rm -rf '%s'");
    return 0;
}

/* One row, waited for; clock_s moves the city's clock. */
static void put_row(const char *layer, const char *id, uint32_t x, uint32_t y,
                    int64_t n, int64_t clock_s)
{
    struct live_batch b = {0};
    live_row(&b, id, x, y, n);
    struct om_write write = {.layer = layer,
                             .kind = OM_WRITE_PUT,
                             .batch = live_batch(&b),
                             .clock_s = clock_s};
    const om_status st = om_live_write_wait(live, &write);
    if (st) printf("# %s\n", write.err.text);
    assert_int_equal(st, OM_OK);
    live_batch_free(&b);
}

static void begin_request(struct om__request *r)
{
    *r = (struct om__request){.server = &server};
    r->snapshot = om_city_snapshot(city);
    r->now_s = om__beat(&server, om_snapshot_now(r->snapshot));
}

/* An answer as the handlers make them. */
static struct om__answer *answer_of(struct om__request *r)
{
    struct om_buf body = {0};
    struct om__answer *answer = NULL;
    om_buf_add_text(&body, "x");
    assert_int_equal(om__answer_new(r, &body, &om__head_json, false, &answer),
                     OM_OK);
    om_snapshot_unref(r->snapshot);
    r->snapshot = NULL;
    return answer;
}

/* ---- needs */

static void needs_add_up_and_are_in_the_answer(void **state)
{
    (void)state;
    struct om__request r;
    begin_request(&r);
    struct om__answer *whole = answer_of(&r);
    assert_true(whole->city && !whole->layers);  // nobody said a thing
    om__answer_unref(whole);

    begin_request(&r);
    om__needs_layer(&r, "spot", (struct om_box){10, 20, 30, 40});
    om__needs_layer(&r, "other", (struct om_box){5, 25, 25, 90});
    om__needs_layer(&r, "spot", (struct om_box){12, 20, 13, 21});
    om__needs_beat(&r);
    struct om__answer *two = answer_of(&r);
    assert_true(!two->city && two->beat && two->layers == 2);
    assert_string_equal(two->layer, "spot");
    assert_string_equal(two->layer + 5, "other");
    const struct om_box box[] = {{10, 20, 30, 40}, {5, 25, 25, 90}};
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(&two->need[i].box, &box[i], sizeof box[i]);
    // As a part of another.
    begin_request(&r);
    om__needs_layer(&r, "spot", (struct om_box){1, 30, 2, 31});
    om__needs_answer(&r, two);
    struct om__answer *sum = answer_of(&r);
    assert_true(!sum->city && sum->beat && sum->layers == 2);
    const struct om_box both[] = {{1, 20, 30, 40}, {5, 25, 25, 90}};
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(&sum->need[i].box, &both[i], sizeof both[i]);
    om__answer_unref(sum);
    om__answer_unref(two);

    // Of a city of many layers.
    struct om_layer layer[OM__NEEDS_MOST + 1] = {0};
    struct om_snapshot many = {.layers = OM__NEEDS_MOST + 1, .layer = layer};
    begin_request(&r);
    struct om_snapshot *own = r.snapshot;
    r.snapshot = &many;
    for (int i = 0; i <= OM__NEEDS_MOST; i++)
        snprintf(layer[i].name, sizeof layer[i].name, "layer%d", i);
    for (int i = 0; i <= OM__NEEDS_MOST; i++) {
        om__needs_layer(&r, layer[i].name, OM__EVERYWHERE);
        assert_int_equal(r.needs.city, i == OM__NEEDS_MOST);
    }
    r.snapshot = own;
    om__needs_nothing(&r);
    struct om__answer *none = answer_of(&r);
    assert_true(!none->city && !none->beat && !none->layers);
    assert_true(om__answer_current(&server, none));
    om__answer_unref(none);
    // A layer that is not there may come with anything.
    begin_request(&r);
    om__needs_layer(&r, "gone", OM__EVERYWHERE);
    struct om__answer *gone = answer_of(&r);
    assert_true(gone->city && om__answer_current(&server, gone));
    put_row("other", "gone", 7, 7, 1, 0);
    assert_false(om__answer_current(&server, gone));
    om__answer_unref(gone);
}

/* ---- model */

#define LEVEL_SHIFT (32 - 18)
static bool meets(struct om_box box, uint32_t x, uint32_t y)
{
    const uint32_t px = (LIVE_WEST + x) >> LEVEL_SHIFT;
    const uint32_t py = (LIVE_NORTH + y) >> LEVEL_SHIFT;
    return px >= box.x0 >> LEVEL_SHIFT && px <= box.x1 >> LEVEL_SHIFT &&
           py >= box.y0 >> LEVEL_SHIFT && py <= box.y1 >> LEVEL_SHIFT;
}

struct kept {
    struct om__answer *answer;
    struct om_box box;
    bool of[2];  // spot, other
    bool city, touched;
};

static void keep(struct kept *k)
{
    static const char *const NAME[] = {"spot", "other"};
    const uint32_t side = (uint32_t)(1 + dice(LIVE_SPAN / 4));
    const uint32_t x = LIVE_WEST + (uint32_t)dice(LIVE_SPAN - side);
    const uint32_t y = LIVE_NORTH + (uint32_t)dice(LIVE_SPAN - side);
    struct om__request r;
    *k = (struct kept){.box = {x, y, x + side, y + side}};
    begin_request(&r);
    k->city = dice(20) == 0;
    if (k->city) om__needs_city(&r);
    for (int l = 0; l < 2; l++) {
        k->of[l] = !k->city && (dice(2) || (l == 1 && !k->of[0]));
        if (k->of[l]) om__needs_layer(&r, NAME[l], k->box);
    }
    k->answer = answer_of(&r);
}

static void model_is_current_until_something_is_written_there(void **state)
{
    (void)state;
    enum { KEPT = 60, WRITES = 400 };
    struct kept kept[KEPT];
    struct {
        uint32_t x, y;
    } at[2][50];
    size_t ended = 0;
    memset(at, 0xff, sizeof at);
    for (size_t i = 0; i < KEPT; i++) keep(&kept[i]);
    for (int w = 0; w < WRITES; w++) {
        const int l = (int)dice(2);
        const size_t id = (size_t)dice(50);
        const uint32_t x = (uint32_t)dice(LIVE_SPAN);
        const uint32_t y = (uint32_t)dice(LIVE_SPAN);
        char name[16];
        snprintf(name, sizeof name, "m%zu", id);
        put_row(l ? "other" : "spot", name, x, y, w, 0);
        for (size_t i = 0; i < KEPT; i++) {
            struct kept *k = &kept[i];
            // The new place, and the old one of a row that moves.
            const bool was = at[l][id].x != UINT32_MAX &&
                             meets(k->box, at[l][id].x, at[l][id].y);
            k->touched |= k->city || (k->of[l] && (was || meets(k->box, x, y)));
            assert_int_equal(om__answer_current(&server, k->answer),
                             !k->touched);
            if (!k->touched) continue;
            ended++;
            om__answer_unref(k->answer);
            keep(k);
        }
        at[l][id].x = x;
        at[l][id].y = y;
    }
    // Neither all nor none of them, which would be easy.
    assert_true(ended > KEPT && ended < KEPT * (size_t)WRITES / 4);
    for (size_t i = 0; i < KEPT; i++) om__answer_unref(kept[i].answer);
}

/* ---- beat */

static void beat_is_a_floor_for_any_moment(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        server.beat_s = (unsigned)(1 + dice(90000));
        const int64_t t = (int64_t)dice(1u << 31) - (1 << 30);
        const int64_t b = om__beat(&server, t);
        assert_true(b <= t && t - b < server.beat_s);
        assert_true(b % (int64_t)server.beat_s == 0);
    }
    server.beat_s = 60;
}

static void beat_ends_what_depends_on_the_moment_and_exactly_then(void **state)
{
    (void)state;
    static const struct om_box far = {0, 0, 1, 1};
    const int64_t start_s = 1687795200;  // on a beat
    struct om__request r;
    put_row("spot", "clock", 1, 1, 0, start_s);
    begin_request(&r);
    assert_int_equal(r.now_s, start_s);
    om__needs_layer(&r, "spot", far);
    om__needs_beat(&r);
    struct om__answer *dated = answer_of(&r);
    begin_request(&r);
    om__needs_layer(&r, "spot", far);
    struct om__answer *plain = answer_of(&r);
    uint64_t key = 1;
    om__cache_put(server.cache, &key, sizeof key, dated);
    for (int64_t s = 1; s <= 150; s++) {
        // The clock moves with what is written, here far from both.
        put_row("spot", "clock", 1, 1, s, start_s + s);
        assert_int_equal(om__answer_current(&server, dated), s < 60);
        assert_true(om__answer_current(&server, plain));
        struct om__answer *found = om__answer_find(&server, &key, sizeof key);
        assert_int_equal(found != NULL, s < 60);
        om__answer_unref(found);
        begin_request(&r);
        assert_int_equal(r.now_s, start_s + s / 60 * 60);
        om_snapshot_unref(r.snapshot);
    }
    assert_int_equal(om__cache_stats(server.cache).invalidated, 150 - 59);
    om__answer_unref(dated);
    om__answer_unref(plain);
}

/* ---- threads */

enum { WRITERS = 2, READERS = 2, ROUNDS = 150 };
static atomic_bool stop;
static atomic_uint_least64_t told[WRITERS];  // n that was acknowledged

static struct om_box box_of(size_t w)
{
    const uint32_t x = LIVE_WEST + (uint32_t)(w + 1) * 9000000u;
    return (struct om_box){x, LIVE_NORTH, x + 1000, LIVE_NORTH + 1000};
}

static void *write_rows(void *ctx)
{
    const size_t w = (size_t)(uintptr_t)ctx;
    char id[16];
    snprintf(id, sizeof id, "t%zu", w);
    for (uint64_t n = 1; n <= ROUNDS; n++) {
        put_row("spot", id, (uint32_t)(w + 1) * 9000000u + 5, 7, (int64_t)n, 0);
        atomic_store(&told[w], n);
    }
    return NULL;
}

/* n of the writer's row in a snapshot. */
static uint64_t look(const struct om_snapshot *snapshot, size_t w)
{
    const struct om_layer *l = om_snapshot_layer(snapshot, "spot");
    struct om_text_reader reader = {0};
    char id[16];
    uint64_t n = 0;
    snprintf(id, sizeof id, "t%zu", w);
    for (size_t p = 0; p < l->parts; p++) {
        const struct om_part *part = &l->part[p];
        const struct om_column *c;
        size_t row;
        if (om_segment_find(part->segment, id, strlen(id), &reader, &row))
            continue;
        const size_t at = om_part_dead_from(part, row);
        if (at < part->dead_count && part->dead[at] == row) continue;
        if (!om_segment_column(part->segment, 1, row, row + 1, &c))
            n = (uint64_t)om_column_integer(c, row);
    }
    om_text_reader_deinit(&reader);
    return n;
}

static void *read_answers(void *ctx)
{
    size_t *found = ctx;
    while (!atomic_load(&stop))
        for (size_t w = 0; w < WRITERS; w++) {
            const uint64_t least = atomic_load(&told[w]), key = 100 + w;
            struct om__answer *answer =
                om__answer_find(&server, &key, sizeof key);
            if (!answer) {
                struct om__request r;
                begin_request(&r);
                om__needs_layer(&r, "spot", box_of(w));
                struct om_buf body = {0};
                const uint64_t n = look(r.snapshot, w);
                om_buf_add(&body, &n, sizeof n);
                if (om__answer_new(&r, &body, &om__head_json, false, &answer))
                    abort();
                om__cache_put(server.cache, &key, sizeof key, answer);
                om_snapshot_unref(r.snapshot);
            } else {
                ++*found;
            }
            uint64_t n;
            memcpy(&n, answer->body, sizeof n);
            if (n < least) {
                printf("# %llu after %llu\n", (unsigned long long)n,
                       (unsigned long long)least);
                abort();
            }
            om__answer_unref(answer);
        }
    return NULL;
}

static void threads_find_nothing_from_before_what_they_were_told(void **state)
{
    (void)state;
    pthread_t writer[WRITERS], reader[READERS];
    size_t found[READERS] = {0};
    stop = false;
    for (size_t i = 0; i < READERS; i++)
        pthread_create(&reader[i], NULL, read_answers, &found[i]);
    for (uintptr_t i = 0; i < WRITERS; i++)
        pthread_create(&writer[i], NULL, write_rows, (void *)i);
    for (size_t i = 0; i < WRITERS; i++) pthread_join(writer[i], NULL);
    stop = true;
    for (size_t i = 0; i < READERS; i++) pthread_join(reader[i], NULL);
    assert_true(found[0] + found[1] > 0);
    assert_true(om__cache_stats(server.cache).invalidated > 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_add_up_and_are_in_the_answer),
        cmocka_unit_test(model_is_current_until_something_is_written_there),
        cmocka_unit_test(beat_is_a_floor_for_any_moment),
        cmocka_unit_test(beat_ends_what_depends_on_the_moment_and_exactly_then),
        cmocka_unit_test(threads_find_nothing_from_before_what_they_were_told),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
