// journal.h - every accepted write of a city, in order, durable.
#ifndef OM_DATA_CITY_JOURNAL_H
#define OM_DATA_CITY_JOURNAL_H

#include <stdbool.h>

#include "data/base/buf.h"
#include "data/base/status.h"
#include "data/city/manifest.h"
#include "data/model/pos.h"

/* CITY/journal.db, SQLite in WAL mode with synchronous=FULL. One process
 * writes it (om_journal_lock), by one connection, which also makes all
 * checkpoints; others read. An entry is a row that came, changed or went, or a
 * commit of city.json; those of a large write may be packed, which nobody who
 * reads them notices. Its sequence numbers are the city's: rising without
 * gaps, never given twice. DESIGN in journal.c. */
struct om_journal;

enum om_journal_mode { OM_JOURNAL_READ, OM_JOURNAL_WRITE };

enum om_entry_kind {
    OM_ENTRY_INSERT,
    OM_ENTRY_UPDATE,
    OM_ENTRY_DELETE,
    OM_ENTRY_COMMIT,  // city.json changed what `layer` holds; "" : everything
};

/** No cell: the entry has no old, or no new row. */
#define OM_NO_CELL UINT64_MAX

/* One entry. Pointers are borrowed, both ways, for the call. */
struct om_entry {
    uint64_t sequence;  // given by om_journal_add
    enum om_entry_kind kind;
    const char *layer;
    const char *id;
    size_t id_len;
    const void *old_row, *new_row;  // records (record.h); NULL: none
    size_t old_len, new_len;
    // Morton codes of the level-18 cells (36 bits) in which the old and the
    // new row lie, OM_NO_CELL: none; of a shape: that of the middle of its box,
    // and the box says how far it reaches, in level-18 cells, both corners
    // included. A box of zeros: only the one cell.
    uint64_t old_cell, new_cell;
    struct om_box old_box, new_box;
    int64_t at_ms;    // the machine's clock, UTC
    int64_t clock_s;  // the city's clock then, UTC; 0: as before
    const char *who;  // who wrote, "" or NULL unknown
    uint64_t commit;  // COMMIT: manifest.sequence
};

/** Take the right to write the journal of a city, for one process at a time:
 *  a server for its life. returns OM_E_BUSY (err says which process has it).
 *  *fd is closed to give it back. */
om_status om_journal_lock(const char *city, int *fd,
                          struct om_err *err) OM_MUST_USE;
struct om_journal_mended {
    uint64_t kept, lost, last;  // entries; the newest number now
    bool gone;  // nothing of the old one could be read: nobody knows what was
    char aside[OM_LIMIT_NAME_BYTES];  // folder of the city; "": nothing to do
};
/**
 * Make a journal anew of what can be read of a damaged one, or begin one in the
 * place of one that is gone or an older copy: entries that are sound keep their
 * numbers, in the place of the others stand notes that anything may have
 * changed, and no number that was ever given is given again. What was there is
 * put into a folder of the city (`aside`). `lost` is told of each entry that is
 * not there any more; layer and id NULL: unknown. A sound one is left alone.
 *
 * returns  OM_E_BUSY (somebody writes the city), OM_E_VERSION, OM_E_IO: all is
 *          as it was, or is finished by the next call
 * cost     that of reading and writing all entries
 */
om_status om_journal_mend(const char *city,
                          void (*lost)(void *ctx, uint64_t sequence,
                                       const char *layer, const char *id,
                                       size_t id_len),
                          void *ctx, struct om_journal_mended *out,
                          struct om_err *err) OM_MUST_USE;
/** Is there a journal? A city that was never written to row by row has none. */
bool om_journal_exists(const char *city);
/**
 * Open the journal of a city; WRITE makes it if it is not there, its first
 * sequence being `first` (above manifest.sequence), and needs the lock.
 *
 * WRITE refuses a journal whose end or small tables are not what was written;
 * READ opens it as long as there is something to be read, and
 * om_journal_missing tells what is not. Entries are checked as they are read,
 * by whoever reads them.
 *
 * returns  OM_E_NOTFOUND (READ, none there), OM_E_IO, OM_E_DAMAGED (err says
 *          what, and what to do), OM_E_VERSION (made by a later version)
 * owns     *out: om_journal_close
 * threads  one at a time; several journals of one city in one process are fine
 */
