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
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/layer/build.h"
#include "tiles/vector/vector_internal.h"

#define NONE UINT32_MAX
/* Square units that a vertex must change to be shown: half a pixel of a tile
 * drawn at 512, whose side is 8 units. */
#define AREA_UNITS 32.0
/* A node that had to wait so often stays. */
#define WAITS 20
/* Seconds a vertex takes, roughly. */
#define VERTEX_S 1e-6

/* ---- the network ---- */

struct net {
    struct om__borders *b;
    struct om_rings *rings;  // [parts]
    size_t vertices;
    uint32_t *a, *c;  // of each node: two neighbours, NONE: none yet
    bool *fixed;      // stays
    bool *gone;
};

om_status om__vertices(const struct om_layer *layer, size_t *out)
{
    *out = 0;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_segment *s = layer->part[p].segment;
        const size_t rows = om_segment_rows(s);
        struct om_rings rings;
        // The ragged offsets' last entries are all that is needed.
        if (!rows || om__lasting(layer, p) == OM__PASSING) continue;
        OM_TRY(om_segment_rings(s, rows - 1, rows, &rings));
        *out += rings.ring_vertex[rings.part_ring[rings.shape_part[rows]]];
    }
    return OM_OK;
}

void om__borders_limit(struct om_vectors *vectors, size_t vertices)
{
    vectors->border_vertices = vertices;
}

bool om__borders_wanted(const struct om_vectors *vectors,
                        const struct om_layer *layer)
{
    size_t vertices;
    return !om__vertices(layer, &vertices) &&
           vertices <= vectors->border_vertices;
}

static uint64_t place_key(struct om_pos pos)
{
    return (uint64_t)pos.x << 32 | pos.y;
}

/* Equal places become one node: sort, number, and write the numbers back. */
static om_status number_nodes(struct net *net, uint64_t *key, uint32_t *vertex,
                              uint32_t *node)
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
        node[vertex[i]] = (uint32_t)(nodes - 1);
    }
    net->b->nodes = nodes;
    net->b->pos =
        om_arena_alloc(&net->b->arena, (nodes + 1) * sizeof *net->b->pos);
    if (!net->b->pos) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++)
        net->b->pos[node[vertex[i]]] =
            (struct om_pos){(uint32_t)(key[i] >> 32), (uint32_t)key[i]};
    return OM_OK;
}

static om_status find_nodes(struct net *net, const struct om_layer *layer)
{
    struct om__borders *b = net->b;
    OM_TRY(om__vertices(layer, &net->vertices));
    uint32_t *node =
        om_arena_alloc(&b->arena, (net->vertices + 1) * sizeof *node);
    b->node = om_arena_calloc(&b->arena, layer->parts + 1, sizeof *b->node);
    if (!node || !b->node) return OM_E_MEMORY;
    uint64_t *key = om_alloc_array(net->vertices + 1, sizeof *key);
    uint32_t *vertex = om_alloc_array(net->vertices + 1, sizeof *vertex);
    om_status st = key && vertex ? OM_OK : OM_E_MEMORY;
    size_t n = 0;
    for (size_t p = 0; p < layer->parts && !st; p++) {
        const struct om_segment *s = layer->part[p].segment;
        const size_t rows = om_segment_rows(s);
        if (om__lasting(layer, p) == OM__PASSING) continue;
        struct om_rings *rings = &net->rings[b->parts];
        st = om_segment_rings(s, 0, rows, rings);
        if (st) break;
        b->node[b->parts++] = node + n;
        const size_t end =
            rings->ring_vertex[rings->part_ring[rings->shape_part[rows]]];
        for (size_t i = 0; i < end; i++, n++) {
            key[n] = place_key(rings->vertex[i]);
            vertex[n] = (uint32_t)n;
        }
    }
    if (!st) st = number_nodes(net, key, vertex, node);
    om_free(key);
    om_free(vertex);
    return st;
}

static void join(struct net *net, uint32_t from, uint32_t to)
{
    if (net->a[from] == to || net->c[from] == to) return;
    if (net->a[from] == NONE)
        net->a[from] = to;
    else if (net->c[from] == NONE)
        net->c[from] = to;
    else
        net->fixed[from] = true;
}

