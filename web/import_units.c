// import_units.c - the exact join of every layer with the levels of units.
#include "web/import_units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "engine/layer/build.h"
#include "engine/shape/shape.h"

#define PATH_BYTES 4096

/* One level, ready to be asked. ids are the units' ids, sorted; ordinal[row]
 * is where the id of row `row` of the unit layer stands among them. */
struct level {
    const char *name;
    struct om_partition *partition;
    uint32_t *ordinal;
    size_t ids;
    uint32_t *id_offset;
    char *id_bytes;
    bool fresh;  // came with this commit
};

struct id_text {
    const char *text;
    size_t len;
    uint32_t row;
};

static int by_text(const void *a, const void *b)
{
    const struct id_text *ia = a, *ib = b;
    const size_t common = ia->len < ib->len ? ia->len : ib->len;
    const int order = memcmp(ia->text, ib->text, common);
    return order ? order : (ia->len > ib->len) - (ia->len < ib->len);
}

/* Sort the ids of a unit layer and remember each row's place. */
static om_status sort_ids(const struct om_segment *segment, size_t id_field,
                          struct om_arena *arena, struct level *level)
{
    const size_t n = om_segment_rows(segment);
    struct id_text *id = om_arena_calloc(arena, n, sizeof *id);
    level->ordinal = om_arena_calloc(arena, n, sizeof *level->ordinal);
    level->id_offset = om_arena_calloc(arena, n + 1, sizeof *level->id_offset);
    if (!id || !level->ordinal || !level->id_offset) return OM_E_MEMORY;
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    size_t bytes = 0;
    for (size_t i = 0; i < n && !st; i++) {
        st = om_segment_text(segment, id_field, i, &reader, &id[i].text,
                             &id[i].len);
        if (st) break;
        id[i].row = (uint32_t)i;
        id[i].text = om_arena_text(arena, id[i].text, id[i].len);
        if (!id[i].text) st = OM_E_MEMORY;
        bytes += id[i].len;
    }
    om_text_reader_deinit(&reader);
    if (st) return st;
    qsort(id, n, sizeof *id, by_text);
    level->id_bytes = om_arena_alloc(arena, bytes + 1);
    if (!level->id_bytes) return OM_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        level->ordinal[id[i].row] = (uint32_t)i;
        memcpy(level->id_bytes + level->id_offset[i], id[i].text, id[i].len);
        level->id_offset[i + 1] = level->id_offset[i] + (uint32_t)id[i].len;
    }
    level->ids = n;
    return OM_OK;
}

static bool is_fresh(const struct om_manifest_part *part, uint64_t sequence)
{
    char end[40];
    const int n =
        snprintf(end, sizeof end, "-%llu.seg", (unsigned long long)sequence);
    const size_t len = strlen(part->file);
    return len >= (size_t)n && !strcmp(part->file + len - (size_t)n, end);
}

static void warn_faults(const char *level, const struct om_rings *rings)
{
    struct om_partition_report report;
    if (om_partition_check(rings, &report)) return;
    if (report.overlaps)
        om_log(OM_LOG_WARN, "import",
               "units of level %s overlap: %llu pairs, %.6f km2 "
               "(a point there belongs to the first)",
               level, (unsigned long long)report.overlaps, report.overlap_km2);
    if (report.gaps)
        om_log(OM_LOG_WARN, "import",
               "units of level %s leave %llu gaps, %.6f km2 "
               "(points there belong to none)",
               level, (unsigned long long)report.gaps, report.gap_km2);
}

/* Units that cannot be read keep no other layer from being mended: rows lie in
 * none of them until they are imported again, which joins all rows anew. */
static om_status leave_unknown(const struct om_manifest_layer *layer,
                               const char *why, struct om_arena *arena,
                               struct level *level)
{
    om_log(OM_LOG_WARN, "import",
           "the units of %s cannot be read: %s; rows that are imported now "
           "have no %s until %s is imported again with --replace",
           layer->name, why, layer->unit_level, layer->name);
    level->id_offset = om_arena_calloc(arena, 1, sizeof *level->id_offset);
    level->id_bytes = om_arena_alloc(arena, 1);
    return level->id_offset && level->id_bytes ? OM_OK : OM_E_MEMORY;
}

