/* bench_reach.c - the nearest of 597 centres for 12 million addresses, straight
 * and by road, and where ten more should stand.
 *
 * Takes the layers that city.json of the synthetic city names from BENCH_CITY;
 * without it there is nothing to measure. Each duration is the best of three
 * (the first touches the pages). What the peers of benchmarks/engine/reach.py
 * need is left in the folder BENCH_DUMP: positions, centres, the graph, and
 * our answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "engine/reach/areas.h"
#include "engine/reach/cover.h"

#define ROUNDS 3
#define STRAIGHT_TARGET_S 1.0
#define ROAD_TARGET_S 10.0
#define WALK_M_PER_MIN 80.0
#define REACH_M 300.0
#define FACTOR 1.3

struct bench {
    struct om_city *city;
    struct om_snapshot *snapshot;
    const struct om_layer *address, *road, *water, *service;
    struct om_selection *all, *usable, *wet, *open;
    size_t residents;
    struct om_crowd crowd;
    struct om_pos *centre;
    size_t centres;
    struct om_roads *roads;
    struct om_snap *snap;
    struct om_trips straight, walk;
};

static void stop(const char *what, om_status st)
{
    fprintf(stderr, "bench_reach: %s: %s\n", what, om_status_text(st));
    exit(1);
}

static struct om_selection *rows_of(const struct om_layer *layer,
                                    const char *where)
{
    struct om_filter *filter = NULL;
    struct om_selection *out = NULL;
    om_status st = OM_OK;
    if (where)
        st = om_filter_parse(where, strlen(where), layer, 0, &filter, NULL);
    if (!st) st = om_select(NULL, layer, filter, (struct om_window){0}, &out);
    om_filter_free(filter);
    if (st) stop(layer->name, st);
    return out;
}

static void open_city(struct bench *b, const char *path)
{
    struct om_err err = {0};
    if (om_city_open(path, &b->city, &err)) stop(err.text, err.code);
    b->snapshot = om_city_snapshot(b->city);
    b->address = om_snapshot_layer(b->snapshot, "address");
    b->road = om_snapshot_layer(b->snapshot, "road");
    b->water = om_snapshot_layer(b->snapshot, "water");
    b->service = om_snapshot_layer(b->snapshot, "service_centre");
    if (!b->address || !b->road || !b->water || !b->service)
        stop("BENCH_CITY lacks a layer", OM_E_NOTFOUND);
    b->residents = om_schema_find(&b->address->schema, "residents");
    b->all = rows_of(b->address, NULL);
    b->usable = rows_of(b->road, "kind <> 'highway'");
    b->wet = rows_of(b->water, NULL);
    b->open = rows_of(b->service, NULL);
    struct om_crowd crowd;
    const om_status st =
        om_crowd_read(b->service, b->open, OM_NO_FIELD, &crowd);
    if (st) stop("centres", st);
    b->centres = crowd.count;
    b->centre = malloc((crowd.count + 1) * sizeof *b->centre);
    for (size_t i = 0; i < crowd.count; i++)
        b->centre[i] = om_morton_pos(crowd.key[i]);
    om_crowd_deinit(&crowd);
}

/* ---- the pieces of work: each frees what the round before it left ---- */

static om_status gather(struct bench *b)
{
    om_crowd_deinit(&b->crowd);
    return om_crowd_read(b->address, b->all, b->residents, &b->crowd);
}

static om_status go_straight(struct bench *b)
{
    const struct om_travel travel = {.factor = FACTOR,
                                     .m_per_min = WALK_M_PER_MIN};
    om_trips_deinit(&b->straight);
    return om_trips_make(&travel, b->crowd.key, b->crowd.count, NULL, b->centre,
                         b->centres, &b->straight);
}

static om_status build(struct bench *b)
{
    const struct om_road_rules rules = {.usable = b->usable,
                                        .cross = true,
                                        .join_m = 0.5,
                                        .water = b->water,
                                        .wet = b->wet};
    om_roads_free(b->roads);
    b->roads = NULL;
    return om_roads_new(b->road, &rules, &b->roads);
}

static om_status snap(struct bench *b)
{
    free(b->snap);
    b->snap = malloc((b->crowd.count + 1) * sizeof *b->snap);
    return om_roads_snap(b->roads, b->crowd.key, b->crowd.count, REACH_M,
                         b->snap);
}

