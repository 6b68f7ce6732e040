// server_internal.h - what the files of the server share.
#ifndef OM_WEB_SERVER_SERVER_INTERNAL_H
#define OM_WEB_SERVER_SERVER_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "data/base/arena.h"
#include "data/base/buf.h"
#include "data/source/project.h"
#include "engine/field/field.h"
#include "engine/query/query.h"
#include "tiles/heat.h"
#include "tiles/vector/vector.h"
#include "web/heat_view.h"
#include "web/picture.h"
#include "web/server/address.h"
#include "web/server/guard.h"
#include "web/server/hub.h"
#include "web/server/server.h"

/** Seconds without a byte after which the library closes a connection. */
#define OM__IDLE_S 20
/** Seconds that the head of a request may take, however busily it drips:
 *  above OM__IDLE_S, so that only drippers meet it. */
#define OM__HEAD_S 30
/** Seconds that a request may take from its head to the last byte read by
 *  the client: longer than the slowest answer over a slow line. */
#define OM__ANSWER_S 300
/** Bytes a second below which a client that takes a file away is given up. */
#define OM__SLOW_LINE 500e3
/** Bytes a second below which a body that is sent to us is given up. */
#define OM__SLOW_BODY 20e3
/** Bytes of a body that are read though it is refused already: a client that is
 *  still writing when its connection ends never reads why. */
#define OM__SWALLOW_BYTES ((uint64_t)64 << 20)
/** Open connections; each has 32 KiB of memory of its own. */
#define OM__CONNECTIONS 4096
/** Requests waiting for a worker; more are told to come back (503). */
#define OM__QUEUE 256
/** Of these, requests of heavy work; and of one client that is not on this
 *  machine (there it may be a proxy that speaks for many). */
#define OM__QUEUE_HEAVY 64
#define OM__QUEUE_CLIENT 24
/** Requests waiting for files to be written, one at a time. */
#define OM__QUEUE_FILING 32
/** Listeners to changes at a time, each a connection of its own, well below
 *  the connections of one thread; and of one client that is not on this
 *  machine: the windows of an office behind one address. */
#define OM__LISTENERS 1536
#define OM__LISTENERS_CLIENT 64
/** Bytes of positions that are sent at once: some 30,000. */
#define OM__FIXES_BYTES ((uint64_t)4 << 20)
/** Bytes that a listener may be behind before it is let go. */
#define OM__LISTENER_BYTES ((size_t)256 << 10)
/** Seconds of work from which on it is heavy: one such at a time. */
#define OM__HEAVY_S 0.05
/** Bytes of one answer that is built in memory; larger ones are 413. */
#define OM__ANSWER_BYTES ((size_t)512 << 20)
/** Answers above this are not kept in the cache: one would push out
 *  thousands of tiles. */
#define OM__KEEP_BYTES ((size_t)1 << 20)

struct om__request;
struct om__route;
struct om_server;

/** The longest ETag, with its NUL. */
#define OM__ETAG_BYTES 32
/** Layers that an answer may name as what it depends on; of more, it depends
 *  on the whole city. */
#define OM__NEEDS_MOST 12
/* What an answer depends on. Zero: nothing that changes. */
struct om__needs {
    bool city;  // anything: every new sequence
    bool beat;  // the moment, to the beat
    size_t layers;
    char layer[OM__NEEDS_MOST][OM_LIMIT_NAME_BYTES];
    struct om_box box[OM__NEEDS_MOST];  // where in each layer
    // As of which sequence and moment the answer is true, if not as of the
    // request's snapshot; 0: as of that
    uint64_t sequence;
    int64_t now_s;
};

/* A finished answer: counted, shared between threads and requests.
 * `unchanged` is what a client gets that has it already. It was made from a
 * snapshot of `sequence`, at `beat`, and is current while nothing that it needs
 * is newer (needs.c); both may be raised when it turns out to be the same
 * still. */
struct om__answer {
    atomic_size_t refs;
    struct MHD_Response *full, *unchanged;
    const struct om__route *route;  // that made it
    char etag[OM__ETAG_BYTES];
    size_t bytes;
    const uint8_t *body;  // of `full`; as sent, so gzipped where it is
    unsigned status;      // 200, or 204 where nothing is an answer
    atomic_uint_least64_t sequence;
    _Atomic int64_t now_s;
    bool city, beat;  // as in struct om__needs
    size_t layers;
    const char *layer;    // their names, each with its NUL, behind the boxes
    struct om_box box[];  // [layers]
};
void om__answer_unref(struct om__answer *answer);

/* Finished answers, bounded in bytes; one that is asked for once pushes out
 * none that is asked for again. Keys are bytes. */
struct om__cache;
struct om__cache_stats {
    uint64_t hits, misses, evictions, entries, bytes;
    uint64_t invalidated;  // found, but not current any more: misses, too
};
om_status om__cache_new(size_t max_bytes, struct om__cache **out) OM_MUST_USE;
void om__cache_free(struct om__cache *cache);
/** The answer, counted for the caller, or NULL. */
struct om__answer *om__cache_get(struct om__cache *cache, const void *key,
                                 size_t len);
/** What om__cache_get gave was not current: it counts as a miss. */
void om__cache_stale(struct om__cache *cache);
/** Keep an answer under a key, too. One that the key has already is replaced
 *  if it was made from something older. Failing to is no error. */
void om__cache_put(struct om__cache *cache, const void *key, size_t len,
                   struct om__answer *answer);
void om__cache_clear(struct om__cache *cache);
struct om__cache_stats om__cache_stats(struct om__cache *cache);

/* One line of the table of routes; /api is made of it. In `path`, which is
 * matched segment by segment, {name} takes any text and '*' any segment.
 * `params` are the names it knows, `forms` what f and Accept may choose from,
 * the first being the default (NULL: there is no choice), both blank-separated.
 */