om_status om_journal_open(const char *city, enum om_journal_mode mode,
                          uint64_t first, struct om_journal **out,
                          struct om_err *err) OM_MUST_USE;
void om_journal_close(struct om_journal *journal);

/** Told apart from every other journal. */
uint64_t om_journal_identity(struct om_journal *journal);
/** Newest number of the journal that city.json knows of; 0: none. */
uint64_t om_journal_known_last(const struct om_manifest *manifest);
/** Is this (NULL: there is none) the journal that city.json knows, up to where
 *  it knows it? OM_E_DAMAGED: no, err says why and what to do. */
om_status om_journal_check(const char *city, const struct om_manifest *manifest,
                           struct om_journal *journal,
                           struct om_err *err) OM_MUST_USE;
/** Is CITY/journal.mark, if there is one, what a writer wrote? OM_E_DAMAGED:
 * no; nothing is lost by that, but an older journal would not be known by it.
 */
om_status om_journal_mark_check(const char *city,
                                struct om_err *err) OM_MUST_USE;
/** Let city.json know of it, in memory. */
void om_journal_remember(struct om_journal *journal,
                         struct om_manifest *manifest);

/** Newest sequence that is durable; the first's predecessor if empty. */
uint64_t om_journal_last(struct om_journal *journal);
/** Entries up to this one may be gone (om_journal_trim). */
uint64_t om_journal_floor(struct om_journal *journal);
/** manifest.sequence of the newest commit that was noted; 0: none. */
uint64_t om_journal_commit_noted(struct om_journal *journal);
/** Newest clock_s that an entry brought, kept or let go; 0: none. */
int64_t om_journal_clock(struct om_journal *journal);
/** How many of the newest entries that were acknowledged are not there (their
 *  bytes were damaged or removed); 0: all are. */
uint64_t om_journal_missing(struct om_journal *journal);
/** After the disk failed under a write nothing is taken any more (OM_E_IO)
 *  until the journal is closed and opened again: only that tells what is
 *  really on it. A full disk is not such a failure. */
bool om_journal_failed(struct om_journal *journal);
/** Bytes of the database and its log on disk. */
uint64_t om_journal_bytes(struct om_journal *journal);

/** READ: see one moment of the journal in all calls from here to the end of
 *  the view, whoever writes or trims meanwhile. Keep it short: the log grows
 *  as long as it lasts. WRITE: nothing to do, the writer is alone. */
om_status om_journal_view(struct om_journal *journal,
                          struct om_err *err) OM_MUST_USE;
void om_journal_view_end(struct om_journal *journal);

/** Begin, fill and end a group. Nothing of it is there before commit returns
 *  OM_OK; then all of it is, whatever happens to the machine. On an error of
 *  any of them the group is gone and the journal as it was - except that after
 *  a failing disk (om_journal_failed) the next opening may find the group, all
 *  of it or nothing. */
om_status om_journal_begin(struct om_journal *journal,
                           struct om_err *err) OM_MUST_USE;
/** Append; sets entry->sequence. On an error the group has to be rolled back.
 */
om_status om_journal_add(struct om_journal *journal, struct om_entry *entry,
                         struct om_err *err) OM_MUST_USE;
om_status om_journal_commit(struct om_journal *journal,
                            struct om_err *err) OM_MUST_USE;
/** Rows of one pack: what one call of om_journal_trim can let go. */
#define OM_PACK_ROWS 1000
/** Add to a pack what a row will be: id, new_row, new_cell, new_box; and to
 *  what was in the place of its rows, in the same order: kind (INSERT or
 *  UPDATE), old_cell, old_box. */
om_status om_pack_add(struct om_buf *pack,
                      const struct om_entry *entry) OM_MUST_USE;
