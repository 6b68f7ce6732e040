// key.c - which items a legend has, and how long a scale bar is.
#include "tiles/picture/key.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_item(struct om_key *key, enum om_key_form form,
                     struct om_colour colour, const char *text)
{
    if (key->items == OM_KEY_ITEMS) return;
    struct om_key_item *item = &key->item[key->items++];
    item->form = form;
    item->colour = colour;
    snprintf(item->text, sizeof item->text, "%s", text);
}

static const char *word(enum om_language language, const char *zh,
                        const char *en)
{
    return language == OM_LANGUAGE_ZH ? zh : en;
}

static void units_key(const struct om_picture *p, enum om_language language,
                      struct om_key *out)
{
    const struct om_unit_classes *c = &p->units;
    snprintf(out->title, sizeof out->title, "%s",
             word(language, c->title, c->title_en));
    snprintf(out->unit, sizeof out->unit, "%s",
             word(language, c->unit, c->unit_en));
    for (size_t i = c->classes; i-- > 0;)
        add_item(out, OM_KEY_AREA, om_choropleth_fill(c, i, p->palette),
                 language == OM_LANGUAGE_ZH || !c->class[i].text_en[0]
                     ? c->class[i].text
                     : c->class[i].text_en);
    if (c->zero)
        add_item(out, c->zero_clear ? OM_KEY_OUTLINE : OM_KEY_AREA,
                 c->zero_clear ? om_unit_hatch_colour(p->palette)
                               : om_choropleth_fill(c, c->classes, p->palette),
                 c->zero_text[0] ? word(language, c->zero_text, c->zero_text_en)
                                 : "0");
    if (c->unknown)
        add_item(out, OM_KEY_HATCH, om_unit_hatch_colour(p->palette),
                 word(language, "未知", "unknown"));
    if (c->hidden)
        add_item(out, OM_KEY_HATCH, om_unit_hatch_colour(p->palette),
                 word(language, "不公开", "not shown"));
}

/* A value that names a layer which is not there for who asks has no title. */
static bool is_unseen(const struct om_snapshot *snapshot, const char *value)
{
    return snapshot && om_manifest_about(snapshot->manifest, value) &&
           !om_snapshot_has_layer(snapshot, value);
}

static void rows_key(const struct om_picture *p, enum om_language language,
                     const struct om_snapshot *seen, struct om_key *out)
{
    const struct om_classes *c = &p->classes;
    const struct om_manifest_layer *meta = p->layer->meta;
    const enum om_geometry geometry = p->layer->schema.geometry;
    const enum om_key_form form = geometry == OM_GEOMETRY_POINT  ? OM_KEY_DOT
                                  : geometry == OM_GEOMETRY_LINE ? OM_KEY_LINE
                                                                 : OM_KEY_AREA;
    const char *title = meta ? word(language, meta->title, meta->title_en) : "";
    snprintf(out->title, sizeof out->title, "%s",
             *title ? title : p->layer->name);
    for (size_t i = c->count; i-- > 0;) {
        const struct om_class *class = &c->class[i];
        const char *text = class->text;
        const char *called = word(language, class->title, class->text_en);
        if (class->other) text = word(language, "其他", "other");
        if (*called && !is_unseen(seen, class->text)) text = called;
        add_item(out, form, class->colour[p->palette],
                 c->column == OM_NO_FIELD ? out->title : text);
        if (out->items) out->item[out->items - 1].mark = class->mark;
    }
    // A single item says what the title says.
    if (c->column == OM_NO_FIELD) out->title[0] = '\0';
}

void om_key_of(const struct om_picture *picture, enum om_language language,
               const struct om_snapshot *seen, struct om_key *out)
{
    *out = (struct om_key){.items = 0};
    if (picture->kind == OM_PICTURE_UNITS && !picture->units.outline)
        units_key(picture, language, out);
    if (picture->kind == OM_PICTURE_ROWS)
        rows_key(picture, language, seen, out);
    if (picture->kind == OM_PICTURE_HEAT)
        om_key_of_heat(
            picture->legend, word(language, picture->title, picture->title_en),
            word(language, picture->unit, picture->unit_en), language, out);
}

static void value_text(double value, char *out, size_t room, const char *before)
{
    snprintf(out, room, fabs(value) >= 100 ? "%s%.0f" : "%s%.3g", before,
             value);
}

void om_key_of_heat(const struct om_legend *legend, const char *title,
                    const char *unit, enum om_language language,
                    struct om_key *out)
{
    *out = (struct om_key){.ramp = true};
    snprintf(out->title, sizeof out->title, "%s", title);
    snprintf(out->unit, sizeof out->unit, "%s", unit);
    for (size_t i = 0; i < OM_LEGEND_STEPS; i++) {
        char text[32];
        const uint8_t *c = legend->rgba[i + 1];
        // What is above the last step has its colour.
        const bool open = i + 1 == OM_LEGEND_STEPS && !legend->lines;
        value_text((double)legend->from[i], text, sizeof text, open ? "≥" : "");
        add_item(out, OM_KEY_AREA, (struct om_colour){c[0], c[1], c[2], c[3]},
                 text);
    }
    (void)language;
}

void om_key_scale_of(double px_per_m, unsigned ratio, enum om_language language,
                     struct om_key_scale *out)
{
    // The longest round length within 140 pixels of design.
    const double most_m = 140.0 * ratio / px_per_m;
    const double power = pow(10.0, floor(log10(most_m)));
    const double times = most_m / power;
    out->length_m = (times >= 5.0 ? 5.0 : times >= 2.0 ? 2.0 : 1.0) * power;
    out->length_px = (unsigned)lround(out->length_m * px_per_m);
    const bool km = out->length_m >= 1000.0;
    snprintf(out->text, sizeof out->text, "%.4g %s",
             km ? out->length_m / 1000.0 : out->length_m,
             km ? word(language, "公里", "km") : word(language, "米", "m"));
}
