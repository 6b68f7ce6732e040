/* texts.c - conditions on texts, as sets of codes where there are codes.
 *
 * DESIGN
 * A dictionary is sorted bytewise and a numbered column has texts of one
 * length, so in both the order of the texts is that of the stored numbers:
 * equality, order and LIKE 'abc%' become ranges of numbers by search. Anything
 * else is asked of each word of a dictionary once. What is left (numbered
 * texts with an odd pattern, compressed texts) is read row by row. */
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/filter/eval_internal.h"

/* Words that one thread folds or matches before it takes the next lot. */
#define WORD_GRAIN 16384

bool om__text_matches(const struct om__node *node, struct om__text text)
{
    if (node->kind == OM__LIKE)
        return om__like(text.bytes, text.len, node->text[0].bytes,
                        node->text[0].len) != node->negated;
    if (node->kind == OM__ORDER) {
        const int order = om__text_order(text, node->text[0]);
        switch (node->op) {
            case OM__LT:
                return order < 0;
            case OM__LE:
                return order <= 0;
            case OM__GE:
                return order >= 0;
            default:
                return order > 0;
        }
    }
    size_t lo = 0, hi = node->texts;  // sorted by canonical.c
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        const int order = om__text_order(node->text[mid], text);
        if (order == 0) return !node->negated;
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return node->negated;
}

/* ---- codes in the order of their texts */

/* Texts by number: the words of a dictionary, or all numbers of a numbered
 * column from 0. */
struct codes {
    const struct om_column *column;
    uint64_t count;
    char number[OM_LIMIT_NAME_BYTES + 24];
};

static struct codes codes_of(const struct om_column *column)
{
    struct codes codes = {.column = column, .count = column->words};
    if (column->coding == OM_CODING_NUMBERED) {
        codes.count = 1;
        for (unsigned i = 0; i < column->digits; i++) codes.count *= 10;
    }
    return codes;
}

static struct om__text text_at(struct codes *codes, uint64_t code)
{
    const struct om_column *c = codes->column;
    if (c->coding == OM_CODING_DICTIONARY)
        return (struct om__text){
            c->word_bytes + c->word_offset[code],
            c->word_offset[code + 1] - c->word_offset[code]};
    const size_t prefix = strlen(c->prefix);
    memcpy(codes->number, c->prefix, prefix);
    for (size_t i = prefix + c->digits; i-- > prefix; code /= 10)
        codes->number[i] = (char)('0' + code % 10);
    return (struct om__text){codes->number, prefix + c->digits};
}

