// hotspots_places.c - what areas are called, and what they lie in.
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/shape/shape.h"
#include "web/hotspots_internal.h"

void om__parents_deinit(struct om__parents *p)
{
    for (size_t k = 0; k < p->levels; k++) {
        om_units_deinit(&p->unit[k]);
        om_free(p->parent[k]);
    }
    *p = (struct om__parents){0};
}

/* The unit of `upper` that holds each place. */
static om_status find_holders(const struct om_units *upper, const double *x,
                              const double *y, size_t n, uint32_t *parent)
{
    struct om_partition *partition = NULL;
    uint32_t *unit_of = om_alloc_array(upper->rings.count + 1, sizeof *unit_of);
    om_status st =
        unit_of ? om_partition_new(&upper->rings, &partition) : OM_E_MEMORY;
    for (size_t r = 0; r < upper->rings.count && !st; r++)
        unit_of[r] = OM_NO_UNIT;
    for (size_t i = 0; i < upper->count && !st; i++)
        unit_of[upper->unit[i].row] = (uint32_t)i;
    for (size_t i = 0; i < n && !st; i++) {
        const struct om_pos pos = {(uint32_t)x[i], (uint32_t)y[i]};
        const uint32_t row = om_partition_find(partition, pos);
        parent[i] = row == OM_NO_UNIT ? OM_NO_UNIT : unit_of[row];
    }
    om_partition_free(partition);
    om_free(unit_of);
    return st;
}

static om_status find_level(const struct om__hotspots *h, const char *level,
                            const double *x, const double *y, size_t n,
                            bool all, struct om__parents *p)
{
    if (!om_snapshot_units(h->q->snapshot, level)) return OM_OK;
    const size_t k = p->levels++;
    p->parent[k] = om_alloc_array(n + 1, sizeof *p->parent[k]);
    if (!p->parent[k]) return OM_E_MEMORY;
    OM_TRY(om_units_read(h->q->snapshot, level, &p->unit[k], &h->q->err));
    return all ? find_holders(&p->unit[k], x, y, n, p->parent[k])
               : om_units_parents(&h->zones.units, &p->unit[k], p->parent[k]);
}

om_status om__parents_find(const struct om__hotspots *h, const double *x,
                           const double *y, size_t n, bool all,
                           struct om__parents *out)
{
    *out = (struct om__parents){0};
    om_status st = OM_OK;
    bool above = all;
    for (size_t i = 0; i < h->city->levels && !st; i++) {
        if (above && out->levels < OM__LEVELS_MOST)
            st = find_level(h, h->city->level[i], x, y, n, all, out);
        above |= !strcmp(h->city->level[i], h->units ? h->units : "");
    }
    return st;
}

const char *om__parent_name(const struct om__parents *p, size_t k, size_t i)
{
    const uint32_t at = p->parent[k][i];
    if (at == OM_NO_UNIT) return NULL;
    const struct om_unit *unit = &p->unit[k].unit[at];
    return *unit->name ? unit->name : unit->id;
}

const char *om__area_id(const struct om__hotspots *h, size_t area, char *text)
{
    if (!h->zones.tiled) return h->zones.units.unit[area].id;
    const struct om_tiling *t = &h->zones.tiling;
    int64_t col, row;
    om_tiling_place(t, area, &col, &row);
    snprintf(text, OM__AREA_TEXT, "%s%g-%lld-%lld",
             t->shape == OM_SHAPE_HEXAGON ? "hex" : "square", t->size_m,
             (long long)col, (long long)row);
    return text;
}

const char *om__area_name(const struct om__hotspots *h, size_t area, char *text)
{
    if (!h->zones.tiled) return h->zones.units.unit[area].name;
    double lon_deg, lat_deg;
    om_world_to_lonlat(h->zones.x[area], h->zones.y[area], &lon_deg, &lat_deg);
    snprintf(text, OM__AREA_TEXT, "%.5f,%.5f", lon_deg, lat_deg);
    return text;
}
