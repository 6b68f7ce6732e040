/* legend.c - legends that stay.
 *
 * DESIGN
 * A colour must mean the same tomorrow, so the figure that a legend is made
 * from (the mean of a risk, the largest density) is written down when it is
 * first needed and read from then on. What it belongs to is a hash of what is
 * computed: a model whose text changes gets a new version. Files are written
 * whole under their final name; two processes that make the same legend at the
 * same time make the same file.
 */
#include "tiles/legend.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/base/log.h"
#include "data/json.h"
#include "data/model/time.h"
#include "engine/risk/explain.h"

#define PATH_BYTES 4096
#define FILE_BYTES_MOST (64 * 1024)
#define FOLDER "legends"
/* Legends remembered in memory; the oldest makes room. */
#define REMEMBERED 128
#define FORMAT 1

struct om_legends {
    char *city;            // NULL: nothing is stored
    pthread_mutex_t lock;  // guards the two below
    struct om_legend_data memory[REMEMBERED];
    uint64_t made;
};

om_status om_legends_new(const char *city, struct om_legends **out)
{
    struct om_legends *l = om_calloc(1, sizeof *l);
    if (!l) return OM_E_MEMORY;
    if (city && !(l->city = om_strdup(city))) {
        om_free(l);
        return OM_E_MEMORY;
    }
    pthread_mutex_init(&l->lock, NULL);
    *out = l;
    return OM_OK;
}

void om_legends_free(struct om_legends *legends)
{
    if (!legends) return;
    pthread_mutex_destroy(&legends->lock);
    om_free(legends->city);
    om_free(legends);
}

void om_legend_paint(const struct om_legend_data *data, double scale,
                     enum om_palette palette, struct om_legend *out)
{
    if (!(scale > 0.0) || !isfinite(scale)) scale = 1.0;
    if (data->relative)
        om_legend_relative(data->mean * scale, palette, out);
    else
        om_legend_density(data->most * fmin(scale, 1.0), palette, out);
}

/* ---- what it belongs to ------------------------------------------------ */

static uint64_t hash_of(const struct om_risk_bound *bound)
{
    const uint64_t seed = bound->model ? bound->model->hash : 0;
    const uint64_t of = om_hash64(bound->field, strlen(bound->field), seed);
    return om_hash64(bound->name, strlen(bound->name), of);
}

static bool is_storable(const struct om_legends *l,
                        const struct om_risk_bound *bound)
{
    return l->city && bound->standard && !bound->filtered;
}

static bool recall(struct om_legends *l, const struct om_risk_bound *bound,
                   uint64_t of, uint64_t epoch, struct om_legend_data *out)
{
    bool found = false;
    pthread_mutex_lock(&l->lock);
    const size_t n = l->made < REMEMBERED ? (size_t)l->made : REMEMBERED;
    for (size_t i = 0; i < n && !found; i++) {
        const struct om_legend_data *d = &l->memory[i];
        // What is as it ships outlasts epochs, stored or not.
        found = d->of == of && !strcmp(d->period, bound->period) &&
                (bound->standard || d->epoch == epoch);
        if (found) *out = *d;
    }
    pthread_mutex_unlock(&l->lock);
    return found;
}

static void remember(struct om_legends *l, const struct om_legend_data *data)
{
    pthread_mutex_lock(&l->lock);
    l->memory[l->made++ % REMEMBERED] = *data;
    pthread_mutex_unlock(&l->lock);
}

/* ---- files ------------------------------------------------------------- */

static bool file_path(const struct om_legends *l, const char *name,
                      const char *ending, char out[PATH_BYTES])
{
    const int n = snprintf(out, PATH_BYTES, "%s/" FOLDER "/%s%s.json", l->city,
                           name, ending);
    return n > 0 && n < PATH_BYTES;
}

/* The document of a file; NULL if there is none that can be read. */
static struct om_json *read_file(const char *path)
{
    struct om_buf text = {0};
    struct om_err err = {0};
    struct om_json *document = NULL;
    om_status st = om_file_read(path, FILE_BYTES_MOST, &text, &err);
    const bool there = st != OM_E_NOTFOUND;
    if (!st)
        st = om_json_parse((const char *)text.bytes, text.len, &document, &err);
    om_buf_deinit(&text);
    if (st && there) om_log(OM_LOG_WARN, "legend", "%s: %s", path, err.text);
    return st ? NULL : document;
}

static bool same_hash(const struct om_json *value, uint64_t of)
{
    char text[20];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)of);
    return !strcmp(om_json_text(value, ""), text);
}

