// Plan
//   A model of what is told of forty rows, through random writes, looks,
//   compactions (some of which come to nothing after the file was written) and
//   starts:
//     a start tells what was told last, to the row
//     of two tellings, whatever is between them, rows that differ are none, or
//     as many as must change together
//   A file that is cut off, has a bit that is another, or is of another city is
//   none, and the next one is whole again
//   A still that cannot be written is not told
#include <stdint.h>

#include "engine/policy/still.h"
#include "engine/policy/still_file.h"
#include "engine/snapshot_internal.h"
#include "tests/engine/live_writer.h"

#define IDS 40
#define LEAST 5
#define ROUNDS 500

struct teller {
    struct om_still_file *file;
    struct om_city *city;
    struct om_live *live;
    struct om_snapshot *still;
    bool cut;  // the next compaction ends before its commit
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void make_personal(size_t rows)
{
    char text[2048];
    live_city(folder, rows);
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":1,\"layers\":["
             "{\"name\":\"spot\",\"personal\":true," LIVE_COLUMNS
             ",\"base_commit\":1,\"parts\":[{\"file\":"
             "\"layers/spot-1.seg\",\"rows\":%zu}]},"
             "{\"name\":\"other\"," LIVE_COLUMNS ",\"base_commit\":1}]}",
             rows);
    live_commit(folder, text);
}

/* n of each id as it is told; -1: it is not. */
static void read_told(const struct om_snapshot *still, int64_t out[IDS])
{
    const struct om_layer *l = om_snapshot_layer(still, "spot");
    struct om_text_reader reader = {0};
    for (size_t i = 0; i < IDS; i++) out[i] = -1;
    for (size_t p = 0; p < l->parts; p++) {
        const struct om_part *part = &l->part[p];
        const size_t rows = om_segment_rows(part->segment);
        const struct om_column *n;
        assert_int_equal(om_segment_column(part->segment, 1, 0, rows, &n),
                         OM_OK);
        for (size_t r = 0; r < rows; r++) {
            const char *id;
            size_t len;
            char text[32];
            if (om__part_is_dead(part, r)) continue;
            assert_int_equal(
                om_segment_text(part->segment, 0, r, &reader, &id, &len),
                OM_OK);
            snprintf(text, sizeof text, "%.*s", (int)len, id);
            if (text[0] != 'c') continue;
            const size_t at = strtoul(text + 1, NULL, 10);
            assert_true(at < IDS && out[at] == -1);
            out[at] = om_column_integer(n, r);
        }
    }
    om_text_reader_deinit(&reader);
}

static size_t differing(const int64_t a[IDS], const int64_t b[IDS])
{
    size_t n = 0;
    for (size_t i = 0; i < IDS; i++) n += a[i] != b[i];
    return n;
}

static om_status look(struct teller *t)
{
    struct om_snapshot *newest = om_city_snapshot(t->city), *still = NULL;
    struct om_still_figures figures;
    assert_int_equal(
        om_still_next(t->still, t->city, newest, LEAST, NULL, &still, &figures),
        OM_OK);
    const om_status st = om_still_file_write(t->file, still, newest, NULL);
    om_snapshot_unref(newest);
    if (st) {
        om_snapshot_unref(still);
        return st;
    }
    om_snapshot_unref(t->still);
    t->still = still;
    return OM_OK;
}

static om_status moving(void *ctx, const struct om_manifest *next,
                        struct om_err *err)
{
    struct teller *t = ctx;
    assert_int_equal(om_still_file_expect(t->file, next), OM_OK);
    const om_status st = look(t);
    return st || t->cut ? om_fail(err, OM_E_IO, 0, "cut off") : OM_OK;
}

static void start(struct teller *t)
{
    struct om_err err = {0};
    struct om_live_options options = {
        .moving = moving, .moving_ctx = t, .no_compaction = true};
    if (om_still_open(folder, &t->file, &t->city, &t->still, &err))
        fail_msg("%s", err.text);
    if (om_live_open(t->city, &options, &t->live, &err))
        fail_msg("%s", err.text);
}

static void stop(struct teller *t)
{
    om_live_close(t->live);
    om_snapshot_unref(t->still);
    om_still_file_free(t->file);
    om_city_close(t->city);
    *t = (struct teller){0};
}

