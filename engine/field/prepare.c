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
 * Rows that count 1 fit into 64 bits, and what a filter takes of a spot is
 * added at once: less than half of the time.
 * Stretches of the pass end where cells of the coarsest level do. Levels finer
 * than the last are read row by row when a window needs them, which is when it
 * holds few.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/clones.h"
#include "data/base/thread.h"
#include "engine/field/field_internal.h"

const unsigned om__field_level[OM_FIELD_LEVELS] = {14, 16, 18, 20};
#define FINEST (OM_FIELD_LEVELS - 1)
#define FINEST_SHIFT (64 - 2 * 20)
#define COARSEST_SHIFT (64 - 2 * 14)

/* Rows of one stretch of the parallel loops. */
#define STRETCH 65536
/* So few of 64 rows are gone through faster than spots are looked for. */
#define FEW 8

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
    bool plain;                               // no cells, only the ledger
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

/* ---- rows that count 1 --------------------------------------------------- */

/* How many rows, and their coordinates. 64 bits are enough: a part has less
 * than 2^32 rows, coordinates are below 2^32. */
struct tally {
    uint64_t n, x, y;
};

/* A cell of each level being counted, and where it goes. */
struct counting {
    const struct job *job;
    struct stretch *stretch;
    size_t marked;
    struct tally inside;  // of the finest cell, from its corner
    struct tally before;
    uint64_t code[OM_FIELD_LEVELS];
    struct tally cell[FINEST];  // the levels above
    size_t at[OM_FIELD_LEVELS];
};

static inline void tally_merge(struct tally *to, const struct tally *from)
{
    to->n += from->n;
    to->x += from->x;
    to->y += from->y;
}

static struct om__sum sum_of(const struct tally *t)
{
    return (struct om__sum){.weight = t->n, .size = t->n, .x = t->x, .y = t->y};
}

/* om__sum_mean, of what is inside the cell and less than 2^63. */
static inline uint16_t tally_mean(uint64_t inside, uint64_t n, unsigned level)
{
    const double mean = (double)(int64_t)inside / (double)(int64_t)n + 0.5;
    const double part =
        mean * (65536.0 / (double)(UINT64_C(1) << (32 - level)));
    return (uint16_t)(int32_t)(part < 65535.0 ? part : 65535.0);
}

/* The cell that has some of its rows at `pos`. */
static inline void write_tally(struct counting *c, size_t level,
                               const struct tally *t, struct om_pos pos)
{
    const struct cells *to = &c->job->cells[level];
    const unsigned of = om__field_level[level];
    const uint32_t corner = UINT32_MAX << (32 - of);
    const size_t at = c->at[level]++;
    to->code[at] = c->code[level];
    to->weight[at] = (float)t->n;
    to->mean_x[at] = tally_mean(t->x - t->n * (pos.x & corner), t->n, of);
    to->mean_y[at] = tally_mean(t->y - t->n * (pos.y & corner), t->n, of);
}

/* As end_cell. */
static inline void end_tally(struct counting *c, uint64_t next, bool last)
{
    const struct om_pos pos = om_morton_pos(c->code[FINEST] << FINEST_SHIFT);
    struct tally t = c->inside;
    t.x += t.n * pos.x;
    t.y += t.n * pos.y;
    c->inside = (struct tally){0};
    tally_merge(&c->before, &t);
    for (size_t l = FINEST;; l--) {
        if (t.n && !c->job->plain) write_tally(c, l, &t, pos);
        const bool same = !last && c->code[l] >> 4 == next >> 4;
        c->code[l] = next;
        if (l == 0) return;
        tally_merge(&c->cell[l - 1], &t);
        if (same) return;
        t = c->cell[l - 1];
        c->cell[l - 1] = (struct tally){0};
        next >>= 4;
    }
}

