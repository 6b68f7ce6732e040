/* eval.c - the rows of a stretch that a compiled filter takes.
 *
 * DESIGN
 * A stretch of OM__CHUNK_ROWS rows goes through the whole tree before the next
 * one: its bitmaps stay in the first cache, and threads share nothing. Each
 * condition gets the rows that are still candidates and answers within them:
 * blocks without a candidate are skipped, and what must read texts or geometry
 * reads those of candidates only. Blocks of OM_BLOCK_ROWS rows whose smallest
 * and largest value decide the matter are not read either. */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/filter/eval_internal.h"
#include "engine/shape/shape.h"

/* What all conditions are given. */
struct stretch {
    const struct om__plan *plan;
    struct om__lane *lane;
    size_t first, end;
    size_t words;
};

static om_status eval(const struct stretch *s, const struct om__pass *pass,
                      const uint64_t *candidates, uint64_t *scratch,
                      uint64_t *out);

static void fill(uint64_t *out, size_t n)
{
    memset(out, 0xFF, n / 64 * 8);
    if (n % 64) out[n / 64] = (UINT64_C(1) << n % 64) - 1;
}

static bool is_empty(const uint64_t *word, size_t words)
{
    uint64_t any = 0;
    for (size_t i = 0; i < words; i++) any |= word[i];
    return any == 0;
}

/* ---- stored values */

enum verdict { TAKE_NONE, TAKE_ALL, TAKE_SOME };

static enum verdict judge(const struct om__pass *pass, int64_t min, int64_t max)
{
    size_t lo = 0, hi = pass->ranges;  // first range that ends at or above min
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (pass->range[mid].hi < min)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == pass->ranges || pass->range[lo].lo > max) return TAKE_NONE;
    const struct om__range r = pass->range[lo];
    return r.lo <= min && r.hi >= max ? TAKE_ALL : TAKE_SOME;
}

static enum verdict judge_block(const struct om__pass *pass,
                                const struct om_column *c, size_t block)
{
    if (c->coding == OM_CODING_REAL) {
        if (!c->real_min) return TAKE_SOME;
        const double min = c->real_min[block], max = c->real_max[block];
        if (min > max) return TAKE_NONE;  // all NULL
        return judge(pass, om__real_order(min), om__real_order(max));
    }
    if (!c->block_min) return TAKE_SOME;
    if (c->block_min[block] > c->block_max[block]) return TAKE_NONE;
    return judge(pass, c->block_min[block], c->block_max[block]);
}

/* A range of values as one of stored numbers; false if none is in it. */
static bool stored_span(const struct om_column *c, struct om__range r,
                        struct om__span *out)
{
    if (c->width == 8 && c->coding == OM_CODING_INTEGER) {
        *out =
            (struct om__span){(uint64_t)r.lo, (uint64_t)r.hi - (uint64_t)r.lo};
        return true;
    }
    if (r.hi < c->base) return false;
    const uint64_t most = UINT64_MAX >> (64 - 8 * c->width);
    const uint64_t lo =
        r.lo <= c->base ? 0 : (uint64_t)r.lo - (uint64_t)c->base;
    uint64_t hi = (uint64_t)r.hi - (uint64_t)c->base;
    if (lo > most) return false;
    if (hi > most) hi = most;
    *out = (struct om__span){lo, hi - lo};
    return true;
}

static void search_rows(const struct om__pass *pass, const struct om_column *c,
                        size_t first, size_t n, uint64_t *out)
{
    memset(out, 0, (n + 63) / 64 * 8);
    for (size_t i = 0; i < n; i++) {
        const int64_t v = om_column_integer(c, first + i);
        const bool hit = judge(pass, v, v) == TAKE_ALL;
        out[i / 64] |= (uint64_t)hit << i % 64;
    }
}

static void test_reals(const struct om__pass *pass, const double *data,
                       size_t n, uint64_t *out)
{
    const size_t words = (n + 63) / 64;
    memset(out, 0, words * 8);
    for (size_t i = 0; i < pass->ranges; i++) {
        uint64_t one[OM_BLOCK_ROWS / 64];
        om__pass_reals(data, n, om__real_value(pass->range[i].lo),
                       om__real_value(pass->range[i].hi), one);
        for (size_t w = 0; w < words; w++) out[w] |= one[w];
    }
}

