// bag_internal.h - which atoms of a question a text can stand for, in any
// order.
#ifndef OM_ENGINE_SEARCH_BAG_INTERNAL_H
#define OM_ENGINE_SEARCH_BAG_INTERNAL_H

#include "engine/search/search_internal.h"

/* Atoms, a bit each. */
struct om__mask {
    uint64_t part[2];
};
_Static_assert(OM_SEARCH_TOKENS <= 128, "a mask has a bit for each atom");

static inline bool om__mask_has(const struct om__mask *mask, size_t atom)
{
    return mask->part[atom / 64] >> atom % 64 & 1;
}
/** Add the atoms [from, to). */
void om__mask_atoms(struct om__mask *mask, size_t from, size_t to);
void om__mask_add(struct om__mask *mask, const struct om__mask *other);
float om__mask_weight(const struct om__mask *mask,
                      const struct om__question *question,
                      enum om__reading reading);

/* Atoms by the sounds that make them. Zero is empty. */
#define OM__BAG_SOUNDS 255
struct om__bag {
    uint8_t slot[65536];  // of each sound: 0, or its mask
    size_t sounds;
    struct om__mask mask[OM__BAG_SOUNDS + 1];
};
/** returns false where there is no room for one more sound */
bool om__bag_add(struct om__bag *bag, uint16_t sound, size_t from, size_t to);
/** Add to `out` the atoms that a text can stand for. */
void om__bag_text(const struct om__bag *bag, const struct om_fold *fold,
                  const uint16_t *token, size_t tokens, struct om__mask *out);

/** Fill with the sounds of a question as it is read. */
void om__bag_heard(struct om__bag *bag, const struct om__question *question);
/**
 * Fill with all sounds that any way of reading it has: no alignment finds an
 * atom that is not in the bag of its text, or in `always`.
 * returns false where there are too many
 */
bool om__bag_all(struct om__bag *bag, const struct om__question *question,
                 struct om__mask *always);

#endif
