/* Fields of layers that are written to.
 *
 * Plan
 *   dead_*   cells without the rows that died are those of a layer that never
 *            had them, to the last bit: counts, filters, weights, half-lives,
 * at every zoom more_*   so it is with a part of rows that were just written
 *   kept_*   nothing large is prepared again because of a few rows; threads
 * that ask at once, with room for a part of it all, get the same bits
 */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/field_sample.h"
#include "tests/rounds.h"

#define ROWS 150000
#define MORE 600
#define CITY_X 3466000000.0
#define CITY_Y 1863000000.0
#define NOW_S INT64_C(1687795200)
#define SIDE 256

static struct field_row *row;  // [ROWS + MORE], in Morton order
static float value[2][SIDE * SIDE];

static int by_key(const void *a, const void *b)
{
    const struct field_row *x = a, *y = b;
    const uint64_t i = om_morton(x->pos), k = om_morton(y->pos);
    return i < k ? -1 : i > k;
}

/* Stacks in clusters of all sizes, and a thin spread of single rows. */
static void make_rows(struct field_row *out, size_t n, uint64_t seed)
{
    double x = 0, y = 0, spread = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 500 == 0) {
            x = CITY_X + 4e6 * field_uniform(&seed);
            y = CITY_Y + 4e6 * field_uniform(&seed);
            spread = 2000 * pow(100.0, field_uniform(&seed));
        }
        const double r = spread * field_uniform(&seed);
        const double angle = 6.283 * field_uniform(&seed);
        out[i] = (struct field_row){
            .pos = {(uint32_t)(x + r * cos(angle)),
                    (uint32_t)(y + r * sin(angle))},
            .people = (int64_t)(field_random(&seed) % 5),
            .score = (double)(field_random(&seed) % 1000) / 100 - 3,
            .kind = (int)(field_random(&seed) % 10),
            .at_s = i % 50 ? NOW_S - (int64_t)(field_random(&seed) % 15000000)
                           : FIELD_NO_TIME};
        if (i % 4) out[i].pos = out[i - 1].pos;
        if (i % 90 == 0)
            out[i].pos =
                (struct om_pos){(uint32_t)(CITY_X + 4e6 * field_uniform(&seed)),
                                (uint32_t)(CITY_Y + 4e6 * field_uniform(&seed))};
    }
}

static int set_up(void **state)
{
    (void)state;
    row = calloc(ROWS + MORE, sizeof *row);
    make_rows(row, ROWS, 5);
    make_rows(row + ROWS, MORE, 6);
    qsort(row, ROWS, sizeof *row, by_key);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(row);
    return 0;
}

struct question {
    const char *filter;
    struct om_weighting weight;
    enum om_kernel kernel;
};

static const struct om_weight_value GRADE[] = {{.text = "a", .weight = 4},
                                               {.text = "b", .weight = 0.5}};
static const struct om_weight_table TABLE = {
    .column = FIELD_KIND, .count = 2, .value = GRADE, .otherwise = 1};
static const struct question QUESTION[] = {
    {NULL, {.column = OM_NO_FIELD, .at_s = INT64_MAX}, OM_KERNEL_QUARTIC},
    {NULL, {.column = OM_NO_FIELD, .at_s = INT64_MAX}, OM_KERNEL_EPANECHNIKOV},
    {"kind <> 'c'",
     {.column = OM_NO_FIELD, .at_s = INT64_MAX},
     OM_KERNEL_QUARTIC},
    {"kind IN ('a', 'b', 'c', 'd', 'e')",
     {.column = FIELD_PEOPLE, .at_s = INT64_MAX},
     OM_KERNEL_GAUSSIAN},
    {NULL, {.column = FIELD_SCORE, .at_s = INT64_MAX}, OM_KERNEL_QUARTIC},
    {NULL,
     {.column = OM_NO_FIELD,
      .table = &TABLE,
      .half_life_s = 3e6,
      .at_s = NOW_S + 86400},
     OM_KERNEL_QUARTIC},
    {"people > 0",
     {.column = FIELD_PEOPLE, .half_life_s = 3e6, .at_s = NOW_S - 5000000},
     OM_KERNEL_QUARTIC}};

