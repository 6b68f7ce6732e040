// hotspots_rows.c - rows by significance, and what they rest on.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"
#include "engine/stat/emerging.h"
#include "engine/stat/fdr.h"
#include "web/hotspots_internal.h"

#define COLUMNS_MOST 48

/* Columns of an answer, and the table that takes them. */
struct rows {
    const struct om__hotspots *h;
    struct om_table_column column[COLUMNS_MOST];
    size_t columns;
    struct om_table *table;
    struct om_buf text;
};

/* ---- members ---- */

static void add_text(struct om_buf *out, const char *name, const char *value)
{
    om_buf_addf(out, ",\"%s\":", name);
    if (value)
        om_buf_add_json_text(out, value, strlen(value));
    else
        om_buf_add_text(out, "null");
}

static void add_real(struct om_buf *out, const char *name, double value)
{
    om_buf_addf(out, ",\"%s\":", name);
    om_buf_add_json_real(out, value);
}

static void add_time(struct om_buf *out, const char *name, int64_t utc_s,
                     int32_t zone_s)
{
    char text[OM_TIME_TEXT_BYTES];
    om_time_format(utc_s, zone_s, text);
    add_text(out, name, text);
}

void om__hotspots_head(const struct om__hotspots *h, const char *stat,
                       int64_t from_s, int64_t to_s, struct om_buf *out)
{
    const int32_t zone_s = h->city->zone_s;
    const int64_t as_of_s = om_snapshot_as_of(h->q->snapshot, h->layer);
    om_buf_add_text(out, "\"layer\":");
    om_buf_add_json_text(out, h->layer->name, strlen(h->layer->name));
    add_text(out, "stat", stat);
    if (from_s < to_s) {
        add_time(out, "from", from_s, zone_s);
        add_time(out, "to", to_s, zone_s);
    }
    if (as_of_s) add_time(out, "as_of", as_of_s, zone_s);
    om_buf_addf(out, ",\"sequence\":%llu",
                (unsigned long long)h->q->snapshot->sequence);
    if (h->city->synthetic) om_buf_add_text(out, ",\"synthetic\":true");
}

static void add_areas(const struct om__hotspots *h, struct om_buf *out)
{
    add_text(out, "units", h->units);
    om_buf_addf(out, ",\"areas\":%zu", h->zones.count);
    if (h->zones.tiled) {
        add_text(out, "cells",
                 h->zones.units.count
                     ? "those that meet the city's units, empty ones too"
                     : "those that meet the box of the layer, empty ones too");
        add_real(out, "at_latitude", h->zones.tiling.latitude_deg);
    }
    add_text(out, "neighbours", h->neighbours);
    size_t links = 0, alone = 0;
    for (size_t i = 0; i < h->graph.count; i++) {
        links += om_graph_degree(&h->graph, i);
        alone += !om_graph_degree(&h->graph, i);
    }
    add_real(out, "neighbours_mean",
             h->graph.count ? (double)links / (double)h->graph.count : NAN);
    om_buf_addf(out, ",\"without_neighbours\":%zu", alone);
}

static void add_rates(const struct om__hotspots *h, struct om_buf *out)
{
    static const char *const RATE[] = {"standard", "raw", "eb", "local"};
    const struct om_rates *r = &h->found.rates;
    add_text(out, "per", h->per);
    if (!h->per) return;
    add_text(out, "rate", RATE[h->ask.rate]);
    add_real(out, "floor", h->ask.exposure.floor);
    if (h->found.kinds > 1) return;  // one for each kind
    add_real(out, "exposure", r->exposure);
    add_real(out, "rate_mean", r->mean);
    add_real(out, "rate_variance", r->variance);
}

static void add_moran(const struct om__hotspots *h, struct om_buf *out)
{
    const struct om_moran *m = &h->found.moran;
    if (h->ask.stat == OM_STAT_EMERGING || h->found.kinds > 1) return;
    om_buf_add_text(out, ",\"moran\":{\"i\":");
    om_buf_add_json_real(out, m->i);
    add_real(out, "expected", m->expected);
    add_real(out, "variance", m->variance);
    add_real(out, "z", m->z);
    add_real(out, "p", om_normal_p(m->z));
    om_buf_add_text(out, "}");
}

