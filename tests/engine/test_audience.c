/* Who is told of what changes.
 *
 * Plan
 *   every_*     random rows against a plain list: whoever asks is told of the
 *               newest change that they see, in any box, with its time, and of
 * no other; of cells in order and of rows alike fresh_*     who has joined
 * hears of the city until the writer has heard of them, and of all as of then
 * afterwards; a layer that is new is so for all, but for who only counts when
 * somebody has moved most_*      of too many the one whose last question is the
 * longest ago goes, and of too many sets of columns the last threads_*   who
 * joins and asks while it grows sees numbers that rise fault_*     without
 * memory nobody joins, and all is freed
 */
#include "engine/live/audience.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "data/city/journal.h"
#include "engine/snapshot.h"

#define COLUMNS 4  // a to d, with unit columns town and grid behind them
#define TOWNS 3
#define GRIDS 7

static uint64_t seed = 99;

static uint32_t dice(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

/* A layer as somebody sees it; level NULL: everywhere. */
static struct om_layer *seen(uint32_t hidden, bool crowds, const char *level,
                             const char *unit)
{
    static const char *const names[] = {"a", "b", "c", "d", "town", "grid"};
    struct om_layer *layer = calloc(1, sizeof *layer);
    assert_non_null(layer);
    strcpy(layer->name, "spot");
    layer->schema.count = COLUMNS + 2;
    layer->unit_columns = 2;
    for (size_t i = 0; i < layer->schema.count; i++) {
        strcpy(layer->schema.field[i].name, names[i]);
        layer->rights.veiled[i] = i < COLUMNS && (hidden >> i & 1);
    }
    layer->rights.veils = hidden != 0;
    layer->rights.crowds = crowds;
    if (level) {
        static int some;
        layer->rights.area = (struct om_filter *)(void *)&some;
        layer->rights.area_column = !strcmp(level, "town") ? 4 : 5;
        strcpy(layer->rights.area_unit, unit);
    }
    layer->rights.audience = om_audience_of(layer);
    return layer;
}

static struct om_changes *new_changes(void)
{
    struct om_changes *changes = NULL;
    assert_int_equal(om_changes_new(&changes), OM_OK);
    assert_int_equal(om_changes_reset(changes, "spot", 1, -1), OM_OK);
    return changes;
}

static const struct om_box world = {0, 0, UINT32_MAX, UINT32_MAX};

/* One row as it is. */
struct row {
    bool there;
    struct om_pos pos;
    uint32_t town, grid, value[COLUMNS];
};

/* What one audience saw of a change: a place. */
struct heard {
    struct om_pos pos;
    uint64_t sequence;
};

struct person {
    struct om_layer *layer;
    uint32_t hidden;
    bool crowds;
    int town, grid;  // -1: everywhere
    uint64_t base;
    size_t count;
    struct heard *heard;
};

static bool in_area(const struct person *p, const struct row *row)
{
    return row->there && (p->town < 0 || row->town == (uint32_t)p->town) &&
           (p->grid < 0 || row->grid == (uint32_t)p->grid);
}

static void hear(struct person *p, const struct row *was, const struct row *is,
                 uint64_t sequence)
{
    const bool before = in_area(p, was), now = in_area(p, is);
    // Who sees all columns hears of a row that was written, whatever with.
    bool same = p->hidden && before && now && was->pos.x == is->pos.x &&
                was->pos.y == is->pos.y;
    for (int c = 0; c < COLUMNS && same; c++)
        same = p->hidden >> c & 1 || was->value[c] == is->value[c];
    if (p->crowds || same) return;
    if (before) p->heard[p->count++] = (struct heard){was->pos, sequence};
    if (now) p->heard[p->count++] = (struct heard){is->pos, sequence};
}

static uint64_t newest(const struct person *p, struct om_box box)
{
    const unsigned bits = 32 - OM_CHANGE_LEVEL;
    uint64_t n = p->base;
    for (size_t i = 0; i < p->count; i++) {
        const struct om_pos at = p->heard[i].pos;
        if (at.x >> bits >= box.x0 >> bits && at.x >> bits <= box.x1 >> bits &&
            at.y >> bits >= box.y0 >> bits && at.y >> bits <= box.y1 >> bits &&
            p->heard[i].sequence > n)
            n = p->heard[i].sequence;
    }
    return n;
}

static struct row any_row(const struct row *was)
{
    struct row is = *was;
    if (!was->there || dice(3) == 0) {
        is.pos = (struct om_pos){3503000000u + dice(1u << 18),
                                 1861000000u + dice(1u << 18)};
        is.town = dice(TOWNS);
        is.grid = dice(GRIDS);
    }
    for (int c = 0; c < COLUMNS; c++)
        if (dice(3) == 0) is.value[c] = dice(4);
    is.there = !was->there || dice(6) > 0;
    return is;
}

/* Which veils hide all that differs, as the committer finds it. */
static uint64_t quiet_of(struct om_changes *changes, const struct row *was,
                         const struct row *is)
{
    struct om_schema schema = {.count = COLUMNS};
    uint64_t hides[COLUMNS] = {0}, crowds;
    for (int c = 0; c < COLUMNS; c++) schema.field[c].name[0] = (char)('a' + c);
    uint64_t left = om_changes_veils(changes, "spot", &schema, hides, &crowds);
    if (!was->there || !is->there || was->pos.x != is->pos.x ||
        was->pos.y != is->pos.y)
        return crowds;
    for (int c = 0; c < COLUMNS; c++)
        if (was->value[c] != is->value[c]) left &= hides[c] | crowds;
    return left;
}

static void units_of(const struct row *row, uint64_t out[2])
{
    char town[8], grid[8];
    snprintf(town, sizeof town, "t%u", row->town);
    snprintf(grid, sizeof grid, "g%u", row->grid);
    out[0] = row->there ? om_audience_unit("town", town, strlen(town)) : 0;
    out[1] = row->there ? om_audience_unit("grid", grid, strlen(grid)) : 0;
}

static struct om_place_told place_of(const struct row *row)
{
    return (struct om_place_told){.cell = row->there ? om_change_cell(row->pos)
                                                     : OM_NO_CELL};
}

static void tell(struct om_changes *changes, const struct row *was,
                 const struct row *is, uint64_t sequence)
{
    uint64_t before[2], now[2];
    units_of(was, before);
    units_of(is, now);
    const struct om_row_told told = {.sequence = sequence,
                                     .quiet = quiet_of(changes, was, is),
                                     .old = place_of(was),
                                     .fresh = place_of(is),
                                     .was = before,
                                     .now = now};
    bool areas;
    if (!om_changes_told(changes, "spot", &areas)) return;
    const int64_t at_s = -(int64_t)sequence;
    om_changes_tell_units(changes, "spot", &told, 1, 2, at_s);
    if (dice(2)) {
        om_changes_tell(changes, "spot", &told, 1, at_s);
        return;
    }
    // As a piece of many, in order.
    const uint64_t cell[] = {told.old.cell, told.fresh.cell};
    const bool swapped = cell[0] > cell[1];
    struct om_change change[2];
    uint64_t quiet[] = {told.quiet, told.quiet};
    size_t n = 0;
    for (int i = 0; i < 2; i++)
        if (cell[swapped ? 1 - i : i] != OM_NO_CELL)
            change[n++] =
                (struct om_change){cell[swapped ? 1 - i : i], sequence};
    om_changes_tell_all(changes, "spot", change, quiet, n, at_s);
}

static void every_audience_is_told_of_what_it_sees(void **state)
{
    (void)state;
    enum { PERSONS = 40, ROWS = 60, CHANGES = 4000 };
    struct om_changes *changes = new_changes();
    static struct person person[PERSONS];
    static struct row row[ROWS];
    size_t persons = 0;
    memset(row, 0, sizeof row);
    for (uint64_t sequence = 2; sequence < CHANGES; sequence++) {
        if (persons < PERSONS && dice(40) == 0) {
            struct person *p = &person[persons++];
            char unit[8];
            *p = (struct person){.hidden = dice(1u << COLUMNS),
                                 .crowds = dice(8) == 0,
                                 .town = dice(2) ? (int)dice(TOWNS) : -1,
                                 .grid = -1,
                                 .base = sequence - 1};
            if (p->town < 0 && dice(2)) p->grid = (int)dice(GRIDS);
            snprintf(unit, sizeof unit, "%c%d", p->town >= 0 ? 't' : 'g',
                     p->town >= 0 ? p->town : p->grid);
            const char *level = p->town >= 0   ? "town"
                                : p->grid >= 0 ? "grid"
                                               : NULL;
            p->layer = seen(p->hidden, p->crowds, level, unit);
            p->heard = calloc(2 * CHANGES, sizeof *p->heard);
            assert_non_null(p->heard);
            // Two may be the same audience: it began with the first.
            for (size_t i = 0; i + 1 < persons; i++)
                if (person[i].layer->rights.audience ==
                    p->layer->rights.audience) {
                    p->base = person[i].base;
                    p->count = person[i].count;
                    memcpy(p->heard, person[i].heard,
                           p->count * sizeof *p->heard);
                }
            if (p->layer->rights.audience)
                om_changes_join(changes, p->layer, -(int64_t)(sequence - 1));
        }
        om_changes_adopt(changes, sequence - 1);
        struct row *at = &row[dice(ROWS)];
        const struct row was = *at, is = any_row(at);
        tell(changes, &was, &is, sequence);
        for (size_t i = 0; i < persons; i++)
            hear(&person[i], &was, &is, sequence);
        *at = is;
        const struct person *p =
            persons ? &person[dice((uint32_t)persons)] : NULL;
        for (int ask = 0; p && p->layer->rights.audience && ask < 4; ask++) {
            const uint32_t side = 1u << dice(20);
            const struct om_pos by = dice(2) ? was.pos : is.pos;
            const struct om_box box =
                ask ? (struct om_box){by.x - dice(side), by.y - dice(side),
                                      by.x + dice(side), by.y + dice(side)}
                    : world;
            struct om_heard heard;
            assert_true(om_changes_heard(changes, p->layer->rights.audience,
                                         box, &heard));
            assert_int_equal(heard.sequence, newest(p, box));
            assert_int_equal(heard.at_s, -(int64_t)heard.sequence);
            assert_int_equal(heard.base, p->base);
            assert_int_equal(heard.crowds, p->crowds);
            assert_int_equal(heard.veil == OM_VEILS, !p->hidden && !p->crowds);
        }
    }
    assert_int_equal(persons, PERSONS);
    for (size_t i = 0; i < persons; i++) {
        free(person[i].layer);
        free(person[i].heard);
    }
    om_changes_free(changes);
}

static void fresh_ones_begin_with_the_next_group(void **state)
{
    (void)state;
    struct om_changes *changes = new_changes();
    struct om_layer *town = seen(0, false, "town", "t0"),
                    *crowd = seen(0, true, NULL, NULL), *all = seen(0, 0, 0, 0);
    struct om_heard heard;
    const struct row none = {0},
                     one = {.there = true, .pos = {3503000000u, 1861000000u}};
    assert_int_equal(all->rights.audience, 0);
    assert_false(
        om_changes_heard(changes, town->rights.audience, world, &heard));
    assert_int_equal(heard.at_s, 0);
    om_changes_join(changes, town, -7);
    om_changes_join(changes, crowd, -8);
    assert_false(
        om_changes_heard(changes, town->rights.audience, world, &heard));
    assert_int_equal(heard.at_s, -7);
    // A group that was looked at without them tells them nothing.
    tell(changes, &none, &one, 9);
    assert_false(
        om_changes_heard(changes, town->rights.audience, world, &heard));
    om_changes_adopt(changes, 9);
    assert_true(
        om_changes_heard(changes, town->rights.audience, world, &heard));
    assert_int_equal(heard.sequence, 9);
    tell(changes, &one, &none, 10);
    om_changes_adopt(changes, 10);  // nobody new
    assert_true(
        om_changes_heard(changes, town->rights.audience, world, &heard));
    assert_int_equal(heard.sequence, 10);
    assert_int_equal(heard.base, 9);
    om_changes_moved(changes, "spot", 11, -11);
    om_changes_heard(changes, town->rights.audience, world, &heard);
    assert_int_equal(heard.base, 11);
    om_changes_heard(changes, crowd->rights.audience, world, &heard);
    assert_int_equal(heard.sequence, 9);
    om_changes_looks(changes, "spot", 12, -12);
    om_changes_heard(changes, town->rights.audience, world, &heard);
    assert_int_equal(heard.sequence, 11);
    om_changes_renew(changes, town->rights.audience, 12, -12);
    om_changes_heard(changes, town->rights.audience, world, &heard);
    assert_int_equal(heard.sequence, 12);
    assert_int_equal(om_changes_reset(changes, "spot", 13, -13), OM_OK);
    om_changes_heard(changes, crowd->rights.audience, world, &heard);
    assert_int_equal(heard.sequence, 13);
    om_changes_forget(changes);
    assert_false(
        om_changes_heard(changes, town->rights.audience, world, &heard));
    free(town);
    free(crowd);
    free(all);
    om_changes_free(changes);
}

static void most_recent_ones_stay(void **state)
{
    (void)state;
    struct om_changes *changes = new_changes();
    struct om_heard heard;
    char unit[16];
    struct om_layer *first = seen(0, false, "grid", "g-first");
    om_changes_join(changes, first, 0);
    for (int i = 0; i < OM_AUDIENCES + 10; i++) {
        snprintf(unit, sizeof unit, "g%d", i);
        struct om_layer *one = seen(0, false, "grid", unit);
        om_changes_join(changes, one, 0);
        free(one);
        om_changes_adopt(changes, 5);
        if (i % 100 == 0)  // asks on
            assert_true(om_changes_heard(changes, first->rights.audience, world,
                                         &heard));
        if (i == 40) i = OM_AUDIENCES - 40;  // as if there were that many
    }
    free(first);
    om_changes_forget(changes);
    // Of sets of columns a layer has as many as there are bits.
    struct om_schema schema = {.count = 1};
    uint64_t hides[1] = {0}, crowds;
    for (uint32_t hidden = 1; hidden < 1u << COLUMNS; hidden++) {
        struct om_layer *one = seen(hidden, false, NULL, NULL);
        om_changes_join(changes, one, 0);
        free(one);
    }
    strcpy(schema.field[0].name, "a");
    assert_int_equal(om_changes_veils(changes, "spot", &schema, hides, &crowds),
                     (1u << ((1u << COLUMNS) - 1)) - 1);
    assert_int_equal(__builtin_popcountll(hides[0]), 1 << (COLUMNS - 1));
    om_changes_free(changes);
}

struct shared {
    struct om_changes *changes;
    atomic_bool end;
    atomic_size_t wrong, asked;
};

static void *join_and_ask(void *arg)
{
    struct shared *s = arg;
    uint64_t before[GRIDS] = {0};
    struct om_layer *layer[GRIDS];
    for (int i = 0; i < GRIDS; i++) {
        char unit[8];
        snprintf(unit, sizeof unit, "g%d", i);
        layer[i] = seen(0, false, "grid", unit);
    }
    for (size_t n = 0; !atomic_load(&s->end); n++) {
        const size_t i = n % GRIDS;
        struct om_heard heard;
        om_changes_join(s->changes, layer[i], -1);
        if (!om_changes_heard(s->changes, layer[i]->rights.audience, world,
                              &heard))
            continue;
        if (heard.sequence < before[i]) atomic_fetch_add(&s->wrong, 1);
        before[i] = heard.sequence;
        atomic_fetch_add(&s->asked, 1);
    }
    for (int i = 0; i < GRIDS; i++) free(layer[i]);
    return NULL;
}

static void threads_see_numbers_rise(void **state)
{
    (void)state;
    struct shared s = {.changes = new_changes()};
    pthread_t thread[3];
    struct row row = {.there = false};
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, join_and_ask, &s), 0);
    for (uint64_t sequence = 2;
         sequence < 20000 || atomic_load(&s.asked) < 1000; sequence++) {
        om_changes_adopt(s.changes, sequence - 1);
        const struct row is = any_row(&row);
        tell(s.changes, &row, &is, sequence);
        row = is;
    }
    atomic_store(&s.end, true);
    for (int i = 0; i < 3; i++) pthread_join(thread[i], NULL);
    assert_int_equal(atomic_load(&s.wrong), 0);
    om_changes_free(s.changes);
}

static void fault_lets_nobody_join(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    struct om_layer *one = seen(3, false, "town", "t1");
    struct om_heard heard;
    size_t failed = 0;
    for (size_t at = 1;; at++) {
        struct om_changes *changes = new_changes();
        om_alloc_fail_after(at, false);
        om_changes_join(changes, one, 0);
        om_alloc_fail_after(0, false);
        om_changes_adopt(changes, 3);
        const bool there =
            om_changes_heard(changes, one->rights.audience, world, &heard);
        om_changes_free(changes);
        assert_int_equal(om_alloc_live(), before);
        if (there) break;
        failed++;
    }
    assert_true(failed > 2);
    free(one);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_audience_is_told_of_what_it_sees),
        cmocka_unit_test(fresh_ones_begin_with_the_next_group),
        cmocka_unit_test(most_recent_ones_stay),
        cmocka_unit_test(threads_see_numbers_rise),
        cmocka_unit_test(fault_lets_nobody_join),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
