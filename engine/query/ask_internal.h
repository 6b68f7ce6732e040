// ask_internal.h - a question with its selection and the rows it found.
#ifndef OM_ENGINE_QUERY_ASK_INTERNAL_H
#define OM_ENGINE_QUERY_ASK_INTERNAL_H

#include "data/base/cancel.h"
#include "engine/query/nearest.h"
#include "engine/query/place.h"

/** Rows after which loops ask whether they are still wanted. */
#define OM__ASK_ROWS 4096

/* A question being answered. Zero is a valid empty one. */
struct om__ask {
    const struct om_query *query;
    const struct om_layer *layer;
    struct om_selection *selection;  // NULL: no filter, no window
    bool has_area;
    struct om__area area;        // any place but NEAREST
    struct om__nearest nearest;  // NEAREST
};
/** Select and prepare. owns: om__ask_deinit. */
om_status om__ask_init(struct om__ask *ask,
                       const struct om_query *query) OM_MUST_USE;
void om__ask_deinit(struct om__ask *ask);
/** Rows of a part that lie in the place, whether they count or not. */
om_status om__ask_spans(const struct om__ask *ask, size_t part,
                        struct om__spans *out) OM_MUST_USE;
/** How many rows of a part lie in the place and count. */
om_status om__ask_count(const struct om__ask *ask, size_t part,
                        uint64_t *out) OM_MUST_USE;

/* Neumaier's sum: the low bits that adding loses are kept beside it. */
struct om__real_sum {
    double sum, lost;
};
static inline void om__real_add(struct om__real_sum *s, double value)
{
    const double sum = s->sum + value;
    const double a = s->sum < 0 ? -s->sum : s->sum;
    const double v = value < 0 ? -value : value;
    s->lost += a >= v ? (s->sum - sum) + value : (value - sum) + s->sum;
    s->sum = sum;
}
static inline double om__real_get(const struct om__real_sum *s)
{
    return s->sum + s->lost;
}

#endif
