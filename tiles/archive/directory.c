/* directory.c - PMTiles' directories: columns of varints, gzipped.
 *
 * source: PMTiles specification, version 3, section 4.2
 */
#include <libdeflate.h>

#include "tiles/archive/archive_internal.h"

/* Read by clients again and again, written once: the best ratio there is. */
#define GZIP_LEVEL 9
/* Entries of one leaf at first; doubled until their list fits the root. */
#define LEAF_ENTRIES 4096

om_status om_archive_gzip(const void *bytes, size_t len, struct om_buf *out)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(GZIP_LEVEL);
    if (!c) return OM_E_MEMORY;
    const size_t room = libdeflate_gzip_compress_bound(c, len);
    om_status st = om_buf_reserve(out, room);
    if (!st)
        out->len += libdeflate_gzip_compress(c, bytes, len,
                                             out->bytes + out->len, room);
    libdeflate_free_compressor(c);
    return st;
}

static void put_varint(struct om_buf *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;
    do {
        bytes[n] = (uint8_t)(value & 0x7f);
        value >>= 7;
        if (value) bytes[n] |= 0x80;
        n++;
    } while (value);
    om_buf_add(out, bytes, n);
}

om_status om__directory_write(const struct om__entry *entry, size_t count,
                              struct om_buf *out)
{
    struct om_buf plain = {0};
    put_varint(&plain, count);
    for (size_t i = 0; i < count; i++)
        put_varint(&plain, entry[i].id - (i ? entry[i - 1].id : 0));
    for (size_t i = 0; i < count; i++) put_varint(&plain, entry[i].run);
    for (size_t i = 0; i < count; i++) put_varint(&plain, entry[i].length);
    for (size_t i = 0; i < count; i++) {
        // 0: right behind the one before; else the offset and one.
        const bool follows =
            i && entry[i].offset == entry[i - 1].offset + entry[i - 1].length;
        put_varint(&plain, follows ? 0 : entry[i].offset + 1);
    }
    om_status st = plain.status;
    if (!st) st = om_archive_gzip(plain.bytes, plain.len, out);
    om_buf_deinit(&plain);
    return st;
}

/* Leaves of `size` entries each, and a root that lists them. */
static om_status write_leaves(const struct om__entry *entry, size_t count,
                              size_t size, struct om_buf *root,
                              struct om_buf *leaves)
{
    struct om_buf list = {0};
    om_status st = OM_OK;
    size_t n = 0;
    om_buf_clear(root);
    om_buf_clear(leaves);
    for (size_t from = 0; from < count && !st; from += size, n++) {
        const size_t some = count - from < size ? count - from : size;
        const size_t offset = leaves->len;
        st = om__directory_write(entry + from, some, leaves);
        const struct om__entry leaf = {
            .id = entry[from].id,
            .offset = offset,
            .length = (uint32_t)(leaves->len - offset)};
        om_buf_add(&list, &leaf, sizeof leaf);
    }
    if (!st) st = list.status;
    if (!st)
        st = om__directory_write((const struct om__entry *)(void *)list.bytes,
                                 n, root);
    om_buf_deinit(&list);
    return st;
}

om_status om__directories_write(const struct om__entry *entry, size_t count,
                                size_t room, struct om_buf *root,
                                struct om_buf *leaves)
{
    om_buf_clear(root);
    om_buf_clear(leaves);
    if (count < LEAF_ENTRIES * 4) {
        OM_TRY(om__directory_write(entry, count, root));
        if (root->len <= room) return OM_OK;
    }
    size_t size = LEAF_ENTRIES;
    do {
        OM_TRY(write_leaves(entry, count, size, root, leaves));
        size *= 2;
    } while (root->len > room);
    return OM_OK;
}
