// coverage_partition_rows.c - findings as rows, and the rows of layers.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/buf.h"
#include "web/coverage_partition.h"

/* --- words ------------------------------------------------------------- */

const char *om__unit_called(const struct om_unit *unit)
{
    return unit->name[0] ? unit->name : unit->id;
}

void om__audit_begin_row(struct om__audit *a)
{
    om_buf_clear(&a->list);
    om_buf_clear(&a->text_en);
    om_buf_clear(&a->text);
}

void om__audit_list_unit(struct om__audit *a, const char *id)
{
    om_buf_add_text(&a->list, a->list.len ? "," : "[");
    om_buf_add_json_text(&a->list, id, strlen(id));
}

/* "2,934" */
void om__audit_add_count(struct om_buf *out, uint64_t n)
{
    char digits[24];
    const int len =
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) om_buf_add_byte(out, ',');
        om_buf_add_byte(out, (uint8_t)digits[i]);
    }
}

void om__audit_add_row(struct om__audit *a, const struct om__finding *f)
{
    struct om_table *t = a->table;
    if (a->list.len) om_buf_add_byte(&a->list, ']');
    om_table_word(t, f->id);
    om_table_word(t, f->name);
    om_table_word(t, f->class);
    om_table_word(t, f->level);
    om_table_word(t, f->layer);
    if (a->list.len)
        om_table_json(t, (const char *)a->list.bytes, a->list.len);
    else
        om_table_null(t);
    if (f->count < 0)
        om_table_null(t);
    else
        om_table_integer(t, f->count);
    om_table_real(t, f->value);
    om_table_real(t, f->width_m);
    om_table_text(t, (const char *)a->text.bytes, a->text.len);
    om_table_text(t, (const char *)a->text_en.bytes, a->text_en.len);
}

om_status om__audit_status(const struct om__audit *a)
{
    if (a->list.status) return a->list.status;
    return a->text_en.status ? a->text_en.status : a->text.status;
}

const char *om__layer_called(const struct om_layer *layer)
{
    return layer->meta && layer->meta->title[0] ? layer->meta->title
                                                : layer->name;
}

/* --- rows of layers ---------------------------------------------------- */

static om_status add_stray_row(struct om__audit *a,
                               const struct om_layer *layer,
                               const struct om_stray *s,
                               struct om_text_reader *reader)
{
    const char *id;
    size_t len;
    const bool none = s->unit[0] == OM_NO_UNIT;
    OM_TRY(om_segment_text(layer->part[s->part].segment, layer->schema.id_field,
                           s->row, reader, &id, &len));
    char *copy = om_arena_text(&a->arena, id ? id : "", id ? len : 0);
    if (!copy) return OM_E_MEMORY;
    om__audit_begin_row(a);
    om_buf_addf(&a->text_en, "%s %s lies in ", layer->name, copy);
    om_buf_addf(&a->text, "%s %s ", om__layer_called(layer), copy);
    if (none) {
        om_buf_addf(&a->text_en, "no %s", a->units.level);
        om_buf_addf(&a->text, "不在任何 %s 之内",
                    om__layer_called(a->units.layer));
    } else {
        const struct om_unit *u[] = {&a->units.unit[s->unit[0]],
                                     &a->units.unit[s->unit[1]]};
        om__audit_list_unit(a, u[0]->id);
        om__audit_list_unit(a, u[1]->id);
        om_buf_addf(&a->text_en, "%s and in %s", om__unit_called(u[0]),
                    om__unit_called(u[1]));
        om_buf_addf(&a->text, "同时在 %s 与 %s 之内", om__unit_called(u[0]),
                    om__unit_called(u[1]));
    }
    om_table_at(a->table, s->pos.x + 0.5, s->pos.y + 0.5);
    om__audit_add_row(
        a, &(struct om__finding){.id = copy,
                                 .class = none ? "in_none" : "in_two",
                                 .level = a->units.level,
                                 .layer = layer->name,
                                 .count = -1,
                                 .value = NAN,
                                 .width_m = NAN});
    return om__audit_status(a);
}

