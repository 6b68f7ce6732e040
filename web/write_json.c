// write_json.c - Features of GeoJSON, as a document or a line each.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "web/write_internal.h"

/* Members that answers of ours have, and what other programs write beside the
 * rows: passed over. Anything else is refused by name. */
static const char *const FEATURE[] = {"type", "id",    "geometry", "properties",
                                      "bbox", "links", NULL};
static const char *const COLLECTION[] = {
    "type",           "features",  "bbox", "links", "numberMatched",
    "numberReturned", "timeStamp", "name", "crs",   NULL};

static bool listed(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (!strcmp(*names, name)) return true;
    return false;
}

/* The first member of an object that is not among the names; NULL: none. What
 * is looked at is bounded: no name is in an object twice. A patch may take away
 * (null) what is not there: RFC 7396. */
static const char *stranger(const struct om_json *object,
                            const char *const *names, bool patch)
{
    const size_t n = om_json_count(object);
    for (size_t i = 0; i < n; i++) {
        const char *key = "";
        const struct om_json *value = om_json_member(object, i, &key);
        if (patch && om_json_kind(value) == OM_JSON_NULL) continue;
        if (!listed(names, key)) return key;
    }
    return NULL;
}

static const char *kind_word(const struct om_json *value)
{
    switch (om_json_kind(value)) {
        case OM_JSON_BOOLEAN:
            return "true or false";
        case OM_JSON_NUMBER:
            return "a number";
        case OM_JSON_TEXT:
            return "a text";
        case OM_JSON_LIST:
            return "a list";
        case OM_JSON_OBJECT:
            return "an object";
        default:
            return "nothing";
    }
}

static void other_type(struct om_body *body, const struct om_field *field,
                       const struct om_json *value)
{
    static const char *const WANT[] = {
        [OM_TYPE_TEXT] = "a text",
        [OM_TYPE_CATEGORY] = "a text",
        [OM_TYPE_INTEGER] = "a whole number",
        [OM_TYPE_REAL] = "a number",
        [OM_TYPE_TIME] = "a time as ISO 8601 text",
        [OM_TYPE_BOOLEAN] = "true or false"};
    om__row_fault(body, OM_E_TYPE, field->name, "%s is expected, not %s",
                  WANT[field->type], kind_word(value));
}

static void read_number(struct om_body *body, const struct om_field *field,
                        const struct om_json *value, struct om__cell *cell)
{
    if (om_json_kind(value) != OM_JSON_NUMBER) {
        other_type(body, field, value);
        return;
    }
    cell->set = true;
    if (field->type == OM_TYPE_REAL) {
        cell->real = om_json_real(value, NAN);
        if (!isfinite(cell->real))
            om__row_fault(body, OM_E_RANGE, field->name, "not finite");
        return;
    }
    // Asked twice: what is not whole gives back both.
    cell->integer = om_json_integer(value, 0);
    if (cell->integer == 0 && om_json_integer(value, 1) == 1)
        om__row_fault(body, OM_E_TYPE, field->name, "not a whole number");
}

static void read_time(struct om_body *body, const struct om_field *field,
                      const char *text, struct om__cell *cell)
{
    cell->set = true;
    if (om_time_parse(text, strlen(text), body->rules->zone_s, &cell->integer))
        om__row_fault(body, OM_E_FORMAT, field->name,
                      "'%.40s' is not a time (2023-06-26T14:05:31+08:00)",
                      text);
}

static void read_value(struct om_body *body, size_t c,
                       const struct om_json *value)
{
    const struct om_field *field = &body->schema.field[c];
    struct om__cell *cell = &body->cell[c];
    const char *text = om_json_text(value, NULL);
    body->given[c] = true;
    if (om_json_kind(value) == OM_JSON_NULL) return;
    switch (field->type) {
        case OM_TYPE_INTEGER:
        case OM_TYPE_REAL:
            read_number(body, field, value, cell);
            return;
        case OM_TYPE_BOOLEAN:
            if (om_json_kind(value) != OM_JSON_BOOLEAN)
                other_type(body, field, value);
            cell->set = true;
            cell->integer = om_json_true(value, false);
            return;
        default:
            break;
    }
    if (!text) {
        other_type(body, field, value);
    } else if (field->type == OM_TYPE_TIME) {
        read_time(body, field, text, cell);
    } else {
        *cell =
            (struct om__cell){.set = true, .text = text, .len = strlen(text)};
        if (cell->len > OM_LIMIT_TEXT_BYTES)
            om__row_fault(body, OM_E_LIMIT, field->name, "text is too long");
    }
}

