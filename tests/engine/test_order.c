/* The Morton order: sorting, cells, and where a code begins.
 *
 * Plan
 *   morton_*  codes go there and back; a tile is one range of codes
 *   sort_*    the same as a stable qsort, whatever the keys and threads
 *   cells_*   the same as counting by hand
 *   range_*   the same as looking at every row, stray points or not
 *   fault_*   no memory: a status, nothing lost
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "tests/engine/layer_sample.h"
#include "tests/rounds.h"

static void morton_codes_go_there_and_back(void **state)
{
    (void)state;
    uint64_t s = 1;
    for (int i = 0; i < 100000; i++) {
        const uint64_t v = sample_random(&s);
        const struct om_pos pos = {(uint32_t)v, (uint32_t)(v >> 32)};
        const struct om_pos back = om_morton_pos(om_morton(pos));
        assert_true(back.x == pos.x && back.y == pos.y);
        assert_true(om_morton(om_morton_pos(v)) == v);
    }
}

static void morton_codes_of_a_tile_are_one_range(void **state)
{
    (void)state;
    uint64_t s = 2;
    for (int i = 0; i < 20000; i++) {
        const unsigned z = (unsigned)(sample_random(&s) % 33);
        const struct om_pos a = om_morton_pos(sample_random(&s));
        const struct om_pos b = om_morton_pos(sample_random(&s));
        const uint32_t shift = 32 - z;
        const bool same_tile = z == 0 || (a.x >> shift == b.x >> shift &&
                                          a.y >> shift == b.y >> shift);
        const bool same_code =
            z == 0 || om_morton(a) >> 2 * shift == om_morton(b) >> 2 * shift;
        assert_int_equal(same_tile, same_code);
    }
}

struct pair {
    uint64_t key;
    uint32_t row;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Kinds of keys that a sort may stumble over. */
enum {
    KEYS_ANY,
    KEYS_CITY,
    KEYS_STRAY,
    KEYS_EQUAL,
    KEYS_FEW,
    KEYS_FALLING,
    KEYS_RISING,
    KEYS_SEAM,
    KEYS_KINDS
};

static uint64_t make_key(int kind, size_t i, size_t n, uint64_t *s)
{
    const uint64_t v = sample_random(s);
    const struct om_pos near = {0xD1000000u + (uint32_t)(v & 0x7FFFF),
                                0x6F000000u + (uint32_t)(v >> 32 & 0x7FFFF)};
    switch (kind) {
        case KEYS_ANY:
            return v;
        case KEYS_STRAY:
            if (i == n / 2) return 0;
            if (i == n / 3) return UINT64_MAX;
            return om_morton(near);
        case KEYS_EQUAL:
            return om_morton((struct om_pos){0xD1000000u, 0x6F000000u});
        case KEYS_FEW:
            return UINT64_C(0x8000000000000001) * (v % 2) +
                   (v >> 20 & 3) * 4096;
        case KEYS_FALLING:
            return (n - i) * 1000;
        case KEYS_RISING:
            return i * 1000;
        case KEYS_SEAM:  // on both sides of the greatest seam, as London lies
            return om_morton((struct om_pos){
                0x80000000u + (uint32_t)(v & 0x7FFFF) - 0x40000u,
                0x55000000u + (uint32_t)(v >> 32 & 0x7FFFF)});
        default:
            return om_morton(near);
    }
}

static void sort_and_compare(int kind, size_t n)
{
    uint64_t s = 77 + (uint64_t)kind;
    uint64_t *key = om_alloc_array(2 * n + 1, sizeof *key);
    uint32_t *row = om_alloc_array(2 * n + 1, sizeof *row);
    struct pair *pair = om_alloc_array(n + 1, sizeof *pair);
    assert_true(key && row && pair);
    for (size_t i = 0; i < n; i++) {
        key[i] = make_key(kind, i, n, &s);
        row[i] = (uint32_t)i;
        pair[i] = (struct pair){key[i], row[i]};
    }
    qsort(pair, n, sizeof *pair, compare_pairs);
    assert_int_equal(om_sort_keys(key, row, key + n, row + n, n), OM_OK);
    for (size_t i = 0; i < n; i++)
        assert_true(key[i] == pair[i].key && row[i] == pair[i].row);
    om_free(key);
    om_free(row);
    om_free(pair);
}

