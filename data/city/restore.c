// restore.c - a city out of a backup: all of it or nothing.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/compress.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/city/backup.h"
#include "data/city/backup_internal.h"
#include "data/city/journal.h"
#include "data/city/manifest.h"
#include "data/city/owner.h"
#include "data/city/tokens.h"
#include "data/city/whole.h"
#include "data/json.h"

#define PATH_BYTES OM__BACKUP_PATH_BYTES
/* Bytes of the two members that are not files of the city. */
#define OWN_MEMBER_BYTES ((size_t)16 << 20)

struct unpacker {
    const char *path;
    struct om_map map;
    size_t at;       // in the map
    uint8_t *chunk;  // [OM__BACKUP_CHUNK]
    size_t used, len;
};

static om_status cut_off(const struct unpacker *u, struct om_err *err)
{
    return om_fail(err, OM_E_DAMAGED, u->at,
                   "%s is cut off or damaged near byte %zu (take another "
                   "backup)",
                   u->path, u->at);
}

/* The next frame into the chunk, which is used up. */
static om_status next_frame(struct unpacker *u, struct om_err *err)
{
    size_t packed, raw;
    if (u->at >= u->map.len) return cut_off(u, err);
    const om_status st = om_compress_frame(u->map.bytes + u->at,
                                           u->map.len - u->at, &packed, &raw);
    if (st && u->at == 0)
        return om_fail(err, OM_E_FORMAT, 0, "%s is not a backup of onemap",
                       u->path);
    if (st || raw == 0 || raw > OM__BACKUP_CHUNK) return cut_off(u, err);
    if (om_decompress(u->map.bytes + u->at, packed, u->chunk, raw))
        return cut_off(u, err);
    u->at += packed;
    u->used = 0;
    u->len = raw;
    om_progress("restore", u->at, u->map.len);
    return OM_OK;
}

/* The next bytes, at most `len` and at least one, borrowed. */
static om_status some(struct unpacker *u, size_t len, const uint8_t **out,
                      size_t *got, struct om_err *err)
{
    if (u->used == u->len) OM_TRY(next_frame(u, err));
    *got = u->len - u->used < len ? u->len - u->used : len;
    *out = u->chunk + u->used;
    u->used += *got;
    return OM_OK;
}

static om_status exactly(struct unpacker *u, uint8_t *out, size_t len,
                         struct om_err *err)
{
    while (len > 0) {
        const uint8_t *at;
        size_t got;
        OM_TRY(some(u, len, &at, &got, err));
        memcpy(out, at, got);
        out += got;
        len -= got;
    }
    return OM_OK;
}

/* *end: the archive is over. */
static om_status next_file(struct unpacker *u, struct om_tar_file *out,
                           bool *end, struct om_err *err)
{
    uint8_t head[OM_TAR_HEAD_BYTES];
    size_t len = 0, used;
    om_status st = OM_E_LIMIT;
    while (st == OM_E_LIMIT && len + OM_TAR_BLOCK <= sizeof head) {
        OM_TRY(exactly(u, head + len, OM_TAR_BLOCK, err));
        len += OM_TAR_BLOCK;
        st = om_tar_head_read(head, len, out, &used);
    }
    *end = st == OM_E_NOTFOUND;
    return st && !*end ? cut_off(u, err) : OM_OK;
}

// ---- what is in it ----

/* A name below the city's folder that leads nowhere else. */
static bool name_ok(const char *name)
{
    if (name[0] == '\0' || name[0] == '/') return false;
    for (const char *at = name; *at;) {
        const size_t len = strcspn(at, "/");
        if (len == 0 || at[0] == '.') return false;
        for (size_t i = 0; i < len; i++)
            if ((unsigned char)at[i] < ' ') return false;
        at += len;
        if (*at == '/' && !*++at) return false;
    }
    return true;
}

struct restoring {
    struct unpacker u;
    const char *folder;
    const char *sums_name;  // of the last member
    struct om_buf sums;     // as they are computed
    struct om__backup_sum sum;
    struct om_backup_report *report;
};

static om_status open_in(const struct restoring *r,
                         const struct om_tar_file *file, char path[PATH_BYTES],
                         int *fd, struct om_err *err)
{
    if (om_path_join(path, PATH_BYTES, r->folder, file->name))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    char *slash = strrchr(path, '/');
    *slash = '\0';
    const om_status st = om_folder_make(path, err);
    *slash = '/';
    if (st) return st;
    *fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600 | file->mode);
    return *fd >= 0 ? OM_OK
                    : om_fail(err, OM_E_IO, 0, "cannot create %s: %s", path,
                              strerror(errno));
}

