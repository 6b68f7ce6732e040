/* om_record_read: bytes of the journal. What is read, written again, is the
 * same bytes; what is refused leaves the reader as it was. The first byte picks
 * the geometry, the rest is the record after its head, which is made right. */
#include <stdlib.h>
#include <string.h>

#include "data/city/record.h"
#include "tests/data/record_sample.h"

#define HEAD_BYTES 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    const struct om_schema schema =
        record_schema((enum om_geometry)(data[0] % 3));
    struct om_batch good = record_batch(&schema, 1, true, 9);
    struct om_record_reader *reader = NULL;
    struct om_buf record = {0}, bytes = {0};
    const struct om_batch *batch;
    if (om_record_reader_new(&schema, &reader)) abort();
    if (om_record_add(&schema, &good, 0, &record)) abort();
    if (om_record_read(reader, record.bytes, record.len)) abort();
    if (om_buf_add(&bytes, record.bytes, HEAD_BYTES)) abort();
    if (om_buf_add(&bytes, data + 1, size - 1)) abort();
    const size_t taken = !om_record_read(reader, bytes.bytes, bytes.len);
    if (om_record_rows(reader) != 1 + taken) abort();
    if (om_record_batch(reader, &batch)) abort();
    for (size_t i = 0; i < 1 + taken; i++) {
        const struct om_buf *expected = i ? &bytes : &record;
        struct om_buf again = {0};
        if (om_record_add(&schema, batch, i, &again)) abort();
        if (again.len != expected->len ||
            memcmp(again.bytes, expected->bytes, again.len) != 0)
            abort();
        om_buf_deinit(&again);
    }
    om_record_reader_free(reader);
    om_buf_deinit(&record);
    om_buf_deinit(&bytes);
    om_arena_deinit(&good.arena);
    return 0;
}
