// coverage_routes.c - /coverage/{kind}: the answers of onemap coverage.
#include <string.h>

#include "engine/policy/policy.h"
#include "web/coverage.h"
#include "web/server/bounds.h"
#include "web/server/guard.h"
#include "web/server/handlers.h"
#include "web/server/jobs.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/reply.h"
#include "web/server/rights.h"
#include "web/server/server_internal.h"
#include "web/server/ways.h"

/* What URLs call otherwise. */
static const struct {
    const char *param, *option;
} ALIAS[] = {{"filter", "where"}, {"datetime", "time"}};
#define ALIASES (sizeof ALIAS / sizeof *ALIAS)
/* Not for the kind. */
static const char *const OURS[] = {"f", "filter-lang"};

/* Rows of one answer: some 30 MB. */
#define ROWS_MOST 100000

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

static bool is_ours(const char *param)
{
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (!strcmp(OURS[i], param)) return true;
    return false;
}

static om_status take(void *ctx, const void *bytes, size_t len)
{
    return om_buf_add(ctx, bytes, len);
}

static bool hides(void *ctx, const struct om_layer *layer)
{
    return om__crowds_only(ctx, layer);
}

static om_status read_format(struct om__request *r, enum om_table_format *out)
{
    const char *f;
    OM_TRY(om__param_word(r, "f", "json csv geojson", "json", &f));
    return om_table_format_from_name(f, out) ? OM_OK : OM_E_INTERNAL;
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

/* Ways to a centre are what they were while no house, centre or road changes,
 * however many reports come in. */
static void note_needs(struct om__request *r, const struct om_coverage *q)
{
    if (!q->timeless) om__needs_beat(r);
    om__needs_units(r);
    if (!q->looked) om__needs_city(r);
    for (size_t i = 0; i < q->looked; i++)
        om__needs_layer(r, q->looked_at[i]->name, OM__EVERYWHERE);
}

static om_status no_kind(struct om__request *r)
{
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "there is no coverage of that kind");
}

static om_status answer(struct om__request *r,
                        const struct om_coverage_kind *kind,
                        const struct om_snapshot *snapshot)
{
    struct om_coverage_option option[OM_ADDRESS_PARAMS];
    struct om_buf out = {0};
    struct om__lent lent;
    om__lent_init(&lent, r->server);
    struct om_coverage q = {
        .snapshot = snapshot,
        .selections = r->server->selections,
        .option = option,
        .now_s = r->now_s,
        .take = take,
        .take_ctx = &out,
        .rows_most = ROWS_MOST,
        .rows_page = r->who->role->export ? 0 : OM__LOOK_ROWS,
        .hides = hides,
        .hides_ctx = r,
        .lender = &lent.lender};
    OM_TRY(read_format(r, &q.format));
    for (size_t i = 0; i < r->address.params; i++)
        if (!is_ours(r->address.param[i].name))
            option[q.options++] = (struct om_coverage_option){
                option_of(r->address.param[i].name), r->address.param[i].value};
    om_buf_init(&out, OM__ANSWER_BYTES);
    om_status st = om_coverage_run(kind, &q);
    note_needs(r, &q);
    r->told_rows = q.rows_told;
    if (!st) {
        st = om__reply_kept(r, &out, head_of(q.format), NULL, 0);
        if (!st) st = om__answer_spend(r);
    } else if (q.refused) {
        st = om__rows_allowed(r, q.refused);
        if (!st) st = om__rows_refused(r, q.refused->name);
    } else if (!q.wrong && om__rights_unsaid(r, st)) {
        r->err = (struct om_err){0};
        st = no_kind(r);
    } else {
        r->err = q.err;
        if (q.wrong) {
            r->parameter = param_of(q.wrong);
            // What the question names and is not there is a mistake in it.
            if (st == OM_E_NOTFOUND) st = OM_E_FORMAT;
        }
    }
    om_buf_deinit(&out);
    om__lent_deinit(&lent);
    return st;
}

om_status om__get_coverage(struct om__request *r)
{
    const struct om_coverage_kind *kind =
        om_coverage_find(r->address.segment[1]);
    if (!kind) return no_kind(r);
    if (om__wait_heavy(r)) return OM_OK;
    struct om_snapshot *narrow;
    OM_TRY(om_snapshot_narrow(r->snapshot, &narrow));
    const om_status answered = answer(r, kind, narrow);
    om_snapshot_unref(narrow);
    return answered;
}
