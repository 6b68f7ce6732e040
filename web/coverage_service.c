// coverage_service.c - how near is the nearest centre, and to how many?
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/coverage_service_internal.h"

void om__service_column(struct om__service_answer *a, enum om_type type,
                        const char *format, const char *of)
{
    char *name = a->names[a->columns];
    snprintf(name, sizeof a->names[0], format, of);
    a->column[a->columns++] = (struct om_table_column){name, type};
}

void om__service_near_columns(struct om__service_answer *a)
{
    for (size_t k = 0; k < a->s.nears; k++) {
        char near[24];
        om__service_near_name(a->s.near[k], near);
        om__service_column(a, OM_TYPE_INTEGER, "count_%s", near);
        om__service_column(a, OM_TYPE_REAL, "share_%s", near);
        om__service_column(a, OM_TYPE_INTEGER, "sum_%s", near);
        om__service_column(a, OM_TYPE_REAL, "sum_share_%s", near);
    }
}

/* ---- capacity ---- */

om_status om__service_capacity(const struct om__service_answer *a, double *out)
{
    const struct om__service *s = &a->s;
    for (size_t i = 0; i < s->centre_count; i++) {
        const struct om_column *column;
        const size_t row = s->centre_row[i];
        OM_TRY(om_segment_column(s->centres->part[s->centre_part[i]].segment,
                                 s->capacity, row, row + 1, &column));
        out[i] = om_column_valid(column, row)
                     ? (double)om_column_integer(column, row)
                     : 0;
    }
    return OM_OK;
}

static om_status weigh_access(struct om__service_answer *a)
{
    const struct om__service *s = &a->s;
    if (!om__coverage_flag(a->q, "access")) return OM_OK;
    if (s->capacity == OM_NO_FIELD)
        return om__coverage_bad(a->q, "access", OM_E_NOTFOUND,
                                "what centres offer is not known (city.json: "
                                "service.capacity)");
    struct om_cover cover = {0};
    double *capacity = om_alloc_array(s->centre_count + 1, sizeof *capacity);
    a->ratio = om_alloc_array(s->centre_count + 1, sizeof *a->ratio);
    a->access = om_alloc_array(s->crowd.count + 1, sizeof *a->access);
    om_status st = capacity && a->ratio && a->access ? OM_OK : OM_E_MEMORY;
    if (!st) st = om__service_capacity(a, capacity);
    if (!st)
        st = om_cover_make(&s->travel, s->centre, s->centre_count, s->crowd.key,
                           a->trips.snap, s->crowd.count, s->near[s->nears - 1],
                           &cover);
    if (st == OM_E_COST)
        om__coverage_bad(a->q, "minutes", st,
                         "too many people within reach of every centre to say "
                         "what each is offered (access): fewer minutes");
    if (!st)
        om_cover_access(&cover, capacity, s->crowd.weight, a->ratio, a->access);
    om_cover_deinit(&cover);
    om_free(capacity);
    return st;
}

/* Mean of the access of people of a unit (`units.count`: of all), per 1,000. */
static double *mean_access(const struct om__service_answer *a)
{
    const size_t units = a->units.count;
    double *sum = om_calloc(units + 1, sizeof *sum);
    if (!sum) return NULL;
    for (size_t i = 0; i < a->s.crowd.count; i++) {
        const double add = a->access[i] * (double)a->s.crowd.weight[i] * 1000;
        if (a->unit[i] < units) sum[a->unit[i]] += add;
        sum[units] += add;
    }
    for (size_t u = 0; u <= units; u++)
        sum[u] = om__share(sum[u], (double)a->tally[u].weight);
    return sum;
}

/* ---- by unit ---- */

static void unit_columns(struct om__service_answer *a)
{
    om__service_column(a, OM_TYPE_TEXT, "id", "");
    om__service_column(a, OM_TYPE_TEXT, "name", "");
    om__service_column(a, OM_TYPE_TEXT, "over", "");
    om__service_column(a, OM_TYPE_INTEGER, "count", "");
    om__service_column(a, OM_TYPE_INTEGER, "sum", "");
    om__service_column(a, OM_TYPE_INTEGER, "count_off", "");
    om__service_column(a, OM_TYPE_INTEGER, "count_cut", "");
    om__service_near_columns(a);
    om__service_column(a, OM_TYPE_REAL, "mean_m", "");
    om__service_column(a, OM_TYPE_REAL, "median_m", "");
    om__service_column(a, OM_TYPE_REAL, "max_m", "");
    if (a->access) om__service_column(a, OM_TYPE_REAL, "access_per_1000", "");
    om__service_column(a, OM_TYPE_TEXT, "text", "");
    om__service_column(a, OM_TYPE_TEXT, "text_en", "");
}

