/* bench_live_write.c - what a city takes while it is written to: single
 * reports from 64 writers, batches, with and without compaction, and what
 * readers notice of it.
 *
 *   bench_live_write [SECONDS]   of each part; default 5
 *
 * The city (BENCH_CITY) is copied first, beside itself: nothing is written into
 * the one that is given. Rows are hazards of the city under new ids.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmarks/bench.h"
#include "engine/live/live.h"
#include "engine/live/run.h"

#define WRITERS 64
#define RATE 1000.0
#define LAYER "hazard"
#define TEMPLATE_ROWS 10000

static struct om_city *city;
static struct om_live *live;
static struct om_batch pattern;  // rows whose ids are replaced
static size_t id_field, columns;
static atomic_bool over;
static atomic_uint_fast64_t next_id;

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "bench_live_write: %s: %s\n", what, why);
    exit(1);
}

/* Rows [from, from + rows) of the pattern under ids that nobody has. */
struct rows {
    struct om_batch batch;
    struct om_batch_column *column;
    uint32_t *offset;
    char *bytes;
};

static void rows_make(struct rows *r, size_t from, size_t rows)
{
    r->column = calloc(columns, sizeof *r->column);
    r->offset = calloc(rows + 1, sizeof *r->offset);
    r->bytes = malloc(rows * 24);
    // Columns without NULLs move with a pointer; others begin at row 0.
    for (size_t c = 0; c < columns; c++) {
        struct om_batch_column *to = &r->column[c];
        *to = pattern.column[c];
        const size_t skip = to->valid ? 0 : from;
        if (to->integer) to->integer += skip;
        if (to->real) to->real += skip;
        if (to->offset) to->offset += skip;
    }
    for (size_t i = 0; i < rows; i++)
        r->offset[i + 1] =
            r->offset[i] +
            (uint32_t)sprintf(
                r->bytes + r->offset[i], "n%llu",
                (unsigned long long)atomic_fetch_add(&next_id, 1));
    r->column[id_field] =
        (struct om_batch_column){.offset = r->offset, .bytes = r->bytes};
    r->batch = (struct om_batch){.rows = rows,
                                 .source_row = pattern.source_row,
                                 .pos = pattern.pos + from,
                                 .column = r->column};
}

static void rows_free(struct rows *r)
{
    free(r->column);
    free(r->offset);
    free(r->bytes);
}

/* New rows for old ones, from all over the layer: what compaction lives on. */
#define UPDATE_ROWS 2000
static atomic_uint_fast64_t updated;

static void *update_on(void *arg)
{
    const double rate = *(const double *)arg;
    struct om_snapshot *s = om_city_snapshot(city);
    const struct om_layer *l = om_snapshot_layer(s, LAYER);
    const struct om_segment *base = l->part[0].segment;
    const size_t all = om_segment_rows(base), step = all / UPDATE_ROWS;
    uint32_t *row = malloc(UPDATE_ROWS * sizeof *row);
    const double start = bench_now();
    for (size_t round = 0; !atomic_load(&over) && round < step; round++) {
        struct om_batch batch;
        for (size_t i = 0; i < UPDATE_ROWS; i++)
            row[i] = (uint32_t)(i * step + round);
        if (om_segment_extract(base, &l->meta->schema, 0, UPDATE_ROWS, row,
                               NULL, 0, &batch))
            stop("extract", LAYER);
        struct om_write write = {
            .layer = LAYER, .kind = OM_WRITE_PUT, .batch = &batch};
        if (om_live_write_wait(live, &write)) stop("update", write.err.text);
        om_arena_deinit(&batch.arena);
        const uint64_t n = atomic_fetch_add(&updated, UPDATE_ROWS);
        while (!atomic_load(&over) && (double)n / rate > bench_now() - start)
            usleep(1000);
    }
    free(row);
    om_snapshot_unref(s);
    return NULL;
}

struct writer {
    pthread_t thread;
    int number;
    size_t rows;      // of a batch
    double period_s;  // between two batches; 0: as fast as it goes
    uint64_t written;
    struct bench_samples samples;
};

static void *write_on(void *arg)
{
    struct writer *w = arg;
    double due = bench_now() + w->period_s * w->number / WRITERS;
    uint64_t seed = (uint64_t)w->number + 1;
    while (!atomic_load(&over)) {
        const double now = bench_now();
        if (w->period_s > 0 && now < due) {
            usleep((useconds_t)((due - now) * 1e6));
            continue;
        }
        struct rows r;
        rows_make(&r, bench_random(&seed) % (pattern.rows - w->rows + 1),
                  w->rows);
        struct om_write write = {
            .layer = LAYER, .kind = OM_WRITE_INSERT, .batch = &r.batch};
        // From when it should have been sent: a queue before us counts too.
        const double start = w->period_s > 0 ? due : now;
        if (om_live_write_wait(live, &write)) stop("write", write.err.text);
        bench_add(&w->samples, bench_now() - start);
        w->written += w->rows;
        due += w->period_s;
        rows_free(&r);
    }
    return NULL;
}

/* Counts a whole layer in the newest snapshot: what a reader pays. */
static void *read_on(void *arg)
{
    struct bench_samples *samples = arg;
    while (!atomic_load(&over)) {
        const double start = bench_now();
        struct om_snapshot *s = om_city_snapshot(city);
        const struct om_layer *l = om_snapshot_layer(s, LAYER);
        uint64_t sum = 0;
        for (size_t p = 0; p < l->parts; p++) {
            size_t from, to;
            if (om_segment_range(l->part[p].segment, l->parts * 12345, 0, &from,
                                 &to))
                stop("range", "");
            sum += to - from + om_part_dead_from(&l->part[p], to);
        }
        const struct om_box world = {0, 0, UINT32_MAX, UINT32_MAX};
        sum += om_city_changed(city, LAYER, world);
        om_snapshot_unref(s);
        if (sum == 0) stop("read", "nothing there");
        bench_add(samples, bench_now() - start);
        usleep(200);
    }
    return NULL;
}

