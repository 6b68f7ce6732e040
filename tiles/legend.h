// legend.h - legends as data of the city: made once for a map and a period,
// the same for all zooms and from day to day.
#ifndef OM_TILES_LEGEND_H
#define OM_TILES_LEGEND_H

#include "engine/risk/backtest.h"
#include "engine/risk/bind.h"
#include "tiles/heat.h"

/* What a legend is made of; its colours follow from it. */
struct om_legend_data {
    bool relative;  // a risk with exposures: steps are ratios to `mean`
    double mean;    // relative: the value where the relative risk is 1
    double most;    // else: the largest value
    int64_t version;
    uint64_t of;  // hash of what is computed: another is another version
    char period[16];
    int64_t as_of_s;    // of the data it was made from
    uint64_t sequence;  // of the data it was made from
    uint64_t epoch;     // it was made in; see om_legends_get
    bool stored;        // in the city: tomorrow's picture has these colours
};

/* A back-test as it is shown beside the legend. */
struct om_legend_test {
    struct om_window train, test;
    struct om_backtest result;
};

struct om_legends;
/**
 * The legends of a city. `city` is its folder (NULL: nothing is stored).
 * owns     *out: om_legends_free
 * threads  any
 */
om_status om_legends_new(const char *city, struct om_legends **out) OM_MUST_USE;
void om_legends_free(struct om_legends *legends);

/**
 * The legend of a map (a bound that is ready, with neither filter nor moment
 * asked for): as it is stored in CITY/legends/NAME@PERIOD.json, else as it was
 * made before, else made now.
 *
 * One that is stored stays as it is whatever the data do: yesterday's and
 * today's picture have the same colours. It is made again, as the next
 * version, when what is computed changes (the model's text), or when somebody
 * removes the file. Only maps as they ship are stored (bound->standard), for
 * all times, a year or a month; others are remembered for an epoch, which the
 * caller counts (0: the snapshot's sequence). A folder that cannot be written
 * to is no error.
 *
 * units    the city's area or NULL, as in om_risk_sweep
 * returns  what evaluating says; OM_E_COST: too wide for the bandwidth
 * cost     relative: the sums of the weights; else the largest value
 */
om_status om_legends_get(struct om_legends *legends,
                         const struct om_snapshot *snapshot,
                         struct om_fields *fields,
                         const struct om_partition *units,
                         const struct om_risk_bound *bound, uint64_t epoch,
                         struct om_legend_data *out) OM_MUST_USE;
/** The same of who is told no legend of the city: made now of what is bound, and
 *  kept nowhere. */
om_status om_legend_own(const struct om_snapshot *snapshot,
                        struct om_fields *fields,
                        const struct om_partition *units,
                        const struct om_risk_bound *bound,
                        struct om_legend_data *out) OM_MUST_USE;
/** The legend's breaks and colours; scale: what a filter leaves of it. */
void om_legend_paint(const struct om_legend_data *data, double scale,
                     enum om_palette palette, struct om_legend *out);

/** Keep a back-test of a model as CITY/legends/NAME.backtest.json.
 *  returns OM_E_IO and the like; err says why */
om_status om_legends_test_put(struct om_legends *legends,
                              const struct om_risk_bound *bound, int32_t zone_s,
                              const struct om_legend_test *test,
                              struct om_err *err) OM_MUST_USE;
/** The last back-test of what the bound computes; false if there is none, or
 *  the model has changed since. */
bool om_legends_test_get(struct om_legends *legends,
                         const struct om_risk_bound *bound,
                         struct om_legend_test *out);
/** A back-test as a JSON object. */
om_status om_legend_test_write(const struct om_legend_test *test,
                               int32_t zone_s, struct om_buf *out) OM_MUST_USE;

#endif
