/* tracks.c - fixes in files by hour.
 *
 * DESIGN
 * A file holds the fixes of one hour (of the fixes, in UTC), appended once a
 * second, and is deleted whole when all of it is older than the retention: no
 * fix outlives it by more than an hour, nothing is rewritten, and nothing has
 * to be trusted to forget inside a file. Fixes are written and not synced:
 * what was written survives the end of the process however it ends, and of a
 * machine that loses its power the last half minute may be gone, which a stream
 * of fixes every ten seconds makes good by itself.
 *
 * `last` notes the newest fix of everybody and how long each file was then;
 * a start reads it and only what has been appended since. It is written whole
 * by a rename, and one that cannot be read costs time only: then all files are.
 *
 * A write that was cut off leaves a part of a record at the end of a file; the
 * next one cuts it away.
 */
#include "web/server/tracks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/buf.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/model/time.h"

#define HOUR_S 3600
#define NAME "tracks"
#define LAST "last"
/* Fixes that wait for the disk: a quarter of an hour of ten thousand people. */
#define WAITING_MAX ((size_t)1 << 20)
/* Seconds between notes of the last fixes. */
#define NOTE_S 30.0
#define PATH_BYTES 4096
/* Hours that may be on disk: a century, or a folder that is none of ours. */
#define FILES_MAX 1000000

/* Head of `last`: then hours[files], fixes[count], a hash of all of it. */
struct last_head {
    char magic[8];
    uint64_t files, count;
};
static const char MAGIC[8] = {'O', 'M', 'L', 'A', 'S', 'T', '1', '\n'};
struct hour {
    int64_t hour;  // since 1970
    uint64_t bytes;
};

struct om__tracks {
    char folder[PATH_BYTES];
    int64_t retention_s;
    pthread_mutex_t lock;  // guards waiting
    struct om__track_fix *waiting;
    size_t count, room;
    struct om__track_fix *writing;
    size_t writing_count, writing_room;
    double noted_s;
    bool due;
};

_Static_assert(sizeof(struct om__track_fix) == 24, "records are packed");

static void hour_name(int64_t hour, char out[32])
{
    int64_t year;
    unsigned month, day;
    const int64_t days = hour / 24;
    om_time_date(days, &year, &month, &day);
    snprintf(out, 32, "%04d%02u%02u%02d.fixes", (int)year, month, day,
             (int)(hour - days * 24));
}

static bool read_name(const char *name, int64_t *hour)
{
    int year, part[3];
    char copy[32];
    if (strlen(name) != 16 || strcmp(name + 10, ".fixes") != 0) return false;
    if (strspn(name, "0123456789") != 10 ||
        sscanf(name, "%4d%2d%2d%2d", &year, &part[0], &part[1], &part[2]) != 4)
        return false;
    if (part[0] < 1 || part[0] > 12 || part[1] < 1 || part[1] > 31) return false;
    *hour = om_time_days(year, (unsigned)part[0], (unsigned)part[1]) * 24 +
            part[2];
    hour_name(*hour, copy);
    return !strcmp(copy, name);  // no 31st of June
}

static int by_hour(const void *a, const void *b)
{
    const struct hour *x = a, *y = b;
    return (x->hour > y->hour) - (x->hour < y->hour);
}

/* The hours that are on disk, sorted, with their lengths. */
static om_status list_hours(const struct om__tracks *t, struct om_buf *out,
                            struct om_err *err)
{
    DIR *dir = opendir(t->folder);
    if (!dir)
        return om_fail(err, OM_E_IO, 0, "%.100s: %s", t->folder,
                       strerror(errno));
    om_buf_init(out, FILES_MAX * sizeof(struct hour));
    for (const struct dirent *e; (e = readdir(dir));) {
        struct hour h = {0};
        struct stat s;
        if (!read_name(e->d_name, &h.hour) ||
            fstatat(dirfd(dir), e->d_name, &s, 0) || !S_ISREG(s.st_mode))
            continue;
        h.bytes = (uint64_t)s.st_size;
        om_buf_add(out, &h, sizeof h);
    }
    closedir(dir);
    if (out->status) return out->status;
    if (out->len)
        qsort(out->bytes, out->len / sizeof(struct hour), sizeof(struct hour),
              by_hour);
    return OM_OK;
}

