/* publish_topics.c - what a plan lists as statistics, and what is refused.
 *
 * DESIGN
 * A topic is a count of rows, told by period and region. What a filter may
 * speak of is bounded, since a filter can single out what a region is too large
 * for: not the place (a region would then be told of one house in it), not the
 * time (periods are whole, at least a week, over, and do not overlap), not ids
 * and free texts, not who reported, and not what can never be public.
 */
#include "web/publish_topics.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "web/publish_said.h"

#define DAY_S 86400
#define PERIOD_LEAST_DAYS 7
#define ADDRESSES_LEAST 10
#define INCIDENTS_LEAST 5
#define ROUND_LEAST 5
#define LIMIT_MOST 100000
#define TEXT_BYTES 120
#define FILTER_BYTES 1000

/* ---- members ---- */

static om_status statistic_members(const struct om_json *one, size_t i,
                                   struct om_err *err)
{
    static const char *const text[] = {"topic", "layer", "unit", "approved_by",
                                       "approved_on"};
    static const char *const known[] = {
        "topic", "title",   "title_en",    "layer",       "filter",
        "unit",  "periods", "approved_by", "approved_on", NULL};
    char path[40];
    snprintf(path, sizeof path, "statistics[%zu]", i);
    OM_TRY(om__publish_known(one, path, known, err));
    for (size_t k = 0; k < sizeof text / sizeof *text; k++) {
        const char *said = om_json_text(om_json_get(one, text[k]), "");
        if (!said[strspn(said, " ")])
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: %s says no %s: topic, layer, unit, "
                           "periods, approved_by and approved_on are needed",
                           path, text[k]);
    }
    // What a filter says is looked at against rows (publish_literals.c).
    static const struct {
        const char *key;
        enum om__said kind;
        size_t most;
    } SAID[] = {{"topic", OM__SAID_TITLE, OM_LIMIT_NAME_BYTES - 1},
                {"title", OM__SAID_TITLE, TEXT_BYTES},
                {"title_en", OM__SAID_TITLE, TEXT_BYTES},
                {"approved_by", OM__SAID_TITLE, TEXT_BYTES},
                {"approved_on", OM__SAID_TEXT, TEXT_BYTES},
                {"filter", OM__SAID_TEXT, FILTER_BYTES}};
    for (size_t k = 0; k < sizeof SAID / sizeof *SAID; k++) {
        char whole[60];
        const struct om_json *said = om_json_get(one, SAID[k].key);
        if (!*om_json_text(said, "none") && SAID[k].most == FILTER_BYTES)
            continue;
        snprintf(whole, sizeof whole, "%s.%s", path, SAID[k].key);
        OM_TRY(om__said_check(said, whole, SAID[k].kind, SAID[k].most, err));
    }
    const struct om_json *periods = om_json_get(one, "periods");
    if (om_json_kind(periods) != OM_JSON_LIST || !om_json_count(periods))
        return om_fail(err, OM_E_FORMAT, 0, "publish.json: %s lists no periods",
                       path);
    return OM_OK;
}

om_status om__topics_members(const struct om_json *document, struct om_err *err)
{
    static const char *const known[] = {"addresses", "incidents", "round",
                                        NULL};
    const struct om_json *limits = om_json_get(document, "limits");
    const struct om_json *list = om_json_get(document, "statistics");
    if (limits) OM_TRY(om__publish_known(limits, "limits", known, err));
    if (list && om_json_kind(list) != OM_JSON_LIST)
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: statistics is not a list");
    for (size_t i = 0; i < om_json_count(list); i++)
        OM_TRY(statistic_members(om_json_at(list, i), i, err));
    return OM_OK;
}

static om_status read_limit(const struct om_json *limits, const char *key,
                            int64_t least, uint64_t *out, struct om_err *err)
{
    const struct om_json *value = om_json_get(limits, key);
    const int64_t number = value ? om_json_integer(value, -1) : least;
    if (number < least || number > LIMIT_MOST)
        return om_fail(err, OM_E_RANGE, 0,
                       "publish.json: limits.%s is from %lld to %d: limits can "
                       "be raised, not lowered",
                       key, (long long)least, LIMIT_MOST);
    *out = (uint64_t)number;
    return OM_OK;
}

