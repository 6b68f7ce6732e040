/* raster.c - a raster of floats as a Cloud Optimised GeoTIFF.
 *
 * DESIGN
 * GDAL's COG driver only copies: it wants the whole raster first. So rows go
 * to a tiled GeoTIFF without packing, sparse where nothing is written, and
 * closing copies that. Both have names of their own beside the wanted one; the
 * last step is a rename.
 */
#include "data/source/raster.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <errno.h>
#include <fcntl.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/base/thread.h"
#include "data/source/gdal.h"

struct om_raster {
    GDALDatasetH dataset;
    GDALRasterBandH band;
    char *path, *plain, *packed;
};

static om_status gdal_fail(const struct om_raster *r, struct om_err *err)
{
    return om_fail(err, OM_E_IO, 0, "%s: cannot be written: %s", r->path,
                   om__gdal_message());
}

static void raster_free(struct om_raster *r)
{
    om_free(r->path);
    om_free(r->plain);
    om_free(r->packed);
    om_free(r);
}

void om_raster_discard(struct om_raster *raster)
{
    if (!raster) return;
    if (raster->dataset) {
        om__gdal_catch();
        GDALClose(raster->dataset);
        om__gdal_release();
    }
    if (raster->plain) (void)unlink(raster->plain);
    if (raster->packed) (void)unlink(raster->packed);
    raster_free(raster);
}

static om_status set_place(struct om_raster *r, const struct om_frame *f)
{
    double to_m[6] = {f->west_m, f->cell_m, 0.0, f->north_m, 0.0, -f->cell_m};
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    if (!srs) return OM_E_MEMORY;
    const bool fine = OSRSetFromUserInput(srs, f->crs) == OGRERR_NONE &&
                      GDALSetSpatialRef(r->dataset, srs) == CE_None &&
                      GDALSetGeoTransform(r->dataset, to_m) == CE_None;
    OSRRelease(srs);
    return fine ? OM_OK : OM_E_IO;
}

static om_status set_about(struct om_raster *r,
                           const struct om_raster_about *about)
{
    bool fine = GDALSetRasterNoDataValue(r->band, NAN) == CE_None;
    if (about->unit)
        fine &= GDALSetRasterUnitType(r->band, about->unit) == CE_None;
    if (about->description) GDALSetDescription(r->band, about->description);
    fine &= GDALSetMetadataItem(r->dataset, "AREA_OR_POINT", "Area", NULL) ==
            CE_None;
    for (size_t i = 0; i < about->notes; i++) {
        const struct om_raster_note *n = &about->note[i];
        if (n->value)
            fine &= GDALSetMetadataItem(r->dataset, n->key, n->value, NULL) ==
                    CE_None;
    }
    return fine ? OM_OK : OM_E_IO;
}

static om_status create(struct om_raster *r, const struct om_frame *f,
                        const struct om_raster_about *about, struct om_err *err)
{
    static const char *const OPTIONS[] = {"TILED=YES",      "BLOCKXSIZE=512",
                                          "BLOCKYSIZE=512", "BIGTIFF=IF_SAFER",
                                          "SPARSE_OK=TRUE", NULL};
    GDALDriverH driver = GDALGetDriverByName("GTiff");
    if (!driver || !GDALGetDriverByName("COG"))
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "this GDAL cannot write Cloud Optimised GeoTIFF");
    if (f->columns > INT32_MAX || f->rows > INT32_MAX)
        return om_fail(err, OM_E_LIMIT, 0, "%s: too many cells in a row",
                       r->path);
    r->dataset = GDALCreate(driver, r->plain, (int)f->columns, (int)f->rows, 1,
                            GDT_Float32, (char **)OPTIONS);
    if (!r->dataset) return gdal_fail(r, err);
    r->band = GDALGetRasterBand(r->dataset, 1);
    om_status st = set_place(r, f);
    if (!st) st = set_about(r, about);
    return st == OM_E_IO ? gdal_fail(r, err) : st;
}

om_status om_raster_open(const char *path, const struct om_frame *frame,
                         const struct om_raster_about *about,
                         struct om_raster **out, struct om_err *err)
{
    om__gdal_init();
    struct om_raster *r = om_calloc(1, sizeof *r);
    if (!r) return om_fail(err, OM_E_MEMORY, 0, "%s: out of memory", path);
    const size_t room = strlen(path) + 40;
    r->path = om_strdup(path);
    r->plain = om_alloc(room);
    r->packed = om_alloc(room);
    om_status st = OM_E_MEMORY;
    if (r->path && r->plain && r->packed) {
        snprintf(r->plain, room, "%s.%ld.plain.tif", path, (long)getpid());
        snprintf(r->packed, room, "%s.%ld.new.tif", path, (long)getpid());
        om__gdal_catch();
        st = create(r, frame, about, err);
        om__gdal_release();
    }
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "%s: out of memory", path);
    if (st)
        om_raster_discard(r);
    else
        *out = r;
    return st;
}

om_status om_raster_write(struct om_raster *raster, size_t row0, size_t rows,
                          const float *value, struct om_err *err)
{
    const int columns = GDALGetRasterBandXSize(raster->band);
    om__gdal_catch();
    const CPLErr failed = GDALRasterIO(
        raster->band, GF_Write, 0, (int)row0, columns, (int)rows,
        (void *)(uintptr_t)value, columns, (int)rows, GDT_Float32, 0, 0);
    const om_status st = failed == CE_None ? OM_OK : gdal_fail(raster, err);
    om__gdal_release();
    return st;
}

static int show_progress(double done, const char *message, void *ctx)
{
    (void)message;
    (void)ctx;
    om_progress("packing", (uint64_t)(done * 1000.0), 1000);
    return TRUE;
}

static om_status pack(struct om_raster *r, struct om_err *err)
{
    char threads[32];
    snprintf(threads, sizeof threads, "NUM_THREADS=%zu", om_threads());
    // Level 6 takes twice as long for 4 % less.
    const char *const options[] = {
        "COMPRESS=DEFLATE",
        "LEVEL=1",
        "PREDICTOR=FLOATING_POINT",
        "BLOCKSIZE=512",
        "OVERVIEW_RESAMPLING=AVERAGE",
        "BIGTIFF=IF_SAFER",
        threads,
        NULL,
    };
    GDALFlushCache(r->dataset);
    if (om__gdal_failed()) return gdal_fail(r, err);
    GDALDatasetH copy =
        GDALCreateCopy(GDALGetDriverByName("COG"), r->packed, r->dataset, FALSE,
                       (char **)options, show_progress, NULL);
    if (!copy) return gdal_fail(r, err);
    GDALClose(copy);
    return om__gdal_failed() ? gdal_fail(r, err) : OM_OK;
}

static om_status sync_and_rename(const struct om_raster *r, struct om_err *err)
{
    const int fd = open(r->packed, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return om_fail(err, OM_E_IO, 0, "%s: %s", r->path, strerror(errno));
    const om_status st = om_file_sync(fd, r->packed, err);
    close(fd);
    if (st) return st;
    if (rename(r->packed, r->path))
        return om_fail(err, OM_E_IO, 0, "%s: %s", r->path, strerror(errno));
    return OM_OK;
}

om_status om_raster_close(struct om_raster *raster, struct om_err *err)
{
    om__gdal_catch();
    CPLErrorReset();
    om_status st = pack(raster, err);
    om__gdal_release();
    if (!st) st = sync_and_rename(raster, err);
    om_raster_discard(raster);
    return st;
}
