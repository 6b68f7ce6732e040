// import.c - the rooms put together for writing.
#include "web/import.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/city/committed.h"
#include "data/city/owner.h"
#include "data/model/time.h"
#include "engine/layer/build.h"
#include "engine/policy/still_import.h"
#include "web/import_models.h"
#include "web/import_taken.h"
#include "web/import_units.h"

/* DESIGN
 * A city may be imported into while a server writes it: the lock that is taken
 * here is that of files and city.json, not that of the journal. The server
 * sees the commit and puts what was written meanwhile on top.
 *
 * Everything is written beside the living files, under names that carry the
 * number of the commit to be; only the rename of city.json makes it count.
 * Whatever lies in layers/ and is not named by city.json is left over from an
 * import that died: the next writer, who holds the lock, removes it. */

#define PATH_BYTES 4096
#define LOCK_WAIT_S 120

struct import {
    const char *city;
    struct om_manifest manifest;
    uint64_t sequence;  // of the commit to be
    bool new_city;      // there was no city.json
    int64_t clock_s;    // the city's, as far as the journal moved it; 0: none
    uint64_t began;     // newest sequence of the journal then; 0: none
    int lock;
};

/* ---- the folder ---- */

static bool is_named(const struct om_manifest *m, const char *file)
{
    for (size_t i = 0; i < m->layers; i++)
        for (size_t p = 0; p < m->layer[i].parts; p++)
            if (!strcmp(m->layer[i].part[p].file, file) ||
                !strcmp(m->layer[i].part[p].units_file, file) ||
                !strcmp(m->layer[i].part[p].dead_file, file))
                return true;
    return false;
}

/* Remove what city.json does not name. Not being able to is no error: the
 * files cost room, not answers. */
static void sweep(const struct import *im)
{
    char folder[PATH_BYTES], path[PATH_BYTES], file[PATH_BYTES];
    if (om_path_join(folder, sizeof folder, im->city, "layers")) return;
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        if (om_path_join(file, sizeof file, "layers", entry->d_name)) continue;
        if (is_named(&im->manifest, file)) continue;
        if (!om_path_join(path, sizeof path, im->city, file)) unlink(path);
    }
    closedir(dir);
}

