// perturb.h - addresses as people type them: sixteen ways to be wrong.
#ifndef OM_TESTS_ENGINE_PERTURB_H
#define OM_TESTS_ENGINE_PERTURB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "engine/search/fold.h"

/* The classes, and the seed that benchmarks and tests use. Wrong characters are
 * made in names: a number that is another number is another house, and nobody
 * can know. */
enum perturbation {
    EXACT,
    LEVELS_DROPPED,    // city and town, or city and village, or the city
    SUFFIXES_DROPPED,  // 市 镇 街道 村 社区
    FULL_WIDTH,
    HAN_NUMERALS,
    SUBSTITUTED,  // one character is another of the city's
    OMITTED,
    SWAPPED,
    HOMOPHONE,
    PINYIN,
    INITIALS,
    NO_ROOM,
    PUNCTUATED,
    TRADITIONAL,  // characters
    MIXED,        // every other character or so in pinyin
    BESIDE,       // of the house: 旁, 对面, 附近
    PERTURBATIONS
};
#define PERTURB_SEED 7
static const char *const PERTURBATION[] = {
    "exact",        "levels dropped", "suffixes dropped",  "full width",
    "Han numerals", "substituted",    "omitted",           "swapped",
    "homophone",    "pinyin",         "initials",          "no room",
    "punctuated",   "traditional",    "mixed with pinyin", "beside it"};

#define PERTURB_MOST 400

/* An address with what is known of it. */
struct perturbed {
    const struct om_fold *fold;
    const char *text, *village, *town;  // NUL-terminated
    uint64_t *random;
};

static uint64_t perturb_random(uint64_t *state, uint64_t below)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return below ? (z ^ z >> 31) % below : 0;
}

static size_t perturb_decode(const char *text, uint32_t *out)
{
    size_t n = 0;
    for (const unsigned char *s = (const void *)text; *s && n < PERTURB_MOST;) {
        if (*s < 0x80) {
            out[n++] = *s++;
        } else if (*s < 0xE0) {
            out[n++] = (uint32_t)(s[0] & 0x1F) << 6 | (s[1] & 0x3F);
            s += 2;
        } else {
            out[n++] = (uint32_t)(s[0] & 0xF) << 12 |
                       (uint32_t)(s[1] & 0x3F) << 6 | (s[2] & 0x3F);
            s += 3;
        }
    }
    return n;
}

static char *perturb_put(char *at, uint32_t c)
{
    if (c < 0x80) {
        *at++ = (char)c;
    } else if (c < 0x800) {
        *at++ = (char)(0xC0 | c >> 6);
        *at++ = (char)(0x80 | (c & 0x3F));
    } else {
        *at++ = (char)(0xE0 | c >> 12);
        *at++ = (char)(0x80 | (c >> 6 & 0x3F));
        *at++ = (char)(0x80 | (c & 0x3F));
    }
    *at = '\0';
    return at;
}

static bool perturb_is_numeral(uint32_t c)
{
    static const uint32_t NUMERAL[] = {0x4E00, 0x4E8C, 0x4E09, 0x56DB, 0x4E94,
                                       0x516D, 0x4E03, 0x516B, 0x4E5D, 0x5341,
                                       0x767E, 0x96F6};  // 一 to 九, 十百零
    for (size_t i = 0; i < sizeof NUMERAL / sizeof *NUMERAL; i++)
        if (NUMERAL[i] == c) return true;
    return false;
}

/* A character that may be mistyped. */
static bool perturb_is_name(uint32_t c)
{
    return c >= 0x4E00 && c < 0xA000 && !perturb_is_numeral(c);
}

/* One of the characters that may be, and with `pair` the next one too. */
static size_t perturb_pick(const struct perturbed *p, const uint32_t *c,
                           size_t n, bool pair)
{
    size_t good = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0,
               want = pass ? (size_t)perturb_random(p->random, good) : SIZE_MAX;
        for (size_t i = 0; i < n; i++) {
            if (!perturb_is_name(c[i])) continue;
            if (pair &&
                (i + 1 >= n || !perturb_is_name(c[i + 1]) || c[i] == c[i + 1]))
                continue;
            if (at++ == want) return i;
        }
        good = at;
        if (!good) return SIZE_MAX;
    }
    return SIZE_MAX;
}