/* ---- periods ---- */

static bool digits(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isdigit((unsigned char)text[i])) return false;
    return true;
}

/* A week of ISO 8601: it begins on a Monday, and the first has January 4. */
static bool read_week(const char *text, int32_t zone_s, struct om__period *out)
{
    if (strlen(text) != 8 || !digits(text, 4) || text[4] != '-' ||
        text[5] != 'W' || !digits(text + 6, 2))
        return false;
    int64_t year = 0;
    for (size_t i = 0; i < 4; i++) year = 10 * year + (text[i] - '0');
    const int64_t week = 10 * (text[6] - '0') + (text[7] - '0');
    const int64_t fourth = om_time_days(year, 1, 4);
    // Day 0 was a Thursday.
    const int64_t monday = fourth - (fourth + 3) % 7 + 7 * (week - 1);
    const int64_t next_fourth = om_time_days(year + 1, 1, 4);
    if (week < 1 || monday >= next_fourth - (next_fourth + 3) % 7) return false;
    out->from_s = monday * DAY_S - zone_s;
    out->to_s = out->from_s + 7 * DAY_S;
    return true;
}

om_status om__period_read(const char *text, int32_t zone_s,
                          struct om__period *out)
{
    *out = (struct om__period){0};
    const size_t length = strlen(text);
    if (length >= sizeof out->text) return OM_E_FORMAT;
    memcpy(out->text, text, length + 1);
    if (!read_week(text, zone_s, out))
        OM_TRY(om_time_parse_interval(text, strlen(text), zone_s, &out->from_s,
                                      &out->to_s));
    if (out->from_s < -DAY_S * 400000LL || out->to_s > DAY_S * 400000LL)
        return OM_E_FORMAT;  // a side is open
    if ((out->from_s + zone_s) % DAY_S || (out->to_s + zone_s) % DAY_S)
        return OM_E_FORMAT;
    return out->to_s - out->from_s < PERIOD_LEAST_DAYS * DAY_S ? OM_E_RANGE
                                                               : OM_OK;
}

/* The family's period that is the same; else a new one, if none overlaps. */
static om_status take_period(struct om__family *family, const char *text,
                             int32_t zone_s, size_t *out, struct om_err *err)
{
    struct om__period one;
    const om_status st = om__period_read(text, zone_s, &one);
    if (st)
        return om_fail(err, st, 0,
                       "publish.json: '%.60s' is no period: 2023-06, 2023-W25 "
                       "or 2023-06-01/2023-06-14, whole days, at least %d",
                       text, PERIOD_LEAST_DAYS);
    for (size_t i = 0; i < family->periods; i++) {
        const struct om__period *p = &family->period[i];
        *out = i;
        if (p->from_s == one.from_s && p->to_s == one.to_s) return OM_OK;
        if (p->from_s < one.to_s && one.from_s < p->to_s)
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: periods %s and %s of %s overlap: "
                           "what is in one and not in the other could be told",
                           p->text, one.text, family->layer->name);
    }
    if (family->periods == OM__PERIODS_MOST)
        return om_fail(err, OM_E_LIMIT, 0,
                       "publish.json: more than %d periods of %s",
                       OM__PERIODS_MOST, family->layer->name);
    *out = family->periods;
    family->period[family->periods++] = one;
    return OM_OK;
}

static om_status take_periods(struct om__family *family,
                              const struct om_json *list, int32_t zone_s,
                              int64_t now_s, int64_t approved_s,
                              struct om__topic *topic, struct om_err *err)
{
    for (size_t i = 0; i < om_json_count(list); i++) {
        size_t at = 0;
        const char *text = om_json_text(om_json_at(list, i), "");
        OM_TRY(take_period(family, text, zone_s, &at, err));
        topic->period[at] = true;
        if (family->period[at].to_s > now_s)
            return om_fail(err, OM_E_RANGE, 0,
                           "publish.json: period %s of topic %s is not over: "
                           "its figures would change",
                           text, topic->name);
        if (family->period[at].to_s > approved_s)
            return om_fail(
                err, OM_E_RANGE, 0,
                "publish.json: topic %s: approved_on %.40s is before "
                "period %s is over: nobody has seen its figures",
                topic->name, topic->approved_on, text);
    }
    return OM_OK;
}

