// import_models.h - what a folder brings beside its layers: risk models, the
// plan of what may be public, and members of city.json that the city has not.
#ifndef OM_WEB_IMPORT_MODELS_H
#define OM_WEB_IMPORT_MODELS_H

#include "data/city/manifest.h"

/**
 * Copy FOLDER/models/ and FOLDER/publish.json into the city, and into `city` (the manifest that will
 * be committed) the members of the folder's city.json that it has not, such as
 * `exposures`. A model or a plan that the city has stays as it is unless
 * `replace`.
 *
 * returns  OM_E_FORMAT and the like when a model of the folder is not one;
 *          nothing has been copied then
 */
om_status om_import_models(const char *city_path, struct om_manifest *city,
                           const char *folder, bool replace,
                           struct om_err *err) OM_MUST_USE;

#endif
