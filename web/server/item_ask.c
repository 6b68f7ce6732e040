// item_ask.c - the parameters of items, each error naming its own.
#include "web/server/item_ask.h"
#include "web/server/params.h"
#include "web/server/route.h"

#include <stdio.h>
#include <string.h>

/* column=value: what the filter language says about the column's type. */
static om_status add_equal(struct om__request *r, const struct om_param *p,
                           struct om_buf *text)
{
    const size_t column = om_schema_find(&r->layer->schema, p->name);
    if (column == OM_NO_FIELD)
        return om__param_bad(r, p->name, OM_E_FORMAT,
                             "there is no parameter and no column %.64s here; "
                             "known are %s and the columns of %s",
                             p->name, r->route->params, r->layer->name);
    const enum om_type type = r->layer->schema.field[column].type;
    const bool bare = type == OM_TYPE_INTEGER || type == OM_TYPE_REAL ||
                      type == OM_TYPE_BOOLEAN;
    if (bare &&
        (!p->len || strspn(p->value, "0123456789+-.eEtrufals") != p->len))
        return om__param_bad(r, p->name, OM_E_FORMAT,
                             "the column %.64s is of type %s", p->name,
                             om_type_name(type));
    if (text->len) om_buf_add_text(text, " AND ");
    om_buf_addf(text, "\"%s\" = %s", p->name, bare ? "" : "'");
    for (const char *c = p->value; *c; c++) {
        if (*c == '\'') om_buf_add_byte(text, '\'');
        om_buf_add_byte(text, (uint8_t)*c);
    }
    return om_buf_add_text(text, bare ? "" : "'");
}

/* filter AND column=value AND ... as one filter. owns: *out */
static om_status read_filter(struct om__request *r, struct om_filter **out)
{
    struct om_buf text = {0};
    const struct om_param *last = NULL;
    *out = NULL;
    om_status st = OM_OK;
    for (size_t i = 0; i < r->address.params && !st; i++) {
        const struct om_param *p = &r->address.param[i];
        if (om__param_known(r, p->name)) continue;
        last = p;
        st = add_equal(r, p, &text);
    }
    // The filter alone first, so that its errors point into it.
    if (!st) st = om__param_filter(r, out);
    if (st || !text.len) goto done;
    if (*out) om_buf_addf(&text, " AND (%s)", om_filter_canonical(*out));
    om_filter_free(*out);
    *out = NULL;
    st = text.status;
    if (st) goto done;
    st = om_filter_parse((const char *)text.bytes, text.len, r->layer,
                         r->snapshot->manifest->zone_s, out, &r->err);
    if (st) r->parameter = last->name;
done:
    om_buf_deinit(&text);
    return st;
}

/* One name of a list: the column, or an error that names it. */
static om_status read_column(struct om__request *r, const char *parameter,
                             const char *text, size_t len, size_t *out)
{
    char name[OM_LIMIT_NAME_BYTES] = "";
    *out = OM_NO_FIELD;
    if (len < sizeof name) {
        memcpy(name, text, len);
        name[len] = '\0';
        *out = om_schema_find(&r->layer->schema, name);
    }
    if (*out != OM_NO_FIELD) return OM_OK;
    return om__param_bad(r, parameter, OM_E_FORMAT,
                         "%s: the layer %s has no column '%.*s'", parameter,
                         r->layer->name, (int)(len < 60 ? len : 60), text);
}

/* properties=a,b: which columns, in that order. */
static om_status read_properties(struct om__request *r,
                                 struct om__item_ask *ask)
{
    const char *text = om__param_text(r, "properties");
    if (!text) return OM_OK;
    ask->chosen = true;
    while (*text) {
        const size_t len = strcspn(text, ",");
        if (ask->columns == OM_LIMIT_COLUMNS)
            return om__param_bad(r, "properties", OM_E_LIMIT,
                                 "properties: too many columns");
        OM_TRY(read_column(r, "properties", text, len,
                           &ask->column[ask->columns]));
        ask->columns++;
        text += len + (text[len] == ',');
    }
    return OM_OK;
}

/* sortby=+a,-b. A plus that was not encoded arrives as a blank. */
static om_status read_sortby(struct om__request *r, struct om__item_ask *ask)
{
    const char *text = om__param_text(r, "sortby");
    if (!text || !*text) return OM_OK;
    for (;;) {
        const bool sign = strchr("+- ", *text) != NULL && *text;
        const bool down = *text == '-';
        text += sign;
        const size_t len = strcspn(text, ",");
        if (ask->keys == OM_SORT_KEYS)
            return om__param_bad(r, "sortby", OM_E_COST,
                                 "sortby takes at most %d columns",
                                 OM_SORT_KEYS);
        struct om_sort_key *key = &ask->key[ask->keys++];
        OM_TRY(read_column(r, "sortby", text, len, &key->column));
        key->descending = down;
        text += len;
        if (!*text++) return OM_OK;
    }
}

