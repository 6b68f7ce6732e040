// outline.c - tracing borders of the mesh into rings and chains.
#include "data/synth/outline.h"

#include <string.h>

#include "data/base/alloc.h"

/* DESIGN
 * The borders of a region, taken cell by cell counter-clockwise, have at each
 * corner at most one edge that leaves it, because three cells meet there. So
 * following `next` from any corner gives a simple ring, outer rings turn left
 * and holes right, and an edge shared by two regions appears in each once, in
 * opposite directions, with the very same corners. */

om_status om__outline_init(struct om__outline *outline,
                           const struct om__mesh *mesh)
{
    *outline = (struct om__outline){0};
    const size_t corners = 2 * (size_t)mesh->cells;
    outline->next = om_alloc_array(corners, sizeof *outline->next);
    if (!outline->next) return OM_E_MEMORY;
    memset(outline->next, 0xFF, corners * sizeof *outline->next);
    return OM_OK;
}

void om__outline_deinit(struct om__outline *outline)
{
    om_free(outline->corner);
    om_free(outline->first);
    om_free(outline->hole);
    om_free(outline->next);
    *outline = (struct om__outline){0};
}

static om_status make_room(struct om__outline *o, uint32_t edges)
{
    if (edges <= o->room_corners) return OM_OK;
    om_free(o->corner);
    om_free(o->first);
    om_free(o->hole);
    o->room_corners = 0;
    // A ring has at least six corners.
    o->corner = om_alloc_array(edges, sizeof *o->corner);
    o->first = om_alloc_array(edges / OM__SIDES + 2, sizeof *o->first);
    o->hole = om_alloc_array(edges / OM__SIDES + 2, sizeof *o->hole);
    if (!o->corner || !o->first || !o->hole) return OM_E_MEMORY;
    o->room_corners = edges;
    return OM_OK;
}

/* Twice the signed area; whole numbers around the first corner. */
static int64_t ring_area(const struct om__mesh *mesh, const uint32_t *corner,
                         uint32_t n)
{
    const struct om__corner base = mesh->corner[corner[0]];
    int64_t area = 0;
    for (uint32_t i = 1; i + 1 < n; i++) {
        const struct om__corner a = mesh->corner[corner[i]];
        const struct om__corner b = mesh->corner[corner[i + 1]];
        area += (int64_t)(a.lon_e7 - base.lon_e7) * (b.lat_e7 - base.lat_e7) -
                (int64_t)(a.lat_e7 - base.lat_e7) * (b.lon_e7 - base.lon_e7);
    }
    return area;
}

static bool ring_holds(const struct om__mesh *mesh, const uint32_t *corner,
                       uint32_t n, struct om__corner p)
{
    bool inside = false;
    for (uint32_t i = 0; i < n; i++) {
        struct om__corner a = mesh->corner[corner[i]];
        struct om__corner b = mesh->corner[corner[(i + 1) % n]];
        if ((a.lat_e7 > p.lat_e7) == (b.lat_e7 > p.lat_e7)) continue;
        if (a.lat_e7 > b.lat_e7) {
            const struct om__corner swap = a;
            a = b;
            b = swap;
        }
        const int64_t turn =
            (int64_t)(b.lon_e7 - a.lon_e7) * (p.lat_e7 - a.lat_e7) -
            (int64_t)(b.lat_e7 - a.lat_e7) * (p.lon_e7 - a.lon_e7);
        if (turn > 0) inside = !inside;
    }
    return inside;
}

/* Holes behind the outer ring that holds them. */
static om_status order_rings(struct om__outline *o, const struct om__mesh *mesh)
{
    const uint32_t rings = o->rings, corners = o->first[rings];
    uint32_t *owner = om_alloc_array(rings, sizeof *owner);
    uint32_t *first = om_alloc_array(rings + 1, sizeof *first);
    uint32_t *corner = om_alloc_array(corners, sizeof *corner);
    bool *hole = om_alloc_array(rings, sizeof *hole);
    om_status st = owner && first && corner && hole ? OM_OK : OM_E_MEMORY;
    uint32_t n = 0;
    for (uint32_t r = 0; r < rings && !st; r++) {
        owner[r] = r;
        if (!o->hole[r]) continue;
        const struct om__corner p = mesh->corner[o->corner[o->first[r]]];
        for (uint32_t k = 0; k < rings; k++)
            if (!o->hole[k] && ring_holds(mesh, o->corner + o->first[k],
                                          o->first[k + 1] - o->first[k], p))
                owner[r] = k;
    }
    for (uint32_t r = 0, at = 0; r < rings && !st; r++) {
        if (o->hole[r]) continue;
        for (uint32_t k = 0; k <= rings; k++) {
            // The outer ring itself comes first, then those it owns.
            const uint32_t ring = k == 0 ? r : k - 1;
            if (k > 0 && (ring == r || owner[ring] != r)) continue;
            const uint32_t len = o->first[ring + 1] - o->first[ring];
            memcpy(corner + at, o->corner + o->first[ring],
                   len * sizeof *corner);
            first[n] = at;
            hole[n++] = o->hole[ring];
            at += len;
            first[n] = at;
        }
    }
    if (!st) {
        memcpy(o->corner, corner, corners * sizeof *corner);
        memcpy(o->first, first, (n + 1) * sizeof *first);
        memcpy(o->hole, hole, n * sizeof *hole);
    }
    om_free(owner);
    om_free(first);
    om_free(corner);
    om_free(hole);
    return st;
}

