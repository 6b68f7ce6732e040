/* terms_match.c - does somebody mean a kind?
 *
 * DESIGN
 * Kinds are short words, and what is typed is all of one: the whole word, its
 * beginning or a part of it, how it sounds, its first letters, or the word with
 * one fault. Nothing else is near enough to be shown as what was meant.
 */
#include <string.h>

#include "engine/search/near_internal.h"
#include "engine/search/terms_internal.h"

/* What a word is worth that was typed in another way. */
#define WORTH_SPELLED 0.98F
#define WORTH_ALIKE 0.95F
#define WORTH_INITIALS 0.991F
#define WORTH_FAULT 0.85F
/* Of a part: so much, and the rest by how much of the word it is. */
#define WORTH_BEGUN 0.6F
#define WORTH_INSIDE 0.55F
#define WORTH_REST 0.35F
/* Shorter ones have too much near them. */
#define BEGUN_LETTERS 3
#define INSIDE_LETTERS 4
#define FAULT_LETTERS 5
#define FAULT_CHARACTERS 3
#define INITIALS_LEAST 3
#define LETTERS_MOST (OM__TERM_TOKENS * (OM_FOLD_SYLLABLE + 1))

struct worth {
    float best;
    enum om_search_match match;
};

static void offer(struct worth *w, float worth, enum om_search_match match)
{
    if (worth <= w->best) return;
    w->best = worth;
    w->match = match;
}

static bool all_letters(const uint16_t *token, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!om_token_is_letter(token[i])) return false;
    return true;
}

static bool same(const uint16_t *a, const uint16_t *b, size_t n)
{
    return !memcmp(a, b, n * sizeof *a);
}

/* Of many: hydrants, buses. */
static bool is_plural(const uint16_t *token, size_t n,
                      const struct om__term_word *w)
{
    return n > w->tokens && n <= w->tokens + 2 &&
           same(token, w->token, w->tokens) && token[n - 1] == 's' &&
           (n == w->tokens + 1 || token[n - 2] == 'e') &&
           om_token_is_letter(w->token[w->tokens - 1]);
}

static bool sounds_so(const struct om_fold *fold, const uint16_t *token,
                      const struct om__term_word *w)
{
    for (size_t i = 0; i < w->tokens; i++)
        if (fold->sound[token[i]] != fold->sound[w->token[i]]) return false;
    return true;
}

/* A part of a word: where it begins, or inside. Letters that spell characters
 * mean nothing inside: half of a syllable and half of the next. */
static void offer_part(struct worth *out, const uint16_t *token, size_t n,
                       const struct om__term_word *w, bool letters,
                       bool spelled)
{
    if (n >= w->tokens || n < 2) return;
    const float share = WORTH_REST * (float)n / (float)w->tokens;
    if (same(token, w->token, n)) {
        if (!letters || n >= BEGUN_LETTERS)
            offer(out, WORTH_BEGUN + share, OM_MATCH_PART);
        return;
    }
    if (spelled || (letters && n < INSIDE_LETTERS)) return;
    for (size_t at = 1; at + n <= w->tokens; at++)
        if (same(token, w->token + at, n))
            offer(out, WORTH_INSIDE + share, OM_MATCH_PART);
}

static void offer_as_written(struct worth *out, const struct om_fold *fold,
                             const uint16_t *token, size_t n,
                             const struct om__term_word *w, bool spelled)
{
    const bool letters = all_letters(token, n);
    if (n == w->tokens && same(token, w->token, n))
        offer(out, 1, OM_MATCH_EXACT);
    if (!spelled && is_plural(token, n, w)) offer(out, 1, OM_MATCH_EXACT);
    if (n == w->tokens && !letters && sounds_so(fold, token, w))
        offer(out, WORTH_ALIKE, OM_MATCH_TYPO);
    offer_part(out, token, n, w, letters, spelled);
    const size_t least = letters ? FAULT_LETTERS : FAULT_CHARACTERS;
    if (n >= least && w->tokens >= least &&
        om__within_one(token, n, w->token, w->tokens))
        offer(out, WORTH_FAULT, OM_MATCH_TYPO);
}

/* Letters of a word, its characters spelled; *initials: the first of each. */
static size_t spell(const struct om_fold *fold, const struct om__term_word *w,
                    bool other, uint16_t *letter, uint16_t *initial)
{
    size_t n = 0;
    for (size_t i = 0; i < w->tokens; i++) {
        const uint16_t token = w->token[i];
        const uint16_t sound = other && fold->other[token] ? fold->other[token]
                                                           : fold->sound[token];
        const char *spelled = om_fold_spelled(fold, sound);
        const size_t from = n;
        for (; *spelled; spelled++) letter[n++] = (uint16_t)*spelled;
        if (n == from) letter[n++] = token;
        initial[i] = letter[from];
    }
    return n;
}

static void offer_as_spelled(struct worth *out, const struct om_fold *fold,
                             const uint16_t *token, size_t n,
                             const struct om__term_word *w)
{
    uint16_t letter[LETTERS_MOST], initial[OM__TERM_TOKENS];
    if (all_letters(w->token, w->tokens) || !all_letters(token, n)) return;
    for (int other = 0; other < 2; other++) {
        const struct om__term_word spelled = {
            letter, spell(fold, w, other, letter, initial)};
        if (n == w->tokens && n >= INITIALS_LEAST && same(token, initial, n))
            offer(out, WORTH_INITIALS, OM_MATCH_INITIALS);
        struct worth by = {0};
        offer_as_written(&by, fold, token, n, &spelled, true);
        if (by.best > 0)
            offer(out, by.best * WORTH_SPELLED,
                  by.match == OM_MATCH_TYPO ? OM_MATCH_TYPO : OM_MATCH_PINYIN);
    }
}

float om__term_worth(const struct om_fold *fold, const struct om__term *term,
                     const uint16_t *token, size_t tokens,
                     enum om_search_match *match)
{
    struct worth best = {0};
    for (size_t i = 0; i < term->words; i++) {
        offer_as_written(&best, fold, token, tokens, &term->word[i], false);
        offer_as_spelled(&best, fold, token, tokens, &term->word[i]);
    }
    *match = best.match;
    return best.best;
}
