// bag.c - which atoms of a question a text can stand for, in any order.
#include "engine/search/bag_internal.h"

#include <string.h>

void om__mask_atoms(struct om__mask *mask, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        mask->part[i / 64] |= UINT64_C(1) << i % 64;
}

void om__mask_add(struct om__mask *mask, const struct om__mask *other)
{
    mask->part[0] |= other->part[0];
    mask->part[1] |= other->part[1];
}

float om__mask_weight(const struct om__mask *mask,
                      const struct om__question *question,
                      enum om__reading reading)
{
    float sum = 0;
    for (size_t p = 0; p < 2; p++)
        for (uint64_t left = mask->part[p]; left; left &= left - 1) {
            const size_t i = p * 64 + (size_t)__builtin_ctzll(left);
            sum += om__atom_weight(&question->atom[i], reading);
        }
    return sum;
}

bool om__bag_add(struct om__bag *bag, uint16_t sound, size_t from, size_t to)
{
    uint8_t *slot = &bag->slot[sound];
    if (!*slot) {
        if (bag->sounds == OM__BAG_SOUNDS) return false;
        *slot = (uint8_t)++bag->sounds;
    }
    om__mask_atoms(&bag->mask[*slot], from, to);
    return true;
}

void om__bag_text(const struct om__bag *bag, const struct om_fold *fold,
                  const uint16_t *token, size_t tokens, struct om__mask *out)
{
    for (size_t i = 0; i < tokens; i++)
        om__mask_add(out, &bag->mask[bag->slot[fold->sound[token[i]]]]);
}

void om__bag_heard(struct om__bag *bag, const struct om__question *question)
{
    for (size_t i = 0; i < question->heards; i++) {
        const struct om__heard *h = &question->heard[i];
        // A question has fewer sounds than a bag has room for.
        (void)om__bag_add(bag, h->sound, h->from, h->to);
    }
}

/* All syllables that letters from atom `i` on begin with. */
static bool add_syllables(struct om__bag *bag, const struct om__question *q,
                          size_t i)
{
    char letters[OM_FOLD_SYLLABLE];
    bool room = true;
    for (size_t n = 0; n < OM_FOLD_SYLLABLE && i + n < q->atoms; n++) {
        if (q->atom[i + n].kind != OM__ATOM_LETTER) break;
        letters[n] = (char)q->atom[i + n].token;
        if (letters[n] == 'v') letters[n] = 'u';
        const int s = om_fold_syllable(q->fold, letters, n + 1);
        if (s < 0) continue;
        uint16_t other[OM_FOLD_OTHERS];
        const uint16_t sound = (uint16_t)(OM_FOLD_SOUND + s);
        const size_t others = om_fold_others(q->fold, sound, other);
        room = room && om__bag_add(bag, sound, i, i + n + 1);
        for (size_t k = 0; k < others; k++)
            room = room && om__bag_add(bag, other[k], i, i + n + 1);
    }
    return room;
}

bool om__bag_all(struct om__bag *bag, const struct om__question *q,
                 struct om__mask *always)
{
    bool room = true;
    for (size_t i = 0; i < q->atoms && room; i++) {
        const struct om__atom *a = &q->atom[i];
        if (a->kind == OM__ATOM_NUMBER) {
            room = om__bag_add(bag, OM_TOKEN_NUMBER, i, i + 1);
            continue;
        }
        room = om__bag_add(bag, a->sound, i, i + 1);
        if (a->kind != OM__ATOM_LETTER) continue;
        room = room && add_syllables(bag, q, i);
        // What somebody is typing may become any syllable.
        if (i + OM_FOLD_SYLLABLE > q->atoms) om__mask_atoms(always, i, i + 1);
    }
    return room;
}