struct om__route {
    const char *name;     // label in /metrics, operationId in /api
    const char *summary;  // one line for /api
    const char *path;
    const char *params;
    const char *forms;
    const char *media;  // type of the answer where there are no forms
    om_status (*answer)(struct om__request *request);
    // What changes something has a method. What can be refused by the head is
    // refused by `begin`; `take` gets the body piece by piece, on the thread
    // of the connection, up to `body_max` bytes; then comes `answer`. `drop`
    // frees request->upload when the request ends.
    const char *method;  // NULL: GET and HEAD
    const char *bodies;  // media types of the body, blank-separated
    uint64_t body_max;
    om_status (*begin)(struct om__request *request);
    om_status (*take)(struct om__request *request, const void *bytes,
                      size_t len);
    void (*drop)(struct om__request *request);
    bool queued;   // takes long: always on a worker
    bool data;     // speaks of the city: needs a snapshot, names its sequence
    bool keep;     // the answer depends on address, host and encoding only
    bool columns;  // a column's name may be a parameter, too
    bool counts;   // of a personal layer it only counts: anyone may ask
    bool inside;   // not where a release is served
    bool anyone;   // says nothing of the city: asks for no token
    bool rows;     // tells of single rows: who asked is noted
};
extern const struct om__route om__routes[];
extern const size_t om__routes_count;

/* A request on its way. Made when its first line is read, freed when the
 * client has its answer. Only one thread has it at a time: that of its
 * connection, or a worker while the connection is suspended. */
struct om__request {
    struct om_server *server;
    struct MHD_Connection *connection;
    const struct om__route *route;  // NULL: none
    struct om_address address;
    struct om_snapshot *snapshot;  // as whoever asks sees it
    struct om_snapshot *whole;     // all of it: not for answers
    int64_t now_s;                 // the city's moment, down to the beat
    struct om__needs needs;        // of the answer being made
    bool needs_known;              // else: the whole city
    struct om__world *world;       // NULL until om__request_world
    const struct om_layer *layer;  // that it is about, once known
    const char *target;            // raw
    size_t target_len;
    const char *host, *accept, *if_none_match;  // headers; may be NULL
    const char *range, *if_range, *authorization, *if_match;
    const char *last_event_id, *city_clock;
    const char *content_type, *content_encoding, *idempotency_key;
    const char *origin, *fetch_site, *fetch_mode, *cookie;
    uint64_t length;      // of the body as the head says it
    uint64_t body_bytes;  // of it that have come
    void *upload;         // what the route makes of it
    const char *form;  // of the answer, among the route's; not terminated
    size_t form_len;
    bool versioned;  // v names the sequence that is answered from
    bool part;       // the answer is part of another: not for its address
    bool head;       // only the head of the answer is wanted
    bool head_seen, gzip, body, twice;  // twice: a header that must be single
    bool chunked, sized, expects, address_read;  // sized: has Content-Length
    bool begun;  // what om__request_begin does is done
    bool on_worker, later;
    const struct om__who *who;  // that asks, of `book`; NULL: nobody
    bool stranger;    // who had no token, and was not let in (site.c)
    struct om__book *book;
    bool heavy;       // wants the worker of heavy work, or has it
    bool on_heavy;    // has it
    bool filing;      // wants the worker that writes files
    bool on_filing;   // has it
    bool admitted;    // has waited once: a full queue does not turn it away
    uint64_t flight;  // that it waits for the end of; 0: none
    uint64_t client;  // hash of its address; 0: this machine
    double begun_s;
    // The error, if the answer is one: its text, the parameter it is about,
    // and the HTTP status where it differs from the table's.
    struct om_err err;
    const char *parameter;
    unsigned error_status;
    unsigned retry_after_s;  // 0: as the status has it
    struct om_buf problem_more;  // further members of the problem document
    uint64_t told_sequence;  // that the answer names; 0: the snapshot's
    char allow[64];          // methods of the address, for 405 and OPTIONS
    // Handed over once its connection is suspended, by the one that answers;
    // an error is the answer. Whoever has it resumes the connection, and then
    // `finish` makes the answer.
    om_status (*submit)(struct om__request *request);
    om_status (*finish)(struct om__request *request);
    // The answer: its own, or borrowed from `shared`, which it holds then.
    unsigned status;
    struct MHD_Response *response;
    struct om__answer *shared;
    struct MHD_Response *closing;  // a copy of the shared one
    // A listener that is to start, and what it is told first.
    struct om__listener *listener;
    struct om_buf stream;
    struct om__request *next;  // in the queue
};

/** Coordinate systems there may be. */
#define OM__SYSTEMS 8
/* What every thread that answers has of its own. */
struct om__lane {
    struct om_arena arena;  // reset after each request
    struct libdeflate_compressor *gzip;
    struct om_project *project[OM__SYSTEMS];  // by om_system_at, once asked for
};
struct om__lane *om__lane(struct om_server *server);  // NULL: no memory

struct om__made;
struct om__metrics;
struct om__views;
struct om__worlds;
struct om__world;
struct om__pictures;
struct om__looks;  // looks.h
struct om__jobs;
struct om__flights;
struct om__files;
struct om__exports;
struct om__positions;
struct om__watch;
struct om__writes;
struct om__searcher;

