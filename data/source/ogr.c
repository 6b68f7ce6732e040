// ogr.c - what GDAL gives, record batch by record batch, into rows.
#include "data/source/ogr.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/source/wkb.h"

static const char GEOMETRY[] = "geometry";
/* "relation/" and a number, NUL included. */
#define OSM_ID_BYTES 48

static om_status take(void *self, struct om__job *job)
{
    struct om__ogr *ogr = self;
    if (!job->stretch) job->stretch = om_calloc(1, sizeof(struct ArrowArray));
    struct ArrowArray *array = job->stretch;
    if (!array) return OM_E_MEMORY;
    if (array->release) array->release(array);
    if (ogr->first.release) {
        *array = ogr->first;
        ogr->first = (struct ArrowArray){0};
    } else {
        OM_TRY(om__ogr_read(ogr, array, &job->err));
    }
    job->end = !array->release;
    return OM_OK;
}

static void drop(void *self, struct om__job *job)
{
    (void)self;
    struct ArrowArray *array = job->stretch;
    if (array->release) array->release(array);
    om_free(array);
    job->stretch = NULL;
}

static om_status read_points(const struct om__ogr *ogr, struct om__rows *rows,
                             const struct ArrowArray *array)
{
    for (size_t i = 0; i < rows->n; i++) {
        const uint8_t *wkb;
        size_t len;
        rows->x[i] = rows->y[i] = NAN;
        const char *why =
            om__arrow_wkb(array, ogr->geometry_child, i, &wkb, &len)
                ? om__wkb_point(wkb, len, &rows->x[i], &rows->y[i])
                : "no geometry";
        if (why) OM_TRY(om__rows_reject(rows, i, GEOMETRY, why, NULL, 0));
    }
    return OM_OK;
}

static om_status alloc_ragged(struct om_arena *arena, size_t n,
                              const struct om__wkb_size *size,
                              struct om__ragged *out)
{
    if (size->vertices > UINT32_MAX) return OM_E_LIMIT;
    out->shape_part = om_arena_alloc(arena, (n + 1) * sizeof(uint32_t));
    out->part_ring =
        om_arena_alloc(arena, (size->parts + 1) * sizeof(uint32_t));
    out->ring_vertex =
        om_arena_alloc(arena, (size->rings + 1) * sizeof(uint32_t));
    out->x = om_arena_alloc(arena, size->vertices * sizeof(double));
    out->y = om_arena_alloc(arena, size->vertices * sizeof(double));
    return out->shape_part && out->part_ring && out->ring_vertex && out->x &&
                   out->y
               ? OM_OK
               : OM_E_MEMORY;
}

/* Twice over the geometries: how much there is, then write it. A row without a
 * usable one keeps a place with no parts. */
static om_status read_shapes(const struct om__ogr *ogr, struct om__rows *rows,
                             const struct ArrowArray *array)
{
    const enum om_geometry want = rows->schema->geometry;
    struct om__wkb_size size = {0};
    const uint8_t *wkb;
    size_t len;
    // Rings that are left out are walked over too: room for the longest.
    size_t longest = 0;
    for (size_t i = 0; i < rows->n; i++) {
        const char *why =
            om__arrow_wkb(array, ogr->geometry_child, i, &wkb, &len)
                ? om__wkb_shape(wkb, len, want, &size, NULL)
                : "no geometry";
        if (why) OM_TRY(om__rows_reject(rows, i, GEOMETRY, why, NULL, 0));
        if (len > longest) longest = len;
    }
    struct om__wkb_size room = size;
    room.vertices += longest / 16 + 1;
    room.rings += longest / 4 + 1;
    room.parts += longest / 4 + 1;
    struct om__ragged *out = &rows->shapes;
    OM_TRY(alloc_ragged(&rows->job->batch.arena, rows->n, &room, out));
    size = (struct om__wkb_size){0};
    for (size_t i = 0; i < rows->n; i++) {
        out->shape_part[i] = (uint32_t)size.parts;
        if (rows->keep[i] &&
            om__arrow_wkb(array, ogr->geometry_child, i, &wkb, &len))
            (void)om__wkb_shape(wkb, len, want, &size, out);
    }
    out->shape_part[rows->n] = (uint32_t)size.parts;
    out->part_ring[size.parts] = (uint32_t)size.rings;
    out->ring_vertex[size.rings] = (uint32_t)size.vertices;
    return OM_OK;
}

static om_status read_xy(const struct om__ogr *ogr, struct om__rows *rows,
                         const struct ArrowArray *array, size_t f, double *out)
{
    struct om_arena *arena = &rows->job->batch.arena;
    struct om_csv_field *field = om_arena_alloc(arena, rows->n * sizeof *field);
    if (!field) return OM_E_MEMORY;
    OM_TRY(om__arrow_fields(array, ogr->child[f], ogr->how[f], arena, field));
    return om__position_read(rows, ogr->field[f].name, field, 1, out);
}

