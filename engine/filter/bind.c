// bind.c - operands meet the columns of the layer and become leaves.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/model/time.h"
#include "engine/filter/filter_internal.h"

/* Bytes of an error that list columns; the sentence around them needs room. */
#define LIST_BYTES 200

/* Years 1 to 9998: what canonical text can print with four digits, the second
 * before and the second after included. */
#define FIRST_TIME_S INT64_C(-62135596800)
#define END_TIME_S INT64_C(253370764800)

struct om__node *om__node_new(struct om_filter *filter, enum om__kind kind)
{
    struct om__node *node = om_arena_calloc(&filter->arena, 1, sizeof *node);
    if (node) node->kind = kind;
    return node;
}

static const char *type_phrase(enum om_type type)
{
    static const char *const PHRASE[] = {"a text",     "a category",
                                         "an integer", "a number",
                                         "a time",     "true or false"};
    return PHRASE[type];
}

/* "id, severity, ..." as far as it fits, without those that are hidden. */
static void list_columns(const struct om_schema *schema, char out[LIST_BYTES])
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < schema->count; i++) {
        const char *name = schema->field[i].name;
        const size_t need = strlen(name) + 2;
        if (schema->hidden[i]) continue;
        if (n + need + 5 > LIST_BYTES) {
            memcpy(out + n, ", ...", 6);
            return;
        }
        n += (size_t)snprintf(out + n, LIST_BYTES - n, "%s%s", n ? ", " : "",
                              name);
    }
}

static om_status no_column(struct om__parser *p, struct om__text name,
                           size_t at)
{
    char list[LIST_BYTES];
    list_columns(p->schema, list);
    const int shown = name.len < 60 ? (int)name.len : 60;
    return om_fail(p->err, OM_E_NOTFOUND, at, "no column '%.*s' (columns: %s)",
                   shown, name.bytes, list);
}

static om_status new_column(struct om__parser *p, const struct om_field *field,
                            size_t *out)
{
    struct om_filter *f = p->filter;
    if (f->columns == f->column_room) {
        const size_t room = f->column_room ? f->column_room * 2 : 8;
        struct om__column *grown =
            om_arena_calloc(&f->arena, room, sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        if (f->columns) memcpy(grown, f->column, f->columns * sizeof *grown);
        f->column = grown;
        f->column_room = room;
    }
    struct om__column *column = &f->column[f->columns];
    memcpy(column->name, field->name, sizeof column->name);
    column->type = field->type;
    *out = f->columns++;
    return OM_OK;
}

om_status om__bind_column(struct om__parser *p, struct om__text name, size_t at,
                          size_t *out)
{
    char text[OM_LIMIT_NAME_BYTES];
    if (name.len >= sizeof text) return no_column(p, name, at);
    memcpy(text, name.bytes, name.len);
    text[name.len] = '\0';
    for (size_t i = 0; i < p->filter->columns; i++) {
        if (strcmp(p->filter->column[i].name, text) != 0) continue;
        *out = i;
        return OM_OK;
    }
    const size_t field = om_schema_find(p->schema, text);
    if (field == OM_NO_FIELD) return no_column(p, name, at);
    return new_column(p, &p->schema->field[field], out);
}

bool om__bind_is_geometry(const struct om__parser *p, struct om__text name)
{
    static const char *const NAMES[] = {"geom",  "geometry",  "the_geom",
                                        "shape", "footprint", "wkb_geometry"};
    char text[OM_LIMIT_NAME_BYTES];
    if (name.len >= sizeof text) return false;
    memcpy(text, name.bytes, name.len);
    text[name.len] = '\0';
    if (om_schema_find(p->schema, text) != OM_NO_FIELD) return false;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcasecmp(NAMES[i], text) == 0) return true;
    return false;
}

om_status om__bind_time(struct om__parser *p, struct om__text text, size_t at,
                        struct om__literal *out)
{
    int64_t from, to;
    size_t slashes = 0;  // two are a date with slashes, one is an interval
    for (size_t i = 0; i < text.len; i++) slashes += text.bytes[i] == '/';
    if (text.len == 0 || text.bytes[0] == '.' || slashes % 2 || slashes > 2 ||
        om_time_parse_interval(text.bytes, text.len, p->zone_s, &from, &to) ||
        from < FIRST_TIME_S || to > END_TIME_S)
        return om_fail(p->err, OM_E_FORMAT, at,
                       "'%.*s' is no time (write 2023-06-26 or "
                       "2023-06-26T14:05:31+08:00)",
                       (int)(text.len < 60 ? text.len : 60), text.bytes);
    *out = (struct om__literal){
        .kind = OM__LITERAL_TIME, .lo = from, .hi = to - 1};
    return OM_OK;
}