struct om_server {
    char *url;
    char *city_path;
    char address[128];
    struct om_city *city;
    struct om_selections *selections;
    struct om_fields *fields;
    struct om_vectors *vectors;
    struct om__cache *cache;
    struct om__views *views;
    struct om__worlds *worlds;
    struct om_legends *legends;
    struct om__pictures *pictures;
    struct om__looks *looks;
    struct om__made *names, *ways;
    struct om__metrics *metrics;
    struct om__files *files;
    struct om__exports *exports;
    struct om__guard *guard;
    struct om__lenses *lenses;
    double persons_s;  // between two stills
    struct om_audit *audit;
    struct om__hub *hub;
    struct om__positions *_Atomic positions;  // NULL: a server for reading
    struct om__jobs *jobs;
    struct om__writes *writes;
    struct om__flights *flights;
    struct om__searcher *searcher;
    struct MHD_Daemon *daemon;
    struct om__watch *watches;  // open connections
    pthread_mutex_t watch_lock;
    pthread_key_t lane_key;
    bool lane_key_made, ticking;
    pthread_t ticker;
    unsigned beat_s;
    atomic_bool release;  // it serves a release (web/publish.h), which nobody
                          // writes to
    atomic_bool stopping;
    atomic_bool draining;  // answers say that their connection ends
    atomic_size_t in_flight;         // requests begun and not completed
    atomic_uint_least64_t sequence;   // of the start or another's last commit
    atomic_uint_least64_t unchanged;  // tiles that were not drawn: 304
    double started_s;
};

// connection.c: between the library and the routes
void *om__uri_seen(void *server, const char *uri, struct MHD_Connection *c);
enum MHD_Result om__access(void *server, struct MHD_Connection *connection,
                           const char *url, const char *method,
                           const char *version, const char *upload,
                           size_t *upload_len, void **request);
void om__completed(void *server, struct MHD_Connection *connection,
                   void **request, enum MHD_RequestTerminationCode code);
void om__connection_changed(void *server, struct MHD_Connection *connection,
                            void **watch, enum MHD_ConnectionNotificationCode);
/** Give the answer of a request the time that so many bytes need, besides. */
void om__answer_allow(struct om__request *request, uint64_t bytes);
/** Cut connections that are past their deadlines. */
void om__watch_sweep(struct om_server *server);

// route.c
/** Refuse parameters that are not among the blank-separated names. */
om_status om__params_check(struct om__request *request,
                           const char *names) OM_MUST_USE;
/** Is it a parameter of the request's route (and not a column)? */
bool om__param_known(const struct om__request *request, const char *name);
/** Does this server answer it? Where a release is served nothing writes. */
bool om__route_there(const struct om_server *server,
                     const struct om__route *route);
/** The route of an address and method; method NULL: GET. A release has none
 *  that writes or follows anybody. */
const struct om__route *om__route_find(const struct om_server *server,
                                       const struct om_address *address,
                                       const char *method);
/** "GET, HEAD, OPTIONS" and the like; empty if there is nothing. */
void om__route_methods(const struct om_server *server,
                       const struct om_address *address, char *out,
                       size_t room);
/** What comes before any handler: parameters, snapshot, form; then the
 *  route's begin. */
om_status om__request_begin(struct om__request *request) OM_MUST_USE;
/** Call submit, and finish, with what goes around them. */
om_status om__request_submit(struct om__request *request) OM_MUST_USE;
void om__request_finish(struct om__request *request);
/** Run the route's handler and make sure that there is an answer after it,
 *  unless it asked to be run on a worker (later). */
void om__request_answer(struct om__request *request);
/** The key of the request's address, under which its answer is kept. */
om_status om__request_key(const struct om__request *request,
                          struct om_buf *key);
/** Take the newest snapshot, and with it the moment; what hung on an older one
 *  (layer, world) is let go. */
om_status om__request_renew(struct om__request *request) OM_MUST_USE;

// needs.c: what an answer depends on, and whether that has changed
/** The answer depends on a layer, where it lies in `box` (OM__EVERYWHERE: as a
 *  whole). Boxes of several are united. */
void om__needs_layer(struct om__request *request, const char *layer,
                     struct om_box box);
/** On the layers of units, and so on what they are called. */
void om__needs_units(struct om__request *request);
/** On the moment: it is another answer from beat to beat. */
void om__needs_beat(struct om__request *request);
/** On everything, whatever else was said. */
void om__needs_city(struct om__request *request);
/** On nothing that changes. */
void om__needs_nothing(struct om__request *request);
/** On everything that the other answer depends on. */
void om__needs_answer(struct om__request *request,
                      const struct om__answer *answer);
/** Nothing of what was said before counts. */
void om__needs_forget(struct om__request *request);
/** Newest sequence of a change in what is needed, at least 1; UINT64_MAX where
 *  a layer is gone. */
uint64_t om__needs_changed(struct om_server *server,
                           const struct om__needs *needs);
/** Would the answer be the same now? cost: a look-up a layer */
bool om__answer_current(struct om_server *server,
                        const struct om__answer *answer);
/** What is kept under a key and current (counted), or NULL. */
struct om__answer *om__answer_find(struct om_server *server, const void *key,
                                   size_t len);
/** A moment down to the beat, and the city's now so. */
int64_t om__beat(const struct om_server *server, int64_t moment_s);
#define OM__EVERYWHERE ((struct om_box){0, 0, UINT32_MAX, UINT32_MAX})

// made.c: things made once, kept while they are the newest
/* A kind of thing: counted, and how many of them are kept. */
struct om__made_kind {
    const char *name;
    size_t most;
    void *(*ref)(void *thing);
    void (*unref)(void *thing);
};
/* Which thing: the first `family` bytes say what is meant, the rest what it is
 * made from; `newness` grows with that. */
struct om__made_key {
    struct om_buf text;
    size_t family;
    uint64_t newness;
};
struct om__made_stats {
    uint64_t hits, misses, count;
};
om_status om__made_new(const struct om__made_kind *kind,
                       struct om__made **out) OM_MUST_USE;
void om__made_free(struct om__made *made);
/**
 * The thing of a key, made by `make` if it is not there; one thread makes it,
 * others wait. `waiter`: only a worker may make it or wait (a heavy thing: the
 * worker of heavy work); elsewhere the request is marked to be put off (later)
 * and *out is NULL. NULL: whoever asks.
 * returns  what `make` says; OM_E_MEMORY
 * owns     *out: kind->unref
 * test     tests/web/test_made.c
 */
