/* roads_node.c - where lines meet that share no vertex.
 *
 * DESIGN
 * Two passes over squares of the map, both in a fixed order: every pair of
 * stretches that cross, each pair judged in one square only; then every vertex
 * that may join against the stretches around it. Each finding is a cut of a
 * stretch; cuts are sorted along it and the stretch falls into pieces. A
 * vertex that misses the line by a few centimetres gets a link to its foot
 * there: the line itself keeps its course.
 */
#include <math.h>
#include <stdlib.h>

#include "data/base/alloc.h"
#include "engine/reach/roads_internal.h"
#include "engine/shape/exact.h"

#define SQUARE_SHIFT 13

struct cut {
    uint32_t stretch;
    double t;  // 0 at a, 1 at b
    struct om_pos at;
};
struct noding {
    const struct om__lines *lines;
    const struct om_road_rules *rules;
    struct om__buckets squares;
    struct cut *cut;
    size_t cuts, room;
    uint32_t *seen;  // [lines->count] the last vertex that looked at it
    struct om__noded *out;
};

static bool same(struct om_pos a, struct om_pos b)
{
    return a.x == b.x && a.y == b.y;
}

static om_status add_piece(struct om__noded *out, struct om_pos a,
                           struct om_pos b)
{
    if (same(a, b)) return OM_OK;
    if (out->count == out->room) {
        const size_t room = out->room * 3 / 2 + 1024;
        void *more = om_realloc(out->piece, room * sizeof *out->piece);
        if (!more) return OM_E_MEMORY;
        out->piece = more;
        out->room = room;
    }
    out->piece[out->count++] = (struct om__stretch){a, b};
    return OM_OK;
}

static om_status add_cut(struct noding *n, uint32_t stretch, double t,
                         struct om_pos at)
{
    if (n->cuts == n->room) {
        const size_t room = n->room * 2 + 1024;
        void *more = om_realloc(n->cut, room * sizeof *n->cut);
        if (!more) return OM_E_MEMORY;
        n->cut = more;
        n->room = room;
    }
    n->cut[n->cuts++] = (struct cut){stretch, t, at};
    return OM_OK;
}

static struct om_pos place_on(struct om__stretch s, double t)
{
    // Between two positions, so it is one.
    return (struct om_pos){
        (uint32_t)(s.a.x + t * ((double)s.b.x - s.a.x) + 0.5),
        (uint32_t)(s.a.y + t * ((double)s.b.y - s.a.y) + 0.5)};
}

/* Do they cross in a point that is an end of neither? */
static bool cross(struct om__stretch s, struct om__stretch r)
{
    if (om__turn(s.a, s.b, r.a) * om__turn(s.a, s.b, r.b) >= 0) return false;
    return om__turn(r.a, r.b, s.a) * om__turn(r.a, r.b, s.b) < 0;
}

static double cross_at(struct om__stretch s, struct om__stretch r)
{
    const double sx = (double)s.b.x - s.a.x, sy = (double)s.b.y - s.a.y;
    const double rx = (double)r.b.x - r.a.x, ry = (double)r.b.y - r.a.y;
    const double dx = (double)r.a.x - s.a.x, dy = (double)r.a.y - s.a.y;
    const double t = (dx * ry - dy * rx) / (sx * ry - sy * rx);
    return fmin(fmax(t, 0.0), 1.0);
}

/* A crossing is cut out of both, in the square that it lies in. */
static om_status judge_pair(struct noding *n, uint32_t i, uint32_t j,
                            int64_t row, int64_t col)
{
    const struct om__stretch s = n->lines->stretch[i], r = n->lines->stretch[j];
    if (!om__boxes_meet(om__edge_box(s.a, s.b), om__edge_box(r.a, r.b)) ||
        !cross(s, r))
        return OM_OK;
    const double t = cross_at(s, r);
    const struct om_pos at = place_on(s, t);
    const struct om__buckets *b = &n->squares;
    if ((int64_t)(at.x >> b->shift) - b->col0 != col ||
        (int64_t)(at.y >> b->shift) - b->row0 != row)
        return OM_OK;
    n->out->crossings++;
    OM_TRY(add_cut(n, i, t, at));
    return add_cut(n, j, cross_at(r, s), at);
}

static om_status cut_crossings(struct noding *n)
{
    const struct om__buckets *b = &n->squares;
    const uint8_t *mark = n->lines->mark;
    for (uint32_t row = 0; row < b->rows; row++)
        for (uint32_t col = 0; col < b->cols; col++) {
            const size_t square = (size_t)row * b->cols + col;
            const uint32_t end = b->start[square + 1];
            for (uint32_t i = b->start[square]; i < end; i++)
                for (uint32_t j = i + 1; j < end; j++) {
                    const uint32_t s = b->item[i], r = b->item[j];
                    if ((mark[s] | mark[r]) & OM__APART) continue;
                    OM_TRY(judge_pair(n, s, r, row, col));
                }
        }
    return OM_OK;
}

