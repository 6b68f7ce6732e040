/* Rows in the order of columns, against sorting all of them.
 *
 * Plan
 *   sorted_*  any keys, any box: the rows that qsort puts first
 *   pages_*   page behind page is the whole order, each row once, also when a
 *             page is told by where its last row stood; and into a snapshot in
 *             which rows have come and gone (that one, too): no row twice, no
 *             unchanged row missed
 *   nulls_*   rows without a value come last, up and down
 *   error_*   what cannot be asked; a column more costs more
 *   fault_*   the n-th allocation fails
 * Each over one part (texts compared by their codes), several parts, and parts
 * with tombstones.
 */
#include "engine/query/sorted.h"

#include "engine/live/run.h"

#include "tests/engine/query_sample.h"
#include "tests/rounds.h"

static struct sample sample[3];

struct line {
    struct om_hit hit;
    const struct truth *truth;
};
static struct line line[12000];
static size_t lines;
static const struct om_sort_key *order_key;
static size_t order_keys;

static bool is_null(size_t column, const struct truth *t)
{
    if (column == COL_KIND) return t->kind < 0;
    return column == COL_RESIDENTS && t->residents_null;
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))
static int order_by(size_t column, const struct truth *a, const struct truth *b)
{
    char x[200], y[200];
    switch (column) {
        case COL_ID:
            return strcmp(a->id, b->id);
        case COL_KIND:
            return strcmp(KIND[a->kind], KIND[b->kind]);
        case COL_RESIDENTS:
            return ORDER(a->residents, b->residents);
        case COL_WEIGHT:
            return ORDER(a->weight, b->weight);
        case COL_AT:
            return ORDER(a->at, b->at);
        case COL_FLAG:
            return ORDER(a->flag, b->flag);
        default:
            sample_text(a, x);
            sample_text(b, y);
            return strcmp(x, y);
    }
}

static int by_order(const void *p, const void *q)
{
    const struct line *a = p, *b = q;
    for (size_t k = 0; k < order_keys; k++) {
        const size_t column = order_key[k].column;
        const bool a_null = is_null(column, a->truth);
        const bool b_null = is_null(column, b->truth);
        if (a_null != b_null) return a_null ? 1 : -1;
        if (a_null) continue;
        const int order = order_by(column, a->truth, b->truth);
        if (order) return (order > 0) == order_key[k].descending ? -1 : 1;
    }
    const uint64_t x = om_morton(a->truth->pos), y = om_morton(b->truth->pos);
    if (x != y) return x > y ? 1 : -1;
    return strcmp(a->truth->id, b->truth->id);
}

static bool in_box(const struct truth *t, struct om_box b)
{
    return t->pos.x >= b.x0 && t->pos.x <= b.x1 && t->pos.y >= b.y0 &&
           t->pos.y <= b.y1;
}

static void sort_lines(const struct sample *s, struct om_box box,
                       const struct om_sort_key *key, size_t keys)
{
    lines = 0;
    for (size_t p = 0; p < s->parts; p++)
        for (size_t i = 0; i < om_segment_rows(s->part[p].segment); i++) {
            const struct truth *t = &s->truth[p][i];
            if (t->dead || !in_box(t, box)) continue;
            line[lines++] = (struct line){{p, i, 0}, t};
        }
    order_key = key;
    order_keys = keys;
    qsort(line, lines, sizeof *line, by_order);
}

struct seen {
    struct om_hit hit[12000];
    size_t count, stop;
};
static struct seen seen;

static bool note(void *ctx, const struct om_hit *hit)
{
    struct seen *v = ctx;
    assert_true(v->count < 12000);
    v->hit[v->count++] = *hit;
    return v->count != v->stop;
}

static const struct om_box WORLD = {0, 0, UINT32_MAX, UINT32_MAX};
static const size_t COLUMN[] = {COL_ID, COL_KIND, COL_RESIDENTS, COL_WEIGHT,
                                COL_AT, COL_FLAG, COL_TEXT};
#define COLUMNS (sizeof COLUMN / sizeof *COLUMN)

static size_t random_keys(struct om_sort_key key[OM_SORT_KEYS])
{
    const size_t keys = 1 + dice(OM_SORT_KEYS);
    for (size_t k = 0; k < keys; k++)
        key[k] = (struct om_sort_key){COLUMN[dice(COLUMNS)], dice(2)};
    return keys;
}