static char *perturb_han(char *at, uint32_t n)
{
    static const uint32_t DIGIT[] = {0x96F6, 0x4E00, 0x4E8C, 0x4E09, 0x56DB,
                                     0x4E94, 0x516D, 0x4E03, 0x516B, 0x4E5D};
    if (n >= 1000) {
        at = perturb_put(perturb_put(at, DIGIT[n / 1000 % 10]), 0x5343);
        if (n % 1000 && n % 1000 < 100) at = perturb_put(at, DIGIT[0]);
        n %= 1000;
        if (n >= 10 && n < 20) at = perturb_put(at, DIGIT[1]);
    }
    if (n >= 100) {
        at = perturb_put(perturb_put(at, DIGIT[n / 100]), 0x767E);
        if (n % 100 && n % 100 < 10) at = perturb_put(at, DIGIT[0]);
        if (n % 100 >= 10 && n % 100 < 20) at = perturb_put(at, DIGIT[1]);
        n %= 100;
        if (!n) return at;
    }
    if (n >= 20) at = perturb_put(at, DIGIT[n / 10]);
    if (n >= 10) at = perturb_put(at, 0x5341);
    return n % 10 || n == 0 ? perturb_put(at, DIGIT[n % 10]) : at;
}

/* Where a part begins in a text, or SIZE_MAX. */
static size_t perturb_find(const char *text, const char *part)
{
    const char *at = part && *part ? strstr(text, part) : NULL;
    return at ? (size_t)(at - text) : SIZE_MAX;
}

static void perturb_cut(char *text, size_t from, size_t len)
{
    memmove(text + from, text + from + len, strlen(text + from + len) + 1);
}

static void perturb_drop_levels(const struct perturbed *p, char *out)
{
    const uint64_t which = perturb_random(p->random, 3);
    const size_t village = perturb_find(out, p->village);
    if (which == 1 && village != SIZE_MAX)
        perturb_cut(out, village, strlen(p->village));
    const size_t town = perturb_find(out, p->town);
    if (town == SIZE_MAX) return;
    if (which == 0) perturb_cut(out, town, strlen(p->town));
    perturb_cut(out, 0, town);  // the city, which stands before it
}

static void perturb_drop_suffix(char *out, const char *unit,
                                const char *const *suffix)
{
    const size_t at = perturb_find(out, unit);
    if (at == SIZE_MAX) return;
    const size_t len = strlen(unit);
    for (; *suffix; suffix++) {
        const size_t cut = strlen(*suffix);
        if (len <= cut || strcmp(unit + len - cut, *suffix) != 0) continue;
        perturb_cut(out, at + len - cut, cut);
        return;
    }
}

static void perturb_drop_suffixes(const struct perturbed *p, char *out)
{
    static const char *const SUFFIX[] = {"街道", "社区", "镇", "村", NULL};
    static const char *const CITY[] = {"市", NULL};
    perturb_drop_suffix(out, p->village, SUFFIX);
    perturb_drop_suffix(out, p->town, SUFFIX);
    perturb_drop_suffix(out, "东莞市", CITY);
}

static void perturb_spell(const struct perturbed *p, const uint32_t *c,
                          size_t n, bool initials, char *at)
{
    const bool spaced = perturb_random(p->random, 2);
    for (size_t i = 0; i < n; i++) {
        const char *spelled = om_fold_spelled(
            p->fold, p->fold->sound[p->fold->token[c[i] & 0xFFFF]]);
        if (!spelled[0]) {
            at = perturb_put(at, c[i]);
            continue;
        }
        if (!initials && spaced && i) *at++ = ' ';
        at += sprintf(at, "%.*s", initials ? 1 : 8, spelled);
    }
}

static uint32_t perturb_homophone(const struct perturbed *p, uint32_t c)
{
    const uint16_t sound = p->fold->sound[c];
    uint32_t at = 0x4E00 + (uint32_t)perturb_random(p->random, 0x51A0);
    for (uint32_t i = 0; i < 0x51A0; i++) {
        if (p->fold->sound[at] == sound && p->fold->token[at] == at &&
            at != c && !perturb_is_numeral(at))
            return at;
        if (++at == 0x9FA0) at = 0x4E00;
    }
    return c;
}

/* All characters again, one of them changed. */
static void perturb_typo(const struct perturbed *p, enum perturbation kind,
                         uint32_t *c, size_t n, char *at)
{
    static const uint32_t OTHER[] = {0x5C71, 0x6C34, 0x9F99, 0x91D1, 0x77F3,
                                     0x5170, 0x6797, 0x9AD8, 0x660E, 0x5317};
    const size_t i = perturb_pick(p, c, n, kind == SWAPPED);
    if (i != SIZE_MAX) {
        if (kind == SUBSTITUTED) {
            const uint32_t was = c[i];
            while (c[i] == was) c[i] = OTHER[perturb_random(p->random, 10)];
        }
        if (kind == HOMOPHONE) c[i] = perturb_homophone(p, c[i]);
        if (kind == SWAPPED) {
            const uint32_t was = c[i];
            c[i] = c[i + 1];
            c[i + 1] = was;
        }
    }
    for (size_t k = 0; k < n; k++)
        if (kind != OMITTED || k != i) at = perturb_put(at, c[k]);
}

