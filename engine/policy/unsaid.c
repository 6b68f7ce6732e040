/* unsaid.c - city.json without what is left out.
 *
 * DESIGN
 * The document is copied and what speaks of hidden columns taken out of the
 * copy, once a role and commit. We rejected to ask at each place that reads
 * city.json: there are a dozen, and the next one would forget.
 *
 * Names are looked for in texts only: keys are members that the program knows,
 * or values. A layer's is the whole of a text, a column's may be in a filter.
 */
#include "engine/policy/unsaid.h"

#include <ctype.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/policy/policy.h"
#include "engine/snapshot_internal.h"

/* One a role. */
struct om__unsaid {
    struct om__unsaid *next;
    uint64_t role;
    struct om_manifest manifest;  // the base's, but for the document
};

const struct om_names *om_role_columns(const struct om_role *role,
                                       const char *layer)
{
    for (size_t i = 0; i < role->columns_of; i++)
        if (!strcmp(role->columns[i].layer, layer))
            return &role->columns[i].shown;
    return NULL;
}

/* ---- names in texts ---- */

static bool is_inner(unsigned char c)
{
    return isalnum(c) || c == '_' || c >= 0x80;
}

bool om_text_names(const char *text, const char *word)
{
    const size_t len = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        const bool starts = at == text || !is_inner((unsigned char)at[-1]);
        if (starts && !is_inner((unsigned char)at[len])) return true;
    }
    return false;
}

bool om_layer_unsaid(const struct om_layer *layer, const char *text)
{
    if (!text || !layer->rights.unlists) return false;
    for (size_t i = 0; i < layer->schema.count; i++)
        if (layer->rights.unlisted[i] &&
            om_text_names(text, layer->schema.field[i].name))
            return true;
    return false;
}

/* ---- what speaks of them ---- */

struct search {
    const struct om_manifest *city;
    const struct om_role *role;
    bool listed;  // only what the role's own list leaves out
};

static bool is_left_out(const struct search *s,
                        const struct om_manifest_layer *layer, const char *name)
{
    const struct om_names *shown = om_role_columns(s->role, layer->name);
    const size_t id = layer->schema.id_field;
    const bool untold = !s->listed && s->role->personal == OM_PERSONAL_NONE &&
                        om_column_personal(s->city, layer->name, name);
    if (!untold && (!shown || om_names_have(shown, name))) return false;
    for (size_t i = 0; i < layer->schema.count; i++)
        if (i != id && !strcmp(layer->schema.field[i].name, name)) return true;
    return false;
}

/* Is there a text in the value that is the name, or has it as a word? */
static bool has_text(const struct om_json *value, const char *name, bool whole)
{
    const char *key;
    const bool object = om_json_kind(value) == OM_JSON_OBJECT;
    if (om_json_kind(value) == OM_JSON_TEXT) {
        const char *text = om_json_text(value, "");
        return whole ? !strcmp(text, name) : om_text_names(text, name);
    }
    for (size_t i = 0; i < om_json_count(value); i++) {
        const struct om_json *one =
            object ? om_json_member(value, i, &key) : om_json_at(value, i);
        if (has_text(one, name, whole)) return true;
    }
    return false;
}

/* Is some column of the layer left out? */
static bool leaves_out(const struct search *s,
                       const struct om_manifest_layer *layer)
{
    bool any = false;
    for (size_t i = 0; i < layer->schema.count && !any; i++)
        any = is_left_out(s, layer, layer->schema.field[i].name);
    return any;
}

/* Does it name a layer, and a column of it that is left out? */
static bool speaks(const struct search *s, const struct om_json *value)
{
    for (size_t l = 0; l < s->city->layers; l++) {
        const struct om_manifest_layer *layer = &s->city->layer[l];
        if (!leaves_out(s, layer) || !has_text(value, layer->name, true))
            continue;
        for (size_t i = 0; i < layer->schema.count; i++) {
            const char *name = layer->schema.field[i].name;
            if (is_left_out(s, layer, name) && has_text(value, name, false))
                return true;
        }
    }
    return false;
}