/* ---- filters ---- */

/* Columns that city.json says to name a worker, or whom a row is about. */
static bool about_somebody(const struct om_snapshot *snapshot,
                           const char *column)
{
    static const char *const part[] = {"reports", "visits", "checks",
                                       "workers"};
    static const char *const key[] = {"worker", "target", "target_layer",
                                      "unit"};
    const struct om_json *duty =
        om_json_get(snapshot->manifest->document, "duty");
    for (size_t p = 0; p < sizeof part / sizeof *part; p++) {
        const struct om_json *one = om_json_get(duty, part[p]);
        // Columns of one name are of one kind: visits and reports both say
        // whom they are about.
        for (size_t k = 0; k < sizeof key / sizeof *key; k++)
            if (!strcmp(om_json_text(om_json_get(one, key[k]), ""), column))
                return true;
    }
    return false;
}

static const char *column_fault(const struct om_snapshot *snapshot,
                                const struct om_layer *layer,
                                const char *column)
{
    const struct om_schema *s = &layer->schema;
    const size_t at = om_schema_find(s, column);
    if (at == OM_NO_FIELD) return "is no column";
    if (at == s->id_field) return "is the id of single rows";
    if (at == s->time_field) return "is the time that periods are of";
    if (at + layer->unit_columns >= s->count) return "is a place";
    if (s->field[at].type == OM_TYPE_TEXT) return "is a free text";
    if (om__publish_personal(snapshot, layer->name, column))
        return "is about single persons (city.json: personal_columns)";
    if (about_somebody(snapshot, column))
        return "says who did it or whom it is about (city.json: duty)";
    return NULL;
}

static om_status check_filter(const struct om_snapshot *snapshot,
                              const struct om_layer *layer,
                              const struct om_filter *filter, const char *topic,
                              struct om_err *err)
{
    const char *const *name;
    const size_t columns = om_filter_columns(filter, &name);
    if (om_filter_uses_geometry(filter))
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: the filter of topic %s speaks of a "
                       "place: figures are told by region only",
                       topic);
    for (size_t i = 0; i < columns; i++) {
        const char *fault = column_fault(snapshot, layer, name[i]);
        if (fault)
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: the filter of topic %s cannot speak "
                           "of %.60s: it %s",
                           topic, name[i], fault);
    }
    // A category may say of which layer a row speaks.
    for (size_t i = 0; i < snapshot->layers; i++) {
        char quoted[OM_LIMIT_NAME_BYTES + 3];
        const char *one = snapshot->layer[i].name;
        snprintf(quoted, sizeof quoted, "'%s'", one);
        if (om__publish_barred(snapshot, one) &&
            strstr(om_filter_canonical(filter), quoted))
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: the filter of topic %s speaks of %s, "
                           "which can never be public",
                           topic, one);
    }
    return OM_OK;
}

static om_status take_filter(const struct om_snapshot *snapshot,
                             struct om__family *family, struct om__topic *topic,
                             struct om_err *err)
{
    struct om_err why = {0};
    if (!*topic->filter_text) return OM_OK;
    const om_status st = om_filter_parse(
        topic->filter_text, strlen(topic->filter_text), family->layer,
        snapshot->manifest->zone_s, &topic->filter, &why);
    if (st)
        return om_fail(err, st, 0, "publish.json: the filter of topic %s: %s",
                       topic->name,
                       why.text[0] ? why.text : om_status_text(st));
    return check_filter(snapshot, family->layer, topic->filter, topic->name,
                        err);
}

/* ---- topics ---- */

