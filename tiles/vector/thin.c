// thin.c - the order in which the nodes of a network go (border.c).
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "tiles/vector/border_internal.h"

/* Square units that a vertex must change to be shown: half a pixel of a tile
 * drawn at 512, whose side is 8 units. */
#define AREA_UNITS 32.0
/* A node that had to wait so often stays. */
#define WAITS 20

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

/* The lowest node that is still there and lies in the triangle of `node`, or
 * OM__NO_NODE. */
static uint32_t blocker(const struct om__net *net, const struct field *f,
                        uint32_t node)
{
    const struct om_pos *pos = net->b->pos;
    const uint32_t a = net->a[node], c = net->c[node];
    const struct om_pos t[3] = {pos[a], pos[node], pos[c]};
    // A flat triangle of a straight run holds nothing but the run.
    if (!turn(t[0], t[1], t[2]) &&
        in_triangle((struct om_pos[]){t[0], t[2], t[0]}, t[1]))
        return OM__NO_NODE;
    const struct om_pos low = {least(t[0].x, t[1].x, t[2].x),
                               least(t[0].y, t[1].y, t[2].y)};
    const struct om_pos high = {most(t[0].x, t[1].x, t[2].x),
                                most(t[0].y, t[1].y, t[2].y)};
    const size_t c0 = (low.x - f->west) >> f->shift;
    const size_t c1 = (high.x - f->west) >> f->shift;
    const size_t r1 = (high.y - f->north) >> f->shift;
    uint32_t found = OM__NO_NODE;
    for (size_t r = (low.y - f->north) >> f->shift; r <= r1; r++)
        for (size_t i = f->start[r * f->cols + c0];
             i < f->start[r * f->cols + c1 + 1]; i++) {
            const uint32_t n = f->node[i];
            const struct om_pos p = pos[n];
            if (p.x < low.x || p.x > high.x || p.y < low.y || p.y > high.y ||
                net->gone[n] || n == node || n == a || n == c || n > found)
                continue;
            if (in_triangle(t, p)) found = n;
        }
    return found;
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
    struct om__net *net;
    struct field field;
    struct heap heap;
    uint32_t *stamp;
    double *area;  // at which each node would go
    uint8_t *waits;
};

static double area_of(const struct om__net *net, uint32_t node)
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
    struct om__net *net = t->net;
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
        if (in_way == OM__NO_NODE) {
            take_out(t, e.node, e.area);
        } else if (!t->net->fixed[in_way] && t->waits[e.node]++ < WAITS) {
            const double later =
                t->area[in_way] > e.area ? t->area[in_way] : e.area;
            push(t, e.node, nextafter(later, INFINITY));
        }
    }
}

om_status om__net_rank(struct om__net *net)
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
