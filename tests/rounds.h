// rounds.h - fewer rounds of the same test where each is twenty times as slow.
#ifndef OM_TESTS_ROUNDS_H
#define OM_TESTS_ROUNDS_H

#include <stddef.h>

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

#endif
