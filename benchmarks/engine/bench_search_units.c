/* bench_search_units.c - is what has a name the first answer to it?
 *
 * Towns, villages, grids, centres and roads of the full city (BENCH_CITY) are
 * asked for by the names of the units above and their own
 * (东莞市虎门镇上角社区第7网格), each way of typing in turn: those of
 * tests/engine/perturb.h that concern names, and the path behind its province,
 * without the city, and without what names end in; then by their own names
 * alone. An answer is right if it is the row itself, or one whose path is the
 * same; of a name alone, one of the same layer that is called so.
 *
 * What is typed wrong may be nearer to another name (石镇 is 石碣镇, 石龙镇 and
 * 石排镇). So beside each way of being wrong stands the ceiling: how many an
 * answer by edit distance (characters put in, left out, changed, and swapped
 * with the next) among all paths or names of these layers but roads would get
 * right, where of several that are equally near one is drawn; of initials, one
 * of all whose letters are the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benchmarks/live_rows.h"
#include "engine/search/roman.h"
#include "engine/search/search.h"
#include "tests/engine/perturb.h"

#define TEXT (PERTURB_MOST * 8)
#define ROWS_MOST 300
#define UNITS_MOST 8192
#define LABEL_BYTES 256
#define P99_S 20e-3
#define RECALL_EACH 0.85
#define RECALL_ALL 0.95

/* How a path is typed: what stands before it, and what is done to it. */
static const struct way {
    const char *name, *before;
    enum perturbation kind;
    bool alone;  // the name only
    // In English, the name before those of village and town (roman.h); not to
    // its end.
    enum { TYPED_SO, ENGLISH, CUT } then;
} WAY[] = {
    {"behind the city", "东莞市", EXACT, false, TYPED_SO},
    {"without the city", "", EXACT, false, TYPED_SO},
    {"behind province and city", "广东省东莞市", EXACT, false, TYPED_SO},
    {"suffixes dropped", "东莞市", SUFFIXES_DROPPED, false, TYPED_SO},
    {"suffixes dropped, without the city", "", SUFFIXES_DROPPED, false,
     TYPED_SO},
    {"full width", "东莞市", FULL_WIDTH, false, TYPED_SO},
    {"Han numerals", "东莞市", HAN_NUMERALS, false, TYPED_SO},
    {"punctuated", "东莞市", PUNCTUATED, false, TYPED_SO},
    {"traditional", "东莞市", TRADITIONAL, false, TYPED_SO},
    {"mixed with pinyin", "东莞市", MIXED, false, TYPED_SO},
    {"pinyin", "东莞市", PINYIN, false, TYPED_SO},
    {"pinyin, without the city", "", PINYIN, false, TYPED_SO},
    {"pinyin, not to its end", "", PINYIN, false, CUT},
    {"English", "", EXACT, false, ENGLISH},
    {"initials", "东莞市", INITIALS, false, TYPED_SO},
    {"initials, without the city", "", INITIALS, false, TYPED_SO},
    {"homophone", "东莞市", HOMOPHONE, false, TYPED_SO},
    {"substituted", "东莞市", SUBSTITUTED, false, TYPED_SO},
    {"omitted", "东莞市", OMITTED, false, TYPED_SO},
    {"swapped", "东莞市", SWAPPED, false, TYPED_SO},
    {"name alone", "", EXACT, true, TYPED_SO},
    {"name alone, pinyin", "", PINYIN, true, TYPED_SO},
    {"name alone, initials", "", INITIALS, true, TYPED_SO},
    {"name alone, homophone", "", HOMOPHONE, true, TYPED_SO},
    {"name alone, substituted", "", SUBSTITUTED, true, TYPED_SO},
    {"name alone, omitted", "", OMITTED, true, TYPED_SO},
    {"name alone, swapped", "", SWAPPED, true, TYPED_SO},
};
#define WAYS (sizeof WAY / sizeof *WAY)

static const char *const LAYER[] = {"town", "village", "grid", "service_centre",
                                    "road"};
