/* candidates.c - forms that share the rarest grams of a question.
 *
 * DESIGN
 * Lists of forms are read from the shortest on, each form's votes growing by
 * the logarithm of how rare a gram is, until a budget is spent: the long lists
 * that are left say little (every address begins with the city). So the cost
 * is bounded whatever is asked. We rejected scanning all forms, which is as
 * fast for addresses and not for a million names of firms.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/search/search_internal.h"

/* Bytes of lists that are read: about as many forms. */
#define BUDGET_BYTES 150000
/* Votes in 1/32 of a bit. */
#define VOTE 32.0
/* Below this share of the best votes a form is not looked at. */
#define SHARE 0.3
#define BUCKETS 1024
/* Forms by which the sounds of an index are weighed. */
#define SAMPLE_FORMS 4096

struct list {
    struct om_posts posts;
    size_t bytes;
    uint16_t vote;
};

struct counting {
    uint16_t *votes;    // [forms]
    uint32_t *touched;  // forms that have any
    size_t count;
};

static int by_length(const void *a, const void *b)
{
    const struct list *x = a, *y = b;
    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static void count_list(struct counting *c, struct list *list, size_t forms)
{
    while (om_posts_next(&list->posts)) {
        const uint32_t form = list->posts.form;
        if (form >= forms) return;
        const uint32_t votes = c->votes[form] + (uint32_t)list->vote;
        if (!c->votes[form]) c->touched[c->count++] = form;
        c->votes[form] = votes > UINT16_MAX ? UINT16_MAX : (uint16_t)votes;
    }
}

static om_status find_lists(const struct om_search_index *index,
                            const struct om__question *q,
                            enum om__reading reading, struct list *out,
                            size_t *count)
{
    const double forms = (double)om_search_index_forms(index);
    *count = 0;
    for (size_t i = 0; i < q->grams[reading]; i++) {
        struct list *l = &out[*count];
        OM_TRY(om_search_index_posts(index, q->gram[reading][i].kind,
                                     q->gram[reading][i].gram, &l->posts));
        l->bytes = (size_t)(l->posts.end - l->posts.at);
        if (!l->bytes) continue;
        const double rare = log2(1 + forms / (double)l->bytes);
        l->vote = (uint16_t)(1 + VOTE * rare);
        ++*count;
    }
    qsort(out, *count, sizeof *out, by_length);
    return OM_OK;
}

static int by_votes(const void *a, const void *b)
{
    const struct om__candidate *x = a, *y = b;
    if (x->votes != y->votes) return x->votes > y->votes ? -1 : 1;
    return x->form < y->form ? -1 : x->form > y->form;
}

static uint32_t bucket_of(uint32_t votes, uint32_t best)
{
    return (uint32_t)((uint64_t)votes * (BUCKETS - 1) / best);
}

/* The lowest bucket from which on at most OM__CANDIDATES come through; the
 * highest, if it alone has more. */
static uint32_t lowest_bucket(const struct counting *c, uint32_t best)
{
    uint32_t bucket[BUCKETS] = {0};
    for (size_t i = 0; i < c->count; i++)
        bucket[bucket_of(c->votes[c->touched[i]], best)]++;
    size_t sum = 0;
    uint32_t b = BUCKETS;
    while (b > 0 && sum + bucket[b - 1] <= OM__CANDIDATES) sum += bucket[--b];
    const uint32_t least = (uint32_t)(SHARE * (BUCKETS - 1));
    return b == BUCKETS ? BUCKETS - 1 : b > least ? b : least;
}

static void choose(const struct counting *c, struct om__candidate *out,
                   size_t *count)
{
    uint32_t best = 1;
    for (size_t i = 0; i < c->count; i++)
        if (c->votes[c->touched[i]] > best) best = c->votes[c->touched[i]];
    const uint32_t lowest = lowest_bucket(c, best);
    *count = 0;
    for (size_t i = 0; i < c->count && *count < OM__CANDIDATES; i++) {
        const uint32_t form = c->touched[i];
        if (bucket_of(c->votes[form], best) >= lowest)
            out[(*count)++] = (struct om__candidate){form, c->votes[form]};
    }
    qsort(out, *count, sizeof *out, by_votes);
}

om_status om__candidates_find(const struct om_search_index *index,
                              const struct om__question *question,
                              enum om__reading reading,
                              struct om__candidate *out, size_t *count)
{
    const size_t forms = om_search_index_forms(index);
    struct list list[OM_SEARCH_TOKENS * 2];
    size_t lists, read = 0;
    *count = 0;
    OM_TRY(find_lists(index, question, reading, list, &lists));
    if (!lists) return OM_OK;
    struct counting c = {
        .votes = om_calloc(forms, sizeof *c.votes),
        .touched = om_alloc_array(forms, sizeof *c.touched),
    };
    om_status st = c.votes && c.touched ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < lists && !st; i++) {
        if (i > 0 && read + list[i].bytes > BUDGET_BYTES) break;
        count_list(&c, &list[i], forms);
        read += list[i].bytes;
    }
    if (!st) choose(&c, out, count);
    om_free(c.votes);
    om_free(c.touched);
    return st;
}