/* Rows [first, first + n), within one block, that hold one of the values. */
static void test_block(const struct om__pass *pass, const struct om_column *c,
                       size_t first, size_t n, uint64_t *out)
{
    const void *data = (const uint8_t *)c->data + first * c->width;
    if (pass->kind == OM__PASS_REALS) {
        test_reals(pass, data, n, out);
        return;
    }
    if (pass->kind == OM__PASS_SEARCH) {
        search_rows(pass, c, first, n, out);
        return;
    }
    if (pass->kind == OM__PASS_TABLE) {
        const struct om__range *last = &pass->test[pass->tests - 1];
        om__pass_table(data, c->width, n,
                       (uint64_t)pass->test[0].lo - (uint64_t)c->base,
                       (uint64_t)last->hi - (uint64_t)pass->test[0].lo + 1,
                       pass->table, out);
    } else {
        struct om__span span[OM__MAX_SPANS];
        size_t spans = 0;
        for (size_t i = 0; i < pass->tests; i++)
            spans += stored_span(c, pass->test[i], &span[spans]);
        if (spans)
            om__pass_spans(data, c->width, n, span, spans, out);
        else
            memset(out, 0, (n + 63) / 64 * 8);
    }
    if (!pass->inverted) return;
    uint64_t all[OM_BLOCK_ROWS / 64];
    fill(all, n);
    for (size_t w = 0; w < (n + 63) / 64; w++) out[w] = all[w] & ~out[w];
}

static om_status eval_stored(const struct stretch *s,
                             const struct om__pass *pass,
                             const uint64_t *candidates, uint64_t *out)
{
    const struct om_column *c;
    OM_TRY(om_segment_column(s->plan->segment, pass->column, s->first, s->end,
                             &c));
    for (size_t at = s->first; at < s->end; at += OM_BLOCK_ROWS) {
        const size_t left = s->end - at;
        const size_t n = left < OM_BLOCK_ROWS ? left : OM_BLOCK_ROWS;
        const size_t words = (n + 63) / 64, w0 = (at - s->first) / 64;
        uint64_t *o = out + w0;
        enum verdict verdict = judge_block(pass, c, at / OM_BLOCK_ROWS);
        if (candidates && is_empty(candidates + w0, words)) verdict = TAKE_NONE;
        if (verdict == TAKE_NONE) {
            memset(o, 0, words * 8);
            continue;
        }
        if (verdict == TAKE_ALL)
            fill(o, n);
        else
            test_block(pass, c, at, n, o);
        if (c->valid)
            for (size_t w = 0; w < words; w++) o[w] &= c->valid[at / 64 + w];
        if (candidates)
            for (size_t w = 0; w < words; w++) o[w] &= candidates[w0 + w];
    }
    return OM_OK;
}

static om_status eval_nulls(const struct stretch *s,
                            const struct om__pass *pass,
                            const uint64_t *candidates, uint64_t *out)
{
    const struct om_column *c;
    OM_TRY(om_segment_column(s->plan->segment, pass->column, s->first, s->end,
                             &c));
    fill(out, s->end - s->first);
    for (size_t w = 0; w < s->words; w++) {
        const uint64_t valid =
            c->valid ? c->valid[s->first / 64 + w] : UINT64_MAX;
        out[w] &= pass->negated ? valid : ~valid;
        if (candidates) out[w] &= candidates[w];
    }
    return OM_OK;
}

/* ---- rows one by one */

/* Calls `test` for every candidate and keeps those it takes. */
typedef om_status row_test(const struct stretch *s, const struct om__pass *pass,
                           size_t row, void *ctx, bool *take);

static om_status each_candidate(const struct stretch *s,
                                const struct om__pass *pass,
                                const uint64_t *candidates, row_test *test,
                                void *ctx, uint64_t *out)
{
    if (candidates)
        memcpy(out, candidates, s->words * 8);
    else
        fill(out, s->end - s->first);
    for (size_t w = 0; w < s->words; w++) {
        for (uint64_t left = out[w]; left; left &= left - 1) {
            const unsigned bit = (unsigned)__builtin_ctzll(left);
            bool take = false;
            OM_TRY(test(s, pass, s->first + w * 64 + bit, ctx, &take));
            if (!take) out[w] &= ~(UINT64_C(1) << bit);
        }
    }
    return OM_OK;
}

static om_status fold_in_lane(struct om__lane *lane, struct om__text *text)
{
    const size_t need = text->len * 3 + 1;
    if (need > lane->folded_room) {
        char *grown = om_realloc(lane->folded, need);
        if (!grown) return OM_E_MEMORY;
        lane->folded = grown;
        lane->folded_room = need;
    }
    text->len = om__fold(text->bytes, text->len, lane->folded);
    text->bytes = lane->folded;
    return OM_OK;
}

