// fuzz_encoding.c - any bytes as text of some encoding: guessing never reads
// beyond them, and what is converted is UTF-8 that fits.
#include <stdlib.h>

#include "data/base/utf8.h"
#include "data/source/encoding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const CHARSET[] = {"GBK", "CP1252", "Shift_JIS"};
    const char *text = (const char *)data;
    struct om__encoding_guess guess = {0};
    om__encoding_sample(&guess, text, size);
    const char *guessed = om__encoding_guessed(&guess);
    for (size_t i = 0; i < sizeof CHARSET / sizeof *CHARSET; i++) {
        struct om__encoding *encoding = NULL;
        size_t len = 0;
        char *out = malloc(OM_ENCODING_GROWTH * size + 1);
        if (!out || om__encoding_open(CHARSET[i], &encoding, NULL)) abort();
        if (!om__encoding_text(encoding, 0, text, size, out, &len) &&
            (len > OM_ENCODING_GROWTH * size || !om_utf8_valid(out, len)))
            abort();
        om__encoding_close(encoding);
        free(out);
    }
    return guessed ? 0 : 1;
}
