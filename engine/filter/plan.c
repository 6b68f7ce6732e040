// plan.c - a canonical filter compiled for the columns of one segment.
#include <stdlib.h>
#include <string.h>

#include "engine/filter/eval_internal.h"

/* Entries of a table that replaces ranges: 4 MiB, past the second cache but
 * still one load a row; beyond that ranges are searched. */
#define MAX_TABLE ((uint64_t)1 << 22)
/* Ids of one IN that are looked up one by one instead of passed over. */
#define MAX_LOOKUPS 4096

/* Rough nanoseconds for a thousand rows: what AND and OR are sorted by. */
enum cost {
    COST_NONE = 0,
    COST_ROWS = 10,
    COST_SPANS = 200,
    COST_TABLE = 800,
    COST_RUNS = 1000,
    COST_SEARCH = 5000,
    COST_PAIR = 6000,
    COST_SHAPES = 20000,
    COST_NUMBERED = 40000,
    COST_TEXT = 100000,
};

static om_status plan_node(struct om__plan *plan, const struct om_filter *f,
                           const struct om__node *node, size_t depth,
                           struct om__pass **out);

static om_status find_column(const struct om__plan *plan,
                             const struct om_filter *f, size_t column,
                             size_t *out, const struct om_column **data)
{
    const struct om_schema *schema = om_segment_schema(plan->segment);
    const struct om__column *wanted = &f->column[column];
    *out = om_schema_find(schema, wanted->name);
    if (*out == OM_NO_FIELD) return OM_E_NOTFOUND;
    if (om__type_is_text(schema->field[*out].type) !=
            om__type_is_text(wanted->type) ||
        (!om__type_is_text(wanted->type) &&
         schema->field[*out].type != wanted->type))
        return OM_E_TYPE;
    return om_segment_column(plan->segment, *out, 0, 0, data);
}

/* ---- ranges */

static uint64_t extent(const struct om__range *range, size_t count)
{
    return (uint64_t)range[count - 1].hi - (uint64_t)range[0].lo;
}

static om_status build_table(struct om__plan *plan, struct om__pass *pass)
{
    const uint64_t entries = extent(pass->test, pass->tests) + 1;
    uint8_t *table = om_arena_calloc(&plan->arena, (size_t)entries, 1);
    if (!table) return OM_E_MEMORY;
    for (size_t i = 0; i < pass->tests; i++) {
        const uint64_t at =
            (uint64_t)pass->test[i].lo - (uint64_t)pass->test[0].lo;
        memset(table + at, 1, (size_t)(extent(&pass->test[i], 1) + 1));
    }
    pass->table = table;
    pass->kind = OM__PASS_TABLE;
    pass->cost = COST_TABLE;
    return OM_OK;
}

/* How to look for ranges of stored values: up to OM__MAX_SPANS at once, by a
 * table, or by search; by the gaps between them if those are less. */
static om_status settle_ranges(struct om__plan *plan, struct om__pass *pass)
{
    pass->test = pass->range;
    pass->tests = pass->ranges;
    pass->cost = COST_SPANS;
    if (pass->tests <= OM__MAX_SPANS) return OM_OK;
    const struct om__range all = {INT64_MIN, INT64_MAX};
    size_t gaps;
    const struct om__range *gap =
        om__ranges_invert(&plan->arena, pass->range, pass->ranges, all, &gaps);
    if (!gap) return OM_E_MEMORY;
    if (gaps && (gaps <= OM__MAX_SPANS ||
                 extent(gap, gaps) < extent(pass->test, pass->tests))) {
        pass->test = gap;
        pass->tests = gaps;
        pass->inverted = true;
    }
    if (pass->tests <= OM__MAX_SPANS) return OM_OK;
    if (extent(pass->test, pass->tests) < MAX_TABLE)
        return build_table(plan, pass);
    pass->inverted = false;
    pass->test = pass->range;
    pass->tests = pass->ranges;
    pass->kind = OM__PASS_SEARCH;
    pass->cost = COST_SEARCH;
    return OM_OK;
}

static om_status plan_ranges(struct om__plan *plan, struct om__pass *pass,
                             const struct om_column *column)
{
    pass->kind = OM__PASS_RANGES;
    pass->range = pass->node->range;
    pass->ranges = pass->node->ranges;
    if (column->coding != OM_CODING_REAL) return settle_ranges(plan, pass);
    pass->kind = OM__PASS_REALS;
    pass->cost =
        COST_SPANS * (unsigned)(pass->ranges < 100 ? pass->ranges : 100);
    return OM_OK;
}

/* ---- texts */

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static om_status plan_ids(struct om__plan *plan, struct om__pass *pass)
{
    const struct om__node *node = pass->node;
    uint32_t *row = om_arena_calloc(&plan->arena, node->texts, sizeof *row);
    if (!row) return OM_E_MEMORY;
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < node->texts && !st; i++) {
        size_t found;
        st = om_segment_find(plan->segment, node->text[i].bytes,
                             node->text[i].len, &reader, &found);
        if (!st) row[pass->rows++] = (uint32_t)found;
        if (st == OM_E_NOTFOUND) st = OM_OK;
    }
    om_text_reader_deinit(&reader);
    qsort(row, pass->rows, sizeof *row, by_number);
    pass->kind = OM__PASS_ROWS;
    pass->cost = COST_ROWS;
    pass->row = row;
    return st;
}

