// coverage.c - the table of kinds, and the options that they share.
#include "web/coverage.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/log.h"
#include "data/model/time.h"
#include "web/coverage_internal.h"

static const struct om_coverage_kind KIND[] = {
    {"partition", "by layer sliver limit", "rows", om__coverage_partition},
    {"workload", "by month time at measure mark", "balance sorted",
     om__coverage_workload},
    {"patrol", "by layer where month time at state limit raster bandwidth cell",
     "rows levels", om__coverage_patrol},
    {"service",
     "layer where people weight among mode over factor reach limits minutes by "
     "worst cell limit",
     "rows areas centres access", om__coverage_service},
    {"site",
     "layer where people weight among mode over factor reach within minutes k "
     "spacing by",
     "", om__coverage_site},
};
#define KINDS (sizeof KIND / sizeof *KIND)

const struct om_coverage_kind *om_coverage_kind(size_t i)
{
    return i < KINDS ? &KIND[i] : NULL;
}

const struct om_coverage_kind *om_coverage_find(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (!strcmp(KIND[i].name, name)) return &KIND[i];
    return NULL;
}

/* Is `word` one of the blank-separated words? */
static bool listed(const char *words, const char *word)
{
    const size_t len = strlen(word);
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (n == len && !strncmp(at, word, n)) return true;
        at += n;
    }
    return false;
}

bool om_coverage_knows(const struct om_coverage_kind *kind, const char *name)
{
    return listed(kind->options, name) || listed(kind->flags, name);
}

bool om__coverage_tell(struct om_coverage *q)
{
    if (q->rows_page && q->rows_told >= q->rows_page) return false;
    q->rows_told++;
    return true;
}

/* A flag may stand without a value. */
static bool is_true(const char *text)
{
    return !*text || !strcmp(text, "true") || !strcmp(text, "1");
}

om_status om_coverage_run(const struct om_coverage_kind *kind,
                          struct om_coverage *question)
{
    for (size_t i = 0; i < question->options; i++) {
        const struct om_coverage_option *o = &question->option[i];
        const bool flag = listed(kind->flags, o->name);
        if (!flag && !listed(kind->options, o->name))
            return om__coverage_bad(question, o->name, OM_E_FORMAT,
                                    "%s has no option %s; it has %s%s%s",
                                    kind->name, o->name, kind->options,
                                    *kind->flags ? " " : "", kind->flags);
        if (flag && !is_true(o->value) && strcmp(o->value, "false") != 0 &&
            strcmp(o->value, "0") != 0)
            return om__coverage_bad(question, o->name, OM_E_FORMAT,
                                    "%s is true or false", o->name);
    }
    return kind->run(question);
}

const char *om__coverage_text(const struct om_coverage *q, const char *name)
{
    for (size_t i = 0; i < q->options; i++)
        if (!strcmp(q->option[i].name, name)) return q->option[i].value;
    return NULL;
}

bool om__coverage_flag(const struct om_coverage *q, const char *name)
{
    const char *text = om__coverage_text(q, name);
    return text && is_true(text);
}

void om__coverage_look(struct om_coverage *q, const struct om_layer *layer)
{
    if (layer && q->looked < OM_COVERAGE_LAYERS_MOST)
        q->looked_at[q->looked++] = layer;
}

om_status om__coverage_bad(struct om_coverage *q, const char *option,
                           om_status status, const char *format, ...)
{
    char text[OM_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    q->wrong = option;
    return om_fail(&q->err, status, 0, "%s", text);
}

om_status om__coverage_real(struct om_coverage *q, const char *name, double min,
                            double max, double *out)
{
    const char *text = om__coverage_text(q, name);
    if (!text) return OM_OK;
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value))
        return om__coverage_bad(q, name, OM_E_FORMAT, "'%.40s' is not a number",
                                text);
    if (value < min || value > max)
        return om__coverage_bad(q, name, OM_E_RANGE, "%g is not in [%g, %g]",
                                value, min, max);
    *out = value;
    return OM_OK;
}

