// values.c - columns whose values tell of rows, one by one.
#include "engine/policy/values.h"

/* Largest number of words of any part, and whether a part has none. */
static om_status category_lists(const struct om_layer *layer, size_t column,
                                bool *out)
{
    for (size_t p = 0; p < layer->parts && !*out; p++) {
        const struct om_column *c;
        OM_TRY(om_segment_column(layer->part[p].segment, column, 0, 0, &c));
        *out = c->coding != OM_CODING_DICTIONARY || c->words > OM_KINDS_MOST ||
               c->words > layer->rows / 2;
    }
    return OM_OK;
}

static om_status number_lists(const struct om_layer *layer, size_t column,
                              bool *out)
{
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *segment = layer->part[p].segment;
        const size_t rows = om_segment_rows(segment);
        const struct om_column *c;
        OM_TRY(om_segment_column(segment, column, 0, 0, &c));
        for (size_t b = 0; b * OM_BLOCK_ROWS < rows; b++) {
            if (c->block_min[b] < least) least = c->block_min[b];
            if (c->block_max[b] > most) most = c->block_max[b];
        }
    }
    *out = least <= most &&
           (uint64_t)most - (uint64_t)least >= (uint64_t)OM_KINDS_MOST;
    return OM_OK;
}

om_status om_column_lists(const struct om_layer *layer, size_t column,
                          bool *out)
{
    const struct om_schema *s = &layer->schema;
    *out = false;
    if (column + layer->unit_columns >= s->count) return OM_OK;
    *out = true;
    if (column == s->id_field) return OM_OK;
    switch (s->field[column].type) {
        case OM_TYPE_BOOLEAN:
            *out = false;
            return OM_OK;
        case OM_TYPE_CATEGORY:
            *out = false;
            return category_lists(layer, column, out);
        case OM_TYPE_INTEGER:
            return number_lists(layer, column, out);
        default:
            return OM_OK;
    }
}
