/* prepare.c - a selection's or a weight's mass in cells, made once.
 *
 * DESIGN
 * Made for each part by itself and of all that filter and window take of it,
 * whether it lives or not: segments never change, so neither does this. What
 * died is taken out of the cells that hold it as they are read (gather.c).
 *
 * Unfiltered counts are in the file. For a filter the same cells are made
 * once, all cores, and kept: after that a filtered tile costs what an
 * unfiltered one does. Where the filter takes many rows, a stored cell's
 * count is a difference of two ranks and its mean position is taken over,
 * unless only a few of its rows were taken: then these are looked at. Where
 * it takes few rows, or rows have weights, the rows themselves are added up.
 * Coarser cells are sums of finer ones; finer levels than the last are read
 * row by row when a window needs them, which is when it holds few.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/clones.h"
#include "data/base/thread.h"
#include "data/model/batch.h"
#include "engine/field/field_internal.h"

const unsigned om__field_level[OM_FIELD_LEVELS] = {14, 16, 18, 20};
#define FINEST (OM_FIELD_LEVELS - 1)
#define FINEST_LEVEL 20
#define FINEST_SHIFT (64 - 2 * FINEST_LEVEL)

/* Rows or cells of one stretch of the parallel loops. */
#define STRETCH 65536
/* Selections of less than one row in this many are added up row by row. */
#define SPARSE 12
/* A cell of which at most this many rows are taken gets their own mean. Rows
 * of a cell mostly stand on one spot, and among the many rows of a selection
 * that is not sparse a few that are off by part of a cell do not show. */
#define FEW 1

/* Cells as they are made: separate arrays in one block. */
struct cells {
    void *block;
    uint64_t *code;
    float *weight;
    uint16_t *mean_x, *mean_y;
};

static om_status cells_new(size_t n, struct cells *out)
{
    size_t bytes;
    if (!om_mul_size(n ? n : 1, 16, &bytes)) return OM_E_MEMORY;
    char *block = om_alloc(bytes);
    if (!block) return OM_E_MEMORY;
    if (!n) n = 1;
    *out = (struct cells){
        .block = block,
        .code = (uint64_t *)(void *)block,
        .weight = (float *)(void *)(block + 8 * n),
        .mean_x = (uint16_t *)(void *)(block + 12 * n),
        .mean_y = (uint16_t *)(void *)(block + 14 * n),
    };
    return OM_OK;
}

/* One cell being added up. Positions weigh by the weight's size, so that
 * negative weights cannot push the mean out of the cell. */
struct sum {
    uint64_t code;
    double weight, size, x, y;
};

static void sum_add(struct sum *s, double weight, double x, double y)
{
    const double size = fabs(weight);
    s->weight += weight;
    s->size += size;
    s->x += size * x;
    s->y += size * y;
}

static uint16_t mean_of(double sum, double size)
{
    const double at = size > 0.0 ? sum / size * 65536.0 : 32768.0;
    return at >= 65535.0 ? 65535 : (uint16_t)at;
}

static size_t sum_emit(const struct sum *s, const struct cells *c, size_t at)
{
    if (!(s->size > 0.0)) return at;
    c->code[at] = s->code;
    c->weight[at] = (float)s->weight;
    c->mean_x[at] = mean_of(s->x, s->size);
    c->mean_y[at] = mean_of(s->y, s->size);
    return at + 1;
}

/* What the parallel loops of one part share. A stretch writes from `begin`
 * of its own on; the gaps are closed afterwards. */
struct job {
    const struct om_field_spec *spec;
    int64_t reference_s;
    size_t part;
    const struct om_segment *segment;
    size_t rows;
    const uint64_t *key;
    const struct om_bitmap *bitmap;  // rows taken, the dead too; NULL: all
    bool weighted;
    struct om__weigher weigher;
    struct om_cells stored;
    bool by_rank;
    struct cells cells;
    const struct om__masses *fine;  // being made coarser
    size_t stretches;
    size_t *begin, *count;  // [stretches]
    double *sum, *size;     // [stretches] of the weights
};

/* Rows on one spot, which come one after the other. */
struct stack {
    uint64_t key;
    double weight, size;
};

