/* bench_search.c - is the right building the first answer, and how soon?
 *
 * Addresses of the full city (BENCH_CITY), drawn at random, are typed in
 * sixteen ways (tests/engine/perturb.h has the classes and the seed), and each
 * is asked for as /search does. An answer is right if it is the building of the
 * address or an address in it. Where what was typed names several buildings as
 * well (initials do, now and then), whichever comes first, the others are
 * counted as misses.
 *
 * So are texts that mean nothing here (tests/engine/nonsense.h): what counts is
 * that they are answered with nothing, or unsurely.
 *
 * Beside it SQLite's FTS5 with its trigram tokenizer over a hundredth of the
 * texts (PEER_SHARE): over a tenth a question takes it many seconds. Both are
 * asked for the same. For PostgreSQL's pg_trgm (search.sh) a tenth of the texts
 * (DUMP_SHARE) and questions about them are left in the folder BENCH_DUMP, with
 * how long they took here among all texts.
 *
 * The processor's time is told too: what a question costs where it is alone.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "benchmarks/live_rows.h"
#include "engine/search/search.h"
#include "tests/engine/nonsense.h"

#define EACH 400
#define TEXT (PERTURB_MOST * 8)
#define PEER_SHARE 100
#define PEER_EACH 3
#define DUMP_SHARE 10
#define DUMP_EACH 5
#define P99_S 20e-3
#define RECALL_EACH 0.85
#define RECALL_ALL 0.95
/* Texts that mean nothing here, of each kind, and the share of them that are
 * answered so: with nothing, or unsurely. */
#define NONSENSE_EACH 1000
#define HONEST 0.98

struct question {
    enum perturbation kind;
    char building[64], text[TEXT];
};

struct tally {
    struct bench_samples samples, busy;  // on the clock; of the processor
    size_t asked, right, sure, sure_right;
};

struct questions {
    struct question *question;
    size_t count;
};

static void copy_text(const struct om_segment *segment, size_t column,
                      size_t row, struct om_text_reader *reader, char *out,
                      size_t room)
{
    const char *text;
    size_t len;
    if (om_segment_text(segment, column, row, reader, &text, &len) || !text)
        stop("text", NULL);
    snprintf(out, room, "%.*s", (int)len, text);
}

/* `each` of every class, of the first rows. */
static struct questions draw(struct om_search *search,
                             const struct om_snapshot *snapshot,
                             const struct om_fold *fold, size_t each,
                             size_t rows)
{
    struct questions out = {0};
    const struct om_layer *layer = om_snapshot_layer(snapshot, "address");
    if (!layer) stop("no layer address", NULL);
    const struct om_segment *segment = layer->part[0].segment;
    const size_t text = om_schema_find(&layer->schema, "text");
    const size_t building = om_schema_find(&layer->schema, "building");
    struct om_text_reader reader = {0};
    struct om_arena arena = {0};
    uint64_t random = PERTURB_SEED;
    out.question = calloc(each * PERTURBATIONS, sizeof *out.question);
    if (!out.question) stop("memory", NULL);
    for (size_t i = 0; i < each; i++)
        for (int k = 0; k < PERTURBATIONS; k++) {
            struct question *q = &out.question[out.count++];
            char address[TEXT];
            const size_t row = perturb_random(&random, rows);
            struct om_search_unit *unit = om_arena_calloc(
                &arena, snapshot->manifest->levels + 1, sizeof *unit);
            if (!unit ||
                om_search_units(search, snapshot, layer, 0, row, &arena, unit))
                stop("units", NULL);
            copy_text(segment, text, row, &reader, address, sizeof address);
            copy_text(segment, building, row, &reader, q->building,
                      sizeof q->building);
            const struct perturbed p = {.fold = fold,
                                        .text = address,
                                        .village = unit[1].name,
                                        .town = unit[2].name,
                                        .random = &random};
            q->kind = (enum perturbation)k;
            perturb(&p, q->kind, q->text);
            om_arena_reset(&arena);
        }
    om_text_reader_deinit(&reader);
    om_arena_deinit(&arena);
    return out;
}

