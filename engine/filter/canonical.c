/* canonical.c - one form for all writings of a filter.
 *
 * DESIGN
 * NOT is pushed into the leaves by De Morgan's laws, which hold in SQL's three
 * values too; a negated leaf is a leaf again (x < 3 becomes x >= 3: both are
 * unknown where x is NULL). In a tree without NOT the rows for which it is
 * true follow from the rows for which each leaf is true, by intersection and
 * union alone. So 'unknown' needs no bitmap of its own, and from here on it
 * may be treated as false: a leaf that is never true becomes FALSE.
 *
 * Everything about one number column is a set of ranges, so that AND and OR of
 * its conditions become one condition and one pass. Other operands are sorted
 * by what they print, and equal ones dropped. */
#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"
#include "engine/filter/filter_internal.h"

/* ---- negation */

static enum om__op opposite(enum om__op op)
{
    static const enum om__op OPPOSITE[] = {OM__GE, OM__GT, OM__NE,
                                           OM__EQ, OM__LT, OM__LE};
    return OPPOSITE[op];
}

static om_status full_ranges(struct om_filter *f, struct om__node *node)
{
    node->range = om_arena_calloc(&f->arena, 1, sizeof *node->range);
    if (!node->range) return OM_E_MEMORY;
    node->kind = OM__RANGES;
    node->range[0] = om__domain(f->column[node->column].type);
    node->ranges = 1;
    return OM_OK;
}

static om_status negate_leaf(struct om_filter *f, struct om__node *node)
{
    switch (node->kind) {
        case OM__CONST:
            node->value = !node->value;
            break;
        case OM__RANGES:
            node->range = om__ranges_invert(
                &f->arena, node->range, node->ranges,
                om__domain(f->column[node->column].type), &node->ranges);
            if (!node->range) return OM_E_MEMORY;
            break;
        case OM__ORDER:
        case OM__PAIR:
            node->op = opposite(node->op);
            break;
        default:
            node->negated = !node->negated;
    }
    return OM_OK;
}

/* LIKE without wildcards is equality; LIKE '%' asks for a value only. */
static om_status plain_like(struct om_filter *f, struct om__node *node)
{
    const struct om__text pattern = node->text[0];
    char *prefix = om_arena_alloc(&f->arena, pattern.len + 1);
    struct om__text rest;
    if (!prefix) return OM_E_MEMORY;
    const size_t n = om__like_prefix(pattern.bytes, pattern.len, prefix, &rest);
    if (rest.len == 0) {
        node->kind = OM__TEXTS;
        node->text[0] = (struct om__text){prefix, n};
        return OM_OK;
    }
    size_t percents = 0;
    while (percents < rest.len && rest.bytes[percents] == '%') percents++;
    if (n == 0 && percents == rest.len && !node->negated) {
        node->kind = OM__NULLS;
        node->negated = true;
    }
    return OM_OK;
}

static void order_pair(const struct om_filter *f, struct om__node *node)
{
    static const enum om__op MIRROR[] = {OM__GT, OM__GE, OM__EQ,
                                         OM__NE, OM__LE, OM__LT};
    const int order =
        strcmp(f->column[node->column].name, f->column[node->other].name);
    if (order < 0 || (order == 0 && node->fold >= node->other_fold)) return;
    const size_t column = node->column;
    const bool fold = node->fold;
    node->column = node->other;
    node->fold = node->other_fold;
    node->other = column;
    node->other_fold = fold;
    node->op = MIRROR[node->op];
}

static om_status settle_leaf(struct om_filter *f, struct om__node *node)
{
    if (node->kind == OM__LIKE) OM_TRY(plain_like(f, node));
    if (node->kind == OM__NULLS && node->negated &&
        !om__type_is_text(f->column[node->column].type))
        OM_TRY(full_ranges(f, node));
    if (node->kind == OM__PAIR) order_pair(f, node);
    if (node->kind == OM__RANGES && node->ranges == 0) {
        node->kind = OM__CONST;
        node->value = false;
    }
    return OM_OK;
}

