// verify_column.c - recompute the derived figures of one column.
#include <math.h>
#include <string.h>

#include "data/base/thread.h"
#include "engine/layer/verify_internal.h"

/* Whole blocks of minima and of text. */
#define STRETCH_ROWS (16u * OM_BLOCK_ROWS)

_Static_assert(OM_BLOCK_ROWS % OM_SUM_ROWS == 0 &&
                   OM_BLOCK_ROWS % OM__TEXT_ROWS == 0,
               "blocks nest");

struct column_job {
    const struct om_segment *segment;
    const struct om_column *column;
    size_t number, rows;
    _Atomic uint64_t bad, nulls;
};

/* Rows [from, to) of one block against its minimum and maximum. */
static void verify_integers(struct column_job *job, size_t from, size_t to)
{
    const struct om_column *c = job->column;
    int64_t min = INT64_MAX, max = INT64_MIN;
    uint64_t bad = 0, nulls = 0;
    for (size_t i = from; i < to; i++) {
        const int64_t value = om_column_integer(c, i);
        if (!om_column_valid(c, i)) {
            nulls++;
            bad += om_column_stored(c, i) != 0;
            continue;
        }
        if (value < min) min = value;
        if (value > max) max = value;
    }
    bad += min != c->block_min[from / OM_BLOCK_ROWS];
    bad += max != c->block_max[from / OM_BLOCK_ROWS];
    job->bad += bad;
    job->nulls += nulls;
}

static void verify_reals(struct column_job *job, size_t from, size_t to)
{
    const struct om_column *c = job->column;
    const double *value = c->data;
    double min = (double)INFINITY, max = -(double)INFINITY;
    uint64_t nulls = 0;
    for (size_t i = from; i < to; i++) {
        if (!om_column_valid(c, i)) {
            nulls++;
            continue;
        }
        if (value[i] < min) min = value[i];
        if (value[i] > max) max = value[i];
    }
    job->bad += (min < c->real_min[from / OM_BLOCK_ROWS] ||
                 min > c->real_min[from / OM_BLOCK_ROWS]) +
                (max < c->real_max[from / OM_BLOCK_ROWS] ||
                 max > c->real_max[from / OM_BLOCK_ROWS]);
    job->nulls += nulls;
}

/* Steps of the cumulative sum that begin in [from, to). */
static void verify_sums(struct column_job *job, size_t from, size_t to)
{
    const struct om_column *c = job->column;
    if (from == 0) job->bad += c->sum[0] != 0;
    for (size_t at = from; at < to; at += OM_SUM_ROWS) {
        const size_t end = at + OM_SUM_ROWS < to ? at + OM_SUM_ROWS : to;
        uint64_t step = 0;
        for (size_t i = at; i < end; i++)
            if (om_column_valid(c, i))
                step += (uint64_t)om_column_integer(c, i);
        const size_t k = at / OM_SUM_ROWS;
        job->bad += (uint64_t)c->sum[k + 1] - (uint64_t)c->sum[k] != step;
    }
}

static om_status verify_texts(struct column_job *job, size_t from, size_t to)
{
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t i = from; i < to && !st; i++) {
        const char *text;
        size_t len;
        st =
            om_segment_text(job->segment, job->number, i, &reader, &text, &len);
        job->nulls += !st && !text;
    }
    om_text_reader_deinit(&reader);
    return st;
}

static om_status column_stretch(void *ctx, size_t first, size_t end,
                                size_t lane)
{
    (void)lane;
    struct column_job *job = ctx;
    const enum om_coding coding = job->column->coding;
    if (coding == OM_CODING_BLOCKS) return verify_texts(job, first, end);
    for (size_t from = first; from < end; from += OM_BLOCK_ROWS) {
        const size_t to =
            from + OM_BLOCK_ROWS < end ? from + OM_BLOCK_ROWS : end;
        if (coding == OM_CODING_REAL)
            verify_reals(job, from, to);
        else
            verify_integers(job, from, to);
        if (job->column->sum) verify_sums(job, from, to);
    }
    return OM_OK;
}

/* The last entry of the sums is the total; where rows fill the last stretch of
 * the sums, the one before is it too. */
static uint64_t bad_total(const struct om_column *c, size_t rows)
{
    if (!c->sum) return 0;
    const size_t last = rows / OM_SUM_ROWS + 1;
    uint64_t bad = rows == 0 && c->sum[0] != 0;
    if (rows % OM_SUM_ROWS == 0) bad += c->sum[last] != c->sum[last - 1];
    return bad;
}

static uint64_t words_out_of_order(const struct om_column *c)
{
    uint64_t bad = 0;
    for (size_t w = 1; w < c->words; w++) {
        const uint32_t *o = c->word_offset + w;
        const size_t a = o[0] - o[-1], b = o[1] - o[0];
        const int order =
            memcmp(c->word_bytes + o[-1], c->word_bytes + o[0], a < b ? a : b);
        bad += order > 0 || (order == 0 && a >= b);
    }
    return bad;
}

/* Numbers that do not fit their digits: only the greatest has to be looked at.
 */
static uint64_t bad_digits(const struct om_column *c, size_t rows)
{
    int64_t limit = 1;
    for (unsigned i = 0; i < c->digits; i++) limit *= 10;
    uint64_t bad = 0;
    for (size_t b = 0; b < (rows + OM_BLOCK_ROWS - 1) / OM_BLOCK_ROWS; b++)
        bad += c->block_max[b] >= limit ||
               (c->block_min[b] <= c->block_max[b] && c->block_min[b] < 0);
    return bad;
}

om_status om__verify_column(struct om__verify *v, size_t column)
{
    const struct om_segment *s = v->segment;
    struct column_job job = {.segment = s, .number = column, .rows = s->rows};
    om_status st = om_segment_column(s, column, 0, s->rows, &job.column);
    if (!st) st = om_parallel(s->rows, STRETCH_ROWS, column_stretch, &job);
    if (!st) {
        const struct om_column *c = job.column;
        const uint64_t words = words_out_of_order(c);
        v->out->bad_order += words;
        om__verify_fault(v, words, "words out of order");
        job.bad += bad_total(c, s->rows);
        job.bad += job.nulls != c->nulls;
        if (c->coding == OM_CODING_NUMBERED) job.bad += bad_digits(c, s->rows);
        v->out->bad_sums += job.bad;
        om__verify_fault(v, job.bad, "sums, minima, maxima, counts of NULL");
    }
    return om__verify_take(v, st, "a column cannot be read");
}
