/* table.c - rows of a result, a piece at a time.
 *
 * Values come one by one and are written as they come; the writer counts
 * columns, so that a row begins and ends by itself. A failure sticks in the
 * buffer or in `status` and is told once, at the end.
 */
#include "web/table.h"

#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/features_internal.h"

#define HAND_ON_BYTES ((size_t)64 << 10)

struct om_table {
    enum om_table_format format;
    const struct om_table_column *column;
    size_t columns, at;  // at: the column that comes next
    int32_t zone_s;
    om_features_take_fn *take;
    void *ctx;
    struct om_buf buf;
    struct om_buf geometry;  // of the row that comes; empty: none
    uint64_t rows;
    om_status status;
};

bool om_table_format_from_name(const char *name, enum om_table_format *out)
{
    static const char *const NAME[] = {"csv", "json", "geojson"};
    for (size_t i = 0; i < sizeof NAME / sizeof *NAME; i++)
        if (!strcmp(name, NAME[i])) {
            *out = (enum om_table_format)i;
            return true;
        }
    return false;
}

static void put_head(struct om_table *t, const char *members)
{
    if (t->format == OM_TABLE_CSV) {
        om_buf_add_text(&t->buf, "\xEF\xBB\xBF");
        for (size_t i = 0; i < t->columns; i++) {
            if (i) om_buf_add_byte(&t->buf, ',');
            om__text_csv(&t->buf, t->column[i].name, strlen(t->column[i].name));
        }
        om_buf_add_text(&t->buf, "\r\n");
        return;
    }
    const bool geo = t->format == OM_TABLE_GEOJSON;
    om_buf_add_text(&t->buf, geo ? "{\"type\":\"FeatureCollection\"," : "{");
    if (members && *members) {
        om_buf_add_text(&t->buf, members);
        om_buf_add_byte(&t->buf, ',');
    }
    om_buf_add_text(&t->buf, geo ? "\"features\":[" : "\"rows\":[");
}

om_status om_table_begin(enum om_table_format format,
                         const struct om_table_column *column, size_t columns,
                         int32_t zone_s, const char *members,
                         om_features_take_fn *take, void *ctx,
                         struct om_table **out)
{
    struct om_table *t = om_calloc(1, sizeof *t);
    if (!t) return OM_E_MEMORY;
    *t = (struct om_table){.format = format,
                           .column = column,
                           .columns = columns,
                           .zone_s = zone_s,
                           .take = take,
                           .ctx = ctx};
    put_head(t, members);
    if (t->buf.status) {
        const om_status st = t->buf.status;
        om_table_free(t);
        return st;
    }
    *out = t;
    return OM_OK;
}

static void hand_on(struct om_table *t, size_t at_least)
{
    if (!t->status) t->status = t->buf.status;
    if (!t->status && t->buf.len && t->buf.len >= at_least)
        t->status = t->take(t->ctx, t->buf.bytes, t->buf.len);
    // What failed is not gathered any further.
    if (t->status || t->buf.len >= at_least) om_buf_clear(&t->buf);
}

static void begin_row(struct om_table *t)
{
    if (t->format == OM_TABLE_CSV) return;
    om_buf_add_text(&t->buf, t->rows ? ",\n" : "\n");
    if (t->format == OM_TABLE_JSON) {
        om_buf_add_byte(&t->buf, '{');
        return;
    }
    om_buf_add_text(&t->buf, "{\"type\":\"Feature\",\"geometry\":");
    if (t->geometry.len)
        om_buf_add(&t->buf, t->geometry.bytes, t->geometry.len);
    else
        om_buf_add_text(&t->buf, "null");
    if (t->geometry.status && !t->status) t->status = t->geometry.status;
    om_buf_clear(&t->geometry);
    om_buf_add_text(&t->buf, ",\"properties\":{");
}

static void end_row(struct om_table *t)
{
    static const char *const END[] = {"\r\n", "}", "}}"};
    om_buf_add_text(&t->buf, END[t->format]);
    t->at = 0;
    t->rows++;
    hand_on(t, HAND_ON_BYTES);
}

/* What stands before the next value. */
static void begin_value(struct om_table *t)
{
    if (t->at == 0) begin_row(t);
    if (t->at) om_buf_add_byte(&t->buf, ',');
    if (t->format == OM_TABLE_CSV) return;
    const char *name = t->column[t->at].name;
    om_buf_add_json_text(&t->buf, name, strlen(name));
    om_buf_add_byte(&t->buf, ':');
}

static void end_value(struct om_table *t)
{
    if (++t->at == t->columns) end_row(t);
}

static void put_value(struct om_table *t, enum om_type type,
                      const struct om_value *value)
{
    begin_value(t);
    if (t->format == OM_TABLE_CSV)
        om__value_csv(&t->buf, type, value, t->zone_s);
    else
        om__value_json(&t->buf, type, value, t->zone_s);
    end_value(t);
}

void om_table_text(struct om_table *t, const char *text, size_t len)
{
    const struct om_value value = {.null = !text, .text = text, .len = len};
    put_value(t, OM_TYPE_TEXT, &value);
}

