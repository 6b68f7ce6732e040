// roman.c - names in English by a list of terms and one reading a character.
#include "engine/search/roman.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/utf8.h"
#include "engine/search/fold.h"

/* Terms at the end of one name, and of one city. */
#define ENDS_MOST 8
#define TERMS_MOST 2000

/* A term at the end of a name: how long it is there, and its number. */
struct ending {
    const struct om_term *term;
    const char *number;  // of digits, in the name
    size_t len, digits;
};

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Does the name end with the term? */
static bool ends_with(const char *name, size_t len, const struct om_term *term,
                      struct ending *out)
{
    const char *mark = strchr(term->text, '#');
    const size_t before = mark ? (size_t)(mark - term->text) : 0;
    const char *last = mark ? mark + 1 : term->text;
    const size_t after = strlen(last);
    *out = (struct ending){.term = term, .len = before + after};
    if (after > len || memcmp(name + len - after, last, after) != 0)
        return false;
    if (!mark) return true;
    const char *end = name + len - after;
    while (out->digits < len - after &&
           is_digit(end[-1 - (ptrdiff_t)out->digits]))
        out->digits++;
    out->number = end - out->digits;
    out->len += out->digits;
    return out->digits && out->len <= len &&
           !memcmp(out->number - before, term->text, before);
}

/* The longest term that the name ends with. */
static bool end_of(const char *name, size_t len, const struct om_term *term,
                   size_t terms, struct ending *best)
{
    struct ending one;
    *best = (struct ending){0};
    for (size_t i = 0; i < terms; i++)
        if (!is_small(term[i].english[0]) &&
            ends_with(name, len, &term[i], &one) && one.len > best->len)
            *best = one;
    return best->len > 0;
}

/* The longest spelling that the name goes on with, or NULL. */
static const struct om_term *spelling_of(const char *name, size_t len,
                                         const struct om_term *term,
                                         size_t terms)
{
    const struct om_term *best = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < terms; i++) {
        const size_t n = strlen(term[i].text);
        if (!is_small(term[i].english[0]) || n <= longest || n > len) continue;
        if (memcmp(name, term[i].text, n) != 0) continue;
        best = &term[i];
        longest = n;
    }
    return best;
}

/* What is being written. */
enum word { NO_WORD, SPELLED, COPIED };
struct writing {
    struct om_buf *out;
    size_t begin;  // of the name in `out`
    enum word word;
};

static void start(struct writing *w)
{
    if (w->out->len > w->begin) om_buf_add_byte(w->out, ' ');
}

static void add_syllable(struct writing *w, const char *letters)
{
    char first = letters[0];
    if (w->word != SPELLED) {
        start(w);
        first = (char)(first - 'a' + 'A');
    } else if (strchr("aoe", first)) {
        om_buf_add_byte(w->out, '\'');
    }
    om_buf_add_byte(w->out, (uint8_t)first);
    om_buf_add_text(w->out, letters + 1);
    w->word = SPELLED;
}

static void add_letter(struct writing *w, char c)
{
    if (w->word != COPIED) start(w);
    om_buf_add_byte(w->out, (uint8_t)c);
    w->word = COPIED;
}

/* The code of a character of `n` bytes that is well formed. */
static uint32_t code_of(const char *at, size_t n)
{
    static const uint8_t lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (uint8_t)at[0] & lead[n];
    for (size_t i = 1; i < n; i++) code = code << 6 | ((uint8_t)at[i] & 0x3F);
    return code;
}

static void add_character(struct writing *w, const struct om_fold *fold,
                          uint32_t code)
{
    const uint16_t token = code < 65536 ? fold->token[code] : 0;
    const char *letters = om_fold_spelled(fold, fold->sound[token]);
    if (is_small(letters[0]))
        add_syllable(w, letters);
    else if (code < 128 && token)
        add_letter(w, (char)code);  // as it is written, capitals too
    else if (token && token < 128)
        add_letter(w, (char)token);
    else
        w->word = NO_WORD;
}

static void spell(struct writing *w, const struct om_fold *fold,
                  const char *name, size_t len, const struct om_term *term,
                  size_t terms)
{
    for (size_t at = 0; at < len;) {
        const struct om_term *s = spelling_of(name + at, len - at, term, terms);
        const size_t n = om_utf8_next(name + at, len - at);
        if (s)
            add_syllable(w, s->english);
        else if (n)
            add_character(w, fold, code_of(name + at, n));
        at += s ? strlen(s->text) : n ? n : 1;
    }
}

static void add_ending(const struct ending *end, struct om_buf *out)
{
    const char *english = end->term->english;
    const size_t before = end->digits ? strcspn(english, "#") : strlen(english);
    om_buf_add(out, english, before);
    if (!english[before]) return;
    om_buf_add(out, end->number, end->digits);
    om_buf_add_text(out, english + before + 1);
}

om_status om_romanise(const char *name, size_t len, const struct om_term *term,
                      size_t terms, struct om_buf *out, struct om_err *err)
{
    const struct om_fold *fold;
    struct ending end[ENDS_MOST];
    size_t ends = 0;
    OM_TRY(om_fold_get(&fold, err));
    while (ends < ENDS_MOST && end_of(name, len, term, terms, &end[ends]))
        len -= end[ends++].len;
    struct writing w = {.out = out, .begin = out->len};
    spell(&w, fold, name, len, term, terms);
    while (ends-- > 0) {
        start(&w);
        add_ending(&end[ends], out);
    }
    return out->status;
}

om_status om_spell(const char *text, size_t len, bool other, struct om_buf *out,
                   struct om_err *err)
{
    const struct om_fold *fold;
    const size_t begin = out->len;
    bool in_run = false;
    OM_TRY(om_fold_get(&fold, err));
    for (size_t at = 0, n; at < len; at += n ? n : 1) {
        n = om_utf8_next(text + at, len - at);
        const uint32_t code = n ? code_of(text + at, n) : 0;
        const uint16_t token = code < 65536 ? fold->token[code] : 0;
        const uint16_t second = other ? fold->other[token] : 0;
        const char *letters =
            om_fold_spelled(fold, second ? second : fold->sound[token]);
        const bool plain = !*letters && token && token < 128;
        const bool goes_on = plain && in_run;
        in_run = plain;
        if (!*letters && !plain) continue;
        if (out->len > begin && !goes_on) om_buf_add_byte(out, ' ');
        if (plain)
            om_buf_add_byte(out, (uint8_t)token);
        else
            om_buf_add_text(out, letters);
    }
    return out->status;
}

om_status om_terms_read(const struct om_json *document, struct om_term **out,
                        size_t *count, struct om_err *err)
{
    const struct om_json *all = om_json_get(document, "english");
    const size_t members = om_json_count(all);
    *out = NULL;
    *count = 0;
    if (om_json_kind(all) == OM_JSON_NONE) return OM_OK;
    if (om_json_kind(all) != OM_JSON_OBJECT || members > TERMS_MOST)
        return om_fail(err, OM_E_FORMAT, 0,
                       "city.json: english is an object of at most %d words",
                       TERMS_MOST);
    struct om_term *term = om_calloc(members + 1, sizeof *term);
    if (!term) return OM_E_MEMORY;
    for (size_t i = 0; i < members; i++) {
        const char *text = "";
        const char *english = om_json_text(om_json_member(all, i, &text), "");
        term[i] = (struct om_term){text, english};
        if (*text && *english) continue;
        om_free(term);
        return om_fail(err, OM_E_FORMAT, 0,
                       "city.json: english.%.60s is not a text", text);
    }
    *out = term;
    *count = members;
    return OM_OK;
}
