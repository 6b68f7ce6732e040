// tar.h - heads of a POSIX tar archive, as backups have them.
#ifndef OM_DATA_CITY_TAR_H
#define OM_DATA_CITY_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/buf.h"

/** A tar archive is blocks of this size; a file's bytes are padded to them. */
#define OM_TAR_BLOCK 512
/** Longest name with its NUL; longer ones are OM_E_LIMIT. */
#define OM_TAR_NAME_BYTES 1024
/** Longest head: one block, or with a pax head four. */
#define OM_TAR_HEAD_BYTES (5 * OM_TAR_BLOCK)

/* One file of an archive. */
struct om_tar_file {
    char name[OM_TAR_NAME_BYTES];
    uint64_t bytes;
    int64_t modified_s;
    unsigned mode;  // rights, as of chmod
};

/** Append the head of a file: ustar, with a pax head before it where the name
 *  or the size does not fit. source: POSIX.1-2017, pax, "ustar Interchange
 *  Format", "pax Extended Header". */
om_status om_tar_head_add(const struct om_tar_file *file,
                          struct om_buf *out) OM_MUST_USE;
/**
 * Read a head out of `bytes`; *used says how much of them it is.
 * returns  OM_E_LIMIT   more bytes are needed (OM_TAR_HEAD_BYTES are enough)
 *          OM_E_NOTFOUND  the block of zeros that ends an archive
 *          OM_E_FORMAT  no head, or of something that is not a plain file
 */
om_status om_tar_head_read(const uint8_t *bytes, size_t len,
                           struct om_tar_file *out, size_t *used) OM_MUST_USE;
/** Bytes of padding after a file. */
static inline size_t om_tar_padding(uint64_t bytes)
{
    return (size_t)((OM_TAR_BLOCK - bytes % OM_TAR_BLOCK) % OM_TAR_BLOCK);
}

#endif
