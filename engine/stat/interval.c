// interval.c - Wilson's interval of a share, Garwood's of a count.
#include "engine/stat/interval.h"

#include <math.h>

/* The normal's 97.5 % quantile, and what each tail holds. */
#define Z95 1.959963984540054
#define TAIL 0.025
#define EXACT_MOST 64
/* Halvings of a bracket as wide as the interval: beyond a double's digits. */
#define HALVINGS 60

struct om_bounds om_interval_share(uint64_t hits, uint64_t of)
{
    if (!of || hits > of) return (struct om_bounds){NAN, NAN};
    const double n = (double)of, p = (double)hits / n, z2 = Z95 * Z95;
    const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    const double reach =
        Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n);
    // At the ends it is exact, whatever was rounded.
    return (struct om_bounds){
        hits ? fmax(0, middle - reach) : 0,
        hits < of ? fmin(1, middle + reach) : 1,
    };
}

/* Probability of at most `count` where `mean` are expected. */
static double at_most(uint64_t count, double mean)
{
    double term = exp(-mean), sum = term;
    for (uint64_t k = 1; k <= count; k++) sum += term *= mean / (double)k;
    return sum;
}

/* The mean under which at most `count` has probability `p`. */
static double mean_of(uint64_t count, double p)
{
    const double n = (double)count;
    double low = 0, high = n + 6 * sqrt(n + 1) + 6;
    for (int i = 0; i < HALVINGS; i++) {
        const double mean = (low + high) / 2;
        if (at_most(count, mean) > p)
            low = mean;
        else
            high = mean;
    }
    return (low + high) / 2;
}

static double byar(double n, double sign)
{
    const double root = 1 - 1 / (9 * n) + sign * Z95 / (3 * sqrt(n));
    return n * root * root * root;
}

struct om_bounds om_interval_count(uint64_t count)
{
    const double n = (double)count;
    if (count > EXACT_MOST)
        return (struct om_bounds){byar(n, -1), byar(n + 1, 1)};
    return (struct om_bounds){count ? mean_of(count - 1, 1 - TAIL) : 0,
                              mean_of(count, TAIL)};
}
