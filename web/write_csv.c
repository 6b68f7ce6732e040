/* write_csv.c - tables of points, row by row as they come.
 *
 * DESIGN
 * Whether a quote opens a field depends on a closing one within
 * OM_LIMIT_TEXT_BYTES (data/source/csv.h). So a row is read only when so many
 * bytes behind the longest row that is taken have come, or all have: then it
 * is split as it would be in the whole file, and two such lengths are all that
 * ever waits.
 */
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/base/utf8.h"
#include "data/source/moment.h"
#include "data/source/number.h"
#include "web/write_internal.h"

/* What a field may be instead of a column of ours. */
#define FIELD_LON (SIZE_MAX - 1)
#define FIELD_LAT (SIZE_MAX - 2)
#define FIELD_UNIT (SIZE_MAX - 3)
#define LOOK_BYTES (2 * OM_BODY_ROW_BYTES + 16)

/* As import knows them. */
static const char *const XY_NAME[][2] = {
    {"lon", "lat"},        {"lng", "lat"}, {"longitude", "latitude"},
    {"long", "lat"},       {"x", "y"},     {"经度", "纬度"},
    {"point_x", "point_y"}};

static bool named(const struct om_csv_field *field, const char *name)
{
    return field->len == strlen(name) &&
           !strncasecmp(field->at, name, field->len);
}

/* Both names of a pair must be there: an x alone may be a column. */
static void find_position(struct om_body *body, const struct om_csv_field *head)
{
    const size_t pairs = sizeof XY_NAME / sizeof *XY_NAME;
    body->lon = body->lat = SIZE_MAX;
    for (size_t i = 0; i < pairs; i++) {
        size_t x = SIZE_MAX, y = SIZE_MAX;
        for (size_t f = 0; f < body->fields; f++) {
            if (x == SIZE_MAX && named(&head[f], XY_NAME[i][0])) x = f;
            if (y == SIZE_MAX && named(&head[f], XY_NAME[i][1])) y = f;
        }
        if (x == SIZE_MAX || y == SIZE_MAX) continue;
        body->lon = x;
        body->lat = y;
        return;
    }
}

/* The column that a field of the head names. */
static om_status bind_field(struct om_body *body, size_t f,
                            const struct om_csv_field *head, struct om_err *err)
{
    char name[OM_LIMIT_NAME_BYTES];
    if (f == body->lon || f == body->lat) {
        body->to[f] = f == body->lon ? FIELD_LON : FIELD_LAT;
        return OM_OK;
    }
    if (head->len >= sizeof name || head->quoted == OM_CSV_ESCAPED)
        return om_fail(err, OM_E_FORMAT, 0,
                       "column %zu of the head is no name of a column", f + 1);
    memcpy(name, head->at, head->len);
    name[head->len] = '\0';
    size_t to = om_schema_find(&body->schema, name);
    if (to == OM_NO_FIELD &&
        om_layer_unit_field(body->rules->layer, name) != OM_NO_FIELD)
        to = FIELD_UNIT;
    if (to == OM_NO_FIELD)
        return om_fail(err, OM_E_FORMAT, 0,
                       "the head names '%s': the layer %s has no such column",
                       om_utf8_valid(name, head->len) ? name : "?",
                       body->rules->layer->name);
    for (size_t g = 0; g < f; g++)
        if (to != FIELD_UNIT && body->to[g] == to)
            return om_fail(err, OM_E_FORMAT, 0, "the head names '%s' twice",
                           name);
    body->to[f] = to;
    return OM_OK;
}

static om_status bind_head(struct om_body *body, struct om_err *err)
{
    const struct om_csv_field *head = body->field;
    const struct om_field *id = &body->schema.field[body->schema.id_field];
    find_position(body, head);
    if (body->lon == SIZE_MAX)
        return om_fail(err, OM_E_FORMAT, 0,
                       "the head names no position: lon and lat, or x and y");
    bool has_id = false;
    for (size_t f = 0; f < body->fields; f++) {
        OM_TRY(bind_field(body, f, &head[f], err));
        has_id = has_id || body->to[f] == body->schema.id_field;
    }
    return has_id ? OM_OK
                  : om_fail(err, OM_E_FORMAT, 0,
                            "the head does not name the id, '%s'", id->name);
}

static om_status read_head(struct om_body *body, const char *at,
                           const char *end, const char **next,
                           struct om_err *err)
{
    static const char BOM[] = "\xEF\xBB\xBF";
    const size_t most = sizeof body->to / sizeof *body->to;
    if (end - at >= 3 && !memcmp(at, BOM, 3)) at += 3;
    body->delimiter = om_csv_delimiter(at, (size_t)(end - at));
    body->field = om_alloc_array(most + 1, sizeof *body->field);
    if (!body->field) return OM_E_MEMORY;
    *next = om_csv_row(at, end, body->delimiter, body->field, most + 1,
                       &body->fields);
    if (body->fields > most)
        return om_fail(err, OM_E_LIMIT, 0, "the head has %zu columns",
                       body->fields);
    body->head_read = true;
    return bind_head(body, err);
}

/* Text of a field as it is meant, borrowed from the row or from scratch. */
static om_status text_of(struct om_body *body, const struct om_csv_field *field,
                         const char **text, size_t *len)
{
    *text = field->at;
    *len = field->len;
    if (field->quoted != OM_CSV_ESCAPED) return OM_OK;
    // There is room for all of the row: what is borrowed does not move.
    char *out = (char *)body->scratch.bytes + body->scratch.len;
    *text = out;
    *len = om_csv_unquote(field, out);
    body->scratch.len += *len;
    return OM_OK;
}

