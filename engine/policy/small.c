// small.c - primary and complementary suppression of counts.
#include "engine/policy/small.h"

/* What of one family is hidden: how many that are not 0, and their sum. */
struct state {
    size_t hidden;
    uint64_t sum, least;
};

static bool is_safe(const struct state *s)
{
    return !s->hidden || (s->hidden > 1 && s->sum >= s->least);
}

static bool is_member(const uint32_t *of, size_t i, uint32_t family,
                      size_t families)
{
    if (!of) return true;
    return family < families ? of[i] == family : of[i] >= families;
}

static void hide_family(const uint64_t *count, const uint32_t *of, size_t n,
                        uint32_t family, size_t families, uint64_t least,
                        bool *hidden)
{
    struct state s = {.least = least};
    for (size_t i = 0; i < n; i++) {
        if (!is_member(of, i, family, families)) continue;
        if (count[i] && count[i] < least) hidden[i] = true;
        s.hidden += hidden[i] && count[i];
        s.sum += hidden[i] ? count[i] : 0;
    }
    while (!is_safe(&s)) {
        size_t next = n;
        for (size_t i = 0; i < n; i++)
            if (!hidden[i] && count[i] && is_member(of, i, family, families) &&
                (next == n || count[i] < count[next]))
                next = i;
        if (next == n) return;
        hidden[next] = true;
        s.hidden++;
        s.sum += count[next];
    }
}

void om_small_hide(const uint64_t *count, size_t n, uint64_t least,
                   bool *hidden)
{
    hide_family(count, NULL, n, 0, 0, least, hidden);
}

void om_small_hide_level(const uint64_t *count, const uint32_t *of, size_t n,
                         const bool *upper, size_t families, uint64_t least,
                         bool *hidden)
{
    for (size_t f = 0; f <= families; f++) {
        const bool above = upper && f < families && upper[f];
        for (size_t i = 0; above && i < n; i++)
            if (of[i] == f) hidden[i] = true;
        hide_family(count, of, n, (uint32_t)f, families, least, hidden);
    }
}
