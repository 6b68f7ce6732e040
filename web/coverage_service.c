// coverage_service.c - how near is the nearest centre, and to how many?
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/service_say.h"

#define COLUMNS_MAX (20 + 4 * OM_TALLY_LIMITS)

/* One answer in the making. */
struct answer {
    struct om_coverage *q;
    struct om__service s;
    struct om_trips trips;
    const char *level;      // NULL: the city as one
    struct om_units units;  // of the level
    struct om__upper upper;
    uint32_t *unit;          // [crowd.count]
    struct om_tally *tally;  // [units + 1]
    double *access;          // [crowd.count], NULL without a capacity
    double *ratio;           // [centres]
    struct om_table_column column[COLUMNS_MAX];
    char names[COLUMNS_MAX][40];
    size_t columns;
    struct om_table *table;
};

static void add_column(struct answer *a, enum om_type type, const char *format,
                       const char *of)
{
    char *name = a->names[a->columns];
    snprintf(name, sizeof a->names[0], format, of);
    a->column[a->columns++] = (struct om_table_column){name, type};
}

static void add_near_columns(struct answer *a)
{
    for (size_t k = 0; k < a->s.nears; k++) {
        char near[24];
        om__service_near_name(a->s.near[k], near);
        add_column(a, OM_TYPE_INTEGER, "count_%s", near);
        add_column(a, OM_TYPE_REAL, "share_%s", near);
        add_column(a, OM_TYPE_INTEGER, "sum_%s", near);
        add_column(a, OM_TYPE_REAL, "sum_share_%s", near);
    }
}

/* To the millimetre (or a thousandth of a minute): what is said of ways. */
static double thousandths(double x)
{
    return isfinite(x) ? round(x * 1000) / 1000 : NAN;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

/* ---- capacity ---- */

static om_status read_capacity(const struct answer *a, double *out)
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

static om_status weigh_access(struct answer *a)
{
    const struct om__service *s = &a->s;
    if (s->capacity == OM_NO_FIELD) return OM_OK;
    struct om_cover cover = {0};
    double *capacity = om_alloc_array(s->centre_count + 1, sizeof *capacity);
    a->ratio = om_alloc_array(s->centre_count + 1, sizeof *a->ratio);
    a->access = om_alloc_array(s->crowd.count + 1, sizeof *a->access);
    om_status st = capacity && a->ratio && a->access ? OM_OK : OM_E_MEMORY;
    if (!st) st = read_capacity(a, capacity);
    if (!st)
        st = om_cover_make(&s->travel, s->centre, s->centre_count, s->crowd.key,
                           a->trips.snap, s->crowd.count, s->near[s->nears - 1],
                           &cover);
    if (st == OM_E_COST) {
        // Too many pairs to hold: the answer goes without.
        om_free(a->access);
        a->access = NULL;
        st = OM_OK;
    } else if (!st) {
        om_cover_access(&cover, capacity, s->crowd.weight, a->ratio, a->access);
    }
    om_cover_deinit(&cover);
    om_free(capacity);
    return st;
}

/* Mean of the access of people of a unit (`units.count`: of all), per 1,000. */
static double *mean_access(const struct answer *a)
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
        sum[u] = share(sum[u], (double)a->tally[u].weight);
    return sum;
}

/* ---- by unit ---- */

static void unit_columns(struct answer *a)
{
    add_column(a, OM_TYPE_TEXT, "id", "");
    add_column(a, OM_TYPE_TEXT, "name", "");
    add_column(a, OM_TYPE_TEXT, "over", "");
    add_column(a, OM_TYPE_INTEGER, "count", "");
    add_column(a, OM_TYPE_INTEGER, "sum", "");
    add_column(a, OM_TYPE_INTEGER, "count_off", "");
    add_column(a, OM_TYPE_INTEGER, "count_cut", "");
    add_near_columns(a);
    add_column(a, OM_TYPE_REAL, "mean_m", "");
    add_column(a, OM_TYPE_REAL, "median_m", "");
    add_column(a, OM_TYPE_REAL, "max_m", "");
    if (a->access) add_column(a, OM_TYPE_REAL, "access_per_1000", "");
    add_column(a, OM_TYPE_TEXT, "sentence", "");
    add_column(a, OM_TYPE_TEXT, "sentence_zh", "");
}

