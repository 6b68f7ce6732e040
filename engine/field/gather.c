/* gather.c - the masses of a window: stored cells, prepared ones, or rows.
 *
 * DESIGN
 * A window is a handful of ranges of the Morton order. They are found by
 * walking the quadtree from the top, each step a search inside the range of
 * its parent, and come out in Morton order whatever the window: sums over
 * masses have one order, so a place gets the same bits from every window.
 * A cell in which rows have died is made again as it is read: from those that
 * live where it is small, else by taking the dead out of its sum; so one dead
 * row costs its own cells and no pass over the part.
 * Positions are integers until the very end (node number and a 24-bit place
 * beside it), so that they do not depend on the window either.
 */
#include <math.h>
#include <string.h>

#include "data/base/clones.h"
#include "data/model/batch.h"
#include "engine/field/field_internal.h"
#include "engine/layer/build.h"

/* Quads that straddle the window's edge are split until they are this part
 * of its longer side; what they hold beyond it is dropped mass by mass. */
#define EDGE_PARTS_LOG 4

/* Cells of at most this many rows are made again from those that live. Of
 * larger ones the stored mean says where they are, to 1/65536 of the cell. */
#define CELL_ROWS 32

/* Cells that had to be made again, until there is a batch of them. */
struct patch {
    size_t count;
    uint64_t code[OM_FIELD_BATCH];
    float weight[OM_FIELD_BATCH];
    uint16_t mean_x[OM_FIELD_BATCH], mean_y[OM_FIELD_BATCH];
};

