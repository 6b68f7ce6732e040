/* publish_said.c - a text is told if it is what it is said to be.
 *
 * DESIGN
 * Rows go out by column, and columns are listed. What people write into plans
 * and manifests has no columns, so it has shapes: every member that can go out
 * is listed here with its kind and length, and there are no others. Texts of a
 * plan that are none of these fail, so that who publishes mends them; those of
 * city.json, which is not written for the public, are left out and noted.
 */
#include "web/publish_said.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "data/city/manifest.h"
#include "data/model/time.h"
#include "engine/search/spell.h"

#define PATH_BYTES 160
#define DIGITS_MOST 6
#define PHONE_LEAST 3

/* ---- texts ---- */

/* A digit of a text that om_text_spell has written, Han ones too. returns its
 * bytes, 0: it is none */
static size_t digit_at(const char *at)
{
    static const char *const HAN[] = {"〇一二三四五六七八九十百千零两兩廿卅",
                                      "壹贰叁肆伍陆柒捌玖拾佰仟",
                                      "貳參陸弌弍弎"};
    if (isdigit((unsigned char)*at)) return 1;
    for (size_t h = 0; h < sizeof HAN / sizeof *HAN; h++)
        for (const char *c = HAN[h]; *c; c += 3)
            if (!strncmp(at, c, 3)) return 3;
    return 0;
}

static size_t digits_of(const char *text, bool han)
{
    size_t n = 0;
    for (const char *at = text; *at;) {
        const size_t digit = digit_at(at);
        n += digit && (han || digit == 1);
        at += digit ? digit : 1;
    }
    return n;
}

static bool is_plain(const char *text, bool ascii)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7F || (ascii && *c > 0x7E)) return false;
        // Controls of Unicode: C1, line and paragraph, directions.
        if (c[0] == 0xC2 && c[1] < 0xA0) return false;
        if (c[0] == 0xE2 && c[1] == 0x80 && c[2] >= 0xA8 && c[2] <= 0xAE)
            return false;
        if (c[0] == 0xE2 && c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9)
            return false;
    }
    return true;
}

static bool is_date(const char *text)
{
    int64_t at_s;
    char again[OM_TIME_TEXT_BYTES];
    if (strlen(text) != 10 || om_time_parse(text, 10, 0, &at_s)) return false;
    om_time_format(at_s, 0, again);
    return !strncmp(text, again, 10);
}

static bool is_colour(const char *text)
{
    return strlen(text) == 7 && text[0] == '#' &&
           strspn(text + 1, "0123456789abcdefABCDEF") == 6;
}

/* ---- numbers of houses, in a text that is spelt ---- */

static const char *skip(const char *at, const char *what)
{
    return at + strspn(at, what);
}

/* The first of the words that begins here; 0: none. returns its bytes */
static size_t begins_with(const char *at, const char *const *words)
{
    for (; *words; words++)
        if (!strncmp(at, *words, strlen(*words))) return strlen(*words);
    return 0;
}

/* A word of letters that begins here, and ends. */
static size_t word_at(const char *text, const char *at,
                      const char *const *words)
{
    if (at > text && isalpha((unsigned char)at[-1])) return 0;
    for (; *words; words++) {
        const size_t len = strlen(*words);
        if (!strncmp(at, *words, len) && !isalpha((unsigned char)at[len]))
            return len;
    }
    return 0;
}

static const char *after_digits(const char *at)
{
    for (size_t n; (n = digit_at(at)) > 0;) at += n;
    return at;
}

/* 14号, 3 栋, 二〇三室. */
static bool counts_house(const char *at)
{
    static const char *const OF[] = {"号",   "號",   "栋",   "棟", "幢",
                                     "座",   "室",   "房",   "弄", "门牌",
                                     "門牌", "单元", "單元", NULL};
    return digit_at(at) && begins_with(skip(after_digits(at), " #"), OF);
}

