/* write_routes.c - POST, PUT, PATCH and DELETE of rows.
 *
 * DESIGN
 * A write is read while it comes (web/write.h), handed to the engine's
 * committer with its connection suspended, and answered when it is durable and
 * in every answer from then on: no thread waits. Reading a long GeoJSON
 * document, which comes at once, is a worker's job. All that a write needs
 * lives in one struct from the head of the request to its end.
 */
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "web/server/handlers.h"
#include "web/server/jobs.h"
#include "web/server/params.h"
#include "web/server/writes.h"

/* Documents above this are read by a worker (about a millisecond's work), and
 * above that by the worker of heavy work. */
#define DOCUMENT_LIGHT ((uint64_t)64 << 10)
#define DOCUMENT_HEAVY ((uint64_t)1 << 20)

/* Rows from which ids are looked up here, so that the committer need not. */
#define LOOK_ROWS 50

static om_status read_truth(struct om__request *r, const char *name, bool *out)
{
    const char *word;
    OM_TRY(om__param_word(r, name, "true false", "false", &word));
    *out = !strcmp(word, "true");
    return OM_OK;
}

/* Bodies of all requests together; given back in drop. A body that says how
 * long it is gets its room before it comes: so of many large ones the first
 * get through and the others are told at once, instead of all halfway. */
static om_status hold(struct om__request *r, struct om__write *w,
                      uint64_t bytes)
{
    struct om__writes *writes = r->server->writes;
    const uint64_t all = atomic_fetch_add(&writes->body_bytes, bytes) + bytes;
    if (all <= OM__BODIES_BYTES) {
        w->held += bytes;
        return OM_OK;
    }
    atomic_fetch_sub(&writes->body_bytes, bytes);
    r->retry_after_s = 2;
    return om_fail(&r->err, OM_E_BUSY, 0,
                   "too many bytes of other writes are waiting");
}

void om__write_drop(struct om__request *r)
{
    struct om__write *w = r->upload;
    if (!w) return;
    atomic_fetch_sub(&r->server->writes->body_bytes, w->held);
    om_live_look_end(&w->write);
    om_body_free(w->body);
    om_arena_deinit(&w->batch.arena);
    om_arena_deinit(&w->pins);
    om_free(w->fault);
    om_free(w);
    r->upload = NULL;
}

static void name_client(const struct om__request *r, struct om__write *w)
{
    snprintf(w->who, sizeof w->who, "%s%s%s",
             r->who->asked ? r->who->token.id : "this machine",
             r->who->asked ? " " : "", r->who->asked ? r->who->role->name : "");
}

/* City-Clock: the moment at which a synthetic city is, once the write is there.
 * It never goes back. */
static om_status read_clock(struct om__request *r, struct om__write *w)
{
    const char *text = r->city_clock;
    const struct om_manifest *city = r->snapshot->manifest;
    if (!text) return OM_OK;
    if (!city->synthetic || !city->clock_s)
        return om_fail(&r->err, OM_E_FORMAT, 0,
                       "City-Clock moves the clock of a synthetic city; this "
                       "one goes by the machine's");
    if (om_time_parse(text, strlen(text), city->zone_s, &w->write.clock_s) ||
        w->write.clock_s <= 0)
        return om_fail(&r->err, OM_E_FORMAT, 0,
                       "City-Clock is not a moment (ISO 8601)");
    return OM_OK;
}

/* The clock that rows are compared with: as it is, or as the request says. */
static void set_latest(const struct om__request *r, struct om__write *w)
{
    struct om_body_rules *rules = &w->rules;
    rules->clock_s = om_snapshot_now(r->snapshot);
    if (w->write.clock_s > rules->clock_s) rules->clock_s = w->write.clock_s;
    rules->latest_s = rules->clock_s + OM_LIMIT_AHEAD_S;
    om_manifest_happened(r->snapshot->manifest, r->layer->meta,
                         rules->happened);
}

