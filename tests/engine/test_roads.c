/* A network of roads: where they meet, getting onto it, ways along it.
 *
 * Plan
 *   meet_*    lines that share vertices, end on each other, cross; apart ones
 *   snap_*    the nearest edge against measuring every edge; reach; water
 *   way_*     Dijkstra from many centres against Floyd and Warshall on small
 *             networks; along one edge; ties; riders; a river with one bridge
 *   within_*  what one place reaches against ways to it
 *   golden_*  networkx on a made-up network (tests/golden/reach_roads.txt)
 *   error_*   what is not roads; nothing; short pieces left out
 *   fault_*   the n-th allocation fails
 */
#include "tests/engine/reach_sample.h"

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/query/ground.h"
#include "tests/rounds.h"

static struct city_sample city;
static size_t named;

static const struct om_layer *lines_of(const struct sketch *s)
{
    char name[16];
    snprintf(name, sizeof name, "r%zu", named++);
    return sketch_add(&city, name, OM_GEOMETRY_LINE, s);
}

static int begin(void **state)
{
    (void)state;
    named = 0;
    city_begin(&city);
    return 0;
}

static int end(void **state)
{
    (void)state;
    city_end(&city);
    return 0;
}

static double between_m(double x0, double y0, double x1, double y1)
{
    return om_ground_m(sketch_pos(x0, y0), sketch_pos(x1, y1));
}

static void assert_near(double got, double want, double within)
{
    if (fabs(got - want) > within) fail_msg("%.9g, not %.9g", got, want);
}

/* ---- meet ---- */

static void meet_in_shared_vertices(void **state)
{
    (void)state;
    static struct sketch s;
    s.shapes = s.vertices = 0;
    sketch_begin(&s, 1);
    sketch_to(&s, 0, 0);
    sketch_to(&s, 100, 0);
    sketch_to(&s, 200, 0);
    sketch_line(&s, 1, 100, 0, 100, 100);
    struct om_roads *roads = sketch_roads(lines_of(&s), false, 0, NULL);
    const struct om_road_figures f = om_roads_figures(roads);
    assert_int_equal(f.nodes, 4);
    assert_int_equal(f.edges, 3);
    assert_int_equal(f.pieces, 1);
    assert_int_equal(f.lines, 2);
    assert_int_equal(f.crossings, 0);
    assert_near(f.km * 1000,
                between_m(0, 0, 200, 0) + between_m(100, 0, 100, 100), 1e-3);
    om_roads_free(roads);
}

/* A cross of two lines: one piece only if crossings join. */
static void meet_where_lines_cross_if_told(void **state)
{
    (void)state;
    static struct sketch s;
    for (int apart = 0; apart < 2; apart++)
        for (int cross = 0; cross < 2; cross++) {
            s.shapes = s.vertices = 0;
            sketch_line(&s, 1, -100, 3, 100, -5);
            sketch_line(&s, apart ? 8 : 1, 7, -100, -9, 100);
            struct om_roads *roads = sketch_roads(lines_of(&s), cross, 0, NULL);
            const struct om_road_figures f = om_roads_figures(roads);
            const bool joined = cross && !apart;
            assert_int_equal(f.crossings, joined);
            assert_int_equal(f.pieces, joined ? 1 : 2);
            assert_int_equal(f.nodes, joined ? 5 : 4);
            assert_int_equal(f.edges, joined ? 4 : 2);
            om_roads_free(roads);
            city_end(&city);
            city_begin(&city);
        }
}

/* A street that ends so many metres short of a road. */
static size_t pieces_with_gap(double gap_m, double join_m, int64_t kind,
                              bool cross)
{
    static struct sketch s;
    s.shapes = s.vertices = 0;
    sketch_line(&s, kind, -100, 0, 100, 0);
    sketch_line(&s, 1, 10, -80, 10, -gap_m);
    struct om_roads *roads = sketch_roads(lines_of(&s), cross, join_m, NULL);
    const size_t pieces = om_roads_figures(roads).pieces;
    om_roads_free(roads);
    city_end(&city);
    city_begin(&city);
    return pieces;
}

