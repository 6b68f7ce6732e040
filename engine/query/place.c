/* place.c - the rows of a part of points that lie in a place.
 *
 * DESIGN
 * The rows of a quadtree cell are one range. A box or circle is searched from
 * the few cells that are just as large as it is: a cell outside is dropped, a
 * cell inside is taken whole, and one on the rim is split until it holds so
 * few rows that looking at each is cheaper than splitting on. Children are
 * visited in Morton order, so rows come out in rising order.
 *
 * Morton codes are compared without taking them apart: with the bits of y
 * masked away, codes compare as their x do, and the other way round.
 *
 * A polygon comes as sorted intervals of codes, inside or on the rim.
 */
#include "engine/query/place.h"

#include <string.h>

#include "data/base/clones.h"

/* A cell with at most this many rows is looked at row by row, since that costs
 * less than splitting on. A code is compared with a box in a nanosecond, its
 * distance to a circle's centre takes several. */
#define SCAN_ROWS_BOX 256
#define SCAN_ROWS_CIRCLE 96
/* Splits before a cell is shrunk to its rows, which reads two of them. */
#define SHRINK_DEPTH 3
#define X_BITS UINT64_C(0x5555555555555555)
#define Y_BITS UINT64_C(0xAAAAAAAAAAAAAAAA)
/* Cells along the longer side of a polygon's box, as a power of two: 2^8
 * leave a few per cent of the rows on the rim. */
#define COVER_LEVELS 8
/* With more vertices than this, edges are indexed before points are tested. */
#define INDEX_VERTICES 64

/* Bits that are needed to tell apart `n` + 1 values. */
static unsigned bits_of(uint32_t n)
{
    return n ? 32 - (unsigned)__builtin_clz(n) : 0;
}

static om_status box_rings(struct om__area *area, struct om_box box)
{
    static const uint32_t ONE[] = {0, 1};
    uint32_t *ring = om_arena_calloc(&area->arena, 2, sizeof *ring);
    struct om_pos *vertex = om_arena_calloc(&area->arena, 4, sizeof *vertex);
    struct om_rings *rings = om_arena_calloc(&area->arena, 1, sizeof *rings);
    struct om_box *own = om_arena_calloc(&area->arena, 1, sizeof *own);
    if (!ring || !vertex || !rings || !own) return OM_E_MEMORY;
    ring[1] = 4;
    vertex[0] = (struct om_pos){box.x0, box.y0};
    vertex[1] = (struct om_pos){box.x0, box.y1};
    vertex[2] = (struct om_pos){box.x1, box.y1};
    vertex[3] = (struct om_pos){box.x1, box.y0};
    *own = box;
    *rings = (struct om_rings){.count = 1,
                               .shape_part = ONE,
                               .part_ring = ONE,
                               .ring_vertex = ring,
                               .vertex = vertex,
                               .box = own};
    area->rings = rings;
    return OM_OK;
}

static om_status init_box(struct om__area *area, struct om_box box)
{
    if (box.x0 > box.x1 || box.y0 > box.y1) return OM_E_RANGE;
    area->box = box;
    area->x0 = om_morton_spread(box.x0);
    area->y0 = om_morton_spread(box.y0) << 1;
    area->dx = om_morton_spread(box.x1) - area->x0;
    area->dy = (om_morton_spread(box.y1) << 1) - area->y0;
    if (area->geometry == OM_GEOMETRY_POINT) return OM_OK;
    return box_rings(area, box);
}

static om_status init_within(struct om__area *area,
                             const struct om_rings *rings)
{
    if (!rings || rings->count != 1) return OM_E_RANGE;
    const uint32_t last_ring = rings->part_ring[rings->shape_part[1]];
    const uint32_t vertices = rings->ring_vertex[last_ring];
    if (vertices > OM_LIMIT_QUERY_VERTICES) return OM_E_COST;
    area->rings = rings;
    area->box = rings->box[0];
    const uint32_t wide = area->box.x1 - area->box.x0;
    const uint32_t high = area->box.y1 - area->box.y0;
    const unsigned bits = bits_of(wide > high ? wide : high);
    const unsigned level = 32 - bits + COVER_LEVELS;
    OM_TRY(om_rings_cover(rings, 0, level < 32 ? level : 32, &area->arena,
                          &area->interval, &area->intervals));
    if (vertices <= INDEX_VERTICES) return OM_OK;
    return om_partition_new(rings, &area->partition);
}

