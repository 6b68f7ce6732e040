/* picture_answers.c - units coloured by the answer of an analysis.
 *
 * DESIGN
 * Hotspots and coverage answer with tables whose first column is the unit's
 * id. A map takes the same table, as JSON, that a user would get: what is
 * painted is what is answered, and a new analysis needs nothing here but its
 * name. Classes keep the colours they are known by; numbers become steps.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/json.h"
#include "web/coverage.h"
#include "web/hotspots.h"
#include "web/picture_internal.h"

/* Classes of hotspots, drawn from cold to hot. A class that is not listed gets
 * the grey of what has no name. `zero`: nothing to see. */
static const struct known {
    const char *word, *zh;
    uint32_t dark, light;
    bool zero;
} KNOWN[] = {
    {"not significant", "不显著", 0, 0, true},
    {"none", "无规律", 0, 0, true},
    {"cold 99%", "冷点 99%", 0x3B7DD8, 0x2166AC, false},
    {"cold 95%", "冷点 95%", 0x6FA8E6, 0x67A9CF, false},
    {"cold 90%", "冷点 90%", 0x9CC4EE, 0xB5D4E8, false},
    {"low 99%", "偏低 99%", 0x3B7DD8, 0x2166AC, false},
    {"low 95%", "偏低 95%", 0x6FA8E6, 0x67A9CF, false},
    {"low 90%", "偏低 90%", 0x9CC4EE, 0xB5D4E8, false},
    {"hot 90%", "热点 90%", 0xF6C9A0, 0xFDCDA8, false},
    {"hot 95%", "热点 95%", 0xF2915C, 0xEF8A62, false},
    {"hot 99%", "热点 99%", 0xE5484D, 0xB2182B, false},
    {"high 90%", "偏高 90%", 0xF6C9A0, 0xFDCDA8, false},
    {"high 95%", "偏高 95%", 0xF2915C, 0xEF8A62, false},
    {"high 99%", "偏高 99%", 0xE5484D, 0xB2182B, false},
    {"low-low", "低-低", 0x3B7DD8, 0x2166AC, false},
    {"low-high", "低-高", 0x9CC4EE, 0xA8CDE6, false},
    {"high-low", "高-低", 0xF6B48A, 0xF4A582, false},
    {"high-high", "高-高", 0xE5484D, 0xB2182B, false},
    {"historical cold", "历史冷点", 0x56708F, 0xB9C7D6, false},
    {"oscillating cold", "波动冷点", 0x7D93B0, 0xA3B6CB, false},
    {"sporadic cold", "零星冷点", 0x9CC4EE, 0xC3DBEE, false},
    {"diminishing cold", "减弱冷点", 0x86B3E0, 0x9CC3E0, false},
    {"persistent cold", "持续冷点", 0x5B96DB, 0x5F9BCB, false},
    {"intensifying cold", "增强冷点", 0x3B7DD8, 0x2166AC, false},
    {"consecutive cold", "连续冷点", 0x4B89DA, 0x4585BD, false},
    {"new cold", "新增冷点", 0x7AD0F0, 0x3CA9CC, false},
    {"historical hot", "历史热点", 0x8A6A5A, 0xD9C2B2, false},
    {"oscillating hot", "波动热点", 0xC99A7C, 0xE6BFA4, false},
    {"sporadic hot", "零星热点", 0xF6C9A0, 0xFDD9BC, false},
    {"diminishing hot", "减弱热点", 0xF0AE84, 0xF7B48C, false},
    {"persistent hot", "持续热点", 0xF2784F, 0xE4714F, false},
    {"consecutive hot", "连续热点", 0xEB6A50, 0xD65A45, false},
    {"intensifying hot", "增强热点", 0xE5484D, 0xB2182B, false},
    {"new hot", "新增热点", 0xFF5FA2, 0xD0186C, false},
};
#define KNOWN_CLASSES (sizeof KNOWN / sizeof *KNOWN)

static const struct stat_name {
    const char *stat, *zh, *en;
} STAT[] = {
    {"gistar", "Gi* 热点", "Gi* hotspots"},
    {"moran", "局部莫兰指数", "local Moran's I"},
    {"emerging", "时空热点", "space-time hotspots"},
    {"eb", "经验贝叶斯比率", "empirical Bayes rates"},
};

static const struct stat_name *stat_name(const char *stat)
{
    for (size_t i = 0; i < sizeof STAT / sizeof *STAT; i++)
        if (!strcmp(STAT[i].stat, stat)) return &STAT[i];
    return NULL;
}

