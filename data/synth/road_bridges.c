// road_bridges.c - bridges over rivers and canals.
#include "data/base/alloc.h"
#include "data/synth/road_net_internal.h"

#define COURSE_STEP_M 100.0
/* A usual distance between bridges. MADE UP. */
#define RIVER_EVERY_M 2500.0
#define CANAL_EVERY_M 900.0
#define CANAL_HALF_M 60.0  // narrower is a canal
#define BANK_STEP_M 15.0
#define BANK_REACH_M 420.0  // how far behind the bank the next road may be

struct bank {
    uint32_t corner, cell;
    struct om__xy shore;
};

/* From the middle of the water to dry land and the first road behind it. */
static bool find_bank(const struct om__net_work *work, struct om__xy p,
                      struct om__xy way, double half_m, struct bank *out)
{
    const struct om__city *city = work->city;
    bool dry = false;
    for (double m = half_m; m < 2 * half_m + BANK_REACH_M; m += BANK_STEP_M) {
        const struct om__xy at = {p.x + way.x * m, p.y + way.y * m};
        const uint32_t cell = om__mesh_raw(&city->mesh, at);
        if (cell == OM__NO_CELL || om__mesh_rim(&city->mesh, cell))
            return false;
        if (city->quarter_of[cell] == OM__NONE) return false;
        if (city->cover[cell] & OM__COVER_WATER) {
            if (dry) return false;  // another water
            continue;
        }
        if (!dry) out->shore = at;
        dry = true;
        uint32_t corner[OM__SIDES];
        om__mesh_corners(&city->mesh, cell, corner);
        for (int k = 0; k < OM__SIDES; k++) {
            if (!work->junction[corner[k]].roads) continue;
            out->corner = corner[k];
            out->cell = cell;
            return true;
        }
    }
    return false;
}

static om_status add_bridge(struct om__net_work *work, const struct bank *left,
                            const struct bank *right, bool wide)
{
    struct om__road_net *net = work->net;
    const struct om__mesh *mesh = &work->city->mesh;
    if (net->bridges == net->room_bridges) {
        const uint32_t room = net->room_bridges * 2 + 64;
        void *bigger = om_realloc(net->bridge, room * sizeof *net->bridge);
        if (!bigger) return OM_E_MEMORY;
        net->bridge = bigger;
        net->room_bridges = room;
    }
    net->bridge[net->bridges++] = (struct om__bridge){
        {om__plane_from_corner(mesh->corner[left->corner]), left->shore,
         right->shore, om__plane_from_corner(mesh->corner[right->corner])},
        left->cell,
        wide};
    return OM_OK;
}

static om_status over_course(struct om__net_work *work,
                             const struct om__course *course)
{
    const bool wide = course->half_width_m >= CANAL_HALF_M;
    const double every_m = wide ? RIVER_EVERY_M : CANAL_EVERY_M;
    struct om__xy *p = NULL;
    size_t n = 0;
    OM_TRY(om__course_points(course, COURSE_STEP_M, &p, &n));
    om_status st = OM_OK;
    double since_m = every_m / 2;
    for (size_t i = 1; i + 1 < n && !st; i++) {
        const double dx = p[i + 1].x - p[i - 1].x;
        const double dy = p[i + 1].y - p[i - 1].y;
        const double len = sqrt(dx * dx + dy * dy);
        const struct om__xy left = {-dy / len, dx / len};
        const struct om__xy right = {dy / len, -dx / len};
        struct bank a = {0}, b = {0};
        since_m += len / 2;
        if (!find_bank(work, p[i], left, course->half_width_m, &a) ||
            !find_bank(work, p[i], right, course->half_width_m, &b))
            continue;
        if (!om__piece_join(work, a.corner, b.corner) && since_m < every_m)
            continue;
        since_m = 0;
        st = add_bridge(work, &a, &b, wide);
    }
    om_free(p);
    return st;
}

om_status om__net_bridges(struct om__net_work *work)
{
    for (size_t i = 0; i < OM__WATERS; i++)
        OM_TRY(over_course(work, &OM__WATER[i]));
    return OM_OK;
}
