// sources.c - which texts of a city are searched.
#include <stdio.h>
#include <string.h>

#include "engine/search/search.h"

static const char *const USUAL[] = {"name", "title", "text"};

static bool is_text(const struct om_layer *layer, const char *column)
{
    const size_t f = om_schema_find(&layer->schema, column);
    return f != OM_NO_FIELD &&
           (layer->schema.field[f].type == OM_TYPE_TEXT ||
            layer->schema.field[f].type == OM_TYPE_CATEGORY);
}

static void set(char *out, const char *text)
{
    snprintf(out, OM_LIMIT_NAME_BYTES, "%.*s", OM_LIMIT_NAME_BYTES - 1, text);
}

/* Of addresses: the column that is called like a layer of polygons. */
static void set_usual_group(const struct om_snapshot *snapshot,
                            const struct om_layer *layer,
                            struct om_search_source *out)
{
    for (size_t f = 0; f < layer->schema.count; f++) {
        const char *name = layer->schema.field[f].name;
        const struct om_layer *group = om_snapshot_layer(snapshot, name);
        if (!group || group->schema.geometry != OM_GEOMETRY_POLYGON ||
            group->meta->unit_level[0] || !is_text(layer, name))
            continue;
        set(out->group, name);
        set(out->group_layer, name);
        return;
    }
}

static size_t usual_sources(const struct om_snapshot *snapshot,
                            struct om_search_source *out)
{
    size_t n = 0;
    for (size_t i = 0; i < snapshot->layers && n < OM_SEARCH_LAYERS; i++) {
        const struct om_layer *layer = &snapshot->layer[i];
        for (size_t c = 0; c < sizeof USUAL / sizeof *USUAL; c++) {
            if (!is_text(layer, USUAL[c])) continue;
            memset(&out[n], 0, sizeof out[n]);
            set(out[n].layer, layer->name);
            set(out[n].kind, layer->name);
            set(out[n].column, USUAL[c]);
            if (!strcmp(USUAL[c], "text"))
                set_usual_group(snapshot, layer, &out[n]);
            n++;
            break;
        }
    }
    return n;
}

static om_status read_source(const struct om_json *item, size_t i,
                             struct om_search_source *out, struct om_err *err)
{
    static const char *const KEY[] = {"layer", "column", "kind", "group",
                                      "group_layer"};
    char *const to[] = {out->layer, out->column, out->kind, out->group,
                        out->group_layer};
    memset(out, 0, sizeof *out);
    for (size_t k = 0; k < sizeof KEY / sizeof *KEY; k++) {
        const struct om_json *value = om_json_get(item, KEY[k]);
        const char *text = om_json_text(value, k < 2 ? NULL : "");
        if (!text || strlen(text) >= OM_LIMIT_NAME_BYTES ||
            (value && om_json_kind(value) != OM_JSON_TEXT))
            return om_fail(err, OM_E_FORMAT, 0,
                           "city.json: search[%zu].%s: a name is expected", i,
                           KEY[k]);
        set(to[k], text);
    }
    if (!out->kind[0]) set(out->kind, out->layer);
    return OM_OK;
}

om_status om_search_sources(const struct om_snapshot *snapshot,
                            struct om_search_source *out, size_t *count,
                            struct om_err *err)
{
    const struct om_json *list =
        om_json_get(snapshot->manifest->document, "search");
    *count = 0;
    if (!list) {
        *count = usual_sources(snapshot, out);
        return OM_OK;
    }
    if (om_json_kind(list) != OM_JSON_LIST ||
        om_json_count(list) > OM_SEARCH_LAYERS)
        return om_fail(err, OM_E_FORMAT, 0,
                       "city.json: search: a list of at most %d is expected",
                       OM_SEARCH_LAYERS);
    for (size_t i = 0; i < om_json_count(list); i++) {
        struct om_search_source *s = &out[*count];
        OM_TRY(read_source(om_json_at(list, i), i, s, err));
        const struct om_layer *layer = om_snapshot_layer(snapshot, s->layer);
        if (layer && is_text(layer, s->column)) ++*count;
    }
    return OM_OK;
}