static void add_stack(struct sum *s, const struct stack *stack)
{
    const uint64_t low = stack->key << (2 * FINEST_LEVEL);
    const double unit = 1.0 / 4294967296.0;
    const double half = 0.5 / (1u << (32 - FINEST_LEVEL));  // of a position
    s->weight += stack->weight;
    s->size += stack->size;
    s->x += stack->size * (om_morton_squeeze(low) * unit + half);
    s->y += stack->size * (om_morton_squeeze(low >> 1) * unit + half);
}

/* Moved to where a cell begins, so that no two stretches share one. */
static size_t cell_begin(const struct job *job, size_t row)
{
    while (row > 0 && row < job->rows &&
           job->key[row] >> FINEST_SHIFT == job->key[row - 1] >> FINEST_SHIFT)
        row++;
    return row;
}

static size_t selected_before(const struct job *job, size_t row)
{
    const struct om_bitmap *b = job->bitmap;
    return b ? om_bitmap_count(b, 0, row) : row;
}

static void end_stretch(struct job *job, size_t i, size_t at)
{
    job->count[i] = at - job->begin[i];
    for (size_t k = job->begin[i]; k < at; k++) {
        job->sum[i] += (double)job->cells.weight[k];
        job->size[i] += fabs((double)job->cells.weight[k]);
    }
}

/* Add a stack to its cell, after writing the cell before if that is another. */
static size_t end_stack(const struct job *job, struct sum *s,
                        const struct stack *stack, size_t at)
{
    const uint64_t code = stack->key >> FINEST_SHIFT;
    if (code != s->code) {
        at = sum_emit(s, &job->cells, at);
        *s = (struct sum){.code = code};
    }
    add_stack(s, stack);
    return at;
}

static om_status add_rows(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct job *job = ctx;
    const size_t i = first / STRETCH;
    const size_t from = cell_begin(job, first), to = cell_begin(job, end);
    size_t at = job->begin[i] = selected_before(job, from);
    struct sum s = {0};
    struct stack stack = {0};
    double sum = 0.0, size = 0.0;
    struct om__weigher weigher = om__weigher_share(&job->weigher);
    for (size_t row = from; row < to; row++) {
        if (job->bitmap) {
            // Skip to the next selected row.
            const uint64_t word = job->bitmap->word[row / 64] >> (row % 64);
            if (!word) {
                row |= 63;
                continue;
            }
            row += (size_t)__builtin_ctzll(word);
            if (row >= to) break;
        }
        if (job->key[row] != stack.key) {
            at = end_stack(job, &s, &stack, at);
            stack = (struct stack){.key = job->key[row]};
        }
        const double weight = job->weighted ? om__weigh(&weigher, row) : 1.0;
        stack.weight += weight;
        stack.size += fabs(weight);
        sum += weight;
        size += fabs(weight);
    }
    at = end_stack(job, &s, &stack, at);
    end_stretch(job, i, sum_emit(&s, &job->cells, at));
    // Of rows: in a cell they may cancel, and its weight is a float.
    job->sum[i] = sum;
    job->size[i] = size;
    const om_status st = weigher.status;
    om__weigher_deinit(&weigher);
    return st;
}

/* Set bits among [from, to), from < to: a cell's rows, mostly in a word. */
static inline size_t count_bits(const uint64_t *word, size_t from, size_t to)
{
    const size_t first = from / 64, last = (to - 1) / 64;
    const uint64_t low = UINT64_MAX << (from % 64);
    const uint64_t high = UINT64_MAX >> (63 - (to - 1) % 64);
    if (first == last)
        return (size_t)__builtin_popcountll(word[first] & low & high);
    size_t n = (size_t)__builtin_popcountll(word[first] & low);
    for (size_t i = first + 1; i < last; i++)
        n += (size_t)__builtin_popcountll(word[i]);
    return n + (size_t)__builtin_popcountll(word[last] & high);
}

/* A cell of which few rows are taken: their own mean. */
static size_t few_of_cell(const struct job *job, size_t cell, size_t n,
                          size_t at)
{
    struct sum s = {.code = job->stored.code[cell]};
    for (size_t row = job->stored.start[cell]; n; row++)
        if (om_bit(job->bitmap->word, row)) {
            add_stack(&s, &(struct stack){job->key[row], 1.0, 1.0});
            n--;
        }
    return sum_emit(&s, &job->cells, at);
}

