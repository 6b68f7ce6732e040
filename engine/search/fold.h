// fold.h - characters that mean the same to a searcher, and how they sound.
#ifndef OM_ENGINE_SEARCH_FOLD_H
#define OM_ENGINE_SEARCH_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/* Every character of the basic plane as the one that stands for it: full-width
 * as plain, capitals as small letters, traditional as simplified; 0 for what
 * searchers leave out (spaces, punctuation, control characters). Those beyond
 * the plane are folded to a number of theirs among the surrogates, which no
 * text has. */
struct om_fold {
    uint16_t token[65536];
    // How a token sounds: OM_FOLD_SOUND + number of a syllable without its
    // tone; the token itself where it is none of Han.
    uint16_t sound[65536];
    // A second reading that people type (长 is zhang and chang); 0: none.
    uint16_t other[65536];
    size_t syllables;
    const char (*syllable)[8];  // [syllables], "zhuang", sorted
    uint64_t hash;  // of all of it: indexes made by another are of no use
};

/** Sounds begin here: private use, which no folded text has. */
#define OM_FOLD_SOUND 0xE000
/** Longest syllable, in letters. */
#define OM_FOLD_SYLLABLE 6

/**
 * The table of this process; made once, by ICU's transliterators.
 * returns  OM_E_UNSUPPORTED (ICU's data is not there), OM_E_MEMORY
 * threads  any     cost  some 200 ms the first time
 */
om_status om_fold_get(const struct om_fold **out,
                      struct om_err *err) OM_MUST_USE;

/** Letters of a sound, "" where it is no syllable. */
static inline const char *om_fold_spelled(const struct om_fold *fold,
                                          uint16_t sound)
{
    return sound >= OM_FOLD_SOUND &&
                   (size_t)(sound - OM_FOLD_SOUND) < fold->syllables
               ? fold->syllable[sound - OM_FOLD_SOUND]
               : "";
}
/** Sounds of characters that are also read as `sound`, for each once.
 *  shapes   out [OM_FOLD_OTHERS]; returns how many */
#define OM_FOLD_OTHERS 4
size_t om_fold_others(const struct om_fold *fold, uint16_t sound,
                      uint16_t out[OM_FOLD_OTHERS]);
/** Number of the syllable of `len` letters, or -1. */
int om_fold_syllable(const struct om_fold *fold, const char *letters,
                     size_t len);

#endif
