// file.h - files as a whole: map one, write one so that it is there or not.
#ifndef OM_DATA_BASE_FILE_H
#define OM_DATA_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/buf.h"
#include "data/base/status.h"

/* A file mapped for reading. Zero is a valid closed one. */
struct om_map {
    const uint8_t *bytes;
    size_t len;
};

/** Map a file read-only. An empty file maps to len 0. returns OM_E_NOTFOUND,
 *  OM_E_IO, OM_E_MEMORY. */
om_status om_map_open(struct om_map *map, const char *path,
                      struct om_err *err) OM_MUST_USE;
/** Give the mapping back; a closed one is fine. */
void om_map_close(struct om_map *map);

/** Read a whole file of at most `max` bytes into `out`. */
om_status om_file_read(const char *path, size_t max, struct om_buf *out,
                       struct om_err *err) OM_MUST_USE;
/**
 * Write `path` so that after a crash it holds the old bytes or the new ones:
 * to a temporary name, fsync, rename, fsync of the folder.
 */
om_status om_file_write_whole(const char *path, const void *bytes, size_t len,
                              struct om_err *err) OM_MUST_USE;
/** The same, for nobody else to read (mode 0600). */
om_status om_file_write_private(const char *path, const void *bytes, size_t len,
                                struct om_err *err) OM_MUST_USE;
/** Give a file that is synced its name, in place of what has it, and sync the
 *  folder. */
om_status om_file_rename(const char *from, const char *to,
                         struct om_err *err) OM_MUST_USE;
/** fsync an open descriptor's file; `path` is for the message. */
om_status om_file_sync(int fd, const char *path,
                       struct om_err *err) OM_MUST_USE;
/** fsync a folder, so that names made in it survive a crash. */
om_status om_folder_sync(const char *path, struct om_err *err) OM_MUST_USE;
/** Create a folder and what is missing above it; fine if it is there. */
om_status om_folder_make(const char *path, struct om_err *err) OM_MUST_USE;
/** The same, but nobody else may enter the folder that is created (0700), only
 *  those above it. */
om_status om_folder_make_private(const char *path,
                                 struct om_err *err) OM_MUST_USE;
/** Is there anything of that name? */
bool om_file_exists(const char *path);
/** Write all of it, whatever write() returns in between. */
om_status om_fd_write(int fd, const void *bytes, size_t len, const char *path,
                      struct om_err *err) OM_MUST_USE;
/** The same at an offset; errno says why it failed. threads: any, on parts that
 *  do not overlap. */
om_status om_fd_pwrite(int fd, const void *bytes, size_t len, uint64_t offset,
                       const char *path, struct om_err *err) OM_MUST_USE;
/** "folder/name" into out [room]. returns OM_E_LIMIT if it does not fit. */
om_status om_path_join(char *out, size_t room, const char *folder,
                       const char *name) OM_MUST_USE;

enum om_file_call { OM_FILE_WRITE, OM_FILE_SYNC, OM_FILE_RENAME };
/**
 * Test hook: make call number `countdown` of its kind from now (1: the next)
 * fail with errno `error`, and every one after it when `sticky`. error 0 of a
 * write: half of it is written and nothing said. countdown 0 switches it off.
 * threads: set while no other thread writes.
 */
void om_file_fail_after(enum om_file_call call, size_t countdown, int error,
                        bool sticky);
/** Calls of this kind so far, so that a test knows how many can fail. */
size_t om_file_calls(enum om_file_call call);

#endif
