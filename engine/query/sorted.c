/* sorted.c - the first rows of an order, by one pass and a heap.
 *
 * DESIGN
 * A page of an order over millions of rows is found by looking at each row
 * once: a heap keeps the best so far, its worst on top, and nearly every row
 * is turned away by one comparison with it. There is no index to keep beside
 * the layer, and a page costs the same wherever it is.
 *
 * Every value becomes 64 bits that compare as it does: integers and reals as
 * they are, texts of a single part by their dictionary's code or number. Other
 * texts give their first eight bytes, and a copy for those that agree in
 * them; copies belong to the entries of the heap, so that comparing two never
 * unpacks a block of text.
 *
 * Where a layer has several parts, one part's codes say nothing about another's,
 * but the text of the heap's worst has a place among the codes of each: rows on
 * the wrong side of it are turned away by their code all the same.
 */
#include "engine/query/sorted.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/query/ask_internal.h"

/* Seconds a row and key, measured with the full city: a number or code as the
 * first key; as another, if all rows tie; a text of a dictionary or a block at
 * hand; a block of texts to unpack. */
#define NUMBER_S 1e-8
#define TIE_S 7e-8
#define TEXT_S 9e-8
#define UNPACK_S 2e-5
/* Rows of one block of texts (engine/layer/encode_text.c). */
#define TEXT_ROWS 128
#define SIGN (UINT64_C(1) << 63)
/* Part of an entry that is no row, but where one stood. */
#define NO_PART SIZE_MAX

struct copy {
    char *bytes;  // owned
    size_t len, room;
};

/* A row of the heap, or the one at hand. */
struct entry {
    size_t part, row;
    uint64_t code;  // Morton
    uint64_t value[OM_SORT_KEYS];
    unsigned nulls;  // a bit a key
    struct copy text[OM_SORT_KEYS];
};

struct sorting {
    const struct om_layer *layer;
    const struct om_sort_key *key;
    size_t keys;
    bool texts[OM_SORT_KEYS];  // compared as texts beyond `value`
    struct entry *heap;        // [want]; the worst first
    size_t count, want;
    const struct entry *after;  // NULL: from the start
    const struct om_behind *behind;  // what it is, if it is no row
    struct entry now;           // the row at hand
    uint64_t turn;              // of the heap's worst: how often it changed
    struct om_text_reader reader[OM_SORT_KEYS];
    struct om_text_reader id_reader[2];
    om_status status;
};

/* ---- values */

static uint64_t order_of_real(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & SIGN ? ~bits : bits | SIGN;
}

static uint64_t first_bytes(const char *text, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | (i < len ? (unsigned char)text[i] : 0);
    return value;
}

static om_status keep_text(struct copy *copy, const char *text, size_t len)
{
    if (copy->room < len) {
        char *bytes = om_realloc(copy->bytes, len + len / 2);
        if (!bytes) return OM_E_MEMORY;
        copy->bytes = bytes;
        copy->room = len + len / 2;
    }
    if (len) memcpy(copy->bytes, text, len);
    copy->len = len;
    return OM_OK;
}

/* Is the part's column kept as numbers that compare as its texts do? */
static bool is_coded(const struct om_layer *layer, size_t part, size_t column)
{
    const struct om_column *c;
    return !om_segment_column(layer->part[part].segment, column, 0, 0, &c) &&
           (c->coding == OM_CODING_DICTIONARY ||
            c->coding == OM_CODING_NUMBERED);
}

/* Are texts of this column compared by a number that stands for them? One
 * part's dictionary says nothing about another's. */
static bool has_ranks(const struct om_layer *layer, size_t column)
{
    return layer->parts == 1 && is_coded(layer, 0, column);
}

