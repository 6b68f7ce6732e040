/* Filters over rows.
 *
 * Plan
 *   oracle_*   random expressions over random rows with NULLs: the bitmaps are
 *              what a slow interpreter of SQL's three values says of each row
 *   pass_*     the kernels, at every width and length, against plain loops
 *   place_*    geometry, row by row
 *   fault_*    no allocation that fails leaves anything behind
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/base/thread.h"
#include "engine/filter/eval_internal.h"
#include "engine/shape/shape.h"
#include "filter_sample.h"
#include "tests/rounds.h"

static struct sample sample;

/* ---- expressions: written as text, and interpreted */

enum truth { NO, UNKNOWN, YES };

struct value {
    enum { NUMBER, TEXT, TIME, FLAG } kind;
    long double number;  // NUMBER, FLAG
    int64_t lo, hi;      // TIME
    char text[64];
};

struct expr {
    enum { AND, OR, NOT, COMPARE, IN, BETWEEN, LIKE, IS_NULL, PAIR, BOX } kind;
    struct expr *a, *b;
    int column, other;
    bool fold, negated;
    int op;  // index into OPS
    size_t values;
    struct value value[12];
    struct om_box box;
    char box_text[120];
};

static const char *const OPS[] = {"<", "<=", "=", "<>", ">=", ">"};

static bool holds(int order, int op)
{
    const bool result[] = {
        order<0, order <= 0, order == 0, order != 0, order >= 0, order> 0};
    return result[op];
}

static bool is_text(int column)
{
    return SAMPLE_FIELD[column].type == OM_TYPE_TEXT ||
           SAMPLE_FIELD[column].type == OM_TYPE_CATEGORY;
}

static void random_time(struct value *v, char *text, size_t room)
{
    static const char *const DAYS[] = {"2023-01-03", "2023-02-28", "2023-05-31",
                                       "2022-12-31", "2024-01-01"};
    v->kind = TIME;
    if (sample_dice(2)) {
        const int i = (int)sample_dice(5);
        static const int64_t AT[] = {1672675200, 1677513600, 1685462400,
                                     1672416000, 1704038400};
        // Days of the city's zone begin eight hours before those of UTC.
        v->lo = AT[i];
        v->hi = v->lo + 86399;
        snprintf(text, room, sample_dice(2) ? "DATE('%s')" : "'%s'", DAYS[i]);
        return;
    }
    v->lo = v->hi = 1672502400 + (int64_t)sample_dice(15552000);
    char iso[OM_LIMIT_NAME_BYTES];
    const int64_t day = v->lo % 86400;
    static const int MONTH[] = {31, 28, 31, 30, 31, 30, 31};
    if (v->lo < 1672531200) v->lo = v->hi = 1672531200 + day;
    int64_t days = (v->lo - 1672531200) / 86400;
    int month = 0;
    while (days >= MONTH[month]) days -= MONTH[month++];
    snprintf(iso, sizeof iso, "2023-%02d-%02dT%02d:%02d:%02dZ", month + 1,
             (int)days + 1, (int)(day / 3600), (int)(day / 60 % 60),
             (int)(day % 60));
    snprintf(text, room, "TIMESTAMP('%s')", iso);
}

static void random_number(int column, struct value *v, char *text, size_t room)
{
    v->kind = NUMBER;
    static const char *const ODD[] = {"2.5",
                                      "-0.5",
                                      "1e30",
                                      "-1e30",
                                      "0",
                                      "-7",
                                      "9223372036854775807",
                                      "1e400",
                                      "-9223372036854775808",
                                      "0.1"};
    if (sample_dice(4) == 0) {
        snprintf(text, room, "%s", ODD[sample_dice(10)]);
    } else if (column == SEVERITY) {
        snprintf(text, room, "%u", sample_dice(11));
    } else if (column == LEVEL) {
        snprintf(text, room, "%d", (int)sample_dice(2200) - 1100);
    } else if (column == BIG) {
        const size_t i = sample_dice((unsigned)sample.rows);
        snprintf(text, room, "%lld", (long long)sample.row[i].integer[BIG]);
    } else {
        snprintf(text, room, "%g", (double)((int)sample_dice(400) - 200) / 8);
    }
    // A real column compares as doubles do, an integer one exactly.
    v->number = SAMPLE_FIELD[column].type == OM_TYPE_REAL
                    ? (long double)strtod(text, NULL)
                    : strtold(text, NULL);
}

