/* nearest.c - the K nearest points: descend towards the position.
 *
 * DESIGN
 * First an upper bound: the smallest quadtree cell around the position that
 * holds K rows that count has them all within its farthest corner. Then one
 * descent over the cells within that bound, nearest child first; the K best
 * rows so far are a heap whose worst distance shrinks the bound. Rows on one
 * position share one geodesic, and of a stack only its first K can matter,
 * since equal codes lie in the order of their ids.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/query/nearest_internal.h"

/* A cell with at most this many rows is looked at row by row. */
#define SCAN_ROWS 64

void om__nearest_deinit(struct om__nearest *nearest)
{
    om_free(nearest->hit);
    *nearest = (struct om__nearest){0};
}

/* Order of ids of two rows. A failure to read sticks; any order does then. */
static int id_order(struct om__best *b, const struct om_hit *p,
                    const struct om_hit *q)
{
    const struct om_hit *hit[2] = {p, q};
    const char *text[2] = {0};
    size_t len[2] = {0};
    for (int i = 0; i < 2; i++) {
        const om_status st =
            om_segment_text(b->layer->part[hit[i]->part].segment, b->id_field,
                            hit[i]->row, &b->reader[i], &text[i], &len[i]);
        if (st) {
            if (!b->status) b->status = st;
            return 0;
        }
    }
    const size_t shared = len[0] < len[1] ? len[0] : len[1];
    const int order = shared ? memcmp(text[0], text[1], shared) : 0;
    return order ? order : (len[0] > len[1]) - (len[0] < len[1]);
}

/* Does p come after q? */
static bool after(struct om__best *b, const struct om_hit *p,
                  const struct om_hit *q)
{
    if (p->distance_m != q->distance_m) return p->distance_m > q->distance_m;
    const int order = id_order(b, p, q);
    if (order) return order > 0;
    return p->part != q->part ? p->part > q->part : p->row > q->row;
}

double om__best_limit_m(const struct om__best *best)
{
    return best->count < best->want ? INFINITY : best->hit[0].distance_m;
}

static void sink(struct om__best *b, size_t i)
{
    for (;;) {
        size_t worst = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < b->count && after(b, &b->hit[child], &b->hit[worst]))
                worst = child;
        if (worst == i) return;
        const struct om_hit swap = b->hit[i];
        b->hit[i] = b->hit[worst];
        b->hit[worst] = swap;
        i = worst;
    }
}

void om__best_offer(struct om__best *best, struct om_hit hit)
{
    if (best->count == best->want) {
        if (hit.distance_m > best->hit[0].distance_m ||
            !after(best, &best->hit[0], &hit))
            return;
        best->hit[0] = hit;
        sink(best, 0);
        return;
    }
    size_t i = best->count++;
    best->hit[i] = hit;
    while (i && after(best, &best->hit[i], &best->hit[(i - 1) / 2])) {
        const struct om_hit swap = best->hit[i];
        best->hit[i] = best->hit[(i - 1) / 2];
        best->hit[(i - 1) / 2] = swap;
        i = (i - 1) / 2;
    }
}

void om__best_sort(struct om__best *best)
{
    const size_t count = best->count;
    while (best->count > 1) {
        const struct om_hit worst = best->hit[0];
        best->hit[0] = best->hit[--best->count];
        best->hit[best->count] = worst;
        sink(best, 0);
    }
    best->count = count;
}

/* One part being searched. */
struct search {
    const struct om_segment *segment;
    const struct om__chosen *chosen;
    struct om__best *best;
    struct om_circle circle;  // holds all that can matter
    size_t part;
};

static uint64_t cell_codes(unsigned level)
{
    return level ? UINT64_C(1) << (64 - 2 * level) : 0;
}

static struct om_box cell_box(uint64_t code, unsigned level)
{
    const struct om_pos corner = om_morton_pos(code);
    const uint32_t last = (uint32_t)((UINT64_C(1) << (32 - level)) - 1);
    return (struct om_box){corner.x, corner.y, corner.x + last,
                           corner.y + last};
}

