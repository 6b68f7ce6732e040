// item_ask.h - what is asked of the rows of a layer, read from an address.
#ifndef OM_WEB_SERVER_ITEM_ASK_H
#define OM_WEB_SERVER_ITEM_ASK_H

#include "engine/query/sorted.h"
#include "web/features.h"
#include "web/server/server_internal.h"

/** Rows of a page that names no limit, and at most; of a sorted one. */
#define OM__LIMIT_DEFAULT 1000
#define OM__LIMIT_MAX 100000
#define OM__LIMIT_SORTED 10000
/** Seconds that putting rows in order may take. */
#define OM__SORT_S 2.0

struct om__item_ask {
    struct om_query query;  // its limit 0: all
    struct om_filter *filter;
    struct om_behind behind;  // where to go on
    struct om_project *project;
    size_t column[OM_LIMIT_COLUMNS];
    size_t columns;
    bool chosen;  // some columns only
    struct om_sort_key key[OM_SORT_KEYS];
    size_t keys;
    bool limited;  // a limit is given
};

/** Read all parameters of items. owns: om__item_ask_deinit, always. */
om_status om__item_ask_read(struct om__request *request,
                            struct om__item_ask *ask) OM_MUST_USE;
void om__item_ask_deinit(struct om__item_ask *ask);
// next.c
/** Append what the link to the next page says: go on behind this row. */
om_status om__next_write(struct om__request *request,
                         const struct om__item_ask *ask,
                         const struct om_hit *last,
                         struct om_buf *out) OM_MUST_USE;
/** Read `next` into ask->query.behind; 410 where the layer has been replaced.
 *  The order must have been read. */
om_status om__next_read(struct om__request *request,
                        struct om__item_ask *ask) OM_MUST_USE;

/** How rows are to be written; borrows from `ask`. */
struct om_features_options om__item_ask_options(
    const struct om__request *request, const struct om__item_ask *ask);
/** Append all that an answer depends on, in one writing. */
om_status om__item_ask_key(const struct om__request *request,
                           const struct om__item_ask *ask,
                           struct om_buf *key) OM_MUST_USE;
/** 422 where putting `rows` in order would cost too much. */
om_status om__item_ask_afford(struct om__request *request,
                              const struct om__item_ask *ask,
                              uint64_t rows) OM_MUST_USE;

#endif
