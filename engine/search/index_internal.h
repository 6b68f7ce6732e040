// index_internal.h - the file of an index.
#ifndef OM_ENGINE_SEARCH_INDEX_INTERNAL_H
#define OM_ENGINE_SEARCH_INDEX_INTERNAL_H

#include "engine/layer/file_internal.h"
#include "engine/search/index.h"

/** Version of forms and lists; files of others are made again. */
#define OM__SEARCH_VERSION 1

/* The meta section. */
struct om__search_meta {
    uint32_t version, column;
    uint64_t segment;  // header_check of the segment's file
    uint64_t rows;     // of the segment
    uint64_t fold;     // hash of the table of characters
    uint64_t forms, entries;
};

struct om_search_index {
    _Atomic size_t refs;
    struct om__file file;
    size_t forms, entries;
    struct om__view token_at, token, entry_at, number_at, row, number;
    struct om__view gram[OM_GRAM_KINDS], posts_at[OM_GRAM_KINDS],
        posts[OM_GRAM_KINDS];
};

struct om__search_meta om__search_meta(const struct om_segment *segment,
                                       size_t column,
                                       const struct om_fold *fold);
/** Take an open file for an index, also on failure. */
om_status om__search_index_take(struct om__file *file,
                                const struct om_segment *segment, size_t column,
                                struct om_search_index **out,
                                struct om_err *err) OM_MUST_USE;

/* Forms as they are gathered: texts without their numbers, each once. */
struct om__forms {
    size_t count, room;
    uint32_t *start;  // [count + 1] into token
    uint8_t *numbers;
    uint16_t *token;
    size_t tokens, token_room;
    uint32_t *slot;  // [slots], form + 1
    size_t slots;
};
/** Number of the form of a text, a new one if need be. */
om_status om__forms_find(struct om__forms *forms,
                         const struct om_search_text *text,
                         uint32_t *out) OM_MUST_USE;
void om__forms_deinit(struct om__forms *forms);

/* Lists of forms by gram, as they are written. */
struct om__lists {
    size_t grams;
    uint32_t *gram;      // [grams], rising
    uint64_t *posts_at;  // [grams + 1]
    struct om_buf posts;
};
/** Of forms in the order of `order` (form i is order[i]). */
om_status om__lists_make(const struct om_fold *fold,
                         const struct om__forms *forms, const uint32_t *order,
                         enum om_gram_kind kind,
                         struct om__lists *out) OM_MUST_USE;
void om__lists_deinit(struct om__lists *lists);

#endif
