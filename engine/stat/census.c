/* census.c - one pass over the rows of each part.
 *
 * Each thread counts into a table of its own; tables are added up at the end.
 * Whole numbers up to 2^53 are exact in double, whatever the order. Where
 * tables would be large, or the weights are reals, there is one thread and one
 * table.
 */
#include "engine/stat/census.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"

#define GRAIN ((size_t)1 << 16)
/* Numbers in the tables of all threads together. */
#define TABLES_MOST ((size_t)1 << 23)
#define NO_KIND UINT32_MAX

struct table {
    double *count, *sum;  // sum NULL: no weights
    uint64_t rows, outside;
};

struct job {
    const struct om_census_ask *ask;
    size_t part, numbers;
    size_t kinds, slices, areas;
    struct om_zone_rows area;
    const struct om_column *time, *weight, *kind;
    const uint32_t *kind_of;  // [kind->words]
    struct table table[OM_LIMIT_THREADS];
};

void om_census_deinit(struct om_census *tally)
{
    om_free(tally->count);
    if (tally->sum != tally->count) om_free(tally->sum);
    om_arena_deinit(&tally->arena);
    *tally = (struct om_census){0};
}

/* The slice that a time lies in, `slices` if in none. */
static size_t slice_of(const struct om_census_ask *ask, int64_t time)
{
    const int64_t *bound = ask->bound;
    size_t low = 0, high = ask->slices;
    if (time < bound[0] || time >= bound[high]) return high;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (time < bound[middle])
            high = middle;
        else
            low = middle;
    }
    return low;
}

static double weight_of(const struct om_column *c, size_t row)
{
    if (!om_column_valid(c, row)) return 0;
    return c->coding == OM_CODING_REAL ? ((const double *)c->data)[row]
                                       : (double)om_column_integer(c, row);
}

/* One row. Kept whole: it runs for every row of a city. */
static inline void count_row(const struct job *job, struct table *table,
                             size_t row)
{
    size_t slice = 0, kind = 0;
    if (job->time) {
        if (!om_column_valid(job->time, row)) return;
        slice = slice_of(job->ask, om_column_integer(job->time, row));
        if (slice == job->slices) return;
    }
    if (job->kind) {
        if (!om_column_valid(job->kind, row)) return;
        kind = job->kind_of[om_column_stored(job->kind, row)];
    }
    table->rows++;
    const uint32_t area = om_zone_of_row(&job->area, row);
    if (area == OM_NO_UNIT) {
        table->outside++;
        return;
    }
    const size_t at = (kind * job->slices + slice) * job->areas + area;
    table->count[at] += 1;
    if (table->sum) table->sum[at] += weight_of(job->weight, row);
}

static om_status count_stretch(void *ctx, size_t first, size_t end, size_t lane)
{
    struct job *job = ctx;
    struct table *table = &job->table[lane];
    const struct om_selection *s = job->ask->selection;
    if (s->all) {
        for (size_t row = first; row < end; row++) count_row(job, table, row);
        return OM_OK;
    }
    const uint64_t *word = s->part[job->part].word;
    for (size_t w = first / 64; w * 64 < end; w++)
        for (uint64_t bits = word[w]; bits; bits &= bits - 1)
            count_row(job, table, w * 64 + (size_t)__builtin_ctzll(bits));
    return OM_OK;
}

/* ---- kinds ---- */

struct word {
    const char *text;
    size_t len;
};

static int by_text(const void *a, const void *b)
{
    const struct word *p = a, *q = b;
    const int order =
        memcmp(p->text, q->text, p->len < q->len ? p->len : q->len);
    return order ? order : (p->len > q->len) - (p->len < q->len);
}

static om_status kind_columns(const struct om_census_ask *ask, size_t part,
                              const struct om_column **out)
{
    const struct om_segment *segment = ask->layer->part[part].segment;
    OM_TRY(om_segment_column(segment, ask->kind_column, 0,
                             om_segment_rows(segment), out));
    return (*out)->coding == OM_CODING_DICTIONARY ? OM_OK : OM_E_TYPE;
}

