/* Archives of tiles.
 *
 * Plan
 *   id_*       the numbers of the specification; a curve without jumps, and
 * back pmtiles_*  read again by a reader of the test's own, with and without
 * leaves mbtiles_*  read again by SQLite resume_*   broken off and gone on
 * with: the same archive as in one go error_*    what is refused fault_*    the
 * n-th allocation fails
 */
#include "tests/folder.h"
#include "tiles/archive/archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <libdeflate.h>
#include <sqlite3.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "tiles/archive/tile_id.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    return test_folder("onemap-archive", folder, sizeof folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[4][256];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", folder, name);
    return path[at];
}

static const struct om_archive_about ABOUT = {
    .kind = OM_ARCHIVE_PNG,
    .zoom_min = 0,
    .zoom_max = 9,
    .bounds = {113.5, 22.6, 114.3, 23.2},
    .name = "东莞",
    .description = "a test",
    .metadata = "\"as_of\":\"2023-06-27\"",
    .identity = "one",
};

/* ---- ids ---------------------------------------------------------------- */

static void id_is_that_of_the_specification(void **state)
{
    (void)state;
    assert_int_equal(om_tile_id(0, 0, 0), 0);
    assert_int_equal(om_tile_id(1, 0, 0), 1);
    assert_int_equal(om_tile_id(1, 0, 1), 2);
    assert_int_equal(om_tile_id(1, 1, 1), 3);
    assert_int_equal(om_tile_id(1, 1, 0), 4);
    assert_int_equal(om_tile_id(2, 0, 0), 5);
    assert_int_equal(om_tile_id(12, 3423, 1763), 19078479);
    assert_int_equal(om_tile_id_first(26), UINT64_C(1501199875790165));
}

static void id_runs_without_jumps_and_back(void **state)
{
    (void)state;
    uint32_t px = 0, py = 0;
    for (uint64_t id = 0; id < om_tile_id_first(7); id++) {
        unsigned z;
        uint32_t x, y;
        om_tile_of_id(id, &z, &x, &y);
        assert_true(x < UINT32_C(1) << z && y < UINT32_C(1) << z);
        assert_int_equal(om_tile_id(z, x, y), id);
        if (id != om_tile_id_first(z))
            assert_int_equal(abs((int)x - (int)px) + abs((int)y - (int)py), 1);
        px = x;
        py = y;
    }
    for (uint32_t i = 0; i < 1000; i++) {
        const uint32_t x = (i * 2654435761u) >> 6, y = (i * 40503u * 997u) >> 6;
        unsigned z;
        uint32_t bx, by;
        om_tile_of_id(om_tile_id(26, x, y), &z, &bx, &by);
        assert_true(z == 26 && bx == x && by == y);
    }
}

/* ---- what is put in ------------------------------------------------------ */

/* The content of a tile: some are all alike, some empty, most their own. */
static size_t content_of(uint64_t id, char out[64])
{
    if (id % 13 == 5) return 0;
    if (id % 7 < 4) return (size_t)sprintf(out, "sea");
    if (id % 31 == 1) return (size_t)sprintf(out, "land");
    return (size_t)sprintf(out, "tile %llu", (unsigned long long)(id * id));
}

static om_status add_tiles(struct om_archive *a, uint64_t from, uint64_t upto)
{
    char bytes[64];
    om_status st = OM_OK;
    for (uint64_t id = from; id < upto && !st; id++)
        st = om_archive_add(a, id, bytes, content_of(id, bytes), NULL);
    return st;
}

static om_status write_archive(const char *path, enum om_archive_format format,
                               const struct om_archive_about *about,
                               uint64_t tiles)
{
    struct om_archive *a = NULL;
    uint64_t resume;
    om_status st = om_archive_open(path, format, about, &a, &resume, NULL);
    if (st) return st;
    assert_int_equal(resume, 0);
    st = add_tiles(a, 0, tiles);
    if (!st) st = om_archive_finish(a, NULL);
    om_archive_free(a);
    return st;
}

/* ---- a reader of PMTiles ------------------------------------------------- */

struct reader {
    struct om_buf file;
    uint64_t root[2], metadata[2], leaves[2], data[2];
    uint64_t tiles, entries, contents;
};

