// varint.h - numbers as bytes: of seven bits, the lowest first (LEB128);
// doubles.
#ifndef OM_TILES_VARINT_H
#define OM_TILES_VARINT_H

#include <string.h>

#include "data/base/buf.h"

static inline void om_varint_add(struct om_buf *out, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    om_buf_add(out, bytes, n);
}

/** Little-endian, whatever the machine. */
static inline void om_real_add(struct om_buf *out, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    for (unsigned i = 0; i < 8; i++)
        om_buf_add_byte(out, (uint8_t)(bits >> (8 * i)));
}

#endif
