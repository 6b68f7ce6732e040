// plan.c - names given by the user, by the schema and by the file, matched.
#include "data/source/plan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/base/utf8.h"

/* Names of keys, the likeliest first. */
static const char *const ID_NAME[] = {"id",  "fid",    "objectid", "ogc_fid",
                                      "gid", "osm_id", "@id"};
static const char *const XY_NAME[][2] = {
    {"lon", "lat"},        {"lng", "lat"}, {"longitude", "latitude"},
    {"long", "lat"},       {"x", "y"},     {"经度", "纬度"},
    {"point_x", "point_y"}};

size_t om__field_find(const struct om__field *field, size_t fields,
                      const char *name)
{
    for (size_t i = 0; i < fields; i++)
        if (strcmp(field[i].name, name) == 0) return i;
    for (size_t i = 0; i < fields; i++)
        if (strcasecmp(field[i].name, name) == 0) return i;
    return OM_NO_FIELD;
}

static om_status no_field(const struct om_source_options *options,
                          const char *name, const char *advice,
                          struct om_err *err)
{
    return om_fail(err, OM_E_NOTFOUND, 0, "%s: no field '%s'%s", options->path,
                   name, advice);
}

om_status om__fields_xy(const struct om_source_options *options,
                        const struct om__field *field, size_t fields, size_t *x,
                        size_t *y, struct om_err *err)
{
    *x = *y = OM_NO_FIELD;
    if (options->x || options->y) {
        const char *xn = options->x ? options->x : "x";
        const char *yn = options->y ? options->y : "y";
        *x = om__field_find(field, fields, xn);
        *y = om__field_find(field, fields, yn);
        if (*x == OM_NO_FIELD) return no_field(options, xn, "", err);
        if (*y == OM_NO_FIELD) return no_field(options, yn, "", err);
        return OM_OK;
    }
    for (size_t i = 0; i < sizeof XY_NAME / sizeof *XY_NAME; i++) {
        *x = om__field_find(field, fields, XY_NAME[i][0]);
        *y = om__field_find(field, fields, XY_NAME[i][1]);
        if (*x != OM_NO_FIELD && *y != OM_NO_FIELD) return OM_OK;
    }
    *x = *y = OM_NO_FIELD;
    return OM_OK;
}

static const struct om_source_map *map_of_column(
    const struct om_source_options *options, const char *column)
{
    for (size_t i = 0; i < options->maps; i++)
        if (strcmp(options->map[i].column, column) == 0)
            return &options->map[i];
    return NULL;
}

/* The field of the id, or OM_NO_FIELD for row numbers. */
static om_status find_id(const struct om_source_options *options,
                         const struct om__field *field, size_t fields,
                         size_t *out, struct om_err *err)
{
    const struct om_source_map *map = map_of_column(options, "id");
    const char *given = options->id ? options->id : map ? map->field : NULL;
    *out = OM_NO_FIELD;
    if (given) {
        *out = om__field_find(field, fields, given);
        if (*out == OM_NO_FIELD)
            return no_field(options, given, " to be the id", err);
        return OM_OK;
    }
    for (size_t i = 0; i < sizeof ID_NAME / sizeof *ID_NAME; i++) {
        *out = om__field_find(field, fields, ID_NAME[i]);
        if (*out != OM_NO_FIELD && !field[*out].absent) return OM_OK;
    }
    *out = OM_NO_FIELD;
    return OM_OK;
}

/* Copy a name, cut at a character if it is too long. */
static void copy_name(char out[OM_LIMIT_NAME_BYTES], const char *name,
                      size_t room)
{
    size_t len = 0, next;
    const size_t all = strlen(name);
    while (len < all && (next = om_utf8_next(name + len, all - len)) > 0 &&
           len + next < room)
        len += next;
    memcpy(out, name, len);
    out[len] = '\0';
}

/* A name that no column before has. */
static void name_column(struct om_schema *schema, size_t c, const char *name)
{
    char *out = schema->field[c].name;
    copy_name(out, name, OM_LIMIT_NAME_BYTES);
    if (!*out) snprintf(out, OM_LIMIT_NAME_BYTES, "column_%zu", c + 1);
    for (size_t n = 2; om_schema_find(schema, out) < c; n++) {
        char tail[24];
        const int len = snprintf(tail, sizeof tail, "_%zu", n);
        copy_name(out, name, OM_LIMIT_NAME_BYTES - (size_t)len);
        strcat(out, tail);
    }
}

