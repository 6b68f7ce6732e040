/* gather.c - the masses of a window: stored cells, prepared ones, or rows.
 *
 * DESIGN
 * A window is a handful of ranges of the Morton order. They are found by
 * walking the quadtree from the top, each step a search inside the range of
 * its parent, and come out in Morton order whatever the window: sums over
 * masses have one order, so a place gets the same bits from every window.
 * Positions are integers until the very end (node number and a 24-bit place
 * beside it), so that they do not depend on the window either.
 */
#include <math.h>
#include <string.h>

#include "data/base/clones.h"
#include "data/model/batch.h"
#include "engine/field/field_internal.h"

/* Quads that straddle the window's edge are split until they are this part
 * of its longer side; what they hold beyond it is dropped mass by mass. */
#define EDGE_PARTS_LOG 4

/* One walk over the masses of one part. */
struct walk {
    const struct om__gather *gather;
    const struct om_segment *segment;  // set: rows of it
    const struct om__masses *masses;   // else these
    struct om__weigher weigher;        // of rows, if `weighted`
    bool weighted;
    size_t part;
    unsigned stop_level;
    size_t from, to;  // pending range
    struct om__batch *batch;
};

static void flush(struct walk *w)
{
    if (w->batch->count) w->gather->take(w->gather->ctx, w->batch);
    w->batch->count = 0;
}

/* Where things fall on the lattice: coordinates are in 1/65536 of a cell's
 * side (cells) or half grid cells (rows); `shift` of them make a node. */
struct place {
    unsigned shift, right, left;
    int64_t column0, row0;
};

static struct place place_of(const struct om__gather *g, unsigned level)
{
    const unsigned shift =
        level == 32 ? g->exponent + 1 : g->exponent + level - 16;
    return (struct place){
        .shift = shift,
        .right = shift > 24 ? shift - 24 : 0,
        .left = shift < 24 ? 24 - shift : 0,
        .column0 = g->column0,
        .row0 = g->row0,
    };
}

static inline float part_of(uint64_t v, const struct place *p)
{
    const uint32_t part = (uint32_t)((v >> p->right) << p->left) & 0xffffffu;
    return (float)(int32_t)part * (1.0f / 16777216.0f);
}

OM_CLONES
static void place_cells(const uint64_t *code, const uint16_t *mean_x,
                        const uint16_t *mean_y, size_t n, struct place p,
                        struct om__batch *b)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t x =
            (uint64_t)om_morton_squeeze(code[i]) << 16 | mean_x[i];
        const uint64_t y =
            (uint64_t)om_morton_squeeze(code[i] >> 1) << 16 | mean_y[i];
        b->column[i] = (int32_t)((int64_t)(x >> p.shift) - p.column0);
        b->row[i] = (int32_t)((int64_t)(y >> p.shift) - p.row0);
        b->tx[i] = part_of(x, &p);
        b->ty[i] = part_of(y, &p);
    }
}

OM_CLONES
static void place_rows(const uint64_t *key, size_t n, struct place p,
                       struct om__batch *b)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t x = (uint64_t)om_morton_squeeze(key[i]) << 1 | 1;
        const uint64_t y = (uint64_t)om_morton_squeeze(key[i] >> 1) << 1 | 1;
        b->column[i] = (int32_t)((int64_t)(x >> p.shift) - p.column0);
        b->row[i] = (int32_t)((int64_t)(y >> p.shift) - p.row0);
        b->tx[i] = part_of(x, &p);
        b->ty[i] = part_of(y, &p);
    }
}

static void emit_cells(struct walk *w, size_t from, size_t to)
{
    const struct om__masses *m = w->masses;
    const struct place p = place_of(w->gather, m->level);
    const int side_log = 32 - (int)m->level - (int)w->gather->exponent;
    w->batch->variance = (float)ldexp(OM_FIELD_SPREAD / 12.0, 2 * side_log);
    for (size_t at = from; at < to; at += OM_FIELD_BATCH) {
        const size_t n = to - at < OM_FIELD_BATCH ? to - at : OM_FIELD_BATCH;
        place_cells(m->code + at, m->mean_x + at, m->mean_y + at, n, p,
                    w->batch);
        if (m->weight)
            memcpy(w->batch->weight, m->weight + at, n * sizeof *m->weight);
        else
            for (size_t i = 0; i < n; i++)
                w->batch->weight[i] =
                    (float)(m->start[at + i + 1] - m->start[at + i]);
        w->batch->count = n;
        flush(w);
    }
}

/* Rows of one batch's worth: those selected, packed. */
static void emit_some_rows(struct walk *w, const uint64_t *key, size_t from,
                           size_t to, const struct place *p)
{
    const struct om_selection *s = w->gather->spec->selection;
    uint64_t packed[OM_FIELD_BATCH + 1] = {0};
    size_t n = 0;
    for (size_t row = from; row < to; row++) {
        packed[n] = key[row];
        w->batch->weight[n] =
            w->weighted ? (float)om__weigh(&w->weigher, row) : 1.0f;
        n += om_selection_has(s, w->part, row);
    }
    place_rows(packed, n, *p, w->batch);
    w->batch->count = n;
    flush(w);
}

static om_status emit_rows(struct walk *w, size_t from, size_t to)
{
    const uint64_t *key;
    OM_TRY(om_segment_keys(w->segment, from, to, &key));
    if (w->weighted) OM_TRY(om__weigher_touch(&w->weigher, from, to));
    const struct place p = place_of(w->gather, 32);
    w->batch->variance = 0.0f;
    for (size_t at = from; at < to; at += OM_FIELD_BATCH)
        emit_some_rows(w, key, at,
                       to - at < OM_FIELD_BATCH ? to : at + OM_FIELD_BATCH, &p);
    return w->weigher.status;
}

