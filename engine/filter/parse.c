/* parse.c - CQL2 text into a tree, by recursive descent.
 *
 * DESIGN
 * The grammar is that of OGC 21-065r2, annex B, without arithmetic, arrays and
 * functions of one's own. BETWEEN, IN and the temporal relations are put
 * together from comparisons, so that every rule about types and NULL is in one
 * place (bind.c); canonical.c joins the pieces again. Only parentheses and
 * CASEI recurse, and they are counted; chains of AND, OR and NOT are loops. */
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/utf8.h"
#include "engine/filter/filter_internal.h"

static om_status parse_or(struct om__parser *p, struct om__node **out);

static om_status next(struct om__parser *p)
{
    return om__lex_next(&p->lexer);
}

static const struct om__token *token(const struct om__parser *p)
{
    return &p->lexer.token;
}

static bool is_symbol(const struct om__parser *p, char symbol)
{
    return token(p)->kind == OM__SYMBOL && token(p)->symbol == symbol;
}

om_status om__unexpected(struct om__parser *p, const char *wanted)
{
    const struct om__token *t = token(p);
    if (t->kind == OM__END)
        return om_fail(p->err, OM_E_FORMAT, t->at,
                       "the filter ends where %s was expected", wanted);
    if (t->kind == OM__SYMBOL && strchr("+-*/^%", t->symbol))
        return om_fail(p->err, OM_E_UNSUPPORTED, t->at,
                       "'%c' at byte %zu: filters do no arithmetic", t->symbol,
                       t->at);
    const size_t shown = t->end - t->at < 40 ? t->end - t->at : 40;
    return om_fail(p->err, OM_E_FORMAT, t->at,
                   "%s expected at byte %zu, found %.*s", wanted, t->at,
                   (int)shown, p->lexer.text + t->at);
}

om_status om__expect(struct om__parser *p, char symbol)
{
    const char wanted[] = {'\'', symbol, '\'', '\0'};
    return is_symbol(p, symbol) ? next(p) : om__unexpected(p, wanted);
}

static om_status enter(struct om__parser *p)
{
    if (++p->depth <= OM_LIMIT_FILTER_DEPTH) return OM_OK;
    return om_fail(p->err, OM_E_LIMIT, token(p)->at,
                   "parentheses nest deeper than %d", OM_LIMIT_FILTER_DEPTH);
}

/* ---- operands */

static om_status parse_number(struct om__parser *p, struct om__literal *out)
{
    bool negative = false;
    if (is_symbol(p, '-') || is_symbol(p, '+')) {
        negative = is_symbol(p, '-');
        OM_TRY(next(p));
    }
    const struct om__token *t = token(p);
    if (t->kind != OM__NUMBER) return om__unexpected(p, "a number");
    char *text = om_arena_alloc(&p->filter->arena, t->text.len + 2);
    if (!text) return OM_E_MEMORY;
    text[0] = negative ? '-' : '+';
    memcpy(text + 1, t->text.bytes, t->text.len);
    text[t->text.len + 1] = '\0';
    char *end;
    const long long integer = strtoll(text, &end, 10);
    *out = (struct om__literal){.kind = OM__LITERAL_NUMBER,
                                .integer = integer,
                                .real = strtod(text, NULL)};
    // At either end strtoll may have clamped: the double says what it is.
    out->exact = !*end && integer != INT64_MAX && integer != INT64_MIN;
    return next(p);
}

/* DATE('..') and TIMESTAMP('..'). */
static om_status parse_instant(struct om__parser *p, struct om__literal *out)
{
    OM_TRY(next(p));
    OM_TRY(om__expect(p, '('));
    if (token(p)->kind != OM__TEXT)
        return om__unexpected(p, "a time in quotes, like '2023-06-26'");
    OM_TRY(om__bind_time(p, token(p)->text, token(p)->at, out));
    OM_TRY(next(p));
    return om__expect(p, ')');
}

static om_status fold_literal(struct om__parser *p, struct om__literal *literal)
{
    char *folded = om_arena_alloc(&p->filter->arena, literal->text.len * 3 + 1);
    if (!folded) return OM_E_MEMORY;
    literal->text.len =
        om__fold(literal->text.bytes, literal->text.len, folded);
    literal->text.bytes = folded;
    return OM_OK;
}

