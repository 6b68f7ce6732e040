// compress.c - the only file that knows zstd.
#include "data/base/compress.h"

#include <zstd.h>

size_t om_compress_max(size_t len)
{
    return ZSTD_compressBound(len);
}

om_status om_compress(const void *bytes, size_t len, int level, void *out,
                      size_t room, size_t *out_len)
{
    const size_t n = ZSTD_compress(out, room, bytes, len, level);
    if (ZSTD_isError(n)) return OM_E_INTERNAL;
    *out_len = n;
    return OM_OK;
}

om_status om_decompress(const void *bytes, size_t len, void *out,
                        size_t raw_len)
{
    const size_t n = ZSTD_decompress(out, raw_len, bytes, len);
    return ZSTD_isError(n) || n != raw_len ? OM_E_DAMAGED : OM_OK;
}
