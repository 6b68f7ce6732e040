/* group_number.c - count rows by codes, numbers and steps of time.
 *
 * DESIGN
 * Every value becomes a whole number, its bucket: the code of a word, the
 * number itself, the hour or day of a time (months are put together from days
 * when they are named). Where buckets are dense, a lane counts in an array,
 * otherwise in an open table. Rows in Morton order repeat their units for long
 * stretches, and adding to one counter again and again waits for the store
 * before: four arrays taken in turn hide that.
 *
 * Rows are dealt out by their number among those found, in stretches that do
 * not depend on the threads; counts and integer sums do not depend on order.
 * Sums of reals do, so those are done in one stretch.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "data/model/time.h"
#include "engine/query/group_internal.h"

#define GRAIN_ROWS ((size_t)1 << 17)
/* An array of buckets may be this long, or 16 buckets a row. */
#define DENSE_BUCKETS ((size_t)1 << 16)
#define DENSE_MOST ((size_t)1 << 22)
/* Four counters a bucket while all of them stay in the second-level cache. */
#define FOURFOLD_BUCKETS ((size_t)8192)
/* Times beyond are no times; keeps the arithmetic of steps from wrapping. */
#define TIME_MOST (INT64_C(1) << 55)

/* A bucket whose sum cannot overflow 64 bits. */
struct light {
    uint64_t count;
    int64_t sum;
};

/* What one thread has counted. */
struct lane {
    struct light *light;     // [buckets], dense, sums fit 64 bits; owned
    uint32_t *count;         // [4 or 1][buckets], dense without sum; owned
    struct om__cell *cell;   // [buckets], dense with sum; owned
    struct om__table table;  // otherwise
    struct om__cell null;
};

