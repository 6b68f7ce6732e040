// segment.c - open a segment and hand out its arrays.
#include "engine/layer/segment.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "engine/layer/segment_internal.h"

static _Atomic uint64_t last_serial;

/* The view of a section that must have `count` entries of `width` bytes. */
static om_status expect(const struct om_segment *s, enum om__section_kind kind,
                        size_t number, size_t count, unsigned width,
                        struct om__view *out)
{
    if (!om__file_view(&s->file, kind, (uint32_t)number, out) ||
        out->len / width != count || out->len % width != 0)
        return OM_E_DAMAGED;
    out->width = width;
    return OM_OK;
}

static void set_rule(struct om__view *view, enum om__rule rule, uint64_t limit)
{
    view->rule = rule;
    view->limit = limit;
}

static om_status open_directory(struct om_segment *s,
                                const struct om__meta *meta,
                                const struct om__run *run)
{
    OM_TRY(expect(s, OM__SECTION_KEYS, 0, s->rows, 8, &s->keys));
    set_rule(&s->keys, OM__RULE_RISING, UINT64_MAX);
    s->directory.runs = meta->runs;
    s->directory.entries = (size_t)meta->entries;
    memcpy(s->directory.run, run, meta->runs * sizeof *run);
    if (!om__directory_is_sound(&s->directory, s->rows)) return OM_E_DAMAGED;
    OM_TRY(expect(s, OM__SECTION_DIRECTORY, 0, s->directory.entries, 4,
                  &s->table));
    set_rule(&s->table, OM__RULE_RISING, s->rows);
    return OM_OK;
}

static om_status open_ids(struct om_segment *s)
{
    s->id_bits = om__id_bits(s->rows);
    OM_TRY(expect(s, OM__SECTION_ID_BUCKET, 0, ((size_t)1 << s->id_bits) + 1, 4,
                  &s->id_bucket));
    set_rule(&s->id_bucket, OM__RULE_OFFSET, s->rows);
    OM_TRY(expect(s, OM__SECTION_ID_MARK, 0, s->rows, 2, &s->id_mark));
    OM_TRY(expect(s, OM__SECTION_ID_ROW, 0, s->rows, 4, &s->id_row));
    set_rule(&s->id_row, OM__RULE_BELOW, s->rows);
    return OM_OK;
}

static om_status open_level(struct om_segment *s, size_t i, unsigned level)
{
    struct om__level *l = &s->level[i];
    if (level > 32 || (i > 0 && level <= s->level[i - 1].cells.level))
        return OM_E_DAMAGED;
    if (!om__file_view(&s->file, OM__SECTION_CELL_CODE, (uint32_t)i, &l->code))
        return OM_E_DAMAGED;
    const size_t count = l->code.len / 8;
    OM_TRY(expect(s, OM__SECTION_CELL_CODE, i, count, 8, &l->code));
    OM_TRY(expect(s, OM__SECTION_CELL_START, i, count + 1, 4, &l->start));
    OM_TRY(expect(s, OM__SECTION_CELL_X, i, count, 2, &l->mean_x));
    OM_TRY(expect(s, OM__SECTION_CELL_Y, i, count, 2, &l->mean_y));
    set_rule(&l->code, OM__RULE_RISING,
             level == 32 ? UINT64_MAX : (UINT64_C(1) << 2 * level) - 1);
    set_rule(&l->start, OM__RULE_OFFSET, s->rows);
    l->code.strict = l->start.strict = true;
    l->cells = (struct om_cells){.level = level,
                                 .count = count,
                                 .code = (const void *)l->code.bytes,
                                 .start = (const void *)l->start.bytes,
                                 .mean_x = (const void *)l->mean_x.bytes,
                                 .mean_y = (const void *)l->mean_y.bytes};
    return OM_OK;
}

/* A section of offsets whose number of entries only it knows. */
static om_status open_offsets(struct om_segment *s, enum om__section_kind kind,
                              struct om__view *out, size_t *count)
{
    if (!om__file_view(&s->file, kind, 0, out) || out->len < 4 ||
        out->len % 4 != 0)
        return OM_E_DAMAGED;
    out->width = 4;
    *count = out->len / 4 - 1;
    return OM_OK;
}

