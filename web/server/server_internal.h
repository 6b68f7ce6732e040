// server_internal.h - a route, a request on its way, and the server they share.
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
#include "web/server/cache.h"
#include "web/server/given.h"
#include "web/server/guard.h"
#include "web/server/hub.h"
#include "web/server/server.h"

struct om__request;
struct om__route;
struct om_server;

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
    bool asks;     // has a method, and changes nothing (asked.h)
    bool queued;   // takes long: always on a worker
    bool data;     // speaks of the city: needs a snapshot, names its sequence
    bool keep;     // the answer depends on address, host and encoding only
    bool columns;  // a column's name may be a parameter, too
    bool counts;   // of a personal layer it only counts: anyone may ask
    bool inside;   // not where a release is served
    bool anyone;   // says nothing of the city: asks for no token
    bool rows;     // tells of single rows: who asked is noted
    bool page;     // for people: opens with any query
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
    uint64_t still;                // number of what persons are told of
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
    const char *forwarded_for;         // by proxies
    bool relayed;                      // says that it came through a proxy
    const char *misframed;             // what is wrong with its end, or NULL
    bool wrong;                        // has a token that lets nobody in
    char wrong_id[OM_TOKEN_ID_BYTES];  // of one that the city knows, or ""
    uint64_t length;                   // of the body as the head says it
    uint64_t body_bytes;               // of it that have come
    void *upload;                      // what the route makes of it
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
    bool stranger;              // who had no token, and was not let in (site.c)
    struct om__book *book;
    bool heavy;       // wants the worker of heavy work, or has it
    bool on_heavy;    // has it
    bool filing;      // wants the worker that writes files
    bool on_filing;   // has it
    bool admitted;    // has waited once: a full queue does not turn it away
    uint64_t flight;  // that it waits for the end of; 0: none
    uint64_t client;  // hash of its token or address; 0: this machine
    double weight;    // of its work, in that of a common heavy one; 0: 1
    bool paid;        // the public's rate has been asked
    double turn;      // among those who wait (turns.h)
    double begun_s;
    int64_t asked_ms;  // UTC, for the audit
    // The error, if the answer is one: its text, the parameter it is about,
    // and the HTTP status where it differs from the table's.
    struct om_err err;
    const char *parameter;
    unsigned error_status;
    unsigned retry_after_s;      // 0: as the status has it
    struct om_buf problem_more;  // further members of the problem document
    struct om__given given;      // rows that are told or written, for the audit
    uint64_t told_sequence;      // that the answer names; 0: the snapshot's
    uint64_t told_rows;          // with ids or texts, on a tile
    char allow[64];              // methods of the address, for 405 and OPTIONS
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

/** Lists of connections, by the address that they come from. */
#define OM__PEER_SLOTS 1024

struct om_server {
    char *url;
    char *city_path;
    char address[128];
    struct om_city *city;
    struct om_live_ahead *ahead;  // while it is being opened; else NULL
    struct om_selections *selections;
    struct om_fields *fields;
    struct om_vectors *vectors;
    struct om__cache *cache;
    struct om__views *views;
    struct om__worlds *worlds;
    struct om_legends *legends;
    struct om__pictures *pictures;
    struct om__looks *looks;
    struct om__made *names, *ways, *snaps;
    struct om__warmer *warmer;
    struct om__metrics *metrics;
    struct om__files *files;
    struct om__exports *exports;
    struct om__guard *guard;
    struct om__lenses *lenses;
    double persons_s;  // between two stills
    struct om_still_file *told;  // what was told of persons last, and
    struct om_snapshot *still;   // that, at the start; NULL: it is not known
    struct om_audit *audit;
    struct om__tallies *tallies;
    struct om__refusals *refusals;
    struct om__hub *hub;
    struct om__positions *_Atomic positions;  // NULL: a server for reading
    struct om__jobs *jobs;
    struct om__writes *writes;
    struct om__flights *flights;
    struct om__searcher *searcher;
    struct MHD_Daemon *daemon;
    struct om__watch *watches;  // open connections
    struct om__watch *peers[OM__PEER_SLOTS];  // the same, by address
    size_t connections;                       // that there may be
    struct om_rates *public_pixels;  // of a release, for whom has no token
    atomic_uint_least64_t cut;  // those that made room for others
    pthread_mutex_t watch_lock;
    pthread_key_t lane_key;
    bool lane_key_made, ticking;
    pthread_t ticker;
    unsigned beat_s;
    atomic_bool release;  // it serves a release (web/publish.h), which nobody
                          // writes to
    atomic_bool stopping;
    atomic_bool draining;             // answers say that their connection ends
    atomic_size_t in_flight;          // requests begun and not completed
    atomic_uint_least64_t sequence;   // of the start or another's last commit
    atomic_uint_least64_t unchanged;  // tiles that were not drawn: 304
    double started_s;
};

#endif
