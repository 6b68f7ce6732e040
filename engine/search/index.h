// index.h - the texts of one column of one segment, made ready to be found.
#ifndef OM_ENGINE_SEARCH_INDEX_H
#define OM_ENGINE_SEARCH_INDEX_H

#include "engine/layer/segment.h"
#include "engine/search/text.h"

/* Texts that differ in their numbers only share a form (新兴三巷#号#房). A form
 * has its entries: rows with the numbers of their texts, sorted by these. What
 * is searched for are forms: a city of twelve million addresses has some two
 * hundred thousand. Immutable, counted. threads: any. */
struct om_search_index;

/** Which lists of forms there are. */
enum om_gram_kind {
    OM_GRAM_SOUNDS,    // two sounds side by side
    OM_GRAM_INITIALS,  // three first letters side by side
    OM_GRAM_KINDS
};
/** Two sounds as one number. */
static inline uint32_t om_gram_sounds(uint16_t a, uint16_t b)
{
    return (uint32_t)a << 16 | b;
}
/** Three letters, 0 to 25 each. */
static inline uint32_t om_gram_initials(int a, int b, int c)
{
    return (uint32_t)((a * 26 + b) * 26 + c);
}

/**
 * Make the index of a column of texts and write it to `path`, synced, under a
 * temporary name first: it is there whole or not at all; NULL: in memory.
 *
 * returns  OM_E_TYPE (no column of texts), OM_E_IO, OM_E_MEMORY, OM_E_DAMAGED,
 *          OM_E_LIMIT (more numbers than 32 bits count)
 * owns     *out: om_search_index_unref
 * cost     some 1.5 us and 30 bytes of memory a row
 */
om_status om_search_index_build(const struct om_segment *segment, size_t column,
                                const char *path, struct om_search_index **out,
                                struct om_err *err) OM_MUST_USE;
/**
 * Open what was written. returns OM_E_NOTFOUND, OM_E_DAMAGED, OM_E_VERSION
 * (of another segment or column, or made by another table of characters): it is
 * to be made again.
 */
om_status om_search_index_open(const char *path,
                               const struct om_segment *segment, size_t column,
                               struct om_search_index **out,
                               struct om_err *err) OM_MUST_USE;
struct om_search_index *om_search_index_ref(struct om_search_index *index);
void om_search_index_unref(struct om_search_index *index);
/** Bytes of the file or in memory. */
size_t om_search_index_bytes(const struct om_search_index *index);

/** Was anything in it found to be other than what was written? */
bool om_search_index_damaged(const struct om_search_index *index);
size_t om_search_index_forms(const struct om_search_index *index);

/* One form. Borrowed from the index. */
struct om_form {
    const uint16_t *token;
    size_t tokens, numbers;  // numbers: of each of its entries
    size_t entries;
    const uint32_t *row;     // [entries]
    const uint32_t *number;  // [entries x numbers], rows of it rising
};
/** OM_E_DAMAGED where the file is not what was written. */
om_status om_search_index_form(const struct om_search_index *index, size_t form,
                               struct om_form *out) OM_MUST_USE;

/** The tokens of all forms, one after the other: form i has [at[i], at[i + 1]),
 *  which is within them. Borrowed from the index.
 *  returns OM_E_DAMAGED where the file is not what was written */
om_status om_search_index_tokens(const struct om_search_index *index,
                                 const uint32_t **at,
                                 const uint16_t **token) OM_MUST_USE;

/* A list of forms, packed. */
struct om_posts {
    const uint8_t *at, *end;
    uint32_t form;  // the last one read
};
/** Forms that have a gram; an empty list where none has. */
om_status om_search_index_posts(const struct om_search_index *index,
                                enum om_gram_kind kind, uint32_t gram,
                                struct om_posts *out) OM_MUST_USE;
/** The next one into posts->form; false: that was all. */
static inline bool om_posts_next(struct om_posts *posts)
{
    uint32_t step = 0;
    unsigned shift = 0;
    while (posts->at < posts->end && shift < 32) {
        const uint8_t byte = *posts->at++;
        step |= (uint32_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            posts->form += step;
            return true;
        }
        shift += 7;
    }
    return false;
}

#endif
