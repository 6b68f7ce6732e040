/* road_net.c - which borders carry roads, and that all of them meet.
 *
 * DESIGN
 * Borders between quarters are cut into chains and most of them get a road by
 * the dice. Left at that, a tenth of the roads would be islands: so streets
 * that would hang get a road at one end, and then Kruskal's algorithm (1956)
 * adds the chains that join pieces; what it adds and nothing needs (a chain
 * with a loose end) goes again. Pieces are kept by corners, so chains that
 * touch in any corner are joined.
 */
#include "data/synth/road_net.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/synth/outline.h"
#include "data/synth/road_net_internal.h"

/* Share of the chains of a rank that carry a road at first; through hills,
 * water and fields fewer. MADE UP. */
static const double SHARE[5] = {0, 0.75, 0.8, 0.85, 0.9};
#define WILD_SHARE 0.35

static unsigned rank_of(const void *ctx, uint32_t a, uint32_t b)
{
    const struct om__city *city = ctx;
    if (city->quarter_of[a] == city->quarter_of[b]) return 0;
    // No roads along the rim of the city, or in the water.
    if (city->quarter_of[a] == OM__NONE || city->quarter_of[b] == OM__NONE)
        return 0;
    if ((city->cover[a] | city->cover[b]) & OM__COVER_WATER) return 0;
    if (city->town_of[a] != city->town_of[b]) return 4;
    if (city->village_of[a] != city->village_of[b]) return 3;
    return city->grid_of[a] != city->grid_of[b] ? 2 : 1;
}

static bool wild(const struct om__city *city, uint32_t cell)
{
    const enum om__kind kind = city->quarter[city->quarter_of[cell]].kind;
    return kind == OM__KIND_HILL || kind == OM__KIND_WATER ||
           kind == OM__KIND_FARM;
}

static bool through_wild(const struct om__city *city,
                         const struct om__chain *chain)
{
    return wild(city, chain->left) && wild(city, chain->right);
}

uint32_t om__piece_of(struct om__net_work *work, uint32_t corner)
{
    uint32_t *piece = work->piece;
    while (piece[corner] != corner) {
        piece[corner] = piece[piece[corner]];
        corner = piece[corner];
    }
    return corner;
}

bool om__piece_join(struct om__net_work *work, uint32_t a, uint32_t b)
{
    const uint32_t p = om__piece_of(work, a), q = om__piece_of(work, b);
    if (p == q) return false;
    // The lower number stays: pieces are the same whatever the order.
    if (p < q)
        work->piece[q] = p;
    else
        work->piece[p] = q;
    return true;
}

static uint32_t *corners_of(const struct om__road_net *net,
                            const struct om__chain *chain)
{
    return net->corner + chain->first;
}

/* Corners of a chain, each once: a ring ends where it begins. */
static uint32_t corners_in(const struct om__road_net *net,
                           const struct om__chain *chain)
{
    const uint32_t *c = corners_of(net, chain);
    return c[0] == c[chain->n - 1] ? chain->n - 1 : chain->n;
}

void om__net_open(struct om__net_work *work, uint32_t number)
{
    struct om__chain *chain = &work->net->chain[number];
    const uint32_t *c = corners_of(work->net, chain);
    if (chain->road) return;
    chain->road = true;
    const uint32_t n = corners_in(work->net, chain);
    for (uint32_t i = 0; i < n; i++) {
        work->junction[c[i]].roads++;
        if (i) om__piece_join(work, c[0], c[i]);
    }
}

static om_status grow(void **array, uint32_t *room, uint32_t need, size_t size)
{
    if (need <= *room) return OM_OK;
    const uint32_t more = need + need / 2 + 64;
    void *bigger = om_realloc(*array, more * size);
    if (!bigger) return OM_E_MEMORY;
    *array = bigger;
    *room = more;
    return OM_OK;
}

static void link_corners(struct om__net_work *work, uint32_t a, uint32_t b,
                         uint32_t chain)
{
    struct om__junction *j = &work->junction[a];
    if (j->n == 3) return;
    j->to[j->n] = b;
    j->chain[j->n++] = chain;
}

struct collecting {
    struct om__net_work *work;
    uint8_t rank;
};

static om_status collect(void *ctx, const uint32_t *corner, size_t n,
                         uint32_t left, uint32_t right)
{
    const struct collecting *c = ctx;
    struct om__road_net *net = c->work->net;
    OM_TRY(grow((void **)&net->chain, &net->room_chains, net->chains + 1,
                sizeof *net->chain));
    OM_TRY(grow((void **)&net->corner, &net->room_corners,
                net->corners + (uint32_t)n, sizeof *net->corner));
    net->chain[net->chains] = (struct om__chain){
        net->corners, (uint32_t)n, left, right, c->rank, false};
    memcpy(net->corner + net->corners, corner, n * sizeof *corner);
    for (size_t i = 0; i + 1 < n; i++) {
        link_corners(c->work, corner[i], corner[i + 1], net->chains);
        link_corners(c->work, corner[i + 1], corner[i], net->chains);
    }
    net->corners += (uint32_t)n;
    net->chains++;
    return OM_OK;
}