/* Literal values of one column's type, in the order of its ranges. */
struct granule {
    int64_t lo, hi;  // lo = hi + 1: between two values
    int outside;
};

static bool read_number(struct om__text text, struct om__literal *out)
{
    char copy[64], *end;
    if (text.len == 0 || text.len >= sizeof copy) return false;
    memcpy(copy, text.bytes, text.len);
    copy[text.len] = '\0';
    if (strspn(copy, "0123456789+-.eE") != text.len) return false;
    out->kind = OM__LITERAL_NUMBER;
    out->real = strtod(copy, &end);
    if (*end) return false;
    char *end_integer;
    out->integer = strtoll(copy, &end_integer, 10);
    out->exact = !*end_integer &&
                 !(out->integer == INT64_MAX || out->integer == INT64_MIN);
    return true;
}

/* 2^63, the first double above all 64-bit integers. */
#define INTEGER_END 9223372036854775808.0

static struct granule integer_granule(const struct om__literal *literal)
{
    if (literal->exact)
        return (struct granule){literal->integer, literal->integer, 0};
    const double v = literal->real;
    if (v >= INTEGER_END) return (struct granule){.outside = 1};
    if (v < -INTEGER_END) return (struct granule){.outside = -1};
    return (struct granule){(int64_t)ceil(v), (int64_t)floor(v), 0};
}

static struct granule real_granule(const struct om__literal *literal)
{
    const double v = literal->exact ? (double)literal->integer : literal->real;
    if (isinf(v)) return (struct granule){.outside = v > 0 ? 1 : -1};
    const int64_t order = om__real_order(v);
    return (struct granule){order, order, 0};
}

static om_status wrong_type(struct om__parser *p, const struct om__column *c,
                            const struct om__operand *operand)
{
    const struct om__literal *l = &operand->literal;
    const char *is = type_phrase(c->type);
    if (l->kind == OM__LITERAL_TEXT)
        return om_fail(
            p->err, OM_E_TYPE, operand->at, "%s is %s, '%.*s' is not %s",
            c->name, is, (int)(l->text.len < 60 ? l->text.len : 60),
            l->text.bytes, c->type == OM_TYPE_INTEGER ? "a number" : is);
    if (om__type_is_text(c->type))
        return om_fail(p->err, OM_E_TYPE, operand->at,
                       "%s is %s: what it is compared with goes in quotes, "
                       "like 'this'",
                       c->name, is);
    static const char *const SORT[] = {"a number", "a text", "a time",
                                       "TRUE or FALSE"};
    return om_fail(p->err, OM_E_TYPE, operand->at,
                   "%s is %s, it cannot be compared with %s%s", c->name, is,
                   SORT[l->kind],
                   c->type == OM_TYPE_TIME
                       ? " (write DATE('2023-06-26') or TIMESTAMP('...'))"
                       : "");
}

/* What a literal is among the values of a column that is no text. */
static om_status find_granule(struct om__parser *p, const struct om__column *c,
                              const struct om__operand *operand,
                              struct granule *out)
{
    struct om__literal literal = operand->literal;
    if (literal.kind == OM__LITERAL_TEXT) {
        const struct om__text text = literal.text;
        if (c->type == OM_TYPE_TIME) {
            OM_TRY(om__bind_time(p, text, operand->at, &literal));
        } else if (c->type == OM_TYPE_BOOLEAN) {
            const bool yes =
                text.len == 4 && !strncasecmp(text.bytes, "true", 4);
            const bool no =
                text.len == 5 && !strncasecmp(text.bytes, "false", 5);
            if (!yes && !no) return wrong_type(p, c, operand);
            literal.kind = OM__LITERAL_BOOLEAN;
            literal.integer = yes;
        } else if (!read_number(text, &literal)) {
            return wrong_type(p, c, operand);
        }
    }
    if (c->type == OM_TYPE_TIME && literal.kind == OM__LITERAL_TIME)
        *out = (struct granule){literal.lo, literal.hi, literal.outside};
    else if (c->type == OM_TYPE_INTEGER && literal.kind == OM__LITERAL_NUMBER)
        *out = integer_granule(&literal);
    else if (c->type == OM_TYPE_REAL && literal.kind == OM__LITERAL_NUMBER)
        *out = real_granule(&literal);
    else if (c->type == OM_TYPE_BOOLEAN && literal.kind == OM__LITERAL_BOOLEAN)
        *out = (struct granule){literal.integer, literal.integer, 0};
    else
        return wrong_type(p, c, operand);
    return OM_OK;
}