/* n rows from `row` on stand there. */
static inline void count_at(struct counting *c, size_t row, uint64_t n)
{
    const uint64_t key = c->job->key[row], code = key >> FINEST_SHIFT;
    if (code != c->code[FINEST]) {
        end_tally(c, code, false);
        if (row - c->marked >= OM_FIELD_MARK_ROWS) {
            struct stretch *s = c->stretch;
            c->job->mark[s->mark + s->marks++] =
                (struct om__mark){.row = row, .before = sum_of(&c->before)};
            c->marked = row;
        }
    }
    // Both coordinates inside the cell at once, a half of the word each.
    uint64_t v = (key & UINT64_C(0x555555)) | (key >> 1 & UINT64_C(0x555555))
                                                  << 32;
    v = (v | v >> 1) & UINT64_C(0x3333333333333333);
    v = (v | v >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    v = (v | v >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v | v >> 8) & UINT64_C(0x0000ffff0000ffff);
    c->inside.n += n;
    c->inside.x += n * (v & UINT32_MAX);
    c->inside.y += n * (v >> 32);
}

/* Which of 64 rows are the last ones on their spot; the 64th may or may not. */
static inline uint64_t last_on_spot(const uint64_t *key, size_t left)
{
    uint8_t differ[64] = {0};
    uint64_t last = 0;
    if (left > 64)
        for (unsigned i = 0; i < 64; i++) differ[i] = key[i] != key[i + 1];
    else
        for (unsigned i = 0; i + 1 < left; i++)
            differ[i] = key[i] != key[i + 1];
    // Eight bytes that are 0 or 1 become eight bits.
    for (unsigned i = 0; i < 8; i++) {
        uint64_t bytes;
        memcpy(&bytes, differ + 8 * i, 8);
        last |= bytes * UINT64_C(0x0102040810204080) >> 56 << (8 * i);
    }
    return last;
}

OM_CLONES
static void count_rows(struct counting *counting,
                       const struct om_bitmap *bitmap)
{
    struct counting c = *counting;
    const size_t from = c.stretch->from, to = c.stretch->to;
    for (size_t base = from / 64 * 64; base < to; base += 64) {
        uint64_t word = bitmap ? bitmap->word[base / 64] : UINT64_MAX;
        if (base < from) word &= UINT64_MAX << (from - base);
        if (to - base < 64) word &= UINT64_MAX >> (64 - (to - base));
        if (__builtin_popcountll(word) <= FEW) {
            for (; word; word &= word - 1)
                count_at(&c, base + (size_t)__builtin_ctzll(word), 1);
            continue;
        }
        const uint64_t last =
            last_on_spot(c.job->key + base, c.job->rows - base);
        while (word) {
            const unsigned first = (unsigned)__builtin_ctzll(word);
            const uint64_t ends = last & UINT64_MAX << first;
            const uint64_t spot = ends ? ends ^ (ends - 1) : UINT64_MAX;
            const int n = __builtin_popcountll(word & spot);
            count_at(&c, base + first, (uint64_t)n);
            word &= ~spot;
        }
    }
    if (from < to) end_tally(&c, 0, true);
    *counting = c;
}

static void count_stretch(const struct job *job, struct stretch *s,
                          const struct om_bitmap *bitmap)
{
    struct counting c = {.job = job, .stretch = s, .marked = s->from};
    memcpy(c.at, s->begin, sizeof c.at);
    if (s->from < s->to) {
        for (size_t l = 0; l < OM_FIELD_LEVELS; l++)
            c.code[l] = job->key[s->from] >> (64 - 2 * om__field_level[l]);
    }
    count_rows(&c, bitmap);
    s->sum = sum_of(&c.before);
    for (size_t l = 0; l < OM_FIELD_LEVELS; l++)
        s->count[l] = c.at[l] - s->begin[l];
}

/* ---- rows that weigh ----------------------------------------------------- */

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
    if (!job->adder.weighted) {
        count_stretch(job, s, bitmap);
        return OM_OK;
    }
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
