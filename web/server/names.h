// names.h - what the units of a level are called.
#ifndef OM_WEB_SERVER_NAMES_H
#define OM_WEB_SERVER_NAMES_H

#include "web/server/server_internal.h"

struct om__unit_name {
    const char *id, *name, *english;  // english: of the column name_en
    size_t id_len, name_len, english_len;
};
om_status om__names_new(struct om__made **out) OM_MUST_USE;
/* The names of one level at one moment; counted. */
struct om__level_names;
/** Names of the units of `level`; *out NULL where no layer has them. */
om_status om__names_get(struct om__request *request, const char *level,
                        struct om__level_names **out) OM_MUST_USE;
void om__level_names_unref(struct om__level_names *names);
/** How many there are (of NULL none), and number i of them, by id. */
size_t om__level_names_count(const struct om__level_names *names);
const struct om__unit_name *om__level_names_at(
    const struct om__level_names *names, size_t i);
/** Name of a unit, or NULL. */
const struct om__unit_name *om__level_names_find(
    const struct om__level_names *names, const char *id, size_t len);

#endif
