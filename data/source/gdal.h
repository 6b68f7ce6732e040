// gdal.h - GDAL made ready, and its errors caught. Inside data/source only.
#ifndef OM_DATA_SOURCE_GDAL_H
#define OM_DATA_SOURCE_GDAL_H

#include <stdbool.h>

/** Register the drivers, keep PROJ off the network and GDAL off threads of its
 *  own. Once; threads: any. */
void om__gdal_init(void);
/** From here to om__gdal_release GDAL's errors of this thread are kept quiet
 *  and begin with none. */
void om__gdal_catch(void);
void om__gdal_release(void);
/** Has a failure been caught? */
bool om__gdal_failed(void);
/** Its text, never NULL; valid until the next call of GDAL. */
const char *om__gdal_message(void);

#endif