om_status om__area_init(struct om__area *area, const struct om_place *place,
                        enum om_geometry geometry)
{
    *area = (struct om__area){
        .kind = place->kind,
        .geometry = geometry,
        .box = {0, 0, UINT32_MAX, UINT32_MAX},
    };
    om_status st = OM_OK;
    switch (place->kind) {
        case OM_PLACE_ALL:
            break;
        case OM_PLACE_BOX:
            st = init_box(area, place->box);
            break;
        case OM_PLACE_WITHIN:
            st = init_within(area, place->rings);
            break;
        case OM_PLACE_RADIUS:
            st = om_circle_init(&area->circle, place->pos, place->radius_m);
            area->box = area->circle.box;
            break;
        case OM_PLACE_ID:
            area->id = place->id;
            area->id_len = place->id_len;
            break;
        default:
            st = OM_E_INTERNAL;  // NEAREST is not an area
    }
    if (st) om__area_deinit(area);
    return st;
}

void om__area_deinit(struct om__area *area)
{
    om_partition_free(area->partition);
    om_arena_deinit(&area->arena);
    *area = (struct om__area){0};
}

/* Rows among n whose code lies in the box. */
OM_CLONES static size_t box_count(const uint64_t *key, size_t n, uint64_t x0,
                                  uint64_t dx, uint64_t y0, uint64_t dy)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += (uint64_t)(((key[i] & X_BITS) - x0 <= dx) &
                            ((key[i] & Y_BITS) - y0 <= dy));
    return count;
}

/* The same as bits; n <= 64. */
static uint64_t box_bits(const struct om__area *a, const uint64_t *key,
                         size_t n)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++)
        bits |= (uint64_t)(((key[i] & X_BITS) - a->x0 <= a->dx) &
                           ((key[i] & Y_BITS) - a->y0 <= a->dy))
                << i;
    return bits;
}

/* Stacks share a code: each is tested once. */
static uint64_t circle_bits(const struct om__area *a, const uint64_t *key,
                            size_t n)
{
    uint64_t bits = 0, in = 0;
    for (size_t i = 0; i < n; i++) {
        if (!i || key[i] != key[i - 1])
            in = om_circle_holds(&a->circle, om_morton_pos(key[i]));
        bits |= in << i;
    }
    return bits;
}

static uint64_t polygon_bits(const struct om__area *a, const uint64_t *key,
                             size_t n)
{
    uint64_t bits = 0, in = 0;
    for (size_t i = 0; i < n; i++) {
        if (!i || key[i] != key[i - 1])
            in = om__area_contains(a, om_morton_pos(key[i]));
        bits |= in << i;
    }
    return bits;
}

typedef uint64_t bits_fn(const struct om__area *area, const uint64_t *key,
                         size_t n);

static om_status scan(const struct om__area *area,
                      const struct om_segment *segment, size_t from, size_t to,
                      struct om__take *take)
{
    const uint64_t *key;
    OM_TRY(om_segment_keys(segment, from, to, &key));
    if (area->kind == OM_PLACE_BOX && !take->list &&
        om__chosen_all(take->chosen)) {
        take->count += box_count(key + from, to - from, area->x0, area->dx,
                                 area->y0, area->dy);
        return OM_OK;
    }
    bits_fn *const test = area->kind == OM_PLACE_BOX      ? box_bits
                          : area->kind == OM_PLACE_RADIUS ? circle_bits
                                                          : polygon_bits;
    while (from < to) {
        const size_t w = from / 64, first = from % 64;
        const size_t n = to - from < 64 - first ? to - from : 64 - first;
        const uint64_t bits = test(area, key + from, n) << first;
        OM_TRY(om__take_bits(take, w, bits));
        from += n;
    }
    return OM_OK;
}

/* A search on its way down. */
struct descent {
    const struct om__area *area;
    const struct om_segment *segment;
    struct om__take *take;
    size_t scan_rows;
};

