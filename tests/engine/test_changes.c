/* Where a city last changed.
 *
 * Plan
 *   every_*     against a plain list of all changes, for any box
 *   all_*       many at once are what they are one by one
 *   coarse_*    what does not fit is remembered coarser, never forgotten
 *   readers_*   who asks while it grows sees numbers that rise, with their time
 *   fault_*     without memory nothing is forgotten either
 */
#include "engine/live/changes.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "data/base/alloc.h"

#define CELL_BITS (32 - OM_CHANGE_LEVEL)

static uint64_t seed = 12345;

static uint32_t dice(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

/* The list: boxes of cells of level 18. */
struct change {
    uint32_t x0, y0, x1, y1;
    uint64_t sequence;
};

static uint64_t newest_of(const struct change *list, size_t n, struct om_box b,
                          uint64_t base)
{
    uint64_t newest = base;
    for (size_t i = 0; i < n; i++)
        if (list[i].sequence > newest && list[i].x1 >= b.x0 >> CELL_BITS &&
            list[i].x0 <= b.x1 >> CELL_BITS &&
            list[i].y1 >= b.y0 >> CELL_BITS && list[i].y0 <= b.y1 >> CELL_BITS)
            newest = list[i].sequence;
    return newest;
}

/* Some box: a tile, a tile with a margin, a cell, or any. */
static struct om_box any_box(uint32_t x, uint32_t y)
{
    const unsigned level = dice(23);
    const unsigned shift = 32 - level;
    if (dice(4) == 0)
        return (struct om_box){dice(UINT32_MAX) / 2, dice(UINT32_MAX) / 2,
                               UINT32_MAX / 2 + dice(UINT32_MAX) / 2,
                               UINT32_MAX / 2 + dice(UINT32_MAX) / 2};
    x ^= dice(1u << 20);
    y ^= dice(1u << 20);
    if (level == 0) return (struct om_box){0, 0, UINT32_MAX, UINT32_MAX};
    struct om_box b = {.x0 = x >> shift << shift, .y0 = y >> shift << shift};
    b.x1 = b.x0 + (uint32_t)((UINT64_C(1) << shift) - 1);
    b.y1 = b.y0 + (uint32_t)((UINT64_C(1) << shift) - 1);
    const uint32_t margin = dice(2) ? dice(1u << (shift < 20 ? shift : 20)) : 0;
    b.x0 = b.x0 > margin ? b.x0 - margin : 0;
    b.y0 = b.y0 > margin ? b.y0 - margin : 0;
    b.x1 = b.x1 < UINT32_MAX - margin ? b.x1 + margin : UINT32_MAX;
    b.y1 = b.y1 < UINT32_MAX - margin ? b.y1 + margin : UINT32_MAX;
    return b;
}

static void every_box_has_the_newest_change_that_it_meets(void **state)
{
    (void)state;
    enum { N = 3000 };
    static struct change list[N];
    struct om_changes *changes = NULL;
    assert_int_equal(om_changes_new(&changes), OM_OK);
    const struct om_box world = {0, 0, UINT32_MAX, UINT32_MAX};
    assert_int_equal(om_changes_in(changes, "a", world, NULL), 0);
    assert_int_equal(om_changes_reset(changes, "a", 7, -7), OM_OK);
    assert_int_equal(om_changes_reset(changes, "b", 5, -5), OM_OK);
    uint64_t base = 7;
    const uint32_t middle_x = 3503000000u, middle_y = 1861000000u;
    size_t n = 0;
    for (uint64_t sequence = 8; n < N; sequence++) {
        if (dice(1000) == 0) {  // the layer as a whole
            base = sequence;
            assert_int_equal(
                om_changes_reset(changes, "a", sequence, -(int64_t)sequence),
                OM_OK);
            continue;
        }
        const uint32_t spread = 1u << (15 + dice(12));
        const struct om_pos at = {middle_x + dice(spread),
                                  middle_y + dice(spread)};
        struct change *c = &list[n++];
        *c = (struct change){at.x >> CELL_BITS, at.y >> CELL_BITS,
                             at.x >> CELL_BITS, at.y >> CELL_BITS, sequence};
        if (dice(4) == 0) {  // a small shape: cells as they are
            c->x1 += dice(8);
            c->y1 += dice(8);
            const uint32_t end = (1u << CELL_BITS) - 1;
            const struct om_box box = {at.x, at.y, (c->x1 << CELL_BITS) + end,
                                       (c->y1 << CELL_BITS) + end};
            om_changes_add_box(changes, "a", box, sequence, -(int64_t)sequence);
        } else {
            om_changes_add(changes, "a", om_change_cell(at), sequence,
                           -(int64_t)sequence);
        }
        for (int ask = 0; ask < 5; ask++) {
            const struct om_box box = any_box(at.x, at.y);
            int64_t at_s = 0;
            const uint64_t want = newest_of(list, n, box, base);
            assert_int_equal(om_changes_in(changes, "a", box, &at_s), want);
            assert_int_equal(at_s, -(int64_t)want);
        }
    }
    assert_int_equal(om_changes_in(changes, "b", world, NULL), 5);
    om_changes_add(changes, "unknown", 0, 9, 0);
    assert_int_equal(om_changes_in(changes, "unknown", world, NULL), 0);
    om_changes_free(changes);
}

static int by_cell(const void *a, const void *b)
{
    const struct om_change *x = a, *y = b;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* Many at once are what they are one by one; with too little memory a question
 * is answered with too new a sequence at most. */
static void all_at_once_are_one_by_one(void **state)
{
    (void)state;
    enum { MANY = 400 };
    struct om_changes *one = NULL, *all = NULL, *poor = NULL;
    struct om_changes **const each[] = {&one, &all, &poor};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(om_changes_new(each[i]), OM_OK);
        assert_int_equal(om_changes_reset(*each[i], "a", 1, -1), OM_OK);
    }
    const uint32_t middle_x = 3503000000u, middle_y = 1861000000u;
    uint64_t sequence = 2;
    for (int round = 0; round < 60; round++) {
        struct om_change list[MANY];
        struct om_pos at = {0, 0};
        const size_t count = dice(MANY);
        const uint32_t spread = 1u << (12 + dice(20));
        const uint64_t first = sequence;
        for (size_t i = 0; i < count; i++) {
            if (!i || dice(3))
                at = (struct om_pos){middle_x + dice(spread),
                                     middle_y + dice(spread)};
            list[i] = (struct om_change){om_change_cell(at), sequence++};
            om_changes_add(one, "a", list[i].cell, list[i].sequence,
                           -(int64_t)first);
        }
        qsort(list, count, sizeof *list, by_cell);
        om_changes_add_all(all, "a", list, count, -(int64_t)first);
        om_alloc_fail_after(1 + dice(2), true);
        om_changes_add_all(poor, "a", list, count, -(int64_t)first);
        om_alloc_fail_after(0, false);
        for (int ask = 0; ask < 400; ask++) {
            const struct om_box box =
                any_box(middle_x + dice(spread), middle_y + dice(spread));
            int64_t want_s, have_s;
            const uint64_t want = om_changes_in(one, "a", box, &want_s);
            assert_int_equal(om_changes_in(all, "a", box, &have_s), want);
            assert_int_equal(have_s, want_s);
            assert_true(om_changes_in(poor, "a", box, NULL) >= want);
        }
    }
    om_changes_add_all(all, "unknown", (struct om_change[]){{1, 9}}, 1, 0);
    for (size_t i = 0; i < 3; i++) om_changes_free(*each[i]);
}

static void every_far_tile_keeps_its_number(void **state)
{
    (void)state;
    struct om_changes *changes = NULL;
    assert_int_equal(om_changes_new(&changes), OM_OK);
    assert_int_equal(om_changes_reset(changes, "a", 1, 0), OM_OK);
    const struct om_pos at = {3503000000u, 1861000000u};
    om_changes_add(changes, "a", om_change_cell(at), 2, 0);
    const unsigned level[] = {9, 12, 15, 18};
    for (size_t i = 0; i < sizeof level / sizeof *level; i++) {
        const unsigned shift = 32 - level[i];
        size_t new_ones = 0;
        for (uint32_t dy = 0; dy < 64; dy++)
            for (uint32_t dx = 0; dx < 64; dx++) {
                const uint32_t x = (at.x >> shift) + dx - 32,
                               y = (at.y >> shift) + dy - 32;
                const struct om_box tile = {x << shift, y << shift,
                                            (x << shift) + (1u << shift) - 1,
                                            (y << shift) + (1u << shift) - 1};
                const uint64_t sequence =
                    om_changes_in(changes, "a", tile, NULL);
                assert_int_equal(sequence, dx == 32 && dy == 32 ? 2 : 1);
                new_ones += sequence == 2;
            }
        assert_int_equal(new_ones, 1);
    }
    om_changes_free(changes);
}

static void coarse_is_never_too_old(void **state)
{
    (void)state;
    struct om_changes *changes = NULL;
    assert_int_equal(om_changes_new(&changes), OM_OK);
    assert_int_equal(om_changes_reset(changes, "a", 1, 0), OM_OK);
    // A large shape, then cells all over the world, more than there is room
    // for.
    const struct om_box large = {1000000000u, 1000000000u, 1500000000u,
                                 1200000000u};
    om_changes_add_box(changes, "a", large, 2, 0);
    const struct om_box corner = {large.x1, large.y1, large.x1, large.y1};
    assert_int_equal(om_changes_in(changes, "a", corner, NULL), 2);
    const struct om_box far = {0, 0, 1000, 1000};
    assert_int_equal(om_changes_in(changes, "a", far, NULL), 1);
    om_changes_add_box(changes, "a", OM_BOX_NONE, 3, 0);
    assert_int_equal(om_changes_in(changes, "a", far, NULL), 1);
    for (uint64_t sequence = 10; sequence < 60000; sequence++) {
        const struct om_pos at = {dice(UINT32_MAX), dice(UINT32_MAX)};
        om_changes_add(changes, "a", om_change_cell(at), sequence, 0);
        const struct om_box box = {at.x, at.y, at.x, at.y};
        assert_int_equal(om_changes_in(changes, "a", box, NULL), sequence);
    }
    const struct om_box world = {0, 0, UINT32_MAX, UINT32_MAX};
    om_changes_add_box(changes, "a", world, 70000, 0);
    assert_int_equal(om_changes_in(changes, "a", far, NULL), 70000);
    om_changes_free(changes);
}

struct shared {
    struct om_changes *changes;
    atomic_bool end;
    atomic_size_t wrong, asked;
};

static void *ask_on(void *arg)
{
    struct shared *s = arg;
    const struct om_box world = {0, 0, UINT32_MAX, UINT32_MAX};
    const struct om_box half = {0, 0, UINT32_MAX / 2 + 4321, UINT32_MAX};
    uint64_t before = 0;
    while (!atomic_load(&s->end)) {
        int64_t at_s = 0;
        const uint64_t part = om_changes_in(s->changes, "a", half, &at_s);
        if (at_s != -(int64_t)part) atomic_fetch_add(&s->wrong, 1);
        const uint64_t now = om_changes_in(s->changes, "a", world, &at_s);
        if (at_s != -(int64_t)now || now < before || now < part)
            atomic_fetch_add(&s->wrong, 1);
        before = now;
        atomic_fetch_add(&s->asked, 1);
    }
    return NULL;
}

static void readers_see_numbers_rise_with_their_time(void **state)
{
    (void)state;
    struct shared s = {0};
    assert_int_equal(om_changes_new(&s.changes), OM_OK);
    assert_int_equal(om_changes_reset(s.changes, "a", 1, -1), OM_OK);
    pthread_t reader[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&reader[i], NULL, ask_on, &s), 0);
    uint64_t sequence = 2;
    while (sequence < 40000 || atomic_load(&s.asked) < 1000) {
        const struct om_pos at = {dice(UINT32_MAX), dice(1u << 28)};
        if (dice(500) == 0)
            assert_int_equal(
                om_changes_reset(s.changes, "a", sequence, -(int64_t)sequence),
                OM_OK);
        else
            om_changes_add(s.changes, "a", om_change_cell(at), sequence,
                           -(int64_t)sequence);
        if (dice(5000) == 0) {
            char name[16];
            snprintf(name, sizeof name, "l%llu", (unsigned long long)sequence);
            assert_int_equal(om_changes_reset(s.changes, name, sequence, 0),
                             OM_OK);
        }
        sequence++;
    }
    atomic_store(&s.end, true);
    for (int i = 0; i < 3; i++) pthread_join(reader[i], NULL);
    assert_int_equal(atomic_load(&s.wrong), 0);
    om_changes_free(s.changes);
}

