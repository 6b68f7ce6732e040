// file_write.c - write a layer file: stretches on all cores, tables at last.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/limits.h"
#include "data/base/thread.h"
#include "engine/layer/file_internal.h"

/* Bytes that one thread makes, hashes and writes at a time: large enough for
 * few calls, small enough to stay in its cache. */
#define STRETCH_BYTES (1u << 20)
/* Bytes that are on their way to the disk at a time: some 20 ms of it. */
#define AHEAD_BYTES ((uint64_t)4 << 20)
/* A file in memory is never mapped: its sections begin where a cache line
 * does. */
#define MEMORY_BLOCK_BYTES 64
/* Its room to begin with: some dozen columns of some dozen rows. */
#define MEMORY_ROOM ((size_t)64 * 1024)

_Static_assert(sizeof((struct om__writer *)0)->stretch / sizeof(uint8_t *) ==
                   OM_LIMIT_THREADS,
               "one stretch a thread");

static om_status fail_write(const struct om__writer *writer, int error,
                            struct om_err *err)
{
    return om_fail(err, OM_E_IO, 0, "cannot write %s: %s", writer->path,
                   strerror(error));
}

om_status om__writer_open(struct om__writer *writer, const char *path,
                          enum om__file_kind kind, size_t block_bytes,
                          size_t max_sections, struct om_err *err)
{
    if (block_bytes == 0)
        block_bytes = path ? OM__FILE_BLOCK_BYTES : MEMORY_BLOCK_BYTES;
    *writer =
        (struct om__writer){.fd = -1, .kind = kind, .block_bytes = block_bytes};
    if (max_sections > OM__FILE_SECTIONS)
        return om_fail(err, OM_E_LIMIT, 0, "%s: too many columns",
                       path ? path : OM__IN_MEMORY);
    const size_t header_bytes = sizeof(struct om__file_header) +
                                max_sections * sizeof(struct om__section);
    writer->max_sections = max_sections;
    writer->header_blocks = (header_bytes + block_bytes - 1) / block_bytes;
    writer->offset = writer->header_blocks * block_bytes;
    writer->path = om_strdup(path ? path : OM__IN_MEMORY);
    writer->section = om_calloc(max_sections, sizeof *writer->section);
    if (!path) {
        writer->memory_room = writer->offset + MEMORY_ROOM;
        writer->memory = om_alloc(writer->memory_room);
    }
    if (!writer->path || !writer->section || (!path && !writer->memory))
        return om_fail(err, OM_E_MEMORY, 0, "%s: no memory",
                       path ? path : OM__IN_MEMORY);
    if (!path) return OM_OK;
    // Whoever has the old file mapped keeps it: a new one takes its name.
    unlink(path);
    writer->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return writer->fd < 0 ? fail_write(writer, errno, err) : OM_OK;
}

static om_status write_at(const struct om__writer *writer, const void *bytes,
                          size_t len, uint64_t offset, int *error)
{
    if (om_fd_pwrite(writer->fd, bytes, len, offset, writer->path, NULL)) {
        *error = errno;
        return OM_E_IO;
    }
    // On its way to the disk at once, and not all of it at the end: then every
    // other sync of the disk (a journal's) would wait for hundreds of MB. Only
    // a hint: what fails here is found by the sync.
    (void)sync_file_range(writer->fd, (off_t)offset, (off_t)len,
                          SYNC_FILE_RANGE_WRITE);
    // And never more on its way than AHEAD_BYTES. What has failed is told here
    // and then not again.
    if (offset >= AHEAD_BYTES &&
        sync_file_range(writer->fd, (off_t)(offset - AHEAD_BYTES), (off_t)len,
                        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                            SYNC_FILE_RANGE_WAIT_AFTER) &&
        (errno == EIO || errno == ENOSPC || errno == EDQUOT)) {
        *error = errno;
        return OM_E_IO;
    }
    return OM_OK;
}

/* What a section of a file in memory is made into. */
struct memory_job {
    om__fill_fn *fill;
    void *ctx;
    uint8_t *at;
};

static om_status fill_memory(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    const struct memory_job *job = ctx;
    return job->fill(job->ctx, first, end, job->at + first);
}

static om_status make_section(struct om__writer *writer, size_t bytes,
                              size_t padded, om__fill_fn *fill, void *ctx)
{
    if (padded < bytes || padded > SIZE_MAX / 4) return OM_E_MEMORY;
    const size_t end = (size_t)writer->offset + padded;
    if (end > writer->memory_room) {
        const size_t room = 2 * end;
        uint8_t *grown = om_realloc(writer->memory, room);
        if (!grown) return OM_E_MEMORY;
        writer->memory = grown;
        writer->memory_room = room;
    }
    struct memory_job job = {fill, ctx, writer->memory + writer->offset};
    memset(job.at + bytes, 0, padded - bytes);
    return om_parallel(bytes, STRETCH_BYTES, fill_memory, &job);
}

