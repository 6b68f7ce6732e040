/* prepare.c - a selection's or a weight's mass in cells, made once.
 *
 * DESIGN
 * Made for each part by itself and of all that filter and window take of it,
 * whether it lives or not: segments never change, so neither does this. What
 * died is taken out of the cells that hold it as they are read (gather.c).
 *
 * Unfiltered counts are in the file. For a filter or weights the same cells are
 * made once, all cores, and kept: after that a filtered tile costs what an
 * unfiltered one does. One pass over the rows makes all levels: a cell of the
 * finest is added to the one above it when it is done, exactly (sums.c).
 * Stretches of the pass end where cells of the coarsest level do. Levels finer
 * than the last are read row by row when a window needs them, which is when it
 * holds few.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/field/field_internal.h"

const unsigned om__field_level[OM_FIELD_LEVELS] = {14, 16, 18, 20};
#define FINEST (OM_FIELD_LEVELS - 1)
#define FINEST_SHIFT (64 - 2 * 20)
#define COARSEST_SHIFT (64 - 2 * 14)

/* Rows of one stretch of the parallel loops. */
#define STRETCH 65536
/* Selections of less than one row in this many are gone through row by row. */
#define SPARSE 12

/* Cells as they are made: separate arrays in one block. */
struct cells {
    uint64_t *code;
    float *weight;
    uint16_t *mean_x, *mean_y;
};

static om_status cells_new(size_t n, struct cells *out, void **block)
{
    size_t bytes;
    if (!om_mul_size(n ? n : 1, 16, &bytes)) return OM_E_MEMORY;
    char *at = *block = om_alloc(bytes);
    if (!at) return OM_E_MEMORY;
    if (!n) n = 1;
    *out = (struct cells){
        .code = (uint64_t *)(void *)at,
        .weight = (float *)(void *)(at + 8 * n),
        .mean_x = (uint16_t *)(void *)(at + 12 * n),
        .mean_y = (uint16_t *)(void *)(at + 14 * n),
    };
    return OM_OK;
}

/* Rows [from, to) of a stretch, and what they came to. It writes cells from
 * begin[level] of its own on, marks from `mark` on. */
struct stretch {
    size_t from, to;
    size_t begin[OM_FIELD_LEVELS], count[OM_FIELD_LEVELS];
    size_t mark, marks;
    struct om__sum sum;
};

struct job {
    const struct om_field_spec *spec;
    struct om__adder adder;
    size_t rows;
    const uint64_t *key;
    bool plain;  // no cells, only the ledger
    bool dense;  // rows count 1, and many are taken: spots are gone through
    struct om_cells stored[OM_FIELD_LEVELS];  // level 0: the file has not
    double unit;
    struct cells cells[OM_FIELD_LEVELS];
    size_t stretches;
    struct stretch *stretch;
    struct om__mark *mark;
};

/* Moved to where a coarsest cell begins, so that no two stretches share one. */
static size_t cell_begin(const struct job *job, size_t row)
{
    if (row == 0 || row >= job->rows) return row < job->rows ? row : job->rows;
    const uint64_t before = job->key[row - 1] >> COARSEST_SHIFT;
    size_t high = job->rows;
    while (row < high) {
        const size_t middle = row + (high - row) / 2;
        if (job->key[middle] >> COARSEST_SHIFT <= before)
            row = middle + 1;
        else
            high = middle;
    }
    return row;
}

