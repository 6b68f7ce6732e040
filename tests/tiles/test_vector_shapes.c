/* Vector tiles of lines and polygons: where shapes lie. What tiles add up to is
 * in test_vector_sums.c.
 *
 * Plan
 *   level_*   units at every zoom: valid by GEOS, borders shared edge by edge,
 *             nothing missing inside, few vertices where they do not show
 *   tile_*    the same seen through tiles: valid, wound right, inside the
 *             frame, equal to the level where nothing was cut, continued by the
 *             neighbour
 */
#include "tests/tiles/vector_city.h"

/* ---- levels ---- */

/* Rings of a row at a level. */
static struct om__rings level_rings(const struct om__level *level, size_t row,
                                    struct om_arena *arena)
{
    const uint32_t *ring = level->shape_ring[0];
    const size_t from = ring[row], to = ring[row + 1];
    const size_t first = from ? level->ring_end[from - 1] : 0;
    const size_t n = to > from ? level->ring_end[to - 1] - first : 0;
    struct om__rings r = {
        .at = om_arena_calloc(arena, n + 1, sizeof *r.at),
        .end = om_arena_calloc(arena, to - from + 1, sizeof *r.end),
        .rings = to - from,
        .places = n};
    for (size_t i = 0; i < n; i++)
        r.at[i] = (struct om__xy){level->place[first + i].x,
                                  level->place[first + i].y};
    for (size_t i = from; i < to; i++)
        r.end[i - from] = (uint32_t)(level->ring_end[i] - first);
    return r;
}

static void level_units_share_their_borders_at_every_zoom(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    size_t last = 0;
    for (unsigned z = 0; z < 20; z++) {
        struct om__kept kept;
        struct edge_sum sum = {0};
        om__wide area2 = 0;
        size_t places = 0, drawn = 0;
        assert_int_equal(om__level_get(vectors, unit, z, &kept), OM_OK);
        for (size_t row = 0; row < unit->rows; row++) {
            const struct om__rings r = level_rings(kept.value, row, &arena);
            shape_must_be_valid(geos, &r);
            edges_add_rings(&sum, &r);
            for (size_t i = 0, from = 0; i < r.rings; from = r.end[i++])
                area2 += om__ring_area2(r.at + from, r.end[i] - from);
            places += r.places;
            drawn += r.rings > 0;
        }
        om__keep_release(vectors, &kept);
        // No edge comes twice in one direction; what is left of those that do
        // not cancel is the border of the whole, without a hole in it.
        qsort(sum.edge, sum.count, sizeof *sum.edge, edge_order);
        for (size_t i = 1; i < sum.count; i++)
            assert_true(edge_order(&sum.edge[i - 1], &sum.edge[i]) != 0);
        edges_cancel(&sum);
        struct om__rings whole;
        assert_int_equal(om__edges_trace(sum.edge, sum.count, &arena, &whole),
                         OM_OK);
        if (z >= 5) assert_int_equal(drawn, unit->rows);
        om__wide whole2 = 0;
        for (size_t i = 0, from = 0; i < whole.rings; from = whole.end[i++]) {
            const om__wide a =
                om__ring_area2(whole.at + from, whole.end[i] - from);
            assert_true(a > 0);
            whole2 += a;
        }
        assert_true(whole2 == area2);
        if (z >= 5) assert_int_equal(whole.rings, 1);
        // The same piece of earth at every zoom, within the thinning.
        if (z >= 8) {
            const double unit_side = ldexp(1.0, 20 - (int)z);
            const double got = (double)area2 / 2 * unit_side * unit_side;
            const double want = SIDE * SIDE * STEP * STEP;
            assert_true(fabs(got / want - 1) < 0.02);
        }
        assert_true(places >= last);
        last = places;
        free(sum.edge);
        om_arena_reset(&arena);
    }
    om_arena_deinit(&arena);
}

static void level_has_few_vertices_where_they_do_not_show(void **state)
{
    (void)state;
    struct om__kept kept;
    size_t vertices;
    assert_int_equal(om__vertices(unit, &vertices), OM_OK);
    size_t places[20];
    for (unsigned z = 4; z < 20; z += 15) {
        assert_int_equal(om__level_get(vectors, unit, z, &kept), OM_OK);
        const struct om__level *level = kept.value;
        const uint32_t rings = level->shape_ring[0][unit->rows];
        places[z] = level->ring_end[rings - 1];
        om__keep_release(vectors, &kept);
    }
    // At z4 a unit is 12 units of the tile wide, at z19 every bend shows.
    assert_true(places[4] < 12 * unit->rows);
    assert_true(places[19] > vertices * 9 / 10);
}

