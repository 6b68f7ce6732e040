// kind.h - what the kinds of sources have in common. Inside data/source only.
#ifndef OM_DATA_SOURCE_KIND_H
#define OM_DATA_SOURCE_KIND_H

#include "data/source/columns.h"
#include "data/source/plan.h"
#include "data/source/sample.h"

/* A source, its kind's state behind `self`. */
struct om_source {
    struct om__plan plan;
    struct om__reading reading[OM_LIMIT_COLUMNS];
    struct om__crs *crs;
    struct om__encoding *encoding;
    bool zero_is_missing;
    bool happened[OM_LIMIT_COLUMNS];
    int64_t latest_s;
    int32_t zone_s;
    uint64_t rows;     // said by the source; 0 unknown
    bool rows_exact;   // it must be as many
    bool rows_told;    // that it is not has been said
    const char *path;  // for messages; the kind's
    struct om__reader reader;
    void (*free_self)(void *self);
    struct om__feed *feed;
};

/* Openers fill a zeroed source up to `reader`; what they left in it is freed
 * by om_source_close, whatever they return. */

/** A delimited text file with columns of positions. *mine false and OM_OK: it
 *  has none, leave it to GDAL. */
om_status om__table_open(const struct om_source_options *options,
                         struct om_source *source, bool *mine,
                         struct om_err *err) OM_MUST_USE;
/** Whatever GDAL opens. */
om_status om__ogr_open(const struct om_source_options *options,
                       struct om_source *source,
                       struct om_err *err) OM_MUST_USE;

#endif