/* The field's largest value and how far the two layers are apart. */
static void compare(struct om_fields *fields, struct om_selections *cache,
                    const struct om_layer *const layer[2],
                    const struct question *q, unsigned z, double *largest,
                    double *error)
{
    double sum[2];
    const struct om_field_window window = {
        .z = z,
        .x = (uint32_t)(CITY_X + 2e6) >> (32 - z),
        .y = (uint32_t)(CITY_Y + 2e6) >> (32 - z),
        .side_px = SIDE};
    for (int k = 0; k < 2; k++) {
        struct om_filter *filter = NULL;
        struct om_selection *selection;
        struct om_arena arena = {0};
        if (q->filter)
            assert_int_equal(om_filter_parse(q->filter, strlen(q->filter),
                                             layer[k], 0, &filter, NULL),
                             OM_OK);
        assert_int_equal(om_select(cache, layer[k], filter,
                                   (struct om_window){0}, &selection),
                         OM_OK);
        const struct om_field_spec spec = {.layer = layer[k],
                                           .selection = selection,
                                           .kernel = q->kernel,
                                           .bandwidth_m = 700,
                                           .weight = q->weight};
        assert_int_equal(
            om_field_window(fields, &spec, &window, &arena, value[k]), OM_OK);
        assert_int_equal(om_field_weight(fields, &spec, &sum[k]), OM_OK);
        om_arena_deinit(&arena);
        om_selection_unref(selection);
        om_filter_free(filter);
    }
    assert_true(sum[0] == sum[1]);
    *largest = *error = 0;
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        *largest = fmax(*largest, fabs((double)value[1][i]));
        *error = fmax(*error, fabs((double)value[0][i] - (double)value[1][i]));
    }
    assert_true(*largest > 0);
}

/* Which rows die: every so many, whole stretches, all of some stacks. */
static size_t choose_dead(uint64_t round, uint32_t *dead)
{
    uint64_t seed = round;
    const uint64_t share = round % 2 ? 3 : 60;
    size_t n = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        const bool stretch = i % 9000 < 700 * (round + 1);
        const bool stack = om_morton(row[i].pos) % 97 == round;
        if (stretch || stack || field_random(&seed) % share == 0) dead[n++] = i;
    }
    return n;
}

static void dead_rows_are_out_of_their_cells(void **state)
{
    (void)state;
    static uint32_t dead[ROWS];
    struct om_fields *fields;
    struct om_selections *cache;
    assert_int_equal(om_fields_new((size_t)1 << 28, &fields), OM_OK);
    assert_int_equal(om_selections_new((size_t)1 << 28, &cache), OM_OK);
    struct field_layer with = {0};
    assert_int_equal(field_layer_add(&with, row, ROWS), OM_OK);
    for (uint64_t round = 0; round < 3; round++) {
        struct field_layer without = {0};
        struct field_row *kept = calloc(ROWS, sizeof *kept);
        const size_t n = choose_dead(round, dead);
        size_t left = 0;
        for (size_t i = 0, d = 0; i < ROWS; i++)
            if (d < n && dead[d] == i)
                d++;
            else
                kept[left++] = row[i];
        assert_int_equal(field_layer_add(&without, kept, left), OM_OK);
        free(kept);
        with.part[0].dead = dead;
        with.part[0].dead_count = n;
        with.layer.rows = left;
        with.layer.serial += 1u << 20;
        const struct om_layer *layer[2] = {&with.layer, &without.layer};
        for (size_t q = 0; q < sizeof QUESTION / sizeof *QUESTION; q++)
            for (unsigned z = 8; z <= 16; z += 2) {
                double largest, error;
                compare(fields, cache, layer, &QUESTION[q], z, &largest,
                        &error);
                if (error > 0)
                    fail_msg("round %d, question %zu, zoom %u: %g of %g",
                             (int)round, q, z, error, largest);
            }
        field_layer_free(&without);
    }
    field_layer_free(&with);
    om_selections_free(cache);
    om_fields_free(fields);
}

/* Rows of [0, n) that a part of several takes, those that will die among them:
 * the first has most, the second enough to have cells, the others few. */
static size_t part_of(size_t i)
{
    const size_t k = i * 2654435761u % 4099 % 100;
    return k < 80 ? 0 : k < 95 ? 1 : k < 98 ? 2 : 3;
}
#define DIVIDED 4

/* Rows as a layer of parts with dead ones in each. owns: field_layer_free, and
 * the dead */
static void divide(const struct field_row *from, size_t n, const bool *dead,
                   struct field_layer *out, uint32_t **dead_rows)
{
    struct field_row *some = calloc(n, sizeof *some);
    for (size_t p = 0; p < DIVIDED; p++) {
        size_t rows = 0, gone = 0;
        dead_rows[p] = calloc(n, sizeof **dead_rows);
        for (size_t i = 0; i < n; i++)
            if (part_of(i) == p) some[rows++] = from[i];
        assert_int_equal(field_layer_add(out, some, rows), OM_OK);
        // Rows come in Morton order, and in theirs where they stack.
        rows = 0;
        for (size_t i = 0; i < n; i++)
            if (part_of(i) == p) {
                if (dead[i]) dead_rows[p][gone++] = (uint32_t)rows;
                rows++;
            }
        out->part[p].dead = dead_rows[p];
        out->part[p].dead_count = gone;
        out->layer.rows -= gone;
    }
    free(some);
}

