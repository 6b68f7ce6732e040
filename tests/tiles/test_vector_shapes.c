/* Vector tiles of lines and polygons: whole cities of them, tile by tile.
 *
 * Plan
 *   level_*   units at every zoom: valid by GEOS, borders shared edge by edge,
 *             nothing missing inside, few vertices where they do not show
 *   tile_*    the same seen through tiles: valid, wound right, inside the
 *             frame, equal to the level where nothing was cut, continued by the
 *             neighbour
 *   sum_*     distinct ids and counts are the register at every zoom
 *   written_* the same for layers that rows were written to; nothing that is
 *             kept of the others is made again
 *   cell_*    a cell ranked by itself is as all shapes together have it
 *   plain_*   the same for layers too large to be simplified
 *   all_*     a zoom draws a shape in all tiles that it touches or in none
 *   lines_*   roads keep their ends and do not jump over places
 *   limit_*   no tile above the limit
 *   lean_*    many units leave out their names, unless they are asked for
 *   same_*    threads and caches change nothing
 *   fault_*   no memory
 */
#include "data/base/alloc.h"
#include "data/base/thread.h"
#include "engine/live/run.h"
#include "tests/engine/city_sample.h"
#include "tests/rounds.h"
#include "tests/tiles/read_mvt.h"
#include "tests/tiles/tile_shapes.h"

static GEOSContextHandle_t geos;
static struct om_vectors *vectors;
static struct city_sample city;
static struct om_layer *unit, *house, *road;
static struct om_selection all_units, all_houses, all_roads;

/* The mesh begins in the middle of a tile of zoom 8 and is 1/3 of it wide. */
#define WEST (206.3 * 16777216.0)
#define NORTH (111.2 * 16777216.0)
#define STEP 700000.0
#define SIDE 8

static void quiet(const char *format, ...)
{
    (void)format;
}

/* Boxes of all sizes, L-shapes, and stars of many vertices. */
static void add_houses(struct mesh *m, size_t n)
{
    uint64_t seed = 77;
    for (size_t i = 0; i < n; i++) {
        const double x = WEST + SIDE * STEP * mesh_unit(&seed);
        const double y = NORTH + SIDE * STEP * mesh_unit(&seed);
        const double s = 300.0 * exp2(mesh_between(&seed, 0, 9));
        const double a = mesh_between(&seed, 0, 6.28), c = cos(a) * s,
                     d = sin(a) * s;
        if (i % 3 == 0) {
            const double xy[] = {x,         y,         x + c, y + d,
                                 x + c - d, y + d + c, x - d, y + c};
            mesh_polygon(m, 4, xy);
        } else if (i % 3 == 1) {
            const double xy[] = {x,         y,         x + 2 * s, y,
                                 x + 2 * s, y + s,     x + s,     y + s,
                                 x + s,     y + 2 * s, x,         y + 2 * s};
            mesh_polygon(m, 6, xy);
        } else {
            for (int k = 0; k < 30; k++) {
                const double r = s * mesh_between(&seed, 0.4, 1.0);
                mesh_vertex(m, x + r * cos(k * 0.2094),
                            y + r * sin(k * 0.2094));
            }
            mesh_end_ring(m);
            mesh_end_part(m);
            mesh_end_shape(m);
        }
    }
}

/* Streets between crossings of a grid, and long winding ones. */
static void add_roads(struct mesh *m, size_t n)
{
    uint64_t seed = 99;
    for (size_t i = 0; i < n; i++) {
        const size_t vertices = 2 + mesh_random(&seed) % (i % 10 ? 4 : 120);
        double x = WEST + STEP * (double)(mesh_random(&seed) % SIDE);
        double y = NORTH + STEP * (double)(mesh_random(&seed) % SIDE);
        double angle = mesh_between(&seed, 0, 6.28);
        for (size_t k = 0; k < vertices; k++) {
            mesh_vertex(m, x, y);
            angle += mesh_between(&seed, -0.5, 0.5);
            x += 30000 * cos(angle);
            y += 30000 * sin(angle);
        }
        mesh_end_ring(m);
        mesh_end_part(m);
        mesh_end_shape(m);
    }
}

