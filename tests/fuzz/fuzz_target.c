// fuzz_target.c - request targets: what is taken keeps its promises, and
// writing the parts again gives the same parts.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/utf8.h"
#include "web/server/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void encode(char **at, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        *(*at)++ = '%';
        *(*at)++ = "0123456789ABCDEF"[c >> 4];
        *(*at)++ = "0123456789abcdef"[c & 15];
    }
}

static void must(int truth)
{
    if (!truth) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *scratch = malloc(len + 1), *again = malloc(3 * len + 2);
    char *second_scratch = malloc(3 * len + 2);
    struct om_address a, b;
    struct om_err err;
    if (!om_address_parse((const char *)bytes, len, scratch, &a, &err)) {
        char *at = again;
        for (size_t i = 0; i < a.segments; i++) {
            must(a.segment[i][0] && !strpbrk(a.segment[i], "/\\"));
            must(om_utf8_valid(a.segment[i], strlen(a.segment[i])));
            *at++ = '/';
            encode(&at, a.segment[i]);
        }
        if (a.slash || !a.segments) *at++ = '/';
        for (size_t i = 0; i < a.params; i++) {
            must(strlen(a.param[i].value) == a.param[i].len);
            *at++ = i ? '&' : '?';
            encode(&at, a.param[i].name);
            *at++ = '=';
            encode(&at, a.param[i].value);
        }
        // Escapes are longer than what they stand for: the limit may be hit.
        const om_status st = om_address_parse(again, (size_t)(at - again),
                                              second_scratch, &b, &err);
        must(st == OM_OK ||
             (st == OM_E_LIMIT && at - again > OM_ADDRESS_BYTES));
        if (!st) {
            must(a.segments == b.segments && a.params == b.params &&
                 a.slash == b.slash);
            for (size_t i = 0; i < a.segments; i++)
                must(!strcmp(a.segment[i], b.segment[i]));
            for (size_t i = 0; i < a.params; i++)
                must(!strcmp(a.param[i].name, b.param[i].name) &&
                     !strcmp(a.param[i].value, b.param[i].value));
        }
        struct om_tile_address t;
        if (a.segments == 5 &&
            !om_tile_address_parse(a.segment[2], a.segment[3], a.segment[4],
                                   &t))
            must(t.z <= OM_TILE_ZOOM_MAX && t.x >> t.z == 0 && t.y >> t.z == 0);
    }
    free(scratch);
    free(again);
    free(second_scratch);
    return 0;
}