static int64_t time_of(const struct om_json *value)
{
    const char *text = om_json_text(value, "");
    int64_t utc_s = 0;
    return om_time_parse(text, strlen(text), 0, &utc_s) ? 0 : utc_s;
}

/* A stored legend. *version is that of the file, whether it is of this map or
 * of what the map was before. */
static bool fetch(const struct om_legends *l, const struct om_risk_bound *bound,
                  uint64_t of, int64_t *version, struct om_legend_data *out)
{
    char ending[24], path[PATH_BYTES];
    snprintf(ending, sizeof ending, "@%s", bound->period);
    if (!file_path(l, bound->name, ending, path)) return false;
    struct om_json *file = read_file(path);
    if (!file) return false;
    *version = om_json_integer(om_json_get(file, "version"), 0);
    struct om_legend_data data = {
        .relative = bound->risk.exposures > 0,
        .mean = om_json_real(om_json_get(file, "mean"), NAN),
        .most = om_json_real(om_json_get(file, "most"), NAN),
        .version = *version,
        .of = of,
        .as_of_s = time_of(om_json_get(file, "as_of")),
        .sequence = (uint64_t)om_json_integer(om_json_get(file, "sequence"), 0),
        .stored = true};
    snprintf(data.period, sizeof data.period, "%s", bound->period);
    const double figure = data.relative ? data.mean : data.most;
    const bool good =
        om_json_integer(om_json_get(file, "onemap_legend"), 0) == FORMAT &&
        same_hash(om_json_get(file, "of"), of) && *version > 0 &&
        isfinite(figure) && figure > 0.0;
    om_json_free(file);
    if (good) *out = data;
    return good;
}

static void add_time(struct om_buf *out, const char *label, int64_t utc_s,
                     int32_t zone_s)
{
    char text[OM_TIME_TEXT_BYTES];
    om_buf_add_text(out, label);
    if (utc_s == INT64_MIN || utc_s == INT64_MAX) {
        om_buf_add_text(out, "null");
        return;
    }
    om_time_format(utc_s, zone_s, text);
    om_buf_addf(out, "\"%s\"", text);
}

static void add_text(struct om_buf *out, const char *label, const char *text)
{
    om_buf_add_text(out, label);
    om_buf_add_json_text(out, text, strlen(text));
}

static void add_steps(const struct om_legend_data *data, struct om_buf *out)
{
    struct om_legend painted;
    om_legend_paint(data, 1.0, OM_PALETTE_DARK, &painted);
    om_buf_add_text(out, ",\n  \"from\": [");
    for (size_t i = 0; i < OM_LEGEND_STEPS; i++) {
        om_buf_add_text(out, i ? ", " : "");
        om_buf_add_json_real(out, (double)painted.from[i]);
    }
    om_buf_add_text(out, "]");
}

static void write_data(const struct om_risk_bound *bound,
                       const struct om_legend_data *data, int32_t zone_s,
                       struct om_buf *out)
{
    om_buf_addf(out, "{\n  \"onemap_legend\": %d,\n", FORMAT);
    add_text(out, "  \"name\": ", bound->name);
    add_text(out, ",\n  \"period\": ", data->period);
    om_buf_addf(out, ",\n  \"version\": %lld,\n  \"of\": \"%016llx\"",
                (long long)data->version, (unsigned long long)data->of);
    add_text(out, ",\n  \"unit\": ", bound->unit_en);
    add_text(out, ",\n  \"unit_zh\": ", bound->unit);
    om_buf_add_text(out,
                    data->relative ? ",\n  \"mean\": " : ",\n  \"most\": ");
    om_buf_add_json_real(out, data->relative ? data->mean : data->most);
    add_steps(data, out);
    add_time(out, ",\n  \"as_of\": ", data->as_of_s, zone_s);
    om_buf_addf(out, ",\n  \"sequence\": %llu\n}\n",
                (unsigned long long)data->sequence);
}

static om_status write_file(const struct om_legends *l, const char *name,
                            const char *ending, const struct om_buf *text,
                            struct om_err *err)
{
    char path[PATH_BYTES], folder[PATH_BYTES];
    if (text->status) return text->status;
    if (!file_path(l, name, ending, path) ||
        om_path_join(folder, sizeof folder, l->city, FOLDER))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    OM_TRY(om_folder_make_private(folder, err));
    return om_file_write_private(path, text->bytes, text->len, err);
}

