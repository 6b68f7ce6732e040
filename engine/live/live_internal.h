// live_internal.h - the writer of a city from inside.
#ifndef OM_ENGINE_LIVE_LIVE_INTERNAL_H
#define OM_ENGINE_LIVE_LIVE_INTERNAL_H

#include <string.h>

#include "engine/live/audience.h"
#include "engine/live/group_internal.h"
#include "engine/live/live.h"
#include "engine/snapshot_internal.h"

/** Runs that a layer may have before they are merged, the fresh one aside. */
#define OM__FEW_RUNS 3

/* A row that a group is going to write. */
struct om__staged {
    enum om_entry_kind kind;
    size_t slot;  // in the group
    size_t record, record_len;
    struct om__where old, fresh;
    struct om_write *write;
};

/* quiet.c: which changes are not told to whom */
struct om__veils {
    struct om__base *of;
    uint64_t generation;
    struct om__veils_of_layer {
        bool read;
        uint64_t all, crowds;  // there are; that hide all rows
        uint64_t *hides;       // [own columns] veils that hide it, owned
    } * layer;
};
void om__veils_deinit(struct om__veils *veils);
/** What there is of a layer; NULL: nothing, or no memory (then all of it is
 *  told). */
const struct om__veils_of_layer *om__veils_at(struct om_live *live,
                                              size_t layer);
/** Which veils hide all in which a row of a write differs from the one in its
 *  place (`at` of a segment)? Of shapes that are given it is said as if they
 *  were the same (om__live_quiet_shape). cost: a look at a column each, until
 *  no veil is left */
om_status om__quiet_row(const struct om_segment *segment, size_t at,
                        const struct om_schema *own,
                        const struct om_write *write, size_t row,
                        const struct om__veils_of_layer *veils,
                        struct om_text_reader *reader,
                        uint64_t *quiet) OM_MUST_USE;

/** Are the shapes of two rows the same, vertex by vertex? */
om_status om__same_shape(const struct om_segment *a, size_t row_a,
                         const struct om_segment *b, size_t row_b,
                         bool *same) OM_MUST_USE;

/* What a slot was before a write that may be refused. */
struct om__undo {
    size_t slot;
    struct om__slot before;
};

/* Rows that stand in a layer instead of what it has. */
struct om__overlay {
    struct om__overlay *next;
    char layer[OM_LIMIT_NAME_BYTES];
    struct om_segment *run;
    struct om__stack *below, *shown;  // shown is made of below
};

/* What om_live_look has found out, as a stack of now has it. Zero is empty;
 * borrows both. */
#define OM__NOWHERE UINT32_MAX
struct om__looked {
    const struct om__look *look;
    const struct om__stack *now;
    uint32_t *became;  // [parts of then] part of now, OM__NOWHERE
    bool *only;        // [parts of now] was not there then
};
om_status om__looked_init(struct om__looked *looked,
                          const struct om__look *look,
                          const struct om__stack *now) OM_MUST_USE;
void om__looked_deinit(struct om__looked *looked);
/** Is any of the rows there? */
bool om__look_found(const struct om__look *look);
/** om__stack_find in the stack of now, for a row of the write. */
om_status om__looked_find(const struct om__looked *looked, size_t row,
                          const char *id, size_t len, struct om__finder *finder,
                          struct om__kill *out) OM_MUST_USE;

/* What a group is going to publish. */
struct om__fresh {
    struct om__layer_state *state;
    struct om_snapshot *snapshot;
    uint64_t first, last;  // sequences
    int64_t at_ms, clock_s;
};

/* tell.c: what audiences are told of, with the map of changes, before the
 * states of `fresh` take the place of those of now */
void om__live_tell_group(struct om_live *live, const struct om__fresh *fresh,
                         int64_t at_s);
/** Of a row of shapes that was written over: if its shape in the newest run is
 *  another than `was`, only crowds are left of *quiet. */
void om__live_quiet_shape(struct om_live *live, size_t layer,
                          const struct om__fresh *fresh, const char *id,
                          size_t id_len, const struct om_segment *was,
                          size_t was_row, uint64_t *quiet);
