/* backtest.c - hit rate, PAI and PEI of a field.
 *
 * DESIGN
 * Cells are the evaluation places of a zoom; events fall into them by the same
 * shift of their Morton codes, so that a list of events sorted by cell and the
 * tiles of a sweep go along with each other. Cells of equal value at the border
 * of the red part are taken in fair parts: what choosing among them at random
 * would give on average.
 */
#include "engine/risk/backtest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"

#define SIDE_LOG 8
#define PIXELS ((size_t)1 << (2 * SIDE_LOG))
#define SIDE ((size_t)1 << SIDE_LOG)

const double om_backtest_share[OM_BACKTEST_SHARES] = {0.01, 0.02, 0.05, 0.1,
                                                      0.2};

/* A cell and the events in it. */
struct cell {
    float value, exposure;
    float km2;
    uint32_t events;
};

struct test {
    unsigned zoom;
    uint64_t *event;  // cells of events, ascending
    size_t events, room;
    struct cell *cell;
    size_t cells, cell_room;
    struct om_backtest *out;
};

/* ---- the events -------------------------------------------------------- */

static om_status add_event(struct test *t, uint64_t cell)
{
    if (t->events == t->room) {
        const size_t room = t->room ? 2 * t->room : 4096;
        uint64_t *grown = om_realloc(t->event, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        t->event = grown;
        t->room = room;
    }
    t->event[t->events++] = cell;
    return OM_OK;
}

static bool selected(const struct om_backtest_events *event, size_t events,
                     const struct om_layer *layer, size_t part, size_t row)
{
    for (size_t i = 0; i < events; i++)
        if (event[i].layer == layer &&
            om_selection_has(event[i].selection, part, row))
            return true;
    return false;
}

static om_status add_layer(struct test *t,
                           const struct om_backtest_events *event,
                           size_t events, const struct om_layer *layer)
{
    const unsigned shift = 64 - 2 * (t->zoom + SIDE_LOG);
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *segment = layer->part[p].segment;
        const size_t rows = om_segment_rows(segment);
        const uint64_t *key;
        OM_TRY(om_segment_keys(segment, 0, rows, &key));
        for (size_t row = 0; row < rows; row++)
            if (selected(event, events, layer, p, row))
                OM_TRY(add_event(t, key[row] >> shift));
    }
    return OM_OK;
}

static int by_code(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static om_status find_events(struct test *t,
                             const struct om_backtest_events *event,
                             size_t events)
{
    for (size_t i = 0; i < events; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++) seen |= event[k].layer == event[i].layer;
        if (!seen) OM_TRY(add_layer(t, event, events, event[i].layer));
    }
    if (t->events) qsort(t->event, t->events, sizeof *t->event, by_code);
    return OM_OK;
}

/* ---- the cells --------------------------------------------------------- */