/* 14-2, but not 9-12岁, 2023-2024年 or 9-12 years. */
static bool is_in_parts(const char *at)
{
    static const char *const COUNTED[] = {
        "岁", "歲", "年", "月", "日",    "天",   "周",  "週",   "时",   "時",
        "小", "点", "點", "分", "人",    "名",   "期",  "级",   "級",   "%",
        "am", "pm", "km", "h",  "month", "year", "day", "week", "hour", NULL};
    if (!isdigit((unsigned char)*at)) return false;
    const char *dash = skip(skip(at, "0123456789"), " ");
    const char *next = skip(dash + (*dash == '-'), " ");
    if (*dash != '-' || !isdigit((unsigned char)*next)) return false;
    return !begins_with(skip(skip(next, "0123456789"), " "), COUNTED);
}

/* No. 14, Room 3, #5. */
static bool is_numbered(const char *text, const char *at)
{
    static const char *const WORD[] = {
        "no",        "nr",       "nos",  "number", "room",  "rm",
        "house",     "unit",     "flat", "apt",    "door",  "gate",
        "apartment", "building", "bldg", "block",  "suite", NULL};
    const size_t len = *at == '#' ? 1 : word_at(text, at, WORD);
    return len && isdigit((unsigned char)*skip(at + len, " .:#-"));
}

/* 东城路14, Xinghua Rd 14, 14 Xinghua Rd. */
static bool is_on_street(const char *text, const char *at)
{
    static const char *const HAN[] = {"路", "街", "巷", "弄", "大道", NULL};
    static const char *const WORD[] = {"rd",    "road",   "st",   "street",
                                       "ave",   "avenue", "lane", "blvd",
                                       "alley", NULL};
    const size_t han = begins_with(at, HAN);
    const size_t len = han ? han : word_at(text, at, WORD);
    if (len) {
        const char *next = skip(at + len, " ,.:#");
        if (!strncmp(next, "no", 2)) next = skip(next + 2, " .:");
        if (isdigit((unsigned char)*next)) return true;
    }
    if (!isdigit((unsigned char)*at) ||
        (at > text && isalnum((unsigned char)at[-1])))
        return false;
    const char *word = skip(skip(at, "0123456789"), " ,");
    // Its name has a word or two.
    for (int i = 0; i < 2 && isalpha((unsigned char)*word); i++) {
        while (isalpha((unsigned char)*word) || *word == '\'') word++;
        word = skip(word, " ");
        if (word_at(text, word, WORD)) return true;
    }
    return false;
}

/* whole: also a number alone, that names a house where nothing else is said. */
static bool names_house(const char *text, bool whole)
{
    for (const char *at = text; *at; at++) {
        if (is_on_street(text, at)) return true;
        if (whole &&
            (counts_house(at) || is_numbered(text, at) || is_in_parts(at)))
            return true;
    }
    return false;
}

static const char *fault_of_words(enum om__said kind, const char *text)
{
    const bool title = kind == OM__SAID_TITLE;
    struct om_buf spelt = {0};
    const char *fault = NULL;
    bool unseen = false;
    om_status st = om_text_spell(text, strlen(text), &spelt, &unseen);
    if (!st) st = om_buf_add(&spelt, "", 1);
    const char *plain = (const char *)spelt.bytes;
    if (st)
        fault = "cannot be read";
    else if (unseen)
        fault = "has characters in it that nobody sees";
    else if (kind != OM__SAID_TEXT && digits_of(plain, title) > DIGITS_MOST)
        fault =
            "has more than six digits, as numbers of telephones and people "
            "have";
    else if (kind != OM__SAID_TEXT && names_house(plain, title))
        fault = "names a house or a room by its number, as addresses do";
    om_buf_deinit(&spelt);
    return fault;
}

static bool in_any_letters(enum om__said kind)
{
    return kind == OM__SAID_TEXT || kind == OM__SAID_WORDS ||
           kind == OM__SAID_TITLE;
}

