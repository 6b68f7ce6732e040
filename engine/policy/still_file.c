/* still_file.c - a still outlives the process that tells it.
 *
 * DESIGN
 * A still is the newest rows but for those that are held, and all that makes it
 * again is: where in the journal it was made, Q, and how the held rows were
 * told. A start opens the city up to Q, which is on its way to what is newest
 * (om_city_open_at), and puts these rows on top as if they were written; that
 * is the still, to the row, and what came after Q is for the next one.
 *
 *   (1) The file is durable before its still is told, so what was told last is
 *       the file's or older by whole steps.
 *   (2) The journal has what came until Q, as a still is made of what is
 *       published.
 *   (3) Files of the city never hold what came after Q: before each commit that
 *       would, there is a new still (om_live_options.moving). Until then the
 *       old files are right, afterwards the new ones, so a layer's section
 *       names both.
 *   (4) Files that are in neither list are an import's, which does the same
 *       itself (still_import.c), or a server that is told of it.
 *
 * We rejected old files that stay until nobody is told of them: a layer that is
 * written anew would need twice the room for as long as one row waits.
 */
#include "engine/policy/still_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/city/record.h"
#include "engine/live/group_internal.h"
#include "engine/policy/still_internal.h"
#include "engine/snapshot_internal.h"

#define MAGIC "onemap told 1\n\n"
#define FILE_BYTES ((size_t)4 << 30)
#define TRIES 10
#define SEED 7

/* What the file says of a layer. */
struct section {
    char name[OM_LIMIT_NAME_BYTES];
    uint64_t files, next;  // lists of files that it fits, as hashes
    uint64_t told, now;    // serials that the rows are the difference of
    uint64_t rows;
    struct om_buf bytes;  // of the rows
};

/* A list of files that is going to be committed. */
struct expected {
    char name[OM_LIMIT_NAME_BYTES];
    uint64_t files;
};

struct om_still_file {
    char city[OM_STILL_PATH_BYTES], path[OM_STILL_PATH_BYTES];
    struct stat stamp;  // of what was read or written; st_ino 0: none
    size_t sections;
    struct section *section;  // as written last
    size_t expects;
    struct expected *expected;
    bool moving;  // files are going to hold more than they did
    // While it is read.
    struct om_buf bytes;
    uint64_t id, sequence, layers;
    size_t body;  // where sections begin
};

/* ---- numbers ---- */

static om_status add_number(struct om_buf *out, uint64_t value, size_t len)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)(value >> 8 * i);
    return om_buf_add(out, bytes, len);
}

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static const uint8_t *take(struct reader *r, uint64_t len)
{
    const uint8_t *at = r->at;
    if (len > r->left) r->bad = true;
    if (r->bad) return NULL;
    r->at += len;
    r->left -= (size_t)len;
    return at;
}