static void meet_where_a_line_ends_on_another(void **state)
{
    (void)state;
    for (int cross = 0; cross < 2; cross++) {
        assert_int_equal(pieces_with_gap(0, 0, 1, cross), 1);
        assert_int_equal(pieces_with_gap(0.4, 0.5, 1, cross), 1);
        assert_int_equal(pieces_with_gap(0.6, 0.5, 1, cross), 2);
        assert_int_equal(pieces_with_gap(5, 10, 1, cross), 1);
        // An end joins a bridge too.
        assert_int_equal(pieces_with_gap(0.4, 0.5, 8, cross), 1);
        // What is not usable is not there.
        assert_int_equal(pieces_with_gap(0.4, 0.5, 9, cross), 1);
    }
}

/* The way through a joined end is as long as it looks. */
static void meet_keeps_lengths(void **state)
{
    (void)state;
    static struct sketch s;
    s.shapes = s.vertices = 0;
    sketch_line(&s, 1, -100, 0, 100, 0);
    sketch_line(&s, 1, 10, -80, 10, -0.3);
    struct om_roads *roads = sketch_roads(lines_of(&s), true, 0.5, NULL);
    const double m = way_m(roads, sketch_pos(-100, 0), sketch_pos(10, -80), 1);
    assert_near(m, between_m(-100, 0, 10, 0) + between_m(10, 0, 10, -80), 0.03);
    om_roads_free(roads);
}

static void meet_drops_what_is_drawn_twice(void **state)
{
    (void)state;
    static struct sketch s;
    s.shapes = s.vertices = 0;
    sketch_line(&s, 1, 0, 0, 100, 0);
    sketch_line(&s, 1, 100, 0, 0, 0);
    sketch_line(&s, 1, 0, 0, 0, 0);     // no length
    sketch_line(&s, 1, 20, 0, 150, 0);  // partly over the first
    sketch_begin(&s, 1);                // a roundabout
    sketch_to(&s, 150, 0);
    sketch_to(&s, 170, 10);
    sketch_to(&s, 170, -10);
    sketch_to(&s, 150, 0);
    struct om_roads *roads = sketch_roads(lines_of(&s), true, 0.1, NULL);
    const struct om_road_figures f = om_roads_figures(roads);
    assert_int_equal(f.pieces, 1);
    assert_near(way_m(roads, sketch_pos(0, 0), sketch_pos(150, 0), 1),
                between_m(0, 0, 150, 0), 0.01);
    om_roads_free(roads);
}

static void meet_leaves_out_short_pieces(void **state)
{
    (void)state;
    static struct sketch s;
    s.shapes = s.vertices = 0;
    sketch_line(&s, 1, 0, 0, 300, 0);
    sketch_line(&s, 1, 0, 50, 90, 50);
    sketch_line(&s, 1, 0, 90, 60, 90);
    const struct om_layer *layer = lines_of(&s);
    struct om_selection *all = select_where(layer, NULL);
    struct om_road_rules rules = {.usable = all, .least_m = 100};
    struct om_roads *roads;
    assert_int_equal(om_roads_new(layer, &rules, &roads), OM_OK);
    const struct om_road_figures f = om_roads_figures(roads);
    assert_int_equal(f.pieces, 1);
    assert_int_equal(f.left_out, 2);
    assert_int_equal(f.edges, 1);
    assert_near(f.left_out_km * 1000,
                between_m(0, 50, 90, 50) + between_m(0, 90, 60, 90), 1e-3);
    assert_int_equal(snap_at(roads, sketch_pos(10, 51), 40).edge, OM_NO_EDGE);
    assert_int_equal(snap_at(roads, sketch_pos(10, 10), 40).edge, 0);
    om_roads_free(roads);
    om_selection_unref(all);
}

/* ---- random networks ---- */

