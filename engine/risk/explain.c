/* explain.c - the strongest rows behind a value.
 *
 * DESIGN
 * The numerator is a sum over rows; explaining it is keeping the terms of that
 * sum. Rows come from a box query, are weighed by the field's own weigher, and
 * their distance is the one that om_field_exact takes, so that nothing is said
 * here that the value does not say.
 */
#include "engine/risk/explain.h"

#include <math.h>

#include "engine/field/field_internal.h"
#include "engine/query/query.h"

/* A mass nearer to the pole reaches further than one here (fields.c). */
#define REACH 2.0

struct strongest {
    const struct om_risk_part *part;
    size_t term, at_part;
    double x, y, peak;
    struct om__weigher weigher;
    const uint64_t *key;
    size_t touched_from, touched_to;
    struct om_risk_row *row;
    size_t rows, most;
    uint64_t reached;
    om_status status;
};

/* Does a, which came later, stand before b? Rows of an equal amount stay in the
 * order in which they come: by term, place and id, whatever parts they are of.
 */
static bool before(const struct om_risk_row *a, const struct om_risk_row *b)
{
    return a->amount > b->amount;
}

static void keep(struct strongest *s, const struct om_risk_row *row)
{
    if (s->most == 0) return;
    if (s->rows == s->most) {
        if (!before(row, &s->row[s->rows - 1])) return;
        s->rows--;
    }
    size_t at = s->rows++;
    for (; at > 0 && before(row, &s->row[at - 1]); at--)
        s->row[at] = s->row[at - 1];
    s->row[at] = *row;
}

/* The weigher of the hit's part, its rows around the hit checked. */
static om_status touch(struct strongest *s, const struct om_hit *hit)
{
    const struct om_field_spec *spec = &s->part->spec;
    if (hit->part != s->at_part) {
        OM_TRY(s->weigher.status);
        om__weigher_deinit(&s->weigher);
        s->at_part = hit->part;
        s->touched_from = s->touched_to = 0;
        OM_TRY(
            om__weigher_init(spec, spec->weight.at_s, hit->part, &s->weigher));
    }
    if (hit->row >= s->touched_from && hit->row < s->touched_to) return OM_OK;
    const struct om_segment *segment = spec->layer->part[hit->part].segment;
    const size_t from = hit->row / OM_BLOCK_ROWS * OM_BLOCK_ROWS;
    const size_t rows = om_segment_rows(segment);
    const size_t to = rows - from < OM_BLOCK_ROWS ? rows : from + OM_BLOCK_ROWS;
    OM_TRY(om_segment_keys(segment, from, to, &s->key));
    OM_TRY(om__weigher_touch(&s->weigher, from, to));
    s->touched_from = from;
    s->touched_to = to;
    return OM_OK;
}

static bool take_row(void *ctx, const struct om_hit *hit)
{
    struct strongest *s = ctx;
    const struct om_field_spec *spec = &s->part->spec;
    if (!om_selection_has(spec->selection, hit->part, hit->row)) return true;
    s->status = touch(s, hit);
    if (s->status) return false;
    const struct om_pos pos = om_morton_pos(s->key[hit->row]);
    const struct om__ground ground = om__ground(pos.y + 0.5);
    const double dx = (pos.x + 0.5 - s->x) * ground.x_m;
    const double dy = (pos.y + 0.5 - s->y) * ground.y_m;
    const double distance = sqrt(dx * dx + dy * dy);
    const double r = distance / spec->bandwidth_m;
    const double shape = om__kernel_shape(spec->kernel, r * r);
    if (shape <= 0.0) return true;
    const double weight = s->part->factor * om__weigh(&s->weigher, hit->row);
    if (weight == 0.0) return true;
    s->reached++;
    keep(s, &(struct om_risk_row){.term = s->term,
                                  .part = hit->part,
                                  .row = hit->row,
                                  .distance_m = distance,
                                  .weight = weight,
                                  .amount = weight * shape * s->peak});
    return true;
}

static om_status add_term(struct strongest *s)
{
    const struct om_field_spec *spec = &s->part->spec;
    const double km = spec->bandwidth_m / 1000.0;
    const double reach = REACH * spec->bandwidth_m / om__ground_m(s->y) + 2.0;
    const double last = OM_POS_SIDE - 1.0;
    s->peak = om__kernel_peak(spec->kernel) / (km * km);
    s->at_part = SIZE_MAX;
    const struct om_query query = {
        .layer = spec->layer,
        .place = {.kind = OM_PLACE_BOX,
                  .box = {(uint32_t)fmax(s->x - reach, 0.0),
                          (uint32_t)fmax(s->y - reach, 0.0),
                          (uint32_t)fmin(s->x + reach, last),
                          (uint32_t)fmin(s->y + reach, last)}}};
    om_status st = om_query_each(&query, take_row, s);
    if (!st) st = s->status;
    if (!st) st = s->weigher.status;
    om__weigher_deinit(&s->weigher);
    s->weigher = (struct om__weigher){0};
    return st;
}

om_status om_risk_strongest(const struct om_risk *risk, double x, double y,
                            size_t most, struct om_risk_row *row, size_t *rows,
                            uint64_t *reached)
{
    *rows = 0;
    OM_TRY(om_risk_check(risk));
    if (!(x >= 0.0 && x <= OM_POS_SIDE && y >= 0.0 && y <= OM_POS_SIDE))
        return OM_E_COORD;
    struct strongest s = {.x = x, .y = y, .row = row, .most = most};
    for (size_t i = 0; i < risk->terms; i++) {
        s.part = &risk->term[i];
        s.term = i;
        s.reached = 0;
        OM_TRY(add_term(&s));
        if (reached) reached[i] = s.reached;
    }
    *rows = s.rows;
    return OM_OK;
}
