/* Boxes, counts and sums, against looking at every row.
 *
 * Plan
 *   box_*     counts of boxes of all sizes, edges, the whole world, lone cells
 *   each_*    visiting: the rows, their order, limits, going on behind a hit
 *   sum_*     sums of integers and reals over boxes
 *   tile_*    at every zoom the tiles add up to the rows
 *   degrees_* boxes as users write them
 *   id_*      one row by its id
 *   fault_*   the n-th allocation fails
 * Each over one part, several parts, and parts with tombstones.
 */
#include "tests/engine/query_sample.h"

#include <math.h>

static struct sample sample[3];

static bool in_box(const struct truth *t, const void *ctx)
{
    const struct om_box *b = ctx;
    return t->pos.x >= b->x0 && t->pos.x <= b->x1 && t->pos.y >= b->y0 &&
           t->pos.y <= b->y1;
}

/* Around a row, so that boxes are seldom empty; now and then edges lie right
 * on rows. */
static struct om_box random_box(const struct sample *s)
{
    const size_t p = dice(s->parts);
    const size_t rows = om_segment_rows(s->part[p].segment);
    const struct om_pos a = s->truth[p][dice(rows)].pos;
    struct om_pos b = s->truth[p][dice(rows)].pos;
    if (dice(3)) {
        const unsigned bits = (unsigned)dice(31);
        b.x = a.x + (uint32_t)dice(UINT64_C(1) << bits);
        b.y = a.y + (uint32_t)dice(UINT64_C(1) << bits);
        if (b.x < a.x) b.x = UINT32_MAX;
        if (b.y < a.y) b.y = UINT32_MAX;
    }
    return (struct om_box){a.x < b.x ? a.x : b.x, a.y < b.y ? a.y : b.y,
                           a.x < b.x ? b.x : a.x, a.y < b.y ? b.y : a.y};
}

static void check_box(const struct sample *s, struct om_box box)
{
    struct om_query q = sample_query(s);
    q.place = (struct om_place){.kind = OM_PLACE_BOX, .box = box};
    uint64_t count = 0;
    assert_int_equal(om_query_count(&q, &count), OM_OK);
    assert_int_equal(count, sample_count(s, in_box, &box));
}

static void box_counts_are_those_of_looking_at_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int n = 0; n < 1500; n++)
            check_box(&sample[i], random_box(&sample[i]));
}

static void box_of_the_world_holds_all_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint64_t count;
        struct om_query q = sample_query(&sample[i]);
        assert_int_equal(om_query_count(&q, &count), OM_OK);
        assert_int_equal(count, sample[i].layer.rows);
        check_box(&sample[i], (struct om_box){0, 0, UINT32_MAX, UINT32_MAX});
    }
}

static void box_of_one_cell_holds_its_stack(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 0; n < 300; n++) {
            const size_t rows = om_segment_rows(sample[i].part[0].segment);
            const struct om_pos at =
                sample[i].truth[0][n < 10 ? n : dice(rows)].pos;
            check_box(&sample[i], (struct om_box){at.x, at.y, at.x, at.y});
        }
    const struct om_box corner[] = {
        {0, 0, 0, 0},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
        {0, UINT32_MAX, 0, UINT32_MAX},
        {0, 0, UINT32_MAX, 0}};
    for (size_t n = 0; n < 4; n++) check_box(&sample[0], corner[n]);
}

static void box_with_ends_crossed_is_refused(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[0]);
    uint64_t count = 5;
    q.place = (struct om_place){.kind = OM_PLACE_BOX, .box = {2, 1, 1, 2}};
    assert_int_equal(om_query_count(&q, &count), OM_E_RANGE);
    assert_int_equal(count, 5);
}

struct seen {
    const struct sample *s;
    struct om_hit hit[30000];
    size_t count, stop;
};
static struct seen seen, again;

static bool note(void *ctx, const struct om_hit *hit)
{
    struct seen *v = ctx;
    assert_true(v->count < 30000);
    v->hit[v->count++] = *hit;
    return v->count != v->stop;
}

static uint64_t code_of(const struct sample *s, const struct om_hit *h)
{
    return om_morton(s->truth[h->part][h->row].pos);
}
static const char *id_of(const struct sample *s, const struct om_hit *h)
{
    return s->truth[h->part][h->row].id;
}

