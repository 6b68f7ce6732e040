// hub.h - who listens to a city's changes, and how they are told.
#ifndef OM_WEB_SERVER_HUB_H
#define OM_WEB_SERVER_HUB_H

#include "web/server/told.h"

/** Changes that are remembered for those who come back: 2 MB. */
#define OM__HUB_MEMORY ((size_t)1 << 16)

/* DESIGN in hub.c. Listeners are sockets; what they get are server-sent events
 * (the HTML standard, section 9.2). */
struct om__hub;
struct om__listener;

struct om__hub_options {
    size_t listeners;     // at a time
    size_t per_client;    // of one client; client 0 (this machine) has no limit
    size_t buffer_bytes;  // that a listener may be behind
    unsigned tick_ms;     // at most one telling in so many
    unsigned beat_ms;     // a sign of life, however quiet the city is
    unsigned slow_ms;     // without taking a byte, while some wait
    uint64_t sequence;    // up to which nothing has to be told
    // Append what every event says behind "sequence": members, each with a
    // comma before it. May be NULL.
    void (*say)(void *ctx, struct om_buf *out);
    // Must nobody know where in the layer something changed? It is told as a
    // whole then. May be NULL.
    bool (*hidden)(void *ctx, const char *layer);
    // Before it is told: add what else is drawn otherwise. May be NULL.
    void (*touch)(void *ctx, struct om__told *told);
    // For those who do not see all of a layer. May be NULL: all do.
    om__told_heard heard;
    void *ctx;
};
om_status om__hub_new(const struct om__hub_options *options,
                      struct om__hub **out) OM_MUST_USE;
/** Let all listeners go; none can join any more. */
void om__hub_stop(struct om__hub *hub);
void om__hub_free(struct om__hub *hub);

/** What is told of those who are followed is another: for who does not see
 *  them, and for whoever comes back to a sequence before it. threads: any */
void om__hub_moved(struct om__hub *hub, const char *layer, uint64_t sequence);
/** Something was published. Copies; takes microseconds. threads: any. */
void om__hub_news(struct om__hub *hub, const struct om_live_news *news);

/**
 * Gather what was published after `after`, up to `upto`, from memory.
 * returns  OM_E_NOTFOUND  it does not reach back so far. threads: any
 */
om_status om__hub_recall(struct om__hub *hub, uint64_t after, uint64_t upto,
                         struct om__told *told) OM_MUST_USE;
/** The same of what om__hub_moved has said, where more than that is looked up
 *  elsewhere. */
void om__hub_recall_moved(struct om__hub *hub, uint64_t after,
                          struct om__told *told);
/** The sequence behind which it remembers everything. */
uint64_t om__hub_floor(struct om__hub *hub);
/** Remember changes of before the start, in order, all of those behind
 *  `floor`; before anything is published. */
void om__hub_remember(struct om__hub *hub, uint64_t floor,
                      const struct om_live_change *change, size_t count);

/**
 * Join: whatever is told from now on is kept for the listener until it starts.
 * *told is the last sequence that is not: what is older the caller looks up.
 * layers: comma-separated, "" for all.
 *
 * returns  OM_E_BUSY  too many listeners, or stopping; OM_E_RATE  too many of
 *          one client; OM_E_MEMORY
 * owns     *out: om__listener_start or om__listener_drop. threads: any
 */
om_status om__hub_join(struct om__hub *hub, const char *layers, uint64_t client,
                       struct om__listener **out, uint64_t *told) OM_MUST_USE;
void om__listener_drop(struct om__listener *listener);
/** Who it is, for om__hub_cut; 0 where nothing is said. Before it starts. */
void om__listener_name(struct om__listener *listener, uint64_t who);
/** Letters and digits of a wall's name, and its NUL. */
#define OM__WALL_BYTES 17
/** Notes that are taken in a second, of all walls together. */
#define OM__NOTES_PER_S 50
/** Which wall it is, for om__hub_note. Before it starts. */
void om__listener_wall(struct om__listener *listener,
                       const char wall[OM__WALL_BYTES]);
/**
 * Tell the listeners that are this wall something at once: an event of its own
 * kind, without id, which nobody is told again.
 *
 * returns  OM_E_NOTFOUND  no such wall listens; OM_E_RATE; OM_E_MEMORY
 * threads  any
 */
om_status om__hub_note(struct om__hub *hub, const char *wall, const char *kind,
                       const char *json) OM_MUST_USE;
/** Let those go that are not known any more. threads: any */
void om__hub_cut(struct om__hub *hub, bool (*knows)(void *ctx, uint64_t who),
                 void *ctx);
/**
 * From now on the listener has the socket to itself: `first` is written (its
 * memory is taken), then what is told. At the end, whoever ends it, the socket
 * is shut down and left alone, and then `gone` is called, once, on any thread,
 * maybe before this returns.
 */
void om__listener_start(struct om__listener *listener, int fd,
                        struct om_buf *first, void (*gone)(void *ctx),
                        void *ctx);

/** An event's text: "event: KIND", its id, and {"sequence":N, what is said of
 *  all, and the layers of `told` (may be NULL) among `layers`}. False: no
 *  layer is, and nothing was written. */
bool om__event_write(struct om__hub *hub, const char *kind, uint64_t sequence,
                     const struct om__told *told, const char *layers,
                     struct om_buf *out);

struct om__hub_stats {
    size_t listening;
    uint64_t joined, slow, events, bytes;  // ever
    uint64_t told;                         // newest sequence that was told
};
struct om__hub_stats om__hub_stats(struct om__hub *hub);

#endif
