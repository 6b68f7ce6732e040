// hotspots_routes.c - /hotspots/{layer}: the answers of onemap hotspots.
#include <string.h>

#include "web/hotspots.h"
#include "web/server/bounds.h"
#include "web/server/guard.h"
#include "web/server/handlers.h"
#include "web/server/jobs.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"

/* Rows of one answer: some 60 MB with hexagons around them. */
#define ROWS_MOST 100000
/* Seconds that a row costs: counted now and as it was in weeks before. */
#define ROW_S 30e-9

/* What URLs call otherwise. */
static const struct {
    const char *param, *option;
} ALIAS[] = {{"filter", "where"}, {"datetime", "time"}};
#define ALIASES (sizeof ALIAS / sizeof *ALIAS)

static const char *option_of(const char *param)
{
    for (size_t i = 0; i < ALIASES; i++)
        if (!strcmp(ALIAS[i].param, param)) return ALIAS[i].option;
    return param;
}

static const char *param_of(const char *option)
{
    for (size_t i = 0; i < ALIASES; i++)
        if (!strcmp(ALIAS[i].option, option)) return ALIAS[i].param;
    return option;
}

static om_status take(void *ctx, const void *bytes, size_t len)
{
    return om_buf_add(ctx, bytes, len);
}

static const struct om__head *head_of(enum om_table_format format)
{
    static const struct om__head csv = {
        .type = "text/csv; charset=utf-8; header=present",
        .cache = OM__CACHE_DATA,
        .compress = true};
    if (format == OM_TABLE_CSV) return &csv;
    return format == OM_TABLE_JSON ? &om__head_json : &om__head_geojson;
}

/* Cells, compared layers and large layers take longer than others can wait. */
static bool is_heavy(const struct om__request *r)
{
    const char *units = om__param_text(r, "units");
    return (double)r->layer->rows * ROW_S > OM__HEAVY_S ||
           om__param_text(r, "per") || om__param_text(r, "exposure") ||
           om__param_text(r, "each") || (units && strchr(units, ':'));
}

static bool hides(void *ctx, const struct om_layer *layer)
{
    return om__crowds_only(ctx, layer);
}

static om_status fail(struct om__request *r,
                      const struct om_hotspots_question *q, om_status st)
{
    if (q->refused) return om__rows_allowed(r, q->refused);
    r->err = q->err;
    if (!q->wrong) return st;
    r->parameter = param_of(q->wrong);
    // What the question names and is not there is a mistake in it.
    return st == OM_E_NOTFOUND ? OM_E_FORMAT : st;
}

om_status om__get_hotspots(struct om__request *r)
{
    struct om_hotspots_option option[OM_ADDRESS_PARAMS];
    struct om_buf out = {0};
    const char *f;
    OM_TRY(om__request_layer(r, r->address.segment[1]));
    struct om_hotspots_question q = {
        .snapshot = r->snapshot,
        .selections = r->server->selections,
        .layer = r->layer->name,
        .option = option,
        .take = take,
        .take_ctx = &out,
        .rows_most = ROWS_MOST,
        .rows_page = r->who->role->export ? 0 : OM__LOOK_ROWS,
        .hides = hides,
        .hides_ctx = r};
    OM_TRY(om__param_word(r, "f", "json csv geojson", "json", &f));
    if (!om_table_format_from_name(f, &q.format)) return OM_E_INTERNAL;
    if (is_heavy(r) && om__wait_heavy(r)) return OM_OK;
    for (size_t i = 0; i < r->address.params; i++) {
        const char *name = r->address.param[i].name;
        if (strcmp(name, "f") != 0 && strcmp(name, "filter-lang") != 0)
            option[q.options++] = (struct om_hotspots_option){
                option_of(name), r->address.param[i].value};
    }
    om__needs_layer(r, r->layer->name, OM__EVERYWHERE);
    om__needs_units(r);
    om_buf_init(&out, OM__ANSWER_BYTES);
    om_status st = om_hotspots_answer(&q);
    if (q.exposed) om__needs_layer(r, q.exposed->name, OM__EVERYWHERE);
    if (q.exposed && om__crowds_only(r, q.exposed)) om__needs_beat(r);
    r->told_rows = q.rows_told;
    st = st ? fail(r, &q, st)
            : om__reply_kept(r, &out, head_of(q.format), NULL, 0);
    if (!st) st = om__answer_spend(r);
    om_buf_deinit(&out);
    return st;
}