#define LAYERS (sizeof LAYER / sizeof *LAYER)
/* What is not among them has no ceiling. */
#define CEILING_LAYERS (LAYERS - 1)

struct tally {
    struct bench_samples busy;  // of the processor
    size_t asked, right;
    size_t judged, judged_right;  // of which there is a ceiling
    double ceiling;               // of them, right by edit distance
};

/* A path or a name, each once. */
struct label {
    char text[LABEL_BYTES], initials[LABEL_BYTES];
    uint32_t c[LABEL_BYTES];
    size_t len;
};

struct asking {
    struct om_search *search;
    const struct om_snapshot *snapshot;
    const struct om_fold *fold;
    uint64_t random;
    struct om_arena arena;
    struct tally by_way[WAYS], by_layer[LAYERS];
    struct label *label[2];  // paths behind the city; names
    size_t labels[2];
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

/* ---- the ceiling ---- */

#define FAR 3

/* Optimal string alignment distance, FAR where it is that or more. */
static unsigned distance(const uint32_t *a, size_t m, const uint32_t *b,
                         size_t n)
{
    static unsigned row[3][PERTURB_MOST + 1];
    unsigned *two = row[0], *one = row[1], *now = row[2];
    if (m > n + FAR - 1 || n > m + FAR - 1) return FAR;
    for (size_t j = 0; j <= n; j++) one[j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        unsigned least = now[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned best = one[j - 1] + (a[i - 1] != b[j - 1]);
            if (one[j] + 1 < best) best = one[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && two[j - 2] + 1 < best)
                best = two[j - 2] + 1;
            now[j] = best;
            if (best < least) least = best;
        }
        if (least >= FAR) return FAR;
        unsigned *last = two;
        two = one;
        one = now;
        now = last;
    }
    return one[n] < FAR ? one[n] : FAR;
}

/* The share of draws among the nearest labels that is the right one. */
static double ceiling_of(const struct asking *a, const struct way *way,
                         const char *typed, const char *right)
{
    uint32_t c[PERTURB_MOST];
    const struct label *label = a->label[way->alone];
    const size_t n = perturb_decode(typed, c);
    const bool initials = way->kind == INITIALS;
    unsigned best = FAR;
    size_t ties = 0;
    bool hit = false;
    for (size_t i = 0; i < a->labels[way->alone]; i++) {
        const unsigned d = initials
                               ? (strcmp(label[i].initials, typed) ? FAR : 0)
                               : distance(c, n, label[i].c, label[i].len);
        if (d > best || d == FAR) continue;
        if (d < best) ties = 0, hit = false;
        best = d;
        ties++;
        hit = hit || !strcmp(label[i].text, right);
    }
    return hit ? 1.0 / (double)ties : 0;
}

static bool has_ceiling(const struct way *way, size_t l)
{
    const enum perturbation k = way->kind;
    return l < CEILING_LAYERS && (way->alone || way->before[0]) &&
           (k == HOMOPHONE || k == SUBSTITUTED || k == OMITTED ||
            k == SWAPPED || k == INITIALS);
}

static void ask(struct asking *a, size_t w, size_t l, const char *typed,
                const char *path, const char *name, const char *id)
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
    const bool same =
        hit && hit->id && !strcmp(hit->layer->name, LAYER[l]);
    if (same) path_of(a->snapshot, hit->unit, hit->text, found);
    const bool right =
        same &&
        (!strcmp(hit->id, id) ||
         (WAY[w].alone ? !strcmp(hit->text, name) : !strcmp(found, path)));
    if (!right && getenv("BENCH_SEARCH_MISSES"))
        printf("miss\t%s\t%s\t%s\t%s\t%s\t%.3f\n", LAYER[l], WAY[w].name, typed,
               path, hit ? hit->text : "-", hit ? hit->score : 0);
    char whole[TEXT * 2];
    snprintf(whole, sizeof whole, "%s%s", WAY[w].before, path);
    struct tally *const tally[] = {&a->by_way[w], &a->by_layer[l]};
    for (size_t i = 0; i < (WAY[w].alone ? 1 : 2); i++) {
        bench_add(&tally[i]->busy, seconds);
        tally[i]->asked++;
        tally[i]->right += right;
    }
    if (has_ceiling(&WAY[w], l)) {
        a->by_way[w].judged++;
        a->by_way[w].judged_right += right;
        a->by_way[w].ceiling +=
            ceiling_of(a, &WAY[w], typed, WAY[w].alone ? name : whole);
    }
    bench_add(&a->all, seconds);
}

