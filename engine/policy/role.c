// role.c - reading roles.json.
#include "engine/policy/role.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/hash.h"
#include "data/city/roles_text.h"
#include "data/json.h"

#define FILE_NAME "roles.json"
#define PATH_BYTES 4096
/* Roles of a city, names of one list: far above what anybody can oversee. */
#define ROLES_MAX 256
#define NAMES_MAX 4096
#define COUNT_MAX 1000000
#define COUNT_DEFAULT 10

static const char *const EVERY[] = {"*"};
#define ALL_NAMES                              \
    {                                          \
        .all = true, .count = 1, .name = EVERY \
    }

const struct om_role OM_ROLE_LOCAL = {.name = "local",
                                      .layers = ALL_NAMES,
                                      .write = ALL_NAMES,
                                      .personal = OM_PERSONAL_COUNTS,
                                      .smallest_count = COUNT_DEFAULT,
                                      .export = true,
                                      .operate = true,
                                      .hash = 1};
const struct om_role OM_ROLE_PUBLIC = {.name = "public",
                                       .layers = ALL_NAMES,
                                       .personal = OM_PERSONAL_NONE,
                                       .smallest_count = COUNT_DEFAULT,
                                       .export = true,
                                       .hash = 2};
const struct om_role OM_ROLE_ALL = {.name = "admin",
                                    .layers = ALL_NAMES,
                                    .write = ALL_NAMES,
                                    .personal = OM_PERSONAL_ROWS,
                                    .smallest_count = 1,
                                    .export = true,
                                    .operate = true,
                                    .hash = 3};

struct roles {
    struct om_roles public;  // first: handed out as such
    atomic_size_t refs;
    struct om_arena arena;
};

static struct roles *roles_of(struct om_roles *roles)
{
    return (struct roles *)(void *)roles;
}

struct om_roles *om_roles_ref(struct om_roles *roles)
{
    atomic_fetch_add(&roles_of(roles)->refs, 1);
    return roles;
}

void om_roles_unref(struct om_roles *roles)
{
    if (!roles || atomic_fetch_sub(&roles_of(roles)->refs, 1) > 1) return;
    om_arena_deinit(&roles_of(roles)->arena);
    om_free(roles);
}

bool om_names_have(const struct om_names *names, const char *name)
{
    if (names->all) return true;
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(names->name[i], name)) return true;
    return false;
}

bool om_role_sees(const struct om_role *role, const char *layer)
{
    return om_names_have(&role->layers, layer) &&
           !om_names_have(&role->without, layer);
}

bool om_role_writes(const struct om_role *role, const char *layer)
{
    return om_names_have(&role->write, layer) &&
           !om_names_have(&role->without, layer);
}

const struct om_role *om_roles_find(const struct om_roles *roles,
                                    const char *name)
{
    for (size_t i = 0; i < roles->count; i++)
        if (!strcmp(roles->role[i].name, name)) return &roles->role[i];
    return NULL;
}

/* ---- reading ---- */

struct reader {
    struct om_arena *arena;
    struct om_err *err;
    const char *file, *role;
};

static om_status fault(const struct reader *r, const char *member,
                       const char *format, ...) OM_PRINTF(3, 4);
static om_status fault(const struct reader *r, const char *member,
                       const char *format, ...)
{
    char text[OM_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return om_fail(r->err, OM_E_FORMAT, 0, "%s: roles.%.40s.%.40s: %s", r->file,
                   r->role, member, text);
}

static om_status no_memory(const struct reader *r)
{
    return om_fail(r->err, OM_E_MEMORY, 0, "out of memory");
}

static om_status copy_name(const struct reader *r, const char *member,
                           const struct om_json *value, const char **out)
{
    const char *text = om_json_text(value, NULL);
    if (!text || !*text || strlen(text) >= OM_LIMIT_NAME_BYTES)
        return fault(r, member, "a name is a text of 1 to %d bytes",
                     OM_LIMIT_NAME_BYTES - 1);
    *out = om_arena_text(r->arena, text, strlen(text));
    return *out ? OM_OK : no_memory(r);
}

static om_status read_names(const struct reader *r, const char *member,
                            const struct om_json *list, struct om_names *out)
{
    const size_t count = om_json_count(list);
    if (om_json_kind(list) == OM_JSON_NONE) return OM_OK;
    if (om_json_kind(list) != OM_JSON_LIST || count > NAMES_MAX)
        return fault(r, member, "not a list of at most %d names", NAMES_MAX);
    const char **name = om_arena_calloc(r->arena, count + 1, sizeof *name);
    if (!name) return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        OM_TRY(copy_name(r, member, om_json_at(list, i), &name[i]));
        if (!strcmp(name[i], "*")) out->all = true;
    }
    if (out->all && count > 1)
        return fault(r, member, "\"*\" is all of them, and stands alone");
    out->count = count;
    out->name = name;
    return OM_OK;
}

