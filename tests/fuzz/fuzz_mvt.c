// fuzz_mvt.c - features of any values and shapes, written and read again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tiles/read_mvt.h"
#include "tiles/vector/mvt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int truth)
{
    if (!truth) abort();
}

/* What was said, to be compared with what is read. */
#define FEATURES 64
#define TAGS 32
#define PLACES 64
struct said {
    size_t tags, places;
    struct mvt_value value[TAGS];
    struct om_mvt_xy at[PLACES];
    enum om_mvt_type type;
};

struct input {
    const uint8_t *at, *end;
};

static uint64_t take(struct input *in, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n && in->at < in->end; i++) v = v << 8 | *in->at++;
    return v;
}

static void say_value(struct input *in, struct om_mvt *mvt, struct said *s)
{
    if (s->tags == TAGS) return;
    struct mvt_value v = {MVT_NONE, NULL, 0, 0, 0};
    uint32_t number = 0;
    switch (take(in, 1) % 5) {
        case 0:
            v.kind = MVT_INTEGER;
            v.integer = (int64_t)take(in, 1 + take(in, 1) % 8);
            if (take(in, 1) % 2) v.integer = (int64_t)(0 - (uint64_t)v.integer);
            number = om_mvt_integer(mvt, v.integer);
            break;
        case 1: {
            const uint64_t bits = take(in, 8);
            v.kind = MVT_REAL;
            memcpy(&v.real, &bits, sizeof v.real);
            number = om_mvt_real(mvt, v.real);
            break;
        }
        case 2:
            v.kind = MVT_BOOLEAN;
            v.integer = (int64_t)(take(in, 1) % 2);
            number = om_mvt_boolean(mvt, v.integer);
            break;
        default:
            v.kind = MVT_TEXT;
            v.text = (const char *)in->at;
            v.len = take(in, 1);
            if (v.len > (size_t)(in->end - in->at))
                v.len = (size_t)(in->end - in->at);
            v.text = (const char *)in->at;
            in->at += v.len;
            number = v.len % 2 ? om_mvt_text(mvt, v.text, v.len)
                               : om_mvt_text_once(mvt, v.text, v.len);
    }
    om_mvt_tag(mvt, (uint32_t)s->tags, number);
    s->value[s->tags++] = v;
}

static void say_shape(struct input *in, struct om_mvt *mvt, struct said *s)
{
    s->type = (enum om_mvt_type)(1 + take(in, 1) % 3);
    const size_t want = s->type == OM_MVT_POINT ? 1 : 3 + take(in, 1) % 40;
    while (s->places < want) {
        struct om_mvt_xy at = {(int32_t)take(in, 4) / 2,
                               (int32_t)take(in, 4) / 2};
        // Neighbours differ: the writer's callers see to it.
        if (s->places && !memcmp(&at, &s->at[s->places - 1], sizeof at))
            at.x += at.x < 0 ? 1 : -1;
        s->at[s->places++] = at;
    }
    if (s->type == OM_MVT_POINT) om_mvt_point(mvt, s->at[0]);
    if (s->type == OM_MVT_LINE) om_mvt_line(mvt, s->at, s->places);
    if (s->type == OM_MVT_POLYGON) om_mvt_ring(mvt, s->at, s->places);
}

static void compare(const struct mvt_layer *l, const struct mvt_feature *f,
                    const struct said *s)
{
    must(f->type == (unsigned)s->type && f->rings == 1);
    must(f->places == s->places && f->tags == 2 * s->tags);
    for (size_t i = 0; i < s->places; i++)
        must(f->at[i][0] == s->at[i].x && f->at[i][1] == s->at[i].y);
    for (size_t i = 0; i < s->tags; i++) {
        const struct mvt_value *v = &l->value[f->tag[2 * i + 1]];
        const struct mvt_value *w = &s->value[i];
        must(f->tag[2 * i] == i && v->kind == w->kind);
        must(v->integer == w->integer && v->len == w->len);
        must(!memcmp(&v->real, &w->real, sizeof v->real));
        must(!w->len || !memcmp(v->text, w->text, w->len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct said said[FEATURES];
    struct input in = {bytes, bytes + len};
    struct om_mvt mvt = {0};
    struct om_buf tile = {0};
    size_t features = 0;
    for (char key = 'A'; key < 'A' + TAGS; key++) om_mvt_key(&mvt, &key, 1);
    while (in.at < in.end && features < FEATURES) {
        struct said *s = &said[features];
        *s = (struct said){0};
        for (uint64_t n = take(&in, 1) % TAGS; n > 0; n--)
            say_value(&in, &mvt, s);
        say_shape(&in, &mvt, s);
        om_mvt_feature(&mvt, s->type, features++);
    }
    must(om_mvt_write(&mvt, "layer", &tile) == OM_OK);
    struct mvt_tile read = mvt_read(tile.bytes, tile.len);
    must(!read.wrong && read.layers == (features > 0));
    must(!features || read.layer[0].features == features);
    for (size_t i = 0; i < features; i++)
        compare(&read.layer[0], &read.layer[0].feature[i], &said[i]);
    mvt_free(&read);
    om_mvt_deinit(&mvt);
    om_buf_deinit(&tile);
    return 0;
}
