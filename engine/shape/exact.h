// exact.h - the few predicates that everything about shapes rests on.
#ifndef OM_ENGINE_SHAPE_EXACT_H
#define OM_ENGINE_SHAPE_EXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "data/model/pos.h"

/* DESIGN
 * Differences of positions need 33 bits, their products 66: 128-bit integers
 * make every sign exact without a case to think about.
 *
 * No question is ever asked about the position v itself but about the place
 * v' = (v.x + d, v.y + d*d) for an infinitely small d > 0. It lies on no edge
 * and beside no vertex, so every answer is plain inside or outside, and of the
 * polygons of a partition exactly one holds it:
 *   (1) a.y <= v.y  is  a.y < v'.y;  a.x <= v.x  is  a.x < v'.x
 *   (2) an edge through v passes left of v', since d outweighs d*d
 *   (3) an edge through v passes below v' (at greater y) if it descends to the
 *       right, since d * slope outweighs d*d; else above */

__extension__ typedef __int128 om__wide;

/** Sign of the cross product (b - a) x (p - a): positive where p lies to the
 *  right of a -> b as seen on the map (y grows southward). */
static inline int om__turn(struct om_pos a, struct om_pos b, struct om_pos p)
{
    const om__wide left = (om__wide)((int64_t)b.x - a.x) * ((int64_t)p.y - a.y);
    const om__wide right =
        (om__wide)((int64_t)b.y - a.y) * ((int64_t)p.x - a.x);
    return (left > right) - (left < right);
}

/** Does the ray from v' to greater x cross the edge a-b? */
static inline bool om__crosses_right(struct om_pos a, struct om_pos b,
                                     struct om_pos v)
{
    const bool a_above = a.y <= v.y;
    if (a_above == (b.y <= v.y)) return false;
    if (v.x < a.x && v.x < b.x) return true;
    if (v.x >= a.x && v.x >= b.x) return false;
    return a_above ? om__turn(a, b, v) > 0 : om__turn(b, a, v) > 0;
}

/** Does the ray from v' to greater y cross the edge a-b? */
static inline bool om__crosses_below(struct om_pos a, struct om_pos b,
                                     struct om_pos v)
{
    const bool a_left = a.x <= v.x;
    if (a_left == (b.x <= v.x)) return false;
    if (v.y < a.y && v.y < b.y) return true;
    if (v.y > a.y && v.y > b.y) return false;
    const struct om_pos w = a_left ? a : b, e = a_left ? b : a;
    const int turn = om__turn(w, e, v);
    return turn == 0 ? e.y > w.y : turn < 0;
}

/** Is the edge a-b between r' and p', walking along x first and y then? Both
 *  rays above agree on which side is inside, so the parity of the crossings
 *  of a closed ring says whether r' and p' lie on the same side of it. */
static inline bool om__parts(struct om_pos a, struct om_pos b, struct om_pos r,
                             struct om_pos p)
{
    const struct om_pos corner = {p.x, r.y};
    bool parts = false;
    if (p.x != r.x)
        parts = om__crosses_right(a, b, r) != om__crosses_right(a, b, corner);
    if (p.y != r.y)
        parts ^= om__crosses_below(a, b, corner) != om__crosses_below(a, b, p);
    return parts;
}

static inline bool om__box_has(struct om_box box, struct om_pos p)
{
    return p.x >= box.x0 && p.x <= box.x1 && p.y >= box.y0 && p.y <= box.y1;
}
static inline bool om__boxes_meet(struct om_box a, struct om_box b)
{
    return a.x0 <= b.x1 && b.x0 <= a.x1 && a.y0 <= b.y1 && b.y0 <= a.y1;
}
static inline struct om_box om__edge_box(struct om_pos a, struct om_pos b)
{
    return (struct om_box){a.x < b.x ? a.x : b.x, a.y < b.y ? a.y : b.y,
                           a.x < b.x ? b.x : a.x, a.y < b.y ? b.y : a.y};
}

/** Do the closed segments a-b and c-d share a point? */
static inline bool om__edges_meet(struct om_pos a, struct om_pos b,
                                  struct om_pos c, struct om_pos d)
{
    if (!om__boxes_meet(om__edge_box(a, b), om__edge_box(c, d))) return false;
    const int c_side = om__turn(a, b, c), d_side = om__turn(a, b, d);
    if (c_side * d_side > 0) return false;
    // All collinear: the boxes meet, and on one line that is enough.
    return om__turn(c, d, a) * om__turn(c, d, b) <= 0;
}

/** Does the closed segment a-b meet the closed box? */
static inline bool om__edge_meets_box(struct om_pos a, struct om_pos b,
                                      struct om_box box)
{
    if (!om__boxes_meet(om__edge_box(a, b), box)) return false;
    if (om__box_has(box, a) || om__box_has(box, b)) return true;
    // Neither end is inside: it meets the box if corners lie on both sides.
    const bool falls = (a.x < b.x) == (a.y < b.y);
    const struct om_pos one = {box.x0, falls ? box.y1 : box.y0};
    const struct om_pos two = {box.x1, falls ? box.y0 : box.y1};
    return om__turn(a, b, one) * om__turn(a, b, two) <= 0;
}

#endif