/* No NOT left below *node. Recursion is bounded by the parser's depth. */
static om_status push_not(struct om_filter *f, struct om__node **node,
                          bool negated)
{
    while ((*node)->kind == OM__NOT) {
        struct om__node *next = (*node)->next;
        *node = (*node)->child;
        (*node)->next = next;
        negated = !negated;
    }
    struct om__node *n = *node;
    if (n->kind != OM__AND && n->kind != OM__OR) {
        if (negated) OM_TRY(negate_leaf(f, n));
        return settle_leaf(f, n);
    }
    if (negated) n->kind = n->kind == OM__AND ? OM__OR : OM__AND;
    for (struct om__node **c = &n->child; *c; c = &(*c)->next)
        OM_TRY(push_not(f, c, negated));
    return OM_OK;
}

/* ---- printing */

static bool is_plain_name(const char *name)
{
    if (om__lex_reserved(name, strlen(name))) return false;
    for (size_t i = 0; name[i]; i++) {
        const char c = name[i];
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && c >= '0' && c <= '9')) return false;
    }
    return name[0] != '\0';
}

om_status om__print_name(struct om_buf *buf, const char *name)
{
    if (is_plain_name(name)) return om_buf_add_text(buf, name);
    om_buf_add_byte(buf, '"');
    for (; *name; name++) {
        if (*name == '"') om_buf_add_byte(buf, '"');
        om_buf_add_byte(buf, (uint8_t)*name);
    }
    return om_buf_add_byte(buf, '"');
}

static void print_column(const struct om_filter *f, size_t column, bool fold,
                         struct om_buf *buf)
{
    if (fold) om_buf_add_text(buf, "CASEI(");
    om__print_name(buf, f->column[column].name);
    if (fold) om_buf_add_byte(buf, ')');
}

static void print_text(struct om__text text, struct om_buf *buf)
{
    om_buf_add_byte(buf, '\'');
    for (size_t i = 0; i < text.len; i++) {
        // Behind a backslash a doubled quote would be read as \' and an end.
        if (text.bytes[i] == '\'')
            om_buf_add_byte(buf, i && text.bytes[i - 1] == '\\' ? '\\' : '\'');
        om_buf_add_byte(buf, (uint8_t)text.bytes[i]);
    }
    om_buf_add_byte(buf, '\'');
}

static void print_value(enum om_type type, int64_t value, struct om_buf *buf)
{
    char text[OM_TIME_TEXT_BYTES];
    switch (type) {
        case OM_TYPE_REAL:
            om_buf_add_json_real(buf, om__real_value(value));
            break;
        case OM_TYPE_TIME:
            om_time_format(value, 0, text);
            om_buf_addf(buf, "TIMESTAMP('%s')", text);
            break;
        case OM_TYPE_BOOLEAN:
            om_buf_add_text(buf, value ? "TRUE" : "FALSE");
            break;
        default:
            om_buf_add_i64(buf, value);
    }
}

/* What lies between the ranges, if each gap is one value: for x NOT IN. */
static bool single_gaps(const struct om__node *n, struct om__range domain)
{
    if (n->ranges < 2 || n->range[0].lo != domain.lo ||
        n->range[n->ranges - 1].hi != domain.hi)
        return false;
    for (size_t i = 1; i < n->ranges; i++)
        if (n->range[i - 1].hi + 2 != n->range[i].lo) return false;
    return true;
}

static void print_list(const struct om_filter *f, const struct om__node *n,
                       bool gaps, struct om_buf *buf)
{
    const enum om_type type = f->column[n->column].type;
    size_t count = 0;
    for (size_t i = gaps; i < n->ranges; i++)
        count += gaps || n->range[i].lo == n->range[i].hi;
    print_column(f, n->column, false, buf);
    if (count == 1)
        om_buf_add_text(buf, gaps ? "<>" : "=");
    else
        om_buf_add_text(buf, gaps ? " NOT IN (" : " IN (");
    bool first = true;
    for (size_t i = gaps; i < n->ranges; i++) {
        if (!gaps && n->range[i].lo != n->range[i].hi) continue;
        if (!first) om_buf_add_byte(buf, ',');
        first = false;
        print_value(type, n->range[i].lo - gaps, buf);
    }
    if (count > 1) om_buf_add_byte(buf, ')');
}