static om_status parse_casei(struct om__parser *p, struct om__operand *out)
{
    const size_t at = token(p)->at;
    OM_TRY(enter(p));
    OM_TRY(next(p));
    OM_TRY(om__expect(p, '('));
    OM_TRY(om__parse_operand(p, out));
    OM_TRY(om__expect(p, ')'));
    p->depth--;
    if (out->is_column) {
        const struct om__column *c = &p->filter->column[out->column];
        if (!om__type_is_text(c->type))
            return om_fail(p->err, OM_E_TYPE, at,
                           "CASEI takes a text, %s is not one", c->name);
        out->fold = true;
        return OM_OK;
    }
    if (out->literal.kind != OM__LITERAL_TEXT)
        return om_fail(p->err, OM_E_TYPE, at, "CASEI takes a text");
    return fold_literal(p, &out->literal);
}

static om_status parse_call(struct om__parser *p, struct om__operand *out)
{
    if (om__lex_is(&p->lexer, "CASEI")) return parse_casei(p, out);
    if (om__lex_is(&p->lexer, "DATE") || om__lex_is(&p->lexer, "TIMESTAMP"))
        return parse_instant(p, &out->literal);
    const struct om__token *t = token(p);
    return om_fail(p->err, OM_E_UNSUPPORTED, t->at,
                   "no function '%.*s' (functions: CASEI, DATE, TIMESTAMP, "
                   "INTERVAL, S_INTERSECTS, S_DISJOINT, T_AFTER, T_BEFORE, "
                   "T_DURING and the other T_ relations)",
                   (int)(t->text.len < 40 ? t->text.len : 40), t->text.bytes);
}

om_status om__parse_operand(struct om__parser *p, struct om__operand *out)
{
    const struct om__token *t = token(p);
    *out = (struct om__operand){.at = t->at};
    if (t->kind == OM__TEXT) {
        out->literal.kind = OM__LITERAL_TEXT;
        out->literal.text = t->text;
        return next(p);
    }
    if (t->kind == OM__NUMBER || is_symbol(p, '-') || is_symbol(p, '+'))
        return parse_number(p, &out->literal);
    if (om__lex_is(&p->lexer, "TRUE") || om__lex_is(&p->lexer, "FALSE")) {
        out->literal.kind = OM__LITERAL_BOOLEAN;
        out->literal.exact = true;
        out->literal.integer = om__lex_is(&p->lexer, "TRUE");
        return next(p);
    }
    if (om__lex_is(&p->lexer, "NULL"))
        return om_fail(p->err, OM_E_FORMAT, t->at,
                       "NULL equals nothing: write IS NULL or IS NOT NULL");
    if (t->kind == OM__NAME && om__lex_reserved(t->text.bytes, t->text.len))
        return om__unexpected(p, "a column or a value");
    if (t->kind == OM__NAME && t->call) return parse_call(p, out);
    if (t->kind != OM__NAME && t->kind != OM__QUOTED)
        return om__unexpected(p, "a column or a value");
    out->is_column = true;
    OM_TRY(om__bind_column(p, t->text, t->at, &out->column));
    return next(p);
}

/* ---- predicates */

static struct om__node *join(struct om_filter *filter, enum om__kind kind,
                             struct om__node *first, struct om__node *second)
{
    struct om__node *node = om__node_new(filter, kind);
    if (!node) return NULL;
    node->child = first;
    first->next = second;
    return node;
}

static om_status negate(struct om__parser *p, struct om__node **node)
{
    struct om__node *not = join(p->filter, OM__NOT, *node, NULL);
    if (!not ) return OM_E_MEMORY;
    *node = not ;
    return OM_OK;
}

static om_status parse_in(struct om__parser *p, const struct om__operand *a,
                          struct om__node **out)
{
    OM_TRY(next(p));
    OM_TRY(om__expect(p, '('));
    struct om__node *list = om__node_new(p->filter, OM__OR);
    if (!list) return OM_E_MEMORY;
    struct om__node **tail = &list->child;
    for (;;) {
        struct om__operand item;
        OM_TRY(om__parse_operand(p, &item));
        OM_TRY(om__bind_compare(p, a, OM__EQ, &item, tail));
        tail = &(*tail)->next;
        if (!is_symbol(p, ',')) break;
        OM_TRY(next(p));
    }
    *out = list;
    return om__expect(p, ')');
}

static om_status parse_between(struct om__parser *p,
                               const struct om__operand *a,
                               struct om__node **out)
{
    struct om__operand low, high;
    struct om__node *above, *below;
    OM_TRY(next(p));
    OM_TRY(om__parse_operand(p, &low));
    if (!om__lex_is(&p->lexer, "AND")) return om__unexpected(p, "AND");
    OM_TRY(next(p));
    OM_TRY(om__parse_operand(p, &high));
    OM_TRY(om__bind_compare(p, a, OM__GE, &low, &above));
    OM_TRY(om__bind_compare(p, a, OM__LE, &high, &below));
    *out = join(p->filter, OM__AND, above, below);
    return *out ? OM_OK : OM_E_MEMORY;
}

