// hotspots.h - hotspot questions, asked alike by command line and URL: options
// as texts, a table out.
#ifndef OM_WEB_HOTSPOTS_H
#define OM_WEB_HOTSPOTS_H

#include "engine/filter/filter.h"
#include "web/table.h"

/* An option as it was written: {"units", "grid"}. */
struct om_hotspots_option {
    const char *name, *value;
};
/** Names of all options, blank-separated; each may be given once. */
extern const char om_hotspots_options[];

/* A question. Zero-initialise and fill the first half. */
struct om_hotspots_question {
    const struct om_snapshot *snapshot;
    struct om_selections *selections;  // may be NULL
    const char *layer;
    const struct om_hotspots_option *option;
    size_t options;
    enum om_table_format format;
    om_features_take_fn *take;
    void *take_ctx;
    size_t rows_most;  // of one answer; 0: any number
    size_t rows_page;  // clusters that are told, the rest is left out; 0: all
    // Layers whose rows are not for who asks. NULL: there are none.
    bool (*hides)(void *ctx, const struct om_layer *layer);
    void *hides_ctx;
    // The answer: what it was compared with, besides the layer and the units;
    // NULL: nothing
    const struct om_layer *exposed;
    size_t rows_told;  // clusters: each is where rows are
    // What is wrong, and which option says so (NULL: none of them).
    struct om_err err;
    const char *wrong;
    const struct om_layer *refused;  // hidden, and compared with
};

/**
 * Answer a question: rows by significance, and members that say what they rest
 * on.
 *
 * returns  OM_E_NOTFOUND without question->wrong: no such layer; else an
 *          option is not what it should be, would cost too much (OM_E_COST),
 *          or the work failed. With question->refused: cases are compared
 *          with rows that are not for who asks
 * cost     a pass over the layer (and its exposure); a full city by grids some
 *          50 ms
 * test     tests/web/hotspots.test.mjs
 */
om_status om_hotspots_answer(struct om_hotspots_question *question) OM_MUST_USE;

#endif
