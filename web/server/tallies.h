// tallies.h - what is seen on tiles and what is written, noted by the minute.
#ifndef OM_WEB_SERVER_TALLIES_H
#define OM_WEB_SERVER_TALLIES_H

#include "web/server/given.h"
#include "web/server/server_internal.h"

/* What a line is about. */
#define OM__TALLY_TILES "tiles"
#define OM__TALLY_ITEMS "write"
#define OM__TALLY_POSITIONS "positions"

/* DESIGN in tallies.c. threads: any */
struct om__tallies;
om_status om__tallies_new(struct om__tallies **out) OM_MUST_USE;
/** Add the tile that a request was answered with, if single rows can be seen on
 *  it (tallies_tiles.c). cost: a count of rows in a box */
void om__tallies_add(struct om__request *request);
/** Add rows of a layer to the line of the minute; `route` is one of the above,
 *  `zoom` is of tiles. */
void om__tally_add(struct om__request *request, const char *layer,
                   const char *route, const struct om__given *given,
                   unsigned zoom);
/** Write down those whose minute is over; all: the others, too. */
void om__tallies_write(struct om_server *server, bool all);
void om__tallies_free(struct om__tallies *tallies);

#endif