static void join_ring(struct net *net, const uint32_t *node, size_t n,
                      bool closed)
{
    if (!n) return;
    for (size_t i = 0; i + (closed ? 0 : 1) < n; i++) {
        const uint32_t from = node[i], to = node[i + 1 < n ? i + 1 : 0];
        if (from == to) continue;
        join(net, from, to);
        join(net, to, from);
    }
    if (!closed) net->fixed[node[0]] = net->fixed[node[n - 1]] = true;
}

static void join_all(struct net *net, bool closed)
{
    for (size_t p = 0; p < net->b->parts; p++) {
        const struct om_rings *r = &net->rings[p];
        const size_t rings = r->part_ring[r->shape_part[r->count]];
        for (size_t i = 0; i < rings; i++)
            join_ring(net, net->b->node[p] + r->ring_vertex[i],
                      r->ring_vertex[i + 1] - r->ring_vertex[i], closed);
    }
    for (size_t i = 0; i < net->b->nodes; i++)
        if (net->a[i] == NONE || net->c[i] == NONE) net->fixed[i] = true;
}

/* ---- rings that meet no other ---- */

static double apart(const struct net *net, uint32_t a, uint32_t b)
{
    const struct om_pos p = net->b->pos[a], q = net->b->pos[b];
    const double dx = (double)p.x - (double)q.x;
    const double dy = (double)p.y - (double)q.y;
    return dx * dx + dy * dy;
}

static uint32_t step(const struct net *net, uint32_t from, uint32_t at)
{
    return net->a[at] == from ? net->c[at] : net->a[at];
}

/* Walk from a node; mark what was seen. A ring without a fixed node gets two:
 * the lowest number, which is the westernmost, and the farthest from it. */
static void anchor(struct net *net, uint32_t start, bool *seen)
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
        if (apart(net, start, at) > apart(net, start, far)) far = at;
        const uint32_t next = step(net, from, at);
        from = at;
        at = next;
    }
    net->fixed[start] = net->fixed[far] = true;
}

/* Chains that end in fixed nodes are marked first, so that what is left is
 * rings. */
static om_status anchor_rings(struct net *net)
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

/* ---- which nodes lie in a triangle ---- */

struct field {  // nodes in square buckets
    uint32_t west, north;
    unsigned shift;
    size_t cols, rows;
    uint32_t *start, *node;
};

static void field_deinit(struct field *f)
{
    om_free(f->start);
    om_free(f->node);
}

static size_t bucket_of(const struct field *f, struct om_pos p)
{
    return (size_t)((p.y - f->north) >> f->shift) * f->cols +
           ((p.x - f->west) >> f->shift);
}

static om_status field_init(struct field *f, const struct om__borders *b)
{
    struct om_box box = OM_BOX_NONE;
    for (size_t i = 0; i < b->nodes; i++)
        om_box_widen(&box, (struct om_box){b->pos[i].x, b->pos[i].y,
                                           b->pos[i].x, b->pos[i].y});
    const uint64_t w = box.x1 - box.x0, h = box.y1 - box.y0;
    *f = (struct field){.west = box.x0, .north = box.y0};
    while (((w >> f->shift) + 1) * ((h >> f->shift) + 1) > b->nodes / 2 + 1)
        f->shift++;
    f->cols = (size_t)(w >> f->shift) + 1;
    f->rows = (size_t)(h >> f->shift) + 1;
    f->start = om_calloc(f->cols * f->rows + 2, sizeof *f->start);
    f->node = om_alloc_array(b->nodes + 1, sizeof *f->node);
    if (!f->start || !f->node) return OM_E_MEMORY;
    for (size_t i = 0; i < b->nodes; i++)
        f->start[bucket_of(f, b->pos[i]) + 2]++;
    for (size_t i = 2; i < f->cols * f->rows + 2; i++)
        f->start[i] += f->start[i - 1];
    for (size_t i = 0; i < b->nodes; i++)
        f->node[f->start[bucket_of(f, b->pos[i]) + 1]++] = (uint32_t)i;
    return OM_OK;
}

