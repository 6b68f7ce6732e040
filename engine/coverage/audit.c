/* audit.c - rows, workers and parents of a partition.
 *
 * DESIGN
 * The join gave every row the unit it lies in, so rows in none are the NULLs
 * of the unit column. It gave rows in two the first of them; these can only
 * lie where two units overlap, so the boxes of the overlaps are asked for
 * their rows, and each is tested against both units.
 */
#include "engine/coverage/audit.h"

#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/query/curve.h"

/* --- levels ------------------------------------------------------------ */

/* The rings of live units in the order of the units: then a shape's number is
 * its unit's. */
static om_status order_rings(const struct om_units *units,
                             struct om_arena *arena, struct om_rings *out)
{
    const struct om_rings *r = &units->rings;
    const size_t n = units->count;
    size_t parts = 0, rings = 0, vertices = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t s = units->unit[i].row;
        const uint32_t p0 = r->shape_part[s], p1 = r->shape_part[s + 1];
        parts += p1 - p0;
        rings += r->part_ring[p1] - r->part_ring[p0];
        vertices +=
            r->ring_vertex[r->part_ring[p1]] - r->ring_vertex[r->part_ring[p0]];
    }
    uint32_t *shape = om_arena_calloc(arena, n + 1, sizeof *shape);
    uint32_t *part = om_arena_calloc(arena, parts + 1, sizeof *part);
    uint32_t *ring = om_arena_calloc(arena, rings + 1, sizeof *ring);
    struct om_pos *vertex =
        om_arena_calloc(arena, vertices + 1, sizeof *vertex);
    struct om_box *box = om_arena_calloc(arena, n + 1, sizeof *box);
    if (!shape || !part || !ring || !vertex || !box) return OM_E_MEMORY;
    uint32_t p_at = 0, r_at = 0, v_at = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t s = units->unit[i].row;
        for (uint32_t p = r->shape_part[s]; p < r->shape_part[s + 1]; p++) {
            for (uint32_t k = r->part_ring[p]; k < r->part_ring[p + 1]; k++) {
                const uint32_t from = r->ring_vertex[k];
                const uint32_t len = r->ring_vertex[k + 1] - from;
                memcpy(vertex + v_at, r->vertex + from, len * sizeof *vertex);
                v_at += len;
                ring[++r_at] = v_at;
            }
            part[++p_at] = r_at;
        }
        shape[i + 1] = p_at;
        box[i] = r->box[s];
    }
    *out = (struct om_rings){n, shape, part, ring, vertex, box};
    return OM_OK;
}

om_status om_audit_level(const struct om_units *units, struct om_faults *out)
{
    struct om_arena arena = {0};
    struct om_rings rings;
    *out = (struct om_faults){0};
    om_status st = order_rings(units, &arena, &rings);
    if (!st) st = om_faults_find(&rings, out);
    om_arena_deinit(&arena);
    return st;
}

om_status om_audit_levels(const struct om_units *lower,
                          const struct om_units *upper, const uint32_t *parent,
                          double slack_m, struct om_faults *out)
{
    struct om_arena arena = {0};
    struct om_rings one, other;
    *out = (struct om_faults){0};
    om_status st = order_rings(lower, &arena, &one);
    if (!st) st = order_rings(upper, &arena, &other);
    if (!st) st = om_faults_between(&one, &other, parent, slack_m, out);
    om_arena_deinit(&arena);
    return st;
}

/* --- rows -------------------------------------------------------------- */

/* A list that grows. */
struct listing {
    struct om_stray *stray;
    size_t count, room;
};

static om_status listing_add(struct listing *l, const struct om_stray *stray)
{
    if (l->count == l->room) {
        const size_t room = l->room ? 2 * l->room : 64;
        struct om_stray *grown = om_realloc(l->stray, room * sizeof *grown);
        if (!grown) return OM_E_MEMORY;
        l->stray = grown;
        l->room = room;
    }
    l->stray[l->count++] = *stray;
    return OM_OK;
}

static int by_row(const void *one, const void *two)
{
    const struct om_stray *p = one, *q = two;
    if (p->part != q->part) return p->part < q->part ? -1 : 1;
    if (p->row != q->row) return p->row < q->row ? -1 : 1;
    for (int i = 0; i < 2; i++)
        if (p->unit[i] != q->unit[i]) return p->unit[i] < q->unit[i] ? -1 : 1;
    return 0;
}

static int row_to_stray(const void *one, const void *two)
{
    const struct om_row_at *p = one;
    const struct om_stray *q = two;
    const struct om_row_at other = {(uint32_t)q->part, (uint32_t)q->row};
    return om_row_at_compare(p, &other);
}

/* The first `limit` rows, each listed once and by part and row, as if the layer
 * had one part. */
