// journal_open.c - making and opening a journal; the mark.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/city/journal_internal.h"

#define VERSION 2
#define TABLES 9  // of SCHEMA, with its indexes
/* A journal of version 1 has no packs. */
#define VERSION_PLAIN 1
#define TABLES_PLAIN 7
#define PACKS                                                        \
    "CREATE TABLE pack(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL," \
    " mark INTEGER NOT NULL);"                                       \
    "CREATE INDEX packed ON entry(noted) WHERE kind=4;"
static const char MARK_MAGIC[8] = {'o', 'm', 'j', 'm', 'a', 'r', 'k', '1'};

static const char SCHEMA[] =
    "CREATE TABLE meta(one INTEGER PRIMARY KEY, identity INTEGER NOT NULL,"
    " first INTEGER NOT NULL, floor INTEGER NOT NULL, noted INTEGER NOT NULL,"
    " clock_s INTEGER NOT NULL, mark INTEGER NOT NULL);"
    "CREATE TABLE layer(number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " mark INTEGER NOT NULL);"
    "CREATE TABLE entry(sequence INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " layer INTEGER NOT NULL, id TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " clock_s INTEGER NOT NULL, old_cell INTEGER, new_cell INTEGER, reach BLOB,"
    " who TEXT, noted INTEGER NOT NULL, has INTEGER NOT NULL,"
    " mark INTEGER NOT NULL);"
    "CREATE TABLE row(sequence INTEGER PRIMARY KEY, old BLOB, new BLOB,"
    " mark INTEGER NOT NULL);"
    "CREATE TABLE key(key TEXT PRIMARY KEY, hash INTEGER NOT NULL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL, taken INTEGER NOT NULL,"
    " refused INTEGER NOT NULL, at_ms INTEGER NOT NULL, mark INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX key_at ON key(at_ms);"
    "CREATE TABLE cell(layer INTEGER NOT NULL, level INTEGER NOT NULL,"
    " cell INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, mark INTEGER NOT NULL,"
    " PRIMARY KEY(layer, level, cell)) WITHOUT ROWID;" PACKS;

