/* rows.c - the columns of a row as properties of a feature.
 *
 * DESIGN
 * What a code of a dictionary is called is looked up and encoded once a tile:
 * an array over the codes remembers the number of the value. Other values are
 * shared by the encoder's own table, but ids are not looked up at all.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/model/time.h"
#include "tiles/vector/vector_internal.h"

/* Dictionaries of more words are not remembered by code: clearing the array
 * would cost more than the tile. */
#define CODES 16384
/** Ids: the largest whole numbers that are exact as doubles. */
#define ID_BITS 53

struct column {
    size_t field;
    uint32_t key;
    enum om_type type;
};
/* Rows of a part that are known to be whole. */
struct touched {
    size_t from, to;
};
/* A column in one part. */
struct source {
    const struct om_column *column;
    uint32_t *value;  // of each code, less one; NULL: not remembered
    struct om_text_reader reader;
};

struct om__rows {
    const struct om_vector_spec *spec;
    struct om_mvt *mvt;
    size_t columns;
    struct column *column;
    struct source *source;    // [parts][columns]
    struct touched *touched;  // [parts]
};

bool om__rows_want(const struct om_vector_spec *spec, size_t field, bool lean)
{
    const struct om_layer *layer = spec->layer;
    const struct om_segment *largest = om__largest(layer);
    const struct om_column *c = NULL;
    if (field == layer->schema.id_field) return !spec->nameless;
    if (layer->schema.hidden[field]) return false;
    if (spec->column) return spec->column[field];
    if (!lean || !largest || layer->schema.field[field].type != OM_TYPE_TEXT)
        return true;
    // What repeats is a dictionary (engine/layer/encode.c).
    return !om_segment_column(largest, field, 0, 0, &c) &&
           c->coding == OM_CODING_DICTIONARY;
}

om_status om__rows_new(const struct om_vector_spec *spec, bool lean,
                       struct om_mvt *mvt, struct om_arena *arena,
                       struct om__rows **out)
{
    const struct om_schema *schema = &spec->layer->schema;
    struct om__rows *rows = om_arena_calloc(arena, 1, sizeof *rows);
    if (!rows) return OM_E_MEMORY;
    *rows = (struct om__rows){.spec = spec, .mvt = mvt};
    rows->column = om_arena_calloc(arena, schema->count, sizeof *rows->column);
    if (!rows->column) return OM_E_MEMORY;
    for (size_t f = 0; f < schema->count; f++) {
        if (!om__rows_want(spec, f, lean)) continue;
        const char *name = schema->field[f].name;
        rows->column[rows->columns++] =
            (struct column){.field = f,
                            .key = om_mvt_key(mvt, name, strlen(name)),
                            .type = schema->field[f].type};
    }
    rows->source = om_arena_calloc(arena, spec->layer->parts * rows->columns,
                                   sizeof *rows->source);
    rows->touched =
        om_arena_calloc(arena, spec->layer->parts + 1, sizeof *rows->touched);
    if (!rows->source || !rows->touched) return OM_E_MEMORY;
    for (size_t i = 0; i < spec->layer->parts * rows->columns; i++) {
        const struct om_part *part = &spec->layer->part[i / rows->columns];
        struct source *s = &rows->source[i];
        OM_TRY(om_segment_column(part->segment,
                                 rows->column[i % rows->columns].field, 0, 0,
                                 &s->column));
        if (s->column->coding != OM_CODING_DICTIONARY ||
            s->column->words > CODES)
            continue;
        s->value =
            om_arena_calloc(arena, s->column->words + 1, sizeof *s->value);
        if (!s->value) return OM_E_MEMORY;
    }
    *out = rows;
    return OM_OK;
}

void om__rows_free(struct om__rows *rows)
{
    if (!rows) return;
    for (size_t i = 0; i < rows->spec->layer->parts * rows->columns; i++)
        om_text_reader_deinit(&rows->source[i].reader);
}

om_status om__rows_touch(struct om__rows *rows, size_t part, size_t from,
                         size_t to)
{
    struct touched *t = &rows->touched[part];
    const struct om_column *ignored;
    if (from >= t->from && to <= t->to) return OM_OK;
    for (size_t i = 0; i < rows->columns; i++)
        OM_TRY(om_segment_column(rows->spec->layer->part[part].segment,
                                 rows->column[i].field, from, to, &ignored));
    if (to - from > t->to - t->from) *t = (struct touched){from, to};
    return OM_OK;
}

/* The decimal number that the text is, or 53 bits of its hash. */
static uint64_t id_of(const char *text, size_t len)
{
    uint64_t value = 0;
    bool number = len > 0 && len <= 16 && (text[0] != '0' || len == 1);
    for (size_t i = 0; i < len && number; i++) {
        number = text[i] >= '0' && text[i] <= '9';
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (number && value < UINT64_C(1) << ID_BITS) return value;
    return om_hash64(text, len, 0) >> (64 - ID_BITS);
}

static uint32_t number_value(struct om__rows *rows, const struct column *c,
                             const struct om_column *column, size_t row)
{
    if (c->type == OM_TYPE_REAL)
        return om_mvt_real(rows->mvt, ((const double *)column->data)[row]);
    const int64_t value = om_column_integer(column, row);
    if (c->type == OM_TYPE_BOOLEAN)
        return om_mvt_boolean(rows->mvt, value != 0);
    if (c->type != OM_TYPE_TIME) return om_mvt_integer(rows->mvt, value);
    char text[OM_TIME_TEXT_BYTES];
    const size_t len = om_time_format(value, rows->spec->zone_s, text);
    return om_mvt_text(rows->mvt, text, len);
}

static om_status text_value(struct om__rows *rows, const struct column *c,
                            struct source *s, size_t part, size_t row, bool id,
                            uint64_t *id_value, uint32_t *value)
{
    uint32_t *known = NULL;
    if (s->value && !id) {
        const uint64_t code = om_column_stored(s->column, row);
        if (code >= s->column->words) return OM_E_DAMAGED;
        known = &s->value[code];
        if (*known) {
            *value = *known - 1;
            return OM_OK;
        }
    }
    const char *text;
    size_t len;
    OM_TRY(om_segment_text(rows->spec->layer->part[part].segment, c->field, row,
                           &s->reader, &text, &len));
    if (!text) return OM_E_DAMAGED;
    if (id) {
        *id_value = id_of(text, len);
        *value = om_mvt_text_once(rows->mvt, text, len);
        return OM_OK;
    }
    *value = om_mvt_text(rows->mvt, text, len);
    if (known) *known = *value + 1;
    return OM_OK;
}

om_status om__rows_feature(struct om__rows *rows, enum om_mvt_type type,
                           size_t part, size_t row)
{
    const size_t id_field = rows->spec->layer->schema.id_field;
    uint64_t id = OM_MVT_NO_ID;
    for (size_t i = 0; i < rows->columns; i++) {
        const struct column *c = &rows->column[i];
        struct source *s = &rows->source[part * rows->columns + i];
        if (!om_column_valid(s->column, row)) continue;
        uint32_t value = 0;
        if (c->type == OM_TYPE_TEXT || c->type == OM_TYPE_CATEGORY)
            OM_TRY(text_value(rows, c, s, part, row, c->field == id_field, &id,
                              &value));
        else
            value = number_value(rows, c, s->column, row);
        om_mvt_tag(rows->mvt, c->key, value);
    }
    om_mvt_feature(rows->mvt, type, id);
    return OM_OK;
}
