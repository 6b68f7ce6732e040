// road_streets.c - streets lengthened to the roads around their quarter.
#include "data/synth/road_net_internal.h"

#define STEP_M 4.0
/* Farther than this a street does not go to find the border: quarters are
 * smaller. */
#define REACH_M 700.0

bool om__wet(const struct om__city *city, struct om__xy p)
{
    const uint32_t cell = om__mesh_raw(&city->mesh, p);
    return cell != OM__NO_CELL && city->cover[cell] & OM__COVER_WATER;
}

static struct om__xy along(struct om__xy p, struct om__xy way, double m)
{
    return (struct om__xy){p.x + way.x * m, p.y + way.y * m};
}

static double cross(struct om__xy a, struct om__xy b)
{
    return a.x * b.y - a.y * b.x;
}

/* Where the line through p meets the edge a-b; false if it does not. */
static bool meets(struct om__xy p, struct om__xy way, struct om__xy a,
                  struct om__xy b, double *m)
{
    const struct om__xy ab = {b.x - a.x, b.y - a.y};
    const struct om__xy pa = {a.x - p.x, a.y - p.y};
    const double det = cross(way, ab);
    if (det == 0) return false;
    const double t = cross(pa, ab) / det, u = cross(pa, way) / det;
    *m = t;
    return u >= 0 && u <= 1;
}

static uint32_t chain_at(const struct om__net_work *work, uint32_t a,
                         uint32_t b)
{
    const struct om__junction *j = &work->junction[a];
    for (uint8_t i = 0; i < j->n; i++)
        if (j->to[i] == b) return j->chain[i];
    return OM__NONE;
}

/* The end of a street: how far from p, and the chain there. */
struct street_end {
    double m;
    uint32_t chain;
};

/* The border edge of `cell` that the street leaves through, nearest to
 * `near_m`. */
static struct street_end through(const struct om__net_work *work, uint32_t cell,
                                 struct om__xy p, struct om__xy way,
                                 double near_m)
{
    const struct om__city *city = work->city;
    struct street_end end = {near_m, OM__NONE};
    double best = 2 * STEP_M;
    uint32_t at[OM__SIDES], near[OM__SIDES];
    om__mesh_corners(&city->mesh, cell, at);
    om__mesh_neighbours(&city->mesh, cell, near);
    for (int k = 0; k < OM__SIDES; k++) {
        const uint32_t a = at[k], b = at[(k + 1) % OM__SIDES];
        if (city->quarter_of[near[k]] == city->quarter_of[cell]) continue;
        double m;
        if (!meets(p, way, om__plane_from_corner(city->mesh.corner[a]),
                   om__plane_from_corner(city->mesh.corner[b]), &m))
            continue;
        if (m < 0 || fabs(m - near_m) > best) continue;
        best = fabs(m - near_m);
        end = (struct street_end){m, chain_at(work, a, b)};
    }
    return end;
}

/* From p along `way` until the quarter ends, or the land. */
static struct street_end leave(const struct om__net_work *work,
                               uint32_t quarter, struct om__xy p,
                               struct om__xy way)
{
    const struct om__city *city = work->city;
    uint32_t inside = OM__NO_CELL;
    for (double m = 0; m < REACH_M; m += STEP_M) {
        const struct om__xy at = along(p, way, m);
        const uint32_t cell = om__mesh_find(&city->mesh, at);
        if (om__wet(city, at)) return (struct street_end){m, OM__NONE};
        if (cell != OM__NO_CELL && city->quarter_of[cell] == quarter) {
            inside = cell;
            continue;
        }
        if (inside == OM__NO_CELL) break;
        double in = m - STEP_M, out = m;
        while (out - in > 0.01) {
            const double mid = (in + out) / 2;
            const uint32_t c = om__mesh_find(&city->mesh, along(p, way, mid));
            const bool still =
                c != OM__NO_CELL && city->quarter_of[c] == quarter;
            if (still) inside = c;
            if (still)
                in = mid;
            else
                out = mid;
        }
        return through(work, inside, p, way, in);
    }
    return (struct street_end){0, OM__NONE};
}

om_status om__net_streets(struct om__net_work *work)
{
    const struct om__city *city = work->city;
    for (uint32_t i = 0; i < city->streets; i++) {
        const struct om__street *s = &city->street[i];
        const struct om__quarter *q = &city->quarter[s->quarter];
        const struct om__xy way = {q->turn[0], q->turn[1]};
        const struct om__xy back = {-way.x, -way.y};
        work->net->street[i][0] = s->from;
        work->net->street[i][1] = s->to;
        if (!s->used) continue;
        const struct street_end west = leave(work, s->quarter, s->from, back);
        const struct street_end east = leave(work, s->quarter, s->to, way);
        work->net->street[i][0] = along(s->from, back, west.m);
        work->net->street[i][1] = along(s->to, way, east.m);
        const bool hangs =
            (west.chain == OM__NONE || !work->net->chain[west.chain].road) &&
            (east.chain == OM__NONE || !work->net->chain[east.chain].road);
        if (!hangs) continue;
        if (west.chain != OM__NONE)
            om__net_open(work, west.chain);
        else if (east.chain != OM__NONE)
            om__net_open(work, east.chain);
    }
    return OM_OK;
}
