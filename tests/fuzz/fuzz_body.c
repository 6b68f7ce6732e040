/* fuzz_body.c - any bytes as the body of a write: the first says which form;
 * the rows and faults must not depend on how the bytes were cut, and what is
 * taken keeps the promises of a batch. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
        must(om_body_rows(whole) == om_body_rows(pieces));
        must(om_body_batch(whole)->rows == om_body_batch(pieces)->rows);
        const struct om_body_fault *a, *b;
        const size_t n = om_body_faults(whole, &a);
        must(n == om_body_faults(pieces, &b) && !memcmp(a, b, n * sizeof *a));
    }
    om_body_free(whole);
    om_body_free(pieces);
    return 0;
}