static om_status open_rings(struct om_segment *s)
{
    size_t parts, rings;
    OM_TRY(
        expect(s, OM__SECTION_SHAPE_PART, 0, s->rows + 1, 4, &s->shape_part));
    OM_TRY(open_offsets(s, OM__SECTION_PART_RING, &s->part_ring, &parts));
    OM_TRY(open_offsets(s, OM__SECTION_RING_VERTEX, &s->ring_vertex, &rings));
    if (!om__file_view(&s->file, OM__SECTION_VERTEX, 0, &s->vertex))
        return OM_E_DAMAGED;
    const size_t vertices = s->vertex.len / sizeof(struct om_pos);
    OM_TRY(expect(s, OM__SECTION_VERTEX, 0, vertices, sizeof(struct om_pos),
                  &s->vertex));
    OM_TRY(expect(s, OM__SECTION_BOX, 0, s->rows, sizeof(struct om_box),
                  &s->box_of));
    set_rule(&s->shape_part, OM__RULE_OFFSET, parts);
    set_rule(&s->part_ring, OM__RULE_OFFSET, rings);
    set_rule(&s->ring_vertex, OM__RULE_OFFSET, vertices);
    s->rings =
        (struct om_rings){.count = s->rows,
                          .shape_part = (const void *)s->shape_part.bytes,
                          .part_ring = (const void *)s->part_ring.bytes,
                          .ring_vertex = (const void *)s->ring_vertex.bytes,
                          .vertex = (const void *)s->vertex.bytes,
                          .box = (const void *)s->box_of.bytes};
    return OM_OK;
}

static om_status open_schema(struct om_segment *s, const struct om__meta *meta)
{
    if (meta->geometry > OM_GEOMETRY_POLYGON || meta->columns == 0 ||
        meta->id_field >= meta->columns ||
        (meta->time_field != OM__NO_FIELD && meta->time_field >= meta->columns))
        return OM_E_DAMAGED;
    const bool point = meta->geometry == OM_GEOMETRY_POINT;
    if (point != (meta->levels > 0)) return OM_E_DAMAGED;
    s->rows = (size_t)meta->rows;
    s->box = meta->box;
    s->schema.geometry = (enum om_geometry)meta->geometry;
    s->schema.count = s->own_columns = meta->columns;
    s->schema.id_field = meta->id_field;
    s->schema.time_field =
        meta->time_field == OM__NO_FIELD ? OM_NO_FIELD : meta->time_field;
    return OM_OK;
}

static om_status open_sections(struct om_segment *s)
{
    const struct om__meta *meta;
    const struct om__meta_column *column;
    const struct om__run *run;
    OM_TRY(om__meta_get(&s->file, &meta, &column, &run));
    OM_TRY(open_schema(s, meta));
    s->part = om_calloc(OM_LIMIT_COLUMNS, sizeof *s->part);
    if (!s->part) return OM_E_MEMORY;
    OM_TRY(om__columns_open(&s->file, s->rows, column, s->own_columns, s->part,
                            s->schema.field));
    const struct om_column *id = &s->part[s->schema.id_field].column;
    if (id->field.type != OM_TYPE_TEXT || id->nulls > 0) return OM_E_DAMAGED;
    if (s->schema.time_field != OM_NO_FIELD &&
        s->schema.field[s->schema.time_field].type != OM_TYPE_TIME)
        return OM_E_DAMAGED;
    OM_TRY(open_directory(s, meta, run));
    OM_TRY(open_ids(s));
    for (size_t i = 0; i < meta->levels; i++)
        OM_TRY(open_level(s, i, meta->level[i]));
    s->levels = meta->levels;
    return s->schema.geometry == OM_GEOMETRY_POINT ? OM_OK : open_rings(s);
}

static om_status open_units(struct om_segment *s)
{
    const struct om__meta *meta;
    const struct om__meta_column *column;
    const struct om__run *run;
    OM_TRY(om__meta_get(&s->units, &meta, &column, &run));
    if (meta->rows != s->rows || meta->segment != s->file.header->header_check)
        return OM_E_DAMAGED;
    if (meta->columns > OM_LIMIT_COLUMNS - s->own_columns) return OM_E_LIMIT;
    OM_TRY(om__columns_open(&s->units, s->rows, column, meta->columns,
                            s->part + s->own_columns,
                            s->schema.field + s->own_columns));
    s->schema.count += meta->columns;
    return OM_OK;
}

static om_status read_sections(struct om_segment *s, struct om_err *err)
{
    const om_status st = open_sections(s);
    return st ? om_fail(err, st, 0, "%s: meta: %s", s->path, om_status_text(st))
              : OM_OK;
}

static om_status open_files(struct om_segment *s, struct om_err *err)
{
    OM_TRY(om__file_open(&s->file, s->path, OM__FILE_SEGMENT, err));
    OM_TRY(read_sections(s, err));
    if (!s->units_path) return OM_OK;
    OM_TRY(om__file_open(&s->units, s->units_path, OM__FILE_UNITS, err));
    const om_status st = open_units(s);
    if (st)
        return om_fail(err, st, 0, "%s: meta, beside %s: %s", s->units_path,
                       s->path, om_status_text(st));
    return OM_OK;
}

