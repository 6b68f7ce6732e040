// explain.h - the number at a place and what makes it, for people and programs.
#ifndef OM_WEB_EXPLAIN_H
#define OM_WEB_EXPLAIN_H

#include "data/base/buf.h"
#include "web/heat_view.h"

/** Rows that are named. */
#define OM_EXPLAIN_ROWS 10

/* The pixel that shows a place. */
struct om_explain_pixel {
    unsigned z, col, row;
    uint32_t x, y;  // the tile
    double value;   // as painted; NaN: unknown
    int step;       // of the legend; -1: transparent or unknown
};

/* What is known of a place. NaN: not known. */
struct om_explanation {
    const struct om_heat_view *view;
    double lon_deg, lat_deg;
    struct om_risk_value value;
    double part[OM_MODEL_TERMS_MOST];       // of the numerator, each term
    uint64_t reached[OM_MODEL_TERMS_MOST];  // rows behind it
    struct om_risk_row row[OM_EXPLAIN_ROWS];
    size_t rows;
    double mean;        // of the city: by exposure, else by area
    double relative;    // value / mean
    double percentile;  // of the area that is spoken of, 0 to 100
    bool outside;       // in none of the city's units: no percentile
    bool coarse;        // it weighs what is about single persons: only its step
                        // of the legend is told (om_explain_coarsen)
    struct om_explain_pixel pixel;
};

/**
 * Find out what makes a value. view->spread may be NULL: then there is no
 * percentile, and of densities no mean.
 *
 * units    degrees; zoom of the pixel, 0 to 22
 * returns  OM_E_COORD, and as fields do
 * cost     the rows within reach, and a tile
 */
om_status om_explain(const struct om_heat_world *world,
                     const struct om_heat_view *view, double lon_deg,
                     double lat_deg, unsigned zoom, struct om_arena *arena,
                     struct om_explanation *out) OM_MUST_USE;

/** Leave of an explanation what the picture tells, too: the least value of its
 *  step, and how that stands to the city. */
void om_explain_coarsen(struct om_explanation *e);

/** One sentence, in Chinese or English: true numbers, no adjectives. */
om_status om_explain_sentence(const struct om_explanation *e, bool english,
                              struct om_buf *out);
/** Members of a JSON object, without its braces. */
om_status om_explain_json(const struct om_explanation *e,
                          struct om_buf *out) OM_MUST_USE;
/** For a terminal: the figures, the terms, the rows, both sentences. */
om_status om_explain_text(const struct om_explanation *e, int32_t zone_s,
                          struct om_buf *out) OM_MUST_USE;
/** Grade of a relative risk, NULL where it is not known. */
const struct om_legend_grade *om_explain_grade(double relative);

#endif
