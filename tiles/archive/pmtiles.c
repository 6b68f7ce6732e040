/* pmtiles.c - PMTiles, version 3: tiles behind each other, directories at the
 * end, a header that says where.
 *
 * DESIGN
 * The header and the root directory must lie in the first 16 KiB; those are
 * left free, tiles follow in the order of their ids (which makes the archive
 * 'clustered'), and metadata and leaf directories come last, when they are
 * known. Nothing is copied at the end and a reader finds all it needs to begin
 * in one request.
 *
 * To go on after a break the entries are kept in a log beside the file: the
 * tiles of a second or so, then a mark with the length of the data, its own
 * checksum and the id up to which all is done. What lies behind the last good
 * mark is cut off.
 *
 * source: PMTiles specification, version 3
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "tiles/archive/archive_internal.h"
#include "tiles/archive/tile_id.h"

#define HEADER_BYTES 127
#define FRONT_BYTES 16384
#define HAND_ON_BYTES ((size_t)1 << 20)
#define COMPRESSION_NONE 1
#define COMPRESSION_GZIP 2
#define LOG_MAGIC UINT64_C(0x31474f4c4d50454f)  // "OEPMLOG1"

/* A line of the log: a run of tiles of one content, or (run 0) a mark. */
struct line {
    uint64_t id;
    uint64_t offset;   // mark: bytes of tiles so far
    uint64_t hash[2];  // mark: [0] checksum of what lies before it, [1] 0
    uint32_t length, run;
};

struct pmtiles {
    char path[OM_ARCHIVE_PATH_BYTES];
    int fd, log_fd;
    struct om_buf data;  // behind `written`, not yet handed on
    struct om_buf log;   // lines since the last mark
    uint64_t written;    // bytes of tiles in the file
    uint64_t log_check;  // checksum of all lines so far
    struct om__entry *entry;
    size_t entries, room;
    struct om__contents contents;
    uint64_t tiles;
};

static om_status io_error(struct om_err *err, const char *path)
{
    return om_fail(err, OM_E_IO, 0, "%s: %s", path, strerror(errno));
}

