// archive.c - one face of both formats: names, order, and the last rename.
#include "tiles/archive/archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "tiles/archive/archive_internal.h"
#include "tiles/archive/tile_id.h"

struct om_archive {
    const struct om__archive_writer *writer;
    const struct om_archive_about *about;
    void *self;
    char path[OM_ARCHIVE_PATH_BYTES], part[OM_ARCHIVE_PATH_BYTES];
    uint64_t next;  // smallest id that may come
};

bool om_archive_format_of(const char *path, enum om_archive_format *out)
{
    static const char *const ENDING[] = {".pmtiles", ".mbtiles"};
    const size_t len = strlen(path);
    for (int i = 0; i < 2; i++) {
        const size_t n = strlen(ENDING[i]);
        if (len > n && !strcmp(path + len - n, ENDING[i])) {
            *out = (enum om_archive_format)i;
            return true;
        }
    }
    return false;
}

om_status om_archive_open(const char *path, enum om_archive_format format,
                          const struct om_archive_about *about,
                          struct om_archive **out, uint64_t *resume,
                          struct om_err *err)
{
    struct om_archive *a = om_calloc(1, sizeof *a);
    if (!a) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    *resume = 0;
    a->writer = format == OM_ARCHIVE_PMTILES ? &om__pmtiles_writer
                                             : &om__mbtiles_writer;
    a->about = about;
    om_status st = OM_OK;
    // Room for what is put behind the name: .part, .log.
    if (strlen(path) + 16 > sizeof a->part)
        st = om_fail(err, OM_E_LIMIT, 0, "path too long");
    if (!st) {
        snprintf(a->path, sizeof a->path, "%s", path);
        snprintf(a->part, sizeof a->part, "%.*s.part",
                 (int)(sizeof a->part - 16), path);
        st = a->writer->open(a->part, about, &a->self, resume, err);
    }
    if (st) {
        om_archive_free(a);
        return st;
    }
    a->next = *resume;
    *out = a;
    return OM_OK;
}

/* What failed without a word of its own gets the code's. */
static om_status told(om_status st, struct om_err *err)
{
    if (st && err && !err->text[0])
        om_fail(err, st, 0, "%s", om_status_text(st));
    return st;
}

om_status om_archive_add(struct om_archive *a, uint64_t id, const void *bytes,
                         size_t len, struct om_err *err)
{
    if (id < a->next)
        return om_fail(err, OM_E_RANGE, 0, "tiles come by rising id");
    if (!len) return OM_OK;  // nothing there is no tile
    OM_TRY(told(a->writer->add(a->self, id, bytes, len, err), err));
    a->next = id + 1;
    return OM_OK;
}

om_status om_archive_keep(struct om_archive *a, uint64_t id, struct om_err *err)
{
    OM_TRY(told(a->writer->keep(a->self, id, err), err));
    if (id >= a->next) a->next = id + 1;
    return OM_OK;
}

om_status om_archive_finish(struct om_archive *a, struct om_err *err)
{
    char beside[OM_ARCHIVE_PATH_BYTES + 16];
    OM_TRY(told(a->writer->finish(a->self, a->about, err), err));
    a->writer->close(a->self);
    a->self = NULL;
    if (rename(a->part, a->path))
        return om_fail(err, OM_E_IO, 0, "%s: %s", a->path, strerror(errno));
    for (const char *const *ending = a->writer->beside; *ending; ending++) {
        snprintf(beside, sizeof beside, "%s%s", a->part, *ending);
        unlink(beside);
    }
    return OM_OK;
}

struct om_archive_stats om_archive_stats(const struct om_archive *a)
{
    return a->self ? a->writer->stats(a->self) : (struct om_archive_stats){0};
}

void om_archive_free(struct om_archive *a)
{
    if (!a) return;
    if (a->self) a->writer->close(a->self);
    om_free(a);
}
