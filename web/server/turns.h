// turns.h - requests that wait, in the order in which each asker gets a turn.
#ifndef OM_WEB_SERVER_TURNS_H
#define OM_WEB_SERVER_TURNS_H

#include "web/server/server_internal.h"

/* Whoever asks for much waits behind those who ask for little: the n-th request
 * of one asker (om__request.client) comes after the first of any other, and one
 * that weighs as much as n others (om__request.weight) after n of them. Of
 * those who cannot be told apart (0) each is an asker of its own. Nobody waits
 * for ever: every turn that is taken brings those who wait nearer. Equals stay
 * in the order in which they came. Zero is a valid empty value.
 * threads  the caller's lock
 * cost     as many steps as wait (at most OM__QUEUE)
 * source   A. Demers, S. Keshav, S. Shenker: Analysis and simulation of a fair
 *          queueing algorithm, 1989 (without times of arrival)
 * test     tests/web/test_turns.c */
struct om__turns {
    struct om__request *first;
    size_t waiting;
    double taken;  // turn of the last that was taken
};

void om__turns_add(struct om__turns *turns, struct om__request *request);
/** NULL: nobody waits. */
struct om__request *om__turns_take(struct om__turns *turns);
/** How many of an asker wait. */
size_t om__turns_of(const struct om__turns *turns, uint64_t client);
/** Move those of which `left` is true. */
void om__turns_weed(struct om__turns *turns,
                    bool (*left)(const struct om__request *request),
                    struct om__turns *to);

#endif