static om__wide turn(struct om_pos a, struct om_pos b, struct om_pos c)
{
    return (om__wide)((int64_t)b.x - a.x) * ((int64_t)c.y - a.y) -
           (om__wide)((int64_t)c.x - a.x) * ((int64_t)b.y - a.y);
}

/* In the closed triangle? */
static bool in_triangle(const struct om_pos t[3], struct om_pos p)
{
    const om__wide a = turn(t[0], t[1], p), b = turn(t[1], t[2], p),
                   c = turn(t[2], t[0], p);
    return (a >= 0 && b >= 0 && c >= 0) || (a <= 0 && b <= 0 && c <= 0);
}

static uint32_t least(uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t m = a < b ? a : b;
    return m < c ? m : c;
}
static uint32_t most(uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t m = a > b ? a : b;
    return m > c ? m : c;
}

/* A node that is still there and lies in the triangle of `node`, or NONE. */
static uint32_t blocker(const struct net *net, const struct field *f,
                        uint32_t node)
{
    const struct om_pos *pos = net->b->pos;
    const uint32_t a = net->a[node], c = net->c[node];
    const struct om_pos t[3] = {pos[a], pos[node], pos[c]};
    // A flat triangle of a straight run holds nothing but the run.
    if (!turn(t[0], t[1], t[2]) &&
        in_triangle((struct om_pos[]){t[0], t[2], t[0]}, t[1]))
        return NONE;
    const struct om_pos low = {least(t[0].x, t[1].x, t[2].x),
                               least(t[0].y, t[1].y, t[2].y)};
    const struct om_pos high = {most(t[0].x, t[1].x, t[2].x),
                                most(t[0].y, t[1].y, t[2].y)};
    const size_t c0 = (low.x - f->west) >> f->shift;
    const size_t c1 = (high.x - f->west) >> f->shift;
    const size_t r1 = (high.y - f->north) >> f->shift;
    for (size_t r = (low.y - f->north) >> f->shift; r <= r1; r++)
        for (size_t i = f->start[r * f->cols + c0];
             i < f->start[r * f->cols + c1 + 1]; i++) {
            const uint32_t n = f->node[i];
            const struct om_pos p = pos[n];
            if (p.x < low.x || p.x > high.x || p.y < low.y || p.y > high.y ||
                net->gone[n] || n == node || n == a || n == c)
                continue;
            if (in_triangle(t, p)) return n;
        }
    return NONE;
}

/* ---- the order in which nodes go ---- */

struct entry {
    double area;
    uint32_t node;
    uint32_t stamp;  // an entry is stale if its node has another
};

struct heap {
    struct entry *entry;
    size_t count, room;
    om_status status;
};

static bool before(const struct entry *a, const struct entry *b)
{
    return a->area != b->area ? a->area < b->area : a->node < b->node;
}