static om_status put_unit(struct om__service_answer *a, size_t u,
                          const double *access)
{
    const struct om_tally *t = &a->tally[u];
    const bool city = u == a->units.count;
    const char *name =
        city ? a->q->snapshot->manifest->name : a->units.unit[u].name;
    struct om_buf said = {0}, zh = {0};
    if (!city) om_table_shape(a->table, &a->units.rings, a->units.unit[u].row);
    om_table_word(a->table, city ? "" : a->units.unit[u].id);
    om_table_word(a->table, name);
    om_table_word(a->table, a->s.over);
    om_table_integer(a->table, (int64_t)t->rows);
    om_table_integer(a->table, t->weight);
    om_table_integer(a->table, (int64_t)t->rows_off);
    om_table_integer(a->table, (int64_t)t->rows_cut);
    for (size_t k = 0; k < a->s.nears; k++) {
        om_table_integer(a->table, (int64_t)t->rows_near[k]);
        om_table_real(a->table,
                      om__share((double)t->rows_near[k], (double)t->rows));
        om_table_integer(a->table, t->weight_near[k]);
        om_table_real(a->table,
                      om__share((double)t->weight_near[k], (double)t->weight));
    }
    om_table_real(a->table, om__thousandths(t->mean_m));
    om_table_real(a->table, om__thousandths(t->median_m));
    om_table_real(a->table, om__thousandths(t->max_m));
    if (a->access) om_table_real(a->table, access[u]);
    om__say_unit(&a->s, city ? NULL : &a->upper, u, name, t, &said, &zh);
    om_table_text(a->table, (const char *)zh.bytes, zh.len);
    om_table_text(a->table, (const char *)said.bytes, said.len);
    const om_status st = said.status ? said.status : zh.status;
    om_buf_deinit(&said);
    om_buf_deinit(&zh);
    return st;
}

/* Units by how many people are not near, most first. */
struct ranked {
    int64_t far;
    size_t unit;
};
static int by_far(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->far != y->far) return x->far > y->far ? -1 : 1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

static om_status put_units(struct om__service_answer *a)
{
    const size_t n = a->level ? a->units.count : 0;
    uint64_t worst = 0;
    OM_TRY(om__coverage_whole(a->q, "worst", 1, 1000000, &worst));
    if (worst && !a->level)
        return om__coverage_bad(a->q, "worst", OM_E_FORMAT,
                                "needs by: the worst of which units?");
    struct ranked *rank = om_alloc_array(n + 1, sizeof *rank);
    double *access = a->access ? mean_access(a) : NULL;
    om_status st = rank && (access || !a->access) ? OM_OK : OM_E_MEMORY;
    for (size_t u = 0; u < n && !st; u++)
        rank[u] = (struct ranked){
            a->tally[u].weight - a->tally[u].weight_near[a->s.nears - 1], u};
    if (!st && worst) qsort(rank, n, sizeof *rank, by_far);
    const size_t shown = worst && worst < n ? (size_t)worst : n;
    for (size_t k = 0; k < shown && !st; k++)
        st = put_unit(a, rank[k].unit, access);
    if (!st && !a->level) st = put_unit(a, a->units.count, access);
    om_free(rank);
    om_free(access);
    return st;
}

/* ---- all together ---- */

static om_status measure(struct om__service_answer *a)
{
    struct om__service *s = &a->s;
    const size_t n = s->crowd.count;
    a->unit = om_alloc_array(n + 1, sizeof *a->unit);
    a->tally = om_alloc_array(a->units.count + 1, sizeof *a->tally);
    if (!a->unit || !a->tally) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) a->unit[i] = OM_NO_UNIT;
    if (a->level) OM_TRY(om__service_units(s, &a->units, a->unit));
    OM_TRY(om_trips_make(&s->travel, s->crowd.key, n, s->snap, s->centre,
                         s->centre_count, &a->trips));
    OM_TRY(weigh_access(a));
    return om_trips_tally(&s->crowd, &a->trips, a->unit, a->units.count,
                          s->near, s->nears, a->tally);
}

static void city_members(const struct om__service_answer *a, struct om_buf *out)
{
    const struct om_tally *t = &a->tally[a->units.count];
    om__service_members(&a->s, out);
    if (a->s.net)
        om_buf_addf(out, ",\"centres_off\":%zu", a->trips.centres_off);
    om_buf_addf(out,
                ",\"city\":{\"count\":%llu,\"sum\":%lld,\"count_off\":%llu,"
                "\"sum_off\":%lld,\"count_cut\":%llu,\"sum_cut\":%lld",
                (unsigned long long)t->rows, (long long)t->weight,
                (unsigned long long)t->rows_off, (long long)t->weight_off,
                (unsigned long long)t->rows_cut, (long long)t->weight_cut);
    for (size_t k = 0; k < a->s.nears; k++) {
        char near[24];
        om__service_near_name(a->s.near[k], near);
        om_buf_addf(out, ",\"count_%s\":%llu,\"share_%s\":", near,
                    (unsigned long long)t->rows_near[k], near);
        om_buf_add_json_real(
            out, om__share((double)t->rows_near[k], (double)t->rows));
        om_buf_addf(out, ",\"sum_%s\":%lld,\"sum_share_%s\":", near,
                    (long long)t->weight_near[k], near);
        om_buf_add_json_real(
            out, om__share((double)t->weight_near[k], (double)t->weight));
    }
    om_buf_add_text(out, ",\"mean_m\":");
    om_buf_add_json_real(out, om__thousandths(t->mean_m));
    om_buf_add_text(out, ",\"median_m\":");
    om_buf_add_json_real(out, om__thousandths(t->median_m));
    om_buf_add_text(out, ",\"max_m\":");
    om_buf_add_json_real(out, om__thousandths(t->max_m));
    om_buf_add_text(out, "}");
}

