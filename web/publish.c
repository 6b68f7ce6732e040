/* publish.c - a release from beginning to end.
 *
 * DESIGN
 * A release is made in a folder beside the one it is to become and gets its
 * name in one step, also in the place of an older one, which a server may be
 * serving: it sees the new city.json within a second, and what it holds open of
 * the old one stays until it lets go.
 *
 * The id of a release is a hash of all that is in it: the same city and plan
 * make the same bytes. In the place of an older release it is made with that
 * one's sequence first; if the ids are the same, nothing has changed and the
 * older one stays, else it is made again with the next sequence, because a name
 * of a file and a sequence stand for one content only.
 */
#include "web/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/city/sums.h"
#include "data/city/whole.h"
#include "web/import_units.h"
#include "web/publish_topics.h"

#define PLAN_FILE "publish.json"
#define REPORT_FILE "report.json"
#define WORDS_FILE "report.txt"

/* The release that is there already. */
struct older {
    bool there;
    uint64_t id, sequence;
    struct om_city *city;
    struct om_snapshot *snapshot;
};

static void older_deinit(struct older *older)
{
    om_snapshot_unref(older->snapshot);
    if (older->city) om_city_close(older->city);
}

static om_status look_for_older(const struct om_publish_options *o,
                                struct older *out, struct om_err *err)
{
    struct om_manifest m = {0};
    *out = (struct older){0};
    if (!om_file_exists(o->out)) return OM_OK;
    if (!o->replace)
        return om_fail(err, OM_E_EXISTS, 0,
                       "%s exists already (--replace takes its place)", o->out);
    if (om_manifest_read(o->out, &m, NULL) || !m.release) {
        om_manifest_deinit(&m);
        return om_fail(err, OM_E_EXISTS, 0,
                       "%s is there and no release: only a release is replaced",
                       o->out);
    }
    *out = (struct older){.there = true, .id = m.id, .sequence = m.sequence};
    om_manifest_deinit(&m);
    OM_TRY(om_city_open(o->out, &out->city, err));
    out->snapshot = om_city_snapshot(out->city);
    return out->snapshot ? OM_OK
                         : om_fail(err, OM_E_MEMORY, 0, "out of memory");
}

/* The folder's own place, so that a link to a release keeps pointing to it. */
static om_status resolve(const char *out, char real[OM__PUBLISH_PATH_BYTES],
                         struct om_err *err)
{
    char *found = om_file_exists(out) ? realpath(out, NULL) : NULL;
    const int n =
        snprintf(real, OM__PUBLISH_PATH_BYTES, "%s", found ? found : out);
    free(found);
    return n < OM__PUBLISH_PATH_BYTES
               ? OM_OK
               : om_fail(err, OM_E_LIMIT, 0, "path too long");
}

static om_status read_plan(const struct om_publish_options *o,
                           const struct om_snapshot *snapshot,
                           struct om__publish_plan *out, struct om_err *err)
{
    char path[OM__PUBLISH_PATH_BYTES];
    struct om_buf text = {0};
    struct om_err why = {0};
    if (o->plan ? snprintf(path, sizeof path, "%s", o->plan) >= (int)sizeof path
                : om_path_join(path, sizeof path, o->city, PLAN_FILE) != OM_OK)
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    om_status st = om_file_read(path, OM_LIMIT_JSON_BYTES, &text, &why);
    if (st == OM_E_NOTFOUND)
        om_fail(err, st, 0,
                "%s is not there: it lists what may be public, and without it "
                "nothing is (onemap help publish)",
                path);
    else if (st && err)
        *err = why;
    if (!st)
        st = om__publish_plan_read((const char *)text.bytes, text.len, snapshot,
                                   out, err);
    om_buf_deinit(&text);
    return st;
}

/* ---- the report ---- */

static om_status report_layer(struct om__release *r, struct om_json *list,
                              const struct om__publish_layer *what)
{
    struct om_json *one = om_json_object(), *columns = om_json_list();
    OM_TRY(om_json_add_take(list, one));
    OM_TRY(om_json_set_take(one, "columns", columns));
    OM_TRY(om_json_set_take(one, "layer", om_json_of_text(what->layer->name)));
    OM_TRY(
        om_json_set_take(one, "rows", om_json_of_integer((int64_t)what->rows)));
    om_buf_addf(&r->words, "%s: %llu rows of", what->layer->name,
                (unsigned long long)what->rows);
    for (size_t c = 0; c < what->schema.count; c++) {
        OM_TRY(om_json_add_take(columns,
                                om_json_of_text(what->schema.field[c].name)));
        om_buf_addf(&r->words, "%s %s", c ? "," : "",
                    what->schema.field[c].name);
    }
    return om_buf_add_text(&r->words, "\n");
}