/** The same of all slots of the group at hand. */
void om__live_quiet_shapes(struct om_live *live, const struct om__fresh *fresh);
/* A row that is in the newest run of its layer now; was NULL: it is new. */
struct om__row_written {
    const char *id;
    size_t id_len;
    struct om_row_told told;  // without units
    const struct om_segment *was;
    size_t was_row;
};
/** Tell those of units of many rows. */
void om__live_tell_rows(struct om_live *live, size_t layer,
                        const struct om__fresh *fresh,
                        om_status (*row)(void *ctx, size_t i,
                                         struct om__row_written *out),
                        void *ctx, size_t count, int64_t at_s);

/* Something that runs between two groups, on the committer's thread. */
struct om__job {
    om_status (*run)(struct om_live *live, void *ctx, struct om_err *err);
    void *ctx;
    om_status status;
    struct om_err err;
    bool done;
    struct om__job *next;
};

/* Sequences of rows whose last entry is still in the journal (newest.c). An
 * empty id stands for the layer as a whole. Zero, with a lock, is empty. */
struct om__newest_slot {
    uint64_t hash, sequence;
};
struct om__newest {
    pthread_mutex_t lock;
    size_t room, used;  // room: a power of two
    struct om__newest_slot *slot;
    uint64_t floor;  // of all other rows
};

/* Writes that wait, with few rows, with many, and with very many that are made
 * ready (queue.c). Zero is empty. */
struct om__waiting {
    struct om_write *first, *last;
    size_t writes, rows;
};
struct om__queue {
    struct om__waiting few, many, bulk;
    bool many_had_its_turn;
    bool paused;        // only those of few are taken
    size_t many_taken;  // rows of the others, since om__queue_many_taken
};

/** Put a write at the end of its kind. */
void om__queue_add(struct om__queue *queue, struct om_write *write);
/** Writes and rows that wait. */
size_t om__queue_writes(const struct om__queue *queue);
size_t om__queue_rows(const struct om__queue *queue);
/** Writes that may be taken. */
size_t om__queue_ready(const struct om__queue *queue);
/** Rows of writes of many that were taken since this was last asked. */
size_t om__queue_many_taken(struct om__queue *queue);
/** Have writes of few rows come while a group of many was written? */
bool om__queue_is_pressing(const struct om__queue *queue);
/** Is there enough for a group, so that waiting for more is no use? */
bool om__queue_is_full(const struct om__queue *queue);
/** Take the next group off; NULL: nothing is ready. */
struct om_write *om__queue_take(struct om__queue *queue, size_t *writes);
/** The write of very many rows whose turn it is, NULL: none; take it off. */
struct om_write *om__queue_bulk(const struct om__queue *queue);
void om__queue_bulk_take(struct om__queue *queue);

/* Figures of om_live_stats, written by the committer. */
struct om__figures {
    atomic_uint_fast64_t written, refused, groups, compactions, journal_bytes;
    atomic_uint_fast64_t fsync_ns, compacting_ns;
    atomic_bool failing;
};

struct om_live {
    struct om_city *city;
    struct om_live_options options;
    int lock_fd;

    pthread_mutex_t lock;     // guards queue, jobs, stopping, listener
    pthread_cond_t wake;      // the committer's
    pthread_cond_t finished;  // a job's
    struct om__queue queue;
    struct om__job *job;
    bool stopping;
    void (*news)(void *ctx, const struct om_live_news *news);
    void *news_ctx;

    pthread_mutex_t journal_lock;     // guards journal
    struct om_journal *journal;       // WRITE; NULL: not made yet, or lost
    unsigned journals;                // how often it was opened
    atomic_bool lost;                 // the disk failed under it
    atomic_uint_fast64_t remembered;  // the journal that city.json knows
    uint64_t remembered_last;         // as of the last closing or opening
    bool begins;  // the committer's: its first entry is still to be written
    pthread_mutex_t reader_lock;  // guards reader
    struct om_journal *reader;    // READ, for om_live_changes

    struct om__newest newest;
    pthread_mutex_t files_lock;  // held by who changes or copies files

