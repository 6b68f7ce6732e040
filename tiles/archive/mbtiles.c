/* mbtiles.c - MBTiles 1.3: an SQLite file, each content once.
 *
 * DESIGN
 * Positions and contents are two tables, `tiles` is a view over both, as many
 * writers of such files do: a single-coloured sea is stored once. The index
 * over positions is made at the end, because they come along a Hilbert curve
 * and not in its order. A transaction ends where a run may go on; contents
 * that are there are hashed again then.
 *
 * source: MBTiles specification 1.3
 */
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/db.h"
#include "tiles/archive/archive_internal.h"
#include "tiles/archive/tile_id.h"

#define IDENTITY "onemap_identity"
#define KEPT "onemap_kept"

struct mbtiles {
    struct om_db *db;
    struct om_db_row *add_tile, *add_content;
    struct om__contents contents;
    uint64_t tiles, bytes;
};

static om_status set_metadata(struct om_db *db, const char *name,
                              const char *value, struct om_err *err)
{
    struct om_db_row *row = NULL;
    om_status st = om_db_prepare(
        db, "INSERT OR REPLACE INTO metadata (name, value) VALUES (?, ?)", &row,
        err);
    if (!st) st = om_db_set_text(row, 1, name, strlen(name));
    if (!st) st = om_db_set_text(row, 2, value, strlen(value));
    if (!st) st = om_db_do(row, err);
    om_db_finish(row);
    return st;
}

/* Text of a metadata row, "" if there is none. */
static om_status get_metadata(struct om_db *db, const char *name, char *out,
                              size_t room, struct om_err *err)
{
    struct om_db_row *row = NULL;
    bool more = false;
    size_t len = 0;
    out[0] = '\0';
    om_status st = om_db_prepare(
        db, "SELECT value FROM metadata WHERE name = ?", &row, err);
    if (!st) st = om_db_set_text(row, 1, name, strlen(name));
    if (!st) st = om_db_step(row, &more, err);
    if (!st && more) {
        const char *text = om_db_text(row, 0, &len);
        if (text && len < room) snprintf(out, room, "%s", text);
    }
    om_db_finish(row);
    return st;
}

static om_status read_contents(struct mbtiles *m, struct om_err *err)
{
    struct om_db_row *row = NULL;
    bool more = true;
    om_status st = om_db_prepare(m->db, "SELECT tile_id, tile_data FROM images",
                                 &row, err);
    while (!st && !(st = om_db_step(row, &more, err)) && more) {
        size_t len;
        uint64_t hash[2];
        struct om__content *content;
        const void *bytes = om_db_bytes(row, 1, &len);
        om__content_hash(bytes, len, hash);
        st = om__contents_find(&m->contents, hash, &content);
        if (st) break;
        content->at = (uint64_t)om_db_integer(row, 0);
        content->length = (uint32_t)len;
        m->bytes += len;
    }
    om_db_finish(row);
    return st;
}

static om_status count_tiles(struct mbtiles *m, struct om_err *err)
{
    struct om_db_row *row = NULL;
    bool more;
    om_status st = om_db_prepare(m->db, "SELECT count(*) FROM map", &row, err);
    if (!st) st = om_db_step(row, &more, err);
    if (!st) m->tiles = (uint64_t)om_db_integer(row, 0);
    om_db_finish(row);
    return st;
}

/* What an earlier run has left, if it was the same export. */
static om_status resume_from(struct mbtiles *m, const char *identity,
                             uint64_t *resume, struct om_err *err)
{
    char was[64], kept[32];
    unsigned long long id;
    OM_TRY(get_metadata(m->db, IDENTITY, was, sizeof was, err));
    OM_TRY(get_metadata(m->db, KEPT, kept, sizeof kept, err));
    if (strcmp(was, identity) != 0 || sscanf(kept, "%llu", &id) != 1)
        return om_db_run(m->db,
                         "DROP TABLE map; DROP TABLE images; "
                         "DROP TABLE metadata",
                         err);
    *resume = id + 1;
    OM_TRY(count_tiles(m, err));
    return read_contents(m, err);
}

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS metadata (name TEXT PRIMARY KEY, value TEXT);"
    "CREATE TABLE IF NOT EXISTS map (zoom_level INTEGER, tile_column INTEGER, "
    "tile_row INTEGER, tile_id INTEGER);"
    "CREATE TABLE IF NOT EXISTS images (tile_id INTEGER PRIMARY KEY, "
    "tile_data BLOB);";

static om_status begin(struct mbtiles *m, const char *part,
                       const struct om_archive_about *about, uint64_t *resume,
                       struct om_err *err)
{
    char identity[32];
    snprintf(identity, sizeof identity, "%016llx",
             (unsigned long long)om_hash64(about->identity,
                                           strlen(about->identity), 0));
    OM_TRY(om_db_open(part, OM_DB_CREATE, &m->db, err));
    // The application id that the standard gives such files.
    OM_TRY(om_db_run(m->db,
                     "PRAGMA application_id = 0x4d504258;"
                     "PRAGMA journal_mode = DELETE;"
                     "PRAGMA synchronous = NORMAL;"
                     "PRAGMA cache_size = -65536",
                     err));
    OM_TRY(om_db_run(m->db, SCHEMA, err));
    OM_TRY(resume_from(m, identity, resume, err));
    if (!*resume) {
        OM_TRY(om_db_run(m->db, SCHEMA, err));
        OM_TRY(set_metadata(m->db, IDENTITY, identity, err));
    }
    OM_TRY(om_db_prepare(m->db, "INSERT INTO map VALUES (?, ?, ?, ?)",
                         &m->add_tile, err));
    OM_TRY(om_db_prepare(m->db, "INSERT INTO images VALUES (?, ?)",
                         &m->add_content, err));
    return om_db_run(m->db, "BEGIN", err);
}