OM_CLONES
static size_t count_stretch(const struct job *job, const uint64_t *word,
                            size_t first, size_t end)
{
    const struct om_cells *from = &job->stored;
    const struct cells *to = &job->cells;
    size_t at = first;
    for (size_t cell = first; cell < end; cell++) {
        const size_t rows = from->start[cell + 1] - from->start[cell];
        const size_t n =
            count_bits(word, from->start[cell], from->start[cell + 1]);
        if (n == 0) continue;
        if (n <= FEW && n < rows) {
            at = few_of_cell(job, cell, n, at);
            continue;
        }
        to->code[at] = from->code[cell];
        to->weight[at] = (float)n;
        to->mean_x[at] = from->mean_x[cell];
        to->mean_y[at] = from->mean_y[cell];
        at++;
    }
    return at;
}

static om_status count_cells(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct job *job = ctx;
    const size_t i = first / STRETCH;
    job->begin[i] = first;
    end_stretch(job, i, count_stretch(job, job->bitmap->word, first, end));
    return OM_OK;
}

/* Close the gaps between the stretches. What lay behind them was never
 * touched, so that it is no memory yet. */
static struct om__masses pack(const struct job *job, unsigned level)
{
    const struct cells *c = &job->cells;
    size_t at = 0;
    for (size_t i = 0; i < job->stretches; i++) {
        const size_t n = job->count[i], from = job->begin[i];
        if (n && at != from) {
            memmove(c->code + at, c->code + from, n * sizeof *c->code);
            memmove(c->weight + at, c->weight + from, n * sizeof *c->weight);
            memmove(c->mean_x + at, c->mean_x + from, n * sizeof *c->mean_x);
            memmove(c->mean_y + at, c->mean_y + from, n * sizeof *c->mean_y);
        }
        at += n;
    }
    return (struct om__masses){
        .level = level,
        .count = at,
        .code = c->code,
        .weight = c->weight,
        .mean_x = c->mean_x,
        .mean_y = c->mean_y,
    };
}

static size_t parent_begin(const struct om__masses *fine, size_t i)
{
    while (i > 0 && i < fine->count &&
           fine->code[i] >> 4 == fine->code[i - 1] >> 4)
        i++;
    return i;
}

/* Cells two levels up: each is 4 x 4 of the finer. */
static om_status add_cells(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct job *job = ctx;
    const struct om__masses *fine = job->fine;
    const size_t stretch = first / STRETCH;
    const size_t from = parent_begin(fine, first);
    const size_t to = parent_begin(fine, end);
    size_t at = job->begin[stretch] = from;
    struct sum s = {0};
    for (size_t i = from; i < to; i++) {
        if (fine->code[i] >> 4 != s.code) {
            at = sum_emit(&s, &job->cells, at);
            s = (struct sum){.code = fine->code[i] >> 4};
        }
        const uint64_t c = fine->code[i];
        const double x = (double)((c & 1) | (c >> 1 & 2));
        const double y = (double)((c >> 1 & 1) | (c >> 2 & 2));
        sum_add(&s, (double)fine->weight[i],
                (x + (fine->mean_x[i] + 0.5) / 65536.0) / 4.0,
                (y + (fine->mean_y[i] + 0.5) / 65536.0) / 4.0);
    }
    job->count[stretch] = sum_emit(&s, &job->cells, at) - from;
    return OM_OK;
}

static om_status coarsen(struct job *job, struct om__prepared_part *part,
                         size_t level)
{
    job->fine = &part->level[level + 1];
    job->stretches = job->fine->count / STRETCH + 1;
    memset(job->count, 0, job->stretches * sizeof *job->count);
    OM_TRY(cells_new(job->fine->count, &job->cells));
    part->block[level] = job->cells.block;
    OM_TRY(om_parallel(job->fine->count, STRETCH, add_cells, job));
    part->level[level] = pack(job, om__field_level[level]);
    return OM_OK;
}

/* The stored cells of the finest prepared level, if the file has them. */
static om_status find_stored(struct job *job)
{
    for (size_t i = 0; i < om_segment_cell_levels(job->segment); i++) {
        OM_TRY(om_segment_cells(job->segment, i, &job->stored));
        if (job->stored.level == FINEST_LEVEL) return OM_OK;
    }
    job->stored = (struct om_cells){0};
    return OM_OK;
}

