/* sums.c - exact sums of weights and where they are.
 *
 * DESIGN
 * What a cell holds is added up in whole numbers (quanta), so that it is the
 * same in whatever order, and of however many parts, its rows are added; only
 * the sum becomes a float. Sums over many rows are differences of marks: a
 * ledger has what lies before the first cell behind every so many rows.
 * Coordinates are added as they are, modulo 2^128: differences are right as
 * long as what a cell holds is below that, which OM_FIELD_ROW_MOST sees to.
 */
#include <math.h>

#include "data/base/alloc.h"
#include "engine/field/field_internal.h"

void om__sum_merge(struct om__sum *to, const struct om__sum *from)
{
    to->weight += from->weight;
    to->size += from->size;
    to->x += from->x;
    to->y += from->y;
}

void om__sum_take(struct om__sum *to, const struct om__sum *from)
{
    to->weight -= from->weight;
    to->size -= from->size;
    to->x -= from->x;
    to->y -= from->y;
}

/* Most numbers are short, and those are quickly made a double. */
static double to_double(om__uwide value)
{
    return value >> 63 ? (double)value : (double)(int64_t)value;
}

double om__sum_weight(const struct om__sum *sum, double unit)
{
    const om__wide weight = (om__wide)sum->weight;
    return weight < 0 ? -to_double(-sum->weight) * unit
                      : to_double(sum->weight) * unit;
}

double om__sum_size(const struct om__sum *sum, double unit)
{
    return to_double(sum->size) * unit;
}

uint16_t om__sum_mean(om__uwide at, om__uwide size, uint32_t corner,
                      unsigned level)
{
    const double inside = to_double(at - size * corner) / to_double(size) + 0.5;
    // Positions in a cell's side, in 1/65536 of it: powers of two.
    const double part =
        inside * 65536.0 / (double)(UINT64_C(1) << (32 - level));
    return part >= 65535.0 ? 65535 : part > 0.0 ? (uint16_t)part : 0;
}

om_status om__adder_init(const struct om_field_spec *spec, int64_t reference_s,
                         size_t part, struct om__adder *out)
{
    *out = (struct om__adder){
        .segment = spec->layer->part[part].segment,
        .selection = spec->selection,
        .part = part,
        .weighted = !om__weight_is_one(&spec->weight),
    };
    return out->weighted
               ? om__weigher_init(spec, reference_s, part, &out->weigher)
               : OM_OK;
}

void om__adder_deinit(struct om__adder *a)
{
    om__weigher_deinit(&a->weigher);
}

om_status om__adder_touch(struct om__adder *a, size_t from, size_t to)
{
    OM_TRY(om_segment_keys(a->segment, from, to, &a->key));
    return a->weighted ? om__weigher_touch(&a->weigher, from, to) : OM_OK;
}

om_status om__adder_rows(struct om__adder *a, size_t from, size_t to, bool dead,
                         struct om__sum *sum)
{
    OM_TRY(om__adder_touch(a, from, to));
    for (size_t row = from; row < to; row++)
        if (dead ? om_selection_base_has(a->selection, a->part, row)
                 : om_selection_has(a->selection, a->part, row))
            om__adder_row(a, row, sum);
    return a->weigher.status;
}

/* The first mark that is not before `row`. */
static size_t mark_from(const struct om__ledger *l, size_t row)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (l->mark[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

om_status om__adder_dead(struct om__adder *a, const struct om_part *part,
                         size_t from, size_t to, struct om__sum *sum)
{
    struct om__sum gone = {0};
    for (size_t d = om_part_dead_from(part, from);
         d < part->dead_count && part->dead[d] < to; d++)
        OM_TRY(om__adder_rows(a, part->dead[d], part->dead[d] + 1, true,
                              &gone));
    om__sum_take(sum, &gone);
    return OM_OK;
}

om_status om__adder_range(struct om__adder *a, const struct om_part *part,
                          const struct om__ledger *ledger, size_t from,
                          size_t to, struct om__sum *sum)
{
    const size_t first = ledger ? mark_from(ledger, from) : 0;
    size_t last = ledger ? mark_from(ledger, to) : 0;
    if (ledger && (last == ledger->count || ledger->mark[last].row > to))
        last -= last > 0;
    if (!ledger || first >= last || ledger->mark[last].row > to)
        return om__adder_rows(a, from, to, false, sum);
    OM_TRY(om__adder_rows(a, from, ledger->mark[first].row, true, sum));
    om__sum_merge(sum, &ledger->mark[last].before);
    om__sum_take(sum, &ledger->mark[first].before);
    OM_TRY(om__adder_rows(a, ledger->mark[last].row, to, true, sum));
    return om__adder_dead(a, part, from, to, sum);
}