/* A layer of shapes with an id and a kind. */
static struct om_layer *add_layer(const char *name, enum om_geometry geometry,
                                  const struct mesh *mesh)
{
    const struct om_schema schema = {.geometry = geometry,
                                     .count = 3,
                                     .field = {{"id", OM_TYPE_TEXT},
                                               {"kind", OM_TYPE_CATEGORY},
                                               {"floors", OM_TYPE_INTEGER}},
                                     .time_field = OM_NO_FIELD};
    const size_t n = mesh->count;
    struct om_builder *b = NULL;
    char path[128];
    city_path(&city, name, "seg", path);
    assert_int_equal(om_builder_new(&schema, &b), OM_OK);
    uint64_t *row = calloc(n, sizeof *row);
    uint32_t *id = calloc(n + 1, sizeof *id), *kind = calloc(n + 1, sizeof *id);
    int64_t *floors = calloc(n, sizeof *floors);
    char *ids = calloc(n, 24), *kinds = calloc(n, 2);
    for (size_t i = 0; i < n; i++) {
        row[i] = i + 1;
        id[i + 1] = id[i] + (uint32_t)sprintf(ids + id[i], "%s%zu",
                                              i % 2 ? "" : "X", i + 1000);
        kinds[i] = (char)('p' + i % 5);
        kind[i + 1] = (uint32_t)i + 1;
        floors[i] = (int64_t)(i % 30);
    }
    const struct om_batch_column column[] = {{.offset = id, .bytes = ids},
                                             {.offset = kind, .bytes = kinds},
                                             {.integer = floors}};
    const struct om_batch batch = {.rows = n,
                                   .source_row = row,
                                   .shapes = mesh_view(mesh),
                                   .column = column};
    assert_int_equal(om_builder_add(b, &batch), OM_OK);
    assert_int_equal(om_builder_write(b, path, NULL, NULL), OM_OK);
    om_builder_free(b);
    free(row);
    free(id);
    free(kind);
    free(floors);
    free(ids);
    free(kinds);
    return city_add(&city, name, "", NULL);
}

static int set_up(void **state)
{
    (void)state;
    struct mesh m;
    geos = GEOS_init_r();
    GEOSContext_setNoticeHandler_r(geos, quiet);
    city_begin(&city);
    mesh_init(&m, 60000);
    const struct mesh_plan plan = {SIDE,  SIDE, 40,   WEST,
                                   NORTH, STEP, true, 1234};
    mesh_partition(&m, &plan);
    unit = city_add_units(&city, "grid", &m, "44");
    mesh_deinit(&m);
    mesh_init(&m, 120000);
    add_houses(&m, 3000);
    house = add_layer("house", OM_GEOMETRY_POLYGON, &m);
    mesh_deinit(&m);
    mesh_init(&m, 60000);
    add_roads(&m, 1500);
    road = add_layer("road", OM_GEOMETRY_LINE, &m);
    mesh_deinit(&m);
    all_units = (struct om_selection){.all = true, .count = unit->rows};
    all_houses = (struct om_selection){.all = true, .count = house->rows};
    all_roads = (struct om_selection){.all = true, .count = road->rows};
    return (int)om_vectors_new((size_t)1 << 28, &vectors);
}

static int tear_down(void **state)
{
    (void)state;
    om_vectors_free(vectors);
    city_end(&city);
    GEOS_finish_r(geos);
    return 0;
}

static struct om_vector_spec spec_of(const struct om_layer *layer,
                                     const struct om_selection *selection)
{
    return (struct om_vector_spec){.layer = layer,
                                   .selection = selection,
                                   .name = layer->name,
                                   .by = om_vector_by(layer),
                                   .zone_s = 0};
}

static struct om_buf make(const struct om_vector_spec *spec, unsigned z,
                          uint32_t x, uint32_t y)
{
    struct om_buf tile = {0};
    struct om_arena arena = {0};
    assert_int_equal(om_vector_tile(vectors, spec, z, x, y, &arena, &tile),
                     OM_OK);
    om_arena_deinit(&arena);
    assert_true(tile.len <= OM_VECTOR_BYTES);
    return tile;
}