/* What coverage paints, in words; shares are painted as percent. */
static const struct number_name {
    const char *answer, *column, *title, *title_en, *unit, *unit_en;
    double scale;
} NUMBER[] = {
    {"patrol", "value", "巡查", "Patrols", "已巡占应巡,%",
     "% of visits due that are made", 100.0},
    {"workload", "value", "工作量", "Workload", "人均应巡次数",
     "visits owed a worker", 1.0},
    {"service", "sum_share_10min", "服务可达", "Service reach",
     "居民在十分钟内的占比,%", "% of residents within ten minutes", 100.0},
    {"service", "share_10min", "服务可达", "Service reach",
     "地址在十分钟内的占比,%", "% of addresses within ten minutes", 100.0},
};

static const struct number_name *number_name(const struct om_picture_bound *b)
{
    for (size_t i = 0; i < sizeof NUMBER / sizeof *NUMBER; i++)
        if (!strcmp(NUMBER[i].answer, b->answer) &&
            !strcmp(NUMBER[i].column, b->answer_column))
            return &NUMBER[i];
    return NULL;
}

static om_status take(void *ctx, const void *bytes, size_t len)
{
    return om_buf_add(ctx, bytes, len);
}

static om_status ask_hotspots(const struct om_picture_bound *b,
                              const struct om_snapshot *snapshot,
                              struct om_selections *cache, struct om_buf *out,
                              struct om_err *err)
{
    struct om_hotspots_option option[5];
    struct om_hotspots_question q = {.snapshot = snapshot,
                                     .selections = cache,
                                     .layer = b->layer->name,
                                     .option = option,
                                     .format = OM_TABLE_JSON,
                                     .take = take,
                                     .take_ctx = out};
    option[q.options++] = (struct om_hotspots_option){"units", b->level};
    option[q.options++] = (struct om_hotspots_option){"stat", b->answer};
    if (b->where)
        option[q.options++] = (struct om_hotspots_option){"where", b->where};
    if (b->time)
        option[q.options++] = (struct om_hotspots_option){"time", b->time};
    if (b->per_text)
        option[q.options++] = (struct om_hotspots_option){"per", b->per_text};
    const om_status st = om_hotspots_answer(&q);
    if (st && err) *err = q.err;
    return st;
}

/* Of what is only counted nothing is weighed, which is not for everybody. */
static const char *counted_people(const struct om_picture_bound *b,
                                  const struct om_snapshot *snapshot)
{
    if (strcmp(b->answer, "service") != 0 ||
        !strncmp(b->answer_column, "sum", 3))
        return NULL;
    const struct om_json *service =
        om_json_get(snapshot->manifest->document, "service");
    return om_json_text(
        om_json_get(om_json_get(service, "population"), "layer"), NULL);
}

static om_status ask_coverage(const struct om_picture_bound *b,
                              const char *time,
                              const struct om_snapshot *snapshot,
                              struct om_selections *cache, struct om_buf *out,
                              struct om_err *err)
{
    const char *people = counted_people(b, snapshot);
    struct om_coverage_option option[3] = {{"by", b->level}};
    size_t options = 1;
    if (time) option[options++] = (struct om_coverage_option){"time", time};
    if (people)
        option[options++] = (struct om_coverage_option){"people", people};
    struct om_coverage q = {.snapshot = snapshot,
                            .selections = cache,
                            .now_s = b->now_s,
                            .option = option,
                            .options = options,
                            .format = OM_TABLE_JSON,
                            .take = take,
                            .take_ctx = out};
    const om_status st = om_coverage_run(om_coverage_find(b->answer), &q);
    if (st && err) *err = q.err;
    return st;
}

/* ---- classes ---- */

static const struct known *known_class(const char *word, size_t *rank)
{
    for (size_t i = 0; i < KNOWN_CLASSES; i++)
        if (!strcmp(KNOWN[i].word, word)) {
            *rank = i;
            return &KNOWN[i];
        }
    *rank = KNOWN_CLASSES;
    return NULL;
}

/* The class of a word, made when it is first met; kept in KNOWN's order by
 * the caller, who adds the words by rank. */
static void add_class(struct om_unit_classes *out, const char *word)
{
    size_t rank;
    const struct known *k = known_class(word, &rank);
    if (out->classes == OM_UNIT_CLASSES_MOST) return;
    struct om_class *class = &out->class[out->classes++];
    *class = (struct om_class){.other = false};
    snprintf(class->text, sizeof class->text, "%s", k ? k->zh : word);
    snprintf(class->text_en, sizeof class->text_en, "%s", word);
    class->colour[OM_PALETTE_DARK] = om_colour_of(k ? k->dark : 0x8793A3);
    class->colour[OM_PALETTE_LIGHT] = om_colour_of(k ? k->light : 0x7C8794);
}

static const char *class_word(const struct om_json *row)
{
    return om_json_text(om_json_get(row, "class"), "");
}

static size_t unit_of(const struct om_units *units, const struct om_json *row)
{
    const char *id = om_json_text(om_json_get(row, "id"), "");
    return om_units_find(units, id, strlen(id));
}

