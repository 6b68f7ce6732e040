// live_answers.h - every kind of answer of two cities that must be the same.
#ifndef OM_TESTS_TILES_LIVE_ANSWERS_H
#define OM_TESTS_TILES_LIVE_ANSWERS_H

#include "tests/tiles/live_answers_maps.h"
#include "tests/tiles/live_answers_rows.h"
#include "tests/tiles/live_answers_stat.h"

static inline void answers_same_city(struct model *m,
                                     const struct asked_city city[2])
{
    static const char *const FILTER[] = {
        NULL,
        "kind = 'fire'",
        "weight > 3 AND NOT kind IN ('gas', '煤气')",
        "share < 60 OR at >= TIMESTAMP('2023-03-01T00:00:00Z')",
        "note LIKE 'note 1%'",
        "grid = 'G009' OR town = 'T003'",
        "kind IS NULL"};
    const struct om_window none = {0};
    const struct om_window month = {true, MODEL_BEGIN_S + 31 * 86400,
                                    MODEL_BEGIN_S + 59 * 86400};
    for (int l = 0; l < MODEL_LAYERS; l++)
        assert_int_equal(answers_layer(&city[0], l)->rows,
                         answers_layer(&city[1], l)->rows);
    for (size_t f = 0; f < sizeof FILTER / sizeof *FILTER; f++) {
        struct om_place box = {.kind = OM_PLACE_BOX};
        const struct om_pos a = model_pos(m), b = model_pos(m);
        box.box = (struct om_box){a.x < b.x ? a.x : b.x, a.y < b.y ? a.y : b.y,
                                  a.x < b.x ? b.x : a.x, a.y < b.y ? b.y : a.y};
        answers_same_rows(city, MODEL_CASE, (struct om_place){0}, FILTER[f],
                          none);
        answers_same_rows(city, MODEL_CASE, box, FILTER[f], none);
        answers_same_rows(city, MODEL_CASE, box, FILTER[f], month);
        answers_same_rows(
            city, MODEL_CASE,
            (struct om_place){
                .kind = OM_PLACE_RADIUS, .pos = model_pos(m), .radius_m = 900},
            FILTER[f], none);
        answers_same_rows(
            city, MODEL_CASE,
            (struct om_place){
                .kind = OM_PLACE_NEAREST, .pos = model_pos(m), .nearest = 25},
            FILTER[f], none);
        answers_same_groups(city, MODEL_CASE, 6, OM_STEP_NONE, 2, FILTER[f]);
        box.kind = OM_PLACE_BOX;
        answers_same_rows(city, MODEL_LOT, box, NULL, none);
    }
    struct om_units units;
    assert_int_equal(om_units_read(city[1].snapshot, "grid", &units, NULL),
                     OM_OK);
    struct om_rings one = units.rings;  // shape 0 of it
    one.count = 1;
    for (int l = 0; l < MODEL_LAYERS; l++) {
        answers_same_rows(
            city, l, (struct om_place){.kind = OM_PLACE_WITHIN, .rings = &one},
            NULL, none);
        answers_same_rows(
            city, l,
            (struct om_place){
                .kind = OM_PLACE_NEAREST, .pos = model_pos(m), .nearest = 40},
            NULL, none);
        char id[MODEL_TEXT];
        for (int i = 0; i < 10; i++) {
            const int len =
                snprintf(id, sizeof id, "%c%06zu", m->layer[l].letter,
                         (size_t)(model_random(m) % (m->layer[l].room + 1)));
            answers_same_rows(
                city, l,
                (struct om_place){
                    .kind = OM_PLACE_ID, .id = id, .id_len = (size_t)len},
                NULL, none);
        }
        answers_same_pages(city, l, 37);
        const size_t fields = m->layer[l].schema.count;
        answers_same_groups(city, l, 1, OM_STEP_NONE, OM_NO_FIELD, NULL);
        answers_same_groups(city, l, fields, OM_STEP_NONE, OM_NO_FIELD, NULL);
        answers_same_groups(city, l, fields + 1, OM_STEP_NONE, OM_NO_FIELD,
                            NULL);
    }
    om_units_deinit(&units);
    answers_same_groups(city, MODEL_CASE, 4, OM_STEP_HOUR, 2, NULL);
    answers_same_groups(city, MODEL_CASE, 4, OM_STEP_DAY, 3, NULL);
    answers_same_groups(city, MODEL_CASE, 4, OM_STEP_MONTH, 2, NULL);
    answers_same_groups(city, MODEL_CASE, 2, OM_STEP_NONE, 3, NULL);
    answers_same_groups(city, MODEL_CASE, 6, OM_STEP_NONE, 2, NULL);
    answers_same_sums(city, MODEL_CASE, 2);
    answers_same_sums(city, MODEL_CASE, 3);
    answers_same_sorted(city, MODEL_CASE, 2, true, 60);
    answers_same_sorted(city, MODEL_CASE, 1, false, 60);
    answers_same_sorted(city, MODEL_CASE, 5, true, 60);
    answers_same_sorted(city, MODEL_CASE, 6, true, 60);
    answers_same_sorted(city, MODEL_LOT, 2, false, 60);
    answers_same_fields(city);
    answers_same_hotspots(city, OM_STAT_GISTAR, "grid", OM_NO_FIELD);
    answers_same_hotspots(city, OM_STAT_GISTAR, "grid", 1);
    answers_same_hotspots(city, OM_STAT_MORAN, "square:500", OM_NO_FIELD);
    answers_same_patrols(city);
    answers_same_pictures(city);
    answers_same_risks(city);
    answers_same_audits(city);
    answers_same_crowds(city, NULL);
    answers_same_crowds(city, "kind = 'fire'");
    answers_same_roads(m, city, NULL);
    answers_same_roads(m, city, "rank <> 'lane'");
    for (unsigned z = 6; z <= 14; z += 2) {
        answers_same_tiles(city, MODEL_CASE, NULL, z);
        answers_same_tiles(city, MODEL_CASE, "weight > 4", z);
        answers_same_tiles(city, MODEL_LOT, NULL, z);
        answers_same_tiles(city, MODEL_LOT, "floors < 4", z);
        answers_same_tiles(city, MODEL_ROAD, NULL, z);
    }
    for (int i = 0; i < 60; i++) {
        const unsigned z = 15 + (unsigned)i % 6;
        const struct om_pos at = model_pos(m);
        const uint32_t x = at.x >> (32 - z), y = at.y >> (32 - z);
        answers_same_tile(city, MODEL_LOT, NULL, z, x, y);
        answers_same_tile(city, MODEL_LOT, "use = 'shop'", z, x, y);
        answers_same_tile(city, MODEL_ROAD, NULL, z, x, y);
    }
}

#endif
