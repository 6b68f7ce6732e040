/* bench_coverage.c - partition, workload and patrol of a full city.
 *
 * The peer of the audit is GEOS on the same units, as an analyst would ask it:
 * all pairs whose boxes meet (STRtree), prepared, intersected; the union of
 * all, whose holes are the gaps. Both look at the city's grids with every
 * 100th left out and every 97th there twice, and must find the same areas. The
 * peer of the patrols is numpy (coverage_peers.py), on the columns that are
 * written to BENCH_DUMP here.
 */
#include <geos_c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "data/base/thread.h"
#include "engine/coverage/audit.h"
#include "engine/coverage/balance.h"
#include "engine/coverage/months.h"
#include "engine/coverage/patrol.h"
#include "engine/coverage/workload.h"

#define PATROL_TARGET_S 0.3
#define AUDIT_TARGET_S 5.0
#define ROUNDS 5
#define LEAVE_OUT 100
#define DOUBLE 97

static void die(const char *what, om_status st, const struct om_err *err)
{
    fprintf(stderr, "bench_coverage: %s: %s\n", what,
            err && err->text[0] ? err->text : om_status_text(st));
    exit(1);
}

/* --- the audit --------------------------------------------------------- */

struct levels {
    size_t count;
    struct om_units units[8];
};

static double audit_city(const struct om_snapshot *s, uint64_t *rows,
                         uint64_t *faults)
{
    struct om_units lower = {0};
    struct om_err err = {0};
    struct om_arena arena = {0};
    const double start = bench_now();
    *rows = *faults = 0;
    for (size_t l = 0; l < s->manifest->levels; l++) {
        struct om_units units;
        struct om_faults found, between = {0};
        om_status st = om_units_read(s, s->manifest->level[l], &units, &err);
        if (!st) st = om_audit_level(&units, &found);
        if (st) die("audit", st, &err);
        *faults += found.count;
        if (lower.layer) {
            struct om_parenting parents;
            st = om_audit_parents(
                &lower, &units,
                om_schema_find(&lower.layer->schema, units.level), &arena,
                &parents);
            if (!st)
                st = om_audit_levels(&lower, &units, parents.lies, 0.02,
                                     &between);
            if (st) die("levels", st, NULL);
            *faults += between.count + parents.orphans + parents.contradictions;
            om_faults_deinit(&between);
        }
        for (size_t i = 0; i < s->layers; i++) {
            struct om_placing placing;
            if (om_layer_unit_field(&s->layer[i], units.level) == OM_NO_FIELD)
                continue;
            if (s->layer[i].schema.geometry == OM_GEOMETRY_LINE) continue;
            st = om_audit_layer(s, &units, &s->layer[i], &found, 10, &arena,
                                &placing);
            if (st) die(s->layer[i].name, st, NULL);
            *rows += placing.rows;
            *faults += placing.in_none + placing.in_two;
        }
        om_faults_deinit(&found);
        om_units_deinit(&lower);
        lower = units;
    }
    om_units_deinit(&lower);
    om_arena_deinit(&arena);
    return bench_now() - start;
}

static void run_audit(const struct om_snapshot *s)
{
    uint64_t rows = 0, faults = 0;
    double best = INFINITY;
    for (int i = 0; i < ROUNDS; i++)
        best = fmin(best, audit_city(s, &rows, &faults));
    bench_row("audit of the city, all levels and layers", 1, best, rows, 0,
              faults, AUDIT_TARGET_S);
    printf("  %llu faults\n", (unsigned long long)faults);
}

/* --- GEOS on spoilt grids ---------------------------------------------- */

