// live_answers_maps.h - fields, vector tiles and pictures of two cities.
#ifndef OM_TESTS_TILES_LIVE_ANSWERS_MAPS_H
#define OM_TESTS_TILES_LIVE_ANSWERS_MAPS_H

#include "tests/tiles/live_asked.h"
#include "tiles/picture/rows.h"

/* ---- fields ---- */

/* To the last bit, whatever parts the rows lie in. */
static inline void answers_same_windows(const struct asked_city city[2],
                                        struct om_field_spec spec,
                                        const char *text, unsigned z)
{
    static float value[2][256 * 256];
    const double middle = MODEL_SIDE * MODEL_STEP / 2;
    const struct om_field_window window = {
        .z = z,
        .x = (uint32_t)(MODEL_WEST + middle) >> (32 - z),
        .y = (uint32_t)(MODEL_NORTH + middle) >> (32 - z),
        .side_px = 256};
    double weight[2], scale[2], sums[2], exact[2];
    for (int k = 0; k < 2; k++) {
        struct om_filter *filter = answers_filter(&city[k], MODEL_CASE, text);
        struct om_selection *selection;
        struct om_arena arena = {0};
        spec.layer = answers_layer(&city[k], MODEL_CASE);
        assert_int_equal(om_select(city[k].caches->selections, spec.layer,
                                   filter, (struct om_window){0}, &selection),
                         OM_OK);
        spec.selection = selection;
        assert_int_equal(om_field_window(city[k].caches->fields, &spec, &window,
                                         &arena, value[k]),
                         OM_OK);
        assert_int_equal(
            om_field_weight(city[k].caches->fields, &spec, &weight[k]), OM_OK);
        assert_int_equal(
            om_field_scale(city[k].caches->fields, &spec, &scale[k], &sums[k]),
            OM_OK);
        om_arena_deinit(&arena);
        om_selection_unref(selection);
        om_filter_free(filter);
    }
    for (size_t i = 0; i < 256 * 256; i++)
        if (value[0][i] != value[1][i])
            fail_msg("field at zoom %u: %.9g and %.9g", z, (double)value[0][i],
                     (double)value[1][i]);
    assert_true(weight[0] == weight[1] && sums[0] == sums[1]);
    assert_true(scale[0] == scale[1]);
    // What a click says, where there is something.
    for (int k = 0; k < 2; k++) {
        spec.layer = answers_layer(&city[k], MODEL_CASE);
        struct om_filter *filter = answers_filter(&city[k], MODEL_CASE, text);
        struct om_selection *selection;
        assert_int_equal(om_select(city[k].caches->selections, spec.layer,
                                   filter, (struct om_window){0}, &selection),
                         OM_OK);
        spec.selection = selection;
        assert_int_equal(om_field_exact(&spec, MODEL_WEST + middle,
                                        MODEL_NORTH + middle, &exact[k]),
                         OM_OK);
        om_selection_unref(selection);
        om_filter_free(filter);
    }
    assert_true(exact[0] == exact[1]);
}

static inline void answers_same_fields(const struct asked_city city[2])
{
    static const struct om_weight_value VALUE[] = {
        {.text = "fire", .weight = 3}, {.text = "煤气", .weight = 5}};
    const struct om_weight_table table = {
        .column = 1, .count = 2, .value = VALUE, .otherwise = 1};
    struct om_field_spec spec = {.kernel = OM_KERNEL_QUARTIC,
                                 .bandwidth_m = 800,
                                 .weight = OM_WEIGHT_ONE};
    answers_same_windows(city, spec, NULL, 10);
    answers_same_windows(city, spec, NULL, 13);
    answers_same_windows(city, spec, "kind = 'fire'", 12);
    spec.kernel = OM_KERNEL_EPANECHNIKOV;
    answers_same_windows(city, spec, "kind = 'gas'", 13);
    answers_same_windows(city, spec, NULL, 13);
    spec.kernel = OM_KERNEL_GAUSSIAN;
    spec.weight = om_weight_by(2);
    answers_same_windows(city, spec, NULL, 12);
    spec.weight.table = &table;
    spec.weight.half_life_s = 20 * 86400;
    spec.weight.at_s = MODEL_BEGIN_S + MODEL_DAYS * 86400;
    answers_same_windows(city, spec, "weight > 2", 11);
    spec.weight.at_s = MODEL_BEGIN_S + 60 * 86400;
    answers_same_windows(city, spec, NULL, 14);
}

