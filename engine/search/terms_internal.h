// terms_internal.h - what rows are by kind, as words that somebody types.
#ifndef OM_ENGINE_SEARCH_TERMS_INTERNAL_H
#define OM_ENGINE_SEARCH_TERMS_INTERNAL_H

#include "engine/search/search_internal.h"

/** Values of one column: of more it is a register, not a list of kinds. */
#define OM__TERM_VALUES 512
/** Characters of a word, and words of one term. */
#define OM__TERM_TOKENS 48
#define OM__TERM_WORDS 24

/* A way to say a term, folded. */
struct om__term_word {
    const uint16_t *token;
    size_t tokens;
};

/* A kind: a value of a column of categories, or (column empty) a layer. */
struct om__term {
    const char *layer, *column, *value;
    const char *title, *title_en;  // NULL: none
    size_t words;
    const struct om__term_word *word;
};

/* Immutable, counted. */
struct om__terms;
/**
 * The terms of a snapshot: titles of its layers; of every column of categories
 * that is not of units, has no more than OM__TERM_VALUES values, and is not of
 * persons (unless of kinds that they are of), each value. What they are called
 * is said by the layer in city.json:
 *   "value_titles", "value_titles_en": {"COLUMN": {"VALUE": "消火栓"}}; of the
 *       column "picture_by" else "picture_titles", "picture_titles_en"
 *   "value_words": {"COLUMN": {"VALUE": ["消防栓", ...]}}
 * owns     *out: om__terms_unref      cost  a millisecond
 */
om_status om__terms_new(const struct om_snapshot *snapshot,
                        struct om__terms **out) OM_MUST_USE;
struct om__terms *om__terms_ref(struct om__terms *terms);
void om__terms_unref(struct om__terms *terms);
/** Hash of what they are made of. */
uint64_t om__terms_of(const struct om_snapshot *snapshot);
size_t om__terms_count(const struct om__terms *terms);
const struct om__term *om__terms_at(const struct om__terms *terms, size_t i);

/** What a term is worth to tokens that were typed, 0 to 1; 0: it is not meant.
 *  *match: how it fits. */
float om__term_worth(const struct om_fold *fold, const struct om__term *term,
                     const uint16_t *token, size_t tokens,
                     enum om_search_match *match);

#endif