static struct om_box random_box(const struct sample *s)
{
    if (!dice(4)) return WORLD;
    const size_t rows = om_segment_rows(s->part[0].segment);
    const struct om_pos a = s->truth[0][dice(rows)].pos;
    const struct om_pos b = s->truth[0][dice(rows)].pos;
    return (struct om_box){a.x < b.x ? a.x : b.x, a.y < b.y ? a.y : b.y,
                           a.x < b.x ? b.x : a.x, a.y < b.y ? b.y : a.y};
}

static void check_rows(size_t from)
{
    for (size_t i = 0; i < seen.count; i++) {
        assert_int_equal(seen.hit[i].part, line[from + i].hit.part);
        assert_int_equal(seen.hit[i].row, line[from + i].hit.row);
    }
}

static void sorted_rows_are_those_that_qsort_puts_first(void **state)
{
    (void)state;
    for (size_t n = 0; n < test_rounds(60); n++) {
        const struct sample *s = &sample[n % 3];
        struct om_sort_key key[OM_SORT_KEYS];
        const size_t keys = random_keys(key);
        struct om_query q = sample_query(s);
        q.place = (struct om_place){.kind = OM_PLACE_BOX, .box = random_box(s)};
        q.limit = 1 + dice(n % 5 ? 300 : 20000);
        sort_lines(s, q.place.box, key, keys);
        seen = (struct seen){0};
        assert_int_equal(om_query_sorted(&q, key, keys, note, &seen), OM_OK);
        assert_int_equal(seen.count, q.limit < lines ? q.limit : lines);
        check_rows(0);
    }
}

static void sorted_visit_stops_when_told(void **state)
{
    (void)state;
    const struct om_sort_key key = {COL_AT, true};
    struct om_query q = sample_query(&sample[1]);
    q.limit = 50;
    seen = (struct seen){.stop = 7};
    assert_int_equal(om_query_sorted(&q, &key, 1, note, &seen), OM_OK);
    assert_int_equal(seen.count, 7);
}

static void pages_follow_each_other_without_a_gap(void **state)
{
    (void)state;
    for (size_t n = 0; n < test_rounds(9); n++) {
        const struct sample *s = &sample[n % 3];
        struct om_sort_key key[OM_SORT_KEYS];
        // One of few values, so that pages end among equals.
        const size_t keys = n < 3 ? 1 : random_keys(key);
        if (n < 3) key[0] = (struct om_sort_key){COL_FLAG, n == 1};
        struct om_query q = sample_query(s);
        sort_lines(s, WORLD, key, keys);
        struct om_hit last;
        size_t from = 0;
        do {
            q.limit = 500 + dice(1500);
            seen = (struct seen){0};
            assert_int_equal(om_query_sorted(&q, key, keys, note, &seen),
                             OM_OK);
            check_rows(from);
            from += seen.count;
            if (seen.count) last = seen.hit[seen.count - 1];
            q.after = &last;
        } while (seen.count);
        assert_int_equal(from, lines);
    }
}

static void pages_by_standing_follow_alike(void **state)
{
    (void)state;
    for (size_t n = 0; n < test_rounds(9); n++) {
        const struct sample *s = &sample[n % 3];
        struct om_sort_key key[OM_SORT_KEYS];
        const size_t keys = n < 3 ? 1 : random_keys(key);
        if (n < 3) key[0] = (struct om_sort_key){COL_FLAG, n == 1};
        struct om_query q = sample_query(s);
        struct om_arena arena = {0};
        struct om_behind stand;
        sort_lines(s, WORLD, key, keys);
        size_t from = 0;
        do {
            q.limit = 500 + dice(1500);
            seen = (struct seen){0};
            assert_int_equal(om_query_sorted(&q, key, keys, note, &seen),
                             OM_OK);
            check_rows(from);
            from += seen.count;
            if (seen.count)
                assert_int_equal(
                    om_query_stand(&s->layer, &seen.hit[seen.count - 1], key,
                                   keys, &arena, &stand),
                    OM_OK);
            q.behind = &stand;
        } while (seen.count);
        assert_int_equal(from, lines);
        om_arena_deinit(&arena);
    }
}

/* A layer of the same parts in which other rows are gone. */
struct thinned {
    struct om_layer layer;
    struct om_part part[3];
    uint32_t dead[3][12000];
};

static void thin(const struct sample *s, uint64_t one_in, struct thinned *out)
{
    static uint64_t serials = 1 << 20;
    out->layer = s->layer;
    out->layer.part = out->part;
    out->layer.serial = serials++;
    out->layer.rows = 0;
    for (size_t p = 0; p < s->layer.parts; p++) {
        const size_t rows = om_segment_rows(s->layer.part[p].segment);
        size_t dead = 0;
        for (size_t row = 0; row < rows; row++)
            if (dice(one_in) == 0) out->dead[p][dead++] = (uint32_t)row;
        out->part[p] =
            (struct om_part){s->layer.part[p].segment, out->dead[p], dead};
        out->layer.rows += rows - dead;
    }
}