static struct mvt_tile tile_of(const struct om_buf *buf)
{
    const struct mvt_tile tile = mvt_read(buf->bytes, buf->len);
    if (tile.wrong) fail_msg("%s", tile.wrong);
    return tile;
}

/* A polygon feature as rings. owns: the arena */
static struct om__rings rings_of(const struct mvt_feature *f,
                                 struct om_arena *arena)
{
    struct om__rings r = {
        .at = om_arena_calloc(arena, f->places + 1, sizeof *r.at),
        .end = om_arena_calloc(arena, f->rings + 1, sizeof *r.end),
        .rings = f->rings,
        .places = f->places};
    for (size_t i = 0; i < f->places; i++)
        r.at[i] = (struct om__xy){f->at[i][0], f->at[i][1]};
    for (size_t i = 0; i < f->rings; i++)
        r.end[i] = (uint32_t)(f->ring[i].first + f->ring[i].n);
    return r;
}

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

/* Everything in a tile that must hold for polygons. */
static void check_polygons(const struct mvt_layer *l, struct om_arena *arena)
{
    for (size_t i = 0; l && i < l->features; i++) {
        const struct om__rings r = rings_of(&l->feature[i], arena);
        assert_int_equal(l->feature[i].type, 3);
        assert_true(mvt_area2(&l->feature[i], 0) > 0);
        shape_must_be_valid(geos, &r);
        for (size_t k = 0; k < r.places; k++) {
            assert_in_range(r.at[k].x + 64, 0, 4224);
            assert_in_range(r.at[k].y + 64, 0, 4224);
        }
    }
}

struct range {
    uint32_t x0, y0, x1, y1;
};

