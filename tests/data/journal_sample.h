// journal_sample.h - folders and entries for tests of the journal.
#ifndef OM_TESTS_DATA_JOURNAL_SAMPLE_H
#define OM_TESTS_DATA_JOURNAL_SAMPLE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/city/journal.h"
#include "tests/folder.h"

/* A new empty folder, in memory where there is such a thing: thousands of syncs
 * would wait for a disk. folder_remove removes it. */
static inline char *folder_make(void)
{
    char folder[64];
    if (!test_memory_folder("onemap-journal", folder, sizeof folder)) abort();
    char *copy = strdup(folder);
    if (!copy) abort();
    return copy;
}

static inline void folder_remove(char *folder)
{
    char path[512];
    DIR *list = opendir(folder);
    for (struct dirent *e; list && (e = readdir(list));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        unlink(path);
    }
    if (list) closedir(list);
    rmdir(folder);
    free(folder);
}

/* With SAMPLE_PACK every third group of so many entries, counted from 1, is
 * packed, and written in two groups: ahead, and for good. */
#ifndef SAMPLE_PACK
#define SAMPLE_PACK 0
#endif

/* First entry of the pack in which entry n is; 0: it is in none. */
static inline uint64_t sample_pack_of(uint64_t n)
{
    const uint64_t size = SAMPLE_PACK ? SAMPLE_PACK : 1;
    return SAMPLE_PACK && (n - 1) / size % 3 == 2 ? (n - 1) / size * size + 1
                                                  : 0;
}

/* Entry number n of a made-up history: what it says follows from n alone, so
 * that a reader can tell whether it is what was written. */
struct sample {
    struct om_entry entry;
    char id[32], old_row[300], new_row[300];
};

static inline void sample_fill(struct sample *s, uint64_t n, unsigned ids)
{
    static const char *const LAYER[] = {"hazard", "rental", "road"};
    *s = (struct sample){0};
    struct om_entry *e = &s->entry;
    const uint64_t roll = n * UINT64_C(0x9e3779b97f4a7c15);
    e->layer = LAYER[roll >> 60 & 1];
    e->kind = (enum om_entry_kind)(roll >> 40) % 3;
    e->id_len = (size_t)snprintf(s->id, sizeof s->id, "id-%llu",
                                 (unsigned long long)(roll >> 20) % ids);
    e->id = s->id;
    e->old_cell = OM_NO_CELL;
    e->new_cell = OM_NO_CELL;
    if (e->kind != OM_ENTRY_INSERT) {
        e->old_len = roll % 290;
        memset(s->old_row, (int)(n % 251), e->old_len);
        e->old_row = s->old_row;
        e->old_cell = roll >> 28;
    }
    if (e->kind != OM_ENTRY_DELETE) {
        e->new_len = roll / 7 % 290;
        memset(s->new_row, (int)(n % 241), e->new_len);
        e->new_row = s->new_row;
        e->new_cell = roll / 3 >> 28;
    }
    if (roll % 5 == 0) {
        e->layer = LAYER[2];
        e->new_box = (struct om_box){5, 1 + (uint32_t)(roll % 9), 9, 12};
    }
    e->at_ms = (int64_t)(1700000000000 + n);
    e->clock_s = roll % 4 == 0 ? (int64_t)n : 0;
    e->who = roll % 3 == 0 ? "counter-7" : "";
    const uint64_t pack = sample_pack_of(n);
    if (!pack) return;
    // What all rows of a pack have in common, and what none has.
    e->layer = LAYER[pack >> 4 & 1];
    e->at_ms = (int64_t)(1700000000000 + pack);
    e->clock_s = pack % 4 ? 0 : (int64_t)pack;
    e->who = pack % 3 == 0 ? "counter-7" : "";
    e->old_row = NULL;
    e->old_len = 0;
    if (e->kind == OM_ENTRY_DELETE) e->kind = OM_ENTRY_UPDATE;
    e->new_row = s->new_row;
    e->new_len = roll / 7 % 290;
    memset(s->new_row, (int)(n % 241), e->new_len);
    e->new_cell = roll / 3 >> 28;
    if (roll % 7 == 0) e->old_box = (struct om_box){1, 2, 3, 4};
}