const char *om__said_fault(enum om__said kind, const char *text, size_t most)
{
    if (!*text) return "is empty";
    if (strlen(text) > most) return "is too long";
    if (!is_plain(text, !in_any_letters(kind)))
        return in_any_letters(kind) ? "has control characters in it"
                                    : "has characters that are not plain ASCII";
    switch (kind) {
        case OM__SAID_TEXT:
        case OM__SAID_TITLE:
        case OM__SAID_WORDS:
        case OM__SAID_ASCII:
            return fault_of_words(kind, text);
        case OM__SAID_NAME:
            return om_manifest_name_ok(text)
                       ? NULL
                       : "is no name (letters, digits, _ and - only)";
        case OM__SAID_PHONE:
            return strspn(text, "0123456789+- ") == strlen(text) &&
                           digits_of(text, false) >= PHONE_LEAST
                       ? NULL
                       : "is no telephone number";
        case OM__SAID_DATE:
            return is_date(text) ? NULL : "is no date (2023-06-26)";
        case OM__SAID_COLOUR:
            return is_colour(text) ? NULL : "is no colour (#RRGGBB)";
        default:
            return NULL;
    }
}

om_status om__said_check(const struct om_json *value, const char *path,
                         enum om__said kind, size_t most, struct om_err *err)
{
    if (!value) return OM_OK;
    const char *text = om_json_text(value, NULL);
    const char *fault =
        text ? om__said_fault(kind, text, most) : "is not a text";
    return fault ? om_fail(err, OM_E_FORMAT, 0, "publish.json: %s %s", path,
                           fault)
                 : OM_OK;
}

/* ---- lists and objects ---- */

struct taking {
    const struct om__said_from *from;
    struct om_err *err;
};

/* Nothing of what was there: a key can be as telling as a text. */
static om_status refuse(const struct taking *t, const char *path,
                        const char *why)
{
    const struct om__said_from *from = t->from;
    if (!from->refused)
        return om_fail(t->err, OM_E_FORMAT, 0, "%s: %s %s", from->file, path,
                       why);
    struct om_json *one = om_json_object();
    OM_TRY(om_json_add_take(from->refused, one));
    OM_TRY(om_json_set_take(one, "member", om_json_of_text(path)));
    OM_TRY(om_json_set_take(one, "why", om_json_of_text(why)));
    return om_buf_addf(from->words, "left out: %s of %s: it %s\n", path,
                       from->file, why);
}

static om_status take(const struct taking *t, const char *path,
                      const struct om_json *value,
                      const struct om__said_shape *shape, struct om_json **out);

static om_status take_text(const struct taking *t, const char *path,
                           const struct om_json *value,
                           const struct om__said_shape *shape,
                           struct om_json **out)
{
    const char *text = om_json_text(value, NULL);
    const char *fault =
        text ? om__said_fault(shape->kind, text, shape->most) : "is not a text";
    if (fault) return refuse(t, path, fault);
    *out = om_json_of_text(text);
    return *out ? OM_OK : OM_E_MEMORY;
}

static om_status take_list(const struct taking *t, const char *path,
                           const struct om_json *value,
                           const struct om__said_shape *shape,
                           struct om_json *out)
{
    for (size_t i = 0; i < om_json_count(value); i++) {
        char below[PATH_BYTES];
        struct om_json *one = NULL;
        snprintf(below, sizeof below, "%s[%zu]", path, i);
        OM_TRY(take(t, below, om_json_at(value, i), shape->item, &one));
        if (one) OM_TRY(om_json_add_take(out, one));
    }
    return OM_OK;
}