static om_status read_columns(const struct reader *r,
                              const struct om_json *object, struct om_role *out)
{
    const size_t count = om_json_count(object);
    if (om_json_kind(object) == OM_JSON_NONE) return OM_OK;
    if (om_json_kind(object) != OM_JSON_OBJECT || count > NAMES_MAX)
        return fault(r, "columns", "not an object of lists, by layer");
    struct om_role_columns *of =
        om_arena_calloc(r->arena, count + 1, sizeof *of);
    if (!of) return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        const char *layer = "";
        const struct om_json *list = om_json_member(object, i, &layer);
        of[i].layer = om_arena_text(r->arena, layer, strlen(layer));
        if (!of[i].layer) return no_memory(r);
        OM_TRY(read_names(r, "columns", list, &of[i].shown));
    }
    out->columns_of = count;
    out->columns = of;
    return OM_OK;
}

static om_status read_personal(const struct reader *r,
                               const struct om_json *value,
                               enum om_personal *out)
{
    const char *text = om_json_text(value, "");
    *out = OM_PERSONAL_NONE;
    if (om_json_kind(value) == OM_JSON_NONE || !strcmp(text, "none"))
        return OM_OK;
    *out = OM_PERSONAL_COUNTS;
    if (!strcmp(text, "counts")) return OM_OK;
    *out = OM_PERSONAL_ROWS;
    if (!strcmp(text, "rows")) return OM_OK;
    return fault(r, "personal", "one of \"none\", \"counts\" and \"rows\"");
}

static om_status read_truth(const struct reader *r, const struct om_json *role,
                            const char *member, bool *out)
{
    const struct om_json *value = om_json_get(role, member);
    *out = om_json_true(value, false);
    return om_json_kind(value) == OM_JSON_NONE ||
                   om_json_kind(value) == OM_JSON_BOOLEAN
               ? OM_OK
               : fault(r, member, "true or false");
}

static om_status read_numbers(const struct reader *r,
                              const struct om_json *role, struct om_role *out)
{
    const struct om_json *count = om_json_get(role, "smallest_count");
    const struct om_json *rate = om_json_get(role, "rate_per_s");
    const int64_t least = om_json_integer(
        count, om_json_kind(count) == OM_JSON_NONE ? COUNT_DEFAULT : 0);
    if (least < 1 || least > COUNT_MAX)
        return fault(r, "smallest_count", "a whole number from 1 to %d",
                     COUNT_MAX);
    out->smallest_count = (uint64_t)least;
    out->rate_per_s =
        om_json_real(rate, om_json_kind(rate) == OM_JSON_NONE ? 0 : -1);
    if (!isfinite(out->rate_per_s) || out->rate_per_s < 0)
        return fault(r, "rate_per_s", "requests a second; 0 is no limit");
    return OM_OK;
}

/* A misspelt member would be a right that nobody meant. */
static om_status check_members(const struct reader *r,
                               const struct om_json *role)
{
    static const char *const known[] = {
        "layers",        "without",    "columns", "personal", "area",
        "smallest_cell", "rate_per_s", "export",  "operate",  "smallest_count",
        "write",         "title",      "title_en"};
    for (size_t i = 0; i < om_json_count(role); i++) {
        const char *key = "";
        size_t k = 0;
        om_json_member(role, i, &key);
        while (k < sizeof known / sizeof *known && strcmp(known[k], key) != 0)
            k++;
        if (k == sizeof known / sizeof *known)
            return fault(r, key, "there is no such member");
    }
    return OM_OK;
}

static om_status hash_role(const struct om_json *role, const char *name,
                           uint64_t *out)
{
    struct om_buf text = {0};
    om_buf_add(&text, name, strlen(name) + 1);
    om_status st = om_json_write(role, false, &text);
    // Never one of those that have no text.
    *out = om_hash64(text.bytes, text.len, 0) | (uint64_t)1 << 63;
    om_buf_deinit(&text);
    return st;
}

