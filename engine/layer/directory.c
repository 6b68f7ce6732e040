/* directory.c - runs of keys with a table over each.
 *
 * DESIGN
 * One table over the whole range of keys would be sized by the box: a stray
 * point at 0,0, or a city on a seam of the Morton curve (London lies on the
 * greatest), makes the range millions of times larger than the data. So the
 * keys are first cut at their largest gaps into a few runs, and each run gets
 * a table of about a quarter entry a row at whatever shift that is. A code on
 * a bucket's edge is answered by the table alone; others search one bucket.
 */
#include "engine/layer/directory_internal.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"

/* Rows a table entry: a table of a byte a row, and few keys to search. */
#define ROWS_A_BUCKET 4
/* A run of its own costs more than it saves with fewer rows a run than this
 * on average. */
#define ROWS_A_RUN 64

/* The rows before which the largest gaps lie, as a heap: smallest on top. */
struct gap {
    uint64_t size;
    size_t row;
};

static void sift_down(struct gap *heap, size_t count, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count;
             child++)
            if (heap[child].size < heap[least].size) least = child;
        if (least == i) return;
        const struct gap moved = heap[i];
        heap[i] = heap[least];
        heap[least] = moved;
        i = least;
    }
}

/* Rows that begin a run, in order; returns how many. */
static size_t find_runs(const uint64_t *key, size_t rows, size_t *start)
{
    struct gap heap[OM__RUNS - 1] = {{0, 0}};
    size_t wanted = rows / ROWS_A_RUN;
    if (wanted > OM__RUNS - 1) wanted = OM__RUNS - 1;
    for (size_t i = 1; i < rows && wanted > 0; i++) {
        const uint64_t size = key[i] - key[i - 1];
        if (size <= heap[0].size) continue;
        heap[0] = (struct gap){size, i};
        sift_down(heap, wanted, 0);
    }
    size_t count = 0;
    start[count++] = 0;
    for (size_t i = 0; i < wanted; i++) {
        if (heap[i].size == 0) continue;
        size_t at = count++;
        for (; at > 1 && start[at - 1] > heap[i].row; at--)
            start[at] = start[at - 1];
        start[at] = heap[i].row;
    }
    return count;
}

static struct om__run shape_run(const uint64_t *key, size_t row, size_t end)
{
    struct om__run run = {
        .last = key[end - 1], .row = (uint32_t)row, .row_end = (uint32_t)end};
    // At least two, which any keys fit in at the last shift.
    const uint64_t room = (end - row) / ROWS_A_BUCKET + 2;
    while ((key[end - 1] >> run.shift) - (key[row] >> run.shift) >= room)
        run.shift++;
    run.first = key[row] >> run.shift << run.shift;
    run.buckets = (uint32_t)((run.last - run.first) >> run.shift) + 1;
    return run;
}

struct table_job {
    const uint64_t *key;
    struct om__directory *out;
    const struct om__run *run;
};

/* Rows [first, end) of a run write the entries of the buckets that begin
 * between their keys and those of the row before. */
static om_status fill_table(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct table_job *job = ctx;
    const struct om__run *run = job->run;
    uint32_t *table = job->out->table + run->table;
    for (size_t i = run->row + first; i < run->row + end; i++) {
        const size_t bucket = (job->key[i] - run->first) >> run->shift;
        size_t next = 0;
        if (i > run->row)
            next = ((job->key[i - 1] - run->first) >> run->shift) + 1;
        for (; next <= bucket; next++) table[next] = (uint32_t)i;
    }
    if (end == run->row_end - run->row) table[run->buckets] = run->row_end;
    return OM_OK;
}

om_status om__directory_build(const uint64_t *key, size_t rows,
                              struct om__directory *out)
{
    *out = (struct om__directory){0};
    if (rows == 0) return OM_OK;
    size_t start[OM__RUNS + 1];
    const size_t runs = find_runs(key, rows, start);
    start[runs] = rows;
    for (size_t r = 0; r < runs; r++) {
        out->run[r] = shape_run(key, start[r], start[r + 1]);
        out->run[r].table = (uint32_t)out->entries;
        out->entries += out->run[r].buckets + 1;
    }
    out->runs = (uint32_t)runs;
    out->table = om_alloc_array(out->entries, sizeof *out->table);
    if (!out->table) return OM_E_MEMORY;
    om_status st = OM_OK;
    for (size_t r = 0; r < runs && !st; r++) {
        struct table_job job = {key, out, &out->run[r]};
        st = om_parallel(start[r + 1] - start[r], 1u << 18, fill_table, &job);
    }
    if (st) {
        om_free(out->table);
        *out = (struct om__directory){0};
    }
    return st;
}

bool om__directory_is_sound(const struct om__directory *directory, size_t rows)
{
    if (directory->runs > OM__RUNS) return false;
    size_t row = 0, entry = 0;
    for (size_t r = 0; r < directory->runs; r++) {
        const struct om__run *run = &directory->run[r];
        if (run->row != row || run->row_end <= row || run->shift > 63 ||
            run->first > run->last || run->table != entry)
            return false;
        if (r > 0 && run->last <= run[-1].last) return false;
        if ((run->last - run->first) >> run->shift !=
            run->buckets - UINT64_C(1))
            return false;
        row = run->row_end;
        entry += (size_t)run->buckets + 1;
    }
    return row == rows && entry == directory->entries;
}

const struct om__run *om__directory_run(const struct om__directory *directory,
                                        uint64_t code)
{
    size_t low = 0, high = directory->runs;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (directory->run[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < directory->runs ? &directory->run[low] : NULL;
}
