/* Classes of emerging hotspots, and steps of time.
 *
 * Plan
 *   class_*   each of the seventeen by an example; all sequences of up to 8
 *             slices against the definitions written as sentences
 *   since_*   the beginning of the last run
 *   trend_*   equal sums are ties, in whatever order they were added up
 *   step_*    days, weeks, months; the end of a month; what fits
 */
#include "engine/stat/emerging.h"
#include "engine/stat/gistar.h"
#include "engine/stat/slices.h"
#include "engine/stat/trend.h"

#include "data/model/time.h"
#include "tests/engine/stat_sample.h"

/* "..hh" as bins: h hot, c cold, H hot at 99 %. */
static size_t bins_of(const char *text, int8_t *bin)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        bin[i] = (int8_t)(text[i] == 'H'   ? 3
                          : text[i] == 'h' ? 1
                          : text[i] == 'c' ? -1
                                           : 0);
    return n;
}

static void check(const char *text, int trend, int want)
{
    int8_t bin[64] = {0};
    const size_t n = bins_of(text, bin);
    const int got = om_emerging_class(bin, n, 1, 1, trend);
    if (got != want) fail_msg("%s: %d is not %d", text, got, want);
    // Its negative, with the trend turned.
    for (size_t i = 0; i < n; i++) bin[i] = (int8_t)-bin[i];
    assert_int_equal(om_emerging_class(bin, n, 1, 1, -trend), -want);
}

static void class_each_by_an_example(void **state)
{
    (void)state;
    check("..........", 0, OM_EMERGING_NONE);
    check("....h.....", 0, OM_EMERGING_NONE);
    check(".........h", 0, OM_EMERGING_NEW);
    check("..c......h", 0, OM_EMERGING_NEW);  // listed before oscillating
    check("........hh", 0, OM_EMERGING_CONSECUTIVE);
    check("..hhhhhhhh", 0, OM_EMERGING_CONSECUTIVE);
    check("..h.....hh", 0, OM_EMERGING_SPORADIC);
    check("..h......h", 1, OM_EMERGING_SPORADIC);
    check("..hc.....h", 0, OM_EMERGING_OSCILLATING);
    check(".hhhhhhhhh", 1, OM_EMERGING_INTENSIFYING);
    check("hhhh.hhhhh", 0, OM_EMERGING_PERSISTENT);
    check("hhhhhhhhhh", -1, OM_EMERGING_DIMINISHING);
    check("hhhhhhhhh.", 0, OM_EMERGING_HISTORICAL);
    check("hhhhhhhh.h", 0, OM_EMERGING_PERSISTENT);
    check("hhhhhhhh..", 0, OM_EMERGING_NONE);
    check("hhhhhhhhhc", 0, -OM_EMERGING_NEW);  // what is now goes first
    check("", 0, OM_EMERGING_NONE);
}

static void class_follows_the_level(void **state)
{
    (void)state;
    int8_t bin[16];
    const size_t n = bins_of("..h..h...H", bin);
    assert_int_equal(om_emerging_class(bin, n, 1, 3, 0), OM_EMERGING_NEW);
    assert_int_equal(om_emerging_class(bin, n, 1, 1, 0), OM_EMERGING_SPORADIC);
    // Every other one.
    int8_t apart[32] = {0};
    for (size_t i = 0; i < n; i++) apart[2 * i] = bin[i];
    assert_int_equal(om_emerging_class(apart, n, 2, 3, 0), OM_EMERGING_NEW);
}

