/* quiet.c - changes of which those are not told who see nothing of them.
 *
 * DESIGN
 * A role that does not see columns about persons would learn by the map of
 * changes, its ETags and the stream that one of them has changed at a house,
 * though every answer is what it was. So the committer looks what a row that is
 * written over differs in. It compares what is given, the cheap columns first:
 * most rows differ in one of them. Of a layer about persons they see counts as
 * they were told last (engine/policy/still.h), so all its rows change quietly.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "engine/live/live_internal.h"
#include "engine/policy/policy.h"

/* ---- which columns ---- */

void om__veils_deinit(struct om__veils *veils)
{
    for (size_t i = 0; veils->of && i < veils->of->manifest.layers; i++)
        if (veils->layer) om_free(veils->layer[i].column);
    om_free(veils->layer);
    om__base_unref(veils->of);
    *veils = (struct om__veils){0};
}

static void read_veil(const struct om_manifest *m, size_t layer,
                      struct om__veil_of_layer *out)
{
    const struct om_schema *s = &m->layer[layer].schema;
    out->read = true;
    out->all = om_layer_personal(m, m->layer[layer].name);
    for (size_t i = 0; i < s->count; i++) {
        if (i == s->id_field ||
            !om_column_personal(m, m->layer[layer].name, s->field[i].name))
            continue;
        if (!out->column)
            out->column = om_calloc(s->count, sizeof *out->column);
        if (out->column) out->column[i] = true;
    }
}

const struct om__veil_of_layer *om__veil_at(struct om__veils *veils,
                                            struct om__base *base, size_t layer)
{
    if (veils->of != base) {
        om__veils_deinit(veils);
        veils->layer =
            om_calloc(base->manifest.layers + 1, sizeof *veils->layer);
        if (veils->layer) veils->of = om__base_ref(base);
    }
    if (!veils->layer) return NULL;
    struct om__veil_of_layer *one = &veils->layer[layer];
    if (!one->read) read_veil(&base->manifest, layer, one);
    return one->all || one->column ? one : NULL;
}

om_status om__live_tell_apart(struct om_live *live)
{
    const struct om_manifest *m = &live->base->manifest;
    for (size_t i = 0; i < m->layers; i++)
        if (om__veil_at(&live->veils, live->base, i))
            OM_TRY(om_changes_tell_apart(live->changes, m->layer[i].name,
                                         live->sequence, m->clock_s));
    return OM_OK;
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

/* Is the row where it was? What is drawn anew is told. */
static om_status same_place(const struct om_segment *segment,
                            const struct om_write *w, size_t at, size_t row,
                            bool *same)
{
    const uint64_t *key;
    *same = w->kind == OM_WRITE_PATCH && !w->geometry_given;
    if (*same || !w->batch->pos) return OM_OK;
    OM_TRY(om_segment_keys(segment, at, at + 1, &key));
    *same = key[at] == om_morton(w->batch->pos[row]);
    return OM_OK;
}

static bool is_compared(const struct om_write *w, const struct om_schema *own,
                        const bool *veil, size_t column, bool text)
{
    return column != own->id_field && !veil[column] &&
           is_text(own->field[column].type) == text &&
           (w->kind != OM_WRITE_PATCH || (w->given && w->given[column]));
}

om_status om__quiet_row(const struct om_segment *segment, size_t at,
                        const struct om_schema *own, const struct om_write *w,
                        size_t row, const struct om__veil_of_layer *veil,
                        struct om_text_reader *reader, bool *quiet)
{
    *quiet = veil->all;
    if (veil->all) return OM_OK;
    OM_TRY(same_place(segment, w, at, row, quiet));
    for (int text = 0; text < 2; text++)
        for (size_t c = 0; c < own->count && *quiet; c++) {
            if (!is_compared(w, own, veil->column, c, text)) continue;
            const struct om_batch_column *now = &w->batch->column[c];
            OM_TRY(text ? same_text(segment, c, at, now, row, reader, quiet)
                        : same_number(segment, c, at, now, row, quiet));
        }
    return OM_OK;
}

bool om__quiet_patch(const struct om_schema *own, const struct om_write *w,
                     const struct om__veil_of_layer *veil)
{
    if (veil->all) return true;
    bool quiet = w->kind == OM_WRITE_PATCH && !w->geometry_given;
    for (size_t c = 0; c < own->count && quiet; c++)
        quiet =
            !is_compared(w, own, veil->column, c, is_text(own->field[c].type));
    return quiet;
}
