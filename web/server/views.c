/* views.c - heat maps made ready, each once.
 *
 * DESIGN
 * A view is made from the layers of its terms and exposures and from figures of
 * the whole city: the legend, the share of it that a filter leaves, the mean
 * that small numbers are shrunk to. A row that is written makes a new view
 * (what fields and selections know of the other rows stays), but were the
 * figures new as well, then every tile of the map would be. So figures are
 * found on the beat and kept until the next one, and the legend of a map as it
 * ships is for good. So is how values are spread over the city, which a value
 * is ranked by: a sweep over all of it. Views that take long are made, and
 * waited for, by the worker of heavy work alone.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "web/server/bounds.h"
#include "web/server/cost.h"
#include "web/server/heat_ask.h"
#include "web/server/made.h"
#include "web/server/needs.h"
#include "web/server/server_internal.h"
#include "web/server/views.h"
#include "web/server/worlds.h"

/* Views kept. Their bitmaps are the selections' cache's to bound; this bounds
 * what the views themselves keep alive beyond it. */
#define VIEWS 48
/* Figures kept: small, and to be found again only on the beat. */
#define FIGURES 1024
/* Spreads kept, of the beat. */
#define SPREADS 64

struct made {
    struct om__view view;  // first: what callers hold
    atomic_size_t refs;
    struct om_snapshot *snapshot;
    struct om__world *world;
    pthread_mutex_t lock;  // guards view.heat.spread until it is there
    atomic_bool spread_known;
    struct spread *lent;  // whose spread view.heat.spread is; NULL: its own
};

/* How values were spread when somebody first asked in a beat. */
struct spread {
    atomic_size_t refs;
    struct om_risk_spread *spread;  // NULL: too much to find out
};

struct figures {
    atomic_size_t refs;
    struct om_heat_figures figures;
    uint64_t hash;
    bool nothing;  // there is nothing yet that a legend could be made of
};

struct om__views {
    struct om__made *views, *figures, *spreads;
};

static void *view_ref(void *thing)
{
    atomic_fetch_add(&((struct made *)thing)->refs, 1);
    return thing;
}

static void view_unref(void *thing)
{
    om__view_unref(thing);
}

static void *figures_ref(void *thing)
{
    atomic_fetch_add(&((struct figures *)thing)->refs, 1);
    return thing;
}

static void figures_unref(void *thing)
{
    struct figures *f = thing;
    if (f && atomic_fetch_sub(&f->refs, 1) == 1) om_free(f);
}

static void *spread_ref(void *thing)
{
    atomic_fetch_add(&((struct spread *)thing)->refs, 1);
    return thing;
}

static void spread_unref(void *thing)
{
    struct spread *s = thing;
    if (!s || atomic_fetch_sub(&s->refs, 1) > 1) return;
    om_risk_spread_free(s->spread);
    om_free(s);
}

static const struct om__made_kind VIEW_KIND = {"views", VIEWS, view_ref,
                                               view_unref};
static const struct om__made_kind FIGURES_KIND = {"figures", FIGURES,
                                                  figures_ref, figures_unref};
static const struct om__made_kind SPREAD_KIND = {"spreads", SPREADS, spread_ref,
                                                 spread_unref};

om_status om__views_new(struct om__views **out)
{
    struct om__views *views = om_calloc(1, sizeof *views);
    if (!views) return OM_E_MEMORY;
    om_status st = om__made_new(&VIEW_KIND, &views->views);
    if (!st) st = om__made_new(&FIGURES_KIND, &views->figures);
    if (!st) st = om__made_new(&SPREAD_KIND, &views->spreads);
    if (st)
        om__views_free(views);
    else
        *out = views;
    return st;
}

