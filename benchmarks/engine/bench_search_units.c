/* bench_search_units.c - is the unit itself the first answer to its path?
 *
 * All towns, villages and centres of the full city (BENCH_CITY) and as many
 * grids are asked for by the names of the units above and their own
 * (东莞市虎门镇上角社区第7网格), each way of typing in turn: those of
 * tests/engine/perturb.h that concern names, and the path behind its province,
 * without the city, and without what names end in. An answer is right if it is
 * the row itself, or one whose path is the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benchmarks/live_rows.h"
#include "engine/search/search.h"
#include "tests/engine/perturb.h"

#define TEXT (PERTURB_MOST * 8)
#define ROWS_MOST 600
#define P99_S 20e-3
#define RECALL_EACH 0.85
#define RECALL_ALL 0.95

/* How a path is typed: what stands before it, and what is done to it. */
static const struct way {
    const char *name, *before;
    enum perturbation kind;
} WAY[] = {
    {"behind the city", "东莞市", EXACT},
    {"without the city", "", EXACT},
    {"behind province and city", "广东省东莞市", EXACT},
    {"suffixes dropped", "东莞市", SUFFIXES_DROPPED},
    {"suffixes dropped, without the city", "", SUFFIXES_DROPPED},
    {"full width", "东莞市", FULL_WIDTH},
    {"Han numerals", "东莞市", HAN_NUMERALS},
    {"punctuated", "东莞市", PUNCTUATED},
    {"pinyin", "东莞市", PINYIN},
    {"pinyin, without the city", "", PINYIN},
    {"homophone", "东莞市", HOMOPHONE},
    {"substituted", "东莞市", SUBSTITUTED},
    {"omitted", "东莞市", OMITTED},
    {"swapped", "东莞市", SWAPPED},
};
#define WAYS (sizeof WAY / sizeof *WAY)

static const char *const LAYER[] = {"town", "village", "grid",
                                    "service_centre"};
#define LAYERS (sizeof LAYER / sizeof *LAYER)

struct tally {
    struct bench_samples busy;  // of the processor
    size_t asked, right;
};

struct asking {
    struct om_search *search;
    const struct om_snapshot *snapshot;
    const struct om_fold *fold;
    uint64_t random;
    struct om_arena arena;
    struct tally by_way[WAYS], by_layer[LAYERS];
    struct bench_samples all;
};

static double processor_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Names of the units above, the largest first, that `name` does not begin
 * with, and then `name`. */
static void path_of(const struct om_snapshot *snapshot,
                    const struct om_search_unit *unit, const char *name,
                    char out[TEXT])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t l = snapshot->manifest->levels; l-- > 1;)
        if (unit[l].name && unit[l].name[0] &&
            strncmp(name, unit[l].name, strlen(unit[l].name)) != 0)
            len += (size_t)snprintf(out + len, TEXT - len, "%s", unit[l].name);
    snprintf(out + len, TEXT - len, "%s", name);
}

static void ask(struct asking *a, size_t w, size_t l, const char *typed,
                const char *path, const char *id)
{
    struct om_search_answer answer;
    struct om_err err;
    char found[TEXT] = "";
    const struct om_search_ask what = {
        .text = typed, .len = strlen(typed), .limit = 10};
    const double start = processor_s();
    if (om_search_run(a->search, a->snapshot, &what, &a->arena, &answer, &err))
        stop("search", &err);
    const double seconds = processor_s() - start;
    const struct om_search_hit *hit = answer.count ? &answer.hit[0] : NULL;
    const bool same = hit && !strcmp(hit->layer->name, LAYER[l]);
    if (same) path_of(a->snapshot, hit->unit, hit->text, found);
    const bool right = same && (!strcmp(hit->id, id) || !strcmp(found, path));
    if (!right && getenv("BENCH_SEARCH_MISSES"))
        printf("miss\t%s\t%s\t%s\t%s\t%s\t%.3f\n", LAYER[l], WAY[w].name, typed,
               path, hit ? hit->text : "-", hit ? hit->score : 0);
    struct tally *const tally[] = {&a->by_way[w], &a->by_layer[l]};
    for (size_t i = 0; i < 2; i++) {
        bench_add(&tally[i]->busy, seconds);
        tally[i]->asked++;
        tally[i]->right += right;
    }
    bench_add(&a->all, seconds);
}

