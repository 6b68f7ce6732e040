// tile.h - the kinds of tiles that onemap tile writes, a file each.
#ifndef OM_WEB_CLI_TILE_H
#define OM_WEB_CLI_TILE_H

#include <stdint.h>

#include "web/cli/heat.h"

/** What names of heat maps begin with. */
#define OM__TILE_HEAT "heat:"

/* The command line as it was typed, and the place as it was read. */
struct om__tile_words {
    const char *city, *name, *tile;
    const char *format, *out;
    struct om_risk_ask ask;       // filter and datetime of all, the rest
    const char *scale, *palette;  // of heat
    const char *properties, *by;  // of vector tiles
    unsigned z;
    uint32_t x, y;
};

/* Each makes the tile, writes the file and returns an exit status; what is
 * wrong has been said. */
int om__tile_heat(const struct om__tile_words *words);
int om__tile_vector(const struct om__tile_words *words);

#endif