static bool is_unit(const struct om_body *body, const char *name)
{
    const struct om_layer *layer = body->rules->layer;
    return om_layer_unit_field(layer, name) != OM_NO_FIELD;
}

/* Some member is not a column: say which. */
static void find_stranger(struct om_body *body,
                          const struct om_json *properties)
{
    const size_t n = om_json_count(properties);
    for (size_t i = 0; i < n; i++) {
        const char *key = "";
        const struct om_json *value = om_json_member(properties, i, &key);
        const bool taken_away =
            body->rules->patch && om_json_kind(value) == OM_JSON_NULL;
        if (om_schema_find(&body->schema, key) != OM_NO_FIELD ||
            is_unit(body, key) || taken_away)
            continue;
        om__row_fault(body, OM_E_FORMAT, key, "the layer %s has no such column",
                      body->rules->layer->name);
        return;
    }
}

static void read_properties(struct om_body *body,
                            const struct om_json *properties)
{
    const struct om_schema *schema = &body->schema;
    const enum om_json_kind kind = om_json_kind(properties);
    // A patch that takes all of them away; the id is the row's own.
    for (size_t c = 0; kind == OM_JSON_NULL && c < schema->count; c++)
        body->given[c] = c != schema->id_field && !schema->hidden[c];
    if (kind == OM_JSON_NONE || kind == OM_JSON_NULL) return;
    if (kind != OM_JSON_OBJECT) {
        om__row_fault(body, OM_E_FORMAT, "properties", "not an object");
        return;
    }
    size_t found = 0;
    for (size_t c = 0; c < schema->count; c++) {
        const struct om_json *value =
            om_json_get(properties, schema->field[c].name);
        if (!value || schema->hidden[c]) continue;
        found++;
        if (c != schema->id_field) {
            read_value(body, c, value);
            continue;
        }
        const char *text = om_json_text(value, NULL);
        if (text)
            om__row_id(body, text, strlen(text));
        else
            other_type(body, &schema->field[c], value);
    }
    const struct om_layer *layer = body->rules->layer;
    for (size_t u = schema->count; u < layer->schema.count; u++)
        found += om_json_get(properties, layer->schema.field[u].name) != NULL;
    if (found < om_json_count(properties)) find_stranger(body, properties);
}

/* The member id: a text, or a whole number, which is its digits. */
static void read_id(struct om_body *body, const struct om_json *id)
{
    const char *text = om_json_text(id, NULL);
    char digits[24];
    if (om_json_kind(id) == OM_JSON_NONE) return;
    if (text) {
        om__row_id(body, text, strlen(text));
    } else if (om_json_kind(id) == OM_JSON_NUMBER &&
               om_json_integer(id, 0) == om_json_integer(id, 1)) {
        const int n = snprintf(digits, sizeof digits, "%lld",
                               (long long)om_json_integer(id, 0));
        om__row_id(body, digits, n > 0 ? (size_t)n : 0);
    } else {
        om__row_fault(body, OM_E_TYPE, "id", "an id is a text");
    }
}

