// table_file.c - where a verb's table goes: standard output, or a file that is
// there whole or not at all.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "web/table.h"

#define PATH_BYTES 4096

struct om_table_file {
    int fd;  // -1: standard output
    char path[PATH_BYTES], written[PATH_BYTES];
    struct om_err err;  // what om_table_file_take met
};

om_status om_table_file_new(const char *path, struct om_table_file **out,
                            struct om_err *err)
{
    struct om_table_file *f = om_calloc(1, sizeof *f);
    if (!f) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    f->fd = -1;
    om_status st = OM_OK;
    if (path) {
        const int n =
            snprintf(f->written, sizeof f->written, "%s.XXXXXX.tmp", path);
        snprintf(f->path, sizeof f->path, "%s", path);
        if (n < 0 || (size_t)n >= sizeof f->written)
            st = om_fail(err, OM_E_LIMIT, 0, "path too long");
        else if ((f->fd = mkstemps(f->written, 4)) < 0)
            st = om_fail(err, OM_E_IO, 0, "%s: %s", path, strerror(errno));
        // mkstemps makes files that only their owner may read.
        else if (fchmod(f->fd, 0644))
            st = om_fail(err, OM_E_IO, 0, "%s: %s", path, strerror(errno));
    }
    if (st)
        om_table_file_free(f);
    else
        *out = f;
    return st;
}

om_status om_table_file_take(void *file, const void *bytes, size_t len)
{
    struct om_table_file *f = file;
    if (f->fd >= 0) return om_fd_write(f->fd, bytes, len, f->path, &f->err);
    if (fwrite(bytes, 1, len, stdout) == len) return OM_OK;
    return om_fail(&f->err, OM_E_IO, 0, "standard output: %s", strerror(errno));
}

om_status om_table_file_commit(struct om_table_file *f, struct om_err *err)
{
    om_status st = f->err.code;
    if (st) {
        if (err) *err = f->err;
        return st;
    }
    if (f->fd < 0) {
        if (fflush(stdout) == 0) return OM_OK;
        return om_fail(err, OM_E_IO, 0, "standard output: %s", strerror(errno));
    }
    st = om_file_sync(f->fd, f->path, err);
    if (!st && rename(f->written, f->path))
        st = om_fail(err, OM_E_IO, 0, "%s: %s", f->path, strerror(errno));
    if (st) return st;
    close(f->fd);
    f->fd = -1;
    return OM_OK;
}

void om_table_file_free(struct om_table_file *f)
{
    if (!f) return;
    if (f->fd >= 0) {
        close(f->fd);
        unlink(f->written);
    }
    om_free(f);
}
