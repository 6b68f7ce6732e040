// words.c - what texts are compared by: case folding, LIKE, bytewise order.
#include <string.h>

#include "data/base/utf8.h"
#include "engine/filter/filter_internal.h"

/* Case folding, Unicode 14, CaseFolding.txt, statuses C and F. Characters
 * first, first + step ... last move by `delta`; those of LONG become several.
 * No folding makes a text more than three times as long. */
struct fold_run {
    uint32_t first, last;
    int32_t delta;
    uint32_t step;
};
struct fold_long {
    uint32_t from;
    const char *to;
};
// clang-format off
static const struct fold_run RUN[] = {
    {0x0041, 0x005A, 32, 1}, {0x00B5, 0x00B5, 775, 1}, {0x00C0, 0x00D6, 32, 1},
    {0x00D8, 0x00DE, 32, 1}, {0x0100, 0x012E, 1, 2}, {0x0132, 0x0136, 1, 2},
    {0x0139, 0x0147, 1, 2}, {0x014A, 0x0176, 1, 2}, {0x0178, 0x0178, -121, 1},
    {0x0179, 0x017D, 1, 2}, {0x017F, 0x017F, -268, 1},
    {0x0181, 0x0181, 210, 1}, {0x0182, 0x0184, 1, 2}, {0x0186, 0x0186, 206, 1},
    {0x0187, 0x0187, 1, 1}, {0x0189, 0x018A, 205, 1}, {0x018B, 0x018B, 1, 1},
    {0x018E, 0x018E, 79, 1}, {0x018F, 0x018F, 202, 1},
    {0x0190, 0x0190, 203, 1}, {0x0191, 0x0191, 1, 1}, {0x0193, 0x0193, 205, 1},
    {0x0194, 0x0194, 207, 1}, {0x0196, 0x0196, 211, 1},
    {0x0197, 0x0197, 209, 1}, {0x0198, 0x0198, 1, 1}, {0x019C, 0x019C, 211, 1},
    {0x019D, 0x019D, 213, 1}, {0x019F, 0x019F, 214, 1}, {0x01A0, 0x01A4, 1, 2},
    {0x01A6, 0x01A6, 218, 1}, {0x01A7, 0x01A7, 1, 1}, {0x01A9, 0x01A9, 218, 1},
    {0x01AC, 0x01AC, 1, 1}, {0x01AE, 0x01AE, 218, 1}, {0x01AF, 0x01AF, 1, 1},
    {0x01B1, 0x01B2, 217, 1}, {0x01B3, 0x01B5, 1, 2}, {0x01B7, 0x01B7, 219, 1},
    {0x01B8, 0x01B8, 1, 1}, {0x01BC, 0x01BC, 1, 1}, {0x01C4, 0x01C4, 2, 1},
    {0x01C5, 0x01C5, 1, 1}, {0x01C7, 0x01C7, 2, 1}, {0x01C8, 0x01C8, 1, 1},
    {0x01CA, 0x01CA, 2, 1}, {0x01CB, 0x01DB, 1, 2}, {0x01DE, 0x01EE, 1, 2},
    {0x01F1, 0x01F1, 2, 1}, {0x01F2, 0x01F4, 1, 2}, {0x01F6, 0x01F6, -97, 1},
    {0x01F7, 0x01F7, -56, 1}, {0x01F8, 0x021E, 1, 2},
    {0x0220, 0x0220, -130, 1}, {0x0222, 0x0232, 1, 2},
    {0x023A, 0x023A, 10795, 1}, {0x023B, 0x023B, 1, 1},
    {0x023D, 0x023D, -163, 1}, {0x023E, 0x023E, 10792, 1},
    {0x0241, 0x0241, 1, 1}, {0x0243, 0x0243, -195, 1}, {0x0244, 0x0244, 69, 1},
    {0x0245, 0x0245, 71, 1}, {0x0246, 0x024E, 1, 2}, {0x0345, 0x0345, 116, 1},
    {0x0370, 0x0372, 1, 2}, {0x0376, 0x0376, 1, 1}, {0x037F, 0x037F, 116, 1},
    {0x0386, 0x0386, 38, 1}, {0x0388, 0x038A, 37, 1}, {0x038C, 0x038C, 64, 1},
    {0x038E, 0x038F, 63, 1}, {0x0391, 0x03A1, 32, 1}, {0x03A3, 0x03AB, 32, 1},
    {0x03C2, 0x03C2, 1, 1}, {0x03CF, 0x03CF, 8, 1}, {0x03D0, 0x03D0, -30, 1},
    {0x03D1, 0x03D1, -25, 1}, {0x03D5, 0x03D5, -15, 1},
    {0x03D6, 0x03D6, -22, 1}, {0x03D8, 0x03EE, 1, 2}, {0x03F0, 0x03F0, -54, 1},
    {0x03F1, 0x03F1, -48, 1}, {0x03F4, 0x03F4, -60, 1},
    {0x03F5, 0x03F5, -64, 1}, {0x03F7, 0x03F7, 1, 1}, {0x03F9, 0x03F9, -7, 1},
    {0x03FA, 0x03FA, 1, 1}, {0x03FD, 0x03FF, -130, 1}, {0x0400, 0x040F, 80, 1},
    {0x0410, 0x042F, 32, 1}, {0x0460, 0x0480, 1, 2}, {0x048A, 0x04BE, 1, 2},
    {0x04C0, 0x04C0, 15, 1}, {0x04C1, 0x04CD, 1, 2}, {0x04D0, 0x052E, 1, 2},
    {0x0531, 0x0556, 48, 1}, {0x10A0, 0x10C5, 7264, 1},
    {0x10C7, 0x10C7, 7264, 1}, {0x10CD, 0x10CD, 7264, 1},
    {0x13F8, 0x13FD, -8, 1}, {0x1C80, 0x1C80, -6222, 1},
    {0x1C81, 0x1C81, -6221, 1}, {0x1C82, 0x1C82, -6212, 1},
    {0x1C83, 0x1C84, -6210, 1}, {0x1C85, 0x1C85, -6211, 1},
    {0x1C86, 0x1C86, -6204, 1}, {0x1C87, 0x1C87, -6180, 1},
    {0x1C88, 0x1C88, 35267, 1}, {0x1C90, 0x1CBA, -3008, 1},
    {0x1CBD, 0x1CBF, -3008, 1}, {0x1E00, 0x1E94, 1, 2},
    {0x1E9B, 0x1E9B, -58, 1}, {0x1EA0, 0x1EFE, 1, 2}, {0x1F08, 0x1F0F, -8, 1},
    {0x1F18, 0x1F1D, -8, 1}, {0x1F28, 0x1F2F, -8, 1}, {0x1F38, 0x1F3F, -8, 1},
    {0x1F48, 0x1F4D, -8, 1}, {0x1F59, 0x1F5F, -8, 2}, {0x1F68, 0x1F6F, -8, 1},
    {0x1FB8, 0x1FB9, -8, 1}, {0x1FBA, 0x1FBB, -74, 1},
    {0x1FBE, 0x1FBE, -7173, 1}, {0x1FC8, 0x1FCB, -86, 1},
    {0x1FD8, 0x1FD9, -8, 1}, {0x1FDA, 0x1FDB, -100, 1},
    {0x1FE8, 0x1FE9, -8, 1}, {0x1FEA, 0x1FEB, -112, 1},
    {0x1FEC, 0x1FEC, -7, 1}, {0x1FF8, 0x1FF9, -128, 1},
    {0x1FFA, 0x1FFB, -126, 1}, {0x2126, 0x2126, -7517, 1},
    {0x212A, 0x212A, -8383, 1}, {0x212B, 0x212B, -8262, 1},
    {0x2132, 0x2132, 28, 1}, {0x2160, 0x216F, 16, 1}, {0x2183, 0x2183, 1, 1},
    {0x24B6, 0x24CF, 26, 1}, {0x2C00, 0x2C2F, 48, 1}, {0x2C60, 0x2C60, 1, 1},
    {0x2C62, 0x2C62, -10743, 1}, {0x2C63, 0x2C63, -3814, 1},
    {0x2C64, 0x2C64, -10727, 1}, {0x2C67, 0x2C6B, 1, 2},
    {0x2C6D, 0x2C6D, -10780, 1}, {0x2C6E, 0x2C6E, -10749, 1},
    {0x2C6F, 0x2C6F, -10783, 1}, {0x2C70, 0x2C70, -10782, 1},
    {0x2C72, 0x2C72, 1, 1}, {0x2C75, 0x2C75, 1, 1},
    {0x2C7E, 0x2C7F, -10815, 1}, {0x2C80, 0x2CE2, 1, 2},
    {0x2CEB, 0x2CED, 1, 2}, {0x2CF2, 0x2CF2, 1, 1}, {0xA640, 0xA66C, 1, 2},
    {0xA680, 0xA69A, 1, 2}, {0xA722, 0xA72E, 1, 2}, {0xA732, 0xA76E, 1, 2},
    {0xA779, 0xA77B, 1, 2}, {0xA77D, 0xA77D, -35332, 1},
    {0xA77E, 0xA786, 1, 2}, {0xA78B, 0xA78B, 1, 1},
    {0xA78D, 0xA78D, -42280, 1}, {0xA790, 0xA792, 1, 2},
    {0xA796, 0xA7A8, 1, 2}, {0xA7AA, 0xA7AA, -42308, 1},
    {0xA7AB, 0xA7AB, -42319, 1}, {0xA7AC, 0xA7AC, -42315, 1},
    {0xA7AD, 0xA7AD, -42305, 1}, {0xA7AE, 0xA7AE, -42308, 1},
    {0xA7B0, 0xA7B0, -42258, 1}, {0xA7B1, 0xA7B1, -42282, 1},
    {0xA7B2, 0xA7B2, -42261, 1}, {0xA7B3, 0xA7B3, 928, 1},
    {0xA7B4, 0xA7C2, 1, 2}, {0xA7C4, 0xA7C4, -48, 1},
    {0xA7C5, 0xA7C5, -42307, 1}, {0xA7C6, 0xA7C6, -35384, 1},
    {0xA7C7, 0xA7C9, 1, 2}, {0xA7D0, 0xA7D0, 1, 1}, {0xA7D6, 0xA7D8, 1, 2},
    {0xA7F5, 0xA7F5, 1, 1}, {0xAB70, 0xABBF, -38864, 1},
    {0xFF21, 0xFF3A, 32, 1}, {0x10400, 0x10427, 40, 1},
    {0x104B0, 0x104D3, 40, 1}, {0x10570, 0x1057A, 39, 1},
    {0x1057C, 0x1058A, 39, 1}, {0x1058C, 0x10592, 39, 1},
    {0x10594, 0x10595, 39, 1}, {0x10C80, 0x10CB2, 64, 1},
    {0x118A0, 0x118BF, 32, 1}, {0x16E40, 0x16E5F, 32, 1},
    {0x1E900, 0x1E921, 34, 1},
};
static const struct fold_long LONG[] = {
    {0x00DF, "\x73\x73"}, {0x0130, "\x69\xcc\x87"}, {0x0149, "\xca\xbc\x6e"},
    {0x01F0, "\x6a\xcc\x8c"}, {0x0390, "\xce\xb9\xcc\x88\xcc\x81"},
    {0x03B0, "\xcf\x85\xcc\x88\xcc\x81"}, {0x0587, "\xd5\xa5\xd6\x82"},
    {0x1E96, "\x68\xcc\xb1"}, {0x1E97, "\x74\xcc\x88"},
    {0x1E98, "\x77\xcc\x8a"}, {0x1E99, "\x79\xcc\x8a"},
    {0x1E9A, "\x61\xca\xbe"}, {0x1E9E, "\x73\x73"},
    {0x1F50, "\xcf\x85\xcc\x93"}, {0x1F52, "\xcf\x85\xcc\x93\xcc\x80"},
    {0x1F54, "\xcf\x85\xcc\x93\xcc\x81"}, {0x1F56, "\xcf\x85\xcc\x93\xcd\x82"},
    {0x1F80, "\xe1\xbc\x80\xce\xb9"}, {0x1F81, "\xe1\xbc\x81\xce\xb9"},
    {0x1F82, "\xe1\xbc\x82\xce\xb9"}, {0x1F83, "\xe1\xbc\x83\xce\xb9"},
    {0x1F84, "\xe1\xbc\x84\xce\xb9"}, {0x1F85, "\xe1\xbc\x85\xce\xb9"},
    {0x1F86, "\xe1\xbc\x86\xce\xb9"}, {0x1F87, "\xe1\xbc\x87\xce\xb9"},
    {0x1F88, "\xe1\xbc\x80\xce\xb9"}, {0x1F89, "\xe1\xbc\x81\xce\xb9"},
    {0x1F8A, "\xe1\xbc\x82\xce\xb9"}, {0x1F8B, "\xe1\xbc\x83\xce\xb9"},
    {0x1F8C, "\xe1\xbc\x84\xce\xb9"}, {0x1F8D, "\xe1\xbc\x85\xce\xb9"},
    {0x1F8E, "\xe1\xbc\x86\xce\xb9"}, {0x1F8F, "\xe1\xbc\x87\xce\xb9"},
    {0x1F90, "\xe1\xbc\xa0\xce\xb9"}, {0x1F91, "\xe1\xbc\xa1\xce\xb9"},
    {0x1F92, "\xe1\xbc\xa2\xce\xb9"}, {0x1F93, "\xe1\xbc\xa3\xce\xb9"},
    {0x1F94, "\xe1\xbc\xa4\xce\xb9"}, {0x1F95, "\xe1\xbc\xa5\xce\xb9"},
    {0x1F96, "\xe1\xbc\xa6\xce\xb9"}, {0x1F97, "\xe1\xbc\xa7\xce\xb9"},
    {0x1F98, "\xe1\xbc\xa0\xce\xb9"}, {0x1F99, "\xe1\xbc\xa1\xce\xb9"},
    {0x1F9A, "\xe1\xbc\xa2\xce\xb9"}, {0x1F9B, "\xe1\xbc\xa3\xce\xb9"},
    {0x1F9C, "\xe1\xbc\xa4\xce\xb9"}, {0x1F9D, "\xe1\xbc\xa5\xce\xb9"},
    {0x1F9E, "\xe1\xbc\xa6\xce\xb9"}, {0x1F9F, "\xe1\xbc\xa7\xce\xb9"},
    {0x1FA0, "\xe1\xbd\xa0\xce\xb9"}, {0x1FA1, "\xe1\xbd\xa1\xce\xb9"},
    {0x1FA2, "\xe1\xbd\xa2\xce\xb9"}, {0x1FA3, "\xe1\xbd\xa3\xce\xb9"},
    {0x1FA4, "\xe1\xbd\xa4\xce\xb9"}, {0x1FA5, "\xe1\xbd\xa5\xce\xb9"},
    {0x1FA6, "\xe1\xbd\xa6\xce\xb9"}, {0x1FA7, "\xe1\xbd\xa7\xce\xb9"},
    {0x1FA8, "\xe1\xbd\xa0\xce\xb9"}, {0x1FA9, "\xe1\xbd\xa1\xce\xb9"},
    {0x1FAA, "\xe1\xbd\xa2\xce\xb9"}, {0x1FAB, "\xe1\xbd\xa3\xce\xb9"},
    {0x1FAC, "\xe1\xbd\xa4\xce\xb9"}, {0x1FAD, "\xe1\xbd\xa5\xce\xb9"},
    {0x1FAE, "\xe1\xbd\xa6\xce\xb9"}, {0x1FAF, "\xe1\xbd\xa7\xce\xb9"},
    {0x1FB2, "\xe1\xbd\xb0\xce\xb9"}, {0x1FB3, "\xce\xb1\xce\xb9"},
    {0x1FB4, "\xce\xac\xce\xb9"}, {0x1FB6, "\xce\xb1\xcd\x82"},
    {0x1FB7, "\xce\xb1\xcd\x82\xce\xb9"}, {0x1FBC, "\xce\xb1\xce\xb9"},
    {0x1FC2, "\xe1\xbd\xb4\xce\xb9"}, {0x1FC3, "\xce\xb7\xce\xb9"},
    {0x1FC4, "\xce\xae\xce\xb9"}, {0x1FC6, "\xce\xb7\xcd\x82"},
    {0x1FC7, "\xce\xb7\xcd\x82\xce\xb9"}, {0x1FCC, "\xce\xb7\xce\xb9"},
    {0x1FD2, "\xce\xb9\xcc\x88\xcc\x80"}, {0x1FD3, "\xce\xb9\xcc\x88\xcc\x81"},
    {0x1FD6, "\xce\xb9\xcd\x82"}, {0x1FD7, "\xce\xb9\xcc\x88\xcd\x82"},
    {0x1FE2, "\xcf\x85\xcc\x88\xcc\x80"}, {0x1FE3, "\xcf\x85\xcc\x88\xcc\x81"},
    {0x1FE4, "\xcf\x81\xcc\x93"}, {0x1FE6, "\xcf\x85\xcd\x82"},
    {0x1FE7, "\xcf\x85\xcc\x88\xcd\x82"}, {0x1FF2, "\xe1\xbd\xbc\xce\xb9"},
    {0x1FF3, "\xcf\x89\xce\xb9"}, {0x1FF4, "\xcf\x8e\xce\xb9"},
    {0x1FF6, "\xcf\x89\xcd\x82"}, {0x1FF7, "\xcf\x89\xcd\x82\xce\xb9"},
    {0x1FFC, "\xcf\x89\xce\xb9"}, {0xFB00, "\x66\x66"}, {0xFB01, "\x66\x69"},
    {0xFB02, "\x66\x6c"}, {0xFB03, "\x66\x66\x69"}, {0xFB04, "\x66\x66\x6c"},
    {0xFB05, "\x73\x74"}, {0xFB06, "\x73\x74"}, {0xFB13, "\xd5\xb4\xd5\xb6"},
    {0xFB14, "\xd5\xb4\xd5\xa5"}, {0xFB15, "\xd5\xb4\xd5\xab"},
    {0xFB16, "\xd5\xbe\xd5\xb6"}, {0xFB17, "\xd5\xb4\xd5\xad"},
};
// clang-format on

