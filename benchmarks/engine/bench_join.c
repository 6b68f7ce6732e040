// bench_join.c - 12 M addresses against 2,934 irregular grids, exactly.
#include <geos_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "data/base/thread.h"
#include "engine/layer/build.h"
#include "engine/shape/shape.h"
#include "tests/engine/mesh.h"

/* The city: 2,934 grids of about 41 vertices over some 60 km x 50 km at
 * 23 degrees north. ONEMAP_BENCH_ROWS scales the rows. */
#define COLS 54
#define ROWS 55
#define GRIDS 2934
#define BENDS 9
#define FULL_ROWS 12000000
/* Rows that brute force and GEOS answer too. */
#define SAMPLE 20000
#define TARGET_S 0.100

static void make_city(struct mesh *m, struct om_box *box)
{
    double x0, y0, x1, y1;
    if (om_pos_world(113.5, 23.15, &x0, &y0) ||
        om_pos_world(114.25, 22.65, &x1, &y1))
        exit(1);
    const double step_x = (x1 - x0) / COLS, step_y = (y1 - y0) / ROWS;
    const struct mesh_plan plan = {.cols = COLS,
                                   .rows = ROWS,
                                   .bends = BENDS,
                                   .x = x0,
                                   .y = y0,
                                   .step = step_x < step_y ? step_x : step_y,
                                   .seed = 7};
    mesh_init(m, (size_t)COLS * ROWS * (4 * BENDS + 8));
    mesh_partition(m, &plan);
    m->count = GRIDS;
    *box = (struct om_box){(uint32_t)x0, (uint32_t)y0,
                           (uint32_t)(x0 + plan.step * COLS),
                           (uint32_t)(y0 + plan.step * ROWS)};
}

/* Seven addresses a building on average, some hundreds, in clusters. */
static size_t make_keys(uint64_t *key, size_t n, struct om_box box)
{
    uint64_t seed = 5;
    size_t made = 0;
    const double wide = box.x1 - box.x0, high = box.y1 - box.y0;
    while (made < n) {
        const double cx = mesh_unit(&seed) * wide, cy = mesh_unit(&seed) * high;
        for (int b = 0; b < 500 && made < n; b++) {
            const double r = mesh_unit(&seed) * wide / 60;
            const double x = cx + r * (mesh_unit(&seed) * 2 - 1);
            const double y = cy + r * (mesh_unit(&seed) * 2 - 1);
            const struct om_pos p = {box.x0 + (uint32_t)(x < 0 ? -x : x),
                                     box.y0 + (uint32_t)(y < 0 ? -y : y)};
            const uint64_t pick = mesh_random(&seed) % 1000;
            const size_t stack = pick < 4 ? 400 : 1 + pick % 11;
            for (size_t k = 0; k < stack && made < n; k++)
                key[made++] = om_morton(p);
        }
    }
    return made;
}

static int by_key(const void *one, const void *two)
{
    const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)two;
    return (a > b) - (a < b);
}

static void sort_keys(uint64_t *key, size_t n)
{
    uint64_t *scratch = malloc(n * sizeof *scratch);
    uint32_t *row = malloc(n * sizeof *row), *row2 = malloc(n * sizeof *row);
    if (!scratch || !row || !row2 ||
        om_sort_keys(key, row, scratch, row2, n) != OM_OK)
        qsort(key, n, sizeof *key, by_key);
    free(scratch);
    free(row);
    free(row2);
}

static uint32_t brute(const struct om_rings *r, struct om_pos p)
{
    for (size_t s = 0; s < r->count; s++)
        if (om_rings_contain(r, s, p)) return (uint32_t)s;
    return OM_NO_UNIT;
}

/* --- the peer: GEOS, prepared polygons behind its STR tree --------------- */

struct peer {
    const GEOSPreparedGeometry *prepared[GRIDS];
    GEOSGeometry *geometry[GRIDS];
    GEOSSTRtree *tree;
    GEOSGeometry *point;
    uint32_t found;
};

static void peer_new(struct peer *peer, const struct om_rings *r)
{
    peer->tree = GEOSSTRtree_create(10);
    for (size_t s = 0; s < r->count; s++) {
        const uint32_t first = r->ring_vertex[r->part_ring[r->shape_part[s]]];
        const uint32_t end = r->ring_vertex[r->part_ring[r->shape_part[s]] + 1];
        const uint32_t n = end - first;
        GEOSCoordSequence *seq = GEOSCoordSeq_create(n + 1, 2);
        for (uint32_t i = 0; i <= n; i++)
            GEOSCoordSeq_setXY(seq, i, r->vertex[first + i % n].x,
                               r->vertex[first + i % n].y);
        peer->geometry[s] =
            GEOSGeom_createPolygon(GEOSGeom_createLinearRing(seq), NULL, 0);
        peer->prepared[s] = GEOSPrepare(peer->geometry[s]);
        GEOSSTRtree_insert(peer->tree, peer->geometry[s], (void *)(uintptr_t)s);
    }
}

static void peer_visit(void *item, void *ctx)
{
    struct peer *peer = ctx;
    const uint32_t s = (uint32_t)(uintptr_t)item;
    // Intersects, not contains: a point on an edge goes to the lower index.
    if (s < peer->found &&
        GEOSPreparedIntersects(peer->prepared[s], peer->point))
        peer->found = s;
}

static uint32_t peer_find(struct peer *peer, struct om_pos p)
{
    peer->point = GEOSGeom_createPointFromXY(p.x, p.y);
    peer->found = OM_NO_UNIT;
    GEOSSTRtree_query(peer->tree, peer->point, peer_visit, peer);
    GEOSGeom_destroy(peer->point);
    return peer->found;
}