static void sort_is_a_stable_sort(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2, 3, 1000, 65536, 200001};
    const size_t threads[] = {1, 2, 5};
    for (size_t t = 0; t < 3; t++) {
        om_threads_set(threads[t]);
        for (int kind = 0; kind < KEYS_KINDS; kind++)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                sort_and_compare(kind, sizes[i]);
    }
    om_threads_set(0);
}

static uint64_t code_at(uint64_t key, unsigned level)
{
    return level == 0 ? 0 : key >> (64 - 2 * level);
}

/* Mean position in exact integers: floor(65536 * (2 sum + n) / (2 n side)). */
static uint16_t exact_mean(uint64_t sum, uint64_t n, unsigned level)
{
    const unsigned bits = 32 - level;
    // The fraction in two steps, so that nothing overflows 64 bits.
    const uint64_t whole = (2 * sum + n) / (2 * n);
    const uint64_t rest = (2 * sum + n) % (2 * n);
    if (bits >= 16) return (uint16_t)(whole >> (bits - 16));
    return (uint16_t)((whole << (16 - bits)) + (rest << (16 - bits)) / (2 * n));
}

static void check_cells(const uint64_t *key, size_t n, unsigned level)
{
    struct om_arena arena = {0};
    struct om_cells c;
    assert_int_equal(om_cells_build(key, n, level, &arena, &c), OM_OK);
    assert_int_equal(c.level, level);
    size_t cell = 0;
    for (size_t i = 0; i < n; cell++) {
        const uint64_t code = code_at(key[i], level);
        uint64_t x = 0, y = 0;
        size_t end = i;
        const uint32_t mask = level == 32 ? 0 : UINT32_MAX >> level;
        for (; end < n && code_at(key[end], level) == code; end++) {
            x += om_morton_pos(key[end]).x & mask;
            y += om_morton_pos(key[end]).y & mask;
        }
        assert_true(cell < c.count);
        assert_true(c.code[cell] == code && c.start[cell] == i);
        assert_int_equal(c.mean_x[cell], exact_mean(x, end - i, level));
        assert_int_equal(c.mean_y[cell], exact_mean(y, end - i, level));
        i = end;
    }
    assert_int_equal(c.count, cell);
    assert_int_equal(c.start[c.count], n);
    om_arena_deinit(&arena);
}

static void cells_are_what_counting_by_hand_gives(void **state)
{
    (void)state;
    enum { N = 300000 };
    uint64_t *key = om_alloc_array(2 * N, sizeof *key);
    uint32_t *row = om_calloc(2 * N, sizeof *row);
    assert_true(key && row);
    const int kinds[] = {KEYS_CITY, KEYS_EQUAL, KEYS_ANY, KEYS_STRAY};
    for (size_t k = 0; k < 4; k++) {
        uint64_t s = 5;
        for (size_t i = 0; i < N; i++) key[i] = make_key(kinds[k], i, N, &s);
        assert_int_equal(om_sort_keys(key, row, key + N, row + N, N), OM_OK);
        for (unsigned level = 0; level <= 32; level += level < 12 ? 4 : 2)
            check_cells(key, test_rounds(N), level);
        check_cells(key, 1, 14);
        check_cells(key, 0, 14);
    }
    om_free(key);
    om_free(row);
}

