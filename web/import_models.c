// import_models.c - risk models, the plan of what is public, and other members
// that a folder brings along.
#include "web/import_models.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "engine/policy/role.h"
#include "engine/risk/model.h"
#include "web/publish.h"

#define PATH_BYTES 4096
#define MODELS "models"
#define ROLES "roles.json"
#define ENDING ".json"
#define PLAN "publish.json"

static bool is_model(const char *file)
{
    const size_t len = strlen(file), end = strlen(ENDING);
    return file[0] != '.' && len > end && !strcmp(file + len - end, ENDING);
}

/* A model's bytes, checked: what the city could never use stays out. */
static om_status read_model(const char *folder, const char *file,
                            struct om_buf *text, struct om_err *err)
{
    char path[PATH_BYTES], name[PATH_BYTES];
    struct om_err why = {0};
    struct om_model *model = NULL;
    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - strlen(ENDING)),
             file);
    om_status st = om_path_join(path, sizeof path, folder, file);
    if (!st) st = om_file_read(path, OM_MODEL_BYTES_MOST, text, &why);
    if (!st)
        st = om_model_parse((const char *)text->bytes, text->len, name, &model,
                            &why);
    om_model_free(model);
    return st ? om_fail(err, st, why.at, MODELS "/%s: %s", file,
                        why.text[0] ? why.text : om_status_text(st))
              : OM_OK;
}

/* Look at every model, and if `to` is given write it there. */
static om_status each_model(const char *from, const char *to, bool replace,
                            struct om_err *err)
{
    DIR *dir = opendir(from);
    om_status st = OM_OK;
    if (!dir) return OM_OK;  // a folder need not bring any
    for (struct dirent *entry; !st && (entry = readdir(dir));) {
        if (!is_model(entry->d_name)) continue;
        char path[PATH_BYTES];
        struct om_buf text = {0};
        st = read_model(from, entry->d_name, &text, err);
        if (!st && to) {
            st = om_path_join(path, sizeof path, to, entry->d_name);
            if (!st && (replace || !om_file_exists(path)))
                st = om_file_write_whole(path, text.bytes, text.len, err);
        }
        om_buf_deinit(&text);
    }
    closedir(dir);
    return st;
}

static om_status take_members(struct om_manifest *city, const char *folder,
                              struct om_err *err)
{
    struct om_manifest brought = {0};
    OM_TRY(om_manifest_read(folder, &brought, err));
    om_status st = OM_OK;
    const size_t n = om_json_count(brought.document);
    for (size_t i = 0; i < n && !st && city->document; i++) {
        const char *key = "";
        const struct om_json *value = om_json_member(brought.document, i, &key);
        if (!om_json_get(city->document, key))
            st = om_json_set_take(city->document, key, om_json_copy(value));
    }
    om_manifest_deinit(&brought);
    return st;
}

/* What may be public is for the city to say: a folder begins it, no more. */
static om_status take_plan(const char *city_path, const char *folder,
                           bool replace, struct om_err *err)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    struct om_buf text = {0};
    if (om_path_join(from, sizeof from, folder, PLAN) ||
        om_path_join(to, sizeof to, city_path, PLAN))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    if (!om_file_exists(from) || (om_file_exists(to) && !replace)) return OM_OK;
    om_status st = om_file_read(from, OM_LIMIT_JSON_BYTES, &text, err);
    if (!st) st = om_publish_check((const char *)text.bytes, text.len, err);
    if (!st) st = om_file_write_whole(to, text.bytes, text.len, err);
    om_buf_deinit(&text);
    return st;
}

/* Roles that a folder brings, unless the city has its own. */
static om_status take_roles(const char *city, const char *folder, bool replace,
                            struct om_err *err)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    struct om_buf text = {0};
    struct om_roles *roles = NULL;
    if (om_path_join(from, sizeof from, folder, ROLES) ||
        om_path_join(to, sizeof to, city, ROLES))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    if (!om_file_exists(from) || (om_file_exists(to) && !replace))
        return OM_OK;
    om_status st = om_file_read(from, OM_LIMIT_JSON_BYTES, &text, err);
    if (!st)
        st = om_roles_parse((const char *)text.bytes, text.len, ROLES, &roles,
                            err);
    om_roles_unref(roles);
    if (!st) st = om_file_write_whole(to, text.bytes, text.len, err);
    om_buf_deinit(&text);
    return st;
}

om_status om_import_models(const char *city_path, struct om_manifest *city,
                           const char *folder, bool replace, struct om_err *err)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    if (om_path_join(from, sizeof from, folder, MODELS) ||
        om_path_join(to, sizeof to, city_path, MODELS))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    OM_TRY(take_members(city, folder, err));
    OM_TRY(each_model(from, NULL, replace, err));
    OM_TRY(take_plan(city_path, folder, replace, err));
    OM_TRY(take_roles(city_path, folder, replace, err));
    if (!om_file_exists(from)) return OM_OK;
    OM_TRY(om_folder_make(to, err));
    return each_model(from, to, replace, err);
}