    // The committer's; jobs run on its thread.
    struct om__base *base;
    struct om__layer_state *state;  // without overlays
    struct om_joiner *joiner;
    struct om__overlay *overlay;
    int64_t clock_s;  // 0: the machine's
    uint64_t sequence;
    struct om_changes *changes;
    struct om__group group;
    struct om__finder finder;
    struct om__veils veils;
    struct om_text_reader quiet_reader;
    struct om__staged *staged;
    size_t staged_count, staged_room;
    struct om__undo *undo;
    size_t undo_count, undo_room;
    struct om_live_change *change;
    size_t change_room;
    uint64_t unsettled_bytes;  // written since the last checkpoint
    double kept_s;             // when housekeeping was last done
    double keys_due_s;         // when old keys are let go of next
    double settled_s;          // when the log was last written back
    double many_due_s;         // writes of many rows wait until then

    struct om__figures figures;
    atomic_uint_fast64_t in_memory;  // rows, of the layer that has most
    atomic_bool rushed;   // some layer has more files than it is to have
    atomic_bool leaving;  // what is being done in the background is given up
    pthread_t committer, keeper, merger;
    bool committing, keeping, merging;  // threads that run
    // The two in the background sleep on this.
    pthread_cond_t work;
    // Guarded by `lock`: the layer whose files are being written and the
    // first parts of it that only they may touch; whose runs are being merged.
    size_t busy_layer, merging_layer;  // OM_NO_FIELD: none
    struct om_segment *busy_last;      // the newest of those parts
    bool busy_all;                     // all parts, until that is known
    bool swept;  // with files_lock: what an earlier process left is gone
};

/** Number of a layer in the manifest, OM_NO_FIELD: none. */
size_t om__live_layer(const struct om__base *base, const char *name);
/** Run something between two groups and wait for it. */
om_status om__live_run(struct om_live *live,
                       om_status (*run)(struct om_live *live, void *ctx,
                                        struct om_err *err),
                       void *ctx, struct om_err *err) OM_MUST_USE;

/* stage.c: check a write against the newest state, earlier writes of the group
 * included, and put its rows into the group. Sets its answer if it is refused
 * or known already. */
void om__live_stage(struct om_live *live, struct om_write *write);
/** Its answer before anything is known. */
void om__live_unanswered(struct om_write *write);
/** Was it made already? True: it has its answer. */
bool om__live_known(struct om_live *live, struct om_write *write);
/** Number of its layer, if that can be written; write->err says why not. */
om_status om__live_find(struct om_live *live, struct om_write *write,
                        size_t *layer);
/** Where a row of a batch, or of a stack, is on the map. */
struct om__where om__where_in_batch(const struct om_batch *batch, size_t row);
om_status om__where_in_stack(const struct om__stack *stack,
                             enum om_geometry geometry, struct om__kill at,
                             struct om__where *out) OM_MUST_USE;

/* commit.c: write a list of writes as one group, and answer them. */
void om__live_commit(struct om_live *live, struct om_write *list);
/* Its steps. */
void om__live_answer(struct om_live *live, struct om_write *list);
/** Room for the list of changes, before anything is durable. */
om_status om__live_room(struct om_live *live, size_t count) OM_MUST_USE;
/** One group of the journal: what `add` adds, and the keys of the writes. */
om_status om__live_durable(struct om_live *live, const struct om_write *list,
                           const struct om__fresh *fresh,
                           om_status (*add)(struct om_live *live, void *ctx,
                                            const struct om__fresh *fresh,
                                            struct om_err *err),
                           void *ctx, struct om_err *err) OM_MUST_USE;
/** How the journal is after a group; with `journal_lock`. */
void om__live_look_after(struct om_live *live, om_status st);
/** Note a change of a layer in its state. */
void om__live_note_layer(struct om__layer_state *state, uint64_t sequence,
                         int64_t at_s);
int64_t om__live_time(const struct om_live *live,
                      const struct om__fresh *fresh);
/** Row `i` of a group into the list of changes. */
void om__live_list(struct om_live *live, const struct om__fresh *fresh,
                   size_t i, const char *layer, enum om_entry_kind kind,
                   uint64_t quiet, struct om__where old, struct om__where now);
/** All of the group is durable, and changed `count` rows: it is what is newest
 *  now. `note` is told when it can be seen. */
void om__live_show(struct om_live *live, struct om__fresh *fresh, size_t count,
                   void (*note)(struct om_live *live, void *ctx,
                                uint64_t first),
                   void *ctx);

