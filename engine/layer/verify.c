/* verify.c - check every byte, and every derived figure against the columns.
 *
 * DESIGN
 * Checksums first, by reading the blocks and not the bits of those that were
 * seen already. Everything after that goes through the same getters as any
 * reader: what they refuse is damage that is counted as a bad block, and the
 * check of that part ends there; the other parts are checked all the same.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"
#include "engine/layer/verify_internal.h"

#define STRETCH_BLOCKS 64u
/* Rows that one thread takes at a time: whole blocks of text and of minima. */
#define STRETCH_ROWS (16u * OM_BLOCK_ROWS)

void om__verify_fault(struct om__verify *v, uint64_t bad, const char *what)
{
    if (bad == 0 || v->err->code) return;
    om_fail(v->err, OM_E_DAMAGED, 0, "%s: %s: %llu", v->segment->path, what,
            (unsigned long long)bad);
}

/* A getter that failed: damage is a fault like others, the rest is final. */
om_status om__verify_take(struct om__verify *v, om_status st, const char *what)
{
    if (st != OM_E_DAMAGED) return st;
    v->out->bad_blocks++;
    om__verify_fault(v, 1, what);
    return OM_OK;
}

struct blocks_job {
    const struct om__file *file;
    _Atomic uint64_t bad;
    _Atomic size_t first_bad;
};

static om_status blocks_stretch(void *ctx, size_t first, size_t end,
                                size_t lane)
{
    (void)lane;
    struct blocks_job *job = ctx;
    for (size_t b = first; b < end; b++) {
        if (om__file_block_is_intact(job->file, b)) continue;
        job->bad++;
        size_t known = job->first_bad;
        while (b < known &&
               !atomic_compare_exchange_weak(&job->first_bad, &known, b)) {
        }
    }
    return OM_OK;
}

static om_status verify_blocks(struct om__verify *v,
                               const struct om__file *file, const char *path)
{
    struct blocks_job job = {.file = file, .first_bad = SIZE_MAX};
    OM_TRY(om_parallel(file->blocks, STRETCH_BLOCKS, blocks_stretch, &job));
    v->out->blocks += file->blocks;
    v->out->bad_blocks += job.bad;
    if (job.bad == 0 || v->err->code) return OM_OK;
    (void)!om__file_wrong_block(file, path, job.first_bad, job.bad, v->err);
    return OM_OK;
}

struct rows_job {
    const struct om_segment *segment;
    const uint64_t *key;
    _Atomic uint64_t bad_order, bad_ids;
};

/* The id of a row before, kept while the next is read. */
struct kept_id {
    char *bytes;
    size_t len, room;
};

static om_status keep_id(struct kept_id *kept, const char *text, size_t len)
{
    if (len > kept->room) {
        char *grown = om_realloc(kept->bytes, 2 * len);
        if (!grown) return OM_E_MEMORY;
        kept->bytes = grown;
        kept->room = 2 * len;
    }
    memcpy(kept->bytes, text, len);
    kept->len = len;
    return OM_OK;
}

static int compare_ids(const struct kept_id *kept, const char *text, size_t len)
{
    const size_t shared = kept->len < len ? kept->len : len;
    const int order = shared ? memcmp(kept->bytes, text, shared) : 0;
    return order != 0 ? order : (kept->len > len) - (kept->len < len);
}

/* Does the lookup lead from this id to this row and to no row of the same id?
 * `other` reads the texts of rows with the same mark. */
