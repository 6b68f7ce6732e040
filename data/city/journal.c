// journal.c - opening a journal, groups, keys, the mark.
#include "data/city/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/limits.h"
#include "data/base/log.h"
#include "data/city/journal_internal.h"

/* DESIGN
 * Tables: `entry` and `row` (old and new record) by sequence, both only ever
 * appended to and cut at their beginning, so that a group is a few whole pages
 * at the end of the file; `layer` numbers the names; `key`; `cell`, what
 * entries that were let go had changed; `meta`, one row.
 *
 * (1) Which entry was a row's last is kept in memory (16 bytes a row), read
 *     from the entries when a writer opens. An index in the file would touch
 *     as many pages as a group has rows, each written twice.
 * (2) SQLite has no checksums of what it has moved into its file, and ends a
 *     log without a word at the first frame that is not right. So each row of
 *     each table carries a hash of all its values (`mark`), sequences have no
 *     gaps, and CITY/journal.mark remembers the last sequence that was
 *     acknowledged: a journal that ends before it has lost something. The mark
 *     is written after the group is durable and is not synced: it may lag
 *     after a power cut, and is then a weaker promise, never a false alarm.
 * (3) One connection writes and makes all checkpoints; others read and never
 *     make any, not even when they close (the bug of WAL logs that are reset
 *     while another connection commits, SQLite 3.7.0 to 3.51.2).
 * (4) After a failing write or sync nobody knows what the disk has: the
 *     journal takes nothing until it is opened anew and reads what is there.
 *     A full disk is another matter: SQLite has taken the group back. */

#define APPLICATION 0x6f6d6a6c  // "omjl"
#define VERSION 1
#define TABLES 7  // of SCHEMA, with its index
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
    " PRIMARY KEY(layer, level, cell)) WITHOUT ROWID;";

static const char *const SQL[OM__STATEMENTS] = {
    [OM__ADD_ENTRY] = "INSERT INTO entry VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [OM__ADD_ROW] = "INSERT INTO row VALUES(?,?,?,?)",
    [OM__ADD_KEY] = "INSERT OR REPLACE INTO key VALUES(?,?,?,?,?,?,?,?)",
    [OM__FIND_KEY] = "SELECT * FROM key WHERE key=?",
    [OM__ADD_LAYER] = "INSERT INTO layer VALUES(?,?,?)",
    [OM__SET_META] = "INSERT OR REPLACE INTO meta VALUES(1,?,?,?,?,?,?)",
    [OM__GET_META] = "SELECT * FROM meta",
    [OM__GET_LAST] = "SELECT max(sequence) FROM entry",
    [OM__GET_ROW] = "SELECT layer, id FROM entry WHERE sequence=?",
    [OM__LAST_OF_ROW] =
        "SELECT sequence FROM entry WHERE layer=? AND id=?"
        " ORDER BY sequence DESC LIMIT 1",
    [OM__LAST_COMMIT] =
        "SELECT max(sequence) FROM entry WHERE kind=3 AND"
        " layer=?",
    [OM__FOLD_CELL] = "INSERT OR REPLACE INTO cell VALUES(?,?,?,?,?,?)",
};

// ---- the right to write ----

om_status om_journal_lock(const char *city, int *fd, struct om_err *err)
{
    char path[OM__PATH_BYTES], text[32] = "";
    if (om_path_join(path, sizeof path, city, ".writer"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    const int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0)
        return om_fail(err, OM_E_IO, 0, "cannot open %s: %s", path,
                       strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB)) {
        const int e = errno;
        const ssize_t n = pread(lock, text, sizeof text - 1, 0);
        text[n > 0 ? strspn(text, "0123456789") : 0] = '\0';
        close(lock);
        if (e != EWOULDBLOCK)
            return om_fail(err, OM_E_IO, 0, "cannot lock %s: %s", path,
                           strerror(e));
        return om_fail(err, OM_E_BUSY, 0,
                       "%s is being served and written by process %s (stop "
                       "it, or open the city for reading only)",
                       city, text[0] ? text : "unknown");
    }
    // Only a help for whoever is refused: it may fail.
    const int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(lock, 0) ||
        om_fd_pwrite(lock, text, (size_t)len, 0, path, NULL))
        om_log(OM_LOG_DEBUG, "journal", "%s holds no process number", path);
    *fd = lock;
    return OM_OK;
}

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

// ---- the mark (2) ----

struct mark {
    uint64_t identity, last;  // last 0: no mark
};

