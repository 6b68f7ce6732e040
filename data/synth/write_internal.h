// write_internal.h - the writers of the layers, one function each group.
#ifndef OM_DATA_SYNTH_WRITE_INTERNAL_H
#define OM_DATA_SYNTH_WRITE_INTERNAL_H

#include "data/synth/city_internal.h"

om_status om__write_units(const struct om__city *city,
                          struct om_err *err) OM_MUST_USE;
om_status om__write_buildings(const struct om__city *city,
                              struct om_err *err) OM_MUST_USE;
om_status om__write_roads(const struct om__city *city,
                          struct om_err *err) OM_MUST_USE;
om_status om__write_water(const struct om__city *city,
                          struct om_err *err) OM_MUST_USE;
/** address, rental, premises, facility, business */
om_status om__write_register(const struct om__city *city,
                             struct om_err *err) OM_MUST_USE;
/** service_centre, organisation, activity, worker */
om_status om__write_services(const struct om__city *city,
                             struct om_err *err) OM_MUST_USE;
/** hazard, visit, check, appeal, tip */
om_status om__write_events(const struct om__city *city,
                           struct om_err *err) OM_MUST_USE;
om_status om__write_manifest(const struct om__city *city,
                             struct om_err *err) OM_MUST_USE;
/** How a layer looks: members of its object in city.json. */
void om__add_looks(struct om_buf *out, const char *layer);
/** What its values are called: value_titles and value_titles_en. */
void om__add_titles(struct om_buf *out, const char *layer);
/** What else people call them: value_words. */
void om__add_words(struct om_buf *out, const char *layer);
/** A source of data in English; "" where it has none. */
const char *om__department_en(const char *department);
/** What the wall shows and what is not connected yet: `wall` and `awaited` of
 *  city.json, a comma after them. */
void om__add_wall(struct om_buf *out);
/** `exposures` of city.json, a comma after it. */
void om__add_exposures(struct om_buf *out);
/** models/, four of them */
om_status om__write_models(const struct om__city *city,
                           struct om_err *err) OM_MUST_USE;
/** What ends names of places, in English: members of `english` of city.json
 *  and of publish.json (engine/search/roman.h). */
#define OM__PLACE_TERMS                                                             \
    "    \"街道\": \"Subdistrict\", \"镇\": \"Town\", "                          \
    "\"社区\": \"Community\", \"村\": \"Village\", "                             \
    "\"第#网格\": \"Grid #\", \"松山湖\": \"Songshan Lake\", \"厚街镇\": " \
    "\"Houjie Town\",\n"                                                            \
    "    \"路\": \"Rd\", \"大道\": \"Ave\", \"街\": \"St\", "                   \
    "\"巷\": \"Lane\", \"高速\": \"Expressway\", "                               \
    "\"(合成)\": \"(synthetic)\",\n"                                              \
    "    \"东江\": \"Dongjiang River\", \"南支流\": \"South Branch\", "        \
    "\"水道\": \"Channel\", \"石马河\": \"Shima River\", "                     \
    "\"寒溪河\": \"Hanxi River\",\n"                                             \
    "    \"运河\": \"Canal\", \"水库\": \"Reservoir\", "                        \
    "\"松木湖\": \"Songmu Lake\", \"黄旗湖\": \"Huangqi Lake\",\n"            \
    "    \"涌\": \"chong\", \"厦\": \"xia\", \"滘\": \"jiao\", "                 \
    "\"长\": \"chang\""
/** publish.json: what may be public of it */
om_status om__write_publish(const struct om__city *city,
                            struct om_err *err) OM_MUST_USE;
om_status om__write_truth(const struct om__city *city,
                          struct om_err *err) OM_MUST_USE;
om_status om__write_dirt(const struct om__city *city,
                         struct om_err *err) OM_MUST_USE;
/** Is there a layer of this name (of `len` bytes)? */
bool om__layer_known(const char *name, size_t len);

#endif
