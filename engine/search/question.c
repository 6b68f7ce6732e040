// question.c - what somebody typed, as atoms and as grams to look for.
#include <string.h>

#include "engine/search/search_internal.h"

/* Suffixes are left out and put in at will; a number tells houses apart. */
#define WEIGHT_SUFFIX 0.5F
#define WEIGHT_NUMBER 1.5F
/* A run of letters that may be initials only: what is longer is spelled. */
#define INITIALS_MAX 24

static void add_gram(struct om__question *q, enum om__reading reading,
                     enum om_gram_kind kind, uint32_t gram)
{
    const size_t n = q->grams[reading];
    if (n == sizeof q->gram[reading] / sizeof *q->gram[reading]) return;
    for (size_t i = 0; i < n; i++)
        if (q->gram[reading][i].gram == gram &&
            q->gram[reading][i].kind == kind)
            return;
    q->gram[reading][q->grams[reading]++] = (struct om__gram){gram, kind};
}

static void add_atoms(struct om__question *q, const struct om_search_text *text)
{
    size_t number = 0;
    for (size_t i = 0; i < text->tokens; i++) {
        const uint16_t token = text->token[i];
        struct om__atom *a = &q->atom[q->atoms++];
        *a = (struct om__atom){
            .token = token, .sound = q->fold->sound[token], .weight = 1};
        if (token == OM_TOKEN_NUMBER) {
            a->kind = OM__ATOM_NUMBER;
            a->number = text->number[number++];
            a->weight = WEIGHT_NUMBER;
        } else if (om_token_is_letter(token)) {
            a->kind = OM__ATOM_LETTER;
        } else if (om_token_is_suffix(token)) {
            a->weight = WEIGHT_SUFFIX;
        }
        for (int r = 0; r < OM__READINGS; r++)
            q->total[r] += om__atom_weight(a, (enum om__reading)r);
    }
}

static size_t letters_from(const struct om__question *q, size_t from,
                           char *letters)
{
    size_t n = 0;
    while (from + n < q->atoms && q->atom[from + n].kind == OM__ATOM_LETTER) {
        letters[n] = (char)q->atom[from + n].token;
        // ü is typed as v.
        if (letters[n] == 'v') letters[n] = 'u';
        n++;
    }
    letters[n] = '\0';
    return n;
}

/* Fewest syllables that spell a run; letters that belong to none are passed
 * over, each at the price of several syllables. step[i]: letters of the
 * syllable that begins at i, 0 where a letter is passed over. */
static bool split(const struct om_fold *fold, const char *letters, size_t n,
                  int8_t *step)
{
    unsigned cost[OM_SEARCH_TOKENS + 1];
    cost[n] = 0;
    for (size_t i = n; i-- > 0;) {
        cost[i] = cost[i + 1] + 8;
        step[i] = 0;
        for (size_t len = OM_FOLD_SYLLABLE; len > 0; len--) {
            if (i + len > n || om_fold_syllable(fold, letters + i, len) < 0)
                continue;
            // One letter alone is hardly ever meant as a syllable.
            const unsigned c = cost[i + len] + (len > 1 ? 2 : 5);
            if (c >= cost[i]) continue;
            cost[i] = c;
            step[i] = (int8_t)len;
        }
    }
    return cost[0] < 8 * n;
}

/* Two sounds that are spelled, and those of characters that are also read so.
 */
static void add_spelled(struct om__question *q, uint16_t a, uint16_t b)
{
    uint16_t first[OM_FOLD_OTHERS + 1], second[OM_FOLD_OTHERS + 1];
    const size_t firsts = 1 + om_fold_others(q->fold, a, first + 1);
    const size_t seconds = 1 + om_fold_others(q->fold, b, second + 1);
    first[0] = a;
    second[0] = b;
    for (size_t i = 0; i < firsts; i++)
        for (size_t k = 0; k < seconds; k++)
            add_gram(q, OM__READ_SOUNDS, OM_GRAM_SOUNDS,
                     om_gram_sounds(first[i], second[k]));
    q->reads[OM__READ_SOUNDS] = true;
}