static void more_rows_are_added(void **state)
{
    (void)state;
    struct om_fields *fields;
    struct om_selections *cache;
    assert_int_equal(om_fields_new((size_t)1 << 28, &fields), OM_OK);
    assert_int_equal(om_selections_new((size_t)1 << 28, &cache), OM_OK);
    for (uint64_t round = 0; round < 2; round++) {
        struct field_layer with = {0}, whole = {0};
        const size_t n = ROWS + MORE;
        struct field_row *sorted = calloc(n, sizeof *sorted);
        struct field_row *living = calloc(n, sizeof *living);
        bool *dead = calloc(n, sizeof *dead);
        uint32_t *list = calloc(ROWS, sizeof *list), *of[DIVIDED];
        size_t left = 0;
        memcpy(sorted, row, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_key);
        const size_t gone = round ? choose_dead(2, list) : 0;
        for (size_t i = 0; i < gone; i++) dead[list[i]] = true;
        for (size_t i = 0; i < n; i++)
            if (!dead[i]) living[left++] = sorted[i];
        divide(sorted, n, dead, &with, of);
        assert_int_equal(field_layer_add(&whole, living, left), OM_OK);
        assert_int_equal(with.layer.rows, left);
        const struct om_layer *layer[2] = {&with.layer, &whole.layer};
        for (size_t q = 0; q < sizeof QUESTION / sizeof *QUESTION; q++)
            for (unsigned z = 8; z <= 16; z += 2) {
                double largest, error;
                compare(fields, cache, layer, &QUESTION[q], z, &largest,
                        &error);
                if (error > 0)
                    fail_msg("question %zu, zoom %u: %g of %g", q, z, error,
                             largest);
            }
        for (size_t p = 0; p < DIVIDED; p++) free(of[p]);
        free(list);
        free(dead);
        free(living);
        free(sorted);
        field_layer_free(&with);
        field_layer_free(&whole);
    }
    om_selections_free(cache);
    om_fields_free(fields);
}

static void ask_all(struct om_fields *fields, struct om_selections *cache,
                    const struct om_layer *layer)
{
    const struct om_layer *const both[2] = {layer, layer};
    for (size_t q = 0; q < sizeof QUESTION / sizeof *QUESTION; q++) {
        double largest, error;
        compare(fields, cache, both, &QUESTION[q], 12, &largest, &error);
        assert_true(error == 0);
    }
}

static void kept_cells_outlive_what_is_written(void **state)
{
    (void)state;
    struct om_fields *fields;
    struct om_selections *cache;
    assert_int_equal(om_fields_new((size_t)1 << 28, &fields), OM_OK);
    assert_int_equal(om_selections_new((size_t)1 << 28, &cache), OM_OK);
    struct field_layer layer = {0};
    assert_int_equal(field_layer_add(&layer, row, ROWS), OM_OK);
    ask_all(fields, cache, &layer.layer);
    const struct om_cache_stats before = om_fields_stats(fields);
    assert_true(before.entries >= 5);
    // A row dies, rows come that are newer than any, and again.
    static uint32_t dead[100];
    for (size_t i = 0; i < 100; i++) dead[i] = (uint32_t)(i * 1000);
    for (size_t step = 1; step <= 3; step++) {
        for (size_t i = 0; i < MORE; i++)
            row[ROWS + i].at_s = NOW_S + (int64_t)(step * 1000 + i);
        layer.part[0].dead = dead;
        layer.part[0].dead_count = 30 * step;
        layer.layer.rows -= 30;
        assert_int_equal(
            field_layer_add(&layer, row + ROWS, MORE / step), OM_OK);
        ask_all(fields, cache, &layer.layer);
        const struct om_cache_stats now = om_fields_stats(fields);
        // Plain counts need sums of rows once some have died.
        assert_int_equal(now.entries, before.entries + 1);
        assert_true(now.bytes < before.bytes + 100000);
    }
    om_fields_clear(fields);
    assert_int_equal(om_fields_stats(fields).bytes, 0);
    field_layer_free(&layer);
    om_selections_free(cache);
    om_fields_free(fields);
}

/* ---- threads ---- */

#define LAYERS 3
#define ASKERS 4

