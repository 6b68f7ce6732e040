// copy.c - a city as it is now, into another folder, while it is written to.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/base/file.h"
#include "engine/live/live_internal.h"

/* DESIGN
 * While the lock of files is held no file comes or goes, and the journal keeps
 * all that the files have not. So files first, then a copy of the journal at
 * one moment, and city.json last: a folder without it is no city, so a copy
 * that was cut off cannot be taken for one. Writes go on all the time. */

static om_status copy_bytes(int from, int to, const char *name,
                            struct om_err *err)
{
    static const size_t stretch = (size_t)64 << 20;
    for (;;) {
        const ssize_t n = copy_file_range(from, NULL, to, NULL, stretch, 0);
        if (n == 0) break;
        if (n > 0) continue;
        if (errno == EINTR) continue;
        // Between file systems, or on one that cannot: by hand, from here on.
        char bytes[65536];
        ssize_t got;
        while ((got = read(from, bytes, sizeof bytes)) > 0)
            OM_TRY(om_fd_write(to, bytes, (size_t)got, name, err));
        if (got == 0) break;
        return om_fail(err, OM_E_IO, 0, "reading %s: %s", name,
                       strerror(errno));
    }
    return om_file_sync(to, name, err);
}

static om_status copy_file(const char *from_folder, const char *to_folder,
                           const char *name, struct om_err *err)
{
    char from[OM__PATH_BYTES], to[OM__PATH_BYTES];
    if (om_path_join(from, sizeof from, from_folder, name) ||
        om_path_join(to, sizeof to, to_folder, name))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return om_fail(err, OM_E_IO, 0, "opening %s: %s", from,
                       strerror(errno));
    const int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    om_status st = OM_OK;
    if (out < 0)
        st = om_fail(err, OM_E_IO, 0, "making %s: %s", to, strerror(errno));
    else
        st = copy_bytes(in, out, to, err);
    close(in);
    if (out >= 0) close(out);
    return st;
}

/* Plain files of a folder of the city, if there is such a folder. */
static om_status copy_folder(const char *city, const char *to,
                             const char *folder, struct om_err *err)
{
    char path[OM__PATH_BYTES], made[OM__PATH_BYTES], name[OM__PATH_BYTES];
    if (om_path_join(path, sizeof path, city, folder) ||
        om_path_join(made, sizeof made, to, folder))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    DIR *dir = opendir(path);
    if (!dir) return OM_OK;
    om_status st = om_folder_make(made, err);
    for (struct dirent *entry; !st && (entry = readdir(dir));) {
        struct stat info;
        if (entry->d_name[0] == '.') continue;
        st = om_path_join(name, sizeof name, path, entry->d_name);
        if (!st && stat(name, &info) == 0 && S_ISREG(info.st_mode))
            st = copy_file(path, made, entry->d_name, err);
    }
    closedir(dir);
    if (!st) st = om_folder_sync(made, err);
    return st;
}

static om_status copy_layers(const struct om_manifest *m, const char *city,
                             const char *to, struct om_err *err)
{
    char folder[OM__PATH_BYTES];
    if (om_path_join(folder, sizeof folder, to, "layers"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    OM_TRY(om_folder_make(folder, err));
    for (size_t i = 0; i < m->layers; i++)
        for (size_t p = 0; p < m->layer[i].parts; p++) {
            const struct om_manifest_part *part = &m->layer[i].part[p];
            OM_TRY(copy_file(city, to, part->file, err));
            if (part->units_file[0])
                OM_TRY(copy_file(city, to, part->units_file, err));
            if (part->dead_file[0])
                OM_TRY(copy_file(city, to, part->dead_file, err));
        }
    return om_folder_sync(folder, err);
}

static om_status copy_journal(const char *city, const char *to,
                              struct om_err *err)
{
    char path[OM__PATH_BYTES];
    struct om_journal *journal = NULL;
    if (!om_journal_exists(city)) return OM_OK;
    if (om_path_join(path, sizeof path, to, "journal.db"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    OM_TRY(om_journal_open(city, OM_JOURNAL_READ, 0, &journal, err));
    const om_status st = om_journal_copy(journal, path, err);
    om_journal_close(journal);
    return st;
}

static om_status copy_city(const char *city, const char *to, struct om_err *err)
{
    struct om_manifest m = {0};
    OM_TRY(om_folder_make(to, err));
    OM_TRY(om_manifest_read(city, &m, err));
    om_status st = copy_layers(&m, city, to, err);
    if (!st) st = copy_folder(city, to, "models", err);
    if (!st) st = copy_folder(city, to, "legends", err);
    if (!st) st = copy_journal(city, to, err);
    if (!st) st = copy_file(city, to, "city.json", err);
    if (!st) st = om_folder_sync(to, err);
    om_manifest_deinit(&m);
    return st;
}

om_status om_live_copy(struct om_live *live, const char *folder,
                       struct om_err *err)
{
    const char *city = live->city->path;
    int lock = -1;
    if (om_file_exists(folder))
        return om_fail(err, OM_E_EXISTS, 0, "%s exists already", folder);
    pthread_mutex_lock(&live->files_lock);
    om_status st = om_city_lock(city, &lock, err);
    if (!st) st = copy_city(city, folder, err);
    if (lock >= 0) close(lock);
    pthread_mutex_unlock(&live->files_lock);
    return st;
}