/* One walk over the masses of one part. */
struct walk {
    const struct om__gather *gather;
    const struct om_segment *segment;  // set: rows of it
    const struct om__masses *masses;   // else these
    const struct om_part *owner;
    double factor;               // of the masses
    bool exact;                  // cells of any size are made from their rows
    struct patch *patch;         // NULL: nobody has died
    struct om__weigher weigher;  // of rows, if `weighted`
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

static void set_variance(struct walk *w)
{
    const int side_log =
        32 - (int)w->masses->level - (int)w->gather->exponent;
    w->batch->variance = (float)ldexp(OM_FIELD_SPREAD / 12.0, 2 * side_log);
}

static void emit_cells(struct walk *w, size_t from, size_t to)
{
    const struct om__masses *m = w->masses;
    const struct place p = place_of(w->gather, m->level);
    const float factor = (float)w->factor;
    set_variance(w);
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
        if (factor != 1.0f)
            for (size_t i = 0; i < n; i++) w->batch->weight[i] *= factor;
        w->batch->count = n;
        flush(w);
    }
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

/* ---- cells in which rows have died ---- */

static void emit_patch(struct walk *w)
{
    struct patch *c = w->patch;
    if (!c->count) return;
    set_variance(w);
    place_cells(c->code, c->mean_x, c->mean_y, c->count,
                place_of(w->gather, w->masses->level), w->batch);
    memcpy(w->batch->weight, c->weight, c->count * sizeof *c->weight);
    w->batch->count = c->count;
    c->count = 0;
    flush(w);
}

/* Sums over rows of a cell: offsets in positions from its corner, by the size
 * of what they weigh. */
struct cell_sum {
    double weight, size, x, y;
    uint64_t rows, whole_x, whole_y;  // without weights, exact
};

/* Row and key were checked. */
static void add_to_cell(struct walk *w, size_t row, uint64_t key,
                        struct cell_sum *s)
{
    const uint32_t inside = UINT32_MAX >> w->masses->level;
    const double weight = w->weighted ? om__weigh(&w->weigher, row) : 1.0;
    const struct om_pos pos = om_morton_pos(key);
    const double size = fabs(weight);
    s->weight += weight;
    s->size += size;
    s->x += size * ((pos.x & inside) + 0.5);
    s->y += size * ((pos.y & inside) + 0.5);
    s->rows++;
    s->whole_x += pos.x & inside;
    s->whole_y += pos.y & inside;
}

static uint16_t mean_of(double sum, double size, unsigned level)
{
    const double at =
        size > 0.0 ? floor(ldexp(sum / size, (int)level + 16 - 32)) : 32768.0;
    return at >= 65535.0 ? 65535 : at > 0.0 ? (uint16_t)at : 0;
}

static void put_cell(struct walk *w, uint64_t code, const struct cell_sum *s)
{
    struct patch *c = w->patch;
    const unsigned level = w->masses->level;
    if (!(s->size > 0.0)) return;
    if (c->count == OM_FIELD_BATCH) emit_patch(w);
    const size_t i = c->count++;
    c->code[i] = code;
    c->weight[i] = (float)s->weight;
    c->mean_x[i] = s->rows ? om_cells_mean(s->whole_x, s->rows, level)
                           : mean_of(s->x, s->size, level);
    c->mean_y[i] = s->rows ? om_cells_mean(s->whole_y, s->rows, level)
                           : mean_of(s->y, s->size, level);
}

/* The living rows of mass `i`, which are among rows [from, to). */
static om_status make_cell(struct walk *w, size_t i, size_t from, size_t to)
{
    const struct om_selection *selection = w->gather->spec->selection;
    const uint64_t *key;
    struct cell_sum s = {0};
    OM_TRY(om_segment_keys(w->owner->segment, from, to, &key));
    if (w->weighted) OM_TRY(om__weigher_touch(&w->weigher, from, to));
    for (size_t row = from; row < to; row++)
        if (om_selection_has(selection, w->part, row))
            add_to_cell(w, row, key[row], &s);
    if (w->weighted) s.rows = 0;
    put_cell(w, w->masses->code[i], &s);
    return OM_OK;
}

/* What mass `i` holds less the dead [first, end). */
static om_status reduce_cell(struct walk *w, size_t i, size_t first, size_t end)
{
    const struct om__masses *m = w->masses;
    const struct om_selection *selection = w->gather->spec->selection;
    struct cell_sum gone = {0};
    for (size_t d = first; d < end; d++) {
        const size_t row = w->owner->dead[d];
        const uint64_t *key;
        if (!om_selection_base_has(selection, w->part, row)) continue;
        OM_TRY(om_segment_keys(w->owner->segment, row, row + 1, &key));
        if (w->weighted) OM_TRY(om__weigher_touch(&w->weigher, row, row + 1));
        add_to_cell(w, row, key[row], &gone);
    }
    const double unit = ldexp(1.0, 32 - (int)m->level - 16);
    const double weight =
        w->factor * (m->weight ? (double)m->weight[i]
                               : (double)(m->start[i + 1] - m->start[i]));
    const double size = fabs(weight);
    struct cell_sum left = {
        .weight = weight - gone.weight,
        .size = size - gone.size,
        .x = size * (m->mean_x[i] + 0.5) * unit - gone.x,
        .y = size * (m->mean_y[i] + 0.5) * unit - gone.y,
    };
    put_cell(w, m->code[i], &left);
    return OM_OK;
}

/* Cells [from, to), those in which rows have died made again. */
static om_status emit_living(struct walk *w, size_t from, size_t to)
{
    const struct om__masses *m = w->masses;
    const struct om_part *part = w->owner;
    const unsigned shift = 64 - 2 * m->level;
    size_t row, end, at = from;
    OM_TRY(om_segment_range(part->segment, m->code[from] << shift,
                            (m->code[to - 1] + 1) << shift, &row, &end));
    for (size_t d = om_part_dead_from(part, row);
         d < part->dead_count && part->dead[d] < end && at < to;) {
        const uint64_t *key;
        const size_t dead = part->dead[d];
        OM_TRY(om_segment_keys(part->segment, dead, dead + 1, &key));
        const uint64_t code = key[dead] >> shift;
        size_t first, stop, after = d + 1;
        OM_TRY(om_segment_range(part->segment, code << shift,
                                (code + 1) << shift, &first, &stop));
        while (after < part->dead_count && part->dead[after] < stop) after++;
        const size_t cell = first_not_below(m->code, at, to, code);
        // Where there is none, none of its rows was taken.
        if (cell < to && m->code[cell] == code) {
            if (at < cell) {
                emit_patch(w);
                emit_cells(w, at, cell);
            }
            const bool small = stop - first <= CELL_ROWS ||
                               after - d > (stop - first) / 2;
            OM_TRY(small || w->exact ? make_cell(w, cell, first, stop)
                                     : reduce_cell(w, cell, d, after));
            at = cell + 1;
        }
        d = after;
    }
    emit_patch(w);
    if (at < to) emit_cells(w, at, to);
    return w->weigher.status;
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

/* Is none of the rows dead, and nothing else left out? */
static bool all_live(const struct walk *w, size_t from, size_t to)
{
    const struct om_selection *s = w->gather->spec->selection;
    if (s->all || !s->living) return s->all;
    const size_t dead = om_part_dead_from(w->owner, from);
    return dead == w->owner->dead_count || w->owner->dead[dead] >= to;
}

/* The same of rows that are all selected. */
static void emit_all_rows(struct walk *w, const uint64_t *key, size_t from,
                          size_t to, const struct place *p)
{
    const size_t n = to - from;
    for (size_t i = 0; i < n; i++) w->batch->weight[i] = 1.0f;
    for (size_t i = 0; i < n && w->weighted; i++)
        w->batch->weight[i] = (float)om__weigh(&w->weigher, from + i);
    place_rows(key + from, n, *p, w->batch);
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
    for (size_t at = from, end; at < to; at = end) {
        end = to - at < OM_FIELD_BATCH ? to : at + OM_FIELD_BATCH;
        (all_live(w, at, end) ? emit_all_rows : emit_some_rows)(w, key, at, end,
                                                                &p);
    }
    return w->weigher.status;
}

static om_status emit_pending(struct walk *w)
{
    om_status st = OM_OK;
    if (w->from < w->to) {
        if (w->segment)
            st = emit_rows(w, w->from, w->to);
        else if (w->patch)
            st = emit_living(w, w->from, w->to);
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

/* The cells of a part that are fine enough; level 0: there are none. */
static om_status find_masses(const struct om__gather *g, struct walk *w,
                             struct om__masses *out)
{
    *out = (struct om__masses){0};
    w->factor = 1.0;
    if (!g->prepared) return stored_cells(w->owner->segment, g->level, out);
    const struct om__prepared_source *source = &g->prepared->source[w->part];
    if (!source->part) return OM_OK;
    w->factor = source->factor;
    w->exact = source->part->weight_abs > fabs(source->part->weight_sum);
    for (size_t i = 0; i < OM_FIELD_LEVELS && !out->level; i++)
        if (om__field_level[i] >= g->level) *out = source->part->level[i];
    return OM_OK;
}

static om_status gather_part(const struct om__gather *g, size_t part,
                             struct om__batch *batch)
{
    struct patch patch;
    struct om__masses masses;
    struct walk w = {.gather = g,
                     .part = part,
                     .owner = &g->spec->layer->part[part],
                     .batch = batch};
    const size_t rows = om_segment_rows(w.owner->segment);
    OM_TRY(find_masses(g, &w, &masses));
    if (masses.level && masses.count == 0) return OM_OK;
    if (masses.level) {
        w.masses = &masses;
        if (w.owner->dead_count) {
            w.patch = &patch;
            patch.count = 0;
        }
    } else {
        w.segment = w.owner->segment;
    }
    om_status st = OM_OK;
    w.weighted =
        (w.segment || w.patch) && !om__weight_is_one(&g->spec->weight);
    if (w.weighted)
        st = om__weigher_init(g->spec, g->reference_s, part, &w.weigher);
    if (!st)
        st = w.masses ? walk_masses(&w, masses.level, masses.count)
                      : walk_masses(&w, 32, rows);
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
