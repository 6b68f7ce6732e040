/* explain_write.c - an explanation in words and as JSON.
 *
 * A sentence says what is known and nothing else: the value with its unit, how
 * it stands to the city, what makes most of it, and what it rests on. Where
 * too little is exposed it says that, and gives no number.
 */
#include <math.h>
#include <string.h>

#include "data/model/time.h"
#include "web/explain.h"

/* Three digits that mean something, no exponent. */
static void add_figure(struct om_buf *out, double value)
{
    const double size = fabs(value);
    const int digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    if (isnan(value))
        om_buf_add_text(out, "?");
    else if (size > 0 && size < 0.001)
        om_buf_addf(out, "%.2g", value);
    else
        om_buf_add_fixed(out, value, digits);
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text && *text ? text : otherwise;
}

static const char *title_of(const struct om_risk_bound *bound, bool english)
{
    const struct om_model *m = bound->model;
    if (m) return or_else(english ? m->title_en : m->title, m->name);
    const struct om_manifest_layer *meta = bound->layer->meta;
    if (!meta) return bound->name;
    return or_else(english ? meta->title_en : meta->title, bound->name);
}

static const char *term_title(const struct om_risk_bound *bound, size_t term,
                              bool english)
{
    const struct om_model_term *t = bound->term[term].from;
    if (!t) return title_of(bound, english);
    return or_else(english ? t->title_en : t->title,
                   or_else(t->name, t->layer));
}

static const char *exposed_title(const struct om_risk_bound *bound,
                                 bool english)
{
    const struct om_exposure *e = bound->per;
    return or_else(english ? e->title_en : e->title, e->name);
}

/* ---- the sentences ----------------------------------------------------- */

static size_t largest_term(const struct om_explanation *e)
{
    size_t most = 0;
    for (size_t i = 1; i < e->view->bound->risk.terms; i++)
        if (e->part[i] > e->part[most]) most = i;
    return most;
}

static void add_unknown(const struct om_explanation *e, bool english,
                        struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    const char *what = exposed_title(bound, english);
    if (english) {
        om_buf_addf(out, "%s is unknown here: only ", title_of(bound, true));
        add_figure(out, e->value.exposed);
        om_buf_addf(out, " %s lie within reach, and ", what);
        add_figure(out, bound->risk.floor);
        om_buf_add_text(out, " are needed to say anything.");
        return;
    }
    om_buf_addf(out, "此处%s未知:范围内%s只有约 ", title_of(bound, false),
                what);
    add_figure(out, e->value.exposed);
    om_buf_add_text(out, ",至少要有 ");
    add_figure(out, bound->risk.floor);
    om_buf_add_text(out, " 才能判断。");
}

static void add_standing(const struct om_explanation *e, bool english,
                         struct om_buf *out)
{
    if (!isnan(e->relative)) {
        om_buf_add_text(out, english ? ", " : ",为全市均值 ");
        if (!english) {
            add_figure(out, e->mean);
            om_buf_add_text(out, " 的 ");
        }
        add_figure(out, e->relative);
        om_buf_add_text(out, english ? " times the city's mean of " : " 倍");
        if (english) add_figure(out, e->mean);
    }
    if (!isnan(e->percentile)) {
        om_buf_add_text(out, english ? ", above " : ",高于 ");
        om_buf_add_fixed(out, e->percentile, 1);
        om_buf_add_text(
            out, english ? " % of the area that is known" : " % 的可评估面积");
    }
}

static void add_makers(const struct om_explanation *e, bool english,
                       struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    const size_t most = largest_term(e);
    const double share = 100.0 * e->part[most] / e->value.numerator;
    uint64_t rows = 0;
    for (size_t i = 0; i < bound->risk.terms; i++) rows += e->reached[i];
    if (bound->risk.terms > 1 && share > 0.0 && share <= 100.0) {
        om_buf_addf(out, english ? "; %s make " : ";其中%s占 ",
                    term_title(bound, most, english));
        om_buf_add_fixed(out, share, 0);
        om_buf_add_text(out, english ? " % of it" : " %");
    }
    om_buf_addf(out, english ? "; %llu rows" : ";依据 %llu 条记录",
                (unsigned long long)rows);
    if (bound->per) {
        if (!english) om_buf_addf(out, ",%s约 ", exposed_title(bound, false));
        if (english) om_buf_add_text(out, " and about ");
        add_figure(out, e->value.exposed);
        if (english) om_buf_addf(out, " %s", exposed_title(bound, true));
    }
    om_buf_add_text(out, english ? " are behind it." : "。");
}

