// explain.h - what makes a value: the rows behind it, and its rank in the city.
#ifndef OM_ENGINE_RISK_EXPLAIN_H
#define OM_ENGINE_RISK_EXPLAIN_H

#include "engine/risk/risk.h"

/* A row that makes part of a value. */
struct om_risk_row {
    size_t term, part, row;
    double distance_m;  // on the ground, as the kernel measures it
    double weight;      // what it counts for: number * table * decay * factor
    double amount;      // of the numerator, per km2
};

/**
 * The rows that make most of a risk's numerator at a place.
 *
 * By amount, those of an equal amount by term, place (Morton code) and id. With
 * room for all rows their amounts add up to the numerator of om_risk_exact.
 *
 * shapes   row [most], *rows of them are set; reached [terms]: rows within
 *          reach whose weight is not 0, may be NULL
 * returns  as om_risk_exact
 * threads  any
 * cost     linear in the rows within twice the bandwidth
 */
om_status om_risk_strongest(const struct om_risk *risk, double x, double y,
                            size_t most, struct om_risk_row *row, size_t *rows,
                            uint64_t *reached) OM_MUST_USE;

/* How the values of the evaluation places are spread, each place counted by
 * its area. Immutable. */
struct om_risk_spread {
    double area_km2;     // of the evaluation places
    double unknown_km2;  // in the city, but the value is unknown
    double least, most;  // 0 where there are no places
    size_t steps;
    const double *km2;  // [steps], by the leading bits of the values
};
/**
 * Sweep the city and keep how its values are spread. `units` as in
 * om_risk_sweep.
 * owns     *out: om_risk_spread_free
 * cost     that of a sweep: some 20 tiles for a city and 800 m
 */
om_status om_risk_spread_new(struct om_fields *fields,
                             const struct om_risk *risk,
                             const struct om_partition *units, unsigned zoom,
                             struct om_risk_spread **out) OM_MUST_USE;
void om_risk_spread_free(struct om_risk_spread *spread);
/** Share of the area whose value is below `value`, 0 to 1; to within the area
 *  of values that agree with it to 0.8 %. NaN where there are no places. */
double om_risk_spread_below(const struct om_risk_spread *spread, double value);
/** The reverse: the value that this share of the area is below. */
double om_risk_spread_quantile(const struct om_risk_spread *spread,
                               double share);

#endif
