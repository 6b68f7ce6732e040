// schema.c - names of types and of fields.
#include "data/model/schema.h"

#include <string.h>

static const char *const TYPE[] = {"text", "category", "integer",
                                   "real", "time",     "boolean"};
static const char *const GEOMETRY[] = {"point", "line", "polygon"};

static bool index_of(const char *const *names, size_t n, const char *name,
                     size_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *out = i;
        return true;
    }
    return false;
}

const char *om_type_name(enum om_type type)
{
    return TYPE[type];
}

bool om_type_from_name(const char *name, enum om_type *out)
{
    size_t i;
    if (!index_of(TYPE, sizeof TYPE / sizeof *TYPE, name, &i)) return false;
    *out = (enum om_type)i;
    return true;
}

const char *om_geometry_name(enum om_geometry geometry)
{
    return GEOMETRY[geometry];
}

bool om_geometry_from_name(const char *name, enum om_geometry *out)
{
    size_t i;
    if (!index_of(GEOMETRY, sizeof GEOMETRY / sizeof *GEOMETRY, name, &i))
        return false;
    *out = (enum om_geometry)i;
    return true;
}

size_t om_schema_shown(const struct om_schema *schema)
{
    size_t shown = 0;
    for (size_t i = 0; i < schema->count; i++) shown += !schema->hidden[i];
    return shown;
}

size_t om_schema_find(const struct om_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->field[i].name, name) == 0 &&
            !schema->hidden[i])
            return i;
    return OM_NO_FIELD;
}