/* Not being able to is no error: the legend lasts as long as the process. */
static void store(const struct om_legends *l, const struct om_risk_bound *bound,
                  int32_t zone_s, struct om_legend_data *data)
{
    char ending[24];
    struct om_buf text = {0};
    struct om_err err = {0};
    snprintf(ending, sizeof ending, "@%s", data->period);
    write_data(bound, data, zone_s, &text);
    data->stored = !write_file(l, bound->name, ending, &text, &err);
    if (!data->stored)
        om_log(OM_LOG_DEBUG, "legend", "%s@%s is not stored: %s", bound->name,
               data->period, err.text);
    om_buf_deinit(&text);
}

/* ---- making one -------------------------------------------------------- */

static om_status largest(struct om_fields *fields,
                         const struct om_partition *units,
                         const struct om_risk *risk, double *most)
{
    if (risk->terms == 1) {
        double weight;
        OM_TRY(om_field_scale(fields, &risk->term[0].spec, most, &weight));
        *most *= risk->term[0].factor;
        return OM_OK;
    }
    struct om_risk_spread *spread = NULL;
    OM_TRY(om_risk_spread_new(fields, risk, units, om_risk_zoom(risk, 0.0),
                              &spread));
    *most = spread->most;
    om_risk_spread_free(spread);
    return OM_OK;
}

static om_status make(const struct om_snapshot *snapshot,
                      struct om_fields *fields,
                      const struct om_partition *units,
                      const struct om_risk_bound *bound,
                      struct om_legend_data *out)
{
    if (out->relative) {
        struct om_risk_totals totals;
        OM_TRY(om_risk_totals(fields, &bound->risk, &totals));
        out->mean = totals.mean;
    } else {
        OM_TRY(largest(fields, units, &bound->risk, &out->most));
    }
    out->as_of_s = om_snapshot_as_of(snapshot, NULL);
    out->sequence = snapshot->sequence;
    return OM_OK;
}

om_status om_legend_own(const struct om_snapshot *snapshot,
                        struct om_fields *fields,
                        const struct om_partition *units,
                        const struct om_risk_bound *bound,
                        struct om_legend_data *out)
{
    *out = (struct om_legend_data){.relative = bound->risk.exposures > 0,
                                   .version = 1,
                                   .of = hash_of(bound)};
    snprintf(out->period, sizeof out->period, "%s", bound->period);
    return make(snapshot, fields, units, bound, out);
}

om_status om_legends_get(struct om_legends *legends,
                         const struct om_snapshot *snapshot,
                         struct om_fields *fields,
                         const struct om_partition *units,
                         const struct om_risk_bound *bound, uint64_t epoch,
                         struct om_legend_data *out)
{
    const uint64_t of = hash_of(bound);
    if (!epoch) epoch = snapshot->sequence;
    const bool storable = is_storable(legends, bound);
    int64_t version = 0;
    if (recall(legends, bound, of, epoch, out)) return OM_OK;
    if (storable && fetch(legends, bound, of, &version, out)) {
        remember(legends, out);
        return OM_OK;
    }
    struct om_legend_data data = {.relative = bound->risk.exposures > 0,
                                  .version = version > 0 ? version + 1 : 1,
                                  .of = of,
                                  .epoch = epoch};
    snprintf(data.period, sizeof data.period, "%s", bound->period);
    OM_TRY(make(snapshot, fields, units, bound, &data));
    // Of nothing no legend is kept: there is something tomorrow.
    const double figure = data.relative ? data.mean : data.most;
    if (isfinite(figure) && figure > 0.0) {
        if (storable) store(legends, bound, snapshot->manifest->zone_s, &data);
        remember(legends, &data);
    }
    *out = data;
    return OM_OK;
}

/* ---- back-tests -------------------------------------------------------- */

static void add_real(struct om_buf *out, const char *label, double value)
{
    om_buf_add_text(out, label);
    om_buf_add_json_real(out, value);
}

static void add_red(const struct om_backtest_red *red, struct om_buf *out)
{
    add_real(out, "{\"share\":", red->share);
    add_real(out, ",\"area_km2\":", red->area_km2);
    add_real(out, ",\"events\":", red->events);
    add_real(out, ",\"hit_rate\":", red->hit_rate);
    add_real(out, ",\"pai\":", red->pai);
    add_real(out, ",\"pei\":", red->pei);
    add_real(out, ",\"exposure_share\":", red->exposure_share);
    add_real(out, ",\"from\":", red->from);
    om_buf_add_text(out, "}");
}