static om_status put_unit(struct answer *a, size_t u, const double *access)
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
                      share((double)t->rows_near[k], (double)t->rows));
        om_table_integer(a->table, t->weight_near[k]);
        om_table_real(a->table,
                      share((double)t->weight_near[k], (double)t->weight));
    }
    om_table_real(a->table, thousandths(t->mean_m));
    om_table_real(a->table, thousandths(t->median_m));
    om_table_real(a->table, thousandths(t->max_m));
    if (a->access) om_table_real(a->table, access[u]);
    om__say_unit(&a->s, city ? NULL : &a->upper, u, name, t, &said, &zh);
    om_table_text(a->table, (const char *)said.bytes, said.len);
    om_table_text(a->table, (const char *)zh.bytes, zh.len);
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

static om_status put_units(struct answer *a)
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

/* ---- every row with its centre ---- */

static void row_columns(struct answer *a)
{
    add_column(a, OM_TYPE_TEXT, "id", "");
    add_column(a, OM_TYPE_INTEGER, "sum", "");
    add_column(a, OM_TYPE_TEXT, "over", "");
    add_column(a, OM_TYPE_CATEGORY, "class", "");
    add_column(a, OM_TYPE_TEXT, "centre", "");
    add_column(a, OM_TYPE_TEXT, "centre_name", "");
    add_column(a, OM_TYPE_REAL, "m", "");
    add_column(a, OM_TYPE_REAL, "minutes", "");
}

/* Texts of all centres, read once. */
struct centre_texts {
    struct om_buf bytes;
    size_t *id, *name;  // offsets into bytes
};

static om_status read_centre_texts(const struct om__service *s,
                                   struct centre_texts *out)
{
    struct om_text_reader reader = {0};
    struct om_buf text = {0};
    const size_t name = om__service_name_field(s->centres);
    out->id = om_calloc(s->centre_count + 1, sizeof *out->id);
    out->name = om_calloc(s->centre_count + 1, sizeof *out->name);
    om_status st = out->id && out->name ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < s->centre_count && !st; i++) {
        out->id[i] = out->bytes.len;
        st = om__service_text(s->centres, s->centre_part[i], s->centre_row[i],
                              s->centres->schema.id_field, &reader, &text);
        if (st) break;
        om_buf_add(&out->bytes, text.bytes, text.len);
        out->name[i] = out->bytes.len;
        st = om__service_text(s->centres, s->centre_part[i], s->centre_row[i],
                              name, &reader, &text);
        if (!st) om_buf_add(&out->bytes, text.bytes, text.len);
    }
    if (!st) st = out->bytes.status;
    om_buf_deinit(&text);
    om_text_reader_deinit(&reader);
    return st;
}

static void centre_texts_deinit(struct centre_texts *t)
{
    om_buf_deinit(&t->bytes);
    om_free(t->id);
    om_free(t->name);
}

static const char *text_at(const struct centre_texts *t, const size_t *at,
                           uint32_t centre)
{
    return (const char *)t->bytes.bytes + at[centre];
}

static const char *class_of(const struct answer *a, size_t i)
{
    if (a->trips.centre[i] == OM_TRIP_OFF) return "off";
    if (a->trips.centre[i] == OM_TRIP_CUT) return "cut";
    return om_is_near(&a->trips, i, a->s.near[a->s.nears - 1]) ? "near" : "far";
}

/* The way from position i: class, centre, its name, metres, minutes. */
static void put_way(struct answer *a, const struct centre_texts *texts,
                    size_t i)
{
    const uint32_t centre = a->trips.centre[i];
    om_table_word(a->table, class_of(a, i));
    if (om_trip_goes(centre)) {
        om_table_word(a->table, text_at(texts, texts->id, centre));
        om_table_word(a->table, text_at(texts, texts->name, centre));
    } else {
        om_table_null(a->table);
        om_table_null(a->table);
    }
    om_table_real(a->table, thousandths(a->trips.m[i]));
    om_table_real(a->table, thousandths(a->trips.minutes[i]));
}

