// live.h - the writer of a city: journal, delta, compaction, publication.
#ifndef OM_ENGINE_LIVE_LIVE_H
#define OM_ENGINE_LIVE_LIVE_H

#include "data/city/journal.h"
#include "data/model/batch.h"
#include "engine/snapshot.h"

/* DESIGN in engine/live/live.c. One thread of its own (the committer) takes
 * what is queued, checks it against the newest snapshot, appends it to the
 * journal, makes it durable, puts it into the runs of its layer, publishes the
 * next snapshot, and only then says so (done). So what was acknowledged is
 * durable and is in every answer from then on. */
struct om_live;

struct om_live_options {
    unsigned group_ms;      // a group waits this long for others; default 5
    size_t queue_rows;      // waiting rows; more: OM_E_BUSY; default 200,000
    size_t compact_rows;    // rows of a layer's runs from which they are
                            // written to a file; default 200,000
    uint64_t keep_entries;  // of the journal; default 2,000,000
    size_t bulk_rows;       // of a write from which all of it is made ready
                            // (om_live_look); default 4,096
    bool no_compaction;     // tests
    // Before files hold what they did not: `next` is going to be committed, and
    // says that they have the journal up to what is published by now. On the
    // thread of compactions, which an error ends; or NULL
    om_status (*moving)(void *ctx, const struct om_manifest *next,
                        struct om_err *err);
    void *moving_ctx;
    struct om_live_ahead *ahead;  // of the same city; NULL: none
};

/**
 * Begin to look through the journal of a city that is going to be opened and
 * written, on a thread of its own: om_live_open takes what it finds, while
 * om_city_open puts the same entries on top of the files. NULL: there is
 * nothing to look through, or no memory; what is wrong om_live_open says
 * itself. owns     om_live_ahead_end, after om_live_open
 */
struct om_live_ahead *om_live_ahead(const char *city);
void om_live_ahead_end(struct om_live_ahead *ahead);

enum om_write_kind {
    OM_WRITE_INSERT,  // the id must be new
    OM_WRITE_PUT,     // new, or in the place of the old
    OM_WRITE_PATCH,   // the columns that are given; must be there
    OM_WRITE_DELETE,  // must be there
};

/* Why one row was refused. */
struct om_write_fault {
    size_t row;  // of the batch
    om_status status;
    char text[160];
};

/* Where the rows of a write were, and what will be in their place, made ready
 * (om_live_look). */
struct om__look;
struct om__bulk;

/* Rows to write into one layer; the caller's until done is called. */
struct om_write {
    const char *layer;
    enum om_write_kind kind;
    const struct om_batch *batch;  // own columns of the layer's schema
    // PATCH: which columns count, [schema.count]; geometry
    const bool *given;
    bool geometry_given;
    // PUT: columns that whoever writes does not see, [schema.count] or NULL:
    // where there is a row and the new one has no value, the old one stays.
    const bool *unseen;
    // The row must still have this sequence, else OM_E_EXISTS ("changed
    // meanwhile"); [rows] or NULL; 0: any
    const uint64_t *if_sequence;
    bool partial;     // refused rows do not stop the others
    const char *key;  // idempotency key or NULL
    uint64_t request_hash;
    const char *who;
    int64_t clock_s;        // the city's clock from now on; 0: as it is
    struct om__look *look;  // om_live_look's; NULL: none
    struct om__bulk *bulk;  // the same
    // On the committer's thread, after all of it: durable and visible, or not
    // there at all. Must not block.
    void (*done)(void *ctx, struct om_write *write);
    void *ctx;
    // Answer:
    om_status status;  // OM_OK; else nothing was written
    struct om_err err;
    bool repeated;         // the key was known: these are the answers of then
    uint64_t first, last;  // sequences
    size_t taken, refused;
    size_t created;  // of the rows taken: those that were new
    size_t faults;
    struct om_write_fault *fault;  // first 1,000 of them; freed after done
    struct om_write *next;         // the queue's
};

/**
 * Become the writer of a city that is open. Takes the lock, opens or makes the
 * journal, notes commits that were made meanwhile, starts the committer.
 *
 * returns  OM_E_BUSY (another process writes it), OM_E_IO (read-only disk and
 *          the like): the city can still be read
 * owns     *out: om_live_close, before om_city_close
 */
om_status om_live_open(struct om_city *city,
                       const struct om_live_options *options,
                       struct om_live **out, struct om_err *err) OM_MUST_USE;
/** Finish what is queued, stop, close. */
void om_live_close(struct om_live *live);
/**
 * Look up the ids of a write of many rows in the caller's time, before
 * om_live_write, and if they are very many make records and run of them: the
 * committer, for whom others wait, then need not. Changes nothing about the
 * answer, and where it cannot be done (no memory, no such layer) it is not.
 *
 * owns     write->look and bulk, until om_live_write has taken the write; else
 *          om_live_look_end
 * threads  any but the committer's
 * cost     1 us an id that is nowhere, 5 one that is in a compressed block; 3
 *          more of each of very many
 */