om_status om__made_get(struct om__made *made, const struct om__made_key *key,
                       struct om__request *waiter, bool heavy,
                       om_status (*make)(void *ctx, void **thing), void *ctx,
                       void **out) OM_MUST_USE;
/** Is it there? */
bool om__made_has(struct om__made *made, const struct om__made_key *key);
void om__made_clear(struct om__made *made);
/** Let go of what was last asked for so many seconds ago. */
void om__made_sweep(struct om__made *made, double idle_s);
/** Seconds after which a view or a picture is forgotten. */
#define OM__IDLE_THING_S 120.0
struct om__made_stats om__made_stats(struct om__made *made);

// guard.c and rights.c: who asks, and what they may see
struct om__lenses;
om_status om__lenses_new(struct om_server *server,
                         struct om__lenses **out) OM_MUST_USE;
/** Take the first still of the city, and the next ones from time to time. */
om_status om__lenses_start(struct om__lenses *lenses) OM_MUST_USE;
void om__lenses_stop(struct om__lenses *lenses);
/** Figures for /metrics. */
void om__lenses_metrics(struct om__lenses *lenses, struct om_buf *out);
void om__lenses_free(struct om__lenses *lenses);
/** Let go of what was made of older snapshots. */
void om__lenses_sweep(struct om__lenses *lenses,
                      const struct om_snapshot *newest);
/** A snapshot as somebody sees it. owns: *out, om_snapshot_unref */
om_status om__rights_look(struct om_server *server, const struct om__who *who,
                          struct om_snapshot *whole,
                          struct om_snapshot **out) OM_MUST_USE;
/** Into request->whole (taken over, also on failure) and request->snapshot,
 *  which is what whoever asks sees of it. */
om_status om__rights_take(struct om__request *request,
                          struct om_snapshot *whole) OM_MUST_USE;
void om__rights_drop(struct om__request *request);
/** Not for whoever asks: 401, or 404 to a token. */
om_status om__rows_refused(struct om__request *request,
                           const char *what) OM_MUST_USE;
/** auditor.c: note an answer, if it is one to be noted. */
void om__audit_note(struct om__request *request);
/** May single rows of the layer be told to whoever asks? 401 if not. This is
 *  the one place at which that is decided. */
om_status om__rows_allowed(struct om__request *request,
                           const struct om_layer *layer) OM_MUST_USE;
/** May only crowds and counts by unit be told of the layer? */
bool om__crowds_only(const struct om__request *request,
                     const struct om_layer *layer);

// jobs.c
om_status om__jobs_new(struct om_server *server, unsigned workers,
                       struct om__jobs **out) OM_MUST_USE;
void om__jobs_free(struct om__jobs *jobs);
/** Hand over a request whose connection is suspended. OM_E_BUSY: no room. */
om_status om__jobs_add(struct om__jobs *jobs, struct om__request *request);
size_t om__jobs_waiting(struct om__jobs *jobs);
/* Requests that workers are at, and those given up because their client left,
 * before or while a worker was at them. */
struct om__jobs_stats {
    size_t running;
    uint64_t given_up;
};
struct om__jobs_stats om__jobs_stats(struct om__jobs *jobs);
/** The request is about to do heavy work. True: not here; it has been marked
 *  for the worker of such work and its handler returns OM_OK without answer.
 *  False: it is there, go on. */
bool om__wait_heavy(struct om__request *request);
/** The same for the worker that writes files to be taken away, which may take
 *  minutes: nothing else waits for it. */
bool om__wait_filing(struct om__request *request);

// exports.c: files to be taken away
struct om__exports;
om_status om__exports_new(struct om_server *server,
                          struct om__exports **out) OM_MUST_USE;
void om__exports_free(struct om__exports *exports);
/* A file that was written for somebody, still there for whoever asks for the
 * rest of it. */
struct om__export {
    const char *form;         // "csv"
    const char *name;         // as which it is saved
    const char *content_crs;  // of rows; NULL: it has none
    uint64_t matched;
};
/**
 * Answer with the file of `key`: all of it, the range that is asked for, or
 * 304. false: there is none (yet).
 */
bool om__export_reply(struct om__request *request, const struct om_buf *key,
                      const struct om__export *about);
/** Path under which to write a file for `key`; then om__export_keep. */
om_status om__export_path(struct om__request *request, const char *form,
                          char *path, size_t room) OM_MUST_USE;
/** Take over a file that was written; it is unlinked at once, and gone when
 *  nobody reads it and others need the room. */
om_status om__export_keep(struct om__request *request, const struct om_buf *key,
                          const char *path, uint64_t rows) OM_MUST_USE;
/** Bytes that may still be written, at most what one file may have. */
uint64_t om__export_room(struct om_server *server);

/** Hash of a client's address; 0 for this machine. */
uint64_t om__client_of(const struct om__request *request);
/** Has the client of a suspended connection left? What nobody waits for need
 *  not be finished. */
bool om__client_gone(const struct om__request *request);

// flights.c: one rendering however many ask
om_status om__flights_new(struct om__flights **out) OM_MUST_USE;
void om__flights_free(struct om__flights *flights);
/**
 * Ask for the answer of a key that is dear to make: it is in *answer (counted)
 * if it is kept; else either the caller is to make it, and ends *flight when
 * it is in the cache or has failed, or another does, and the request is marked
 * to be put off (later).
 */
om_status om__flight_begin(struct om__request *request,
                           const struct om_buf *key, struct om__answer **answer,
                           uint64_t *flight) OM_MUST_USE;
/** Those that waited go to the workers. drawn: there is an answer. */
void om__flight_end(struct om_server *server, uint64_t flight, bool drawn);
/** A suspended request waits for its flight; false if that has ended. */
bool om__flight_park(struct om__request *request);
struct om__flight_stats {
    uint64_t drawn, parked;  // ever
};
struct om__flight_stats om__flight_stats(struct om__flights *flights);