/* Texts of a row: its name, its id, its path. */
struct row {
    char name[TEXT], id[64], path[TEXT];
    struct om_search_unit *unit;
};

static void read_row(struct asking *a, const struct om_layer *layer, size_t row,
                     struct om_text_reader *reader, struct row *out)
{
    const struct om_segment *segment = layer->part[0].segment;
    const size_t column = om_schema_find(&layer->schema, "name");
    const char *text;
    size_t len;
    out->unit = om_arena_calloc(&a->arena, a->snapshot->manifest->levels + 1,
                                sizeof *out->unit);
    if (!out->unit ||
        om_segment_text(segment, column, row, reader, &text, &len))
        stop("text", NULL);
    snprintf(out->name, sizeof out->name, "%.*s", (int)len, text);
    if (om_segment_text(segment, layer->schema.id_field, row, reader, &text,
                        &len))
        stop("id", NULL);
    snprintf(out->id, sizeof out->id, "%.*s", (int)len, text);
    if (om_search_units(a->search, a->snapshot, layer, 0, row, &a->arena,
                        out->unit))
        stop("units", NULL);
    path_of(a->snapshot, out->unit, out->name, out->path);
}

/* "Songwu Community Service Centre, Songwu Community, Humen Town" */
static void write_english(const struct row *row, char out[TEXT])
{
    static const struct om_term term[] = {
        {"镇", "Town"},        {"街道", "Subdistrict"},
        {"社区", "Community"}, {"村", "Village"},
        {"网格", "Grid"},      {"党群服务中心", "Service Centre"},
        {"路", "Road"},        {"街", "Street"},
        {"巷", "Lane"},        {"大道", "Avenue"}};
    const char *const name[] = {row->name, row->unit[1].name,
                                row->unit[2].name};
    struct om_buf english = {0};
    for (size_t i = 0; i < 3; i++) {
        if (!name[i] || !name[i][0] || (i && !strcmp(name[i], row->name)))
            continue;
        if (english.len) om_buf_add_text(&english, ", ");
        if (om_romanise(name[i], strlen(name[i]), term,
                        sizeof term / sizeof *term, &english, NULL))
            stop("English", NULL);
    }
    snprintf(out, TEXT, "%.*s", (int)english.len, (const char *)english.bytes);
    om_buf_deinit(&english);
}

static void ask_row(struct asking *a, const struct om_layer *layer, size_t l,
                    size_t at, struct om_text_reader *reader)
{
    char whole[TEXT + 64], typed[TEXT];
    struct row row;
    for (size_t w = 0; w < WAYS; w++) {
        read_row(a, layer, at, reader, &row);
        snprintf(whole, sizeof whole, "%s%s", WAY[w].before,
                 WAY[w].alone ? row.name : row.path);
        const struct perturbed p = {
            .fold = a->fold,
            .text = whole,
            .village = row.unit[1].name ? row.unit[1].name : "",
            .town = row.unit[2].name ? row.unit[2].name : "",
            .random = &a->random};
        perturb(&p, WAY[w].kind, typed);
        if (WAY[w].then == ENGLISH) write_english(&row, typed);
        if (WAY[w].then == CUT) typed[strlen(typed) - 1] = '\0';
        ask(a, w, l, typed, row.path, row.name, row.id);
        om_arena_reset(&a->arena);
    }
}