struct section_job {
    struct om__writer *writer;
    om__fill_fn *fill;
    void *ctx;
    size_t bytes;
    size_t first_block;
    _Atomic int error;  // errno of a failed write
};

static om_status write_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    struct section_job *job = ctx;
    struct om__writer *writer = job->writer;
    uint8_t *stretch = writer->stretch[lane];
    const size_t block_bytes = writer->block_bytes;
    OM_TRY(job->fill(job->ctx, first, end, stretch));
    size_t len = end - first;
    const size_t blocks = (len + block_bytes - 1) / block_bytes;
    memset(stretch + len, 0, blocks * block_bytes - len);
    len = blocks * block_bytes;
    for (size_t i = 0; i < blocks; i++) {
        const size_t block = job->first_block + first / block_bytes + i;
        writer->check[block] =
            om_hash64(stretch + i * block_bytes, block_bytes, block);
    }
    int error = 0;
    const om_status st =
        write_at(writer, stretch, len, writer->offset + first, &error);
    if (st) job->error = error;
    return st;
}

/* Room for the checksums of the next section and for every thread's bytes. */
static om_status make_room(struct om__writer *writer, size_t blocks)
{
    if (blocks > writer->check_room) {
        const size_t room = blocks + blocks / 2;
        uint64_t *grown =
            om_realloc(writer->check, room * sizeof *writer->check);
        if (!grown) return OM_E_MEMORY;
        writer->check = grown;
        writer->check_room = room;
    }
    const size_t lanes = om_threads();
    for (size_t i = 0; i < lanes; i++) {
        if (writer->stretch[i]) continue;
        writer->stretch[i] = om_alloc(STRETCH_BYTES);
        if (!writer->stretch[i]) return OM_E_MEMORY;
    }
    return OM_OK;
}

static void note_section(struct om__writer *writer, enum om__section_kind kind,
                         size_t number, size_t bytes, size_t padded)
{
    writer->section[writer->sections++] =
        (struct om__section){.kind = (uint32_t)kind,
                             .number = (uint32_t)number,
                             .offset = writer->offset,
                             .bytes = bytes};
    writer->offset += padded;
}

om_status om__writer_section(struct om__writer *writer,
                             enum om__section_kind kind, size_t number,
                             size_t bytes, om__fill_fn *fill, void *ctx,
                             struct om_err *err)
{
    if (writer->sections >= writer->max_sections)
        return om_fail(err, OM_E_INTERNAL, 0, "%s: too many sections",
                       writer->path);
    if (writer->memory) {
        const size_t padded = (bytes + writer->block_bytes - 1) /
                              writer->block_bytes * writer->block_bytes;
        const om_status made = make_section(writer, bytes, padded, fill, ctx);
        if (made)
            return om_fail(err, made, 0, "%s: %s: %s", writer->path,
                           om__section_name(kind), om_status_text(made));
        note_section(writer, kind, number, bytes, padded);
        return OM_OK;
    }
    const size_t first_block =
        (size_t)(writer->offset / writer->block_bytes) - writer->header_blocks;
    const size_t blocks =
        (bytes + writer->block_bytes - 1) / writer->block_bytes;
    if (make_room(writer, first_block + blocks))
        return om_fail(err, OM_E_MEMORY, 0, "%s: no memory", writer->path);
    struct section_job job = {.writer = writer,
                              .fill = fill,
                              .ctx = ctx,
                              .bytes = bytes,
                              .first_block = first_block};
    const om_status st = om_parallel(bytes, STRETCH_BYTES, write_stretch, &job);
    if (st == OM_E_IO && job.error) return fail_write(writer, job.error, err);
    if (st)
        return om_fail(err, st, 0, "%s: %s: %s", writer->path,
                       om__section_name(kind), om_status_text(st));
    // Let the disk begin: the sync at the end then has little left to wait for.
    sync_file_range(writer->fd, (off_t)writer->offset,
                    (off_t)(blocks * writer->block_bytes),
                    SYNC_FILE_RANGE_WRITE);
    note_section(writer, kind, number, bytes, blocks * writer->block_bytes);
    return OM_OK;
}

static om_status fill_from_memory(void *ctx, size_t from, size_t to, void *out)
{
    const uint8_t *const *bytes = ctx;
    memcpy(out, *bytes + from, to - from);
    return OM_OK;
}

om_status om__writer_bytes(struct om__writer *writer,
                           enum om__section_kind kind, size_t number,
                           const void *bytes, size_t len, struct om_err *err)
{
    const uint8_t *at = bytes;
    return om__writer_section(writer, kind, number, len, fill_from_memory, &at,
                              err);
}

