/* order.c - sort keys with their rows: LSD radix sort on all cores.
 *
 * DESIGN
 * The keys are cut into one chunk a thread. Each pass counts the digits of
 * every chunk, turns the counts into places (digit by digit, chunk by chunk,
 * which keeps equal digits in order) and scatters the chunks side by side.
 * Digits are taken only where keys differ: in a city the upper third of a
 * Morton code is the same for all. Keys that are in order already, as those
 * of a layer that was exported from here are, cost one look.
 */
#include <stdatomic.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/limits.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"

/* Measured with 12 million keys of a city: 8 bits take six passes and 0.36 s of
 * processor time, 11 bits fewer passes and 0.43 s. */
#define DIGIT_BITS 8
#define DIGITS (1u << DIGIT_BITS)
/* Below this many rows starting threads costs more than they save. */
#define ROWS_A_THREAD 65536

struct sort_job {
    const uint64_t *key;
    const uint32_t *row;
    uint64_t *key_out;
    uint32_t *row_out;
    size_t n, chunks;
    unsigned shift;
    uint32_t *place;        // [chunks][DIGITS] counts, then places
    uint64_t *differ;       // [chunks] bits that are not as in the first key
    atomic_bool unordered;  // some key is less than the one before
};

static size_t chunk_first(const struct sort_job *job, size_t chunk)
{
    return (size_t)((unsigned long long)job->n * chunk / job->chunks);
}

static om_status look_at_chunk(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct sort_job *job = ctx;
    for (size_t c = first; c < end; c++) {
        uint64_t differ = 0, falls = 0;
        const size_t to = chunk_first(job, c + 1);
        for (size_t i = chunk_first(job, c); i < to; i++) {
            differ |= job->key[i] ^ job->key[0];
            if (i > 0) falls |= job->key[i] < job->key[i - 1];
        }
        job->differ[c] = differ;
        if (falls) atomic_store(&job->unordered, true);
    }
    return OM_OK;
}

static om_status count_chunk(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct sort_job *job = ctx;
    for (size_t c = first; c < end; c++) {
        uint32_t *count = job->place + c * DIGITS;
        memset(count, 0, DIGITS * sizeof *count);
        const size_t to = chunk_first(job, c + 1);
        for (size_t i = chunk_first(job, c); i < to; i++)
            count[job->key[i] >> job->shift & (DIGITS - 1)]++;
    }
    return OM_OK;
}

static void counts_to_places(struct sort_job *job)
{
    uint32_t at = 0;
    for (size_t d = 0; d < DIGITS; d++) {
        for (size_t c = 0; c < job->chunks; c++) {
            const uint32_t count = job->place[c * DIGITS + d];
            job->place[c * DIGITS + d] = at;
            at += count;
        }
    }
}

static om_status scatter_chunk(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct sort_job *job = ctx;
    for (size_t c = first; c < end; c++) {
        uint32_t *place = job->place + c * DIGITS;
        const size_t to = chunk_first(job, c + 1);
        for (size_t i = chunk_first(job, c); i < to; i++) {
            const uint64_t key = job->key[i];
            const uint32_t at = place[key >> job->shift & (DIGITS - 1)]++;
            job->key_out[at] = key;
            job->row_out[at] = job->row[i];
        }
    }
    return OM_OK;
}

static om_status copy_chunk(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct sort_job *job = ctx;
    for (size_t c = first; c < end; c++) {
        const size_t from = chunk_first(job, c);
        const size_t count = chunk_first(job, c + 1) - from;
        memcpy(job->key_out + from, job->key + from, count * sizeof *job->key);
        memcpy(job->row_out + from, job->row + from, count * sizeof *job->row);
    }
    return OM_OK;
}

/* One pass over the digit at job->shift; input and output change places. */
static om_status sort_digit(struct sort_job *job)
{
    OM_TRY(om_parallel(job->chunks, 1, count_chunk, job));
    counts_to_places(job);
    OM_TRY(om_parallel(job->chunks, 1, scatter_chunk, job));
    uint64_t *key = (uint64_t *)(uintptr_t)job->key;
    uint32_t *row = (uint32_t *)(uintptr_t)job->row;
    job->key = job->key_out;
    job->row = job->row_out;
    job->key_out = key;
    job->row_out = row;
    return OM_OK;
}

om_status om_sort_keys(uint64_t *key, uint32_t *row, uint64_t *scratch_key,
                       uint32_t *scratch_row, size_t n)
{
    if (n > OM_LIMIT_SEGMENT_ROWS) return OM_E_LIMIT;
    const size_t wanted = n / ROWS_A_THREAD + 1, threads = om_threads();
    struct sort_job job = {.key = key,
                           .row = row,
                           .key_out = scratch_key,
                           .row_out = scratch_row,
                           .n = n,
                           .chunks = wanted < threads ? wanted : threads};
    uint64_t differ[OM_LIMIT_THREADS] = {0};
    job.differ = differ;
    om_status st = om_parallel(job.chunks, 1, look_at_chunk, &job);
    if (st || !atomic_load(&job.unordered)) return st;
    for (size_t c = 1; c < job.chunks; c++) differ[0] |= differ[c];

    job.place = om_alloc_array(job.chunks * DIGITS, sizeof *job.place);
    if (!job.place) return OM_E_MEMORY;
    for (unsigned shift = 0; shift < 64 && differ[0] >> shift && !st;) {
        if ((differ[0] >> shift & 1) == 0) {
            shift++;
            continue;
        }
        job.shift = shift;
        st = sort_digit(&job);
        shift += DIGIT_BITS;
    }
    if (!st && job.key != key)
        st = om_parallel(job.chunks, 1, copy_chunk, &job);
    om_free(job.place);
    return st;
}