static double processor_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool ask(struct om_search *search, const struct om_snapshot *snapshot,
                const struct question *q, struct om_arena *arena,
                double *seconds, double *processor, bool *sure)
{
    struct om_search_answer answer;
    struct om_err err;
    const struct om_search_ask what = {
        .text = q->text, .len = strlen(q->text), .limit = 10};
    const double start = bench_now(), own = processor_s();
    if (om_search_run(search, snapshot, &what, arena, &answer, &err))
        stop("search", &err);
    *seconds = bench_now() - start;
    *processor = processor_s() - own;
    *sure = answer.sure;
    const struct om_search_hit *hit = answer.count ? &answer.hit[0] : NULL;
    const bool right =
        hit && hit->group_id && !strcmp(hit->group_id, q->building);
    if (!right && getenv("BENCH_SEARCH_MISSES"))
        printf("miss\t%s\t%s\t%s\t%s\t%.3f\n", PERTURBATION[q->kind], q->text,
               q->building, hit ? hit->text : "-", hit ? hit->score : 0);
    om_arena_reset(arena);
    return right;
}

/* How many were right, and where it is known, what the processor took. */
static void say(struct tally *tally, size_t kinds)
{
    size_t asked = 0, right = 0;
    for (size_t k = 0; k < kinds; k++) {
        const double share = (double)tally[k].right / (double)tally[k].asked;
        printf("%-44s %zu of %zu first: %.1f %%  %s (%g %%)", PERTURBATION[k],
               tally[k].right, tally[k].asked, share * 100,
               share >= RECALL_EACH ? "met" : "MISSED", RECALL_EACH * 100);
        if (tally[k].sure)
            printf(", sure of %.1f %%, of these right %.1f %%",
                   100.0 * (double)tally[k].sure / (double)tally[k].asked,
                   100.0 * (double)tally[k].sure_right / (double)tally[k].sure);
        if (tally[k].busy.count)
            printf(", processor %.3f ms, p99 %.3f ms",
                   bench_percentile(&tally[k].busy, 0.5) * 1e3,
                   bench_percentile(&tally[k].busy, 0.99) * 1e3);
        printf("\n");
        asked += tally[k].asked;
        right += tally[k].right;
    }
    const double all = (double)right / (double)asked;
    printf("%-44s %zu of %zu first: %.1f %%  %s (%g %%)\n", "all classes",
           right, asked, all * 100, all >= RECALL_ALL ? "met" : "MISSED",
           RECALL_ALL * 100);
}

/* Mean of the seconds of a question. */
static double run_own(struct om_search *search,
                      const struct om_snapshot *snapshot,
                      const struct questions *list, const char *name)
{
    struct tally tally[PERTURBATIONS] = {0};
    struct bench_samples all = {0}, busy = {0};
    struct om_arena arena = {0};
    double seconds, processor, sum = 0;
    bool sure;
    for (int warm = 1; warm >= 0; warm--)
        for (size_t i = 0; i < list->count; i++) {
            const struct question *q = &list->question[i];
            if (warm && i >= PERTURBATIONS * 20) break;
            const bool right =
                ask(search, snapshot, q, &arena, &seconds, &processor, &sure);
            if (warm) continue;
            bench_add(&busy, processor);
            bench_add(&tally[q->kind].busy, processor);
            bench_add(&tally[q->kind].samples, seconds);
            bench_add(&all, seconds);
            tally[q->kind].asked++;
            tally[q->kind].right += right;
            tally[q->kind].sure += sure;
            tally[q->kind].sure_right += sure && right;
            sum += seconds;
        }
    for (int k = 0; k < PERTURBATIONS; k++)
        bench_row_samples(PERTURBATION[k], &tally[k].samples, tally[k].asked, 0,
                          0, P99_S);
    bench_row_samples(name, &all, list->count, 0, 0, P99_S);
    bench_row_samples("of that, the processor's time", &busy, list->count, 0, 0,
                      P99_S);
    say(tally, PERTURBATIONS);
    om_arena_deinit(&arena);
    return sum / (double)list->count;
}

/* ---- what means nothing here ---- */

