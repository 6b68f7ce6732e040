// coverage.h - the questions of coverage, asked alike by command line and URL:
// a kind, options as texts, a table out.
#ifndef OM_WEB_COVERAGE_H
#define OM_WEB_COVERAGE_H

#include "engine/filter/filter.h"
#include "web/table.h"

/** Layers that a kind may tell it looked at. */
#define OM_COVERAGE_LAYERS_MOST 16

/* An option as it was written: {"by", "village"}. A flag's value is
 * "true", "1" or empty; "false" and "0" are as if it were not given. */
struct om_coverage_option {
    const char *name, *value;
};

struct om_coverage;
struct om__service;
struct om_roads;
struct om_snap;

/* Lends what takes long to make and outlives a question: the network of a
 * service's roads (NULL: there is none to be used), and where its people step
 * onto it, in their order. Borrowed until the question is answered. */
struct om_coverage_lender {
    void *ctx;
    om_status (*net)(void *ctx, struct om_coverage *question,
                     const struct om__service *service, struct om_roads **out);
    om_status (*snaps)(void *ctx, struct om_coverage *question,
                       const struct om__service *service,
                       const struct om_snap **out);
};

/* A question. Zero-initialise and fill the first half. */
struct om_coverage {
    const struct om_snapshot *snapshot;
    struct om_selections *selections;  // may be NULL
    const struct om_coverage_option *option;
    size_t options;
    enum om_table_format format;
    om_features_take_fn *take;
    void *take_ctx;
    bool may_write;    // files that options name (the command line)
    int64_t now_s;     // what is now, UTC; 0: om_snapshot_now
    size_t rows_most;  // of a list; above it OM_E_COST. 0: any number
    size_t rows_page;  // of a list that is told; the rest is left out. 0: all
    // Layers whose rows are not for who asks. NULL: there are none.
    bool (*hides)(void *ctx, const struct om_layer *layer);
    void *hides_ctx;
    const struct om_coverage_lender *lender;  // NULL: all is made anew
    // The layers that the answer is of, besides the units (none where a kind
    // does not tell), and whether it is the same at any moment.
    size_t looked;
    bool timeless;
    const struct om_layer *looked_at[OM_COVERAGE_LAYERS_MOST];
    // The answer: what is wrong and which option says so (NULL: none), or
    // whether the work found faults (an exit status of its own).
    struct om_err err;
    const char *wrong;
    const struct om_layer *refused;  // hidden, and its rows were asked for
    uint64_t rows_told;              // one by one, of whatever layer
    bool faults;
};

/* One kind of question. Options and flags are names, blank-separated; all may
 * be given at most once. */
struct om_coverage_kind {
    const char *name, *options, *flags;
    // Answers with om_table_begin .. om_table_end on question->take.
    om_status (*run)(struct om_coverage *question);
};
/** Has the kind an option or a flag of that name? */
bool om_coverage_knows(const struct om_coverage_kind *kind, const char *name);
/** Number i of the kinds, NULL past the end. */
const struct om_coverage_kind *om_coverage_kind(size_t i);
/** The kind of that name, or NULL. */
const struct om_coverage_kind *om_coverage_find(const char *name);

/**
 * Answer a question of a kind: checks that it knows the options, runs it.
 *
 * returns  OM_E_FORMAT, OM_E_RANGE, OM_E_NOTFOUND ... with question->wrong: an
 *          option is not what it should be; without it: the city lacks
 *          something (err says what), or the work failed; OM_E_NOTFOUND with
 *          question->refused: the rows of that layer are not for who asks
 * cost     heavy: up to seconds on a full city
 */
om_status om_coverage_run(const struct om_coverage_kind *kind,
                          struct om_coverage *question) OM_MUST_USE;

#endif
