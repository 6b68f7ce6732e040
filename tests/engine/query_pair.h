// query_pair.h - two samples for questions that add up: one part, and three
// with dead rows; which rows a question should take.
#ifndef OM_TESTS_ENGINE_QUERY_PAIR_H
#define OM_TESTS_ENGINE_QUERY_PAIR_H

#include "data/base/thread.h"
#include "tests/engine/query_sample.h"

#define ZONE_S (8 * 3600)
#define FIRST_S 1672502400  // 2023-01-01 in the zone

static struct sample sample[2];

typedef bool wanted(const struct truth *t);
static bool every(const struct truth *t)
{
    (void)t;
    return true;
}

static inline int pair_setup(void **state)
{
    (void)state;
    const size_t one[] = {9000}, three[] = {5000, 1, 2500};
    sample_make(&sample[0], 1, one, 0);
    sample_make(&sample[1], 3, three, 4);
    return 0;
}
static inline int pair_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) sample_free(&sample[i]);
    return 0;
}

/* Ask again and again while the n-th allocation fails, until none does, on one
 * thread. `ask` lets go of what it got. */
static inline void pair_faults(om_status (*ask)(const struct om_query *q))
{
    const struct om_query q = sample_query(&sample[1]);
    om_status st = OM_E_MEMORY;
    om_threads_set(1);
    const size_t live = om_alloc_live();
    for (size_t n = 1; st == OM_E_MEMORY && n < 3000; n++) {
        om_alloc_fail_after(n, false);
        st = ask(&q);
        om_alloc_fail_after(0, false);
        assert_int_equal(om_alloc_live(), live);
    }
    om_threads_set(0);
    assert_int_equal(st, OM_OK);
}

#endif