/* Shapes [0, count) of the rings, some left out, some twice. */
static struct om_rings spoil(const struct om_rings *r, struct om_arena *arena)
{
    const size_t room = 2 * r->count;
    const uint32_t last = r->part_ring[r->shape_part[r->count]];
    uint32_t *shape = om_arena_calloc(arena, room + 1, 4);
    uint32_t *part = om_arena_calloc(arena, room * 8, 4);
    uint32_t *ring = om_arena_calloc(arena, 2 * (size_t)last + 2, 4);
    struct om_pos *vertex =
        om_arena_calloc(arena, 2 * (size_t)r->ring_vertex[last], 8);
    struct om_box *box = om_arena_calloc(arena, room, sizeof *box);
    uint32_t n = 0, parts = 0, rings = 0, vertices = 0;
    for (size_t s = 0; s < r->count; s++)
        for (int twice = 0; twice <= (s % DOUBLE == 3); twice++) {
            if (s % LEAVE_OUT == 7) break;
            box[n] = r->box[s];
            for (uint32_t p = r->shape_part[s]; p < r->shape_part[s + 1]; p++) {
                for (uint32_t k = r->part_ring[p]; k < r->part_ring[p + 1];
                     k++) {
                    for (uint32_t v = r->ring_vertex[k];
                         v < r->ring_vertex[k + 1]; v++)
                        vertex[vertices++] = r->vertex[v];
                    ring[++rings] = vertices;
                }
                part[++parts] = rings;
            }
            shape[++n] = parts;
        }
    return (struct om_rings){n, shape, part, ring, vertex, box};
}

struct peer {
    GEOSContextHandle_t h;
    GEOSGeometry **shape;
    size_t at;
    const GEOSPreparedGeometry *prepared;
    double overlap;
    struct om_pos origin;
};

static GEOSGeometry *peer_shape(struct peer *p, const struct om_rings *r,
                                size_t s)
{
    GEOSGeometry *polygon[256], *hole[256];
    unsigned parts = 0;
    for (uint32_t k = r->shape_part[s]; k < r->shape_part[s + 1]; k++) {
        unsigned holes = 0;
        GEOSGeometry *shell = NULL;
        for (uint32_t i = r->part_ring[k]; i < r->part_ring[k + 1]; i++) {
            const uint32_t from = r->ring_vertex[i];
            const uint32_t n = r->ring_vertex[i + 1] - from;
            GEOSCoordSequence *seq = GEOSCoordSeq_create_r(p->h, n + 1, 2);
            for (uint32_t v = 0; v <= n; v++)
                GEOSCoordSeq_setXY_r(
                    p->h, seq, v,
                    (double)r->vertex[from + v % n].x - p->origin.x,
                    (double)r->vertex[from + v % n].y - p->origin.y);
            GEOSGeometry *g = GEOSGeom_createLinearRing_r(p->h, seq);
            if (shell)
                hole[holes++] = g;
            else
                shell = g;
        }
        polygon[parts++] = GEOSGeom_createPolygon_r(p->h, shell, hole, holes);
    }
    return GEOSGeom_createCollection_r(p->h, GEOS_MULTIPOLYGON, polygon, parts);
}

static void peer_pair(void *item, void *ctx)
{
    struct peer *p = ctx;
    const size_t other = (size_t)item - 1;
    double area;
    if (other <= p->at) return;
    if (GEOSPreparedTouches_r(p->h, p->prepared, p->shape[other]) ||
        !GEOSPreparedIntersects_r(p->h, p->prepared, p->shape[other]))
        return;
    GEOSGeometry *both =
        GEOSIntersection_r(p->h, p->shape[p->at], p->shape[other]);
    GEOSArea_r(p->h, both, &area);
    p->overlap += area;
    GEOSGeom_destroy_r(p->h, both);
}

static double hole_area(struct peer *p, const GEOSGeometry *g)
{
    double sum = 0, area;
    for (int i = 0; i < GEOSGetNumGeometries_r(p->h, g); i++) {
        const GEOSGeometry *polygon = GEOSGetGeometryN_r(p->h, g, i);
        for (int k = 0; k < GEOSGetNumInteriorRings_r(p->h, polygon); k++) {
            GEOSGeometry *hole = GEOSGeom_createPolygon_r(
                p->h,
                GEOSGeom_clone_r(p->h,
                                 GEOSGetInteriorRingN_r(p->h, polygon, k)),
                NULL, 0);
            GEOSArea_r(p->h, hole, &area);
            sum += area;
            GEOSGeom_destroy_r(p->h, hole);
        }
    }
    return sum;
}