/* What all writes have in common. */
static om_status begin(struct om__request *r, enum om_write_kind kind,
                       struct om__write **out)
{
    OM_TRY(om__write_may(r));
    struct om__write *w = om_calloc(1, sizeof *w);
    if (!w) return OM_E_MEMORY;
    r->upload = w;
    w->kind = kind;
    w->single = r->address.segments == 4;
    OM_TRY(om__write_seen(r, w));
    OM_TRY(om__write_conditions(r, w));  // may look at a newer snapshot
    w->rules =
        (struct om_body_rules){.layer = r->layer,
                               .zone_s = r->snapshot->manifest->zone_s,
                               .id = w->single ? r->address.segment[3] : NULL,
                               .patch = kind == OM_WRITE_PATCH};
    om__write_unseen(r, w);
    w->rules.bounded = om_body_extent(r->whole, &w->rules.extent);
    name_client(r, w);
    OM_TRY(read_clock(r, w));
    set_latest(r, w);
    om__write_hash(w, r->route->method, strlen(r->route->method) + 1);
    om__write_hash(w, r->target, r->target_len + 1);
    OM_TRY(om__write_key(r, w));
    *out = w;
    return OM_OK;
}

static om_status begin_body(struct om__request *r, struct om__write *w)
{
    enum om_body_form form;
    OM_TRY(om__write_form(r, &form));
    const uint8_t form_byte = (uint8_t)form;
    om__write_hash(w, &form_byte, 1);
    if (form == OM_BODY_GEOJSON && r->length > OM_BODY_DOCUMENT_BYTES)
        return om_fail(&r->err, OM_E_LIMIT, 0,
                       "a GeoJSON document has at most %zu bytes: send lines "
                       "(application/x-ndjson) or a table (text/csv)",
                       OM_BODY_DOCUMENT_BYTES);
    if (!r->chunked && r->length > OM__BODY_SMALL)
        OM_TRY(hold(r, w, r->length));
    const om_status st = om_body_new(&w->rules, form, &w->body, &r->err);
    if (st == OM_E_UNSUPPORTED)
        r->error_status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    return st;
}

om_status om__begin_items(struct om__request *r)
{
    struct om__write *w = NULL;
    bool upsert = false, partial = false;
    OM_TRY(read_truth(r, "upsert", &upsert));
    OM_TRY(read_truth(r, "partial", &partial));
    OM_TRY(begin(r, upsert ? OM_WRITE_PUT : OM_WRITE_INSERT, &w));
    w->partial = partial;
    return begin_body(r, w);
}

om_status om__begin_put(struct om__request *r)
{
    struct om__write *w = NULL;
    OM_TRY(begin(r, OM_WRITE_PUT, &w));
    return begin_body(r, w);
}

om_status om__begin_patch(struct om__request *r)
{
    struct om__write *w = NULL;
    OM_TRY(begin(r, OM_WRITE_PATCH, &w));
    return begin_body(r, w);
}

om_status om__begin_delete(struct om__request *r)
{
    struct om__write *w = NULL;
    return begin(r, OM_WRITE_DELETE, &w);
}

om_status om__write_take(struct om__request *r, const void *bytes, size_t len)
{
    struct om__write *w = r->upload;
    om_status st = r->chunked ? hold(r, w, len) : OM_OK;
    if (!st) {
        om__write_hash(w, bytes, len);
        st = om_body_add(w->body, bytes, len, &r->err);
    }
    // The rest of it is read and forgotten.
    if (st) om__write_drop(r);
    return st;
}

/* ---- to the committer */

/* The committer's thread: keep what is freed behind us, and go on with the
 * request on the thread of its connection. */
static void committed(void *ctx, struct om_write *write)
{
    struct om__request *r = ctx;
    struct om__write *w = r->upload;
    const size_t n =
        write->faults < OM_BODY_FAULTS ? write->faults : OM_BODY_FAULTS;
    if (n) w->fault = om_alloc_array(n, sizeof *w->fault);
    if (w->fault) {
        memcpy(w->fault, write->fault, n * sizeof *w->fault);
        w->faults = n;
    }
    MHD_resume_connection(r->connection);
}

static om_status hand_over(struct om__request *r)
{
    struct om__writes *writes = r->server->writes;
    struct om__write *w = r->upload;
    om_status st = OM_E_STOPPED;
    w->write.done = committed;
    w->write.ctx = r;
    pthread_rwlock_rdlock(&writes->lock);
    if (writes->live) st = om_live_write(writes->live, &w->write);
    pthread_rwlock_unlock(&writes->lock);
    // From a success on the request is another thread's.
    if (!st) return OM_OK;
    if (st == OM_E_IO) {
        r->error_status = MHD_HTTP_SERVICE_UNAVAILABLE;
        r->retry_after_s = 5;
        return om_fail(&r->err, st, 0,
                       "the disk does not take writes; nothing was written");
    }
    if (st == OM_E_BUSY)
        return om_fail(&r->err, st, 0,
                       "too many rows wait to be written; nothing of this "
                       "request was");
    return om_fail(&r->err, st, 0, "nothing was written: %s",
                   om_status_text(st));
}

