/* hotspots.c - from options as texts to an answer.
 *
 * What cities call things comes from city.json: `exposures` names what cases
 * may be compared with (engine/risk/model.h), a layer's `counted` and
 * `counted_en` how its rows are called in a sentence.
 */
#include "web/hotspots.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/model/time.h"
#include "engine/stat/near.h"
#include "web/crowds.h"
#include "web/hotspots_internal.h"
#include "web/small.h"

#define EPS_DEFAULT_M 100.0
#define LEAST_DEFAULT 10
/* Exposed units below which a rate is unknown, where city.json says nothing: a
 * standard error of 32 % at best (as FLOOR_DEFAULT of engine/risk). */
#define FLOOR_DEFAULT 10.0
#define FLOOR_MOST 1e12
#define LIMIT_MOST 10000000u

const char om_hotspots_options[] =
    "units stat per exposure rate weight neighbours step compare each "
    "floor moments confidence eps min where time limit";

om_status om__hotspots_bad(struct om__hotspots *h, const char *option,
                           om_status status, const char *format, ...)
{
    char text[OM_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    h->q->wrong = option;
    return om_fail(&h->q->err, status, 0, "%s", text);
}

const char *om__hotspots_text(const struct om__hotspots *h, const char *name)
{
    for (size_t i = 0; i < h->q->options; i++)
        if (!strcmp(h->q->option[i].name, name)) return h->q->option[i].value;
    return NULL;
}

/* Is `word` one of the blank-separated words? Which? -1: none. */
static int word_of(const char *words, const char *word)
{
    const size_t len = strlen(word);
    int i = 0;
    for (const char *at = words; *at; at += strspn(at, " "), i++) {
        const size_t n = strcspn(at, " ");
        if (n == len && !strncmp(at, word, n)) return i;
        at += n;
    }
    return -1;
}

/* One of some words; *out stays where the option is not given. */
static om_status read_word(struct om__hotspots *h, const char *option,
                           const char *words, int *out)
{
    const char *text = om__hotspots_text(h, option);
    if (!text) return OM_OK;
    const int found = word_of(words, text);
    if (found < 0)
        return om__hotspots_bad(h, option, OM_E_FORMAT,
                                "'%.40s' is none of: %s", text, words);
    *out = found;
    return OM_OK;
}

static om_status read_number(struct om__hotspots *h, const char *option,
                             double least, double most, bool whole, double *out)
{
    const char *text = om__hotspots_text(h, option);
    char *end;
    if (!text) return OM_OK;
    const double value = strtod(text, &end);
    if (end == text || *end || !(value >= least) || !(value <= most) ||
        (whole && value != floor(value)))
        return om__hotspots_bad(h, option, OM_E_RANGE,
                                "'%.40s' is not a %snumber from %g to %g", text,
                                whole ? "whole " : "", least, most);
    *out = value;
    return OM_OK;
}

static om_status check_known(struct om__hotspots *h)
{
    for (size_t i = 0; i < h->q->options; i++)
        if (word_of(om_hotspots_options, h->q->option[i].name) < 0)
            return om__hotspots_bad(h, h->q->option[i].name, OM_E_FORMAT,
                                    "there is no such option; known are %s",
                                    om_hotspots_options);
    return OM_OK;
}

/* ---- which rows ---- */

static om_status read_filter(struct om__hotspots *h)
{
    const char *where = om__hotspots_text(h, "where");
    if (!where || !*where) return OM_OK;
    const om_status st =
        om_filter_parse(where, strlen(where), h->layer, h->city->zone_s,
                        &h->filter, &h->q->err);
    h->ask.filter = h->filter;
    if (st) h->q->wrong = "where";
    return st;
}

static om_status read_time(struct om__hotspots *h)
{
    const char *time = om__hotspots_text(h, "time");
    if (!time || !*time) return OM_OK;
    if (h->layer->schema.time_field == OM_NO_FIELD)
        return om__hotspots_bad(h, "time", OM_E_TYPE, "%s has no time column",
                                h->layer->name);
    const om_status st =
        om_time_parse_interval(time, strlen(time), h->city->zone_s,
                               &h->ask.window.from_s, &h->ask.window.to_s);
    if (st)
        return om__hotspots_bad(h, "time", st,
                                "'%.60s' is not FROM/TO, each a date or time "
                                "(2023-01-01/2023-06-30)",
                                time);
    h->ask.window.set = true;
    return OM_OK;
}

static om_status read_weight(struct om__hotspots *h)
{
    const char *name = om__hotspots_text(h, "weight");
    h->ask.weight_column = OM_NO_FIELD;
    if (!name) return OM_OK;
    const struct om_schema *schema = &h->layer->schema;
    const size_t column = om_schema_find(schema, name);
    if (column == OM_NO_FIELD)
        return om__hotspots_bad(h, "weight", OM_E_NOTFOUND,
                                "%s has no column '%.60s'", h->layer->name,
                                name);
    const enum om_type type = schema->field[column].type;
    if (type != OM_TYPE_INTEGER && type != OM_TYPE_REAL &&
        type != OM_TYPE_BOOLEAN)
        return om__hotspots_bad(h, "weight", OM_E_TYPE,
                                "column '%.60s' is %s, not a number", name,
                                om_type_name(type));
    h->ask.weight_column = column;
    return OM_OK;
}

static om_status read_kind(struct om__hotspots *h)
{
    const char *name = om__hotspots_text(h, "each");
    h->ask.kind_column = OM_NO_FIELD;
    if (!name) return OM_OK;
    const struct om_schema *schema = &h->layer->schema;
    const size_t column = om_schema_find(schema, name);
    if (column == OM_NO_FIELD)
        return om__hotspots_bad(h, "each", OM_E_NOTFOUND,
                                "%s has no column '%.60s'", h->layer->name,
                                name);
    if (schema->field[column].type != OM_TYPE_CATEGORY)
        return om__hotspots_bad(h, "each", OM_E_TYPE,
                                "column '%.60s' is %s, not a category", name,
                                om_type_name(schema->field[column].type));
    h->ask.kind_column = column;
    return OM_OK;
}

/* ---- compared with what ---- */

static om_status set_exposure(struct om__hotspots *h, const char *option,
                              const char *layer, const char *filter,
                              const char *weight)
{
    struct om_hotspot_exposure *e = &h->ask.exposure;
    e->weight_column = OM_NO_FIELD;
    e->layer = om_snapshot_layer(h->q->snapshot, layer);
    if (!e->layer &&
        om_snapshot_lacks(h->q->snapshot, layer, &h->q->err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (!e->layer || e->layer->schema.geometry != OM_GEOMETRY_POINT)
        return om__hotspots_bad(h, option, OM_E_NOTFOUND,
                                "the city has no layer of points '%.60s'",
                                layer);
    // Of persons the city says what may be compared with them.
    if (h->q->hides && h->q->hides(h->q->hides_ctx, e->layer) &&
        (weight || !h->exposed || h->ask.stat == OM_STAT_EMERGING)) {
        h->q->refused = e->layer;
        return OM_E_NOTFOUND;
    }
    h->q->exposed = e->layer;
    if (weight) {
        e->weight_column = om_schema_find(&e->layer->schema, weight);
        const enum om_type type =
            e->weight_column == OM_NO_FIELD
                ? OM_TYPE_TEXT
                : e->layer->schema.field[e->weight_column].type;
        if (type != OM_TYPE_INTEGER && type != OM_TYPE_REAL)
            return om__hotspots_bad(h, option, OM_E_TYPE,
                                    "%.60s has no number column '%.60s'", layer,
                                    weight);
    }
    if (!filter) return OM_OK;
    const om_status st =
        om_filter_parse(filter, strlen(filter), e->layer, h->city->zone_s,
                        &h->exposure_filter, &h->q->err);
    e->filter = h->exposure_filter;
    if (st) h->q->wrong = option;
    return st;
}

/* Cells by which persons may be counted besides units: few sizes, so that cells
 * of two questions differ by much. */
static bool are_large(const char *units)
{
    static const char *const SIZE[] = {"500", "1000", "2000", "4000"};
    const char *colon = strchr(units, ':');
    for (size_t i = 0; colon && i < sizeof SIZE / sizeof *SIZE; i++)
        if (!strcmp(colon + 1, SIZE[i])) return true;
    return !colon;
}

/* What is exposed is persons' doing, and is only counted (web/crowds.h). */
static om_status tell_crowds(struct om__hotspots *h, const char *units)
{
    struct om_hotspot_exposure *e = &h->ask.exposure;
    const struct om_layer *layer = e->layer;
    if (!layer || !layer->rights.crowds) return OM_OK;
    // As maps of such rates are: chosen cases ask for each place anew.
    if (h->filter)
        return om__hotspots_bad(h, "where", OM_E_UNSUPPORTED,
                                "what is compared with is about single "
                                "persons: of a layer's rows all are taken");
    if (!are_large(units))
        return om__hotspots_bad(h, "units", OM_E_UNSUPPORTED,
                                "%s: what is compared with is about single "
                                "persons, and counted by units and by cells "
                                "of 500, 1000, 2000 and 4000 m",
                                units);
    const struct om_window none = {0};
    e->layer = om_layer_by(h->q->snapshot, layer, units);
    e->told = om_crowd_round;
    e->least = layer->rights.smallest_count;
    e->floor = fmax(e->floor, (double)e->least);
    om_crowd_cover(e->windowed ? &h->ask.window : &none,
                   om_snapshot_now(h->q->snapshot), h->city->zone_s, &e->cover,
                   &e->part);
    e->windowed = false;
    return OM_OK;
}

/* Is what is exposed there for whoever asks: its layer, and what it weighs? */
static bool is_exposed(const struct om__hotspots *h,
                       const struct om_exposure *exposure)
{
    const struct om_layer *layer =
        om_snapshot_layer(h->q->snapshot, exposure->layer);
    bool veiled = false;
    if (layer && exposure->weight)
        (void)om_small_weight(layer, exposure->weight, &veiled);
    return om_snapshot_has_layer(h->q->snapshot, exposure->layer) && !veiled;
}

static om_status no_such_per(struct om__hotspots *h, const char *name)
{
    char known[OM_ERR_TEXT_BYTES] = "area";
    for (size_t i = 0; i < h->exposures.count; i++) {
        const size_t len = strlen(known);
        if (!is_exposed(h, &h->exposures.exposure[i])) continue;
        snprintf(known + len, sizeof known - len, ", %s",
                 h->exposures.exposure[i].name);
    }
    return om__hotspots_bad(h, "per", OM_E_NOTFOUND, "'%.40s' is none of: %s",
                            name, known);
}

static om_status read_per(struct om__hotspots *h)
{
    const char *per = om__hotspots_text(h, "per");
    if (!per) return OM_OK;
    h->per = per;
    if (!strcmp(per, "area")) {
        h->ask.exposure.area = true;
        return OM_OK;
    }
    const om_status st = om_exposures_read(h->city, &h->exposures, &h->q->err);
    if (st) return st;
    h->exposed = om_exposures_find(&h->exposures, per);
    if (!h->exposed || !is_exposed(h, h->exposed)) return no_such_per(h, per);
    h->ask.exposure.windowed = h->exposed->windowed;
    h->ask.exposure.floor = h->exposed->floor;
    return set_exposure(h, "per", h->exposed->layer, h->exposed->filter,
                        h->exposed->weight);
}

/* LAYER or LAYER:COLUMN; of the cases' period where the layer has times. */
static om_status read_exposure(struct om__hotspots *h)
{
    char layer[2 * OM_LIMIT_NAME_BYTES];
    const char *text = om__hotspots_text(h, "exposure");
    if (!text) return OM_OK;
    if (om__hotspots_text(h, "per"))
        return om__hotspots_bad(h, "exposure", OM_E_FORMAT,
                                "per says already what cases are compared "
                                "with");
    h->per = text;
    h->ask.exposure.floor = FLOOR_DEFAULT;
    const size_t len = strcspn(text, ":");
    snprintf(layer, sizeof layer, "%.*s", (int)len, text);
    const om_status st = set_exposure(h, "exposure", layer, NULL,
                                      text[len] ? text + len + 1 : NULL);
    if (!st)
        h->ask.exposure.windowed =
            h->ask.exposure.layer->schema.time_field != OM_NO_FIELD;
    return st;
}

/* Rates that are not what the statistic is about, or would make its p wrong. */
static om_status check_rate(struct om__hotspots *h)
{
    if (h->ask.rate == OM_RATE_LOCAL)
        return om__hotspots_bad(h, "rate", OM_E_FORMAT,
                                "local rates average over the very neighbours "
                                "that are compared, and no p of them would "
                                "hold; stat eb has them as rate_local");
    if (h->ask.stat == OM_STAT_EB && h->ask.rate != OM_RATE_STANDARD)
        return om__hotspots_bad(h, "rate", OM_E_FORMAT,
                                "eb judges the standard rate; others are its "
                                "columns");
    return OM_OK;
}

static om_status read_rate(struct om__hotspots *h)
{
    int rate = OM_RATE_STANDARD;
    OM_TRY(read_word(h, "rate", "standard raw eb local", &rate));
    h->ask.rate = (enum om_rate)rate;
    const bool exposed = h->ask.exposure.area || h->ask.exposure.layer;
    if (!exposed && om__hotspots_text(h, "rate"))
        return om__hotspots_bad(h, "rate", OM_E_FORMAT,
                                "a rate needs per or exposure");
    if (!exposed && h->ask.stat == OM_STAT_EB)
        return om__hotspots_bad(h, "stat", OM_E_FORMAT,
                                "eb is about rates: it needs per or exposure");
    if (!exposed && om__hotspots_text(h, "floor"))
        return om__hotspots_bad(h, "floor", OM_E_FORMAT,
                                "a floor needs per or exposure");
    OM_TRY(check_rate(h));
    return read_number(h, "floor", 0, FLOOR_MOST, false,
                       &h->ask.exposure.floor);
}

/* ---- how ---- */

/* Options of one statistic say nothing about another. */
static om_status check_own(struct om__hotspots *h, const char *stat)
{
    static const struct {
        const char *option, *stat;
    } OWN[] = {{"eps", "dbscan"},
               {"min", "dbscan"},
               {"compare", "emerging"},
               {"moments", "moran"}};
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++)
        if (om__hotspots_text(h, OWN[i].option) && strcmp(stat, OWN[i].stat))
            return om__hotspots_bad(h, OWN[i].option, OM_E_FORMAT,
                                    "only %s knows it, not %s", OWN[i].stat,
                                    stat);
    return OM_OK;
}

static om_status read_stat(struct om__hotspots *h)
{
    static const char *const WORD[] = {"gistar", "moran", "emerging", "eb",
                                       "dbscan"};
    static const enum om_hotspot_stat STAT[] = {OM_STAT_GISTAR, OM_STAT_MORAN,
                                                OM_STAT_EMERGING, OM_STAT_EB};
    int stat = 0;
    OM_TRY(read_word(h, "stat", "gistar moran emerging eb dbscan", &stat));
    h->clusters = stat == 4;
    if (!h->clusters) h->ask.stat = STAT[stat];
    return check_own(h, WORD[stat]);
}

static om_status read_step(struct om__hotspots *h)
{
    const char *step = om__hotspots_text(h, "step");
    int compare = 0, moments = 0,
        confidence = h->ask.stat == OM_STAT_EMERGING ? 0 : 1;
    OM_TRY(read_word(h, "compare", "cube slice", &compare));
    OM_TRY(read_word(h, "confidence", "90 95 99", &confidence));
    OM_TRY(read_word(h, "moments", "conditional total", &moments));
    h->ask.by_slice = compare == 1;
    h->ask.moments = (enum om_moran_moments)moments;
    h->ask.least = confidence + 1;
    if (!step) return OM_OK;
    h->ask.stepped = true;
    if (om_stride_read(step, &h->ask.step)) return OM_OK;
    return om__hotspots_bad(h, "step", OM_E_FORMAT,
                            "'%.40s' is not day, week, month or a number of "
                            "days",
                            step);
}

/* Where everybody is everybody's neighbour all sums are the same. */
static om_status check_graph(struct om__hotspots *h, enum om_near_kind kind)
{
    const size_t n = h->graph.count;
    if (kind == OM_NEAR_TOUCHING || n < 2 || h->graph.first[n] < n * (n - 1))
        return OM_OK;
    return om__hotspots_bad(h, "neighbours", OM_E_RANGE,
                            "%.40s makes all %zu areas neighbours of each "
                            "other, and no place differs; take fewer",
                            h->neighbours, n);
}

static om_status read_areas(struct om__hotspots *h)
{
    const char *units = om__hotspots_text(h, "units");
    const char *near = om__hotspots_text(h, "neighbours");
    struct om_near_spec spec;
    if (!units) units = h->city->levels ? h->city->level[0] : "";
    if (!*units)
        return om__hotspots_bad(h, "units", OM_E_NOTFOUND,
                                "the city has no units; take square:M or "
                                "hex:M");
    h->units = units;
    OM_TRY(tell_crowds(h, units));
    h->neighbours = near ? near : "contiguity";
    om_status st = om_near_spec_read(h->neighbours, &spec, &h->q->err);
    if (st) {
        h->q->wrong = "neighbours";
        return st;
    }
    st = om_zones_read(h->q->snapshot, units, h->layer, &h->zones, &h->q->err);
    if (st) {
        if (st != OM_E_MEMORY && st != OM_E_DAMAGED) h->q->wrong = "units";
        return st;
    }
    st = om_zones_graph(&h->zones, &spec, &h->graph);
    if (st == OM_E_COST)
        return om__hotspots_bad(h, "neighbours", st,
                                "%.40s gives %zu areas more than %zu "
                                "neighbours together; take fewer",
                                h->neighbours, h->zones.count,
                                OM_GRAPH_LINKS_MOST);
    h->ask.areas = &h->zones;
    h->ask.graph = &h->graph;
    return st ? st : check_graph(h, spec.kind);
}

static om_status read_limits(struct om__hotspots *h)
{
    double limit = 0, eps = EPS_DEFAULT_M, least = LEAST_DEFAULT;
    OM_TRY(read_number(h, "limit", 1, LIMIT_MOST, true, &limit));
    OM_TRY(read_number(h, "eps", 0.01, OM_NEAR_RADIUS_MOST_M, false, &eps));
    OM_TRY(read_number(h, "min", 1, 1e9, true, &least));
    h->limit = (size_t)limit;
    h->eps_m = eps;
    h->least = (uint64_t)least;
    return OM_OK;
}

/* A member of the layer's object in city.json. */
static const char *layer_word(const struct om__hotspots *h, const char *key,
                              const char *otherwise)
{
    const struct om_json *layers = om_json_get(h->city->document, "layers");
    for (size_t i = 0; i < om_json_count(layers); i++) {
        const struct om_json *layer = om_json_at(layers, i);
        if (!strcmp(om_json_text(om_json_get(layer, "name"), ""),
                    h->layer->name))
            return om_json_text(om_json_get(layer, key), otherwise);
    }
    return otherwise;
}

static om_status find_layer(struct om__hotspots *h)
{
    h->layer = om_snapshot_layer(h->q->snapshot, h->q->layer);
    if (!h->layer && om_snapshot_lacks(h->q->snapshot, h->q->layer,
                                       &h->q->err) == OM_E_WITHHELD)
        return OM_E_WITHHELD;
    if (!h->layer)
        return om_fail(&h->q->err, OM_E_NOTFOUND, 0, "no layer '%.60s'",
                       h->q->layer);
    if (h->layer->schema.geometry != OM_GEOMETRY_POINT)
        return om_fail(&h->q->err, OM_E_TYPE, 0, "%s is not a layer of points",
                       h->layer->name);
    h->noun = layer_word(h, "counted", "条");
    h->noun_en = layer_word(h, "counted_en", "rows");
    h->ask.snapshot = h->q->snapshot;
    h->ask.layer = h->layer;
    h->ask.cache = h->q->selections;
    return OM_OK;
}

static om_status read_all(struct om__hotspots *h)
{
    OM_TRY(check_known(h));
    OM_TRY(find_layer(h));
    OM_TRY(read_stat(h));
    OM_TRY(read_limits(h));
    OM_TRY(read_filter(h));
    OM_TRY(read_time(h));
    OM_TRY(read_weight(h));
    OM_TRY(read_kind(h));
    OM_TRY(read_per(h));
    OM_TRY(read_exposure(h));
    OM_TRY(read_rate(h));
    return read_step(h);
}

/* ---- the answer ---- */

/* Say which option the engine's refusal is about. */
static om_status blame(struct om__hotspots *h, om_status st)
{
    const char *text = h->q->err.text;
    if (st == OM_E_RANGE && !strncmp(text, "step: ", 6)) {
        char rest[OM_ERR_TEXT_BYTES];
        snprintf(rest, sizeof rest, "%s", text + 6);
        return om__hotspots_bad(h, "step", st, "%s", rest);
    }
    if (st == OM_E_COST)
        return om__hotspots_bad(
            h, "units", st, "%s",
            *text ? "areas, slices and kinds together are too many; take "
                    "larger units, a longer step or one kind"
                  : "these areas, times and kinds together are too many; take "
                    "larger units");
    if (st == OM_E_NOTFOUND && *text) h->q->wrong = "stat";
    if (st == OM_E_NOTFOUND && !*text)
        return om__hotspots_bad(h, "units", st,
                                "%s or what it is compared with has no column "
                                "'%.40s'; import it again",
                                h->layer->name, h->units);
    if (st == OM_E_TYPE)
        return om__hotspots_bad(h, "each", st, "not a column of categories");
    return st;
}

/* Whoever asks is not to blame for what city.json says. */
static om_status read_terms(struct om__hotspots *h)
{
    const om_status st =
        om_terms_read(h->city->document, &h->term, &h->terms, &h->q->err);
    return st == OM_E_FORMAT ? OM_E_DAMAGED : st;
}

static om_status answer(struct om__hotspots *h)
{
    OM_TRY(read_all(h));
    OM_TRY(read_terms(h));
    if (h->clusters) return om__clusters_answer(h);
    OM_TRY(read_areas(h));
    OM_TRY(om__hotspots_find_few(h));
    const om_status st = om_hotspots_find(&h->ask, &h->found, &h->q->err);
    if (st) return blame(h, st);
    OM_TRY(om__parents_find(h, h->zones.x, h->zones.y, h->zones.count,
                            h->zones.tiled, &h->parents));
    return om__hotspots_write(h);
}

om_status om_hotspots_answer(struct om_hotspots_question *question)
{
    struct om__hotspots h = {.q = question,
                             .city = question->snapshot->manifest};
    const om_status st = answer(&h);
    om_hotspots_deinit(&h.found);
    om__parents_deinit(&h.parents);
    om_graph_deinit(&h.graph);
    om_zones_deinit(&h.zones);
    om_free(h.few);
    om_free(h.term);
    om_filter_free(h.filter);
    om_filter_free(h.exposure_filter);
    om_exposures_deinit(&h.exposures);
    return st;
}
