// publish_topics.h - statistics that a plan lists one by one.
#ifndef OM_WEB_PUBLISH_TOPICS_H
#define OM_WEB_PUBLISH_TOPICS_H

#include "web/publish_internal.h"

/** Topics of one family, those of an earlier release included. */
#define OM__TOPICS_MOST 12
#define OM__PERIODS_MOST 60

/* A stretch of whole days of the city's clock, half open. */
struct om__period {
    char text[OM_LIMIT_NAME_BYTES];  // as it was written: an id, too
    int64_t from_s, to_s;
    bool before;  // an earlier release has told of it: nothing new is told
};

struct om__topic {
    const char *name, *title, *title_en, *filter_text, *approved_by,
        *approved_on;
    struct om_filter *filter;       // NULL: all rows
    bool period[OM__PERIODS_MOST];  // of the family: for which it is listed
    bool earlier;                   // it is out already; only guarded
    // By period: topic and period as the release that is replaced calls what
    // it told of the same rows, which is told again as it was; NULL: it did not
    const char *told_topic[OM__PERIODS_MOST], *told_period[OM__PERIODS_MOST];
    const char *late[OM__PERIODS_MOST];  // why a listed period is held back
    const char *held_back;  // why it does not go out; NULL: it does
};

/* All topics of one layer: they share units, regions and periods, because
 * figures of the same rows in two cuts would be subtracted. */
struct om__family {
    const struct om_layer *layer;
    char unit[OM_LIMIT_NAME_BYTES];
    size_t topics, periods;
    struct om__topic topic[OM__TOPICS_MOST];
    struct om__period period[OM__PERIODS_MOST];
    // What came of it (publish_regions.c)
    size_t cells, regions;
    uint32_t *region;  // [cells]
    uint64_t *value;   // [topics][periods][regions], rounded
};

struct om__limits {
    uint64_t addresses, incidents, round;
};

struct om__topics {
    struct om__limits limits;  // of what is told now
    struct om__limits said;    // that all keep that is told, of before, too
    const struct om_layer *addresses;
    size_t families;
    struct om__family *family;
    // Told by the release that is replaced and by the plan no more: of how many
    // topics and periods, and the first
    size_t withdrawn;
    const char *withdrawn_topic, *withdrawn_period;
};

/** Members of `statistics`, `addresses` and `limits`, without a city. */
om_status om__topics_members(const struct om_json *document,
                             struct om_err *err) OM_MUST_USE;
/**
 * Read them against the city. earlier (may be NULL) is the `release` member of
 * the release that is replaced: what it has told is kept in mind.
 * owns     om__topics_deinit, also after an error
 */
om_status om__topics_read(const struct om__publish_plan *plan,
                          const struct om_json *earlier, struct om__topics *out,
                          struct om_err *err) OM_MUST_USE;
/** Are the texts of a topic's filter, which is told, those of rows? returns
 *  OM_E_FORMAT naming the first that is none */
om_status om__topic_literals(const struct om_snapshot *snapshot,
                             const struct om_layer *layer,
                             const struct om__topic *topic,
                             struct om_err *err) OM_MUST_USE;
void om__topics_deinit(struct om__topics *topics);
/** "2023-06", "2023-W25", or "2023-06-01/2023-06-14": whole days, at least
 *  seven. returns OM_E_FORMAT, OM_E_RANGE (shorter) */
om_status om__period_read(const char *text, int32_t zone_s,
                          struct om__period *out) OM_MUST_USE;

/**
 * Regions and rounded values of a family. Topics that would need more than
 * there is are held back.
 * before   the release that is replaced: its regions and figures stay, and what
 *          they are too small for is held back. NULL: none
 */
om_status om__regions_make(const struct om_snapshot *snapshot,
                           const struct om__topics *topics,
                           const struct om_snapshot *before,
                           struct om__family *family,
                           struct om_err *err) OM_MUST_USE;

/** A figure of a release.
 *  returns  OM_E_DAMAGED  it has none of that topic, period and region */
om_status om__told_figure(const struct om_snapshot *release,
                          const char *statistic, const char *topic,
                          const char *period, const char *region, uint64_t *out,
                          struct om_err *err) OM_MUST_USE;
/** What whoever publishes must know of figures that are out already. fresh: no
 *  release was replaced. */
om_status om__told_words(const struct om__topics *topics, bool fresh,
                         struct om_buf *words) OM_MUST_USE;

/** Names of the layers that a family becomes: LAYER_region, LAYER_statistic. */
om_status om__family_names(const struct om__family *family,
                           char region[OM_LIMIT_NAME_BYTES],
                           char statistic[OM_LIMIT_NAME_BYTES],
                           struct om_err *err) OM_MUST_USE;
/** Write regions and values as layers, and what is said of them. */
om_status om__statistics_write(struct om__release *release,
                               const struct om__topics *topics,
                               struct om_err *err) OM_MUST_USE;

#endif
