/* bench_query.c - box counts, circles, the nearest and groups over 12 million
 * clustered points.
 *
 * Every question is asked at a place of its own, 20,000 of them; the hash is
 * over all answers. The first round touches the pages and is not counted.
 *
 * The STR tree of GEOS answers the same boxes (counts compared one by one)
 * and the nearest one (its C interface has no k nearest; ground distances
 * compared). For the 8 nearest, points and answers are left as files in the
 * folder BENCH_DUMP, for benchmarks/peers.py.
 */
#include <geos_c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmarks/bench.h"
#include "data/base/hash.h"
#include "engine/layer/build.h"
#include "engine/query/ground.h"
#include "engine/query/query.h"

#define QUESTIONS 20000

struct city {
    struct om_segment *segment;
    struct om_part part;
    struct om_layer layer;
    size_t rows;
};

static void stop(const char *what, const struct om_err *err)
{
    fprintf(stderr, "bench_query: %s: %s\n", what, err ? err->text : "");
    exit(1);
}

/* Rows as an import would hand them over: a number as id, a kind, residents. */
static void feed(struct om_builder *builder, const uint64_t *morton, size_t n)
{
    static struct om_pos pos[OM_LIMIT_BATCH_ROWS];
    static uint64_t source[OM_LIMIT_BATCH_ROWS];
    static int64_t residents[OM_LIMIT_BATCH_ROWS];
    static uint32_t id_offset[OM_LIMIT_BATCH_ROWS + 1];
    static uint32_t kind_offset[OM_LIMIT_BATCH_ROWS + 1];
    static char ids[OM_LIMIT_BATCH_ROWS * 12], kinds[OM_LIMIT_BATCH_ROWS * 8];
    uint64_t state = 5;
    for (size_t first = 0; first < n; first += OM_LIMIT_BATCH_ROWS) {
        const size_t rows =
            n - first < OM_LIMIT_BATCH_ROWS ? n - first : OM_LIMIT_BATCH_ROWS;
        for (size_t i = 0; i < rows; i++) {
            pos[i] = om_morton_pos(morton[first + i]);
            source[i] = first + i + 1;
            residents[i] = (int64_t)(bench_random(&state) % 6);
            id_offset[i + 1] =
                id_offset[i] +
                (uint32_t)sprintf(ids + id_offset[i], "A%08zu", first + i);
            kind_offset[i + 1] =
                kind_offset[i] +
                (uint32_t)sprintf(
                    kinds + kind_offset[i], "kind%llu",
                    (unsigned long long)(bench_random(&state) % 20));
        }
        const struct om_batch_column column[] = {
            {.offset = id_offset, .bytes = ids},
            {.offset = kind_offset, .bytes = kinds},
            {.integer = residents}};
        const struct om_batch batch = {
            .rows = rows, .source_row = source, .pos = pos, .column = column};
        if (om_builder_add(builder, &batch)) stop("add", NULL);
    }
}

/* A unit a square of 2^16 cells, about 600 m: some 3,000 hold rows. */
static void write_units(const char *path, const struct om_segment *segment)
{
    const size_t rows = om_segment_rows(segment);
    const uint64_t *key;
    uint32_t *unit = malloc(rows * sizeof *unit);
    uint64_t *square = malloc(rows * sizeof *square);
    if (!unit || !square || om_segment_keys(segment, 0, rows, &key))
        stop("keys", NULL);
    uint32_t units = 0;
    for (size_t i = 0; i < rows; i++) {
        if (!i || key[i] >> 34 != key[i - 1] >> 34) square[units++] = key[i];
        unit[i] = units - 1;
    }
    uint32_t *offset = malloc((units + 1) * sizeof *offset);
    char *ids = malloc((size_t)units * 9);
    if (!offset || !ids) stop("memory", NULL);
    for (uint32_t i = 0; i <= units; i++) {
        offset[i] = i * 8;
        if (i < units) sprintf(ids + (size_t)i * 8, "%08u", i);
    }
    const struct om_unit_column column = {"grid", unit, units, offset, ids};
    struct om_err err = {0};
    if (om_units_write(path, segment, &column, 1, &err)) stop("units", &err);
    free(unit);
    free(square);
    free(offset);
    free(ids);
}

