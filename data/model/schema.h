// schema.h - what a layer looks like: its geometry and its columns.
#ifndef OM_DATA_MODEL_SCHEMA_H
#define OM_DATA_MODEL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/limits.h"

enum om_type {
    OM_TYPE_TEXT,      // any UTF-8
    OM_TYPE_CATEGORY,  // UTF-8 of few distinct values
    OM_TYPE_INTEGER,   // 64 bits, signed
    OM_TYPE_REAL,      // double, finite
    OM_TYPE_TIME,      // UTC seconds since 1970
    OM_TYPE_BOOLEAN,
};

enum om_geometry { OM_GEOMETRY_POINT, OM_GEOMETRY_LINE, OM_GEOMETRY_POLYGON };

struct om_field {
    char name[OM_LIMIT_NAME_BYTES];  // as users type it in filters
    enum om_type type;
};

/* Fields in the order of the layer. The id is a field too: text, no NULL, no
 * two rows the same. */
struct om_schema {
    enum om_geometry geometry;
    size_t count;
    struct om_field field[OM_LIMIT_COLUMNS];
    size_t id_field;    // index; always there
    size_t time_field;  // index of the time that --time and decay use, or
                        // OM_NO_FIELD
    bool hidden[OM_LIMIT_COLUMNS];  // from whoever asks; only in snapshots
                                    // (engine/policy)
};

#define OM_NO_FIELD SIZE_MAX

/** "text", "category", "integer", "real", "time", "boolean". */
const char *om_type_name(enum om_type type);
/** The reverse; false if there is no such type. */
bool om_type_from_name(const char *name, enum om_type *out);
/** "point", "line", "polygon", and back. */
const char *om_geometry_name(enum om_geometry geometry);
bool om_geometry_from_name(const char *name, enum om_geometry *out);
/** Index of the field called `name`, or OM_NO_FIELD. One that is hidden is not
 *  found. */
size_t om_schema_find(const struct om_schema *schema, const char *name);
/** How many fields are not hidden. */
size_t om_schema_shown(const struct om_schema *schema);

#endif
