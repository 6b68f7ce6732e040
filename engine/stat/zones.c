// zones.c - units or cells, by one name.
#include "engine/stat/zones.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/stat/near.h"

void om_zones_deinit(struct om_zones *areas)
{
    om_units_deinit(&areas->units);
    om_tiling_deinit(&areas->tiling);
    om_free(areas->x);
    om_free(areas->y);
    om_free(areas->km2);
    *areas = (struct om_zones){0};
}

/* "NAME:NUMBER" with a finite number and nothing behind it. */
static bool read_measure(const char *text, const char *name, double *out)
{
    const size_t len = strlen(name);
    char *end;
    if (strncmp(text, name, len) != 0 || text[len] != ':') return false;
    *out = strtod(text + len + 1, &end);
    if (end == text + len + 1 || *end) *out = NAN;
    return true;
}

/* Ground area of a cell with its middle at row y. */
static double cell_km2(const struct om_tiling *t, double y)
{
    const double side_km = t->side * om_world_ground_m(y) / 1000.0;
    const double square = side_km * side_km;
    return t->shape == OM_SHAPE_SQUARE ? square : square * sqrt(3.0) / 2;
}

static om_status find_middles(struct om_zones *a)
{
    a->x = om_alloc_array(a->count + 1, sizeof *a->x);
    a->y = om_alloc_array(a->count + 1, sizeof *a->y);
    a->km2 = om_alloc_array(a->count + 1, sizeof *a->km2);
    if (!a->x || !a->y || !a->km2) return OM_E_MEMORY;
    for (size_t i = 0; i < a->count; i++) {
        if (a->tiled) {
            int64_t col, row;
            om_tiling_place(&a->tiling, i, &col, &row);
            om_tiling_middle(&a->tiling, col, row, &a->x[i], &a->y[i]);
            a->km2[i] = cell_km2(&a->tiling, a->y[i]);
        } else {
            a->x[i] = a->units.unit[i].x;
            a->y[i] = a->units.unit[i].y;
            a->km2[i] = a->units.unit[i].area_km2;
        }
    }
    return OM_OK;
}

/* The units of a level that has a layer, or none. */
static om_status read_level(const struct om_snapshot *snapshot,
                            const char *level, struct om_units *out,
                            struct om_err *err)
{
    *out = (struct om_units){0};
    return om_snapshot_units(snapshot, level) ||
                   om_snapshot_lacks(snapshot, level, NULL) == OM_E_WITHHELD
               ? om_units_read(snapshot, level, out, err)
               : OM_OK;
}

static om_status tile(const struct om_snapshot *snapshot,
                      enum om_tile_shape shape, double size_m,
                      const struct om_layer *layer, struct om_zones *a,
                      struct om_err *err)
{
    const struct om_manifest *m = snapshot->manifest;
    struct om_units coarse = {0};
    om_status st = OM_OK;
    a->tiled = true;
    for (size_t i = m->levels; i > 0 && !coarse.count && !st; i--)
        st = read_level(snapshot, m->level[i - 1], &coarse, err);
    for (size_t i = 0; i < m->levels && !a->units.count && !st; i++)
        st = read_level(snapshot, m->level[i], &a->units, err);
    if (!st)
        st = coarse.count
                 ? om_tiling_of_units(shape, size_m, &coarse, &a->tiling)
                 : om_tiling_of_box(shape, size_m, om_layer_box(layer),
                                    &a->tiling);
    a->count = a->tiling.count;
    om_units_deinit(&coarse);
    return st;
}

om_status om_zones_read(const struct om_snapshot *snapshot, const char *text,
                        const struct om_layer *layer, struct om_zones *out,
                        struct om_err *err)
{
    struct om_zones a = {0};
    double size_m = 0;
    om_status st;
    *out = a;
    const bool hexagon = read_measure(text, "hex", &size_m);
    if (hexagon || read_measure(text, "square", &size_m)) {
        st = tile(snapshot, hexagon ? OM_SHAPE_HEXAGON : OM_SHAPE_SQUARE,
                  size_m, layer, &a, err);
        if (st == OM_E_RANGE)
            om_fail(err, st, 0, "'%.40s' is not a size from %g to %g metres",
                    text, OM_TILING_SIZE_LEAST_M, OM_TILING_SIZE_MOST_M);
        if (st == OM_E_COST)
            om_fail(err, st, 0,
                    "%.40s makes more than %zu cells over the city; take "
                    "larger ones",
                    text, OM_TILING_CELLS_MOST);
    } else {
        st = om_units_read(snapshot, text, &a.units, err);
        a.count = a.units.count;
    }
    if (!st) st = find_middles(&a);
    if (st)
        om_zones_deinit(&a);
    else
        *out = a;
    return st;
}

om_status om_zones_rows(const struct om_zones *areas,
                        const struct om_layer *layer, size_t part,
                        struct om_arena *arena, struct om_zone_rows *out)
{
    *out = (struct om_zone_rows){.areas = areas};
    const struct om_segment *segment = layer->part[part].segment;
    if (areas->tiled)
        return om_segment_keys(segment, 0, om_segment_rows(segment), &out->key);
    return om_units_rows(&areas->units, layer, part, arena, &out->unit);
}

om_status om_near_spec_read(const char *text, struct om_near_spec *out,
                            struct om_err *err)
{
    double number = 0;
    *out = (struct om_near_spec){0};
    if (!strcmp(text, "contiguity") || !strcmp(text, "queen")) return OM_OK;
    if (!strcmp(text, "rook")) {
        out->touch = OM_TOUCH_SIDE;
        return OM_OK;
    }
    if (read_measure(text, "band", &number)) {
        out->kind = OM_NEAR_BAND;
        out->radius_m = number;
        if (number > 0 && number <= OM_NEAR_RADIUS_MOST_M) return OM_OK;
        return om_fail(err, OM_E_RANGE, 0,
                       "'%.40s' is not band:M with metres from above 0 to %g",
                       text, OM_NEAR_RADIUS_MOST_M);
    }
    if (read_measure(text, "nearest", &number)) {
        out->kind = OM_NEAR_NEAREST;
        if (number >= 1 && number <= 1e6 && number == floor(number)) {
            out->k = (size_t)number;
            return OM_OK;
        }
        return om_fail(err, OM_E_RANGE, 0,
                       "'%.40s' is not nearest:K with a whole number from 1 "
                       "to 1000000",
                       text);
    }
    return om_fail(err, OM_E_FORMAT, 0,
                   "'%.40s' is not contiguity, rook, band:M or nearest:K",
                   text);
}

om_status om_zones_graph(const struct om_zones *areas,
                         const struct om_near_spec *spec, struct om_graph *out)
{
    const struct om_centres places = {areas->count, areas->x, areas->y};
    if (spec->kind == OM_NEAR_BAND)
        return om_graph_band(&places, spec->radius_m, out);
    if (spec->kind == OM_NEAR_NEAREST)
        return om_graph_nearest(&places, spec->k, out);
    return areas->tiled ? om_graph_tiling(&areas->tiling, spec->touch, out)
                        : om_graph_touching(&areas->units, spec->touch, out);
}
