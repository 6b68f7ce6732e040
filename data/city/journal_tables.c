// journal_tables.c - statements, and the small tables that are kept in memory.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/city/journal_internal.h"

static const char *const SQL[OM__STATEMENTS] = {
    [OM__ADD_ENTRY] = "INSERT INTO entry VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [OM__ADD_ROW] = "INSERT INTO row VALUES(?,?,?,?)",
    [OM__ADD_KEY] = "INSERT OR REPLACE INTO key VALUES(?,?,?,?,?,?,?,?)",
    [OM__FIND_KEY] = "SELECT * FROM key WHERE key=?",
    [OM__ADD_LAYER] = "INSERT INTO layer VALUES(?,?,?)",
    [OM__SET_META] = "INSERT OR REPLACE INTO meta VALUES(1,?,?,?,?,?,?)",
    [OM__GET_META] = "SELECT * FROM meta",
    [OM__GET_LAST] = ("SELECT sequence+(kind=4)*(has-1) FROM entry"
                      " ORDER BY sequence DESC LIMIT 1"),
    [OM__FOLD_CELL] = "INSERT OR REPLACE INTO cell VALUES(?,?,?,?,?,?)",
    [OM__ADD_PACK] = "INSERT INTO pack VALUES(?,?,?)",
    [OM__GET_PACK] = "SELECT bytes, mark FROM pack WHERE id=?",
};

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

om_status om__journal_damaged(const struct om_journal *j, const char *what,
                              struct om_err *err)
{
    return om_fail(err, OM_E_DAMAGED, 0,
                   "%s: %s is damaged " OM__JOURNAL_WAY_OUT, j->path, what);
}

static uint64_t meta_mark(const struct om__journal_state *s)
{
    const uint64_t value[] = {s->identity, s->first, s->floor, s->noted,
                              (uint64_t)s->clock_s};
    return om_hash64(value, sizeof value, OM__JOURNAL_APPLICATION);
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

om_status om__journal_meta_read(struct om_journal *j, struct om_err *err)
{
    struct om_db_row *row;
    struct om__journal_state s = {0};
    bool more;
    OM_TRY(om__journal_statement(j, OM__GET_META, &row, err));
    OM_TRY(om_db_step(row, &more, err));
    if (!more) return om__journal_damaged(j, "its table 'meta'", err);
    s.identity = (uint64_t)om_db_integer(row, 1);
    s.first = (uint64_t)om_db_integer(row, 2);
    s.floor = (uint64_t)om_db_integer(row, 3);
    s.noted = (uint64_t)om_db_integer(row, 4);
    s.clock_s = om_db_integer(row, 5);
    const bool sound = (uint64_t)om_db_integer(row, 6) == meta_mark(&s);
    om_db_reset(row);
    if (!sound) return om__journal_damaged(j, "its table 'meta'", err);
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

void om__journal_layers_cut(struct om_journal *j, size_t count)
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
            st = om__journal_damaged(j, "its table 'layer'", err);
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

om_status om__journal_layer_add(struct om_journal *j, const char *name,
                                size_t *out, struct om_err *err)
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
    OM_TRY(om__journal_meta_read(j, err));
    return om__journal_layers(j, err);
}
