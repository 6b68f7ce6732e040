// documents.h - what documents say of a layer, and their links.
#ifndef OM_WEB_SERVER_DOCUMENTS_H
#define OM_WEB_SERVER_DOCUMENTS_H

#include "web/server/server_internal.h"

/** First and last time of a layer; false where it has none. */
bool om__layer_times(const struct om_layer *layer, int64_t *from_s,
                     int64_t *to_s);
/** Append ,"extent":{...} where there is any; where only crowds may be told
 *  of, the units' and no times. */
void om__layer_extent(const struct om__request *request,
                      const struct om_layer *layer, struct om_buf *out);
/** Append ,"rows":N: those of whoever asks; null where they are too few to be
 *  told. cost: of a layer with an area, one count */
void om__layer_rows(const struct om__request *request,
                    const struct om_layer *layer, struct om_buf *out);
/** Append ,"title":..,"department":.. and what else the city says of it. */
void om__layer_about(const struct om__request *request,
                     const struct om_layer *layer, struct om_buf *out);
/** Append the coordinate systems that rows can be had in, as a list. */
void om__systems_add(struct om_buf *out);
/** Members of a JSON Schema that say what a column holds. */
const char *om__type_schema(enum om_type type);

/* A link of an OGC document. */
struct om__link {
    const char *rel, *type;
    const char *title;  // may be NULL
    const char *path;   // below the base, "/collections"
    bool templated;
};
/** Append a link as a JSON object. */
void om__link_add(const struct om__request *request,
                  const struct om__link *link, struct om_buf *out);
/** Append ,"links":[...]. */
void om__links_add(const struct om__request *request,
                   const struct om__link *link, size_t count,
                   struct om_buf *out);
/** Append links to a list being written, *first: to an empty one. "%s" in a
 *  path is `name`. */
void om__links_of(const struct om__request *request,
                  const struct om__link *form, size_t count, const char *name,
                  bool *first, struct om_buf *out);
/** "https://host" that links begin with. */
om_status om__add_base_url(const struct om__request *request,
                           struct om_buf *out);

#endif
