/* files.c - the pages and their libraries, from memory.
 *
 * DESIGN
 * The files are read once, at the start, into finished answers: a request only
 * finds its name in a short list. No path of a request ever reaches the file
 * system, so none can leave the folder. Pages are small and change with the
 * program: clients keep them but ask whether they are still right (ETag).
 * Libraries carry their version in our lock file and may be kept for a day.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "web/server/files.h"
#include "web/server/handlers.h"
#include "web/server/reply.h"
#include "web/server/server_internal.h"
#include "web/server/squeeze.h"

#define FILES_MAX 192
#define FILE_BYTES_MAX ((size_t)16 << 20)
/* Packed with more care up to this: a start must not take long. */
#define PACK_BYTES_MAX ((size_t)256 << 10)

/* Nothing from elsewhere, no scripts in the page; MapLibre draws into blobs
 * and has a worker beside it. */
#define PAGE_POLICY                                                       \
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self'; " \
    "style-src 'self'; object-src 'none'; base-uri 'none'; form-action "  \
    "'none'; frame-ancestors 'self'"

/* The page that other sites may show in a frame: the same, but for that. */
#define FRAMED "community/embed.html"
#define FRAME_POLICY                                                     \
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; " \
    "object-src 'none'; base-uri 'none'; form-action 'none'; "           \
    "frame-ancestors *"

/* What is served of a library: its folder under node_modules, and its name
 * under /pages/. */
#define LIBRARY_FILES 4
static const struct {
    const char *folder, *as;
    const char *file[LIBRARY_FILES];
} LIBRARY[] = {
    {"maplibre-gl/dist",
     "maplibre",
     {"maplibre-gl.mjs", "maplibre-gl-worker.mjs", "maplibre-gl-shared.mjs",
      "maplibre-gl.css"}},
    {"echarts/dist", "echarts", {"echarts.esm.min.mjs"}},
    {"leaflet/dist", "leaflet", {"leaflet.js", "leaflet.css"}},
};

static const struct {
    const char *ending, *type;
    bool compress, page;
} KIND[] = {
    {".html", "text/html; charset=utf-8", true, true},
    {".js", "text/javascript; charset=utf-8", true, false},
    {".mjs", "text/javascript; charset=utf-8", true, false},
    {".css", "text/css; charset=utf-8", true, false},
    {".svg", "image/svg+xml", true, false},
    {".png", "image/png", false, false},
    {".ico", "image/x-icon", false, false},
};
#define KINDS (sizeof KIND / sizeof *KIND)

/* Scripts that a page loads as one: packed together they are smaller by a
 * sixth, and a phone asks once. Remarks and blanks stay here. */
#define JOINED_PARTS 8
static const struct {
    const char *name;
    const char *part[JOINED_PARTS];
} JOINED[] = {
    {"community/page-zh.js",
     {"community/words.js", "community/chinese.js", "community/hours.js",
      "community/api.js", "community/matters.js", "community/view.js",
      "community/map.js", "community/app.js"}},
    {"community/page-en.js",
     {"community/words.js", "community/english.js", "community/hours.js",
      "community/api.js", "community/matters.js", "community/view.js",
      "community/map.js", "community/app.js"}},
};

struct file {
    char name[128];                   // below /pages/
    struct om__answer *plain, *gzip;  // gzip NULL: not smaller
};

struct om__files {
    size_t count;
    struct file file[FILES_MAX];
};

static size_t kind_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t i = 0;
    while (dot && i < KINDS && strcmp(KIND[i].ending, dot) != 0) i++;
    return dot ? i : KINDS;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

/* Takes the bytes. */
static om_status add_bytes(struct om_server *server, struct om__files *files,
                           struct om_buf *bytes, const char *name, bool library)
{
    const size_t kind = kind_of(name);
    om_status st = OM_OK;
    struct om_buf small = {0};
    if (kind == KINDS || files->count == FILES_MAX ||
        strlen(name) >= sizeof files->file->name)
        goto done;
    const struct om__head head = {
        .type = KIND[kind].type,
        .cache = library ? "public, max-age=86400" : "no-cache",
        .policy = !KIND[kind].page            ? NULL
                  : strcmp(name, FRAMED) != 0 ? PAGE_POLICY
                                              : FRAME_POLICY,
        .compress = KIND[kind].compress};
    struct om__request nobody = {.server = server};  // no route, no data
    struct file *file = &files->file[files->count];
    snprintf(file->name, sizeof file->name, "%s", name);
    struct om__lane *lane = om__lane(server);
    const bool smaller =
        head.compress && lane &&
        !(bytes->len <= PACK_BYTES_MAX ? om__gzip_once(bytes, &small)
                                       : om__gzip(lane, bytes, &small));
    if (smaller) st = om__answer_new(&nobody, &small, &head, true, &file->gzip);
    if (!st) st = om__answer_new(&nobody, bytes, &head, false, &file->plain);
    files->count++;  // what there is of it is freed with the rest
done:
    om_buf_deinit(bytes);
    om_buf_deinit(&small);
    return st;
}

static om_status add_file(struct om_server *server, struct om__files *files,
                          const char *path, const char *name, bool library,
                          struct om_err *err)
{
    struct om_buf bytes = {0};
    if (kind_of(name) == KINDS) return OM_OK;
    const om_status st = om_file_read(path, FILE_BYTES_MAX, &bytes, err);
    if (!st) return add_bytes(server, files, &bytes, name, library);
    om_buf_deinit(&bytes);
    return st;
}