/* ---- vector tiles ---- */

static inline struct om_buf answers_tile(const struct asked_city *city, int l,
                                         const char *text, unsigned z,
                                         uint32_t x, uint32_t y)
{
    struct om_filter *filter = answers_filter(city, l, text);
    struct om_selection *selection;
    struct om_arena arena = {0};
    struct om_buf bytes = {0};
    const struct om_layer *layer = answers_layer(city, l);
    assert_int_equal(om_select(city->caches->selections, layer, filter,
                               (struct om_window){0}, &selection),
                     OM_OK);
    const struct om_vector_spec spec = {.layer = layer,
                                        .selection = selection,
                                        .name = MODEL_NAME[l],
                                        .by = om_vector_by(layer),
                                        .zone_s = 8 * 3600};
    assert_int_equal(
        om_vector_tile(city->caches->vectors, &spec, z, x, y, &arena, &bytes),
        OM_OK);
    om_arena_deinit(&arena);
    om_selection_unref(selection);
    om_filter_free(filter);
    return bytes;
}

static inline void answers_tell_value(const char *whose, size_t i,
                                      const struct mvt_layer *l, size_t tag)
{
    const struct mvt_feature *f = &l->feature[i];
    if (2 * tag >= f->tags) return;
    const struct mvt_key key = l->key[f->tag[2 * tag]];
    const struct mvt_value v = l->value[f->tag[2 * tag + 1]];
    print_message("%s, cell %zu at %d %d: %.*s %.*s %lld\n", whose, i,
                  f->at[0][0], f->at[0][1], (int)key.len, key.text, (int)v.len,
                  v.text, (long long)v.integer);
}

static inline void answers_tell_cells(const struct mvt_layer *a,
                                      const struct mvt_layer *b)
{
    for (size_t i = 0; a && b && i < a->features && i < b->features; i++) {
        const struct mvt_feature *p = &a->feature[i], *q = &b->feature[i];
        const size_t tags = p->tags > q->tags ? p->tags : q->tags;
        if (p->tags == q->tags && !memcmp(p->at, q->at, sizeof *p->at) &&
            !memcmp(p->tag, q->tag, tags * sizeof *p->tag))
            continue;
        for (size_t t = 0; 2 * t < tags; t++) {
            answers_tell_value("live", i, a, t);
            answers_tell_value("anew", i, b, t);
        }
        break;
    }
}

/* What differs, in words. */
static inline void answers_tell_tiles(const struct om_buf tile[2], int l)
{
    struct mvt_tile read[2];
    for (int k = 0; k < 2; k++) {
        read[k] = mvt_read(tile[k].bytes, tile[k].len);
        const char *const of[] = {MODEL_NAME[l], "cells", "meta"};
        for (int i = 0; i < 3; i++) {
            const struct mvt_layer *layer = mvt_layer(&read[k], of[i]);
            print_message("%s: %zu of %s\n", k ? "anew" : "live",
                          layer ? layer->features : 0, of[i]);
        }
    }
    const struct mvt_layer *a = mvt_layer(&read[0], MODEL_NAME[l]);
    const struct mvt_layer *b = mvt_layer(&read[1], MODEL_NAME[l]);
    for (size_t i = 0; a && b && i < a->features && i < b->features; i++) {
        const struct mvt_value p = mvt_get(a, &a->feature[i], "id");
        const struct mvt_value q = mvt_get(b, &b->feature[i], "id");
        if (p.len == q.len && !memcmp(p.text, q.text, p.len) &&
            a->feature[i].places == b->feature[i].places &&
            !memcmp(a->feature[i].at, b->feature[i].at,
                    a->feature[i].places * sizeof *a->feature[i].at))
            continue;
        print_message("feature %zu: %.*s of %zu places and %.*s of %zu\n", i,
                      (int)p.len, p.text, a->feature[i].places, (int)q.len,
                      q.text, b->feature[i].places);
        break;
    }
    for (int i = 1; i < 3; i++)
        answers_tell_cells(mvt_layer(&read[0], i > 1 ? "meta" : "cells"),
                           mvt_layer(&read[1], i > 1 ? "meta" : "cells"));
    for (int k = 0; k < 2; k++) mvt_free(&read[k]);
}

