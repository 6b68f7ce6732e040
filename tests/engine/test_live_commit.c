/* A city that another process commits to.
 *
 * Plan
 *   commit_*    another process imports while the city is written to
 */
#include "tests/engine/live_writer.h"

#include "engine/live/live_internal.h"

/* ---- the commits of others ---- */

static void commit_of_another_process_comes_below_what_is_newer(void **state)
{
    (void)state;
    live_city(folder, 50);
    struct fixture f = begin(NULL);
    struct live_batch b = {0};
    char text[2048];
    bool changed;
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "b1", 1000, NULL), OM_OK);
    struct om_snapshot *s = om_city_snapshot(f.city);
    const uint64_t applied = s->sequence;
    om_snapshot_unref(s);
    // An import --replace that knew the first write but not the next two.
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "b2", 2000, NULL), OM_OK);
    assert_int_equal(write_one(f.live, OM_WRITE_DELETE, "b3", 0, NULL), OM_OK);
    for (int i = 0; i < 10; i++) {
        char id[32];
        snprintf(id, sizeof id, "b%d", i);
        live_row(&b, id, (uint32_t)i, 5, 70 + i);
    }
    live_segment(folder, "layers/spot-2.seg", live_batch(&b));
    live_batch_clear(&b);
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":2,\"layers\":["
             "{\"name\":\"spot\"," LIVE_COLUMNS
             ",\"base_commit\":2,\"applied\":%llu,\"parts\":[{\"file\":"
             "\"layers/spot-2.seg\",\"rows\":10}]},"
             "{\"name\":\"other\"," LIVE_COLUMNS ",\"base_commit\":1}]}",
             (unsigned long long)applied);
    live_commit(folder, text);
    const struct om_box far = {0, 0, 1000, 1000};
    const uint64_t before = om_city_changed(f.city, "other", far);
    struct om_err err = {0};
    for (int round = 0; round < 3; round++) {
        if (om_live_refresh(f.live, &changed, &err)) fail_msg("%s", err.text);
        assert_true(changed == (round == 0));
        assert_int_equal(live_n(f.city, "spot", "b1"), 71);
        assert_int_equal(live_n(f.city, "spot", "b2"), 2000);
        assert_int_equal(live_n(f.city, "spot", "b3"), INT64_MIN);
        assert_int_equal(live_n(f.city, "spot", "b40"), INT64_MIN);
        s = om_city_snapshot(f.city);
        assert_int_equal(om_city_changed(f.city, "spot", far),
                         om_snapshot_layer(s, "spot")->changed);
        assert_true(om_snapshot_layer(s, "spot")->changed > applied + 2);
        assert_int_equal(om_city_changed(f.city, "other", far), before);
        om_snapshot_unref(s);
        if (round == 1) {  // and so it stays
            end(&f);
            f = begin(NULL);
        }
    }
    // An append, among it a row whose id has been written meanwhile.
    assert_int_equal(write_one(f.live, OM_WRITE_PUT, "a1", 3000, NULL), OM_OK);
    live_row(&b, "a1", 1, 1, 1);
    live_row(&b, "a2", 1, 1, 2);
    live_segment(folder, "layers/spot-3.seg", live_batch(&b));
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":3,\"layers\":["
             "{\"name\":\"spot\"," LIVE_COLUMNS
             ",\"base_commit\":3,\"applied\":%llu,\"parts\":[{\"file\":"
             "\"layers/spot-2.seg\",\"rows\":10},{\"file\":"
             "\"layers/spot-3.seg\",\"rows\":2}]},"
             "{\"name\":\"other\"," LIVE_COLUMNS ",\"base_commit\":1}]}",
             (unsigned long long)applied);
    live_commit(folder, text);
    if (om_live_refresh(f.live, &changed, &err)) fail_msg("%s", err.text);
    assert_true(changed);
    assert_int_equal(live_n(f.city, "spot", "a1"), 3000);
    assert_int_equal(live_n(f.city, "spot", "a2"), 2);
    assert_int_equal(live_n(f.city, "spot", "b2"), 2000);
    assert_int_equal(live_n(f.city, "spot", "b3"), INT64_MIN);
    if (om_live_compact(f.live, &err)) fail_msg("%s", err.text);
    end(&f);
    // A commit while nobody wrote is noted by the next writer.
    f = begin(NULL);
    assert_int_equal(live_n(f.city, "spot", "a1"), 3000);
    live_batch_free(&b);
    end(&f);
}

/* Two halves of the square as units PREFIX0 (west) and PREFIX1, cut at `cut`
 * cells from its western side. */
