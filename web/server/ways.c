/* ways.c - road networks that stay, and what is asked of them.
 *
 * DESIGN
 * A network is made once of its roads and water (half a second for a city) and
 * stays until one of these layers changes, or city.json says otherwise. Walkers
 * and riders who may use the same roads share one. What a search needs per
 * node is kept beside the network: a few pieces, lent to whoever searches.
 *
 * What coverage asks needs where all people step onto the network, too, which
 * takes longer than the rest of the answer (a second for 1.7 million
 * positions): it stays as well. Both are made when a server of a large city
 * starts, beside its other work (warmer.c).
 */
#include "web/server/ways.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/server/made.h"
#include "web/server/needs.h"
#include "web/server/params.h"
#include "web/server/rights.h"
#include "web/service_plan.h"

/* Networks kept: each is some 50 MB of a city of 92,000 roads. */
#define NETS 4
/* Lists of people on a network kept: walkers' and riders'. */
#define PEOPLE 2
/* Pieces of scratch kept with each: as many searches at once need no new. */
#define SCRATCHES 8

struct net {
    atomic_size_t refs;
    struct om_roads *roads;  // NULL: the layer has no usable road
    pthread_mutex_t lock;
    size_t free;
    struct om_within scratch[SCRATCHES];
};

struct om__ways {
    struct om__service service;  // service.net is the net's
    struct net *net;             // NULL: straight
    char mode[40], name[80], name_zh[80], roads[OM_LIMIT_NAME_BYTES],
        water[OM_LIMIT_NAME_BYTES];
};

static void *net_ref(void *thing)
{
    atomic_fetch_add(&((struct net *)thing)->refs, 1);
    return thing;
}

static void net_unref(void *thing)
{
    struct net *net = thing;
    if (!net || atomic_fetch_sub(&net->refs, 1) > 1) return;
    for (size_t i = 0; i < net->free; i++) om_within_deinit(&net->scratch[i]);
    pthread_mutex_destroy(&net->lock);
    om_roads_free(net->roads);
    om_free(net);
}

static const struct om__made_kind KIND = {"ways", NETS, net_ref, net_unref};

om_status om__ways_new(struct om__made **out)
{
    return om__made_new(&KIND, out);
}

struct making {
    struct om_coverage *q;
    const struct om__service *service;
};

static om_status make_net(void *ctx, void **out)
{
    const struct making *m = ctx;
    struct net *net = om_calloc(1, sizeof *net);
    if (!net) return OM_E_MEMORY;
    net->refs = 1;
    pthread_mutex_init(&net->lock, NULL);
    const om_status st = om__service_net(m->q, m->service, &net->roads);
    if (st)
        net_unref(net);
    else
        *out = net;
    return st;
}

/* What the network is made of: rules, then layers as they are. */
static void net_key(const struct om__service *s, struct om__made_key *key)
{
    const char *const text[] = {s->roads->name, s->usable ? s->usable : "",
                                s->apart ? s->apart : "",
                                s->water ? s->water->name : ""};
    const double number[] = {s->cross, s->join_m, s->least_m};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        om_buf_add(&key->text, text[i], strlen(text[i]) + 1);
    om_buf_add(&key->text, number, sizeof number);
    key->family = key->text.len;
    om_buf_add(&key->text, &s->roads->serial, sizeof s->roads->serial);
    if (s->water)
        om_buf_add(&key->text, &s->water->serial, sizeof s->water->serial);
}

/* waiter: om__made_get */
static om_status get_net(struct om_server *server, struct om__request *waiter,
                         struct om_coverage *q,
                         const struct om__service *service, struct net **out)
{
    struct om__made_key key = {.newness = q->snapshot->sequence};
    struct making making = {q, service};
    void *thing = NULL;
    net_key(service, &key);
    const om_status st = om__made_get(server->ways, &key, waiter, true,
                                      make_net, &making, &thing);
    om_buf_deinit(&key.text);
    *out = thing;
    return st;
}

static bool hides(void *ctx, const struct om_layer *layer)
{
    return om__crowds_only(ctx, layer);
}

