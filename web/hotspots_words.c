// hotspots_words.c - what a number means, in a sentence.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/model/time.h"
#include "engine/stat/emerging.h"
#include "web/hotspots_internal.h"

#define DAY_S 86400

static int percent(int bin)
{
    static const int PERCENT[] = {0, 90, 95, 99};
    return PERCENT[abs(bin)];
}

static const char *quadrant_name(enum om_quadrant q)
{
    static const char *const NAME[] = {"not significant", "high-high",
                                       "low-low", "high-low", "low-high"};
    return NAME[q];
}

const char *om__hotspot_class(const struct om__hotspots *h,
                              const struct om_hotspot *row, char text[32])
{
    const bool eb = h->ask.stat == OM_STAT_EB;
    if (isnan(row->z)) return "unknown";
    if (h->ask.stat == OM_STAT_EMERGING) {
        if (!row->emerging) return "none";
        snprintf(text, 32, "%s %s", om_emerging_name(row->emerging),
                 row->emerging > 0 ? "hot" : "cold");
        return text;
    }
    if (h->ask.stat == OM_STAT_MORAN)
        return abs(row->bin) >= h->ask.least
                   ? quadrant_name(row->moran.quadrant)
                   : "not significant";
    if (!row->bin) return "not significant";
    snprintf(text, 32, "%s %d%%",
             row->bin > 0 ? (eb ? "high" : "hot") : (eb ? "low" : "cold"),
             percent(row->bin));
    return text;
}

/* ---- where ---- */

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80) text++;
    return !*text;
}

/* What a unit is called: in English what city.json says, else what its terms
 * and pinyin make of the name. Where a column has it the name stays: whoever
 * asks for names (/catalog?lang=en) puts it there. */
static void say_name(const struct om__hotspots *h, const struct om_units *of,
                     const char *name, bool chinese, struct om_buf *out)
{
    const struct om_json *about = om_manifest_about(h->city, of->layer->name);
    const char *said =
        chinese
            ? NULL
            : om_json_text(
                  om_json_get(om_json_get(om_json_get(about, "value_titles_en"),
                                          "name"),
                              name),
                  NULL);
    const size_t len = out->len;
    if (!chinese && !said && h->term && !is_ascii(name) &&
        om_schema_find(&of->layer->schema, "name_en") == OM_NO_FIELD) {
        if (!om_romanise(name, strlen(name), h->term, h->terms, out, NULL))
            return;
        out->len = len;  // without ICU's data
    }
    om_buf_add_text(out, said ? said : name);
}

/* "虎门镇, grid 0123" */
static void say_place(const struct om__hotspots *h, size_t area, bool chinese,
                      struct om_buf *out)
{
    char text[OM__AREA_TEXT];
    const struct om__parents *p = &h->parents;
    const char *town =
        p->levels ? om__parent_name(p, p->levels - 1, area) : NULL;
    const char *name = om__area_name(h, area, text);
    if (!*name) name = om__area_id(h, area, text);
    if (town) {
        say_name(h, &p->unit[p->levels - 1], town, chinese, out);
        if (!chinese) om_buf_add_text(out, ", ");
    }
    if (!h->zones.tiled) {
        const char *title = h->zones.units.layer->meta->title;
        om_buf_addf(out, chinese ? "%s" : "%s ",
                    chinese ? title : h->zones.units.level);
    } else {
        const bool hexagon = h->zones.tiling.shape == OM_SHAPE_HEXAGON;
        om_buf_addf(out, chinese ? "%g米%s" : "%g m %s at ",
                    h->zones.tiling.size_m,
                    chinese ? (hexagon ? "六边形" : "方格")
                            : (hexagon ? "hexagon" : "square"));
        om_buf_add_text(out, name);
        return;
    }
    say_name(h, &h->zones.units, name, chinese, out);
}

/* ---- how many, in what time ---- */

static void say_number(struct om_buf *out, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        om_buf_add_i64(out, (int64_t)value);
    else
        om_buf_addf(out, "%.4g", value);
}