static size_t first_start(const struct om_cells *c, size_t row)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (c->start[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The cells that begin in a stretch, where the file has them. */
static bool stored_counts(const struct job *job, struct stretch *s)
{
    for (size_t l = 0; l < OM_FIELD_LEVELS; l++) {
        const struct om_cells *c = &job->stored[l];
        if (!c->level) return false;
        s->count[l] = first_start(c, s->to) - first_start(c, s->from);
    }
    return true;
}

/* How many cells of each level begin in a stretch: room for what it makes. */
static om_status count_cells(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct job *job = ctx;
    struct stretch *s = &job->stretch[first / STRETCH];
    s->from = cell_begin(job, first);
    s->to = cell_begin(job, end);
    if (job->plain || stored_counts(job, s)) return OM_OK;
    memset(s->count, 0, sizeof s->count);
    for (size_t row = s->from; row < s->to; row++) {
        const uint64_t differ =
            row == s->from ? UINT64_MAX : job->key[row] ^ job->key[row - 1];
        if (differ >> FINEST_SHIFT == 0) continue;
        for (size_t l = 0; l < OM_FIELD_LEVELS; l++)
            s->count[l] += differ >> (64 - 2 * om__field_level[l]) != 0;
    }
    return OM_OK;
}

/* A cell of each level being added up, and where it goes. */
struct making {
    struct job *job;
    struct stretch *stretch;
    uint64_t code[OM_FIELD_LEVELS];
    struct om__sum sum[OM_FIELD_LEVELS];
    size_t at[OM_FIELD_LEVELS];
};

static void write_cell(struct making *m, size_t level)
{
    const struct om__sum *s = &m->sum[level];
    const struct cells *c = &m->job->cells[level];
    if (s->size && !m->job->plain) {
        const unsigned of = om__field_level[level];
        const uint64_t code = m->code[level];
        const size_t at = m->at[level]++;
        c->code[at] = code;
        c->weight[at] = (float)om__sum_weight(s, m->job->unit);
        c->mean_x[at] = om__sum_mean(s->x, s->size,
                                     om_morton_squeeze(code) << (32 - of), of);
        c->mean_y[at] = om__sum_mean(
            s->y, s->size, om_morton_squeeze(code >> 1) << (32 - of), of);
    }
    m->sum[level] = (struct om__sum){0};
}

/* The finest cell ends, and those above it that `next` is not in; last: all. */
static void end_cell(struct making *m, uint64_t next, bool last)
{
    om__sum_merge(&m->stretch->sum, &m->sum[FINEST]);
    for (size_t l = FINEST + 1; l-- > 0;) {
        if (l > 0) om__sum_merge(&m->sum[l - 1], &m->sum[l]);
        write_cell(m, l);
        if (l > 0 && !last && m->code[l] >> 4 == next >> 4) {
            m->code[l] = next;
            return;
        }
        m->code[l] = next;
        next >>= 4;
    }
}

static void add_mark(struct making *m, size_t row)
{
    struct stretch *s = m->stretch;
    m->job->mark[s->mark + s->marks++] =
        (struct om__mark){.row = row, .before = s->sum};
}

/* Rows on one spot, which come one after the other. */
struct stack {
    uint64_t key;
    om__uwide weight, size;
};

static void end_stack(struct making *m, struct stack *stack)
{
    const struct om_pos pos = om_morton_pos(stack->key);
    struct om__sum *s = &m->sum[FINEST];
    s->weight += stack->weight;
    s->size += stack->size;
    s->x += stack->size * pos.x;
    s->y += stack->size * pos.y;
    *stack = (struct stack){0};
}

/* The next row from `row` on that is taken, or `to`. */
static size_t next_taken(const struct om_bitmap *bitmap, size_t row, size_t to)
{
    while (bitmap && row < to) {
        const uint64_t word = bitmap->word[row / 64] >> (row % 64);
        if (word) {
            row += (size_t)__builtin_ctzll(word);
            break;
        }
        row = (row / 64 + 1) * 64;
    }
    return row < to ? row : to;
}

/* Another spot begins: maybe another cell, and maybe it is time for a mark. */
static void begin_spot(struct making *m, struct stack *stack, size_t row,
                       size_t *marked)
{
    const uint64_t key = m->job->key[row], code = key >> FINEST_SHIFT;
    end_stack(m, stack);
    stack->key = key;
    if (code == m->code[FINEST]) return;
    end_cell(m, code, false);
    if (row - *marked < OM_FIELD_MARK_ROWS) return;
    add_mark(m, row);
    *marked = row;
}

/* Set bits among [from, to), from < to: rows of a spot, mostly in a word. */
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

/* All spots of a stretch, each counted. */
static void count_spots(struct making *m, const struct om_bitmap *bitmap,
                        struct stack *stack, size_t *marked)
{
    const uint64_t *key = m->job->key;
    const struct stretch *s = m->stretch;
    for (size_t row = s->from, end; row < s->to; row = end) {
        for (end = row + 1; end < s->to && key[end] == key[row];) end++;
        const size_t n =
            bitmap ? count_bits(bitmap->word, row, end) : end - row;
        if (!n) continue;
        if (key[row] != stack->key) begin_spot(m, stack, row, marked);
        stack->weight = stack->size = n;
    }
}

/* Rows that are taken, one by one. */
static void weigh_rows(struct making *m, const struct om_bitmap *bitmap,
                       struct om__adder *adder, struct stack *stack,
                       size_t *marked)
{
    const struct stretch *s = m->stretch;
    for (size_t row = next_taken(bitmap, s->from, s->to); row < s->to;
         row = next_taken(bitmap, row + 1, s->to)) {
        if (m->job->key[row] != stack->key) begin_spot(m, stack, row, marked);
        const om__wide q = om__adder_quanta(adder, row);
        stack->weight += (om__uwide)q;
        stack->size += (om__uwide)(q < 0 ? -q : q);
    }
}

static const struct om_bitmap *base_bitmap(const struct job *job)
{
    const struct om_selection *s = job->spec->selection;
    const size_t part = job->adder.part;
    if (s->all || s->living) return NULL;
    return s->base ? s->base[part].bitmap : &s->part[part];
}

static om_status add_rows(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)end;
    (void)lane;
    struct job *job = ctx;
    struct stretch *s = &job->stretch[first / STRETCH];
    const struct om_bitmap *bitmap = base_bitmap(job);
    struct om__adder adder = job->adder;
    struct making m = {.job = job, .stretch = s};
    struct stack stack = {0};
    size_t marked = s->from;
    adder.weigher = om__weigher_share(&job->adder.weigher);
    memcpy(m.at, s->begin, sizeof m.at);
    if (s->from < s->to) {
        stack.key = job->key[s->from];
        for (size_t l = 0; l < OM_FIELD_LEVELS; l++)
            m.code[l] = stack.key >> (64 - 2 * om__field_level[l]);
    }
    if (job->dense)
        count_spots(&m, bitmap, &stack, &marked);
    else
        weigh_rows(&m, bitmap, &adder, &stack, &marked);
    end_stack(&m, &stack);
    if (s->from < s->to) end_cell(&m, 0, true);
    for (size_t l = 0; l < OM_FIELD_LEVELS; l++)
        s->count[l] = m.at[l] - s->begin[l];
    const om_status st = adder.weigher.status;
    om__weigher_deinit(&adder.weigher);
    return st;
}

/* Close the gaps between the stretches. */
static struct om__masses pack(const struct job *job, size_t level)
{
    const struct cells *c = &job->cells[level];
    size_t at = 0;
    for (size_t i = 0; i < job->stretches; i++) {
        const size_t n = job->stretch[i].count[level];
        const size_t from = job->stretch[i].begin[level];
        if (n && at != from) {
            memmove(c->code + at, c->code + from, n * sizeof *c->code);
            memmove(c->weight + at, c->weight + from, n * sizeof *c->weight);
            memmove(c->mean_x + at, c->mean_x + from, n * sizeof *c->mean_x);
            memmove(c->mean_y + at, c->mean_y + from, n * sizeof *c->mean_y);
        }
        at += n;
    }
    return (struct om__masses){
        .level = om__field_level[level],
        .count = at,
        .code = c->code,
        .weight = c->weight,
        .mean_x = c->mean_x,
        .mean_y = c->mean_y,
    };
}

/* Marks of the stretches as one list, from nothing to everything. */
static om_status join_marks(const struct job *job, struct om__ledger *out)
{
    size_t n = 2;
    struct om__sum before = {0};
    for (size_t i = 0; i < job->stretches; i++) n += job->stretch[i].marks + 1;
    out->mark = om_alloc_array(n, sizeof *out->mark);
    if (!out->mark) return OM_E_MEMORY;
    for (size_t i = 0; i < job->stretches; i++) {
        const struct stretch *s = &job->stretch[i];
        if (s->from == s->to) continue;
        out->mark[out->count++] = (struct om__mark){s->from, before};
        for (size_t k = 0; k < s->marks; k++) {
            struct om__mark mark = job->mark[s->mark + k];
            om__sum_merge(&mark.before, &before);
            out->mark[out->count++] = mark;
        }
        om__sum_merge(&before, &s->sum);
    }
    out->mark[out->count++] = (struct om__mark){job->rows, before};
    return OM_OK;
}

bool om__field_is_plain(const struct om_field_spec *spec)
{
    const bool whole = spec->selection->all || spec->selection->living;
    return whole && om__weight_is_one(&spec->weight);
}

static om_status make_room(struct job *job, struct om__prepared_part *p)
{
    size_t cells[OM_FIELD_LEVELS] = {0}, marks = 0;
    for (size_t i = 0; i < job->stretches; i++) {
        struct stretch *s = &job->stretch[i];
        for (size_t l = 0; l < OM_FIELD_LEVELS; l++) {
            s->begin[l] = cells[l];
            cells[l] += s->count[l];
            s->count[l] = 0;
        }
        s->mark = marks;
        marks += (s->to - s->from) / OM_FIELD_MARK_ROWS + 1;
    }
    job->mark = om_alloc_array(marks + 1, sizeof *job->mark);
    if (!job->mark) return OM_E_MEMORY;
    for (size_t l = 0; l < OM_FIELD_LEVELS && !job->plain; l++)
        OM_TRY(cells_new(cells[l], &job->cells[l], &p->block[l]));
    return OM_OK;
}

/* The cells of the file that say how many there will be at most. */
static om_status find_stored(struct job *job)
{
    const struct om_segment *segment = job->adder.segment;
    for (size_t i = 0; i < om_segment_cell_levels(segment); i++) {
        struct om_cells c;
        OM_TRY(om_segment_cells(segment, i, &c));
        for (size_t l = 0; l < OM_FIELD_LEVELS; l++)
            if (c.level == om__field_level[l]) job->stored[l] = c;
    }
    return OM_OK;
}

static om_status prepare(struct job *job, struct om__prepared_part *p)
{
    job->rows = om_segment_rows(job->adder.segment);
    OM_TRY(om__adder_touch(&job->adder, 0, job->rows));
    job->key = job->adder.key;
    const struct om_bitmap *bitmap = base_bitmap(job);
    job->dense =
        !job->adder.weighted && (!bitmap || bitmap->count > job->rows / SPARSE);
    if (!job->plain) OM_TRY(find_stored(job));
    job->stretches = job->rows / STRETCH + 1;
    job->stretch = om_calloc(job->stretches, sizeof *job->stretch);
    if (!job->stretch) return OM_E_MEMORY;
    OM_TRY(om_parallel(job->rows, STRETCH, count_cells, job));
    OM_TRY(make_room(job, p));
    OM_TRY(om_parallel(job->rows, STRETCH, add_rows, job));
    OM_TRY(join_marks(job, &p->ledger));
    p->bytes += p->ledger.count * sizeof *p->ledger.mark;
    for (size_t l = 0; l < OM_FIELD_LEVELS && !job->plain; l++) {
        p->level[l] = pack(job, l);
        p->bytes += p->level[l].count * 16;
    }
    return OM_OK;
}

om_status om__prepared_part_new(const struct om_field_spec *spec,
                                int64_t reference_s, size_t part,
                                struct om__prepared_part **out)
{
    struct om__prepared_part *p = om_calloc(1, sizeof *p);
    if (!p) return OM_E_MEMORY;
    p->bytes = sizeof *p;
    struct job job = {.spec = spec,
                      .plain = om__field_is_plain(spec),
                      .unit = om__weight_unit(&spec->weight)};
    om_status st = om__adder_init(spec, reference_s, part, &job.adder);
    if (!st) st = prepare(&job, p);
    om__adder_deinit(&job.adder);
    om_free(job.stretch);
    om_free(job.mark);
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
    om_free(part->ledger.mark);
    om_free(part);
}
