// temporal.c - T_AFTER and its kin: relations of intervals as comparisons.
#include <string.h>

#include "engine/filter/filter_internal.h"

/* Source: OGC 21-065r2, 7.8, after Allen (1983). Each relation is a
 * conjunction of comparisons of the ends of a and b; an instant is both of
 * its ends. Letters: s start, e end. */
struct condition {
    char a;
    enum om__op op;
    char b;
};
static const struct relation {
    const char *name;
    bool negated;
    struct condition condition[3];  // up to a == 0
} RELATION[] = {
    {"T_AFTER", false, {{'s', OM__GT, 'e'}}},
    {"T_BEFORE", false, {{'e', OM__LT, 's'}}},
    {"T_CONTAINS", false, {{'s', OM__LT, 's'}, {'e', OM__GT, 'e'}}},
    {"T_DISJOINT", true, {{'s', OM__LE, 'e'}, {'e', OM__GE, 's'}}},
    {"T_DURING", false, {{'s', OM__GT, 's'}, {'e', OM__LT, 'e'}}},
    {"T_EQUALS", false, {{'s', OM__EQ, 's'}, {'e', OM__EQ, 'e'}}},
    {"T_FINISHEDBY", false, {{'s', OM__LT, 's'}, {'e', OM__EQ, 'e'}}},
    {"T_FINISHES", false, {{'s', OM__GT, 's'}, {'e', OM__EQ, 'e'}}},
    {"T_INTERSECTS", false, {{'s', OM__LE, 'e'}, {'e', OM__GE, 's'}}},
    {"T_MEETS", false, {{'e', OM__EQ, 's'}}},
    {"T_METBY", false, {{'s', OM__EQ, 'e'}}},
    {"T_OVERLAPPEDBY",
     false,
     {{'s', OM__GT, 's'}, {'s', OM__LT, 'e'}, {'e', OM__GT, 'e'}}},
    {"T_OVERLAPS",
     false,
     {{'s', OM__LT, 's'}, {'e', OM__GT, 's'}, {'e', OM__LT, 'e'}}},
    {"T_STARTEDBY", false, {{'s', OM__EQ, 's'}, {'e', OM__GT, 'e'}}},
    {"T_STARTS", false, {{'s', OM__EQ, 's'}, {'e', OM__LT, 'e'}}},
};

struct span {
    struct om__operand start, end;
};

/* One end of INTERVAL(..): a column, a time in quotes, or '..'. A date is the
 * first second of its day at the start and the last one at the end. */
static om_status parse_end(struct om__parser *p, bool is_end,
                           struct om__operand *out)
{
    const struct om__token *t = &p->lexer.token;
    if (t->kind == OM__TEXT && t->text.len == 2 &&
        memcmp(t->text.bytes, "..", 2) == 0) {
        *out = (struct om__operand){
            .at = t->at,
            .literal = {.kind = OM__LITERAL_TIME, .outside = is_end ? 1 : -1}};
        return om__lex_next(&p->lexer);
    }
    OM_TRY(om__parse_operand(p, out));
    if (out->is_column) return OM_OK;
    struct om__literal *l = &out->literal;
    if (l->kind == OM__LITERAL_TEXT)
        OM_TRY(om__bind_time(p, l->text, out->at, l));
    if (l->kind != OM__LITERAL_TIME)
        return om_fail(p->err, OM_E_TYPE, out->at,
                       "INTERVAL takes times in quotes, columns or '..'");
    if (is_end)
        l->lo = l->hi;
    else
        l->hi = l->lo;
    return OM_OK;
}

static om_status parse_span(struct om__parser *p, struct span *out)
{
    if (om__lex_is(&p->lexer, "INTERVAL") && p->lexer.token.call) {
        OM_TRY(om__lex_next(&p->lexer));
        OM_TRY(om__expect(p, '('));
        OM_TRY(parse_end(p, false, &out->start));
        OM_TRY(om__expect(p, ','));
        OM_TRY(parse_end(p, true, &out->end));
        OM_TRY(om__expect(p, ')'));
    } else {
        OM_TRY(om__parse_operand(p, &out->start));
        out->end = out->start;
    }
    const struct om__operand *ends[] = {&out->start, &out->end};
    for (int i = 0; i < 2; i++) {
        if (!ends[i]->is_column) continue;
        const struct om__column *c = &p->filter->column[ends[i]->column];
        if (c->type != OM_TYPE_TIME)
            return om_fail(p->err, OM_E_TYPE, ends[i]->at,
                           "%s is no time column", c->name);
    }
    return OM_OK;
}

om_status om__parse_temporal(struct om__parser *p, bool *known,
                             struct om__node **out)
{
    const struct relation *relation = NULL;
    for (size_t i = 0; i < sizeof RELATION / sizeof *RELATION; i++)
        if (om__lex_is(&p->lexer, RELATION[i].name)) relation = &RELATION[i];
    *known = relation != NULL;
    if (!relation) return OM_OK;
    struct span a, b;
    OM_TRY(om__lex_next(&p->lexer));
    OM_TRY(om__expect(p, '('));
    OM_TRY(parse_span(p, &a));
    OM_TRY(om__expect(p, ','));
    OM_TRY(parse_span(p, &b));
    OM_TRY(om__expect(p, ')'));

    struct om__node *all = om__node_new(p->filter, OM__AND);
    if (!all) return OM_E_MEMORY;
    struct om__node **tail = &all->child;
    for (size_t i = 0; i < 3 && relation->condition[i].a; i++) {
        const struct condition *c = &relation->condition[i];
        OM_TRY(om__bind_compare(p, c->a == 's' ? &a.start : &a.end, c->op,
                                c->b == 's' ? &b.start : &b.end, tail));
        tail = &(*tail)->next;
    }
    *out = all;
    if (!relation->negated) return OM_OK;
    *out = om__node_new(p->filter, OM__NOT);
    if (!*out) return OM_E_MEMORY;
    (*out)->child = all;
    return OM_OK;
}
