// whole.c - made under another name, then renamed.
#include "data/city/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/base/file.h"

#define OPEN_FOLDERS 16

static int remove_one(const char *path, const struct stat *about, int kind,
                      struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

static int remove_inner(const char *path, const struct stat *about, int kind,
                        struct FTW *at)
{
    (void)about;
    (void)kind;
    return at->level > 0 ? remove(path) : 0;
}

static int sync_folder(const char *path, const struct stat *about, int kind,
                       struct FTW *at)
{
    (void)about;
    (void)at;
    return kind == FTW_D || kind == FTW_DP ? om_folder_sync(path, NULL) != OM_OK
                                           : 0;
}

static void remove_all(const char *folder)
{
    nftw(folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

om_status om_whole_begin(const char *name, const char *ending,
                         struct om_whole *out, struct om_err *err)
{
    struct stat named, opened;
    *out = (struct om_whole){.fd = -1};
    size_t len = strlen(name);
    while (len > 1 && name[len - 1] == '/') len--;
    const int n = snprintf(out->folder, sizeof out->folder, "%.*s.%s", (int)len,
                           name, ending);
    if (n < 0 || n >= (int)sizeof out->folder)
        return om_fail(err, OM_E_LIMIT, 0, "path too long: %.80s...", name);
    snprintf(out->name, sizeof out->name, "%.*s", (int)len, name);
    OM_TRY(om_folder_make(out->folder, err));
    const int fd = open(out->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // Of two that come at once the one that is late may have opened what has
    // got its name meanwhile.
    const bool ours = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
                      stat(out->folder, &named) == 0 &&
                      fstat(fd, &opened) == 0 && named.st_ino == opened.st_ino;
    if (ours &&
        !nftw(out->folder, remove_inner, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS)) {
        out->fd = fd;
        out->begun = true;
        return OM_OK;
    }
    if (fd >= 0) close(fd);
    return ours ? om_fail(err, OM_E_IO, 0, "cannot empty %s", out->folder)
                : om_fail(err, OM_E_BUSY, 0,
                          "another process works in %s (wait for it)",
                          out->folder);
}

static om_status cannot_rename(const struct om_whole *w, int why,
                               struct om_err *err)
{
    if (why == EEXIST)
        return om_fail(err, OM_E_EXISTS, 0, "%s exists already", w->name);
    if (why == EINVAL || why == ENOSYS)
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "the file system of %s cannot swap two folders in one "
                       "step (take a new name, and point to that)",
                       w->name);
    return om_fail(err, OM_E_IO, 0, "cannot rename %s to %s: %s", w->folder,
                   w->name, strerror(why));
}

om_status om_whole_commit(struct om_whole *whole, bool replace,
                          struct om_err *err)
{
    char above[OM_WHOLE_PATH_BYTES];
    if (nftw(whole->folder, sync_folder, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS))
        return om_fail(err, OM_E_IO, 0, "cannot sync %s", whole->folder);
    if (renameat2(AT_FDCWD, whole->folder, AT_FDCWD, whole->name,
                  replace ? RENAME_EXCHANGE : RENAME_NOREPLACE))
        return cannot_rename(whole, errno, err);
    whole->begun = false;
    if (replace) remove_all(whole->folder);
    close(whole->fd);
    whole->fd = -1;
    if (om_path_join(above, sizeof above, whole->name, "..")) return OM_OK;
    return om_folder_sync(above, err);
}

void om_whole_end(struct om_whole *whole)
{
    if (!whole->begun) return;
    remove_all(whole->folder);
    close(whole->fd);
    whole->begun = false;
}
