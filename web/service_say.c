// service_say.c - sentences: whole numbers with commas, shares to a tenth.
#include "web/service_say.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"

om_status om__upper_read(struct om_coverage *q, const struct om_units *units,
                         struct om__upper *out)
{
    const struct om_manifest *m = q->snapshot->manifest;
    *out = (struct om__upper){.units = units};
    for (size_t i = 0; i + 1 < m->levels; i++) {
        if (strcmp(m->level[i], units->level) != 0) continue;
        OM_TRY(
            om_units_read(q->snapshot, m->level[i + 1], &out->above, &q->err));
        out->parent = om_alloc_array(units->count + 1, sizeof *out->parent);
        if (!out->parent) return OM_E_MEMORY;
        return om_units_parents(units, &out->above, out->parent);
    }
    return OM_OK;
}

void om__upper_deinit(struct om__upper *upper)
{
    om_units_deinit(&upper->above);
    om_free(upper->parent);
    *upper = (struct om__upper){0};
}

/* 1,234,567 */
static void add_whole(struct om_buf *out, int64_t n)
{
    char digits[24];
    const int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0 && digits[i - 1] != '-')
            om_buf_add_byte(out, ',');
        om_buf_add_byte(out, (uint8_t)digits[i]);
    }
}

static void add_share(struct om_buf *out, int64_t part, int64_t whole, bool zh)
{
    const double share = whole > 0 ? (double)part / (double)whole : 0.0;
    om_buf_addf(out, zh ? "%.1f%%" : "%.1f %%", 100.0 * share);
}

static void add_way(struct om_buf *out, double m, bool zh)
{
    if (m < 1000)
        om_buf_addf(out, zh ? "%.0f米" : "%.0f m", m);
    else
        om_buf_addf(out, zh ? "%.1f公里" : "%.1f km", m / 1000);
}

/* "Humen, Jinzhou": the unit above first, as addresses go, unless the name says
 * it already. */
static void add_place(const struct om__upper *upper, size_t u,
                      const char *between, struct om_buf *out)
{
    const uint32_t parent = upper->parent ? upper->parent[u] : OM_NO_UNIT;
    const struct om_unit *unit = &upper->units->unit[u];
    const char *name = *unit->name ? unit->name : unit->id;
    if (parent != OM_NO_UNIT) {
        const char *above = upper->above.unit[parent].name;
        if (strncmp(name, above, strlen(above)) != 0) {
            om_buf_add_text(out, above);
            om_buf_add_text(out, between);
        }
    }
    om_buf_add_text(out, name);
}

/* "Service centre" within a sentence is a service centre; "GP" stays. */
static void add_centre_en(const struct om__service *s, struct om_buf *out)
{
    const struct om_manifest_layer *meta = s->centres->meta;
    const char *title =
        meta && meta->title_en[0] ? meta->title_en : s->centres->name;
    const bool word = title[0] >= 'A' && title[0] <= 'Z' && title[1] >= 'a' &&
                      title[1] <= 'z';
    if (!word) {
        om_buf_add_text(out, title);
        return;
    }
    om_buf_add_byte(out, (uint8_t)(title[0] - 'A' + 'a'));
    om_buf_add_text(out, title + 1);
}

static const char *centres_zh(const struct om__service *s)
{
    const struct om_manifest_layer *meta = s->centres->meta;
    return meta && meta->title[0] ? meta->title : s->centres->name;
}

static void add_limit(const struct om__service *s, struct om_nearness near,
                      bool zh, struct om_buf *out)
{
    if (!near.minutes)
        om_buf_addf(out, zh ? "%g米" : "%g m", near.at_most);
    else if (zh)
        om_buf_addf(out, "%s%g分钟", s->mode_zh, near.at_most);
    else
        om_buf_addf(out, "%g minutes%s%s", near.at_most, *s->mode_en ? " " : "",
                    s->mode_en);
}

/* How far it is, for those who cannot see a column: as the crow flies or by
 * road. */
static void add_over(const struct om__service *s, bool zh, struct om_buf *out)
{
    if (s->net)
        om_buf_add_text(out, zh ? "(按路网)" : " (by road)");
    else if (zh)
        om_buf_addf(out, "(直线×%g)", s->factor);
    else
        om_buf_addf(out, " (straight x %g)", s->factor);
}