static struct om_box cell_box(struct om_pos corner, unsigned level)
{
    const uint32_t last = (uint32_t)((UINT64_C(1) << (32 - level)) - 1);
    return (struct om_box){corner.x, corner.y, corner.x + last,
                           corner.y + last};
}

static enum om_side box_side(struct om_box box, struct om_box cell)
{
    if (cell.x0 > box.x1 || cell.x1 < box.x0 || cell.y0 > box.y1 ||
        cell.y1 < box.y0)
        return OM_SIDE_OUT;
    return cell.x0 >= box.x0 && cell.x1 <= box.x1 && cell.y0 >= box.y0 &&
                   cell.y1 <= box.y1
               ? OM_SIDE_IN
               : OM_SIDE_MIXED;
}

static enum om_side side_of(const struct om__area *area, struct om_box cell)
{
    return area->kind == OM_PLACE_BOX ? box_side(area->box, cell)
                                      : om_circle_side(&area->circle, cell);
}

/* Codes of one cell of a level; 0 for the whole square wraps to "to the end",
 * which is what om_segment_range means by it. */
static uint64_t cell_codes(unsigned level)
{
    return level ? UINT64_C(1) << (64 - 2 * level) : 0;
}

/* A cell and its rows. */
struct cell {
    uint64_t code;
    struct om_pos corner;
    unsigned level;
    size_t from, to;
};

static om_status visit(const struct descent *d, const struct cell *cell,
                       enum om_side side, unsigned depth);

/* Where the rows of each quarter begin; looked up only where a quarter that
 * is not outside needs to know. */
static om_status quarter_rows(const struct descent *d, const struct cell *cell,
                              const enum om_side side[4], size_t begin[5])
{
    const uint64_t step = cell_codes(cell->level + 1);
    begin[0] = cell->from;
    begin[4] = cell->to;
    for (uint64_t i = 1; i < 4; i++) {
        size_t end;
        begin[i] = begin[i - 1];
        if (side[i - 1] == OM_SIDE_OUT && side[i] == OM_SIDE_OUT) continue;
        OM_TRY(om_segment_range(d->segment, cell->code + i * step, 0, &begin[i],
                                &end));
    }
    return OM_OK;
}

static om_status split(const struct descent *d, const struct cell *cell,
                       unsigned depth)
{
    const uint32_t half = UINT32_C(1) << (31 - cell->level);
    enum om_side side[4];
    struct om_pos corner[4];
    size_t begin[5];
    for (uint32_t i = 0; i < 4; i++) {
        corner[i] = (struct om_pos){cell->corner.x + (i & 1) * half,
                                    cell->corner.y + (i >> 1) * half};
        side[i] = side_of(d->area, cell_box(corner[i], cell->level + 1));
    }
    OM_TRY(quarter_rows(d, cell, side, begin));
    for (uint64_t i = 0; i < 4; i++) {
        if (side[i] == OM_SIDE_OUT) continue;
        const struct cell quarter = {
            .code = cell->code + i * cell_codes(cell->level + 1),
            .corner = corner[i],
            .level = cell->level + 1,
            .from = begin[i],
            .to = begin[i + 1],
        };
        OM_TRY(visit(d, &quarter, side[i], depth + 1));
    }
    return OM_OK;
}

/* Make the cell the smallest that holds all its rows, so that a stack of rows
 * on one position, or a lone cluster, is reached in one step. */
static om_status shrink(const struct descent *d, struct cell *cell)
{
    const uint64_t *key;
    OM_TRY(om_segment_keys(d->segment, cell->from, cell->from + 1, &key));
    const uint64_t first = key[cell->from];
    OM_TRY(om_segment_keys(d->segment, cell->to - 1, cell->to, &key));
    const uint64_t differ = first ^ key[cell->to - 1];
    cell->level = differ ? (unsigned)__builtin_clzll(differ) / 2 : 32;
    cell->code = first & -cell_codes(cell->level);
    cell->corner = om_morton_pos(cell->code);
    return OM_OK;
}

