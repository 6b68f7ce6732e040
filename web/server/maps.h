// maps.h - the names that have tiles, and tiles by other addresses than XYZ.
#ifndef OM_WEB_SERVER_MAPS_H
#define OM_WEB_SERVER_MAPS_H

#include "web/server/server_internal.h"

/* Something that is shown as tiles. */
struct om__map {
    char name[OM_LIMIT_NAME_BYTES + 8];  // "hazard", "grid", "heat:hazard"
    const char *title, *title_en;        // borrowed from the request; the
                                         // second may be NULL
    const struct om_layer *layer;        // that it shows; NULL: the base map's
    bool heat;
    bool picture;  // there are no vector tiles: heat, base map, choropleths
    bool crowds;   // where its rows end is not for who asks
    const struct om_snapshot *snapshot;
};

/** Number i of the maps of the request's snapshot: layers, levels of units that
 *  no layer is called like, heat of point layers, the base map and its labels,
 *  heat of risk models. false: there are no more. (choropleth:LEVEL is found
 *  by its name, but shows nothing until a layer is named.) */
bool om__map_at(struct om__request *request, size_t i, struct om__map *out);
/** By name; 404 if there is none. Sets request->layer. */
om_status om__map_find(struct om__request *request, const char *name,
                       struct om__map *out) OM_MUST_USE;
/** Has the map tiles of this kind ("mvt", "png"), and are its parameters
 *  right? Those of `drop` (blank-separated) are the caller's own. */
om_status om__map_check(struct om__request *request, const char *name,
                        const char *extension, const char *drop) OM_MUST_USE;
/** West, south, east, north of all units, in degrees; false: there are none. */
bool om__units_bounds(const struct om_snapshot *snapshot, double bounds[4]);
/** West, south, east, north in degrees: the units' where that of rows is not
 *  for who asks; the world where nothing is. */
void om__map_bounds(const struct om__map *map, double bounds[4]);
/** The zoom at which the bounds fill a window of some 1,000 pixels. */
unsigned om__map_zoom(const double bounds[4]);
/** Deepest zoom at which tiles still show more than those above them. */
unsigned om__map_zoom_max(const struct om__map *map);
/** What must be said wherever the map is shown, appended as a JSON text. */
void om__attribution_add(const struct om__request *request,
                         const struct om__map *map, struct om_buf *out);
/** Append the query of the request's address, "?a=b&c=d", without the
 *  parameters of `drop`; nothing if none is left. */
void om__query_add(const struct om__request *request, const char *drop,
                   struct om_buf *out);
/** Is `word` one of the blank-separated words? */
bool om__listed(const char *words, const char *word);

/** Answer with a tile as if these parameters had been asked for. The address
 *  is as it was afterwards. */
om_status om__tile_with(struct om__request *request, const char *name,
                        const struct om_tile_address *tile,
                        const struct om_param *param,
                        size_t params) OM_MUST_USE;

/* ---- tile matrix sets (OGC 17-083r4) */

/* One of them; tile matrix n is 2^n tiles wide. */
struct om__matrix_set {
    const char *id;  // "WebMercatorQuad"
    const char *title;
    const char *uri;       // of a registered one, or NULL
    const char *crs;       // "http://www.opengis.net/def/crs/EPSG/0/3857"
    const char *scales;    // well-known scale set, or NULL
    const char *axes;      // JSON
    const char *origin;    // JSON: the north-western corner
    unsigned first, last;  // tile matrices
    bool degrees;          // half as high as wide
};
const struct om__matrix_set *om__matrix_set_at(size_t i);
/** NULL: there is none. */
const struct om__matrix_set *om__matrix_set_find(const char *id);
uint64_t om__matrix_width(unsigned z);
uint64_t om__matrix_height(const struct om__matrix_set *set, unsigned z);
/** Metres or degrees of a pixel, and OGC's scale of it (0.28 mm a pixel). */
double om__matrix_cell(const struct om__matrix_set *set, unsigned z);
double om__matrix_scale(const struct om__matrix_set *set, unsigned z);
/** The tiles of matrix z that a box touches. */
struct om__tile_limits {
    uint64_t row0, row1, col0, col1;
};
struct om__tile_limits om__matrix_limits(const struct om__matrix_set *set,
                                         unsigned z, const double bounds[4]);

/** Read tile matrix, row and column. OM_E_FORMAT: not numbers; OM_E_RANGE:
 *  not of the set. The extension is png. */
om_status om__matrix_tile_read(const struct om__matrix_set *set, const char *z,
                               const char *row, const char *col,
                               struct om_tile_address *out) OM_MUST_USE;
/** Append the vector_layers of TileJSON; request->layer is the map's. */
om_status om__vector_layers_add(struct om__request *request,
                                const struct om__map *map,
                                struct om_buf *out) OM_MUST_USE;

/** Answer with a picture in degrees (CGCS2000Quad), made of the mercator
 *  pictures that it lies in: every pixel is the one that holds its centre. */
om_status om__plate_answer(struct om__request *request, const char *name,
                           const struct om_tile_address *tile,
                           const struct om_param *param,
                           size_t params) OM_MUST_USE;

#endif