static void name_zero(struct om_unit_classes *out, const struct known *k)
{
    out->zero_clear = true;
    snprintf(out->zero_text, sizeof out->zero_text, "%s", k->zh);
    snprintf(out->zero_text_en, sizeof out->zero_text_en, "%s", k->word);
}

/* What could not be tested is of no class: it is hatched as unknown. */
static bool is_unknown(const char *word)
{
    return !word[0] || !strcmp(word, "unknown");
}

/* Rows with words into classes. */
static om_status by_class(const struct om_units *units,
                          const struct om_json *rows,
                          struct om_unit_classes *out)
{
    const size_t n = om_json_count(rows);
    uint8_t number[KNOWN_CLASSES + 1];
    bool seen[KNOWN_CLASSES + 1] = {false};
    size_t rank;
    for (size_t i = 0; i < n; i++) {
        const char *word = class_word(om_json_at(rows, i));
        known_class(word, &rank);
        seen[rank] |= !is_unknown(word);
    }
    for (size_t k = 0; k <= KNOWN_CLASSES; k++) {
        number[k] = OM_UNIT_ZERO;
        if (!seen[k]) continue;
        if (k < KNOWN_CLASSES && KNOWN[k].zero) {
            name_zero(out, &KNOWN[k]);
            continue;
        }
        number[k] = (uint8_t)out->classes;
        add_class(out, k < KNOWN_CLASSES ? KNOWN[k].word : "other");
    }
    for (size_t i = 0; i < n; i++) {
        const struct om_json *row = om_json_at(rows, i);
        const size_t unit = unit_of(units, row);
        if (unit == SIZE_MAX || is_unknown(class_word(row))) continue;
        known_class(class_word(row), &rank);
        out->of[unit] = number[rank];
        out->zero |= number[rank] == OM_UNIT_ZERO;
    }
    return OM_OK;
}

/* Numbers of an answer's rows by unit; of rows that are not there: unknown.
 * What is still true of `whole` is that all are. */
static om_status read_numbers(const struct om_picture_bound *b,
                              const struct om_units *units,
                              const struct om_json *rows, double *value,
                              bool *whole, struct om_err *err)
{
    const size_t n = om_json_count(rows);
    const struct number_name *name = number_name(b);
    const double scale = name ? name->scale : 1.0;
    bool any = false;
    for (size_t i = 0; i < units->count; i++) value[i] = NAN;
    for (size_t i = 0; i < n; i++) {
        const struct om_json *row = om_json_at(rows, i);
        const struct om_json *cell = om_json_get(row, b->answer_column);
        const size_t unit = unit_of(units, row);
        if (om_json_kind(cell) != OM_JSON_NONE) any = true;
        if (unit == SIZE_MAX || om_json_kind(cell) != OM_JSON_NUMBER) continue;
        value[unit] = om_json_real(cell, NAN) * scale;
        *whole &= value[unit] == floor(value[unit]);
    }
    if (any || !n) return OM_OK;
    return om_fail(err, OM_E_FORMAT, 0, "%s answers with no column '%.60s'",
                   b->answer, b->answer_column);
}

/* Rows with a number into steps, which are of the other side's rows as well
 * (NULL: there is none). */
static om_status by_number(const struct om_picture_bound *b,
                           const struct om_units *units,
                           const struct om_json *rows,
                           const struct om_json *other,
                           struct om_unit_classes *out, struct om_err *err)
{
    const size_t n = units->count;
    double *value = om_alloc_array(2 * n + 1, sizeof *value);
    bool whole = true;
    if (!value) return OM_E_MEMORY;
    om_status st = read_numbers(b, units, rows, value, &whole, err);
    if (!st && other)
        st = read_numbers(b, units, other, value + n, &whole, err);
    const struct om_unit_numbers numbers = {value, n, whole};
    const struct om_unit_numbers all = {value, other ? 2 * n : n, whole};
    if (!st) st = om_unit_classes_of(&numbers, &all, 1.0, out);
    om_free(value);
    return st;
}

/* The period that coverage is judged by: its months where these are whole, else
 * its first day and the one that it ends before. */
static void name_period(const struct om_json *document, char *out, size_t room)
{
    const char *from = om_json_text(om_json_get(document, "from"), "");
    const char *to = om_json_text(om_json_get(document, "to"), "");
    int year, month, year_to, month_to;
    out[0] = '\0';
    if (sscanf(from, "%4d-%2d", &year, &month) != 2 ||
        sscanf(to, "%4d-%2d", &year_to, &month_to) != 2)
        return;
    const int months = (year_to - year) * 12 + month_to - month;
    if (strncmp(from + 7, "-01", 3) || strncmp(to + 7, "-01", 3) ||
        months < 1) {
        snprintf(out, room, "%.10s / %.10s", from, to);
        return;
    }
    if (months == 1) {
        snprintf(out, room, "%04d-%02d", year, month);
        return;
    }
    const int last = year * 12 + month - 1 + months - 1;
    snprintf(out, room, "%04d-%02d – %04d-%02d", year, month, last / 12,
             last % 12 + 1);
}

