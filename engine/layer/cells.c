// cells.c - non-empty cells of a level of the quadtree over sorted keys.
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"

/* Rows that one thread takes at a time; a cell belongs to the stretch in which
 * it begins. */
#define STRETCH_ROWS (1u << 17)

struct cells_job {
    const uint64_t *key;
    size_t rows;
    unsigned level;
    size_t *cells_before;  // [stretches + 1]
    uint64_t *code;
    uint32_t *start;
    uint16_t *mean_x, *mean_y;
};

static uint64_t cell_code(uint64_t key, unsigned level)
{
    return level == 0 ? 0 : key >> (64 - 2 * level);
}

/* Two keys lie in one cell if they agree in these bits. */
static uint64_t cell_mask(unsigned level)
{
    return level == 0 ? 0 : ~UINT64_C(0) << (64 - 2 * level);
}

static om_status count_cells(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct cells_job *job = ctx;
    const uint64_t mask = cell_mask(job->level);
    size_t count = first == 0;
    for (size_t i = first ? first : 1; i < end; i++)
        count += ((job->key[i] ^ job->key[i - 1]) & mask) != 0;
    job->cells_before[first / STRETCH_ROWS + 1] = count;
    return OM_OK;
}

/* Mean of `count` offsets that add up to `sum`, of the centres of their
 * positions, in 1/65536 of a side of 2^(32 - level) positions. */
uint16_t om_cells_mean(uint64_t sum, uint64_t count, unsigned level)
{
    const double mean = ((double)sum + 0.5 * (double)count) / (double)count;
    const double part = floor(ldexp(mean, (int)level + 16 - 32));
    return part > 65535.0 ? 65535 : (uint16_t)part;
}

/* Write the cell that begins at `row`; returns the row behind it. Rows of one
 * position are taken together: addresses stack. */
static size_t write_cell(const struct cells_job *job, size_t cell, size_t row)
{
    const uint64_t first = job->key[row], mask = cell_mask(job->level);
    const uint32_t inside = job->level == 32 ? 0 : UINT32_MAX >> job->level;
    uint64_t sum_x = 0, sum_y = 0;
    size_t i = row;
    while (i < job->rows && ((job->key[i] ^ first) & mask) == 0) {
        const uint64_t key = job->key[i];
        size_t end = i + 1;
        while (end < job->rows && job->key[end] == key) end++;
        const struct om_pos pos = om_morton_pos(key);
        sum_x += (end - i) * (pos.x & inside);
        sum_y += (end - i) * (pos.y & inside);
        i = end;
    }
    job->code[cell] = cell_code(first, job->level);
    job->start[cell] = (uint32_t)row;
    job->mean_x[cell] = om_cells_mean(sum_x, i - row, job->level);
    job->mean_y[cell] = om_cells_mean(sum_y, i - row, job->level);
    return i;
}

static om_status write_cells(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct cells_job *job = ctx;
    const uint64_t mask = cell_mask(job->level);
    size_t cell = job->cells_before[first / STRETCH_ROWS];
    // The rows before the first beginning belong to the stretch before.
    size_t i = first;
    while (i < end && i > 0 && ((job->key[i] ^ job->key[i - 1]) & mask) == 0)
        i++;
    while (i < end) i = write_cell(job, cell++, i);
    return OM_OK;
}

om_status om_cells_build(const uint64_t *key, size_t rows, unsigned level,
                         struct om_arena *arena, struct om_cells *out)
{
    *out = (struct om_cells){.level = level};
    if (level > 32 || rows > OM_LIMIT_SEGMENT_ROWS) return OM_E_RANGE;
    const size_t stretches = rows / STRETCH_ROWS + 1;
    struct cells_job job = {.key = key, .rows = rows, .level = level};
    om_status st = OM_E_MEMORY;
    job.cells_before = om_calloc(stretches + 1, sizeof *job.cells_before);
    if (!job.cells_before) goto done;
    st = om_parallel(rows, STRETCH_ROWS, count_cells, &job);
    if (st) goto done;
    for (size_t i = 0; i < stretches; i++)
        job.cells_before[i + 1] += job.cells_before[i];
    const size_t count = job.cells_before[stretches];

    st = OM_E_MEMORY;
    job.code = om_arena_calloc(arena, count, sizeof *job.code);
    job.start = om_arena_calloc(arena, count + 1, sizeof *job.start);
    job.mean_x = om_arena_calloc(arena, count, sizeof *job.mean_x);
    job.mean_y = om_arena_calloc(arena, count, sizeof *job.mean_y);
    if (!job.code || !job.start || !job.mean_x || !job.mean_y) goto done;
    st = om_parallel(rows, STRETCH_ROWS, write_cells, &job);
    if (st) goto done;
    job.start[count] = (uint32_t)rows;
    out->count = count;
    out->code = job.code;
    out->start = job.start;
    out->mean_x = job.mean_x;
    out->mean_y = job.mean_y;
done:
    om_free(job.cells_before);
    return st;
}