/* Areas of OpenStreetMap come from relations or from ways, whose numbers
 * overlap: the id says which. */
static om_status read_osm_ids(const struct om__ogr *ogr, struct om__rows *rows,
                              const struct ArrowArray *array)
{
    const size_t id = rows->schema->id_field, n = rows->n;
    const struct om_source *source = ogr->source;
    struct om_arena *arena = &rows->job->batch.arena;
    const size_t f = source->plan.from[id];
    struct om_csv_field *relation = om_arena_alloc(arena, n * sizeof *relation);
    struct om_csv_field *way = om_arena_alloc(arena, n * sizeof *way);
    char *text = om_arena_alloc(arena, n * OSM_ID_BYTES);
    if (!relation || !way || !text) return OM_E_MEMORY;
    OM_TRY(
        om__arrow_fields(array, ogr->child[f], ogr->how[f], arena, relation));
    OM_TRY(om__arrow_fields(array, ogr->child[ogr->osm_way],
                            ogr->how[ogr->osm_way], arena, way));
    for (size_t i = 0; i < n; i++) {
        const bool is_way = !relation[i].at || relation[i].len == 0;
        struct om_csv_field *of = is_way ? &way[i] : &relation[i];
        if (!of->at || of->len == 0) continue;
        const int room = OSM_ID_BYTES - 16;
        char *out = text + i * OSM_ID_BYTES;
        const int len =
            snprintf(out, OSM_ID_BYTES, "%s/%.*s", is_way ? "way" : "relation",
                     of->len < (uint32_t)room ? (int)of->len : room, of->at);
        relation[i] = (struct om_csv_field){.at = out, .len = (uint32_t)len};
    }
    return om__column_read(rows, id, &source->reading[id], relation, 1);
}

static om_status read_column(const struct om__ogr *ogr, struct om__rows *rows,
                             const struct ArrowArray *array, size_t c)
{
    const size_t f = ogr->source->plan.from[c];
    return om__arrow_column(rows, c, &ogr->source->reading[c], array,
                            ogr->child[f], ogr->how[f]);
}

static om_status make(void *self, struct om__job *job, size_t lane)
{
    const struct om__ogr *ogr = self;
    const struct om_source *source = ogr->source;
    const struct om_schema *schema = &source->plan.schema;
    struct ArrowArray *array = job->stretch;
    if (array->length > OM_LIMIT_BATCH_ROWS) return OM_E_LIMIT;
    struct om__rows rows;
    OM_TRY(om__rows_begin(&rows, job, schema, (size_t)array->length, lane));
    rows.zero_is_missing = source->zero_is_missing;
    rows.happened = source->happened;
    rows.latest_s = source->latest_s;
    rows.zone_s = source->zone_s;
    job->rows = rows.n;
    const size_t id = schema->id_field;
    job->id_field = id;
    job->id_from_row = source->plan.from[id] == OM_NO_FIELD;
    if (!job->id_from_row && ogr->osm_way != OM_NO_FIELD)
        OM_TRY(read_osm_ids(ogr, &rows, array));
    else if (!job->id_from_row)
        OM_TRY(read_column(ogr, &rows, array, id));
    if (ogr->geometry_child == OM__NO_CHILD) {
        OM_TRY(read_xy(ogr, &rows, array, ogr->x, rows.x));
        OM_TRY(read_xy(ogr, &rows, array, ogr->y, rows.y));
    } else if (schema->geometry == OM_GEOMETRY_POINT) {
        OM_TRY(read_points(ogr, &rows, array));
    } else {
        OM_TRY(read_shapes(ogr, &rows, array));
    }
    for (size_t c = 0; c < schema->count; c++)
        if (c != id) OM_TRY(read_column(ogr, &rows, array, c));
    OM_TRY(om__rows_place(&rows, source->crs));
    OM_TRY(om__rows_finish(&rows));
    array->release(array);  // all of it is in the arena now
    return OM_OK;
}

static void free_ogr(void *self)
{
    om__ogr_free(self);
}

om_status om__ogr_open(const struct om_source_options *options,
                       struct om_source *source, struct om_err *err)
{
    struct om__ogr *ogr = om_calloc(1, sizeof *ogr);
    if (!ogr) return om_fail(err, OM_E_MEMORY, 0, "source: out of memory");
    ogr->source = source;
    ogr->osm_way = OM_NO_FIELD;
    source->reader = (struct om__reader){ogr, take, make, drop};
    source->free_self = free_ogr;  // from here on the source owns it
    ogr->path = om_strdup(options->path);
    om_status st = ogr->path ? OM_OK : OM_E_MEMORY;
    if (!st) st = om__ogr_open_layer(options, ogr, err);
    if (!st) st = om__ogr_learn(options, ogr, err);
    if (st == OM_E_MEMORY)
        return om_fail(err, st, 0, "%s: out of memory", options->path);
    return st;
}
