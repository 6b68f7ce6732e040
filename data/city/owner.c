// owner.c - modes of a city's files.
#include "data/city/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/base/log.h"

/* DESIGN
 * What is made in a city is made under a mask of 077, by whoever makes it; this
 * is for cities of before and for what others have put there. The folder comes
 * first: from then on nobody else reaches what is in it. */

/* Deeper than any folder of a city. */
#define DEPTH_MAX 8
#define OTHERS (S_IRWXG | S_IRWXO)

struct look {
    bool close;
    uint64_t open;
    om_status st;
    struct om_err *err;
};

/* Of an open folder or a file in one; name NULL: the folder itself. */
static void look_at(struct look *look, int folder, const char *name,
                    const char *called, const struct stat *about)
{
    if (!(about->st_mode & OTHERS)) return;
    look->open++;
    if (!look->close) return;
    const mode_t mode = about->st_mode & 07777 & ~(mode_t)OTHERS;
    const int failed =
        name ? fchmodat(folder, name, mode, 0) : fchmod(folder, mode);
    if (failed && errno != ENOENT && !look->st)
        look->st = om_fail(look->err, OM_E_UNSUPPORTED, 0, "%s: %s", called,
                           strerror(errno));
}

/* Takes the descriptor. */
static void look_in(struct look *look, int fd, const char *called,
                    unsigned depth)
{
    struct stat about;
    if (!fstat(fd, &about)) look_at(look, fd, NULL, called, &about);
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..") ||
            fstatat(fd, name, &about, AT_SYMLINK_NOFOLLOW))
            continue;
        if (S_ISREG(about.st_mode)) look_at(look, fd, name, name, &about);
        if (!S_ISDIR(about.st_mode) || depth == DEPTH_MAX) continue;
        const int inner =
            openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0) look_in(look, inner, name, depth + 1);
    }
    closedir(dir);
}

om_status om_owner_only(const char *city, bool close, uint64_t *open,
                        struct om_err *err)
{
    struct look look = {.close = close, .err = err};
    const int fd = openat(AT_FDCWD, city, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *open = 0;
    if (fd < 0)
        return om_fail(err, OM_E_IO, 0, "%s: %s", city, strerror(errno));
    look_in(&look, fd, city, 0);
    *open = look.open;
    return look.st;
}

void om_owner_look(const char *city, bool close, const char *area)
{
    struct om_err err = {0};
    uint64_t open;
    const om_status st = om_owner_only(city, close, &open, &err);
    if (st || (open && !close))
        om_log(OM_LOG_WARN, area,
               "%" PRIu64
               " folders and files of %s are open to others on this machine%s%s"
               " (chmod -R go= %s)",
               open, city, st ? ": " : "", st ? err.text : "", city);
    else if (open)
        om_log(OM_LOG_INFO, area,
               "%" PRIu64
               " folders and files of %s were open to others on this machine; "
               "from now on they are for their owner only",
               open, city);
}