static void mbtiles_close(void *self)
{
    struct mbtiles *m = self;
    if (!m) return;
    om_db_finish(m->add_tile);
    om_db_finish(m->add_content);
    om_db_close(m->db);
    om__contents_deinit(&m->contents);
    om_free(m);
}

static om_status mbtiles_open(const char *part,
                              const struct om_archive_about *about, void **self,
                              uint64_t *resume, struct om_err *err)
{
    struct mbtiles *m = om_calloc(1, sizeof *m);
    if (!m) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    const om_status st = begin(m, part, about, resume, err);
    if (st)
        mbtiles_close(m);
    else
        *self = m;
    return st;
}

static om_status mbtiles_add(void *self, uint64_t id, const void *bytes,
                             size_t len, struct om_err *err)
{
    struct mbtiles *m = self;
    struct om__content *content;
    uint64_t hash[2];
    unsigned z;
    uint32_t x, y;
    om__content_hash(bytes, len, hash);
    OM_TRY(om__contents_find(&m->contents, hash, &content));
    if (!content->length) {
        content->at = m->contents.count;
        content->length = (uint32_t)len;
        m->bytes += len;
        OM_TRY(om_db_set_integer(m->add_content, 1, (int64_t)content->at));
        OM_TRY(om_db_set_bytes(m->add_content, 2, bytes, len));
        OM_TRY(om_db_do(m->add_content, err));
    }
    om_tile_of_id(id, &z, &x, &y);
    OM_TRY(om_db_set_integer(m->add_tile, 1, z));
    OM_TRY(om_db_set_integer(m->add_tile, 2, x));
    // Rows count from the south there.
    OM_TRY(om_db_set_integer(m->add_tile, 3,
                             (int64_t)((UINT32_C(1) << z) - 1 - y)));
    OM_TRY(om_db_set_integer(m->add_tile, 4, (int64_t)content->at));
    m->tiles++;
    return om_db_do(m->add_tile, err);
}

static om_status mbtiles_keep(void *self, uint64_t id, struct om_err *err)
{
    struct mbtiles *m = self;
    char kept[32];
    snprintf(kept, sizeof kept, "%llu", (unsigned long long)id);
    OM_TRY(set_metadata(m->db, KEPT, kept, err));
    OM_TRY(om_db_run(m->db, "COMMIT", err));
    return om_db_run(m->db, "BEGIN", err);
}

static om_status describe(struct mbtiles *m,
                          const struct om_archive_about *about,
                          struct om_err *err)
{
    const double *b = about->bounds;
    char text[128];
    const char *const word[][2] = {
        {"name", about->name},
        {"format", about->kind == OM_ARCHIVE_MVT ? "pbf" : "png"},
        {"type", "overlay"},
        {"version", "1"},
        {"description", about->description},
        {"attribution", about->attribution},
    };
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (word[i][1] && *word[i][1])
            OM_TRY(set_metadata(m->db, word[i][0], word[i][1], err));
    snprintf(text, sizeof text, "%.7f,%.7f,%.7f,%.7f", b[0], b[1], b[2], b[3]);
    OM_TRY(set_metadata(m->db, "bounds", text, err));
    snprintf(text, sizeof text, "%.7f,%.7f,%u", (b[0] + b[2]) / 2,
             (b[1] + b[3]) / 2, about->zoom_min);
    OM_TRY(set_metadata(m->db, "center", text, err));
    snprintf(text, sizeof text, "%u", about->zoom_min);
    OM_TRY(set_metadata(m->db, "minzoom", text, err));
    snprintf(text, sizeof text, "%u", about->zoom_max);
    OM_TRY(set_metadata(m->db, "maxzoom", text, err));
    if (!about->metadata || !*about->metadata) return OM_OK;
    struct om_buf json = {0};
    om_buf_addf(&json, "{%s}", about->metadata);
    om_buf_add_byte(&json, 0);
    om_status st = json.status;
    if (!st) st = set_metadata(m->db, "json", (const char *)json.bytes, err);
    om_buf_deinit(&json);
    return st;
}

static om_status mbtiles_finish(void *self,
                                const struct om_archive_about *about,
                                struct om_err *err)
{
    struct mbtiles *m = self;
    OM_TRY(describe(m, about, err));
    return om_db_run(
        m->db,
        "DELETE FROM metadata WHERE name LIKE 'onemap\\_%' ESCAPE '\\';"
        "COMMIT;"
        "CREATE UNIQUE INDEX map_index ON map "
        "(zoom_level, tile_column, tile_row);"
        "CREATE VIEW tiles AS SELECT zoom_level, tile_column, tile_row, "
        "tile_data FROM map JOIN images ON images.tile_id = map.tile_id;"
        "ANALYZE",
        err);
}

static struct om_archive_stats mbtiles_stats(const void *self)
{
    const struct mbtiles *m = self;
    return (struct om_archive_stats){
        .tiles = m->tiles, .contents = m->contents.count, .bytes = m->bytes};
}

const struct om__archive_writer om__mbtiles_writer = {
    .open = mbtiles_open,
    .add = mbtiles_add,
    .keep = mbtiles_keep,
    .finish = mbtiles_finish,
    .stats = mbtiles_stats,
    .close = mbtiles_close,
    .beside = (const char *const[]){"-journal", NULL},
};
