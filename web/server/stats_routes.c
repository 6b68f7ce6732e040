// stats_routes.c - how many, by what.
#include <string.h>

#include "data/model/time.h"
#include "web/server/bounds.h"
#include "web/server/handlers.h"
#include "web/server/jobs.h"
#include "web/server/names.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/stats_rates.h"
#include "web/server/stats_series.h"
#include "web/server/stats_values.h"

/* Seconds that a row of a pass over a column costs, of text at the worst. */
#define STATS_ROW_S 50e-9

static enum om_step step_of(const char *by)
{
    if (!strcmp(by, "hour")) return OM_STEP_HOUR;
    if (!strcmp(by, "day")) return OM_STEP_DAY;
    if (!strcmp(by, "month")) return OM_STEP_MONTH;
    return OM_STEP_NONE;
}

/* What the groups are. hour, day and month are steps of time wherever there
 * is a time column, and else columns like others. */
static om_status read_by(struct om__request *r, size_t *column,
                         enum om_step *step)
{
    const char *by = om__param_text(r, "by");
    *column = OM_NO_FIELD;
    *step = OM_STEP_NONE;
    if (!by) return OM_OK;
    const size_t time = r->layer->schema.time_field;
    const enum om_step named = step_of(by);
    if (named != OM_STEP_NONE && time != OM_NO_FIELD) {
        *column = time;
        *step = named;
        return OM_OK;
    }
    *column = om__crowd_column(r->layer, by);
    if (*column != OM_NO_FIELD) return OM_OK;
    if (named == OM_STEP_NONE)
        return om__param_bad(r, "by", OM_E_FORMAT,
                             "by is a column of %s, or hour, day or month",
                             r->layer->name);
    return om__param_bad(r, "by", OM_E_TYPE, "the layer %s has no time column",
                         r->layer->name);
}

static om_status read_sum(struct om__request *r, size_t *column)
{
    const char *name = om__param_text(r, "sum");
    *column = name ? om__crowd_summed(r->layer, name) : OM_NO_FIELD;
    // What is wrong with it is said as of any other.
    if (*column == OM_NO_FIELD) OM_TRY(om__param_column(r, "sum", column));
    if (*column == OM_NO_FIELD) return OM_OK;
    const enum om_type type = r->layer->schema.field[*column].type;
    if (type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
        type == OM_TYPE_BOOLEAN)
        return OM_OK;
    return om__param_bad(r, "sum", OM_E_TYPE, "the column is not a number");
}

static void add_sum(struct om_buf *out, bool real, om_wide integer,
                    double number)
{
    om_buf_add_text(out, ",\"sum\":");
    if (real)
        om_buf_add_json_real(out, number);
    else
        om_buf_add_wide(out, integer);
}

/* Fewer than may be told: neither nothing nor unknown. */
static void add_hidden(struct om_buf *out, bool sum)
{
    om_buf_add_text(out, ",\"count\":null,");
    if (sum) om_buf_add_text(out, "\"sum\":null,");
    om_buf_add_text(out, "\"hidden\":true}");
}

static om_status add_groups(struct om__request *r, const struct om_query *query,
                            size_t by, enum om_step step, size_t sum,
                            const struct om__stats_rates *rates,
                            struct om_buf *out)
{
    struct om_groups groups = {0};
    struct om__level_names *names = NULL;
    bool *hidden = NULL;
    const bool real =
        sum != OM_NO_FIELD && r->layer->schema.field[sum].type == OM_TYPE_REAL;
    om_status st = om_query_group(query, by, step,
                                  r->snapshot->manifest->zone_s, sum, &groups);
    if (st == OM_E_COST)
        om__param_bad(r, "by", st,
                      "by %.64s makes more than %d,%03d,%03d groups; take a "
                      "column with fewer values, or fewer rows by filter, "
                      "bbox or datetime",
                      om__param_text(r, "by"), OM_LIMIT_GROUPS / 1000000,
                      OM_LIMIT_GROUPS / 1000 % 1000, OM_LIMIT_GROUPS % 1000);
    else if (st)
        r->parameter = "by";
    if (!st) st = om__stats_values_tell(r, by, step, groups.count);
    if (st) goto done;
    if (om__crowd_hides(r->layer, by) || om__crowd_hides(r->layer, sum)) {
        hidden = om_arena_calloc(&om__lane(r->server)->arena, groups.count + 1,
                                 sizeof *hidden);
        st = hidden ? om__crowd_hide(r, query, by, sum, rates, &groups, hidden)
                    : OM_E_MEMORY;
        if (st) goto done;
    }
    if (step == OM_STEP_NONE) {
        st = om__names_get(r, r->layer->schema.field[by].name, &names);
        if (st) goto done;
    }
    bool first = true;
    om_buf_add_text(out, ",\"groups\":[");
    for (size_t i = 0; i < groups.count; i++) {
        const struct om_group *g = &groups.group[i];
        const struct om__unit_name *unit =
            g->null ? NULL : om__level_names_find(names, g->id, g->len);
        // Units outside the area are not there, nor are words of rows there.
        if (!g->count && r->layer->rights.area && !unit) continue;
        om_buf_add_text(out, first ? "\n{\"id\":" : ",\n{\"id\":");
        first = false;
        if (g->null)
            om_buf_add_text(out, "null");
        else
            om_buf_add_json_text(out, g->id, g->len);
        if (unit && unit->name) {
            om_buf_add_text(out, ",\"name\":");
            om_buf_add_json_text(out, unit->name, unit->name_len);
        }
        if (unit && unit->english) {
            om_buf_add_text(out, ",\"name_en\":");
            om_buf_add_json_text(out, unit->english, unit->english_len);
        }
        if (hidden && hidden[i]) {
            add_hidden(out, sum != OM_NO_FIELD);
            continue;
        }
        om_buf_addf(out, ",\"count\":%llu", (unsigned long long)g->count);
        if (sum != OM_NO_FIELD) add_sum(out, real, g->sum, g->real_sum);
        om__stats_rates_add(rates, g, out);
        om_buf_add_text(out, "}");
    }
    om_buf_add_text(out, "]");
done:
    om__level_names_unref(names);
    om_groups_deinit(&groups);
    return st;
}

