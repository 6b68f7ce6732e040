/* fold.c - one table from ICU: normal form, simplified characters, pinyin.
 *
 * DESIGN
 * ICU is asked once a character and process, not once a text: its
 * transliterators take a microsecond a character, and an index reads hundreds
 * of millions. So a character has one reading whatever stands beside it, which
 * indexes are made by. Characters that are read otherwise in names of places
 * (长 is chang in Chang'an, 涌 is chong in Machong) have a second one, by which
 * what is typed in letters finds them. A searcher who uses a third is wrong by
 * one syllable, which the search forgives as it forgives one wrong character.
 */
#include "engine/search/fold.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"

#define ROOM 64
#define SYLLABLES 2048
#define TO_LATIN "Han-Latin; NFD; [:Nonspacing Mark:] Remove; Lower"

struct making {
    const UNormalizer2 *normal;
    UTransliterator *simple, *latin;
    char (*spelled)[8];  // [65536], of tokens
};

/* How indexes are made: another number makes them anew. */
#define RULES 2

/* Readings that are common in names; ICU has one of them. */
static const struct {
    uint16_t character;
    const char *reading[2];
} READ[] = {
    {u'长', {"chang", "zhang"}}, {u'涌', {"chong", "yong"}},
    {u'厦', {"xia", "sha"}},     {u'乐', {"le", "yue"}},
    {u'行', {"hang", "xing"}},   {u'重', {"chong", "zhong"}},
    {u'朝', {"chao", "zhao"}},   {u'都', {"du", "dou"}},
    {u'单', {"dan", "shan"}},    {u'曾', {"zeng", "ceng"}},
    {u'解', {"jie", "xie"}},     {u'石', {"shi", "dan"}},
    {u'大', {"da", "dai"}},      {u'会', {"hui", "kuai"}},
    {u'车', {"che", "ju"}},      {u'堡', {"bao", "pu"}},
    {u'埔', {"pu", "bu"}},       {u'番', {"pan", "fan"}},
    {u'浒', {"hu", "xu"}},       {u'角', {"jiao", "jue"}},
    {u'柏', {"bai", "bo"}},      {u'泊', {"bo", "po"}},
    {u'盛', {"sheng", "cheng"}}, {u'藏', {"cang", "zang"}},
    {u'圩', {"xu", "wei"}},      {u'陂', {"bei", "po"}},
    {u'峒', {"dong", "tong"}},   {u'垌', {"dong", "tong"}},
    {u'六', {"liu", "lu"}},      {u'校', {"xiao", "jiao"}},
    {u'降', {"jiang", "xiang"}}, {u'屏', {"ping", "bing"}},
    {u'种', {"zhong", "chong"}}, {u'葛', {"ge", "gai"}},
    {u'仇', {"qiu", "chou"}},    {u'查', {"cha", "zha"}},
    {u'翟', {"zhai", "di"}},     {u'盖', {"gai", "ge"}},
    {u'区', {"qu", "ou"}},       {u'覃', {"qin", "tan"}},
    {u'卜', {"bu", "bo"}},       {u'宿', {"su", "xiu"}},
    {u'传', {"chuan", "zhuan"}}, {u'参', {"can", "shen"}},
    {u'洞', {"dong", "tong"}},   {u'尾', {"wei", "yi"}},
    {u'奇', {"qi", "ji"}},       {u'强', {"qiang", "jiang"}},
    {u'率', {"shuai", "lu"}},    {u'觉', {"jue", "jiao"}},
    {u'调', {"diao", "tiao"}},   {u'弹', {"dan", "tan"}},
    {u'乘', {"cheng", "sheng"}}, {u'期', {"qi", "ji"}},
};

static struct om_fold table;
static atomic_bool table_made;
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

/* `text` through a transliterator, in place; its new length, 0 if it failed. */
static int32_t through(UTransliterator *trans, UChar *text, int32_t len)
{
    UErrorCode code = U_ZERO_ERROR;
    int32_t end = len;
    utrans_transUChars(trans, text, &len, ROOM, 0, &end, &code);
    return U_FAILURE(code) ? 0 : len;
}

static bool is_left_out(UChar32 c)
{
    return !u_isalnum(c) && !(U_GET_GC_MASK(c) & (U_GC_LO_MASK | U_GC_NL_MASK));
}

static uint16_t token_of(const struct making *m, UChar32 c)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar text[ROOM], out[ROOM];
    if ((c >= 0xD800 && c <= 0xDFFF) || (c >= 0xE000 && c <= 0xF8FF)) return 0;
    int32_t len = 0;
    U16_APPEND_UNSAFE(text, len, c);
    const int32_t normal =
        unorm2_normalize(m->normal, text, len, out, ROOM, &code);
    if (U_FAILURE(code)) return 0;
    // What folds to several ("㈱") stays as it is: a token is one number.
    if (normal == 1) text[0] = out[0];
    if (normal == 0 || is_left_out(text[0])) return 0;
    if (u_charDigitValue(text[0]) >= 0 && u_isdigit(text[0]))
        return (uint16_t)('0' + u_charDigitValue(text[0]));
    if (text[0] >= 0x3400 && through(m->simple, text, 1) != 1)
        return (uint16_t)c;
    return text[0];
}