/* Larger limits than are served mean what is served (OGC 17-069r4, 7.15.4). */
static om_status read_limit(struct om__request *r, struct om__item_ask *ask)
{
    uint64_t limit = OM__LIMIT_DEFAULT;
    ask->limited = om__param_text(r, "limit") != NULL;
    OM_TRY(om__param_count(r, "limit", 1, INT64_MAX, &limit));
    const uint64_t most = ask->keys ? OM__LIMIT_SORTED : OM__LIMIT_MAX;
    ask->query.limit = (size_t)(limit < most ? limit : most);
    return OM_OK;
}

om_status om__item_ask_read(struct om__request *r, struct om__item_ask *ask)
{
    *ask = (struct om__item_ask){.query = {.snapshot = r->snapshot,
                                           .layer = r->layer,
                                           .cache = r->server->selections}};
    OM_TRY(read_sortby(r, ask));
    OM_TRY(read_limit(r, ask));
    OM_TRY(read_properties(r, ask));
    OM_TRY(om__param_crs(r, "crs", &ask->project));
    OM_TRY(om__param_place(r, om__param_bbox_in, &ask->query.place));
    OM_TRY(om__param_datetime(r, &ask->query.window));
    OM_TRY(om__next_read(r, ask));
    OM_TRY(read_filter(r, &ask->filter));
    ask->query.filter = ask->filter;
    return OM_OK;
}

void om__item_ask_deinit(struct om__item_ask *ask)
{
    om_filter_free(ask->filter);
    ask->filter = NULL;
}

struct om_features_options om__item_ask_options(const struct om__request *r,
                                                const struct om__item_ask *ask)
{
    const struct om_system *system = om_project_system(ask->project);
    return (struct om_features_options){
        .zone_s = r->snapshot->manifest->zone_s,
        .column = ask->chosen ? ask->column : NULL,
        .columns = ask->columns,
        .project = system == om_system_at(0) ? NULL : ask->project,
        .sort = ask->key,
        .sort_keys = ask->keys};
}

om_status om__item_ask_key(const struct om__request *r,
                           const struct om__item_ask *ask, struct om_buf *key)
{
    const struct om_query *q = &ask->query;
    static const char *const place[] = {"bbox", "bbox-crs", "within", "near",
                                        "radius"};
    const char *next = om__param_text(r, "next");
    om_buf_add(key, &r->layer->serial, sizeof r->layer->serial);
    om_buf_add(key, &r->snapshot->rights, sizeof r->snapshot->rights);
    om_buf_addf(
        key, " %s %.*s %s %d %lld %lld %zu", r->layer->name, (int)r->form_len,
        r->form, om_project_system(ask->project)->code, q->window.set,
        (long long)q->window.from_s, (long long)q->window.to_s, q->limit);
    if (next) om_buf_addf(key, " behind %s", next);
    om_buf_add_text(key, ask->chosen ? " columns" : " all");
    for (size_t i = 0; i < ask->columns; i++)
        om_buf_addf(key, " %zu", ask->column[i]);
    for (size_t i = 0; i < ask->keys; i++)
        om_buf_addf(key, " by %zu%c", ask->key[i].column,
                    ask->key[i].descending ? '-' : '+');
    for (size_t i = 0; i < sizeof place / sizeof *place; i++) {
        const struct om_param *p = om_address_param(&r->address, place[i]);
        if (!p) continue;
        om_buf_addf(key, " %s ", place[i]);
        om_buf_add(key, p->value, p->len);
    }
    if (ask->filter)
        om_buf_addf(key, " where %s", om_filter_canonical(ask->filter));
    return key->status;
}

om_status om__item_ask_afford(struct om__request *r,
                              const struct om__item_ask *ask, uint64_t rows)
{
    if (!ask->keys) return OM_OK;
    const double cost_s = om_sort_cost_s(r->layer, ask->key, ask->keys, rows);
    if (cost_s <= OM__SORT_S) return OM_OK;
    return om__param_bad(
        r, "sortby", OM_E_COST,
        "putting %llu rows in that order would take about %.1f s; the limit is "
        "%g s: ask for fewer rows, or sort by a number, time or category",
        (unsigned long long)rows, cost_s, OM__SORT_S);
}
