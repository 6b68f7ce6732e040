/* mvt.c - the encoder: protobuf by hand, one pass.
 *
 * DESIGN
 * Keys, values and features go to three buffers in their final form and are
 * put one behind the other at the end; protobuf does not mind the order of
 * fields. A value is looked up by its encoded bytes, so that the same table
 * serves all types and 1 and "1" stay apart. Tags and geometry of the feature
 * under construction are kept as plain numbers, since their lengths come
 * before them.
 */
#include "tiles/vector/mvt.h"

#include <string.h>

#include "data/base/hash.h"

/* Field numbers and wire types of the format, as tag bytes. */
enum {
    TILE_LAYER = 3 << 3 | 2,
    LAYER_NAME = 1 << 3 | 2,
    LAYER_FEATURE = 2 << 3 | 2,
    LAYER_KEY = 3 << 3 | 2,
    LAYER_VALUE = 4 << 3 | 2,
    LAYER_EXTENT = 5 << 3,
    LAYER_VERSION = 15 << 3,
    FEATURE_ID = 1 << 3,
    FEATURE_TAGS = 2 << 3 | 2,
    FEATURE_TYPE = 3 << 3,
    FEATURE_GEOMETRY = 4 << 3 | 2,
    VALUE_TEXT = 1 << 3 | 2,
    VALUE_REAL = 3 << 3 | 1,
    VALUE_UNSIGNED = 5 << 3,
    VALUE_SIGNED = 6 << 3,
    VALUE_BOOLEAN = 7 << 3,
};
enum { MOVE_TO = 1, LINE_TO = 2, CLOSE_PATH = 7 };

#define VARINT_BYTES 10
#define SLOTS_FIRST 512
/* Whole numbers below this, among them years, are remembered by themselves. */
#define SMALL 2304

void om_mvt_deinit(struct om_mvt *l)
{
    om_buf_deinit(&l->keys);
    om_buf_deinit(&l->values);
    om_buf_deinit(&l->features);
    om_buf_deinit(&l->tags);
    om_buf_deinit(&l->words);
    om_buf_deinit(&l->starts);
    om_buf_deinit(&l->slots);
    om_buf_deinit(&l->small);
    *l = (struct om_mvt){0};
}

static uint8_t *put_varint(uint8_t *at, uint64_t v)
{
    while (v >= 0x80) {
        *at++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *at++ = (uint8_t)v;
    return at;
}

static size_t varint_bytes(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7) n++;
    return n;
}

static uint32_t zigzag(int32_t v)
{
    return (uint32_t)v << 1 ^ (uint32_t)(v >> 31);
}

/* A length-delimited field. */
static void add_field(struct om_buf *out, uint8_t field, const void *bytes,
                      size_t len)
{
    if (om_buf_reserve(out, 1 + VARINT_BYTES + len)) return;
    uint8_t *at = out->bytes + out->len;
    *at++ = field;
    at = put_varint(at, len);
    memcpy(at, bytes, len);
    out->len = (size_t)(at - out->bytes) + len;
}

static void add_word(struct om_buf *out, uint32_t word)
{
    om_buf_add(out, &word, sizeof word);
}

uint32_t om_mvt_key(struct om_mvt *l, const char *name, size_t len)
{
    add_field(&l->keys, LAYER_KEY, name, len);
    return l->key_count++;
}

/* ---- values ---- */

/* Values are encoded with their field's head at the end of `values` first: a
 * number costs at most 2 + 11 bytes, and what is found is cut off again. */
static uint8_t *value_room(struct om_mvt *l, size_t len)
{
    if (om_buf_reserve(&l->values, 2 + 2 * VARINT_BYTES + len)) return NULL;
    return l->values.bytes + l->values.len;
}

static uint32_t keep_value(struct om_mvt *l, size_t end)
{
    add_word(&l->starts, (uint32_t)l->values.len);
    l->values.len = end;
    return l->value_count++;
}

static bool grow_slots(struct om_mvt *l)
{
    const size_t count = l->slot_count ? 2 * l->slot_count : SLOTS_FIRST;
    struct om_buf bigger = {0};
    if (om_buf_reserve(&bigger, count * sizeof(uint64_t))) {
        l->slots.status = bigger.status;
        return false;
    }
    uint64_t *slot = (uint64_t *)(void *)bigger.bytes;
    memset(slot, 0, count * sizeof *slot);
    const uint64_t *old = (const uint64_t *)(const void *)l->slots.bytes;
    for (size_t i = 0; i < l->slot_count; i++) {
        if (!old[i]) continue;
        size_t at = (old[i] >> 32) & (count - 1);
        while (slot[at]) at = (at + 1) & (count - 1);
        slot[at] = old[i];
    }
    om_buf_deinit(&l->slots);
    l->slots = bigger;
    l->slot_count = count;
    return true;
}