static om_status put_row(struct answer *a, const struct centre_texts *texts,
                         size_t part, size_t row, size_t i,
                         struct om_text_reader *reader)
{
    const struct om_layer *people = a->s.people;
    const struct om_segment *segment = people->part[part].segment;
    const struct om_pos at = om_morton_pos(a->s.crowd.key[i]);
    const char *id;
    size_t len;
    OM_TRY(om_segment_text(segment, people->schema.id_field, row, reader, &id,
                           &len));
    om_table_at(a->table, at.x + 0.5, at.y + 0.5);
    om_table_text(a->table, id, len);
    int64_t weight = 1;
    if (a->s.weight != OM_NO_FIELD) {
        const struct om_column *column;
        OM_TRY(om_segment_column(segment, a->s.weight, row, row + 1, &column));
        weight =
            om_column_valid(column, row) ? om_column_integer(column, row) : 0;
    }
    om_table_integer(a->table, weight);
    om_table_word(a->table, a->s.over);
    put_way(a, texts, i);
    return OM_OK;
}

static om_status put_rows(struct answer *a, const struct om_selection *among)
{
    const struct om_crowd *crowd = &a->s.crowd;
    struct centre_texts texts = {0};
    struct om_text_reader reader = {0};
    om_status st = read_centre_texts(&a->s, &texts);
    for (size_t p = 0, i = 0; p < crowd->parts && !st; p++) {
        const uint64_t *key;
        const struct om_segment *segment = a->s.people->part[p].segment;
        const size_t rows = om_segment_rows(segment);
        st = om_segment_keys(segment, 0, rows, &key);
        for (; i < crowd->part_end[p] && !st; i++) {
            size_t row = crowd->first[i];
            for (uint32_t left = crowd->rows[i]; left && !st; row++) {
                if (!om_selection_has(among, p, row)) continue;
                left--;
                st = put_row(a, &texts, p, row, i, &reader);
            }
        }
    }
    centre_texts_deinit(&texts);
    om_text_reader_deinit(&reader);
    return st;
}

/* ---- areas where people are far ---- */

static void area_columns(struct answer *a)
{
    add_column(a, OM_TYPE_INTEGER, "id", "");
    add_column(a, OM_TYPE_TEXT, "name", "");
    add_column(a, OM_TYPE_TEXT, "over", "");
    add_column(a, OM_TYPE_TEXT, "%s", a->level);
    add_column(a, OM_TYPE_INTEGER, "count", "");
    add_column(a, OM_TYPE_INTEGER, "sum", "");
    add_column(a, OM_TYPE_REAL, "area_km2", "");
    add_column(a, OM_TYPE_CATEGORY, "class", "");
    add_column(a, OM_TYPE_TEXT, "centre", "");
    add_column(a, OM_TYPE_TEXT, "centre_name", "");
    add_column(a, OM_TYPE_REAL, "m", "");
    add_column(a, OM_TYPE_REAL, "minutes", "");
    add_column(a, OM_TYPE_TEXT, "sentence", "");
    add_column(a, OM_TYPE_TEXT, "sentence_zh", "");
}

static om_status put_area(struct answer *a, const struct om_areas *areas,
                          size_t k, const struct centre_texts *texts)
{
    const struct om_area *area = &areas->area[k];
    const uint32_t u = a->unit[area->heaviest];
    const bool in = u < a->units.count;
    struct om_buf said = {0}, zh = {0};
    om_table_shape(a->table, &areas->rings, area->shape);
    om_table_integer(a->table, (int64_t)k + 1);
    om_table_word(a->table, in ? a->units.unit[u].name : "");
    om_table_word(a->table, a->s.over);
    om_table_word(a->table, in ? a->units.unit[u].id : "");
    om_table_integer(a->table, (int64_t)area->rows);
    om_table_integer(a->table, area->weight);
    om_table_real(a->table, om_rings_area_km2(&areas->rings, area->shape));
    put_way(a, texts, area->heaviest);
    om__say_area(&a->s, in ? &a->upper : NULL, u, area,
                 a->trips.m[area->heaviest], &said, &zh);
    om_table_text(a->table, (const char *)said.bytes, said.len);
    om_table_text(a->table, (const char *)zh.bytes, zh.len);
    const om_status st = said.status ? said.status : zh.status;
    om_buf_deinit(&said);
    om_buf_deinit(&zh);
    return st;
}

