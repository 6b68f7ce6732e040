// build_internal.h - rows being gathered, and how columns are coded.
#ifndef OM_ENGINE_LAYER_BUILD_INTERNAL_H
#define OM_ENGINE_LAYER_BUILD_INTERNAL_H

#include "engine/layer/build.h"
#include "engine/layer/segment_internal.h"

/* One column as gathered; arrays are indexed by gathered row. */
struct om__gather {
    struct om_field field;
    uint64_t *valid;  // NULL: every row has a value
    size_t nulls;
    int64_t *integer;
    double *real;
    uint64_t *offset;  // [rows + 1] into bytes
    char *bytes;
    size_t bytes_room;
};

/* Shapes as gathered, like struct om_shapes. */
struct om__gather_shapes {
    uint32_t *shape_part, *part_ring, *ring_vertex;
    double *x, *y;
    size_t shape_room, part_room, ring_room, x_room, y_room;
};

struct om__note {
    uint64_t source_row;
    char *id;
    char *text;
};

struct om_builder {
    struct om_schema schema;
    bool shared;
    bool strict;  // a row that cannot be taken is an error
    size_t block_bytes;  // of the file; 0: as usual
    size_t rows, room;
    uint64_t *source_row;
    uint64_t *key;  // points; shapes get theirs once they are settled
    struct om__gather *column;
    struct om__gather_shapes shapes;
    om_taken_fn *taken;  // or NULL
    void *taken_ctx;
    // After writing.
    size_t written;
    struct om__note *note;
    size_t notes, note_room;
};

static inline const char *om__gather_text(const struct om__gather *g,
                                          size_t row, size_t *len)
{
    *len = (size_t)(g->offset[row + 1] - g->offset[row]);
    return g->bytes + g->offset[row];
}
static inline bool om__gather_valid(const struct om__gather *g, size_t row)
{
    return !g->valid || om_bit(g->valid, row);
}
void om__gather_free(struct om__gather *g);

/* Why a gathered row is not written. */
enum om__gone { OM__KEPT, OM__DUPLICATE, OM__REFUSED };

/* The order in which gathered rows are written. */
struct om__order {
    size_t gathered, rows;
    uint8_t *gone;  // [gathered] enum om__gone
    uint32_t *row;  // [rows] gathered row of each row
    uint64_t *key;  // [rows]
    // Hashes of all ids, upper 40 bits, ascending, and their gathered rows.
    uint64_t *id_hash;  // [gathered]
    uint32_t *id_row;
};

/** Make the files' blocks this small, so that a test can try all their bytes.
 */
void om__builder_set_block_bytes(struct om_builder *builder, size_t bytes);

/** The rows as a file in memory. A row that cannot be taken is an error:
 *  OM_E_EXISTS (its id twice), OM_E_GEOMETRY; err->at is its number. owns:
 *  om__file_close, or om__segment_take. */
om_status om__builder_make(struct om_builder *builder, struct om__file *out,
                           struct om_err *err) OM_MUST_USE;
/** om_units_write in memory. */
om_status om__unit_columns_make(const struct om_segment *segment,
                         const struct om_unit_column *column, size_t columns,
                         struct om__file *out, struct om_err *err) OM_MUST_USE;

/** Hash and sort the ids; mark as duplicates all but the first row in the
 *  source of each id, and those that `taken` has. Rows that are gone already
 *  do not count. */
om_status om__ids_settle(const struct om__gather *id,
                         const uint64_t *source_row,
                         om_taken_fn *taken, void *taken_ctx,
                         struct om__order *order) OM_MUST_USE;
/** Write the lookup of ids; order->row is final. */
om_status om__ids_write(struct om__order *order, struct om__writer *writer,
                        struct om_err *err) OM_MUST_USE;

/**
 * Order stretches of equal keys by text. index[i] stands for the text of row
 * rep[index[i]], or of row index[i] where rep is NULL.
 */
om_status om__ties_sort(const uint64_t *key, uint32_t *index, size_t n,
                        const struct om__gather *texts,
                        const uint32_t *rep) OM_MUST_USE;
/** Is each text greater than the one before? Then ties are in order. */
om_status om__texts_rise(const struct om__gather *texts, size_t rows,
                         bool *out) OM_MUST_USE;

/** Code a column, write its sections, fill `meta`. The gathered arrays are
 *  freed on the way, so that all columns are never there twice. */
om_status om__column_write(struct om__gather *g, bool is_id, size_t number,
                           const struct om__order *order,
                           struct om__writer *writer,
                           struct om__meta_column *meta,
                           struct om_err *err) OM_MUST_USE;

/* Numbers in the order of the file, to be stored as narrow as they fit. */
struct om__numbers {
    size_t rows;
    int64_t *value;   // 0 where there is none
    uint64_t *valid;  // NULL if nulls is 0
    size_t nulls;
};
/** Write DATA, VALID, minima and maxima, sums. meta: type, coding and words
 *  are set; width, base and nulls come out. */
om_status om__numbers_write(const struct om__numbers *numbers, size_t number,
                            struct om__writer *writer,
                            struct om__meta_column *meta,
                            struct om_err *err) OM_MUST_USE;

/** Texts as prefix and number. *done false if they are not of that form;
 *  value [gathered] is then lost. */
om_status om__texts_number(const struct om__gather *g,
                           const struct om__order *order, int64_t *value,
                           struct om__meta_column *meta,
                           bool *done) OM_MUST_USE;

/* Distinct texts, sorted bytewise. Zero is empty. */
struct om__words {
    size_t count;
    uint32_t *offset;  // [count + 1]; owned
    char *bytes;       // owned
};
void om__words_deinit(struct om__words *words);
/** Texts as codes of a dictionary with at most max_words entries. *done false
 *  if there are more; value is then lost. */
om_status om__texts_word(const struct om__gather *g,
                         const struct om__order *order, size_t max_words,
                         int64_t *value, struct om__words *words,
                         bool *done) OM_MUST_USE;
/** Write compressed blocks of texts. Frees the texts. */
om_status om__blocks_write(struct om__gather *g, size_t number,
                           const struct om__order *order,
                           struct om__writer *writer,
                           struct om_err *err) OM_MUST_USE;

#endif
