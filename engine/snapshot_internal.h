// snapshot_internal.h - how a snapshot is put together, for who writes a city.
#ifndef OM_ENGINE_SNAPSHOT_INTERNAL_H
#define OM_ENGINE_SNAPSHOT_INTERNAL_H

#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "data/city/journal.h"
#include "engine/live/changes.h"
#include "engine/live/run.h"
#include "engine/live/stack_internal.h"
#include "engine/snapshot.h"

#define OM__PATH_BYTES 4096

/* What the file system says of a city.json: another file or another time is
 * another commit. */
struct om__stamp {
    ino_t inode;
    off_t bytes;
    struct timespec changed;
};

/* A manifest that snapshots share. */
struct om__base {
    atomic_size_t refs;
    struct om_manifest manifest;
    pthread_mutex_t lock;       // guards the one below
    struct om__unsaid *unsaid;  // as roles read it (engine/policy/unsaid.h)
};

/* One layer at one moment. */
struct om__layer_state {
    struct om__stack *stack;
    uint64_t upto;     // journal entries up to here are in it
    uint64_t changed;  // sequence of its newest change
    int64_t as_of_s;   // of its newest write; 0: the manifest's
};

struct om__snapshot {
    struct om_snapshot public;  // first: handed out as such
    atomic_size_t refs;
    struct om__base *base;
    struct om__layer_state *state;  // [layers]
    struct om__rights *rights;      // of a restricted one (policy.c), or NULL
};

/** Layers of a city that a role may have an area in. */
#define OM__LAYERS_MOST 1024

/* Parts of a layer with other rows dead (om_snapshot_narrow). */
struct om__narrow {
    struct om__narrow *next;
    size_t parts;
    struct om_part *part;
    uint32_t **dead;  // [parts]
};

/* What the layers' rights point to; snapshots of the same rights share it. */
struct om__rights {
    atomic_size_t refs;
    size_t layers;
    struct om_filter **area;  // [layers]
    struct om_layer *open;    // [layers]
    struct om__narrow *narrow;
    struct om__rights *below;   // that it is made of, or NULL
    struct om_snapshot *still;  // whose rows open and layers about persons have
    // Of a still: what is told of those who are followed, by each level
    // (engine/policy/steps.h), which of them where no level is asked for, and
    // all rows and those connected.
    size_t levels, middle;
    struct om_snapshot **level;
    uint64_t all[2];
    // Of a restricted one: that layer by each level, and as a register.
    struct om_layer *by_level, *listed;
};
void om__rights_unref(struct om__rights *rights);

struct om_city {
    char path[OM__PATH_BYTES];
    pthread_mutex_t lock;  // guards the three below
    struct om_snapshot *snapshot;
    struct om__stamp stamp;
    char fault[OM_ERR_TEXT_BYTES];  // of the journal; "": none
    pthread_mutex_t refreshing;     // one at a time; guards the four below
    unsigned looks;                 // at a journal that is faulty
    struct om_journal *journal;     // READ; NULL: none yet
    struct om_joiner *joiner;       // of `units`; NULL: not needed yet
    uint64_t units;                 // which units it is of (om__units_hash)
    struct om_changes *made;        // the city's, freed with it
    uint64_t at;                    // om_city_open_at's
    struct om_snapshot *then;       // as of `at`; NULL: taken, or not asked for
    _Atomic(struct om_changes *) changes;  // kept by a writer; NULL: nobody
    atomic_bool written;  // by om_live: refresh leaves it alone
};

static inline struct om__snapshot *om__snapshot_of(
    const struct om_snapshot *snapshot)
{
    return (struct om__snapshot *)(uintptr_t)snapshot;
}

om_status om__stamp_read(const char *city, struct om__stamp *out,
                         struct om_err *err) OM_MUST_USE;
/** That of the city.json of a commit that was just written; if another has come
 *  in its place already, one that no file has. */
om_status om__stamp_written(const char *city, uint64_t sequence,
                            struct om__stamp *out,
                            struct om_err *err) OM_MUST_USE;
bool om__stamp_same(const struct om__stamp *a, const struct om__stamp *b);

/** owns: om__base_unref */
om_status om__base_read(const char *city, struct om__base **out,
                        struct om_err *err) OM_MUST_USE;
struct om__base *om__base_ref(struct om__base *base);
void om__base_unref(struct om__base *base);

/** Layers as their files say; of those that `was` (may be NULL) has in the
 *  same files the state in `old` is kept, with all that came on top, and
 *  kept[i] (may be NULL) set. A layer that cannot be opened is withheld, unless
 *  `old` has it or no other can be opened: then it is an error.
 *  owns: stacks in out [layers], om__states_free. */
om_status om__states_open(const char *city, const struct om__base *base,
                          const struct om__base *was,
                          const struct om__layer_state *old,
                          struct om__layer_state *out, bool *kept,
                          struct om_err *err) OM_MUST_USE;
/** Do two manifests name the same files of a layer? */
bool om__same_files(const struct om_manifest_layer *a,
                    const struct om_manifest_layer *b);
void om__states_free(struct om__layer_state *state, size_t layers);
/** The states again, each stack with a reference more. */
struct om__layer_state *om__states_copy(const struct om__layer_state *state,
                                        size_t layers);
/** Equal: the same units in the same files, and (state not NULL) the same of
 *  them withheld. */
uint64_t om__units_hash(const struct om_manifest *manifest,
                        const struct om__layer_state *state);
/** Is a level of units withheld? Rows cannot be given their units then. */
bool om__units_withheld(const struct om_manifest *manifest,
                        const struct om__layer_state *state);

/** A snapshot of states; takes references of its own. owns:
 *  om_snapshot_unref */
om_status om__snapshot_new(struct om__base *base,
                           const struct om__layer_state *state,
                           uint64_t sequence, int64_t clock_s,
                           struct om_snapshot **out,
                           struct om_err *err) OM_MUST_USE;
/** Swap the snapshot of a city (the reference is taken); stamp may be NULL. */
void om__city_publish(struct om_city *city, struct om_snapshot *fresh,
                      const struct om__stamp *stamp);
/** Build what files and journal say now, whether or not anything changed.
 *  Holds `refreshing`. */
om_status om__city_reload(struct om_city *city, bool *changed,
                          struct om_err *err) OM_MUST_USE;
/** A text without the folder of the city: what clients may see. */
void om__without_folder(const char *city, const char *text,
                        char out[OM_ERR_TEXT_BYTES]);
/** The joiner of a manifest's units, made from `snapshot` if the one at hand
 *  is of others; a reference more. Who calls holds `refreshing`. */
om_status om__city_joiner(struct om_city *city,
                          const struct om_snapshot *snapshot,
                          struct om_joiner **out,
                          struct om_err *err) OM_MUST_USE;
/** The same for who does not hold it. */
om_status om__city_lend_joiner(struct om_city *city,
                               const struct om_snapshot *snapshot,
                               struct om_joiner **out) OM_MUST_USE;

#endif
