// unit_names.h - what the units of a city are called, in Chinese or English.
#ifndef OM_WEB_SERVER_UNIT_NAMES_H
#define OM_WEB_SERVER_UNIT_NAMES_H

#include "web/server/server_internal.h"

/**
 * Append {"town": {"ID": "虎门镇", ...}, ...}: of every unit that whoever asks
 * sees the name, by level, the finest first. In English it is, of these, the
 * first that there is: what city.json says of the name (value_titles_en.name of
 * the level's layer), the column name_en, the name spelled by the city's terms
 * (engine/search/roman.h). Units without any are left out.
 *
 * returns  OM_E_DAMAGED (a file; of city.json its terms), OM_E_MEMORY
 * cost     microseconds a unit; in English the first time 200 ms
 * test     tests/web/names.test.mjs
 */
om_status om__unit_names_add(struct om__request *request, bool english,
                             struct om_buf *out) OM_MUST_USE;

#endif