static om_status write_at(int fd, const void *bytes, size_t len, uint64_t at,
                          const char *path, struct om_err *err)
{
    for (size_t done = 0; done < len;) {
        const ssize_t n = pwrite(fd, (const char *)bytes + done, len - done,
                                 (off_t)(at + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_error(err, path);
        done += (size_t)n;
    }
    return OM_OK;
}

/* One more tile, or a run of them, with the content at offset. */
static om_status note(struct pmtiles *p, const struct line *line)
{
    struct om__entry *last = p->entries ? &p->entry[p->entries - 1] : NULL;
    p->tiles += line->run;
    if (last && last->id + last->run == line->id &&
        last->offset == line->offset) {
        last->run += line->run;
        return OM_OK;
    }
    if (p->entries == p->room) {
        const size_t room = p->room ? 2 * p->room : 4096;
        void *more = om_realloc(p->entry, room * sizeof *p->entry);
        if (!more) return OM_E_MEMORY;
        p->entry = more;
        p->room = room;
    }
    p->entry[p->entries++] = (struct om__entry){.id = line->id,
                                                .offset = line->offset,
                                                .length = line->length,
                                                .run = line->run};
    return OM_OK;
}

/* A line of the log that was read back. */
static om_status replay(struct pmtiles *p, const struct line *line)
{
    struct om__content *content;
    OM_TRY(om__contents_find(&p->contents, line->hash, &content));
    content->at = line->offset;
    content->length = line->length;
    return note(p, line);
}

/* Take the lines up to the last good mark. Gives the id behind which to go on
 * and the bytes of the log that count. */
static om_status read_log(struct pmtiles *p, const struct om_buf *log,
                          uint64_t data_bytes, uint64_t *resume, size_t *good)
{
    const struct line *line =
        (const struct line *)(void *)(log->bytes + sizeof(uint64_t[2]));
    const size_t lines = (log->len - sizeof(uint64_t[2])) / sizeof *line;
    size_t marked = 0;
    uint64_t check = 0;
    for (size_t i = 0; i < lines; i++) {
        const uint64_t before = check;
        check = om_hash64(&line[i], sizeof line[i], check);
        if (line[i].run) continue;
        if (line[i].hash[0] != before ||
            line[i].offset + FRONT_BYTES > data_bytes)
            break;
        marked = i + 1;
        p->written = line[i].offset;
        p->log_check = check;
        *resume = line[i].id + 1;
    }
    for (size_t i = 0; i < marked; i++)
        if (line[i].run) OM_TRY(replay(p, &line[i]));
    *good = sizeof(uint64_t[2]) + marked * sizeof *line;
    return OM_OK;
}

static om_status open_files(struct pmtiles *p, const char *log_path, int flags,
                            struct om_err *err)
{
    p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
    if (p->fd < 0) return io_error(err, p->path);
    p->log_fd = open(log_path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
    return p->log_fd < 0 ? io_error(err, log_path) : OM_OK;
}

/* Go on where the log ends, or begin anew. */
static om_status resume_or_begin(struct pmtiles *p, uint64_t identity,
                                 uint64_t *resume, struct om_err *err)
{
    char log_path[OM_ARCHIVE_PATH_BYTES + 8];
    struct om_buf log = {0};
    const uint64_t head[2] = {LOG_MAGIC, identity};
    size_t good = 0;
    snprintf(log_path, sizeof log_path, "%s.log", p->path);
    OM_TRY(open_files(p, log_path, 0, err));
    om_status st = om_file_read(log_path, SIZE_MAX, &log, NULL);
    const off_t bytes = lseek(p->fd, 0, SEEK_END);
    if (!st && bytes >= 0 && log.len >= sizeof head &&
        !memcmp(log.bytes, head, sizeof head))
        st = read_log(p, &log, (uint64_t)bytes, resume, &good);
    om_buf_deinit(&log);
    if (st == OM_E_MEMORY) return om_fail(err, st, 0, "out of memory");
    if (!good) {
        st = write_at(p->log_fd, head, sizeof head, 0, log_path, err);
        good = sizeof head;
    }
    if (!st && (ftruncate(p->log_fd, (off_t)good) ||
                ftruncate(p->fd, (off_t)(FRONT_BYTES + p->written))))
        st = io_error(err, p->path);
    if (!st && lseek(p->log_fd, 0, SEEK_END) < 0) st = io_error(err, log_path);
    return st;
}

static void pmtiles_close(void *self)
{
    struct pmtiles *p = self;
    if (!p) return;
    if (p->fd >= 0) close(p->fd);
    if (p->log_fd >= 0) close(p->log_fd);
    om_buf_deinit(&p->data);
    om_buf_deinit(&p->log);
    om__contents_deinit(&p->contents);
    om_free(p->entry);
    om_free(p);
}

static om_status pmtiles_open(const char *part,
                              const struct om_archive_about *about, void **self,
                              uint64_t *resume, struct om_err *err)
{
    struct pmtiles *p = om_calloc(1, sizeof *p);
    if (!p) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    p->fd = p->log_fd = -1;
    snprintf(p->path, sizeof p->path, "%s", part);
    const om_status st = resume_or_begin(
        p, om_hash64(about->identity, strlen(about->identity), 0), resume, err);
    if (st)
        pmtiles_close(p);
    else
        *self = p;
    return st;
}

static om_status hand_on(struct pmtiles *p, struct om_err *err)
{
    OM_TRY(write_at(p->fd, p->data.bytes, p->data.len, FRONT_BYTES + p->written,
                    p->path, err));
    p->written += p->data.len;
    om_buf_clear(&p->data);
    return OM_OK;
}

static om_status pmtiles_add(void *self, uint64_t id, const void *bytes,
                             size_t len, struct om_err *err)
{
    struct pmtiles *p = self;
    struct line line = {.id = id, .length = (uint32_t)len, .run = 1};
    struct om__content *content;
    if (len > UINT32_MAX) return OM_E_LIMIT;
    om__content_hash(bytes, len, line.hash);
    OM_TRY(om__contents_find(&p->contents, line.hash, &content));
    if (!content->length) {
        content->at = p->written + p->data.len;
        content->length = (uint32_t)len;
        OM_TRY(om_buf_add(&p->data, bytes, len));
    }
    line.offset = content->at;
    OM_TRY(note(p, &line));
    OM_TRY(om_buf_add(&p->log, &line, sizeof line));
    return p->data.len >= HAND_ON_BYTES ? hand_on(p, err) : OM_OK;
}

static om_status pmtiles_keep(void *self, uint64_t id, struct om_err *err)
{
    struct pmtiles *p = self;
    OM_TRY(hand_on(p, err));
    OM_TRY(om_file_sync(p->fd, p->path, err));
    const struct line *line = (const struct line *)(void *)p->log.bytes;
    for (size_t i = 0; i < p->log.len / sizeof *line; i++)
        p->log_check = om_hash64(&line[i], sizeof *line, p->log_check);
    const struct line mark = {
        .id = id, .offset = p->written, .hash = {p->log_check, 0}};
    p->log_check = om_hash64(&mark, sizeof mark, p->log_check);
    OM_TRY(om_buf_add(&p->log, &mark, sizeof mark));
    OM_TRY(om_fd_write(p->log_fd, p->log.bytes, p->log.len, p->path, err));
    om_buf_clear(&p->log);
    return OM_OK;
}

static uint8_t *put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) *at++ = (uint8_t)(value >> 8 * i);
    return at;
}

static uint64_t e7(double deg)
{
    return (uint64_t)(int64_t)(deg * 1e7 + (deg < 0 ? -0.5 : 0.5));
}

static void put_header(const struct pmtiles *p,
                       const struct om_archive_about *about, size_t root,
                       size_t metadata, size_t leaves, uint8_t *out)
{
    const double *b = about->bounds;
    const uint64_t end = FRONT_BYTES + p->written;
    uint8_t *at = out;
    memcpy(at, "PMTiles\3", 8);
    at = put(at + 8, HEADER_BYTES, 8);
    at = put(at, root, 8);
    at = put(at, end, 8);
    at = put(at, metadata, 8);
    at = put(at, end + metadata, 8);
    at = put(at, leaves, 8);
    at = put(at, FRONT_BYTES, 8);
    at = put(at, p->written, 8);
    at = put(at, p->tiles, 8);
    at = put(at, p->entries, 8);
    at = put(at, p->contents.count, 8);
    at = put(at, 1, 1);  // clustered
    at = put(at, COMPRESSION_GZIP, 1);
    at = put(
        at, about->kind == OM_ARCHIVE_MVT ? COMPRESSION_GZIP : COMPRESSION_NONE,
        1);
    at = put(at, about->kind == OM_ARCHIVE_MVT ? 1 : 2, 1);
    at = put(at, about->zoom_min, 1);
    at = put(at, about->zoom_max, 1);
    for (int i = 0; i < 4; i++) at = put(at, e7(b[i]), 4);
    at = put(at, about->zoom_min, 1);
    at = put(at, e7((b[0] + b[2]) / 2), 4);
    put(at, e7((b[1] + b[3]) / 2), 4);
}

static void add_member(struct om_buf *out, const char *key, const char *text)
{
    if (!text || !*text) return;
    om_buf_addf(out, "%s\"%s\":", out->len > 1 ? "," : "", key);
    om_buf_add_json_text(out, text, strlen(text));
}

static om_status make_metadata(const struct om_archive_about *about,
                               struct om_buf *out)
{
    struct om_buf json = {0};
    om_buf_add_byte(&json, '{');
    add_member(&json, "name", about->name);
    add_member(&json, "description", about->description);
    add_member(&json, "attribution", about->attribution);
    add_member(&json, "type", "overlay");
    if (about->metadata && *about->metadata) {
        om_buf_add_byte(&json, ',');
        om_buf_add_text(&json, about->metadata);
    }
    om_buf_add_byte(&json, '}');
    om_status st = json.status;
    if (!st) st = om_archive_gzip(json.bytes, json.len, out);
    om_buf_deinit(&json);
    return st;
}

static om_status pmtiles_finish(void *self,
                                const struct om_archive_about *about,
                                struct om_err *err)
{
    struct pmtiles *p = self;
    struct om_buf root = {0}, leaves = {0}, metadata = {0};
    uint8_t header[HEADER_BYTES];
    om_status st = hand_on(p, err);
    if (!st) st = make_metadata(about, &metadata);
    if (!st)
        st = om__directories_write(p->entry, p->entries,
                                   FRONT_BYTES - HEADER_BYTES, &root, &leaves);
    if (st) goto done;
    const uint64_t end = FRONT_BYTES + p->written;
    put_header(p, about, root.len, metadata.len, leaves.len, header);
    st = write_at(p->fd, metadata.bytes, metadata.len, end, p->path, err);
    if (!st)
        st = write_at(p->fd, leaves.bytes, leaves.len, end + metadata.len,
                      p->path, err);
    if (!st) st = write_at(p->fd, header, sizeof header, 0, p->path, err);
    if (!st)
        st = write_at(p->fd, root.bytes, root.len, HEADER_BYTES, p->path, err);
    if (!st) st = om_file_sync(p->fd, p->path, err);
done:
    om_buf_deinit(&root);
    om_buf_deinit(&leaves);
    om_buf_deinit(&metadata);
    return st;
}

static struct om_archive_stats pmtiles_stats(const void *self)
{
    const struct pmtiles *p = self;
    return (struct om_archive_stats){.tiles = p->tiles,
                                     .contents = p->contents.count,
                                     .bytes = p->written + p->data.len};
}

const struct om__archive_writer om__pmtiles_writer = {
    .open = pmtiles_open,
    .add = pmtiles_add,
    .keep = pmtiles_keep,
    .finish = pmtiles_finish,
    .stats = pmtiles_stats,
    .close = pmtiles_close,
    .beside = (const char *const[]){".log", NULL},
};