/* Roads between random corners of a small lattice, some bent. */
static void scribble(struct sketch *s, uint64_t *seed, size_t side, double keep)
{
    s->shapes = s->vertices = 0;
    struct om_pos corner[16][16];
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++)
            corner[i][j] =
                sketch_pos(120 * (double)i + mesh_between(seed, -40, 40),
                           120 * (double)j + mesh_between(seed, -40, 40));
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++)
            for (int down = 0; down < 2; down++) {
                if ((down ? j : i) + 1 >= side || mesh_unit(seed) > keep)
                    continue;
                const struct om_pos a = corner[i][j];
                const struct om_pos b =
                    down ? corner[i][j + 1] : corner[i + 1][j];
                sketch_begin(s, 1);
                sketch_put(s, a);
                if (mesh_unit(seed) < 0.5) {
                    const uint32_t dx = (uint32_t)mesh_between(seed, 0, 2000);
                    sketch_put(s, (struct om_pos){(a.x / 2 + b.x / 2) + dx,
                                                  (a.y / 2 + b.y / 2) + dx});
                }
                sketch_put(s, b);
            }
}

static struct om_pos somewhere(uint64_t *seed, size_t side)
{
    const double reach = 120 * (double)side;
    return sketch_pos(mesh_between(seed, -100, reach),
                      mesh_between(seed, -100, reach));
}

/* ---- snap ---- */

/* The nearest edge by measuring all of them as the geodesic to a line. */
static double nearest_edge_m(const struct om_roads *roads, struct om_pos at)
{
    const size_t edges = om_roads_figures(roads).edges;
    struct om_circle circle;
    double best = INFINITY;
    assert_int_equal(om_circle_init(&circle, at, 1e5), OM_OK);
    for (uint32_t e = 0; e < edges; e++) {
        const struct om_edge edge = om_roads_edge(roads, e);
        const struct om_pos v[2] = {om_roads_node(roads, edge.from),
                                    om_roads_node(roads, edge.to)};
        const uint32_t one[2] = {0, 1}, two[2] = {0, 2};
        struct om_box box = OM_BOX_NONE;
        for (int k = 0; k < 2; k++)
            om_box_widen(&box, (struct om_box){v[k].x, v[k].y, v[k].x, v[k].y});
        const struct om_rings rings = {1, one, one, two, v, &box};
        const double m =
            om_circle_shape_m(&circle, &rings, 0, OM_GEOMETRY_LINE, 1e5);
        if (m < best) best = m;
    }
    return best;
}

static void snap_finds_the_nearest_edge(void **state)
{
    (void)state;
    static struct sketch s;
    uint64_t seed = 3;
    for (size_t round = 0; round < test_rounds(6); round++) {
        scribble(&s, &seed, 3 + round, 0.6);
        struct om_roads *roads = sketch_roads(lines_of(&s), true, 0.5, NULL);
        for (int n = 0; n < 300; n++) {
            const struct om_pos at = somewhere(&seed, 3 + round);
            const double want = nearest_edge_m(roads, at);
            const double reach = mesh_between(&seed, 1, 250);
            if (fabs(want - reach) < 0.05) continue;
            const struct om_snap snap = snap_at(roads, at, reach);
            assert_int_equal(snap.edge != OM_NO_EDGE, want <= reach);
            if (snap.edge == OM_NO_EDGE) continue;
            // The planar nearest of the two may differ by a hair.
            assert_near(snap.access / OM_TICKS_PER_M, want, 0.005);
            assert_true(snap.along <= om_roads_edge(roads, snap.edge).ticks);
        }
        om_roads_free(roads);
        city_end(&city);
        city_begin(&city);
    }
}