static om_status test_text(const struct stretch *s, const struct om__pass *pass,
                           size_t row, void *ctx, bool *take)
{
    (void)ctx;
    struct om__text text;
    OM_TRY(om_segment_text(s->plan->segment, pass->column, row,
                           &s->lane->reader[pass->reader], &text.bytes,
                           &text.len));
    if (!text.bytes) return OM_OK;
    if (pass->node->fold) OM_TRY(fold_in_lane(s->lane, &text));
    *take = om__text_matches(pass->node, text);
    return OM_OK;
}

static bool order_satisfies(int order, enum om__op op)
{
    switch (op) {
        case OM__LT:
            return order < 0;
        case OM__LE:
            return order <= 0;
        case OM__EQ:
            return order == 0;
        case OM__NE:
            return order != 0;
        case OM__GE:
            return order >= 0;
        default:
            return order > 0;
    }
}

static om_status test_text_pair(const struct stretch *s,
                                const struct om__pass *pass, size_t row,
                                void *ctx, bool *take)
{
    (void)ctx;
    struct om__text a, b;
    struct om_text_reader *reader = &s->lane->reader[pass->reader];
    OM_TRY(om_segment_text(s->plan->segment, pass->column, row, reader,
                           &a.bytes, &a.len));
    OM_TRY(om_segment_text(s->plan->segment, pass->other, row, reader + 1,
                           &b.bytes, &b.len));
    if (!a.bytes || !b.bytes) return OM_OK;
    char *folded = NULL;
    if (pass->node->fold) OM_TRY(fold_in_lane(s->lane, &a));
    if (pass->node->other_fold) {
        // The lane's room holds the first; the second gets its own.
        folded = om_alloc(b.len * 3 + 1);
        if (!folded) return OM_E_MEMORY;
        b.len = om__fold(b.bytes, b.len, folded);
        b.bytes = folded;
    }
    *take = order_satisfies(om__text_order(a, b), pass->node->op);
    om_free(folded);
    return OM_OK;
}

struct columns {
    const struct om_column *a, *b;
};

/* An integer against a real, exactly: a double holds only 53 bits. */
static int order_mixed(int64_t integer, double real)
{
    if (real >= 9223372036854775808.0) return -1;
    if (real < -9223372036854775808.0) return 1;
    const int64_t floor_of = (int64_t)floor(real);
    if (integer != floor_of) return integer < floor_of ? -1 : 1;
    return real > (double)floor_of ? -1 : 0;
}

static int order_values(const struct columns *c, size_t row)
{
    const bool real_a = c->a->coding == OM_CODING_REAL;
    const bool real_b = c->b->coding == OM_CODING_REAL;
    const double da = real_a ? ((const double *)c->a->data)[row] : 0;
    const double db = real_b ? ((const double *)c->b->data)[row] : 0;
    if (real_a && real_b) return da < db ? -1 : da > db;
    if (real_b) return order_mixed(om_column_integer(c->a, row), db);
    if (real_a) return -order_mixed(om_column_integer(c->b, row), da);
    const int64_t a = om_column_integer(c->a, row);
    const int64_t b = om_column_integer(c->b, row);
    return a < b ? -1 : a > b;
}

static om_status test_pair(const struct stretch *s, const struct om__pass *pass,
                           size_t row, void *ctx, bool *take)
{
    (void)s;
    const struct columns *c = ctx;
    if (!om_column_valid(c->a, row) || !om_column_valid(c->b, row))
        return OM_OK;
    *take = order_satisfies(order_values(c, row), pass->node->op);
    return OM_OK;
}

static om_status eval_pair(const struct stretch *s, const struct om__pass *pass,
                           const uint64_t *candidates, uint64_t *out)
{
    if (pass->texts)
        return each_candidate(s, pass, candidates, test_text_pair, NULL, out);
    struct columns c;
    const struct om_segment *segment = s->plan->segment;
    OM_TRY(om_segment_column(segment, pass->column, s->first, s->end, &c.a));
    OM_TRY(om_segment_column(segment, pass->other, s->first, s->end, &c.b));
    return each_candidate(s, pass, candidates, test_pair, &c, out);
}

