// question.c - what somebody typed, as atoms and as grams to look for.
#include <string.h>

#include "engine/search/search_internal.h"
#include "engine/search/wording_internal.h"

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

static void add_heard(struct om__question *q, uint16_t sound, size_t from,
                      size_t to)
{
    if (q->heards == OM__HEARD) return;
    q->heard[q->heards++] =
        (struct om__heard){sound, (uint8_t)from, (uint8_t)to};
}

static void add_atoms(struct om__question *q, const struct om_search_text *text)
{
    const size_t beside = om__wording_beside(text);
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
        if (i >= beside) a->weight = 0;
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
 * over, each at the price of several syllables. Of as many syllables those win
 * that are long first (chang an), or, with `closed`, that do not begin with a
 * vowel (xin gang). step[i]: letters of the syllable that begins at i, 0 where
 * a letter is passed over. */
static bool split(const struct om_fold *fold, const char *letters, size_t n,
                  bool closed, int8_t *step)
{
    unsigned cost[OM_SEARCH_TOKENS + 1];
    cost[n] = 0;
    for (size_t i = n; i-- > 0;) {
        cost[i] = cost[i + 1] + 16;
        step[i] = 0;
        for (size_t len = OM_FOLD_SYLLABLE; len > 0; len--) {
            if (i + len > n || om_fold_syllable(fold, letters + i, len) < 0)
                continue;
            // One letter alone is hardly ever meant as a syllable.
            unsigned c = cost[i + len] + (len > 1 ? 4 : 10);
            if (closed && i && strchr("aoe", letters[i])) c++;
            if (c >= cost[i]) continue;
            cost[i] = c;
            step[i] = (int8_t)len;
        }
    }
    return cost[0] < 16 * n;
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

/* A sound that is spelled, and those of characters that are also read so. */
static void hear_spelled(struct om__question *q, uint16_t sound, size_t from,
                         size_t to)
{
    uint16_t other[OM_FOLD_OTHERS];
    const size_t others = om_fold_others(q->fold, sound, other);
    add_heard(q, sound, from, to);
    for (size_t i = 0; i < others; i++) add_heard(q, other[i], from, to);
}

/* Sounds of a run of letters from atom `at` on, side by side, as it is split;
 * the last of them. */
static uint16_t spell_steps(struct om__question *q, size_t at,
                            const char *letters, size_t n, const int8_t *step,
                            uint16_t before)
{
    for (size_t i = 0; i < n;) {
        if (!step[i]) {
            before = 0;
            i++;
            continue;
        }
        const int s = om_fold_syllable(q->fold, letters + i, (size_t)step[i]);
        const uint16_t sound = (uint16_t)(OM_FOLD_SOUND + s);
        if (before) add_spelled(q, before, sound);
        hear_spelled(q, sound, at + i, at + i + (size_t)step[i]);
        before = sound;
        i += (size_t)step[i];
    }
    return before;
}

/* Where there are two ways to split a run it is read both ways. */
static uint16_t spell_run(struct om__question *q, size_t at,
                          const char *letters, size_t n, uint16_t before)
{
    int8_t step[OM_SEARCH_TOKENS + 1], other[OM_SEARCH_TOKENS + 1];
    if (!split(q->fold, letters, n, false, step)) return 0;
    const bool again = split(q->fold, letters, n, true, other) &&
                       memcmp(step, other, n * sizeof *step) != 0;
    const uint16_t last = spell_steps(q, at, letters, n, step, before);
    if (again) spell_steps(q, at, letters, n, other, before);
    return last;
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
                before = spell_run(q, i, letters, n, before);
                i += n;
                continue;
            }
        }
        const uint16_t sound = a->kind == OM__ATOM_NUMBER ? 0 : a->sound;
        if (sound) add_heard(q, sound, i, i + 1);
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

static void read_folded(const struct om_fold *fold,
                        const struct om_search_text *text,
                        struct om__question *q)
{
    memset(q, 0, sizeof *q);
    q->fold = fold;
    add_atoms(q, text);
    add_sounds(q);
    add_initials(q);
}

void om__question_read_as_is(const struct om_fold *fold, const char *text,
                             size_t len, struct om__question *q)
{
    struct om_search_text folded;
    om_search_fold(fold, text, len, &folded);
    read_folded(fold, &folded, q);
}

bool om__question_read_unnumbered(const struct om_fold *fold, const char *text,
                                  size_t len, struct om__question *q)
{
    struct om_search_text folded;
    size_t n = 0;
    om_search_fold(fold, text, len, &folded);
    while (n < folded.tokens && folded.token[n] != OM_TOKEN_NUMBER) n++;
    if (!n || n == folded.tokens) return false;
    folded.tokens = n;
    folded.numbers = 0;
    read_folded(fold, &folded, q);
    return true;
}

void om__question_read(const struct om_fold *fold, const char *text, size_t len,
                       struct om__question *q)
{
    char chinese[OM_SEARCH_BYTES * 2];
    const size_t n = om__wording_translate(text, len, chinese, sizeof chinese);
    om__question_read_as_is(fold, chinese, n, q);
    q->translated = n != len || memcmp(chinese, text, len) != 0;
}

static size_t letters_of(const struct om__question *q, size_t i, uint16_t sound)
{
    const char *want = om_fold_spelled(q->fold, sound);
    size_t n = 0;
    for (; want[n]; n++) {
        if (i + n == q->atoms) return n;
        if (q->atom[i + n].kind != OM__ATOM_LETTER) return 0;
        const char c = (char)q->atom[i + n].token;
        if (c != want[n] && !(c == 'v' && want[n] == 'u')) return 0;
    }
    return n;
}

size_t om__question_spells(const struct om__question *q, size_t i,
                           uint16_t token)
{
    const size_t n = letters_of(q, i, q->fold->sound[token]);
    return n || !q->fold->other[token]
               ? n
               : letters_of(q, i, q->fold->other[token]);
}

/* Atoms from `i` on that are a token, or sound like it; 0: they do not. */
static size_t atoms_of(const struct om__question *q, size_t i, uint16_t token,
                       float *loss)
{
    if (i >= q->atoms) return 0;
    const struct om__atom *atom = &q->atom[i];
    if (atom->token == token) return 1;
    if (atom->kind == OM__ATOM_LETTER) return om__question_spells(q, i, token);
    if (atom->kind == OM__ATOM_NUMBER || atom->sound != q->fold->sound[token])
        return 0;
    *loss += atom->weight * (1 - OM__ALIKE);
    return 1;
}

/* Does a unit's name stand at an atom, with or without what it ends in? */
static bool stands_at(const struct om__question *q, size_t at,
                      const struct om__unit *unit, struct om__mention *out)
{
    size_t i = at, step = 0;
    float loss = 0;
    for (size_t k = 0; k < unit->stem; k++, i += step)
        if (!(step = atoms_of(q, i, unit->token[k], &loss))) return false;
    *out = (struct om__mention){.from = at,
                                .stem = i,
                                .level = unit->level,
                                .unit = unit->id,
                                .unit_len = unit->id_len};
    for (size_t k = unit->stem; k < unit->tokens; k++, i += step)
        if (!(step = atoms_of(q, i, unit->token[k], &loss))) break;
    while (i < q->atoms && om_token_is_suffix(q->atom[i].token)) i++;
    out->to = i;
    out->loss = loss;
    return true;
}

/* Tokens of a name from `k` on that stand at an atom, one after another. */
static size_t run_of(const struct om__question *q, size_t at,
                     const struct om__unit *unit, size_t k)
{
    size_t n = 0;
    while (k + n < unit->tokens && at + n < q->atoms &&
           q->atom[at + n].token == unit->token[k + n])
        n++;
    return n;
}

/* Does a whole name stand at an atom but for one fault, a character that is
 * another, missing, too many or swapped with the next? */
static bool nearly_stands_at(const struct om__question *q, size_t at,
                             const struct om__unit *unit,
                             struct om__mention *out)
{
    const size_t n = unit->tokens, k = run_of(q, at, unit, 0);
    if (n < 3 || k == n || at + n - 1 > q->atoms) return false;
    const size_t rest = n - k - 1;  // behind the token with the fault
    size_t len = 0;
    float loss = 0;
    if (rest && at + k + 1 < q->atoms &&
        q->atom[at + k].token == unit->token[k + 1] &&
        q->atom[at + k + 1].token == unit->token[k] &&
        run_of(q, at + k + 2, unit, k + 2) == rest - 1) {
        len = n;
        loss = (q->atom[at + k].weight + q->atom[at + k + 1].weight) *
               (1 - OM__SWAPPED);
    } else if (run_of(q, at + k, unit, k + 1) == rest) {
        len = n - 1;
        loss = OM__GAP;
    } else if (k && at + k < q->atoms &&
               run_of(q, at + k + 1, unit, k) == rest + 1) {
        len = n + 1;
        loss = q->atom[at + k].weight * (1 + OM__ABSENT);
    } else if (at + k < q->atoms &&
               q->atom[at + k].kind == OM__ATOM_CHARACTER &&
               run_of(q, at + k + 1, unit, k + 1) == rest) {
        len = n;
        loss = q->atom[at + k].weight * (1 + OM__WRONG);
    }
    if (!len) return false;
    *out = (struct om__mention){.from = at,
                                .to = at + len,
                                .stem = at + len,
                                .level = unit->level,
                                .loss = loss,
                                .unit = unit->id,
                                .unit_len = unit->id_len};
    return true;
}

static bool is_free(const struct om__question *q, size_t at)
{
    return !q->atom[at].optional;
}

/* Note where the units of [from, to) stand, the last of them first. */
static void note_units(struct om__question *q,
                       const struct om__unit_names *units, size_t from,
                       size_t to, bool nearly)
{
    for (size_t u = to; u-- > from;) {
        const struct om__unit *unit = om__unit_names_at(units, u);
        if (unit->stem < 2) continue;
        for (size_t at = 0; at < q->atoms; at++) {
            if (q->mentions == OM__MENTIONS) return;
            struct om__mention *mention = &q->mention[q->mentions];
            if (nearly
                    ? !is_free(q, at) || !nearly_stands_at(q, at, unit, mention)
                    : !stands_at(q, at, unit, mention))
                continue;
            q->mentions++;
            for (size_t i = at; i < mention->to; i++)
                q->atom[i].optional = true;
        }
    }
}

/* First unit of the largest level. */
static size_t largest_from(const struct om__unit_names *units)
{
    size_t u = om__unit_names_count(units), level = OM__LEVEL_ABOVE;
    while (u > 0) {
        const struct om__unit *unit = om__unit_names_at(units, u - 1);
        if (level == OM__LEVEL_ABOVE) level = unit->level;
        if (unit->level != level) break;
        u--;
    }
    return u;
}

void om__question_mentions(struct om__question *q,
                           const struct om__unit_names *units)
{
    const size_t count = om__unit_names_count(units);
    note_units(q, units, 0, count, false);
    // Of smaller ones the texts themselves say the name.
    note_units(q, units, largest_from(units), count, true);
}
