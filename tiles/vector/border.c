/* border.c - the borders of a layer as one network, ranked for every zoom.
 *
 * DESIGN
 * Visvalingam and Whyatt (1993): vertices go one after the other, always the
 * one whose triangle with its neighbours is smallest, and what area it had
 * says from which zoom on it is needed. Three things make it fit for borders
 * that shapes share:
 *   - it runs over the network of all shapes, where a place is one node:
 *     what two shapes share stays one border at every zoom. Nodes with other
 *     than two neighbours, and ends of lines, stay;
 *   - a node only goes while no other node lies in its triangle: then no
 *     border jumps over a place or another border, at any moment of the
 *     process. Each zoom shows one such moment: what it shows never crosses;
 *   - a ring that meets no other keeps two nodes far apart, so that the
 *     order does not depend on where a ring begins.
 * A node in whose triangle another lies waits until that one has gone.
 *
 * Rows of other layers than units come and go, and a million nodes are not
 * ranked again for one. There the ends of edges that lead from one cell of
 * OM__RANK_LEVEL to another stay, too. All that a node's rank depends on (its
 * neighbours, what lies in its triangles, the order among these) then lies in
 * its own cell: what a cell's ranks are follows from the shapes that have
 * vertices in it, and from nothing else, so that a cell in which something was
 * written is ranked by itself and comes out as it would with all others. Which
 * is why nothing here may depend on how nodes are numbered beyond their order
 * along the curve, or on which shape came first.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "engine/layer/build.h"
#include "engine/query/shapes.h"
#include "tiles/vector/border_internal.h"

#define NONE OM__NO_NODE
/* Seconds a vertex takes, roughly. */
#define VERTEX_S 1e-6

/* ---- the network ---- */

static size_t vertices_of(const struct om_rings *r, size_t row)
{
    return r->ring_vertex[r->part_ring[r->shape_part[row + 1]]] -
           r->ring_vertex[r->part_ring[r->shape_part[row]]];
}

/* Of all rows of the parts, the dead among them. */
static om_status count_vertices(const struct om_layer *layer, bool lasting,
                                size_t *out)
{
    *out = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *s = layer->part[p].segment;
        const size_t rows = om_segment_rows(s);
        struct om_rings rings;
        // The ragged offsets' last entries are all that is needed.
        if (!rows || (lasting && om__lasting(layer, p) == OM__PASSING))
            continue;
        OM_TRY(om_segment_rings(s, rows - 1, rows, &rings));
        *out += rings.ring_vertex[rings.part_ring[rings.shape_part[rows]]];
    }
    return OM_OK;
}

om_status om__vertices(const struct om_layer *layer, size_t *out)
{
    return count_vertices(layer, true, out);
}

static om_status count_dead_vertices(const struct om_layer *layer, size_t *out)
{
    *out = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_part *part = &layer->part[p];
        struct om_rings rings;
        if (!part->dead_count) continue;
        OM_TRY(om_segment_rings(part->segment, 0,
                                om_segment_rows(part->segment), &rings));
        for (size_t i = 0; i < part->dead_count; i++)
            *out += vertices_of(&rings, part->dead[i]);
    }
    return OM_OK;
}

void om__borders_limit(struct om_vectors *vectors, size_t vertices)
{
    vectors->border_vertices = vertices;
}

static om_status make_dead(void *ask, void **value, size_t *bytes)
{
    size_t *dead = om_alloc(sizeof *dead);
    if (!dead) return OM_E_MEMORY;
    const om_status st = count_dead_vertices(ask, dead);
    if (st) {
        om_free(dead);
        return st;
    }
    *bytes = sizeof *dead;
    *value = dead;
    return OM_OK;
}

static const struct om__keep_kind DEAD_KIND = {"dead", make_dead, om_free};