static om_status emit_pending(struct walk *w)
{
    om_status st = OM_OK;
    if (w->from < w->to) {
        if (w->segment)
            st = emit_rows(w, w->from, w->to);
        else
            emit_cells(w, w->from, w->to);
    }
    w->from = w->to = 0;
    return st;
}

/* Ranges that touch are one. */
static om_status add_range(struct walk *w, size_t from, size_t to)
{
    if (from == w->to && w->from < w->to) {
        w->to = to;
        return OM_OK;
    }
    OM_TRY(emit_pending(w));
    w->from = from;
    w->to = to;
    return OM_OK;
}

static size_t first_not_below(const uint64_t *code, size_t from, size_t to,
                              uint64_t limit)
{
    while (from < to) {
        const size_t mid = from + (to - from) / 2;
        if (code[mid] < limit)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* The first mass at or beyond the quad `code` of `level`. */
static om_status find(const struct walk *w, uint64_t code, unsigned level,
                      size_t from, size_t to, size_t *out)
{
    if (w->segment) {
        size_t end;
        return om_segment_range(w->segment, code << (64 - 2 * level), 0, out,
                                &end);
    }
    const unsigned up = 2 * (w->masses->level - level);
    *out = first_not_below(w->masses->code, from, to, code << up);
    return OM_OK;
}

static om_status visit(struct walk *w, uint64_t code, unsigned level,
                       size_t from, size_t to)
{
    if (from >= to) return OM_OK;
    const struct om_box *box = &w->gather->box;
    const uint64_t side = UINT64_C(1) << (32 - level);
    const uint64_t x = (uint64_t)om_morton_squeeze(code) << (32 - level);
    const uint64_t y = (uint64_t)om_morton_squeeze(code >> 1) << (32 - level);
    if (x > box->x1 || x + side - 1 < box->x0 || y > box->y1 ||
        y + side - 1 < box->y0)
        return OM_OK;
    const bool inside = x >= box->x0 && x + side - 1 <= box->x1 &&
                        y >= box->y0 && y + side - 1 <= box->y1;
    if (inside || level >= w->stop_level) return add_range(w, from, to);
    size_t edge[5] = {from, 0, 0, 0, to};
    for (unsigned i = 1; i < 4; i++)
        OM_TRY(find(w, code << 2 | i, level + 1, edge[i - 1], to, &edge[i]));
    for (unsigned i = 0; i < 4; i++)
        OM_TRY(visit(w, code << 2 | i, level + 1, edge[i], edge[i + 1]));
    return OM_OK;
}

/* Level whose quads are about 1 / 2^EDGE_PARTS_LOG of the box's longer side. */
static unsigned edge_level(const struct om_box *box)
{
    const uint32_t w = box->x1 - box->x0, h = box->y1 - box->y0;
    uint32_t longer = w > h ? w : h;
    unsigned level = EDGE_PARTS_LOG;
    for (; longer < UINT32_C(1) << 31 && level < 30; level++) longer <<= 1;
    return level;
}

static om_status walk_masses(struct walk *w, unsigned level, size_t count)
{
    const unsigned stop = edge_level(&w->gather->box);
    w->stop_level = stop < level ? stop : level;
    OM_TRY(visit(w, 0, 0, 0, count));
    return emit_pending(w);
}

/* The coarsest stored level that is fine enough. */
static om_status stored_cells(const struct om_segment *segment, unsigned level,
                              struct om__masses *out)
{
    *out = (struct om__masses){0};
    for (size_t i = 0; i < om_segment_cell_levels(segment); i++) {
        struct om_cells c;
        OM_TRY(om_segment_cells(segment, i, &c));
        if (c.level < level) continue;
        *out = (struct om__masses){
            .level = c.level,
            .count = c.count,
            .code = c.code,
            .start = c.start,
            .mean_x = c.mean_x,
            .mean_y = c.mean_y,
        };
        return OM_OK;
    }
    return OM_OK;
}

static om_status gather_part(const struct om__gather *g, size_t part,
                             struct om__batch *batch)
{
    struct walk w = {.gather = g, .part = part, .batch = batch};
    const struct om_segment *segment = g->spec->layer->part[part].segment;
    struct om__masses masses = {0};
    if (g->prepared) {
        for (size_t i = 0; i < OM_FIELD_LEVELS && !masses.level; i++)
            if (om__field_level[i] >= g->level)
                masses = g->prepared->part[part].level[i];
    } else {
        OM_TRY(stored_cells(segment, g->level, &masses));
    }
    if (masses.level) {
        w.masses = &masses;
        return walk_masses(&w, masses.level, masses.count);
    }
    w.segment = segment;
    w.weighted = !om__weight_is_one(&g->spec->weight);
    om_status st = OM_OK;
    if (w.weighted)
        st = om__weigher_init(g->spec, g->reference_s, part, &w.weigher);
    if (!st) st = walk_masses(&w, 32, om_segment_rows(segment));
    om__weigher_deinit(&w.weigher);
    return st;
}

om_status om__gather_run(const struct om__gather *gather)
{
    struct om__batch *batch = gather->batch;
    if (!batch) batch = om_arena_alloc(gather->arena, sizeof *batch);
    if (!batch) return OM_E_MEMORY;
    batch->count = 0;
    for (size_t part = 0; part < gather->spec->layer->parts; part++)
        OM_TRY(gather_part(gather, part, batch));
    return OM_OK;
}
