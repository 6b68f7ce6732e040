// compress.h - zstd behind a door: blocks of text at rest.
#ifndef OM_DATA_BASE_COMPRESS_H
#define OM_DATA_BASE_COMPRESS_H

#include <stddef.h>

#include "data/base/status.h"

/** Upper bound of the compressed size of `len` bytes. */
size_t om_compress_max(size_t len);
/** Compress into `out` [room]. level 1 to 19. threads: any, no shared state. */
om_status om_compress(const void *bytes, size_t len, int level, void *out,
                      size_t room, size_t *out_len) OM_MUST_USE;
/** Decompress exactly `raw_len` bytes. returns OM_E_DAMAGED otherwise. */
om_status om_decompress(const void *bytes, size_t len, void *out,
                        size_t raw_len) OM_MUST_USE;
/** How long the first frame of `bytes` is, packed and raw: what om_compress
 *  made can stand one after the other. returns OM_E_DAMAGED. */
om_status om_compress_frame(const void *bytes, size_t len, size_t *frame_len,
                            size_t *raw_len) OM_MUST_USE;

#endif
