/* weight.c - what a row weighs: a number, a table's say, and its age.
 *
 * DESIGN
 * A table is bound to each part once: its texts become codes of the part's
 * dictionary, so that a row costs a search among a few integers. Only where a
 * part keeps the column as plain text is the text itself looked up.
 *
 * Decay is a global factor on dated rows: the weights that are prepared are
 * those of a reference moment, and all of them shrink alike from there to at_s,
 * so that time passes without touching a row. References lie on a grid of four
 * half-lives, the last one before the newest row that counts: rows that are
 * written, or die, leave the weights of all others what they are, to the last
 * bit, but for once in so long. Rows later than at_s do not count; only where
 * there are such does a later at_s change what is prepared.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/buf.h"
#include "data/base/hash.h"
#include "engine/field/field_internal.h"

static const char *const NAME[OM_KERNELS] = {
    [OM_KERNEL_QUARTIC] = "quartic",
    [OM_KERNEL_GAUSSIAN] = "gaussian",
    [OM_KERNEL_EPANECHNIKOV] = "epanechnikov",
};

const char *om_kernel_name(enum om_kernel kernel)
{
    return NAME[kernel];
}

bool om_kernel_from_name(const char *name, enum om_kernel *out)
{
    for (int i = 0; i < OM_KERNELS; i++)
        if (!strcmp(name, NAME[i])) {
            *out = (enum om_kernel)i;
            return true;
        }
    return false;
}

static bool is_text(enum om_type type)
{
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

static om_status check_table(const struct om_layer *layer,
                             const struct om_weight_table *table)
{
    if (table->column >= layer->schema.count) return OM_E_NOTFOUND;
    if (table->count > OM_LIMIT_WEIGHT_VALUES) return OM_E_LIMIT;
    const enum om_type type = layer->schema.field[table->column].type;
    if (!is_text(type) && type != OM_TYPE_INTEGER && type != OM_TYPE_BOOLEAN)
        return OM_E_TYPE;
    if (!isfinite(table->otherwise)) return OM_E_RANGE;
    for (size_t i = 0; i < table->count; i++)
        if (!isfinite(table->value[i].weight)) return OM_E_RANGE;
    return OM_OK;
}

om_status om_weighting_check(const struct om_layer *layer,
                             const struct om_weighting *weight)
{
    if (weight->column != OM_NO_FIELD) {
        if (weight->column >= layer->schema.count) return OM_E_NOTFOUND;
        const enum om_type type = layer->schema.field[weight->column].type;
        if (type != OM_TYPE_INTEGER && type != OM_TYPE_REAL &&
            type != OM_TYPE_BOOLEAN)
            return OM_E_TYPE;
    }
    if (weight->table) OM_TRY(check_table(layer, weight->table));
    if (!(weight->half_life_s >= 0.0) || !isfinite(weight->half_life_s))
        return OM_E_RANGE;
    if (weight->half_life_s > 0.0 && weight->at_s == INT64_MAX)
        return OM_E_RANGE;
    if (weight->at_s != INT64_MAX && layer->schema.time_field == OM_NO_FIELD)
        return OM_E_NOTFOUND;
    return OM_OK;
}

bool om__weight_is_one(const struct om_weighting *weight)
{
    return weight->column == OM_NO_FIELD && !weight->table &&
           weight->at_s == INT64_MAX;
}

/* ---- the reference ----------------------------------------------------- */

/* The latest time among rows [from, to) that live; INT64_MIN without any. */
static int64_t newest_among(const struct om_part *part,
                            const struct om_column *time, size_t from,
                            size_t to)
{
    int64_t newest = INT64_MIN;
    size_t d = om_part_dead_from(part, from);
    for (size_t row = from; row < to; row++) {
        if (d < part->dead_count && part->dead[d] == row) {
            d++;
            continue;
        }
        if (!om_column_valid(time, row)) continue;
        const int64_t at = om_column_integer(time, row);
        if (at > newest) newest = at;
    }
    return newest;
}

/* Raise *newest to the latest time of any row of a part that lives: blocks in
 * which nobody died say theirs, the others are looked through if it matters. */