static om_status listing_take(const struct listing *l,
                              const struct om_layer *layer, size_t limit,
                              struct om_arena *arena, struct om_stray **out,
                              size_t *count)
{
    *count = l->count < limit ? l->count : limit;
    *out = om_arena_calloc(arena, *count + 1, sizeof **out);
    struct om_row_at *row = om_alloc_array(l->count + 1, sizeof *row);
    om_status st = *out && row ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < l->count && !st; i++)
        row[i] = (struct om_row_at){(uint32_t)l->stray[i].part,
                                    (uint32_t)l->stray[i].row};
    if (!st) st = om_curve_order(layer, row, l->count);
    for (size_t i = 0; i < *count && !st; i++)
        (*out)[i] = *(const struct om_stray *)bsearch(
            &row[i], l->stray, l->count, sizeof *l->stray, row_to_stray);
    om_free(row);
    return st;
}

static bool is_dead(const struct om_part *part, size_t row)
{
    const size_t dead = om_part_dead_from(part, row);
    return dead < part->dead_count && part->dead[dead] == row;
}

/* Rows of a part without a unit; the first `limit` of them are listed. */
static om_status find_nones(const struct om_layer *layer, size_t p,
                            size_t field, size_t limit, struct listing *list,
                            uint64_t *count)
{
    const struct om_part *part = &layer->part[p];
    const size_t rows = om_segment_rows(part->segment);
    const struct om_column *column;
    const uint64_t *key;
    size_t listed = 0;
    OM_TRY(om_segment_column(part->segment, field, 0, rows, &column));
    if (!column->valid || !column->nulls) return OM_OK;
    for (size_t w = 0; w * 64 < rows; w++) {
        uint64_t bits = ~column->valid[w];
        if (rows - w * 64 < 64) bits &= (UINT64_C(1) << (rows - w * 64)) - 1;
        for (; bits; bits &= bits - 1) {
            const size_t row = w * 64 + (size_t)__builtin_ctzll(bits);
            if (is_dead(part, row)) continue;
            ++*count;
            if (listed >= limit) continue;
            listed++;
            OM_TRY(om_segment_keys(part->segment, row, row + 1, &key));
            const struct om_stray stray = {
                p, row, om_morton_pos(key[row]), {OM_NO_UNIT, OM_NO_UNIT}};
            OM_TRY(listing_add(list, &stray));
        }
    }
    return OM_OK;
}

/* Rows in the box of one overlap that lie in both of its units. */
struct testing {
    const struct om_layer *layer;
    const struct om_units *units;
    uint32_t unit[2];
    struct listing *list;
    om_status status;
};

static bool test_row(void *ctx, const struct om_hit *hit)
{
    struct testing *t = ctx;
    const uint64_t *key;
    t->status = om_segment_keys(t->layer->part[hit->part].segment, hit->row,
                                hit->row + 1, &key);
    if (t->status) return false;
    const struct om_stray stray = {hit->part,
                                   hit->row,
                                   om_morton_pos(key[hit->row]),
                                   {t->unit[0], t->unit[1]}};
    for (int i = 0; i < 2; i++)
        if (!om_rings_contain(&t->units->rings, t->units->unit[t->unit[i]].row,
                              stray.pos))
            return true;
    t->status = listing_add(t->list, &stray);
    return !t->status;
}

static struct om_box shape_box(const struct om_shapes *shapes, size_t shape)
{
    double x0 = OM_POS_SIDE, y0 = OM_POS_SIDE, x1 = 0, y1 = 0;
    const uint32_t from =
        shapes->ring_vertex[shapes->part_ring[shapes->shape_part[shape]]];
    const uint32_t end =
        shapes->ring_vertex[shapes->part_ring[shapes->shape_part[shape + 1]]];
    for (uint32_t i = from; i < end; i++) {
        x0 = shapes->x[i] < x0 ? shapes->x[i] : x0;
        y0 = shapes->y[i] < y0 ? shapes->y[i] : y0;
        x1 = shapes->x[i] > x1 ? shapes->x[i] : x1;
        y1 = shapes->y[i] > y1 ? shapes->y[i] : y1;
    }
    const double most = OM_POS_SIDE - 1;
    return (struct om_box){(uint32_t)x0, (uint32_t)y0,
                           (uint32_t)(x1 + 1 < most ? x1 + 1 : most),
                           (uint32_t)(y1 + 1 < most ? y1 + 1 : most)};
}

static om_status find_twos(const struct om_snapshot *snapshot,
                           const struct om_units *units,
                           const struct om_layer *layer,
                           const struct om_faults *faults, struct listing *list)
{
    for (size_t i = 0; i < faults->count; i++) {
        const struct om_fault *f = &faults->fault[i];
        if (f->kind != OM_FAULT_OVERLAP) continue;
        struct testing t = {.layer = layer,
                            .units = units,
                            .unit = {f->unit[0], f->unit[1]},
                            .list = list};
        const struct om_query query = {
            .snapshot = snapshot,
            .layer = layer,
            .place = {.kind = OM_PLACE_BOX,
                      .box = shape_box(&faults->shapes, i)}};
        OM_TRY(om_query_each(&query, test_row, &t));
        OM_TRY(t.status);
    }
    // A row in three units lies in three overlaps.
    if (list->count > 1)
        qsort(list->stray, list->count, sizeof *list->stray, by_row);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct om_stray *s = &list->stray[i];
        if (kept && list->stray[kept - 1].part == s->part &&
            list->stray[kept - 1].row == s->row)
            continue;
        list->stray[kept++] = *s;
    }
    list->count = kept;
    return OM_OK;
}

