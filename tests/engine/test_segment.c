/* Damaged layer files: refused or answered right, never wrong, never a crash.
 *
 * Plan
 *   flip_*      every byte of a small file and of its unit file changed once:
 *               an error or the same answers, and verify finds each
 *   cut_*       every shorter length is refused when it is opened
 *   forged_*    the same changes with the checksums made to fit: no crash
 *   version_*   another version or byte order is another error
 *   verify_*    figures that the columns contradict are found and counted
 *   handle_*    counted, with a serial of its own, read from many threads
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "data/base/alloc.h"
#include "data/base/buf.h"
#include "data/base/thread.h"
#include "engine/layer/build_internal.h"
#include "tests/engine/layer_read.h"
#include "tests/rounds.h"

enum { ROWS = 110, BLOCK_BYTES = 128 };

struct files {
    char path[256], units[256];
    struct om_buf bytes, unit_bytes;
    uint64_t answer;  // hash of everything that the intact files say
};

static void write_file(const char *path, const void *bytes, size_t len)
{
    // In place: some file systems wait for the disk when a file that was cut
    // to nothing is closed.
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(om_fd_write(fd, bytes, len, path, NULL), OM_OK);
    assert_int_equal(ftruncate(fd, (off_t)len), 0);
    close(fd);
}

static int make_files(void **state)
{
    struct files *f = om_calloc(1, sizeof *f);
    sample_path(f->path, "sample");
    sample_path(f->units, "units");
    const struct om_schema schema = sample_schema();
    struct om_builder *b;
    struct om_segment *s;
    struct sample_row row[ROWS];
    for (size_t i = 0; i < ROWS; i++) row[i] = sample_row(5, i);
    assert_int_equal(om_builder_new(&schema, &b), OM_OK);
    om__builder_set_block_bytes(b, BLOCK_BYTES);
    assert_int_equal(sample_add(b, row, ROWS, ROWS), OM_OK);
    assert_int_equal(om_builder_write(b, f->path, NULL, NULL), OM_OK);
    om_builder_free(b);
    uint32_t unit[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        unit[i] = i % 5 ? (uint32_t)(i % 2) : OM_NO_UNIT;
    const uint32_t offset[] = {0, 1, 2};
    const struct om_unit_column column = {.name = "town",
                                          .unit = unit,
                                          .ids = 2,
                                          .id_offset = offset,
                                          .id_bytes = "ab"};
    assert_int_equal(om_segment_open(f->path, NULL, &s, NULL), OM_OK);
    assert_int_equal(om_units_write(f->units, s, &column, 1, NULL), OM_OK);
    om_segment_unref(s);
    assert_int_equal(om_file_read(f->path, 1 << 24, &f->bytes, NULL), OM_OK);
    assert_int_equal(om_file_read(f->units, 1 << 24, &f->unit_bytes, NULL),
                     OM_OK);
    assert_int_equal(layer_read_files(f->path, f->units, &f->answer), OM_OK);
    *state = f;
    return 0;
}

static int remove_files(void **state)
{
    struct files *f = *state;
    sample_remove(f->path);
    sample_remove(f->units);
    om_buf_deinit(&f->bytes);
    om_buf_deinit(&f->unit_bytes);
    om_free(f);
    return 0;
}

/* 0: refused; 1: same answers; else wrong. */
static int outcome(const struct files *f)
{
    uint64_t answer = 0;
    const om_status st = layer_read_files(f->path, f->units, &answer);
    assert_true(st == OM_OK || st == OM_E_DAMAGED || st == OM_E_VERSION);
    return st ? 0 : answer == f->answer ? 1 : 2;
}

static bool verify_finds(const struct files *f)
{
    struct om_segment *s;
    struct om_verify verify;
    struct om_err err = {0};
    if (om_segment_open(f->path, f->units, &s, &err)) return true;
    const om_status st = om_segment_verify(s, &verify, &err);
    om_segment_unref(s);
    assert_true(st == OM_OK || st == OM_E_DAMAGED);
    assert_true((st != OM_OK) == (verify.bad_blocks > 0));
    return st != OM_OK;
}

/* Change bytes of a file in place: `path` holds `bytes`. */
static void flip_all(const struct files *f, const char *path,
                     const struct om_buf *bytes)
{
    const int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    for (size_t i = 0; i < bytes->len; i++) {
        const uint8_t flipped = bytes->bytes[i] ^ (uint8_t)(1u << i % 8);
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
        assert_true(outcome(f) < 2);
        assert_true(verify_finds(f));
        assert_int_equal(pwrite(fd, bytes->bytes + i, 1, (off_t)i), 1);
    }
    close(fd);
    assert_int_equal(outcome(f), 1);
    assert_false(verify_finds(f));
}

