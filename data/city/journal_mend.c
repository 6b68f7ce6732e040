// journal_mend.c - what can be read of a damaged journal becomes a new one.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "data/base/file.h"
#include "data/city/committed.h"
#include "data/city/journal_internal.h"

/* DESIGN
 * The new journal is written in a folder of its own (MAKING), renamed when it
 * is whole (MADE), and only then changes places with the old one, whose files
 * go to a third. A call that finds MADE goes on from there, so that whatever
 * stops it in between, either the old files or the new journal are whole. */

#define MAKING "journal-making"
#define MADE "journal-made"
#define ASIDE "journal-aside-%u"
#define ASIDES 1000
/* Entries of one group: some MB. */
#define GROUP 10000

static const char *const FILES[] = {"journal.db-wal", "journal.db-shm",
                                    "journal.mark", "journal.db"};

struct mend {
    const char *city;
    struct om_manifest manifest;
    struct om_journal *old, *fresh;
    struct om_db_row *row;
    void (*lost)(void *ctx, uint64_t sequence, const char *layer,
                 const char *id, size_t id_len);
    void *ctx;
    uint64_t added;
    int64_t now_ms;
    struct om_journal_mended *out;
};

static om_status path_in(const struct mend *m, const char *folder,
                         const char *file, char out[OM__PATH_BYTES],
                         struct om_err *err)
{
    char in[OM__PATH_BYTES];
    if (om_path_join(in, sizeof in, m->city, folder) ||
        om_path_join(out, OM__PATH_BYTES, in, file))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    return OM_OK;
}

// ---- the new one ----

static om_status add(struct mend *m, struct om_entry *e, struct om_err *err)
{
    if (m->added++ % GROUP == 0) {
        if (m->added > 1) OM_TRY(om_journal_commit(m->fresh, err));
        OM_TRY(om_journal_begin(m->fresh, err));
    }
    return om_journal_add(m->fresh, e, err);
}

/* In the place of an entry that is lost: anything may have changed then. */
static om_status add_note(struct mend *m, struct om_err *err)
{
    const bool old = m->old != NULL;
    struct om_entry note = {
        .kind = OM_ENTRY_COMMIT,
        .layer = "",
        .id = "",
        .old_cell = OM_NO_CELL,
        .new_cell = OM_NO_CELL,
        .at_ms = m->now_ms,
        .clock_s = old ? m->old->now.clock_s : 0,
        .who = "",
        .commit = old ? m->old->now.noted : m->manifest.sequence};
    return add(m, &note, err);
}

static om_status lose(struct mend *m, uint64_t sequence, const char *layer,
                      const char *id, size_t len, struct om_err *err)
{
    m->out->lost++;
    if (m->lost) m->lost(m->ctx, sequence, layer, id, len);
    return add_note(m, err);
}

/* The same of one that is packed: its rows become entries of their own. */
static om_status take_packed(struct mend *m, uint64_t *next, struct om_err *err)
{
    struct om__unpack u;
    OM_TRY(om__unpack_begin(m->old, m->row, &u, err));
    const size_t at =
        u.known ? om__journal_layer_at(m->old, u.layer) : SIZE_MAX;
    const uint64_t before = u.entry.sequence;
    if (at == SIZE_MAX || before + 1 < *next) return OM_OK;
    while (*next <= before) OM_TRY(lose(m, (*next)++, NULL, NULL, 0, err));
    while (*next <= u.last) {
        const uint64_t sequence = (*next)++;
        if (!om__unpack_next(&u)) {
            OM_TRY(lose(m, sequence, NULL, NULL, 0, err));
            continue;
        }
        struct om_entry e = u.entry;
        e.layer = m->old->layer[at].name;
        m->out->kept++;
        OM_TRY(add(m, &e, err));
    }
    return OM_OK;
}

/* The entry at which the statement stands, if it is what was written. *next:
 * the first number that is not in the new journal. The number of an entry that
 * is not sound may be any. */
static om_status take(struct mend *m, uint64_t *next, struct om_err *err)
{
    struct om_entry e;
    int64_t number;
    unsigned has;
    const uint64_t sequence = (uint64_t)om_db_integer(m->row, 0);
    const bool known = om__journal_entry_read(m->row, &number, &has, &e);
    const size_t at = known ? om__journal_layer_at(m->old, number) : SIZE_MAX;
    if (at == SIZE_MAX || sequence < *next) return OM_OK;
    while (*next < sequence) OM_TRY(lose(m, (*next)++, NULL, NULL, 0, err));
    ++*next;
    e.layer = m->old->layer[at].name;
    if (!om__journal_row_read(m->row, OM__ENTRY_COLUMN_COUNT, has, &e))
        return lose(m, sequence, e.layer, e.id, e.id_len, err);
    m->out->kept++;
    return add(m, &e, err);
}