static void quote(const char *from, char *text, size_t room)
{
    size_t n = 0;
    text[n++] = '\'';
    for (; *from && n + 3 < room; from++) {
        if (*from == '\'') text[n++] = '\'';
        text[n++] = *from;
    }
    text[n++] = '\'';
    text[n] = '\0';
}

static void random_text(int column, bool fold, struct value *v, char *text,
                        size_t room)
{
    v->kind = TEXT;
    const char *value = sample_kind(sample_dice(7));
    if (sample_dice(4)) {
        const size_t i = sample_dice((unsigned)sample.rows);
        value = sample.row[i].text[column];
    }
    snprintf(v->text, sizeof v->text, "%.60s", value);
    char quoted[140];
    quote(v->text, quoted, sizeof quoted);
    snprintf(text, room, fold ? "CASEI(%s)" : "%s", quoted);
    if (!fold) return;
    char folded[300];
    const size_t n = om__fold(v->text, strlen(v->text), folded);
    snprintf(v->text, sizeof v->text, "%.*s", (int)(n < 60 ? n : 60), folded);
}

static void random_value(const struct expr *e, struct value *v, char *text,
                         size_t room)
{
    switch (SAMPLE_FIELD[e->column].type) {
        case OM_TYPE_TIME:
            random_time(v, text, room);
            break;
        case OM_TYPE_BOOLEAN:
            v->kind = FLAG;
            v->number = sample_dice(2);
            snprintf(text, room, "%s", v->number != 0 ? "TRUE" : "false");
            break;
        case OM_TYPE_INTEGER:
        case OM_TYPE_REAL:
            random_number(e->column, v, text, room);
            break;
        default:
            random_text(e->column, e->fold, v, text, room);
    }
}

struct pool {
    struct expr expr[64];
    size_t used;
};

static void column_text(const struct expr *e, char *out, size_t room)
{
    snprintf(out, room, e->fold ? "CASEI(%s)" : "%s",
             SAMPLE_FIELD[e->column].name);
}

static void write_like(struct expr *e, char *out, size_t room)
{
    static const char *const PATTERN[] = {
        "fi%",       "Fire",           "%e",       "street 1%",
        "street _",  "street __%7",    "%row%",    "_e%",
        "a\\_b\\%%", "消_隐患",        "%",        "%%9%",
        "P-001%",    "P-%7",           "R00000_2", "G0%",
        "STRA%",     "note 4% of%fire"};
    const int texts[] = {ID, CODE, KIND, STREET, NOTE, GRID};
    e->kind = LIKE;
    e->column = texts[sample_dice(6)];
    e->fold = sample_dice(3) == 0;
    e->negated = sample_dice(3) == 0;
    struct value *v = &e->value[0];
    snprintf(v->text, sizeof v->text, "%s", PATTERN[sample_dice(18)]);
    char column[80];
    column_text(e, column, sizeof column);
    snprintf(out, room, e->fold ? "%s %sLIKE CASEI('%s')" : "%s %sLIKE '%s'",
             column, e->negated ? "NOT " : "", v->text);
    if (!e->fold) return;
    char folded[300];
    const size_t n = om__fold(v->text, strlen(v->text), folded);
    snprintf(v->text, sizeof v->text, "%.*s", (int)n, folded);
}

static void write_pair(struct expr *e, char *out, size_t room)
{
    static const int PAIRS[][2] = {
        {REPORTED, DUE},   {DEPTH, WIDTH}, {SEVERITY, LEVEL}, {LEVEL, DEPTH},
        {BIG, WIDTH},      {KIND, STREET}, {NOTE, KIND},      {MODEL, MODEL},
        {DEPTH, SEVERITY}, {ID, CODE}};
    const int *pair = PAIRS[sample_dice(10)];
    e->kind = PAIR;
    e->column = pair[0];
    e->other = pair[1];
    e->op = (int)sample_dice(6);
    snprintf(out, room, "%s%s%s", SAMPLE_FIELD[e->column].name, OPS[e->op],
             SAMPLE_FIELD[e->other].name);
}

