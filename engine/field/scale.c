/* scale.c - the largest value of a field, without looking everywhere.
 *
 * DESIGN
 * The city is cut into blocks of lattice nodes. No value in a block can be
 * above the kernel's peak times the weight within a bandwidth of it, which
 * the block and its eight neighbours hold. Blocks are evaluated from the
 * largest such bound downward until none is above what was found.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/thread.h"
#include "engine/field/field_internal.h"

/* Nodes along a block's side, log2: more than a kernel reaches. */
#define BLOCK_LOG 6
#define BLOCK (1u << BLOCK_LOG)

struct bounded {
    uint32_t column, row;
    double weight;  // absolute
    double bound;
};

/* Blocks that hold anything, and where each is. */
struct blocks {
    struct bounded *list;
    size_t count, room;
    uint32_t *slot;  // index + 1, 0 empty; a power of two of slots
    size_t slots;
    om_status status;
};

static void add_weight(struct blocks *b, uint32_t column, uint32_t row,
                       double weight)
{
    // Masses come in Morton order: all of a block's in one go (a part's).
    struct bounded *last = b->count ? &b->list[b->count - 1] : NULL;
    if (last && last->column == column && last->row == row) {
        last->weight += weight;
        return;
    }
    if (b->count == b->room) {
        const size_t room = b->room ? 2 * b->room : 1024;
        struct bounded *grown = om_realloc(b->list, room * sizeof *grown);
        if (!grown) {
            b->status = OM_E_MEMORY;
            return;
        }
        b->list = grown;
        b->room = room;
    }
    b->list[b->count++] =
        (struct bounded){.column = column, .row = row, .weight = weight};
}

static void take_weights(void *ctx, const struct om__batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        add_weight(ctx, (uint32_t)batch->column[i], (uint32_t)batch->row[i],
                   fabs((double)batch->weight[i]));
}

static size_t slot_of(const struct blocks *b, uint32_t column, uint32_t row)
{
    const uint32_t place[2] = {column, row};
    size_t at = (size_t)om_hash64(place, sizeof place, 0) & (b->slots - 1);
    while (b->slot[at]) {
        const struct bounded *have = &b->list[b->slot[at] - 1];
        if (have->column == column && have->row == row) break;
        at = (at + 1) & (b->slots - 1);
    }
    return at;
}

/* One entry a block, whichever part its masses are in. */
static om_status index_blocks(struct blocks *b)
{
    b->slots = 16;
    while (b->slots < 2 * b->count) b->slots *= 2;
    b->slot = om_calloc(b->slots, sizeof *b->slot);
    if (!b->slot) return OM_E_MEMORY;
    size_t kept = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct bounded one = b->list[i];
        const size_t at = slot_of(b, one.column, one.row);
        if (b->slot[at]) {
            b->list[b->slot[at] - 1].weight += one.weight;
            continue;
        }
        b->list[kept] = one;
        b->slot[at] = (uint32_t)++kept;
    }
    b->count = kept;
    return OM_OK;
}

static void bound_blocks(struct blocks *b, double peak)
{
    for (size_t i = 0; i < b->count; i++) {
        double weight = 0.0;
        for (unsigned k = 0; k < 9; k++) {
            // Unsigned: beyond the edge is a number that no block has.
            const size_t at = slot_of(b, b->list[i].column + k % 3 - 1,
                                      b->list[i].row + k / 3 - 1);
            if (b->slot[at]) weight += b->list[b->slot[at] - 1].weight;
        }
        b->list[i].bound = weight * peak;
    }
}