static struct om_travel by_road(const struct bench *b)
{
    return (struct om_travel){.roads = b->roads,
                              .m_per_min = WALK_M_PER_MIN,
                              .foot_m_per_min = WALK_M_PER_MIN,
                              .reach_m = REACH_M};
}

static om_status go_by_road(struct bench *b)
{
    const struct om_travel travel = by_road(b);
    om_trips_deinit(&b->walk);
    return om_trips_make(&travel, b->crowd.key, b->crowd.count, b->snap,
                         b->centre, b->centres, &b->walk);
}

static double best_of(struct bench *b, const char *what,
                      om_status (*work)(struct bench *))
{
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        const double begun = bench_now();
        const om_status st = work(b);
        const double took = bench_now() - begun;
        if (st) stop(what, st);
        if (took < best) best = took;
    }
    return best;
}

static uint64_t hash_trips(const struct om_trips *t)
{
    const uint64_t h = om_hash64(t->centre, t->count * sizeof *t->centre, 1);
    return om_hash64(t->m, t->count * sizeof *t->m, h);
}

static const struct om_nearness NEAR[] = {
    {false, 500}, {false, 1000}, {true, 10}};

static void say_shares(const char *what, const struct bench *b,
                       const struct om_trips *trips)
{
    struct om_tally tally[2];
    const double begun = bench_now();
    const om_status st =
        om_trips_tally(&b->crowd, trips, NULL, 0, NEAR, 3, &tally[1]);
    if (st) stop("tally", st);
    char name[64];
    snprintf(name, sizeof name, "sums and median, %s", what);
    bench_row(name, 1, bench_now() - begun, tally[1].rows, 0,
              om_hash64(&tally[1].weight_near, sizeof tally[1].weight_near, 0),
              0);
    printf(
        "# %s: within 500 m, 1 km, 10 minutes: %.2f %.2f %.2f %% of "
        "residents; mean %.1f m, median %.1f m; %llu addresses off, %llu "
        "cut off\n",
        what, 100.0 * (double)tally[1].weight_near[0] / (double)tally[1].weight,
        100.0 * (double)tally[1].weight_near[1] / (double)tally[1].weight,
        100.0 * (double)tally[1].weight_near[2] / (double)tally[1].weight,
        tally[1].mean_m, tally[1].median_m,
        (unsigned long long)tally[1].rows_off,
        (unsigned long long)tally[1].rows_cut);
}

static void run_nearest(struct bench *b)
{
    const uint64_t rows = b->address->rows;
    const double people_s = best_of(b, "people", gather);
    bench_row("people by position", 1, people_s, rows, rows * 9,
              om_hash64(b->crowd.key, b->crowd.count * 8, 0), 0);
    const double straight_s = best_of(b, "straight", go_straight);
    bench_row("nearest centre straight, positions", b->crowd.count, straight_s,
              b->crowd.count, 0, hash_trips(&b->straight), 0);
    bench_row("nearest centre straight, all", 1, people_s + straight_s, rows, 0,
              hash_trips(&b->straight), STRAIGHT_TARGET_S);
    const double build_s = best_of(b, "roads", build);
    const struct om_road_figures f = om_roads_figures(b->roads);
    bench_row("road network from lines", 1, build_s, f.edges, 0, f.nodes, 0);
    printf(
        "# network: %zu nodes, %zu edges, %.0f km, %zu pieces, the largest "
        "%.2f %%\n",
        f.nodes, f.edges, f.km, f.pieces, 100 * f.largest_km / f.km);
    const double snap_s = best_of(b, "snap", snap);
    bench_row("positions onto the network", b->crowd.count, snap_s,
              b->crowd.count, 0,
              om_hash64(b->snap, b->crowd.count * sizeof *b->snap, 0), 0);
    const double way_s = best_of(b, "ways", go_by_road);
    bench_row("ways from all centres to all positions", 1, way_s,
              b->crowd.count, 0, hash_trips(&b->walk), 0);
    bench_row("nearest centre by road, all", 1,
              people_s + build_s + snap_s + way_s, rows, 0,
              hash_trips(&b->walk), ROAD_TARGET_S);
    say_shares("straight", b, &b->straight);
    say_shares("by road", b, &b->walk);
}

