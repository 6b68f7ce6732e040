/* cover_choose.c - greedy, then interchange.
 *
 * DESIGN
 * Each demand knows by how many chosen sites it is covered. What a site adds
 * is the weight of its demands that nobody covers. What an exchange brings is
 * that, less what the leaving site alone covers, plus the part of this that
 * the coming one takes over: all leaving sites are judged in one walk of the
 * coming one's list, since a demand that one site covers names it.
 */
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/reach/cover_internal.h"

#define GRAIN 256

struct choosing {
    const struct om_cover *cover;
    const int64_t *weight;
    uint32_t *covered;  // [demands] by how many chosen sites
    uint32_t *by;       // [demands] sum of places in `chosen` that cover it:
                        // the place itself where it is one
    uint32_t *chosen;   // [k]
    size_t count;
    bool *taken;             // [sites]
    int64_t *alone;          // [k] what only this one covers
    struct best *best;       // [stretches]
    int64_t *over;           // [lanes * k] taken over from each
    int64_t *adding;         // [sites] what each would add now, or at most
    const int64_t *at_most;  // [sites] of those without a list, or NULL
    size_t k;
    uint64_t listed;  // sites that reach anybody, as far as is known
    uint64_t *work;   // that is left
};
struct best {
    int64_t gain;
    uint32_t site, leaving;
};

static int64_t adds(const struct choosing *c, size_t site)
{
    int64_t sum = 0;
    const uint32_t *list = c->cover->list[site];
    for (uint32_t i = 0; i < c->cover->n[site]; i++)
        if (c->covered[list[i]] == 0) sum += c->weight[list[i]];
    return sum;
}

static om_status best_addition(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct choosing *c = ctx;
    struct best best = {0, UINT32_MAX, 0};
    for (size_t s = first; s < end; s++) {
        const bool known = c->cover->list[s] != NULL;
        const int64_t gain = c->taken[s] || !known ? 0 : adds(c, s);
        c->adding[s] = known || !c->at_most ? gain : c->at_most[s];
        if (gain > best.gain) best = (struct best){gain, (uint32_t)s, 0};
    }
    c->best[first / GRAIN] = best;
    return OM_OK;
}

static om_status best_exchange(void *ctx, size_t first, size_t end, size_t lane)
{
    struct choosing *c = ctx;
    struct best best = {0, UINT32_MAX, 0};
    int64_t *over = c->over + lane * c->k;
    for (size_t s = first; s < end; s++) {
        if (c->taken[s] || !c->cover->n[s]) continue;
        const uint32_t *list = c->cover->list[s];
        int64_t adds_now = 0;
        memset(over, 0, c->count * sizeof *over);
        for (uint32_t i = 0; i < c->cover->n[s]; i++) {
            const uint32_t d = list[i];
            if (c->covered[d] == 0) adds_now += c->weight[d];
            if (c->covered[d] == 1) over[c->by[d]] += c->weight[d];
        }
        for (size_t j = 0; j < c->count; j++) {
            const int64_t gain = adds_now + over[j] - c->alone[j];
            if (gain > best.gain)
                best = (struct best){gain, (uint32_t)s, (uint32_t)j};
        }
    }
    c->best[first / GRAIN] = best;
    return OM_OK;
}

/* Take what a walk through all sites costs out of what is left. */
static om_status spend(struct choosing *c, uint64_t work)
{
    if (work > *c->work) *c->work = 0;
    if (!*c->work) return OM_E_COST;
    *c->work -= work;
    return OM_OK;
}

/* The best of all stretches; the first of equal ones has the lowest site. */
static om_status find_best(struct choosing *c, om_range_fn *fn,
                           struct best *out)
{
    const uint64_t each = fn == best_exchange ? c->count : 1;
    *out = (struct best){0, UINT32_MAX, 0};
    OM_TRY(spend(c, c->cover->pairs + c->listed * each));
    OM_TRY(om_parallel(c->cover->sites, GRAIN, fn, c));
    const size_t stretches = (c->cover->sites + GRAIN - 1) / GRAIN;
    for (size_t i = 0; i < stretches; i++)
        if (c->best[i].gain > out->gain) *out = c->best[i];
    return OM_OK;
}

