// hull.c - convex hulls in whole numbers.
#include <stdlib.h>

#include "engine/shape/exact.h"
#include "engine/stat/cluster.h"

static int by_place(const void *a, const void *b)
{
    const struct om_pos *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

/* Does the way a-b-c not turn right on the map? */
static bool no_right_turn(struct om_pos a, struct om_pos b, struct om_pos c)
{
    return om__turn(a, b, c) <= 0;
}

/* Andrew's monotone chain: the northern side eastward, then back. */
size_t om_hull(struct om_pos *pos, size_t n, struct om_pos *out)
{
    if (!n) return 0;
    qsort(pos, n, sizeof *pos, by_place);
    size_t unique = 1;
    for (size_t i = 1; i < n; i++)
        if (by_place(&pos[i], &pos[unique - 1])) pos[unique++] = pos[i];
    if (unique < 3) {
        for (size_t i = 0; i < unique; i++) out[i] = pos[i];
        return unique;
    }
    size_t corners = 0;
    for (size_t pass = 0, floor = 1; pass < 2; pass++, floor = corners) {
        for (size_t i = pass; i < unique; i++) {
            const struct om_pos p = pos[pass ? unique - 1 - i : i];
            while (corners > floor &&
                   no_right_turn(out[corners - 2], out[corners - 1], p))
                corners--;
            // The last of the way back is the first again.
            if (pass && i + 1 == unique) break;
            out[corners++] = p;
        }
    }
    return corners;
}