static uint64_t little(const uint8_t *at, int bytes)
{
    uint64_t v = 0;
    for (int i = bytes; i-- > 0;) v = v << 8 | at[i];
    return v;
}

static void reader_open(struct reader *r, const char *path)
{
    *r = (struct reader){0};
    assert_int_equal(om_file_read(path, SIZE_MAX, &r->file, NULL), OM_OK);
    const uint8_t *h = r->file.bytes;
    assert_memory_equal(h, "PMTiles\3", 8);
    for (int i = 0; i < 2; i++) {
        r->root[i] = little(h + 8 + 8 * i, 8);
        r->metadata[i] = little(h + 24 + 8 * i, 8);
        r->leaves[i] = little(h + 40 + 8 * i, 8);
        r->data[i] = little(h + 56 + 8 * i, 8);
    }
    r->tiles = little(h + 72, 8);
    r->entries = little(h + 80, 8);
    r->contents = little(h + 88, 8);
    assert_true(r->root[0] + r->root[1] <= 16384);
    assert_true(r->leaves[0] + r->leaves[1] <= r->file.len);
    assert_true(r->data[0] + r->data[1] <= r->file.len);
}

static size_t gunzip(const uint8_t *bytes, size_t len, uint8_t *out,
                     size_t room)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    size_t n = 0;
    assert_int_equal(libdeflate_gzip_decompress(d, bytes, len, out, room, &n),
                     0);
    libdeflate_free_decompressor(d);
    return n;
}

static uint64_t varint(const uint8_t **at)
{
    uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
        const uint8_t b = *(*at)++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) return v;
    }
}

/* Content of a tile, through root and leaf; NULL: none. */
static const uint8_t *find(const struct reader *r, uint64_t id, size_t *len)
{
    static uint8_t plain[1 << 20];
    uint64_t at = r->root[0], bytes = r->root[1];
    for (int depth = 0; depth < 2; depth++) {
        gunzip(r->file.bytes + at, bytes, plain, sizeof plain);
        const uint8_t *p = plain;
        const size_t n = varint(&p);
        uint64_t *entry = calloc(n + 1, 4 * sizeof *entry);
        uint64_t *ids = entry, *runs = entry + n, *lens = entry + 2 * n,
                 *offs = entry + 3 * n, last = 0;
        for (size_t i = 0; i < n; i++) ids[i] = last += varint(&p);
        for (size_t i = 0; i < n; i++) runs[i] = varint(&p);
        for (size_t i = 0; i < n; i++) lens[i] = varint(&p);
        for (size_t i = 0; i < n; i++) {
            const uint64_t o = varint(&p);
            offs[i] = o ? o - 1 : offs[i - 1] + lens[i - 1];
        }
        size_t i = n;
        while (i > 0 && ids[i - 1] > id) i--;
        const bool any = i > 0;
        const uint64_t run = any ? runs[i - 1] : 0;
        const uint64_t first = any ? ids[i - 1] : 0;
        const uint64_t length = any ? lens[i - 1] : 0;
        const uint64_t offset = any ? offs[i - 1] : 0;
        free(entry);
        if (!any) return NULL;
        if (run) {
            *len = length;
            return id < first + run ? r->file.bytes + r->data[0] + offset
                                    : NULL;
        }
        at = r->leaves[0] + offset;
        bytes = length;
    }
    fail_msg("a leaf in a leaf");
    return NULL;
}

static void check_tiles(const struct reader *r, uint64_t tiles, uint64_t step)
{
    char want[64];
    for (uint64_t id = 0; id < tiles + 10; id += step) {
        size_t len = 0;
        const size_t wanted = id < tiles ? content_of(id, want) : 0;
        const uint8_t *got = find(r, id, &len);
        assert_int_equal(got ? len : 0, wanted);
        if (wanted) assert_memory_equal(got, want, wanted);
    }
}