/* A road on either side of a river; the nearer one is across. */
static void snap_does_not_cross_water(void **state)
{
    (void)state;
    static struct sketch s, w;
    s.shapes = s.vertices = w.shapes = w.vertices = 0;
    sketch_line(&s, 1, -500, 30, 500, 30);    // 25 m away, over the river
    sketch_line(&s, 1, -500, -90, 500, -90);  // 95 m away, on this side
    sketch_box(&w, -400, 10, 400, 25);
    const struct om_layer *layer = lines_of(&s);
    const struct om_layer *water =
        sketch_add(&city, "water", OM_GEOMETRY_POLYGON, &w);
    struct om_roads *dry = sketch_roads(layer, true, 0.5, NULL);
    struct om_roads *wet = sketch_roads(layer, true, 0.5, water);
    const struct om_pos here = sketch_pos(0, 5);
    assert_near(snap_at(dry, here, 300).access / OM_TICKS_PER_M, 25, 0.2);
    assert_near(snap_at(wet, here, 300).access / OM_TICKS_PER_M, 95, 0.5);
    assert_int_equal(snap_at(wet, here, 60).edge, OM_NO_EDGE);
    // Beside the river's end nothing is in the way.
    assert_near(snap_at(wet, sketch_pos(450, 5), 300).access / OM_TICKS_PER_M,
                25, 0.2);
    // In the river itself: the nearest road, whichever side.
    assert_near(snap_at(wet, sketch_pos(0, 20), 300).access / OM_TICKS_PER_M,
                10, 0.2);
    om_roads_free(dry);
    om_roads_free(wet);
}

/* A road along the shore is reached from the land, not through the water. */
static void snap_reaches_a_road_on_the_shore(void **state)
{
    (void)state;
    static struct sketch s, w;
    s.shapes = s.vertices = w.shapes = w.vertices = 0;
    sketch_line(&s, 1, -300, 0, 300, 0);
    sketch_box(&w, -300, 0, 300, 40);
    const struct om_layer *layer = lines_of(&s);
    const struct om_layer *water =
        sketch_add(&city, "water", OM_GEOMETRY_POLYGON, &w);
    struct om_roads *roads = sketch_roads(layer, true, 0.5, water);
    assert_near(snap_at(roads, sketch_pos(1, -30), 60).access / OM_TICKS_PER_M,
                30, 0.2);
    assert_int_equal(snap_at(roads, sketch_pos(1, 50), 60).edge, OM_NO_EDGE);
    om_roads_free(roads);
}

static void snap_is_the_same_with_any_number_of_threads(void **state)
{
    (void)state;
    static struct sketch s;
    uint64_t seed = 9;
    scribble(&s, &seed, 8, 0.7);
    struct om_roads *roads = sketch_roads(lines_of(&s), true, 0.5, NULL);
    static uint64_t key[5000];
    static struct om_snap one[5000], many[5000];
    for (int i = 0; i < 5000; i++) key[i] = om_morton(somewhere(&seed, 8));
    om_threads_set(1);
    assert_int_equal(om_roads_snap(roads, key, 5000, 300, one), OM_OK);
    om_threads_set(5);
    assert_int_equal(om_roads_snap(roads, key, 5000, 300, many), OM_OK);
    om_threads_set(0);
    assert_memory_equal(one, many, sizeof one);
    om_roads_free(roads);
}

/* ---- way ---- */

#define NODES_MOST 400
static uint64_t all_pairs[NODES_MOST][NODES_MOST];

static void floyd_warshall(const struct om_roads *roads)
{
    const struct om_road_figures f = om_roads_figures(roads);
    assert_true(f.nodes <= NODES_MOST);
    memset(all_pairs, 0x3F, sizeof all_pairs);
    for (uint32_t e = 0; e < f.edges; e++) {
        const struct om_edge edge = om_roads_edge(roads, e);
        all_pairs[edge.from][edge.to] = edge.ticks;
        all_pairs[edge.to][edge.from] = edge.ticks;
    }
    for (size_t i = 0; i < f.nodes; i++) all_pairs[i][i] = 0;
    for (size_t k = 0; k < f.nodes; k++)
        for (size_t i = 0; i < f.nodes; i++)
            for (size_t j = 0; j < f.nodes; j++) {
                const uint64_t via = all_pairs[i][k] + all_pairs[k][j];
                if (via < all_pairs[i][j]) all_pairs[i][j] = via;
            }
}