static bool is_there(const struct thinned *t, size_t part, size_t row)
{
    const struct om_part *p = &t->part[part];
    const size_t at = om_part_dead_from(p, row);
    return at == p->dead_count || p->dead[at] != row;
}

static om_status ask_page(const struct om_query *q,
                          const struct om_sort_key *key, size_t keys)
{
    seen = (struct seen){0};
    return keys ? om_query_sorted(q, key, keys, note, &seen)
                : om_query_each(q, note, &seen);
}

static void pages_go_on_in_another_snapshot(void **state)
{
    (void)state;
    static struct thinned before, after;
    static uint8_t times[3][12000];
    for (size_t n = 0; n < test_rounds(40); n++) {
        const struct sample *s = &sample[n % 2];
        thin(s, 3 + dice(20), &before);
        thin(s, 3 + dice(20), &after);
        struct om_sort_key key[OM_SORT_KEYS];
        const size_t keys = n % 4 ? random_keys(key) : 0;
        struct om_arena arena = {0};
        struct om_behind stand;
        memset(times, 0, sizeof times);
        struct om_query q = sample_query(s);
        q.layer = &before.layer;
        q.limit = 1 + dice(before.layer.rows < 3000 ? before.layer.rows : 3000);
        assert_int_equal(ask_page(&q, key, keys), OM_OK);
        assert_int_equal(seen.count, q.limit);
        for (size_t i = 0; i < seen.count; i++)
            times[seen.hit[i].part][seen.hit[i].row]++;
        assert_int_equal(
            om_query_stand(&before.layer, &seen.hit[seen.count - 1], key, keys,
                           &arena, &stand),
            OM_OK);
        q.layer = &after.layer;
        q.behind = &stand;
        q.limit = OM_SORT_ROWS;
        assert_int_equal(ask_page(&q, key, keys), OM_OK);
        for (size_t i = 0; i < seen.count; i++)
            times[seen.hit[i].part][seen.hit[i].row]++;
        for (size_t p = 0; p < s->layer.parts; p++) {
            const size_t rows = om_segment_rows(s->layer.part[p].segment);
            for (size_t row = 0; row < rows; row++) {
                assert_true(times[p][row] <= 1);
                if (is_there(&before, p, row) && is_there(&after, p, row))
                    assert_int_equal(times[p][row], 1);
            }
        }
        om_arena_deinit(&arena);
    }
}

static void nulls_come_last_either_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int down = 0; down < 2; down++) {
            const struct om_sort_key key = {COL_RESIDENTS, down};
            struct om_query q = sample_query(&sample[i]);
            q.limit = OM_SORT_ROWS;
            seen = (struct seen){0};
            assert_int_equal(om_query_sorted(&q, &key, 1, note, &seen), OM_OK);
            assert_int_equal(seen.count, sample[i].layer.rows);
            bool null = false;
            for (size_t n = 0; n < seen.count; n++) {
                const struct om_hit h = seen.hit[n];
                const bool is = sample[i].truth[h.part][h.row].residents_null;
                assert_true(is || !null);
                null = is;
            }
            assert_true(null);
        }
}

static void error_of_each_kind_is_told(void **state)
{
    (void)state;
    struct om_query q = sample_query(&sample[0]);
    struct om_sort_key key[5] = {{COL_AT, false}};
    q.limit = 1;
    seen = (struct seen){0};
    assert_int_equal(om_query_sorted(&q, key, 0, note, &seen), OM_E_RANGE);
    assert_int_equal(om_query_sorted(&q, key, 5, note, &seen), OM_E_RANGE);
    key[0].column = COLS;
    assert_int_equal(om_query_sorted(&q, key, 1, note, &seen), OM_E_NOTFOUND);
    key[0].column = COL_AT;
    q.limit = 0;
    assert_int_equal(om_query_sorted(&q, key, 1, note, &seen), OM_E_RANGE);
    q.limit = OM_SORT_ROWS + 1;
    assert_int_equal(om_query_sorted(&q, key, 1, note, &seen), OM_E_RANGE);
    q.limit = 1;
    q.after = &(struct om_hit){.part = 1};
    assert_int_equal(om_query_sorted(&q, key, 1, note, &seen), OM_E_RANGE);
    q.after = NULL;
    const struct om_behind other[] = {{.keys = 2},
                                      {.keys = 1, .key = {{.is_text = true}}}};
    for (size_t i = 0; i < 2; i++) {
        q.behind = &other[i];
        assert_int_equal(om_query_sorted(&q, key, 1, note, &seen), OM_E_RANGE);
    }
    q.behind = NULL;
    q.place.kind = OM_PLACE_NEAREST;
    q.place.nearest = 3;
    assert_int_equal(om_query_sorted(&q, key, 1, note, &seen),
                     OM_E_UNSUPPORTED);
    assert_int_equal(seen.count, 0);
}

