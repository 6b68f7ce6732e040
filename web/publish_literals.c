/* publish_literals.c - what a topic's filter says in its own words.
 *
 * DESIGN
 * A filter is told with its figures, as it was written, so that it is known
 * what they count. Its texts could say anything; so each must be one that rows
 * say in a column of categories (or part of one, for LIKE), or a time.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "data/model/time.h"
#include "web/publish_topics.h"

#define LITERAL_BYTES 200
#define NUMBER_DIGITS 6

/* Does a word of the column hold it? */
static bool in_column(const struct om_column *column, const char *text)
{
    const size_t len = strlen(text);
    for (size_t w = 0; w < column->words; w++) {
        const char *word = column->word_bytes + column->word_offset[w];
        const size_t n = column->word_offset[w + 1] - column->word_offset[w];
        for (size_t at = 0; at + len <= n; at++)
            if (!memcmp(word + at, text, len)) return true;
    }
    return false;
}

static om_status in_rows(const struct om_layer *layer,
                         const struct om_filter *filter, const char *text,
                         bool *out)
{
    const char *const *name;
    const size_t columns = om_filter_columns(filter, &name);
    for (size_t i = 0; i < columns && !*out; i++)
        for (size_t p = 0; p < layer->parts && !*out; p++) {
            const struct om_column *column;
            const struct om_segment *segment = layer->part[p].segment;
            const size_t at = om_schema_find(&layer->schema, name[i]);
            if (at == OM_NO_FIELD ||
                layer->schema.field[at].type != OM_TYPE_CATEGORY ||
                !om_segment_rows(segment))
                continue;
            OM_TRY(om_segment_column(segment, at, 0, 1, &column));
            *out = column->coding == OM_CODING_DICTIONARY &&
                   in_column(column, text);
        }
    return OM_OK;
}

/* From its opening quote on, without quotes and what LIKE puts around it.
 * returns the bytes that it takes, 0: it does not end, or is too long */
static size_t read_literal(const char *at, char out[LITERAL_BYTES])
{
    size_t len = 0, i = 1;
    for (;; i++) {
        if (!at[i] || len + 1 == LITERAL_BYTES) return 0;
        if (at[i] == '\'' && at[++i] != '\'') break;
        if (at[i] != '%' || (len && at[i + 1] != '\'')) out[len++] = at[i];
    }
    out[len] = '\0';
    return i;
}

om_status om__topic_literals(const struct om_snapshot *snapshot,
                             const struct om_layer *layer,
                             const struct om__topic *topic, struct om_err *err)
{
    size_t digits = 0;
    for (const char *at = topic->filter_text; *at;) {
        char text[LITERAL_BYTES];
        int64_t time_s;
        bool known = false;
        digits = isdigit((unsigned char)*at) ? digits + 1 : 0;
        if (digits > NUMBER_DIGITS)
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: the filter of topic %s has a number "
                           "of more than %d digits, and filters are told",
                           topic->name, NUMBER_DIGITS);
        const size_t n = *at == '\'' ? read_literal(at, text) : 1;
        if (*at == '\'' && n) {
            known = !om_time_parse(text, strlen(text),
                                   snapshot->manifest->zone_s, &time_s);
            if (!known) OM_TRY(in_rows(layer, topic->filter, text, &known));
        }
        if (*at == '\'' && !known)
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: the filter of topic %s says '%.40s', "
                           "which no row says: filters are told, so that they "
                           "speak of what there is only",
                           topic->name, n ? text : "...");
        at += n;
    }
    return OM_OK;
}
