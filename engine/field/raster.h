// raster.h - a field over the cells of a raster, on all cores.
#ifndef OM_ENGINE_FIELD_RASTER_H
#define OM_ENGINE_FIELD_RASTER_H

#include "data/source/frame.h"
#include "engine/field/field.h"

/** Evaluates a block of places, as om_field_places does. `value` [rows *
 *  columns]. May be called by several threads, with an arena each. */
typedef om_status om_places_fn(void *ctx, const struct om_places *places,
                               struct om_arena *arena, float *value);

/**
 * Evaluate rows [row0, row0 + rows) of a frame.
 *
 * Blocks of cells are handed out to all threads; they follow from the frame
 * and row0 alone, so the values do too. Give row0 in multiples of
 * OM_RASTER_BLOCK, and rows are the same whoever asks for them.
 *
 * shapes   value [rows * frame->columns]
 * units    of `fn`
 * returns  what `fn` returns; OM_E_RANGE beyond the frame; OM_E_MEMORY
 * threads  uses them all
 */
#define OM_RASTER_BLOCK 256
om_status om_raster_cells(const struct om_frame *frame, size_t row0,
                          size_t rows, om_places_fn *fn, void *ctx,
                          float *value) OM_MUST_USE;

/**
 * A field over a frame, as om_field_places says it: at the middle of each
 * cell, or its mean where it is wider than the bandwidth. Values times cells
 * add up to the weight within 0.5 %, for a lone point where cells are up to a
 * fifth of the bandwidth or wider than all of it: between these a kernel is
 * sampled by few middles, and only many rows make up for one another.
 *
 * cost     50 m cells of a whole city from 12 M rows: bench_density
 * test     tests/engine/test_field_raster.c
 */
om_status om_field_raster(struct om_fields *fields,
                          const struct om_field_spec *spec,
                          const struct om_frame *frame, size_t row0,
                          size_t rows, float *value) OM_MUST_USE;

/** The box of all rows that are selected; OM_E_NOTFOUND if there are none.
 *  What a raster has to cover, but for the bandwidth around it. */
om_status om_field_box(const struct om_field_spec *spec,
                       struct om_box *out) OM_MUST_USE;

#endif