static void print_range(const struct om_filter *f, const struct om__node *n,
                        struct om__range r, struct om_buf *buf)
{
    const enum om_type type = f->column[n->column].type;
    const struct om__range domain = om__domain(type);
    print_column(f, n->column, false, buf);
    if (r.lo == domain.lo) {
        om_buf_add_text(buf, "<=");
        print_value(type, r.hi, buf);
    } else if (r.hi == domain.hi) {
        om_buf_add_text(buf, ">=");
        print_value(type, r.lo, buf);
    } else {
        om_buf_add_text(buf, " BETWEEN ");
        print_value(type, r.lo, buf);
        om_buf_add_text(buf, " AND ");
        print_value(type, r.hi, buf);
    }
}

static void print_ranges(const struct om_filter *f, const struct om__node *n,
                         struct om_buf *buf)
{
    const struct om__range domain = om__domain(f->column[n->column].type);
    if (n->ranges == 1 && n->range[0].lo == domain.lo &&
        n->range[0].hi == domain.hi) {
        print_column(f, n->column, false, buf);
        om_buf_add_text(buf, " IS NOT NULL");
        return;
    }
    if (single_gaps(n, domain)) {
        print_list(f, n, true, buf);
        return;
    }
    size_t points = 0;
    for (size_t i = 0; i < n->ranges; i++)
        points += n->range[i].lo == n->range[i].hi;
    const size_t pieces = n->ranges - points + (points > 0);
    if (pieces > 1) om_buf_add_byte(buf, '(');
    bool first = true;
    for (size_t i = 0; i < n->ranges; i++) {
        if (n->range[i].lo == n->range[i].hi) continue;
        if (!first) om_buf_add_text(buf, " OR ");
        first = false;
        print_range(f, n, n->range[i], buf);
    }
    if (points) {
        if (!first) om_buf_add_text(buf, " OR ");
        print_list(f, n, false, buf);
    }
    if (pieces > 1) om_buf_add_byte(buf, ')');
}

static void print_texts(const struct om_filter *f, const struct om__node *n,
                        struct om_buf *buf)
{
    print_column(f, n->column, n->fold, buf);
    if (n->texts == 1)
        om_buf_add_text(buf, n->negated ? "<>" : "=");
    else
        om_buf_add_text(buf, n->negated ? " NOT IN (" : " IN (");
    for (size_t i = 0; i < n->texts; i++) {
        if (i) om_buf_add_byte(buf, ',');
        print_text(n->text[i], buf);
    }
    if (n->texts > 1) om_buf_add_byte(buf, ')');
}

static void print_leaf(const struct om_filter *f, const struct om__node *n,
                       struct om_buf *buf)
{
    static const char *const OP[] = {"<", "<=", "=", "<>", ">=", ">"};
    switch (n->kind) {
        case OM__CONST:
            om_buf_add_text(buf, n->value ? "TRUE" : "FALSE");
            break;
        case OM__RANGES:
            print_ranges(f, n, buf);
            break;
        case OM__NULLS:
            print_column(f, n->column, false, buf);
            om_buf_add_text(buf, n->negated ? " IS NOT NULL" : " IS NULL");
            break;
        case OM__TEXTS:
            print_texts(f, n, buf);
            break;
        case OM__ORDER:
            print_column(f, n->column, n->fold, buf);
            om_buf_add_text(buf, OP[n->op]);
            print_text(n->text[0], buf);
            break;
        case OM__LIKE:
            print_column(f, n->column, n->fold, buf);
            om_buf_add_text(buf, n->negated ? " NOT LIKE " : " LIKE ");
            print_text(n->text[0], buf);
            break;
        case OM__PAIR:
            print_column(f, n->column, n->fold, buf);
            om_buf_add_text(buf, OP[n->op]);
            print_column(f, n->other, n->other_fold, buf);
            break;
        default:
            om_buf_addf(buf, "%s(geom,",
                        n->negated ? "S_DISJOINT" : "S_INTERSECTS");
            om_buf_add_text(buf, n->place->wkt);
            om_buf_add_byte(buf, ')');
    }
}

