// bind_text.c - what a bound is called: its period, and all that it computes.
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "engine/risk/bind_internal.h"

bool om__bind_period(const struct om_window *w, int32_t zone_s, char out[16])
{
    snprintf(out, 16, "now");
    if (!w->set) return true;
    const int64_t day = OM__DAY_S;
    const bool open = w->from_s == INT64_MIN || w->to_s == INT64_MAX;
    if (open || (w->from_s + zone_s) % day || (w->to_s + zone_s) % day)
        return false;
    int64_t y0, y1;
    unsigned m0, m1, d0, d1;
    om_time_date((w->from_s + zone_s) / day, &y0, &m0, &d0);
    om_time_date((w->to_s + zone_s) / day, &y1, &m1, &d1);
    if (d0 != 1 || d1 != 1 || y0 < 1 || y0 > 9999) return false;
    const int64_t months = (y1 - y0) * 12 + (int64_t)m1 - (int64_t)m0;
    if (months == 1)
        snprintf(out, 16, "%04d-%02u", (int)y0, m0);
    else if (months == 12 && m0 == 1)
        snprintf(out, 16, "%04d", (int)y0);
    else
        return false;
    return true;
}

static void add_part(struct om_buf *out, const struct om_risk_part *p,
                     const struct om_risk_rows *rows, bool whole)
{
    const struct om_weighting *w = &p->spec.weight;
    om_buf_addf(out, "%s %u %.17g %.17g %.17g", p->spec.layer->name,
                (unsigned)p->spec.kernel, p->spec.bandwidth_m, p->factor,
                w->half_life_s);
    om_buf_addf(out, " w%zd", (ssize_t)w->column);
    if (w->table) {
        om_buf_addf(out, " t%zu %.17g", w->table->column, w->table->otherwise);
        for (size_t i = 0; i < w->table->count; i++)
            om_buf_addf(out, " %s=%.17g", w->table->value[i].text,
                        w->table->value[i].weight);
    }
    if (!whole) {
        om_buf_addf(out, " s%s u%s f%s\n", rows->since ? rows->since : "",
                    rows->until ? rows->until : "", rows->own ? rows->own : "");
        return;
    }
    om_buf_addf(out, " @%lld %d %lld %lld f%s\n", (long long)w->at_s,
                rows->window.set, (long long)rows->window.from_s,
                (long long)rows->window.to_s,
                rows->filter ? om_filter_canonical(rows->filter) : "");
}

const char *om__bind_describe(struct om_risk_bound *bound, bool whole)
{
    struct om_buf out = {0};
    om_buf_addf(&out, "%.17g %.17g %.17g\n", bound->risk.scale,
                bound->risk.floor, bound->risk.shrink);
    for (size_t i = 0; i < bound->risk.terms; i++)
        add_part(&out, &bound->risk.term[i], &bound->term[i], whole);
    om_buf_add_text(&out, "/\n");
    for (size_t i = 0; i < bound->risk.exposures; i++)
        add_part(&out, &bound->risk.exposure[i], &bound->exposed[i], whole);
    const struct om_risk_ask *ask = &bound->ask;
    if (whole && bound->compared)
        om_buf_addf(&out, "with %s f%s\n",
                    ask->with_datetime ? ask->with_datetime : "",
                    ask->with_filter ? ask->with_filter : "");
    char *copy = out.status
                     ? NULL
                     : om_arena_text(&bound->arena, (char *)out.bytes, out.len);
    om_buf_deinit(&out);
    return copy;
}