static void flip_of_any_byte_gives_no_wrong_answer(void **state)
{
    const struct files *f = *state;
    if (test_for_races()) skip();
    om_threads_set(1);
    flip_all(f, f->path, &f->bytes);
    flip_all(f, f->units, &f->unit_bytes);
    om_threads_set(0);
}

static void cut_at_any_length_is_refused(void **state)
{
    const struct files *f = *state;
    for (size_t len = f->bytes.len; len-- > 0;) {
        struct om_segment *s;
        assert_int_equal(truncate(f->path, (off_t)len), 0);
        assert_int_equal(om_segment_open(f->path, NULL, &s, NULL),
                         OM_E_DAMAGED);
    }
    write_file(f->path, f->bytes.bytes, f->bytes.len);
    struct om_segment *s;
    uint8_t *longer = om_calloc(1, f->bytes.len + 8);
    memcpy(longer, f->bytes.bytes, f->bytes.len);
    write_file(f->path, longer, f->bytes.len + 8);
    assert_int_equal(om_segment_open(f->path, NULL, &s, NULL), OM_E_DAMAGED);
    om_free(longer);
    write_file(f->path, f->bytes.bytes, f->bytes.len);
}

static void forged_checksums_do_not_crash(void **state)
{
    const struct files *f = *state;
    if (test_for_races()) skip();
    uint8_t *bytes = om_alloc(f->bytes.len);
    uint64_t random = 1, answer;
    om_threads_set(1);
    for (size_t i = 0; i < 2 * f->bytes.len; i++) {
        memcpy(bytes, f->bytes.bytes, f->bytes.len);
        const uint64_t v = sample_random(&random);
        const size_t at = i < f->bytes.len ? i : v % f->bytes.len;
        bytes[at] = i % 2 ? 0xFF : (uint8_t)(v >> 40);
        if (!om__file_reseal(bytes, f->bytes.len)) continue;
        write_file(f->path, bytes, f->bytes.len);
        const om_status st = layer_read_files(f->path, NULL, &answer);
        assert_int_not_equal(st, OM_E_MEMORY);
    }
    om_threads_set(0);
    om_free(bytes);
    write_file(f->path, f->bytes.bytes, f->bytes.len);
}

static void version_or_byte_order_of_others_is_refused(void **state)
{
    const struct files *f = *state;
    const size_t at[] = {offsetof(struct om__file_header, version),
                         offsetof(struct om__file_header, order)};
    for (size_t i = 0; i < 2; i++) {
        struct om_segment *s;
        uint8_t *bytes = om_alloc(f->bytes.len);
        memcpy(bytes, f->bytes.bytes, f->bytes.len);
        bytes[at[i]]++;
        om__file_reseal(bytes, f->bytes.len);
        write_file(f->path, bytes, f->bytes.len);
        assert_int_equal(om_segment_open(f->path, NULL, &s, NULL),
                         OM_E_VERSION);
        om_free(bytes);
    }
    write_file(f->path, f->bytes.bytes, f->bytes.len);
    struct om_segment *s;
    assert_int_equal(om_segment_open(f->units, NULL, &s, NULL), OM_E_DAMAGED);
    assert_int_equal(om_segment_open("/nonexistent", NULL, &s, NULL),
                     OM_E_NOTFOUND);
}

/* One byte of a section changed, checksums made to fit: what verify says. */
static struct om_verify verify_changed(const struct files *f,
                                       enum om__section_kind kind,
                                       uint32_t number, size_t at)
{
    struct om__file file;
    struct om__view view;
    assert_int_equal(om__file_open(&file, f->path, OM__FILE_SEGMENT, NULL),
                     OM_OK);
    assert_true(om__file_view(&file, kind, number, &view));
    const size_t offset = (size_t)(view.bytes - file.map.bytes) + at;
    om__file_close(&file);
    uint8_t *bytes = om_alloc(f->bytes.len);
    memcpy(bytes, f->bytes.bytes, f->bytes.len);
    bytes[offset] ^= 1;
    assert_true(om__file_reseal(bytes, f->bytes.len));
    write_file(f->path, bytes, f->bytes.len);
    struct om_segment *s;
    struct om_verify verify;
    struct om_err err = {0};
    assert_int_equal(om_segment_open(f->path, NULL, &s, &err), OM_OK);
    assert_int_equal(om_segment_verify(s, &verify, &err), OM_E_DAMAGED);
    assert_int_equal(err.code, OM_E_DAMAGED);
    om_segment_unref(s);
    om_free(bytes);
    write_file(f->path, f->bytes.bytes, f->bytes.len);
    return verify;
}