static void each_visits_rows_in_morton_order_then_by_id(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int n = 0; n < 60; n++) {
            const struct sample *s = &sample[i];
            const struct om_box box =
                n ? random_box(s)
                  : (struct om_box){0, 0, UINT32_MAX, UINT32_MAX};
            struct om_query q = sample_query(s);
            q.place = (struct om_place){.kind = OM_PLACE_BOX, .box = box};
            seen.count = seen.stop = 0;
            assert_int_equal(om_query_each(&q, note, &seen), OM_OK);
            assert_int_equal(seen.count, sample_count(s, in_box, &box));
            for (size_t k = 0; k < seen.count; k++) {
                const struct om_hit *h = &seen.hit[k];
                const struct truth *t = &s->truth[h->part][h->row];
                assert_true(!t->dead && in_box(t, &box));
                if (!k) continue;
                const uint64_t a = code_of(s, h - 1), b = code_of(s, h);
                assert_true(a < b || (a == b && strcmp(id_of(s, h - 1),
                                                       id_of(s, h)) < 0));
            }
        }
}

static void each_stops_at_the_limit_and_when_told(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[2]);
    q.limit = 17;
    seen.count = seen.stop = 0;
    assert_int_equal(om_query_each(&q, note, &seen), OM_OK);
    assert_int_equal(seen.count, 17);
    seen.count = 0;
    seen.stop = 5;
    assert_int_equal(om_query_each(&q, note, &seen), OM_OK);
    assert_int_equal(seen.count, 5);
}

static void each_page_after_page_is_the_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int n = 0; n < 20; n++) {
            const struct sample *s = &sample[i];
            struct om_query q = sample_query(s);
            q.place =
                (struct om_place){.kind = OM_PLACE_BOX, .box = random_box(s)};
            seen.count = seen.stop = 0;
            assert_int_equal(om_query_each(&q, note, &seen), OM_OK);
            again.count = again.stop = 0;
            q.limit = 1 + seen.count / 5;
            struct om_hit last;
            for (int page = 0; page < 10; page++) {
                const size_t before = again.count;
                assert_int_equal(om_query_each(&q, note, &again), OM_OK);
                if (again.count == before) break;
                last = again.hit[again.count - 1];
                q.after = &last;
            }
            assert_int_equal(again.count, seen.count);
            for (size_t k = 0; k < seen.count; k++) {
                assert_int_equal(again.hit[k].part, seen.hit[k].part);
                assert_int_equal(again.hit[k].row, seen.hit[k].row);
            }
        }
}

static void sum_is_exact_for_integers_and_close_for_reals(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int n = 0; n < 400; n++) {
            const struct sample *s = &sample[i];
            const struct om_box box =
                n ? random_box(s)
                  : (struct om_box){0, 0, UINT32_MAX, UINT32_MAX};
            int64_t residents = 0, flags = 0;
            om_wide sum = 0;
            long double weight = 0, scale = 0;
            double real = 0;
            for (size_t p = 0; p < s->parts; p++)
                for (size_t r = 0; r < om_segment_rows(s->part[p].segment);
                     r++) {
                    const struct truth *t = &s->truth[p][r];
                    if (t->dead || !in_box(t, &box)) continue;
                    residents += t->residents;
                    flags += t->flag;
                    weight += t->weight;
                    scale += fabsl(t->weight);
                }
            struct om_query q = sample_query(s);
            q.place = (struct om_place){.kind = OM_PLACE_BOX, .box = box};
            assert_int_equal(om_query_sum(&q, COL_RESIDENTS, &sum, NULL),
                             OM_OK);
            assert_int_equal(sum, residents);
            assert_int_equal(om_query_sum(&q, COL_FLAG, &sum, NULL), OM_OK);
            assert_int_equal(sum, flags);
            assert_int_equal(om_query_sum(&q, COL_WEIGHT, NULL, &real), OM_OK);
            assert_true(fabsl(real - weight) <= 1e-15L * scale);
        }
}

static void sum_of_what_is_no_number_is_refused(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[0]);
    om_wide sum;
    assert_int_equal(om_query_sum(&q, COL_KIND, &sum, NULL), OM_E_TYPE);
    assert_int_equal(om_query_sum(&q, COL_AT, &sum, NULL), OM_E_TYPE);
    assert_int_equal(om_query_sum(&q, COLS, &sum, NULL), OM_E_NOTFOUND);
}

/* Every tile that holds a row, by zoom: their counts add up. */
static void tile_counts_add_up_to_the_rows_at_every_zoom(void **state)
{
    (void)state;
    const struct sample *s = &sample[2];
    for (unsigned z = 0; z <= 22; z++) {
        uint64_t total = 0;
        for (size_t p = 0; p < s->parts; p++)
            for (size_t r = 0; r < om_segment_rows(s->part[p].segment); r++) {
                const struct om_pos at = s->truth[p][r].pos;
                const uint32_t side = z ? UINT32_MAX >> z : UINT32_MAX;
                const uint64_t tile = z ? om_morton(at) >> (64 - 2 * z) : 0;
                // Counted once, by the first row that lies in it.
                bool first = true;
                for (size_t k = 0; k <= p && first; k++) {
                    size_t from, to;
                    const uint64_t code = z ? tile << (64 - 2 * z) : 0;
                    const uint64_t end = z ? (tile + 1) << (64 - 2 * z) : 0;
                    assert_int_equal(om_segment_range(s->part[k].segment, code,
                                                      end, &from, &to),
                                     OM_OK);
                    first = k < p ? from == to : from == r;
                }
                if (!first) continue;
                struct om_query q = sample_query(s);
                q.place = (struct om_place){.kind = OM_PLACE_BOX,
                                            .box = {at.x & ~side, at.y & ~side,
                                                    at.x | side, at.y | side}};
                uint64_t count;
                assert_int_equal(om_query_count(&q, &count), OM_OK);
                total += count;
            }
        assert_int_equal(total, s->layer.rows);
    }
}

