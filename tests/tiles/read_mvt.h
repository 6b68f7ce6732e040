// read_mvt.h - vector tiles read strictly, sharing no code with the writer.
#ifndef OM_TESTS_TILES_READ_MVT_H
#define OM_TESTS_TILES_READ_MVT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum mvt_kind { MVT_NONE, MVT_TEXT, MVT_REAL, MVT_INTEGER, MVT_BOOLEAN };

struct mvt_value {
    enum mvt_kind kind;
    const char *text;  // not NUL-terminated
    size_t len;
    double real;
    int64_t integer;
};
struct mvt_key {
    const char *text;
    size_t len;
};
struct mvt_ring {
    size_t first, n;  // places; a polygon's does not repeat its first
    bool closed;
};
struct mvt_feature {
    bool has_id;
    uint64_t id;
    unsigned type;
    size_t tags;
    uint32_t *tag;  // key, value
    size_t rings;
    struct mvt_ring *ring;
    size_t places;
    int32_t (*at)[2];
};
struct mvt_layer {
    char name[64];
    size_t keys, values, features;
    struct mvt_key *key;
    struct mvt_value *value;
    struct mvt_feature *feature;
};
struct mvt_tile {
    size_t layers;
    struct mvt_layer layer[8];
    const char *wrong;  // the first thing that is, NULL: nothing
};

struct mvt_reader {
    const uint8_t *at, *end;
    struct mvt_tile *tile;
};

static inline void mvt_blame(struct mvt_reader *r, const char *what)
{
    if (!r->tile->wrong) r->tile->wrong = what;
    r->at = r->end;
}
static inline uint64_t mvt_varint(struct mvt_reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (r->at >= r->end) break;
        const uint8_t b = *r->at++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) return v;
    }
    mvt_blame(r, "a varint does not end");
    return 0;
}
static inline struct mvt_reader mvt_bytes(struct mvt_reader *r)
{
    const uint64_t n = mvt_varint(r);
    if (n > (uint64_t)(r->end - r->at)) {
        mvt_blame(r, "a length is beyond its message");
        return (struct mvt_reader){r->end, r->end, r->tile};
    }
    const struct mvt_reader in = {r->at, r->at + n, r->tile};
    r->at += n;
    return in;
}
/* An array with room for one more, zeroed: it doubles at powers of two. */
static inline void *mvt_more(void *array, size_t count, size_t each)
{
    if ((count & (count - 1)) == 0)
        array = realloc(array, (count ? 2 * count : 1) * each);
    memset((char *)array + count * each, 0, each);
    return array;
}
static inline int64_t mvt_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline struct mvt_value mvt_read_value(struct mvt_reader r)
{
    struct mvt_value v = {MVT_NONE, NULL, 0, 0, 0};
    unsigned fields = 0;
    while (r.at < r.end) {
        const uint64_t tag = mvt_varint(&r);
        fields++;
        if (tag == (1 << 3 | 2)) {
            const struct mvt_reader in = mvt_bytes(&r);
            v.kind = MVT_TEXT;
            v.text = (const char *)in.at;
            v.len = (size_t)(in.end - in.at);
        } else if (tag == (3 << 3 | 1) && r.end - r.at >= 8) {
            uint64_t bits = 0;
            for (int i = 7; i >= 0; i--) bits = bits << 8 | r.at[i];
            memcpy(&v.real, &bits, 8);
            r.at += 8;
            v.kind = MVT_REAL;
        } else if (tag == 4 << 3 || tag == 5 << 3) {
            v.kind = MVT_INTEGER;
            v.integer = (int64_t)mvt_varint(&r);
        } else if (tag == 6 << 3) {
            v.kind = MVT_INTEGER;
            v.integer = mvt_unzigzag(mvt_varint(&r));
        } else if (tag == 7 << 3) {
            v.kind = MVT_BOOLEAN;
            v.integer = (int64_t)mvt_varint(&r);
            if (v.integer > 1) mvt_blame(&r, "a boolean above 1");
        } else {
            mvt_blame(&r, "a value of unknown type");
        }
    }
    if (fields != 1) mvt_blame(&r, "a value has not exactly one field");
    return v;
}