static void run_nonsense(struct om_search *search,
                         const struct om_snapshot *snapshot)
{
    struct om_arena arena = {0};
    uint64_t random = PERTURB_SEED;
    for (int k = 0; k < NONSENSES; k++) {
        const size_t n = k == ELSEWHERE ? OTHER_PLACES : NONSENSE_EACH;
        size_t nothing = 0, unsure = 0;
        for (size_t i = 0; i < n; i++) {
            char text[64];
            struct om_search_answer answer;
            struct om_err err;
            nonsense((enum nonsense)k, i, &random, text);
            const struct om_search_ask what = {
                .text = text, .len = strlen(text), .limit = 10};
            if (om_search_run(search, snapshot, &what, &arena, &answer, &err))
                stop("search", &err);
            nothing += !answer.count;
            unsure += answer.count && !answer.sure;
            if (answer.sure && getenv("BENCH_SEARCH_MISSES"))
                printf("sure\t%s\t%s\t%s\t%.3f\n", NONSENSE[k], text,
                       answer.hit[0].text, answer.hit[0].score);
            om_arena_reset(&arena);
        }
        const double honest = (double)(nothing + unsure) / (double)n;
        printf(
            "%-44s %zu asked: nothing %.1f %%, unsure %.1f %%, sure %.1f %%"
            "  %s (%g %% not sure)\n",
            NONSENSE[k], n, 100.0 * (double)nothing / (double)n,
            100.0 * (double)unsure / (double)n, 100 * (1 - honest),
            honest >= HONEST ? "met" : "MISSED", HONEST * 100);
    }
    om_arena_deinit(&arena);
}

/* ---- SQLite's FTS5 ---- */

static void must(sqlite3 *db, int code, const char *what)
{
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static void fill_peer(sqlite3 *db, const struct om_snapshot *snapshot,
                      size_t rows)
{
    const struct om_layer *layer = om_snapshot_layer(snapshot, "address");
    const struct om_segment *segment = layer->part[0].segment;
    const size_t text = om_schema_find(&layer->schema, "text");
    const size_t building = om_schema_find(&layer->schema, "building");
    struct om_text_reader reader = {0}, other = {0};
    sqlite3_stmt *insert;
    must(db,
         sqlite3_exec(db,
                      "PRAGMA journal_mode=off; PRAGMA synchronous=off;"
                      "CREATE VIRTUAL TABLE a USING fts5(text, building "
                      "UNINDEXED, tokenize='trigram');BEGIN",
                      NULL, NULL, NULL),
         "create");
    must(db,
         sqlite3_prepare_v2(db, "INSERT INTO a VALUES(?,?)", -1, &insert, NULL),
         "insert");
    for (size_t row = 0; row < rows; row++) {
        const char *t, *b;
        size_t tn, bn;
        if (om_segment_text(segment, text, row, &reader, &t, &tn) ||
            om_segment_text(segment, building, row, &other, &b, &bn))
            stop("text", NULL);
        sqlite3_bind_text(insert, 1, t, (int)tn, SQLITE_TRANSIENT);
        sqlite3_bind_text(insert, 2, b, (int)bn, SQLITE_TRANSIENT);
        must(db, sqlite3_step(insert), "insert");
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), "commit");
    om_text_reader_deinit(&reader);
    om_text_reader_deinit(&other);
}

/* What is typed as its trigrams, any of which may be missing: the only way in
 * which FTS5 finds a text with a wrong character. */
static void trigrams(const char *text, char *out, size_t room)
{
    uint32_t c[PERTURB_MOST];
    const size_t n = perturb_decode(text, c);
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i + 3 <= n && len + 32 < room; i++) {
        char gram[16], *at = gram;
        for (size_t k = 0; k < 3; k++)
            at = perturb_put(at, c[i + k] == '"' ? ' ' : c[i + k]);
        len += (size_t)snprintf(out + len, room - len, "%s\"%s\"",
                                len ? " OR " : "", gram);
    }
}

static double run_peer(const struct om_snapshot *snapshot, const char *path,
                       const struct questions *list, size_t rows)
{
    struct tally tally[PERTURBATIONS] = {0};
    struct bench_samples all = {0};
    sqlite3 *db;
    sqlite3_stmt *select;
    double sum = 0;
    must(NULL, sqlite3_open(path, &db), "open");
    const double start = bench_now();
    fill_peer(db, snapshot, rows);
    struct stat info = {0};
    stat(path, &info);
    bench_row("SQLite FTS5 trigram: index of a hundredth", 1,
              bench_now() - start, rows, (uint64_t)info.st_size, 0, 0);
    must(db,
         sqlite3_prepare_v2(db,
                            "SELECT building FROM a WHERE a MATCH ? "
                            "ORDER BY rank LIMIT 10",
                            -1, &select, NULL),
         "select");
    for (size_t i = 0; i < list->count; i++) {
        const struct question *q = &list->question[i];
        char match[TEXT * 2];
        trigrams(q->text, match, sizeof match);
        sqlite3_bind_text(select, 1, match, -1, SQLITE_TRANSIENT);
        const double begun = bench_now();
        const bool found = sqlite3_step(select) == SQLITE_ROW;
        const bool right =
            found &&
            !strcmp((const char *)sqlite3_column_text(select, 0), q->building);
        const double seconds = bench_now() - begun;
        sqlite3_reset(select);
        bench_add(&all, seconds);
        tally[q->kind].asked++;
        tally[q->kind].right += right;
        sum += seconds;
    }
    bench_row_samples("SQLite FTS5 trigram, a hundredth", &all, all.count, 0,
                      (uint64_t)info.st_size, 0);
    say(tally, PERTURBATIONS);
    sqlite3_finalize(select);
    sqlite3_close(db);
    return sum / (double)all.count;
}

