/* The table of things made once.
 *
 * Plan
 *   once_*    however many ask at once, one makes; a failure is told to whoever
 *             made it, and the next one tries again
 *   bound_*   no more than the bound, the longest unused go; all memory comes
 *             back
 *   newer_*   of a family only the newest stay; who comes late is served and
 *             replaces nothing; against a model of random questions
 *   put_off_* who may not make it here is sent to where it may be made
 *   fault_*   no memory: a status, and nothing is kept
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "web/server/made.h"
#include "web/server/server_internal.h"

struct thing {
    atomic_size_t refs;
    uint64_t family, newness;
};

static void *thing_ref(void *thing)
{
    atomic_fetch_add(&((struct thing *)thing)->refs, 1);
    return thing;
}

static void thing_unref(void *thing)
{
    if (atomic_fetch_sub(&((struct thing *)thing)->refs, 1) == 1)
        om_free(thing);
}

static const struct om__made_kind KIND = {"things", 4, thing_ref, thing_unref};

struct asking {
    uint64_t family, newness;
    atomic_size_t *makes;
    om_status fail;
};

static om_status make(void *ctx, void **out)
{
    const struct asking *a = ctx;
    if (a->makes) atomic_fetch_add(a->makes, 1);
    if (a->fail) return a->fail;
    struct thing *thing = om_calloc(1, sizeof *thing);
    if (!thing) return OM_E_MEMORY;
    thing->refs = 1;
    thing->family = a->family;
    thing->newness = a->newness;
    *out = thing;
    return OM_OK;
}

static om_status ask_as(struct om__made *made, const struct asking *a,
                        struct om__request *waiter, bool heavy,
                        struct thing **out)
{
    struct om__made_key key = {.newness = a->newness};
    void *thing = NULL;
    om_buf_add(&key.text, &a->family, sizeof a->family);
    key.family = key.text.len;
    om_buf_add(&key.text, &a->newness, sizeof a->newness);
    const om_status st = om__made_get(made, &key, waiter, heavy, make,
                                      (void *)(uintptr_t)a, &thing);
    om_buf_deinit(&key.text);
    *out = thing;
    return st;
}

static void ask(struct om__made *made, uint64_t family, uint64_t newness,
                atomic_size_t *makes)
{
    const struct asking a = {family, newness, makes, OM_OK};
    struct thing *thing;
    assert_int_equal(ask_as(made, &a, NULL, false, &thing), OM_OK);
    assert_true(thing->family == family && thing->newness == newness);
    thing_unref(thing);
}

static struct om__made *fresh(void)
{
    struct om__made *made = NULL;
    assert_int_equal(om__made_new(&KIND, &made), OM_OK);
    return made;
}

/* ---- once */

enum { THREADS = 8, ROUNDS = 400 };
static struct om__made *shared;
static atomic_size_t makes_of[ROUNDS];
static atomic_int arrived[ROUNDS];

static void *ask_all(void *ctx)
{
    (void)ctx;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        // Together, so that all of them want it at the same moment.
        atomic_fetch_add(&arrived[i], 1);
        while (atomic_load(&arrived[i]) < THREADS) sched_yield();
        ask(shared, 7, i, &makes_of[i]);
    }
    return NULL;
}

static void once_however_many_threads_ask(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    pthread_t thread[THREADS];
    shared = fresh();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask_all, NULL), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    size_t more = 0;
    for (int i = 0; i < ROUNDS; i++) {
        assert_true(makes_of[i] >= 1);
        more += makes_of[i] - 1;
    }
    // A thread may be a round behind: then it comes late, and makes its own.
    const struct om__made_stats s = om__made_stats(shared);
    assert_int_equal(s.hits + s.misses, THREADS * ROUNDS);
    assert_int_equal(s.misses, ROUNDS + more);
    assert_true(more < ROUNDS);
    om__made_free(shared);
    assert_int_equal(om_alloc_live(), before);
}

static void once_more_after_a_failure(void **state)
{
    (void)state;
    struct om__made *made = fresh();
    struct thing *thing;
    const struct asking bad = {1, 1, NULL, OM_E_DAMAGED};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask_as(made, &bad, NULL, false, &thing), OM_E_DAMAGED);
        assert_null(thing);
        assert_int_equal(om__made_stats(made).count, 0);
    }
    atomic_size_t makes = 0;
    ask(made, 1, 1, &makes);
    ask(made, 1, 1, &makes);
    assert_int_equal(makes, 1);
    om__made_free(made);
}

/* ---- bound */

static void bound_is_kept_and_the_longest_unused_go(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    struct om__made *made = fresh();
    atomic_size_t makes = 0;
    for (uint64_t f = 0; f < 100; f++) {
        ask(made, f, 1, &makes);
        ask(made, 0, 1, &makes);  // used all the time: it stays
        assert_true(om__made_stats(made).count <= KIND.most);
    }
    assert_int_equal(makes, 100);
    ask(made, 1, 1, &makes);
    assert_int_equal(makes, 101);
    om__made_free(made);
    assert_int_equal(om_alloc_live(), before);
}

