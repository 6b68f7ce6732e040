// heat_view.c - a heat map made ready.
#include "web/heat_view.h"

#include <math.h>

#include "engine/policy/policy.h"

void om_heat_view_deinit(struct om_heat_view *view)
{
    om_risk_bound_free(view->bound);
    om_risk_spread_free(view->spread);
    *view = (struct om_heat_view){0};
}

/* The whole that a view is a part of, ready. */
static om_status bind_whole(const struct om_heat_world *w,
                            const struct om_snapshot *snapshot,
                            const struct om_risk_bound *bound, bool at,
                            struct om_risk_bound **out, struct om_err *err)
{
    OM_TRY(om_risk_bind_whole(snapshot, bound, at, out, err));
    const om_status st = om_risk_ready(*out, w->selections, w->fields);
    if (!st) return OM_OK;
    om_risk_bound_free(*out);
    *out = NULL;
    return st;
}

static bool is_personal(const struct om_manifest *city,
                        const struct om_layer *layer, size_t column)
{
    return column != OM_NO_FIELD &&
           om_column_personal(city, layer->name,
                              layer->schema.field[column].name);
}

/* Does a part of a map add up persons, or what is about them? */
static bool is_of_persons(const struct om_manifest *city,
                          const struct om_risk_part *part,
                          const struct om_risk_rows *rows)
{
    const struct om_layer *layer = part->spec.layer;
    const struct om_weighting *weight = &part->spec.weight;
    const char *const *name = NULL;
    const size_t columns =
        rows->filter ? om_filter_columns(rows->filter, &name) : 0;
    bool any =
        om_layer_personal(city, layer->name) ||
        is_personal(city, layer, weight->column) ||
        (weight->table && is_personal(city, layer, weight->table->column));
    for (size_t i = 0; i < columns && !any; i++)
        any = om_column_personal(city, layer->name, name[i]);
    return any;
}

/* What a bound that is ready leaves of the whole at the same moment; 0:
 * nothing, or of nothing. */
static om_status find_share(const struct om_heat_world *w,
                            const struct om_risk_bound *bound,
                            const struct om_risk_totals *totals, double *out,
                            struct om_err *err)
{
    struct om_risk_bound *whole = NULL;
    struct om_risk_totals all;
    *out = 0.0;
    OM_TRY(bind_whole(w, w->snapshot, bound, true, &whole, err));
    const om_status st = om_risk_totals(w->fields, &whole->risk, &all);
    om_risk_bound_free(whole);
    if (st) return st;
    const bool relative = bound->risk.exposures > 0;
    const double part = relative ? totals->mean : totals->numerator;
    const double of = relative ? all.mean : all.numerator;
    if (part > 0.0 && of > 0.0) *out = part / of;
    return OM_OK;
}

/* May the largest value of what a filter leaves be looked for? Rates have a
 * legend of ratios; of persons it would be somebody's. */
static bool has_focus(const struct om_snapshot *snapshot,
                      const struct om_risk_bound *bound)
{
    return bound->ask.filter && *bound->ask.filter &&
           bound->risk.exposures == 0 && bound->risk.terms == 1 &&
           !is_of_persons(snapshot->manifest, &bound->risk.term[0],
                          &bound->term[0]);
}

/* How many times denser the densest place of what a filter leaves is than the
 * legend would have it by the share of the weight; 1: it is not looked for. */
static om_status find_focus(const struct om_heat_world *w,
                            const struct om_risk_bound *bound, double most,
                            double *out, struct om_err *err)
{
    struct om_risk_bound *part = NULL;
    struct om_risk_totals totals;
    struct om_legend_data own = {0};
    double share = 0.0;
    *out = 1.0;
    if (!has_focus(w->snapshot, bound)) return OM_OK;
    OM_TRY(om_risk_bind_filtered(w->snapshot, bound, &part, err));
    om_status st = om_risk_ready(part, w->selections, w->fields);
    if (!st) st = om_risk_totals(w->fields, &part->risk, &totals);
    if (!st) st = find_share(w, part, &totals, &share, err);
    if (!st) st = om_legend_own(w->snapshot, w->fields, w->region, part, &own);
    om_risk_bound_free(part);
    if (!st && share > 0.0 && most > 0.0 && own.most > 0.0)
        *out = own.most / (most * share);
    return st;
}