/* Cost between two snaps over the table, exact in ticks. */
static uint64_t cost_between(const struct om_roads *roads, struct om_snap a,
                             struct om_snap b, double foot)
{
    if (a.edge == OM_NO_EDGE || b.edge == OM_NO_EDGE) return OM_NO_TICKS;
    const struct om_edge e = om_roads_edge(roads, a.edge);
    const struct om_edge f = om_roads_edge(roads, b.edge);
    const uint64_t out[2] = {a.along, e.ticks - a.along};
    const uint64_t in[2] = {b.along, f.ticks - b.along};
    const uint32_t from[2] = {e.from, e.to}, to[2] = {f.from, f.to};
    uint64_t best = UINT64_C(0x3F3F3F3F3F3F3F3F);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            const uint64_t c = out[i] + all_pairs[from[i]][to[j]] + in[j];
            if (c < best) best = c;
        }
    if (a.edge == b.edge) {
        const uint64_t c =
            a.along > b.along ? a.along - b.along : b.along - a.along;
        if (c < best) best = c;
    }
    if (best >= UINT64_C(0x3F3F3F3F3F3F3F3F)) return OM_NO_TICKS;
    return best + (uint64_t)llround((double)a.access * foot) +
           (uint64_t)llround((double)b.access * foot);
}

#define CENTRES 7
static void way_is_that_of_floyd_and_warshall(void **state)
{
    (void)state;
    static struct sketch s;
    uint64_t seed = 17;
    size_t compared = 0, without = 0, same_edge = 0;
    for (size_t round = 0; round < test_rounds(12); round++) {
        scribble(&s, &seed, 3 + round % 5, 0.55);
        struct om_roads *roads = sketch_roads(lines_of(&s), true, 0.5, NULL);
        const double foot = round % 3 ? 1 : 3.125;
        floyd_warshall(roads);
        struct om_snap centre[CENTRES];
        for (int c = 0; c < CENTRES; c++)
            centre[c] = snap_at(roads, somewhere(&seed, 3 + round % 5), 120);
        centre[5] = centre[2];  // two in one place: the first wins
        struct om_reach reach;
        assert_int_equal(om_reach_make(roads, centre, CENTRES, foot, &reach),
                         OM_OK);
        for (int n = 0; n < 200; n++) {
            struct om_snap at =
                snap_at(roads, somewhere(&seed, 3 + round % 5), 120);
            if (n % 4 == 0 && centre[n % CENTRES].edge != OM_NO_EDGE) {
                at.edge = centre[n % CENTRES].edge;
                at.along = om_roads_edge(roads, at.edge).ticks / 3;
                same_edge++;
            }
            uint64_t want = OM_NO_TICKS;
            uint32_t who = UINT32_MAX;
            for (uint32_t c = 0; c < CENTRES; c++) {
                const uint64_t cost = cost_between(roads, at, centre[c], foot);
                if (cost < want) {
                    want = cost;
                    who = c;
                }
            }
            const struct om_way way = om_reach_way(&reach, at);
            assert_int_equal(way.centre, who);
            assert_true(way.cost == want);
            compared += who != UINT32_MAX;
            without += who == UINT32_MAX;
            if (who == UINT32_MAX) continue;
            assert_true(foot == 1 ? way.ticks == way.cost
                                  : way.ticks <= way.cost);
        }
        om_reach_deinit(&reach);
        om_roads_free(roads);
        city_end(&city);
        city_begin(&city);
    }
    assert_true(compared > 300 && without > 20 && same_edge > 20);
}

