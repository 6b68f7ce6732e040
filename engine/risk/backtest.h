// backtest.h - was the map right? The field of one period against the events
// of the next.
#ifndef OM_ENGINE_RISK_BACKTEST_H
#define OM_ENGINE_RISK_BACKTEST_H

#include "engine/risk/risk.h"

/** Shares of the area that are looked at: the reddest 1, 2, 5, 10, 20 %. */
#define OM_BACKTEST_SHARES 5
extern const double om_backtest_share[OM_BACKTEST_SHARES];
/** The one that is meant where one figure is quoted: 5 %. */
#define OM_BACKTEST_RED 2

/* Events to look for: rows of a layer. Of entries with the same layer a row
 * that several select counts once. */
struct om_backtest_events {
    const struct om_layer *layer;
    const struct om_selection *selection;
};

/* How well the reddest part of the area did. */
struct om_backtest_red {
    double share;  // a / A
    double area_km2;
    double events;          // n; of equal cells at the border a fair part
    double hit_rate;        // n / N
    double pai;             // (n / N) / (a / A): 1 is what chance does
    double pei;             // pai over the largest that any map could have
    double exposure_share;  // of what is exposed in A, in it; NaN per area
    double from;            // the value at its border
};

/* The area A is that of the evaluation places (risk.h): in the city's units,
 * and where the model says something at all. N are the events in A; those
 * outside are counted, not scored. */
struct om_backtest {
    double area_km2, unknown_km2;
    uint64_t events, outside;
    size_t cells;
    double cell_m;  // side of a cell of average area
    struct om_backtest_red red[OM_BACKTEST_SHARES];
};

/** Most cells that are ranked; more is OM_E_COST. */
#define OM_BACKTEST_CELLS_MOST ((size_t)1 << 24)

/**
 * Rank the cells of a field by value, and count events in the first of them.
 *
 * The caller sees to it that `risk` knows nothing of the events' period: its
 * windows and moment end where that begins.
 *
 * returns  OM_E_NOTFOUND  no cell to rank, or no event in any
 *          OM_E_COST, and as om_risk_sweep
 * cost     a sweep, and a sort of its places
 * source   Chainey, Tompson, Uhlig (2008), The utility of hotspot mapping for
 *          predicting spatial patterns of crime: PAI; Hunt (2016): PEI
 * test     tests/engine/test_backtest.c
 */
om_status om_backtest_run(struct om_fields *fields, const struct om_risk *risk,
                          const struct om_partition *units, unsigned zoom,
                          const struct om_backtest_events *event, size_t events,
                          struct om_backtest *out) OM_MUST_USE;

#endif