/* Those that live decide. */
bool om__borders_wanted(struct om_vectors *vectors,
                        const struct om_layer *layer)
{
    struct om__layer_key key;
    struct om__kept dead;
    size_t all;
    if (count_vertices(layer, false, &all)) return false;
    if (all <= vectors->border_vertices) return true;
    size_t gone = 0;
    for (size_t p = 0; p < layer->parts; p++) gone += layer->part[p].dead_count;
    om__layer_key_now(&key, layer, NULL);
    if (!gone || om__keep_get(vectors, &DEAD_KIND, &key, sizeof key,
                              (void *)(uintptr_t)layer, &dead))
        return false;
    all -= *(const size_t *)dead.value;
    om__keep_release(vectors, &dead);
    return all <= vectors->border_vertices;
}

/* Equal places become one node: sort, number, and write the numbers back. */
static om_status number_nodes(struct om__net *net, uint64_t *key,
                              uint32_t *vertex)
{
    const size_t n = net->vertices;
    uint64_t *key_room = om_alloc_array(n, sizeof *key_room);
    uint32_t *vertex_room = om_alloc_array(n, sizeof *vertex_room);
    om_status st = key_room && vertex_room ? OM_OK : OM_E_MEMORY;
    if (!st) st = om_sort_keys(key, vertex, key_room, vertex_room, n);
    om_free(key_room);
    om_free(vertex_room);
    if (st) return st;
    size_t nodes = 0;
    for (size_t i = 0; i < n; i++) {
        if (!i || key[i] != key[i - 1]) nodes++;
        net->node[vertex[i]] = (uint32_t)(nodes - 1);
    }
    net->b->nodes = nodes;
    net->b->pos =
        om_arena_alloc(&net->b->arena, (nodes + 1) * sizeof *net->b->pos);
    if (!net->b->pos) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        net->b->pos[net->node[vertex[i]]] = om_morton_pos(key[i]);
    return OM_OK;
}

static om_status find_nodes(struct om__net *net)
{
    const size_t room = net->vertices + 1;
    net->node = om_arena_alloc(&net->b->arena, room * sizeof *net->node);
    if (!net->node) return OM_E_MEMORY;
    uint64_t *key = om_alloc_array(room, sizeof *key);
    uint32_t *vertex = om_alloc_array(room, sizeof *vertex);
    const struct om__strand *strand = (const void *)net->strand.bytes;
    om_status st = key && vertex ? OM_OK : OM_E_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < net->strand.len / sizeof *strand && !st; i++)
        for (size_t k = 0; k < strand[i].n; k++, n++) {
            key[n] = om_morton(strand[i].at[k]);
            vertex[n] = (uint32_t)n;
        }
    if (!st) st = number_nodes(net, key, vertex);
    om_free(key);
    om_free(vertex);
    return st;
}

static om_status add_strand(struct om__net *net, const struct om_pos *at,
                            size_t n, bool closed)
{
    const struct om__strand strand = {at, n, closed};
    net->vertices += n;
    return net->vertices < UINT32_MAX
               ? om_buf_add(&net->strand, &strand, sizeof strand)
               : OM_E_LIMIT;
}

static void join(struct om__net *net, uint32_t from, uint32_t to)
{
    if (net->a[from] == to || net->c[from] == to) return;
    if (net->a[from] == NONE)
        net->a[from] = to;
    else if (net->c[from] == NONE)
        net->c[from] = to;
    else
        net->fixed[from] = true;
}

static uint64_t cell_of(const struct om__net *net, uint32_t node)
{
    return om__rank_cell(net->b->pos[node], net->level);
}

static void join_strand(struct om__net *net, const uint32_t *node,
                        const struct om__strand *s)
{
    const size_t n = s->n;
    if (!n) return;
    for (size_t i = 0; i + (s->closed ? 0 : 1) < n; i++) {
        const uint32_t from = node[i], to = node[i + 1 < n ? i + 1 : 0];
        if (from == to) continue;
        join(net, from, to);
        join(net, to, from);
        if (net->level && cell_of(net, from) != cell_of(net, to))
            net->fixed[from] = net->fixed[to] = true;
    }
    if (!s->closed) net->fixed[node[0]] = net->fixed[node[n - 1]] = true;
}

