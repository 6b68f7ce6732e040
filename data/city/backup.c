// backup.c - a city, while it lives, into one file.
#include "data/city/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/compress.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/base/thread.h"
#include "data/city/backup_internal.h"
#include "data/city/committed.h"
#include "data/city/journal.h"
#include "data/city/manifest.h"

/* DESIGN
 * One moment without a lock: read city.json, map every file that it names (a
 * mapping outlives the file's name), copy the journal, and look whether
 * city.json is still the same. Then the files are those of that manifest, and
 * no entry that they do not hold had gone from the journal: entries go only
 * after a manifest says that files have them. If it has changed, again. */

#define TRIES 20
/* Files above this are mapped, whoever's they are. */
#define COPY_BYTES ((size_t)64 << 20)
#define DEPTH_MAX 4
#define COMPRESS_LEVEL 1
#define PATH_BYTES OM__BACKUP_PATH_BYTES

/* Files that city.json names never change: they are mapped. Others may be
 * edited at any moment, and a mapping that is cut off is a signal: they are
 * read. */
struct member {
    struct om_tar_file file;
    struct om_map map;
    struct om_buf copy;
    const uint8_t *bytes;  // in either
    bool of_layer;         // city.json names it
};

struct gathered {
    const char *city;
    const struct om_backup_care *care;
    struct om_buf manifest;  // bytes of city.json
    uint64_t sequence, journal_last;
    size_t count, room;
    struct member *member;
    uint64_t bytes;
    uint64_t damaged;
};

om_status om__backup_check(const struct om_backup_care *care, const char *name,
                           const uint8_t *bytes, size_t len, uint64_t *damaged,
                           struct om_err *err)
{
    struct om_err why = {0};
    om_status st = OM_OK;
    if (!bytes)
        st = om_fail(&why, OM_E_NOTFOUND, 0, "%s: the file is not there", name);
    else if (care->check)
        st = care->check(name, bytes, len, &why);
    if (!st) return OM_OK;
    if (!care->damaged)
        return om_fail(err, st == OM_E_NOTFOUND ? OM_E_DAMAGED : st, 0, "%s",
                       why.text);
    om_log(OM_LOG_WARN, "backup", "damaged: %s", why.text);
    ++*damaged;
    return OM_OK;
}

// ---- sums ----

void om__backup_sum_add(struct om__backup_sum *sum, const void *bytes,
                        size_t len)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        size_t n = OM__BACKUP_CHUNK - sum->len;
        if (n > len) n = len;
        memcpy(sum->held + sum->len, at, n);
        sum->len += n;
        at += n;
        len -= n;
        if (sum->len < OM__BACKUP_CHUNK) continue;
        sum->value = om_hash64(sum->held, sum->len, sum->value);
        sum->len = 0;
    }
}

uint64_t om__backup_sum_end(struct om__backup_sum *sum)
{
    sum->value = om_hash64(sum->held, sum->len, sum->value);
    sum->len = 0;
    return sum->value;
}

// ---- what there is ----

static void let_go(struct gathered *g)
{
    for (size_t i = 0; i < g->count; i++) {
        om_map_close(&g->member[i].map);
        om_buf_deinit(&g->member[i].copy);
    }
    om_free(g->member);
    om_buf_deinit(&g->manifest);
    *g = (struct gathered){.city = g->city, .care = g->care};
}

static om_status take_bytes(struct member *m, const char *path, bool copy,
                            struct om_err *err)
{
    struct stat about;
    om_status st = OM_E_LIMIT;
    if (copy) st = om_file_read(path, COPY_BYTES, &m->copy, err);
    if (st == OM_E_LIMIT) {
        om_buf_deinit(&m->copy);
        st = om_map_open(&m->map, path, err);
    }
    m->bytes = m->map.len ? m->map.bytes : m->copy.bytes;
    m->file.bytes = m->map.len ? m->map.len : m->copy.len;
    if (!st && stat(path, &about) == 0) {
        m->file.modified_s = about.st_mtime;
        m->file.mode = about.st_mode & 0777;
    }
    if (st) om_buf_deinit(&m->copy);
    return st;
}