static om_status path_of(const struct om__tracks *t, int64_t hour,
                         char path[PATH_BYTES])
{
    char name[32];
    hour_name(hour, name);
    return om_path_join(path, PATH_BYTES, t->folder, name);
}

static bool is_old(const struct om__tracks *t, int64_t hour, int64_t now_s)
{
    return (hour + 1) * HOUR_S <= now_s - t->retention_s;
}

static om_status expire(struct om__tracks *t, int64_t now_s,
                        struct om_err *err)
{
    struct om_buf hours = {0};
    char path[PATH_BYTES];
    om_status st = list_hours(t, &hours, err);
    const struct hour *h = (const struct hour *)(const void *)hours.bytes;
    for (size_t i = 0; !st && i < hours.len / sizeof *h; i++)
        if (is_old(t, h[i].hour, now_s) && !path_of(t, h[i].hour, path) &&
            unlink(path) && errno != ENOENT)
            st = om_fail(err, OM_E_IO, 0, "%.100s: %s", path, strerror(errno));
    om_buf_deinit(&hours);
    return st;
}

/* ---- what was there */

struct restoring {
    struct om__tracks *tracks;
    int64_t now_s;
    void (*each)(void *ctx, const struct om__track_fix *fix);
    void *ctx;
};

static void hand_over(const struct restoring *r,
                      const struct om__track_fix *fix)
{
    if (fix->at_s > r->now_s - r->tracks->retention_s) r->each(r->ctx, fix);
}

/* The note as it was written, or nothing. */
static void read_last(const struct restoring *r, struct om_buf *out)
{
    char path[PATH_BYTES];
    struct last_head head;
    if (om_path_join(path, sizeof path, r->tracks->folder, LAST) ||
        !om_file_exists(path) ||
        om_file_read(path, (size_t)1 << 30, out, NULL)) {
        om_buf_clear(out);
        return;
    }
    uint64_t hash = 0;
    bool good = out->len >= sizeof head + sizeof hash;
    if (good) {
        memcpy(&head, out->bytes, sizeof head);
        memcpy(&hash, out->bytes + out->len - sizeof hash, sizeof hash);
        good = !memcmp(head.magic, MAGIC, sizeof MAGIC) &&
               head.files <= FILES_MAX && head.count <= UINT32_MAX &&
               out->len == sizeof head + head.files * sizeof(struct hour) +
                               head.count * sizeof(struct om__track_fix) +
                               sizeof hash &&
               om_hash64(out->bytes, out->len - sizeof hash, 0) == hash;
    }
    if (!good) om_buf_clear(out);
}

/* Bytes of an hour's file that the note has taken in. */
static uint64_t noted_bytes(const struct om_buf *last, int64_t hour)
{
    struct last_head head;
    if (!last->len) return 0;
    memcpy(&head, last->bytes, sizeof head);
    for (uint64_t i = 0; i < head.files; i++) {
        struct hour h;
        memcpy(&h, last->bytes + sizeof head + i * sizeof h, sizeof h);
        if (h.hour == hour) return h.bytes;
    }
    return 0;
}

static void hand_over_noted(const struct restoring *r,
                            const struct om_buf *last)
{
    struct last_head head;
    if (!last->len) return;
    memcpy(&head, last->bytes, sizeof head);
    const uint8_t *at =
        last->bytes + sizeof head + head.files * sizeof(struct hour);
    for (uint64_t i = 0; i < head.count; i++) {
        struct om__track_fix fix;
        memcpy(&fix, at + i * sizeof fix, sizeof fix);
        hand_over(r, &fix);
    }
}

