// synth.h - the synthetic city: a whole Dongguan, made up, as open files.
#ifndef OM_DATA_SYNTH_SYNTH_H
#define OM_DATA_SYNTH_SYNTH_H

#include "data/base/status.h"

struct om_synth_options {
    const char *out;    // folder, made if missing
    double scale;       // 0.001 to 10; 1 is the full city
    uint64_t seed;      // 7
    const char *only;   // comma-separated layers; NULL: all
    const char *towns;  // file of town outlines; NULL: own ones
};

/**
 * Write the city: one file a layer (LAYER.fgb for shapes, LAYER.csv for
 * points), city.json to begin a city with, dirt/ with spoilt files, and
 * truth.json beside the folder's layers, never imported.
 *
 * The same bytes for the same scale and seed, whatever the number of threads.
 * returns  OM_E_RANGE, OM_E_IO, OM_E_MEMORY, OM_E_FORMAT (towns)
 */
om_status om_synth_write(const struct om_synth_options *options,
                         struct om_err *err) OM_MUST_USE;

#endif
