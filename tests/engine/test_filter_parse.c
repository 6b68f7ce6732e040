/* The text of filters.
 *
 * Plan
 *   grammar_*    what OGC 21-065r2 lets one write is understood
 *   canonical_*  writings of one filter have one form, which reads as itself
 *   error_*      what is wrong is refused with its place and a sentence
 *   fault_*      no allocation that fails leaves anything behind
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "engine/filter/filter.h"
#include "engine/filter/filter_internal.h"

#define ZONE_S (8 * 3600)

static struct om_layer layer_of(enum om_geometry geometry)
{
    static const struct om_field FIELD[] = {
        {"id", OM_TYPE_TEXT},
        {"name", OM_TYPE_TEXT},
        {"kind", OM_TYPE_CATEGORY},
        {"severity", OM_TYPE_INTEGER},
        {"depth", OM_TYPE_REAL},
        {"width", OM_TYPE_REAL},
        {"reported", OM_TYPE_TIME},
        {"due", OM_TYPE_TIME},
        {"model_house", OM_TYPE_BOOLEAN},
        {"状态", OM_TYPE_CATEGORY},
        {"a b\"c", OM_TYPE_INTEGER},
        {"grid", OM_TYPE_CATEGORY},
        {"eo:cloud.cover", OM_TYPE_REAL},
        {"and", OM_TYPE_INTEGER},
    };
    struct om_layer layer = {.name = "hazard"};
    layer.schema.geometry = geometry;
    layer.schema.count = sizeof FIELD / sizeof *FIELD;
    memcpy(layer.schema.field, FIELD, sizeof FIELD);
    layer.schema.time_field = 6;
    return layer;
}

/* The canonical text of a filter, or what is wrong with it. */
static const char *canonical_in(enum om_geometry geometry, const char *text)
{
    static char out[8][20000];
    static unsigned turn;
    char *to = out[turn++ % 8];
    static struct om_layer layer;
    layer = layer_of(geometry);
    struct om_filter *filter;
    struct om_err err = {0};
    const om_status st =
        om_filter_parse(text, strlen(text), &layer, ZONE_S, &filter, &err);
    if (st)
        snprintf(to, 20000, "error %d at %zu: %s", st, err.at, err.text);
    else
        snprintf(to, 20000, "%s", om_filter_canonical(filter));
    om_filter_free(filter);
    return to;
}

static const char *canonical(const char *text)
{
    return canonical_in(OM_GEOMETRY_POINT, text);
}

static void same(const char *a, const char *b)
{
    assert_string_equal(canonical(a), canonical(b));
}

/* It reads, and its canonical form reads as itself. */
static void reads(const char *text)
{
    const char *once = canonical(text);
    if (strncmp(once, "error", 5) == 0) fail_msg("%s: %s", text, once);
    assert_string_equal(once, canonical(once));
}

static void fails(const char *text, om_status code, size_t at, const char *says)
{
    static struct om_layer layer;
    layer = layer_of(OM_GEOMETRY_POINT);
    struct om_filter *filter;
    struct om_err err = {0};
    const om_status st =
        om_filter_parse(text, strlen(text), &layer, ZONE_S, &filter, &err);
    assert_null(filter);
    if (st != code || err.at != at || !strstr(err.text, says))
        fail_msg("%s: status %d at %zu: %s", text, st, err.at, err.text);
}

/* ---- grammar */