static om_status raise_newest(const struct om_layer *layer, size_t number,
                              int64_t *newest)
{
    const struct om_part *part = &layer->part[number];
    const size_t rows = om_segment_rows(part->segment);
    const struct om_column *time;
    OM_TRY(om_segment_column(part->segment, layer->schema.time_field, 0, rows,
                             &time));
    for (size_t i = 0; i * OM_BLOCK_ROWS < rows; i++) {
        const size_t from = i * OM_BLOCK_ROWS;
        const size_t to =
            rows - from < OM_BLOCK_ROWS ? rows : from + OM_BLOCK_ROWS;
        if (time->block_min[i] > time->block_max[i] ||
            time->block_max[i] <= *newest)
            continue;
        const size_t d = om_part_dead_from(part, from);
        const bool whole = d == part->dead_count || part->dead[d] >= to;
        const int64_t at =
            whole ? time->block_max[i] : newest_among(part, time, from, to);
        if (at > *newest) *newest = at;
    }
    return OM_OK;
}

om_status om__weight_until(const struct om_layer *layer, size_t part,
                           const struct om_weighting *weight, int64_t *out)
{
    int64_t newest = INT64_MIN;
    *out = INT64_MAX;
    if (weight->at_s == INT64_MAX) return OM_OK;
    // Of its base: rows that have died may still be in cells.
    const struct om_part base = {.segment = layer->part[part].segment};
    struct om_layer alone = *layer;
    alone.part = (struct om_part *)(uintptr_t)&base;
    OM_TRY(raise_newest(&alone, 0, &newest));
    *out = newest > weight->at_s ? weight->at_s : INT64_MAX - 1;
    return OM_OK;
}

/* Half-lives from one reference to the next. */
#define SPAN 4.0

om_status om__weight_reference(const struct om_layer *layer,
                               const struct om_weighting *weight,
                               int64_t *reference_s, int64_t *until_s,
                               double *factor)
{
    int64_t newest = INT64_MIN;
    *factor = 1.0;
    *reference_s = 0;
    *until_s = INT64_MAX;
    if (weight->at_s == INT64_MAX) return OM_OK;
    for (size_t p = 0; p < layer->parts; p++)
        OM_TRY(raise_newest(layer, p, &newest));
    *until_s = newest > weight->at_s ? weight->at_s : INT64_MAX - 1;
    if (!(weight->half_life_s > 0.0)) return OM_OK;
    const int64_t from_s =
        newest == INT64_MIN || newest > weight->at_s ? weight->at_s : newest;
    const double span = fmax(SPAN * weight->half_life_s, 1.0);
    const double at = floor((double)from_s / span) * span;
    // Half-lives longer than time itself: all moments are alike.
    *reference_s = fabs(at) < 0x1p62 ? (int64_t)at : 0;
    *factor = exp2(-((double)weight->at_s - (double)*reference_s) /
                   weight->half_life_s);
    return OM_OK;
}

om_status om__weight_hash(const struct om_layer *layer,
                          const struct om_weight_table *table, uint64_t out[2])
{
    out[0] = out[1] = 0;
    if (!table) return OM_OK;
    struct om_buf text = {0};
    const bool texts = is_text(layer->schema.field[table->column].type);
    om_buf_add(&text, &table->column, sizeof table->column);
    om_status st = om_buf_add(&text, &table->otherwise, sizeof(double));
    for (size_t i = 0; !st && i < table->count; i++) {
        const struct om_weight_value *v = &table->value[i];
        om_buf_add(&text, &v->weight, sizeof v->weight);
        st = texts ? om_buf_add(&text, v->text, strlen(v->text) + 1)
                   : om_buf_add(&text, &v->integer, sizeof v->integer);
    }
    for (unsigned i = 0; !st && i < 2; i++)
        out[i] = om_hash64(text.bytes, text.len, i);
    om_buf_deinit(&text);
    return st;
}

/* ---- rows -------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const struct om__weight_entry *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Code of a text in a dictionary, -1 if it is not there. */
static int64_t code_of(const struct om_column *c, const char *text)
{
    const size_t len = strlen(text);
    size_t low = 0, high = c->words;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const size_t n = c->word_offset[mid + 1] - c->word_offset[mid];
        const int order = memcmp(c->word_bytes + c->word_offset[mid], text,
                                 n < len ? n : len);
        if (order < 0 || (order == 0 && n < len))
            low = mid + 1;
        else if (order == 0 && n == len)
            return (int64_t)mid;
        else
            high = mid;
    }
    return -1;
}