static void enter(struct choosing *c, uint32_t site, uint32_t place)
{
    const uint32_t *list = c->cover->list[site];
    for (uint32_t i = 0; i < c->cover->n[site]; i++) {
        c->covered[list[i]]++;
        c->by[list[i]] += place;
    }
    c->chosen[place] = site;
    c->taken[site] = true;
}

static void leave(struct choosing *c, uint32_t place)
{
    const uint32_t site = c->chosen[place];
    const uint32_t *list = c->cover->list[site];
    for (uint32_t i = 0; i < c->cover->n[site]; i++) {
        c->covered[list[i]]--;
        c->by[list[i]] -= place;
    }
    c->taken[site] = false;
}

static void weigh_alone(struct choosing *c)
{
    for (size_t j = 0; j < c->count; j++) {
        const uint32_t site = c->chosen[j];
        const uint32_t *list = c->cover->list[site];
        c->alone[j] = 0;
        for (uint32_t i = 0; i < c->cover->n[site]; i++)
            if (c->covered[list[i]] == 1) c->alone[j] += c->weight[list[i]];
    }
}

/* Sum of the k largest of n >= k values, which are put into another order:
 * quickselect (Hoare, Algorithm 65), equal values apart. */
static int64_t sum_of_largest(int64_t *value, size_t n, size_t k)
{
    for (size_t lo = 0, hi = n; hi - lo > 1;) {
        const int64_t pivot = value[lo + (hi - lo) / 2];
        size_t more = lo, less = hi;
        for (size_t i = lo; i < less;) {
            const int64_t v = value[i];
            if (v > pivot) {
                value[i++] = value[more];
                value[more++] = v;
            } else if (v < pivot) {
                value[i] = value[--less];
                value[less] = v;
            } else {
                i++;
            }
        }
        if (k <= more)
            hi = more;
        else if (k >= less)
            lo = less;
        else
            break;
    }
    int64_t sum = 0;
    for (size_t i = 0; i < k; i++) sum += value[i];
    return sum;
}

/* No K sites cover more than what is covered now and the K largest additions
 * together: what a site adds only falls as others come (submodularity).
 * Reorders `adding`. */
static void lower_bound(struct choosing *c, int64_t covered, int64_t *bound)
{
    covered += sum_of_largest(c->adding, c->cover->sites, c->k);
    if (covered < *bound) *bound = covered;
}

static om_status greedy(struct choosing *c, int64_t *covered, int64_t *bound)
{
    struct best best;
    // Refused now rather than when it has been paid for.
    if (c->k * (c->cover->pairs + c->listed) > *c->work) *c->work = 0;
    for (;;) {
        OM_TRY(find_best(c, best_addition, &best));
        lower_bound(c, *covered, bound);
        if (c->count == c->k || best.site == UINT32_MAX) return OM_OK;
        *covered += best.gain;
        enter(c, best.site, (uint32_t)c->count++);
    }
}

static om_status interchange(struct choosing *c, int64_t covered,
                             struct om_choice *out)
{
    struct best best;
    for (;;) {
        weigh_alone(c);
        OM_TRY(find_best(c, best_exchange, &best));
        if (best.site == UINT32_MAX) break;
        leave(c, best.leaving);
        enter(c, best.site, best.leaving);
        covered += best.gain;
        out->swaps++;
    }
    if (!out->swaps) return OM_OK;
    OM_TRY(find_best(c, best_addition, &best));
    lower_bound(c, covered, &out->bound);
    return OM_OK;
}