static om_status visit(const struct descent *d, const struct cell *cell,
                       enum om_side side, unsigned depth)
{
    struct cell c = *cell;
    if (side == OM_SIDE_OUT || c.from >= c.to) return OM_OK;
    if (side == OM_SIDE_IN) return om__take_run(d->take, c.from, c.to);
    if (c.to - c.from > d->scan_rows && depth >= SHRINK_DEPTH) {
        OM_TRY(shrink(d, &c));
        side = side_of(d->area, cell_box(c.corner, c.level));
        if (side == OM_SIDE_OUT) return OM_OK;
        if (side == OM_SIDE_IN) return om__take_run(d->take, c.from, c.to);
    }
    if (c.to - c.from <= d->scan_rows || c.level == 32)
        return scan(d->area, d->segment, c.from, c.to, d->take);
    return split(d, &c, depth);
}

static om_status descend(const struct descent *d, uint64_t code, unsigned level)
{
    struct cell cell = {
        .code = code, .corner = om_morton_pos(code), .level = level};
    const enum om_side side = side_of(d->area, cell_box(cell.corner, level));
    if (side == OM_SIDE_OUT) return OM_OK;
    OM_TRY(om_segment_range(d->segment, code, code + cell_codes(level),
                            &cell.from, &cell.to));
    return visit(d, &cell, side, 0);
}

/* Start from the cells just as large as the box: at most two by two, the first
 * and last column perhaps across the date line. */
static om_status find_compact(const struct descent *d)
{
    const struct om_box box = d->area->box;
    const uint32_t wide = box.x1 - box.x0, high = box.y1 - box.y0;
    const unsigned bits = bits_of(wide > high ? wide : high);
    const unsigned level = 32 - bits;
    if (!level) return descend(d, 0, 0);
    const uint32_t mask =
        bits < 32 ? ~(uint32_t)((UINT64_C(1) << bits) - 1) : 0;
    const uint32_t x[2] = {box.x0 & mask, box.x1 & mask};
    const uint32_t y[2] = {box.y0 & mask, box.y1 & mask};
    uint64_t code[4];
    size_t n = 0;
    for (size_t i = 0; i < 4; i++) {
        if ((i % 2 && x[1] == x[0]) || (i / 2 && y[1] == y[0])) continue;
        code[n++] = om_morton((struct om_pos){x[i % 2], y[i / 2]});
    }
    for (size_t i = 1; i < n; i++)  // rising; few, so by insertion
        for (size_t j = i; j && code[j] < code[j - 1]; j--) {
            const uint64_t swap = code[j];
            code[j] = code[j - 1];
            code[j - 1] = swap;
        }
    for (size_t i = 0; i < n; i++) OM_TRY(descend(d, code[i], level));
    return OM_OK;
}

static om_status find_within(const struct om__area *area,
                             const struct om_segment *segment,
                             struct om__take *take)
{
    for (size_t i = 0; i < area->intervals; i++) {
        const struct om_interval *run = &area->interval[i];
        size_t from, to;
        OM_TRY(om_segment_range(segment, run->first, run->end, &from, &to));
        if (from >= to) continue;
        if (run->inside)
            OM_TRY(om__take_run(take, from, to));
        else
            OM_TRY(scan(area, segment, from, to, take));
    }
    return OM_OK;
}

static om_status find_id(const struct om__area *area,
                         const struct om_segment *segment,
                         struct om__take *take)
{
    struct om_text_reader reader = {0};
    size_t row;
    om_status st =
        om_segment_find(segment, area->id, area->id_len, &reader, &row);
    if (st == OM_OK) st = om__take_run(take, row, row + 1);
    om_text_reader_deinit(&reader);
    return st == OM_E_NOTFOUND ? OM_OK : st;
}

om_status om__area_find(const struct om__area *area, const struct om_part *part,
                        struct om__take *take)
{
    const struct om_segment *segment = part->segment;
    const size_t rows = om_segment_rows(segment);
    if (!rows) return OM_OK;
    if (area->kind == OM_PLACE_ALL) return om__take_run(take, 0, rows);
    if (area->kind == OM_PLACE_ID) return find_id(area, segment, take);
    if (area->geometry != OM_GEOMETRY_POINT)
        return om__area_find_shapes(area, segment, take);
    if (area->kind == OM_PLACE_WITHIN) return find_within(area, segment, take);
    const size_t scan_rows =
        area->kind == OM_PLACE_BOX ? SCAN_ROWS_BOX : SCAN_ROWS_CIRCLE;
    return find_compact(&(struct descent){area, segment, take, scan_rows});
}
