// spell.c - one writing for all that mean the same.
#include "engine/search/spell.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "data/base/utf8.h"

/* One character may become eighteen (U+FDFA). */
#define ROOM 32
#define BYTES (ROOM * 4)

static bool is_unseen(UChar32 c)
{
    const int8_t type = u_charType(c);
    return type == U_FORMAT_CHAR || type == U_PRIVATE_USE_CHAR ||
           type == U_UNASSIGNED || type == U_SURROGATE ||
           u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
           c == 0x2800;  // a letter of Braille without dots
}

static bool is_number(UChar32 c)
{
    const int8_t type = u_charType(c);
    return type == U_DECIMAL_DIGIT_NUMBER || type == U_LETTER_NUMBER ||
           type == U_OTHER_NUMBER;
}

static bool is_han(UChar32 c)
{
    return u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC);
}

static om_status add_folded(const UNormalizer2 *fold, UChar32 c,
                            struct om_buf *out)
{
    UChar from[2], to[ROOM];
    char bytes[BYTES];
    int32_t n = 0, len = 0;
    UErrorCode code = U_ZERO_ERROR;
    UBool bad = 0;
    U16_APPEND(from, n, 2, c, bad);
    if (bad) return OM_E_FORMAT;
    n = unorm2_normalize(fold, from, n, to, ROOM, &code);
    if (!U_FAILURE(code)) u_strToUTF8(bytes, BYTES, &len, to, n, &code);
    return U_FAILURE(code) ? OM_E_UNSUPPORTED
                           : om_buf_add(out, bytes, (size_t)len);
}

static om_status add(const UNormalizer2 *fold, UChar32 c, struct om_buf *out)
{
    const int8_t type = u_charType(c);
    const double value = u_getNumericValue(c);
    // 〇 is a letter number, and of Han.
    if (is_number(c) && !is_han(c) && value >= 0 && value <= 1e15)
        return om_buf_addf(out, "%.0f", value);
    if (type == U_DASH_PUNCTUATION || c == 0x2212)
        return om_buf_add_byte(out, '-');
    if (type == U_SPACE_SEPARATOR) return om_buf_add_byte(out, ' ');
    if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK) return OM_OK;
    return add_folded(fold, c, out);
}

om_status om_text_spell(const char *text, size_t len, struct om_buf *out,
                        bool *unseen)
{
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *fold = unorm2_getNFKCCasefoldInstance(&code);
    bool any = false;
    if (U_FAILURE(code)) return OM_E_UNSUPPORTED;
    for (size_t at = 0, n; at < len; at += n) {
        UChar unit[2];
        int32_t units = 0;
        n = om_utf8_next(text + at, len - at);
        if (!n) return OM_E_FORMAT;
        u_strFromUTF8(unit, 2, &units, text + at, (int32_t)n, &code);
        if (U_FAILURE(code)) return OM_E_FORMAT;
        const UChar32 c =
            units == 2 ? U16_GET_SUPPLEMENTARY(unit[0], unit[1]) : unit[0];
        any = any || is_unseen(c);
        if (!is_unseen(c)) OM_TRY(add(fold, c, out));
        // A text that fills its room has no end, which is a warning.
        code = U_ZERO_ERROR;
    }
    if (unseen) *unseen = any;
    return out->status;
}
