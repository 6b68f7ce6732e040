// picture.h - from the name of a picture and what was asked about it to a
// picture: what tiles, large pictures, legends and the command line share.
#ifndef OM_WEB_PICTURE_H
#define OM_WEB_PICTURE_H

#include "engine/risk/model.h"
#include "tiles/picture/picture.h"

/* What is asked for, as typed; NULL: not given. Names of options are those of
 * addresses. */
struct om_picture_ask {
    const char *name;      // base, labels, choropleth:LEVEL, a layer, a level;
                           // base and labels may end in :dark or :light
    const char *palette;   // dark, light
    const char *labels;    // yes, no; of base
    const char *lang;      // zh, en; of names on base and labels, others have
                           // no words and do not care
    const char *filter;    // CQL2
    const char *datetime;  // FROM/TO
    const char *by;        // of layers: the column that tells rows apart
    const char *stat;      // of choropleths: count, sum, rate; gistar, moran,
                           // emerging, eb: hotspots; workload, patrol, service:
                           // coverage
    const char *layer;     // of choropleths: whose rows
    const char *column;    // of sum and rate: what is summed; of coverage: the
                           // column of its answer
    const char *per;       // of rate: area, or an exposure of city.json
    // What it is compared with: another filter and period. Both have one
    // legend, made from both.
    const char *with_filter, *with_datetime;
    const char *ramp;  // of numbers: warm, cool
    int64_t now_s;     // what is now, UTC; 0: om_snapshot_now
};
/** The options' names but for `name`, blank-separated: what an address may
 *  have. */
#define OM_PICTURE_OPTIONS                                          \
    "palette labels lang filter datetime by stat layer column per " \
    "with_filter with_datetime ramp"

enum om_picture_stat {
    OM_STAT_COUNT,
    OM_STAT_SUM,
    OM_STAT_RATE,
    OM_STAT_HOTSPOTS,
    OM_STAT_COVERAGE
};

/* An ask made into what has to be computed. */
struct om_picture_bound {
    enum om_picture_kind kind;
    enum om_palette palette;
    bool map, labels;
    enum om_language language;  // of names on the base map
    bool outline;               // UNITS: borders only
    char level[OM_LIMIT_NAME_BYTES];
    const struct om_layer *layer;
    size_t by, column;  // OM_NO_FIELD
    enum om_picture_stat stat;
    const struct om_exposure *per;  // NULL: area
    // Of answers: which, and what was asked, as it was written; owned
    char *answer, *answer_column, *where, *time, *with_time, *per_text;
    int64_t now_s;
    struct om_filter *filter;
    struct om_window window;
    bool compared;  // with these; both sides have one legend
    struct om_filter *with_filter;
    struct om_window with_window;
    bool cool;  // the other ramp
    struct om_exposures exposures;
    // All that the picture depends on, as one text: asks that mean the same
    // have the same.
    struct om_buf canonical;
};

/**
 * Read and check an ask.
 *
 * `option` (may be NULL) becomes the option that was wrong, a literal, or NULL
 * where it was the name.
 * returns  OM_E_NOTFOUND  nothing is called so
 *          OM_E_FORMAT, OM_E_RANGE, OM_E_TYPE and what filters return: an
 *          option; err speaks of it
 * owns     *out: om_picture_bound_deinit, also on failure; the snapshot must
 *          stay held
 * test     tests/web/test_picture.c
 */
om_status om_picture_bind(const struct om_snapshot *snapshot,
                          const struct om_picture_ask *ask,
                          struct om_picture_bound *out, const char **option,
                          struct om_err *err) OM_MUST_USE;
void om_picture_bound_deinit(struct om_picture_bound *bound);
/** Is it ready without a pass over rows? */
bool om_picture_quick(const struct om_picture_bound *bound);
/** Does making it take longer than others should wait? */
bool om_picture_heavy(const struct om_picture_bound *bound);
/**
 * Make the picture: select, count, sort into classes.
 * base     of the same snapshot
 * cache    may be NULL
 * owns     *out: om_picture_unref
 */
om_status om_picture_make(const struct om_picture_bound *bound,
                          struct om_snapshot *snapshot, struct om_base *base,
                          struct om_selections *cache, struct om_picture **out,
                          struct om_err *err) OM_MUST_USE;

#endif
