// series.c - sums by unit and day: one pass, into a table of all pairs.
#include "engine/query/series.h"

#include "data/base/alloc.h"
#include "engine/query/days_internal.h"

struct adding {
    const struct om__ask *ask;
    const struct om_units *units;
    int32_t zone_s;
    size_t sum_column;
    // the part at hand
    struct om__chosen chosen;
    struct om_unit_rows of;
    struct om_series *out;
};

static void add_row(const struct adding *a, const struct om_column *time,
                    const struct om_column *value, size_t row)
{
    struct om_series *out = a->out;
    if (!om_column_valid(time, row)) return;
    if (value && !om_column_valid(value, row)) return;
    const uint32_t in = om_unit_of_row(&a->of, row);
    const size_t unit = in < a->units->count ? in : a->units->count;
    const int64_t day =
        om__day_of(om_column_integer(time, row), a->zone_s) - out->first;
    if (day < 0) {
        out->earlier++;
        return;
    }
    out->sum[unit * out->days + (size_t)day] +=
        value ? om_column_integer(value, row) : 1;
}

static om_status add_span(const struct adding *a, size_t part, size_t from,
                          size_t to)
{
    const struct om_segment *segment = a->ask->layer->part[part].segment;
    const size_t time_column = a->ask->layer->schema.time_field;
    const struct om_column *time, *value = NULL;
    OM_TRY(om_segment_column(segment, time_column, from, to, &time));
    if (a->sum_column != OM_NO_FIELD)
        OM_TRY(om_segment_column(segment, a->sum_column, from, to, &value));
    for (size_t w = from / 64; w <= (to - 1) / 64; w++) {
        if (w % (OM__ASK_ROWS / 64) == 0 && om_cancelled()) return OM_E_STOPPED;
        uint64_t bits = om__chosen_bits(&a->chosen, w, from, to);
        for (; bits; bits &= bits - 1)
            add_row(a, time, value, w * 64 + (size_t)__builtin_ctzll(bits));
    }
    return OM_OK;
}

static om_status add_part(struct adding *a, size_t part)
{
    struct om__spans spans = {0};
    struct om_arena arena = {0};
    om__chosen_init(&a->chosen, a->ask->selection, a->ask->layer, part);
    om_status st = om_units_rows(a->units, a->ask->layer, part, &arena, &a->of);
    if (!st) st = om__ask_spans(a->ask, part, &spans);
    for (size_t i = 0; i < spans.count && !st; i++)
        st = add_span(a, part, spans.span[i].from, spans.span[i].to);
    om__spans_deinit(&spans);
    om_arena_deinit(&arena);
    return st;
}

static om_status add_parts(struct adding *a)
{
    struct om_series *out = a->out;
    out->units = a->units->count + 1;
    const size_t fit = OM_SERIES_MOST / out->units;
    const struct om_window *w = &a->ask->query->window;
    const bool open = !w->set || w->from_s == INT64_MIN;
    OM_TRY(om__days_span(
        a->ask, a->zone_s,
        open && fit && fit < OM_DAYS_MOST ? (uint32_t)fit : OM_DAYS_MOST,
        &out->first, &out->days));
    if (!out->days) return OM_OK;
    if (out->units > OM_SERIES_MOST / out->days) return OM_E_COST;
    out->sum = om_calloc(out->units * out->days, sizeof *out->sum);
    if (!out->sum) return OM_E_MEMORY;
    for (size_t p = 0; p < a->ask->layer->parts; p++) OM_TRY(add_part(a, p));
    return OM_OK;
}

static om_status check(const struct om_query *query,
                       const struct om_units *units, size_t sum_column)
{
    const struct om_schema *s = &query->layer->schema;
    if (s->time_field == OM_NO_FIELD ||
        om_layer_unit_field(query->layer, units->level) == OM_NO_FIELD)
        return OM_E_NOTFOUND;
    if (sum_column == OM_NO_FIELD) return OM_OK;
    if (sum_column >= s->count) return OM_E_NOTFOUND;
    const enum om_type type = s->field[sum_column].type;
    return type == OM_TYPE_INTEGER || type == OM_TYPE_BOOLEAN ? OM_OK
                                                              : OM_E_TYPE;
}

om_status om_query_series(const struct om_query *query,
                          const struct om_units *units, int32_t zone_s,
                          size_t sum_column, struct om_series *out)
{
    *out = (struct om_series){0};
    OM_TRY(check(query, units, sum_column));
    struct om__ask ask;
    OM_TRY(om__ask_init(&ask, query));
    struct adding a = {.ask = &ask,
                       .units = units,
                       .zone_s = zone_s,
                       .sum_column = sum_column,
                       .out = out};
    const om_status st = add_parts(&a);
    om__ask_deinit(&ask);
    if (st) om_series_deinit(out);
    return st;
}

void om_series_deinit(struct om_series *series)
{
    om_free(series->sum);
    *series = (struct om_series){0};
}