/* Labels of a layer's rows: paths behind the city, and names. */
static void add_labels(struct asking *a, const struct om_layer *layer)
{
    struct om_text_reader reader = {0};
    const size_t rows = om_segment_rows(layer->part[0].segment);
    for (size_t i = 0; i < rows; i++) {
        struct row row;
        read_row(a, layer, i, &reader, &row);
        for (int alone = 0; alone < 2; alone++) {
            if (a->labels[alone] == UNITS_MOST) stop("too many units", NULL);
            struct label *label = &a->label[alone][a->labels[alone]++];
            const int n =
                snprintf(label->text, LABEL_BYTES, "%s%.200s",
                         alone ? "" : "东莞市", alone ? row.name : row.path);
            if (n >= LABEL_BYTES) stop("a name is too long", NULL);
            label->len = perturb_decode(label->text, label->c);
            const struct perturbed p = {
                .fold = a->fold, .text = label->text, .random = &a->random};
            perturb_spell(&p, label->c, label->len, true, label->initials);
        }
        om_arena_reset(&a->arena);
    }
    om_text_reader_deinit(&reader);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->text,
                  ((const struct label *)b)->text);
}

static void make_labels(struct asking *a)
{
    for (int alone = 0; alone < 2; alone++) {
        a->label[alone] = calloc(UNITS_MOST, sizeof *a->label[alone]);
        if (!a->label[alone]) stop("memory", NULL);
    }
    for (size_t l = 0; l < CEILING_LAYERS; l++) {
        const struct om_layer *layer = om_snapshot_layer(a->snapshot, LAYER[l]);
        if (!layer || !layer->parts) stop("a layer of units is missing", NULL);
        add_labels(a, layer);
    }
    for (int alone = 0; alone < 2; alone++) {
        struct label *label = a->label[alone];
        size_t kept = 0;
        qsort(label, a->labels[alone], sizeof *label, by_text);
        for (size_t i = 0; i < a->labels[alone]; i++)
            if (!kept || strcmp(label[kept - 1].text, label[i].text) != 0)
                label[kept++] = label[i];
        a->labels[alone] = kept;
    }
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

static void add_tally(struct tally *all, const struct tally *one)
{
    for (size_t i = 0; i < one->busy.count; i++)
        bench_add(&all->busy, one->busy.seconds[i]);
    all->asked += one->asked;
    all->right += one->right;
}

static void say(const char *name, struct tally *tally, double least)
{
    const double share = (double)tally->right / (double)tally->asked;
    printf("%-44s %zu of %zu first: %.1f %%", name, tally->right, tally->asked,
           share * 100);
    if (least > 0)
        printf("  %s (%g %%)", share >= least ? "met" : "MISSED", least * 100);
    printf(", processor %.3f ms, p99 %.3f ms",
           bench_percentile(&tally->busy, 0.5) * 1e3,
           bench_percentile(&tally->busy, 0.99) * 1e3);
    if (tally->judged)
        printf(", without roads %.1f %%, ceiling %.1f %%",
               (double)tally->judged_right / (double)tally->judged * 100,
               tally->ceiling / (double)tally->judged * 100);
    printf("\n");
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
    make_labels(&a);
    for (size_t l = 0; l < LAYERS; l++) ask_layer(&a, l);
    struct tally all = {0};
    for (size_t w = 0; w < WAYS; w++) {
        say(WAY[w].name, &a.by_way[w], WAY[w].alone ? 0 : RECALL_EACH);
        if (!WAY[w].alone) add_tally(&all, &a.by_way[w]);
    }
    for (size_t l = 0; l < LAYERS; l++)
        say(LAYER[l], &a.by_layer[l], RECALL_EACH);
    say("all ways with the units above", &all, RECALL_ALL);
    bench_row_samples("units, the processor's time", &a.all, a.all.count, 0, 0,
                      P99_S);
    for (int alone = 0; alone < 2; alone++) free(a.label[alone]);
    om_arena_deinit(&a.arena);
    om_search_free(a.search);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return 0;
}