static void write_box(struct expr *e, char *out, size_t room)
{
    double w, s, east, n;
    struct om_pos a = {3500000000u + sample_dice(1u << 20),
                       1860000000u + sample_dice(1u << 20)};
    struct om_pos b = {a.x + sample_dice(1u << 19),
                       a.y + sample_dice(1u << 19)};
    om_pos_to_lonlat(a, &w, &n);
    om_pos_to_lonlat(b, &east, &s);
    e->kind = BOX;
    e->box = (struct om_box){a.x, a.y, b.x, b.y};
    e->negated = sample_dice(3) == 0;
    snprintf(out, room, "S_%s(geom,BBOX(%.17g,%.17g,%.17g,%.17g))",
             e->negated ? "DISJOINT" : "INTERSECTS", w, s, east, n);
}

static void write_leaf(struct expr *e, char *out, size_t room)
{
    char column[80], text[12][200];
    const unsigned form = sample_dice(20);
    if (form < 3) {
        write_like(e, out, room);
        return;
    }
    if (form == 3) {
        write_pair(e, out, room);
        return;
    }
    if (form == 4) {
        write_box(e, out, room);
        return;
    }
    e->column = (int)sample_dice(COLUMNS);
    e->fold = is_text(e->column) && sample_dice(4) == 0;
    e->negated = sample_dice(2) == 0;
    if (form == 5) {
        e->kind = IS_NULL;
        snprintf(out, room, "%s IS %sNULL", SAMPLE_FIELD[e->column].name,
                 e->negated ? "NOT " : "");
        return;
    }
    column_text(e, column, sizeof column);
    e->values = form < 9 ? 1 + sample_dice(12) : form < 12 ? 2 : 1;
    for (size_t i = 0; i < e->values; i++)
        random_value(e, &e->value[i], text[i], sizeof text[i]);
    if (form < 9) {
        e->kind = IN;
        size_t n = (size_t)snprintf(out, room, "%s %sIN (", column,
                                    e->negated ? "NOT " : "");
        for (size_t i = 0; i < e->values; i++)
            n += (size_t)snprintf(out + n, room - n, "%s%s", i ? "," : "",
                                  text[i]);
        snprintf(out + n, room - n, ")");
    } else if (form < 12) {
        e->kind = BETWEEN;
        snprintf(out, room, "%s %sBETWEEN %s AND %s", column,
                 e->negated ? "not " : "", text[0], text[1]);
    } else {
        e->kind = COMPARE;
        e->op = (int)sample_dice(6);
        snprintf(out, room, "%s %s %s", column, OPS[e->op], text[0]);
    }
}

static struct expr *write_expr(struct pool *pool, int depth, char *out,
                               size_t room)
{
    struct expr *e = &pool->expr[pool->used++];
    memset(e, 0, sizeof *e);
    if (depth == 0 || sample_dice(5) == 0) {
        write_leaf(e, out, room);
        return e;
    }
    static __thread char side[2][8][6000];
    char *a = side[0][depth], *b = side[1][depth];
    if (sample_dice(4) == 0) {
        e->kind = NOT;
        e->a = write_expr(pool, depth - 1, a, sizeof side[0][0]);
        snprintf(out, room, "NOT (%s)", a);
        return e;
    }
    e->kind = sample_dice(2) ? AND : OR;
    e->a = write_expr(pool, depth - 1, a, sizeof side[0][0]);
    e->b = write_expr(pool, depth - 1, b, sizeof side[0][0]);
    snprintf(out, room, "(%s) %s (%s)", a, e->kind == AND ? "AND" : "or", b);
    return e;
}

/* -1, 0, 1 as a row's value compares with v. */
static int order_of(const struct expr *e, const struct sample_row *r,
                    const struct value *v)
{
    const int c = e->column;
    if (is_text(c)) {
        char folded[300];
        const char *text = r->text[c];
        if (e->fold) {
            folded[om__fold(text, strlen(text), folded)] = '\0';
            text = folded;
        }
        const int order = strcmp(text, v->text);
        return order < 0 ? -1 : order > 0;
    }
    if (SAMPLE_FIELD[c].type == OM_TYPE_TIME)
        return r->integer[c] < v->lo ? -1 : r->integer[c] > v->hi;
    const long double n = SAMPLE_FIELD[c].type == OM_TYPE_REAL
                              ? (long double)r->real[c]
                              : (long double)r->integer[c];
    return n < v->number ? -1 : n > v->number;
}