static om_status report_layers(struct om__release *r)
{
    struct om_json *list = om_json_list();
    OM_TRY(om_json_set_take(r->report, "layers", list));
    for (size_t i = 0; i < r->plan->layers; i++)
        OM_TRY(report_layer(r, list, &r->plan->layer[i]));
    return OM_OK;
}

static om_status begin_report(struct om__release *r)
{
    const struct om_manifest *m = &r->manifest;
    r->report = om_json_object();
    OM_TRY(om_json_set_take(r->report, "release", om_json_of_text(m->name)));
    OM_TRY(om_json_set_take(r->report, "synthetic",
                            om_json_of_truth(m->synthetic)));
    return om_buf_addf(&r->words, "%s%s\n\n", m->name,
                       m->synthetic ? " (合成数据 synthetic)" : "");
}

static om_status write_report(struct om__release *r, struct om_err *err)
{
    char path[OM__PUBLISH_PATH_BYTES];
    struct om_buf text = {0};
    om_status st = om_json_write(r->report, true, &text);
    if (!st) st = om_buf_add_byte(&text, '\n');
    if (!st) st = om_path_join(path, sizeof path, r->folder, REPORT_FILE);
    if (!st) st = om_file_write_whole(path, text.bytes, text.len, err);
    om_buf_deinit(&text);
    if (!st) st = om_path_join(path, sizeof path, r->folder, WORDS_FILE);
    if (!st) st = om_file_write_whole(path, r->words.bytes, r->words.len, err);
    return st;
}

/* What of the city is not in the release: for whoever publishes, not for the
 * folder, since what a city keeps is not public either. */
static void tell_inside(const struct om__publish_plan *plan,
                        struct om_buf *words)
{
    const struct om_snapshot *s = plan->snapshot;
    size_t inside = 0;
    for (size_t i = 0; i < s->layers; i++) {
        bool out = false;
        for (size_t l = 0; l < plan->layers; l++)
            out = out || plan->layer[l].layer == &s->layer[i];
        if (out) continue;
        om_buf_addf(words, "%s %s",
                    inside++ ? "," : "stays inside:", s->layer[i].name);
    }
    if (inside) om_buf_add_text(words, "\n");
    for (size_t l = 0; l < plan->layers; l++) {
        const struct om__publish_layer *p = &plan->layer[l];
        const size_t own = p->layer->schema.count - p->layer->unit_columns;
        size_t held = 0;
        for (size_t c = 0; c < own; c++) {
            const char *name = p->layer->schema.field[c].name;
            if (om_schema_find(&p->schema, name) != OM_NO_FIELD) continue;
            if (!held++)
                om_buf_addf(words, "columns of %s that stay inside: %s",
                            p->layer->name, name);
            else
                om_buf_addf(words, ", %s", name);
        }
        if (held) om_buf_add_text(words, "\n");
    }
}

/* ---- the release ---- */

/* The id follows from everything else, so it is put in last. */
static om_status seal(struct om__release *r, struct om_err *err)
{
    uint64_t hash;
    OM_TRY(om_manifest_write(r->folder, &r->manifest, err));
    OM_TRY(om_sums_write(r->folder, &hash, err));
    r->manifest.id = (hash & INT64_MAX) | 1;
    OM_TRY(om_manifest_write(r->folder, &r->manifest, err));
    return om_sums_write(r->folder, NULL, err);
}

/* Figures lie in their regions and in no other units; other rows lie in units,
 * and regions are none. */
static bool wanted(void *ctx, const char *layer, const char *level)
{
    const struct om__topics *topics = ctx;
    char region[OM_LIMIT_NAME_BYTES], statistic[OM_LIMIT_NAME_BYTES];
    for (size_t i = 0; i < topics->families; i++) {
        if (om__family_names(&topics->family[i], region, statistic, NULL))
            continue;
        if (!strcmp(layer, statistic)) return !strcmp(level, region);
        if (!strcmp(level, region)) return false;
    }
    return true;
}