static void build(struct city *c, size_t rows)
{
    char folder[] = "/tmp/om-bench-XXXXXX", path[64], units[64];
    struct om_schema *schema = calloc(1, sizeof *schema);
    uint64_t *morton = malloc(rows * sizeof *morton);
    struct om_builder *builder;
    struct om_err err = {0};
    if (!schema || !morton || !mkdtemp(folder)) stop("set-up", NULL);
    snprintf(path, sizeof path, "%s/a.seg", folder);
    snprintf(units, sizeof units, "%s/a.units", folder);
    schema->count = 3;
    schema->time_field = OM_NO_FIELD;
    schema->field[0] = (struct om_field){"id", OM_TYPE_TEXT};
    schema->field[1] = (struct om_field){"kind", OM_TYPE_CATEGORY};
    schema->field[2] = (struct om_field){"residents", OM_TYPE_INTEGER};
    bench_points(morton, rows);
    if (om_builder_new(schema, &builder)) stop("builder", NULL);
    feed(builder, morton, rows);
    if (om_builder_write(builder, path, NULL, &err)) stop("write", &err);
    om_builder_free(builder);
    free(morton);
    free(schema);
    struct om_segment *bare;
    if (om_segment_open(path, NULL, &bare, &err)) stop("open", &err);
    write_units(units, bare);
    om_segment_unref(bare);
    if (om_segment_open(path, units, &c->segment, &err)) stop("open", &err);
    unlink(path);  // the mapping keeps them
    unlink(units);
    rmdir(folder);
    c->rows = rows;
    c->part = (struct om_part){.segment = c->segment};
    c->layer.schema = *om_segment_schema(c->segment);
    c->layer.unit_columns = 1;
    c->layer.parts = 1;
    c->layer.part = &c->part;
    c->layer.rows = rows;
    c->layer.serial = 1;
}

/* Places where rows are, a little beside them. */
static struct om_pos place(const struct city *c, uint64_t *state)
{
    const uint64_t *key;
    const size_t row = (size_t)(bench_random(state) % c->rows);
    if (om_segment_keys(c->segment, row, row + 1, &key)) stop("keys", NULL);
    struct om_pos pos = om_morton_pos(key[row]);
    pos.x += (uint32_t)(bench_random(state) % 8192) - 4096;
    pos.y += (uint32_t)(bench_random(state) % 8192) - 4096;
    return pos;
}

/* A box around a place that holds about 1,000 rows. */
static struct om_box box_of_1000(const struct city *c, uint64_t *state)
{
    const struct om_pos at = place(c, state);
    struct om_query q = {.layer = &c->layer};
    uint32_t low = 1, high = 1u << 22;
    while (low < high) {
        const uint32_t half = low + (high - low) / 2;
        q.place = (struct om_place){
            .kind = OM_PLACE_BOX,
            .box = {at.x - half, at.y - half, at.x + half, at.y + half}};
        uint64_t count;
        if (om_query_count(&q, &count)) stop("count", NULL);
        if (count < 1000)
            low = half + 1;
        else
            high = half;
    }
    return (struct om_box){at.x - low, at.y - low, at.x + low, at.y + low};
}

static bool add_hit(void *ctx, const struct om_hit *hit)
{
    uint64_t *sum = ctx;
    const double mm = floor(hit->distance_m * 1000.0);
    *sum = om_hash64(&(uint64_t[]){hit->row, (uint64_t)mm}, 16, *sum);
    return true;
}

/* returns the median; answers [QUESTIONS] if not NULL. */
static double ask(const char *name, const struct city *c,
                  const struct om_place *question, uint64_t *answers,
                  double target_s)
{
    struct bench_samples samples = {0};
    uint64_t hash = 0, rows = 0;
    for (int round = 0; round < 2; round++) {
        hash = rows = 0;
        for (size_t i = 0; i < QUESTIONS; i++) {
            const struct om_query q = {.layer = &c->layer,
                                       .place = question[i]};
            uint64_t answer = 0;
            const double start = bench_now();
            const om_status st = question[i].kind == OM_PLACE_NEAREST
                                     ? om_query_each(&q, add_hit, &answer)
                                     : om_query_count(&q, &answer);
            const double took = bench_now() - start;
            if (st) stop(name, NULL);
            if (round) bench_add(&samples, took);
            if (answers) answers[i] = answer;
            rows += question[i].kind == OM_PLACE_NEAREST ? question[i].nearest
                                                         : answer;
            hash = om_hash64(&answer, sizeof answer, hash);
        }
    }
    bench_row_samples(name, &samples, rows, rows * 8, hash, target_s);
    const double p50 = bench_percentile(&samples, 0.5);
    bench_free(&samples);
    return p50;
}

/* --- the peer: the STR tree of GEOS --- */

struct peer {
    GEOSSTRtree *tree;
    GEOSGeometry **point;
    struct om_pos *pos;
    size_t rows;
};

