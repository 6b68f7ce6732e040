// alloc.h - all memory comes from here, so that a test can make the n-th fail.
#ifndef OM_DATA_BASE_ALLOC_H
#define OM_DATA_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

#include "data/base/status.h"

/** Like malloc; NULL when there is none. Size 0 gives a unique pointer. */
void *om_alloc(size_t bytes);
/** Zeroed array of `count` elements; NULL on overflow or no memory. */
void *om_calloc(size_t count, size_t bytes);
/** Array of `count` elements, not zeroed; NULL on overflow or no memory. */
void *om_alloc_array(size_t count, size_t bytes);
/** Like realloc; the old block stays valid when NULL is returned. */
void *om_realloc(void *block, size_t bytes);
/** Like free; NULL is fine. */
void om_free(void *block);
/** Copy of a string, or NULL. owns: the caller, with om_free. */
char *om_strdup(const char *text);

/** *out = a * b; false (and *out untouched) when that overflows. */
bool om_mul_size(size_t a, size_t b, size_t *out);

/**
 * From now on blocks of a mebibyte and more go back to the system when they are
 * freed, for a process that lives long: what a base of a layer takes while it
 * is written anew is else kept for the next time. Once, before there are other
 * threads. Nothing where the C library is not glibc.
 * cost     such a block is cleared by the system again each time
 */
void om_alloc_give_back(void);

/**
 * Test hook: make the allocation number `countdown` from now fail (1 = the
 * next), and every one after it when `sticky`. 0 switches it off.
 * threads: set while no other thread allocates; counting itself is atomic.
 */
void om_alloc_fail_after(size_t countdown, bool sticky);
/** Blocks handed out and not yet freed (for leak checks in tests). */
size_t om_alloc_live(void);

#endif