static void join_all(struct om__net *net)
{
    const struct om__strand *strand = (const void *)net->strand.bytes;
    const uint32_t *node = net->node;
    for (size_t i = 0; i < net->strand.len / sizeof *strand; i++) {
        join_strand(net, node, &strand[i]);
        node += strand[i].n;
    }
    for (size_t i = 0; i < net->b->nodes; i++)
        if (net->a[i] == NONE || net->c[i] == NONE) net->fixed[i] = true;
}

/* ---- rings that meet no other ---- */

static double apart(const struct om__net *net, uint32_t a, uint32_t b)
{
    const struct om_pos p = net->b->pos[a], q = net->b->pos[b];
    const double dx = (double)p.x - (double)q.x;
    const double dy = (double)p.y - (double)q.y;
    return dx * dx + dy * dy;
}

static uint32_t step(const struct om__net *net, uint32_t from, uint32_t at)
{
    return net->a[at] == from ? net->c[at] : net->a[at];
}

/* Walk from a node; mark what was seen. A ring without a fixed node gets two:
 * the lowest number, and the farthest from it, the lower one of two. */
static void anchor(struct om__net *net, uint32_t start, bool *seen)
{
    uint32_t from = start, at = net->a[start];
    seen[start] = true;
    while (at != start && !net->fixed[at] && !seen[at]) {
        seen[at] = true;
        const uint32_t next = step(net, from, at);
        from = at;
        at = next;
    }
    if (at != start) return;
    // Numbers rise with the place, and nodes are visited in their order.
    uint32_t far = start;
    from = start;
    for (at = net->a[start]; at != start;) {
        const double more = apart(net, start, at) - apart(net, start, far);
        if (more > 0.0 || (!(more < 0.0) && at < far)) far = at;
        const uint32_t next = step(net, from, at);
        from = at;
        at = next;
    }
    net->fixed[start] = net->fixed[far] = true;
}

/* Chains that end in fixed nodes are marked first, so that what is left is
 * rings. */
static om_status anchor_rings(struct om__net *net)
{
    bool *seen = om_calloc(net->b->nodes + 1, sizeof *seen);
    if (!seen) return OM_E_MEMORY;
    for (uint32_t i = 0; i < net->b->nodes; i++)
        for (int side = 0; net->fixed[i] && side < 2; side++) {
            uint32_t from = i, at = side ? net->c[i] : net->a[i];
            while (at != NONE && !net->fixed[at] && !seen[at]) {
                seen[at] = true;
                const uint32_t next = step(net, from, at);
                from = at;
                at = next;
            }
        }
    // A fixed node with more than two neighbours does not know them all: what
    // its other chains hold is walked from both ends and found to be no ring.
    for (uint32_t i = 0; i < net->b->nodes; i++)
        if (!net->fixed[i] && !seen[i]) anchor(net, i, seen);
    om_free(seen);
    return OM_OK;
}

/* ---- kept ---- */

static void free_borders(void *value)
{
    struct om__borders *b = value;
    om_arena_deinit(&b->arena);
    om_free(b);
}

static om_status build(struct om__net *net)
{
    OM_TRY(net->strand.status);
    OM_TRY(find_nodes(net));
    const size_t n = net->b->nodes;
    net->b->zoom = om_arena_calloc(&net->b->arena, n + 1, 1);
    net->a = om_alloc_array(n + 1, sizeof *net->a);
    net->c = om_alloc_array(n + 1, sizeof *net->c);
    net->fixed = om_calloc(n + 1, sizeof *net->fixed);
    net->gone = om_calloc(n + 1, sizeof *net->gone);
    if (!net->b->zoom || !net->a || !net->c || !net->fixed || !net->gone)
        return OM_E_MEMORY;
    memset(net->a, 0xff, (n + 1) * sizeof *net->a);
    memset(net->c, 0xff, (n + 1) * sizeof *net->c);
    join_all(net);
    OM_TRY(anchor_rings(net));
    return n ? om__net_rank(net) : OM_OK;
}

