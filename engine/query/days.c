/* days.c - sums by cell and day.
 *
 * DESIGN
 * Rows are in Morton order, so those of a cell are a run in each part: they are
 * added up in an array of days that is cleared cell by cell, and nothing of the
 * size of cells times days is ever held. What comes out is put into the order
 * of the cells' numbers at the end; what several parts have in one cell meets
 * there.
 */
#include "engine/query/days.h"

#include <string.h>

#include "data/base/alloc.h"
#include "engine/layer/build.h"
#include "engine/query/days_internal.h"

#define SLOTS (OM_DAYS_MOST * OM_DAY_KINDS_MOST)
#define WORDS ((SLOTS + 63) / 64)

struct counting {
    const struct om__ask *ask;
    const struct om_day_net *net;
    int32_t zone_s;
    size_t time_column, weight_column;
    size_t part;
    struct om__chosen chosen;
    const struct om_column *time, *weight;  // weight NULL: 1
    const struct om_day_kinds *kinds;       // NULL: all are alike
    // the cell at hand: a slot for each day of kind 0, then of kind 1, ...
    uint32_t cell;
    bool open;
    size_t words;  // of `has` that slots are in
    uint64_t has[WORDS];
    double slot[SLOTS];
    // what has come of it
    struct om_days *out;
    size_t room;
};

/* ---- the first day and the last ---------------------------------------- */

static om_status span_of_part(const struct om__ask *ask, size_t part,
                              int64_t *low_s, int64_t *high_s)
{
    const struct om_segment *segment = ask->layer->part[part].segment;
    const size_t rows = om_segment_rows(segment);
    const struct om_column *time;
    OM_TRY(
        om_segment_column(segment, ask->layer->schema.time_field, 0, 0, &time));
    const size_t blocks = (rows + OM_BLOCK_ROWS - 1) / OM_BLOCK_ROWS;
    for (size_t i = 0; i < blocks; i++) {
        if (time->block_min[i] > time->block_max[i]) continue;
        if (time->block_min[i] < *low_s) *low_s = time->block_min[i];
        if (time->block_max[i] > *high_s) *high_s = time->block_max[i];
    }
    return OM_OK;
}

om_status om__days_span(const struct om__ask *ask, int32_t zone_s,
                        uint32_t most, int64_t *first, uint32_t *days)
{
    const struct om_window *window = &ask->query->window;
    int64_t low_s = INT64_MAX, high_s = INT64_MIN;
    *first = 0;
    *days = 0;
    for (size_t p = 0; p < ask->layer->parts; p++)
        OM_TRY(span_of_part(ask, p, &low_s, &high_s));
    if (window->set && window->from_s > low_s) low_s = window->from_s;
    if (window->set && window->to_s <= high_s) high_s = window->to_s - 1;
    if (low_s > high_s) return OM_OK;  // no times: no days
    *first = om__day_of(low_s, zone_s);
    const int64_t span = om__day_of(high_s, zone_s) - *first;
    *days = span < most ? (uint32_t)span + 1 : most;
    if (span < most) return OM_OK;
    if (window->set && window->from_s != INT64_MIN) return OM_E_COST;
    *first += span + 1 - most;
    return OM_OK;
}

/* ---- rows -------------------------------------------------------------- */

static om_status put(struct counting *c, size_t slot)
{
    const size_t cells = (size_t)c->net->columns * c->net->rows;
    struct om_days *out = c->out;
    if (out->count == OM_DAY_SUMS_MOST) return OM_E_COST;
    if (out->count == c->room) {
        const size_t room = c->room ? 2 * c->room : 1024;
        struct om_day_sum *more = om_realloc(out->sum, room * sizeof *more);
        if (!more) return OM_E_MEMORY;
        out->sum = more;
        c->room = room;
    }
    out->sum[out->count++] = (struct om_day_sum){
        .cell = c->cell + (uint32_t)(slot / out->days * cells),
        .day = (uint32_t)(slot % out->days),
        .sum = c->slot[slot]};
    return OM_OK;
}