static void peer_new(const struct city *c, struct peer *peer)
{
    const uint64_t *key;
    initGEOS(NULL, NULL);
    peer->rows = c->rows;
    peer->tree = GEOSSTRtree_create(16);
    peer->point = malloc(c->rows * sizeof(GEOSGeometry *));
    peer->pos = malloc(c->rows * sizeof *peer->pos);
    if (!peer->tree || !peer->point || !peer->pos ||
        om_segment_keys(c->segment, 0, c->rows, &key))
        stop("peer", NULL);
    for (size_t i = 0; i < c->rows; i++) {
        peer->pos[i] = om_morton_pos(key[i]);
        peer->point[i] =
            GEOSGeom_createPointFromXY(peer->pos[i].x, peer->pos[i].y);
        GEOSSTRtree_insert(peer->tree, peer->point[i], &peer->pos[i]);
    }
}

static void peer_free(struct peer *peer)
{
    GEOSSTRtree_destroy(peer->tree);
    for (size_t i = 0; i < peer->rows; i++) GEOSGeom_destroy(peer->point[i]);
    free(peer->point);
    free(peer->pos);
    finishGEOS();
}

static void count_item(void *item, void *ctx)
{
    (void)item;
    ++*(uint64_t *)ctx;
}

static void peer_boxes(struct peer *peer, const struct om_place *question,
                       const uint64_t *own, double own_s)
{
    struct bench_samples samples = {0};
    uint64_t hash = 0, rows = 0, wrong = 0;
    for (size_t i = 0; i < QUESTIONS; i++) {
        const struct om_box b = question[i].box;
        const double start = bench_now();
        GEOSGeometry *box = GEOSGeom_createRectangle(b.x0, b.y0, b.x1, b.y1);
        uint64_t answer = 0;
        GEOSSTRtree_query(peer->tree, box, count_item, &answer);
        GEOSGeom_destroy(box);
        // The first questions sort the tree and touch its pages.
        if (i >= QUESTIONS / 20) bench_add(&samples, bench_now() - start);
        wrong += answer != own[i];
        rows += answer;
        hash = om_hash64(&answer, sizeof answer, hash);
    }
    bench_row_samples("GEOS STRtree, the same boxes", &samples, rows, rows * 8,
                      hash, 0);
    bench_ratio("box count", "GEOS STRtree (medians)", own_s,
                bench_percentile(&samples, 0.5));
    printf("  %llu of %d counts differ from GEOS\n", (unsigned long long)wrong,
           QUESTIONS);
    bench_free(&samples);
    if (wrong) exit(1);
}

/* Distance on the plane of the grid: what an STR tree can search by. */
static int plane(const void *a, const void *b, double *distance, void *ctx)
{
    (void)ctx;
    const struct om_pos *one = a, *two = b;
    *distance =
        hypot((double)one->x - (double)two->x, (double)one->y - (double)two->y);
    return 1;
}

static bool keep_first(void *ctx, const struct om_hit *hit)
{
    *(double *)ctx = hit->distance_m;
    return false;
}

/* The plane is not the ground: where the peer's point is farther on the ground
 * than ours it is counted, nearer would be a mistake of ours. */
static void peer_nearest(const struct city *c, struct peer *peer,
                         const struct om_place *question)
{
    struct bench_samples own = {0}, theirs = {0};
    uint64_t hash = 0, farther = 0, nearer = 0;
    for (size_t i = 0; i < QUESTIONS; i++) {
        struct om_query q = {.layer = &c->layer, .place = question[i]};
        q.place.nearest = 1;
        double own_m = 0;
        double start = bench_now();
        if (om_query_each(&q, keep_first, &own_m)) stop("nearest", NULL);
        bench_add(&own, bench_now() - start);
        struct om_pos at = question[i].pos;
        start = bench_now();
        GEOSGeometry *place = GEOSGeom_createPointFromXY(at.x, at.y);
        const struct om_pos *found =
            GEOSSTRtree_nearest_generic(peer->tree, &at, place, plane, NULL);
        GEOSGeom_destroy(place);
        bench_add(&theirs, bench_now() - start);
        const double their_m = om_ground_m(at, *found);
        farther += their_m > own_m + 1e-6;
        nearer += their_m < own_m - 1e-6;
        hash = om_hash64(&own_m, sizeof own_m, hash);
    }
    bench_row_samples("nearest one", &own, QUESTIONS, QUESTIONS * 8, hash, 0);
    bench_row_samples("GEOS STRtree, nearest one on the plane", &theirs,
                      QUESTIONS, QUESTIONS * 8, 0, 0);
    bench_ratio("nearest one", "GEOS STRtree (medians)",
                bench_percentile(&own, 0.5), bench_percentile(&theirs, 0.5));
    printf(
        "  of %d answers GEOS's is farther on the ground in %llu (its plane "
        "is not the ground), nearer in %llu\n",
        QUESTIONS, (unsigned long long)farther, (unsigned long long)nearer);
    bench_free(&own);
    bench_free(&theirs);
    if (nearer) exit(1);
}

