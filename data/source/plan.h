// plan.h - which field of the source becomes which column. Inside data/source
// only.
#ifndef OM_DATA_SOURCE_PLAN_H
#define OM_DATA_SOURCE_PLAN_H

#include "data/source/source.h"

/* A field as the source has it. */
struct om__field {
    char *name;  // UTF-8, whole
    enum om_type type;
    bool hidden;  // a column only if asked for (x and y)
    bool absent;  // cannot be a column at all
};

/* The answer. from[c] is the field of column c, or OM_NO_FIELD for an id made
 * of row numbers. */
struct om__plan {
    struct om_schema schema;
    size_t from[OM_LIMIT_COLUMNS];
};

/** Index of the field called `name`, exactly or else but for case;
 *  OM_NO_FIELD. */
size_t om__field_find(const struct om__field *field, size_t fields,
                      const char *name);
/** The fields that hold x and y: as given, or by their usual names; false if
 *  there are none. returns in err what is missing if they were given. */
om_status om__fields_xy(const struct om_source_options *options,
                        const struct om__field *field, size_t fields, size_t *x,
                        size_t *y, struct om_err *err) OM_MUST_USE;
/** returns  OM_E_NOTFOUND (a field that is named does not exist), OM_E_LIMIT */
om_status om__plan_make(const struct om_source_options *options,
                        const struct om__field *field, size_t fields,
                        enum om_geometry geometry, struct om__plan *out,
                        struct om_err *err) OM_MUST_USE;

#endif