static om_status add_column(struct om__plan *plan, const char *name,
                            enum om_type type, size_t from, struct om_err *err)
{
    struct om_schema *schema = &plan->schema;
    if (schema->count == OM_LIMIT_COLUMNS)
        return om_fail(err, OM_E_LIMIT, 0, "more than %d columns",
                       OM_LIMIT_COLUMNS);
    schema->field[schema->count].type = type;
    plan->from[schema->count] = from;
    schema->count++;
    name_column(schema, schema->count - 1, name);
    return OM_OK;
}

static om_status plan_by_fields(const struct om_source_options *options,
                                const struct om__field *field, size_t fields,
                                size_t id, struct om__plan *plan,
                                struct om_err *err)
{
    struct om_schema *schema = &plan->schema;
    const size_t other = om__field_find(field, fields, "id");
    const bool free_name = other == OM_NO_FIELD || other == id;
    if (id == OM_NO_FIELD) {
        schema->id_field = 0;
        OM_TRY(add_column(plan, "id", OM_TYPE_TEXT, OM_NO_FIELD, err));
    }
    for (size_t f = 0; f < fields; f++) {
        const struct om_source_map *map = NULL;
        for (size_t m = 0; m < options->maps && !map; m++)
            if (om__field_find(field, fields, options->map[m].field) == f)
                map = &options->map[m];
        if (field[f].absent || (field[f].hidden && !map && f != id)) continue;
        const char *name = field[f].name;
        if (f == id && free_name) name = "id";
        if (map) name = map->column;
        enum om_type type = field[f].type;
        if (map && map->type >= 0) type = (enum om_type)map->type;
        if (f == id) {
            type = OM_TYPE_TEXT;
            schema->id_field = schema->count;
        }
        OM_TRY(add_column(plan, name, type, f, err));
    }
    return OM_OK;
}

static om_status plan_by_schema(const struct om_source_options *options,
                                const struct om__field *field, size_t fields,
                                size_t id, struct om__plan *plan,
                                struct om_err *err)
{
    plan->schema = *options->schema;
    for (size_t c = 0; c < plan->schema.count; c++) {
        const char *name = plan->schema.field[c].name;
        const struct om_source_map *map = map_of_column(options, name);
        size_t from = om__field_find(field, fields, map ? map->field : name);
        if (c == plan->schema.id_field) {
            if (options->id || from == OM_NO_FIELD) from = id;
        } else if (from == OM_NO_FIELD || field[from].absent) {
            return no_field(options, map ? map->field : name,
                            " for a column of the layer (give --map "
                            "COLUMN=FIELD)",
                            err);
        }
        plan->from[c] = from;
    }
    plan->schema.field[plan->schema.id_field].type = OM_TYPE_TEXT;
    return OM_OK;
}

/* --time names a field of the source or a column; else the first time there
 * is. */
static om_status find_time(const struct om_source_options *options,
                           const struct om__field *field, size_t fields,
                           struct om__plan *plan, struct om_err *err)
{
    struct om_schema *schema = &plan->schema;
    if (!options->time) {
        if (options->schema) return OM_OK;
        schema->time_field = OM_NO_FIELD;
        for (size_t c = schema->count; c-- > 0;)
            if (schema->field[c].type == OM_TYPE_TIME) schema->time_field = c;
        return OM_OK;
    }
    const size_t from = om__field_find(field, fields, options->time);
    size_t found = om_schema_find(schema, options->time);
    for (size_t c = 0; c < schema->count && from != OM_NO_FIELD; c++)
        if (plan->from[c] == from && c != schema->id_field) found = c;
    if (found == OM_NO_FIELD)
        return no_field(options, options->time, " to be the time", err);
    schema->time_field = found;
    schema->field[found].type = OM_TYPE_TIME;
    return OM_OK;
}

om_status om__plan_make(const struct om_source_options *options,
                        const struct om__field *field, size_t fields,
                        enum om_geometry geometry, struct om__plan *out,
                        struct om_err *err)
{
    *out = (struct om__plan){0};
    size_t id;
    OM_TRY(find_id(options, field, fields, &id, err));
    for (size_t m = 0; m < options->maps; m++)
        if (om__field_find(field, fields, options->map[m].field) == OM_NO_FIELD)
            return no_field(options, options->map[m].field, "", err);
    if (options->schema)
        OM_TRY(plan_by_schema(options, field, fields, id, out, err));
    else
        OM_TRY(plan_by_fields(options, field, fields, id, out, err));
    out->schema.geometry = geometry;
    return find_time(options, field, fields, out, err);
}
