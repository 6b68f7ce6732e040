/* contour.c - the outline of where a lattice is low.
 *
 * DESIGN
 * The border crosses the links between neighbouring nodes of which one is
 * inside. Every link that it crosses is left by it through the mesh on one side
 * and was entered from the mesh on the other, so that each has exactly one
 * next link, and following these gives closed rings with the inside on the
 * right, y growing southward: outer rings clockwise on the map, holes the other
 * way. A vertex never lies in a node, so rings neither touch nor cross.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/reach/ways_internal.h"

/* A vertex keeps this share of a link away from its nodes. */
#define INSET 0.02
#define NO_LINK UINT32_MAX

struct ring {
    uint32_t first, end;  // vertices
    double area;          // doubled, in cells; outer rings above 0
    uint32_t outer;       // index of the ring that it is a hole of
};
struct tracing {
    const struct om__lattice *l;
    double level;
    uint32_t *next;  // [2 * side * side] by link
    struct om_pos *vertex;
    struct ring *ring;
    uint32_t vertices, rings;
};

static bool inside(const struct tracing *t, size_t i, size_t j)
{
    return t->l->value[j * t->l->side + i] <= t->level;
}

/* Links of node (i, j): to its right, and below it. */
static uint32_t right_of(const struct tracing *t, size_t i, size_t j)
{
    return (uint32_t)(2 * (j * t->l->side + i));
}
static uint32_t below(const struct tracing *t, size_t i, size_t j)
{
    return right_of(t, i, j) + 1;
}

/* The border in the mesh whose north-west node is (i, j): round the mesh
 * clockwise, it leaves the inside over one link and comes back over the next;
 * walking from the former to the latter has the inside on its right. Where
 * that happens twice, each corner keeps to itself. */
static void link_mesh(struct tracing *t, size_t i, size_t j)
{
    const uint32_t link[4] = {right_of(t, i, j), below(t, i + 1, j),
                              right_of(t, i, j + 1), below(t, i, j)};
    const bool in[4] = {inside(t, i, j), inside(t, i + 1, j),
                        inside(t, i + 1, j + 1), inside(t, i, j + 1)};
    for (int k = 0; k < 4; k++) {
        if (!in[k] || in[(k + 1) % 4]) continue;  // leaves over link k
        int back = k;                             // came over link `back`
        do back = (back + 3) % 4;
        while (!(!in[back] && in[(back + 1) % 4]));
        t->next[link[k]] = link[back];
    }
}

static struct om_pos vertex_of(const struct tracing *t, uint32_t link)
{
    const struct om__lattice *l = t->l;
    const size_t node = link / 2, i = node % l->side, j = node / l->side;
    const size_t other = link % 2 ? node + l->side : node + 1;
    const double a = l->value[node], b = l->value[other];
    const double share = fmin(fmax((t->level - a) / (b - a), INSET), 1 - INSET);
    const double x = l->x0 + l->dx * ((double)i + (link % 2 ? 0 : share));
    const double y = l->y0 + l->dy * ((double)j + (link % 2 ? share : 0));
    return (struct om_pos){(uint32_t)fmin(fmax(x, 0), UINT32_MAX),
                           (uint32_t)fmin(fmax(y, 0), UINT32_MAX)};
}

/* Twice the area; positive clockwise as seen on the map (y grows southward). */
static double area_of(const struct om_pos *v, uint32_t first, uint32_t end)
{
    double sum = 0;
    for (uint32_t i = first; i < end; i++) {
        const struct om_pos a = v[i], b = v[i + 1 < end ? i + 1 : first];
        const double ox = v[first].x, oy = v[first].y;
        sum += (a.x - ox) * (b.y - oy) - (b.x - ox) * (a.y - oy);
    }
    return sum;
}

static void trace(struct tracing *t, double least)
{
    const uint32_t links = (uint32_t)(2 * t->l->side * t->l->side);
    const double mesh = fabs(t->l->dx * t->l->dy);
    for (uint32_t start = 0; start < links; start++) {
        if (t->next[start] == NO_LINK) continue;
        struct ring ring = {.first = t->vertices};
        for (uint32_t at = start; t->next[at] != NO_LINK;) {
            const uint32_t to = t->next[at];
            t->vertex[t->vertices++] = vertex_of(t, at);
            t->next[at] = NO_LINK;
            at = to;
        }
        ring.end = t->vertices;
        ring.area = area_of(t->vertex, ring.first, ring.end);
        if (fabs(ring.area) / 2 < least * mesh)
            t->vertices = ring.first;
        else
            t->ring[t->rings++] = ring;
    }
}

