/* stats_rates.c - shares and rates of groups, and how sure they are.
 *
 * DESIGN
 * A ranking by counts ranks by where people live. So /stats can say of each
 * group which part of its rows matches a second filter (Wilson's interval) and
 * how many rows there are for each of what is exposed there (Garwood's): two
 * more groupings by the same column, met by id. Less exposed than the city's
 * floor is unknown: null, never a rate of a handful.
 */
#include "web/server/stats_rates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/stat/interval.h"
#include "web/crowds.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/rights.h"

bool om__stats_rates_asked(const struct om__request *r)
{
    return om__param_text(r, "share") || om__param_text(r, "per");
}

/* filter AND share, as one filter. */
static om_status read_both(struct om__request *r, const char *share,
                           struct om_filter **out)
{
    const char *filter = om__param_text(r, "filter");
    struct om_buf text = {0};
    if (filter && *filter)
        om_buf_addf(&text, "(%s) AND (%s)", filter, share);
    else
        om_buf_add_text(&text, share);
    om_status st = text.status;
    // Alone first: what is wrong is told where it stands in the parameter.
    if (!st)
        st = om_filter_parse(share, strlen(share), r->layer,
                             r->snapshot->manifest->zone_s, out, &r->err);
    if (!st && filter && *filter) {
        om_filter_free(*out);
        st = om_filter_parse((const char *)text.bytes, text.len, r->layer,
                             r->snapshot->manifest->zone_s, out, &r->err);
    }
    om_buf_deinit(&text);
    if (!st) return OM_OK;
    r->parameter = "share";
    return st == OM_E_NOTFOUND ? OM_E_FORMAT : st;
}

static om_status read_share(struct om__request *r, const struct om_query *query,
                            size_t by, struct om__stats_rates *out)
{
    const char *share = om__param_text(r, "share");
    if (!share) return OM_OK;
    out->share = true;
    OM_TRY(read_both(r, share, &out->both));
    struct om_query q = *query;
    q.filter = out->both;
    OM_TRY(om_query_count(&q, &out->hits_all));
    if (by == OM_NO_FIELD) return OM_OK;
    return om_query_group(&q, by, OM_STEP_NONE, 0, OM_NO_FIELD, &out->hits);
}

static om_status no_such_exposure(struct om__request *r,
                                  const struct om_exposures *e,
                                  const char *name)
{
    char known[OM_ERR_TEXT_BYTES / 2] = "";
    for (size_t i = 0; i < e->count; i++) {
        const size_t len = strlen(known);
        if (!om_snapshot_has_layer(r->snapshot, e->exposure[i].layer)) continue;
        snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "",
                 e->exposure[i].name);
    }
    return om__param_bad(r, "per", OM_E_FORMAT,
                         "'%.40s' is nothing that city.json says is exposed: "
                         "%s",
                         name, *known ? known : "it says nothing");
}

/* Is a level one that persons of the layer may be counted by? */
static bool is_coarse(const struct om__request *r, const struct om_layer *layer,
                      const char *level)
{
    const char *finest = layer->rights.smallest_cell;
    const struct om_manifest *city = r->snapshot->manifest;
    bool coarse = !finest;
    for (size_t l = 0; l < city->levels; l++) {
        coarse = coarse || !strcmp(city->level[l], finest);
        if (!strcmp(city->level[l], level)) return coarse;
    }
    return false;
}

/* Persons are added up over units, or the whole city; and of those units that
 * have many: the same ones as where the sums are asked for themselves. */
static om_status find_few(struct om__request *r, const struct om_query *ask,
                          size_t weight, const char *level,
                          struct om__stats_rates *out)
{
    // Nor by periods: what is exposed then is not what lives there.
    if (ask->place.kind != OM_PLACE_ALL || ask->window.set)
        return om__rows_refused(r, "rates so chosen");
    if (!level) return OM_OK;
    if (!is_coarse(r, ask->layer, level))
        return om__rows_refused(r, "rates by such a column");
    const struct om_query all = {.snapshot = ask->snapshot,
                                 .layer = ask->layer,
                                 .cache = ask->cache,
                                 .filter = ask->filter};
    const uint64_t least = ask->layer->rights.smallest_count;
    return om_small_sums_make(&all, weight, level, least, &out->few, &r->err);
}