/** Hash of the client's address; 0 for this machine. */
uint64_t om__client_of(const struct om__request *request);

// stream_routes.c: listeners to changes
om_status om__stream_new(struct om_server *server,
                         struct om__hub **out) OM_MUST_USE;
/** Tell of layers that another process changed as a whole. */
void om__stream_commit(struct om_server *server,
                       const struct om_snapshot *before,
                       const struct om_snapshot *after);
/** Let the hub remember the newest changes that the journal has. */
void om__stream_recall(struct om_server *server);

// reply.c
/* What an answer's head says beside what all of them say. */
struct om__head {
    const char *type;      // Content-Type
    const char *cache;     // Cache-Control
    const char *policy;    // Content-Security-Policy of a page, or NULL
    const char *more[16];  // further lines, name and value by turns, then NULL
    unsigned status;       // 0: 200
    const char *etag;      // strong, with its quotes; "": none; NULL: a hash
    bool weak;             // ETag of `hash`, not of the bytes: they say when
    uint64_t hash;         // they were written
    bool vary_accept;
    bool compress;  // may be sent gzipped
    bool none_204;  // no bytes are 204, no content
};
/* Data that may change at any moment: it is kept, and the ETag says before each
 * use whether it has. A row that was written is in the next answer, whoever
 * asks through whatever cache. A release's may be older: reply.c. */
#define OM__CACHE_DATA "public, no-cache"

extern const struct om__head om__head_json, om__head_geojson, om__head_png,
    om__head_mvt;
/**
 * Answer 200 with the bytes, or 304 where the client has them. Takes the
 * buffer's memory. ETag is a hash of the bytes: what is equal is never sent
 * twice, whatever else in the city has changed.
 */
om_status om__reply(struct om__request *request, struct om_buf *take,
                    const struct om__head *head) OM_MUST_USE;
/** The same, kept in the cache under the request's key and (if not NULL)
 *  another. */
om_status om__reply_kept(struct om__request *request, struct om_buf *take,
                         const struct om__head *head, const void *key,
                         size_t key_len) OM_MUST_USE;
/** Answer 304 if the client names the (weak) ETag of the head; *done: so it
 *  was. */
om_status om__reply_if_unchanged(struct om__request *request,
                                 const struct om__head *head,
                                 bool *done) OM_MUST_USE;
/** Answer with something shared. Gives the count back. */
void om__reply_answer_take(struct om__request *request,
                           struct om__answer *answer);
/** A finished answer of bytes that are copied. */
om_status om__answer_new(struct om__request *request, struct om_buf *take,
                         const struct om__head *head, bool gzipped,
                         struct om__answer **out) OM_MUST_USE;
/** What HTTP says of a status; its class decides who is to blame. */
unsigned om__http_of(om_status status);
/** Append what every answer has to a response of one's own. */
bool om__reply_lines(const struct om__request *request,
                     struct MHD_Response *response, const struct om__head *head,
                     const char *etag);
/** Is the ETag in the list of an If-None-Match header? Weak comparison. */
bool om__etag_listed(const char *list, const char *etag);
/** Is an answer of that status to be a page for people? 401 and 404, where the
 *  client takes text/html and did not name a form. */
bool om__problem_page_wanted(const struct om__request *request,
                             unsigned status);
/** Append that page; returns its Content-Security-Policy. */
const char *om__problem_page(const struct om__request *request, unsigned status,
                             const char *detail, struct om_buf *out);
/** Turn the request's error into a problem document (RFC 9457). */
void om__reply_problem(struct om__request *request, om_status status);
/** Say in the answer that its connection ends: the server is stopping. */
void om__reply_closing(struct om__request *request);
/** Answer without a body: 204, with Allow and the CORS preflight headers. */
void om__reply_options(struct om__request *request);
/** gzip `from` into `out`. OM_E_LIMIT: it would not get smaller. */
om_status om__gzip(struct om__lane *lane, const struct om_buf *from,
                   struct om_buf *out) OM_MUST_USE;
/** The same, smaller and several times slower. */
om_status om__gzip_once(const struct om_buf *from,
                        struct om_buf *out) OM_MUST_USE;

// tile_routes.c: tiles of any name
/** What names of heat maps begin with. */
#define OM__HEAT "heat:"
/** What their addresses may ask. */
#define OM__HEAT_PARAMS                                         \
    "filter filter-lang datetime at kernel bandwidth halflife " \
    "weight per palette"
/* What a tile is made from, beside what is asked for. */
struct om__tile_roots {
    bool local;     // of the rows in and around it (request->needs) and of
                    // `look` alone: its ETag is known before it is drawn
    bool whole;     // of `look` alone: so is its ETag
    uint64_t look;  // hash of figures, classes and sizes that it shares with
                    // all tiles of the map; whole: of all that it shows
};
/* One way of making tiles. `read` takes the parameters (and request->layer);
 * `key` adds whatever else is asked for, in one writing for all that mean the
 * same, to a key that has place, scale, policy, kind and name; `roots` notes
 * what the tile depends on, or sets request->later; `draw` appends the tile's
 * bytes, or sets request->later. They get the same `ask_bytes` of zeroed
 * memory; what `forget` frees is valid zeroed. */
struct om__tile_maker {
    const char *kind;
    const char *params;  // names it knows, blank-separated
    const struct om__head *head;
    size_t ask_bytes;
    om_status (*read)(struct om__request *request, const char *name,
                      const struct om_tile_address *tile, void *ask);
    om_status (*key)(struct om__request *request, const void *ask,
                     struct om_buf *key);
    om_status (*roots)(struct om__request *request, const void *ask,
                       const struct om_tile_address *tile,
                       struct om__tile_roots *out);
    om_status (*draw)(struct om__request *request, void *ask,
                      const struct om_tile_address *tile, struct om_buf *out);
    void (*forget)(void *ask);
};
extern const struct om__tile_maker om__heat_maker, om__vector_maker,
    om__picture_maker;