/* Esri's definitions, one by one, for hot ones. */
static bool is(enum om_emerging class, const int8_t *b, size_t n, int trend)
{
    size_t hot = 0, cold = 0, before_run = 0, run = 0;
    for (size_t i = 0; i < n; i++) {
        hot += b[i] > 0;
        cold += b[i] < 0;
    }
    for (size_t i = n; i-- > 0 && b[i] > 0;) run++;
    for (size_t i = 0; i + run < n; i++) before_run += b[i] > 0;
    const bool last = n && b[n - 1] > 0, most = n && 10 * hot >= 9 * n;
    switch (class) {
        case OM_EMERGING_NEW:
            return last && hot == 1 && !most;
        case OM_EMERGING_CONSECUTIVE:
            return run >= 2 && !before_run && !most;
        case OM_EMERGING_INTENSIFYING:
            return most && last && trend > 0;
        case OM_EMERGING_PERSISTENT:
            return most && last && trend == 0;
        case OM_EMERGING_DIMINISHING:
            return most && last && trend < 0;
        case OM_EMERGING_SPORADIC:
            return last && !most && !cold && before_run;
        case OM_EMERGING_OSCILLATING:
            return last && !most && cold && before_run;
        case OM_EMERGING_HISTORICAL:
            return most && !last;
        default:
            return false;
    }
}

static void class_all_short_sequences(void **state)
{
    (void)state;
    for (size_t n = 1, all = 3; n <= 8; n++, all *= 3)
        for (size_t code = 0; code < all; code++) {
            int8_t bin[8], cold[8];
            for (size_t i = 0, c = code; i < n; i++, c /= 3) {
                bin[i] = (int8_t)(c % 3) - 1;
                cold[i] = (int8_t)-bin[i];
            }
            const int trend = (int)(code / 7 % 3) - 1;
            const int got = om_emerging_class(bin, n, 1, 1, trend);
            int hot_classes = 0, cold_classes = 0;
            for (int k = 1; k < OM_EMERGING_CLASSES; k++) {
                hot_classes += is((enum om_emerging)k, bin, n, trend);
                cold_classes += is((enum om_emerging)k, cold, n, -trend);
            }
            assert_true(hot_classes <= 1 && cold_classes <= 1);
            if (got > 0) assert_true(is((enum om_emerging)got, bin, n, trend));
            if (got < 0)
                assert_true(is((enum om_emerging) - got, cold, n, -trend));
            if (!got) assert_int_equal(hot_classes + cold_classes, 0);
            // Hot or cold in the last slice is never nothing.
            if (bin[n - 1]) assert_true((got > 0) == (bin[n - 1] > 0) && got);
        }
    assert_string_equal(om_emerging_name(OM_EMERGING_NEW), "new");
    assert_string_equal(om_emerging_name(-OM_EMERGING_HISTORICAL),
                        "historical");
}

static void since_is_where_the_run_begins(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t since;
    } CASE[] = {{"....hhh", 4}, {"hhhh", 0}, {"...h", 3}, {"h...", 4},
                {"..cccc", 2},  {"hcc", 1},  {"", 0}};
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        int8_t bin[16];
        const size_t n = bins_of(CASE[i].text, bin);
        assert_int_equal(om_emerging_since(bin, n, 1, 1), CASE[i].since);
    }
}

static int64_t at(const char *text)
{
    int64_t s;
    assert_int_equal(om_time_parse(text, strlen(text), OM_TIME_ZONE_S, &s),
                     OM_OK);
    return s;
}

/* Areas in a row, each a neighbour of the two beside it. */
static struct om_graph row_of_areas(size_t n)
{
    uint64_t pair[64];
    struct om_graph g;
    size_t pairs = 0;
    for (uint64_t i = 0; i + 1 < n; i++) {
        pair[pairs++] = i << 32 | (i + 1);
        pair[pairs++] = (i + 1) << 32 | i;
    }
    assert_int_equal(om__graph_from_pairs(n, pair, pairs, &g), OM_OK);
    return g;
}

/* The same whole numbers, added as whole numbers: over an area and those beside
 * it, now and in the slice before. */
static double whole_sum(const double *value, size_t n, size_t t, size_t i)
{
    double sum = 0;
    for (size_t s = t ? t - 1 : 0; s <= t; s++)
        for (size_t k = i ? i - 1 : 0; k <= i + 1 && k < n; k++)
            sum += value[s * n + k];
    return sum;
}

