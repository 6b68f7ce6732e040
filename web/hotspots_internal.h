// hotspots_internal.h - what the files of web/hotspots share.
#ifndef OM_WEB_HOTSPOTS_INTERNAL_H
#define OM_WEB_HOTSPOTS_INTERNAL_H

#include "engine/risk/model.h"
#include "engine/search/roman.h"
#include "engine/stat/cluster.h"
#include "engine/stat/hotspots.h"
#include "web/hotspots.h"

#define OM__LEVELS_MOST 8

enum om__stat { OM__STAT_FIELD, OM__STAT_DBSCAN };

/* Where areas lie: units of the levels above them, or of all levels. */
struct om__parents {
    size_t levels;
    struct om_units unit[OM__LEVELS_MOST];  // finest first
    uint32_t *parent[OM__LEVELS_MOST];      // [areas] or OM_NO_UNIT
};

/* A question being answered. */
struct om__hotspots {
    struct om_hotspots_question *q;
    const struct om_manifest *city;
    const struct om_layer *layer;
    bool clusters;  // dbscan
    struct om_hotspots_ask ask;
    const char *units, *neighbours, *per;  // as typed
    const struct om_exposure *exposed;     // of city.json; NULL
    struct om_exposures exposures;
    struct om_filter *filter, *exposure_filter;
    struct om_zones zones;
    struct om_graph graph;
    bool *few;  // [zones.count] of which the exposure is not told, or NULL
    struct om_hotspots found;
    struct om__parents parents;
    size_t limit;          // rows; 0: all
    double eps_m;          // dbscan
    uint64_t least;        // dbscan
    struct om_term *term;  // [terms] of names in English; NULL: none
    size_t terms;
    // How cases are called: "reports", "条".
    const char *noun, *noun_en;
};

/** Note that an option is wrong; returns `status`. */
om_status om__hotspots_bad(struct om__hotspots *h, const char *option,
                           om_status status, const char *format, ...)
    OM_PRINTF(4, 5);
/** Text of an option, NULL if it was not given. */
const char *om__hotspots_text(const struct om__hotspots *h, const char *name);

/** hotspots_few.c: in which areas few are behind what is exposed, if it is
 *  somebody's doing; into h->few and the question's exposure. */
om_status om__hotspots_find_few(struct om__hotspots *h) OM_MUST_USE;

/** Find the units above the areas, or above places: x, y [n]. */
om_status om__parents_find(const struct om__hotspots *h, const double *x,
                           const double *y, size_t n, bool all,
                           struct om__parents *out) OM_MUST_USE;
void om__parents_deinit(struct om__parents *parents);
/** Name of the unit of level k (its id if it has none) above area i; NULL. */
const char *om__parent_name(const struct om__parents *parents, size_t k,
                            size_t i);

/** Id and name of an area; buffers of OM__AREA_TEXT bytes for cells. */
#define OM__AREA_TEXT 64
const char *om__area_id(const struct om__hotspots *h, size_t area, char *text);
const char *om__area_name(const struct om__hotspots *h, size_t area,
                          char *text);

/** What a row is, in a word: "hot 99%", "high-low", "new hot", "unknown". */
const char *om__hotspot_class(const struct om__hotspots *h,
                              const struct om_hotspot *row, char text[32]);
/* An area and its neighbours together, as far as they can be judged. */
struct om__hotspot_near {
    double rate;   // cases for each of what is exposed; NaN without
    double ratio;  // times the city's mean
};
/** NaN of an area that cannot be judged. */
struct om__hotspot_near om__hotspot_near(const struct om__hotspots *h,
                                         const struct om_hotspot *row);
/** One sentence about a row, Chinese or English, appended. */
void om__hotspot_say(const struct om__hotspots *h, const struct om_hotspot *row,
                     bool chinese, struct om_buf *out);
/** The same of a cluster: number, points, area and place, a unit of `of`; NULL:
 *  nowhere. */
void om__cluster_say(const struct om__hotspots *h,
                     const struct om_cluster *cluster, size_t number,
                     const struct om_units *of, const char *place, bool chinese,
                     struct om_buf *out);

/** Rows and members out. */
om_status om__hotspots_write(struct om__hotspots *h) OM_MUST_USE;
om_status om__clusters_answer(struct om__hotspots *h) OM_MUST_USE;
/** Members that all answers begin with: layer, stat, period, as of. */
void om__hotspots_head(const struct om__hotspots *h, const char *stat,
                       int64_t from_s, int64_t to_s, struct om_buf *out);

#endif
