/* write.c - a body as it comes, cut into rows.
 *
 * DESIGN
 * Bytes come in pieces of any size. Lines and tables are read row by row as
 * they come, so that sixty megabytes of them need no sixty megabytes; what is
 * incomplete waits in `pending`. A GeoJSON document cannot be read by half, so
 * it is gathered whole and bounded more tightly. A row that is wrong is noted
 * and left out; what to do with a body that has such rows is the caller's
 * question.
 */
#include "web/write.h"

#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/write_internal.h"

/* How far beside the units a row may lie: a tenth of their box, since rows at
 * a border are often placed a little outside, and 2 km where that is less. */
#define MARGIN_SHARE 0.1
#define MARGIN_M 2000.0
/* Read bytes are moved out of the way when there are so many. */
#define COMPACT_BYTES ((size_t)1 << 20)

bool om_body_extent(const struct om_snapshot *snapshot, struct om_box *out)
{
    struct om_box box = OM_BOX_NONE;
    for (size_t i = 0; i < snapshot->layers; i++) {
        const struct om_layer *layer = &snapshot->layer[i];
        if (!layer->meta || !layer->meta->unit_level[0]) continue;
        const struct om_box units = om_layer_box(layer);
        if (units.x0 <= units.x1) om_box_widen(&box, units);
    }
    if (box.x0 > box.x1) return false;
    const double middle = ((double)box.y0 + (double)box.y1) / 2;
    const double least = MARGIN_M / om_world_ground_m(middle);
    const double dx = fmax((double)(box.x1 - box.x0) * MARGIN_SHARE, least);
    const double dy = fmax((double)(box.y1 - box.y0) * MARGIN_SHARE, least);
    const double last = (double)UINT32_MAX;
    *out = (struct om_box){(uint32_t)fmax((double)box.x0 - dx, 0),
                           (uint32_t)fmax((double)box.y0 - dy, 0),
                           (uint32_t)fmin((double)box.x1 + dx, last),
                           (uint32_t)fmin((double)box.y1 + dy, last)};
    return true;
}

om_status om_body_new(const struct om_body_rules *rules, enum om_body_form form,
                      struct om_body **out, struct om_err *err)
{
    const struct om_layer *layer = rules->layer;
    if (form == OM_BODY_CSV && layer->schema.geometry != OM_GEOMETRY_POINT)
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "a table holds points; %ss come as GeoJSON",
                       om_geometry_name(layer->schema.geometry));
    struct om_body *body = om_calloc(1, sizeof *body);
    if (!body) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    body->rules = rules;
    body->form = form;
    body->schema = layer->schema;
    body->schema.count -= layer->unit_columns;
    if (rules->unseen)
        memcpy(body->schema.hidden, rules->unseen,
               body->schema.count * sizeof(bool));
    if (form == OM_BODY_GEOJSON)
        om_buf_init(&body->pending, OM_BODY_DOCUMENT_BYTES);
    *out = body;
    return OM_OK;
}

void om_body_free(struct om_body *body)
{
    if (!body) return;
    for (size_t i = 0; i < body->schema.count; i++) {
        om_buf_deinit(&body->column[i].number);
        om_buf_deinit(&body->column[i].bytes);
        om_buf_deinit(&body->column[i].valid);
    }
    om_buf_deinit(&body->source_row);
    om_buf_deinit(&body->place);
    om_buf_deinit(&body->scratch);
    om_buf_deinit(&body->pending);
    om__shapes_deinit(&body->shape);
    om__shapes_deinit(&body->shapes);
    om_arena_deinit(&body->batch.arena);
    om_free(body->field);
    om_free(body);
}

