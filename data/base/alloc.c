// alloc.c - malloc with a counter in front.
#include "data/base/alloc.h"

#if defined(__GLIBC__) || defined(__linux__)
#include <malloc.h>
#endif
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t countdown_left;
static atomic_bool fail_sticky;
static atomic_size_t live_blocks;

static bool must_fail(void)
{
    size_t left = atomic_load_explicit(&countdown_left, memory_order_relaxed);
    if (left == 0) return false;
    if (left == 1) {
        if (!atomic_load(&fail_sticky)) atomic_store(&countdown_left, 0);
        return true;
    }
    atomic_fetch_sub(&countdown_left, 1);
    return false;
}

static void *counted(void *block)
{
    if (block) atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
    return block;
}

void *om_alloc(size_t bytes)
{
    return must_fail() ? NULL : counted(malloc(bytes ? bytes : 1));
}

void *om_calloc(size_t count, size_t bytes)
{
    if (must_fail()) return NULL;
    return counted(calloc(count ? count : 1, bytes ? bytes : 1));
}

void *om_alloc_array(size_t count, size_t bytes)
{
    size_t total;
    return om_mul_size(count, bytes, &total) ? om_alloc(total) : NULL;
}

void *om_realloc(void *block, size_t bytes)
{
    if (must_fail()) return NULL;
    void *grown = realloc(block, bytes ? bytes : 1);
    return block ? grown : counted(grown);
}

void om_free(void *block)
{
    if (!block) return;
    atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
    free(block);
}

char *om_strdup(const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = om_alloc(bytes);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

bool om_mul_size(size_t a, size_t b, size_t *out)
{
    if (a != 0 && b > SIZE_MAX / a) return false;
    *out = a * b;
    return true;
}

void om_alloc_fail_after(size_t countdown, bool sticky)
{
    atomic_store(&fail_sticky, sticky);
    atomic_store(&countdown_left, countdown);
}

size_t om_alloc_live(void)
{
    return atomic_load(&live_blocks);
}

#define GIVEN_BACK_BYTES (1 << 20)

void om_alloc_give_back(void)
{
#ifdef M_MMAP_THRESHOLD
    // Named once, it does not rise to the size of the largest block freed, as
    // it otherwise does.
    mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_BYTES);
#endif
}