void om__say_unit(const struct om__service *s, const struct om__upper *upper,
                  size_t u, const char *name, const struct om_tally *t,
                  struct om_buf *en, struct om_buf *zh)
{
    const struct om_nearness near = s->near[s->nears - 1];
    const int64_t far = t->weight - t->weight_near[s->nears - 1];
    if (upper) {
        add_place(upper, u, ", ", en);
        add_place(upper, u, "", zh);
    } else {
        om_buf_add_text(en, name);
        om_buf_add_text(zh, name);
    }
    if (t->weight == 0) {
        om_buf_addf(en, ": no %s.", s->people_en);
        om_buf_addf(zh, ":没有%s。", s->people_zh);
        return;
    }
    om_buf_add_text(en, ": ");
    add_whole(en, far);
    om_buf_add_text(en, " of ");
    add_whole(en, t->weight);
    om_buf_addf(en, " %s (", s->people_en);
    add_share(en, far, t->weight, false);
    om_buf_add_text(en, ") are more than ");
    add_limit(s, near, false, en);
    om_buf_add_text(en, " from the nearest ");
    add_centre_en(s, en);
    om_buf_add_text(zh, ":");
    add_whole(zh, t->weight);
    om_buf_addf(zh, "名%s中有", s->people_zh);
    add_whole(zh, far);
    om_buf_add_text(zh, "名(");
    add_share(zh, far, t->weight, true);
    om_buf_addf(zh, ")不在%s的", centres_zh(s));
    add_limit(s, near, true, zh);
    om_buf_add_text(zh, "服务圈内");
    if (!isnan(t->max_m)) {
        om_buf_add_text(en, "; the farthest way is ");
        add_way(en, t->max_m, false);
        om_buf_add_text(zh, ",最远");
        add_way(zh, t->max_m, true);
    }
    add_over(s, false, en);
    add_over(s, true, zh);
    if (t->rows_off + t->rows_cut) {
        om_buf_add_text(en, "; ");
        add_whole(en, t->weight_off + t->weight_cut);
        om_buf_add_text(en, " have no way there by road");
        om_buf_add_text(zh, ";其中");
        add_whole(zh, t->weight_off + t->weight_cut);
        om_buf_add_text(zh, "名无路可达");
    }
    om_buf_add_text(en, ".");
    om_buf_add_text(zh, "。");
}

void om__say_area(const struct om__service *s, const struct om__upper *upper,
                  size_t u, const struct om_area *area, double m,
                  struct om_buf *en, struct om_buf *zh)
{
    const struct om_nearness near = s->near[s->nears - 1];
    if (upper) {
        add_place(upper, u, ", ", en);
        add_place(upper, u, "", zh);
        om_buf_add_text(en, ": ");
        om_buf_add_text(zh, ":");
    }
    add_whole(en, area->weight);
    om_buf_addf(en, " %s live more than ", s->people_en);
    add_limit(s, near, false, en);
    om_buf_add_text(en, " from the nearest ");
    add_centre_en(s, en);
    add_whole(zh, area->weight);
    om_buf_addf(zh, "名%s在", s->people_zh);
    om_buf_addf(zh, "%s的", centres_zh(s));
    add_limit(s, near, true, zh);
    om_buf_add_text(zh, "服务圈之外");
    if (isfinite(m)) {
        om_buf_add_text(en, "; from their heart it is ");
        add_way(en, m, false);
        om_buf_add_text(zh, ",中心处相距");
        add_way(zh, m, true);
    } else {
        om_buf_add_text(en, "; there is no way by road");
        om_buf_add_text(zh, ",无路可达");
    }
    add_over(s, false, en);
    add_over(s, true, zh);
    om_buf_add_text(en, ".");
    om_buf_add_text(zh, "。");
}

void om__say_site(const struct om__service *s, const struct om__upper *upper,
                  size_t u, size_t rank, int64_t gain, int64_t before,
                  int64_t all, struct om_nearness near, struct om_buf *en,
                  struct om_buf *zh)
{
    om_buf_addf(en, "%zu. ", rank);
    om_buf_addf(zh, "%zu、", rank);
    if (upper) {
        add_place(upper, u, ", ", en);
        add_place(upper, u, "", zh);
        om_buf_add_text(en, ": ");
        om_buf_add_text(zh, ":");
    }
    om_buf_add_text(en, "a new ");
    add_centre_en(s, en);
    om_buf_add_text(en, " here brings ");
    add_whole(en, gain);
    om_buf_addf(en, " more %s within ", s->people_en);
    add_limit(s, near, false, en);
    om_buf_add_text(en, ", ");
    add_share(en, before, all, false);
    om_buf_add_text(en, " of all become ");
    add_share(en, before + gain, all, false);
    add_over(s, false, en);
    om_buf_add_text(en, ".");
    om_buf_addf(zh, "在此新设%s,可使", centres_zh(s));
    add_whole(zh, gain);
    om_buf_addf(zh, "名%s进入", s->people_zh);
    add_limit(s, near, true, zh);
    om_buf_add_text(zh, "服务圈,覆盖率由");
    add_share(zh, before, all, true);
    om_buf_add_text(zh, "升至");
    add_share(zh, before + gain, all, true);
    add_over(s, true, zh);
    om_buf_add_text(zh, "。");
}