static om_status read_role(struct reader *r, const struct om_json *role,
                           struct om_role *out)
{
    out->name = r->role;
    if (om_json_kind(role) != OM_JSON_OBJECT)
        return fault(r, "", "a role is an object");
    OM_TRY(check_members(r, role));
    if (om_json_kind(om_json_get(role, "layers")) == OM_JSON_NONE)
        return fault(r, "layers",
                     "missing: which layers it sees; [\"*\"] is all");
    OM_TRY(read_names(r, "layers", om_json_get(role, "layers"), &out->layers));
    OM_TRY(
        read_names(r, "without", om_json_get(role, "without"), &out->without));
    OM_TRY(read_names(r, "area", om_json_get(role, "area"), &out->area));
    if (out->area.all) return fault(r, "area", "levels of units, by name");
    OM_TRY(read_names(r, "write", om_json_get(role, "write"), &out->write));
    OM_TRY(read_columns(r, om_json_get(role, "columns"), out));
    OM_TRY(read_personal(r, om_json_get(role, "personal"), &out->personal));
    const struct om_json *cell = om_json_get(role, "smallest_cell");
    if (om_json_kind(cell) != OM_JSON_NONE)
        OM_TRY(copy_name(r, "smallest_cell", cell, &out->smallest_cell));
    OM_TRY(read_numbers(r, role, out));
    OM_TRY(read_truth(r, role, "export", &out->export));
    OM_TRY(read_truth(r, role, "operate", &out->operate));
    return hash_role(role, out->name, &out->hash);
}

static om_status read_all(struct reader *r, const struct om_json *document,
                          struct om_roles *out)
{
    const struct om_json *list = om_json_get(document, "roles");
    const size_t count = om_json_count(list);
    if (om_json_kind(list) != OM_JSON_OBJECT || !count || count > ROLES_MAX)
        return om_fail(r->err, OM_E_FORMAT, 0,
                       "%s: \"roles\" is not an object of 1 to %d roles",
                       r->file, ROLES_MAX);
    struct om_role *role = om_arena_calloc(r->arena, count, sizeof *role);
    if (!role) return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        const char *key = "";
        const struct om_json *one = om_json_member(list, i, &key);
        r->role = om_arena_text(r->arena, key, strlen(key));
        if (!r->role) return no_memory(r);
        if (!*key || strlen(key) >= OM_LIMIT_NAME_BYTES ||
            strcspn(key, " \t\r\n\"<>&") != strlen(key))
            return fault(r, "", "a role's name has 1 to %d bytes, no blanks",
                         OM_LIMIT_NAME_BYTES - 1);
        OM_TRY(read_role(r, one, &role[i]));
    }
    out->count = count;
    out->role = role;
    return OM_OK;
}

om_status om_roles_parse(const char *text, size_t len, const char *name,
                         struct om_roles **out, struct om_err *err)
{
    struct om_json *document = NULL;
    *out = NULL;
    struct roles *roles = om_calloc(1, sizeof *roles);
    if (!roles) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    atomic_init(&roles->refs, 1);
    struct om_err why = {0};
    struct reader reader = {.arena = &roles->arena, .err = err, .file = name};
    om_status st = om_json_parse(text, len, &document, &why);
    if (st) om_fail(err, st, why.at, "%s: %s", name, why.text);
    if (!st) st = read_all(&reader, document, &roles->public);
    om_json_free(document);
    if (st)
        om_roles_unref(&roles->public);
    else
        *out = &roles->public;
    return st;
}

om_status om_roles_read(const char *city, struct om_roles **out,
                        struct om_err *err)
{
    char path[PATH_BYTES];
    struct om_buf text = {0};
    OM_TRY(om_path_join(path, sizeof path, city, FILE_NAME));
    if (!om_file_exists(path)) {
        OM_TRY(om_roles_parse(OM_ROLES_TEXT, strlen(OM_ROLES_TEXT),
                              "built-in roles", out, err));
        (*out)->built_in = true;
        return OM_OK;
    }
    om_status st = om_file_read(path, OM_LIMIT_JSON_BYTES, &text, err);
    if (!st)
        st = om_roles_parse((const char *)text.bytes, text.len, FILE_NAME, out,
                            err);
    om_buf_deinit(&text);
    return st;
}

uint64_t om_roles_least(const struct om_roles *roles)
{
    uint64_t least = OM_CROWD;
    for (size_t i = 0; i < roles->count; i++) {
        const struct om_role *role = &roles->role[i];
        if (role->personal == OM_PERSONAL_COUNTS &&
            role->smallest_count > least)
            least = role->smallest_count;
    }
    return least;
}