static void grammar_of_the_standard_is_read(void **state)
{
    (void)state;
    // The examples of clauses 6 and 7 and annex C, on columns that are here.
    reads("kind='Toronto'");
    reads("reported >= date('1970-01-02')");
    reads("geom IS NOT NULL");
    reads("name LIKE 'Smith%'");
    reads("depth BETWEEN 100.0 and 150.0");
    reads("kind IN ('Toronto','Frankfurt','Tokyo','New York')");
    reads("severity NOT IN (1,2,3,4)");
    reads("CASEI(kind) IN (CASEI('Οδος'),CASEI('Straße'))");
    reads(
        "T_INTERSECTS(reported, INTERVAL('1969-07-16T05:32:00Z', "
        "'1969-07-24T16:50:35Z'))");
    reads(
        "T_DURING(INTERVAL(reported, due), "
        "INTERVAL('1969-07-16T13:32:00Z', '1969-07-24T16:50:35Z'))");
    reads("model_house = true");
    reads("model_house");
    reads("NOT model_house");
    reads("severity > 5 AND model_house=true");
    reads("model_house=true AND (severity>8 OR depth>1000)");
    reads("(severity>=1 AND severity<=2) AND kind='x'");
    reads("NOT (severity < 5) OR (severity > 2 AND kind='x')");
    reads("name NOT LIKE '%son'");
    reads("CASEI(name) LIKE casei('sto_y\\%%')");
    reads("depth NOT BETWEEN -10.5 AND 1.5E2");
    reads("\"eo:cloud.cover\" BETWEEN 0.1 AND 0.2");
    reads("eo:cloud.cover BETWEEN 0.1 AND .2");
    reads("\"and\" = 1");
    reads("\"a b\"\"c\" <> 3");
    reads("状态 = '已受理'");
    reads("name = 'Via dell''Avvento'");
    reads("name = 'Via dell\\'Avvento'");
    reads("severity IS NULL");
    reads("name IS NOT NULL");
    reads("5 < severity");
    reads("TRUE");
    reads("FALSE OR 1=1");
    reads("'a' < 'b'");
    reads("reported < due");
    reads("severity <= depth");
    reads("CASEI(name) = CASEI(kind)");
    reads("severity BETWEEN 1 AND depth");
    reads("reported = TIMESTAMP('2023-06-26T14:05:31.123Z')");
    reads("reported IN (DATE('2023-06-26'), DATE('2023-06-28'))");
    reads("reported > '2023-06-26'");
    reads("reported = '2023/06/26 10:00'");
    reads("reported = '2023-06'");
    reads("severity != +3");
    reads("\t severity\n=\r\n-3 ");
}

static void grammar_of_the_temporal_relations_is_read(void **state)
{
    (void)state;
    static const char *const NAME[] = {
        "T_AFTER",  "T_BEFORE",       "T_CONTAINS", "T_DISJOINT",   "T_DURING",
        "T_EQUALS", "T_FINISHEDBY",   "T_FINISHES", "T_INTERSECTS", "T_MEETS",
        "T_METBY",  "T_OVERLAPPEDBY", "T_OVERLAPS", "T_STARTEDBY",  "T_STARTS"};
    static const char *const ARGUMENTS[] = {
        "reported, TIMESTAMP('2023-01-01T00:00:00Z')",
        "DATE('2023-01-01'), reported",
        "reported, INTERVAL('2023-01-01', '..')",
        "INTERVAL('..', '2023-01-01T10:00:00Z'), due",
        "INTERVAL(reported, due), INTERVAL('2023-01-01', '2023-02-01')",
        "INTERVAL(reported, '..'), INTERVAL('..', due)",
    };
    char text[300];
    for (size_t i = 0; i < sizeof NAME / sizeof *NAME; i++)
        for (size_t k = 0; k < sizeof ARGUMENTS / sizeof *ARGUMENTS; k++) {
            snprintf(text, sizeof text, "%s(%s)", NAME[i], ARGUMENTS[k]);
            reads(text);
        }
    same("T_AFTER(reported, TIMESTAMP('2023-01-01T00:00:00Z'))",
         "reported > TIMESTAMP('2023-01-01T00:00:00Z')");
    same("T_DURING(reported, INTERVAL('2023-01-01T00:00:00Z','..'))",
         "reported > TIMESTAMP('2023-01-01T00:00:00Z')");
    same("T_DISJOINT(reported, INTERVAL('2023-01-01','2023-01-31'))",
         "reported NOT BETWEEN DATE('2023-01-01') AND DATE('2023-01-31')");
    same("T_MEETS(INTERVAL(reported,due), INTERVAL('2023-01-01','..'))",
         "due = TIMESTAMP('2023-01-01T00:00:00+08:00')");
}