void om_table_word(struct om_table *t, const char *text)
{
    om_table_text(t, text, text ? strlen(text) : 0);
}

void om_table_integer(struct om_table *t, int64_t integer)
{
    put_value(t, OM_TYPE_INTEGER, &(struct om_value){.integer = integer});
}

void om_table_real(struct om_table *t, double real)
{
    const struct om_value value = {.null = !isfinite(real), .real = real};
    put_value(t, OM_TYPE_REAL, &value);
}

void om_table_time(struct om_table *t, int64_t utc_s)
{
    put_value(t, OM_TYPE_TIME, &(struct om_value){.integer = utc_s});
}

void om_table_truth(struct om_table *t, bool truth)
{
    put_value(t, OM_TYPE_BOOLEAN, &(struct om_value){.integer = truth});
}

void om_table_null(struct om_table *t)
{
    put_value(t, OM_TYPE_TEXT, &(struct om_value){.null = true});
}

void om_table_json(struct om_table *t, const char *text, size_t len)
{
    if (t->format == OM_TABLE_CSV) {
        om_table_text(t, text, len);
        return;
    }
    begin_value(t);
    om_buf_add(&t->buf, text, len);
    end_value(t);
}

void om_table_at(struct om_table *t, double x, double y)
{
    double lon_deg, lat_deg;
    if (t->format != OM_TABLE_GEOJSON) return;
    om_world_to_lonlat(x, y, &lon_deg, &lat_deg);
    om_buf_clear(&t->geometry);
    om_buf_add_text(&t->geometry, "{\"type\":\"Point\",\"coordinates\":[");
    om__degrees(&t->geometry, lon_deg);
    om_buf_add_byte(&t->geometry, ',');
    om__degrees(&t->geometry, lat_deg);
    om_buf_add_text(&t->geometry, "]}");
}

void om_table_shape(struct om_table *t, const struct om_rings *rings,
                    size_t shape)
{
    if (t->format != OM_TABLE_GEOJSON) return;
    om_buf_clear(&t->geometry);
    if (om__shape_json(&t->geometry, rings, shape, true) && !t->status)
        t->status = t->geometry.status;
}

/* One ring, closed; `left`: counter-clockwise as seen on a map. */
static void put_ring(struct om_buf *out, const struct om_shapes *s,
                     uint32_t ring, bool left)
{
    const uint32_t from = s->ring_vertex[ring];
    const uint32_t n = s->ring_vertex[ring + 1] - from;
    const double *x = s->x + from, *y = s->y + from;
    double twice = 0;
    for (uint32_t i = 0, j = n - 1; i < n; j = i++)
        twice += (x[i] - x[0]) * (y[j] - y[0]) - (x[j] - x[0]) * (y[i] - y[0]);
    const bool turn = (twice > 0) != left;
    om_buf_add_byte(out, '[');
    for (uint32_t i = 0; n && i <= n; i++) {
        const uint32_t at = turn ? (n - i) % n : i % n;
        double lon_deg, lat_deg;
        // Rings speak of cells, and of a cell its centre is drawn.
        om_world_to_lonlat(x[at] + 0.5, y[at] + 0.5, &lon_deg, &lat_deg);
        om_buf_add_text(out, i ? ",[" : "[");
        om__degrees(out, lon_deg);
        om_buf_add_byte(out, ',');
        om__degrees(out, lat_deg);
        om_buf_add_byte(out, ']');
    }
    om_buf_add_byte(out, ']');
}

void om_table_polygon(struct om_table *t, const struct om_shapes *shapes,
                      size_t shape)
{
    if (t->format != OM_TABLE_GEOJSON) return;
    struct om_buf *out = &t->geometry;
    const uint32_t first = shapes->shape_part[shape];
    const uint32_t end = shapes->shape_part[shape + 1];
    om_buf_clear(out);
    om_buf_add_text(out, "{\"type\":\"MultiPolygon\",\"coordinates\":[");
    for (uint32_t p = first; p < end; p++) {
        om_buf_add_text(out, p > first ? ",[" : "[");
        for (uint32_t r = shapes->part_ring[p]; r < shapes->part_ring[p + 1];
             r++) {
            if (r > shapes->part_ring[p]) om_buf_add_byte(out, ',');
            put_ring(out, shapes, r, r == shapes->part_ring[p]);
        }
        om_buf_add_byte(out, ']');
    }
    om_buf_add_text(out, "]}");
}

om_status om_table_end(struct om_table *t, const char *members)
{
    if (t->format != OM_TABLE_CSV) {
        om_buf_add_text(&t->buf, "\n]");
        if (members && *members) {
            om_buf_add_byte(&t->buf, ',');
            om_buf_add_text(&t->buf, members);
        }
        om_buf_add_text(&t->buf, "}\n");
    }
    hand_on(t, 0);
    return t->status;
}

uint64_t om_table_rows(const struct om_table *t)
{
    return t->rows;
}

void om_table_free(struct om_table *t)
{
    if (!t) return;
    om_buf_deinit(&t->buf);
    om_buf_deinit(&t->geometry);
    om_free(t);
}
