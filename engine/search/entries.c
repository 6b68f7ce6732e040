// entries.c - which rows of a form have the numbers that are asked for.
#include "engine/search/search_internal.h"

/* Numbers of a form that are tried in other places. */
#define PLACES_MOST 5

/* What is asked of a form's numbers: value of each, or none. */
struct wanted {
    size_t numbers;
    bool set[OM_SEARCH_NUMBERS];
    uint32_t value[OM_SEARCH_NUMBERS];
};

/* First entry of [from, to) whose number `k` is not below `value`. */
static size_t bound(const struct om_form *f, size_t from, size_t to, size_t k,
                    uint64_t value)
{
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (f->number[middle * f->numbers + k] < value)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct om__range om__entries_numbered(const struct om_form *form,
                                      uint32_t value)
{
    const size_t from = bound(form, 0, form->entries, 0, value);
    return (struct om__range){
        from, bound(form, from, form->entries, 0, (uint64_t)value + 1), 0, 0};
}

static bool fits(const struct om_form *f, size_t entry, const struct wanted *w,
                 size_t from)
{
    for (size_t k = from; k < w->numbers; k++)
        if (w->set[k] && f->number[entry * f->numbers + k] != w->value[k])
            return false;
    return true;
}

static unsigned asked_from(const struct wanted *w, size_t k)
{
    unsigned n = 0;
    for (; k < w->numbers; k++) n += w->set[k];
    return n;
}

/* Entries of [from, to) that fit from number k on: the first run of them. */
static struct om__range search_on(const struct om_form *f,
                                  const struct wanted *w, size_t from,
                                  size_t to, size_t k)
{
    size_t first = from, last;
    while (first < to && !fits(f, first, w, k)) first++;
    for (last = first; last < to && fits(f, last, w, k); last++) {
    }
    return (struct om__range){first, last, 0, 0};
}

/* 14号101房 typed as 14101房: the digits of number k are those of the next
 * number, too. */
static struct om__range search_run_together(const struct om_form *f,
                                            const struct wanted *w, size_t from,
                                            size_t to, size_t k)
{
    const struct om__range none = {from, from, 0, 0};
    if (k + 1 >= w->numbers || w->set[k + 1]) return none;
    for (uint32_t ten = 10; ten <= w->value[k] / 10 * 10 && ten < 100000;
         ten *= 10) {
        const uint32_t a = w->value[k] / ten, b = w->value[k] % ten;
        // A number does not begin with a nought.
        if (b < ten / 10) continue;
        size_t low = bound(f, from, to, k, a);
        size_t high = bound(f, low, to, k, (uint64_t)a + 1);
        low = bound(f, low, high, k + 1, b);
        high = bound(f, low, high, k + 1, (uint64_t)b + 1);
        if (low < high) return (struct om__range){low, high, 0, 0};
    }
    return none;
}

static struct om__range fit(const struct om_form *form, struct wanted w)
{
    size_t from = 0, to = form->entries, k = 0;
    for (; k < w.numbers && w.set[k]; k++) {
        const size_t low = bound(form, from, to, k, w.value[k]);
        const size_t high = bound(form, low, to, k, (uint64_t)w.value[k] + 1);
        if (low == high) {
            const struct om__range two =
                search_run_together(form, &w, from, to, k);
            if (two.from < two.to) return two;
            // The nearest there is: the next higher one, or the last.
            const size_t near = low < to ? low : to - 1;
            return k ? (struct om__range){from, to, asked_from(&w, k), 0}
                     : (struct om__range){near, near + 1, asked_from(&w, k), 0};
        }
        from = low;
        to = high;
    }
    if (!asked_from(&w, k)) return (struct om__range){from, to, 0, 0};
    const struct om__range found = search_on(form, &w, from, to, k);
    if (found.from < found.to) return found;
    if (k + 1 < w.numbers && w.set[k + 1]) {
        // It may have been laid on the second of the two.
        w.set[k] = true;
        w.value[k] = w.value[k + 1];
        w.set[k + 1] = false;
        const struct om__range two = search_run_together(form, &w, from, to, k);
        if (two.from < two.to) return two;
        w.set[k] = false;
        w.set[k + 1] = true;
    }
    return (struct om__range){from, to, asked_from(&w, k), 0};
}

/* 6-101 of 6号1栋101铺: the numbers asked for, in their order, in other places
 * than they were laid on. The first way in which all are there; else `found`.
 */
static struct om__range fit_elsewhere(const struct om_form *form,
                                      const struct wanted *w,
                                      struct om__range found)
{
    uint32_t value[OM_SEARCH_NUMBERS];
    size_t asked = 0;
    for (size_t k = 0; k < w->numbers; k++)
        if (w->set[k]) value[asked++] = w->value[k];
    if (!asked || asked == w->numbers || w->numbers > PLACES_MOST) return found;
    for (unsigned places = 1; places < 1U << w->numbers; places++) {
        struct wanted other = {.numbers = w->numbers};
        size_t n = 0;
        for (size_t k = 0; k < w->numbers; k++) {
            other.set[k] = places >> k & 1;
            if (other.set[k] && n < asked) other.value[k] = value[n];
            n += other.set[k];
        }
        if (n != asked) continue;
        const struct om__range range = fit(form, other);
        if (!range.missing) return range;
    }
    return found;
}

struct om__range om__entries_fit(const struct om__question *q,
                                 const struct om__alignment *alignment,
                                 const struct om_form *form)
{
    struct wanted w = {.numbers = form->numbers}, more;
    unsigned loose = 0;
    for (size_t k = 0; k < w.numbers; k++) {
        w.set[k] = alignment->number[k] >= 0;
        if (w.set[k]) w.value[k] = q->atom[alignment->number[k]].number;
    }
    more = w;
    for (size_t i = 0, k = 0; i < q->atoms; i++) {
        if (q->atom[i].kind != OM__ATOM_NUMBER || alignment->seen[i]) continue;
        while (k < more.numbers && more.set[k]) k++;
        if (k == more.numbers) break;
        more.set[k] = true;
        more.value[k] = q->atom[i].number;
        loose++;
    }
    struct om__range found = {0, 0, 1, 0};
    if (loose) found = fit(form, more);
    if (found.missing) {
        found = fit(form, w);
        return found.missing ? fit_elsewhere(form, &w, found) : found;
    }
    found.loose = loose;
    return found;
}
