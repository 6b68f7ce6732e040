// archive_internal.h - what the two formats have in common.
#ifndef OM_TILES_ARCHIVE_ARCHIVE_INTERNAL_H
#define OM_TILES_ARCHIVE_ARCHIVE_INTERNAL_H

#include "data/base/buf.h"
#include "data/base/hash.h"
#include "tiles/archive/archive.h"
#include "tiles/archive/gzip.h"

#define OM_ARCHIVE_PATH_BYTES 4096

/* What one format does; `self` is its own struct. */
struct om__archive_writer {
    om_status (*open)(const char *part, const struct om_archive_about *about,
                      void **self, uint64_t *resume, struct om_err *err);
    om_status (*add)(void *self, uint64_t id, const void *bytes, size_t len,
                     struct om_err *err);
    om_status (*keep)(void *self, uint64_t id, struct om_err *err);
    om_status (*finish)(void *self, const struct om_archive_about *about,
                        struct om_err *err);
    struct om_archive_stats (*stats)(const void *self);
    void (*close)(void *self);
    const char *const *beside;  // endings of files to remove when finished
};
extern const struct om__archive_writer om__pmtiles_writer, om__mbtiles_writer;

/* ---- contents.c: which contents there are ------------------------------ */

/* A content by its hash of 128 bits, and where it is. */
struct om__content {
    uint64_t hash[2];
    uint64_t at;      // offset, or number of the content
    uint32_t length;  // of a stored content; 0: no entry
};
struct om__contents {
    struct om__content *slot;
    size_t slots, count;  // slots: a power of two, or 0
};
void om__contents_deinit(struct om__contents *contents);
/** The entry of these bytes, or a new one (length 0, to be filled by the
 *  caller). Valid until the next call. returns OM_E_MEMORY. */
om_status om__contents_find(struct om__contents *contents,
                            const uint64_t hash[2],
                            struct om__content **out) OM_MUST_USE;
/** 128 bits of hash of a content. */
void om__content_hash(const void *bytes, size_t len, uint64_t out[2]);

/* ---- directory.c: PMTiles' directories --------------------------------- */

struct om__entry {
    uint64_t id, offset;
    uint32_t length, run;  // run 0: a leaf directory at offset
};
/** Serialise entries as the specification wants, gzipped. */
om_status om__directory_write(const struct om__entry *entry, size_t count,
                              struct om_buf *out) OM_MUST_USE;
/** Root (at most `room` bytes) and leaves behind each other. */
om_status om__directories_write(const struct om__entry *entry, size_t count,
                                size_t room, struct om_buf *root,
                                struct om_buf *leaves) OM_MUST_USE;

#endif
