/* plate_routes.c - pictures in degrees, put together from those in mercator.
 *
 * Each of the two or three mercator tiles that a tile in degrees lies in is
 * made, and kept, as if it had been asked for itself: heat and pictures of
 * layers need not know of a second system, and the two maps agree.
 */
#include "tiles/plate.h"

#include <string.h>

#include "web/server/maps.h"
#include "web/server/needs.h"
#include "web/server/reply.h"

/* A tile in degrees reaches over its height divided by the cosine of the
 * latitude; near the poles that is more than a handful of mercator tiles. */
#define PARTS_MAX 64

/* A mercator tile as an answer of its own. *answer NULL: put off. */
static om_status get_part(struct om__request *r, const char *name,
                          const struct om_tile_address *tile,
                          const struct om_param *param, size_t params,
                          struct om__answer **answer)
{
    *answer = NULL;
    r->part = true;
    om_status st = om__tile_with(r, name, tile, param, params);
    r->part = false;
    if (st || r->later) return st;
    *answer = r->shared;
    r->shared = NULL;
    r->response = NULL;
    r->status = 0;
    return *answer ? OM_OK : OM_E_INTERNAL;
}

static om_status compose(struct om__request *r, const char *name,
                         const struct om_tile_address *tile,
                         const struct om_param *param, size_t params,
                         struct om__answer **answer, size_t *answers)
{
    uint32_t row[2 * OM_TILE_SIDE_PX];
    // Parts may be of newer snapshots, each of another: none is older.
    const uint64_t sequence = r->snapshot->sequence;
    const int64_t now_s = r->now_s;
    struct om_plate_part part[PARTS_MAX];
    const unsigned side_px = OM_TILE_SIDE_PX * tile->scale;
    struct om_tile_address from = *tile;
    om_plate_rows(tile->z, tile->y, side_px, row);
    uint32_t last = OM_PLATE_NONE;
    for (unsigned i = 0; i < side_px; i++) {
        if (row[i] == OM_PLATE_NONE || row[i] / side_px == last) continue;
        last = from.y = row[i] / side_px;
        if (*answers == PARTS_MAX) return OM_E_COST;
        struct om__answer *got;
        OM_TRY(get_part(r, name, &from, param, params, &got));
        if (!got) return OM_OK;
        part[*answers] = (struct om_plate_part){
            .row = last, .png = got->body, .len = got->bytes};
        answer[(*answers)++] = got;
    }
    // What its parts depend on; of a pole that has none, nothing.
    om__needs_nothing(r);
    r->needs.sequence = sequence;
    r->needs.now_s = now_s;
    for (size_t i = 0; i < *answers; i++) om__needs_answer(r, answer[i]);
    struct om_buf png = {0};
    om_status st = om_plate_tile(tile->z, tile->y, side_px, part, *answers,
                                 &om__lane(r->server)->arena, &png);
    if (!st) st = om__reply_kept(r, &png, &om__head_png, NULL, 0);
    om_buf_deinit(&png);
    return st;
}

om_status om__plate_answer(struct om__request *r, const char *name,
                           const struct om_tile_address *tile,
                           const struct om_param *param, size_t params)
{
    struct om__answer *answer[PARTS_MAX];
    size_t answers = 0;
    const struct om__route *route = r->route;
    const om_status st =
        compose(r, name, tile, param, params, answer, &answers);
    r->route = route;
    for (size_t i = 0; i < answers; i++) om__answer_unref(answer[i]);
    return st;
}