/* Two banks, one bridge 500 m upstream. */
static void way_over_a_river_goes_by_the_bridge(void **state)
{
    (void)state;
    static struct sketch s, w;
    s.shapes = s.vertices = w.shapes = w.vertices = 0;
    sketch_line(&s, 1, -1000, -60, 1000, -60);
    sketch_line(&s, 1, -1000, 60, 1000, 60);
    sketch_line(&s, 1, -500, -60, -500, 60);
    sketch_box(&w, -1500, -50, 1500, 50);
    const struct om_layer *layer = lines_of(&s);
    const struct om_layer *water =
        sketch_add(&city, "water", OM_GEOMETRY_POLYGON, &w);
    struct om_roads *roads = sketch_roads(layer, true, 0.5, water);
    // From 20 m behind one bank road to 15 m behind the other.
    const double m = way_m(roads, sketch_pos(0, -80), sketch_pos(100, 75), 300);
    const double want =
        between_m(0, -80, 0, -60) + between_m(0, -60, -500, -60) +
        between_m(-500, -60, -500, 60) + between_m(-500, 60, 100, 60) +
        between_m(100, 60, 100, 75);
    assert_near(m, want, 0.05);
    assert_near(m, 20 + 500 + 120 + 600 + 15, 5);  // permille of the geodesic
    // Between the roads, on the quay: the own side's road.
    assert_near(way_m(roads, sketch_pos(0, -52), sketch_pos(0, 52), 300),
                8 + 500 + 120 + 500 + 8, 5);
    om_roads_free(roads);
}

static void way_does_not_leave_an_island(void **state)
{
    (void)state;
    static struct sketch s;
    s.shapes = s.vertices = 0;
    sketch_line(&s, 1, 0, 0, 100, 0);
    sketch_line(&s, 1, 0, 200, 100, 200);
    struct om_roads *roads = sketch_roads(lines_of(&s), true, 0.5, NULL);
    assert_true(way_m(roads, sketch_pos(5, 5), sketch_pos(5, 205), 50) < 0);
    assert_near(way_m(roads, sketch_pos(5, 5), sketch_pos(95, 5), 50),
                between_m(5, 5, 5, 0) * 2 + between_m(5, 0, 95, 0), 0.05);
    om_roads_free(roads);
}

/* Riders walk to the road: the length is the same, the time is not. */
static void way_of_riders_counts_steps_dearer(void **state)
{
    (void)state;
    static struct sketch s;
    s.shapes = s.vertices = 0;
    sketch_line(&s, 1, 0, 0, 1000, 0);
    struct om_roads *roads = sketch_roads(lines_of(&s), true, 0.5, NULL);
    const struct om_snap at = snap_at(roads, sketch_pos(100, 40), 100);
    const struct om_snap to = snap_at(roads, sketch_pos(700, -30), 100);
    struct om_reach reach;
    assert_int_equal(om_reach_make(roads, &to, 1, 3, &reach), OM_OK);
    const struct om_way way = om_reach_way(&reach, at);
    const double steps = ((double)at.access + to.access) / OM_TICKS_PER_M;
    const double road = between_m(100, 0, 700, 0);
    assert_near((double)way.ticks / OM_TICKS_PER_M, road + steps, 0.05);
    assert_near((double)way.cost / OM_TICKS_PER_M, road + 3 * steps, 0.05);
    assert_near(steps, 70, 0.5);
    om_reach_deinit(&reach);
    om_roads_free(roads);
}

/* ---- within ---- */

static void within_agrees_with_ways(void **state)
{
    (void)state;
    static struct sketch s;
    uint64_t seed = 23;
    scribble(&s, &seed, 7, 0.7);
    struct om_roads *roads = sketch_roads(lines_of(&s), true, 0.5, NULL);
    const size_t nodes = om_roads_figures(roads).nodes;
    struct om_within within = {0};
    for (int n = 0; n < 30; n++) {
        const struct om_snap at = snap_at(roads, somewhere(&seed, 7), 300);
        const uint64_t limit =
            (uint64_t)(mesh_between(&seed, 0, 900) * OM_TICKS_PER_M);
        struct om_reach reach;
        assert_int_equal(om_reach_make(roads, &at, 1, 1, &reach), OM_OK);
        assert_int_equal(om_roads_within(roads, at, 1, limit, &within), OM_OK);
        size_t reached = 0;
        for (size_t i = 0; i < nodes; i++) {
            const bool in = reach.cost[i] <= limit;
            reached += in;
            assert_true(within.cost[i] == (in ? reach.cost[i] : OM_NO_TICKS));
        }
        assert_int_equal(reached, within.reached);
        om_reach_deinit(&reach);
    }
    om_within_deinit(&within);
    om_roads_free(roads);
}

