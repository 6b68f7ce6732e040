// filter_internal.h - the tree between the text of a filter and its passes.
#ifndef OM_ENGINE_FILTER_FILTER_INTERNAL_H
#define OM_ENGINE_FILTER_FILTER_INTERNAL_H

#include "data/base/arena.h"
#include "engine/filter/filter.h"
#include "engine/layer/segment.h"

/* What the tree is made of. The parser makes any of them; canonical.c leaves
 * no NOT, because it pushes negation into the leaves (see there). */
enum om__kind {
    OM__CONST,   // value
    OM__AND,     // child...
    OM__OR,      // child...
    OM__NOT,     // child; only before canonical.c
    OM__RANGES,  // a number, time or boolean lies in one of the ranges
    OM__NULLS,   // IS NULL, negated: IS NOT NULL
    OM__TEXTS,   // a text is one of the texts; negated: has a value, but none
    OM__ORDER,   // a text compares with text[0] as op says
    OM__LIKE,    // a text matches the pattern text[0]
    OM__PAIR,    // column compares with other as op says
    OM__PLACE,   // the geometry meets place; negated: it does not
};

enum om__op {
    OM__LT,
    OM__LE,
    OM__EQ,
    OM__NE,
    OM__GE,
    OM__GT,
};

/* Both ends belong to it. Integers, times and booleans are themselves; reals
 * go through om__real_order, which keeps their order. */
struct om__range {
    int64_t lo, hi;
};

struct om__text {
    const char *bytes;
    size_t len;
};

enum om__place_kind { OM__PLACE_BOX, OM__PLACE_POINT, OM__PLACE_POLYGON };

/* A place written in a filter. */
struct om__place {
    enum om__place_kind kind;
    size_t boxes;  // 2 where the box crosses longitude 180
    struct om_box box[2];
    struct om_pos point;
    struct om_rings rings;  // one polygon; of boxes too, one shape each
    const char *wkt;        // as canonical text prints it
};

struct om__node {
    enum om__kind kind;
    bool value;
    bool negated;
    bool fold;        // the column goes through CASEI
    bool other_fold;  // PAIR: so does the other
    enum om__op op;
    size_t column, other;  // numbers in om_filter.column
    struct om__range *range;
    size_t ranges;
    struct om__text *text;
    size_t texts;
    struct om__place *place;
    struct om__node *child;  // first of a list linked by next
    struct om__node *next;
    struct om__text canonical;  // filled by canonical.c
};

struct om__column {
    char name[OM_LIMIT_NAME_BYTES];
    enum om_type type;
};

struct om_filter {
    struct om_arena arena;  // holds everything below
    enum om_geometry geometry;
    struct om__column *column;
    size_t columns, column_room;
    const char **names;  // of the columns, for om_filter_columns
    bool uses_geometry;
    struct om__node *root;
    struct om__text canonical;
    double scan_s;
};