/* IS [NOT] NULL, the token being IS. */
static om_status parse_is(struct om__parser *p, bool *negated)
{
    OM_TRY(next(p));
    *negated = om__lex_is(&p->lexer, "NOT");
    if (*negated) OM_TRY(next(p));
    if (!om__lex_is(&p->lexer, "NULL")) return om__unexpected(p, "NULL");
    return next(p);
}

static bool comparison(const struct om__parser *p, enum om__op *op)
{
    if (token(p)->kind != OM__SYMBOL) return false;
    switch (token(p)->symbol) {
        case '<':
            *op = OM__LT;
            return true;
        case '>':
            *op = OM__GT;
            return true;
        case '=':
            *op = OM__EQ;
            return true;
        case OM__SYMBOL_LE:
            *op = OM__LE;
            return true;
        case OM__SYMBOL_GE:
            *op = OM__GE;
            return true;
        case OM__SYMBOL_NE:
            *op = OM__NE;
            return true;
        default:
            return false;
    }
}

/* An operand that stands alone: a boolean. */
static om_status lone(struct om__parser *p, const struct om__operand *a,
                      struct om__node **out)
{
    const struct om__operand yes = {
        .at = a->at,
        .literal = {.kind = OM__LITERAL_BOOLEAN, .exact = true, .integer = 1}};
    if (a->is_column) {
        if (p->filter->column[a->column].type != OM_TYPE_BOOLEAN)
            return om__unexpected(p, "a comparison, IN, BETWEEN, LIKE or IS");
    } else if (a->literal.kind != OM__LITERAL_BOOLEAN) {
        return om__unexpected(p, "a comparison");
    }
    return om__bind_compare(p, a, OM__EQ, &yes, out);
}

static om_status parse_comparison(struct om__parser *p, struct om__node **out)
{
    struct om__operand a, b;
    enum om__op op;
    OM_TRY(om__parse_operand(p, &a));
    if (comparison(p, &op)) {
        OM_TRY(next(p));
        OM_TRY(om__parse_operand(p, &b));
        return om__bind_compare(p, &a, op, &b, out);
    }
    bool negated = false;
    if (om__lex_is(&p->lexer, "IS")) {
        if (!a.is_column) return om__unexpected(p, "a comparison");
        OM_TRY(parse_is(p, &negated));
        return om__bind_null(p, a.column, negated, out);
    }
    if (om__lex_is(&p->lexer, "NOT")) {
        negated = true;
        OM_TRY(next(p));
    }
    if (om__lex_is(&p->lexer, "IN")) {
        OM_TRY(parse_in(p, &a, out));
    } else if (om__lex_is(&p->lexer, "BETWEEN")) {
        OM_TRY(parse_between(p, &a, out));
    } else if (om__lex_is(&p->lexer, "LIKE")) {
        OM_TRY(next(p));
        OM_TRY(om__parse_operand(p, &b));
        OM_TRY(om__bind_like(p, &a, &b, out));
    } else if (negated) {
        return om__unexpected(p, "IN, BETWEEN or LIKE");
    } else {
        return lone(p, &a, out);
    }
    return negated ? negate(p, out) : OM_OK;
}

/* geom IS [NOT] NULL: every row has a geometry. */
static om_status parse_geometry_null(struct om__parser *p,
                                     struct om__node **out)
{
    bool negated;
    OM_TRY(next(p));
    if (!om__lex_is(&p->lexer, "IS"))
        return om__unexpected(p, "IS NULL, or S_INTERSECTS around it,");
    OM_TRY(parse_is(p, &negated));
    *out = om__node_new(p->filter, OM__CONST);
    if (!*out) return OM_E_MEMORY;
    (*out)->value = negated;
    return OM_OK;
}

static om_status parse_primary(struct om__parser *p, struct om__node **out)
{
    const struct om__token *t = token(p);
    if (is_symbol(p, '(')) {
        OM_TRY(enter(p));
        OM_TRY(next(p));
        OM_TRY(parse_or(p, out));
        OM_TRY(om__expect(p, ')'));
        p->depth--;
        return OM_OK;
    }
    if (t->kind == OM__NAME && t->call) {
        const bool disjoint = om__lex_is(&p->lexer, "S_DISJOINT");
        if (disjoint || om__lex_is(&p->lexer, "S_INTERSECTS")) {
            OM_TRY(next(p));
            return om__parse_spatial(p, disjoint, out);
        }
        bool known = false;
        OM_TRY(om__parse_temporal(p, &known, out));
        if (known) return OM_OK;
    }
    if ((t->kind == OM__NAME || t->kind == OM__QUOTED) && !t->call &&
        om__bind_is_geometry(p, t->text))
        return parse_geometry_null(p, out);
    return parse_comparison(p, out);
}

