// map_caption.c - period, filter and method of a map, in lines of a legend.
#include "web/server/map_caption.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FILTER_LINES 4
#define BANDWIDTHS 8

static const char *word(enum om_language language, const char *zh,
                        const char *en)
{
    return language == OM_LANGUAGE_ZH ? zh : en;
}

/* There is one for whatever can be asked. */
static char *add_line(struct om_key *key)
{
    assert(key->abouts < OM_KEY_ABOUTS);
    return key->about[key->abouts++];
}

static size_t letter_bytes(const char *at)
{
    size_t n = 1;
    while (((unsigned char)at[n] & 0xC0) == 0x80) n++;
    return n;
}

/* How much of a text a line takes: whole words where there are some. */
static size_t line_bytes(const char *text, size_t columns)
{
    size_t at = 0, used = 0, last_word = 0;
    while (text[at]) {
        const size_t n = letter_bytes(text + at);
        const size_t wide = n > 2 ? 2 : 1;
        if (used + wide > columns || at + n >= OM_KEY_ABOUT_BYTES - 8)
            return last_word > at / 2 ? last_word : at;
        used += wide;
        at += n;
        if (text[at - 1] == ' ' || text[at - 1] == ',') last_word = at;
    }
    return at;
}

static void add_text(struct om_key *key, const char *before, const char *text,
                     size_t columns)
{
    char whole[OM_KEY_ABOUT_BYTES * (FILTER_LINES + 1)];
    snprintf(whole, sizeof whole, "%s%s", before, text);
    const char *at = whole;
    for (int i = 0; *at && i < FILTER_LINES; i++) {
        const size_t n = line_bytes(at, columns);
        const bool more = i + 1 == FILTER_LINES && at[n];
        snprintf(add_line(key), OM_KEY_ABOUT_BYTES, "%.*s%s", (int)n, at,
                 more ? "\u2026" : "");
        at += n;
        while (*at == ' ') at++;
    }
}

/* 2023-05-28/2023-06-26 in words; an end may be open or missing. */
static void period_text(const char *datetime, enum om_language language,
                        char *out, size_t room)
{
    const char *slash = strchr(datetime, '/');
    const int len = (int)(slash ? slash - datetime : 0);
    const bool from = len > 0 && strncmp(datetime, "..", 2) != 0;
    const bool to = slash && slash[1] && strncmp(slash + 1, "..", 2) != 0;
    if (!slash)
        snprintf(out, room, "%.40s", datetime);
    else if (from && to)
        snprintf(out, room, "%.*s %s %.40s", len > 40 ? 40 : len, datetime,
                 word(language, "至", "to"), slash + 1);
    else if (from)
        snprintf(out, room, word(language, "%.*s 起", "from %.*s"),
                 len > 40 ? 40 : len, datetime);
    else if (to)
        snprintf(out, room, word(language, "至 %.40s", "until %.40s"),
                 slash + 1);
    else
        snprintf(out, room, "%s", word(language, "全部", "all times"));
}

static void add_period(const struct om__map_caption *asked,
                       enum om_language language, struct om_key *key)
{
    char text[OM_KEY_ABOUT_BYTES / 2];
    if (!asked->datetime && !asked->timed) return;
    period_text(asked->datetime ? asked->datetime : "/", language, text,
                sizeof text);
    snprintf(add_line(key), OM_KEY_ABOUT_BYTES, "%s%s",
             word(language, "时段 ", "Period: "), text);
}

static void add_other(const struct om__map_caption *asked,
                      enum om_language language, size_t columns,
                      struct om_key *key)
{
    char text[OM_KEY_ABOUT_BYTES / 2];
    if (asked->with_datetime) {
        period_text(asked->with_datetime, language, text, sizeof text);
        snprintf(add_line(key), OM_KEY_ABOUT_BYTES, "%s%s",
                 word(language, "与此同一图例:", "One legend with: "), text);
    }
    if (asked->with_filter)
        add_text(key, word(language, "与此同一图例:", "One legend with: "),
                 asked->with_filter, columns);
}

static const char *kernel_word(enum om_kernel kernel, enum om_language language)
{
    switch (kernel) {
        case OM_KERNEL_GAUSSIAN:
            return word(language, "高斯核", "Gaussian kernel");
        case OM_KERNEL_EPANECHNIKOV:
            return word(language, "Epanechnikov 核", "Epanechnikov kernel");
        default:
            return word(language, "四次核", "quartic kernel");
    }
}

/* Kernel and bandwidths, which terms of a model may have of their own. */
static void add_method(const struct om_risk *risk, enum om_language language,
                       struct om_key *key)
{
    double wide[BANDWIDTHS];
    size_t n = 0;
    bool one_kernel = true;
    char text[OM_KEY_ABOUT_BYTES] = "";
    for (size_t i = 0; i < risk->terms; i++) {
        const struct om_field_spec *spec = &risk->term[i].spec;
        size_t k = 0;
        one_kernel &= spec->kernel == risk->term[0].spec.kernel;
        while (k < n && wide[k] != spec->bandwidth_m) k++;
        if (k == n && n < BANDWIDTHS) wide[n++] = spec->bandwidth_m;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%g",
                 i ? word(language, "、", ", ") : "", wide[i]);
    }
    snprintf(add_line(key), OM_KEY_ABOUT_BYTES,
             word(language, "%s%s带宽 %.80s 米", "%s%sbandwidth %.80s m"),
             one_kernel ? kernel_word(risk->term[0].spec.kernel, language) : "",
             one_kernel ? word(language, ",", ", ") : "", text);
}

static void add_heat(const struct om__map_caption *asked,
                     enum om_language language, struct om_key *key)
{
    const struct om_risk_bound *heat = asked->heat;
    add_method(&heat->risk, language, key);
    if (heat->ask.weight && *heat->ask.weight)
        snprintf(add_line(key), OM_KEY_ABOUT_BYTES, "%s%.80s",
                 word(language, "权重 ", "Weight: "), heat->ask.weight);
    if (asked->halflife)
        snprintf(add_line(key), OM_KEY_ABOUT_BYTES,
                 word(language, "半衰期 %.20s 天", "Half-life %.20s days"),
                 asked->halflife);
}

void om__map_caption(const struct om__map_caption *asked,
                     enum om_language language, size_t columns,
                     struct om_key *key)
{
    add_period(asked, language, key);
    if (asked->filter)
        add_text(key, word(language, "筛选 ", "Filter: "), asked->filter,
                 columns);
    add_other(asked, language, columns, key);
    if (asked->heat) add_heat(asked, language, key);
    if (asked->opacity < 100)
        snprintf(add_line(key), OM_KEY_ABOUT_BYTES,
                 word(language, "不透明度 %u %%", "Opacity %u %%"),
                 asked->opacity);
}
