// sums.c - every file of a folder with its sum, by name.
#include "data/city/sums.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/base/alloc.h"
#include "data/base/arena.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/limits.h"
#include "data/base/sha256.h"

#define PATH_BYTES 4096
#define DEPTH_MOST 8
#define FILES_MOST 100000

struct names {
    const char *folder;
    char **name;  // relative to the folder
    size_t count, room;
    struct om_arena arena;
};

static om_status add_name(struct names *n, const char *name, struct om_err *err)
{
    if (n->count == FILES_MOST)
        return om_fail(err, OM_E_LIMIT, 0, "%s has more than %d files",
                       n->folder, FILES_MOST);
    if (n->count == n->room) {
        const size_t room = n->room ? 2 * n->room : 64;
        char **grown = om_realloc(n->name, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        n->name = grown;
        n->room = room;
    }
    n->name[n->count] = om_arena_text(&n->arena, name, strlen(name));
    return n->name[n->count++] ? OM_OK : OM_E_MEMORY;
}

/* What a city's processes hold locks on says nothing. */
static bool passed_over(const char *name)
{
    static const char *const over[] = {OM_SUMS_FILE, ".lock", ".writer"};
    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        if (!strcmp(over[i], name)) return true;
    return false;
}

static om_status list(struct names *n, const char *below, unsigned depth,
                      struct om_err *err)
{
    char path[PATH_BYTES], name[PATH_BYTES];
    if (depth > DEPTH_MOST || om_path_join(path, sizeof path, n->folder, below))
        return om_fail(err, OM_E_LIMIT, 0, "%s is too deep", n->folder);
    DIR *dir = opendir(path);
    if (!dir)
        return om_fail(err, OM_E_IO, 0, "cannot read %s: %s", path,
                       strerror(errno));
    om_status st = OM_OK;
    for (struct dirent *entry; !st && (entry = readdir(dir));) {
        struct stat about;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (!*below && passed_over(entry->d_name)) continue;
        const int len = snprintf(name, sizeof name, "%s%s%s", below,
                                 *below ? "/" : "", entry->d_name);
        if (len < 0 || len >= (int)sizeof name ||
            om_path_join(path, sizeof path, n->folder, name))
            st = om_fail(err, OM_E_LIMIT, 0, "path too long");
        else if (lstat(path, &about))
            st = om_fail(err, OM_E_IO, 0, "cannot read %s: %s", path,
                         strerror(errno));
        else if (S_ISDIR(about.st_mode))
            st = list(n, name, depth + 1, err);
        else if (S_ISREG(about.st_mode) && !strchr(name, '\n'))
            st = add_name(n, name, err);
        else
            st = om_fail(err, OM_E_FORMAT, 0, "%s is no plain file", path);
    }
    closedir(dir);
    return st;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_deinit(struct names *n)
{
    om_free(n->name);
    om_arena_deinit(&n->arena);
}

/* The lines that the folder's files make. */
static om_status make_lines(const char *folder, struct om_buf *out,
                            struct om_err *err)
{
    struct names n = {.folder = folder};
    om_status st = list(&n, "", 0, err);
    if (!st && n.count) qsort(n.name, n.count, sizeof *n.name, by_name);
    for (size_t i = 0; i < n.count && !st; i++) {
        char path[PATH_BYTES], hex[OM_SHA256_HEX_BYTES];
        struct om_map map = {0};
        st = om_path_join(path, sizeof path, folder, n.name[i]);
        if (!st) st = om_map_open(&map, path, err);
        if (st) break;
        om_sha256_hex(map.bytes, map.len, hex);
        om_map_close(&map);
        st = om_buf_addf(out, "%s  %s\n", hex, n.name[i]);
    }
    names_deinit(&n);
    return st;
}

om_status om_sums_write(const char *folder, uint64_t *hash, struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_buf lines = {0};
    om_status st = om_path_join(path, sizeof path, folder, OM_SUMS_FILE);
    if (!st) st = make_lines(folder, &lines, err);
    if (!st) st = om_file_write_whole(path, lines.bytes, lines.len, err);
    if (!st && hash) *hash = om_hash64(lines.bytes, lines.len, 0);
    om_buf_deinit(&lines);
    return st;
}

/* The name in the line that begins at `line`; empty where there is none. */
static const char *name_at(const struct om_buf *lines, size_t line, size_t *len)
{
    const size_t skip = OM_SHA256_HEX_BYTES + 1;
    const char *text = (const char *)lines->bytes + line;
    const size_t all = strcspn(text, "\n");
    *len = all > skip ? all - skip : 0;
    return *len ? text + skip : "";
}

/* The first line in which two sorted lists differ tells which file it is and
 * what is wrong with it. Both end in NUL. */
static om_status compare(const char *folder, const struct om_buf *said,
                         const struct om_buf *found, struct om_err *err)
{
    const size_t both = said->len < found->len ? said->len : found->len;
    size_t at = 0, line = 0, a, b;
    while (at < both && said->bytes[at] == found->bytes[at])
        if (said->bytes[at++] == '\n') line = at;
    if (at == said->len && at == found->len) return OM_OK;
    const char *named = name_at(said, line, &a);
    const char *is = name_at(found, line, &b);
    const int order = strncmp(named, is, a > b ? a : b);
    const bool gone = b == 0 || (a > 0 && order < 0);
    const bool more = !gone && (a == 0 || order > 0);
    return om_fail(err, OM_E_DAMAGED, 0, "%s: %.*s %s", folder,
                   (int)(gone ? a : b), gone ? named : is,
                   gone   ? "is missing"
                   : more ? "is not named by " OM_SUMS_FILE
                          : "is not what was written");
}

om_status om_sums_check(const char *folder, bool *there, struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_buf said = {0}, found = {0};
    OM_TRY(om_path_join(path, sizeof path, folder, OM_SUMS_FILE));
    *there = om_file_exists(path);
    if (!*there) return OM_OK;
    om_status st = om_file_read(path, OM_LIMIT_JSON_BYTES, &said, err);
    if (!st) st = make_lines(folder, &found, err);
    if (!st) st = om_buf_add_byte(&said, 0);
    if (!st) st = om_buf_add_byte(&found, 0);
    if (!st) st = compare(folder, &said, &found, err);
    om_buf_deinit(&said);
    om_buf_deinit(&found);
    return st;
}
