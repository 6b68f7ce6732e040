// ties.c - equal keys in the order of their texts.
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/layer/build_internal.h"

#define STRETCH_ROWS 65536u
/* Stretches up to this long are sorted by insertion. */
#define FEW 12

struct ties_job {
    const uint64_t *key;
    uint32_t *index;
    size_t n;
    const struct om__gather *texts;
    const uint32_t *rep;
};

static int compare(const struct ties_job *job, uint32_t a, uint32_t b)
{
    size_t a_len, b_len;
    const char *x =
        om__gather_text(job->texts, job->rep ? job->rep[a] : a, &a_len);
    const char *y =
        om__gather_text(job->texts, job->rep ? job->rep[b] : b, &b_len);
    const int order = memcmp(x, y, a_len < b_len ? a_len : b_len);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_for_qsort(const void *a, const void *b, void *ctx)
{
    return compare(ctx, *(const uint32_t *)a, *(const uint32_t *)b);
}

static void sort_run(struct ties_job *job, size_t from, size_t to)
{
    uint32_t *index = job->index;
    size_t i = from + 1;
    while (i < to && compare(job, index[i - 1], index[i]) <= 0) i++;
    if (i == to) return;
    if (to - from > FEW) {
        qsort_r(index + from, to - from, sizeof *index, compare_for_qsort, job);
        return;
    }
    for (; i < to; i++) {
        const uint32_t moved = index[i];
        size_t at = i;
        for (; at > from && compare(job, index[at - 1], moved) > 0; at--)
            index[at] = index[at - 1];
        index[at] = moved;
    }
}

/* Runs belong to the stretch in which they begin. */
static om_status ties_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct ties_job *job = ctx;
    const uint64_t *key = job->key;
    size_t i = first;
    while (i > 0 && i < end && key[i] == key[i - 1]) i++;
    while (i < end) {
        size_t to = i + 1;
        while (to < job->n && key[to] == key[i]) to++;
        if (to - i > 1) sort_run(job, i, to);
        i = to;
    }
    return OM_OK;
}

om_status om__ties_sort(const uint64_t *key, uint32_t *index, size_t n,
                        const struct om__gather *texts, const uint32_t *rep)
{
    struct ties_job job = {key, index, n, texts, rep};
    return om_parallel(n, STRETCH_ROWS, ties_stretch, &job);
}

static om_status rise_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct ties_job *job = ctx;
    for (size_t i = first ? first : 1; i < end; i++)
        if (compare(job, (uint32_t)(i - 1), (uint32_t)i) >= 0)
            return OM_E_RANGE;
    return OM_OK;
}

om_status om__texts_rise(const struct om__gather *texts, size_t rows, bool *out)
{
    struct ties_job job = {.texts = texts};
    const om_status st = om_parallel(rows, STRETCH_ROWS, rise_stretch, &job);
    *out = st == OM_OK;
    return st == OM_E_RANGE ? OM_OK : st;
}