/* A layer of ids and positions alone. */
static om_status write_points(const char *path, const uint64_t *key, size_t n)
{
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POINT,
                                     .count = 1,
                                     .field = {{"id", OM_TYPE_TEXT}},
                                     .time_field = OM_NO_FIELD};
    struct om_builder *b;
    OM_TRY(om_builder_new(&schema, &b));
    om_status st = OM_OK;
    for (size_t from = 0; from < n && !st; from += OM_LIMIT_BATCH_ROWS) {
        const size_t left = n - from;
        const size_t rows =
            left < OM_LIMIT_BATCH_ROWS ? left : OM_LIMIT_BATCH_ROWS;
        struct om_arena a = {0};
        uint64_t *source = om_arena_calloc(&a, rows, sizeof *source);
        struct om_pos *pos = om_arena_calloc(&a, rows, sizeof *pos);
        uint32_t *offset = om_arena_calloc(&a, rows + 1, sizeof *offset);
        const struct om_batch_column id = {.offset = offset, .bytes = ""};
        st = source && pos && offset ? OM_OK : OM_E_MEMORY;
        for (size_t i = 0; i < rows && !st; i++) {
            source[i] = from + i + 1;
            pos[i] = om_morton_pos(key[from + i]);
        }
        const struct om_batch batch = {
            .rows = rows, .source_row = source, .pos = pos, .column = &id};
        if (!st) st = om_builder_add(b, &batch);
        om_arena_deinit(&a);
    }
    if (!st) st = om_builder_write(b, path, NULL, NULL);
    om_builder_free(b);
    return st;
}

static int compare_keys(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static size_t lower(const uint64_t *key, size_t n, uint64_t code)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (key[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Ranges of random cells of all levels, and of random codes. */
static void check_ranges(const struct om_segment *seg, const uint64_t *key,
                         size_t n)
{
    uint64_t s = 9;
    for (size_t i = 0; i < test_rounds(20000); i++) {
        uint64_t code = sample_random(&s);
        if (n > 0 && i % 4) code = key[sample_random(&s) % n] + code % 3 - 1;
        const unsigned level = (unsigned)(sample_random(&s) % 33);
        uint64_t end = sample_random(&s);
        if (i % 2) {
            const unsigned bits = 64 - 2 * level;
            code = bits == 64 ? 0 : code >> bits << bits;
            end = bits == 64 ? 0 : code + (UINT64_C(1) << bits);
        }
        if (end != 0 && end < code) continue;
        size_t from, to;
        assert_int_equal(om_segment_range(seg, code, end, &from, &to), OM_OK);
        assert_int_equal(from, lower(key, n, code));
        assert_int_equal(to, end == 0 ? n : lower(key, n, end));
    }
}

static void range_is_what_looking_at_every_row_gives(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 2, 63, 64, 1000, 100000};
    char path[256];
    sample_path(path, "points");
    for (int kind = 0; kind < KEYS_KINDS; kind++) {
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            const size_t n = sizes[k];
            uint64_t s = 3;
            uint64_t *key = om_alloc_array(n, sizeof *key);
            for (size_t i = 0; i < n; i++) key[i] = make_key(kind, i, n, &s);
            struct om_segment *seg;
            assert_int_equal(write_points(path, key, n), OM_OK);
            assert_int_equal(om_segment_open(path, NULL, &seg, NULL), OM_OK);
            assert_int_equal(om_segment_rows(seg), n);
            qsort(key, n, sizeof *key, compare_keys);
            check_ranges(seg, key, n);
            struct om_verify verify;
            assert_int_equal(om_segment_verify(seg, &verify, NULL), OM_OK);
            // A stray point must not blow the file up.
            if (n == 100000) assert_true(om_segment_bytes(seg) < 80 * n);
            om_segment_unref(seg);
            om_free(key);
        }
    }
    sample_remove(path);
}

static void fault_sorting_without_memory_is_a_status(void **state)
{
    (void)state;
    uint64_t key[4] = {3, 1, 2, 0}, spare_key[4];
    uint32_t row[4] = {0, 1, 2, 3}, spare_row[4];
    const size_t live = om_alloc_live();
    om_alloc_fail_after(1, false);
    assert_int_equal(om_sort_keys(key, row, spare_key, spare_row, 4),
                     OM_E_MEMORY);
    om_alloc_fail_after(0, false);
    assert_int_equal(om_alloc_live(), live);
    assert_true(key[0] == 3 && row[3] == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(morton_codes_go_there_and_back),
        cmocka_unit_test(morton_codes_of_a_tile_are_one_range),
        cmocka_unit_test(sort_is_a_stable_sort),
        cmocka_unit_test(cells_are_what_counting_by_hand_gives),
        cmocka_unit_test(range_is_what_looking_at_every_row_gives),
        cmocka_unit_test(fault_sorting_without_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
