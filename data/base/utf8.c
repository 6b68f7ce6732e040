// utf8.c - well-formed byte sequences of Unicode's table 3-7.
#include "data/base/utf8.h"

#include <stdint.h>
#include <string.h>

static bool tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

size_t om_utf8_next(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) return 1;
    if (s[0] < 0xC2) return 0;
    if (s[0] < 0xE0) return len >= 2 && tail(s[1]) ? 2 : 0;
    if (s[0] < 0xF0) {
        if (len < 3 || !tail(s[1]) || !tail(s[2])) return 0;
        if (s[0] == 0xE0 && s[1] < 0xA0) return 0;  // overlong
        if (s[0] == 0xED && s[1] > 0x9F) return 0;  // surrogate
        return 3;
    }
    if (s[0] > 0xF4) return 0;
    if (len < 4 || !tail(s[1]) || !tail(s[2]) || !tail(s[3])) return 0;
    if (s[0] == 0xF0 && s[1] < 0x90) return 0;  // overlong
    if (s[0] == 0xF4 && s[1] > 0x8F) return 0;  // beyond U+10FFFF
    return 4;
}

/* A character of three bytes that is neither overlong nor a surrogate: most
 * Chinese text is made of these. */
static bool plain_three(const unsigned char *s)
{
    return (s[0] & 0xF0) == 0xE0 && tail(s[1]) && tail(s[2]) &&
           (s[0] != 0xE0 || s[1] >= 0xA0) && (s[0] != 0xED || s[1] <= 0x9F);
}

bool om_utf8_valid(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t i = 0;
    while (i < len) {
        uint64_t eight;
        while (len - i >= 8) {  // skip plain ASCII eight bytes at a time
            memcpy(&eight, s + i, 8);
            if (eight & UINT64_C(0x8080808080808080)) break;
            i += 8;
        }
        while (i < len && s[i] < 0x80) i++;
        while (len - i >= 3 && plain_three(s + i)) i += 3;
        if (i == len) break;
        if (s[i] < 0x80) continue;
        const size_t width = om_utf8_next(text + i, len - i);
        if (width == 0) return false;
        i += width;
    }
    return true;
}
