// cover_places.c - candidates, and what centres offer to those they reach.
#include <stdlib.h>

#include "data/base/alloc.h"
#include "engine/reach/cover.h"

struct place {
    uint64_t square;  // row, column
    uint32_t position;
};

static int by_square(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->square != y->square) return x->square < y->square ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

static int by_position(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool heavier(const struct om_crowd *c, uint32_t a, uint32_t b)
{
    if (c->weight[a] != c->weight[b]) return c->weight[a] > c->weight[b];
    return c->rows[a] > c->rows[b];
}

void om_cover_access(const struct om_cover *cover, const double *capacity,
                     const int64_t *weight, double *ratio, double *access)
{
    for (size_t d = 0; d < cover->demands; d++) access[d] = 0;
    for (size_t s = 0; s < cover->sites; s++) {
        double people = 0;
        for (uint32_t i = 0; i < cover->n[s]; i++)
            people += (double)weight[cover->list[s][i]];
        const double share = people > 0 ? capacity[s] / people : 0;
        if (ratio) ratio[s] = share;
        for (uint32_t i = 0; i < cover->n[s]; i++)
            access[cover->list[s][i]] += share;
    }
}

om_status om_cover_places(const struct om_crowd *crowd, uint32_t side,
                          uint32_t *position, size_t *count)
{
    *count = 0;
    if (side == 0) return OM_E_RANGE;
    if (crowd->count >= UINT32_MAX) return OM_E_LIMIT;
    struct place *place = om_alloc_array(crowd->count + 1, sizeof *place);
    if (!place) return OM_E_MEMORY;
    for (size_t i = 0; i < crowd->count; i++) {
        const struct om_pos p = om_morton_pos(crowd->key[i]);
        place[i] = (struct place){(uint64_t)(p.y / side) << 32 | p.x / side,
                                  (uint32_t)i};
    }
    qsort(place, crowd->count, sizeof *place, by_square);
    size_t n = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        const bool same = i && place[i].square == place[i - 1].square;
        if (!same)
            position[n++] = place[i].position;
        else if (heavier(crowd, place[i].position, position[n - 1]))
            position[n - 1] = place[i].position;
    }
    qsort(position, n, sizeof *position, by_position);
    om_free(place);
    *count = n;
    return OM_OK;
}
