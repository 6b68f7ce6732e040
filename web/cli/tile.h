// tile.h - maps made ready to draw tiles from: onemap tile draws one, onemap
// export all.
#ifndef OM_WEB_CLI_TILE_H
#define OM_WEB_CLI_TILE_H

#include <stdint.h>

#include "data/base/arena.h"
#include "web/cli/heat.h"

/** What names of heat maps begin with. */
#define OM__TILE_HEAT "heat:"

/* The command line as it was typed. */
struct om__tile_words {
    const char *verb, *city, *name;
    struct om_risk_ask ask;       // filter and datetime of all, the rest
    const char *scale, *palette;  // of pictures
    const char *properties;       // of vector tiles
    const char *by;               // of vector tiles and pictures of layers
    // Of pictures of units and the base map.
    const char *labels, *lang, *stat, *layer, *column;
    bool apart;  // several layers share a tile: names of what ours carries
                 // besides its rows begin with NAME and a colon
};

/* For a table of options; words is a struct om__tile_words. */
#define OM__TILE_OPTIONS(words)                                           \
    OM__HEAT_OPTIONS((words).ask), {"--scale", &(words).scale, NULL},     \
        {"--palette", &(words).palette, NULL},                            \
        {"--properties", &(words).properties, NULL},                      \
        {"--by", &(words).by, NULL}, {"--labels", &(words).labels, NULL}, \
        {"--lang", &(words).lang, NULL}, {"--stat", &(words).stat, NULL}, \
        {"--layer", &(words).layer, NULL},                                \
    {                                                                     \
        "--column", &(words).column, NULL                                 \
    }

/* What a map says of itself in an archive. `title` and `layers` are owned by
 * the map; layers: JSON of the vector layers, objects with commas between. */
struct om__tile_about {
    unsigned zoom_max;  // in: of the archive
    double bounds[4];   // west, south, east, north, degrees
    const char *title, *layers;
};

/* A kind of map. `self` is what `open` has made. */
struct om__tile_kind {
    const char *format;  // "png" or "mvt"
    /** Make ready. Returns an exit status; what is wrong has been said. On a
     *  failure too there may be something to close. */
    int (*open)(const struct om__tile_words *words, void **self);
    /** May anything be drawn there? False is certain. */
    bool (*may_hold)(void *self, unsigned z, uint32_t x, uint32_t y);
    /** Append the tile; nothing where it is empty. threads: any, with an arena
     *  and a buffer each. */
    om_status (*draw)(void *self, unsigned z, uint32_t x, uint32_t y,
                      struct om_arena *arena, struct om_buf *out);
    /** Append what stands for an empty tile; NULL where that is no bytes. */
    om_status (*nothing)(void *self, struct om_buf *out);
    void (*about)(void *self, struct om__tile_about *out);
    /** Say why drawing failed; returns the exit status. */
    int (*fail)(void *self, om_status status);
    void (*close)(void *self);
};
extern const struct om__tile_kind om__tile_heat, om__tile_vector,
    om__tile_picture;

/** The kind of a name's tiles in a format ("png", "mvt"); NULL: there are none
 *  such, which has been said. */
const struct om__tile_kind *om__tile_kind_of(const char *verb, const char *name,
                                             const char *format);
/** Read 1 or 2 of --scale into pixels of a side; 0: neither, which has been
 *  said. */
unsigned om__tile_side(const struct om__tile_words *words);

/** Does the layer have rows in a tile, or within so many metres or 64ths of a
 *  tile around it? */
bool om__tile_has_rows(const struct om_snapshot *snapshot,
                       const struct om_layer *layer, unsigned z, uint32_t x,
                       uint32_t y, double around_m);

#endif