/* Rows [from, to) one by one; a stack once. */
static om_status look(struct search *s, size_t from, size_t to)
{
    const uint64_t *key;
    OM_TRY(om_segment_keys(s->segment, from, to, &key));
    while (from < to) {
        size_t end = from + 1;
        while (end < to && key[end] == key[from]) end++;
        const struct om_pos pos = om_morton_pos(key[from]);
        const struct om_box at = {pos.x, pos.y, pos.x, pos.y};
        const double limit_m =
            fmin(om__best_limit_m(s->best), s->circle.radius_m);
        // Far circles know no cheaper bound for a position than itself.
        if (s->circle.far || om_circle_near_m(&s->circle, at) <= limit_m) {
            const double m = om_circle_m(&s->circle, pos);
            size_t left = m <= limit_m ? s->best->want : 0;
            for (size_t row = from; row < end && left; row++)
                if (om__chosen_has(s->chosen, row)) {
                    om__best_offer(s->best, (struct om_hit){s->part, row, m});
                    left--;
                }
        }
        from = end;
    }
    return s->best->status;
}

struct child {
    uint64_t code;
    double near_m;
};

static om_status search(struct search *s, uint64_t code, unsigned level);

/* Children nearest first, those beyond the bound not at all. */
static om_status search_children(struct search *s, uint64_t code,
                                 unsigned level)
{
    struct child child[4];
    for (size_t i = 0; i < 4; i++) {
        const uint64_t at = code + i * cell_codes(level + 1);
        struct child c = {
            at, om_circle_near_m(&s->circle, cell_box(at, level + 1))};
        size_t j = i;
        for (; j && child[j - 1].near_m > c.near_m; j--)
            child[j] = child[j - 1];
        child[j] = c;
    }
    for (size_t i = 0; i < 4; i++) {
        if (child[i].near_m >
            fmin(om__best_limit_m(s->best), s->circle.radius_m))
            break;
        OM_TRY(search(s, child[i].code, level + 1));
    }
    return OM_OK;
}

static om_status search(struct search *s, uint64_t code, unsigned level)
{
    size_t from, to;
    OM_TRY(om_segment_range(s->segment, code, code + cell_codes(level), &from,
                            &to));
    if (!om__chosen_count(s->chosen, from, to)) return OM_OK;
    if (to - from <= SCAN_ROWS || level == 32) return look(s, from, to);
    // Go on with the smallest cell that holds them all.
    const uint64_t *key;
    OM_TRY(om_segment_keys(s->segment, from, from + 1, &key));
    const uint64_t first = key[from];
    OM_TRY(om_segment_keys(s->segment, to - 1, to, &key));
    const uint64_t differ = first ^ key[to - 1];
    if (!differ) return look(s, from, to);
    const unsigned deeper = (unsigned)__builtin_clzll(differ) / 2;
    return search_children(s, first & -cell_codes(deeper), deeper);
}

/* The level of the smallest cell around `code` with `want` rows that count;
 * 0 if even the whole square has too few. */
static om_status level_with(const struct search *s, uint64_t code, size_t want,
                            unsigned *level, size_t *found)
{
    unsigned low = 0, high = 32;  // low holds enough or is 0
    *found = om__chosen_count(s->chosen, 0, s->chosen->rows);
    while (low < high) {
        const unsigned mid = (low + high + 1) / 2;
        const uint64_t first = code & -cell_codes(mid);
        size_t from, to;
        OM_TRY(om_segment_range(s->segment, first, first + cell_codes(mid),
                                &from, &to));
        const size_t here = om__chosen_count(s->chosen, from, to);
        if (here >= want) {
            low = mid;
            *found = here;
        } else {
            high = mid - 1;
        }
    }
    *level = low;
    return OM_OK;
}

