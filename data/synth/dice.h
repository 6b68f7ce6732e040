// dice.h - random numbers by counter: the same for an entity whoever asks.
#ifndef OM_DATA_SYNTH_DICE_H
#define OM_DATA_SYNTH_DICE_H

#include <stdbool.h>
#include <stdint.h>

/* A stream keyed by (seed, purpose, entity). Nothing is shared, so threads may
 * throw in any order and get the same city. source: Steele, Lea, Flood 2014,
 * splitmix64. */
struct om__dice {
    uint64_t state;
};

#define OM__GOLDEN UINT64_C(0x9E3779B97F4A7C15)

static inline uint64_t om__mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static inline struct om__dice om__dice(uint64_t seed, unsigned purpose,
                                       uint64_t entity)
{
    const uint64_t key = om__mix(seed + OM__GOLDEN * (purpose + 1));
    return (struct om__dice){om__mix(key ^ om__mix(entity + OM__GOLDEN))};
}

static inline uint64_t om__dice_bits(struct om__dice *dice)
{
    dice->state += OM__GOLDEN;
    return om__mix(dice->state);
}
/** In [0, n), n below 2^32. */
static inline uint32_t om__dice_below(struct om__dice *dice, uint32_t n)
{
    return (uint32_t)((om__dice_bits(dice) >> 32) * n >> 32);
}
/** In [0, 1). */
static inline double om__dice_real(struct om__dice *dice)
{
    return (double)(om__dice_bits(dice) >> 11) * 0x1p-53;
}
static inline double om__dice_between(struct om__dice *dice, double a, double b)
{
    return a + (b - a) * om__dice_real(dice);
}
static inline bool om__dice_chance(struct om__dice *dice, double p)
{
    return om__dice_real(dice) < p;
}
/** About normal, mean 0, deviation 1: the sum of twelve uniforms, so that it
 *  needs no function of the machine's libm. */
static inline double om__dice_normal(struct om__dice *dice)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++) sum += om__dice_real(dice);
    return sum;
}

/* What streams are for: one number each, so that none is used twice. */
enum om__purpose {
    OM__FOR_NOISE,
    OM__FOR_TOWN,
    OM__FOR_VILLAGE,
    OM__FOR_GRID,
    OM__FOR_QUARTER,
    OM__FOR_JITTER,
    OM__FOR_EXCLAVE,
    OM__FOR_LOT,
    OM__FOR_HOUSE,
    OM__FOR_ADDRESS,
    OM__FOR_RENTAL,
    OM__FOR_PREMISES,
    OM__FOR_FACILITY,
    OM__FOR_BUSINESS,
    OM__FOR_CENTRE,
    OM__FOR_ORGANISATION,
    OM__FOR_ACTIVITY,
    OM__FOR_WORKER,
    OM__FOR_HAZARD,
    OM__FOR_HOTSPOT,
    OM__FOR_VISIT,
    OM__FOR_CHECK,
    OM__FOR_APPEAL,
    OM__FOR_TIP,
    OM__FOR_ROAD,
    OM__FOR_WATER,
    OM__FOR_NAME,
    OM__FOR_WISH,
    OM__FOR_DIRT,
};

#endif