static inline bool om__type_is_text(enum om_type type)
{
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

/* ---- lex.c */

enum om__token_kind {
    OM__END,
    OM__NAME,    // identifier or keyword
    OM__QUOTED,  // "name"
    OM__NUMBER,  // no sign
    OM__TEXT,
    OM__SYMBOL,  // symbol: one of ( ) , = < > + - * / ^ % [ ] and L G N
};

/* symbol of <=, >= and <>, which are two characters */
#define OM__SYMBOL_LE 'L'
#define OM__SYMBOL_GE 'G'
#define OM__SYMBOL_NE 'N'

struct om__token {
    enum om__token_kind kind;
    char symbol;
    bool call;             // a name with '(' behind it
    size_t at, end;        // bytes in the source
    struct om__text text;  // name, number, or text without its quotes
};

struct om__lexer {
    const char *text;
    size_t len;
    struct om_arena *arena;
    struct om_err *err;
    struct om__token token;  // the one to look at
};

/** Move on to the next token. */
om_status om__lex_next(struct om__lexer *lexer);
/** Is the token this keyword, in any case, without quotes? */
bool om__lex_is(const struct om__lexer *lexer, const char *keyword);
/** Is `name` a word that cannot name a column without quotes? */
bool om__lex_reserved(const char *name, size_t len);

/* ---- bind.c: operands and the leaves they make */

/* A number, text, time or boolean written in the filter. Numbers and times
 * are a granule [lo, hi] of the values that equal it: a date is a day; 2.5
 * among integers is empty, lo = hi + 1. outside: below or above all values. */
enum om__literal_kind {
    OM__LITERAL_NUMBER,
    OM__LITERAL_TEXT,
    OM__LITERAL_TIME,
    OM__LITERAL_BOOLEAN,
};

struct om__literal {
    enum om__literal_kind kind;
    bool exact;       // NUMBER: integer holds it
    int64_t integer;  // NUMBER; BOOLEAN 0 or 1
    double real;      // NUMBER
    int64_t lo, hi;   // TIME
    int outside;      // TIME: -1 before all, 1 after all
    struct om__text text;
};

struct om__operand {
    bool is_column;
    bool fold;  // CASEI(column)
    size_t column;
    size_t at;  // byte in the source
    struct om__literal literal;
};

struct om__parser {
    struct om__lexer lexer;
    struct om_filter *filter;
    const struct om_schema *schema;
    int32_t zone_s;
    struct om_project *crs;  // of coordinates; NULL: degrees
    unsigned depth;
    struct om_err *err;
};

struct om__node *om__node_new(struct om_filter *filter, enum om__kind kind);
/** Number of a column of the filter, by its name. */
om_status om__bind_column(struct om__parser *p, struct om__text name, size_t at,
                          size_t *out);
/** Is it a name of the geometry rather than of a column? */
bool om__bind_is_geometry(const struct om__parser *p, struct om__text name);
/** a op b as a node. */
om_status om__bind_compare(struct om__parser *p, const struct om__operand *a,
                           enum om__op op, const struct om__operand *b,
                           struct om__node **out);
om_status om__bind_null(struct om__parser *p, size_t column, bool negated,
                        struct om__node **out);
om_status om__bind_like(struct om__parser *p, const struct om__operand *a,
                        const struct om__operand *pattern,
                        struct om__node **out);
/** A time text as a literal. whole: DATE and bare texts name whole days. */
om_status om__bind_time(struct om__parser *p, struct om__text text, size_t at,
                        struct om__literal *out);

/* ---- place.c */

/** S_INTERSECTS and S_DISJOINT: the lexer stands behind the name. */
om_status om__parse_spatial(struct om__parser *p, bool disjoint,
                            struct om__node **out);
/** One argument of a function that is a scalar. parse.c. */
om_status om__parse_operand(struct om__parser *p, struct om__operand *out);
om_status om__expect(struct om__parser *p, char symbol);
om_status om__unexpected(struct om__parser *p, const char *wanted);

/* ---- temporal.c */

/** T_AFTER and its kin; *known false if there is no such function. */
om_status om__parse_temporal(struct om__parser *p, bool *known,
                             struct om__node **out);

/* ---- ranges.c: sets of integers as sorted, disjoint, not adjacent ranges */

/** Smallest and largest value of a type in the order of ranges. */
struct om__range om__domain(enum om_type type);
/** A double as an integer of the same order; -0 is 0. */
int64_t om__real_order(double value);
double om__real_value(int64_t order);
/** Sort and merge in place; returns how many are left. */
size_t om__ranges_settle(struct om__range *range, size_t count);
/** What is in the domain but not in the set. NULL: no memory. */
struct om__range *om__ranges_invert(struct om_arena *arena,
                                    const struct om__range *range, size_t count,
                                    struct om__range domain, size_t *out_count);

/* ---- scan.c */

/** Seconds of one core for texts that are read row by row. Rough. */
double om__filter_scan_s(const struct om_filter *filter,
                         const struct om_layer *layer);

/* ---- words.c: case folding and LIKE */

/** Fold case as Unicode says (C + F). out needs room for len * 3 bytes. */
size_t om__fold(const char *text, size_t len, char *out);
/** Does the text match the pattern (% _ and \ before one of these)? */
bool om__like(const char *text, size_t len, const char *pattern, size_t plen);
/** Bytes of the pattern before its first wildcard, unescaped into out (room
 *  plen). *rest: what follows, 0 bytes if nothing. */
size_t om__like_prefix(const char *pattern, size_t plen, char *out,
                       struct om__text *rest);
/** Bytewise order, shorter first. */
int om__text_order(struct om__text a, struct om__text b);

/* ---- canonical.c */

/** Bring the tree into its canonical form and print it. */
om_status om__canonical(struct om_filter *filter);
/** Append a name as a filter writes it. */
om_status om__print_name(struct om_buf *buf, const char *name);

#endif
