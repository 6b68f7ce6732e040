// backtest.h - back-tests of a city's models: trained, scored, kept.
#ifndef OM_WEB_BACKTEST_H
#define OM_WEB_BACKTEST_H

#include "web/heat_view.h"

/* What is asked for, as typed. */
struct om_backtest_ask {
    const char *train, *test;   // FROM/TO
    const char *cell;           // metres; NULL: an eighth of the bandwidth
    const char *layer, *where;  // the events; NULL: those of the model's terms
};

/**
 * Train a model (or a layer's field) on one period, and look for the events of
 * another in its reddest cells.
 *
 * Training sees rows of [FROM, TO) of the terms that have times, as they were
 * at TO (`until` columns); exposures that count a period count that one.
 * Undated terms are as they are today. Events are, once each, the rows of the
 * terms that have times, in the test period; or those of `layer` and `where`.
 *
 * `option` as om_risk_bind has it, of om_backtest_ask too. ask->datetime and
 * ask->at are not looked at.
 * returns  OM_E_RANGE  the periods overlap, or one is open
 *          as om_risk_bind, om_backtest_run
 */
om_status om_backtest_model(const struct om_heat_world *world,
                            struct om_models *models,
                            const struct om_risk_ask *ask,
                            const struct om_backtest_ask *how,
                            struct om_legend_test *out, const char **option,
                            struct om_err *err) OM_MUST_USE;

#endif