/* The table's values as this part stores them, sorted, each once. */
static om_status bind_table(struct om__weigher *w)
{
    const struct om_weight_table *t = w->table;
    w->plain = w->looked_up->coding != OM_CODING_DICTIONARY &&
               w->looked_up->coding != OM_CODING_INTEGER;
    if (w->plain) return OM_OK;
    w->entry = om_alloc((t->count ? t->count : 1) * sizeof *w->entry);
    if (!w->entry) return OM_E_MEMORY;
    const bool codes = w->looked_up->coding == OM_CODING_DICTIONARY;
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++) {
        const int64_t value = codes ? code_of(w->looked_up, t->value[i].text)
                                    : t->value[i].integer;
        if (codes && value < 0) continue;
        w->entry[n++] = (struct om__weight_entry){
            .value = value, .rank = i, .weight = t->value[i].weight};
    }
    qsort(w->entry, n, sizeof *w->entry, by_value);
    for (size_t i = 0; i < n; i++)
        if (!w->entries || w->entry[w->entries - 1].value != w->entry[i].value)
            w->entry[w->entries++] = w->entry[i];
    return OM_OK;
}

om_status om__weigher_init(const struct om_field_spec *spec,
                           int64_t reference_s, size_t part,
                           struct om__weigher *out)
{
    const struct om_weighting *weight = &spec->weight;
    *out = (struct om__weigher){
        .segment = spec->layer->part[part].segment,
        .table = weight->table,
        .number_field = weight->column,
        .time_field = weight->at_s == INT64_MAX
                          ? OM_NO_FIELD
                          : spec->layer->schema.time_field,
        .reference_s = reference_s,
        .until_s = weight->at_s,
        .rate = weight->half_life_s > 0.0 ? 1.0 / weight->half_life_s : 0.0,
    };
    OM_TRY(om__weigher_touch(out, 0, 0));
    return weight->table ? bind_table(out) : OM_OK;
}

om_status om__weigher_touch(struct om__weigher *w, size_t from, size_t to)
{
    if (w->number_field != OM_NO_FIELD)
        OM_TRY(om_segment_column(w->segment, w->number_field, from, to,
                                 &w->number));
    if (w->table)
        OM_TRY(om_segment_column(w->segment, w->table->column, from, to,
                                 &w->looked_up));
    if (w->time_field != OM_NO_FIELD)
        OM_TRY(
            om_segment_column(w->segment, w->time_field, from, to, &w->time));
    return OM_OK;
}

struct om__weigher om__weigher_share(const struct om__weigher *w)
{
    struct om__weigher copy = *w;
    copy.reader = (struct om_text_reader){0};
    copy.shared = true;
    return copy;
}

void om__weigher_deinit(struct om__weigher *w)
{
    om_text_reader_deinit(&w->reader);
    if (!w->shared) om_free(w->entry);
    *w = (struct om__weigher){0};
}

/* The first entry that has the row's text, where it is kept as plain text. */
static double plain_weight(struct om__weigher *w, size_t row)
{
    const char *text;
    size_t len;
    const om_status st = om_segment_text(w->segment, w->table->column, row,
                                         &w->reader, &text, &len);
    if (st && !w->status) w->status = st;
    if (st || !text) return w->table->otherwise;
    for (size_t i = 0; i < w->table->count; i++) {
        const struct om_weight_value *v = &w->table->value[i];
        if (strlen(v->text) == len && !memcmp(v->text, text, len))
            return v->weight;
    }
    return w->table->otherwise;
}

static double table_weight(struct om__weigher *w, size_t row)
{
    if (w->plain) return plain_weight(w, row);
    const struct om_column *c = w->looked_up;
    if (!om_column_valid(c, row)) return w->table->otherwise;
    const int64_t value = c->coding == OM_CODING_DICTIONARY
                              ? (int64_t)om_column_stored(c, row)
                              : om_column_integer(c, row);
    size_t low = 0, high = w->entries;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (w->entry[mid].value < value)
            low = mid + 1;
        else
            high = mid;
    }
    return low < w->entries && w->entry[low].value == value
               ? w->entry[low].weight
               : w->table->otherwise;
}

double om__weigh(struct om__weigher *w, size_t row)
{
    double weight = 1.0;
    if (w->number) {
        if (!om_column_valid(w->number, row)) return 0.0;
        weight = w->number->coding == OM_CODING_REAL
                     ? ((const double *)w->number->data)[row]
                     : (double)om_column_integer(w->number, row);
    }
    if (w->time) {
        if (!om_column_valid(w->time, row)) return 0.0;
        const int64_t time = om_column_integer(w->time, row);
        if (time > w->until_s) return 0.0;
        if (w->rate > 0.0)
            weight *= exp2(((double)time - (double)w->reference_s) * w->rate);
    }
    if (w->table) weight *= table_weight(w, row);
    return fmin(fmax(weight, -OM_FIELD_ROW_MOST), OM_FIELD_ROW_MOST);
}