static void read_cell(struct om_body *body, size_t c, const char *text,
                      size_t len)
{
    static const char *const NOT[] = {
        [OM_TYPE_TEXT] = "a text",        [OM_TYPE_CATEGORY] = "a text",
        [OM_TYPE_INTEGER] = "an integer", [OM_TYPE_REAL] = "a number",
        [OM_TYPE_TIME] = "a time",        [OM_TYPE_BOOLEAN] = "true or false"};
    const struct om_field *field = &body->schema.field[c];
    struct om__cell *cell = &body->cell[c];
    om_status st = OM_OK;
    cell->set = true;
    switch (field->type) {
        case OM_TYPE_INTEGER:
            st = om_number_integer(text, len, &cell->integer);
            break;
        case OM_TYPE_REAL:
            st = om_number_real(text, len, &cell->real);
            break;
        case OM_TYPE_TIME:
            st = om_moment_parse(text, len, OM_DATE_YMD, body->rules->zone_s,
                                 &cell->integer);
            break;
        case OM_TYPE_BOOLEAN:
            st = om_number_boolean(text, len, &cell->integer);
            break;
        default:
            cell->text = text + om_csv_guard(text, len);
            cell->len = len - om_csv_guard(text, len);
            if (len > OM_LIMIT_TEXT_BYTES || !om_utf8_valid(text, len))
                om__row_fault(body, OM_E_FORMAT, field->name,
                              "text is too long or not valid UTF-8");
            return;
    }
    if (st)
        om__row_fault(body, OM_E_FORMAT, field->name, "'%.*s' is not %s",
                      om_utf8_valid(text, len) ? len < 40 ? (int)len : 40 : 0,
                      text, NOT[field->type]);
}

static void read_position(struct om_body *body)
{
    const struct om_csv_field *x = &body->field[body->lon];
    const struct om_csv_field *y = &body->field[body->lat];
    double lon, lat;
    if (!x->len && !y->len) return;  // no geometry: told at the row's end
    if (om_number_real(x->at, x->len, &lon) ||
        om_number_real(y->at, y->len, &lat)) {
        om__row_fault(body, OM_E_COORD, "geometry",
                      "the position is not two numbers");
        return;
    }
    body->geometry_given = om__row_position(body, lon, lat);
}

/* A quote that opens a field but is not closed opens nothing in a file; in a
 * body it is what is left of one that was cut. */
static bool has_open_quote(struct om_body *body)
{
    for (size_t f = 0; f < body->fields; f++) {
        const struct om_csv_field *field = &body->field[f];
        if (field->quoted != OM_CSV_PLAIN || !field->len || *field->at != '"')
            continue;
        om__row_fault(body, OM_E_FORMAT, "",
                      "field %zu begins with a quote that is not closed",
                      f + 1);
        return true;
    }
    return false;
}

static om_status read_fields(struct om_body *body)
{
    const size_t id = body->schema.id_field;
    const char *text;
    size_t len;
    // The id first, so that faults can name the row.
    for (size_t f = 0; f < body->fields; f++)
        if (body->to[f] == id && body->field[f].len) {
            OM_TRY(text_of(body, &body->field[f], &text, &len));
            om__row_id(body, text + om_csv_guard(text, len),
                       len - om_csv_guard(text, len));
        }
    if (has_open_quote(body)) return OM_OK;
    for (size_t f = 0; f < body->fields; f++) {
        const size_t c = body->to[f];
        if (c >= body->schema.count || c == id || !body->field[f].len) continue;
        OM_TRY(text_of(body, &body->field[f], &text, &len));
        read_cell(body, c, text, len);
    }
    read_position(body);
    return OM_OK;
}

static om_status read_row(struct om_body *body, const char *at, const char *end,
                          const char **next, struct om_err *err)
{
    size_t fields;
    *next = om_csv_row(at, end, body->delimiter, body->field, body->fields + 1,
                       &fields);
    if ((size_t)(*next - at) > OM_BODY_ROW_BYTES)
        return om_fail(err, OM_E_LIMIT, 0, "a row is longer than %zu bytes",
                       OM_BODY_ROW_BYTES);
    if (!fields) return OM_OK;  // blank
    om__row_begin(body);
    OM_TRY(om_buf_reserve(&body->scratch, (size_t)(*next - at) + 1));
    if (fields != body->fields)
        om__row_fault(body, OM_E_FORMAT, "", "%zu fields, the head has %zu",
                      fields, body->fields);
    else
        OM_TRY(read_fields(body));
    return om__row_end(body);
}

om_status om__table_read(struct om_body *body, bool end, struct om_err *err)
{
    const char *start = (const char *)body->pending.bytes;
    const char *stop = start + body->pending.len;
    const char *at = start + body->read;
    while (at < stop && body->rows <= OM_BODY_ROWS) {
        if (!end && (size_t)(stop - at) < LOOK_BYTES) break;
        if (body->head_read)
            OM_TRY(read_row(body, at, stop, &at, err));
        else
            OM_TRY(read_head(body, at, stop, &at, err));
        body->read = (size_t)(at - start);
    }
    return OM_OK;
}