/* Damage is the end of what can be read; a disk or a memory that fails is none:
 * what is behind it may be sound. */
static om_status step(struct om_db_row *row, bool *more, struct om_err *err)
{
    const om_status st = om_db_step(row, more, err);
    if (st == OM_E_DAMAGED) *more = false;
    return st == OM_E_DAMAGED ? OM_OK : st;
}

/* All of the old one that can be read, from its floor on; where SQLite cannot
 * go on, what is behind is lost. */
static om_status take_all(struct mend *m, struct om_err *err)
{
    uint64_t next = m->old->now.floor + 1;
    bool more = true;
    OM_TRY(om_db_prepare(m->old->db,
                         "SELECT " OM__ENTRY_COLUMNS
                         ",r.old,r.new,r.mark FROM entry e LEFT JOIN row r ON"
                         " r.sequence=e.sequence WHERE e.sequence>?"
                         " ORDER BY e.sequence",
                         &m->row, err));
    OM_TRY(om_db_set_integer(m->row, 1, (int64_t)m->old->now.floor));
    for (;;) {
        OM_TRY(step(m->row, &more, err));
        if (!more) break;
        OM_TRY(om__journal_is_packed(m->row) ? take_packed(m, &next, err)
                                             : take(m, &next, err));
    }
    while (next <= m->out->last) OM_TRY(lose(m, next++, NULL, NULL, 0, err));
    return OM_OK;
}

/* Answers under idempotency keys, those that are sound. */
static om_status take_keys(struct mend *m, struct om_err *err)
{
    struct om_db_row *row = NULL;
    bool more = true;
    om_status st = om_db_prepare(m->old->db, "SELECT key FROM key", &row, err);
    while (!st) {
        struct om_journal_key key;
        bool found = false;
        size_t len;
        st = step(row, &more, err);
        if (st || !more) break;
        const char *text = om_db_text(row, 0, &len);
        if (!text) continue;
        st = om_journal_key_find(m->old, text, &key, &found, err);
        if (st == OM_E_DAMAGED) found = false;
        if (st == OM_E_DAMAGED) st = OM_OK;
        if (!st && found) st = om_journal_key_add(m->fresh, &key, err);
    }
    om_db_finish(row);
    return st;
}

static om_status fill(struct mend *m, struct om_err *err)
{
    om_status st = m->old ? take_all(m, err) : OM_OK;
    om_db_finish(m->row);
    m->row = NULL;
    // What entries that went long ago had changed is not known any more.
    if (!st) st = add_note(m, err);
    if (!st && m->old) st = take_keys(m, err);
    if (!st) st = om_journal_commit(m->fresh, err);
    m->out->last = om_journal_last(m->fresh);
    return st;
}

static om_status make(struct mend *m, struct om_err *err)
{
    char making[OM__PATH_BYTES], made[OM__PATH_BYTES], path[OM__PATH_BYTES];
    OM_TRY(path_in(m, MAKING, "", making, err));
    OM_TRY(path_in(m, MADE, "", made, err));
    OM_TRY(om_folder_make(making, err));
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        OM_TRY(path_in(m, MAKING, FILES[i], path, err));
        unlink(path);
    }
    const uint64_t first = m->old ? m->old->now.floor + 1 : m->out->last + 1;
    OM_TRY(om_journal_open(making, OM_JOURNAL_WRITE, first, &m->fresh, err));
    const om_status st = fill(m, err);
    om_journal_close(m->fresh);
    m->fresh = NULL;
    OM_TRY(st);
    if (rename(making, made))
        return om_fail(err, OM_E_IO, 0, "cannot rename %s: %s", making,
                       strerror(errno));
    return om_folder_sync(m->city, err);
}

// ---- in its place ----

static om_status move_aside(struct mend *m, struct om_err *err)
{
    char from[OM__PATH_BYTES], to[OM__PATH_BYTES];
    bool found = false;
    for (unsigned n = 1; n <= ASIDES && !found; n++) {
        snprintf(m->out->aside, sizeof m->out->aside, ASIDE, n);
        OM_TRY(path_in(m, m->out->aside, "", to, err));
        found = mkdir(to, 0777) == 0;
        if (!found && errno != EEXIST)
            return om_fail(err, OM_E_IO, 0, "cannot make %s: %s", to,
                           strerror(errno));
    }
    if (!found)
        return om_fail(err, OM_E_EXISTS, 0, "there are %d folders %s by now",
                       ASIDES, to);
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        if (om_path_join(from, sizeof from, m->city, FILES[i]))
            return om_fail(err, OM_E_LIMIT, 0, "path too long");
        OM_TRY(path_in(m, m->out->aside, FILES[i], to, err));
        if (rename(from, to) && errno != ENOENT)
            return om_fail(err, OM_E_IO, 0, "cannot rename %s: %s", from,
                           strerror(errno));
    }
    return om_folder_sync(m->city, err);
}

