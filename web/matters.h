// matters.h - what can be done at a city's centres, made ready to be searched.
#ifndef OM_WEB_MATTERS_H
#define OM_WEB_MATTERS_H

#include "data/base/status.h"
#include "data/json.h"

/**
 * Add to "community" of a city.json what its pages look for matters by: to each
 * matter and group of "matters" its `pinyin` ("ju zhu zheng;..."), to "matters"
 * `variants`, other characters and those that they stand for ("證证醫医").
 * Nothing where there are no matters.
 * returns  OM_E_UNSUPPORTED (ICU's data is not there), OM_E_MEMORY
 * cost     some milliseconds for 150 matters
 */
om_status om_matters_sound(struct om_json *community,
                           struct om_err *err) OM_MUST_USE;

#endif