static inline void mvt_add_place(struct mvt_feature *f, const int64_t at[2])
{
    f->at = mvt_more(f->at, f->places, sizeof *f->at);
    f->at[f->places][0] = (int32_t)at[0];
    f->at[f->places++][1] = (int32_t)at[1];
    f->ring[f->rings - 1].n++;
}
static inline void mvt_read_geometry(struct mvt_reader r, struct mvt_feature *f)
{
    int64_t at[2] = {0, 0};
    if (r.at == r.end) mvt_blame(&r, "a geometry without commands");
    while (r.at < r.end) {
        const uint64_t word = mvt_varint(&r);
        const unsigned command = word & 7;
        uint64_t count = word >> 3;
        if (!count || word > UINT32_MAX) mvt_blame(&r, "a command of nothing");
        if (command == 7) {
            if (count != 1 || f->type != 3 || !f->rings ||
                f->ring[f->rings - 1].closed || f->ring[f->rings - 1].n < 3)
                mvt_blame(&r, "a ring closed that is none");
            else
                f->ring[f->rings - 1].closed = true;
            continue;
        }
        if (command != 1 && command != 2) mvt_blame(&r, "an unknown command");
        if (command == 1 && count != 1 && f->type != 1)
            mvt_blame(&r, "a move to many");
        if (command == 2 &&
            (f->type == 1 || !f->rings || f->ring[f->rings - 1].closed ||
             f->ring[f->rings - 1].n != 1))
            mvt_blame(&r, "a line from nowhere");
        if (command == 1) {
            f->ring = mvt_more(f->ring, f->rings++, sizeof *f->ring);
            f->ring[f->rings - 1].first = f->places;
        }
        while (count-- && r.at < r.end) {
            const int64_t dx = mvt_unzigzag(mvt_varint(&r));
            const int64_t dy = mvt_unzigzag(mvt_varint(&r));
            if (command == 2 && !dx && !dy) mvt_blame(&r, "a line to itself");
            at[0] += dx;
            at[1] += dy;
            if (at[0] != (int32_t)at[0] || at[1] != (int32_t)at[1])
                mvt_blame(&r, "a place out of range");
            mvt_add_place(f, at);
        }
        if (count != UINT64_MAX) mvt_blame(&r, "a command without places");
    }
    for (size_t i = 0; i < f->rings; i++) {
        if (f->type == 3 && !f->ring[i].closed)
            mvt_blame(&r, "a ring that is not closed");
        if (f->type == 2 && f->ring[i].n < 2)
            mvt_blame(&r, "a line of one place");
    }
}

static inline void mvt_read_feature(struct mvt_reader r, struct mvt_feature *f)
{
    struct mvt_reader geometry = {0}, tags = {0};
    while (r.at < r.end) {
        const uint64_t tag = mvt_varint(&r);
        if (tag == 1 << 3) {
            f->has_id = true;
            f->id = mvt_varint(&r);
        } else if (tag == (2 << 3 | 2)) {
            tags = mvt_bytes(&r);
        } else if (tag == 3 << 3) {
            f->type = (unsigned)mvt_varint(&r);
        } else if (tag == (4 << 3 | 2)) {
            geometry = mvt_bytes(&r);
        } else {
            mvt_blame(&r, "an unknown field of a feature");
        }
    }
    if (f->type < 1 || f->type > 3) mvt_blame(&r, "an unknown geometry");
    geometry.tile = tags.tile = r.tile;
    mvt_read_geometry(geometry, f);
    while (tags.at < tags.end) {
        f->tag = mvt_more(f->tag, f->tags, sizeof *f->tag);
        f->tag[f->tags++] = (uint32_t)mvt_varint(&tags);
    }
    if (f->tags % 2) mvt_blame(&r, "a key without a value");
}