/* In the order of what each adds to those before it. */
static void put_in_order(struct choosing *c, struct om_choice *out)
{
    const size_t n = c->count;
    for (uint32_t j = 0; j < n; j++) leave(c, j);
    for (size_t at = 0; at < n; at++) {
        size_t best = 0;
        int64_t gain = -1;
        for (size_t j = 0; j < n; j++) {
            if (c->chosen[j] == UINT32_MAX) continue;
            const int64_t g = adds(c, c->chosen[j]);
            if (g < gain || (g == gain && c->chosen[j] > c->chosen[best]))
                continue;
            gain = g;
            best = j;
        }
        const uint32_t site = c->chosen[best];
        for (uint32_t i = 0; i < c->cover->n[site]; i++)
            c->covered[c->cover->list[site][i]]++;
        c->chosen[best] = UINT32_MAX;
        if (gain == 0) continue;
        out->site[out->count] = site;
        out->gain[out->count++] = gain;
        out->total += gain;
    }
}

static om_status check(const struct om_cover *cover, const int64_t *weight)
{
    int64_t sum = 0;
    for (size_t i = 0; i < cover->demands; i++)
        if (weight[i] < 0 || __builtin_add_overflow(sum, weight[i], &sum))
            return OM_E_RANGE;
    return OM_OK;
}

static om_status choosing_init(struct choosing *c)
{
    const struct om_cover *cover = c->cover;
    c->covered = om_calloc(cover->demands + 1, sizeof *c->covered);
    c->by = om_calloc(cover->demands + 1, sizeof *c->by);
    c->chosen = om_calloc(c->k + 1, sizeof *c->chosen);
    c->taken = om_calloc(cover->sites + 1, sizeof *c->taken);
    c->alone = om_calloc(c->k + 1, sizeof *c->alone);
    c->best = om_calloc(cover->sites / GRAIN + 1, sizeof *c->best);
    c->over = om_calloc(om_threads() * (c->k + 1), sizeof *c->over);
    c->adding = om_calloc(cover->sites + 1, sizeof *c->adding);
    return c->adding && c->covered && c->by && c->chosen && c->taken &&
                   c->alone && c->best && c->over
               ? OM_OK
               : OM_E_MEMORY;
}

/* Fewer than k: any site that adds anything could come in. */
static int64_t least_alone(struct choosing *c)
{
    if (c->count < c->k || c->count == 0) return 0;
    weigh_alone(c);
    int64_t least = INT64_MAX;
    for (size_t j = 0; j < c->count; j++)
        if (c->alone[j] < least) least = c->alone[j];
    return least;
}

om_status om__cover_choose(const struct om_cover *cover, const int64_t *weight,
                           const int64_t *at_most, size_t k,
                           struct om_choice *out, uint64_t *work,
                           int64_t *least)
{
    *least = 0;
    *out = (struct om_choice){0};
    OM_TRY(check(cover, weight));
    struct choosing c = {.cover = cover,
                         .weight = weight,
                         .at_most = at_most,
                         .k = k < cover->sites ? k : cover->sites,
                         .work = work};
    for (size_t s = 0; s < cover->sites; s++) c.listed += cover->n[s] > 0;
    om_status st = choosing_init(&c);
    out->site = om_calloc(c.k + 1, sizeof *out->site);
    out->gain = om_calloc(c.k + 1, sizeof *out->gain);
    if (!out->site || !out->gain) st = OM_E_MEMORY;
    int64_t covered = 0;
    out->bound = INT64_MAX;
    if (!st) st = greedy(&c, &covered, &out->bound);
    if (!st) st = interchange(&c, covered, out);
    if (!st) *least = least_alone(&c);
    if (!st) put_in_order(&c, out);
    om_free(c.covered);
    om_free(c.by);
    om_free(c.chosen);
    om_free(c.taken);
    om_free(c.alone);
    om_free(c.best);
    om_free(c.over);
    om_free(c.adding);
    if (st) om_choice_deinit(out);
    return st;
}

om_status om_cover_choose(const struct om_cover *cover, const int64_t *weight,
                          size_t k, struct om_choice *out)
{
    int64_t least;
    uint64_t work = OM_LIMIT_COVER_WORK;
    const om_status st =
        om__cover_choose(cover, weight, NULL, k, out, &work, &least);
    out->measured = cover->sites;
    out->tired = st == OM_E_COST;
    return st;
}

void om_choice_deinit(struct om_choice *choice)
{
    om_free(choice->site);
    om_free(choice->gain);
    *choice = (struct om_choice){0};
}