/* What is exposed is persons' doing: whole months, rounded (web/crowds.h). */
static om_status cover_crowds(struct om__request *r,
                              const struct om_layer *layer,
                              struct om__stats_rates *out, struct om_query *ask)
{
    const struct om_window asked = ask->window;
    const char *by = om__param_text(r, "by");
    if (!om__crowds_only(r, layer)) return OM_OK;
    if (ask->place.kind != OM_PLACE_ALL ||
        (by && (om_layer_unit_field(layer, by) == OM_NO_FIELD ||
                om__crowd_too_fine(r, layer, by))))
        return om__rows_refused(r, "counts so chosen");
    out->least = layer->rights.smallest_count;
    if (asked.set) om__needs_beat(r);  // up to now
    om_crowd_cover(&asked, r->now_s, r->snapshot->manifest->zone_s,
                   &ask->window, &out->part);
    if (!by || !layer->rights.doers) return OM_OK;
    // Of units in which few did it nothing is told: the same as of counts.
    out->doers = true;
    return om_small_units_make(ask, by, out->least, &out->few, &r->err);
}

/* What is exposed, as a question of its own. */
static om_status ask_exposed(struct om__request *r,
                             const struct om_query *query,
                             struct om__stats_rates *out, struct om_query *ask,
                             size_t *weight)
{
    const struct om_exposure *e = out->exposure;
    const struct om_layer *layer = om_snapshot_layer(r->snapshot, e->layer);
    if (!layer) return om_snapshot_lacks(r->snapshot, e->layer, &r->err);
    if (om__crowds_only(r, layer) && e->weight)
        return om__rows_allowed(r, layer);
    om__needs_layer(r, layer->name, OM__EVERYWHERE);
    *weight = e->weight ? om_small_weight(layer, e->weight, &out->crowds)
                        : OM_NO_FIELD;
    if (out->crowds) layer = om_layer_open(layer);
    if (om__param_text(r, "by"))
        layer = om_layer_by(r->snapshot, layer, om__param_text(r, "by"));
    *ask = *query;
    ask->layer = layer;
    if (!e->windowed || layer->schema.time_field == OM_NO_FIELD)
        ask->window = (struct om_window){0};
    OM_TRY(cover_crowds(r, layer, out, ask));
    if (e->filter) {
        const om_status st = om_filter_parse(
            e->filter, strlen(e->filter), layer, r->snapshot->manifest->zone_s,
            &out->exposed_filter, &r->err);
        if (st) return OM_E_INTERNAL;  // the city's own, not the client's
    }
    ask->filter = out->exposed_filter;
    if (e->weight && *weight == OM_NO_FIELD)
        return om__param_bad(r, "per", OM_E_FORMAT, "%.60s has no column %.60s",
                             layer->name, e->weight);
    out->weighted = *weight != OM_NO_FIELD;
    out->real =
        out->weighted && layer->schema.field[*weight].type == OM_TYPE_REAL;
    return OM_OK;
}

static double told(const struct om__stats_rates *rates, double exposed)
{
    return rates->least ? om_crowd_round(exposed, rates->least) * rates->part
                        : exposed;
}

static om_status count_exposed(const struct om_query *ask, size_t weight,
                               struct om__stats_rates *out)
{
    uint64_t count = 0;
    om_wide sum = 0;
    double real = 0;
    if (!out->weighted) {
        OM_TRY(om_query_count(ask, &count));
        out->exposed_all = told(out, (double)count);
        return OM_OK;
    }
    OM_TRY(om_query_sum(ask, weight, &sum, &real));
    out->exposed_all = out->real ? real : (double)sum;
    return OM_OK;
}

static om_status read_per(struct om__request *r, const struct om_query *query,
                          size_t by, struct om__stats_rates *out)
{
    const char *per = om__param_text(r, "per");
    struct om_query ask;
    size_t weight;
    if (!per) return OM_OK;
    out->per = true;
    OM_TRY(om_exposures_read(r->snapshot->manifest, &out->exposures, &r->err));
    out->exposure = om_exposures_find(&out->exposures, per);
    // Nor is what has a layer that is not there for who asks.
    if (!out->exposure ||
        !om_snapshot_has_layer(r->snapshot, out->exposure->layer))
        return no_such_exposure(r, &out->exposures, per);
    out->scale = out->exposure->scale;
    const char *name =
        by == OM_NO_FIELD ? NULL : r->layer->schema.field[by].name;
    OM_TRY(ask_exposed(r, query, out, &ask, &weight));
    if (out->crowds) OM_TRY(find_few(r, &ask, weight, name, out));
    OM_TRY(count_exposed(&ask, weight, out));
    if (!name) return OM_OK;
    const size_t same = om_schema_find(&ask.layer->schema, name);
    if (same == OM_NO_FIELD)
        return om__param_bad(r, "per", OM_E_TYPE,
                             "%.60s has no column %.60s to group it by",
                             ask.layer->name, name);
    return om_query_group(&ask, same, OM_STEP_NONE, 0, weight, &out->exposed);
}