static int order_pair(const struct expr *e, const struct sample_row *r)
{
    if (is_text(e->column)) {
        const int order = strcmp(r->text[e->column], r->text[e->other]);
        return order < 0 ? -1 : order > 0;
    }
    long double n[2];
    const int c[] = {e->column, e->other};
    for (int i = 0; i < 2; i++)
        n[i] = SAMPLE_FIELD[c[i]].type == OM_TYPE_REAL
                   ? (long double)r->real[c[i]]
                   : (long double)r->integer[c[i]];
    return n[0] < n[1] ? -1 : n[0] > n[1];
}

static bool matches(const struct expr *e, const struct sample_row *r)
{
    char folded[300];
    const char *text = r->text[e->column];
    switch (e->kind) {
        case COMPARE:
            return holds(order_of(e, r, &e->value[0]), e->op);
        case IN:
            for (size_t i = 0; i < e->values; i++)
                if (order_of(e, r, &e->value[i]) == 0) return !e->negated;
            return e->negated;
        case BETWEEN:
            return (order_of(e, r, &e->value[0]) >= 0 &&
                    order_of(e, r, &e->value[1]) <= 0) != e->negated;
        default:
            if (e->fold) {
                folded[om__fold(text, strlen(text), folded)] = '\0';
                text = folded;
            }
            return om__like(text, strlen(text), e->value[0].text,
                            strlen(e->value[0].text)) != e->negated;
    }
}

static enum truth truth_of(const struct expr *e, const struct sample_row *r)
{
    switch (e->kind) {
        case AND: {
            const enum truth a = truth_of(e->a, r), b = truth_of(e->b, r);
            return a < b ? a : b;
        }
        case OR: {
            const enum truth a = truth_of(e->a, r), b = truth_of(e->b, r);
            return a > b ? a : b;
        }
        case NOT:
            return (enum truth)(YES - truth_of(e->a, r));
        case IS_NULL:
            return r->null[e->column] != e->negated ? YES : NO;
        case BOX: {
            const bool in = r->pos.x >= e->box.x0 && r->pos.x <= e->box.x1 &&
                            r->pos.y >= e->box.y0 && r->pos.y <= e->box.y1;
            return in != e->negated ? YES : NO;
        }
        case PAIR:
            if (r->null[e->column] || r->null[e->other]) return UNKNOWN;
            return holds(order_pair(e, r), e->op) ? YES : NO;
        default:
            if (r->null[e->column]) return UNKNOWN;
            return matches(e, r) ? YES : NO;
    }
}

/* ---- checks */

static void check_rank(const struct om_bitmap *b)
{
    size_t n = 0;
    for (size_t row = 0; row < b->rows; row++) {
        if (row % 512 == 0 && b->rank[row / 512] != n)
            fail_msg("rank at %zu: %u, not %zu", row, b->rank[row / 512], n);
        n += b->word[row / 64] >> (row % 64) & 1;
    }
    assert_int_equal(b->count, n);
    assert_int_equal(b->rank[b->rows / 512 + 1], n);
    if (b->rows % 64) assert_true(b->word[b->rows / 64] >> (b->rows % 64) == 0);
}

static void check_expr(const struct expr *e, const char *text)
{
    struct om_filter *filter;
    struct om_err err = {0};
    struct om_selection *s;
    om_status st = om_filter_parse(text, strlen(text), &sample.layer, 8 * 3600,
                                   &filter, &err);
    if (st) fail_msg("%s: %s", text, err.text);
    st = om_select(NULL, &sample.layer, filter, (struct om_window){0}, &s);
    if (st) fail_msg("%s: status %d", text, st);
    for (size_t i = 0; i < sample.rows; i++) {
        const bool wanted = truth_of(e, &sample.row[i]) == YES;
        if (om_selection_has(s, 0, i) != wanted)
            fail_msg("row %zu (%s) must%s be taken by\n%s\nas\n%s", i,
                     sample.row[i].text[ID], wanted ? "" : " not", text,
                     om_filter_canonical(filter));
    }
    if (!s->all) check_rank(&s->part[0]);
    om_selection_unref(s);
    om_filter_free(filter);
}

static void check_random(int depth, size_t times)
{
    static char text[40000];
    static struct pool pool;
    for (size_t i = 0; i < test_rounds(times); i++) {
        pool.used = 0;
        const struct expr *e = write_expr(&pool, depth, text, sizeof text);
        if (strlen(text) > OM_LIMIT_FILTER_BYTES) continue;
        check_expr(e, text);
    }
}

static void oracle_single_conditions(void **state)
{
    (void)state;
    check_random(0, 300);
}

