// stats_series.c - what /stats tells by unit and by day, in one answer.
#include <string.h>

#include "data/model/time.h"
#include "engine/query/series.h"
#include "web/server/bounds.h"
#include "web/server/params.h"
#include "web/server/rights.h"
#include "web/server/stats_series.h"

bool om__stats_series_asked(const struct om__request *r)
{
    return om__param_text(r, "series") != NULL;
}

/* Of persons nothing is told by day: days that are added up would tell what
 * each period hides. */
static om_status check(struct om__request *r, size_t by, size_t sum)
{
    const struct om_layer *layer = r->layer;
    const char *word;
    OM_TRY(om__param_word(r, "series", "day", "day", &word));
    if (om__crowd_hides(layer, by) || om__crowd_hides(layer, sum))
        return om__rows_refused(r, "counts by day");
    if (by == OM_NO_FIELD || by + layer->unit_columns < layer->schema.count)
        return om__param_bad(r, "by", OM_E_FORMAT,
                             "a series is told of units: by is one of them");
    const char *per = om__param_text(r, "per");
    if (om__param_text(r, "share") || (per && strcmp(per, "area") != 0))
        return om__param_bad(r, "series", OM_E_FORMAT,
                             "a series has no share, and no per but area");
    return OM_OK;
}

static om_status refuse(struct om__request *r, om_status st)
{
    if (st == OM_E_COST)
        return om__param_bad(
            r, "datetime", st,
            "a series has %d days and %zu numbers at most: a shorter datetime, "
            "or larger units, is less",
            OM_DAYS_MOST, OM_SERIES_MOST);
    if (st == OM_E_NOTFOUND)
        return om__param_bad(r, "series", OM_E_TYPE,
                             "the layer %s has no time column", r->layer->name);
    if (st == OM_E_TYPE)
        return om__param_bad(r, "sum", st,
                             "of a series whole numbers are summed");
    return st;
}

static void add_series(const struct om_series *s, size_t unit,
                       struct om_buf *out)
{
    const om_wide *sum = s->sum + unit * s->days;
    om_buf_add_text(out, ",\"series\":[");
    for (uint32_t d = 0; d < s->days; d++) {
        if (d) om_buf_add_byte(out, ',');
        om_buf_add_wide(out, sum[d]);
    }
    om_buf_add_text(out, "]}");
}

static bool is_empty(const struct om_series *s, size_t unit)
{
    for (uint32_t d = 0; d < s->days; d++)
        if (s->sum[unit * s->days + d]) return false;
    return true;
}

static om_status write_all(struct om__request *r, const struct om_units *units,
                           const struct om_series *s, struct om_buf *out)
{
    char first[OM_TIME_TEXT_BYTES];
    om_buf_add_text(out, "{\"layer\":");
    om_buf_add_json_text(out, r->layer->name, strlen(r->layer->name));
    om_buf_add_text(out, ",\"by\":");
    om_buf_add_json_text(out, units->level, strlen(units->level));
    om_time_format(s->first * INT64_C(86400), 0, first);
    om_buf_addf(out, ",\"series\":\"day\",\"first\":%s%.10s%s,\"days\":%u",
                s->days ? "\"" : "", s->days ? first : "null",
                s->days ? "\"" : "", s->days);
    if (s->earlier)
        om_buf_addf(out, ",\"earlier\":%llu", (unsigned long long)s->earlier);
    om_buf_add_text(out, ",\"groups\":[");
    const bool areas = om__param_text(r, "per") != NULL;
    bool any = false;
    for (size_t i = 0; s->days && i < s->units; i++) {
        if (!areas && is_empty(s, i)) continue;
        om_buf_add_text(out, any ? ",\n{\"id\":" : "\n{\"id\":");
        any = true;
        if (i < units->count)
            om_buf_add_json_text(out, units->unit[i].id,
                                 strlen(units->unit[i].id));
        else
            om_buf_add_text(out, "null");
        if (areas && i < units->count) {
            om_buf_add_text(out, ",\"area_km2\":");
            om_buf_add_json_real(out, units->unit[i].area_km2);
        }
        add_series(s, i, out);
    }
    return om_buf_add_text(out, "]}\n");
}

om_status om__stats_series_write(struct om__request *r,
                                 const struct om_query *query, size_t by,
                                 size_t sum, struct om_buf *out)
{
    struct om_units units = {0};
    struct om_series series = {0};
    OM_TRY(check(r, by, sum));
    om_status st = om_units_read(r->snapshot, r->layer->schema.field[by].name,
                                 &units, &r->err);
    if (!st)
        st = refuse(
            r, om_query_series(query, &units, r->snapshot->manifest->zone_s,
                               sum, &series));
    if (!st) st = write_all(r, &units, &series, out);
    om_series_deinit(&series);
    om_units_deinit(&units);
    return st;
}
