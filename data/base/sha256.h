// sha256.h - SHA-256: checksums that other programs check, too.
#ifndef OM_DATA_BASE_SHA256_H
#define OM_DATA_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define OM_SHA256_BYTES 32
/** Of om_sha256_hex, with the NUL. */
#define OM_SHA256_HEX_BYTES (2 * OM_SHA256_BYTES + 1)

/**
 * The digest of `len` bytes.
 * source   FIPS 180-4, sections 4.1.2, 5.1.1, 6.2
 * test     tests/data/test_sha256.c
 */
void om_sha256(const void *bytes, size_t len, uint8_t out[OM_SHA256_BYTES]);
/** The digest as lower-case hexadecimal digits. */
void om_sha256_hex(const void *bytes, size_t len,
                   char out[OM_SHA256_HEX_BYTES]);

#endif
