// matters.c - what pages need to find matters: how they sound, other
// characters.
#include "web/matters.h"

#include <string.h>

#include "engine/search/roman.h"
#include "engine/search/variants.h"

static bool has(const struct om_buf *out, const struct om_buf *one)
{
    for (size_t at = 0; at + one->len <= out->len; at++)
        if (!memcmp(out->bytes + at, one->bytes, one->len)) return true;
    return false;
}

/* In both readings, where there are two. What is in no Han is typed as it is
 * written. */
static om_status add_sound(const char *text, struct om_buf *out,
                           struct om_err *err)
{
    om_status st = OM_OK;
    bool han = false;
    for (const char *c = text; *c; c++) han |= (unsigned char)*c > 127;
    for (int other = 0; other < 2 && han && !st; other++) {
        struct om_buf one = {0};
        st = om_spell(text, strlen(text), other, &one, err);
        if (!st && one.len && !has(out, &one)) {
            if (out->len) om_buf_add_byte(out, ';');
            st = om_buf_add(out, one.bytes, one.len);
        }
        om_buf_deinit(&one);
    }
    return st;
}

static om_status add_pinyin(struct om_json *one, const char *key,
                            struct om_err *err)
{
    struct om_buf out = {0};
    const struct om_json *aliases = om_json_get(one, "aliases");
    om_status st =
        add_sound(om_json_text(om_json_get(one, key), ""), &out, err);
    for (size_t i = 0; i < om_json_count(aliases) && !st; i++)
        st = add_sound(om_json_text(om_json_at(aliases, i), ""), &out, err);
    if (!st && out.len) {
        st = om_buf_add_byte(&out, 0);
        if (!st)
            st = om_json_set_take(one, "pinyin",
                                  om_json_of_text((const char *)out.bytes));
    }
    om_buf_deinit(&out);
    return st;
}

/* Characters of a matter or group that somebody may type otherwise. */
static void note(const struct om_json *one, const char *key,
                 struct om_characters *set)
{
    const struct om_json *aliases = om_json_get(one, "aliases");
    const char *name = om_json_text(om_json_get(one, key), "");
    om_characters_add(set, name, strlen(name));
    for (size_t i = 0; i < om_json_count(aliases); i++) {
        const char *alias = om_json_text(om_json_at(aliases, i), "");
        om_characters_add(set, alias, strlen(alias));
    }
}

static om_status add_variants(struct om_json *matters,
                              const struct om_characters *set,
                              struct om_err *err)
{
    struct om_buf out = {0};
    om_status st = om_variants_add(set, &out, err);
    if (!st) st = om_buf_add_byte(&out, 0);
    if (!st)
        st = om_json_set_take(matters, "variants",
                              om_json_of_text((const char *)out.bytes));
    om_buf_deinit(&out);
    return st;
}

om_status om_matters_sound(struct om_json *community, struct om_err *err)
{
    struct om_json *matters = om_json_get(community, "matters");
    const struct om_json *groups = om_json_get(matters, "groups");
    const struct om_json *list = om_json_get(matters, "list");
    struct om_characters set = {0};
    if (om_json_kind(matters) != OM_JSON_OBJECT) return OM_OK;
    for (size_t i = 0; i < om_json_count(groups); i++) {
        OM_TRY(add_pinyin(om_json_at(groups, i), "title", err));
        note(om_json_at(groups, i), "title", &set);
    }
    for (size_t i = 0; i < om_json_count(list); i++) {
        OM_TRY(add_pinyin(om_json_at(list, i), "name", err));
        note(om_json_at(list, i), "name", &set);
    }
    return add_variants(matters, &set, err);
}
