// tile.c - which kind of map a name is, and where maps have anything.
#include "web/cli/tile.h"

#include <math.h>
#include <string.h>

#include "engine/query/query.h"

#define SIDE_PX 256

const struct om__tile_kind *om__tile_kind_of(const char *verb, const char *name,
                                             const char *format)
{
    const bool heat = !strncmp(name, OM__TILE_HEAT, strlen(OM__TILE_HEAT));
    const bool vector = !strcmp(format, "mvt");
    if (!vector && strcmp(format, "png") != 0)
        om__verb_usage(verb, "--format: '%s' is not png or mvt", format);
    else if (heat && vector)
        om__verb_usage(verb, "a heat map is a picture: --format png");
    else
        return heat     ? &om__tile_heat
               : vector ? &om__tile_vector
                        : &om__tile_picture;
    return NULL;
}

unsigned om__tile_side(const struct om__tile_words *w)
{
    if (!w->scale || !strcmp(w->scale, "1")) return SIDE_PX;
    if (!strcmp(w->scale, "2")) return 2 * SIDE_PX;
    om__verb_usage(w->verb, "--scale: '%s' is not 1 or 2", w->scale);
    return 0;
}

static uint32_t clamp(double cells)
{
    return (uint32_t)fmin(fmax(cells, 0.0), OM_POS_SIDE - 1);
}

bool om__tile_has_rows(const struct om_snapshot *snapshot,
                       const struct om_layer *layer, unsigned z, uint32_t x,
                       uint32_t y, double around_m)
{
    const double side = ldexp(1.0, (int)(32 - z));
    const double west = x * side, north = y * side;
    // Where metres are most cells: at the edge that is nearer to a pole.
    const double a = om_world_ground_m(fmax(north - side, 0.0));
    const double b = om_world_ground_m(fmin(north + 2 * side, OM_POS_SIDE));
    const double reach = around_m / fmin(a, b) + side / 64;
    const struct om_query query = {
        .snapshot = snapshot,
        .layer = layer,
        .limit = 1,
        .place = {
            .kind = OM_PLACE_BOX,
            .box = {clamp(west - reach), clamp(north - reach),
                    clamp(west + side + reach), clamp(north + side + reach)}}};
    uint64_t count = 0;
    return om_query_count(&query, &count) || count > 0;
}