/* A city that nobody named is called like its folder. */
static void name_after_folder(struct om_manifest *m, const char *city)
{
    size_t end = strlen(city);
    while (end > 1 && city[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && city[start - 1] != '/') start--;
    snprintf(m->name, sizeof m->name, "%.*s", (int)(end - start), city + start);
}

/* A server that writes its rows to files has the lock for some seconds, of a
 * large layer for half a minute; another import, for as long as it takes. */
static om_status lock_city(struct import *im, struct om_err *err)
{
    const double start = om_seconds();
    bool said = false;
    for (;;) {
        const om_status st = om_city_lock(im->city, &im->lock, err);
        if (st != OM_E_BUSY || om_seconds() - start > LOCK_WAIT_S) return st;
        if (!said && om_seconds() - start > 1)
            om_log(OM_LOG_INFO, "import",
                   "another process writes files of the city: waiting up to "
                   "%d s for it",
                   LOCK_WAIT_S);
        said = said || om_seconds() - start > 1;
        usleep(100000);
    }
}

static om_status begin_city(struct import *im, const char *begin,
                            struct om_err *err)
{
    char path[PATH_BYTES];
    OM_TRY(om_path_join(path, sizeof path, im->city, "layers"));
    OM_TRY(om_folder_make_private(im->city, err));
    OM_TRY(om_folder_make_private(path, err));
    OM_TRY(lock_city(im, err));
    OM_TRY(om_path_join(path, sizeof path, im->city, "city.json"));
    if (om_file_exists(path)) {
        OM_TRY(om_manifest_read(im->city, &im->manifest, err));
        if (im->manifest.release)
            return om_fail(err, OM_E_EXISTS, 0,
                           "%s is a release: it is made anew by onemap "
                           "publish, never changed",
                           im->city);
        om_owner_look(im->city, true, "import");
        // What is not sure is not built upon, and better said at once.
        OM_TRY(om_import_journal_last(im->city, &im->manifest, &im->began,
                                      &im->clock_s, err));
    } else if (om_committed_exists(im->city)) {
        return om_fail(err, OM_E_DAMAGED, 0,
                       "%s/city.json is gone (bring it back: onemap verify "
                       "CITY --newest)",
                       im->city);
    } else if (begin) {
        im->new_city = true;
        OM_TRY(om_manifest_read(begin, &im->manifest, err));
        im->manifest.id = 0;  // another city
        im->manifest.journal = im->manifest.journal_last = 0;
        for (size_t i = 0; i < im->manifest.layers; i++)
            im->manifest.layer[i].parts = 0;  // files of another folder
    } else {
        im->new_city = true;
        im->manifest = (struct om_manifest){.zone_s = OM_TIME_ZONE_S};
        name_after_folder(&im->manifest, im->city);
    }
    im->sequence = im->manifest.sequence + 1;
    sweep(im);
    return OM_OK;
}

/* Also after a failure: what was half written goes, what is named stays. Where
 * city.json cannot be read, or is an older one, nobody knows what is named, and
 * all stays. */
static void end_city(struct import *im)
{
    struct om_manifest living = {0};
    char path[PATH_BYTES];
    if (im->lock < 0) return;
    bool known = !om_manifest_read(im->city, &living, NULL) &&
                 !om_committed_check(im->city, &living, NULL);
    if (!known && im->new_city &&
        !om_path_join(path, sizeof path, im->city, "city.json"))
        known = !om_file_exists(path) && !om_committed_exists(im->city);
    if (known) {
        om_manifest_deinit(&im->manifest);
        im->manifest = living;
        sweep(im);
    } else {
        om_manifest_deinit(&living);
    }
    close(im->lock);
}

/* ---- one layer ---- */

/* A source column named like a level of units would hide the engine's own. */
static void rename_unit_fields(const struct om_manifest *m,
                               struct om_schema *schema)
{
    for (size_t i = 0; i < schema->count; i++)
        for (size_t l = 0; l < m->levels; l++) {
            if (strcmp(schema->field[i].name, m->level[l])) continue;
            snprintf(schema->field[i].name, sizeof schema->field[i].name,
                     "%.50s_source", m->level[l]);
            om_log(OM_LOG_WARN, "import",
                   "column %s of the source is kept as %s: the name is a level "
                   "of units",
                   m->level[l], schema->field[i].name);
        }
}

static om_status same_columns(const struct om_manifest_layer *layer,
                              const struct om_schema *schema,
                              struct om_err *err)
{
    const struct om_schema *have = &layer->schema;
    if (have->geometry != schema->geometry)
        return om_fail(err, OM_E_TYPE, 0, "layer %s has %ss, the source %ss",
                       layer->name, om_geometry_name(have->geometry),
                       om_geometry_name(schema->geometry));
    bool same = have->count == schema->count;
    for (size_t i = 0; same && i < schema->count; i++)
        same = !strcmp(have->field[i].name, schema->field[i].name) &&
               have->field[i].type == schema->field[i].type;
    return same ? OM_OK
                : om_fail(err, OM_E_TYPE, 0,
                          "the source has other columns than layer %s (map "
                          "them with --map, "
                          "or --replace)",
                          layer->name);
}

static om_status read_rows(struct om_source *source, struct om_builder *builder,
                           const char *layer, struct om_err *err)
{
    struct om_batch batch = {0};
    const double start = om_seconds();
    char what[OM_LIMIT_NAME_BYTES + 8];
    snprintf(what, sizeof what, "read %s", layer);
    om_status st;
    while (!(st = om_source_next(source, &batch, err)) && batch.rows > 0) {
        st = om_builder_add(builder, &batch);
        if (st) {
            om_fail(err, st, 0, "%s: %s", layer, om_status_text(st));
            break;
        }
        om_progress(what, om_source_read(source), om_source_rows(source));
    }
    om_batch_deinit(&batch);
    if (!st)
        om_progress_done(what, om_source_read(source), om_seconds() - start);
    return st;
}

/* Build the segment file of a job. */
static om_status build_file(struct import *im, const struct om_import_job *job,
                            const struct om_manifest_layer *layer,
                            struct om_source *source,
                            const struct om_schema *schema, const char *path,
                            struct om_rejects *rejects,
                            struct om_import_report *report, struct om_err *err)
{
    struct om_builder *builder = NULL;
    struct om_taken *taken = NULL;
    om_status st = om_builder_new(schema, &builder);
    if (st)
        return om_fail(err, st, 0, "%s: %s", job->layer, om_status_text(st));
    om_builder_set_shared(builder, job->unit_level != NULL);
    if (job->mode == OM_IMPORT_APPEND)
        st = om_taken_new(im->city, layer, &taken, err);
    if (taken) om_builder_taken(builder, om_taken_has, taken);
    if (!st) st = read_rows(source, builder, job->layer, err);
    const double start = om_seconds();
    if (!st) st = om_builder_write(builder, path, rejects, err);
    if (!st) {
        char what[OM_LIMIT_NAME_BYTES + 8];
        snprintf(what, sizeof what, "index %s", job->layer);
        report->repaired = om_builder_repaired(builder);
        om_progress_done(what, om_source_read(source), om_seconds() - start);
    }
    om_taken_free(taken);
    om_builder_free(builder);
    return st;
}

static int64_t source_moment(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_mtime
                                  : (int64_t)time(NULL);
}

/* Put the new part into the manifest in memory. */
static om_status note_part(struct import *im, const struct om_import_job *job,
                           const struct om_schema *schema, const char *file,
                           uint64_t rows, struct om_err *err)
{
    struct om_manifest *m = &im->manifest;
    struct om_manifest_layer *layer = om_manifest_find(m, job->layer);
    const size_t keep = job->mode == OM_IMPORT_APPEND ? layer->parts : 0;
    struct om_manifest_part *part =
        om_arena_calloc(&m->arena, keep + 1, sizeof *part);
    if (!part) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    if (keep) memcpy(part, layer->part, keep * sizeof *part);
    snprintf(part[keep].file, sizeof part[keep].file, "%s", file);
    part[keep].rows = rows;
    layer->part = part;
    layer->parts = keep + 1;
    layer->base_commit = im->sequence;
    layer->schema = *schema;
    snprintf(layer->id, sizeof layer->id, "%s",
             schema->field[schema->id_field].name);
    layer->time[0] = '\0';
    if (schema->time_field != OM_NO_FIELD)
        snprintf(layer->time, sizeof layer->time, "%s",
                 schema->field[schema->time_field].name);
    layer->as_of_s = m->clock_s ? m->clock_s : source_moment(job->source.path);
    if (!job->unit_level) return OM_OK;
    if (job->unit_level != layer->unit_level)
        snprintf(layer->unit_level, sizeof layer->unit_level, "%s",
                 job->unit_level);
    const om_status st = om_manifest_add_level(m, layer->unit_level);
    if (st)
        om_fail(err, st, 0, "'%s' cannot name a level of units: %s",
                layer->unit_level, om_status_text(st));
    return st;
}

/* Rows that were written one by one and are in no file yet. */
static om_status has_written(const struct import *im,
                             const struct om_manifest_layer *layer, bool *out,
                             struct om_err *err)
{
    struct om_taken *taken = NULL;
    OM_TRY(om_taken_new(im->city, layer, &taken, err));
    *out = om_taken_written(taken);
    om_taken_free(taken);
    return OM_OK;
}

/* The layer of a job in the manifest, new if need be, checked against mode. */
static om_status prepare_layer(struct import *im, struct om_import_job *job,
                               struct om_manifest_layer **out,
                               struct om_err *err)
{
    if (!om_manifest_name_ok(job->layer))
        return om_fail(
            err, OM_E_FORMAT, 0,
            "'%s' cannot name a layer (letters, digits, _ and - only)",
            job->layer);
    struct om_manifest_layer *layer =
        om_manifest_find(&im->manifest, job->layer);
    if (!layer) layer = om_manifest_add(&im->manifest, job->layer);
    if (!layer) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    bool full = layer->parts > 0;
    if (!full && job->mode == OM_IMPORT_NEW)
        OM_TRY(has_written(im, layer, &full, err));
    if (full && job->mode == OM_IMPORT_NEW)
        return om_fail(err, OM_E_EXISTS, 0,
                       "layer %s has rows already (use --replace or --append)",
                       job->layer);
    if (!job->unit_level && layer->unit_level[0])
        job->unit_level = layer->unit_level;
    if (job->unit_level && job->mode == OM_IMPORT_APPEND)
        return om_fail(err, OM_E_EXISTS, 0,
                       "%s is a level of units: those change only as a whole "
                       "(use --replace)",
                       job->layer);
    *out = layer;
    return OM_OK;
}

/* Does the source offer just the columns that the layer is known by? */
static bool names_agree(const struct om_schema *a, const struct om_schema *b)
{
    bool same = a->count == b->count && a->geometry == b->geometry;
    for (size_t i = 0; same && i < a->count; i++)
        same = om_schema_find(b, a->field[i].name) != OM_NO_FIELD;
    return same;
}

/* Types that the city declares (or that the layer has) win over what a source
 * without types, such as a table of text, looks like. */
static om_status open_source(struct om_import_job *job,
                             const struct om_manifest_layer *layer,
                             struct om_source **out, struct om_err *err)
{
    const bool known = layer->schema.count > 0;
    const bool must_agree = job->mode == OM_IMPORT_APPEND ||
                            (layer->parts == 0 && job->source.maps == 0);
    if (known && must_agree) job->source.schema = &layer->schema;
    OM_TRY(om_source_open(&job->source, out, err));
    if (!known || must_agree || job->source.maps > 0) return OM_OK;
    if (!names_agree(om_source_schema(*out), &layer->schema)) return OM_OK;
    om_source_close(*out);
    *out = NULL;
    job->source.schema = &layer->schema;
    return om_source_open(&job->source, out, err);
}

/* Rows that come to others must have happened; a register that comes as a whole
 * is what its source says. */
static void set_latest(const struct import *im, struct om_import_job *job,
                       const struct om_manifest_layer *layer,
                       bool happened[OM_LIMIT_COLUMNS])
{
    if (job->mode != OM_IMPORT_APPEND) return;
    int64_t clock_s = im->manifest.clock_s;
    if (im->clock_s > clock_s && clock_s) clock_s = im->clock_s;
    if (!clock_s) clock_s = (int64_t)time(NULL);
    om_manifest_happened(&im->manifest, layer, happened);
    job->source.happened = happened;
    job->source.latest_s = clock_s + OM_LIMIT_AHEAD_S;
}

/* Where rejected rows are listed: where the user said, else in the city. */
static om_status open_rejects(struct import *im,
                              const struct om_import_job *job,
                              struct om_import_report *report,
                              struct om_rejects **out, struct om_err *err)
{
    char folder[PATH_BYTES], name[OM_LIMIT_NAME_BYTES * 2];
    char *path = report->rejects_path;
    const size_t room = sizeof report->rejects_path;
    if (job->rejects_path) {
        if ((size_t)snprintf(path, room, "%s", job->rejects_path) >= room)
            return om_fail(err, OM_E_LIMIT, 0, "path too long");
    } else {
        snprintf(name, sizeof name, "%s-%llu.csv", job->layer,
                 (unsigned long long)im->sequence);
        if (om_path_join(folder, sizeof folder, im->city, "rejects") ||
            om_path_join(path, room, folder, name))
            return om_fail(err, OM_E_LIMIT, 0, "path too long");
        OM_TRY(om_folder_make(folder, err));
    }
    return om_rejects_new(path, out, err);
}

/* A list that nobody asked for and that holds nothing goes away again. */
static void drop_empty_rejects(const struct import *im,
                               const struct om_import_job *job,
                               struct om_import_report *report)
{
    char folder[PATH_BYTES];
    if (report->rejected > 0 || job->rejects_path) return;
    unlink(report->rejects_path);
    report->rejects_path[0] = '\0';
    if (!om_path_join(folder, sizeof folder, im->city, "rejects"))
        rmdir(folder);  // stays if it holds the list of another import
}

/* Read, build and note one layer whose source is open. */
static om_status take_layer(struct import *im, const struct om_import_job *job,
                            const struct om_manifest_layer *layer,
                            struct om_source *source, struct om_schema *schema,
                            struct om_rejects *rejects,
                            struct om_import_report *report, struct om_err *err)
{
    char file[OM_LIMIT_NAME_BYTES * 3], path[PATH_BYTES];
    *schema = *om_source_schema(source);
    if (!job->unit_level) rename_unit_fields(&im->manifest, schema);
    if (job->mode == OM_IMPORT_APPEND) OM_TRY(same_columns(layer, schema, err));
    snprintf(file, sizeof file, "layers/%s-%llu.seg", job->layer,
             (unsigned long long)im->sequence);
    if (om_path_join(path, sizeof path, im->city, file))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    OM_TRY(
        build_file(im, job, layer, source, schema, path, rejects, report, err));
    struct om_segment *segment = NULL;
    OM_TRY(om_segment_open(path, NULL, &segment, err));
    report->taken = om_segment_rows(segment);
    om_segment_unref(segment);
    report->read = om_source_read(source);
    if (report->taken == 0 && report->read > 0)
        return om_fail(err, OM_E_FORMAT, 0,
                       "%s: none of %llu rows could be taken, the city stays "
                       "as it is (see %s)",
                       job->layer, (unsigned long long)report->read,
                       report->rejects_path);
    return note_part(im, job, schema, file, report->taken, err);
}

static om_status import_layer(struct import *im, struct om_import_job *job,
                              struct om_import_report *report,
                              struct om_err *err)
{
    struct om_manifest_layer *layer = NULL;
    OM_TRY(prepare_layer(im, job, &layer, err));
    const double start = om_seconds();
    struct om_rejects *rejects = NULL;
    struct om_source *source = NULL;
    bool happened[OM_LIMIT_COLUMNS] = {0};
    struct om_schema *schema = om_calloc(1, sizeof *schema);
    om_status st = schema ? open_rejects(im, job, report, &rejects, err)
                          : om_fail(err, OM_E_MEMORY, 0, "out of memory");
    if (st) goto done;
    job->source.rejects = rejects;
    job->source.zone_s = im->manifest.zone_s;
    set_latest(im, job, layer, happened);
    st = open_source(job, layer, &source, err);
    if (!st)
        st = take_layer(im, job, layer, source, schema, rejects, report, err);
    report->layer = job->layer;
    report->rejected = om_rejects_count(rejects);
    report->seconds = om_seconds() - start;
    report->rejects = rejects;
    if (!st) st = om_rejects_flush(rejects, err);
done:
    om_source_close(source);
    om_free(schema);
    job->source.happened = NULL;  // ours
    if (st) {
        (void)!om_rejects_close(rejects, NULL);
        report->rejects = NULL;
    }
    if (rejects) drop_empty_rejects(im, job, report);
    return st;
}

/* What was written into a layer until now is gone with its old rows, also what
 * was written while we read, which is counted; what is written from now on lies
 * on top of the new ones. Appended rows lie below all that the journal has. */
static om_status supersede(struct import *im, const struct om_import_job *job,
                           struct om_import_report *done, size_t jobs,
                           struct om_err *err)
{
    uint64_t last;
    OM_TRY(om_import_journal_last(im->city, &im->manifest, &last, NULL, err));
    for (size_t i = 0; i < jobs; i++) {
        struct om_manifest_layer *layer =
            om_manifest_find(&im->manifest, job[i].layer);
        if (!layer || job[i].mode == OM_IMPORT_APPEND || last <= layer->applied)
            continue;
        layer->applied = last;
        OM_TRY(om_import_journal_writes(im->city, layer->name, im->began, last,
                                        &done[i].overrun, err));
    }
    return OM_OK;
}

/* A number that no other city has: what is kept of one, by browsers too, must
 * not pass for another's that has taken its place. */
static uint64_t draw_id(void)
{
    uint64_t id = 0;
    if (getrandom(&id, sizeof id, 0) != sizeof id) id = (uint64_t)time(NULL);
    return (id & INT64_MAX) | 1;
}

/* With what was told of persons in the rows that go. A city that cannot be
 * opened may be one that is being mended. */
static om_status commit(const struct import *im,
                        const struct om_import_job *job, size_t jobs,
                        struct om_err *err)
{
    const char **layer = om_alloc_array(jobs + 1, sizeof *layer);
    struct om_still_hold *hold = NULL;
    struct om_err why = {0};
    if (!layer) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    for (size_t i = 0; i < jobs; i++) layer[i] = job[i].layer;
    om_status told = im->new_city
                         ? OM_OK
                         : om_still_hold(im->city, layer, jobs, &hold, &why);
    om_free(layer);
    const om_status st = om_manifest_write(im->city, &im->manifest, err);
    if (!st) om_committed_keep(im->city, &im->manifest);
    const om_status held = om_still_hold_end(hold, !st, &why);
    if (!told) told = held;
    if (told)
        om_log(OM_LOG_WARN, "import",
               "the next server tells of persons as they are: %s", why.text);
    return st;
}

om_status om_import_run(const char *city, const char *begin,
                        struct om_import_job *job, size_t jobs,
                        void (*report)(void *ctx,
                                       const struct om_import_report *report),
                        void *ctx, struct om_err *err)
{
    struct import im = {.city = city, .lock = -1};
    struct om_import_report *done = om_calloc(jobs, sizeof *done);
    if (!done) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    om_status st = begin_city(&im, begin, err);
    for (size_t i = 0; i < jobs && !st; i++)
        st = import_layer(&im, &job[i], &done[i], err);
    if (!st)
        st = om_import_units(city, &im.manifest, im.sequence, NULL, NULL, err);
    if (!st && begin) {
        const bool replace = jobs > 0 && job[0].mode == OM_IMPORT_REPLACE;
        st = om_import_models(city, &im.manifest, begin, replace, err);
    }
    if (!st) st = supersede(&im, job, done, jobs, err);
    if (!st) {
        if (!im.manifest.id) im.manifest.id = draw_id();
        im.manifest.sequence = im.sequence;
        st = commit(&im, job, jobs, err);
    }
    for (size_t i = 0; i < jobs; i++) {
        if (!st && report) report(ctx, &done[i]);
        if (done[i].rejects)
            (void)!om_rejects_close(
                (struct om_rejects *)(uintptr_t)done[i].rejects, NULL);
    }
    end_city(&im);
    om_manifest_deinit(&im.manifest);
    om_free(done);
    return st;
}
