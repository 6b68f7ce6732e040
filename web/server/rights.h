// rights.h - who asks, and what they may see.
#ifndef OM_WEB_SERVER_RIGHTS_H
#define OM_WEB_SERVER_RIGHTS_H

#include "web/server/server_internal.h"

struct om__lenses;
om_status om__lenses_new(struct om_server *server,
                         struct om__lenses **out) OM_MUST_USE;
/** Take the first still of the city, and the next ones from time to time. */
om_status om__lenses_start(struct om__lenses *lenses) OM_MUST_USE;
void om__lenses_stop(struct om__lenses *lenses);
/** om_live_options.moving, of the server: what was told last can be told after
 *  files have moved on. */
om_status om__lenses_moving(void *server, const struct om_manifest *next,
                            struct om_err *err) OM_MUST_USE;
/** Figures for /metrics. */
void om__lenses_metrics(struct om__lenses *lenses, struct om_buf *out);
void om__lenses_free(struct om__lenses *lenses);
/** Let go of what was made of older snapshots. */
void om__lenses_sweep(struct om__lenses *lenses,
                      const struct om_snapshot *newest);
/** A snapshot as somebody sees it. owns: *out, om_snapshot_unref */
om_status om__rights_look(struct om_server *server, const struct om__who *who,
                          struct om_snapshot *whole,
                          struct om_snapshot **out) OM_MUST_USE;
/** Into request->whole (taken over, also on failure) and request->snapshot,
 *  which is what whoever asks sees of it. */
om_status om__rights_take(struct om__request *request,
                          struct om_snapshot *whole) OM_MUST_USE;
void om__rights_drop(struct om__request *request);
/** Not for whoever asks: 401, or 404 to a token. */
om_status om__rows_refused(struct om__request *request,
                           const char *what) OM_MUST_USE;
/** Would what is wrong with city.json, or missing for it, name to whoever asks
 *  layers or columns that are not there for them? Then it is not said. */
bool om__rights_unsaid(const struct om__request *request, om_status status);
/** auditor.c: note an answer, if it is one to be noted. */
void om__audit_note(struct om__request *request);
/** May single rows of the layer be told to whoever asks? 401 if not. This is
 *  the one place at which that is decided. */
om_status om__rows_allowed(struct om__request *request,
                           const struct om_layer *layer) OM_MUST_USE;
/** Are rows of a layer for everybody who sees it: units, and what every map has
 *  of water and roads beneath it? They are not counted. */
bool om__rows_open(const struct om_layer *layer);
/** Count rows that are told one by one to who may not take everything away: so
 *  many over time. OM_E_RATE: too many. */
om_status om__rows_spend(struct om__request *request,
                         uint64_t rows) OM_MUST_USE;
/** Count the rows of the answer that request->shared is, a tile with ids of
 *  rows, the same way. OM_E_RATE: it is let go of again. */
om_status om__answer_spend(struct om__request *request) OM_MUST_USE;
/** Are columns about persons hidden from whoever asks, so that what changes in
 *  them is not told either? */
bool om__rights_veil(const struct om__request *request);
/** Number of the still that whoever asks is told of, 0 where none is: part of
 *  what answers are kept under. */
uint64_t om__rights_still(const struct om__request *request);
/** As who whoever asks is told of a layer of request->snapshot
 *  (engine/live/audience.h), which has joined from here on; 0: as who sees all
 *  of it. */
uint64_t om__rights_audience(const struct om__request *request,
                             const struct om_layer *layer);
/** Sequence of the newest change of that layer in a box, as far as whoever asks
 *  is told of it; *at_s (may be NULL): when. */
uint64_t om__rights_changed(const struct om__request *request,
                            const struct om_layer *layer, struct om_box box,
                            int64_t *at_s);
/** Is it the name of a layer, or of its heat, that whoever asks does not see?
 */
bool om__names_unseen(const struct om__request *request, const char *text);
/** May only crowds and counts by unit be told of the layer? */
bool om__crowds_only(const struct om__request *request,
                     const struct om_layer *layer);

#endif
