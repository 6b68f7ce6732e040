// journal.c - groups, keys, what is known of a journal.
#include "data/city/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/limits.h"
#include "data/base/log.h"
#include "data/city/journal_internal.h"

/* DESIGN
 * Tables: `entry` and `row` (old and new record) by sequence, both only ever
 * appended to and cut at their beginning, so that a group is a few whole pages
 * at the end of the file; `pack`, many rows in one blob (journal_pack.c);
 * `layer` numbers the names; `key`; `cell`, what entries that were let go had
 * changed; `meta`, one row.
 *
 * (1) SQLite has no checksums of what it has moved into its file, and ends a
 *     log without a word at the first frame that is not right. So each row of
 *     each table carries a hash of all its values (`mark`), sequences have no
 *     gaps, and CITY/journal.mark remembers the last sequence that was
 *     acknowledged: a journal that ends before it has lost something. The mark
 *     is written after the group is durable and is not synced: it may lag
 *     after a power cut, and is then a weaker promise, never a false alarm.
 * (2) One connection writes and makes all checkpoints; others read and never
 *     make any, not even when they close (the bug of WAL logs that are reset
 *     while another connection commits, SQLite 3.7.0 to 3.51.2).
 * (3) After a failing write or sync nobody knows what the disk has: the
 *     journal takes nothing until it is opened anew and reads what is there.
 *     A full disk is another matter: SQLite has taken the group back. */

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
    OM_TRY(om__journal_layer_add(j, entry->layer, &layer, err));
    OM_TRY(om__journal_statement(j, OM__ADD_ENTRY, &row, err));
    OM_TRY(om__journal_entry_bind(row, j->layer[layer].number, entry));
    OM_TRY(om_db_do(row, err));
    if (entry->old_row || entry->new_row) {
        OM_TRY(om__journal_statement(j, OM__ADD_ROW, &row, err));
        OM_TRY(om__journal_row_bind(row, entry));
        OM_TRY(om_db_do(row, err));
    }
    om__journal_note(j, entry);
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
    if (j->now.last != j->before.last) om__journal_mark_write(j);
    return OM_OK;
}

void om_journal_rollback(struct om_journal *j)
{
    if (!j->grouped) return;
    j->grouped = false;
    // SQLite has already rolled back after some errors: what then counts is
    // whether a new group can begin.
    (void)!om_db_run(j->db, "ROLLBACK", NULL);
    om__journal_layers_cut(j, j->layers_before);
    j->now = j->before;
}

// ---- keys ----

/* Rows taken, and in the upper half those of them that were new. */
static uint64_t key_rows(const struct om_journal_key *key)
{
    return key->taken | (uint64_t)key->created << 32;
}

static uint64_t key_mark(const struct om_journal_key *key)
{
    const uint64_t value[] = {key->request_hash, key->first,
                              key->last,         key_rows(key),
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
        key->request_hash, key->first,           key->last,    key_rows(key),
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
    *out = (struct om_journal_key){
        .request_hash = (uint64_t)om_db_integer(row, 1),
        .first = (uint64_t)om_db_integer(row, 2),
        .last = (uint64_t)om_db_integer(row, 3),
        .taken = (uint32_t)om_db_integer(row, 4),
        .created = (uint32_t)(om_db_integer(row, 4) >> 32),
        .refused = (uint32_t)om_db_integer(row, 5),
        .at_ms = om_db_integer(row, 6)};
    snprintf(out->key, sizeof out->key, "%s", key);
    const bool sound = (uint64_t)om_db_integer(row, 7) == key_mark(out);
    om_db_reset(row);
    return sound ? OM_OK : om__journal_damaged(j, "its table 'key'", err);
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
