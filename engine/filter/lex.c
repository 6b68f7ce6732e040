// lex.c - the words of a filter: names, numbers, texts and signs.
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/base/utf8.h"
#include "engine/filter/filter_internal.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts_name(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == ':' || c >= 0x80;
}

static bool continues_name(unsigned char c)
{
    return starts_name(c) || is_digit((char)c) || c == '.';
}

/* Signs that input methods for Chinese leave behind, and what was meant. */
static const struct {
    const char *wide, *plain;
} WIDE[] = {
    {"\u3000", "a blank"},
    {"\u00A0", "a blank"},
    {"（", "("},
    {"）", ")"},
    {"，", ","},
    {"、", ","},
    {"＝", "="},
    {"＜", "<"},
    {"＞", ">"},
    {"‘", "'"},
    {"’", "'"},
    {"“", "\""},
    {"”", "\""},
    {"％", "%"},
    {"＇", "'"},
    {"＂", "\""},
    {"－", "-"},
    {"＋", "+"},
    {"．", "."},
};

/* Index into WIDE of the character at `at`, or -1. */
static int wide_sign(const char *at, size_t len)
{
    for (size_t i = 0; i < sizeof WIDE / sizeof *WIDE; i++) {
        const size_t n = strlen(WIDE[i].wide);
        if (n <= len && memcmp(at, WIDE[i].wide, n) == 0) return (int)i;
    }
    return -1;
}

static om_status lex_name(struct om__lexer *l)
{
    size_t i = l->token.at;
    while (i < l->len && continues_name((unsigned char)l->text[i])) {
        if ((unsigned char)l->text[i] < 0x80) {
            i++;
            continue;
        }
        const size_t width = om_utf8_next(l->text + i, l->len - i);
        if (!width)
            return om_fail(l->err, OM_E_FORMAT, i, "byte %zu is not UTF-8", i);
        if (wide_sign(l->text + i, l->len - i) >= 0) break;
        i += width;
    }
    l->token.kind = OM__NAME;
    l->token.text = (struct om__text){l->text + l->token.at, i - l->token.at};
    l->token.end = i;
    while (i < l->len && strchr(" \t\r\n", l->text[i])) i++;
    l->token.call = i < l->len && l->text[i] == '(';
    return OM_OK;
}

/* 'text' and "name": the quote doubled, and in texts \', stand for the quote
 * itself. */
static om_status lex_quoted(struct om__lexer *l, char quote)
{
    const size_t at = l->token.at;
    char *out = om_arena_alloc(l->arena, l->len - at);
    if (!out) return OM_E_MEMORY;
    size_t n = 0, i = at + 1;
    for (;; i++) {
        if (i >= l->len)
            return om_fail(l->err, OM_E_FORMAT, at,
                           "the %s that begins at byte %zu has no closing %c",
                           quote == '"' ? "name" : "text", at, quote);
        const bool more = i + 1 < l->len;
        if (l->text[i] == quote) {
            if (!more || l->text[i + 1] != quote) break;
            i++;
        } else if (quote == '\'' && l->text[i] == '\\' && more &&
                   l->text[i + 1] == '\'') {
            i++;
        }
        if (l->text[i] == '\0')
            return om_fail(l->err, OM_E_FORMAT, i, "a zero byte at %zu", i);
        out[n++] = l->text[i];
    }
    if (!om_utf8_valid(out, n))
        return om_fail(l->err, OM_E_FORMAT, at,
                       "the text at byte %zu is not UTF-8", at);
    l->token.kind = quote == '"' ? OM__QUOTED : OM__TEXT;
    l->token.text = (struct om__text){out, n};
    l->token.end = i + 1;
    return OM_OK;
}

