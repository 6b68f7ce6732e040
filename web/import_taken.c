// import_taken.c - ids in files, and a set of those in the journal.
#include "web/import_taken.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/city/committed.h"
#include "data/city/journal.h"
#include "engine/layer/dead.h"
#include "engine/snapshot.h"

#define PATH_BYTES 4096

struct id {
    const char *text;  // NULL: a free place
    size_t len;
};

struct om_taken {
    const struct om_manifest_layer *layer;
    struct om_arena arena;
    size_t parts;
    struct om_part *part;
    // The journal's: open addressing, at most half full.
    struct id *id;
    size_t room, count;
    om_status status;
};

static struct id *place_of(struct id *table, size_t room, const char *text,
                           size_t len)
{
    size_t at = om_hash64(text, len, 0) & (room - 1);
    while (table[at].text &&
           (table[at].len != len || memcmp(table[at].text, text, len) != 0))
        at = (at + 1) & (room - 1);
    return &table[at];
}

static om_status grow(struct om_taken *taken)
{
    if (taken->room > 2 * taken->count) return OM_OK;
    const size_t room = taken->room ? 2 * taken->room : 1024;
    struct id *table = om_calloc(room, sizeof *table);
    if (!table) return OM_E_MEMORY;
    for (size_t i = 0; i < taken->room; i++) {
        const struct id *id = &taken->id[i];
        if (id->text) *place_of(table, room, id->text, id->len) = *id;
    }
    om_free(taken->id);
    taken->id = table;
    taken->room = room;
    return OM_OK;
}

static om_status add(struct om_taken *taken, const char *text, size_t len)
{
    OM_TRY(grow(taken));
    struct id *at = place_of(taken->id, taken->room, text, len);
    if (at->text) return OM_OK;
    at->text = om_arena_text(&taken->arena, text, len);
    if (!at->text) return OM_E_MEMORY;
    at->len = len;
    taken->count++;
    return OM_OK;
}

static bool see_entry(void *ctx, const struct om_entry *entry)
{
    struct om_taken *taken = ctx;
    if (entry->kind != OM_ENTRY_COMMIT &&
        !strcmp(entry->layer, taken->layer->name))
        taken->status = add(taken, entry->id, entry->id_len);
    return !taken->status;
}

static om_status read_journal(const char *city, struct om_taken *taken,
                              struct om_err *err)
{
    struct om_journal *journal = NULL;
    if (!om_journal_exists(city)) return OM_OK;
    OM_TRY(om_journal_open(city, OM_JOURNAL_READ, 0, &journal, err));
    om_status st = om_journal_each(journal, taken->layer->applied, 0, false,
                                   see_entry, taken, err);
    om_journal_close(journal);
    if (!st && taken->status)
        st = om_fail(err, taken->status, 0, "%s: %s", taken->layer->name,
                     om_status_text(taken->status));
    return st;
}

static om_status open_parts(const char *city, struct om_taken *taken,
                            struct om_err *err)
{
    const struct om_manifest_layer *layer = taken->layer;
    char path[PATH_BYTES];
    taken->part =
        om_arena_calloc(&taken->arena, layer->parts + 1, sizeof *taken->part);
    if (!taken->part) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    for (size_t i = 0; i < layer->parts; i++) {
        const struct om_manifest_part *from = &layer->part[i];
        struct om_part *part = &taken->part[i];
        OM_TRY(om_path_join(path, sizeof path, city, from->file));
        OM_TRY(om_segment_open(path, NULL, &part->segment, err));
        taken->parts++;
        if (!from->dead_file[0]) continue;
        OM_TRY(om_path_join(path, sizeof path, city, from->dead_file));
        OM_TRY(om_dead_read(path, part->segment, &taken->arena, &part->dead,
                            &part->dead_count, err));
    }
    return OM_OK;
}

om_status om_taken_new(const char *city, const struct om_manifest_layer *layer,
                       struct om_taken **out, struct om_err *err)
{
    struct om_taken *taken = om_calloc(1, sizeof *taken);
    if (!taken) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    taken->layer = layer;
    om_status st = open_parts(city, taken, err);
    if (!st) st = read_journal(city, taken, err);
    if (st)
        om_taken_free(taken);
    else
        *out = taken;
    return st;
}

void om_taken_free(struct om_taken *taken)
{
    if (!taken) return;
    for (size_t i = 0; i < taken->parts; i++)
        om_segment_unref(taken->part[i].segment);
    om_arena_deinit(&taken->arena);
    om_free(taken->id);
    om_free(taken);
}

om_status om_taken_has(void *ctx, const char *id, size_t len, bool *out)
{
    const struct om_taken *taken = ctx;
    *out = taken->room && place_of(taken->id, taken->room, id, len)->text;
    for (size_t i = 0; i < taken->parts && !*out; i++) {
        const struct om_part *part = &taken->part[i];
        struct om_text_reader reader = {0};
        size_t row = 0;
        const om_status st =
            om_segment_find(part->segment, id, len, &reader, &row);
        om_text_reader_deinit(&reader);
        if (st == OM_E_NOTFOUND) continue;
        OM_TRY(st);
        const size_t dead = om_part_dead_from(part, row);
        *out = dead == part->dead_count || part->dead[dead] != row;
    }
    return OM_OK;
}

bool om_taken_written(const struct om_taken *taken)
{
    return taken->count > 0;
}

om_status om_import_journal_last(const char *city, struct om_manifest *m,
                                 uint64_t *out, int64_t *clock_s,
                                 struct om_err *err)
{
    struct om_journal *journal = NULL;
    om_status st = OM_OK;
    *out = 0;
    if (clock_s) *clock_s = 0;
    if (om_journal_exists(city))
        st = om_journal_open(city, OM_JOURNAL_READ, 0, &journal, err);
    if (st == OM_E_NOTFOUND) st = OM_OK;  // it begins
    if (!st) st = om_committed_check(city, m, err);
    if (!st) st = om_journal_check(city, m, journal, err);
    if (!st && journal) {
        *out = om_journal_last(journal);
        if (clock_s) *clock_s = om_journal_clock(journal);
        om_journal_remember(journal, m);
    }
    om_journal_close(journal);
    return st;
}

struct tally {
    const char *layer;
    uint64_t to, writes;
};

static bool tally_entry(void *ctx, const struct om_entry *entry)
{
    struct tally *tally = ctx;
    if (entry->sequence > tally->to) return false;
    tally->writes +=
        entry->kind != OM_ENTRY_COMMIT && !strcmp(entry->layer, tally->layer);
    return true;
}

om_status om_import_journal_writes(const char *city, const char *layer,
                                   uint64_t from, uint64_t to, uint64_t *out,
                                   struct om_err *err)
{
    struct om_journal *journal = NULL;
    struct tally tally = {.layer = layer, .to = to};
    *out = 0;
    if (from >= to || !om_journal_exists(city)) return OM_OK;
    OM_TRY(om_journal_open(city, OM_JOURNAL_READ, 0, &journal, err));
    const om_status st =
        om_journal_each(journal, from, 0, false, tally_entry, &tally, err);
    om_journal_close(journal);
    *out = tally.writes;
    return st;
}
