// role.h - roles: what somebody may see of a city, and do to it.
#ifndef OM_ENGINE_POLICY_ROLE_H
#define OM_ENGINE_POLICY_ROLE_H

#include <stdbool.h>

#include "data/base/arena.h"
#include "data/base/limits.h"
#include "data/base/status.h"

/* What may be told of layers and columns that city.json says are about single
 * persons ("personal": true, "personal_columns": [...]). */
enum om_personal {
    OM_PERSONAL_NONE,    // nothing
    OM_PERSONAL_COUNTS,  // how many, where they are many enough
    OM_PERSONAL_ROWS,    // each
};

/* Names; `all`: "*", every name. */
struct om_names {
    bool all;
    size_t count;
    const char *const *name;
};
bool om_names_have(const struct om_names *names, const char *name);

/* Columns of one layer that are shown; id and units always are. */
struct om_role_columns {
    const char *layer;
    struct om_names shown;
};

/* One role of roles.json. Members, with their defaults:
 *   layers          ["*"] or names            needed
 *   without         []      layers that are not among them after all
 *   columns         {}      layer: [names]; of other layers all are shown
 *   personal        "none"  "counts" or "rows"
 *   area            []      levels of units; a token names one of their units,
 *                           and sees nothing elsewhere
 *   smallest_cell   none    the finest level by which persons are counted
 *   smallest_count  10      persons below that are not counted, 1 to 1,000,000
 *   rate_per_s      0       requests of a token; 0: no limit
 *   export          false   whole layers as files
 *   operate         false   figures of the server (/metrics)
 *   write           []      layers that may be written to; with an area only
 *                           from and to places in it */
struct om_role {
    const char *name;
    struct om_names layers, without, area, write;
    size_t columns_of;
    const struct om_role_columns *columns;
    enum om_personal personal;
    const char *smallest_cell;  // NULL: none
    uint64_t smallest_count;
    double rate_per_s;
    bool export, operate;
    uint64_t hash;  // of what the role says
};

/** Persons below that are no crowd, whatever a role says. */
#define OM_CROWD 10

/* Immutable, counted. */
struct om_roles {
    size_t count;
    const struct om_role *role;
    bool built_in;  // the city has no roles.json
};
/** Roles of CITY/roles.json, the built-in ones where there is no such file.
 *  returns  OM_E_FORMAT, OM_E_LIMIT: err says which role and member
 *  owns     om_roles_unref */
om_status om_roles_read(const char *city, struct om_roles **out,
                        struct om_err *err) OM_MUST_USE;
/** The same of a document; `name` is for messages. */
om_status om_roles_parse(const char *text, size_t len, const char *name,
                         struct om_roles **out, struct om_err *err) OM_MUST_USE;
/** Of persons nobody is told of fewer than so many: 10, or what the role that
 *  counts them with the largest numbers has as its smallest. */
uint64_t om_roles_least(const struct om_roles *roles);
struct om_roles *om_roles_ref(struct om_roles *roles);
void om_roles_unref(struct om_roles *roles);
/** Role by name, or NULL. */
const struct om_role *om_roles_find(const struct om_roles *roles,
                                    const char *name);
/** May the role see a layer at all? */
bool om_role_sees(const struct om_role *role, const char *layer);
/** May it write to it? */
bool om_role_writes(const struct om_role *role, const char *layer);

/** Who asks a server on its own machine that nobody has given tokens: sees what
 *  the built-in analyst does, nothing about single persons, and writes. */
extern const struct om_role OM_ROLE_LOCAL;
/** Who asks for a public release: it has nothing to hide, and is read only;
 *  figures of the server are not its. */
extern const struct om_role OM_ROLE_PUBLIC;
/** Everything. */
extern const struct om_role OM_ROLE_ALL;

#endif