static om_status lex_number(struct om__lexer *l)
{
    size_t i = l->token.at;
    while (i < l->len && is_digit(l->text[i])) i++;
    if (i < l->len && l->text[i] == '.') i++;
    while (i < l->len && is_digit(l->text[i])) i++;
    if (i < l->len && (l->text[i] == 'e' || l->text[i] == 'E')) {
        size_t e = i + 1;
        if (e < l->len && (l->text[e] == '+' || l->text[e] == '-')) e++;
        if (e < l->len && is_digit(l->text[e])) {
            i = e;
            while (i < l->len && is_digit(l->text[i])) i++;
        }
    }
    l->token.kind = OM__NUMBER;
    l->token.text = (struct om__text){l->text + l->token.at, i - l->token.at};
    l->token.end = i;
    if (i < l->len && continues_name((unsigned char)l->text[i]) &&
        wide_sign(l->text + i, l->len - i) < 0)
        return om_fail(l->err, OM_E_FORMAT, l->token.at,
                       "'%.*s...' at byte %zu is no number (a name that "
                       "begins with a digit goes in double quotes)",
                       (int)(i - l->token.at < 20 ? i - l->token.at + 1 : 20),
                       l->token.text.bytes, l->token.at);
    return OM_OK;
}

static om_status lex_symbol(struct om__lexer *l)
{
    const char c = l->text[l->token.at];
    const char after =
        l->token.at + 1 < l->len ? l->text[l->token.at + 1] : '\0';
    l->token.kind = OM__SYMBOL;
    l->token.end = l->token.at + 1;
    l->token.symbol = c;
    l->token.text = (struct om__text){l->text + l->token.at, 1};
    if ((c == '<' && (after == '=' || after == '>')) ||
        ((c == '>' || c == '!') && after == '=')) {
        l->token.symbol = c == '!' || after == '>' ? OM__SYMBOL_NE
                          : c == '<'               ? OM__SYMBOL_LE
                                                   : OM__SYMBOL_GE;
        l->token.end++;
        l->token.text.len = 2;
        return OM_OK;
    }
    if (c && strchr("(),=<>+-*/^%[]", c)) return OM_OK;
    if (c >= 0x20 && c < 0x7f)
        return om_fail(l->err, OM_E_FORMAT, l->token.at,
                       "'%c' at byte %zu does not belong in a filter", c,
                       l->token.at);
    return om_fail(l->err, OM_E_FORMAT, l->token.at,
                   "byte %zu (0x%02x) does not belong in a filter", l->token.at,
                   (unsigned)(unsigned char)c);
}

om_status om__lex_next(struct om__lexer *l)
{
    size_t i = l->token.end;
    while (i < l->len && l->text[i] && strchr(" \t\r\n", l->text[i])) i++;
    l->token = (struct om__token){.kind = OM__END, .at = i, .end = i};
    if (i >= l->len) return OM_OK;
    const char c = l->text[i];
    const int wide = wide_sign(l->text + i, l->len - i);
    if (wide >= 0)
        return om_fail(l->err, OM_E_FORMAT, i,
                       "full-width %s at byte %zu: write %s instead",
                       WIDE[wide].wide, i, WIDE[wide].plain);
    if (starts_name((unsigned char)c)) return lex_name(l);
    if (c == '"' || c == '\'') return lex_quoted(l, c);
    if (is_digit(c) || (c == '.' && i + 1 < l->len && is_digit(l->text[i + 1])))
        return lex_number(l);
    return lex_symbol(l);
}

bool om__lex_is(const struct om__lexer *l, const char *keyword)
{
    return l->token.kind == OM__NAME && l->token.text.len == strlen(keyword) &&
           strncasecmp(l->token.text.bytes, keyword, l->token.text.len) == 0;
}

bool om__lex_reserved(const char *name, size_t len)
{
    static const char *const WORDS[] = {"AND",   "OR",     "NOT",  "IN",
                                        "LIKE",  "IS",     "NULL", "TRUE",
                                        "FALSE", "BETWEEN"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strlen(WORDS[i]) == len && strncasecmp(name, WORDS[i], len) == 0)
            return true;
    return false;
}