static void oracle_trees_of_conditions(void **state)
{
    (void)state;
    check_random(1, 50);
    check_random(3, 25);
    check_random(5, 25);
}

static void oracle_any_number_of_threads(void **state)
{
    (void)state;
    om_threads_set(5);
    check_random(3, 25);
    om_threads_set(1);
    check_random(3, 10);
    om_threads_set(0);
}

/* What the other tests think they are about. */
static void sample_has_every_coding(void **state)
{
    (void)state;
    static const struct {
        int column;
        enum om_coding coding;
        unsigned width;
    } WANTED[] = {
        {ID, OM_CODING_NUMBERED, 4},     {CODE, OM_CODING_NUMBERED, 4},
        {KIND, OM_CODING_DICTIONARY, 1}, {STREET, OM_CODING_DICTIONARY, 2},
        {NOTE, OM_CODING_BLOCKS, 0},     {SEVERITY, OM_CODING_INTEGER, 1},
        {LEVEL, OM_CODING_INTEGER, 2},   {BIG, OM_CODING_INTEGER, 8},
        {DEPTH, OM_CODING_REAL, 8},      {REPORTED, OM_CODING_INTEGER, 4},
        {GRID, OM_CODING_DICTIONARY, 1}};
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        const struct om_column *c;
        assert_int_equal(om_segment_column(sample.segment,
                                           (size_t)WANTED[i].column, 0, 0, &c),
                         OM_OK);
        assert_int_equal(c->coding, WANTED[i].coding);
        assert_int_equal(c->width, WANTED[i].width);
    }
}

/* Blocks that minima and maxima decide are the same as those read. */
static void oracle_constants_and_extremes(void **state)
{
    (void)state;
    static const char *const FILTER[] = {
        "severity >= 1",
        "severity > 9",
        "severity < 1",
        "level >= -100000",
        "big <= 9223372036854775807",
        "depth < 1e300",
        "depth > 1e300",
        "TRUE",
        "FALSE",
        "kind >= ''",
        "street < 'a'",
        "id = 'R0000005'",
        "id IN ('R0000005','nobody','R0000001')",
        "id <> 'R0000005'"};
    for (int i = 0; i < 14; i++) {
        struct om_filter *filter;
        struct om_selection *s;
        assert_int_equal(om_filter_parse(FILTER[i], strlen(FILTER[i]),
                                         &sample.layer, 0, &filter, NULL),
                         OM_OK);
        assert_int_equal(
            om_select(NULL, &sample.layer, filter, (struct om_window){0}, &s),
            OM_OK);
        size_t wanted = 0;
        for (size_t k = 0; k < sample.rows; k++) {
            const struct sample_row *r = &sample.row[k];
            const bool takes[] = {!r->null[SEVERITY],
                                  false,
                                  false,
                                  !r->null[LEVEL],
                                  !r->null[BIG],
                                  !r->null[DEPTH],
                                  false,
                                  true,
                                  false,
                                  !r->null[KIND],
                                  false,
                                  !strcmp(r->text[ID], "R0000005"),
                                  !strcmp(r->text[ID], "R0000005") ||
                                      !strcmp(r->text[ID], "R0000001"),
                                  strcmp(r->text[ID], "R0000005") != 0};
            wanted += takes[i];
            if (om_selection_has(s, 0, k) != takes[i])
                fail_msg("%s: row %zu", FILTER[i], k);
        }
        assert_int_equal(s->count, wanted);
        om_selection_unref(s);
        om_filter_free(filter);
    }
}

/* ---- kernels */

static void pass_kernels_are_plain_loops(void **state)
{
    (void)state;
    enum { MOST = 300 };
    static uint64_t data[MOST];
    uint8_t table[100];
    for (size_t i = 0; i < sizeof table; i++) table[i] = sample_dice(2) == 1;
    for (unsigned width = 1; width <= 8; width *= 2) {
        for (size_t n = 0; n < MOST; n += 1 + sample_dice(7)) {
            for (size_t i = 0; i < MOST; i++)
                data[i] = sample_dice(2)
                              ? sample_dice(1u << 31) * UINT64_C(0x100000001)
                              : sample_dice(200);
            const struct om__span span[3] = {{sample_dice(100), 30},
                                             {sample_dice(200), 0},
                                             {sample_dice(1u << 30), 1u << 29}};
            uint64_t spans[MOST / 64 + 1], tables[MOST / 64 + 1];
            const uint64_t mask = UINT64_MAX >> (64 - 8 * width);
            om__pass_spans(data, width, n, span, 3, spans);
            om__pass_table(data, width, n, 20, 100, table, tables);
            for (size_t i = 0; i < n; i++) {
                uint64_t v = 0;
                memcpy(&v, (uint8_t *)data + i * width, width);
                bool in = false;
                for (int k = 0; k < 3; k++)
                    in |= ((v - span[k].lo) & mask) <= (span[k].width & mask);
                assert_int_equal(spans[i / 64] >> i % 64 & 1, in);
                const bool hit = v >= 20 && v < 120 && table[v - 20];
                assert_int_equal(tables[i / 64] >> i % 64 & 1, hit);
            }
            if (n % 64) {
                assert_true(spans[n / 64] >> n % 64 == 0);
                assert_true(tables[n / 64] >> n % 64 == 0);
            }
        }
    }
}

