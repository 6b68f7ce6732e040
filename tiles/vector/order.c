// order.c - rows of several parts in the order of a layer that is one.
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/vector/vector_internal.h"

/* A row and where it comes. */
struct placed {
    uint64_t key;
    struct om__row row;
};

int om__row_compare(const void *a, const void *b)
{
    const struct om__row *p = a, *q = b;
    if (p->part != q->part) return p->part < q->part ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

static int by_key(const void *a, const void *b)
{
    const struct placed *p = a, *q = b;
    if (p->key != q->key) return p->key < q->key ? -1 : 1;
    return om__row_compare(&p->row, &q->row);
}

static om_status id_of(const struct om_layer *layer, struct om__row row,
                       struct om_text_reader *reader, const char **id,
                       size_t *len)
{
    return om_segment_text(layer->part[row.part].segment,
                           layer->schema.id_field, row.row, reader, id, len);
}

/* Rows of several parts in one place, by id. Those of each part are sorted. */
static om_status sort_place(const struct om_layer *layer, struct placed *row,
                            size_t n)
{
    struct om_text_reader reader[2] = {{0}};
    om_status st = OM_OK;
    for (size_t i = 1; i < n && !st; i++)
        for (size_t k = i; k > 0; k--) {
            const char *a, *b;
            size_t a_len, b_len;
            st = id_of(layer, row[k - 1].row, &reader[0], &a, &a_len);
            if (!st) st = id_of(layer, row[k].row, &reader[1], &b, &b_len);
            if (st) break;
            const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
            if (order < 0 || (order == 0 && a_len <= b_len)) break;
            const struct placed swap = row[k];
            row[k] = row[k - 1];
            row[k - 1] = swap;
        }
    om_text_reader_deinit(&reader[0]);
    om_text_reader_deinit(&reader[1]);
    return st;
}

static om_status sort(const struct om_layer *layer, struct placed *placed,
                      struct om__row *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t *key;
        OM_TRY(om_segment_keys(layer->part[row[i].part].segment, row[i].row,
                               (size_t)row[i].row + 1, &key));
        placed[i] = (struct placed){key[row[i].row], row[i]};
    }
    qsort(placed, n, sizeof *placed, by_key);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && placed[end].key == placed[i].key;) end++;
        if (placed[i].row.part != placed[end - 1].row.part)
            OM_TRY(sort_place(layer, placed + i, end - i));
    }
    for (size_t i = 0; i < n; i++) row[i] = placed[i].row;
    return OM_OK;
}

om_status om__rows_order(const struct om_layer *layer, struct om__row *row,
                         size_t n)
{
    bool sorted = true;
    for (size_t i = 1; i < n && sorted; i++)
        sorted = row[i].part == row[0].part && row[i - 1].row < row[i].row;
    if (sorted) return OM_OK;
    struct placed *placed = om_alloc_array(n, sizeof *placed);
    if (!placed) return OM_E_MEMORY;
    const om_status st = sort(layer, placed, row, n);
    om_free(placed);
    return st;
}
