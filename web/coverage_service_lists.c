// coverage_service_lists.c - every row with its centre, areas where people are
// far, centres and whom they serve.
#include "data/base/alloc.h"
#include "web/coverage_service_internal.h"

/* ---- every row with its centre ---- */

void om__service_row_columns(struct om__service_answer *a)
{
    // GeoJSON has the place as geometry.
    if (a->q->format != OM_TABLE_GEOJSON) {
        om__service_column(a, OM_TYPE_REAL, "lon", "");
        om__service_column(a, OM_TYPE_REAL, "lat", "");
    }
    om__service_column(a, OM_TYPE_TEXT, "id", "");
    om__service_column(a, OM_TYPE_INTEGER, "sum", "");
    om__service_column(a, OM_TYPE_TEXT, "over", "");
    om__service_column(a, OM_TYPE_CATEGORY, "class", "");
    om__service_column(a, OM_TYPE_TEXT, "centre", "");
    om__service_column(a, OM_TYPE_TEXT, "centre_name", "");
    om__service_column(a, OM_TYPE_REAL, "m", "");
    om__service_column(a, OM_TYPE_REAL, "minutes", "");
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

static const char *class_of(const struct om__service_answer *a, size_t i)
{
    if (a->trips.centre[i] == OM_TRIP_OFF) return "off";
    if (a->trips.centre[i] == OM_TRIP_CUT) return "cut";
    return om_is_near(&a->trips, i, a->s.near[a->s.nears - 1]) ? "near" : "far";
}

/* The way from position i: class, centre, its name, metres, minutes. */
static void put_way(struct om__service_answer *a,
                    const struct centre_texts *texts, size_t i)
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
    om_table_real(a->table, om__thousandths(a->trips.m[i]));
    om_table_real(a->table, om__thousandths(a->trips.minutes[i]));
}

/* To seven decimals of a degree: a centimetre. */
static void put_place(struct om__service_answer *a, struct om_pos at)
{
    double lon, lat;
    om_table_at(a->table, at.x + 0.5, at.y + 0.5);
    if (a->q->format == OM_TABLE_GEOJSON) return;
    om_pos_to_lonlat(at, &lon, &lat);
    om_table_real(a->table, round(lon * 1e7) / 1e7);
    om_table_real(a->table, round(lat * 1e7) / 1e7);
}

/* Finer areas tell where each of those who are far away is. */
#define AREA_CELL_M 100.0

/* Rows of one position on their way into the table. */
struct listing {
    struct om__service_answer *a;
    const struct centre_texts *texts;
    struct om_text_reader *reader;
    size_t i;
    uint64_t more;
};

static om_status put_row(void *ctx, size_t part, size_t row)
{
    struct listing *l = ctx;
    struct om__service_answer *a = l->a;
    const struct om_layer *people = a->s.people;
    const struct om_segment *segment = people->part[part].segment;
    const char *id;
    size_t len;
    if (!l->more || !om__coverage_tell(a->q)) return OM_OK;
    l->more--;
    OM_TRY(om_segment_text(segment, people->schema.id_field, row, l->reader,
                           &id, &len));
    put_place(a, om_morton_pos(a->s.crowd.key[l->i]));
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
    put_way(a, l->texts, l->i);
    return OM_OK;
}

om_status om__service_put_rows(struct om__service_answer *a,
                               const struct om_selection *among)
{
    struct centre_texts texts = {0};
    struct om_text_reader reader = {0};
    struct listing l = {
        .a = a, .texts = &texts, .reader = &reader, .more = a->rows};
    om_status st = read_centre_texts(&a->s, &texts);
    for (; l.i < a->s.crowd.count && l.more && !st; l.i++)
        st = om_crowd_rows(&a->s.crowd, l.i, a->s.people, among, put_row, &l);
    centre_texts_deinit(&texts);
    om_text_reader_deinit(&reader);
    return st;
}

/* ---- areas where people are far ---- */

void om__service_area_columns(struct om__service_answer *a)
{
    om__service_column(a, OM_TYPE_INTEGER, "id", "");
    om__service_column(a, OM_TYPE_TEXT, "name", "");
    om__service_column(a, OM_TYPE_TEXT, "over", "");
    om__service_column(a, OM_TYPE_TEXT, "%s", a->level);
    om__service_column(a, OM_TYPE_INTEGER, "count", "");
    om__service_column(a, OM_TYPE_INTEGER, "sum", "");
    om__service_column(a, OM_TYPE_REAL, "area_km2", "");
    om__service_column(a, OM_TYPE_CATEGORY, "class", "");
    om__service_column(a, OM_TYPE_TEXT, "centre", "");
    om__service_column(a, OM_TYPE_TEXT, "centre_name", "");
    om__service_column(a, OM_TYPE_REAL, "m", "");
    om__service_column(a, OM_TYPE_REAL, "minutes", "");
    om__service_column(a, OM_TYPE_TEXT, "text", "");
    om__service_column(a, OM_TYPE_TEXT, "text_en", "");
}