static void name_number(const struct om_picture_bound *b,
                        const struct om_json *document,
                        struct om_unit_classes *out)
{
    const struct number_name *name = number_name(b);
    const char *column = b->answer_column;
    char period[OM_LIMIT_NAME_BYTES];
    name_period(document, period, sizeof period);
    snprintf(out->title, sizeof out->title, "%s%s%s",
             name ? name->title : b->answer, period[0] ? " · 考核期 " : "",
             period);
    snprintf(out->title_en, sizeof out->title_en, "%s%s%s",
             name ? name->title_en : b->answer, period[0] ? " · judged " : "",
             period);
    snprintf(out->unit, sizeof out->unit, "%s", name ? name->unit : column);
    snprintf(out->unit_en, sizeof out->unit_en, "%s",
             name ? name->unit_en : column);
}

static void name_test(const struct om_picture_bound *b,
                      struct om_unit_classes *out)
{
    const struct om_manifest_layer *meta = b->layer->meta;
    const struct stat_name *name = stat_name(b->answer);
    const char *layer = b->layer->name;
    snprintf(out->title, sizeof out->title, "%s",
             meta && meta->title[0] ? meta->title : layer);
    snprintf(out->title_en, sizeof out->title_en, "%s",
             meta && meta->title_en[0] ? meta->title_en : layer);
    snprintf(out->unit, sizeof out->unit, "%s", name ? name->zh : b->answer);
    snprintf(out->unit_en, sizeof out->unit_en, "%s",
             name ? name->en : b->answer);
}

static om_status read_classes(const struct om_picture_bound *b,
                              const struct om_units *units,
                              const struct om_json *document,
                              struct om_unit_classes *out)
{
    *out = (struct om_unit_classes){.units = units->count};
    out->of = om_alloc(units->count + 1);
    if (!out->of) return OM_E_MEMORY;
    memset(out->of, OM_UNIT_UNKNOWN, units->count + 1);
    OM_TRY(by_class(units, om_json_get(document, "rows"), out));
    name_test(b, out);
    return OM_OK;
}

/* other: the answer for the other side of a comparison, or empty */
static om_status read_answer(const struct om_picture_bound *b,
                             const struct om_units *units,
                             const struct om_buf *text,
                             const struct om_buf *other,
                             struct om_unit_classes *out, struct om_err *err)
{
    struct om_json *document = NULL, *beside = NULL;
    om_status st =
        om_json_parse((const char *)text->bytes, text->len, &document, err);
    if (!st && other->len)
        st =
            om_json_parse((const char *)other->bytes, other->len, &beside, err);
    if (!st && b->stat == OM_STAT_COVERAGE) {
        st = by_number(b, units, om_json_get(document, "rows"),
                       beside ? om_json_get(beside, "rows") : NULL, out, err);
        if (!st) name_number(b, document, out);
    } else if (!st) {
        st = read_classes(b, units, document, out);
    }
    for (size_t i = 0; i < units->count && !st; i++)
        out->unknown |= out->of[i] == OM_UNIT_UNKNOWN;
    om_json_free(beside);
    om_json_free(document);
    return st;
}

om_status om__picture_answer(const struct om_picture_bound *bound,
                             const struct om_snapshot *snapshot,
                             const struct om_level *level,
                             struct om_selections *cache,
                             struct om_unit_classes *out, struct om_err *err)
{
    struct om_buf text = {0}, other = {0};
    const bool hot = bound->stat == OM_STAT_HOTSPOTS;
    om_status st =
        hot ? ask_hotspots(bound, snapshot, cache, &text, err)
            : ask_coverage(bound, bound->time, snapshot, cache, &text, err);
    if (!st && bound->compared)
        st =
            ask_coverage(bound, bound->with_time, snapshot, cache, &other, err);
    if (!st) st = read_answer(bound, &level->units, &text, &other, out, err);
    om_buf_deinit(&other);
    om_buf_deinit(&text);
    return st;
}

bool om__picture_is_hotspots(const char *stat)
{
    return stat_name(stat) != NULL;
}

bool om__picture_is_coverage(const char *stat)
{
    const struct om_coverage_kind *kind = om_coverage_find(stat);
    return kind && strstr(kind->options, "by");
}

bool om__picture_is_dated(const char *stat)
{
    const struct om_coverage_kind *kind = om_coverage_find(stat);
    return kind && strstr(kind->options, "time");
}
