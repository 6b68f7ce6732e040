/* spread.c - how a surface's values are spread over the city's area.
 *
 * DESIGN
 * Kept as a histogram over the leading 16 bits of the values as single floats,
 * ordered: steps of 0.8 % over all magnitudes in half a megabyte, which a
 * server can keep for every view. Sorting the values themselves would be exact
 * and a hundred times as large.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/risk/explain.h"

#define STEPS 65536
#define PIXELS ((size_t)256 * 256)
#define SIDE 256

struct spread {
    struct om_risk_spread public;  // first: handed out as such
    double km2[STEPS];
};

/* Rising with the value: floats compare as their bits do, negative ones
 * backwards. */
static uint32_t order_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & UINT32_C(0x80000000) ? ~bits : bits | UINT32_C(0x80000000);
}

static double value_of(uint32_t order)
{
    const uint32_t bits =
        order & UINT32_C(0x80000000) ? order & UINT32_C(0x7fffffff) : ~order;
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static om_status take_tile(void *ctx, const struct om_risk_tile *tile)
{
    struct spread *s = ctx;
    struct om_risk_spread *p = &s->public;
    for (size_t i = 0; i < PIXELS; i++) {
        const uint64_t bit = UINT64_C(1) << (i % 64);
        const double km2 = tile->km2[i / SIDE];
        if (!(tile->place[i / 64] & bit)) {
            if (tile->inside[i / 64] & bit && isnan(tile->value[i]))
                p->unknown_km2 += km2;
            continue;
        }
        // -0 is 0.
        const float value = tile->value[i] == 0.0f ? 0.0f : tile->value[i];
        if (p->area_km2 == 0.0 || (double)value < p->least)
            p->least = (double)value;
        if (p->area_km2 == 0.0 || (double)value > p->most)
            p->most = (double)value;
        p->area_km2 += km2;
        s->km2[order_of(value) >> 16] += km2;
    }
    return OM_OK;
}

om_status om_risk_spread_new(struct om_fields *fields,
                             const struct om_risk *risk,
                             const struct om_partition *units, unsigned zoom,
                             struct om_risk_spread **out)
{
    *out = NULL;
    struct spread *s = om_calloc(1, sizeof *s);
    if (!s) return OM_E_MEMORY;
    s->public.steps = STEPS;
    s->public.km2 = s->km2;
    const om_status st = om_risk_sweep(fields, risk, units, zoom, take_tile, s);
    if (st)
        om_free(s);
    else
        *out = &s->public;
    return st;
}

void om_risk_spread_free(struct om_risk_spread *spread)
{
    om_free(spread);
}

double om_risk_spread_below(const struct om_risk_spread *spread, double value)
{
    if (!(spread->area_km2 > 0.0) || isnan(value)) return NAN;
    if (value <= spread->least) return 0.0;
    if (value > spread->most) return 1.0;
    const uint32_t order = order_of((float)value == 0.0f ? 0.0f : (float)value);
    const size_t step = order >> 16;
    double below = 0.0;
    for (size_t i = 0; i < step; i++) below += spread->km2[i];
    // Values of a step lie evenly in it; 0 is a step of its own.
    below += spread->km2[step] * (double)(order & 0xffff) / 65536.0;
    return fmin(below / spread->area_km2, 1.0);
}

double om_risk_spread_quantile(const struct om_risk_spread *spread,
                               double share)
{
    if (!(spread->area_km2 > 0.0) || isnan(share)) return NAN;
    const double want = fmin(fmax(share, 0.0), 1.0) * spread->area_km2;
    double below = 0.0;
    for (size_t i = 0; i < spread->steps; i++) {
        const double km2 = spread->km2[i];
        if (km2 > 0.0 && below + km2 >= want) {
            const double part = (want - below) / km2;
            const uint32_t low = (uint32_t)(part * 65535.0);
            const double value = value_of((uint32_t)i << 16 | low);
            return fmin(fmax(value, spread->least), spread->most);
        }
        below += km2;
    }
    return spread->most;
}
