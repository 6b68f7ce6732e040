/* borders.c - borders of units, each once.
 *
 * DESIGN
 * Units of a level are noded when they are imported: what two neighbours share
 * is the same chain of vertices in both. So an edge is kept where it is met
 * first and left out the second time, and runs of kept edges are the lines.
 * Stroking every polygon instead would draw shared borders twice, and darker
 * than the outer one.
 */
#include "tiles/picture/borders.h"

#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"

/* Edges met so far, whichever way they ran. */
struct edge {
    uint64_t a, b;  // a < b; both 0: free. Position 0, 0 is no city's
};
struct edges {
    struct edge *edge;  // [room], a power of two
    size_t room;
};

static uint64_t pack(struct om_pos p)
{
    return (uint64_t)p.x << 32 | p.y;
}

/* Note an edge. False if it was there. */
static bool note(struct edges *set, struct om_pos from, struct om_pos to)
{
    const uint64_t p = pack(from), q = pack(to);
    const struct edge e = p < q ? (struct edge){p, q} : (struct edge){q, p};
    size_t i = (size_t)om_hash64(&e, sizeof e, 0) & (set->room - 1);
    for (; set->edge[i].b; i = (i + 1) & (set->room - 1))
        if (set->edge[i].a == e.a && set->edge[i].b == e.b) return false;
    set->edge[i] = e;
    return true;
}

static om_status edges_init(struct edges *set, size_t edges)
{
    set->room = 64;
    while (set->room < 2 * edges) set->room *= 2;
    set->edge = om_calloc(set->room, sizeof *set->edge);
    return set->edge ? OM_OK : OM_E_MEMORY;
}

static void add_vertex(struct om_borders *b, struct om_pos p)
{
    const uint32_t at = b->first[b->lines]++;
    b->vertex[at] = p;
    const struct om_box one = {p.x, p.y, p.x, p.y};
    om_box_widen(&b->box[b->lines - 1], one);
}

static void begin_line(struct om_borders *b, struct om_pos p)
{
    b->first[b->lines + 1] = b->first[b->lines];
    b->box[b->lines] = OM_BOX_NONE;
    b->lines++;
    add_vertex(b, p);
}

/* Lines of one ring; `kept` has room for its edges. A run begins behind an
 * edge that is left out, if there is one. */
static void add_ring(struct om_borders *b, struct edges *set,
                     const struct om_pos *vertex, size_t n, bool *kept)
{
    size_t start = 0;
    for (size_t i = 0; i < n; i++) {
        const struct om_pos from = vertex[i], to = vertex[(i + 1) % n];
        kept[i] = (from.x != to.x || from.y != to.y) && note(set, from, to);
        if (!kept[i]) start = i + 1;
    }
    bool down = false;
    for (size_t k = 0; k < n; k++) {
        const size_t i = (start + k) % n;
        if (kept[i]) {
            if (!down) begin_line(b, vertex[i]);
            add_vertex(b, vertex[(i + 1) % n]);
        }
        down = kept[i];
    }
}

static size_t vertices_of(const struct om_rings *rings, size_t shape)
{
    const size_t from = rings->part_ring[rings->shape_part[shape]];
    const size_t end = rings->part_ring[rings->shape_part[shape + 1]];
    return rings->ring_vertex[end] - (size_t)rings->ring_vertex[from];
}

static void add_shape(struct om_borders *b, struct edges *set,
                      const struct om_rings *rings, size_t shape, bool *kept)
{
    const size_t end = rings->part_ring[rings->shape_part[shape + 1]];
    for (size_t r = rings->part_ring[rings->shape_part[shape]]; r < end; r++)
        add_ring(b, set, rings->vertex + rings->ring_vertex[r],
                 rings->ring_vertex[r + 1] - rings->ring_vertex[r], kept);
}

om_status om_borders_init(struct om_borders *borders,
                          const struct om_rings *rings,
                          const uint32_t *unit_of_row)
{
    *borders = (struct om_borders){0};
    size_t vertices = 0;
    for (size_t s = 0; s < rings->count; s++)
        if (unit_of_row[s] != OM_NO_UNIT) vertices += vertices_of(rings, s);
    struct edges set = {0};
    bool *kept = om_alloc(vertices + 1);
    // A line of k edges has k + 1 vertices: no more lines than edges.
    borders->first = om_calloc(vertices + 2, sizeof *borders->first);
    borders->vertex = om_alloc_array(2 * vertices + 1, sizeof(struct om_pos));
    borders->box = om_alloc_array(vertices + 1, sizeof(struct om_box));
    om_status st = edges_init(&set, vertices);
    if (!kept || !borders->first || !borders->vertex || !borders->box)
        st = OM_E_MEMORY;
    for (size_t s = 0; s < rings->count && !st; s++)
        if (unit_of_row[s] != OM_NO_UNIT)
            add_shape(borders, &set, rings, s, kept);
    om_free(set.edge);
    om_free(kept);
    if (st) om_borders_deinit(borders);
    return st;
}

void om_borders_deinit(struct om_borders *borders)
{
    om_free(borders->first);
    om_free(borders->vertex);
    om_free(borders->box);
    *borders = (struct om_borders){0};
}

void om_borders_draw(const struct om_borders *borders, struct om_canvas *canvas,
                     const struct om_stroke *stroke)
{
    const unsigned reach = (unsigned)stroke->width / 512 + 2;
    const struct om_box w = om_view_box(&canvas->view, reach);
    for (size_t i = 0; i < borders->lines; i++) {
        const struct om_box b = borders->box[i];
        if (b.x0 > w.x1 || b.x1 < w.x0 || b.y0 > w.y1 || b.y1 < w.y0) continue;
        om_canvas_stroke(canvas, borders->vertex + borders->first[i],
                         borders->first[i + 1] - borders->first[i], false,
                         stroke);
    }
}