/* ---- golden ---- */

static FILE *open_golden(const char *name)
{
    FILE *file = fopen(name, "r");
    if (file) return file;
    char path[600];
    const char *slash = strstr(__FILE__, "tests/engine/");
    snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - __FILE__) : 0,
             __FILE__, name);
    return fopen(path, "r");
}

static void golden_ways_are_those_of_networkx(void **state)
{
    (void)state;
    static struct sketch s;
    static struct om_pos place[100];
    static double want_m[100];
    static int want_centre[100];
    struct om_pos centre[20];
    size_t places = 0, centres = 0;
    s.shapes = s.vertices = 0;
    FILE *file = open_golden("tests/golden/reach_roads.txt");
    assert_non_null(file);
    static char line[4000];
    while (fgets(line, sizeof line, file)) {
        unsigned x, y;
        if (!strncmp(line, "road ", 5)) {
            int used;
            sketch_begin(&s, 1);
            for (char *at = line + 5; sscanf(at, "%u %u%n", &x, &y, &used) == 2;
                 at += used)
                sketch_put(&s, (struct om_pos){x, y});
        } else if (sscanf(line, "centre %u %u", &x, &y) == 2) {
            centre[centres++] = (struct om_pos){x, y};
        } else if (sscanf(line, "place %u %u %lf %d", &x, &y, &want_m[places],
                          &want_centre[places]) == 4) {
            place[places++] = (struct om_pos){x, y};
        }
    }
    fclose(file);
    assert_true(places == 60 && centres == 6 && s.shapes > 90);
    struct om_roads *roads = sketch_roads(lines_of(&s), false, 0, NULL);
    struct om_travel travel = {.roads = roads,
                               .factor = 1,
                               .m_per_min = 80,
                               .foot_m_per_min = 80,
                               .reach_m = 10};
    uint64_t key[100];
    for (size_t i = 0; i < places; i++) key[i] = om_morton(place[i]);
    struct om_trips trips;
    assert_int_equal(
        om_trips_make(&travel, key, places, NULL, centre, centres, &trips),
        OM_OK);
    for (size_t i = 0; i < places; i++) {
        if (want_centre[i] < 0) {
            assert_int_equal(trips.centre[i], OM_TRIP_CUT);
            continue;
        }
        assert_int_equal(trips.centre[i], want_centre[i]);
        assert_near(trips.m[i], want_m[i], 1e-6 * fmax(want_m[i], 1000));
        assert_near(trips.minutes[i], want_m[i] / 80, 1e-4);
    }
    om_trips_deinit(&trips);
    om_roads_free(roads);
}

/* ---- error ---- */

static void error_for_what_is_not_roads(void **state)
{
    (void)state;
    static struct sketch s;
    s.shapes = s.vertices = 0;
    sketch_line(&s, 1, 0, 0, 100, 0);
    const struct om_layer *layer = lines_of(&s);
    const struct om_pos one = sketch_pos(0, 0);
    const struct om_layer *points = city_add_places(&city, "p", &one, 1);
    struct om_selection *all = select_where(layer, NULL);
    struct om_road_rules rules = {.usable = all};
    struct om_roads *roads = NULL;
    assert_int_equal(om_roads_new(points, &rules, &roads), OM_E_TYPE);
    rules.water = layer;
    assert_int_equal(om_roads_new(layer, &rules, &roads), OM_E_TYPE);
    rules.water = NULL;
    const double bad[] = {-1, NAN, INFINITY, 11};
    for (int i = 0; i < 4; i++) {
        rules.join_m = bad[i];
        assert_int_equal(om_roads_new(layer, &rules, &roads), OM_E_RANGE);
        rules.join_m = 0;
        rules.least_m = i < 3 ? bad[i] : -1;
        assert_int_equal(om_roads_new(layer, &rules, &roads), OM_E_RANGE);
        rules.least_m = 0;
    }
    assert_null(roads);
    assert_int_equal(om_roads_new(layer, &rules, &roads), OM_OK);
    const uint64_t key = om_morton(one);
    struct om_snap snap;
    assert_int_equal(om_roads_snap(roads, &key, 1, -1, &snap), OM_E_RANGE);
    assert_int_equal(om_roads_snap(roads, &key, 1, NAN, &snap), OM_E_RANGE);
    assert_int_equal(om_roads_snap(roads, &key, 1, 4001, &snap), OM_E_RANGE);
    struct om_reach reach;
    assert_int_equal(om_reach_make(roads, &snap, 0, NAN, &reach), OM_E_RANGE);
    om_roads_free(roads);
    om_selection_unref(all);
}