const char *om_segment_damage(const struct om_segment *segment)
{
    return om__file_is_damaged(&segment->file)    ? segment->path
           : om__file_is_damaged(&segment->units) ? segment->units_path
                                                  : NULL;
}

om_status om_segment_open(const char *path, const char *units_path,
                          struct om_segment **out, struct om_err *err)
{
    *out = NULL;
    om_status st = OM_E_MEMORY;
    struct om_segment *s = om_calloc(1, sizeof *s);
    if (!s) goto done;
    s->refs = 1;
    s->path = om_strdup(path);
    if (units_path) s->units_path = om_strdup(units_path);
    if (!s->path || (units_path && !s->units_path)) goto done;
    st = open_files(s, err);
    if (st) {
        om_segment_unref(s);
        return st;
    }
    s->serial = atomic_fetch_add(&last_serial, 1) + 1;
    *out = s;
done:
    if (st) {
        om_segment_unref(s);
        om_fail(err, st, 0, "%s: no memory", path);
    }
    return st;
}

om_status om__segment_take(struct om__file *file, struct om_segment **out,
                           struct om_err *err)
{
    *out = NULL;
    om_status st = OM_E_MEMORY;
    struct om_segment *s = om_calloc(1, sizeof *s);
    if (!s) {
        om__file_close(file);
        return om_fail(err, st, 0, "%s: no memory", OM__IN_MEMORY);
    }
    s->refs = 1;
    s->file = *file;
    *file = (struct om__file){0};
    s->path = om_strdup(OM__IN_MEMORY);
    st = s->path ? read_sections(s, err)
                 : om_fail(err, st, 0, "%s: no memory", OM__IN_MEMORY);
    if (st) {
        om_segment_unref(s);
        return st;
    }
    s->serial = atomic_fetch_add(&last_serial, 1) + 1;
    *out = s;
    return OM_OK;
}

om_status om__segment_take_units(struct om_segment *segment,
                                 struct om__file *units, struct om_err *err)
{
    segment->units = *units;
    *units = (struct om__file){0};
    const om_status st = open_units(segment);
    return st ? om_fail(err, st, 0, "%s: units: %s", segment->path,
                        om_status_text(st))
              : OM_OK;
}

struct om_segment *om_segment_ref(struct om_segment *segment)
{
    atomic_fetch_add_explicit(&segment->refs, 1, memory_order_relaxed);
    return segment;
}

void om_segment_unref(struct om_segment *segment)
{
    if (!segment) return;
    if (atomic_fetch_sub_explicit(&segment->refs, 1, memory_order_acq_rel) > 1)
        return;
    om__file_close(&segment->file);
    om__file_close(&segment->units);
    om_free(segment->part);
    om_free(segment->path);
    om_free(segment->units_path);
    om_free(segment);
}

uint64_t om_segment_serial(const struct om_segment *segment)
{
    return segment->serial;
}

size_t om_segment_rows(const struct om_segment *segment)
{
    return segment->rows;
}

const struct om_schema *om_segment_schema(const struct om_segment *segment)
{
    return &segment->schema;
}

struct om_box om_segment_box(const struct om_segment *segment)
{
    return segment->box;
}

bool om_segment_in_memory(const struct om_segment *segment)
{
    return segment->file.memory != NULL;
}

uint64_t om_segment_bytes(const struct om_segment *segment)
{
    return segment->file.map.len + segment->units.map.len;
}

om_status om_segment_keys(const struct om_segment *segment, size_t from,
                          size_t to, const uint64_t **out)
{
    if (from > to || to > segment->rows) return OM_E_RANGE;
    *out = (const void *)segment->keys.bytes;
    return om__view_touch(&segment->file, &segment->keys, from * 8, to * 8);
}

/* First row whose key is at least `code`. */
static om_status lower_row(const struct om_segment *s, uint64_t code,
                           size_t *out)
{
    *out = s->rows;
    const struct om__run *run = om__directory_run(&s->directory, code);
    if (!run) return OM_OK;
    *out = run->row;
    if (code <= run->first) return OM_OK;
    const size_t entry =
        run->table + (size_t)((code - run->first) >> run->shift);
    OM_TRY(om__view_touch(&s->file, &s->table, entry * 4, entry * 4 + 8));
    const uint32_t *table = (const void *)s->table.bytes;
    size_t low = table[entry], high = table[entry + 1];
    const uint64_t rest =
        code & ((UINT64_C(1) << run->shift) - 1);  // run->first has none
    if (rest != 0) {
        OM_TRY(om__view_touch(&s->file, &s->keys, low * 8, high * 8));
        const uint64_t *key = (const void *)s->keys.bytes;
        size_t count = high - low;
        while (count > 0) {
            const size_t half = count / 2;
            const bool less = key[low + half] < code;
            low += less ? half + 1 : 0;
            count = less ? count - half - 1 : half;
        }
    }
    *out = low;
    return OM_OK;
}