struct job {
    const struct om__grouping *g;
    const struct om_column *by, *of;  // of NULL: no sum
    struct om__chosen chosen;
    struct om__spans spans;  // owned
    size_t *before;          // [spans + 1] rows before each span; owned
    bool dense, light;
    int64_t low;  // bucket of counter 0
    size_t buckets, fold;
    struct lane lane[OM_LIMIT_THREADS];
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t bucket_of(const struct job *j, int64_t value)
{
    switch (j->g->step) {
        case OM_STEP_HOUR:
            return floor_div(value + j->g->zone_s, 3600);
        case OM_STEP_DAY:
        case OM_STEP_MONTH:
            return floor_div(value + j->g->zone_s, 86400);
        default:
            return value;
    }
}

static int64_t bucket_at(const struct job *j, size_t row)
{
    if (j->by->coding == OM_CODING_DICTIONARY)
        return (int64_t)om_column_stored(j->by, row);
    return bucket_of(j, om_column_integer(j->by, row));
}

/* Which buckets can there be? The minima and maxima of the blocks know. */
static om_status plan_buckets(struct job *j, size_t found)
{
    int64_t low = INT64_MAX, high = INT64_MIN;
    if (j->by->coding == OM_CODING_DICTIONARY) {
        low = 0;
        high = (int64_t)j->by->words - 1;
    } else {
        const size_t blocks =
            (j->chosen.rows + OM_BLOCK_ROWS - 1) / OM_BLOCK_ROWS;
        for (size_t i = 0; i < blocks; i++) {
            if (j->by->block_min[i] > j->by->block_max[i]) continue;
            if (j->by->block_min[i] < low) low = j->by->block_min[i];
            if (j->by->block_max[i] > high) high = j->by->block_max[i];
        }
        if (low <= high && j->g->step != OM_STEP_NONE) {
            if (low < -TIME_MOST || high > TIME_MOST) return OM_E_RANGE;
            low = bucket_of(j, low);
            high = bucket_of(j, high);
        }
    }
    if (low > high) low = high = 0;  // nothing but NULLs
    const uint64_t most = (uint64_t)high - (uint64_t)low;
    j->low = low;
    j->buckets = (size_t)most + 1;
    j->dense = most < DENSE_BUCKETS || (most < DENSE_MOST && most / 16 < found);
    j->fold = j->buckets <= FOURFOLD_BUCKETS && found > j->buckets ? 4 : 1;
    return OM_OK;
}

static om_status lane_ready(const struct job *j, struct lane *lane)
{
    if (!j->dense || lane->count || lane->cell || lane->light) return OM_OK;
    if (j->light) {
        lane->light = om_calloc(j->buckets, sizeof *lane->light);
        return lane->light ? OM_OK : OM_E_MEMORY;
    }
    if (j->of) {
        lane->cell = om_calloc(j->buckets, sizeof *lane->cell);
        return lane->cell ? OM_OK : OM_E_MEMORY;
    }
    lane->count = om_calloc(j->buckets * j->fold, sizeof *lane->count);
    return lane->count ? OM_OK : OM_E_MEMORY;
}

/* 64 rows from `row` on, all of which count: codes straight from memory. */
#define COUNT_64(type)                                      \
    do {                                                    \
        const type *code = (const type *)j->by->data + row; \
        for (size_t i = 0; i < 64; i += 4) {                \
            count[code[i]]++;                               \
            count[fold + code[i + 1]]++;                    \
            count[2 * fold + code[i + 2]]++;                \
            count[3 * fold + code[i + 3]]++;                \
        }                                                   \
    } while (0)

static void count_64(const struct job *j, uint32_t *count, size_t row)
{
    const size_t fold = j->fold == 4 ? j->buckets : 0;
    if (j->by->coding != OM_CODING_DICTIONARY || j->by->width > 4) {
        for (size_t i = 0; i < 64; i++)
            count[(i & 3) * fold + (size_t)(bucket_at(j, row + i) - j->low)]++;
        return;
    }
    if (j->by->width == 1)
        COUNT_64(uint8_t);
    else if (j->by->width == 2)
        COUNT_64(uint16_t);
    else
        COUNT_64(uint32_t);
}

/* 64 numbers or codes from `row` on. */
static void load_64(const struct om_column *c, size_t row, int64_t out[64])
{
    const int64_t base = c->coding == OM_CODING_DICTIONARY ? 0 : c->base;
    const uint8_t *at = (const uint8_t *)c->data + row * c->width;
    switch (c->width) {
        case 1:
            for (size_t i = 0; i < 64; i++) out[i] = base + at[i];
            break;
        case 2:
            for (size_t i = 0; i < 64; i++)
                out[i] = base + ((const uint16_t *)(const void *)at)[i];
            break;
        default:
            for (size_t i = 0; i < 64; i++)
                out[i] = om_column_integer(c, row + i);
    }
}

/* The same with sums: 64 rows that count and have values. */
static void sum_64(const struct job *j, struct light *light, size_t row)
{
    int64_t bucket[64], value[64];
    load_64(j->by, row, bucket);
    load_64(j->of, row, value);
    if (j->by->coding != OM_CODING_DICTIONARY)
        for (size_t i = 0; i < 64; i++) bucket[i] = bucket_of(j, bucket[i]);
    for (size_t i = 0; i < 64; i++) {
        struct light *to = &light[bucket[i] - j->low];
        to->count++;
        to->sum += value[i];
    }
}

static void sum_row(const struct job *j, struct light *light, size_t row)
{
    struct light *to = &light[bucket_at(j, row) - j->low];
    to->count++;
    if (om_column_valid(j->of, row)) to->sum += om_column_integer(j->of, row);
}

static om_status count_word(const struct job *j, struct lane *lane, size_t w,
                            uint64_t bits)
{
    if (j->by->valid) {
        uint64_t nulls = bits & ~j->by->valid[w];
        bits &= j->by->valid[w];
        for (; nulls; nulls &= nulls - 1)
            om__cell_add(&lane->null, j->of,
                         w * 64 + (size_t)__builtin_ctzll(nulls));
    }
    if (lane->count && bits == ~UINT64_C(0)) {
        count_64(j, lane->count, w * 64);
        return OM_OK;
    }
    if (lane->light && bits == ~UINT64_C(0) &&
        (!j->of->valid || j->of->valid[w] == ~UINT64_C(0))) {
        sum_64(j, lane->light, w * 64);
        return OM_OK;
    }
    for (; bits; bits &= bits - 1) {
        const size_t row = w * 64 + (size_t)__builtin_ctzll(bits);
        if (lane->light) {
            sum_row(j, lane->light, row);
            continue;
        }
        const int64_t bucket = bucket_at(j, row);
        if (lane->count) {
            lane->count[bucket - j->low]++;
            continue;
        }
        struct om__cell *cell;
        if (j->dense)
            cell = &lane->cell[bucket - j->low];
        else
            OM_TRY(om__table_get(&lane->table, bucket, &cell));
        om__cell_add(cell, j->of, row);
    }
    return OM_OK;
}

/* The span that holds found row number `at`. */
static size_t span_with(const struct job *j, size_t at)
{
    size_t low = 0, high = j->spans.count;
    while (high - low > 1) {
        const size_t mid = low + (high - low) / 2;
        if (j->before[mid] <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static om_status count_stretch(void *ctx, size_t first, size_t end, size_t n)
{
    struct job *j = ctx;
    struct lane *lane = &j->lane[n];
    OM_TRY(lane_ready(j, lane));
    const struct om_segment *segment =
        j->g->ask->layer->part[j->g->part].segment;
    for (size_t i = span_with(j, first); first < end; i++) {
        const size_t from = j->spans.span[i].from + (first - j->before[i]);
        size_t to = j->spans.span[i].to;
        if (to - from > end - first) to = from + (end - first);
        const struct om_column *c;
        OM_TRY(om_segment_column(segment, j->g->by_column, from, to, &c));
        if (j->of)
            OM_TRY(om_segment_column(segment, j->g->sum_column, from, to, &c));
        for (size_t w = from / 64; w <= (to - 1) / 64; w++)
            OM_TRY(count_word(j, lane, w,
                              om__chosen_bits(&j->chosen, w, from, to)));
        first += to - from;
    }
    return OM_OK;
}

/* The text of a bucket, into `text`; months share the text of all their days.
 */
static size_t bucket_text(const struct job *j, int64_t bucket, char *text,
                          size_t room)
{
    const int32_t zone_s = j->g->zone_s;
    int64_t year;
    unsigned month, day;
    int len;
    switch (j->g->step) {
        case OM_STEP_HOUR:
            return om_time_format(bucket * 3600 - zone_s, zone_s, text);
        case OM_STEP_MONTH:
            om_time_date(bucket, &year, &month, &day);
            bucket = om_time_days(year, month, 1);
            return om_time_format(bucket * 86400 - zone_s, zone_s, text);
        case OM_STEP_DAY:
            return om_time_format(bucket * 86400 - zone_s, zone_s, text);
        default:
            break;
    }
    if (j->by->coding == OM_CODING_NUMBERED)
        len = snprintf(text, room, "%s%0*" PRId64, j->by->prefix,
                       (int)j->by->digits, bucket);
    else if (j->by->field.type == OM_TYPE_TIME)
        return om_time_format(bucket, zone_s, text);
    else if (j->by->field.type == OM_TYPE_BOOLEAN)
        len = snprintf(text, room, bucket ? "true" : "false");
    else
        len = snprintf(text, room, "%" PRId64, bucket);
    return len < 0 ? 0 : (size_t)len;
}

static om_status name_bucket(const struct job *j, int64_t bucket,
                             const struct om__cell *cell,
                             struct om__named_list *out)
{
    if (!cell->count && !j->g->every) return OM_OK;
    if (out->count > 2 * (size_t)OM_LIMIT_GROUPS) return OM_E_COST;
    if (j->by->coding == OM_CODING_DICTIONARY) {
        const uint32_t *offset = j->by->word_offset + bucket;
        return om__named_add(out, j->by->word_bytes + offset[0],
                             offset[1] - offset[0], false, cell);
    }
    char text[OM_LIMIT_NAME_BYTES + OM_TIME_TEXT_BYTES];
    const size_t len = bucket_text(j, bucket, text, sizeof text);
    return om__named_add(out, text, len, false, cell);
}

static struct om__cell dense_cell(const struct job *j, size_t bucket)
{
    struct om__cell all = {0};
    for (size_t n = 0; n < OM_LIMIT_THREADS; n++) {
        const struct lane *lane = &j->lane[n];
        if (lane->cell) om__cell_merge(&all, &lane->cell[bucket]);
        if (lane->light) {
            all.count += lane->light[bucket].count;
            all.sum += lane->light[bucket].sum;
        }
        for (size_t f = 0; lane->count && f < j->fold; f++)
            all.count += lane->count[f * j->buckets + bucket];
    }
    return all;
}

static om_status name_table(struct job *j, struct om__named_list *out)
{
    struct om__table *all = &j->lane[0].table;
    for (size_t n = 1; n < OM_LIMIT_THREADS; n++) {
        const struct om__table *t = &j->lane[n].table;
        for (size_t i = 0; i < t->room; i++) {
            struct om__cell *cell;
            if (!t->cell[i].count) continue;
            OM_TRY(om__table_get(all, t->key[i], &cell));
            om__cell_merge(cell, &t->cell[i]);
        }
    }
    for (size_t i = 0; i < all->room; i++)
        if (all->cell[i].count)
            OM_TRY(name_bucket(j, all->key[i], &all->cell[i], out));
    return OM_OK;
}

static om_status name_all(struct job *j, struct om__named_list *out)
{
    struct om__cell null = {0};
    for (size_t n = 0; n < OM_LIMIT_THREADS; n++)
        om__cell_merge(&null, &j->lane[n].null);
    if (null.count) OM_TRY(om__named_add(out, "", 0, true, &null));
    if (!j->dense) return name_table(j, out);
    for (size_t i = 0; i < j->buckets; i++) {
        const struct om__cell cell = dense_cell(j, i);
        // A column of nothing but NULLs has no words, yet one bucket.
        if (j->by->coding == OM_CODING_DICTIONARY && i >= j->by->words) break;
        OM_TRY(name_bucket(j, j->low + (int64_t)i, &cell, out));
    }
    return OM_OK;
}

static om_status count_all(struct job *j, size_t found)
{
    j->before = om_alloc_array(j->spans.count + 1, sizeof *j->before);
    if (!j->before) return OM_E_MEMORY;
    size_t before = 0;
    for (size_t i = 0; i < j->spans.count; i++) {
        j->before[i] = before;
        before += j->spans.span[i].to - j->spans.span[i].from;
    }
    j->before[j->spans.count] = before;
    if (!found) return OM_OK;
    const bool real = j->of && j->of->coding == OM_CODING_REAL;
    return om_parallel(found, real ? found : GRAIN_ROWS, count_stretch, j);
}

static om_status run(struct job *j, struct om__named_list *out)
{
    const struct om_segment *segment =
        j->g->ask->layer->part[j->g->part].segment;
    OM_TRY(om__ask_spans(j->g->ask, j->g->part, &j->spans));
    const size_t found = om__spans_rows(&j->spans);
    // Rows are checked stretch by stretch; here only the headers are needed.
    OM_TRY(om_segment_column(segment, j->g->by_column, 0, 0, &j->by));
    if (j->g->sum_column != OM_NO_FIELD)
        OM_TRY(om_segment_column(segment, j->g->sum_column, 0, 0, &j->of));
    if (j->by->coding == OM_CODING_BLOCKS)
        return om__group_texts(j->g, &j->chosen, &j->spans, out);
    OM_TRY(plan_buckets(j, found));
    j->light = j->of && om_sums_fit(j->of, j->chosen.rows);
    // Units without rows are listed from the dictionary, so keep it dense.
    if (j->g->every && j->by->coding == OM_CODING_DICTIONARY) j->dense = true;
    OM_TRY(count_all(j, found));
    return name_all(j, out);
}

om_status om__group_part(const struct om__grouping *g,
                         struct om__named_list *out)
{
    struct job *j = om_calloc(1, sizeof *j);
    if (!j) return OM_E_MEMORY;
    j->g = g;
    om__chosen_init(&j->chosen, g->ask->selection, g->ask->layer, g->part);
    const om_status st = run(j, out);
    om__spans_deinit(&j->spans);
    om_free(j->before);
    for (size_t n = 0; n < OM_LIMIT_THREADS; n++) {
        om_free(j->lane[n].count);
        om_free(j->lane[n].cell);
        om_free(j->lane[n].light);
        om__table_deinit(&j->lane[n].table);
    }
    om_free(j);
    return st;
}
