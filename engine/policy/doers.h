// doers.h - whose doing rows are: who is counted where rows are many.
#ifndef OM_ENGINE_POLICY_DOERS_H
#define OM_ENGINE_POLICY_DOERS_H

#include "engine/query/query.h"
#include "engine/units.h"

/**
 * The column of a layer about persons that says whose doing each row is: a
 * visit is of a worker, and a hundred visits may be of one. city.json names it
 * ("person" of the layer); where it does not, it is the one of its
 * "personal_columns" that holds ids of another layer about persons.
 *
 * whole    the city with all its layers
 * returns  OM_E_DAMAGED; *out OM_NO_FIELD: each row is somebody
 * cost     a look-up for each such column and layer about persons
 */
om_status om_doers_column(const struct om_snapshot *whole,
                          const struct om_layer *layer,
                          size_t *out) OM_MUST_USE;

/* Hashes of the texts of one column of a layer, each made once. */
struct om_doer_texts {
    const struct om_layer *layer;
    size_t column;
    const struct om_column **of;  // [layer->parts], owned
    struct om_doer_memo *memo;    // owned
    struct om_text_reader reader;
};
/** owns: om_doer_texts_deinit, also after a failure */
om_status om_doer_texts_init(struct om_doer_texts *texts,
                             const struct om_layer *layer,
                             size_t column) OM_MUST_USE;
void om_doer_texts_deinit(struct om_doer_texts *texts);
/** Equal for equal texts, whatever the part. Rows without a value: 0, as of one
 *  person. cost: a look at a table */
om_status om_doer_text(struct om_doer_texts *texts, size_t part, size_t row,
                       uint64_t *out) OM_MUST_USE;

/* Everybody behind the rows of a question, each at home in one place: a row of
 * the finest unit in which most of theirs lie. Counts of persons by units of
 * all levels then add up, as counts of rows do. Zero is a valid empty one. */
struct om_doers {
    size_t count;
    struct om_doer_home {
        uint32_t part, row;
    } * home;  // owned
};
/**
 * returns  OM_E_MEMORY, OM_E_DAMAGED, what om_query_each does
 * owns     om_doers_deinit
 * cost     30 ns a row
 * test     tests/web/rights_doers.test.mjs
 */
om_status om_doers_find(const struct om_query *query,
                        struct om_doers *out) OM_MUST_USE;
void om_doers_deinit(struct om_doers *doers);
/** How many are at home in each unit; the last: in none.
 *  shapes   count [units->count + 1], added to */
om_status om_doers_by_unit(const struct om_doers *doers,
                           const struct om_layer *layer,
                           const struct om_units *units,
                           uint64_t *count) OM_MUST_USE;

/**
 * How many persons are behind the rows of each group of a question, in as many
 * groups as they have rows in. A group whose values cannot be told apart here
 * (reals, times) has one.
 *
 * shapes   count [groups->count]; of om_query_group by the column
 * returns  OM_E_MEMORY, OM_E_DAMAGED, what om_query_each does
 * cost     50 ns a row
 * test     tests/web/rights_doers.test.mjs
 */
om_status om_doers_by_column(const struct om_query *query, size_t column,
                             const struct om_groups *groups,
                             uint64_t *count) OM_MUST_USE;

#endif
