// mesh.h - irregular partitions for tests and benchmarks of shapes.
#ifndef OM_TESTS_ENGINE_MESH_H
#define OM_TESTS_ENGINE_MESH_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "data/model/batch.h"

/* splitmix64: the same numbers everywhere. */
static inline uint64_t mesh_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}
/* In [0, 1). */
static inline double mesh_unit(uint64_t *state)
{
    return (double)(mesh_random(state) >> 11) * 0x1p-53;
}
static inline double mesh_between(uint64_t *state, double low, double high)
{
    return low + (high - low) * mesh_unit(state);
}

/* Shapes in memory of their own, growing; mesh_view lends them as om_shapes. */
struct mesh {
    size_t count, parts, rings, vertices;
    uint32_t *shape_part, *part_ring, *ring_vertex;
    double *x, *y;
    size_t room;
};

static inline void mesh_init(struct mesh *m, size_t room)
{
    *m = (struct mesh){.room = room};
    m->shape_part = calloc(room + 1, 4);
    m->part_ring = calloc(room + 1, 4);
    m->ring_vertex = calloc(room + 1, 4);
    m->x = calloc(room, sizeof(double));
    m->y = calloc(room, sizeof(double));
}
static inline void mesh_deinit(struct mesh *m)
{
    free(m->shape_part);
    free(m->part_ring);
    free(m->ring_vertex);
    free(m->x);
    free(m->y);
}
static inline void mesh_vertex(struct mesh *m, double x, double y)
{
    if (m->vertices == m->room) abort();
    m->x[m->vertices] = x;
    m->y[m->vertices++] = y;
}
static inline void mesh_end_ring(struct mesh *m)
{
    m->ring_vertex[++m->rings] = (uint32_t)m->vertices;
}
static inline void mesh_end_part(struct mesh *m)
{
    m->part_ring[++m->parts] = (uint32_t)m->rings;
}
static inline void mesh_end_shape(struct mesh *m)
{
    m->shape_part[++m->count] = (uint32_t)m->parts;
}
/* A shape of one ring. */
static inline void mesh_polygon(struct mesh *m, size_t n, const double *xy)
{
    for (size_t i = 0; i < n; i++) mesh_vertex(m, xy[2 * i], xy[2 * i + 1]);
    mesh_end_ring(m);
    mesh_end_part(m);
    mesh_end_shape(m);
}
static inline struct om_shapes mesh_view(const struct mesh *m)
{
    return (struct om_shapes){m->count,       m->shape_part, m->part_ring,
                              m->ring_vertex, m->x,          m->y};
}

/* A partition of a square into cols x rows irregular cells whose sides bend at
 * `bends` places, identical on both sides; with `t_junctions` about a third of
 * the bends lie straight on the side and only one of the two cells has them. */
struct mesh_plan {
    size_t cols, rows, bends;
    double x, y, step;
    bool t_junctions;
    uint64_t seed;
};

static inline void mesh_corner(const struct mesh_plan *plan, size_t i, size_t j,
                               double *x, double *y)
{
    uint64_t s = plan->seed ^ (i * 1000003 + j * 7919 + 1);
    *x = plan->x + plan->step * ((double)i + mesh_between(&s, -0.15, 0.15));
    *y = plan->y + plan->step * ((double)j + mesh_between(&s, -0.15, 0.15));
}

/* The side from corner (i, j) eastward (`down` false) or southward, without
 * its last corner, as the cell on its left or right has it, maybe reversed. */
static inline void mesh_side(struct mesh *m, const struct mesh_plan *plan,
                             size_t i, size_t j, bool down, bool left,
                             bool reversed)
{
    double ax, ay, bx, by, px[64], py[64];
    bool has[64];
    mesh_corner(plan, i, j, &ax, &ay);
    mesh_corner(plan, i + !down, j + down, &bx, &by);
    uint64_t s = plan->seed ^ (i * 31337 + j * 271 + down * 99991 + 5);
    double last_x = ax, last_y = ay;
    const size_t n = plan->bends;
    for (size_t k = 0; k < n; k++) {
        const double t = (double)(k + 1) / (double)(n + 1);
        const double edge = t < 0.5 ? t : 1 - t;
        const double off = mesh_between(&s, -0.25, 0.25) * edge;
        px[k] = ax + (bx - ax) * t + (down ? off * plan->step : 0);
        py[k] = ay + (by - ay) * t + (down ? 0 : off * plan->step);
        has[k] = true;
    }
    for (size_t k = 0; k < n; k++) {
        const uint64_t pick = mesh_random(&s) % 6;
        const double u = mesh_unit(&s);
        if (plan->t_junctions && pick < 2 && k % 2 == 0) {
            const double nx = k + 1 < n ? px[k + 1] : bx;
            const double ny = k + 1 < n ? py[k + 1] : by;
            px[k] = last_x + (nx - last_x) * u;
            py[k] = last_y + (ny - last_y) * u;
            has[k] = left == (pick == 0);
        }
        last_x = px[k];
        last_y = py[k];
    }
    if (!reversed) {
        mesh_vertex(m, ax, ay);
        for (size_t k = 0; k < n; k++)
            if (has[k]) mesh_vertex(m, px[k], py[k]);
    } else {
        mesh_vertex(m, bx, by);
        for (size_t k = n; k-- > 0;)
            if (has[k]) mesh_vertex(m, px[k], py[k]);
    }
}

static inline void mesh_partition(struct mesh *m, const struct mesh_plan *plan)
{
    for (size_t j = 0; j < plan->rows; j++)
        for (size_t i = 0; i < plan->cols; i++) {
            mesh_side(m, plan, i, j, false, false, false);
            mesh_side(m, plan, i + 1, j, true, false, false);
            mesh_side(m, plan, i, j + 1, false, true, true);
            mesh_side(m, plan, i, j, true, true, true);
            mesh_end_ring(m);
            mesh_end_part(m);
            mesh_end_shape(m);
        }
}

#endif