static void perturb_numerals(const struct perturbed *p, enum perturbation kind,
                             const uint32_t *c, size_t n, char *at)
{
    (void)p;
    for (size_t i = 0; i < n;) {
        if (c[i] < '0' || c[i] > '9') {
            at = perturb_put(at, c[i++]);
        } else if (kind == FULL_WIDTH) {
            at = perturb_put(at, c[i++] - '0' + 0xFF10);
        } else {
            uint32_t value = 0;
            while (i < n && c[i] >= '0' && c[i] <= '9')
                value = value * 10 + c[i++] - '0';
            at = perturb_han(at, value);
        }
    }
}

static void perturb_punctuate(const struct perturbed *p, const uint32_t *c,
                              size_t n, char *at)
{
    static const uint32_t MARK[] = {' ', ',', '-', 0xFF0C, 0x3000, 0x3001};
    for (size_t i = 0; i < n; i++) {
        const bool inside = i && c[i] >= '0' && c[i] <= '9' &&
                            c[i - 1] >= '0' && c[i - 1] <= '9';
        if (i && !inside && perturb_random(p->random, 4) == 0)
            at = perturb_put(at, MARK[perturb_random(p->random, 6)]);
        at = perturb_put(at, c[i]);
    }
}

/* A character that folds to `c` and is another, or c. */
static uint32_t perturb_traditional(const struct om_fold *fold, uint32_t c)
{
    static uint16_t other[65536];
    if (!other[0]) {
        for (uint32_t i = 0x4E00; i < 0xA000; i++)
            if (fold->token[i] != i && !other[fold->token[i]])
                other[fold->token[i]] = (uint16_t)i;
        other[0] = 1;
    }
    return c >= 0x4E00 && c < 0xA000 && other[c] ? other[c] : c;
}

static void perturb_mix(const struct perturbed *p, const uint32_t *c, size_t n,
                        char *at)
{
    for (size_t i = 0; i < n; i++) {
        const char *spelled = om_fold_spelled(
            p->fold, p->fold->sound[p->fold->token[c[i] & 0xFFFF]]);
        if (spelled[0] && perturb_random(p->random, 2))
            at += sprintf(at, "%s", spelled);
        else
            at = perturb_put(at, c[i]);
    }
}

/* Up to the number of the house, and the block's if it has one. */
static void perturb_drop_room(char *out)
{
    static const char *const LAST[] = {"座", "栋", "号", NULL};
    for (const char *const *last = LAST; *last; last++) {
        char *at = NULL;
        for (char *next = out; (next = strstr(next, *last)); next++) at = next;
        if (!at) continue;
        at[strlen(*last)] = '\0';
        return;
    }
}

/** The address as somebody of a class types it; out [PERTURB_MOST * 8]. */
static void perturb(const struct perturbed *p, enum perturbation kind,
                    char *out)
{
    uint32_t c[PERTURB_MOST];
    const size_t n = perturb_decode(p->text, c);
    strcpy(out, p->text);
    switch (kind) {
        case LEVELS_DROPPED:
            perturb_drop_levels(p, out);
            break;
        case SUFFIXES_DROPPED:
            perturb_drop_suffixes(p, out);
            break;
        case NO_ROOM:
            perturb_drop_room(out);
            break;
        case FULL_WIDTH:
        case HAN_NUMERALS:
            perturb_numerals(p, kind, c, n, out);
            break;
        case PINYIN:
        case INITIALS:
            perturb_spell(p, c, n, kind == INITIALS, out);
            break;
        case TRADITIONAL:
            for (size_t i = 0; i < n; i++)
                out = perturb_put(out, perturb_traditional(p->fold, c[i]));
            break;
        case MIXED:
            perturb_mix(p, c, n, out);
            break;
        case BESIDE:
            perturb_drop_room(out);
            strcat(out, perturb_random(p->random, 2) ? "对面" : "旁");
            break;
        case PUNCTUATED:
            perturb_punctuate(p, c, n, out);
            break;
        case EXACT:
        case PERTURBATIONS:
            break;
        default:
            perturb_typo(p, kind, c, n, out);
    }
}

#endif
