// roman.h - what a Chinese name is in English: what can be translated is, and
// the rest is spelled.
#ifndef OM_ENGINE_SEARCH_ROMAN_H
#define OM_ENGINE_SEARCH_ROMAN_H

#include <stdbool.h>

#include "data/base/buf.h"
#include "data/base/status.h"
#include "data/json.h"

/* A word at the end of names, and what it is in English: 社区, "Community". One
 * that begins with a small letter is a spelling (涌, "chong"), wherever it
 * stands: characters have one reading of their own (fold.h). A # in both is any
 * number written in digits: 第#网格, "Grid #". */
struct om_term {
    const char *text, *english;  // end in NUL, UTF-8
};

/**
 * The terms of city.json, its member "english": {"社区": "Community", ...}.
 *
 * document  of the whole file
 * out       NULL where it has none; their texts are the document's
 * returns   OM_E_FORMAT (no object of texts, or more than 2,000), OM_E_MEMORY
 * owns      *out: om_free
 */
om_status om_terms_read(const struct om_json *document, struct om_term **out,
                        size_t *count, struct om_err *err) OM_MUST_USE;

/**
 * Append a name in English: terms are taken off its end, the longest first, and
 * said behind what is left, which is spelled in pinyin without tones as one
 * word. 松屋社区党群服务中心 is Songwu Community Service Centre. Letters and
 * digits stay, each run a word; all else parts words.
 *
 * returns  OM_E_UNSUPPORTED (ICU's data is not there), OM_E_MEMORY
 * threads  any     cost  microseconds; the first time 200 ms (om_fold_get)
 * source   GB/T 28039-2011: syllables of a name joined, an apostrophe before
 *          a, o and e
 * test     tests/engine/test_roman.c
 */
om_status om_romanise(const char *name, size_t len, const struct om_term *term,
                      size_t terms, struct om_buf *out,
                      struct om_err *err) OM_MUST_USE;

/**
 * Append how a text sounds, for who types it: "ju zhu zheng", syllables without
 * tones and runs of letters and digits (small), a blank between them; all else
 * parts. With `other`, characters that have a second reading have that one (长
 * is chang and zhang).
 *
 * returns, threads, cost   as om_romanise
 */
om_status om_spell(const char *text, size_t len, bool other, struct om_buf *out,
                   struct om_err *err) OM_MUST_USE;

#endif