om_status om_pack_add_was(struct om_buf *was,
                          const struct om_entry *entry) OM_MUST_USE;
/** In a group: write a pack, of which nothing can be seen. Its number is good
 *  until the journal is closed. */
om_status om_journal_pack(struct om_journal *journal, const struct om_buf *pack,
                          uint64_t *id, struct om_err *err) OM_MUST_USE;
/** In the same group or a later one: let the rows of a pack, as many as `was`
 *  has, come. Of the entry layer, at_ms, clock_s and who count for all;
 *  sequence is set to that of the first. */
om_status om_journal_add_pack(struct om_journal *journal,
                              struct om_entry *entry, uint64_t id, size_t rows,
                              const struct om_buf *was,
                              struct om_err *err) OM_MUST_USE;
/** Remove packs that were not added, as a group. If it cannot be done, opening
 *  the journal for writing does. */
om_status om_journal_drop_packs(struct om_journal *journal, const uint64_t *id,
                                size_t count, struct om_err *err) OM_MUST_USE;
void om_journal_rollback(struct om_journal *journal);

/** Call `each` with the entries after `after`, in order, at most `limit` (0:
 *  all); false from it stops. rows false: without old_row and new_row. Entries
 *  up to the floor are skipped in silence: look at om_journal_floor, in a view.
 *  returns OM_E_DAMAGED at the first entry that is not what was written; those
 *  before it were given. */
om_status om_journal_each(struct om_journal *journal, uint64_t after,
                          uint64_t limit, bool rows,
                          bool (*each)(void *ctx, const struct om_entry *entry),
                          void *ctx, struct om_err *err) OM_MUST_USE;
/* What a client was told under an idempotency key. */
struct om_journal_key {
    char key[128];          // with the client's layer before it
    uint64_t request_hash;  // of the body: the same key with another is refused
    uint64_t first, last;   // sequences
    uint32_t taken, refused;
    uint32_t created;  // of those taken
    int64_t at_ms;
};
/** In the group at hand: remember; before it: look up. *found false: unknown.
 */
om_status om_journal_key_add(struct om_journal *journal,
                             const struct om_journal_key *key,
                             struct om_err *err) OM_MUST_USE;
om_status om_journal_key_find(struct om_journal *journal, const char *key,
                              struct om_journal_key *out, bool *found,
                              struct om_err *err) OM_MUST_USE;

/** Let entries up to `sequence` go (folded into the table of changed cells; of
 *  packed ones only whole packs), and keys older than `keys_before_ms`. Bounded
 * work a call; *more says that there is something left. */
om_status om_journal_trim(struct om_journal *journal, uint64_t sequence,
                          int64_t keys_before_ms, bool *more,
                          struct om_err *err) OM_MUST_USE;
/** Cells of entries that were let go: their last sequence and time. `level` is
 *  18, or less where a shape reaches far (`cell` is a Morton code of that
 *  level), or 0: the layer as a whole, after a commit ("": of all layers). */
om_status om_journal_each_cell(struct om_journal *journal,
                               bool (*each)(void *ctx, const char *layer,
                                            unsigned level, uint64_t cell,
                                            uint64_t sequence, int64_t at_ms),
                               void *ctx, struct om_err *err) OM_MUST_USE;
/** Everything the file has, against its own checksums: pages, entries, rows,
 *  keys, cells. returns OM_E_DAMAGED with what is off. */
om_status om_journal_verify(struct om_journal *journal,
                            struct om_err *err) OM_MUST_USE;
/** Move what is in the write-ahead log into the database file, as far as no
 *  reader needs it. The writer calls it when nobody waits: nothing else does,
 *  and the log grows until then. */
om_status om_journal_checkpoint(struct om_journal *journal,
                                struct om_err *err) OM_MUST_USE;
/** A consistent copy of the journal at this moment, readable on its own.
 *  Call it on a READ journal: a writer would wait for it. */
om_status om_journal_copy(struct om_journal *journal, const char *path,
                          struct om_err *err) OM_MUST_USE;

#endif
