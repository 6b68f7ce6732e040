// picture_city.h - a small city to be drawn: units, water, roads, buildings
// and reports, as files and city.json, opened as a server would.
#ifndef OM_TESTS_TILES_PICTURE_CITY_H
#define OM_TESTS_TILES_PICTURE_CITY_H

#include "data/base/file.h"
#include "tests/engine/city_sample.h"

/* Where it lies: about as wide as a tile of zoom 10. */
#define PIC_X 3466000000.0
#define PIC_Y 1863000000.0
#define PIC_SIDE 4000000.0

struct pic_city {
    struct city_sample files;
    struct om_city *city;
    struct om_snapshot *snapshot;
};

static inline double pic_dice(uint64_t *seed, double low, double high)
{
    return mesh_between(seed, low, high);
}

/* Texts of a column, one after the other. */
struct pic_texts {
    uint32_t *offset;
    char *bytes;
    size_t count;
};
static inline void pic_texts_init(struct pic_texts *t, size_t n)
{
    t->offset = calloc(n + 1, sizeof *t->offset);
    t->bytes = calloc(n + 1, 64);
    t->count = 0;
}
static inline void pic_texts_add(struct pic_texts *t, const char *format,
                                 const char *text, size_t number)
{
    const uint32_t at = t->offset[t->count++];
    t->offset[t->count] =
        at + (uint32_t)sprintf(t->bytes + at, format, text, number);
}
static inline void pic_texts_free(struct pic_texts *t)
{
    free(t->offset);
    free(t->bytes);
}

/* A layer of shapes: id, kind (of the blank-separated words, in turn), name
 * (of a pattern with a word and the row's number), and what it is in English,
 * if there is a pattern for that. */
static inline void pic_add_shapes(struct city_sample *c, const char *name,
                                  const char *level, enum om_geometry geometry,
                                  const struct mesh *mesh,
                                  const char *const *kind, size_t kinds,
                                  const char *pattern, const char *english)
{
    const struct om_schema schema = {.geometry = geometry,
                                     .count = english ? 4 : 3,
                                     .field = {{"id", OM_TYPE_TEXT},
                                               {"kind", OM_TYPE_CATEGORY},
                                               {"name", OM_TYPE_TEXT},
                                               {"name_en", OM_TYPE_TEXT}},
                                     .time_field = OM_NO_FIELD};
    static const char *const word[] = {"东", "南", "西", "北", "中", "河"};
    static const char *const spelled[] = {"Dong", "Nan",   "Xi",
                                          "Bei",  "Zhong", "He"};
    struct pic_texts id, what, title, spelling;
    char path[128];
    uint64_t *row = calloc(mesh->count, sizeof *row);
    pic_texts_init(&id, mesh->count);
    pic_texts_init(&what, mesh->count);
    pic_texts_init(&title, mesh->count);
    pic_texts_init(&spelling, mesh->count);
    for (size_t i = 0; i < mesh->count; i++) {
        row[i] = i + 1;
        pic_texts_add(&id, "%.2s%04zu", name, i);
        pic_texts_add(&what, "%s", kind[i % kinds], 0);
        pic_texts_add(&title, pattern, word[i % 6], i % 7);
        if (english) pic_texts_add(&spelling, english, spelled[i % 6], i % 7);
    }
    const struct om_batch_column column[] = {
        {.offset = id.offset, .bytes = id.bytes},
        {.offset = what.offset, .bytes = what.bytes},
        {.offset = title.offset, .bytes = title.bytes},
        {.offset = spelling.offset, .bytes = spelling.bytes}};
    const struct om_batch batch = {.rows = mesh->count,
                                   .source_row = row,
                                   .shapes = mesh_view(mesh),
                                   .column = column};
    struct om_builder *b = NULL;
    city_path(c, name, "seg", path);
    assert_int_equal(om_builder_new(&schema, &b), OM_OK);
    om_builder_set_shared(b, *level != 0);
    assert_int_equal(om_builder_add(b, &batch), OM_OK);
    assert_int_equal(om_builder_write(b, path, NULL, NULL), OM_OK);
    om_builder_free(b);
    free(row);
    pic_texts_free(&id);
    pic_texts_free(&what);
    pic_texts_free(&title);
    pic_texts_free(&spelling);
    city_add(c, name, level, NULL);
}

