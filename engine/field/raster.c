// raster.c - a field over the cells of a raster, on all cores.
#include "engine/field/raster.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"

#define BLOCK OM_RASTER_BLOCK
/* Rows of one stretch of the search for the box. */
#define STRETCH 65536

struct raster_job {
    const struct om_frame *frame;
    size_t row0, rows, across;  // across: blocks beside each other
    om_places_fn *fn;
    void *ctx;
    float *value;
    struct om_arena *arena;  // one a lane
};

/* The places of a block and, for means, its corners. */
static om_status lay_places(const struct om_frame *f, size_t column, size_t row,
                            struct om_arena *arena, struct om_places *out)
{
    const size_t n = out->columns * out->rows;
    const size_t corners = (out->columns + 1) * (out->rows + 1);
    double *x = om_arena_alloc(arena, n * sizeof *x);
    double *y = om_arena_alloc(arena, n * sizeof *y);
    double *corner_x = om_arena_alloc(arena, corners * sizeof *corner_x);
    double *corner_y = om_arena_alloc(arena, corners * sizeof *corner_y);
    if (!x || !y || !corner_x || !corner_y) return OM_E_MEMORY;
    om_frame_places(f, (double)column + 0.5, (double)row + 0.5, out->columns,
                    out->rows, x, y);
    om_frame_places(f, (double)column, (double)row, out->columns + 1,
                    out->rows + 1, corner_x, corner_y);
    out->x = x;
    out->y = y;
    out->corner_x = corner_x;
    out->corner_y = corner_y;
    return OM_OK;
}

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

static om_status fill_block(const struct raster_job *j, size_t block,
                            struct om_arena *arena)
{
    const struct om_frame *f = j->frame;
    const size_t column = block % j->across * BLOCK;
    const size_t row = block / j->across * BLOCK;
    struct om_places places = {.columns = at_most(f->columns - column, BLOCK),
                               .rows = at_most(j->rows - row, BLOCK),
                               .cell_m = f->cell_m};
    om_arena_reset(arena);
    float *value =
        om_arena_alloc(arena, places.columns * places.rows * sizeof *value);
    if (!value) return OM_E_MEMORY;
    OM_TRY(lay_places(f, column, j->row0 + row, arena, &places));
    OM_TRY(j->fn(j->ctx, &places, arena, value));
    for (size_t r = 0; r < places.rows; r++)
        memcpy(j->value + (row + r) * f->columns + column,
               value + r * places.columns, places.columns * sizeof *value);
    return OM_OK;
}

static om_status fill_blocks(void *ctx, size_t first, size_t end, size_t lane)
{
    const struct raster_job *j = ctx;
    for (size_t i = first; i < end; i++)
        OM_TRY(fill_block(j, i, &j->arena[lane]));
    return OM_OK;
}

om_status om_raster_cells(const struct om_frame *frame, size_t row0,
                          size_t rows, om_places_fn *fn, void *ctx,
                          float *value)
{
    if (row0 > frame->rows || rows > frame->rows - row0) return OM_E_RANGE;
    const size_t lanes = om_threads();
    struct raster_job job = {
        .frame = frame,
        .row0 = row0,
        .rows = rows,
        .across = (frame->columns + BLOCK - 1) / BLOCK,
        .fn = fn,
        .ctx = ctx,
        .value = value,
        .arena = om_calloc(lanes, sizeof *job.arena),
    };
    if (!job.arena) return OM_E_MEMORY;
    const size_t blocks = job.across * ((rows + BLOCK - 1) / BLOCK);
    const om_status st = om_parallel(blocks, 1, fill_blocks, &job);
    for (size_t i = 0; i < lanes; i++) om_arena_deinit(&job.arena[i]);
    om_free(job.arena);
    return st;
}

struct field_job {
    struct om_fields *fields;
    const struct om_field_spec *spec;
};

static om_status field_block(void *ctx, const struct om_places *places,
                             struct om_arena *arena, float *value)
{
    const struct field_job *j = ctx;
    return om_field_places(j->fields, j->spec, places, arena, value);
}

om_status om_field_raster(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          const struct om_frame *frame, size_t row0,
                          size_t rows, float *value)
{
    // What the weights need is prepared on all threads, before the blocks are.
    double weight;
    OM_TRY(om_field_weight(fields, spec, &weight));
    struct field_job job = {fields, spec};
    return om_raster_cells(frame, row0, rows, field_block, &job, value);
}

/* ---- the box ----------------------------------------------------------- */

struct box_job {
    const struct om_field_spec *spec;
    size_t part;
    const uint64_t *key;
    struct om_box *box;  // one a lane
};

static om_status widen_boxes(void *ctx, size_t first, size_t end, size_t lane)
{
    const struct box_job *j = ctx;
    const struct om_selection *s = j->spec->selection;
    struct om_box box = j->box[lane];
    for (size_t row = first; row < end; row++) {
        if (!om_selection_has(s, j->part, row)) continue;
        if (row > first && j->key[row] == j->key[row - 1] &&
            om_selection_has(s, j->part, row - 1))
            continue;
        const struct om_pos at = om_morton_pos(j->key[row]);
        om_box_widen(&box, (struct om_box){at.x, at.y, at.x, at.y});
    }
    j->box[lane] = box;
    return OM_OK;
}

om_status om_field_box(const struct om_field_spec *spec, struct om_box *out)
{
    *out = OM_BOX_NONE;
    if (spec->selection->count == 0) return OM_E_NOTFOUND;
    const size_t lanes = om_threads();
    struct box_job job = {.spec = spec,
                          .box = om_calloc(lanes, sizeof *job.box)};
    if (!job.box) return OM_E_MEMORY;
    for (size_t i = 0; i < lanes; i++) job.box[i] = OM_BOX_NONE;
    om_status st = OM_OK;
    for (size_t p = 0; !st && p < spec->layer->parts; p++) {
        const struct om_segment *segment = spec->layer->part[p].segment;
        const size_t rows = om_segment_rows(segment);
        if (spec->selection->all) {
            if (rows) om_box_widen(out, om_segment_box(segment));
            continue;
        }
        job.part = p;
        st = om_segment_keys(segment, 0, rows, &job.key);
        if (!st) st = om_parallel(rows, STRETCH, widen_boxes, &job);
    }
    for (size_t i = 0; i < lanes; i++)
        if (job.box[i].x0 <= job.box[i].x1) om_box_widen(out, job.box[i]);
    om_free(job.box);
    return st;
}