static int by_bound(const void *a, const void *b)
{
    const struct bounded *x = a, *y = b;
    if (x->bound != y->bound) return x->bound < y->bound ? 1 : -1;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

struct search {
    const struct om__field *field;
    const struct blocks *blocks;
    unsigned exponent, level;
    pthread_mutex_t lock;  // guards best
    double best;
    struct om_arena *arena;  // one a thread
};

static om_status block_values(const struct search *s,
                              const struct om__field *field,
                              const struct bounded *b, float *value)
{
    const int64_t column0 = (int64_t)b->column * BLOCK;
    const int64_t row0 = (int64_t)b->row * BLOCK;
    if (field->kernel->kind == OM_KERNEL_EPANECHNIKOV)
        return om__scan_values(field,
                               &(struct om__block){.columns = BLOCK,
                                                   .rows = BLOCK,
                                                   .exponent = s->exponent,
                                                   .column0 = column0,
                                                   .row0 = row0},
                               om__scan_level(field), value);
    const struct om__nodes nodes = {column0, row0, BLOCK, BLOCK};
    return om__lattice_values(field, s->exponent, 0, false, s->level, &nodes,
                              value);
}

static om_status search_blocks(void *ctx, size_t first, size_t end, size_t lane)
{
    struct search *s = ctx;
    struct om_arena *arena = &s->arena[lane];
    struct om__field field = *s->field;
    field.arena = arena;
    for (size_t i = first; i < end; i++) {
        const struct bounded *b = &s->blocks->list[i];
        pthread_mutex_lock(&s->lock);
        const bool skip = b->bound <= s->best;
        pthread_mutex_unlock(&s->lock);
        if (skip) return OM_OK;
        om_arena_reset(arena);
        float *value = om_arena_alloc(arena, BLOCK * BLOCK * sizeof *value);
        if (!value) return OM_E_MEMORY;
        OM_TRY(block_values(s, &field, b, value));
        double most = 0.0;
        for (size_t k = 0; k < BLOCK * BLOCK; k++)
            if ((double)value[k] > most) most = (double)value[k];
        pthread_mutex_lock(&s->lock);
        if (most > s->best) s->best = most;
        pthread_mutex_unlock(&s->lock);
    }
    return OM_OK;
}

/* Masses by block, from the coarsest cells that lie within blocks. */
static om_status find_blocks(const struct om__field *field, unsigned exponent,
                             struct blocks *out)
{
    struct om_arena arena = {0};
    om_status st = om__gather_run(&(struct om__gather){
        .spec = field->spec,
        .prepared = field->prepared,
        .reference_s = field->reference_s,
        .box = {0, 0, UINT32_MAX, UINT32_MAX},
        .level = 32 - exponent - BLOCK_LOG,
        .exponent = exponent + BLOCK_LOG,
        .take = take_weights,
        .ctx = out,
    });
    om_arena_deinit(&arena);
    if (!st) st = out->status;
    return st ? st : index_blocks(out);
}

static om_status search_all(struct search *s)
{
    const size_t lanes = om_threads();
    s->arena = om_calloc(lanes, sizeof *s->arena);
    if (!s->arena) return OM_E_MEMORY;
    pthread_mutex_init(&s->lock, NULL);
    const om_status st = om_parallel(s->blocks->count, 1, search_blocks, s);
    pthread_mutex_destroy(&s->lock);
    for (size_t i = 0; i < lanes; i++) om_arena_deinit(&s->arena[i]);
    om_free(s->arena);
    return st;
}

om_status om__scale_max(const struct om__field *field, double *out)
{
    *out = 0.0;
    if (field->rows == 0) return OM_OK;
    const double h = field->spec->bandwidth_m;
    const unsigned exponent = om__lattice_exponent(h);
    struct blocks blocks = {0};
    om_status st = find_blocks(field, exponent, &blocks);
    if (!st) {
        // A little more than the peak: the lattice may err upward.
        bound_blocks(&blocks, 1.01 * field->kernel->peak * 1e6 / (h * h));
        if (blocks.count)
            qsort(blocks.list, blocks.count, sizeof *blocks.list, by_bound);
        struct search search = {
            .field = field,
            .blocks = &blocks,
            .exponent = exponent,
            .level = field->rows <= OM_FIELD_ROWS_FEW
                         ? 32
                         : om__level_for(h, OM_FIELD_CELLS_ALIKE),
        };
        st = search_all(&search);
        *out = search.best;
    }
    om_free(blocks.list);
    om_free(blocks.slot);
    return st;
}
