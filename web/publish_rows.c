/* publish_rows.c - rows of a layer, in the columns that may be public.
 *
 * DESIGN
 * No file of the city is copied: rows are taken out column by column and built
 * anew, so that a dictionary has no word and a block of texts no text that is
 * of a row or a column that stays inside.
 */
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "engine/layer/build.h"
#include "engine/layer/extract.h"
#include "web/publish_internal.h"

/* Row numbers of each part that go out, rising. */
struct picked {
    uint32_t **row;  // [parts]
    size_t *count, *room;
    om_status status;
};

static bool pick(void *ctx, const struct om_hit *hit)
{
    struct picked *p = ctx;
    if (p->count[hit->part] == p->room[hit->part]) {
        const size_t room = p->room[hit->part] ? 2 * p->room[hit->part] : 1024;
        uint32_t *grown = om_realloc(p->row[hit->part], room * sizeof *grown);
        if (!grown) {
            p->status = OM_E_MEMORY;
            return false;
        }
        p->row[hit->part] = grown;
        p->room[hit->part] = room;
    }
    p->row[hit->part][p->count[hit->part]++] = (uint32_t)hit->row;
    return true;
}

static om_status pick_rows(const struct om_snapshot *snapshot,
                           const struct om__publish_layer *what,
                           struct picked *p)
{
    const struct om_query query = {
        .snapshot = snapshot, .layer = what->layer, .filter = what->filter};
    const size_t parts = what->layer->parts;
    p->row = om_calloc(parts + 1, sizeof *p->row);
    p->count = om_calloc(parts + 1, sizeof *p->count);
    p->room = om_calloc(parts + 1, sizeof *p->room);
    if (!p->row || !p->count || !p->room) return OM_E_MEMORY;
    OM_TRY(om_query_each(&query, pick, p));
    return p->status;
}

static void picked_deinit(struct picked *p, size_t parts)
{
    for (size_t i = 0; p->row && i < parts; i++) om_free(p->row[i]);
    om_free(p->row);
    om_free(p->count);
    om_free(p->room);
}

/* The layer's own columns, which is what can be taken out of a segment. */
static struct om_schema own_schema(const struct om_layer *layer)
{
    struct om_schema own = layer->schema;
    own.count -= layer->unit_columns;
    return own;
}

/* Some rows of a part, in the columns that go out, to the builder. */
static om_status add_rows(const struct om__publish_plan *plan,
                          const struct om__publish_layer *what, size_t part,
                          const struct om_schema *own, const uint32_t *row,
                          size_t count, struct om_builder *builder)
{
    struct om_err err;
    struct om_batch all = {0};
    om_status st = om_segment_extract(what->layer->part[part].segment, own, 0,
                                      count, row, NULL, 0, &all);
    if (!st) {
        struct om_batch some = all;
        struct om_batch_column *column =
            om_arena_calloc(&all.arena, what->schema.count, sizeof *column);
        if (!column) st = OM_E_MEMORY;
        for (size_t c = 0; c < what->schema.count && !st; c++)
            if (what->column[c] != OM_NO_FIELD)
                column[c] = all.column[what->column[c]];
            else
                st = om__publish_romanise(plan, &column[what->english], count,
                                          &all.arena, &column[c], &err);
        some.column = column;
        if (!st) st = om_builder_add(builder, &some);
    }
    om_arena_deinit(&all.arena);
    return st;
}

static om_status add_parts(const struct om__publish_plan *plan,
                           const struct om__publish_layer *what,
                           struct om_builder *builder)
{
    struct picked p = {0};
    struct om_schema *own = om_alloc(sizeof *own);
    om_status st = own ? pick_rows(plan->snapshot, what, &p) : OM_E_MEMORY;
    if (!st) *own = own_schema(what->layer);
    for (size_t i = 0; i < what->layer->parts && !st; i++)
        for (size_t from = 0; from < p.count[i] && !st;) {
            const size_t left = p.count[i] - from;
            const size_t some =
                left < OM_LIMIT_BATCH_ROWS ? left : OM_LIMIT_BATCH_ROWS;
            st = add_rows(plan, what, i, own, p.row[i] + from, some, builder);
            from += some;
        }
    picked_deinit(&p, what->layer->parts);
    om_free(own);
    return st;
}

