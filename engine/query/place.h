// place.h - from a place to the rows of a part that lie in it.
#ifndef OM_ENGINE_QUERY_PLACE_H
#define OM_ENGINE_QUERY_PLACE_H

#include "engine/query/ground.h"
#include "engine/query/query.h"
#include "engine/query/spans.h"

/* A place prepared for searching any number of parts. Zero is a valid empty
 * one. Borrows the om_place's rings and id. */
struct om__area {
    enum om_place_kind kind;
    enum om_geometry geometry;     // of the layer
    struct om_box box;             // nothing outside it matches
    struct om_circle circle;       // RADIUS
    uint64_t x0, y0;               // BOX: spread ends of the box, and
    uint64_t dx, dy;               // spread ends less those
    const struct om_rings *rings;  // WITHIN, and BOX for shape layers
    struct om_interval *interval;  // cover of rings, in `arena`
    size_t intervals;
    struct om_partition *partition;  // of rings with many vertices, or NULL
    const char *id;
    size_t id_len;
    struct om_arena arena;
};

/** Prepare any place but NEAREST. returns OM_E_RANGE (radius, box, rings of
 *  no or several shapes), OM_E_COST, OM_E_MEMORY. owns: om__area_deinit. */
om_status om__area_init(struct om__area *area, const struct om_place *place,
                        enum om_geometry geometry) OM_MUST_USE;
void om__area_deinit(struct om__area *area);

/** Find the rows of a part that lie in the area. */
om_status om__area_find(const struct om__area *area, const struct om_part *part,
                        struct om__take *take) OM_MUST_USE;
/** The same for segments of lines and polygons (place_shape.c). */
om_status om__area_find_shapes(const struct om__area *area,
                               const struct om_segment *segment,
                               struct om__take *take) OM_MUST_USE;

/** Is the position in the area's polygon? Exact. */
static inline bool om__area_contains(const struct om__area *area,
                                     struct om_pos pos)
{
    return area->partition ? om_partition_find(area->partition, pos) == 0
                           : om_rings_contain(area->rings, 0, pos);
}

#endif