/* ---- canonical */

static void canonical_forgets_how_it_was_written(void **state)
{
    (void)state;
    same("severity=1 AND kind='x'", "  kind = 'x'  and  severity=1 ");
    same("kind IN ('b','a','b')", "kind in ('a', 'b')");
    same("kind='a' OR kind='b'", "kind IN ('b','a')");
    same("NOT (NOT (kind='a'))", "kind='a'");
    same("NOT NOT NOT kind='a'", "kind<>'a'");
    same("NOT (severity=1 AND kind='x')", "kind<>'x' OR severity<>1");
    same("NOT (severity=1 OR kind='x')", "severity<>1 AND kind<>'x'");
    same("severity NOT BETWEEN 1 AND 5", "severity<1 OR severity>5");
    same("severity>2 AND severity<7", "severity BETWEEN 3 AND 6");
    same("severity<3", "severity<=2.5");
    same("severity=2.0", "severity=2");
    same("severity=2.5", "FALSE");
    same("severity<>2.5", "severity IS NOT NULL");
    same("severity<1e30", "severity IS NOT NULL");
    same("severity>9223372036854775807", "FALSE");
    same("depth=0", "depth=-0.0");
    same("depth=1e2", "depth=100");
    same("\"severity\"=1", "((severity=1))");
    same("severity='3'", "severity=3");
    same("5<severity", "severity>5");
    same("reported<due", "due>reported");
    same("NOT reported<due", "reported>=due");
    same("kind='x' AND (kind='x' AND TRUE)", "kind='x'");
    same("kind='x' OR TRUE", "TRUE");
    same("kind IN ('a','b') AND kind IN ('b','c')", "kind='b'");
    same("kind NOT IN ('a') AND kind<>'b'", "kind NOT IN ('b','a')");
    same("kind='a' AND kind='b'", "FALSE");
    same("name LIKE 'plain'", "name='plain'");
    same("name LIKE '50\\%'", "name='50%'");
    same("name LIKE '%'", "name IS NOT NULL");
    same("model_house", "model_house=TRUE");
    same("model_house<>TRUE", "NOT model_house");
    same("model_house IN (TRUE,FALSE)", "model_house IS NOT NULL");
    same("CASEI(kind)=CASEI('STRASSE')", "CASEI(kind)=CASEI('straße')");
}

static void canonical_times_are_utc_and_dates_are_days(void **state)
{
    (void)state;
    assert_string_equal(canonical("reported >= '2023-01-01'"),
                        "reported>=TIMESTAMP('2022-12-31T16:00:00Z')");
    same("reported = DATE('2023-01-01')",
         "reported >= TIMESTAMP('2022-12-31T16:00:00Z') AND "
         "reported < TIMESTAMP('2023-01-01T16:00:00Z')");
    same("reported <= DATE('2023-01-31')", "reported < DATE('2023-02-01')");
    same("reported > DATE('2023-01-31')", "reported >= DATE('2023-02-01')");
    same("reported BETWEEN DATE('2023-01-01') AND DATE('2023-01-31')",
         "reported >= '2023-01-01' AND reported < '2023-02-01'");
    same("reported = '2023-02'",
         "reported BETWEEN '2023-02-01' AND '2023-02-28'");
    same("reported IN (DATE('2023-01-01'), DATE('2023-01-02'))",
         "reported BETWEEN DATE('2023-01-01') AND DATE('2023-01-02')");
}

