/* quiet.c - changes of which those are not told who see nothing of them.
 *
 * DESIGN
 * What somebody does not see of a layer is a veil: a set of columns, or all of
 * its rows, which are told otherwise (engine/policy/still.h). The committer
 * looks what a row that is written over differs in, and so which veils hide all
 * of that. It compares what is given, the cheap columns first, and stops where
 * no veil is left: most rows differ in a column that everybody sees. Where
 * nobody has asked who has a veil (audience.c), nothing is compared.
 *
 * Rows of a group that write over each other are compared with what was there
 * before the group: nobody has seen what was between.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "engine/live/audience.h"
#include "engine/live/live_internal.h"

/* ---- which columns ---- */

void om__veils_deinit(struct om__veils *veils)
{
    for (size_t i = 0; veils->of && i < veils->of->manifest.layers; i++)
        if (veils->layer) om_free(veils->layer[i].hides);
    om_free(veils->layer);
    om__base_unref(veils->of);
    *veils = (struct om__veils){0};
}

static void read_veils(struct om_changes *changes, const struct om_manifest *m,
                       size_t layer, struct om__veils_of_layer *out)
{
    const struct om_schema *s = &m->layer[layer].schema;
    out->hides = om_calloc(s->count + 1, sizeof *out->hides);
    out->read = out->hides != NULL;
    if (out->hides)
        out->all = om_changes_veils(changes, m->layer[layer].name, s,
                                    out->hides, &out->crowds);
}

const struct om__veils_of_layer *om__veils_at(struct om_live *live,
                                              size_t layer)
{
    struct om__veils *veils = &live->veils;
    const char *name = live->base->manifest.layer[layer].name;
    bool areas;
    if (!om_changes_told(live->changes, name, &areas)) return NULL;
    const uint64_t generation = om_changes_generation(live->changes);
    if (veils->of != live->base || veils->generation != generation) {
        om__veils_deinit(veils);
        veils->layer =
            om_calloc(live->base->manifest.layers + 1, sizeof *veils->layer);
        if (veils->layer) veils->of = om__base_ref(live->base);
        veils->generation = generation;
    }
    if (!veils->layer) return NULL;
    struct om__veils_of_layer *one = &veils->layer[layer];
    if (!one->read)
        read_veils(live->changes, &live->base->manifest, layer, one);
    return one->read && one->all ? one : NULL;
}

/* ---- rows ---- */

static bool is_text(enum om_type type)
{
    return type == OM_TYPE_TEXT || type == OM_TYPE_CATEGORY;
}

static om_status same_number(const struct om_segment *segment, size_t column,
                             size_t at, const struct om_batch_column *now,
                             size_t row, bool *same)
{
    const struct om_column *c;
    OM_TRY(om_segment_column(segment, column, at, at + 1, &c));
    const bool has = !now->valid || om_bit(now->valid, row);
    *same = om_column_valid(c, at) == has;
    if (!*same || !has) return OM_OK;
    if (now->real) {
        const uint64_t stored = om_column_stored(c, at);
        *same = c->coding == OM_CODING_REAL &&
                !memcmp(&stored, &now->real[row], sizeof stored);
    } else {
        *same = om_column_integer(c, at) == now->integer[row];
    }
    return OM_OK;
}

static om_status same_text(const struct om_segment *segment, size_t column,
                           size_t at, const struct om_batch_column *now,
                           size_t row, struct om_text_reader *reader,
                           bool *same)
{
    const char *text;
    size_t len;
    OM_TRY(om_segment_text(segment, column, at, reader, &text, &len));
    const bool has = !now->valid || om_bit(now->valid, row);
    *same = (text != NULL) == has;
    if (!*same || !has) return OM_OK;
    const size_t own = now->offset[row + 1] - now->offset[row];
    *same = own == len && !memcmp(text, now->bytes + now->offset[row], len);
    return OM_OK;
}

/* Is the row where it was? Shapes are compared once they are made. */
static om_status same_place(const struct om_segment *segment,
                            const struct om_write *w, size_t at, size_t row,
                            bool *same)
{
    const uint64_t *key;
    *same = !w->batch->pos || (w->kind == OM_WRITE_PATCH && !w->geometry_given);
    if (*same) return OM_OK;
    OM_TRY(om_segment_keys(segment, at, at + 1, &key));
    *same = key[at] == om_morton(w->batch->pos[row]);
    return OM_OK;
}

static bool same_vertices(const struct om_rings *a, uint32_t ring_a,
                          const struct om_rings *b, uint32_t ring_b)
{
    const uint32_t from_a = a->ring_vertex[ring_a],
                   from_b = b->ring_vertex[ring_b];
    const uint32_t n = a->ring_vertex[ring_a + 1] - from_a;
    return b->ring_vertex[ring_b + 1] - from_b == n &&
           !memcmp(&a->vertex[from_a], &b->vertex[from_b],
                   n * sizeof *a->vertex);
}

static bool same_rings(const struct om_rings *a, uint32_t part_a,
                       const struct om_rings *b, uint32_t part_b)
{
    const uint32_t from_a = a->part_ring[part_a], from_b = b->part_ring[part_b];
    const uint32_t n = a->part_ring[part_a + 1] - from_a;
    bool same = b->part_ring[part_b + 1] - from_b == n;
    for (uint32_t i = 0; i < n && same; i++)
        same = same_vertices(a, from_a + i, b, from_b + i);
    return same;
}

om_status om__same_shape(const struct om_segment *a, size_t row_a,
                         const struct om_segment *b, size_t row_b, bool *same)
{
    struct om_rings ra, rb;
    OM_TRY(om_segment_rings(a, row_a, row_a + 1, &ra));
    OM_TRY(om_segment_rings(b, row_b, row_b + 1, &rb));
    const uint32_t from_a = ra.shape_part[row_a], from_b = rb.shape_part[row_b];
    const uint32_t n = ra.shape_part[row_a + 1] - from_a;
    *same = rb.shape_part[row_b + 1] - from_b == n;
    for (uint32_t i = 0; i < n && *same; i++)
        *same = same_rings(&ra, from_a + i, &rb, from_b + i);
    return OM_OK;
}

/* Of a column that is compared, the veils that hide it. */
static bool is_compared(const struct om_write *w, const struct om_schema *own,
                        size_t column, bool text)
{
    return column != own->id_field &&
           is_text(own->field[column].type) == text &&
           (w->kind != OM_WRITE_PATCH || (w->given && w->given[column]));
}

om_status om__quiet_row(const struct om_segment *segment, size_t at,
                        const struct om_schema *own, const struct om_write *w,
                        size_t row, const struct om__veils_of_layer *veils,
                        struct om_text_reader *reader, uint64_t *quiet)
{
    bool same;
    uint64_t left = veils->all & ~veils->crowds;
    *quiet = veils->crowds;
    if (!left) return OM_OK;
    OM_TRY(same_place(segment, w, at, row, &same));
    if (!same) return OM_OK;
    for (int text = 0; text < 2; text++)
        for (size_t c = 0; c < own->count && left; c++) {
            const struct om_batch_column *now = &w->batch->column[c];
            if (!is_compared(w, own, c, text) || !(left & ~veils->hides[c]))
                continue;
            OM_TRY(text ? same_text(segment, c, at, now, row, reader, &same)
                        : same_number(segment, c, at, now, row, &same));
            if (!same) left &= veils->hides[c];
        }
    *quiet |= left;
    return OM_OK;
}
