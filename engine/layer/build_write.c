/* build_write.c - from gathered rows to a file.
 *
 * DESIGN
 * Shapes are settled first, since that decides who is refused; then ids, since
 * that decides who is a duplicate; then the rest is sorted, and one column
 * after the other is coded, written and freed. The meta section comes last: it
 * holds what the coding found out.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/layer/build_internal.h"
#include "engine/shape/shape.h"

/* Levels of cells that are stored while they have fewer cells than a third of
 * the rows: a heat tile needs a grid a few levels below its own. */
static const unsigned stored_levels[] = {14, 16, 18, 19, 20, 22};
#define STORED_LEVELS (sizeof stored_levels / sizeof *stored_levels)
#define ROWS_A_CELL 3

/* Sections of a file besides those of its columns, and of one column. */
#define SECTIONS_COMMON 64
#define SECTIONS_A_COLUMN 8

struct writing {
    struct om_builder *b;
    struct om__order order;
    struct om_arena arena;  // settled rings, cells
    struct om_rings rings;  // indexed by gathered row
    struct om_shape_note *note;
    struct om__directory directory;
    struct om__writer writer;
    struct om__meta meta;
    struct om__meta_column *column;
    struct om_err *err;
};

static uint64_t key_of_box(struct om_box box)
{
    return om_morton((struct om_pos){box.x0 + (box.x1 - box.x0) / 2,
                                     box.y0 + (box.y1 - box.y0) / 2});
}

