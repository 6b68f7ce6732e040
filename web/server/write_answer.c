// write_answer.c - what has become of a write, said to whoever sent it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/server/documents.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/writes.h"

/* Rows of a write up to which the audit looks at each. */
#define NOTED_ROWS 1000

static void add_text(struct om_buf *out, const char *key, const char *text,
                     size_t len)
{
    om_buf_addf(out, ",\"%s\":", key);
    om_buf_add_json_text(out, text, len);
}

static void add_body_fault(const struct om_body_fault *f, struct om_buf *out)
{
    om_buf_addf(out, "{\"row\":%llu", (unsigned long long)f->row);
    if (f->id[0]) add_text(out, "id", f->id, strlen(f->id));
    if (f->field[0]) add_text(out, "field", f->field, strlen(f->field));
    add_text(out, "reason", f->reason, strlen(f->reason));
    om_buf_add_byte(out, '}');
}

static void add_fault(const struct om__write *w, const struct om_write_fault *f,
                      struct om_buf *out)
{
    size_t len;
    const char *id = om_body_id(w->body, f->row, &len);
    om_buf_addf(out, "{\"row\":%llu",
                (unsigned long long)om_body_batch(w->body)->source_row[f->row]);
    add_text(out, "id", id, len);
    const bool of_id = f->status == OM_E_EXISTS || f->status == OM_E_NOTFOUND;
    if (of_id) {
        const struct om_schema *schema = om_body_schema(w->body);
        const char *name = schema->field[schema->id_field].name;
        add_text(out, "field", name, strlen(name));
    } else if (f->status == OM_E_GEOMETRY || f->status == OM_E_COORD) {
        add_text(out, "field", "geometry", 8);
    }
    add_text(out, "reason", f->text, strlen(f->text));
    om_buf_add_byte(out, '}');
}

static int by_row(const void *a, const void *b)
{
    const struct om_write_fault *x = a, *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

/* Faults of the body and those that the engine found, in the order of rows. */
static void add_errors(const struct om__write *w, struct om_buf *out)
{
    const struct om_body_fault *fault = NULL;
    const size_t n = w->body ? om_body_faults(w->body, &fault) : 0;
    const struct om_batch *batch = w->body ? om_body_batch(w->body) : NULL;
    size_t a = 0, b = 0, faults = batch ? w->faults : 0;
    if (faults > 1) qsort(w->fault, faults, sizeof *w->fault, by_row);
    while (faults && w->fault[faults - 1].row >= batch->rows) faults--;
    om_buf_add_text(out, "\"errors\":[");
    for (size_t i = 0; i < OM_BODY_FAULTS && (a < n || b < faults); i++) {
        om_buf_add_text(out, i ? ",\n" : "\n");
        if (b == faults ||
            (a < n && fault[a].row < batch->source_row[w->fault[b].row]))
            add_body_fault(&fault[a++], out);
        else
            add_fault(w, &w->fault[b++], out);
    }
    om_buf_add_byte(out, ']');
}

/* A problem with ,"refused":N,"errors":[...] behind what all problems have. */
static om_status problem(struct om__request *r, struct om__write *w,
                         om_status st, uint64_t refused)
{
    if (!refused || !w->body) return st;
    struct om_buf *more = &r->problem_more;
    om_buf_addf(more, "\"refused\":%llu,", (unsigned long long)refused);
    add_errors(w, more);
    if (more->status) om_buf_deinit(more);
    return st;
}

om_status om__write_refused(struct om__request *r, struct om__write *w)
{
    const struct om_body_fault *fault;
    const uint64_t refused = om_body_refused(w->body);
    om_body_faults(w->body, &fault);
    r->error_status = MHD_HTTP_BAD_REQUEST;
    om_fail(&r->err, fault->status, 0,
            "%llu of %llu rows cannot be taken, nothing was written; row "
            "%llu%s%s: %s",
            (unsigned long long)refused,
            (unsigned long long)om_body_rows(w->body),
            (unsigned long long)fault->row, fault->field[0] ? ", " : "",
            fault->field, fault->reason);
    return problem(r, w, fault->status, refused);
}

/* The write failed as a whole. */
static om_status failed(struct om__request *r, struct om__write *w)
{
    const struct om_write *write = &w->write;
    r->err = write->err;
    switch (write->status) {
        case OM_E_EXISTS:
            // Without a row to blame it is the idempotency key.
            r->error_status =
                w->key[0] && !w->faults     ? MHD_HTTP_UNPROCESSABLE_CONTENT
                : r->if_match || w->if_none ? MHD_HTTP_PRECONDITION_FAILED
                                            : MHD_HTTP_CONFLICT;
            break;
        case OM_E_NOTFOUND:
            if (r->if_match) r->error_status = MHD_HTTP_PRECONDITION_FAILED;
            break;
        case OM_E_IO:
        case OM_E_DAMAGED:
            r->error_status = MHD_HTTP_SERVICE_UNAVAILABLE;
            r->retry_after_s = 5;
            // Paths of this machine are for the log only.
            om_fail(&r->err, write->status, 0,
                    "the disk did not take this write: it does not count; "
                    "send it again, with an Idempotency-Key");
            break;
        case OM_E_LIMIT:
            r->error_status = MHD_HTTP_UNPROCESSABLE_CONTENT;
            break;
        default:
            break;
    }
    // Of one row at its own address there is only one error to list.
    return w->single && !w->body
               ? write->status
               : problem(r, w, write->status, w->faults ? write->refused : 0);
}

/* The city as it is now: what was written is in it. */
static om_status renew_snapshot(struct om__request *r)
{
    char name[OM_LIMIT_NAME_BYTES];
    struct om__write *w = r->upload;
    snprintf(name, sizeof name, "%s", r->layer->name);
    w->rules.layer = NULL;  // of the old one
    OM_TRY(om__rights_take(r, om_city_snapshot(r->server->city)));
    r->layer = om_snapshot_layer(r->whole, name);
    r->told_sequence = w->write.last;
    return OM_OK;
}

/* Bytes that may stand in a path as they are: RFC 3986, unreserved. */
static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || strchr("-._~", c);
}