om_status om__stats_rates_read(struct om__request *r,
                               const struct om_query *query, size_t by,
                               enum om_step step, struct om__stats_rates *out)
{
    *out = (struct om__stats_rates){0};
    if (!om__stats_rates_asked(r)) return OM_OK;
    if (step != OM_STEP_NONE)
        return om__param_bad(r, "by", OM_E_UNSUPPORTED,
                             "shares and rates are by units and columns, not "
                             "by steps of time");
    OM_TRY(read_share(r, query, by, out));
    return read_per(r, query, by, out);
}

void om__stats_rates_deinit(struct om__stats_rates *rates)
{
    om_groups_deinit(&rates->hits);
    om_groups_deinit(&rates->exposed);
    om_filter_free(rates->both);
    om_filter_free(rates->exposed_filter);
    om_exposures_deinit(&rates->exposures);
    om_small_units_deinit(&rates->few);
    *rates = (struct om__stats_rates){0};
}

static void add_real(struct om_buf *out, const char *name, double value)
{
    om_buf_addf(out, ",\"%s\":", name);
    if (isfinite(value))
        om_buf_add_json_real(out, value);
    else
        om_buf_add_text(out, "null");
}

static void add_share(uint64_t hits, uint64_t count, struct om_buf *out)
{
    const struct om_bounds sure = om_interval_share(hits, count);
    om_buf_addf(out, ",\"share_count\":%llu", (unsigned long long)hits);
    add_real(out, "share", count ? (double)hits / (double)count : NAN);
    add_real(out, "share_low", sure.low);
    add_real(out, "share_high", sure.high);
}

static void add_rate(const struct om__stats_rates *rates, uint64_t count,
                     double exposed, struct om_buf *out)
{
    const struct om_bounds sure = om_interval_count(count);
    const bool known = exposed > 0 && exposed >= fmax(rates->exposure->floor,
                                                      (double)rates->least);
    const double each = known ? rates->scale / exposed : NAN;
    add_real(out, "exposure", exposed);
    add_real(out, "rate", (double)count * each);
    add_real(out, "rate_low", sure.low * each);
    add_real(out, "rate_high", sure.high * each);
}

void om__stats_rates_add_all(const struct om__stats_rates *rates,
                             uint64_t count, struct om_buf *out)
{
    if (rates->share || rates->per) om_buf_add_text(out, ",\"confidence\":95");
    if (rates->share) add_share(rates->hits_all, count, out);
    if (!rates->per) return;
    const struct om_exposure *e = rates->exposure;
    om_buf_add_text(out, ",\"per\":");
    om_buf_add_json_text(out, e->name, strlen(e->name));
    add_real(out, "scale", rates->scale);
    add_real(out, "floor", e->floor);
    if (e->unit) {
        om_buf_add_text(out, ",\"unit\":");
        om_buf_add_json_text(out, e->unit, strlen(e->unit));
    }
    if (e->unit_en) {
        om_buf_add_text(out, ",\"unit_en\":");
        om_buf_add_json_text(out, e->unit_en, strlen(e->unit_en));
    }
    add_rate(rates, count, rates->exposed_all, out);
}

static int compare(const struct om_group *a, const struct om_group *b)
{
    if (a->null || b->null) return (int)a->null - (int)b->null;
    const int c = memcmp(a->id, b->id, a->len < b->len ? a->len : b->len);
    return c ? c : (a->len > b->len) - (a->len < b->len);
}

/* The group of the same id, or NULL. They are in order, NULL last. */
static const struct om_group *find(const struct om_groups *groups,
                                   const struct om_group *like)
{
    size_t low = 0, high = groups->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int c = compare(&groups->group[middle], like);
        if (!c) return &groups->group[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void om__stats_rates_add(const struct om__stats_rates *rates,
                         const struct om_group *group, struct om_buf *out)
{
    if (rates->share) {
        const struct om_group *hits = find(&rates->hits, group);
        add_share(hits ? hits->count : 0, group->count, out);
    }
    if (!rates->per) return;
    const struct om_group *e = find(&rates->exposed, group);
    const double exposed = !e                 ? 0
                           : !rates->weighted ? told(rates, (double)e->count)
                           : rates->real      ? e->real_sum
                                              : (double)e->sum;
    const bool few =
        (rates->crowds || rates->doers) &&
        om_small_units_hide(&rates->few, group->null ? NULL : group->id,
                            group->len);
    add_rate(rates, group->count, few ? NAN : exposed, out);
    if (few) om_buf_add_text(out, ",\"exposure_hidden\":true");
}