static om_status layer_of(const struct om_snapshot *snapshot, const char *topic,
                          const char *name, const struct om_layer **out,
                          struct om_err *err)
{
    const char *barred = om__publish_barred(snapshot, name);
    if (barred)
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: topic %s: figures of %.60s can never be "
                       "public: %s",
                       topic, name, barred);
    *out = om_snapshot_layer(snapshot, name);
    if (!*out && om_snapshot_lacks(snapshot, name, err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (!*out)
        return om_fail(err, OM_E_NOTFOUND, 0,
                       "publish.json: topic %s: the city has no layer '%.60s'",
                       topic, name);
    const char *class = om_json_text(
        om_json_get(om_manifest_about(snapshot->manifest, name), "class"), "");
    if (strcmp(class, "public") && strcmp(class, "internal"))
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: topic %s: the class of %s in city.json "
                       "is '%.20s': figures are told of layers that are "
                       "public or internal",
                       topic, name, class);
    if ((*out)->schema.time_field == OM_NO_FIELD)
        return om_fail(err, OM_E_TYPE, 0,
                       "publish.json: topic %s: %s has no time column, so "
                       "there are no periods",
                       topic, name);
    const char *time = (*out)->schema.field[(*out)->schema.time_field].name;
    if (om__publish_personal(snapshot, name, time))
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: topic %s: periods cannot be of %s, which "
                       "is about single persons (city.json: personal_columns)",
                       topic, time);
    return OM_OK;
}

static om_status family_of(struct om__topics *topics,
                           const struct om_layer *layer, const char *unit,
                           const char *topic, struct om__family **out,
                           struct om_err *err)
{
    for (size_t i = 0; i < topics->families; i++) {
        struct om__family *family = &topics->family[i];
        if (family->layer != layer) continue;
        if (strcmp(family->unit, unit))
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: topic %s is by %.60s and others of "
                           "%s by %s: one set of regions a layer, else figures "
                           "could be subtracted",
                           topic, unit, layer->name, family->unit);
        *out = family;
        return OM_OK;
    }
    struct om__family *family = &topics->family[topics->families++];
    family->layer = layer;
    snprintf(family->unit, sizeof family->unit, "%s", unit);
    *out = family;
    return OM_OK;
}

static om_status add_topic(struct om__family *family, const char *name,
                           struct om__topic **out, struct om_err *err)
{
    if (!om_manifest_name_ok(name))
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: '%.60s' cannot name a topic (letters, "
                       "digits, _ and - only)",
                       name);
    if (family->topics == OM__TOPICS_MOST)
        return om_fail(err, OM_E_LIMIT, 0,
                       "publish.json: more than %d topics of %s, those of "
                       "earlier releases counted",
                       OM__TOPICS_MOST, family->layer->name);
    *out = &family->topic[family->topics++];
    (*out)->name = name;
    return OM_OK;
}

static om_status take_topic(const struct om_snapshot *snapshot,
                            const struct om_json *one,
                            struct om__topics *topics, struct om_err *err)
{
    const char *name = om_json_text(om_json_get(one, "topic"), "");
    const char *unit = om_json_text(om_json_get(one, "unit"), "");
    const struct om_layer *layer = NULL;
    struct om__family *family = NULL;
    struct om__topic *topic = NULL;
    int64_t approved_s;
    OM_TRY(layer_of(snapshot, name, om_json_text(om_json_get(one, "layer"), ""),
                    &layer, err));
    if (!om_snapshot_units(snapshot, unit))
        return om_fail(err, OM_E_NOTFOUND, 0,
                       "publish.json: topic %s: there are no units '%.60s'",
                       name, unit);
    OM_TRY(family_of(topics, layer, unit, name, &family, err));
    for (size_t i = 0; i < family->topics; i++)
        if (!strcmp(family->topic[i].name, name))
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: topic %s is listed twice", name);
    OM_TRY(add_topic(family, name, &topic, err));
    topic->title = om_json_text(om_json_get(one, "title"), name);
    topic->title_en = om_json_text(om_json_get(one, "title_en"), name);
    topic->filter_text = om_json_text(om_json_get(one, "filter"), "");
    topic->approved_by = om_json_text(om_json_get(one, "approved_by"), "");
    topic->approved_on = om_json_text(om_json_get(one, "approved_on"), "");
    if (om_time_parse(topic->approved_on, strlen(topic->approved_on),
                      snapshot->manifest->zone_s, &approved_s))
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: topic %s: approved_on '%.40s' is no date",
                       name, topic->approved_on);
    if (approved_s > om_snapshot_now(snapshot)) {
        char now[OM_TIME_TEXT_BYTES];
        om_time_format(om_snapshot_now(snapshot), snapshot->manifest->zone_s,
                       now);
        return om_fail(err, OM_E_RANGE, 0,
                       "publish.json: topic %s: approved_on %.40s is in the "
                       "future: the clock of the city stands at %s",
                       name, topic->approved_on, now);
    }
    OM_TRY(take_filter(snapshot, family, topic, err));
    if (topic->filter) OM_TRY(om__topic_literals(snapshot, layer, topic, err));
    return take_periods(family, om_json_get(one, "periods"),
                        snapshot->manifest->zone_s, om_snapshot_now(snapshot),
                        approved_s, topic, err);
}