static inline void mvt_read_layer(struct mvt_reader r, struct mvt_layer *l)
{
    uint64_t version = 1, extent = 4096;
    while (r.at < r.end) {
        const uint64_t tag = mvt_varint(&r);
        if (tag == 15 << 3) {
            version = mvt_varint(&r);
        } else if (tag == 5 << 3) {
            extent = mvt_varint(&r);
        } else if (tag == (1 << 3 | 2)) {
            const struct mvt_reader in = mvt_bytes(&r);
            const size_t n = (size_t)(in.end - in.at);
            if (!n || n >= sizeof l->name) mvt_blame(&r, "a layer's name");
            if (n < sizeof l->name) memcpy(l->name, in.at, n);
        } else if (tag == (2 << 3 | 2)) {
            l->feature = mvt_more(l->feature, l->features, sizeof *l->feature);
            mvt_read_feature(mvt_bytes(&r), &l->feature[l->features++]);
        } else if (tag == (3 << 3 | 2)) {
            const struct mvt_reader in = mvt_bytes(&r);
            l->key = mvt_more(l->key, l->keys, sizeof *l->key);
            l->key[l->keys++] =
                (struct mvt_key){(const char *)in.at, (size_t)(in.end - in.at)};
        } else if (tag == (4 << 3 | 2)) {
            l->value = mvt_more(l->value, l->values, sizeof *l->value);
            l->value[l->values++] = mvt_read_value(mvt_bytes(&r));
        } else {
            mvt_blame(&r, "an unknown field of a layer");
        }
    }
    if (version != 2) mvt_blame(&r, "another version");
    if (extent != 4096) mvt_blame(&r, "another extent");
    if (!l->name[0]) mvt_blame(&r, "a layer without a name");
    for (size_t i = 0; i < l->features; i++)
        for (size_t k = 0; k + 1 < l->feature[i].tags; k += 2) {
            if (l->feature[i].tag[k] >= l->keys ||
                l->feature[i].tag[k + 1] >= l->values)
                mvt_blame(&r, "a tag beyond keys or values");
            for (size_t m = 0; m < k; m += 2)
                if (l->feature[i].tag[m] == l->feature[i].tag[k])
                    mvt_blame(&r, "a key twice in a feature");
        }
}

/* owns: mvt_free; texts point into `bytes`. */
static inline struct mvt_tile mvt_read(const void *bytes, size_t len)
{
    struct mvt_tile tile = {0};
    struct mvt_reader r = {bytes, (const uint8_t *)bytes + len, &tile};
    while (r.at < r.end) {
        if (mvt_varint(&r) != (3 << 3 | 2) || tile.layers == 8) {
            mvt_blame(&r, "an unknown field of the tile");
            break;
        }
        struct mvt_reader in = mvt_bytes(&r);
        struct mvt_layer *l = &tile.layer[tile.layers++];
        mvt_read_layer(in, l);
        for (size_t i = 0; i + 1 < tile.layers; i++)
            if (!strcmp(tile.layer[i].name, l->name))
                mvt_blame(&r, "two layers of one name");
    }
    return tile;
}
static inline void mvt_free(struct mvt_tile *tile)
{
    for (size_t i = 0; i < tile->layers; i++) {
        struct mvt_layer *l = &tile->layer[i];
        for (size_t k = 0; k < l->features; k++) {
            free(l->feature[k].tag);
            free(l->feature[k].ring);
            free(l->feature[k].at);
        }
        free(l->feature);
        free(l->key);
        free(l->value);
    }
    *tile = (struct mvt_tile){0};
}

static inline const struct mvt_layer *mvt_layer(const struct mvt_tile *tile,
                                                const char *name)
{
    for (size_t i = 0; i < tile->layers; i++)
        if (!strcmp(tile->layer[i].name, name)) return &tile->layer[i];
    return NULL;
}
/* The value of a key, kind MVT_NONE if the feature has none. */
static inline struct mvt_value mvt_get(const struct mvt_layer *l,
                                       const struct mvt_feature *f,
                                       const char *key)
{
    for (size_t k = 0; k < f->tags; k += 2) {
        const struct mvt_key *have = &l->key[f->tag[k]];
        if (have->len == strlen(key) && !memcmp(have->text, key, have->len))
            return l->value[f->tag[k + 1]];
    }
    return (struct mvt_value){MVT_NONE, NULL, 0, 0, 0};
}
static inline bool mvt_text_is(struct mvt_value v, const char *text)
{
    return v.kind == MVT_TEXT && v.len == strlen(text) &&
           !memcmp(v.text, text, v.len);
}
/* Twice the area of a ring as the specification has it: positive if it is an
 * outer one. */
static inline int64_t mvt_area2(const struct mvt_feature *f, size_t ring)
{
    const struct mvt_ring *r = &f->ring[ring];
    int64_t sum = 0;
    for (size_t i = 0; i < r->n; i++) {
        const int32_t *a = f->at[r->first + i];
        const int32_t *b = f->at[r->first + (i + 1) % r->n];
        sum += (int64_t)a[0] * b[1] - (int64_t)b[0] * a[1];
    }
    return sum;
}

#endif