static bool is_text(const struct om_layer *layer, size_t column)
{
    const enum om_type type = layer->schema.field[column].type;
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

/* Key k of a row into `e`. */
static om_status read_key(struct sorting *s, const struct om_segment *segment,
                          size_t k, struct entry *e)
{
    const size_t column = s->key[k].column;
    const unsigned bit = 1u << k;
    e->nulls &= ~bit;
    e->value[k] = 0;
    if (s->texts[k]) {
        const char *text;
        size_t len;
        OM_TRY(om_segment_text(segment, column, e->row, &s->reader[k], &text,
                               &len));
        if (!text) {
            e->nulls |= bit;
            return OM_OK;
        }
        e->value[k] = first_bytes(text, len);
        return keep_text(&e->text[k], text, len);
    }
    const struct om_column *c;
    OM_TRY(om_segment_column(segment, column, e->row, e->row + 1, &c));
    if (!om_column_valid(c, e->row))
        e->nulls |= bit;
    else if (c->coding == OM_CODING_REAL)
        e->value[k] = order_of_real(((const double *)c->data)[e->row]);
    else
        e->value[k] = (uint64_t)om_column_integer(c, e->row) ^ SIGN;
    return OM_OK;
}

static om_status read_entry(struct sorting *s, struct entry *e)
{
    const struct om_segment *segment = s->layer->part[e->part].segment;
    const uint64_t *code;
    OM_TRY(om_segment_keys(segment, e->row, e->row + 1, &code));
    e->code = code[e->row];
    for (size_t k = 0; k < s->keys; k++) OM_TRY(read_key(s, segment, k, e));
    return OM_OK;
}

/* ---- order */

static int text_order(const struct copy *a, const struct copy *b)
{
    const size_t shared = a->len < b->len ? a->len : b->len;
    const int order = shared ? memcmp(a->bytes, b->bytes, shared) : 0;
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int id_order(struct sorting *s, const struct entry *a,
                    const struct entry *b)
{
    const struct entry *e[] = {a, b};
    struct copy id[2] = {0};
    for (int i = 0; i < 2; i++) {
        const char *text = NULL;
        if (e[i]->part == NO_PART) {
            id[i].bytes = (char *)(uintptr_t)s->behind->id;
            id[i].len = s->behind->id_len;
            continue;
        }
        const om_status st = om_segment_text(
            s->layer->part[e[i]->part].segment, s->layer->schema.id_field,
            e[i]->row, &s->id_reader[i], &text, &id[i].len);
        if (st) {
            if (!s->status) s->status = st;
            return 0;
        }
        id[i].bytes = (char *)(uintptr_t)text;
    }
    return text_order(&id[0], &id[1]);
}

/* Order of one key of two rows. */
static int key_order(const struct sorting *s, size_t k, const struct entry *a,
                     const struct entry *b)
{
    const unsigned bit = 1u << k;
    if ((a->nulls ^ b->nulls) & bit) return a->nulls & bit ? 1 : -1;
    if (a->nulls & bit) return 0;
    int order = (a->value[k] > b->value[k]) - (a->value[k] < b->value[k]);
    if (!order && s->texts[k]) order = text_order(&a->text[k], &b->text[k]);
    return s->key[k].descending ? -order : order;
}

/* Less than 0: a comes before b. */
static int compare(struct sorting *s, const struct entry *a,
                   const struct entry *b)
{
    for (size_t k = 0; k < s->keys; k++) {
        const int order = key_order(s, k, a, b);
        if (order) return order;
    }
    if (a->part == b->part) return (a->row > b->row) - (a->row < b->row);
    if (a->code != b->code) return a->code > b->code ? 1 : -1;
    return id_order(s, a, b);
}

static void swap(struct entry *a, struct entry *b)
{
    const struct entry keep = *a;
    *a = *b;
    *b = keep;
}

static void sink(struct sorting *s, size_t i)
{
    for (;;) {
        size_t worst = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < s->count &&
                compare(s, &s->heap[child], &s->heap[worst]) > 0)
                worst = child;
        if (worst == i) return;
        swap(&s->heap[i], &s->heap[worst]);
        i = worst;
    }
}

/* s->now joins the heap, and what it replaces is scratch from then on: texts
 * change places with their entries. */
static void offer(struct sorting *s)
{
    s->turn++;
    if (s->count == s->want) {
        if (compare(s, &s->now, &s->heap[0]) >= 0) {
            s->turn--;
            return;
        }
        swap(&s->now, &s->heap[0]);
        sink(s, 0);
        return;
    }
    size_t i = s->count++;
    swap(&s->now, &s->heap[i]);
    for (; i && compare(s, &s->heap[i], &s->heap[(i - 1) / 2]) > 0;
         i = (i - 1) / 2)
        swap(&s->heap[i], &s->heap[(i - 1) / 2]);
}

static void sort_heap(struct sorting *s)
{
    const size_t count = s->count;
    while (s->count > 1) {
        swap(&s->heap[0], &s->heap[--s->count]);
        sink(s, 0);
    }
    s->count = count;
}

/* ---- the pass */

/* Does a row with this first key come behind the worst of a full heap, or
 * before the row to go on behind? Most do, and nothing else of them is read. */
static bool is_out(const struct sorting *s, bool null, uint64_t value)
{
    const bool down = s->key[0].descending;
    if (s->count == s->want) {
        const struct entry *worst = &s->heap[0];
        const bool worst_null = worst->nulls & 1;
        if (null && !worst_null) return true;
        if (null == worst_null && !null &&
            (down ? value < worst->value[0] : value > worst->value[0]))
            return true;
    }
    if (!s->after) return false;
    const bool after_null = s->after->nulls & 1;
    if (null != after_null) return after_null;
    return !null &&
           (down ? value > s->after->value[0] : value < s->after->value[0]);
}

/* Where a text would stand among the codes of a part: the first code (as
 * om_column_integer) whose text is not below it, and the first whose text is
 * above it. */
struct stand {
    int64_t from, above;
};

static struct stand stand_in_words(const struct om_column *c,
                                   const struct copy *text)
{
    int64_t at[2];
    for (int k = 0; k < 2; k++) {
        size_t low = 0, high = c->words;
        while (low < high) {
            const size_t mid = low + (high - low) / 2;
            const uint32_t from = c->word_offset[mid];
            const struct copy word = {
                (char *)(uintptr_t)(c->word_bytes + from),
                c->word_offset[mid + 1] - from, 0};
            const int order = text_order(&word, text);
            if (order < 0 || (k && order == 0))
                low = mid + 1;
            else
                high = mid;
        }
        at[k] = (int64_t)low;
    }
    return (struct stand){at[0], at[1]};
}

/* All texts of the part are a prefix and `digits` digits. */
static struct stand stand_in_numbers(const struct om_column *c,
                                     const struct copy *text)
{
    const size_t prefix = strlen(c->prefix);
    const struct copy head = {(char *)(uintptr_t)c->prefix, prefix, 0};
    struct copy begins = *text;
    if (begins.len > prefix) begins.len = prefix;
    const int order = text_order(&head, &begins);
    // A text that ends within the prefix is below all.
    if (order > 0) return (struct stand){INT64_MIN, INT64_MIN};
    if (order < 0) return (struct stand){INT64_MAX, INT64_MAX};
    int64_t number = 0;
    size_t i = 0;
    bool up = false;
    for (; i < c->digits && prefix + i < text->len; i++) {
        const char sign = text->bytes[prefix + i];
        if (sign < '0' || sign > '9') {
            up = (unsigned char)sign > '9';
            break;
        }
        number = number * 10 + (sign - '0');
    }
    const bool whole = i == c->digits;
    number += up;
    for (; i < c->digits; i++) number *= 10;
    if (!whole || up) return (struct stand){number, number};
    // A longer text is above the one that it begins with.
    const bool longer = text->len > prefix + c->digits;
    return (struct stand){number + longer, number + 1};
}

static struct stand stand_of(const struct om_column *c, const struct copy *text)
{
    return c->coding == OM_CODING_DICTIONARY ? stand_in_words(c, text)
                                             : stand_in_numbers(c, text);
}

/* is_out for texts of a part that is coded: where the worst and the row to go
 * on behind stand in it. */
struct bounds {
    uint64_t turn;  // that `worst` is of
    struct stand worst, after;
};

static void find_bounds(const struct sorting *s, const struct om_column *c,
                        struct bounds *b)
{
    if (b->turn == s->turn || s->count < s->want) return;
    b->turn = s->turn;
    b->worst = stand_of(c, &s->heap[0].text[0]);
}

static bool text_is_out(const struct sorting *s, const struct bounds *b,
                        bool null, int64_t code)
{
    const bool down = s->key[0].descending;
    if (s->count == s->want) {
        const bool worst_null = s->heap[0].nulls & 1;
        if (null && !worst_null) return true;
        if (!null && !worst_null &&
            (down ? code < b->worst.from : code >= b->worst.above))
            return true;
    }
    if (!s->after) return false;
    const bool after_null = s->after->nulls & 1;
    if (null != after_null) return after_null;
    return !null && (down ? code >= b->after.above : code < b->after.from);
}

static om_status take_row(struct sorting *s, size_t part, size_t row)
{
    s->now.part = part;
    s->now.row = row;
    OM_TRY(read_entry(s, &s->now));
    if (!s->after || compare(s, &s->now, s->after) > 0) offer(s);
    return s->status;
}

static om_status take_span(struct sorting *s, size_t part,
                           const struct om__chosen *chosen,
                           struct om__span span)
{
    const struct om_column *c = NULL;
    struct bounds bounds = {.turn = UINT64_MAX};
    const bool text = s->texts[0];
    if (!text || is_coded(s->layer, part, s->key[0].column)) {
        OM_TRY(om_segment_column(s->layer->part[part].segment, s->key[0].column,
                                 span.from, span.to, &c));
        if (c->coding == OM_CODING_REAL) c = NULL;
        if (text && s->after) bounds.after = stand_of(c, &s->after->text[0]);
    }
    for (size_t w = span.from / 64; w * 64 < span.to; w++) {
        uint64_t bits = om__chosen_bits(chosen, w, span.from, span.to);
        if (w % (OM__ASK_ROWS / 64) == 0 && om_cancelled()) return OM_E_STOPPED;
        for (; bits; bits &= bits - 1) {
            const size_t row = w * 64 + (size_t)__builtin_ctzll(bits);
            const bool null = c && !om_column_valid(c, row);
            if (c && text) {
                find_bounds(s, c, &bounds);
                if (text_is_out(s, &bounds, null, om_column_integer(c, row)))
                    continue;
            } else if (c && is_out(s, null,
                                   (uint64_t)om_column_integer(c, row) ^ SIGN))
                continue;
            OM_TRY(take_row(s, part, row));
        }
    }
    return OM_OK;
}

static om_status take_part(struct sorting *s, const struct om__ask *ask,
                           size_t part)
{
    struct om__chosen chosen;
    struct om__spans spans = {0};
    om__chosen_init(&chosen, ask->selection, ask->layer, part);
    om_status st = om__ask_spans(ask, part, &spans);
    for (size_t i = 0; i < spans.count && !st; i++)
        st = take_span(s, part, &chosen, spans.span[i]);
    om__spans_deinit(&spans);
    return st;
}

static om_status check(const struct om_query *query,
                       const struct om_sort_key *key, size_t keys)
{
    if (query->place.kind == OM_PLACE_NEAREST) return OM_E_UNSUPPORTED;
    if (!keys || keys > OM_SORT_KEYS || !query->limit ||
        query->limit > OM_SORT_ROWS)
        return OM_E_RANGE;
    for (size_t k = 0; k < keys; k++)
        if (key[k].column >= query->layer->schema.count) return OM_E_NOTFOUND;
    const struct om_hit *after = query->after;
    if (after && (after->part >= query->layer->parts ||
                  after->row >=
                      om_segment_rows(query->layer->part[after->part].segment)))
        return OM_E_RANGE;
    const struct om_behind *behind = query->behind;
    if (behind && (after || behind->keys != keys)) return OM_E_RANGE;
    for (size_t k = 0; behind && k < keys; k++)
        if (behind->key[k].is_text != is_text(query->layer, key[k].column))
            return OM_E_RANGE;
    return OM_OK;
}

/* The entry of where a row stood. Copies of its texts are not owned. */
static struct entry entry_of(const struct om_behind *b)
{
    struct entry e = {.part = NO_PART, .code = b->code};
    for (size_t k = 0; k < b->keys; k++) {
        const struct om_behind_key *key = &b->key[k];
        e.nulls |= (unsigned)key->null << k;
        if (key->null) continue;
        e.value[k] =
            key->is_text ? first_bytes(key->text, key->len) : key->number;
        e.text[k] = (struct copy){(char *)(uintptr_t)key->text, key->len, 0};
    }
    return e;
}

static void free_texts(struct entry *e)
{
    for (size_t k = 0; k < OM_SORT_KEYS; k++) om_free(e->text[k].bytes);
}

static om_status run(struct sorting *s, const struct om__ask *ask,
                     struct entry *after)
{
    if (after && after->part != NO_PART) OM_TRY(read_entry(s, after));
    s->after = after;
    for (size_t i = 0; i < s->layer->parts; i++) OM_TRY(take_part(s, ask, i));
    sort_heap(s);
    return s->status;
}

om_status om_query_sorted(const struct om_query *query,
                          const struct om_sort_key *key, size_t keys,
                          bool (*each)(void *ctx, const struct om_hit *hit),
                          void *ctx)
{
    OM_TRY(check(query, key, keys));
    struct om__ask ask;
    OM_TRY(om__ask_init(&ask, query));
    struct sorting s = {.layer = query->layer,
                        .key = key,
                        .keys = keys,
                        .want = query->limit < query->layer->rows
                                    ? query->limit
                                    : (size_t)query->layer->rows};
    struct entry after = {0};
    om_status st = OM_OK;
    if (!s.want) goto done;
    for (size_t k = 0; k < keys; k++)
        s.texts[k] =
            is_text(query->layer, key[k].column) &&
            (query->behind || !has_ranks(query->layer, key[k].column));
    s.heap = om_calloc(s.want, sizeof *s.heap);
    if (!s.heap) st = OM_E_MEMORY;
    if (st) goto done;
    if (query->after) {
        after.part = query->after->part;
        after.row = query->after->row;
    }
    s.behind = query->behind;
    if (s.behind) after = entry_of(s.behind);
    st = run(&s, &ask, query->after || s.behind ? &after : NULL);
    for (size_t i = 0; i < s.count && !st; i++) {
        const struct om_hit hit = {s.heap[i].part, s.heap[i].row, 0};
        if (!each(ctx, &hit)) break;
    }
done:
    for (size_t i = 0; s.heap && i < s.want; i++) free_texts(&s.heap[i]);
    om_free(s.heap);
    free_texts(&s.now);
    if (!s.behind) free_texts(&after);
    for (size_t k = 0; k < OM_SORT_KEYS; k++)
        om_text_reader_deinit(&s.reader[k]);
    om_text_reader_deinit(&s.id_reader[0]);
    om_text_reader_deinit(&s.id_reader[1]);
    om__ask_deinit(&ask);
    return st;
}

om_status om_query_stand(const struct om_layer *layer, const struct om_hit *hit,
                         const struct om_sort_key *key, size_t keys,
                         struct om_arena *arena, struct om_behind *out)
{
    const struct om_segment *segment = layer->part[hit->part].segment;
    struct om_text_reader reader = {0};
    struct entry e = {.part = hit->part, .row = hit->row};
    struct sorting s = {.layer = layer, .key = key, .keys = keys};
    *out = (struct om_behind){.keys = keys};
    for (size_t k = 0; k < keys; k++)
        s.texts[k] = is_text(layer, key[k].column);
    const char *id = NULL;
    om_status st = read_entry(&s, &e);
    if (!st)
        st = om_segment_text(segment, layer->schema.id_field, hit->row, &reader,
                             &id, &out->id_len);
    if (st) goto done;
    out->code = e.code;
    out->id = om_arena_text(arena, id ? id : "", out->id_len);
    if (!out->id) st = OM_E_MEMORY;
    for (size_t k = 0; k < keys && !st; k++) {
        struct om_behind_key *to = &out->key[k];
        to->null = e.nulls >> k & 1;
        to->is_text = s.texts[k];
        to->number = e.value[k];
        if (to->null || !to->is_text) continue;
        to->len = e.text[k].len;
        to->text = om_arena_text(arena, e.text[k].bytes, to->len);
        if (!to->text) st = OM_E_MEMORY;
    }
done:
    free_texts(&e);
    for (size_t k = 0; k < keys; k++) om_text_reader_deinit(&s.reader[k]);
    om_text_reader_deinit(&reader);
    return st;
}

double om_sort_cost_s(const struct om_layer *layer,
                      const struct om_sort_key *key, size_t keys, uint64_t rows)
{
    double cost_s = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const double all = (double)om_segment_rows(layer->part[p].segment);
        const double here =
            layer->rows ? (double)rows * all / (double)layer->rows : 0;
        for (size_t k = 0; k < keys; k++) {
            if (!is_text(layer, key[k].column) ||
                is_coded(layer, p, key[k].column))
                cost_s += here * (k ? TIE_S : NUMBER_S);
            else
                cost_s += here * TEXT_S +
                          fmin(here, all / TEXT_ROWS + 1) * UNPACK_S;
        }
    }
    return cost_s;
}
