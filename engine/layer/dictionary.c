/* dictionary.c - distinct texts of a column and the code of each row.
 *
 * DESIGN
 * Each thread makes a hash table of the texts in its chunk of rows and writes
 * numbers of its own; the tables are merged, the words sorted, and the rows'
 * numbers translated. A table that outgrows the limit stops all: most columns
 * that do not repeat are found out within some thousand rows of work.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/thread.h"
#include "engine/layer/build_internal.h"

#define STRETCH_ROWS 65536u
#define FIRST_SLOTS 1024u

/* Open addressing; a word is known by a row that has it. */
struct table {
    size_t count, slots;
    uint32_t *slot;  // word + 1, 0 where free; [slots] a power of two
    uint32_t *row;   // [slots / 2] of each word
    uint64_t *hash;  // [slots / 2]
};

static void free_table(struct table *t)
{
    om_free(t->slot);
    om_free(t->row);
    om_free(t->hash);
    *t = (struct table){0};
}

static om_status grow_table(struct table *t)
{
    const size_t slots = t->slots ? t->slots * 2 : FIRST_SLOTS;
    uint32_t *slot = om_calloc(slots, sizeof *slot);
    uint32_t *row = om_realloc(t->row, slots / 2 * sizeof *row);
    if (row) t->row = row;
    uint64_t *hash = om_realloc(t->hash, slots / 2 * sizeof *hash);
    if (hash) t->hash = hash;
    if (!slot || !row || !hash) {
        om_free(slot);
        return OM_E_MEMORY;
    }
    for (size_t w = 0; w < t->count; w++) {
        size_t at = t->hash[w] & (slots - 1);
        while (slot[at]) at = (at + 1) & (slots - 1);
        slot[at] = (uint32_t)w + 1;
    }
    om_free(t->slot);
    t->slot = slot;
    t->slots = slots;
    return OM_OK;
}

/* The word of the text of a row, which becomes one if it is new. */
static om_status find_word(struct table *t, const struct om__gather *g,
                           uint64_t hash, uint32_t row, size_t *word)
{
    if (t->count == t->slots / 2) OM_TRY(grow_table(t));
    size_t len, other_len;
    const char *text = om__gather_text(g, row, &len);
    size_t at = hash & (t->slots - 1);
    for (; t->slot[at]; at = (at + 1) & (t->slots - 1)) {
        *word = t->slot[at] - 1;
        if (t->hash[*word] != hash) continue;
        const char *other = om__gather_text(g, t->row[*word], &other_len);
        if (len == other_len && memcmp(text, other, len) == 0) return OM_OK;
    }
    *word = t->count++;
    t->slot[at] = (uint32_t)*word + 1;
    t->row[*word] = row;
    t->hash[*word] = hash;
    return OM_OK;
}

struct words_job {
    const struct om__gather *g;
    const struct om__order *order;
    size_t max_words, chunks;
    int64_t *value;
    struct table table[OM_LIMIT_THREADS];
    uint32_t *code[OM_LIMIT_THREADS];  // of each chunk's words
};

static size_t chunk_first(const struct words_job *job, size_t chunk)
{
    return (size_t)((unsigned long long)job->order->gathered * chunk /
                    job->chunks);
}

static om_status collect_chunk(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    (void)end;  // chunks are handed out one by one
    struct words_job *job = ctx;
    struct table *t = &job->table[first];
    const size_t to = chunk_first(job, first + 1);
    for (size_t i = chunk_first(job, first); i < to; i++) {
        job->value[i] = 0;
        if (job->order->gone[i] || !om__gather_valid(job->g, i)) continue;
        size_t len, word;
        const char *text = om__gather_text(job->g, i, &len);
        OM_TRY(
            find_word(t, job->g, om_hash64(text, len, 0), (uint32_t)i, &word));
        if (t->count > job->max_words) return OM_E_LIMIT;
        job->value[i] = (int64_t)word;
    }
    return OM_OK;
}

static om_status translate_chunk(void *ctx, size_t first, size_t end,
                                 size_t lane)
{
    (void)lane;
    (void)end;
    struct words_job *job = ctx;
    const struct table *t = &job->table[first];
    const size_t to = chunk_first(job, first + 1);
    if (t->count == 0) return OM_OK;
    for (size_t i = chunk_first(job, first); i < to; i++)
        if (!job->order->gone[i] && om__gather_valid(job->g, i))
            job->value[i] = job->code[first][job->value[i]];
    return OM_OK;
}

/* All chunks' words into one table; code[chunk][word] is its number there. */
static om_status merge_tables(struct words_job *job, struct table *all)
{
    for (size_t c = 0; c < job->chunks; c++) {
        const struct table *t = &job->table[c];
        job->code[c] = om_alloc_array(t->count, sizeof *job->code[c]);
        if (!job->code[c]) return OM_E_MEMORY;
        for (size_t w = 0; w < t->count; w++) {
            size_t word;
            OM_TRY(find_word(all, job->g, t->hash[w], t->row[w], &word));
            if (all->count > job->max_words) return OM_E_LIMIT;
            job->code[c][w] = (uint32_t)word;
        }
    }
    return OM_OK;
}