/* The cell at hand is done. */
static om_status end_cell(struct counting *c)
{
    if (!c->open) return OM_OK;
    c->open = false;
    for (size_t w = 0; w < c->words; w++) {
        for (uint64_t bits = c->has[w]; bits; bits &= bits - 1) {
            const size_t slot = w * 64 + (size_t)__builtin_ctzll(bits);
            OM_TRY(put(c, slot));
            c->slot[slot] = 0.0;
        }
        c->has[w] = 0;
    }
    return OM_OK;
}

static bool cell_of(const struct om_day_net *net, uint64_t key, uint32_t *out)
{
    const uint64_t x = om_morton_squeeze(key), y = om_morton_squeeze(key >> 1);
    const uint64_t column = (x >> net->exponent) - net->column0;
    const uint64_t row = (y >> net->exponent) - net->row0;
    if (column >= net->columns || row >= net->rows) return false;
    *out = (uint32_t)(row * net->columns + column);
    return true;
}

static double weight_of(const struct counting *c, size_t row)
{
    if (!c->weight) return 1.0;
    if (c->weight->coding == OM_CODING_REAL)
        return ((const double *)c->weight->data)[row];
    return (double)om_column_integer(c->weight, row);
}

static om_status add_row(struct counting *c, uint64_t key, size_t row)
{
    uint32_t cell;
    if (!om_column_valid(c->time, row) ||
        (c->weight && !om_column_valid(c->weight, row)) ||
        !cell_of(c->net, key, &cell))
        return OM_OK;
    const int64_t day =
        om__day_of(om_column_integer(c->time, row), c->zone_s) - c->out->first;
    if (day < 0) return OM_OK;
    const size_t kind = c->kinds ? c->kinds->of(c->kinds->ctx, row) : 0;
    if (c->kinds && kind >= c->kinds->count) return OM_OK;
    if (!c->open || cell != c->cell) {
        OM_TRY(end_cell(c));
        c->open = true;
        c->cell = cell;
    }
    const size_t slot = kind * c->out->days + (size_t)day;
    c->has[slot / 64] |= UINT64_C(1) << (slot % 64);
    c->slot[slot] += weight_of(c, row);
    return OM_OK;
}

static om_status add_span(struct counting *c, size_t from, size_t to)
{
    const struct om_segment *segment = c->ask->layer->part[c->part].segment;
    const uint64_t *key;
    OM_TRY(om_segment_keys(segment, from, to, &key));
    OM_TRY(om_segment_column(segment, c->time_column, from, to, &c->time));
    if (c->weight_column != OM_NO_FIELD)
        OM_TRY(
            om_segment_column(segment, c->weight_column, from, to, &c->weight));
    for (size_t w = from / 64; w <= (to - 1) / 64; w++) {
        if (w % (OM__ASK_ROWS / 64) == 0 && om_cancelled()) return OM_E_STOPPED;
        uint64_t bits = om__chosen_bits(&c->chosen, w, from, to);
        for (; bits; bits &= bits - 1) {
            const size_t row = w * 64 + (size_t)__builtin_ctzll(bits);
            OM_TRY(add_row(c, key[row], row));
        }
    }
    return OM_OK;
}

static om_status add_part(struct counting *c)
{
    struct om__spans spans = {0};
    if (c->kinds) OM_TRY(c->kinds->begin(c->kinds->ctx, c->part));
    om__chosen_init(&c->chosen, c->ask->selection, c->ask->layer, c->part);
    om_status st = om__ask_spans(c->ask, c->part, &spans);
    for (size_t i = 0; i < spans.count && !st; i++)
        st = add_span(c, spans.span[i].from, spans.span[i].to);
    if (!st) st = end_cell(c);
    om__spans_deinit(&spans);
    return st;
}

/* ---- in the order of cells --------------------------------------------- */

struct sorting {
    uint64_t *key, *key2;
    uint32_t *at, *at2;
    struct om_day_sum *sum;
};

static om_status sorting_init(struct sorting *s, size_t n)
{
    s->key = om_alloc_array(n, sizeof *s->key);
    s->key2 = om_alloc_array(n, sizeof *s->key2);
    s->at = om_alloc_array(n, sizeof *s->at);
    s->at2 = om_alloc_array(n, sizeof *s->at2);
    s->sum = om_alloc_array(n, sizeof *s->sum);
    return s->key && s->key2 && s->at && s->at2 && s->sum ? OM_OK : OM_E_MEMORY;
}

