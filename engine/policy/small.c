// small.c - primary and complementary suppression of counts.
#include "engine/policy/small.h"

#include <math.h>

#include "data/base/alloc.h"

/* What of one family is hidden: how many that are somebody's, and their sum. */
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

static void hide_family(const uint64_t *count, const uint64_t *rows,
                        const uint32_t *of, size_t n, uint32_t family,
                        size_t families, uint64_t least, bool *hidden)
{
    struct state s = {.least = least};
    if (!rows) rows = count;
    for (size_t i = 0; i < n; i++) {
        if (!is_member(of, i, family, families)) continue;
        if (rows[i] && count[i] < least) hidden[i] = true;
        s.hidden += hidden[i] && rows[i];
        s.sum += hidden[i] ? count[i] : 0;
    }
    while (!is_safe(&s)) {
        size_t next = n;
        for (size_t i = 0; i < n; i++)
            if (!hidden[i] && rows[i] && is_member(of, i, family, families) &&
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
    hide_family(count, NULL, NULL, n, 0, 0, least, hidden);
}

/* Members that are looked at together, beside each by value: small steps from
 * one solution to another lie there. */
#define BESIDE 12

struct valued {
    const uint64_t *count;
    const double *value;
    uint64_t least;
    const size_t *at;  // hidden members, by value
    size_t hidden;
};

/* Does a count of member i stay few, or many, if it changes by `by`? */
static bool stays(const struct valued *v, size_t i, double by)
{
    const double now = (double)v->count[i], then = now + by;
    const double least = (double)v->least;
    return then >= 1 && (now < least) == (then < least);
}

/* The smallest whole step by which counts of three values may change while
 * their sum and that of value x count stay. */
static bool step_of(const double value[3], double step[3])
{
    double a = fabs(value[1] - value[2]), b = fabs(value[2] - value[0]);
    if (a < 1 || b < 1 || a != floor(a) || b != floor(b) || a > 1e15 ||
        b > 1e15)
        return false;
    while (b > 0) {
        const double rest = fmod(a, b);
        a = b;
        b = rest;
    }
    step[0] = (value[1] - value[2]) / a;
    step[1] = (value[2] - value[0]) / a;
    step[2] = (value[0] - value[1]) / a;
    return step[0] != 0 && step[1] != 0 && step[2] != 0;
}

/* Could the hidden member at `p` have another count? */
static bool is_open(const struct valued *v, size_t p)
{
    const size_t from = p > BESIDE ? p - BESIDE : 0;
    const size_t to = p + BESIDE + 1 < v->hidden ? p + BESIDE + 1 : v->hidden;
    for (size_t j = from; j < to; j++)
        for (size_t k = j + 1; k < to; k++) {
            const size_t three[] = {v->at[p], v->at[j], v->at[k]};
            double step[3];
            if (j == p || k == p) continue;
            if (!step_of(
                    (const double[]){v->value[three[0]], v->value[three[1]],
                                     v->value[three[2]]},
                    step))
                continue;
            for (int sign = -1; sign <= 1; sign += 2)
                if (stays(v, three[0], sign * step[0]) &&
                    stays(v, three[1], sign * step[1]) &&
                    stays(v, three[2], sign * step[2]))
                    return true;
        }
    return false;
}

/* The hidden members that are not nobody's, by value. */
static size_t gather(const uint64_t *count, const double *value, size_t n,
                     const bool *hidden, size_t *at)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (!hidden[i] || !count[i]) continue;
        size_t to = found++;
        for (; to && value[at[to - 1]] > value[i]; to--) at[to] = at[to - 1];
        at[to] = i;
    }
    return found;
}

bool om_small_hide_valued(const uint64_t *count, const double *value, size_t n,
                          uint64_t least, bool *hidden)
{
    om_small_hide(count, n, least, hidden);
    size_t *at = om_alloc_array(n + 1, sizeof *at);
    while (at) {
        const struct valued v = {count, value, least, at,
                                 gather(count, value, n, hidden, at)};
        size_t open = 0, next = n;
        while (open < v.hidden && is_open(&v, open)) open++;
        if (open == v.hidden) {
            om_free(at);
            return true;
        }
        for (size_t i = 0; i < n; i++)
            if (!hidden[i] && count[i] && (next == n || count[i] < count[next]))
                next = i;
        if (next == n) break;
        hidden[next] = true;
    }
    om_free(at);
    // Or there is no memory: nothing of it is told.
    for (size_t i = 0; i < n; i++) hidden[i] = true;
    return false;
}

void om_small_hide_level(const uint64_t *count, const uint64_t *rows,
                         const uint32_t *of, size_t n, const bool *upper,
                         size_t families, uint64_t least, bool *hidden)
{
    for (size_t f = 0; f <= families; f++) {
        const bool above = upper && f < families && upper[f];
        for (size_t i = 0; above && i < n; i++)
            if (of[i] == f) hidden[i] = true;
        hide_family(count, rows, of, n, (uint32_t)f, families, least, hidden);
    }
}