static om_status names(const char *city, char *db, char *mark,
                       struct om_err *err)
{
    if (om_path_join(db, OM__PATH_BYTES, city, "journal.db") ||
        om_path_join(mark, OM__PATH_BYTES, city, "journal.mark"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    return OM_OK;
}

bool om_journal_exists(const char *city)
{
    char db[OM__PATH_BYTES], mark[OM__PATH_BYTES];
    return !names(city, db, mark, NULL) &&
           (om_file_exists(db) || om_file_exists(mark));
}

// ---- the mark: (1) of journal.c ----

static void mark_read(const char *folder, struct om__journal_mark *out)
{
    char path[OM__PATH_BYTES];
    uint64_t value[4] = {0};
    *out = (struct om__journal_mark){0};
    if (om_path_join(path, sizeof path, folder, "journal.mark")) return;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (pread(fd, value, sizeof value, 0) == (ssize_t)sizeof value &&
        memcmp(value, MARK_MAGIC, sizeof MARK_MAGIC) == 0 &&
        value[3] == om_hash64(value, 3 * sizeof *value, 0))
        *out = (struct om__journal_mark){value[1], value[2]};
    close(fd);
}

uint64_t om__journal_marked(const char *city)
{
    struct om__journal_mark mark;
    mark_read(city, &mark);
    return mark.last;
}

om_status om_journal_mark_check(const char *city, struct om_err *err)
{
    char path[OM__PATH_BYTES];
    struct om__journal_mark mark;
    struct om_buf bytes = {0};
    OM_TRY(om_path_join(path, sizeof path, city, "journal.mark"));
    if (om_file_read(path, OM__PATH_BYTES, &bytes, NULL) == OM_E_NOTFOUND)
        return OM_OK;
    // Not a byte: whoever made it was stopped before it was written.
    const bool begun = bytes.len > 0;
    om_buf_deinit(&bytes);
    mark_read(city, &mark);
    return mark.identity || !begun
               ? OM_OK
               : om_fail(err, OM_E_DAMAGED, 0,
                         "%s is not what was written: an older copy of the "
                         "journal would not be noticed (the next server that "
                         "writes makes it anew)",
                         path);
}

/* In place and not synced: see (1). What fails leaves an older mark. */
void om__journal_mark_write(struct om_journal *j)
{
    // 0 before the first: what was never there cannot be missed.
    const uint64_t last = j->now.last < j->now.first ? 0 : j->now.last;
    uint64_t value[4] = {0, j->now.identity, last, 0};
    memcpy(value, MARK_MAGIC, sizeof MARK_MAGIC);
    value[3] = om_hash64(value, 3 * sizeof *value, 0);
    const bool failed = om_fd_pwrite(j->mark_fd, value, sizeof value, 0,
                                     "journal.mark", NULL) != OM_OK;
    if (failed && !j->mark_failed)
        om_log(OM_LOG_WARN, "journal", "%s: journal.mark was not written: %s",
               j->path, strerror(errno));
    j->mark_failed = failed;
}

static om_status mark_open(struct om_journal *j, struct om_err *err)
{
    char path[OM__PATH_BYTES];
    if (om_path_join(path, sizeof path, j->folder, "journal.mark"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    j->mark_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (j->mark_fd < 0)
        return om_fail(err, OM_E_IO, 0, "cannot open %s: %s", path,
                       strerror(errno));
    om__journal_mark_write(j);
    return om_folder_sync(j->folder, err);
}

// ---- opening ----

static om_status ask_integer(struct om_journal *j, const char *sql,
                             int64_t *out, struct om_err *err)
{
    struct om_db_row *row = NULL;
    bool more = false;
    om_status st = om_db_prepare(j->db, sql, &row, err);
    if (!st) st = om_db_step(row, &more, err);
    *out = !st && more ? om_db_integer(row, 0) : 0;
    om_db_finish(row);
    return st;
}

/* Are the tables those that we made? What has changed in their description
 * would make SQLite read all rows differently. */
static om_status check_tables(struct om_journal *j, int64_t *tables,
                              struct om_err *err)
{
    struct om_db_row *row = NULL;
    om_status st =
        om_db_prepare(j->db, "SELECT sql FROM sqlite_master", &row, err);
    *tables = 0;
    for (bool more = true; !st;) {
        size_t len;
        st = om_db_step(row, &more, err);
        if (st || !more) break;
        const char *sql = om_db_text(row, 0, &len);
        // Keys of tables have an index without a text.
        if (!sql || len == 0) continue;
        ++*tables;
        if (strlen(sql) != len || !strstr(SCHEMA, sql))
            st = om__journal_damaged(j, "the description of its tables", err);
    }
    om_db_finish(row);
    return st;
}

/* *begun: it has our tables. A file without anything in it is one whose making
 * was interrupted. */
static om_status check_kind(struct om_journal *j, bool *begun,
                            struct om_err *err)
{
    int64_t application, version, tables;
    OM_TRY(ask_integer(j, "PRAGMA application_id", &application, err));
    OM_TRY(ask_integer(j, "PRAGMA user_version", &version, err));
    if (application != 0 && application != OM__JOURNAL_APPLICATION)
        return om_fail(err, OM_E_DAMAGED, 0,
                       "%s is not a journal of onemap " OM__JOURNAL_WAY_OUT,
                       j->path);
    const bool plain = version == VERSION_PLAIN;
    if (application != 0 && version != VERSION && !plain)
        return om_fail(err, OM_E_VERSION, 0,
                       "%s was written by another version of onemap (its form "
                       "is %lld, this one knows %d to %d: use that version)",
                       j->path, (long long)version, VERSION_PLAIN, VERSION);
    OM_TRY(check_tables(j, &tables, err));
    *begun = tables > 0;
    j->plain = application != 0 && plain;
    const int64_t wanted = plain ? TABLES_PLAIN : TABLES;
    if (tables == (application ? wanted : 0)) return OM_OK;
    return om__journal_damaged(j, "the list of its tables", err);
}

/* SQLite has more words for a file that it cannot make sense of. */
static om_status check(struct om_journal *j, bool *begun, struct om_err *err)
{
    struct om_err why = {0};
    const om_status st = check_kind(j, begun, &why);
    if (st == OM_E_INTERNAL)
        return om_fail(err, OM_E_DAMAGED, 0, "%s", why.text);
    if (st && err) *err = why;
    return st;
}

static om_status gone(const struct om_journal *j, uint64_t last,
                      struct om_err *err)
{
    return om_fail(err, OM_E_DAMAGED, 0,
                   "%s is empty or gone, though writes up to number %llu were "
                   "acknowledged " OM__JOURNAL_WAY_OUT,
                   j->path, (unsigned long long)last);
}

static om_status lost(const struct om_journal *j, uint64_t count,
                      struct om_err *err)
{
    return om_fail(err, OM_E_DAMAGED, 0,
                   "%s: the newest %llu writes that were acknowledged are "
                   "missing " OM__JOURNAL_WAY_OUT,
                   j->path, (unsigned long long)count);
}

static om_status set_up_writer(struct om_journal *j, struct om_err *err)
{
    OM_TRY(om_db_run(j->db,
                     "PRAGMA trusted_schema=OFF;"
                     "PRAGMA cell_size_check=ON;"
                     "PRAGMA mmap_size=0;"
                     "PRAGMA temp_store=MEMORY;"
                     "PRAGMA cache_size=-32768;"
                     "PRAGMA secure_delete=FAST;"
                     "PRAGMA journal_mode=WAL;"
                     "PRAGMA synchronous=FULL;"
                     "PRAGMA wal_autocheckpoint=0;"
                     "PRAGMA journal_size_limit=67108864",
                     err));
    int64_t full;
    OM_TRY(ask_integer(j, "PRAGMA synchronous", &full, err));
    return full == 2 ? OM_OK
                     : om_fail(err, OM_E_INTERNAL, 0,
                               "%s: synchronous is not "
                               "FULL",
                               j->path);
}

static void close_db(struct om_journal *j)
{
    for (size_t i = 0; i < OM__STATEMENTS; i++) {
        om_db_finish(j->statement[i]);
        j->statement[i] = NULL;
    }
    om_db_close(j->db);
    j->db = NULL;
}

static void begin_state(struct om_journal *j, uint64_t first)
{
    // Told apart from any other journal; need not be a secret.
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t born[] = {now.tv_sec, now.tv_nsec, getpid()};
    if (first == 0) first = 1;
    j->now = (struct om__journal_state){
        .identity = om_hash64(born, sizeof born, first),
        .first = first,
        .floor = first - 1,
        .last = first - 1};
}

static om_status fill_new(struct om_journal *j, const char *path,
                          struct om_err *err)
{
    char pragmas[160];
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA synchronous=FULL;PRAGMA application_id=%d;"
             "PRAGMA user_version=%d",
             OM__JOURNAL_APPLICATION, VERSION);
    om_status st = om_db_open(path, OM_DB_CREATE, &j->db, err);
    if (!st) st = om_db_run(j->db, pragmas, err);
    if (!st) st = om_db_run(j->db, SCHEMA, err);
    if (!st) st = om__journal_meta_write(j, err);
    close_db(j);
    return st;
}

/* A journal without entries, under another name first: whoever looks finds none
 * or a whole one. */
static om_status create(struct om_journal *j, uint64_t first,
                        struct om_err *err)
{
    static const char *const OLD[] = {"-wal", "-shm", ".new", ".new-journal"};
    char path[OM__PATH_BYTES + 16];
    struct om__journal_mark mark;
    mark_read(j->folder, &mark);
    if (mark.last > 0) return gone(j, mark.last, err);
    // A log that is left of another file would be read as this one's.
    for (size_t i = 0; i < sizeof OLD / sizeof *OLD; i++) {
        snprintf(path, sizeof path, "%s%s", j->path, OLD[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s.new", j->path);
    begin_state(j, first);
    OM_TRY(fill_new(j, path, err));
    return om_file_rename(path, j->path, err);
}

static bool is_empty(const char *path)
{
    struct stat about;
    return stat(path, &about) != 0 || about.st_size == 0;
}

/* All of it or nothing; an older program refuses it from then on. */
static om_status move_on(struct om_journal *j, struct om_err *err)
{
    char sql[512];
    if (!j->plain) return OM_OK;
    snprintf(sql, sizeof sql,
             "BEGIN IMMEDIATE;" PACKS "PRAGMA user_version=%d;COMMIT", VERSION);
    const om_status st = om_db_run(j->db, sql, err);
    if (st) {
        (void)!om_db_run(j->db, "ROLLBACK", NULL);
        return om__journal_fault(j, st, err);
    }
    j->plain = false;
    return OM_OK;
}

/* What was written ahead by a writer that died goes; if there is no room even
 * for that, it stays until the next time. The last entry says where the next
 * one comes. */
static om_status look_at_packs(struct om_journal *j, struct om_err *err)
{
    struct om_db_row *row = NULL;
    struct om__unpack last = {.known = true, .sound = true};
    bool more;
    int64_t id;
    if (om_db_run(j->db,
                  "DELETE FROM pack WHERE id NOT IN"
                  " (SELECT noted FROM entry WHERE kind=4)",
                  NULL))
        om_log(OM_LOG_WARN, "journal", "%s: packs that nobody needs stay",
               j->path);
    OM_TRY(ask_integer(j, "SELECT max(id) FROM pack", &id, err));
    j->pack_first = j->pack_next = (uint64_t)id + 1;
    om_status st = om_db_prepare(j->db,
                                 "SELECT " OM__ENTRY_COLUMNS
                                 " FROM entry e ORDER BY sequence DESC LIMIT 1",
                                 &row, err);
    if (!st) st = om_db_step(row, &more, err);
    if (!st && more && om__journal_is_packed(row))
        st = om__unpack_begin(j, row, &last, err);
    om__unpack_end(j);
    om_db_finish(row);
    OM_TRY(st);
    return last.known ? OM_OK : om__journal_damaged(j, "its newest entry", err);
}

static om_status open_writer(struct om_journal *j, uint64_t first,
                             struct om_err *err)
{
    bool begun;
    if (is_empty(j->path)) OM_TRY(create(j, first, err));
    OM_TRY(om_db_open(j->path, OM_DB_WRITE, &j->db, err));
    // Whoever wants to save something from a damaged log must find it.
    om_db_keep_log(j->db, true);
    OM_TRY(check(j, &begun, err));
    if (!begun) return om__journal_damaged(j, "the list of its tables", err);
    if (om_db_readonly(j->db))
        return om_fail(err, OM_E_IO, 0,
                       "%s can only be read (open the city for reading only)",
                       j->path);
    OM_TRY(set_up_writer(j, err));
    OM_TRY(om__journal_meta_read(j, err));
    OM_TRY(om__journal_layers(j, err));
    struct om__journal_mark mark;
    mark_read(j->folder, &mark);
    if (mark.identity == j->now.identity && mark.last > j->now.last)
        return lost(j, mark.last - j->now.last, err);
    OM_TRY(move_on(j, err));
    OM_TRY(look_at_packs(j, err));
    OM_TRY(mark_open(j, err));
    om_db_keep_log(j->db, false);
    j->sound = true;
    return OM_OK;
}

/* Nothing in the log that would have to be read. */
static bool log_is_empty(const char *path)
{
    char log[OM__PATH_BYTES + 8];
    snprintf(log, sizeof log, "%s-wal", path);
    return is_empty(log);
}

static om_status open_reader(struct om_journal *j, struct om_err *err)
{
    struct om__journal_mark mark;
    bool begun = false;
    mark_read(j->folder, &mark);
    if (!om_file_exists(j->path))
        return mark.last ? gone(j, mark.last, err)
                         : om_fail(err, OM_E_NOTFOUND, 0, "%s does not exist",
                                   j->path);
    OM_TRY(om_db_open(j->path, OM_DB_READ, &j->db, err));
    om_status st = check(j, &begun, err);
    if (st == OM_E_IO && om_db_cause(j->db) == OM_DB_READONLY &&
        log_is_empty(j->path)) {
        // A disk without room even for the log's index, and no need of it.
        om_db_close(j->db);
        j->db = NULL;
        OM_TRY(om_db_open(j->path, OM_DB_FROZEN, &j->db, err));
        st = check(j, &begun, err);
    }
    OM_TRY(st);
    if (!begun)
        return mark.last
                   ? gone(j, mark.last, err)
                   : om_fail(err, OM_E_NOTFOUND, 0, "%s is empty", j->path);
    OM_TRY(om__journal_look(j, err));
    if (mark.identity == j->now.identity && mark.last > j->now.last)
        j->missing = mark.last - j->now.last;
    return OM_OK;
}

/* SQLite's own words do not say what to do. */
static void say_way_out(struct om_err *err)
{
    if (!err || strstr(err->text, OM__JOURNAL_WAY_OUT)) return;
    char text[OM_ERR_TEXT_BYTES];
    memcpy(text, err->text, sizeof text);
    om_fail(err, err->code, err->at, "%s " OM__JOURNAL_WAY_OUT, text);
}

om_status om_journal_open(const char *city, enum om_journal_mode mode,
                          uint64_t first, struct om_journal **out,
                          struct om_err *err)
{
    char mark[OM__PATH_BYTES];
    struct om_journal *j = om_calloc(1, sizeof *j);
    if (!j) return OM_E_MEMORY;
    j->mode = mode;
    j->mark_fd = -1;
    om_status st = names(city, j->path, mark, err);
    if (!st) {
        snprintf(j->folder, sizeof j->folder, "%s", city);
        st = mode == OM_JOURNAL_WRITE ? open_writer(j, first, err)
                                      : open_reader(j, err);
    }
    if (st == OM_E_DAMAGED) say_way_out(err);
    if (st)
        om_journal_close(j);
    else
        *out = j;
    return st;
}

void om_journal_close(struct om_journal *j)
{
    if (!j) return;
    int left;
    if (j->grouped) om_journal_rollback(j);
    // Whoever is the last to leave does it, if it writes: readers may stay.
    if (j->sound && !j->failed && om_db_checkpoint(j->db, &left, NULL))
        om_log(OM_LOG_DEBUG, "journal", "%s: the log stays", j->path);
    close_db(j);
    if (j->mark_fd >= 0) close(j->mark_fd);
    om__journal_layers_cut(j, 0);
    om_free(j->layer);
    om_free(j);
}