void om_live_look(struct om_live *live, struct om_write *write);
void om_live_look_end(struct om_write *write);
/** Queue a write. OM_E_BUSY: the queue is full; OM_E_STOPPED; OM_E_IO: the
 *  disk failed and nothing is taken until it is well again. `done` is called
 *  only if this returns OM_OK. threads: any. */
om_status om_live_write(struct om_live *live,
                        struct om_write *write) OM_MUST_USE;
/** The same, waiting for the end. For tests and tools. */
om_status om_live_write_wait(struct om_live *live,
                             struct om_write *write) OM_MUST_USE;
/** Sequence of a row that is there: of its last write, or of the last change of
 *  its layer as a whole (other rows, other units) if that is newer.
 *  OM_E_NOTFOUND. threads: any */
om_status om_live_row_sequence(struct om_live *live, const char *layer,
                               const char *id, size_t len,
                               uint64_t *out) OM_MUST_USE;

/* What a publication changed, in order of sequence. */
struct om_live_change {
    uint64_t sequence;
    const char *layer;
    uint64_t cell, other_cell;  // new and old, level 18; OM_NO_CELL: none
    enum om_entry_kind kind;
    // Veils (audience.h) that hide all that has changed; unsure: it is not
    // known any more.
    uint64_t quiet;
    bool unsure;
    bool moved;  // COMMIT of a layer about persons: they only walked, from cell
                 // to cell if these are known; told to who sees them
    bool person;  // listeners': of a layer about persons; who has the place in
                  // charge is told, all others that the layer changed
    // Of shapes: cells of level 18 that their boxes meet; zero: `cell` alone.
    struct om_box box, other_box;
};
struct om_live_news {
    uint64_t first, last;  // sequences
    size_t count;
    const struct om_live_change *change;
};
/** Be told of publications, on the committer's thread, before `done`s; must
 *  not block. One listener; NULL ends it. */
void om_live_listen(struct om_live *live,
                    void (*news)(void *ctx, const struct om_live_news *news),
                    void *ctx);
/** Changes after `after` out of the journal, at most `limit`; OM_E_NOTFOUND
 *  if it is too old to be told. threads: any */
om_status om_live_changes(struct om_live *live, uint64_t after, size_t limit,
                          bool (*each)(void *ctx,
                                       const struct om_live_change *change),
                          void *ctx, struct om_err *err) OM_MUST_USE;
/**
 * Let `rows` stand in a layer instead of what it has, in memory only, beside
 * the journal (last positions of workers): ids of the layer that are not among
 * them keep their rows. Each call replaces what an earlier one has put there;
 * no rows: nothing. The journal only gets a sequence for it, as for a commit
 * of the layer. Writes are checked against what is below.
 *
 * returns  OM_E_NOTFOUND (no such layer), OM_E_EXISTS (an id twice), OM_E_IO,
 *          OM_E_MEMORY
 * threads  any but the committer's
 * cost     of 10,000 rows some 50 ms, of which the committer waits for few
 */
om_status om_live_overlay(struct om_live *live, const char *layer,
                          const struct om_batch *rows,
                          struct om_err *err) OM_MUST_USE;
/* Where somebody is now and was before. */
struct om_live_move {
    struct om_pos pos, other;
};
/** The same, and who hears of the layer learns in which cells it is another,
 *  and who has an area whether it is another there. No moves: wherever. */
om_status om_live_overlay_moved(struct om_live *live, const char *layer,
                                const struct om_batch *rows,
                                const struct om_live_move *move, size_t moves,
                                struct om_err *err) OM_MUST_USE;
/** Say that all of a layer is to be looked at again though no row of it has
 *  changed: the classes by which it is drawn are others, for who sees all of it
 *  or for an audience (engine/live/audience.h). The journal gets a sequence for
 *  it and they are told, as of a commit of the layer; rows keep theirs. returns
 *  OM_E_NOTFOUND (no such layer), OM_E_IO, OM_E_MEMORY. threads: any but the
 *  committer's */
om_status om_live_touch(struct om_live *live, const char *layer,
                        uint64_t audience, struct om_err *err) OM_MUST_USE;
/** What om_city_refresh is in a process that writes: another process' commit
 *  is noted in the journal, and what was written since put on top of it. While
 *  files are being written it looks again later. threads: any but the
 *  committer's */
om_status om_live_refresh(struct om_live *live, bool *changed,
                          struct om_err *err) OM_MUST_USE;
/** Write the runs of all layers to files now. returns OM_E_BUSY (another
 *  process has the lock of files, or has just committed), OM_E_IO; what was
 *  not written stays in memory and in the journal. */
om_status om_live_compact(struct om_live *live, struct om_err *err) OM_MUST_USE;
/** Consistent copy of the city as it is now into a new folder, while it is
 *  written to. returns OM_E_EXISTS, OM_E_BUSY (another process has the lock of
 *  files), OM_E_IO: what is there then is no city. */
om_status om_live_copy(struct om_live *live, const char *folder,
                       struct om_err *err) OM_MUST_USE;

struct om_live_stats {
    uint64_t written, refused, groups, compactions;
    uint64_t delta_rows, dead_rows, journal_bytes;
    double last_fsync_s, compacting_s;
    bool failing;  // the disk does not take writes
};
struct om_live_stats om_live_stats(struct om_live *live);

#endif
