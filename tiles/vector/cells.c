/* cells.c - the rows of a tile counted in cells.
 *
 * DESIGN
 * Cells are those of the quadtree some zooms below the tile, so that each is a
 * run of rows in every part, and cells of neighbouring tiles and deeper zooms
 * fit together. Counts come from ranks, sums of numbers from the segment's
 * running sums, counts of categories from tallies where rows are many and
 * from the rows where they are few. Where a cell lies and how far it reaches
 * is known to cells three levels finer where rows are many. We rejected the
 * means that are stored with those: each is rounded for the rows of its part,
 * so that they add up to another mean where the parts are others.
 */
#include <math.h>
#include <string.h>

#include "tiles/vector/vector_internal.h"

/* How many levels finer cells tell where rows lie: an eighth of a cell. */
#define FINER 3
/* Rows of a tile from which on finer cells pay. */
#define FINER_PAYS 40000
/* Rows of a part up to which its cells are found by reading the keys. */
#define WALK 4096

/* What one part of the layer brings to the tile. */
struct source {
    const struct om__cells *cells;
    const struct om_selection *selection;
    const struct om_part *owner;
    const struct om_segment *segment;
    size_t part, rows;  // rows of the whole part
    const uint64_t *key;
    uint32_t *bound;  // [cells + 1] rows
    const struct om_column *by;
    const uint8_t *of_code;
    const struct om__tally *by_tally;
    const struct om_column **sum;        // [sums]
    const struct om__tally **sum_tally;  // [sums], or NULL each
    bool *sum_fits;                      // [sums], running sums into 64 bits
    struct om_cells finer;               // count 0: rows are read
    size_t finer_first, finer_end;
    uint32_t finer_mask;  // of boxes of rows, if there are many
    struct om__kept kept_finer, kept_by, *kept_sum;
};

static unsigned level_of(const struct om__place *place, unsigned zooms)
{
    return place->z + zooms;
}

/* ---- cells of a part ---- */

static om_status find_bounds(struct source *s, const struct om__place *place,
                             struct om__stretch stretch, unsigned zooms)
{
    const size_t n = s->cells->count;
    const unsigned shift = 64 - 2 * level_of(place, zooms);
    s->bound[0] = (uint32_t)stretch.from;
    s->bound[n] = (uint32_t)stretch.to;
    if (stretch.to - stretch.from <= WALK) {
        size_t row = stretch.from;
        for (size_t c = 1; c < n; c++) {
            while (row < stretch.to && (s->key[row] >> shift & (n - 1)) < c)
                row++;
            s->bound[c] = (uint32_t)row;
        }
        return OM_OK;
    }
    for (size_t c = 1; c < n; c++) {
        size_t from, to;
        OM_TRY(om_segment_range(
            s->segment, place->code + ((uint64_t)c << shift), 0, &from, &to));
        s->bound[c] = (uint32_t)from;
    }
    return OM_OK;
}

/* ---- what a run of rows adds up to ---- */

/* `count` rows at a position, or anywhere in its finer cell where `mask` says
 * what of a position lies within one (else 0). Of many rows no more is known
 * than which finer cell they are in, so they count at its middle and by its
 * box, wherever they are read: a sum is then the same however rows are divided
 * into parts, and whole numbers add up in any order. */
static void add_place(struct om__cell *cell, struct om_pos p, uint32_t mask,
                      uint64_t count)
{
    const uint32_t middle = mask / 2 + (mask & 1);
    cell->x += ((p.x & ~mask) + (uint64_t)middle) * count;
    cell->y += ((p.y & ~mask) + (uint64_t)middle) * count;
    om_box_widen(&cell->box, (struct om_box){p.x & ~mask, p.y & ~mask,
                                             p.x | mask, p.y | mask});
}

