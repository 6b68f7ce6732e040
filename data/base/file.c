// file.c - open, map, write whole, sync; POSIX only.
#include "data/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

static struct {
    atomic_size_t calls, fails_at;  // 0: never
    int error;
    bool sticky;
} fault[OM_FILE_RENAME + 1];

void om_file_fail_after(enum om_file_call call, size_t countdown, int error,
                        bool sticky)
{
    fault[call].error = error;
    fault[call].sticky = sticky;
    atomic_store(&fault[call].fails_at,
                 countdown ? atomic_load(&fault[call].calls) + countdown : 0);
}

size_t om_file_calls(enum om_file_call call)
{
    return atomic_load(&fault[call].calls);
}

/* Does the call at hand have to fail? errno is set then. */
static bool must_fail(enum om_file_call call)
{
    const size_t number = atomic_fetch_add(&fault[call].calls, 1) + 1;
    const size_t at = atomic_load(&fault[call].fails_at);
    if (!at || number < at || (number > at && !fault[call].sticky))
        return false;
    errno = fault[call].error;
    return true;
}

/* write or, with an offset, pwrite; or what a fault makes of it. */
static ssize_t write_some(int fd, const void *bytes, size_t len, off_t offset)
{
    if (len > (1u << 30)) len = 1u << 30;
    if (must_fail(OM_FILE_WRITE)) {
        if (errno) return -1;
        len = (len + 1) / 2;
    }
    return offset < 0 ? write(fd, bytes, len) : pwrite(fd, bytes, len, offset);
}

static om_status fail_errno(struct om_err *err, const char *doing,
                            const char *path)
{
    const int e = errno;
    const om_status code = e == ENOENT   ? OM_E_NOTFOUND
                           : e == ENOMEM ? OM_E_MEMORY
                                         : OM_E_IO;
    return om_fail(err, code, 0, "%s %s: %s", doing, path, strerror(e));
}

om_status om_map_open(struct om_map *map, const char *path, struct om_err *err)
{
    *map = (struct om_map){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, "cannot open", path);
    om_status st = OM_OK;
    struct stat info;
    if (fstat(fd, &info)) {
        st = fail_errno(err, "cannot read", path);
    } else if (!S_ISREG(info.st_mode)) {
        st = om_fail(err, OM_E_IO, 0, "%s is not a file", path);
    } else if (info.st_size > 0) {
        void *bytes =
            mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (bytes == MAP_FAILED)
            st = fail_errno(err, "cannot map", path);
        else
            *map = (struct om_map){bytes, (size_t)info.st_size};
    }
    close(fd);
    return st;
}

void om_map_close(struct om_map *map)
{
    if (map->len) munmap((void *)(uintptr_t)map->bytes, map->len);
    *map = (struct om_map){0};
}

om_status om_file_read(const char *path, size_t max, struct om_buf *out,
                       struct om_err *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, "cannot open", path);
    om_status st = OM_OK;
    uint8_t chunk[65536];
    for (;;) {
        const ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) st = fail_errno(err, "cannot read", path);
        if (n <= 0) break;
        if (out->len + (size_t)n > max)
            st = om_fail(err, OM_E_LIMIT, 0, "%s is larger than %zu bytes",
                         path, max);
        else if (om_buf_add(out, chunk, (size_t)n))
            st = om_fail(err, out->status, 0, "reading %s: %s", path,
                         om_status_text(out->status));
        if (st) break;
    }
    close(fd);
    return st;
}

om_status om_fd_write(int fd, const void *bytes, size_t len, const char *path,
                      struct om_err *err)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        const ssize_t n = write_some(fd, at, len, -1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(err, "cannot write", path);
        at += n;
        len -= (size_t)n;
    }
    return OM_OK;
}

om_status om_fd_pwrite(int fd, const void *bytes, size_t len, uint64_t offset,
                       const char *path, struct om_err *err)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        const ssize_t n = write_some(fd, at, len, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = ENOSPC;
        if (n <= 0) return fail_errno(err, "cannot write", path);
        at += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return OM_OK;
}

om_status om_file_sync(int fd, const char *path, struct om_err *err)
{
    return must_fail(OM_FILE_SYNC) || fsync(fd)
               ? fail_errno(err, "cannot sync", path)
               : OM_OK;
}

om_status om_folder_sync(const char *path, struct om_err *err)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, "cannot open", path);
    const om_status st = om_file_sync(fd, path, err);
    close(fd);
    return st;
}

/* The folder that holds `path`, "." if it names none. */
static void folder_of(char *out, size_t room, const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    if (len == 0 || len >= room)
        snprintf(out, room, ".");
    else
        snprintf(out, room, "%.*s", (int)len, path);
}

om_status om_file_rename(const char *from, const char *to, struct om_err *err)
{
    char folder[PATH_BYTES];
    folder_of(folder, sizeof folder, to);
    if (must_fail(OM_FILE_RENAME) || rename(from, to))
        return fail_errno(err, "cannot rename to", to);
    return om_folder_sync(folder, err);
}

static om_status write_whole(const char *path, const void *bytes, size_t len,
                             mode_t mode, struct om_err *err)
{
    char temporary[PATH_BYTES];
    const int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (n < 0 || n >= (int)sizeof temporary)
        return om_fail(err, OM_E_LIMIT, 0, "path too long: %.80s...", path);
    const int fd =
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return fail_errno(err, "cannot create", temporary);
    om_status st = om_fd_write(fd, bytes, len, temporary, err);
    if (!st) st = om_file_sync(fd, temporary, err);
    if (close(fd) && !st) st = fail_errno(err, "cannot close", temporary);
    if (!st) st = om_file_rename(temporary, path, err);
    if (st) unlink(temporary);
    return st;
}

om_status om_file_write_whole(const char *path, const void *bytes, size_t len,
                              struct om_err *err)
{
    return write_whole(path, bytes, len, 0644, err);
}

om_status om_file_write_private(const char *path, const void *bytes, size_t len,
                                struct om_err *err)
{
    return write_whole(path, bytes, len, 0600, err);
}

static om_status make_folder(const char *path, mode_t mode, struct om_err *err)
{
    char part[PATH_BYTES];
    const size_t len = strlen(path);
    if (len >= sizeof part)
        return om_fail(err, OM_E_LIMIT, 0, "path too long: %.80s...", path);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, i < len ? 0755 : mode) && errno != EEXIST)
            return fail_errno(err, "cannot create folder", part);
    }
    struct stat info;
    if (stat(path, &info) || !S_ISDIR(info.st_mode))
        return om_fail(err, OM_E_IO, 0, "%s is not a folder", path);
    return OM_OK;
}

om_status om_folder_make(const char *path, struct om_err *err)
{
    return make_folder(path, 0755, err);
}

om_status om_folder_make_private(const char *path, struct om_err *err)
{
    return make_folder(path, 0700, err);
}

bool om_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

om_status om_path_join(char *out, size_t room, const char *folder,
                       const char *name)
{
    const int n = snprintf(out, room, "%s/%s", folder, name);
    return n < 0 || (size_t)n >= room ? OM_E_LIMIT : OM_OK;
}