static om_status verify_id(struct rows_job *job, size_t row, const char *text,
                           size_t len, struct om_text_reader *other)
{
    const struct om_segment *s = job->segment;
    const uint64_t hash = om__id_hash(text, len);
    const size_t bucket = om__id_bucket(hash, s->id_bits);
    const uint32_t *start = (const void *)s->id_bucket.bytes;
    const uint16_t *mark = (const void *)s->id_mark.bytes;
    const uint32_t *id_row = (const void *)s->id_row.bytes;
    bool found = false;
    for (size_t i = start[bucket]; i < start[bucket + 1]; i++) {
        if (mark[i] != om__id_mark(hash, s->id_bits)) continue;
        if (id_row[i] == row) {
            found = true;
            continue;
        }
        const char *twin;
        size_t twin_len;
        OM_TRY(om_segment_text(s, s->schema.id_field, id_row[i], other, &twin,
                               &twin_len));
        if (twin && twin_len == len && memcmp(twin, text, len) == 0)
            job->bad_order++;
    }
    if (!found) job->bad_ids++;
    return OM_OK;
}

static om_status rows_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct rows_job *job = ctx;
    const struct om_segment *s = job->segment;
    struct om_text_reader reader = {0}, other = {0};
    struct kept_id before = {0};
    om_status st = OM_OK;
    // The row before the stretch is read too, for the step into it.
    for (size_t i = first ? first - 1 : 0; i < end && !st; i++) {
        const char *text;
        size_t len;
        st = om_segment_text(s, s->schema.id_field, i, &reader, &text, &len);
        if (st) break;
        if (i >= first) {
            if (i > 0 && (job->key[i] < job->key[i - 1] ||
                          (job->key[i] == job->key[i - 1] &&
                           compare_ids(&before, text, len) >= 0)))
                job->bad_order++;
            st = verify_id(job, i, text, len, &other);
        }
        if (!st) st = keep_id(&before, text, len);
    }
    om_free(before.bytes);
    om_text_reader_deinit(&reader);
    om_text_reader_deinit(&other);
    return st;
}

static om_status verify_rows(struct om__verify *v)
{
    const struct om_segment *s = v->segment;
    struct rows_job job = {.segment = s};
    v->out->rows = s->rows;
    om_status st = om_segment_keys(s, 0, s->rows, &job.key);
    if (!st) st = om__view_touch(&s->file, &s->id_bucket, 0, s->id_bucket.len);
    if (!st) st = om__view_touch(&s->file, &s->id_mark, 0, s->id_mark.len);
    if (!st) st = om__view_touch(&s->file, &s->id_row, 0, s->id_row.len);
    if (!st) st = om_parallel(s->rows, STRETCH_ROWS, rows_stretch, &job);
    v->out->bad_order += job.bad_order;
    v->out->bad_ids += job.bad_ids;
    om__verify_fault(v, job.bad_order, "rows out of order or with equal ids");
    om__verify_fault(v, job.bad_ids, "ids that the lookup does not find");
    return om__verify_take(v, st, "keys and ids cannot be read");
}

/* Cells that differ; all of the longer list count where lengths differ. */
static uint64_t differing_cells(const struct om_cells *a,
                                const struct om_cells *b)
{
    if (a->count != b->count) return a->count > b->count ? a->count : b->count;
    uint64_t bad = 0;
    for (size_t i = 0; i < a->count; i++)
        bad += a->code[i] != b->code[i] || a->start[i] != b->start[i] ||
               a->mean_x[i] != b->mean_x[i] || a->mean_y[i] != b->mean_y[i];
    return bad;
}

static om_status verify_cells(struct om__verify *v)
{
    const struct om_segment *s = v->segment;
    const uint64_t *key;
    om_status st = om_segment_keys(s, 0, s->rows, &key);
    for (size_t i = 0; i < s->levels && !st; i++) {
        struct om_arena arena = {0};
        struct om_cells stored, made;
        st = om_segment_cells(s, i, &stored);
        if (!st) st = om_cells_build(key, s->rows, stored.level, &arena, &made);
        if (!st) {
            const uint64_t bad = differing_cells(&stored, &made);
            v->out->bad_cells += bad;
            om__verify_fault(v, bad, "cells that the rows contradict");
        }
        om_arena_deinit(&arena);
    }
    return om__verify_take(v, st, "cells cannot be read");
}

