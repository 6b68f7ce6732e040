// valid.h - is a rounded polygon plainly valid? The fast path of settling.
#ifndef OM_ENGINE_SHAPE_VALID_H
#define OM_ENGINE_SHAPE_VALID_H

#include <stdbool.h>

#include "engine/shape/ringset.h"

/* Scratch of the check; zero is valid and empty. */
struct om__checker {
    struct om__span *span;
    size_t room;
};
void om__checker_deinit(struct om__checker *checker);

/**
 * Are the parts of `set` from `from` on a polygon whose rings touch neither
 * themselves nor each other, with every hole in its part? *plain false means
 * only 'not plainly': GEOS decides then. Vertices are whole numbers on the
 * grid; rings have three at least, no two neighbours equal.
 * cost     O(n log n), given up early on tangled rings
 */
om_status om__polygon_plain(struct om__checker *checker,
                            const struct om__ringset *set, struct om__mark from,
                            bool *plain) OM_MUST_USE;

/* What it would cost to look at a polygon closely, and what was found. */
struct om__tangle {
    bool plain;        // it is plainly valid after all
    const char *why;   // more than is looked at, in words; NULL: GEOS may
    uint64_t cost_ns;  // of one core, GEOS included: an estimate
};
/**
 * What om__polygon_plain has left open, at a bounded cost: called right after
 * it, on the same set. Its sides are compared until that would take too long,
 * or they cross each other more than OM_LIMIT_SHAPE_CROSSINGS times: of what
 * passes, GEOS makes a valid polygon in a time that is bounded, too.
 * cost     n log n for sides that are short against the whole; at most 0.5 s
 *          and 6 us a vertex, and as long again for GEOS
 */
void om__polygon_tangle(struct om__checker *checker,
                        const struct om__ringset *set, struct om__mark from,
                        struct om__tangle *out);
/** Turn rings so that outer ones run clockwise on the map, as vector tiles
 *  want them, and holes the other way. */
void om__polygon_orient(struct om__ringset *set, struct om__mark from);
/** Is the position inside the ring? Total, as om_rings_contain. */
bool om__ring_contains(const struct om__ringset *set, size_t ring,
                       struct om__xy at);

#endif