static om_status told(struct om__request *r, const struct om_coverage *q,
                      om_status st)
{
    if (!st) return st;
    if (q->refused) return om__rows_allowed(r, q->refused);
    if (!q->wrong && om__rights_unsaid(r, st))
        return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is no such thing");
    r->err = q->err;
    r->parameter = q->wrong;
    return st;
}

static void keep_words(struct om__ways *w)
{
    struct om__service *s = &w->service;
    snprintf(w->mode, sizeof w->mode, "%s", s->mode);
    snprintf(w->name, sizeof w->name, "%s", s->mode_en);
    snprintf(w->name_zh, sizeof w->name_zh, "%s", s->mode_zh);
    if (s->roads) snprintf(w->roads, sizeof w->roads, "%s", s->roads->name);
    if (s->water) snprintf(w->water, sizeof w->water, "%s", s->water->name);
}

om_status om__ways_get(struct om__request *r, struct om__ways **out)
{
    const struct om_coverage_option option[] = {
        {"mode", om__param_text(r, "mode")}};
    struct om_coverage q = {.snapshot = r->snapshot,
                            .selections = r->server->selections,
                            .option = option,
                            .options = option->value ? 1 : 0,
                            .hides = hides,
                            .hides_ctx = r};
    struct om__ways *ways = om_calloc(1, sizeof *ways);
    *out = NULL;
    if (!ways) return OM_E_MEMORY;
    om_status st = om__service_read_ways(&q, &ways->service);
    if (!st) keep_words(ways);
    if (!st && ways->service.roads)
        st = get_net(r->server, r, &q, &ways->service, &ways->net);
    if (st || r->later) {
        om__ways_unref(ways);
        return told(r, &q, st);
    }
    ways->service.net = ways->net ? ways->net->roads : NULL;
    om__service_travel(&ways->service);
    *out = ways;
    return OM_OK;
}

void om__ways_unref(struct om__ways *ways)
{
    if (!ways) return;
    net_unref(ways->net);
    om_free(ways);
}

static void add_text(struct om_buf *out, const char *key, const char *text)
{
    om_buf_addf(out, "\"%s\":", key);
    om_buf_add_json_text(out, text, strlen(text));
    om_buf_add_byte(out, ',');
}

void om__ways_members(const struct om__ways *ways, struct om_buf *out)
{
    add_text(out, "mode", ways->mode);
    add_text(out, "name", ways->name);
    add_text(out, "name_zh", ways->name_zh);
    add_text(out, "over", ways->service.over);
    om_buf_addf(out, "\"m_per_min\":%g", ways->service.m_per_min);
}

/* ---- scratch, lent ---- */

static struct om_within borrow(struct net *net)
{
    struct om_within within = {0};
    pthread_mutex_lock(&net->lock);
    if (net->free) within = net->scratch[--net->free];
    pthread_mutex_unlock(&net->lock);
    return within;
}

static void give_back(struct net *net, struct om_within within)
{
    pthread_mutex_lock(&net->lock);
    const bool room = net->free < SCRATCHES;
    if (room) net->scratch[net->free++] = within;
    pthread_mutex_unlock(&net->lock);
    if (!room) om_within_deinit(&within);
}

om_status om__ways_nearest(struct om__ways *ways, const struct om_query *query,
                           double minutes_most, struct om_ways *out)
{
    const struct om_travel *travel = &ways->service.travel;
    if (!travel->roads)
        return om_ways_nearest(travel, query, minutes_most, NULL, out);
    struct om_within within = borrow(ways->net);
    const om_status st =
        om_ways_nearest(travel, query, minutes_most, &within, out);
    give_back(ways->net, within);
    return st;
}

om_status om__ways_isochrone(struct om__ways *ways, struct om_pos at,
                             double minutes, struct om_isochrone *out)
{
    const struct om_travel *travel = &ways->service.travel;
    if (!travel->roads)
        return om_isochrone_make(travel, at, minutes, NULL, out);
    struct om_within within = borrow(ways->net);
    const om_status st = om_isochrone_make(travel, at, minutes, &within, out);
    give_back(ways->net, within);
    return st;
}

