// simulate.h - what a city of its own goes on to live: parts of the verb.
#ifndef OM_WEB_CLI_SIMULATE_H
#define OM_WEB_CLI_SIMULATE_H

#include "engine/snapshot.h"

/* ---- simulate_plan.c: rows that come and change */

/* DESIGN in simulate_plan.c. */
struct om__plan;

/* One thing that happens. */
struct om__happening {
    int64_t at_s;          // the city's clock
    uint32_t layer, row;   // numbers within the plan
    uint32_t step;         // 0: the row comes; else it makes this step
    int64_t loop;
};

/**
 * Learn from the register: which layers live, what their steps are, and what
 * happened from `from_s` on.
 *
 * returns  OM_E_RANGE     from_s is not a day before the clock, or nothing
 *                         happened since
 *          OM_E_UNSUPPORTED the city is not synthetic, or no layer of it lives
 * owns     *out: om__plan_free; borrows the snapshot
 */
om_status om__plan_new(const struct om_snapshot *snapshot, int64_t from_s,
                       uint64_t seed, struct om__plan **out,
                       struct om_err *err) OM_MUST_USE;
void om__plan_free(struct om__plan *plan);
/** The next happening is the first after `clock_s`. */
om_status om__plan_start(struct om__plan *plan, int64_t clock_s) OM_MUST_USE;
/** The next happening up to `upto_s`, in order of time; *found false: none. */
om_status om__plan_next(struct om__plan *plan, int64_t upto_s,
                        struct om__happening *out, bool *found) OM_MUST_USE;
const char *om__plan_layer(const struct om__plan *plan, uint32_t layer);
/** Append the row as it is after the happening, as a line of GeoJSON; of a
 *  patch only what the step changes, without a geometry. */
om_status om__plan_write(struct om__plan *plan, const struct om__happening *h,
                         bool patch, struct om_buf *out) OM_MUST_USE;
/** Append the row's id, escaped for a path. */
om_status om__plan_id(struct om__plan *plan, const struct om__happening *h,
                      struct om_buf *out) OM_MUST_USE;
/** Call `each` with the places at which things happen, and the unit of `level`
 *  in which they lie. */
om_status om__plan_each_place(struct om__plan *plan, const char *level,
                              om_status (*each)(void *ctx, const char *id,
                                                size_t len, struct om_pos pos),
                              void *ctx) OM_MUST_USE;

/* ---- simulate_walk.c: those on duty, on their way */

struct om__walk;
/** *out NULL: the city follows nobody. owns: om__walk_free */
om_status om__walk_new(const struct om_snapshot *snapshot,
                       struct om__plan *plan, uint64_t seed,
                       struct om__walk **out) OM_MUST_USE;
void om__walk_free(struct om__walk *walk);
/** Append fixes, a line each, of every `slices`-th of those who are on duty at
 *  `clock_s`, beginning with number `slice`; *count of them. */
om_status om__walk_write(struct om__walk *walk, int64_t clock_s, size_t slice,
                         size_t slices, struct om_buf *out,
                         size_t *count) OM_MUST_USE;

/* ---- simulate_client.c: one connection to a server */

struct om__client;
/** url: http://HOST[:PORT][/PATH]; token may be NULL. owns: om__client_close */
om_status om__client_open(const char *url, const char *token,
                          struct om__client **out,
                          struct om_err *err) OM_MUST_USE;
void om__client_close(struct om__client *client);
struct om__said {
    unsigned status;       // of HTTP
    double retry_after_s;  // 0: it did not say
    const char *body;      // NUL-terminated; until the next question
    size_t len;
};
/** Ask, over the connection that is open or a new one. OM_E_IO: the server
 *  does not answer. */
om_status om__client_ask(struct om__client *client, const char *method,
                         const char *path, const char *headers,
                         const char *type, const struct om_buf *body,
                         struct om__said *out, struct om_err *err) OM_MUST_USE;

#endif