static inline void pic_add_units(struct city_sample *c, const char *level,
                                 size_t cells, const char *pattern,
                                 const char *english)
{
    static const char *const kind[] = {"unit"};
    struct mesh mesh;
    mesh_init(&mesh, 60000);
    const struct mesh_plan plan = {.cols = cells,
                                   .rows = cells,
                                   .bends = 7,
                                   .x = PIC_X,
                                   .y = PIC_Y,
                                   .step = PIC_SIDE / (double)cells,
                                   .seed = cells};
    mesh_partition(&mesh, &plan);
    pic_add_shapes(c, level, level, OM_GEOMETRY_POLYGON, &mesh, kind, 1,
                   pattern, english);
    mesh_deinit(&mesh);
}

static inline void pic_add_water(struct city_sample *c)
{
    static const char *const kind[] = {"river", "lake"};
    struct mesh mesh;
    uint64_t seed = 3;
    mesh_init(&mesh, 2000);
    // A river across, and lakes.
    for (int bank = 0; bank < 2; bank++)
        for (int i = 0; i <= 40; i++) {
            const double t = (bank ? 40 - i : i) / 40.0;
            mesh_vertex(
                &mesh, PIC_X + (1.2 * t - 0.1) * PIC_SIDE,
                PIC_Y + (0.35 + 0.1 * sin(9 * t) + 0.015 * bank) * PIC_SIDE);
        }
    mesh_end_ring(&mesh);
    mesh_end_part(&mesh);
    mesh_end_shape(&mesh);
    for (int k = 0; k < 6; k++) {
        const double x = PIC_X + pic_dice(&seed, 0.1, 0.9) * PIC_SIDE;
        const double y = PIC_Y + pic_dice(&seed, 0.1, 0.9) * PIC_SIDE;
        for (int i = 0; i < 24; i++) {
            const double r = pic_dice(&seed, 40000, 90000);
            mesh_vertex(&mesh, x + r * cos(i * OM_PI / 12),
                        y + r * sin(i * OM_PI / 12));
        }
        mesh_end_ring(&mesh);
        mesh_end_part(&mesh);
        mesh_end_shape(&mesh);
    }
    pic_add_shapes(c, "water", "", OM_GEOMETRY_POLYGON, &mesh, kind, 2,
                   "%s江%zu", NULL);
    mesh_deinit(&mesh);
}

static inline void pic_add_roads(struct city_sample *c)
{
    static const char *const kind[] = {"highway", "main",   "street",
                                       "street",  "street", "lane"};
    struct mesh mesh;
    uint64_t seed = 5;
    mesh_init(&mesh, 8000);
    for (int k = 0; k < 300; k++) {
        // The larger, the longer.
        const double step = k % 6 == 0 ? 90000 : k % 6 == 1 ? 40000 : 6000;
        double x = PIC_X + pic_dice(&seed, 0.2, 0.8) * PIC_SIDE;
        double y = PIC_Y + pic_dice(&seed, 0.2, 0.8) * PIC_SIDE;
        double angle = pic_dice(&seed, 0, 6.28);
        for (int i = 0; i < 9; i++) {
            mesh_vertex(&mesh, x, y);
            angle += pic_dice(&seed, -0.3, 0.3);
            x += step * cos(angle);
            y += step * sin(angle);
        }
        mesh_end_ring(&mesh);
        mesh_end_part(&mesh);
        mesh_end_shape(&mesh);
    }
    pic_add_shapes(c, "road", "", OM_GEOMETRY_LINE, &mesh, kind, 6, "%s大道%zu",
                   "%s Avenue %zu");
    mesh_deinit(&mesh);
}

