// smooth.c - borders of the mesh lose the steps of the lattice.
#include <string.h>

#include "data/base/alloc.h"
#include "data/synth/dice.h"
#include "data/synth/mesh.h"

/* DESIGN
 * Each corner on a border moves towards the middle of its two neighbours on
 * the highest border that passes through it. A corner belongs to all outlines
 * that touch it, so edges stay shared. Where a move would leave a cell that is
 * not star-shaped around its middle, the corners of that cell go back to the
 * lattice; this can only shrink the set of moved corners, so it ends. A mesh
 * of cells that are all star-shaped, with its rim unmoved, is planar: no two
 * outlines can cross. */

#define ROUNDS 4
#define PULL 0.55
#define JITTER_M 2.5  // as if drawn by hand

struct smoother {
    struct om__mesh *mesh;
    struct om__xy *now, *next;  // [corners]
    uint32_t *pull;             // [corners][3]: neighbours that pull
    uint8_t *pulls;             // [corners]: how many, 0 stays
};

struct spoke {
    uint32_t corner;
    unsigned rank;
};

/* The three edges of a corner: two belong to the cell (top or bottom of it),
 * the third stands on it between its two upper (lower) neighbours. */
static void add_pulls(struct smoother *s, uint32_t cell, bool bottom,
                      om__border_fn *border, const void *ctx)
{
    const struct om__mesh *mesh = s->mesh;
    uint32_t near[OM__SIDES], at[OM__SIDES], up[OM__SIDES];
    om__mesh_neighbours(mesh, cell, near);
    om__mesh_corners(mesh, cell, at);
    const uint32_t right = near[bottom ? 5 : 1], left = near[bottom ? 4 : 2];
    om__mesh_corners(mesh, right, up);
    struct spoke spoke[3] = {
        {at[bottom ? 0 : 1], border(ctx, cell, right)},
        {at[bottom ? 4 : 3], border(ctx, cell, left)},
        // Seen from the right cell, the shared edge ends at its other west
        // corner.
        {up[bottom ? 4 : 3], border(ctx, left, right)},
    };
    for (int i = 1; i < 3; i++)
        for (int j = i; j > 0 && spoke[j].rank > spoke[j - 1].rank; j--) {
            const struct spoke swap = spoke[j];
            spoke[j] = spoke[j - 1];
            spoke[j - 1] = swap;
        }
    const uint32_t corner = 2 * cell + bottom;
    if (spoke[1].rank == 0) return;
    s->pulls[corner] = spoke[2].rank == spoke[1].rank ? 3 : 2;
    for (unsigned i = 0; i < s->pulls[corner]; i++)
        s->pull[3 * (size_t)corner + i] = spoke[i].corner;
}

static void relax(struct smoother *s, uint32_t corners)
{
    memcpy(s->next, s->now, corners * sizeof *s->now);
    for (uint32_t c = 0; c < corners; c++) {
        if (s->pulls[c] == 0) continue;
        struct om__xy sum = {0, 0};
        for (unsigned i = 0; i < s->pulls[c]; i++) {
            const struct om__xy q = s->now[s->pull[3 * (size_t)c + i]];
            sum.x += q.x;
            sum.y += q.y;
        }
        const double n = s->pulls[c];
        s->next[c].x += PULL * (sum.x / n - s->now[c].x);
        s->next[c].y += PULL * (sum.y / n - s->now[c].y);
    }
    struct om__xy *swap = s->now;
    s->now = s->next;
    s->next = swap;
}

/* Twice six times the area of the triangle middle, corner k, corner k+1, with
 * the middle as the sum of the corners so that all stays whole numbers. */
