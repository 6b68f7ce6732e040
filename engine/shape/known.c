// known.c - marks of valid polygons, each in the one place it can have.
#include "engine/shape/known.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>

#include "data/base/hash.h"

/* More than a request has of shapes that are not plainly valid. */
#define PLACES 16384u

static _Atomic uint64_t place[PLACES];
static uint64_t seed;
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void draw_seed(void)
{
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint64_t)time(NULL);
}

uint64_t om__shape_mark(const struct om__ringset *set, struct om__mark from)
{
    pthread_once(&seeded, draw_seed);
    const size_t vertices = set->vertices - from.vertices;
    uint64_t mark = om_hash64(set->vertex + from.vertices,
                              vertices * sizeof *set->vertex, seed);
    mark = om_hash64(&vertices, sizeof vertices, mark);
    for (size_t r = from.rings; r < set->rings; r++) {
        const uint64_t end = set->ring_end[r] - from.vertices;
        mark = om_hash64(&end, sizeof end, mark);
    }
    for (size_t p = from.parts; p < set->parts; p++) {
        const uint64_t end = set->part_end[p] - from.rings;
        mark = om_hash64(&end, sizeof end, ~mark);
    }
    return mark ? mark : 1;
}

bool om__shape_known(uint64_t mark)
{
    return atomic_load_explicit(&place[mark % PLACES], memory_order_relaxed) ==
           mark;
}

void om__shape_note(uint64_t mark)
{
    atomic_store_explicit(&place[mark % PLACES], mark, memory_order_relaxed);
}
