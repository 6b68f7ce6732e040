// towns.c - cells to towns: the real centres and sizes, outlines of our own.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "data/synth/city_internal.h"

/* DESIGN
 * A power diagram: a cell goes to the town with the smallest (distance squared
 * minus the town's weight), the weights found so that areas come out as on
 * record. Positions are bent by noise first, so that no border is straight.
 * What lies too far from every town is outside the city. */

#define CITY_KM2 2460.0  // on record; the outlines of facts.c leave water out
#define BEND_M 1700.0
#define BEND_SIZE_M 5200.0
#define FINE_BEND_M 480.0
#define FINE_SIZE_M 1300.0
#define RIM_M 500.0  // from the box of the mesh, so that it cuts nothing off
#define ROUNDS 60
#define COARSE 5        // every fifth row and column while weights are sought
#define INLAND_M 350.0  // cells this far out at sea may still belong to a town

struct diagram {
    struct om__city *city;
    struct om__xy centre[OM__TOWNS];
    double weight[OM__TOWNS], share[OM__TOWNS];
    double beyond;  // power distance at which the city ends
    double *power;  // [cells] to the nearest town
};

static struct om__xy bent(const struct om__city *city, struct om__xy p)
{
    const uint64_t s = city->seed;
    return (struct om__xy){p.x + BEND_M * om__noise(s, 11, p, BEND_SIZE_M) +
                               FINE_BEND_M * om__noise(s, 12, p, FINE_SIZE_M),
                           p.y + BEND_M * om__noise(s, 13, p, BEND_SIZE_M) +
                               FINE_BEND_M * om__noise(s, 14, p, FINE_SIZE_M)};
}

static uint32_t nearest(const struct diagram *d, struct om__xy p, double *power)
{
    uint32_t best = 0;
    double least = 1e300;
    for (uint32_t t = 0; t < OM__TOWNS; t++) {
        const double dx = p.x - d->centre[t].x, dy = p.y - d->centre[t].y;
        const double here = dx * dx + dy * dy - d->weight[t];
        if (here >= least) continue;
        least = here;
        best = t;
    }
    *power = least;
    return best;
}

/* Cells of the coarse sample, with their bent positions. */
struct sample {
    struct om__xy *p;
    size_t n;
};

static om_status take_sample(const struct om__city *city, struct sample *out)
{
    const struct om__mesh *mesh = &city->mesh;
    out->p = om_alloc_array(mesh->cells / COARSE + 1, sizeof *out->p);
    if (!out->p) return OM_E_MEMORY;
    for (uint32_t row = 2; row + 2 < mesh->rows; row += COARSE)
        for (uint32_t column = 2; column + 2 < mesh->columns;
             column += COARSE) {
            const uint32_t cell = row * mesh->columns + column;
            if (city->cover[cell] & OM__COVER_SEA) continue;
            out->p[out->n++] = bent(city, om__mesh_middle(mesh, cell));
        }
    return OM_OK;
}

/* One round: count what each town would get, then correct its weight. The
 * limit is steered so that the whole city gets its area. */
static void balance(struct diagram *d, const struct sample *s, double cell_km2,
                    double pace)
{
    double got[OM__TOWNS] = {0}, all = 0;
    for (size_t i = 0; i < s->n; i++) {
        double power;
        const uint32_t t = nearest(d, s->p[i], &power);
        if (power > d->beyond) continue;
        got[t] += cell_km2;
        all += cell_km2;
    }
    for (size_t t = 0; t < OM__TOWNS; t++)
        d->weight[t] += pace * (d->share[t] - got[t]) * 1e6 / 3.14159265;
    d->beyond += pace * (CITY_KM2 - all) * 1e6 / 3.14159265 / OM__TOWNS;
}

/* Is p inside the mesh by at least `margin_m`? */
static bool in_box(const struct om__mesh *mesh, struct om__xy p,
                   double margin_m)
{
    const struct om__xy end = om__mesh_middle(mesh, mesh->cells - 1);
    return p.x > mesh->origin.x + margin_m && p.x < end.x - margin_m &&
           p.y > mesh->origin.y + margin_m && p.y < end.y - margin_m;
}

static om_status assign_rows(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct diagram *d = ctx;
    struct om__city *city = d->city;
    for (size_t i = first; i < end; i++) {
        if (om__mesh_rim(&city->mesh, (uint32_t)i)) continue;
        const struct om__xy p = om__mesh_middle(&city->mesh, (uint32_t)i);
        if (!in_box(&city->mesh, p,
                    RIM_M * (1.2 + om__noise(city->seed, 15, p, FINE_SIZE_M))))
            continue;
        const struct om__xy inland = {p.x + INLAND_M, p.y + INLAND_M};
        if (om__cover_at_sea(city, inland)) continue;
        double power;
        const uint32_t t = nearest(d, bent(city, p), &power);
        if (power <= d->beyond) city->town_of[i] = t;
    }
    return OM_OK;
}

