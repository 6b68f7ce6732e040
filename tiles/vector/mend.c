/* mend.c - what rows that were written change in what is kept of the others.
 *
 * DESIGN
 * Ranks are found cell by cell (border.c). Cells in which a shape has a vertex
 * that was written since, or had one that is gone, are ranked anew, each by
 * itself; all others are as the lasting parts have them. What was written to a
 * cell is told by a hash of these shapes, wherever their rows lie now: a row
 * more makes its own cells be ranked again, and merged runs none.
 *
 * A polygon of the lasting parts is as the zoom's level has it (level.c) unless
 * an edge of it passes such a cell; then it is snapped by itself, through the
 * vertices that the zoom shows in all cells along its edges.
 */
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "tiles/vector/vector_internal.h"

/* Cells along an edge that are looked up one by one; for more the whole layer
 * is taken. */
#define EDGE_CELLS 4096
/* Seconds that ranking a cell takes, and looking at a row that was written,
 * roughly. */
#define CELL_S 1e-3
#define ROW_S 2e-7

/* ---- where rows were written ---- */

struct touched {
    uint64_t cell, shape;  // a hash
};

static int by_cell(const void *a, const void *b)
{
    const struct touched *p = a, *q = b;
    return (p->cell > q->cell) - (p->cell < q->cell);
}

/* Every cell in which the shape has a vertex. */
static void touch_shape(const struct om_rings *r, size_t row, unsigned level,
                        bool dead, struct om_buf *out)
{
    const size_t from = r->part_ring[r->shape_part[row]];
    const size_t to = r->part_ring[r->shape_part[row + 1]];
    const size_t first = r->ring_vertex[from], end = r->ring_vertex[to];
    uint64_t hash =
        om_hash64(r->vertex + first, (end - first) * sizeof *r->vertex, dead);
    for (size_t i = from; i < to; i++) {
        const uint64_t n = r->ring_vertex[i + 1] - r->ring_vertex[i];
        hash = om_hash64(&n, sizeof n, hash);
    }
    struct touched last = {0, hash};
    for (size_t v = first; v < end; v++) {
        const uint64_t cell = om__rank_cell(r->vertex[v], level);
        if (v > first && cell == last.cell) continue;
        last.cell = cell;
        om_buf_add(out, &last, sizeof last);
    }
}

static om_status touch_part(const struct om_layer *layer, size_t p,
                            struct om_buf *out)
{
    const struct om_part *part = &layer->part[p];
    const size_t rows = om_segment_rows(part->segment);
    const unsigned level = om__rank_level(layer);
    const bool passing = om__lasting(layer, p) == OM__PASSING;
    struct om_rings rings;
    if (!rows || (!passing && !part->dead_count)) return OM_OK;
    OM_TRY(om_segment_rings(part->segment, 0, rows, &rings));
    if (!passing) {
        for (size_t i = 0; i < part->dead_count; i++)
            touch_shape(&rings, part->dead[i], level, true, out);
        return out->status;
    }
    size_t d = 0;
    for (size_t row = 0; row < rows; row++)
        if (d < part->dead_count && part->dead[d] == row)
            d++;
        else
            touch_shape(&rings, row, level, false, out);
    return out->status;
}

static void free_mend(void *value)
{
    struct om__mend *mend = value;
    om_arena_deinit(&mend->arena);
    om_free(mend);
}

/* Hashes of one cell are added up: their order is nobody's business. */
static om_status sum_up(struct touched *touched, size_t n,
                        struct om__mend *mend)
{
    mend->cell = om_arena_alloc(&mend->arena, (n + 1) * sizeof *mend->cell);
    mend->state = om_arena_alloc(&mend->arena, (n + 1) * sizeof *mend->state);
    if (!mend->cell || !mend->state) return OM_E_MEMORY;
    if (n) qsort(touched, n, sizeof *touched, by_cell);
    for (size_t i = 0; i < n; i++) {
        if (!i || touched[i].cell != touched[i - 1].cell) {
            mend->cell[mend->cells] = touched[i].cell;
            mend->state[mend->cells++] = 0;
        }
        mend->state[mend->cells - 1] += touched[i].shape;
    }
    return OM_OK;
}

