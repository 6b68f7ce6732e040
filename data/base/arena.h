// arena.h - scratch memory of one tile or one request, freed all at once.
#ifndef OM_DATA_BASE_ARENA_H
#define OM_DATA_BASE_ARENA_H

#include <stddef.h>

struct om_arena_block;

/* Zero is a valid empty arena. One thread at a time. */
struct om_arena {
    struct om_arena_block *block;  // newest first
    size_t used;                   // bytes used in the newest block
};

/** `bytes` of memory aligned to 64, not zeroed; NULL when there is none.
 *  owns: the arena; valid until reset or deinit. */
void *om_arena_alloc(struct om_arena *arena, size_t bytes);
/** Zeroed array; NULL on overflow or no memory. */
void *om_arena_calloc(struct om_arena *arena, size_t count, size_t bytes);
/** Copy of `len` bytes with a NUL after them. */
char *om_arena_text(struct om_arena *arena, const char *text, size_t len);
/** Give everything back but keep the largest block for the next round. */
void om_arena_reset(struct om_arena *arena);
/** Free all; the arena is empty and usable again. */
void om_arena_deinit(struct om_arena *arena);

#endif