/* The foot of v on a stretch if that is within `reach` cells. */
static bool foot_on(struct om__stretch s, struct om_pos v, double reach,
                    double *t)
{
    const double sx = (double)s.b.x - s.a.x, sy = (double)s.b.y - s.a.y;
    const double vx = (double)v.x - s.a.x, vy = (double)v.y - s.a.y;
    *t = fmin(fmax((vx * sx + vy * sy) / (sx * sx + sy * sy), 0.0), 1.0);
    const double dx = vx - *t * sx, dy = vy - *t * sy;
    return dx * dx + dy * dy <= reach * reach;
}

static om_status join_to(struct noding *n, struct om_pos v, double reach,
                         uint32_t stretch)
{
    const struct om__stretch s = n->lines->stretch[stretch];
    double t;
    if (same(s.a, v) || same(s.b, v) || !foot_on(s, v, reach, &t)) return OM_OK;
    const struct om_pos foot = place_on(s, t);
    n->out->joined++;
    if (!same(foot, s.a) && !same(foot, s.b))
        OM_TRY(add_cut(n, stretch, t, foot));
    return add_piece(n->out, v, foot);
}

/* A vertex against the stretches around it. An end joins any of them; another
 * vertex only where lines are to be crossed and neither is apart. */
static om_status join_vertex(struct noding *n, uint32_t own, struct om_pos v,
                             bool end, uint32_t number)
{
    const uint8_t *mark = n->lines->mark;
    // A cell more: positions are rounded.
    const double reach = n->rules->join_m / om_world_ground_m(v.y) + 1.0;
    const uint32_t r = (uint32_t)reach + 1;
    const struct om_box box = {v.x > r ? v.x - r : 0, v.y > r ? v.y - r : 0,
                               v.x < UINT32_MAX - r ? v.x + r : UINT32_MAX,
                               v.y < UINT32_MAX - r ? v.y + r : UINT32_MAX};
    const struct om__squares q = om__squares_of(&n->squares, box);
    for (int64_t row = q.row; row < q.row_end; row++)
        for (int64_t col = q.col; col < q.col_end; col++) {
            const size_t square = (size_t)row * n->squares.cols + (size_t)col;
            for (uint32_t i = n->squares.start[square];
                 i < n->squares.start[square + 1]; i++) {
                const uint32_t s = n->squares.item[i];
                if (n->seen[s] == number) continue;
                n->seen[s] = number;
                if (!end && (mark[own] | mark[s]) & OM__APART) continue;
                OM_TRY(join_to(n, v, reach, s));
            }
        }
    return OM_OK;
}

static om_status join_vertices(struct noding *n)
{
    const struct om__lines *lines = n->lines;
    uint32_t number = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const bool a_ends = lines->mark[i] & OM__A_ENDS;
        const bool b_ends = lines->mark[i] & OM__B_ENDS;
        const uint32_t own = (uint32_t)i;
        // Every vertex once: a of each stretch, and b of the last.
        if (a_ends || n->rules->cross)
            OM_TRY(join_vertex(n, own, lines->stretch[i].a, a_ends, ++number));
        if (b_ends)
            OM_TRY(join_vertex(n, own, lines->stretch[i].b, true, ++number));
    }
    return OM_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct cut *x = a, *y = b;
    if (x->stretch != y->stretch) return x->stretch < y->stretch ? -1 : 1;
    if (x->t != y->t) return x->t < y->t ? -1 : 1;
    const uint64_t i = om_morton(x->at), j = om_morton(y->at);
    return (i > j) - (i < j);
}

static om_status cut_up(struct noding *n)
{
    if (n->cuts) qsort(n->cut, n->cuts, sizeof *n->cut, by_place);
    size_t c = 0;
    for (size_t i = 0; i < n->lines->count; i++) {
        const struct om__stretch s = n->lines->stretch[i];
        struct om_pos at = s.a;
        for (; c < n->cuts && n->cut[c].stretch == i; c++) {
            OM_TRY(add_piece(n->out, at, n->cut[c].at));
            at = n->cut[c].at;
        }
        OM_TRY(add_piece(n->out, at, s.b));
    }
    return OM_OK;
}

om_status om__lines_node(const struct om__lines *lines,
                         const struct om_road_rules *rules,
                         struct om__noded *out)
{
    struct noding n = {.lines = lines, .rules = rules, .out = out};
    if (lines->count == 0) return OM_OK;
    om_status st = om__buckets_make(lines->stretch, lines->count, SQUARE_SHIFT,
                                    &n.squares);
    if (st) return st;
    n.seen = om_calloc(lines->count, sizeof *n.seen);
    if (!n.seen) st = OM_E_MEMORY;
    if (!st && rules->cross) st = cut_crossings(&n);
    if (!st) st = join_vertices(&n);
    if (!st) st = cut_up(&n);
    om__buckets_deinit(&n.squares);
    om_free(n.seen);
    om_free(n.cut);
    return st;
}

void om__noded_deinit(struct om__noded *noded)
{
    om_free(noded->piece);
    *noded = (struct om__noded){0};
}
