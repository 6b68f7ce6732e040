/* text.c - tokens, and numbers in one spelling.
 *
 * DESIGN
 * The same door is 14号 and 十四号, the same lane 3巷 and 三巷. What follows a
 * number says which of both it is: words that count (号, 栋, 房) make digits,
 * words of ways (路, 巷) make characters. Both the texts of the city and the
 * question go through here, so a rule that is odd for some name is odd on both
 * sides and does no harm.
 */
#include "engine/search/text.h"

#include <string.h>

#include "data/base/utf8.h"

/* Longer runs of digits are no numbers of doors: they stay characters. */
#define DIGITS_MAX 9
#define HAN_MAX 8
#define NAME_NUMBER_MAX 999
#define RAW (OM_SEARCH_TOKENS * 2)

static const uint16_t COUNTED[] = u"号栋幢座楼层房室铺档户单门";
static const uint16_t WAYS[] = u"路街巷道围横纵环里坊村组队期区大马经纬线";
static const uint16_t SUFFIX[] =
    u"省市区县镇乡街道村社园路巷号栋幢座楼层房室铺单元";
static const uint16_t DIGIT[] = u"零一二三四五六七八九";

static bool is_in(const uint16_t *list, size_t len, uint16_t token)
{
    for (size_t i = 0; i < len; i++)
        if (list[i] == token) return true;
    return false;
}
#define IS_IN(list, token) is_in(list, sizeof(list) / sizeof *(list)-1, token)

bool om_token_is_suffix(uint16_t token)
{
    return IS_IN(SUFFIX, token);
}

int om_token_initial(const struct om_fold *fold, uint16_t token)
{
    if (om_token_is_letter(token)) return token - 'a';
    const char *spelled = om_fold_spelled(fold, fold->sound[token]);
    return spelled[0] ? spelled[0] - 'a' : -1;
}

