/* gather.c - the masses of a window: stored cells, prepared ones, or rows.
 *
 * DESIGN
 * A window is a handful of ranges of the Morton order, quads of the world, and
 * its masses come out in that order whatever the window and whatever parts the
 * rows lie in: sums over masses have one order, so a place gets the same bits
 * from every window, before a compaction and after it.
 * A mass is a cell of one level, or a place where rows stand. Of the part that
 * has most, cells that nobody else has rows in, and in which nobody has died,
 * are handed out as they are. All others are made again from what each part
 * has there, in whole numbers (sums.c); so a row that is written or dies costs
 * its own cells and no pass over the part.
 * Positions are integers until the very end (node number and a 24-bit place
 * beside it), so that they do not depend on the window either.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/clones.h"
#include "data/model/batch.h"
#include "engine/field/field_internal.h"
#include "engine/layer/build.h"

/* Quads that straddle the window's edge are split until they are this part
 * of its longer side; what they hold beyond it is dropped mass by mass. */
#define EDGE_PARTS_LOG 4

/* Masses that were made, until there is a batch of them. */
struct some {
    size_t count;
    uint64_t code[OM_FIELD_BATCH + 1];
    float weight[OM_FIELD_BATCH];
    uint16_t mean_x[OM_FIELD_BATCH], mean_y[OM_FIELD_BATCH];
};

/* What a part has: cells, or rows that are grouped as they come. */
struct source {
    const struct om_part *part;
    struct om__masses masses;  // level 0: rows
    const struct om__ledger *ledger;
    struct om__adder adder;
    size_t at, end;     // of the interval: cells or rows
    size_t dead, dies;  // and its dead rows, of cells
};