static double run_peer(const struct om_rings *r, double *gaps, double *overlaps)
{
    struct peer p = {.h = GEOS_init_r(), .origin = r->vertex[0]};
    const double start = bench_now();
    p.shape = calloc(r->count, sizeof *p.shape);
    GEOSGeometry **copy = calloc(r->count, sizeof *copy);
    GEOSSTRtree *tree = GEOSSTRtree_create_r(p.h, 10);
    for (size_t s = 0; s < r->count; s++) {
        p.shape[s] = peer_shape(&p, r, s);
        copy[s] = GEOSGeom_clone_r(p.h, p.shape[s]);
        GEOSSTRtree_insert_r(p.h, tree, p.shape[s], (void *)(s + 1));
    }
    for (p.at = 0; p.at < r->count; p.at++) {
        p.prepared = GEOSPrepare_r(p.h, p.shape[p.at]);
        GEOSSTRtree_query_r(p.h, tree, p.shape[p.at], peer_pair, &p);
        GEOSPreparedGeom_destroy_r(p.h, p.prepared);
    }
    GEOSGeometry *all = GEOSGeom_createCollection_r(
        p.h, GEOS_GEOMETRYCOLLECTION, copy, (unsigned)r->count);
    GEOSGeometry *whole = GEOSUnaryUnion_r(p.h, all);
    *gaps = hole_area(&p, whole);
    *overlaps = p.overlap;
    const double took = bench_now() - start;
    GEOSGeom_destroy_r(p.h, whole);
    GEOSGeom_destroy_r(p.h, all);
    GEOSSTRtree_destroy_r(p.h, tree);
    for (size_t s = 0; s < r->count; s++) GEOSGeom_destroy_r(p.h, p.shape[s]);
    free(p.shape);
    free(copy);
    GEOS_finish_r(p.h);
    return took;
}

/* Square cells of a fault. */
static double cells_of(const struct om_shapes *s, size_t shape)
{
    double sum = 0;
    const uint32_t p = s->shape_part[shape];
    for (uint32_t r = s->part_ring[p]; r < s->part_ring[p + 1]; r++) {
        double twice = 0;
        const uint32_t from = s->ring_vertex[r], to = s->ring_vertex[r + 1];
        for (uint32_t i = from, j = to - 1; i < to; j = i++)
            twice += (s->x[j] - s->x[from]) * (s->y[i] - s->y[from]) -
                     (s->x[i] - s->x[from]) * (s->y[j] - s->y[from]);
        sum += (r == s->part_ring[p] ? 1 : -1) * fabs(twice) / 2;
    }
    return sum;
}

static void run_spoilt(const struct om_snapshot *s)
{
    struct om_units units;
    struct om_faults faults;
    struct om_arena arena = {0};
    struct om_err err = {0};
    double gaps, overlaps, sum[2] = {0}, own_s = INFINITY;
    om_status st = om_units_read(s, s->manifest->level[0], &units, &err);
    if (st) die("units", st, &err);
    const struct om_rings rings = spoil(&units.rings, &arena);
    const size_t vertices =
        rings.ring_vertex[rings.part_ring[rings.shape_part[rings.count]]];
    for (int i = 0; i < ROUNDS; i++) {
        if (i) om_faults_deinit(&faults);
        const double start = bench_now();
        st = om_faults_find(&rings, &faults);
        own_s = fmin(own_s, bench_now() - start);
        if (st) die("faults", st, NULL);
    }
    for (size_t i = 0; i < faults.count; i++)
        sum[faults.fault[i].kind == OM_FAULT_OVERLAP] +=
            cells_of(&faults.shapes, i);
    bench_row("gaps and overlaps of spoilt grids", 1, own_s, vertices, 0,
              faults.count, 0);
    const double peer_s = run_peer(&rings, &gaps, &overlaps);
    bench_row("GEOS: pairs of an STRtree, union of all", 1, peer_s, vertices, 0,
              0, 0);
    bench_ratio("gaps and overlaps", "GEOS", own_s, peer_s);
    const bool same = fabs(sum[0] - gaps) <= 1e-9 * gaps + 1 &&
                      fabs(sum[1] - overlaps) <= 1e-9 * overlaps + 1;
    printf("  %zu faults, the same areas as GEOS: %s\n", faults.count,
           same ? "yes" : "NO");
    om_faults_deinit(&faults);
    om_units_deinit(&units);
    om_arena_deinit(&arena);
    if (!same) exit(1);
}

