// persons.c - columns whose values are single persons.
#include "engine/policy/persons.h"

#include <string.h>

#include "engine/policy/policy.h"

/* Values of a part up to which a category is one of kinds. */
#define KINDS 1000

static om_status has_id(const struct om_layer *layer, const char *id,
                        size_t len, struct om_text_reader *reader, bool *out)
{
    for (size_t p = 0; p < layer->parts && !*out; p++) {
        size_t row;
        const om_status st = om_segment_find(layer->part[p].segment, id, len,
                                             reader, &row);
        if (st && st != OM_E_NOTFOUND) return st;
        *out = !st;
    }
    return OM_OK;
}

/* Is a value of the part an id of a layer about persons? */
static om_status look_up(const struct om_snapshot *whole,
                         const struct om_column *c, bool *out)
{
    om_status st = OM_OK;
    for (size_t i = 0; i < whole->layers && !*out && !st; i++) {
        const struct om_layer *about = &whole->layer[i];
        struct om_text_reader reader = {0};
        if (!om_layer_personal(whole->manifest, about->name)) continue;
        for (size_t w = 0; w < c->words && !*out && !st; w++)
            st = has_id(about, c->word_bytes + c->word_offset[w],
                        c->word_offset[w + 1] - c->word_offset[w], &reader,
                        out);
        om_text_reader_deinit(&reader);
    }
    return st;
}

/* Do a category's values single somebody out, whatever the city says? */
static om_status category_singles(const struct om_snapshot *whole,
                                  const struct om_layer *layer, size_t column,
                                  bool *out)
{
    for (size_t p = 0; p < layer->parts && !*out; p++) {
        const struct om_column *c;
        OM_TRY(om_segment_column(layer->part[p].segment, column, 0, 0, &c));
        *out = c->coding != OM_CODING_DICTIONARY || c->words > KINDS;
        if (!*out) OM_TRY(look_up(whole, c, out));
    }
    return OM_OK;
}

om_status om_column_singles(const struct om_snapshot *whole,
                            const struct om_layer *layer, size_t column,
                            bool *out)
{
    const struct om_field *field = &layer->schema.field[column];
    *out = field->type == OM_TYPE_TEXT ||
           !om_column_kinds(whole->manifest, layer->name, field->name);
    if (*out || field->type != OM_TYPE_CATEGORY) return OM_OK;
    return category_singles(whole, layer, column, out);
}
