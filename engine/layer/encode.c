// encode.c - columns into the order and the narrowest form of the file.
#include <math.h>
#include <stdio.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/layer/build_internal.h"

/* Rows that one thread takes at a time: a multiple of OM_BLOCK_ROWS and 64. */
#define STRETCH_ROWS (64u * OM_BLOCK_ROWS)
/* A dictionary pays while texts repeat this often on average. */
#define REPEATS 8

struct permute_job {
    const struct om__gather *g;
    const struct om__order *order;
    const int64_t *integer;
    int64_t *integer_out;
    double *real_out;
    uint64_t *valid_out;
    _Atomic size_t nulls;
};

static om_status permute_stretch(void *ctx, size_t first, size_t end,
                                 size_t lane)
{
    (void)lane;
    struct permute_job *job = ctx;
    const uint32_t *row = job->order->row;
    if (job->integer_out)
        for (size_t i = first; i < end; i++)
            job->integer_out[i] = job->integer[row[i]];
    if (job->real_out)
        for (size_t i = first; i < end; i++)
            job->real_out[i] = job->g->real[row[i]];
    if (!job->valid_out) return OM_OK;
    size_t nulls = 0;
    for (size_t i = first; i < end; i++) {
        if (om_bit(job->g->valid, row[i]))
            om_bit_set(job->valid_out, i);
        else
            nulls++;
    }
    job->nulls += nulls;
    return OM_OK;
}

/* Validity in the order of the file; *out NULL if all rows have a value. */
static om_status permute(struct permute_job *job, uint64_t **valid,
                         size_t *nulls)
{
    *valid = NULL;
    *nulls = 0;
    const size_t rows = job->order->rows;
    if (job->g->valid) {
        job->valid_out = om_calloc(rows / 64 + 1, sizeof *job->valid_out);
        if (!job->valid_out) return OM_E_MEMORY;
    }
    const om_status st = om_parallel(rows, STRETCH_ROWS, permute_stretch, job);
    *nulls = job->nulls;
    if (st || *nulls == 0)
        om_free(job->valid_out);
    else
        *valid = job->valid_out;
    return st;
}

struct numbers_job {
    const struct om__numbers *numbers;
    int64_t *min, *max;
    unsigned width;
    int64_t base;
};

static bool is_valid(const struct om__numbers *n, size_t i)
{
    return !n->valid || om_bit(n->valid, i);
}

static om_status bound_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct numbers_job *job = ctx;
    const int64_t *value = job->numbers->value;
    for (size_t from = first; from < end; from += OM_BLOCK_ROWS) {
        const size_t to =
            from + OM_BLOCK_ROWS < end ? from + OM_BLOCK_ROWS : end;
        int64_t min = INT64_MAX, max = INT64_MIN;
        for (size_t i = from; i < to; i++) {
            if (!is_valid(job->numbers, i)) continue;
            if (value[i] < min) min = value[i];
            if (value[i] > max) max = value[i];
        }
        job->min[from / OM_BLOCK_ROWS] = min;
        job->max[from / OM_BLOCK_ROWS] = max;
    }
    return OM_OK;
}

static om_status fill_numbers(void *ctx, size_t from, size_t to, void *out)
{
    const struct numbers_job *job = ctx;
    const int64_t *value = job->numbers->value + from / job->width;
    const size_t first = from / job->width, count = (to - from) / job->width;
    const uint64_t base = (uint64_t)job->base;
    for (size_t i = 0; i < count; i++) {
        uint64_t stored = (uint64_t)value[i] - base;
        if (!is_valid(job->numbers, first + i)) stored = 0;
        switch (job->width) {
            case 1:
                ((uint8_t *)out)[i] = (uint8_t)stored;
                break;
            case 2:
                ((uint16_t *)out)[i] = (uint16_t)stored;
                break;
            case 4:
                ((uint32_t *)out)[i] = (uint32_t)stored;
                break;
            default:
                ((uint64_t *)out)[i] = stored;
        }
    }
    return OM_OK;
}

static void choose_width(struct numbers_job *job, size_t blocks,
                         const struct om__meta_column *meta)
{
    int64_t min = INT64_MAX, max = INT64_MIN;
    for (size_t b = 0; b < blocks; b++) {
        if (job->min[b] < min) min = job->min[b];
        if (job->max[b] > max) max = job->max[b];
    }
    job->width = 1;
    job->base = 0;
    if (meta->coding == OM_CODING_DICTIONARY) {
        job->width = om__width_for(meta->words ? meta->words - 1 : 0);
    } else if (min <= max && meta->type != OM_TYPE_BOOLEAN) {
        job->width = om__width_for((uint64_t)max - (uint64_t)min);
        if (job->width < 8) job->base = min;
    }
}

