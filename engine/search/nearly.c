/* nearly.c - units whose name is all that was typed, but for one fault.
 *
 * DESIGN
 * 茶上镇 has no two sounds with 茶山镇 side by side that an index could list,
 * and humn spells no syllable: names as short as those of units are compared
 * with the question one by one, the few thousand that there are. So are first
 * letters (hm), of which an index lists three at least.
 */
#include <string.h>

#include "engine/search/near_internal.h"
#include "engine/search/run_internal.h"

/* What such a unit is worth: less than a name that is typed as it is, more than
 * any other row that has most of what was typed. */
#define NEARLY_WHOLE 0.98F
#define NEARLY_ALIKE 0.985F
#define NEARLY_INITIALS 0.97F
/* Of a name of two characters one is half. */
#define NEARLY_HALF 0.6F
/* Shorter names have too much near them. */
#define CHARACTERS_LEAST 3
#define LETTERS_LEAST 4
#define LETTERS_MOST (OM__UNIT_TOKENS * (OM_FOLD_SYLLABLE + 1))

/* What was typed, without the city before it, in two ways. */
struct typed {
    size_t tokens, letters;  // 0: not to be read so
    uint16_t token[OM__UNIT_TOKENS + 2];
    uint16_t letter[LETTERS_MOST];
    bool initials;  // letters alone
};

bool om__within_one(const uint16_t *a, size_t n, const uint16_t *b, size_t m)
{
    const size_t least = n < m ? n : m;
    size_t same = 0, end = 0;
    while (same < least && a[same] == b[same]) same++;
    while (end < least - same && a[n - 1 - end] == b[m - 1 - end]) end++;
    const size_t x = n - same - end, y = m - same - end;
    if (x <= 1 && y <= 1) return true;
    return x == 2 && y == 2 && a[same] == b[same + 1] && a[same + 1] == b[same];
}

static size_t add_letters(const char *text, uint16_t *out, size_t n)
{
    for (; *text && n < LETTERS_MOST; text++) out[n++] = (uint16_t)*text;
    return n;
}

/* Behind the names of what the whole city lies in. */
static size_t begin_of(const struct om__question *q)
{
    size_t from = 0;
    for (size_t m = 0; m < q->mentions; m++)
        if (q->mention[m].level == OM__LEVEL_ABOVE &&
            q->mention[m].from <= from && q->mention[m].to > from) {
            from = q->mention[m].to;
            m = (size_t)-1;
        }
    return from;
}

/* Is all of it a unit's name as it is? */
static bool is_named(const struct om__question *q)
{
    const size_t from = begin_of(q);
    for (size_t m = 0; m < q->mentions; m++)
        if (q->mention[m].from == from && q->mention[m].to == q->atoms &&
            q->mention[m].loss <= 0)
            return true;
    return false;
}

static struct typed typed_of(const struct om__question *q)
{
    struct typed t = {.initials = true};
    const size_t from = begin_of(q), n = q->atoms - from;
    size_t letters = 0;
    if (n < 2 || n > LETTERS_MOST) return (struct typed){0};
    for (size_t i = from; i < q->atoms; i++) {
        const struct om__atom *atom = &q->atom[i];
        const bool letter = atom->kind == OM__ATOM_LETTER;
        const char one[2] = {atom->token == 'v' ? 'u' : (char)atom->token, 0};
        letters += letter;
        t.letters =
            add_letters(letter ? one : om_fold_spelled(q->fold, atom->sound),
                        t.letter, t.letters);
        if (!letter) t.initials = false;
        if (n <= OM__UNIT_TOKENS + 1) t.token[i - from] = atom->token;
    }
    if (letters < 2) t.letters = 0;
    if (!letters && n <= OM__UNIT_TOKENS + 1) t.tokens = n;
    return t;
}

/* Letters of the first `n` tokens; that of `other` as it is also read. */
static size_t spell(const struct om_fold *fold, const struct om__unit *unit,
                    size_t n, size_t other, uint16_t *out)
{
    size_t letters = 0;
    for (size_t k = 0; k < n; k++) {
        const uint16_t token = unit->token[k];
        letters =
            add_letters(om_fold_spelled(fold, k == other ? fold->other[token]
                                                         : fold->sound[token]),
                        out, letters);
    }
    return letters;
}