static om_status add_cell(struct test *t, const struct cell *cell)
{
    if (t->cells == t->cell_room) {
        if (t->cells >= OM_BACKTEST_CELLS_MOST) return OM_E_COST;
        const size_t room = t->cell_room ? 2 * t->cell_room : PIXELS;
        struct cell *grown = om_realloc(t->cell, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        t->cell = grown;
        t->cell_room = room;
    }
    t->cell[t->cells++] = *cell;
    return OM_OK;
}

/* First event whose cell is not before `code`. */
static size_t first_event(const struct test *t, uint64_t code)
{
    size_t low = 0, high = t->events;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (t->event[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static om_status take_tile(void *ctx, const struct om_risk_tile *tile)
{
    struct test *t = ctx;
    const struct om_pos corner = {tile->window.x << SIDE_LOG,
                                  tile->window.y << SIDE_LOG};
    const uint64_t base = om_morton(corner);
    size_t at = first_event(t, base);
    for (uint64_t i = 0; i < PIXELS; i++) {
        uint32_t events = 0;
        for (; at < t->events && t->event[at] == base + i; at++) events++;
        const struct om_pos px = om_morton_pos(i);
        const size_t p = (size_t)px.y << SIDE_LOG | px.x;
        const uint64_t bit = UINT64_C(1) << (p % 64);
        const double km2 = tile->km2[px.y];
        if (!(tile->place[p / 64] & bit)) {
            if (tile->inside[p / 64] & bit && isnan(tile->value[p]))
                t->out->unknown_km2 += km2;
            continue;
        }
        t->out->area_km2 += km2;
        t->out->events += events;
        const struct cell cell = {
            .value = tile->value[p],
            .exposure = tile->exposure ? tile->exposure[p] : 0.0f,
            .km2 = (float)km2,
            .events = events};
        OM_TRY(add_cell(t, &cell));
    }
    return OM_OK;
}

/* ---- the scores -------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? 1 : -1;
    return 0;
}

static int by_events(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    const double p = (double)x->events / (double)x->km2;
    const double q = (double)y->events / (double)y->km2;
    return p < q ? 1 : p > q ? -1 : 0;
}

/* What the first `area` km2 of the sorted cells hold. */
struct held {
    double events, exposure;
    float from;
};

/* [first, end) are cells alike, which are taken in fair parts. */
static void add_alike(const struct cell *cell, size_t first, size_t end,
                      double *left_km2, struct held *out)
{
    double km2 = 0.0, events = 0.0, exposure = 0.0;
    for (size_t i = first; i < end; i++) {
        km2 += (double)cell[i].km2;
        events += cell[i].events;
        exposure += (double)cell[i].exposure * (double)cell[i].km2;
    }
    const double part = fmin(*left_km2 / km2, 1.0);
    out->events += part * events;
    out->exposure += part * exposure;
    out->from = cell[first].value;
    *left_km2 = part < 1.0 ? 0.0 : *left_km2 - km2;
}

static struct held first_cells(const struct test *t, double km2,
                               int (*order)(const void *, const void *))
{
    struct held held = {0};
    for (size_t i = 0; i < t->cells && km2 > 0.0;) {
        size_t end = i + 1;
        while (end < t->cells && !order(&t->cell[i], &t->cell[end])) end++;
        add_alike(t->cell, i, end, &km2, &held);
        i = end;
    }
    return held;
}

static void score(struct test *t)
{
    struct om_backtest *out = t->out;
    const double n = (double)out->events;
    double exposure = 0.0;
    for (size_t i = 0; i < t->cells; i++)
        exposure += (double)t->cell[i].exposure * (double)t->cell[i].km2;
    qsort(t->cell, t->cells, sizeof *t->cell, by_value);
    for (size_t k = 0; k < OM_BACKTEST_SHARES; k++) {
        struct om_backtest_red *red = &out->red[k];
        red->share = om_backtest_share[k];
        red->area_km2 = red->share * out->area_km2;
        const struct held held = first_cells(t, red->area_km2, by_value);
        red->events = held.events;
        red->hit_rate = held.events / n;
        red->pai = red->hit_rate / red->share;
        red->from = (double)held.from;
        red->exposure_share = exposure > 0.0 ? held.exposure / exposure : NAN;
    }
    qsort(t->cell, t->cells, sizeof *t->cell, by_events);
    for (size_t k = 0; k < OM_BACKTEST_SHARES; k++) {
        struct om_backtest_red *red = &out->red[k];
        const struct held best = first_cells(t, red->area_km2, by_events);
        red->pei = best.events > 0.0 ? red->events / best.events : NAN;
    }
}

/* The side of a cell of average area. */
static double side_m(const struct om_backtest *b)
{
    return b->cells ? 1000.0 * sqrt(b->area_km2 / (double)b->cells) : 0.0;
}

om_status om_backtest_run(struct om_fields *fields, const struct om_risk *risk,
                          const struct om_partition *units, unsigned zoom,
                          const struct om_backtest_events *event, size_t events,
                          struct om_backtest *out)
{
    *out = (struct om_backtest){0};
    if (zoom + SIDE_LOG >= 32) return OM_E_RANGE;
    struct test t = {.zoom = zoom, .out = out};
    om_status st = find_events(&t, event, events);
    if (!st) st = om_risk_sweep(fields, risk, units, zoom, take_tile, &t);
    if (!st && (t.cells == 0 || out->events == 0)) st = OM_E_NOTFOUND;
    if (!st) {
        out->cells = t.cells;
        out->cell_m = side_m(out);
        out->outside = t.events - out->events;
        score(&t);
    }
    om_free(t.event);
    om_free(t.cell);
    return st;
}