static void canonical_forms_are_what_they_are(void **state)
{
    (void)state;
    static const char *const SAME[] = {
        "severity=3",
        "severity<>3",
        "severity IN (1,3)",
        "severity NOT IN (1,3)",
        "severity>=3",
        "severity<=3",
        "severity BETWEEN 3 AND 5",
        "severity IS NULL",
        "severity IS NOT NULL",
        "(severity<=1 OR severity BETWEEN 3 AND 4 OR severity IN (7,9))",
        "depth<=0.1",
        "depth=1e+22",
        "kind='it''s'",
        "kind='a\\\\'b'",
        "kind<'m'",
        "kind>='m'",
        "CASEI(kind)='x'",
        "CASEI(kind) NOT IN ('a','b')",
        "name LIKE 'a%_\\%'",
        "name NOT LIKE '%x'",
        "name IS NULL",
        "due<reported",
        "model_house=FALSE",
        "TRUE",
        "FALSE",
        "\"状态\"='x'",
        "\"a b\"\"c\"=1",
        "\"and\"=1",
        "(kind='a' OR severity=1) AND name='x'",
        "kind='a' AND severity=1 OR name='x'",
    };
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        // "a\\'b" in C is a\'b in the filter: the quote escaped once.
        const char *once = canonical(SAME[i]);
        assert_string_equal(once, canonical(once));
        if (!strchr(SAME[i], '\\')) assert_string_equal(once, SAME[i]);
    }
}

static void canonical_places_are_normal_text(void **state)
{
    (void)state;
    assert_string_equal(
        canonical("s_intersects( Geometry , bbox(113.50, 22.5,114,23.0))"),
        "S_INTERSECTS(geom,BBOX(113.5,22.5,114,23))");
    same("S_INTERSECTS(geom,ENVELOPE(113,22,114,23))",
         "S_INTERSECTS(BBOX(113,22,-5,114,23,5),geom)");
    same("NOT S_INTERSECTS(geom,BBOX(1,2,3,4))",
         "S_DISJOINT(geom,BBOX(1,2,3,4))");
    assert_string_equal(canonical("S_INTERSECTS(geom,point(113.70 23))"),
                        "S_INTERSECTS(geom,POINT(113.7 23))");
    assert_string_equal(
        canonical("S_INTERSECTS(geom, polygon (( 113 22 ,114 22.0, 114 23,"
                  "113 22)))"),
        "S_INTERSECTS(geom,POLYGON((113 22,114 22,114 23,113 22)))");
    reads(
        "S_INTERSECTS(geom,MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,"
        "5 5))))");
    reads("S_INTERSECTS(geom,GEOMETRYCOLLECTION(POLYGON((0 0,1 0,1 1,0 0))))");
    reads("S_INTERSECTS(geom,BBOX(170,-10,-170,10))");
    reads("S_INTERSECTS(geom,BBOX(-180,-90,180,90))");
}

/* The canonical text of a filter whose coordinates are in another system. */
static const char *canonical_crs(const char *code, const char *text)
{
    static char out[4][20000];
    static unsigned turn;
    char *to = out[turn++ % 4];
    static struct om_layer layer;
    layer = layer_of(OM_GEOMETRY_POINT);
    struct om_filter *filter;
    struct om_project *crs = NULL;
    struct om_err err = {0};
    assert_int_equal(om_project_open(om_system_find(code), &crs), OM_OK);
    const om_status st = om_filter_parse_in(text, strlen(text), &layer, ZONE_S,
                                            crs, &filter, &err);
    if (st)
        snprintf(to, 20000, "error %d at %zu: %s", st, err.at, err.text);
    else
        snprintf(to, 20000, "%s", om_filter_canonical(filter));
    om_filter_free(filter);
    om_project_close(crs);
    return to;
}

