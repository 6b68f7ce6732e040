/* flights.c - one rendering of a tile, however many ask for it at once.
 *
 * DESIGN
 * Who finds that a tile is being drawn does not wait in a thread: its request
 * is parked beside the flight, its connection suspended, and put into the
 * workers' queue when the flight has ended. There it asks again and finds the
 * finished answer. That the parked are told by a hash of their key and ask
 * again by the key itself means that two keys of one hash cost a little time
 * and never a wrong tile.
 *
 * The answer is in the cache before its flight ends, and whether to begin one
 * is decided under the same lock that looks into the cache: so nothing is
 * drawn twice that is kept.
 */
#include "web/server/flights.h"
#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "web/server/jobs.h"
#include "web/server/needs.h"
#include "web/server/reply.h"
#include "web/server/server_internal.h"

struct flight {
    struct flight *next;
    uint64_t hash;
    struct om__request *parked;  // by `next`
};

struct om__flights {
    pthread_mutex_t lock;
    struct flight *first;
    uint64_t drawn, parked;
};

om_status om__flights_new(struct om__flights **out)
{
    struct om__flights *flights = om_calloc(1, sizeof *flights);
    if (!flights) return OM_E_MEMORY;
    pthread_mutex_init(&flights->lock, NULL);
    *out = flights;
    return OM_OK;
}

void om__flights_free(struct om__flights *flights)
{
    if (!flights) return;
    pthread_mutex_destroy(&flights->lock);
    om_free(flights);
}

static struct flight **find(struct om__flights *flights, uint64_t hash)
{
    struct flight **at = &flights->first;
    while (*at && (*at)->hash != hash) at = &(*at)->next;
    return at;
}

om_status om__flight_begin(struct om__request *r, const struct om_buf *key,
                           struct om__answer **answer, uint64_t *flight)
{
    struct om__flights *flights = r->server->flights;
    // 0 means none.
    const uint64_t hash = om_hash64(key->bytes, key->len, 0) | 1;
    om_status st = OM_OK;
    *flight = 0;
    pthread_mutex_lock(&flights->lock);
    *answer = om__answer_find(r->server, key->bytes, key->len);
    if (!*answer && *find(flights, hash)) {
        r->later = true;
        r->flight = hash;
    } else if (!*answer) {
        struct flight *own = om_alloc(sizeof *own);
        if (own) {
            *own = (struct flight){.next = flights->first, .hash = hash};
            flights->first = own;
            *flight = hash;
        } else {
            st = OM_E_MEMORY;
        }
    }
    pthread_mutex_unlock(&flights->lock);
    return st;
}

void om__flight_end(struct om_server *server, uint64_t flight, bool drawn)
{
    struct om__flights *flights = server->flights;
    pthread_mutex_lock(&flights->lock);
    struct flight **at = find(flights, flight), *ended = *at;
    if (ended) *at = ended->next;
    flights->drawn += drawn;
    pthread_mutex_unlock(&flights->lock);
    struct om__request *r = ended ? ended->parked : NULL;
    om_free(ended);
    while (r) {
        struct om__request *next = r->next;
        r->flight = 0;
        // It has waited already: the queue's bound is for newcomers.
        r->admitted = true;
        if (om__jobs_add(server->jobs, r)) {
            om__reply_problem(r, OM_E_BUSY);
            MHD_resume_connection(r->connection);
        }
        r = next;
    }
}

bool om__flight_park(struct om__request *r)
{
    struct om__flights *flights = r->server->flights;
    pthread_mutex_lock(&flights->lock);
    struct flight *flight = r->flight ? *find(flights, r->flight) : NULL;
    if (flight) {
        r->next = flight->parked;
        flight->parked = r;
        flights->parked++;
    }
    pthread_mutex_unlock(&flights->lock);
    return flight != NULL;
}

struct om__flight_stats om__flight_stats(struct om__flights *flights)
{
    pthread_mutex_lock(&flights->lock);
    const struct om__flight_stats stats = {flights->drawn, flights->parked};
    pthread_mutex_unlock(&flights->lock);
    return stats;
}