static void heap_push(struct heap *h, struct entry e)
{
    if (h->count == h->room) {
        const size_t room = h->room ? 2 * h->room : 1024;
        struct entry *more = om_realloc(h->entry, room * sizeof *more);
        if (!more) {
            h->status = OM_E_MEMORY;
            return;
        }
        h->entry = more;
        h->room = room;
    }
    size_t i = h->count++;
    while (i > 0 && before(&e, &h->entry[(i - 1) / 2])) {
        h->entry[i] = h->entry[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->entry[i] = e;
}

static struct entry heap_pop(struct heap *h)
{
    const struct entry top = h->entry[0], last = h->entry[--h->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->count) break;
        if (child + 1 < h->count &&
            before(&h->entry[child + 1], &h->entry[child]))
            child++;
        if (!before(&h->entry[child], &last)) break;
        h->entry[i] = h->entry[child];
        i = child;
    }
    h->entry[i] = last;
    return top;
}

struct thinning {
    struct net *net;
    struct field field;
    struct heap heap;
    uint32_t *stamp;
    double *area;  // at which each node would go
    uint8_t *waits;
};

static double area_of(const struct net *net, uint32_t node)
{
    const struct om_pos *pos = net->b->pos;
    const om__wide t = turn(pos[net->a[node]], pos[node], pos[net->c[node]]);
    return (double)(t < 0 ? -t : t) / 2.0;
}

static void push(struct thinning *t, uint32_t node, double area)
{
    t->area[node] = area;
    heap_push(&t->heap, (struct entry){area, node, ++t->stamp[node]});
}

/* The first zoom whose units are so small that the area counts. */
static uint8_t zoom_of(double area)
{
    for (unsigned z = 0; z < OM__ZOOM_EXACT; z++)
        if (area >= AREA_UNITS * ldexp(1.0, 2 * (int)(OM__ZOOM_EXACT - z)))
            return (uint8_t)z;
    return OM__ZOOM_EXACT;
}

/* The node goes; its neighbours become each other's. */
static void take_out(struct thinning *t, uint32_t node, double area)
{
    struct net *net = t->net;
    const uint32_t ends[2] = {net->a[node], net->c[node]};
    net->gone[node] = true;
    net->b->zoom[node] = zoom_of(area);
    for (int i = 0; i < 2; i++) {
        const uint32_t n = ends[i], other = ends[1 - i];
        if (net->fixed[n]) continue;
        *(net->a[n] == node ? &net->a[n] : &net->c[n]) = other;
    }
    for (int i = 0; i < 2; i++) {
        const uint32_t n = ends[i];
        if (net->fixed[n]) continue;
        // Never less than what went before: zooms show moments in order.
        const double own = area_of(net, n);
        push(t, n, own > area ? own : area);
    }
}

static void thin(struct thinning *t)
{
    while (t->heap.count && !t->heap.status) {
        const struct entry e = heap_pop(&t->heap);
        if (e.stamp != t->stamp[e.node] || t->net->gone[e.node]) continue;
        if (t->net->a[e.node] == t->net->c[e.node]) continue;  // a lens: stays
        const uint32_t in_way = blocker(t->net, &t->field, e.node);
        if (in_way == NONE) {
            take_out(t, e.node, e.area);
        } else if (!t->net->fixed[in_way] && t->waits[e.node]++ < WAITS) {
            const double later =
                t->area[in_way] > e.area ? t->area[in_way] : e.area;
            push(t, e.node, nextafter(later, INFINITY));
        }
    }
}

static om_status rank(struct net *net)
{
    const size_t n = net->b->nodes;
    struct thinning t = {.net = net};
    t.stamp = om_calloc(n + 1, sizeof *t.stamp);
    t.area = om_alloc_array(n + 1, sizeof *t.area);
    t.waits = om_calloc(n + 1, sizeof *t.waits);
    om_status st = t.stamp && t.area && t.waits ? field_init(&t.field, net->b)
                                                : OM_E_MEMORY;
    if (!st) {
        for (size_t i = 0; i < n; i++) {
            t.area[i] = INFINITY;
            if (!net->fixed[i])
                push(&t, (uint32_t)i, area_of(net, (uint32_t)i));
        }
        thin(&t);
        st = t.heap.status;
    }
    field_deinit(&t.field);
    om_free(t.heap.entry);
    om_free(t.stamp);
    om_free(t.area);
    om_free(t.waits);
    return st;
}

/* ---- kept ---- */

static void free_borders(void *value)
{
    struct om__borders *b = value;
    om_arena_deinit(&b->arena);
    om_free(b);
}

static om_status build(struct net *net, const struct om_layer *layer)
{
    net->rings =
        om_arena_calloc(&net->b->arena, layer->parts + 1, sizeof *net->rings);
    if (!net->rings) return OM_E_MEMORY;
    OM_TRY(find_nodes(net, layer));
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
    join_all(net, layer->schema.geometry == OM_GEOMETRY_POLYGON);
    OM_TRY(anchor_rings(net));
    return n ? rank(net) : OM_OK;
}

static om_status make_borders(void *ask, void **value, size_t *bytes)
{
    const struct om_layer *layer = ask;
    struct om__borders *b = om_calloc(1, sizeof *b);
    if (!b) return OM_E_MEMORY;
    struct net net = {.b = b};
    const om_status st = build(&net, layer);
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
