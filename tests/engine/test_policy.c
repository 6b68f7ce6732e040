// test_policy.c - rows outside the area are as rows that are nowhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/policy/policy.h"
#include "tests/engine/city_sample.h"

/* Plan
 *   id_*   the only row of the area is seen, no other, and as much is read for
 *          those elsewhere as for those that are nowhere; dead rows are nowhere
 */

#define ROWS 3000

static size_t reads_of(const struct om_layer *layer, const char *id,
                       bool wanted)
{
    bool seen = !wanted;
    size_t reads = 0;
    assert_int_equal(om_id_seen(layer, id, strlen(id), &seen, &reads), OM_OK);
    assert_int_equal(seen, wanted);
    return reads;
}

static void id_costs_the_same(void **state)
{
    static struct om_pos pos[ROWS];
    struct city_sample c;
    (void)state;
    city_begin(&c);
    for (size_t i = 0; i < ROWS; i++)
        pos[i] = (struct om_pos){(uint32_t)(i * 1000003), (uint32_t)(i * 77777)};
    city_add_places(&c, "place", pos, ROWS);
    struct om_layer layer = c.layer[0];
    assert_int_equal(reads_of(&layer, "place-1", true), 2);
    // The area is what has this id; of the filter only its being there counts.
    layer.rights.area = (struct om_filter *)&layer;
    layer.rights.area_column = layer.schema.id_field;
    strcpy(layer.rights.area_unit, "place-7");
    for (size_t i = 0; i < ROWS; i += 7) {
        char elsewhere[32], nowhere[32];
        snprintf(elsewhere, sizeof elsewhere, "place-%zu", i);
        snprintf(nowhere, sizeof nowhere, "nowhere-%zu", i);
        const size_t reads = reads_of(&layer, elsewhere, i == 7);
        assert_int_equal(reads, 2);
        assert_int_equal(reads_of(&layer, nowhere, false), reads);
    }
    assert_int_equal(reads_of(&layer, "", false), 2);
    // Dead, it is nowhere, at the same cost.
    struct om_text_reader reader = {0};
    struct om_part part = layer.part[0];
    size_t row;
    assert_int_equal(
        om_segment_find(part.segment, "place-7", 7, &reader, &row), OM_OK);
    om_text_reader_deinit(&reader);
    const uint32_t dead[] = {(uint32_t)row};
    part.dead = dead;
    part.dead_count = 1;
    layer.part = &part;
    assert_int_equal(reads_of(&layer, "place-7", false), 2);
    city_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_costs_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
