/* model.c - a model from its text.
 *
 * DESIGN
 * A model decides where people are sent, so nothing in it is guessed: every
 * member must be known, a denominator must be named even where it is the area,
 * and each fault is told with the path of its member. What of it is computed
 * is hashed, words about it are not: a better title is no new legend.
 */
#include "engine/risk/model.h"

#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "engine/field/field.h"
#include "engine/risk/read_internal.h"

#define TITLE_BYTES 120
#define ABOUT_BYTES 2000
#define NAME_BYTES (OM_LIMIT_NAME_BYTES - 1)
#define FACTOR_LEAST 1e-6
#define FACTOR_MOST 1e6
#define UNITS_MOST 1e9
#define VERSION_MOST 1e9
#define METRES "(metres)"
#define DAYS "(days)"

#define MODEL_WORDS                                                        \
    "name title title_en about about_en version kernel bandwidth_m terms " \
    "denominator"
#define TERM_WORDS                                                         \
    "name title title_en layer filter since until weight severity factor " \
    "half_life_days kernel bandwidth_m"
#define PER_WORDS \
    "per floor shrink scale kernel bandwidth_m half_life_days unit unit_en"

static const char *read_kernel(struct om__reader *r)
{
    const char *name = om__read_text(r, "kernel", NAME_BYTES);
    enum om_kernel kernel;
    if (name && !om_kernel_from_name(name, &kernel))
        om__read_fail(r, "kernel", OM_E_RANGE,
                      "'%s' is none; there are quartic, gaussian and "
                      "epanechnikov",
                      name);
    return name;
}

static double read_bandwidth(struct om__reader *r)
{
    return om__read_real(r, "bandwidth_m", OM_BANDWIDTH_MIN_M,
                         OM_BANDWIDTH_MAX_M, METRES, 0.0);
}

static double read_half_life(struct om__reader *r)
{
    return om__read_real(r, "half_life_days", OM_HALF_LIFE_MIN_DAYS,
                         OM_HALF_LIFE_MAX_DAYS, DAYS, 0.0);
}

static double read_factor(struct om__reader *r)
{
    return om__read_real(r, "factor", FACTOR_LEAST, FACTOR_MOST, "", 1.0);
}

/* {"column": "level", "values": {"strict": 3}, "otherwise": 0} */
static void read_severity(struct om__reader *term, struct om_severity *out)
{
    const struct om_json *value = om_json_get(term->object, "severity");
    if (!value) return;
    struct om__reader r = om__read_object(term, value, "severity");
    om__read_known(&r, "column values otherwise");
    out->column = om__read_needed(&r, "column", NAME_BYTES);
    out->otherwise = om__read_real(&r, "otherwise", 0.0, FACTOR_MOST, "", 0.0);
    const struct om_json *values = om_json_get(r.object, "values");
    struct om__reader table = om__read_object(&r, values, "values");
    const size_t n = om_json_count(table.object);
    if (!*r.status && (n == 0 || n > OM_MODEL_VALUES_MOST))
        om__read_fail(&r, "values", OM_E_LIMIT,
                      "has %zu members; 1 to %d can be", n,
                      OM_MODEL_VALUES_MOST);
    out->value = om__read_room(&r, n, sizeof *out->value);
    out->weight = om__read_room(&r, n, sizeof *out->weight);
    for (size_t i = 0; i < n && !*r.status; i++) {
        const char *key = "";
        om_json_member(table.object, i, &key);
        char *copy = om_arena_text(r.arena, key, strlen(key));
        if (!copy) *r.status = om_fail(r.err, OM_E_MEMORY, 0, "out of memory");
        out->value[i] = copy;
        out->weight[i] = om__read_real(&table, key, 0.0, FACTOR_MOST, "", 0.0);
    }
    out->count = n;
}

static void read_term(struct om__reader *r, struct om_model_term *out)
{
    om__read_known(r, TERM_WORDS);
    out->name = om__read_text(r, "name", NAME_BYTES);
    out->title = om__read_text(r, "title", TITLE_BYTES);
    out->title_en = om__read_text(r, "title_en", TITLE_BYTES);
    out->layer = om__read_needed(r, "layer", NAME_BYTES);
    out->filter = om__read_text(r, "filter", OM_LIMIT_FILTER_BYTES);
    out->since = om__read_text(r, "since", NAME_BYTES);
    out->until = om__read_text(r, "until", NAME_BYTES);
    out->weight = om__read_text(r, "weight", NAME_BYTES);
    read_severity(r, &out->severity);
    out->factor = read_factor(r);
    out->half_life_days = read_half_life(r);
    out->kernel = read_kernel(r);
    out->bandwidth_m = read_bandwidth(r);
    if (!out->name) out->name = "";
}