static void peer_free(struct peer *peer)
{
    GEOSSTRtree_destroy(peer->tree);
    for (size_t s = 0; s < GRIDS; s++) {
        GEOSPreparedGeom_destroy(peer->prepared[s]);
        GEOSGeom_destroy(peer->geometry[s]);
    }
}

/* --- the runs ----------------------------------------------------------- */

/* returns seconds of the best run. */
static double run_join(const struct om_partition *partition,
                       const uint64_t *key, size_t n, uint32_t *unit,
                       double target_s)
{
    double best = 1e9;
    memset(unit, 1, n * sizeof *unit);  // pages are there before the clock runs
    for (int i = 0; i < 5; i++) {
        const double start = bench_now();
        if (om_partition_join(partition, key, n, unit)) exit(1);
        const double took = bench_now() - start;
        if (took < best) best = took;
    }
    char name[64];
    snprintf(name, sizeof name, "join, %zu threads, best of 5", om_threads());
    bench_row(name, 1, best, n, n * (sizeof *key + sizeof *unit),
              om_hash64(unit, n * sizeof *unit, 0), target_s);
    return best;
}

static void run_sample(const struct om_rings *rings,
                       const struct om_partition *partition,
                       const uint64_t *key, size_t n, const uint32_t *unit,
                       double join_s)
{
    static struct peer peer;
    static uint32_t own[SAMPLE], geos[SAMPLE];
    size_t wrong = 0, differ = 0;
    const size_t stride = n / SAMPLE ? n / SAMPLE : 1;
    const size_t m = n / stride < SAMPLE ? n / stride : SAMPLE;
    double start = bench_now();
    for (size_t i = 0; i < m; i++)
        own[i] = om_partition_find(partition, om_morton_pos(key[i * stride]));
    const double own_s = bench_now() - start;
    for (size_t i = 0; i < m; i++) {
        const struct om_pos p = om_morton_pos(key[i * stride]);
        wrong += brute(rings, p) != own[i] || own[i] != unit[i * stride];
    }
    printf("  %zu of %zu sampled rows differ from brute force\n", wrong, m);
    peer_new(&peer, rings);
    start = bench_now();
    for (size_t i = 0; i < m; i++)
        geos[i] = peer_find(&peer, om_morton_pos(key[i * stride]));
    const double geos_s = bench_now() - start;
    for (size_t i = 0; i < m; i++) differ += geos[i] != own[i];
    printf("  %zu of %zu sampled rows differ from GEOS (rows on edges)\n",
           differ, m);
    bench_row("find, one thread", m, own_s, m, m * 8,
              om_hash64(own, m * sizeof *own, 0), 0);
    bench_row("GEOS prepared behind STRtree, one thread", m, geos_s, m, m * 8,
              om_hash64(geos, m * sizeof *geos, 0), 0);
    bench_ratio("find", "GEOS prepared", own_s, geos_s);
    bench_ratio("join, one thread, per row", "GEOS prepared",
                join_s / (double)n, geos_s / (double)m);
    peer_free(&peer);
    if (wrong) exit(1);
}

int main(void)
{
    const char *wanted = getenv("ONEMAP_BENCH_ROWS");
    const size_t n = wanted ? strtoull(wanted, NULL, 10) : FULL_ROWS;
    bench_head("exact join of addresses with grids");
    initGEOS(NULL, NULL);
    struct mesh mesh;
    struct om_box box;
    make_city(&mesh, &box);
    uint64_t *key = malloc(n * sizeof *key);
    uint32_t *unit = malloc(n * sizeof *unit);
    struct om_shape_note *note = calloc(GRIDS, sizeof *note);
    if (!key || !unit || !note || n == 0) return 1;
    make_keys(key, n, box);
    sort_keys(key, n);

    struct om_arena arena = {0};
    struct om_rings rings;
    const struct om_shapes view = mesh_view(&mesh);
    double start = bench_now();
    if (om_shapes_settle(&view, OM_GEOMETRY_POLYGON, true, &arena, &rings,
                         note))
        return 1;
    const size_t vertices = rings.ring_vertex[rings.count];
    bench_row("settle grids, edges noded", GRIDS, bench_now() - start, vertices,
              vertices * sizeof *rings.vertex,
              om_hash64(rings.vertex, vertices * sizeof *rings.vertex, 0), 0);
    struct om_partition *partition;
    start = bench_now();
    if (om_partition_new(&rings, &partition)) return 1;
    bench_row("prepare partition", GRIDS, bench_now() - start, vertices, 0, 0,
              0);
    run_join(partition, key, n, unit, TARGET_S);
    om_threads_set(1);
    const double join_s = run_join(partition, key, n, unit, 0);
    om_threads_set(0);
    run_sample(&rings, partition, key, n, unit, join_s);
    struct om_partition_report report;
    start = bench_now();
    if (om_partition_check(&rings, &report)) return 1;
    bench_row("check for gaps and overlaps", 1, bench_now() - start, vertices,
              0, om_hash64(&report, sizeof report, 0), 0);
    printf("  %llu edges, %llu shared, %llu overlaps, %llu gaps\n",
           (unsigned long long)report.edges,
           (unsigned long long)report.shared_edges,
           (unsigned long long)report.overlaps,
           (unsigned long long)report.gaps);

    om_partition_free(partition);
    om_arena_deinit(&arena);
    mesh_deinit(&mesh);
    free(note);
    free(key);
    free(unit);
    finishGEOS();
    return 0;
}
