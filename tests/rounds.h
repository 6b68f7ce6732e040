// rounds.h - fewer rounds of the same test where each is twenty times as slow.
#ifndef OM_TESTS_ROUNDS_H
#define OM_TESTS_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/** Rounds of a random test: all, or a fifth under ThreadSanitizer, which looks
 *  for races and not for wrong answers. */
static inline size_t test_rounds(size_t all)
{
#if defined(__SANITIZE_THREAD__)
    return all / 5 + 1;
#else
    return all;
#endif
}

/** Are races all that is looked for (ThreadSanitizer)? What goes on in one thread
 *  has none and takes minutes: it says `if (test_for_races()) skip();`. */
static inline bool test_for_races(void)
{
#if defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

/** Is this `make test-long`, where everything is tried and not a part of it? */
static inline bool test_long(void)
{
    return getenv("ONEMAP_LONG") != NULL;
}

#endif
