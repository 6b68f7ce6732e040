// db.c - the only file that knows SQLite.
#include "data/db.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds that a statement waits for another process. */
#define BUSY_MS 5000
#define PATH_BYTES 4096

static struct sqlite3 *in(struct om_db *db)
{
    return (struct sqlite3 *)db;
}

static struct sqlite3_stmt *in_row(struct om_db_row *row)
{
    return (struct sqlite3_stmt *)row;
}

static om_status status_of(int code)
{
    switch (code & 0xff) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE:
            return OM_OK;
        case SQLITE_NOMEM:
            return OM_E_MEMORY;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return OM_E_BUSY;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return OM_E_DAMAGED;
        case SQLITE_TOOBIG:
            return OM_E_LIMIT;
        case SQLITE_CONSTRAINT:
            return OM_E_EXISTS;
        case SQLITE_MISUSE:
        case SQLITE_RANGE:
        case SQLITE_ERROR:
            return OM_E_INTERNAL;
        default:
            return OM_E_IO;
    }
}

static om_status fail(struct sqlite3 *db, int code, struct om_err *err)
{
    const om_status st = status_of(code);
    const char *file = db ? sqlite3_db_filename(db, "main") : NULL;
    if (!st) return OM_OK;
    return om_fail(err, st, 0, "%s%s%s", file ? file : "", file ? ": " : "",
                   db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

/* file:PATH?immutable=1, with what means something in an address escaped. */
static bool frozen_name(const char *path, char *out, size_t room)
{
    size_t n = (size_t)snprintf(out, room, "file:");
    for (; *path && n + 4 < room; path++)
        n += (size_t)snprintf(out + n, room - n,
                              strchr("%?#", *path) ? "%%%02X" : "%c",
                              (unsigned char)*path);
    return !*path &&
           (size_t)snprintf(out + n, room - n, "?immutable=1") < room - n;
}

om_status om_db_open(const char *path, enum om_db_mode mode, struct om_db **out,
                     struct om_err *err)
{
    static const int FLAGS[] = {SQLITE_OPEN_READONLY, SQLITE_OPEN_READWRITE,
                                SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                SQLITE_OPEN_READONLY | SQLITE_OPEN_URI};
    struct sqlite3 *db = NULL;
    char name[PATH_BYTES];
    if (mode == OM_DB_FROZEN && !frozen_name(path, name, sizeof name))
        return om_fail(err, OM_E_LIMIT, 0, "path too long: %.80s...", path);
    const int code = sqlite3_open_v2(
        mode == OM_DB_FROZEN ? name : path, &db,
        FLAGS[mode] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code != SQLITE_OK) {
        const om_status st = status_of(code);
        om_fail(err, st, 0, "%s: %s", path,
                db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
        sqlite3_close(db);
        return st;
    }
    sqlite3_busy_timeout(db, BUSY_MS);
    *out = (struct om_db *)db;
    if (mode == OM_DB_READ) {
        sqlite3_wal_autocheckpoint(db, 0);
        om_db_keep_log(*out, true);
    }
    return OM_OK;
}

void om_db_keep_log(struct om_db *db, bool keep)
{
    sqlite3_db_config(in(db), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, NULL);
}

void om_db_close(struct om_db *db)
{
    sqlite3_close(in(db));
}

om_status om_db_run(struct om_db *db, const char *sql, struct om_err *err)
{
    return fail(in(db), sqlite3_exec(in(db), sql, NULL, NULL, NULL), err);
}

enum om_db_cause om_db_cause(struct om_db *db)
{
    switch (sqlite3_errcode(in(db)) & 0xff) {
        case SQLITE_FULL:
            return OM_DB_FULL;
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
            return OM_DB_READONLY;
        case SQLITE_IOERR:
            return OM_DB_DISK;
        default:
            return OM_DB_OTHER;
    }
}

bool om_db_readonly(struct om_db *db)
{
    return sqlite3_db_readonly(in(db), "main") != 0;
}

om_status om_db_checkpoint(struct om_db *db, int *left, struct om_err *err)
{
    int frames = 0, done = 0;
    const int code = sqlite3_wal_checkpoint_v2(
        in(db), NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &done);
    *left = frames > done ? frames - done : 0;
    return fail(in(db), code, err);
}

om_status om_db_copy(struct om_db *db, const char *path, struct om_err *err)
{
    struct om_db *copy = NULL;
    OM_TRY(om_db_open(path, OM_DB_CREATE, &copy, err));
    om_status st = om_db_run(copy, "PRAGMA synchronous=FULL", err);
    sqlite3_backup *backup = NULL;
    if (!st) {
        backup = sqlite3_backup_init(in(copy), "main", in(db), "main");
        if (!backup) st = fail(in(copy), sqlite3_errcode(in(copy)), err);
    }
    if (backup) {
        // In one step, which is one moment whatever others write meanwhile.
        int code = sqlite3_backup_step(backup, -1);
        const int finished = sqlite3_backup_finish(backup);
        if (code == SQLITE_DONE) code = finished;
        if (code != SQLITE_OK)
            st = om_fail(err, status_of(code), 0, "copying to %s: %s", path,
                         sqlite3_errstr(code));
    }
    om_db_close(copy);
    if (st) unlink(path);
    return st;
}

om_status om_db_prepare(struct om_db *db, const char *sql,
                        struct om_db_row **out, struct om_err *err)
{
    struct sqlite3_stmt *statement = NULL;
    const int code = sqlite3_prepare_v3(
        in(db), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    *out = (struct om_db_row *)statement;
    return fail(in(db), code, err);
}

void om_db_finish(struct om_db_row *row)
{
    sqlite3_finalize(in_row(row));
}

om_status om_db_set_integer(struct om_db_row *row, int i, int64_t value)
{
    return status_of(sqlite3_bind_int64(in_row(row), i, value));
}

om_status om_db_set_null(struct om_db_row *row, int i)
{
    return status_of(sqlite3_bind_null(in_row(row), i));
}

om_status om_db_set_text(struct om_db_row *row, int i, const char *text,
                         size_t len)
{
    return status_of(sqlite3_bind_text64(in_row(row), i, text, len,
                                         SQLITE_STATIC, SQLITE_UTF8));
}

om_status om_db_set_bytes(struct om_db_row *row, int i, const void *bytes,
                          size_t len)
{
    // A pointer to nothing would be NULL, not an empty blob.
    return status_of(sqlite3_bind_blob64(in_row(row), i, len ? bytes : "", len,
                                         SQLITE_STATIC));
}

om_status om_db_step(struct om_db_row *row, bool *more, struct om_err *err)
{
    const int code = sqlite3_step(in_row(row));
    *more = code == SQLITE_ROW;
    const om_status st = fail(sqlite3_db_handle(in_row(row)), code, err);
    if (!*more) sqlite3_reset(in_row(row));
    return st;
}

om_status om_db_do(struct om_db_row *row, struct om_err *err)
{
    bool more;
    const om_status st = om_db_step(row, &more, err);
    sqlite3_reset(in_row(row));
    return st;
}

void om_db_reset(struct om_db_row *row)
{
    sqlite3_reset(in_row(row));
}

int64_t om_db_integer(struct om_db_row *row, int i)
{
    return sqlite3_column_int64(in_row(row), i);
}

bool om_db_is_null(struct om_db_row *row, int i)
{
    return sqlite3_column_type(in_row(row), i) == SQLITE_NULL;
}

const char *om_db_text(struct om_db_row *row, int i, size_t *len)
{
    const char *text = (const char *)sqlite3_column_text(in_row(row), i);
    *len = text ? (size_t)sqlite3_column_bytes(in_row(row), i) : 0;
    return text;
}

const void *om_db_bytes(struct om_db_row *row, int i, size_t *len)
{
    const void *bytes = sqlite3_column_blob(in_row(row), i);
    *len = (size_t)sqlite3_column_bytes(in_row(row), i);
    return bytes;
}
