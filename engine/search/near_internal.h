// near_internal.h - words that differ by one fault.
#ifndef OM_ENGINE_SEARCH_NEAR_INTERNAL_H
#define OM_ENGINE_SEARCH_NEAR_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Is one the other, but for one token that is another, missing or too many, or
 *  two side by side that are swapped? */
bool om__within_one(const uint16_t *a, size_t n, const uint16_t *b, size_t m);

#endif
