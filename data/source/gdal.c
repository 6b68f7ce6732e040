// gdal.c - one door for GDAL's settings and errors.
#include "data/source/gdal.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <gdal.h>
#include <ogr_srs_api.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    GDALAllRegister();
    // The threads of GDAL 3.6's GeoPackage reader lose rows (OSGeo/gdal#9026).
    CPLSetConfigOption("GDAL_NUM_THREADS", "1");
    // Nothing is written beside a source, not even the length of a .gz.
    CPLSetConfigOption("CPL_VSIL_GZIP_WRITE_PROPERTIES", "NO");
    OSRSetPROJEnableNetwork(0);
}

void om__gdal_init(void)
{
    pthread_once(&once, init);
}

void om__gdal_catch(void)
{
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
}

void om__gdal_release(void)
{
    CPLPopErrorHandler();
}

bool om__gdal_failed(void)
{
    return CPLGetLastErrorType() >= CE_Failure;
}

const char *om__gdal_message(void)
{
    const char *text = CPLGetLastErrorMsg();
    return text && *text ? text : "no reason given";
}