static bool star_shaped(const struct om__corner *corner,
                        const uint32_t at[OM__SIDES])
{
    int64_t x = 0, y = 0;
    for (int k = 0; k < OM__SIDES; k++) {
        x += corner[at[k]].lon_e7;
        y += corner[at[k]].lat_e7;
    }
    for (int k = 0; k < OM__SIDES; k++) {
        const struct om__corner a = corner[at[k]];
        const struct om__corner b = corner[at[(k + 1) % OM__SIDES]];
        const int64_t ax = OM__SIDES * (int64_t)a.lon_e7 - x;
        const int64_t ay = OM__SIDES * (int64_t)a.lat_e7 - y;
        const int64_t bx = OM__SIDES * (int64_t)b.lon_e7 - x;
        const int64_t by = OM__SIDES * (int64_t)b.lat_e7 - y;
        if (ax * by - ay * bx <= 0) return false;
    }
    return true;
}

/* Put corners back until every cell is sound again. */
static void retreat(const struct smoother *s, struct om__corner *fresh)
{
    const struct om__mesh *mesh = s->mesh;
    for (bool again = true; again;) {
        again = false;
        for (uint32_t cell = 0; cell < mesh->cells; cell++) {
            if (om__mesh_rim(mesh, cell)) continue;
            uint32_t at[OM__SIDES];
            om__mesh_corners(mesh, cell, at);
            if (star_shaped(fresh, at)) continue;
            for (int k = 0; k < OM__SIDES; k++)
                fresh[at[k]] = mesh->corner[at[k]];
            again = true;
        }
    }
}

static void settle(struct smoother *s, struct om__corner *fresh, uint64_t seed)
{
    struct om__mesh *mesh = s->mesh;
    for (uint32_t c = 0; c < 2 * mesh->cells; c++) {
        fresh[c] = mesh->corner[c];
        if (s->pulls[c] == 0) continue;
        struct om__dice dice = om__dice(seed, OM__FOR_JITTER, c);
        const double dx = om__dice_between(&dice, -JITTER_M, JITTER_M);
        const double dy = om__dice_between(&dice, -JITTER_M, JITTER_M);
        fresh[c] = om__plane_corner(
            (struct om__xy){s->now[c].x + dx, s->now[c].y + dy});
    }
    retreat(s, fresh);
    for (uint32_t cell = 0; cell < mesh->cells; cell++) {
        if (om__mesh_rim(mesh, cell)) continue;
        uint32_t at[OM__SIDES];
        om__mesh_corners(mesh, cell, at);
        for (int k = 0; k < OM__SIDES; k++)
            mesh->moved[cell] |= s->pulls[at[k]] != 0;
    }
    memcpy(mesh->corner, fresh, 2 * (size_t)mesh->cells * sizeof *fresh);
}

om_status om__mesh_smooth(struct om__mesh *mesh, om__border_fn *border,
                          const void *ctx, uint64_t seed)
{
    const size_t corners = 2 * (size_t)mesh->cells;
    struct smoother s = {.mesh = mesh};
    s.now = om_alloc_array(corners, sizeof *s.now);
    s.next = om_alloc_array(corners, sizeof *s.next);
    s.pull = om_alloc_array(corners, 3 * sizeof *s.pull);
    s.pulls = om_calloc(corners, 1);
    struct om__corner *fresh = om_alloc_array(corners, sizeof *fresh);
    om_status st = OM_E_MEMORY;
    if (!s.now || !s.next || !s.pull || !s.pulls || !fresh) goto done;
    for (uint32_t cell = 0; cell < mesh->cells; cell++) {
        if (om__mesh_rim(mesh, cell)) continue;
        add_pulls(&s, cell, false, border, ctx);
        add_pulls(&s, cell, true, border, ctx);
    }
    for (size_t c = 0; c < corners; c++)
        s.now[c] = om__plane_from_corner(mesh->corner[c]);
    for (int round = 0; round < ROUNDS; round++) relax(&s, (uint32_t)corners);
    settle(&s, fresh, seed);
    st = OM_OK;
done:
    om_free(s.now);
    om_free(s.next);
    om_free(s.pull);
    om_free(s.pulls);
    om_free(fresh);
    return st;
}