/* ---- small indexes ---- */

/* Which tokens sound like one of the question: number of the sound, from 1. */
struct sounds {
    uint8_t slot[65536];
    uint32_t forms[OM__HEARD + 1];  // of a sample: that have it
    uint16_t vote[OM__HEARD + 1];
};

static void hear(const struct om__question *q, struct sounds *out)
{
    uint8_t n = 0;
    for (size_t i = 0; i < q->heards; i++)
        if (!out->slot[q->heard[i].sound]) out->slot[q->heard[i].sound] = ++n;
}

/* How rare sounds are, by a sample of the forms. */
static void weigh(const struct om_fold *fold, size_t forms, const uint32_t *at,
                  const uint16_t *token, struct sounds *s)
{
    const size_t step = forms / SAMPLE_FORMS + 1;
    for (size_t i = 0; i < forms; i += step)
        for (size_t k = at[i]; k < at[i + 1]; k++)
            s->forms[s->slot[fold->sound[token[k]]]]++;
    const double sampled = (double)((forms + step - 1) / step);
    for (size_t n = 1; n <= OM__HEARD; n++)
        s->vote[n] =
            (uint16_t)(1 + VOTE * log2(1 + sampled / (s->forms[n] + 1)));
}

static om_status scan(const struct om_search_index *index,
                      const struct om__question *q, struct sounds *s,
                      struct counting *c)
{
    const size_t forms = om_search_index_forms(index);
    const uint32_t *at;
    const uint16_t *token;
    OM_TRY(om_search_index_tokens(index, &at, &token));
    hear(q, s);
    weigh(q->fold, forms, at, token, s);
    for (size_t i = 0; i < forms; i++) {
        uint32_t votes = 0;
        for (size_t k = at[i]; k < at[i + 1]; k++)
            votes += s->vote[s->slot[q->fold->sound[token[k]]]];
        if (!votes) continue;
        c->votes[i] = (uint16_t)(votes > UINT16_MAX ? UINT16_MAX : votes);
        c->touched[c->count++] = (uint32_t)i;
    }
    return OM_OK;
}

om_status om__candidates_scan(const struct om_search_index *index,
                              const struct om__question *question,
                              struct om__candidate *out, size_t *count)
{
    const size_t forms = om_search_index_forms(index);
    struct counting c = {
        .votes = om_calloc(forms, sizeof *c.votes),
        .touched = om_alloc_array(forms, sizeof *c.touched),
    };
    struct sounds *s = om_calloc(1, sizeof *s);
    *count = 0;
    om_status st = c.votes && c.touched && s ? OM_OK : OM_E_MEMORY;
    if (!st) st = scan(index, question, s, &c);
    if (!st) choose(&c, out, count);
    om_free(s);
    om_free(c.votes);
    om_free(c.touched);
    return st;
}
