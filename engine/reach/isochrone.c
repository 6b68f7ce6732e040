// isochrone.c - minutes at the nodes of a lattice, and the line between those
// within the limit and the others.
#include <math.h>

#include "data/base/alloc.h"
#include "engine/query/ground.h"
#include "engine/reach/ways_internal.h"

/* Corners of a circle. */
#define CORNERS 96
/* Rings of fewer meshes say nothing that the lattice can know. */
#define LEAST_MESHES 2.0
/* Of nodes that are not reached, in limits: borders towards them lie near the
 * node that is. */
#define BEYOND 1.8

/* Cells of the grid a metre at a place. */
static double cells_per_m(struct om_pos at)
{
    return 1.0 / om_world_ground_m(at.y + 0.5);
}

static uint32_t on_grid(double cells)
{
    return cells <= 0 ? 0 : cells >= UINT32_MAX ? UINT32_MAX : (uint32_t)cells;
}

static om_status circle(struct om_pos at, double radius_m,
                        struct om_isochrone *out)
{
    const double r = radius_m * cells_per_m(at);
    uint32_t *shape_part = om_arena_calloc(&out->arena, 2, sizeof *shape_part);
    uint32_t *part_ring = om_arena_calloc(&out->arena, 2, sizeof *part_ring);
    uint32_t *ring = om_arena_calloc(&out->arena, 2, sizeof *ring);
    struct om_box *box = om_arena_calloc(&out->arena, 1, sizeof *box);
    struct om_pos *vertex =
        om_arena_calloc(&out->arena, CORNERS, sizeof *vertex);
    if (!shape_part || !part_ring || !ring || !box || !vertex)
        return OM_E_MEMORY;
    *box = OM_BOX_NONE;
    for (size_t i = 0; i < CORNERS; i++) {
        const double turn = 2 * OM_PI * (double)i / CORNERS;
        const struct om_pos p = {on_grid(at.x + r * cos(turn)),
                                 on_grid(at.y + r * sin(turn))};
        vertex[i] = p;
        om_box_widen(box, (struct om_box){p.x, p.y, p.x, p.y});
    }
    shape_part[1] = part_ring[1] = 1;
    ring[1] = CORNERS;
    out->rings = (struct om_rings){1, shape_part, part_ring, ring, vertex, box};
    return OM_OK;
}

/* Keys of the nodes; those that cannot be reached in time are the place
 * itself, which costs nothing to snap again. */
static void lattice_keys(const struct om__lattice *l, struct om_pos at,
                         double radius, uint64_t *key)
{
    for (size_t j = 0; j < l->side; j++)
        for (size_t i = 0; i < l->side; i++) {
            const double x = l->x0 + (double)i * l->dx;
            const double y = l->y0 + (double)j * l->dy;
            const bool far = hypot(x - at.x, y - at.y) > radius;
            l->value[j * l->side + i] = far ? INFINITY : 0;
            key[j * l->side + i] =
                om_morton(far ? at : (struct om_pos){on_grid(x), on_grid(y)});
        }
}

static om_status lattice_minutes(const struct om_travel *travel,
                                 struct om_pos at, double minutes,
                                 double radius, struct om_within *within,
                                 struct om__lattice *l, bool *off)
{
    const double foot = travel->m_per_min / travel->foot_m_per_min;
    const size_t nodes = l->side * l->side;
    struct om_snap from;
    uint64_t *key = om_alloc_array(nodes, sizeof *key);
    struct om_snap *snap = om_alloc_array(nodes, sizeof *snap);
    om_status st = key && snap ? OM_OK : OM_E_MEMORY;
    if (!st) st = om__travel_snap(travel, at, &from);
    if (!st) lattice_keys(l, at, radius, key);
    if (!st)
        st = om_roads_snap(travel->roads, key, nodes, travel->reach_m, snap);
    // As far again as counts: borders lie between nodes.
    const double limit_m = BEYOND * minutes * travel->m_per_min;
    if (!st)
        st = om_roads_within(travel->roads, from, foot,
                             (uint64_t)(limit_m * OM_TICKS_PER_M), within);
    for (size_t i = 0; i < nodes && !st; i++) {
        const struct om_way way =
            om__way_between(travel->roads, within, from, foot, snap[i]);
        const double took =
            way.centre == UINT32_MAX
                ? INFINITY
                : (double)way.cost / OM_TICKS_PER_M / travel->m_per_min;
        l->value[i] = fmin(fmax(l->value[i], took), BEYOND * minutes);
    }
    if (!st) *off = from.edge == OM_NO_EDGE;
    om_free(key);
    om_free(snap);
    return st;
}

static om_status by_road(const struct om_travel *travel, struct om_pos at,
                         double minutes, struct om_within *within,
                         struct om_isochrone *out)
{
    const double speed = fmax(travel->m_per_min, travel->foot_m_per_min);
    const double radius = speed * minutes * cells_per_m(at);
    // The outermost nodes lie beyond it.
    const double mesh = 2 * radius / (OM_ISOCHRONE_SIDE - 5);
    const double half = mesh * (OM_ISOCHRONE_SIDE - 1) / 2;
    struct om__lattice l = {.side = OM_ISOCHRONE_SIDE,
                            .x0 = at.x - half,
                            .y0 = at.y - half,
                            .dx = mesh,
                            .dy = mesh};
    l.value = om_arena_calloc(&out->arena, l.side * l.side, sizeof *l.value);
    if (!l.value) return OM_E_MEMORY;
    OM_TRY(lattice_minutes(travel, at, minutes, radius, within, &l, &out->off));
    return om__contour_make(&l, minutes, LEAST_MESHES, &out->arena,
                            &out->rings);
}

om_status om_isochrone_make(const struct om_travel *travel, struct om_pos at,
                            double minutes, struct om_within *scratch,
                            struct om_isochrone *out)
{
    *out = (struct om_isochrone){0};
    OM_TRY(om__travel_check(travel));
    if (!(minutes > 0 && isfinite(minutes))) return OM_E_RANGE;
    const om_status st =
        travel->roads
            ? by_road(travel, at, minutes, scratch, out)
            : circle(at, minutes * travel->m_per_min / travel->factor, out);
    if (st) {
        om_isochrone_deinit(out);
        return st;
    }
    if (out->rings.shape_part[1])
        out->area_km2 = om_rings_area_km2(&out->rings, 0);
    return OM_OK;
}

void om_isochrone_deinit(struct om_isochrone *isochrone)
{
    om_arena_deinit(&isochrone->arena);
    *isochrone = (struct om_isochrone){0};
}