/* bulk.c: a write of very many rows */
/** Make it ready, if it can be. threads: any but the committer's */
void om__bulk_make(struct om_live *live, struct om_write *write);
/** Write some of it ahead. True: all of it is, or it has its answer. */
bool om__bulk_step(struct om_live *live, struct om_write *write);
/** Let its rows come, and answer it. */
void om__bulk_finish(struct om_live *live, struct om_write *write);
void om__bulk_free(struct om__bulk *bulk);
/** Ids of entries that say that a layer looks another way, though no row in it
 *  was written: by rows laid over it, by how it is drawn. */
#define OM__OVERLAID "overlay"
#define OM__TOUCHED "look"
static inline bool om__is_overlay(const struct om_entry *e)
{
    return e->kind == OM_ENTRY_COMMIT && e->id_len == strlen(OM__OVERLAID) &&
           !memcmp(e->id, OM__OVERLAID, e->id_len);
}
/** Entries COMMIT for layers (`which` [layers]; NULL: an entry about nobody),
 *  made durable. id: "", or one of the above. Does not publish. */
om_status om__live_note(struct om_live *live, const struct om__base *base,
                        const bool *which, const char *id,
                        struct om_err *err) OM_MUST_USE;
/** Rows of these layers are as new as the newest entry: after a commit. */
void om__live_renew(struct om_live *live, const bool *which);
/** The journal is there, or made now. Its first entry (live->begins) is to be
 *  the commit at which it begins. */
om_status om__live_journal(struct om_live *live,
                           struct om_err *err) OM_MUST_USE;
/** Rows of an overlay on top of a stack. */
om_status om__live_lay_over(struct om_segment *run,
                            const struct om__stack *below, size_t id_field,
                            struct om__stack **out) OM_MUST_USE;
/* tell.c: a layer of those who are followed is another. */
struct om__moves;
void om__live_tell_moves(struct om_live *live, size_t layer,
                         const struct om__moves *moved, uint64_t sequence,
                         int64_t at_s);
/* Why a layer is another though no row of it was written. */
struct om__moves {
    const struct om_live_move *move;
    size_t count;       // 0: wherever
    bool looks;         // nobody moved, it is drawn otherwise
    uint64_t audience;  // ... for these; 0: for who sees all of it
};
/** Publish the states as they are; new as a whole: `which` [layers], may be
 *  NULL. moved (else NULL): of layers about persons, for who sees these, or of
 *  looks. stamp may be NULL. On an error nothing is published. */
om_status om__live_publish(struct om_live *live, const bool *which,
                           const struct om__moves *moved,
                           const struct om__stamp *stamp,
                           struct om_err *err) OM_MUST_USE;
/** Snapshot of these states, overlays in place. */
om_status om__live_snapshot(struct om_live *live, struct om__base *base,
                            const struct om__layer_state *state,
                            uint64_t sequence, int64_t clock_s,
                            struct om_snapshot **out,
                            struct om_err *err) OM_MUST_USE;
/** The journal failed: open it again, take in what it has beyond us. */
void om__live_recover(struct om_live *live);

/** Cannot fail: without memory all rows are as new as this one. threads: one
 *  that notes, any that ask */
void om__newest_note(struct om__newest *newest, const char *layer,
                     const char *id, size_t len, uint64_t sequence);
/** The hash of a row; and many rows by it, with sequences from `first` on. */
uint64_t om__newest_hash(const char *layer, const char *id, size_t len);
void om__newest_note_all(struct om__newest *newest, const uint64_t *hash,
                         size_t count, uint64_t first);
/** So many rows at most are going to come. */
void om__newest_expect(struct om__newest *newest, uint64_t rows);
/** Entries up to here are not in the journal any more. */
void om__newest_forget(struct om__newest *newest, uint64_t floor);
uint64_t om__newest_of(struct om__newest *newest, const char *layer,
                       const char *id, size_t len);

/* map.c: where it changed, as far as the journal tells */
om_status om__live_map(struct om_live *live, struct om_journal *journal,
                       struct om_err *err) OM_MUST_USE;
/** What was found ahead becomes the map, with what came since. False: it is of
 *  no use, and a map is to be made. */
bool om__live_map_taken(struct om_live *live, struct om_live_ahead *ahead,
                        struct om_journal *journal);
/** Entries after `after` into the map. */
om_status om__live_map_journal(struct om_live *live, struct om_journal *journal,
                               uint64_t after, struct om_err *err) OM_MUST_USE;
