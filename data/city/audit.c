/* audit.c - lines that hold each other.
 *
 * DESIGN
 * Each line ends with a member "chain": a hash of the line before it and of
 * itself, so that none can be changed, put in or taken out without all behind it
 * being written anew. The first line of a file holds the chain of the file that
 * the process wrote before. Lines are written at once and not synced: an answer
 * does not wait for the disk. Processes have files of their own, because two
 * could not hold one chain. What is cut off the end, or gone as a whole, is
 * known by the head (audit_head.h).
 */
#include "data/city/audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/city/audit_head.h"
#include "data/model/time.h"

#define FOLDER "audit"
#define PATH_BYTES 4096
#define DAY_S 86400
#define CHAIN_BYTES 16
#define CHAIN_HEX (2 * CHAIN_BYTES)
#define FILE_BYTES_MOST ((size_t)1 << 31)
#define FILES_MOST 100000
#define KEY_NAME "key"
#define KEY_BYTES OM__AUDIT_KEY_BYTES
#define MARK_HASH_BYTES ((OM_AUDIT_MARK_BYTES - 1) / 2)
_Static_assert(MARK_HASH_BYTES == 10, "half of the digits");
/* ,"chain":"...32..."} */
#define TAIL_LEN (10 + CHAIN_HEX + 2)

struct om_audit {
    pthread_mutex_t lock;
    char folder[PATH_BYTES - 64];
    int fd;       // -1: none yet
    int64_t day;  // of the file
    unsigned files;
    char chain[CHAIN_HEX + 1];
    struct om__audit_head head;
    bool has_key;
    unsigned char key[KEY_BYTES];
};
_Static_assert(OM__AUDIT_CHAIN_BYTES == CHAIN_HEX + 1, "chains of the head");

static om_status chain_on(char chain[CHAIN_HEX + 1], const char *text,
                          size_t len)
{
    unsigned char hash[CHAIN_BYTES];
    crypto_generichash_state state;
    if (sodium_init() < 0) return OM_E_IO;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const unsigned char *)chain, CHAIN_HEX);
    crypto_generichash_update(&state, (const unsigned char *)text, len);
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(chain, CHAIN_HEX + 1, hash, sizeof hash);
    return OM_OK;
}

om_status om_audit_open(const char *city, struct om_audit **out)
{
    struct om_audit *audit = om_calloc(1, sizeof *audit);
    if (!audit) return OM_E_MEMORY;
    pthread_mutex_init(&audit->lock, NULL);
    audit->fd = -1;
    memset(audit->chain, '0', CHAIN_HEX);
    const om_status st =
        om_path_join(audit->folder, sizeof audit->folder, city, FOLDER);
    if (st)
        om_audit_close(audit);
    else
        *out = audit;
    return st;
}

void om_audit_close(struct om_audit *audit)
{
    if (!audit) return;
    if (audit->fd >= 0) close(audit->fd);
    om__audit_head_end(&audit->head);
    pthread_mutex_destroy(&audit->lock);
    sodium_memzero(audit->key, sizeof audit->key);
    om_free(audit);
}

static long date_of(int64_t at_s)
{
    const time_t t = (time_t)at_s;
    struct tm tm;
    if (!gmtime_r(&t, &tm)) return 0;
    return (tm.tm_year + 1900L) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

/* ---- marks ---- */

/* OM_E_NOTFOUND: there is none yet. */
static om_status read_key(const char *folder, unsigned char key[KEY_BYTES])
{
    char path[PATH_BYTES];
    struct om_buf bytes = {0};
    OM_TRY(om_path_join(path, sizeof path, folder, KEY_NAME));
    if (!om_file_exists(path)) return OM_E_NOTFOUND;
    om_status st = om_file_read(path, KEY_BYTES + 1, &bytes, NULL);
    if (!st && bytes.len != KEY_BYTES) st = OM_E_DAMAGED;
    if (!st) memcpy(key, bytes.bytes, KEY_BYTES);
    if (bytes.bytes) sodium_memzero(bytes.bytes, bytes.len);
    om_buf_deinit(&bytes);
    return st;
}

/* Of two processes that begin at once one makes it: a whole file, linked to
 * its name if that is free. */
static om_status make_key(const char *folder, unsigned char key[KEY_BYTES])
{
    char path[PATH_BYTES], fresh[PATH_BYTES];
    if (mkdir(folder, 0700) && errno != EEXIST) return OM_E_IO;
    OM_TRY(om_path_join(path, sizeof path, folder, KEY_NAME));
    const int n = snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof fresh) return OM_E_LIMIT;
    unlink(fresh);
    const int fd =
        open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return OM_E_IO;
    randombytes_buf(key, KEY_BYTES);
    om_status st = om_fd_write(fd, key, KEY_BYTES, "audit", NULL);
    if (!st && fsync(fd)) st = OM_E_IO;
    close(fd);
    if (!st && link(fresh, path) && errno != EEXIST) st = OM_E_IO;
    unlink(fresh);
    return st ? st : read_key(folder, key);
}