static om_status wait_for_commit(struct om__request *r, struct om__write *w,
                                 const struct om_batch *batch)
{
    OM_TRY(om__write_area(r, w, batch));
    if (w->pinned && w->if_sequence) w->pinned[0] = w->if_sequence;
    w->write.layer = r->layer->name;
    w->write.kind = w->kind;
    w->write.batch = batch;
    w->write.partial = w->partial;
    w->write.unseen = w->unsees && w->kind == OM_WRITE_PUT ? w->unseen : NULL;
    w->write.if_sequence = w->pinned        ? w->pinned
                           : w->if_sequence ? &w->if_sequence
                                            : NULL;
    w->write.key = w->key[0] ? w->key : NULL;
    w->write.request_hash = om__write_hashed(w);
    w->write.who = w->who;
    if (batch->rows >= LOOK_ROWS) om__writes_look(r->server->writes, &w->write);
    r->submit = hand_over;
    r->finish = om__write_done;
    return OM_OK;
}

/* Is the body long enough for a worker to read it? True: not here. */
static bool put_off(struct om__request *r)
{
    if (r->body_bytes <= DOCUMENT_LIGHT) return false;
    if (r->body_bytes > DOCUMENT_HEAVY) return om__wait_heavy(r);
    if (r->on_worker) return false;
    r->later = true;
    return true;
}

om_status om__write_rows(struct om__request *r)
{
    struct om__write *w = r->upload;
    if (put_off(r)) return OM_OK;
    OM_TRY(om_body_end(w->body, &r->err));
    const struct om_batch *batch = om_body_batch(w->body);
    if (om_body_refused(w->body) && (!w->partial || !batch->rows))
        return om__write_refused(r, w);
    if (w->single && w->kind == OM_WRITE_PATCH)
        w->write.given = om_body_given(w->body, &w->write.geometry_given);
    return wait_for_commit(r, w, batch);
}

/* A batch of one row that has nothing but its id. */
static om_status name_row(struct om__request *r, struct om__write *w)
{
    const struct om_schema *schema = &r->layer->schema;
    const size_t own = schema->count - r->layer->unit_columns;
    struct om_arena *arena = &w->batch.arena;
    const size_t len = strlen(w->rules.id);
    struct om_batch_column *column =
        om_arena_calloc(arena, own, sizeof *column);
    uint32_t *ids = om_arena_calloc(arena, 2, sizeof *ids);
    uint32_t *none = om_arena_calloc(arena, 2, sizeof *none);
    uint64_t *row = om_arena_calloc(arena, 1, sizeof *row);
    uint64_t *valid = om_arena_calloc(arena, 1, sizeof *valid);
    int64_t *zero = om_arena_calloc(arena, 1, sizeof *zero);
    double *nothing = om_arena_calloc(arena, 1, sizeof *nothing);
    struct om_pos *pos = om_arena_calloc(arena, 1, sizeof *pos);
    if (!column || !ids || !none || !row || !valid || !zero || !nothing || !pos)
        return OM_E_MEMORY;
    ids[1] = (uint32_t)len;
    *row = 1;
    for (size_t c = 0; c < own; c++) {
        const enum om_type type = schema->field[c].type;
        const bool text = type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
        column[c].valid = valid;
        if (text) {
            column[c].offset = none;
            column[c].bytes = "";
        } else if (type == OM_TYPE_REAL) {
            column[c].real = nothing;
        } else {
            column[c].integer = zero;
        }
    }
    column[schema->id_field] =
        (struct om_batch_column){.offset = ids, .bytes = w->rules.id};
    w->batch.rows = 1;
    w->batch.source_row = row;
    w->batch.column = column;
    if (schema->geometry == OM_GEOMETRY_POINT)
        w->batch.pos = pos;
    else
        w->batch.shapes = (struct om_shapes){.count = 1,
                                             .shape_part = none,
                                             .part_ring = none,
                                             .ring_vertex = none,
                                             .x = nothing,
                                             .y = nothing};
    return OM_OK;
}

om_status om__delete_row(struct om__request *r)
{
    struct om__write *w = r->upload;
    OM_TRY(name_row(r, w));
    return wait_for_commit(r, w, &w->batch);
}
