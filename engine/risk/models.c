// models.c - the models of a city: CITY/models/, read beside a snapshot.
#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "engine/policy/unsaid.h"
#include "engine/risk/bind_internal.h"

#define PATH_BYTES 4096
#define ENDING ".json"
/* Models of a city: all of them are checked at every commit. */
#define MODELS_MOST 256

struct counted_models {
    struct om_models public;  // first: handed out as such
    atomic_size_t refs;
};

struct om_models *om_models_ref(struct om_models *models)
{
    atomic_fetch_add(&((struct counted_models *)models)->refs, 1);
    return models;
}

void om_models_unref(struct om_models *models)
{
    struct counted_models *c = (struct counted_models *)models;
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1) return;
    for (size_t i = 0; i < models->count; i++)
        om_model_free(models->entry[i].model);
    om_free(models->entry);
    om_exposures_deinit(&models->exposures);
    om_free(c);
}

const struct om_model_entry *om_models_find(const struct om_models *models,
                                            const char *name)
{
    for (size_t i = 0; i < models->count; i++)
        if (!strcmp(models->entry[i].name, name)) return &models->entry[i];
    return NULL;
}

bool om_exposure_seen(const struct om_exposure *e,
                      const struct om_snapshot *snapshot)
{
    const struct om_layer *layer = om_snapshot_layer(snapshot, e->layer);
    if (!layer) return om_snapshot_has_layer(snapshot, e->layer);
    return !om_layer_unsaid(layer, e->weight) &&
           !om_layer_unsaid(layer, e->filter);
}

static bool term_seen(const struct om_model_term *term,
                      const struct om_snapshot *snapshot)
{
    const char *const text[] = {term->filter, term->since, term->until,
                                term->weight, term->severity.column};
    const struct om_layer *layer = om_snapshot_layer(snapshot, term->layer);
    bool seen = layer || om_snapshot_has_layer(snapshot, term->layer);
    for (size_t i = 0; layer && seen && i < sizeof text / sizeof *text; i++)
        seen = !om_layer_unsaid(layer, text[i]);
    return seen;
}

bool om_model_seen(const struct om_models *models,
                   const struct om_model_entry *entry,
                   const struct om_snapshot *snapshot)
{
    const struct om_model *m = entry->model;
    bool seen = m != NULL;
    for (size_t i = 0; seen && i < m->terms; i++)
        seen = term_seen(&m->term[i], snapshot);
    for (size_t i = 0; seen && i < m->pers; i++) {
        const struct om_exposure *e =
            om_exposures_find(&models->exposures, m->per[i].per);
        seen = e && om_exposure_seen(e, snapshot);
    }
    return seen;
}

om_status om_model_check(const struct om_model *model,
                         const struct om_exposures *exposures,
                         const struct om_snapshot *snapshot, struct om_err *err)
{
    if (om_snapshot_layer(snapshot, model->name))
        return om_fail(err, OM_E_EXISTS, 0,
                       "name: a layer is called %s, too, and would hide the "
                       "model",
                       model->name);
    struct om_risk_bound *bound = NULL;
    OM_TRY(om__bind(snapshot, exposures, model,
                    &(struct om_risk_ask){.name = model->name}, &bound, NULL,
                    err));
    om_risk_bound_free(bound);
    return OM_OK;
}

static om_status read_entry(const char *folder, const char *file,
                            const struct om_models *models,
                            const struct om_snapshot *snapshot,
                            struct om_model_entry *out)
{
    char path[PATH_BYTES];
    struct om_buf text = {0};
    struct om_err why = {0};
    snprintf(out->name, sizeof out->name, "%.*s",
             (int)(strlen(file) - strlen(ENDING)), file);
    om_status st = om_path_join(path, sizeof path, folder, file);
    if (!st) st = om_file_read(path, OM_MODEL_BYTES_MOST, &text, &why);
    if (!st)
        st = om_model_parse((const char *)text.bytes, text.len, out->name,
                            &out->model, &why);
    om_buf_deinit(&text);
    if (!st && models->exposures_status && out->model->pers) {
        st = models->exposures_status;
        why = models->exposures_err;
    }
    if (!st)
        st = om_model_check(out->model, &models->exposures, snapshot, &why);
    if (!st) return OM_OK;
    om_model_free(out->model);
    out->model = NULL;
    if (st == OM_E_MEMORY) return st;
    om_fail(&out->err, st, why.at, "models/%s: %s", file,
            why.text[0] ? why.text : om_status_text(st));
    return OM_OK;
}

