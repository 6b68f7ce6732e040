/* each.c - visit rows: parts are merged by their Morton codes, then by ids.
 *
 * A layer has one part most of the time, and then this is a walk over its
 * spans. The hit to go on behind is found by its code: rows of its own part
 * begin right after it, those of other parts behind its code and id.
 */
#include <string.h>

#include "data/base/alloc.h"
#include "engine/query/ask_internal.h"

/* A walk over the rows of one part that lie in the place and count. */
struct walk {
    const struct om_segment *segment;
    struct om__chosen chosen;
    struct om__spans spans;  // owned
    size_t span, row;        // next to look at
    const uint64_t *key;     // of the segment; rows of `span` are checked
    size_t checked;          // spans whose keys have been checked
    struct om_text_reader reader;
    bool done;
};

/* Checking a long span at once would read all of it before the first row. */
#define CHECK_ROWS 65536

/* Move to the first row at or after w->row that counts. */
static om_status settle(struct walk *w)
{
    while (w->span < w->spans.count) {
        const struct om__span s = w->spans.span[w->span];
        if (w->row < s.from) w->row = s.from;
        while (w->row < s.to) {
            const uint64_t bits =
                om__chosen_word(&w->chosen, w->row / 64) >> (w->row % 64);
            if (bits & 1) break;
            w->row = bits ? w->row + (size_t)__builtin_ctzll(bits)
                          : (w->row / 64 + 1) * 64;
        }
        if (w->row < s.to) {
            if (w->row < w->checked) return OM_OK;
            const size_t to =
                s.to - w->row < CHECK_ROWS ? s.to : w->row + CHECK_ROWS;
            w->checked = to;
            return om_segment_keys(w->segment, w->row, to, &w->key);
        }
        w->span++;
    }
    w->done = true;
    return OM_OK;
}

static om_status id_of(struct walk *w, size_t id_field, size_t row,
                       const char **text, size_t *len)
{
    return om_segment_text(w->segment, id_field, row, &w->reader, text, len);
}

/* Order of two rows of equal code: by id. */
static om_status id_order(struct walk *a, size_t row_a, struct walk *b,
                          size_t row_b, size_t id_field, int *order)
{
    const char *ta, *tb;
    size_t la, lb;
    OM_TRY(id_of(a, id_field, row_a, &ta, &la));
    OM_TRY(id_of(b, id_field, row_b, &tb, &lb));
    const size_t shared = la < lb ? la : lb;
    *order = shared ? memcmp(ta, tb, shared) : 0;
    if (!*order) *order = (la > lb) - (la < lb);
    return OM_OK;
}

/* The walk whose next row comes first; NULL when all are done. */
static om_status first_of(struct walk *walk, size_t parts, size_t id_field,
                          struct walk **out)
{
    struct walk *first = NULL;
    for (size_t i = 0; i < parts; i++) {
        struct walk *w = &walk[i];
        if (w->done) continue;
        if (!first || w->key[w->row] < first->key[first->row]) {
            first = w;
        } else if (w->key[w->row] == first->key[first->row]) {
            int order;
            OM_TRY(id_order(w, w->row, first, first->row, id_field, &order));
            if (order < 0) first = w;
        }
    }
    *out = first;
    return OM_OK;
}

/* Order of a row and a place in the order, both of the same code. */
static om_status stand_order(struct walk *w, size_t row, size_t id_field,
                             const struct om_behind *b, int *order)
{
    const char *text;
    size_t len;
    OM_TRY(id_of(w, id_field, row, &text, &len));
    const size_t shared = len < b->id_len ? len : b->id_len;
    *order = shared ? memcmp(text, b->id, shared) : 0;
    if (!*order) *order = (len > b->id_len) - (len < b->id_len);
    return OM_OK;
}

/* Move to the first row behind a place in the order. */
static om_status skip_part(struct walk *w, size_t id_field,
                           const struct om_behind *b)
{
    size_t from, to;
    OM_TRY(om_segment_range(w->segment, b->code, b->code + 1, &from, &to));
    // Rows of one code are in the order of their ids: many may share a house.
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        int order;
        OM_TRY(stand_order(w, middle, id_field, b, &order));
        if (order > 0)
            to = middle;
        else
            from = middle + 1;
    }
    w->row = from;
    return OM_OK;
}

