// vector.h - what a vector tile is asked for, on the command line and by HTTP.
#ifndef OM_WEB_VECTOR_H
#define OM_WEB_VECTOR_H

#include "tiles/vector/vector.h"

/* Zero means: all rows, all columns, cells counted by nothing; use
 * om_vector_ask_begin. */
struct om_vector_ask {
    struct om_filter *filter;
    struct om_window window;
    bool some;  // only the columns in `column`
    bool column[OM_LIMIT_COLUMNS];
    bool nameless;  // rows have no ids
    size_t by;
};
/** The question as it is when nothing was said. */
void om_vector_ask_begin(struct om_vector_ask *ask,
                         const struct om_layer *layer);
/** Take the columns named in "a,b" (nothing: only the id). returns OM_E_FORMAT
 *  (no such column; err names it) */
om_status om_vector_ask_properties(struct om_vector_ask *ask,
                                   const struct om_layer *layer,
                                   const char *text,
                                   struct om_err *err) OM_MUST_USE;
/** Count cells by the column, "" by none. returns OM_E_FORMAT (no such
 *  column), OM_E_TYPE, OM_E_COST; err says which column and why */
om_status om_vector_ask_by(struct om_vector_ask *ask,
                           const struct om_layer *layer, const char *text,
                           struct om_err *err) OM_MUST_USE;
/** What to give to om_vector_tile; borrows ask, layer and selection. */
struct om_vector_spec om_vector_ask_spec(const struct om_vector_ask *ask,
                                         const struct om_snapshot *snapshot,
                                         const struct om_layer *layer,
                                         const struct om_selection *selection,
                                         const char *name);
/** Append the `vector_layers` of TileJSON for tiles of a spec, without their
 *  brackets: the rows with their columns, cells and meta. */
void om_vector_layers_write(const struct om_vector_spec *spec,
                            const char *title, unsigned zoom_max,
                            struct om_buf *out);

#endif
