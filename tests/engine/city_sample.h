// city_sample.h - a small city in memory: levels of units and layers of points
// that lie in them, written as segments and held as a snapshot.
#ifndef OM_TESTS_ENGINE_CITY_SAMPLE_H
#define OM_TESTS_ENGINE_CITY_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/layer/build.h"
#include "engine/snapshot.h"
#include "engine/units.h"
#include "tests/engine/mesh.h"
#include "tests/folder.h"

#define CITY_LAYERS 8

struct city_sample {
    char folder[64];
    struct om_manifest manifest;
    struct om_manifest_layer meta[CITY_LAYERS];
    struct om_part part[CITY_LAYERS];
    struct om_layer layer[CITY_LAYERS];
    char level[CITY_LAYERS][OM_LIMIT_NAME_BYTES];
    struct om_snapshot snapshot;
};

static inline void city_begin(struct city_sample *c)
{
    *c = (struct city_sample){.manifest = {.zone_s = 8 * 3600}};
    assert_true(test_folder("onemap-city", c->folder, sizeof c->folder));
    c->manifest.level = c->level;
    c->snapshot = (struct om_snapshot){
        .layer = c->layer, .manifest = &c->manifest, .sequence = 1};
}

static inline void city_end(struct city_sample *c)
{
    char command[128];
    for (size_t i = 0; i < c->snapshot.layers; i++)
        om_segment_unref(c->part[i].segment);
    snprintf(command, sizeof command, "rm -rf '%s'", c->folder);
    assert_int_equal(system(command), 0);
}

static inline void city_path(const struct city_sample *c, const char *name,
                             const char *ending, char out[128])
{
    snprintf(out, 128, "%s/%s.%s", c->folder, name, ending);
}

/* What was built becomes a layer of the snapshot. */
static inline struct om_layer *city_add(struct city_sample *c, const char *name,
                                        const char *level, const char *units)
{
    char path[128];
    const size_t i = c->snapshot.layers++;
    assert_true(i < CITY_LAYERS);
    city_path(c, name, "seg", path);
    assert_int_equal(om_segment_open(path, units, &c->part[i].segment, NULL),
                     OM_OK);
    snprintf(c->meta[i].name, sizeof c->meta[i].name, "%s", name);
    snprintf(c->meta[i].unit_level, sizeof c->meta[i].unit_level, "%s", level);
    if (level[0])
        snprintf(c->level[c->manifest.levels++], OM_LIMIT_NAME_BYTES, "%s",
                 level);
    struct om_layer *layer = &c->layer[i];
    *layer = (struct om_layer){.schema = *om_segment_schema(c->part[i].segment),
                               .parts = 1,
                               .part = &c->part[i],
                               .rows = om_segment_rows(c->part[i].segment),
                               .serial = 100 + i,
                               .meta = &c->meta[i]};
    snprintf(layer->name, sizeof layer->name, "%s", name);
    return layer;
}

/* A level of units of the shapes of a mesh: unit i is called PREFIX and i in
 * three digits, its name "Unit i". */
static inline struct om_layer *city_add_units(struct city_sample *c,
                                              const char *level,
                                              const struct mesh *mesh,
                                              const char *prefix)
{
    const struct om_schema schema = {
        .geometry = OM_GEOMETRY_POLYGON,
        .count = 2,
        .field = {{"id", OM_TYPE_TEXT}, {"name", OM_TYPE_TEXT}},
        .time_field = OM_NO_FIELD};
    const size_t n = mesh->count;
    uint64_t *row = calloc(n, sizeof *row);
    uint32_t *offset = calloc(2 * (n + 1), sizeof *offset);
    char *bytes = calloc(n, 64), path[128];
    uint32_t *name_offset = offset + n + 1;
    char *names = bytes + 32 * n;
    for (size_t i = 0; i < n; i++) {
        row[i] = i + 1;
        offset[i + 1] = offset[i] + (uint32_t)sprintf(bytes + offset[i],
                                                      "%s%03zu", prefix, i);
        name_offset[i + 1] =
            name_offset[i] +
            (uint32_t)sprintf(names + name_offset[i], "Unit %zu", i);
    }
    const struct om_batch_column column[] = {
        {.offset = offset, .bytes = bytes},
        {.offset = name_offset, .bytes = names}};
    const struct om_batch batch = {.rows = n,
                                   .source_row = row,
                                   .shapes = mesh_view(mesh),
                                   .column = column};
    struct om_builder *b = NULL;
    city_path(c, level, "seg", path);
    assert_int_equal(om_builder_new(&schema, &b), OM_OK);
    om_builder_set_shared(b, true);
    assert_int_equal(om_builder_add(b, &batch), OM_OK);
    assert_int_equal(om_builder_write(b, path, NULL, NULL), OM_OK);
    om_builder_free(b);
    free(row);
    free(offset);
    free(bytes);
    return city_add(c, level, level, NULL);
}

