/* Cells become regions.
 *
 * Plan
 *   demand_*    every region holds the least of everything; what is enough on
 *               its own stays alone; regions keep to the units if these suffice
 *   shape_*     regions are contiguous where the cells are a net
 *   before_*    cells that were together stay so, whatever the counts
 *   order_*     the same numbers whichever demand comes first
 *   odd_*       nothing, one cell, too little of it, cells in no unit
 *   fault_*     an allocation fails
 */
#include "engine/stat/merge.h"
#include "tests/engine/stat_sample.h"

#define SIDE 12
#define CELLS (SIDE * SIDE)
#define DEMANDS 4

/* A board of cells; villages are 3 x 3, towns 6 x 6 of them. */
struct board {
    uint32_t village[CELLS], town[CELLS];
    const uint32_t *parent[2];
    double x[CELLS], y[CELLS];
    uint64_t count[DEMANDS * CELLS], least[DEMANDS];
    uint32_t together[CELLS];
    struct om_graph graph;
    struct om_merge merge;
};

static void board_begin(struct board *b)
{
    static uint64_t pair[4 * CELLS];
    size_t pairs = 0;
    memset(b, 0, sizeof *b);
    for (uint32_t i = 0; i < CELLS; i++) {
        const uint32_t col = i % SIDE, row = i / SIDE;
        b->x[i] = col;
        b->y[i] = row;
        b->village[i] = row / 3 * (SIDE / 3) + col / 3;
        b->town[i] = row / 6 * (SIDE / 6) + col / 6;
        if (col + 1 < SIDE) {
            pair[pairs++] = (uint64_t)i << 32 | (i + 1);
            pair[pairs++] = (uint64_t)(i + 1) << 32 | i;
        }
        if (row + 1 < SIDE) {
            pair[pairs++] = (uint64_t)i << 32 | (i + SIDE);
            pair[pairs++] = (uint64_t)(i + SIDE) << 32 | i;
        }
    }
    b->parent[0] = b->village;
    b->parent[1] = b->town;
    assert_int_equal(om__graph_from_pairs(CELLS, pair, pairs, &b->graph),
                     OM_OK);
    b->merge = (struct om_merge){.cells = CELLS,
                                 .levels = 2,
                                 .parent = b->parent,
                                 .touching = &b->graph,
                                 .x = b->x,
                                 .y = b->y,
                                 .demands = DEMANDS,
                                 .count = b->count,
                                 .least = b->least};
}

/* Counts that leave much to merge: the rarer, the later the demand. */
static void board_fill(struct board *b, uint64_t *seed)
{
    for (size_t d = 0; d < DEMANDS; d++) {
        b->least[d] = 5;
        for (size_t i = 0; i < CELLS; i++)
            b->count[d * CELLS + i] =
                mesh_random(seed) % (d + 1) ? 0 : mesh_random(seed) % 12;
    }
}

static uint64_t held(const struct board *b, const uint32_t *region,
                     uint32_t which, size_t demand)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < CELLS; i++)
        if (region[i] == which) sum += b->count[demand * CELLS + i];
    return sum;
}

/* All cells of a region can be reached from its first without leaving it. */
static bool is_contiguous(const struct board *b, const uint32_t *region,
                          uint32_t which)
{
    bool seen[CELLS] = {false};
    uint32_t stack[CELLS];
    size_t n = 0, found = 0, all = 0;
    for (uint32_t i = 0; i < CELLS; i++) {
        if (region[i] != which) continue;
        if (!all++) {
            stack[n++] = i;
            seen[i] = true;
        }
    }
    while (n > 0) {
        const uint32_t at = stack[--n];
        found++;
        for (size_t k = b->graph.first[at]; k < b->graph.first[at + 1]; k++) {
            const uint32_t to = b->graph.to[k];
            if (region[to] != which || seen[to]) continue;
            seen[to] = true;
            stack[n++] = to;
        }
    }
    return found == all;
}

