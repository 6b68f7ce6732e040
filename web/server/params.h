// params.h - typed parameters; on an error they name themselves.
#ifndef OM_WEB_SERVER_PARAMS_H
#define OM_WEB_SERVER_PARAMS_H

#include "web/server/server_internal.h"

/** Note that a parameter is wrong; returns `status`. */
om_status om__param_bad(struct om__request *request, const char *parameter,
                        om_status status, const char *format, ...)
    OM_PRINTF(4, 5);
/** Its text, or NULL if it was not given. */
const char *om__param_text(const struct om__request *request, const char *name);
/** A finite number in [min, max]; untouched if not given. */
om_status om__param_real(struct om__request *request, const char *name,
                         double min, double max, double *out) OM_MUST_USE;
/** The place of lon and lat, which must be given. */
om_status om__param_lonlat(struct om__request *request,
                           struct om_pos *out) OM_MUST_USE;
om_status om__param_count(struct om__request *request, const char *name,
                          uint64_t min, uint64_t max,
                          uint64_t *out) OM_MUST_USE;
/** bbox=W,S,E,N as a place; untouched if not given. */
om_status om__param_bbox(struct om__request *request,
                         struct om_place *out) OM_MUST_USE;
/** bbox in bbox-crs; a projected one is a polygon in the lane's arena. */
om_status om__param_bbox_in(struct om__request *request,
                            struct om_place *out) OM_MUST_USE;
/** Numbers between commas, all of `text`; 0 where there are more than `room`,
 *  or something else. shapes: out [room] */
size_t om__reals_read(const char *text, size_t room, double *out);
// place_params.c
/** A polygon (WKT or GeoJSON) as a place, in the lane's arena. */
om_status om__param_rings(struct om__request *request, const char *text,
                          size_t len, struct om_place *out) OM_MUST_USE;
/** Where rows are to be, of those who take all of it: a bbox (read by `box`,
 *  one of the two above), within=POLYGON, or near=LON,LAT&radius=M; untouched
 *  if none is given. OM__PLACE_PARAMS are their names. */
om_status om__param_place(struct om__request *request,
                          om_status (*box)(struct om__request *,
                                           struct om_place *),
                          struct om_place *out) OM_MUST_USE;
#define OM__PLACE_PARAMS "bbox within near radius "
/** The system that parameter `name` names, CRS84 if not given. Borrowed from
 *  the thread's lane: not for another thread. */
om_status om__param_crs(struct om__request *request, const char *name,
                        struct om_project **out) OM_MUST_USE;
/** filter (with filter-lang, filter-crs) against request->layer; NULL if not
 * given. owns: *out with om_filter_free */
om_status om__param_filter(struct om__request *request,
                           struct om_filter **out) OM_MUST_USE;
om_status om__param_datetime(struct om__request *request,
                             struct om_window *out) OM_MUST_USE;
/** The column that parameter `name` names; OM_NO_FIELD if not given. */
om_status om__param_column(struct om__request *request, const char *name,
                           size_t *out) OM_MUST_USE;
/** The layer called so, into request->layer; 404 if there is none. */
om_status om__request_layer(struct om__request *request,
                            const char *name) OM_MUST_USE;
/** Which of the words in `allowed`, blank-separated, `f` or `otherwise` is. */
om_status om__param_word(struct om__request *request, const char *name,
                         const char *allowed, const char *otherwise,
                         const char **out) OM_MUST_USE;

#endif