/** Answer with the tile of a name; extension and scale are in `tile`. What
 *  other spellings of addresses of tiles end in. */
om_status om__tile_answer(struct om__request *request, const char *name,
                          const struct om_tile_address *tile) OM_MUST_USE;
/** Where a tile lies, all of it. */
struct om_box om__tile_box(const struct om_tile_address *tile);
/** Would there be a tile of that name and kind, for these parameters? */
om_status om__tile_check(struct om__request *request, const char *name,
                         const char *extension) OM_MUST_USE;
/** The layer called so, or that of the units of a level called so, into
 *  request->layer; 404 if there is neither. */
om_status om__request_tile_layer(struct om__request *request,
                                 const char *name) OM_MUST_USE;

// media.c: forms of an answer
/** Content-Type of a form such as "geojson". */
const char *om__media_type(const char *form, size_t len);
/** Choose request->form among the route's by f, else by Accept; 406 if none
 *  fits. */
om_status om__form_choose(struct om__request *request) OM_MUST_USE;
/** Does an Accept or Accept-Encoding header name a type or coding, and take
 *  it? */
bool om__coding_wanted(const char *accept, const char *coding);
bool om__form_is(const struct om__request *request, const char *form);
/** Would anybody get this form at this address, whatever they accept? */
bool om__form_is_first(const struct om__request *request);

// params.c: typed parameters; on an error they name themselves
/** Note that a parameter is wrong; returns `status`. */
om_status om__param_bad(struct om__request *request, const char *parameter,
                        om_status status, const char *format, ...)
    OM_PRINTF(4, 5);
/** Its text, or NULL if it was not given. */
const char *om__param_text(const struct om__request *request, const char *name);
/** A finite number in [min, max]; untouched if not given. */
om_status om__param_real(struct om__request *request, const char *name,
                         double min, double max, double *out) OM_MUST_USE;
/** The place of lon and lat, which must be given. */
om_status om__param_lonlat(struct om__request *request,
                           struct om_pos *out) OM_MUST_USE;
om_status om__param_count(struct om__request *request, const char *name,
                          uint64_t min, uint64_t max,
                          uint64_t *out) OM_MUST_USE;
/** bbox=W,S,E,N as a place; untouched if not given. */
om_status om__param_bbox(struct om__request *request,
                         struct om_place *out) OM_MUST_USE;
/** bbox in bbox-crs; a projected one is a polygon in the lane's arena. */
om_status om__param_bbox_in(struct om__request *request,
                            struct om_place *out) OM_MUST_USE;
/** Numbers between commas, all of `text`; 0 where there are more than `room`,
 *  or something else. shapes: out [room] */
size_t om__reals_read(const char *text, size_t room, double *out);
// place_params.c
/** A polygon (WKT or GeoJSON) as a place, in the lane's arena. */
om_status om__param_rings(struct om__request *request, const char *text,
                          size_t len, struct om_place *out) OM_MUST_USE;
/** Where rows are to be, of those who take all of it: a bbox (read by `box`,
 *  one of the two above), within=POLYGON, or near=LON,LAT&radius=M; untouched
 *  if none is given. OM__PLACE_PARAMS are their names. */
om_status om__param_place(struct om__request *request,
                          om_status (*box)(struct om__request *,
                                           struct om_place *),
                          struct om_place *out) OM_MUST_USE;
#define OM__PLACE_PARAMS "bbox within near radius "
/** The system that parameter `name` names, CRS84 if not given. Borrowed from
 *  the thread's lane: not for another thread. */
om_status om__param_crs(struct om__request *request, const char *name,
                        struct om_project **out) OM_MUST_USE;
/** filter (with filter-lang, filter-crs) against request->layer; NULL if not
 * given. owns: *out with om_filter_free */
om_status om__param_filter(struct om__request *request,
                           struct om_filter **out) OM_MUST_USE;
om_status om__param_datetime(struct om__request *request,
                             struct om_window *out) OM_MUST_USE;
/** The column that parameter `name` names; OM_NO_FIELD if not given. */
om_status om__param_column(struct om__request *request, const char *name,
                           size_t *out) OM_MUST_USE;
/** The layer called so, into request->layer; 404 if there is none. */
om_status om__request_layer(struct om__request *request,
                            const char *name) OM_MUST_USE;
/** Which of the words in `allowed`, blank-separated, `f` or `otherwise` is. */
om_status om__param_word(struct om__request *request, const char *name,
                         const char *allowed, const char *otherwise,
                         const char **out) OM_MUST_USE;

// cost.c: what a question will cost, estimated within microseconds
/** Seconds of one core that the legend of a layer's field takes. */
double om__legend_cost_s(const struct om_layer *layer, double bandwidth_m);
/** Seconds of one core until a view is ready. */
double om__view_cost_s(const struct om_risk_bound *bound);
/** Seconds of one core until its values are known all over the city. */
double om__spread_cost_s(const struct om_risk_bound *bound);
/** Smallest bandwidth (a round number) whose legend is made. */
double om__bandwidth_least_m(const struct om_layer *layer);

// worlds.c: models and the city's area, of one commit
struct om__world {
    struct om_models *models;
    uint64_t version;  // hash of what the models say
};
/** Changes when a layer of units does. */
uint64_t om__units_serial(const struct om_snapshot *snapshot);
struct om__worlds;
om_status om__worlds_new(const char *city, struct om__worlds **out) OM_MUST_USE;
void om__worlds_free(struct om__worlds *worlds);
/** Read models and exposures again; any that is wrong leaves all as it was, and
 *  err says which. */
om_status om__worlds_reload(struct om__worlds *worlds,
                            const struct om_snapshot *snapshot,
                            struct om_err *err) OM_MUST_USE;
