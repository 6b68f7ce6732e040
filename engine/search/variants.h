// variants.h - other characters for those of a text: 證 for 证.
#ifndef OM_ENGINE_SEARCH_VARIANTS_H
#define OM_ENGINE_SEARCH_VARIANTS_H

#include <stddef.h>
#include <stdint.h>

#include "data/base/buf.h"
#include "data/base/status.h"

/* Characters of the basic plane, a bit each. Zero is the empty set. */
struct om_characters {
    uint8_t bit[65536 / 8];
};
/** Note the characters of a text. threads any */
void om_characters_add(struct om_characters *set, const char *text, size_t len);
/**
 * Append, of each Han character that the search takes for one of the set
 * (fold.h), itself and that one: "證证醫医", by code.
 * returns  OM_E_UNSUPPORTED (ICU's data is not there), OM_E_MEMORY
 * threads  any     cost  some 100 us; the first time 200 ms (om_fold_get)
 * test     tests/engine/test_roman.c
 */
om_status om_variants_add(const struct om_characters *set, struct om_buf *out,
                          struct om_err *err) OM_MUST_USE;

#endif
