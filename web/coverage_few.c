// coverage_few.c - units with too few to be told of, and windows that may be
// asked for.
#include "web/coverage_few.h"

#include <string.h>

#include "data/base/alloc.h"
#include "engine/coverage/months.h"
#include "engine/policy/small.h"

static void meet(struct om__veil *veil, const struct om_layer *layer,
                 bool *hides)
{
    *hides = true;
    veil->layer = layer;
    if (layer->rights.smallest_count > veil->least)
        veil->least = layer->rights.smallest_count;
}

static bool is_hidden(const struct om_layer *layer, size_t column)
{
    return layer->rights.crowds ||
           (column != OM_NO_FIELD && layer->rights.veiled[column]);
}

struct om__veil om__veil_of(const struct om_duty *duty)
{
    struct om__veil veil = {0};
    const struct om_layer *workers = duty->workers.layer;
    if (workers && workers->rights.crowds) meet(&veil, workers, &veil.persons);
    const struct om_layer *checks = duty->checks.layer;
    if (checks && checks->rights.crowds) meet(&veil, checks, &veil.persons);
    for (size_t t = 0; t < duty->targets; t++) {
        const struct om_layer *layer = duty->target[t].layer;
        if (is_hidden(layer, duty->target[t].level))
            meet(&veil, layer, &veil.levels);
    }
    for (size_t i = 0; i < duty->loads; i++) {
        const struct om_layer *layer = duty->load[i].layer;
        if (is_hidden(layer, duty->load[i].sum))
            meet(&veil, layer, &veil.levels);
    }
    return veil;
}

om_status om__veil_window(struct om_coverage *q, const struct om__veil *veil,
                          int64_t from_s, int64_t to_s, int64_t at_s)
{
    const int32_t zone_s = q->snapshot->manifest->zone_s;
    if (!veil->least) return OM_OK;
    if (om__coverage_text(q, "at"))
        return om__coverage_bad(q, "at", OM_E_FORMAT,
                                "another moment than now is not for this role");
    const bool whole = om_month_of(from_s, zone_s).start_s == from_s &&
                       om_month_of(to_s, zone_s).start_s == to_s;
    if (whole && to_s <= at_s) return OM_OK;
    return om__coverage_bad(q, om__coverage_text(q, "month") ? "month" : "time",
                            OM_E_FORMAT,
                            "this role is told of whole months that are over "
                            "(month=2023-05, time=2023-01/2023-05)");
}

om_status om__veil_level(struct om_coverage *q, const struct om__veil *veil,
                         const char **level)
{
    const struct om_manifest *city = q->snapshot->manifest;
    const char *finest = veil->layer ? veil->layer->rights.smallest_cell : NULL;
    for (size_t l = 0; finest && l < city->levels; l++) {
        if (!strcmp(city->level[l], finest)) return OM_OK;
        if (strcmp(city->level[l], *level) != 0) continue;
        if (!om__coverage_text(q, "by") &&
            om_snapshot_has_level(q->snapshot, finest)) {
            *level = finest;
            return OM_OK;
        }
        q->refused = veil->layer;
        return OM_E_NOTFOUND;
    }
    return OM_OK;
}

/* One level of units, with what lies in each of them. */
struct tier {
    struct om_units own;
    const struct om_units *units;
    const uint64_t *count;  // [units->count + 1]
    uint64_t *own_count;    // the same, NULL: the caller's
    uint32_t *above;        // [units->count], into the next tier
    bool *hidden;           // [units->count + 1]
};

static void close_tiers(struct tier *tier, size_t n)
{
    for (size_t i = 0; tier && i < n; i++) {
        om_free(tier[i].above);
        // The first one's are the caller's.
        if (!i) continue;
        om_free(tier[i].own_count);
        om_free(tier[i].hidden);
        om_units_deinit(&tier[i].own);
    }
    om_free(tier);
}

/* The level above: its units, and what lies in them by those below. */
static om_status open_tier(const struct om_coverage *q, const char *level,
                           struct tier *below, struct tier *out)
{
    struct om_err err;
    OM_TRY(om_units_read(q->snapshot, level, &out->own, &err));
    out->units = &out->own;
    const size_t n = out->units->count, children = below->units->count;
    out->count = out->own_count = om_calloc(n + 1, sizeof *out->own_count);
    out->hidden = om_calloc(n + 1, sizeof *out->hidden);
    below->above = om_calloc(children + 1, sizeof *below->above);
    if (!out->own_count || !out->hidden || !below->above) return OM_E_MEMORY;
    OM_TRY(om_units_parents(below->units, out->units, below->above));
    for (size_t i = 0; i < children; i++)
        out->own_count[below->above[i] < n ? below->above[i] : n] +=
            below->count[i];
    out->own_count[n] += below->count[children];
    return OM_OK;
}

om_status om__veil_units(const struct om_coverage *q,
                         const struct om__veil *veil,
                         const struct om_units *units, const uint64_t *count,
                         bool *hidden)
{
    const struct om_manifest *city = q->snapshot->manifest;
    memset(hidden, 0, (units->count + 1) * sizeof *hidden);
    if (!veil->least) return OM_OK;
    struct tier *tier = om_calloc(city->levels + 1, sizeof *tier);
    if (!tier) return OM_E_MEMORY;
    size_t l = 0, n = 1;
    om_status st = OM_OK;
    tier[0] = (struct tier){.units = units, .count = count, .hidden = hidden};
    while (l < city->levels && strcmp(city->level[l], units->level) != 0) l++;
    for (l++; l < city->levels && !st; l++)
        if (om_snapshot_units(q->snapshot, city->level[l])) {
            st = open_tier(q, city->level[l], &tier[n - 1], &tier[n]);
            n++;
        }
    for (size_t i = n; i-- > 0 && !st;) {
        const struct tier *t = &tier[i], *up = i + 1 < n ? &tier[i + 1] : NULL;
        const size_t all = t->units->count;
        if (!up) {
            om_small_hide(t->count, all + 1, veil->least, t->hidden);
            continue;
        }
        om_small_hide_level(t->count, NULL, t->above, all, up->hidden,
                            up->units->count, veil->least, t->hidden);
        t->hidden[all] = true;
    }
    close_tiers(tier, n);
    return st;
}