/** The world of the request's snapshot, into request->world; kept until the
 *  request ends. */
om_status om__request_world(struct om__request *request) OM_MUST_USE;
struct om__world *om__world_ref(struct om__world *world);
void om__world_unref(struct om__world *world);
/** What heat maps are made with; the city's area is made by who comes first. */
om_status om__world_heat(struct om__world *world, struct om__request *request,
                         struct om_heat_world *out) OM_MUST_USE;

// heat_ask.c: which heat map is asked for
/** Bind "heat:NAME" and the request's parameters. Sets request->layer.
 *  owns: *out with om_risk_bound_free */
om_status om__request_heat(struct om__request *request, const char *name,
                           struct om_risk_bound **out) OM_MUST_USE;
/** Does the map weigh columns that are hidden from whoever asks? Then it is
 *  shown as it ships, and its values by their steps. */
bool om__heat_personal(const struct om_risk_bound *bound);
om_status om__param_palette(struct om__request *request,
                            enum om_palette *out) OM_MUST_USE;

// views.c: heat maps made ready
/* Immutable, but for what om__view_spread finds; counted; holds a snapshot. */
struct om__view {
    struct om_heat_view heat;
};
om_status om__views_new(struct om__views **out) OM_MUST_USE;
void om__views_free(struct om__views *views);
/**
 * The view of a bound. Not ready and not on a worker that may make it (a heavy one is made by one
 * worker only): sets request->later and gives NULL.
 * owns     *out: om__view_unref
 */
om_status om__view_get(struct om__request *request,
                       const struct om_risk_bound *bound,
                       struct om__view **out) OM_MUST_USE;
void om__view_unref(struct om__view *view);
void om__views_clear(struct om__views *views);
/** Let go of what nobody has asked for for long: it may hold files that have
 *  been replaced. */
void om__views_sweep(struct om__views *views);
/** The table of them, for /metrics. */
struct om__made *om__views_table(struct om__views *views);
/** Find out how values are spread, once a beat. Without them (heat.spread
 *  NULL) where the city is too wide for the bandwidth. False: not on a worker
 *  that may; request->later is set. */
bool om__view_spread(struct om__request *request, struct om__view *view,
                     om_status *status);
/** Does the map move with time alone, or with figures of the whole city? Then
 *  it does so on the beat. */
bool om__view_moves(const struct om_risk_bound *bound);
/** Note what the map depends on: in a window (NULL: everywhere). */
void om__view_needs(struct om__request *request,
                    const struct om_risk_bound *bound,
                    const struct om_field_window *window);
/** What a map takes from the whole city, as a hash; puts off as om__view_get
 *  does. */
om_status om__view_figures(struct om__request *request,
                           const struct om_risk_bound *bound,
                           uint64_t *hash) OM_MUST_USE;
/** Canonical text of what is asked, the models' version included: part of a
 *  key. */
om_status om__view_key(const struct om__request *request,
                       const struct om_risk_bound *bound,
                       struct om_buf *key) OM_MUST_USE;

// pictures.c: the base map and pictures made ready
/** fonts: as om_font_open. Without a font maps have no labels; that is logged.
 */
om_status om__pictures_new(const char *fonts,
                           struct om__pictures **out) OM_MUST_USE;
void om__pictures_free(struct om__pictures *pictures);
/** Forget what was made (another process has changed city.json). */
void om__pictures_clear(struct om__pictures *pictures);
/** As om__views_sweep. */
void om__pictures_sweep(struct om__pictures *pictures);
/** The table of pictures, for /metrics. */
struct om__made *om__pictures_table(struct om__pictures *pictures);
/** Note what a view of the base map depends on. */
void om__base_needs(struct om__request *request,
                    const struct om_picture_bound *bound,
                    const struct om_view *view);
/** Note what a picture as a whole depends on. */
void om__picture_needs(struct om__request *request,
                       const struct om_picture_bound *bound);
/** Why maps have no labels; NULL if they have. */
const char *om__pictures_no_font(const struct om__pictures *pictures);
/** The font, or NULL. Borrowed. */
struct om_font *om__pictures_font(const struct om__pictures *pictures);
/** The base map of the request's snapshot. For workers: it may have to be
 *  made. owns: *out with om_base_unref */
om_status om__base_get(struct om__request *request,
                       struct om_base **out) OM_MUST_USE;
/** A picture that was asked for. Not ready and not on a worker: sets
 *  request->later and gives NULL. owns: *out with om_picture_unref */
om_status om__picture_get(struct om__request *request,
                          const struct om_picture_bound *bound,
                          struct om_picture **out) OM_MUST_USE;
// picture_routes.c
/** The request's parameters as an ask about the picture `name`.
 *  owns: *out with om_picture_bound_deinit, also on failure */
om_status om__picture_bind(struct om__request *request, const char *name,
                           struct om_picture_bound *out) OM_MUST_USE;
/** May whoever asks see the picture? 401 if not. */
om_status om__picture_allowed(struct om__request *request,
                              const struct om_picture_bound *bound) OM_MUST_USE;

// picture_legend.c
/** The legend of a picture that is no heat map; the name is in the address. */
om_status om__picture_legend(struct om__request *request, bool png);

// names.c: what the units of a level are called
struct om__unit_name {
    const char *id, *name, *english;  // english: of the column name_en
    size_t id_len, name_len, english_len;
};
om_status om__names_new(struct om__made **out) OM_MUST_USE;
/* The names of one level at one moment; counted. */
struct om__level_names;
/** Names of the units of `level`; *out NULL where no layer has them. */
om_status om__names_get(struct om__request *request, const char *level,
                        struct om__level_names **out) OM_MUST_USE;
void om__level_names_unref(struct om__level_names *names);
/** Name of a unit, or NULL. */
const struct om__unit_name *om__level_names_find(
    const struct om__level_names *names, const char *id, size_t len);