static om_status open_level(const char *city,
                            const struct om_manifest_layer *layer,
                            uint64_t sequence, struct om_arena *arena,
                            struct level *level, struct om_err *err)
{
    char path[PATH_BYTES];
    OM_TRY(om_path_join(path, sizeof path, city, layer->part[0].file));
    struct om_segment *segment = NULL;
    level->name = layer->unit_level;
    level->fresh = is_fresh(&layer->part[0], sequence);
    struct om_err why = {0};
    om_status st = om_segment_open(path, NULL, &segment, &why);
    if (st && st != OM_E_MEMORY && !level->fresh)
        return leave_unknown(layer, why.text, arena, level);
    if (st) return om_fail(err, st, 0, "%s", why.text);
    struct om_rings rings = {0};
    st = om_segment_rings(segment, 0, om_segment_rows(segment), &rings);
    if (!st) st = om_partition_new(&rings, &level->partition);
    if (!st) st = sort_ids(segment, layer->schema.id_field, arena, level);
    if (!st && level->fresh) warn_faults(level->name, &rings);
    if (st)
        om_fail(err, st, 0, "units %s: %s", layer->name, om_status_text(st));
    om_segment_unref(segment);
    return st;
}

/* Units of all rows of a segment at one level, as ordinals among its ids. */
static om_status join(const struct level *level, const uint64_t *key,
                      size_t rows, uint32_t *unit)
{
    if (!level->partition) {
        for (size_t i = 0; i < rows; i++) unit[i] = OM_NO_UNIT;
        return OM_OK;
    }
    OM_TRY(om_partition_join(level->partition, key, rows, unit));
    for (size_t i = 0; i < rows; i++)
        if (unit[i] != OM_NO_UNIT) unit[i] = level->ordinal[unit[i]];
    return OM_OK;
}

static om_status join_part(const char *city,
                           const struct om_manifest_layer *layer,
                           struct om_manifest_part *part,
                           const struct level *level, size_t levels,
                           uint64_t sequence, size_t number,
                           om_import_wanted_fn *wanted, void *ctx,
                           struct om_err *err)
{
    char path[PATH_BYTES], file[OM_LIMIT_NAME_BYTES * 3];
    struct om_unit_column column[16];
    size_t columns = 0;
    struct om_segment *segment = NULL;
    uint32_t *unit = NULL;
    const uint64_t *key;
    OM_TRY(om_path_join(path, sizeof path, city, part->file));
    struct om_err why = {0};
    const om_status opened = om_segment_open(path, NULL, &segment, &why);
    if (opened)
        return om_fail(err, opened, 0,
                       "%s cannot be joined with the units: %s (put the file "
                       "back from a backup, or import %s again with --replace "
                       "first)",
                       layer->name, why.text, layer->name);
    const size_t rows = om_segment_rows(segment);
    om_status st = om_segment_keys(segment, 0, rows, &key);
    if (!st) unit = om_alloc_array(rows * levels, sizeof *unit);
    if (!st && !unit) st = OM_E_MEMORY;
    for (size_t i = 0; i < levels && !st; i++) {
        if (wanted && !wanted(ctx, layer->name, level[i].name)) continue;
        struct om_unit_column *c = &column[columns++];
        st = join(&level[i], key, rows, unit + i * rows);
        *c = (struct om_unit_column){.unit = unit + i * rows,
                                     .ids = level[i].ids,
                                     .id_offset = level[i].id_offset,
                                     .id_bytes = level[i].id_bytes};
        snprintf(c->name, sizeof c->name, "%s", level[i].name);
    }
    if (!st) {
        snprintf(file, sizeof file, "layers/%s-%llu-%zu.units", layer->name,
                 (unsigned long long)sequence, number);
        st = om_path_join(path, sizeof path, city, file);
    }
    if (st)
        om_fail(err, st, 0, "joining %s with the units: %s", layer->name,
                om_status_text(st));
    else
        st = om_units_write(path, segment, column, columns, err);
    if (!st) snprintf(part->units_file, sizeof part->units_file, "%s", file);
    om_free(unit);
    om_segment_unref(segment);
    return st;
}