static om_status keep_note(struct om_builder *b, size_t row, const char *text)
{
    if (b->notes == b->note_room) {
        const size_t room = b->note_room ? b->note_room * 2 : 64;
        struct om__note *grown = om_realloc(b->note, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        b->note = grown;
        b->note_room = room;
    }
    size_t len;
    const char *id = om__gather_text(&b->column[b->schema.id_field], row, &len);
    struct om__note note = {.source_row = b->source_row[row],
                            .id = om_alloc(len + 1),
                            .text = om_strdup(text)};
    if (!note.id || !note.text) {
        om_free(note.id);
        om_free(note.text);
        return OM_E_MEMORY;
    }
    memcpy(note.id, id, len);
    note.id[len] = '\0';
    b->note[b->notes++] = note;
    return OM_OK;
}

/* Round the shapes, mark those that are refused, give the others keys. */
static om_status settle_shapes(struct writing *w)
{
    struct om_builder *b = w->b;
    if (b->schema.geometry == OM_GEOMETRY_POINT || b->rows == 0) return OM_OK;
    const struct om_shapes shapes = {.count = b->rows,
                                     .shape_part = b->shapes.shape_part,
                                     .part_ring = b->shapes.part_ring,
                                     .ring_vertex = b->shapes.ring_vertex,
                                     .x = b->shapes.x,
                                     .y = b->shapes.y};
    w->note = om_calloc(b->rows, sizeof *w->note);
    b->key = om_alloc_array(b->rows, sizeof *b->key);
    if (!w->note || !b->key) return OM_E_MEMORY;
    OM_TRY(om_shapes_settle(&shapes, b->schema.geometry, b->shared, &w->arena,
                            &w->rings, w->note));
    for (size_t i = 0; i < b->rows; i++) {
        b->key[i] = 0;
        if (w->note[i].fate == OM_SHAPE_REFUSED)
            w->order.gone[i] = OM__REFUSED;
        else
            b->key[i] = key_of_box(w->rings.box[i]);
    }
    return OM_OK;
}

/* Notes of the repaired shapes that are written. */
static om_status keep_notes(struct writing *w)
{
    for (size_t i = 0; w->note && i < w->b->rows; i++)
        if (w->note[i].fate == OM_SHAPE_REPAIRED && !w->order.gone[i])
            OM_TRY(keep_note(w->b, i, w->note[i].text));
    return OM_OK;
}

static om_status reject_row(struct writing *w, struct om_rejects *rejects,
                            size_t row, struct om_buf *id_text)
{
    const struct om_builder *b = w->b;
    const struct om__gather *id = &b->column[b->schema.id_field];
    size_t len;
    const char *text = om__gather_text(id, row, &len);
    om_buf_clear(id_text);
    om_buf_add(id_text, text, len);
    OM_TRY(om_buf_add_byte(id_text, 0));
    if (w->order.gone[row] == OM__DUPLICATE)
        return om_rejects_add(rejects, b->source_row[row],
                              (const char *)id_text->bytes, id->field.name,
                              "duplicate id", text, len);
    const char *note = w->note[row].text;
    return om_rejects_add(rejects, b->source_row[row],
                          (const char *)id_text->bytes, "geometry",
                          "geometry cannot be used", note, strlen(note));
}

static om_status reject_rows(struct writing *w, struct om_rejects *rejects)
{
    om_status st = OM_OK;
    struct om_buf id_text;
    om_buf_init(&id_text, 0);
    for (size_t i = 0; i < w->b->rows && !st && rejects; i++)
        if (w->order.gone[i]) st = reject_row(w, rejects, i, &id_text);
    om_buf_deinit(&id_text);
    return st;
}

/* The first row that cannot be taken, in words. */
static om_status refuse_row(struct writing *w)
{
    const struct om_builder *b = w->b;
    for (size_t i = 0; i < b->rows; i++) {
        if (!w->order.gone[i]) continue;
        size_t len;
        const char *id =
            om__gather_text(&b->column[b->schema.id_field], i, &len);
        const int shown = len < 80 ? (int)len : 80;
        if (w->order.gone[i] == OM__DUPLICATE)
            return om_fail(w->err, OM_E_EXISTS, i, "two rows have the id '%.*s'",
                           shown, id);
        return om_fail(w->err, OM_E_GEOMETRY, i, "the shape of '%.*s': %s",
                       shown, id, w->note[i].text);
    }
    return OM_OK;
}

/* Rows that stay, with their keys, in the order of the file. */
static om_status sort_rows(struct writing *w)
{
    struct om_builder *b = w->b;
    struct om__order *o = &w->order;
    const struct om__gather *id = &b->column[b->schema.id_field];
    bool in_order;
    om_status st = OM_E_MEMORY;
    uint64_t *spare_key = om_alloc_array(b->rows, sizeof *spare_key);
    uint32_t *spare_row = om_alloc_array(b->rows, sizeof *spare_row);
    o->row = om_alloc_array(b->rows, sizeof *o->row);
    if (!spare_key || !spare_row || !o->row) goto done;
    o->rows = 0;
    for (size_t i = 0; i < b->rows; i++) {
        if (o->gone[i]) continue;
        o->row[o->rows] = (uint32_t)i;
        b->key[o->rows++] = b->key[i];
    }
    o->key = b->key;
    b->key = NULL;
    st = om_sort_keys(o->key, o->row, spare_key, spare_row, o->rows);
    if (!st) st = om__texts_rise(id, b->rows, &in_order);
    if (!st && !in_order) st = om__ties_sort(o->key, o->row, o->rows, id, NULL);
done:
    om_free(spare_key);
    om_free(spare_row);
    return st;
}

/* Box of all rows; of none, everything from nowhere: x0 > x1. */
static struct om_box box_of_rows(const struct writing *w)
{
    struct om_box box = OM_BOX_NONE;
    const bool point = w->b->schema.geometry == OM_GEOMETRY_POINT;
    for (size_t i = 0; i < w->order.rows; i++) {
        if (point) {
            const struct om_pos pos = om_morton_pos(w->order.key[i]);
            om_box_widen(&box, (struct om_box){pos.x, pos.y, pos.x, pos.y});
        } else {
            om_box_widen(&box, w->rings.box[w->order.row[i]]);
        }
    }
    return box;
}

static om_status write_keys(struct writing *w)
{
    OM_TRY(om__directory_build(w->order.key, w->order.rows, &w->directory));
    w->meta.runs = w->directory.runs;
    w->meta.entries = w->directory.entries;
    OM_TRY(om__writer_bytes(&w->writer, OM__SECTION_KEYS, 0, w->order.key,
                            w->order.rows * sizeof *w->order.key, w->err));
    return om__writer_bytes(
        &w->writer, OM__SECTION_DIRECTORY, 0, w->directory.table,
        w->directory.entries * sizeof *w->directory.table, w->err);
}

static om_status write_level(struct writing *w, const struct om_cells *c)
{
    const size_t i = w->meta.levels;
    struct om__writer *out = &w->writer;
    OM_TRY(om__writer_bytes(out, OM__SECTION_CELL_CODE, i, c->code,
                            c->count * sizeof *c->code, w->err));
    OM_TRY(om__writer_bytes(out, OM__SECTION_CELL_START, i, c->start,
                            (c->count + 1) * sizeof *c->start, w->err));
    OM_TRY(om__writer_bytes(out, OM__SECTION_CELL_X, i, c->mean_x,
                            c->count * sizeof *c->mean_x, w->err));
    OM_TRY(om__writer_bytes(out, OM__SECTION_CELL_Y, i, c->mean_y,
                            c->count * sizeof *c->mean_y, w->err));
    w->meta.level[w->meta.levels++] = c->level;
    return OM_OK;
}

static om_status write_cells(struct writing *w)
{
    if (w->b->schema.geometry != OM_GEOMETRY_POINT) return OM_OK;
    om_status st = OM_OK;
    for (size_t i = 0; i < STORED_LEVELS && !st; i++) {
        struct om_arena arena = {0};
        struct om_cells cells;
        st = om_cells_build(w->order.key, w->order.rows, stored_levels[i],
                            &arena, &cells);
        const bool few = cells.count < w->order.rows / ROWS_A_CELL;
        if (!st && (few || i == 0)) st = write_level(w, &cells);
        om_arena_deinit(&arena);
        if (!few) break;
    }
    return st;
}

/* The rings again, in the order of the file. */
struct ring_copy {
    uint32_t *shape_part, *part_ring, *ring_vertex;
    struct om_pos *vertex;
    struct om_box *box;
};

static om_status size_rings(const struct writing *w, struct ring_copy *copy,
                            size_t *parts, size_t *rings, size_t *vertices)
{
    const struct om_rings *r = &w->rings;
    *parts = *rings = *vertices = 0;
    for (size_t i = 0; i < w->order.rows; i++) {
        const uint32_t from = r->shape_part[w->order.row[i]];
        const uint32_t to = r->shape_part[w->order.row[i] + 1];
        const uint32_t ring = r->part_ring[from], ring_end = r->part_ring[to];
        *parts += to - from;
        *rings += ring_end - ring;
        *vertices += r->ring_vertex[ring_end] - r->ring_vertex[ring];
    }
    copy->shape_part =
        om_alloc_array(w->order.rows + 1, sizeof *copy->shape_part);
    copy->part_ring = om_alloc_array(*parts + 1, sizeof *copy->part_ring);
    copy->ring_vertex = om_alloc_array(*rings + 1, sizeof *copy->ring_vertex);
    copy->vertex = om_alloc_array(*vertices, sizeof *copy->vertex);
    copy->box = om_alloc_array(w->order.rows, sizeof *copy->box);
    return copy->shape_part && copy->part_ring && copy->ring_vertex &&
                   copy->vertex && copy->box
               ? OM_OK
               : OM_E_MEMORY;
}

static void copy_rings(const struct writing *w, struct ring_copy *copy)
{
    const struct om_rings *r = &w->rings;
    uint32_t part_at = 0, ring_at = 0, vertex_at = 0;
    for (size_t i = 0; i < w->order.rows; i++) {
        const size_t shape = w->order.row[i];
        copy->shape_part[i] = part_at;
        copy->box[i] = r->box[shape];
        for (size_t p = r->shape_part[shape]; p < r->shape_part[shape + 1];
             p++) {
            copy->part_ring[part_at++] = ring_at;
            for (size_t g = r->part_ring[p]; g < r->part_ring[p + 1]; g++) {
                const uint32_t from = r->ring_vertex[g];
                const uint32_t count = r->ring_vertex[g + 1] - from;
                copy->ring_vertex[ring_at++] = vertex_at;
                memcpy(copy->vertex + vertex_at, r->vertex + from,
                       count * sizeof *r->vertex);
                vertex_at += count;
            }
        }
    }
    copy->shape_part[w->order.rows] = part_at;
    copy->part_ring[part_at] = ring_at;
    copy->ring_vertex[ring_at] = vertex_at;
}

static om_status write_ring_arrays(struct writing *w,
                                   const struct ring_copy *copy, size_t parts,
                                   size_t rings, size_t vertices)
{
    struct om__writer *out = &w->writer;
    OM_TRY(om__writer_bytes(out, OM__SECTION_SHAPE_PART, 0, copy->shape_part,
                            (w->order.rows + 1) * sizeof *copy->shape_part,
                            w->err));
    OM_TRY(om__writer_bytes(out, OM__SECTION_PART_RING, 0, copy->part_ring,
                            (parts + 1) * sizeof *copy->part_ring, w->err));
    OM_TRY(om__writer_bytes(out, OM__SECTION_RING_VERTEX, 0, copy->ring_vertex,
                            (rings + 1) * sizeof *copy->ring_vertex, w->err));
    OM_TRY(om__writer_bytes(out, OM__SECTION_VERTEX, 0, copy->vertex,
                            vertices * sizeof *copy->vertex, w->err));
    return om__writer_bytes(out, OM__SECTION_BOX, 0, copy->box,
                            w->order.rows * sizeof *copy->box, w->err);
}

static om_status write_rings(struct writing *w)
{
    if (w->b->schema.geometry == OM_GEOMETRY_POINT) return OM_OK;
    struct ring_copy copy = {0};
    size_t parts, rings, vertices;
    static const uint32_t nothing[1] = {0};
    if (w->b->rows == 0)
        w->rings = (struct om_rings){.shape_part = nothing,
                                     .part_ring = nothing,
                                     .ring_vertex = nothing};
    om_status st = size_rings(w, &copy, &parts, &rings, &vertices);
    if (st) goto done;
    copy_rings(w, &copy);
    st = write_ring_arrays(w, &copy, parts, rings, vertices);
done:
    om_free(copy.shape_part);
    om_free(copy.part_ring);
    om_free(copy.ring_vertex);
    om_free(copy.vertex);
    om_free(copy.box);
    return st;
}

static om_status write_columns(struct writing *w)
{
    const struct om_schema *schema = &w->b->schema;
    w->column = om_calloc(schema->count, sizeof *w->column);
    if (!w->column) return OM_E_MEMORY;
    for (size_t i = 0; i < schema->count; i++)
        OM_TRY(om__column_write(&w->b->column[i], i == schema->id_field, i,
                                &w->order, &w->writer, &w->column[i], w->err));
    return OM_OK;
}

static om_status write_meta(struct writing *w)
{
    const struct om_schema *schema = &w->b->schema;
    w->meta.rows = w->order.rows;
    w->meta.box = box_of_rows(w);
    w->meta.geometry = (uint32_t)schema->geometry;
    w->meta.columns = (uint32_t)schema->count;
    w->meta.id_field = (uint32_t)schema->id_field;
    w->meta.time_field = schema->time_field == OM_NO_FIELD
                             ? OM__NO_FIELD
                             : (uint32_t)schema->time_field;
    struct om_buf bytes;
    om_buf_init(&bytes, 0);
    om_buf_add(&bytes, &w->meta, sizeof w->meta);
    om_buf_add(&bytes, w->column, schema->count * sizeof *w->column);
    om_status st = om_buf_add(&bytes, w->directory.run,
                              w->directory.runs * sizeof *w->directory.run);
    if (!st)
        st = om__writer_bytes(&w->writer, OM__SECTION_META, 0, bytes.bytes,
                              bytes.len, w->err);
    om_buf_deinit(&bytes);
    return st;
}

static om_status write_sections(struct writing *w, const char *path)
{
    const size_t sections =
        SECTIONS_COMMON + SECTIONS_A_COLUMN * w->b->schema.count;
    OM_TRY(om__writer_open(&w->writer, path, OM__FILE_SEGMENT,
                           w->b->block_bytes, sections, w->err));
    OM_TRY(write_keys(w));
    OM_TRY(write_cells(w));
    OM_TRY(write_rings(w));
    OM_TRY(om__ids_write(&w->order, &w->writer, w->err));
    // The lookup was the last to need the hashes; the columns want the room.
    om_free(w->order.id_hash);
    om_free(w->order.id_row);
    w->order.id_hash = NULL;
    w->order.id_row = NULL;
    OM_TRY(write_columns(w));
    OM_TRY(write_meta(w));
    return om__writer_finish(&w->writer, w->err);
}

static om_status write_all(struct writing *w, const char *path,
                           struct om_rejects *rejects)
{
    struct om_builder *b = w->b;
    w->order.gathered = b->rows;
    w->order.gone = om_calloc(b->rows, sizeof *w->order.gone);
    if (!w->order.gone) return OM_E_MEMORY;
    OM_TRY(settle_shapes(w));
    OM_TRY(om__ids_settle(&b->column[b->schema.id_field], b->source_row,
                          b->taken, b->taken_ctx, &w->order));
    if (b->strict) OM_TRY(refuse_row(w));
    OM_TRY(keep_notes(w));
    OM_TRY(reject_rows(w, rejects));
    OM_TRY(sort_rows(w));
    OM_TRY(write_sections(w, path));
    b->written = w->order.rows;
    return OM_OK;
}

/* To `path`, or, where that is NULL, into memory as `out`. */
static om_status write_whole(struct om_builder *builder, const char *path,
                             struct om_rejects *rejects, struct om__file *out,
                             struct om_err *err)
{
    struct om_err why = {0};
    struct writing w = {.b = builder, .writer = {.fd = -1}, .err = &why};
    om_status st = write_all(&w, path, rejects);
    if (!st && out) st = om__writer_take(&w.writer, out);
    if (st && err) {
        // What has no words of its own yet.
        if (why.code != st)
            om_fail(&why, st, 0, "%s: %s", path ? path : OM__IN_MEMORY,
                    om_status_text(st));
        *err = why;
    }
    om__writer_deinit(&w.writer);
    om_arena_deinit(&w.arena);
    om_free(w.directory.table);
    om_free(w.note);
    om_free(w.column);
    om_free(w.order.gone);
    om_free(w.order.row);
    om_free(w.order.key);
    om_free(w.order.id_hash);
    om_free(w.order.id_row);
    return st;
}

om_status om_builder_write(struct om_builder *builder, const char *path,
                           struct om_rejects *rejects, struct om_err *err)
{
    return write_whole(builder, path, rejects, NULL, err);
}

om_status om__builder_make(struct om_builder *builder, struct om__file *out,
                           struct om_err *err)
{
    *out = (struct om__file){0};
    builder->strict = true;
    return write_whole(builder, NULL, NULL, out, err);
}