static bool ends(const char *text, size_t len, const char *end)
{
    const size_t n = strlen(end);
    return len >= n && !memcmp(text + len - n, end, n);
}

/* "reports", of one "report": as most English nouns; "premises" stays. */
static void say_noun(struct om_buf *out, const char *many, bool one)
{
    const size_t len = strlen(many);
    const bool alike = !ends(many, len, "s") || ends(many, len, "ises");
    const size_t cut = !one || alike             ? 0
                       : ends(many, len, "ies")  ? 3
                       : ends(many, len, "sses") ? 2
                                                 : 1;
    om_buf_add(out, many, len - cut);
    if (cut == 3) om_buf_add_byte(out, 'y');
}

static void say_period(const struct om__hotspots *h, bool chinese,
                       struct om_buf *out)
{
    const double days = (double)(h->found.to_s - h->found.from_s) / DAY_S;
    if (!(days > 0)) return;
    const bool long_one = days >= 1;
    const double n = long_one ? round(days) : fmax(round(days * 24), 1);
    if (chinese) {
        om_buf_addf(out, long_one ? "%.0f天内" : "%.0f小时内", n);
        return;
    }
    om_buf_addf(out, " in %.0f ", n);
    say_noun(out, long_one ? "days" : "hours", n == 1);
}

static void say_count(const struct om__hotspots *h,
                      const struct om_hotspot *row, bool chinese,
                      struct om_buf *out)
{
    const char *kind = h->found.kind ? h->found.kind[row->kind] : NULL;
    if (chinese) say_period(h, true, out);
    say_number(out, row->count);
    if (!chinese) om_buf_add_byte(out, ' ');
    if (chinese)
        om_buf_add_text(out, h->noun);
    else
        say_noun(out, h->noun_en, row->count == 1);
    if (kind) om_buf_addf(out, chinese ? "(%s)" : " (%s)", kind);
    if (!chinese) say_period(h, false, out);
    if (h->ask.weight_column != OM_NO_FIELD) {
        om_buf_add_text(out, chinese ? ",加权合计" : ", weighing ");
        say_number(out, row->sum);
    }
}

/* Whoever is told whole months only is told that the period has its part of
 * them: "(按5–6月巡查折算)". */
static bool say_cover(const struct om__hotspots *h, const char *title,
                      bool chinese, struct om_buf *out)
{
    static const char *const MONTH[] = {"Jan", "Feb", "Mar", "Apr",
                                        "May", "Jun", "Jul", "Aug",
                                        "Sep", "Oct", "Nov", "Dec"};
    const struct om_hotspot_exposure *e = &h->ask.exposure;
    if (!e->told || !e->cover.set || e->cover.from_s >= e->cover.to_s ||
        e->part >= 1)
        return false;
    const int64_t end_s[] = {e->cover.from_s, e->cover.to_s - 1};
    int64_t year[2];
    unsigned month[2], day;
    for (size_t i = 0; i < 2; i++)
        om_time_date(
            (int64_t)floor((double)(end_s[i] + h->city->zone_s) / DAY_S),
            &year[i], &month[i], &day);
    const bool one = year[0] == year[1] && month[0] == month[1];
    const char *first = MONTH[month[0] - 1], *last = MONTH[month[1] - 1];
    if (!chinese && one)
        om_buf_addf(out, " (by %s of %s, in proportion)", title, first);
    else if (!chinese)
        om_buf_addf(out, " (by %s of %s to %s, in proportion)", title, first,
                    last);
    else if (one)
        om_buf_addf(out, "(按%u月%s折算)", month[0], title);
    else
        om_buf_addf(out, "(按%u–%u月%s折算)", month[0], month[1], title);
    return true;
}