/* ---- places */

static void check_place(const char *place, const struct om_rings *rings)
{
    char text[1000];
    struct om_filter *filter;
    struct om_selection *s;
    struct om_err err = {0};
    snprintf(text, sizeof text, "S_INTERSECTS(geom,%s)", place);
    if (om_filter_parse(text, strlen(text), &sample.layer, 0, &filter, &err))
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(
        om_select(NULL, &sample.layer, filter, (struct om_window){0}, &s),
        OM_OK);
    size_t taken = 0;
    for (size_t i = 0; i < sample.rows; i++) {
        const bool in = om_rings_contain(rings, 0, sample.row[i].pos);
        taken += in;
        if (om_selection_has(s, 0, i) != in) fail_msg("%s: row %zu", place, i);
    }
    assert_true(taken > 0 && taken < sample.rows);
    om_selection_unref(s);
    om_filter_free(filter);
}

static void place_polygons_take_what_they_contain(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char wkt[800];
        size_t n = (size_t)snprintf(wkt, sizeof wkt, "POLYGON((");
        double first[2] = {0, 0};
        const int corners = 3 + (int)sample_dice(6);
        for (int k = 0; k <= corners; k++) {
            const double angle = 2 * OM_PI * k / corners;
            const double r = (1 << 17) + sample_dice(1u << 18);
            double xy[2];
            om_world_to_lonlat(3500000000.0 + (1 << 19) + r * cos(angle),
                               1860000000.0 + (1 << 19) + r * sin(angle),
                               &xy[0], &xy[1]);
            if (k == 0) memcpy(first, xy, sizeof xy);
            if (k == corners) memcpy(xy, first, sizeof xy);
            n += (size_t)snprintf(wkt + n, sizeof wkt - n, "%s%.10f %.10f",
                                  k ? "," : "", xy[0], xy[1]);
        }
        snprintf(wkt + n, sizeof wkt - n, "))");
        struct om_arena arena = {0};
        struct om_rings rings;
        struct om_err err = {0};
        // Printed to ten decimals and read again the numbers are the same.
        if (om_rings_parse(wkt, strlen(wkt), &arena, &rings, &err))
            fail_msg("%s: %s", wkt, err.text);
        check_place(wkt, &rings);
        om_arena_deinit(&arena);
    }
}

static void place_points_are_their_position(void **state)
{
    (void)state;
    char text[200];
    for (size_t i = 0; i < sample.rows; i += 997) {
        double x, y;
        struct om_filter *filter;
        struct om_selection *s;
        om_pos_to_lonlat(sample.row[i].pos, &x, &y);
        snprintf(text, sizeof text, "S_INTERSECTS(geom,POINT(%.17g %.17g))", x,
                 y);
        assert_int_equal(om_filter_parse(text, strlen(text), &sample.layer, 0,
                                         &filter, NULL),
                         OM_OK);
        assert_int_equal(
            om_select(NULL, &sample.layer, filter, (struct om_window){0}, &s),
            OM_OK);
        assert_true(om_selection_has(s, 0, i));
        assert_true(s->count >= 1 && s->count < 10);
        om_selection_unref(s);
        om_filter_free(filter);
    }
}

