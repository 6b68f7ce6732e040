// curve.c - rows of several parts in the order of a layer that is one.
#include "engine/query/curve.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"

/* A row and where it comes. */
struct placed {
    uint64_t key;
    struct om_row_at row;
};

int om_row_at_compare(const void *a, const void *b)
{
    const struct om_row_at *p = a, *q = b;
    if (p->part != q->part) return p->part < q->part ? -1 : 1;
    return p->row < q->row ? -1 : p->row > q->row;
}

static int by_key(const void *a, const void *b)
{
    const struct placed *p = a, *q = b;
    if (p->key != q->key) return p->key < q->key ? -1 : 1;
    return om_row_at_compare(&p->row, &q->row);
}

static om_status id_of(const struct om_layer *layer, struct om_row_at row,
                       struct om_text_reader *reader, const char **id,
                       size_t *len)
{
    return om_segment_text(layer->part[row.part].segment,
                           layer->schema.id_field, row.row, reader, id, len);
}

/* Rows in one place, while they are sorted by id. */
struct stack {
    const struct om_layer *layer;
    struct om_text_reader reader[2];
    om_status status;  // the first fault
};

static int by_id(const void *one, const void *two, void *ctx)
{
    const struct placed *p = one, *q = two;
    struct stack *s = ctx;
    const char *a = "", *b = "";
    size_t a_len = 0, b_len = 0;
    if (!s->status)
        s->status = id_of(s->layer, p->row, &s->reader[0], &a, &a_len);
    if (!s->status)
        s->status = id_of(s->layer, q->row, &s->reader[1], &b, &b_len);
    if (s->status) return om_row_at_compare(&p->row, &q->row);
    const int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static om_status sort_place(const struct om_layer *layer, struct placed *row,
                            size_t n)
{
    struct stack stack = {.layer = layer};
    qsort_r(row, n, sizeof *row, by_id, &stack);
    om_text_reader_deinit(&stack.reader[0]);
    om_text_reader_deinit(&stack.reader[1]);
    return stack.status;
}

static om_status sort(const struct om_layer *layer, struct placed *placed,
                      struct om_row_at *row, size_t n)
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

om_status om_curve_order(const struct om_layer *layer, struct om_row_at *row,
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