/* The value encoded at [values.len, end): its number, or that of an equal. */
static uint32_t share_value(struct om_mvt *l, size_t end)
{
    if (2 * l->value_count >= l->slot_count && !grow_slots(l)) return 0;
    if (l->starts.status || l->values.status) return 0;
    const uint8_t *bytes = l->values.bytes + l->values.len;
    const size_t len = end - l->values.len;
    const uint64_t hash = om_hash64(bytes, len, 0) | 1;
    uint64_t *slot = (uint64_t *)(void *)l->slots.bytes;
    const uint32_t *start = (const uint32_t *)(const void *)l->starts.bytes;
    const uint64_t mark = hash >> 32;
    size_t at = mark & (l->slot_count - 1);
    for (; slot[at]; at = (at + 1) & (l->slot_count - 1)) {
        if (slot[at] >> 32 != mark) continue;
        // The head of a value's field says how long it is: no prefix of one
        // is another.
        const uint32_t number = (uint32_t)slot[at] - 1;
        if (start[number] + len <= l->values.len &&
            !memcmp(l->values.bytes + start[number], bytes, len))
            return number;
    }
    slot[at] = mark << 32 | (l->value_count + 1);
    return keep_value(l, end);
}

/* Encode a text's value; returns where it ends, 0 if there is no memory. */
static size_t put_text(struct om_mvt *l, const char *text, size_t len)
{
    uint8_t *at = value_room(l, len);
    if (!at) return 0;
    *at++ = LAYER_VALUE;
    at = put_varint(at, 1 + varint_bytes(len) + len);
    *at++ = VALUE_TEXT;
    at = put_varint(at, len);
    memcpy(at, text, len);
    return (size_t)(at - l->values.bytes) + len;
}

uint32_t om_mvt_text(struct om_mvt *l, const char *text, size_t len)
{
    const size_t end = put_text(l, text, len);
    return end ? share_value(l, end) : 0;
}

uint32_t om_mvt_text_once(struct om_mvt *l, const char *text, size_t len)
{
    const size_t end = put_text(l, text, len);
    return end ? keep_value(l, end) : 0;
}

static uint32_t number_value(struct om_mvt *l, uint8_t field, uint64_t value)
{
    uint8_t *at = value_room(l, 0);
    if (!at) return 0;
    *at++ = LAYER_VALUE;
    *at++ = (uint8_t)(1 + varint_bytes(value));
    *at++ = field;
    at = put_varint(at, value);
    return share_value(l, (size_t)(at - l->values.bytes));
}

static uint32_t small_value(struct om_mvt *l, uint64_t value)
{
    if (!l->small.len) {
        if (om_buf_reserve(&l->small, SMALL * sizeof(uint32_t))) return 0;
        memset(l->small.bytes, 0, SMALL * sizeof(uint32_t));
        l->small.len = SMALL * sizeof(uint32_t);
    }
    uint32_t *known = (uint32_t *)(void *)l->small.bytes + value;
    if (!*known) *known = number_value(l, VALUE_UNSIGNED, value) + 1;
    return *known - 1;
}