/* ---- what is out already ---- */

/* Topics of the plan that count the same rows tell the same figures. */
static om_status recall_figures(const struct om_snapshot *snapshot,
                                const struct om_json *one,
                                struct om__topics *topics,
                                struct om__family *family, struct om_err *err)
{
    const char *name = om_json_text(om_json_get(one, "topic"), "");
    const char *filter = om_json_text(om_json_get(one, "filter"), "");
    const struct om_json *periods = om_json_get(one, "periods");
    for (size_t i = 0; i < om_json_count(periods); i++) {
        const char *text = om_json_text(om_json_at(periods, i), "");
        size_t at = 0;
        bool told = false;
        OM_TRY(take_period(family, text, snapshot->manifest->zone_s, &at, err));
        for (size_t t = 0; t < family->topics; t++) {
            struct om__topic *topic = &family->topic[t];
            if (topic->earlier || !topic->period[at] ||
                strcmp(topic->filter_text, filter) != 0)
                continue;
            topic->told_topic[at] = name;
            topic->told_period[at] = text;
            told = true;
        }
        if (told || topics->withdrawn++) continue;
        topics->withdrawn_topic = name;
        topics->withdrawn_period = text;
    }
    return OM_OK;
}

/* What the release that is replaced has told, as topics of their own: their
 * periods are told, and where units are new their rows are guarded like those
 * of any topic. */
static om_status recall_topic(const struct om_snapshot *snapshot,
                              const struct om_json *one,
                              struct om__family *family, struct om_err *err)
{
    const char *name = om_json_text(om_json_get(one, "topic"), "");
    const char *filter = om_json_text(om_json_get(one, "filter"), "");
    const struct om_json *periods = om_json_get(one, "periods");
    struct om__topic *topic = NULL;
    for (size_t i = 0; i < family->topics; i++)
        if (family->topic[i].earlier &&
            !strcmp(family->topic[i].filter_text, filter))
            topic = &family->topic[i];
    if (!topic) {
        OM_TRY(add_topic(family, name, &topic, err));
        topic->title = topic->title_en = name;
        topic->filter_text = filter;
        topic->approved_by = topic->approved_on = "";
        topic->earlier = true;
        OM_TRY(take_filter(snapshot, family, topic, err));
    }
    OM_TRY(take_periods(family, periods, snapshot->manifest->zone_s, INT64_MAX,
                        INT64_MAX, topic, err));
    for (size_t p = 0; p < family->periods; p++)
        if (topic->period[p]) family->period[p].before = true;
    return OM_OK;
}

/* A layer of which nothing is told any more is a family all the same: its
 * regions must be found again when something is told another time. */
static om_status recall(const struct om_snapshot *snapshot,
                        const struct om_json *list, bool figures,
                        struct om__topics *topics, struct om_err *err)
{
    for (size_t i = 0; i < om_json_count(list); i++) {
        const struct om_json *one = om_json_at(list, i);
        const char *name = om_json_text(om_json_get(one, "topic"), "");
        const struct om_layer *layer = om_snapshot_layer(
            snapshot, om_json_text(om_json_get(one, "of"), ""));
        struct om__family *family = NULL;
        if (!layer) continue;  // and none of it can be told
        OM_TRY(family_of(topics, layer,
                         om_json_text(om_json_get(one, "unit"), ""), name,
                         &family, err));
        OM_TRY(recall_topic(snapshot, one, family, err));
        if (figures) OM_TRY(recall_figures(snapshot, one, topics, family, err));
    }
    return OM_OK;
}