static om_status parse_not(struct om__parser *p, struct om__node **out)
{
    bool negated = false;
    while (om__lex_is(&p->lexer, "NOT")) {
        negated = !negated;
        OM_TRY(next(p));
    }
    OM_TRY(parse_primary(p, out));
    return negated ? negate(p, out) : OM_OK;
}

/* One or more of `part`, with `keyword` between them. */
static om_status parse_chain(struct om__parser *p, enum om__kind kind,
                             const char *keyword,
                             om_status (*part)(struct om__parser *,
                                               struct om__node **),
                             struct om__node **out)
{
    OM_TRY(part(p, out));
    if (!om__lex_is(&p->lexer, keyword)) return OM_OK;
    struct om__node *chain = join(p->filter, kind, *out, NULL);
    if (!chain) return OM_E_MEMORY;
    struct om__node **tail = &(*out)->next;
    while (om__lex_is(&p->lexer, keyword)) {
        OM_TRY(next(p));
        OM_TRY(part(p, tail));
        tail = &(*tail)->next;
    }
    *out = chain;
    return OM_OK;
}

static om_status parse_and(struct om__parser *p, struct om__node **out)
{
    return parse_chain(p, OM__AND, "AND", parse_not, out);
}

static om_status parse_or(struct om__parser *p, struct om__node **out)
{
    return parse_chain(p, OM__OR, "OR", parse_and, out);
}

static om_status parse(struct om__parser *p)
{
    OM_TRY(next(p));
    if (token(p)->kind == OM__END)
        return om_fail(p->err, OM_E_FORMAT, 0, "the filter is empty");
    OM_TRY(parse_or(p, &p->filter->root));
    if (token(p)->kind != OM__END)
        return om__unexpected(p, "AND, OR or the end");
    return om__canonical(p->filter);
}

om_status om_filter_parse(const char *text, size_t len,
                          const struct om_layer *layer, int32_t zone_s,
                          struct om_filter **out, struct om_err *err)
{
    return om_filter_parse_in(text, len, layer, zone_s, NULL, out, err);
}

om_status om_filter_parse_in(const char *text, size_t len,
                             const struct om_layer *layer, int32_t zone_s,
                             struct om_project *crs, struct om_filter **out,
                             struct om_err *err)
{
    *out = NULL;
    if (len > OM_LIMIT_FILTER_BYTES)
        return om_fail(err, OM_E_LIMIT, OM_LIMIT_FILTER_BYTES,
                       "the filter has %zu bytes, at most %d are read", len,
                       OM_LIMIT_FILTER_BYTES);
    struct om_filter *filter = om_calloc(1, sizeof *filter);
    char *copy = NULL;
    om_status st = OM_E_MEMORY;
    if (!filter) goto done;
    // Names and numbers of the tree point into the text: keep one of our own.
    copy = om_arena_text(&filter->arena, text, len);
    if (!copy) goto done;
    filter->geometry = layer->schema.geometry;
    struct om__parser p = {.lexer = {.text = copy,
                                     .len = len,
                                     .arena = &filter->arena,
                                     .err = err},
                           .filter = filter,
                           .schema = &layer->schema,
                           .zone_s = zone_s,
                           .crs = crs,
                           .err = err};
    st = parse(&p);
    if (st) goto done;
    filter->scan_s = om__filter_scan_s(filter, layer);
    if (filter->scan_s > OM_LIMIT_FILTER_SCAN_S) {
        st = om_fail(err, OM_E_COST, 0,
                     "the filter reads texts for some %.0f s, at most %d are "
                     "spent: fewer LIKE, or with a column of few values (a "
                     "unit, a kind) beside them",
                     filter->scan_s, OM_LIMIT_FILTER_SCAN_S);
        goto done;
    }
    *out = filter;
    filter = NULL;
done:
    om_filter_free(filter);
    if (st == OM_E_MEMORY) return om_fail(err, st, 0, "out of memory");
    return st;
}

void om_filter_free(struct om_filter *filter)
{
    if (!filter) return;
    om_arena_deinit(&filter->arena);
    om_free(filter);
}

double om_filter_scan_s(const struct om_filter *filter)
{
    return filter ? filter->scan_s : 0;
}

const char *om_filter_canonical(const struct om_filter *filter)
{
    return filter->canonical.bytes;
}

size_t om_filter_columns(const struct om_filter *filter,
                         const char *const **names)
{
    *names = filter->names;
    return filter->columns;
}

bool om_filter_uses_geometry(const struct om_filter *filter)
{
    return filter->uses_geometry;
}
