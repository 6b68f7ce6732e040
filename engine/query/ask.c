// ask.c - from a question to the rows of each part; what all answers share.
#include <math.h>
#include <stdlib.h>

#include "data/base/alloc.h"
#include "engine/query/ask_internal.h"

om_status om_place_box(double west_deg, double south_deg, double east_deg,
                       double north_deg, struct om_place *out)
{
    if (!isfinite(west_deg) || !isfinite(south_deg) || !isfinite(east_deg) ||
        !isfinite(north_deg) || fabs(west_deg) > 180 || fabs(east_deg) > 180 ||
        fabs(south_deg) > 90 || fabs(north_deg) > 90)
        return OM_E_COORD;
    if (west_deg > east_deg || south_deg > north_deg) return OM_E_RANGE;
    // The square ends where mercator's y equals its x.
    const double end_deg = atan(sinh(OM_PI)) * OM_DEG_PER_RAD - 1e-10;
    struct om_pos nw, se;
    OM_TRY(om_pos_from_lonlat(west_deg,
                              fmin(fmax(north_deg, -end_deg), end_deg), &nw));
    OM_TRY(om_pos_from_lonlat(east_deg,
                              fmin(fmax(south_deg, -end_deg), end_deg), &se));
    *out = (struct om_place){.kind = OM_PLACE_BOX,
                             .box = {nw.x, nw.y, se.x, se.y}};
    return OM_OK;
}

om_status om__ask_init(struct om__ask *ask, const struct om_query *query)
{
    *ask = (struct om__ask){.query = query, .layer = query->layer};
    om_status st = OM_OK;
    if (query->filter || query->window.set || query->layer->rights.area)
        st = om_select(query->cache, query->layer, query->filter, query->window,
                       &ask->selection);
    if (st) goto done;
    if (query->place.kind == OM_PLACE_NEAREST) {
        st = om__nearest_find(&query->place, query->layer, ask->selection,
                              &ask->nearest);
    } else {
        st = om__area_init(&ask->area, &query->place,
                           query->layer->schema.geometry);
        ask->has_area = st == OM_OK;
    }
done:
    if (st) om__ask_deinit(ask);
    return st;
}

void om__ask_deinit(struct om__ask *ask)
{
    om_selection_unref(ask->selection);
    if (ask->has_area) om__area_deinit(&ask->area);
    om__nearest_deinit(&ask->nearest);
    *ask = (struct om__ask){0};
}

static int by_row(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static om_status nearest_spans(const struct om__nearest *nearest, size_t part,
                               struct om__spans *out)
{
    uint32_t *row = om_alloc_array(nearest->count + 1, sizeof *row);
    if (!row) return OM_E_MEMORY;
    size_t rows = 0;
    for (size_t i = 0; i < nearest->count; i++)
        if (nearest->hit[i].part == part)
            row[rows++] = (uint32_t)nearest->hit[i].row;
    qsort(row, rows, sizeof *row, by_row);
    om_status st = OM_OK;
    for (size_t i = 0; i < rows && !st; i++)
        st = om__spans_add(out, row[i], row[i] + 1);
    om_free(row);
    return st;
}

om_status om__ask_spans(const struct om__ask *ask, size_t part,
                        struct om__spans *out)
{
    if (!ask->has_area) return nearest_spans(&ask->nearest, part, out);
    struct om__chosen chosen;
    om__chosen_init(&chosen, ask->selection, ask->layer, part);
    struct om__take take = {.chosen = &chosen, .list = out};
    return om__area_find(&ask->area, &ask->layer->part[part], &take);
}

om_status om__ask_count(const struct om__ask *ask, size_t part, uint64_t *out)
{
    *out = 0;
    if (!ask->has_area) {
        for (size_t i = 0; i < ask->nearest.count; i++)
            *out += ask->nearest.hit[i].part == part;
        return OM_OK;
    }
    struct om__chosen chosen;
    om__chosen_init(&chosen, ask->selection, ask->layer, part);
    struct om__take take = {.chosen = &chosen};
    OM_TRY(om__area_find(&ask->area, &ask->layer->part[part], &take));
    *out = take.count;
    return OM_OK;
}

/* How far from 0 a value may be. */
static om_wide most_of(const struct om_column *c, size_t rows)
{
    om_wide most = 0;
    if (c->width <= 4)
        return (c->base < 0 ? -(om_wide)c->base : c->base) +
               ((om_wide)1 << (8 * c->width));
    for (size_t i = 0; i * OM_BLOCK_ROWS < rows; i++) {
        const om_wide low = c->block_min[i], high = c->block_max[i];
        if (low > high) continue;
        if (-low > most) most = -low;
        if (high > most) most = high;
    }
    return most;
}

bool om_sums_fit(const struct om_column *column, size_t rows)
{
    return column->coding == OM_CODING_INTEGER &&
           most_of(column, rows) * (om_wide)rows <= INT64_MAX;
}
