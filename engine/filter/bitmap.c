// bitmap.c - rows as bits with a rank directory.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/clones.h"
#include "data/base/thread.h"
#include "engine/filter/eval_internal.h"

/* Rows between two entries of the rank directory. */
#define RANK_ROWS 512
#define RANK_WORDS (RANK_ROWS / 64)

static size_t words_of(size_t rows)
{
    return (rows + 63) / 64;
}

static size_t ranks_of(size_t rows)
{
    return rows / RANK_ROWS + 2;
}

size_t om__bitmap_bytes(size_t rows)
{
    return words_of(rows) * 8 + ranks_of(rows) * 4;
}

om_status om__bitmap_new(size_t rows, struct om_bitmap *out)
{
    // One block for both: words first, which have the larger alignment.
    uint64_t *word = om_alloc(om__bitmap_bytes(rows));
    if (!word) return OM_E_MEMORY;
    *out = (struct om_bitmap){.rows = rows,
                              .word = word,
                              .rank = (uint32_t *)(word + words_of(rows))};
    return OM_OK;
}

void om__bitmap_deinit(struct om_bitmap *bitmap)
{
    om_free((void *)(uintptr_t)bitmap->word);
    *bitmap = (struct om_bitmap){0};
}

/* ---- evaluation */

struct evaluation {
    const struct om__plan *plan;  // NULL: all rows
    struct om__lane *lane;        // [om_threads()]
    bool *ready;
    size_t rows;
    uint64_t *word;
    uint32_t *rank;
};

OM_CLONES static uint32_t popcount(const uint64_t *word, size_t words)
{
    uint64_t n = 0;
    for (size_t i = 0; i < words; i++)
        n += (uint64_t)__builtin_popcountll(word[i]);
    return (uint32_t)n;
}

/* Set bits of each stretch of RANK_ROWS, one entry late: summed up later. */
static void count_words(const struct evaluation *e, size_t first, size_t end)
{
    for (size_t at = first; at < end; at += RANK_ROWS) {
        const size_t to = at + RANK_ROWS < end ? at + RANK_ROWS : end;
        const size_t w = at / 64;
        e->rank[at / RANK_ROWS + 1] = popcount(e->word + w, words_of(to) - w);
    }
}

static om_status eval_chunk(void *ctx, size_t first, size_t end, size_t lane)
{
    struct evaluation *e = ctx;
    uint64_t *out = e->word + first / 64;
    if (e->plan) {
        if (!e->ready[lane]) {
            e->ready[lane] = true;
            OM_TRY(om__lane_init(&e->lane[lane], e->plan));
        }
        OM_TRY(om__plan_eval(e->plan, &e->lane[lane], first, end, out));
    } else {
        memset(out, 0xFF, (end - first) / 64 * 8);
        if (end % 64) e->word[end / 64] = (UINT64_C(1) << end % 64) - 1;
    }
    count_words(e, first, end);
    return OM_OK;
}

static om_status run(struct evaluation *e)
{
    const size_t lanes = om_threads();
    om_status st = OM_E_MEMORY;
    e->lane = om_calloc(lanes, sizeof *e->lane);
    e->ready = om_calloc(lanes, sizeof *e->ready);
    if (!e->lane || !e->ready) goto done;
    st = om_parallel(e->rows, OM__CHUNK_ROWS, eval_chunk, e);
done:
    for (size_t i = 0; i < lanes && e->lane && e->plan; i++)
        om__lane_deinit(&e->lane[i], e->plan);
    om_free(e->lane);
    om_free(e->ready);
    return st;
}

om_status om__bitmap_eval(const struct om_filter *filter,
                          const struct om__node *root,
                          const struct om_segment *segment,
                          struct om_bitmap *out)
{
    const size_t rows = om_segment_rows(segment);
    struct om__plan plan = {0};
    *out = (struct om_bitmap){0};
    om_status st = om__bitmap_new(rows, out);
    if (st) goto done;
    struct evaluation e = {.rows = rows,
                           .word = (uint64_t *)(uintptr_t)out->word,
                           .rank = (uint32_t *)(uintptr_t)out->rank};
    memset(e.rank, 0, ranks_of(rows) * sizeof *e.rank);
    if (root) {
        st = om__plan_init(&plan, filter, root, segment);
        if (st) goto done;
        e.plan = &plan;
    }
    st = run(&e);
    if (st) goto done;
    for (size_t i = 1; i < ranks_of(rows); i++) e.rank[i] += e.rank[i - 1];
    out->count = e.rank[ranks_of(rows) - 1];
done:
    om__plan_deinit(&plan);
    if (st) om__bitmap_deinit(out);
    return st;
}

om_status om__bitmap_without(const struct om_bitmap *from, const uint32_t *dead,
                             size_t dead_count, struct om_bitmap *out)
{
    OM_TRY(om__bitmap_new(from->rows, out));
    uint64_t *word = (uint64_t *)(uintptr_t)out->word;
    uint32_t *rank = (uint32_t *)(uintptr_t)out->rank;
    memcpy(word, from->word, words_of(from->rows) * 8);
    size_t d = 0;
    uint32_t gone = 0;
    for (size_t i = 0; i < ranks_of(from->rows); i++) {
        for (; d < dead_count && dead[d] < i * RANK_ROWS; d++) {
            if (dead[d] >= from->rows) continue;
            const uint64_t bit = UINT64_C(1) << dead[d] % 64;
            gone += (word[dead[d] / 64] & bit) != 0;
            word[dead[d] / 64] &= ~bit;
        }
        rank[i] = from->rank[i] - gone;
    }
    out->count = from->count - gone;
    return OM_OK;
}

static size_t count_before(const struct om_bitmap *b, size_t row)
{
    size_t n = b->rank[row / RANK_ROWS];
    for (size_t w = row / RANK_ROWS * RANK_WORDS; w < row / 64; w++)
        n += (size_t)__builtin_popcountll(b->word[w]);
    if (row % 64)
        n += (size_t)__builtin_popcountll(b->word[row / 64] &
                                          ((UINT64_C(1) << row % 64) - 1));
    return n;
}

size_t om_bitmap_count(const struct om_bitmap *bitmap, size_t from, size_t to)
{
    if (to > bitmap->rows) to = bitmap->rows;
    if (from >= to) return 0;
    return count_before(bitmap, to) - count_before(bitmap, from);
}

size_t om_selection_count(const struct om_selection *selection, size_t part,
                          size_t from, size_t to)
{
    if (from >= to) return 0;
    if (selection->all) return to - from;
    return om_bitmap_count(&selection->part[part], from, to);
}
