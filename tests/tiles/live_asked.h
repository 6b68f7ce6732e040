// live_asked.h - one of two cities that are asked the same.
#ifndef OM_TESTS_TILES_LIVE_ASKED_H
#define OM_TESTS_TILES_LIVE_ASKED_H

#include "tests/tiles/live_model.h"

/* What is kept between questions: caches outlive the cities, as in a server. */
struct answers_caches {
    struct om_selections *selections;
    struct om_fields *fields;
    struct om_vectors *vectors;
};

static inline void answers_begin(struct answers_caches *c)
{
    assert_int_equal(om_selections_new((size_t)8 << 20, &c->selections), OM_OK);
    assert_int_equal(om_fields_new((size_t)32 << 20, &c->fields), OM_OK);
    assert_int_equal(om_vectors_new((size_t)64 << 20, &c->vectors), OM_OK);
}
static inline void answers_end(struct answers_caches *c)
{
    om_selections_free(c->selections);
    om_fields_free(c->fields);
    om_vectors_free(c->vectors);
}

/* One of the two, and a question to it. */
struct asked_city {
    const struct om_snapshot *snapshot;
    struct answers_caches *caches;
};

static inline const struct om_layer *answers_layer(const struct asked_city *c,
                                                   int l)
{
    const struct om_layer *layer =
        om_snapshot_layer(c->snapshot, MODEL_NAME[l]);
    assert_non_null(layer);
    return layer;
}

static inline struct om_query answers_query(const struct asked_city *c, int l,
                                            const struct om_filter *filter)
{
    return (struct om_query){.snapshot = c->snapshot,
                             .layer = answers_layer(c, l),
                             .cache = c->caches->selections,
                             .filter = filter};
}

static inline struct om_filter *answers_filter(const struct asked_city *c,
                                               int l, const char *text)
{
    struct om_filter *filter = NULL;
    struct om_err err = {0};
    if (!text) return NULL;
    if (om_filter_parse(text, strlen(text), answers_layer(c, l), 8 * 3600,
                        &filter, &err))
        fail_msg("%s: %s", text, err.text);
    return filter;
}

#endif
