// roman.c - names in English by a list of terms and one reading a character.
#include "engine/search/roman.h"

#include <string.h>

#include "data/base/utf8.h"
#include "engine/search/fold.h"

/* Terms at the end of one name. */
#define ENDS_MOST 8

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

/* The longest term that the name ends with, or NULL. */
static const struct om_term *end_of(const char *name, size_t len,
                                    const struct om_term *term, size_t terms)
{
    const struct om_term *best = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < terms; i++) {
        const size_t n = strlen(term[i].text);
        if (is_small(term[i].english[0]) || n <= longest || n > len) continue;
        if (memcmp(name + len - n, term[i].text, n) != 0) continue;
        best = &term[i];
        longest = n;
    }
    return best;
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

om_status om_romanise(const char *name, size_t len, const struct om_term *term,
                      size_t terms, struct om_buf *out, struct om_err *err)
{
    const struct om_fold *fold;
    const struct om_term *end[ENDS_MOST];
    size_t ends = 0;
    OM_TRY(om_fold_get(&fold, err));
    while (ends < ENDS_MOST &&
           (end[ends] = end_of(name, len, term, terms)) != NULL)
        len -= strlen(end[ends++]->text);
    struct writing w = {.out = out, .begin = out->len};
    spell(&w, fold, name, len, term, terms);
    while (ends-- > 0) {
        start(&w);
        om_buf_add_text(out, end[ends]->english);
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
