// journal_internal.h - what the files of the journal share.
#ifndef OM_DATA_CITY_JOURNAL_INTERNAL_H
#define OM_DATA_CITY_JOURNAL_INTERNAL_H

#include "data/city/journal.h"
#include "data/db.h"

#define OM__PATH_BYTES 4096

/* A layer that an entry was about. */
struct om__journal_layer {
    char *name;
    int64_t number;
};

/* The one row of `meta`, and the newest entry. */
struct om__journal_state {
    uint64_t identity, first, floor, last, noted;
    int64_t clock_s;
};

enum om__journal_statement {
    OM__ADD_ENTRY,
    OM__ADD_ROW,
    OM__ADD_KEY,
    OM__FIND_KEY,
    OM__ADD_LAYER,
    OM__SET_META,
    OM__GET_META,
    OM__GET_LAST,
    OM__FOLD_CELL,
    OM__ADD_PACK,
    OM__GET_PACK,
    OM__STATEMENTS
};

struct om_journal {
    struct om_db *db;
    enum om_journal_mode mode;
    char folder[OM__PATH_BYTES], path[OM__PATH_BYTES];
    struct om_db_row *statement[OM__STATEMENTS];
    struct om__journal_state now, before;  // before the group at hand
    bool grouped, viewed, failed;
    bool plain;   // of the version without packs
    bool sound;   // WRITE: it was opened, and is as it should be
    bool broken;  // the group at hand can only be rolled back
    uint64_t missing;
    uint64_t pack_first, pack_next;  // WRITE: numbers given since it was opened
    int mark_fd;
    bool mark_failed;
    size_t layers, layers_before, layer_room;
    struct om__journal_layer *layer;
};

/* What to do about a journal that is not as it should be. */
#define OM__JOURNAL_WAY_OUT                                     \
    "(restore a backup, or go on without what is lost: onemap " \
    "verify CITY --accept-loss)"

/* "omjl": what SQLite files of ours are called inside. */
#define OM__JOURNAL_APPLICATION 0x6f6d6a6c

/* journal_open.c: the sequence that was acknowledged last, by which journal; 0:
 * there is no mark. */
struct om__journal_mark {
    uint64_t identity, last;
};
void om__journal_mark_write(struct om_journal *journal);
/** The number in the mark of a city; 0: none. */
uint64_t om__journal_marked(const char *city);

/* journal_tables.c */
om_status om__journal_damaged(const struct om_journal *journal,
                              const char *what, struct om_err *err);
om_status om__journal_meta_read(struct om_journal *journal, struct om_err *err);
/** In a group: the layer's index, made if need be. */
om_status om__journal_layer_add(struct om_journal *journal, const char *name,
                                size_t *out, struct om_err *err);
/** Forget all but the first layers. */
void om__journal_layers_cut(struct om_journal *journal, size_t count);
om_status om__journal_statement(struct om_journal *journal,
                                enum om__journal_statement which,
                                struct om_db_row **out, struct om_err *err);
/** READ: `now` and layers as the file has them. */
om_status om__journal_look(struct om_journal *journal, struct om_err *err);
om_status om__journal_layers(struct om_journal *journal, struct om_err *err);
/** Index of a layer by its number; SIZE_MAX: unknown. */
size_t om__journal_layer_at(const struct om_journal *journal, int64_t number);
size_t om__journal_layer_named(const struct om_journal *journal,
                               const char *name);
om_status om__journal_meta_write(struct om_journal *journal,
                                 struct om_err *err);
/** An error of the database in the journal's words; notes a failing disk. */
om_status om__journal_fault(struct om_journal *journal, om_status st,
                            struct om_err *err);

/** Bind and check an entry and a row: parameters and columns in the order of
 *  their tables. */
om_status om__journal_entry_bind(struct om_db_row *row, int64_t layer,
                                 const struct om_entry *entry);
bool om__journal_entry_read(struct om_db_row *row, int64_t *layer,
                            unsigned *has, struct om_entry *out);
om_status om__journal_row_bind(struct om_db_row *row,
                               const struct om_entry *entry);
bool om__journal_row_read(struct om_db_row *row, int column, unsigned has,
                          struct om_entry *out);
/* journal_pack.c: entries whose `kind` is this stand for `has` rows, which are
 * in the pack `noted`; what was in their place is in `reach`. */
#define OM__PACKED 4
struct om__bytes {
    const uint8_t *at, *end;
    bool bad;
};
struct om__unpack {
    bool known;     // the entry is what was written: the next two are right
    uint64_t last;  // sequence
    int64_t layer;  // number
    bool sound;     // so is the pack
    uint64_t left;  // rows
    struct om_entry entry;  // the row at hand, `layer` aside
    struct om__bytes pack, was;
};
bool om__journal_is_packed(struct om_db_row *row);
/** The statement stands at a packed entry. One at a time; borrows the row. */
om_status om__unpack_begin(struct om_journal *journal, struct om_db_row *row,
                           struct om__unpack *out, struct om_err *err);
/** To the next row; false: there is none, or it is not sound. */
bool om__unpack_next(struct om__unpack *unpack);
void om__unpack_end(struct om_journal *journal);

/** Columns of `entry`, as a SELECT names them, and how many. */
#define OM__ENTRY_COLUMNS                                          \
    "e.sequence,e.kind,e.layer,e.id,e.at_ms,e.clock_s,e.old_cell," \
    "e.new_cell,e.reach,e.who,e.noted,e.has,e.mark"
#define OM__ENTRY_COLUMN_COUNT 13

/** Note an entry of the group at hand in memory. */
void om__journal_note(struct om_journal *journal, const struct om_entry *entry);

#endif
