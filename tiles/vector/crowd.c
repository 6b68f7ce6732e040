/* crowd.c - cells of persons: only those that are many, whatever the zoom.
 *
 * DESIGN
 * Tiles of all zooms are cells of one quadtree, and whoever looks at two of
 * them may subtract. So there is one level at which persons are counted
 * (OM_CROWD_LEVEL, some 4 km); cells of fewer than the smallest count are
 * nobody's there (nor are those that few have made, where rows are somebody's
 * doing: engine/policy/doers.h), and coarser cells are sums of what is left,
 * never of rows. Finer ones are not shown. Counts stand in the middle of their
 * cells: where the mean of ten people is tells how one of them moves.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/policy/doers.h"
#include "tiles/vector/vector_internal.h"

/* A row: its cell, and whose doing it is. */
struct mark {
    uint64_t code, person;
};

static int by_code(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->code != y->code) return x->code < y->code ? -1 : 1;
    return (x->person > y->person) - (x->person < y->person);
}

static om_status mark_row(struct om_doer_texts *doers, size_t part, size_t row,
                          uint64_t key, struct mark *out)
{
    out->code = key >> (64 - 2 * OM_CROWD_LEVEL);
    out->person = 0;
    return doers ? om_doer_text(doers, part, row, &out->person) : OM_OK;
}

/* The cells of the crowd's level in which the tile's rows lie, sorted. */
static om_status find_marks(const struct om__making *m,
                            struct om_doer_texts *doers, struct mark **out,
                            size_t *count)
{
    const struct om_layer *layer = m->spec->layer;
    size_t n = 0, room = 1;
    for (size_t p = 0; p < layer->parts; p++)
        room += m->stretch[p].to - m->stretch[p].from;
    struct mark *mark = om_arena_alloc(m->arena, room * sizeof *mark);
    if (!mark) return OM_E_MEMORY;
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
            for (; bits; bits &= bits - 1) {
                const size_t row = w * 64 + (size_t)__builtin_ctzll(bits);
                OM_TRY(mark_row(doers, p, row, key[row], &mark[n++]));
            }
        }
    }
    qsort(mark, n, sizeof *mark, by_code);
    *out = mark;
    *count = n;
    return OM_OK;
}

/* Every cell is empty, and stands in its middle. */
static void clear(const struct om__place *place, struct om__cells *cells)
{
    const unsigned level = place->z + cells->zooms, down = 32 - level;
    const uint64_t middle = (UINT64_C(1) << down) / 2;
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

static om_status find(const struct om__making *m, struct mark **out,
                      size_t *count)
{
    const struct om_layer *layer = m->spec->layer;
    struct om_doer_texts doers;
    if (!layer->rights.doers) return find_marks(m, NULL, out, count);
    om_status st = om_doer_texts_init(&doers, layer, layer->rights.doer_column);
    if (!st) st = find_marks(m, &doers, out, count);
    om_doer_texts_deinit(&doers);
    return st;
}

/* Is a cell of too few, or made by too few? */
static bool is_few(const struct om__making *m, const struct mark *mark,
                   size_t rows)
{
    size_t persons = 1;
    if (rows < m->spec->crowd) return true;
    if (!m->spec->layer->rights.doers) return false;
    for (size_t i = 1; i < rows; i++)
        persons += mark[i].person != mark[i - 1].person;
    return persons < m->spec->crowd;
}

om_status om__crowd_count(struct om__making *m, struct om__cells *cells)
{
    const unsigned level = m->place.z + cells->zooms;
    struct mark *mark;
    uint64_t told = 0;
    size_t n;
    if (level > OM_CROWD_LEVEL) return OM_E_INTERNAL;
    OM_TRY(find(m, &mark, &n));
    clear(&m->place, cells);
    const unsigned up = 2 * (OM_CROWD_LEVEL - level);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && mark[to].code == mark[from].code;) to++;
        if (is_few(m, &mark[from], to - from)) continue;
        cells->cell[(mark[from].code >> up) % cells->count].count += to - from;
        told += to - from;
    }
    m->total = told;
    return OM_OK;
}