struct crowd {
    struct om_fields *fields;
    struct om_selections *cache;
    struct field_layer layer[LAYERS];
    // Of each layer and question.
    float (*want)[sizeof QUESTION / sizeof *QUESTION][SIDE * SIDE];
    atomic_size_t wrong;
};

static om_status window_of(struct om_fields *fields, struct om_selections *cache,
                           const struct om_layer *layer,
                           const struct question *q, float *out)
{
    struct om_filter *filter = NULL;
    struct om_selection *selection = NULL;
    struct om_arena arena = {0};
    const struct om_field_window window = {
        .z = 11,
        .x = (uint32_t)(CITY_X + 2e6) >> 21,
        .y = (uint32_t)(CITY_Y + 2e6) >> 21,
        .side_px = SIDE};
    om_status st = OM_OK;
    if (q->filter)
        st = om_filter_parse(q->filter, strlen(q->filter), layer, 0, &filter,
                             NULL);
    if (!st)
        st = om_select(cache, layer, filter, (struct om_window){0}, &selection);
    const struct om_field_spec spec = {.layer = layer,
                                       .selection = selection,
                                       .kernel = q->kernel,
                                       .bandwidth_m = 700,
                                       .weight = q->weight};
    if (!st) st = om_field_window(fields, &spec, &window, &arena, out);
    om_arena_deinit(&arena);
    om_selection_unref(selection);
    om_filter_free(filter);
    return st;
}

static void *ask_at_once(void *arg)
{
    struct crowd *c = arg;
    static _Atomic uint64_t seeds = 1;
    uint64_t seed = seeds++;
    float *got = malloc(SIDE * SIDE * sizeof *got);
    const size_t questions = sizeof QUESTION / sizeof *QUESTION;
    for (size_t i = 0; got && i < test_rounds(60); i++) {
        const size_t l = field_random(&seed) % LAYERS;
        const size_t q = field_random(&seed) % questions;
        if (i % 17 == 16) om_fields_clear(c->fields);
        if (window_of(c->fields, c->cache, &c->layer[l].layer, &QUESTION[q],
                      got) ||
            memcmp(got, c->want[l][q], SIDE * SIDE * sizeof *got))
            c->wrong++;
    }
    free(got);
    return NULL;
}

static void kept_cells_are_shared_by_threads(void **state)
{
    (void)state;
    static struct crowd c;
    static uint32_t dead[1000];
    pthread_t thread[ASKERS];
    const size_t questions = sizeof QUESTION / sizeof *QUESTION;
    // Room for two or three of the seven.
    assert_int_equal(om_fields_new((size_t)6 << 20, &c.fields), OM_OK);
    assert_int_equal(om_selections_new((size_t)1 << 20, &c.cache), OM_OK);
    c.want = calloc(LAYERS, sizeof *c.want);
    for (size_t i = 0; i < 1000; i++) dead[i] = (uint32_t)(i * 140);
    struct om_segment *base = NULL;
    for (size_t l = 0; l < LAYERS; l++) {
        struct field_layer *layer = &c.layer[l];
        if (l == 0) {
            assert_int_equal(field_layer_add(layer, row, ROWS / 2), OM_OK);
            base = layer->part[0].segment;
        } else {
            // The same base as the first, later.
            *layer = c.layer[0];
            layer->part[0].segment = om_segment_ref(base);
            layer->layer.parts = 1;
            layer->layer.part = layer->part;
            assert_int_equal(field_layer_add(layer, row + ROWS, MORE), OM_OK);
            layer->part[0].dead = dead;
            layer->part[0].dead_count = 250 * l;
            layer->layer.rows -= 250 * l;
        }
        for (size_t q = 0; q < questions; q++)
            assert_int_equal(window_of(c.fields, c.cache, &layer->layer,
                                       &QUESTION[q], c.want[l][q]),
                             OM_OK);
    }
    for (size_t i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask_at_once, &c), 0);
    for (size_t i = 0; i < ASKERS; i++) pthread_join(thread[i], NULL);
    assert_int_equal(c.wrong, 0);
    assert_true(om_fields_stats(c.fields).bytes <= (size_t)12 << 20);
    om_fields_free(c.fields);
    om_selections_free(c.cache);
    for (size_t l = 0; l < LAYERS; l++) field_layer_free(&c.layer[l]);
    free(c.want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_rows_are_out_of_their_cells),
        cmocka_unit_test(more_rows_are_added),
        cmocka_unit_test(kept_cells_outlive_what_is_written),
        cmocka_unit_test(kept_cells_are_shared_by_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