/* Whole columns of a large layer are passed over: not by units, whose counts
 * follow from how rows are ordered. */
static bool is_heavy(const struct om__request *r, const struct om_query *query)
{
    if ((double)r->layer->rows * STATS_ROW_S < OM__HEAVY_S) return false;
    const char *by = om__param_text(r, "by");
    const struct om_schema *s = &r->layer->schema;
    const size_t column = by ? om__crowd_column(r->layer, by) : OM_NO_FIELD;
    const bool unit =
        column != OM_NO_FIELD && column + r->layer->unit_columns >= s->count;
    return query->filter || (by && !unit) || om__param_text(r, "sum") ||
           om__stats_rates_asked(r) || om__stats_series_asked(r);
}

static om_status add_stats(struct om__request *r, const struct om_query *query,
                           size_t by, enum om_step step,
                           const struct om__stats_rates *rates,
                           struct om_buf *out)
{
    size_t sum;
    uint64_t count;
    OM_TRY(read_sum(r, &sum));
    OM_TRY(om_query_count(query, &count));
    if (r->layer->rights.by_level && !r->layer->rights.area)
        count = r->layer->rights.told[0];
    om_buf_add_text(out, "{\"layer\":");
    om_buf_add_json_text(out, r->layer->name, strlen(r->layer->name));
    bool few = false;
    if (om__crowd_hides(r->layer, by) || om__crowd_hides(r->layer, sum))
        OM_TRY(om__crowd_few(query, sum, rates, count, &few));
    if (few)
        om_buf_add_text(out, ",\"count\":null,\"hidden\":true");
    else
        om_buf_addf(out, ",\"count\":%llu", (unsigned long long)count);
    if (sum != OM_NO_FIELD && !few) {
        om_wide integer = 0;
        double real = 0;
        OM_TRY(om_query_sum(query, sum, &integer, &real));
        add_sum(out, r->layer->schema.field[sum].type == OM_TYPE_REAL, integer,
                real);
    }
    if (!few) om__stats_rates_add_all(rates, count, out);
    if (by != OM_NO_FIELD) {
        const char *name = om__param_text(r, "by");
        om_buf_add_text(out, ",\"by\":");
        om_buf_add_json_text(out, name, strlen(name));
        OM_TRY(add_groups(r, query, by, step, sum, rates, out));
    }
    return om_buf_add_text(out, "}\n");
}

static om_status write_stats(struct om__request *r,
                             const struct om_query *query, struct om_buf *out)
{
    size_t by;
    enum om_step step;
    struct om__stats_rates rates = {0};
    OM_TRY(read_by(r, &by, &step));
    OM_TRY(om__stats_values_early(r, query, by, step));
    if (om__stats_series_asked(r)) {
        size_t sum;
        OM_TRY(read_sum(r, &sum));
        return om__stats_series_write(r, query, by, sum, out);
    }
    om_status st = om__stats_rates_read(r, query, by, step, &rates);
    if (!st) st = add_stats(r, query, by, step, &rates, out);
    om__stats_rates_deinit(&rates);
    return st;
}

om_status om__get_stats(struct om__request *r)
{
    struct om_filter *filter = NULL;
    struct om_buf out = {0};
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    OM_TRY(om__crowd_check(r));
    om__crowd_open(r);
    struct om_query query = {.snapshot = r->snapshot,
                             .layer = r->layer,
                             .cache = r->server->selections};
    OM_TRY(om__param_place(r, om__param_bbox, &query.place));
    OM_TRY(om__param_datetime(r, &query.window));
    OM_TRY(om__param_filter(r, &filter));
    om__needs_layer(r, r->layer->name, OM__EVERYWHERE);
    om__needs_units(r);
    query.filter = filter;
    if (is_heavy(r, &query) && om__wait_heavy(r)) {
        om_filter_free(filter);
        return OM_OK;
    }
    om_buf_init(&out, OM__ANSWER_BYTES);
    r->told_rows = 0;
    om_status st = write_stats(r, &query, &out);
    if (!st) st = om__stats_few_tell(r, &query);
    if (!st) st = om__reply_kept(r, &out, &om__head_json, NULL, 0);
    if (!st) st = om__answer_spend(r);
    om_buf_deinit(&out);
    om_filter_free(filter);
    return st;
}