/* --- patrols ----------------------------------------------------------- */

static FILE *dump(const char *name)
{
    char path[4096];
    const char *folder = getenv("BENCH_DUMP");
    if (!folder) return NULL;
    snprintf(path, sizeof path, "%s/coverage_%s", folder, name);
    return fopen(path, "wb");
}

static void dump_texts(const struct om_layer *layer, size_t column, FILE *file)
{
    struct om_text_reader reader = {0};
    for (size_t row = 0; row < layer->rows; row++) {
        char word[16] = {0};
        const char *text;
        size_t len;
        if (om_segment_text(layer->part[0].segment, column, row, &reader, &text,
                            &len))
            exit(1);
        if (text) memcpy(word, text, len < 16 ? len : 16);
        fwrite(word, 16, 1, file);
    }
    om_text_reader_deinit(&reader);
    fclose(file);
}

static void dump_times(const struct om_layer *layer, size_t column, FILE *file)
{
    const struct om_column *c;
    if (om_segment_column(layer->part[0].segment, column, 0, layer->rows, &c))
        exit(1);
    for (size_t row = 0; row < layer->rows; row++) {
        const int64_t at =
            om_column_valid(c, row) ? om_column_integer(c, row) : INT64_MIN;
        fwrite(&at, sizeof at, 1, file);
    }
    fclose(file);
}

/* What coverage_peers.py judges: ids, levels and dates as numpy reads them. */
static void dump_city(const struct om_duty *duty,
                      const struct om_patrol_spec *spec,
                      const struct om_patrol_sum *all, double own_s)
{
    FILE *file = dump("own.txt");
    if (!file) return;
    fprintf(file, "seconds %.6f\nfrom %lld\nto %lld\nat %lld\n", own_s,
            (long long)spec->from_s, (long long)spec->to_s,
            (long long)spec->at_s);
    fprintf(file,
            "owed %llu\ndone %llu\nextra %llu\nnever %llu\noverdue %llu\n",
            (unsigned long long)all->owed, (unsigned long long)all->done,
            (unsigned long long)all->extra, (unsigned long long)all->never,
            (unsigned long long)all->state[OM_PATROL_OVERDUE]);
    for (size_t t = 0; t < duty->targets; t++)
        for (size_t l = 0; l < duty->target[t].levels; l++)
            fprintf(file, "visits %s %s %d\n", duty->target[t].layer->name,
                    duty->target[t].level_name[l],
                    om_duty_visits(&duty->target[t], l, spec->from_s));
    fclose(file);
    for (size_t t = 0; t < duty->targets; t++) {
        const struct om_duty_target *d = &duty->target[t];
        char name[128];
        snprintf(name, sizeof name, "%s_id", d->layer->name);
        dump_texts(d->layer, d->layer->schema.id_field, dump(name));
        snprintf(name, sizeof name, "%s_level", d->layer->name);
        dump_texts(d->layer, d->level, dump(name));
        if (d->since == OM_NO_FIELD) continue;
        snprintf(name, sizeof name, "%s_since", d->layer->name);
        dump_times(d->layer, d->since, dump(name));
    }
    const struct om_duty_visits *v = &duty->visits;
    dump_texts(v->layer, v->target_layer, dump("visit_layer"));
    dump_texts(v->layer, v->target, dump("visit_target"));
    dump_times(v->layer, v->at, dump("visit_at"));
}