uint32_t om_mvt_integer(struct om_mvt *l, int64_t value)
{
    if (value >= 0 && value < SMALL) return small_value(l, (uint64_t)value);
    if (value >= 0) return number_value(l, VALUE_UNSIGNED, (uint64_t)value);
    return number_value(l, VALUE_SIGNED,
                        (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

uint32_t om_mvt_boolean(struct om_mvt *l, bool value)
{
    return number_value(l, VALUE_BOOLEAN, value);
}

uint32_t om_mvt_real(struct om_mvt *l, double value)
{
    uint8_t *at = value_room(l, 8);
    uint64_t bits;
    if (!at) return 0;
    *at++ = LAYER_VALUE;
    *at++ = 9;
    *at++ = VALUE_REAL;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++) *at++ = (uint8_t)(bits >> (8 * i));
    return share_value(l, (size_t)(at - l->values.bytes));
}

/* ---- features ---- */

static uint32_t *word_room(struct om_mvt *l, size_t n)
{
    if (om_buf_reserve(&l->words, n * sizeof(uint32_t))) return NULL;
    return (uint32_t *)(void *)(l->words.bytes + l->words.len);
}

static uint32_t *put_places(struct om_mvt *l, uint32_t *word,
                            const struct om_mvt_xy *at, size_t n)
{
    struct om_mvt_xy from = l->cursor;
    for (size_t i = 0; i < n; i++) {
        *word++ = zigzag(at[i].x - from.x);
        *word++ = zigzag(at[i].y - from.y);
        from = at[i];
    }
    l->cursor = from;
    return word;
}

void om_mvt_point(struct om_mvt *l, struct om_mvt_xy at)
{
    uint32_t *word = word_room(l, 3);
    if (!word) return;
    *word++ = 1 << 3 | MOVE_TO;
    put_places(l, word, &at, 1);
    l->words.len += 3 * sizeof *word;
}

void om_mvt_line(struct om_mvt *l, const struct om_mvt_xy *at, size_t n)
{
    uint32_t *word = word_room(l, 2 * n + 2);
    if (!word) return;
    *word++ = 1 << 3 | MOVE_TO;
    word = put_places(l, word, at, 1);
    *word++ = (uint32_t)(n - 1) << 3 | LINE_TO;
    put_places(l, word, at + 1, n - 1);
    l->words.len += (2 * n + 2) * sizeof *word;
}

void om_mvt_ring(struct om_mvt *l, const struct om_mvt_xy *at, size_t n)
{
    om_mvt_line(l, at, n);
    add_word(&l->words, 1 << 3 | CLOSE_PATH);
}

void om_mvt_abandon(struct om_mvt *l)
{
    l->tags.len = 0;
    l->words.len = 0;
    l->cursor = (struct om_mvt_xy){0};
}

static size_t packed_bytes(const struct om_buf *words)
{
    const uint32_t *w = (const uint32_t *)(const void *)words->bytes;
    size_t n = 0;
    for (size_t i = 0; i < words->len / sizeof *w; i++) n += varint_bytes(w[i]);
    return n;
}

static uint8_t *put_packed(uint8_t *at, uint8_t field, size_t len,
                           const struct om_buf *words)
{
    const uint32_t *w = (const uint32_t *)(const void *)words->bytes;
    *at++ = field;
    at = put_varint(at, len);
    for (size_t i = 0; i < words->len / sizeof *w; i++)
        at = put_varint(at, w[i]);
    return at;
}

void om_mvt_feature(struct om_mvt *l, enum om_mvt_type type, uint64_t id)
{
    const size_t tags = packed_bytes(&l->tags);
    const size_t words = packed_bytes(&l->words);
    const bool named = id != OM_MVT_NO_ID;
    const size_t len = (named ? 1 + varint_bytes(id) : 0) +
                       (tags ? 1 + varint_bytes(tags) + tags : 0) + 2 + 1 +
                       varint_bytes(words) + words;
    if (!om_buf_reserve(&l->features, 1 + VARINT_BYTES + len)) {
        uint8_t *at = l->features.bytes + l->features.len;
        *at++ = LAYER_FEATURE;
        at = put_varint(at, len);
        if (named) {
            *at++ = FEATURE_ID;
            at = put_varint(at, id);
        }
        if (tags) at = put_packed(at, FEATURE_TAGS, tags, &l->tags);
        *at++ = FEATURE_TYPE;
        *at++ = (uint8_t)type;
        at = put_packed(at, FEATURE_GEOMETRY, words, &l->words);
        l->features.len = (size_t)(at - l->features.bytes);
        l->feature_count++;
    }
    om_mvt_abandon(l);
}

/* ---- the layer ---- */

size_t om_mvt_bytes(const struct om_mvt *l)
{
    return l->feature_count ? l->keys.len + l->values.len + l->features.len : 0;
}

static om_status status_of(const struct om_mvt *l)
{
    const struct om_buf *all[] = {&l->small,    &l->keys, &l->values,
                                  &l->features, &l->tags, &l->words,
                                  &l->starts,   &l->slots};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->status) return all[i]->status;
    return OM_OK;
}

om_status om_mvt_write(const struct om_mvt *l, const char *name,
                       struct om_buf *tile)
{
    OM_TRY(status_of(l));
    if (!l->feature_count) return tile->status;
    const size_t name_len = strlen(name);
    const size_t len = 2 + 1 + varint_bytes(name_len) + name_len +
                       om_mvt_bytes(l) + 1 + varint_bytes(OM_MVT_EXTENT);
    OM_TRY(om_buf_reserve(tile, 1 + VARINT_BYTES + len));
    uint8_t *at = tile->bytes + tile->len;
    *at++ = TILE_LAYER;
    at = put_varint(at, len);
    *at++ = LAYER_VERSION;
    *at++ = 2;
    tile->len = (size_t)(at - tile->bytes);
    add_field(tile, LAYER_NAME, name, name_len);
    om_buf_add(tile, l->features.bytes, l->features.len);
    om_buf_add(tile, l->keys.bytes, l->keys.len);
    om_buf_add(tile, l->values.bytes, l->values.len);
    const uint8_t extent[] = {LAYER_EXTENT, (OM_MVT_EXTENT & 0x7f) | 0x80,
                              OM_MVT_EXTENT >> 7};
    return om_buf_add(tile, extent, sizeof extent);
}
