// search_internal.h - a question on its way: atoms, candidates, alignments.
#ifndef OM_ENGINE_SEARCH_SEARCH_INTERNAL_H
#define OM_ENGINE_SEARCH_SEARCH_INTERNAL_H

#include "engine/search/index.h"
#include "engine/search/search.h"

/** Forms of an index that are compared with a question letter by letter. */
#define OM__CANDIDATES 192

enum om__atom_kind { OM__ATOM_CHARACTER, OM__ATOM_NUMBER, OM__ATOM_LETTER };
struct om__atom {
    enum om__atom_kind kind;
    uint16_t token, sound;
    uint32_t number;
    float weight;   // of a letter: where letters are initials
    bool optional;  // names a unit: rows in it need not say so
};

/* What faults cost: of a character's weight, or of that of two. */
#define OM__ALIKE 0.8F         // left of one that only sounds so
#define OM__SWAPPED 0.85F      // left of two that are swapped
#define OM__WRONG 0.5F         // lost for one that is another
#define OM__ABSENT 0.6F        // lost for one that the form has not
#define OM__GAP 0.25F          // lost for leaving out a stretch of the form
#define OM__GAP_INITIALS 1.0F  // between first letters, of which many fit

/* How letters are read. */
enum om__reading { OM__READ_SOUNDS, OM__READ_INITIALS, OM__READINGS };

/* May a row in the unit leave the atom out? Letters name units as they are
 * spelled, not as initials. */
static inline bool om__atom_optional(const struct om__atom *atom,
                                     enum om__reading reading)
{
    return atom->optional &&
           (atom->kind != OM__ATOM_LETTER || reading == OM__READ_SOUNDS);
}

/* Level of what the whole city lies in: its own name, its province's. */
#define OM__LEVEL_ABOVE SIZE_MAX

/* Part of a question that names a unit. */
struct om__mention {
    size_t from, to;  // atoms
    size_t stem;   // atoms up to here are its name, then 镇, 村 and the like
    size_t level;  // of the manifest, or OM__LEVEL_ABOVE
    float loss;    // what is typed otherwise costs, as in an alignment
    const char *unit;
    size_t unit_len;
};
/** Namesakes are many mentions; the largest units are noted first. */
#define OM__MENTIONS 24

struct om__gram {
    uint32_t gram;
    enum om_gram_kind kind;
};

/* A sound, and the atoms [from, to) that make it. */
struct om__heard {
    uint16_t sound;
    uint8_t from, to;
};
#define OM__HEARD (OM_SEARCH_TOKENS * 2)

struct om__question {
    const struct om_fold *fold;
    size_t atoms;
    struct om__atom atom[OM_SEARCH_TOKENS];
    float total[OM__READINGS];  // what a perfect answer is worth
    bool reads[OM__READINGS];   // is there anything to be found this way?
    size_t grams[OM__READINGS];
    struct om__gram gram[OM__READINGS][OM_SEARCH_TOKENS * 2];
    bool translated;  // words of English were put into Chinese
    size_t heards;
    struct om__heard heard[OM__HEARD];
    size_t mentions;
    struct om__mention mention[OM__MENTIONS];
};

/** What a letter weighs where letters spell sounds. */
#define OM__LETTER_WEIGHT (1.0F / 3)
static inline float om__atom_weight(const struct om__atom *atom,
                                    enum om__reading reading)
{
    return atom->kind == OM__ATOM_LETTER && reading == OM__READ_SOUNDS
               ? OM__LETTER_WEIGHT
               : atom->weight;
}

struct om__unit_names;
/** Fold a question and note its grams. */
void om__question_read(const struct om_fold *fold, const char *text, size_t len,
                       struct om__question *out);
/** Without putting words of English into Chinese: names have such, too. */
void om__question_read_as_is(const struct om_fold *fold, const char *text,
                             size_t len, struct om__question *out);
/** Only what stands before its first number, untranslated; false, and nothing
 *  is read: there is none, or nothing before it. */
bool om__question_read_unnumbered(const struct om_fold *fold, const char *text,
                                  size_t len, struct om__question *out);
