// simulate_living.h - which layers of a register live, and how.
#ifndef OM_WEB_CLI_SIMULATE_LIVING_H
#define OM_WEB_CLI_SIMULATE_LIVING_H

#include "engine/query/query.h"
#include "web/cli/simulate_pace.h"
#include "web/features_internal.h"

/* Where the week begins that is played, unless said otherwise: before the
 * clock by so much. */
#define OM__LIVING_BEFORE_S (4 * 7 * 86400)
/* Rows that are brought again on a day. */
#define OM__LIVING_AGAIN_A_DAY 60
#define OM__LIVING_WORD_BYTES 64

/* What is learned from. */
struct om__past {
    const struct om_snapshot *snapshot;
    int64_t from_s, length_s;  // the week that is played
    int64_t clock_s;           // of the register
};

/* A row of the register. */
struct om__template {
    uint32_t part, row;
    int64_t at_s;
    uint64_t key;  // of its id
};

struct om__templates {
    struct om__template *at;
    size_t count, room;
};

/* A layer that lives, or is brought again. */
struct om__living {
    const struct om_layer *layer;
    struct om__rows rows;
    bool rows_made;
    size_t time;                         // column
    size_t steps, step[OM__PACE_STEPS];  // columns
    size_t status;                       // column; OM_NO_FIELD: none
    char begins[OM__LIVING_WORD_BYTES];  // its value before the first step
    struct om__templates born;           // rows of the week
    struct om__templates open;  // rows of the register that are not done
    bool again;                 // does not live: `open` are brought daily
    struct om__pace pace;
    double late_s;  // mean wait of those who are late
};

struct om_hit om__template_hit(const struct om__template *t);

/** Whether the layer's rows are brought at all: live, daily or weekly. */
bool om__living_is_brought(const struct om_layer *layer);
/**
 * Learn of a layer that is brought.
 *
 * returns  OM_E_MEMORY, or what reading the rows returns
 * owns     *out, in any case: om__living_deinit; borrows past and layer
 * cost     a look at the week's rows, and at all rows of a layer with steps
 */
om_status om__living_init(const struct om__past *past,
                          const struct om_layer *layer,
                          struct om__living *out) OM_MUST_USE;
void om__living_deinit(struct om__living *l);
/** How many of its steps, in their order, a row had made at the clock. */
om_status om__living_made(struct om__living *l, const struct om_hit *hit,
                          int64_t clock_s, size_t *made) OM_MUST_USE;
bool om__living_has_step(const struct om__living *l, size_t column);

#endif