/* First code whose text is not before `text`, or, after set, behind it. */
static uint64_t find_code(struct codes *codes, struct om__text text, bool after)
{
    uint64_t lo = 0, hi = codes->count;
    while (lo < hi) {
        const uint64_t mid = lo + (hi - lo) / 2;
        const int order = om__text_order(text_at(codes, mid), text);
        if (order < 0 || (after && order == 0))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* First code behind all texts that begin with `prefix`. */
static uint64_t find_prefix_end(struct codes *codes, struct om__text prefix,
                                uint64_t lo)
{
    uint64_t hi = codes->count;
    while (lo < hi) {
        const uint64_t mid = lo + (hi - lo) / 2;
        const struct om__text text = text_at(codes, mid);
        if (text.len >= prefix.len &&
            memcmp(text.bytes, prefix.bytes, prefix.len) == 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* ---- sets of codes */

static om_status set_ranges(struct om__plan *plan, struct om__pass *pass,
                            struct om__range *range, size_t count,
                            uint64_t codes, bool invert)
{
    count = om__ranges_settle(range, count);
    if (invert && codes > 0) {
        const struct om__range domain = {0, (int64_t)codes - 1};
        range = om__ranges_invert(&plan->arena, range, count, domain, &count);
        if (!range) return OM_E_MEMORY;
    }
    pass->kind = OM__PASS_RANGES;
    pass->range = range;
    pass->ranges = count;
    return OM_OK;
}

static om_status plan_equal(struct om__plan *plan, struct om__pass *pass,
                            struct codes *codes)
{
    const struct om__node *node = pass->node;
    struct om__range *range =
        om_arena_calloc(&plan->arena, node->texts, sizeof *range);
    if (!range) return OM_E_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < node->texts; i++) {
        const uint64_t code = find_code(codes, node->text[i], false);
        if (code == codes->count ||
            om__text_order(text_at(codes, code), node->text[i]) != 0)
            continue;
        range[n++] = (struct om__range){(int64_t)code, (int64_t)code};
    }
    return set_ranges(plan, pass, range, n, codes->count, node->negated);
}

/* Codes [from, end). */
static om_status plan_stretch(struct om__plan *plan, struct om__pass *pass,
                              uint64_t from, uint64_t end, uint64_t codes,
                              bool invert)
{
    struct om__range *range = om_arena_calloc(&plan->arena, 1, sizeof *range);
    if (!range) return OM_E_MEMORY;
    if (from < end)
        *range = (struct om__range){(int64_t)from, (int64_t)end - 1};
    return set_ranges(plan, pass, range, from < end, codes, invert);
}

static om_status plan_order(struct om__plan *plan, struct om__pass *pass,
                            struct codes *codes)
{
    const enum om__op op = pass->node->op;
    const bool after = op == OM__LE || op == OM__GT;
    const uint64_t at = find_code(codes, pass->node->text[0], after);
    if (op == OM__LT || op == OM__LE)
        return plan_stretch(plan, pass, 0, at, codes->count, false);
    return plan_stretch(plan, pass, at, codes->count, codes->count, false);
}

/* ---- words of a dictionary, asked one by one */

struct asking {
    const struct om__node *node;
    struct codes codes;
    uint64_t first;
    uint8_t *hit;
    char *folded[OM_LIMIT_THREADS];
    size_t room;
};

static om_status ask_words(void *ctx, size_t first, size_t end, size_t lane)
{
    struct asking *a = ctx;
    if (a->node->fold && !a->folded[lane]) {
        a->folded[lane] = om_alloc(a->room);
        if (!a->folded[lane]) return OM_E_MEMORY;
    }
    struct codes codes = a->codes;
    for (size_t i = first; i < end; i++) {
        struct om__text text = text_at(&codes, a->first + i);
        if (a->node->fold)
            text = (struct om__text){
                a->folded[lane],
                om__fold(text.bytes, text.len, a->folded[lane])};
        a->hit[i] = om__text_matches(a->node, text);
    }
    return OM_OK;
}

static size_t longest_word(const struct om_column *column)
{
    size_t longest = 0;
    for (size_t i = 0; i < column->words; i++) {
        const size_t len = column->word_offset[i + 1] - column->word_offset[i];
        if (len > longest) longest = len;
    }
    return longest;
}

/* Hits of codes first, first + 1, ... as ranges. */
static om_status hits_to_ranges(struct om__plan *plan, struct om__pass *pass,
                                const uint8_t *hit, size_t n, uint64_t first)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += hit[i] && (i == 0 || !hit[i - 1]);
    struct om__range *range =
        om_arena_calloc(&plan->arena, count + 1, sizeof *range);
    if (!range) return OM_E_MEMORY;
    count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!hit[i]) continue;
        const int64_t code = (int64_t)(first + i);
        if (i && hit[i - 1])
            range[count - 1].hi = code;
        else
            range[count++] = (struct om__range){code, code};
    }
    pass->kind = OM__PASS_RANGES;
    pass->range = range;
    pass->ranges = count;
    return OM_OK;
}

static om_status plan_words(struct om__plan *plan, struct om__pass *pass,
                            const struct codes *codes, uint64_t first,
                            uint64_t end)
{
    struct asking a = {.node = pass->node, .codes = *codes, .first = first};
    const size_t n = (size_t)(end - first);
    a.hit = om_alloc(n);
    if (!a.hit) return OM_E_MEMORY;
    if (pass->node->fold) a.room = longest_word(codes->column) * 3 + 1;
    om_status st = om_parallel(n, WORD_GRAIN, ask_words, &a);
    if (!st) st = hits_to_ranges(plan, pass, a.hit, n, first);
    om_free(a.hit);
    for (size_t i = 0; i < OM_LIMIT_THREADS; i++) om_free(a.folded[i]);
    return st;
}

/* LIKE: the letters before the first wildcard bound the codes. */
static om_status plan_like(struct om__plan *plan, struct om__pass *pass,
                           struct codes *codes)
{
    const struct om__node *node = pass->node;
    const bool dictionary = codes->column->coding == OM_CODING_DICTIONARY;
    struct om__text prefix, rest;
    char *bytes = om_arena_alloc(&plan->arena, node->text[0].len + 1);
    if (!bytes) return OM_E_MEMORY;
    prefix.bytes = bytes;
    prefix.len =
        om__like_prefix(node->text[0].bytes, node->text[0].len, bytes, &rest);
    const uint64_t from = find_code(codes, prefix, false);
    const uint64_t end = find_prefix_end(codes, prefix, from);
    if (rest.len == 1 && rest.bytes[0] == '%')
        return plan_stretch(plan, pass, from, end, codes->count, node->negated);
    if (!dictionary) return OM_OK;
    // Negated, the words outside the prefix match as well.
    if (node->negated) return plan_words(plan, pass, codes, 0, codes->count);
    return plan_words(plan, pass, codes, from, end);
}

om_status om__plan_texts(struct om__plan *plan, struct om__pass *pass,
                         const struct om_column *column)
{
    if (column->coding == OM_CODING_BLOCKS) return OM_OK;
    struct codes codes = codes_of(column);
    if (pass->node->fold) {
        if (column->coding == OM_CODING_NUMBERED) return OM_OK;
        return plan_words(plan, pass, &codes, 0, codes.count);
    }
    if (pass->node->kind == OM__TEXTS) return plan_equal(plan, pass, &codes);
    if (pass->node->kind == OM__ORDER) return plan_order(plan, pass, &codes);
    return plan_like(plan, pass, &codes);
}
