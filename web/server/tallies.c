/* tallies.c - what there is too much of for a line each, a minute at a time.
 *
 * DESIGN
 * A screen that is looked at for months asks for tiles all the time, and
 * whoever feeds a city writes thousands of rows a second: a line for each would
 * fill the disk with the same. So tiles of one layer that one token is told
 * within a minute become one line of the audit (how many, the deepest zoom,
 * boxes around them, how many rows lay in them), and so does what it writes to
 * a layer by one method (how many requests, rows, boxes, ids where they are
 * few). Places that lie apart have boxes of their own (given.h). The lines are
 * written by the server's clock, and at its end; one that is killed loses its
 * last minute.
 */
#include "web/server/tallies.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "data/city/audit.h"
#include "web/server/route.h"

#define MINUTE_S 60
/* Layers times tokens of a minute; of more the oldest is written early. */
#define TALLIES 256

struct tally {
    int64_t begun_s, last_s;  // begun 0: free
    struct om_token token;
    char role[OM_LIMIT_NAME_BYTES], layer[OM_LIMIT_NAME_BYTES];
    const char *method, *route;  // "GET", "tiles": of tiles
    uint64_t requests;
    unsigned zoom;  // deepest, of tiles
    struct om__given given;
};

struct om__tallies {
    pthread_mutex_t lock;
    struct tally tally[TALLIES];
};

om_status om__tallies_new(struct om__tallies **out)
{
    struct om__tallies *tallies = om_calloc(1, sizeof *tallies);
    if (!tallies) return OM_E_MEMORY;
    pthread_mutex_init(&tallies->lock, NULL);
    *out = tallies;
    return OM_OK;
}

void om__tallies_free(struct om__tallies *tallies)
{
    if (!tallies) return;
    for (size_t i = 0; i < TALLIES; i++)
        om__given_deinit(&tallies->tally[i].given);
    pthread_mutex_destroy(&tallies->lock);
    om_free(tallies);
}

/* ---- lines ---- */

static om_status add_target(const struct tally *t, struct om_buf *out)
{
    const unsigned long long requests = t->requests;
    if (!strcmp(t->route, OM__TALLY_TILES))
        om_buf_addf(out, "/tiles/%s?tiles=%llu&zoom=%u", t->layer, requests,
                    t->zoom);
    else if (!strcmp(t->route, OM__TALLY_POSITIONS))
        om_buf_addf(out, "/positions?writes=%llu", requests);
    else
        om_buf_addf(out, "/collections/%s/items?writes=%llu", t->layer,
                    requests);
    om__given_write(&t->given, out);
    return om_buf_add(out, "", 1);
}

/* Lets go of what the tally holds. */
static void write_line(struct om_server *server, struct tally *t)
{
    char area[2 * OM_LIMIT_NAME_BYTES + 2] = "";
    struct om_err err = {0};
    struct om_buf target = {0};
    if (t->token.level[0])
        snprintf(area, sizeof area, "%s:%s", t->token.level, t->token.unit);
    om_status st = add_target(t, &target);
    const struct om_audit_entry entry = {.at_ms = t->last_s * 1000,
                                         .token = t->token.id,
                                         .role = t->role,
                                         .area = area,
                                         .method = t->method,
                                         .route = t->route,
                                         .target = (const char *)target.bytes,
                                         .status = MHD_HTTP_OK};
    if (!st) st = om_audit_add(server->audit, &entry, &err);
    if (st)
        om_log(OM_LOG_ERROR, "audit", "nothing is noted: %s",
               err.text[0] ? err.text : om_status_text(st));
    om_buf_deinit(&target);
    om__given_deinit(&t->given);
}

void om__tallies_write(struct om_server *server, bool all)
{
    struct om__tallies *tallies = server->tallies;
    const int64_t now_s = (int64_t)time(NULL);
    for (size_t i = 0; tallies && i < TALLIES; i++) {
        pthread_mutex_lock(&tallies->lock);
        struct tally t = tallies->tally[i];
        // Clocks may be set back.
        const bool over = t.begun_s && (all || now_s < t.begun_s ||
                                        now_s - t.begun_s >= MINUTE_S);
        if (over) tallies->tally[i] = (struct tally){0};
        pthread_mutex_unlock(&tallies->lock);
        if (over) write_line(server, &t);
    }
}

static bool is_of(const struct tally *t, const struct om__request *r,
                  const char *layer, const char *method, const char *route)
{
    return t->begun_s && !strcmp(t->token.id, r->who->token.id) &&
           !strcmp(t->role, r->who->role->name) && !strcmp(t->layer, layer) &&
           !strcmp(t->method, method) && !strcmp(t->route, route);
}

/* Where to add: what was begun, else a free one, else the oldest, which is
 * moved out to be written. Under the lock. */
static struct tally *find(struct om__tallies *tallies,
                          const struct om__request *r, const char *layer,
                          const char *method, const char *route,
                          struct tally *out)
{
    struct tally *unused = NULL, *oldest = tallies->tally;
    for (struct tally *t = tallies->tally; t < tallies->tally + TALLIES; t++) {
        if (is_of(t, r, layer, method, route)) return t;
        if (!t->begun_s && !unused) unused = t;
        if (t->begun_s < oldest->begun_s) oldest = t;
    }
    if (!unused) {
        *out = *oldest;
        *oldest = (struct tally){0};
        unused = oldest;
    }
    return unused;
}

void om__tally_add(struct om__request *r, const char *layer, const char *route,
                   const struct om__given *given, unsigned zoom)
{
    struct om__tallies *tallies = r->server->tallies;
    struct tally full = {0};
    const int64_t now_s = (int64_t)time(NULL);
    const char *method = r->route->method ? r->route->method : "GET";
    pthread_mutex_lock(&tallies->lock);
    struct tally *t = find(tallies, r, layer, method, route, &full);
    if (!t->begun_s) {
        *t = (struct tally){.begun_s = now_s,
                            .token = r->who->token,
                            .method = method,
                            .route = route};
        snprintf(t->role, sizeof t->role, "%s", r->who->role->name);
        snprintf(t->layer, sizeof t->layer, "%s", layer);
    }
    t->last_s = now_s;
    t->requests++;
    if (zoom > t->zoom) t->zoom = zoom;
    om__given_merge(&t->given, given);
    pthread_mutex_unlock(&tallies->lock);
    if (full.begun_s) write_line(r->server, &full);
}