/* The words of all parts, each once, sorted. */
static om_status find_kinds(const struct om_census_ask *ask,
                            struct om_census *tally)
{
    struct word all[OM_CENSUS_KINDS_MOST * 2];
    size_t n = 0;
    for (size_t p = 0; p < ask->layer->parts; p++) {
        const struct om_column *c;
        OM_TRY(kind_columns(ask, p, &c));
        if (c->words > OM_CENSUS_KINDS_MOST) return OM_E_COST;
        for (size_t w = 0; w < c->words; w++)
            all[n++] = (struct word){c->word_bytes + c->word_offset[w],
                                     c->word_offset[w + 1] - c->word_offset[w]};
        qsort(all, n, sizeof *all, by_text);
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
            if (!i || by_text(&all[i], &all[kept - 1])) all[kept++] = all[i];
        n = kept;
        if (n > OM_CENSUS_KINDS_MOST) return OM_E_COST;
    }
    tally->kinds = n;
    tally->kind = om_arena_calloc(&tally->arena, n + 1, sizeof *tally->kind);
    if (!tally->kind) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        tally->kind[i] = om_arena_text(&tally->arena, all[i].text, all[i].len);
        if (!tally->kind[i]) return OM_E_MEMORY;
    }
    return OM_OK;
}

static om_status map_kinds(struct job *job, const struct om_census *tally,
                           struct om_arena *arena)
{
    OM_TRY(kind_columns(job->ask, job->part, &job->kind));
    uint32_t *kind_of =
        om_arena_calloc(arena, job->kind->words + 1, sizeof *kind_of);
    if (!kind_of) return OM_E_MEMORY;
    for (size_t w = 0; w < job->kind->words; w++) {
        const uint32_t at = job->kind->word_offset[w];
        const size_t len = job->kind->word_offset[w + 1] - at;
        while (kind_of[w] < tally->kinds &&
               (strlen(tally->kind[kind_of[w]]) != len ||
                memcmp(tally->kind[kind_of[w]], job->kind->word_bytes + at,
                       len) != 0))
            kind_of[w]++;
        if (kind_of[w] == tally->kinds) return OM_E_DAMAGED;
    }
    job->kind_of = kind_of;
    return OM_OK;
}

/* ---- the whole ---- */

static om_status open_columns(struct job *job, const struct om_census *tally,
                              struct om_arena *arena)
{
    const struct om_census_ask *ask = job->ask;
    const struct om_segment *segment = ask->layer->part[job->part].segment;
    const size_t rows = om_segment_rows(segment);
    OM_TRY(om_zones_rows(ask->areas, ask->layer, job->part, arena, &job->area));
    if (ask->slices) {
        const size_t time = ask->layer->schema.time_field;
        if (time == OM_NO_FIELD) return OM_E_NOTFOUND;
        OM_TRY(om_segment_column(segment, time, 0, rows, &job->time));
    }
    if (ask->weight_column != OM_NO_FIELD) {
        OM_TRY(om_segment_column(segment, ask->weight_column, 0, rows,
                                 &job->weight));
        if (job->weight->coding != OM_CODING_REAL &&
            job->weight->coding != OM_CODING_INTEGER)
            return OM_E_TYPE;
    }
    return ask->kind_column == OM_NO_FIELD ? OM_OK
                                           : map_kinds(job, tally, arena);
}

static bool is_serial(const struct om_census_ask *ask, size_t numbers)
{
    if (ask->weight_column != OM_NO_FIELD &&
        ask->layer->schema.field[ask->weight_column].type == OM_TYPE_REAL)
        return true;
    return numbers * om_threads() > TABLES_MOST;
}