static om_status print_node(struct om_filter *f, struct om__node *n)
{
    struct om_buf buf = {0};
    if (n->kind != OM__AND && n->kind != OM__OR) {
        print_leaf(f, n, &buf);
    } else {
        for (const struct om__node *c = n->child; c; c = c->next) {
            const bool parentheses = n->kind == OM__AND && c->kind == OM__OR;
            if (c != n->child)
                om_buf_add_text(&buf, n->kind == OM__AND ? " AND " : " OR ");
            if (parentheses) om_buf_add_byte(&buf, '(');
            om_buf_add(&buf, c->canonical.bytes, c->canonical.len);
            if (parentheses) om_buf_add_byte(&buf, ')');
        }
    }
    om_status st = buf.status;
    if (!st) {
        n->canonical.bytes =
            om_arena_text(&f->arena, (const char *)buf.bytes, buf.len);
        n->canonical.len = buf.len;
        if (!n->canonical.bytes) st = OM_E_MEMORY;
    }
    om_buf_deinit(&buf);
    return st;
}

/* ---- joining operands of AND and OR */

static int by_subject(const void *a, const void *b)
{
    const struct om__node *x = *(struct om__node *const *)a;
    const struct om__node *y = *(struct om__node *const *)b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->column != y->column) return x->column < y->column ? -1 : 1;
    if (x->fold != y->fold) return x->fold < y->fold ? -1 : 1;
    return (x->negated > y->negated) - (x->negated < y->negated);
}

static int by_canonical(const void *a, const void *b)
{
    const struct om__node *x = *(struct om__node *const *)a;
    const struct om__node *y = *(struct om__node *const *)b;
    return om__text_order(x->canonical, y->canonical);
}

static int by_text(const void *a, const void *b)
{
    return om__text_order(*(const struct om__text *)a,
                          *(const struct om__text *)b);
}

/* The ranges of all nodes as one set: their union, or for AND what is left
 * when the union of what they leave out is taken away. */
static om_status join_ranges(struct om_filter *f, bool and_them,
                             struct om__node *const *node, size_t count)
{
    const struct om__range domain = om__domain(f->column[node[0]->column].type);
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += node[i]->ranges + 1;
    struct om__range *all = om_arena_calloc(&f->arena, total, sizeof *all);
    if (!all) return OM_E_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct om__range *range = node[i]->range;
        size_t ranges = node[i]->ranges;
        if (and_them)
            range =
                om__ranges_invert(&f->arena, range, ranges, domain, &ranges);
        if (!range) return OM_E_MEMORY;
        memcpy(all + n, range, ranges * sizeof *all);
        n += ranges;
    }
    n = om__ranges_settle(all, n);
    if (and_them) all = om__ranges_invert(&f->arena, all, n, domain, &n);
    if (!all) return OM_E_MEMORY;
    node[0]->range = all;
    node[0]->ranges = n;
    return OM_OK;
}

/* The lists of all nodes as one: IN by OR and NOT IN by AND join their lists;
 * the other two keep what is in every list. */
static om_status join_texts(struct om_filter *f, bool and_them,
                            struct om__node *const *node, size_t count)
{
    struct om__node *first = node[0];
    const bool join = first->negated == and_them;
    size_t total = 0, n = 0;
    for (size_t i = 0; i < count; i++) total += node[i]->texts;
    struct om__text *all = om_arena_calloc(&f->arena, total, sizeof *all);
    if (!all) return OM_E_MEMORY;
    for (size_t i = 0, at = 0; i < count; at += node[i++]->texts)
        memcpy(all + at, node[i]->text, node[i]->texts * sizeof *all);
    qsort(all, total, sizeof *all, by_text);
    for (size_t i = 0; i < total;) {
        size_t end = i + 1;
        while (end < total && by_text(&all[i], &all[end]) == 0) end++;
        if (join || end - i == count) all[n++] = all[i];
        i = end;
    }
    first->text = all;
    first->texts = n;
    if (n) return OM_OK;
    // In no list at all: never true, or true of every value.
    first->kind = first->negated ? OM__NULLS : OM__CONST;
    first->value = false;
    first->negated = true;
    return OM_OK;
}

