// classes.h - what rows or units are told apart by, and the colours of that.
#ifndef OM_TILES_PICTURE_CLASSES_H
#define OM_TILES_PICTURE_CLASSES_H

#include "engine/query/query.h"
#include "tiles/heat.h"
#include "tiles/picture/canvas.h"

/** Classes of one picture: what a legend can show and an eye tell apart. */
#define OM_CLASSES_MOST 12
/** Of numbers: steps of one ramp. */
#define OM_CLASSES_STEPS 7
/** Not a class: nothing is drawn. */
#define OM_NO_CLASS 255

struct om_class {
    char text[OM_LIMIT_NAME_BYTES * 2];  // the value, or the range of values
    char text_en[OM_LIMIT_NAME_BYTES];   // in English, if that differs
    char title[OM_LIMIT_NAME_BYTES];     // what people call it; may be empty
    bool other;                          // all values that are not named
    struct om_colour colour[2];          // by enum om_palette
    enum om_mark mark;                   // of points
};

/* Classes of the rows of a layer by one column. */
struct om_classes {
    size_t column;  // OM_NO_FIELD: all rows are of class 0
    size_t count;
    struct om_class class[OM_CLASSES_MOST];  // the last is drawn on top
    // Numbers: class i holds those from from[i] on. `steps` of them, else 0.
    size_t steps;
    double from[OM_CLASSES_STEPS];
    double shape_cells;  // along a shape of mean size; 0 of points
    struct om_box box;   // of all the layer's rows
    struct om_arena arena;
};

/** Colours that differ for every kind of eye, by number; dark and light. */
struct om_colour om_class_colour(size_t i, enum om_palette palette);
/* Ramps of quantities: that of fields, and one to lie below a field. */
enum om_ramp { OM_RAMP_WARM, OM_RAMP_COOL };
/** Step i of n of a ramp. */
struct om_colour om_class_step(size_t i, size_t n, enum om_ramp ramp,
                               enum om_palette palette);
/** "#RRGGBB" as a colour. */
bool om_colour_parse(const char *text, struct om_colour *out);

/**
 * Classes of a layer by a column. What the city says about it is taken, the
 * layer's members in city.json:
 *   "picture_by": the column that is taken where none is named
 *   "picture_colours": {"VALUE": "#RRGGBB", ...} for that column, in the order
 *                      of drawing, the last on top; the four colours of risk
 *                      have shapes: red a triangle, orange a diamond, yellow a
 *                      disc, blue a square
 *   "picture_titles", "picture_titles_en": {"VALUE": "what people call it"}
 * and of any column, before these, as in lists of rows (web/pages/names.js):
 *   "value_titles", "value_titles_en": {"COLUMN": {"VALUE": "..."}}
 * Else categories get colours in the order of their names (bytes, as UTF-8),
 * so that another row changes no colour as long as its value is not new. Of
 * more than eight the largest (by how often their rows double; of those alike
 * the first by name) have colours of their own, the others share one. Numbers
 * of more than eight values get steps with about as many rows in each.
 * They are those of all the layer's rows, whatever a filter leaves, and
 * follow from the rows alone, not from how or when they were written.
 *
 * column   OM_NO_FIELD: what the city says; a layer without is of one class
 * returns  OM_E_TYPE (a text without categories, a time), OM_E_FORMAT
 *          (city.json; err says where), OM_E_MEMORY, OM_E_DAMAGED
 * owns     *out: om_classes_deinit
 * cost     one grouped count: 12 M rows in some 20 ms
 */
om_status om_classes_of(const struct om_snapshot *snapshot,
                        const struct om_layer *layer, size_t column,
                        struct om_classes *out, struct om_err *err) OM_MUST_USE;
void om_classes_deinit(struct om_classes *classes);

/* Classes as the rows of one part are looked at. */
struct om_class_rows {
    const struct om_classes *classes;
    const struct om_column *column;  // NULL: all are of class 0
    const uint8_t *of_code;          // what is stored as a narrow number
};
/** Prepare a part, all its rows checked. owns: memory of the arena. */
om_status om_class_rows_init(const struct om_classes *classes,
                             const struct om_part *part, struct om_arena *arena,
                             struct om_class_rows *out) OM_MUST_USE;
/** Class of a row; OM_NO_CLASS where it has no value. */
uint8_t om_class_of_row(const struct om_class_rows *rows, size_t row);

/** Rising breaks that part the values into n classes of about equal numbers,
 *  rounded to as few digits as keep them apart, none of them empty; sorts
 *  `value`. returns how many breaks, at most n (OM_CLASSES_STEPS): as many as
 *  there are different values, if these are fewer. whole: the values are
 *  counts. test tests/tiles/test_picture.c */
size_t om_class_breaks(double *value, size_t count, size_t n, bool whole,
                       double *from);
/** "1–12", "≥900", "53.8–54.2": what class i of n breaks holds. */
void om_class_range(const double *from, size_t i, size_t n, bool whole,
                    char *out, size_t room);

#endif