static void read_terms(struct om__reader *r, struct om_model *m)
{
    const struct om_json *list = om_json_get(r->object, "terms");
    if (*r->status) return;
    const size_t n = om_json_count(list);
    if (om_json_kind(list) != OM_JSON_LIST || n == 0)
        om__read_fail(r, "terms", OM_E_FORMAT,
                      !list ? "is missing" : "is not a list of terms");
    else if (n > OM_MODEL_TERMS_MOST)
        om__read_fail(r, "terms", OM_E_LIMIT, "has %zu terms; %d can be", n,
                      OM_MODEL_TERMS_MOST);
    m->term = om__read_room(r, n, sizeof *m->term);
    for (size_t i = 0; i < n && !*r->status; i++) {
        char key[32];
        snprintf(key, sizeof key, "terms[%zu]", i);
        struct om__reader term = om__read_object(r, om_json_at(list, i), key);
        read_term(&term, &m->term[i]);
        m->terms++;
        if (!*r->status && m->term[i].bandwidth_m == 0 && m->bandwidth_m == 0)
            om__read_fail(&term, "bandwidth_m", OM_E_FORMAT,
                          "is missing here and in the model");
    }
}

/* A name, or a list of {"per": name, "factor": number}. */
static void read_pers(struct om__reader *r, const char *key,
                      const struct om_json *value, struct om_model *m)
{
    const bool single = om_json_kind(value) == OM_JSON_TEXT;
    const size_t n = single ? 1 : om_json_count(value);
    if (*r->status) return;
    if (!single && (om_json_kind(value) != OM_JSON_LIST || n == 0))
        om__read_fail(r, key, OM_E_FORMAT,
                      !value ? "is missing"
                             : "is neither a name nor a list of {per, factor}");
    else if (n > OM_MODEL_EXPOSURES_MOST)
        om__read_fail(r, key, OM_E_LIMIT, "has %zu exposures; %d can be", n,
                      OM_MODEL_EXPOSURES_MOST);
    m->per = om__read_room(r, n, sizeof *m->per);
    if (!m->per) return;
    if (single) {
        const char *name = om_json_text(value, "");
        if (!*name) om__read_fail(r, key, OM_E_FORMAT, "is empty");
        m->pers = strcmp(name, "area") != 0;
        m->per[0].per = om_arena_text(r->arena, name, strlen(name));
        m->per[0].factor = 1.0;
        if (!m->per[0].per)
            *r->status = om_fail(r->err, OM_E_MEMORY, 0, "out of memory");
        return;
    }
    for (size_t i = 0; i < n && !*r->status; i++) {
        char name[48];
        snprintf(name, sizeof name, "%s[%zu]", key, i);
        struct om__reader one = om__read_object(r, om_json_at(value, i), name);
        om__read_known(&one, "per factor");
        m->per[i].per = om__read_needed(&one, "per", NAME_BYTES);
        m->per[i].factor = read_factor(&one);
        if (!*r->status && !strcmp(m->per[i].per, "area"))
            om__read_fail(&one, "per", OM_E_FORMAT,
                          "area cannot be added to what is exposed");
        m->pers++;
    }
}

static void read_denominator(struct om__reader *r, struct om_model *m)
{
    const struct om_json *value = om_json_get(r->object, "denominator");
    if (!value)
        om__read_fail(r, "denominator", OM_E_FORMAT,
                      "is missing (\"area\" where there is none)");
    if (om_json_kind(value) == OM_JSON_TEXT) {
        read_pers(r, "denominator", value, m);
        return;
    }
    struct om__reader per = om__read_object(r, value, "denominator");
    om__read_known(&per, PER_WORDS);
    read_pers(&per, "per", om_json_get(per.object, "per"), m);
    m->floor = om__read_real(&per, "floor", 1.0, UNITS_MOST, "(units)", 0.0);
    m->shrink = om__read_real(&per, "shrink", 0.0, UNITS_MOST, "(units)", 0.0);
    m->scale = om__read_real(&per, "scale", FACTOR_LEAST, UNITS_MOST, "", 0.0);
    m->per_kernel = read_kernel(&per);
    m->per_bandwidth_m = read_bandwidth(&per);
    m->per_half_life_days = read_half_life(&per);
    m->per_unit = om__read_text(&per, "unit", TITLE_BYTES);
    m->per_unit_en = om__read_text(&per, "unit_en", TITLE_BYTES);
}

/* ---- the hash ---- */

