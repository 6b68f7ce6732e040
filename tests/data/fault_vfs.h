// fault_vfs.h - a disk below SQLite that fails when it is told to.
#ifndef OM_TESTS_DATA_FAULT_VFS_H
#define OM_TESTS_DATA_FAULT_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A layer over SQLite's own files, which becomes the default for what is
 * opened afterwards. Calls that change a disk are counted; one of them, or it
 * and all after it, fails as told. With `crash`, the machine loses its power
 * there: of what was written since the last sync of each file any part is not
 * on the disk, in stretches of 512 bytes, and the process ends. */
enum fault_kind { FAULT_WRITE, FAULT_SYNC, FAULT_KINDS };

#define FAULT_SECTOR 512
#define FAULT_CRASHED 99  // exit status

struct fault_undo {
    char path[512];
    int64_t offset;
    unsigned len;  // at most a sector
    uint8_t bytes[FAULT_SECTOR];
    struct fault_undo *older;
};

static struct {
    unsigned calls[FAULT_KINDS];
    unsigned at[FAULT_KINDS];  // 0: never
    int code[FAULT_KINDS];     // what SQLite is told
    bool sticky, half;         // half: a part of the bytes is written before
    bool crash;
    uint64_t dice;
    struct fault_undo *undo;  // newest first
    sqlite3_vfs own;
    sqlite3_vfs *below;
} fault;

struct fault_file {
    sqlite3_file base;
    const char *path;  // SQLite keeps it as long as the file is open
    sqlite3_file *below;
};

static inline uint64_t fault_random(void)
{
    fault.dice ^= fault.dice << 13;
    fault.dice ^= fault.dice >> 7;
    return fault.dice ^= fault.dice << 17;
}

/* The power is gone: sectors that were not synced go back to what they were,
 * each or not, newest first, so that an older state may be under a newer. */
static inline void fault_crash(void)
{
    for (struct fault_undo *u = fault.undo; u; u = u->older) {
        if (fault_random() % 3 == 0) continue;
        FILE *file = fopen(u->path, "r+b");
        if (!file) continue;
        fseek(file, u->offset, SEEK_SET);
        fwrite(u->bytes, 1, u->len, file);  // zeros where nothing was
        fclose(file);
    }
    _exit(FAULT_CRASHED);
}

static inline bool fault_now(enum fault_kind kind)
{
    const unsigned call = ++fault.calls[kind];
    if (!fault.at[kind] || call < fault.at[kind]) return false;
    return call == fault.at[kind] || fault.sticky;
}

static inline sqlite3_file *fault_below(sqlite3_file *file)
{
    return ((struct fault_file *)file)->below;
}

static inline int fault_close(sqlite3_file *file)
{
    sqlite3_file *below = fault_below(file);
    const int code = below->pMethods ? below->pMethods->xClose(below) : 0;
    sqlite3_free(below);
    return code;
}

static inline int fault_read(sqlite3_file *file, void *out, int n,
                             sqlite3_int64 at)
{
    sqlite3_file *f = fault_below(file);
    return f->pMethods->xRead(f, out, n, at);
}

/* What the bytes of a write were before it, a note for each sector. */
static inline void fault_note(struct fault_file *f, int n, sqlite3_int64 at)
{
    for (sqlite3_int64 from = at; from < at + n;) {
        sqlite3_int64 to = (from / FAULT_SECTOR + 1) * FAULT_SECTOR;
        if (to > at + n) to = at + n;
        struct fault_undo *u = calloc(1, sizeof *u);
        if (!u) abort();
        snprintf(u->path, sizeof u->path, "%s", f->path);
        u->offset = from;
        u->len = (unsigned)(to - from);
        // A short read fills up with zeros.
        f->below->pMethods->xRead(f->below, u->bytes, (int)u->len, from);
        u->older = fault.undo;
        fault.undo = u;
        from = to;
    }
}

static inline int fault_write(sqlite3_file *file, const void *bytes, int n,
                              sqlite3_int64 at)
{
    struct fault_file *f = (struct fault_file *)file;
    sqlite3_file *below = f->below;
    const bool now = fault_now(FAULT_WRITE);
    if (fault.crash) {
        if (now && fault.half) below->pMethods->xWrite(below, bytes, n / 2, at);
        if (now) fault_crash();
        fault_note(f, n, at);
    }
    if (now && fault.half) below->pMethods->xWrite(below, bytes, n / 2, at);
    if (now) return fault.code[FAULT_WRITE];
    return below->pMethods->xWrite(below, bytes, n, at);
}