static uint64_t take_number(struct reader *r, size_t len)
{
    const uint8_t *at = take(r, len);
    uint64_t value = 0;
    for (size_t i = 0; at && i < len; i++) value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/* ---- which files ---- */

static uint64_t files_of(const struct om_manifest_layer *layer)
{
    uint64_t hash = layer->parts + 1;
    for (size_t i = 0; i < layer->parts; i++)
        hash =
            om_hash64(layer->part[i].file, strlen(layer->part[i].file), hash);
    return hash;
}

static uint64_t expected_of(const struct om_still_file *f, const char *name,
                            uint64_t otherwise)
{
    for (size_t i = 0; i < f->expects; i++)
        if (!strcmp(f->expected[i].name, name)) return f->expected[i].files;
    return otherwise;
}

om_status om_still_file_expect(struct om_still_file *f,
                               const struct om_manifest *next)
{
    struct expected *list = om_calloc(next->layers + 1, sizeof *list);
    if (!list) return OM_E_MEMORY;
    for (size_t i = 0; i < next->layers; i++) {
        snprintf(list[i].name, sizeof list[i].name, "%s", next->layer[i].name);
        list[i].files = files_of(&next->layer[i]);
    }
    om_free(f->expected);
    f->expected = list;
    f->expects = next->layers;
    f->moving = true;
    return OM_OK;
}

bool om_still_file_fits(const struct om_still_file *f,
                        const struct om_manifest *now)
{
    bool fits = true;
    for (size_t i = 0; i < f->sections && fits; i++) {
        const struct section *s = &f->section[i];
        const struct om_manifest_layer *layer =
            om_manifest_find((struct om_manifest *)(uintptr_t)now, s->name);
        const uint64_t files = layer ? files_of(layer) : 0;
        fits = !layer || files == s->files || files == s->next;
    }
    return fits;
}

/* ---- reading ---- */

static bool read_stamp(const struct om_still_file *f, struct stat *out)
{
    if (stat(f->path, out) == 0) return true;
    memset(out, 0, sizeof *out);
    return false;
}

const char *om_still_file_city(const struct om_still_file *f)
{
    return f->city;
}

bool om_still_file_exists(const struct om_still_file *f)
{
    struct stat now;
    return read_stamp(f, &now);
}

bool om_still_file_changed(const struct om_still_file *f)
{
    struct stat now;
    read_stamp(f, &now);
    return now.st_ino != f->stamp.st_ino || now.st_size != f->stamp.st_size ||
           now.st_mtim.tv_sec != f->stamp.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != f->stamp.st_mtim.tv_nsec;
}

static om_status read_head(struct om_still_file *f)
{
    const size_t magic = strlen(MAGIC);
    struct reader r = {f->bytes.bytes, f->bytes.len, false};
    if (r.left < magic + 4 * 8 || memcmp(r.at, MAGIC, magic) != 0)
        return OM_E_FORMAT;
    struct reader end = {r.at + r.left - 8, 8, false};
    if (take_number(&end, 8) != om_hash64(r.at, r.left - 8, SEED))
        return OM_E_DAMAGED;
    r.left -= 8;
    take(&r, magic);
    f->id = take_number(&r, 8);
    f->sequence = take_number(&r, 8);
    f->layers = take_number(&r, 8);
    f->body = (size_t)(r.at - f->bytes.bytes);
    f->bytes.len -= 8;
    return OM_OK;
}

/* OM_E_NOTFOUND: there is none. */
static om_status read_file(struct om_still_file *f, struct om_err *err)
{
    om_buf_deinit(&f->bytes);
    f->sequence = f->layers = 0;
    if (!read_stamp(f, &f->stamp)) return OM_E_NOTFOUND;
    om_status st = om_file_read(f->path, FILE_BYTES, &f->bytes, err);
    if (!st) st = read_head(f);
    return st;
}

/* The section of a layer, its rows left to be read. */
static bool find_section(const struct om_still_file *f, const char *name,
                         struct section *out, struct reader *rows)
{
    struct reader r = {f->bytes.bytes + f->body, f->bytes.len - f->body, false};
    for (uint64_t i = 0; i < f->layers && !r.bad; i++) {
        const uint64_t len = take_number(&r, 8);
        const uint8_t *text = take(&r, len);
        out->files = take_number(&r, 8);
        out->next = take_number(&r, 8);
        out->rows = take_number(&r, 8);
        const uint64_t bytes = take_number(&r, 8);
        *rows = (struct reader){take(&r, bytes), (size_t)bytes, r.bad};
        if (!r.bad && len == strlen(name) && !memcmp(text, name, len))
            return true;
    }
    return false;
}

/* Rows as they were told, as if they were written. */
static om_status take_rows(const struct section *s, struct reader *r,
                           uint32_t layer, struct om__group *group)
{
    for (uint64_t i = 0; i < s->rows; i++) {
        const uint64_t id_len = take_number(r, 4), len = take_number(r, 4);
        const uint8_t *id = take(r, id_len);
        const bool there = len != OM__STILL_NONE;
        const uint8_t *record = there ? take(r, len) : NULL;
        size_t at;
        if (r->bad) return OM_E_FORMAT;
        OM_TRY(om__group_slot(group, layer, (const char *)id, id_len, &at));
        struct om__slot *slot = &group->slot[at];
        slot->touched = true;
        slot->alive = there;
        if (!there) continue;
        slot->record = group->bytes.len;
        slot->record_len = (size_t)len;
        OM_TRY(om_buf_add(&group->bytes, record, (size_t)len));
    }
    return OM_OK;
}

static om_status put_back(const struct section *s, struct reader *rows,
                          uint32_t layer, const struct om_schema *own,
                          const struct om__stack *then,
                          const struct om_joiner *joiner,
                          struct om__stack **out)
{
    struct om__group group = {0};
    struct om__finder finder = {0};
    om_status st = take_rows(s, rows, layer, &group);
    if (!st)
        st = om__group_apply(&group, layer, own, then, joiner, &finder, out,
                             NULL);
    om__finder_deinit(&finder);
    om__group_deinit(&group);
    return st;
}

/* One layer of the still, into *stack. OM_E_NOTFOUND: it is not known how it
 * was told. */
static om_status restore_layer(const struct om_still_file *f,
                               struct om_city *city,
                               const struct om_snapshot *then,
                               const struct om_snapshot *newest, size_t i,
                               struct om__stack **stack)
{
    const struct om_manifest_layer *meta = &newest->manifest->layer[i];
    struct om__stack *old = om__snapshot_of(then)->state[i].stack;
    struct section s;
    struct reader rows;
    if (!find_section(f, meta->name, &s, &rows)) return OM_E_NOTFOUND;
    const uint64_t files = files_of(meta);
    if ((files != s.files && files != s.next) || meta->applied > f->sequence ||
        !old || old->fault)
        return OM_E_NOTFOUND;
    if (!s.rows) {
        *stack = om__stack_ref(old);
        return OM_OK;
    }
    struct om_joiner *joiner = NULL;
    OM_TRY(om__city_lend_joiner(city, newest, &joiner));
    const om_status st =
        put_back(&s, &rows, (uint32_t)i, &meta->schema, old, joiner, stack);
    om_joiner_unref(joiner);
    return st;
}

/* All layers of which stills tell. *lost: some are not known. */
static om_status restore(const struct om_still_file *f, struct om_city *city,
                         const struct om_snapshot *then,
                         const struct om_snapshot *newest, bool *lost,
                         struct om_snapshot **out)
{
    const struct om__snapshot *s = om__snapshot_of(newest);
    const size_t layers = newest->manifest->layers;
    struct om__layer_state *state = om__states_copy(s->state, layers);
    om_status st = state ? OM_OK : OM_E_MEMORY;
    *lost = false;
    for (size_t l = 0; l < newest->layers && !st; l++) {
        const struct om_layer *layer = &newest->layer[l];
        const size_t i = (size_t)(layer->meta - newest->manifest->layer);
        struct om__stack *told = NULL;
        if (!om__still_watches(newest->manifest, layer)) continue;
        st = restore_layer(f, city, then, newest, i, &told);
        if (told) {
            om__stack_unref(state[i].stack);
            state[i].stack = told;
        }
        if (!st || st == OM_E_MEMORY) continue;
        om_log(OM_LOG_WARN, "still",
               "%s: what was told of persons last is not known: rows are told "
               "as they are (%s)",
               layer->name, om_status_text(st));
        *lost = true;
        st = OM_OK;
    }
    if (!st)
        st = om__snapshot_new(s->base, state, f->sequence, newest->clock_s, out,
                              NULL);
    if (state) om__states_free(state, layers);
    return st;
}

/* Stills tell of something here, and rows were written: there was a file. */
static bool had_one(const struct om_snapshot *newest)
{
    bool watched = false;
    for (size_t l = 0; l < newest->layers && !watched; l++)
        watched = om__still_watches(newest->manifest, &newest->layer[l]) &&
                  newest->layer[l].meta->applied;
    return watched;
}

/* One look at file and city. *again: the file has changed meanwhile. */
static om_status open_once(struct om_still_file *f, struct om_city **city,
                           struct om_snapshot **still, bool *again,
                           struct om_err *err)
{
    struct om_err why = {0};
    bool lost = false;
    const om_status read = read_file(f, &why);
    *again = false;
    OM_TRY(om_city_open_at(f->city, read ? 0 : f->sequence, city, err));
    struct om_snapshot *newest = om_city_snapshot(*city);
    struct om_snapshot *then = om_city_then(*city);
    om_status st = OM_OK;
    if (then && f->id == newest->manifest->id)
        st = restore(f, *city, then, newest, &lost, still);
    else if (read != OM_E_NOTFOUND || had_one(newest))
        om_log(OM_LOG_WARN, "still",
               "%s: what was told of persons last is not known (%s): rows are "
               "told as they are",
               f->path,
               !read         ? "it is of another city"
               : why.text[0] ? why.text
                             : om_status_text(read));
    *again = lost && om_still_file_changed(f);
    om_snapshot_unref(then);
    om_snapshot_unref(newest);
    om_buf_deinit(&f->bytes);
    if (st || *again) {
        om_snapshot_unref(*still);
        om_city_close(*city);
        *still = NULL;
        *city = NULL;
    }
    return st ? om_fail(err, st, 0, "%s: %s", f->path, om_status_text(st))
              : OM_OK;
}

om_status om_still_open(const char *path, struct om_still_file **file,
                        struct om_city **city, struct om_snapshot **still,
                        struct om_err *err)
{
    struct om_still_file *f = om_calloc(1, sizeof *f);
    if (!f) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    *still = NULL;
    *city = NULL;
    om_status st = OM_OK;
    bool again = true;
    if (snprintf(f->city, sizeof f->city, "%s", path) >= OM_STILL_PATH_BYTES ||
        om_path_join(f->path, sizeof f->path, path, OM_STILL_FILE))
        st = om_fail(err, OM_E_LIMIT, 0, "path too long");
    for (int i = 0; i < TRIES && again && !st; i++)
        st = open_once(f, city, still, &again, err);
    if (!st && again)
        st = om_fail(err, OM_E_BUSY, 0, "%s changes all the time", f->path);
    if (st)
        om_still_file_free(f);
    else
        *file = f;
    return st;
}

static void free_sections(struct section *section, size_t sections)
{
    for (size_t i = 0; section && i < sections; i++)
        om_buf_deinit(&section[i].bytes);
    om_free(section);
}

void om_still_file_free(struct om_still_file *f)
{
    if (!f) return;
    free_sections(f->section, f->sections);
    om_buf_deinit(&f->bytes);
    om_free(f->expected);
    om_free(f);
}

/* ---- writing ---- */

/* Rows of one part of what is told, or (told_part NONE) of what is newest. */
static om_status add_lot(const struct om__still_layer *l, size_t from,
                         size_t to, struct om_text_reader *reader,
                         struct om_buf *out)
{
    const struct om__still_row *first = &l->row[from];
    const bool there = first->told_part != OM__STILL_NONE;
    struct om_batch batch = {0};
    om_status st = OM_OK;
    if (there) {
        uint32_t *row = om_alloc_array(to - from, sizeof *row);
        if (!row) return OM_E_MEMORY;
        for (size_t i = from; i < to; i++) row[i - from] = l->row[i].told_row;
        st = om_segment_extract(l->told->part[first->told_part].segment,
                                &l->own, 0, to - from, row, NULL, 0, &batch);
        om_free(row);
    }
    for (size_t i = from; i < to && !st; i++) {
        const struct om__still_row *r = &l->row[i];
        const struct om_part *part =
            there ? &l->told->part[r->told_part] : &l->now->part[r->part];
        const char *id;
        size_t len;
        st = om_segment_text(part->segment, l->own.id_field,
                             there ? r->told_row : r->row, reader, &id, &len);
        if (!st) st = add_number(out, len, 4);
        const size_t at = out->len;
        if (!st) st = add_number(out, OM__STILL_NONE, 4);
        if (!st) st = om_buf_add(out, id, len);
        const size_t record = out->len;
        if (!st && there) st = om_record_add(&l->own, &batch, i - from, out);
        for (size_t b = 0; !st && there && b < 4; b++)
            out->bytes[at + b] = (uint8_t)((out->len - record) >> 8 * b);
    }
    if (there) om_arena_deinit(&batch.arena);
    return st;
}

static om_status add_rows(const struct om__still_layer *l, struct om_buf *out)
{
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t from = 0, to; from < l->count && !st; from = to) {
        for (to = from; to < l->count && to - from < OM_LIMIT_BATCH_ROWS; to++)
            if (l->row[to].told_part != l->row[from].told_part) break;
        st = add_lot(l, from, to, &reader, out);
    }
    om_text_reader_deinit(&reader);
    return st;
}