/* One side for the whole layer, whichever of its rows are asked about. */
static uint32_t side_of(const struct om_layer *layer, double side_m)
{
    struct om_box box = OM_BOX_NONE;
    for (size_t p = 0; p < layer->parts; p++)
        if (om_segment_rows(layer->part[p].segment))
            om_box_widen(&box, om_segment_box(layer->part[p].segment));
    const uint32_t y = box.x0 > box.x1 ? 0 : box.y0 + (box.y1 - box.y0) / 2;
    return om_areas_side(side_m, y);
}

static om_status put_areas(struct answer *a)
{
    double cell_m = 100;
    uint64_t limit = 0;
    OM_TRY(om__coverage_real(a->q, "cell", 10, 10000, &cell_m));
    OM_TRY(om__coverage_whole(a->q, "limit", 1, 1000000, &limit));
    const size_t n = a->s.crowd.count;
    struct om_areas areas = {0};
    struct centre_texts texts = {0};
    bool *far = om_calloc(n + 1, sizeof *far);
    om_status st = far ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < n && !st; i++)
        far[i] = !om_is_near(&a->trips, i, a->s.near[a->s.nears - 1]) &&
                 a->s.crowd.weight[i] > 0;
    if (!st)
        st = om_areas_make(&a->s.crowd, far, side_of(a->s.people, cell_m),
                           &areas);
    if (!st) st = read_centre_texts(&a->s, &texts);
    const size_t shown =
        limit && limit < areas.count ? (size_t)limit : areas.count;
    for (size_t k = 0; k < shown && !st; k++)
        st = put_area(a, &areas, k, &texts);
    centre_texts_deinit(&texts);
    om_areas_deinit(&areas);
    om_free(far);
    return st;
}

/* ---- each centre and whom it serves ---- */

static void centre_columns(struct answer *a)
{
    add_column(a, OM_TYPE_TEXT, "id", "");
    add_column(a, OM_TYPE_TEXT, "name", "");
    add_column(a, OM_TYPE_TEXT, "over", "");
    add_column(a, OM_TYPE_INTEGER, "count", "");
    add_column(a, OM_TYPE_INTEGER, "sum", "");
    add_near_columns(a);
    add_column(a, OM_TYPE_REAL, "mean_m", "");
    add_column(a, OM_TYPE_REAL, "max_m", "");
    if (a->s.capacity == OM_NO_FIELD) return;
    add_column(a, OM_TYPE_REAL, "capacity", "");
    add_column(a, OM_TYPE_REAL, "capacity_per_1000", "");
    if (a->access) add_column(a, OM_TYPE_REAL, "catchment_per_1000", "");
}

static void put_centre(struct answer *a, const struct centre_texts *texts,
                       uint32_t i, const struct om_tally *t,
                       const double *capacity)
{
    const struct om_pos at = a->s.centre[i];
    om_table_at(a->table, at.x + 0.5, at.y + 0.5);
    om_table_word(a->table, text_at(texts, texts->id, i));
    om_table_word(a->table, text_at(texts, texts->name, i));
    om_table_word(a->table, a->s.over);
    om_table_integer(a->table, (int64_t)t->rows);
    om_table_integer(a->table, t->weight);
    for (size_t k = 0; k < a->s.nears; k++) {
        om_table_integer(a->table, (int64_t)t->rows_near[k]);
        om_table_real(a->table,
                      share((double)t->rows_near[k], (double)t->rows));
        om_table_integer(a->table, t->weight_near[k]);
        om_table_real(a->table,
                      share((double)t->weight_near[k], (double)t->weight));
    }
    om_table_real(a->table, thousandths(t->mean_m));
    om_table_real(a->table, thousandths(t->max_m));
    if (!capacity) return;
    om_table_real(a->table, capacity[i]);
    om_table_real(a->table, share(capacity[i] * 1000, (double)t->weight));
    if (a->access) om_table_real(a->table, a->ratio[i] * 1000);
}

