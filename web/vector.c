// vector.c - the parameters of vector tiles.
#include "web/vector.h"

#include <string.h>

void om_vector_ask_begin(struct om_vector_ask *ask,
                         const struct om_layer *layer)
{
    *ask = (struct om_vector_ask){.by = om_vector_by(layer)};
}

static size_t find(const struct om_schema *schema, const char *name, size_t len)
{
    for (size_t f = 0; f < schema->count; f++)
        if (!schema->hidden[f] && strlen(schema->field[f].name) == len &&
            !memcmp(schema->field[f].name, name, len))
            return f;
    return OM_NO_FIELD;
}

om_status om_vector_ask_properties(struct om_vector_ask *ask,
                                   const struct om_layer *layer,
                                   const char *text, struct om_err *err)
{
    ask->some = true;
    while (*text) {
        const size_t len = strcspn(text, ",");
        const size_t f = find(&layer->schema, text, len);
        if (f == OM_NO_FIELD)
            return om_fail(err, OM_E_FORMAT, 0,
                           "properties: %s has no column '%.*s'", layer->name,
                           (int)(len < 64 ? len : 64), text);
        ask->column[f] = true;
        text += len + (text[len] == ',');
    }
    return OM_OK;
}

om_status om_vector_ask_by(struct om_vector_ask *ask,
                           const struct om_layer *layer, const char *text,
                           struct om_err *err)
{
    ask->by = OM_NO_FIELD;
    if (!*text) return OM_OK;
    ask->by = om_schema_find(&layer->schema, text);
    if (ask->by == OM_NO_FIELD)
        return om_fail(err, OM_E_FORMAT, 0, "by: %s has no column '%.64s'",
                       layer->name, text);
    const om_status st = om_vector_by_check(layer, ask->by);
    if (st == OM_E_TYPE)
        return om_fail(err, st, 0, "by: the column %s has no categories", text);
    if (st == OM_E_COST)
        return om_fail(err, st, 0,
                       "by: the column %s has too many values to count in "
                       "cells; up to %d are",
                       text, OM_VECTOR_WORDS);
    return st;
}

struct om_vector_spec om_vector_ask_spec(const struct om_vector_ask *ask,
                                         const struct om_snapshot *snapshot,
                                         const struct om_layer *layer,
                                         const struct om_selection *selection,
                                         const char *name)
{
    return (struct om_vector_spec){
        .layer = layer,
        .selection = selection,
        .name = name,
        .column = ask->some ? ask->column : NULL,
        .nameless = ask->nameless,
        .by = ask->by,
        .zone_s = snapshot->manifest->zone_s,
        .as_of_s = om_snapshot_as_of(snapshot, layer)};
}

static const char *field_type(enum om_type type)
{
    if (type == OM_TYPE_INTEGER || type == OM_TYPE_REAL) return "Number";
    return type == OM_TYPE_BOOLEAN ? "Boolean" : "String";
}

/* What a tile carries besides its rows. */
static const struct {
    const char *name, *about, *fields;
} OWN[] = {
    {"cells", "rows that are too many or too small here, counted by cell",
     "{\"count\":\"Number\",\"bbox\":\"String\",\"expansion_zoom\":"
     "\"Number\"}"},
    {"meta", "what the tile shows and what it only counts",
     "{\"total\":\"Number\",\"shown\":\"Number\",\"suppressed\":\"Number\","
     "\"by\":\"String\",\"as_of\":\"String\"}"},
};

void om_vector_layers_write(const struct om_vector_spec *spec,
                            const char *title, unsigned zoom_max,
                            struct om_buf *out)
{
    const struct om_schema *schema = &spec->layer->schema;
    bool first = true;
    om_buf_add_text(out, "{\"id\":");
    om_buf_add_json_text(out, spec->name, strlen(spec->name));
    om_buf_add_text(out, ",\"description\":");
    om_buf_add_json_text(out, title, strlen(title));
    om_buf_addf(out, ",\"minzoom\":0,\"maxzoom\":%u,\"fields\":{", zoom_max);
    for (size_t f = 0; f < schema->count; f++) {
        if (schema->hidden[f]) continue;
        if (f == schema->id_field ? spec->nameless
                                  : spec->column && !spec->column[f])
            continue;
        if (!first) om_buf_add_byte(out, ',');
        first = false;
        om_buf_add_json_text(out, schema->field[f].name,
                             strlen(schema->field[f].name));
        om_buf_addf(out, ":\"%s\"", field_type(schema->field[f].type));
    }
    om_buf_add_text(out, "}}");
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
        char name[OM_VECTOR_NAME_BYTES];
        om_vector_name(spec, OWN[i].name, name);
        om_buf_add_text(out, ",{\"id\":");
        om_buf_add_json_text(out, name, strlen(name));
        om_buf_addf(out, ",\"description\":\"%s\",\"fields\":%s}", OWN[i].about,
                    OWN[i].fields);
    }
}