static om_status write_mark(const unsigned char key[KEY_BYTES],
                            const char *text, size_t len,
                            char out[OM_AUDIT_MARK_BYTES])
{
    unsigned char hash[crypto_generichash_BYTES];
    if (crypto_generichash(hash, sizeof hash, (const unsigned char *)text, len,
                           key, KEY_BYTES))
        return OM_E_INTERNAL;
    sodium_bin2hex(out, OM_AUDIT_MARK_BYTES, hash, MARK_HASH_BYTES);
    return OM_OK;
}

/* Under the lock. */
static om_status need_key(struct om_audit *audit)
{
    if (audit->has_key) return OM_OK;
    om_status st =
        sodium_init() < 0 ? OM_E_IO : read_key(audit->folder, audit->key);
    if (st == OM_E_NOTFOUND) st = make_key(audit->folder, audit->key);
    audit->has_key = !st;
    return st;
}

om_status om_audit_mark(struct om_audit *audit, const char *text, size_t len,
                        char out[OM_AUDIT_MARK_BYTES])
{
    pthread_mutex_lock(&audit->lock);
    const om_status st = need_key(audit);
    pthread_mutex_unlock(&audit->lock);
    return st ? st : write_mark(audit->key, text ? text : "", len, out);
}

om_status om_audit_find_mark(const char *city, const char *text, size_t len,
                             char out[OM_AUDIT_MARK_BYTES], struct om_err *err)
{
    char folder[PATH_BYTES];
    unsigned char key[KEY_BYTES];
    OM_TRY(om_path_join(folder, sizeof folder, city, FOLDER));
    om_status st = sodium_init() < 0 ? OM_E_IO : read_key(folder, key);
    if (!st) st = write_mark(key, text, len, out);
    sodium_memzero(key, sizeof key);
    if (!st) return OM_OK;
    return om_fail(err, st, 0, "%s/" KEY_NAME ": %s", folder,
                   st == OM_E_NOTFOUND ? "no texts have been noted"
                                       : om_status_text(st));
}

/* ---- writing ---- */

/* The head is not as it should be: lines are written all the same, and whoever
 * reads them is told. */
static void headless(struct om_audit *audit, om_status why)
{
    om_log(OM_LOG_ERROR, "audit", "%s/" OM__AUDIT_HEAD ": %s", audit->folder,
           om_status_text(why));
    om__audit_head_end(&audit->head);
}

static void begin_head(struct om_audit *audit, const char *name, int64_t at_s)
{
    const long least = date_of(at_s - (int64_t)OM_AUDIT_DAYS * DAY_S);
    om__audit_head_end(&audit->head);
    om_status st = need_key(audit);
    if (!st)
        st = om__audit_head_begin(audit->folder, audit->key, name,
                                  &audit->head);
    if (!st)
        st = om__audit_head_expire(&audit->head, audit->key, audit->folder,
                                   least);
    if (st) headless(audit, st);
}

static om_status begin_file(struct om_audit *audit, int64_t at_s,
                            struct om_err *err)
{
    char path[PATH_BYTES];
    if (audit->fd >= 0) close(audit->fd);
    audit->fd = -1;
    if (mkdir(audit->folder, 0700) && errno != EEXIST)
        return om_fail(err, OM_E_IO, 0, "%s: %s", audit->folder,
                       strerror(errno));
    // A process of the same number may have been there before.
    do {
        const int n =
            snprintf(path, sizeof path, "%s/%08ld-%07ld-%04u.log",
                     audit->folder, date_of(at_s), (long)getpid(),
                     audit->files++);
        if (n < 0 || (size_t)n >= sizeof path) return OM_E_LIMIT;
        audit->fd =
            open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    } while (audit->fd < 0 && errno == EEXIST && audit->files < FILES_MOST);
    if (audit->fd < 0)
        return om_fail(err, OM_E_IO, 0, "%s: %s", path, strerror(errno));
    audit->day = at_s / DAY_S;
    begin_head(audit, strrchr(path, '/') + 1, at_s);
    return OM_OK;
}

