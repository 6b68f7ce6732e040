/* crowd.c - cells of persons: only those that are many, whatever the zoom.
 *
 * DESIGN
 * Tiles of all zooms are cells of one quadtree, and whoever looks at two of
 * them may subtract. So there is one level at which persons are counted
 * (OM_CROWD_LEVEL, some 4 km); cells of fewer than the smallest count are
 * nobody's there, and coarser cells are sums of what is left, never of rows.
 * Finer ones are not shown. Counts stand in the middle of their cells: where
 * the mean of ten people is tells how one of them moves.
 */
#include <math.h>
#include <stdlib.h>

#include "tiles/vector/vector_internal.h"

static int by_code(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The cells of the crowd's level in which the tile's rows lie, sorted. */
static om_status find_codes(const struct om__making *m, uint64_t **out,
                            size_t *count)
{
    const struct om_layer *layer = m->spec->layer;
    size_t n = 0, room = 1;
    for (size_t p = 0; p < layer->parts; p++)
        room += m->stretch[p].to - m->stretch[p].from;
    uint64_t *code = om_arena_alloc(m->arena, room * sizeof *code);
    if (!code) return OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts; p++) {
        const size_t from = m->stretch[p].from, to = m->stretch[p].to;
        const struct om_segment *segment = layer->part[p].segment;
        const size_t rows = om_segment_rows(segment);
        const uint64_t *key;
        if (from == to) continue;
        OM_TRY(om_segment_keys(segment, from, to, &key));
        for (size_t w = from / 64; w * 64 < to; w++) {
            uint64_t bits =
                om__selected_in(m->spec->selection, p, rows, w, from, to);
            for (; bits; bits &= bits - 1)
                code[n++] = key[w * 64 + (size_t)__builtin_ctzll(bits)] >>
                            (64 - 2 * OM_CROWD_LEVEL);
        }
    }
    qsort(code, n, sizeof *code, by_code);
    *out = code;
    *count = n;
    return OM_OK;
}

/* Every cell is empty, and stands in its middle. */
static void clear(const struct om__place *place, struct om__cells *cells)
{
    const unsigned level = place->z + cells->zooms, down = 32 - level;
    const double middle = ldexp(0.5, (int)down);
    for (size_t i = 0; i < cells->count; i++) {
        const uint64_t code =
            place->code + ((uint64_t)i << (64 - 2 * level) % 64);
        const struct om_pos corner = om_morton_pos(code);
        struct om__cell *cell = &cells->cell[i];
        cell->count = 0;
        cell->placed = 1;
        cell->x = corner.x + middle;
        cell->y = corner.y + middle;
    }
}

om_status om__crowd_count(struct om__making *m, struct om__cells *cells)
{
    const unsigned level = m->place.z + cells->zooms;
    uint64_t *code, told = 0;
    size_t n;
    if (level > OM_CROWD_LEVEL) return OM_E_INTERNAL;
    OM_TRY(find_codes(m, &code, &n));
    clear(&m->place, cells);
    const unsigned up = 2 * (OM_CROWD_LEVEL - level);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && code[to] == code[from];) to++;
        if (to - from < m->spec->crowd) continue;
        cells->cell[(code[from] >> up) % cells->count].count += to - from;
        told += to - from;
    }
    m->total = told;
    return OM_OK;
}