/* The letters of a Han character; false where it has no reading. */
static bool spell(const struct making *m, uint16_t token, char *out)
{
    UChar text[ROOM] = {token};
    const int32_t len = through(m->latin, text, 1);
    int32_t n = 0;
    for (int32_t i = 0; i < len && n <= OM_FOLD_SYLLABLE; i++) {
        if (text[i] < 'a' || text[i] > 'z') return false;
        out[n++] = (char)text[i];
    }
    out[n] = '\0';
    return n > 0 && n <= OM_FOLD_SYLLABLE;
}

static int by_letters(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Numbers of all syllables that occur, in the order of their letters. */
static om_status number_syllables(const struct making *m)
{
    char(*list)[8] = om_calloc(65536, sizeof *list);
    if (!list) return OM_E_MEMORY;
    size_t n = 0, kept = 0;
    for (size_t t = 0; t < 65536; t++)
        if (m->spelled[t][0]) memcpy(list[n++], m->spelled[t], sizeof *list);
    qsort(list, n, sizeof *list, by_letters);
    for (size_t i = 0; i < n; i++)
        if (!kept || strcmp(list[kept - 1], list[i]) != 0)
            memmove(list[kept++], list[i], sizeof *list);
    table.syllable = (const char(*)[8])list;
    table.syllables = kept;
    if (kept > SYLLABLES) return OM_E_LIMIT;
    for (size_t t = 0; t < 65536; t++) {
        const int s =
            om_fold_syllable(&table, m->spelled[t], strlen(m->spelled[t]));
        table.sound[t] =
            (uint16_t)(s < 0 ? t : (size_t)OM_FOLD_SOUND + (size_t)s);
    }
    return OM_OK;
}

/* The reading that ICU does not have, where it is a syllable of others. */
static void add_others(void)
{
    for (size_t i = 0; i < sizeof READ / sizeof *READ; i++) {
        const uint16_t token = READ[i].character;
        for (int k = 0; k < 2 && !table.other[token]; k++) {
            const char *letters = READ[i].reading[k];
            const int s = om_fold_syllable(&table, letters, strlen(letters));
            const uint16_t sound = (uint16_t)(OM_FOLD_SOUND + s);
            if (s >= 0 && sound != table.sound[token])
                table.other[token] = sound;
        }
    }
}

size_t om_fold_others(const struct om_fold *fold, uint16_t sound,
                      uint16_t out[OM_FOLD_OTHERS])
{
    size_t n = 0;
    if (sound < OM_FOLD_SOUND) return 0;
    for (size_t i = 0; i < sizeof READ / sizeof *READ; i++) {
        const uint16_t token = READ[i].character, main = fold->sound[token];
        bool seen = fold->other[token] != sound;
        for (size_t k = 0; k < n; k++) seen = seen || out[k] == main;
        if (!seen && n < OM_FOLD_OTHERS) out[n++] = main;
    }
    return n;
}

static om_status fill(struct making *m)
{
    UErrorCode code = U_ZERO_ERROR;
    UParseError where;
    UChar id[ROOM * 2];
    m->normal = unorm2_getNFKCCasefoldInstance(&code);
    u_uastrcpy(id, "Traditional-Simplified");
    m->simple = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, &where, &code);
    u_uastrcpy(id, TO_LATIN);
    m->latin = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, &where, &code);
    if (U_FAILURE(code)) return OM_E_UNSUPPORTED;
    m->spelled = om_calloc(65536, sizeof *m->spelled);
    if (!m->spelled) return OM_E_MEMORY;
    for (UChar32 c = 1; c < 65536; c++) {
        table.token[c] = token_of(m, c);
        if (u_hasBinaryProperty(c, UCHAR_UNIFIED_IDEOGRAPH) || c == 0x3007)
            if (!spell(m, (uint16_t)c, m->spelled[c])) m->spelled[c][0] = '\0';
    }
    OM_TRY(number_syllables(m));
    add_others();
    return OM_OK;
}

static om_status make(void)
{
    struct making m = {0};
    const om_status st = fill(&m);
    if (m.simple) utrans_close(m.simple);
    if (m.latin) utrans_close(m.latin);
    om_free(m.spelled);
    if (st) {
        om_free((void *)(uintptr_t)table.syllable);
        memset(&table, 0, sizeof table);
        return st;
    }
    table.hash = om_hash64(table.token, sizeof table.token, RULES);
    table.hash = om_hash64(table.sound, sizeof table.sound, table.hash);
    table.hash = om_hash64(
        table.syllable, table.syllables * sizeof *table.syllable, table.hash);
    atomic_store(&table_made, true);
    return OM_OK;
}

om_status om_fold_get(const struct om_fold **out, struct om_err *err)
{
    om_status st = OM_OK;
    *out = &table;
    if (atomic_load(&table_made)) return OM_OK;
    pthread_mutex_lock(&making);
    if (!atomic_load(&table_made)) st = make();
    pthread_mutex_unlock(&making);
    if (!st) return OM_OK;
    return om_fail(err, st, 0,
                   "the library of characters (ICU) cannot be used: %s",
                   om_status_text(st));
}

int om_fold_syllable(const struct om_fold *fold, const char *letters,
                     size_t len)
{
    size_t low = 0, high = fold->syllables;
    if (len == 0 || len > OM_FOLD_SYLLABLE) return -1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const char *have = fold->syllable[middle];
        int order = strncmp(have, letters, len);
        if (!order && have[len]) order = 1;
        if (!order) return (int)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
