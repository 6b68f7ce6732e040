// fuzz_csv.c - the splitter of delimited text against its reference; the first
// bytes choose the delimiter and how long stretches are.
#include "tests/fuzz/csv_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) return 0;
    const char delimiter = ",;\t"[data[0] % 3];
    const char *why = csv_differs((const char *)data + 3, size - 3, delimiter,
                                  data[1] + 1u, data[2] + 1u);
    if (why) abort();
    (void)om_csv_delimiter((const char *)data + 3, size - 3);
    return 0;
}