static void canonical_places_are_degrees_whatever_came_in(void **state)
{
    (void)state;
    static const char *const NORTH_FIRST[] = {"EPSG:4326", "EPSG:4490"};
    for (int i = 0; i < 2; i++) {
        assert_string_equal(
            canonical_crs(NORTH_FIRST[i], "S_INTERSECTS(geom,POINT(23 113.7))"),
            "S_INTERSECTS(geom,POINT(113.7 23))");
        assert_string_equal(
            canonical_crs(NORTH_FIRST[i],
                          "S_INTERSECTS(geom,BBOX(22.5,113.5,23,114))"),
            "S_INTERSECTS(geom,BBOX(113.5,22.5,114,23))");
        assert_string_equal(
            canonical_crs(NORTH_FIRST[i],
                          "S_INTERSECTS(geom,POLYGON((22 113 7,22 114 7,"
                          "23 114 7,22 113 7)))"),
            canonical("S_INTERSECTS(geom,POLYGON((113 22 7,114 22 7,114 23 7,"
                      "113 22 7)))"));
    }
    assert_string_equal(
        canonical_crs("OGC:CRS84", "S_INTERSECTS(geom,POINT(113.7 23))"),
        "S_INTERSECTS(geom,POINT(113.7 23))");
    double lon, lat;
    const char *text = canonical_crs(
        "EPSG:4547", "S_INTERSECTS(geom,POINT(2544779.29 469242.17))");
    assert_int_equal(
        sscanf(text, "S_INTERSECTS(geom,POINT(%lf %lf))", &lon, &lat), 2);
    assert_true(lon > 113.69 && lon < 113.71 && lat > 22.99 && lat < 23.01);
    assert_string_equal(
        canonical_crs("EPSG:3857", "S_INTERSECTS(geom,POINT(0 0))"),
        "S_INTERSECTS(geom,POINT(0 0))");
    text = canonical_crs("EPSG:4547",
                         "S_INTERSECTS(geom,BBOX(2540000,460000,2550000,"
                         "480000))");
    assert_ptr_equal(strstr(text, "S_INTERSECTS(geom,POLYGON(("), text);
    assert_string_equal(text, canonical(text));  // short enough to be read
    assert_non_null(strstr(
        canonical_crs("EPSG:4547",
                      "S_INTERSECTS(geom,BBOX(2550000,460000,2540000,480000))"),
        "error 3 at 18"));
}

/* Random trees of conditions in random writing: the canonical form of the
 * canonical form is itself. */
static unsigned dice(uint64_t *seed, unsigned sides)
{
    *seed =
        *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*seed >> 33) % sides;
}

static void write_random(char *out, size_t room, uint64_t *seed, int depth)
{
    static const char *const LEAF[] = {"severity=1",
                                       "severity<>2",
                                       "severity>3",
                                       "severity IN (1,5,9)",
                                       "severity NOT BETWEEN 2 AND 4",
                                       "kind='a'",
                                       "kind<>'b'",
                                       "kind IN ('a','c')",
                                       "kind<'x'",
                                       "name LIKE 'a%'",
                                       "name IS NULL",
                                       "depth>=0.1",
                                       "depth<1e-3",
                                       "model_house",
                                       "reported<due",
                                       "reported>=DATE('2023-01-01')",
                                       "severity IS NOT NULL",
                                       "TRUE",
                                       "CASEI(kind)='a'",
                                       "severity=1.5",
                                       "FALSE"};
    if (depth == 0 || dice(seed, 4) == 0) {
        snprintf(out, room, "%s", LEAF[dice(seed, sizeof LEAF / sizeof *LEAF)]);
        return;
    }
    char part[2][4000];
    write_random(part[0], sizeof part[0], seed, depth - 1);
    write_random(part[1], sizeof part[1], seed, depth - 1);
    static const char *const JOIN[] = {"AND", "OR"};
    snprintf(out, room, "%s(%.1900s %s %.1900s)", dice(seed, 3) ? "" : "NOT ",
             part[0], JOIN[dice(seed, 2)], part[1]);
}

static void canonical_of_canonical_is_itself(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 3000; i++) {
        char text[8000];
        write_random(text, sizeof text, &seed, 5);
        reads(text);
    }
}

static void canonical_order_of_operands_is_forgotten(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int i = 0; i < 500; i++) {
        char a[4000], b[4000], ab[8100], ba[8100];
        write_random(a, sizeof a, &seed, 3);
        write_random(b, sizeof b, &seed, 3);
        const char *join = dice(&seed, 2) ? "AND" : "OR";
        snprintf(ab, sizeof ab, "%s %s %s", a, join, b);
        snprintf(ba, sizeof ba, "NOT NOT (%s) %s (%s)", b, join, a);
        same(ab, ba);
    }
}