om_status om_legend_test_write(const struct om_legend_test *test,
                               int32_t zone_s, struct om_buf *out)
{
    const struct om_backtest *b = &test->result;
    add_time(out, "{\"train\":[", test->train.from_s, zone_s);
    add_time(out, ",", test->train.to_s, zone_s);
    add_time(out, "],\"test\":[", test->test.from_s, zone_s);
    add_time(out, ",", test->test.to_s, zone_s);
    add_real(out, "],\"area_km2\":", b->area_km2);
    add_real(out, ",\"unknown_km2\":", b->unknown_km2);
    om_buf_addf(out, ",\"events\":%llu,\"outside\":%llu,\"cells\":%zu",
                (unsigned long long)b->events, (unsigned long long)b->outside,
                b->cells);
    add_real(out, ",\"cell_m\":", b->cell_m);
    om_buf_add_text(out, ",\"red\":[");
    for (size_t i = 0; i < OM_BACKTEST_SHARES; i++) {
        if (i) om_buf_add_text(out, ",");
        add_red(&b->red[i], out);
    }
    return om_buf_add_text(out, "]}");
}

om_status om_legends_test_put(struct om_legends *legends,
                              const struct om_risk_bound *bound, int32_t zone_s,
                              const struct om_legend_test *test,
                              struct om_err *err)
{
    struct om_buf out = {0};
    if (!legends->city) return OM_OK;
    om_buf_addf(&out,
                "{\"onemap_backtest\":%d,\"of\":\"%016llx\",\"name\":", FORMAT,
                (unsigned long long)hash_of(bound));
    om_buf_add_json_text(&out, bound->name, strlen(bound->name));
    om_buf_add_text(&out, ",\"result\":");
    om_status st = om_legend_test_write(test, zone_s, &out);
    om_buf_add_text(&out, "}\n");
    if (!st) st = write_file(legends, bound->name, ".backtest", &out, err);
    om_buf_deinit(&out);
    return st;
}

static double real_of(const struct om_json *object, const char *key)
{
    return om_json_real(om_json_get(object, key), NAN);
}

static void read_red(const struct om_json *value, struct om_backtest_red *out)
{
    *out = (struct om_backtest_red){
        .share = real_of(value, "share"),
        .area_km2 = real_of(value, "area_km2"),
        .events = real_of(value, "events"),
        .hit_rate = real_of(value, "hit_rate"),
        .pai = real_of(value, "pai"),
        .pei = real_of(value, "pei"),
        .exposure_share = real_of(value, "exposure_share"),
        .from = real_of(value, "from"),
    };
}

static void read_window(const struct om_json *list, struct om_window *out)
{
    const struct om_json *from = om_json_at(list, 0);
    const struct om_json *to = om_json_at(list, 1);
    out->set = true;
    out->from_s =
        om_json_kind(from) == OM_JSON_TEXT ? time_of(from) : INT64_MIN;
    out->to_s = om_json_kind(to) == OM_JSON_TEXT ? time_of(to) : INT64_MAX;
}

static void read_test(const struct om_json *value, struct om_legend_test *out)
{
    struct om_backtest *b = &out->result;
    read_window(om_json_get(value, "train"), &out->train);
    read_window(om_json_get(value, "test"), &out->test);
    b->area_km2 = real_of(value, "area_km2");
    b->unknown_km2 = real_of(value, "unknown_km2");
    b->events = (uint64_t)om_json_integer(om_json_get(value, "events"), 0);
    b->outside = (uint64_t)om_json_integer(om_json_get(value, "outside"), 0);
    b->cells = (size_t)om_json_integer(om_json_get(value, "cells"), 0);
    b->cell_m = real_of(value, "cell_m");
    const struct om_json *red = om_json_get(value, "red");
    for (size_t i = 0; i < OM_BACKTEST_SHARES; i++)
        read_red(om_json_at(red, i), &b->red[i]);
}

bool om_legends_test_get(struct om_legends *legends,
                         const struct om_risk_bound *bound,
                         struct om_legend_test *out)
{
    char path[PATH_BYTES];
    if (!legends->city || !bound->standard ||
        !file_path(legends, bound->name, ".backtest", path))
        return false;
    struct om_json *file = read_file(path);
    const bool good =
        file && same_hash(om_json_get(file, "of"), hash_of(bound)) &&
        om_json_count(om_json_get(om_json_get(file, "result"), "red")) ==
            OM_BACKTEST_SHARES;
    *out = (struct om_legend_test){0};
    if (good) read_test(om_json_get(file, "result"), out);
    om_json_free(file);
    return good;
}