static om_status make(struct om__release *r, struct om_err *err)
{
    char path[OM__PUBLISH_PATH_BYTES];
    OM_TRY(om_path_join(path, sizeof path, r->folder, "layers"));
    OM_TRY(om_folder_make(path, err));
    OM_TRY(om__publish_city(r, err));
    om_status st = begin_report(r);
    if (!st) st = om__publish_about(r, err);
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "out of memory");
    if (st) return st;
    for (size_t i = 0; i < r->plan->layers; i++)
        OM_TRY(om__publish_rows(r, &r->plan->layer[i], err));
    st = report_layers(r);
    if (!st) st = om__statistics_write(r, r->topics, err);
    if (!st)
        st = om_import_units(r->folder, &r->manifest, r->sequence, wanted,
                             (void *)(uintptr_t)r->topics, err);
    if (!st) st = write_report(r, err);
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "out of memory");
    return st ? st : seal(r, err);
}

static void release_deinit(struct om__release *r)
{
    om_manifest_deinit(&r->manifest);
    om_buf_deinit(&r->words);
    om_json_free(r->report);
}

/* Make it with a sequence and, unless it is what is there, give it its name. */
static om_status make_whole(const char *out,
                            const struct om__publish_plan *plan,
                            const struct om__topics *topics,
                            const struct older *older, uint64_t sequence,
                            bool *same, struct om_buf *words,
                            struct om_err *err)
{
    struct om_whole whole;
    struct om__release r = {
        .plan = plan, .topics = topics, .sequence = sequence};
    om_status st = om_whole_begin(out, "publishing", &whole, err);
    r.folder = whole.folder;
    if (!st) st = make(&r, err);
    *same = !st && older->there && r.manifest.id == older->id;
    const bool again = older->there && sequence == older->sequence && !*same;
    if (!st && !*same && !again)
        st = om_whole_commit(&whole, older->there, err);
    if (!st && !again) st = om_buf_add(words, r.words.bytes, r.words.len);
    om_whole_end(&whole);
    release_deinit(&r);
    return st;
}

/* Statistics, with regions and figures made. */
static om_status read_topics(const struct om__publish_plan *plan,
                             const struct older *older, bool withdraw,
                             struct om__topics *out, struct om_err *err)
{
    const struct om_json *earlier =
        older->there
            ? om_json_get(older->snapshot->manifest->document, "release")
            : NULL;
    OM_TRY(om__topics_read(plan, earlier, out, err));
    // Figures can be told once: a slip in a plan must not lose them.
    if (out->withdrawn && !withdraw)
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: statistics: topic %.60s of %.60s is out "
                       "and not listed any more with its filter%s: list it as "
                       "it was, or take it back for good (--withdraw), since "
                       "it can never be told again",
                       out->withdrawn_topic, out->withdrawn_period,
                       out->withdrawn > 1 ? " (and others)" : "");
    for (size_t i = 0; i < out->families; i++)
        OM_TRY(om__regions_make(plan->snapshot, out, older->snapshot,
                                &out->family[i], err));
    return OM_OK;
}

static om_status run(const struct om_publish_options *o,
                     const struct om_snapshot *snapshot, struct om_buf *words,
                     struct om_err *err)
{
    char out[OM__PUBLISH_PATH_BYTES];
    struct older older = {0};
    struct om__publish_plan plan = {0};
    struct om__topics topics = {0};
    bool same = false;
    if (snapshot->manifest->release)
        return om_fail(err, OM_E_FORMAT, 0,
                       "%s is a release itself: publish the city it was made "
                       "of",
                       o->city);
    om_status st = look_for_older(o, &older, err);
    if (!st) st = resolve(o->out, out, err);
    if (!st) st = read_plan(o, snapshot, &plan, err);
    if (!st) st = read_topics(&plan, &older, o->withdraw, &topics, err);
    if (!st)
        st = make_whole(out, &plan, &topics, &older,
                        older.there ? older.sequence : 1, &same, words, err);
    if (!st && older.there && !same)
        st = make_whole(out, &plan, &topics, &older, older.sequence + 1, &same,
                        words, err);
    if (!st) {
        om_buf_add_text(words, "\n");
        if (same) om_buf_add_text(words, "nothing has changed since\n");
        st = om__told_words(&topics, !older.there, words);
        tell_inside(&plan, words);
        if (!st) st = words->status;
    }
    om__topics_deinit(&topics);
    om__publish_plan_deinit(&plan);
    older_deinit(&older);
    return st;
}

om_status om_publish_run(const struct om_publish_options *options,
                         struct om_buf *words, struct om_err *err)
{
    struct om_city *city = NULL;
    OM_TRY(om_city_open(options->city, &city, err));
    struct om_snapshot *snapshot = om_city_snapshot(city);
    const om_status st = run(options, snapshot, words, err);
    om_snapshot_unref(snapshot);
    om_city_close(city);
    return st;
}