static void error_costs_grow_with_rows_keys_and_texts(void **state)
{
    (void)state;
    const struct om_layer *layer = &sample[0].layer;
    const struct om_sort_key at[] = {{COL_AT, false}, {COL_FLAG, false}};
    const struct om_sort_key text = {COL_TEXT, false};
    const double one_s = om_sort_cost_s(layer, at, 1, 1000000);
    assert_true(one_s > 0 && one_s < 0.1);
    assert_true(om_sort_cost_s(layer, at, 1, 2000000) > one_s);
    assert_true(om_sort_cost_s(layer, at, 2, 1000000) > one_s);
    assert_true(om_sort_cost_s(layer, &text, 1, 1000000) > 5 * one_s);
}

/* ---- texts of parts that code them in ways of their own ---- */

#define CODED_PARTS 4
#define CODED_ROWS 300

/* splitmix64 */
static uint64_t mix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

struct coded {
    char id[12], text[24];
    bool null;
};
static struct coded coded[CODED_PARTS * CODED_ROWS];

/* Numbers of two lengths, words that repeat, and texts between all of them. */
static void coded_text(size_t part, uint64_t *seed, struct coded *row)
{
    static const char *const ODD[] = {
        "",       "M",      "N",     "N-",     "N-0",     "N-1",  "N-12",
        "N-12x",  "N-12 ",  "N-:",   "N-/",    "N-0999:", "N-0123",
        "N-01234", "N-012345", "N-9999", "N-999999", "N-9999999", "N.",
        "O", "\xe4\xb8\x9c", "N-0500", "N-05000", "N-0500!"};
    const uint64_t r = mix(seed);
    row->null = r % 23 == 0;
    if (part == 0)
        snprintf(row->text, sizeof row->text, "N-%04u",
                 (unsigned)(r / 32 % 1200));
    else if (part == 1)
        snprintf(row->text, sizeof row->text, "N-%06u",
                 (unsigned)(r / 32 % 1000000));
    else if (part == 2)
        snprintf(row->text, sizeof row->text, "N-%u", (unsigned)(r / 32 % 12));
    else
        snprintf(row->text, sizeof row->text, "%s",
                 ODD[r / 32 % (sizeof ODD / sizeof *ODD)]);
    if (row->null) row->text[0] = '\0';
}

static struct om_segment *coded_part(size_t part, uint64_t *seed)
{
    const struct om_schema schema = {
        .geometry = OM_GEOMETRY_POINT,
        .count = 2,
        .field = {{"id", OM_TYPE_TEXT}, {"text", OM_TYPE_TEXT}},
        .time_field = OM_NO_FIELD};
    static uint64_t source[CODED_ROWS], valid[CODED_ROWS / 64 + 1];
    static struct om_pos pos[CODED_ROWS];
    static uint32_t id_at[CODED_ROWS + 1], text_at[CODED_ROWS + 1];
    static char ids[CODED_ROWS * 12], texts[CODED_ROWS * 24];
    memset(valid, 0, sizeof valid);
    for (size_t i = 0; i < CODED_ROWS; i++) {
        struct coded *row = &coded[part * CODED_ROWS + i];
        snprintf(row->id, sizeof row->id, "%zu/%05zu", part, i);
        coded_text(part, seed, row);
        source[i] = i + 1;
        pos[i] = (struct om_pos){(uint32_t)mix(seed),
                                 (uint32_t)mix(seed)};
        memcpy(ids + id_at[i], row->id, strlen(row->id));
        id_at[i + 1] = id_at[i] + (uint32_t)strlen(row->id);
        memcpy(texts + text_at[i], row->text, strlen(row->text));
        text_at[i + 1] = text_at[i] + (uint32_t)strlen(row->text);
        if (!row->null) om_bit_set(valid, i);
    }
    const struct om_batch_column column[] = {
        {.offset = id_at, .bytes = ids},
        {.valid = valid, .offset = text_at, .bytes = texts}};
    const struct om_batch batch = {.rows = CODED_ROWS,
                                   .source_row = source,
                                   .pos = pos,
                                   .column = column};
    const struct om_batch *list = &batch;
    struct om_segment *segment;
    assert_int_equal(om_run_new(&schema, &list, 1, NULL, &segment, NULL),
                     OM_OK);
    return segment;
}