/* How many rows at each level: hot 99, 95, 90, cold 90, 95, 99; and the
 * largest p that is among them. */
static void add_bins(const struct om__hotspots *h, struct om_buf *out)
{
    size_t bins[7] = {0};
    for (size_t i = 0; i < h->found.count; i++) bins[h->found.row[i].bin + 3]++;
    om_buf_addf(out,
                ",\"hot\":{\"99\":%zu,\"95\":%zu,\"90\":%zu},\"cold\":{\"99\":"
                "%zu,\"95\":%zu,\"90\":%zu}",
                bins[6], bins[5], bins[4], bins[0], bins[1], bins[2]);
    const double *p = h->found.threshold;
    om_buf_add_text(out, ",\"fdr\":{\"method\":\"Benjamini-Hochberg\"");
    add_real(out, "p99", p[2]);
    add_real(out, "p95", p[1]);
    add_real(out, "p90", p[0]);
    om_buf_add_text(out, "}");
}

static void add_classes(const struct om__hotspots *h, struct om_buf *out)
{
    size_t hot[OM_EMERGING_CLASSES] = {0}, cold[OM_EMERGING_CLASSES] = {0};
    for (size_t i = 0; i < h->found.count; i++) {
        const int class = h->found.row[i].emerging;
        if (class >= 0) hot[class]++;
        if (class < 0) cold[-class]++;
    }
    om_buf_addf(out, ",\"classes\":{\"none\":%zu", hot[0]);
    for (int k = 1; k < OM_EMERGING_CLASSES; k++)
        om_buf_addf(out, ",\"%s hot\":%zu,\"%s cold\":%zu", om_emerging_name(k),
                    hot[k], om_emerging_name(k), cold[k]);
    om_buf_addf(out, "},\"slices\":%zu,\"compare\":\"%s\",\"early\":%llu",
                h->found.slices, h->ask.by_slice ? "slice" : "cube",
                (unsigned long long)h->found.early);
}

static void add_step(const struct om__hotspots *h, struct om_buf *out)
{
    static const int CONFIDENCE[] = {0, 90, 95, 99};
    const unsigned days = h->found.step.days;
    om_buf_addf(out, ",\"confidence\":%d", CONFIDENCE[h->ask.least]);
    if (h->found.from_s >= h->found.to_s) return;
    if (!days || days == 1 || days == 7)
        add_text(out, "step", !days ? "month" : days == 1 ? "day" : "week");
    else
        om_buf_addf(out, ",\"step\":%u", days);
    om_buf_addf(out, ",\"looks_back\":%zu", h->found.looks);
}

/* What a reader of p must know, and what is looked at. */
static void add_cautions(const struct om__hotspots *h, struct om_buf *out)
{
    const enum om_hotspot_stat stat = h->ask.stat;
    if (stat == OM_STAT_MORAN && h->ask.moments == OM_MORAN_TOTAL)
        add_text(out, "caution",
                 "total moments reproduce published values, but their p is too "
                 "small in the tails: the false discovery rate is not kept, "
                 "not even where nothing is unusual; conditional moments keep "
                 "it");
    if (stat == OM_STAT_EB)
        add_text(out, "caution",
                 "p is that of a normal distribution and not calibrated where "
                 "rates vary more than by chance: a ranking, not a level of "
                 "error");
    if (stat == OM_STAT_EMERGING)
        add_text(out, "neighbourhood",
                 h->ask.by_slice
                     ? "an area and its neighbours in the same step"
                     : "an area and its neighbours in the same step and in "
                       "the step before it");
}

static void add_members(const struct om__hotspots *h, struct om_buf *out)
{
    static const char *const STAT[] = {"gistar", "moran", "emerging", "eb"};
    om__hotspots_head(h, STAT[h->ask.stat], h->found.from_s, h->found.to_s,
                      out);
    add_areas(h, out);
    om_buf_addf(out, ",\"count\":%.0f,\"outside\":%.0f,\"tested\":%zu",
                h->found.rows, h->found.outside, h->found.known);
    if (h->found.kinds > 1)
        om_buf_addf(out, ",\"kinds\":%zu", h->found.kinds);
    else {
        add_real(out, "mean", h->found.cases.mean);
        add_real(out, "sd", h->found.cases.sd);
    }
    add_rates(h, out);
    add_moran(h, out);
    add_bins(h, out);
    add_cautions(h, out);
    if (h->ask.stat == OM_STAT_EMERGING) add_classes(h, out);
    add_step(h, out);
    om_buf_addf(out, ",\"matched\":%zu", h->found.count);
}