/* Joins the leaves about one column; returns how many nodes are left. */
static om_status join_leaves(struct om_filter *f, bool and_them,
                             struct om__node **node, size_t *count)
{
    qsort(node, *count, sizeof(struct om__node *), by_subject);
    size_t n = 0;
    for (size_t i = 0; i < *count;) {
        size_t end = i + 1;
        const enum om__kind kind = node[i]->kind;
        if (kind == OM__RANGES || kind == OM__TEXTS)
            while (end < *count && by_subject(&node[i], &node[end]) == 0) end++;
        if (end - i > 1) {
            if (kind == OM__RANGES)
                OM_TRY(join_ranges(f, and_them, node + i, end - i));
            else
                OM_TRY(join_texts(f, and_them, node + i, end - i));
            OM_TRY(settle_leaf(f, node[i]));
            OM_TRY(print_node(f, node[i]));
        }
        node[n++] = node[i];
        i = end;
    }
    *count = n;
    return OM_OK;
}

/* Children in one array, those of children of the same kind in their place. */
static struct om__node **gather(struct om_filter *f, const struct om__node *n,
                                size_t *count)
{
    *count = 0;
    for (const struct om__node *c = n->child; c; c = c->next) {
        if (c->kind != n->kind) {
            ++*count;
            continue;
        }
        for (const struct om__node *g = c->child; g; g = g->next) ++*count;
    }
    struct om__node **out = om_arena_calloc(&f->arena, *count, sizeof *out);
    if (!out) return NULL;
    size_t i = 0;
    for (struct om__node *c = n->child; c; c = c->next) {
        if (c->kind != n->kind) {
            out[i++] = c;
            continue;
        }
        for (struct om__node *g = c->child; g; g = g->next) out[i++] = g;
    }
    return out;
}

static void become_const(struct om__node *n, bool value)
{
    n->kind = OM__CONST;
    n->value = value;
    n->child = NULL;
}

/* Drop constants and doubles and link the rest below `n`, in order. */
static void relink(struct om__node *n, struct om__node **node, size_t count)
{
    const bool and_them = n->kind == OM__AND;
    qsort(node, count, sizeof(struct om__node *), by_canonical);
    struct om__node **tail = &n->child;
    const struct om__node *before = NULL;
    for (size_t i = 0; i < count; i++) {
        struct om__node *c = node[i];
        if (c->kind == OM__CONST) {
            if (c->value == and_them) continue;
            become_const(n, !and_them);
            return;
        }
        if (before && by_canonical(&before, &c) == 0) continue;
        before = *tail = c;
        tail = &c->next;
    }
    *tail = NULL;
    if (!n->child) become_const(n, and_them);
}

static om_status simplify(struct om_filter *f, struct om__node **node)
{
    struct om__node *n = *node;
    if (n->kind == OM__AND || n->kind == OM__OR) {
        for (struct om__node **c = &n->child; *c; c = &(*c)->next)
            OM_TRY(simplify(f, c));
        size_t count;
        struct om__node **list = gather(f, n, &count);
        if (!list) return OM_E_MEMORY;
        OM_TRY(join_leaves(f, n->kind == OM__AND, list, &count));
        relink(n, list, count);
        if (n->child && !n->child->next) {
            struct om__node *only = n->child;
            only->next = n->next;
            *node = only;
            return OM_OK;
        }
    }
    return print_node(f, n);
}

om_status om__canonical(struct om_filter *f)
{
    OM_TRY(push_not(f, &f->root, false));
    OM_TRY(simplify(f, &f->root));
    f->canonical = f->root->canonical;
    const char **names =
        om_arena_calloc(&f->arena, f->columns + 1, sizeof *names);
    if (!names) return OM_E_MEMORY;
    for (size_t i = 0; i < f->columns; i++) names[i] = f->column[i].name;
    f->names = names;
    return OM_OK;
}