/* Write the unit columns of a segment by all levels that are there, as an
 * import does. */
static inline void city_join(struct city_sample *c, const char *path,
                             const char *units_path)
{
    struct om_segment *segment = NULL;
    struct om_unit_column column[CITY_LAYERS] = {0};
    assert_int_equal(om_segment_open(path, NULL, &segment, NULL), OM_OK);
    const size_t rows = om_segment_rows(segment);
    const uint64_t *key;
    assert_int_equal(om_segment_keys(segment, 0, rows, &key), OM_OK);
    for (size_t l = 0; l < c->manifest.levels; l++) {
        struct om_units units;
        struct om_partition *partition;
        assert_int_equal(om_units_read(&c->snapshot, c->level[l], &units, NULL),
                         OM_OK);
        uint32_t *unit = calloc(rows + 1, sizeof *unit);
        uint32_t *offset = calloc(units.count + 1, sizeof *offset);
        char *bytes = calloc(units.count + 1, OM_LIMIT_NAME_BYTES);
        for (size_t i = 0; i < units.count; i++)
            offset[i + 1] =
                offset[i] +
                (uint32_t)sprintf(bytes + offset[i], "%s", units.unit[i].id);
        assert_int_equal(om_partition_new(&units.rings, &partition), OM_OK);
        assert_int_equal(om_partition_join(partition, key, rows, unit), OM_OK);
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < units.count; i++)
                if (unit[r] == units.unit[i].row) {
                    unit[r] = (uint32_t)i;
                    break;
                }
        om_partition_free(partition);
        column[l] = (struct om_unit_column){.unit = unit,
                                            .ids = units.count,
                                            .id_offset = offset,
                                            .id_bytes = bytes};
        snprintf(column[l].name, sizeof column[l].name, "%s", c->level[l]);
        om_units_deinit(&units);
    }
    assert_int_equal(
        om_units_write(units_path, segment, column, c->manifest.levels, NULL),
        OM_OK);
    for (size_t l = 0; l < c->manifest.levels; l++) {
        free((void *)(uintptr_t)column[l].unit);
        free((void *)(uintptr_t)column[l].id_offset);
        free((void *)(uintptr_t)column[l].id_bytes);
    }
    om_segment_unref(segment);
}

/* A layer of points with the columns of `schema`; `batch` holds its rows. Add
 * levels of units before it. */
static inline struct om_layer *city_add_points(struct city_sample *c,
                                               const char *name,
                                               const struct om_schema *schema,
                                               const struct om_batch *batch)
{
    char path[128], units[128];
    struct om_builder *b = NULL;
    city_path(c, name, "seg", path);
    city_path(c, name, "units", units);
    assert_int_equal(om_builder_new(schema, &b), OM_OK);
    assert_int_equal(om_builder_add(b, batch), OM_OK);
    assert_int_equal(om_builder_write(b, path, NULL, NULL), OM_OK);
    om_builder_free(b);
    const bool joined = c->manifest.levels > 0;
    if (joined) city_join(c, path, units);
    struct om_layer *layer = city_add(c, name, "", joined ? units : NULL);
    layer->unit_columns = joined ? c->manifest.levels : 0;
    return layer;
}

/* The plainest layer: n points with an id, "name-0", "name-1" ... */
static inline struct om_layer *city_add_places(struct city_sample *c,
                                               const char *name,
                                               const struct om_pos *pos,
                                               size_t n)
{
    const struct om_schema schema = {.geometry = OM_GEOMETRY_POINT,
                                     .count = 1,
                                     .field = {{"id", OM_TYPE_TEXT}},
                                     .time_field = OM_NO_FIELD};
    uint64_t *row = calloc(n + 1, sizeof *row);
    uint32_t *offset = calloc(n + 1, sizeof *offset);
    char *bytes = calloc(n + 1, OM_LIMIT_NAME_BYTES + 24);
    for (size_t i = 0; i < n; i++) {
        row[i] = i + 1;
        offset[i + 1] =
            offset[i] + (uint32_t)sprintf(bytes + offset[i], "%s-%zu", name, i);
    }
    const struct om_batch_column column = {.offset = offset, .bytes = bytes};
    const struct om_batch batch = {
        .rows = n, .source_row = row, .pos = pos, .column = &column};
    struct om_layer *layer = city_add_points(c, name, &schema, &batch);
    free(row);
    free(offset);
    free(bytes);
    return layer;
}

#endif