/* --- files for the peer that is not in C --- */

static FILE *dump_file(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file) stop(path, NULL);
    return file;
}

static bool write_distance(void *ctx, const struct om_hit *hit)
{
    return fwrite(&hit->distance_m, sizeof hit->distance_m, 1, ctx) == 1;
}

static void dump(const char *folder, const struct city *c,
                 const struct om_place *question, double own_s)
{
    const uint64_t *key;
    if (om_segment_keys(c->segment, 0, c->rows, &key)) stop("keys", NULL);
    FILE *points = dump_file(folder, "query-keys.u64");
    if (fwrite(key, sizeof *key, c->rows, points) != c->rows)
        stop("dump", NULL);
    fclose(points);
    FILE *places = dump_file(folder, "query-places.u32");
    FILE *answers = dump_file(folder, "query-nearest8.f64");
    for (size_t i = 0; i < QUESTIONS; i++) {
        const struct om_query q = {.layer = &c->layer, .place = question[i]};
        fwrite(&question[i].pos, sizeof question[i].pos, 1, places);
        if (om_query_each(&q, write_distance, answers)) stop("dump", NULL);
    }
    fclose(places);
    fclose(answers);
    FILE *times = dump_file(folder, "query-seconds.txt");
    fprintf(times, "%.9f\n", own_s);
    fclose(times);
}

static void group(const char *name, const struct city *c, size_t by, size_t sum,
                  const struct om_filter *filter, struct om_selections *cache)
{
    struct bench_samples samples = {0};
    uint64_t hash = 0;
    for (int round = 0; round < 21; round++) {
        const struct om_query q = {
            .layer = &c->layer, .filter = filter, .cache = cache};
        struct om_groups groups;
        const double start = bench_now();
        if (om_query_group(&q, by, OM_STEP_NONE, 0, sum, &groups))
            stop(name, NULL);
        if (round) bench_add(&samples, bench_now() - start);
        hash = 0;
        for (size_t i = 0; i < groups.count; i++)
            hash = om_hash64(&(uint64_t[]){groups.group[i].count,
                                           (uint64_t)groups.group[i].sum},
                             16, hash);
        om_groups_deinit(&groups);
    }
    bench_row_samples(name, &samples, c->rows, c->rows * 4, hash, 0);
    bench_free(&samples);
}

int main(int argc, char **argv)
{
    const size_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 12000000;
    static struct city city;
    static struct om_place question[QUESTIONS], box[QUESTIONS];
    static uint64_t count[QUESTIONS];
    const char *folder = getenv("BENCH_DUMP");
    bench_head("queries over clustered points");
    build(&city, rows);
    uint64_t state = 1;
    for (size_t i = 0; i < QUESTIONS; i++)
        box[i] = (struct om_place){.kind = OM_PLACE_BOX,
                                   .box = box_of_1000(&city, &state)};
    const double box_s =
        ask("box count, about 1,000 rows", &city, box, count, 5e-6);
    for (size_t i = 0; i < QUESTIONS; i++)
        question[i] = (struct om_place){.kind = OM_PLACE_RADIUS,
                                        .pos = place(&city, &state),
                                        .radius_m = 500};
    ask("count within 500 m", &city, question, NULL, 0);
    for (size_t i = 0; i < QUESTIONS; i++)
        question[i] = (struct om_place){.kind = OM_PLACE_NEAREST,
                                        .pos = place(&city, &state),
                                        .nearest = 8};
    const double nearest_s = ask("8 nearest", &city, question, NULL, 10e-6);
    if (folder) dump(folder, &city, question, nearest_s);
    struct peer peer;
    peer_new(&city, &peer);
    peer_boxes(&peer, box, count, box_s);
    peer_nearest(&city, &peer, question);
    peer_free(&peer);

    struct om_filter *filter;
    struct om_selections *cache;
    struct om_err err = {0};
    static const char TEXT[] = "kind IN ('kind1','kind7') AND residents > 2";
    if (om_selections_new((size_t)64 << 20, &cache) ||
        om_filter_parse(TEXT, strlen(TEXT), &city.layer, 0, &filter, &err))
        stop("filter", &err);
    group("group by grid", &city, 3, OM_NO_FIELD, NULL, NULL);
    group("group by grid, filter kept", &city, 3, OM_NO_FIELD, filter, cache);
    group("group by category", &city, 1, OM_NO_FIELD, NULL, NULL);
    group("group by grid with a sum", &city, 3, 2, NULL, NULL);
    om_filter_free(filter);
    om_selections_free(cache);
    om_segment_unref(city.segment);
    return 0;
}