static om_status eval_rows(const struct stretch *s, const struct om__pass *pass,
                           const uint64_t *candidates, uint64_t *out)
{
    memset(out, 0, s->words * 8);
    for (size_t i = 0; i < pass->rows; i++) {
        if (pass->row[i] < s->first || pass->row[i] >= s->end) continue;
        const size_t at = pass->row[i] - s->first;
        out[at / 64] |= UINT64_C(1) << at % 64;
    }
    if (candidates)
        for (size_t w = 0; w < s->words; w++) out[w] &= candidates[w];
    return OM_OK;
}

/* ---- places */

static bool box_has(struct om_box box, struct om_pos pos)
{
    return pos.x >= box.x0 && pos.x <= box.x1 && pos.y >= box.y0 &&
           pos.y <= box.y1;
}

static bool place_has(const struct om__place *place, struct om_pos pos)
{
    if (place->kind == OM__PLACE_POLYGON)
        return om_rings_contain(&place->rings, 0, pos);
    for (size_t i = 0; i < place->boxes; i++)
        if (box_has(place->box[i], pos)) return true;
    return false;
}

/* Bits [from, to) of a bitmap set. */
static void set_bits(uint64_t *out, size_t from, size_t to)
{
    for (size_t at = from; at < to;) {
        const size_t room = 64 - at % 64;
        const size_t n = to - at < room ? to - at : room;
        const uint64_t mask = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
        out[at / 64] |= mask << at % 64;
        at += n;
    }
}