static void add_member(struct om_buf *out, const char *key, const char *text)
{
    om_buf_addf(out, ",\"%s\":", key);
    om_buf_add_json_text(out, text, strnlen(text, OM_AUDIT_TARGET_BYTES));
}

static om_status write_line(struct om_audit *audit,
                            const struct om_audit_entry *e, bool first,
                            struct om_err *err)
{
    char at[OM_TIME_TEXT_BYTES];
    struct om_buf line = {0};
    // All of one length: their order is that of their texts.
    const size_t len = om_time_format(e->at_ms / 1000, 0, at);
    om_buf_addf(&line, "{\"at\":\"%.*s.%03dZ\"", (int)len - 1, at,
                (int)(e->at_ms % 1000));
    if (first) add_member(&line, "after", audit->chain);
    add_member(&line, "token", e->token);
    add_member(&line, "role", e->role);
    if (e->area[0]) add_member(&line, "area", e->area);
    add_member(&line, "method", e->method);
    add_member(&line, "route", e->route);
    add_member(&line, "target", e->target);
    om_status st = om_buf_addf(&line, ",\"status\":%u", e->status);
    if (!st && first) memset(audit->chain, '0', CHAIN_HEX);
    if (!st) st = chain_on(audit->chain, (char *)line.bytes, line.len);
    if (!st) st = om_buf_addf(&line, ",\"chain\":\"%s\"}\n", audit->chain);
    if (!st) st = om_fd_write(audit->fd, line.bytes, line.len, "audit", err);
    om_buf_deinit(&line);
    const om_status head =
        st ? OM_OK
           : om__audit_head_add(&audit->head, audit->key, audit->chain);
    if (head) headless(audit, head);
    return st;
}

om_status om_audit_add(struct om_audit *audit, const struct om_audit_entry *e,
                       struct om_err *err)
{
    om_status st = OM_OK;
    pthread_mutex_lock(&audit->lock);
    const int64_t at_s = e->at_ms / 1000;
    const bool first = audit->fd < 0 || at_s / DAY_S != audit->day;
    if (first) st = begin_file(audit, at_s, err);
    if (!st) st = write_line(audit, e, first, err);
    // What is half written is not gone on behind.
    if (st && audit->fd >= 0) {
        close(audit->fd);
        audit->fd = -1;
    }
    pthread_mutex_unlock(&audit->lock);
    return st;
}

/* ---- reading ---- */

/* A file that was read. */
struct file {
    const char *name;
    uint64_t lines;
    bool good;
};

struct reading {
    bool (*each)(void *ctx, const char *line, size_t len);
    void (*bad)(void *ctx, const char *file, const char *what);
    void *ctx;
    const char *folder;
    unsigned char key[KEY_BYTES];
    struct om__audit_slot *slot;  // as the head was before files were read
    size_t slots;
    bool headed, stop;
    size_t broken;
};

static void say(struct reading *r, const char *file, const char *what)
{
    r->broken++;
    r->bad(r->ctx, file, what);
}

static const struct om__audit_slot *find_slot(const struct om__audit_slot *slot,
                                              size_t slots, const char *name)
{
    for (size_t i = 0; i < slots; i++)
        if (!strcmp(slot[i].name, name)) return &slot[i];
    return NULL;
}

/* Lines of one file, until one does not follow from the one before. */
static void read_lines(struct reading *r, struct file *file, char *text)
{
    const struct om__audit_slot *slot =
        find_slot(r->slot, r->slots, file->name);
    const bool sealed = slot && slot->state == 'k';
    char chain[CHAIN_HEX + 1], what[96];
    memset(chain, '0', CHAIN_HEX);
    chain[CHAIN_HEX] = '\0';
    for (char *at = text; *at && !r->stop; file->lines++) {
        char *end = strchr(at, '\n');
        const size_t len = end ? (size_t)(end - at) : strlen(at);
        const char *tail = len > TAIL_LEN ? at + len - TAIL_LEN : NULL;
        file->good = end && tail && !strncmp(tail, ",\"chain\":\"", 10) &&
                     !chain_on(chain, at, len - TAIL_LEN) &&
                     !strncmp(tail + 10, chain, CHAIN_HEX) &&
                     !(sealed && file->lines + 1 == slot->lines &&
                       strcmp(chain, slot->chain) != 0);
        if (!file->good) {
            snprintf(what, sizeof what,
                     "line %llu does not follow from those before it",
                     (unsigned long long)file->lines + 1);
            say(r, file->name, what);
            return;
        }
        *end = '\0';
        r->stop = !r->each(r->ctx, at, len);
        at = end + 1;
    }
    if (!sealed || r->stop || file->lines >= slot->lines) return;
    file->good = false;
    snprintf(what, sizeof what, "its last lines are gone: %llu of %llu are there",
             (unsigned long long)file->lines, (unsigned long long)slot->lines);
    say(r, file->name, what);
}

