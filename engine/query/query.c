/* query.c - how many, how much, and which: one question, one answer.
 *
 * Ranges of rows that lie in the place come from place.c, which of them count
 * from the selection; here they meet. Where whole ranges count, sums are
 * differences of the column's cumulative sums.
 */
#include "engine/query/query.h"

#include <string.h>

#include "data/base/thread.h"
#include "engine/query/ask_internal.h"

om_status om_query_count(const struct om_query *query, uint64_t *out)
{
    struct om__ask ask;
    OM_TRY(om__ask_init(&ask, query));
    om_status st = OM_OK;
    uint64_t count = 0;
    for (size_t i = 0; i < ask.layer->parts && !st; i++) {
        uint64_t here = 0;
        st = om__ask_count(&ask, i, &here);
        count += here;
    }
    om__ask_deinit(&ask);
    if (!st) *out = count;
    return st;
}

/* NULLs are stored as 0 but mean base + 0: they are left out by name. */
static om_wide sum_rows(const struct om_column *c,
                        const struct om__chosen *chosen, size_t from, size_t to)
{
    om_wide sum = 0;
    if (from >= to) return 0;
    for (size_t w = from / 64; w <= (to - 1) / 64; w++) {
        uint64_t bits = om__chosen_bits(chosen, w, from, to);
        if (c->valid) bits &= c->valid[w];
        for (; bits; bits &= bits - 1)
            sum += om_column_integer(c, w * 64 + (size_t)__builtin_ctzll(bits));
    }
    return sum;
}

static om_wide sum_span(const struct om_column *c,
                        const struct om__chosen *chosen, size_t from, size_t to)
{
    const size_t first = (from + OM_SUM_ROWS - 1) / OM_SUM_ROWS;
    const size_t last = to / OM_SUM_ROWS;
    if (!om__chosen_all(chosen) || first >= last || !c->sum ||
        !om_sums_fit(c, chosen->rows))
        return sum_rows(c, chosen, from, to);
    return sum_rows(c, chosen, from, first * OM_SUM_ROWS) +
           sum_rows(c, chosen, last * OM_SUM_ROWS, to) +
           (c->sum[last] - c->sum[first]);
}

static void real_span(const struct om_column *c,
                      const struct om__chosen *chosen, size_t from, size_t to,
                      struct om__real_sum *sum)
{
    const double *value = c->data;
    if (from >= to) return;
    for (size_t w = from / 64; w <= (to - 1) / 64; w++) {
        uint64_t bits = om__chosen_bits(chosen, w, from, to);
        if (c->valid) bits &= c->valid[w];
        for (; bits; bits &= bits - 1)
            om__real_add(sum, value[w * 64 + (size_t)__builtin_ctzll(bits)]);
    }
}

static om_status sum_part(const struct om__ask *ask, size_t part, size_t column,
                          om_wide *sum, struct om__real_sum *real)
{
    const struct om_segment *segment = ask->layer->part[part].segment;
    struct om__chosen chosen;
    struct om__spans spans = {0};
    om__chosen_init(&chosen, ask->selection, ask->layer, part);
    om_status st = om__ask_spans(ask, part, &spans);
    for (size_t i = 0; i < spans.count && !st; i++) {
        const struct om__span s = spans.span[i];
        const struct om_column *c;
        st = om_segment_column(segment, column, s.from, s.to, &c);
        if (st) break;
        if (c->coding == OM_CODING_REAL)
            real_span(c, &chosen, s.from, s.to, real);
        else
            *sum += sum_span(c, &chosen, s.from, s.to);
    }
    om__spans_deinit(&spans);
    return st;
}

om_status om_query_sum(const struct om_query *query, size_t column,
                       om_wide *integer, double *real)
{
    const struct om_schema *schema = &query->layer->schema;
    if (column >= schema->count) return OM_E_NOTFOUND;
    const enum om_type type = schema->field[column].type;
    if (type != OM_TYPE_INTEGER && type != OM_TYPE_REAL &&
        type != OM_TYPE_BOOLEAN)
        return OM_E_TYPE;
    struct om__ask ask;
    OM_TRY(om__ask_init(&ask, query));
    om_wide sum = 0;
    struct om__real_sum real_sum = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < ask.layer->parts && !st; i++)
        st = sum_part(&ask, i, column, &sum, &real_sum);
    om__ask_deinit(&ask);
    if (st) return st;
    if (type == OM_TYPE_REAL) {
        if (real) *real = om__real_get(&real_sum);
        return OM_OK;
    }
    if (integer) *integer = sum;
    return OM_OK;
}
