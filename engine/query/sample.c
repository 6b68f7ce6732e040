// sample.c - cells drawn by their number, and the living rows in them.
#include "engine/query/sample.h"

#define CELL_LEVEL 18
#define CELL_SHIFT (64 - 2 * CELL_LEVEL)
/* Odd, and without a pattern in its bits: 2^64 over the golden ratio. */
#define SPREAD UINT64_C(0x9E3779B97F4A7C15)

static bool is_drawn(uint64_t cell, uint64_t every)
{
    return every == 1 ||
           (cell * SPREAD) >> (64 - __builtin_ctzll(every)) == 0;
}

/* The first row from `from` on that lies in a later cell than `cell`. */
static size_t cell_end(const uint64_t *key, size_t from, size_t rows,
                       uint64_t cell)
{
    size_t step = 1, low = from;
    while (low + step < rows && key[low + step] >> CELL_SHIFT <= cell) {
        low += step;
        step *= 2;
    }
    size_t high = low + step < rows ? low + step : rows;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (key[middle] >> CELL_SHIFT <= cell)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static om_status each_living(const struct om_part *part, size_t number,
                             size_t from, size_t to, om_status (*each)(void *ctx, size_t part,
                                               size_t row),
                             void *ctx)
{
    size_t d = om_part_dead_from(part, from);
    for (size_t row = from; row < to; row++)
        if (d < part->dead_count && part->dead[d] == row)
            d++;
        else
            OM_TRY(each(ctx, number, row));
    return OM_OK;
}

/* each NULL: rows are counted only. */
static om_status visit(const struct om_layer *layer, uint64_t every,
                       om_status (*each)(void *ctx, size_t part, size_t row),
                       void *ctx, uint64_t *count)
{
    *count = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_part *part = &layer->part[p];
        const size_t rows = om_segment_rows(part->segment);
        const uint64_t *key;
        OM_TRY(om_segment_keys(part->segment, 0, rows, &key));
        for (size_t row = 0, end; row < rows; row = end) {
            const uint64_t cell = key[row] >> CELL_SHIFT;
            end = every == 1 ? rows : cell_end(key, row, rows, cell);
            if (!is_drawn(cell, every)) continue;
            *count += end - row - (om_part_dead_from(part, end) -
                                   om_part_dead_from(part, row));
            if (each) OM_TRY(each_living(part, p, row, end, each, ctx));
        }
    }
    return OM_OK;
}

om_status om_sample_init(const struct om_layer *layer, uint64_t most,
                         struct om_sample *out)
{
    *out = (struct om_sample){.every = 1, .rows = layer->rows};
    while (most && layer->rows / out->every > most) out->every *= 2;
    while (out->every > 1) {
        OM_TRY(visit(layer, out->every, NULL, NULL, &out->rows));
        if (out->rows >= most / 4) return OM_OK;
        out->every /= 2;
    }
    out->rows = layer->rows;
    return OM_OK;
}

om_status om_sample_each(const struct om_layer *layer,
                         const struct om_sample *sample,
                         om_status (*each)(void *ctx, size_t part, size_t row),
                         void *ctx)
{
    uint64_t count;
    return visit(layer, sample->every, each, ctx, &count);
}