static void say_ratio(const struct om__hotspots *h,
                      const struct om_hotspot *row, bool chinese,
                      struct om_buf *out)
{
    if (isnan(row->ratio)) return;
    om_buf_addf(
        out, chinese ? ",为全市均值的%.*f倍" : ", %.*f times the city's mean",
        row->ratio < 0.095 ? 2 : 1, row->ratio);
    if (!h->per) return;
    if (h->ask.exposure.layer == h->layer) {
        om_buf_addf(out, chinese ? "(占全部%s的份额)" : " share of all %s",
                    chinese ? h->noun : h->noun_en);
        return;
    }
    const char *title = h->per;
    if (h->exposed && (chinese ? h->exposed->title : h->exposed->title_en))
        title = chinese ? h->exposed->title : h->exposed->title_en;
    if (say_cover(h, title, chinese, out)) return;
    om_buf_addf(out, chinese ? "(按%s计)" : " (by %s)",
                h->ask.exposure.area ? (chinese ? "面积" : "area") : title);
}

/* ---- how sure, since when ---- */

static void say_since(const struct om__hotspots *h,
                      const struct om_hotspot *row, bool chinese,
                      struct om_buf *out)
{
    static const struct {
        unsigned days;
        const char *one, *one_zh, *many, *many_zh;
    } STEP[] = {{1, "today", "今日", "days", "天"},
                {7, "this week", "本周", "weeks", "周"},
                {0, "this month", "本月", "months", "个月"}};
    if (!row->since_s) return;
    const struct om_stride *step = &h->found.step;
    size_t k = 0, n = 0;
    while (k < 3 && STEP[k].days != step->days) k++;
    while (n < OM_SLICES_MOST &&
           om_stride_back(step, h->found.to_s, h->city->zone_s, n) >
               row->since_s)
        n++;
    if (row->first && k < 3) {
        om_buf_addf(out, chinese ? ",%s新出现" : ", new %s",
                    chinese ? STEP[k].one_zh : STEP[k].one);
        return;
    }
    if (row->first) {
        om_buf_addf(out, chinese ? ",%u天内新出现" : ", new within %u days",
                    step->days);
        return;
    }
    n *= k < 3 ? 1 : step->days;
    om_buf_addf(out, chinese ? ",已持续%zu" : ", for %zu ", n);
    if (chinese)
        om_buf_add_text(out, k < 3 ? STEP[k].many_zh : "天");
    else
        say_noun(out, k < 3 ? STEP[k].many : "days", n == 1);
    if (row->open) om_buf_add_text(out, chinese ? "或更久" : " or more");
}

struct om__hotspot_near om__hotspot_near(const struct om__hotspots *h,
                                         const struct om_hotspot *row)
{
    const struct om_graph *g = &h->graph;
    const struct om_hotspot *kind =
        h->found.row + (size_t)row->kind * h->zones.count;
    double sum = row->sum, expected = row->expected, exposure = row->exposure;
    if (isnan(row->z)) return (struct om__hotspot_near){NAN, NAN};
    for (size_t k = g->first[row->area]; k < g->first[row->area + 1]; k++) {
        const struct om_hotspot *other = &kind[g->to[k]];
        if (isnan(other->z)) continue;
        sum += other->sum;
        expected += other->expected;
        exposure += other->exposure;
    }
    return (struct om__hotspot_near){exposure > 0 ? sum / exposure : NAN,
                                     expected > 0 ? sum / expected : NAN};
}

/* Gi* is about an area with its neighbours: where the area's own ratio points
 * the other way, theirs is told. */
static void say_near(const struct om__hotspots *h, const struct om_hotspot *row,
                     bool hot, bool chinese, struct om_buf *out)
{
    om_buf_add_byte(out, ',');
    if (!chinese) om_buf_add_byte(out, ' ');
    if (!row->neighbours) return;
    om_buf_add_text(out, chinese ? "连同相邻单元" : "with its neighbours ");
    const double ratio = om__hotspot_near(h, row).ratio;
    if (isnan(ratio) || (hot ? !(row->ratio < 1) : !(row->ratio > 1))) return;
    om_buf_addf(out, chinese ? "为%.*f倍," : "%.*f times and ",
                ratio < 0.095 ? 2 : 1, ratio);
}

