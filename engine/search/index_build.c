/* index_build.c - from the texts of a segment to its index.
 *
 * DESIGN
 * Rows are read in stretches: all cores unpack and fold the texts of a window,
 * then one thread gives each text the number of its form, in the order of the
 * rows, so that files do not depend on the number of threads. Forms are put in
 * the order of their tokens: those of one road then have numbers side by side,
 * and lists of forms pack to little more than a byte each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/base/thread.h"
#include "engine/layer/segment_internal.h"
#include "engine/search/index_internal.h"

#define WINDOW_ROWS 65536
/* Rows of one stretch of a window: whole blocks of text. */
#define STRETCH_ROWS 2048
#define SECTIONS 16
#define BLOCK_BYTES_SMALL 4096
/* Below so many rows blocks of files are small. */
#define SMALL_ROWS 100000
#define PATH_BYTES 4096

/* A row whose text has something to be found by. */
struct entry {
    uint32_t form, row, number;  // number: where its numbers begin
};

struct building {
    const struct om_segment *segment;
    size_t column;
    const struct om_fold *fold;
    struct om__forms forms;
    struct entry *entry;  // [segment->rows]
    size_t entries;
    uint32_t *number;
    size_t numbers, number_room;
    uint32_t *order;     // [forms], by tokens
    uint32_t *rank;      // [forms]: where in order a form is
    uint32_t *entry_at;  // [forms + 1]
    // one window
    struct om_search_text *text;  // [WINDOW_ROWS]
    size_t first;
    struct om_text_reader reader[OM_LIMIT_THREADS];
};

static om_status fold_rows(void *ctx, size_t from, size_t to, size_t lane)
{
    struct building *b = ctx;
    for (size_t i = from; i < to; i++) {
        const char *text;
        size_t len;
        OM_TRY(om_segment_text(b->segment, b->column, b->first + i,
                               &b->reader[lane], &text, &len));
        b->text[i].tokens = b->text[i].numbers = 0;
        if (text) om_search_fold(b->fold, text, len, &b->text[i]);
    }
    return OM_OK;
}

static om_status add_text(struct building *b, size_t row,
                          const struct om_search_text *text)
{
    struct entry *e = &b->entry[b->entries];
    // Numbers alone are found by nothing.
    if (text->tokens == text->numbers) return OM_OK;
    OM_TRY(om__forms_find(&b->forms, text, &e->form));
    if (b->numbers + text->numbers > b->number_room) {
        const size_t room = b->number_room * 2 + 4096;
        uint32_t *number = om_realloc(b->number, room * sizeof *number);
        if (!number) return OM_E_MEMORY;
        b->number = number;
        b->number_room = room;
    }
    if (b->numbers + text->numbers > UINT32_MAX) return OM_E_LIMIT;
    if (text->numbers)
        memcpy(b->number + b->numbers, text->number,
               text->numbers * sizeof *b->number);
    e->row = (uint32_t)row;
    e->number = (uint32_t)b->numbers;
    b->numbers += text->numbers;
    b->entries++;
    return OM_OK;
}

static om_status read_texts(struct building *b)
{
    const size_t rows = b->segment->rows;
    b->entry = om_alloc_array(rows + 1, sizeof *b->entry);
    b->text = om_alloc_array(rows < WINDOW_ROWS ? rows + 1 : WINDOW_ROWS,
                             sizeof *b->text);
    if (!b->entry || !b->text) return OM_E_MEMORY;
    for (b->first = 0; b->first < rows; b->first += WINDOW_ROWS) {
        const size_t left = rows - b->first;
        const size_t n = left < WINDOW_ROWS ? left : WINDOW_ROWS;
        OM_TRY(om_parallel(n, STRETCH_ROWS, fold_rows, b));
        for (size_t i = 0; i < n; i++)
            OM_TRY(add_text(b, b->first + i, &b->text[i]));
        if (rows > WINDOW_ROWS)
            om_progress("index for search", b->first + n, rows);
    }
    return OM_OK;
}

static int by_tokens(const void *a, const void *b, void *ctx)
{
    const struct om__forms *f = ctx;
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const size_t nx = f->start[x + 1] - f->start[x];
    const size_t ny = f->start[y + 1] - f->start[y];
    const uint16_t *tx = f->token + f->start[x], *ty = f->token + f->start[y];
    for (size_t i = 0; i < nx && i < ny; i++)
        if (tx[i] != ty[i]) return tx[i] < ty[i] ? -1 : 1;
    return nx < ny ? -1 : nx > ny;
}

struct by_number {
    const uint32_t *number;
    size_t numbers;
};