static void fault_makes_it_coarser_only(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    struct om_changes *changes = NULL;
    for (size_t n = 1; n < 3; n++) {
        om_alloc_fail_after(n, true);
        om_status st = om_changes_new(&changes);
        if (!st) st = om_changes_reset(changes, "a", 1, 0);
        om_alloc_fail_after(0, false);
        assert_int_equal(st, OM_E_MEMORY);
        om_changes_free(changes);
        changes = NULL;
    }
    assert_int_equal(om_changes_new(&changes), OM_OK);
    assert_int_equal(om_changes_reset(changes, "a", 1, 0), OM_OK);
    om_alloc_fail_after(1, true);
    om_changes_add(changes, "a", 12345, 2, 0);
    om_alloc_fail_after(0, false);
    const struct om_box far = {0, 0, 1000, 1000};
    assert_int_equal(om_changes_in(changes, "a", far, NULL), 2);
    om_changes_free(changes);
    assert_int_equal(om_alloc_live(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_box_has_the_newest_change_that_it_meets),
        cmocka_unit_test(all_at_once_are_one_by_one),
        cmocka_unit_test(every_far_tile_keeps_its_number),
        cmocka_unit_test(coarse_is_never_too_old),
        cmocka_unit_test(readers_see_numbers_rise_with_their_time),
        cmocka_unit_test(fault_makes_it_coarser_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