/* Skip what a visit up to `after` has seen. */
static om_status skip(struct walk *walk, size_t parts, size_t id_field,
                      const struct om_hit *after)
{
    if (after->part >= parts ||
        after->row >= om_segment_rows(walk[after->part].segment))
        return OM_E_RANGE;
    struct walk *own = &walk[after->part];
    const uint64_t *key;
    OM_TRY(om_segment_keys(own->segment, after->row, after->row + 1, &key));
    struct om_behind stand = {.code = key[after->row]};
    if (parts > 1)
        OM_TRY(id_of(own, id_field, after->row, &stand.id, &stand.id_len));
    own->row = after->row + 1;
    for (size_t i = 0; i < parts; i++)
        if (&walk[i] != own) OM_TRY(skip_part(&walk[i], id_field, &stand));
    return OM_OK;
}

static om_status distance(const struct om__ask *ask, const struct walk *w,
                          double *out_m)
{
    *out_m = 0.0;
    if (ask->area.kind != OM_PLACE_RADIUS) return OM_OK;
    const struct om_circle *circle = &ask->area.circle;
    if (ask->area.geometry == OM_GEOMETRY_POINT) {
        *out_m = om_circle_m(circle, om_morton_pos(w->key[w->row]));
        return OM_OK;
    }
    struct om_rings rings;
    OM_TRY(om_segment_rings(w->segment, w->row, w->row + 1, &rings));
    *out_m = om_circle_shape_m(circle, &rings, w->row, ask->area.geometry,
                               circle->radius_m);
    return OM_OK;
}

static om_status visit(const struct om__ask *ask, struct walk *walk,
                       bool (*each)(void *ctx, const struct om_hit *hit),
                       void *ctx)
{
    const size_t parts = ask->layer->parts;
    const size_t id_field = ask->layer->schema.id_field;
    const size_t limit = ask->query->limit;
    for (size_t i = 0; i < parts; i++) OM_TRY(settle(&walk[i]));
    for (size_t seen = 0; !limit || seen < limit; seen++) {
        struct walk *w;
        if (seen % OM__ASK_ROWS == 0 && om_cancelled()) return OM_E_STOPPED;
        OM_TRY(first_of(walk, parts, id_field, &w));
        if (!w) break;
        struct om_hit hit = {.part = (size_t)(w - walk), .row = w->row};
        OM_TRY(distance(ask, w, &hit.distance_m));
        if (!each(ctx, &hit)) break;
        w->row++;
        OM_TRY(settle(w));
    }
    return OM_OK;
}

static om_status each_in_order(const struct om__ask *ask,
                               bool (*each)(void *ctx,
                                            const struct om_hit *hit),
                               void *ctx)
{
    const size_t parts = ask->layer->parts;
    if (!parts) return OM_OK;
    struct walk *walk = om_calloc(parts, sizeof *walk);
    if (!walk) return OM_E_MEMORY;
    om_status st = OM_OK;
    for (size_t i = 0; i < parts && !st; i++) {
        walk[i].segment = ask->layer->part[i].segment;
        om__chosen_init(&walk[i].chosen, ask->selection, ask->layer, i);
        st = om__ask_spans(ask, i, &walk[i].spans);
    }
    if (!st && ask->query->after)
        st = skip(walk, parts, ask->layer->schema.id_field, ask->query->after);
    for (size_t i = 0; i < parts && !st && ask->query->behind; i++)
        st = skip_part(&walk[i], ask->layer->schema.id_field,
                       ask->query->behind);
    if (!st) st = visit(ask, walk, each, ctx);
    for (size_t i = 0; i < parts; i++) {
        om__spans_deinit(&walk[i].spans);
        om_text_reader_deinit(&walk[i].reader);
    }
    om_free(walk);
    return st;
}

om_status om_query_each(const struct om_query *query,
                        bool (*each)(void *ctx, const struct om_hit *hit),
                        void *ctx)
{
    struct om__ask ask;
    OM_TRY(om__ask_init(&ask, query));
    om_status st = OM_OK;
    if (ask.has_area) {
        st = each_in_order(&ask, each, ctx);
    } else {
        for (size_t i = 0; i < ask.nearest.count; i++) {
            if (query->limit && i >= query->limit) break;
            if (!each(ctx, &ask.nearest.hit[i])) break;
        }
    }
    om__ask_deinit(&ask);
    return st;
}