static void demand_of_every_region_is_met(void **state)
{
    (void)state;
    static struct board b;
    uint64_t seed = 3;
    size_t fewest = CELLS, most = 0;
    board_begin(&b);
    for (size_t round = 0; round < test_rounds(200); round++) {
        uint32_t region[CELLS];
        size_t regions;
        board_fill(&b, &seed);
        assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_OK);
        for (uint32_t r = 0; r < regions; r++) {
            for (size_t d = 0; d < DEMANDS; d++)
                assert_true(held(&b, region, r, d) >= b.least[d]);
            assert_true(is_contiguous(&b, region, r));
        }
        // Numbered by first cells.
        uint32_t next = 0;
        for (size_t i = 0; i < CELLS; i++) {
            assert_true(region[i] <= next && region[i] < regions);
            if (region[i] == next) next++;
        }
        assert_int_equal(next, regions);
        if (regions < fewest) fewest = regions;
        if (regions > most) most = regions;
    }
    assert_true(most < CELLS && fewest > 2);  // it was put to the test
    om_graph_deinit(&b.graph);
}

/* A region goes beyond a village only if one of its villages is not enough. */
static void demand_is_met_within_the_unit_if_it_can_be(void **state)
{
    (void)state;
    static struct board b;
    uint64_t seed = 11;
    board_begin(&b);
    for (size_t round = 0; round < test_rounds(100); round++) {
        uint32_t region[CELLS];
        size_t regions;
        board_fill(&b, &seed);
        assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_OK);
        for (uint32_t r = 0; r < regions; r++) {
            bool across = false, poor = false;
            uint32_t village = OM_NO_UNIT;
            for (size_t i = 0; i < CELLS; i++) {
                if (region[i] != r) continue;
                across = across ||
                         (village != OM_NO_UNIT && village != b.village[i]);
                village = b.village[i];
                for (size_t d = 0; d < DEMANDS; d++)
                    poor = poor ||
                           held(&b, b.village, b.village[i], d) < b.least[d];
            }
            assert_true(!across || poor);
        }
    }
    om_graph_deinit(&b.graph);
}

static void demand_met_alone_stays_alone(void **state)
{
    (void)state;
    static struct board b;
    uint32_t region[CELLS];
    size_t regions;
    board_begin(&b);
    for (size_t d = 0; d < DEMANDS; d++) {
        b.least[d] = 5;
        for (size_t i = 0; i < CELLS; i++) b.count[d * CELLS + i] = 5 + i % 3;
    }
    assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_OK);
    assert_int_equal(regions, CELLS);
    // One that lacks: it takes a neighbour of its village, and no more.
    b.count[2 * CELLS + 40] = 4;
    assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_OK);
    assert_int_equal(regions, CELLS - 1);
    for (size_t i = 0; i < CELLS; i++)
        if (i != 40 && region[i] == region[40])
            assert_int_equal(b.village[i], b.village[40]);
    om_graph_deinit(&b.graph);
}

static void before_is_never_taken_apart(void **state)
{
    (void)state;
    static struct board b;
    uint64_t seed = 29;
    board_begin(&b);
    for (size_t round = 0; round < test_rounds(200); round++) {
        uint32_t first[CELLS], second[CELLS];
        size_t regions, later;
        board_fill(&b, &seed);
        b.merge.together = NULL;
        assert_int_equal(om_merge_regions(&b.merge, first, &regions), OM_OK);
        // Another time, of which other counts are known, also across units.
        board_fill(&b, &seed);
        b.merge.together = first;
        assert_int_equal(om_merge_regions(&b.merge, second, &later), OM_OK);
        uint32_t of[CELLS];
        for (size_t i = 0; i < CELLS; i++) of[i] = OM_NO_UNIT;
        for (size_t i = 0; i < CELLS; i++) {
            if (of[first[i]] == OM_NO_UNIT) of[first[i]] = second[i];
            assert_int_equal(of[first[i]], second[i]);
        }
        for (uint32_t r = 0; r < later; r++)
            for (size_t d = 0; d < DEMANDS; d++)
                assert_true(held(&b, second, r, d) >= b.least[d]);
    }
    om_graph_deinit(&b.graph);
}