static void pmtiles_give_every_tile_back(void **state)
{
    (void)state;
    const char *path = path_of("small.pmtiles");
    struct reader r;
    assert_int_equal(write_archive(path, OM_ARCHIVE_PMTILES, &ABOUT, 3000),
                     OM_OK);
    reader_open(&r, path);
    assert_int_equal(r.leaves[1], 0);
    check_tiles(&r, 3000, 1);
    uint64_t tiles = 0, own = 0;
    char bytes[64];
    for (uint64_t id = 0; id < 3000; id++)
        if (content_of(id, bytes)) {
            tiles++;
            own += bytes[0] == 't';
        }
    assert_int_equal(r.tiles, tiles);
    assert_int_equal(r.contents, own + 2);
    assert_true(r.entries < r.tiles);  // runs of sea
    const uint8_t *h = r.file.bytes;
    assert_int_equal(h[96], 1);  // clustered
    assert_int_equal(h[97], 2);  // directories gzipped
    assert_int_equal(h[98], 1);  // PNG as it is
    assert_int_equal(h[99], 2);
    assert_int_equal(h[100], 0);
    assert_int_equal(h[101], 9);
    assert_int_equal((int32_t)little(h + 102, 4), 1135000000);
    assert_int_equal((int32_t)little(h + 114, 4), 232000000);
    uint8_t json[1000];
    const size_t n =
        gunzip(h + r.metadata[0], r.metadata[1], json, sizeof json);
    json_t *about = json_loadb((char *)json, n, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(about, "name")),
                        "东莞");
    assert_string_equal(json_string_value(json_object_get(about, "as_of")),
                        "2023-06-27");
    json_decref(about);
    om_buf_deinit(&r.file);
    assert_int_equal(access(path_of("small.pmtiles.part"), F_OK), -1);
    assert_int_equal(access(path_of("small.pmtiles.part.log"), F_OK), -1);
}

static void pmtiles_have_leaves_when_they_are_many(void **state)
{
    (void)state;
    const char *path = path_of("large.pmtiles");
    struct reader r;
    assert_int_equal(write_archive(path, OM_ARCHIVE_PMTILES, &ABOUT, 120000),
                     OM_OK);
    reader_open(&r, path);
    assert_true(r.leaves[1] > 0);
    check_tiles(&r, 120000, 1009);
    om_buf_deinit(&r.file);
}

static void pmtiles_may_be_empty(void **state)
{
    (void)state;
    const char *path = path_of("none.pmtiles");
    struct reader r;
    size_t len;
    assert_int_equal(write_archive(path, OM_ARCHIVE_PMTILES, &ABOUT, 0), OM_OK);
    reader_open(&r, path);
    assert_int_equal(r.tiles, 0);
    assert_null(find(&r, 0, &len));
    om_buf_deinit(&r.file);
}

/* ---- MBTiles --------------------------------------------------------------
 */

static void check_mbtiles(const char *path, uint64_t tiles)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    char want[64];
    uint64_t count = 0;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT * FROM tiles", -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        const unsigned z = (unsigned)sqlite3_column_int(s, 0);
        const uint32_t x = (uint32_t)sqlite3_column_int(s, 1);
        const uint32_t row = (uint32_t)sqlite3_column_int(s, 2);
        const size_t len =
            content_of(om_tile_id(z, x, (UINT32_C(1) << z) - 1 - row), want);
        assert_int_equal(sqlite3_column_bytes(s, 3), len);
        assert_memory_equal(sqlite3_column_blob(s, 3), want, len);
        count++;
    }
    sqlite3_finalize(s);
    uint64_t wanted = 0;
    for (uint64_t id = 0; id < tiles; id++) wanted += content_of(id, want) > 0;
    assert_int_equal(count, wanted);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT (SELECT value FROM metadata WHERE name = "
                           "'format'), (SELECT count(*) FROM metadata WHERE "
                           "name LIKE 'onemap%'), (SELECT count(*) FROM "
                           "images WHERE tile_data = CAST('sea' AS BLOB)), "
                           "(SELECT value FROM metadata WHERE name = 'bounds')",
                           -1, &s, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "png");
    assert_int_equal(sqlite3_column_int(s, 1), 0);
    assert_int_equal(sqlite3_column_int(s, 2), 1);
    assert_string_equal((const char *)sqlite3_column_text(s, 3),
                        "113.5000000,22.6000000,114.3000000,23.2000000");
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void mbtiles_give_every_tile_back(void **state)
{
    (void)state;
    const char *path = path_of("small.mbtiles");
    assert_int_equal(write_archive(path, OM_ARCHIVE_MBTILES, &ABOUT, 3000),
                     OM_OK);
    check_mbtiles(path, 3000);
}