static void run_patrol(const struct om_snapshot *s, struct om_duty *duty)
{
    struct om_err err = {0};
    struct om_selection *selection[OM_DUTY_TARGETS_MOST] = {0};
    struct om_units units;
    struct om_patrol_sum all = {0};
    double judge_s = INFINITY, sum_s = INFINITY, both_s = INFINITY;
    uint64_t rows = 0;
    om_status st = om_units_read(s, s->manifest->level[0], &units, &err);
    for (size_t t = 0; t < duty->targets && !st; t++)
        st = om_select(NULL, duty->target[t].layer, NULL, (struct om_window){0},
                       &selection[t]);
    if (st) die("patrol", st, &err);
    const int32_t zone_s = s->manifest->zone_s;
    const struct om_month running =
        om_month_of(s->manifest->clock_s - 1, zone_s);
    const struct om_month last = om_month_of(running.start_s - 1, zone_s);
    const struct om_patrol_spec spec = {.snapshot = s,
                                        .duty = duty,
                                        .selection = selection,
                                        .from_s = last.start_s,
                                        .to_s = last.end_s,
                                        .at_s = s->manifest->clock_s};
    for (int i = 0; i < ROUNDS; i++) {
        struct om_patrol patrol;
        struct om_patrol_sums sums;
        const double start = bench_now();
        st = om_patrol_judge(&spec, &patrol, &err);
        if (st) die("patrol", st, &err);
        const double judged = bench_now();
        st = om_patrol_add_up(&spec, &patrol, &units, &sums);
        if (st) die("patrol", st, NULL);
        const double added = bench_now();
        judge_s = fmin(judge_s, judged - start);
        sum_s = fmin(sum_s, added - judged);
        both_s = fmin(both_s, added - start);
        all = (struct om_patrol_sum){0};
        for (size_t k = 0; k < (sums.units + 1) * sums.slots; k++)
            om_patrol_sum_add(&all, &sums.sum[k]);
        rows = patrol.visits.rows + patrol.count;
        om_patrol_sums_deinit(&sums);
        om_patrol_deinit(&patrol);
    }
    const uint64_t hash = om_hash64(&all, sizeof all, 0);
    bench_row("patrols of a month, judged", 1, judge_s, rows, 0, hash, 0);
    bench_row("  added up by grids and levels", 1, sum_s, all.rows, 0, hash, 0);
    bench_row("patrol coverage, register and visits", 1, both_s, rows, 0, hash,
              PATROL_TARGET_S);
    printf("  owed %llu, done %llu, overdue rows %llu, never visited %llu\n",
           (unsigned long long)all.owed, (unsigned long long)all.done,
           (unsigned long long)all.state[OM_PATROL_OVERDUE],
           (unsigned long long)all.never);
    dump_city(duty, &spec, &all, both_s);
    for (size_t t = 0; t < duty->targets; t++) om_selection_unref(selection[t]);
    om_units_deinit(&units);
}

static void run_balance(void)
{
    const size_t n = 1000000;
    double *value = malloc(n * sizeof *value), best = INFINITY;
    struct om_balance b;
    uint64_t seed = 1;
    for (size_t i = 0; i < n; i++)
        value[i] = (double)(bench_random(&seed) >> 40);
    for (int i = 0; i < ROUNDS; i++) {
        const double start = bench_now();
        if (om_balance_of(value, n, &b)) exit(1);
        best = fmin(best, bench_now() - start);
    }
    bench_row("Gini and max over mean of a million", 1, best, n, 0,
              om_hash64(&b, sizeof b, 0), 0);
    free(value);
}

int main(void)
{
    struct om_err err = {0};
    struct om_city *city = NULL;
    const char *path = getenv("BENCH_CITY");
    bench_head("coverage: partition and patrol of the full city");
    run_balance();
    if (!path) {
        puts("# no full city (make city); the rest needs one");
        return 0;
    }
    om_status st = om_city_open(path, &city, &err);
    if (st) die(path, st, &err);
    struct om_snapshot *s = om_city_snapshot(city);
    run_audit(s);
    run_spoilt(s);
    struct om_duty duty;
    st = om_duty_read(s, &duty, &err);
    if (st || !duty.targets || !duty.visits.layer)
        puts(
            "# the city's duty names no targets or visits: made by an older "
            "synth?");
    else
        run_patrol(s, &duty);
    om_duty_deinit(&duty);
    om_snapshot_unref(s);
    om_city_close(city);
    return 0;
}
