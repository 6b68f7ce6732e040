// hash.h - XXH3 behind a door: checksums, buckets, ETags. Not for secrets.
#ifndef OM_DATA_BASE_HASH_H
#define OM_DATA_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** 64-bit XXH3 of `len` bytes; same on every machine. */
uint64_t om_hash64(const void *bytes, size_t len, uint64_t seed);

#endif