static void trend_ties_equal_sums(void **state)
{
    (void)state;
    enum { AREAS = 12, SLICES = 25 };
    struct om_graph g = row_of_areas(AREAS);
    double value[SLICES * AREAS], z[SLICES * AREAS], sum[SLICES];
    uint64_t seed = 11;
    size_t ties = 0, split = 0;
    for (size_t i = 0; i < SLICES * AREAS; i++)
        value[i] = (double)(mesh_random(&seed) % 4);
    assert_int_equal(om_gistar_cube(&g, value, SLICES, false, z), OM_OK);
    for (size_t i = 0; i < AREAS; i++) {
        // The first slice has no slice before it: its z is of fewer bins.
        for (size_t t = 1; t < SLICES; t++)
            sum[t] = whole_sum(value, AREAS, t, i);
        for (size_t t = 1; t < SLICES; t++)
            for (size_t u = 1; u < t; u++) {
                ties += sum[t] == sum[u];
                split +=
                    sum[t] == sum[u] && z[t * AREAS + i] != z[u * AREAS + i];
            }
        const struct om_trend want = om_mann_kendall(sum + 1, SLICES - 1, 1);
        const struct om_trend got =
            om_mann_kendall(z + AREAS + i, SLICES - 1, AREAS);
        assert_int_equal(got.s, want.s);
        assert_true(got.variance == want.variance && got.z == want.z);
    }
    assert_true(ties > 100 && split > 0);  // else this tests nothing
    om_graph_deinit(&g);
}

static void step_reads_words_and_days(void **state)
{
    (void)state;
    struct om_stride s;
    assert_true(om_stride_read("day", &s) && s.days == 1);
    assert_true(om_stride_read("week", &s) && s.days == 7);
    assert_true(om_stride_read("month", &s) && s.days == 0);
    assert_true(om_stride_read("14", &s) && s.days == 14);
    static const char *const BAD[] = {"",     "0",    "-1",    "1.5",
                                      "3661", "year", "week ", "99999999999"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_false(om_stride_read(BAD[i], &s));
}

static void step_goes_back_by_the_calendar(void **state)
{
    (void)state;
    const struct om_stride month = {0}, week = {7};
    const int32_t zone = OM_TIME_ZONE_S;
    const int64_t end = at("2023-03-31T12:30:00+08:00");
    assert_int_equal(om_stride_back(&month, end, zone, 1),
                     at("2023-02-28T12:30:00+08:00"));
    assert_int_equal(om_stride_back(&month, end, zone, 13),
                     at("2022-02-28T12:30:00+08:00"));
    assert_int_equal(om_stride_back(&month, end, zone, 3),
                     at("2022-12-31T12:30:00+08:00"));
    assert_int_equal(om_stride_back(&week, end, zone, 2),
                     at("2023-03-17T12:30:00+08:00"));
    const int64_t from = at("2023-01-01");
    assert_int_equal(om_stride_count(&week, from, at("2023-06-27"), zone, 100),
                     25);
    assert_int_equal(om_stride_count(&week, from, at("2023-06-27"), zone, 9),
                     9);
    assert_int_equal(om_stride_count(&month, from, at("2023-07-01"), zone, 99),
                     6);
    assert_int_equal(om_stride_count(&month, from, from, zone, 99), 0);
    assert_int_equal(om_day_end(at("2023-06-26T00:00:00+08:00"), zone),
                     at("2023-06-26"));
    assert_int_equal(om_day_end(at("2023-06-26T00:00:01+08:00"), zone),
                     at("2023-06-27"));
    assert_int_equal(om_day_begin(at("2023-06-26T07:59:59+08:00"), zone),
                     at("2023-06-26"));
    assert_int_equal(om_day_begin(-1, 0), -86400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_each_by_an_example),
        cmocka_unit_test(class_follows_the_level),
        cmocka_unit_test(class_all_short_sequences),
        cmocka_unit_test(since_is_where_the_run_begins),
        cmocka_unit_test(trend_ties_equal_sums),
        cmocka_unit_test(step_reads_words_and_days),
        cmocka_unit_test(step_goes_back_by_the_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