/* The file at `path`, which must be there, as `name`; names twice once. */
static om_status take(struct gathered *g, const char *name, const char *path,
                      bool copy, struct om_err *err)
{
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->member[i].file.name, name) == 0) return OM_OK;
    if (strlen(name) >= OM_TAR_NAME_BYTES)
        return om_fail(err, OM_E_LIMIT, 0, "name too long: %.80s...", name);
    if (g->count == g->room) {
        const size_t room = g->room ? g->room * 2 : 64;
        void *grown = om_realloc(g->member, room * sizeof *g->member);
        if (!grown) return OM_E_MEMORY;
        g->member = grown;
        g->room = room;
    }
    struct member *m = &g->member[g->count];
    *m = (struct member){.file = {.mode = 0644}};
    snprintf(m->file.name, sizeof m->file.name, "%s", name);
    OM_TRY(take_bytes(m, path, copy, err));
    g->count++;
    g->bytes += m->file.bytes;
    return OM_OK;
}

static om_status take_named(struct gathered *g, const char *name,
                            struct om_err *err)
{
    char path[PATH_BYTES];
    if (name[0] == '\0') return OM_OK;
    if (om_path_join(path, sizeof path, g->city, name))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    return take(g, name, path, strcmp(name, "city.json") == 0, err);
}

/* Files that people or pages put there; names of locks begin with a dot, and
 * what is being written ends like this. */
static bool passing(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] == '.' ||
           (dot && (strcmp(dot, ".tmp") == 0 || strcmp(dot, ".part") == 0 ||
                    strcmp(dot, ".new") == 0));
}

/* Ways of people are kept for days and then gone: a copy would outlive them.
 * Indexes for search are made again. */
static bool known_by_itself(const char *name)
{
    return strcmp(name, "layers") == 0 || strcmp(name, "city.json") == 0 ||
           strcmp(name, OM_COMMITTED_FILE) == 0 ||
           strcmp(name, "tracks") == 0 || strcmp(name, "search") == 0 ||
           strncmp(name, "journal.", strlen("journal.")) == 0;
}

static om_status take_rest(struct gathered *g, const char *folder,
                           unsigned depth, struct om_err *err)
{
    char path[PATH_BYTES], name[OM_TAR_NAME_BYTES];
    if (om_path_join(path, sizeof path, g->city, folder))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    DIR *list = opendir(path);
    if (!list)
        return depth ? OM_OK
                     : om_fail(err, OM_E_IO, 0, "cannot read %s: %s", path,
                               strerror(errno));
    om_status st = OM_OK;
    for (struct dirent *e; !st && (e = readdir(list));) {
        struct stat about;
        if (passing(e->d_name) || (!depth && known_by_itself(e->d_name)))
            continue;
        const int n =
            depth ? snprintf(name, sizeof name, "%s/%s", folder, e->d_name)
                  : snprintf(name, sizeof name, "%s", e->d_name);
        if (n < 0 || (size_t)n >= sizeof name ||
            om_path_join(path, sizeof path, g->city, name)) {
            st = om_fail(err, OM_E_LIMIT, 0, "%s: name too long", e->d_name);
        } else if (lstat(path, &about) != 0) {
            continue;  // gone meanwhile
        } else if (S_ISDIR(about.st_mode) && depth < DEPTH_MAX) {
            st = take_rest(g, name, depth + 1, err);
        } else if (S_ISREG(about.st_mode)) {
            st = take(g, name, path, true, err);
            if (st == OM_E_NOTFOUND) st = OM_OK;
        }
    }
    closedir(list);
    return st;
}

/* A file that city.json names; whether it is sound is seen when it is packed.
 */
static om_status take_of_layer(struct gathered *g, const char *name,
                               struct om_err *err)
{
    const size_t before = g->count;
    const om_status st = take_named(g, name, err);
    if (g->count > before) g->member[before].of_layer = true;
    if (st != OM_E_NOTFOUND || !g->care->damaged) return st;
    return om__backup_check(g->care, name, NULL, 0, &g->damaged, err);
}