static om_status write_sums(const struct om__numbers *numbers, size_t number,
                            struct om__writer *writer, struct om_err *err)
{
    const size_t count = numbers->rows / OM_SUM_ROWS + 2;
    uint64_t *sum = om_alloc_array(count, sizeof *sum);
    if (!sum) return OM_E_MEMORY;
    // Unsigned, so that sums beyond 64 bits wrap instead of being undefined:
    // differences of them are right as long as they fit themselves.
    uint64_t total = 0;
    for (size_t i = 0; i < numbers->rows; i++) {
        if (i % OM_SUM_ROWS == 0) sum[i / OM_SUM_ROWS] = total;
        if (is_valid(numbers, i)) total += (uint64_t)numbers->value[i];
    }
    if (numbers->rows % OM_SUM_ROWS == 0) sum[count - 2] = total;
    sum[count - 1] = total;
    const om_status st = om__writer_bytes(writer, OM__SECTION_SUM, number, sum,
                                          count * sizeof *sum, err);
    om_free(sum);
    return st;
}

static om_status write_valid(const uint64_t *valid, size_t rows, size_t number,
                             struct om__writer *writer, struct om_err *err)
{
    if (!valid) return OM_OK;
    return om__writer_bytes(writer, OM__SECTION_VALID, number, valid,
                            (rows + 63) / 64 * sizeof *valid, err);
}

om_status om__numbers_write(const struct om__numbers *numbers, size_t number,
                            struct om__writer *writer,
                            struct om__meta_column *meta, struct om_err *err)
{
    const size_t rows = numbers->rows;
    const size_t blocks = (rows + OM_BLOCK_ROWS - 1) / OM_BLOCK_ROWS;
    struct numbers_job job = {.numbers = numbers};
    om_status st = OM_E_MEMORY;
    job.min = om_alloc_array(blocks, sizeof *job.min);
    job.max = om_alloc_array(blocks, sizeof *job.max);
    if (!job.min || !job.max) goto done;
    st = om_parallel(rows, STRETCH_ROWS, bound_stretch, &job);
    if (st) goto done;
    choose_width(&job, blocks, meta);
    meta->width = job.width;
    meta->base = job.base;
    meta->nulls = numbers->nulls;
    st = om__writer_section(writer, OM__SECTION_DATA, number, rows * job.width,
                            fill_numbers, &job, err);
    if (!st) st = write_valid(numbers->valid, rows, number, writer, err);
    if (!st)
        st = om__writer_bytes(writer, OM__SECTION_BLOCK_MIN, number, job.min,
                              blocks * sizeof *job.min, err);
    if (!st)
        st = om__writer_bytes(writer, OM__SECTION_BLOCK_MAX, number, job.max,
                              blocks * sizeof *job.max, err);
    if (!st && meta->coding == OM_CODING_INTEGER && meta->type != OM_TYPE_TIME)
        st = write_sums(numbers, number, writer, err);
done:
    om_free(job.min);
    om_free(job.max);
    return st;
}

struct reals {
    const double *value;
    const uint64_t *valid;
    size_t rows;
};

/* Least and greatest of each block of rows. */
static void bound_reals(const struct reals *reals, double *min, double *max)
{
    for (size_t i = 0; i < reals->rows; i++) {
        const size_t b = i / OM_BLOCK_ROWS;
        if (i % OM_BLOCK_ROWS == 0) {
            min[b] = (double)INFINITY;
            max[b] = -(double)INFINITY;
        }
        if (reals->valid && !om_bit(reals->valid, i)) continue;
        if (reals->value[i] < min[b]) min[b] = reals->value[i];
        if (reals->value[i] > max[b]) max[b] = reals->value[i];
    }
}

static om_status write_reals(const struct reals *reals, size_t number,
                             struct om__writer *writer, struct om_err *err)
{
    const size_t blocks = (reals->rows + OM_BLOCK_ROWS - 1) / OM_BLOCK_ROWS;
    om_status st = OM_E_MEMORY;
    double *min = om_alloc_array(blocks, sizeof *min);
    double *max = om_alloc_array(blocks, sizeof *max);
    if (!min || !max) goto done;
    bound_reals(reals, min, max);
    st = om__writer_bytes(writer, OM__SECTION_DATA, number, reals->value,
                          reals->rows * sizeof *reals->value, err);
    if (!st) st = write_valid(reals->valid, reals->rows, number, writer, err);
    if (!st)
        st = om__writer_bytes(writer, OM__SECTION_BLOCK_MIN, number, min,
                              blocks * sizeof *min, err);
    if (!st)
        st = om__writer_bytes(writer, OM__SECTION_BLOCK_MAX, number, max,
                              blocks * sizeof *max, err);
done:
    om_free(min);
    om_free(max);
    return st;
}

