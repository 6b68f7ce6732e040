/* cost.c - what a question will cost, before it is asked.
 *
 * DESIGN
 * The legend of a field is the dear part of a view: its largest value is
 * looked for block by block, and the blocks are some 6 bandwidths wide. How
 * many of them hold anything follows from the cells that layers store. A block
 * with next to nothing in it is skipped, so a few rows never make many. The
 * two factors were measured over 12 million addresses and over 140 thousand
 * accidents of a whole country; they err towards refusing.
 */
#include <math.h>

#include "engine/layer/segment.h"
#include "web/server/cost.h"
#include "web/server/server_internal.h"

#define BLOCK_BANDWIDTHS 6.4
#define BLOCK_S 20e-6
#define ROW_S 40e-9
#define ROWS_PER_BLOCK 6.0
/* Cells that are read instead of rows: so many a bandwidth. */
#define CELL_BANDWIDTHS 0.1
/* A legend above this is not made: about a second of one core. */
#define LEGEND_MOST_S 0.6
/* One tile of one field, without its colours. */
#define WINDOW_S 1.5e-3
/* Making a view passes over the columns of its filter and weight. */
#define PASS_ROW_S 20e-9

/* At most so many squares of this side hold anything. */
static double occupied(const struct om_layer *layer, double side_m)
{
    const double level = log2(OM_MERCATOR_SIDE_M / side_m);
    double sum = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *segment = layer->part[p].segment;
        double most = (double)om_segment_rows(segment);
        for (size_t i = 0; i < om_segment_cell_levels(segment); i++) {
            struct om_cells cells;
            if (om_segment_cells(segment, i, &cells)) continue;
            const double finer = level - (double)cells.level;
            const double n =
                (double)cells.count * (finer > 0 ? pow(4, finer) : 1);
            most = fmin(most, n);
        }
        sum += most;
    }
    return sum;
}

double om__legend_cost_s(const struct om_layer *layer, double bandwidth_m)
{
    const double rows = (double)layer->rows;
    const double blocks = occupied(layer, BLOCK_BANDWIDTHS * bandwidth_m);
    const double cells = occupied(layer, CELL_BANDWIDTHS * bandwidth_m);
    return fmin(blocks, rows / ROWS_PER_BLOCK) * BLOCK_S + cells * ROW_S;
}

static double pass_s(const struct om_risk_part *part,
                     const struct om_risk_rows *rows)
{
    const struct om_weighting *w = &part->spec.weight;
    const bool pass = rows->filter || rows->window.set || w->table ||
                      w->column != OM_NO_FIELD || w->at_s != INT64_MAX;
    return pass ? (double)part->spec.layer->rows * PASS_ROW_S : 0.0;
}

double om__spread_cost_s(const struct om_risk_bound *bound)
{
    const struct om_risk *risk = &bound->risk;
    const struct om_field_spec *spec = &risk->term[0].spec;
    double least_m = spec->bandwidth_m;
    for (size_t i = 1; i < risk->terms; i++)
        least_m = fmin(least_m, risk->term[i].spec.bandwidth_m);
    // 256 places of an eighth of the bandwidth each.
    const double tiles = occupied(spec->layer, 32.0 * least_m) + 8.0;
    return tiles * (double)(risk->terms + risk->exposures) * WINDOW_S;
}

double om__view_cost_s(const struct om_risk_bound *bound)
{
    const struct om_risk *risk = &bound->risk;
    double s = 0.0;
    for (size_t i = 0; i < risk->terms; i++)
        s += pass_s(&risk->term[i], &bound->term[i]);
    for (size_t i = 0; i < risk->exposures; i++)
        s += pass_s(&risk->exposure[i], &bound->exposed[i]);
    // The legend of a risk is its mean, that of a density its largest value.
    if (risk->exposures) return s;
    if (risk->terms > 1) return s + om__spread_cost_s(bound);
    const struct om_field_spec *spec = &risk->term[0].spec;
    return s + om__legend_cost_s(spec->layer, spec->bandwidth_m);
}

double om__bandwidth_least_m(const struct om_layer *layer)
{
    static const double step[] = {1, 1.5, 2, 3, 5, 7};
    for (double ten = OM_BANDWIDTH_MIN_M; ten < OM_BANDWIDTH_MAX_M; ten *= 10)
        for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
            const double m = ten * step[i];
            if (m >= OM_BANDWIDTH_MAX_M) break;
            if (om__legend_cost_s(layer, m) <= LEGEND_MOST_S) return m;
        }
    return OM_BANDWIDTH_MAX_M;
}