/* ---- for PostgreSQL ---- */

static FILE *dump_open(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file) stop(path, NULL);
    return file;
}

static void dump_rows(const struct om_snapshot *snapshot, size_t rows,
                      FILE *file)
{
    const struct om_layer *layer = om_snapshot_layer(snapshot, "address");
    const struct om_segment *segment = layer->part[0].segment;
    const size_t text = om_schema_find(&layer->schema, "text");
    const size_t building = om_schema_find(&layer->schema, "building");
    struct om_text_reader reader = {0}, other = {0};
    for (size_t row = 0; row < rows; row++) {
        const char *t, *b;
        size_t tn, bn;
        if (om_segment_text(segment, text, row, &reader, &t, &tn) ||
            om_segment_text(segment, building, row, &other, &b, &bn))
            stop("text", NULL);
        fprintf(file, "%.*s\t%.*s\n", (int)tn, t, (int)bn, b);
    }
    om_text_reader_deinit(&reader);
    om_text_reader_deinit(&other);
}

/* Rows, questions, and the mean of what a question took. No text of an address
 * has tabs or backslashes. */
static void dump(struct om_search *search, const struct om_snapshot *snapshot,
                 const struct om_fold *fold, const char *folder, size_t rows)
{
    struct questions list = draw(search, snapshot, fold, DUMP_EACH, rows);
    const double own =
        run_own(search, snapshot, &list, "search, what pg_trgm is asked");
    FILE *file = dump_open(folder, "search_rows.tsv");
    dump_rows(snapshot, rows, file);
    if (fclose(file)) stop("dump", NULL);
    file = dump_open(folder, "search_questions.tsv");
    for (size_t i = 0; i < list.count; i++)
        fprintf(file, "%zu\t%s\t%s\t%s\n", i,
                PERTURBATION[list.question[i].kind], list.question[i].building,
                list.question[i].text);
    if (fclose(file)) stop("dump", NULL);
    file = dump_open(folder, "search_own.txt");
    fprintf(file, "%.9f\n", own);
    if (fclose(file)) stop("dump", NULL);
    free(list.question);
}

int main(void)
{
    const char *path = getenv("BENCH_CITY");
    bench_head("search: addresses as people type them");
    if (!path) {
        printf("no full city: nothing is measured (make city)\n");
        return 0;
    }
    struct om_city *city;
    struct om_search *search;
    struct om_err err;
    const struct om_fold *fold;
    size_t made = 0;
    if (om_city_open(path, &city, &err)) stop("open", &err);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    if (om_fold_get(&fold, &err)) stop("fold", &err);
    if (om_search_new(path, true, &search)) stop("search", NULL);
    const double start = bench_now();
    if (om_search_prepare(search, snapshot, &made, &err)) stop("index", &err);
    bench_row(made ? "make the indexes" : "open the indexes", 1,
              bench_now() - start, 0, om_search_bytes(search), 0, 0);
    const size_t rows = om_segment_rows(
        om_snapshot_layer(snapshot, "address")->part[0].segment);
    struct questions all = draw(search, snapshot, fold, EACH, rows);
    run_own(search, snapshot, &all, "search, all classes");
    run_nonsense(search, snapshot);
    struct questions some =
        draw(search, snapshot, fold, PEER_EACH, rows / PEER_SHARE);
    const double own =
        run_own(search, snapshot, &some, "search, what the peer is asked");
    char file[] = "/tmp/om-bench-search-XXXXXX";
    const int fd = mkstemp(file);
    if (fd < 0) stop("file", NULL);
    close(fd);
    const double peer = run_peer(snapshot, file, &some, rows / PEER_SHARE);
    bench_ratio("search of all rows", "FTS5 of a hundredth", own, peer);
    unlink(file);
    const char *folder = getenv("BENCH_DUMP");
    if (folder) dump(search, snapshot, fold, folder, rows / DUMP_SHARE);
    free(all.question);
    free(some.question);
    om_search_free(search);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return 0;
}