/** One row into the map. */
void om__live_map_row(struct om_changes *changes, const char *layer,
                      struct om__where where, uint64_t sequence, int64_t at_s);
/** The same place for audiences. */
struct om_place_told om__live_place(struct om__where where);

/** What of a layer somebody works with who is not the committer; ends with
 *  om__live_view_end. */
struct om__view_of_layer {
    struct om__base *base;
    struct om_joiner *joiner;
    struct om__layer_state *state;  // [layers]
    uint64_t sequence;
};
om_status om__live_view(struct om_live *live, struct om__view_of_layer *out,
                        struct om_err *err) OM_MUST_USE;
void om__live_view_end(struct om__view_of_layer *view);

/* One segment made of parts [from, to) of a stack as it was, on its way into
 * the stack as it is now: rows that have died meanwhile are dead in it too, and
 * so are those of runs that later groups have made again, with their rows.
 * Dead rows are found by their ids, so most of it is done before the committer
 * has to wait: begin, catch up, end on the committer, deinit. */
struct om__carry {
    struct om__stack *then, *seen;  // seen: carried up to here
    size_t from, to;
    struct om_segment *merged;  // borrowed; NULL: nothing was alive
    bool file;                  // it lies in one
    size_t id_field;
    struct om_text_reader reader, finder;
    uint32_t *row;  // dead in merged
    size_t count, room;
};
void om__carry_begin(struct om__carry *c, struct om__stack *then, size_t from,
                     size_t to, struct om_segment *merged, bool file,
                     size_t id_field);
om_status om__carry_on(struct om__carry *c,
                       const struct om__stack *now) OM_MUST_USE;
om_status om__carry_catch_up(struct om_live *live, struct om__carry *c,
                             const char *layer, struct om_err *err) OM_MUST_USE;
/** The stack with `merged` in the place of the parts. returns OM_E_NOTFOUND if
 *  none of them is there any more (what lies in a file is put in all the
 *  same). */
om_status om__carry_end(struct om__carry *c, const struct om__stack *now,
                        struct om__stack **out) OM_MUST_USE;
void om__carry_deinit(struct om__carry *c);

/* remember.c: city.json knows which journal there is, and how far it went.
 * threads: any that does not hold files_lock or journal_lock */
om_status om__live_remember(struct om_live *live,
                            struct om_err *err) OM_MUST_USE;
bool om__live_remembered(struct om_live *live);

/** For a thread in the background: is its work still wanted? */
bool om__live_given_up(void *live);

/* pace.c: writers and compaction in step */
/** Rows of a layer that are in memory only: those of runs, and those that died.
 */
uint64_t om__live_rows_in_memory(const struct om_manifest_layer *meta,
                                 const struct om__stack *stack);
/** Note how many they are in `in_memory`. On the committer. */
void om__live_weigh(struct om_live *live);
/** Are they so many that compaction must not wait for others? threads: any */
bool om__live_is_urgent(struct om_live *live);
/** How long writes of many rows wait after `rows` of them. */
double om__live_pause_s(uint64_t in_memory, size_t compact_rows, size_t rows);
/** Run something that ends with OM_E_STOPPED where om_cancelled() says so, at
 *  the end of those who want the cores; anew and as all others if that takes
 *  too long for `rows` rows, or gets urgent. */
om_status om__live_patiently(struct om_live *live, uint64_t rows,
                             om_status (*run)(void *ctx, struct om_err *err),
                             void *ctx, struct om_err *err) OM_MUST_USE;
/** The moment in so many milliseconds, CLOCK_MONOTONIC. */
struct timespec om__live_in_ms(long ms);

/* tiers.c, compact.c: the threads in the background */
/** Has a layer more runs than it should? */
bool om__live_many_runs(const struct om__stack *stack);
void *om__live_merge_thread(void *live);
void *om__live_keep_thread(void *live);
/** Is all that a layer is in its files? On the committer. */
bool om__live_is_clean(const struct om_live *live, size_t layer);
/** Called at each step of a group and of a compaction: tests die there. */
extern void (*om__live_die)(const char *step);
static inline void om__live_step(const char *step)
{
    if (om__live_die) om__live_die(step);
}
/** Journal entries that nobody needs go, the log is written back; a little of
 *  it each call. On the committer. */
void om__live_tidy(struct om_live *live);

#endif