/* Call for each row of [from, to) that was taken and is dead. */
#define EACH_DEAD(s, from, to, row, body)                                  \
    for (size_t d_ = om_part_dead_from((s)->owner, (from));                \
         d_ < (s)->owner->dead_count && (s)->owner->dead[d_] < (to); d_++) \
        if (om_selection_base_has((s)->selection, (s)->part,               \
                                  (s)->owner->dead[d_])) {                 \
            const size_t row = (s)->owner->dead[d_];                       \
            body;                                                          \
        }

/* Call for each selected row of [from, to). */
#define EACH_ROW(s, from, to, row, body)                                    \
    for (size_t w_ = (from) / 64; w_ * 64 < (to); w_++)                     \
        for (uint64_t bits_ = om__selected_in((s)->selection, (s)->part,    \
                                              (s)->rows, w_, (from), (to)); \
             bits_; bits_ &= bits_ - 1) {                                   \
            const size_t row = w_ * 64 + (size_t)__builtin_ctzll(bits_);    \
            body;                                                           \
        }

static void add_places(const struct source *s, struct om__cell *cell,
                       size_t from, size_t to)
{
    EACH_ROW(s, from, to, row,
             add_place(cell, om_morton_pos(s->key[row]), s->finer_mask, 1));
}

/* One finer cell, stored at this level or a deeper one. */
static void add_finer(const struct source *s, struct om__cell *cell, size_t i,
                      size_t count)
{
    const struct om_cells *f = &s->finer;
    add_place(cell, om_morton_pos(f->code[i] << (64 - 2 * f->level)),
              s->finer_mask, count);
}

static size_t word_of(const struct source *s, size_t row)
{
    return om_column_valid(s->by, row)
               ? s->of_code[om_column_stored(s->by, row)]
               : s->cells->words.count;
}

static void add_words_of_rows(const struct source *s, struct om__cell *cell,
                              size_t from, size_t to)
{
    EACH_ROW(s, from, to, row, cell->word[word_of(s, row)]++);
}

static void add_words(const struct source *s, struct om__cell *cell,
                      size_t from, size_t to)
{
    const size_t first = (from + OM__TALLY_ROWS - 1) / OM__TALLY_ROWS;
    const size_t end = to / OM__TALLY_ROWS;
    if (!s->by_tally || first >= end) {
        add_words_of_rows(s, cell, from, to);
        return;
    }
    const size_t width = s->by_tally->width;
    const uint32_t *a = s->by_tally->count + first * width;
    const uint32_t *b = s->by_tally->count + end * width;
    for (size_t i = 0; i + 1 < width; i++)
        cell->word[s->of_code[i]] += b[i] - a[i];
    cell->word[s->cells->words.count] += b[width - 1] - a[width - 1];
    EACH_DEAD(s, first * OM__TALLY_ROWS, end * OM__TALLY_ROWS, row,
              cell->word[word_of(s, row)]--);
    add_words_of_rows(s, cell, from, first * OM__TALLY_ROWS);
    add_words_of_rows(s, cell, end * OM__TALLY_ROWS, to);
}

static om_wide sum_of_rows(const struct source *s, const struct om_column *c,
                           size_t from, size_t to)
{
    om_wide sum = 0;
    EACH_ROW(s, from, to, row,
             if (om_column_valid(c, row)) sum += om_column_integer(c, row));
    return sum;
}

/* By running sums before each `step` rows (NULL: by rows), less the dead, and
 * rows at both ends. */
static om_wide sum_between(const struct source *s, const struct om_column *c,
                           const int64_t *running, size_t step, size_t from,
                           size_t to)
{
    const size_t first = (from + step - 1) / step, end = to / step;
    if (!running || first >= end) return sum_of_rows(s, c, from, to);
    om_wide gone = 0;
    EACH_DEAD(s, first * step, end * step, row,
              if (om_column_valid(c, row)) gone += om_column_integer(c, row));
    return (om_wide)running[end] - running[first] - gone +
           sum_of_rows(s, c, from, first * step) +
           sum_of_rows(s, c, end * step, to);
}

