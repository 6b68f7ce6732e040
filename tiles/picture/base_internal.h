// base_internal.h - what the files of the base map share.
#ifndef OM_TILES_PICTURE_BASE_INTERNAL_H
#define OM_TILES_PICTURE_BASE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/query/shapes.h"
#include "engine/search/roman.h"
#include "tiles/picture/base.h"

enum om__base_kind { OM__BASE_WATER, OM__BASE_ROAD, OM__BASE_BUILDING };

/* The rows of one class of roads in one part, and a tree over them. */
struct om__base_rows {
    size_t count;
    uint32_t *row;
    struct om_tree *tree;
};

/* A layer that the base map is drawn from. */
struct om__base_source {
    enum om__base_kind kind;
    const struct om_layer *layer;
    size_t label;                // column of names, OM_NO_FIELD
    size_t english;              // the same in English, OM_NO_FIELD
    size_t by;                   // column of classes, OM_NO_FIELD
    size_t classes;              // 1 without
    struct om__base_rows *rows;  // [parts * classes]; of roads
};

/** Sources and levels that fit. */
#define OM__BASE_SOURCES 12
#define OM__BASE_LEVELS 2
#define OM__BASE_KNOWN_LEVELS 8
/** Squares of labels kept: up to 200 KB each where roads are dense. */
#define OM__BASE_SQUARES 256

struct om_base_square {
    atomic_size_t refs;
    uint64_t world;
    unsigned ratio;
    int64_t column, row;
    uint64_t used;
    struct om_labels labels;
    struct om_arena arena;
};

struct om_base {
    atomic_size_t refs;
    struct om_snapshot *snapshot;
    struct om_font *font;
    enum om_language language;
    bool spells;           // names without English are spelled by `term`
    struct om_term *term;  // [terms], owned; texts are the manifest's
    size_t terms;
    size_t sources;
    struct om__base_source source[OM__BASE_SOURCES];
    size_t levels;                                  // coarsest first
    const struct om_level *level[OM__BASE_LEVELS];  // among those known
    pthread_mutex_t lock;                           // of what follows
    size_t known;
    struct om_level *known_level[OM__BASE_KNOWN_LEVELS];
    uint64_t uses;
    size_t squares;
    struct om_base_square *square[OM__BASE_SQUARES];
};

/* How the base map looks. */
enum om__base_ink {
    OM__INK_TOWN,
    OM__INK_PLACE,
    OM__INK_WATER,
    OM__INK_ROAD,
    OM__INK_LANE,  // of the last class that there can be
    OM__INKS
};
struct om__base_style {
    struct om_colour ground, land, water, shore, building, building_edge;
    struct om_colour road[OM_BASE_CLASSES], casing[OM_BASE_CLASSES];
    struct om_colour border[OM__BASE_LEVELS];
    struct om_label_ink ink[OM__INKS];
};
extern const struct om__base_style om__base_styles[2];  // by enum om_palette

/* Widths follow the zoom by a table of stops. */
struct om__stop {
    double zoom, value;
};
/** Between stops in a straight line; 0 below the first. `n` stops. */
double om__stops_at(const struct om__stop *stop, size_t n, double zoom);
/** Width of a class of roads in 1/256 pixel of design; 0: not shown. */
int om__base_road_width(size_t rank, double zoom);
/** Size of letters in pixels of design; 0: not shown. */
unsigned om__base_text_px(enum om__base_ink ink, size_t rank, double zoom);
/** From which zoom on buildings are drawn. */
#define OM__BASE_BUILDING_ZOOM 13.5

/** Visit the roads of a class that meet the box. */
om_status om__base_roads_each(const struct om__base_source *source,
                              size_t class, struct om_box box,
                              om_status (*each)(void *ctx,
                                                const struct om_shape_hit *hit),
                              void *ctx) OM_MUST_USE;
/** The column of a layer that has in English what a column has; OM_NO_FIELD:
 *  none, or names are not wanted in English. */
size_t om__base_english(const struct om_base *base,
                        const struct om_schema *schema, size_t column);
/** What city.json says of names in English. */
om_status om__base_terms(struct om_base *base, struct om_err *err) OM_MUST_USE;
/** Wish for the labels of a square. */
om_status om__base_plan(const struct om_base *base, struct om_label_plan *plan,
                        struct om_arena *arena) OM_MUST_USE;

#endif