static om_status make_mend(void *ask, void **value, size_t *bytes)
{
    const struct om_layer *layer = ask;
    struct om_buf touched = {0};
    struct om__mend *mend = om_calloc(1, sizeof *mend);
    om_status st = mend ? OM_OK : OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts && !st; p++)
        st = touch_part(layer, p, &touched);
    if (!st)
        st = sum_up((struct touched *)(void *)touched.bytes,
                    touched.len / sizeof(struct touched), mend);
    *bytes = sizeof *mend + touched.len;
    om_buf_deinit(&touched);
    if (st) {
        if (mend) free_mend(mend);
        return st;
    }
    *value = mend;
    return OM_OK;
}

static const struct om__keep_kind KIND = {"mend", make_mend, free_mend};

/* ---- ranks ---- */

om_status om__ranks_open(struct om__ranks *r, struct om_vectors *vectors,
                         const struct om_layer *layer, struct om_arena *arena)
{
    *r = (struct om__ranks){
        .vectors = vectors, .layer = layer, .level = om__rank_level(layer)};
    OM_TRY(om__borders_get(vectors, layer, &r->kept_lasting));
    r->lasting = r->kept_lasting.value;
    if (!om__written(layer)) return OM_OK;
    struct om__layer_key key;
    om__layer_key_now(&key, layer, NULL);
    OM_TRY(om__keep_get(vectors, &KIND, &key, sizeof key,
                        (void *)(uintptr_t)layer, &r->kept_mend));
    r->mend = r->kept_mend.value;
    r->patch = om_arena_calloc(arena, r->mend->cells + 1, sizeof *r->patch);
    return r->patch ? OM_OK : OM_E_MEMORY;
}

void om__ranks_close(struct om__ranks *r)
{
    for (size_t i = 0; r->patch && i < r->mend->cells; i++)
        om__keep_release(r->vectors, &r->patch[i]);
    om__keep_release(r->vectors, &r->kept_mend);
    om__keep_release(r->vectors, &r->kept_lasting);
    *r = (struct om__ranks){0};
}

/* Does a cell meet the box? */
static bool cell_meets(uint64_t cell, unsigned level, struct om_box box)
{
    const struct om_box c = om__rank_box(cell, level);
    return c.x0 <= box.x1 && c.x1 >= box.x0 && c.y0 <= box.y1 && c.y1 >= box.y0;
}

double om__ranks_cost_s(struct om_vectors *vectors,
                        const struct om_layer *layer,
                        const struct om__place *place)
{
    struct om__layer_key key;
    struct om__kept kept;
    if (!om__written(layer)) return 0.0;
    om__layer_key_now(&key, layer, NULL);
    if (!om__keep_has(vectors, &KIND, &key, sizeof key))
        return CELL_S + ROW_S * (double)om__written_rows(layer);
    if (om__keep_get(vectors, &KIND, &key, sizeof key, (void *)(uintptr_t)layer,
                     &kept))
        return 0.0;
    const struct om__mend *mend = kept.value;
    const unsigned level = om__rank_level(layer);
    double cost_s = 0.0;
    for (size_t i = 0; i < mend->cells; i++)
        if (cell_meets(mend->cell[i], level, om__place_reach(place)) &&
            !om__borders_know_cell(vectors, layer, mend->cell[i],
                                   mend->state[i]))
            cost_s += CELL_S;
    om__keep_release(vectors, &kept);
    return cost_s;
}

/* Number of a cell among those that were written to; `cells`: it was not. */
static size_t find_cell(const struct om__mend *mend, uint64_t cell)
{
    size_t low = 0, high = mend->cells;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (mend->cell[middle] < cell)
            low = middle + 1;
        else
            high = middle;
    }
    return low < mend->cells && mend->cell[low] == cell ? low : mend->cells;
}

/* The network that knows a cell; *patched: of the cell alone. */
static om_status network_of(struct om__ranks *r, uint64_t cell,
                            const struct om__borders **out, bool *patched)
{
    const size_t i = find_cell(r->mend, cell);
    *patched = i < r->mend->cells;
    *out = r->lasting;
    if (!*patched) return OM_OK;
    if (!r->patch[i].value)
        OM_TRY(om__borders_of_cell(r->vectors, r->layer, cell,
                                   r->mend->state[i], &r->patch[i]));
    *out = r->patch[i].value;
    return OM_OK;
}

