// question.h - what verbs that ask a city have in common: city, layer, filter,
// time; opened together, let go together.
#ifndef OM_WEB_CLI_QUESTION_H
#define OM_WEB_CLI_QUESTION_H

#include "engine/filter/filter.h"
#include "web/cli/verb.h"

struct om__question {
    // As typed; fill before opening.
    const char *verb, *city_path;
    const char *where, *time;  // may be NULL
    // Opened.
    struct om_city *city;
    struct om_snapshot *snapshot;
    const struct om_layer *layer;  // NULL until om__question_layer
    struct om_filter *filter;
    struct om_window window;
    struct om_err err;
};

/** Open the city. Returns an exit status; what is wrong has been said. */
int om__question_open(struct om__question *q);
/** Find the layer and read `where` and `time` against it. points: it must be
 *  of points. Returns an exit status; what is wrong has been said. */
int om__question_layer(struct om__question *q, const char *layer, bool points);
/** A number column of the layer by the option that names it. */
int om__question_number(const struct om__question *q, const char *option,
                        const char *name, size_t *column);
/** A positive number, in [min, max]; `what` says which, for the message. */
int om__question_real(const struct om__question *q, const char *option,
                      const char *text, double min, double max,
                      const char *what, double *out);
/** Say why the work failed: q->err, or the status' own text. */
int om__question_fail(struct om__question *q, om_status status);
void om__question_close(struct om__question *q);

#endif