static om_status begin(struct om__service_answer *a)
{
    struct om_buf members = {0};
    city_members(a, &members);
    om_buf_add_byte(&members, 0);
    om_status st = members.status;
    if (!st)
        st = om__coverage_table(a->q, a->column, a->columns,
                                (const char *)members.bytes, &a->table);
    om_buf_deinit(&members);
    return st;
}

static om_status read_level(struct om__service_answer *a, bool needed)
{
    if (!om__coverage_text(a->q, "by") && !needed) return OM_OK;
    const struct om_manifest *m = a->q->snapshot->manifest;
    OM_TRY(om__coverage_level(a->q, &a->level));
    // Areas are called by village rather than by grid where both are there.
    if (!om__coverage_text(a->q, "by") && m->levels > 1) a->level = m->level[1];
    OM_TRY(om_units_read(a->q->snapshot, a->level, &a->units, &a->q->err));
    return om__upper_read(a->q, &a->units, &a->upper);
}

static om_status answer_rows(struct om__service_answer *a)
{
    struct om_selection *among = NULL;
    struct om_filter *filter = NULL;
    const char *text = om__coverage_text(a->q, "among");
    om__service_row_columns(a);
    om_status st = begin(a);
    if (!st && text)
        st = om_filter_parse(text, strlen(text), a->s.people,
                             a->q->snapshot->manifest->zone_s, &filter,
                             &a->q->err);
    if (!st)
        st = om_select(a->q->selections, a->s.people, filter,
                       (struct om_window){0}, &among);
    if (!st) st = om__service_put_rows(a, among);
    om_filter_free(filter);
    om_selection_unref(among);
    return st;
}

static om_status give(struct om__service_answer *a)
{
    if (om__coverage_flag(a->q, "rows")) return answer_rows(a);
    if (om__coverage_flag(a->q, "areas")) {
        om__service_area_columns(a);
        OM_TRY(begin(a));
        return om__service_put_areas(a);
    }
    if (om__coverage_flag(a->q, "centres")) {
        om__service_centre_columns(a);
        OM_TRY(begin(a));
        return om__service_put_centres(a);
    }
    unit_columns(a);
    OM_TRY(begin(a));
    return put_units(a);
}

static om_status one_of_flags(struct om_coverage *q)
{
    const int n = om__coverage_flag(q, "rows") + om__coverage_flag(q, "areas") +
                  om__coverage_flag(q, "centres");
    if (n < 2) return OM_OK;
    return om__coverage_bad(
        q, om__coverage_flag(q, "rows") ? "rows" : "areas", OM_E_FORMAT,
        "rows, areas and centres are answers of their own: ask for one");
}

/* Before anything is computed: a list that nobody takes is not made. */
static om_status check_rows(struct om__service_answer *a)
{
    uint64_t limit = a->s.crowd.total_rows;
    if (!om__coverage_flag(a->q, "rows")) return OM_OK;
    OM_TRY(om__coverage_whole(a->q, "limit", 1, UINT32_MAX, &limit));
    a->rows = limit < a->s.crowd.total_rows ? limit : a->s.crowd.total_rows;
    if (a->q->rows_page && a->rows > a->q->rows_page) a->rows = a->q->rows_page;
    if (!a->q->rows_most || a->rows <= a->q->rows_most) return OM_OK;
    return om__coverage_bad(a->q, "limit", OM_E_COST,
                            "%llu rows are more than %zu; ask for fewer by "
                            "limit or among",
                            (unsigned long long)a->rows, a->q->rows_most);
}

om_status om__coverage_service(struct om_coverage *q)
{
    struct om__service_answer a = {.q = q};
    OM_TRY(one_of_flags(q));
    OM_TRY(om__service_read(q, &a.s));
    om_status st = om__service_prepare(q, &a.s);
    if (!st) st = check_rows(&a);
    if (!st) st = read_level(&a, om__coverage_flag(q, "areas"));
    if (!st) st = measure(&a);
    if (!st) st = give(&a);
    if (!st) st = om_table_end(a.table, NULL);
    om_table_free(a.table);
    om__upper_deinit(&a.upper);
    om_units_deinit(&a.units);
    om_trips_deinit(&a.trips);
    om_free(a.unit);
    om_free(a.tally);
    om_free(a.access);
    om_free(a.ratio);
    om__service_deinit(&a.s);
    return st;
}