void om__view_unref(struct om__view *view)
{
    struct made *made = (struct made *)view;
    if (!made || atomic_fetch_sub(&made->refs, 1) > 1) return;
    if (made->lent) made->view.heat.spread = NULL;
    spread_unref(made->lent);
    om_heat_view_deinit(&made->view.heat);
    pthread_mutex_destroy(&made->lock);
    om__world_unref(made->world);
    om_snapshot_unref(made->snapshot);
    om_free(made);
}

void om__views_sweep(struct om__views *views)
{
    om__made_sweep(views->views, OM__IDLE_THING_S);
}

void om__views_clear(struct om__views *views)
{
    om__made_clear(views->views);
    om__made_clear(views->figures);
    om__made_clear(views->spreads);
}

void om__views_free(struct om__views *views)
{
    if (!views) return;
    om__made_free(views->views);
    om__made_free(views->figures);
    om__made_free(views->spreads);
    om_free(views);
}

struct om__made *om__views_table(struct om__views *views)
{
    return views->views;
}

/* ---- keys */

om_status om__view_key(const struct om__request *r,
                       const struct om_risk_bound *bound, struct om_buf *key)
{
    om_buf_add(key, &r->world->version, sizeof r->world->version);
    om_buf_add(key, &r->snapshot->rights, sizeof r->snapshot->rights);
    om_buf_add(key, bound->name, strlen(bound->name) + 1);
    // The moment counts where rows fade, the period for the legend.
    om_buf_add(key, bound->period, strlen(bound->period) + 1);
    return om_buf_add(key, bound->canonical, strlen(bound->canonical));
}

static void add_serials(const struct om_risk_bound *bound, struct om_buf *key)
{
    const struct om_risk *risk = &bound->risk;
    for (size_t i = 0; i < risk->terms; i++)
        om_buf_add(key, &risk->term[i].spec.layer->serial, sizeof(uint64_t));
    for (size_t i = 0; i < risk->exposures; i++)
        om_buf_add(key, &risk->exposure[i].spec.layer->serial,
                   sizeof(uint64_t));
}

/* Are its figures others when rows come and go? */
static bool is_moving(const struct om_risk_bound *bound)
{
    return bound->filtered || !bound->standard || bound->risk.shrink > 0.0;
}

bool om__view_moves(const struct om_risk_bound *bound)
{
    return bound->dated || is_moving(bound);
}

/* What a window of a coarse map looks at, too: nodes around it, at most a
 * bandwidth and a half away. */
static struct om_box reach_of(const struct om_field_spec *spec,
                              const struct om_field_window *window,
                              double coarse_m)
{
    struct om_field_spec wide = *spec;
    wide.bandwidth_m += 3 * coarse_m;
    return om_field_reach(&wide, window);
}

void om__view_needs(struct om__request *r, const struct om_risk_bound *bound,
                    const struct om_field_window *window)
{
    const struct om_risk *risk = &bound->risk;
    const double coarse_m = om__heat_coarse_m(bound);
    for (size_t i = 0; i < risk->terms + risk->exposures; i++) {
        const struct om_field_spec *spec =
            i < risk->terms ? &risk->term[i].spec
                            : &risk->exposure[i - risk->terms].spec;
        om__needs_layer(r, spec->layer->name,
                        window ? reach_of(spec, window, coarse_m)
                               : OM__EVERYWHERE);
    }
    if (om__view_moves(bound)) om__needs_beat(r);
}

/* ---- making */

struct asking {
    struct om__request *request;
    const struct om_risk_bound *bound;
    const struct om_heat_figures *known;
};

/* The world of this request: its figures are of this beat. */
static om_status world_of(struct om__request *r, struct om_heat_world *out)
{
    OM_TRY(om__world_heat(r->world, r, out));
    out->epoch = (uint64_t)r->now_s;
    return OM_OK;
}

