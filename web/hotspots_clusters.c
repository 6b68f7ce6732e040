// hotspots_clusters.c - DBSCAN of a layer's rows: clusters and their hulls.
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/hotspots_internal.h"

/* Options that say nothing about clusters of points. */
static const char *const USELESS[] = {
    "units", "per",     "exposure", "rate",       "weight", "neighbours",
    "step",  "compare", "each",     "confidence", "floor",  "moments"};

static om_status check_options(struct om__hotspots *h)
{
    for (size_t i = 0; i < sizeof USELESS / sizeof *USELESS; i++)
        if (om__hotspots_text(h, USELESS[i]))
            return om__hotspots_bad(h, USELESS[i], OM_E_FORMAT,
                                    "dbscan knows eps and min only");
    return OM_OK;
}

/* Positions of all selected rows, of all parts together. */
static om_status gather(const struct om__hotspots *h, struct om_pos **out,
                        size_t *count)
{
    struct om_selection *selection = NULL;
    const struct om_layer *layer = h->layer;
    OM_TRY(om_select(h->ask.cache, layer, h->ask.filter, h->ask.window,
                     &selection));
    om_status st = OM_OK;
    size_t n = 0;
    struct om_pos *pos = om_alloc_array((size_t)layer->rows + 1, sizeof *pos);
    if (!pos) st = OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts && !st; p++) {
        const size_t rows = om_segment_rows(layer->part[p].segment);
        const uint64_t *key;
        st = om_segment_keys(layer->part[p].segment, 0, rows, &key);
        for (size_t row = 0; row < rows && !st; row++)
            if (om_selection_has(selection, p, row))
                pos[n++] = om_morton_pos(key[row]);
    }
    om_selection_unref(selection);
    *out = pos;
    *count = n;
    return st;
}

static void add_members(const struct om__hotspots *h,
                        const struct om_clusters *c, struct om_buf *out)
{
    const struct om_window *w = &h->ask.window;
    const bool bounded =
        w->set && w->from_s != INT64_MIN && w->to_s != INT64_MAX;
    om__hotspots_head(h, "dbscan", bounded ? w->from_s : 0,
                      bounded ? w->to_s : 0, out);
    om_buf_addf(out, ",\"eps_m\":%g,\"min\":%llu,\"count\":%zu,\"noise\":%llu",
                h->eps_m, (unsigned long long)h->least, c->points,
                (unsigned long long)c->noise);
    om_buf_addf(out, ",\"matched\":%zu", c->count);
}

static size_t plan_columns(const struct om__parents *parents,
                           struct om_table_column *out)
{
    static const struct om_table_column HEAD[] = {
        {"id", OM_TYPE_INTEGER},    {"name", OM_TYPE_TEXT},
        {"count", OM_TYPE_INTEGER}, {"value", OM_TYPE_REAL},
        {"cores", OM_TYPE_INTEGER}, {"area_km2", OM_TYPE_REAL},
        {"lon", OM_TYPE_REAL},      {"lat", OM_TYPE_REAL},
        {"class", OM_TYPE_TEXT}};
    size_t n = sizeof HEAD / sizeof *HEAD;
    memcpy(out, HEAD, sizeof HEAD);
    for (size_t k = 0; k < parents->levels; k++)
        out[n++] =
            (struct om_table_column){parents->unit[k].level, OM_TYPE_TEXT};
    out[n++] = (struct om_table_column){"text", OM_TYPE_TEXT};
    out[n++] = (struct om_table_column){"text_en", OM_TYPE_TEXT};
    return n;
}

static void put_cluster(const struct om__hotspots *h,
                        const struct om_clusters *all,
                        const struct om__parents *parents, size_t i,
                        struct om_table *t, struct om_buf *text)
{
    const struct om_cluster *c = &all->cluster[i];
    double lon_deg, lat_deg;
    om_world_to_lonlat(c->x, c->y, &lon_deg, &lat_deg);
    if (all->hull.shape_part[i + 1] > all->hull.shape_part[i])
        om_table_shape(t, &all->hull, i);
    else
        om_table_at(t, c->x, c->y);
    const char *place = NULL;
    const struct om_units *of = NULL;
    for (size_t k = parents->levels; k > 0 && !place; k--) {
        place = om__parent_name(parents, k - 1, i);
        if (place) of = &parents->unit[k - 1];
    }
    om_table_integer(t, (int64_t)i + 1);
    om_table_word(t, parents->levels ? om__parent_name(parents, 0, i) : NULL);
    om_table_integer(t, (int64_t)c->points);
    om_table_real(t, (double)c->points);
    om_table_integer(t, (int64_t)c->cores);
    om_table_real(t, c->area_km2);
    om_table_real(t, lon_deg);
    om_table_real(t, lat_deg);
    om_table_word(t, "cluster");
    for (size_t k = 0; k < parents->levels; k++)
        om_table_word(t, om__parent_name(parents, k, i));
    for (int chinese = 1; chinese >= 0; chinese--) {
        om_buf_clear(text);
        om__cluster_say(h, c, i + 1, of, place, chinese != 0, text);
        om_table_text(t, (const char *)text->bytes, text->len);
    }
}

static om_status write_table(struct om__hotspots *h,
                             const struct om_clusters *c,
                             const struct om__parents *parents)
{
    struct om_table_column column[16 + OM__LEVELS_MOST];
    struct om_table *table = NULL;
    struct om_buf members = {0}, text = {0};
    size_t n = c->count;
    if (h->limit && h->limit < n) n = h->limit;
    if (h->q->rows_page && h->q->rows_page < n) n = h->q->rows_page;
    h->q->rows_told = n;
    if (h->q->rows_most && n > h->q->rows_most)
        return om__hotspots_bad(h, "limit", OM_E_COST,
                                "%zu clusters are more than one answer holds "
                                "(%zu); say limit=%zu, or take a larger min",
                                n, h->q->rows_most, h->q->rows_most);
    const size_t columns = plan_columns(parents, column);
    add_members(h, c, &members);
    om_buf_add_byte(&members, 0);
    om_status st = members.status;
    if (!st)
        st = om_table_begin(h->q->format, column, columns, h->city->zone_s,
                            (const char *)members.bytes, h->q->take,
                            h->q->take_ctx, &table);
    for (size_t i = 0; i < n && !st; i++)
        put_cluster(h, c, parents, i, table, &text);
    if (!st) st = text.status;
    if (!st) st = om_table_end(table, NULL);
    om_table_free(table);
    om_buf_deinit(&members);
    om_buf_deinit(&text);
    return st;
}

om_status om__clusters_answer(struct om__hotspots *h)
{
    struct om_pos *pos = NULL;
    struct om_clusters clusters = {0};
    struct om__parents parents = {0};
    double *place = NULL;
    size_t n = 0;
    OM_TRY(check_options(h));
    om_status st = gather(h, &pos, &n);
    if (!st) st = om_clusters_find(pos, n, h->eps_m, h->least, &clusters);
    if (!st) place = om_alloc_array(2 * clusters.count + 1, sizeof *place);
    if (!st && !place) st = OM_E_MEMORY;
    for (size_t i = 0; i < clusters.count && !st; i++) {
        place[i] = clusters.cluster[i].x;
        place[clusters.count + i] = clusters.cluster[i].y;
    }
    if (!st)
        st = om__parents_find(h, place, place + clusters.count, clusters.count,
                              true, &parents);
    if (!st) st = write_table(h, &clusters, &parents);
    om_clusters_deinit(&clusters);
    om__parents_deinit(&parents);
    om_free(place);
    om_free(pos);
    return st;
}
