/* write_area.c - writes of whoever has an area: within it, from and to.
 *
 * DESIGN
 * Rows of other units are not there for such a token, and neither are their
 * places: what names one is answered as if there were none. Nor may it find out
 * which ids there are elsewhere by trying to make rows of them: the ids of rows
 * that it makes begin with its unit and its own number (UNIT-TOKEN-), which
 * nothing has that it has not made itself, and no other one is ever looked for
 * outside. The unit alone would not do: registers number by units, too, and
 * rows of such numbers lie elsewhere, or were made by others and moved. Where
 * rows are is looked up before the write is handed over, and each is written
 * only if it is still the row that was looked at (if_sequence), so that none is
 * taken that has moved out meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "engine/policy/policy.h"
#include "engine/shape/shape.h"
#include "web/server/writes.h"

/* Longer ids are nobody's in an area. */
#define ID_BYTES 1024

static om_status not_there(struct om__request *r, const char *what)
{
    return om_fail(&r->err, OM_E_NOTFOUND, 0, "there is no %s", what);
}

bool om__write_has_area(const struct om__request *r,
                        const struct om_layer *layer)
{
    const struct om_layer *seen = om_snapshot_layer(r->snapshot, layer->name);
    return !r->who->token.level[0] ||
           (seen && seen->rights.area &&
            layer->schema.geometry == OM_GEOMETRY_POINT);
}

/* ---- the new place ---- */

struct holder {
    const struct om_layer *units;
    const char *unit;
    struct om_pos pos;
    struct om_text_reader reader;
    bool found;
    om_status status;
};

static bool is_in_unit(void *ctx, const struct om_hit *hit)
{
    struct holder *h = ctx;
    const struct om_segment *segment = h->units->part[hit->part].segment;
    struct om_rings rings;
    const char *id = NULL;
    size_t len = 0;
    h->status = om_segment_text(segment, h->units->schema.id_field, hit->row,
                                &h->reader, &id, &len);
    if (h->status) return false;
    if (!id || len != strlen(h->unit) || memcmp(id, h->unit, len) != 0)
        return true;
    h->status = om_segment_rings(segment, hit->row, hit->row + 1, &rings);
    if (!h->status) h->found = om_rings_contain(&rings, hit->row, h->pos);
    return false;
}

static om_status check_place(struct om__request *r, struct om_pos pos)
{
    const struct om_token *token = &r->who->token;
    struct holder h = {.units = om_snapshot_units(r->whole, token->level),
                       .unit = token->unit,
                       .pos = pos};
    if (!h.units) return not_there(r, "place of that kind");
    const struct om_query query = {
        .snapshot = r->whole,
        .layer = h.units,
        .place = {.kind = OM_PLACE_BOX, .box = {pos.x, pos.y, pos.x, pos.y}}};
    om_status st = om_query_each(&query, is_in_unit, &h);
    om_text_reader_deinit(&h.reader);
    if (!st) st = h.status;
    if (st || h.found) return st;
    return not_there(r, "such place: rows are written within the own area");
}

/* ---- the old one ---- */

static bool found_one(void *ctx, const struct om_hit *hit)
{
    (void)hit;
    *(bool *)ctx = true;
    return false;
}

static om_status is_there(const struct om_snapshot *snapshot, const char *layer,
                          const char *id, size_t len, bool *out)
{
    const struct om_query query = {
        .snapshot = snapshot,
        .layer = om_snapshot_layer(snapshot, layer),
        .place = {.kind = OM_PLACE_ID, .id = id, .id_len = len}};
    *out = false;
    if (!query.layer) return OM_OK;
    const om_status st = om_query_each(&query, found_one, out);
    return st == OM_E_NOTFOUND ? OM_OK : st;
}

om_status om__write_seen(struct om__request *r, const struct om__write *w)
{
    const struct om_layer *seen =
        om_snapshot_layer(r->snapshot, r->layer->name);
    const char *id = w->single ? r->address.segment[3] : "";
    bool here = true;
    // What makes a row may be sent before there is one.
    const bool makes = w->kind == OM_WRITE_PUT && !r->if_match;
    if (!r->who->token.level[0] || !w->single || makes) return OM_OK;
    if (seen && seen->rights.area)
        OM_TRY(om_id_seen(seen, id, strlen(id), &here, NULL));
    return here ? OM_OK : not_there(r, "row of that id");
}

/* May a row that is not in the area be made under this id? */
static bool is_own(const struct om_token *token, const char *id, size_t len)
{
    char begins[OM_LIMIT_NAME_BYTES + OM_TOKEN_ID_BYTES + 2];
    const int n = snprintf(begins, sizeof begins, "%s-%s-", token->unit,
                           token->id);
    return token->id[0] && len > (size_t)n && !memcmp(id, begins, (size_t)n);
}

/* Refused alike, and as early, whether there is such a row elsewhere or not. */
static om_status check_id(struct om__request *r, const char *id, size_t len,
                          bool must)
{
    const struct om_layer *seen =
        om_snapshot_layer(r->snapshot, r->layer->name);
    bool here = false;
    if (!must && is_own(&r->who->token, id, len)) return OM_OK;
    if (seen && seen->rights.area)
        OM_TRY(om_id_seen(seen, id, len, &here, NULL));
    if (here) return OM_OK;
    if (must) return not_there(r, "row of that id");
    return om_fail(&r->err, OM_E_NOTFOUND, 0,
                   "there is no row of that id in the own area; that of a new "
                   "one begins with %s-%s-",
                   r->who->token.unit, r->who->token.id);
}

/* The sequence of a row that may be written, 0 where there is none of the id;
 * must: there has to be one. */
static om_status check_row(struct om__request *r, const char *text, size_t len,
                           bool must, uint64_t *sequence)
{
    char layer[OM_LIMIT_NAME_BYTES], id[ID_BYTES];
    bool somewhere, here;
    *sequence = 0;
    if (len >= sizeof id) return not_there(r, "row of that id");
    memcpy(id, text, len);
    id[len] = '\0';
    memcpy(layer, r->layer->name, sizeof layer);
    // What is read below is not older than this.
    const om_status known = om__row_sequence(r, id, sequence);
    if (known == OM_E_NOTFOUND) *sequence = 0;
    if (known && known != OM_E_NOTFOUND) return known;
    OM_TRY(is_there(r->whole, layer, id, len, &somewhere));
    OM_TRY(is_there(r->snapshot, layer, id, len, &here));
    return (somewhere || must) && !here ? not_there(r, "row of that id")
                                        : OM_OK;
}

om_status om__write_area(struct om__request *r, struct om__write *w,
                         const struct om_batch *batch)
{
    if (!r->who->token.level[0]) return OM_OK;
    const size_t id_field = r->layer->schema.id_field;
    const struct om_batch_column *ids = &batch->column[id_field];
    const bool moves =
        w->kind != OM_WRITE_DELETE &&
        (w->kind != OM_WRITE_PATCH || w->write.geometry_given || !w->single);
    const bool must = w->kind == OM_WRITE_PATCH || w->kind == OM_WRITE_DELETE;
    w->pinned = om_arena_calloc(&w->pins, batch->rows + 1, sizeof *w->pinned);
    if (!w->pinned) return OM_E_MEMORY;
    for (size_t i = 0; i < batch->rows; i++) {
        const uint32_t from = ids->offset[i], to = ids->offset[i + 1];
        OM_TRY(check_id(r, ids->bytes + from, to - from, must));
        OM_TRY(check_row(r, ids->bytes + from, to - from, must, &w->pinned[i]));
        if (moves) OM_TRY(check_place(r, batch->pos[i]));
    }
    return OM_OK;
}