/* The network of what `gather` adds to it. */
static om_status make_net(om_status (*gather)(struct om__net *net, void *ask),
                          void *ask, unsigned level, struct om__borders **out,
                          size_t *bytes)
{
    struct om__borders *b = om_calloc(1, sizeof *b);
    if (!b) return OM_E_MEMORY;
    struct om__net net = {.b = b, .level = level};
    om_status st = gather(&net, ask);
    if (!st) st = build(&net);
    b->node = net.node;
    om_buf_deinit(&net.strand);
    om_free(net.a);
    om_free(net.c);
    om_free(net.fixed);
    om_free(net.gone);
    if (st) {
        free_borders(b);
        return st;
    }
    *bytes = sizeof *b + net.vertices * sizeof(uint32_t) +
             b->nodes * (sizeof *b->pos + 1);
    *out = b;
    return OM_OK;
}

/* ---- of all lasting parts ---- */

static om_status gather_lasting(struct om__net *net, void *ask)
{
    const struct om_layer *layer = ask;
    const bool closed = layer->schema.geometry == OM_GEOMETRY_POLYGON;
    struct om__borders *b = net->b;
    b->first = om_arena_calloc(&b->arena, layer->parts + 1, sizeof *b->first);
    if (!b->first) return OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *s = layer->part[p].segment;
        const size_t rows = om_segment_rows(s);
        struct om_rings r;
        if (om__lasting(layer, p) == OM__PASSING) continue;
        OM_TRY(om_segment_rings(s, 0, rows, &r));
        b->first[b->parts++] = net->vertices;
        const size_t rings = r.part_ring[r.shape_part[rows]];
        for (size_t i = 0; i < rings; i++)
            OM_TRY(add_strand(net, r.vertex + r.ring_vertex[i],
                              r.ring_vertex[i + 1] - r.ring_vertex[i], closed));
    }
    return OM_OK;
}

unsigned om__rank_level(const struct om_layer *layer)
{
    return layer->meta && layer->meta->unit_level[0] ? 0 : OM__RANK_LEVEL;
}

static om_status make_borders(void *ask, void **value, size_t *bytes)
{
    struct om__borders *b = NULL;
    OM_TRY(make_net(gather_lasting, ask, om__rank_level(ask), &b, bytes));
    *value = b;
    return OM_OK;
}

static const struct om__keep_kind KIND = {"borders", make_borders,
                                          free_borders};

double om__borders_cost_s(struct om_vectors *vectors,
                          const struct om_layer *layer)
{
    struct om__layer_key key;
    size_t vertices = 0;
    om__layer_key(&key, layer, NULL);
    if (om__keep_has(vectors, &KIND, &key, sizeof key) ||
        om__vertices(layer, &vertices))
        return 0.0;
    return VERTEX_S * (double)vertices;
}

om_status om__borders_get(struct om_vectors *vectors,
                          const struct om_layer *layer, struct om__kept *out)
{
    struct om__layer_key key;
    om__layer_key(&key, layer, NULL);
    return om__keep_get(vectors, &KIND, &key, sizeof key,
                        (void *)(uintptr_t)layer, out);
}

/* ---- of what lives in one cell ---- */

struct cell_ask {
    const struct om_layer *layer;
    struct om__net *net;
    unsigned level;
    uint64_t cell;
};

struct om_box om__rank_box(uint64_t cell, unsigned level)
{
    if (!level) return (struct om_box){0, 0, UINT32_MAX, UINT32_MAX};
    const struct om_pos low = om_morton_pos(cell << (64 - 2 * level));
    const uint32_t side = UINT32_MAX >> level;
    return (struct om_box){low.x, low.y, low.x + side, low.y + side};
}

static bool in_cell(const struct cell_ask *a, struct om_pos at)
{
    return om__rank_cell(at, a->level) == a->cell;
}