static om_status take_layers(struct gathered *g, struct om_err *err)
{
    struct om_manifest m = {0};
    om_status st = om_manifest_read(g->city, &m, err);
    g->sequence = m.sequence;
    for (size_t l = 0; !st && l < m.layers; l++)
        for (size_t p = 0; !st && p < m.layer[l].parts; p++) {
            const struct om_manifest_part *part = &m.layer[l].part[p];
            st = take_of_layer(g, part->file, err);
            if (!st) st = take_of_layer(g, part->units_file, err);
            if (!st) st = take_of_layer(g, part->dead_file, err);
        }
    om_manifest_deinit(&m);
    return st;
}

static om_status check_journal(const char *city, struct om_journal *j,
                               struct om_err *err)
{
    struct om_manifest m = {0};
    om_status st = om_manifest_read(city, &m, err);
    if (!st) st = om_committed_check(city, &m, err);
    if (!st) st = om_journal_check(city, &m, j, err);
    om_manifest_deinit(&m);
    return st;
}

/* A copy that is sound; `path` is free again when it is mapped. */
static om_status take_journal(struct gathered *g, const char *path,
                              struct om_err *err)
{
    struct om_journal *j = NULL;
    om_status st = om_journal_exists(g->city)
                       ? om_journal_open(g->city, OM_JOURNAL_READ, 0, &j, err)
                       : OM_OK;
    if (st == OM_E_NOTFOUND) st = OM_OK;  // it begins
    if (!st) st = check_journal(g->city, j, err);
    if (!j) return st;
    if (!st && om_journal_missing(j))
        st = om_fail(err, OM_E_DAMAGED, 0,
                     "the journal of %s has lost the newest %llu writes that "
                     "were acknowledged (onemap verify)",
                     g->city, (unsigned long long)om_journal_missing(j));
    if (!st) st = om_journal_view(j, err);
    if (!st) {
        g->journal_last = om_journal_last(j);
        st = om_journal_verify(j, err);
    }
    if (!st) st = om_journal_copy(j, path, err);
    if (j) om_journal_view_end(j);
    om_journal_close(j);
    if (!st) st = take(g, "journal.db", path, false, err);
    unlink(path);
    return st;
}

/* What was told of persons last (engine/policy/still_file.c): of a moment that
 * the journal has, and not the files. */