static void add_sums(const struct source *s, struct om__cell *cell, size_t from,
                     size_t to)
{
    for (size_t i = 0; i < s->cells->sums; i++) {
        const struct om_column *c = s->sum[i];
        const struct om__tally *t = s->sum_tally[i];
        const bool whole = s->selection->all || s->selection->living;
        if (!s->sum_fits[i])
            cell->sum[i] += sum_of_rows(s, c, from, to);
        else if (whole)
            cell->sum[i] += sum_between(s, c, c->sum, OM_SUM_ROWS, from, to);
        else
            cell->sum[i] +=
                sum_between(s, c, t ? t->sum : NULL, OM__TALLY_ROWS, from, to);
    }
}

/* First and last selected row of [from, to), which holds one. */
static void find_ends(const struct source *s, size_t from, size_t to,
                      size_t *first, size_t *last)
{
    size_t w = from / 64;
    uint64_t bits;
    while (
        !(bits = om__selected_in(s->selection, s->part, s->rows, w, from, to)))
        w++;
    *first = w * 64 + (size_t)__builtin_ctzll(bits);
    w = (to - 1) / 64;
    while (
        !(bits = om__selected_in(s->selection, s->part, s->rows, w, from, to)))
        w--;
    *last = w * 64 + 63 - (size_t)__builtin_clzll(bits);
}

static void fill_cell(const struct source *s, struct om__cell *cell,
                      size_t from, size_t to, size_t *finer)
{
    const size_t count = om__selected_count(s->selection, s->part, from, to);
    if (!count) return;
    size_t first, last;
    find_ends(s, from, to, &first, &last);
    if (!cell->placed || s->key[first] < cell->first)
        cell->first = s->key[first];
    if (!cell->placed || s->key[last] > cell->last) cell->last = s->key[last];
    cell->row = (struct om_row_at){(uint32_t)s->part, (uint32_t)first};
    cell->count += count;
    cell->placed += count;
    if (s->finer.count) {
        size_t i = *finer;
        while (i < s->finer_end && s->finer.start[i] < from) i++;
        for (; i < s->finer_end && s->finer.start[i] < to; i++) {
            const size_t n =
                om__selected_count(s->selection, s->part, s->finer.start[i],
                                   s->finer.start[i + 1]);
            if (n) add_finer(s, cell, i, n);
        }
        *finer = i;
    } else {
        add_places(s, cell, from, to);
    }
    if (s->by) add_words(s, cell, from, to);
    add_sums(s, cell, from, to);
}

/* ---- a part ---- */

static om_status find_finer(struct source *s, struct om_vectors *vectors,
                            struct om__stretch stretch, unsigned level)
{
    const size_t rows = stretch.to - stretch.from;
    if (!s->finer_mask || rows < FINER_PAYS) return OM_OK;
    OM_TRY(om__subcells_get(vectors, s->segment, level + FINER, &s->kept_finer,
                            &s->finer));
    size_t low = 0, high = s->finer.count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (s->finer.start[mid] < stretch.from)
            low = mid + 1;
        else
            high = mid;
    }
    s->finer_first = low;
    high = s->finer.count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (s->finer.start[mid] < stretch.to)
            low = mid + 1;
        else
            high = mid;
    }
    s->finer_end = low;
    if ((s->finer_end - s->finer_first) * 3 > rows) s->finer.count = 0;
    return OM_OK;
}

