// node.c - vertices near edges become vertices of the edges.
#include "engine/shape/node.h"

#include <math.h>
#include <stdlib.h>

#include "data/base/alloc.h"
#include "data/model/pos.h"
#include "engine/shape/shape.h"

/* DESIGN
 * Rounding moves a vertex, and any point of an edge, by less than sqrt(1/2)
 * of a cell from the middle of its cell. A vertex and an edge further apart
 * than sqrt(2) cells can therefore not change sides; nearer ones are made to
 * meet, here, while coordinates are still exact. Then
 *   (1) no edge can cross another by rounding, since two segments that move
 *       steadily first touch where one has an end;
 *   (2) the answer for an edge depends on its two ends and the set of all
 *       vertices only, so neighbours that share an edge, whole or in part, end
 *       up with the same chain of vertices, one the reverse of the other.
 * (2) needs that vertices in one cell are one and the same (the smallest of
 * them stands for all) and that the edges an insertion makes are looked at
 * again, until nothing is inserted any more.
 *
 * Full snap rounding would node crossings of edges too; edges of a partition
 * do not cross, and where shapes overlap by mistake they may stay so. */

#define REACH 1.5
/* Edges shorter than this are left alone: dividing them would go round in
 * circles among vertices a cell apart. The check after rounding sees to them.
 */
#define SHORTEST (2 * REACH)
/* Garbage of many tangled shapes could grow without end; real shapes grow by
 * a few vertices. */
#define MAX_GROWTH 8
/* Rounds of insertion; each can only uncover what the last one moved. */
#define MAX_ROUNDS 8
/* A long slanted edge is looked up in pieces, or its box would hold half of
 * all vertices. */
#define MAX_PIECES 256

struct hot {
    uint64_t key;
    struct om__xy at;
    uint32_t vertex;  // in the ringset
};

struct hit {
    double t;  // along the edge, 0 to 1
    uint32_t hot;
};

struct noder {
    struct hot *hot;  // unique cells in Morton order
    size_t count;
    struct om_tree *tree;
    double spacing;  // cells between vertices, roughly
    struct hit *hit;
    size_t hits, hit_room;
    struct om__xy a, b;  // the edge at hand
    om_status status;
};

static uint32_t cell_of(double at)
{
    if (!(at > 0)) return 0;
    return at >= OM_POS_SIDE ? UINT32_MAX : (uint32_t)at;
}

static int by_key(const void *one, const void *two)
{
    const struct hot *a = one, *b = two;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    if (a->at.x != b->at.x) return a->at.x < b->at.x ? -1 : 1;
    if (a->at.y != b->at.y) return a->at.y < b->at.y ? -1 : 1;
    return (a->vertex > b->vertex) - (a->vertex < b->vertex);
}

/* One vertex a cell: the smallest; all others in the cell become it. */
static om_status gather(struct noder *noder, struct om__ringset *set)
{
    noder->hot = om_alloc_array(set->vertices, sizeof *noder->hot);
    if (!noder->hot) return OM_E_MEMORY;
    for (size_t i = 0; i < set->vertices; i++) {
        const struct om__xy at = set->vertex[i];
        const struct om_pos pos = {cell_of(at.x), cell_of(at.y)};
        noder->hot[i] = (struct hot){om_morton(pos), at, (uint32_t)i};
    }
    qsort(noder->hot, set->vertices, sizeof *noder->hot, by_key);
    for (size_t i = 0; i < set->vertices; i++) {
        const struct hot hot = noder->hot[i];
        if (i == 0 || noder->hot[noder->count - 1].key != hot.key)
            noder->hot[noder->count++] = hot;
        set->vertex[hot.vertex] = noder->hot[noder->count - 1].at;
    }
    return OM_OK;
}

static om_status plant(struct noder *noder)
{
    struct om_box *box = om_alloc_array(noder->count, sizeof *box);
    if (!box) return OM_E_MEMORY;
    struct om_box all = OM_BOX_NONE;
    for (size_t i = 0; i < noder->count; i++) {
        const struct om_pos p = om_morton_pos(noder->hot[i].key);
        box[i] = (struct om_box){p.x, p.y, p.x, p.y};
        om_box_widen(&all, box[i]);
    }
    const double width = (double)(all.x1 - all.x0) + 1;
    const double height = (double)(all.y1 - all.y0) + 1;
    noder->spacing = sqrt(width * height / (double)noder->count);
    const om_status st = om_tree_new(box, noder->count, &noder->tree);
    om_free(box);
    return st;
}