static void add_word(struct om_buf *out, const char *text)
{
    if (text) om_buf_add_text(out, text);
    om_buf_add_byte(out, 0);
}

static void add_number(struct om_buf *out, double number)
{
    om_buf_add(out, &number, sizeof number);
}

static void add_term(struct om_buf *out, const struct om_model_term *t)
{
    add_word(out, t->layer);
    add_word(out, t->filter);
    add_word(out, t->since);
    add_word(out, t->until);
    add_word(out, t->weight);
    add_word(out, t->severity.column);
    for (size_t i = 0; i < t->severity.count; i++) {
        add_word(out, t->severity.value[i]);
        add_number(out, t->severity.weight[i]);
    }
    add_number(out, t->severity.otherwise);
    add_number(out, t->factor);
    add_number(out, t->half_life_days);
    add_word(out, t->kernel);
    add_number(out, t->bandwidth_m);
}

static om_status hash_model(struct om_model *m)
{
    struct om_buf out = {0};
    add_number(&out, (double)m->version);
    add_word(&out, m->kernel);
    add_number(&out, m->bandwidth_m);
    for (size_t i = 0; i < m->terms; i++) add_term(&out, &m->term[i]);
    for (size_t i = 0; i < m->pers; i++) {
        add_word(&out, m->per[i].per);
        add_number(&out, m->per[i].factor);
    }
    add_word(&out, m->per_kernel);
    add_number(&out, m->per_bandwidth_m);
    add_number(&out, m->per_half_life_days);
    add_number(&out, m->floor);
    add_number(&out, m->shrink);
    add_number(&out, m->scale);
    m->hash = om_hash64(out.bytes, out.len, 0);
    const om_status st = out.status;
    om_buf_deinit(&out);
    return st;
}

/* ---- the whole ---- */

static void read_model(struct om__reader *r, const char *name,
                       struct om_model *m)
{
    om__read_known(r, MODEL_WORDS);
    m->name = om__read_text(r, "name", NAME_BYTES);
    if (!m->name) m->name = name;
    if (!*r->status && !m->name)
        om__read_fail(r, "name", OM_E_FORMAT, "is missing");
    if (!*r->status && !om_manifest_name_ok(m->name))
        om__read_fail(r, "name", OM_E_FORMAT,
                      "'%s' cannot name a model (letters, digits, _ and - "
                      "only)",
                      m->name);
    if (!*r->status && name && strcmp(name, m->name) != 0)
        om__read_fail(r, "name", OM_E_FORMAT, "'%s' is not its file's name",
                      m->name);
    m->title = om__read_text(r, "title", TITLE_BYTES);
    m->title_en = om__read_text(r, "title_en", TITLE_BYTES);
    m->about = om__read_text(r, "about", ABOUT_BYTES);
    m->about_en = om__read_text(r, "about_en", ABOUT_BYTES);
    m->version = (int64_t)om__read_real(r, "version", 1, VERSION_MOST, "", 1);
    m->kernel = read_kernel(r);
    m->bandwidth_m = read_bandwidth(r);
    if (!m->kernel) m->kernel = om_kernel_name(OM_KERNEL_QUARTIC);
    read_terms(r, m);
    read_denominator(r, m);
}

om_status om_model_parse(const char *text, size_t len, const char *name,
                         struct om_model **out, struct om_err *err)
{
    *out = NULL;
    if (len > OM_MODEL_BYTES_MOST)
        return om_fail(err, OM_E_LIMIT, 0, "a model has at most %d bytes",
                       OM_MODEL_BYTES_MOST);
    struct om_json *document = NULL;
    OM_TRY(om_json_parse(text ? text : "", len, &document, err));
    struct om_model *m = om_calloc(1, sizeof *m);
    om_status st = m ? OM_OK : om_fail(err, OM_E_MEMORY, 0, "out of memory");
    if (m) {
        if (name) name = om_arena_text(&m->arena, name, strlen(name));
        struct om__reader top = {.arena = &m->arena, .err = err, .status = &st};
        struct om__reader r = om__read_object(&top, document, "");
        read_model(&r, name, m);
    }
    if (!st) {
        st = hash_model(m);
        if (st) om_fail(err, st, 0, "%s", om_status_text(st));
    }
    om_json_free(document);
    if (st)
        om_model_free(m);
    else
        *out = m;
    return st;
}

struct om_model *om_model_ref(struct om_model *model)
{
    atomic_fetch_add(&model->shares, 1);
    return model;
}

void om_model_free(struct om_model *model)
{
    if (!model || atomic_fetch_sub(&model->shares, 1) > 0) return;
    om_arena_deinit(&model->arena);
    om_free(model);
}