/* Sounds of a run of letters, side by side; the last of them. */
static uint16_t spell_run(struct om__question *q, const char *letters, size_t n,
                          uint16_t before)
{
    int8_t step[OM_SEARCH_TOKENS + 1];
    if (!split(q->fold, letters, n, step)) return 0;
    for (size_t i = 0; i < n;) {
        if (!step[i]) {
            before = 0;
            i++;
            continue;
        }
        const int s = om_fold_syllable(q->fold, letters + i, (size_t)step[i]);
        const uint16_t sound = (uint16_t)(OM_FOLD_SOUND + s);
        if (before) add_spelled(q, before, sound);
        before = sound;
        i += (size_t)step[i];
    }
    return before;
}

static void add_sounds(struct om__question *q)
{
    uint16_t before = OM_SOUND_BEGIN;
    for (size_t i = 0; i < q->atoms;) {
        const struct om__atom *a = &q->atom[i];
        if (a->kind == OM__ATOM_LETTER) {
            char letters[OM_SEARCH_TOKENS + 1];
            const size_t n = letters_from(q, i, letters);
            if (n > 1) {
                before = spell_run(q, letters, n, before);
                i += n;
                continue;
            }
        }
        const uint16_t sound = a->kind == OM__ATOM_NUMBER ? 0 : a->sound;
        if (before && sound) {
            add_gram(q, OM__READ_SOUNDS, OM_GRAM_SOUNDS,
                     om_gram_sounds(before, sound));
            q->reads[OM__READ_SOUNDS] = true;
        }
        before = sound;
        i++;
    }
}

/* First letters; numbers between them do not part them, as in an index. */
static void add_initials(struct om__question *q)
{
    int a = -1, b = -1;
    size_t letters = 0, run = 0;
    for (size_t i = 0; i < q->atoms; i++) {
        if (q->atom[i].kind == OM__ATOM_NUMBER) continue;
        const bool letter = q->atom[i].kind == OM__ATOM_LETTER;
        run = letter ? run + 1 : 0;
        letters += letter;
        const int c = om_token_initial(q->fold, q->atom[i].token);
        if (a >= 0 && b >= 0 && c >= 0)
            add_gram(q, OM__READ_INITIALS, OM_GRAM_INITIALS,
                     om_gram_initials(a, b, c));
        a = b;
        b = c;
        if (run > INITIALS_MAX) return;
    }
    q->reads[OM__READ_INITIALS] = letters > 1 && q->grams[OM__READ_INITIALS];
}

void om__question_read(const struct om_fold *fold, const char *text, size_t len,
                       struct om__question *q)
{
    struct om_search_text folded;
    memset(q, 0, sizeof *q);
    q->fold = fold;
    om_search_fold(fold, text, len, &folded);
    add_atoms(q, &folded);
    add_sounds(q);
    add_initials(q);
}

static bool stands_at(const struct om__question *q, size_t at,
                      const struct om__unit *unit)
{
    if (unit->tokens < 2 || at + unit->tokens > q->atoms) return false;
    for (size_t i = 0; i < unit->tokens; i++)
        if (q->atom[at + i].token != unit->token[i]) return false;
    return true;
}

void om__question_mentions(struct om__question *q,
                           const struct om__unit_names *units)
{
    for (size_t u = 0; u < om__unit_names_count(units); u++) {
        const struct om__unit *unit = om__unit_names_at(units, u);
        for (size_t at = 0; at < q->atoms; at++) {
            if (!stands_at(q, at, unit)) continue;
            size_t to = at + unit->tokens;
            while (to < q->atoms && om_token_is_suffix(q->atom[to].token)) to++;
            for (size_t i = at; i < to; i++) q->atom[i].optional = true;
            q->mention[q->mentions++] = (struct om__mention){
                at, to, unit->level, unit->id, unit->id_len};
            if (q->mentions == OM__MENTIONS) return;
        }
    }
}