static om_status check_names(const struct om_manifest *m,
                             const struct om_manifest_layer *layer,
                             struct om_err *err)
{
    for (size_t i = 0; i < m->levels; i++)
        if (om_schema_find(&layer->schema, m->level[i]) != OM_NO_FIELD)
            return om_fail(
                err, OM_E_EXISTS, 0,
                "layer %s has a column %s of its own, so no level of units can "
                "be called so (name the level otherwise)",
                layer->name, m->level[i]);
    return OM_OK;
}

static struct om_manifest_layer *layer_of_level(const struct om_manifest *m,
                                                const char *level)
{
    for (size_t i = 0; i < m->layers; i++)
        if (m->layer[i].parts > 0 && !strcmp(m->layer[i].unit_level, level))
            return &m->layer[i];
    return NULL;
}

/* Finest first: the level with the most units. A level without units yet
 * keeps its place behind those that have some. */
static void order_levels(struct om_manifest *m)
{
    for (size_t i = 1; i < m->levels; i++)
        for (size_t j = i; j > 0; j--) {
            const struct om_manifest_layer *a =
                layer_of_level(m, m->level[j - 1]);
            const struct om_manifest_layer *b = layer_of_level(m, m->level[j]);
            if ((a ? a->part[0].rows : 0) >= (b ? b->part[0].rows : 0)) break;
            char swap[OM_LIMIT_NAME_BYTES];
            memcpy(swap, m->level[j], sizeof swap);
            memcpy(m->level[j], m->level[j - 1], sizeof swap);
            memcpy(m->level[j - 1], swap, sizeof swap);
        }
}

static om_status join_layers(const char *city, struct om_manifest *m,
                             const struct level *level, size_t levels,
                             uint64_t sequence, om_import_wanted_fn *wanted,
                             void *ctx, struct om_err *err)
{
    bool units_changed = false;
    uint64_t rows = 0;
    const double start = om_seconds();
    for (size_t i = 0; i < levels; i++) units_changed |= level[i].fresh;
    for (size_t i = 0; i < m->layers; i++) {
        struct om_manifest_layer *layer = &m->layer[i];
        if (layer->unit_level[0] || layer->parts == 0) continue;
        OM_TRY(check_names(m, layer, err));
        if (units_changed) layer->base_commit = sequence;
        for (size_t p = 0; p < layer->parts; p++) {
            struct om_manifest_part *part = &layer->part[p];
            if (!units_changed && !is_fresh(part, sequence)) continue;
            OM_TRY(join_part(city, layer, part, level, levels, sequence, p,
                             wanted, ctx, err));
            rows += part->rows;
        }
    }
    if (rows) om_progress_done("join with units", rows, om_seconds() - start);
    return OM_OK;
}

om_status om_import_units(const char *city, struct om_manifest *m,
                          uint64_t sequence, om_import_wanted_fn *wanted,
                          void *ctx, struct om_err *err)
{
    struct level level[16] = {0};
    struct om_arena arena = {0};
    size_t levels = 0;
    om_status st = OM_OK;
    order_levels(m);
    for (size_t i = 0; i < m->levels && !st; i++) {
        const struct om_manifest_layer *layer = layer_of_level(m, m->level[i]);
        if (!layer) continue;
        st = open_level(city, layer, sequence, &arena, &level[levels], err);
        levels++;
    }
    if (!st && levels > 0)
        st = join_layers(city, m, level, levels, sequence, wanted, ctx, err);
    for (size_t i = 0; i < levels; i++) om_partition_free(level[i].partition);
    om_arena_deinit(&arena);
    return st;
}
