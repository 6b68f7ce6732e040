// units.c - unit columns in a file of their own beside a segment.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/batch.h"
#include "engine/layer/build_internal.h"

#define SECTIONS_A_COLUMN 8

static om_status spread(const struct om_unit_column *column,
                        struct om__numbers *numbers)
{
    const size_t rows = numbers->rows;
    numbers->value = om_alloc_array(rows, sizeof *numbers->value);
    numbers->valid = om_calloc(rows / 64 + 1, sizeof *numbers->valid);
    if (!numbers->value || !numbers->valid) return OM_E_MEMORY;
    for (size_t i = 0; i < rows; i++) {
        const uint32_t unit = column->unit[i];
        numbers->value[i] = unit == OM_NO_UNIT ? 0 : unit;
        if (unit == OM_NO_UNIT) {
            numbers->nulls++;
            continue;
        }
        if (unit >= column->ids) return OM_E_RANGE;
        om_bit_set(numbers->valid, i);
    }
    if (numbers->nulls > 0) return OM_OK;
    om_free(numbers->valid);
    numbers->valid = NULL;
    return OM_OK;
}

static om_status write_column(const struct om_unit_column *column,
                              size_t number, size_t rows,
                              struct om__writer *writer,
                              struct om__meta_column *meta, struct om_err *err)
{
    struct om__numbers numbers = {.rows = rows};
    snprintf(meta->name, sizeof meta->name, "%s", column->name);
    meta->type = OM_TYPE_CATEGORY;
    meta->coding = OM_CODING_DICTIONARY;
    meta->words = column->ids;
    om_status st = spread(column, &numbers);
    if (!st) st = om__numbers_write(&numbers, number, writer, meta, err);
    if (!st)
        st = om__writer_bytes(
            writer, OM__SECTION_WORD_OFFSET, number, column->id_offset,
            (column->ids + 1) * sizeof *column->id_offset, err);
    if (!st)
        st = om__writer_bytes(writer, OM__SECTION_WORD_BYTES, number,
                              column->id_bytes, column->id_offset[column->ids],
                              err);
    om_free(numbers.value);
    om_free(numbers.valid);
    return st;
}

static om_status write_all(struct om__writer *writer, const char *path,
                           const struct om_segment *segment,
                           const struct om_unit_column *column, size_t columns,
                           struct om__meta_column *meta, struct om_err *err)
{
    const struct om__meta head = {
        .rows = segment->rows,
        .box = segment->box,
        .geometry = (uint32_t)segment->schema.geometry,
        .columns = (uint32_t)columns,
        .id_field = OM__NO_FIELD,
        .time_field = OM__NO_FIELD,
        .segment = segment->file.header->header_check};
    OM_TRY(om__writer_open(writer, path, OM__FILE_UNITS,
                           path ? segment->file.header->block_bytes : 0,
                           columns * SECTIONS_A_COLUMN + 1, err));
    for (size_t i = 0; i < columns; i++)
        OM_TRY(
            write_column(&column[i], i, segment->rows, writer, &meta[i], err));
    struct om_buf bytes;
    om_buf_init(&bytes, 0);
    om_buf_add(&bytes, &head, sizeof head);
    om_status st = om_buf_add(&bytes, meta, columns * sizeof *meta);
    if (!st)
        st = om__writer_bytes(writer, OM__SECTION_META, 0, bytes.bytes,
                              bytes.len, err);
    om_buf_deinit(&bytes);
    return st ? st : om__writer_finish(writer, err);
}

/* To `path`, or, where that is NULL, into memory as `out`. */
static om_status write_whole(const char *path, const struct om_segment *segment,
                             const struct om_unit_column *column,
                             size_t columns, struct om__file *out,
                             struct om_err *err)
{
    const char *name = path ? path : OM__IN_MEMORY;
    if (columns > OM_LIMIT_COLUMNS - segment->own_columns)
        return om_fail(err, OM_E_LIMIT, 0, "%s: too many columns", name);
    struct om_err why = {0};
    struct om__writer writer = {.fd = -1};
    om_status st = OM_E_MEMORY;
    struct om__meta_column *meta = om_calloc(columns, sizeof *meta);
    if (meta)
        st = write_all(&writer, path, segment, column, columns, meta, &why);
    if (!st && out) st = om__writer_take(&writer, out);
    if (st && err) {
        if (why.code != st)
            om_fail(&why, st, 0, "%s: %s", name, om_status_text(st));
        *err = why;
    }
    om__writer_deinit(&writer);
    om_free(meta);
    return st;
}

om_status om_units_write(const char *path, const struct om_segment *segment,
                         const struct om_unit_column *column, size_t columns,
                         struct om_err *err)
{
    return write_whole(path, segment, column, columns, NULL, err);
}

om_status om__unit_columns_make(const struct om_segment *segment,
                         const struct om_unit_column *column, size_t columns,
                         struct om__file *out, struct om_err *err)
{
    *out = (struct om__file){0};
    return write_whole(NULL, segment, column, columns, out, err);
}
