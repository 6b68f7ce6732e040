/* publish_told.c - figures that an earlier release has told.
 *
 * DESIGN
 * Rows are mended and withdrawn after their period has been told of. Counted
 * anew, a figure would differ by just those, and whoever kept the older release
 * would see that a report was withdrawn, and where. So a figure that is out is
 * told again from the release that told it, not from the city.
 */
#include <stdio.h>
#include <string.h>

#include "web/publish_topics.h"

static om_status read_figure(const struct om_layer *layer, const char *id,
                             uint64_t *out)
{
    const size_t value = om_schema_find(&layer->schema, "value");
    struct om_text_reader reader = {0};
    om_status st = OM_E_NOTFOUND;
    if (value == OM_NO_FIELD) return OM_E_DAMAGED;
    for (size_t p = 0; p < layer->parts && st == OM_E_NOTFOUND; p++) {
        const struct om_segment *segment = layer->part[p].segment;
        const struct om_column *column;
        size_t row;
        st = om_segment_find(segment, id, strlen(id), &reader, &row);
        if (!st) st = om_segment_column(segment, value, row, row + 1, &column);
        if (!st) *out = (uint64_t)om_column_integer(column, row);
    }
    om_text_reader_deinit(&reader);
    return st;
}

om_status om__told_figure(const struct om_snapshot *release,
                          const char *statistic, const char *topic,
                          const char *period, const char *region, uint64_t *out,
                          struct om_err *err)
{
    const struct om_layer *layer = om_snapshot_layer(release, statistic);
    char id[OM_LIMIT_NAME_BYTES * 5];
    snprintf(id, sizeof id, "%s/%s/%s", topic, period, region);
    const om_status st = layer ? read_figure(layer, id, out) : OM_E_NOTFOUND;
    return st ? om_fail(err, st == OM_E_NOTFOUND ? OM_E_DAMAGED : st, 0,
                        "the release that is replaced says that it tells %s, "
                        "and has no such figure: restore it (onemap verify)",
                        id)
              : OM_OK;
}

om_status om__told_words(const struct om__topics *topics, bool fresh,
                         struct om_buf *words)
{
    size_t kept = 0;
    if (!topics->families) return OM_OK;
    if (topics->withdrawn)
        om_buf_addf(words,
                    "taken back for good: figures of %zu topics and periods "
                    "that were told before (%s, %s%s)\n",
                    topics->withdrawn, topics->withdrawn_topic,
                    topics->withdrawn_period,
                    topics->withdrawn > 1 ? ", ..." : "");
    for (size_t f = 0; f < topics->families; f++) {
        const struct om__family *family = &topics->family[f];
        for (size_t t = 0; t < family->topics; t++)
            for (size_t p = 0; p < family->periods; p++)
                if (family->topic[t].period[p] &&
                    family->topic[t].told_topic[p])
                    kept += family->regions;
    }
    if (fresh)
        return om_buf_add_text(
            words,
            "this is a release of its own: the next one goes in its place "
            "(--replace), where what was told stays as it was told; one in "
            "another folder must never be public together with it, or after "
            "it, because their figures could be subtracted\n");
    return om_buf_addf(
        words,
        "%zu figures were told before and stay as they were told, whatever the "
        "city says of them now, and regions stay as they are; to begin anew, "
        "publish to a new folder: that is another release, and whoever has "
        "both can subtract them, so never let both be public\n",
        kept);
}
