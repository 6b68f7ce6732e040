// stack_internal.h - the parts of a layer, counted: what publications share.
#ifndef OM_ENGINE_LIVE_STACK_INTERNAL_H
#define OM_ENGINE_LIVE_STACK_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "engine/snapshot.h"

/* Dead rows of one part, sorted and unique. Immutable and counted. */
struct om__dead {
    atomic_size_t refs;
    uint64_t serial;
    size_t count;
    uint32_t row[];
};

/* The parts of a layer, oldest first: those in files, then the runs. Immutable
 * and counted; part[i].dead is that of dead[i] (NULL: none). */
struct om__stack {
    atomic_size_t refs;
    size_t parts, files;
    struct om_part *part;
    struct om__dead **dead;
    uint64_t rows;    // living
    uint64_t serial;  // equal: same segments and same dead rows
    char *fault;  // why the layer is withheld (it has no parts then), or NULL
};

/* A row that is to die. */
struct om__kill {
    uint32_t part, row;
};

/* Text readers for looking up ids; zero is valid; one thread. */
#define OM__FINDERS 8
struct om__finder {
    struct om_text_reader reader[OM__FINDERS];
};

/** Copy of sorted rows; count 0 gives NULL and OM_OK. */
om_status om__dead_new(const uint32_t *row, size_t count,
                       struct om__dead **out) OM_MUST_USE;
void om__dead_unref(struct om__dead *dead);
/** Is `row` of a part dead? */
bool om__part_is_dead(const struct om_part *part, size_t row);
/** Living rows of a part. */
size_t om__part_rows(const struct om_part *part);

/** Of parts whose segments and dead lists (NULL: none has any) get a reference
 *  more. owns: *out with om__stack_unref. */
om_status om__stack_new(struct om_segment *const *segment,
                        struct om__dead *const *dead, size_t parts,
                        size_t files, struct om__stack **out) OM_MUST_USE;
/** Of a layer that is withheld. */
om_status om__stack_withheld(const char *why,
                             struct om__stack **out) OM_MUST_USE;
struct om__stack *om__stack_ref(struct om__stack *stack);
void om__stack_unref(struct om__stack *stack);

/** Where the living row of an id is. OM_E_NOTFOUND. */
om_status om__stack_find(const struct om__stack *stack, const char *id,
                         size_t len, struct om__finder *finder,
                         struct om__kill *out) OM_MUST_USE;
/** The same in the parts that `only` names, [parts]; NULL: all. */
om_status om__stack_find_in(const struct om__stack *stack, const bool *only,
                            const char *id, size_t len,
                            struct om__finder *finder,
                            struct om__kill *out) OM_MUST_USE;
void om__finder_deinit(struct om__finder *finder);

/** The same stack with more dead rows; `kill` is sorted here. Runs that have
 *  no living row any more are left out. */
om_status om__stack_kill(const struct om__stack *old, struct om__kill *kill,
                         size_t kills, struct om__stack **out) OM_MUST_USE;
/** The same stack with parts [from, to) left out and `segment` (NULL: none)
 *  with its dead rows in their place; file: it lies in one. */
om_status om__stack_splice(const struct om__stack *old, size_t from, size_t to,
                           struct om_segment *segment, struct om__dead *dead,
                           bool file, struct om__stack **out) OM_MUST_USE;

#endif
