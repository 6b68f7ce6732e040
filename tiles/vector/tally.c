/* tally.c - counts and sums before every so many rows, for cells of many rows.
 *
 * DESIGN
 * A tile of the whole city would read every row to say what kinds it holds.
 * Rows of a cell are a run, so that the difference of two running counts says
 * it, plus the rows at both ends: after one pass over the column, a tile costs
 * the same whatever it holds, filtered or not. A tally is of what was taken
 * before rows died, so that it outlives them: cells.c takes the dead out.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/vector/vector_internal.h"

/* Seconds a row takes. */
#define ROW_S 2e-9

struct ask {
    const struct om_vector_spec *spec;
    size_t part, column;
};

/* Rows that the selection took before any died, as om__selected_in. */
static uint64_t taken_in(const struct om_selection *s, size_t part, size_t rows,
                         size_t w, size_t from, size_t to)
{
    static const struct om_selection ALL = {.all = true};
    if (s->living) return om__selected_in(&ALL, part, rows, w, from, to);
    if (s->all || !s->base) return om__selected_in(s, part, rows, w, from, to);
    uint64_t bits = s->base[part].bitmap->word[w];
    if (w * 64 < from) bits &= ~UINT64_C(0) << (from - w * 64);
    if (to < w * 64 + 64) bits &= (UINT64_C(1) << (to - w * 64)) - 1;
    return bits;
}

static void add_words(struct om__tally *t, const struct om_column *c,
                      const struct om_selection *s, size_t part, size_t rows)
{
    const size_t width = t->width;
    uint32_t *count = t->count;
    for (size_t from = 0; from < rows; from += OM__TALLY_ROWS) {
        uint32_t *next = count + width;
        for (size_t i = 0; i < width; i++) next[i] = count[i];
        const size_t to =
            from + OM__TALLY_ROWS < rows ? from + OM__TALLY_ROWS : rows;
        for (size_t w = from / 64; w * 64 < to; w++) {
            uint64_t bits = taken_in(s, part, rows, w, from, to);
            for (; bits; bits &= bits - 1) {
                const size_t row = w * 64 + (size_t)__builtin_ctzll(bits);
                const uint64_t code = om_column_valid(c, row)
                                          ? om_column_stored(c, row)
                                          : width - 1;
                next[code < width ? code : width - 1]++;
            }
        }
        count = next;
    }
}

static void add_numbers(struct om__tally *t, const struct om_column *c,
                        const struct om_selection *s, size_t part, size_t rows)
{
    uint64_t sum = 0;  // modulo 2^64, as the segment's own sums are
    size_t block = 0;
    for (size_t from = 0; from < rows; from += OM__TALLY_ROWS) {
        const size_t to =
            from + OM__TALLY_ROWS < rows ? from + OM__TALLY_ROWS : rows;
        for (size_t w = from / 64; w * 64 < to; w++) {
            uint64_t bits = taken_in(s, part, rows, w, from, to);
            for (; bits; bits &= bits - 1) {
                const size_t row = w * 64 + (size_t)__builtin_ctzll(bits);
                if (om_column_valid(c, row))
                    sum += (uint64_t)om_column_integer(c, row);
            }
        }
        t->sum[++block] = (int64_t)sum;
    }
}

static void free_tally(void *value)
{
    struct om__tally *t = value;
    om_free(t->count);
    om_free(t->sum);
    om_free(t);
}

static om_status make_tally(void *ctx, void **value, size_t *bytes)
{
    const struct ask *ask = ctx;
    const struct om_segment *segment =
        ask->spec->layer->part[ask->part].segment;
    const size_t rows = om_segment_rows(segment);
    const size_t blocks = rows / OM__TALLY_ROWS + 2;
    const struct om_column *c;
    OM_TRY(om_segment_column(segment, ask->column, 0, rows, &c));
    struct om__tally *t = om_calloc(1, sizeof *t);
    if (!t) return OM_E_MEMORY;
    const bool words = c->coding == OM_CODING_DICTIONARY;
    t->width = words ? c->words + 1 : 1;
    if (words)
        t->count = om_calloc(blocks * t->width, sizeof *t->count);
    else
        t->sum = om_calloc(blocks, sizeof *t->sum);
    if (!t->count && !t->sum) {
        free_tally(t);
        return OM_E_MEMORY;
    }
    (words ? add_words : add_numbers)(t, c, ask->spec->selection, ask->part,
                                      rows);
    *bytes = blocks * (words ? t->width * sizeof *t->count : sizeof *t->sum);
    *value = t;
    return OM_OK;
}

static const struct om__keep_kind KIND = {"tally", make_tally, free_tally};

static void make_key(struct om__layer_key *key,
                     const struct om_vector_spec *spec, size_t part,
                     size_t column)
{
    memset(key, 0, sizeof *key);
    key->serial = om_segment_serial(spec->layer->part[part].segment);
    key->number = om_selection_base_serial(spec->selection, part);
    key->other = column;
}

double om__tally_cost_s(struct om_vectors *vectors,
                        const struct om_vector_spec *spec, size_t part,
                        size_t column)
{
    struct om__layer_key key;
    make_key(&key, spec, part, column);
    if (om__keep_has(vectors, &KIND, &key, sizeof key)) return 0.0;
    return ROW_S * (double)om_segment_rows(spec->layer->part[part].segment);
}

om_status om__tally_get(struct om_vectors *vectors,
                        const struct om_vector_spec *spec, size_t part,
                        size_t column, struct om__kept *out)
{
    struct om__layer_key key;
    struct ask ask = {spec, part, column};
    make_key(&key, spec, part, column);
    return om__keep_get(vectors, &KIND, &key, sizeof key, &ask, out);
}
