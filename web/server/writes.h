// writes.h - requests that change rows: who may, how often, and what becomes
// of them.
#ifndef OM_WEB_SERVER_WRITES_H
#define OM_WEB_SERVER_WRITES_H

#include "engine/live/live.h"
#include "web/server/rates.h"
#include "web/server/server_internal.h"
#include "web/write.h"

/** Bytes of a body, whatever its form. */
#define OM__BODY_BYTES ((uint64_t)64 << 20)
/** Bytes of a body of one row. */
#define OM__ROW_BYTES ((uint64_t)OM_LIMIT_TEXT_BYTES + (64 << 10))
/** Bytes of all bodies that are being read or wait to be written; more are
 *  told to come back (503). They can cost four times that much memory: as
 *  rows, as records of the journal and as a run. */
#define OM__BODIES_BYTES ((uint64_t)128 << 20)
/** Bodies up to this one find room whatever others have begun to send: there
 *  are as many as connections at most. */
#define OM__BODY_SMALL ((uint64_t)64 << 10)
/** Requests a second that change something, of all and of one client that is
 *  not on this machine. */
#define OM__WRITES_PER_S 5000.0
#define OM__CLIENT_WRITES_PER_S 200.0
/** Bytes of an idempotency key: a layer's name is put before it. */
#define OM__KEY_BYTES 60

/* The writer of the city, as the server holds it. */
struct om__writes {
    struct om_server *server;
    pthread_rwlock_t lock;            // guards live against its end
    struct om_live *live;             // NULL: nothing can be written
    char why[OM_ERR_TEXT_BYTES];      // it cannot
    char untaken[OM_ERR_TEXT_BYTES];  // why city.json as it is is not taken
    bool reads_only;                  // from the beginning, and
    bool read_only;                   // because nobody wants otherwise
    atomic_bool client_limit_set;     // it holds for this machine, too
    struct om_rates *rates;
    atomic_uint_least64_t body_bytes;  // held
};

/**
 * Become the writer of the server's city, unless told not to. A disk that
 * cannot be written to is no error: the city is served for reading, and why it
 * cannot be written is kept.
 *
 * returns  OM_E_BUSY  another process writes it
 * owns     *out: om__writes_free
 */
om_status om__writes_new(struct om_server *server,
                         const struct om_server_options *options,
                         struct om__writes **out,
                         struct om_err *err) OM_MUST_USE;
/** om_live_look, if there is a writer. */
void om__writes_look(struct om__writes *writes, struct om_write *write);
/** Finish what is queued, and take nothing more. Whatever waits is resumed. */
void om__writes_close(struct om__writes *writes);
void om__writes_free(struct om__writes *writes);
/** Take over what another process has committed. */
om_status om__writes_refresh(struct om__writes *writes, bool *changed,
                             struct om_err *err) OM_MUST_USE;
/** Why the newest city.json was not taken over, "": it was. For those in
 *  charge. Into OM_ERR_TEXT_BYTES. */
bool om__writes_untaken(struct om__writes *writes, char *why);
/** Take over the figures of rates. */
void om__writes_set(struct om__writes *writes,
                    const struct om_server_options *options);
/** Can the city be written now? Else `why` [OM_ERR_TEXT_BYTES] is told. */
bool om__writes_ready(struct om__writes *writes, char *why);
/** Is it a server for reading, since it began? */
bool om__writes_reads_only(struct om__writes *writes);
/** om_live_changes and om_live_overlay; OM_E_STOPPED where there is no writer.
 */
om_status om__writes_changes(struct om__writes *writes, uint64_t after,
                             size_t limit,
                             bool (*each)(void *ctx,
                                          const struct om_live_change *change),
                             void *ctx, struct om_err *err) OM_MUST_USE;
om_status om__writes_overlay(struct om__writes *writes, const char *layer,
                             const struct om_batch *rows,
                             const struct om_live_move *move, size_t moves,
                             struct om_err *err) OM_MUST_USE;
/** om_live_touch; OM_E_STOPPED if this server does not write. */
om_status om__writes_touch(struct om__writes *writes, const char *layer,
                           uint64_t audience, struct om_err *err) OM_MUST_USE;
/** Figures for /metrics. */
void om__writes_metrics(struct om__writes *writes, struct om_buf *out);