/* Parts of a town: the largest stays, the others go to a neighbour (or
 * outside); pockets of no town that do not reach the rim go to a neighbour. */
struct part {
    uint32_t town, cells, touches;
};

static om_status find_parts(const struct om__city *city, uint32_t *part_of,
                            struct part *part, size_t room, size_t *parts)
{
    const uint32_t cells = city->mesh.cells;
    uint32_t *stack = om_alloc_array(cells, sizeof *stack);
    if (!stack) return OM_E_MEMORY;
    memset(part_of, 0xFF, cells * sizeof *part_of);
    *parts = 0;
    for (uint32_t c = 0; c < cells && *parts < room; c++) {
        if (part_of[c] != OM__NONE) continue;
        struct part *now = &part[*parts];
        *now = (struct part){city->town_of[c], 0, OM__NONE};
        uint32_t depth = 0;
        part_of[c] = (uint32_t)*parts;
        stack[depth++] = c;
        while (depth > 0) {
            const uint32_t at = stack[--depth];
            now->cells++;
            uint32_t near[OM__SIDES];
            om__mesh_neighbours(&city->mesh, at, near);
            for (int k = 0; k < OM__SIDES; k++) {
                const uint32_t to = near[k];
                if (to == OM__NO_CELL) continue;
                if (city->town_of[to] != now->town) {
                    if (city->town_of[to] != OM__NONE)
                        now->touches = city->town_of[to];
                } else if (part_of[to] == OM__NONE) {
                    part_of[to] = (uint32_t)*parts;
                    stack[depth++] = to;
                }
            }
        }
        ++*parts;
    }
    om_free(stack);
    return OM_OK;
}

#define PARTS_MAX 65536

static om_status join_parts(struct om__city *city)
{
    const uint32_t cells = city->mesh.cells;
    uint32_t *part_of = om_alloc_array(cells, sizeof *part_of);
    struct part *part = om_alloc_array(PARTS_MAX, sizeof *part);
    om_status st = part_of && part ? OM_OK : OM_E_MEMORY;
    size_t parts = 0;
    if (!st) st = find_parts(city, part_of, part, PARTS_MAX, &parts);
    if (st) goto done;
    uint32_t largest[OM__TOWNS + 1];
    memset(largest, 0xFF, sizeof largest);
    for (size_t i = 0; i < parts; i++) {
        uint32_t *best =
            &largest[part[i].town == OM__NONE ? OM__TOWNS : part[i].town];
        if (*best == OM__NONE || part[*best].cells < part[i].cells)
            *best = (uint32_t)i;
    }
    for (uint32_t c = 0; c < cells; c++) {
        if (part_of[c] == OM__NONE) continue;
        const struct part *p = &part[part_of[c]];
        const uint32_t kind = p->town == OM__NONE ? OM__TOWNS : p->town;
        if (largest[kind] != part_of[c] && !om__mesh_rim(&city->mesh, c))
            city->town_of[c] = p->touches;
    }
done:
    om_free(part_of);
    om_free(part);
    return st;
}

om_status om__towns_make(struct om__city *city, struct om_err *err)
{
    (void)err;
    struct diagram d = {.city = city};
    double total = 0;
    for (size_t t = 0; t < OM__TOWNS; t++) total += OM__TOWN_FACT[t].area_km2;
    for (size_t t = 0; t < OM__TOWNS; t++) {
        const struct om__town_fact *fact = &OM__TOWN_FACT[t];
        d.centre[t] = om__plane_from_deg(fact->lon_deg, fact->lat_deg);
        d.share[t] = fact->area_km2 * CITY_KM2 / total;
        d.weight[t] = d.share[t] * 1e6 / 3.14159265;
    }
    d.beyond = 4e6;
    struct sample sample = {0};
    om_status st = take_sample(city, &sample);
    const double cell_km2 =
        om__mesh_cell_m2(&city->mesh) * COARSE * COARSE * 1e-6;
    for (int round = 0; round < ROUNDS && !st; round++)
        balance(&d, &sample, cell_km2, round < ROUNDS / 2 ? 0.5 : 0.25);
    om_free(sample.p);
    if (!st) st = om_parallel(city->mesh.cells, 4096, assign_rows, &d);
    if (!st) st = join_parts(city);
    if (!st) st = join_parts(city);
    return st;
}
