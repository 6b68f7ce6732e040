/* What it costs to make a write durable: groups of one report, of what gathers
 * in 5 ms, of a batch; opening, looking up, letting go. Rows are like those of
 * the layer of hazards: a point and 16 columns. ONEMAP_BENCH_FOLDER says where
 * the journal is made (the disk counts); else the folder one stands in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmarks/bench.h"
#include "data/city/journal.h"
#include "data/city/record.h"

#define BATCH 10000
#define BATCHES 100

static const struct om_field FIELD[] = {
    {"id", OM_TYPE_TEXT},         {"department", OM_TYPE_CATEGORY},
    {"item", OM_TYPE_CATEGORY},   {"severity", OM_TYPE_CATEGORY},
    {"status", OM_TYPE_CATEGORY}, {"reported", OM_TYPE_TIME},
    {"accepted", OM_TYPE_TIME},   {"dispatched", OM_TYPE_TIME},
    {"resolved", OM_TYPE_TIME},   {"verified", OM_TYPE_TIME},
    {"due", OM_TYPE_TIME},        {"returned", OM_TYPE_INTEGER},
    {"handler", OM_TYPE_TEXT},    {"target_layer", OM_TYPE_CATEGORY},
    {"target_id", OM_TYPE_TEXT},  {"worker", OM_TYPE_TEXT}};
#define COLUMNS (sizeof FIELD / sizeof *FIELD)

static struct om_schema schema;

static void make_schema(void)
{
    schema.geometry = OM_GEOMETRY_POINT;
    schema.count = COLUMNS;
    memcpy(schema.field, FIELD, sizeof FIELD);
    schema.id_field = 0;
    schema.time_field = 5;
}

/* One batch of reports; ids from `first`. */
static void make_batch(struct om_batch *b, uint64_t first, uint64_t *random)
{
    static struct om_batch_column column[COLUMNS];
    static struct om_pos pos[BATCH];
    static int64_t number[COLUMNS][BATCH];
    static uint32_t offset[COLUMNS][BATCH + 1];
    static char text[COLUMNS][BATCH * 24];
    for (size_t i = 0; i < BATCH; i++) {
        const uint64_t r = bench_random(random);
        pos[i] = (struct om_pos){(uint32_t)(r >> 32), (uint32_t)r};
        for (size_t c = 0; c < COLUMNS; c++) {
            char *at = text[c] + offset[c][i];
            int len = 0;
            number[c][i] = 1687000000 + (int64_t)(r % 1000000);
            if (c == 0)
                len = sprintf(at, "H%09llu", (unsigned long long)(first + i));
            else if (FIELD[c].type == OM_TYPE_CATEGORY)
                len = sprintf(at, "category %u", (unsigned)(r % 19));
            else if (FIELD[c].type == OM_TYPE_TEXT)
                len = sprintf(at, "W%08u", (unsigned)(r % 10374));
            offset[c][i + 1] = offset[c][i] + (uint32_t)len;
        }
    }
    for (size_t c = 0; c < COLUMNS; c++)
        column[c] = (struct om_batch_column){
            .integer = number[c], .offset = offset[c], .bytes = text[c]};
    *b = (struct om_batch){.rows = BATCH, .pos = pos, .column = column};
}