/* A write on its way: request->upload. */
struct om__write {
    struct om_body_rules rules;
    struct om_body *body;  // NULL for DELETE
    enum om_write_kind kind;
    bool single;  // one row, named by the address
    bool partial;
    bool if_none;  // If-None-Match: *
    uint64_t if_sequence;
    bool unsees;                    // there are such columns:
    bool unseen[OM_LIMIT_COLUMNS];  // om_write.unseen
    uint64_t *pinned;  // [rows] what each must still be, in `pins`; NULL: any
    struct om_arena pins;
    uint64_t held;  // bytes, of writes->body_bytes
    // Hash of all that is asked, whatever pieces it came in.
    uint64_t hash;
    size_t block_len;
    uint8_t block[4096];
    char key[OM_LIMIT_NAME_BYTES + OM__KEY_BYTES + 2];
    char who[64];
    struct om_write write;
    // Why rows were refused by the engine, copied while it says so.
    size_t faults;
    struct om_write_fault *fault;
    // The row of a DELETE.
    struct om_schema schema;
    struct om_batch batch;
};

// write_ask.c: what the head of a request says
/** Is it somebody with a token, or a program of this machine where there are
 *  none, and no page of another site? */
om_status om__write_sender(struct om__request *request) OM_MUST_USE;
/** May whoever asks write at all, and now? */
om_status om__write_allowed(struct om__request *request) OM_MUST_USE;
/** Does the role of whoever asks write to a layer? Else it is not there. */
om_status om__write_role(struct om__request *request,
                         const char *layer) OM_MUST_USE;
/** What every write must fulfil before its body is looked at. */
om_status om__write_may(struct om__request *request) OM_MUST_USE;
/** If-Match and If-None-Match. */
om_status om__write_conditions(struct om__request *request,
                               struct om__write *write) OM_MUST_USE;
/** Which columns whoever asks does not see: names of them are refused, and rows
 *  keep them. */
void om__write_unseen(const struct om__request *request,
                      struct om__write *write);
om_status om__write_key(struct om__request *request,
                        struct om__write *write) OM_MUST_USE;
/** The form of the body by Content-Type, among those of the route. */
om_status om__write_form(struct om__request *request,
                         enum om_body_form *out) OM_MUST_USE;
void om__write_hash(struct om__write *write, const void *bytes, size_t len);
uint64_t om__write_hashed(const struct om__write *write);
/** Sequence of a row, and of its newest snapshot: what is read from that is
 *  not older than the sequence. OM_E_NOTFOUND. */
om_status om__row_sequence(struct om__request *request, const char *id,
                           uint64_t *out) OM_MUST_USE;

// row_tag.c
/** The ETag that a row has for whoever asks, "" where nothing is written: its
 *  sequence (the row is then read from a snapshot that is not older), or of
 *  what they see where that is not all. cost: of the latter, that of the row.
 *  returns OM_E_NOTFOUND */
om_status om__row_tag(struct om__request *request, const char *id, char *etag,
                      size_t room) OM_MUST_USE;
/** Is an ETag (with its quotes) a sequence? "123-g" is the same row sent
 * gzipped; a weak one is none. */
bool om__row_tag_read(const char *text, size_t len, uint64_t *sequence);
/** Is it of what whoever writes sees of the row of the address now? */
om_status om__row_tag_told(struct om__request *request, const char *text,
                           size_t len, bool *same) OM_MUST_USE;

// write_area.c
/** Can rows of a layer be said to lie in the area of whoever asks? */
bool om__write_has_area(const struct om__request *request,
                        const struct om_layer *layer);
/** Is the row that a write changes or takes away in the area of whoever asks?
 *  Else it is not there, and nothing else is looked at. */
om_status om__write_seen(struct om__request *request,
                         const struct om__write *write) OM_MUST_USE;
/** Are all rows of a write in the area of whoever asks, as they are and as they
 *  will be? Else they are not there. */
om_status om__write_area(struct om__request *request, struct om__write *write,
                         const struct om_batch *batch) OM_MUST_USE;

// write_answer.c
/** Answer a body that has rows that cannot be taken. */
om_status om__write_refused(struct om__request *request,
                            struct om__write *write) OM_MUST_USE;
/** Answer what has become of a write. */
om_status om__write_done(struct om__request *request) OM_MUST_USE;

#endif