om_status om_segment_range(const struct om_segment *segment, uint64_t code,
                           uint64_t code_end, size_t *from, size_t *to)
{
    *to = segment->rows;
    OM_TRY(lower_row(segment, code, from));
    if (code_end != 0) OM_TRY(lower_row(segment, code_end, to));
    if (*to < *from) *to = *from;
    return OM_OK;
}

static om_status touch_rows(const struct om__part *part,
                            const struct om__view *view, size_t from,
                            size_t end)
{
    const size_t limit = view->len / 8;
    if (end > limit) end = limit;
    return om__view_touch(part->file, view, from * 8, end * 8);
}

om_status om_segment_column(const struct om_segment *segment, size_t column,
                            size_t from, size_t to,
                            const struct om_column **out)
{
    if (column >= segment->schema.count || from > to || to > segment->rows)
        return OM_E_RANGE;
    const struct om__part *p = &segment->part[column];
    const struct om_column *c = &p->column;
    *out = c;
    if (c->coding == OM_CODING_DICTIONARY) {
        OM_TRY(om__view_touch(p->file, &p->word_offset, 0, p->word_offset.len));
        OM_TRY(om__view_touch(p->file, &p->word_bytes, 0, p->word_bytes.len));
    }
    if (from == to) return OM_OK;
    if (c->valid) OM_TRY(touch_rows(p, &p->valid, from / 64, to / 64 + 1));
    if (c->coding == OM_CODING_BLOCKS) return OM_OK;
    OM_TRY(om__view_touch(p->file, &p->data, from * c->width, to * c->width));
    const size_t first = from / OM_BLOCK_ROWS, end = to / OM_BLOCK_ROWS + 1;
    OM_TRY(touch_rows(p, &p->block_min, first, end));
    OM_TRY(touch_rows(p, &p->block_max, first, end));
    if (!c->sum) return OM_OK;
    const size_t last = segment->rows / OM_SUM_ROWS + 1;
    OM_TRY(touch_rows(p, &p->sum, from / OM_SUM_ROWS, to / OM_SUM_ROWS + 2));
    return touch_rows(p, &p->sum, last, last + 1);
}

size_t om_segment_cell_levels(const struct om_segment *segment)
{
    return segment->levels;
}

om_status om_segment_cells(const struct om_segment *segment, size_t i,
                           struct om_cells *out)
{
    *out = (struct om_cells){0};
    if (i >= segment->levels) return OM_OK;
    const struct om__level *l = &segment->level[i];
    const struct om__file *file = &segment->file;
    OM_TRY(om__view_touch(file, &l->code, 0, l->code.len));
    OM_TRY(om__view_touch(file, &l->start, 0, l->start.len));
    OM_TRY(om__view_touch(file, &l->mean_x, 0, l->mean_x.len));
    OM_TRY(om__view_touch(file, &l->mean_y, 0, l->mean_y.len));
    *out = l->cells;
    return OM_OK;
}

om_status om_segment_rings(const struct om_segment *segment, size_t from,
                           size_t to, struct om_rings *out)
{
    if (segment->schema.geometry == OM_GEOMETRY_POINT) return OM_E_TYPE;
    if (from > to || to > segment->rows) return OM_E_RANGE;
    const struct om__file *file = &segment->file;
    const struct om_rings *r = &segment->rings;
    *out = *r;
    OM_TRY(om__view_touch(file, &segment->shape_part, from * 4, to * 4 + 4));
    const size_t part = r->shape_part[from], part_end = r->shape_part[to];
    OM_TRY(
        om__view_touch(file, &segment->part_ring, part * 4, part_end * 4 + 4));
    const size_t ring = r->part_ring[part], ring_end = r->part_ring[part_end];
    OM_TRY(om__view_touch(file, &segment->ring_vertex, ring * 4,
                          ring_end * 4 + 4));
    OM_TRY(om__view_touch(file, &segment->vertex,
                          r->ring_vertex[ring] * sizeof *r->vertex,
                          r->ring_vertex[ring_end] * sizeof *r->vertex));
    return om__view_touch(file, &segment->box_of, from * sizeof *r->box,
                          to * sizeof *r->box);
}

static void drop_pages(const struct om__file *file, const char *path)
{
    if (file->map.len == 0 || file->memory) return;
    madvise((void *)(uintptr_t)file->map.bytes, file->map.len, MADV_DONTNEED);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

void om_segment_drop_pages(const struct om_segment *segment)
{
    drop_pages(&segment->file, segment->path);
    if (segment->units_path) drop_pages(&segment->units, segment->units_path);
}