static om_status put_area(struct om__service_answer *a,
                          const struct om_areas *areas, size_t k,
                          const struct centre_texts *texts)
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
    om_table_text(a->table, (const char *)zh.bytes, zh.len);
    om_table_text(a->table, (const char *)said.bytes, said.len);
    const om_status st = said.status ? said.status : zh.status;
    om_buf_deinit(&said);
    om_buf_deinit(&zh);
    return st;
}

/* One side for the whole layer, whichever of its rows are asked about. */
static uint32_t side_of(const struct om_layer *layer, double side_m)
{
    const struct om_box box = om_layer_box(layer);
    const uint32_t y = box.x0 > box.x1 ? 0 : box.y0 + (box.y1 - box.y0) / 2;
    return om_areas_side(side_m, y);
}

om_status om__service_put_areas(struct om__service_answer *a)
{
    double cell_m = AREA_CELL_M;
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
    const bool fine = cell_m < AREA_CELL_M;
    for (size_t k = 0; k < shown && !st; k++) {
        if (fine && !om__coverage_tell(a->q)) break;
        st = put_area(a, &areas, k, &texts);
    }
    centre_texts_deinit(&texts);
    om_areas_deinit(&areas);
    om_free(far);
    return st;
}

/* ---- each centre and whom it serves ---- */

void om__service_centre_columns(struct om__service_answer *a)
{
    om__service_column(a, OM_TYPE_TEXT, "id", "");
    om__service_column(a, OM_TYPE_TEXT, "name", "");
    om__service_column(a, OM_TYPE_TEXT, "over", "");
    om__service_column(a, OM_TYPE_INTEGER, "count", "");
    om__service_column(a, OM_TYPE_INTEGER, "sum", "");
    om__service_near_columns(a);
    om__service_column(a, OM_TYPE_REAL, "mean_m", "");
    om__service_column(a, OM_TYPE_REAL, "max_m", "");
    if (a->s.capacity == OM_NO_FIELD) return;
    om__service_column(a, OM_TYPE_REAL, "capacity", "");
    om__service_column(a, OM_TYPE_REAL, "capacity_per_1000", "");
    if (a->access)
        om__service_column(a, OM_TYPE_REAL, "catchment_per_1000", "");
}

static void put_centre(struct om__service_answer *a,
                       const struct centre_texts *texts, uint32_t i,
                       const struct om_tally *t, const double *capacity)
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
                      om__share((double)t->rows_near[k], (double)t->rows));
        om_table_integer(a->table, t->weight_near[k]);
        om_table_real(a->table,
                      om__share((double)t->weight_near[k], (double)t->weight));
    }
    om_table_real(a->table, om__thousandths(t->mean_m));
    om_table_real(a->table, om__thousandths(t->max_m));
    if (!capacity) return;
    om_table_real(a->table, capacity[i]);
    om_table_real(a->table, om__share(capacity[i] * 1000, (double)t->weight));
    if (a->access) om_table_real(a->table, a->ratio[i] * 1000);
}

om_status om__service_put_centres(struct om__service_answer *a)
{
    const size_t n = a->s.centre_count;
    struct centre_texts texts = {0};
    struct om_tally *tally = om_alloc_array(n + 1, sizeof *tally);
    double *capacity = NULL;
    om_status st = tally ? OM_OK : OM_E_MEMORY;
    if (!st && a->s.capacity != OM_NO_FIELD) {
        capacity = om_alloc_array(n + 1, sizeof *capacity);
        st = capacity ? om__service_capacity(a, capacity) : OM_E_MEMORY;
    }
    if (!st) st = read_centre_texts(&a->s, &texts);
    if (!st)
        st = om_trips_tally(&a->s.crowd, &a->trips, a->trips.centre, n,
                            a->s.near, a->s.nears, tally);
    for (uint32_t i = 0; i < n && !st && om__coverage_tell(a->q); i++)
        put_centre(a, &texts, i, &tally[i], capacity);
    centre_texts_deinit(&texts);
    om_free(tally);
    om_free(capacity);
    return st;
}
