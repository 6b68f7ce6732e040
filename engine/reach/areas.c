/* areas.c - squares, their pieces, and rings around these.
 *
 * DESIGN
 * Pieces are squares joined by sides, not by corners. Their rings are walked
 * with the piece on the right: at a corner turn left if the square ahead on
 * the left is of the piece, go straight if only the one ahead on the right
 * is, else turn right. Where two squares of one piece touch in a corner, left
 * first gives an outer ring and a hole that touch in a point, which is valid,
 * and never a ring that touches itself. The first square of a piece in the
 * order of rows begins its outer ring; every other ring is a hole.
 */
#include "engine/reach/areas.h"

#include <math.h>
#include <stdlib.h>

#include "data/base/alloc.h"

struct square {
    uint32_t row, col;
    uint32_t piece;
    bool walked;  // its northern side is in a ring
};
struct net {
    const struct om_crowd *crowd;
    uint32_t side;
    struct square *square;  // by row, then column
    size_t squares;
    uint32_t pieces;
    uint32_t *square_of;  // [crowd->count], OM_NO_UNIT: not chosen
};

/* Rings in the making, piece after piece. */
struct rings {
    struct om_pos *vertex;
    uint32_t *ring_piece, *ring_end;
    size_t vertices, vertex_room, rings, ring_room;
};

uint32_t om_areas_side(double side_m, uint32_t y)
{
    const double cells = side_m / om_world_ground_m(y + 0.5);
    if (!(cells >= 1)) return 1;
    return cells > 1e9 ? 1000000000 : (uint32_t)(cells + 0.5);
}

static int by_place(const void *a, const void *b)
{
    const struct square *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return (x->col > y->col) - (x->col < y->col);
}

static struct square square_at(const struct net *n, size_t i)
{
    const struct om_pos p = om_morton_pos(n->crowd->key[i]);
    return (struct square){.row = p.y / n->side, .col = p.x / n->side};
}

/* Index of a square, OM_NO_UNIT if it is not there. */
static uint32_t find(const struct net *n, int64_t row, int64_t col)
{
    if (row < 0 || col < 0) return OM_NO_UNIT;
    const struct square wanted = {.row = (uint32_t)row, .col = (uint32_t)col};
    const struct square *s =
        bsearch(&wanted, n->square, n->squares, sizeof *n->square, by_place);
    return s ? (uint32_t)(s - n->square) : OM_NO_UNIT;
}

static om_status make_squares(struct net *n, const bool *chosen)
{
    const size_t count = n->crowd->count;
    n->square = om_alloc_array(count + 1, sizeof *n->square);
    n->square_of = om_alloc_array(count + 1, sizeof *n->square_of);
    if (!n->square || !n->square_of) return OM_E_MEMORY;
    size_t all = 0;
    for (size_t i = 0; i < count; i++) {
        if (!chosen[i]) continue;
        const struct square s = square_at(n, i);
        // Neighbours in Morton order often share their square.
        if (all && !by_place(&n->square[all - 1], &s)) continue;
        n->square[all++] = s;
    }
    qsort(n->square, all, sizeof *n->square, by_place);
    for (size_t i = 0; i < all; i++)
        if (!n->squares || by_place(&n->square[n->squares - 1], &n->square[i]))
            n->square[n->squares++] = n->square[i];
    for (size_t i = 0; i < count; i++) {
        const struct square s = square_at(n, i);
        n->square_of[i] =
            chosen[i] ? find(n, s.row, s.col) : (uint32_t)OM_NO_UNIT;
    }
    return OM_OK;
}

/* Pieces by flooding, numbered by their first square. */
static om_status make_pieces(struct net *n)
{
    uint32_t *stack = om_alloc_array(n->squares + 1, sizeof *stack);
    if (!stack) return OM_E_MEMORY;
    for (size_t i = 0; i < n->squares; i++) n->square[i].piece = OM_NO_UNIT;
    for (size_t i = 0; i < n->squares; i++) {
        if (n->square[i].piece != OM_NO_UNIT) continue;
        size_t depth = 0;
        stack[depth++] = (uint32_t)i;
        n->square[i].piece = n->pieces;
        while (depth) {
            const struct square s = n->square[stack[--depth]];
            const int64_t row = s.row, col = s.col;
            const uint32_t beside[4] = {
                find(n, row - 1, col), find(n, row + 1, col),
                find(n, row, col - 1), find(n, row, col + 1)};
            for (int k = 0; k < 4; k++) {
                if (beside[k] == OM_NO_UNIT ||
                    n->square[beside[k]].piece != OM_NO_UNIT)
                    continue;
                n->square[beside[k]].piece = n->pieces;
                stack[depth++] = beside[k];
            }
        }
        n->pieces++;
    }
    om_free(stack);
    return OM_OK;
}

