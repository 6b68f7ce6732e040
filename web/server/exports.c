/* exports.c - files to be taken away: written once, read in any pieces.
 *
 * DESIGN
 * A layer of millions of rows as one file is written to disk first, because
 * whoever loads it wants to know its length, to go on where a line broke, and
 * to read pieces of it (GDAL's /vsicurl asks for ranges by the dozen). A file
 * is unlinked as soon as it is open: nothing is left whatever happens to the
 * process. The last few are kept for those who come back; the oldest go when
 * new ones need the room. Their ETag is a hash of their bytes, so that the
 * same rows written again are the same file to a client that resumes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "web/server/connection.h"
#include "web/server/exports.h"
#include "web/server/media.h"
#include "web/server/reply.h"
#include "web/server/server_internal.h"

/* Files kept, and bytes of all of them; one may have half of these. */
#define FILES 24
#define BYTES ((uint64_t)8 << 30)
/* Read at once when a file is hashed. */
#define PIECE ((size_t)1 << 20)

struct file {
    void *key;  // owned
    size_t key_len;
    int fd;
    uint64_t bytes, rows, used;  // used: when last, by a counter
    char etag[24];
};

struct om__exports {
    char folder[512];
    pthread_mutex_t lock;
    struct file file[FILES];  // key NULL: free
    uint64_t bytes, clock, serial;
};

static void drop(struct om__exports *e, struct file *file)
{
    if (!file->key) return;
    close(file->fd);
    om_free(file->key);
    e->bytes -= file->bytes;
    *file = (struct file){0};
}

om_status om__exports_new(struct om_server *server, struct om__exports **out)
{
    (void)server;
    struct om__exports *e = om_calloc(1, sizeof *e);
    if (!e) return OM_E_MEMORY;
    const char *tmp = getenv("TMPDIR");
    pthread_mutex_init(&e->lock, NULL);
    snprintf(e->folder, sizeof e->folder, "%.400s/onemap-XXXXXX",
             tmp && *tmp ? tmp : "/tmp");
    // Without a place for files there are none; the rest works.
    if (!mkdtemp(e->folder)) e->folder[0] = '\0';
    *out = e;
    return OM_OK;
}

void om__exports_free(struct om__exports *exports)
{
    if (!exports) return;
    for (size_t i = 0; i < FILES; i++) drop(exports, &exports->file[i]);
    if (exports->folder[0]) rmdir(exports->folder);
    pthread_mutex_destroy(&exports->lock);
    om_free(exports);
}

uint64_t om__export_room(struct om_server *server)
{
    struct statvfs disk;
    uint64_t room = BYTES / 2;
    if (!server->exports->folder[0] || statvfs(server->exports->folder, &disk))
        return 0;
    const uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    return free_bytes / 2 < room ? free_bytes / 2 : room;
}

om_status om__export_path(struct om__request *r, const char *form, char *path,
                          size_t room)
{
    struct om__exports *e = r->server->exports;
    if (!e->folder[0])
        return om_fail(&r->err, OM_E_BUSY, 0,
                       "there is no place for temporary files");
    pthread_mutex_lock(&e->lock);
    const uint64_t serial = ++e->serial;
    pthread_mutex_unlock(&e->lock);
    snprintf(path, room, "%s/%llu.%s", e->folder, (unsigned long long)serial,
             form);
    return OM_OK;
}

/* Length and ETag of an open file. */
static om_status measure(struct file *file)
{
    struct stat s;
    if (fstat(file->fd, &s)) return OM_E_IO;
    file->bytes = (uint64_t)s.st_size;
    uint8_t *piece = om_alloc(PIECE);
    if (!piece) return OM_E_MEMORY;
    uint64_t hash = 0;
    om_status st = OM_OK;
    for (uint64_t at = 0; at < file->bytes && !st;) {
        const ssize_t n = pread(file->fd, piece, PIECE, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) st = OM_E_IO;
        if (n > 0) hash = om_hash64(piece, (size_t)n, hash);
        at += n > 0 ? (uint64_t)n : 0;
    }
    om_free(piece);
    snprintf(file->etag, sizeof file->etag, "\"%016llx\"",
             (unsigned long long)hash);
    return st;
}

static void put(struct om__exports *e, struct file file)
{
    pthread_mutex_lock(&e->lock);
    struct file *oldest = NULL;
    do {
        oldest = NULL;
        struct file *empty = NULL;
        for (size_t i = 0; i < FILES; i++) {
            struct file *f = &e->file[i];
            if (!f->key)
                empty = f;
            else if (!oldest || f->used < oldest->used)
                oldest = f;
        }
        if (empty && (!oldest || e->bytes + file.bytes <= BYTES)) {
            file.used = ++e->clock;
            e->bytes += file.bytes;
            *empty = file;
            break;
        }
        drop(e, oldest);
    } while (oldest);
    pthread_mutex_unlock(&e->lock);
}