static void add_layer_row(struct om__audit *a, const struct om_layer *layer,
                          const struct om_placing *p)
{
    om__audit_begin_row(a);
    om__audit_add_count(&a->text_en, p->rows);
    om__audit_add_count(&a->text, p->rows);
    om_buf_addf(&a->text_en, " row%s of %s: %llu in no %s, %llu in two",
                om__plural(p->rows), layer->name,
                (unsigned long long)p->in_none, a->units.level,
                (unsigned long long)p->in_two);
    om_buf_addf(&a->text, " 条%s:%llu 条不在任何 %s,%llu 条同属两个",
                om__layer_called(layer), (unsigned long long)p->in_none,
                om__layer_called(a->units.layer),
                (unsigned long long)p->in_two);
    om__audit_add_row(
        a, &(struct om__finding){.id = layer->name,
                                 .name = om__layer_called(layer),
                                 .class = "layer",
                                 .level = a->units.level,
                                 .layer = layer->name,
                                 .count = (int64_t)(p->in_none + p->in_two),
                                 .value = NAN,
                                 .width_m = NAN});
    a->faults += p->in_none + p->in_two;
}

static om_status audit_layer(struct om__audit *a, const struct om_layer *layer)
{
    struct om_placing placing;
    struct om_text_reader reader = {0};
    const om_status found =
        om_audit_layer(a->question->snapshot, &a->units, layer, &a->found,
                       a->listed, &a->arena, &placing);
    if (found == OM_E_NOTFOUND) return OM_OK;  // never joined to this level
    OM_TRY(found);
    add_layer_row(a, layer, &placing);
    if (om__coverage_hides(a->question, layer)) return om__audit_status(a);
    om_status st = OM_OK;
    for (size_t i = 0;
         i < placing.nones && !st && om__coverage_tell(a->question); i++)
        st = add_stray_row(a, layer, &placing.none[i], &reader);
    for (size_t i = 0;
         i < placing.twos && !st && om__coverage_tell(a->question); i++)
        st = add_stray_row(a, layer, &placing.two[i], &reader);
    om_text_reader_deinit(&reader);
    return st ? st : om__audit_status(a);
}

/* Is `word` in a list separated by commas? */
static bool in_list(const char *list, const char *word)
{
    const size_t len = strlen(word);
    for (const char *at = list; *at;) {
        const size_t n = strcspn(at, ",");
        if (n == len && !strncmp(at, word, n)) return true;
        at += n + (at[n] == ',');
    }
    return false;
}

/* The layers asked for, else those city.json names, else all of points. */
static bool is_wanted(const struct om__audit *a, const struct om_layer *layer)
{
    const char *list = om__coverage_text(a->question, "layer");
    if (layer->meta->unit_level[0]) return false;
    if (list) return in_list(list, layer->name);
    const struct om_json *named = om_json_get(
        om_json_get(a->question->snapshot->manifest->document, "audit"),
        "layers");
    for (size_t i = 0; i < om_json_count(named); i++)
        if (!strcmp(om_json_text(om_json_at(named, i), ""), layer->name))
            return true;
    return !named && layer->schema.geometry == OM_GEOMETRY_POINT;
}

om_status om__audit_layers(struct om__audit *a)
{
    const struct om_snapshot *s = a->question->snapshot;
    for (size_t i = 0; i < s->layers; i++)
        if (is_wanted(a, &s->layer[i])) OM_TRY(audit_layer(a, &s->layer[i]));
    return OM_OK;
}

om_status om__audit_check_layers(struct om_coverage *q)
{
    const char *list = om__coverage_text(q, "layer");
    char name[OM_LIMIT_NAME_BYTES];
    const struct om_layer *layer;
    for (const char *at = list ? list : ""; *at;) {
        const size_t n = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        OM_TRY(om__coverage_layer(q, "layer", name, false, &layer));
        at += n + (at[n] == ',');
    }
    return OM_OK;
}
