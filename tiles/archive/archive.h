// archive.h - tiles in one file: PMTiles 3 or MBTiles 1.3, each content once.
#ifndef OM_TILES_ARCHIVE_ARCHIVE_H
#define OM_TILES_ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

enum om_archive_format { OM_ARCHIVE_PMTILES, OM_ARCHIVE_MBTILES };
/** By the ending of a file's name: .pmtiles, .mbtiles; false for others. */
bool om_archive_format_of(const char *path, enum om_archive_format *out);

enum om_archive_kind {
    OM_ARCHIVE_MVT,  // gzipped vector tiles
    OM_ARCHIVE_PNG,
};

/* What an archive says of itself. Texts are UTF-8, borrowed. */
struct om_archive_about {
    enum om_archive_kind kind;
    unsigned zoom_min, zoom_max;
    double bounds[4];  // west, south, east, north, degrees
    const char *name, *description, *attribution;
    // JSON object without braces that both formats put into their metadata,
    // such as "\"vector_layers\":[..]"; may be empty.
    const char *metadata;
    // What the tiles are made of (names, parameters, data sequence). An export
    // goes on only where it broke off if this is the same.
    const char *identity;
};

struct om_archive;

/**
 * Begin, or go on with, an archive. Tiles are written to PATH.part (a second
 * file PATH.part.log beside it for PMTiles); PATH itself appears when the
 * archive is finished. Where both are left from a run that broke off and tell
 * of the same identity, *resume is the id from which to go on; else 0.
 *
 * returns  OM_E_IO, OM_E_MEMORY
 * owns     *out: om_archive_free
 */
om_status om_archive_open(const char *path, enum om_archive_format format,
                          const struct om_archive_about *about,
                          struct om_archive **out, uint64_t *resume,
                          struct om_err *err) OM_MUST_USE;
/**
 * Add a tile, by rising id (tile_id.h). Content that was added before is
 * stored once.
 * returns  OM_E_RANGE (not after the tile before), OM_E_IO, OM_E_MEMORY,
 *          OM_E_LIMIT (over 4 GiB in one tile)
 */
om_status om_archive_add(struct om_archive *archive, uint64_t id,
                         const void *bytes, size_t len,
                         struct om_err *err) OM_MUST_USE;
/** Every tile up to `id` is added or empty: a run that breaks off goes on
 *  behind it. Called every second or so. */
om_status om_archive_keep(struct om_archive *archive, uint64_t id,
                          struct om_err *err) OM_MUST_USE;
/** Write directories and metadata and put the file in its place. */
om_status om_archive_finish(struct om_archive *archive,
                            struct om_err *err) OM_MUST_USE;
/* Figures of an archive so far, those of an earlier run included. */
struct om_archive_stats {
    uint64_t tiles, contents, bytes;
};
struct om_archive_stats om_archive_stats(const struct om_archive *archive);
/** Without om_archive_finish before it: what was kept stays, to go on. NULL is
 *  fine. */
void om_archive_free(struct om_archive *archive);

#endif