/* A folder without one of the parts has no page that needs them. */
static om_status add_joined(struct om_server *server, struct om__files *files,
                            const char *folder, struct om_err *err)
{
    for (size_t i = 0; i < sizeof JOINED / sizeof *JOINED; i++) {
        struct om_buf all = {0};
        om_status st = OM_OK;
        bool whole = true;
        for (size_t p = 0; p < JOINED_PARTS && JOINED[i].part[p] && !st; p++) {
            char path[4096];
            struct om_buf one = {0};
            st = om_path_join(path, sizeof path, folder, JOINED[i].part[p]);
            whole = whole && om_file_exists(path);
            if (!st && whole)
                st = om_file_read(path, FILE_BYTES_MAX, &one, err);
            if (!st && whole)
                st = om__script_squeeze((const char *)one.bytes, one.len, &all);
            om_buf_deinit(&one);
        }
        if (!st && whole)
            st = add_bytes(server, files, &all, JOINED[i].name, false);
        else
            om_buf_deinit(&all);
        OM_TRY(st);
    }
    return OM_OK;
}

/* The files of a folder; `as` is its name below /pages/, "" for the pages'
 * own, whose folders are read too: one for each page. */
static om_status add_folder(struct om_server *server, struct om__files *files,
                            const char *folder, const char *as,
                            struct om_err *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return om_fail(err, OM_E_NOTFOUND, 0, "--pages %s: no such folder",
                       folder);
    om_status st = OM_OK;
    for (const struct dirent *entry; !st && (entry = readdir(dir));) {
        char path[4096], name[sizeof files->file->name];
        if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "node_modules"))
            continue;
        const int n = snprintf(name, sizeof name, "%s%s%s", as, *as ? "/" : "",
                               entry->d_name);
        st = om_path_join(path, sizeof path, folder, entry->d_name);
        if (st || n < 0 || (size_t)n >= sizeof name) continue;
        if (kind_of(name) != KINDS)
            st = add_file(server, files, path, name, false, err);
        else if (!*as && is_folder(path))
            st = add_folder(server, files, path, name, err);
    }
    closedir(dir);
    return st;
}

static om_status add_libraries(struct om_server *server,
                               struct om__files *files, const char *folder,
                               struct om_err *err)
{
    for (size_t i = 0; i < sizeof LIBRARY / sizeof *LIBRARY; i++)
        for (size_t f = 0; f < LIBRARY_FILES && LIBRARY[i].file[f]; f++) {
            char path[4096], name[128];
            const int n =
                snprintf(path, sizeof path, "%s/node_modules/%s/%s", folder,
                         LIBRARY[i].folder, LIBRARY[i].file[f]);
            if (n < 0 || (size_t)n >= sizeof path) return OM_E_LIMIT;
            snprintf(name, sizeof name, "%s/%s", LIBRARY[i].as,
                     LIBRARY[i].file[f]);
            if (!om_file_exists(path)) {
                om_log(OM_LOG_WARN, "http",
                       "%s is missing: the map will not show (npm install in "
                       "%s)",
                       path, folder);
                return OM_OK;
            }
            OM_TRY(add_file(server, files, path, name, true, err));
        }
    return OM_OK;
}

om_status om__files_new(struct om_server *server, const char *folder,
                        struct om__files **out, struct om_err *err)
{
    struct om__files *files = om_calloc(1, sizeof *files);
    if (!files) return OM_E_MEMORY;
    om_status st = OM_OK;
    if (!folder)
        om_log(OM_LOG_WARN, "http",
               "no folder of pages was found, none are served: name it with "
               "--pages FOLDER");
    if (folder) st = add_folder(server, files, folder, "", err);
    if (!st && folder) st = add_joined(server, files, folder, err);
    if (!st && folder) st = add_libraries(server, files, folder, err);
    if (st)
        om__files_free(files);
    else
        *out = files;
    return st;
}

void om__files_free(struct om__files *files)
{
    if (!files) return;
    for (size_t i = 0; i < files->count; i++) {
        om__answer_unref(files->file[i].plain);
        om__answer_unref(files->file[i].gzip);
    }
    om_free(files);
}

static const struct file *find_file(const struct om__request *r,
                                    const char *name)
{
    const struct om__files *files = r->server->files;
    for (size_t i = 0; i < files->count; i++)
        if (!strcmp(files->file[i].name, name)) return &files->file[i];
    return NULL;
}

static om_status send_file(struct om__request *r, const char *name)
{
    const struct file *file = find_file(r, name);
    if (!file)
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is no such file");
    struct om__answer *answer =
        r->gzip && file->gzip ? file->gzip : file->plain;
    atomic_fetch_add(&answer->refs, 1);
    // An answer to several routes: the metrics are of the one asked for.
    const struct om__route *route = r->route;
    om__reply_answer_take(r, answer);
    r->route = route;
    return OM_OK;
}

om_status om__get_file(struct om__request *r)
{
    char name[sizeof((struct file *)0)->name];
    const struct om_address *a = &r->address;
    const int n = snprintf(name, sizeof name, "%s%s%s", a->segment[1],
                           a->segments > 2 ? "/" : "",
                           a->segments > 2 ? a->segment[2] : "");
    if (n < 0 || (size_t)n >= sizeof name)
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is no such file");
    return send_file(r, name);
}

om_status om__get_page(struct om__request *r)
{
    char name[sizeof((struct file *)0)->name];
    const struct om_address *a = &r->address;
    if (!a->segments) return send_file(r, "index.html");
    // A page with files of its own has a folder.
    snprintf(name, sizeof name, "%s/index.html", a->segment[0]);
    if (!find_file(r, name))
        snprintf(name, sizeof name, "%s.html", a->segment[0]);
    return send_file(r, name);
}

om_status om__get_embed(struct om__request *r)
{
    return send_file(r, FRAMED);
}

om_status om__get_embed_script(struct om__request *r)
{
    return send_file(r, "community/embed.js");
}
