// shapes.h - FlatGeobuf files through GDAL, for polygons and lines.
#ifndef OM_DATA_SYNTH_SHAPES_H
#define OM_DATA_SYNTH_SHAPES_H

#include "data/base/buf.h"
#include "data/synth/city_internal.h"

enum om__shapes_kind { OM__SHAPES_LINE, OM__SHAPES_POLYGON, OM__SHAPES_MULTI };

/* A file in the making. Zero is a valid closed one. */
struct om__shapes {
    void *dataset, *layer, *feature;  // GDAL's
    struct om_buf wkb;
    size_t parts_at, rings_at, points_at;  // where counts are filled in
    uint32_t parts, rings, points;
    enum om__shapes_kind kind;
    const char *name;
    uint64_t rows, total;
    double begun_s;
};

/**
 * Begin OUT/NAME.fgb. columns: "id,name,#floors": # marks an integer.
 * owns     *shapes: om__shapes_close
 */
om_status om__shapes_open(struct om__shapes *shapes,
                          const struct om__city *city, const char *name,
                          enum om__shapes_kind kind, const char *columns,
                          uint64_t total, struct om_err *err) OM_MUST_USE;
void om__shapes_text(struct om__shapes *shapes, int column, const char *text);
void om__shapes_integer(struct om__shapes *shapes, int column, int64_t value);
/* A geometry: begin; per part part(); per ring ring() and its points (not
 * closed); then add the row with the columns set so far. A line is a ring
 * that stays open. */
void om__shapes_begin(struct om__shapes *shapes);
void om__shapes_part(struct om__shapes *shapes);
void om__shapes_ring(struct om__shapes *shapes);
void om__shapes_point(struct om__shapes *shapes, struct om__corner corner);
om_status om__shapes_add(struct om__shapes *shapes,
                         struct om_err *err) OM_MUST_USE;
/** Finish the file and report; status is passed through if it is one. */
om_status om__shapes_close(struct om__shapes *shapes, om_status status,
                           struct om_err *err) OM_MUST_USE;

#endif
