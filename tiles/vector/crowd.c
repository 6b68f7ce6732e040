/* crowd.c - cells of persons: only those that are many, at every zoom.
 *
 * DESIGN
 * Tiles of all zooms are cells of one quadtree, and whoever looks at two of
 * them may subtract. So what is hidden is decided from the root down: of the
 * four cells of a larger one that is shown, those with too few are hidden, and
 * others with them until what is hidden is many again (engine/policy/small.h);
 * nothing below a hidden cell is shown. A tile walks down to itself: four
 * counts a zoom, each two searches a part.
 */
#include "engine/policy/small.h"
#include "tiles/vector/vector_internal.h"

/* Selected rows in the cell `code` (its own Morton number) of a level. */
static om_status count_in(const struct om_vector_spec *spec, unsigned level,
                          uint64_t code, uint64_t *out)
{
    const struct om_layer *layer = spec->layer;
    const unsigned shift = 64 - 2 * level;
    *out = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *segment = layer->part[p].segment;
        // 0 is the end of the square.
        const uint64_t end = level ? (code + 1) << shift : 0;
        size_t from, to;
        OM_TRY(om_segment_range(segment, level ? code << shift : 0,
                                end, &from, &to));
        *out += om__selected_count(spec->selection, p, from, to);
    }
    return OM_OK;
}

/* Is the tile hidden, as a cell of the quadtree? */
static om_status tile_hidden(const struct om_vector_spec *spec,
                             const struct om__place *place, bool *out)
{
    const unsigned z = place->z;
    *out = false;
    for (unsigned level = 1; level <= z && !*out; level++) {
        const uint64_t own = place->code >> (64 - 2 * level);
        uint64_t count[4];
        bool hidden[4] = {false};
        for (unsigned i = 0; i < 4; i++)
            OM_TRY(count_in(spec, level, (own & ~UINT64_C(3)) + i, &count[i]));
        om_small_hide(count, 4, spec->crowd, hidden);
        *out = hidden[own & 3];
    }
    return OM_OK;
}

/* Cells of the tile level by level, each four under the one above. */
static om_status hide_cells(struct om__cells *cells, uint64_t least,
                            struct om_arena *arena)
{
    const size_t n = cells->count;
    // Counts of all levels, the finest last: level k begins at (4^k - 1) / 3.
    const size_t all = (4 * n - 1) / 3, finest = all - n;
    uint64_t *count = om_arena_calloc(arena, all, sizeof *count);
    bool *hidden = om_arena_calloc(arena, all, sizeof *hidden);
    if (!count || !hidden) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) count[finest + i] = cells->cell[i].count;
    for (size_t i = finest; i-- > 0;)
        for (size_t k = 1; k <= 4; k++) count[i] += count[4 * i + k];
    for (size_t i = 0; i < finest; i++) {
        bool *below = &hidden[4 * i + 1];
        if (hidden[i])
            below[0] = below[1] = below[2] = below[3] = true;
        else
            om_small_hide(&count[4 * i + 1], 4, least, below);
    }
    for (size_t i = 0; i < n; i++)
        if (hidden[finest + i]) cells->cell[i].count = 0;
    return OM_OK;
}

om_status om__crowd_hide(const struct om_vector_spec *spec,
                         const struct om__place *place,
                         struct om__cells *cells, struct om_arena *arena,
                         uint64_t *told)
{
    bool hidden;
    *told = 0;
    OM_TRY(tile_hidden(spec, place, &hidden));
    if (!hidden) OM_TRY(hide_cells(cells, spec->crowd, arena));
    for (size_t i = 0; i < cells->count; i++) {
        if (hidden) cells->cell[i].count = 0;
        *told += cells->cell[i].count;
    }
    return OM_OK;
}
