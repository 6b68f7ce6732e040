// compress.c - the only file that knows zstd.
#include "data/base/compress.h"

#include <pthread.h>
#include <stdint.h>
#include <zstd.h>

/* A context is some hundred kilobytes that zstd would allocate and clear for
 * every block: each thread keeps one of either kind and loses it when it
 * ends. */
static pthread_key_t packer_key, unpacker_key;
static pthread_once_t keys_once = PTHREAD_ONCE_INIT;
static int keys_failed;

static void free_packer(void *context)
{
    ZSTD_freeCCtx(context);
}

static void free_unpacker(void *context)
{
    ZSTD_freeDCtx(context);
}

static void make_keys(void)
{
    keys_failed = pthread_key_create(&packer_key, free_packer) ||
                  pthread_key_create(&unpacker_key, free_unpacker);
}

static ZSTD_CCtx *packer(void)
{
    if (pthread_once(&keys_once, make_keys) || keys_failed) return NULL;
    ZSTD_CCtx *context = pthread_getspecific(packer_key);
    if (context) return context;
    context = ZSTD_createCCtx();
    if (context) pthread_setspecific(packer_key, context);
    return context;
}

static ZSTD_DCtx *unpacker(void)
{
    if (pthread_once(&keys_once, make_keys) || keys_failed) return NULL;
    ZSTD_DCtx *context = pthread_getspecific(unpacker_key);
    if (context) return context;
    context = ZSTD_createDCtx();
    if (context) pthread_setspecific(unpacker_key, context);
    return context;
}

size_t om_compress_max(size_t len)
{
    return ZSTD_compressBound(len);
}

om_status om_compress(const void *bytes, size_t len, int level, void *out,
                      size_t room, size_t *out_len)
{
    ZSTD_CCtx *context = packer();
    if (!context) return OM_E_MEMORY;
    const size_t n = ZSTD_compressCCtx(context, out, room, bytes, len, level);
    if (ZSTD_isError(n)) return OM_E_INTERNAL;
    *out_len = n;
    return OM_OK;
}

om_status om_decompress(const void *bytes, size_t len, void *out,
                        size_t raw_len)
{
    ZSTD_DCtx *context = unpacker();
    if (!context) return OM_E_MEMORY;
    const size_t n = ZSTD_decompressDCtx(context, out, raw_len, bytes, len);
    return ZSTD_isError(n) || n != raw_len ? OM_E_DAMAGED : OM_OK;
}

om_status om_compress_frame(const void *bytes, size_t len, size_t *frame_len,
                            size_t *raw_len)
{
    const size_t packed = ZSTD_findFrameCompressedSize(bytes, len);
    const unsigned long long raw = ZSTD_getFrameContentSize(bytes, len);
    if (ZSTD_isError(packed) || raw == ZSTD_CONTENTSIZE_UNKNOWN ||
        raw == ZSTD_CONTENTSIZE_ERROR || raw > SIZE_MAX)
        return OM_E_DAMAGED;
    *frame_len = packed;
    *raw_len = (size_t)raw;
    return OM_OK;
}