static void must(om_status st, const struct om_err *err)
{
    if (!st) return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

/* Rows [from, from + count) of a batch as one group: records and journal. */
static void group(struct om_journal *j, const struct om_batch *b, size_t from,
                  size_t count, bool update)
{
    static struct om_buf record;
    struct om_err err;
    must(om_journal_begin(j, &err), &err);
    for (size_t i = from; i < from + count; i++) {
        const uint32_t *id = b->column[0].offset;
        om_buf_clear(&record);
        must(om_record_add(&schema, b, i, &record), &err);
        struct om_entry e = {
            .kind = update ? OM_ENTRY_UPDATE : OM_ENTRY_INSERT,
            .layer = "hazard",
            .id = b->column[0].bytes + id[i],
            .id_len = id[i + 1] - id[i],
            .new_row = record.bytes,
            .new_len = record.len,
            .old_row = update ? record.bytes : NULL,
            .old_len = update ? record.len : 0,
            .old_cell = update ? om_morton(b->pos[i]) >> 28 : OM_NO_CELL,
            .new_cell = om_morton(b->pos[i]) >> 28,
            .at_ms = 1700000000000,
            .who = "bench"};
        must(om_journal_add(j, &e, &err), &err);
    }
    must(om_journal_commit(j, &err), &err);
}

static void small_groups(struct om_journal *j, const struct om_batch *b,
                         const char *name, size_t rows, size_t groups,
                         double target_s)
{
    struct bench_samples took = {0};
    struct om_err err;
    for (size_t i = 0; i < groups; i++) {
        const double start = bench_now();
        group(j, b, i * rows % (BATCH - rows), rows, false);
        bench_add(&took, bench_now() - start);
        if (i % 500 == 499) must(om_journal_checkpoint(j, &err), &err);
    }
    bench_row_samples(name, &took, groups * rows, 0, 0, target_s);
    bench_free(&took);
}

static void batches(struct om_journal *j, const char *name, bool update,
                    uint64_t *random, double target_s)
{
    struct om_batch b;
    struct om_err err;
    struct bench_samples checkpoints = {0};
    double seconds = 0;
    for (uint64_t n = 0; n < BATCHES; n++) {
        // Updates hit rows all over the layer, inserts go to its end.
        const uint64_t first =
            update ? bench_random(random) % BATCHES * BATCH : n * BATCH;
        make_batch(&b, first, random);
        double start = bench_now();
        group(j, &b, 0, BATCH, update);
        seconds += bench_now() - start;
        if (n % 10 != 9) continue;
        start = bench_now();
        must(om_journal_checkpoint(j, &err), &err);
        bench_add(&checkpoints, bench_now() - start);
    }
    double all = seconds;
    for (size_t i = 0; i < checkpoints.count; i++)
        all += checkpoints.seconds[i];
    bench_row(name, BATCHES * BATCH, seconds, BATCHES * BATCH,
              om_journal_bytes(j), 0, target_s);
    printf("  checkpoints included: %.0f rows/s\n", BATCHES * BATCH / all);
    bench_row_samples("  checkpoint of 100,000 rows", &checkpoints, 0, 0, 0, 0);
    bench_free(&checkpoints);
}

static bool sum(void *ctx, const struct om_entry *e)
{
    *(uint64_t *)ctx += e->sequence + e->new_len;
    return true;
}

static void reading(const char *folder)
{
    struct om_err err;
    struct om_journal *j = NULL;
    double start = bench_now();
    must(om_journal_open(folder, OM_JOURNAL_WRITE, 1, &j, &err), &err);
    const uint64_t n = om_journal_last(j) - om_journal_floor(j);
    bench_row("open for writing", 1, bench_now() - start, n, 0, 0, 0);
    for (int rows = 0; rows < 2; rows++) {
        uint64_t hash = 0;
        start = bench_now();
        must(om_journal_each(j, 0, 0, rows, sum, &hash, &err), &err);
        bench_row(rows ? "go through all with rows" : "go through all", n,
                  bench_now() - start, n, om_journal_bytes(j), hash, 0);
    }
    struct bench_samples took = {0};
    bool more = true;
    start = bench_now();
    for (int i = 0; more && i < 200; i++) {
        const double from = bench_now();
        must(om_journal_trim(j, om_journal_last(j), 0, &more, &err), &err);
        bench_add(&took, bench_now() - from);
        if (i % 20 == 19) must(om_journal_checkpoint(j, &err), &err);
    }
    bench_row_samples("let 2,000 entries go", &took, took.count * 2000, 0, 0,
                      0);
    bench_free(&took);
    om_journal_close(j);
}

int main(void)
{
    char folder[512];
    const char *base = getenv("ONEMAP_BENCH_FOLDER");
    struct om_journal *j = NULL;
    struct om_batch b;
    struct om_err err;
    uint64_t random = 1;
    snprintf(folder, sizeof folder, "%s/bench-journal-XXXXXX",
             base ? base : ".");
    if (!mkdtemp(folder)) return 1;
    bench_head("the journal: hazards, 16 columns");
    make_schema();
    must(om_journal_open(folder, OM_JOURNAL_WRITE, 1, &j, &err), &err);
    make_batch(&b, 5000000, &random);
    small_groups(j, &b, "groups of 1 row", 1, 2000, 0.020);
    small_groups(j, &b, "groups of 20 rows", 20, 1000, 0.020);
    batches(j, "batches of 10,000 new rows", false, &random, 1 / 150e3);
    batches(j, "batches of 10,000 changed rows", true, &random, 0);
    om_journal_close(j);
    reading(folder);
    printf("memory %.0f MB\n", (double)bench_peak_bytes() / 1e6);
    for (const char *const *name =
             (const char *const[]){"journal.db", "journal.db-wal",
                                   "journal.db-shm", "journal.mark", NULL};
         *name; name++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        unlink(path);
    }
    return rmdir(folder);
}