/* A class of emerging hotspots in words. */
static void say_emerging(const struct om__hotspots *h,
                         const struct om_hotspot *row, bool chinese,
                         struct om_buf *out)
{
    static const char *const ZH[OM_EMERGING_CLASSES] = {
        "无规律",   "新增", "连续", "加强", "持续",
        "逐渐减少", "分散", "振荡", "历史"};
    const int class = abs(row->emerging);
    if (!class) {
        om_buf_add_text(out, chinese ? ",未发现规律" : ", no pattern");
        return;
    }
    const bool hot = row->emerging > 0;
    const char *name = om_emerging_name(class);
    say_near(h, row, hot, chinese, out);
    if (chinese)
        om_buf_addf(out, "为%s%s", ZH[class], hot ? "热点" : "冷点");
    else
        om_buf_addf(out, "%s %s %s", strchr("io", *name) ? "an" : "a", name,
                    hot ? "hotspot" : "coldspot");
}

static void say_moran(const struct om__hotspots *h,
                      const struct om_hotspot *row, bool chinese,
                      struct om_buf *out)
{
    static const char *const EN[] = {
        "", "high among high neighbours", "low among low neighbours",
        "high among low neighbours", "low among high neighbours"};
    static const char *const ZH[] = {"", "高值被高值包围", "低值被低值包围",
                                     "高值被低值包围", "低值被高值包围"};
    if (abs(row->bin) < h->ask.least) return;
    om_buf_addf(out, chinese ? ",%s" : ", %s",
                (chinese ? ZH : EN)[row->moran.quadrant]);
}

static void say_sureness(const struct om__hotspots *h,
                         const struct om_hotspot *row, bool chinese,
                         struct om_buf *out)
{
    if (isnan(row->z)) {
        om_buf_add_text(out, chinese ? ",无法判断" : ", cannot be judged");
        return;
    }
    if (h->ask.stat == OM_STAT_EMERGING) {
        say_emerging(h, row, chinese, out);
        return;
    }
    if (h->ask.stat == OM_STAT_MORAN) say_moran(h, row, chinese, out);
    if (!row->bin) {
        om_buf_add_text(out, chinese ? ",不显著" : ", not significant");
        return;
    }
    const bool hot = row->bin > 0;
    if (h->ask.stat == OM_STAT_GISTAR) {
        say_near(h, row, hot, chinese, out);
        om_buf_add_text(out, chinese ? (hot ? "为热点" : "为冷点")
                                     : (hot ? "hot" : "cold"));
    } else if (h->ask.stat == OM_STAT_EB) {
        om_buf_add_text(out, chinese ? (hot ? ",偏高" : ",偏低")
                                     : (hot ? ", high" : ", low"));
    }
    om_buf_addf(out, chinese ? ",置信度%d%%" : ", %d %% significant",
                percent(row->bin));
}

void om__hotspot_say(const struct om__hotspots *h, const struct om_hotspot *row,
                     bool chinese, struct om_buf *out)
{
    say_place(h, row->area, chinese, out);
    om_buf_add_text(out, chinese ? ":" : ": ");
    say_count(h, row, chinese, out);
    say_ratio(h, row, chinese, out);
    say_sureness(h, row, chinese, out);
    say_since(h, row, chinese, out);
}

void om__cluster_say(const struct om__hotspots *h, const struct om_cluster *c,
                     size_t number, const struct om_units *of,
                     const char *place, bool chinese, struct om_buf *out)
{
    if (of) {
        say_name(h, of, place, chinese, out);
        if (!chinese) om_buf_add_text(out, ", ");
    }
    om_buf_addf(out, chinese ? "第%zu聚集区:%llu" : "cluster %zu: %llu ",
                number, (unsigned long long)c->points);
    say_noun(out, chinese ? h->noun : h->noun_en, !chinese && c->points == 1);
    om_buf_addf(out, chinese ? ",面积%.3g平方公里" : " on %.3g km2",
                c->area_km2);
    if (c->area_km2 > 0)
        om_buf_addf(out, chinese ? ",每平方公里%.0f" : ", %.0f a km2",
                    (double)c->points / c->area_km2);
    om_buf_addf(out,
                chinese ? ",%g米内不少于%llu" : ", within %g m at least %llu",
                h->eps_m, (unsigned long long)h->least);
}
