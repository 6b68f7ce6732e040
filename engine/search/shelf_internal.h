// shelf_internal.h - the indexes that a process has open.
#ifndef OM_ENGINE_SEARCH_SHELF_INTERNAL_H
#define OM_ENGINE_SEARCH_SHELF_INTERNAL_H

#include <pthread.h>

#include "engine/search/search_internal.h"
#include "engine/search/terms_internal.h"

struct om__shelved {
    uint64_t segment;  // serial
    size_t column;
    struct om_search_index *index;  // NULL: its file is damaged
    bool in_memory;                 // of rows in memory
    double asked_s;                 // when it was last asked for
    bool used;                      // by the newest snapshot
};

/* Lists of terms that are kept: as many as there are roles that ask at once. */
#define OM__KEPT_TERMS 4

struct om_search {
    char *path;
    bool writable;
    pthread_mutex_t making;  // one makes files at a time
    pthread_mutex_t lock;    // guards what follows
    struct om__shelved *shelved;
    size_t count, room;
    struct om__unit_names *names;
    uint64_t names_of;
    struct om__kept_terms {
        struct om__terms *terms;
        uint64_t of;
    } kept[OM__KEPT_TERMS];  // the last ones made
    size_t kept_next;
};

/** The index of a column of a segment; a file's is opened if it is there, a
 *  small one made on the spot. *out NULL: it has to be made first.
 *  owns: *out, a reference */
om_status om__shelf_get(struct om_search *search,
                        const struct om_segment *segment, size_t column,
                        struct om_search_index **out) OM_MUST_USE;
/** An index was found damaged: let go of it and of its file, so that it is
 *  made again. */
void om__shelf_drop(struct om_search *search, const struct om_segment *segment,
                    size_t column);
/** The names of a snapshot's units. owns: *out, a reference */
om_status om__shelf_names(struct om_search *search,
                          const struct om_snapshot *snapshot,
                          struct om__unit_names **out) OM_MUST_USE;
/** The terms of a snapshot. owns: *out, a reference */
om_status om__shelf_terms(struct om_search *search,
                          const struct om_snapshot *snapshot,
                          struct om__terms **out) OM_MUST_USE;
/** Let go of indexes of rows in memory that nobody has asked for of late, if
 *  there are many. */
void om__shelf_tidy(struct om_search *search);

#endif