static inline void pic_add_buildings(struct city_sample *c)
{
    static const char *const kind[] = {"home", "shop", "works"};
    struct mesh mesh;
    uint64_t seed = 7;
    mesh_init(&mesh, 20000);
    for (int k = 0; k < 3000; k++) {
        const double x = PIC_X + pic_dice(&seed, 0.45, 0.55) * PIC_SIDE;
        const double y = PIC_Y + pic_dice(&seed, 0.45, 0.55) * PIC_SIDE;
        const double w = pic_dice(&seed, 800, 2600);
        const double h = pic_dice(&seed, 800, 2600);
        const double xy[] = {x, y, x + w, y, x + w, y + h, x, y + h};
        mesh_polygon(&mesh, 4, xy);
    }
    pic_add_shapes(c, "building", "", OM_GEOMETRY_POLYGON, &mesh, kind, 3,
                   "%s楼%zu", NULL);
    mesh_deinit(&mesh);
}

#define PIC_REPORTS 9000
static inline void pic_add_reports(struct city_sample *c)
{
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POINT,
                                     .count = 4,
                                     .field = {{"id", OM_TYPE_TEXT},
                                               {"kind", OM_TYPE_CATEGORY},
                                               {"grade", OM_TYPE_INTEGER},
                                               {"size", OM_TYPE_REAL}},
                                     .time_field = OM_NO_FIELD};
    static const char *const kind[] = {"fire", "gas", "road", "noise", "gas"};
    struct pic_texts id, what;
    uint64_t *row = calloc(PIC_REPORTS, sizeof *row), seed = 11;
    struct om_pos *pos = calloc(PIC_REPORTS, sizeof *pos);
    int64_t *grade = calloc(PIC_REPORTS, sizeof *grade);
    double *size = calloc(PIC_REPORTS, sizeof *size);
    pic_texts_init(&id, PIC_REPORTS);
    pic_texts_init(&what, PIC_REPORTS);
    for (size_t i = 0; i < PIC_REPORTS; i++) {
        // Crowded towards the middle; some on one place.
        const double r = 0.5 * mesh_unit(&seed) * mesh_unit(&seed);
        const double a = pic_dice(&seed, 0, 6.28);
        row[i] = i + 1;
        pos[i] =
            (struct om_pos){(uint32_t)(PIC_X + (0.5 + r * cos(a)) * PIC_SIDE),
                            (uint32_t)(PIC_Y + (0.5 + r * sin(a)) * PIC_SIDE)};
        if (i && i % 9 == 0) pos[i] = pos[i - 1];
        grade[i] = (int64_t)(1 + mesh_random(&seed) % 4);
        size[i] = pic_dice(&seed, 0, 100);
        pic_texts_add(&id, "%s%05zu", "R", i);
        pic_texts_add(&what, "%s", kind[i % 5], 0);
    }
    const struct om_batch_column column[] = {
        {.offset = id.offset, .bytes = id.bytes},
        {.offset = what.offset, .bytes = what.bytes},
        {.integer = grade},
        {.real = size}};
    const struct om_batch batch = {
        .rows = PIC_REPORTS, .source_row = row, .pos = pos, .column = column};
    city_add_points(c, "report", &schema, &batch);
    free(row);
    free(pos);
    free(grade);
    free(size);
    pic_texts_free(&id);
    pic_texts_free(&what);
}

/* What city.json says of each layer besides its columns. */
#define PIC_LOOKS_ROAD                                            \
    "\"base\": \"road\", \"base_by\": \"kind\", \"base_label\": " \
    "\"name\", \"base_classes\": [\"highway\", \"main\", \"street\"]"