static om_status read_hour(const struct restoring *r, const struct hour *h,
                           uint64_t from, struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_map map = {0};
    if (from >= h->bytes || h->bytes < sizeof(struct om__track_fix))
        return OM_OK;
    OM_TRY(path_of(r->tracks, h->hour, path));
    OM_TRY(om_map_open(&map, path, err));
    const size_t size = sizeof(struct om__track_fix);
    // A file that is shorter than it was noted is another one: all of it.
    for (size_t at = from % size ? 0 : (size_t)from; at + size <= map.len;
         at += size) {
        struct om__track_fix fix;
        memcpy(&fix, map.bytes + at, size);
        hand_over(r, &fix);
    }
    om_map_close(&map);
    return OM_OK;
}

static om_status restore(const struct restoring *r, struct om_err *err)
{
    struct om_buf last = {0}, hours = {0};
    read_last(r, &last);
    hand_over_noted(r, &last);
    om_status st = list_hours(r->tracks, &hours, err);
    const struct hour *h = (const struct hour *)(const void *)hours.bytes;
    for (size_t i = 0; !st && i < hours.len / sizeof *h; i++) {
        const uint64_t noted = noted_bytes(&last, h[i].hour);
        st = read_hour(r, &h[i], noted <= h[i].bytes ? noted : 0, err);
    }
    om_buf_deinit(&last);
    om_buf_deinit(&hours);
    return st;
}

/* ---- what comes */

static om_status append(const struct om__tracks *t, int64_t hour,
                        const void *bytes, size_t len, struct om_err *err)
{
    char path[PATH_BYTES];
    struct stat s;
    OM_TRY(path_of(t, hour, path));
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
    if (fd < 0 || fstat(fd, &s)) {
        const int why = errno;
        if (fd >= 0) close(fd);
        return om_fail(err, OM_E_IO, 0, "%.100s: %s", path, strerror(why));
    }
    const off_t whole = s.st_size - s.st_size % (off_t)sizeof(struct om__track_fix);
    om_status st = OM_OK;
    if (whole != s.st_size && ftruncate(fd, whole)) st = OM_E_IO;
    if (!st) st = om_fd_write(fd, bytes, len, path, err);
    // All or nothing: what is left waits and is written again.
    if (st) (void)!ftruncate(fd, whole);
    close(fd);
    return st;
}

/* Fixes of one hour go out together; those of an hour that cannot be written
 * stay. */
static om_status write_waiting(struct om__tracks *t, int64_t now_s,
                               struct om_err *err)
{
    struct om_buf out = {0};
    om_status st = OM_OK;
    size_t left = t->writing_count;
    struct om__track_fix *fix = t->writing;
    while (left && !st) {
        const int64_t hour = fix[0].at_s / HOUR_S;
        size_t others = 0;
        om_buf_clear(&out);
        om_buf_reserve(&out, left * sizeof *fix);
        if (out.status) {
            st = out.status;
            break;
        }
        for (size_t i = 0; i < left; i++)
            if (fix[i].at_s / HOUR_S == hour)
                om_buf_add(&out, &fix[i], sizeof *fix);
        if (!is_old(t, hour, now_s))
            st = append(t, hour, out.bytes, out.len, err);
        if (st) break;
        for (size_t i = 0; i < left; i++)
            if (fix[i].at_s / HOUR_S != hour) fix[others++] = fix[i];
        left = others;
    }
    t->writing_count = left;
    om_buf_deinit(&out);
    return st;
}

static om_status note(struct om__tracks *t, const struct om__track_fix *last,
                      size_t count, struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_buf hours = {0}, out = {0};
    om_status st = list_hours(t, &hours, err);
    struct last_head head = {.files = hours.len / sizeof(struct hour),
                             .count = count};
    memcpy(head.magic, MAGIC, sizeof MAGIC);
    om_buf_add(&out, &head, sizeof head);
    if (hours.len) om_buf_add(&out, hours.bytes, hours.len);
    if (count) om_buf_add(&out, last, count * sizeof *last);
    if (!st) st = out.status;
    if (!st) {
        const uint64_t hash = om_hash64(out.bytes, out.len, 0);
        st = om_buf_add(&out, &hash, sizeof hash);
    }
    if (!st) st = om_path_join(path, sizeof path, t->folder, LAST);
    if (!st) st = om_file_write_whole(path, out.bytes, out.len, err);
    om_buf_deinit(&hours);
    om_buf_deinit(&out);
    return st;
}