static bool is_model(const char *file)
{
    const size_t len = strlen(file), end = strlen(ENDING);
    return file[0] != '.' && len > end && len - end < OM_LIMIT_NAME_BYTES &&
           !strcmp(file + len - end, ENDING);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Names of the folder's files, sorted. */
static om_status list_files(DIR *dir, char (**out)[OM_LIMIT_NAME_BYTES + 8],
                            size_t *count)
{
    size_t room = 0;
    for (struct dirent *entry;
         *count < MODELS_MOST && (entry = readdir(dir));) {
        if (!is_model(entry->d_name)) continue;
        if (*count == room) {
            room = room ? 2 * room : 16;
            void *grown = om_realloc(*out, room * sizeof **out);
            if (!grown) return OM_E_MEMORY;
            *out = grown;
        }
        snprintf((*out)[(*count)++], sizeof **out, "%s", entry->d_name);
    }
    if (*count) qsort(*out, *count, sizeof **out, by_name);
    return OM_OK;
}

static om_status read_folder(const char *folder,
                             const struct om_snapshot *snapshot,
                             struct om_models *models, struct om_err *err)
{
    DIR *dir = opendir(folder);
    if (!dir && (errno == ENOENT || errno == ENOTDIR)) return OM_OK;
    if (!dir)
        return om_fail(err, OM_E_IO, 0, "%s: %s", folder, strerror(errno));
    char(*file)[OM_LIMIT_NAME_BYTES + 8] = NULL;
    size_t count = 0;
    om_status st = list_files(dir, &file, &count);
    closedir(dir);
    if (!st && count) {
        models->entry = om_calloc(count, sizeof *models->entry);
        if (!models->entry) st = OM_E_MEMORY;
    }
    for (size_t i = 0; i < count && !st; i++) {
        st = read_entry(folder, file[i], models, snapshot, &models->entry[i]);
        models->count++;
    }
    om_free(file);
    return st;
}

/* What the entry lacks, of those before. */
static void stand_in(struct om_model_entry *entry,
                     const struct om_models *models,
                     const struct om_models *before,
                     const struct om_snapshot *snapshot)
{
    const struct om_model_entry *was =
        entry->model ? NULL : om_models_find(before, entry->name);
    if (was && was->model &&
        !om_model_check(was->model, &models->exposures, snapshot, NULL))
        entry->model = om_model_ref(was->model);
}

static om_status read_models(const char *folder,
                             const struct om_snapshot *snapshot,
                             const struct om_models *before,
                             struct om_models *models, struct om_err *err)
{
    om_status st = om_exposures_read(snapshot->manifest, &models->exposures,
                                     &models->exposures_err);
    if (st == OM_E_MEMORY) return st;
    models->exposures_status = st;
    if (st && before && !before->exposures_status) {
        OM_TRY(om_exposures_copy(&before->exposures, &models->exposures));
        models->exposures_status = OM_OK;
    }
    OM_TRY(read_folder(folder, snapshot, models, err));
    for (size_t i = 0; before && i < models->count; i++)
        stand_in(&models->entry[i], models, before, snapshot);
    return OM_OK;
}

om_status om_models_fault(const struct om_models *models, struct om_err *err)
{
    const struct om_err *e = &models->exposures_err;
    if (e->code) return om_fail(err, e->code, 0, "city.json: %s", e->text);
    for (size_t i = 0; i < models->count; i++) {
        e = &models->entry[i].err;
        if (e->code) return om_fail(err, e->code, 0, "%s", e->text);
    }
    return OM_OK;
}

om_status om_models_read(const char *city, const struct om_snapshot *snapshot,
                         struct om_models **out, struct om_err *err)
{
    return om_models_reread(city, snapshot, NULL, out, err);
}

om_status om_models_reread(const char *city, const struct om_snapshot *snapshot,
                           const struct om_models *before,
                           struct om_models **out, struct om_err *err)
{
    char folder[PATH_BYTES];
    *out = NULL;
    if (om_path_join(folder, sizeof folder, city, "models"))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    struct counted_models *c = om_calloc(1, sizeof *c);
    if (!c) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    atomic_init(&c->refs, 1);
    struct om_models *models = &c->public;
    const om_status st = read_models(folder, snapshot, before, models, err);
    if (st == OM_E_MEMORY) om_fail(err, st, 0, "out of memory");
    if (st)
        om_models_unref(models);
    else
        *out = models;
    return st;
}