static struct section *section_of(const struct om_still_file *f,
                                  const char *name)
{
    for (size_t i = 0; i < f->sections; i++)
        if (!strcmp(f->section[i].name, name)) return &f->section[i];
    return NULL;
}

/* *same: nothing of it is another than is in the file already. */
static om_status make_section(struct om_still_file *f,
                              const struct om_snapshot *still,
                              const struct om_snapshot *newest,
                              const struct om_layer *layer, struct section *out,
                              bool *same)
{
    const struct om_layer *told = om_snapshot_layer(still, layer->name);
    struct section *was = section_of(f, layer->name);
    snprintf(out->name, sizeof out->name, "%s", layer->name);
    out->files = files_of(layer->meta);
    out->next = expected_of(f, layer->name, out->files);
    out->told = told ? told->serial : 0;
    out->now = layer->serial;
    *same = was && was->told == out->told && was->now == out->now &&
            was->files == out->files && was->next == out->next;
    if (was && was->told == out->told && was->now == out->now) {
        out->rows = was->rows;
        return om_buf_add(&out->bytes, was->bytes.bytes, was->bytes.len);
    }
    struct om__still_layer differs;
    OM_TRY(om__still_differs(still, newest, layer, &differs));
    out->rows = differs.count;
    const om_status st = add_rows(&differs, &out->bytes);
    om_free(differs.row);
    return st;
}