static void degrees_of_the_world_hold_all_and_nonsense_is_refused(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[1]);
    uint64_t count;
    assert_int_equal(om_place_box(-180, -90, 180, 90, &q.place), OM_OK);
    assert_int_equal(om_query_count(&q, &count), OM_OK);
    assert_int_equal(count, sample[1].layer.rows);
    struct om_place p;
    assert_int_equal(om_place_box(1, 0, 0, 1, &p), OM_E_RANGE);
    assert_int_equal(om_place_box(0, 1, 1, 0, &p), OM_E_RANGE);
    assert_int_equal(om_place_box(NAN, 0, 1, 1, &p), OM_E_COORD);
    assert_int_equal(om_place_box(0, 0, 181, 1, &p), OM_E_COORD);
    assert_int_equal(om_place_box(0, -91, 1, 1, &p), OM_E_COORD);
}

static void id_finds_its_row_unless_it_is_dead(void **state)
{
    (void)state;
    const struct sample *s = &sample[2];
    for (size_t p = 0; p < s->parts; p++)
        for (size_t r = 0; r < 200 && r < om_segment_rows(s->part[p].segment);
             r++) {
            const struct truth *t = &s->truth[p][r];
            struct om_query q = sample_query(s);
            q.place = (struct om_place){
                .kind = OM_PLACE_ID, .id = t->id, .id_len = strlen(t->id)};
            uint64_t count;
            assert_int_equal(om_query_count(&q, &count), OM_OK);
            assert_int_equal(count, !t->dead);
            seen.count = seen.stop = 0;
            assert_int_equal(om_query_each(&q, note, &seen), OM_OK);
            assert_int_equal(seen.count, !t->dead);
            if (t->dead) continue;
            assert_int_equal(seen.hit[0].part, p);
            assert_int_equal(seen.hit[0].row, r);
        }
    struct om_query q = sample_query(s);
    q.place =
        (struct om_place){.kind = OM_PLACE_ID, .id = "nobody", .id_len = 6};
    uint64_t count;
    assert_int_equal(om_query_count(&q, &count), OM_OK);
    assert_int_equal(count, 0);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[2]);
    q.place =
        (struct om_place){.kind = OM_PLACE_BOX, .box = random_box(&sample[2])};
    const size_t live = om_alloc_live();
    for (size_t n = 1; n < 1000; n++) {
        om_wide sum;
        om_alloc_fail_after(n, false);
        seen.count = seen.stop = 0;
        om_status st = om_query_each(&q, note, &seen);
        if (!st) st = om_query_sum(&q, COL_RESIDENTS, &sum, NULL);
        om_alloc_fail_after(0, false);
        assert_int_equal(om_alloc_live(), live);
        if (!st) return;
        assert_int_equal(st, OM_E_MEMORY);
    }
    fail();
}

static int setup(void **state)
{
    (void)state;
    const size_t one[] = {12000}, three[] = {7000, 1, 3000};
    sample_make(&sample[0], 1, one, 0);
    sample_make(&sample[1], 3, three, 0);
    sample_make(&sample[2], 3, three, 5);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) sample_free(&sample[i]);
    om_query_forget();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(box_counts_are_those_of_looking_at_every_row),
        cmocka_unit_test(box_of_the_world_holds_all_rows),
        cmocka_unit_test(box_of_one_cell_holds_its_stack),
        cmocka_unit_test(box_with_ends_crossed_is_refused),
        cmocka_unit_test(each_visits_rows_in_morton_order_then_by_id),
        cmocka_unit_test(each_stops_at_the_limit_and_when_told),
        cmocka_unit_test(each_page_after_page_is_the_whole),
        cmocka_unit_test(sum_is_exact_for_integers_and_close_for_reals),
        cmocka_unit_test(sum_of_what_is_no_number_is_refused),
        cmocka_unit_test(tile_counts_add_up_to_the_rows_at_every_zoom),
        cmocka_unit_test(degrees_of_the_world_hold_all_and_nonsense_is_refused),
        cmocka_unit_test(id_finds_its_row_unless_it_is_dead),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
