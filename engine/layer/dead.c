// dead.c - dead rows in the same container as segments and units.
#include "engine/layer/dead.h"

#include <string.h>

#include "data/base/alloc.h"
#include "engine/layer/segment_internal.h"

/* Most files hold a few thousand rows: blocks of the smallest page. */
#define BLOCK_BYTES 4096
#define SECTIONS 2

/* The meta section of a dead file. */
struct dead_meta {
    uint64_t segment;  // header_check of the segment's file
    uint64_t rows;     // of the segment
};

static bool is_sound(const uint32_t *row, size_t count, size_t rows)
{
    for (size_t i = 0; i < count; i++)
        if (row[i] >= rows || (i > 0 && row[i] <= row[i - 1])) return false;
    return true;
}

om_status om_dead_write(const char *path, const struct om_segment *segment,
                        const uint32_t *row, size_t count, struct om_err *err)
{
    if (!is_sound(row, count, segment->rows))
        return om_fail(err, OM_E_RANGE, 0, "%s: dead rows out of order", path);
    const struct dead_meta meta = {segment->file.header->header_check,
                                   segment->rows};
    struct om__writer writer = {.fd = -1};
    om_status st = om__writer_open(&writer, path, OM__FILE_DEAD, BLOCK_BYTES,
                                   SECTIONS, err);
    if (!st)
        st = om__writer_bytes(&writer, OM__SECTION_META, 0, &meta, sizeof meta,
                              err);
    if (!st)
        st = om__writer_bytes(&writer, OM__SECTION_DEAD, 0, row,
                              count * sizeof *row, err);
    if (!st) st = om__writer_finish(&writer, err);
    om__writer_deinit(&writer);
    return st;
}

static om_status read_rows(const struct om__file *file,
                           const struct om_segment *segment,
                           struct om_arena *arena, const uint32_t **row,
                           size_t *count)
{
    struct om__view meta_view, rows;
    struct dead_meta meta;
    if (!om__file_view(file, OM__SECTION_META, 0, &meta_view) ||
        meta_view.len != sizeof meta ||
        !om__file_view(file, OM__SECTION_DEAD, 0, &rows) ||
        rows.len % sizeof **row != 0)
        return OM_E_DAMAGED;
    OM_TRY(om__view_touch(file, &meta_view, 0, meta_view.len));
    memcpy(&meta, meta_view.bytes, sizeof meta);
    if (meta.segment != segment->file.header->header_check ||
        meta.rows != segment->rows)
        return OM_E_DAMAGED;
    OM_TRY(om__view_touch(file, &rows, 0, rows.len));
    uint32_t *copy = om_arena_alloc(arena, rows.len + sizeof *copy);
    if (!copy) return OM_E_MEMORY;
    if (rows.len) memcpy(copy, rows.bytes, rows.len);
    *count = rows.len / sizeof *copy;
    *row = copy;
    return is_sound(copy, *count, segment->rows) ? OM_OK : OM_E_DAMAGED;
}

om_status om_dead_read(const char *path, const struct om_segment *segment,
                       struct om_arena *arena, const uint32_t **row,
                       size_t *count, struct om_err *err)
{
    struct om__file file;
    *row = NULL;
    *count = 0;
    OM_TRY(om__file_open(&file, path, OM__FILE_DEAD, err));
    const om_status st = read_rows(&file, segment, arena, row, count);
    om__file_close(&file);
    if (!st) return OM_OK;
    *row = NULL;
    *count = 0;
    return om_fail(err, st, 0, "%s: dead rows, beside %s: %s", path,
                   segment->path, om_status_text(st));
}