static om_status skip_padding(struct restoring *r, uint64_t bytes,
                              struct om_err *err)
{
    uint8_t padding[OM_TAR_BLOCK];
    return exactly(&r->u, padding, om_tar_padding(bytes), err);
}

static om_status restore_file(struct restoring *r,
                              const struct om_tar_file *file,
                              struct om_err *err)
{
    char path[PATH_BYTES];
    int fd = -1;
    if (!name_ok(file->name))
        return om_fail(err, OM_E_FORMAT, 0,
                       "%s: a file of it is called '%.60s', which is no name "
                       "in a city",
                       r->u.path, file->name);
    OM_TRY(open_in(r, file, path, &fd, err));
    om_status st = OM_OK;
    r->sum.value = OM__BACKUP_SEED;
    for (uint64_t left = file->bytes; !st && left > 0;) {
        const uint8_t *at;
        size_t got;
        const size_t most =
            left < OM__BACKUP_CHUNK ? (size_t)left : OM__BACKUP_CHUNK;
        st = some(&r->u, most, &at, &got, err);
        if (st) break;
        om__backup_sum_add(&r->sum, at, got);
        st = om_fd_write(fd, at, got, path, err);
        left -= got;
    }
    if (!st) st = om_file_sync(fd, path, err);
    if (close(fd) && !st)
        st = om_fail(err, OM_E_IO, 0, "cannot close %s: %s", path,
                     strerror(errno));
    if (st) return st;
    om_buf_addf(&r->sums, "%016llx %" PRIu64 " %s\n",
                (unsigned long long)om__backup_sum_end(&r->sum), file->bytes,
                file->name);
    r->report->files++;
    r->report->bytes += file->bytes;
    if (r->sums.status) return r->sums.status;
    return skip_padding(r, file->bytes, err);
}

/* One of our own members, as bytes. */
static om_status own_member(struct restoring *r, const struct om_tar_file *file,
                            struct om_buf *out, struct om_err *err)
{
    if (file->bytes > OWN_MEMBER_BYTES) return cut_off(&r->u, err);
    if (om_buf_reserve(out, (size_t)file->bytes + 1)) return OM_E_MEMORY;
    OM_TRY(exactly(&r->u, out->bytes, (size_t)file->bytes, err));
    out->len = (size_t)file->bytes;
    return skip_padding(r, file->bytes, err);
}

static om_status read_head(struct restoring *r, struct om_err *err)
{
    struct om_tar_file file;
    struct om_buf text = {0};
    struct om_json *head = NULL;
    bool end;
    OM_TRY(next_file(&r->u, &file, &end, err));
    if (end || strcmp(file.name, OM__BACKUP_HEAD) != 0)
        return om_fail(err, OM_E_FORMAT, 0, "%s is not a backup of onemap",
                       r->u.path);
    om_status st = own_member(r, &file, &text, err);
    if (!st) st = om_json_parse((const char *)text.bytes, text.len, &head, err);
    if (!st) {
        const int64_t version =
            om_json_integer(om_json_get(head, "onemap_backup"), 0);
        r->sums_name = version == 1 ? OM__BACKUP_SUMS_1 : OM__BACKUP_SUMS;
        if (version != OM__BACKUP_VERSION && version != 1)
            st = om_fail(err, OM_E_VERSION, 0,
                         "%s was written by another version of onemap (its "
                         "form is %lld, this one knows %d)",
                         r->u.path, (long long)version, OM__BACKUP_VERSION);
        r->report->sequence =
            (uint64_t)om_json_integer(om_json_get(head, "sequence"), 0);
        r->report->journal_last =
            (uint64_t)om_json_integer(om_json_get(head, "journal"), 0);
    }
    om_json_free(head);
    om_buf_deinit(&text);
    return st;
}

/* What was computed, line by line, is what the backup says. */
static om_status compare(struct restoring *r, const struct om_buf *said,
                         struct om_err *err)
{
    om_buf_addf(&r->sums, "end %" PRIu64 "\n", r->report->files);
    if (r->sums.status) return r->sums.status;
    const uint8_t *a = r->sums.bytes, *b = said->bytes;
    size_t i = 0, line = 0;
    while (i < r->sums.len && i < said->len && a[i] == b[i])
        if (a[i++] == '\n') line = i;
    if (i == r->sums.len && i == said->len) return OM_OK;
    const char *name = (const char *)a + line;
    const size_t len = strcspn(name, "\n");
    return om_fail(err, OM_E_DAMAGED, 0,
                   "%s: what is in it is not what was written, at '%.*s' (take "
                   "another backup)",
                   r->u.path, len < 100 ? (int)len : 100, name);
}