/* The bound's layers alone: a view may be kept for long. */
static om_status view_snapshot(const struct om_snapshot *from,
                               const struct om_risk *risk,
                               struct om_snapshot **out)
{
    const char *name[OM_MODEL_TERMS_MOST + OM_MODEL_EXPOSURES_MOST];
    size_t names = 0;
    for (size_t i = 0; i < risk->terms; i++)
        name[names++] = risk->term[i].spec.layer->name;
    for (size_t i = 0; i < risk->exposures; i++)
        name[names++] = risk->exposure[i].spec.layer->name;
    return om_snapshot_some(from, name, names, out);
}

static om_status make_view(void *ctx, void **out)
{
    const struct asking *a = ctx;
    struct om__request *r = a->request;
    struct om_heat_world world;
    struct om_risk_bound *again = NULL;
    struct made *made = om_calloc(1, sizeof *made);
    if (!made) return OM_E_MEMORY;
    made->refs = 1;
    made->world = om__world_ref(r->world);
    pthread_mutex_init(&made->lock, NULL);
    om_status st = view_snapshot(r->snapshot, &a->bound->risk, &made->snapshot);
    // Bound to the layers that the view holds.
    if (!st)
        st = om_risk_bind(made->snapshot, r->world->models, &a->bound->ask,
                          &again, NULL, &r->err);
    if (!st) again->risk.coarse_m = om__heat_coarse_m(again);
    if (!st) st = world_of(r, &world);
    if (!st)
        st = om_heat_view_init(&world, again, a->known, &made->view.heat,
                               &r->err);
    else
        om_risk_bound_free(again);
    if (st)
        om__view_unref(&made->view);
    else
        *out = made;
    return st;
}

static uint64_t hash_figures(const struct om_heat_figures *f)
{
    const struct {
        double mean, scale, legend;
        int64_t version;
        uint64_t relative;
    } all = {f->mean, f->scale,
             f->legend.relative ? f->legend.mean : f->legend.most,
             f->legend.version, f->legend.relative};
    return om_hash64(&all, sizeof all, 0);
}

static om_status make_figures(void *ctx, void **out)
{
    const struct asking *a = ctx;
    struct om__request *r = a->request;
    struct om_heat_world world;
    struct om_heat_view view = {0};
    struct om_risk_bound *again = NULL;
    OM_TRY(world_of(r, &world));
    OM_TRY(om_risk_bind(r->snapshot, r->world->models, &a->bound->ask, &again,
                        NULL, &r->err));
    OM_TRY(om_heat_view_init(&world, again, NULL, &view, &r->err));
    struct figures *f = om_calloc(1, sizeof *f);
    if (f) {
        const struct om_legend_data *d = &view.figures.legend;
        const double figure = d->relative ? d->mean : d->most;
        f->refs = 1;
        f->figures = view.figures;
        f->hash = hash_figures(&f->figures);
        f->nothing = !(isfinite(figure) && figure > 0.0);
        *out = f;
    }
    om_heat_view_deinit(&view);
    return f ? OM_OK : OM_E_MEMORY;
}

/* Figures of the beat; where nothing is, of the rows as they are, because
 * there may be something with the next row. */
static om_status get_figures(struct om__request *r,
                             const struct om_risk_bound *bound,
                             struct figures **out)
{
    const bool heavy = om__view_cost_s(bound) > OM__HEAVY_S;
    const int64_t beat_s = om__view_moves(bound) ? r->now_s : 0;
    struct asking ask = {.request = r, .bound = bound};
    struct om__made_key key = {.newness = (uint64_t)r->now_s};
    void *thing = NULL;
    (void)!om__view_key(r, bound, &key.text);  // the buffer remembers
    key.family = key.text.len;
    om_buf_add(&key.text, &beat_s, sizeof beat_s);
    om_status st = om__made_get(r->server->views->figures, &key, r, heavy,
                                make_figures, &ask, &thing);
    if (!st && thing && ((struct figures *)thing)->nothing) {
        figures_unref(thing);
        thing = NULL;
        om_buf_add_byte(&key.text, 1);
        key.family = key.text.len;
        key.newness = r->snapshot->sequence;
        add_serials(bound, &key.text);
        st = om__made_get(r->server->views->figures, &key, r, heavy,
                          make_figures, &ask, &thing);
    }
    om_buf_deinit(&key.text);
    *out = thing;
    return st;
}