/* Bytes that all words begin with. */
static size_t common_prefix(const struct om__gather *g, const struct table *t)
{
    if (t->count == 0) return 0;
    size_t shared;
    const char *first = om__gather_text(g, t->row[0], &shared);
    for (size_t w = 1; w < t->count && shared > 0; w++) {
        size_t len, k = 0;
        const char *text = om__gather_text(g, t->row[w], &len);
        while (k < len && k < shared && text[k] == first[k]) k++;
        shared = k;
    }
    return shared;
}

/* The eight bytes from `skip` as a number that orders as they do. */
static uint64_t rank_of(const struct om__gather *g, uint32_t row, size_t skip)
{
    size_t len;
    const char *text = om__gather_text(g, row, &len);
    uint64_t rank = 0;
    for (size_t k = 0; k < sizeof rank; k++)
        rank = rank << 8 | (skip + k < len ? (uint8_t)text[skip + k] : 0);
    return rank;
}

/* index [count] becomes the words in bytewise order. */
static om_status sort_words(const struct om__gather *g, const struct table *t,
                            uint32_t *index)
{
    const size_t skip = common_prefix(g, t);
    om_status st = OM_E_MEMORY;
    uint32_t *spare = om_alloc_array(t->count, sizeof *spare);
    uint64_t *rank = om_alloc_array(t->count, sizeof *rank);
    uint64_t *spare_rank = om_alloc_array(t->count, sizeof *rank);
    if (!spare || !rank || !spare_rank) goto done;
    for (size_t w = 0; w < t->count; w++) {
        rank[w] = rank_of(g, t->row[w], skip);
        index[w] = (uint32_t)w;
    }
    st = om_sort_keys(rank, index, spare_rank, spare, t->count);
    if (!st) st = om__ties_sort(rank, index, t->count, g, t->row);
done:
    om_free(spare);
    om_free(rank);
    om_free(spare_rank);
    return st;
}

static om_status copy_words(const struct om__gather *g, const struct table *t,
                            const uint32_t *index, struct om__words *out)
{
    size_t len, total = 0;
    for (size_t w = 0; w < t->count; w++) {
        om__gather_text(g, t->row[w], &len);
        total += len;
    }
    if (total > UINT32_MAX) return OM_E_LIMIT;
    out->count = t->count;
    out->offset = om_alloc_array(t->count + 1, sizeof *out->offset);
    out->bytes = om_alloc(total);
    if (!out->offset || !out->bytes) return OM_E_MEMORY;
    size_t at = 0;
    for (size_t i = 0; i < t->count; i++) {
        const char *text = om__gather_text(g, t->row[index[i]], &len);
        out->offset[i] = (uint32_t)at;
        if (len) memcpy(out->bytes + at, text, len);
        at += len;
    }
    out->offset[t->count] = (uint32_t)at;
    return OM_OK;
}

void om__words_deinit(struct om__words *words)
{
    om_free(words->offset);
    om_free(words->bytes);
    *words = (struct om__words){0};
}

/* Sort the words of `all` and make the chunks' codes follow. */
static om_status settle_codes(struct words_job *job, const struct table *all,
                              struct om__words *words)
{
    om_status st = OM_E_MEMORY;
    uint32_t *index = om_alloc_array(all->count, sizeof *index);
    uint32_t *code = om_alloc_array(all->count, sizeof *code);
    if (!index || !code) goto done;
    st = sort_words(job->g, all, index);
    if (!st) st = copy_words(job->g, all, index, words);
    if (st) goto done;
    for (size_t i = 0; i < all->count; i++) code[index[i]] = (uint32_t)i;
    for (size_t c = 0; c < job->chunks; c++)
        for (size_t w = 0; w < job->table[c].count; w++)
            job->code[c][w] = code[job->code[c][w]];
done:
    om_free(index);
    om_free(code);
    return st;
}

om_status om__texts_word(const struct om__gather *g,
                         const struct om__order *order, size_t max_words,
                         int64_t *value, struct om__words *words, bool *done)
{
    *done = false;
    struct table all = {0};
    om_status st = OM_E_MEMORY;
    struct words_job *job = om_calloc(1, sizeof *job);
    if (!job) return st;
    job->g = g;
    job->order = order;
    job->max_words = max_words;
    job->value = value;
    const size_t threads = om_threads();
    job->chunks = order->gathered / STRETCH_ROWS + 1;
    if (job->chunks > threads) job->chunks = threads;
    st = om_parallel(job->chunks, 1, collect_chunk, job);
    if (!st) st = merge_tables(job, &all);
    if (!st) st = settle_codes(job, &all, words);
    if (!st) st = om_parallel(job->chunks, 1, translate_chunk, job);
    *done = st == OM_OK;
    if (st) om__words_deinit(words);
    free_table(&all);
    for (size_t c = 0; c < job->chunks; c++) {
        free_table(&job->table[c]);
        om_free(job->code[c]);
    }
    om_free(job);
    return st == OM_E_LIMIT ? OM_OK : st;
}