static om_status add_location(const struct om__request *r, const char *layer,
                              const char *id, size_t len, struct om_buf *out)
{
    om__add_base_url(r, out);
    om_buf_addf(out, "/collections/%s/items/", layer);
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)id[i];
        if (c && is_plain(c))
            om_buf_add_byte(out, c);
        else
            om_buf_addf(out, "%%%02X", c);
    }
    return om_buf_add_byte(out, '\0');
}

/* One row: {"id":..,"sequence":..}, ETag, and where it is if it is new. */
static om_status answer_row(struct om__request *r, struct om__write *w,
                            const char *layer)
{
    struct om_buf out = {0}, location = {0};
    char etag[32] = "";
    const bool gone = w->kind == OM_WRITE_DELETE;
    // Whoever has made a row is told by the order of writes, also again.
    const bool created = w->kind == OM_WRITE_INSERT || w->write.created > 0;
    size_t len = gone ? strlen(w->rules.id) : 0;
    const char *id = gone ? w->rules.id : om_body_id(w->body, 0, &len);
    // Who does not see all of it would learn by it when the rest is changed.
    const struct om_layer *seen =
        r->snapshot ? om_snapshot_layer(r->snapshot, layer) : NULL;
    if (!seen || !seen->rights.veils)
        snprintf(etag, sizeof etag, "\"%llu\"",
                 (unsigned long long)w->write.last);
    if (!gone) {
        om_buf_add_text(&out, "{\"id\":");
        om_buf_add_json_text(&out, id, len);
        om_buf_addf(&out, ",\"sequence\":%llu}\n",
                    (unsigned long long)w->write.last);
    }
    om_status st = created ? add_location(r, layer, id, len, &location) : OM_OK;
    struct om__head head = {.type = "application/json",
                            .cache = "no-store",
                            .none_204 = true,
                            .etag = gone ? "" : etag,
                            .status = created ? MHD_HTTP_CREATED : 0};
    size_t n = 0;
    if (created) {
        head.more[n++] = "Location";
        head.more[n++] = (const char *)location.bytes;
    }
    if (w->write.repeated) {
        head.more[n++] = "Idempotency-Replayed";
        head.more[n++] = "true";
    }
    if (!st) st = om__reply(r, &out, &head);
    om_buf_deinit(&out);
    om_buf_deinit(&location);
    return st;
}

/* Several: how many, which sequences, and what was refused. */
static om_status answer_batch(struct om__request *r, struct om__write *w)
{
    static const struct om__head HEAD = {
        .type = "application/json", .cache = "no-store", .etag = ""};
    const struct om_write *write = &w->write;
    struct om__head head = HEAD;
    struct om_buf out = {0};
    const uint64_t refused = om_body_refused(w->body) + write->refused;
    om_buf_addf(&out, "{\"taken\":%zu,\"refused\":%llu", write->taken,
                (unsigned long long)refused);
    if (write->taken)
        om_buf_addf(&out, ",\"first\":%llu,\"last\":%llu",
                    (unsigned long long)write->first,
                    (unsigned long long)write->last);
    if (refused) {
        om_buf_add_byte(&out, ',');
        add_errors(w, &out);
    }
    // The journal keeps how many rows the city refused, and not why.
    if (write->repeated && write->refused)
        om_buf_addf(&out, ",\"errors_not_kept\":%zu", write->refused);
    om_buf_add_text(&out, "}\n");
    if (write->repeated) {
        head.more[0] = "Idempotency-Replayed";
        head.more[1] = "true";
    }
    const om_status st = om__reply(r, &out, &head);
    om_buf_deinit(&out);
    return st;
}

/* For the audit: which rows, where; of very many only one box. */
static void note_rows(struct om__request *r, const struct om__write *w)
{
    const struct om_batch *batch = w->write.batch;
    const struct om_batch_column *id =
        &batch->column[r->layer->schema.id_field];
    const struct om_pos *pos =
        w->kind == OM_WRITE_DELETE ||
                (w->kind == OM_WRITE_PATCH && !w->write.geometry_given)
            ? NULL
            : batch->pos;
    struct om_box all = OM_BOX_NONE;
    if (w->write.repeated || !w->write.taken || !r->who->asked) return;
    for (size_t i = 0; i < batch->rows; i++) {
        const uint32_t at = id->offset[i], end = id->offset[i + 1];
        if (batch->rows > NOTED_ROWS) {
            if (pos)
                om_box_widen(&all, (struct om_box){pos[i].x, pos[i].y, pos[i].x,
                                                   pos[i].y});
        } else {
            om__given_row(&r->given, id->bytes + at, end - at,
                          pos ? &pos[i] : NULL);
        }
    }
    if (batch->rows > NOTED_ROWS) {
        r->given.many = true;
        if (pos) om__given_box(&r->given, all);
    }
    r->given.rows = w->write.taken;
}

om_status om__write_done(struct om__request *r)
{
    struct om__write *w = r->upload;
    char layer[OM_LIMIT_NAME_BYTES];
    if (w->write.status) return failed(r, w);
    note_rows(r, w);
    snprintf(layer, sizeof layer, "%s", r->layer->name);
    OM_TRY(renew_snapshot(r));
    const bool one = w->single || om_body_is_feature(w->body);
    return one && w->write.taken == 1 ? answer_row(r, w, layer)
                                      : answer_batch(r, w);
}