static void run_sites(struct bench *b)
{
    const size_t n = b->crowd.count;
    const struct om_pos middle = om_morton_pos(b->crowd.key[n / 2]);
    const struct om_travel travel = by_road(b);
    const double begun = bench_now();
    uint32_t *place = malloc((n + 1) * sizeof *place);
    uint64_t *key = malloc((n + 1) * sizeof *key);
    struct om_snap *at = malloc((n + 1) * sizeof *at);
    int64_t *weight = malloc((n + 1) * sizeof *weight);
    size_t places, demands = 0;
    for (size_t i = 0; i < n; i++) {
        if (om_is_near(&b->walk, i, NEAR[2])) continue;
        key[demands] = b->crowd.key[i];
        at[demands] = b->snap[i];
        weight[demands++] = b->crowd.weight[i];
    }
    om_status st = om_cover_places(&b->crowd, om_areas_side(200, middle.y),
                                   place, &places);
    struct om_pos *site = malloc((places + 1) * sizeof *site);
    for (size_t i = 0; i < places; i++)
        site[i] = om_morton_pos(b->crowd.key[place[i]]);
    struct om_choice choice = {0};
    if (!st)
        st = om_cover_find(&travel, site, places, key, at, weight, demands,
                           NEAR[2], 10, &choice);
    if (st) stop("sites", st);
    bench_row("the next 10 centres", 1, bench_now() - begun, places, 0,
              om_hash64(choice.site, choice.count * sizeof *choice.site, 0), 0);
    printf(
        "# sites: %lld residents more, at least %.1f %% of what any ten of "
        "%zu could; %zu were measured\n",
        (long long)choice.total,
        100.0 * (double)choice.total / (double)choice.bound, places,
        choice.measured);
    om_choice_deinit(&choice);
    free(place);
    free(key);
    free(at);
    free(weight);
    free(site);
}

/* ---- for the peers ---- */

static void dump(const char *folder, const char *name, const void *data,
                 size_t bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f))
        stop(path, OM_E_IO);
}

static void leave_graph(const struct bench *b, const char *folder)
{
    const struct om_road_figures f = om_roads_figures(b->roads);
    struct om_edge *edge = malloc((f.edges + 1) * sizeof *edge);
    uint64_t *key = malloc((b->centres + 1) * sizeof *key);
    struct om_snap *at = malloc((b->centres + 1) * sizeof *at);
    struct om_reach reach;
    for (uint32_t i = 0; i < f.edges; i++) edge[i] = om_roads_edge(b->roads, i);
    for (size_t i = 0; i < b->centres; i++) key[i] = om_morton(b->centre[i]);
    om_status st = om_roads_snap(b->roads, key, b->centres, REACH_M, at);
    const double begun = bench_now();
    if (!st) st = om_reach_make(b->roads, at, b->centres, 1, &reach);
    if (st) stop("ways", st);
    const double took = bench_now() - begun;
    bench_row("Dijkstra from all centres", 1, took, f.edges, 0,
              om_hash64(reach.cost, f.nodes * 8, 0), 0);
    dump(folder, "reach_edges", edge, f.edges * sizeof *edge);
    dump(folder, "reach_sources", at, b->centres * sizeof *at);
    dump(folder, "reach_costs", reach.cost, f.nodes * sizeof *reach.cost);
    dump(folder, "reach_dijkstra_s", &took, sizeof took);
    om_reach_deinit(&reach);
    free(edge);
    free(key);
    free(at);
}

static void leave_points(struct bench *b, const char *folder)
{
    const double took = best_of(b, "straight", go_straight);
    dump(folder, "reach_positions", b->crowd.key, b->crowd.count * 8);
    dump(folder, "reach_centres", b->centre, b->centres * sizeof *b->centre);
    dump(folder, "reach_nearest", b->straight.centre, b->crowd.count * 4);
    dump(folder, "reach_metres", b->straight.m, b->crowd.count * 8);
    dump(folder, "reach_straight_s", &took, sizeof took);
}

int main(void)
{
    const char *path = getenv("BENCH_CITY"), *folder = getenv("BENCH_DUMP");
    struct bench b = {0};
    bench_head("reach: 12 M addresses, 597 centres, 92,000 roads");
    if (!path) {
        printf("# needs a full city: BENCH_CITY\n");
        return 0;
    }
    open_city(&b, path);
    run_nearest(&b);
    run_sites(&b);
    if (folder) {
        leave_points(&b, folder);
        leave_graph(&b, folder);
    }
    return 0;
}