static bool of_piece(const struct net *n, int64_t row, int64_t col,
                     uint32_t piece)
{
    const uint32_t s = find(n, row, col);
    return s != OM_NO_UNIT && n->square[s].piece == piece;
}

static uint32_t coordinate(int64_t lines, uint32_t side)
{
    const uint64_t at = (uint64_t)lines * side;
    return at > UINT32_MAX ? UINT32_MAX : (uint32_t)at;
}

static om_status add_vertex(struct rings *r, const struct net *n, int64_t row,
                            int64_t col)
{
    if (r->vertices == r->vertex_room) {
        const size_t room = r->vertex_room * 2 + 256;
        void *more = om_realloc(r->vertex, room * sizeof *r->vertex);
        if (!more) return OM_E_MEMORY;
        r->vertex = more;
        r->vertex_room = room;
    }
    r->vertex[r->vertices++] =
        (struct om_pos){coordinate(col, n->side), coordinate(row, n->side)};
    return OM_OK;
}

/* East, south, west, north: as a ring turns right. */
static const int DX[4] = {1, 0, -1, 0}, DY[4] = {0, 1, 0, -1};
/* The squares ahead of a corner, on the left and on the right of the way:
 * steps of row and column from the corner's lattice point to a square. */
static const int LEFT_ROW[4] = {-1, 0, 0, -1}, LEFT_COL[4] = {0, 0, -1, -1};
static const int RIGHT_ROW[4] = {0, 0, -1, -1}, RIGHT_COL[4] = {0, -1, -1, 0};

/* Walk the ring that has the northern side of a square, from its west end. */
static om_status walk(struct net *n, uint32_t first, struct rings *r)
{
    const struct square s = n->square[first];
    int64_t row = s.row, col = s.col;
    int way = 0;
    do {
        if (way == 0) {
            const uint32_t below = find(n, row, col);
            n->square[below].walked = true;
        }
        row += DY[way];
        col += DX[way];
        const bool left =
            of_piece(n, row + LEFT_ROW[way], col + LEFT_COL[way], s.piece);
        const bool right =
            of_piece(n, row + RIGHT_ROW[way], col + RIGHT_COL[way], s.piece);
        if (!left && right) continue;
        OM_TRY(add_vertex(r, n, row, col));
        way = left ? (way + 3) % 4 : (way + 1) % 4;
    } while (row != s.row || col != s.col || way != 0);
    if (r->rings == r->ring_room) {
        const size_t room = r->ring_room * 2 + 64;
        void *piece = om_realloc(r->ring_piece, room * sizeof *r->ring_piece);
        if (piece) r->ring_piece = piece;
        void *end = om_realloc(r->ring_end, room * sizeof *r->ring_end);
        if (end) r->ring_end = end;
        if (!piece || !end) return OM_E_MEMORY;
        r->ring_room = room;
    }
    r->ring_piece[r->rings] = s.piece;
    r->ring_end[r->rings++] = (uint32_t)r->vertices;
    return OM_OK;
}

static om_status walk_all(struct net *n, struct rings *r)
{
    for (size_t i = 0; i < n->squares; i++) {
        const struct square *s = &n->square[i];
        if (s->walked || of_piece(n, (int64_t)s->row - 1, s->col, s->piece))
            continue;
        OM_TRY(walk(n, (uint32_t)i, r));
    }
    return OM_OK;
}