static uint32_t decode(const char *text, size_t width)
{
    const unsigned char *t = (const unsigned char *)text;
    switch (width) {
        case 1:
            return t[0];
        case 2:
            return (uint32_t)(t[0] & 0x1F) << 6 | (t[1] & 0x3F);
        case 3:
            return (uint32_t)(t[0] & 0x0F) << 12 |
                   (uint32_t)(t[1] & 0x3F) << 6 | (t[2] & 0x3F);
        default:
            return (uint32_t)(t[0] & 0x07) << 18 |
                   (uint32_t)(t[1] & 0x3F) << 12 |
                   (uint32_t)(t[2] & 0x3F) << 6 | (t[3] & 0x3F);
    }
}

static size_t encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* The character's folding if it is several characters, else NULL. */
static const char *fold_long(uint32_t c)
{
    size_t lo = 0, hi = sizeof LONG / sizeof *LONG;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (LONG[mid].from < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < sizeof LONG / sizeof *LONG && LONG[lo].from == c ? LONG[lo].to
                                                                 : NULL;
}

static uint32_t fold_one(uint32_t c)
{
    size_t lo = 0, hi = sizeof RUN / sizeof *RUN;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (RUN[mid].last < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == sizeof RUN / sizeof *RUN || c < RUN[lo].first ||
        (c - RUN[lo].first) % RUN[lo].step)
        return c;
    return (uint32_t)((int32_t)c + RUN[lo].delta);
}

size_t om__fold(const char *text, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        const char c = text[i];
        if ((unsigned char)c < 0x80) {
            out[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
            i++;
            continue;
        }
        const size_t width = om_utf8_next(text + i, len - i);
        if (!width) {  // not UTF-8: left as it is
            out[n++] = text[i++];
            continue;
        }
        const uint32_t code = decode(text + i, width);
        const char *several = fold_long(code);
        i += width;
        if (several) {
            const size_t bytes = strlen(several);
            memcpy(out + n, several, bytes);
            n += bytes;
        } else {
            n += encode(fold_one(code), out + n);
        }
    }
    return n;
}

int om__text_order(struct om__text a, struct om__text b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int order = n ? memcmp(a.bytes, b.bytes, n) : 0;
    if (order) return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* Bytes of the character at `text`; a byte that is not UTF-8 counts as one. */
static size_t step(const char *text, size_t len)
{
    if ((unsigned char)*text < 0x80) return 1;
    const size_t width = om_utf8_next(text, len);
    return width ? width : 1;
}

/* First place from t on where the pattern behind a % can begin: its next byte,
 * if it is a letter, is looked for at once. len: nowhere. */
static size_t next_start(const char *text, size_t t, size_t len,
                         const char *pattern, size_t plen)
{
    if (t >= len || pattern[0] == '_' || pattern[0] == '%') return t;
    const char first = pattern[0] == '\\' && plen > 1 ? pattern[1] : pattern[0];
    const char *at = memchr(text + t, first, len - t);
    return at ? (size_t)(at - text) : len;
}

/* The usual walk with one point of return: the text after the last % seen is
 * tried again at the next place. Linear but for patterns made to be slow, and
 * those are bounded by OM_LIMIT_FILTER_BYTES times the text. */
bool om__like(const char *text, size_t len, const char *pattern, size_t plen)
{
    size_t t = 0, p = 0, back_p = SIZE_MAX, back_t = 0;
    for (;;) {
        if (p < plen && pattern[p] == '%') {
            back_p = ++p;
            if (p == plen) return true;
            back_t = t = next_start(text, t, len, pattern + p, plen - p);
            continue;
        }
        if (t == len && p == plen) return true;
        if (t < len && p < plen) {
            if (pattern[p] == '_') {
                t += step(text + t, len - t);
                p++;
                continue;
            }
            const bool escaped = pattern[p] == '\\' && p + 1 < plen;
            if (text[t] == pattern[p + escaped]) {
                t++;
                p += 1 + (size_t)escaped;
                continue;
            }
        }
        if (back_p == SIZE_MAX || back_t >= len) return false;
        p = back_p;
        t = back_t + step(text + back_t, len - back_t);
        back_t = t = next_start(text, t, len, pattern + p, plen - p);
    }
}

size_t om__like_prefix(const char *pattern, size_t plen, char *out,
                       struct om__text *rest)
{
    size_t n = 0, p = 0;
    while (p < plen && pattern[p] != '%' && pattern[p] != '_') {
        if (pattern[p] == '\\' && p + 1 < plen) p++;
        out[n++] = pattern[p++];
    }
    *rest = (struct om__text){pattern + p, plen - p};
    return n;
}
