/* align.c - a question laid on a form, character by character.
 *
 * DESIGN
 * A table over (atoms read, tokens read) is filled forward: each place pushes
 * what it is worth to the places one step further. Steps are a character that
 * fits or sounds alike or is wrong, two that are swapped, a syllable that is
 * spelled, an atom that the form has not, and a stretch of the form that
 * nobody asked for. Such a stretch costs to begin and little to go on (whole
 * levels are left out), and nothing before the first and behind the last atom.
 */
#include <math.h>
#include <string.h>

#include "engine/search/search_internal.h"

#define SIDE (OM_SEARCH_TOKENS + 1)
#define NEVER_WORTH (-1e9F)

#define GAP_STEP 0.03F    // for each character of it,
#define GAP_SUFFIX 0.01F  // for one that ends a name
#define GAP_NUMBER 0.3F   // and for a number

enum step {
    BEGIN,
    FITS,
    SOUNDS,
    IS_WRONG,
    SWAP,
    SPELLED,  // + letters
    SKIP = SPELLED + OM_FOLD_SYLLABLE + 1,
    LEAVE,
};

struct om__aligner {
    float worth[SIDE][SIDE], gap[SIDE][SIDE];
    uint8_t step[SIDE][SIDE], gap_from[SIDE][SIDE];  // gap_from: goes on
};

om_status om__aligner_new(struct om_arena *arena, struct om__aligner **out)
{
    *out = om_arena_alloc(arena, sizeof **out);
    return *out ? OM_OK : OM_E_MEMORY;
}

static void push(struct om__aligner *a, size_t i, size_t j, float worth,
                 enum step step)
{
    if (worth <= a->worth[i][j]) return;
    a->worth[i][j] = worth;
    a->step[i][j] = (uint8_t)step;
}

static float gap_step(uint16_t token)
{
    if (token == OM_TOKEN_NUMBER) return GAP_NUMBER;
    return om_token_is_suffix(token) ? GAP_SUFFIX : GAP_STEP;
}

/* Is the letter the first one of a token's sounds? Most are not. */
static bool may_begin(const struct om__question *q, size_t i, uint16_t token)
{
    const uint16_t other = q->fold->other[token];
    return om_fold_spelled(q->fold, q->fold->sound[token])[0] ==
               (char)q->atom[i].token ||
           (other &&
            om_fold_spelled(q->fold, other)[0] == (char)q->atom[i].token);
}

static void push_letter(struct om__aligner *a, const struct om__question *q,
                        enum om__reading reading, size_t i, size_t j,
                        uint16_t token, float h)
{
    const float w = om__atom_weight(&q->atom[i], reading);
    if (q->atom[i].token == token) {
        push(a, i + 1, j + 1, h + w, FITS);
    } else if (reading == OM__READ_INITIALS) {
        if (om_token_initial(q->fold, token) == q->atom[i].token - 'a')
            push(a, i + 1, j + 1, h + w, SOUNDS);
        else
            push(a, i + 1, j + 1, h - w * OM__WRONG, IS_WRONG);
    } else if (may_begin(q, i, token)) {
        const size_t n = om__question_spells(q, i, token);
        if (n)
            push(a, i + n, j + 1, h + w * (float)n, (enum step)(SPELLED + n));
    }
}

static void push_atom(struct om__aligner *a, const struct om__question *q,
                      enum om__reading reading, const uint16_t *token,
                      size_t tokens, size_t i, size_t j, float h)
{
    const struct om__atom *atom = &q->atom[i];
    const float w = om__atom_weight(atom, reading);
    push(a, i + 1, j, om__atom_optional(atom, reading) ? h : h - w * OM__ABSENT,
         SKIP);
    if (j == tokens) return;
    if (atom->kind == OM__ATOM_LETTER) {
        push_letter(a, q, reading, i, j, token[j], h);
        return;
    }
    if (atom->token == token[j]) {
        push(a, i + 1, j + 1, h + w, FITS);
        return;
    }
    if (atom->kind == OM__ATOM_NUMBER || token[j] == OM_TOKEN_NUMBER) return;
    if (atom->sound == q->fold->sound[token[j]])
        push(a, i + 1, j + 1, h + w * OM__ALIKE, SOUNDS);
    else
        push(a, i + 1, j + 1, h - w * OM__WRONG, IS_WRONG);
    if (i + 1 < q->atoms && j + 1 < tokens && atom->token == token[j + 1] &&
        q->atom[i + 1].token == token[j])
        push(a, i + 2, j + 2,
             h + (w + om__atom_weight(&q->atom[i + 1], reading)) * OM__SWAPPED,
             SWAP);
}

/* First letters of 虎门上角 leave out the 镇 between two names. */
static float gap_begins(enum om__reading reading, uint16_t token, bool above)
{
    return reading == OM__READ_INITIALS && !(above && om_token_is_suffix(token))
               ? OM__GAP_INITIALS
               : OM__GAP;
}