/* To the last byte. */
static inline void answers_same_tile(const struct asked_city city[2], int l,
                                     const char *text, unsigned z, uint32_t x,
                                     uint32_t y)
{
    struct om_buf tile[2];
    for (int k = 0; k < 2; k++)
        tile[k] = answers_tile(&city[k], l, text, z, x, y);
    if (tile[0].len != tile[1].len ||
        (tile[0].len && memcmp(tile[0].bytes, tile[1].bytes, tile[0].len))) {
        answers_tell_tiles(tile, l);
        fail_msg("%s%s%s %u/%u/%u: %zu and %zu bytes", MODEL_NAME[l],
                 text ? " " : "", text ? text : "", z, x, y, tile[0].len,
                 tile[1].len);
    }
    for (int k = 0; k < 2; k++) om_buf_deinit(&tile[k]);
}

static inline void answers_same_tiles(const struct asked_city city[2], int l,
                                      const char *text, unsigned z)
{
    const uint32_t side = (uint32_t)(MODEL_SIDE * MODEL_STEP);
    const uint32_t x0 = (uint32_t)MODEL_WEST, y0 = (uint32_t)MODEL_NORTH;
    for (uint32_t x = x0 >> (32 - z); x <= (x0 + side) >> (32 - z); x++)
        for (uint32_t y = y0 >> (32 - z); y <= (y0 + side) >> (32 - z); y++)
            answers_same_tile(city, l, text, z, x, y);
}

/* ---- pictures ---- */

static inline void answers_draw(const struct asked_city *city, int l,
                                const char *text, size_t by,
                                const struct om_view *view,
                                struct om_arena *arena,
                                struct om_canvas *canvas)
{
    struct om_classes classes;
    struct om_selection *selection;
    struct om_filter *filter = answers_filter(city, l, text);
    const struct om_layer *layer = answers_layer(city, l);
    assert_int_equal(om_classes_of(city->snapshot, layer, by, &classes, NULL),
                     OM_OK);
    assert_int_equal(om_select(city->caches->selections, layer, filter,
                               (struct om_window){0}, &selection),
                     OM_OK);
    const struct om_rows_spec spec = {layer, selection, &classes,
                                      OM_PALETTE_DARK};
    assert_int_equal(om_canvas_init(canvas, view, arena), OM_OK);
    assert_int_equal(om_rows_draw(&spec, canvas, arena), OM_OK);
    om_classes_deinit(&classes);
    om_selection_unref(selection);
    om_filter_free(filter);
}

/* The tile of the zoom that holds a place in the middle of the city. */
static inline void answers_same_picture(const struct asked_city city[2], int l,
                                        const char *text, size_t by, unsigned z)
{
    const double middle = MODEL_SIDE * MODEL_STEP * 0.4;
    const struct om_view view =
        om_view_tile(z, (uint32_t)(MODEL_WEST + middle) >> (32 - z),
                     (uint32_t)(MODEL_NORTH + middle) >> (32 - z), 256, 1);
    struct om_arena arena = {0};
    struct om_canvas canvas[2];
    for (int k = 0; k < 2; k++)
        answers_draw(&city[k], l, text, by, &view, &arena, &canvas[k]);
    for (size_t i = 0; i < 256 * 256; i++)
        if (memcmp(canvas[0].pixel[i], canvas[1].pixel[i], 4))
            fail_msg("%s by %zd at zoom %u: pixel %zu, %zu", MODEL_NAME[l],
                     (ssize_t)by, z, i % 256, i / 256);
    om_arena_deinit(&arena);
}

static inline void answers_same_pictures(const struct asked_city city[2])
{
    for (unsigned z = 6; z <= 15; z++) {
        answers_same_picture(city, MODEL_CASE, NULL, OM_NO_FIELD, z);
        answers_same_picture(city, MODEL_CASE, "weight > 4", 1, z);
        answers_same_picture(city, MODEL_CASE, NULL, 2, z);
        answers_same_picture(city, MODEL_CASE, NULL, 3, z);
        answers_same_picture(city, MODEL_LOT, NULL, 1, z);
        answers_same_picture(city, MODEL_ROAD, NULL, 1, z);
    }
    for (int l = 0; l < MODEL_LAYERS; l++) {
        double bounds[2][4];
        for (int k = 0; k < 2; k++)
            assert_true(om_layer_bounds(answers_layer(&city[k], l), bounds[k]));
        assert_memory_equal(bounds[0], bounds[1], sizeof bounds[0]);
    }
}

#endif