static void sorting_deinit(struct sorting *s)
{
    om_free(s->key);
    om_free(s->key2);
    om_free(s->at);
    om_free(s->at2);
    om_free(s->sum);
}

/* By cell and day; equal pairs become one. */
static om_status put_in_order(struct om_days *days)
{
    struct sorting s = {0};
    const size_t n = days->count;
    if (n < 2) return OM_OK;
    om_status st = sorting_init(&s, n);
    for (size_t i = 0; i < n && !st; i++) {
        s.key[i] = (uint64_t)days->sum[i].cell << 16 | days->sum[i].day;
        s.at[i] = (uint32_t)i;
    }
    if (!st) st = om_sort_keys(s.key, s.at, s.key2, s.at2, n);
    if (!st) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
            const struct om_day_sum *next = &days->sum[s.at[i]];
            if (i && s.key[i] == s.key[i - 1])
                s.sum[kept - 1].sum += next->sum;
            else
                s.sum[kept++] = *next;
        }
        om_free(days->sum);
        days->sum = s.sum;
        days->count = kept;
        s.sum = NULL;
    }
    sorting_deinit(&s);
    return st;
}

/* ---- the question ------------------------------------------------------ */

static om_status check(const struct om_layer *layer,
                       const struct om_day_net *net, size_t weight_column)
{
    const struct om_schema *s = &layer->schema;
    if (s->geometry != OM_GEOMETRY_POINT) return OM_E_TYPE;
    if (s->time_field == OM_NO_FIELD) return OM_E_NOTFOUND;
    if (net->exponent > 32 || !net->columns || !net->rows ||
        (uint64_t)net->columns * net->rows > OM_DAY_CELLS_MOST)
        return OM_E_RANGE;
    if (weight_column == OM_NO_FIELD) return OM_OK;
    if (weight_column >= s->count) return OM_E_NOTFOUND;
    const enum om_type type = s->field[weight_column].type;
    return type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
                   type == OM_TYPE_BOOLEAN
               ? OM_OK
               : OM_E_TYPE;
}

static om_status count_parts(struct counting *c)
{
    OM_TRY(om__days_span(c->ask, c->zone_s, OM_DAYS_MOST, &c->out->first,
                         &c->out->days));
    if (!c->out->days) return OM_OK;
    const size_t kinds = c->kinds ? c->kinds->count : 1;
    c->words = (kinds * c->out->days + 63) / 64;
    for (c->part = 0; c->part < c->ask->layer->parts; c->part++)
        OM_TRY(add_part(c));
    return put_in_order(c->out);
}

static om_status count_days(const struct om_query *query,
                            const struct om_day_net *net, int32_t zone_s,
                            size_t weight_column,
                            const struct om_day_kinds *kinds,
                            struct om_days *out)
{
    *out = (struct om_days){0};
    OM_TRY(check(query->layer, net, weight_column));
    struct om__ask ask;
    OM_TRY(om__ask_init(&ask, query));
    struct counting *c = om_calloc(1, sizeof *c);
    om_status st = c ? OM_OK : OM_E_MEMORY;
    if (!st) {
        c->ask = &ask;
        c->net = net;
        c->zone_s = zone_s;
        c->time_column = query->layer->schema.time_field;
        c->weight_column = weight_column;
        c->kinds = kinds;
        c->out = out;
        st = count_parts(c);
    }
    om_free(c);
    om__ask_deinit(&ask);
    if (st) om_days_deinit(out);
    return st;
}

om_status om_query_days(const struct om_query *query,
                        const struct om_day_net *net, int32_t zone_s,
                        size_t weight_column, struct om_days *out)
{
    return count_days(query, net, zone_s, weight_column, NULL, out);
}

om_status om_query_days_of_kinds(const struct om_query *query,
                                 const struct om_day_net *net, int32_t zone_s,
                                 const struct om_day_kinds *kinds,
                                 struct om_days *out)
{
    *out = (struct om_days){0};
    if (!kinds->count || kinds->count > OM_DAY_KINDS_MOST) return OM_E_RANGE;
    return count_days(query, net, zone_s, OM_NO_FIELD, kinds, out);
}

void om_days_deinit(struct om_days *days)
{
    om_free(days->sum);
    *days = (struct om_days){0};
}
