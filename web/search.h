// search.h - answers of a search as JSON and as lines.
#ifndef OM_WEB_SEARCH_H
#define OM_WEB_SEARCH_H

#include "data/base/buf.h"
#include "engine/search/search.h"

/** Append {"results":[...]}, and "incomplete":true where an index is still
 *  being made. */
om_status om_search_json(const struct om_snapshot *snapshot,
                         const struct om_search_answer *answer,
                         struct om_buf *out) OM_MUST_USE;
/** Append ,"grid":{"id","name"},... for each level, null where there is none.
 *  shapes   unit [levels of the manifest] */
om_status om_search_json_units(const struct om_snapshot *snapshot,
                               const struct om_search_unit *unit,
                               struct om_buf *out) OM_MUST_USE;
/** Append CSV with a head: kind, layer, id, text, lon, lat, the levels' names,
 *  score, matched. */
om_status om_search_csv(const struct om_snapshot *snapshot,
                        const struct om_search_answer *answer,
                        struct om_buf *out) OM_MUST_USE;

#endif
