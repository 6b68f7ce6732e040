// import.h - bring sources into a city: read, build, join, commit.
#ifndef OM_WEB_IMPORT_H
#define OM_WEB_IMPORT_H

#include "data/city/manifest.h"
#include "data/source/source.h"

enum om_import_mode {
    OM_IMPORT_NEW,      // the layer must not have rows yet
    OM_IMPORT_REPLACE,  // all its rows go
    OM_IMPORT_APPEND,   // a further segment; ids it has are duplicates
};

/* One layer to bring in. Strings are borrowed. */
struct om_import_job {
    const char *layer;
    struct om_source_options source;  // rejects, zone and schema are filled in
    const char *unit_level;           // of units, or NULL
    enum om_import_mode mode;
    const char *rejects_path;  // NULL: CITY/rejects/LAYER-SEQUENCE.csv
};

/* What became of one job. */
struct om_import_report {
    const char *layer;
    uint64_t read, taken, rejected, repaired, outside_units;
    uint64_t overrun;  // writes of while it ran that were acknowledged and are
                       // gone with the rows that it replaces
    double seconds;
    const struct om_rejects *rejects;
    char rejects_path[512];  // where they are listed; empty: there are none
};

/**
 * Run jobs as one commit: the city shows all of them or, after any error or a
 * death at any moment, none. Makes the city if it is not there; `begin`, the
 * path of a folder with a city.json, then says how it begins (may be NULL).
 * After the rows, unit columns are filled in: of the new layers, and of all
 * layers when units are among the jobs.
 *
 * returns  OM_E_BUSY (another writer), OM_E_EXISTS (layer has rows and the
 *          mode is NEW), what sources and builders say
 * threads  one import per city at a time, across processes
 */
om_status om_import_run(const char *city, const char *begin,
                        struct om_import_job *job, size_t jobs,
                        void (*report)(void *ctx,
                                       const struct om_import_report *report),
                        void *ctx, struct om_err *err) OM_MUST_USE;

#endif
