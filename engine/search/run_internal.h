// run_internal.h - a question that is being answered.
#ifndef OM_ENGINE_SEARCH_RUN_INTERNAL_H
#define OM_ENGINE_SEARCH_RUN_INTERNAL_H

#include "engine/search/bag_internal.h"
#include "engine/search/shelf_internal.h"

/** Below this share of what a perfect answer is worth nothing is answered. */
#define OM__SCORE_MIN 0.5F
/** What a text loses that is not asked for in full, and what each number that
 *  it does not have costs, in weights of a character. */
#define OM__PART 0.04F
#define OM__MISSING 2.0F
/** Of what a row's units add: those that say it themselves are before it. */
#define OM__CREDITED 0.9999F
/** Rows found that are put in order. */
#define OM__HITS_MOST 2048
/** Beside them rows that were laid beside the question with their paths. */
#define OM__PATHS_ROOM 1024

/* A row, or the group of rows it stands for. */
struct om__found {
    const struct om_search_source *source;
    const struct om_layer *layer;
    size_t part;
    uint32_t row, last_row;  // of the same group in this form
    size_t rows;
    uint64_t key;
    float score;
    double away;
    enum om_search_match match;
};

struct om__running {
    struct om_search *search;
    const struct om_snapshot *snapshot;
    const struct om_search_ask *ask;
    struct om_arena *arena;
    struct om_search_answer *out;
    struct om__question question;
    struct om__aligner *aligner;
    struct om__bag *bag;   // of all ways to read it; NULL: too many
    float loose;           // what its numbers may gain
    struct om__mask sure;  // atoms that any form may be credited with
    struct om__unit_names *names;
    // What was left out of the question is lost for all rows: scores above
    // OM__SCORE_MIN count this much of what they are above it.
    float share;
    struct kinds *kinds;  // what was found by kind (kinds.c)
    bool bare;            // a town was typed, and nothing within it is found
    struct om_text_reader reader[8];  // by column, more or less
    struct om__found *found;
    size_t count, room, rows;  // room: of found that may be used
    // the layer and part at hand
    const struct om_search_source *source;
    const struct om_layer *layer;
    size_t part;
};

struct om_text_reader *om__run_reader(struct om__running *r, size_t column);

/** The column of a layer that says in which unit of a level a row lies: of a
 *  layer of units the row's own id, or the unit above. OM_NO_FIELD: none. */
size_t om__unit_column(const struct om_layer *layer, const char *level);
/** Does a form leave out anything that a mention says? */
bool om__row_is_creditable(const struct om__question *q,
                           enum om__reading reading,
                           const struct om__mention *mention,
                           const uint8_t *seen);
/** What a row's units add to a question that names them. amiss: what is lost
 *  for units that are named and that it does not lie in. */
om_status om__row_credit(struct om__running *r, enum om__reading reading,
                         uint32_t row, const struct om__alignment *alignment,
                         float *out, float *amiss) OM_MUST_USE;
/** Does a row of the layer and part at hand live, is it seen, does it lie in
 *  the box? key: its own, may be NULL. */
om_status om__row_counts(struct om__running *r, uint32_t row, uint64_t *key,
                         bool *out) OM_MUST_USE;
/** Note a row of the layer and part at hand, if it counts. */
om_status om__row_add(struct om__running *r, uint32_t row, float score,
                      enum om_search_match match) OM_MUST_USE;
enum om_search_match om__run_match(const struct om__alignment *a,
                                   const struct om__question *q,
                                   enum om__reading reading, bool missing);
/** Is a layer asked for, and may the asker see it? */
bool om__run_is_wanted(const struct om__running *r,
                       const struct om_layer *layer);

/** Is something found that fits as it is? */
bool om__run_fits(const struct om__running *r);
/** Rows of small layers, laid beside the question with the names above them. */
om_status om__run_paths(struct om__running *r) OM_MUST_USE;
/** Note a unit, if it is searched and may be seen. */
om_status om__run_unit(struct om__running *r, size_t level, const char *id,
                       size_t len, float score,
                       enum om_search_match match) OM_MUST_USE;
/** Units whose whole name is what was typed but for one fault, or whose first
 *  letters it is; none where something fits as it is. */
om_status om__run_nearly(struct om__running *r) OM_MUST_USE;
/** Rows outside of the town that was typed are worth less than any other, and
 *  the town is an answer itself; nothing where something fits as it is. Sets
 *  `bare`. */
om_status om__run_kept(struct om__running *r) OM_MUST_USE;
/** Kinds that the question as it is read means, and rows of them. */
om_status om__run_kinds_find(struct om__running *r) OM_MUST_USE;
/** Put them among the answers. */
om_status om__run_kinds_answer(struct om__running *r) OM_MUST_USE;
/** Put the first `count` of what was found in order, the best first. */
void om__run_order(struct om__running *r, size_t count);
/** The best of what was found, in order. */
om_status om__run_answer(struct om__running *r) OM_MUST_USE;
/** Is its first answer what was meant, as far as can be told? */
bool om__answer_is_sure(const struct om_search_answer *answer);

#endif