/* Most metres from the position to anything in a cell around it. */
static double corner_m(struct om_pos pos, struct om_box box)
{
    // Within a cell scales are largest where it is nearest to the equator.
    const struct om_pos corner[4] = {
        {box.x0, box.y0}, {box.x1, box.y0}, {box.x0, box.y1}, {box.x1, box.y1}};
    double most_m = 0.0;
    for (size_t i = 0; i < 4; i++)
        most_m = fmax(most_m, om_ground_m(pos, corner[i]));
    return most_m * 1.01 + 1.0;
}

static om_status search_part(struct search *s, struct om_pos pos)
{
    const uint64_t code = om_morton(pos);
    unsigned level;
    size_t found;
    OM_TRY(level_with(s, code, s->best->want, &level, &found));
    if (!found) return OM_OK;
    double bound_m = 3e7;  // nothing on earth is farther
    if (level >= 8 && found >= s->best->want)
        bound_m = corner_m(pos, cell_box(code & -cell_codes(level), level));
    bound_m = fmin(bound_m, om__best_limit_m(s->best));
    OM_TRY(om_circle_init(&s->circle, pos, bound_m));
    if (s->circle.far) return search_children(s, 0, 0);

    // Start from the smallest cells that hold the circle's box: at most four.
    const struct om_box box = s->circle.box;
    const uint32_t wide = box.x1 - box.x0, high = box.y1 - box.y0;
    const uint32_t size = wide > high ? wide : high;
    const unsigned start = size ? (unsigned)__builtin_clz(size) : 32;
    if (!start) return search_children(s, 0, 0);
    const uint32_t side = start < 32 ? UINT32_MAX >> start : 0;
    const struct om_pos home = {pos.x & ~side, pos.y & ~side};
    const struct om_pos corner[4] = {{box.x0 & ~side, box.y0 & ~side},
                                     {box.x1 & ~side, box.y0 & ~side},
                                     {box.x0 & ~side, box.y1 & ~side},
                                     {box.x1 & ~side, box.y1 & ~side}};
    OM_TRY(search(s, om_morton(home), start));
    for (size_t i = 0; i < 4; i++) {
        bool done = corner[i].x == home.x && corner[i].y == home.y;
        for (size_t j = 0; j < i; j++)
            done |= corner[i].x == corner[j].x && corner[i].y == corner[j].y;
        if (!done) OM_TRY(search(s, om_morton(corner[i]), start));
    }
    return OM_OK;
}

/* Never more hits than rows. */
static size_t most_hits(const struct om_place *place,
                        const struct om_layer *layer)
{
    size_t rows = 0;
    for (size_t i = 0; i < layer->parts; i++)
        rows += om_segment_rows(layer->part[i].segment);
    return place->nearest < rows ? place->nearest : rows;
}

om_status om__nearest_find(const struct om_place *place,
                           const struct om_layer *layer,
                           const struct om_selection *selection,
                           struct om__nearest *out)
{
    *out = (struct om__nearest){0};
    if (!place->nearest) return OM_E_RANGE;
    struct om__best best = {.layer = layer,
                            .id_field = layer->schema.id_field,
                            .want = most_hits(place, layer)};
    if (!best.want) return OM_OK;
    if (best.want > OM_LIMIT_NEAREST) return OM_E_COST;
    best.hit = om_alloc_array(best.want, sizeof *best.hit);
    if (!best.hit) return OM_E_MEMORY;
    om_status st = OM_OK;
    for (size_t i = 0; i < layer->parts && !st; i++) {
        struct om__chosen chosen;
        om__chosen_init(&chosen, selection, layer, i);
        struct search s = {.segment = layer->part[i].segment,
                           .chosen = &chosen,
                           .best = &best,
                           .part = i};
        st = layer->schema.geometry == OM_GEOMETRY_POINT
                 ? search_part(&s, place->pos)
                 : om__nearest_shapes(place, &chosen, s.segment, i, &best);
    }
    if (!st) {
        om__best_sort(&best);
        st = best.status;
    }
    for (int i = 0; i < 2; i++) om_text_reader_deinit(&best.reader[i]);
    if (st)
        om_free(best.hit);
    else
        *out = (struct om__nearest){best.hit, best.count};
    return st;
}