static void columns_mentioned_are_listed_once(void **state)
{
    (void)state;
    static struct om_layer layer;
    layer = layer_of(OM_GEOMETRY_POINT);
    struct om_filter *filter;
    const char *text =
        "severity=1 AND (kind='a' OR severity>3) AND "
        "S_INTERSECTS(geom,BBOX(1,2,3,4))";
    assert_int_equal(
        om_filter_parse(text, strlen(text), &layer, 0, &filter, NULL), OM_OK);
    const char *const *names;
    assert_int_equal(om_filter_columns(filter, &names), 2);
    assert_string_equal(names[0], "severity");
    assert_string_equal(names[1], "kind");
    assert_true(om_filter_uses_geometry(filter));
    om_filter_free(filter);
}

/* ---- parts with oracles of their own */

static void reals_keep_their_order_as_integers(void **state)
{
    (void)state;
    const double v[] = {-1.7976931348623157e308,
                        -1e10,
                        -1,
                        -0.5,
                        -5e-324,
                        0,
                        5e-324,
                        0.5,
                        1,
                        1e10,
                        1.7976931348623157e308};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        assert_true(om__real_value(om__real_order(v[i])) == v[i]);
        if (i) assert_true(om__real_order(v[i - 1]) < om__real_order(v[i]));
        if (i)
            assert_true(om__real_order(nextafter(v[i], -INFINITY)) ==
                        om__real_order(v[i]) - 1);
    }
    assert_true(om__real_order(-0.0) == 0);
}

/* LIKE by plain recursion: what the loop is checked against. */
static bool like_slowly(const char *t, const char *p)
{
    if (*p == '\0') return *t == '\0';
    if (*p == '%')
        return like_slowly(t, p + 1) || (*t && like_slowly(t + 1, p));
    if (*t == '\0') return false;
    if (*p == '_') return like_slowly(t + 1, p + 1);
    if (*p == '\\' && p[1]) p++;
    return *t == *p && like_slowly(t + 1, p + 1);
}

static void like_is_what_recursion_says(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 200000; i++) {
        char text[10] = {0}, pattern[8] = {0};
        const unsigned n = dice(&seed, 9), m = dice(&seed, 7);
        for (unsigned k = 0; k < n; k++) text[k] = "ab%_\\"[dice(&seed, 5)];
        for (unsigned k = 0; k < m; k++) pattern[k] = "ab%_\\%"[dice(&seed, 6)];
        if (om__like(text, n, pattern, m) != like_slowly(text, pattern))
            fail_msg("'%s' LIKE '%s'", text, pattern);
    }
    assert_true(om__like("东莞市", 9, "东_市", 7));
    assert_false(om__like("东莞市", 9, "东__市", 8));
    assert_true(om__like("东莞市", 9, "___", 3));
}

static void case_folds_as_unicode_says(void **state)
{
    (void)state;
    static const char *const PAIR[][2] = {{"ABC xyz", "abc xyz"},
                                          {"Straße", "STRASSE"},
                                          {"ΟΔΟΣ", "οδος"},
                                          {"οδος", "ΟΔΟΣ"},
                                          {"ПРИВЕТ", "привет"},
                                          {"Ａｂ", "ａＢ"},
                                          {"ÀÉÎ", "àéî"},
                                          {"Āž", "āŽ"},
                                          {"ẞ", "ss"},
                                          {"ﬁ", "FI"},
                                          {"東莞", "東莞"},
                                          {"İ", "i̇"}};
    for (size_t i = 0; i < sizeof PAIR / sizeof *PAIR; i++) {
        char a[64], b[64];
        const size_t n = om__fold(PAIR[i][0], strlen(PAIR[i][0]), a);
        const size_t m = om__fold(PAIR[i][1], strlen(PAIR[i][1]), b);
        assert_true(n <= 3 * strlen(PAIR[i][0]));
        if (n != m || memcmp(a, b, n) != 0)
            fail_msg("%s %s", PAIR[i][0], PAIR[i][1]);
    }
}

/* ---- errors */