static void run(const char *name, size_t writers, size_t rows, double rate,
                double seconds, double target_s, double target_rate)
{
    static struct writer writer[WRITERS];
    struct bench_samples read = {0}, all = {0};
    pthread_t reader;
    uint64_t written = 0;
    char text[120];
    atomic_store(&over, false);
    const struct om_live_stats before = om_live_stats(live);
    pthread_create(&reader, NULL, read_on, &read);
    const double start = bench_now();
    for (size_t i = 0; i < writers; i++) {
        writer[i] =
            (struct writer){.number = (int)i,
                            .rows = rows,
                            .period_s = rate > 0 ? (double)writers / rate : 0};
        pthread_create(&writer[i].thread, NULL, write_on, &writer[i]);
    }
    while (bench_now() - start < seconds) usleep(10000);
    atomic_store(&over, true);
    for (size_t i = 0; i < writers; i++) {
        pthread_join(writer[i].thread, NULL);
        written += writer[i].written;
        for (size_t k = 0; k < writer[i].samples.count; k++)
            bench_add(&all, writer[i].samples.seconds[k]);
        bench_free(&writer[i].samples);
    }
    const double took = bench_now() - start;
    pthread_join(reader, NULL);
    const struct om_live_stats after = om_live_stats(live);
    snprintf(text, sizeof text, "%s: acknowledged", name);
    bench_row_samples(text, &all, written, 0, 0, target_s);
    snprintf(text, sizeof text, "%s: a reader beside it", name);
    bench_row_samples(text, &read, 0, 0, 0, 0.05);
    printf(
        "    %.0f rows/s (%s), worst %.1f ms, reader's worst %.1f ms, "
        "%llu groups, %llu compactions (%.1f s), %llu rows in memory, "
        "last fsync %.1f ms\n",
        (double)written / took,
        (double)written / took >= target_rate ? "met" : "missed",
        bench_percentile(&all, 1) * 1e3, bench_percentile(&read, 1) * 1e3,
        (unsigned long long)(after.groups - before.groups),
        (unsigned long long)(after.compactions - before.compactions),
        after.compacting_s - before.compacting_s,
        (unsigned long long)after.delta_rows, after.last_fsync_s * 1e3);
    bench_free(&all);
    bench_free(&read);
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? atof(argv[1]) : 5;
    const char *given = getenv("BENCH_CITY");
    char path[4096], command[9000];
    if (!given) given = "city-1";
    bench_head("writes of a city, durable");
    snprintf(path, sizeof path, "%s.bench-write", given);
    snprintf(command, sizeof command,
             "rm -rf '%s' && cp -r --reflink=auto '%s' '%s'", path, given,
             path);
    if (system(command)) stop("copy", path);
    struct om_err err = {0};
    if (om_city_open(path, &city, &err)) stop("open", err.text);
    double start = bench_now();
    if (om_live_open(city, NULL, &live, &err)) stop("live", err.text);
    bench_row("become the writer", 1, bench_now() - start, 0, 0, 0, 0);
    struct om_snapshot *s = om_city_snapshot(city);
    const struct om_layer *l = om_snapshot_layer(s, LAYER);
    if (!l || l->parts == 0) stop("layer", LAYER);
    columns = l->meta->schema.count;
    id_field = l->meta->schema.id_field;
    if (om_segment_extract(l->part[0].segment, &l->meta->schema, 0,
                           TEMPLATE_ROWS, NULL, NULL, 0, &pattern))
        stop("extract", LAYER);
    om_snapshot_unref(s);

    run("a lone writer, one row", 1, 1, 0, seconds, 0.02, 0);
    run("64 writers, 1,000 rows/s", WRITERS, 1, RATE, seconds, 0.1,
        RATE * 0.98);
    run("64 writers, as fast as it goes", WRITERS, 1, 0, seconds, 0.1, RATE);
    run("2 writers, batches of 1,000", 2, 1000, 0, seconds, 0, 50000);
    run("2 writers, batches of 10,000", 2, 10000, 0, seconds, 0, 50000);
    run("64 writers after that", WRITERS, 1, RATE, seconds, 0.1, RATE * 0.98);

    pthread_t updater;
    const double update_rate = 20000;
    atomic_store(&over, false);
    pthread_create(&updater, NULL, update_on, (void *)(uintptr_t)&update_rate);
    run("the same beside 20,000 updates/s", WRITERS, 1, RATE, 4 * seconds, 0.1,
        RATE * 0.98);
    pthread_join(updater, NULL);
    printf("    %llu rows of the base updated\n",
           (unsigned long long)atomic_load(&updated));

    start = bench_now();
    if (om_live_compact(live, &err)) stop("compact", err.text);
    bench_row("write what is in memory to files", 1, bench_now() - start, 0, 0,
              0, 0);
    om_live_close(live);
    om_city_close(city);
    start = bench_now();
    if (om_city_open(path, &city, &err)) stop("open again", err.text);
    bench_row("open again", 1, bench_now() - start, 0, 0, 0, 1);
    start = bench_now();
    if (om_live_open(city, NULL, &live, &err)) stop("live again", err.text);
    bench_row("become the writer again", 1, bench_now() - start,
              om_live_stats(live).written, 0, 0, 0);
    om_live_close(live);
    om_city_close(city);
    om_arena_deinit(&pattern.arena);
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command) != 0;
}