/* ---- columns ---- */

static void column(struct rows *r, const char *name, enum om_type type)
{
    r->column[r->columns++] = (struct om_table_column){name, type};
}

static void plan_columns(struct rows *r)
{
    const struct om__hotspots *h = r->h;
    const enum om_hotspot_stat stat = h->ask.stat;
    column(r, "id", OM_TYPE_TEXT);
    column(r, "name", OM_TYPE_TEXT);
    if (h->found.kind) column(r, "kind", OM_TYPE_TEXT);
    column(r, "count", OM_TYPE_INTEGER);
    if (h->ask.weight_column != OM_NO_FIELD) column(r, "sum", OM_TYPE_REAL);
    if (h->per) {
        column(r, "exposure", OM_TYPE_REAL);
        column(r, "rate", OM_TYPE_REAL);
        column(r, "rate_eb", OM_TYPE_REAL);
        column(r, "rate_local", OM_TYPE_REAL);
    }
    column(r, "value", OM_TYPE_REAL);
    column(r, "expected", OM_TYPE_REAL);
    column(r, "ratio", OM_TYPE_REAL);
    if (stat == OM_STAT_MORAN) {
        column(r, "moran_i", OM_TYPE_REAL);
        column(r, "moran_expected", OM_TYPE_REAL);
        column(r, "moran_variance", OM_TYPE_REAL);
    }
    column(r, "z", OM_TYPE_REAL);
    column(r, "p", OM_TYPE_REAL);
    column(r, "q", OM_TYPE_REAL);
    column(r, "bin", OM_TYPE_INTEGER);
    column(r, "class", OM_TYPE_TEXT);
    if (stat == OM_STAT_EMERGING) {
        column(r, "trend_z", OM_TYPE_REAL);
        column(r, "trend_p", OM_TYPE_REAL);
        column(r, "hot", OM_TYPE_INTEGER);
        column(r, "cold", OM_TYPE_INTEGER);
    }
    column(r, "neighbours", OM_TYPE_INTEGER);
    if (stat != OM_STAT_EB) {
        if (h->per) column(r, "near_rate", OM_TYPE_REAL);
        column(r, "near_ratio", OM_TYPE_REAL);
    }
    column(r, "since", OM_TYPE_TIME);
    column(r, "new", OM_TYPE_BOOLEAN);
    for (size_t k = 0; k < h->parents.levels; k++)
        column(r, h->parents.unit[k].level, OM_TYPE_TEXT);
    column(r, "text", OM_TYPE_TEXT);
    column(r, "text_en", OM_TYPE_TEXT);
}

/* ---- rows ---- */

static void put_shape(struct rows *r, size_t area)
{
    const struct om_zones *z = &r->h->zones;
    if (r->h->q->format != OM_TABLE_GEOJSON) return;
    if (!z->tiled) {
        om_table_shape(r->table, &z->units.rings, z->units.unit[area].row);
        return;
    }
    int64_t col, row;
    double x[6], y[6];
    om_tiling_place(&z->tiling, area, &col, &row);
    const size_t n = om_tiling_corners(&z->tiling, col, row, x, y);
    struct om_pos corner[6];
    struct om_box box = OM_BOX_NONE;
    for (size_t i = 0; i < n; i++) {
        // Cells at the edge of the world reach beyond it.
        const double last = OM_POS_SIDE - 1;
        corner[i] = (struct om_pos){(uint32_t)fmin(fmax(x[i], 0), last),
                                    (uint32_t)fmin(fmax(y[i], 0), last)};
        om_box_widen(&box, (struct om_box){corner[i].x, corner[i].y,
                                           corner[i].x, corner[i].y});
    }
    const uint32_t one[] = {0, 1}, all[] = {0, (uint32_t)n};
    const struct om_rings rings = {1, one, one, all, corner, &box};
    om_table_shape(r->table, &rings, 0);
}