/* Header and table of sections, sealed, into `header`. */
static void make_header(struct om__writer *writer, uint8_t *header, size_t len,
                        size_t blocks)
{
    struct om__file_header h = {
        .magic = OM__FILE_MAGIC,
        .version = OM__FILE_VERSION,
        .order = OM__FILE_ORDER,
        .kind = (uint32_t)writer->kind,
        .sections = (uint32_t)writer->sections,
        .block_bytes = (uint32_t)writer->block_bytes,
        .header_blocks = (uint32_t)writer->header_blocks,
        .blocks = blocks,
        .table_check =
            om_hash64(writer->check, blocks * sizeof *writer->check, 0)};
    memcpy(header, &h, sizeof h);
    memcpy(header + sizeof h, writer->section,
           writer->sections * sizeof *writer->section);
    h.header_check = om__file_header_check(header, len);
    memcpy(header, &h, sizeof h);
    writer->identity = h.header_check;
}

static om_status sync_folder_of(const char *path, struct om_err *err)
{
    char *folder = om_strdup(path);
    if (!folder) return om_fail(err, OM_E_MEMORY, 0, "%s: no memory", path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder ? 1 : 0] = '\0';
    const om_status st = om_folder_sync(slash ? folder : ".", err);
    om_free(folder);
    return st;
}

/* Every file in memory is one of its own: unit files are told apart by it. */
static _Atomic uint64_t last_memory;

static om_status finish_memory(struct om__writer *writer)
{
    const size_t header_bytes = writer->header_blocks * writer->block_bytes;
    const uint64_t own = atomic_fetch_add(&last_memory, 1) + 1;
    const struct om__file_header h = {
        .magic = OM__FILE_MAGIC,
        .version = OM__FILE_VERSION,
        .order = OM__FILE_ORDER,
        .kind = (uint32_t)writer->kind,
        .sections = (uint32_t)writer->sections,
        .block_bytes = (uint32_t)writer->block_bytes,
        .header_blocks = (uint32_t)writer->header_blocks,
        .header_check = om_hash64(&own, sizeof own, 0)};
    memset(writer->memory, 0, header_bytes);
    memcpy(writer->memory, &h, sizeof h);
    memcpy(writer->memory + sizeof h, writer->section,
           writer->sections * sizeof *writer->section);
    writer->identity = h.header_check;
    // What is left of the room goes back.
    uint8_t *cut = om_realloc(writer->memory, (size_t)writer->offset);
    if (!cut) return OM_E_MEMORY;
    writer->memory = cut;
    return OM_OK;
}

om_status om__writer_take(struct om__writer *writer, struct om__file *out)
{
    *out = (struct om__file){0};
    out->seen = om_calloc(1, sizeof *out->seen);
    if (!out->seen) return OM_E_MEMORY;
    atomic_store(&out->seen[0], ~UINT64_C(0));
    // All of it is one block, and that was seen.
    out->block_shift = 63;
    out->memory = writer->memory;
    out->map = (struct om_map){out->memory, (size_t)writer->offset};
    out->header = (const void *)out->memory;
    out->section = (const void *)(out->memory + sizeof *out->header);
    writer->memory = NULL;
    return OM_OK;
}

om_status om__writer_finish(struct om__writer *writer, struct om_err *err)
{
    if (writer->memory) return finish_memory(writer);
    const size_t header_bytes = writer->header_blocks * writer->block_bytes;
    const size_t blocks =
        (size_t)(writer->offset / writer->block_bytes) - writer->header_blocks;
    int error = 0;
    om_status st = OM_OK;
    uint8_t *header = om_calloc(1, header_bytes);
    if (!header) {
        st = om_fail(err, OM_E_MEMORY, 0, "%s: no memory", writer->path);
        goto done;
    }
    make_header(writer, header, header_bytes, blocks);
    st = write_at(writer, writer->check, blocks * sizeof *writer->check,
                  writer->offset, &error);
    if (!st) st = write_at(writer, header, header_bytes, 0, &error);
    if (st) {
        st = fail_write(writer, error, err);
        goto done;
    }
    st = om_file_sync(writer->fd, writer->path, err);
    if (st) goto done;
    const int closed = close(writer->fd);
    writer->fd = -1;
    st = closed ? fail_write(writer, errno, err)
                : sync_folder_of(writer->path, err);
    if (st) unlink(writer->path);
done:
    om_free(header);
    return st;
}

void om__writer_deinit(struct om__writer *writer)
{
    if (writer->path && writer->fd >= 0) {
        close(writer->fd);
        unlink(writer->path);
    }
    for (size_t i = 0; i < OM_LIMIT_THREADS; i++) om_free(writer->stretch[i]);
    om_free(writer->memory);
    om_free(writer->check);
    om_free(writer->section);
    om_free(writer->path);
    *writer = (struct om__writer){.fd = -1};
}