static om_status job_init(struct job *job)
{
    const struct om_field_spec *spec = job->spec;
    job->segment = spec->layer->part[job->part].segment;
    job->rows = om_segment_rows(job->segment);
    const struct om_selection *s = spec->selection;
    if (!s->all && !s->living)
        job->bitmap =
            s->base ? s->base[job->part].bitmap : &s->part[job->part];
    OM_TRY(om_segment_keys(job->segment, 0, job->rows, &job->key));
    job->weighted = !om__weight_is_one(&spec->weight);
    if (job->weighted) {
        OM_TRY(
            om__weigher_init(spec, job->reference_s, job->part, &job->weigher));
        OM_TRY(om__weigher_touch(&job->weigher, 0, job->rows));
    }
    const size_t selected = selected_before(job, job->rows);
    if (!job->weighted && job->bitmap && selected > job->rows / SPARSE)
        OM_TRY(find_stored(job));
    job->by_rank = job->stored.level != 0;
    const size_t most = job->by_rank ? job->stored.count : selected;
    const size_t loop = job->by_rank ? job->stored.count : job->rows;
    job->stretches = loop / STRETCH + 1;
    job->begin = om_calloc(job->stretches, sizeof *job->begin);
    job->count = om_calloc(job->stretches, sizeof *job->count);
    job->sum = om_calloc(job->stretches, sizeof *job->sum);
    job->size = om_calloc(job->stretches, sizeof *job->size);
    if (!job->begin || !job->count || !job->sum || !job->size)
        return OM_E_MEMORY;
    return cells_new(most, &job->cells);
}

static void job_deinit(struct job *job)
{
    om_free(job->begin);
    om_free(job->count);
    om_free(job->sum);
    om_free(job->size);
    om__weigher_deinit(&job->weigher);
}

static om_status prepare(struct job *job, struct om__prepared_part *p)
{
    om_status st = job_init(job);
    p->block[FINEST] = job->cells.block;
    if (st) return st;
    OM_TRY(job->by_rank
               ? om_parallel(job->stored.count, STRETCH, count_cells, job)
               : om_parallel(job->rows, STRETCH, add_rows, job));
    for (size_t i = 0; i < job->stretches; i++) {
        p->weight_sum += job->sum[i];
        p->weight_abs += job->size[i];
    }
    if (!(p->weight_abs < OM_FIELD_WEIGHT_MOST)) return OM_E_RANGE;
    p->level[FINEST] = pack(job, FINEST_LEVEL);
    for (size_t level = FINEST; level-- > 0;) OM_TRY(coarsen(job, p, level));
    for (size_t level = 0; level < OM_FIELD_LEVELS; level++)
        p->bytes += p->level[level].count * 16;
    return OM_OK;
}

om_status om__prepared_part_new(const struct om_field_spec *spec,
                                int64_t reference_s, size_t part,
                                struct om__prepared_part **out)
{
    struct om__prepared_part *p = om_calloc(1, sizeof *p);
    if (!p) return OM_E_MEMORY;
    p->bytes = sizeof *p;
    struct job job = {.spec = spec, .reference_s = reference_s, .part = part};
    const om_status st = prepare(&job, p);
    job_deinit(&job);
    if (st)
        om__prepared_part_free(p);
    else
        *out = p;
    return st;
}

void om__prepared_part_free(struct om__prepared_part *part)
{
    if (!part) return;
    for (size_t level = 0; level < OM_FIELD_LEVELS; level++)
        om_free(part->block[level]);
    om_free(part);
}

om_status om__weights_add(const struct om_field_spec *spec, int64_t reference_s,
                          size_t part, const uint32_t *row, size_t count,
                          double *sum, double *size)
{
    const struct om_segment *segment = spec->layer->part[part].segment;
    const bool weighted = !om__weight_is_one(&spec->weight);
    const size_t rows = row ? count : om_segment_rows(segment);
    struct om__weigher weigher = {0};
    om_status st = OM_OK;
    if (weighted) {
        st = om__weigher_init(spec, reference_s, part, &weigher);
        if (!st && !row) st = om__weigher_touch(&weigher, 0, rows);
    }
    for (size_t i = 0; i < rows && !st; i++) {
        const size_t at = row ? row[i] : i;
        if (!(row ? om_selection_base_has(spec->selection, part, at)
                  : om_selection_has(spec->selection, part, at)))
            continue;
        if (weighted && row) st = om__weigher_touch(&weigher, at, at + 1);
        if (st) break;
        const double weight = weighted ? om__weigh(&weigher, at) : 1.0;
        *sum += weight;
        *size += fabs(weight);
    }
    if (!st) st = weigher.status;
    om__weigher_deinit(&weigher);
    return st;
}