static struct range tiles_of(unsigned z)
{
    const double side = ldexp(1.0, 32 - (int)z);
    const double reach = STEP * (SIDE + 0.5);
    return (struct range){(uint32_t)((WEST - STEP / 2) / side),
                          (uint32_t)((NORTH - STEP / 2) / side),
                          (uint32_t)((WEST + reach) / side),
                          (uint32_t)((NORTH + reach) / side)};
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

/* ---- sums ---- */

struct ids {
    uint64_t *id;
    size_t count, room;
};

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void ids_add(struct ids *ids, uint64_t id)
{
    if (ids->count == ids->room) {
        ids->room = ids->room ? 2 * ids->room : 1024;
        ids->id = realloc(ids->id, ids->room * sizeof *ids->id);
    }
    ids->id[ids->count++] = id;
}

static size_t ids_distinct(struct ids *ids)
{
    size_t n = 0;
    if (ids->count) qsort(ids->id, ids->count, sizeof *ids->id, by_number);
    for (size_t i = 0; i < ids->count; i++)
        n += !i || ids->id[i] != ids->id[i - 1];
    return n;
}

static void check_sum(const struct om_vector_spec *spec, unsigned z)
{
    const struct range t = tiles_of(z);
    struct om_arena arena = {0};
    struct ids ids = {0};
    uint64_t counted = 0, total = 0;
    bool every_tile_told = true;
    for (uint32_t y = t.y0; y <= t.y1; y++)
        for (uint32_t x = t.x0; x <= t.x1; x++) {
            struct om_buf buf = make(spec, z, x, y);
            struct mvt_tile tile = tile_of(&buf);
            const struct mvt_layer *l = mvt_layer(&tile, spec->name);
            const struct mvt_layer *cells = mvt_layer(&tile, "cells");
            const struct mvt_layer *meta = mvt_layer(&tile, "meta");
            for (size_t i = 0; l && i < l->features; i++)
                ids_add(&ids, l->feature[i].id);
            uint64_t here = 0;
            for (size_t i = 0; cells && i < cells->features; i++)
                here += (uint64_t)mvt_get(cells, &cells->feature[i], "count")
                            .integer;
            counted += here;
            assert_true((cells != NULL) == (meta != NULL));
            if (meta) {
                const struct mvt_feature *f = &meta->feature[0];
                total += (uint64_t)mvt_get(meta, f, "total").integer;
                assert_int_equal(mvt_get(meta, f, "suppressed").integer, here);
            } else {
                every_tile_told = false;
            }
            if (spec->layer->schema.geometry == OM_GEOMETRY_POLYGON && z < 13)
                check_polygons(l, &arena);
            om_arena_reset(&arena);
            mvt_free(&tile);
            om_buf_deinit(&buf);
        }
    assert_int_equal(ids_distinct(&ids) + counted, spec->selection->count);
    if (every_tile_told) assert_int_equal(total, spec->selection->count);
    free(ids.id);
    om_arena_deinit(&arena);
}

static void sum_of_every_zoom_is_the_register(void **state)
{
    (void)state;
    const struct {
        const struct om_layer *layer;
        const struct om_selection *selection;
    } of[] = {{unit, &all_units}, {house, &all_houses}, {road, &all_roads}};
    const unsigned step = test_rounds(13) < 13 ? 4 : 1;
    for (size_t k = 0; k < 3; k++) {
        const struct om_vector_spec spec =
            spec_of(of[k].layer, of[k].selection);
        for (unsigned z = 0; z <= 13; z += step) check_sum(&spec, z);
    }
}

static void sum_of_a_filter_is_what_it_takes(void **state)
{
    (void)state;
    struct om_filter *filter;
    struct om_selection *some;
    const char *text = "kind IN ('p','r') AND floors > 4";
    assert_int_equal(
        om_filter_parse(text, strlen(text), house, 0, &filter, NULL), OM_OK);
    assert_int_equal(
        om_select(NULL, house, filter, (struct om_window){0}, &some), OM_OK);
    const struct om_vector_spec spec = spec_of(house, some);
    for (unsigned z = 3; z <= 12; z += 3) check_sum(&spec, z);
    om_selection_unref(some);
    om_filter_free(filter);
}

/* ---- layers that are written to ---- */

/* Some rows die, and come again in memory. owns: part[1].segment */
static struct om_layer written(const struct om_layer *from, size_t step,
                               uint32_t *dead, struct om_part part[2])
{
    static uint64_t serial = 1u << 30;
    const struct om_segment *s = from->part[0].segment;
    struct om_batch batch;
    const struct om_batch *list = &batch;
    size_t n = 0;
    for (size_t row = step / 2; row < from->rows; row += step)
        dead[n++] = (uint32_t)row;
    assert_int_equal(om_segment_extract(s, om_segment_schema(s), 0, n, dead,
                                        NULL, 0, &batch),
                     OM_OK);
    part[0] = (struct om_part){from->part[0].segment, dead, n};
    part[1] = (struct om_part){0};
    assert_int_equal(om_run_new(om_segment_schema(s), &list, 1, NULL,
                                &part[1].segment, NULL),
                     OM_OK);
    om_arena_deinit(&batch.arena);
    struct om_layer layer = *from;
    layer.parts = 2;
    layer.part = part;
    layer.serial = ++serial;
    return layer;
}

/* How much is made when what is kept of the lasting parts is asked for. */
static uint64_t made_of_lasting(const struct om_vector_spec *spec)
{
    const uint64_t before = om_vectors_stats(vectors).misses;
    struct om__kept kept;
    assert_int_equal(om__drawing_get(vectors, spec, false, &kept), OM_OK);
    om__keep_release(vectors, &kept);
    assert_int_equal(om__borders_get(vectors, spec->layer, &kept), OM_OK);
    om__keep_release(vectors, &kept);
    for (unsigned z = 2;
         z <= 13 && spec->layer->schema.geometry == OM_GEOMETRY_POLYGON; z++) {
        assert_int_equal(om__level_get(vectors, spec->layer, z, &kept), OM_OK);
        om__keep_release(vectors, &kept);
    }
    return om_vectors_stats(vectors).misses - before;
}

static void written_layers_add_up_and_make_nothing_anew(void **state)
{
    (void)state;
    const struct om_layer *of[] = {house, road};
    const char *const text[] = {NULL, "floors > 4"};
    static uint32_t dead[4000];
    for (size_t k = 0; k < 4; k++) {
        // Nothing written, then more and more.
        for (size_t step = 100000; step > 1; step /= 40) {
            struct om_part part[2];
            struct om_layer layer = written(of[k / 2], step, dead, part);
            struct om_filter *filter = NULL;
            struct om_selection *some;
            if (text[k % 2])
                assert_int_equal(
                    om_filter_parse(text[k % 2], strlen(text[k % 2]), &layer, 0,
                                    &filter, NULL),
                    OM_OK);
            assert_int_equal(
                om_select(NULL, &layer, filter, (struct om_window){0}, &some),
                OM_OK);
            const struct om_vector_spec spec = spec_of(&layer, some);
            for (unsigned z = 2; z <= 13; z += test_rounds(12) < 12 ? 5 : 3)
                check_sum(&spec, z);
            const uint64_t made = made_of_lasting(&spec);
            if (step < 100000) assert_int_equal(made, 0);
            om_selection_unref(some);
            om_filter_free(filter);
            om_segment_unref(part[1].segment);
        }
    }
}

/* Cells have their nodes along the curve, as the whole layer has. */
static void cell_ranks_are_those_of_the_whole_layer(void **state)
{
    (void)state;
    const struct om_layer *of[] = {house, road, unit};
    for (size_t k = 0; k < 3; k++) {
        struct om__kept kept, one;
        size_t cells = 0, gone = 0;
        assert_int_equal(om__borders_get(vectors, of[k], &kept), OM_OK);
        const struct om__borders *all = kept.value;
        const unsigned level = om__rank_level(of[k]);
        assert_int_equal(level, k < 2 ? OM__RANK_LEVEL : 0);
        for (size_t n = 0, end; n < all->nodes; n = end, cells++) {
            const uint64_t cell = om__rank_cell(all->pos[n], level);
            size_t i = 0;
            assert_int_equal(om__borders_of_cell(vectors, of[k], cell, 0, &one),
                             OM_OK);
            const struct om__borders *b = one.value;
            for (end = n; end < all->nodes &&
                          om__rank_cell(all->pos[end], level) == cell;
                 end++) {
                const struct om_pos p = all->pos[end];
                while (i < b->nodes &&
                       (b->pos[i].x != p.x || b->pos[i].y != p.y))
                    i++;
                assert_true(i < b->nodes);
                assert_int_equal(b->zoom[i], all->zoom[end]);
                gone += b->zoom[i] > 0;
            }
            om__keep_release(vectors, &one);
        }
        assert_true(k == 2 || cells > 100);
        assert_true(gone > all->nodes / 5);
        om__keep_release(vectors, &kept);
    }
}

/* ---- layers that are drawn vertex by vertex ---- */

static void plain_houses_and_roads_add_up_and_are_valid(void **state)
{
    (void)state;
    struct om_vectors *mine = vectors;
    assert_int_equal(om_vectors_new((size_t)1 << 28, &vectors), OM_OK);
    om__borders_limit(vectors, 0);
    const struct om_vector_spec houses = spec_of(house, &all_houses);
    const struct om_vector_spec roads = spec_of(road, &all_roads);
    const struct om_vector_spec units = spec_of(unit, &all_units);
    for (unsigned z = 1; z <= 12; z += test_rounds(12) < 12 ? 5 : 2) {
        check_sum(&houses, z);
        check_sum(&roads, z);
        check_sum(&units, z);
    }
    om_vectors_free(vectors);
    vectors = mine;
}

/* ---- all or none ---- */

static void all_tiles_that_a_house_touches_show_it(void **state)
{
    (void)state;
    const struct om_vector_spec spec = spec_of(house, &all_houses);
    const size_t rows = house->rows;
    struct om_rings rings;
    size_t shown = 0, hidden = 0;
    assert_int_equal(om_segment_rings(house->part[0].segment, 0, rows, &rings),
                     OM_OK);
    for (unsigned z = 9; z <= 12; z += 3) {
        const struct range t = tiles_of(z);
        const uint32_t x = (t.x0 + t.x1) / 2, y = (t.y0 + t.y1) / 2;
        struct om_buf a = make(&spec, z, x, y), b = make(&spec, z, x + 1, y);
        struct mvt_tile ta = tile_of(&a), tb = tile_of(&b);
        const struct mvt_layer *la = mvt_layer(&ta, "house");
        const struct mvt_layer *lb = mvt_layer(&tb, "house");
        struct om_text_reader reader = {0};
        const uint32_t edge = (x + 1) << (32 - z);
        const uint32_t top = y << (32 - z), low = (y + 1) << (32 - z);
        // Houses across the border, well inside from north to south.
        for (size_t row = 0; row < rows; row++) {
            const struct om_box box = rings.box[row];
            const uint32_t unit_side = 1u << (20 - z);
            if (box.x0 + 2 * unit_side > edge ||
                box.x1 < edge + 2 * unit_side || box.y0 < top || box.y1 >= low)
                continue;
            const char *id;
            size_t len;
            assert_int_equal(om_segment_text(house->part[0].segment, 0, row,
                                             &reader, &id, &len),
                             OM_OK);
            bool in_a = false, in_b = false;
            for (size_t i = 0; la && i < la->features; i++) {
                const struct mvt_value v = mvt_get(la, &la->feature[i], "id");
                in_a |= v.len == len && !memcmp(v.text, id, len);
            }
            for (size_t i = 0; lb && i < lb->features; i++) {
                const struct mvt_value v = mvt_get(lb, &lb->feature[i], "id");
                in_b |= v.len == len && !memcmp(v.text, id, len);
            }
            assert_int_equal(in_a, in_b);
            shown += in_a;
            hidden += !in_a;
        }
        om_text_reader_deinit(&reader);
        mvt_free(&ta);
        mvt_free(&tb);
        om_buf_deinit(&a);
        om_buf_deinit(&b);
    }
    assert_true(shown > 3);
    (void)hidden;
}

/* Ids are the number where the text is one. */
static void all_ids_are_numbers_or_hashes(void **state)
{
    (void)state;
    const struct om_vector_spec spec = spec_of(house, &all_houses);
    const struct range t = tiles_of(12);
    struct om_buf buf = make(&spec, 12, (t.x0 + t.x1) / 2, (t.y0 + t.y1) / 2);
    struct mvt_tile tile = tile_of(&buf);
    const struct mvt_layer *l = mvt_layer(&tile, "house");
    size_t numbers = 0;
    for (size_t i = 0; i < l->features; i++) {
        const struct mvt_value v = mvt_get(l, &l->feature[i], "id");
        char text[32];
        snprintf(text, sizeof text, "%.*s", (int)v.len, v.text);
        assert_true(l->feature[i].id < UINT64_C(1) << 53);
        if (text[0] == 'X') continue;
        assert_int_equal(l->feature[i].id, strtoull(text, NULL, 10));
        numbers++;
    }
    assert_true(numbers > 10 && numbers < l->features);
    mvt_free(&tile);
    om_buf_deinit(&buf);
}

/* ---- lines ---- */

static void lines_keep_their_ends(void **state)
{
    (void)state;
    struct om__kept kept;
    struct om_rings rings;
    const struct om_segment *s = road->part[0].segment;
    assert_int_equal(om_segment_rings(s, 0, road->rows, &rings), OM_OK);
    assert_int_equal(om__borders_get(vectors, road, &kept), OM_OK);
    const struct om__borders *b = kept.value;
    size_t gone = 0, vertices = 0;
    for (size_t row = 0; row < road->rows; row++) {
        const size_t ring = rings.part_ring[rings.shape_part[row]];
        const uint32_t from = rings.ring_vertex[ring];
        const uint32_t to = rings.ring_vertex[ring + 1];
        assert_int_equal(b->zoom[om__borders_of(b, 0)[from]], 0);
        assert_int_equal(b->zoom[om__borders_of(b, 0)[to - 1]], 0);
        for (uint32_t v = from; v < to; v++, vertices++) {
            const struct om_pos p = b->pos[om__borders_of(b, 0)[v]];
            assert_true(p.x == rings.vertex[v].x && p.y == rings.vertex[v].y);
            gone += b->zoom[om__borders_of(b, 0)[v]] > 8;
        }
    }
    // Of the others some stay where they enter a cell.
    assert_true(gone > vertices / 3);
    om__keep_release(vectors, &kept);
}

/* ---- limits ---- */

static void limit_a_crowd_is_counted(void **state)
{
    (void)state;
    // 30,000 houses of one size on one spot: no class of sizes fits.
    enum { CROWD = 30000 };
    struct mesh m;
    uint64_t seed = 2;
    mesh_init(&m, CROWD * 4);
    for (size_t i = 0; i < CROWD; i++) {
        const double x = WEST + 40000 * mesh_unit(&seed);
        const double y = NORTH + 40000 * mesh_unit(&seed);
        const double xy[] = {x, y, x + 90, y, x + 90, y + 90, x, y + 90};
        mesh_polygon(&m, 4, xy);
    }
    struct om_layer *crowd = add_layer("crowd", OM_GEOMETRY_POLYGON, &m);
    mesh_deinit(&m);
    const struct om_selection all = {.all = true, .count = CROWD};
    const struct om_vector_spec spec = spec_of(crowd, &all);
    for (unsigned z = 12; z <= 18; z += 3) {
        const double side = ldexp(1.0, 32 - (int)z);
        struct om_buf buf = make(&spec, z, (uint32_t)((WEST + 20000) / side),
                                 (uint32_t)((NORTH + 20000) / side));
        assert_true(buf.len > 0);
        om_buf_deinit(&buf);
    }
    for (unsigned z = 8; z <= 17; z += 3) check_sum(&spec, z);
}

/* Names on a tile: those of its units that have one. */
static size_t names_on(const struct om_vector_spec *spec, unsigned z, double x,
                       double y, size_t *units)
{
    const double side = ldexp(1.0, 32 - (int)z);
    struct om_buf buf =
        make(spec, z, (uint32_t)(x / side), (uint32_t)(y / side));
    struct mvt_tile tile = tile_of(&buf);
    const struct mvt_layer *l = mvt_layer(&tile, spec->name);
    size_t names = 0;
    assert_non_null(l);
    *units = l->features;
    for (size_t i = 0; i < l->features; i++) {
        assert_int_equal(mvt_get(l, &l->feature[i], "id").kind, MVT_TEXT);
        names += mvt_get(l, &l->feature[i], "name").kind == MVT_TEXT;
    }
    mvt_free(&tile);
    om_buf_deinit(&buf);
    return names;
}

static void lean_units_have_names_where_asked_for(void **state)
{
    (void)state;
    enum { ACROSS = 64, COUNT = ACROSS * ACROSS };
    struct city_sample other;
    struct mesh m;
    city_begin(&other);
    mesh_init(&m, 90000);
    const struct mesh_plan plan = {
        ACROSS, ACROSS, 3, WEST, NORTH, SIDE * STEP / ACROSS, true, 77};
    mesh_partition(&m, &plan);
    struct om_layer *many = city_add_units(&other, "grid", &m, "77");
    mesh_deinit(&m);
    many->serial = 4711;
    const struct om_selection all = {.all = true, .count = COUNT};
    struct om_vector_spec spec = spec_of(many, &all);
    const double middle = SIDE * STEP / 2, x = WEST + middle,
                 y = NORTH + middle;
    size_t units;
    // All on one tile: nobody can read 4,096 names there.
    assert_int_equal(names_on(&spec, 7, x, y, &units), 0);
    assert_int_equal(units, COUNT);
    // In a tile that holds few of them, too: a zoom has one rule.
    size_t few;
    assert_int_equal(names_on(&spec, 9, x, NORTH + 1.95 * middle, &few), 0);
    assert_true(few < COUNT / 10);
    // Closer there are few, and each has its name.
    const size_t names = names_on(&spec, 12, x, y, &units);
    assert_int_equal(names, units);
    // Who asks for names gets them.
    bool column[8] = {false};
    const size_t name = om_schema_find(&many->schema, "name");
    column[name] = true;
    spec.column = column;
    assert_int_equal(names_on(&spec, 7, x, y, &units), COUNT);
    column[name] = false;
    assert_int_equal(names_on(&spec, 12, x, y, &units), 0);
    city_end(&other);
}

static void same_bytes_whatever_threads_and_caches(void **state)
{
    (void)state;
    const struct {
        const struct om_layer *layer;
        const struct om_selection *selection;
    } of[] = {{unit, &all_units}, {house, &all_houses}, {road, &all_roads}};
    struct om_vectors *mine = vectors;
    for (size_t k = 0; k < 3; k++) {
        const struct om_vector_spec spec =
            spec_of(of[k].layer, of[k].selection);
        for (unsigned z = 6; z <= 14; z += 4) {
            const struct range t = tiles_of(z);
            const uint32_t x = (t.x0 + t.x1) / 2, y = (t.y0 + t.y1) / 2;
            struct om_buf warm = make(&spec, z, x, y);
            assert_int_equal(om_vectors_new(1, &vectors), OM_OK);
            om_threads_set(1);
            om_query_forget();
            struct om_buf cold = make(&spec, z, x, y);
            om_threads_set(0);
            assert_int_equal(om_vectors_stats(vectors).bytes, 0);
            om_vectors_free(vectors);
            vectors = mine;
            assert_int_equal(warm.len, cold.len);
            assert_memory_equal(warm.bytes, cold.bytes, warm.len);
            om_buf_deinit(&warm);
            om_buf_deinit(&cold);
        }
    }
}

static void fault_no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    const struct {
        const struct om_layer *layer;
        const struct om_selection *selection;
    } of[] = {{unit, &all_units}, {house, &all_houses}, {road, &all_roads}};
    const struct range t = tiles_of(9);
    for (size_t k = 0; k < 3; k++) {
        const struct om_vector_spec spec =
            spec_of(of[k].layer, of[k].selection);
        size_t fails = 0;
        for (size_t nth = 1;; nth += 1 + nth / 6) {
            struct om_vectors *fresh;
            struct om_arena arena = {0};
            struct om_buf tile = {0};
            om_query_forget();
            const size_t live = om_alloc_live();
            assert_int_equal(om_vectors_new((size_t)1 << 28, &fresh), OM_OK);
            om_alloc_fail_after(nth, true);
            const om_status st =
                om_vector_tile(fresh, &spec, 9, (t.x0 + t.x1) / 2,
                               (t.y0 + t.y1) / 2, &arena, &tile);
            om_alloc_fail_after(0, false);
            assert_true(st == OM_OK || st == OM_E_MEMORY);
            if (st) assert_int_equal(tile.len, 0);
            om_arena_deinit(&arena);
            om_buf_deinit(&tile);
            om_vectors_free(fresh);
            om_query_forget();
            assert_int_equal(om_alloc_live(), live);
            if (!st) break;
            fails++;
        }
        assert_true(fails > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_units_share_their_borders_at_every_zoom),
        cmocka_unit_test(level_has_few_vertices_where_they_do_not_show),
        cmocka_unit_test(level_borders_do_not_jump_over_places),
        cmocka_unit_test(tile_units_are_the_level_cut),
        cmocka_unit_test(tile_neighbours_continue_each_other),
        cmocka_unit_test(sum_of_every_zoom_is_the_register),
        cmocka_unit_test(sum_of_a_filter_is_what_it_takes),
        cmocka_unit_test(written_layers_add_up_and_make_nothing_anew),
        cmocka_unit_test(cell_ranks_are_those_of_the_whole_layer),
        cmocka_unit_test(plain_houses_and_roads_add_up_and_are_valid),
        cmocka_unit_test(all_tiles_that_a_house_touches_show_it),
        cmocka_unit_test(all_ids_are_numbers_or_hashes),
        cmocka_unit_test(lines_keep_their_ends),
        cmocka_unit_test(limit_a_crowd_is_counted),
        cmocka_unit_test(lean_units_have_names_where_asked_for),
        cmocka_unit_test(same_bytes_whatever_threads_and_caches),
        cmocka_unit_test(fault_no_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