static om_status put_centres(struct answer *a)
{
    const size_t n = a->s.centre_count;
    struct centre_texts texts = {0};
    struct om_tally *tally = om_alloc_array(n + 1, sizeof *tally);
    double *capacity = NULL;
    om_status st = tally ? OM_OK : OM_E_MEMORY;
    if (!st && a->s.capacity != OM_NO_FIELD) {
        capacity = om_alloc_array(n + 1, sizeof *capacity);
        st = capacity ? read_capacity(a, capacity) : OM_E_MEMORY;
    }
    if (!st) st = read_centre_texts(&a->s, &texts);
    if (!st)
        st = om_trips_tally(&a->s.crowd, &a->trips, a->trips.centre, n,
                            a->s.near, a->s.nears, tally);
    for (uint32_t i = 0; i < n && !st; i++)
        put_centre(a, &texts, i, &tally[i], capacity);
    centre_texts_deinit(&texts);
    om_free(tally);
    om_free(capacity);
    return st;
}

/* ---- all together ---- */

static om_status measure(struct answer *a)
{
    struct om__service *s = &a->s;
    const size_t n = s->crowd.count;
    a->unit = om_alloc_array(n + 1, sizeof *a->unit);
    a->tally = om_alloc_array(a->units.count + 1, sizeof *a->tally);
    if (!a->unit || !a->tally) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) a->unit[i] = OM_NO_UNIT;
    if (a->level) OM_TRY(om__service_units(s, &a->units, a->unit));
    OM_TRY(om_trips_make(&s->travel, s->crowd.key, n, NULL, s->centre,
                         s->centre_count, &a->trips));
    OM_TRY(weigh_access(a));
    return om_trips_tally(&s->crowd, &a->trips, a->unit, a->units.count,
                          s->near, s->nears, a->tally);
}

static void city_members(const struct answer *a, struct om_buf *out)
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
        om_buf_add_json_real(out,
                             share((double)t->rows_near[k], (double)t->rows));
        om_buf_addf(out, ",\"sum_%s\":%lld,\"sum_share_%s\":", near,
                    (long long)t->weight_near[k], near);
        om_buf_add_json_real(
            out, share((double)t->weight_near[k], (double)t->weight));
    }
    om_buf_add_text(out, ",\"mean_m\":");
    om_buf_add_json_real(out, thousandths(t->mean_m));
    om_buf_add_text(out, ",\"median_m\":");
    om_buf_add_json_real(out, thousandths(t->median_m));
    om_buf_add_text(out, ",\"max_m\":");
    om_buf_add_json_real(out, thousandths(t->max_m));
    om_buf_add_text(out, "}");
}

static om_status begin(struct answer *a)
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

static om_status read_level(struct answer *a, bool needed)
{
    if (!om__coverage_text(a->q, "by") && !needed) return OM_OK;
    OM_TRY(om__coverage_level(a->q, &a->level));
    OM_TRY(om_units_read(a->q->snapshot, a->level, &a->units, &a->q->err));
    return om__upper_read(a->q, &a->units, &a->upper);
}

static om_status answer_rows(struct answer *a)
{
    struct om_selection *among = NULL;
    struct om_filter *filter = NULL;
    const char *text = om__coverage_text(a->q, "among");
    row_columns(a);
    om_status st = begin(a);
    if (!st && text)
        st = om_filter_parse(text, strlen(text), a->s.people,
                             a->q->snapshot->manifest->zone_s, &filter,
                             &a->q->err);
    if (!st)
        st = om_select(a->q->selections, a->s.people, &OM_POLICY_ALL, filter,
                       (struct om_window){0}, &among);
    if (!st) st = put_rows(a, among);
    om_filter_free(filter);
    om_selection_unref(among);
    return st;
}

static om_status give(struct answer *a)
{
    if (om__coverage_flag(a->q, "rows")) return answer_rows(a);
    if (om__coverage_flag(a->q, "areas")) {
        area_columns(a);
        OM_TRY(begin(a));
        return put_areas(a);
    }
    if (om__coverage_flag(a->q, "centres")) {
        centre_columns(a);
        OM_TRY(begin(a));
        return put_centres(a);
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

om_status om__coverage_service(struct om_coverage *q)
{
    struct answer a = {.q = q};
    OM_TRY(one_of_flags(q));
    OM_TRY(om__service_read(q, &a.s));
    om_status st = om__service_prepare(q, &a.s);
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