static om_status find_columns(struct source *s, struct om_vectors *vectors,
                              const struct om_vector_spec *spec,
                              struct om__stretch stretch,
                              struct om_arena *arena)
{
    const struct om__cells *cells = s->cells;
    const bool many = stretch.to - stretch.from > OM__TALLY_PAYS;
    if (spec->by != OM_NO_FIELD) {
        OM_TRY(om_segment_column(s->segment, spec->by, stretch.from, stretch.to,
                                 &s->by));
        s->of_code = cells->words.of_code[s->part];
        if (many)
            OM_TRY(
                om__tally_get(vectors, spec, s->part, spec->by, &s->kept_by));
        s->by_tally = s->kept_by.value;
    }
    s->sum = om_arena_calloc(arena, cells->sums + 1, sizeof *s->sum);
    s->sum_tally =
        om_arena_calloc(arena, cells->sums + 1, sizeof *s->sum_tally);
    s->kept_sum = om_arena_calloc(arena, cells->sums + 1, sizeof *s->kept_sum);
    s->sum_fits = om_arena_calloc(arena, cells->sums + 1, sizeof *s->sum_fits);
    if (!s->sum || !s->sum_tally || !s->kept_sum || !s->sum_fits)
        return OM_E_MEMORY;
    for (size_t i = 0; i < cells->sums; i++) {
        OM_TRY(om_segment_column(s->segment, cells->sum_column[i], stretch.from,
                                 stretch.to, &s->sum[i]));
        s->sum_fits[i] = om_sums_fit(s->sum[i], s->rows);
        if (s->selection->all || s->selection->living || !many) continue;
        OM_TRY(om__tally_get(vectors, spec, s->part, cells->sum_column[i],
                             &s->kept_sum[i]));
        s->sum_tally[i] = s->kept_sum[i].value;
    }
    return OM_OK;
}

static void source_release(struct source *s, struct om_vectors *vectors)
{
    om__keep_release(vectors, &s->kept_finer);
    om__keep_release(vectors, &s->kept_by);
    for (size_t i = 0; s->kept_sum && i < s->cells->sums; i++)
        om__keep_release(vectors, &s->kept_sum[i]);
}

static om_status source_init(struct source *s, struct om_vectors *vectors,
                             const struct om_vector_spec *spec,
                             const struct om__place *place,
                             struct om__stretch stretch, unsigned zooms,
                             struct om_arena *arena)
{
    s->bound = om_arena_alloc(arena, (s->cells->count + 1) * sizeof *s->bound);
    if (!s->bound) return OM_E_MEMORY;
    OM_TRY(om_segment_keys(s->segment, stretch.from, stretch.to, &s->key));
    OM_TRY(find_columns(s, vectors, spec, stretch, arena));
    OM_TRY(find_finer(s, vectors, stretch, level_of(place, zooms)));
    return find_bounds(s, place, stretch, zooms);
}

/* ---- rows that are drawn are not counted ---- */

static void take_away(const struct source *s, struct om__cells *cells,
                      const struct om__place *place, size_t row)
{
    const uint64_t key = s->key[row];
    const unsigned shift = 64 - 2 * level_of(place, cells->zooms);
    struct om__cell *cell = &cells->cell[key >> shift & (cells->count - 1)];
    cell->count--;
    if (s->by) cell->word[word_of(s, row)]--;
    for (size_t i = 0; i < cells->sums; i++)
        if (om_column_valid(s->sum[i], row))
            cell->sum[i] -= om_column_integer(s->sum[i], row);
}

/* ---- together ---- */

/* Of a column that is hidden there is no sum, however many rows make it:
 * whoever asks chooses them by a filter, and would subtract. */
static bool is_summed(const struct om_vector_spec *spec, size_t f)
{
    const struct om_schema *schema = &spec->layer->schema;
    const enum om_type type = schema->field[f].type;
    return (type == OM_TYPE_INTEGER || type == OM_TYPE_BOOLEAN) &&
           !schema->hidden[f] && (!spec->column || spec->column[f]);
}