static void mark_read(const char *folder, struct mark *out)
{
    char path[OM__PATH_BYTES];
    uint64_t value[4] = {0};
    *out = (struct mark){0};
    if (om_path_join(path, sizeof path, folder, "journal.mark")) return;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (pread(fd, value, sizeof value, 0) == (ssize_t)sizeof value &&
        memcmp(value, MARK_MAGIC, sizeof MARK_MAGIC) == 0 &&
        value[3] == om_hash64(value, 3 * sizeof *value, 0))
        *out = (struct mark){value[1], value[2]};
    close(fd);
}

/* In place and not synced: see (2). What fails leaves an older mark. */
static void mark_write(struct om_journal *j)
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
    mark_write(j);
    return om_folder_sync(j->folder, err);
}

// ---- statements and state ----

om_status om__journal_statement(struct om_journal *j,
                                enum om__journal_statement which,
                                struct om_db_row **out, struct om_err *err)
{
    if (!j->statement[which])
        OM_TRY(om_db_prepare(j->db, SQL[which], &j->statement[which], err));
    *out = j->statement[which];
    return OM_OK;
}

om_status om__journal_fault(struct om_journal *j, om_status st,
                            struct om_err *err)
{
    if (st != OM_E_IO) return st;
    if (om_db_cause(j->db) == OM_DB_FULL)
        return om_fail(err, OM_E_IO, 0,
                       "%s: the disk is full: nothing was written (make room)",
                       j->path);
    if (j->mode == OM_JOURNAL_WRITE) j->failed = true;
    return st;
}

static om_status damaged(const struct om_journal *j, const char *what,
                         struct om_err *err)
{
    return om_fail(err, OM_E_DAMAGED, 0,
                   "%s: %s is damaged (restore the city from a backup)",
                   j->path, what);
}

static uint64_t meta_mark(const struct om__journal_state *s)
{
    const uint64_t value[] = {s->identity, s->first, s->floor, s->noted,
                              (uint64_t)s->clock_s};
    return om_hash64(value, sizeof value, APPLICATION);
}

om_status om__journal_meta_write(struct om_journal *j, struct om_err *err)
{
    struct om_db_row *row;
    const struct om__journal_state *s = &j->now;
    OM_TRY(om__journal_statement(j, OM__SET_META, &row, err));
    const uint64_t value[] = {
        s->identity,          s->first,    s->floor, s->noted,
        (uint64_t)s->clock_s, meta_mark(s)};
    for (int i = 0; i < 6; i++)
        OM_TRY(om_db_set_integer(row, i + 1, (int64_t)value[i]));
    return om_db_do(row, err);
}

static om_status meta_read(struct om_journal *j, struct om_err *err)
{
    struct om_db_row *row;
    struct om__journal_state s = {0};
    bool more;
    OM_TRY(om__journal_statement(j, OM__GET_META, &row, err));
    OM_TRY(om_db_step(row, &more, err));
    if (!more) return damaged(j, "its table 'meta'", err);
    s.identity = (uint64_t)om_db_integer(row, 1);
    s.first = (uint64_t)om_db_integer(row, 2);
    s.floor = (uint64_t)om_db_integer(row, 3);
    s.noted = (uint64_t)om_db_integer(row, 4);
    s.clock_s = om_db_integer(row, 5);
    const bool sound = (uint64_t)om_db_integer(row, 6) == meta_mark(&s);
    om_db_reset(row);
    if (!sound) return damaged(j, "its table 'meta'", err);
    OM_TRY(om__journal_statement(j, OM__GET_LAST, &row, err));
    OM_TRY(om_db_step(row, &more, err));
    s.last = more ? (uint64_t)om_db_integer(row, 0) : 0;
    om_db_reset(row);
    if (s.last < s.floor) s.last = s.floor;
    j->now = s;
    return OM_OK;
}

static uint64_t layer_mark(int64_t number, const char *name, size_t len)
{
    return om_hash64(name, len, (uint64_t)number);
}

static om_status layer_keep(struct om_journal *j, int64_t number,
                            const char *name)
{
    if (j->layers == j->layer_room) {
        const size_t room = j->layer_room ? j->layer_room * 2 : 16;
        void *grown = om_realloc(j->layer, room * sizeof *j->layer);
        if (!grown) return OM_E_MEMORY;
        j->layer = grown;
        j->layer_room = room;
    }
    char *copy = om_strdup(name);
    if (!copy) return OM_E_MEMORY;
    j->layer[j->layers++] =
        (struct om__journal_layer){.name = copy, .number = number};
    return OM_OK;
}

static void layers_cut(struct om_journal *j, size_t count)
{
    while (j->layers > count) om_free(j->layer[--j->layers].name);
}