static om_status take_map(const struct taking *t, const char *path,
                          const struct om_json *value,
                          const struct om__said_shape *shape,
                          struct om_json *out)
{
    for (size_t i = 0; i < om_json_count(value); i++) {
        char below[PATH_BYTES];
        const char *key = "";
        struct om_json *one = NULL;
        const struct om_json *of = om_json_member(value, i, &key);
        const char *fault =
            om__said_fault(shape->kind, key, OM_LIMIT_NAME_BYTES);
        snprintf(below, sizeof below, "%s[%zu]", path, i);
        if (fault) {
            OM_TRY(refuse(t, below, fault));
            continue;
        }
        OM_TRY(take(t, below, of, shape->item, &one));
        if (one) OM_TRY(om_json_set_take(out, key, one));
    }
    return OM_OK;
}

static const struct om__said_member *member_of(
    const struct om__said_shape *shape, const char *key)
{
    for (const struct om__said_member *m = shape->member; m->key; m++)
        if (!strcmp(m->key, key)) return m;
    return NULL;
}

static om_status take_object(const struct taking *t, const char *path,
                             const struct om_json *value,
                             const struct om__said_shape *shape,
                             struct om_json *out)
{
    size_t others = 0;
    for (size_t i = 0; i < om_json_count(value); i++) {
        const char *key = "";
        const struct om_json *of = om_json_member(value, i, &key);
        const struct om__said_member *m = member_of(shape, key);
        char below[PATH_BYTES];
        struct om_json *one = NULL;
        others += !m;
        if (!m && !t->from->refused)
            return om_fail(t->err, OM_E_FORMAT, 0,
                           "%s: there is no member %s.%.60s that goes into a "
                           "release",
                           t->from->file, path, key);
        if (!m) continue;
        snprintf(below, sizeof below, "%s.%s", path, key);
        OM_TRY(take(t, below, of, m->shape, &one));
        if (one) OM_TRY(om_json_set_take(out, key, one));
    }
    for (const struct om__said_member *m = shape->member; m->key; m++)
        if (m->needed && !om_json_get(value, m->key) && !t->from->refused)
            return om_fail(t->err, OM_E_FORMAT, 0, "%s: %s has no %s",
                           t->from->file, path, m->key);
    char why[80];
    snprintf(why, sizeof why, "has %zu members that are not listed", others);
    return others ? refuse(t, path, why) : OM_OK;
}

static const char *misshapen(const struct om_json *value,
                             const struct om__said_shape *shape)
{
    const bool list = shape->is == OM__SAID_IS_LIST;
    if (om_json_kind(value) != (list ? OM_JSON_LIST : OM_JSON_OBJECT))
        return list ? "is not a list" : "is not an object";
    return shape->is != OM__SAID_IS_OBJECT && om_json_count(value) > shape->most
               ? "has too many members"
               : NULL;
}

static om_status take(const struct taking *t, const char *path,
                      const struct om_json *value,
                      const struct om__said_shape *shape, struct om_json **out)
{
    *out = NULL;
    if (shape->is == OM__SAID_IS_TEXT)
        return take_text(t, path, value, shape, out);
    if (shape->is == OM__SAID_IS_NUMBER) {
        if (om_json_kind(value) != OM_JSON_NUMBER)
            return refuse(t, path, "is not a number");
        *out = om_json_copy(value);
        return *out ? OM_OK : OM_E_MEMORY;
    }
    const char *fault = misshapen(value, shape);
    if (fault) return refuse(t, path, fault);
    const bool list = shape->is == OM__SAID_IS_LIST;
    struct om_json *made = list ? om_json_list() : om_json_object();
    if (!made) return OM_E_MEMORY;
    const om_status st = list ? take_list(t, path, value, shape, made)
                         : shape->is == OM__SAID_IS_MAP
                             ? take_map(t, path, value, shape, made)
                             : take_object(t, path, value, shape, made);
    if (st)
        om_json_free(made);
    else
        *out = made;
    return st;
}

om_status om__said_take(const struct om__said_from *from, const char *path,
                        const struct om_json *value,
                        const struct om__said_shape *shape,
                        struct om_json **out, struct om_err *err)
{
    const struct taking t = {from, err};
    return take(&t, path, value, shape, out);
}