/* Does an edge join the vertex to one in the cell, or is it there itself? */
static bool is_near(const struct cell_ask *a, const struct om_pos *at, size_t n,
                    bool closed, size_t i)
{
    const bool before = i > 0 || closed, after = i + 1 < n || closed;
    return in_cell(a, at[i]) || (before && in_cell(a, at[i ? i - 1 : n - 1])) ||
           (after && in_cell(a, at[i + 1 < n ? i + 1 : 0]));
}

/* A stretch that may go on at the ring's beginning. */
static om_status add_stretch(struct cell_ask *a, const struct om_pos *at,
                             size_t n, size_t from, size_t count)
{
    if (from + count <= n) return add_strand(a->net, at + from, count, false);
    struct om_pos *copy =
        om_arena_alloc(&a->net->b->arena, count * sizeof *copy);
    if (!copy) return OM_E_MEMORY;
    for (size_t i = 0; i < count; i++) copy[i] = at[(from + i) % n];
    return add_strand(a->net, copy, count, false);
}

/* The stretches of a ring or line whose edges have an end in the cell. */
static om_status add_ring(struct cell_ask *a, const struct om_pos *at, size_t n,
                          bool closed)
{
    size_t near = 0, start = 0;
    for (size_t i = 0; i < n; i++) near += is_near(a, at, n, closed, i);
    if (!near) return OM_OK;
    if (near == n) return add_strand(a->net, at, n, closed);
    // Begin where nothing is near, so that no stretch is torn.
    while (closed && is_near(a, at, n, closed, start)) start++;
    for (size_t i = 0, count = 0; i <= n; i++) {
        const size_t k = start + i;
        if (i < n && is_near(a, at, n, closed, closed ? k % n : k)) {
            count++;
        } else if (count) {
            OM_TRY(add_stretch(a, at, n, (k - count) % n, count));
            count = 0;
        }
    }
    return OM_OK;
}

static om_status see_shape(void *ctx, const struct om_shape_hit *hit)
{
    struct cell_ask *a = ctx;
    const struct om_rings *r = hit->rings;
    const bool closed = a->layer->schema.geometry == OM_GEOMETRY_POLYGON;
    for (size_t i = r->part_ring[r->shape_part[hit->row]];
         i < r->part_ring[r->shape_part[hit->row + 1]]; i++)
        OM_TRY(add_ring(a, r->vertex + r->ring_vertex[i],
                        r->ring_vertex[i + 1] - r->ring_vertex[i], closed));
    return OM_OK;
}

static om_status gather_cell(struct om__net *net, void *ask)
{
    struct cell_ask *a = ask;
    a->net = net;
    return om_shapes_each(a->layer, NULL, om__rank_box(a->cell, a->level),
                          see_shape, a);
}

static om_status make_cell(void *ask, void **value, size_t *bytes)
{
    struct om__borders *b = NULL;
    OM_TRY(
        make_net(gather_cell, ask, ((struct cell_ask *)ask)->level, &b, bytes));
    *value = b;
    return OM_OK;
}

static const struct om__keep_kind CELL_KIND = {"cell", make_cell, free_borders};

static void cell_key(struct om__layer_key *key, const struct om_layer *layer,
                     uint64_t cell, uint64_t state)
{
    om__layer_key(key, layer, NULL);
    key->number = cell;
    key->other = state;
}

bool om__borders_know_cell(struct om_vectors *vectors,
                           const struct om_layer *layer, uint64_t cell,
                           uint64_t state)
{
    struct om__layer_key key;
    cell_key(&key, layer, cell, state);
    return om__keep_has(vectors, &CELL_KIND, &key, sizeof key);
}

om_status om__borders_of_cell(struct om_vectors *vectors,
                              const struct om_layer *layer, uint64_t cell,
                              uint64_t state, struct om__kept *out)
{
    struct om__layer_key key;
    struct cell_ask ask = {
        .layer = layer, .level = om__rank_level(layer), .cell = cell};
    cell_key(&key, layer, cell, state);
    return om__keep_get(vectors, &CELL_KIND, &key, sizeof key, &ask, out);
}