static om_status write_sections(struct om_still_file *f,
                                const struct section *section, size_t sections,
                                const struct om_snapshot *newest,
                                struct om_err *err)
{
    struct om_buf out = {0};
    om_buf_add_text(&out, MAGIC);
    (void)!add_number(&out, newest->manifest->id, 8);
    (void)!add_number(&out, newest->sequence, 8);
    (void)!add_number(&out, sections, 8);
    for (size_t i = 0; i < sections; i++) {
        const struct section *s = &section[i];
        const size_t len = strlen(s->name);
        (void)!add_number(&out, len, 8);
        om_buf_add(&out, s->name, len);
        (void)!add_number(&out, s->files, 8);
        (void)!add_number(&out, s->next, 8);
        (void)!add_number(&out, s->rows, 8);
        (void)!add_number(&out, s->bytes.len, 8);
        om_buf_add(&out, s->bytes.bytes, s->bytes.len);
    }
    if (!out.status)
        (void)!add_number(&out, om_hash64(out.bytes, out.len, SEED), 8);
    om_status st = out.status;
    if (!st) st = om_file_write_private(f->path, out.bytes, out.len, err);
    om_buf_deinit(&out);
    if (!st) read_stamp(f, &f->stamp);
    return st;
}

om_status om_still_file_write(struct om_still_file *f,
                              const struct om_snapshot *still,
                              const struct om_snapshot *newest,
                              struct om_err *err)
{
    struct section *section = om_calloc(newest->layers + 1, sizeof *section);
    if (!section) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    size_t sections = 0;
    bool all_same = true;
    om_status st = OM_OK;
    for (size_t i = 0; i < newest->layers && !st; i++) {
        bool same;
        if (!om__still_watches(newest->manifest, &newest->layer[i])) continue;
        st = make_section(f, still, newest, &newest->layer[i],
                          &section[sections++], &same);
        all_same = all_same && same;
    }
    if (st) om_fail(err, st, 0, "%s: %s", f->path, om_status_text(st));
    const bool needed = (!all_same || sections != f->sections || f->moving) &&
                        (sections || om_still_file_exists(f));
    if (!st && needed) st = write_sections(f, section, sections, newest, err);
    if (st || !needed) {
        free_sections(section, sections);
        return st;
    }
    free_sections(f->section, f->sections);
    f->section = section;
    f->sections = sections;
    f->moving = false;
    return OM_OK;
}
