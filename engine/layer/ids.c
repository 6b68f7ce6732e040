/* ids.c - which ids are there twice, and the lookup of the rest.
 *
 * DESIGN
 * Hashes of all ids are sorted once. Equal ids then lie side by side, and the
 * same order is that of the lookup's buckets, so nothing is sorted again: the
 * rows that stay get their place in the file, the others fall out.
 */
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/layer/build_internal.h"

#define STRETCH_ROWS 65536u
/* Five bytes of hash are sorted by: among 12 million ids some sixty pairs
 * agree in them by chance, and texts decide. */
#define HASH_MASK (~UINT64_C(0) << 24)

struct hash_job {
    const struct om__gather *id;
    struct om__order *order;
    om_taken_fn *taken;  // or NULL
    void *taken_ctx;
};

static om_status hash_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct hash_job *job = ctx;
    for (size_t i = first; i < end; i++) {
        size_t len;
        const char *text = om__gather_text(job->id, i, &len);
        job->order->id_hash[i] = om__id_hash(text, len) & HASH_MASK;
        job->order->id_row[i] = (uint32_t)i;
    }
    return OM_OK;
}

static bool same_id(const struct om__gather *id, uint32_t a, uint32_t b)
{
    size_t a_len, b_len;
    const char *x = om__gather_text(id, a, &a_len);
    const char *y = om__gather_text(id, b, &b_len);
    return a_len == b_len && memcmp(x, y, a_len) == 0;
}

static int by_source_row(const void *a, const void *b, void *ctx)
{
    const uint64_t *source_row = ctx;
    const uint64_t x = source_row[*(const uint32_t *)a];
    const uint64_t y = source_row[*(const uint32_t *)b];
    return (x > y) - (x < y);
}

/* Rows whose hashes agree: keep the first of each id. */
static om_status settle_group(const struct om__gather *id,
                              const uint64_t *source_row, uint8_t *gone,
                              const uint32_t *row, size_t count)
{
    uint32_t *kept = om_alloc_array(2 * count, sizeof *kept);
    if (!kept) return OM_E_MEMORY;
    uint32_t *sorted = kept + count;
    size_t kept_count = 0;
    memcpy(sorted, row, count * sizeof *row);
    qsort_r(sorted, count, sizeof *sorted, by_source_row,
            (void *)(uintptr_t)source_row);
    for (size_t i = 0; i < count; i++) {
        if (gone[sorted[i]]) continue;
        size_t k = 0;
        while (k < kept_count && !same_id(id, kept[k], sorted[i])) k++;
        if (k == kept_count)
            kept[kept_count++] = sorted[i];
        else
            gone[sorted[i]] = OM__DUPLICATE;
    }
    om_free(kept);
    return OM_OK;
}

static om_status find_twins(const struct om__gather *id,
                            const uint64_t *source_row, struct om__order *order)
{
    const uint64_t *hash = order->id_hash;
    for (size_t i = 0; i < order->gathered;) {
        size_t end = i + 1;
        while (end < order->gathered && hash[end] == hash[i]) end++;
        if (end - i > 1)
            OM_TRY(settle_group(id, source_row, order->gone, order->id_row + i,
                                end - i));
        i = end;
    }
    return OM_OK;
}

static om_status taken_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct hash_job *job = ctx;
    for (size_t i = first; i < end; i++) {
        size_t len;
        bool taken = false;
        const char *text = om__gather_text(job->id, i, &len);
        if (job->order->gone[i]) continue;
        OM_TRY(job->taken(job->taken_ctx, text, len, &taken));
        if (taken) job->order->gone[i] = OM__DUPLICATE;
    }
    return OM_OK;
}

om_status om__ids_settle(const struct om__gather *id,
                         const uint64_t *source_row, om_taken_fn *taken,
                         void *taken_ctx, struct om__order *order)
{
    const size_t rows = order->gathered;
    struct hash_job job = {id, order, taken, taken_ctx};
    om_status st = OM_E_MEMORY;
    uint64_t *spare_hash = om_alloc_array(rows, sizeof *spare_hash);
    uint32_t *spare_row = om_alloc_array(rows, sizeof *spare_row);
    order->id_hash = om_alloc_array(rows, sizeof *order->id_hash);
    order->id_row = om_alloc_array(rows, sizeof *order->id_row);
    if (!spare_hash || !spare_row || !order->id_hash || !order->id_row)
        goto done;
    st = om_parallel(rows, STRETCH_ROWS, hash_stretch, &job);
    if (!st)
        st = om_sort_keys(order->id_hash, order->id_row, spare_hash, spare_row,
                          rows);
    if (!st && taken) st = om_parallel(rows, STRETCH_ROWS, taken_stretch, &job);
    if (!st) st = find_twins(id, source_row, order);
done:
    om_free(spare_hash);
    om_free(spare_row);
    return st;
}

/* The lookup's arrays; they take the place of those they are made of. */
struct lookup {
    uint32_t *bucket;
    uint16_t *mark;
    uint32_t *row;
};

static void fill_lookup(const struct om__order *order, const uint32_t *place,
                        unsigned bits, struct lookup *out)
{
    const size_t buckets = (size_t)1 << bits;
    size_t at = 0, next = 0;
    for (size_t i = 0; i < order->gathered; i++) {
        const uint32_t gathered = order->id_row[i];
        if (order->gone[gathered]) continue;
        const uint64_t hash = order->id_hash[i];
        const size_t bucket = om__id_bucket(hash, bits);
        for (; next <= bucket; next++) out->bucket[next] = (uint32_t)at;
        out->mark[at] = om__id_mark(hash, bits);
        out->row[at++] = place[gathered];
    }
    for (; next <= buckets; next++) out->bucket[next] = (uint32_t)at;
}

om_status om__ids_write(struct om__order *order, struct om__writer *writer,
                        struct om_err *err)
{
    const size_t rows = order->rows;
    const unsigned bits = om__id_bits(rows);
    const size_t buckets = ((size_t)1 << bits) + 1;
    struct lookup lookup = {0};
    om_status st = OM_E_MEMORY;
    uint32_t *place = om_alloc_array(order->gathered, sizeof *place);
    lookup.bucket = om_alloc_array(buckets, sizeof *lookup.bucket);
    lookup.mark = om_alloc_array(rows, sizeof *lookup.mark);
    lookup.row = om_alloc_array(rows, sizeof *lookup.row);
    if (!place || !lookup.bucket || !lookup.mark || !lookup.row) goto done;
    for (size_t i = 0; i < rows; i++) place[order->row[i]] = (uint32_t)i;
    fill_lookup(order, place, bits, &lookup);
    st = om__writer_bytes(writer, OM__SECTION_ID_BUCKET, 0, lookup.bucket,
                          buckets * sizeof *lookup.bucket, err);
    if (!st)
        st = om__writer_bytes(writer, OM__SECTION_ID_MARK, 0, lookup.mark,
                              rows * sizeof *lookup.mark, err);
    if (!st)
        st = om__writer_bytes(writer, OM__SECTION_ID_ROW, 0, lookup.row,
                              rows * sizeof *lookup.row, err);
done:
    om_free(place);
    om_free(lookup.bucket);
    om_free(lookup.mark);
    om_free(lookup.row);
    return st;
}