static om_status collect_all(struct om__net_work *work)
{
    for (uint8_t rank = 4; rank > 0; rank--) {
        struct collecting c = {work, rank};
        OM_TRY(om__outline_chains(&work->city->mesh, rank_of, work->city, rank,
                                  collect, &c));
    }
    return OM_OK;
}

static void throw_dice(struct om__net_work *work)
{
    struct om__road_net *net = work->net;
    for (uint32_t i = 0; i < net->chains; i++) {
        const struct om__chain *chain = &net->chain[i];
        struct om__dice dice =
            om__dice(work->city->seed, OM__FOR_ROAD, corners_of(net, chain)[0]);
        const double share = SHARE[chain->rank];
        if (om__dice_chance(&dice, through_wild(work->city, chain)
                                       ? share * WILD_SHARE
                                       : share))
            om__net_open(work, i);
    }
}

static void close_road(struct om__net_work *work, struct om__chain *chain)
{
    const uint32_t *c = corners_of(work->net, chain);
    const uint32_t n = corners_in(work->net, chain);
    chain->road = false;
    for (uint32_t i = 0; i < n; i++) work->junction[c[i]].roads--;
}

/* Does it meet other roads in fewer than two corners? */
static bool loose(const struct om__net_work *work,
                  const struct om__chain *chain)
{
    const uint32_t *c = corners_of(work->net, chain);
    const uint32_t n = corners_in(work->net, chain);
    uint32_t met = 0;
    for (uint32_t i = 0; i < n; i++) met += work->junction[c[i]].roads > 1;
    return met < 2;
}

/* Would a road on it join two pieces? Corners that no other chain touches do
 * not count. */
static bool joins(struct om__net_work *work, const struct om__chain *chain)
{
    const uint32_t *c = corners_of(work->net, chain);
    const uint32_t n = corners_in(work->net, chain);
    uint32_t first = OM__NONE;
    for (uint32_t i = 0; i < n; i++) {
        const bool inner = i > 0 && i + 1 < chain->n;
        if (inner && work->junction[c[i]].n < 3) continue;
        const uint32_t piece = om__piece_of(work, c[i]);
        if (first == OM__NONE) first = piece;
        if (piece != first) return true;
    }
    return false;
}

/* Kruskal: through the wild last; then what came in and hangs loose goes. */
static om_status join_pieces(struct om__net_work *work)
{
    struct om__road_net *net = work->net;
    uint32_t *added = om_alloc_array(net->chains + 1, sizeof *added);
    if (!added) return OM_E_MEMORY;
    uint32_t n = 0;
    for (int wilds = 0; wilds < 2; wilds++)
        for (uint32_t i = 0; i < net->chains; i++) {
            const struct om__chain *chain = &net->chain[i];
            if (chain->road || through_wild(work->city, chain) != !!wilds)
                continue;
            if (!joins(work, chain)) continue;
            om__net_open(work, i);
            added[n++] = i;
        }
    for (bool again = true; again;) {
        again = false;
        for (uint32_t k = n; k-- > 0;) {
            struct om__chain *chain = &net->chain[added[k]];
            if (!chain->road || !loose(work, chain)) continue;
            close_road(work, chain);
            again = true;
        }
    }
    om_free(added);
    return OM_OK;
}

om_status om__road_net_make(const struct om__city *city,
                            struct om__road_net *out)
{
    const size_t corners = 2 * (size_t)city->mesh.cells;
    struct om__net_work work = {.city = city, .net = out};
    om_status st = OM_OK;
    *out = (struct om__road_net){0};
    work.junction = om_calloc(corners, sizeof *work.junction);
    work.piece = om_alloc_array(corners, sizeof *work.piece);
    out->street = om_calloc(city->streets + 1, sizeof *out->street);
    if (!work.junction || !work.piece || !out->street) {
        st = OM_E_MEMORY;
        goto done;
    }
    for (size_t i = 0; i < corners; i++) work.piece[i] = (uint32_t)i;
    st = collect_all(&work);
    if (st) goto done;
    throw_dice(&work);
    st = om__net_streets(&work);
    if (!st) st = join_pieces(&work);
    if (!st) st = om__net_bridges(&work);
done:
    om_free(work.junction);
    om_free(work.piece);
    if (st) om__road_net_deinit(out);
    return st;
}

void om__road_net_deinit(struct om__road_net *net)
{
    om_free(net->corner);
    om_free(net->chain);
    om_free(net->street);
    om_free(net->bridge);
    *net = (struct om__road_net){0};
}