// searcher.c: the indexes of the city, and a thread that makes large ones
/** writable: they may be kept in the city's folder. */
om_status om__searcher_new(struct om_server *server, bool writable,
                           struct om__searcher **out) OM_MUST_USE;
/** Stop what is being made. NULL is fine. */
void om__searcher_free(struct om__searcher *searcher);
/** Make what is missing, soon. */
void om__searcher_wake(struct om__searcher *searcher);
struct om_search *om__searcher_search(struct om__searcher *searcher);

// metrics.c
om_status om__metrics_new(struct om__metrics **out) OM_MUST_USE;
void om__metrics_free(struct om__metrics *metrics);
/** Count one answered request. route NULL: none matched. */
void om__metrics_add(struct om__metrics *metrics, const struct om__route *route,
                     unsigned status, double seconds);
om_status om__metrics_write(struct om_server *server,
                            struct om_buf *out) OM_MUST_USE;

// files.c
om_status om__files_new(struct om_server *server, const char *folder,
                        struct om__files **out, struct om_err *err) OM_MUST_USE;
void om__files_free(struct om__files *files);

// handlers
om_status om__get_start(struct om__request *request);
om_status om__get_page(struct om__request *request);
/** A wall by its name: pressed, or sent to a unit. */
om_status om__post_wall(struct om__request *request);
/** 4 to 16 letters and digits. */
bool om__wall_name_ok(const char *text);
om_status om__get_embed(struct om__request *request);
om_status om__get_embed_script(struct om__request *request);
om_status om__get_file(struct om__request *request);
om_status om__get_health(struct om__request *request);
om_status om__get_metrics(struct om__request *request);
om_status om__get_tile(struct om__request *request);
om_status om__get_map(struct om__request *request);
om_status om__get_density(struct om__request *request);
om_status om__get_tilejson(struct om__request *request);
om_status om__get_metadata(struct om__request *request);
om_status om__get_matrix_sets(struct om__request *request);
om_status om__get_matrix_set(struct om__request *request);
om_status om__get_tilesets(struct om__request *request);
om_status om__get_tileset(struct om__request *request);
om_status om__get_tileset_tile(struct om__request *request);
om_status om__get_style(struct om__request *request);
om_status om__get_catalog(struct om__request *request);
om_status om__get_wmts(struct om__request *request);
om_status om__get_wmts_capabilities(struct om__request *request);
om_status om__get_wmts_tile(struct om__request *request);
om_status om__get_wmts_info(struct om__request *request);
om_status om__get_legend(struct om__request *request);
om_status om__get_legend_png(struct om__request *request);
om_status om__get_value(struct om__request *request);
om_status om__get_stats(struct om__request *request);
om_status om__get_changes(struct om__request *request);
om_status om__begin_positions(struct om__request *request);
om_status om__take_positions(struct om__request *request, const void *bytes,
                             size_t len);
void om__drop_positions(struct om__request *request);
om_status om__post_positions(struct om__request *request);
om_status om__get_positions(struct om__request *request);
om_status om__get_nearest(struct om__request *request);
om_status om__get_reach(struct om__request *request);
om_status om__get_search(struct om__request *request);
om_status om__get_reverse(struct om__request *request);
om_status om__get_coverage(struct om__request *request);
om_status om__get_hotspots(struct om__request *request);
om_status om__get_collections(struct om__request *request);
om_status om__get_collection(struct om__request *request);
om_status om__get_queryables(struct om__request *request);
om_status om__get_conformance(struct om__request *request);
om_status om__get_api(struct om__request *request);
om_status om__get_items(struct om__request *request);
om_status om__get_download(struct om__request *request);
om_status om__get_item(struct om__request *request);
om_status om__get_ready(struct om__request *request);

// write_routes.c
om_status om__begin_items(struct om__request *request);
om_status om__begin_put(struct om__request *request);
om_status om__begin_patch(struct om__request *request);
om_status om__begin_delete(struct om__request *request);
om_status om__write_take(struct om__request *request, const void *bytes,
                         size_t len);
om_status om__write_rows(struct om__request *request);
om_status om__delete_row(struct om__request *request);
void om__write_drop(struct om__request *request);

// collection_routes.c: what documents say of a layer
/** First and last time of a layer; false where it has none. */
bool om__layer_times(const struct om_layer *layer, int64_t *from_s,
                     int64_t *to_s);
/** Append ,"extent":{...} where there is any; where only crowds may be told
 *  of, the units' and no times. */
void om__layer_extent(const struct om__request *request,
                      const struct om_layer *layer, struct om_buf *out);
/** Append ,"rows":N: those of whoever asks; null where they are too few to be
 *  told. cost: of a layer with an area, one count */
void om__layer_rows(const struct om__request *request,
                    const struct om_layer *layer, struct om_buf *out);
/** Append ,"title":..,"department":.. and what else the city says of it. */
void om__layer_about(const struct om__request *request,
                     const struct om_layer *layer, struct om_buf *out);
void om__layer_links(const struct om__request *request,
                     const struct om_layer *layer, struct om_buf *out);
/** Append the coordinate systems that rows can be had in, as a list. */
void om__systems_add(struct om_buf *out);
/** Members of a JSON Schema that say what a column holds. */
const char *om__type_schema(enum om_type type);

/* A link of an OGC document. */
struct om__link {
    const char *rel, *type;
    const char *title;  // may be NULL
    const char *path;   // below the base, "/collections"
    bool templated;
};
/** Append a link as a JSON object. */
void om__link_add(const struct om__request *request,
                  const struct om__link *link, struct om_buf *out);
/** Append ,"links":[...]. */
void om__links_add(const struct om__request *request,
                   const struct om__link *link, size_t count,
                   struct om_buf *out);
/** "https://host" that links begin with. */
om_status om__add_base_url(const struct om__request *request,
                           struct om_buf *out);

#endif