static void bound_is_also_one_of_time(void **state)
{
    (void)state;
    struct om__made *made = fresh();
    atomic_size_t makes = 0;
    for (uint64_t f = 0; f < 3; f++) ask(made, f, 1, &makes);
    om__made_sweep(made, 3600.0);
    assert_int_equal(om__made_stats(made).count, 3);
    om__made_sweep(made, 0.0);
    assert_int_equal(om__made_stats(made).count, 0);
    ask(made, 0, 1, &makes);
    assert_int_equal(makes, 4);
    om__made_free(made);
}

/* ---- newer */

static void newer_ones_replace_older_and_none_the_other_way(void **state)
{
    (void)state;
    struct om__made *made = fresh();
    atomic_size_t makes = 0;
    ask(made, 1, 5, &makes);
    ask(made, 1, 6, &makes);
    assert_int_equal(om__made_stats(made).count, 1);
    ask(made, 1, 6, &makes);
    assert_int_equal(makes, 2);
    ask(made, 1, 5, &makes);  // late: served
    assert_int_equal(makes, 3);
    ask(made, 1, 6, &makes);  // and the newer one is still there
    assert_int_equal(makes, 3);
    assert_int_equal(om__made_stats(made).count, 1);
    om__made_free(made);
}

static uint64_t random_state = 4;
static uint64_t dice(uint64_t n)
{
    uint64_t z = (random_state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % n;
}

static void newer_model_of_random_questions(void **state)
{
    (void)state;
    struct om__made *made = fresh();
    // As many families as fit: the bound never bites, and what is there is the
    // newest that was ever asked for.
    uint64_t newest[4] = {0};
    atomic_size_t makes = 0;
    size_t expected = 0;
    for (int i = 0; i < 20000; i++) {
        const uint64_t f = dice(4);
        const uint64_t n = newest[f] + dice(4);
        const uint64_t newness = n > 1 && dice(3) == 0 ? n - 1 : n + 1;
        if (newness != newest[f]) expected++;
        if (newness > newest[f]) newest[f] = newness;
        ask(made, f, newness, &makes);
        assert_int_equal(makes, expected);
        assert_true(om__made_stats(made).count <= 4);
    }
    om__made_free(made);
}

/* ---- put off */

static void put_off_to_where_it_may_be_made(void **state)
{
    (void)state;
    struct om__made *made = fresh();
    struct om__request r = {0};
    struct thing *thing;
    const struct asking a = {1, 1, NULL, OM_OK};
    assert_int_equal(ask_as(made, &a, &r, false, &thing), OM_OK);
    assert_true(!thing && r.later && !r.heavy);
    r = (struct om__request){.on_worker = true};
    assert_int_equal(ask_as(made, &a, &r, true, &thing), OM_OK);
    assert_true(!thing && r.later && r.heavy);
    r = (struct om__request){.on_worker = true, .on_heavy = true};
    assert_int_equal(ask_as(made, &a, &r, true, &thing), OM_OK);
    assert_true(thing && !r.later);
    thing_unref(thing);
    // Once it is there anybody has it.
    r = (struct om__request){0};
    assert_int_equal(ask_as(made, &a, &r, true, &thing), OM_OK);
    assert_true(thing && !r.later);
    thing_unref(thing);
    om__made_free(made);
}

/* ---- fault */

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    size_t failures = 0;
    for (size_t nth = 1; nth <= 12; nth++) {
        struct om__made *made = NULL;
        struct thing *thing = NULL;
        const struct asking a = {1, 1, NULL, OM_OK};
        om_alloc_fail_after(nth, false);
        om_status st = om__made_new(&KIND, &made);
        if (!st) st = ask_as(made, &a, NULL, false, &thing);
        om_alloc_fail_after(0, false);
        if (thing) thing_unref(thing);
        if (st) assert_int_equal(st, OM_E_MEMORY);
        failures += st != OM_OK;
        assert_true(!made || om__made_stats(made).count == !st);
        om__made_free(made);
        assert_int_equal(om_alloc_live(), before);
    }
    // Table, text of the key, slots, copy of the key, thing.
    assert_int_equal(failures, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_however_many_threads_ask),
        cmocka_unit_test(once_more_after_a_failure),
        cmocka_unit_test(bound_is_kept_and_the_longest_unused_go),
        cmocka_unit_test(bound_is_also_one_of_time),
        cmocka_unit_test(newer_ones_replace_older_and_none_the_other_way),
        cmocka_unit_test(newer_model_of_random_questions),
        cmocka_unit_test(put_off_to_where_it_may_be_made),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
