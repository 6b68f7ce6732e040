// search.c - answers of a search, written down.
#include "web/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEGREE_DIGITS 7
#define SCORE_DIGITS 3

static void add_text(struct om_buf *out, const char *key, const char *text)
{
    om_buf_addf(out, ",\"%s\":", key);
    if (text)
        om_buf_add_json_text(out, text, strlen(text));
    else
        om_buf_add_text(out, "null");
}

/* What the answer's id is a row of. */
static const char *layer_of(const struct om_search_hit *hit)
{
    return hit->group ? hit->source->group_layer : hit->layer->name;
}

om_status om_search_json_units(const struct om_snapshot *snapshot,
                               const struct om_search_unit *unit,
                               struct om_buf *out)
{
    for (size_t l = 0; l < snapshot->manifest->levels; l++) {
        om_buf_addf(out, ",\"%s\":", snapshot->manifest->level[l]);
        if (!unit[l].id) {
            om_buf_add_text(out, "null");
            continue;
        }
        om_buf_add_text(out, "{\"id\":");
        om_buf_add_json_text(out, unit[l].id, strlen(unit[l].id));
        add_text(out, "name", unit[l].name);
        om_buf_add_text(out, "}");
    }
    return out->status;
}

/* Where it is, in words: the names of its units from the largest on, then its
 * own; a text that begins so says it itself. */
static void add_full_text(const struct om_snapshot *snapshot,
                          const struct om_search_hit *hit, struct om_buf *out)
{
    struct om_buf text = {0};
    const size_t levels = snapshot->manifest->levels;
    for (size_t l = levels; l-- > 1;) {
        const char *name = hit->unit[l].name;
        if (!name || !name[0]) continue;
        if (hit->text && strstr(hit->text, name)) continue;
        om_buf_add_text(&text, name);
    }
    if (hit->text) om_buf_add_text(&text, hit->text);
    om_buf_add_text(out, ",\"text\":");
    om_buf_add_json_text(out, (const char *)text.bytes, text.len);
    if (text.status && !out->status) out->status = text.status;
    om_buf_deinit(&text);
}

/* The name in English, where the layer has one: COLUMN_en. */
static om_status add_english(const struct om_search_hit *hit,
                             struct om_buf *out)
{
    if (!hit->source->column[0]) return OM_OK;
    char name[OM_LIMIT_NAME_BYTES + 4];
    struct om_text_reader reader = {0};
    const char *text = NULL;
    size_t len = 0;
    snprintf(name, sizeof name, "%s_en", hit->source->column);
    const size_t column = om_schema_find(&hit->layer->schema, name);
    if (hit->group || column == OM_NO_FIELD) return OM_OK;
    const om_status st =
        om_segment_text(hit->layer->part[hit->part].segment, column, hit->row,
                        &reader, &text, &len);
    if (!st && text) {
        om_buf_add_text(out, ",\"name_en\":");
        om_buf_add_json_text(out, text, len);
    }
    om_text_reader_deinit(&reader);
    return st;
}

/* Of what kind it is; of the kind itself, what takes its rows. */
static void add_term(const struct om_search_hit *hit, struct om_buf *out)
{
    const struct om_search_term *term = hit->term;
    if (hit->distance_m >= 0) {
        om_buf_add_text(out, ",\"distance_m\":");
        om_buf_add_fixed(out, hit->distance_m, 1);
    }
    if (hit->id) {
        add_text(out, "title", term->title);
        add_text(out, "title_en", term->title_en);
        return;
    }
    if (term->title_en) add_text(out, "name_en", term->title_en);
    if (term->column[0]) {
        add_text(out, "column", term->column);
        add_text(out, "value", term->value);
    }
    add_text(out, "filter", term->filter);
    om_buf_addf(out, ",\"count\":%llu", (unsigned long long)term->count);
}

static om_status add_hit(const struct om_snapshot *snapshot,
                         const struct om_search_hit *hit, struct om_buf *out)
{
    double lon, lat;
    om_pos_to_lonlat(hit->pos, &lon, &lat);
    om_buf_add_text(out, "{\"kind\":");
    om_buf_add_json_text(out, hit->kind, strlen(hit->kind));
    add_text(out, "layer", layer_of(hit));
    add_text(out, "id", hit->id);
    add_text(out, "name", hit->text);
    OM_TRY(add_english(hit, out));
    add_full_text(snapshot, hit, out);
    om_buf_add_text(out, ",\"lon\":");
    om_buf_add_fixed(out, lon, DEGREE_DIGITS);
    om_buf_add_text(out, ",\"lat\":");
    om_buf_add_fixed(out, lat, DEGREE_DIGITS);
    (void)!om_search_json_units(snapshot, hit->unit, out);
    if (hit->source->group[0]) add_text(out, hit->source->group, hit->group_id);
    om_buf_add_text(out, ",\"score\":");
    om_buf_add_fixed(out, hit->score, SCORE_DIGITS);
    om_buf_addf(out, ",\"matched\":\"%s\"", om_search_match_name(hit->match));
    if (hit->term) add_term(hit, out);
    return om_buf_add_text(out, "}");
}

om_status om_search_json(const struct om_snapshot *snapshot,
                         const struct om_search_answer *answer,
                         struct om_buf *out)
{
    om_buf_add_text(out, "{\"results\":[");
    for (size_t i = 0; i < answer->count; i++) {
        if (i) om_buf_add_text(out, ",");
        OM_TRY(add_hit(snapshot, &answer->hit[i], out));
    }
    om_buf_addf(out, "],\"sure\":%s", answer->sure ? "true" : "false");
    if (!answer->complete) om_buf_add_text(out, ",\"incomplete\":true");
    return om_buf_add_text(out, "}");
}

static void add_cell(struct om_buf *out, const char *text)
{
    if (!text) text = "";
    if (!text[strcspn(text, ",\"\r\n")]) {
        om_buf_add_text(out, text);
        return;
    }
    om_buf_add_text(out, "\"");
    for (; *text; text++) {
        if (*text == '"') om_buf_add_text(out, "\"");
        om_buf_add_byte(out, (uint8_t)*text);
    }
    om_buf_add_text(out, "\"");
}

om_status om_search_csv(const struct om_snapshot *snapshot,
                        const struct om_search_answer *answer,
                        struct om_buf *out)
{
    const size_t levels = snapshot->manifest->levels;
    om_buf_add_text(out, "kind,layer,id,text,lon,lat");
    for (size_t l = 0; l < levels; l++)
        om_buf_addf(out, ",%s", snapshot->manifest->level[l]);
    om_buf_add_text(out, ",score,matched\n");
    for (size_t i = 0; i < answer->count; i++) {
        const struct om_search_hit *hit = &answer->hit[i];
        double lon, lat;
        om_pos_to_lonlat(hit->pos, &lon, &lat);
        add_cell(out, hit->kind);
        om_buf_addf(out, ",%s,", layer_of(hit));
        add_cell(out, hit->id);
        om_buf_add_text(out, ",");
        add_cell(out, hit->text);
        om_buf_add_text(out, ",");
        om_buf_add_fixed(out, lon, DEGREE_DIGITS);
        om_buf_add_text(out, ",");
        om_buf_add_fixed(out, lat, DEGREE_DIGITS);
        for (size_t l = 0; l < levels; l++) {
            om_buf_add_text(out, ",");
            add_cell(out, hit->unit[l].name);
        }
        om_buf_add_text(out, ",");
        om_buf_add_fixed(out, hit->score, SCORE_DIGITS);
        om_buf_addf(out, ",%s\n", om_search_match_name(hit->match));
    }
    return out->status;
}