om_status om__journal_layers(struct om_journal *j, struct om_err *err)
{
    struct om_db_row *row = NULL;
    om_status st = om_db_prepare(
        j->db, "SELECT * FROM layer WHERE number>? ORDER BY number", &row, err);
    if (!st)
        st = om_db_set_integer(row, 1,
                               j->layers ? j->layer[j->layers - 1].number : -1);
    for (bool more = true; !st;) {
        st = om_db_step(row, &more, err);
        if (st || !more) break;
        size_t len;
        const int64_t number = om_db_integer(row, 0);
        const char *name = om_db_text(row, 1, &len);
        if (!name ||
            (uint64_t)om_db_integer(row, 2) != layer_mark(number, name, len))
            st = damaged(j, "its table 'layer'", err);
        else
            st = layer_keep(j, number, name);
    }
    om_db_finish(row);
    return st;
}

size_t om__journal_layer_at(const struct om_journal *j, int64_t number)
{
    for (size_t i = 0; i < j->layers; i++)
        if (j->layer[i].number == number) return i;
    return SIZE_MAX;
}

size_t om__journal_layer_named(const struct om_journal *j, const char *name)
{
    for (size_t i = 0; i < j->layers; i++)
        if (strcmp(j->layer[i].name, name) == 0) return i;
    return SIZE_MAX;
}

/* In a group: the layer's index, made if need be. */
static om_status layer_add(struct om_journal *j, const char *name, size_t *out,
                           struct om_err *err)
{
    *out = om__journal_layer_named(j, name);
    if (*out != SIZE_MAX) return OM_OK;
    struct om_db_row *row;
    const size_t len = strlen(name);
    const int64_t number = j->layers ? j->layer[j->layers - 1].number + 1 : 1;
    OM_TRY(om__journal_statement(j, OM__ADD_LAYER, &row, err));
    OM_TRY(om_db_set_integer(row, 1, number));
    OM_TRY(om_db_set_text(row, 2, name, len));
    OM_TRY(om_db_set_integer(row, 3, (int64_t)layer_mark(number, name, len)));
    OM_TRY(om_db_do(row, err));
    OM_TRY(layer_keep(j, number, name));
    *out = j->layers - 1;
    return OM_OK;
}

om_status om__journal_look(struct om_journal *j, struct om_err *err)
{
    if (j->mode == OM_JOURNAL_WRITE) return OM_OK;
    OM_TRY(meta_read(j, err));
    return om__journal_layers(j, err);
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
            st = damaged(j, "the description of its tables", err);
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
    if (application != 0 && application != APPLICATION)
        return om_fail(err, OM_E_DAMAGED, 0,
                       "%s is not a journal of onemap (move it away, or "
                       "restore the city from a backup)",
                       j->path);
    if (application != 0 && version != VERSION)
        return om_fail(err, OM_E_VERSION, 0,
                       "%s was written by another version of onemap (its form "
                       "is %lld, this one knows %d: use that version)",
                       j->path, (long long)version, VERSION);
    OM_TRY(check_tables(j, &tables, err));
    *begun = tables > 0;
    if (tables == (application ? TABLES : 0)) return OM_OK;
    return damaged(j, "the list of its tables", err);
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
                   "acknowledged (restore a backup, or remove journal.mark "
                   "beside it to go on without them)",
                   j->path, (unsigned long long)last);
}

