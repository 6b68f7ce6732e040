// fuzz_number.c - numbers of text files, beside strtod.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/source/columns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
    if (!truth) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    int64_t integer, truth;
    double real;
    char copy[512];
    const om_status st = om_number_real(text, size, &real);
    if (!st && size < sizeof copy) {
        memcpy(copy, text, size);
        copy[size] = '\0';
        char *end;
        must(isfinite(real) && strtod(copy, &end) == real);
        must(end[strspn(end, " \t")] == '\0');
    }
    if (!om_number_integer(text, size, &integer) && size < 100)
        must(!st && real == (double)integer);
    if (!om_number_boolean(text, size, &truth)) must(truth == 0 || truth == 1);
    return 0;
}