static bool coded_down;

static int by_coded(const void *a, const void *b)
{
    const struct coded *x = a, *y = b;
    if (x->null != y->null) return x->null ? 1 : -1;
    const int order = strcmp(x->text, y->text);
    if (order) return coded_down ? -order : order;
    return strcmp(x->id, y->id);
}

static void texts_are_in_order_however_parts_code_them(void **state)
{
    (void)state;
    static struct coded want[CODED_PARTS * CODED_ROWS];
    struct om_part part[CODED_PARTS] = {{0}};
    const size_t n = CODED_PARTS * CODED_ROWS;
    uint64_t seed = 5;
    for (size_t p = 0; p < CODED_PARTS; p++)
        part[p].segment = coded_part(p, &seed);
    const enum om_coding coding[] = {OM_CODING_NUMBERED, OM_CODING_NUMBERED,
                                     OM_CODING_DICTIONARY};
    for (size_t p = 0; p < 3; p++) {
        const struct om_column *c;
        assert_int_equal(
            om_segment_column(part[p].segment, 1, 0, CODED_ROWS, &c), OM_OK);
        assert_int_equal(c->coding, coding[p]);
    }
    struct om_layer layer = {.schema = *om_segment_schema(part[0].segment),
                             .parts = CODED_PARTS,
                             .part = part,
                             .rows = n};
    memcpy(want, coded, sizeof coded);
    for (size_t k = 0; k < 6; k++) {
        const size_t limit[] = {1, 7, 400};
        coded_down = k % 2;
        qsort(want, n, sizeof *want, by_coded);
        // The id, which nobody shares, settles ties.
        const struct om_sort_key key[] = {{1, coded_down}, {0, false}};
        struct om_query q = {.layer = &layer, .limit = limit[k / 2]};
        struct om_hit last;
        struct om_text_reader reader = {0};
        for (size_t at = 0; at < n;) {
            seen.count = 0;
            assert_int_equal(om_query_sorted(&q, key, 2, note, &seen), OM_OK);
            assert_true(seen.count > 0);
            for (size_t i = 0; i < seen.count; i++, at++) {
                const char *text;
                size_t len;
                last = seen.hit[i];
                assert_int_equal(om_segment_text(part[last.part].segment, 0,
                                                 last.row, &reader, &text,
                                                 &len),
                                 OM_OK);
                assert_int_equal(len, strlen(want[at].id));
                assert_memory_equal(text, want[at].id, len);
            }
            q.after = &last;
        }
        om_text_reader_deinit(&reader);
    }
    for (size_t p = 0; p < CODED_PARTS; p++) om_segment_unref(part[p].segment);
}

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    const struct om_sort_key key[] = {{COL_TEXT, true}, {COL_KIND, false}};
    struct om_query q = sample_query(&sample[1]);
    const struct om_hit after = {0, 5, 0};
    q.limit = 20;
    q.after = &after;
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n += 1 + n / 8) {
        seen = (struct seen){0};
        om_alloc_fail_after(n, true);
        const om_status st = om_query_sorted(&q, key, 2, note, &seen);
        om_alloc_fail_after(0, false);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 100000);
    }
}

static int setup(void **state)
{
    (void)state;
    const size_t one[] = {test_rounds(6000)};
    const size_t three[] = {test_rounds(4000), 1, test_rounds(2000)};
    sample_make(&sample[0], 1, one, 0);
    sample_make(&sample[1], 3, three, 0);
    sample_make(&sample[2], 3, three, 5);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) sample_free(&sample[i]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_rows_are_those_that_qsort_puts_first),
        cmocka_unit_test(sorted_visit_stops_when_told),
        cmocka_unit_test(pages_follow_each_other_without_a_gap),
        cmocka_unit_test(pages_by_standing_follow_alike),
        cmocka_unit_test(pages_go_on_in_another_snapshot),
        cmocka_unit_test(nulls_come_last_either_way),
        cmocka_unit_test(texts_are_in_order_however_parts_code_them),
        cmocka_unit_test(error_of_each_kind_is_told),
        cmocka_unit_test(error_costs_grow_with_rows_keys_and_texts),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