static bool spells_nearly(const struct om_fold *fold, const struct typed *t,
                          const struct om__unit *unit, size_t n)
{
    uint16_t letter[LETTERS_MOST];
    for (size_t other = 0; other <= n; other++) {
        if (other < n && !fold->other[unit->token[other]]) continue;
        const size_t letters = spell(fold, unit, n, other, letter);
        if (letters >= LETTERS_LEAST &&
            om__within_one(t->letter, t->letters, letter, letters))
            return true;
    }
    return false;
}

static bool has_initials(const struct om_fold *fold, const struct typed *t,
                         const struct om__unit *unit, size_t n)
{
    if (t->letters != n) return false;
    for (size_t k = 0; k < n; k++) {
        const uint16_t other = fold->other[unit->token[k]];
        if (om_token_initial(fold, unit->token[k]) + 'a' != t->letter[k] &&
            !(other &&
              (uint16_t)om_fold_spelled(fold, other)[0] == t->letter[k]))
            return false;
    }
    return true;
}

static bool sounds_so(const struct om_fold *fold, const struct typed *t,
                      const struct om__unit *unit, size_t n)
{
    if (t->tokens != n) return false;
    for (size_t k = 0; k < n; k++)
        if (fold->sound[t->token[k]] != fold->sound[unit->token[k]])
            return false;
    return true;
}

/* What a unit is worth by the first `n` tokens of its name; 0: it is not
 * meant. */
static float worth_of(const struct om_fold *fold, const struct typed *t,
                      const struct om__unit *unit, size_t n, bool largest,
                      enum om_search_match *match)
{
    *match = OM_MATCH_TYPO;
    if (t->tokens && n > 1 &&
        om__within_one(t->token, t->tokens, unit->token, n)) {
        if (t->tokens >= CHARACTERS_LEAST && n >= CHARACTERS_LEAST)
            return sounds_so(fold, t, unit, n) ? NEARLY_ALIKE : NEARLY_WHOLE;
        if (largest && t->tokens == n) return NEARLY_HALF;
    }
    if (t->letters >= LETTERS_LEAST && spells_nearly(fold, t, unit, n))
        return NEARLY_WHOLE;
    *match = OM_MATCH_INITIALS;
    return t->letters && t->initials && has_initials(fold, t, unit, n)
               ? NEARLY_INITIALS
               : 0;
}

om_status om__run_unit(struct om__running *r, size_t level, const char *id,
                       size_t len, float score, enum om_search_match match)
{
    const struct om_layer *layer =
        om_snapshot_units(r->snapshot, r->snapshot->manifest->level[level]);
    if (!layer || !om__run_is_wanted(r, layer)) return OM_OK;
    for (size_t s = 0; s < r->out->sources; s++) {
        if (strcmp(r->out->source[s].layer, layer->name) != 0) continue;
        r->source = &r->out->source[s];
        r->layer = layer;
        for (r->part = 0; r->part < layer->parts; r->part++) {
            size_t row;
            const om_status st = om_segment_find(
                layer->part[r->part].segment, id, len,
                om__run_reader(r, layer->schema.id_field), &row);
            if (st == OM_E_NOTFOUND) continue;
            OM_TRY(st);
            OM_TRY(om__row_add(r, (uint32_t)row, score, match));
        }
        return OM_OK;
    }
    return OM_OK;
}

om_status om__run_nearly(struct om__running *r)
{
    const struct om__question *q = &r->question;
    const size_t levels = r->snapshot->manifest->levels;
    if (om__run_fits(r) || is_named(q)) return OM_OK;
    const struct typed t = typed_of(q);
    if (!t.tokens && !t.letters) return OM_OK;
    // The largest first, which are the last.
    for (size_t u = om__unit_names_count(r->names); u-- > 0;) {
        const struct om__unit *unit = om__unit_names_at(r->names, u);
        enum om_search_match match, short_match;
        if (unit->level >= levels || !unit->tokens) continue;
        const bool largest = unit->level + 1 == levels;
        float worth =
            worth_of(q->fold, &t, unit, unit->tokens, largest, &match);
        const float stem =
            worth_of(q->fold, &t, unit, unit->stem, largest, &short_match);
        if (stem > worth) worth = stem, match = short_match;
        if (worth > 0)
            OM_TRY(om__run_unit(r, unit->level, unit->id, unit->id_len, worth,
                                match));
    }
    return OM_OK;
}
