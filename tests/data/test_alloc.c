/* Memory.
 *
 * Plan
 *   give_back_*  large blocks that are freed leave the process, whatever small
 *                ones lie between them
 *   overflow     a product of sizes that wraps gives no block
 *   counted      every block is counted once; a failed one not at all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"

#define BLOCKS 64
#define BLOCK_BYTES ((size_t)2 << 20)

// Sanitizers keep what is freed, for a while.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define GIVES_BACK
/* Bytes of the process that are its own; 0: the system does not say. */
static size_t own_bytes(void)
{
    char line[200];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %zu", &kib) == 1) break;
    if (file) fclose(file);
    return kib << 10;
}

static void give_back_of_large_blocks(void **state)
{
    (void)state;
    if (!own_bytes()) return;  // a system that does not say
    om_alloc_give_back();
    void *large[BLOCKS], *small[BLOCKS];
    // What a C library learns of from the first that is freed.
    om_free(om_alloc(2 * BLOCK_BYTES));
    const size_t before = own_bytes();
    for (size_t i = 0; i < BLOCKS; i++) {
        large[i] = om_alloc(BLOCK_BYTES);
        small[i] = om_alloc(40);
        assert_non_null(large[i]);
        assert_non_null(small[i]);
        memset(large[i], 1, BLOCK_BYTES);
    }
    const size_t most = own_bytes();
    assert_true(most >= before + BLOCKS * BLOCK_BYTES / 10 * 9);
    for (size_t i = 0; i < BLOCKS; i++) om_free(large[i]);
    assert_true(own_bytes() <= before + BLOCKS * BLOCK_BYTES / 10);
    for (size_t i = 0; i < BLOCKS; i++) om_free(small[i]);
}
#endif

static void overflow_gives_no_block(void **state)
{
    (void)state;
    // The largest whose product fits, and one more of either.
    const size_t half = (size_t)1 << (sizeof(size_t) * 4);
    size_t out = 7;
    assert_true(om_mul_size(half, half - 1, &out));
    assert_int_equal(out, SIZE_MAX - half + 1);
    assert_false(om_mul_size(half, half, &out));
    assert_int_equal(out, SIZE_MAX - half + 1);
    assert_true(om_mul_size(0, SIZE_MAX, &out));
    assert_int_equal(out, 0);
    assert_null(om_alloc_array(half, half));
    assert_null(om_alloc_array(SIZE_MAX, 2));
}

static void blocks_are_counted(void **state)
{
    (void)state;
    const size_t before = om_alloc_live();
    char *text = om_strdup("abc");
    char *zero = om_calloc(3, 5);
    assert_non_null(text);
    assert_non_null(zero);
    assert_int_equal(om_alloc_live(), before + 2);
    for (size_t i = 0; i < 15; i++) assert_int_equal(zero[i], 0);
    om_alloc_fail_after(1, true);
    assert_null(om_realloc(text, 1 << 20));
    assert_null(om_alloc(1));
    om_alloc_fail_after(0, false);
    assert_string_equal(text, "abc");
    char *longer = om_realloc(text, 1 << 20);
    assert_non_null(longer);
    assert_string_equal(longer, "abc");
    assert_int_equal(om_alloc_live(), before + 2);
    om_free(longer);
    om_free(zero);
    om_free(NULL);
    assert_int_equal(om_alloc_live(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overflow_gives_no_block),
        cmocka_unit_test(blocks_are_counted),
#ifdef GIVES_BACK
        cmocka_unit_test(give_back_of_large_blocks),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
