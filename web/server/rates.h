// rates.h - how often somebody may do something: buckets of tokens.
#ifndef OM_WEB_SERVER_RATES_H
#define OM_WEB_SERVER_RATES_H

#include <stdint.h>

#include "data/base/status.h"

/* A bucket holds at most as many tokens as come in OM_RATES_BURST_S, unless told
 * otherwise. There is
 * one for all, and one for each client that came lately: those that have not
 * come for long have full buckets and need none. Memory is fixed; where more
 * clients come at once than are remembered, the one that waits longest is
 * forgotten, in its favour. threads: any */
#define OM_RATES_BURST_S 2.0

struct om_rates;
/** Tokens a second; 0: no limit. owns: *out with om_rates_free. */
om_status om_rates_new(double total_per_s, double client_per_s,
                       struct om_rates **out) OM_MUST_USE;
void om_rates_free(struct om_rates *rates);
/** Other figures from now on. */
void om_rates_set(struct om_rates *rates, double total_per_s,
                  double client_per_s);
/** Buckets hold what comes in so many seconds, from now on. */
void om_rates_hold(struct om_rates *rates, double burst_s);
/** Take a token of all and of a client (0: of all only) at a moment in
 *  seconds. 0: taken; else none was, and seconds until there is one. */
double om_rates_take(struct om_rates *rates, uint64_t client, double now_s);
/**
 * Take `n` at once, if there is one: what is more than there are is owed, and
 * the next is taken when it has come in.
 * returns  as om_rates_take
 */
double om_rates_spend(struct om_rates *rates, uint64_t client, double n,
                      double now_s);

#endif