static void put_sentence(struct rows *r, const struct om_hotspot *row,
                         bool chinese)
{
    om_buf_clear(&r->text);
    om__hotspot_say(r->h, row, chinese, &r->text);
    om_table_text(r->table, (const char *)r->text.bytes, r->text.len);
}

static void put_rate(struct rows *r, const struct om_hotspot *row)
{
    om_table_real(r->table, row->exposure);
    om_table_real(r->table, row->exposure > 0 ? row->sum / row->exposure : NAN);
    om_table_real(r->table, row->rate);
    om_table_real(r->table, row->local_rate);
}

static void put_test(struct rows *r, const struct om_hotspot *row)
{
    char text[32];
    struct om_table *t = r->table;
    const enum om_hotspot_stat stat = r->h->ask.stat;
    if (stat == OM_STAT_MORAN) {
        om_table_real(t, row->moran.i);
        om_table_real(t, row->moran.expected);
        om_table_real(t, row->moran.variance);
    }
    om_table_real(t, row->z);
    om_table_real(t, row->p);
    om_table_real(t, row->q);
    om_table_integer(t, row->bin);
    om_table_word(t, om__hotspot_class(r->h, row, text));
    if (stat == OM_STAT_EMERGING) {
        om_table_real(t, row->trend_z);
        om_table_real(t, row->trend_p);
        om_table_integer(t, row->hot);
        om_table_integer(t, row->cold);
    }
    om_table_integer(t, row->neighbours);
    if (stat != OM_STAT_EB) {
        const struct om__hotspot_near near = om__hotspot_near(r->h, row);
        if (r->h->per) om_table_real(t, near.rate);
        om_table_real(t, near.ratio);
    }
    if (row->since_s) {
        om_table_time(t, row->since_s);
        om_table_truth(t, row->first);
    } else {
        om_table_null(t);
        om_table_null(t);
    }
}

static void put_row(struct rows *r, const struct om_hotspot *row)
{
    const struct om__hotspots *h = r->h;
    char text[OM__AREA_TEXT];
    struct om_table *t = r->table;
    put_shape(r, row->area);
    om_table_word(t, om__area_id(h, row->area, text));
    om_table_word(t, om__area_name(h, row->area, text));
    if (h->found.kind) om_table_word(t, h->found.kind[row->kind]);
    om_table_integer(t, (int64_t)row->count);
    if (h->ask.weight_column != OM_NO_FIELD) om_table_real(t, row->sum);
    if (h->per) put_rate(r, row);
    om_table_real(t, row->value);
    om_table_real(t, row->expected);
    om_table_real(t, row->ratio);
    put_test(r, row);
    for (size_t k = 0; k < h->parents.levels; k++)
        om_table_word(t, om__parent_name(&h->parents, k, row->area));
    put_sentence(r, row, true);
    put_sentence(r, row, false);
}

om_status om__hotspots_write(struct om__hotspots *h)
{
    struct rows r = {.h = h};
    struct om_buf members = {0};
    size_t n = h->found.count;
    if (h->limit && h->limit < n) n = h->limit;
    if (h->q->rows_most && n > h->q->rows_most)
        return om__hotspots_bad(h, "limit", OM_E_COST,
                                "%zu rows are more than one answer holds "
                                "(%zu); say limit=%zu, or take larger units",
                                n, h->q->rows_most, h->q->rows_most);
    plan_columns(&r);
    add_members(h, &members);
    om_buf_add_byte(&members, 0);
    om_status st = members.status;
    if (!st)
        st = om_table_begin(h->q->format, r.column, r.columns, h->city->zone_s,
                            (const char *)members.bytes, h->q->take,
                            h->q->take_ctx, &r.table);
    for (size_t i = 0; i < n && !st; i++)
        put_row(&r, &h->found.row[h->found.order[i]]);
    if (!st) st = r.text.status;
    if (!st) st = om_table_end(r.table, NULL);
    om_table_free(r.table);
    om_buf_deinit(&members);
    om_buf_deinit(&r.text);
    return st;
}