static om_status make_table(struct job *job, size_t lane)
{
    struct table *t = &job->table[lane];
    t->count = om_calloc(job->numbers + 1, sizeof *t->count);
    if (!t->count) return OM_E_MEMORY;
    if (job->ask->weight_column == OM_NO_FIELD) return OM_OK;
    t->sum = om_calloc(job->numbers + 1, sizeof *t->sum);
    return t->sum ? OM_OK : OM_E_MEMORY;
}

static om_status count_parts(struct job *job, const struct om_census *tally,
                             bool serial)
{
    struct om_arena arena = {0};
    om_status st = OM_OK;
    for (size_t p = 0; p < job->ask->layer->parts && !st; p++) {
        const size_t rows = om_segment_rows(job->ask->layer->part[p].segment);
        job->part = p;
        st = open_columns(job, tally, &arena);
        if (!st)
            st = serial ? count_stretch(job, 0, rows, 0)
                        : om_parallel(rows, GRAIN, count_stretch, job);
        om_arena_reset(&arena);
    }
    om_arena_deinit(&arena);
    return st;
}

static void add_up(struct job *job, size_t lanes, struct om_census *out)
{
    struct table *to = &job->table[0];
    for (size_t lane = 1; lane < lanes; lane++) {
        const struct table *from = &job->table[lane];
        to->rows += from->rows;
        to->outside += from->outside;
        for (size_t i = 0; i < job->numbers; i++)
            to->count[i] += from->count[i];
        for (size_t i = 0; i < job->numbers && to->sum; i++)
            to->sum[i] += from->sum[i];
    }
    out->rows = to->rows;
    out->outside = to->outside;
    out->count = to->count;
    out->sum = to->sum ? to->sum : to->count;
    to->count = to->sum = NULL;
}

om_status om_census_make(const struct om_census_ask *ask, struct om_census *out)
{
    struct job job = {.ask = ask, .areas = ask->areas->count};
    job.slices = ask->slices ? ask->slices : 1;
    *out = (struct om_census){
        .kinds = 1, .slices = job.slices, .areas = job.areas};
    om_status st = OM_OK;
    size_t lanes = 1;
    if (ask->kind_column != OM_NO_FIELD) st = find_kinds(ask, out);
    job.kinds = out->kinds;
    if (!st && (!om_mul_size(job.kinds * job.slices, job.areas, &job.numbers) ||
                job.numbers > OM_CENSUS_MOST))
        st = OM_E_COST;
    if (!st) {
        const bool serial = is_serial(ask, job.numbers);
        lanes = serial ? 1 : om_threads();
        for (size_t l = 0; l < lanes && !st; l++) st = make_table(&job, l);
        if (!st) st = count_parts(&job, out, serial);
    }
    if (!st) add_up(&job, lanes, out);
    for (size_t l = 0; l < OM_LIMIT_THREADS; l++) {
        om_free(job.table[l].count);
        om_free(job.table[l].sum);
    }
    if (st) om_census_deinit(out);
    return st;
}

om_status om_census_times(const struct om_layer *layer,
                          const struct om_selection *selection, int64_t *least,
                          int64_t *most, bool *any)
{
    *any = false;
    *least = INT64_MAX;
    *most = INT64_MIN;
    if (layer->schema.time_field == OM_NO_FIELD) return OM_E_NOTFOUND;
    for (size_t p = 0; p < layer->parts; p++) {
        const size_t rows = om_segment_rows(layer->part[p].segment);
        const struct om_column *c;
        OM_TRY(om_segment_column(layer->part[p].segment,
                                 layer->schema.time_field, 0, rows, &c));
        for (size_t row = 0; row < rows; row++) {
            if (!om_selection_has(selection, p, row) ||
                !om_column_valid(c, row))
                continue;
            const int64_t at = om_column_integer(c, row);
            *least = at < *least ? at : *least;
            *most = at > *most ? at : *most;
            *any = true;
        }
    }
    return OM_OK;
}