om_status om__export_keep(struct om__request *r, const struct om_buf *key,
                          const char *path, uint64_t rows)
{
    struct file file = {.rows = rows, .key_len = key->len};
    file.fd = open(path, O_RDONLY | O_CLOEXEC);
    unlink(path);
    if (file.fd < 0) return OM_E_IO;
    om_status st = measure(&file);
    if (!st) file.key = om_alloc(key->len ? key->len : 1);
    if (!st && !file.key) st = OM_E_MEMORY;
    if (st) {
        close(file.fd);
        return st;
    }
    memcpy(file.key, key->bytes, key->len);
    put(r->server->exports, file);
    return OM_OK;
}

/* A copy whose descriptor is the caller's. */
static bool find(struct om__exports *e, const struct om_buf *key,
                 struct file *out)
{
    bool found = false;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < FILES && !found; i++) {
        struct file *f = &e->file[i];
        found = f->key && f->key_len == key->len &&
                !memcmp(f->key, key->bytes, key->len);
        if (!found) continue;
        f->used = ++e->clock;
        *out = *f;
        out->fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
    }
    pthread_mutex_unlock(&e->lock);
    return found && out->fd >= 0;
}

/* "bytes=FROM-TO", "bytes=FROM-", "bytes=-LAST". true: it can be read; more
 * than one range, and other units, are answered with everything (RFC 9110
 * section 14.2). *empty: none of it is there. */
static bool read_range(const char *text, uint64_t bytes, uint64_t *from,
                       uint64_t *to, bool *empty)
{
    uint64_t a = 0, b = 0;
    *empty = false;
    if (!text || strncmp(text, "bytes=", 6) != 0) return false;
    text += 6;
    const char *dash = strchr(text, '-');
    if (!dash || strchr(text, ',')) return false;
    const size_t before = (size_t)(dash - text), after = strlen(dash + 1);
    const bool has_a = om_digits_read(text, before, INT64_MAX, &a);
    const bool has_b = om_digits_read(dash + 1, after, INT64_MAX, &b);
    if ((before && !has_a) || (after && !has_b) || (!has_a && !has_b) ||
        (has_a && has_b && a > b))
        return false;
    if (has_a) {
        *from = a;
        *to = has_b && b < bytes ? b + 1 : bytes;
    } else {
        *from = b < bytes ? bytes - b : 0;
        *to = bytes;
    }
    *empty = *from >= bytes || (!has_a && !b);
    return true;
}

/* May a range be sent to a client that has the beginning of another file? */
static bool range_holds(const struct om__request *r, const char *etag)
{
    return r->range && (!r->if_range || !strcmp(r->if_range, etag));
}

static void respond(struct om__request *r, struct file *file, uint64_t from,
                    uint64_t to, unsigned status, const struct om__head *head)
{
    char range[96];
    const bool none =
        status != MHD_HTTP_OK && status != MHD_HTTP_PARTIAL_CONTENT;
    if (none || from == to) {
        close(file->fd);
        r->response = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
                                                      MHD_RESPMEM_PERSISTENT);
    } else {
        r->response =
            MHD_create_response_from_fd_at_offset64(to - from, file->fd, from);
        if (!r->response) close(file->fd);
    }
    r->status = status;
    if (!r->response) return;
    om__reply_lines(r, r->response, head, file->etag);
    MHD_add_response_header(r->response, "Accept-Ranges", "bytes");
    if (status == MHD_HTTP_PARTIAL_CONTENT)
        snprintf(range, sizeof range, "bytes %llu-%llu/%llu",
                 (unsigned long long)from, (unsigned long long)to - 1,
                 (unsigned long long)file->bytes);
    else
        snprintf(range, sizeof range, "bytes */%llu",
                 (unsigned long long)file->bytes);
    if (status == MHD_HTTP_PARTIAL_CONTENT ||
        status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
        MHD_add_response_header(r->response, "Content-Range", range);
}

bool om__export_reply(struct om__request *r, const struct om_buf *key,
                      const struct om__export *about)
{
    struct file file;
    if (!find(r->server->exports, key, &file)) return false;
    char name[OM_LIMIT_NAME_BYTES + 64], matched[24], returned[24];
    snprintf(name, sizeof name, "attachment; filename=\"%s\"", about->name);
    snprintf(matched, sizeof matched, "%llu",
             (unsigned long long)about->matched);
    snprintf(returned, sizeof returned, "%llu", (unsigned long long)file.rows);
    const struct om__head head = {
        .type = om__media_type(about->form, strlen(about->form)),
        .cache = OM__CACHE_DATA,
        // Of rows there is more to say.
        .more = {"Content-Disposition", name,
                 about->content_crs ? "OGC-NumberMatched" : NULL, matched,
                 "OGC-NumberReturned", returned, "Content-Crs",
                 about->content_crs}};
    uint64_t from = 0, to = file.bytes;
    bool empty = false;
    unsigned status = MHD_HTTP_OK;
    if (om__etag_listed(r->if_none_match, file.etag))
        status = MHD_HTTP_NOT_MODIFIED;
    else if (range_holds(r, file.etag) &&
             read_range(r->range, file.bytes, &from, &to, &empty))
        status =
            empty ? MHD_HTTP_RANGE_NOT_SATISFIABLE : MHD_HTTP_PARTIAL_CONTENT;
    om__answer_allow(r, to - from);
    respond(r, &file, from, to, status, &head);
    return true;
}
