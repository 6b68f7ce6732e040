// features_row.c - the values of a row, one by one, as JSON and as CSV.
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "data/source/csv.h"
#include "web/features_internal.h"

om_status om__rows_init(struct om__rows *rows, const struct om_layer *layer,
                        const struct om_features_options *options)
{
    *rows = (struct om__rows){
        .layer = layer, .zone_s = options->zone_s, .project = options->project};
    const size_t all = layer->schema.count;
    rows->columns = options->column ? options->columns : all;
    rows->column = om_alloc_array(rows->columns, sizeof *rows->column);
    rows->reader = om_calloc(all + 1, sizeof *rows->reader);
    om_status st = rows->column && rows->reader ? OM_OK : OM_E_MEMORY;
    size_t shown = 0;
    for (size_t i = 0; i < rows->columns && !st; i++) {
        const size_t column = options->column ? options->column[i] : i;
        if (column >= all)
            st = OM_E_NOTFOUND;
        else if (!layer->schema.hidden[column])
            rows->column[shown++] = column;
    }
    rows->columns = shown;
    if (st) om__rows_deinit(rows);
    return st;
}

void om__rows_deinit(struct om__rows *rows)
{
    for (size_t i = 0; rows->reader && i <= rows->layer->schema.count; i++)
        om_text_reader_deinit(&rows->reader[i]);
    om_free(rows->reader);
    om_free(rows->column);
    *rows = (struct om__rows){0};
}

static struct om_segment *segment_of(const struct om__rows *rows,
                                     const struct om_hit *hit)
{
    return rows->layer->part[hit->part].segment;
}

om_status om__rows_value(struct om__rows *rows, const struct om_hit *hit,
                         size_t column, struct om_value *out)
{
    const struct om_segment *segment = segment_of(rows, hit);
    const enum om_type type = rows->layer->schema.field[column].type;
    *out = (struct om_value){0};
    if (type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY) {
        OM_TRY(om_segment_text(segment, column, hit->row, &rows->reader[column],
                               &out->text, &out->len));
        out->null = !out->text;
        return OM_OK;
    }
    const struct om_column *c;
    OM_TRY(om_segment_column(segment, column, hit->row, hit->row + 1, &c));
    out->null = !om_column_valid(c, hit->row);
    if (out->null) return OM_OK;
    if (c->coding == OM_CODING_REAL)
        out->real = ((const double *)c->data)[hit->row];
    else
        out->integer = om_column_integer(c, hit->row);
    return OM_OK;
}

om_status om__rows_id(struct om__rows *rows, const struct om_hit *hit,
                      const char **text, size_t *len)
{
    const struct om_schema *schema = &rows->layer->schema;
    return om_segment_text(segment_of(rows, hit), schema->id_field, hit->row,
                           &rows->reader[schema->count], text, len);
}

void om__value_json(struct om_buf *buf, enum om_type type,
                    const struct om_value *value, int32_t zone_s)
{
    char time[OM_TIME_TEXT_BYTES];
    if (value->null) {
        om_buf_add_text(buf, "null");
        return;
    }
    switch (type) {
        case OM_TYPE_TEXT:
        case OM_TYPE_CATEGORY:
            om_buf_add_json_text(buf, value->text, value->len);
            break;
        case OM_TYPE_INTEGER:
            om_buf_add_i64(buf, value->integer);
            break;
        case OM_TYPE_REAL:
            om_buf_add_json_real(buf, value->real);
            break;
        case OM_TYPE_TIME:
            om_buf_add_json_text(buf, time,
                                 om_time_format(value->integer, zone_s, time));
            break;
        case OM_TYPE_BOOLEAN:
            om_buf_add_text(buf, value->integer ? "true" : "false");
            break;
    }
}

/* RFC 4180: quotes where a comma, a quote or a line end stands in the text,
 * or a blank at an end that readers like to cut. An empty text is "", which
 * tells it from NULL. */
void om__text_csv(struct om_buf *buf, const char *text, size_t len)
{
    bool quote = len == 0 || text[0] == ' ' || text[len - 1] == ' ';
    for (size_t i = 0; i < len && !quote; i++)
        quote = text[i] == ',' || text[i] == '"' || text[i] == '\n' ||
                text[i] == '\r';
    if (!quote) {
        om_buf_add(buf, text, len);
        return;
    }
    om_buf_add_byte(buf, '"');
    for (size_t i = 0; i < len;) {
        const char *end = memchr(text + i, '"', len - i);
        const size_t n = end ? (size_t)(end - text) - i + 1 : len - i;
        om_buf_add(buf, text + i, n);
        if (end) om_buf_add_byte(buf, '"');
        i += n;
    }
    om_buf_add_byte(buf, '"');
}

void om__cell_csv(struct om_buf *buf, const char *text, size_t len)
{
    struct om_buf guarded = {0};
    if (!om_csv_formula(text, len)) {
        om__text_csv(buf, text, len);
        return;
    }
    om_buf_add_byte(&guarded, '\'');
    if (om_buf_add(&guarded, text, len))
        buf->status = guarded.status;
    else
        om__text_csv(buf, (const char *)guarded.bytes, guarded.len);
    om_buf_deinit(&guarded);
}

void om__value_csv(struct om_buf *buf, enum om_type type,
                   const struct om_value *value, int32_t zone_s)
{
    if (value->null) return;
    if (type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY) {
        om__cell_csv(buf, value->text, value->len);
    } else if (type == OM_TYPE_TIME) {
        char time[OM_TIME_TEXT_BYTES];
        om_buf_add(buf, time, om_time_format(value->integer, zone_s, time));
    } else {
        om__value_json(buf, type, value, zone_s);
    }
}