/* Rings by piece (outer first: pieces were met in their order) as shapes. */
static om_status gather(const struct net *n, const struct rings *r,
                        struct om_areas *out)
{
    struct om_arena *a = &out->arena;
    uint32_t *shape_part = om_arena_calloc(a, n->pieces + 1u, 4);
    uint32_t *part_ring = om_arena_calloc(a, n->pieces + 2u, 4);
    uint32_t *ring_vertex = om_arena_calloc(a, r->rings + 1, 4);
    uint32_t *ring_at = om_arena_calloc(a, r->rings + 1, 4);
    struct om_pos *vertex = om_arena_calloc(a, r->vertices + 1, sizeof *vertex);
    struct om_box *box = om_arena_calloc(a, n->pieces + 1u, sizeof *box);
    if (!shape_part || !part_ring || !ring_vertex || !ring_at || !vertex ||
        !box)
        return OM_E_MEMORY;
    for (size_t i = 0; i < r->rings; i++) part_ring[r->ring_piece[i] + 2]++;
    for (uint32_t p = 0; p < n->pieces; p++) {
        shape_part[p + 1] = p + 1;
        part_ring[p + 2] += part_ring[p + 1];
        box[p] = OM_BOX_NONE;
    }
    for (size_t i = 0; i < r->rings; i++)
        ring_at[part_ring[r->ring_piece[i] + 1]++] = (uint32_t)i;
    uint32_t at = 0;
    for (size_t i = 0; i < r->rings; i++) {
        const uint32_t ring = ring_at[i];
        for (uint32_t v = ring ? r->ring_end[ring - 1] : 0;
             v < r->ring_end[ring]; v++) {
            const struct om_pos p = vertex[at++] = r->vertex[v];
            om_box_widen(&box[r->ring_piece[ring]],
                         (struct om_box){p.x, p.y, p.x, p.y});
        }
        ring_vertex[i + 1] = at;
    }
    out->rings = (struct om_rings){n->pieces,   shape_part, part_ring,
                                   ring_vertex, vertex,     box};
    return OM_OK;
}

static bool heavier(const struct om_crowd *c, size_t a, size_t b)
{
    if (c->weight[a] != c->weight[b]) return c->weight[a] > c->weight[b];
    return c->rows[a] > c->rows[b];
}

static int by_weight(const void *a, const void *b)
{
    const struct om_area *x = a, *y = b;
    if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
    if (x->rows != y->rows) return x->rows > y->rows ? -1 : 1;
    return (x->shape > y->shape) - (x->shape < y->shape);
}

static om_status sum_up(const struct net *n, struct om_areas *out)
{
    const struct om_crowd *crowd = n->crowd;
    struct om_arena *a = &out->arena;
    out->count = n->pieces;
    out->area = om_arena_calloc(a, n->pieces + 1u, sizeof *out->area);
    out->area_of = om_arena_calloc(a, crowd->count + 1, 4);
    uint32_t *rank = om_arena_calloc(a, n->pieces + 1u, 4);
    if (!out->area || !out->area_of || !rank) return OM_E_MEMORY;
    for (uint32_t p = 0; p < n->pieces; p++) out->area[p].shape = p;
    for (size_t i = 0; i < n->squares; i++)
        out->area[n->square[i].piece].squares++;
    for (size_t i = 0; i < crowd->count; i++) {
        if (n->square_of[i] == OM_NO_UNIT) continue;
        struct om_area *area = &out->area[n->square[n->square_of[i]].piece];
        if (!area->positions++ || heavier(crowd, i, area->heaviest))
            area->heaviest = i;
        area->rows += crowd->rows[i];
        area->weight += crowd->weight[i];
    }
    qsort(out->area, out->count, sizeof *out->area, by_weight);
    for (size_t k = 0; k < out->count; k++)
        rank[out->area[k].shape] = (uint32_t)k;
    for (size_t i = 0; i < crowd->count; i++)
        out->area_of[i] = n->square_of[i] == OM_NO_UNIT
                              ? OM_NO_UNIT
                              : rank[n->square[n->square_of[i]].piece];
    return OM_OK;
}

om_status om_areas_make(const struct om_crowd *crowd, const bool *chosen,
                        uint32_t side, struct om_areas *out)
{
    *out = (struct om_areas){0};
    if (side == 0) return OM_E_RANGE;
    struct net n = {.crowd = crowd, .side = side};
    struct rings r = {0};
    om_status st = make_squares(&n, chosen);
    if (!st) st = make_pieces(&n);
    if (!st) st = walk_all(&n, &r);
    if (!st) st = gather(&n, &r, out);
    if (!st) st = sum_up(&n, out);
    om_free(n.square);
    om_free(n.square_of);
    om_free(r.vertex);
    om_free(r.ring_piece);
    om_free(r.ring_end);
    if (st) om_areas_deinit(out);
    return st;
}

void om_areas_deinit(struct om_areas *areas)
{
    om_arena_deinit(&areas->arena);
    *areas = (struct om_areas){0};
}