/* A bay whose triangle is too small to be shown, and in it an enclave of three
 * units, whose corners stay: the border must not jump over them. */
static void level_borders_do_not_jump_over_places(void **state)
{
    (void)state;
    static const double left[] = {-60, -60, 0,  -60, 0,  0,   3.1,
                                  6,   0,   12, 0,   60, -60, 60};
    static const double right[] = {60, -60, 60, 60, 0, 60, 0,
                                   12, 3.1, 6,  0,  0, 0,  -60};
    static const double corner[4][2] = {{1, 5}, {2, 6}, {1, 7}, {1.4, 6}};
    const double unit_side = 1024.0, x = WEST, y = NORTH + 9e6;
    struct city_sample other;
    struct om_arena arena = {0};
    struct mesh m;
    city_begin(&other);
    mesh_init(&m, 64);
    for (size_t i = 0; i < 7; i++)
        mesh_vertex(&m, x + unit_side * left[2 * i],
                    y + unit_side * left[2 * i + 1]);
    mesh_end_ring(&m);
    for (size_t i = 0; i < 3; i++)  // its hole
        mesh_vertex(&m, x + unit_side * corner[i][0],
                    y + unit_side * corner[i][1]);
    mesh_end_ring(&m);
    mesh_end_part(&m);
    mesh_end_shape(&m);
    double xy[14];
    for (size_t i = 0; i < 14; i++)
        xy[i] = (i % 2 ? y : x) + unit_side * right[i];
    mesh_polygon(&m, 7, xy);
    for (size_t i = 0; i < 3; i++) {
        const size_t of[3] = {i, (i + 1) % 3, 3};
        for (size_t k = 0; k < 3; k++) {
            xy[2 * k] = x + unit_side * corner[of[k]][0];
            xy[2 * k + 1] = y + unit_side * corner[of[k]][1];
        }
        mesh_polygon(&m, 3, xy);
    }
    const struct om_layer *layer = city_add_units(&other, "bay", &m, "b");
    mesh_deinit(&m);
    for (unsigned z = 5; z < 20; z++) {
        struct om__kept kept;
        om__wide area2 = 0;
        struct edge_sum sum = {0};
        assert_int_equal(om__level_get(vectors, layer, z, &kept), OM_OK);
        for (size_t row = 0; row < layer->rows; row++) {
            const struct om__rings r = level_rings(kept.value, row, &arena);
            shape_must_be_valid(geos, &r);
            edges_add_rings(&sum, &r);
            for (size_t i = 0, from = 0; i < r.rings; from = r.end[i++])
                area2 += om__ring_area2(r.at + from, r.end[i] - from);
        }
        om__keep_release(vectors, &kept);
        // All together they are the square, once.
        edges_cancel(&sum);
        struct om__rings whole;
        assert_int_equal(om__edges_trace(sum.edge, sum.count, &arena, &whole),
                         OM_OK);
        assert_int_equal(whole.rings, 1);
        assert_true(om__ring_area2(whole.at, whole.places) == area2);
        free(sum.edge);
    }
    om_arena_deinit(&arena);
    city_end(&other);
}

/* ---- tiles ---- */

static bool inside(int64_t v)
{
    return v > -OM_VECTOR_BUFFER && v < OM_MVT_EXTENT + OM_VECTOR_BUFFER;
}

/* Edges that nothing cut, in units from the corner of the world. */
static void add_uncut(struct edge_sum *sum, const struct om__rings *r,
                      uint32_t x, uint32_t y)
{
    for (size_t i = 0, from = 0; i < r->rings; from = r->end[i++])
        for (size_t k = from; k < r->end[i]; k++) {
            struct om__xy a = r->at[k];
            struct om__xy b = r->at[k + 1 < r->end[i] ? k + 1 : from];
            if (!inside(a.x) || !inside(a.y) || !inside(b.x) || !inside(b.y))
                continue;
            a.x += (int64_t)x * 4096;
            a.y += (int64_t)y * 4096;
            b.x += (int64_t)x * 4096;
            b.y += (int64_t)y * 4096;
            edges_add(sum, a, b);
        }
}