static void order_of_demands_does_not_matter(void **state)
{
    (void)state;
    static struct board b, turned;
    uint64_t seed = 31;
    board_begin(&b);
    board_begin(&turned);
    for (size_t round = 0; round < test_rounds(30); round++) {
        uint32_t one[CELLS], other[CELLS];
        size_t n, m;
        board_fill(&b, &seed);
        for (size_t d = 0; d < DEMANDS; d++) {
            memcpy(turned.count + d * CELLS,
                   b.count + (DEMANDS - 1 - d) * CELLS,
                   CELLS * sizeof *b.count);
            turned.least[d] = b.least[DEMANDS - 1 - d];
        }
        assert_int_equal(om_merge_regions(&b.merge, one, &n), OM_OK);
        assert_int_equal(om_merge_regions(&turned.merge, other, &m), OM_OK);
        assert_int_equal(n, m);
        assert_memory_equal(one, other, sizeof one);
    }
    om_graph_deinit(&b.graph);
    om_graph_deinit(&turned.graph);
}

static void odd_cities_are_merged_too(void **state)
{
    (void)state;
    static struct board b;
    uint32_t region[CELLS];
    size_t regions;
    uint64_t seed = 37;
    board_begin(&b);
    // Too little of one thing in all the city.
    board_fill(&b, &seed);
    memset(b.count + CELLS, 0, CELLS * sizeof *b.count);
    b.count[CELLS + 7] = 4;
    assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_E_RANGE);
    // Just enough, in one corner: the whole city is one region.
    b.count[CELLS + 7] = 5;
    assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_OK);
    assert_int_equal(regions, 1);
    // No levels, and cells in no unit.
    board_fill(&b, &seed);
    b.merge.levels = 0;
    assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_OK);
    b.merge.levels = 2;
    for (size_t i = 0; i < CELLS; i += 5) b.village[i] = b.town[i] = OM_NO_UNIT;
    assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_OK);
    for (uint32_t r = 0; r < regions; r++)
        for (size_t d = 0; d < DEMANDS; d++)
            assert_true(held(&b, region, r, d) >= b.least[d]);
    // Nobody touches anybody: the nearest will do.
    struct om_graph lonely = {.count = CELLS,
                              .first = calloc(CELLS + 1, sizeof(size_t))};
    b.merge.touching = &lonely;
    assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_OK);
    assert_true(regions > 1);
    free(lonely.first);
    b.merge.touching = &b.graph;
    // One cell, and none.
    b.merge.cells = 0;
    assert_int_equal(om_merge_regions(&b.merge, region, &regions), OM_E_RANGE);
    om_graph_deinit(&b.graph);
}

static void fault_of_memory_is_told(void **state)
{
    (void)state;
    static struct board b;
    uint32_t region[CELLS];
    size_t regions;
    uint64_t seed = 41;
    board_begin(&b);
    board_fill(&b, &seed);
    const size_t live = om_alloc_live();
    om_status st = OM_E_MEMORY;
    size_t n = 0;
    while (st) {
        om_alloc_fail_after(++n, false);
        st = om_merge_regions(&b.merge, region, &regions);
        om_alloc_fail_after(0, false);
        assert_true(st == OM_OK || st == OM_E_MEMORY);
        assert_int_equal(om_alloc_live(), live);
    }
    assert_true(n > 5);
    om_graph_deinit(&b.graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(demand_of_every_region_is_met),
        cmocka_unit_test(demand_is_met_within_the_unit_if_it_can_be),
        cmocka_unit_test(demand_met_alone_stays_alone),
        cmocka_unit_test(before_is_never_taken_apart),
        cmocka_unit_test(order_of_demands_does_not_matter),
        cmocka_unit_test(odd_cities_are_merged_too),
        cmocka_unit_test(fault_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