om_status om_audit_layer(const struct om_snapshot *snapshot,
                         const struct om_units *units,
                         const struct om_layer *layer,
                         const struct om_faults *faults, size_t limit,
                         struct om_arena *arena, struct om_placing *out)
{
    *out = (struct om_placing){.rows = layer->rows};
    const size_t field = om_layer_unit_field(layer, units->level);
    if (field == OM_NO_FIELD) return OM_E_NOTFOUND;
    struct listing none = {0}, two = {0};
    om_status st = OM_OK;
    for (size_t p = 0; p < layer->parts && !st; p++)
        st = find_nones(layer, p, field, limit, &none, &out->in_none);
    if (!st) st = find_twos(snapshot, units, layer, faults, &two);
    out->in_two = two.count;
    if (!st)
        st = listing_take(&none, layer, limit, arena, &out->none, &out->nones);
    if (!st)
        st = listing_take(&two, layer, limit, arena, &out->two, &out->twos);
    om_free(none.stray);
    om_free(two.stray);
    return st;
}

/* --- workers ----------------------------------------------------------- */

static om_status count_workers(const struct om_units *units,
                               const struct om_layer *layer, size_t p,
                               size_t column, struct om_manning *out)
{
    const struct om_part *part = &layer->part[p];
    const size_t rows = om_segment_rows(part->segment);
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t row = 0, dead = 0; row < rows && !st; row++) {
        const char *text;
        size_t len;
        if (dead < part->dead_count && part->dead[dead] == row) {
            dead++;
            continue;
        }
        st = om_segment_text(part->segment, column, row, &reader, &text, &len);
        if (st) break;
        if (!text || !len) {
            out->without++;
            continue;
        }
        const size_t unit = om_units_find(units, text, len);
        if (unit == SIZE_MAX)
            out->lost++;
        else
            out->workers[unit]++;
    }
    om_text_reader_deinit(&reader);
    return st;
}

static bool is_text(const struct om_layer *layer, size_t column)
{
    const enum om_type type = layer->schema.field[column].type;
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

om_status om_audit_workers(const struct om_units *units,
                           const struct om_layer *workers, size_t column,
                           struct om_arena *arena, struct om_manning *out)
{
    *out = (struct om_manning){0};
    if (!is_text(workers, column)) return OM_E_TYPE;
    out->workers =
        om_arena_calloc(arena, units->count + 1, sizeof *out->workers);
    if (!out->workers) return OM_E_MEMORY;
    for (size_t p = 0; p < workers->parts; p++)
        OM_TRY(count_workers(units, workers, p, column, out));
    return OM_OK;
}

/* --- parents ----------------------------------------------------------- */

static om_status read_said(const struct om_units *lower,
                           const struct om_units *upper, size_t column,
                           struct om_arena *arena, struct om_parenting *out)
{
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    for (size_t i = 0; i < lower->count && !st; i++) {
        const char *text;
        size_t len;
        st = om_segment_text(lower->layer->part[0].segment, column,
                             lower->unit[i].row, &reader, &text, &len);
        if (st || !text || !len) continue;
        out->says[i] = om_arena_text(arena, text, len);
        if (!out->says[i]) st = OM_E_MEMORY;
        const size_t said = om_units_find(upper, text, len);
        out->contradicts[i] =
            out->lies[i] == OM_NO_UNIT || said != out->lies[i];
        out->contradictions += out->contradicts[i];
    }
    om_text_reader_deinit(&reader);
    return st;
}

om_status om_audit_parents(const struct om_units *lower,
                           const struct om_units *upper, size_t column,
                           struct om_arena *arena, struct om_parenting *out)
{
    const size_t n = lower->count + 1;
    *out = (struct om_parenting){
        .lies = om_arena_calloc(arena, n, sizeof *out->lies),
        .says = om_arena_calloc(arena, n, sizeof *out->says),
        .contradicts = om_arena_calloc(arena, n, sizeof *out->contradicts)};
    if (!out->lies || !out->says || !out->contradicts) return OM_E_MEMORY;
    OM_TRY(om_units_parents(lower, upper, out->lies));
    for (size_t i = 0; i < lower->count; i++)
        out->orphans += out->lies[i] == OM_NO_UNIT;
    if (column == OM_NO_FIELD) return OM_OK;
    if (!is_text(lower->layer, column)) return OM_E_TYPE;
    return read_said(lower, upper, column, arena, out);
}
