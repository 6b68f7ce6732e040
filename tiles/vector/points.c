/* points.c - tiles of points: all of them, or cells.
 *
 * DESIGN
 * Whether a tile shows its rows is decided by their number alone, so that a
 * cell can say at which zoom they will be shown. How many there may be follows
 * from what a row's properties take: who asks for fewer columns sees rows
 * earlier. A tile whose texts are longer than that is counted, too.
 */
#include "tiles/vector/vector_internal.h"

/* Bytes of a tile of rows as they are reckoned. */
#define BUDGET 200000
/* Fewer rows than a tile has cells are never counted. */
#define WHOLE_LEAST 256

uint64_t om__points_whole(const struct om_vector_spec *spec)
{
    const uint64_t rows = BUDGET / (om__row_bytes(spec, false) + 6);
    return rows > WHOLE_LEAST ? rows : WHOLE_LEAST;
}

uint64_t om_vector_points_most(const struct om_vector_spec *spec)
{
    return om__points_whole(spec);
}

static om_status add_row(struct om__making *m, struct om__rows *rows,
                         size_t part, size_t row, uint64_t key)
{
    const struct om_pos pos = om_morton_pos(key);
    const unsigned z = m->place.z;
    om_mvt_point(
        &m->rows,
        (struct om_mvt_xy){(int32_t)(om__unit_of(pos.x, z) - m->place.west),
                           (int32_t)(om__unit_of(pos.y, z) - m->place.north)});
    m->shown++;
    return om__rows_feature(rows, OM_MVT_POINT, part, row);
}

/* Selected rows of a part in the tile. */
static om_status list_rows(const struct om__making *m, size_t p,
                           struct om_buf *out)
{
    const size_t count = om_segment_rows(m->spec->layer->part[p].segment);
    const size_t from = m->stretch[p].from, to = m->stretch[p].to;
    for (size_t w = from / 64; w * 64 < to; w++) {
        uint64_t bits =
            om__selected_in(m->spec->selection, p, count, w, from, to);
        for (; bits; bits &= bits - 1) {
            const struct om_row_at row = {
                (uint32_t)p,
                (uint32_t)(w * 64 + (size_t)__builtin_ctzll(bits))};
            OM_TRY(om_buf_add(out, &row, sizeof row));
        }
    }
    return OM_OK;
}

static om_status add_listed(struct om__making *m, struct om__rows *rows,
                            const struct om_row_at *row, size_t n)
{
    const struct om_layer *layer = m->spec->layer;
    for (size_t i = 0; i < n; i++) {
        const uint64_t *key;
        const size_t at = row[i].row;
        OM_TRY(om_segment_keys(layer->part[row[i].part].segment, at, at + 1,
                               &key));
        OM_TRY(add_row(m, rows, row[i].part, at, key[at]));
    }
    return OM_OK;
}

static om_status add_rows(struct om__making *m, struct om__rows *rows)
{
    const struct om_layer *layer = m->spec->layer;
    struct om_buf list = {0};
    om_status st = OM_OK;
    for (size_t p = 0; p < layer->parts && !st; p++) {
        const size_t from = m->stretch[p].from, to = m->stretch[p].to;
        if (from == to) continue;
        st = om__rows_touch(rows, p, from, to);
        if (!st) st = list_rows(m, p, &list);
    }
    struct om_row_at *row = (struct om_row_at *)(void *)list.bytes;
    const size_t n = list.len / sizeof *row;
    if (!st) st = om_curve_order(layer, row, n);
    if (!st) st = add_listed(m, rows, row, n);
    om_buf_deinit(&list);
    return st;
}

/* Rows that are alone in their cells are shown. */
static om_status add_alone(struct om__making *m, const struct om__cells *cells,
                           struct om__rows *rows)
{
    for (size_t i = 0; i < cells->count; i++) {
        const struct om__cell *cell = &cells->cell[i];
        if (cell->count != 1) continue;
        OM_TRY(om__rows_touch(rows, cell->row.part, cell->row.row,
                              (size_t)cell->row.row + 1));
        OM_TRY(add_row(m, rows, cell->row.part, cell->row.row, cell->first));
    }
    return OM_OK;
}

static om_status make(struct om__making *m, unsigned zooms)
{
    struct om__rows *rows = NULL;
    om__making_clear(m);
    OM_TRY(om__rows_new(m->spec, false, &m->rows, m->arena, &rows));
    om_status st = OM_OK;
    if (zooms > OM_VECTOR_CELL_ZOOMS) {
        st = add_rows(m, rows);
    } else {
        struct om__cells cells;
        st = om__cells_gather(m->vectors, m->spec, &m->place, m->stretch, zooms,
                              NULL, 0, m->arena, &cells);
        const uint64_t crowd = m->spec->crowd;
        if (!st && !crowd) st = add_alone(m, &cells, rows);
        if (!st && crowd) st = om__crowd_count(m, &cells);
        if (!st)
            st = om__cells_write(&cells, m->spec, &m->place,
                                 crowd ? crowd - 1 : 1,
                                 om__points_whole(m->spec), OM__ZOOM_MAX + 1,
                                 m->arena, &m->cells);
    }
    om__rows_free(rows);
    return st;
}

om_status om__points_make(struct om__making *m)
{
    // Rows, if they are few, then cells, coarser until they fit.
    const bool whole = m->total <= om__points_whole(m->spec) && !m->spec->crowd;
    unsigned zooms = OM_VECTOR_CELL_ZOOMS + (whole ? 1 : 0);
    if (m->spec->crowd) {
        // Finer than persons are counted by: nothing is told.
        if (m->place.z > OM_CROWD_LEVEL) return OM_OK;
        if (m->place.z + zooms > OM_CROWD_LEVEL)
            zooms = OM_CROWD_LEVEL - m->place.z;
    }
    for (;;) {
        OM_TRY(make(m, zooms));
        if (om__making_fits(m) || zooms == 0) return OM_OK;
        zooms--;
    }
}