static void tile_units_are_the_level_cut(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    const struct om_vector_spec spec = spec_of(unit, &all_units);
    for (unsigned z = 6; z <= 13; z++) {
        struct edge_sum level_edges = {0};
        struct om__kept kept;
        assert_int_equal(om__level_get(vectors, unit, z, &kept), OM_OK);
        for (size_t row = 0; row < unit->rows; row++) {
            const struct om__rings r = level_rings(kept.value, row, &arena);
            edges_add_rings(&level_edges, &r);
        }
        om__keep_release(vectors, &kept);
        qsort(level_edges.edge, level_edges.count, sizeof(struct om__edge),
              edge_order);
        const struct range t = tiles_of(z);
        const uint32_t step = z < 12 ? 1 : 3;
        size_t uncut = 0;
        for (uint32_t y = t.y0; y <= t.y1; y += step)
            for (uint32_t x = t.x0; x <= t.x1; x += step) {
                struct om_buf buf = make(&spec, z, x, y);
                struct mvt_tile tile = tile_of(&buf);
                const struct mvt_layer *l = mvt_layer(&tile, "grid");
                struct edge_sum sum = {0};
                check_polygons(l, &arena);
                for (size_t i = 0; l && i < l->features; i++) {
                    const struct om__rings r = rings_of(&l->feature[i], &arena);
                    add_uncut(&sum, &r, x, y);
                }
                for (size_t i = 0; i < sum.count; i++, uncut++)
                    assert_non_null(bsearch(
                        &sum.edge[i], level_edges.edge, level_edges.count,
                        sizeof(struct om__edge), edge_order));
                free(sum.edge);
                mvt_free(&tile);
                om_buf_deinit(&buf);
                om_arena_reset(&arena);
            }
        assert_true(uncut > 50);
        free(level_edges.edge);
    }
    om_arena_deinit(&arena);
}

/* A feature by its id, or NULL. */
static const struct mvt_feature *find(const struct mvt_layer *l, uint64_t id)
{
    for (size_t i = 0; l && i < l->features; i++)
        if (l->feature[i].id == id) return &l->feature[i];
    return NULL;
}

static GEOSGeometry *moved(const struct mvt_feature *f, int64_t dx,
                           const struct om__frame *frame,
                           struct om_arena *arena)
{
    struct om__rings r = rings_of(f, arena);
    for (size_t i = 0; i < r.places; i++) r.at[i].x += dx;
    GEOSGeometry *g = shape_polygon(geos, &r);
    GEOSGeometry *cut =
        GEOSClipByRect_r(geos, g, (double)frame->west, (double)frame->north,
                         (double)frame->east, (double)frame->south);
    GEOSGeom_destroy_r(geos, g);
    return cut;
}

/* In the strip that two neighbours both have they show the same. */
static void tile_neighbours_continue_each_other(void **state)
{
    (void)state;
    struct om_arena arena = {0};
    const struct {
        const struct om_layer *layer;
        const struct om_selection *selection;
    } of[] = {{unit, &all_units}, {house, &all_houses}};
    const struct om__frame strip = {4096 - 64, 0, 4096 + 64, 4096};
    size_t compared = 0;
    for (size_t k = 0; k < 2; k++) {
        const struct om_vector_spec spec =
            spec_of(of[k].layer, of[k].selection);
        for (unsigned z = 10; z <= 14; z += 2) {
            const struct range t = tiles_of(z);
            const uint32_t y = (t.y0 + t.y1) / 2;
            for (uint32_t x = t.x0; x < t.x1 && x < t.x0 + 8; x++) {
                struct om_buf a = make(&spec, z, x, y);
                struct om_buf b = make(&spec, z, x + 1, y);
                struct mvt_tile ta = tile_of(&a), tb = tile_of(&b);
                const struct mvt_layer *la = mvt_layer(&ta, spec.name);
                const struct mvt_layer *lb = mvt_layer(&tb, spec.name);
                for (size_t i = 0; la && i < la->features; i++) {
                    const struct mvt_feature *f = &la->feature[i];
                    const struct mvt_feature *g = find(lb, f->id);
                    GEOSGeometry *left = moved(f, 0, &strip, &arena);
                    double area = shape_area(geos, left), border = 0;
                    GEOSLength_r(geos, left, &border);
                    if (g) {
                        GEOSGeometry *right = moved(g, 4096, &strip, &arena);
                        GEOSGeometry *off =
                            GEOSSymDifference_r(geos, left, right);
                        area = off ? shape_area(geos, off) : 0;
                        compared++;
                        if (off) GEOSGeom_destroy_r(geos, off);
                        GEOSGeom_destroy_r(geos, right);
                    }
                    assert_true(area <= 0.6 * border + 1);
                    GEOSGeom_destroy_r(geos, left);
                }
                mvt_free(&ta);
                mvt_free(&tb);
                om_buf_deinit(&a);
                om_buf_deinit(&b);
                om_arena_reset(&arena);
            }
        }
    }
    assert_true(compared > 30);
    om_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_units_share_their_borders_at_every_zoom),
        cmocka_unit_test(level_has_few_vertices_where_they_do_not_show),
        cmocka_unit_test(level_borders_do_not_jump_over_places),
        cmocka_unit_test(tile_units_are_the_level_cut),
        cmocka_unit_test(tile_neighbours_continue_each_other),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
