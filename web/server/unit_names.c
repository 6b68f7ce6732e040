// unit_names.c - names of units in Chinese or English, level by level.
#include "web/server/unit_names.h"

#include <string.h>

#include "data/base/alloc.h"
#include "engine/search/roman.h"
#include "web/server/documents.h"
#include "web/server/names.h"

struct writing {
    const struct om_term *term;  // [terms]; NULL: nothing is spelled
    size_t terms;
    const struct om_json *said;  // by name
    struct om_buf name, *out;
    bool english, first;
};

/* What city.json says that a name is in English, or NULL. */
static const char *said_of(struct writing *w, const struct om__unit_name *unit)
{
    w->name.len = 0;
    om_buf_add(&w->name, unit->name, unit->name_len);
    om_buf_add_byte(&w->name, 0);
    if (w->name.status) return NULL;
    return om_json_text(om_json_get(w->said, (const char *)w->name.bytes),
                        NULL);
}

/* A name in English, or none: *len 0. */
static om_status english_of(struct writing *w, const struct om__unit_name *unit,
                            const char **text, size_t *len)
{
    const char *said = unit->name_len && w->said ? said_of(w, unit) : NULL;
    *text = said ? said : unit->english;
    *len = said ? strlen(said) : unit->english_len;
    if (*len || !w->term || !unit->name_len) return w->name.status;
    w->name.len = 0;
    const om_status st = om_romanise(unit->name, unit->name_len, w->term,
                                     w->terms, &w->name, NULL);
    if (st == OM_E_UNSUPPORTED) return OM_OK;  // without ICU's data
    *text = (const char *)w->name.bytes;
    *len = w->name.len;
    return st;
}

static om_status add_unit(struct writing *w, const struct om__unit_name *unit)
{
    const char *text = unit->name;
    size_t len = unit->name_len;
    if (w->english) OM_TRY(english_of(w, unit, &text, &len));
    if (!len) return OM_OK;
    om_buf_add_text(w->out, w->first ? "" : ",");
    w->first = false;
    om_buf_add_json_text(w->out, unit->id, unit->id_len);
    om_buf_add_byte(w->out, ':');
    return om_buf_add_json_text(w->out, text, len);
}

static om_status add_level(struct om__request *r, const char *level,
                           struct writing *w)
{
    struct om__level_names *names;
    const struct om_layer *layer = om_snapshot_units(r->snapshot, level);
    OM_TRY(om__names_get(r, level, &names));
    w->first = true;
    w->said =
        layer ? om_json_get(om_json_get(om_manifest_about(
                                            r->snapshot->manifest, layer->name),
                                        "value_titles_en"),
                            "name")
              : NULL;
    om_status st = OM_OK;
    for (size_t i = 0; i < om__level_names_count(names) && !st; i++)
        st = add_unit(w, om__level_names_at(names, i));
    om__level_names_unref(names);
    return st;
}

om_status om__unit_names_add(struct om__request *r, bool english,
                             struct om_buf *out)
{
    const struct om_manifest *city = r->snapshot->manifest;
    struct om_term *term = NULL;
    size_t terms = 0;
    // Whoever asks is not to blame for what city.json says.
    const om_status read =
        english ? om_terms_read(city->document, &term, &terms, &r->err) : OM_OK;
    if (read) return read == OM_E_FORMAT ? OM_E_DAMAGED : read;
    struct writing w = {
        .term = term, .terms = terms, .out = out, .english = english};
    om_status st = OM_OK;
    om_buf_add_byte(out, '{');
    for (size_t l = 0; l < city->levels && !st; l++) {
        om_buf_addf(out, "%s\"%s\":{", l ? ",\n" : "", city->level[l]);
        st = add_level(r, city->level[l], &w);
        om_buf_add_byte(out, '}');
    }
    om_buf_add_byte(out, '}');
    om_buf_deinit(&w.name);
    om_free(term);
    return st ? st : out->status;
}
