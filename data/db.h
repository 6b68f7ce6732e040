// db.h - SQLite behind a door: one connection, prepared statements.
#ifndef OM_DATA_DB_H
#define OM_DATA_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/base/status.h"

/* One connection to one file. threads: one at a time. */
struct om_db;
/* A prepared statement; finish it before its connection closes. */
struct om_db_row;

enum om_db_mode {
    OM_DB_READ,  // never makes a checkpoint either
    OM_DB_WRITE,
    OM_DB_CREATE,
    OM_DB_FROZEN,  // read a file that nobody writes, on a disk that takes none
};

/** Open a database file. CREATE makes it if it is not there. returns OM_E_IO
 *  (cannot be opened; err says why), OM_E_MEMORY. owns: *out, om_db_close. */
om_status om_db_open(const char *path, enum om_db_mode mode, struct om_db **out,
                     struct om_err *err) OM_MUST_USE;
/** Close; NULL is fine. What was not committed is gone. */
void om_db_close(struct om_db *db);
/** Run statements that give no rows. */
om_status om_db_run(struct om_db *db, const char *sql,
                    struct om_err *err) OM_MUST_USE;

/** What the last thing that failed on this connection failed of. */
enum om_db_cause {
    OM_DB_OTHER,
    OM_DB_FULL,      // no room on the disk: it can be tried again
    OM_DB_READONLY,  // the file, its folder or the disk takes no writes
    OM_DB_DISK,      // reading, writing or syncing failed
};
enum om_db_cause om_db_cause(struct om_db *db);
/** The file can only be read, whatever was asked for. */
bool om_db_readonly(struct om_db *db);
/** Move the write-ahead log into the file as far as no reader needs it;
 *  *left: pages that are still only in the log. */
om_status om_db_checkpoint(struct om_db *db, int *left,
                           struct om_err *err) OM_MUST_USE;
/** Whether closing leaves the log as it is, instead of moving it into the file
 *  when nobody else has it open. READ always leaves it. */
void om_db_keep_log(struct om_db *db, bool keep);
/** A copy of the database as it is now into a new file, synced. */
om_status om_db_copy(struct om_db *db, const char *path,
                     struct om_err *err) OM_MUST_USE;

/** Prepare one statement. owns: *out, om_db_finish. */
om_status om_db_prepare(struct om_db *db, const char *sql,
                        struct om_db_row **out, struct om_err *err) OM_MUST_USE;
void om_db_finish(struct om_db_row *row);
/** Give parameter `i`, from 1, a value. Bytes and texts are borrowed until the
 *  statement is reset; a text NULL is NULL. */
om_status om_db_set_integer(struct om_db_row *row, int i,
                            int64_t value) OM_MUST_USE;
om_status om_db_set_null(struct om_db_row *row, int i) OM_MUST_USE;
om_status om_db_set_text(struct om_db_row *row, int i, const char *text,
                         size_t len) OM_MUST_USE;
om_status om_db_set_bytes(struct om_db_row *row, int i, const void *bytes,
                          size_t len) OM_MUST_USE;
/** Run to the next row; *more false: there is none and the statement is reset,
 *  ready for other parameters. */
om_status om_db_step(struct om_db_row *row, bool *more,
                     struct om_err *err) OM_MUST_USE;
/** Run a statement that gives no rows, and reset it. */
om_status om_db_do(struct om_db_row *row, struct om_err *err) OM_MUST_USE;
void om_db_reset(struct om_db_row *row);
/** Column `i`, from 0, of the row at hand. Borrowed until the next step. */
int64_t om_db_integer(struct om_db_row *row, int i);
bool om_db_is_null(struct om_db_row *row, int i);
const char *om_db_text(struct om_db_row *row, int i, size_t *len);
const void *om_db_bytes(struct om_db_row *row, int i, size_t *len);

#endif
