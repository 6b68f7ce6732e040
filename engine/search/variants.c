// variants.c - other characters for those of a text.
#include "engine/search/variants.h"

#include "data/base/utf8.h"
#include "engine/search/fold.h"

#define HAN_FIRST 0x4E00
#define HAN_LAST 0x9FFF

static bool has(const struct om_characters *set, uint32_t code)
{
    return set->bit[code / 8] >> (code % 8) & 1;
}

/* Three bytes of UTF-8 are the rest of the basic plane from 0x800 on. */
void om_characters_add(struct om_characters *set, const char *text, size_t len)
{
    for (size_t at = 0, n; at < len; at += n ? n : 1) {
        n = om_utf8_next(text + at, len - at);
        if (n != 3) continue;
        const uint8_t *c = (const uint8_t *)text + at;
        const uint32_t code = (uint32_t)(c[0] & 0x0F) << 12 |
                              (uint32_t)(c[1] & 0x3F) << 6 | (c[2] & 0x3F);
        set->bit[code / 8] |= (uint8_t)(1 << code % 8);
    }
}

static void add(struct om_buf *out, uint32_t code)
{
    om_buf_add_byte(out, (uint8_t)(0xE0 | code >> 12));
    om_buf_add_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3F)));
    om_buf_add_byte(out, (uint8_t)(0x80 | (code & 0x3F)));
}

om_status om_variants_add(const struct om_characters *set, struct om_buf *out,
                          struct om_err *err)
{
    const struct om_fold *fold;
    OM_TRY(om_fold_get(&fold, err));
    for (uint32_t code = HAN_FIRST; code <= HAN_LAST; code++) {
        const uint16_t as = fold->token[code];
        if (as == code || as < HAN_FIRST || as > HAN_LAST || !has(set, as))
            continue;
        add(out, code);
        add(out, as);
    }
    return out->status;
}