static om_status cells_init(struct om__cells *cells,
                            const struct om_vector_spec *spec, unsigned zooms,
                            struct om_arena *arena)
{
    const struct om_schema *schema = &spec->layer->schema;
    *cells =
        (struct om__cells){.zooms = zooms, .count = (size_t)1 << 2 * zooms};
    cells->sum_column =
        om_arena_alloc(arena, schema->count * sizeof *cells->sum_column);
    if (!cells->sum_column) return OM_E_MEMORY;
    for (size_t f = 0; f < schema->count; f++)
        if (is_summed(spec, f)) cells->sum_column[cells->sums++] = f;
    if (spec->by != OM_NO_FIELD)
        OM_TRY(om__words_read(spec->layer, spec->by, arena, &cells->words));
    const size_t n = cells->count;
    cells->cell = om_arena_calloc(arena, n, sizeof *cells->cell);
    om_wide *sum = om_arena_calloc(arena, n * cells->sums + 1, sizeof *sum);
    const size_t width = spec->by == OM_NO_FIELD ? 0 : cells->words.count + 1;
    uint64_t *word = om_arena_calloc(arena, n * width + 1, sizeof *word);
    if (!cells->cell || !sum || !word) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        cells->cell[i].box = OM_BOX_NONE;
        cells->cell[i].sum = sum + i * cells->sums;
        cells->cell[i].word = word + i * width;
    }
    return OM_OK;
}

om_status om__cells_gather(struct om_vectors *vectors,
                           const struct om_vector_spec *spec,
                           const struct om__place *place,
                           const struct om__stretch *stretch, unsigned zooms,
                           const struct om_row_at *drawn, size_t drawn_count,
                           struct om_arena *arena, struct om__cells *cells)
{
    OM_TRY(cells_init(cells, spec, zooms, arena));
    om_status st = OM_OK;
    size_t d = 0;
    // The same for all parts, however rows are divided: boxes of a tile of many
    // rows are made of those of finer cells.
    size_t rows = 0;
    for (size_t p = 0; p < spec->layer->parts; p++)
        rows += om__selected_count(spec->selection, p, stretch[p].from,
                                   stretch[p].to);
    const unsigned finer_level = level_of(place, zooms) + FINER;
    const bool many = rows >= FINER_PAYS && finer_level < 32;
    for (size_t p = 0; p < spec->layer->parts && !st; p++) {
        const struct om_segment *segment = spec->layer->part[p].segment;
        struct source s = {.cells = cells,
                           .selection = spec->selection,
                           .owner = &spec->layer->part[p],
                           .segment = segment,
                           .part = p,
                           .rows = om_segment_rows(segment),
                           .finer_mask = many ? UINT32_MAX >> finer_level : 0};
        if (stretch[p].from == stretch[p].to) continue;
        st = source_init(&s, vectors, spec, place, stretch[p], zooms, arena);
        size_t finer = s.finer_first;
        for (size_t c = 0; c < cells->count && !st; c++)
            if (s.bound[c] < s.bound[c + 1])
                fill_cell(&s, &cells->cell[c], s.bound[c], s.bound[c + 1],
                          &finer);
        for (; d < drawn_count && drawn[d].part == p && !st; d++)
            take_away(&s, cells, place, drawn[d].row);
        source_release(&s, vectors);
    }
    for (size_t c = 0; c < cells->count; c++)
        cells->total += cells->cell[c].count;
    return st;
}

double om__cells_cost_s(struct om_vectors *vectors,
                        const struct om_vector_spec *spec,
                        const struct om__place *place,
                        const struct om__stretch *stretch)
{
    const struct om_schema *schema = &spec->layer->schema;
    double cost_s = 0.0;
    for (size_t p = 0; p < spec->layer->parts; p++) {
        const struct om_segment *segment = spec->layer->part[p].segment;
        const size_t rows = stretch[p].to - stretch[p].from;
        if (rows >= FINER_PAYS)
            cost_s += om__subcells_cost_s(
                vectors, segment,
                level_of(place, OM_VECTOR_CELL_ZOOMS) + FINER);
        if (rows <= OM__TALLY_PAYS) continue;
        if (spec->by != OM_NO_FIELD)
            cost_s += om__tally_cost_s(vectors, spec, p, spec->by);
        const bool whole = spec->selection->all || spec->selection->living;
        for (size_t f = 0; f < schema->count && !whole; f++)
            if (is_summed(spec, f))
                cost_s += om__tally_cost_s(vectors, spec, p, f);
    }
    return cost_s;
}