static void write_units(const char *file, char prefix, double cut)
{
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POLYGON,
                                     .count = 1,
                                     .field = {{"id", OM_TYPE_TEXT}},
                                     .time_field = OM_NO_FIELD};
    const double west = LIVE_WEST - 10.0, east = west + LIVE_SPAN + 20.0;
    const double north = LIVE_NORTH - 10.0, south = north + LIVE_SPAN + 20.0;
    const double middle = west + cut;
    const double x[] = {west, middle, middle, west, middle, east, east, middle};
    const double y[] = {north, north, south, south, north, north, south, south};
    const uint32_t one[] = {0, 1, 2}, vertex[] = {0, 4, 8},
                   offset[] = {0, 2, 4};
    const char ids[] = {prefix, '0', prefix, '1'};
    const uint64_t row[] = {1, 2};
    const struct om_batch_column column = {.offset = offset, .bytes = ids};
    const struct om_batch batch = {.rows = 2,
                                   .source_row = row,
                                   .shapes = {.count = 2,
                                              .shape_part = one,
                                              .part_ring = one,
                                              .ring_vertex = vertex,
                                              .x = x,
                                              .y = y},
                                   .column = &column};
    struct om_builder *builder = NULL;
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_int_equal(om_builder_new(&schema, &builder), OM_OK);
    om_builder_set_shared(builder, true);
    assert_int_equal(om_builder_add(builder, &batch), OM_OK);
    assert_int_equal(om_builder_write(builder, path, NULL, NULL), OM_OK);
    om_builder_free(builder);
}

static void commit_units(unsigned sequence, const char *file)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"onemap\":1,\"sequence\":%u,\"levels\":[\"grid\"],\"layers\":["
             "{\"name\":\"spot\"," LIVE_COLUMNS
             ",\"base_commit\":%u},"
             "{\"name\":\"other\"," LIVE_COLUMNS
             ",\"base_commit\":1},"
             "{\"name\":\"grid\",\"geometry\":\"polygon\",\"unit_level\":"
             "\"grid\",\"columns\":[{\"name\":\"id\",\"type\":\"text\"}],"
             "\"base_commit\":%u,\"parts\":[{\"file\":\"%s\",\"rows\":2}]}]}",
             sequence, sequence, sequence, file);
    live_commit(folder, text);
}

/* The unit of a row of "spot", from whichever part has it. */
static void assert_unit(struct om_city *city, const char *id, const char *unit)
{
    struct om_snapshot *s = om_city_snapshot(city);
    const struct om_layer *l = om_snapshot_layer(s, "spot");
    struct om_text_reader reader = {0};
    bool found = false;
    assert_int_equal(l->unit_columns, 1);
    for (size_t p = 0; p < l->parts; p++) {
        size_t row, len;
        const char *text;
        if (om_segment_find(l->part[p].segment, id, strlen(id), &reader, &row))
            continue;
        if (om__part_is_dead(&l->part[p], row)) continue;
        found = true;
        assert_int_equal(
            om_segment_text(l->part[p].segment, om_layer_unit_field(l, "grid"),
                            row, &reader, &text, &len),
            OM_OK);
        assert_int_equal(len, strlen(unit));
        assert_memory_equal(text, unit, len);
    }
    assert_true(found);
    om_text_reader_deinit(&reader);
    om_snapshot_unref(s);
}

static void put_at(struct om_live *live, const char *id, uint32_t x)
{
    struct live_batch b = {0};
    live_row(&b, id, x, 1000, 1);
    struct om_write w = {
        .layer = "spot", .kind = OM_WRITE_PUT, .batch = live_batch(&b)};
    assert_int_equal(om_live_write_wait(live, &w), OM_OK);
    live_batch_free(&b);
}

static void commit_of_new_units_is_followed(void **state)
{
    (void)state;
    live_city(folder, 1);
    write_units("layers/grid-1.seg", 'G', LIVE_SPAN / 2.0);
    commit_units(1, "layers/grid-1.seg");
    struct fixture f = begin(NULL);
    struct om_err err = {0};
    bool changed;
    put_at(f.live, "a", 100);
    put_at(f.live, "b", LIVE_SPAN - 100);
    put_at(f.live, "c", LIVE_SPAN / 3);
    assert_unit(f.city, "a", "G0");
    assert_unit(f.city, "b", "G1");
    put_at(f.live, "a", LIVE_SPAN - 200);  // it moves
    assert_unit(f.city, "a", "G1");
    assert_unit(f.city, "c", "G0");
    // Units never change row by row.
    struct live_batch b = {0};
    live_row(&b, "G0", 1, 1, 1);
    struct om_write w = {
        .layer = "grid", .kind = OM_WRITE_DELETE, .batch = live_batch(&b)};
    assert_int_equal(om_live_write_wait(f.live, &w), OM_E_UNSUPPORTED);
    live_batch_free(&b);
    // Other units, with the border further west; rows in memory follow.
    write_units("layers/grid-2.seg", 'H', LIVE_SPAN / 4.0);
    commit_units(2, "layers/grid-2.seg");
    if (om_live_refresh(f.live, &changed, &err)) fail_msg("%s", err.text);
    assert_true(changed);
    for (int round = 0; round < 4; round++) {
        assert_unit(f.city, "a", "H1");
        assert_unit(f.city, "b", "H1");
        assert_unit(f.city, "c", "H1");
        struct om_snapshot *s = om_city_snapshot(f.city);
        assert_int_equal(om_snapshot_verify(s, live_no_fault, NULL), OM_OK);
        om_snapshot_unref(s);
        if (round == 0 || round == 2) {
            end(&f);
            f = begin(NULL);
        }
        if (round == 1 && om_live_compact(f.live, &err))
            fail_msg("%s", err.text);
    }
    put_at(f.live, "d", 200);
    assert_unit(f.city, "d", "H0");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(commit_of_another_process_comes_below_what_is_newer),
        LIVE_TEST(commit_of_new_units_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