/* ---- taking out ---- */

/* Into an object, or with key NULL into a list; `own` is taken. */
static om_status put(struct om_json *to, const char *key, struct om_json *own)
{
    return key ? om_json_set_take(to, key, own) : om_json_add_take(to, own);
}

static om_status keep(struct om_json *to, const char *key,
                      const struct om_json *value)
{
    return put(to, key, om_json_copy(value));
}

/* What becomes of a value: into `to`, or not. */
typedef om_status keeper(const struct search *s, const char *key,
                         const struct om_json *value, struct om_json *to);

static om_status keep_one(const struct search *s, const char *key,
                          const struct om_json *value, struct om_json *to)
{
    return speaks(s, value) ? OM_OK : keep(to, key, value);
}

/* An object or a list of what `each` keeps of its members or elements. */
static om_status keep_each(const struct search *s, const char *key,
                           const struct om_json *value, struct om_json *to,
                           keeper *each)
{
    const bool object = om_json_kind(value) == OM_JSON_OBJECT;
    struct om_json *own = object ? om_json_object() : om_json_list();
    om_status st = own ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < om_json_count(value) && !st; i++) {
        const char *name = NULL;
        const struct om_json *one =
            object ? om_json_member(value, i, &name) : om_json_at(value, i);
        st = each(s, name, one, own);
    }
    if (!st) return put(to, key, own);
    om_json_free(own);
    return st;
}

/* Members or elements of `value`, without those that speak. */
static om_status keep_silent(const struct search *s, const char *key,
                             const struct om_json *value, struct om_json *to)
{
    return keep_each(s, key, value, to, keep_one);
}

/* Panels of the wall lie in objects and lists of panels: what names a layer
 * itself goes whole, and all else is looked through. */
static om_status keep_panels(const struct search *s, const char *key,
                             const struct om_json *value, struct om_json *to)
{
    const bool object = om_json_kind(value) == OM_JSON_OBJECT;
    const bool list = om_json_kind(value) == OM_JSON_LIST;
    if (!speaks(s, value)) return keep(to, key, value);
    if ((!object && !list) || om_json_get(value, "layer")) return OM_OK;
    return keep_each(s, key, value, to, keep_panels);
}

/* ---- a layer's own object ---- */

/* Members that are about the column that `by` names. */
static const struct {
    const char *by, *member[4];
} LOOKS[] = {
    {"picture_by", {"picture_titles", "picture_titles_en", "picture_colours"}},
    {"base_by", {"base_classes"}},
    {"base_label", {NULL}},
    {"time", {NULL}},
};
/* {column: ...} */
static const char *const BY_COLUMN[] = {"value_titles", "value_titles_en",
                                        "value_words"};

static bool is_dropped(const struct search *s,
                       const struct om_manifest_layer *layer,
                       const struct om_json *object, const char *member)
{
    for (size_t i = 0; i < sizeof LOOKS / sizeof *LOOKS; i++) {
        const char *by = om_json_text(om_json_get(object, LOOKS[i].by), "");
        if (!is_left_out(s, layer, by)) continue;
        if (!strcmp(member, LOOKS[i].by)) return true;
        for (size_t m = 0; LOOKS[i].member[m]; m++)
            if (!strcmp(member, LOOKS[i].member[m])) return true;
    }
    return false;
}

static om_status keep_columns(const struct search *s,
                              const struct om_manifest_layer *layer,
                              const char *key, const struct om_json *value,
                              struct om_json *to)
{
    struct om_json *own = om_json_object();
    om_status st = own ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < om_json_count(value) && !st; i++) {
        const char *name;
        const struct om_json *one = om_json_member(value, i, &name);
        if (!is_left_out(s, layer, name)) st = keep(own, name, one);
    }
    if (!st) return om_json_set_take(to, key, own);
    om_json_free(own);
    return st;
}