/* Where a granule lies among all values, `op` is one or two ranges. */
static size_t granule_ranges(struct granule g, enum om__op op,
                             struct om__range domain, struct om__range out[2])
{
    size_t n = 0;
    if (g.outside) {
        const bool all =
            op == OM__NE || (g.outside > 0 ? op == OM__LT || op == OM__LE
                                           : op == OM__GT || op == OM__GE);
        if (all) out[n++] = domain;
        return n;
    }
    if ((op == OM__LT || op == OM__NE) && g.lo > domain.lo)
        out[n++] = (struct om__range){domain.lo, g.lo - 1};
    if ((op == OM__GT || op == OM__NE) && g.hi < domain.hi)
        out[n++] = (struct om__range){g.hi + 1, domain.hi};
    if (op == OM__LE && g.hi >= domain.lo)
        out[n++] = (struct om__range){domain.lo, g.hi};
    if (op == OM__GE && g.lo <= domain.hi)
        out[n++] = (struct om__range){g.lo, domain.hi};
    if (op == OM__EQ && g.lo <= g.hi) out[n++] = (struct om__range){g.lo, g.hi};
    return n;
}

static om_status compare_text(struct om__parser *p, const struct om__operand *a,
                              enum om__op op, const struct om__operand *b,
                              struct om__node **out)
{
    if (b->literal.kind != OM__LITERAL_TEXT)
        return wrong_type(p, &p->filter->column[a->column], b);
    const bool equality = op == OM__EQ || op == OM__NE;
    struct om__node *node =
        om__node_new(p->filter, equality ? OM__TEXTS : OM__ORDER);
    struct om__text *text = om_arena_calloc(&p->filter->arena, 1, sizeof *text);
    if (!node || !text) return OM_E_MEMORY;
    *text = b->literal.text;
    node->column = a->column;
    node->fold = a->fold;
    node->negated = op == OM__NE;
    node->op = op;
    node->text = text;
    node->texts = 1;
    *out = node;
    return OM_OK;
}

static om_status compare_number(struct om__parser *p,
                                const struct om__operand *a, enum om__op op,
                                const struct om__operand *b,
                                struct om__node **out)
{
    const struct om__column *c = &p->filter->column[a->column];
    struct granule granule = {0};
    OM_TRY(find_granule(p, c, b, &granule));
    struct om__node *node = om__node_new(p->filter, OM__RANGES);
    struct om__range *range =
        om_arena_calloc(&p->filter->arena, 2, sizeof *range);
    if (!node || !range) return OM_E_MEMORY;
    node->column = a->column;
    node->range = range;
    node->ranges = om__ranges_settle(
        range, granule_ranges(granule, op, om__domain(c->type), range));
    *out = node;
    return OM_OK;
}

/* Types whose values compare: 0 texts, 1 numbers, 2 times, 3 booleans. */
static int family(enum om_type type)
{
    if (om__type_is_text(type)) return 0;
    return type == OM_TYPE_TIME ? 2 : type == OM_TYPE_BOOLEAN ? 3 : 1;
}

static om_status compare_columns(struct om__parser *p,
                                 const struct om__operand *a, enum om__op op,
                                 const struct om__operand *b,
                                 struct om__node **out)
{
    const struct om__column *ca = &p->filter->column[a->column];
    const struct om__column *cb = &p->filter->column[b->column];
    if (family(ca->type) != family(cb->type))
        return om_fail(p->err, OM_E_TYPE, b->at,
                       "%s is %s and %s is %s: they cannot be compared",
                       ca->name, type_phrase(ca->type), cb->name,
                       type_phrase(cb->type));
    struct om__node *node = om__node_new(p->filter, OM__PAIR);
    if (!node) return OM_E_MEMORY;
    node->column = a->column;
    node->fold = a->fold;
    node->other = b->column;
    node->other_fold = b->fold;
    node->op = op;
    *out = node;
    return OM_OK;
}