om_status om_explain_sentence(const struct om_explanation *e, bool english,
                              struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    if (e->outside)
        om_buf_add_text(out, english ? "Outside the city's units: "
                                     : "此处在本市各单元之外:");
    if (isnan(e->value.value)) {
        add_unknown(e, english, out);
        return out->status;
    }
    om_buf_addf(out, english ? "%s is " : "此处%s为", title_of(bound, english));
    if (!english) om_buf_addf(out, "%s ", bound->unit);
    add_figure(out, e->value.value);
    if (english) om_buf_addf(out, " %s here", bound->unit_en);
    add_standing(e, english, out);
    if (e->coarse)
        om_buf_add_text(out, english ? ", or somewhat more; what makes it is "
                                       "about single persons."
                                     : " 或略高;其依据涉及个人,不予列出。");
    else if (e->value.numerator != 0.0)
        add_makers(e, english, out);
    else
        om_buf_add_text(out, english ? "; nothing within reach counts."
                                     : ";可及范围内没有计入的记录。");
    return out->status;
}

void om_explain_coarsen(struct om_explanation *e)
{
    const int step = e->pixel.step;
    const double least =
        step >= 0 ? (double)e->view->painted[0].from[step] : 0.0;
    e->coarse = true;
    // Where it is known is told by the picture, too, and no better.
    const bool known = !isnan(e->pixel.value);
    e->value.value = e->pixel.value = known ? least : NAN;
    e->relative = known && e->mean > 0 ? least / e->mean : NAN;
    e->value.numerator = e->value.exposure = e->value.exposed = NAN;
    e->percentile = NAN;
    e->rows = 0;
    for (size_t i = 0; i < OM_MODEL_TERMS_MOST; i++) {
        e->part[i] = NAN;
        e->reached[i] = 0;
    }
}

/* ---- JSON -------------------------------------------------------------- */

static void add_text(struct om_buf *out, const char *label, const char *text)
{
    om_buf_add_text(out, label);
    if (text)
        om_buf_add_json_text(out, text, strlen(text));
    else
        om_buf_add_text(out, "null");
}

static void add_real(struct om_buf *out, const char *label, double value)
{
    om_buf_add_text(out, label);
    om_buf_add_json_real(out, value);
}

/* The id of a row, as JSON or as it is. */
static om_status add_id(const struct om_risk_bound *bound,
                        const struct om_risk_row *row, bool json,
                        struct om_buf *out)
{
    const struct om_layer *layer = bound->risk.term[row->term].spec.layer;
    struct om_text_reader reader = {0};
    const char *text = NULL;
    size_t len = 0;
    const om_status st =
        om_segment_text(layer->part[row->part].segment, layer->schema.id_field,
                        row->row, &reader, &text, &len);
    if (!st && text && json) om_buf_add_json_text(out, text, len);
    if (!st && text && !json) om_buf_add(out, text, len);
    if (!st && !text && json) om_buf_add_text(out, "null");
    om_text_reader_deinit(&reader);
    return st;
}

static void add_pixel(const struct om_explain_pixel *p, struct om_buf *out)
{
    om_buf_addf(out,
                ",\"pixel\":{\"z\":%u,\"x\":%u,\"y\":%u,\"col\":%u,"
                "\"row\":%u,\"value\":",
                p->z, p->x, p->y, p->col, p->row);
    om_buf_add_json_real(out, p->value);
    om_buf_addf(out, ",\"step\":%d}", p->step);
}

static void add_exposure(const struct om_explanation *e, struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    if (!bound->per) {
        om_buf_add_text(out, ",\"exposure\":null");
        return;
    }
    add_text(out, ",\"exposure\":{\"per\":", bound->per->name);
    add_real(out, ",\"value\":", e->value.exposure);
    add_real(out, ",\"units\":", e->value.exposed);
    add_real(out, ",\"floor\":", bound->risk.floor);
    add_real(out, ",\"shrink\":", bound->risk.shrink);
    om_buf_add_text(out, "}");
}

