// days.h - a tile of all days: what lies in each of its cells on each day, so
// that whoever has it can draw any period without asking again.
#ifndef OM_TILES_DAYS_H
#define OM_TILES_DAYS_H

#include "data/base/buf.h"
#include "engine/field/field.h"
#include "engine/query/days.h"

/* The tile z/x/y of a field, and its net: cells of a 256th of its side, or
 * larger where a bandwidth is wider than CELLS of them; around the tile as many
 * as the kernel reaches. */
struct om_days_tile {
    unsigned z;
    uint32_t x, y;
    enum om_kernel kernel;
    double bandwidth_m;
    struct om_day_net net;
    struct om_box box;  // whose rows it holds
};
/** OM_E_RANGE: no such tile, or a bandwidth that is not computed. */
om_status om_days_tile_init(const struct om_field_spec *spec, unsigned z,
                            uint32_t x, uint32_t y,
                            struct om_days_tile *out) OM_MUST_USE;

/**
 * Write it. ARCHITECTURE.md ("A tile of days") has the form. Nothing is
 * appended where no cell has anything.
 *
 * Sums that are not whole numbers are rounded to a 2^20th of the largest.
 * returns  what sticks to `out`
 * cost     some 5 ns a sum
 * test     tests/tiles/test_days.c
 */
om_status om_days_write(const struct om_days_tile *tile,
                        const struct om_days *days,
                        struct om_buf *out) OM_MUST_USE;

/** Append the first day, days, cells and pairs, then the cells: how all tiles
 *  of days end. unit: what sums are told in. returns what sticks to `out` */
om_status om_days_write_cells(const struct om_days *days, double unit,
                              struct om_buf *out) OM_MUST_USE;

#endif
