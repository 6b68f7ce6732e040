// bounds.h - how long, how many and how large requests and answers may be.
#ifndef OM_WEB_SERVER_BOUNDS_H
#define OM_WEB_SERVER_BOUNDS_H

#include <stddef.h>
#include <stdint.h>

/** Seconds without a byte after which the library closes a connection. */
#define OM__IDLE_S 20
/** Seconds that the head of a request may take, however busily it drips:
 *  above OM__IDLE_S, so that only drippers meet it. */
#define OM__HEAD_S 30
/** Seconds that a request may take from its head to the last byte read by
 *  the client: longer than the slowest answer over a slow line. */
#define OM__ANSWER_S 300
/** Seconds after which an answer that is still being sent is looked at again:
 *  is who gets it still let in? */
#define OM__SWEEP_S 1
/** Bytes a second below which a client that takes a file away is given up. */
#define OM__SLOW_LINE 500e3
/** Bytes a second below which a body that is sent to us is given up. */
#define OM__SLOW_BODY 20e3
/** Bytes of a body that are read though it is refused already: a client that is
 *  still writing when its connection ends never reads why. */
#define OM__SWALLOW_BYTES ((uint64_t)64 << 20)
/** Open connections; each has 32 KiB of memory of its own. */
#define OM__CONNECTIONS 4096
/** One address has at most so large a part of them that have waited so long for
 *  its head or body (512), and half of them whatever they are; of more those
 *  that have waited longest are closed. */
#define OM__WAITING_PART 8
#define OM__WAITING_S 5.0
/** Requests waiting for a worker; more are told to come back (503). */
#define OM__QUEUE 256
/** Of these, requests of heavy work; and of one token, or of one client without
 *  that is not on this machine (there it may be a proxy that speaks for many).
 */
#define OM__QUEUE_HEAVY 64
#define OM__QUEUE_CLIENT 24
/** Requests waiting for files to be written, one at a time. */
#define OM__QUEUE_FILING 32
/** Listeners to changes at a time, each a connection of its own, well below
 *  the connections of one thread; and of one client that is not on this
 *  machine: the windows of an office behind one address. */
#define OM__LISTENERS 1536
#define OM__LISTENERS_CLIENT 64
/** Bytes of positions that are sent at once: some 30,000. */
#define OM__FIXES_BYTES ((uint64_t)4 << 20)
/** Bytes that a listener may be behind before it is let go. */
#define OM__LISTENER_BYTES ((size_t)256 << 10)
/** Seconds of work from which on it is heavy: one such at a time. */
#define OM__HEAVY_S 0.05
/** Pixels of /map.png a second of a release for who has no token: of all, and
 *  of one address; so many seconds' worth may come at once. */
#define OM__PUBLIC_PIXELS 4e6
#define OM__PUBLIC_PIXELS_CLIENT 1e6
#define OM__PUBLIC_PIXELS_BURST_S 30.0
/** Bytes of one answer that is built in memory; larger ones are 413. */
#define OM__ANSWER_BYTES ((size_t)512 << 20)
/** Answers above this are not kept in the cache: one would push out
 *  thousands of tiles. */
#define OM__KEEP_BYTES ((size_t)1 << 20)

#endif