/* Share and focus of what it is compared with. */
static om_status find_other(const struct om_heat_world *w,
                            const struct om_heat_view *view, double *share,
                            double *focus, struct om_err *err)
{
    struct om_risk_bound *other = NULL;
    struct om_risk_totals totals;
    OM_TRY(om_risk_bind_other(w->snapshot, view->bound, &other, NULL, err));
    om_status st = om_risk_ready(other, w->selections, w->fields);
    if (!st) st = om_risk_totals(w->fields, &other->risk, &totals);
    if (!st) st = find_share(w, other, &totals, share, err);
    if (!st) st = find_focus(w, other, view->figures.legend.most, focus, err);
    om_risk_bound_free(other);
    return st;
}

/* Of two that are compared the mean of what both leave, and the larger focus:
 * both then have the same steps. A side that has nothing says nothing. */
static om_status find_scale(const struct om_heat_world *w,
                            struct om_heat_view *view, struct om_err *err)
{
    struct om_heat_figures *f = &view->figures;
    double share = 0.0, other = 0.0, focus = 1.0;
    f->scale = f->focus = 1.0;
    if (!view->bound->filtered) return OM_OK;
    OM_TRY(find_share(w, view->bound, &view->totals, &share, err));
    OM_TRY(find_focus(w, view->bound, f->legend.most, &f->focus, err));
    if (view->bound->compared) {
        OM_TRY(find_other(w, view, &other, &focus, err));
        if (share > 0.0 && other > 0.0)
            share = (share + other) / 2.0;
        else
            share = fmax(share, other);
        f->focus = fmax(f->focus, focus);
    }
    f->scale = (share > 0.0 ? share : 1.0) * f->focus;
    return OM_OK;
}

/* The colours of a map mean the same to all, unless its largest value is
 * somebody's elsewhere: who sees the persons of an area has a legend of these.
 * Rates with a floor of many everybody is told. */
static bool needs_own(const struct om_snapshot *snapshot,
                      const struct om_risk_bound *bound)
{
    const struct om_manifest *city = snapshot->manifest;
    const struct om_risk *risk = &bound->risk;
    bool area = false, persons = false;
    for (size_t i = 0; i < risk->terms; i++) {
        const struct om_layer_rights *rights =
            &risk->term[i].spec.layer->rights;
        area = area || rights->area;
        persons =
            persons || is_of_persons(city, &risk->term[i], &bound->term[i]);
    }
    return area && persons;
}

static om_status find_legend(const struct om_heat_world *w,
                             struct om_heat_view *view, struct om_err *err)
{
    struct om_risk_bound *whole = NULL;
    const struct om_risk_bound *bound = view->bound;
    if (needs_own(w->snapshot, bound)) {
        if (bound->filtered || bound->ask.at)
            OM_TRY(bind_whole(w, w->snapshot, bound, false, &whole, err));
        const om_status made =
            om_legend_own(w->snapshot, w->fields, w->region,
                          whole ? whole : bound, &view->figures.legend);
        om_risk_bound_free(whole);
        return made;
    }
    // A colour means the same to all, and what is kept is of all.
    const bool part = w->whole && w->snapshot->rights;
    const struct om_snapshot *of = part ? w->whole : w->snapshot;
    if (bound->filtered || bound->ask.at || part)
        OM_TRY(bind_whole(w, of, bound, false, &whole, err));
    const om_status st =
        om_legends_get(w->legends, of, w->fields, w->region,
                       whole ? whole : bound, w->epoch, &view->figures.legend);
    om_risk_bound_free(whole);
    return st;
}

static om_status find_figures(const struct om_heat_world *world,
                              struct om_heat_view *view, struct om_err *err)
{
    view->figures.mean = view->bound->risk.mean;
    OM_TRY(find_legend(world, view, err));
    return find_scale(world, view, err);
}

om_status om_heat_view_init(const struct om_heat_world *world,
                            struct om_risk_bound *take,
                            const struct om_heat_figures *known,
                            struct om_heat_view *out, struct om_err *err)
{
    *out = (struct om_heat_view){.bound = take};
    om_status st = om_risk_ready(take, world->selections, world->fields);
    if (known) {
        out->figures = *known;
        take->risk.mean = known->mean;
    }
    if (!st) st = om_risk_totals(world->fields, &take->risk, &out->totals);
    if (!st && !known) st = find_figures(world, out, err);
    for (int p = OM_PALETTE_DARK; !st && p <= OM_PALETTE_LIGHT; p++)
        om_legend_paint(&out->figures.legend, out->figures.scale,
                        (enum om_palette)p, &out->painted[p]);
    if (st) om_heat_view_deinit(out);
    return st;
}

om_status om_heat_view_spread(const struct om_heat_world *world,
                              const struct om_heat_view *view,
                              struct om_risk_spread **out)
{
    const struct om_risk *risk = &view->bound->risk;
    return om_risk_spread_new(world->fields, risk, world->region,
                              om_risk_zoom(risk, 0.0), out);
}