static void add_terms(const struct om_explanation *e, struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    om_buf_add_text(out, ",\"terms\":[");
    for (size_t i = 0; i < bound->risk.terms; i++) {
        const struct om_field_spec *spec = &bound->risk.term[i].spec;
        const struct om_model_term *from = bound->term[i].from;
        add_text(out, i ? ",\n{\"name\":" : "\n{\"name\":",
                 from ? from->name : bound->name);
        add_text(out, ",\"title\":", term_title(bound, i, false));
        add_text(out, ",\"title_en\":", term_title(bound, i, true));
        add_text(out, ",\"layer\":", spec->layer->name);
        add_text(out, ",\"kernel\":", om_kernel_name(spec->kernel));
        add_real(out, ",\"bandwidth_m\":", spec->bandwidth_m);
        add_real(out, ",\"value\":", e->part[i]);
        add_real(out, ",\"share\":", e->part[i] / e->value.numerator);
        if (e->coarse)
            om_buf_add_text(out, ",\"count\":null}");
        else
            om_buf_addf(out, ",\"count\":%llu}",
                        (unsigned long long)e->reached[i]);
    }
    om_buf_add_text(out, "]");
}

static om_status add_rows(const struct om_explanation *e, struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    om_buf_add_text(out, ",\"rows\":[");
    for (size_t i = 0; i < e->rows; i++) {
        const struct om_risk_row *row = &e->row[i];
        const struct om_layer *layer = bound->risk.term[row->term].spec.layer;
        om_buf_add_text(out, i ? ",\n{\"id\":" : "\n{\"id\":");
        OM_TRY(add_id(bound, row, true, out));
        add_text(out, ",\"layer\":", layer->name);
        om_buf_addf(out, ",\"term\":%zu", row->term);
        add_real(out, ",\"distance_m\":", row->distance_m);
        add_real(out, ",\"weight\":", row->weight);
        add_real(out, ",\"value\":", row->amount);
        add_real(out, ",\"share\":", row->amount / e->value.numerator);
        om_buf_add_text(out, "}");
    }
    om_buf_add_text(out, "]");
    return out->status;
}

static void add_words(const struct om_explanation *e, struct om_buf *out)
{
    struct om_buf words = {0};
    for (int english = 0; english < 2; english++) {
        om_buf_clear(&words);
        om_explain_sentence(e, english, &words);
        om_buf_add_text(out, english ? ",\"text_en\":" : ",\"text\":");
        om_buf_add_json_text(out, (const char *)words.bytes, words.len);
        if (words.status) out->status = words.status;
    }
    om_buf_deinit(&words);
}

om_status om_explain_json(const struct om_explanation *e, struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    const struct om_risk_spread *spread = e->view->spread;
    const struct om_legend_grade *grade =
        bound->per ? om_explain_grade(e->relative) : NULL;
    add_real(out, "\"lon\":", e->lon_deg);
    add_real(out, ",\"lat\":", e->lat_deg);
    add_real(out, ",\"value\":", e->value.value);
    om_buf_addf(out, ",\"known\":%s,\"outside\":%s",
                isnan(e->value.value) ? "false" : "true",
                e->outside ? "true" : "false");
    add_text(out, ",\"unit\":", bound->unit_en);
    add_text(out, ",\"unit_zh\":", bound->unit);
    if (e->coarse) om_buf_add_text(out, ",\"hidden\":true");
    add_real(out, ",\"numerator\":", e->value.numerator);
    add_exposure(e, out);
    add_real(out, ",\"mean\":", e->mean);
    add_real(out, ",\"relative\":", e->relative);
    add_text(out, ",\"grade\":", grade ? grade->name : NULL);
    add_real(out, ",\"percentile\":", e->percentile);
    if (spread) {
        add_real(out, ",\"percentile_of\":{\"area_km2\":", spread->area_km2);
        add_real(out, ",\"unknown_km2\":", spread->unknown_km2);
        om_buf_add_text(out, "}");
    }
    add_pixel(&e->pixel, out);
    add_terms(e, out);
    OM_TRY(add_rows(e, out));
    add_words(e, out);
    return out->status;
}

/* ---- text -------------------------------------------------------------- */

static void add_head(const struct om_explanation *e, int32_t zone_s,
                     struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    char at[OM_TIME_TEXT_BYTES];
    om_time_format(bound->at_s, zone_s, at);
    om_buf_addf(out, "%s  %s  %s\nat %.7f,%.7f", bound->name,
                title_of(bound, false), title_of(bound, true), e->lon_deg,
                e->lat_deg);
    if (bound->dated) om_buf_addf(out, "  as of %s", at);
    om_buf_add_text(out, "\n\n");
}

