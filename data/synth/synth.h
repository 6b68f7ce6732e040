// synth.h - the synthetic city: a whole Dongguan, made up, as open files.
#ifndef OM_DATA_SYNTH_SYNTH_H
#define OM_DATA_SYNTH_SYNTH_H

#include <stdbool.h>

#include "data/base/status.h"

struct om_synth_options {
    const char *out;    // folder, made if missing
    double scale;       // 0.001 to 10; 1 is the full city
    uint64_t seed;      // 7
    const char *only;   // comma-separated layers; NULL: all
    const char *towns;  // file of town outlines (WGS 84); NULL: own ones
    bool plain;         // no hotspots: reports follow the visits
};

/**
 * Write the city: one file a layer (LAYER.fgb for shapes, LAYER.csv for
 * points), city.json to begin a city with, dirt/ with spoilt files, and
 * truth.json beside the folder's layers, never imported.
 *
 * The same bytes for the same scale and seed, whatever the number of threads.
 *
 * Rows are those of scale 1 (facts.c) times the scale, rounded, at least one.
 * The units are not thinned as far: there are always 33 towns, at least two
 * villages each (one where there is only one) and twice as many grids as
 * villages; above scale 1 the units stay 597 and 2,934. Windows, terminals and
 * staff of service centres, one centre a village, follow the villages. Above
 * scale 1 buildings get smaller, so that they fit.
 *
 * With `only`, just those layers are written, with the bytes they have in the
 * whole city, and city.json names the layers that lie in the folder.
 * With `plain`, every report is made on one of all visits, drawn at random:
 * reports per visit are the same everywhere but for chance, and truth.json
 * lists no hotspots. All other layers have the bytes they have without.
 * With `towns`, each of the 33 towns must have an outline, found by its name,
 * else by its centre; cells of the mesh go to the outline that holds their
 * middle, so that the units stay exact partitions.
 *
 * returns  OM_E_RANGE, OM_E_IO, OM_E_MEMORY, OM_E_FORMAT (towns)
 * cost     scale 1: some 13 s of one core (building.fgb alone, through GDAL,
 *          2 s of it on one thread), 0.2 GB of memory, 2.4 GB of files
 * test     tests/data/test_synth.c
 */
om_status om_synth_write(const struct om_synth_options *options,
                         struct om_err *err) OM_MUST_USE;

#endif
