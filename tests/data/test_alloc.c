/* Memory.
 *
 * Plan
 *   give_back_*  large blocks that are freed leave the process, whatever small
 *                ones lie between them
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
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    !defined(__GLIBC__)
    skip();
#endif
    if (!own_bytes()) skip();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(give_back_of_large_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