static inline bool sample_same(const struct om_entry *e, uint64_t n,
                               unsigned ids, bool rows)
{
    struct sample s;
    sample_fill(&s, n, ids);
    const struct om_entry *x = &s.entry;
    if (e->sequence != n || e->kind != x->kind || strcmp(e->layer, x->layer) ||
        e->id_len != x->id_len || memcmp(e->id, x->id, x->id_len) ||
        e->old_cell != x->old_cell || e->new_cell != x->new_cell ||
        memcmp(&e->old_box, &x->old_box, sizeof x->old_box) ||
        memcmp(&e->new_box, &x->new_box, sizeof x->new_box) ||
        e->at_ms != x->at_ms || e->clock_s != x->clock_s ||
        strcmp(e->who, x->who))
        return false;
    if (!rows) return !e->old_row && !e->new_row;
    return !e->old_row == !x->old_row && !e->new_row == !x->new_row &&
           e->old_len == x->old_len && e->new_len == x->new_len &&
           (!x->old_row || !memcmp(e->old_row, x->old_row, x->old_len)) &&
           (!x->new_row || !memcmp(e->new_row, x->new_row, x->new_len));
}

/* Sample entries from `next` on as a pack, ahead and then for good. */
static inline om_status sample_packed(struct om_journal *journal, uint64_t next,
                                      unsigned count, unsigned ids,
                                      struct om_err *err)
{
    struct om_buf pack = {0}, was = {0};
    struct sample s = {0};
    uint64_t id = 0;
    om_status st = OM_OK;
    for (unsigned i = count; !st && i-- > 0;) {
        sample_fill(&s, next + count - 1 - i, ids);
        st = om_pack_add(&pack, &s.entry);
        if (!st) st = om_pack_add_was(&was, &s.entry);
    }
    if (!st) st = om_journal_begin(journal, err);
    if (!st) {
        st = om_journal_pack(journal, &pack, &id, err);
        if (!st)
            st = om_journal_commit(journal, err);
        else
            om_journal_rollback(journal);
    }
    if (!st) st = om_journal_begin(journal, err);
    if (!st) {
        st = om_journal_add_pack(journal, &s.entry, id, count, &was, err);
        if (!st && s.entry.sequence != next) abort();
        if (!st)
            st = om_journal_commit(journal, err);
        else
            om_journal_rollback(journal);
    }
    om_buf_deinit(&pack);
    om_buf_deinit(&was);
    return st;
}

/* One group of `count` sample entries, numbered from what comes next. */
static inline om_status sample_group(struct om_journal *journal, unsigned count,
                                     unsigned ids, struct om_err *err)
{
    uint64_t next = om_journal_last(journal) + 1;
    if (sample_pack_of(next) == next && count == SAMPLE_PACK)
        return sample_packed(journal, next, count, ids, err);
    om_status st = om_journal_begin(journal, err);
    if (st) return st;
    for (unsigned i = 0; !st && i < count; i++) {
        struct sample s;
        sample_fill(&s, next + i, ids);
        st = om_journal_add(journal, &s.entry, err);
    }
    if (st) {
        om_journal_rollback(journal);
        return st;
    }
    return om_journal_commit(journal, err);
}

/* Counts entries that are what sample_fill makes of their number. */
struct sample_count {
    uint64_t seen, wrong, last;
    unsigned ids;
    bool rows;
};
static inline bool sample_check(void *ctx, const struct om_entry *e)
{
    struct sample_count *c = ctx;
    c->seen++;
    c->wrong += !sample_same(e, e->sequence, c->ids, c->rows);
    c->last = e->sequence;
    return true;
}

#endif