static void fill(struct om__aligner *a, const struct om__question *q,
                 enum om__reading reading, const uint16_t *token, size_t tokens,
                 size_t own)
{
    float leave[SIDE];
    for (size_t j = 0; j < tokens; j++) leave[j] = gap_step(token[j]);
    for (size_t i = 0; i <= q->atoms; i++)
        for (size_t j = 0; j <= tokens; j++) {
            a->worth[i][j] = i ? NEVER_WORTH : 0;
            a->gap[i][j] = NEVER_WORTH;
            a->step[i][j] = BEGIN;
        }
    for (size_t i = 0; i < q->atoms; i++)
        for (size_t j = 0; j <= tokens; j++) {
            push(a, i, j, a->gap[i][j], LEAVE);
            const float h = a->worth[i][j];
            if (h <= NEVER_WORTH) continue;
            push_atom(a, q, reading, token, tokens, i, j, h);
            if (i == 0 || j == tokens) continue;
            const float fresh =
                h - gap_begins(reading, token[j], j < own) - leave[j];
            const float on = a->gap[i][j] - leave[j];
            a->gap[i][j + 1] = fresh > on ? fresh : on;
            a->gap_from[i][j + 1] = on >= fresh;
        }
}

/* 街道, 公园: two characters that end a name are one. What says where a form
 * lies tells nothing of it. */
static size_t told_by(const uint16_t *token, size_t j, size_t own)
{
    return j >= own && !(j > own && om_token_is_suffix(token[j]) &&
                         om_token_is_suffix(token[j - 1]));
}

struct walk {
    size_t asked;  // tokens of the form that atoms stand for
    unsigned faults;
};

static void note(struct om__alignment *out, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) out->seen[i] = 1;
}

/* Back from (i, j) to the beginning; numbers are noted by their place among
 * the tokens first. */
static struct walk walk_back(const struct om__aligner *a,
                             const struct om__question *q,
                             enum om__reading reading, const uint16_t *token,
                             size_t i, size_t j, size_t own, int8_t *atom_at,
                             struct om__alignment *out)
{
    struct walk w = {0};
    while (i > 0) {
        const enum step step = (enum step)a->step[i][j];
        if (step == LEAVE) {
            while (a->gap_from[i][j]) j--;
            j--;
            continue;
        }
        if (step == SKIP) {
            i--;
            w.faults += !om__atom_optional(&q->atom[i], reading) &&
                        q->atom[i].weight > 0;
            continue;
        }
        if (step == SWAP) {
            i -= 2, j -= 2;
            note(out, i, i + 2);
            w.asked += told_by(token, j, own) + told_by(token, j + 1, own);
            w.faults++;
            continue;
        }
        const size_t letters = step > SPELLED ? step - SPELLED : 1;
        i -= letters, j--;
        w.faults += step == IS_WRONG ||
                    (step == SOUNDS && q->atom[i].kind != OM__ATOM_LETTER);
        w.asked += told_by(token, j, own);
        if (step != IS_WRONG) note(out, i, i + letters);
        if (q->atom[i].kind == OM__ATOM_NUMBER) atom_at[j] = (int8_t)i;
    }
    return w;
}

/* A token is worth at most what its longest syllable has letters. */
#define TOKEN_MOST (OM_FOLD_SYLLABLE * OM__LETTER_WEIGHT)

float om__align_most(const struct om__question *q, enum om__reading reading,
                     size_t tokens)
{
    float optional = 0;
    for (size_t i = 0; i < q->atoms; i++)
        if (om__atom_optional(&q->atom[i], reading))
            optional += om__atom_weight(&q->atom[i], reading);
    const float total = q->total[reading] - optional;
    const float most = (float)tokens * TOKEN_MOST;
    return optional +
           (most < total ? most - (total - most) * OM__ABSENT : total);
}

void om__align(struct om__aligner *a, const struct om__question *q,
               enum om__reading reading, const uint16_t *token, size_t tokens,
               size_t own, struct om__alignment *out)
{
    int8_t atom_at[OM_SEARCH_TOKENS];
    memset(out, 0, sizeof *out);
    memset(out->number, -1, sizeof out->number);
    memset(atom_at, -1, sizeof atom_at);
    fill(a, q, reading, token, tokens, own);
    size_t end = 0;
    for (size_t j = 1; j <= tokens; j++)
        if (a->worth[q->atoms][j] > a->worth[q->atoms][end]) end = j;
    const struct walk w =
        walk_back(a, q, reading, token, q->atoms, end, own, atom_at, out);
    size_t all = 0;
    for (size_t j = 0; j < tokens; j++) all += told_by(token, j, own);
    out->score = a->worth[q->atoms][end];
    out->coverage = all ? (float)w.asked / (float)all : 0;
    out->faults = w.faults;
    for (size_t j = 0, n = 0; j < tokens && n < OM_SEARCH_NUMBERS; j++)
        if (token[j] == OM_TOKEN_NUMBER) out->number[n++] = atom_at[j];
}
