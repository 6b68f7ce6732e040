// roles_text.h - the roles of a city that has no roles.json, as such a file.
#ifndef OM_DATA_CITY_ROLES_TEXT_H
#define OM_DATA_CITY_ROLES_TEXT_H

/** A JSON document, NUL-terminated (engine/policy/role.h says what is in it).
 *  What a layer has that is about single persons, city.json says. */
extern const char OM_ROLES_TEXT[];

#endif