/* One walk over the masses of all parts. */
struct walk {
    const struct om__gather *gather;
    struct om__batch *batch;
    struct some *some;
    struct source *source;
    size_t sources;
    unsigned level, shift;  // of the masses; 32: rows, each place one
    unsigned stop_level;
    bool plain;
    double unit;
    uint64_t from, to;  // codes of a pending interval; to 0: to the end
    bool pending;
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

/* ---- handing out ------------------------------------------------------- */

static void emit_some(struct walk *w)
{
    struct some *c = w->some;
    if (!c->count) return;
    const struct place p = place_of(w->gather, w->level);
    if (w->level == 32)
        place_rows(c->code, c->count, p, w->batch);
    else
        place_cells(c->code, c->mean_x, c->mean_y, c->count, p, w->batch);
    memcpy(w->batch->weight, c->weight, c->count * sizeof *c->weight);
    w->batch->count = c->count;
    c->count = 0;
    flush(w);
}

/* Stored cells [from, to) as they are. */
static void emit_cells(struct walk *w, const struct om__masses *m, size_t from,
                       size_t to)
{
    const struct place p = place_of(w->gather, m->level);
    if (from < to) emit_some(w);
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

static void put(struct walk *w, uint64_t code, const struct om__sum *s)
{
    struct some *c = w->some;
    if (!s->size) return;
    if (c->count == OM_FIELD_BATCH) emit_some(w);
    const size_t i = c->count++;
    c->code[i] = code;
    c->weight[i] = (float)om__sum_weight(s, w->unit);
    if (w->level == 32) return;
    const uint32_t x = om_morton_squeeze(code) << (32 - w->level);
    const uint32_t y = om_morton_squeeze(code >> 1) << (32 - w->level);
    if (w->plain) {
        c->mean_x[i] = om_cells_mean((uint64_t)(s->x - s->size * x),
                                     (uint64_t)s->size, w->level);
        c->mean_y[i] = om_cells_mean((uint64_t)(s->y - s->size * y),
                                     (uint64_t)s->size, w->level);
    } else {
        c->mean_x[i] = om__sum_mean(s->x, s->size, x, w->level);
        c->mean_y[i] = om__sum_mean(s->y, s->size, y, w->level);
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

static bool has_cells(const struct source *s)
{
    return s->masses.level != 0;
}

/* The cell of the source's next mass. */
static uint64_t code_at(const struct walk *w, const struct source *s)
{
    return has_cells(s) ? s->masses.code[s->at]
                        : s->adder.key[s->at] >> w->shift;
}

/* On to the next row that is selected. */
static void settle(struct source *s)
{
    const struct om_selection *selection = s->adder.selection;
    if (selection->all) return;
    const uint64_t *word = selection->part[s->adder.part].word;
    size_t row = s->at;
    while (row < s->end) {
        const uint64_t left = word[row / 64] >> (row % 64);
        if (left) {
            row += (size_t)__builtin_ctzll(left);
            break;
        }
        row = (row / 64 + 1) * 64;
    }
    s->at = row < s->end ? row : s->end;
}

/* Rows of one cell from source->at on, added; behind them then. */
static void add_group(const struct walk *w, struct source *s, uint64_t code,
                      struct om__sum *sum)
{
    struct om__adder *a = &s->adder;
    size_t row = s->at;
    for (; row < s->end && a->key[row] >> w->shift == code; row++)
        if (om_selection_has(a->selection, a->part, row))
            om__adder_row(a, row, sum);
    s->at = row;
    settle(s);
}

/* The same of plain rows at their places, which are only counted. */
static void count_group(struct source *s, struct om__sum *sum)
{
    const struct om__adder *a = &s->adder;
    const uint64_t key = a->key[s->at];
    uint64_t n = 0;
    size_t row = s->at;
    for (; row < s->end && a->key[row] == key; row++)
        n += om_selection_has(a->selection, a->part, row);
    s->at = row;
    settle(s);
    sum->weight += n;
    sum->size += n;
}

static void add_next(const struct walk *w, struct source *s, uint64_t code,
                     struct om__sum *sum)
{
    if (w->shift == 0 && !s->adder.weighted)
        count_group(s, sum);
    else
        add_group(w, s, code, sum);
}

/* What a source has in the cell, if anything; behind it then. */
static om_status add_cell(const struct walk *w, struct source *s, uint64_t code,
                          struct om__sum *sum)
{
    if (s->at == s->end || code_at(w, s) != code) return OM_OK;
    if (!has_cells(s)) {
        add_next(w, s, code, sum);
        return OM_OK;
    }
    size_t from, to;
    OM_TRY(om_segment_range(s->part->segment, code << w->shift,
                            (code + 1) << w->shift, &from, &to));
    s->at++;
    return om__adder_range(&s->adder, s->part, s->ledger, from, to, sum);
}

/* The next cell of cells in which somebody has died, if there is one. */
static om_status next_dead(const struct walk *w, struct source *s,
                           uint64_t *code)
{
    const uint64_t *key;
    *code = UINT64_MAX;
    if (s->dead == s->dies) return OM_OK;
    const size_t row = s->part->dead[s->dead];
    OM_TRY(om_segment_keys(s->part->segment, row, row + 1, &key));
    *code = key[row] >> w->shift;
    return OM_OK;
}

/* The dead of the cell have been seen to. */
static om_status skip_dead(const struct walk *w, struct source *s,
                           uint64_t code)
{
    for (uint64_t next = code; s->dead < s->dies; s->dead++) {
        OM_TRY(next_dead(w, s, &next));
        if (next > code) break;
    }
    return OM_OK;
}

/* Masses of the source below `limit`, which nobody else has. */
static void emit_below(struct walk *w, struct source *s, uint64_t limit)
{
    if (has_cells(s)) {
        const size_t to = first_not_below(s->masses.code, s->at, s->end, limit);
        emit_cells(w, &s->masses, s->at, to);
        s->at = to;
        return;
    }
    while (s->at < s->end) {
        const uint64_t code = code_at(w, s);
        struct om__sum sum = {0};
        if (code >= limit) return;
        add_next(w, s, code, &sum);
        put(w, code, &sum);
    }
}

/* The source that has most to hand out, cells before rows. */
static struct source *find_primary(struct walk *w)
{
    struct source *best = NULL;
    for (size_t i = 0; i < w->sources; i++) {
        struct source *s = &w->source[i];
        if (s->at == s->end) continue;
        if (!best || has_cells(s) > has_cells(best) ||
            (has_cells(s) == has_cells(best) &&
             s->end - s->at > best->end - best->at))
            best = s;
    }
    return best;
}

/* The next cell that is not the primary's alone. */
static om_status next_shared(struct walk *w, struct source *primary,
                             uint64_t *code)
{
    *code = UINT64_MAX;
    if (has_cells(primary)) OM_TRY(next_dead(w, primary, code));
    for (size_t i = 0; i < w->sources; i++) {
        const struct source *s = &w->source[i];
        if (s == primary || s->at == s->end) continue;
        const uint64_t next = code_at(w, s);
        if (next < *code) *code = next;
    }
    return OM_OK;
}

static bool any_left(const struct walk *w)
{
    for (size_t i = 0; i < w->sources; i++)
        if (w->source[i].at < w->source[i].end) return true;
    return false;
}

static om_status emit_all(struct walk *w)
{
    struct source *primary = find_primary(w);
    while (primary) {
        uint64_t code;
        struct om__sum sum = {0};
        OM_TRY(next_shared(w, primary, &code));
        emit_below(w, primary, code);
        if (!any_left(w)) break;
        for (size_t i = 0; i < w->sources; i++)
            OM_TRY(add_cell(w, &w->source[i], code, &sum));
        put(w, code, &sum);
        if (has_cells(primary)) OM_TRY(skip_dead(w, primary, code));
        if (primary->at == primary->end) primary = find_primary(w);
    }
    return OM_OK;
}

/* ---- intervals --------------------------------------------------------- */

/* What of a source lies between two codes. */
static om_status set_interval(struct walk *w, struct source *s)
{
    size_t from, to;
    OM_TRY(om_segment_range(s->part->segment, w->from, w->to, &from, &to));
    s->at = s->end = s->dead = s->dies = 0;
    if (from == to) return OM_OK;
    if (!has_cells(s)) {
        s->at = from;
        s->end = to;
        settle(s);
        return om__adder_touch(&s->adder, from, to);
    }
    const struct om__masses *m = &s->masses;
    s->at = first_not_below(m->code, 0, m->count, w->from >> w->shift);
    s->end = w->to
                 ? first_not_below(m->code, s->at, m->count, w->to >> w->shift)
                 : m->count;
    s->dead = om_part_dead_from(s->part, from);
    s->dies = om_part_dead_from(s->part, to);
    return OM_OK;
}

static om_status end_interval(struct walk *w)
{
    if (!w->pending) return OM_OK;
    w->pending = false;
    for (size_t i = 0; i < w->sources; i++)
        OM_TRY(set_interval(w, &w->source[i]));
    return emit_all(w);
}

/* Quads that touch are one interval. */
static om_status add_quad(struct walk *w, uint64_t code, unsigned level)
{
    const uint64_t from = level ? code << (64 - 2 * level) : 0;
    const uint64_t to = level ? (code + 1) << (64 - 2 * level) : 0;
    if (w->pending && w->to == from) {
        w->to = to;
        return OM_OK;
    }
    OM_TRY(end_interval(w));
    w->pending = true;
    w->from = from;
    w->to = to;
    return OM_OK;
}

static om_status visit(struct walk *w, uint64_t code, unsigned level)
{
    const struct om_box *box = &w->gather->box;
    const uint64_t side = UINT64_C(1) << (32 - level);
    const uint64_t x = (uint64_t)om_morton_squeeze(code) << (32 - level);
    const uint64_t y = (uint64_t)om_morton_squeeze(code >> 1) << (32 - level);
    if (x > box->x1 || x + side - 1 < box->x0 || y > box->y1 ||
        y + side - 1 < box->y0)
        return OM_OK;
    const bool inside = x >= box->x0 && x + side - 1 <= box->x1 &&
                        y >= box->y0 && y + side - 1 <= box->y1;
    if (inside || level >= w->stop_level) return add_quad(w, code, level);
    for (unsigned i = 0; i < 4; i++) OM_TRY(visit(w, code << 2 | i, level + 1));
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

/* ---- sources ----------------------------------------------------------- */

/* Levels of plain cells: those that files have where they are worth it. Which
 * is read follows from the window alone, so that it does not matter what a file
 * has: rows are grouped where it has not. */
static const unsigned plain_level[] = {14, 16, 18, 19, 20, 22};
#define PLAIN_LEVELS (sizeof plain_level / sizeof *plain_level)

static unsigned level_of(const struct walk *w)
{
    const unsigned *level = w->plain ? plain_level : om__field_level;
    const size_t n = w->plain ? PLAIN_LEVELS : OM_FIELD_LEVELS;
    for (size_t i = 0; i < n; i++)
        if (level[i] >= w->gather->level) return level[i];
    return 32;
}

static om_status stored_cells(const struct om_segment *segment, unsigned level,
                              struct om__masses *out)
{
    for (size_t i = 0; i < om_segment_cell_levels(segment); i++) {
        struct om_cells c;
        OM_TRY(om_segment_cells(segment, i, &c));
        if (c.level != level) continue;
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

static om_status find_masses(const struct walk *w, size_t part,
                             struct source *s)
{
    const struct om__prepared *prepared = w->gather->prepared;
    const struct om__prepared_part *of = prepared ? prepared->part[part] : NULL;
    if (w->level == 32) return OM_OK;
    if (of) s->ledger = &of->ledger;
    // Few rows are grouped faster than they are looked for.
    const bool few = om_segment_rows(s->part->segment) < OM_FIELD_PART_ROWS;
    if (w->plain)
        return few && w->gather->spec->layer->parts > 1
                   ? OM_OK
                   : stored_cells(s->part->segment, w->level, &s->masses);
    for (size_t i = 0; of && i < OM_FIELD_LEVELS; i++)
        if (om__field_level[i] == w->level) s->masses = of->level[i];
    return OM_OK;
}

/* Parts that lie in the window. */
static om_status add_sources(struct walk *w)
{
    const struct om_layer *layer = w->gather->spec->layer;
    const struct om_box *box = &w->gather->box;
    for (size_t p = 0; p < layer->parts; p++) {
        const struct om_box b = om_segment_box(layer->part[p].segment);
        if (b.x0 > b.x1 || b.x0 > box->x1 || b.x1 < box->x0 || b.y0 > box->y1 ||
            b.y1 < box->y0)
            continue;
        struct source *s = &w->source[w->sources++];
        *s = (struct source){.part = &layer->part[p]};
        OM_TRY(om__adder_init(w->gather->spec, w->gather->reference_s, p,
                              &s->adder));
        OM_TRY(find_masses(w, p, s));
    }
    return OM_OK;
}

static om_status walk_all(struct walk *w)
{
    const unsigned stop = edge_level(&w->gather->box);
    OM_TRY(add_sources(w));
    w->stop_level = stop < w->level ? stop : w->level;
    OM_TRY(visit(w, 0, 0));
    OM_TRY(end_interval(w));
    emit_some(w);
    for (size_t i = 0; i < w->sources; i++)
        OM_TRY(w->source[i].adder.weigher.status);
    return OM_OK;
}

om_status om__gather_run(const struct om__gather *gather)
{
    struct walk w = {.gather = gather,
                     .plain = om__field_is_plain(gather->spec),
                     .unit = om__weight_unit(&gather->spec->weight)};
    w.level = level_of(&w);
    w.shift = 64 - 2 * w.level;
    struct memory {
        struct om__batch batch;
        struct some some;
    } *memory = om_alloc(sizeof *memory);
    w.source = om_calloc(gather->spec->layer->parts + 1, sizeof *w.source);
    om_status st = memory && w.source ? OM_OK : OM_E_MEMORY;
    if (!st) {
        w.batch = &memory->batch;
        w.some = &memory->some;
        w.batch->count = w.some->count = 0;
        // Rows are where they are.
        const int side_log = 32 - (int)w.level - (int)gather->exponent;
        w.batch->variance =
            w.level == 32 ? 0.0f
                          : (float)ldexp(OM_FIELD_SPREAD / 12.0, 2 * side_log);
        st = walk_all(&w);
    }
    for (size_t i = 0; i < w.sources; i++) om__adder_deinit(&w.source[i].adder);
    om_free(w.source);
    om_free(memory);
    return st;
}
