// live_answers_rows.h - lists, pages, groups and sums of two cities.
#ifndef OM_TESTS_TILES_LIVE_ANSWERS_ROWS_H
#define OM_TESTS_TILES_LIVE_ANSWERS_ROWS_H

#include "tests/tiles/live_asked.h"

/* ---- lists of rows ---- */

struct answers_list {
    const struct om_layer *layer;
    size_t count, room;
    char (*id)[MODEL_TEXT];
    double *distance;
};

static inline bool answers_add(void *ctx, const struct om_hit *hit)
{
    struct answers_list *l = ctx;
    struct om_text_reader reader = {0};
    const char *text;
    size_t len;
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : 256;
        l->id = realloc(l->id, l->room * sizeof *l->id);
        l->distance = realloc(l->distance, l->room * sizeof *l->distance);
        assert_non_null(l->distance);
    }
    assert_int_equal(om_segment_text(l->layer->part[hit->part].segment, 0,
                                     hit->row, &reader, &text, &len),
                     OM_OK);
    snprintf(l->id[l->count], MODEL_TEXT, "%.*s", (int)len, text);
    l->distance[l->count++] = hit->distance_m;
    om_text_reader_deinit(&reader);
    return true;
}

static inline om_status answers_add_row(void *ctx, size_t part, size_t row)
{
    const struct om_hit hit = {.part = part, .row = row};
    return answers_add(ctx, &hit) ? OM_OK : OM_E_STOPPED;
}

static inline int answers_by_id(const void *a, const void *b)
{
    return strcmp(a, b);
}

static inline void answers_drop_lists(struct answers_list list[2])
{
    for (int k = 0; k < 2; k++) {
        free(list[k].id);
        free(list[k].distance);
    }
}

static inline void answers_same_lists(struct answers_list list[2], bool sorted)
{
    assert_int_equal(list[0].count, list[1].count);
    for (int k = 0; k < 2 && !sorted; k++)
        if (list[k].count)
            qsort(list[k].id, list[k].count, sizeof *list[k].id, answers_by_id);
    for (size_t i = 0; i < list[0].count; i++) {
        assert_string_equal(list[0].id[i], list[1].id[i]);
        // What distances belong to was sorted away otherwise.
        if (sorted) assert_true(list[0].distance[i] == list[1].distance[i]);
    }
    answers_drop_lists(list);
}

static inline void answers_same_rows(const struct asked_city city[2], int l,
                                     struct om_place place, const char *text,
                                     struct om_window window)
{
    struct answers_list list[2] = {{0}};
    uint64_t count[2];
    for (int k = 0; k < 2; k++) {
        struct om_filter *filter = answers_filter(&city[k], l, text);
        struct om_query query = answers_query(&city[k], l, filter);
        query.place = place;
        query.window = window;
        list[k].layer = query.layer;
        assert_int_equal(om_query_each(&query, answers_add, &list[k]), OM_OK);
        assert_int_equal(om_query_count(&query, &count[k]), OM_OK);
        assert_int_equal(count[k], list[k].count);
        om_filter_free(filter);
    }
    assert_int_equal(count[0], count[1]);
    answers_same_lists(list, true);
}

static inline void answers_same_sorted(const struct asked_city city[2], int l,
                                       size_t column, bool descending,
                                       size_t limit)
{
    // The id settles ties: two cities list them in their own order.
    const struct om_sort_key key[] = {{column, descending}, {0, false}};
    struct answers_list list[2] = {{0}};
    for (int k = 0; k < 2; k++) {
        struct om_query query = answers_query(&city[k], l, NULL);
        query.limit = limit;
        list[k].layer = query.layer;
        assert_int_equal(om_query_sorted(&query, key, 2, answers_add, &list[k]),
                         OM_OK);
    }
    answers_same_lists(list, true);
}

/* Pages of a few rows, each behind the last of the one before. */
static inline bool answers_add_page(void *ctx, const struct om_hit *hit)
{
    struct {
        struct answers_list *list;
        struct om_hit *last;
    } *page = ctx;
    *page->last = *hit;
    return answers_add(page->list, hit);
}

static inline void answers_same_pages(const struct asked_city city[2], int l,
                                      size_t limit)
{
    struct answers_list list[2] = {{0}};
    for (int k = 0; k < 2; k++) {
        struct om_query query = answers_query(&city[k], l, NULL);
        struct om_hit last;
        struct {
            struct answers_list *list;
            struct om_hit *last;
        } page = {&list[k], &last};
        query.limit = limit;
        list[k].layer = query.layer;
        for (;;) {
            const size_t before = list[k].count;
            const struct om_hit from = last;
            query.after = before ? &from : NULL;
            assert_int_equal(om_query_each(&query, answers_add_page, &page),
                             OM_OK);
            if (list[k].count < before + limit) break;
        }
        assert_int_equal(list[k].count, query.layer->rows);
    }
    answers_same_lists(list, false);
}

/* ---- groups and sums ---- */

static inline void answers_same_groups(const struct asked_city city[2], int l,
                                       size_t by, enum om_step step, size_t sum,
                                       const char *text)
{
    struct om_groups groups[2];
    for (int k = 0; k < 2; k++) {
        struct om_filter *filter = answers_filter(&city[k], l, text);
        const struct om_query query = answers_query(&city[k], l, filter);
        assert_int_equal(
            om_query_group(&query, by, step, 8 * 3600, sum, &groups[k]), OM_OK);
        om_filter_free(filter);
    }
    // Values that nobody has any more, or nobody among the selected, may be
    // listed with 0 by one and not by the other; units always are.
    const struct om_layer *layer = answers_layer(&city[0], l);
    const bool units = by >= layer->schema.count - layer->unit_columns;
    size_t i = 0, j = 0;
    for (;;) {
        if (!units) {
            while (i < groups[0].count && !groups[0].group[i].count) i++;
            while (j < groups[1].count && !groups[1].group[j].count) j++;
        }
        if (i == groups[0].count || j == groups[1].count) break;
        const struct om_group *a = &groups[0].group[i++];
        const struct om_group *b = &groups[1].group[j++];
        assert_true(a->null == b->null && a->len == b->len);
        assert_memory_equal(a->id, b->id, a->len);
        assert_int_equal(a->count, b->count);
        assert_int_equal(a->sum, b->sum);
        assert_true(fabs(a->real_sum - b->real_sum) <=
                    1e-12 * (1 + fabs(a->real_sum)));
    }
    assert_true(i == groups[0].count && j == groups[1].count);
    om_groups_deinit(&groups[0]);
    om_groups_deinit(&groups[1]);
}

static inline void answers_same_sums(const struct asked_city city[2], int l,
                                     size_t column)
{
    om_wide integer[2] = {0};
    double real[2] = {0};
    for (int k = 0; k < 2; k++) {
        const struct om_query query = answers_query(&city[k], l, NULL);
        assert_int_equal(om_query_sum(&query, column, &integer[k], &real[k]),
                         OM_OK);
    }
    assert_int_equal(integer[0], integer[1]);
    assert_true(fabs(real[0] - real[1]) <= 1e-12 * (1 + fabs(real[0])));
}

#endif
