// changes_internal.h - the map of changes from inside: trees, and audiences.
#ifndef OM_ENGINE_LIVE_CHANGES_INTERNAL_H
#define OM_ENGINE_LIVE_CHANGES_INTERNAL_H

#include <pthread.h>

#include "engine/live/audience.h"
#include "engine/live/change_tree.h"

/* Columns of a layer that somebody does not see; or all of its rows, which are
 * only counted for them. */
struct om__veil {
    uint64_t hash;  // 0: free
    size_t audiences;
    bool crowds;
    char *names;  // each with its NUL, an empty one at the end; owned
};

struct om__audience {
    struct om__audience *next;       // of the same bucket
    struct om__audience *next_here;  // everywhere, or in the same unit
    uint64_t id;
    uint64_t unit;  // hash of level and id; 0: everywhere
    size_t veil;    // OM__NO_VEIL: sees all columns
    bool adopted;
    int64_t joined_s;
    atomic_uint_least64_t asked;  // at that question of all
    atomic_uint_least64_t looks;  // since when all of it looks otherwise
    struct om__changes_layer *layer;
    struct om__change_tree tree;
};
#define OM__NO_VEIL SIZE_MAX

/* What follows the tree is guarded by the lock. */
struct om__changes_layer {
    struct om__changes_layer *next;
    char name[OM_LIMIT_NAME_BYTES];
    struct om__change_tree tree;
    size_t areas;
    struct om__audience *everywhere;
    struct om__audience **unit;  // [OM__UNIT_HEADS] by unit, NULL: none
    struct om__veil veil[OM_VEILS];
};
#define OM__UNIT_HEADS 1024
#define OM__AUDIENCE_HEADS 4096

struct om_changes {
    _Atomic(struct om__changes_layer *) first;
    // Trees may be read and written by who holds it shared.
    pthread_rwlock_t lock;
    atomic_bool fresh;  // some are not adopted
    atomic_uint_least64_t generation, asked;
    size_t audiences;
    uint32_t lent;  // blocks of their trees; the writer's
    struct om__audience *head[OM__AUDIENCE_HEADS];
};
struct om__changes_layer *om__changes_layer(const struct om_changes *changes,
                                            const char *name);
/** All of the layer is new for all its audiences; crowds: also for those who
 *  only count its rows. */
void om__audiences_renew(struct om_changes *changes,
                         struct om__changes_layer *layer, bool crowds,
                         uint64_t sequence, int64_t at_s);
void om__audiences_free(struct om__changes_layer *layer);

#endif