static om_status keep_layer(const struct search *s,
                            const struct om_json *object, struct om_json *to)
{
    const char *name = om_json_text(om_json_get(object, "name"), "");
    const struct om_manifest_layer *layer = om_manifest_find(s->city, name);
    if (!layer || !leaves_out(s, layer)) return keep(to, NULL, object);
    struct om_json *own = om_json_object();
    om_status st = own ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < om_json_count(object) && !st; i++) {
        const char *key;
        const struct om_json *value = om_json_member(object, i, &key);
        bool by_column = false;
        for (size_t k = 0; k < sizeof BY_COLUMN / sizeof *BY_COLUMN; k++)
            by_column = by_column || !strcmp(key, BY_COLUMN[k]);
        if (by_column)
            st = keep_columns(s, layer, key, value, own);
        else if (!is_dropped(s, layer, object, key))
            st = keep(own, key, value);
    }
    if (!st) return om_json_add_take(to, own);
    om_json_free(own);
    return st;
}

static om_status keep_layers(const struct search *s,
                             const struct om_json *value, struct om_json *to)
{
    struct om_json *own = om_json_list();
    om_status st = own ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < om_json_count(value) && !st; i++)
        st = keep_layer(s, om_json_at(value, i), own);
    if (!st) return om_json_set_take(to, "layers", own);
    om_json_free(own);
    return st;
}

static om_status keep_member(const struct search *s, const char *key,
                             const struct om_json *value, struct om_json *to)
{
    const enum om_json_kind kind = om_json_kind(value);
    if (!strcmp(key, "layers")) return keep_layers(s, value, to);
    // That one names nothing but layers.
    if (!strcmp(key, "audit") ||
        (kind != OM_JSON_OBJECT && kind != OM_JSON_LIST))
        return keep(to, key, value);
    if (!strcmp(key, "wall")) return keep_panels(s, key, value, to);
    if (!strcmp(key, "exposures") || !strcmp(key, "search"))
        return keep_silent(s, key, value, to);
    // What is not told of persons whoever answers about duties hides itself.
    const struct search own = {s->city, s->role, true};
    return keep_one(&own, key, value, to);
}

static om_status make(const struct search *s, struct om__unsaid **out)
{
    struct om__unsaid *one = om_calloc(1, sizeof *one);
    if (!one) return OM_E_MEMORY;
    one->role = s->role->hash;
    one->manifest = *s->city;
    one->manifest.document = om_json_object();
    om_status st = one->manifest.document ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < om_json_count(s->city->document) && !st; i++) {
        const char *key;
        const struct om_json *value =
            om_json_member(s->city->document, i, &key);
        st = keep_member(s, key, value, one->manifest.document);
    }
    if (st) {
        om_json_free(one->manifest.document);
        om_free(one);
        return st;
    }
    *out = one;
    return OM_OK;
}

om_status om__unsaid_manifest(struct om__base *base, const struct om_role *role,
                              const struct om_manifest **out)
{
    const struct search s = {&base->manifest, role, false};
    struct om__unsaid *found, *fresh = NULL;
    om_status st = OM_OK;
    bool any = false;
    *out = &base->manifest;
    if (!base->manifest.document) return OM_OK;
    for (size_t l = 0; l < s.city->layers && !any; l++)
        any = leaves_out(&s, &s.city->layer[l]);
    if (!any) return OM_OK;
    pthread_mutex_lock(&base->lock);
    for (found = base->unsaid; found && found->role != role->hash;)
        found = found->next;
    if (!found) st = make(&s, &fresh);
    if (fresh) {
        fresh->next = base->unsaid;
        base->unsaid = found = fresh;
    }
    if (!st) *out = &found->manifest;
    pthread_mutex_unlock(&base->lock);
    return st;
}

void om__unsaid_free(struct om__base *base)
{
    while (base->unsaid) {
        struct om__unsaid *one = base->unsaid;
        base->unsaid = one->next;
        om_json_free(one->manifest.document);
        om_free(one);
    }
}