om_status om__outline_trace(struct om__outline *outline,
                            const struct om__mesh *mesh, const uint32_t *label,
                            const uint32_t *cell, uint32_t cells)
{
    uint32_t edges = 0;
    for (uint32_t i = 0; i < cells; i++) {
        uint32_t near[OM__SIDES], at[OM__SIDES];
        om__mesh_neighbours(mesh, cell[i], near);
        om__mesh_corners(mesh, cell[i], at);
        for (int k = 0; k < OM__SIDES; k++) {
            if (label[near[k]] == label[cell[i]]) continue;
            outline->next[at[k]] = at[(k + 1) % OM__SIDES];
            edges++;
        }
    }
    OM_TRY(make_room(outline, edges));
    outline->rings = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < cells; i++) {
        uint32_t at[OM__SIDES];
        om__mesh_corners(mesh, cell[i], at);
        for (int k = 0; k < OM__SIDES; k++) {
            uint32_t c = at[k];
            if (outline->next[c] == OM__NONE) continue;
            const uint32_t begin = n;
            while (outline->next[c] != OM__NONE) {
                const uint32_t to = outline->next[c];
                outline->next[c] = OM__NONE;
                outline->corner[n++] = c;
                c = to;
            }
            outline->first[outline->rings] = begin;
            outline->hole[outline->rings++] =
                ring_area(mesh, outline->corner + begin, n - begin) < 0;
        }
    }
    outline->first[outline->rings] = n;
    return outline->rings > 1 ? order_rings(outline, mesh) : OM_OK;
}

/* Edges of one rank at each corner: up to three, as corners at their other
 * ends, with the cell on their left going out. */
struct joint {
    uint32_t to[3], left[3], right[3];
    uint8_t n, used;  // used: bit per edge
};

static void add_edge(struct joint *joint, uint32_t from, uint32_t to,
                     uint32_t left, uint32_t right)
{
    struct joint *j = &joint[from];
    if (j->n == 3) return;
    j->to[j->n] = to;
    j->left[j->n] = left;
    j->right[j->n++] = right;
}

static om_status walk(struct joint *joint, uint32_t from, unsigned edge,
                      uint32_t *chain, om__chain_fn *each, void *ctx)
{
    size_t n = 0;
    const uint32_t left = joint[from].left[edge];
    const uint32_t right = joint[from].right[edge];
    uint32_t at = from;
    chain[n++] = at;
    for (;;) {
        const uint32_t to = joint[at].to[edge];
        joint[at].used |= (uint8_t)(1u << edge);
        chain[n++] = to;
        unsigned back = 0;
        while (back < joint[to].n && joint[to].to[back] != at) back++;
        joint[to].used |= (uint8_t)(1u << back);
        if (joint[to].n != 2 || to == from) break;
        edge = 1 - back;
        if (joint[to].used >> edge & 1) break;
        at = to;
    }
    return each(ctx, chain, n, left, right);
}

om_status om__outline_chains(const struct om__mesh *mesh, om__border_fn *border,
                             const void *border_ctx, unsigned rank,
                             om__chain_fn *each, void *ctx)
{
    const uint32_t corners = 2 * mesh->cells;
    struct joint *joint = om_calloc(corners, sizeof *joint);
    uint32_t *chain = om_alloc_array((size_t)corners + 1, sizeof *chain);
    om_status st = joint && chain ? OM_OK : OM_E_MEMORY;
    for (uint32_t cell = 0; cell < mesh->cells && !st; cell++) {
        if (om__mesh_rim(mesh, cell)) continue;
        uint32_t near[OM__SIDES], at[OM__SIDES];
        om__mesh_neighbours(mesh, cell, near);
        om__mesh_corners(mesh, cell, at);
        // Each edge once: the sides that face higher numbers.
        for (int k = 0; k < 3; k++) {
            if (border(border_ctx, cell, near[k]) != rank) continue;
            add_edge(joint, at[k], at[k + 1], cell, near[k]);
            add_edge(joint, at[k + 1], at[k], near[k], cell);
        }
    }
    // Open chains from their ends first, then what is left: rings.
    for (int rings = 0; rings < 2 && !st; rings++)
        for (uint32_t c = 0; c < corners && !st; c++) {
            if (!rings && joint[c].n == 2) continue;
            for (unsigned e = 0; e < joint[c].n && !st; e++)
                if (!(joint[c].used >> e & 1))
                    st = walk(joint, c, e, chain, each, ctx);
        }
    om_free(joint);
    om_free(chain);
    return st;
}