static bool holds(const struct tracing *t, const struct ring *r,
                  struct om_pos p)
{
    bool in = false;
    for (uint32_t i = r->first, k = r->end - 1; i < r->end; k = i++) {
        const struct om_pos a = t->vertex[i], b = t->vertex[k];
        if ((a.y > p.y) == (b.y > p.y)) continue;
        const double x = a.x + ((double)p.y - a.y) / ((double)b.y - a.y) *
                                   ((double)b.x - a.x);
        if (p.x < x) in = !in;
    }
    return in;
}

/* A hole belongs to the smallest outer ring around it; one without any (it was
 * too small) goes. */
static void assign(struct tracing *t)
{
    for (uint32_t h = 0; h < t->rings; h++) {
        struct ring *hole = &t->ring[h];
        hole->outer = h;
        if (hole->area > 0) continue;
        hole->outer = NO_LINK;
        for (uint32_t o = 0; o < t->rings; o++) {
            const struct ring *outer = &t->ring[o];
            if (outer->area <= -hole->area ||
                !holds(t, outer, t->vertex[hole->first]))
                continue;
            if (hole->outer == NO_LINK ||
                outer->area < t->ring[hole->outer].area)
                hole->outer = o;
        }
    }
}

static om_status gather(const struct tracing *t, struct om_arena *arena,
                        struct om_rings *out)
{
    uint32_t *shape_part = om_arena_calloc(arena, 2, sizeof *shape_part);
    uint32_t *part_ring = om_arena_calloc(arena, t->rings + 1, 4);
    uint32_t *ring_vertex = om_arena_calloc(arena, t->rings + 1, 4);
    struct om_pos *vertex =
        om_arena_calloc(arena, t->vertices + 1, sizeof *vertex);
    struct om_box *box = om_arena_calloc(arena, 1, sizeof *box);
    if (!shape_part || !part_ring || !ring_vertex || !vertex || !box)
        return OM_E_MEMORY;
    uint32_t rings = 0, vertices = 0;
    *box = OM_BOX_NONE;
    for (uint32_t o = 0; o < t->rings; o++) {
        if (t->ring[o].outer != o) continue;
        for (uint32_t k = 0; k <= t->rings; k++) {
            const uint32_t r = k ? k - 1 : o;  // the outer one first
            if (k && (r == o || t->ring[r].outer != o)) continue;
            for (uint32_t v = t->ring[r].first; v < t->ring[r].end; v++) {
                const struct om_pos p = vertex[vertices++] = t->vertex[v];
                om_box_widen(box, (struct om_box){p.x, p.y, p.x, p.y});
            }
            ring_vertex[++rings] = vertices;
        }
        part_ring[++shape_part[1]] = rings;
    }
    *out =
        (struct om_rings){1, shape_part, part_ring, ring_vertex, vertex, box};
    return OM_OK;
}

om_status om__contour_make(const struct om__lattice *lattice, double level,
                           double least, struct om_arena *arena,
                           struct om_rings *out)
{
    const size_t nodes = lattice->side * lattice->side;
    struct tracing t = {.l = lattice, .level = level};
    t.next = om_alloc_array(2 * nodes, sizeof *t.next);
    t.vertex = om_alloc_array(2 * nodes, sizeof *t.vertex);
    t.ring = om_alloc_array(nodes, sizeof *t.ring);  // each has four links
    om_status st = t.next && t.vertex && t.ring ? OM_OK : OM_E_MEMORY;
    if (!st) {
        memset(t.next, 0xFF, 2 * nodes * sizeof *t.next);
        for (size_t j = 0; j + 1 < lattice->side; j++)
            for (size_t i = 0; i + 1 < lattice->side; i++) link_mesh(&t, i, j);
        trace(&t, least);
        assign(&t);
        st = gather(&t, arena, out);
    }
    om_free(t.next);
    om_free(t.vertex);
    om_free(t.ring);
    return st;
}
