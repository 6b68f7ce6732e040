/* publish_english.c - names of places in English, made when a release is.
 *
 * DESIGN
 * A register has Chinese names only, and whoever does not read them cannot ask
 * the way. The plan says which column of a layer is a name and what the words
 * at the end of names are in English; the rest is pinyin
 * (engine/search/roman.h). It is made once, by whoever publishes, who sees it
 * in the report and can mend a reading with one more term; nothing that is not
 * in the Chinese name goes out.
 */
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "web/publish_internal.h"
#include "web/publish_said.h"

#define TERMS_MOST 2000
#define SUFFIX "_en"
#define TERM_BYTES 60
#define ENGLISH_BYTES 80

om_status om__publish_terms(struct om__publish_plan *plan, struct om_err *err)
{
    const struct om_json *all = om_json_get(plan->document, "english");
    const size_t count = om_json_count(all);
    if (count > TERMS_MOST)
        return om_fail(err, OM_E_LIMIT, 0,
                       "publish.json: english: more than %d terms", TERMS_MOST);
    plan->term = om_calloc(count + 1, sizeof *plan->term);
    if (!plan->term) return OM_E_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const char *text = "";
        const struct om_json *one = om_json_member(all, i, &text);
        const char *english = om_json_text(one, "");
        const char *fault = om__said_fault(OM__SAID_WORDS, text, TERM_BYTES);
        if (!*english) fault = "is not a text";
        if (!fault)
            fault = om__said_fault(OM__SAID_ASCII, english, ENGLISH_BYTES);
        if (fault)
            return om_fail(err, OM_E_FORMAT, 0,
                           "publish.json: english.%.60s %s", text, fault);
        plan->term[plan->terms++] = (struct om_term){text, english};
    }
    return OM_OK;
}

om_status om__publish_english(const struct om_json *one, const char *path,
                              struct om__publish_layer *layer,
                              struct om_err *err)
{
    const char *name = om_json_text(om_json_get(one, "english"), NULL);
    struct om_schema *s = &layer->schema;
    layer->english = OM_NO_FIELD;
    if (!name) return OM_OK;
    const size_t column = om_schema_find(s, name);
    const bool text =
        column != OM_NO_FIELD && (s->field[column].type == OM_TYPE_TEXT ||
                                  s->field[column].type == OM_TYPE_CATEGORY);
    struct om_field added = {.type = OM_TYPE_TEXT};
    if (text)
        snprintf(added.name, sizeof added.name, "%.*s%s",
                 (int)(sizeof added.name - sizeof SUFFIX), name, SUFFIX);
    if (!text || om_schema_find(s, added.name) != OM_NO_FIELD)
        return om_fail(err, OM_E_FORMAT, 0,
                       "publish.json: %s.english: '%.60s' is not one of its "
                       "columns of texts, or has its English already",
                       path, name);
    if (s->count == OM_LIMIT_COLUMNS)
        return om_fail(err, OM_E_LIMIT, 0, "publish.json: %s: too many columns",
                       path);
    layer->english = column;
    layer->column[s->count] = OM_NO_FIELD;
    s->field[s->count++] = added;
    return OM_OK;
}

om_status om__publish_romanise(const struct om__publish_plan *plan,
                               const struct om_batch_column *names, size_t rows,
                               struct om_arena *arena,
                               struct om_batch_column *out, struct om_err *err)
{
    struct om_buf bytes = {0};
    uint32_t *offset = om_arena_calloc(arena, rows + 1, sizeof *offset);
    om_status st = offset ? OM_OK : OM_E_MEMORY;
    for (size_t i = 0; i < rows && !st; i++) {
        const uint32_t at = names->offset[i];
        st = om_romanise(names->bytes + at, names->offset[i + 1] - at,
                         plan->term, plan->terms, &bytes, err);
        if (bytes.len > UINT32_MAX) st = OM_E_LIMIT;
        offset[i + 1] = (uint32_t)bytes.len;
    }
    char *kept = NULL;
    if (!st)
        kept = om_arena_text(arena, bytes.len ? (const char *)bytes.bytes : "",
                             bytes.len);
    if (!st && !kept) st = OM_E_MEMORY;
    *out = (struct om_batch_column){
        .valid = names->valid, .offset = offset, .bytes = kept};
    om_buf_deinit(&bytes);
    return st;
}
