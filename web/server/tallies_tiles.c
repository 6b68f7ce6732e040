/* tallies_tiles.c - on which tiles single rows can be seen.
 *
 * DESIGN
 * Counted is a tile on which single rows can be seen: few points, as vector
 * tiles show them, or shapes; never units, nor what is only told as crowds.
 * What a filter leaves of the rows is not counted, but its tiles are. It is
 * looked at when the answer has gone, whatever made it or had kept it.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tiles/vector/vector.h"
#include "web/server/rights.h"
#include "web/server/tallies.h"
#include "web/server/tile_maker.h"
#include "web/server/wmts.h"

/* Zooms from which shapes of a tile are few enough to be counted. */
#define SHAPES_ZOOM 14

/* A tile by what its address says. */
struct place {
    const char *name;
    unsigned zoom;
    struct om_box box;
};

static bool by_matrix(const char *set_id, const char *matrix, const char *row,
                      const char *col, struct place *out)
{
    char text[32];
    struct om_tile_address tile;
    struct om_place place;
    const struct om__matrix_set *set = om__matrix_set_find(set_id);
    snprintf(text, sizeof text, "%.*s", (int)strcspn(col, "."), col);
    if (!set || om__matrix_tile_read(set, matrix, row, text, &tile))
        return false;
    out->zoom = tile.z;
    out->box = om__tile_box(&tile);
    if (!set->degrees) return true;
    const double side_deg = 360.0 / (double)om__matrix_width(tile.z);
    const double west = tile.x * side_deg - 180, north = 90 - tile.y * side_deg;
    if (om_place_box(west, north - side_deg, west + side_deg, north, &place))
        return false;
    out->box = place.box;
    return true;
}

static const char *key_of(const struct om__request *r, const char *name)
{
    for (size_t i = 0; i < r->address.params; i++)
        if (!strcasecmp(r->address.param[i].name, name))
            return r->address.param[i].value;
    return "";
}

static bool read_place(const struct om__request *r, struct place *out)
{
    const char *route = r->route->name;
    const char *const *at = r->address.segment;
    const size_t n = r->address.segments;
    struct om_tile_address tile;
    if (!strcmp(route, "tile")) {
        // Sums by cell and day are of rows, too; a field is not.
        const bool heat = !strncmp(at[1], OM__HEAT, sizeof OM__HEAT - 1);
        const char *end = strrchr(at[4], '.');
        const bool picture = end && !strcmp(end, ".png");
        out->name = at[1] + (heat && !picture ? sizeof OM__HEAT - 1 : 0);
        if (om_tile_address_parse(at[2], at[3], at[4], &tile)) return false;
        out->zoom = tile.z;
        out->box = om__tile_box(&tile);
        return true;
    }
    if (!strcmp(route, "tilesettile")) {
        out->name = at[1];
        return by_matrix(at[n - 4], at[n - 3], at[n - 2], at[n - 1], out);
    }
    if (!strcmp(route, "wmtstile")) {
        out->name = at[2];
        return by_matrix(at[n - 4], at[n - 3], at[n - 2], at[n - 1], out);
    }
    if (strcmp(route, "wmts") != 0) return false;
    out->name = key_of(r, "Layer");
    return by_matrix(key_of(r, "TileMatrixSet"), key_of(r, "TileMatrix"),
                     key_of(r, "TileRow"), key_of(r, "TileCol"), out);
}

/* Can single rows be seen on it? *rows: as far as they are counted. */
static bool shows_rows(const struct om__request *r,
                       const struct om_layer *layer, const struct place *place,
                       uint64_t *rows)
{
    static const bool none[OM_LIMIT_COLUMNS];
    const bool points = layer->schema.geometry == OM_GEOMETRY_POINT;
    const bool part = *key_of(r, "filter") || *key_of(r, "datetime") ||
                      r->address.segments == 9 || *key_of(r, "Time");
    *rows = 0;
    if (part || (!points && place->zoom < SHAPES_ZOOM)) return true;
    const struct om_query query = {
        .snapshot = r->snapshot,
        .layer = layer,
        .cache = r->server->selections,
        .place = {.kind = OM_PLACE_BOX, .box = place->box}};
    if (om_query_count(&query, rows)) return true;
    const struct om_vector_spec spec = {
        .layer = layer, .column = none, .by = OM_NO_FIELD};
    return *rows && (!points || *rows <= om_vector_points_most(&spec));
}

void om__tallies_add(struct om__request *r)
{
    struct place place;
    uint64_t rows;
    if (r->head) return;
    if (r->status != MHD_HTTP_OK && r->status != MHD_HTTP_NOT_MODIFIED) return;
    if (!read_place(r, &place)) return;
    // What was kept is answered without.
    if (!r->snapshot && om__rights_take(r, om_city_snapshot(r->server->city)))
        return;
    const struct om_layer *layer = om_snapshot_layer(r->snapshot, place.name);
    if (!layer || (layer->meta && layer->meta->unit_level[0]) ||
        om__crowds_only(r, layer))
        return;
    if (!shows_rows(r, layer, &place, &rows)) return;
    struct om__given given = {.rows = rows, .many = true};
    om__given_box(&given, place.box);
    om__tally_add(r, layer->name, OM__TALLY_TILES, &given, place.zoom);
}