static om_status verify_directory(struct om__verify *v)
{
    const struct om_segment *s = v->segment;
    struct om__directory made = {0};
    const uint64_t *key;
    om_status st = om_segment_keys(s, 0, s->rows, &key);
    if (!st) st = om__view_touch(&s->file, &s->table, 0, s->table.len);
    if (!st) st = om__directory_build(key, s->rows, &made);
    if (!st) {
        uint64_t bad = 0;
        const uint32_t *table = (const void *)s->table.bytes;
        if (made.entries != s->directory.entries ||
            made.runs != s->directory.runs ||
            memcmp(made.run, s->directory.run, made.runs * sizeof *made.run) !=
                0)
            bad = 1;
        for (size_t i = 0; i < made.entries && bad != 1; i++)
            bad += (uint64_t)(made.table[i] != table[i]) * 2;
        v->out->bad_cells += bad;
        om__verify_fault(v, bad, "ranges that the keys contradict");
    }
    om_free(made.table);
    return om__verify_take(v, st, "directory cannot be read");
}

static bool same_box(struct om_box a, struct om_box b)
{
    return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

/* Box of a shape from its vertices. */
static struct om_box box_of_shape(const struct om_rings *r, size_t shape)
{
    struct om_box box = OM_BOX_NONE;
    const size_t ring = r->part_ring[r->shape_part[shape]];
    const size_t ring_end = r->part_ring[r->shape_part[shape + 1]];
    for (size_t i = r->ring_vertex[ring]; i < r->ring_vertex[ring_end]; i++) {
        const struct om_pos p = r->vertex[i];
        om_box_widen(&box, (struct om_box){p.x, p.y, p.x, p.y});
    }
    return box;
}

static om_status verify_boxes(struct om__verify *v)
{
    const struct om_segment *s = v->segment;
    const bool point = s->schema.geometry == OM_GEOMETRY_POINT;
    const uint64_t *key;
    struct om_rings rings = {0};
    struct om_box all = OM_BOX_NONE;
    uint64_t bad = 0, misplaced = 0;
    om_status st = om_segment_keys(s, 0, s->rows, &key);
    if (!st && !point) st = om_segment_rings(s, 0, s->rows, &rings);
    for (size_t i = 0; i < s->rows && !st; i++) {
        const struct om_pos p = om_morton_pos(key[i]);
        struct om_box box = {p.x, p.y, p.x, p.y};
        if (!point) {
            box = box_of_shape(&rings, i);
            bad += !same_box(box, rings.box[i]);
            misplaced += p.x != box.x0 + (box.x1 - box.x0) / 2 ||
                         p.y != box.y0 + (box.y1 - box.y0) / 2;
        }
        om_box_widen(&all, box);
    }
    if (!st) bad += !same_box(all, s->box);
    v->out->bad_cells += bad;
    v->out->bad_order += misplaced;
    om__verify_fault(v, bad, "boxes that the rows contradict");
    om__verify_fault(v, misplaced, "shapes that are not at their key");
    return om__verify_take(v, st, "shapes cannot be read");
}

om_status om_segment_verify(const struct om_segment *segment,
                            struct om_verify *out, struct om_err *err)
{
    *out = (struct om_verify){0};
    struct om_err first = {0};
    struct om__verify v = {segment, out, &first};
    om_status st = verify_blocks(&v, &segment->file, segment->path);
    if (!st && segment->units_path)
        st = verify_blocks(&v, &segment->units, segment->units_path);
    if (!st) st = verify_rows(&v);
    for (size_t i = 0; i < segment->schema.count && !st; i++)
        st = om__verify_column(&v, i);
    if (!st) st = verify_cells(&v);
    if (!st) st = verify_directory(&v);
    if (!st) st = verify_boxes(&v);
    if (!st)
        st = first.code;
    else
        om_fail(&first, st, 0, "%s: %s", segment->path, om_status_text(st));
    if (st && err) *err = first;
    return st;
}