/* members: more of the city's own, a comma after each. */
static inline void pic_write_manifest_with(const struct city_sample *c,
                                           const char *road_looks,
                                           const char *members)
{
    struct om_buf out = {0};
    char path[128];
    om_buf_addf(&out,
                "{\"onemap\": 1, %s\"name\": \"Sample\", \"synthetic\": true, "
                "\"zone\": \"+08:00\", \"clock\": "
                "\"2023-06-27T00:00:00+08:00\", \"sequence\": 1, \"levels\": "
                "[\"village\", \"town\"], \"layers\": [",
                members);
    for (size_t i = 0; i < c->snapshot.layers; i++) {
        const struct om_layer *l = &c->layer[i];
        const bool road = !strcmp(l->name, "road");
        const bool report = !strcmp(l->name, "report");
        om_buf_addf(&out,
                    "%s{\"name\": \"%s\", \"geometry\": \"%s\", "
                    "\"id\": \"id\", \"unit_level\": \"%s\", ",
                    i ? ", " : "", l->name,
                    om_geometry_name(l->schema.geometry), l->meta->unit_level);
        if (road) om_buf_addf(&out, "%s, ", road_looks);
        if (!strcmp(l->name, "water"))
            om_buf_add_text(&out,
                            "\"base\": \"water\", \"base_label\": "
                            "\"name\", ");
        if (!strcmp(l->name, "building"))
            om_buf_add_text(&out,
                            "\"base\": \"building\", \"picture_by\": "
                            "\"kind\", ");
        if (report)
            om_buf_add_text(&out,
                            "\"title\": \"上报\", \"title_en\": \"Reports\", "
                            "\"picture_by\": \"grade\", \"picture_colours\": "
                            "{\"1\": \"#4B8FE8\", \"2\": \"#F0C24B\", \"3\": "
                            "\"#F2842B\", \"4\": \"#E5484D\"}, ");
        om_buf_add_text(&out, "\"columns\": [");
        const size_t own = l->schema.count - l->unit_columns;
        for (size_t k = 0; k < own; k++)
            om_buf_addf(&out, "%s{\"name\": \"%s\", \"type\": \"%s\"}",
                        k ? ", " : "", l->schema.field[k].name,
                        om_type_name(l->schema.field[k].type));
        om_buf_addf(&out, "], \"parts\": [{\"file\": \"%s.seg\", ", l->name);
        if (report) om_buf_addf(&out, "\"units\": \"%s.units\", ", l->name);
        om_buf_addf(&out, "\"rows\": %llu}]}", (unsigned long long)l->rows);
    }
    om_buf_add_text(&out, "]}");
    assert_int_equal(out.status, OM_OK);
    snprintf(path, sizeof path, "%s/city.json", c->folder);
    assert_int_equal(om_file_write_whole(path, out.bytes, out.len, NULL),
                     OM_OK);
    om_buf_deinit(&out);
}

static inline void pic_write_manifest(const struct city_sample *c,
                                      const char *road_looks)
{
    pic_write_manifest_with(c, road_looks, "");
}

static inline void pic_city_open(struct pic_city *c)
{
    struct om_err err = {0};
    if (om_city_open(c->files.folder, &c->city, &err)) fail_msg("%s", err.text);
    c->snapshot = om_city_snapshot(c->city);
}

static inline void pic_city_init(struct pic_city *c)
{
    *c = (struct pic_city){.city = NULL};
    city_begin(&c->files);
    pic_add_units(&c->files, "town", 4, "%s城镇%zu", "%s Town %zu");
    pic_add_units(&c->files, "village", 14, "%s村社区%zu", NULL);
    pic_add_water(&c->files);
    pic_add_roads(&c->files);
    pic_add_buildings(&c->files);
    pic_add_reports(&c->files);
    pic_write_manifest(&c->files, PIC_LOOKS_ROAD);
    pic_city_open(c);
}

static inline void pic_city_deinit(struct pic_city *c)
{
    om_snapshot_unref(c->snapshot);
    om_city_close(c->city);
    city_end(&c->files);
}

#endif
