// vector_city.h - a city of lines and polygons for vector tiles, and readers of
// what they hold.
#ifndef OM_TESTS_TILES_VECTOR_CITY_H
#define OM_TESTS_TILES_VECTOR_CITY_H

#include "data/base/alloc.h"
#include "tests/engine/city_sample.h"
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

static inline void quiet(const char *format, ...)
{
    (void)format;
}

/* Boxes of all sizes, L-shapes, and stars of many vertices. */
static inline void add_houses(struct mesh *m, size_t n)
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
static inline void add_roads(struct mesh *m, size_t n)
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
static inline struct om_layer *add_layer(const char *name,
                                         enum om_geometry geometry,
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

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
    (void)state;
    om_vectors_free(vectors);
    city_end(&city);
    GEOS_finish_r(geos);
    return 0;
}

static inline struct om_vector_spec spec_of(
    const struct om_layer *layer, const struct om_selection *selection)
{
    return (struct om_vector_spec){.layer = layer,
                                   .selection = selection,
                                   .name = layer->name,
                                   .by = om_vector_by(layer),
                                   .zone_s = 0};
}

static inline struct om_buf make(const struct om_vector_spec *spec, unsigned z,
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

static inline struct mvt_tile tile_of(const struct om_buf *buf)
{
    const struct mvt_tile tile = mvt_read(buf->bytes, buf->len);
    if (tile.wrong) fail_msg("%s", tile.wrong);
    return tile;
}

/* A polygon feature as rings. owns: the arena */
static inline struct om__rings rings_of(const struct mvt_feature *f,
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

/* Everything in a tile that must hold for polygons. */
static inline void check_polygons(const struct mvt_layer *l,
                                  struct om_arena *arena)
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

static inline struct range tiles_of(unsigned z)
{
    const double side = ldexp(1.0, 32 - (int)z);
    const double reach = STEP * (SIDE + 0.5);
    return (struct range){(uint32_t)((WEST - STEP / 2) / side),
                          (uint32_t)((NORTH - STEP / 2) / side),
                          (uint32_t)((WEST + reach) / side),
                          (uint32_t)((NORTH + reach) / side)};
}

#endif