/* First run that ends behind `row`. */
static size_t first_run(const struct om__pass *pass, size_t row)
{
    size_t lo = 0, hi = pass->runs;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (pass->run[mid].to <= row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static om_status eval_runs(const struct stretch *s, const struct om__pass *pass,
                           const uint64_t *candidates, uint64_t *out)
{
    const struct om__place *place = pass->node->place;
    const uint64_t *key;
    memset(out, 0, s->words * 8);
    OM_TRY(om_segment_keys(s->plan->segment, s->first, s->end, &key));
    for (size_t i = first_run(pass, s->first);
         i < pass->runs && pass->run[i].from < s->end; i++) {
        const struct om__run run = pass->run[i];
        const size_t from = run.from > s->first ? run.from : s->first;
        const size_t to = run.to < s->end ? run.to : s->end;
        if (run.inside) {
            set_bits(out, from - s->first, to - s->first);
            continue;
        }
        for (size_t row = from; row < to; row++) {
            const size_t at = row - s->first;
            if (candidates && !(candidates[at / 64] >> at % 64 & 1)) continue;
            const bool in = place_has(place, om_morton_pos(key[row]));
            out[at / 64] |= (uint64_t)in << at % 64;
        }
    }
    uint64_t all[OM__CHUNK_WORDS];
    fill(all, s->end - s->first);
    const uint64_t *limit = candidates ? candidates : all;
    for (size_t w = 0; w < s->words; w++)
        out[w] = limit[w] & (pass->negated ? ~out[w] : out[w]);
    return OM_OK;
}

static bool boxes_meet(struct om_box a, struct om_box b)
{
    return a.x0 <= b.x1 && b.x0 <= a.x1 && a.y0 <= b.y1 && b.y0 <= a.y1;
}

static bool box_within(struct om_box inner, struct om_box outer)
{
    return inner.x0 >= outer.x0 && inner.x1 <= outer.x1 &&
           inner.y0 >= outer.y0 && inner.y1 <= outer.y1;
}

static bool shape_meets(const struct om_rings *rings, size_t shape,
                        enum om_geometry geometry,
                        const struct om__place *place)
{
    const struct om_box box = rings->box[shape];
    if (place->kind == OM__PLACE_POINT)
        return box_has(box, place->point) &&
               om_rings_contain(rings, shape, place->point);
    for (size_t i = 0; i < place->rings.count; i++) {
        if (!boxes_meet(box, place->rings.box[i])) continue;
        if (place->kind == OM__PLACE_BOX && box_within(box, place->box[i]))
            return true;
        if (om_rings_intersect(rings, shape, geometry, &place->rings, i))
            return true;
    }
    return false;
}

static om_status test_shape(const struct stretch *s,
                            const struct om__pass *pass, size_t row, void *ctx,
                            bool *take)
{
    const enum om_geometry geometry =
        om_segment_schema(s->plan->segment)->geometry;
    *take = shape_meets(ctx, row, geometry, pass->node->place) != pass->negated;
    return OM_OK;
}

static om_status eval_shapes(const struct stretch *s,
                             const struct om__pass *pass,
                             const uint64_t *candidates, uint64_t *out)
{
    struct om_rings rings;
    OM_TRY(om_segment_rings(s->plan->segment, s->first, s->end, &rings));
    return each_candidate(s, pass, candidates, test_shape, &rings, out);
}

/* ---- AND and OR */

static om_status eval_and(const struct stretch *s, const struct om__pass *pass,
                          const uint64_t *candidates, uint64_t *scratch,
                          uint64_t *out)
{
    uint64_t *rest = scratch + OM__CHUNK_WORDS;
    OM_TRY(eval(s, pass->child[0], candidates, rest, out));
    for (size_t i = 1; i < pass->children; i++) {
        if (is_empty(out, s->words)) return OM_OK;
        OM_TRY(eval(s, pass->child[i], out, rest, scratch));
        memcpy(out, scratch, s->words * 8);
    }
    return OM_OK;
}

static om_status eval_or(const struct stretch *s, const struct om__pass *pass,
                         const uint64_t *candidates, uint64_t *scratch,
                         uint64_t *out)
{
    uint64_t *left = scratch + OM__CHUNK_WORDS;
    uint64_t *rest = left + OM__CHUNK_WORDS;
    OM_TRY(eval(s, pass->child[0], candidates, rest, out));
    uint64_t all[OM__CHUNK_WORDS];
    fill(all, s->end - s->first);
    const uint64_t *limit = candidates ? candidates : all;
    for (size_t i = 1; i < pass->children; i++) {
        // Rows that one operand has taken need no second.
        for (size_t w = 0; w < s->words; w++) left[w] = limit[w] & ~out[w];
        if (is_empty(left, s->words)) return OM_OK;
        OM_TRY(eval(s, pass->child[i], left, rest, scratch));
        for (size_t w = 0; w < s->words; w++) out[w] |= scratch[w];
    }
    return OM_OK;
}

static om_status eval_const(const struct stretch *s,
                            const struct om__pass *pass,
                            const uint64_t *candidates, uint64_t *out)
{
    if (!pass->value)
        memset(out, 0, s->words * 8);
    else if (candidates)
        memcpy(out, candidates, s->words * 8);
    else
        fill(out, s->end - s->first);
    return OM_OK;
}

/* Rows of the stretch for which the condition is true, among the candidates
 * (NULL: all of them). */
static om_status eval(const struct stretch *s, const struct om__pass *pass,
                      const uint64_t *candidates, uint64_t *scratch,
                      uint64_t *out)
{
    switch (pass->kind) {
        case OM__PASS_CONST:
            return eval_const(s, pass, candidates, out);
        case OM__PASS_AND:
            return eval_and(s, pass, candidates, scratch, out);
        case OM__PASS_OR:
            return eval_or(s, pass, candidates, scratch, out);
        case OM__PASS_NULLS:
            return eval_nulls(s, pass, candidates, out);
        case OM__PASS_ROWS:
            return eval_rows(s, pass, candidates, out);
        case OM__PASS_RUNS:
            return eval_runs(s, pass, candidates, out);
        case OM__PASS_SHAPES:
            return eval_shapes(s, pass, candidates, out);
        case OM__PASS_PAIR:
            return eval_pair(s, pass, candidates, out);
        case OM__PASS_TEXT:
            return each_candidate(s, pass, candidates, test_text, NULL, out);
        default:
            return eval_stored(s, pass, candidates, out);
    }
}

om_status om__lane_init(struct om__lane *lane, const struct om__plan *plan)
{
    *lane = (struct om__lane){0};
    lane->scratch = om_alloc_array(plan->scratch * OM__CHUNK_WORDS, 8);
    lane->reader = om_calloc(plan->readers, sizeof *lane->reader);
    return lane->scratch && lane->reader ? OM_OK : OM_E_MEMORY;
}

void om__lane_deinit(struct om__lane *lane, const struct om__plan *plan)
{
    if (lane->reader)
        for (size_t i = 0; i < plan->readers; i++)
            om_text_reader_deinit(&lane->reader[i]);
    om_free(lane->reader);
    om_free(lane->scratch);
    om_free(lane->folded);
}

om_status om__plan_eval(const struct om__plan *plan, struct om__lane *lane,
                        size_t first, size_t end, uint64_t *out)
{
    const struct stretch s = {.plan = plan,
                              .lane = lane,
                              .first = first,
                              .end = end,
                              .words = (end - first + 63) / 64};
    return eval(&s, plan->root, NULL, lane->scratch, out);
}
