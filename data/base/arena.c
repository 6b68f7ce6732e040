// arena.c - a chain of blocks, each twice as large as the one before.
#include "data/base/arena.h"

#include <stdint.h>
#include <string.h>

#include "data/base/alloc.h"

#define FIRST_BLOCK_BYTES ((size_t)64 * 1024)
#define ALIGN ((size_t)64)

struct om_arena_block {
    struct om_arena_block *older;
    size_t bytes;  // usable bytes behind this header
};

static char *block_start(struct om_arena_block *block)
{
    const uintptr_t raw = (uintptr_t)(block + 1);
    return (char *)((raw + ALIGN - 1) / ALIGN * ALIGN);
}

void *om_arena_alloc(struct om_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 4) return NULL;
    const size_t need = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (!arena->block || arena->block->bytes - arena->used < need) {
        size_t grow =
            arena->block ? arena->block->bytes * 2 : FIRST_BLOCK_BYTES;
        if (grow < need) grow = need;
        struct om_arena_block *fresh = om_alloc(sizeof *fresh + ALIGN + grow);
        if (!fresh) return NULL;
        *fresh = (struct om_arena_block){.older = arena->block, .bytes = grow};
        arena->block = fresh;
        arena->used = 0;
    }
    void *out = block_start(arena->block) + arena->used;
    arena->used += need;
    return out;
}

void *om_arena_calloc(struct om_arena *arena, size_t count, size_t bytes)
{
    size_t total;
    if (!om_mul_size(count, bytes, &total)) return NULL;
    void *out = om_arena_alloc(arena, total);
    return out ? memset(out, 0, total) : NULL;
}

char *om_arena_text(struct om_arena *arena, const char *text, size_t len)
{
    char *out = len < SIZE_MAX ? om_arena_alloc(arena, len + 1) : NULL;
    if (!out) return NULL;
    if (len) memcpy(out, text, len);
    out[len] = '\0';
    return out;
}

static void free_chain(struct om_arena_block *block)
{
    while (block) {
        struct om_arena_block *older = block->older;
        om_free(block);
        block = older;
    }
}

void om_arena_reset(struct om_arena *arena)
{
    // Blocks double, so the newest is the largest: the one worth keeping.
    if (arena->block) {
        free_chain(arena->block->older);
        arena->block->older = NULL;
    }
    arena->used = 0;
}

void om_arena_deinit(struct om_arena *arena)
{
    free_chain(arena->block);
    *arena = (struct om_arena){0};
}
