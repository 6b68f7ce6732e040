/* hotspots_few.c - areas whose exposure is the doing of few.
 *
 * Visits are counted in tens where they are compared with, but of a grid that
 * one worker goes to also these tens are that one's. So areas in which fewer
 * made them are as those in which nothing is exposed: unknown.
 */
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/policy/doers.h"
#include "engine/query/query.h"
#include "web/hotspots_internal.h"
#include "web/small.h"

/* Somebody in an area. */
struct stay {
    uint64_t person;
    uint32_t area;
};

struct staying {
    struct om_doer_texts person;
    struct om_arena arena;
    struct om_zone_rows *rows;  // [layer->parts]
    struct om_buf stays;
    om_status status;
};

static bool take_row(void *ctx, const struct om_hit *hit)
{
    struct staying *s = ctx;
    struct stay stay = {.area = om_zone_of_row(&s->rows[hit->part], hit->row)};
    if (stay.area == OM_NO_UNIT) return true;
    s->status = om_doer_text(&s->person, hit->part, hit->row, &stay.person);
    if (!s->status) s->status = om_buf_add(&s->stays, &stay, sizeof stay);
    return !s->status;
}

static int by_stay(const void *one, const void *two)
{
    const struct stay *a = one, *b = two;
    if (a->area != b->area) return a->area < b->area ? -1 : 1;
    return (a->person > b->person) - (a->person < b->person);
}

static void mark_few(struct om__hotspots *h, struct stay *stay, size_t n)
{
    if (n) qsort(stay, n, sizeof *stay, by_stay);
    for (size_t from = 0, to; from < n; from = to) {
        uint64_t persons = 1;
        for (to = from + 1; to < n && stay[to].area == stay[from].area; to++)
            persons += stay[to].person != stay[to - 1].person;
        h->few[stay[from].area] = persons < h->ask.exposure.least;
    }
}

/* By cells. */
static om_status count_cells(struct om__hotspots *h,
                             const struct om_query *query)
{
    const struct om_layer *layer = query->layer;
    struct staying s = {0};
    om_buf_init(&s.stays, SIZE_MAX);
    s.rows = om_arena_calloc(&s.arena, layer->parts + 1, sizeof *s.rows);
    om_status st = s.rows ? OM_OK : OM_E_MEMORY;
    for (size_t p = 0; p < layer->parts && !st; p++)
        st = om_zones_rows(&h->zones, layer, p, &s.arena, &s.rows[p]);
    if (!st)
        st = om_doer_texts_init(&s.person, layer, layer->rights.doer_column);
    if (!st) st = om_query_each(query, take_row, &s);
    if (!st) st = s.status;
    if (!st)
        mark_few(h, (struct stay *)(void *)s.stays.bytes,
                 s.stays.len / sizeof(struct stay));
    om_doer_texts_deinit(&s.person);
    om_buf_deinit(&s.stays);
    om_arena_deinit(&s.arena);
    return st;
}

/* By units, as /stats has them: with those that would tell of others. */
static om_status count_units(struct om__hotspots *h,
                             const struct om_query *query)
{
    const struct om_units *units = &h->zones.units;
    struct om_small_units small;
    OM_TRY(om_small_units_make(query, units->level, h->ask.exposure.least,
                               &small, &h->q->err));
    for (size_t i = 0; i < units->count; i++)
        h->few[i] = om_small_units_hide(&small, units->unit[i].id,
                                        strlen(units->unit[i].id));
    om_small_units_deinit(&small);
    return OM_OK;
}

om_status om__hotspots_find_few(struct om__hotspots *h)
{
    struct om_hotspot_exposure *e = &h->ask.exposure;
    if (!e->told || !e->layer->rights.doers) return OM_OK;
    const struct om_query query = {.snapshot = h->q->snapshot,
                                   .layer = e->layer,
                                   .cache = h->q->selections,
                                   .filter = e->filter,
                                   .window = e->cover};
    h->few = om_calloc(h->zones.count + 1, sizeof *h->few);
    if (!h->few) return OM_E_MEMORY;
    e->few = h->few;
    return h->zones.tiled ? count_cells(h, &query) : count_units(h, &query);
}