static void add_figures(const struct om_explanation *e, struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    const struct om_risk_spread *spread = e->view->spread;
    const struct om_legend_grade *grade =
        bound->per ? om_explain_grade(e->relative) : NULL;
    om_buf_add_text(out, "value       ");
    if (isnan(e->value.value))
        om_buf_add_text(out, "unknown");
    else
        add_figure(out, e->value.value);
    om_buf_addf(out, "  %s  %s\n", bound->unit_en, bound->unit);
    om_buf_add_text(out, "city mean   ");
    add_figure(out, e->mean);
    om_buf_add_text(out, "  relative risk ");
    add_figure(out, e->relative);
    if (grade) om_buf_addf(out, "  %s %s", grade->name, grade->title);
    om_buf_add_text(out, "\npercentile  ");
    add_figure(out, e->percentile);
    if (spread) {
        om_buf_addf(out, "  of %.0f km2 that are known", spread->area_km2);
        if (spread->unknown_km2 > 0.0)
            om_buf_addf(out, " (%.0f km2 are not)", spread->unknown_km2);
    }
    om_buf_add_text(out, "\nnumerator   ");
    add_figure(out, e->value.numerator);
    om_buf_add_text(out, "  per km2\n");
    if (bound->per) {
        om_buf_add_text(out, "exposure    ");
        add_figure(out, e->value.exposure);
        om_buf_add_text(out, "  per km2; ");
        add_figure(out, e->value.exposed);
        om_buf_addf(out, " %s within reach, at least ",
                    exposed_title(bound, true));
        add_figure(out, bound->risk.floor);
        om_buf_add_text(out, " are needed");
        if (bound->risk.shrink > 0.0) {
            om_buf_add_text(out, ";\n            shrunk by ");
            add_figure(out, bound->risk.shrink);
            om_buf_add_text(out, " more that fare as the city's mean");
        }
        om_buf_add_text(out, "\n");
    }
    om_buf_addf(out, "pixel       %u/%u/%u column %u row %u: ", e->pixel.z,
                e->pixel.x, e->pixel.y, e->pixel.col, e->pixel.row);
    if (isnan(e->pixel.value))
        om_buf_add_text(out, "unknown\n");
    else {
        add_figure(out, e->pixel.value);
        om_buf_addf(out, ", step %d\n", e->pixel.step);
    }
}

static om_status add_lists(const struct om_explanation *e, struct om_buf *out)
{
    const struct om_risk_bound *bound = e->view->bound;
    om_buf_add_text(out, "\nterms          share   per km2    rows\n");
    for (size_t i = 0; i < bound->risk.terms; i++)
        om_buf_addf(
            out, "%-12.12s %5.1f %% %9.3g %7llu  %s  %s\n",
            bound->term[i].from ? bound->term[i].from->name : bound->name,
            e->value.numerator != 0.0 ? 100.0 * e->part[i] / e->value.numerator
                                      : 0.0,
            e->part[i], (unsigned long long)e->reached[i],
            term_title(bound, i, true), term_title(bound, i, false));
    if (e->rows)
        om_buf_add_text(out,
                        "\nstrongest rows  share    distance    weight  id\n");
    for (size_t i = 0; i < e->rows; i++) {
        const struct om_risk_row *row = &e->row[i];
        const struct om_model_term *from = bound->term[row->term].from;
        om_buf_addf(out, "%-12.12s %6.2f %% %9.0f m %9.3g  ",
                    from ? from->name : bound->name,
                    100.0 * row->amount / e->value.numerator, row->distance_m,
                    row->weight);
        OM_TRY(add_id(bound, row, false, out));
        om_buf_add_text(out, "\n");
    }
    return out->status;
}

om_status om_explain_text(const struct om_explanation *e, int32_t zone_s,
                          struct om_buf *out)
{
    add_head(e, zone_s, out);
    add_figures(e, out);
    OM_TRY(add_lists(e, out));
    om_buf_add_text(out, "\n");
    om_explain_sentence(e, false, out);
    om_buf_add_text(out, "\n");
    om_explain_sentence(e, true, out);
    return om_buf_add_text(out, "\n");
}
