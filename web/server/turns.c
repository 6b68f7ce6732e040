// turns.c - fair queueing, by who asks and how heavy it is.
#include "web/server/turns.h"

#include <math.h>

static double turn_of(const struct om__turns *turns,
                      const struct om__request *request)
{
    double after = turns->taken;
    for (const struct om__request *r = turns->first; r; r = r->next)
        if (request->client && r->client == request->client)
            after = fmax(after, r->turn);
    return after + fmax(request->weight, 1);
}

void om__turns_add(struct om__turns *turns, struct om__request *request)
{
    struct om__request **at = &turns->first;
    request->turn = turn_of(turns, request);
    while (*at && (*at)->turn <= request->turn) at = &(*at)->next;
    request->next = *at;
    *at = request;
    turns->waiting++;
}

struct om__request *om__turns_take(struct om__turns *turns)
{
    struct om__request *request = turns->first;
    if (!request) return NULL;
    turns->first = request->next;
    turns->taken = fmax(turns->taken, request->turn);
    turns->waiting--;
    return request;
}

size_t om__turns_of(const struct om__turns *turns, uint64_t client)
{
    size_t n = 0;
    for (const struct om__request *r = turns->first; r; r = r->next)
        n += r->client == client;
    return n;
}

void om__turns_weed(struct om__turns *turns,
                    bool (*left)(const struct om__request *request),
                    struct om__turns *to)
{
    for (struct om__request **at = &turns->first; *at;) {
        struct om__request *request = *at;
        if (!left(request)) {
            at = &request->next;
            continue;
        }
        *at = request->next;
        turns->waiting--;
        om__turns_add(to, request);
    }
}