static int order_of(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* -1, 0, 1 as two literals of one kind compare; a date equals the moments of
 * its day. */
static om_status order_literals(struct om__parser *p,
                                const struct om__operand *a,
                                const struct om__operand *b, int *out)
{
    const struct om__literal *x = &a->literal, *y = &b->literal;
    if (x->kind != y->kind)
        return om_fail(p->err, OM_E_TYPE, b->at,
                       "two values of different kinds are compared at byte %zu",
                       b->at);
    if (x->kind == OM__LITERAL_TEXT)
        *out = om__text_order(x->text, y->text);
    else if (x->kind == OM__LITERAL_BOOLEAN || (x->exact && y->exact))
        *out = x->integer < y->integer ? -1 : x->integer > y->integer;
    else if (x->kind == OM__LITERAL_NUMBER)
        *out = order_of(x->real, y->real);
    else if (x->outside != y->outside)
        *out = x->outside < y->outside ? -1 : 1;
    else
        *out = x->hi < y->lo ? -1 : x->lo > y->hi;
    return OM_OK;
}

static enum om__op mirrored(enum om__op op)
{
    static const enum om__op MIRROR[] = {OM__GT, OM__GE, OM__EQ,
                                         OM__NE, OM__LE, OM__LT};
    return MIRROR[op];
}

om_status om__bind_compare(struct om__parser *p, const struct om__operand *a,
                           enum om__op op, const struct om__operand *b,
                           struct om__node **out)
{
    if (a->is_column && b->is_column) return compare_columns(p, a, op, b, out);
    if (b->is_column) return om__bind_compare(p, b, mirrored(op), a, out);
    if (a->is_column) {
        const struct om__column *c = &p->filter->column[a->column];
        return om__type_is_text(c->type) ? compare_text(p, a, op, b, out)
                                         : compare_number(p, a, op, b, out);
    }
    int order = 0;
    OM_TRY(order_literals(p, a, b, &order));
    struct om__node *node = om__node_new(p->filter, OM__CONST);
    if (!node) return OM_E_MEMORY;
    node->value = order < 0   ? op == OM__LT || op == OM__LE || op == OM__NE
                  : order > 0 ? op == OM__GT || op == OM__GE || op == OM__NE
                              : op == OM__LE || op == OM__GE || op == OM__EQ;
    *out = node;
    return OM_OK;
}

om_status om__bind_null(struct om__parser *p, size_t column, bool negated,
                        struct om__node **out)
{
    struct om__node *node = om__node_new(p->filter, OM__NULLS);
    if (!node) return OM_E_MEMORY;
    node->column = column;
    node->negated = negated;
    *out = node;
    return OM_OK;
}

om_status om__bind_like(struct om__parser *p, const struct om__operand *a,
                        const struct om__operand *pattern,
                        struct om__node **out)
{
    if (!a->is_column)
        return om_fail(p->err, OM_E_FORMAT, a->at,
                       "LIKE wants a column before it");
    const struct om__column *c = &p->filter->column[a->column];
    if (!om__type_is_text(c->type))
        return om_fail(p->err, OM_E_TYPE, a->at,
                       "LIKE compares texts, %s is %s", c->name,
                       type_phrase(c->type));
    if (pattern->is_column || pattern->literal.kind != OM__LITERAL_TEXT)
        return om_fail(p->err, OM_E_FORMAT, pattern->at,
                       "LIKE wants a pattern in quotes, like 'Smith%%'");
    struct om__node *node = om__node_new(p->filter, OM__LIKE);
    struct om__text *text = om_arena_calloc(&p->filter->arena, 1, sizeof *text);
    if (!node || !text) return OM_E_MEMORY;
    *text = pattern->literal.text;
    node->column = a->column;
    node->fold = a->fold;
    node->text = text;
    node->texts = 1;
    *out = node;
    return OM_OK;
}