static void error_names_the_column_and_what_exists(void **state)
{
    (void)state;
    fails("sevrity=1", OM_E_NOTFOUND, 0,
          "no column 'sevrity' (columns: id, name, kind, severity");
    fails("kind='a' AND sevrity=1", OM_E_NOTFOUND, 13, "no column 'sevrity'");
    fails("severity='abc'", OM_E_TYPE, 9,
          "severity is an integer, 'abc' is not a number");
    fails("kind=5", OM_E_TYPE, 5, "kind is a category");
    fails("reported=5", OM_E_TYPE, 9, "reported is a time");
    fails("reported>'yesterday'", OM_E_FORMAT, 9, "'yesterday' is no time");
    fails("model_house=2", OM_E_TYPE, 12, "model_house is true or false");
    fails("severity LIKE 'a%'", OM_E_TYPE, 0, "LIKE compares texts");
    fails("CASEI(severity)=1", OM_E_TYPE, 0, "CASEI takes a text");
    fails("kind=severity", OM_E_TYPE, 5, "cannot be compared");
    fails("T_AFTER(severity,due)", OM_E_TYPE, 8, "no time column");
    fails("1='a'", OM_E_TYPE, 2, "different kinds");
}

static void error_says_where_the_text_goes_wrong(void **state)
{
    (void)state;
    fails("", OM_E_FORMAT, 0, "empty");
    fails("   ", OM_E_FORMAT, 0, "empty");
    fails("severity", OM_E_FORMAT, 8, "a comparison");
    fails("severity=", OM_E_FORMAT, 9, "ends where a column or a value");
    fails("severity=1 kind='a'", OM_E_FORMAT, 11, "AND, OR or the end");
    fails("severity=1)", OM_E_FORMAT, 10, "found )");
    fails("(severity=1", OM_E_FORMAT, 11, "ends where ')'");
    fails("severity IN ()", OM_E_FORMAT, 13, "a column or a value");
    fails("severity IN (1,", OM_E_FORMAT, 15, "ends where");
    fails("severity BETWEEN 1 OR 2", OM_E_FORMAT, 19, "AND expected");
    fails("severity NOT 1", OM_E_FORMAT, 13, "IN, BETWEEN or LIKE");
    fails("severity IS 1", OM_E_FORMAT, 12, "NULL expected");
    fails("severity=NULL", OM_E_FORMAT, 9, "IS NULL");
    fails("kind='abc", OM_E_FORMAT, 5, "no closing '");
    fails("\"kind=1", OM_E_FORMAT, 0, "no closing \"");
    fails("severity=1;drop table x", OM_E_FORMAT, 10, "';'");
    fails("severity=12abc", OM_E_FORMAT, 9, "is no number");
    fails("severity+1=2", OM_E_UNSUPPORTED, 8, "arithmetic");
    fails("avg(severity)=2", OM_E_UNSUPPORTED, 0, "no function 'avg'");
    fails("severity＝1", OM_E_FORMAT, 8, "full-width ＝");
    fails("kind=\x01", OM_E_FORMAT, 5, "0x01");
    fails("kind='\xff'", OM_E_FORMAT, 5, "UTF-8");
    fails("geom = 1", OM_E_FORMAT, 5, "IS NULL");
    fails("T_AFTER(reported,INTERVAL('x','..'))", OM_E_FORMAT, 26, "no time");
    fails("reported>DATE('2023-02-30')", OM_E_FORMAT, 14, "no time");
    fails("reported>DATE('0000-01-01')", OM_E_FORMAT, 14, "no time");
}