/* The layer whose rows are the addresses of a region; it is counted, and
 * nothing of it goes out. Which it is, the city says: a plan that counted
 * something else would have regions of fewer homes than it tells. */
static om_status take_addresses(const struct om__publish_plan *plan,
                                struct om__topics *out, struct om_err *err)
{
    const char *name =
        om_json_text(om_json_get(plan->document, "addresses"), "");
    out->addresses = *name ? om_snapshot_layer(plan->snapshot, name) : NULL;
    if (out->addresses && om__publish_holds_addresses(plan->snapshot, name))
        return OM_OK;
    if (out->addresses)
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: \"addresses\": city.json does not say "
                       "that %.60s holds addresses (exposures.address.layer, "
                       "or the address of a target of duties)",
                       name);
    if (*name && om_snapshot_lacks(plan->snapshot, name, err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    return om_fail(err, OM_E_FORMAT, 0,
                   "publish.json: statistics need \"addresses\": the layer of "
                   "which a region must have at least %d rows%s%s",
                   ADDRESSES_LEAST, *name ? "; there is none called " : "",
                   name);
}

static uint64_t lower(const struct om_json *before, const char *key,
                      uint64_t now)
{
    const int64_t was = om_json_integer(om_json_get(before, key), INT64_MAX);
    return was > 0 && (uint64_t)was < now ? (uint64_t)was : now;
}

/* A plan whose limits are raised raises none of what was told before. */
static void say_limits(const struct om_json *before, struct om__topics *out)
{
    const struct om__limits *l = &out->limits;
    out->said = (struct om__limits){
        .addresses = lower(before, "addresses", l->addresses),
        .incidents = lower(before, "incidents", l->incidents),
        .round = lower(before, "round", l->round)};
}

om_status om__topics_read(const struct om__publish_plan *plan,
                          const struct om_json *earlier, struct om__topics *out,
                          struct om_err *err)
{
    const struct om_json *list = om_json_get(plan->document, "statistics");
    const struct om_json *limits = om_json_get(plan->document, "limits");
    const struct om_json *told = om_json_get(earlier, "statistics");
    const struct om_json *known = om_json_get(earlier, "earlier");
    const size_t most =
        om_json_count(list) + om_json_count(told) + om_json_count(known);
    *out = (struct om__topics){0};
    OM_TRY(read_limit(limits, "addresses", ADDRESSES_LEAST,
                      &out->limits.addresses, err));
    OM_TRY(read_limit(limits, "incidents", INCIDENTS_LEAST,
                      &out->limits.incidents, err));
    OM_TRY(read_limit(limits, "round", ROUND_LEAST, &out->limits.round, err));
    say_limits(om_json_get(earlier, "limits"), out);
    if (!most) return OM_OK;
    OM_TRY(take_addresses(plan, out, err));
    out->family = om_calloc(most, sizeof *out->family);
    if (!out->family) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    for (size_t i = 0; i < om_json_count(list); i++)
        OM_TRY(take_topic(plan->snapshot, om_json_at(list, i), out, err));
    OM_TRY(recall(plan->snapshot, told, true, out, err));
    return recall(plan->snapshot, known, false, out, err);
}

void om__topics_deinit(struct om__topics *topics)
{
    for (size_t f = 0; f < topics->families; f++) {
        struct om__family *family = &topics->family[f];
        for (size_t i = 0; i < family->topics; i++)
            om_filter_free(family->topic[i].filter);
        om_free(family->region);
        om_free(family->value);
    }
    om_free(topics->family);
    *topics = (struct om__topics){0};
}

om_status om__family_names(const struct om__family *family,
                           char region[OM_LIMIT_NAME_BYTES],
                           char statistic[OM_LIMIT_NAME_BYTES],
                           struct om_err *err)
{
    const int r =
        snprintf(region, OM_LIMIT_NAME_BYTES, "%s_region", family->layer->name);
    const int s = snprintf(statistic, OM_LIMIT_NAME_BYTES, "%s_statistic",
                           family->layer->name);
    if (r < OM_LIMIT_NAME_BYTES && s < OM_LIMIT_NAME_BYTES) return OM_OK;
    return om_fail(err, OM_E_LIMIT, 0, "the name of %s is too long",
                   family->layer->name);
}
