/* run.c - batches and parts of a layer become one segment.
 *
 * DESIGN
 * A run is made by the builder that makes files, with a writer that keeps what
 * it writes: so there is one format, one set of readers and nothing that could
 * differ. The builder starts no threads for few rows, and a file in memory has
 * no checksums and no 64 KiB blocks; what is left is some hundred small
 * allocations.
 */
#include "engine/live/run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/cancel.h"
#include "engine/layer/build_internal.h"
#include "engine/shape/shape.h"

#define LEVELS_MAX 16
/* Rows that are taken out of a segment at a time. */
#define MERGE_ROWS OM_LIMIT_BATCH_ROWS

/* One level, ready to be asked; without a partition if its units are withheld:
 * rows then lie in none. ids are the units' ids, sorted bytewise;
 * ordinal[row] is where the id of row `row` of the unit layer stands. */
struct level {
    char name[OM_LIMIT_NAME_BYTES];
    struct om_partition *partition;
    const uint32_t *ordinal;
    size_t ids;
    const uint32_t *id_offset;
    const char *id_bytes;
};

struct om_joiner {
    atomic_size_t refs;
    size_t levels;
    struct level level[LEVELS_MAX];
    struct om_arena arena;
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

static om_status read_ids(const struct om_segment *segment, size_t id_field,
                          struct om_arena *arena, struct id_text *id,
                          size_t *bytes)
{
    struct om_text_reader reader = {0};
    om_status st = OM_OK;
    *bytes = 0;
    for (size_t i = 0; i < om_segment_rows(segment) && !st; i++) {
        st = om_segment_text(segment, id_field, i, &reader, &id[i].text,
                             &id[i].len);
        if (st) break;
        id[i].row = (uint32_t)i;
        id[i].text = om_arena_text(arena, id[i].text, id[i].len);
        if (!id[i].text) st = OM_E_MEMORY;
        *bytes += id[i].len;
    }
    om_text_reader_deinit(&reader);
    return st;
}

/* Sort the ids of a unit layer and remember each row's place. */
static om_status sort_ids(const struct om_segment *segment, size_t id_field,
                          struct om_arena *arena, struct level *level)
{
    const size_t n = om_segment_rows(segment);
    size_t bytes;
    struct om_arena scratch = {0};
    om_status st = OM_E_MEMORY;
    char *id_bytes = NULL;
    struct id_text *id = om_arena_calloc(&scratch, n, sizeof *id);
    uint32_t *ordinal = om_arena_calloc(arena, n, sizeof *ordinal);
    uint32_t *offset = om_arena_calloc(arena, n + 1, sizeof *offset);
    if (!id || !ordinal || !offset) goto done;
    st = read_ids(segment, id_field, &scratch, id, &bytes);
    if (st) goto done;
    if (n > 1) qsort(id, n, sizeof *id, by_text);
    id_bytes = om_arena_alloc(arena, bytes + 1);
    if (!id_bytes) {
        st = OM_E_MEMORY;
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        ordinal[id[i].row] = (uint32_t)i;
        memcpy(id_bytes + offset[i], id[i].text, id[i].len);
        offset[i + 1] = offset[i] + (uint32_t)id[i].len;
    }
    level->ordinal = ordinal;
    level->id_offset = offset;
    level->id_bytes = id_bytes;
    level->ids = n;
done:
    om_arena_deinit(&scratch);
    return st;
}

/* A level whose partition is being made. */
struct opening {
    struct level *level;
    const struct om_layer *layer;
    om_status status;
    bool beside;
    pthread_t thread;
};

static void *make_partition(void *arg)
{
    struct opening *o = arg;
    const struct om_segment *segment = o->layer->part[0].segment;
    struct om_rings rings = {0};
    o->status = om_segment_rings(segment, 0, om_segment_rows(segment), &rings);
    if (!o->status) o->status = om_partition_new(&rings, &o->level->partition);
    return NULL;
}

/* Beside the others, if there is a thread to be had. */
static om_status open_level(struct om_joiner *joiner,
                            const struct om_layer *layer, struct opening *out,
                            struct om_err *err)
{
    if (layer->parts != 1 || layer->part[0].dead_count)
        return om_fail(err, OM_E_UNSUPPORTED, 0,
                       "the units of '%s' are not one whole part; units are "
                       "replaced as a whole",
                       layer->meta->unit_level);
    struct level *level = &joiner->level[joiner->levels++];
    *out = (struct opening){.level = level, .layer = layer};
    snprintf(level->name, sizeof level->name, "%s", layer->meta->unit_level);
    out->beside = !pthread_create(&out->thread, NULL, make_partition, out);
    if (!out->beside) make_partition(out);
    return OM_OK;
}

static om_status finish_level(struct om_joiner *joiner, struct opening *o,
                              struct om_err *err)
{
    const struct om_layer *layer = o->layer;
    if (o->beside) pthread_join(o->thread, NULL);
    om_status st = o->status;
    if (!st)
        st = sort_ids(layer->part[0].segment, layer->schema.id_field,
                      &joiner->arena, o->level);
    return st ? om_fail(err, st, 0, "units of '%s': %s", o->level->name,
                        om_status_text(st))
              : OM_OK;
}

static void add_unknown(struct om_joiner *joiner, const char *name)
{
    static const uint32_t NONE[1];
    struct level *level = &joiner->level[joiner->levels++];
    *level = (struct level){.id_offset = NONE, .id_bytes = ""};
    snprintf(level->name, sizeof level->name, "%s", name);
}

om_status om_joiner_new(const struct om_snapshot *snapshot,
                        struct om_joiner **out, struct om_err *err)
{
    *out = NULL;
    const struct om_manifest *m = snapshot->manifest;
    struct om_joiner *joiner = om_calloc(1, sizeof *joiner);
    if (!joiner) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    atomic_init(&joiner->refs, 1);
    struct opening opening[LEVELS_MAX];
    size_t opened = 0;
    om_status st = OM_OK;
    for (size_t i = 0; i < m->levels && !st; i++) {
        const struct om_layer *layer = om_snapshot_units(snapshot, m->level[i]);
        const bool lacks = !layer && om_snapshot_lacks(snapshot, m->level[i],
                                                       NULL) == OM_E_WITHHELD;
        if (!lacks && (!layer || layer->parts == 0)) continue;
        if (joiner->levels == LEVELS_MAX)
            st = om_fail(err, OM_E_LIMIT, 0, "too many levels of units");
        else if (lacks)
            add_unknown(joiner, m->level[i]);
        else
            st = open_level(joiner, layer, &opening[opened++], err);
        if (st == OM_E_UNSUPPORTED) opened--;
    }
    for (size_t i = 0; i < opened; i++) {
        const om_status finished =
            finish_level(joiner, &opening[i], st ? NULL : err);
        if (!st) st = finished;
    }
    if (st)
        om_joiner_unref(joiner);
    else
        *out = joiner;
    return st;
}

struct om_joiner *om_joiner_ref(struct om_joiner *joiner)
{
    atomic_fetch_add_explicit(&joiner->refs, 1, memory_order_relaxed);
    return joiner;
}

void om_joiner_unref(struct om_joiner *joiner)
{
    if (!joiner ||
        atomic_fetch_sub_explicit(&joiner->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < joiner->levels; i++)
        om_partition_free(joiner->level[i].partition);
    om_arena_deinit(&joiner->arena);
    om_free(joiner);
}

size_t om_joiner_levels(const struct om_joiner *joiner)
{
    return joiner->levels;
}

const char *om_joiner_level(const struct om_joiner *joiner, size_t level)
{
    return joiner->level[level].name;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Let a column name only the units that occur: a run of a few rows would else
 * carry the names of the whole city. */
static om_status use_few_ids(const struct level *level, size_t rows,
                             uint32_t *unit, struct om_arena *arena,
                             struct om_unit_column *column)
{
    uint32_t *used = om_arena_alloc(arena, (rows + 1) * sizeof *used);
    uint32_t *offset = om_arena_alloc(arena, (rows + 1) * sizeof *offset);
    if (!used || !offset) return OM_E_MEMORY;
    size_t n = 0, ids = 0;
    for (size_t i = 0; i < rows; i++)
        if (unit[i] != OM_NO_UNIT) used[n++] = unit[i];
    if (n > 1) qsort(used, n, sizeof *used, by_number);
    for (size_t i = 0; i < n; i++)
        if (ids == 0 || used[ids - 1] != used[i]) used[ids++] = used[i];
    offset[0] = 0;
    for (size_t i = 0; i < ids; i++)
        offset[i + 1] = offset[i] + level->id_offset[used[i] + 1] -
                        level->id_offset[used[i]];
    char *bytes = om_arena_alloc(arena, offset[ids] + (size_t)1);
    if (!bytes) return OM_E_MEMORY;
    for (size_t i = 0; i < ids; i++)
        memcpy(bytes + offset[i], level->id_bytes + level->id_offset[used[i]],
               offset[i + 1] - offset[i]);
    for (size_t i = 0; i < rows; i++) {
        if (unit[i] == OM_NO_UNIT) continue;
        const uint32_t *at =
            bsearch(&unit[i], used, ids, sizeof *used, by_number);
        unit[i] = (uint32_t)(at - used);
    }
    column->ids = ids;
    column->id_offset = offset;
    column->id_bytes = bytes;
    return OM_OK;
}

const char *om_joiner_unit(const struct om_joiner *joiner, size_t level,
                           struct om_pos pos, size_t *len)
{
    const struct level *l = &joiner->level[level];
    const uint32_t row =
        l->partition ? om_partition_find(l->partition, pos) : OM_NO_UNIT;
    if (row == OM_NO_UNIT) return NULL;
    const uint32_t *offset = &l->id_offset[l->ordinal[row]];
    *len = offset[1] - offset[0];
    return l->id_bytes + offset[0];
}

/* Units of all rows of a segment at one level. */
static om_status join_level(const struct level *level, const uint64_t *key,
                            size_t rows, struct om_arena *arena,
                            struct om_unit_column *column)
{
    uint32_t *unit = om_arena_alloc(arena, (rows + 1) * sizeof *unit);
    if (!unit) return OM_E_MEMORY;
    for (size_t i = 0; i < rows && !level->partition; i++) unit[i] = OM_NO_UNIT;
    if (level->partition)
        OM_TRY(om_partition_join(level->partition, key, rows, unit));
    for (size_t i = 0; i < rows; i++)
        if (unit[i] != OM_NO_UNIT) unit[i] = level->ordinal[unit[i]];
    *column = (struct om_unit_column){.unit = unit,
                                      .ids = level->ids,
                                      .id_offset = level->id_offset,
                                      .id_bytes = level->id_bytes};
    snprintf(column->name, sizeof column->name, "%s", level->name);
    return rows < level->ids ? use_few_ids(level, rows, unit, arena, column)
                             : OM_OK;
}

/* The unit columns of a segment: to a file, or put beside it in memory. */
static om_status join_segment(struct om_segment *segment,
                              const struct om_joiner *joiner,
                              const char *units_path, struct om_err *err)
{
    if (!joiner || joiner->levels == 0) return OM_OK;
    const size_t rows = om_segment_rows(segment);
    struct om_unit_column column[LEVELS_MAX];
    struct om_arena arena = {0};
    struct om__file units = {0};
    const uint64_t *key;
    om_status st = om_segment_keys(segment, 0, rows, &key);
    for (size_t i = 0; i < joiner->levels && !st; i++)
        st = join_level(&joiner->level[i], key, rows, &arena, &column[i]);
    if (st)
        om_fail(err, st, 0, "joining rows with the units: %s",
                om_status_text(st));
    else if (units_path)
        st = om_units_write(units_path, segment, column, joiner->levels, err);
    else
        st =
            om__unit_columns_make(segment, column, joiner->levels, &units, err);
    if (!st && !units_path) st = om__segment_take_units(segment, &units, err);
    om_arena_deinit(&arena);
    return st;
}

/* What a builder has gathered becomes a segment in memory. */
static om_status finish_run(struct om_builder *builder,
                            const struct om_joiner *joiner,
                            struct om_segment **out, struct om_err *err)
{
    struct om__file file;
    struct om_segment *segment = NULL;
    OM_TRY(om__builder_make(builder, &file, err));
    OM_TRY(om__segment_take(&file, &segment, err));
    const om_status st = join_segment(segment, joiner, NULL, err);
    if (st)
        om_segment_unref(segment);
    else
        *out = segment;
    return st;
}

static om_status finish_files(struct om_builder *builder,
                              const struct om_joiner *joiner, const char *path,
                              const char *units_path, struct om_segment **out,
                              struct om_err *err)
{
    const bool joined = joiner && joiner->levels > 0;
    struct om_segment *plain = NULL;
    builder->strict = true;
    OM_TRY(om_builder_write(builder, path, NULL, err));
    om_status st = joined && !units_path ? OM_E_INTERNAL : OM_OK;
    if (!st) st = om_segment_open(path, NULL, &plain, err);
    if (!st) st = join_segment(plain, joiner, units_path, err);
    om_segment_unref(plain);
    if (!st) st = om_segment_open(path, joined ? units_path : NULL, out, err);
    if (!st) return OM_OK;
    unlink(path);
    if (joined && units_path) unlink(units_path);
    return st;
}

/* Words for what has none yet. */
static om_status tell(om_status st, struct om_err *err)
{
    return err && err->code != st
               ? om_fail(err, st, 0, "rows in memory: %s", om_status_text(st))
               : st;
}

om_status om_run_new(const struct om_schema *schema,
                     const struct om_batch *const *batch, size_t batches,
                     const struct om_joiner *joiner, struct om_segment **out,
                     struct om_err *err)
{
    *out = NULL;
    struct om_builder *builder;
    struct om_err why = {0};
    om_status st = om_builder_new(schema, &builder);
    for (size_t i = 0; i < batches && !st; i++)
        st = om_builder_add(builder, batch[i]);
    if (!st) st = finish_run(builder, joiner, out, &why);
    om_builder_free(builder);
    if (st) {
        tell(st, &why);
        if (err) *err = why;
    }
    return st;
}

/* The living rows of a part into a builder. */
static om_status add_part(struct om_builder *builder,
                          const struct om_schema *schema,
                          const struct om_part *part)
{
    const size_t rows = om_segment_rows(part->segment);
    om_status st = OM_OK;
    for (size_t from = 0; from < rows && !st; from += MERGE_ROWS) {
        const size_t to = rows - from < MERGE_ROWS ? rows : from + MERGE_ROWS;
        const size_t dead = om_part_dead_from(part, from);
        struct om_batch batch;
        st = om_segment_extract(part->segment, schema, from, to, NULL,
                                part->dead + dead, part->dead_count - dead,
                                &batch);
        if (!st) st = om_builder_add(builder, &batch);
        om_arena_deinit(&batch.arena);
        if (om_cancelled()) st = OM_E_STOPPED;
    }
    return st;
}

om_status om_run_merge(const struct om_schema *schema,
                       const struct om_part *part, size_t parts,
                       const struct om_joiner *joiner, const char *path,
                       const char *units_path, struct om_segment **out,
                       struct om_err *err)
{
    *out = NULL;
    struct om_builder *builder;
    struct om_err why = {0};
    om_status st = om_builder_new(schema, &builder);
    for (size_t i = 0; i < parts && !st; i++)
        st = add_part(builder, schema, &part[i]);
    if (!st)
        st = path ? finish_files(builder, joiner, path, units_path, out, &why)
                  : finish_run(builder, joiner, out, &why);
    om_builder_free(builder);
    if (st) {
        tell(st, &why);
        if (err) *err = why;
    }
    return st;
}
