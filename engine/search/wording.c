/* wording.c - words of a question that are not of the name.
 *
 * DESIGN
 * A name in English is its pinyin and words that say what it is (Humen Town,
 * roman.h): these words are put back into Chinese before the text is folded,
 * and what stands between commas is read from the last on. What says that
 * somebody is beside a place (19号对面) weighs nothing, so that a name that has
 * it (门口) is still found by it.
 */
#include "engine/search/wording_internal.h"

#include <string.h>

#define WORD_MOST 12

static const struct {
    const char *english, *chinese;
} WORD[] = {
    {"province", "省"},
    {"city", "市"},
    {"district", "区"},
    {"subdistrict", "街道"},
    {"town", "镇"},
    {"township", "镇"},
    {"community", "社区"},
    {"village", "村"},
    {"grid", "网格"},
    {"road", "路"},
    {"street", "街"},
    {"avenue", "大道"},
    {"lane", "巷"},
    {"alley", "巷"},
    {"building", "栋"},
    {"block", "栋"},
    {"unit", "单元"},
    {"room", "房"},
    {"service", "服务"},
    {"centre", "中心"},
    {"center", "中心"},
    {"hospital", "医院"},
    {"school", "学校"},
    {"park", "公园"},
    {"square", "广场"},
    {"station", "站"},
    {"bridge", "桥"},
    {"river", "河"},
    {"lake", "湖"},
    {"reservoir", "水库"},
    {"no", ""},
    {"number", ""},
    {"the", ""},
    {"of", ""},
    {"in", ""},
    {"near", ""},
    {"beside", ""},
    {"opposite", ""},
};

/* After a name or a number; each ends in 0. */
static const uint16_t BESIDE[][4] = {
    u"斜对面", u"旁边", u"对面", u"附近", u"隔壁", u"门口", u"门前",
    u"楼下",   u"后面", u"前面", u"背后", u"一带", u"周边", u"旁",
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The Chinese of a word, NULL where it is none of the list. */
static const char *chinese_of(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof WORD / sizeof *WORD; i++) {
        size_t n = 0;
        if (strlen(WORD[i].english) != len) continue;
        while (n < len && small(word[n]) == WORD[i].english[n]) n++;
        if (n == len) return WORD[i].chinese;
    }
    return NULL;
}

struct translating {
    char *out;
    size_t len, room, words;
};

static void translate(struct translating *t, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t word = 0;
        while (at + word < len && is_letter(text[at + word])) word++;
        const char *chinese =
            word > 1 && word <= WORD_MOST ? chinese_of(text + at, word) : NULL;
        const size_t step = word ? word : 1;
        const char *from = chinese ? chinese : text + at;
        const size_t bytes = chinese ? strlen(chinese) : step;
        if (t->len + bytes > t->room) return;
        memcpy(t->out + t->len, from, bytes);
        t->len += bytes;
        t->words += chinese != NULL;
        at += step;
    }
}

/* What English says last is the largest. */
static void translate_backwards(struct translating *t, const char *text,
                                size_t len)
{
    while (len) {
        size_t from = len;
        while (from && text[from - 1] != ',') from--;
        translate(t, text + from, len - from);
        if (t->len < t->room) t->out[t->len++] = ',';
        len = from ? from - 1 : 0;
    }
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] >= 0x80) return false;
    return true;
}

size_t om__wording_translate(const char *text, size_t len, char *out,
                             size_t room)
{
    struct translating t = {.out = out, .room = room};
    translate(&t, text, len);
    if (!t.words || !is_ascii(text, len)) return t.len;
    t.len = 0;
    translate_backwards(&t, text, len);
    return t.len;
}

static size_t length_of(const uint16_t *word)
{
    size_t n = 0;
    while (n < 4 && word[n]) n++;
    return n;
}

size_t om__wording_beside(const struct om_search_text *text)
{
    size_t end = text->tokens;
    for (size_t i = 0; i < sizeof BESIDE / sizeof *BESIDE;) {
        const size_t n = length_of(BESIDE[i]);
        const bool there =
            end >= n + 2 &&
            !memcmp(text->token + end - n, BESIDE[i], n * sizeof *BESIDE[i]) &&
            (n > 1 || om_token_is_suffix(text->token[end - n - 1]));
        if (there) end -= n;
        i = there ? 0 : i + 1;
    }
    return end;
}