/* Those that wait become those that are written, behind what could not be. */
static om_status take_waiting(struct om__tracks *t)
{
    om_status st = OM_OK;
    pthread_mutex_lock(&t->lock);
    const size_t all = t->writing_count + t->count;
    if (all > t->writing_room) {
        struct om__track_fix *grown =
            om_realloc(t->writing, all * sizeof *grown);
        if (grown) {
            t->writing = grown;
            t->writing_room = all;
        } else {
            st = OM_E_MEMORY;
        }
    }
    if (!st) {
        if (t->count)
            memcpy(t->writing + t->writing_count, t->waiting,
                   t->count * sizeof *t->waiting);
        t->writing_count = all;
        t->count = 0;
    }
    pthread_mutex_unlock(&t->lock);
    return st;
}

om_status om__tracks_write(struct om__tracks *t, int64_t now_s,
                           const struct om__track_fix *last, size_t count,
                           struct om_err *err)
{
    if (!t->retention_s) return OM_OK;
    OM_TRY(take_waiting(t));
    om_status st = write_waiting(t, now_s, err);
    if (!st && (t->due || om_seconds() - t->noted_s >= NOTE_S)) {
        t->noted_s = om_seconds();
        t->due = false;
        st = expire(t, now_s, err);
        if (!st) st = note(t, last, count, err);
    }
    return st;
}

void om__tracks_due(struct om__tracks *t)
{
    t->due = true;
}

om_status om__tracks_add(struct om__tracks *t, const struct om__track_fix *fix)
{
    om_status st = OM_OK;
    if (!t->retention_s) return OM_OK;
    pthread_mutex_lock(&t->lock);
    if (t->count == t->room) {
        const size_t room = t->room ? 2 * t->room : 1024;
        struct om__track_fix *grown =
            room > WAITING_MAX ? NULL
                               : om_realloc(t->waiting, room * sizeof *grown);
        if (grown) {
            t->waiting = grown;
            t->room = room;
        } else {
            st = room > WAITING_MAX ? OM_E_BUSY : OM_E_MEMORY;
        }
    }
    if (!st) t->waiting[t->count++] = *fix;
    pthread_mutex_unlock(&t->lock);
    return st;
}

/* ---- life */

/* Nothing is kept: neither is what was. */
static om_status forget_all(struct om__tracks *t, struct om_err *err)
{
    char path[PATH_BYTES];
    if (!om_file_exists(t->folder)) return OM_OK;
    OM_TRY(expire(t, INT64_MAX, err));
    OM_TRY(om_path_join(path, sizeof path, t->folder, LAST));
    return unlink(path) && errno != ENOENT
               ? om_fail(err, OM_E_IO, 0, "%.100s: %s", path, strerror(errno))
               : OM_OK;
}

om_status om__tracks_open(const char *city, int64_t retention_s, int64_t now_s,
                          void (*each)(void *ctx,
                                       const struct om__track_fix *fix),
                          void *ctx, struct om__tracks **out,
                          struct om_err *err)
{
    struct om__tracks *t = om_calloc(1, sizeof *t);
    if (!t) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    pthread_mutex_init(&t->lock, NULL);
    t->retention_s = retention_s;
    const struct restoring r = {t, now_s, each, ctx};
    om_status st = om_path_join(t->folder, sizeof t->folder, city, NAME);
    if (!st && !retention_s) {
        st = forget_all(t, err);
    } else if (!st) {
        st = om_folder_make(t->folder, err);
        if (!st && chmod(t->folder, 0700)) st = OM_E_IO;
        if (!st) st = expire(t, now_s, err);
        if (!st) st = restore(&r, err);
    }
    t->noted_s = om_seconds();
    if (st) {
        if (err && !err->text[0])
            om_fail(err, st, 0, "%.100s: %s", t->folder, om_status_text(st));
        om__tracks_close(t);
        return st;
    }
    *out = t;
    return OM_OK;
}

void om__tracks_close(struct om__tracks *t)
{
    if (!t) return;
    pthread_mutex_destroy(&t->lock);
    om_free(t->waiting);
    om_free(t->writing);
    om_free(t);
}