/* First node that is not before a place on the curve. */
static size_t node_from(const struct om__borders *b, uint64_t code)
{
    size_t low = 0, high = b->nodes;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (om_morton(b->pos[middle]) < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

om_status om__rank(struct om__ranks *r, const uint32_t *node, struct om_pos at,
                   uint8_t *zoom)
{
    if (!r->mend) {
        *zoom = r->lasting->zoom[*node];
        return OM_OK;
    }
    const uint64_t cell = om__rank_cell(at, r->level);
    if (!r->now || cell != r->cell) {
        OM_TRY(network_of(r, cell, &r->now, &r->patched));
        r->cell = cell;
    }
    const size_t n = r->patched ? node_from(r->now, om_morton(at))
                     : node     ? *node
                                : SIZE_MAX;
    if (n >= r->now->nodes) return OM_E_INTERNAL;
    *zoom = r->now->zoom[n];
    return OM_OK;
}

/* ---- polygons ---- */

struct cells {
    uint32_t x0, y0, x1, y1;
};

/* Cells within a unit of the zoom of a box. */
static struct cells cells_of(struct om_box box, unsigned z, unsigned level)
{
    const uint64_t unit = (UINT64_C(1) << (OM__ZOOM_EXACT - z)) + 1;
    const unsigned shift = 32 - level;
    const uint64_t x1 = box.x1 + unit, y1 = box.y1 + unit;
    const struct om_box b = {box.x0 > unit ? box.x0 - (uint32_t)unit : 0,
                             box.y0 > unit ? box.y0 - (uint32_t)unit : 0,
                             x1 > UINT32_MAX ? UINT32_MAX : (uint32_t)x1,
                             y1 > UINT32_MAX ? UINT32_MAX : (uint32_t)y1};
    if (!level) return (struct cells){0, 0, 0, 0};
    return (struct cells){b.x0 >> shift, b.y0 >> shift, b.x1 >> shift,
                          b.y1 >> shift};
}

static uint64_t count_of(struct cells c)
{
    return (uint64_t)(c.x1 - c.x0 + 1) * (c.y1 - c.y0 + 1);
}

static bool were_written(const struct om__mend *mend, struct cells c)
{
    if (count_of(c) > mend->cells) {
        for (size_t i = 0; i < mend->cells; i++) {
            const struct om_pos at = om_morton_pos(mend->cell[i]);
            if (at.x >= c.x0 && at.x <= c.x1 && at.y >= c.y0 && at.y <= c.y1)
                return true;
        }
        return false;
    }
    for (uint32_t y = c.y0; y <= c.y1; y++)
        for (uint32_t x = c.x0; x <= c.x1; x++)
            if (find_cell(mend, om_morton((struct om_pos){x, y})) < mend->cells)
                return true;
    return false;
}

static struct om_box box_of_edge(struct om_pos a, struct om_pos b)
{
    return (struct om_box){a.x < b.x ? a.x : b.x, a.y < b.y ? a.y : b.y,
                           a.x < b.x ? b.x : a.x, a.y < b.y ? b.y : a.y};
}

bool om__mend_touches(const struct om__ranks *r, const struct om_rings *rings,
                      size_t row, unsigned z)
{
    const struct om__mend *mend = r->mend;
    if (!mend || !were_written(mend, cells_of(rings->box[row], z, r->level)))
        return false;
    for (size_t i = rings->part_ring[rings->shape_part[row]];
         i < rings->part_ring[rings->shape_part[row + 1]]; i++) {
        const size_t from = rings->ring_vertex[i];
        const size_t to = rings->ring_vertex[i + 1];
        for (size_t v = from; v < to; v++) {
            const struct om_box box = box_of_edge(
                rings->vertex[v], rings->vertex[v + 1 < to ? v + 1 : from]);
            if (were_written(mend, cells_of(box, z, r->level))) return true;
        }
    }
    return false;
}

/* Append the vertices that the zoom shows in a cell. */
static om_status add_shown(struct om__ranks *r, uint64_t cell, unsigned z,
                           struct om_buf *out)
{
    const struct om__borders *b;
    bool patched;
    OM_TRY(network_of(r, cell, &b, &patched));
    const unsigned shift = 64 - 2 * r->level;
    const size_t from = r->level ? node_from(b, cell << shift) : 0;
    for (size_t n = from; n < b->nodes; n++) {
        if (om__rank_cell(b->pos[n], r->level) != cell) break;
        if (b->zoom[n] <= z) om_buf_add(out, &b->pos[n], sizeof b->pos[n]);
    }
    return out->status;
}

static om_status add_all_shown(struct om__ranks *r, unsigned z,
                               struct om_buf *out)
{
    const struct om__borders *b = r->lasting;
    for (size_t n = 0; n < b->nodes; n++) {
        const uint64_t cell = om__rank_cell(b->pos[n], r->level);
        if (b->zoom[n] <= z && find_cell(r->mend, cell) == r->mend->cells)
            om_buf_add(out, &b->pos[n], sizeof b->pos[n]);
    }
    for (size_t i = 0; i < r->mend->cells; i++)
        OM_TRY(add_shown(r, r->mend->cell[i], z, out));
    return out->status;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Cells along the edges of thinned rings, sorted; *all: too many. */
static om_status find_cells(const struct om__ranks *r, const struct om_pos *pos,
                            const uint32_t *end, size_t rings, unsigned z,
                            struct om_buf *out, bool *all)
{
    *all = false;
    for (size_t i = 0, from = 0; i < rings; from = end[i++])
        for (size_t k = from; k < end[i]; k++) {
            const struct cells c = cells_of(
                box_of_edge(pos[k], pos[k + 1 < end[i] ? k + 1 : from]), z,
                r->level);
            if (count_of(c) > EDGE_CELLS) {
                *all = true;
                return OM_OK;
            }
            for (uint32_t y = c.y0; y <= c.y1; y++)
                for (uint32_t x = c.x0; x <= c.x1; x++) {
                    const uint64_t cell = om_morton((struct om_pos){x, y});
                    const size_t n = out->len / sizeof cell;
                    const uint64_t *known = (const void *)out->bytes;
                    if (!n || known[n - 1] != cell)
                        OM_TRY(om_buf_add(out, &cell, sizeof cell));
                }
        }
    const size_t n = out->len / sizeof(uint64_t);
    if (n) qsort(out->bytes, n, sizeof(uint64_t), by_number);
    return OM_OK;
}

static om_status make_hot(struct om__ranks *r, const struct om_pos *pos,
                          const uint32_t *end, size_t rings, unsigned z,
                          struct om_arena *arena, struct om__hot **out)
{
    struct om_buf cells = {0}, shown = {0};
    bool all;
    om_status st = find_cells(r, pos, end, rings, z, &cells, &all);
    const uint64_t *cell = (const void *)cells.bytes;
    if (!st && all) st = add_all_shown(r, z, &shown);
    for (size_t i = 0; i < cells.len / sizeof *cell && !all && !st; i++)
        if (!i || cell[i] != cell[i - 1]) st = add_shown(r, cell[i], z, &shown);
    if (!st)
        st = om__hot_new((const void *)shown.bytes,
                         shown.len / sizeof(struct om_pos), z, arena, out);
    om_buf_deinit(&cells);
    om_buf_deinit(&shown);
    return st;
}

om_status om__mend_polygon(struct om__ranks *r, const struct om_rings *rings,
                           const uint32_t *node, size_t row, unsigned z,
                           struct om_arena *arena, struct om__rings *out)
{
    struct om_buf pos = {0}, end = {0};
    struct om__hot *hot = NULL;
    om_status st = OM_OK;
    for (size_t i = rings->part_ring[rings->shape_part[row]];
         i < rings->part_ring[rings->shape_part[row + 1]] && !st; i++)
        st = om__ring_thin(r, rings, node, i, z, &pos, &end);
    const size_t n = end.len / sizeof(uint32_t);
    *out = (struct om__rings){0};
    if (!st && pos.len)
        st = make_hot(r, (const void *)pos.bytes, (const void *)end.bytes, n, z,
                      arena, &hot);
    if (!st && hot)
        st = om__polygon_snap((const void *)pos.bytes, (const void *)end.bytes,
                              n, z, hot, arena, out);
    om_buf_deinit(&pos);
    om_buf_deinit(&end);
    return st;
}