static om_status write_real_column(struct om__gather *g, size_t number,
                                   const struct om__order *order,
                                   struct om__writer *writer,
                                   struct om__meta_column *meta,
                                   struct om_err *err)
{
    uint64_t *valid = NULL;
    size_t nulls;
    struct permute_job job = {.g = g, .order = order};
    om_status st = OM_E_MEMORY;
    job.real_out = om_alloc_array(order->rows, sizeof *job.real_out);
    if (!job.real_out) goto done;
    st = permute(&job, &valid, &nulls);
    if (st) goto done;
    om__gather_free(g);
    meta->coding = OM_CODING_REAL;
    meta->width = sizeof(double);
    meta->nulls = nulls;
    const struct reals reals = {job.real_out, valid, order->rows};
    st = write_reals(&reals, number, writer, err);
done:
    om_free(job.real_out);
    om_free(valid);
    return st;
}

/* Gathered numbers, given over, into the file. */
static om_status write_integers(struct om__gather *g, int64_t *value,
                                size_t number, const struct om__order *order,
                                struct om__writer *writer,
                                struct om__meta_column *meta,
                                struct om_err *err)
{
    struct om__numbers numbers = {.rows = order->rows};
    struct permute_job job = {.g = g, .order = order, .integer = value};
    om_status st = OM_E_MEMORY;
    numbers.value = om_alloc_array(order->rows, sizeof *numbers.value);
    if (!numbers.value) goto done;
    job.integer_out = numbers.value;
    st = permute(&job, &numbers.valid, &numbers.nulls);
    om_free(value);
    value = NULL;
    om__gather_free(g);
    if (!st) st = om__numbers_write(&numbers, number, writer, meta, err);
done:
    om_free(value);
    om_free(numbers.value);
    om_free(numbers.valid);
    return st;
}

static om_status write_words(const struct om__words *words, size_t number,
                             struct om__writer *writer, struct om_err *err)
{
    OM_TRY(om__writer_bytes(writer, OM__SECTION_WORD_OFFSET, number,
                            words->offset,
                            (words->count + 1) * sizeof *words->offset, err));
    return om__writer_bytes(writer, OM__SECTION_WORD_BYTES, number,
                            words->bytes, words->offset[words->count], err);
}

/* Compressed blocks, and which rows have a text at all. */
static om_status write_text_blocks(struct om__gather *g, size_t number,
                                   const struct om__order *order,
                                   struct om__writer *writer,
                                   struct om__meta_column *meta,
                                   struct om_err *err)
{
    uint64_t *valid = NULL;
    size_t nulls;
    struct permute_job job = {.g = g, .order = order};
    om_status st = permute(&job, &valid, &nulls);
    if (st) goto done;
    meta->coding = OM_CODING_BLOCKS;
    meta->nulls = nulls;
    st = om__blocks_write(g, number, order, writer, err);
    if (!st) st = write_valid(valid, order->rows, number, writer, err);
done:
    om_free(valid);
    return st;
}

static om_status write_text_column(struct om__gather *g, bool is_id,
                                   size_t number, const struct om__order *order,
                                   struct om__writer *writer,
                                   struct om__meta_column *meta,
                                   struct om_err *err)
{
    const bool category = g->field.type == OM_TYPE_CATEGORY;
    struct om__words words = {0};
    bool done = false;
    om_status st = OM_E_MEMORY;
    int64_t *value = om_calloc(order->gathered, sizeof *value);
    if (!value) goto done;
    st = OM_OK;
    if (!category) st = om__texts_number(g, order, value, meta, &done);
    if (st) goto done;
    if (!done && !is_id) {
        const size_t most = category ? UINT32_MAX - 1 : order->rows / REPEATS;
        st = om__texts_word(g, order, most, value, &words, &done);
        if (st) goto done;
        meta->coding = OM_CODING_DICTIONARY;
        meta->words = words.count;
    }
    if (done) {
        st = write_integers(g, value, number, order, writer, meta, err);
        value = NULL;
        if (!st && words.offset) st = write_words(&words, number, writer, err);
    } else {
        om_free(value);
        value = NULL;
        meta->words = 0;
        st = category ? OM_E_LIMIT
                      : write_text_blocks(g, number, order, writer, meta, err);
    }
done:
    om_free(value);
    om__words_deinit(&words);
    return st;
}

om_status om__column_write(struct om__gather *g, bool is_id, size_t number,
                           const struct om__order *order,
                           struct om__writer *writer,
                           struct om__meta_column *meta, struct om_err *err)
{
    snprintf(meta->name, sizeof meta->name, "%s", g->field.name);
    meta->type = (uint32_t)g->field.type;
    if (g->field.type == OM_TYPE_REAL)
        return write_real_column(g, number, order, writer, meta, err);
    if (g->field.type == OM_TYPE_TEXT || g->field.type == OM_TYPE_CATEGORY)
        return write_text_column(g, is_id, number, order, writer, meta, err);
    meta->coding = OM_CODING_INTEGER;
    int64_t *value = g->integer;
    g->integer = NULL;
    return write_integers(g, value, number, order, writer, meta, err);
}