static void error_none_where_there_are_no_roads(void **state)
{
    (void)state;
    static struct sketch s;
    s.shapes = s.vertices = 0;
    sketch_line(&s, 9, 0, 0, 100, 0);  // not usable
    struct om_roads *roads = sketch_roads(lines_of(&s), true, 0.5, NULL);
    assert_int_equal(om_roads_figures(roads).edges, 0);
    assert_int_equal(snap_at(roads, sketch_pos(0, 0), 300).edge, OM_NO_EDGE);
    assert_true(way_m(roads, sketch_pos(0, 0), sketch_pos(9, 0), 300) < 0);
    om_roads_free(roads);
}

/* ---- fault ---- */

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    static struct sketch s, w;
    uint64_t seed = 31;
    scribble(&s, &seed, 4, 0.8);
    w.shapes = w.vertices = 0;
    sketch_box(&w, 0, 0, 60, 60);
    const struct om_layer *layer = lines_of(&s);
    const struct om_layer *water =
        sketch_add(&city, "water", OM_GEOMETRY_POLYGON, &w);
    struct om_selection *all = select_where(layer, NULL);
    struct om_road_rules rules = {
        .usable = all, .cross = true, .join_m = 0.5, .water = water};
    uint64_t key[50];
    for (int i = 0; i < 50; i++) key[i] = om_morton(somewhere(&seed, 4));
    const size_t before = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_roads *roads = NULL;
        struct om_reach reach = {0};
        struct om_within within = {0};
        struct om_snap snap[50];
        om_alloc_fail_after(n, false);
        om_status st = om_roads_new(layer, &rules, &roads);
        if (!st) st = om_roads_snap(roads, key, 50, 300, snap);
        if (!st) st = om_reach_make(roads, snap, 3, 1, &reach);
        if (!st) st = om_roads_within(roads, snap[0], 1, 1 << 28, &within);
        om_alloc_fail_after(0, false);
        om_reach_deinit(&reach);
        om_within_deinit(&within);
        om_roads_free(roads);
        assert_int_equal(om_alloc_live(), before);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 1000);
    }
    om_selection_unref(all);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(meet_in_shared_vertices),
        TEST(meet_where_lines_cross_if_told),
        TEST(meet_where_a_line_ends_on_another),
        TEST(meet_keeps_lengths),
        TEST(meet_drops_what_is_drawn_twice),
        TEST(meet_leaves_out_short_pieces),
        TEST(snap_finds_the_nearest_edge),
        TEST(snap_does_not_cross_water),
        TEST(snap_reaches_a_road_on_the_shore),
        TEST(snap_is_the_same_with_any_number_of_threads),
        TEST(way_is_that_of_floyd_and_warshall),
        TEST(way_over_a_river_goes_by_the_bridge),
        TEST(way_does_not_leave_an_island),
        TEST(way_of_riders_counts_steps_dearer),
        TEST(within_agrees_with_ways),
        TEST(golden_ways_are_those_of_networkx),
        TEST(error_for_what_is_not_roads),
        TEST(error_none_where_there_are_no_roads),
        TEST(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("roads", tests, NULL, NULL);
}