static void ask_row(struct asking *a, const struct om_layer *layer, size_t l,
                    size_t row, struct om_text_reader *reader)
{
    const struct om_segment *segment = layer->part[0].segment;
    const size_t column = om_schema_find(&layer->schema, "name");
    const char *text;
    size_t len;
    char name[TEXT], id[64], path[TEXT], whole[TEXT + 64], typed[TEXT];
    struct om_search_unit *unit =
        calloc(a->snapshot->manifest->levels + 1, sizeof *unit);
    if (!unit || om_segment_text(segment, column, row, reader, &text, &len))
        stop("text", NULL);
    snprintf(name, sizeof name, "%.*s", (int)len, text);
    if (om_segment_text(segment, layer->schema.id_field, row, reader, &text,
                        &len))
        stop("id", NULL);
    snprintf(id, sizeof id, "%.*s", (int)len, text);
    for (size_t w = 0; w < WAYS; w++) {
        if (om_search_units(a->search, a->snapshot, layer, 0, row, &a->arena,
                            unit))
            stop("units", NULL);
        path_of(a->snapshot, unit, name, path);
        snprintf(whole, sizeof whole, "%s%s", WAY[w].before, path);
        const struct perturbed p = {.fold = a->fold,
                                    .text = whole,
                                    .village = unit[1].name ? unit[1].name : "",
                                    .town = unit[2].name ? unit[2].name : "",
                                    .random = &a->random};
        perturb(&p, WAY[w].kind, typed);
        ask(a, w, l, typed, path, id);
        om_arena_reset(&a->arena);
    }
    free(unit);
}

static void ask_layer(struct asking *a, size_t l)
{
    const struct om_layer *layer = om_snapshot_layer(a->snapshot, LAYER[l]);
    if (!layer || !layer->parts) stop("a layer of units is missing", NULL);
    struct om_text_reader reader = {0};
    const size_t rows = om_segment_rows(layer->part[0].segment);
    const size_t step = (rows + ROWS_MOST - 1) / ROWS_MOST;
    for (size_t row = 0; row < rows; row += step)
        ask_row(a, layer, l, row, &reader);
    om_text_reader_deinit(&reader);
}

static void say(const char *name, struct tally *tally, double least)
{
    const double share = (double)tally->right / (double)tally->asked;
    printf(
        "%-44s %zu of %zu first: %.1f %%  %s (%g %%), processor %.3f ms, "
        "p99 %.3f ms\n",
        name, tally->right, tally->asked, share * 100,
        share >= least ? "met" : "MISSED", least * 100,
        bench_percentile(&tally->busy, 0.5) * 1e3,
        bench_percentile(&tally->busy, 0.99) * 1e3);
}

int main(void)
{
    const char *path = getenv("BENCH_CITY");
    bench_head("search: units behind the names above them");
    if (!path) {
        printf("no full city: nothing is measured (make city)\n");
        return 0;
    }
    static struct asking a = {.random = PERTURB_SEED};
    struct om_city *city;
    struct om_err err;
    size_t made;
    if (om_city_open(path, &city, &err)) stop("open", &err);
    struct om_snapshot *snapshot = om_city_snapshot(city);
    a.snapshot = snapshot;
    if (om_fold_get(&a.fold, &err)) stop("fold", &err);
    if (om_search_new(path, true, &a.search)) stop("search", NULL);
    if (om_search_prepare(a.search, snapshot, &made, &err)) stop("index", &err);
    for (size_t l = 0; l < LAYERS; l++) ask_layer(&a, l);
    struct tally all = {.busy = a.all};
    for (size_t w = 0; w < WAYS; w++) {
        say(WAY[w].name, &a.by_way[w], RECALL_EACH);
        all.asked += a.by_way[w].asked;
        all.right += a.by_way[w].right;
    }
    for (size_t l = 0; l < LAYERS; l++)
        say(LAYER[l], &a.by_layer[l], RECALL_EACH);
    say("all ways", &all, RECALL_ALL);
    bench_row_samples("units, the processor's time", &a.all, a.all.count, 0, 0,
                      P99_S);
    om_arena_deinit(&a.arena);
    om_search_free(a.search);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return 0;
}