/* ---- breaking off ---------------------------------------------------------
 */

/* Up to `kept` is kept, some more are added and lost. */
static void break_off(const char *path, enum om_archive_format format,
                      uint64_t from, uint64_t kept, uint64_t upto)
{
    struct om_archive *a = NULL;
    uint64_t resume;
    assert_int_equal(om_archive_open(path, format, &ABOUT, &a, &resume, NULL),
                     OM_OK);
    assert_int_equal(resume, from);
    assert_int_equal(add_tiles(a, resume, kept), OM_OK);
    assert_int_equal(om_archive_keep(a, kept - 1, NULL), OM_OK);
    assert_int_equal(add_tiles(a, kept, upto), OM_OK);
    om_archive_free(a);
}

static void go_on(const char *path, enum om_archive_format format,
                  uint64_t from, uint64_t tiles)
{
    struct om_archive *a = NULL;
    uint64_t resume;
    assert_int_equal(om_archive_open(path, format, &ABOUT, &a, &resume, NULL),
                     OM_OK);
    assert_int_equal(resume, from);
    assert_int_equal(add_tiles(a, resume, tiles), OM_OK);
    assert_int_equal(om_archive_finish(a, NULL), OM_OK);
    om_archive_free(a);
}

static void spoil_end(const char *path, const char *with)
{
    FILE *f = fopen(path, "ab");
    assert_non_null(f);
    fputs(with, f);
    fclose(f);
}

static void resume_gives_the_same_bytes(void **state)
{
    (void)state;
    const char *path = path_of("resumed.pmtiles");
    break_off(path, OM_ARCHIVE_PMTILES, 0, 1000, 1700);
    // What the dying process wrote last is half a line, and half a tile.
    spoil_end(path_of("resumed.pmtiles.part.log"), "half a line of the log");
    spoil_end(path_of("resumed.pmtiles.part"), "half a ti");
    break_off(path, OM_ARCHIVE_PMTILES, 1000, 1001, 1005);
    break_off(path, OM_ARCHIVE_PMTILES, 1001, 2500, 2500);
    go_on(path, OM_ARCHIVE_PMTILES, 2500, 3000);
    const char *whole = path_of("whole.pmtiles");
    assert_int_equal(write_archive(whole, OM_ARCHIVE_PMTILES, &ABOUT, 3000),
                     OM_OK);
    struct om_buf a = {0}, b = {0};
    assert_int_equal(om_file_read(path, SIZE_MAX, &a, NULL), OM_OK);
    assert_int_equal(om_file_read(whole, SIZE_MAX, &b, NULL), OM_OK);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.bytes, b.bytes, a.len);
    om_buf_deinit(&a);
    om_buf_deinit(&b);
}

static void resume_refuses_a_log_of_more_than_there_is(void **state)
{
    (void)state;
    const char *path = path_of("short.pmtiles");
    break_off(path, OM_ARCHIVE_PMTILES, 0, 500, 500);
    break_off(path, OM_ARCHIVE_PMTILES, 500, 1000, 1000);
    // The tiles did not reach the disk, the log did.
    struct om_buf part = {0};
    assert_int_equal(
        om_file_read(path_of("short.pmtiles.part"), SIZE_MAX, &part, NULL),
        OM_OK);
    assert_int_equal(
        truncate(path_of("short.pmtiles.part"), (off_t)part.len - 1), 0);
    om_buf_deinit(&part);
    go_on(path, OM_ARCHIVE_PMTILES, 500, 1500);
    struct reader r;
    reader_open(&r, path);
    check_tiles(&r, 1500, 1);
    om_buf_deinit(&r.file);
}

static void resume_works_for_mbtiles(void **state)
{
    (void)state;
    const char *path = path_of("resumed.mbtiles");
    break_off(path, OM_ARCHIVE_MBTILES, 0, 1000, 1700);
    break_off(path, OM_ARCHIVE_MBTILES, 1000, 2000, 2100);
    go_on(path, OM_ARCHIVE_MBTILES, 2000, 3000);
    check_mbtiles(path, 3000);
}

