// server.h - the HTTP server: one city, answered to whoever asks.
#ifndef OM_WEB_SERVER_SERVER_H
#define OM_WEB_SERVER_SERVER_H

#include <stdbool.h>

#include "data/base/status.h"

/* Zero, NULL and "" mean the default. */
struct om_server_options {
    const char *city;    // folder
    const char *listen;  // "127.0.0.1:8080"; "[::1]:0": any free port
    const char *pages;   // folder of the pages; NULL: none are served
    const char *url;     // how clients reach us, "https://map.example"; links
                         // are built from it instead of from the Host header
    const char *charge_file;  // one more token, of role admin; may be NULL
    const char *fonts;   // files of the maps' letters, "regular[:bold]"; NULL:
                         // where the system has them
    bool read_only;      // leave writing to another process
    double writes_per_s;         // requests that change something; default
                                 // 5,000
    double client_writes_per_s;  // of one client; default 200, without limit
                                 // for those on this machine
    uint64_t compact_rows;  // written rows of a layer from which they go to a
                            // file; default 200,000
    uint64_t journal_rows;  // that the journal keeps; default 2,000,000
    unsigned threads;    // that answer requests; default 2
    unsigned workers;    // that answer what takes longer; default 2
    size_t cache_bytes;  // of finished answers; default 256 MiB
    unsigned beat_s;     // what moves with time alone, and figures of the whole
                         // city, change so often; default 60
    unsigned persons_s;  // ... and what is about persons, for whoever only
                         // counts them, no more often; default 300
};

struct om_server;

/**
 * Open the city, listen, and answer on threads of its own. The process must
 * ignore SIGPIPE.
 *
 * returns  OM_E_NOTFOUND and the like when the city cannot be opened,
 *          OM_E_FORMAT    `listen` or `url` cannot be read
 *          OM_E_IO        the address is taken or not ours
 *          OM_E_BUSY      another process writes the city
 * owns     *out: om_server_stop
 */
om_status om_server_start(const struct om_server_options *options,
                          struct om_server **out,
                          struct om_err *err) OM_MUST_USE;
/** "http://127.0.0.1:8080/", with the port that was really taken. */
const char *om_server_address(const struct om_server *server);
/**
 * Read again what people edit by hand: models, city.json, roles.json, and of
 * the options the figures of rates and the token file. All of it or, where something is wrong,
 * nothing.
 * threads  the one that started the server
 */
om_status om_server_reload(struct om_server *server,
                           const struct om_server_options *options,
                           struct om_err *err) OM_MUST_USE;
/**
 * A token of a role of the city that ends with the server, into text [room].
 * returns  OM_E_NOTFOUND  no such role, or one that has an area
 */
om_status om_server_lend(struct om_server *server, const char *role, char *text,
                         size_t room, struct om_err *err) OM_MUST_USE;
/** Stop accepting, finish what was begun (20 s at most), free all. */
void om_server_stop(struct om_server *server);

#endif
