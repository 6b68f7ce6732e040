/* fuzz_body.c - any bytes as the body of a write: the first says which form;
 * the rows and faults must not depend on how the bytes were cut, nor on whether
 * Features come as lines or in a collection (which no short way reads), and
 * what is taken keeps the promises of a batch. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/buf.h"
#include "data/json.h"
#include "web/write.h"

static const struct om_field FIELD[] = {
    {"id", OM_TYPE_TEXT},       {"name", OM_TYPE_TEXT},
    {"kind", OM_TYPE_CATEGORY}, {"severity", OM_TYPE_INTEGER},
    {"depth", OM_TYPE_REAL},    {"reported", OM_TYPE_TIME},
    {"open", OM_TYPE_BOOLEAN},  {"grid", OM_TYPE_CATEGORY}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
    if (!truth) abort();
}

static om_status read_in(const struct om_body_rules *rules,
                         enum om_body_form form, const uint8_t *data,
                         size_t size, size_t step, struct om_body **out)
{
    struct om_err err = {0};
    om_status st = om_body_new(rules, form, out, &err);
    for (size_t at = 0; !st && at < size; at += step)
        st = om_body_add(*out, data + at, size - at < step ? size - at : step,
                         &err);
    if (!st) st = om_body_end(*out, &err);
    must(!st || err.text[0]);
    return st;
}

static void check(const struct om_body *body, enum om_geometry geometry)
{
    const struct om_batch *b = om_body_batch(body);
    must(b->rows + om_body_refused(body) == om_body_rows(body));
    for (size_t i = 0; i < b->rows; i++) {
        size_t len;
        must(om_body_id(body, i, &len) && len > 0 && len < OM_BODY_ID_BYTES);
        must(b->source_row[i] >= 1 && b->source_row[i] <= om_body_rows(body));
    }
    if (geometry == OM_GEOMETRY_POINT || !b->rows) return;
    const struct om_shapes *s = &b->shapes;
    must(s->count == b->rows);
    for (size_t i = 0; i < s->count; i++)
        must(s->shape_part[i] <= s->shape_part[i + 1]);
}

static void same_faults(const struct om_body *one, const struct om_body *other)
{
    const struct om_body_fault *a, *b;
    const size_t n = om_body_faults(one, &a);
    must(n == om_body_faults(other, &b) && !memcmp(a, b, n * sizeof *a));
    must(om_body_rows(one) == om_body_rows(other));
    must(om_body_refused(one) == om_body_refused(other));
}

static bool has_value(const struct om_batch_column *c, size_t row)
{
    return !c->valid || (c->valid[row / 64] >> row % 64 & 1);
}

static void same_value(const struct om_batch_column *a,
                       const struct om_batch_column *b, size_t row)
{
    must(has_value(a, row) == has_value(b, row));
    if (!has_value(a, row)) return;
    if (a->integer) must(a->integer[row] == b->integer[row]);
    if (a->real) must(!memcmp(&a->real[row], &b->real[row], sizeof(double)));
    if (!a->offset) return;
    const size_t len = a->offset[row + 1] - a->offset[row];
    must(len == b->offset[row + 1] - b->offset[row]);
    must(!memcmp(a->bytes + a->offset[row], b->bytes + b->offset[row], len));
}

static void same_rows(const struct om_body *one, const struct om_body *other)
{
    const struct om_batch *a = om_body_batch(one), *b = om_body_batch(other);
    must(a->rows == b->rows);
    for (size_t row = 0; row < a->rows; row++) {
        must(a->source_row[row] == b->source_row[row]);
        for (size_t c = 0; c < om_body_schema(one)->count; c++)
            same_value(&a->column[c], &b->column[c], row);
        if (!a->pos) continue;
        must(a->pos[row].x == b->pos[row].x && a->pos[row].y == b->pos[row].y);
    }
}

/* The lines as a collection; false: one of them is no JSON. */
static bool collect(const uint8_t *data, size_t size, struct om_buf *out)
{
    const char *text = (const char *)data, *end = text + size;
    size_t lines = 0;
    om_buf_add_text(out, "{\"type\":\"FeatureCollection\",\"features\":[");
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t len = (size_t)((stop ? stop : end) - text);
        struct om_json *json = NULL;
        while (len && (text[len - 1] == ' ' || text[len - 1] == '\t' ||
                       text[len - 1] == '\r'))
            len--;
        if (len) {
            if (om_json_parse(text, len, &json, NULL)) return false;
            om_json_free(json);
            if (lines++) om_buf_add_byte(out, ',');
            om_buf_add(out, text, len);
        }
        text = stop ? stop + 1 : end;
    }
    return lines && !om_buf_add_text(out, "]}");
}

static void check_collected(const struct om_body_rules *rules,
                            const struct om_body *lines, const uint8_t *data,
                            size_t size)
{
    struct om_buf text = {0};
    if (collect(data, size, &text)) {
        struct om_body *body = NULL;
        // A document may be too deep where its lines are not.
        if (!read_in(rules, OM_BODY_GEOJSON, text.bytes, text.len, text.len,
                     &body)) {
            same_faults(lines, body);
            same_rows(lines, body);
        }
        om_body_free(body);
    }
    om_buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct om_layer layer;
    if (size < 2) return 0;
    const uint8_t how = data[0];
    const enum om_body_form form = (enum om_body_form)(how % 3);
    layer.schema.geometry = (enum om_geometry)(how / 3 % 3);
    layer.schema.count = sizeof FIELD / sizeof *FIELD;
    layer.unit_columns = 1;
    memcpy(layer.schema.field, FIELD, sizeof FIELD);
    const struct om_body_rules rules = {
        .layer = &layer,
        .zone_s = 28800,
        .patch = how & 64,
        .id = how & 64 ? "A1" : NULL,
        .bounded = how & 128,
        .extent = {UINT32_MAX / 4 * 3, 0, UINT32_MAX, UINT32_MAX}};
    struct om_body *whole = NULL, *pieces = NULL;
    const om_status st =
        read_in(&rules, form, data + 1, size - 1, size, &whole);
    const om_status same =
        read_in(&rules, form, data + 1, size - 1, 1 + how % 7, &pieces);
    must(st == same);
    if (!st) {
        check(whole, layer.schema.geometry);
        same_faults(whole, pieces);
        same_rows(whole, pieces);
        if (form == OM_BODY_LINES && !rules.id)
            check_collected(&rules, whole, data + 1, size - 1);
    }
    om_body_free(whole);
    om_body_free(pieces);
    return 0;
}