static om_status lost(const struct om_journal *j, uint64_t count,
                      struct om_err *err)
{
    return om_fail(err, OM_E_DAMAGED, 0,
                   "%s: the newest %llu writes that were acknowledged are "
                   "missing (restore a backup, or remove journal.mark beside "
                   "it to go on without them)",
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
             APPLICATION, VERSION);
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
    struct mark mark;
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

struct opening {
    struct om_journal *journal;
    om_status st;
};

static bool note_entry(void *ctx, const struct om_entry *entry)
{
    struct opening *o = ctx;
    const size_t layer = om__journal_layer_named(o->journal, entry->layer);
    o->st = om__journal_note(o->journal, layer, entry);
    return !o->st;
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
    if (!begun) return damaged(j, "the list of its tables", err);
    if (om_db_readonly(j->db))
        return om_fail(err, OM_E_IO, 0,
                       "%s can only be read (open the city for reading only)",
                       j->path);
    OM_TRY(set_up_writer(j, err));
    OM_TRY(meta_read(j, err));
    OM_TRY(om__journal_layers(j, err));
    struct mark mark;
    mark_read(j->folder, &mark);
    if (mark.identity == j->now.identity && mark.last > j->now.last)
        return lost(j, mark.last - j->now.last, err);
    struct opening o = {j, OM_OK};
    OM_TRY(om__journal_rows_reserve(&j->rows, j->now.last - j->now.floor));
    OM_TRY(om_journal_each(j, 0, 0, false, note_entry, &o, err));
    OM_TRY(o.st);
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
    struct mark mark;
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
    layers_cut(j, 0);
    om_free(j->layer);
    om_free(j->rows.slot);
    om_free(j->undo);
    om_free(j);
}

// ---- what is known ----

/* A reader that cannot look now answers with what it saw last. */
static const struct om__journal_state *state(struct om_journal *j)
{
    const struct om__journal_state seen = j->now;
    if (om__journal_look(j, NULL)) j->now = seen;
    return &j->now;
}

uint64_t om_journal_last(struct om_journal *j)
{
    return j->grouped ? j->before.last : state(j)->last;
}

uint64_t om_journal_floor(struct om_journal *j)
{
    return state(j)->floor;
}

uint64_t om_journal_commit_noted(struct om_journal *j)
{
    return j->grouped ? j->before.noted : state(j)->noted;
}

int64_t om_journal_clock(struct om_journal *j)
{
    return j->grouped ? j->before.clock_s : state(j)->clock_s;
}

uint64_t om_journal_missing(struct om_journal *j)
{
    return j->missing;
}

bool om_journal_failed(struct om_journal *j)
{
    return j->failed;
}

uint64_t om_journal_bytes(struct om_journal *j)
{
    char log[OM__PATH_BYTES + 8];
    struct stat about;
    uint64_t bytes = 0;
    snprintf(log, sizeof log, "%s-wal", j->path);
    if (stat(j->path, &about) == 0) bytes += (uint64_t)about.st_size;
    if (stat(log, &about) == 0) bytes += (uint64_t)about.st_size;
    return bytes;
}

om_status om_journal_view(struct om_journal *j, struct om_err *err)
{
    if (j->mode == OM_JOURNAL_WRITE || j->viewed) return OM_OK;
    OM_TRY(om_db_run(j->db, "BEGIN", err));
    j->viewed = true;
    // The moment is that of the first look.
    const om_status st = om__journal_look(j, err);
    if (st) om_journal_view_end(j);
    return st;
}

void om_journal_view_end(struct om_journal *j)
{
    if (!j->viewed) return;
    j->viewed = false;
    if (om_db_run(j->db, "COMMIT", NULL))
        (void)!om_db_run(j->db, "ROLLBACK", NULL);
}

// ---- groups ----

om_status om_journal_begin(struct om_journal *j, struct om_err *err)
{
    if (j->mode != OM_JOURNAL_WRITE || j->grouped)
        return om_fail(err, OM_E_INTERNAL, 0, "no group can begin now");
    if (j->failed)
        return om_fail(err, OM_E_IO, 0,
                       "%s: the disk failed; nothing is written until the "
                       "journal is opened again",
                       j->path);
    const om_status st = om_db_run(j->db, "BEGIN IMMEDIATE", err);
    if (st) return om__journal_fault(j, st, err);
    j->before = j->now;
    j->layers_before = j->layers;
    j->undos = 0;
    j->grouped = true;
    j->broken = false;
    return OM_OK;
}

static om_status add(struct om_journal *j, struct om_entry *entry,
                     struct om_err *err)
{
    struct om_db_row *row;
    size_t layer;
    entry->sequence = j->now.last + 1;
    OM_TRY(layer_add(j, entry->layer, &layer, err));
    OM_TRY(om__journal_statement(j, OM__ADD_ENTRY, &row, err));
    OM_TRY(om__journal_entry_bind(row, j->layer[layer].number, entry));
    OM_TRY(om_db_do(row, err));
    if (entry->old_row || entry->new_row) {
        OM_TRY(om__journal_statement(j, OM__ADD_ROW, &row, err));
        OM_TRY(om__journal_row_bind(row, entry));
        OM_TRY(om_db_do(row, err));
    }
    OM_TRY(om__journal_note(j, layer, entry));
    j->now.last = entry->sequence;
    return OM_OK;
}

om_status om_journal_add(struct om_journal *j, struct om_entry *entry,
                         struct om_err *err)
{
    if (!j->grouped || j->broken)
        return om_fail(err, OM_E_INTERNAL, 0, "there is no group at hand");
    if (strlen(entry->layer) >= OM_LIMIT_NAME_BYTES ||
        entry->id_len > OM_LIMIT_TEXT_BYTES)
        return om_fail(err, OM_E_LIMIT, 0, "a layer's name or an id too long");
    const om_status st = add(j, entry, err);
    j->broken = st != OM_OK;
    return st ? om__journal_fault(j, st, err) : OM_OK;
}

om_status om_journal_commit(struct om_journal *j, struct om_err *err)
{
    if (!j->grouped)
        return om_fail(err, OM_E_INTERNAL, 0, "there is no group at hand");
    om_status st = OM_OK;
    if (j->broken)
        st = om_fail(err, OM_E_INTERNAL, 0, "the group at hand has failed");
    else if (j->now.noted != j->before.noted ||
             j->now.clock_s != j->before.clock_s)
        st = om__journal_meta_write(j, err);
    if (!st) st = om_db_run(j->db, "COMMIT", err);
    if (st) {
        st = om__journal_fault(j, st, err);
        om_journal_rollback(j);
        return st;
    }
    j->grouped = false;
    if (j->now.last != j->before.last) mark_write(j);
    return OM_OK;
}

void om_journal_rollback(struct om_journal *j)
{
    if (!j->grouped) return;
    j->grouped = false;
    // SQLite has already rolled back after some errors: what then counts is
    // whether a new group can begin.
    (void)!om_db_run(j->db, "ROLLBACK", NULL);
    for (size_t i = j->undos; i-- > 0;) {
        const struct om__journal_undo *u = &j->undo[i];
        uint64_t before;
        if (u->layer != SIZE_MAX)
            j->layer[u->layer].commit = u->next;
        else if (om__journal_rows_put(&j->rows, j->now.floor, u->hash,
                                      u->next ? u->next : 1, &before))
            j->failed = true;
    }
    j->undos = 0;
    layers_cut(j, j->layers_before);
    j->now = j->before;
}

// ---- keys ----

static uint64_t key_mark(const struct om_journal_key *key)
{
    const uint64_t value[] = {key->request_hash, key->first,
                              key->last,         key->taken,
                              key->refused,      (uint64_t)key->at_ms};
    return om_hash64(key->key, strlen(key->key),
                     om_hash64(value, sizeof value, 0));
}

om_status om_journal_key_add(struct om_journal *j,
                             const struct om_journal_key *key,
                             struct om_err *err)
{
    struct om_db_row *row;
    if (!j->grouped || j->broken)
        return om_fail(err, OM_E_INTERNAL, 0, "there is no group at hand");
    OM_TRY(om__journal_statement(j, OM__ADD_KEY, &row, err));
    const uint64_t value[] = {
        key->request_hash, key->first,           key->last,    key->taken,
        key->refused,      (uint64_t)key->at_ms, key_mark(key)};
    OM_TRY(om_db_set_text(row, 1, key->key, strlen(key->key)));
    for (int i = 0; i < 7; i++)
        OM_TRY(om_db_set_integer(row, i + 2, (int64_t)value[i]));
    const om_status st = om_db_do(row, err);
    j->broken = st != OM_OK;
    return st ? om__journal_fault(j, st, err) : OM_OK;
}

om_status om_journal_key_find(struct om_journal *j, const char *key,
                              struct om_journal_key *out, bool *found,
                              struct om_err *err)
{
    struct om_db_row *row;
    *found = false;
    OM_TRY(om__journal_statement(j, OM__FIND_KEY, &row, err));
    OM_TRY(om_db_set_text(row, 1, key, strlen(key)));
    OM_TRY(om_db_step(row, found, err));
    if (!*found) return OM_OK;
    *out =
        (struct om_journal_key){.request_hash = (uint64_t)om_db_integer(row, 1),
                                .first = (uint64_t)om_db_integer(row, 2),
                                .last = (uint64_t)om_db_integer(row, 3),
                                .taken = (uint32_t)om_db_integer(row, 4),
                                .refused = (uint32_t)om_db_integer(row, 5),
                                .at_ms = om_db_integer(row, 6)};
    snprintf(out->key, sizeof out->key, "%s", key);
    const bool sound = (uint64_t)om_db_integer(row, 7) == key_mark(out);
    om_db_reset(row);
    return sound ? OM_OK : damaged(j, "its table 'key'", err);
}

// ---- upkeep ----

om_status om_journal_checkpoint(struct om_journal *j, struct om_err *err)
{
    int left;
    if (j->mode != OM_JOURNAL_WRITE || j->grouped)
        return om_fail(err, OM_E_INTERNAL, 0, "no checkpoint can be made now");
    if (j->failed) return om_fail(err, OM_E_IO, 0, "the disk failed");
    const om_status st = om_db_checkpoint(j->db, &left, err);
    return st ? om__journal_fault(j, st, err) : OM_OK;
}

om_status om_journal_copy(struct om_journal *j, const char *path,
                          struct om_err *err)
{
    return om_db_copy(j->db, path, err);
}