void om__ways_needs(struct om__request *r, const struct om__ways *ways)
{
    if (ways->roads[0]) om__needs_layer(r, ways->roads, OM__EVERYWHERE);
    if (ways->water[0]) om__needs_layer(r, ways->water, OM__EVERYWHERE);
}

/* ---- lent to questions of coverage ---- */

/* Where people step onto a network. */
struct snaps {
    atomic_size_t refs;
    size_t count;
    struct om_snap *snap;  // [count]
};

static void *snaps_ref(void *thing)
{
    atomic_fetch_add(&((struct snaps *)thing)->refs, 1);
    return thing;
}

static void snaps_unref(void *thing)
{
    struct snaps *snaps = thing;
    if (!snaps || atomic_fetch_sub(&snaps->refs, 1) > 1) return;
    om_free(snaps->snap);
    om_free(snaps);
}

static const struct om__made_kind SNAPS_KIND = {"snaps", PEOPLE, snaps_ref,
                                                snaps_unref};

om_status om__snaps_new(struct om__made **out)
{
    return om__made_new(&SNAPS_KIND, out);
}

static om_status make_snaps(void *ctx, void **out)
{
    const struct om__service *s = ((const struct making *)ctx)->service;
    struct snaps *snaps = om_calloc(1, sizeof *snaps);
    if (!snaps) return OM_E_MEMORY;
    snaps->refs = 1;
    snaps->count = s->crowd.count;
    snaps->snap = om_alloc_array(snaps->count + 1, sizeof *snaps->snap);
    const om_status st = snaps->snap
                             ? om_roads_snap(s->net, s->crowd.key, snaps->count,
                                             s->reach_m, snaps->snap)
                             : OM_E_MEMORY;
    if (st)
        snaps_unref(snaps);
    else
        *out = snaps;
    return st;
}

static om_status lend_net(void *ctx, struct om_coverage *q,
                          const struct om__service *service,
                          struct om_roads **out)
{
    struct om__lent *lent = ctx;
    struct net *net = NULL;
    const om_status st = get_net(lent->server, NULL, q, service, &net);
    lent->net = net;
    *out = net ? net->roads : NULL;
    return st;
}

static om_status lend_snaps(void *ctx, struct om_coverage *q,
                            const struct om__service *service,
                            const struct om_snap **out)
{
    struct om__lent *lent = ctx;
    struct om__made_key key = {.newness = q->snapshot->sequence};
    struct making making = {q, service};
    *out = NULL;
    // Some of them are somebody's question, and not asked again.
    if (om__coverage_text(q, "among")) return OM_OK;
    const char *people = service->people->name;
    om_buf_add(&key.text, people, strlen(people) + 1);
    om_buf_add(&key.text, &service->reach_m, sizeof service->reach_m);
    // With the network's own rules, of the network's family.
    struct om__made_key net = {0};
    net_key(service, &net);
    om_buf_add(&key.text, net.text.bytes, net.family);
    key.family = key.text.len;
    om_buf_add(&key.text, net.text.bytes + net.family,
               net.text.len - net.family);
    om_buf_add(&key.text, &service->people->serial,
               sizeof service->people->serial);
    om_status st = net.text.status;
    om_buf_deinit(&net.text);
    if (!st)
        st = om__made_get(lent->server->snaps, &key, NULL, true, make_snaps,
                          &making, &lent->snaps);
    om_buf_deinit(&key.text);
    const struct snaps *snaps = lent->snaps;
    if (!st && snaps->count == service->crowd.count) *out = snaps->snap;
    return st;
}

void om__lent_init(struct om__lent *lent, struct om_server *server)
{
    *lent = (struct om__lent){.server = server};
    lent->lender = (struct om_coverage_lender){lent, lend_net, lend_snaps};
}

void om__lent_deinit(struct om__lent *lent)
{
    net_unref(lent->net);
    snaps_unref(lent->snaps);
}