static void verify_recomputes_what_is_derived(void **state)
{
    const struct files *f = *state;
    struct om_verify v;
    v = verify_changed(f, OM__SECTION_SUM, SAMPLE_SMALL, 8);
    assert_true(v.bad_sums > 0 && v.bad_blocks == 0);
    v = verify_changed(f, OM__SECTION_BLOCK_MIN, SAMPLE_REAL, 0);
    assert_true(v.bad_sums > 0 && v.bad_blocks == 0);
    v = verify_changed(f, OM__SECTION_BLOCK_MAX, SAMPLE_KIND, 0);
    assert_true(v.bad_sums > 0);
    v = verify_changed(f, OM__SECTION_DATA, SAMPLE_SMALL, 6);
    assert_true(v.bad_sums > 0);
    v = verify_changed(f, OM__SECTION_CELL_X, 0, 0);
    assert_true(v.bad_cells == 1 && v.bad_sums == 0);
    v = verify_changed(f, OM__SECTION_ID_MARK, 0, 0);
    assert_true(v.bad_ids == 1 && v.bad_cells == 0);
    v = verify_changed(f, OM__SECTION_WORD_BYTES, SAMPLE_STREET, 15);
    assert_true(v.bad_order > 0);
    v = verify_changed(f, OM__SECTION_META, 0, offsetof(struct om__meta, box));
    assert_int_equal(v.bad_cells, 1);
}

static void *read_in_thread(void *arg)
{
    uint64_t answer = 0;
    const om_status st = layer_read(arg, &answer);
    return (void *)(uintptr_t)(st ? 0 : answer);
}

static void handle_is_counted_and_read_from_many_threads(void **state)
{
    const struct files *f = *state;
    struct om_segment *s, *other;
    assert_int_equal(om_segment_open(f->path, f->units, &s, NULL), OM_OK);
    assert_int_equal(om_segment_open(f->path, NULL, &other, NULL), OM_OK);
    assert_true(om_segment_serial(s) != om_segment_serial(other));
    assert_true(om_segment_bytes(s) == f->bytes.len + f->unit_bytes.len);
    om_segment_unref(other);
    om_segment_drop_pages(s);
    pthread_t thread[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            pthread_create(&thread[i], NULL, read_in_thread, om_segment_ref(s)),
            0);
    for (size_t i = 0; i < 4; i++) {
        void *answer;
        pthread_join(thread[i], &answer);
        assert_true((uintptr_t)answer == f->answer);
        om_segment_unref(s);
    }
    om_segment_unref(s);
}

static void handle_refuses_what_is_out_of_range(void **state)
{
    const struct files *f = *state;
    struct om_segment *s;
    const struct om_column *c;
    const uint64_t *key;
    struct om_rings rings;
    struct om_text_reader reader = {0};
    const char *text;
    size_t len;
    assert_int_equal(om_segment_open(f->path, NULL, &s, NULL), OM_OK);
    assert_int_equal(om_segment_keys(s, 0, ROWS + 1, &key), OM_E_RANGE);
    assert_int_equal(om_segment_keys(s, 2, 1, &key), OM_E_RANGE);
    assert_int_equal(om_segment_column(s, 99, 0, 1, &c), OM_E_RANGE);
    assert_int_equal(om_segment_column(s, 0, 0, ROWS + 1, &c), OM_E_RANGE);
    assert_int_equal(om_segment_text(s, 0, ROWS, &reader, &text, &len),
                     OM_E_RANGE);
    assert_int_equal(om_segment_text(s, SAMPLE_REAL, 0, &reader, &text, &len),
                     OM_E_TYPE);
    assert_int_equal(om_segment_rings(s, 0, 1, &rings), OM_E_TYPE);
    om_text_reader_deinit(&reader);
    om_segment_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flip_of_any_byte_gives_no_wrong_answer),
        cmocka_unit_test(cut_at_any_length_is_refused),
        cmocka_unit_test(forged_checksums_do_not_crash),
        cmocka_unit_test(version_or_byte_order_of_others_is_refused),
        cmocka_unit_test(verify_recomputes_what_is_derived),
        cmocka_unit_test(handle_is_counted_and_read_from_many_threads),
        cmocka_unit_test(handle_refuses_what_is_out_of_range),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