static om_status too_long(struct om_err *err)
{
    return om_fail(err, OM_E_LIMIT, 0, "a row is longer than %zu bytes",
                   OM_BODY_ROW_BYTES);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Lines that are complete, or all that is left. */
static om_status read_lines(struct om_body *body, bool end, struct om_err *err)
{
    while (body->read < body->pending.len) {
        const char *at = (const char *)body->pending.bytes + body->read;
        const size_t left = body->pending.len - body->read;
        const size_t from =
            body->looked > body->read ? body->looked - body->read : 0;
        const char *stop = memchr(at + from, '\n', left - from);
        if (!stop) body->looked = body->pending.len;
        size_t len = stop ? (size_t)(stop - at) : left;
        if (len > OM_BODY_ROW_BYTES) return too_long(err);
        if (!stop && !end) break;
        body->read += len + (stop ? 1 : 0);
        while (len && is_blank(at[len - 1])) len--;
        if (len) OM_TRY(om__line_read(body, at, len));
        if (body->rows > OM_BODY_ROWS) break;
    }
    return OM_OK;
}

static void compact(struct om_body *body)
{
    struct om_buf *p = &body->pending;
    if (body->read < p->len && body->read < COMPACT_BYTES) return;
    memmove(p->bytes, p->bytes + body->read, p->len - body->read);
    p->len -= body->read;
    body->looked = p->len;
    body->read = 0;
}

static om_status read_rows(struct om_body *body, bool end, struct om_err *err)
{
    om_status st = OM_OK;
    if (body->form == OM_BODY_LINES)
        st = read_lines(body, end, err);
    else if (body->form == OM_BODY_CSV)
        st = om__table_read(body, end, err);
    else if (end)
        st = om__document_read(body, (const char *)body->pending.bytes,
                               body->pending.len, err);
    if (!st && body->rows > OM_BODY_ROWS)
        st = om_fail(err, OM_E_LIMIT, 0,
                     "more than %d rows in one request: send them in several",
                     OM_BODY_ROWS);
    return st;
}

/* Errors end with a text for people. */
static om_status told(om_status st, struct om_err *err)
{
    if (st && err && !err->text[0])
        om_fail(err, st, 0, "%s", om_status_text(st));
    return st;
}

om_status om_body_add(struct om_body *body, const void *bytes, size_t len,
                      struct om_err *err)
{
    if (!len) return OM_OK;
    om_status st = om_buf_add(&body->pending, bytes, len);
    if (st == OM_E_LIMIT)
        return om_fail(err, st, 0,
                       "a GeoJSON document has at most %zu bytes: send lines "
                       "(application/x-ndjson) or a table (text/csv)",
                       OM_BODY_DOCUMENT_BYTES);
    if (!st && body->form != OM_BODY_GEOJSON) {
        st = read_rows(body, false, err);
        compact(body);
    }
    return told(st, err);
}

om_status om_body_end(struct om_body *body, struct om_err *err)
{
    om_status st = read_rows(body, true, err);
    if (!st && !body->rows)
        st = om_fail(err, OM_E_FORMAT, 0, "there is no row in the body");
    om_buf_deinit(&body->pending);
    if (!st) st = om__rows_end(body);
    body->ended = !st;
    return told(st, err);
}

const struct om_batch *om_body_batch(const struct om_body *body)
{
    return &body->batch;
}

const struct om_schema *om_body_schema(const struct om_body *body)
{
    return &body->schema;
}

uint64_t om_body_rows(const struct om_body *body)
{
    return body->rows;
}

bool om_body_is_feature(const struct om_body *body)
{
    return body->is_feature;
}

uint64_t om_body_refused(const struct om_body *body)
{
    return body->refused;
}

size_t om_body_faults(const struct om_body *body,
                      const struct om_body_fault **out)
{
    *out = body->fault;
    return body->faults;
}

const char *om_body_id(const struct om_body *body, size_t row, size_t *len)
{
    const struct om_batch_column *c =
        &body->batch.column[body->schema.id_field];
    *len = c->offset[row + 1] - c->offset[row];
    return c->bytes + c->offset[row];
}

const bool *om_body_given(const struct om_body *body, bool *geometry)
{
    *geometry = body->geometry_given;
    return body->given;
}
