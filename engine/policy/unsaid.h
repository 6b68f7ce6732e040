// unsaid.h - what city.json says, to who does not see every column.
#ifndef OM_ENGINE_POLICY_UNSAID_H
#define OM_ENGINE_POLICY_UNSAID_H

#include "engine/policy/role.h"
#include "engine/snapshot.h"

struct om__base;

/**
 * The manifest as a role reads it: what city.json says of columns that the
 * role's own list leaves out is not in its document (nor exposures, panels and
 * titles of columns about persons where it is told nothing of them), so that whatever reads it
 * (the catalog, duties, services, exposures, panels of the wall) answers as a
 * city that has no such columns.
 *
 * What speaks of such a column goes as a whole, since half of it would tell of
 * the rest: an exposure, a panel of the wall, a layer's colours, the titles of
 * the column's values; of all else the member of the document (duty, service).
 * It speaks of one if a text in it has the column's name as a word, and it
 * names the column's layer.
 *
 * returns  *out: the base's own manifest where nothing is left out
 * owns     *out belongs to the base, and is made once a role
 * threads  any
 * test     tests/web/rights_unsaid.test.mjs
 */
om_status om__unsaid_manifest(struct om__base *base, const struct om_role *role,
                              const struct om_manifest **out) OM_MUST_USE;
/** Frees what a base has. */
void om__unsaid_free(struct om__base *base);

/** Columns of a layer that a role's own list has; NULL: all. */
const struct om_names *om_role_columns(const struct om_role *role,
                                       const char *layer);
/** Is a name a word of a text, such as a column's of a filter? */
bool om_text_names(const char *text, const char *name);
/** Does a text have the name of a column that is left out as a word? The text
 *  is a column's name or a filter; NULL has none. */
bool om_layer_unsaid(const struct om_layer *layer, const char *text);

#endif