/* city.json first: while MADE has a database the next call goes on with it, and
 * once it has none everything is in its place. */
static om_status put_in_place(struct mend *m, struct om_err *err)
{
    char made[OM__PATH_BYTES], from[OM__PATH_BYTES], to[OM__PATH_BYTES];
    struct om_journal *j = NULL;
    OM_TRY(path_in(m, MADE, "", made, err));
    OM_TRY(om_journal_open(made, OM_JOURNAL_READ, 0, &j, err));
    m->manifest.journal = om_journal_identity(j);
    m->manifest.journal_last = m->out->last = om_journal_last(j);
    om_journal_close(j);
    OM_TRY(om_manifest_write(m->city, &m->manifest, err));
    om_committed_keep(m->city, &m->manifest);
    // The mark may be there from a call before; the database is the last.
    for (size_t i = 2; i < sizeof FILES / sizeof *FILES; i++) {
        OM_TRY(path_in(m, MADE, FILES[i], from, err));
        if (om_path_join(to, sizeof to, m->city, FILES[i]))
            return om_fail(err, OM_E_LIMIT, 0, "path too long");
        if (om_file_exists(from)) OM_TRY(om_file_rename(from, to, err));
    }
    for (size_t i = 0; i < 2; i++)
        if (!path_in(m, MADE, FILES[i], from, NULL)) unlink(from);
    rmdir(made);
    return OM_OK;
}

// ---- what there is ----

static bool is_made(const struct mend *m)
{
    char path[OM__PATH_BYTES];
    return !path_in(m, MADE, "journal.db", path, NULL) && om_file_exists(path);
}

/* The old journal as far as it can be opened; *sound: nothing is to be done. */
static om_status look(struct mend *m, bool *sound, struct om_err *err)
{
    struct om_err why = {0};
    *sound = false;
    m->out->last = om_journal_known_last(&m->manifest);
    const uint64_t marked = om__journal_marked(m->city);
    if (!om_journal_exists(m->city)) {
        *sound = om_journal_check(m->city, &m->manifest, NULL, NULL) == OM_OK;
        return OM_OK;
    }
    om_status st = om_journal_open(m->city, OM_JOURNAL_READ, 0, &m->old, &why);
    if (marked > m->out->last) m->out->last = marked;
    if (st == OM_E_DAMAGED || st == OM_E_NOTFOUND) return OM_OK;
    if (st) return om_fail(err, st, 0, "%s", why.text);
    *sound = !om_journal_check(m->city, &m->manifest, m->old, NULL) &&
             !om_journal_verify(m->old, NULL);
    if (m->manifest.journal && m->old->now.identity != m->manifest.journal) {
        // Not of this city, or of a time that it does not know.
        om_journal_close(m->old);
        m->old = NULL;
        return OM_OK;
    }
    return OM_OK;
}

static om_status mend(struct mend *m, struct om_err *err)
{
    bool sound = false;
    OM_TRY(om_manifest_read(m->city, &m->manifest, err));
    OM_TRY(om_committed_check(m->city, &m->manifest, err));
    if (!is_made(m)) {
        OM_TRY(look(m, &sound, err));
        if (sound) return OM_OK;
        m->out->gone = !m->old;
        if (!m->old && m->manifest.sequence > m->out->last)
            m->out->last = m->manifest.sequence;
        OM_TRY(make(m, err));
        om_journal_close(m->old);
        m->old = NULL;
    }
    OM_TRY(move_aside(m, err));
    return put_in_place(m, err);
}

om_status om_journal_mend(const char *city,
                          void (*lost)(void *ctx, uint64_t sequence,
                                       const char *layer, const char *id,
                                       size_t id_len),
                          void *ctx, struct om_journal_mended *out,
                          struct om_err *err)
{
    struct timespec now;
    int writer = -1, files = -1;
    *out = (struct om_journal_mended){0};
    clock_gettime(CLOCK_REALTIME, &now);
    struct mend m = {.city = city,
                     .lost = lost,
                     .ctx = ctx,
                     .now_ms = (int64_t)now.tv_sec * 1000,
                     .out = out};
    om_status st = om_journal_lock(city, &writer, err);
    if (!st) st = om_city_lock(city, &files, err);
    if (!st) st = mend(&m, err);
    om_journal_close(m.old);
    om_manifest_deinit(&m.manifest);
    if (files >= 0) close(files);
    if (writer >= 0) close(writer);
    return st;
}