static om_status take_told(struct gathered *g, struct om_err *err)
{
    char path[PATH_BYTES];
    if (om_path_join(path, sizeof path, g->city, "told"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    const om_status st = take(g, "told", path, true, err);
    return st == OM_E_NOTFOUND ? OM_OK : st;
}

static om_status read_manifest(const char *city, struct om_buf *out,
                               struct om_err *err)
{
    char path[PATH_BYTES];
    if (om_path_join(path, sizeof path, city, "city.json"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    const om_status st = om_file_read(path, OM_LIMIT_JSON_BYTES, out, err);
    return st == OM_E_NOTFOUND
               ? om_fail(err, st, 0, "%s is no city: no city.json in it", city)
               : st;
}

/* *same: city.json did not change while we looked. */
static om_status gather_once(struct gathered *g, const char *journal_path,
                             bool *same, struct om_err *err)
{
    struct om_buf after = {0};
    *same = false;
    OM_TRY(read_manifest(g->city, &g->manifest, err));
    om_status st = take_named(g, "city.json", err);
    if (!st) st = take_layers(g, err);
    if (!st) st = take_told(g, err);
    if (!st) st = take_journal(g, journal_path, err);
    if (!st) st = take_rest(g, ".", 0, err);
    const om_status again = read_manifest(g->city, &after, st ? NULL : err);
    *same = !again && g->count > 0 && after.len == g->manifest.len &&
            memcmp(after.bytes, g->manifest.bytes, after.len) == 0 &&
            g->member[0].file.bytes == after.len &&
            memcmp(after.bytes, g->member[0].bytes, after.len) == 0;
    om_buf_deinit(&after);
    return st ? st : again;
}

static om_status gather(struct gathered *g, const char *journal_path,
                        struct om_err *err)
{
    static const struct timespec PAUSE = {0, 100000000};
    for (int i = 0; i < TRIES; i++) {
        bool same;
        const om_status st = gather_once(g, journal_path, &same, err);
        if (same || (st && st != OM_E_NOTFOUND && st != OM_E_DAMAGED))
            return st;
        if (i == 0 && st == OM_E_NOTFOUND && g->count == 0) return st;
        let_go(g);
        nanosleep(&PAUSE, NULL);
    }
    return om_fail(err, OM_E_BUSY, 0,
                   "%s changes its files faster than they can be taken (try "
                   "again when no import runs)",
                   g->city);
}

// ---- writing ----

struct packer {
    int fd;
    const char *path;
    size_t lanes;
    uint8_t *raw;  // [lanes][OM__BACKUP_CHUNK]
    size_t used;   // of all lanes
    uint8_t *packed;
    size_t packed_room;  // of one lane
    size_t *packed_len;  // [lanes]
    uint64_t written, read, total;
};

static om_status packer_init(struct packer *p)
{
    p->lanes = om_threads();
    p->packed_room = om_compress_max(OM__BACKUP_CHUNK);
    p->raw = om_alloc_array(p->lanes, OM__BACKUP_CHUNK);
    p->packed = om_alloc_array(p->lanes, p->packed_room);
    p->packed_len = om_calloc(p->lanes, sizeof *p->packed_len);
    return p->raw && p->packed && p->packed_len ? OM_OK : OM_E_MEMORY;
}

static void packer_deinit(struct packer *p)
{
    om_free(p->raw);
    om_free(p->packed);
    om_free(p->packed_len);
}

static om_status pack_chunks(void *ctx, size_t first, size_t end, size_t lane)
{
    struct packer *p = ctx;
    (void)lane;
    for (size_t i = first; i < end; i++) {
        const size_t from = i * OM__BACKUP_CHUNK;
        const size_t len = p->used - from < OM__BACKUP_CHUNK ? p->used - from
                                                             : OM__BACKUP_CHUNK;
        OM_TRY(om_compress(p->raw + from, len, COMPRESS_LEVEL,
                           p->packed + i * p->packed_room, p->packed_room,
                           &p->packed_len[i]));
    }
    return OM_OK;
}

static om_status flush(struct packer *p, struct om_err *err)
{
    const size_t chunks = (p->used + OM__BACKUP_CHUNK - 1) / OM__BACKUP_CHUNK;
    const om_status st = om_parallel(chunks, 1, pack_chunks, p);
    if (st) return om_fail(err, st, 0, "cannot compress");
    for (size_t i = 0; i < chunks; i++) {
        OM_TRY(om_fd_write(p->fd, p->packed + i * p->packed_room,
                           p->packed_len[i], p->path, err));
        p->written += p->packed_len[i];
    }
    p->used = 0;
    om_progress("backup", p->read, p->total);
    return OM_OK;
}

static om_status pack(struct packer *p, const void *bytes, size_t len,
                      struct om_err *err)
{
    const uint8_t *at = bytes;
    const size_t room = p->lanes * OM__BACKUP_CHUNK;
    while (len > 0) {
        size_t n = room - p->used;
        if (n > len) n = len;
        memcpy(p->raw + p->used, at, n);
        p->used += n;
        at += n;
        len -= n;
        if (p->used == room) OM_TRY(flush(p, err));
    }
    return OM_OK;
}

static om_status pack_file(struct packer *p, const struct om_tar_file *file,
                           const void *bytes, struct om_err *err)
{
    static const uint8_t ZEROS[OM_TAR_BLOCK];
    struct om_buf head = {0};
    om_status st = om_tar_head_add(file, &head);
    if (st)
        st = om_fail(err, st, 0, "%s: name too long", file->name);
    else
        st = pack(p, head.bytes, head.len, err);
    om_buf_deinit(&head);
    if (!st) st = pack(p, bytes, (size_t)file->bytes, err);
    p->read += file->bytes;
    return st ? st : pack(p, ZEROS, om_tar_padding(file->bytes), err);
}

/* One of our own members. */
static om_status pack_text(struct packer *p, const char *name,
                           const struct om_buf *text, struct om_err *err)
{
    struct om_tar_file file = {
        .bytes = text->len, .modified_s = time(NULL), .mode = 0644};
    snprintf(file.name, sizeof file.name, "%s", name);
    return text->status ? text->status : pack_file(p, &file, text->bytes, err);
}

static om_status pack_members(struct packer *p, struct gathered *g,
                              struct om_buf *sums, struct om_err *err)
{
    static const uint8_t ZEROS[1];
    struct om__backup_sum sum = {.held = om_alloc(OM__BACKUP_CHUNK)};
    om_status st = sum.held ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; !st && i < g->count; i++) {
        const struct member *m = &g->member[i];
        if (m->of_layer)
            st = om__backup_check(g->care, m->file.name,
                                  m->file.bytes ? m->bytes : ZEROS,
                                  (size_t)m->file.bytes, &g->damaged, err);
        if (st) break;
        sum.value = OM__BACKUP_SEED;
        om__backup_sum_add(&sum, m->bytes, (size_t)m->file.bytes);
        om_buf_addf(sums, "%016llx %llu %s\n",
                    (unsigned long long)om__backup_sum_end(&sum),
                    (unsigned long long)m->file.bytes, m->file.name);
        st = pack_file(p, &m->file, m->bytes, err);
    }
    om_free(sum.held);
    om_buf_addf(sums, "end %zu\n", g->count);
    return st;
}

static om_status pack_all(struct packer *p, struct gathered *g,
                          struct om_err *err)
{
    static const uint8_t END[2 * OM_TAR_BLOCK];
    struct om_buf head = {0}, sums = {0};
    om_buf_addf(&head,
                "{\"onemap_backup\":%d,\"sequence\":%llu,\"journal\":%llu,"
                "\"written\":%lld}\n",
                OM__BACKUP_VERSION, (unsigned long long)g->sequence,
                (unsigned long long)g->journal_last, (long long)time(NULL));
    om_status st = pack_text(p, OM__BACKUP_HEAD, &head, err);
    if (!st) st = pack_members(p, g, &sums, err);
    if (!st) st = pack_text(p, OM__BACKUP_SUMS, &sums, err);
    if (!st) st = pack(p, END, sizeof END, err);
    if (!st) st = flush(p, err);
    om_buf_deinit(&head);
    om_buf_deinit(&sums);
    return st;
}

static om_status write_to(const char *part, const char *path,
                          struct gathered *g, struct om_backup_report *out,
                          struct om_err *err)
{
    struct packer p = {.path = part, .fd = -1, .total = g->bytes};
    om_status st = packer_init(&p);
    if (!st) {
        p.fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (p.fd < 0)
            st = om_fail(err, OM_E_IO, 0, "cannot create %s: %s", part,
                         strerror(errno));
    }
    if (!st) st = pack_all(&p, g, err);
    if (!st) st = om_file_sync(p.fd, part, err);
    if (p.fd >= 0 && close(p.fd) && !st)
        st = om_fail(err, OM_E_IO, 0, "cannot close %s: %s", part,
                     strerror(errno));
    if (!st) st = om_file_rename(part, path, err);
    if (st && p.fd >= 0) unlink(part);
    *out = (struct om_backup_report){.files = g->count,
                                     .bytes = g->bytes,
                                     .packed_bytes = p.written,
                                     .sequence = g->sequence,
                                     .journal_last = g->journal_last,
                                     .damaged = g->damaged};
    packer_deinit(&p);
    return st;
}

om_status om_backup_write(const char *city, const char *path,
                          const struct om_backup_care *care,
                          struct om_backup_report *out, struct om_err *err)
{
    char part[PATH_BYTES], journal[PATH_BYTES];
    struct gathered g = {.city = city, .care = care};
    const int n = snprintf(part, sizeof part, "%s.part", path);
    const int k = snprintf(journal, sizeof journal, "%s.journal.part", path);
    if (n < 0 || n >= (int)sizeof part || k < 0 || k >= (int)sizeof journal)
        return om_fail(err, OM_E_LIMIT, 0, "path too long: %.80s...", path);
    const double start = om_seconds();
    unlink(journal);  // of one that was killed
    om_status st = gather(&g, journal, err);
    if (!st) st = write_to(part, path, &g, out, err);
    if (!st) om_progress_done("backup", g.bytes, om_seconds() - start);
    let_go(&g);
    return st;
}