om_status om__coverage_whole(struct om_coverage *q, const char *name,
                             uint64_t min, uint64_t max, uint64_t *out)
{
    const char *text = om__coverage_text(q, name);
    if (!text) return OM_OK;
    const size_t len = strlen(text);
    // Nothing that is asked for here has more digits.
    if (!len || len > 12 || strspn(text, "0123456789") != len)
        return om__coverage_bad(q, name, OM_E_FORMAT,
                                "'%.40s' is not a whole number", text);
    const uint64_t value = strtoull(text, NULL, 10);
    if (value < min || value > max)
        return om__coverage_bad(
            q, name, OM_E_RANGE, "%llu is not from %llu to %llu",
            (unsigned long long)value, (unsigned long long)min,
            (unsigned long long)max);
    *out = value;
    return OM_OK;
}

om_status om__coverage_level(struct om_coverage *q, const char **out)
{
    const struct om_manifest *m = q->snapshot->manifest;
    const char *by = om__coverage_text(q, "by");
    char known[OM_ERR_TEXT_BYTES / 2] = "";
    for (size_t i = 0; i < m->levels; i++) {
        if (!om_snapshot_has_level(q->snapshot, m->level[i])) continue;
        if (!by || !strcmp(m->level[i], by)) {
            *out = m->level[i];
            return OM_OK;
        }
        const size_t len = strlen(known);
        snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "",
                 m->level[i]);
    }
    if (!m->levels || !by)
        return om_fail(&q->err, OM_E_NOTFOUND, 0,
                       "the city has no units (import them with --as "
                       "unit:LEVEL)");
    return om__coverage_bad(q, "by", OM_E_FORMAT,
                            "there is no level '%.40s'; there is %s", by,
                            known);
}

bool om__coverage_hides(const struct om_coverage *q,
                        const struct om_layer *layer)
{
    return q->hides && layer && q->hides(q->hides_ctx, layer);
}

om_status om__coverage_allowed(struct om_coverage *q,
                               const struct om_layer *layer)
{
    if (!om__coverage_hides(q, layer)) return OM_OK;
    q->refused = layer;
    return OM_E_NOTFOUND;
}

om_status om__coverage_layer(struct om_coverage *q, const char *option,
                             const char *name, bool points,
                             const struct om_layer **out)
{
    *out = om_snapshot_layer(q->snapshot, name);
    if (!*out && om_snapshot_lacks(q->snapshot, name, &q->err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (!*out)
        return om__coverage_bad(q, option, OM_E_NOTFOUND,
                                "the city has no layer '%.60s'", name);
    OM_TRY(om__coverage_allowed(q, *out));
    if (points && (*out)->schema.geometry != OM_GEOMETRY_POINT)
        return om__coverage_bad(q, option, OM_E_TYPE,
                                "the layer %s is not of points", name);
    return OM_OK;
}

om_status om__coverage_where(struct om_coverage *q,
                             const struct om_layer *layer,
                             struct om_filter **out)
{
    const char *text = om__coverage_text(q, "where");
    *out = NULL;
    if (!text) return OM_OK;
    const om_status st = om_filter_parse(
        text, strlen(text), layer, q->snapshot->manifest->zone_s, out, &q->err);
    if (st && st != OM_E_MEMORY) q->wrong = "where";
    // An unknown column is a mistake in the question.
    return st == OM_E_NOTFOUND ? OM_E_FORMAT : st;
}

om_status om__coverage_moment(struct om_coverage *q, const char *name,
                              int64_t *utc_s)
{
    const char *text = om__coverage_text(q, name);
    if (!text) return OM_OK;
    if (om_time_parse(text, strlen(text), q->snapshot->manifest->zone_s, utc_s))
        return om__coverage_bad(q, name, OM_E_FORMAT,
                                "'%.40s' is not a date or a moment "
                                "(2023-06-27, 2023-06-27T12:00+08:00)",
                                text);
    return OM_OK;
}

void om__coverage_missing(const struct om_duty *duty)
{
    if (duty->missing[0])
        om_log(OM_LOG_WARN, "coverage",
               "city.json: duty names layers that are not in the city: %s",
               duty->missing);
}

om_status om__coverage_table(struct om_coverage *q,
                             const struct om_table_column *column,
                             size_t columns, const char *members,
                             struct om_table **out)
{
    return om_table_begin(q->format, column, columns,
                          q->snapshot->manifest->zone_s, members, q->take,
                          q->take_ctx, out);
}