static om_status read_feature(struct om_body *body,
                              const struct om_json *feature)
{
    om__row_begin(body);
    const struct om_json *type = om_json_get(feature, "type");
    const struct om_json *geometry = om_json_get(feature, "geometry");
    const bool patch = body->rules->patch;
    if (om_json_kind(feature) != OM_JSON_OBJECT ||
        (strcmp(om_json_text(type, ""), "Feature") != 0 &&
         !(patch && om_json_kind(type) == OM_JSON_NONE))) {
        om__row_fault(body, OM_E_FORMAT, "type", "not a GeoJSON Feature");
        return om__row_end(body);
    }
    read_id(body, om_json_get(feature, "id"));
    const char *odd = stranger(feature, FEATURE, patch);
    if (odd)
        om__row_fault(body, OM_E_FORMAT, odd,
                      "a Feature has no such member here");
    read_properties(body, om_json_get(feature, "properties"));
    const enum om_json_kind kind = om_json_kind(geometry);
    if (kind == OM_JSON_NULL && patch)
        om__row_fault(body, OM_E_GEOMETRY, "geometry",
                      "a row keeps a geometry");
    else if (kind != OM_JSON_NONE && kind != OM_JSON_NULL)
        OM_TRY(om__row_geometry(body, geometry));
    return om__row_end(body);
}

/* Coordinates are OGC:CRS84; some programs say so, in GeoJSON's old way. */
static om_status check_crs(const struct om_json *crs, struct om_err *err)
{
    if (om_json_kind(crs) == OM_JSON_NONE || om_json_kind(crs) == OM_JSON_NULL)
        return OM_OK;
    const char *name =
        om_json_text(om_json_get(om_json_get(crs, "properties"), "name"), "");
    const size_t len = strlen(name);
    if (len >= 5 && !strcmp(name + len - 5, "CRS84")) return OM_OK;
    return om_fail(err, OM_E_CRS, 0,
                   "coordinates are OGC:CRS84, longitude and latitude: crs "
                   "names another system");
}

static om_status read_collection(struct om_body *body,
                                 const struct om_json *document,
                                 struct om_err *err)
{
    const char *odd = stranger(document, COLLECTION, false);
    const struct om_json *features = om_json_get(document, "features");
    if (odd)
        return om_fail(err, OM_E_FORMAT, 0,
                       "a FeatureCollection has no member '%.64s' here", odd);
    OM_TRY(check_crs(om_json_get(document, "crs"), err));
    if (om_json_kind(features) != OM_JSON_LIST)
        return om_fail(err, OM_E_FORMAT, 0,
                       "the features of a FeatureCollection are a list");
    const size_t n = om_json_count(features);
    for (size_t i = 0; i < n && body->rows <= OM_BODY_ROWS; i++)
        OM_TRY(read_feature(body, om_json_at(features, i)));
    return OM_OK;
}

om_status om__document_read(struct om_body *body, const char *text, size_t len,
                            struct om_err *err)
{
    struct om_json *document = NULL;
    if (!len) return om_fail(err, OM_E_FORMAT, 0, "the body is empty");
    body->is_feature = om__line_take(body, text, len);
    if (body->is_feature) return om__row_end(body);
    OM_TRY(om_json_parse(text, len, &document, err));
    const char *type = om_json_text(om_json_get(document, "type"), "");
    const bool patch = body->rules->patch;
    om_status st;
    if (!strcmp(type, "FeatureCollection") && !body->rules->id) {
        st = read_collection(body, document, err);
    } else if (!strcmp(type, "Feature") ||
               (patch && om_json_kind(document) == OM_JSON_OBJECT &&
                !om_json_get(document, "type"))) {
        body->is_feature = true;
        st = read_feature(body, document);
    } else {
        st = om_fail(err, OM_E_FORMAT, 0,
                     body->rules->id
                         ? "the body is not a GeoJSON Feature"
                         : "the body is neither a GeoJSON Feature nor a "
                           "FeatureCollection");
    }
    om_json_free(document);
    return st;
}

om_status om__line_read(struct om_body *body, const char *text, size_t len)
{
    struct om_json *feature = NULL;
    struct om_err err = {0};
    if (om__line_take(body, text, len)) return om__row_end(body);
    const om_status st = om_json_parse(text, len, &feature, &err);
    if (!st) {
        const om_status read = read_feature(body, feature);
        om_json_free(feature);
        return read;
    }
    if (st == OM_E_MEMORY) return st;
    om__row_begin(body);
    om__row_fault(body, OM_E_FORMAT, "", "%s", err.text);
    return om__row_end(body);
}