/* One character of UTF-8 that is well formed, as its number. */
static uint32_t decode(const unsigned char *s, size_t len)
{
    switch (len) {
        case 1:
            return s[0];
        case 2:
            return (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
        case 3:
            return (s[0] & 0xFu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
        default:
            return (s[0] & 7u) << 18 | (s[1] & 0x3Fu) << 12 |
                   (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
    }
}

static bool is_digit(uint16_t token)
{
    return token >= '0' && token <= '9';
}

/* What is left out between two digits parts two numbers: 6-101. */
#define BREAK 1

static size_t fold_all(const struct om_fold *fold, const char *text, size_t len,
                       uint16_t *out)
{
    bool parted = false;
    size_t n = 0;
    for (size_t at = 0; at < len && n < RAW;) {
        const size_t step = om_utf8_next(text + at, len - at);
        if (step) {
            const uint32_t c = decode((const unsigned char *)text + at, step);
            const uint16_t token =
                c < 65536 ? fold->token[c] : (uint16_t)(0xD800 + (c & 0x7FF));
            if (parted && n + 1 < RAW && is_digit(token) &&
                is_digit(out[n - 1]))
                out[n++] = BREAK;
            if (token) out[n++] = token;
            parted = !token && n;
        }
        at += step ? step : 1;
    }
    return n;
}

/* 0 to 9, 10, 100, 1000, or -1. */
static int han_value(uint16_t token)
{
    switch (token) {
        case u'〇':
            return 0;
        case u'两':
            return 2;
        case u'十':
            return 10;
        case u'百':
            return 100;
        case u'千':
            return 1000;
        default:
            break;
    }
    for (int i = 0; i < 10; i++)
        if (DIGIT[i] == token) return i;
    return -1;
}

/* 一百零一 as 101, 一〇一 as 101. */
static uint32_t han_number(const uint16_t *token, size_t len)
{
    uint32_t sum = 0, digit = 0;
    bool steps = false, pending = false;
    for (size_t i = 0; i < len; i++) steps = steps || han_value(token[i]) >= 10;
    for (size_t i = 0; i < len; i++) {
        const uint32_t v = (uint32_t)han_value(token[i]);
        if (!steps) {
            sum = sum * 10 + v;
        } else if (v >= 10) {
            sum += (pending ? digit : 1) * v;
            pending = false;
        } else {
            digit = v;
            pending = v > 0;
        }
    }
    return sum + (steps && pending ? digit : 0);
}

static size_t put_han(uint32_t n, uint16_t *out)
{
    size_t len = 0;
    if (n >= 100) {
        out[len++] = DIGIT[n / 100];
        out[len++] = u'百';
        if (n % 100 && n % 100 < 10) out[len++] = DIGIT[0];
    }
    const uint32_t tens = n / 10 % 10;
    if (tens > 1 || (tens == 1 && n >= 100)) out[len++] = DIGIT[tens];
    if (tens > 0) out[len++] = u'十';
    if (n % 10 || n == 0) out[len++] = DIGIT[n % 10];
    return len;
}

static void add(struct om_search_text *out, uint16_t token)
{
    if (out->tokens < OM_SEARCH_TOKENS) out->token[out->tokens++] = token;
}

static void add_number(struct om_search_text *out, uint32_t number)
{
    if (out->numbers == OM_SEARCH_NUMBERS) return;
    if (out->tokens == OM_SEARCH_TOKENS) return;
    add(out, OM_TOKEN_NUMBER);
    out->number[out->numbers++] = number;
}

/* 5lu6: a way that is spelled. */
static bool spells_way(const uint16_t *raw, size_t left)
{
    static const char *const WAY[] = {"lu", "jie", "xiang", "dao", "dadao"};
    for (size_t w = 0; w < sizeof WAY / sizeof *WAY; w++) {
        size_t n = 0;
        while (WAY[w][n] && n < left && raw[n] == (uint16_t)WAY[w][n]) n++;
        if (!WAY[w][n] && (n == left || !om_token_is_letter(raw[n])))
            return true;
    }
    return false;
}

/* Does a number that ends before `raw` name a way? 3巷, 3号路. */
static bool names_way(const uint16_t *raw, size_t left)
{
    if (left > 1 && raw[0] == u'号') return IS_IN(WAYS, raw[1]);
    return left > 0 && (IS_IN(WAYS, raw[0]) || spells_way(raw, left));
}

static bool counts(const uint16_t *raw, size_t left)
{
    return left > 0 && IS_IN(COUNTED, raw[0]) && !names_way(raw, left);
}

/* A run of digits; how many tokens it took. */
static size_t take_digits(const uint16_t *raw, size_t left,
                          struct om_search_text *out)
{
    size_t len = 0;
    uint32_t value = 0;
    while (len < left && is_digit(raw[len])) len++;
    if (len > DIGITS_MAX) {
        for (size_t i = 0; i < len; i++) add(out, raw[i]);
        return len;
    }
    for (size_t i = 0; i < len; i++) value = value * 10 + raw[i] - '0';
    if (value <= NAME_NUMBER_MAX && names_way(raw + len, left - len)) {
        uint16_t han[HAN_MAX];
        const size_t n = put_han(value, han);
        for (size_t i = 0; i < n; i++) add(out, han[i]);
    } else {
        add_number(out, value);
    }
    return len;
}

/* A run of characters that are numbers; `ordinal`: 第 is before it. */
static size_t take_han(const uint16_t *raw, size_t left, bool ordinal,
                       struct om_search_text *out)
{
    size_t len = 0;
    while (len < left && han_value(raw[len]) >= 0) len++;
    if (len <= HAN_MAX && (counts(raw + len, left - len) ||
                           (ordinal && !names_way(raw + len, left - len))))
        add_number(out, han_number(raw, len));
    else
        for (size_t i = 0; i < len; i++) add(out, raw[i]);
    return len;
}

void om_search_fold(const struct om_fold *fold, const char *text, size_t len,
                    struct om_search_text *out)
{
    uint16_t raw[RAW];
    const size_t n = fold_all(fold, text, len, raw);
    out->tokens = out->numbers = 0;
    for (size_t i = 0; i < n;) {
        if (raw[i] == BREAK) {
            i++;
        } else if (is_digit(raw[i])) {
            i += take_digits(raw + i, n - i, out);
        } else if (han_value(raw[i]) >= 0) {
            i += take_han(raw + i, n - i, i && raw[i - 1] == u'第', out);
        } else {
            add(out, raw[i++]);
        }
    }
}