static om_status restore_files(struct restoring *r, struct om_err *err)
{
    OM_TRY(read_head(r, err));
    for (;;) {
        struct om_tar_file file;
        bool end;
        OM_TRY(next_file(&r->u, &file, &end, err));
        if (end) return cut_off(&r->u, err);
        if (strcmp(file.name, r->sums_name) != 0) {
            OM_TRY(restore_file(r, &file, err));
            continue;
        }
        struct om_buf said = {0};
        om_status st = own_member(r, &file, &said, err);
        if (!st) st = compare(r, &said, err);
        om_buf_deinit(&said);
        return st;
    }
}

static om_status check_file(const char *folder, const char *name,
                            const struct om_backup_care *care,
                            uint64_t *damaged, struct om_err *err)
{
    static const uint8_t NOTHING[1];
    char path[PATH_BYTES];
    struct om_map map = {0};
    if (name[0] == '\0') return OM_OK;
    if (om_path_join(path, sizeof path, folder, name))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    om_status st = om_map_open(&map, path, err);
    if (st && st != OM_E_NOTFOUND) return st;
    const uint8_t *bytes = st ? NULL : map.len ? map.bytes : NOTHING;
    st = om__backup_check(care, name, bytes, map.len, damaged, err);
    om_map_close(&map);
    return st;
}

/* It is a city: its manifest can be read, and names what is there and sound. */
static om_status check_city(const char *folder,
                            const struct om_backup_care *care,
                            uint64_t *damaged, bool *release,
                            struct om_err *err)
{
    struct om_manifest m = {0};
    om_status st = om_manifest_read(folder, &m, err);
    *release = m.release;
    for (size_t l = 0; !st && l < m.layers; l++)
        for (size_t p = 0; !st && p < m.layer[l].parts; p++) {
            const struct om_manifest_part *part = &m.layer[l].part[p];
            const char *const name[] = {part->file, part->units_file,
                                        part->dead_file};
            for (size_t i = 0; !st && i < 3; i++)
                st = check_file(folder, name[i], care, damaged, err);
        }
    om_manifest_deinit(&m);
    return st;
}

om_status om_backup_restore(const char *path, const char *city, bool tokens,
                            const struct om_backup_care *care,
                            struct om_backup_report *out, struct om_err *err)
{
    struct om_whole whole = {0};
    struct restoring r = {
        .u = {.path = path}, .folder = whole.folder, .report = out};
    *out = (struct om_backup_report){0};
    if (om_file_exists(city))
        return om_fail(err, OM_E_EXISTS, 0,
                       "%s exists already (restore to another name)", city);
    const double start = om_seconds();
    OM_TRY(om_map_open(&r.u.map, path, err));
    out->packed_bytes = r.u.map.len;
    r.u.chunk = om_alloc(OM__BACKUP_CHUNK);
    r.sum.held = om_alloc(OM__BACKUP_CHUNK);
    om_status st = r.u.chunk && r.sum.held ? OM_OK : OM_E_MEMORY;
    if (!st) st = om_whole_begin(city, "restoring", &whole, err);
    // Until it is known that all of it is public nobody else is let in.
    struct stat about = {0};
    if (!st && (fstat(whole.fd, &about) || fchmod(whole.fd, 0700)))
        st = om_fail(err, OM_E_IO, 0, "%s: %s", whole.folder, strerror(errno));
    if (!st) st = restore_files(&r, err);
    bool release = false;
    uint64_t open;
    if (!st) st = check_city(whole.folder, care, &out->damaged, &release, err);
    if (!st && !release) st = om_owner_only(whole.folder, true, &open, err);
    if (!st && release && fchmod(whole.fd, about.st_mode & 0777))
        st = om_fail(err, OM_E_IO, 0, "%s: %s", whole.folder, strerror(errno));
    if (!st) st = om_tokens_mark(whole.folder, tokens, &out->tokens, err);
    if (!st) st = om_whole_commit(&whole, false, err);
    om_whole_end(&whole);
    if (!st) om_progress_done("restore", out->bytes, om_seconds() - start);
    om_map_close(&r.u.map);
    om_free(r.u.chunk);
    om_free(r.sum.held);
    om_buf_deinit(&r.sums);
    return st;
}