static void put(struct teller *t, const char *layer, size_t id, int64_t n)
{
    char text[32];
    struct live_batch b = {0};
    snprintf(text, sizeof text, "c%zu", id);
    live_row(&b, text, (uint32_t)id, 7, n < 0 ? 0 : n);
    struct om_write w = {.layer = layer,
                         .kind = n < 0 ? OM_WRITE_DELETE : OM_WRITE_PUT,
                         .batch = live_batch(&b)};
    const om_status st = om_live_write_wait(t->live, &w);
    assert_true(st == OM_OK || (n < 0 && st == OM_E_NOTFOUND));
    live_batch_free(&b);
}

static void run_model(uint64_t seed)
{
    struct teller t = {0};
    int64_t told[IDS], now[IDS];
    size_t releases = 0, starts = 0, held = 0;
    make_personal(30);
    start(&t);
    assert_null(t.still);
    assert_int_equal(look(&t), OM_OK);
    read_told(t.still, told);
    for (size_t i = 0; i < ROUNDS; i++) {
        const uint64_t what = next_random(&seed) % 100;
        const size_t id = next_random(&seed) % IDS;
        if (what < 60) {
            put(&t, "spot", id, (int64_t)(next_random(&seed) % 9) - 2);
        } else if (what < 65) {
            put(&t, "other", id, 1);
        } else if (what < 80) {
            assert_int_equal(look(&t), OM_OK);
        } else if (what < 90) {
            t.cut = next_random(&seed) % 3 == 0;
            (void)!om_live_compact(t.live, NULL);
            t.cut = false;
        } else {
            read_told(t.still, told);
            stop(&t);
            start(&t);
            assert_non_null(t.still);
            read_told(t.still, now);
            assert_int_equal(differing(told, now), 0);
            starts++;
            continue;
        }
        read_told(t.still, now);
        const size_t changed = differing(told, now);
        if (changed && changed < LEAST)
            fail_msg("round %zu: %zu rows were told", i, changed);
        releases += changed > 0;
        memcpy(told, now, sizeof told);
        struct om_snapshot *newest = om_city_snapshot(t.city);
        read_told(newest, now);
        held += differing(told, now) > 0;
        om_snapshot_unref(newest);
    }
    // Or nothing was tried.
    assert_true(releases > 10 && starts > 20 && held > 80);
    stop(&t);
    assert_int_equal(remove_folder(NULL), 0);
    assert_int_equal(make_folder(NULL), 0);
}

static void told_past_starts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) run_model(seed);
}

static void damage(size_t at, bool cut)
{
    char path[128];
    struct om_buf bytes = {0};
    snprintf(path, sizeof path, "%s/%s", folder, OM_STILL_FILE);
    assert_int_equal(om_file_read(path, 1 << 20, &bytes, NULL), OM_OK);
    at %= bytes.len;
    bytes.bytes[at] ^= 16;
    assert_int_equal(
        om_file_write_whole(path, bytes.bytes, cut ? at : bytes.len, NULL),
        OM_OK);
    om_buf_deinit(&bytes);
}

static void damaged_files(void **state)
{
    struct teller t = {0};
    (void)state;
    make_personal(30);
    start(&t);
    for (size_t i = 0; i < 20; i++) {
        // One row that waits, or the file is empty.
        assert_int_equal(look(&t), OM_OK);
        put(&t, "spot", 1, 50 + (int64_t)i);
        assert_int_equal(look(&t), OM_OK);
        stop(&t);
        start(&t);
        assert_non_null(t.still);
        stop(&t);
        damage(i * 37, i % 2);
        start(&t);
        assert_null(t.still);
    }
    stop(&t);
}

static void not_written_not_told(void **state)
{
    struct teller t = {0};
    int64_t told[IDS], now[IDS];
    (void)state;
    make_personal(30);
    start(&t);
    assert_int_equal(look(&t), OM_OK);
    read_told(t.still, told);
    for (size_t i = 0; i < LEAST; i++) put(&t, "spot", i, 3);
    for (enum om_file_call call = OM_FILE_WRITE; call <= OM_FILE_RENAME;
         call++) {
        om_file_fail_after(call, 1, 28, false);
        assert_int_not_equal(look(&t), OM_OK);
        om_file_fail_after(call, 0, 0, false);
        read_told(t.still, now);
        assert_int_equal(differing(told, now), 0);
    }
    assert_int_equal(look(&t), OM_OK);
    read_told(t.still, now);
    assert_int_equal(differing(told, now), LEAST);
    stop(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(told_past_starts, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(damaged_files, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(not_written_not_told, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
