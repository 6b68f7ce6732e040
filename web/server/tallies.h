// tallies.h - rows that are seen on tiles, noted a minute at a time.
#ifndef OM_WEB_SERVER_TALLIES_H
#define OM_WEB_SERVER_TALLIES_H

#include "web/server/server_internal.h"

/* DESIGN in tallies.c. threads: any */
struct om__tallies;
om_status om__tallies_new(struct om__tallies **out) OM_MUST_USE;
/** Add the tile that a request was answered with, if single rows can be seen on
 *  it. cost: a count of rows in a box */
void om__tallies_add(struct om__request *request);
/** Write down those whose minute is over; all: the others, too. */
void om__tallies_write(struct om_server *server, bool all);
void om__tallies_free(struct om__tallies *tallies);

#endif