om_status om__view_figures(struct om__request *r,
                           const struct om_risk_bound *bound, uint64_t *hash)
{
    struct figures *figures = NULL;
    OM_TRY(get_figures(r, bound, &figures));
    if (figures) *hash = figures->hash;
    figures_unref(figures);
    return OM_OK;
}

struct spreading {
    struct om__request *request;
    struct made *made;
};

static om_status make_spread(void *ctx, void **out)
{
    const struct spreading *a = ctx;
    struct om_heat_world world;
    struct spread *s = om_calloc(1, sizeof *s);
    if (!s) return OM_E_MEMORY;
    s->refs = 1;
    om_status st = om__world_heat(a->made->world, a->request, &world);
    if (!st) st = om_heat_view_spread(&world, &a->made->view.heat, &s->spread);
    if (st == OM_E_COST) st = OM_OK;
    if (st)
        spread_unref(s);
    else
        *out = s;
    return st;
}

/* That of the beat; where nothing is, of the rows as they are. */
static om_status get_spread(struct om__request *r, struct made *made,
                            struct spread **out)
{
    const struct om_risk_bound *bound = made->view.heat.bound;
    const bool heavy = om__spread_cost_s(bound) > OM__HEAVY_S;
    struct spreading ask = {r, made};
    struct om__made_key key = {.newness = (uint64_t)r->now_s};
    void *thing = NULL;
    (void)!om__view_key(r, bound, &key.text);
    key.family = key.text.len;
    om_buf_add(&key.text, &r->now_s, sizeof r->now_s);
    om_status st = om__made_get(r->server->views->spreads, &key, r, heavy,
                                make_spread, &ask, &thing);
    const struct spread *found = thing;
    if (!st && found && found->spread && !(found->spread->area_km2 > 0.0)) {
        spread_unref(thing);
        thing = NULL;
        st = make_spread(&ask, &thing);
    }
    om_buf_deinit(&key.text);
    *out = thing;
    return st;
}

bool om__view_spread(struct om__request *r, struct om__view *view,
                     om_status *status)
{
    struct made *made = (struct made *)view;
    struct spread *spread = NULL;
    *status = OM_OK;
    if (atomic_load(&made->spread_known)) return true;
    *status = get_spread(r, made, &spread);
    if (*status || !spread) return *status != OM_OK;
    pthread_mutex_lock(&made->lock);
    if (!atomic_load(&made->spread_known)) {
        view->heat.spread = spread->spread;
        made->lent = spread;
        spread = NULL;
        atomic_store(&made->spread_known, true);
    }
    pthread_mutex_unlock(&made->lock);
    spread_unref(spread);
    return true;
}

om_status om__view_get(struct om__request *r, const struct om_risk_bound *bound,
                       struct om__view **out)
{
    struct figures *figures = NULL;
    struct om__made_key key = {.newness = r->snapshot->sequence};
    void *thing = NULL;
    *out = NULL;
    OM_TRY(get_figures(r, bound, &figures));
    if (!figures) return OM_OK;  // later
    const bool heavy = om__view_cost_s(bound) > OM__HEAVY_S;
    struct asking ask = {
        .request = r, .bound = bound, .known = &figures->figures};
    (void)!om__view_key(r, bound, &key.text);
    key.family = key.text.len;
    om_buf_add(&key.text, &figures->hash, sizeof figures->hash);
    add_serials(bound, &key.text);
    const om_status st = om__made_get(r->server->views->views, &key, r, heavy,
                                      make_view, &ask, &thing);
    om_buf_deinit(&key.text);
    figures_unref(figures);
    *out = thing;
    return st;
}