/* ---- faults */

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    const char *text =
        "(kind = 'fire' OR CASEI(street) LIKE '%7' OR note LIKE '%row 7%') AND "
        "(reported < due OR id = 'R0000007' OR NOT severity IN (1,3,5,7,9)) "
        "AND S_INTERSECTS(geom,BBOX(-170,-80,170,80))";
    struct om_filter *filter;
    struct om_err err = {0};
    if (om_filter_parse(text, strlen(text), &sample.layer, 0, &filter, &err))
        fail_msg("%s", err.text);
    om_threads_set(1);
    const size_t live = om_alloc_live();
    size_t n = 1;
    for (;; n++) {
        struct om_selection *s;
        om_alloc_fail_after(n, false);
        const om_status st =
            om_select(NULL, &sample.layer, filter, (struct om_window){0}, &s);
        om_alloc_fail_after(0, false);
        om_selection_unref(s);
        assert_int_equal(om_alloc_live(), live);
        if (st == OM_OK) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_true(n < 200);
    }
    assert_true(n > 10);
    om_threads_set(0);
    om_filter_free(filter);
}

/* What n conditions on texts of a layer that has its segment so many times
 * over are estimated to take; < 0: refused. */
static double scan_of(const char *one, size_t n, size_t parts, const char *with)
{
    char text[OM_LIMIT_FILTER_BYTES] = "";
    size_t len = (size_t)snprintf(text, sizeof text, "%s(", with);
    for (size_t i = 0; i < n; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, i ? " OR " : "");
        len += (size_t)snprintf(text + len, sizeof text - len, one, (int)i);
    }
    text[len++] = ')';
    struct om_layer layer = sample.layer;
    struct om_filter *filter = NULL;
    struct om_err err = {0};
    layer.parts = parts;
    layer.part = calloc(parts, sizeof *layer.part);
    assert_non_null(layer.part);
    for (size_t i = 0; i < parts; i++) layer.part[i] = sample.layer.part[0];
    const om_status st = om_filter_parse(text, len, &layer, 0, &filter, &err);
    const double scan_s = st ? -1 : om_filter_scan_s(filter);
    if (st) assert_int_equal(st, OM_E_COST);
    om_filter_free(filter);
    free(layer.part);
    return scan_s;
}

static void scan_is_the_sum_of_texts_that_are_read(void **state)
{
    (void)state;
    const char *like = "note LIKE '%%%d%%x%%'";
    const double one = scan_of(like, 1, 1, "");
    assert_true(one > 0 && one < 0.1);
    for (size_t n = 2; n < 20; n++) {
        const double s = scan_of(like, n, 3, "");
        assert_true(fabs(s - 3 * (double)n * one) < 1e-9 * s);
    }
    assert_true(scan_of("note LIKE '%%%d%%'", 1, 1, "") < one);
    assert_true(scan_of("CASEI(note) LIKE '%%%d%%x%%'", 1, 1, "") > one);
    // Beside a unit only its rows are read, beside an id next to none.
    assert_true(scan_of(like, 5, 1, "grid = 'G001' AND ") < one);
    assert_true(scan_of(like, 5, 1, "id = 'R0000001' AND ") == 0);
    assert_true(scan_of(like, 5, 1, "severity >= 0 AND ") > 4 * one);
    // What is looked up is not read.
    assert_true(scan_of("code LIKE 'P-%d%%'", 9, 1, "") == 0);
    assert_true(scan_of("street LIKE '%%%d%%x'", 9, 1, "") == 0);
    assert_true(scan_of("id = 'R%d'", 9, 1, "") == 0);
    assert_true(scan_of("severity = %d", 9, 1, "") == 0);
    // Too much is refused before it is begun.
    const size_t many = (size_t)(OM_LIMIT_FILTER_SCAN_S / one / 8);
    assert_true(scan_of(like, 7, many, "") > 0);
    assert_true(scan_of(like, 32, many, "") < 0);
    assert_true(scan_of(like, 32, many, "grid = 'G001' AND ") > 0);
}

static int open_sample(void **state)
{
    (void)state;
    return sample_open(&sample, 70001) != OM_OK;
}

static int close_sample(void **state)
{
    (void)state;
    sample_close(&sample);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_has_every_coding),
        cmocka_unit_test(oracle_constants_and_extremes),
        cmocka_unit_test(oracle_single_conditions),
        cmocka_unit_test(oracle_trees_of_conditions),
        cmocka_unit_test(oracle_any_number_of_threads),
        cmocka_unit_test(pass_kernels_are_plain_loops),
        cmocka_unit_test(place_polygons_take_what_they_contain),
        cmocka_unit_test(place_points_are_their_position),
        cmocka_unit_test(scan_is_the_sum_of_texts_that_are_read),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, open_sample, close_sample);
}