static int by_numbers(const void *a, const void *b, void *ctx)
{
    const struct by_number *by = ctx;
    const struct entry *x = a, *y = b;
    for (size_t i = 0; i < by->numbers; i++) {
        const uint32_t p = by->number[x->number + i];
        const uint32_t q = by->number[y->number + i];
        if (p != q) return p < q ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Entries by form, those of a form by their numbers. */
static om_status sort_entries(struct building *b)
{
    const size_t forms = b->forms.count;
    b->order = om_alloc_array(forms + 1, sizeof *b->order);
    b->rank = om_alloc_array(forms + 1, sizeof *b->rank);
    b->entry_at = om_calloc(forms + 2, sizeof *b->entry_at);
    struct entry *sorted = om_alloc_array(b->entries + 1, sizeof *sorted);
    if (!b->order || !b->rank || !b->entry_at || !sorted) {
        om_free(sorted);
        return OM_E_MEMORY;
    }
    for (size_t i = 0; i < forms; i++) b->order[i] = (uint32_t)i;
    qsort_r(b->order, forms, sizeof *b->order, by_tokens, &b->forms);
    for (size_t i = 0; i < forms; i++) b->rank[b->order[i]] = (uint32_t)i;
    uint32_t *at = b->entry_at;
    for (size_t i = 0; i < b->entries; i++) at[b->rank[b->entry[i].form] + 2]++;
    for (size_t i = 2; i <= forms + 1; i++) at[i] += at[i - 1];
    for (size_t i = 0; i < b->entries; i++)
        sorted[at[b->rank[b->entry[i].form] + 1]++] = b->entry[i];
    om_free(b->entry);
    b->entry = sorted;
    for (size_t i = 0; i < forms; i++) {
        struct by_number by = {b->number, b->forms.numbers[b->order[i]]};
        qsort_r(sorted + at[i], at[i + 1] - at[i], sizeof *sorted, by_numbers,
                &by);
    }
    return OM_OK;
}

/* ---- writing ---- */

static om_status fill_rows(void *ctx, size_t from, size_t to, void *out)
{
    const struct building *b = ctx;
    for (size_t i = from / 4; i < to / 4; i++)
        ((uint32_t *)out)[i - from / 4] = b->entry[i].row;
    return OM_OK;
}

/* The numbers of all entries one after the other. */
static om_status gather_numbers(const struct building *b, uint32_t *number_at,
                                uint32_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < b->forms.count; i++) {
        const size_t each = b->forms.numbers[b->order[i]];
        number_at[i] = (uint32_t)n;
        if (!each) continue;
        for (size_t e = b->entry_at[i]; e < b->entry_at[i + 1]; e++) {
            memcpy(out + n, b->number + b->entry[e].number, each * sizeof *out);
            n += each;
        }
    }
    number_at[b->forms.count] = (uint32_t)n;
    return OM_OK;
}

static om_status write_numbers(const struct building *b, struct om__writer *w,
                               struct om_err *err)
{
    const size_t forms = b->forms.count;
    uint32_t *at = om_alloc_array(forms + 1, sizeof *at);
    uint32_t *number = om_alloc_array(b->numbers + 1, sizeof *number);
    om_status st = at && number ? gather_numbers(b, at, number) : OM_E_MEMORY;
    if (!st)
        st = om__writer_bytes(w, OM__SECTION_FORM_NUMBER_AT, 0, at,
                              (forms + 1) * sizeof *at, err);
    if (!st)
        st = om__writer_bytes(w, OM__SECTION_ENTRY_NUMBER, 0, number,
                              b->numbers * sizeof *number, err);
    om_free(at);
    om_free(number);
    return st;
}

static om_status write_tokens(const struct building *b, struct om__writer *w,
                              struct om_err *err)
{
    const struct om__forms *f = &b->forms;
    uint32_t *at = om_alloc_array(f->count + 1, sizeof *at);
    uint16_t *token = om_alloc_array(f->tokens + 1, sizeof *token);
    size_t n = 0;
    om_status st = at && token ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < f->count && !st; i++) {
        const uint32_t from = f->start[b->order[i]];
        const size_t len = f->start[b->order[i] + 1] - from;
        at[i] = (uint32_t)n;
        memcpy(token + n, f->token + from, len * sizeof *token);
        n += len;
    }
    if (!st) {
        at[f->count] = (uint32_t)n;
        st = om__writer_bytes(w, OM__SECTION_FORM_TOKEN_AT, 0, at,
                              (f->count + 1) * sizeof *at, err);
    }
    if (!st)
        st = om__writer_bytes(w, OM__SECTION_FORM_TOKEN, 0, token,
                              n * sizeof *token, err);
    om_free(at);
    om_free(token);
    return st;
}