static void resume_begins_anew_for_another_export(void **state)
{
    (void)state;
    struct om_archive_about other = ABOUT;
    other.identity = "another";
    for (int format = 0; format < 2; format++) {
        const char *path = path_of(format ? "other.mbtiles" : "other.pmtiles");
        break_off(path, (enum om_archive_format)format, 0, 1000, 1000);
        struct om_archive *a = NULL;
        uint64_t resume = 7;
        assert_int_equal(om_archive_open(path, (enum om_archive_format)format,
                                         &other, &a, &resume, NULL),
                         OM_OK);
        assert_int_equal(resume, 0);
        assert_int_equal(om_archive_stats(a).tiles, 0);
        om_archive_free(a);
    }
}

/* ---- refusals -------------------------------------------------------------
 */

static void error_says_what_and_leaves_the_rest(void **state)
{
    (void)state;
    struct om_archive *a = NULL;
    struct om_err err = {0};
    uint64_t resume;
    assert_int_equal(om_archive_open("/nowhere/a.pmtiles", OM_ARCHIVE_PMTILES,
                                     &ABOUT, &a, &resume, &err),
                     OM_E_IO);
    assert_non_null(strstr(err.text, "/nowhere/a.pmtiles"));
    assert_int_equal(om_archive_open("/nowhere/a.mbtiles", OM_ARCHIVE_MBTILES,
                                     &ABOUT, &a, &resume, &err),
                     OM_E_IO);
    for (int format = 0; format < 2; format++) {
        const char *path = path_of(format ? "order.mbtiles" : "order.pmtiles");
        assert_int_equal(om_archive_open(path, (enum om_archive_format)format,
                                         &ABOUT, &a, &resume, &err),
                         OM_OK);
        assert_int_equal(om_archive_add(a, 7, "a", 1, &err), OM_OK);
        assert_int_equal(om_archive_add(a, 7, "a", 1, &err), OM_E_RANGE);
        assert_int_equal(om_archive_add(a, 6, "a", 1, &err), OM_E_RANGE);
        assert_int_equal(om_archive_stats(a).tiles, 1);
        om_archive_free(a);
        assert_int_equal(access(path, F_OK), -1);
    }
    enum om_archive_format format;
    assert_true(om_archive_format_of("a.pmtiles", &format) &&
                format == OM_ARCHIVE_PMTILES);
    assert_true(om_archive_format_of("b/a.mbtiles", &format) &&
                format == OM_ARCHIVE_MBTILES);
    assert_false(om_archive_format_of(".pmtiles", &format));
    assert_false(om_archive_format_of("a.zip", &format));
}

static void fault_leaves_nothing(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    for (int format = 0; format < 2; format++)
        for (size_t n = 1;; n++) {
            const char *path = path_of(format ? "f.mbtiles" : "f.pmtiles");
            struct om_archive_about about = ABOUT;
            char identity[32];
            snprintf(identity, sizeof identity, "%zu", n);
            about.identity = identity;
            om_alloc_fail_after(n, false);
            const om_status st = write_archive(
                path, (enum om_archive_format)format, &about, 300);
            om_alloc_fail_after(0, false);
            assert_int_equal(om_alloc_live(), before);
            if (!st) break;
            assert_int_equal(st, OM_E_MEMORY);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_is_that_of_the_specification),
        cmocka_unit_test(id_runs_without_jumps_and_back),
        cmocka_unit_test(pmtiles_give_every_tile_back),
        cmocka_unit_test(pmtiles_have_leaves_when_they_are_many),
        cmocka_unit_test(pmtiles_may_be_empty),
        cmocka_unit_test(mbtiles_give_every_tile_back),
        cmocka_unit_test(resume_gives_the_same_bytes),
        cmocka_unit_test(resume_refuses_a_log_of_more_than_there_is),
        cmocka_unit_test(resume_works_for_mbtiles),
        cmocka_unit_test(resume_begins_anew_for_another_export),
        cmocka_unit_test(error_says_what_and_leaves_the_rest),
        cmocka_unit_test(fault_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