static om_status read_file(struct reading *r, struct file *file,
                           struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_buf text = {0};
    OM_TRY(om_path_join(path, sizeof path, r->folder, file->name));
    file->good = true;
    om_status st = om_file_read(path, FILE_BYTES_MOST, &text, err);
    if (!st) st = om_buf_add(&text, "", 1);
    if (!st) read_lines(r, file, (char *)text.bytes);
    om_buf_deinit(&text);
    return st;
}

static void read_head(struct reading *r, bool logs)
{
    om_status st = sodium_init() < 0 ? OM_E_IO : read_key(r->folder, r->key);
    if (!st)
        st = om__audit_head_read(r->folder, r->key, &r->slot, &r->slots);
    r->headed = !st;
    if (st == OM_E_NOTFOUND && logs)
        say(r, OM__AUDIT_HEAD,
            "it or the key is not there: what was cut cannot be told");
    else if (st && st != OM_E_NOTFOUND)
        say(r, OM__AUDIT_HEAD,
            "it was changed, or the key: what was cut cannot be told");
}

/* What files there are against what the head says now, after all was read: it
 * may have grown meanwhile. */
static void compare(struct reading *r, const struct file *file, size_t files)
{
    struct om__audit_slot *now = NULL;
    size_t slots = 0, old = 0;
    if (!r->headed || r->stop) return;
    if (om__audit_head_read(r->folder, r->key, &now, &slots))
        say(r, OM__AUDIT_HEAD, "it was changed while it was read");
    for (size_t i = 0; i < files && now; i++) {
        const struct om__audit_slot *slot =
            find_slot(now, slots, file[i].name);
        // A process that ended in between has not written a slot, or not the
        // last line's.
        if (!slot && file[i].lines)
            say(r, file[i].name, "no server has begun this file");
        if (slot && slot->state == 'k' && file[i].good &&
            file[i].lines > slot->lines + 1)
            say(r, file[i].name, "lines were put in at its end");
    }
    for (size_t i = 0; i < r->slots && i < slots; i++) {
        bool there = false;
        for (size_t k = 0; k < files && !there; k++)
            there = !strcmp(file[k].name, now[i].name);
        old += there && now[i].state == 'a';
        if (!there && now[i].state != 'x')
            say(r, now[i].name, "the file is gone before its time");
    }
    if (old)
        r->bad(r->ctx, OM__AUDIT_HEAD,
               "some files are older than it: what was cut before cannot be "
               "told");
    om_free(now);
}

static int is_ours(const struct dirent *e)
{
    return om__audit_day(e->d_name) != 0;
}

om_status om_audit_read(const char *city,
                        bool (*each)(void *ctx, const char *line, size_t len),
                        void (*bad)(void *ctx, const char *file,
                                    const char *what),
                        void *ctx, size_t *broken, struct om_err *err)
{
    char folder[PATH_BYTES];
    struct dirent **entry = NULL;
    struct reading r = {.each = each, .bad = bad, .ctx = ctx, .folder = folder};
    OM_TRY(om_path_join(folder, sizeof folder, city, FOLDER));
    om_status st = OM_OK;
    // The head first: what it knows of has to be found.
    read_head(&r, false);
    const int n = scandir(folder, &entry, is_ours, alphasort);
    if (n < 0 && errno != ENOENT)
        st = om_fail(err, OM_E_IO, 0, "%s: %s", folder, strerror(errno));
    const size_t files = n < 0 ? 0 : (size_t)n;
    struct file *file = om_calloc(files + 1, sizeof *file);
    if (!st && !file) st = om_fail(err, OM_E_MEMORY, 0, "out of memory");
    if (!st && files && !r.headed && !r.broken) read_head(&r, true);
    for (size_t i = 0; i < files && file; i++) {
        file[i].name = entry[i]->d_name;
        if (!st && !r.stop) st = read_file(&r, &file[i], err);
    }
    if (!st) compare(&r, file, files);
    for (size_t i = 0; i < files; i++) free(entry[i]);
    free(entry);
    om_free(file);
    om_free(r.slot);
    sodium_memzero(r.key, sizeof r.key);
    *broken = r.broken;
    return st;
}