static inline int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *f = fault_below(file);
    if (fault_now(FAULT_WRITE)) {
        if (fault.crash) fault_crash();
        return fault.code[FAULT_WRITE];
    }
    return f->pMethods->xTruncate(f, size);
}

static inline int fault_sync(sqlite3_file *file, int flags)
{
    struct fault_file *f = (struct fault_file *)file;
    if (fault_now(FAULT_SYNC)) {
        if (fault.crash) fault_crash();
        return fault.code[FAULT_SYNC];
    }
    for (struct fault_undo **u = &fault.undo; *u;) {
        struct fault_undo *old = *u;
        if (strcmp(old->path, f->path) != 0) {
            u = &old->older;
            continue;
        }
        *u = old->older;
        free(old);
    }
    return f->below->pMethods->xSync(f->below, flags);
}

#define FAULT_PASS(name, type, list, ...)              \
    static inline int fault_##name list                \
    {                                                  \
        sqlite3_file *f = fault_below(file);           \
        return f->pMethods->x##type(f, __VA_ARGS__); \
    }
FAULT_PASS(size, FileSize, (sqlite3_file * file, sqlite3_int64 *out), out)
FAULT_PASS(lock, Lock, (sqlite3_file * file, int how), how)
FAULT_PASS(unlock, Unlock, (sqlite3_file * file, int how), how)
FAULT_PASS(reserved, CheckReservedLock, (sqlite3_file * file, int *out), out)
FAULT_PASS(control, FileControl, (sqlite3_file * file, int op, void *arg), op,
           arg)
FAULT_PASS(shm_map, ShmMap,
           (sqlite3_file * file, int page, int size, int extend,
            void volatile **out),
           page, size, extend, out)
FAULT_PASS(shm_lock, ShmLock,
           (sqlite3_file * file, int offset, int n, int flags), offset, n,
           flags)
FAULT_PASS(shm_unmap, ShmUnmap, (sqlite3_file * file, int remove), remove)

static inline int fault_sector_size(sqlite3_file *file)
{
    (void)file;
    return FAULT_SECTOR;
}
static inline int fault_device(sqlite3_file *file)
{
    (void)file;
    return 0;  // nothing is promised
}
static inline void fault_shm_barrier(sqlite3_file *file)
{
    sqlite3_file *f = fault_below(file);
    f->pMethods->xShmBarrier(f);
}

static const sqlite3_io_methods FAULT_METHODS = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_reserved,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector_size,
    .xDeviceCharacteristics = fault_device,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static inline int fault_open(sqlite3_vfs *vfs, const char *name,
                             sqlite3_file *file, int flags, int *out)
{
    struct fault_file *f = (struct fault_file *)file;
    (void)vfs;
    f->base.pMethods = NULL;
    f->path = name ? name : "";
    f->below = sqlite3_malloc(fault.below->szOsFile);
    if (!f->below) return SQLITE_NOMEM;
    memset(f->below, 0, (size_t)fault.below->szOsFile);
    const int code =
        fault.below->xOpen(fault.below, name, f->below, flags, out);
    if (code != SQLITE_OK) {
        sqlite3_free(f->below);
        return code;
    }
    f->base.pMethods = &FAULT_METHODS;
    return SQLITE_OK;
}

/** Put the layer below everything that is opened from now on. */
static inline void fault_begin(void)
{
    memset(&fault, 0, sizeof fault);
    fault.below = sqlite3_vfs_find(NULL);
    fault.own = *fault.below;
    fault.own.zName = "fault";
    fault.own.pNext = NULL;
    fault.own.szOsFile = (int)sizeof(struct fault_file);
    fault.own.xOpen = fault_open;
    fault.dice = 1;
    sqlite3_vfs_register(&fault.own, 1);
}

/** Take it away again; what was opened with it must be closed. */
static inline void fault_end(void)
{
    sqlite3_vfs_unregister(&fault.own);
    sqlite3_vfs_register(fault.below, 1);
    while (fault.undo) {
        struct fault_undo *u = fault.undo;
        fault.undo = u->older;
        free(u);
    }
}

/** Let call number `countdown` of a kind from now fail with `code`. */
static inline void fault_set(enum fault_kind kind, unsigned countdown, int code,
                             bool sticky, bool half)
{
    fault.at[kind] = countdown ? fault.calls[kind] + countdown : 0;
    fault.code[kind] = code;
    fault.sticky = sticky;
    fault.half = half;
}

#endif