om_status om__publish_file(const struct om__release *release, const char *layer,
                           char path[OM__PUBLISH_PATH_BYTES],
                           char file[OM_LIMIT_NAME_BYTES * 3],
                           struct om_err *err)
{
    snprintf(file, OM_LIMIT_NAME_BYTES * 3, "layers/%s-%llu.seg", layer,
             (unsigned long long)release->sequence);
    if (om_path_join(path, OM__PUBLISH_PATH_BYTES, release->folder, file))
        return om_fail(err, OM_E_LIMIT, 0, "path too long");
    return OM_OK;
}

om_status om__publish_note(struct om__release *release, const char *name,
                           const struct om_schema *schema, uint64_t rows,
                           struct om_manifest_layer **out, struct om_err *err)
{
    char path[OM__PUBLISH_PATH_BYTES];
    struct om_manifest *m = &release->manifest;
    struct om_manifest_layer *layer = om_manifest_add(m, name);
    struct om_manifest_part *part = om_arena_calloc(&m->arena, 1, sizeof *part);
    if (!layer || !part) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    OM_TRY(om__publish_file(release, name, path, part->file, err));
    part->rows = rows;
    layer->part = part;
    layer->parts = 1;
    layer->base_commit = release->sequence;
    layer->schema = *schema;
    snprintf(layer->id, sizeof layer->id, "%s",
             schema->field[schema->id_field].name);
    if (schema->time_field != OM_NO_FIELD)
        snprintf(layer->time, sizeof layer->time, "%s",
                 schema->field[schema->time_field].name);
    *out = layer;
    return OM_OK;
}

/* To the day, and no finer: when somebody last wrote is nobody's business. */
static int64_t day_of(int64_t utc_s, int32_t zone_s)
{
    const int64_t local_s = utc_s + zone_s;
    return utc_s ? local_s - (local_s % 86400 + 86400) % 86400 - zone_s : 0;
}

static om_status note_layer(struct om__release *release,
                            const struct om__publish_layer *what,
                            struct om_err *err)
{
    const struct om_snapshot *s = release->plan->snapshot;
    const struct om_manifest_layer *meta = what->layer->meta;
    struct om_manifest_layer *layer;
    OM_TRY(om__publish_note(release, what->layer->name, &what->schema,
                            what->rows, &layer, err));
    memcpy(layer->title, meta->title, sizeof layer->title);
    memcpy(layer->title_en, meta->title_en, sizeof layer->title_en);
    memcpy(layer->department, meta->department, sizeof layer->department);
    memcpy(layer->rhythm, meta->rhythm, sizeof layer->rhythm);
    memcpy(layer->base, meta->base, sizeof layer->base);
    memcpy(layer->unit_level, meta->unit_level, sizeof layer->unit_level);
    layer->as_of_s =
        day_of(om_snapshot_as_of(s, what->layer), s->manifest->zone_s);
    return OM_OK;
}

om_status om__publish_rows(struct om__release *release,
                           struct om__publish_layer *what, struct om_err *err)
{
    char path[OM__PUBLISH_PATH_BYTES], file[OM_LIMIT_NAME_BYTES * 3];
    struct om_builder *builder = NULL;
    OM_TRY(om__publish_file(release, what->layer->name, path, file, err));
    om_status st = om_builder_new(&what->schema, &builder);
    if (!st) {
        om_builder_set_shared(builder, what->layer->meta->unit_level[0] != 0);
        st = add_parts(release->plan, what, builder);
    }
    if (st)
        om_fail(err, st, 0, "%s: %s", what->layer->name, om_status_text(st));
    else
        st = om_builder_write(builder, path, NULL, err);
    what->rows = builder ? om_builder_rows(builder) : 0;
    om_builder_free(builder);
    return st ? st : note_layer(release, what, err);
}