static void error_of_places_is_told_where(void **state)
{
    (void)state;
    fails("S_INTERSECTS(geom,BBOX(1,2,3))", OM_E_FORMAT, 18, "BBOX takes");
    fails("S_INTERSECTS(geom,BBOX(1,9,3,4))", OM_E_COORD, 18, "west, south");
    fails("S_INTERSECTS(geom,BBOX(1,2,300,4))", OM_E_COORD, 18, "west, south");
    fails("S_INTERSECTS(geom,POINT(200 1))", OM_E_COORD, 18, "not on the map");
    fails("S_INTERSECTS(kind,BBOX(1,2,3,4))", OM_E_NOTFOUND, 13, "geom");
    fails("S_INTERSECTS(geom,CIRCLE(1 2))", OM_E_FORMAT, 18, "POLYGON");
    fails("S_TOUCHES(geom,POINT(1 2))", OM_E_UNSUPPORTED, 0, "S_INTERSECTS");
    fails("S_INTERSECTS(geom,POLYGON((((((1 2))))))", OM_E_FORMAT, 30, "many");
}

static void error_of_depth_and_length_is_a_limit(void **state)
{
    (void)state;
    static char text[OM_LIMIT_FILTER_BYTES + 100];
    memset(text, '(', sizeof text);
    text[1000] = '\0';
    fails(text, OM_E_LIMIT, OM_LIMIT_FILTER_DEPTH, "nest deeper");
    memset(text, ' ', sizeof text);
    memcpy(text, "TRUE", 4);
    text[OM_LIMIT_FILTER_BYTES + 1] = '\0';
    fails(text, OM_E_LIMIT, OM_LIMIT_FILTER_BYTES, "at most");
    // Length is no depth: chains of NOT and AND are read in loops.
    text[0] = '\0';
    size_t n = 0;
    while (n + 20 < OM_LIMIT_FILTER_BYTES)
        n += (size_t)snprintf(text + n, sizeof text - n, "NOT ");
    snprintf(text + n, sizeof text - n, "TRUE");
    reads(text);
    n = 0;
    while (n + 40 < OM_LIMIT_FILTER_BYTES)
        n += (size_t)snprintf(text + n, sizeof text - n, "severity=%zu OR ", n);
    snprintf(text + n, sizeof text - n, "TRUE");
    reads(text);
}

/* ---- faults */

static void fault_leaves_nothing_behind(void **state)
{
    (void)state;
    static struct om_layer layer;
    layer = layer_of(OM_GEOMETRY_POINT);
    const char *text =
        "severity IN (1,2,7) AND NOT (kind='a' OR name LIKE 'b%') AND "
        "reported<due AND S_INTERSECTS(geom,POLYGON((0 0,1 0,1 1,0 0)))";
    const size_t live = om_alloc_live();
    for (size_t n = 1;; n++) {
        struct om_filter *filter;
        struct om_err err;
        om_alloc_fail_after(n, false);
        const om_status st =
            om_filter_parse(text, strlen(text), &layer, 0, &filter, &err);
        om_alloc_fail_after(0, false);
        om_filter_free(filter);
        assert_int_equal(om_alloc_live(), live);
        if (st == OM_OK) break;
        assert_int_equal(st, OM_E_MEMORY);
        assert_null(filter);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammar_of_the_standard_is_read),
        cmocka_unit_test(grammar_of_the_temporal_relations_is_read),
        cmocka_unit_test(canonical_forgets_how_it_was_written),
        cmocka_unit_test(canonical_times_are_utc_and_dates_are_days),
        cmocka_unit_test(canonical_forms_are_what_they_are),
        cmocka_unit_test(canonical_places_are_normal_text),
        cmocka_unit_test(canonical_places_are_degrees_whatever_came_in),
        cmocka_unit_test(canonical_of_canonical_is_itself),
        cmocka_unit_test(canonical_order_of_operands_is_forgotten),
        cmocka_unit_test(columns_mentioned_are_listed_once),
        cmocka_unit_test(reals_keep_their_order_as_integers),
        cmocka_unit_test(like_is_what_recursion_says),
        cmocka_unit_test(case_folds_as_unicode_says),
        cmocka_unit_test(error_names_the_column_and_what_exists),
        cmocka_unit_test(error_says_where_the_text_goes_wrong),
        cmocka_unit_test(error_of_places_is_told_where),
        cmocka_unit_test(error_of_depth_and_length_is_a_limit),
        cmocka_unit_test(fault_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
