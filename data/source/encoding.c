// encoding.c - iconv with a handle a thread, and a guess of what text is.
#include "data/source/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/base/alloc.h"
#include "data/base/limits.h"
#include "data/base/utf8.h"

#define LANES (OM_LIMIT_THREADS + 1)
#define NAME_BYTES 40
#define NO_ICONV ((iconv_t)-1)
/* Broken texts that are still mistakes, not another encoding: one in ten. */
#define BROKEN_SHARE 10

struct om__encoding {
    char charset[NAME_BYTES];
    bool converts;
    iconv_t lane[LANES];
};

/* Length of the GB18030 character at `s`, 0 if there is none. */
static size_t gb18030_next(const unsigned char *s, size_t len)
{
    if (s[0] < 0x80) return 1;
    if (s[0] == 0x80 || s[0] == 0xFF || len < 2) return 0;
    if (s[1] >= 0x40 && s[1] != 0x7F && s[1] != 0xFF) return 2;
    const bool four = len >= 4 && s[1] >= 0x30 && s[1] <= 0x39 &&
                      s[2] >= 0x81 && s[2] <= 0xFE && s[3] >= 0x30 &&
                      s[3] <= 0x39;
    return four ? 4 : 0;
}

/* Does all of it read as GB18030? Counts what its pairs look like. */
static bool sample_gb18030(struct om__encoding_guess *guess,
                           const unsigned char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        const size_t n = gb18030_next(s + i, len - i);
        if (n == 0) return false;
        // Hanzi and full-width signs of GB 2312: both bytes are high.
        const bool common =
            n == 2 && s[i] >= 0xA1 && s[i] <= 0xF7 && s[i + 1] >= 0xA1;
        guess->hanzi += common;
        guess->others += n == 2 && !common;
        i += n;
    }
    return true;
}

void om__encoding_sample(struct om__encoding_guess *guess, const char *text,
                         size_t len)
{
    bool ascii = true;
    for (size_t i = 0; i < len && ascii; i++) ascii = (text[i] & 0x80) == 0;
    if (ascii) return;
    guess->texts++;
    if (!om_utf8_valid(text, len)) guess->not_utf8++;
    if (!sample_gb18030(guess, (const unsigned char *)text, len))
        guess->not_gb18030++;
}

const char *om__encoding_guessed(const struct om__encoding_guess *guess)
{
    if (guess->not_utf8 * BROKEN_SHARE <= guess->texts) return "UTF-8";
    // Western text is valid GB18030 too where its accents stand before
    // letters; Chinese is made of pairs of high bytes.
    if (guess->not_gb18030 * BROKEN_SHARE <= guess->texts &&
        guess->hanzi >= guess->others)
        return "GB18030";
    return "CP1252";
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static const char *canonical(const char *charset, char *out, size_t room)
{
    static const char *const GB[] = {"GBK",    "GB2312",  "GB-2312",
                                     "936",    "CP936",   "MS936",
                                     "EUC-CN", "GB18030", "GB-18030"};
    for (size_t i = 0; i < sizeof GB / sizeof *GB; i++)
        if (strcasecmp(charset, GB[i]) == 0) return "GB18030";
    if (strcasecmp(charset, "UTF8") == 0 || strcmp(charset, "65001") == 0)
        return "UTF-8";
    snprintf(out, room, "%s%s", is_number(charset) ? "CP" : "", charset);
    return out;
}

om_status om__encoding_open(const char *charset, struct om__encoding **out,
                            struct om_err *err)
{
    struct om__encoding *e = om_calloc(1, sizeof *e);
    if (!e) return om_fail(err, OM_E_MEMORY, 0, "encoding: out of memory");
    for (size_t i = 0; i < LANES; i++) e->lane[i] = NO_ICONV;
    char name[NAME_BYTES];
    snprintf(e->charset, sizeof e->charset, "%s",
             canonical(charset, name, sizeof name));
    e->converts = strcasecmp(e->charset, "UTF-8") != 0;
    if (e->converts) e->lane[0] = iconv_open("UTF-8", e->charset);
    if (e->converts && e->lane[0] == NO_ICONV) {
        om__encoding_close(e);
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "encoding '%.40s' is not known (give e.g. GB18030)",
                       charset);
    }
    *out = e;
    return OM_OK;
}

void om__encoding_close(struct om__encoding *encoding)
{
    if (!encoding) return;
    for (size_t i = 0; i < LANES; i++)
        if (encoding->lane[i] != NO_ICONV) iconv_close(encoding->lane[i]);
    om_free(encoding);
}

bool om__encoding_converts(const struct om__encoding *encoding)
{
    return encoding && encoding->converts;
}

om_status om__encoding_text(struct om__encoding *encoding, size_t lane,
                            const char *text, size_t len, char *out,
                            size_t *out_len)
{
    iconv_t *way = &encoding->lane[lane];
    if (*way == NO_ICONV) *way = iconv_open("UTF-8", encoding->charset);
    if (*way == NO_ICONV) return OM_E_MEMORY;
    char *in = (char *)text, *to = out;
    size_t left = len, room = len * OM_ENCODING_GROWTH;
    (void)iconv(*way, NULL, NULL, NULL, NULL);
    const size_t done = iconv(*way, &in, &left, &to, &room);
    if (done == (size_t)-1 || left) return OM_E_FORMAT;
    *out_len = (size_t)(to - out);
    return OM_OK;
}
