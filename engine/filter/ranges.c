// ranges.c - sets of integers as ranges, and reals in the order of integers.
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "engine/filter/filter_internal.h"

int64_t om__real_order(double value)
{
    // The bits of positive doubles order as their values do; negative ones
    // are mirrored, so that both zeros become 0.
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >= 0 ? bits : -(bits & INT64_MAX);
}

double om__real_value(int64_t order)
{
    const uint64_t sign = order < 0 ? UINT64_C(1) << 63 : 0;
    const uint64_t bits =
        (order < 0 ? 0 - (uint64_t)order : (uint64_t)order) | sign;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct om__range om__domain(enum om_type type)
{
    if (type == OM_TYPE_BOOLEAN) return (struct om__range){0, 1};
    if (type == OM_TYPE_REAL)
        return (struct om__range){om__real_order(-DBL_MAX),
                                  om__real_order(DBL_MAX)};
    return (struct om__range){INT64_MIN, INT64_MAX};
}

static int by_start(const void *a, const void *b)
{
    const struct om__range *x = a, *y = b;
    return x->lo < y->lo ? -1 : x->lo > y->lo;
}

size_t om__ranges_settle(struct om__range *range, size_t count)
{
    if (count == 0) return 0;
    qsort(range, count, sizeof *range, by_start);
    size_t n = 0;
    for (size_t i = 1; i < count; i++) {
        // Adjacent ranges are one too: [1,2] and [3,4] hold what [1,4] does.
        if (range[n].hi == INT64_MAX || range[i].lo <= range[n].hi + 1) {
            if (range[i].hi > range[n].hi) range[n].hi = range[i].hi;
        } else {
            range[++n] = range[i];
        }
    }
    return n + 1;
}

struct om__range *om__ranges_invert(struct om_arena *arena,
                                    const struct om__range *range, size_t count,
                                    struct om__range domain, size_t *out_count)
{
    struct om__range *out = om_arena_calloc(arena, count + 1, sizeof *out);
    if (!out) return NULL;
    size_t n = 0;
    int64_t from = domain.lo;
    for (size_t i = 0; i < count; i++) {
        if (range[i].lo > from)
            out[n++] = (struct om__range){from, range[i].lo - 1};
        if (range[i].hi >= domain.hi) {
            *out_count = n;
            return out;
        }
        from = range[i].hi + 1;
    }
    out[n++] = (struct om__range){from, domain.hi};
    *out_count = n;
    return out;
}