static bool near_edge(void *ctx, uint32_t index)
{
    struct noder *noder = ctx;
    const struct om__xy a = noder->a, b = noder->b, p = noder->hot[index].at;
    if ((p.x == a.x && p.y == a.y) || (p.x == b.x && p.y == b.y)) return true;
    const double dx = b.x - a.x, dy = b.y - a.y;
    const double length2 = dx * dx + dy * dy;
    const double along = (p.x - a.x) * dx + (p.y - a.y) * dy;
    if (along <= 0 || along >= length2) return true;
    const double aside = (p.x - a.x) * dy - (p.y - a.y) * dx;
    if (aside * aside > REACH * REACH * length2) return true;
    if (noder->hits == noder->hit_room) {
        const size_t room = noder->hit_room ? noder->hit_room * 2 : 64;
        void *grown = om_realloc(noder->hit, room * sizeof *noder->hit);
        if (!grown) {
            noder->status = OM_E_MEMORY;
            return false;
        }
        noder->hit = grown;
        noder->hit_room = room;
    }
    noder->hit[noder->hits++] = (struct hit){along / length2, index};
    return true;
}

static int by_place(const void *one, const void *two)
{
    const struct hit *a = one, *b = two;
    if (a->t != b->t) return a->t < b->t ? -1 : 1;
    return (a->hot > b->hot) - (a->hot < b->hot);
}

static struct om_box around(struct om__xy a, struct om__xy b)
{
    const double reach = REACH + 1;
    return (struct om_box){
        cell_of(fmin(a.x, b.x) - reach), cell_of(fmin(a.y, b.y) - reach),
        cell_of(fmax(a.x, b.x) + reach), cell_of(fmax(a.y, b.y) + reach)};
}

/* Fill noder->hit with the vertices near the edge, in order from a to b. */
static om_status look_along(struct noder *noder, struct om__xy a,
                            struct om__xy b)
{
    noder->a = a;
    noder->b = b;
    noder->hits = 0;
    const double across = fmin(fabs(b.x - a.x), fabs(b.y - a.y));
    const double wanted = across / (4 * noder->spacing) + 1;
    const int pieces = wanted > MAX_PIECES ? MAX_PIECES : (int)wanted;
    for (int i = 0; i < pieces && !noder->status; i++) {
        const double t = (double)i / pieces, u = (double)(i + 1) / pieces;
        const struct om__xy from = {a.x + (b.x - a.x) * t,
                                    a.y + (b.y - a.y) * t};
        const struct om__xy to = {a.x + (b.x - a.x) * u, a.y + (b.y - a.y) * u};
        om_tree_search(noder->tree, around(from, to), near_edge, noder);
    }
    if (noder->status) return noder->status;
    if (noder->hits > 1)
        qsort(noder->hit, noder->hits, sizeof *noder->hit, by_place);
    return OM_OK;
}

/* The edge is always looked at from its smaller end, so that both its owners
 * compute the same numbers. */
static om_status insert_into(struct noder *noder, struct om__xy a,
                             struct om__xy b, struct om__ringset *out,
                             size_t *inserted)
{
    const double dx = b.x - a.x, dy = b.y - a.y;
    if (dx * dx + dy * dy < SHORTEST * SHORTEST) return OM_OK;
    const bool turned = a.x > b.x || (a.x == b.x && a.y > b.y);
    OM_TRY(turned ? look_along(noder, b, a) : look_along(noder, a, b));
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < noder->hits; i++) {
        const size_t at = turned ? noder->hits - 1 - i : i;
        const uint32_t hot = noder->hit[at].hot;
        if (hot == last) continue;  // found from two pieces
        last = hot;
        OM_TRY(om__ringset_add(out, noder->hot[hot].at));
        ++*inserted;
    }
    return OM_OK;
}

static om_status insert_all(struct noder *noder, const struct om__ringset *set,
                            struct om__ringset *out, size_t *inserted)
{
    size_t ring = 0, part = 0;
    for (size_t s = 0; s < set->shapes; s++) {
        for (; part < set->shape_end[s]; part++) {
            for (; ring < set->part_end[part]; ring++) {
                const size_t first = om__ring_first(set, ring);
                const size_t end = set->ring_end[ring];
                for (size_t i = first; i < end; i++) {
                    const struct om__xy a = set->vertex[i];
                    const struct om__xy b =
                        set->vertex[i + 1 < end ? i + 1 : first];
                    OM_TRY(om__ringset_add(out, a));
                    OM_TRY(insert_into(noder, a, b, out, inserted));
                }
                OM_TRY(om__ringset_end_ring(out));
            }
            OM_TRY(om__ringset_end_part(out));
        }
        OM_TRY(om__ringset_end_shape(out));
    }
    return OM_OK;
}

om_status om__ringset_node(struct om__ringset *set)
{
    if (set->vertices == 0) return OM_OK;
    struct noder noder = {0};
    struct om__ringset next = {0};
    const size_t most = set->vertices * MAX_GROWTH;
    om_status st = gather(&noder, set);
    if (st) goto done;
    st = plant(&noder);
    if (st) goto done;
    for (int round = 0; round < MAX_ROUNDS; round++) {
        size_t inserted = 0;
        om__ringset_clear(&next);
        st = insert_all(&noder, set, &next, &inserted);
        if (st) goto done;
        const struct om__ringset kept = *set;
        *set = next;
        next = kept;
        if (inserted == 0 || set->vertices > most) break;
    }
done:
    om__ringset_deinit(&next);
    om_tree_free(noder.tree);
    om_free(noder.hot);
    om_free(noder.hit);
    return st;
}
