/* The cache of finished answers.
 *
 * Plan
 *   model_*   random puts and gets: what is there is what was put last before
 *             anything fell out, bytes add up and stay below the bound
 *   scan_*    many keys once each do not push out those asked for again
 *   shared_*  an answer lives as long as somebody holds it
 *   newer_*   an answer made from newer data takes the place of an older one,
 *             never the other way; bytes add up; what is not current any more
 *             counts as a miss
 *   threads_* several at once (thread sanitizer)
 *   fault_*   no memory for an entry: nothing is kept, nothing is lost
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "web/server/server_internal.h"

static uint64_t random_state = 1;
static uint64_t dice(uint64_t n)
{
    uint64_t z = (random_state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % n;
}

static struct om__answer *answer_of(size_t bytes)
{
    struct om__answer *answer = om_calloc(1, sizeof *answer);
    answer->refs = 1;
    answer->bytes = bytes;
    return answer;
}

static void put(struct om__cache *cache, uint64_t key, size_t bytes)
{
    struct om__answer *answer = answer_of(bytes);
    snprintf(answer->etag, sizeof answer->etag, "%llu",
             (unsigned long long)key);
    om__cache_put(cache, &key, sizeof key, answer);
    om__answer_unref(answer);
}

static bool get(struct om__cache *cache, uint64_t key)
{
    struct om__answer *answer = om__cache_get(cache, &key, sizeof key);
    if (!answer) return false;
    assert_int_equal(strtoull(answer->etag, NULL, 10), key);
    om__answer_unref(answer);
    return true;
}

static void model_holds_what_was_put_and_stays_below_its_bound(void **state)
{
    (void)state;
    const size_t max = 1 << 20, before = om_alloc_live();
    struct om__cache *cache;
    uint64_t asked = 0, had = 0;
    assert_int_equal(om__cache_new(max, &cache), OM_OK);
    for (int i = 0; i < 40000; i++) {
        // Small keys often, large ones seldom.
        const uint64_t key = dice(1 + dice(3000));
        asked++;
        if (get(cache, key))
            had++;
        else
            put(cache, key, dice(4000));
        const struct om__cache_stats s = om__cache_stats(cache);
        assert_true(s.bytes <= max);
        assert_int_equal(s.hits, had);
        assert_int_equal(s.hits + s.misses, asked);
        assert_int_equal(s.entries + s.evictions, asked - had);
        if (!i) assert_true(get(cache, key) && ++had && ++asked);
    }
    assert_true(had > 1000 && om__cache_stats(cache).evictions > 1000);
    om__cache_clear(cache);
    assert_int_equal(om__cache_stats(cache).entries, 0);
    assert_int_equal(om__cache_stats(cache).bytes, 0);
    om__cache_free(cache);
    assert_int_equal(om_alloc_live(), before);
}

static void scan_pushes_out_none_that_is_asked_for_again(void **state)
{
    (void)state;
    struct om__cache *cache;
    assert_int_equal(om__cache_new(4 << 20, &cache), OM_OK);
    enum { HOT = 300, SCAN = 50000 };
    for (uint64_t round = 0; round < 3; round++)
        for (uint64_t key = 0; key < HOT; key++)
            if (!get(cache, key)) put(cache, key, 2000);
    for (uint64_t i = 0; i < SCAN; i++) put(cache, 1000000 + i, 2000);
    uint64_t stayed = 0;
    for (uint64_t key = 0; key < HOT; key++) stayed += get(cache, key);
    assert_int_equal(stayed, HOT);
    // And the scan is gone but for what fits beside them.
    const struct om__cache_stats s = om__cache_stats(cache);
    assert_true(s.entries < 1100 && s.evictions > SCAN - 1100);
    om__cache_free(cache);
}

static void scan_that_comes_back_stays(void **state)
{
    (void)state;
    struct om__cache *cache;
    assert_int_equal(om__cache_new(4 << 20, &cache), OM_OK);
    for (uint64_t key = 0; key < 2000; key++) put(cache, key, 2000);
    assert_false(get(cache, 0));
    put(cache, 0, 2000);  // it was here a while ago
    for (uint64_t key = 5000; key < 5800; key++) put(cache, key, 2000);
    assert_true(get(cache, 0));
    om__cache_free(cache);
}

static void shared_answers_outlive_the_cache(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    struct om__cache *cache;
    assert_int_equal(om__cache_new(1 << 20, &cache), OM_OK);
    struct om__answer *answer = answer_of(10);
    om__cache_put(cache, "a", 1, answer);
    om__cache_put(cache, "b", 1, answer);
    om__cache_put(cache, "a", 1, answer);  // the key has one
    assert_int_equal(answer->refs, 3);
    om__cache_free(cache);
    assert_int_equal(answer->refs, 1);
    om__answer_unref(answer);
    // One that is larger than the whole cache is not kept.
    assert_int_equal(om__cache_new(1 << 20, &cache), OM_OK);
    put(cache, 1, 2 << 20);
    assert_false(get(cache, 1));
    om__cache_free(cache);
    assert_int_equal(om_alloc_live(), before);
}

static void put_of(struct om__cache *cache, uint64_t key, uint64_t sequence,
                   int64_t now_s, size_t bytes)
{
    struct om__answer *answer = answer_of(bytes);
    answer->sequence = sequence;
    answer->now_s = now_s;
    om__cache_put(cache, &key, sizeof key, answer);
    om__answer_unref(answer);
}

static void newer_answers_take_the_place_of_older(void **state)
{
    (void)state;
    struct om__cache *cache;
    const size_t before = om_alloc_live();
    enum { KEYS = 200 };
    uint64_t sequence[KEYS] = {0};
    int64_t now_s[KEYS] = {0};
    size_t bytes[KEYS] = {0}, sum = 0;
    // Room for all of them: what is there is the newest that ever was.
    assert_int_equal(om__cache_new(8 << 20, &cache), OM_OK);
    for (int i = 0; i < 30000; i++) {
        const uint64_t key = dice(KEYS);
        const uint64_t s = 1 + dice(50);
        const int64_t t = 60 * (int64_t)dice(4);
        const size_t b = dice(3000);
        put_of(cache, key, s, t, b);
        if (s > sequence[key] || (s == sequence[key] && t > now_s[key])) {
            sequence[key] = s;
            now_s[key] = t;
            bytes[key] = b;
        }
        struct om__answer *is = om__cache_get(cache, &key, sizeof key);
        assert_non_null(is);
        assert_true(is->sequence == sequence[key] && is->now_s == now_s[key]);
        assert_int_equal(is->bytes, bytes[key]);
        om__answer_unref(is);
    }
    const struct om__cache_stats all = om__cache_stats(cache);
    assert_int_equal(all.entries, KEYS);
    for (size_t k = 0; k < KEYS; k++) sum += bytes[k];
    assert_int_equal((all.bytes - sum) % KEYS, 0);
    om__cache_stale(cache);
    const struct om__cache_stats stale = om__cache_stats(cache);
    assert_true(stale.invalidated == 1 && stale.hits == all.hits - 1 &&
                stale.misses == all.misses + 1);
    om__cache_clear(cache);
    assert_int_equal(om__cache_stats(cache).bytes, 0);
    om__cache_free(cache);
    assert_int_equal(om_alloc_live(), before);
}

static void newer_answers_stay_below_the_bound(void **state)
{
    (void)state;
    struct om__cache *cache;
    const size_t max = 1 << 20;
    assert_int_equal(om__cache_new(max, &cache), OM_OK);
    for (uint64_t i = 1; i < 20000; i++) {
        put_of(cache, dice(300), i, 0, dice(20000));
        assert_true(om__cache_stats(cache).bytes <= max);
    }
    assert_true(om__cache_stats(cache).evictions > 0);
    om__cache_clear(cache);
    assert_int_equal(om__cache_stats(cache).bytes, 0);
    om__cache_free(cache);
}

static void *ask(void *ctx)
{
    for (uint64_t i = 0; i < 3000; i++) {
        const uint64_t key = i * 7919 % 701;
        if (!get(ctx, key)) put(ctx, key, 3000);
    }
    return NULL;
}

static void threads_may_ask_at_once(void **state)
{
    (void)state;
    struct om__cache *cache;
    pthread_t thread[4];
    assert_int_equal(om__cache_new(1 << 20, &cache), OM_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask, cache), 0);
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
    const struct om__cache_stats s = om__cache_stats(cache);
    assert_int_equal(s.hits + s.misses, 4 * 3000);
    om__cache_free(cache);
}

static void fault_keeps_nothing(void **state)
{
    (void)state;
    struct om__cache *cache = NULL;
    const size_t before = om_alloc_live();
    for (size_t n = 1; n <= 3; n++) {
        om_alloc_fail_after(n, false);
        assert_int_equal(om__cache_new(1 << 20, &cache), OM_E_MEMORY);
        om_alloc_fail_after(0, false);
        assert_int_equal(om_alloc_live(), before);
    }
    assert_int_equal(om__cache_new(1 << 20, &cache), OM_OK);
    struct om__answer *answer = answer_of(10);
    om_alloc_fail_after(1, false);
    om__cache_put(cache, "a", 1, answer);
    om_alloc_fail_after(0, false);
    assert_null(om__cache_get(cache, "a", 1));
    assert_int_equal(answer->refs, 1);
    om__answer_unref(answer);
    om__cache_free(cache);
    assert_int_equal(om_alloc_live(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_holds_what_was_put_and_stays_below_its_bound),
        cmocka_unit_test(scan_pushes_out_none_that_is_asked_for_again),
        cmocka_unit_test(scan_that_comes_back_stays),
        cmocka_unit_test(shared_answers_outlive_the_cache),
        cmocka_unit_test(newer_answers_take_the_place_of_older),
        cmocka_unit_test(newer_answers_stay_below_the_bound),
        cmocka_unit_test(threads_may_ask_at_once),
        cmocka_unit_test(fault_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