static om_status write_lists(const struct building *b, struct om__writer *w,
                             enum om_gram_kind kind, struct om_err *err)
{
    struct om__lists lists = {0};
    om_status st = om__lists_make(b->fold, &b->forms, b->order, kind, &lists);
    if (!st)
        st = om__writer_bytes(w, OM__SECTION_GRAM, kind, lists.gram,
                              lists.grams * sizeof *lists.gram, err);
    if (!st)
        st = om__writer_bytes(w, OM__SECTION_POSTS_AT, kind, lists.posts_at,
                              (lists.grams + 1) * sizeof *lists.posts_at, err);
    if (!st)
        st = om__writer_bytes(w, OM__SECTION_POSTS, kind, lists.posts.bytes,
                              lists.posts.len, err);
    om__lists_deinit(&lists);
    return st;
}

static om_status write_all(struct building *b, struct om__writer *w,
                           struct om_err *err)
{
    struct om__search_meta meta =
        om__search_meta(b->segment, b->column, b->fold);
    meta.forms = b->forms.count;
    meta.entries = b->entries;
    OM_TRY(om__writer_bytes(w, OM__SECTION_META, 0, &meta, sizeof meta, err));
    OM_TRY(write_tokens(b, w, err));
    OM_TRY(om__writer_bytes(w, OM__SECTION_FORM_ENTRY_AT, 0, b->entry_at,
                            (b->forms.count + 1) * sizeof *b->entry_at, err));
    OM_TRY(write_numbers(b, w, err));
    OM_TRY(om__writer_section(w, OM__SECTION_ENTRY_ROW, 0, b->entries * 4,
                              fill_rows, b, err));
    for (int k = 0; k < OM_GRAM_KINDS; k++)
        OM_TRY(write_lists(b, w, (enum om_gram_kind)k, err));
    return om__writer_finish(w, err);
}

/* Under a name of its own first: whoever opens `path` finds all of it. */
static om_status write_file(struct building *b, const char *path,
                            struct om_search_index **out, struct om_err *err)
{
    struct om__writer w = {.fd = -1};
    struct om__file file = {0};
    char fresh[PATH_BYTES] = "";
    static atomic_uint last;
    if (path && (size_t)snprintf(fresh, sizeof fresh, "%s.%ld-%u.new", path,
                                 (long)getpid(),
                                 atomic_fetch_add(&last, 1)) >= sizeof fresh)
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    om_status st = om__writer_open(
        &w, path ? fresh : NULL, OM__FILE_SEARCH,
        b->segment->rows < SMALL_ROWS ? BLOCK_BYTES_SMALL : 0, SECTIONS, err);
    if (!st) st = write_all(b, &w, err);
    if (!st && path) st = om_file_rename(fresh, path, err);
    if (!st)
        st = path ? om__file_open(&file, path, OM__FILE_SEARCH, err)
                  : om__writer_take(&w, &file);
    om__writer_deinit(&w);
    if (st) {
        if (path) unlink(fresh);
        return st;
    }
    return om__search_index_take(&file, b->segment, b->column, out, err);
}

static void deinit(struct building *b)
{
    om__forms_deinit(&b->forms);
    om_free(b->entry);
    om_free(b->number);
    om_free(b->order);
    om_free(b->rank);
    om_free(b->entry_at);
    om_free(b->text);
    for (size_t i = 0; i < OM_LIMIT_THREADS; i++)
        om_text_reader_deinit(&b->reader[i]);
    om_free(b);
}

om_status om_search_index_build(const struct om_segment *segment, size_t column,
                                const char *path, struct om_search_index **out,
                                struct om_err *err)
{
    if (column >= segment->schema.count ||
        (segment->schema.field[column].type != OM_TYPE_TEXT &&
         segment->schema.field[column].type != OM_TYPE_CATEGORY))
        return om_fail(err, OM_E_TYPE, 0, "%s: no column of texts",
                       segment->path);
    struct building *b = om_calloc(1, sizeof *b);
    if (!b) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    b->segment = segment;
    b->column = column;
    om_status st = om_fold_get(&b->fold, err);
    if (!st) {
        st = read_texts(b);
        if (!st) st = sort_entries(b);
        if (!st) st = write_file(b, path, out, err);
        if (st && err && !err->code)
            om_fail(err, st, 0, "search index of %s: %s", segment->path,
                    om_status_text(st));
    }
    deinit(b);
    return st;
}
