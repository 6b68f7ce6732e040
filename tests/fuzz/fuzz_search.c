/* fuzz_search.c - any bytes as a question: it is folded within bounds, its
 * alignment with itself is perfect, and with any other text never worth more
 * than what om__align_most says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/search_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct om_fold *fold;
    static struct om__question q;
    struct om_search_text own, other;
    struct om__alignment a;
    struct om_arena arena = {0};
    struct om__aligner *aligner;
    if (!fold && om_fold_get(&fold, NULL)) abort();
    if (om__aligner_new(&arena, &aligner)) abort();
    const char *text = (const char *)data;
    om_search_fold(fold, text, size / 2, &own);
    om_search_fold(fold, text + size / 2, size - size / 2, &other);
    if (own.tokens > OM_SEARCH_TOKENS || own.numbers > OM_SEARCH_NUMBERS)
        abort();
    om__question_read(fold, text, size / 2, &q);
    if (q.atoms != own.tokens) abort();
    for (int r = 0; r < OM__READINGS; r++) {
        const enum om__reading reading = (enum om__reading)r;
        om__align(aligner, &q, reading, own.token, own.tokens, 0, &a);
        if (a.score < q.total[r] - 1e-3F) abort();
        om__align(aligner, &q, reading, other.token, other.tokens, 0, &a);
        if (a.score > om__align_most(&q, reading, other.tokens) + 1e-3F)
            abort();
    }
    om_arena_deinit(&arena);
    return 0;
}