/** Letters of a question from atom `i` on that spell a token, or begin to where
 *  the question ends: somebody is typing. 0: none. */
size_t om__question_spells(const struct om__question *question, size_t i,
                           uint16_t token);
/** Note the units that it names. */
void om__question_mentions(struct om__question *question,
                           const struct om__unit_names *units);

/* A form that may be what is meant, and how many grams speak for it. */
struct om__candidate {
    uint32_t form;
    uint32_t votes;
};
/** The forms of an index with most in common, most first.
 *  shapes   out [OM__CANDIDATES] */
om_status om__candidates_find(const struct om_search_index *index,
                              const struct om__question *question,
                              enum om__reading reading,
                              struct om__candidate *out,
                              size_t *count) OM_MUST_USE;

/** The forms of a small index with most sounds in common, wherever they stand:
 *  what has no two side by side is found, too. All forms are read.
 *  shapes   out [OM__CANDIDATES] */
om_status om__candidates_scan(const struct om_search_index *index,
                              const struct om__question *question,
                              struct om__candidate *out,
                              size_t *count) OM_MUST_USE;

/* How a question lies on a form. */
struct om__alignment {
    float score;      // of total[reading]
    float coverage;   // share of its own characters that are asked for
    unsigned faults;  // wrong, missing, swapped characters
    uint8_t seen[OM_SEARCH_TOKENS];    // atoms that were found
    int8_t number[OM_SEARCH_NUMBERS];  // atom that is this number, or -1
};
/* Room for one; a few hundred kilobytes. */
struct om__aligner;
om_status om__aligner_new(struct om_arena *arena,
                          struct om__aligner **out) OM_MUST_USE;
/** own: where the form's own tokens begin, behind those that say where it lies.
 */
void om__align(struct om__aligner *aligner, const struct om__question *question,
               enum om__reading reading, const uint16_t *token, size_t tokens,
               size_t own, struct om__alignment *out);

/** No form of so many tokens is worth more, its row's units included. */
float om__align_most(const struct om__question *question,
                     enum om__reading reading, size_t tokens);

/* Names of all units of a city, and of what it lies in. Immutable, counted.
 * Those of a level lie side by side, the largest units last. */
#define OM__UNIT_TOKENS 12
struct om__unit {
    size_t level;
    const char *id, *name;
    size_t id_len, name_len;
    uint16_t token[OM__UNIT_TOKENS];
    size_t stem, tokens;  // the name without 镇, 村 and the like; with them
};
om_status om__unit_names_new(const struct om_snapshot *snapshot,
                             struct om__unit_names **out) OM_MUST_USE;
struct om__unit_names *om__unit_names_ref(struct om__unit_names *units);
void om__unit_names_unref(struct om__unit_names *units);
/** Hash of what they are of: layers, and the city's name. */
uint64_t om__unit_names_of(const struct om_snapshot *snapshot);
size_t om__unit_names_count(const struct om__unit_names *units);
const struct om__unit *om__unit_names_at(const struct om__unit_names *units,
                                         size_t i);
/** What all units lie in, the largest first: the province, the city.
 *  shapes   out [OM__ABOVE]; returns how many */
#define OM__ABOVE 2
size_t om__unit_names_above(const struct om__unit_names *units,
                            const struct om__unit *out[OM__ABOVE]);
/** By level and id; NULL: there is none. */
const struct om__unit *om__unit_names_find(const struct om__unit_names *units,
                                           size_t level, const char *id,
                                           size_t len);

/* An entry of a form that fits the numbers asked for. */
struct om__range {
    size_t from, to;   // entries
    unsigned missing;  // numbers asked for that they do not have
    unsigned loose;    // numbers that they have though not in this place
};
/** Entries whose first number is `value`. */
struct om__range om__entries_numbered(const struct om_form *form,
                                      uint32_t value);
/** Entries with the numbers that an alignment asks for; those of the nearest
 *  number where there are none. */
struct om__range om__entries_fit(const struct om__question *question,
                                 const struct om__alignment *alignment,
                                 const struct om_form *form);

#endif
