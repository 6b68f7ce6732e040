// guess.c - what type would hold all the values of a column?
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/source/columns.h"

/* Categories are few: at most this many, and repeating 20 times on average. */
#define CATEGORY_MAX 4096
#define CATEGORY_REPEAT 20
#define SEEN_SLOTS (CATEGORY_MAX * 4)
/* More digits than this do not survive in a spreadsheet: they are a code. */
#define NUMBER_DIGITS 15

om_status om__guess_open(struct om__guess *guess)
{
    *guess = (struct om__guess){0};
    guess->seen = om_calloc(SEEN_SLOTS, sizeof *guess->seen);
    return guess->seen ? OM_OK : OM_E_MEMORY;
}

void om__guess_close(struct om__guess *guess)
{
    om_free(guess->seen);
    *guess = (struct om__guess){0};
}

static void count_distinct(struct om__guess *g, const char *text, size_t len)
{
    if (g->distinct > CATEGORY_MAX) return;
    uint64_t hash = om_hash64(text, len, 0);
    hash += hash == 0;  // 0 is the empty slot
    size_t slot = (size_t)(hash % SEEN_SLOTS);
    while (g->seen[slot] && g->seen[slot] != hash)
        slot = (slot + 1) % SEEN_SLOTS;
    if (g->seen[slot]) return;
    g->seen[slot] = hash;
    g->distinct++;
}

/* Numbers that are names: 0769, +86, 441900001001000123. */
static bool is_code(const char *text, size_t len)
{
    size_t digits = 0;
    if (len && *text == '+') return true;
    const char *at = text, *end = text + len;
    if (at < end && *at == '-') at++;
    if (end - at > 1 && at[0] == '0' && at[1] >= '0' && at[1] <= '9')
        return true;
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
        digits++;
    }
    return at == end && digits > NUMBER_DIGITS;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static bool is_plain_integer(const char *text, size_t len)
{
    if (len && *text == '-') {
        text++;
        len--;
    }
    for (size_t i = 0; i < len; i++)
        if (text[i] < '0' || text[i] > '9') return false;
    return len > 0;
}

void om__guess_add(struct om__guess *guess, const char *text, size_t len)
{
    if (len == 0) return;
    guess->values++;
    count_distinct(guess, text, len);
    const bool integer = is_plain_integer(text, len);
    if (!guess->not_integer && !integer) guess->not_integer = true;
    if (!guess->not_real) {
        double value;
        if (om_number_real(text, len, &value)) guess->not_real = true;
        if (is_code(text, len)) guess->coded = true;
    }
    if (!guess->not_boolean && !is_word(text, len, "true") &&
        !is_word(text, len, "false"))
        guess->not_boolean = true;
    for (size_t order = 0; order < 3; order++) {
        int64_t utc_s;
        // Digits alone are a number, whatever date they could be.
        if (!guess->not_time[order] &&
            (integer ||
             om_moment_parse(text, len, (enum om_date_order)order, 0, &utc_s)))
            guess->not_time[order] = true;
    }
}

enum om_type om__guess_text(const struct om__guess *guess)
{
    const bool few = guess->distinct <= CATEGORY_MAX &&
                     guess->distinct * CATEGORY_REPEAT < guess->values;
    return few ? OM_TYPE_CATEGORY : OM_TYPE_TEXT;
}

enum om_type om__guess_type(const struct om__guess *guess,
                            enum om_date_order *order)
{
    *order = OM_DATE_YMD;
    if (guess->values == 0) return OM_TYPE_TEXT;
    // Where day and month could be either, the day comes first: as in all of
    // the world but one country.
    for (size_t i = 0; i < 3; i++) {
        if (guess->not_time[i]) continue;
        *order = (enum om_date_order)i;
        return OM_TYPE_TIME;
    }
    if (!guess->not_boolean) return OM_TYPE_BOOLEAN;
    if (!guess->not_real && !guess->coded)
        return guess->not_integer ? OM_TYPE_REAL : OM_TYPE_INTEGER;
    return om__guess_text(guess);
}
