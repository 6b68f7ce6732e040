/* The encoder of vector tiles, read back by a reader of its own.
 *
 * Plan
 *   value_*   every type comes back; equal values are one, unequal two
 *   shape_*   points, lines, rings as they went in, however far
 *   random_*  thousands of features
 *   layer_*   empty ones are not written; several in a tile
 *   fault_*   no memory, at every allocation
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "data/base/alloc.h"
#include "tests/engine/mesh.h"
#include "tests/rounds.h"
#include "tests/tiles/read_mvt.h"
#include "tiles/vector/mvt.h"

static struct mvt_tile written(struct om_mvt *mvt, struct om_buf *tile)
{
    assert_int_equal(om_mvt_write(mvt, "place", tile), OM_OK);
    const struct mvt_tile read = mvt_read(tile->bytes, tile->len);
    assert_null(read.wrong);
    return read;
}

static void value_types_come_back(void **state)
{
    (void)state;
    struct om_mvt mvt = {0};
    struct om_buf tile = {0};
    static const int64_t integer[] = {
        0, 1, -1, 127, 128, 2303, 2304, 65536, -70000, INT64_MAX, INT64_MIN};
    static const double real[] = {0.0, -0.5, 3.25, 1e300, 4.9e-324};
    const size_t integers = sizeof integer / sizeof *integer;
    const size_t reals = sizeof real / sizeof *real;
    for (size_t i = 0; i < integers + reals; i++) {
        char name[16];
        const int n = snprintf(name, sizeof name, "k%zu", i);
        const uint32_t key = om_mvt_key(&mvt, name, (size_t)n);
        om_mvt_tag(&mvt, key,
                   i < integers ? om_mvt_integer(&mvt, integer[i])
                                : om_mvt_real(&mvt, real[i - integers]));
    }
    om_mvt_tag(&mvt, om_mvt_key(&mvt, "yes", 3), om_mvt_boolean(&mvt, true));
    om_mvt_tag(&mvt, om_mvt_key(&mvt, "no", 2), om_mvt_boolean(&mvt, false));
    om_mvt_tag(&mvt, om_mvt_key(&mvt, "text", 4),
               om_mvt_text(&mvt, "标准地址", 12));
    om_mvt_tag(&mvt, om_mvt_key(&mvt, "none", 4), om_mvt_text(&mvt, "", 0));
    om_mvt_point(&mvt, (struct om_mvt_xy){1, 2});
    om_mvt_feature(&mvt, OM_MVT_POINT, 42);
    struct mvt_tile t = written(&mvt, &tile);
    const struct mvt_layer *l = mvt_layer(&t, "place");
    const struct mvt_feature *f = &l->feature[0];
    assert_true(f->has_id && f->id == 42);
    for (size_t i = 0; i < integers + reals; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%zu", i);
        const struct mvt_value v = mvt_get(l, f, name);
        if (i < integers)
            assert_true(v.kind == MVT_INTEGER && v.integer == integer[i]);
        else
            assert_true(v.kind == MVT_REAL && v.real == real[i - integers]);
    }
    assert_true(mvt_get(l, f, "yes").kind == MVT_BOOLEAN);
    assert_int_equal(mvt_get(l, f, "yes").integer, 1);
    assert_int_equal(mvt_get(l, f, "no").integer, 0);
    assert_true(mvt_text_is(mvt_get(l, f, "text"), "标准地址"));
    assert_true(mvt_text_is(mvt_get(l, f, "none"), ""));
    mvt_free(&t);
    om_mvt_deinit(&mvt);
    om_buf_deinit(&tile);
}

static void value_equal_ones_are_shared(void **state)
{
    (void)state;
    struct om_mvt mvt = {0};
    const uint32_t a = om_mvt_text(&mvt, "1", 1), b = om_mvt_integer(&mvt, 1);
    const uint32_t c = om_mvt_real(&mvt, 1.0), d = om_mvt_boolean(&mvt, true);
    assert_true(a != b && b != c && c != d && a != c && a != d && b != d);
    for (int64_t i = 0; i < 5000; i++) om_mvt_integer(&mvt, i * 7 - 9000);
    const uint32_t count = mvt.value_count;
    for (int64_t i = 0; i < 5000; i++) om_mvt_integer(&mvt, i * 7 - 9000);
    assert_int_equal(mvt.value_count, count);
    assert_int_equal(om_mvt_text(&mvt, "1", 1), a);
    assert_int_equal(om_mvt_integer(&mvt, 1), b);
    assert_int_equal(om_mvt_real(&mvt, 1.0), c);
    assert_int_equal(om_mvt_boolean(&mvt, true), d);
    assert_int_not_equal(om_mvt_text_once(&mvt, "1", 1), a);
    om_mvt_deinit(&mvt);
}

static void shape_rings_and_lines_come_back(void **state)
{
    (void)state;
    struct om_mvt mvt = {0};
    struct om_buf tile = {0};
    static const struct om_mvt_xy outer[] = {
        {-64, -64}, {4160, -64}, {4160, 4160}, {-64, 4160}};
    static const struct om_mvt_xy hole[] = {{10, 10}, {10, 20}, {20, 10}};
    static const struct om_mvt_xy line[] = {{5, 5}, {4000, 6}, {-3, 0}};
    om_mvt_ring(&mvt, outer, 4);
    om_mvt_ring(&mvt, hole, 3);
    om_mvt_feature(&mvt, OM_MVT_POLYGON, OM_MVT_NO_ID);
    om_mvt_line(&mvt, line, 3);
    om_mvt_line(&mvt, line + 1, 2);
    om_mvt_feature(&mvt, OM_MVT_LINE, 0);
    struct mvt_tile t = written(&mvt, &tile);
    const struct mvt_layer *l = &t.layer[0];
    assert_int_equal(l->features, 2);
    const struct mvt_feature *f = &l->feature[0];
    assert_false(f->has_id);
    assert_int_equal(f->rings, 2);
    assert_memory_equal(f->at, outer, sizeof outer);
    assert_memory_equal(f->at + 4, hole, sizeof hole);
    assert_int_equal(mvt_area2(f, 0), 2 * INT64_C(4224) * 4224);
    assert_int_equal(mvt_area2(f, 1), -100);
    f = &l->feature[1];
    assert_true(f->has_id && f->id == 0);
    assert_int_equal(f->rings, 2);
    assert_memory_equal(f->at, line, sizeof line);
    assert_memory_equal(f->at + 3, line + 1, 2 * sizeof *line);
    mvt_free(&t);
    om_mvt_deinit(&mvt);
    om_buf_deinit(&tile);
}

static void random_features_come_back(void **state)
{
    (void)state;
    const size_t n = test_rounds(5000);
    uint64_t seed = 3;
    struct om_mvt mvt = {0};
    struct om_buf tile = {0};
    struct om_mvt_xy *at = calloc(n, sizeof *at);
    int64_t *number = calloc(n, sizeof *number);
    const uint32_t key = om_mvt_key(&mvt, "number", 6);
    const uint32_t text = om_mvt_key(&mvt, "text", 4);
    for (size_t i = 0; i < n; i++) {
        at[i] = (struct om_mvt_xy){(int32_t)(mesh_random(&seed) >> 40),
                                   -(int32_t)(mesh_random(&seed) >> 40)};
        number[i] = (int64_t)mesh_random(&seed) >> (mesh_random(&seed) % 64);
        om_mvt_tag(&mvt, key, om_mvt_integer(&mvt, number[i]));
        char word[32];
        const int len =
            snprintf(word, sizeof word, "%lld", (long long)(number[i] % 100));
        om_mvt_tag(&mvt, text, om_mvt_text(&mvt, word, (size_t)len));
        om_mvt_point(&mvt, at[i]);
        om_mvt_feature(&mvt, OM_MVT_POINT, i);
    }
    struct mvt_tile t = written(&mvt, &tile);
    const struct mvt_layer *l = &t.layer[0];
    assert_int_equal(l->features, n);
    for (size_t i = 0; i < n; i++) {
        const struct mvt_feature *f = &l->feature[i];
        char word[32];
        snprintf(word, sizeof word, "%lld", (long long)(number[i] % 100));
        assert_int_equal(f->id, i);
        assert_true(mvt_get(l, f, "number").integer == number[i]);
        assert_true(mvt_text_is(mvt_get(l, f, "text"), word));
        assert_true(f->at[0][0] == at[i].x && f->at[0][1] == at[i].y);
    }
    mvt_free(&t);
    free(at);
    free(number);
    om_mvt_deinit(&mvt);
    om_buf_deinit(&tile);
}

static void layer_without_features_is_not_written(void **state)
{
    (void)state;
    struct om_mvt mvt = {0};
    struct om_buf tile = {0};
    om_mvt_key(&mvt, "lonely", 6);
    om_mvt_point(&mvt, (struct om_mvt_xy){1, 1});
    om_mvt_abandon(&mvt);
    assert_int_equal(om_mvt_bytes(&mvt), 0);
    assert_int_equal(om_mvt_write(&mvt, "place", &tile), OM_OK);
    assert_int_equal(tile.len, 0);
    om_mvt_deinit(&mvt);
}

static void layer_size_is_told_before(void **state)
{
    (void)state;
    struct om_mvt mvt = {0};
    struct om_buf tile = {0};
    for (int i = 0; i < 300; i++) {
        om_mvt_point(&mvt, (struct om_mvt_xy){i, -i});
        om_mvt_feature(&mvt, OM_MVT_POINT, OM_MVT_NO_ID);
    }
    assert_int_equal(om_mvt_write(&mvt, "one", &tile), OM_OK);
    assert_in_range(tile.len - om_mvt_bytes(&mvt), 3 + 2, 20 + 3);
    assert_int_equal(om_mvt_write(&mvt, "two", &tile), OM_OK);
    struct mvt_tile t = mvt_read(tile.bytes, tile.len);
    assert_null(t.wrong);
    assert_int_equal(t.layers, 2);
    assert_int_equal(mvt_layer(&t, "two")->features, 300);
    mvt_free(&t);
    om_mvt_deinit(&mvt);
    om_buf_deinit(&tile);
}

static void fault_is_told_at_the_end(void **state)
{
    (void)state;
    size_t fails = 0;
    for (size_t nth = 1;; nth++) {
        struct om_mvt mvt = {0};
        struct om_buf tile = {0};
        om_alloc_fail_after(nth, true);
        const uint32_t key = om_mvt_key(&mvt, "k", 1);
        for (int i = 0; i < 600; i++) {
            om_mvt_tag(&mvt, key, om_mvt_integer(&mvt, i * 5));
            om_mvt_tag(&mvt, key, om_mvt_text(&mvt, "x", 1));
            om_mvt_point(&mvt, (struct om_mvt_xy){i, i});
            om_mvt_feature(&mvt, OM_MVT_POINT, (uint64_t)i);
        }
        const om_status st = om_mvt_write(&mvt, "place", &tile);
        om_alloc_fail_after(0, false);
        om_mvt_deinit(&mvt);
        om_buf_deinit(&tile);
        if (!st) break;
        assert_int_equal(st, OM_E_MEMORY);
        fails++;
    }
    assert_true(fails > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_types_come_back),
        cmocka_unit_test(value_equal_ones_are_shared),
        cmocka_unit_test(shape_rings_and_lines_come_back),
        cmocka_unit_test(random_features_come_back),
        cmocka_unit_test(layer_without_features_is_not_written),
        cmocka_unit_test(layer_size_is_told_before),
        cmocka_unit_test(fault_is_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