static om_status plan_text(struct om__plan *plan, struct om__pass *pass,
                           const struct om_column *column)
{
    const struct om__node *node = pass->node;
    const bool is_id =
        pass->column == om_segment_schema(plan->segment)->id_field;
    if (is_id && node->kind == OM__TEXTS && !node->negated && !node->fold &&
        node->texts <= MAX_LOOKUPS)
        return plan_ids(plan, pass);
    pass->kind = OM__PASS_TEXT;
    OM_TRY(om__plan_texts(plan, pass, column));
    if (pass->kind == OM__PASS_RANGES) return settle_ranges(plan, pass);
    pass->cost =
        column->coding == OM_CODING_NUMBERED ? COST_NUMBERED : COST_TEXT;
    pass->reader = plan->readers++;
    return OM_OK;
}

/* ---- the rest */

static om_status plan_pair(struct om__plan *plan, const struct om_filter *f,
                           struct om__pass *pass)
{
    const struct om_column *other;
    OM_TRY(find_column(plan, f, pass->node->other, &pass->other, &other));
    pass->kind = OM__PASS_PAIR;
    pass->texts = om__type_is_text(f->column[pass->node->column].type);
    pass->cost = pass->texts ? COST_TEXT : COST_PAIR;
    pass->reader = plan->readers;
    if (pass->texts) plan->readers += 2;
    return OM_OK;
}

static om_status plan_place(struct om__plan *plan, struct om__pass *pass)
{
    const struct om_schema *schema = om_segment_schema(plan->segment);
    pass->negated = pass->node->negated;
    pass->kind = OM__PASS_SHAPES;
    pass->cost = COST_SHAPES;
    if (schema->geometry != OM_GEOMETRY_POINT) return OM_OK;
    pass->kind = OM__PASS_RUNS;
    pass->cost = COST_RUNS;
    return om__plan_runs(plan, pass);
}

static om_status plan_leaf(struct om__plan *plan, const struct om_filter *f,
                           struct om__pass *pass)
{
    const struct om__node *node = pass->node;
    if (node->kind == OM__CONST) {
        pass->kind = OM__PASS_CONST;
        pass->value = node->value;
        pass->cost = COST_NONE;
        return OM_OK;
    }
    if (node->kind == OM__PLACE) return plan_place(plan, pass);
    const struct om_column *column;
    OM_TRY(find_column(plan, f, node->column, &pass->column, &column));
    switch (node->kind) {
        case OM__RANGES:
            return plan_ranges(plan, pass, column);
        case OM__NULLS:
            pass->kind = OM__PASS_NULLS;
            pass->negated = node->negated;
            pass->cost = COST_ROWS;
            return OM_OK;
        case OM__PAIR:
            return plan_pair(plan, f, pass);
        default:
            return plan_text(plan, pass, column);
    }
}

static int by_cost(const void *a, const void *b)
{
    const struct om__pass *x = *(struct om__pass *const *)a;
    const struct om__pass *y = *(struct om__pass *const *)b;
    return x->cost < y->cost ? -1 : x->cost > y->cost;
}

/* AND and OR: cheap conditions first, so that dear ones see fewer rows. */
static om_status plan_children(struct om__plan *plan, const struct om_filter *f,
                               struct om__pass *pass, size_t depth)
{
    const struct om__node *node = pass->node;
    pass->kind = node->kind == OM__AND ? OM__PASS_AND : OM__PASS_OR;
    for (const struct om__node *c = node->child; c; c = c->next)
        pass->children++;
    pass->child =
        om_arena_calloc(&plan->arena, pass->children, sizeof *pass->child);
    if (!pass->child) return OM_E_MEMORY;
    size_t i = 0;
    for (const struct om__node *c = node->child; c; c = c->next, i++) {
        OM_TRY(plan_node(plan, f, c, depth, &pass->child[i]));
        pass->cost += pass->child[i]->cost;
    }
    qsort(pass->child, pass->children, sizeof *pass->child, by_cost);
    return OM_OK;
}

static om_status plan_node(struct om__plan *plan, const struct om_filter *f,
                           const struct om__node *node, size_t depth,
                           struct om__pass **out)
{
    struct om__pass *pass = om_arena_calloc(&plan->arena, 1, sizeof *pass);
    if (!pass) return OM_E_MEMORY;
    *out = pass;
    pass->node = node;
    if (node->kind != OM__AND && node->kind != OM__OR)
        return plan_leaf(plan, f, pass);
    // AND keeps one bitmap beside its result, OR two.
    const size_t needs = depth + (node->kind == OM__AND ? 1 : 2);
    if (needs > plan->scratch) plan->scratch = needs;
    return plan_children(plan, f, pass, needs);
}

om_status om__plan_init(struct om__plan *plan, const struct om_filter *filter,
                        const struct om__node *root,
                        const struct om_segment *segment)
{
    *plan = (struct om__plan){.segment = segment};
    return plan_node(plan, filter, root, 0, &plan->root);
}

void om__plan_deinit(struct om__plan *plan)
{
    om_arena_deinit(&plan->arena);
}
