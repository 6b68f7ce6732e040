// varint.h - numbers as bytes of seven bits, the lowest first (LEB128).
#ifndef OM_TILES_VARINT_H
#define OM_TILES_VARINT_H

#include "data/base/buf.h"

static inline void om_varint_add(struct om_buf *out, uint64_t v)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    om_buf_add(out, bytes, n);
}

#endif
